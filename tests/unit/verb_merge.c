/* Merged facts: whatever the parts and their order, the same bytes; and what is planned
 * from them is what is planned from the nodes' own files. */
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "coordinator/verb/verb.h"
#include "proto/dump.h"
#include "proto/limits.h"
#include "proto/texts.h"
#include "tests/support/shell.h"
#include "tests/support/test.h"

/* CTest runs every unit test in the build folder. */
#define CPUHERD "coordinator/cpuherd"

enum { NODES_MAX = 40, ROUNDS = 40, MACHINES = 10 };

static struct arena arena;
static char folder[64];
static uint64_t seed = 2026;

static struct node_facts machines[MACHINES];
static char *node_text[NODES_MAX]; /* as the node's peer prints it */
static char *node_name[NODES_MAX];
static size_t node_count;

static size_t below(size_t n)
{
	return test_random(&seed) % n;
}

static const char *path_of(const char *name)
{
	return arena_format(&arena, "%s/%s", folder, name);
}

static int begin(void **state)
{
	static const char *const names[MACHINES] = { "broadwell-i7-5600u",
		"broadwell-i7-5600u-new-microcode", "bulldozer-fx-8150",
		"dhyana-c86-7185", "haswell-e5-2650v3", "naples-epyc-7601",
		"penryn-x5460", "sandybridge-i7-2600", "skylake-gold-6148",
		"zen2-ryzen-3900x" };
	struct err e;

	(void)state;
	strcpy(folder, "/tmp/cpuherd-merge-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	for (size_t i = 0; i < MACHINES; i++) {
		const char *text = test_read_file(
			&arena, arena_format(&arena, "%s/cases/machines/%s.facts",
					TESTS_DIR, names[i]));

		assert_rc(dump_read((struct bytes){ (const uint8_t *)text, strlen(text) },
				  names[i], &arena, &machines[i], &e),
			RC_OK, &e);
	}
	return 0;
}

static int end(void **state)
{
	(void)state;
	test_run("rm -rf %s", folder);
	arena_destroy(&arena);
	return 0;
}

/* A machine, of a vendor or of any, with small facts that may or may not be alike. */
static char *random_text(bool intel, size_t node)
{
	static const size_t of_intel[] = { 0, 1, 4, 6, 7, 8 };
	static const char *const revisions[] = { "", "0x1", "0x2" };
	struct node_facts f = machines[intel ? of_intel[below(6)] : below(MACHINES)];
	struct buf out = buf_with_cap(LIMIT_DUMP_BYTES);
	struct err e;
	char *text;

	f.small.hostname = arena_format(&arena, "host%zu", node);
	f.small.host_uuid = arena_format(&arena, "uuid-%zu", node);
	f.small.cmdline = arena_format(&arena, "root=UUID=%zu", node);
	f.small.microcode = revisions[below(3)];
	f.small.tsc_khz = (uint32_t)(2600000 + below(3) * 700);
	f.small.tsc_scaling = below(4) > 0;
	assert_rc(dump_write(&out, &f, &e), RC_OK, &e);
	text = arena_text_n(&arena, buf_bytes(&out).data, buf_bytes(&out).size);
	buf_destroy(&out);
	return text;
}

static void random_fleet(bool intel)
{
	node_count = 1 + below(NODES_MAX);
	for (size_t i = 0; i < node_count; i++) {
		node_name[i] = arena_format(&arena, "%s%zu", below(5) ? "node" : "rack7-",
			i * (1 + below(2) * 100));
		node_text[i] = random_text(intel, i);
	}
}

/* ---- shards, in any shape that a source may have */

static void shard_as_folder(const char *path, const bool *in)
{
	assert_int_equal(mkdir(path, 0700), 0);
	for (size_t i = 0; i < node_count; i++)
		if (in[i])
			test_write_file(
				arena_format(&arena, "%s/%s.facts", path, node_name[i]),
				node_text[i]);
}

/* "NAME: LINE", all first lines, then all second ones, as from a parallel shell. */
static void shard_as_stream(const char *path, const bool *in)
{
	const char *at[NODES_MAX];
	FILE *out = fopen(path, "we");
	bool any = true;

	assert_non_null(out);
	for (size_t i = 0; i < node_count; i++)
		at[i] = in[i] ? node_text[i] : "";
	while (any) {
		any = false;
		for (size_t i = 0; i < node_count; i++) {
			size_t size = strcspn(at[i], "\n");

			if (!*at[i])
				continue;
			any = true;
			fprintf(out, "%s: %.*s\n", node_name[i], (int)size, at[i]);
			at[i] += size + 1;
		}
	}
	assert_int_equal(fclose(out), 0);
}

