/* What people and programs read: golden texts, and texts of nodes that mean harm. */
#include <jansson.h>

#include <stdlib.h>

#include "coordinator/report/diff.h"
#include "coordinator/report/report.h"
#include "coordinator/report/utf8.h"
#include "tests/support/test.h"

static struct arena arena;

/* Three nodes: one that wrote, one that said what no terminal should see, one that
 * was never reached. */
static struct offer offers[2];
static struct node_facts facts[2];
static struct report_node nodes[3];
static struct level level;
static struct report report;

static struct edit edits[2];

static int make_report(void **state)
{
	static struct level_feature features[] = { { "aes", POLICY_DISABLE },
		{ "arat", POLICY_REQUIRE } };
	struct err e;

	(void)state;
	memset(offers, 0, sizeof(offers));
	memset(facts, 0, sizeof(facts));
	memset(nodes, 0, sizeof(nodes));
	for (int i = 0; i < 3; i++)
		nodes[i].note = nodes[i].outcome = nodes[i].proof = "";
	for (int i = 0; i < 2; i++) {
		struct facts *f = &facts[i].small;

		f->hostname = f->host_uuid = f->arch = f->kernel = f->microcode = "";
		offers[i].vendor = offers[i].host_model = "";
		bitset_add(&offers[i].features, 3);
		bitset_add(&offers[i].features, 9);
		nodes[i].facts = &facts[i];
		nodes[i].offer = &offers[i];
		nodes[i].vote = REPORT_YES;
		nodes[i].edits = (struct edits){ &edits[i], 1 };
		edits[i] = (struct edit){ .place = PLACE_stanza,
			.name = "baseline",
			.title = "/etc/libvirt/cpuherd/baseline.xml",
			.machine = "" };
	}
	offers[0].cpu = "AMD EPYC™ 7601";
	offers[1].cpu = "evil \033[2J\xff\xfe\xc2\x9b CPU";
	nodes[0].name = "node01";
	nodes[0].outcome = "written";
	nodes[1].name = "n2";
	nodes[1].outcome = "unchanged";
	nodes[2].name = "node03";
	err_set(&nodes[2].err, RC_UNREACHABLE, 0, "connect: no route to host");
	level = (struct level){ .virt = VIRT_KVM,
		.model = "Penryn",
		.vendor = "Intel",
		.features = features,
		.feature_count = 2 };
	bitset_add(&level.baseline, 3);
	report = (struct report){ .verb = "negotiate",
		.nodes = nodes,
		.count = 3,
		.virt = "kvm",
		.virt_note = "",
		.level = &level,
		.level_name = "baseline",
		.xml = "<cpu>\n</cpu>\n",
		.rounds = 1,
		.summary = "done" };
	report.catalogue = catalogue_new(&arena, &e);
	return report.catalogue ? 0 : -1;
}

static int forget(void **state)
{
	(void)state;
	arena_destroy(&arena);
	return 0;
}

static char *print(bool json, bool colours)
{
	char *memory = NULL, *copy;
	size_t size = 0;
	FILE *out = open_memstream(&memory, &size);
	struct err e;

	assert_non_null(out);
	assert_rc(json ? json_print(out, &report, &arena, &e)
		       : table_print(out, &report, colours, &arena, &e),
		RC_OK, &e);
	fclose(out);
	copy = arena_text_n(&arena, memory, size);
	free(memory);
	return copy;
}

/* ---- the table */

static void table_is_aligned_and_errors_stand_under_it(void **state)
{
	(void)state;
	assert_string_equal(print(false, false),
		"NODE    CPU                OFFER  VOTE  OUTCOME\n"
		"node01  AMD EPYC™ 7601         2  yes   written\n"
		"n2      evil ?[2J???? CPU      2  yes   unchanged\n"
		"node03                                  failed\n"
		"node03: connect: no route to host; see name, address and port of the "
		"node, its sshd, firewalls\n"
		"\n<cpu>\n</cpu>\n"
		"\ndone\n");
}

static void colours_are_red_for_failures_and_only_where_wanted(void **state)
{
	char *text;

	(void)state;
	assert_null(strchr(print(false, false), '\033'));
	text = print(false, true);
	assert_contains(text, "\033[32mnode01");
	assert_contains(text, "\033[31mnode03");
}

