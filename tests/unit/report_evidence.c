/* Trial guests in the table, the JSON and the evidence: golden text, and objects that are
 * read back. */
#include <jansson.h>

#include <stdlib.h>

#include "coordinator/report/evidence.h"
#include "tests/support/test.h"

enum { NODES = 3 };

static struct arena arena;

static struct cpu_word word = { 7, 0, 1, 0x209, 0 };
static struct cpu_word other_word = { 7, 0, 1, 0x80209, 0x10 };
static struct leaf leaf = { 1, 0, 0x10676, 0x800, 0x80000001, 0x78bfbff };
static struct cpu_property properties[] = { { "aes", "true" }, { "family", "6" },
	{ "vendor", "\"GenuineIntel\"" }, { "evil", "{\033[2J" } };
static struct tried trials[NODES];
static struct migrated sent[NODES];
static struct met met[NODES];
static struct report_node nodes[NODES];
static struct report_migration migrations[NODES];
static struct report_difference difference;
static struct report report;

static struct tried trial_make(void)
{
	return (struct tried){ .started = true,
		.reason = "",
		.name = "cpuherd-00-trial",
		.machine = "pc-q35-7.2",
		.cpu = "<cpu/>",
		.words = { &word, 1 },
		.properties = { properties, 4 },
		.gap = "",
		.alive = true,
		.why = "",
		.count = 17,
		.leaves = { &leaf, 1 },
		.start_ms = 300 };
}

static struct met met_make(void)
{
	return (struct met){ .present = true,
		.state = "running",
		.cpu = "<cpu/>",
		.words = { &word, 1 },
		.properties = { properties, 4 },
		.gap = "",
		.alive = true,
		.why = "",
		.count = 29,
		.leaves = { &leaf, 1 },
		.log = "" };
}

/* A ring of three: one went well, one was refused, of one there is nothing. */
static int make_report(void **state)
{
	static const char *const names[] = { "node01", "n2", "node03" };
	struct err e;

	(void)state;
	memset(nodes, 0, sizeof(nodes));
	memset(migrations, 0, sizeof(migrations));
	for (int i = 0; i < NODES; i++) {
		trials[i] = trial_make();
		met[i] = met_make();
		sent[i] = (struct migrated){ true, 0, "", "", "", "", 400 };
		nodes[i].name = names[i];
		nodes[i].note = nodes[i].outcome = nodes[i].proof = "";
		migrations[i] = (struct report_migration){ names[i],
			names[(i + 1) % NODES], &trials[i], &sent[i], &met[i], true, true,
			"", "" };
	}
	sent[1] = (struct migrated){ false, 9, "Lost \033[2J connection", "its words",
		"port 22: Connection refused", "bye", 12345 };
	met[1] = (struct met){
		.state = "", .cpu = "", .gap = "", .why = "", .log = "no"
	};
	migrations[1].ok = migrations[1].ran = false;
	migrations[1].why = "libvirt did not migrate it: Lost \033[2J connection";
	migrations[1].cause = "the moon; wait";
	migrations[2] = (struct report_migration){ "node03", "node01", NULL, NULL, NULL,
		false, false, "node03: gone", "" };
	report = (struct report){ .verb = "rehearse",
		.nodes = nodes,
		.count = NODES,
		.virt = "kvm",
		.virt_note = "",
		.level_name = "baseline",
		.xml = "<cpu>\n</cpu>\n",
		.pairs = "a ring",
		.migrations = migrations,
		.migration_count = NODES,
		.summary = "1 of 3" };
	report.catalogue = catalogue_new(&arena, &e);
	return report.catalogue ? 0 : -1;
}

/* How the report comes out. */
enum form { TABLE, JSON, EVIDENCE };

static char *print(enum form form)
{
	char *memory = NULL, *copy;
	size_t size = 0;
	FILE *out = open_memstream(&memory, &size);
	struct err e;
	enum rc rc;

	assert_non_null(out);
	if (form == TABLE)
		rc = table_print(out, &report, false, &arena, &e);
	else if (form == JSON)
		rc = json_print(out, &report, &arena, &e);
	else
		rc = evidence_print(out, &report, "2026-05-01T12:00:00Z",
			"2026-05-01T12:00:09Z", &arena, &e);
	assert_rc(rc, RC_OK, &e);
	fclose(out);
	copy = arena_text_n(&arena, memory, size);
	free(memory);
	return copy;
}

