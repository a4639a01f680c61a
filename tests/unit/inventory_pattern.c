/* The inventory: what a user writes to name nodes, and how errors point at it. */
#include "tests/support/nodes.h"
#include "tests/support/test.h"

static const struct pattern_case {
	const char *argument, *expected;
} good[] = {
	{ "node07", "node07" },
	{ "node[01-03]", "node01 node02 node03" },
	{ "node[8-10]", "node8 node9 node10" },
	{ "node[08-10]", "node08 node09 node10" },
	{ "n[001-003,600]", "n001 n002 n003 n600" },
	{ "n[3,1]", "n3 n1" },
	{ "n[0-1]-ib.example.org", "n0-ib.example.org n1-ib.example.org" },
	{ "rack[1-2]node[01-02]", "rack1node01 rack1node02 rack2node01 rack2node02" },
	{ "n[1-2][0-1]", "n10 n11 n20 n21" },
	{ "[1-2]a", "1a 2a" },
	{ "root@node[1-2]:2222", "root@node1:2222 root@node2:2222" },
	{ "a,b[1-2],c:22", "a b1 b2 c:22" },
	{ "root@[::1]:22", "root@::1:22" },
	{ "[fe80::1%eth0],[2001:db8::1]:2201", "fe80::1%eth0 2001:db8::1:2201" },
	{ "127.0.0.1:2201,127.0.0.1:2202", "127.0.0.1:2201 127.0.0.1:2202" },
	{ "CORP\\admin@host", "CORP\\admin@host" },
	{ "a,b,a,root@b", "a b" },
	{ "n[1-3],n[2-4]", "n1 n2 n3 n4" },
	{ "n[1,01,001]", "n1 n01 n001" },
	/* steps */
	{ "n[01-10/3]", "n01 n04 n07 n10" },
	{ "n[1-9/4,20-21]-[0-4/2]",
		"n1-0 n1-2 n1-4 n5-0 n5-2 n5-4 n9-0 n9-2 n9-4 n20-0 n20-2 n20-4 n21-0 "
		"n21-2 n21-4" },
	{ "n[1-3/9]", "n1" },
	{ "n[0-999999999/500000000]", "n0 n500000000" },
	/* joined: from left to right, over this argument alone */
	{ "n[1-5]!n[2-3]", "n1 n4 n5" },
	{ "n[1-5]!n3,n3", "n1 n2 n4 n5 n3" },
	{ "n[1-5]!n[2-9]!n1,m", "m" },
	{ "n[1-9]&n[5-12]", "n5 n6 n7 n8 n9" },
	{ "n[1-9]&n[5-12]!n7,a", "n5 n6 n8 n9 a" },
	{ "h:1,h:2,h:3!h:2", "h:1 h:3" },
	{ "h:1,g!h", "g" },
	{ "root@n[1-2]!n2", "root@n1" },
	/* left out of the run, wherever it stands */
	{ "n[1-5],^n3", "n1 n2 n4 n5" },
	{ "^n3,n[1-5],^n[5-9],n3", "n1 n2 n4" },
	{ "n[1-3],^root@n2,h:1,h:2,^h", "n1 n3" },
	{ "n1,^n1", "" },
};

static void patterns_expand_to_hosts_in_the_order_written(void **state)
{
	struct arena a = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_string_equal(
			nodes_of_argument(&a, good[i].argument), good[i].expected);
	arena_destroy(&a);
}

