/* The level as a named model in libvirt's cpu_map: for nova's cpu_models, and for XML
 * that says <model fallback='allow'>NAME</model>.  Two files, the model before the
 * index that names it; they are put back the other way round. */
#include <stdlib.h>
#include <string.h>

#include "coordinator/cpu/names.h"
#include "coordinator/cpu/translation.h"
#include "coordinator/render/cpu_map.h"
#include "coordinator/target/target.h"
#include "proto/limits.h"

static enum rc cpu_map_spots(const struct target_request *r, struct arena *arena,
	struct list *spots, struct err *e)
{
	enum rc rc = target_add_spot(spots, PLACE_cpu_map, r->level_name, arena, e);

	return rc == RC_OK ? target_add_spot(
				     spots, PLACE_cpu_map_index, r->level_name, arena, e)
			   : rc;
}

/* Takes the buffer's bytes over into the arena. */
static enum rc keep(
	struct buf *b, enum rc rc, struct arena *arena, struct bytes *out, struct err *e)
{
	struct bytes made = buf_bytes(b);
	char *copy = NULL;

	if (rc == RC_OK) {
		copy = arena_text_n(arena, made.data, made.size);
		*out = (struct bytes){ (const uint8_t *)copy, made.size };
	}
	buf_destroy(b);
	if (rc != RC_OK)
		return rc;
	return copy ? RC_OK : err_memory(e);
}

/* ---- is a guest of that model the agreed CPU? */

static enum rc refuse_difference(
	const struct planning *p, const struct translation *t, bool adds, struct err *e)
{
	const struct target_request *r = p->request;
	const char *names = names_join(
		r->catalogue, adds ? &t->adds : &t->lacks, p->arena);

	if (!names)
		return err_memory(e);
	return err_set(e, RC_TARGET, 0,
		"a guest of the model %s would not be the agreed CPU: libvirt puts %s in "
		"its place, and QEMU's %s %s %s; %suse --target stanza, domains or nova, "
		"which say every feature",
		r->level_name, t->model->name, t->model->name, adds ? "adds" : "lacks",
		names,
		adds ? "" : "take that out of the level with --without FEATURE, or ");
}

static enum rc check_guest(
	const struct planning *p, const struct translation *t, struct err *e)
{
	const char *name = p->request->level_name;

	if (!t->model)
		return err_set(e, RC_TARGET, 0,
			"libvirt would find no model of QEMU's to put in the place of "
			"%s: use "
			"--target stanza, domains or nova",
			name);
	if (t->other)
		return err_set(e, RC_TARGET, 0,
			"guests of the model %s would differ between nodes: libvirt puts "
			"%s in its "
			"place on some and %s on others; use --target stanza, domains or "
			"nova, "
			"which name one",
			name, t->model->name, t->other->name);
	if (!bitset_is_empty(&t->adds))
		return refuse_difference(p, t, true, e);
	if (!bitset_is_empty(&t->lacks))
		return refuse_difference(p, t, false, e);
	return RC_OK;
}

/* ---- the two files */

static enum rc edit_model(
	const struct planning *p, const struct translation *t, struct err *e)
{
	const struct target_request *r = p->request;
	struct buf b = buf_with_cap(LIMIT_PLACE_BYTES);
	struct bytes after = { 0 };
	enum rc rc = cpu_map_render_model(
		&b, r->catalogue, r->level, &t->said, r->level_name, p->arena, e);

	rc = keep(&b, rc, p->arena, &after, e);
	return rc == RC_OK ? target_edit_file(p, PLACE_cpu_map, r->level_name, after, e)
			   : rc;
}

static enum rc edit_index(const struct planning *p, struct err *e)
{
	const char *name = p->request->level_name;
	const struct found *found = target_found(p->survey, PLACE_cpu_map_index, name);
	struct buf b = buf_with_cap(LIMIT_PLACE_BYTES);
	struct bytes after = { 0 };
	enum rc rc;

	if (!found)
		return err_set(e, RC_INTERNAL, 0, "the index was not looked at");
	if (!found->exists)
		return err_set(e, RC_TARGET, 0,
			"%s is not there: install libvirt, or leave the target cpu-map "
			"out",
			found->path);
	rc = cpu_map_render_index(&b, found->content, name, e);
	rc = keep(&b, rc, p->arena, &after, e);
	return rc == RC_OK ? target_edit_file(p, PLACE_cpu_map_index, name, after, e)
			   : rc;
}

/* ---- what the operator has to know besides */

static enum rc remark_limits(
	const struct planning *p, const struct translation *t, struct err *e)
{
	const struct level *l = p->request->level;
	enum rc rc = RC_OK;

	if (l->maxphysaddr)
		rc = target_remark(p, true, "cpu-map",
			arena_format(p->arena,
				"a model cannot say how wide physical addresses are: "
				"guests need "
				"<maxphysaddr mode='emulate' bits='%u'/> beside it",
				l->maxphysaddr),
			e);
	if (rc == RC_OK && strcmp(t->model->name, l->model) != 0)
		rc = target_remark(p, false, "cpu-map",
			arena_format(p->arena,
				"libvirt puts %s in the place of %s, with the level's "
				"features; "
				"other targets name %s",
				t->model->name, p->request->level_name, l->model),
			e);
	return rc;
}

static enum rc remark_life(const struct planning *p, struct err *e)
{
	const char *name = p->request->level_name;
	enum rc rc = RC_OK;

	if (!p->request->restart)
		rc = target_remark(p, false, "cpu-map",
			arena_format(p->arena,
				"libvirt's daemon reads its map only when it starts: "
				"guests can "
				"name %s after a restart of it (--restart)",
				name),
			e);
	if (rc == RC_OK)
		rc = target_remark(p, false, "cpu-map",
			"an upgrade of libvirt's package writes the index anew, without "
			"the "
			"model: cpuherd check finds that, and negotiating again mends it",
			e);
	if (rc == RC_OK)
		rc = target_remark(p, false, "cpu-map",
			arena_format(p->arena,
				"the definition of a guest keeps the name %s where it "
				"goes: "
				"every node that it is migrated to with --persistent "
				"needs the "
				"model to start it again",
				name),
			e);
	return rc;
}

static enum rc cpu_map_plan(const struct planning *p, struct err *e)
{
	struct translation t = translation_of(p->request->level);
	enum rc rc = cpu_map_check_name(p->request->level_name, e);

	if (rc == RC_OK)
		rc = check_guest(p, &t, e);
	if (rc == RC_OK)
		rc = edit_model(p, &t, e);
	if (rc == RC_OK)
		rc = edit_index(p, e);
	if (rc == RC_OK)
		rc = remark_limits(p, &t, e);
	return rc == RC_OK ? remark_life(p, e) : rc;
}

const struct target target_cpu_map = { .name = "cpu-map",
	.help = "a model named LEVEL in libvirt's cpu_map, for nova and XML that names "
		"it",
	.unit = "libvirt",
	.spots = cpu_map_spots,
	.plan = cpu_map_plan };
