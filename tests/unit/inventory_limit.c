/* --limit: which of the nodes remain. */
#include <unistd.h>

#include "tests/support/nodes.h"
#include "tests/support/test.h"

static const char fleet[] =
	"{\"all\": {\"children\": [\"ungrouped\", \"web\", \"prod\", \"web7\"]},\n"
	" \"ungrouped\": {\"hosts\": [\"solo\"]},\n"
	" \"web\": {\"hosts\": [\"web1\", \"web2\", \"web3\"]},\n"
	" \"db\": [\"db1\", \"web3\"],\n"
	" \"prod\": {\"hosts\": [\"p1\"], \"children\": [\"db\", \"empty\"]},\n"
	" \"web7\": {\"hosts\": [\"web7\", \"web8\"]},\n"
	" \"_meta\": {\"hostvars\": {\"db1\": {\"ansible_host\": \"127.0.0.1\"}}}}\n";

static const char list[] = "n[1-3],h:1,h:2,[::1]:22,root@admin.example.org";

/* Text of what is left of the fleet (of the list: `from_list`); "!text" is an error. */
static char *limited(struct arena *a, bool from_list, const char *const *limits)
{
	struct inventory inv = { 0 };
	struct err e = { 0 };
	enum rc rc = from_list ? inventory_add_argument(&inv, list, a, &e)
			       : nodes_read(&inv, fleet, sizeof(fleet) - 1, a, &e);

	for (; *limits && rc == RC_OK; limits++)
		rc = inventory_limit(&inv, *limits, a, &e);
	if (rc == RC_OK)
		rc = inventory_settle(&inv, a, &e);
	if (rc == RC_OK)
		return nodes_text(a, &inv);
	assert_int_equal(rc, RC_INPUT);
	return arena_format(a, "!%s", e.text);
}

static const struct row {
	const char *limit, *left;
} of_fleet[] = {
	{ "all", "solo web1 web2 web3 p1 db1=127.0.0.1 web7 web8" },
	{ "*", "solo web1 web2 web3 p1 db1=127.0.0.1 web7 web8" },
	{ "web1", "web1" },
	{ "web[2-9]", "web2 web3 web7 web8" },
	{ "web[2,3],solo", "solo web2 web3" },
	{ "web", "web1 web2 web3" },
	{ "prod", "web3 p1 db1=127.0.0.1" },
	{ "prod,web", "web1 web2 web3 p1 db1=127.0.0.1" },
	{ "web,&prod", "web3" },
	{ "&prod,web", "web3" },
	{ "web,!web[1-2]", "web3" },
	{ "!web1,web", "web2 web3" },
	{ "!prod", "solo web1 web2 web7 web8" },
	{ "&prod,!db", "p1" },
	{ "db?", "db1=127.0.0.1" },
	{ "w*1", "web1" },
	{ "*od", "web3 p1 db1=127.0.0.1" },
	{ "ungroup*", "solo" },
	{ "web7", "web7 web8" }, /* a group goes before a node, as with Ansible */
	{ "db1", "db1=127.0.0.1" },
	{ "root@web1", "web1" },
	{ "empty", "!empty names no node of this run" },
	{ "127.0.0.1", "!127.0.0.1 names no node of this run" },
	{ "web,!web9", "!'web,!web9', column 5: web9 names no node of this run" },
	{ "web,&solo,&prod", "" },
	{ "x*", "!x* names no node of this run" },
	{ "web,", "!'web,', column 5: an empty word" },
	{ "web[1-2]*", "!web[1-2]*: brackets are ranges here and "
		       "go with no '*' or '?'" },
	{ "~web.*", "!~web.*: regular expressions are not read; '*' "
		    "and '?' are" },
	{ "web1!web2", "!'web1!web2', column 1: '!' in it; words are joined by ','" },
	{ "@/nonexistent", "!'@/nonexistent', column 1: /nonexistent: No such file or "
			   "directory" },
}, of_list[] = {
	{ "n1", "n1" },
	{ "h", "h:1 h:2" },
	{ "h:2,n[2-3]", "n2 n3 h:2" },
	{ "[::1]:22", "::1:22" },
	{ "[::1]", "::1:22" },
	{ "admin*", "root@admin.example.org" },
	{ "h?1", "h:1" },
	{ "h:*", "h:1 h:2" },
	{ "all,!h:1", "n1 n2 n3 h:2 ::1:22 root@admin.example.org" },
	{ "web", "!web names no node of this run" },
};

