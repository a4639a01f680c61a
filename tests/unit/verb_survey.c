/* What targets say of nodes, in the report. */
#include "coordinator/verb/options.h"
#include "coordinator/verb/survey.h"
#include "coordinator/verb/verb.h"
#include "tests/support/test.h"

enum { NODES = 3 };

static struct run run;
static struct options options;
static struct report_node nodes[NODES];
static struct survey surveys[NODES];

/* The same of all, and of one something of its own. */
static enum rc plan(const struct planning *p, struct err *e)
{
	bool second = p->survey == &surveys[1];

	if (second && target_remark(p, true, "domains", "too old", e) != RC_OK)
		return e->code;
	return target_remark(p, false, "domains", "they need a power cycle", e);
}

static const struct target target = { .name = "test", .plan = plan };

static int make_run(void **state)
{
	static const char *const names[] = { "node01", "node02", "node03" };

	(void)state;
	options.verb = verb_find("negotiate");
	run = (struct run){ .options = &options,
		.nodes = nodes,
		.count = NODES,
		.surveys = surveys,
		.targets = { &target },
		.target_count = 1 };
	for (int i = 0; i < NODES; i++)
		nodes[i] = (struct report_node){ .name = names[i] };
	return 0;
}

static int forget(void **state)
{
	(void)state;
	arena_destroy(&run.arena);
	return 0;
}

static void what_is_said_of_several_nodes_is_one_remark(void **state)
{
	struct err e;

	(void)state;
	assert_rc(survey_plan(&run, &e), RC_OK, &e);
	assert_int_equal(run.report.remark_count, 2);
	assert_string_equal(run.report.remarks[0].text, "they need a power cycle");
	assert_int_equal(run.report.remarks[0].nodes.count, NODES);
	assert_string_equal(run.report.remarks[0].nodes.item[2], "node03");
	assert_true(run.report.remarks[1].warning);
	assert_int_equal(run.report.remarks[1].nodes.count, 1);
	assert_string_equal(run.report.remarks[1].nodes.item[0], "node02");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test_setup_teardown(
			what_is_said_of_several_nodes_is_one_remark, make_run, forget),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(cases, NULL, NULL);
}
