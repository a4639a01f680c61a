#include "coordinator/verb/vote.h"

#include <string.h>

#include "base/log.h"
#include "base/text.h"
#include "coordinator/verb/judge.h"
#include "coordinator/verb/objection.h"
#include "coordinator/verb/trial.h"
#include "proto/texts.h"

struct ballot {
	struct run *run;
	struct propose *proposals; /* one per node */
	struct bitset removed;	   /* by the noes of this round */
};

static bool ask_vote(
	void *context, size_t node, enum message_tag *tag, const void **value)
{
	struct ballot *b = context;
	const struct offer *offer = b->run->nodes[node].offer;

	b->proposals[node] = (struct propose){
		.round = b->run->report.rounds,
		.virt_type = virt_names[b->run->virt],
		.emulator = offer->emulator,
		.arch = offer->arch,
		.machine = offer->machine,
		.cpu = b->run->report.xml,
	};
	*tag = MESSAGE_propose;
	*value = &b->proposals[node];
	return true;
}

static enum rc answer_vote(
	void *context, size_t node, const struct message *m, struct err *e)
{
	struct ballot *b = context;
	struct report_node *n = &b->run->nodes[node];
	const struct vote *vote = m->value;
	size_t taken = 0;
	enum rc rc;

	if (vote->round != b->run->report.rounds)
		return err_set(e, RC_PROTOCOL, 0, "voted on proposal %u, not on %u",
			vote->round, b->run->report.rounds);
	n->vote = vote->yes ? REPORT_YES : REPORT_NO;
	if (vote->yes)
		return RC_OK;
	rc = objection_take(
		b->run, node, &vote->features, vote->reason, &b->removed, &taken, e);
	if (rc == RC_OK && taken == 0)
		rc = err_set(e, RC_VOTE, 0, "voted no%s: %s",
			vote->features.count ? ", and what it names is not in the level"
					     : " and names no feature",
			vote->reason[0] ? vote->reason : "no reason given");
	return rc;
}

/* ---- a level that is as it is */

struct once {
	struct ballot ballot;
	const char **why;
};

static bool ask_once(
	void *context, size_t node, enum message_tag *tag, const void **value)
{
	struct once *o = context;

	return o->ballot.run->nodes[node].offer && ask_vote(&o->ballot, node, tag, value);
}

/* What it names is copied: there is no second round to take it out of. */
static enum rc answer_once(
	void *context, size_t node, const struct message *m, struct err *e)
{
	struct once *o = context;
	struct run *run = o->ballot.run;
	struct report_node *n = &run->nodes[node];
	const struct vote *vote = m->value;
	enum rc rc = RC_OK;

	if (vote->round != run->report.rounds)
		return err_set(e, RC_PROTOCOL, 0, "voted on proposal %u, not on %u",
			vote->round, run->report.rounds);
	n->vote = vote->yes ? REPORT_YES : REPORT_NO;
	o->why[node] = vote->yes ? NULL : vote->reason[0] ? vote->reason : "no reason";
	for (size_t i = 0; i < vote->features.count && !vote->yes && rc == RC_OK; i++)
		if (text_is_name(vote->features.item[i]))
			rc = texts_add(
				&n->refused, vote->features.item[i], &run->arena, e);
	return rc;
}

enum rc vote_once(struct run *run, const char **why, struct err *e)
{
	static const struct fleet_call call = { "vote", ask_once, answer_once,
		.hold = true };
	struct once o = { { .run = run }, why };

	o.ballot.proposals = arena_alloc(
		&run->arena, run->count, sizeof(*o.ballot.proposals));
	if (!o.ballot.proposals)
		return err_memory(e);
	run->report.rounds++;
	return run_round(run, &call, &o, e);
}

enum rc vote_by_trial(struct run *run, struct bitset *removed, struct err *e)
{
	enum rc rc = run->trial_run ? RC_OK : trial_begin(run, e);

	if (rc == RC_OK)
		rc = trial_ask(run, e);
	if (rc == RC_OK)
		rc = trial_compare(run, removed, e);
	return rc == RC_OK ? run_blame(run, "nothing was written", e) : rc;
}

enum rc vote_until_unanimous(struct run *run, struct err *e)
{
	static const struct fleet_call call = { "vote", ask_vote, answer_vote,
		.hold = true };
	struct ballot b = { .run = run };
	enum rc rc;

	b.proposals = arena_alloc(&run->arena, run->count, sizeof(*b.proposals));
	if (!b.proposals)
		return err_memory(e);
	for (;;) {
		run->report.rounds++;
		b.removed = (struct bitset){ 0 };
		rc = run_round(run, &call, &b, e);
		if (rc == RC_OK)
			rc = run_blame(run, "nothing was written", e);
		if (rc == RC_OK && bitset_is_empty(&b.removed) &&
			options_vote_by_trial(run->options))
			rc = vote_by_trial(run, &b.removed, e);
		if (rc != RC_OK || bitset_is_empty(&b.removed))
			return rc;
		log_line(LOG_INFO, NULL, "round %u: %zu features voted out",
			run->report.rounds, bitset_count(&b.removed));
		run->wishes.voted = bitset_or(&run->wishes.voted, &b.removed);
		rc = judge_level(run, e);
		if (rc != RC_OK)
			return rc;
	}
}
