/* What inventory_write() writes, inventory_add_file() reads: the same nodes. */
#include <stdlib.h>

#include "tests/support/nodes.h"
#include "tests/support/test.h"

static uint64_t seed = 4711;

static int below(int n)
{
	return (int)(test_random(&seed) % (uint32_t)n);
}

static char *written(struct arena *a, const struct inventory *inv,
	const char *const *reasons, struct err *e)
{
	struct buf out = buf_with_cap(1024 * 1024);
	char *text;

	assert_rc(inventory_write(inv, reasons, &out, e), RC_OK, e);
	text = arena_text_n(a, buf_bytes(&out).data, buf_bytes(&out).size);
	buf_destroy(&out);
	return text;
}

static void plain_nodes_are_written_as_lines_with_their_reasons(void **state)
{
	static const char *const reasons[] = { "TIMEOUT: no # answer", NULL, "", "x" };
	struct arena a = { 0 };
	struct inventory inv = { 0 };
	struct err e = { 0 };

	(void)state;
	inventory_add_argument(&inv, "root@n1:22,n2,n3,adm@[::1]", &a, &e);
	assert_string_equal(written(&a, &inv, reasons, &e),
		"root@n1:22  # TIMEOUT: no # answer\nn3\nadm@[::1]  # x\n");
	arena_destroy(&a);
}

static void no_failed_node_makes_no_byte(void **state)
{
	static const char *const reasons[] = { NULL, NULL };
	static const char json[] = "{\"all\": [\"a\", \"b\"], \"_meta\": {\"hostvars\": "
				   "{\"a\": {\"ansible_become\": true}}}}";
	struct arena a = { 0 };
	struct inventory inv = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_rc(nodes_read(&inv, json, sizeof(json) - 1, &a, &e), RC_OK, &e);
	assert_string_equal(written(&a, &inv, reasons, &e), "");
	arena_destroy(&a);
}

/* A reason may hold what a node sent. */
static void reasons_in_json_are_ascii(void **state)
{
	static const char *const reasons[] = { "SSH: \"\xff\xc3\xa4\x1b\"" };
	static const char json[] = "{\"all\": [\"a\"], \"_meta\": {\"hostvars\": {\"a\": "
				   "{\"ansible_host\": \"127.0.0.1\"}}}}";
	struct arena a = { 0 };
	struct inventory inv = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_rc(nodes_read(&inv, json, sizeof(json) - 1, &a, &e), RC_OK, &e);
	assert_contains(written(&a, &inv, reasons, &e),
		"\"cpuherd_failed\": \"SSH: \\\"????\\\"\"");
	arena_destroy(&a);
}

/* ---- the property */

static const char *random_one_of(const char *const *texts, size_t count)
{
	return texts[below((int)count)];
}

#define ONE_OF(...) \
	random_one_of((const char *const[]){ __VA_ARGS__ }, \
		sizeof((const char *const[]){ __VA_ARGS__ }) / sizeof(char *))

/* Nodes as a user may write them, in either form. */
static void random_nodes(struct arena *a, struct inventory *inv)
{
	int plain = below(6), hosts = below(3) ? below(6) : 0;
	struct buf json = buf_with_cap(64 * 1024);
	struct err e = { 0 };

	buf_format(&json, "{\"all\": [\"x\"");
	for (int i = 0; i < hosts; i++)
		buf_format(&json, ",\"%s%d\"", ONE_OF("h", "::", "n"), i);
	buf_format(&json, "], \"_meta\": {\"hostvars\": {\"-\": {}");
	for (int i = 0; i < 6; i++)
		for (int kind = 0; kind < 3; kind++)
			buf_format(&json, ", \"%s%d\": {%s}",
				((const char *const[]){ "h", "::", "n" })[kind], i,
				ONE_OF("", "\"ansible_host\": \"127.0.0.1\"",
					"\"ansible_port\": 22", "\"ansible_user\": \"u\"",
					"\"ansible_host\": \"::1\", \"ansible_port\": 1, "
					"\"ansible_user\": \"CORP\\\\u$\"",
					"\"ansible_become\": true",
					"\"ansible_become\": \"no\", "
					"\"ansible_private_key_file\": \"~/a "
					"\\\"b\\\"\""));
	buf_format(&json, "}}}");
	if (hosts)
		assert_rc(nodes_read(inv, buf_bytes(&json).data, buf_bytes(&json).size, a,
				  &e),
			RC_OK, &e);
	for (int i = 0; i < plain; i++) {
		const char *text = arena_format(a, "%s%s%s",
			ONE_OF("", "root@", "C\\a+$@"),
			ONE_OF("n[1-3]", "h1", "[::1]", "[fe80::1%eth0]", "a-b.c_d"),
			ONE_OF("", ":1", ":65535"));

		assert_rc(inventory_add_argument(inv, text, a, &e), RC_OK, &e);
	}
	buf_destroy(&json);
}

static void nodes_come_back_as_they_were_written(void **state)
{
	size_t as_json = 0, as_lines = 0;

	(void)state;
	for (int round = 0; round < 2000; round++) {
		struct inventory inv = { 0 }, wanted = { 0 }, again = { 0 };
		struct arena a = { 0 };
		struct err e = { 0 };
		const char **reasons;
		char *text;

		random_nodes(&a, &inv);
		reasons = arena_alloc(&a, inv.count + 1, sizeof(*reasons));
		wanted.nodes = arena_alloc(&a, inv.count + 1, sizeof(*wanted.nodes));
		for (size_t i = 0; i < inv.count; i++) {
			if (below(4) == 0)
				continue;
			reasons[i] = ONE_OF("", "X: # {\"", "TIMEOUT: it's, ^slow!");
			wanted.nodes[wanted.count++] = inv.nodes[i];
		}
		text = written(&a, &inv, reasons, &e);
		as_json += text[0] == '{';
		as_lines += text[0] && text[0] != '{';
		assert_rc(nodes_read(&again, text, strlen(text), &a, &e), RC_OK, &e);
		assert_string_equal(nodes_text(&a, &again), nodes_text(&a, &wanted));
		for (size_t i = 0; i < again.count; i++)
			assert_string_equal(again.nodes[i].name, wanted.nodes[i].name);
		assert_rc(inventory_settle(&again, &a, &e), RC_OK, &e);
		arena_destroy(&a);
	}
	print_message("%zu as JSON, %zu as lines\n", as_json, as_lines);
	assert_true(as_json > 200 && as_lines > 200);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_nodes_are_written_as_lines_with_their_reasons),
		cmocka_unit_test(no_failed_node_makes_no_byte),
		cmocka_unit_test(reasons_in_json_are_ascii),
		cmocka_unit_test(nodes_come_back_as_they_were_written),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
