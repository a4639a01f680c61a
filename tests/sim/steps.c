/* One node does something else at one counted call: it costs that node, and nobody else. */
#include "tests/sim/crowd.h"

enum { NODES = 21, FAULTY = 10 };

static const enum sim_fault faults[] = { SIM_SILENT, SIM_RESET, SIM_CLOSED, SIM_GARBAGE,
	SIM_REFUSED, SIM_MEMORY, SIM_AGAIN, SIM_AGAIN_BOTH, SIM_SHORT };

/* All others are as they are without it; the node has an outcome, and in time.  Returns
 * how many calls it saw. */
static unsigned run_with(
	const struct sim_manner *manner, const uint64_t *usual, uint64_t *times)
{
	struct crowd c;
	unsigned calls;

	crowd_make(&c, NODES, &good);
	c.nodes[FAULTY].manner = manner;
	crowd_start(&c);
	assert_rc(crowd_ask(&c), RC_OK, &c.err);
	for (size_t i = 0; i < NODES; i++) {
		const struct err *got = fleet_error(c.fleet, i);

		times[i] = c.nodes[i].answered_at;
		if (i != FAULTY)
			crowd_check_node(&c, i);
		if (i != FAULTY && usual && times[i] != usual[i])
			fail_msg("fault %d at call %u changed when %s answered",
				manner->fault, manner->at_call, c.nodes[i].name);
		if (i == FAULTY && got->code == RC_OK && c.nodes[i].answers != 1)
			fail_msg("fault %d at call %u: well, with %u answers",
				manner->fault, manner->at_call, c.nodes[i].answers);
		if (i == FAULTY && got->code != RC_OK && !*got->text)
			fail_msg("fault %d at call %u: no reason", manner->fault,
				manner->at_call);
	}
	/* a silence lasts as long as a connection and an answer may take, and garbage can
	 * look like the beginning of something; nothing else takes more than two tries
	 * with the pause between them */
	assert_true(crowd_time(&c, FAULTY) <= (30 + 120) * 1000);
	if (manner->fault != SIM_SILENT && manner->fault != SIM_GARBAGE)
		assert_true(crowd_time(&c, FAULTY) <= 3000);
	if (manner->fault >= SIM_AGAIN)
		crowd_check_node(&c, FAULTY);
	assert_rc(crowd_propose(&c), RC_OK, &c.err);
	for (size_t i = 0; i < NODES; i++)
		if (i != FAULTY)
			crowd_check_node(&c, i);
	calls = c.nodes[FAULTY].calls;
	crowd_end(&c);
	return calls;
}

static void every_fault_at_every_call(const struct sim_manner *usual)
{
	uint64_t usual_times[NODES], times[NODES];
	unsigned calls = run_with(usual, NULL, usual_times);

	assert_true(calls > 20);
	for (size_t f = 0; f < sizeof(faults) / sizeof(*faults); f++)
		for (unsigned at = 1; at <= calls; at++) {
			struct sim_manner manner = *usual;

			manner.fault = faults[f];
			manner.at_call = at;
			manner.dials = 0;
			run_with(&manner, usual_times, times);
		}
}

static void a_fault_at_any_call_costs_nobody_else(void **state)
{
	(void)state;
	every_fault_at_every_call(&good);
}

static void a_fault_at_any_call_of_a_node_that_stutters_costs_nobody_else(void **state)
{
	static const struct sim_manner stutters = {
		.name = "stutters", .stutters = true, .piece = 40, .dials = 1
	};

	(void)state;
	every_fault_at_every_call(&stutters);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fault_at_any_call_costs_nobody_else),
		cmocka_unit_test(
			a_fault_at_any_call_of_a_node_that_stutters_costs_nobody_else),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, crowd_site_make, crowd_site_unmake);
}