static void losses_with_one_cause_share_a_line(void **state)
{
	const char *both[] = { "node01", "n2" }, *one[] = { "n2" };
	struct report_loss losses[] = {
		{ "avx", { one, 1 }, { NULL, 0 } },
		{ "avx2", { one, 1 }, { NULL, 0 } },
		{ "pku", { both, 2 }, { NULL, 0 } },
		{ "hle", { NULL, 0 }, { one, 1 } },
	};

	(void)state;
	report.verb = "plan";
	report.explains = true;
	report.losses = losses;
	report.loss_count = 4;
	assert_contains(print(false, false), "\nnot on 1 of 3 (n2): avx, avx2\n"
					     "not on 2 of 3 (node01, n2): pku\n"
					     "voted out by n2: hle\n");
}

static const char *intel_nodes[] = { "node01", "node03" }, *other_node[] = { "n2" };
static struct report_pool pools[] = {
	{ "Intel", "Intel", { intel_nodes, 2 }, &level, "<cpu>\n</cpu>\n", "n2", { 0 } },
	{ "", "unknown vendor", { other_node, 1 }, NULL, "", "node01,node03", { 0 } },
};

static void make_pools(void)
{
	err_set(&pools[1].err, RC_LEVEL, 0, "no CPU \033[2J model");
	report.verb = "plan";
	report.level = NULL;
	report.xml = report.summary = report.pairs = "";
	report.pools = pools;
	report.pool_count = 2;
}

static void a_level_for_each_vendor_stands_under_its_nodes(void **state)
{
	(void)state;
	make_pools();
	assert_contains(print(false, false),
		"\nno level fits all; what each CPU vendor's nodes could agree on:\n"
		"\nIntel, 2 of 3 nodes: node01, node03\n"
		"Penryn +1 -1 (kvm): 1 features\n"
		"the same command for these alone: --without n2\n"
		"<cpu>\n</cpu>\n"
		"\nunknown vendor, 1 of 3 nodes: n2\n"
		"no level: no CPU ?[2J model\n");
}

static void gaps_with_one_reason_share_a_line(void **state)
{
	struct gap both[] = { { "offer_kvm", "no libvirt" }, { "kvm", "no /dev/kvm" } };
	struct gap more[] = { { "kvm", "no /dev/kvm" }, { "emulated", "no /dev/kvm" },
		{ "offer_kvm", "no libvirt" }, { "uri", "no libvirt" } };

	(void)state;
	report.verb = "probe";
	facts[0].small.gaps = (struct list){ both, 2 };
	facts[1].small.gaps = (struct list){ more, 4 };
	assert_contains(print(false, false), "\nn2: no emulated: no /dev/kvm\n"
					     "node01, n2: no kvm: no /dev/kvm\n"
					     "node01, n2: no offer_kvm: no libvirt\n"
					     "n2: no uri: no libvirt\n");
	facts[0].small.gaps = (struct list){ more, 4 };
	assert_contains(print(false, false),
		"\nnode01, n2: no emulated, kvm: no /dev/kvm\n"
		"node01, n2: no offer_kvm, uri: no libvirt\n");
}

static void output_that_is_not_taken_is_an_error(void **state)
{
	FILE *full = fopen("/dev/full", "w");
	struct err e;

	(void)state;
	assert_non_null(full);
	assert_rc(table_print(full, &report, false, &arena, &e), RC_OUTPUT, &e);
	assert_rc(json_print(full, &report, &arena, &e), RC_OUTPUT, &e);
	fclose(full);
}

/* ---- what would be written */

static struct edit several[3];

/* The first node's file, guest with another machine type, and what is there already. */
static void make_several(void)
{
	several[0] = (struct edit){ .place = PLACE_stanza,
		.name = "baseline",
		.title = "/a",
		.exists = true,
		.before = bytes_of("old\n"),
		.after = bytes_of("new\n"),
		.machine = "" };
	several[1] = (struct edit){ .place = PLACE_domain,
		.name = "6e7cd2a8-0000-4000-8000-000000000001",
		.title = "domain \"web1\"",
		.exists = true,
		.before = bytes_of("<cpu>\n"),
		.after = bytes_of("<cpu>\n"),
		.machine = "pc-q35-7.2",
		.machine_before = "pc-q35-6.0" };
	several[2] = (struct edit){ .place = PLACE_nova,
		.name = "nova.conf.d",
		.title = "/c",
		.exists = true,
		.unchanged = true,
		.before = bytes_of("same but for blanks\n"),
		.after = bytes_of("same  but for blanks\n"),
		.machine = "" };
	nodes[0].edits = (struct edits){ several, 3 };
}

