#include "coordinator/render/nova.h"

#include <stdlib.h>
#include <strings.h>
#include <string.h>

#include "coordinator/cpu/grants.h"
#include "coordinator/cpu/names.h"

/* Sources: nova's release notes and nova/conf/libvirt.py of each release.
 * cpu_model_extra_flags came with Rocky and was given to Queens with pcid as its only
 * choice (libvirt-cpu-model-extra-flags-a23085f58bd22d27.yaml; later point releases of
 * Queens know ssbd and its like, which not every Queens does); Rocky lifted the list
 * of choices; Train made cpu_model the list cpu_models; Wallaby took +flag and -flag
 * (allow-disabling-cpu-flags-cc861a3bdfffadf8.yaml). */
static const struct nova_release releases[] = {
	/* of mitaka on each has its number: 13, 14, ... */
	{ "mitaka", "cpu_model", SHAPE_MODEL, "", COMPARE_MOVE, NULL },
	{ "newton", "cpu_model", SHAPE_MODEL, "", COMPARE_MOVE, NULL },
	{ "ocata", "cpu_model", SHAPE_MODEL, "", COMPARE_MOVE, NULL },
	{ "pike", "cpu_model", SHAPE_MODEL, "", COMPARE_MOVE, NULL },
	{ "queens", "cpu_model", SHAPE_PCID, "", COMPARE_MOVE, NULL },
	{ "rocky", "cpu_model", SHAPE_REQUIRES, "", COMPARE_MOVE, NULL },
	{ "stein", "cpu_model", SHAPE_REQUIRES, "", COMPARE_MOVE, NULL },
	{ "train", "cpu_models", SHAPE_REQUIRES, "", COMPARE_START, NULL },
	{ "ussuri", "cpu_models", SHAPE_REQUIRES, "", COMPARE_START, NULL },
	{ "victoria", "cpu_models", SHAPE_REQUIRES, "", COMPARE_START, NULL },
	{ "wallaby", "cpu_models", SHAPE_ANY, "+", COMPARE_SKIP, NULL },
	{ "xena", "cpu_models", SHAPE_ANY, "+", COMPARE_SKIP, NULL },
	{ "yoga", "cpu_models", SHAPE_ANY, "+", COMPARE_SKIP, NULL },
	{ "zed", "cpu_models", SHAPE_ANY, "+", COMPARE_SKIP, NULL },
	{ "2023.1", "cpu_models", SHAPE_ANY, "+", COMPARE_SKIP, "antelope" },
	{ "2023.2", "cpu_models", SHAPE_ANY, "+", COMPARE_SKIP, "bobcat" },
	{ "2024.1", "cpu_models", SHAPE_ANY, "+", COMPARE_SKIP, "caracal" },
	{ "2024.2", "cpu_models", SHAPE_ANY, "+", COMPARE_SKIP, "dalmatian" },
	{ "2025.1", "cpu_models", SHAPE_ANY, "+", COMPARE_SKIP, "epoxy" },
	{ "2025.2", "cpu_models", SHAPE_ANY, "+", COMPARE_SKIP, "flamingo" },
	{ "2026.1", "cpu_models", SHAPE_ANY, "+", COMPARE_SKIP, "gazpacho" },
	{ "2026.2", "cpu_models", SHAPE_ANY, "+", COMPARE_SKIP, "hibiscus" },
};

enum { RELEASES = sizeof(releases) / sizeof(releases[0]), NOVA_OF_FIRST_RELEASE = 13 };

static const char *const cannot[] = {
	[SHAPE_MODEL] = "can say no feature",
	[SHAPE_PCID] = "can say no feature but pcid",
	[SHAPE_REQUIRES] = "cannot switch features off",
	[SHAPE_ANY] = "can say all",
};

static bool is_called(const struct nova_release *r, const char *name)
{
	return strcasecmp(r->name, name) == 0 ||
	       (r->also && strcasecmp(r->also, name) == 0);
}

const struct nova_release *nova_find_release(const char *name)
{
	if (!name)
		return &releases[RELEASES - 1];
	for (size_t i = 0; i < RELEASES; i++)
		if (is_called(&releases[i], name))
			return &releases[i];
	return NULL;
}

const struct nova_release *nova_find_version(const char *version)
{
	unsigned long major = strtoul(version, NULL, 10);

	if (major < NOVA_OF_FIRST_RELEASE)
		return NULL;
	major -= NOVA_OF_FIRST_RELEASE;
	return &releases[major < RELEASES ? major : RELEASES - 1];
}

bool nova_is_newer(const struct nova_release *a, const struct nova_release *b)
{
	return a > b;
}

const char *nova_list_releases(struct arena *arena)
{
	const char *text = "";

	for (size_t i = 0; text && i < RELEASES; i++)
		text = arena_format(
			arena, "%s%s%s", text, i ? ", " : "", releases[i].name);
	return text ? text : "";
}

