/* The inventory: what a user writes to name nodes, and how errors point at it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "coordinator/inventory/inventory.h"

/* One argument, expanded: "user@host:port" of each node joined by blanks; an
 * error as "!text". */
static char *expand(struct arena *a, const char *argument)
{
	struct inventory inv = { 0 };
	struct buf out = buf_with_cap(8 * 1024 * 1024);
	struct err e = { 0 };
	char *text;

	if (inventory_add_argument(&inv, argument, a, &e) != RC_OK) {
		assert_int_equal(e.code, RC_INPUT);
		return arena_format(a, "!%s", e.text);
	}
	for (size_t i = 0; i < inv.count; i++) {
		const struct inventory_node *n = &inv.nodes[i];

		buf_format(&out, "%s%s%s%s", i ? " " : "", n->user ? n->user : "",
			n->user ? "@" : "", n->host);
		if (n->port)
			buf_format(&out, ":%u", n->port);
	}
	text = arena_text_n(a, buf_bytes(&out).data, buf_bytes(&out).size);
	buf_destroy(&out);
	return text;
}

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
};

static void patterns_expand_to_hosts_in_the_order_written(void **state)
{
	struct arena a = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		assert_string_equal(expand(&a, good[i].argument), good[i].expected);
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
	{ "node[1;2]", "!'node[1;2]', column 7: ';' where ',', '-' or ']' should be" },
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
	{ "[::zz]", "!'[::zz]', column 1: [::zz] is no IPv6 address" },
	{ "[::1", "!'[::1', column 1: this bracket is never closed" },
	{ "n\033[2J", "!'n?[2J', column 2: byte 0x1b where a host name should be" },
};

static void wrong_patterns_are_refused_with_the_column_of_the_fault(void **state)
{
	struct arena a = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_string_equal(expand(&a, bad[i].argument), bad[i].expected);
	arena_destroy(&a);
}

/* ---- files */

/* What a hosts file of these bytes gives: as expand(). */
static char *expand_file(struct arena *a, const void *content, size_t size)
{
	char path[] = "/tmp/cpuherd-hosts-XXXXXX";
	struct inventory inv = { 0 };
	struct err e = { 0 };
	int fd = mkstemp(path);
	char *text;
	enum rc rc;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, size), size);
	close(fd);
	rc = inventory_add_file(&inv, path, a, &e);
	unlink(path);
	if (rc != RC_OK)
		return arena_format(a, "!%s", e.text + strlen(path));
	text = arena_text(a, "");
	for (size_t i = 0; i < inv.count; i++)
		text = arena_format(a, "%s%s%s", text, i ? " " : "", inv.nodes[i].name);
	return text;
}

static void hosts_files_take_comments_blanks_and_crlf(void **state)
{
	static const char text[] = "\xef\xbb\xbf# fleet\r\n\r\n  node[1-2]  # two\r\n"
				   "\troot@other:2222\t\r\n#node9\nlast";
	struct arena a = { 0 };

	(void)state;
	assert_string_equal(
		expand_file(&a, text, sizeof(text) - 1), "node1 node2 other:2222 last");
	assert_string_equal(expand_file(&a, "", 0), "");
	arena_destroy(&a);
}

static void errors_in_hosts_files_name_line_and_column(void **state)
{
	struct arena a = { 0 };

	(void)state;
	assert_string_equal(expand_file(&a, "a\n\n  b c\n", 9),
		"!:3:4: ' ' where a host name should be");
	assert_string_equal(expand_file(&a, "n[1-\r\n", 6),
		"!:1:5: it ends where a number should be");
	assert_string_equal(expand_file(&a, "ok\nx\0y\n", 7),
		"!:2:2: a NUL byte; is this a text file?");
	arena_destroy(&a);
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

/* ---- exclusions */

static void exclusion_takes_out_a_host_on_every_port_or_on_one(void **state)
{
	struct arena a = { 0 };
	struct inventory inv = { 0 };
	struct err e = { 0 };

	(void)state;
	inventory_add_argument(&inv, "n[1-5],h:1,h:2,g:1,g:2", &a, &e);
	assert_int_equal(inventory_exclude(&inv, "n[2-3,9],h,g:2", &a, &e), RC_OK);
	assert_int_equal(inv.count, 4);
	assert_string_equal(inv.nodes[0].name, "n1");
	assert_string_equal(inv.nodes[1].name, "n4");
	assert_string_equal(inv.nodes[2].name, "n5");
	assert_string_equal(inv.nodes[3].name, "g:1");
	/* taken out is forgotten: it can come back, and is no duplicate */
	inventory_add_argument(&inv, "n2,n1,n4,n5,g:1", &a, &e);
	assert_int_equal(inv.count, 5);
	arena_destroy(&a);
}

static void exclusion_that_names_nothing_is_an_error(void **state)
{
	struct arena a = { 0 };
	struct inventory inv = { 0 };
	struct err e = { 0 };

	(void)state;
	inventory_add_argument(&inv, "n[1-3]", &a, &e);
	assert_int_equal(inventory_exclude(&inv, "n4", &a, &e), RC_INPUT);
	assert_string_equal(e.text, "n4 names no node of this run");
	assert_int_equal(inv.count, 3);
	arena_destroy(&a);
}

/* 100,000 nodes twice: a quadratic search for duplicates would take minutes. */
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
	arena_destroy(&a);
}

