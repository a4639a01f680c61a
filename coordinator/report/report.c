#include "coordinator/report/report.h"

#include <string.h>

size_t report_failures(const struct report *r, enum rc *code)
{
	size_t failures = 0;

	*code = RC_OK;
	for (size_t i = 0; i < r->count; i++) {
		enum rc rc = r->nodes[i].err.code;

		if (rc == RC_OK)
			continue;
		failures++;
		if (*code == RC_OK || rc < *code)
			*code = rc;
	}
	return failures;
}

int report_compare_errors(const struct err *a, const struct err *b)
{
	int order = (a->code > b->code) - (a->code < b->code);

	return order || a->code == RC_OK ? order : strcmp(a->text, b->text);
}

/* With an outcome the edits are what was tried, not what is there now, unless the run
 * looked again. */
bool report_shows_edits(const struct report *r, const struct report_node *n)
{
	bool conflicts = n->err.code == RC_CONFLICT && !n->outcome[0];

	return n->edits.count && (r->dry_run || r->conflicts || conflicts);
}

const char *report_vote_name(enum report_vote vote)
{
	static const char *const names[] = {
		[REPORT_NO_VOTE] = "",
		[REPORT_YES] = "yes",
		[REPORT_NO] = "no",
	};

	return names[vote];
}

size_t report_policy_count(const struct level *l, enum policy policy)
{
	size_t count = 0;

	for (size_t i = 0; i < l->feature_count; i++)
		count += l->features[i].policy == policy;
	return count;
}

const char *report_version(struct arena *arena, uint64_t version)
{
	const char *text = "";

	if (version)
		text = arena_format(arena, "%llu.%llu.%llu",
			(unsigned long long)version / 1000000,
			(unsigned long long)version / 1000 % 1000,
			(unsigned long long)version % 1000);
	return text ? text : "";
}
