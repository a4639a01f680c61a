/* The requests of the two phases as messages, and what their answers say. */
#include "coordinator/verb/push.h"

#include "proto/place.h"

static enum message_tag ask_recover(struct push *p, size_t node)
{
	p->requests[node].recover.run = p->name;
	return MESSAGE_recover;
}

static enum message_tag ask_stage(struct push *p, size_t node)
{
	p->requests[node].stage = p->stages[node];
	return MESSAGE_stage;
}

static enum message_tag ask_commit(struct push *p, size_t node)
{
	p->requests[node].commit.run = p->name;
	return MESSAGE_commit;
}

static enum message_tag ask_verify(struct push *p, size_t node)
{
	p->requests[node].verify.run = p->name;
	return MESSAGE_verify;
}

static enum message_tag ask_keep(struct push *p, size_t node)
{
	p->requests[node].keep.run = p->name;
	return MESSAGE_keep;
}

static enum message_tag ask_forget(struct push *p, size_t node)
{
	p->requests[node].forget.run = p->name;
	return MESSAGE_forget;
}

static enum message_tag ask_revert(struct push *p, size_t node)
{
	p->requests[node].revert.run = p->name;
	return MESSAGE_revert;
}

/* ---- answers */

static enum rc hear_recovered(
	struct push *p, size_t node, const void *value, struct err *e)
{
	const struct recovered *r = value;

	if (!run_state_name(r->state))
		return err_set(e, RC_PROTOCOL, 0, "it says that the run is in state %u",
			r->state);
	p->recovered[node] = r->state;
	return RC_OK;
}

static enum rc hear_staged(struct push *p, size_t node, const void *value, struct err *e)
{
	const struct list *changes = &((const struct staged *)value)->changes;
	const struct staging *staging = changes->item;
	size_t wanted = p->stages[node].changes.count;

	if (changes->count != wanted)
		return err_set(e, RC_PROTOCOL, 0, "%zu changes staged, not %zu",
			changes->count, wanted);
	p->unchanged[node] = true;
	for (size_t i = 0; i < changes->count; i++)
		p->unchanged[node] &= staging[i].unchanged;
	return RC_OK;
}

static enum rc check_reading(
	const struct edit *edit, const struct reading *reading, struct err *e)
{
	if (!target_reads_as(edit, reading->content))
		return err_set(e, RC_CONFLICT, 0,
			"%s: what is there is not what was written", edit->title);
	if (!reading->accepted)
		return err_set(e, RC_VOTE, 0,
			"%s: the node does not accept what was written: %s", edit->title,
			reading->reason);
	return RC_OK;
}

static enum rc hear_verified(
	struct push *p, size_t node, const void *value, struct err *e)
{
	const struct list *changes = &((const struct verified *)value)->changes;
	const struct reading *reading = changes->item;
	const struct edits *edits = &p->run->nodes[node].edits;
	enum rc rc = RC_OK;

	if (changes->count != edits->count)
		return err_set(e, RC_PROTOCOL, 0, "%zu changes verified, not %zu",
			changes->count, edits->count);
	for (size_t i = 0; i < changes->count && rc == RC_OK; i++)
		rc = check_reading(&edits->item[i], &reading[i], e);
	return rc;
}

/* The answer says all by being there. */
static enum rc hear_nothing(struct push *p, size_t node, const void *value, struct err *e)
{
	(void)p;
	(void)node;
	(void)value;
	(void)e;
	return RC_OK;
}

static const struct {
	enum message_tag (*ask)(struct push *p, size_t node);
	enum rc (*hear)(struct push *p, size_t node, const void *value, struct err *e);
} rows[REQUEST_COUNT] = {
	[REQUEST_RECOVER] = { ask_recover, hear_recovered },
	[REQUEST_STAGE] = { ask_stage, hear_staged },
	[REQUEST_COMMIT] = { ask_commit, hear_nothing },
	[REQUEST_VERIFY] = { ask_verify, hear_verified },
	[REQUEST_KEEP] = { ask_keep, hear_nothing },
	[REQUEST_FORGET] = { ask_forget, hear_nothing },
	[REQUEST_REVERT] = { ask_revert, hear_nothing },
};

enum message_tag push_ask_for(struct push *p, size_t node)
{
	return rows[p->phases.request].ask(p, node);
}

enum rc push_hear(struct push *p, size_t node, const void *value, struct err *e)
{
	return rows[p->phases.request].hear(p, node, value, e);
}
