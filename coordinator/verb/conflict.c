#include "coordinator/verb/conflict.h"

#include <string.h>

struct again {
	struct run *run;
	const bool *which;
	struct look *looks;  /* one a node */
	struct edits *found; /* the differences */
};

static bool again_ask(
	void *context, size_t node, enum message_tag *tag, const void **value)
{
	struct again *a = context;
	const struct survey *s = &a->run->surveys[node];

	if (!a->which[node] || s->count == 0)
		return false;
	a->looks[node].spots = (struct list){ (void *)s->spots, s->count };
	*tag = MESSAGE_look;
	*value = &a->looks[node];
	return true;
}

static bool is_as_before(const struct found *before, const struct found *now)
{
	return before->exists == now->exists &&
	       before->content.size == now->content.size &&
	       (now->content.size == 0 || memcmp(before->content.data, now->content.data,
						  now->content.size) == 0);
}

static enum rc again_answer(
	void *context, size_t node, const struct message *m, struct err *e)
{
	struct again *a = context;
	const struct survey *s = &a->run->surveys[node];
	const struct list *found = &((const struct seen *)m->value)->found;
	const struct found *now = found->item;
	struct edits *edits = &a->found[node];

	if (found->count != s->count)
		return err_set(e, RC_PROTOCOL, 0, "it looked at %zu places, not at %zu",
			found->count, s->count);
	edits->item = arena_alloc(&a->run->arena, s->count, sizeof(*edits->item));
	if (!edits->item)
		return err_memory(e);
	for (size_t i = 0; i < s->count; i++)
		if (!is_as_before(&s->found[i], &now[i]))
			edits->item[edits->count++] = (struct edit){
				.place = s->spots[i].place,
				.name = s->spots[i].name,
				.title = now[i].path,
				.exists = s->found[i].exists,
				.before = s->found[i].content,
				.after = now[i].content,
				.machine = ""
			};
	return RC_OK;
}

void conflict_show(struct run *run, const bool *which)
{
	static const struct fleet_call call = { .phase = "look again",
		.ask = again_ask,
		.answer = again_answer,
		.hold = true,
		.repeatable = true };
	struct again a = { run, which, NULL, NULL };
	struct err e;

	a.looks = arena_alloc(&run->arena, run->count, sizeof(*a.looks));
	a.found = arena_alloc(&run->arena, run->count, sizeof(*a.found));
	if (!a.looks || !a.found || fleet_round(run->fleet, &call, &a, &e) != RC_OK)
		return;
	for (size_t i = 0; i < run->count; i++) {
		run->nodes[i].edits = a.found[i];
		/* a node that another run holds has no difference to show */
		run->report.conflicts |= a.found[i].count != 0;
	}
}
