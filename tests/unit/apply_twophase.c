/* The two-phase reducer, held against every way in which three nodes can answer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "coordinator/apply/twophase.h"

enum { NODES = 3 };

/* What is really on the nodes: the reducer never sees this. */
struct world {
	bool had[NODES];    /* the content was there before the run */
	bool holds[NODES];  /* the content is there now */
	bool staged[NODES]; /* something is prepared beside it */
	bool gone[NODES];   /* the session has ended */
};

/* How a request to one node ends: what the caller hears, and whether the node did
 * it.  A node may do what was asked and die before it says so; one that is lost
 * after a commit may or may not have put the old file back. */
static const struct ending {
	enum twophase_event event;
	bool did;
} endings[] = {
	{ EVENT_DONE, true },
	{ EVENT_UNCHANGED, true }, /* stage only */
	{ EVENT_FAILED, false },
	{ EVENT_FAILED, true },
	{ EVENT_LOST, false },
	{ EVENT_LOST, true },
	{ EVENT_GONE, false },
};

enum { ENDINGS = sizeof(endings) / sizeof(endings[0]) };

static void world_apply(struct world *w, enum twophase_request request, size_t node,
	const struct ending *how)
{
	if (how->did && request == REQUEST_STAGE && how->event != EVENT_UNCHANGED)
		w->staged[node] = true;
	if (how->event == EVENT_UNCHANGED)
		w->had[node] = w->holds[node] = true;
	if (how->did && request == REQUEST_COMMIT)
		w->holds[node] = true;
	if (how->did && (request == REQUEST_COMMIT || request == REQUEST_REVERT))
		w->staged[node] = false;
	if (how->did && request == REQUEST_REVERT)
		w->holds[node] = w->had[node];
	/* a peer that did not keep puts the old file back when the connection ends */
	if (request == REQUEST_KEEP && !how->did)
		w->holds[node] = w->had[node];
	if (how->event != EVENT_LOST && how->event != EVENT_GONE)
		return;
	w->gone[node] = true;
	w->staged[node] = false; /* the peer that ends removes what it staged */
	if (request == REQUEST_VERIFY || request == REQUEST_KEEP)
		w->holds[node] = how->did || w->had[node];
	if (request == REQUEST_REVERT && how->event == EVENT_GONE)
		w->holds[node] = w->had[node];
}

static struct walk {
	size_t runs, kept, reverted, partial;
} walk;

/* Nothing irreversible is asked before all nodes are ready for it. */
static void check_request(const struct twophase *t, const struct world *w)
{
	for (size_t i = 0; i < NODES; i++) {
		assert_false(twophase_asks(t, i) && w->gone[i]);
		if (t->request == REQUEST_COMMIT)
			assert_true(w->staged[i] || w->had[i]);
		if (t->request == REQUEST_KEEP)
			assert_true(w->holds[i]);
	}
}

static void check_kept(const struct twophase *t, const struct world *w)
{
	walk.kept++;
	for (size_t i = 0; i < NODES; i++) {
		assert_true(w->holds[i]);
		assert_true(t->state[i] == TWOPHASE_KEPT ||
			    t->state[i] == TWOPHASE_UNCHANGED);
	}
}

static void check_reverted(const struct twophase *t, const struct world *w)
{
	walk.reverted++;
	for (size_t i = 0; i < NODES; i++) {
		assert_int_equal(w->holds[i], w->had[i]);
		/* where stage failed half-way and revert failed too, litter may stay */
		assert_false(w->staged[i] && t->state[i] != TWOPHASE_REFUSED);
		assert_true(t->state[i] == TWOPHASE_REVERTED ||
			    t->state[i] == TWOPHASE_REFUSED ||
			    t->state[i] == TWOPHASE_UNCHANGED ||
			    t->state[i] == TWOPHASE_LOST || t->state[i] == TWOPHASE_IDLE);
	}
}

/* Who is not named as unsure is where all the others are: kept, or as before. */
static void check_partial(const struct twophase *t, const struct world *w)
{
	size_t unsure = 0, kept = 0, back = 0;

	walk.partial++;
	for (size_t i = 0; i < NODES; i++) {
		if (t->state[i] == TWOPHASE_UNSURE) {
			unsure++;
		} else if (t->state[i] == TWOPHASE_KEPT) {
			kept++;
			assert_true(w->holds[i]);
		} else {
			back += !w->had[i];
			assert_int_equal(w->holds[i], w->had[i]);
		}
	}
	assert_true(unsure > 0);
	assert_true(kept == 0 || back == 0);
}

static void check_end(const struct twophase *t, const struct world *w)
{
	walk.runs++;
	switch (twophase_result(t)) {
	case RESULT_KEPT:
		check_kept(t, w);
		break;
	case RESULT_REVERTED:
		check_reverted(t, w);
		break;
	case RESULT_PARTIAL:
		check_partial(t, w);
		break;
	}
	/* a well-behaved run without an interrupt must not end reverted */
	if (!t->failed && !t->interrupted)
		assert_int_equal(twophase_result(t), RESULT_KEPT);
}

