/* Names folded to patterns, held against what pattern.h makes of them. */
#include "coordinator/inventory/fold.h"

#include <stdlib.h>

#include "coordinator/inventory/inventory.h"
#include "proto/texts.h"
#include "tests/support/test.h"

enum { ROUNDS = 400, NAMES_MAX = 60, WIDTH = 255 };

static struct texts fold(struct arena *arena, const struct texts *names, size_t width)
{
	struct texts out = { 0 };
	struct err e;

	assert_rc(fold_names(names, width, arena, &out, &e), RC_OK, &e);
	return out;
}

static const char *fold_words(struct arena *arena, const char *words)
{
	struct texts names = { 0 }, out;
	char *copy = arena_text(arena, words), *save = NULL;
	struct err e;

	for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save))
		assert_rc(texts_add(&names, w, arena, &e), RC_OK, &e);
	out = fold(arena, &names, WIDTH);
	return texts_join_with(&out, " ", arena);
}

static void names_fold_as_a_person_would(void **state)
{
	static const char *const cases[][2] = {
		{ "node02 node01 node03", "node[01-03]" },
		{ "node1 node2 node10 node9", "node[1-2,9-10]" },
		{ "node098 node099 node100 node101", "node[098-101]" },
		{ "n7", "n7" },
		{ "alpha beta", "alpha beta" },
		{ "node node1 node2 node0", "node node[0-2]" },
		{ "node0 node", "node node0" },
		{ "node node0", "node node0" },
		{ "r1n1 r1n2 r2n1", "r1n[1-2] r2n1" },
		{ "a1.x.org a2.x.org a1.y.org", "a[1-2].x.org a1.y.org" },
		{ "10.0.0.1 10.0.0.2", "10.0.0.[1-2]" },
		{ "node1-ib node2-ib", "node[1-2]-ib" },
		/* a port is no part of a name's text, and a number too long is text */
		{ "n:22 n:23", "n:22 n:23" },
		{ "n0000000001 n0000000002", "n0000000001 n0000000002" },
		{ "n01 n1 n001", "n1 n01 n001" },
	};
	struct arena arena = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		assert_string_equal(fold_words(&arena, cases[i][0]), cases[i][1]);
	arena_destroy(&arena);
}

static const char *random_name(struct arena *arena, uint64_t *seed)
{
	static const char *const prefixes[] = { "node", "n", "x-ib", "10.0.", "" };
	static const char *const suffixes[] = { "", ".example.org", "-ib", ".x1" };
	uint32_t number = test_random(seed) % 130;
	int width = (int)(test_random(seed) % 4);

	if (test_random(seed) % 8 == 0)
		return prefixes[test_random(seed) % 3];

	return arena_format(arena, "%s%0*u%s", prefixes[test_random(seed) % 5], width,
		number, suffixes[test_random(seed) % 4]);
}

static void shuffle(struct texts *t, uint64_t *seed)
{
	for (size_t i = t->count; i > 1; i--) {
		size_t k = test_random(seed) % i;
		const char *kept = t->item[i - 1];

		t->item[i - 1] = t->item[k];
		t->item[k] = kept;
	}
}

static void assert_reads_back(
	struct arena *arena, const struct texts *names, const struct texts *patterns)
{
	struct inventory inv = { 0 };
	struct err e;

	for (size_t i = 0; i < patterns->count; i++) {
		assert_true(strlen(patterns->item[i]) <= WIDTH);
		assert_rc(inventory_add_argument(&inv, patterns->item[i], arena, &e),
			RC_OK, &e);
	}
	assert_int_equal(inv.count, names->count);
	for (size_t i = 0; i < inv.count; i++)
		assert_true(texts_have(names, inv.nodes[i].name));
}

static void any_names_read_back_whatever_their_order(void **state)
{
	uint64_t seed = 77;

	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		struct arena arena = { 0 };
		struct texts names = { 0 }, first, again;
		size_t count = 1 + test_random(&seed) % NAMES_MAX;
		struct err e;

		for (size_t i = 0; i < count; i++) {
			const char *name = random_name(&arena, &seed);

			if (!texts_have(&names, name))
				assert_rc(texts_add(&names, name, &arena, &e), RC_OK, &e);
		}
		first = fold(&arena, &names, WIDTH);
		assert_reads_back(&arena, &names, &first);
		shuffle(&names, &seed);
		again = fold(&arena, &names, WIDTH);
		assert_string_equal(texts_join_with(&first, " ", &arena),
			texts_join_with(&again, " ", &arena));
		arena_destroy(&arena);
	}
}

static void a_long_list_goes_on_in_the_next_pattern(void **state)
{
	struct arena arena = { 0 };
	struct texts names = { 0 }, out;
	struct err e;

	(void)state;
	for (unsigned i = 0; i < 500; i++)
		assert_rc(texts_add(&names, arena_format(&arena, "node%u.x.org", 2 * i),
				  &arena, &e),
			RC_OK, &e);
	out = fold(&arena, &names, WIDTH);
	assert_in_range(out.count, 8, 16);
	assert_reads_back(&arena, &names, &out);
	arena_destroy(&arena);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(names_fold_as_a_person_would),
		cmocka_unit_test(any_names_read_back_whatever_their_order),
		cmocka_unit_test(a_long_list_goes_on_in_the_next_pattern),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(cases, NULL, NULL);
}
