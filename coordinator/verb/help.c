#include "coordinator/verb/verb.h"

#include <stdio.h>
#include <string.h>

#include "coordinator/report/report.h"

void help_print(void)
{
	printf("cpuherd agrees on one guest CPU for a set of libvirt nodes and puts it\n"
	       "into their configuration, so that a guest started with it can\n"
	       "live-migrate between any of them.  Over SSH; nothing is installed\n"
	       "on the nodes beforehand.\n"
	       "\n"
	       "Examples:\n"
	       "  cpuherd probe node[01-16]                 what are these nodes?\n"
	       "  cpuherd plan node[01-16]                  what could they agree on?\n"
	       "  cpuherd negotiate --dry-run node[01-16]   agree, write nothing\n"
	       "  cpuherd negotiate node[01-16]             agree, write, verify\n"
	       "  cpuherd negotiate --hosts fleet.txt --without node07\n"
	       "  cpuherd prove node[01-16]                 do guests really get it?\n"
	       "  cpuherd render --as nova baseline.xml     the level for nova.conf\n"
	       "\n"
	       "Verbs:\n");
	for (const struct verb *v = verbs; v->name; v++)
		printf("  %-10s %s\n", v->name, v->help);
	printf("\n"
	       "Nodes are host names, patterns and addresses: node07, node[01-16],\n"
	       "rack[1-2]node[01-04], root@host:2222, [::1]:22; several are joined by\n"
	       "commas or given one by one.\n"
	       "\n"
	       "`cpuherd VERB --help` tells the options of a verb,\n"
	       "`cpuherd help errors` the exit statuses.\n"
	       "0 means that every node is well.\n");
}

enum rc help_main(const struct options *o, struct err *e)
{
	const char *topic = o->nodes.count ? o->nodes.item[0] : NULL;

	if (o->nodes.count > 1)
		return err_set(e, RC_USAGE, 0, "help: one topic at a time");
	if (!topic)
		help_print();
	else if (strcmp(topic, "errors") == 0)
		errors_print(stdout);
	else if (verb_find(topic))
		options_print_help(verb_find(topic));
	else
		return err_set(e, RC_USAGE, 0,
			"help: nothing is known of '%s'; see cpuherd --help", topic);
	return RC_OK;
}
