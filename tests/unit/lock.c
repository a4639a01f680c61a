/* cpuherd.lock: what is written reads back, and nothing else is read. */
#include <jansson.h>

#include <stdlib.h>
#include <unistd.h>

#include "coordinator/lock/fields.h"
#include "coordinator/lock/lock.h"
#include "proto/limits.h"
#include "proto/texts.h"
#include "tests/support/test.h"

enum { LOCKS = 200 };

static struct arena arena;
static struct err error;
static uint64_t seed = 1;

static int forget(void **state)
{
	(void)state;
	arena_destroy(&arena);
	return 0;
}

/* ---- random locks */

static const char *random_name(void)
{
	return arena_format(&arena, "n%x", test_random(&seed) % 4096);
}

static const char *random_text(void)
{
	char text[24];
	size_t size = test_random(&seed) % sizeof(text);

	for (size_t i = 0; i < size; i++)
		text[i] = (char)(' ' + test_random(&seed) % 95);
	return arena_text_n(&arena, text, size);
}

static const char *random_digest(void)
{
	const char *digest = "";

	for (int i = 0; i < 8; i++)
		digest = arena_format(&arena, "%s%08x", digest, test_random(&seed));
	return digest;
}

static const char *random_for(const struct field_row *row)
{
	if (row->check == field_is_name)
		return random_name();
	if (row->check("kvm"))
		return row->check("no name") ? random_text() : "kvm";
	return row->check("") ? random_digest()
			      : arena_text_n(&arena, random_digest(), 16);
}

static void record_fill(const struct field_row *rows, void *record)
{
	for (const struct field_row *row = rows; row->key; row++) {
		void *member = (char *)record + row->offset;
		size_t count = test_random(&seed) % 4;

		if (row->kind == FIELD_TEXT)
			*(const char **)member = random_for(row);
		else if (row->kind == FIELD_NUMBER)
			*(uint32_t *)member = test_random(&seed);
		for (size_t i = 0; i < count && row->kind == FIELD_TEXTS; i++)
			assert_rc(texts_add(member, random_for(row), &arena, &error),
				RC_OK, &error);
	}
}

static void *records_new(size_t size, size_t *count)
{
	*count = 1 + test_random(&seed) % 3;
	return arena_alloc(&arena, *count, size);
}

static void nodes_fill(struct lock *l)
{
	l->nodes = records_new(sizeof(*l->nodes), &l->node_count);
	for (size_t i = 0; i < l->node_count; i++) {
		record_fill(lock_node_fields, &l->nodes[i]);
		l->nodes[i].name = random_name();
		l->nodes[i].class = l->classes[i % l->class_count].key;
		l->nodes[i].written = l->writings[i % l->writing_count].key;
	}
}

static struct lock random_lock(void)
{
	struct lock l = { .version = "0.1.0", .catalogue = "libvirt 9.0.0" };

	record_fill(lock_level_fields, &l.level);
	l.options = records_new(sizeof(*l.options), &l.option_count);
	l.classes = records_new(sizeof(*l.classes), &l.class_count);
	l.writings = records_new(sizeof(*l.writings), &l.writing_count);
	for (size_t i = 0; i < l.option_count; i++) {
		record_fill(lock_option_fields, &l.options[i]);
		l.options[i].name = random_name();
	}
	for (size_t i = 0; i < l.class_count; i++) {
		record_fill(lock_class_fields, &l.classes[i]);
		assert_rc(lock_key_class(&l.classes[i], &arena, &error), RC_OK, &error);
	}
	for (size_t i = 0; i < l.writing_count; i++) {
		record_fill(lock_writing_fields, &l.writings[i]);
		assert_rc(
			lock_key_writing(&l.writings[i], &arena, &error), RC_OK, &error);
	}
	nodes_fill(&l);
	lock_settle(&l);
	return l;
}

/* ---- helpers */

static char *print(const struct lock *l)
{
	struct buf out = buf_with_cap(LIMIT_LOCK_BYTES);
	char *text;

	assert_rc(lock_print(l, &out, &error), RC_OK, &error);
	text = arena_text_n(&arena, buf_bytes(&out).data, buf_bytes(&out).size);
	buf_destroy(&out);
	return text;
}