static void shard_write(const char *path, const bool *in)
{
	if (below(2))
		shard_as_folder(path, in);
	else
		shard_as_stream(path, in);
}

/* Merges into a file; its text. */
static const char *merge(const struct texts *paths, const char *out)
{
	struct options o = { .verb = verb_find("merge"), .quiet = true };
	struct err e;

	o.nodes = *paths;
	o.out = out;
	assert_rc(merge_main(&o, &e), RC_OK, &e);
	return test_read_file(&arena, out);
}

static const char *merge_one(const char *path, const char *out)
{
	const char *items[] = { path };

	return merge(&(struct texts){ items, 1 }, out);
}

static void clean(void)
{
	test_run("rm -rf %s && mkdir %s", folder, folder);
}

static const char *merge_at_once(void)
{
	bool all[NODES_MAX];

	for (size_t i = 0; i < node_count; i++)
		all[i] = true;
	shard_as_folder(path_of("all"), all);
	return merge_one(path_of("all"), path_of("all.facts"));
}

/* Each node goes into one shard or several. */
static void random_shards(struct texts *shards, size_t count)
{
	struct err e;

	for (size_t s = 0; s < count; s++) {
		bool in[NODES_MAX], any = false;
		const char *path = path_of(arena_format(&arena, "shard%zu", s));

		for (size_t i = 0; i < node_count; i++) {
			in[i] = i % count == s || below(4) == 0;
			any = any || in[i];
		}
		if (!any)
			continue;
		shard_write(path, in);
		assert_rc(texts_add(shards, path, &arena, &e), RC_OK, &e);
	}
}

/* Takes some away, merges them, and puts the result back, until one is left. */
static const char *merge_as_tree(struct texts *shards)
{
	const char *text = NULL;

	for (size_t step = 0; !text || shards->count > 1; step++) {
		const char *taken[NODES_MAX];
		size_t count = 1 + below(shards->count), left = shards->count;
		const char *out = path_of(arena_format(&arena, "merged%zu", step));

		if (count == 1 && text)
			count = 2;
		for (size_t i = 0; i < count; i++) {
			size_t k = below(left);

			taken[i] = shards->item[k];
			shards->item[k] = shards->item[--left];
		}
		text = merge(&(struct texts){ taken, count }, out);
		shards->item[left] = out;
		shards->count = left + 1;
	}
	return text;
}

static void any_tree_of_merges_gives_the_same_bytes(void **state)
{
	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		struct texts shards = { 0 };
		const char *once, *tree;

		random_fleet(false);
		once = merge_at_once();
		random_shards(&shards, 1 + below(6));
		tree = merge_as_tree(&shards);
		assert_string_equal(once, tree);
		/* and again changes nothing */
		assert_string_equal(
			merge_one(path_of("all.facts"), path_of("again")), once);
		clean();
	}
}

/* ---- what is planned from it */

static void assert_plans_alike(const char *one, const char *other, const char *options)
{
	struct shell_result a = shell_run(
		&arena, arena_format(&arena, CPUHERD " plan --from %s %s", one, options));
	struct shell_result b = shell_run(&arena,
		arena_format(&arena, CPUHERD " plan --from %s %s", other, options));

	assert_int_equal(a.status, b.status);
	assert_string_equal(a.out, b.out);
	assert_string_equal(a.err, b.err);
}

static void a_plan_from_merged_facts_is_the_plan_from_the_files(void **state)
{
	(void)state;
	for (int round = 0; round < 12; round++) {
		random_fleet(below(2));
		merge_at_once();
		assert_plans_alike(path_of("all"), path_of("all.facts"),
			below(2) ? "" : "--cross-vendor");
		clean();
	}
}

