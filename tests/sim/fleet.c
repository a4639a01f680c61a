/* Fleets of thousands, among them nodes that do everything wrong. */
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

#include "tests/sim/crowd.h"

/* Of a thousand nodes so many. */
static const struct share {
	unsigned permille;
	struct sim_manner manner;
} mix[] = {
	{ 570, { .name = "good", .dials = 1 } },
	{ 40, { .name = "slow", .step_ms = 400, .dials = 1 } },
	{ 30, { .name = "reads and writes of 7 bytes", .piece = 7, .dials = 1 } },
	{ 20, { .name = "stutters", .piece = 50, .stutters = true, .dials = 1 } },
	{ 15, { .name = "no such name",
		      .fault = SIM_GARBAGE,
		      .at = SIM_RESOLVE,
		      .code = RC_UNREACHABLE,
		      .words = "garbage" } },
	{ 20, { .name = "refused",
		      .fault = SIM_REFUSED,
		      .at = SIM_DIAL,
		      .code = RC_UNREACHABLE,
		      .words = "(3 tries)",
		      .dials = 3 } },
	{ 20, { .name = "refused twice",
		      .fault = SIM_REFUSED,
		      .at = SIM_DIAL,
		      .times = 2,
		      .dials = 3 } },
	{ 30, { .name = "turned away by MaxStartups twice",
		      .fault = SIM_CLOSED,
		      .at = SIM_HANDSHAKE,
		      .times = 2,
		      .dials = 3 } },
	{ 20, { .name = "reset once",
		      .fault = SIM_RESET,
		      .at = SIM_HANDSHAKE,
		      .times = 1,
		      .dials = 2 } },
	{ 10, { .name = "name lookup that hangs",
		      .fault = SIM_SILENT,
		      .at = SIM_RESOLVE,
		      .code = RC_TIMEOUT,
		      .words = "no answer within 30 s; look at the name servers",
		      .dials = 0 } },
	{ 20, { .name = "black hole",
		      .fault = SIM_SILENT,
		      .at = SIM_DIAL,
		      .code = RC_TIMEOUT,
		      .words = "no answer in time; the node is down",
		      .dials = 1 } },
	{ 20, { .name = "accepts and says nothing",
		      .fault = SIM_SILENT,
		      .at = SIM_HANDSHAKE,
		      .code = RC_TIMEOUT,
		      .words = "hangs, or is no sshd",
		      .dials = 1 } },
	{ 10, { .name = "greets for ever",
		      .fault = SIM_ENDLESS,
		      .at = SIM_HANDSHAKE,
		      .code = RC_TIMEOUT,
		      .words = "hangs, or is no sshd",
		      .dials = 1 } },
	{ 10, { .name = "no ssh",
		      .fault = SIM_GARBAGE,
		      .at = SIM_HANDSHAKE,
		      .code = RC_SSH,
		      .words = "garbage",
		      .dials = 1 } },
	{ 10, { .name = "wrong host key",
		      .fault = SIM_WRONG_KEY,
		      .at = SIM_HANDSHAKE,
		      .code = RC_HOSTKEY,
		      .words = "HOST KEY CHANGED",
		      .dials = 1 } },
	{ 10, { .name = "refuses the login",
		      .fault = SIM_NO_LOGIN,
		      .at = SIM_LOGIN,
		      .code = RC_AUTH,
		      .words = "refuses user user",
		      .dials = 1 } },
	{ 10, { .name = "closes in the login",
		      .fault = SIM_CLOSED,
		      .at = SIM_LOGIN,
		      .code = RC_SSH,
		      .words = "reset",
		      .dials = 1 } },
	{ 20, { .name = "login shell that hangs",
		      .fault = SIM_SILENT,
		      .at = SIM_START,
		      .code = RC_TIMEOUT,
		      .words = "login shell",
		      .dials = 1 } },
	{ 10, { .name = "login shell that prints for ever",
		      .fault = SIM_ENDLESS,
		      .at = SIM_START,
		      .code = RC_LIMIT,
		      .words = "login shell",
		      .dials = 1 } },
	{ 10, { .name = "login shell that dies",
		      .fault = SIM_CLOSED,
		      .at = SIM_START,
		      .code = RC_PEER,
		      .words = "ended",
		      .dials = 1 } },
	{ 10, { .name = "peer that dies",
		      .fault = SIM_CLOSED,
		      .at = SIM_WELCOME,
		      .code = RC_PEER,
		      .words = "ended",
		      .dials = 1 } },
	{ 10, { .name = "peer that talks nonsense",
		      .fault = SIM_GARBAGE,
		      .at = SIM_WELCOME,
		      .code = RC_PROTOCOL,
		      .dials = 1 } },
	{ 10, { .name = "dies before it answers",
		      .fault = SIM_RESET,
		      .at = SIM_ANSWER,
		      .code = RC_SSH,
		      .words = "(3 tries)",
		      .dials = 3 } },
	{ 10, { .name = "dies once before it answers",
		      .fault = SIM_RESET,
		      .at = SIM_ANSWER,
		      .times = 1,
		      .dials = 2 } },
	{ 15, { .name = "never answers",
		      .fault = SIM_SILENT,
		      .at = SIM_ANSWER,
		      .code = RC_TIMEOUT,
		      .words = "ask_facts",
		      .dials = 1 } },
	{ 10, { .name = "answers something else",
		      .fault = SIM_WRONG,
		      .at = SIM_ANSWER,
		      .code = RC_PROTOCOL,
		      .words = "staged",
		      .dials = 1 } },
	{ 10, { .name = "answers too much",
		      .fault = SIM_BIG,
		      .at = SIM_ANSWER,
		      .code = RC_LIMIT,
		      .dials = 1 } },
	{ 10, { .name = "answers twice",
		      .fault = SIM_TWICE,
		      .at = SIM_ANSWER,
		      .dials = 1 } },
	{ 10, { .name = "says that it cannot",
		      .fault = SIM_DENIAL,
		      .at = SIM_ANSWER,
		      .code = RC_LIBVIRT,
		      .words = "no libvirt",
		      .dials = 1 } },
};
enum { KINDS = sizeof(mix) / sizeof(*mix) };