static const char several_diff[] = "--- /a\n+++ /a\n@@ -1,1 +1,1 @@\n-old\n+new\n"
				   "--- machine type of domain \"web1\"\n"
				   "+++ machine type of domain \"web1\"\n"
				   "@@ -1,1 +1,1 @@\n-pc-q35-6.0\n+pc-q35-7.2\n";

static void a_dry_run_shows_all_that_would_change_once_for_equal_nodes(void **state)
{
	(void)state;
	make_several();
	nodes[2].edits = nodes[0].edits;
	report.dry_run = true;
	assert_contains(print(false, false),
		arena_format(&arena, "\nnode01, node03:\n%s\nn2: unchanged\n\ndone\n",
			several_diff));
	several[1].machine_before = NULL;
	assert_contains(print(false, false), "@@ -0,0 +1,1 @@\n+pc-q35-7.2\n");
}

static void a_conflict_is_shown_with_its_difference_and_no_other_node_is(void **state)
{
	const char *text;

	(void)state;
	make_several();
	nodes[2].edits = nodes[0].edits;
	assert_null(strstr(print(false, false), "+new"));
	err_set(&nodes[2].err, RC_CONFLICT, 0, "/a is not ours");
	text = print(false, false);
	assert_contains(text, "node03: /a is not ours; see the difference shown");
	assert_contains(
		text, arena_format(&arena, "\nnode03:\n%s\ndone\n", several_diff));
	nodes[2].outcome = "refused"; /* it was tried: what is there now is not known */
	assert_null(strstr(print(false, false), "+new"));
}

/* ---- JSON */

static void json_reads_back_with_every_key_of_the_page(void **state)
{
	static const char *const keys[] = { "schema", "version", "verb", "ok",
		"exit_status", "error", "dry_run", "virt_type", "virt_note", "rounds",
		"wishes", "level", "pools", "lost", "machines", "remarks", "nodes",
		"groups", "compared", "differences", "pairs", "migrations", "summary" };
	static const char *const level_keys[] = { "name", "model", "vendor", "require",
		"disable", "features", "maxphysaddr", "xsave_bytes", "psabi", "xml" };
	static const char *const node_keys[] = { "name", "facts", "virt_types", "offer",
		"vote", "refused", "outcome", "changes", "check", "trial", "proof",
		"note", "error" };
	char *page = test_read_file(
		&arena, arena_format(&arena, "%s/docs/json.md", SOURCE_ROOT));
	json_error_t error;
	json_t *object, *node;

	(void)state;
	object = json_loads(print(true, false), JSON_REJECT_DUPLICATES, &error);
	assert_non_null(object);
	assert_int_equal(json_object_size(object), sizeof(keys) / sizeof(keys[0]));
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		assert_non_null(json_object_get(object, keys[i]));
		assert_contains(page, arena_format(&arena, "\n| %s |", keys[i]));
	}
	node = json_object_get(object, "level");
	assert_int_equal(
		json_object_size(node), sizeof(level_keys) / sizeof(level_keys[0]));
	for (size_t i = 0; i < sizeof(level_keys) / sizeof(level_keys[0]); i++) {
		assert_non_null(json_object_get(node, level_keys[i]));
		assert_contains(page, arena_format(&arena, "\n| %s |", level_keys[i]));
	}
	node = json_array_get(json_object_get(object, "nodes"), 1);
	assert_int_equal(
		json_object_size(node), sizeof(node_keys) / sizeof(node_keys[0]));
	for (size_t i = 0; i < sizeof(node_keys) / sizeof(node_keys[0]); i++) {
		assert_non_null(json_object_get(node, node_keys[i]));
		assert_contains(page, arena_format(&arena, "\n| %s |", node_keys[i]));
	}
	json_decref(object);
}

