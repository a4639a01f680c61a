/* The target cpu-map: what it looks at, writes, says and refuses. */
#include "coordinator/target/target.h"
#include "tests/support/fleet.h"

static const char index_text[] = "<cpus>\n"
				 "  <arch name='x86'>\n"
				 "    <include filename='x86_features.xml'/>\n"
				 "  </arch>\n"
				 "</cpus>\n";

/* One node, asked by the target. */
struct desk {
	struct arena arena;
	struct level level;
	struct target_request request;
	struct found found[2];
	struct survey survey;
	struct edits edits;
	struct target_remarks remarks;
	struct err e;
};

static void desk_open(struct desk *d)
{
	struct list spots = { 0 };

	*d = (struct desk){ .level = fleet_level_of_westmere() };
	d->request = (struct target_request){ .level = &d->level,
		.catalogue = catalogue_new(&d->arena, &d->e),
		.level_name = "herd" };
	assert_rc(target_cpu_map.spots(&d->request, &d->arena, &spots, &d->e), RC_OK,
		&d->e);
	assert_int_equal(spots.count, 2);
	d->found[0].path = "/usr/share/libvirt/cpu_map/cpuherd_herd.xml";
	d->found[1] = (struct found){ .path = "/usr/share/libvirt/cpu_map/index.xml",
		.exists = true,
		.ours = true,
		.content = bytes_of(index_text) };
	d->survey = (struct survey){
		.spots = spots.item, .found = d->found, .count = spots.count
	};
}

static enum rc plan(struct desk *d)
{
	const struct planning planning = { &d->request, &d->survey, &d->arena, &d->edits,
		&d->remarks };

	return target_cpu_map.plan(&planning, &d->e);
}

static void the_model_is_written_before_the_index_that_names_it(void **state)
{
	struct desk d;

	(void)state;
	desk_open(&d);
	assert_rc(plan(&d), RC_OK, &d.e);
	assert_int_equal(d.edits.count, 2);
	assert_int_equal(d.edits.item[0].place, PLACE_cpu_map);
	assert_int_equal(d.edits.item[1].place, PLACE_cpu_map_index);
	assert_contains((const char *)d.edits.item[0].after.data, "<model name='herd'>");
	assert_contains((const char *)d.edits.item[1].after.data,
		"<include filename='cpuherd_herd.xml'/>");
	assert_false(d.edits.item[0].unchanged);
	assert_false(d.edits.item[1].unchanged);
	arena_destroy(&d.arena);
}

static void what_is_written_is_unchanged_the_second_time(void **state)
{
	struct desk d;

	(void)state;
	desk_open(&d);
	assert_rc(plan(&d), RC_OK, &d.e);
	for (size_t i = 0; i < 2; i++) {
		d.found[i].exists = d.found[i].ours = true;
		d.found[i].content = d.edits.item[i].after;
	}
	d.edits = (struct edits){ 0 };
	assert_rc(plan(&d), RC_OK, &d.e);
	assert_true(d.edits.item[0].unchanged && d.edits.item[1].unchanged);
	arena_destroy(&d.arena);
}

/* As after an upgrade of libvirt's package: the model is there, the include is not. */
static void an_include_that_was_dropped_is_put_back_alone(void **state)
{
	struct desk d;

	(void)state;
	desk_open(&d);
	assert_rc(plan(&d), RC_OK, &d.e);
	d.found[0].exists = d.found[0].ours = true;
	d.found[0].content = d.edits.item[0].after;
	d.edits = (struct edits){ 0 };
	assert_rc(plan(&d), RC_OK, &d.e);
	assert_true(d.edits.item[0].unchanged);
	assert_false(d.edits.item[1].unchanged);
	arena_destroy(&d.arena);
}

/* What QEMU alone has in the model that libvirt would put there. */
static void a_guest_that_would_get_more_is_refused_with_the_features(void **state)
{
	struct desk d;

	(void)state;
	desk_open(&d);
	bitset_remove(&d.level.baseline, (size_t)catalogue_find_row("arat"));
	assert_rc(plan(&d), RC_TARGET, &d.e);
	assert_contains(d.e.text, "Westmere");
	assert_contains(d.e.text, "adds arat");
	assert_contains(d.e.text, "--target");
	assert_int_equal(d.edits.count, 0);
	arena_destroy(&d.arena);
}

static void a_guest_that_would_get_less_is_refused(void **state)
{
	struct desk d;

	(void)state;
	desk_open(&d);
	bitset_add(&d.level.baseline, (size_t)catalogue_find_row("avx"));
	bitset_remove(&d.level.names, (size_t)catalogue_find_row("avx"));
	assert_rc(plan(&d), RC_TARGET, &d.e);
	assert_contains(d.e.text, "lacks avx");
	arena_destroy(&d.arena);
}

static void a_node_without_a_map_and_a_name_that_is_taken_are_refused(void **state)
{
	struct desk d;

	(void)state;
	desk_open(&d);
	d.found[1].exists = false;
	assert_rc(plan(&d), RC_TARGET, &d.e);
	assert_contains(d.e.text, "index.xml");
	arena_destroy(&d.arena);
	desk_open(&d);
	d.request.level_name = "Haswell";
	assert_rc(plan(&d), RC_TARGET, &d.e);
	arena_destroy(&d.arena);
}

static bool is_said(const struct desk *d, const char *part)
{
	for (size_t i = 0; i < d->remarks.count; i++)
		if (strstr(d->remarks.item[i].text, part))
			return true;
	return false;
}

static void the_operator_hears_what_the_map_does_not_do(void **state)
{
	struct desk d;

	(void)state;
	desk_open(&d);
	d.level.maxphysaddr = 46;
	assert_rc(plan(&d), RC_OK, &d.e);
	assert_true(is_said(&d, "<maxphysaddr mode='emulate' bits='46'/>"));
	assert_true(is_said(&d, "restart"));
	assert_true(is_said(&d, "upgrade"));
	assert_true(is_said(&d, "--persistent"));
	arena_destroy(&d.arena);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_model_is_written_before_the_index_that_names_it),
		cmocka_unit_test(what_is_written_is_unchanged_the_second_time),
		cmocka_unit_test(an_include_that_was_dropped_is_put_back_alone),
		cmocka_unit_test(
			a_guest_that_would_get_more_is_refused_with_the_features),
		cmocka_unit_test(a_guest_that_would_get_less_is_refused),
		cmocka_unit_test(
			a_node_without_a_map_and_a_name_that_is_taken_are_refused),
		cmocka_unit_test(the_operator_hears_what_the_map_does_not_do),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