static json_t *read_back(enum form form)
{
	json_error_t error;
	json_t *object = json_loads(print(form), JSON_REJECT_DUPLICATES, &error);

	assert_non_null(object);
	return object;
}

static json_int_t number(json_t *object, const char *key)
{
	assert_true(json_is_integer(json_object_get(object, key)));
	return json_integer_value(json_object_get(object, key));
}

/* ---- the table */

static void a_line_for_each_pair_and_under_it_what_failed(void **state)
{
	(void)state;
	assert_string_equal(print(TABLE),
		"SOURCE  TARGET  GUEST  TIME    OUTCOME\n"
		"node01  n2      ran    0.4 s   lives on\n"
		"n2      node03  ran    12.3 s  failed\n"
		"node03  node01                 failed\n"
		"\n"
		"n2 -> node03: libvirt did not migrate it: Lost ?[2J connection\n"
		"  asked directly, the target says: its words\n"
		"  from the source: port 22: Connection refused\n"
		"  QEMU at the source: bye\n"
		"  QEMU at the target: no\n"
		"  likely cause: the moon; wait\n"
		"\n"
		"node03 -> node01: node03: gone\n"
		"\n"
		"1 of 3\n");
}

static void of_very_many_only_failures_have_a_line(void **state)
{
	enum { MANY = 100 };
	struct report_migration *many = arena_alloc(&arena, MANY, sizeof(*many));
	char *text;

	(void)state;
	for (int i = 0; i < MANY; i++)
		many[i] = migrations[i == 40];
	report.migrations = many;
	report.migration_count = MANY;
	text = print(TABLE);
	assert_null(strstr(text, "lives on"));
	assert_contains(text, "\nn2      node03  ran");
}

/* ---- JSON */

static void assert_keys_on_page(json_t *object, const char *page, const char *where)
{
	const char *key;
	json_t *value;

	assert_true(json_is_object(object));
	json_object_foreach(object, key, value) if (!strstr(page, key))
		fail_msg("docs: %s lacks %s", where, key);
}

static char *page_read(const char *name)
{
	return test_read_file(
		&arena, arena_format(&arena, "%s/docs/%s", SOURCE_ROOT, name));
}

static void every_key_of_a_trial_and_a_migration_is_on_the_page(void **state)
{
	const char *first[] = { "n2" }, *page = page_read("json.md");
	json_t *object, *migration;

	(void)state;
	nodes[0].trial = &trials[0];
	nodes[0].proof = "equal";
	difference = (struct report_difference){ "CPUID 0x7/0 EBX bit 19", "adx",
		{ first, 1 }, "1", "0", true };
	report.differences = &difference;
	report.difference_count = 1;
	object = read_back(JSON);
	migration = json_array_get(json_object_get(object, "migrations"), 0);
	assert_keys_on_page(migration, page, "migration");
	assert_keys_on_page(json_object_get(migration, "migrated"), page, "migrated");
	assert_keys_on_page(json_object_get(migration, "met"), page, "met");
	assert_keys_on_page(json_array_get(json_object_get(object, "differences"), 0),
		page, "difference");
	assert_keys_on_page(
		json_object_get(
			json_array_get(json_object_get(object, "nodes"), 0), "trial"),
		page, "trial");
	json_decref(object);
}

static void a_migration_is_told_with_its_words_and_its_time(void **state)
{
	json_t *object = read_back(JSON), *all = json_object_get(object, "migrations");
	json_t *failed = json_array_get(all, 1);

	(void)state;
	assert_int_equal(json_array_size(all), NODES);
	assert_true(json_is_true(json_object_get(json_array_get(all, 0), "ok")));
	assert_true(json_is_false(json_object_get(failed, "ok")));
	assert_string_equal(
		json_string_value(json_object_get(failed, "cause")), "the moon; wait");
	assert_int_equal(number(json_object_get(failed, "migrated"), "ms"), 12345);
	assert_int_equal(number(json_object_get(failed, "before"), "leaves"), 1);
	assert_true(json_is_null(json_object_get(json_array_get(all, 2), "met")));
	json_decref(object);
}

