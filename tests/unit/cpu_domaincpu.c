/* A level as a domain's <cpu>, and what a guest that runs sees.  The texts of domains are
 * libvirt 9.0's own. */
#include "coordinator/cpu/domaincpu.h"
#include "coordinator/cpu/names.h"
#include "tests/support/test.h"

static const char level[] = "<cpu mode='custom' match='exact' check='partial'>\n"
			    "  <model fallback='forbid'>Haswell-noTSX</model>\n"
			    "  <vendor>Intel</vendor>\n"
			    "  <maxphysaddr mode='emulate' bits='46'/>\n"
			    "  <feature policy='require' name='abm'/>\n"
			    "  <feature policy='disable' name='vme'/>\n"
			    "</cpu>\n";

static const char numa[] = "<cpu mode='custom' match='exact' check='partial'>\n"
			   "    <model fallback='allow'>qemu64</model>\n"
			   "    <topology sockets='2' dies='1' cores='2' threads='1'/>\n"
			   "    <feature policy='disable' name='svm'/>\n"
			   "    <numa>\n"
			   "      <cell id='0' cpus='0-1' memory='65536' unit='KiB'>\n"
			   "        <distances>\n"
			   "          <sibling id='0' value='10'/>\n"
			   "        </distances>\n"
			   "      </cell>\n"
			   "    </numa>\n"
			   "  </cpu>";

static const char made[] = "<cpu mode='custom' match='exact' check='partial'>\n"
			   "    <model fallback='forbid'>Haswell-noTSX</model>\n"
			   "    <vendor>Intel</vendor>\n"
			   "    <topology sockets='2' dies='1' cores='2' threads='1'/>\n"
			   "    <maxphysaddr mode='emulate' bits='46'/>\n"
			   "    <feature policy='require' name='abm'/>\n"
			   "    <feature policy='disable' name='vme'/>\n"
			   "    <numa>\n"
			   "      <cell id='0' cpus='0-1' memory='65536' unit='KiB'>\n"
			   "        <distances>\n"
			   "          <sibling id='0' value='10'/>\n"
			   "        </distances>\n"
			   "      </cell>\n"
			   "    </numa>\n"
			   "  </cpu>";

struct ground {
	struct arena arena;
	struct catalogue *catalogue;
	struct err e;
};

static struct ground ground_open(void)
{
	struct ground g = { 0 };

	g.catalogue = catalogue_new(&g.arena, &g.e);
	assert_non_null(g.catalogue);
	return g;
}

static const char *make(struct ground *g, const char *old)
{
	const char *out;

	assert_rc(domaincpu_make(level, old, "d", &g->arena, &out, &g->e), RC_OK, &g->e);
	return out;
}

static bool same(struct ground *g, const char *a, const char *b)
{
	bool is_same;

	assert_rc(domaincpu_same(a, b, "d", &g->arena, &is_same, &g->e), RC_OK, &g->e);
	return is_same;
}

static void topology_and_numa_stay_the_domains_own(void **state)
{
	struct ground g = ground_open();

	(void)state;
	assert_string_equal(make(&g, numa), made);
	assert_string_equal(make(&g, made), made);
	arena_destroy(&g.arena);
}

static void a_domain_without_a_cpu_gets_the_levels(void **state)
{
	struct ground g = ground_open();
	const char *cpu = make(&g, "");

	(void)state;
	assert_true(same(&g, cpu, level));
	assert_null(strstr(cpu, "topology"));
	arena_destroy(&g.arena);
}

static void the_hosts_cache_goes_with_the_hosts_cpu(void **state)
{
	struct ground g = ground_open();

	(void)state;
	assert_null(strstr(make(&g, "<cpu mode='host-passthrough' migratable='on'>"
				    "<cache mode='passthrough'/></cpu>"),
		"cache"));
	assert_contains(
		make(&g, "<cpu mode='host-model'><cache level='3' mode='emulate'/>"
			 "</cpu>"),
		"    <cache level='3' mode='emulate'/>\n");
	assert_contains(make(&g, "<cpu><cache mode='disable'/></cpu>"), "mode='disable'");
	arena_destroy(&g.arena);
}

