/* Nodes with equal facts are judged once: what comes out is what came out when each of
 * them was judged by itself. */
#include "coordinator/verb/classes.h"

#include <stdlib.h>
#include <unistd.h>

#include "coordinator/verb/gather.h"
#include "coordinator/verb/guests.h"
#include "coordinator/verb/judge.h"
#include "coordinator/verb/offering.h"
#include "coordinator/verb/verb.h"
#include "proto/dump.h"
#include "proto/limits.h"
#include "proto/texts.h"
#include "tests/support/test.h"

enum { NODES_MAX = 14, ROUNDS = 60 };

static const char *const machines[] = { "haswell-e5-2650v3", "penryn-x5460",
	"sandybridge-i7-2600", "skylake-gold-6148", "broadwell-i7-5600u",
	"broadwell-i7-5600u-new-microcode", "naples-epyc-7601", "zen2-ryzen-3900x" };

static char folder[64];
static uint64_t seed = 41;

static size_t below(size_t n)
{
	return test_random(&seed) % n;
}

static int make_folder(void **state)
{
	(void)state;
	strcpy(folder, "/tmp/cpuherd-classes-XXXXXX");
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	test_run("rm -rf %s", folder);
	return 0;
}

/* Of one vendor or of two; few machines, so that many nodes are alike. */
static void make_nodes(struct arena *arena, size_t count)
{
	size_t first = below(6), kinds = 1 + below(3);
	bool mixed = below(4) == 0, unknown = below(3) == 0;

	test_run("rm -f %s/*.facts", folder);
	for (size_t i = 0; i < count; i++) {
		size_t m = mixed ? 4 + below(4) : (first + below(kinds)) % 6;
		const char *text = test_read_file(
			arena, arena_format(arena, "%s/cases/machines/%s.facts",
				       TESTS_DIR, machines[m]));

		test_write_file(arena_format(arena, "%s/n%02zu.facts", folder, i),
			unknown ? text
				: arena_format(arena,
					  "fact hostname h%zu\nfact tsc_khz %zu\nfact "
					  "microcode "
					  "0x%zx\n%s",
					  i, 2600000 + below(3) * 700, 1 + below(2),
					  text));
	}
}

/* As it was: a list of offers and facts with one of each node. */
struct each {
	struct node_facts facts[NODES_MAX];
	struct offer offers[NODES_MAX];
	struct conditions conditions;
	struct level level;
	struct pool *pools;
	size_t pool_count;
	struct err e;
	enum rc rc;
};

static void judge_each(struct run *run, struct each *each)
{
	struct err e;

	for (size_t i = 0; i < run->count; i++) {
		each->facts[i] = run->facts[i];
		assert_rc(offer_from_facts(run->catalogue, &each->facts[i], run->virt,
				  OFFER_KVM, &run->arena, &each->offers[i], &e),
			RC_OK, &e);
		each->offers[i].node = run->nodes[i].name;
	}
	offers_settle_floating(each->offers, run->count);
	each->conditions = (struct conditions){ .catalogue = run->catalogue,
		.facts = each->facts,
		.offers = each->offers,
		.count = run->count,
		.virt = run->virt,
		.arena = &run->arena,
		.floor = run->conditions.floor };
	assert_rc(conditions_begin(&each->conditions, &e), RC_OK, &e);
	each->rc = conditions_choose(
		&each->conditions, &run->wishes, run->ops, &each->level, &each->e);
	if (each->rc == RC_OK)
		assert_rc(conditions_remark(&each->conditions, &each->level, &e), RC_OK,
			&e);
	else
		assert_rc(pools_choose(&each->conditions, &run->wishes, run->ops,
				  &each->pools, &each->pool_count, &e),
			RC_OK, &e);
}

static void assert_names(
	struct run *run, const struct texts *names, const bool *of, const char *about)
{
	struct texts wanted = { 0 };
	struct err e;

	for (size_t i = 0; of && i < run->count; i++)
		if (of[i])
			assert_rc(texts_add(&wanted, run->nodes[i].name, &run->arena, &e),
				RC_OK, &e);
	print_message("    %s\n", about);
	assert_string_equal(texts_join_with(names, " ", &run->arena),
		texts_join_with(&wanted, " ", &run->arena));
}

