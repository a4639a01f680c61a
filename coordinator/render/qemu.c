#include "coordinator/render/qemu.h"

#include "coordinator/cpu/names.h"
#include "proto/texts.h"

static const struct feature_row *row_of(const struct catalogue *c, const char *feature)
{
	int bit = catalogue_find(c, feature);

	return bit < 0 ? NULL : catalogue_feature(c, (size_t)bit);
}

const char *qemu_property(const struct catalogue *c, const char *feature)
{
	const struct feature_row *row = row_of(c, feature);

	return row ? row->qemu : NULL;
}

static bool can_say(const struct catalogue *c, const struct level_feature *f)
{
	const struct feature_row *row = row_of(c, f->name);

	return row && (row->qemu || f->policy == POLICY_DISABLE);
}

/* QEMU takes them out again, and with "enforce" it does not start then (target/i386/cpu.c,
 * feature_dependencies in x86_cpu_expand_features). */
static enum rc check_grounds(const struct writing *w, struct err *e)
{
	const struct level *l = w->level;
	struct bitset required = { { 0 } }, all, groundless;
	const char *names;

	for (size_t i = 0; i < l->feature_count; i++) {
		int bit = catalogue_find(w->request->catalogue, l->features[i].name);

		if (bit >= 0 && l->features[i].policy == POLICY_REQUIRE)
			bitset_add(&required, (size_t)bit);
	}
	all = bitset_or(&l->baseline, &required);
	groundless = catalogue_groundless(&all, catalogue_all_sources());
	groundless = bitset_and(&groundless, &required);
	if (bitset_is_empty(&groundless))
		return RC_OK;
	names = names_join(w->request->catalogue, &groundless, w->arena);
	if (!names)
		return err_memory(e);
	return err_set(e, RC_FORMAT, 0,
		"QEMU starts no guest with %.700s, as the level lacks what that stands "
		"on; plan --without takes it out",
		names);
}

static enum rc check_properties(const struct writing *w, struct err *e)
{
	const struct level *l = w->level;
	struct texts unsaid = { 0 };
	const char *names;
	enum rc rc = RC_OK;

	for (size_t i = 0; i < l->feature_count && rc == RC_OK; i++)
		if (!can_say(w->request->catalogue, &l->features[i]))
			rc = texts_add(&unsaid, l->features[i].name, w->arena, e);
	if (rc != RC_OK || unsaid.count == 0)
		return rc;
	names = texts_join(&unsaid, unsaid.count, w->arena);
	if (!names)
		return err_memory(e);
	return err_set(e, RC_FORMAT, 0, "no property of QEMU is known for %.700s (%s)",
		names, catalogue_source());
}

enum rc qemu_check(struct writing *w, struct err *e)
{
	return check_properties(w, e) == RC_OK ? check_grounds(w, e) : e->code;
}

/* Without "vendor" KVM shows the host's: the same on every node of the level. */
static void put_vendor(struct writing *w)
{
	const char *string = catalogue_vendor_string(w->level->vendor);

	if (string)
		PUT(w, ",vendor=%s", string);
}

/* One line, for -cpu "$(cpuherd render --as qemu FILE)".  "enforce": QEMU does not start
 * rather than leave a feature out (QEMU target/i386/cpu.c, x86_cpu_realizefn). */
enum rc write_qemu(struct writing *w, struct err *e)
{
	const struct level *l = w->level;

	if (qemu_check(w, e) != RC_OK)
		return e->code;
	PUT(w, "%s", l->model);
	put_vendor(w);
	for (size_t i = 0; i < l->feature_count; i++) {
		const char *property = qemu_property(
			w->request->catalogue, l->features[i].name);
		bool on = l->features[i].policy == POLICY_REQUIRE;

		if (property)
			PUT(w, ",%s=%s", property, on ? "on" : "off");
	}
	if (l->maxphysaddr)
		PUT(w, ",phys-bits=%u", l->maxphysaddr);
	PUT(w, ",enforce\n");
	return RC_OK;
}