static const struct sim_manner *manner_of(size_t node)
{
	uint64_t state = node + 1;
	unsigned at;

	test_random(&state);
	at = test_random(&state) % 1000;
	for (size_t i = 0; i < KINDS; i++) {
		if (at < mix[i].permille)
			return &mix[i].manner;
		at -= mix[i].permille;
	}
	fail_msg("the mix is no thousand");
	return NULL;
}

static void make_mix(struct crowd *c, size_t count)
{
	crowd_make(c, count, &good);
	for (size_t i = 0; i < count; i++)
		crowd_change(c, i, manner_of(i));
}

/* What a node of this manner may cost at most, from its first place in the window on. */
static uint64_t cost_ms(const struct sim_node *n)
{
	const struct sim_manner *m = n->manner;
	uint64_t steps = 30 * (uint64_t)n->step_ms; /* each piece of a stutterer is one */

	if (m->stutters)
		steps += 1000;
	if (m->fault == SIM_SILENT || m->fault == SIM_ENDLESS)
		return steps + (m->at == SIM_ANSWER ? 120 * 1000 : 30 * 1000);
	return m->dials * (steps + 1500);
}

/* However work is given to so many who are never idle while there is some, it is done
 * after the work by the number of them, and the longest piece (Graham 1969). */
static uint64_t bound_ms(const struct crowd *c, size_t window)
{
	uint64_t sum = 0, longest = 0;

	for (size_t i = 0; i < c->count; i++) {
		uint64_t cost = cost_ms(&c->nodes[i]);

		sum += cost;
		longest = cost > longest ? cost : longest;
	}
	return sum / window + longest;
}

/* With room for so many sessions at once. */
static void run_mix_in(size_t room, size_t count, uint32_t parallel, uint32_t threads)
{
	struct crowd c;

	make_mix(&c, count);
	c.ground.sessions = room;
	c.options.parallel = parallel;
	c.options.threads = threads;
	crowd_start(&c);
	assert_rc(crowd_ask(&c), RC_OK, &c.err);
	crowd_check(&c);
	if (threads == 1)
		assert_true(crowd_time(&c, 0) <= bound_ms(&c, parallel));
	crowd_end(&c);
}

static void run_mix(size_t count, uint32_t parallel, uint32_t threads)
{
	run_mix_in(1000 * 1000, count, parallel, threads);
}

static void every_one_of_ten_thousand_has_the_outcome_of_its_manner(void **state)
{
	(void)state;
	run_mix(10 * 1000, 256, 1);
}

static void outcomes_do_not_depend_on_the_window_or_on_lanes(void **state)
{
	(void)state;
	run_mix(300, 1, 1);
	run_mix(1000, 16, 1);
	run_mix(1000, 16, 4);
	run_mix(3000, 256, 4);
	run_mix(3000, 5000, 1);
	run_mix(3000, 5000, 3);
}

/* Silent nodes take a place for two seconds and a half at most, others as long as they
 * last: nobody who answers waits for a time-out. */
