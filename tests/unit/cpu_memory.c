/* Short of memory: each request of the pure part (coordinator/cpu, coordinator/render)
 * fails in turn.  It must say so, or give the answer that it gives with memory; another
 * answer would be a level that nobody agreed on.
 *
 * Linked with --wrap, so that the arena's functions are those below.
 */
#include <stdlib.h>

#include "coordinator/cpu/levelxml.h"
#include "coordinator/cpu/pools.h"
#include "coordinator/render/format.h"
#include "coordinator/render/libvirt.h"
#include "proto/dump.h"
#include "proto/limits.h"
#include "tests/support/test.h"

/* ---- the arena */

static size_t requests, failing; /* so many so far; the one that fails, from 1 */

static bool fails(void)
{
	return ++requests == failing;
}

void *__real_arena_alloc(struct arena *a, size_t count, size_t size);
void *__real_arena_grow(struct arena *a, void *array, size_t count, size_t size);
char *__real_arena_text(struct arena *a, const char *s);
char *__real_arena_text_n(struct arena *a, const void *s, size_t n);
void *__wrap_arena_alloc(struct arena *a, size_t count, size_t size);
void *__wrap_arena_grow(struct arena *a, void *array, size_t count, size_t size);
char *__wrap_arena_text(struct arena *a, const char *s);
char *__wrap_arena_text_n(struct arena *a, const void *s, size_t n);
char *__wrap_arena_format(struct arena *a, const char *fmt, ...);

void *__wrap_arena_alloc(struct arena *a, size_t count, size_t size)
{
	return fails() ? NULL : __real_arena_alloc(a, count, size);
}

void *__wrap_arena_grow(struct arena *a, void *array, size_t count, size_t size)
{
	return fails() ? NULL : __real_arena_grow(a, array, count, size);
}

char *__wrap_arena_text(struct arena *a, const char *s)
{
	return fails() ? NULL : __real_arena_text(a, s);
}

char *__wrap_arena_text_n(struct arena *a, const void *s, size_t n)
{
	return fails() ? NULL : __real_arena_text_n(a, s, n);
}

char *__wrap_arena_format(struct arena *a, const char *fmt, ...)
{
	char *text, *copy;
	va_list args;
	int n;

	va_start(args, fmt);
	n = vasprintf(&text, fmt, args);
	va_end(args);
	assert_true(n >= 0);
	copy = fails() ? NULL : __real_arena_text(a, text);
	free(text);
	return copy;
}

/* ---- from facts to texts */

enum { NODES = 3 };

static struct judging {
	const struct node_facts *facts;
	size_t count;
	struct arena arena;
	struct catalogue *catalogue;
	struct offer offers[NODES];
	struct conditions conditions;
	struct wishes wishes;
	struct level level;
	struct buf said; /* all that came out */
} judging;

static enum rc say_level(struct judging *j, const struct level *l, struct err *e)
{
	return render_libvirt_cpu(&j->said, l, e);
}

static enum rc make_offers(struct judging *j, struct err *e)
{
	enum rc rc = RC_OK;

	j->catalogue = catalogue_new(&j->arena, e);
	if (!j->catalogue)
		return e->code;
	for (size_t i = 0; i < j->count && rc == RC_OK; i++)
		rc = offer_from_facts(j->catalogue, &j->facts[i], VIRT_KVM, OFFER_RAW,
			&j->arena, &j->offers[i], e);
	offers_settle_floating(j->offers, j->count);
	return rc;
}

static enum rc make_level(struct judging *j, struct err *e)
{
	j->conditions = (struct conditions){ j->catalogue, j->facts, j->offers, j->count,
		VIRT_KVM, .arena = &j->arena };
	if (conditions_begin(&j->conditions, e) != RC_OK ||
		conditions_choose(&j->conditions, &j->wishes, bitset_choose(NULL),
			&j->level, e) != RC_OK)
		return e->code;
	return say_level(j, &j->level, e);
}

static enum rc make_remarks(struct judging *j, struct err *e)
{
	enum rc rc = conditions_remark(&j->conditions, &j->level, e);

	for (size_t i = 0; i < j->conditions.remark_count && rc == RC_OK; i++)
		buf_format(&j->said, "%s\n", j->conditions.remarks[i].text);
	return rc;
}

static enum rc make_documents(struct judging *j, struct err *e)
{
	static const char *const as[][2] = { { "qemu", NULL }, { "nova", "queens" },
		{ "nova", "rocky" }, { "devstack", NULL }, { "kubevirt", NULL },
		{ "json", NULL } };
	enum rc rc = RC_OK;