static json_t *changes_read(size_t node, json_t **object)
{
	json_error_t error;

	*object = json_loads(print(true, false), JSON_REJECT_DUPLICATES, &error);
	assert_non_null(*object);
	return json_object_get(
		json_array_get(json_object_get(*object, "nodes"), node), "changes");
}

static void json_has_every_change_of_a_node(void **state)
{
	static const char *const keys[] = { "place", "name", "title", "exists", "ours",
		"unchanged", "machine", "machine_before", "diff" };
	char *page = test_read_file(
		&arena, arena_format(&arena, "%s/docs/json.md", SOURCE_ROOT));
	json_t *object, *changes, *second;

	(void)state;
	make_several();
	changes = changes_read(0, &object);
	assert_int_equal(json_array_size(changes), 3);
	second = json_array_get(changes, 1);
	assert_int_equal(json_object_size(second), sizeof(keys) / sizeof(keys[0]));
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		assert_non_null(json_object_get(second, keys[i]));
		assert_contains(page, arena_format(&arena, "\n| %s |", keys[i]));
	}
	assert_string_equal(
		json_string_value(json_object_get(second, "place")), "domain");
	assert_string_equal(
		json_string_value(json_object_get(second, "machine")), "pc-q35-7.2");
	assert_true(json_is_null(json_object_get(second, "diff")));
	assert_int_equal(json_array_size(changes_read(2, &second)), 0);
	json_decref(object);
	json_decref(second);
}

static void json_has_the_difference_in_a_dry_run_and_on_a_conflict(void **state)
{
	json_t *object, *diff;

	(void)state;
	make_several();
	report.dry_run = true;
	diff = json_object_get(json_array_get(changes_read(0, &object), 0), "diff");
	assert_string_equal(
		json_string_value(diff), "--- /a\n+++ /a\n@@ -1,1 +1,1 @@\n-old\n+new\n");
	json_decref(object);
	report.dry_run = false;
	err_set(&nodes[0].err, RC_CONFLICT, 0, "/a is not ours");
	nodes[0].outcome = "";
	diff = json_object_get(json_array_get(changes_read(0, &object), 2), "diff");
	assert_string_equal(json_string_value(diff), "");
	json_decref(object);
}

static void json_has_a_level_for_each_vendor(void **state)
{
	static const char *const keys[] = { "vendor", "nodes", "without", "level",
		"error" };
	char *page = test_read_file(
		&arena, arena_format(&arena, "%s/docs/json.md", SOURCE_ROOT));
	json_error_t error;
	json_t *object, *array, *first, *second;

	(void)state;
	make_pools();
	object = json_loads(print(true, false), JSON_REJECT_DUPLICATES, &error);
	assert_non_null(object);
	array = json_object_get(object, "pools");
	assert_int_equal(json_array_size(array), 2);
	first = json_array_get(array, 0);
	second = json_array_get(array, 1);
	assert_int_equal(json_object_size(first), sizeof(keys) / sizeof(keys[0]));
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		assert_non_null(json_object_get(first, keys[i]));
		assert_contains(page, arena_format(&arena, "\n| %s |", keys[i]));
	}
	assert_string_equal(json_string_value(json_object_get(
				    json_object_get(first, "level"), "model")),
		"Penryn");
	assert_true(json_is_null(json_object_get(first, "error")));
	assert_true(json_is_null(json_object_get(second, "vendor")));
	assert_true(json_is_null(json_object_get(second, "level")));
	assert_string_equal(json_string_value(json_object_get(
				    json_object_get(second, "error"), "code")),
		"LEVEL");
	json_decref(object);
}

static void texts_of_nodes_become_valid_json(void **state)
{
	json_error_t error;
	json_t *object, *offer;

	(void)state;
	object = json_loads(print(true, false), 0, &error);
	assert_non_null(object);
	offer = json_object_get(
		json_array_get(json_object_get(object, "nodes"), 1), "offer");
	assert_string_equal(
		json_string_value(json_object_get(offer, "cpu")), "evil ?[2J???? CPU");
	json_decref(object);
}

static void equal_reports_give_equal_bytes(void **state)
{
	char *first = print(true, false);

	(void)state;
	make_report(NULL);
	assert_string_equal(first, print(true, false));
}

