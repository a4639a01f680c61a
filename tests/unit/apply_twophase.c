/* The two-phase reducer, step by step; apply_model.c walks all of its ways. */
#include "coordinator/apply/twophase.h"
#include "tests/support/test.h"

enum { NODES = 3 };

static enum twophase_state nodes[NODES];

/* Each node that is asked gives this answer; returns the next request. */
static enum twophase_request all_answer(struct twophase *t, enum twophase_event event)
{
	for (size_t i = 0; i < t->count; i++)
		if (twophase_asks(t, i))
			twophase_event(t, i, event);
	return twophase_next(t);
}

/* A run in which all went well up to this request. */
static struct twophase well_up_to(enum twophase_request request)
{
	struct twophase t = twophase_begin(nodes, NODES);

	twophase_next(&t);
	while (t.request != request)
		all_answer(&t, EVENT_DONE);
	return t;
}

/* All nodes but the last are well; it does this. */
static enum twophase_request last_does(struct twophase *t, enum twophase_event event)
{
	for (size_t i = 0; i + 1 < t->count; i++)
		if (twophase_asks(t, i))
			twophase_event(t, i, EVENT_DONE);
	if (twophase_asks(t, t->count - 1))
		twophase_event(t, t->count - 1, event);
	return twophase_next(t);
}

static void a_run_goes_through_its_phases_in_order(void **state)
{
	static const struct {
		enum twophase_request request;
		enum twophase_phase phase;
	} steps[] = { { REQUEST_STAGE, PHASE_STAGING },
		{ REQUEST_COMMIT, PHASE_COMMITTING },
		{ REQUEST_VERIFY, PHASE_COMMITTING }, { REQUEST_KEEP, PHASE_DECIDED },
		{ REQUEST_FORGET, PHASE_FORGETTING },
		{ REQUEST_NONE, PHASE_FORGETTING } };
	struct twophase t = twophase_begin(nodes, NODES);

	(void)state;
	twophase_next(&t);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		assert_int_equal(t.request, steps[i].request);
		assert_int_equal(t.phase, steps[i].phase);
		all_answer(&t, EVENT_DONE);
	}
	assert_int_equal(twophase_next(&t), REQUEST_NONE);
	assert_int_equal(twophase_result(&t), RESULT_KEPT);
	assert_true(twophase_is_over(&t, 0));
}

static void a_no_in_any_phase_before_forgetting_reverts_all(void **state)
{
	static const enum twophase_request requests[] = { REQUEST_STAGE, REQUEST_COMMIT,
		REQUEST_VERIFY, REQUEST_KEEP };

	(void)state;
	for (size_t i = 0; i < 4; i++) {
		struct twophase t = well_up_to(requests[i]);

		assert_int_equal(last_does(&t, EVENT_FAILED), REQUEST_REVERT);
		assert_int_equal(t.phase, PHASE_REVERTING);
		assert_int_equal(all_answer(&t, EVENT_DONE), REQUEST_NONE);
		assert_int_equal(twophase_result(&t), RESULT_REVERTED);
	}
}

static void an_interrupt_counts_until_it_is_decided(void **state)
{
	struct twophase t = well_up_to(REQUEST_VERIFY);

	(void)state;
	twophase_interrupt(&t);
	assert_int_equal(all_answer(&t, EVENT_DONE), REQUEST_REVERT);
	t = well_up_to(REQUEST_KEEP);
	twophase_interrupt(&t);
	assert_int_equal(all_answer(&t, EVENT_DONE), REQUEST_FORGET);
	all_answer(&t, EVENT_DONE);
	assert_int_equal(twophase_result(&t), RESULT_KEPT);
}

static void a_node_lost_in_commit_is_tried_again_once_and_then_named(void **state)
{
	struct twophase t = well_up_to(REQUEST_COMMIT);

	(void)state;
	assert_int_equal(last_does(&t, EVENT_LOST), REQUEST_REVERT);
	assert_false(t.again);
	assert_int_equal(last_does(&t, EVENT_GONE), REQUEST_REVERT);
	assert_true(t.again);
	assert_false(twophase_asks(&t, 0)); /* it is reverted */
	assert_true(twophase_asks(&t, NODES - 1));
	assert_int_equal(last_does(&t, EVENT_LOST), REQUEST_NONE);
	assert_int_equal(twophase_result(&t), RESULT_PARTIAL);
	assert_string_equal(twophase_state_name(nodes[NODES - 1]), "unsure");
	assert_true(twophase_is_over(&t, 0));
	assert_false(twophase_is_over(&t, NODES - 1));
}