	for (size_t i = 0; i < sizeof(as) / sizeof(as[0]) && rc == RC_OK; i++) {
		struct format_request r = { .level = &j->level,
			.catalogue = j->catalogue,
			.name = "memory",
			.nova_release = as[i][1] };
		struct texts notes;

		rc = format_write(as[i][0], &r, &j->arena, &j->said, &notes, e);
		if (rc == RC_FORMAT)
			rc = RC_OK;
	}
	return rc;
}

static enum rc read_again(struct judging *j, struct err *e)
{
	struct buf xml = buf_with_cap(LIMIT_PLACE_BYTES);
	struct bitset open;
	struct level again;
	enum rc rc = render_libvirt_cpu(&xml, &j->level, e);

	buf_append(&xml, "", 1);
	if (rc == RC_OK)
		rc = levelxml_read(j->catalogue, (const char *)buf_bytes(&xml).data, "it",
			VIRT_KVM, &j->arena, &again, &open, e);
	buf_destroy(&xml);
	return rc == RC_OK ? say_level(j, &again, e) : rc;
}

static enum rc make_pools(struct judging *j, struct err *e)
{
	struct pool *pools;
	size_t count;
	enum rc rc = pools_choose(
		&j->conditions, &j->wishes, bitset_choose(NULL), &pools, &count, e);

	for (size_t i = 0; rc == RC_OK && i < count; i++)
		if (pools[i].why.code == RC_OK)
			rc = say_level(j, &pools[i].level, e);
		else
			rc = pools[i].why.code;
	return rc;
}

static enum rc judge(struct judging *j, struct err *e)
{
	enum rc rc;

	if (make_offers(j, e) != RC_OK)
		return e->code;
	rc = make_level(j, e);
	if (rc == RC_LEVEL)
		return make_pools(j, e);
	if (rc != RC_OK || make_remarks(j, e) != RC_OK || make_documents(j, e) != RC_OK)
		return e->code;
	return read_again(j, e);
}

/* ---- the test */

static enum rc run(const struct node_facts *facts, size_t count, size_t fail_at,
	struct buf *said, struct err *e)
{
	enum rc rc;

	judging = (struct judging){
		.facts = facts, .count = count, .said = buf_with_cap(LIMIT_BODY_BYTES)
	};
	requests = 0;
	failing = fail_at;
	rc = judge(&judging, e);
	failing = 0;
	*said = judging.said;
	arena_destroy(&judging.arena);
	return rc;
}

static void read_facts(const char *folder, size_t count, struct arena *arena,
	struct node_facts facts[static NODES])
{
	for (size_t i = 0; i < count; i++) {
		const char *path = arena_format(
			arena, "%s/cases/%s/node0%zu.facts", TESTS_DIR, folder, i + 1);
		const char *text = test_read_file(arena, path);
		struct bytes in = { (const uint8_t *)text, strlen(text) };
		struct err e;

		assert_rc(dump_read(in, path, arena, &facts[i], &e), RC_OK, &e);
	}
}

static bool same_bytes(const struct buf *a, const struct buf *b)
{
	struct bytes x = buf_bytes(a), y = buf_bytes(b);

	return x.size == y.size && memcmp(x.data, y.data, x.size) == 0;
}

static void check_folder(const char *folder, size_t count)
{
	struct node_facts facts[NODES];
	struct arena arena = { 0 };
	struct buf whole, part;
	size_t all;
	struct err e;

	read_facts(folder, count, &arena, facts);
	assert_rc(run(facts, count, 0, &whole, &e), RC_OK, &e);
	all = requests;
	for (size_t n = 1; n <= all; n++) {
		enum rc rc = run(facts, count, n, &part, &e);

		if (rc != RC_MEMORY && (rc != RC_OK || !same_bytes(&whole, &part)))
			fail_msg("%s: request %zu of %zu fails: status %s, %s", folder, n,
				all, rc_name(rc), rc == RC_OK ? "another text" : e.text);
		buf_destroy(&part);
	}
	buf_destroy(&whole);
	arena_destroy(&arena);
}

static void short_of_memory_no_other_level_comes_out(void **state)
{
	(void)state;
	check_folder("coffeelake+cascadelake-registers", 2);
	check_folder("sandybridge+haswell+skylake", 3);
}

static void short_of_memory_no_other_pools_come_out(void **state)
{
	(void)state;
	check_folder("haswell+naples-mixed-vendors", 2);
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(short_of_memory_no_other_level_comes_out),
		cmocka_unit_test(short_of_memory_no_other_pools_come_out),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
