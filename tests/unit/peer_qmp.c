/* What QEMU's monitor says of a CPU.  The answers are QEMU 7.2's, 10.0's and 11.1's, cut. */
#include "peer/qmp.h"
#include "proto/limits.h"
#include "tests/support/test.h"

static const char path[] = "/machine/unattached/device[0]";

static struct arena arena;
static struct err e;

static int empty_arena(void **state)
{
	(void)state;
	arena_destroy(&arena);
	return 0;
}

/* ---- asking */

static void commands_are_json_whatever_a_name_holds(void **state)
{
	(void)state;
	assert_string_equal(qmp_command(&arena, "query-cpus-fast", NULL, NULL),
		"{\"arguments\":{},\"execute\":\"query-cpus-fast\"}");
	assert_string_equal(qmp_command(&arena, "qom-get", path, "x\"}\\"),
		"{\"arguments\":{\"path\":\"/machine/unattached/device[0]\","
		"\"property\":\"x\\\"}\\\\\"},\"execute\":\"qom-get\"}");
	assert_null(qmp_command(&arena, "qom-get", path, "\xff"));
}

/* ---- answers as they should be */

static void the_first_vcpu_is_the_one_of_index_0(void **state)
{
	const char *found;

	(void)state;
	assert_rc(
		qmp_first_cpu("{\"return\":[{\"qom-path\":\"/other\",\"cpu-index\":1},"
			      "{\"thread-id\":139,\"qom-type\":\"Penryn-x86_64-cpu\","
			      "\"props\":{\"core-id\":0,\"thread-id\":0,\"socket-id\":0},"
			      "\"qom-path\":\"/machine/unattached/device[0]\","
			      "\"cpu-index\":0,\"target\":\"x86_64\"}],"
			      "\"id\":\"libvirt-12\"}",
			&arena, &found, &e),
		RC_OK, &e);
	assert_string_equal(found, path);
}

static void only_properties_that_have_a_value_are_asked_for(void **state)
{
	struct texts names;

	(void)state;
	assert_rc(qmp_names("{\"return\":[{\"name\":\"type\",\"type\":\"string\"},"
			    "{\"name\":\"parent_bus\",\"type\":\"link<bus>\"},"
			    "{\"name\":\"lapic\",\"type\":\"child<apic>\"},"
			    "{\"name\":\"legacy-memory\",\"type\":\"str\"},"
			    "{\"name\":\"crash-information\","
			    "\"type\":\"GuestPanicInformation\"},"
			    "{\"name\":\"avx2\",\"type\":\"bool\"}],\"id\":\"1\"}",
			  &arena, &names, &e),
		RC_OK, &e);
	assert_int_equal(names.count, 2);
	assert_string_equal(names.item[0], "type");
	assert_string_equal(names.item[1], "avx2");
}

static const char shown[] =
	"{\"return\":[{\"cpuid-register\":\"EDX\",\"cpuid-input-ecx\":1,"
	"\"cpuid-input-eax\":7,\"features\":16},{\"cpuid-register\":\"ECX\","
	"\"cpuid-input-eax\":1,\"features\":4294967295},{\"cpuid-register\":\"EAX\","
	"\"cpuid-input-eax\":1073741825,\"features\":2}]}";

static void words_are_joined_with_what_was_taken_away_by_register(void **state)
{
	struct qmp_view view = { 0 };
	const struct cpu_word *word;

	(void)state;
	assert_rc(qmp_add(shown, "feature-words", &arena, &view, &e), RC_OK, &e);
	assert_rc(qmp_add("{\"return\":[{\"cpuid-register\":\"EDX\","
			  "\"cpuid-input-ecx\":1,\"cpuid-input-eax\":7,"
			  "\"features\":3},{\"cpuid-register\":\"EDX\","
			  "\"cpuid-input-ecx\":0,\"cpuid-input-eax\":7,"
			  "\"features\":5}]}",
			  "filtered-features", &arena, &view, &e),
		RC_OK, &e);
	assert_int_equal(view.words.count, 4);
	assert_int_equal(view.properties.count, 0);
	word = view.words.item;
	assert_memory_equal(
		&word[0], (&(struct cpu_word){ 7, 1, 3, 16, 3 }), sizeof(*word));
	assert_memory_equal(
		&word[1], (&(struct cpu_word){ 1, 0, 2, 0xffffffff, 0 }), sizeof(*word));
	assert_memory_equal(
		&word[2], (&(struct cpu_word){ 0x40000001, 0, 0, 2, 0 }), sizeof(*word));
	assert_memory_equal(
		&word[3], (&(struct cpu_word){ 7, 0, 3, 0, 5 }), sizeof(*word));
}