/* They would be the next level's. */
static void nothing_else_of_the_old_cpu_stays(void **state)
{
	struct ground g = ground_open();
	const char *cpu = make(&g,
		"<cpu mode='maximum' migratable='off'><model vendor_id='Evil'>x</model>"
		"<vendor>AMD</vendor><maxphysaddr mode='passthrough'/>"
		"<feature name='pku' policy='force'/><unknown/></cpu>");

	(void)state;
	assert_true(same(&g, cpu, level));
	arena_destroy(&g.arena);
}

static void what_libvirt_writes_another_way_is_the_same(void **state)
{
	static const char *const forms[] = {
		"<cpu check=\"partial\" mode='custom'><feature name='vme' "
		"policy='disable'/><vendor>Intel</vendor><feature name='abm'/>"
		"<maxphysaddr bits='46' mode='emulate'/>"
		"<model fallback='forbid'>Haswell-noTSX</model></cpu>",
	};
	struct ground g = ground_open();

	(void)state;
	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
		assert_true(same(&g, level, forms[i]));
	assert_true(same(&g, "<cpu><topology cores='2' dies='1'/></cpu>",
		"<cpu><topology clusters='1' cores='2'/></cpu>"));
	assert_true(same(&g, "", ""));
	arena_destroy(&g.arena);
}

static void what_means_something_else_is_not_the_same(void **state)
{
	static const char *const pairs[][2] = {
		{ "<cpu/>", "" },
		{ "<cpu mode='custom'/>", "<cpu mode='host-model'/>" },
		{ "<cpu><model fallback='forbid'>a</model></cpu>",
			"<cpu><model>a</model></cpu>" },
		{ "<cpu><model>a</model></cpu>", "<cpu><model>b</model></cpu>" },
		{ "<cpu><feature name='a'/></cpu>",
			"<cpu><feature name='a' policy='disable'/></cpu>" },
		{ "<cpu><feature name='a'/></cpu>",
			"<cpu><feature name='a'/><feature name='b'/></cpu>" },
		{ "<cpu><topology dies='2'/></cpu>", "<cpu><topology/></cpu>" },
		{ "<cpu><numa><cell id='0' cpus='0'/></numa></cpu>",
			"<cpu><numa><cell id='0' cpus='1'/></numa></cpu>" },
		{ "<cpu><a b='c d'/></cpu>", "<cpu><a b='c' d=''/></cpu>" },
	};
	struct ground g = ground_open();

	(void)state;
	for (size_t i = 0; i < sizeof(pairs) / sizeof(pairs[0]); i++)
		if (same(&g, pairs[i][0], pairs[i][1]))
			fail_msg("%s is not %s", pairs[i][0], pairs[i][1]);
	arena_destroy(&g.arena);
}

static void what_is_not_xml_of_a_cpu_is_refused(void **state)
{
	static const char *const bad[] = { "<cpu>", "<domain/>",
		"<!DOCTYPE cpu []><cpu/>", "<cpu/><cpu/>" };
	struct ground g = ground_open();
	const char *out;
	bool is_same;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_rc(domaincpu_make(level, bad[i], "d", &g.arena, &out, &g.e),
			RC_FACTS, &g.e);
		assert_rc(domaincpu_same(level, bad[i], "d", &g.arena, &is_same, &g.e),
			RC_FACTS, &g.e);
	}
	arena_destroy(&g.arena);
}

/* ---- what runs */

static struct domaincpu_live live_of(
	struct ground *g, const char *xml, const struct offer *host)
{
	struct domaincpu_live live;

	assert_rc(domaincpu_read_live(g->catalogue, xml, "d", VIRT_KVM, host, &g->arena,
			  &live, &g->e),
		RC_OK, &g->e);
	return live;
}

static bool has(
	const struct ground *g, const struct domaincpu_live *live, const char *name)
{
	int bit = catalogue_find(g->catalogue, name);

	assert_true(bit >= 0);
	return bitset_has(&live->features, (size_t)bit);
}

