/* The oracle: ClusterShell's nodeset expands random patterns as we do.
 *
 * nodeset sorts and we keep the order written, so sets are compared.  Where we refuse
 * on purpose what nodeset lets pass (a '!' that takes nothing away), the pattern is not
 * held against it, but counted. */
#include <stdlib.h>
#include <unistd.h>

#include "tests/support/nodes.h"
#include "tests/support/test.h"

enum { PATTERNS = 1200, TEXT_MAX = 16 * 1024 * 1024 };

static uint64_t seed = 20240229;

static int below(int n)
{
	return (int)(test_random(&seed) % (uint32_t)n);
}

/* A range with or without leading zeros, step, and second end. */
static char *random_range(struct arena *a)
{
	int width = below(4), first = below(8), last = first + below(25);

	/* leading zeros want ends of one length */
	if (width == 1 || (width == 2 && last > 99))
		width = 0;
	if (below(4) == 0)
		return arena_format(a, "%0*d", width, first);
	if (below(3) == 0)
		return arena_format(
			a, "%0*d-%0*d/%d", width, first, width, last, 1 + below(6));
	return arena_format(a, "%0*d-%0*d", width, first, width, last);
}

static char *random_bracket(struct arena *a)
{
	char *text = arena_format(a, "[%s", random_range(a));

	for (int more = below(3); more > 0; more--)
		text = arena_format(a, "%s,%s", text, random_range(a));
	return arena_format(a, "%s]", text);
}

/* Letters between brackets: nodeset takes digits beside a bracket for a part of it. */
static char *random_item(struct arena *a, const char *prefix)
{
	char *text = arena_format(a, "%s%s", prefix, random_bracket(a));

	for (int more = below(3) / 2 + below(2); more > 0; more--)
		text = arena_format(
			a, "%s%s%s", text, below(2) ? "-x" : "y", random_bracket(a));
	return arena_format(a, "%s%s", text, below(2) ? "z" : "");
}

/* The letters in front count the patterns, so that all go into one nodeset. */
static char *random_pattern(struct arena *a, int n)
{
	char *prefix = arena_format(
		a, "%c%c%c", 'a' + n / 676, 'a' + n / 26 % 26, 'a' + n % 26);
	char *text = random_item(a, prefix);

	if (below(2)) /* of one bracket, so that the next ones have something in common */
		text = arena_format(a, "%s[%d-%d]", prefix, below(5), 10 + below(40));
	for (int more = below(4); more > 0; more--) {
		const char *item = below(3) ? arena_format(a, "%s%s", prefix,
						      random_bracket(a))
					    : random_item(a, prefix);

		text = arena_format(a, "%s%c%s", text, ",!&,"[below(4)], item);
	}
	return text;
}

static int compare_texts(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static size_t sorted_words(struct arena *a, char *text, char ***word)
{
	size_t count = 0;

	*word = arena_alloc(a, strlen(text) / 2 + 1, sizeof(**word));
	for (char *w = strtok(text, " \n"); w; w = strtok(NULL, " \n"))
		(*word)[count++] = w;
	qsort(*word, count, sizeof(**word), compare_texts);
	return count;
}

static char *nodeset_expand(struct arena *a, const char *patterns)
{
	char path[] = "/tmp/cpuherd-nodeset-XXXXXX";
	struct buf out = buf_with_cap(TEXT_MAX);
	char block[4096], *text;
	int fd = mkstemp(path);
	FILE *pipe;
	size_t n;

	assert_true(fd >= 0);
	close(fd);
	test_write_file(path, patterns);
	pipe = popen(arena_format(a, "nodeset -e <%s", path), "re");
	assert_non_null(pipe);
	while ((n = fread(block, 1, sizeof(block), pipe)) > 0)
		assert_int_equal(buf_append(&out, block, n), RC_OK);
	assert_int_equal(pclose(pipe), 0);
	unlink(path);
	text = arena_text_n(a, buf_bytes(&out).data, buf_bytes(&out).size);
	buf_destroy(&out);
	return text;
}

static void random_patterns_expand_as_nodeset_expands_them(void **state)
{
	struct buf patterns = buf_with_cap(TEXT_MAX), expanded = buf_with_cap(TEXT_MAX);
	char **ours, **theirs;
	struct arena a = { 0 };
	size_t our_count, their_count, refused = 0;

	(void)state;
	if (system("command -v nodeset >/dev/null 2>&1") != 0) {
		print_message("SKIPPED: nodeset is not installed (clustershell)\n");
		skip();
	}
	print_message("seed %llu\n", (unsigned long long)seed);
	for (int i = 0; i < PATTERNS; i++) {
		char *pattern = random_pattern(&a, i);
		char *nodes = nodes_of_argument(&a, pattern);

		if (nodes[0] == '!') {
			assert_contains(nodes, "names none of the nodes before");
			refused++;
			continue;
		}
		buf_format(&patterns, "%s\n", pattern);
		buf_format(&expanded, " %s", nodes);
	}
	buf_append(&patterns, "", 1);
	buf_append(&expanded, "", 1);
	our_count = sorted_words(&a, (char *)expanded.memory, &ours);
	their_count = sorted_words(
		&a, nodeset_expand(&a, (char *)patterns.memory), &theirs);
	for (size_t i = 0; i < our_count && i < their_count; i++)
		assert_string_equal(ours[i], theirs[i]);
	assert_int_equal(our_count, their_count);
	print_message("%zu patterns, %zu nodes; %zu refused\n", PATTERNS - refused,
		our_count, refused);
	assert_true(PATTERNS - refused >= 600);
	buf_destroy(&expanded);
	buf_destroy(&patterns);
	arena_destroy(&a);
}

/* What we refuse in a range nodeset refuses as well, and we take more than it does only
 * where it cannot count: brackets side by side. */
static void what_is_refused_nodeset_refuses_too(void **state)
{
	static const char *const both[] = { "n[01-100]", "n[1-010]", "n[5-1]", "n[1-5/0]",
		"n[3/2]", "n[1-", "n[]", "n[a-b]", "^n3", "n[1-9],^n3", "!n3",
		"n[1-3],,&n2" };
	struct arena a = { 0 };

	(void)state;
	if (system("command -v nodeset >/dev/null 2>&1") != 0) {
		print_message("SKIPPED: nodeset is not installed (clustershell)\n");
		skip();
	}
	for (size_t i = 0; i < sizeof(both) / sizeof(both[0]); i++) {
		char *ours = nodes_of_argument(&a, both[i]);

		/* a "^" is ours alone */
		assert_true(ours[0] == '!' || strchr(both[i], '^'));
		assert_int_not_equal(system(arena_format(&a,
					     "nodeset -e '%s' >/dev/null 2>&1", both[i])),
			0);
	}
	arena_destroy(&a);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(random_patterns_expand_as_nodeset_expands_them),
		cmocka_unit_test(what_is_refused_nodeset_refuses_too),
	};
	const char *given = getenv("CPUHERD_TEST_SEED");

	test_filter(argc, argv);
	if (given)
		seed = strtoull(given, NULL, 10);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
