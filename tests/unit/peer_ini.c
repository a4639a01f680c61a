/* Configuration files as oslo.config reads them: by hand, and against its own parser. */
#include "peer/ini.h"

#include <stdlib.h>
#include <unistd.h>

#include "tests/support/test.h"

/* Where Debian's python3-oslo.config is. */
static const char python[] = "/usr/bin/python3";

struct told {
	struct buf text;
	struct err e;
	enum rc rc;
};

/* As the oracle prints it: bytes in hexadecimal digits, so that none ends a line. */
static void tell_hex(struct buf *out, const char *text, const char *end)
{
	for (; *text; text++)
		assert_int_equal(buf_format(out, "%02x", (unsigned char)*text), RC_OK);
	assert_int_equal(buf_append_text(out, end), RC_OK);
}

static enum rc tell(void *context, const struct ini_entry *entry, struct err *e)
{
	struct buf *out = context;

	(void)e;
	tell_hex(out, entry->section, " ");
	tell_hex(out, entry->key, " ");
	tell_hex(out, entry->value, "\n");
	return RC_OK;
}

static struct told read_ini(const char *text)
{
	struct told told = { .text = buf_with_cap(1024 * 1024) };
	struct arena arena = { 0 };
	unsigned line;
	const char *at;

	told.rc = ini_read((struct bytes){ (const uint8_t *)text, strlen(text) },
		"/etc/nova/nova.conf", &arena, tell, &told.text, &told.e);
	if (told.rc != RC_OK) {
		assert_int_equal(told.rc, RC_TARGET);
		at = strstr(told.e.text, "line ");
		assert_non_null(at);
		assert_int_equal(sscanf(at, "line %u", &line), 1);
		assert_int_equal(buf_format(&told.text, "error %u\n", line), RC_OK);
	}
	assert_int_equal(buf_append(&told.text, "", 1), RC_OK);
	arena_destroy(&arena);
	return told;
}

/* ---- by hand */

static enum rc keep_value(void *context, const struct ini_entry *entry, struct err *e)
{
	char *text = context;

	(void)e;
	snprintf(text, 256, "[%s]%s=%s", entry->section, entry->key, entry->value);
	return RC_OK;
}

static void assert_last(const char *text, const char *wanted)
{
	struct arena arena = { 0 };
	char last[256] = "";
	struct err e = { 0 };

	assert_rc(ini_read((struct bytes){ (const uint8_t *)text, strlen(text) }, "x",
			  &arena, keep_value, last, &e),
		RC_OK, &e);
	assert_string_equal(last, wanted);
	arena_destroy(&arena);
}

static void values_are_what_stands_between_blanks_and_quotes(void **state)
{
	(void)state;
	assert_last("[libvirt]\ncpu_mode = custom \n", "[libvirt]cpu_mode=custom");
	assert_last("[LibVirt]\ncpu_mode:custom", "[libvirt]cpu_mode=custom");
	assert_last("[DEFAULT]\na = 'b c'\n", "[DEFAULT]a=b c");
	assert_last("[a]\nb = \"\n", "[a]b=");
	assert_last("[a]\nurl: http://x=1\n", "[a]url=http://x=1");
	assert_last("[a]\nb = c\xc2\xa0\r\n", "[a]b=c");
	assert_last("[a]\nb = # not a comment\n", "[a]b=# not a comment");
}

static void lines_that_begin_with_a_blank_continue_the_value(void **state)
{
	(void)state;
	assert_last("[a]\nb = c,\n\td,\n  e\n# no\n", "[a]b=c,\nd,\ne");
	assert_last("[a]\nb =\n c\n\nd = e\n", "[a]d=e");
}

static void what_nova_could_not_read_is_refused_with_its_line(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = {
		{ "cpu_mode = custom\n", "line 1: no [section]" },
		{ "[a]\n b = c\n", "line 2: it begins with a blank" },
		{ "[a]\nb = c\n\n d\n", "line 4: it begins with a blank" },
		{ "[a]\nb = c\n# e\n d\n", "line 4: it begins with a blank" },
		{ "[a\n", "line 1: not a [section]" },
		{ "[]\n", "line 1: not a [section]" },
		{ "[a] # b\n", "line 1: not a [section]" },
		{ "[a]\nb\n", "line 2: neither" },
		{ "[a]\n= b\n", "line 2: no name" },
	};
	struct told told;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		told = read_ini(cases[i].text);
		assert_rc(told.rc, RC_TARGET, &told.e);
		assert_contains(told.e.text, cases[i].words);
		buf_destroy(&told.text);
	}
}