static const struct pattern_case bad[] = {
	{ "", "!'', column 1: it ends where a host name should be" },
	{ "a,", "!'a,', column 3: it ends where a host name should be" },
	{ "a,,b", "!'a,,b', column 3: ',' where a host name should be" },
	{ "node[01-03", "!'node[01-03', column 5: this bracket is never closed" },
	{ "node[]", "!'node[]', column 6: ']' where a number should be" },
	{ "node[1-]", "!'node[1-]', column 8: ']' where a number should be" },
	{ "node[a-b]", "!'node[a-b]', column 6: 'a' where a number should be" },
	{ "node[1-2", "!'node[1-2', column 5: this bracket is never closed" },
	{ "node[1;2]", "!'node[1;2]', column 7: ';' where ',', '-', '/' or ']' should "
		       "be" },
	{ "node[3-1]", "!'node[3-1]', column 8: the range runs backwards" },
	{ "node[01-100]", "!'node[01-100]', column 9: with leading zeros both ends need "
			  "the same number of digits" },
	{ "node[1-010]", "!'node[1-010]', column 8: with leading zeros both ends need "
			 "the same number of digits" },
	{ "n[1-200000]", "!'n[1-200000]', column 1: this makes more than 100000 nodes" },
	{ "ok,n[0-999999999][0-999999999][0-999999999]",
		"!'ok,n[0-999999999][0-999999999][0-999999999]', column 4: this makes "
		"more than 100000 nodes" },
	{ "n[1-1234567890]",
		"!'n[1-1234567890]', column 14: a number of more than 9 digits" },
	{ "-oProxyCommand=x",
		"!'-oProxyCommand=x', column 1: a host name cannot start with '-'" },
	{ "no de", "!'no de', column 3: ' ' where a host name should be" },
	{ "n[1-5/0]", "!'n[1-5/0]', column 7: a step is at least 1" },
	{ "n[1-5/]", "!'n[1-5/]', column 7: ']' where a number should be" },
	{ "n[3/2]", "!'n[3/2]', column 4: '/' where ',', '-', '/' or ']' should be" },
	{ "n[1-3],^n4", "!'n[1-3],^n4', column 8: ^n4 names no node of this run" },
	{ "n[1-3],^n1,^n[4-5]",
		"!'n[1-3],^n1,^n[4-5]', column 12: ^n[4-5] names no node of this run" },
	{ "n1,^", "!'n1,^', column 5: it ends where a host name should be" },
	{ "^/etc/hosts", "!'^/etc/hosts', column 2: '^' leaves a node out; nodes from a "
			 "file: --hosts FILE" },
	{ "n[1-9]^n3", "!'n[1-9]^n3', column 7: '^' joins no patterns; ',^NODE' leaves a "
		       "node out" },
	{ "n1,^n1!n2", "!'n1,^n1!n2', column 7: behind '^NODE' there can be only ',' or "
		       "the end" },
	{ "!n3", "!'!n3', column 1: nothing stands before '!'; ^NODE leaves a node out" },
	{ "n1,&n3", "!'n1,&n3', column 4: nothing stands before '&'; ^NODE leaves a node "
		    "out" },
	{ "n[1-3]!n4", "!'n[1-3]!n4', column 8: n4 names none of the nodes before '!'" },
	{ "n[1-3]&m1", "!'n[1-3]&m1', column 8: m1 names none of the nodes before '&'" },
	{ "n[1-3]!", "!'n[1-3]!', column 8: it ends where a host name should be" },
	{ "n[1-3]!^n1", "!'n[1-3]!^n1', column 8: '^' where a host name should be" },
	{ "n:0", "!'n:0', column 3: a port is a number from 1 to 65535" },
	{ "n:65536", "!'n:65536', column 3: a port is a number from 1 to 65535" },
	{ "n:22x", "!'n:22x', column 5: 'x' where ',' or the end should be" },
	{ "n:", "!'n:', column 3: it ends where a number should be" },
	{ "@n", "!'@n', column 1: no user name before '@'" },
	{ "r@", "!'r@', column 3: it ends where a host name should be" },
	{ "a b@n", "!'a b@n', column 2: ' ' where a user name should be" },
	{ "fe80::1", "!'fe80::1', column 1: more than one colon; an IPv6 address goes in "
		     "brackets: [::1]:22" },
	{ "::1", "!'::1', column 1: more than one colon; an IPv6 address goes in "
		 "brackets: [::1]:22" },
	{ "[::zz]", "![::zz] is no IPv6 address" },
	{ "[::1", "!'[::1', column 1: this bracket is never closed" },
	{ "n\033[2J", "!'n?[2J', column 2: byte 0x1b where a host name should be" },
};

static void wrong_patterns_are_refused_with_the_column_of_the_fault(void **state)
{
	struct arena a = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_string_equal(
			nodes_of_argument(&a, bad[i].argument), bad[i].expected);
	arena_destroy(&a);
}

/* ---- files */

