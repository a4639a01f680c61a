#include "coordinator/report/report.h"

void errors_print(FILE *out)
{
	fprintf(out, "| exit status | code | what it means | what to look at |\n"
		     "| ---: | --- | --- | --- |\n");
	for (int code = 0; code < RC_COUNT; code++) {
		if (code == RC_AGAIN) /* never an outcome */
			continue;
		fprintf(out, "| %d | %s | %s | %s |\n", rc_exit_status((enum rc)code),
			rc_name((enum rc)code), rc_meaning((enum rc)code),
			rc_hint((enum rc)code));
	}
}
