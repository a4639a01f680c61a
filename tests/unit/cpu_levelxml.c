/* A level that is written and read back is the same level. */
#include "coordinator/cpu/levelxml.h"

#include "coordinator/render/libvirt.h"
#include "proto/limits.h"
#include "tests/support/fleet.h"

static const char *write_xml(struct arena *arena, const struct level *l)
{
	struct buf out = buf_with_cap(LIMIT_PLACE_BYTES);
	struct err e;
	char *text;

	assert_rc(render_libvirt_cpu(&out, l, &e), RC_OK, &e);
	text = arena_text_n(arena, buf_bytes(&out).data, buf_bytes(&out).size);
	buf_destroy(&out);
	return text;
}

static size_t levels_seen;

static void check_round_trip(struct fleet *f)
{
	struct level l, again;
	struct bitset open, unnamed;
	const char *xml;
	struct err e;

	if (level_choose(f->catalogue, f->offers, f->count, f->virt, NULL, f->ops,
		    &f->arena, &l, &e) != RC_OK)
		return;
	levels_seen++;
	l.maxphysaddr = levels_seen % 2 ? 46 : 0;
	xml = write_xml(&f->arena, &l);
	assert_rc(levelxml_read(f->catalogue, xml, "level", f->virt, &f->arena, &again,
			  &open, &e),
		RC_OK, &e);
	assert_true(bitset_equals(&again.baseline, &l.baseline));
	assert_int_equal(again.maxphysaddr, l.maxphysaddr);
	assert_true(bitset_has(&again.model_rows,
		(size_t)(catalogue_find_model(l.model) - catalogue_model(0))));
	assert_string_equal(write_xml(&f->arena, &again), xml);
	/* only what an old libvirt has no name for may be open */
	unnamed = bitset_and(&open, &l.names);
	assert_true(bitset_is_empty(&unnamed));
}

static void a_level_reads_back_as_it_was(void **state)
{
	(void)state;
	levels_seen = 0;
	for_many_fleets(check_round_trip);
	assert_true(levels_seen > 100);
}

static const struct refusal {
	const char *xml, *says;
} refusals[] = {
	{ "<cpu/>", "it names no model" },
	{ "<domain/>", "level: " },
	{ "<cpu mode='host-passthrough'/>",
		"as host-model and host-passthrough do not; a level has mode='custom'" },
	/* it was left out without a word */
	{ "<cpu><model>kvm64</model><vendor>Acme</vendor></cpu>",
		"vendor Acme is not known to " },
	{ "<cpu><model>Has well</model></cpu>", "not the name of a model" },
	{ "<cpu><model>gate64</model></cpu>", "model gate64 is not known to " },
	{ "<cpu><model>pentiumpro</model></cpu>", "has model pentiumpro for kvm guests" },
	{ "<cpu><model>Haswell</model><vendor>AMD</vendor></cpu>",
		"model Haswell is of vendor Intel, not AMD" },
	{ "<cpu><model>Haswell</model><feature policy='require' name='hle'/>"
	  "<feature policy='disable' name='hle'/></cpu>",
		"feature hle stands twice" },
	{ "<cpu><model>Haswell</model><maxphysaddr mode='emulate' bits='x'/></cpu>",
		"maxphysaddr of 'x' bits" },
	{ "<cpu><model>Haswell</model><maxphysaddr mode='emulate' bits='8'/></cpu>",
		"maxphysaddr of '8' bits" },
};

static enum rc read_kvm(struct arena *arena, const char *xml, struct level *l,
	struct bitset *open, struct err *e)
{
	struct catalogue *c = catalogue_new(arena, e);

	return levelxml_read(c, xml, "level", VIRT_KVM, arena, l, open, e);
}

static void what_is_no_level_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		struct arena arena = { 0 };
		struct bitset open;
		struct level l;
		struct err e;

		assert_rc(read_kvm(&arena, refusals[i].xml, &l, &open, &e), RC_INPUT, &e);
		assert_contains(e.text, refusals[i].says);
		arena_destroy(&arena);
	}
}

static void what_a_level_leaves_open_is_found(void **state)
{
	struct arena arena = { 0 };
	struct bitset open;
	struct level l;
	struct err e;

	(void)state;
	/* QEMU's Haswell has abm, libvirt's has not; both have avx2 */
	assert_rc(read_kvm(&arena, "<cpu><model>Haswell</model></cpu>", &l, &open, &e),
		RC_OK, &e);
	assert_true(bitset_has(&open, (size_t)catalogue_find_row("abm")));
	assert_false(bitset_has(&open, (size_t)catalogue_find_row("avx2")));
	assert_true(bitset_has(&l.baseline, (size_t)catalogue_find_row("avx2")));
	assert_false(bitset_has(&l.baseline, (size_t)catalogue_find_row("abm")));
	arena_destroy(&arena);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_level_reads_back_as_it_was),
		cmocka_unit_test(what_is_no_level_is_refused),
		cmocka_unit_test(what_a_level_leaves_open_is_found),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
