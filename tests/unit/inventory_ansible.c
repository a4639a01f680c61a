/* Ansible's inventories: what is taken over, what is refused, and how it is said. */
#include <stdlib.h>
#include <unistd.h>

#include "tests/support/nodes.h"
#include "tests/support/shell.h"
#include "tests/support/test.h"

/* An inventory of one host "h" with these variables. */
#define HOST(vars) \
	"{\"all\": {\"hosts\": [\"h\"]}, \"_meta\": {\"hostvars\": {\"h\": {" vars "}}}" \
	"}"

static const struct row {
	const char *json, *expected;
} rows[] = {
	{ "{}", "" },
	{ " \r\n\t{\"all\": [\"b\", \"a\", \"b\"]}", "b a" },
	/* from all downwards, a group's own hosts first; then who is not below it */
	{ "{\"x\": {\"hosts\": [\"x1\", \"m1\"]},"
	  "\"all\": {\"children\": [\"m\", \"nowhere\", \"z\"], \"hosts\": [\"a1\"]},"
	  "\"m\": {\"hosts\": [\"m1\"], \"children\": [\"n\"]},"
	  "\"n\": {\"hosts\": [\"n1\"]},"
	  "\"z\": {\"hosts\": [\"z1\"], \"children\": [\"n\"], \"vars\": {\"colour\": "
	  "1}}}",
		"a1 m1 n1 z1 x1" },
	{ HOST("\"ansible_host\": \"10.0.0.1\""), "h=10.0.0.1" },
	{ HOST("\"ansible_host\": \"h\""), "h" },
	{ HOST("\"ansible_host\": null, \"ansible_port\": null"), "h" },
	{ HOST("\"ansible_host\": \"fe80::1%eth0\""), "h=fe80::1%eth0" },
	{ HOST("\"ansible_port\": 2222"), "h=h:2222" },
	{ HOST("\"ansible_port\": \"2222\", \"ansible_user\": \"CORP\\\\adm\""),
		"h=CORP\\adm@h:2222" },
	{ HOST("\"ansible_user\": \"root\""), "root@h" },
	/* the old name wins, as with Ansible */
	{ HOST("\"ansible_ssh_host\": \"b\", \"ansible_host\": \"a\""), "h=b" },
	{ HOST("\"ansible_ssh_private_key_file\": \"~/.ssh/k\", \"ansible_become\": "
	       "\"yes\""),
		"h ~/.ssh/k +become" },
	{ HOST("\"ansible_private_key_file\": \"/k\", \"ansible_become\": false"),
		"h /k -become" },
	{ HOST("\"ansible_become\": 0"), "h -become" },
	{ HOST("\"ansible_connection\": \"smart\", \"colour\": [1, {}]"), "h" },
	{ HOST("\"ansible_become_user\": \"root\", \"ansible_ssh_common_args\": \"\""),
		"h" },
	/* names as inventory_write() writes them */
	{ "{\"all\": [\"127.0.0.1:22\"], \"_meta\": {\"hostvars\": {\"127.0.0.1:22\": "
	  "{\"ansible_host\": \"127.0.0.1\", \"ansible_port\": 22}}}}",
		"127.0.0.1:22" },
	{ "{\"all\": [\"[::1]\"], \"_meta\": {\"hostvars\": {\"[::1]\": "
	  "{\"ansible_host\": \"::1\"}}}}",
		"::1" },
	{ "{\"all\": [\"::1\"]}", "::1" },

	/* syntax */
	{ "{\"all\": [\n  \"a\",,]}", "!FILE:2:7: unexpected token near ','" },
	{ "{\"all\": {}", "!FILE:1:10: '}' expected near end of file" },
	{ "{\"a\": [],\n\"a\": []}", "!FILE:2:3: duplicate object key near '\"a\"'" },
	{ "{} x", "!FILE:1:4: end of file expected near 'x'" },
	/* shape */
	{ "{\"web\": \"a\"}", "!FILE: web: a group is an object or a list of hosts" },
	{ "{\"web\": {\"host\": [\"a\"]}}",
		"!FILE: web: a group has hosts, children and vars, nothing else" },
	{ "{\"web\": {\"hosts\": \"a\"}}",
		"!FILE: web.hosts: a list of names is needed" },
	{ "{\"web\": {\"hosts\": [1]}}", "!FILE: web.hosts: it holds only names" },
	{ "{\"web\": [{}]}", "!FILE: web.hosts: it holds only names" },
	{ "{\"web\": {\"children\": [[]]}}", "!FILE: web.children: it holds only names" },
	{ "{\"_meta\": []}", "!FILE: _meta: an object is needed" },
	{ "{\"_meta\": {\"hostvars\": 1}}",
		"!FILE: _meta.hostvars: an object is needed" },
	{ "{\"all\": [\"h\"], \"_meta\": {\"hostvars\": {\"h\": []}}}",
		"!FILE: _meta.hostvars.h: an object is needed" },
	{ "{\"a\": {\"children\": [\"a\"]}}",
		"!FILE: a.children: a group is below itself: they form a circle" },
	{ "{\"a\": {\"children\": [\"b\"]}, \"b\": {\"children\": [\"c\"]}, "
	  "\"c\": {\"children\": [\"d\", \"b\"]}, \"d\": []}",
		"!FILE: c.children: a group is below itself: they form a circle" },
	{ "{\"a\": {\"hosts\": [], \"vars\": {\"ansible_user\": \"x\"}}}",
		"!FILE: a.vars.ansible_user: variables of groups are not read; "
		"ansible-inventory --list, without --export, gives them to the hosts" },
/* values */
#define REFUSED(variable, text) \
	"!h: FILE: _meta.hostvars.h." variable ": " text \
	" (-x or --limit leaves a node out)"
	{ HOST("\"ansible_host\": 7"), REFUSED("ansible_host", "a text is needed") },
	{ HOST("\"ansible_host\": \"\""), REFUSED("ansible_host", "it is empty") },
	{ HOST("\"ansible_host\": \"-oProxyCommand=x\""),
		REFUSED("ansible_host", "'-oProxyCommand=x' is no host name") },
	{ HOST("\"ansible_host\": \"{{ a }}.b\""),
		REFUSED("ansible_host",
			"'{{ a }}.b' is a template, which only Ansible can fill in") },
	{ HOST("\"ansible_user\": {\"__ansible_vault\": \"x\"}"),
		REFUSED("ansible_user", "a text is needed") },
	{ HOST("\"ansible_user\": \"a b\""),
		REFUSED("ansible_user", "'a b' is no user name") },
	{ HOST("\"ansible_port\": 65536"),
		REFUSED("ansible_port", "a port is a number from 1 to 65535") },
	{ HOST("\"ansible_port\": 22.5"),
		REFUSED("ansible_port", "a port is a number from 1 to 65535") },
	{ HOST("\"ansible_port\": \"22x\""),
		REFUSED("ansible_port", "a port is a number from 1 to 65535") },
	{ HOST("\"ansible_become\": \"perhaps\""),
		REFUSED("ansible_become", "yes or no is needed") },
	{ HOST("\"ansible_become\": 2"),
		REFUSED("ansible_become", "yes or no is needed") },
	{ HOST("\"ansible_ssh_private_key_file\": \"a\\nb\""),
		REFUSED("ansible_ssh_private_key_file", "'a?b' is no path") },
	{ HOST("\"ansible_connection\": \"local\""),
		REFUSED("ansible_connection",
			"it is 'local', and cpuherd asks over ssh alone") },
	{ "{\"all\": [\"-x\"]}",
		"!-x: FILE: its name is no host name (-x or --limit leaves a node out)" },
	{ "{\"all\": [\"h:22\"]}", "!h:22: FILE: its name is no host name (-x or --limit "
				   "leaves a node out)" },
};

