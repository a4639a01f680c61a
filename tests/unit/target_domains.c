/* Which domains get the level, what is written, and what is said of those that run. */
#include "coordinator/cpu/levelxml.h"
#include "coordinator/target/target.h"
#include "proto/texts.h"
#include "tests/support/test.h"

static const char xml[] = "<cpu mode='custom' match='exact' check='partial'>\n"
			  "  <model fallback='forbid'>Haswell-noTSX</model>\n"
			  "  <feature policy='require' name='vme'/>\n"
			  "</cpu>\n";
static const char level_live[] =
	"<cpu mode='custom' match='exact' check='full'><model fallback='forbid'>"
	"Haswell-noTSX</model><feature policy='require' name='vme'/></cpu>";
static const char wide_live[] =
	"<cpu mode='custom' match='exact' check='full'><model fallback='forbid'>"
	"Haswell-noTSX</model><feature policy='require' name='vme'/>"
	"<feature policy='require' name='adx'/><feature policy='require' name='clwb'/>"
	"<feature policy='require' name='pku'/><feature policy='require' name='rdseed'/>"
	"<feature policy='require' name='smap'/></cpu>";
static const char narrow_live[] = "<cpu mode='custom'><model>Nehalem</model></cpu>";
static const char capabilities[] =
	"<capabilities><guest><arch name='x86_64'>"
	"<machine>pc-i440fx-7.2</machine><machine canonical='pc-i440fx-7.2'>pc</machine>"
	"<machine>pc-i440fx-6.2</machine><machine>pc-q35-7.2</machine></arch></guest>"
	"</capabilities>";

enum { WEB, DB, TCG, TRANSIENT, TAGGED, COMMA, DOMAINS };

struct ground {
	struct arena arena;
	struct err e;
	struct level level;
	struct offer offer;
	struct domain domain[DOMAINS];
	struct domains domains;
	struct survey survey;
	struct target_request request;
	struct edits edits;
	struct target_remarks remarks;
};

static struct domain domain_of(const char *uuid, const char *name)
{
	return (struct domain){ .uuid = uuid,
		.name = name,
		.persistent = true,
		.virt_type = "kvm",
		.machine = "pc-i440fx-7.2",
		.arch = "x86_64",
		.cpu = "<cpu mode='host-model'/>",
		.live_cpu = "",
		.tag = "" };
}

static void fill_domains(struct ground *g)
{
	struct domain *d = g->domain;

	d[WEB] = domain_of("1", "web 1");
	d[DB] = domain_of("2", "db\033");
	d[TCG] = domain_of("3", "tcg");
	d[TCG].virt_type = "qemu";
	d[TRANSIENT] = domain_of("4", "transient");
	d[TRANSIENT].persistent = false;
	d[TAGGED] = domain_of("5", "tagged");
	d[TAGGED].tag = "<level>baseline</level>";
	d[COMMA] = domain_of("6", "a,b");
	g->domains = (struct domains){ { d, DOMAINS } };
}

static int setup(void **state)
{
	static struct ground ground;
	struct ground *g = &ground;
	struct catalogue *c;
	struct bitset open;

	*g = (struct ground){ 0 };
	c = catalogue_new(&g->arena, &g->e);
	assert_non_null(c);
	assert_rc(levelxml_read(
			  c, xml, "level", VIRT_KVM, &g->arena, &g->level, &open, &g->e),
		RC_OK, &g->e);
	g->offer.arch = "x86_64";
	g->offer.sources = catalogue_sources_of(9000000, 7002000);
	fill_domains(g);
	g->survey = (struct survey){
		.domains = &g->domains, .offer = &g->offer, .capabilities = capabilities
	};
	g->request = (struct target_request){
		.level = &g->level, .catalogue = c, .level_name = "baseline", .xml = xml
	};
	*state = g;
	return 0;
}

static int teardown(void **state)
{
	arena_destroy(&((struct ground *)*state)->arena);
	return 0;
}

static enum rc plan(struct ground *g, const char *words)
{
	struct planning p = { &g->request, &g->survey, &g->arena, &g->edits,
		&g->remarks };

	g->edits = (struct edits){ 0 };
	g->remarks = (struct target_remarks){ 0 };
	g->request.domains = (struct texts){ 0 };
	assert_rc(texts_add(&g->request.domains, words, &g->arena, &g->e), RC_OK, &g->e);
	return target_domains.plan(&p, &g->e);
}

/* The names of the edits, which are UUIDs. */
static void assert_edits(const struct ground *g, const char *uuids)
{
	assert_int_equal(g->edits.count, strlen(uuids));
	for (size_t i = 0; uuids[i]; i++) {
		assert_int_equal(g->edits.item[i].name[0], uuids[i]);
		assert_int_equal(g->edits.item[i].place, PLACE_domain);
	}
}

