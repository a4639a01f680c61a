/* What a fleet owes its nodes over several rounds: tries, waves, no wait for the silent. */
#include <errno.h>
#include <limits.h>
#include <pthread.h>

#include <stdlib.h>

#include "tests/sim/crowd.h"

static const struct sim_manner refused = { .name = "refused",
	.fault = SIM_REFUSED,
	.at = SIM_DIAL,
	.code = RC_UNREACHABLE,
	.words = "(3 tries)",
	.dials = 3 };
static const struct sim_manner refused_once = {
	.name = "refused once", .fault = SIM_REFUSED, .at = SIM_DIAL, .times = 1
};

/* ---- tries */

static void one_try_is_one_try(void **state)
{
	struct sim_manner once = refused;
	struct crowd c;

	(void)state;
	once.words = "refused by the script";
	once.dials = 1;
	crowd_make(&c, 20, &once);
	c.options.tries = 1;
	crowd_start(&c);
	assert_rc(crowd_ask(&c), RC_OK, &c.err);
	crowd_check(&c);
	assert_null(strstr(fleet_error(c.fleet, 0)->text, "tries"));
	crowd_end(&c);
}

/* The pause between two tries doubles, from 0.25 to 0.75 s to 4 to 12 s. */
static void pauses_grow_and_differ_from_node_to_node(void **state)
{
	struct sim_manner seven = refused;
	struct crowd c;
	unsigned others = 0;

	(void)state;
	seven.step_ms = 5;
	seven.words = "(7 tries)";
	seven.dials = 7;
	crowd_make(&c, 50, &seven);
	c.options.tries = 7;
	crowd_start(&c);
	assert_rc(crowd_ask(&c), RC_OK, &c.err);
	crowd_check(&c);
	for (size_t i = 0; i < 50; i++) {
		const uint64_t *at = c.nodes[i].dialled_at;

		for (unsigned k = 1; k < 7; k++) {
			uint64_t most = k < 5 ? UINT64_C(750) << (k - 1) : 12000;
			uint64_t steps = 2 * c.nodes[i].step_ms + 1;

			assert_true(at[k] - at[k - 1] >= most / 3);
			assert_true(at[k] - at[k - 1] <= most + steps);
		}
		others += at[6] != c.nodes[0].dialled_at[6];
	}
	assert_true(others > 40);
	crowd_end(&c);
}

static void each_round_has_its_own_tries(void **state)
{
	static const struct sim_manner breaks_off = { .name = "breaks off",
		.fault = SIM_RESET,
		.at = SIM_ANSWER,
		.times = 3,
		.dials = 4 };
	struct crowd c;

	(void)state;
	crowd_make(&c, 5, &refused_twice);
	crowd_start(&c);
	assert_rc(crowd_ask(&c), RC_OK, &c.err);
	crowd_check(&c);
	for (size_t i = 0; i < 5; i++)
		crowd_change(&c, i, &breaks_off);
	assert_rc(crowd_ask(&c), RC_OK, &c.err);
	crowd_check(&c);
	crowd_end(&c);
}

static void a_question_that_may_not_be_repeated_is_not(void **state)
{
	static const struct sim_manner breaks_off = { .name = "breaks off",
		.fault = SIM_RESET,
		.at = SIM_ANSWER,
		.code = RC_SSH,
		.words = "reset",
		.dials = 1 };
	struct crowd c;

	(void)state;
	crowd_make(&c, 5, &breaks_off);
	crowd_start(&c);
	assert_rc(crowd_propose(&c), RC_OK, &c.err);
	crowd_check(&c);
	crowd_end(&c);
}

/* ---- waves: more nodes than sessions that fit */

static void run_waves(uint32_t threads, size_t sessions, const struct sim_manner *odd)
{
	enum { NODES = 400 };
	struct crowd c;
	size_t again = 0;

	crowd_make(&c, NODES, &well);
	for (size_t i = 0; i < NODES; i += 7)
		crowd_change(&c, i, odd);
	c.options.parallel = 16;
	c.options.threads = threads;
	c.ground.sessions = sessions;
	crowd_start(&c);
	assert_int_equal(fleet_holds_all(c.fleet, &c.err) == RC_OK, sessions >= NODES);
	assert_rc(crowd_ask(&c), RC_OK, &c.err);
	crowd_check(&c);
	assert_true(atomic_load(&sim_weather.sessions_max) <= sessions);
	assert_rc(crowd_propose(&c), RC_OK, &c.err);
	crowd_check(&c);
	assert_true(atomic_load(&sim_weather.sessions_max) <= sessions);
	for (size_t i = 0; i < NODES; i++)
		again += c.nodes[i].manner == &well && c.nodes[i].dials == 2;
	if (sessions < NODES)
		assert_true(again >= NODES - NODES / 7 - 1 - sessions);
	else
		assert_int_equal(again, 0);
	crowd_end(&c);
}