static void inventories_of_ansible_become_nodes_or_a_line_that_says_why_not(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = { 0 };

		assert_string_equal(nodes_of_file(&a, rows[i].json, strlen(rows[i].json)),
			rows[i].expected);
		arena_destroy(&a);
	}
}

/* Only who remains must be one that can be asked. */
static void a_node_that_cannot_be_asked_may_be_left_out(void **state)
{
	static const char json[] =
		"{\"all\": [\"a\", \"localhost\"], \"_meta\": {\"hostvars\": "
		"{\"localhost\": {\"ansible_connection\": \"local\"}}}}";

	(void)state;
	for (int limit = 0; limit < 2; limit++) {
		struct arena a = { 0 };
		struct inventory inv = { 0 };
		struct err e = { 0 };

		assert_rc(nodes_read(&inv, json, sizeof(json) - 1, &a, &e), RC_OK, &e);
		if (limit)
			assert_rc(inventory_limit(&inv, "!localhost", &a, &e), RC_OK, &e);
		else
			assert_rc(inventory_leave_out(&inv, "localhost", &a, &e), RC_OK,
				&e);
		assert_rc(inventory_settle(&inv, &a, &e), RC_OK, &e);
		assert_string_equal(nodes_text(&a, &inv), "a");
		arena_destroy(&a);
	}
}