static void good_nodes_are_done_long_before_the_silent_ones(void **state)
{
	enum { NODES = 5000, WINDOW = 256 };
	uint64_t sum = 0, last = 0;
	struct crowd c;

	(void)state;
	make_mix(&c, NODES);
	c.options.parallel = WINDOW;
	crowd_start(&c);
	assert_rc(crowd_ask(&c), RC_OK, &c.err);
	for (size_t i = 0; i < NODES; i++) {
		const struct sim_node *n = &c.nodes[i];
		uint64_t cost = cost_ms(n);

		sum += cost < 30000 ? cost : n->manner->at == SIM_ANSWER ? 15500 : 2500;
		if (n->manner->code == RC_OK && n->answered_at > last)
			last = n->answered_at;
	}
	/* the slowest of the good ones needs less than 18 s */
	assert_true(last <= sum / WINDOW + 18000);
	assert_true(crowd_time(&c, 0) >= 120 * 1000);
	crowd_end(&c);
}

static void a_good_node_fares_the_same_alone_and_among_bad_ones(void **state)
{
	uint64_t alone;
	struct crowd c;

	(void)state;
	crowd_make(&c, 1, &good);
	c.nodes[0].step_ms = 11;
	crowd_start(&c);
	assert_rc(crowd_ask(&c), RC_OK, &c.err);
	crowd_check(&c);
	alone = c.nodes[0].answered_at;
	crowd_end(&c);
	make_mix(&c, 1000);
	c.options.parallel = 1000;
	for (size_t i = 0; i < 1000; i += 10) {
		crowd_change(&c, i, &good);
		c.nodes[i].step_ms = 11;
	}
	crowd_start(&c);
	assert_rc(crowd_ask(&c), RC_OK, &c.err);
	crowd_check(&c);
	for (size_t i = 0; i < 1000; i += 10)
		assert_int_equal(c.nodes[i].answered_at, alone);
	crowd_end(&c);
}

static void the_second_round_asks_who_is_left(void **state)
{
	struct crowd c;

	(void)state;
	make_mix(&c, 2000);
	crowd_start(&c);
	assert_rc(crowd_ask(&c), RC_OK, &c.err);
	crowd_check(&c);
	assert_rc(crowd_ask(&c), RC_OK, &c.err);
	for (size_t i = 0; i < c.count; i++) {
		const struct sim_node *n = &c.nodes[i];

		/* the peer's own failure leaves its session as it is, and so does the rest
		 * of an answer that came twice */
		if (n->manner->code == RC_OK || n->manner->fault == SIM_DENIAL)
			crowd_check_node(&c, i);
		else
			assert_int_equal(n->answers, 0);
		assert_int_equal(fleet_is_alive(c.fleet, i),
			n->manner->code == RC_OK || n->manner->fault == SIM_DENIAL);
	}
	crowd_end(&c);
}

static void what_is_shown_adds_up_to_all_of_them(void **state)
{
	size_t failed = 0;
	struct crowd c;

	(void)state;
	make_mix(&c, 2000);
	c.options.progress = crowd_watch;
	c.options.context = &c;
	crowd_start(&c);
	assert_rc(crowd_ask(&c), RC_OK, &c.err);
	for (size_t i = 0; i < c.count; i++)
		failed += fleet_error(c.fleet, i)->code != RC_OK;
	assert_int_equal(c.last.total, c.count);
	assert_int_equal(c.last.done, c.count);
	assert_int_equal(c.last.failed, failed);
	for (int i = 0; i < FLEET_STAGES; i++)
		assert_int_equal(c.last.in_stage[i], 0);
	crowd_end(&c);
}

/* For docs/performance.md: what a hundred thousand cost, by the time of this process. */
static int run_many(size_t count, uint32_t parallel)
{
	struct timespec begin, end;
	struct rusage usage;

	crowd_site_make(NULL);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
	run_mix_in(2 * (size_t)parallel, count, parallel, 1);
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
	getrusage(RUSAGE_SELF, &usage);
	printf("%zu nodes, window %u: %.1f s of CPU, %ld MiB at most\n", count, parallel,
		(double)(end.tv_sec - begin.tv_sec) +
			(double)(end.tv_nsec - begin.tv_nsec) / 1e9,
		usage.ru_maxrss / 1024);
	return crowd_site_unmake(NULL);
}

/*	sim_fleet [PATTERN | --nodes N PARALLEL] */
int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_one_of_ten_thousand_has_the_outcome_of_its_manner),
		cmocka_unit_test(outcomes_do_not_depend_on_the_window_or_on_lanes),
		cmocka_unit_test(good_nodes_are_done_long_before_the_silent_ones),
		cmocka_unit_test(a_good_node_fares_the_same_alone_and_among_bad_ones),
		cmocka_unit_test(the_second_round_asks_who_is_left),
		cmocka_unit_test(what_is_shown_adds_up_to_all_of_them),
	};

	if (argc == 4 && strcmp(argv[1], "--nodes") == 0)
		return run_many(
			strtoul(argv[2], NULL, 10), (uint32_t)strtoul(argv[3], NULL, 10));
	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, crowd_site_make, crowd_site_unmake);
}
