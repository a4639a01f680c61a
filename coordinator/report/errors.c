#include "coordinator/report/report.h"

static const char *const head =
	"# Exit statuses and errors\n\n"
	"This page is printed by `cpuherd help errors` from the list in base/err.h; "
	"`scripts/update-docs`\nwrites it, and a test fails when it is not the same.\n\n"
	"When several nodes fail for different reasons, the first code of this list "
	"decides the\nexit status; the report names the code of each node, in JSON as "
	"`error.code`.\n\n"
	"| exit status | code | what it means | what to look at |\n"
	"| ---: | --- | --- | --- |\n";

void errors_print(FILE *out)
{
	fputs(head, out);
	for (int code = 0; code < RC_COUNT; code++) {
		if (code == RC_AGAIN) /* never an outcome */
			continue;
		fprintf(out, "| %d | %s | %s | %s |\n", rc_exit_status((enum rc)code),
			rc_name((enum rc)code), rc_meaning((enum rc)code),
			rc_hint((enum rc)code));
	}
}
