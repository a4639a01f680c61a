/* A signal or the deadline ends a round before its time: at any moment, for all lanes, and
 * every node still has its outcome. */
#include "tests/sim/crowd.h"

static const struct sim_manner slow = { .name = "slow", .step_ms = 300 };

static void make_few(struct crowd *c)
{
	static const struct sim_manner *const kinds[] = { &well, &slow, &refused_twice,
		&black_hole, &silent_peer, &well, &slow };

	crowd_make(c, 7, &well);
	for (size_t i = 0; i < 7; i++)
		crowd_change(c, i, kinds[i]);
	c->options.parallel = 4;
}

/* Who was answered stays so, nobody else is well, and all have a reason. */
static void check_interrupted(const struct crowd *c, enum rc why)
{
	for (size_t i = 0; i < c->count; i++) {
		const struct err *got = fleet_error(c->fleet, i);
		const struct sim_node *n = &c->nodes[i];

		if ((got->code == RC_OK) != (n->answers == 1))
			fail_msg("event %u: %s: %s after %u answers",
				sim_weather.interrupt_at[0], n->manner->name,
				rc_name(got->code), n->answers);
		if (got->code == RC_OK)
			continue;
		assert_true(got->code == why || n->manner->fault != SIM_GOOD);
		assert_true(*got->text);
	}
}

/* Returns when nothing is left to interrupt. */
static bool interrupt_few(uint32_t threads, unsigned first, unsigned second)
{
	struct crowd c;
	enum rc rc;

	make_few(&c);
	c.options.threads = threads;
	sim_weather.interrupt_at[0] = first;
	sim_weather.interrupt_at[1] = second;
	crowd_start(&c);
	rc = crowd_ask(&c);
	if (rc == RC_OK && threads > 1 && atomic_load(&sim_weather.events) >= first)
		fail_msg("an interrupt at event %u was not heard", first);
	if (rc == RC_OK) {
		crowd_end(&c);
		return false;
	}
	assert_rc(rc, RC_INTERRUPTED, &c.err);
	check_interrupted(&c, RC_INTERRUPTED);
	/* the next round is refused, with the same reason for all */
	for (size_t i = 0; i < c.count; i++)
		c.nodes[i].answers = 0;
	assert_rc(crowd_propose(&c), RC_INTERRUPTED, &c.err);
	check_interrupted(&c, RC_INTERRUPTED);
	crowd_end(&c);
	return true;
}

static void an_interrupt_at_any_moment_leaves_every_node_with_an_outcome(void **state)
{
	unsigned at = 1;

	(void)state;
	while (interrupt_few(1, at, 0))
		at++;
	assert_true(at > 50);
	for (unsigned second = 2; second < at; second++)
		interrupt_few(1, second - 1, second);
}

static bool ask_nobody(
	void *context, size_t node, enum message_tag *tag, const void **value)
{
	(void)context;
	(void)node;
	(void)tag;
	(void)value;
	return false;
}

static void a_node_that_would_not_be_asked_keeps_its_outcome(void **state)
{
	static const struct fleet_call nobody = { .phase = "bodies", .ask = ask_nobody };
	struct crowd c;

	(void)state;
	for (size_t room = 2; room <= 10; room += 8) { /* held by all, or by none */
		crowd_make(&c, 5, &good);
		c.ground.sessions = room;
		crowd_start(&c);
		assert_rc(crowd_ask(&c), RC_OK, &c.err);
		sim_weather.interrupt_at[0] = 1;
		assert_rc(fleet_round(c.fleet, &nobody, &c, &c.err), RC_INTERRUPTED,
			&c.err);
		crowd_check(&c);
		crowd_end(&c);
	}
}

static void an_interrupt_reaches_all_lanes(void **state)
{
	(void)state;
	for (unsigned at = 1; interrupt_few(4, at, 0); at++)
		;
	interrupt_few(4, 10, 12);
}

/* Five seconds for answers that are under way; none after a second signal. */
static void an_interrupt_is_over_in_five_seconds_and_a_second_one_at_once(void **state)
{
	struct crowd c;

	(void)state;
	for (int signals = 1; signals <= 2; signals++) {
		crowd_make(&c, 3, &silent_peer);
		crowd_start(&c);
		sim_weather.interrupt_at[0] = 20; /* near the last answer */
		sim_weather.interrupt_at[1] = signals == 2 ? 20 : 0;
		assert_rc(crowd_ask(&c), RC_INTERRUPTED, &c.err);
		check_interrupted(&c, RC_INTERRUPTED);
		assert_in_range(crowd_time(&c, 0), 1, signals == 1 ? 6000 : 1000);
		crowd_end(&c);
	}
}

/* ... and a later second one does not wait for them either. */
static void a_second_interrupt_ends_the_wait_for_answers(void **state)
{
	struct crowd c;

	(void)state;
	crowd_make(&c, 3, &silent_peer);
	c.options.progress = crowd_watch; /* five events in a second */
	c.options.context = &c;
	crowd_start(&c);
	sim_weather.interrupt_at[0] = 20;
	sim_weather.interrupt_at[1] = 26;
	assert_rc(crowd_ask(&c), RC_INTERRUPTED, &c.err);
	check_interrupted(&c, RC_INTERRUPTED);
	assert_in_range(crowd_time(&c, 0), 500, 2500);
	crowd_end(&c);
}

static void an_interrupt_drops_what_is_not_asked_yet_at_once(void **state)
{
	struct crowd c;

	(void)state;
	crowd_make(&c, 5, &black_hole);
	crowd_start(&c);
	sim_weather.interrupt_at[0] = 4;
	assert_rc(crowd_ask(&c), RC_INTERRUPTED, &c.err);
	for (size_t i = 0; i < 5; i++)
		assert_int_equal(fleet_error(c.fleet, i)->code, RC_INTERRUPTED);
	assert_in_range(crowd_time(&c, 0), 1, 100);
	crowd_end(&c);
}

static void a_deadline_at_any_second_leaves_every_node_with_an_outcome(void **state)
{
	static const struct sim_manner very_slow = { .name = "very slow",
		.step_ms = 3000 };
	struct crowd c;

	(void)state;
	for (uint32_t deadline = 1; deadline < 30; deadline++) {
		make_few(&c);
		crowd_change(&c, 0, &very_slow);
		c.options.deadline_s = deadline;
		crowd_start(&c);
		assert_rc(crowd_ask(&c), RC_TIMEOUT, &c.err);
		assert_int_equal(crowd_time(&c, 0), deadline * 1000);
		check_interrupted(&c, RC_TIMEOUT);
		crowd_end(&c);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			an_interrupt_at_any_moment_leaves_every_node_with_an_outcome),
		cmocka_unit_test(a_node_that_would_not_be_asked_keeps_its_outcome),
		cmocka_unit_test(an_interrupt_reaches_all_lanes),
		cmocka_unit_test(
			an_interrupt_is_over_in_five_seconds_and_a_second_one_at_once),
		cmocka_unit_test(a_second_interrupt_ends_the_wait_for_answers),
		cmocka_unit_test(an_interrupt_drops_what_is_not_asked_yet_at_once),
		cmocka_unit_test(
			a_deadline_at_any_second_leaves_every_node_with_an_outcome),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, crowd_site_make, crowd_site_unmake);
}