static void a_name_means_one_node_in_all_sources(void **state)
{
	static const char first[] = HOST("\"ansible_host\": \"127.0.0.1\"");
	static const char other[] = HOST("\"ansible_host\": \"127.0.0.2\"");
	struct arena a = { 0 };
	struct inventory inv = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_rc(nodes_read(&inv, first, sizeof(first) - 1, &a, &e), RC_OK, &e);
	assert_rc(nodes_read(&inv, first, sizeof(first) - 1, &a, &e), RC_OK, &e);
	assert_rc(inventory_add_argument(&inv, "h,127.0.0.1", &a, &e), RC_OK, &e);
	assert_string_equal(nodes_text(&a, &inv), "h=127.0.0.1 127.0.0.1");
	assert_rc(nodes_read(&inv, other, sizeof(other) - 1, &a, &e), RC_INPUT, &e);
	assert_string_equal(e.text,
		"FILE: _meta.hostvars.h: it is 127.0.0.2 here, and 127.0.0.1 before");
	arena_destroy(&a);
}

/* Groups of several files: what is below them is looked for in the right one. */
static void groups_of_several_files_are_all_known(void **state)
{
	static const char one[] = "{\"g\": {\"hosts\": [\"a\"], \"children\": [\"k\"]}, "
				  "\"k\": [\"b\"]}";
	static const char two[] = "{\"k\": [\"x\"], \"g\": {\"hosts\": [\"c\"], "
				  "\"children\": [\"m\"]}, \"m\": [\"d\"]}";
	struct arena a = { 0 };
	struct inventory inv = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_rc(nodes_read(&inv, one, sizeof(one) - 1, &a, &e), RC_OK, &e);
	assert_rc(nodes_read(&inv, two, sizeof(two) - 1, &a, &e), RC_OK, &e);
	assert_rc(inventory_limit(&inv, "g", &a, &e), RC_OK, &e);
	assert_rc(inventory_settle(&inv, &a, &e), RC_OK, &e);
	assert_string_equal(nodes_text(&a, &inv), "a b c d");
	arena_destroy(&a);
}

/* A tower of brackets, a chain of 100,000 groups, 100,000 hosts in two groups each: no
 * crash, and no search that grows with the square. */