static void sessions_beyond_what_fits_are_opened_again(void **state)
{
	(void)state;
	run_waves(1, 60, &well);
	run_waves(1, 16, &well);
	run_waves(1, 60, &refused_once);
	run_waves(1, 400, &refused_once);
}

static void lanes_share_what_fits(void **state)
{
	(void)state;
	run_waves(4, 60, &well);
	run_waves(4, 60, &refused_once);
	run_waves(4, 400, &refused_once);
	run_waves(3, 400, &refused_once);
}

static void no_more_than_the_window_are_open_where_none_are_held(void **state)
{
	struct crowd c;

	(void)state;
	for (uint32_t threads = 1; threads <= 4; threads += 3) {
		crowd_make(&c, 300, &good);
		c.options.parallel = 20;
		c.options.threads = threads;
		crowd_start(&c);
		assert_rc(crowd_ask_once(&c), RC_OK, &c.err);
		crowd_check(&c);
		assert_in_range(atomic_load(&sim_weather.sessions_max), 2, 20);
		crowd_end(&c);
	}
}

static void threads_do_not_widen_the_window(void **state)
{
	static const uint32_t odd[][2] = { { 2, 64 }, { 7, 4 }, { 5, 3 }, { 1, 2 } };
	struct crowd c;

	(void)state;
	for (size_t i = 0; i < 200; i++) { /* lanes have to meet */
		const uint32_t *way = odd[i % (sizeof(odd) / sizeof(odd[0]))];

		crowd_make(&c, 100, &good);
		c.options.parallel = way[0];
		c.options.threads = way[1];
		crowd_start(&c);
		assert_rc(crowd_ask_once(&c), RC_OK, &c.err);
		crowd_check(&c);
		assert_in_range(atomic_load(&sim_weather.sessions_max), 1, way[0]);
		crowd_end(&c);
	}
}

/* The linker puts it in place of pthread_create(). */
static unsigned threads_left = UINT_MAX;
int __real_pthread_create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
int __wrap_pthread_create(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
	void *(*run)(void *), void *context)
{
	if (threads_left == 0)
		return EAGAIN;
	threads_left--;
	return __real_pthread_create(thread, attributes, run, context);
}

/* No round needs a thread that was not there at the beginning. */
static void threads_that_are_not_to_be_had_are_done_without(void **state)
{
	struct crowd c;

	(void)state;
	for (unsigned there = 0; there <= 3; there++) {
		crowd_make(&c, 50, &good);
		c.options.threads = 4;
		threads_left = there;
		crowd_start(&c);
		threads_left = 0;
		assert_rc(crowd_ask(&c), RC_OK, &c.err);
		crowd_check(&c);
		assert_rc(crowd_propose(&c), RC_OK, &c.err);
		crowd_check(&c);
		crowd_end(&c);
	}
	threads_left = UINT_MAX;
}

static void a_session_without_memory_costs_its_node_only(void **state)
{
	struct crowd c;

	(void)state;
	crowd_make(&c, 10, &well);
	sim_weather.bind_fails_at = 4;
	crowd_start(&c);
	assert_rc(crowd_ask(&c), RC_OK, &c.err);
	for (size_t i = 0; i < 10; i++)
		if (i != 3)
			crowd_check_node(&c, i);
	assert_rc(fleet_error(c.fleet, 3)->code, RC_MEMORY, fleet_error(c.fleet, 3));
	assert_false(fleet_is_alive(c.fleet, 3));
	crowd_end(&c);
}

/* ---- silent nodes */

/* What stands still for two seconds gives up its place in the window, twice in a second
 * somebody looks for it: so a window's worth of silent nodes passes in 2.5 s. */
static void silent_nodes_let_the_others_pass(void **state)
{
	enum { WINDOW = 16, WAVES = 5, SILENT = WAVES * WINDOW, GOOD = 100 };
	struct crowd c;

	(void)state;
	crowd_make(&c, SILENT + GOOD, &good);
	for (size_t i = 0; i < SILENT; i++)
		crowd_change(&c, i, &black_hole);
	c.options.parallel = WINDOW;
	crowd_start(&c);
	assert_rc(crowd_ask(&c), RC_OK, &c.err);
	crowd_check(&c);
	for (size_t i = SILENT; i < SILENT + GOOD; i++)
		assert_true(c.nodes[i].answered_at <= WAVES * 2500 + 2000);
	/* the last of them began when those before it had given up their places */
	assert_true(crowd_time(&c, 0) <= 30 * 1000 + (WAVES - 1) * 2500 + 1000);
	crowd_end(&c);
}

