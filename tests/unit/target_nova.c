/* What is planned for a node's nova, and when that is refused. */
#include "coordinator/target/target.h"

#include "coordinator/render/nova.h"
#include "tests/support/test.h"

#define DROP_IN "/etc/nova/nova.conf.d/99-cpuherd.conf"
#define MAIN "/etc/nova/nova.conf"
#define LATER "/etc/nova/nova-compute.conf"
#define UNIT_WORDS "Environment of nova-compute.service"

enum { OPTIONS_MAX = 4 };

/* A node and a request; what is not said is as in the good case. */
struct node_case {
	const char *what;
	const char *version, *release, *unit; /* 26.2.2, NULL, nova-compute.service */
	const char *files[4];		      /* MAIN, DROP_IN */
	struct nova_option options[OPTIONS_MAX];
	bool replace, restart, no_flags, no_disable, tcg;
	const char *flag;  /* that is required: vmx */
	const char *now;   /* what the drop-in holds; NULL: it is not there */
	enum rc rc;	   /* RC_OK unless said */
	const char *words; /* that the error, else the drop-in, holds */
};

static const struct node_case cases[] = {
	{ .what = "nothing is set",
		.words = "\n[libvirt]\ncpu_mode = custom\ncpu_models = "
			 "Haswell\ncpu_model_extra_flags = -hle,+vmx\n" },
	{ .what = "nova is missing",
		.version = "",
		.rc = RC_TARGET,
		.words = "nova-compute is not installed" },
	{ .what = "an old nova cannot say it",
		.version = "22.4.0",
		.rc = RC_TARGET,
		.words = "nova victoria cannot say this level" },
	{ .what = "an old nova compares what KVM makes",
		.version = "22.4.0",
		.flag = "x2apic",
		.no_disable = true,
		.rc = RC_TARGET,
		.words = "negotiate --without x2apic" },
	{ .what = "a new one is told not to",
		.flag = "x2apic",
		.words = "[workarounds]\nskip_cpu_compare_at_startup = True\n" },
	{ .what = "an old one that can say it",
		.version = "22.4.0",
		.no_disable = true,
		.words = "cpu_model_extra_flags = vmx" },
	{ .what = "before mitaka",
		.version = "12.0.0",
		.rc = RC_TARGET,
		.words = "older than what cpuherd knows" },
	{ .what = "a version of tomorrow", .version = "99.0.0", .words = "cpu_models" },
	{ .what = "the release of the node",
		.version = "23.1.0",
		.words = "nova wallaby." },
	{ .what = "an older release is said",
		.release = "wallaby",
		.words = "nova wallaby." },
	{ .what = "a newer release is said",
		.release = "caracal",
		.rc = RC_TARGET,
		.words = "nova 26.2.2 is of release zed" },
	{ .what = "the same values",
		.options = { { MAIN, "libvirt", "cpu_mode", "custom" },
			{ MAIN, "libvirt", "cpu_models", "Haswell" },
			{ MAIN, "libvirt", "cpu_model_extra_flags", "-HLE , +vmx" } },
		.words = "custom" },
	{ .what = "host-passthrough",
		.options = { { MAIN, "libvirt", "cpu_mode", "host-passthrough" } },
		.rc = RC_TARGET,
		.words = MAIN " sets [libvirt] cpu_mode = host-passthrough" },
	{ .what = "host-passthrough, and --replace",
		.replace = true,
		.options = { { MAIN, "libvirt", "cpu_mode", "host-passthrough" } },
		.words = "custom" },
	{ .what = "another model by its old name",
		.options = { { MAIN, "libvirt", "cpu_model", "Nehalem" } },
		.rc = RC_TARGET,
		.words = "cpu_model = Nehalem, and the level needs Haswell" },
	{ .what = "several models",
		.options = { { MAIN, "libvirt", "cpu_models", "Haswell,Nehalem" } },
		.rc = RC_TARGET,
		.words = "give --replace: then " DROP_IN " wins" },
	{ .what = "the new name wins in a file",
		.options = { { MAIN, "libvirt", "cpu_models", "Haswell" },
			{ MAIN, "libvirt", "cpu_model", "Nehalem" } },
		.words = "custom" },
	{ .what = "the last one counts",
		.options = { { MAIN, "libvirt", "cpu_mode", "host-model" },
			{ MAIN, "libvirt", "cpu_mode", "custom" } },
		.words = "custom" },
	{ .what = "other flags",
		.options = { { MAIN, "libvirt", "cpu_model_extra_flags", "pcid" } },
		.rc = RC_TARGET,
		.words = "cpu_model_extra_flags = pcid" },
	{ .what = "a file that is read later",
		.files = { DROP_IN, MAIN },
		.replace = true,
		.options = { { MAIN, "libvirt", "cpu_mode", "host-model" } },
		.rc = RC_TARGET,
		.words = MAIN ", which nova reads after " DROP_IN
			      ", sets [libvirt] cpu_mode" },
	{ .what = "a file that is read later and agrees",
		.files = { DROP_IN, MAIN },
		.options = { { MAIN, "libvirt", "cpu_mode", "custom" } },
		.words = "custom" },
	{ .what = "overruled before, and agreed later",
		.files = { MAIN, DROP_IN, LATER },
		.options = { { MAIN, "libvirt", "cpu_mode", "host-model" },
			{ LATER, "libvirt", "cpu_mode", "custom" } },
		.words = "custom" },
	{ .what = "a file read before and after",
		.files = { MAIN, DROP_IN, MAIN },
		.options = { { MAIN, "libvirt", "cpu_mode", "none" } },
		.rc = RC_TARGET,
		.words = "--replace cannot help" },
	{ .what = "systemd's environment",
		.replace = true,
		.options = { { UNIT_WORDS, "libvirt", "cpu_mode", "host-model" } },
		.rc = RC_TARGET,
		.words = UNIT_WORDS ", which nova reads after" },
	{ .what = "the folder is not read",
		.files = { MAIN },
		.replace = true,
		.rc = RC_TARGET,
		.words = "does not read " DROP_IN },
	{ .what = "guests of qemu",
		.options = { { LATER, "libvirt", "virt_type", "qemu" } },
		.files = { MAIN, LATER, DROP_IN },
		.replace = true,
		.rc = RC_TARGET,
		.words = LATER " sets [libvirt] virt_type = qemu" },
	{ .what = "a level for qemu",
		.tcg = true,
		.rc = RC_TARGET,
		.words = "nova's default for [libvirt] virt_type is kvm" },
	{ .what = "a level for qemu, on qemu",
		.tcg = true,
		.options = { { MAIN, "libvirt", "virt_type", "qemu" } },
		.words = "cpu_models = Haswell" },
	{ .what = "what KVM makes",
		.options = { { MAIN, "workarounds", "skip_cpu_compare_on_dest", "yes" } },
		.words = "custom" },
	{ .what = "flags of the node where the level has none",
		.no_flags = true,
		.replace = true,
		.options = { { MAIN, "libvirt", "cpu_model_extra_flags", "pcid" } },
		.rc = RC_TARGET,
		.words = "the level has no flags" },
	{ .what = "no unit, and no restart", .unit = "", .words = "custom" },
	{ .what = "no unit to restart",
		.unit = "",
		.restart = true,
		.rc = RC_TARGET,
		.words = "--restart: systemd has no unit" },
	{ .what = "what the drop-in holds now does not count",
		.now = "[libvirt]\n",
		.options = { { DROP_IN, "libvirt", "cpu_mode", "host-model" } },
		.words = "custom" },
};