/* ---- UTF-8 */

static void only_well_formed_utf8_stays(void **state)
{
	static const struct {
		const char *dirty, *clean;
	} texts[] = {
		{ "plain", "plain" },
		{ "grün ™ 日本 😀", "grün ™ 日本 😀" },
		{ "\xc0\xaf", "??" },		  /* overlong '/' */
		{ "\xed\xa0\x80", "???" },	  /* surrogate */
		{ "\xf4\x90\x80\x80", "????" },	  /* beyond U+10FFFF */
		{ "\xe2\x84", "??" },		  /* cut off */
		{ "\xe0\x80\xaf", "???" },	  /* overlong */
		{ "a\x1b[31mb\x7f", "a?[31mb?" }, /* escapes */
		{ "\xc2\x9b", "??" },		  /* ESC [ in one */
		{ "\xff\xfe", "??" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_string_equal(utf8_clean(&arena, texts[i].dirty), texts[i].clean);
	assert_int_equal(utf8_width("grün ™"), 6);
}

/* ---- differences */

static char *diff(const char *before, const char *after)
{
	struct buf out = buf_with_cap(1 << 22);
	struct err e;
	char *text;

	assert_rc(diff_unified(&out, (const char *const[]){ "a", "b" },
			  (const struct bytes[]){
				  { (const uint8_t *)before, strlen(before) },
				  { (const uint8_t *)after, strlen(after) } },
			  &arena, &e),
		RC_OK, &e);
	text = arena_text_n(&arena, buf_bytes(&out).data, buf_bytes(&out).size);
	buf_destroy(&out);
	return text;
}

static void differences_read_like_diff_u(void **state)
{
	(void)state;
	assert_string_equal(diff("x\n", "x\n"), "");
	assert_string_equal(
		diff("", "x\ny\n"), "--- a\n+++ b\n@@ -0,0 +1,2 @@\n+x\n+y\n");
	assert_string_equal(diff("x", "x\n"), "--- a\n+++ b\n@@ -1,1 +1,1 @@\n-x\n\\ No "
					      "newline at end of file\n+x\n");
	assert_string_equal(
		diff("1\n2\n3\n4\n5\n6\n7\n8\n9\n", "1\n2\n3\n4\nV\n6\n7\n8\n9\n"),
		"--- a\n+++ b\n@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+V\n 6\n 7\n 8\n");
}

/* diff -u is the oracle of where hunks begin and end. */
static void random_differences_are_those_of_diff_u(void **state)
{
	uint64_t seed = 7;
	char folder[] = "/tmp/cpuherd-diff-XXXXXX";

	(void)state;
	assert_non_null(mkdtemp(folder));
	for (int round = 0; round < 60; round++) {
		char *before = arena_text(&arena, ""), *after = before, *patched;
		unsigned lines = 10 + test_random(&seed) % 30;
		char *a, *b;

		/* lines of their own, so that there is one best answer */
		for (unsigned i = 0; i < lines; i++) {
			unsigned how = test_random(&seed) % 8;

			if (how != 0)
				before = arena_format(&arena, "%sline %u\n", before, i);
			if (how != 1)
				after = arena_format(&arena, "%sline %u\n", after, i);
		}
		a = arena_format(&arena, "%s/a", folder);
		b = arena_format(&arena, "%s/b", folder);
		test_write_file(a, before);
		test_write_file(
			arena_format(&arena, "%s/p", folder), diff(before, after));
		/* what patch(1) makes of our text is the new file */
		assert_int_equal(system(arena_format(&arena,
					 "cd %s && diff -u a a >/dev/null && "
					 "test -s p && patch -s -o b a p || cp a b",
					 folder)),
			0);
		patched = test_read_file(&arena, b);
		assert_string_equal(patched, after);
	}
	assert_int_equal(system(arena_format(&arena, "rm -r %s", folder)), 0);
}

/* ---- many nodes */

enum { MANY = 1500 };

/* Two kinds of nodes by turns; the tenth failed, and of the twentieth there is a note. */
static void make_many(struct report *many)
{
	struct report_node *all = arena_alloc(&arena, MANY, sizeof(*all));

	assert_non_null(all);
	for (size_t i = 0; i < MANY; i++) {
		all[i] = nodes[i % 2];
		all[i].name = arena_format(&arena, "n%04zu", i);
		all[i].class = all[i].kind = i % 2;
	}
	all[10] = nodes[2];
	all[10].name = "n0010";
	all[14] = nodes[2];
	all[14].name = "n0014";
	/* what is shown of it is what is shown of the others */
	err_set(&all[16].err, RC_TIMEOUT, 0, "too slow");
	all[20].note = "look at it";
	*many = report;
	many->nodes = all;
	many->count = MANY;
}

static void many_nodes_that_are_alike_are_one_line(void **state)
{
	struct report usual = report;
	const char *text;

	(void)state;
	make_many(&report);
	text = print(false, false);
	report = usual;
	assert_contains(text, "\nn[0000,0002,0004,0006,0008,0012,0018,002...    747  AMD "
			      "EPYC\xe2\x84\xa2 7601");
	assert_contains(text, "\nn[0001,0003,");
	assert_contains(text, "\nn[0010,0014]                                     2 ");
	assert_contains(text, "\nn0010, n0014: connect: no route to host; see ");
	assert_contains(text, "\nn0016: too slow; see ");
	assert_contains(text, "\nn0020: look at it\n");
	assert_null(strstr(text, "\nn0014"));
	assert_contains(text, "\nn0016                                            1 ");
	assert_null(strstr(text, "\nn0012 "));
}

static void many_nodes_are_groups_in_json(void **state)
{
	struct report usual = report;
	json_t *object, *groups, *names, *all;
	json_error_t error;

	(void)state;
	make_many(&report);
	object = json_loads(print(true, false), JSON_REJECT_DUPLICATES, &error);
	report = usual;
	assert_non_null(object);
	all = json_object_get(object, "nodes");
	assert_int_equal(json_array_size(all), 4);
	assert_string_equal(
		json_string_value(json_object_get(json_array_get(all, 0), "name")),
		"n0010");
	groups = json_object_get(object, "groups");
	assert_int_equal(json_array_size(groups), 2);
	assert_int_equal(
		json_integer_value(json_object_get(json_array_get(groups, 1), "count")),
		750);
	names = json_object_get(json_array_get(groups, 1), "names");
	assert_true(json_array_size(names) > 1);
	assert_string_equal(
		json_string_value(json_object_get(
			json_object_get(json_array_get(groups, 1), "offer"), "source")),
		"libvirt");
	json_decref(object);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test_setup(
			table_is_aligned_and_errors_stand_under_it, make_report),
		cmocka_unit_test_setup(
			colours_are_red_for_failures_and_only_where_wanted, make_report),
		cmocka_unit_test_setup(losses_with_one_cause_share_a_line, make_report),
		cmocka_unit_test_setup(
			a_level_for_each_vendor_stands_under_its_nodes, make_report),
		cmocka_unit_test_setup(
			a_dry_run_shows_all_that_would_change_once_for_equal_nodes,
			make_report),
		cmocka_unit_test_setup(
			a_conflict_is_shown_with_its_difference_and_no_other_node_is,
			make_report),
		cmocka_unit_test_setup(json_has_every_change_of_a_node, make_report),
		cmocka_unit_test_setup(
			json_has_the_difference_in_a_dry_run_and_on_a_conflict,
			make_report),
		cmocka_unit_test_setup(json_has_a_level_for_each_vendor, make_report),
		cmocka_unit_test_setup(gaps_with_one_reason_share_a_line, make_report),
		cmocka_unit_test_setup(output_that_is_not_taken_is_an_error, make_report),
		cmocka_unit_test_setup(
			json_reads_back_with_every_key_of_the_page, make_report),
		cmocka_unit_test_setup(texts_of_nodes_become_valid_json, make_report),
		cmocka_unit_test_setup(equal_reports_give_equal_bytes, make_report),
		cmocka_unit_test_setup(
			many_nodes_that_are_alike_are_one_line, make_report),
		cmocka_unit_test_setup(many_nodes_are_groups_in_json, make_report),
		cmocka_unit_test(only_well_formed_utf8_stays),
		cmocka_unit_test(differences_read_like_diff_u),
		cmocka_unit_test(random_differences_are_those_of_diff_u),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(cases, NULL, forget);
}