static void properties_are_kept_as_json(void **state)
{
	static const char *const answers[][2] = {
		{ "{\"return\":true,\"id\":\"libvirt-9\"}", "true" },
		{ "{\"return\":13}", "13" },
		{ "{\"return\":18446744073709551552,\"id\":\"libvirt-9\"}",
			"18446744073709551552" },
		{ "{\"return\":\"GenuineIntel\"}", "\"GenuineIntel\"" },
		{ "{\"return\": {\"b\": 1, \"a\": [] }}", "{\"a\":[],\"b\":1}" },
		{ "{\"return\":\"a\\nb\"}", "\"a\\nb\"" },
	};
	struct qmp_view view = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		const struct cpu_property *last;

		assert_rc(qmp_add(answers[i][0], "name", &arena, &view, &e), RC_OK, &e);
		last = (const struct cpu_property *)view.properties.item + i;
		assert_string_equal(last->name, "name");
		assert_string_equal(last->value, answers[i][1]);
	}
}

/* ---- answers of somebody else */

static void an_error_is_told_in_qemus_words(void **state)
{
	struct qmp_view view = { 0 };

	(void)state;
	assert_rc(qmp_add("{\"id\":\"libvirt-413\",\"error\":{\"class\":\"GenericError\","
			  "\"desc\":\"Property 'x' is not readable\"}}",
			  "x", &arena, &view, &e),
		RC_LIBVIRT, &e);
	assert_non_null(strstr(e.text, "Property 'x' is not readable"));
}

static void what_only_begins_as_a_large_number_is_refused(void **state)
{
	static const char *const answers[] = { "{\"return\":184467440737095515520000}",
		"{\"return\":18446744073709551552", "{\"return\":18446744073709551552x}",
		"{\"return\":18446744073709551552 18446744073709551552}" };
	struct qmp_view view = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		assert_rc(qmp_add(answers[i], "lbr-fmt", &arena, &view, &e), RC_LIBVIRT,
			&e);
	assert_int_equal(view.properties.count, 0);
}

static void what_is_no_list_of_cpus_is_refused(void **state)
{
	static const char *const answers[] = { "", "{", "[]", "{\"return\":null}",
		"{\"return\":{}}", "{\"return\":[]}", "{\"return\":[{}]}",
		"{\"return\":[{\"cpu-index\":0}]}",
		"{\"return\":[{\"cpu-index\":0,\"qom-path\":\"a b\"}]}",
		"{\"return\":[{\"cpu-index\":0,\"qom-path\":\"\"}]}",
		"{\"return\":[{\"cpu-index\":\"0\",\"qom-path\":\"/a\"}]}",
		"{\"return\":[{\"cpu-index\":0,\"qom-path\":\"/a\"}]} x" };
	const char *found;

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		assert_rc(qmp_first_cpu(answers[i], &arena, &found, &e), RC_LIBVIRT, &e);
}

static void what_is_no_list_of_properties_is_refused(void **state)
{
	static const char *const answers[] = { "{\"return\":[]}", "{\"return\":7}",
		"{\"return\":[{\"name\":\"a\"}]}", "{\"return\":[{\"type\":\"bool\"}]}",
		"{\"return\":[{\"name\":\"a\\u0001\",\"type\":\"bool\"}]}",
		"{\"return\":[{\"name\":7,\"type\":\"bool\"}]}" };
	struct texts names;

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		assert_rc(qmp_names(answers[i], &arena, &names, &e), RC_LIBVIRT, &e);
}

#define WORD(fields) "{\"return\":[{" fields "}]}"

