#include "coordinator/verb/push.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "base/token.h"
#include "coordinator/verb/conflict.h"
#include "coordinator/verb/left.h"
#include "coordinator/verb/whoami.h"

enum { RUN_NAME_MAX = 4 + 33 }; /* "run-", 32 hexadecimal digits, NUL */

/* ---- what is to be done on each node */

/* A name that no other run has: it names what is staged on the nodes. */
static enum rc name_make(struct push *p, struct err *e)
{
	char *name = arena_alloc(&p->run->arena, RUN_NAME_MAX, 1);

	if (!name)
		return err_memory(e);
	snprintf(name, RUN_NAME_MAX, "run-");
	p->name = name;
	return token_make(name + 4, RUN_NAME_MAX - 4, e);
}

/* The node's edits as they travel. */
static enum rc changes_make(
	struct run *run, const struct edits *edits, struct list *out, struct err *e)
{
	struct change *changes = arena_alloc(&run->arena, edits->count, sizeof(*changes));

	if (!changes)
		return err_memory(e);
	for (size_t i = 0; i < edits->count; i++) {
		const struct edit *edit = &edits->item[i];

		changes[i] = (struct change){ edit->place, edit->name, edit->after,
			edit->expected, edit->machine };
	}
	*out = (struct list){ changes, edits->count };
	return RC_OK;
}

static enum rc stages_make(struct push *p, bool linger, struct err *e)
{
	struct run *run = p->run;
	const char *holder = whoami_holder(&run->arena);
	enum rc rc = RC_OK;

	p->stages = arena_alloc(&run->arena, run->count, sizeof(*p->stages));
	if (!p->stages || !holder)
		return err_memory(e);
	for (size_t i = 0; i < run->count && rc == RC_OK; i++) {
		const struct offer *offer = run->nodes[i].offer;

		p->stages[i] = (struct stage){ .run = p->name,
			.holder = holder,
			.virt_type = virt_names[run->virt],
			.emulator = offer->emulator,
			.arch = offer->arch,
			.machine = offer->machine,
			.units = run->units,
			.linger = linger };
		rc = changes_make(run, &run->nodes[i].edits, &p->stages[i].changes, e);
	}
	return rc;
}

/* ---- the end */

/* What is left on a node that could not be brought to either end. */
static const char *trouble_of(struct push *p, size_t node)
{
	const struct err *last = fleet_error(p->run->fleet, node);
	enum twophase_state state = p->phases.state[node];
	struct arena *arena = &p->run->arena;

	if (state == TWOPHASE_UNSURE && last->code == RC_PARTIAL)
		return arena_text(arena, last->text);
	if (state == TWOPHASE_UNSURE && p->fell[node] == REQUEST_RECOVER)
		return "it may hold what the run has written";
	if (state == TWOPHASE_UNSURE || state == TWOPHASE_BROKEN)
		return arena_format(arena,
			"%s failed after it may have written: its peer puts back what "
			"was there when the connection ends, unless it was killed",
			twophase_request_name(p->fell[node]));
	if (state == TWOPHASE_KEPT)
		return "it holds the new content, and still has the way back";
	if (state == TWOPHASE_LOST)
		return "nothing that others see was changed; what was staged may lie "
		       "there";
	return "it does not hold the new content";
}

/* Every node that has something of the run left, and those that it waits for. */
static void outcomes_tell(struct push *p)
{
	for (size_t i = 0; i < p->run->count; i++) {
		struct report_node *n = &p->run->nodes[i];
		enum twophase_state state = p->phases.state[i];
		const char *note;

		n->outcome = twophase_state_name(state);
		if (p->unchanged[i] &&
			(state == TWOPHASE_FORGOTTEN || state == TWOPHASE_REVERTED))
			n->outcome = twophase_state_name(TWOPHASE_UNCHANGED);
		if (twophase_is_over(&p->phases, i))
			continue;
		note = trouble_of(p, i);
		n->note = note ? note : "";
	}
}

static bool is_left(const struct report_node *n)
{
	return n->note[0] != '\0';
}

/* What was lost on the way and found again is no failure. */
static void failures_forgive(struct run *run)
{
	for (size_t i = 0; i < run->count; i++) {
		if (run->nodes[i].err.code != RC_OK)
			log_line(LOG_INFO, run->nodes[i].name, "%s; then it went well",
				run->nodes[i].err.text);
		run->nodes[i].err = (struct err){ 0 };
	}
}

static bool holds_not(const struct report_node *n)
{
	return is_left(n) && strcmp(n->outcome, twophase_state_name(TWOPHASE_KEPT)) != 0;
}