static void assert_same_level(struct run *run, const struct each *each)
{
	const struct report *r = &run->report;
	const char *xml;
	struct err e;

	assert_rc(judge_write_xml(run, &each->level, &xml, &e), RC_OK, &e);
	assert_string_equal(r->xml, xml);
	assert_rc(judge_remarks(run, &e), RC_OK, &e);
	assert_int_equal(r->remark_count, each->conditions.remark_count);
	for (size_t i = 0; i < r->remark_count; i++) {
		const struct condition_remark *m = &each->conditions.remarks[i];

		assert_string_equal(r->remarks[i].text, m->text);
		assert_names(run, &r->remarks[i].nodes, m->of, m->about);
	}
}

static void assert_same_pools(struct run *run, const struct each *each)
{
	const struct report *r = &run->report;

	assert_int_equal(r->pool_count, each->pool_count);
	for (size_t i = 0; i < r->pool_count; i++) {
		bool of[NODES_MAX] = { false };
		const char *xml = "";
		struct err e;

		for (size_t k = 0; k < each->pools[i].count; k++)
			of[each->pools[i].node[k]] = true;
		assert_names(run, &r->pools[i].nodes, of, r->pools[i].title);
		if (each->pools[i].why.code == RC_OK)
			assert_rc(judge_write_xml(run, &each->pools[i].level, &xml, &e),
				RC_OK, &e);
		assert_string_equal(r->pools[i].xml, xml);
	}
}

static void check_fleet(struct arena *arena)
{
	char plan[] = "plan", from[] = "--from", quiet[] = "-q";
	char *argv[] = { plan, from, folder, quiet };
	struct each *each = arena_alloc(arena, 1, sizeof(*each));
	struct options o;
	struct run run;
	struct err e;
	enum rc rc;

	assert_rc(options_parse(&o, verb_find("plan"), 4, argv, arena, &e), RC_OK, &e);
	assert_rc(run_begin(&run, &o, &e), RC_OK, &e);
	assert_rc(gather_facts(&run, false, &e), RC_OK, &e);
	guests_find_types(&run);
	assert_rc(guests_choose_type(&run, &e), RC_OK, &e);
	assert_rc(offering_make(&run, &e), RC_OK, &e);
	assert_true(run.class_count <= run.count);
	rc = judge_level(&run, &e);
	judge_each(&run, each);
	print_message("  %zu nodes in %zu classes: %s\n", run.count, run.class_count,
		rc_name(rc));
	assert_int_equal(rc, each->rc);
	if (rc == RC_OK) {
		assert_same_level(&run, each);
	} else {
		assert_string_equal(e.text, each->e.text);
		assert_same_pools(&run, each);
	}
	arena_destroy(&run.arena);
}

static void a_class_is_judged_as_each_of_its_nodes_was(void **state)
{
	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		struct arena arena = { 0 };

		make_nodes(&arena, 1 + below(NODES_MAX));
		check_fleet(&arena);
		arena_destroy(&arena);
	}
}

static void names_are_those_of_the_first_nodes_of_the_run(void **state)
{
	static const char *const first[] = { "a", "d", "e" }, *const second[] = { "b",
		"c" };
	static const size_t places[] = { 0, 3, 4, 1, 2 };
	const struct offer offers[] = {
		{ .node = "a", .nodes = first, .places = places, .node_count = 3 },
		{ .node = "b", .nodes = second, .places = places + 3, .node_count = 2 },
	};
	struct arena arena = { 0 };

	(void)state;
	assert_string_equal(offers_name(offers, 2, (bool[]){ true, true }, &arena),
		"a, b, c, d and 1 more");
	assert_string_equal(
		offers_name(offers, 2, (bool[]){ true, false }, &arena), "a, d, e");
	assert_int_equal(offers_node_count(offers, 2), 5);
	arena_destroy(&arena);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test_setup_teardown(
			a_class_is_judged_as_each_of_its_nodes_was, make_folder,
			remove_folder),
		cmocka_unit_test(names_are_those_of_the_first_nodes_of_the_run),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(cases, NULL, NULL);
}
