/* The line for -cpu, before a real QEMU: it starts with it, and what its CPU then has is
 * the baseline, whatever model the level is said with. */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "coordinator/cpu/closing.h"
#include "coordinator/cpu/levelxml.h"
#include "coordinator/render/format.h"
#include "proto/limits.h"
#include "tests/support/test.h"

#define QEMU "qemu-system-x86_64"
#define LEVEL TESTS_DIR "/cases/haswell+naples-under-tcg/level.xml"

static struct arena arena;
static struct catalogue *catalogue;
static struct level emulated; /* what QEMU can emulate, and so start with anywhere */

static int begin(void **state)
{
	struct bitset open;
	struct err e;

	(void)state;
	catalogue = catalogue_new(&arena, &e);
	return levelxml_read(catalogue, test_read_file(&arena, LEVEL), LEVEL, VIRT_QEMU,
		       &arena, &emulated, &open, &e) == RC_OK
		       ? 0
		       : -1;
}

static int end(void **state)
{
	(void)state;
	arena_destroy(&arena);
	return 0;
}

/* The same guest CPU, said with this model; false when it cannot be. */
static bool say_with(const struct model_row *m, struct level *out)
{
	struct common common = { .virt = VIRT_QEMU,
		.vendor = m->vendor ? m->vendor : "",
		.baseline = emulated.baseline,
		.names = emulated.names,
		.model_rows = emulated.model_rows,
		.sources = emulated.sources };
	struct closing c;
	struct bitset said;

	if (!bitset_has(&common.model_rows, (size_t)(m - catalogue_model(0))) ||
		!closing_of(m, &common, &c))
		return false;
	*out = emulated;
	out->model = m->name;
	out->vendor = common.vendor;
	out->features = arena_alloc(&arena, c.elements + 1, sizeof(*out->features));
	out->feature_count = 0;
	said = bitset_or(&c.require, &c.disable);
	for (size_t bit = bitset_next(&said, 0); bit < BITSET_BITS;
		bit = bitset_next(&said, bit + 1))
		out->features[out->feature_count++] = (struct level_feature){
			catalogue_name(catalogue, bit),
			bitset_has(&c.require, bit) ? POLICY_REQUIRE : POLICY_DISABLE,
		};
	return true;
}

static const char *line_of(const struct level *l)
{
	struct format_request request = {
		.level = l, .catalogue = catalogue, .name = "baseline"
	};
	struct buf out = buf_with_cap(LIMIT_PLACE_BYTES);
	struct texts notes;
	struct err e;
	char *line;

	assert_rc(format_write("qemu", &request, &arena, &out, &notes, &e), RC_OK, &e);
	line = arena_text_n(&arena, buf_bytes(&out).data, buf_bytes(&out).size - 1);
	assert_null(strchr(line, '\n'));
	buf_destroy(&out);
	return line;
}

/* Asks the first CPU for every property that we know. */
static const char *questions(void)
{
	struct buf text = buf_with_cap(1 << 20);
	const char *copy;

	buf_append_text(&text, "{'execute':'qmp_capabilities'}\n");
	for (size_t i = 0; i < catalogue_feature_rows(); i++) {
		const char *property = catalogue_feature(NULL, i)->qemu;

		if (property)
			buf_format(&text,
				"{'execute':'qom-get','id':'%s','arguments':{"
				"'path':'/machine/unattached/device[0]',"
				"'property':'%s'}}\n",
				property, property);
	}
	buf_append_text(&text, "{'execute':'qom-get','id':'phys-bits','arguments':{"
			       "'path':'/machine/unattached/device[0]',"
			       "'property':'phys-bits'}}\n{'execute':'quit'}\n");
	copy = arena_text_n(&arena, buf_bytes(&text).data, buf_bytes(&text).size);
	buf_destroy(&text);
	return copy;
}

static const char *ask_qemu(const char *line)
{
	char in[] = "/tmp/cpuherd-qmp-XXXXXX", out[] = "/tmp/cpuherd-qmp-XXXXXX";
	const char *answers;
	int status;

	close(mkstemp(in));
	close(mkstemp(out));
	test_write_file(in, questions());
	status = system(arena_format(&arena,
		QEMU " -accel tcg -machine pc -cpu '%s' -S -nodefaults -display none "
		     "-qmp stdio <%s >%s 2>&1",
		line, in, out));
	answers = test_read_file(&arena, out);
	unlink(in);
	unlink(out);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fail_msg("QEMU does not take %s: %s", line, answers);
	return answers;
}

static bool is_on(const char *answers, const char *property)
{
	const char *id = strstr(
		answers, arena_format(&arena, "\"id\": \"%s\"", property));
	const char *start = id;

	if (!id) /* an older or newer QEMU without it */
		return false;
	while (start > answers && start[-1] != '\n')
		start--;
	return strncmp(start, "{\"return\": true", 15) == 0;
}

static void check_guest(const struct level *l)
{
	const char *line = line_of(l), *answers = ask_qemu(line);

	for (size_t i = 0; i < catalogue_feature_rows(); i++) {
		const char *property = catalogue_feature(NULL, i)->qemu;
		bool wanted = bitset_has(&l->baseline, i);

		if (property && is_on(answers, property) != wanted)
			fail_msg("%s is %s with -cpu %s", property, wanted ? "off" : "on",
				line);
	}
}

static void skip_without_qemu(void)
{
	if (system("command -v " QEMU " >/dev/null") == 0)
		return;
	print_message("skipped: " QEMU " is not installed\n");
	skip();
}

static void a_guest_has_the_baseline_whatever_model_says_it(void **state)
{
	size_t count = 0;

	(void)state;
	skip_without_qemu();
	check_guest(&emulated);
	for (size_t i = 0; i < catalogue_model_count(); i += 3) {
		struct level l;

		if (!say_with(catalogue_model(i), &l))
			continue;
		check_guest(&l);
		count++;
	}
	print_message("%zu models\n", count);
	assert_true(count > 5);
}

static void the_bits_of_an_address_are_those_of_the_level(void **state)
{
	struct level l = emulated;
	const char *line;

	(void)state;
	skip_without_qemu();
	l.maxphysaddr = 43;
	line = line_of(&l);
	assert_contains(line, ",phys-bits=43,");
	assert_contains(ask_qemu(line), "{\"return\": 43, \"id\": \"phys-bits\"}");
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_guest_has_the_baseline_whatever_model_says_it),
		cmocka_unit_test(the_bits_of_an_address_are_those_of_the_level),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, begin, end);
}