static void nodes_that_never_answer_let_the_others_pass(void **state)
{
	enum { WINDOW = 16, GOOD = 100 };
	struct crowd c;

	(void)state;
	crowd_make(&c, WINDOW + GOOD, &good);
	for (size_t i = 0; i < WINDOW; i++)
		crowd_change(&c, i, &silent_peer);
	c.options.parallel = WINDOW;
	crowd_start(&c);
	assert_rc(crowd_ask(&c), RC_OK, &c.err);
	crowd_check(&c);
	for (size_t i = WINDOW; i < WINDOW + GOOD; i++)
		assert_in_range(c.nodes[i].answered_at, 15000, 15000 + 2500);
	crowd_end(&c);
}

/* ... but not beyond what this machine has room for: then they must be waited for. */
static void silent_nodes_cannot_take_more_than_there_is(void **state)
{
	enum { ROOM = 20, SILENT = 60, GOOD = 40 };
	struct crowd c;

	(void)state;
	crowd_make(&c, SILENT + GOOD, &good);
	for (size_t i = 0; i < SILENT; i++)
		crowd_change(&c, i, &black_hole);
	c.options.parallel = 10;
	c.ground.sessions = ROOM;
	crowd_start(&c);
	assert_rc(crowd_ask(&c), RC_OK, &c.err);
	crowd_check(&c);
	assert_true(atomic_load(&sim_weather.sessions_max) <= ROOM);
	assert_true(crowd_time(&c, 0) <= SILENT / ROOM * 35 * 1000);
	crowd_end(&c);
}

/* ---- malice */

static bool ask_bodies(
	void *context, size_t node, enum message_tag *tag, const void **value)
{
	static const struct ask_bodies request = { { NULL, 0 } };

	(void)context;
	(void)node;
	*tag = MESSAGE_ask_bodies;
	*value = &request;
	return true;
}

static enum rc want_more(
	void *context, size_t node, const struct message *m, struct err *e)
{
	(void)m;
	(void)e;
	((struct crowd *)context)->nodes[node].answers++;
	return RC_AGAIN;
}

static void answers_without_end_are_cut_off(void **state)
{
	static const struct sim_manner hydra = {
		.name = "answers without end", .fault = SIM_HYDRA, .at = SIM_ANSWER
	};
	static const struct fleet_call call = {
		.phase = "bodies", .ask = ask_bodies, .answer = want_more
	};
	struct crowd c;

	(void)state;
	crowd_make(&c, 2, &hydra);
	crowd_start(&c);
	assert_rc(fleet_round(c.fleet, &call, &c, &c.err), RC_OK, &c.err);
	assert_int_equal(fleet_error(c.fleet, 0)->code, RC_LIMIT);
	assert_contains(fleet_error(c.fleet, 0)->text, "in answer to ask_bodies");
	crowd_end(&c);
}

/* The cap is one request's, not the node's. */
static void many_large_answers_are_no_answer_without_end(void **state)
{
	static const struct sim_manner wordy = {
		.name = "a long command line", .cmdline = 1000 * 1000, .dials = 1
	};
	struct crowd c;

	(void)state;
	crowd_make(&c, 1, &wordy);
	crowd_start(&c);
	for (int i = 0; i < 20; i++) {
		assert_rc(crowd_ask(&c), RC_OK, &c.err);
		crowd_check(&c);
	}
	crowd_end(&c);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_try_is_one_try),
		cmocka_unit_test(pauses_grow_and_differ_from_node_to_node),
		cmocka_unit_test(each_round_has_its_own_tries),
		cmocka_unit_test(a_question_that_may_not_be_repeated_is_not),
		cmocka_unit_test(sessions_beyond_what_fits_are_opened_again),
		cmocka_unit_test(lanes_share_what_fits),
		cmocka_unit_test(no_more_than_the_window_are_open_where_none_are_held),
		cmocka_unit_test(threads_do_not_widen_the_window),
		cmocka_unit_test(threads_that_are_not_to_be_had_are_done_without),
		cmocka_unit_test(a_session_without_memory_costs_its_node_only),
		cmocka_unit_test(silent_nodes_let_the_others_pass),
		cmocka_unit_test(nodes_that_never_answer_let_the_others_pass),
		cmocka_unit_test(silent_nodes_cannot_take_more_than_there_is),
		cmocka_unit_test(answers_without_end_are_cut_off),
		cmocka_unit_test(many_large_answers_are_no_answer_without_end),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, crowd_site_make, crowd_site_unmake);
}