static void what_are_no_registers_is_refused(void **state)
{
	static const char *const answers[] = { "{\"return\":{}}", "{\"return\":[7]}",
		WORD("\"cpuid-register\":\"EAX\",\"features\":1"),
		WORD("\"cpuid-register\":\"ESI\",\"cpuid-input-eax\":1,\"features\":1"),
		WORD("\"cpuid-register\":\"EAX\",\"cpuid-input-eax\":1,\"features\":-1"),
		WORD("\"cpuid-register\":\"EAX\",\"cpuid-input-eax\":1,"
		     "\"features\":4294967296"),
		WORD("\"cpuid-register\":\"EAX\",\"cpuid-input-eax\":1,"
		     "\"cpuid-input-ecx\":\"1\",\"features\":1") };

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		struct qmp_view view = { 0 };

		assert_rc(qmp_add(answers[i], "feature-words", &arena, &view, &e),
			RC_LIBVIRT, &e);
		assert_int_equal(view.words.count, 0);
	}
}

/* {"return":[ITEM,ITEM,...]} */
static const char *many(const char *item, size_t count)
{
	struct buf text = buf_with_cap(4 * LIMIT_BODY_BYTES);
	const char *kept;

	for (size_t i = 0; i < count; i++) {
		assert_int_equal(
			buf_append_text(&text, i ? "," : "{\"return\":["), RC_OK);
		assert_int_equal(buf_format(&text, item, (int)i), RC_OK);
	}
	assert_int_equal(buf_append_text(&text, "]}"), RC_OK);
	kept = arena_text_n(&arena, buf_bytes(&text).data, buf_bytes(&text).size);
	assert_non_null(kept);
	buf_destroy(&text);
	return kept;
}

static void answers_are_capped(void **state)
{
	struct qmp_view view = { 0 };
	struct texts names;

	(void)state;
	assert_rc(qmp_names(many("{\"name\":\"a%d\",\"type\":\"bool\"}",
				    QMP_PROPERTIES_MAX),
			  &arena, &names, &e),
		RC_OK, &e);
	assert_rc(qmp_names(many("{\"name\":\"a%d\",\"type\":\"bool\"}",
				    QMP_PROPERTIES_MAX + 1),
			  &arena, &names, &e),
		RC_LIBVIRT, &e);
	assert_rc(qmp_add(many("{\"cpuid-register\":\"EAX\",\"cpuid-input-eax\":%d,"
			       "\"features\":1}",
				  QMP_WORDS_MAX + 1),
			  "feature-words", &arena, &view, &e),
		RC_LIBVIRT, &e);
	assert_rc(qmp_add(many("1%07d", QMP_VALUE_MAX / 9 + 1), "x", &arena, &view, &e),
		RC_LIBVIRT, &e);
	assert_rc(
		qmp_add(many("1%07d", LIMIT_BODY_BYTES / 9 + 1), "x", &arena, &view, &e),
		RC_LIBVIRT, &e);
	assert_non_null(strstr(e.text, "too long"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(
			commands_are_json_whatever_a_name_holds, empty_arena),
		cmocka_unit_test_teardown(
			the_first_vcpu_is_the_one_of_index_0, empty_arena),
		cmocka_unit_test_teardown(
			only_properties_that_have_a_value_are_asked_for, empty_arena),
		cmocka_unit_test_teardown(
			words_are_joined_with_what_was_taken_away_by_register,
			empty_arena),
		cmocka_unit_test_teardown(properties_are_kept_as_json, empty_arena),
		cmocka_unit_test_teardown(an_error_is_told_in_qemus_words, empty_arena),
		cmocka_unit_test_teardown(
			what_only_begins_as_a_large_number_is_refused, empty_arena),
		cmocka_unit_test_teardown(
			what_is_no_list_of_cpus_is_refused, empty_arena),
		cmocka_unit_test_teardown(
			what_is_no_list_of_properties_is_refused, empty_arena),
		cmocka_unit_test_teardown(what_are_no_registers_is_refused, empty_arena),
		cmocka_unit_test_teardown(answers_are_capped, empty_arena),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