static void hosts_files_take_comments_blanks_and_crlf(void **state)
{
	static const char text[] = "\xef\xbb\xbf# fleet\r\n\r\n  node[1-2]  # two\r\n"
				   "\troot@other:2222\t\r\n#node9\nlast";
	struct arena a = { 0 };

	(void)state;
	assert_string_equal(nodes_of_file(&a, text, sizeof(text) - 1),
		"node1 node2 root@other:2222 last");
	assert_string_equal(nodes_of_file(&a, "", 0), "");
	arena_destroy(&a);
}

static void errors_in_hosts_files_name_line_and_column(void **state)
{
	struct arena a = { 0 };

	(void)state;
	assert_string_equal(nodes_of_file(&a, "a\n\n  b c\n", 9),
		"!FILE:3:4: ' ' where a host name should be; names are joined by ',', "
		"with no blank");
	assert_string_equal(nodes_of_file(&a, "n[1-\r\n", 6),
		"!FILE:1:5: it ends where a number should be");
	assert_string_equal(nodes_of_file(&a, "ok\nx\0y\n", 7),
		"!FILE:2:2: a NUL byte; is this a text file?");
	arena_destroy(&a);
}

/* At three in the morning hosts.ini is what is at hand. */
static void a_file_for_ansible_is_told_what_is_read_in_its_place(void **state)
{
	static const char *const texts[] = { "[web]\nnode1\n", "[db]\nn1\n",
		"---\nall:\n", "all:\n  hosts:\n", "node1 ansible_host=10.0.0.1\n",
		"# fleet\nn1\n[web:vars]\na=b\n" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		struct arena a = { 0 };

		assert_contains(nodes_of_file(&a, texts[i], strlen(texts[i])),
			"ansible-inventory --list is read");
		arena_destroy(&a);
	}
}

static void a_hosts_file_that_is_missing_or_a_folder_is_refused(void **state)
{
	struct arena a = { 0 };
	struct inventory inv = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(inventory_add_file(&inv, "/nonexistent/x", &a, &e), RC_INPUT);
	assert_string_equal(e.text, "/nonexistent/x: No such file or directory");
	assert_int_equal(inventory_add_file(&inv, "/tmp", &a, &e), RC_INPUT);
	assert_string_equal(e.text, "/tmp: Is a directory");
	arena_destroy(&a);
}

/* A folded list is long, its names are not: nodeset -f prints such. */
static void the_names_of_a_pattern_are_what_must_be_short(void **state)
{
	struct arena a = { 0 };
	struct inventory inv = { 0 };
	struct buf text = buf_with_cap(1024 * 1024);
	struct err e = { 0 };

	(void)state;
	buf_format(&text, "node[0");
	for (int i = 1; i < 20000; i++)
		buf_format(&text, ",%d", 2 * i);
	buf_append(&text, "]", 2);
	assert_rc(inventory_add_argument(&inv, (char *)text.memory, &a, &e), RC_OK, &e);
	assert_int_equal(inv.count, 20000);
	assert_string_equal(inv.nodes[10001].host, "node20002");
	buf_destroy(&text);

	assert_contains(nodes_of_argument(&a, arena_format(&a, "%0255d", 1)), "1");
	assert_contains(nodes_of_argument(&a, arena_format(&a, "%0256d", 1)),
		"column 1: a host name of more than 255 bytes");
	assert_contains(
		nodes_of_argument(&a, arena_format(&a, "%0253d[9-10]", 1)), "110");
	assert_contains(nodes_of_argument(&a, arena_format(&a, "%0254d[9-10]", 1)),
		"a host name of more than 255 bytes");
	assert_contains(nodes_of_argument(&a, arena_format(&a, "%0247d[000000001]", 1)),
		"a host name of more than 255 bytes");
	arena_destroy(&a);
}

/* ---- what is left out */

static void hosts_files_leave_nodes_out_of_the_whole_run(void **state)
{
	static const char text[] = "n[1-5]\n^n2,^n3 # broken\nn[3-6]!n5\n";
	struct arena a = { 0 };

	(void)state;
	assert_string_equal(nodes_of_file(&a, text, sizeof(text) - 1), "n1 n4 n5 n6");
	assert_string_equal(nodes_of_file(&a, "n1\n\n n2,^n3 # x\n", 15),
		"!FILE:3:5: ^n3 names no node of this run");
	assert_string_equal(nodes_of_file(&a, "n1\n n2!n3 # x\n", 14),
		"!FILE:2:5: n3 names none of the nodes before '!'");
	arena_destroy(&a);
}