/* ---- evidence */

static void what_guests_show_alike_is_there_once(void **state)
{
	json_t *object = read_back(EVIDENCE), *ev = json_object_get(object, "evidence");
	json_t *ways = json_object_get(ev, "migrations");

	(void)state;
	assert_int_equal(json_array_size(json_object_get(ev, "samples")), 1);
	assert_int_equal(json_array_size(ways), NODES);
	assert_int_equal(number(json_array_get(ways, 0), "before"), 0);
	assert_int_equal(number(json_array_get(ways, 0), "after"), 0);
	assert_true(json_is_null(json_object_get(json_array_get(ways, 1), "after")));
	assert_true(json_is_null(json_object_get(json_array_get(ways, 2), "before")));
	json_decref(object);
}

static void another_word_is_another_sample(void **state)
{
	json_t *object, *ev, *samples;

	(void)state;
	met[0].words.item = &other_word;
	object = read_back(EVIDENCE);
	ev = json_object_get(object, "evidence");
	samples = json_object_get(ev, "samples");
	assert_int_equal(json_array_size(samples), 2);
	assert_int_equal(
		number(json_array_get(json_object_get(ev, "migrations"), 0), "after"), 1);
	assert_string_equal(
		json_string_value(json_object_get(
			json_array_get(
				json_object_get(json_array_get(samples, 1), "words"), 0),
			"value")),
		"0x00080209");
	json_decref(object);
}

static void nodes_with_equal_guests_name_one_sample(void **state)
{
	json_t *object, *all;

	(void)state;
	for (int i = 0; i < NODES; i++)
		nodes[i].trial = &trials[i];
	trials[1].words.item = &other_word;
	report.migration_count = 0;
	object = read_back(EVIDENCE);
	all = json_object_get(json_object_get(object, "evidence"), "trials");
	assert_int_equal(json_array_size(all), 2);
	assert_int_equal(
		json_array_size(json_object_get(json_array_get(all, 0), "nodes")), 2);
	assert_string_equal(json_string_value(json_array_get(
				    json_object_get(json_array_get(all, 1), "nodes"), 0)),
		"n2");
	json_decref(object);
}

static void every_word_property_and_leaf_is_there(void **state)
{
	const char *page = page_read("evidence.md");
	json_t *object = read_back(EVIDENCE), *ev = json_object_get(object, "evidence");
	json_t *sample = json_array_get(json_object_get(ev, "samples"), 0), *property;

	(void)state;
	assert_keys_on_page(ev, page, "evidence");
	assert_keys_on_page(sample, page, "sample");
	assert_keys_on_page(
		json_array_get(json_object_get(sample, "words"), 0), page, "word");
	assert_keys_on_page(
		json_array_get(json_object_get(sample, "leaves"), 0), page, "leaf");
	property = json_object_get(sample, "properties");
	assert_int_equal(json_array_size(property), 4);
	assert_true(json_is_true(json_object_get(json_array_get(property, 0), "value")));
	assert_int_equal(number(json_array_get(property, 1), "value"), 6);
	assert_string_equal(
		json_string_value(json_object_get(json_array_get(property, 3), "value")),
		"{?[2J");
	assert_string_equal(
		json_string_value(json_object_get(ev, "began")), "2026-05-01T12:00:00Z");
	json_decref(object);
}

static int forget(void **state)
{
	(void)state;
	arena_destroy(&arena);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
#define CASE(name) cmocka_unit_test_setup(name, make_report)
		CASE(a_line_for_each_pair_and_under_it_what_failed),
		CASE(of_very_many_only_failures_have_a_line),
		CASE(every_key_of_a_trial_and_a_migration_is_on_the_page),
		CASE(a_migration_is_told_with_its_words_and_its_time),
		CASE(what_guests_show_alike_is_there_once),
		CASE(another_word_is_another_sample),
		CASE(nodes_with_equal_guests_name_one_sample),
		CASE(every_word_property_and_leaf_is_there),
#undef CASE
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, NULL, forget);
}
