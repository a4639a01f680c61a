/* The last line of a negotiation, where there are several things to write. */
#include "coordinator/verb/options.h"
#include "coordinator/verb/summary.h"
#include "tests/support/test.h"

enum { NODES = 3 };

static struct run run;
static struct options options = { .dry_run = true };
static struct report_node nodes[NODES];
static struct edit edits[NODES][3];

/* Each node has the stanza, and guests of its own behind it. */
static int make_run(void **state)
{
	static const char *const names[] = { "node01", "node02", "node03" };

	(void)state;
	run = (struct run){ .options = &options, .nodes = nodes, .count = NODES };
	run.report.virt = "kvm";
	run.level.model = "Penryn";
	for (int i = 0; i < NODES; i++) {
		nodes[i] = (struct report_node){ .edits = { edits[i], 1 } };
		nodes[i].name = names[i];
		edits[i][0] = (struct edit){ .title = "/etc/a.xml" };
		edits[i][1] = (struct edit){ .title = "domain \"web\"" };
		edits[i][2] = (struct edit){ .title = "domain \"db\"" };
	}
	return 0;
}

static int forget(void **state)
{
	(void)state;
	arena_destroy(&run.arena);
	return 0;
}

static void assert_ends(const char *end)
{
	summary_tell(&run);
	assert_string_equal(run.report.summary,
		arena_format(&run.arena, "3 nodes agree on Penryn +0 -0 (kvm): %s", end));
}

static void several_places_of_all_nodes_are_counted_behind_the_first(void **state)
{
	(void)state;
	assert_ends("dry run, nothing was written to /etc/a.xml");
	for (int i = 0; i < NODES; i++)
		nodes[i].edits.count = 3;
	assert_ends("dry run, nothing was written to /etc/a.xml (and 2 more on each "
		    "node)");
}

static void guests_differ_from_node_to_node(void **state)
{
	(void)state;
	nodes[1].edits.count = 3;
	assert_ends("dry run, nothing was written to /etc/a.xml (and more: 5 in all)");
	nodes[0].edits.count = 0;
	nodes[2].edits.item = &edits[2][1];
	assert_ends("dry run, nothing was written to /etc/a.xml on node02, and its like "
		    "on each node");
}

static void where_no_node_has_such_a_place_that_is_said(void **state)
{
	(void)state;
	for (int i = 0; i < NODES; i++)
		nodes[i].edits.count = 0;
	assert_ends("there is nothing to write it to on any node");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test_setup_teardown(
			several_places_of_all_nodes_are_counted_behind_the_first,
			make_run, forget),
		cmocka_unit_test_setup_teardown(
			guests_differ_from_node_to_node, make_run, forget),
		cmocka_unit_test_setup_teardown(
			where_no_node_has_such_a_place_that_is_said, make_run, forget),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(cases, NULL, NULL);
}