static enum rc parse(const char *text, size_t size, struct lock *out)
{
	return lock_parse((struct bytes){ (const uint8_t *)text, size }, "a.lock", &arena,
		out, &error);
}

static char *put(const char *text, const char *old, const char *new)
{
	const char *at = strstr(text, old);

	assert_non_null(at);
	return arena_format(
		&arena, "%.*s%s%s", (int)(at - text), text, new, at + strlen(old));
}

/* The text with a digest that fits, whatever it says. */
static char *seal(const char *text)
{
	json_t *root = json_loads(text, 0, NULL);
	char hex[65], *dumped, *sealed;

	assert_non_null(root);
	json_object_del(root, "digest");
	assert_true(fields_digest(root, hex));
	json_object_set_new(root, "digest", json_string(hex));
	dumped = json_dumps(root, JSON_INDENT(2) | JSON_SORT_KEYS);
	sealed = arena_text(&arena, dumped);
	free(dumped);
	json_decref(root);
	return sealed;
}

/* ---- tests */

static void what_is_written_reads_back_and_gives_the_same_bytes(void **state)
{
	(void)state;
	for (int i = 0; i < LOCKS; i++) {
		struct lock lock = random_lock(), again;
		char *text = print(&lock);

		assert_rc(parse(text, strlen(text), &again), RC_OK, &error);
		assert_string_equal(print(&again), text);
		assert_string_equal(again.level.model, lock.level.model);
		assert_int_equal(again.node_count, lock.node_count);
	}
}

static void the_order_in_which_it_was_made_does_not_show(void **state)
{
	(void)state;
	for (int i = 0; i < LOCKS; i++) {
		struct lock lock = random_lock();
		char *text = print(&lock);
		struct lock_node first = lock.nodes[0];

		lock.nodes[0] = lock.nodes[lock.node_count - 1];
		lock.nodes[lock.node_count - 1] = first;
		lock_settle(&lock);
		assert_string_equal(print(&lock), text);
	}
}

static void no_part_of_it_is_taken_for_the_whole(void **state)
{
	struct lock lock = random_lock(), out;
	char *text = print(&lock);

	(void)state;
	/* without its last newline it is the same */
	for (size_t size = 0; size + 1 < strlen(text); size++) {
		assert_int_equal(parse(text, size, &out), RC_INPUT);
		assert_contains(error.text, "a.lock");
	}
}

static void a_damaged_byte_is_found_or_does_not_matter(void **state)
{
	struct lock lock = random_lock(), out;
	char *text = print(&lock), *whole = arena_text(&arena, text);
	size_t size = strlen(text);

	(void)state;
	for (size_t i = 0; i < size; i++) {
		char was = text[i];

		text[i] = (char)(was ^ (1 << test_random(&seed) % 7));
		if (parse(text, size, &out) == RC_OK)
			assert_string_equal(print(&out), whole);
		else
			assert_contains(error.text, "a.lock");
		text[i] = was;
	}
}

static void what_is_refused_is_said_with_file_and_place(void **state)
{
	static const struct {
		const char *old, *new, *says;
		bool seals; /* somebody made a digest that fits */
	} cases[] = {
		{ "{\n", "{\n<<<<<<< HEAD\n", "a.lock:2:1: ", false },
		{ "\"model\": \"", "\"model\": \"x", "changed since cpuherd wrote it",
			false },
		{ "\"format\": 1", "\"format\": 2", "the newer cpuherd that wrote it",
			true },
		{ "\"format\": 1", "\"form\": 1", "no lock of cpuherd's", true },
		{ "\"model\": \"", "\"model\": \"../", "level: model is not what", true },
		{ "\"virt_type\": \"kvm", "\"virt_type\": \"xen",
			"level: virt_type is not what", true },
		{ "\"maxphysaddr\": ", "\"maxphysaddr\": -", "level: maxphysaddr is not",
			true },
		{ "\"nodes\": {", "\"nodes\": {\"n[1-9]\": {},",
			"nodes: n[1-9]: this is not one", true },
		{ "\"nodes\": {", "\"nodes\": {\"new\": {},", "nodes: new: it has no",
			true },
		{ "\"level\": {", "\"level\": {\"more\": 1,", "keys that this cpuherd",
			true },
		{ "\"class\": \"", "\"class\": \"z", "class is not what", true },
		{ "\"written\": {", "\"rewritten\": {", "it has no written", true },
	};
	struct lock lock = random_lock(), out;
	char *text;

	(void)state;
	lock.level.maxphysaddr = 46;
	text = print(&lock);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char *wrong = put(text, cases[i].old, cases[i].new);

		wrong = cases[i].seals ? seal(wrong) : wrong;
		assert_rc(parse(wrong, strlen(wrong), &out), RC_INPUT, &error);
		assert_contains(error.text, cases[i].says);
	}
}