static void only_those_that_are_named_are_written(void **state)
{
	struct ground *g = *state;

	assert_rc(plan(g, "web 1"), RC_OK, &g->e);
	assert_edits(g, "1");
	assert_contains((const char *)g->edits.item[0].after.data, "Haswell-noTSX");
	assert_rc(plan(g, "2,web 1"), RC_OK, &g->e); /* one by its UUID */
	assert_edits(g, "12");
	assert_rc(plan(g, "elsewhere"), RC_OK, &g->e);
	assert_edits(g, "");
	assert_rc(plan(g, "a,b"), RC_OK, &g->e); /* a name with a comma */
	assert_edits(g, "6");
}

static void a_tag_chooses_the_domains_of_its_level(void **state)
{
	struct ground *g = *state;

	assert_rc(plan(g, "tag"), RC_OK, &g->e);
	assert_edits(g, "5");
	g->request.level_name = "other";
	assert_rc(plan(g, "tag"), RC_OK, &g->e);
	assert_edits(g, "");
}

static void of_all_domains_those_that_will_not_do_are_left_and_named(void **state)
{
	struct ground *g = *state;

	assert_rc(plan(g, "all"), RC_OK, &g->e);
	assert_edits(g, "1256");
	assert_int_equal(g->remarks.count, 2);
	assert_contains(g->remarks.item[0].text,
		"domain \"tcg\" is of type qemu, the level is for kvm");
	assert_contains(g->remarks.item[1].text, "\"transient\" is transient");
}

static void one_that_was_asked_for_and_will_not_do_is_an_error(void **state)
{
	struct ground *g = *state;

	assert_rc(plan(g, "web 1,tcg"), RC_TARGET, &g->e);
	assert_contains(g->e.text, "domain \"tcg\" is of type qemu");
	assert_rc(plan(g, "transient"), RC_TARGET, &g->e);
	g->domain[WEB].arch = "aarch64";
	assert_rc(plan(g, "web 1"), RC_TARGET, &g->e);
	g->domain[TAGGED].virt_type = "qemu";
	assert_rc(plan(g, "tag"), RC_TARGET, &g->e);
}

static void a_name_that_no_node_has_is_an_error_of_the_run(void **state)
{
	struct ground *g = *state;
	struct domain far = domain_of("9", "far");
	struct domains elsewhere = { { &far, 1 } };
	struct survey both[] = { g->survey, { .domains = &elsewhere } };

	assert_rc(plan(g, "web 1,far"), RC_OK, &g->e);
	assert_rc(target_domains.check(&g->request, both, 2, &g->arena, &g->e), RC_OK,
		&g->e);
	assert_rc(target_domains.check(&g->request, both, 1, &g->arena, &g->e), RC_TARGET,
		&g->e);
	assert_contains(g->e.text, "no node has a domain \"far\"");
	assert_rc(plan(g, "all,tag,a,b"), RC_OK, &g->e);
	assert_rc(target_domains.check(&g->request, both, 2, &g->arena, &g->e), RC_TARGET,
		&g->e);
	assert_rc(plan(g, "a,b"), RC_OK, &g->e);
	assert_rc(target_domains.check(&g->request, both, 2, &g->arena, &g->e), RC_OK,
		&g->e);
}

static void a_terminal_sees_no_controls_of_a_name(void **state)
{
	struct ground *g = *state;

	assert_rc(plan(g, "2"), RC_OK, &g->e);
	assert_string_equal(g->edits.item[0].title, "domain \"db?\"");
}

static void the_same_cpu_in_other_words_is_no_change(void **state)
{
	struct ground *g = *state;
	static const char same[] = "<cpu check='partial' mode='custom'>"
				   "<feature name='vme'/><model fallback='forbid'>"
				   "Haswell-noTSX</model></cpu>";
	struct bytes read = { (const uint8_t *)xml, strlen(xml) };

	g->domain[WEB].cpu = same;
	assert_rc(plan(g, "web 1"), RC_OK, &g->e);
	assert_true(g->edits.item[0].unchanged);
	assert_int_equal(g->edits.item[0].after.size, strlen(same));
	assert_true(target_reads_as(&g->edits.item[0], read));
	g->domain[WEB].cpu = "<cpu mode='host-model'/>";
	assert_rc(plan(g, "web 1"), RC_OK, &g->e);
	assert_false(g->edits.item[0].unchanged);
	assert_true(target_reads_as(&g->edits.item[0], read));
	assert_false(target_reads_as(&g->edits.item[0], g->edits.item[0].before));
}

static void a_machine_type_must_be_known_and_of_the_same_kind(void **state)
{
	struct ground *g = *state;

	g->request.machine = "pc-i440fx-6.2";
	assert_rc(plan(g, "web 1"), RC_OK, &g->e);
	assert_string_equal(g->edits.item[0].machine, "pc-i440fx-6.2");
	g->request.machine = "pc"; /* what it has, by another name */
	assert_rc(plan(g, "web 1"), RC_OK, &g->e);
	assert_string_equal(g->edits.item[0].machine, "");
	g->request.machine = "pc-q35-7.2";
	assert_rc(plan(g, "web 1"), RC_TARGET, &g->e);
	assert_contains(g->e.text, "other devices");
	g->request.machine = "pc-i440fx-9.9";
	assert_rc(plan(g, "web 1"), RC_TARGET, &g->e);
	assert_contains(g->e.text, "no such machine type");
	g->survey.capabilities = NULL;
	assert_rc(plan(g, "web 1"), RC_TARGET, &g->e);
}

