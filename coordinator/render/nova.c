#include "coordinator/render/nova.h"

#include <string.h>

#include "coordinator/cpu/names.h"

/* Sources: nova's release notes and nova/conf/libvirt.py of each release.
 * cpu_model_extra_flags came with Rocky and was given to Queens with pcid as its only
 * choice (libvirt-cpu-model-extra-flags-a23085f58bd22d27.yaml; later point releases of
 * Queens know ssbd and its like, which not every Queens does); Rocky lifted the list
 * of choices; Train made cpu_model the list cpu_models; Wallaby took +flag and -flag
 * (allow-disabling-cpu-flags-cc861a3bdfffadf8.yaml). */
static const struct nova_release releases[] = {
	{ "mitaka", "cpu_model", SHAPE_MODEL, "" },
	{ "newton", "cpu_model", SHAPE_MODEL, "" },
	{ "ocata", "cpu_model", SHAPE_MODEL, "" },
	{ "pike", "cpu_model", SHAPE_MODEL, "" },
	{ "queens", "cpu_model", SHAPE_PCID, "" },
	{ "rocky", "cpu_model", SHAPE_REQUIRES, "" },
	{ "stein", "cpu_model", SHAPE_REQUIRES, "" },
	{ "train", "cpu_models", SHAPE_REQUIRES, "" },
	{ "ussuri", "cpu_models", SHAPE_REQUIRES, "" },
	{ "victoria", "cpu_models", SHAPE_REQUIRES, "" },
	{ "wallaby", "cpu_models", SHAPE_ANY, "+" },
	{ "xena", "cpu_models", SHAPE_ANY, "+" },
	{ "yoga", "cpu_models", SHAPE_ANY, "+" },
	{ "zed", "cpu_models", SHAPE_ANY, "+" },
	{ "2023.1", "cpu_models", SHAPE_ANY, "+" },
	{ "2023.2", "cpu_models", SHAPE_ANY, "+" },
	{ "2024.1", "cpu_models", SHAPE_ANY, "+" },
	{ "2024.2", "cpu_models", SHAPE_ANY, "+" },
	{ "2025.1", "cpu_models", SHAPE_ANY, "+" },
	{ "2025.2", "cpu_models", SHAPE_ANY, "+" },
	{ "2026.1", "cpu_models", SHAPE_ANY, "+" },
	{ "2026.2", "cpu_models", SHAPE_ANY, "+" },
};

enum { RELEASES = sizeof(releases) / sizeof(releases[0]) };

static const char *const cannot[] = {
	[SHAPE_MODEL] = "can say no feature",
	[SHAPE_PCID] = "can say no feature but pcid",
	[SHAPE_REQUIRES] = "cannot switch features off",
	[SHAPE_ANY] = "can say all",
};

const struct nova_release *nova_find_release(const char *name)
{
	if (!name)
		return &releases[RELEASES - 1];
	for (size_t i = 0; i < RELEASES; i++)
		if (strcmp(releases[i].name, name) == 0)
			return &releases[i];
	return NULL;
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
	PUT(w, "cpu_model_extra_flags = ");
	writing_flags(w, r->on, "-", ',');
	PUT(w, "\n");
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
