#include "peer/cpumap.h"

#include <string.h>

#include "peer/cpumap_child.h"
#include "proto/texts.h"

/* What a judgement is about. */
struct trying {
	const struct change_judging *j;
	const char *name;
	struct bytes model, index; /* as they shall be, or are */
	struct bytes old_index;
	struct texts features; /* that the model's file says */
	struct change_verdict *out;
};

static enum rc refuse(struct trying *t, const char *reason, struct err *e)
{
	if (!reason)
		return err_memory(e);
	t->out->accepted = false;
	t->out->reason = reason;
	return RC_OK;
}

/* ---- the texts */

static const struct change *wanted_at(const struct trying *t, enum place place)
{
	const struct change_ground *g = t->j->ground;

	for (size_t i = 0; i < g->count; i++)
		if (g->wanted[i].place == place &&
			strcmp(g->wanted[i].name, t->name) == 0)
			return &g->wanted[i];
	return NULL;
}

static enum rc read_there(
	const struct trying *t, enum place place, struct bytes *out, struct err *e)
{
	struct place_content now = { .arena = t->j->scratch };
	const struct place_world *world = t->j->ground->world;
	struct folder_way way;
	enum rc rc = place_way(world, place, t->name, t->j->scratch, &way, e);

	if (rc == RC_OK)
		rc = place_look(world, &way, &now, e);
	if (rc != RC_OK)
		return rc;
	if (!now.exists)
		return err_set(e, RC_TARGET, 0,
			"%s is not there, and a model needs it: see cpuherd's target "
			"cpu-map",
			way.path);
	*out = now.content;
	return RC_OK;
}

/* Before commit what the run wants, where it wants something; else what is there. */
static enum rc text_of(
	const struct trying *t, enum place place, struct bytes *out, struct err *e)
{
	const struct change *wanted = t->j->written ? NULL : wanted_at(t, place);

	if (t->j->change->place == place)
		*out = t->j->content;
	else if (wanted)
		*out = wanted->content;
	else
		return read_there(t, place, out, e);
	return RC_OK;
}

static enum rc check_texts(struct trying *t, bool *is_good, struct err *e)
{
	const char *why;
	enum rc rc = text_of(t, PLACE_cpu_map, &t->model, e);

	*is_good = false;
	if (rc == RC_OK)
		rc = text_of(t, PLACE_cpu_map_index, &t->index, e);
	if (rc == RC_OK)
		rc = read_there(t, PLACE_cpu_map_index, &t->old_index, e);
	if (rc != RC_OK)
		return rc;
	if (!cpumap_is_model(t->model, t->name, &t->features, &why, t->j->scratch))
		return refuse(t, why, e);
	if (!cpumap_is_index(t->index, t->old_index, t->name))
		return refuse(t,
			"the index would change by more than the line of the model's "
			"file",
			e);
	*is_good = true;
	return RC_OK;
}

/* ---- libvirt's answers */

/* All names of the one are among the other's; *missing is the first that is not. */
static bool is_within(
	const struct texts *part, const struct texts *whole, const char **missing)
{
	for (size_t i = 0; i < part->count; i++) {
		*missing = part->item[i];
		if (!texts_have(whole, part->item[i]))
			return false;
	}
	return true;
}

static enum rc compare(struct trying *t, const struct cpumap_answer *before,
	const struct cpumap_answer *after, struct err *e)
{
	struct arena *a = t->j->scratch;
	const char *missing;

	if (after->refusal)
		return refuse(t,
			arena_format(a, "libvirt cannot read its cpu_map with it: %s",
				after->refusal),
			e);
	if (!is_within(&before->models, &after->models, &missing))
		return refuse(t,
			arena_format(a, "libvirt would lose its model %s", missing), e);
	if (!texts_have(&after->models, t->name))
		return refuse(
			t, arena_format(a, "libvirt finds no model %s", t->name), e);
	if (!is_within(&t->features, &after->features, &missing))
		return refuse(
			t, arena_format(a, "libvirt's %s lacks %s", t->name, missing), e);
	if (!is_within(&after->features, &t->features, &missing))
		return refuse(
			t, arena_format(a, "libvirt's %s has %s", t->name, missing), e);
	t->out->accepted = true;
	return RC_OK;
}

static struct cpumap_trial trial_of(const struct trying *t, const char *file)
{
	const char *root = t->j->ground->world->root;

	return (struct cpumap_trial){ .root = root,
		.name = t->name,
		.as_it_is = t->j->written && !*root,
		.change = { { file, t->model }, { "index.xml", t->index } } };
}

static enum rc ask_libvirt(struct trying *t, struct err *e)
{
	struct arena *a = t->j->scratch;
	const char *file = arena_format(a, "cpuherd_%s.xml", t->name);
	struct cpumap_trial trial = trial_of(t, file);
	struct cpumap_answer before = { 0 }, after;
	enum rc rc = file ? RC_OK : err_memory(e);

	if (rc == RC_OK && !t->j->written)
		rc = cpumap_try(&trial, a, &before, e);
	if (rc != RC_OK)
		return rc;
	if (before.refusal)
		return refuse(t,
			arena_format(a,
				"libvirt cannot read the cpu_map that is there now: %s",
				before.refusal),
			e);
	trial.changes = t->j->written ? 0 : CPUMAP_FILES_MAX;
	rc = cpumap_try(&trial, a, &after, e);
	return rc == RC_OK ? compare(t, &before, &after, e) : rc;
}

static enum rc judge(
	const struct change_judging *j, struct change_verdict *out, struct err *e)
{
	struct trying t = { .j = j, .name = j->change->name, .out = out };
	bool is_good;
	enum rc rc = check_texts(&t, &is_good, e);

	return rc == RC_OK && is_good ? ask_libvirt(&t, e) : rc;
}

/* ---- the two places */

enum rc cpumap_judge_index(
	const struct change_judging *j, struct change_verdict *out, struct err *e)
{
	*out = (struct change_verdict){ .reason = "" };
	return judge(j, out, e);
}

/* Where the index is written too, its judgement is about both files. */
enum rc cpumap_judge_model(
	const struct change_judging *j, struct change_verdict *out, struct err *e)
{
	struct trying t = { .j = j, .name = j->change->name };

	*out = (struct change_verdict){ .reason = "" };
	if (wanted_at(&t, PLACE_cpu_map_index)) {
		out->accepted = true;
		return RC_OK;
	}
	return judge(j, out, e);
}