static void a_node_lost_while_staging_leaves_no_doubt_but_may_have_litter(void **state)
{
	struct twophase t = well_up_to(REQUEST_STAGE);

	(void)state;
	assert_int_equal(last_does(&t, EVENT_LOST), REQUEST_REVERT);
	last_does(&t, EVENT_GONE);
	assert_int_equal(last_does(&t, EVENT_LOST), REQUEST_NONE);
	assert_int_equal(twophase_result(&t), RESULT_REVERTED);
	assert_false(twophase_is_over(&t, NODES - 1));
}

static void nobody_forgets_while_a_node_is_missing(void **state)
{
	struct twophase t = well_up_to(REQUEST_KEEP);

	(void)state;
	assert_int_equal(last_does(&t, EVENT_LOST), REQUEST_RECOVER);
	assert_false(twophase_asks(&t, 0));
	assert_int_equal(last_does(&t, EVENT_LOST), REQUEST_NONE);
	assert_int_equal(twophase_result(&t), RESULT_PARTIAL);
	assert_int_equal(t.phase, PHASE_DECIDED);
	assert_int_equal(nodes[0], TWOPHASE_KEPT);
	assert_int_equal(nodes[NODES - 1], TWOPHASE_UNSURE);
}

static void a_node_that_reverted_itself_before_keep_is_brought_forward_again(void **state)
{
	struct twophase t = well_up_to(REQUEST_KEEP);

	(void)state;
	assert_int_equal(last_does(&t, EVENT_LOST), REQUEST_RECOVER);
	twophase_recovered(&t, NODES - 1, RUN_STATE_none);
	for (int r = REQUEST_STAGE; r <= REQUEST_KEEP; r++) {
		assert_int_equal(twophase_next(&t), r);
		assert_false(twophase_asks(&t, 0));
		assert_true(twophase_asks(&t, NODES - 1));
		assert_int_equal(t.phase, PHASE_DECIDED);
		twophase_event(&t, NODES - 1, EVENT_DONE);
	}
	assert_int_equal(twophase_next(&t), REQUEST_FORGET);
}

static void a_phase_that_cannot_be_written_down_is_not_entered(void **state)
{
	struct twophase t = well_up_to(REQUEST_KEEP);

	(void)state;
	assert_false(twophase_unwritten(&t, PHASE_COMMITTING));
	assert_int_equal(twophase_next(&t), REQUEST_REVERT); /* it was not decided */
	assert_true(twophase_unwritten(&t, PHASE_COMMITTING));
	assert_int_equal(t.request, REQUEST_REVERT);
	t = well_up_to(REQUEST_FORGET);
	assert_false(twophase_unwritten(&t, PHASE_DECIDED));
	assert_int_equal(twophase_next(&t), REQUEST_NONE);
	assert_int_equal(twophase_result(&t), RESULT_LINGERS);
	t = well_up_to(REQUEST_KEEP);
	assert_int_equal(last_does(&t, EVENT_FAILED), REQUEST_REVERT);
	assert_false(twophase_unwritten(&t, PHASE_DECIDED)); /* both ways stay open */
	assert_int_equal(twophase_next(&t), REQUEST_NONE);
	assert_int_equal(twophase_result(&t), RESULT_PARTIAL);
}

static void the_words_of_phases_are_read_back(void **state)
{
	(void)state;
	for (int i = PHASE_NONE + 1; i < PHASE_COUNT; i++)
		assert_int_equal(
			twophase_phase_of(twophase_phase_name((enum twophase_phase)i)),
			i);
	assert_int_equal(twophase_phase_of("none"), PHASE_NONE);
	assert_int_equal(twophase_phase_of("keeping"), PHASE_NONE);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_run_goes_through_its_phases_in_order),
		cmocka_unit_test(a_no_in_any_phase_before_forgetting_reverts_all),
		cmocka_unit_test(an_interrupt_counts_until_it_is_decided),
		cmocka_unit_test(
			a_node_lost_in_commit_is_tried_again_once_and_then_named),
		cmocka_unit_test(
			a_node_lost_while_staging_leaves_no_doubt_but_may_have_litter),
		cmocka_unit_test(nobody_forgets_while_a_node_is_missing),
		cmocka_unit_test(
			a_node_that_reverted_itself_before_keep_is_brought_forward_again),
		cmocka_unit_test(a_phase_that_cannot_be_written_down_is_not_entered),
		cmocka_unit_test(the_words_of_phases_are_read_back),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
