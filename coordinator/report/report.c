#include "coordinator/report/report.h"

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