static enum rc partial_tell(struct push *p, struct err *e)
{
	if (p->phases.back)
		return err_set(e, RC_PARTIAL, 0,
			"it is not known what these nodes hold now: %s; when they can be "
			"reached: cpuherd rollback %s",
			run_names(p->run, is_left), p->name);
	return err_set(e, RC_PARTIAL, 0,
		"these nodes do not hold the level yet, or nobody can tell: %s; when "
		"they can be reached: cpuherd resume %s, or cpuherd rollback %s",
		run_names(p->run, holds_not), p->name, p->name);
}

static enum rc reverted_tell(struct push *p, struct err *e)
{
	enum rc rc;

	if (p->phases.interrupted)
		return err_set(e, p->why.code, 0,
			"%.800s: every node is as it was before", p->why.text);
	if (p->unwritten.code != RC_OK)
		return err_set(e, RC_OUTPUT, p->unwritten.native,
			"%.800s: every node is as it was before", p->unwritten.text);
	rc = run_blame(p->run, "every node is as it was before", e);
	return rc != RC_OK ? rc : err_set(e, RC_INTERNAL, 0, "reverted without a reason");
}

enum rc push_tell(struct push *p, struct err *e)
{
	outcomes_tell(p);
	switch (twophase_result(&p->phases)) {
	case RESULT_KEPT:
		failures_forgive(p->run);
		return RC_OK;
	case RESULT_LINGERS:
		return err_set(e, RC_PARTIAL, 0,
			"every node holds the level, but some have not dropped the way "
			"back: %s; when they can be reached: cpuherd resume %s",
			run_names(p->run, is_left), p->name);
	case RESULT_REVERTED:
		return reverted_tell(p, e);
	case RESULT_PARTIAL:
		break;
	}
	return partial_tell(p, e);
}

void push_end(struct push *p)
{
	size_t *over = arena_alloc(&p->run->arena, p->run->count, sizeof(*over));
	size_t count = 0;
	struct err e = { RC_MEMORY, 0, "out of memory" };
	enum rc rc = RC_MEMORY;

	for (size_t i = 0; over && i < p->run->count; i++)
		if (twophase_is_over(&p->phases, i))
			over[count++] = p->places ? p->places[i] : i;
	if (over && count == p->run->count)
		rc = journal_remove(p->journal, &e);
	else if (over)
		rc = journal_leave(p->journal, over, count, &e);
	if (rc != RC_OK)
		log_line(LOG_ERROR, NULL, "%s", e.text);
	journal_close(p->journal);
}

/* Whose files are not as they were when the run looked? */
static void conflicts_show(struct push *p)
{
	bool *which = arena_alloc(&p->run->arena, p->run->count, sizeof(*which));
	bool any = false;

	for (size_t i = 0; which && i < p->run->count; i++) {
		which[i] = p->fell[i] == REQUEST_STAGE &&
			   p->run->nodes[i].err.code == RC_CONFLICT;
		any = any || which[i];
	}
	if (any)
		conflict_show(p->run, which);
}

static enum rc push_run(struct push *p, struct err *e)
{
	struct journal journal = { .fd = -1 };
	struct err why = { 0 };
	enum rc rc = left_write_down(p, &journal, &why);

	if (rc != RC_OK)
		return err_set(e, rc, why.native,
			"the run cannot be written down (--journal-dir DIR is another "
			"place): "
			"%.600s: nothing was written",
			why.text);
	p->journal = &journal;
	while (push_step(p))
		;
	rc = push_tell(p, e);
	push_end(p);
	p->journal = NULL;
	if (rc != RC_OK)
		conflicts_show(p);
	return rc;
}

/* A peer reverts when its connection ends, so where not all can be held at once the run
 * is left to its journals. */
static bool lingers(const struct run *run)
{
	struct err why;

	if (fleet_holds_all(run->fleet, &why) == RC_OK)
		return false;
	log_line(LOG_INFO, NULL,
		"%s: the run goes on in waves, and nodes do not revert by themselves",
		why.text);
	return true;
}

enum rc push_write(struct run *run, struct err *e)
{
	struct push p = { .run = run };
	enum twophase_state *state = arena_alloc(&run->arena, run->count, sizeof(*state));
	enum rc rc = state ? name_make(&p, e) : err_memory(e);

	if (rc == RC_OK)
		rc = stages_make(&p, lingers(run), e);
	if (rc == RC_OK)
		rc = push_prepare(&p, e);
	if (rc != RC_OK)
		return rc;
	p.phases = twophase_begin(state, run->count);
	return push_run(&p, e);
}

bool push_changed_nothing(const struct run *run)
{
	for (size_t i = 0; i < run->count; i++)
		for (size_t k = 0; k < run->nodes[i].edits.count; k++)
			if (!run->nodes[i].edits.item[k].unchanged)
				return false;
	return true;
}