static void exclusion_takes_out_a_host_on_every_port_or_on_one(void **state)
{
	struct arena a = { 0 };
	struct inventory inv = { 0 };
	struct err e = { 0 };

	(void)state;
	inventory_add_argument(&inv, "n[1-5],h:1,h:2,g:1,g:2", &a, &e);
	assert_rc(inventory_leave_out(&inv, "n[2-3,9],h,g:2", &a, &e), RC_OK, &e);
	assert_rc(inventory_settle(&inv, &a, &e), RC_OK, &e);
	assert_string_equal(nodes_text(&a, &inv), "n1 n4 n5 g:1");
	/* taken out is forgotten: it can come back, and is no duplicate */
	inventory_add_argument(&inv, "n2,n1,n4,n5,g:1", &a, &e);
	assert_int_equal(inv.count, 5);
	arena_destroy(&a);
}

static void each_word_of_an_exclusion_must_name_a_node(void **state)
{
	static const char *const rows[][2] = {
		{ "n4", "n4 names no node of this run" },
		{ "n1,n[4-5],n3",
			"'n1,n[4-5],n3', column 4: n[4-5] names no node of this run" },
		{ "n1,", "'n1,', column 4: it ends where a host name should be" },
		{ "n1!n2", "'n1!n2', column 3: '!' where ',' or the end should be" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct arena a = { 0 };
		struct inventory inv = { 0 };
		struct err e = { 0 };
		enum rc rc;

		inventory_add_argument(&inv, "n[1-3]", &a, &e);
		rc = inventory_leave_out(&inv, rows[i][0], &a, &e);
		if (rc == RC_OK)
			rc = inventory_settle(&inv, &a, &e);
		assert_rc(rc, RC_INPUT, &e);
		assert_string_equal(e.text, rows[i][1]);
		assert_int_equal(inv.count, 3);
		arena_destroy(&a);
	}
}

/* A quadratic search, for duplicates or for what is left out, would take minutes. */
static void the_largest_inventory_is_folded_in_time(void **state)
{
	struct arena a = { 0 };
	struct inventory inv = { 0 };
	struct err e = { 0 };

	(void)state;
	assert_int_equal(inventory_add_argument(&inv, "n[00000-49999]", &a, &e), RC_OK);
	assert_int_equal(inventory_add_argument(&inv, "n[00000-49999]", &a, &e), RC_OK);
	assert_int_equal(inv.count, 50000);
	assert_int_equal(inventory_add_argument(&inv, "m[0-50000]", &a, &e), RC_INPUT);
	assert_int_equal(inventory_add_argument(&inv, "m[0-49999]", &a, &e), RC_OK);
	for (int i = 0; i < 40000; i++)
		assert_int_equal(
			inventory_leave_out(&inv, arena_format(&a, "n%05d", i), &a, &e),
			RC_OK);
	assert_rc(inventory_settle(&inv, &a, &e), RC_OK, &e);
	assert_int_equal(inv.count, 60000);
	arena_destroy(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns_expand_to_hosts_in_the_order_written),
		cmocka_unit_test(wrong_patterns_are_refused_with_the_column_of_the_fault),
		cmocka_unit_test(hosts_files_take_comments_blanks_and_crlf),
		cmocka_unit_test(errors_in_hosts_files_name_line_and_column),
		cmocka_unit_test(a_file_for_ansible_is_told_what_is_read_in_its_place),
		cmocka_unit_test(a_hosts_file_that_is_missing_or_a_folder_is_refused),
		cmocka_unit_test(the_names_of_a_pattern_are_what_must_be_short),
		cmocka_unit_test(hosts_files_leave_nodes_out_of_the_whole_run),
		cmocka_unit_test(exclusion_takes_out_a_host_on_every_port_or_on_one),
		cmocka_unit_test(each_word_of_an_exclusion_must_name_a_node),
		cmocka_unit_test(the_largest_inventory_is_folded_in_time),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