/* libvirt 9.0's live XML of a host-model guest, in part */
static void a_live_model_has_its_features_and_what_is_said_besides(void **state)
{
	static const char xml[] = "<cpu mode='custom' match='exact' check='full'>\n"
				  "    <model fallback='forbid'>Haswell-noTSX</model>\n"
				  "    <vendor>Intel</vendor>\n"
				  "    <feature policy='require' name='vme'/>\n"
				  "    <feature policy='require' name='hypervisor'/>\n"
				  "    <feature policy='disable' name='fma'/>\n"
				  "  </cpu>";
	struct ground g = ground_open();
	struct offer host = { .sources = catalogue_sources_of(9000000, 7002000) };
	struct domaincpu_live live = live_of(&g, xml, &host);

	(void)state;
	assert_string_equal(live.model, "Haswell-noTSX");
	assert_true(live.known);
	assert_true(has(&g, &live, "avx2"));
	assert_true(has(&g, &live, "hypervisor"));
	assert_false(has(&g, &live, "fma"));
	assert_false(has(&g, &live, "rtm"));
	/* QEMU's definition has it; libvirt would have said so */
	assert_false(has(&g, &live, "abm"));
	arena_destroy(&g.arena);
}

static void the_hosts_cpu_is_all_that_the_host_can_give(void **state)
{
	struct ground g = ground_open();
	struct offer host = { 0 };
	struct domaincpu_live live;

	(void)state;
	bitset_add(&host.features, (size_t)catalogue_find(g.catalogue, "avx512f"));
	bitset_add(&host.features, (size_t)catalogue_find(g.catalogue, "pku"));
	live = live_of(&g,
		"<cpu mode='host-passthrough' check='none' migratable='on'>"
		"<feature policy='disable' name='pku'/></cpu>",
		&host);
	assert_string_equal(live.model, "");
	assert_true(has(&g, &live, "avx512f"));
	assert_false(has(&g, &live, "pku"));
	arena_destroy(&g.arena);
}

static void a_model_that_nobody_knows_is_told_apart(void **state)
{
	struct ground g = ground_open();
	struct domaincpu_live live = live_of(&g,
		"<cpu><model>gate64</model><feature policy='require' name='pku'/></cpu>",
		NULL);

	(void)state;
	assert_false(live.known);
	assert_true(has(&g, &live, "pku"));
	assert_int_equal(bitset_count(&live.features), 1);
	arena_destroy(&g.arena);
}

static void a_tag_is_the_text_of_a_level_and_nothing_else(void **state)
{
	static const char *const cases[][2] = { { "<level>lab</level>", "lab" },
		{ "<level a='b'>lab</level>\n", "lab" }, { "", "" }, { "<level/>", "" },
		{ "<other>lab</other>", "" }, { "lab", "" },
		{ "<!DOCTYPE level []><level>lab</level>", "" } };
	struct ground g = ground_open();

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *found;

		assert_rc(domaincpu_read_tag(cases[i][0], &g.arena, &found, &g.e), RC_OK,
			&g.e);
		assert_string_equal(found, cases[i][1]);
	}
	arena_destroy(&g.arena);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(topology_and_numa_stay_the_domains_own),
		cmocka_unit_test(a_domain_without_a_cpu_gets_the_levels),
		cmocka_unit_test(the_hosts_cache_goes_with_the_hosts_cpu),
		cmocka_unit_test(nothing_else_of_the_old_cpu_stays),
		cmocka_unit_test(what_libvirt_writes_another_way_is_the_same),
		cmocka_unit_test(what_means_something_else_is_not_the_same),
		cmocka_unit_test(what_is_not_xml_of_a_cpu_is_refused),
		cmocka_unit_test(a_live_model_has_its_features_and_what_is_said_besides),
		cmocka_unit_test(the_hosts_cpu_is_all_that_the_host_can_give),
		cmocka_unit_test(a_model_that_nobody_knows_is_told_apart),
		cmocka_unit_test(a_tag_is_the_text_of_a_level_and_nothing_else),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(cases, NULL, NULL);
}
