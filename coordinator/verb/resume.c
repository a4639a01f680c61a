#include "coordinator/verb/carry_on.h"
#include "coordinator/verb/verb.h"

enum rc resume_main(const struct options *o, struct err *e)
{
	return carry_on(o, false, e);
}