/* ---- one plan */

struct world {
	struct arena arena;
	struct level_feature features[3];
	struct level level;
	struct spot spot;
	struct found found;
	struct nova nova;
	struct survey survey;
	struct target_request request;
	struct edits edits;
	struct target_remarks remarks;
	struct err e;
};

static size_t count_files(const char *const *files)
{
	size_t count = 0;

	while (count < 4 && files[count])
		count++;
	return count;
}

static void world_make(struct world *w, const struct node_case *c)
{
	static const char *usual[] = { MAIN, DROP_IN };
	const char **files = c->files[0] ? (const char **)(uintptr_t)c->files : usual;
	size_t options = 0;

	while (options < OPTIONS_MAX && c->options[options].file)
		options++;
	*w = (struct world){ .features = { { "hle", POLICY_DISABLE },
				     { c->flag ? c->flag : "vmx", POLICY_REQUIRE } } };
	if (c->no_disable)
		w->features[0] = w->features[1];
	w->level = (struct level){ .model = "Haswell",
		.vendor = "Intel",
		.virt = c->tcg ? VIRT_QEMU : VIRT_KVM,
		.features = w->features,
		.feature_count = c->no_flags	 ? 0
				 : c->no_disable ? 1
						 : 2 };
	w->spot = (struct spot){ PLACE_nova, "nova.conf.d" };
	w->found = (struct found){ .path = DROP_IN, .exists = c->now, .ours = true };
	if (c->now)
		w->found.content = (struct bytes){ (const uint8_t *)c->now,
			strlen(c->now) };
	w->nova = (struct nova){ .version = c->version ? c->version : "26.2.2",
		.unit = c->unit ? c->unit : "nova-compute.service",
		.files = { files, c->files[0] ? count_files(files) : 2 },
		.options = { (struct nova_option *)(uintptr_t)c->options, options } };
	w->survey = (struct survey){
		.spots = &w->spot, .found = &w->found, .count = 1, .nova = &w->nova
	};
	w->request = (struct target_request){ .level = &w->level,
		.level_name = "gold",
		.catalogue = catalogue_new(&w->arena, &w->e),
		.nova_release = c->release,
		.replace = c->replace,
		.restart = c->restart };
}