static void a_node_without_its_class_is_refused(void **state)
{
	struct lock lock = random_lock(), out;
	char *text;

	(void)state;
	lock.nodes[0].class = "0123456789abcdef";
	text = print(&lock);
	assert_rc(parse(text, strlen(text), &out), RC_INPUT, &error);
	assert_contains(error.text, "its class or what was written is not there");
}

static void ten_thousand_nodes_are_written_and_read(void **state)
{
	enum { MANY = 10000 };
	struct lock lock = random_lock(), out;
	struct lock_node *nodes = arena_alloc(&arena, MANY, sizeof(*nodes));
	char *text;

	(void)state;
	for (size_t i = 0; i < MANY; i++) {
		nodes[i] = lock.nodes[0];
		nodes[i].name = arena_format(&arena, "node%zu", i);
		nodes[i].cmdline = arena_format(&arena, "root=UUID=%zu quiet", i);
	}
	lock.nodes = nodes;
	lock.node_count = MANY;
	lock_settle(&lock);
	text = print(&lock);
	assert_rc(parse(text, strlen(text), &out), RC_OK, &error);
	assert_int_equal(out.node_count, MANY);
	assert_string_equal(
		lock_find_node(&out, "node777")->cmdline, "root=UUID=777 quiet");
}

static void a_name_is_a_host_and_no_pattern(void **state)
{
	static const char *const good[] = { "node01", "10.0.0.1:2201",
		"[fe80::1%eth0]:22", "a_b.example.org" };
	static const char *const bad[] = { "", "-x", "n[1-3]", "a b", "a,b", "a!b", "a/b",
		"a\nb", "root@a", "^a", "@file", "a\"b" };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_true(lock_is_node_name(good[i]));
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_false(lock_is_node_name(bad[i]));
}

static void texts_of_nodes_are_printable_ascii(void **state)
{
	(void)state;
	assert_string_equal(lock_text(&arena, "a\033[2J\xc3\xa4\n b"), "a?[2J??? b");
}

static void a_file_that_is_not_there_is_no_lock_and_a_folder_is_an_error(void **state)
{
	struct lock lock;
	bool found = true;

	(void)state;
	assert_rc(lock_read("/nonexistent/a.lock", &arena, &lock, &found, &error), RC_OK,
		&error);
	assert_false(found);
	assert_rc(lock_read("/tmp", &arena, &lock, &found, &error), RC_INPUT, &error);
	assert_contains(error.text, "/tmp: Is a directory");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_reads_back_and_gives_the_same_bytes),
		cmocka_unit_test(the_order_in_which_it_was_made_does_not_show),
		cmocka_unit_test(no_part_of_it_is_taken_for_the_whole),
		cmocka_unit_test(a_damaged_byte_is_found_or_does_not_matter),
		cmocka_unit_test(what_is_refused_is_said_with_file_and_place),
		cmocka_unit_test(a_node_without_its_class_is_refused),
		cmocka_unit_test(ten_thousand_nodes_are_written_and_read),
		cmocka_unit_test(a_name_is_a_host_and_no_pattern),
		cmocka_unit_test(texts_of_nodes_are_printable_ascii),
		cmocka_unit_test(
			a_file_that_is_not_there_is_no_lock_and_a_folder_is_an_error),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, NULL, forget);
}