static enum rc note_fit(struct writing *w, const struct nova_release *r,
	const struct level *fitted, const struct bitset *lost, struct err *e)
{
	const char *names = names_join(w->request->catalogue, lost, w->arena);
	bool other = strcmp(fitted->model, w->level->model) != 0;
	const char *text;

	if (!names)
		return err_memory(e);
	if (other) {
		text = arena_format(w->arena,
			"nova %s %s: model %s in place of %s (every node must know it)",
			r->name, cannot[r->shape], fitted->model, w->level->model);
		if (writing_note(w, text, e) != RC_OK)
			return e->code;
	}
	if (bitset_is_empty(lost))
		return RC_OK;
	text = arena_format(w->arena,
		"nova %s %s: lost, as no guest can rely on them: %s", r->name,
		cannot[r->shape], names);
	return writing_note(w, text, e);
}

/* What KVM gives though the CPU may lack it. */
static struct bitset made_by_kvm(const struct catalogue *c, const struct level *l)
{
	struct bitset made = { { 0 } };

	for (size_t i = 0; l->virt == VIRT_KVM && i < l->feature_count; i++) {
		const struct level_feature *f = &l->features[i];
		int bit = catalogue_find(c, f->name);

		if (bit >= 0 && f->policy == POLICY_REQUIRE &&
			(grant_of((size_t)bit, NULL) == GRANT_EMULATED ||
				strcmp(f->name, "arch-capabilities") == 0))
			bitset_add(&made, (size_t)bit);
	}
	return made;
}

const char *nova_compares(const struct nova_release *r, const struct catalogue *c,
	const struct level *l, struct arena *arena)
{
	struct bitset made = made_by_kvm(c, l);

	return r->compare == COMPARE_SKIP ? "" : names_join(c, &made, arena);
}

/* For guests of kvm, nova compares model and flags with the CPU that the machine itself
 * has (nova/virt/libvirt/driver.py, _check_cpu_compatibility and _compare_cpu, with
 * libvirt's virConnectCompareCPU), and that shows nothing of what KVM makes. */
static enum rc note_compare(
	struct writing *w, const struct nova_release *r, struct err *e)
{
	static const char *const ways[] = {
		[COMPARE_MOVE] = "no guest moves to a node that lacks one; leave such "
				 "flags out on all nodes, or take nova zed (26.2) or "
				 "newer",
		[COMPARE_START] = "nova-compute does not start on a node that lacks one; "
				  "leave such flags out on all nodes, or take nova zed "
				  "(26.2) or newer",
		[COMPARE_SKIP] = "[workarounds] switches that off, which nova can since "
				 "zed (26.2); an older one needs an update",
	};
	struct bitset made = made_by_kvm(w->request->catalogue, w->level);
	const char *names = names_join(w->request->catalogue, &made, w->arena);

	if (bitset_is_empty(&made))
		return RC_OK;
	if (!names)
		return err_memory(e);
	return writing_note(w,
		arena_format(w->arena,
			"nova %s compares the flags with the machine's own CPU, which "
			"may "
			"lack what KVM adds (%s): %s",
			r->name, names, ways[r->compare]),
		e);
}

bool nova_skips_compare(const struct writing *w, const struct nova_release *r)
{
	struct bitset made = made_by_kvm(w->request->catalogue, w->level);

	return r->compare == COMPARE_SKIP && !bitset_is_empty(&made);
}

enum rc nova_begin(struct writing *w, const struct nova_release **release, struct err *e)
{
	const struct nova_release *r = nova_find_release(w->request->nova_release);
	struct level *fitted = arena_alloc(w->arena, 1, sizeof(*fitted));
	struct bitset lost;

	*release = r;
	if (!fitted)
		return err_memory(e);
	if (!r)
		return err_set(e, RC_USAGE, 0, "nova has no release '%.40s'; it is %s",
			w->request->nova_release, nova_list_releases(w->arena));
	if (shape_fit(w->request->catalogue, w->level, r->shape, w->arena, fitted, &lost,
		    e) != RC_OK)
		return e->code;
	if (note_fit(w, r, fitted, &lost, e) != RC_OK)
		return e->code;
	w->level = fitted;
	if (note_compare(w, r, e) != RC_OK)
		return e->code;
	return writing_note_maxphysaddr(w,
		"from nova 2023.2 on flavors can (hw:maxphysaddr_mode=emulate, "
		"hw:maxphysaddr_bits)",
		e);
}

void nova_put_options(struct writing *w, const struct nova_release *r)
{
	PUT(w, "cpu_mode = custom\n%s = %s\n", r->models_option, w->level->model);
	if (!w->level->feature_count)
		return;
	PUT(w, NOVA_FLAGS " = ");
	writing_flags(w, r->on, "-", ',');
	PUT(w, "\n");
	if (nova_skips_compare(w, r))
		PUT(w, "[workarounds]\n%s = True\n%s = True\n", NOVA_SKIP_START,
			NOVA_SKIP_MOVE);
}

/* A file for /etc/nova/nova.conf.d, or lines for nova.conf. */
enum rc write_nova(struct writing *w, struct err *e)
{
	const struct nova_release *r;

	if (nova_begin(w, &r, e) != RC_OK)
		return e->code;
	writing_heading(w);
	PUT(w, "# nova.conf of the compute nodes, nova %s.\n[libvirt]\n", r->name);
	nova_put_options(w, r);
	return RC_OK;
}