static void a_NUL_byte_is_refused(void **state)
{
	struct arena arena = { 0 };
	struct err e;

	(void)state;
	assert_rc(ini_read((struct bytes){ (const uint8_t *)"[a]\0", 4 }, "x", &arena,
			  tell, NULL, &e),
		RC_TARGET, &e);
	arena_destroy(&arena);
}

/* ---- against oslo.config */

enum { FILES = 600, PARTS_MAX = 24 };

static const char *const parts[] = { "[libvirt]\n", "[Workarounds]\n", "[DEFAULT]", "[",
	"]", "[]\n", "\n", "\n", "\n", "\r\n", "\r", " ", "\t", "=", ":", "\"", "'", "#",
	";", "cpu_mode", "custom", " = ", "\ncpu_models = ", ",", "a", "\xc3\xa9",
	"\xc2\xa0", "\xe2\x80\x83", "\xe3\x80\x80", "\v", "\f", "\x1c", "\xef\xbb\xbf",
	"\xc2\x85", "\n  more", "\n\tmore", "$x", "\\", "%", "\n#c\n", "x = 'y'\n",
	"x=\"y\" \n" };

static char *random_file(struct arena *arena, uint64_t *seed)
{
	size_t count = test_random(seed) % PARTS_MAX;
	char *text = arena_text(arena, test_random(seed) % 4 ? "[libvirt]\n" : "");

	for (size_t i = 0; i < count; i++)
		text = arena_format(arena, "%s%s", text,
			parts[test_random(seed) % (sizeof(parts) / sizeof(parts[0]))]);
	return text;
}

static const char oracle[] =
	"import sys\n"
	"from oslo_config import cfg, iniparser\n"
	"class Teller(cfg.ConfigParser):\n"
	"    def assignment(self, key, value):\n"
	"        super().assignment(key, value)\n"
	"        words = cfg._normalize_group_name(self.section), key, "
	"'\\n'.join(value)\n"
	"        self.out.append(' '.join(w.encode().hex() for w in words))\n"
	"for i in range(int(sys.argv[2])):\n"
	"    p = Teller('%s/%d' % (sys.argv[1], i), {})\n"
	"    p.out = []\n"
	"    try:\n"
	"        p.parse()\n"
	"    except iniparser.ParseError as error:\n"
	"        p.out.append('error %d' % error.lineno)\n"
	"    open('%s/%d.out' % (sys.argv[1], i), 'w').write(''.join(l + '\\n' for l in "
	"p.out))\n";

static void random_files_are_read_as_oslo_config_reads_them(void **state)
{
	char folder[] = "/tmp/cpuherd-ini-XXXXXX", path[128];
	struct arena arena = { 0 };
	char *texts[FILES];
	uint64_t seed = 7;
	size_t errors = 0;

	(void)state;
	if (system("/usr/bin/python3 -c 'import oslo_config' 2>/dev/null") != 0) {
		print_message("skipped: python3-oslo.config is not installed\n");
		skip();
	}
	assert_non_null(mkdtemp(folder));
	for (int i = 0; i < FILES; i++) {
		snprintf(path, sizeof(path), "%s/%d", folder, i);
		texts[i] = random_file(&arena, &seed);
		test_write_file(path, texts[i]);
	}
	snprintf(path, sizeof(path), "%s/oracle", folder);
	test_write_file(path, oracle);
	test_run("LC_ALL=C.UTF-8 %s %s/oracle %s %d", python, folder, folder, FILES);
	for (int i = 0; i < FILES; i++) {
		struct told told = read_ini(texts[i]);
		const char *wanted;

		snprintf(path, sizeof(path), "%s/%d.out", folder, i);
		wanted = test_read_file(&arena, path);
		if (strcmp((const char *)buf_bytes(&told.text).data, wanted) != 0)
			fail_msg("file %d:\n%s\nours:\n%s\noslo.config's:\n%s", i,
				texts[i], (const char *)buf_bytes(&told.text).data,
				wanted);
		errors += strstr(wanted, "error") != NULL;
		buf_destroy(&told.text);
	}
	/* both kinds are there in numbers */
	assert_in_range(errors, FILES / 10, FILES * 9 / 10);
	test_run("rm -r %s", folder);
	arena_destroy(&arena);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(values_are_what_stands_between_blanks_and_quotes),
		cmocka_unit_test(lines_that_begin_with_a_blank_continue_the_value),
		cmocka_unit_test(what_nova_could_not_read_is_refused_with_its_line),
		cmocka_unit_test(a_NUL_byte_is_refused),
		cmocka_unit_test(random_files_are_read_as_oslo_config_reads_them),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