static void hostile_and_huge_inventories_are_judged_in_time(void **state)
{
	struct buf text = buf_with_cap(64 * 1024 * 1024);
	struct inventory inv = { 0 };
	struct arena a = { 0 };
	struct err e = { 0 };

	(void)state;
	buf_format(&text, "{\"a\": ");
	for (int i = 0; i < 1000000; i++)
		buf_append(&text, "[", 1);
	assert_contains(nodes_of_file(&a, buf_bytes(&text).data, buf_bytes(&text).size),
		"maximum parsing depth reached");
	buf_destroy(&text);

	buf_format(&text, "{\"g0\": []");
	for (int i = 1; i < 100000; i++)
		buf_format(&text, ",\"g%d\": {\"children\": [\"g%d\"]}", i, i - 1);
	for (int group = 0; group < 2; group++) {
		buf_format(&text, ",\"%s\": [\"n0\"", group ? "x" : "all");
		for (int i = 1; i < 100000; i++)
			buf_format(&text, ",\"n%d\"", i);
		buf_format(&text, "]");
	}
	buf_format(&text, "}");
	assert_rc(nodes_read(&inv, buf_bytes(&text).data, buf_bytes(&text).size, &a, &e),
		RC_OK, &e);
	assert_int_equal(inv.count, 100000);
	assert_rc(inventory_limit(&inv, "x,!g99999", &a, &e), RC_OK, &e);
	assert_rc(inventory_settle(&inv, &a, &e), RC_INPUT, &e);
	assert_string_equal(
		e.text, "'x,!g99999', column 3: !g99999 names no node of this run");
	buf_destroy(&text);
	arena_destroy(&a);
}

/* ---- what the real ansible-inventory prints */

#define INVENTORY "unit_inventory_ansible.d/hosts."

static const char ini[] = "solo ansible_host=127.0.0.9\n"
			  "[web]\nweb[01:02].example.org\ndb1\n"
			  "[db]\n"
			  "db1 ansible_host=127.0.0.5 ansible_port=2222\n"
			  "[nobody]\n"
			  "[prod:children]\nweb\ndb\nnobody\n"
			  "[web:vars]\nansible_user=admin\nansible_become=true\n"
			  "ansible_ssh_common_args=-o ProxyJump=bastion\n";

static const char yaml[] =
	"all:\n  hosts:\n    solo: {ansible_host: 127.0.0.9}\n"
	"  children:\n"
	"    prod:\n      children:\n"
	"        web:\n"
	"          hosts:\n"
	"            web01.example.org:\n"
	"            web02.example.org:\n"
	"            db1:\n"
	"          vars: {ansible_user: admin, ansible_become: true}\n"
	"        db:\n"
	"          hosts:\n"
	"            db1: {ansible_host: 127.0.0.5, ansible_port: 2222}\n"
	"        nobody:\n";

static void what_ansible_inventory_prints_is_read(void **state)
{
	static const char *const kinds[] = { "ini", "yml" };

	(void)state;
	if (system("command -v ansible-inventory >/dev/null 2>&1") != 0) {
		print_message("SKIPPED: ansible-inventory is not installed "
			      "(ansible-core)\n");
		skip();
	}
	test_run("rm -rf unit_inventory_ansible.d && mkdir unit_inventory_ansible.d");
	test_write_file(INVENTORY "ini", ini);
	test_write_file(INVENTORY "yml", yaml);
	for (size_t i = 0; i < 2; i++) {
		struct arena a = { 0 };
		struct shell_result r = shell_run(
			&a, arena_format(&a,
				    "HOME=$PWD/unit_inventory_ansible.d "
				    "ANSIBLE_LOCALHOST_WARNING=False "
				    "ansible-inventory -i " INVENTORY "%s --list",
				    kinds[i]));

		assert_int_equal(r.status, 0);
		assert_string_equal(nodes_of_file(&a, r.out, strlen(r.out)),
			"solo=127.0.0.9 admin@web01.example.org +become "
			"admin@web02.example.org +become "
			"db1=admin@127.0.0.5:2222 +become");
		arena_destroy(&a);
	}
	test_run("rm -rf unit_inventory_ansible.d");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			inventories_of_ansible_become_nodes_or_a_line_that_says_why_not),
		cmocka_unit_test(a_node_that_cannot_be_asked_may_be_left_out),
		cmocka_unit_test(a_name_means_one_node_in_all_sources),
		cmocka_unit_test(groups_of_several_files_are_all_known),
		cmocka_unit_test(hostile_and_huge_inventories_are_judged_in_time),
		cmocka_unit_test(what_ansible_inventory_prints_is_read),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