static void run_on(const struct twophase *t, const struct world *w, size_t depth);

/* All endings of the current request for the nodes from `node` on. */
static void endings_of(
	const struct twophase *t, const struct world *w, size_t node, size_t depth)
{
	if (node == NODES) {
		run_on(t, w, depth);
		return;
	}
	if (!twophase_asks(t, node)) {
		endings_of(t, w, node + 1, depth);
		return;
	}
	for (size_t i = 0; i < ENDINGS; i++) {
		enum twophase_state state[NODES];
		struct twophase next = *t;
		struct world after = *w;

		if (endings[i].event == EVENT_UNCHANGED && t->request != REQUEST_STAGE)
			continue;
		memcpy(state, t->state, sizeof(state));
		next.state = state;
		world_apply(&after, t->request, node, &endings[i]);
		twophase_event(&next, node, endings[i].event);
		endings_of(&next, &after, node + 1, depth);
	}
}

/* Goes on from between two requests: with the user's interrupt, and without. */
static void run_on(const struct twophase *t, const struct world *w, size_t depth)
{
	assert_true(depth <= 5); /* stage, commit, verify, and keep or revert */
	for (int interrupt = 0; interrupt <= !t->interrupted; interrupt++) {
		enum twophase_state state[NODES];
		struct twophase next = *t;

		memcpy(state, t->state, sizeof(state));
		next.state = state;
		if (interrupt)
			twophase_interrupt(&next);
		if (twophase_next(&next) == REQUEST_NONE) {
			check_end(&next, w);
			continue;
		}
		check_request(&next, w);
		endings_of(&next, w, 0, depth + 1);
	}
}

static void every_way_of_three_nodes_ends_all_kept_or_none_but_the_named(void **state)
{
	enum twophase_state nodes[NODES];
	struct twophase t = twophase_begin(nodes, NODES);
	struct world w = { 0 };

	(void)state;
	run_on(&t, &w, 0);
	print_message("%zu runs: %zu kept, %zu reverted, %zu partial\n", walk.runs,
		walk.kept, walk.reverted, walk.partial);
	assert_true(walk.kept > 0 && walk.reverted > 0 && walk.partial > 0);
	assert_true(walk.runs > 100000);
}

static void an_interrupt_after_keep_was_sent_changes_nothing(void **state)
{
	enum twophase_state node;
	struct twophase t = twophase_begin(&node, 1);

	(void)state;
	while (twophase_next(&t) != REQUEST_KEEP)
		twophase_event(&t, 0, EVENT_DONE);
	twophase_interrupt(&t);
	twophase_event(&t, 0, EVENT_DONE);
	assert_int_equal(twophase_next(&t), REQUEST_NONE);
	assert_int_equal(twophase_result(&t), RESULT_KEPT);
}

static void a_node_lost_while_staging_leaves_no_doubt_but_one_lost_in_commit_does(
	void **state)
{
	enum twophase_state node[2];
	struct twophase t = twophase_begin(node, 2);

	(void)state;
	twophase_next(&t);
	twophase_event(&t, 0, EVENT_DONE);
	twophase_event(&t, 1, EVENT_LOST);
	assert_int_equal(twophase_next(&t), REQUEST_REVERT);
	assert_true(twophase_asks(&t, 0) && !twophase_asks(&t, 1));
	twophase_event(&t, 0, EVENT_DONE);
	assert_int_equal(twophase_next(&t), REQUEST_NONE);
	assert_int_equal(twophase_result(&t), RESULT_REVERTED);

	t = twophase_begin(node, 2);
	twophase_next(&t);
	twophase_event(&t, 0, EVENT_DONE);
	twophase_event(&t, 1, EVENT_DONE);
	assert_int_equal(twophase_next(&t), REQUEST_COMMIT);
	twophase_event(&t, 0, EVENT_DONE);
	twophase_event(&t, 1, EVENT_LOST);
	assert_int_equal(twophase_next(&t), REQUEST_REVERT);
	twophase_event(&t, 0, EVENT_DONE);
	assert_int_equal(twophase_next(&t), REQUEST_NONE);
	assert_int_equal(twophase_result(&t), RESULT_PARTIAL);
	assert_string_equal(twophase_state_name(node[0]), "reverted");
	assert_string_equal(twophase_state_name(node[1]), "unsure");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			every_way_of_three_nodes_ends_all_kept_or_none_but_the_named),
		cmocka_unit_test(an_interrupt_after_keep_was_sent_changes_nothing),
		cmocka_unit_test(
			a_node_lost_while_staging_leaves_no_doubt_but_one_lost_in_commit_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