static enum rc world_plan(struct world *w)
{
	const struct planning p = { &w->request, &w->survey, &w->arena, &w->edits,
		&w->remarks };

	return target_nova.plan(&p, &w->e);
}

static const char *text_of(struct world *w)
{
	assert_int_equal(w->edits.count, 1);
	return arena_text_n(
		&w->arena, w->edits.item[0].after.data, w->edits.item[0].after.size);
}

static void each_node_is_planned_or_refused_as_its_files_say(void **state)
{
	struct world w;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		enum rc rc;

		print_message("  %s\n", cases[i].what);
		world_make(&w, &cases[i]);
		rc = world_plan(&w);
		assert_rc(rc, cases[i].rc, &w.e);
		assert_contains(rc == RC_OK ? text_of(&w) : w.e.text, cases[i].words);
		arena_destroy(&w.arena);
	}
}

static bool has_remark(const struct world *w, const char *about)
{
	for (size_t i = 0; i < w->remarks.count; i++)
		if (strcmp(w->remarks.item[i].about, about) == 0)
			return true;
	return false;
}

static void a_restart_that_was_not_asked_for_and_guests_are_remarked_on(void **state)
{
	struct node_case c = { .what = "" };
	struct world w;

	(void)state;
	world_make(&w, &c);
	assert_rc(world_plan(&w), RC_OK, &w.e);
	assert_true(has_remark(&w, "restart"));
	assert_true(has_remark(&w, "guests"));
	c.now = arena_text(&w.arena, text_of(&w));
	c.restart = true;
	w.edits.count = w.remarks.count = 0;
	w.request.restart = true;
	assert_rc(world_plan(&w), RC_OK, &w.e);
	assert_false(has_remark(&w, "restart"));
	assert_true(has_remark(&w, "guests"));
	w.found.exists = true;
	w.found.content = (struct bytes){ (const uint8_t *)c.now, strlen(c.now) };
	w.edits.count = w.remarks.count = 0;
	assert_rc(world_plan(&w), RC_OK, &w.e);
	assert_true(w.edits.item[0].unchanged);
	assert_false(has_remark(&w, "guests"));
	arena_destroy(&w.arena);
}

static void a_drop_in_that_somebody_else_wrote_is_a_conflict(void **state)
{
	const struct node_case c = { .what = "", .now = "[libvirt]\ncpu_mode=none\n" };
	struct world w;

	(void)state;
	world_make(&w, &c);
	w.found.ours = false;
	assert_rc(world_plan(&w), RC_CONFLICT, &w.e);
	assert_int_equal(w.edits.count, 1); /* for its difference */
	arena_destroy(&w.arena);
}

static void versions_have_their_releases(void **state)
{
	static const struct {
		const char *version, *release;
	} known[] = { { "13.1.4", "mitaka" }, { "20.0.0", "train" }, { "26.2.2", "zed" },
		{ "27.0.0", "2023.1" }, { "31.0.0", "2025.1" }, { "34.0.0", "2026.2" },
		{ "35.0.0", "2026.2" } };

	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		assert_string_equal(
			nova_find_version(known[i].version)->name, known[i].release);
	assert_null(nova_find_version("12.0.0"));
	assert_null(nova_find_version("unknown"));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_node_is_planned_or_refused_as_its_files_say),
		cmocka_unit_test(
			a_restart_that_was_not_asked_for_and_guests_are_remarked_on),
		cmocka_unit_test(a_drop_in_that_somebody_else_wrote_is_a_conflict),
		cmocka_unit_test(versions_have_their_releases),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