static void a_guest_that_runs_on_the_level_needs_no_word(void **state)
{
	struct ground *g = *state;

	g->domain[WEB].live_cpu = level_live;
	assert_rc(plan(g, "web 1"), RC_OK, &g->e);
	assert_int_equal(g->remarks.count, 0);
}

static void what_no_level_can_say_is_no_excess(void **state)
{
	struct ground *g = *state;

	g->domain[WEB].live_cpu =
		"<cpu mode='custom'><model>Haswell-noTSX</model><feature name='vme'/>"
		"<feature name='pku'/></cpu>";
	assert_rc(plan(g, "web 1"), RC_OK, &g->e);
	assert_int_equal(g->remarks.count, 2);
	bitset_add(&g->level.unsaid, (size_t)catalogue_find(g->request.catalogue, "pku"));
	assert_rc(plan(g, "web 1"), RC_OK, &g->e);
	assert_int_equal(g->remarks.count, 0);
}

static void a_guest_that_exceeds_the_level_is_told_with_the_first_features(void **state)
{
	struct ground *g = *state;

	g->domain[WEB].live_cpu = wide_live;
	g->domain[DB].live_cpu = narrow_live;
	assert_rc(plan(g, "web 1,2"), RC_OK, &g->e);
	assert_int_equal(g->remarks.count, 2);
	assert_true(g->remarks.item[0].warning);
	assert_contains(g->remarks.item[0].text,
		"domain \"web 1\" runs with more than the level has (adx, clwb, pku, "
		"rdseed and 1 more)");
	assert_false(g->remarks.item[1].warning);
	assert_contains(g->remarks.item[1].text,
		"domains \"web 1\", \"db?\" run with another CPU until");
}

static void the_hosts_cpu_exceeds_what_the_host_has_more(void **state)
{
	struct ground *g = *state;

	g->offer.features = g->level.baseline;
	g->domain[WEB].live_cpu = "<cpu mode='host-passthrough' check='none'/>";
	assert_rc(plan(g, "web 1"), RC_OK, &g->e);
	assert_int_equal(g->remarks.count, 1); /* another CPU, but not more */
	bitset_add(&g->offer.features,
		(size_t)catalogue_find(g->request.catalogue, "avx512f"));
	assert_rc(plan(g, "web 1"), RC_OK, &g->e);
	assert_int_equal(g->remarks.count, 2);
	assert_contains(g->remarks.item[0].text, "(avx512f)");
}

static void a_saved_guest_keeps_its_cpu_too(void **state)
{
	struct ground *g = *state;

	g->domain[WEB].saved = true;
	assert_rc(plan(g, "web 1"), RC_OK, &g->e);
	assert_int_equal(g->remarks.count, 1);
	assert_contains(
		g->remarks.item[0].text, "domain \"web 1\" goes on from its saved state");
}

static void many_that_exceed_do_not_flood_the_report(void **state)
{
	struct ground *g = *state;
	struct domain many[40];

	for (size_t i = 0; i < 40; i++) {
		many[i] = domain_of("7", "one of many");
		many[i].live_cpu = wide_live;
	}
	g->domains = (struct domains){ { many, 40 } };
	assert_rc(plan(g, "all"), RC_OK, &g->e);
	assert_int_equal(g->edits.count, 40);
	assert_int_equal(g->remarks.count, 12);
	assert_contains(g->remarks.item[10].text, "and 30 more run with more");
	assert_contains(g->remarks.item[11].text, "and 35 more run with another CPU");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest cases[] = {
		CASE(only_those_that_are_named_are_written),
		CASE(a_tag_chooses_the_domains_of_its_level),
		CASE(of_all_domains_those_that_will_not_do_are_left_and_named),
		CASE(one_that_was_asked_for_and_will_not_do_is_an_error),
		CASE(a_name_that_no_node_has_is_an_error_of_the_run),
		CASE(a_terminal_sees_no_controls_of_a_name),
		CASE(the_same_cpu_in_other_words_is_no_change),
		CASE(a_machine_type_must_be_known_and_of_the_same_kind),
		CASE(a_guest_that_runs_on_the_level_needs_no_word),
		CASE(what_no_level_can_say_is_no_excess),
		CASE(a_guest_that_exceeds_the_level_is_told_with_the_first_features),
		CASE(the_hosts_cpu_exceeds_what_the_host_has_more),
		CASE(a_saved_guest_keeps_its_cpu_too),
		CASE(many_that_exceed_do_not_flood_the_report),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(cases, NULL, NULL);
}