static void a_limit_keeps_what_its_words_say_in_the_order_of_the_nodes(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(of_fleet) / sizeof(of_fleet[0]); i++) {
		struct arena a = { 0 };
		const char *const limits[] = { of_fleet[i].limit, NULL };

		assert_string_equal(limited(&a, false, limits), of_fleet[i].left);
		arena_destroy(&a);
	}
	for (size_t i = 0; i < sizeof(of_list) / sizeof(of_list[0]); i++) {
		struct arena a = { 0 };
		const char *const limits[] = { of_list[i].limit, NULL };

		assert_string_equal(limited(&a, true, limits), of_list[i].left);
		arena_destroy(&a);
	}
}

static void several_limits_are_one(void **state)
{
	static const char *const limits[] = { "web1", "!web3", "prod", NULL };
	struct arena a = { 0 };

	(void)state;
	assert_string_equal(limited(&a, false, limits), "web1 p1 db1=127.0.0.1");
	arena_destroy(&a);
}

/* What the file is about does not matter: text, or the JSON of a run before. */
static void a_limit_may_be_a_file_of_nodes(void **state)
{
	static const struct {
		const char *content, *left;
	} rows[] = {
		{ "web2  # TIMEOUT: too slow\nroot@solo\n", "solo web2" },
		{ "web[1-3],^web1\n", "web2 web3" },
		{ "{\"all\": {\"hosts\": [\"db1\"]}, \"_meta\": {\"hostvars\": {\"db1\": "
		  "{\"ansible_host\": \"127.0.0.1\"}}}}",
			"db1=127.0.0.1" },
		{ "web2\nweb9\n", "FILE: web9 names no node of this run" },
		{ "# nothing\n", "names no node of this run" },
		{ "", "names no node of this run" },
		{ "web2\nx y\n", "FILE:2:2: ' ' where" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		static const char path[] = "unit_inventory_limit.nodes";
		const char *limits[] = { "@unit_inventory_limit.nodes", NULL };
		struct arena a = { 0 };
		char *left;

		test_write_file(path, rows[i].content);
		left = limited(&a, false, limits);
		if (strncmp(rows[i].left, "FILE", 4) == 0)
			assert_contains(
				left, arena_format(&a, "%s%s", path, rows[i].left + 4));
		else if (left[0] == '!')
			assert_contains(left, rows[i].left);
		else
			assert_string_equal(left, rows[i].left);
		assert_int_equal(unlink(path), 0);
		arena_destroy(&a);
	}
}

/* Neither hides the words of the other: node n1 may be given up in a rerun. */
static void limits_and_exclusions_are_held_against_all_nodes(void **state)
{
	struct arena a = { 0 };
	struct inventory inv = { 0 };
	struct err e = { 0 };

	(void)state;
	inventory_add_argument(&inv, "n[1-9],^n3", &a, &e);
	assert_rc(inventory_limit(&inv, "n[1-3]", &a, &e), RC_OK, &e);
	assert_rc(inventory_leave_out(&inv, "n1,n8", &a, &e), RC_OK, &e);
	assert_rc(inventory_settle(&inv, &a, &e), RC_OK, &e);
	assert_string_equal(nodes_text(&a, &inv), "n2");
	arena_destroy(&a);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_limit_keeps_what_its_words_say_in_the_order_of_the_nodes),
		cmocka_unit_test(several_limits_are_one),
		cmocka_unit_test(a_limit_may_be_a_file_of_nodes),
		cmocka_unit_test(limits_and_exclusions_are_held_against_all_nodes),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
