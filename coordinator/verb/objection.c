#include "coordinator/verb/objection.h"

#include "base/text.h"
#include "coordinator/cpu/psabi.h"
#include "proto/texts.h"

/* Its bit, where the level holds it; -1 else.  The name is a node's. */
static int find_in_level(const struct run *run, const char *name)
{
	int bit = text_is_name(name) ? catalogue_find(run->catalogue, name) : -1;

	return bit >= 0 && bitset_has(&run->level.baseline, (size_t)bit) ? bit : -1;
}

enum rc objection_take(struct run *run, size_t node, const struct texts *features,
	const char *reason, struct bitset *removed, size_t *taken, struct err *e)
{
	struct report_node *n = &run->nodes[node];
	struct bitset named = { { 0 } };
	enum rc rc = RC_OK;

	for (size_t i = 0; i < features->count && rc == RC_OK; i++) {
		int bit = find_in_level(run, features->item[i]);
		const char *name;

		if (bit < 0 || bitset_has(&named, (size_t)bit))
			continue;
		name = catalogue_name(run->catalogue, (size_t)bit);
		/* something is broken, and no level without it is worth writing */
		if (psabi_is_indispensable(name))
			return err_set(e, RC_VOTE, 0,
				"voted no to %s, without which no x86_64 guest runs: %s",
				name, reason[0] ? reason : "no reason given");
		bitset_add(&named, (size_t)bit);
		if (!texts_have(&n->refused, name))
			rc = texts_add(&n->refused, name, &run->arena, e);
	}
	*taken = bitset_count(&named);
	*removed = bitset_or(removed, &named);
	return rc;
}