static void so_it_is_for_every_fleet_of_the_cases(void **state)
{
	struct shell_result cases = shell_run(
		&arena, arena_format(&arena, "cd %s/cases && ls -d */ | grep -v machines",
				TESTS_DIR));
	char *save = NULL;
	size_t count = 0;

	(void)state;
	for (char *c = strtok_r(cases.out, "\n", &save); c;
		c = strtok_r(NULL, "\n", &save)) {
		const char *from = arena_format(&arena, "%s/cases/%s", TESTS_DIR, c);

		merge_one(from, path_of("merged"));
		assert_plans_alike(from, path_of("merged"), "");
		assert_plans_alike(from, path_of("merged"),
			"--allow-unproven --cross-vendor --at-least x86-64-v3");
		count++;
	}
	assert_true(count > 20);
}

/* Each node of the class at a frequency of its own, as calibrated at boot. */
static void write_jittery(const char *path, size_t count)
{
	const char *one = merge_one(path_of("one"), path_of("m"));
	const char *class = strstr(one, "class 1\n"), *nodes = strstr(one, "\nnodes ");
	FILE *f = fopen(path, "w");

	assert_non_null(class);
	assert_non_null(nodes);
	assert_non_null(f);
	class += strlen("class 1\n");
	fprintf(f, "%.*sclass %zu\n%.*s\n", (int)(class - strlen("class 1\n") - one), one,
		count, (int)(nodes - class), class);
	for (size_t i = 0; i < count; i++)
		fprintf(f, "nodes %zu n[%04zu]\n", 2600000 + i * 7, i);
	fprintf(f, "end %zu\n", count);
	assert_int_equal(fclose(f), 0);
}

static void nodes_that_differ_by_their_tsc_alone_are_one_group_in_json(void **state)
{
	struct shell_result r;

	(void)state;
	assert_int_equal(mkdir(path_of("one"), 0700), 0);
	test_write_file(path_of("one/n1.facts"), random_text(true, 0));
	write_jittery(path_of("many"), 1100);
	r = shell_run(&arena,
		arena_format(&arena, CPUHERD " probe --json --from %s", path_of("many")));
	assert_int_equal(r.status, 0);
	assert_contains(r.out, "\n      \"count\": 1100,");
	assert_contains(r.out, "\n  \"nodes\": [],");
	clean();
}

/* ---- refusals */

static const char *merge_says(const char *line)
{
	struct shell_result r = shell_run(
		&arena, arena_format(&arena, "cd %s && %s", folder, line));

	return arena_format(&arena, "%d %s%s", r.status, r.out, r.err);
}

static const char *cpuherd(void)
{
	char here[4096];

	assert_non_null(getcwd(here, sizeof(here)));
	return arena_format(&arena, "%s/" CPUHERD, here);
}

#define LEAF "cpuid 0x1 0 0x306c3 0 0x7ffafbff 0xbfebfbff\n"
#define SHA "3b2c67b2f8f3a3f0a9a4b1a6be4cbf2f6b0cbb7e4e24ae3a4f9f5e2b0d5d1e11"

static void a_node_with_two_sets_of_facts_is_refused_with_both_places(void **state)
{
	const char *says;

	(void)state;
	test_write_file(path_of("a"), "n1: fact kernel 6\nn1: end\n");
	test_write_file(path_of("b"), "n1: fact kernel 7\nn1: end\n");
	says = merge_says(arena_format(&arena, "%s merge a b", cpuherd()));
	assert_string_equal(says, "3 cpuherd: node n1 is there twice, and its facts "
				  "differ: a (n1) and b (n1)\n");
	says = merge_says(arena_format(
		&arena, "%s merge -q --out m a && %s merge m b", cpuherd(), cpuherd()));
	assert_contains(says, "its facts differ: ");
	clean();
}

static void nothing_is_written_where_a_node_is_cut_short(void **state)
{
	const char *says;

	(void)state;
	test_write_file(path_of("a"), "n1: # cpuherd facts 2\nn1: end\nn2: # cpuherd "
				      "facts 2\nn2: source host\n");
	says = merge_says(arena_format(&arena, "%s merge --out m a; ls m", cpuherd()));
	assert_contains(says, "cpuherd: n2: a (n2): the facts are cut short");
	assert_contains(says, "1 of 2 nodes have no facts that can be read (n2): nothing "
			      "was written");
	assert_contains(says, "cannot access 'm'");
	clean();
}