/* ---- the oracle: ClusterShell's nodeset expands as we do */

enum { ORACLE_PATTERNS = 400, ORACLE_BYTES_MAX = 16 * 1024 * 1024 };

/* Letters between brackets: nodeset folds digits beside a bracket into it.  The
 * first three letters count the patterns, so that all fit into one nodeset call. */
static char *random_pattern(struct arena *a, int n)
{
	char *text = arena_format(
		a, "%c%c%c", 'a' + n / 676, 'a' + n / 26 % 26, 'a' + n % 26);
	int parts = 1 + rand() % 3;

	for (int i = 0; i < parts; i++) {
		int width = rand() % 4, ranges = 1 + rand() % 2;

		text = arena_format(a, "%s%s[", text, rand() % 2 ? "-x" : "y");
		for (int r = 0; r < ranges; r++) {
			int first = rand() % 8, last = first + rand() % 5;

			text = arena_format(a, rand() % 3 ? "%s%s%0*d-%0*d" : "%s%s%0*d",
				text, r ? "," : "", width, first, width, last);
		}
		text = arena_format(a, "%s]", text);
	}
	return arena_format(a, "%s%s", text, rand() % 2 ? "z" : "");
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The words of a text, sorted (order is not nodeset's business). */
static size_t sorted_words(struct arena *a, char *text, char ***word)
{
	size_t count = 0;

	*word = arena_alloc(a, strlen(text) / 2 + 1, sizeof(**word));
	for (char *w = strtok(text, " \n"); w; w = strtok(NULL, " \n"))
		(*word)[count++] = w;
	qsort(*word, count, sizeof(**word), compare_texts);
	return count;
}

static char *nodeset_expand(struct arena *a, const char *arguments)
{
	struct buf out = buf_with_cap(ORACLE_BYTES_MAX);
	char block[4096], *text;
	size_t n;
	FILE *pipe = popen(arena_format(a, "nodeset -e %s", arguments), "re");

	assert_non_null(pipe);
	while ((n = fread(block, 1, sizeof(block), pipe)) > 0)
		assert_int_equal(buf_append(&out, block, n), RC_OK);
	assert_int_equal(pclose(pipe), 0);
	text = arena_text_n(a, buf_bytes(&out).data, buf_bytes(&out).size);
	buf_destroy(&out);
	return text;
}

static void random_patterns_expand_as_nodeset_expands_them(void **state)
{
	struct buf arguments = buf_with_cap(ORACLE_BYTES_MAX);
	struct buf expanded = buf_with_cap(ORACLE_BYTES_MAX);
	char **ours, **theirs;
	struct arena a = { 0 };
	size_t our_count, their_count;

	(void)state;
	if (system("command -v nodeset >/dev/null 2>&1") != 0) {
		print_message("SKIPPED: nodeset is not installed (clustershell)\n");
		skip();
	}
	srand(20240229);
	for (int i = 0; i < ORACLE_PATTERNS; i++) {
		char *pattern = random_pattern(&a, i);

		buf_format(&arguments, " '%s'", pattern);
		buf_format(&expanded, " %s", expand(&a, pattern));
	}
	buf_append(&arguments, "", 1);
	buf_append(&expanded, "", 1);
	our_count = sorted_words(&a, (char *)expanded.memory, &ours);
	their_count = sorted_words(
		&a, nodeset_expand(&a, (char *)arguments.memory), &theirs);
	for (size_t i = 0; i < our_count && i < their_count; i++)
		assert_string_equal(ours[i], theirs[i]);
	assert_int_equal(our_count, their_count);
	print_message("%d patterns, %zu nodes\n", ORACLE_PATTERNS, our_count);
	buf_destroy(&expanded);
	buf_destroy(&arguments);
	arena_destroy(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns_expand_to_hosts_in_the_order_written),
		cmocka_unit_test(wrong_patterns_are_refused_with_the_column_of_the_fault),
		cmocka_unit_test(hosts_files_take_comments_blanks_and_crlf),
		cmocka_unit_test(errors_in_hosts_files_name_line_and_column),
		cmocka_unit_test(a_hosts_file_that_is_missing_or_a_folder_is_refused),
		cmocka_unit_test(exclusion_takes_out_a_host_on_every_port_or_on_one),
		cmocka_unit_test(exclusion_that_names_nothing_is_an_error),
		cmocka_unit_test(the_largest_inventory_is_folded_in_time),
		cmocka_unit_test(random_patterns_expand_as_nodeset_expands_them),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