/* Racks that overlap, or a file with itself, have no more nodes than there are. */
static void a_node_of_two_shards_counts_once_towards_the_limit(void **state)
{
	(void)state;
	test_write_file(path_of("a"), "n1: fact kernel 6\nn1: end\n");
	merge_one(path_of("a"), path_of("m"));
	assert_string_equal(
		merge_says(arena_format(&arena,
			"sed 's/^class 1/class 60000/; s/n1$/n[00001-60000]/; "
			"s/^end 1/end 60000/' m >many && "
			"%s merge -q --out again many many && cmp many again",
			cpuherd())),
		"0 ");
	clean();
}

/* Each is a change of a good file by one who means harm, or a lost line. */
static void a_merged_file_that_is_not_whole_is_refused_with_its_line(void **state)
{
	static const struct {
		const char *change, *says;
	} cases[] = {
		{ "$d", ": the file is cut short" },
		{ "s/^end 2/end 3/", "end does not say as many nodes as there are" },
		{ "s/^class 1/class 2/", "the class above has not as many nodes" },
		{ "s/^class 1/class x/", ": class needs the number of its nodes" },
		{ "0,/^cpuid/{/^cpuid/d}", "the body above does not match its digest" },
		{ "0,/^use/s/^use .*/use 00/", ": there is no body of that name" },
		{ "0,/^use/s/^\\(use .*\\)/\\1\\n\\1/", ": a second body of one kind" },
		{ "s/n1$/n[1-4000000000]/", ": a number of more than 9 digits" },
		{ "s/n1$/n[1-400000000]/", ": these are more nodes than the class has" },
		{ "s/n1$/n[1-100001]/; s/^class 1/class 100001/",
			": this makes more than 100000 nodes" },
		{ "s/n1$/n1,n2/", ": nodes needs one pattern of names" },
		{ "s/n1$/root@n1/", ": nodes needs one pattern of names" },
		{ "s/^nodes 0/nodes x/", ": nodes needs kHz and a pattern" },
		{ "s/^fact kernel .*/fact cpus none/", ": not a u32: none" },
		{ "s/^fact kernel .*/source host/", ": the class above holds a body" },
		{ "s/^fact kernel .*/nonsense/", ": no line of a dump begins with: " },
		{ "2i fact kernel 6", "2: this line belongs to no body and no class" },
		{ "s/^body .*/body x/", "2: body needs a SHA-256" },
		{ "$a body " SHA, ": a line behind the end" },
		{ "s/^nodes 0 n1/class 1/", "the class above has no nodes" },
	};

	(void)state;
	test_write_file(path_of("a"),
		"n1: fact kernel 6\nn1: source host\nn1: " LEAF "n1: end\n"
		"n2: fact kernel 7\nn2: source host\nn2: " LEAF "n2: end\n");
	merge_one(path_of("a"), path_of("m"));
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *says = merge_says(
			arena_format(&arena, "sed '%s' m >bad && %s plan --from bad",
				cases[i].change, cpuherd()));

		print_message("  %s\n", cases[i].change);
		assert_contains(says, "3 cpuherd: bad:");
		assert_contains(says, cases[i].says);
	}
	clean();
}

static void the_peer_can_be_had_as_a_program(void **state)
{
	(void)state;
	assert_contains(
		merge_says(arena_format(&arena,
			"%s peer --out p && ./p --version && %s peer >q && cmp p q",
			cpuherd(), cpuherd())),
		"0 cpuherd-peer ");
	assert_contains(merge_says(arena_format(&arena, "%s peer x", cpuherd())), "2 ");
	clean();
}

int main(int argc, char **argv)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(any_tree_of_merges_gives_the_same_bytes),
		cmocka_unit_test(a_plan_from_merged_facts_is_the_plan_from_the_files),
		cmocka_unit_test(so_it_is_for_every_fleet_of_the_cases),
		cmocka_unit_test(
			nodes_that_differ_by_their_tsc_alone_are_one_group_in_json),
		cmocka_unit_test(
			a_node_with_two_sets_of_facts_is_refused_with_both_places),
		cmocka_unit_test(a_node_of_two_shards_counts_once_towards_the_limit),
		cmocka_unit_test(nothing_is_written_where_a_node_is_cut_short),
		cmocka_unit_test(
			a_merged_file_that_is_not_whole_is_refused_with_its_line),
		cmocka_unit_test(the_peer_can_be_had_as_a_program),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(cases, begin, end);
}
