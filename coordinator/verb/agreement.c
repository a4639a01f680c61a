#include "coordinator/verb/agreement.h"

#include <stdlib.h>
#include <string.h>

#include "coordinator/cpu/levelxml.h"
#include "proto/texts.h"

static const char default_path[] = "cpuherd.lock";

static bool verb_has_lock(const struct run *run)
{
	const struct options *o = run->options;

	return (o->verb->bit & (FOR_NEGOTIATE | FOR_CHECK | FOR_ADMIT | FOR_TRIALS)) &&
	       !o->cpu;
}

/* These do without one, unless it is named. */
static bool verb_needs_lock(const struct run *run)
{
	unsigned bit = run->options->verb->bit;

	return bit != FOR_NEGOTIATE &&
	       !((bit & FOR_TRIALS) && !options_have(run->options, "lock"));
}

/* ---- the level out of the lock */

static enum rc set_read(
	struct run *run, const struct texts *names, struct bitset *out, struct err *e)
{
	enum rc rc = RC_OK;

	*out = (struct bitset){ { 0 } };
	for (size_t i = 0; i < names->count && rc == RC_OK; i++) {
		size_t bit = 0;

		rc = catalogue_learn(run->catalogue, names->item[i], &bit, e);
		if (rc == RC_OK)
			bitset_add(out, bit);
	}
	return rc;
}

static enum rc ground_read(
	const struct lock_level *l, const char *path, struct ground *out, struct err *e)
{
	*out = (struct ground){ .vendor = l->seen_vendor, .nested = l->nested };
	for (size_t i = 0; i < l->xsave.count; i++) {
		struct xsave_place p;

		/* NOLINTNEXTLINE(cert-err34-c): the file is sealed by its digest */
		if (i == XSAVE_PLACES || sscanf(l->xsave.item[i], "%u %u %u", &p.index,
						 &p.size, &p.offset) != 3)
			return err_set(e, RC_INPUT, 0,
				"%s: level: xsave is not what it should be", path);
		out->xsave[out->xsave_count++] = p;
	}
	return RC_OK;
}

static bool has_features(
	const struct level *l, enum policy policy, const struct texts *names)
{
	size_t count = 0;

	for (size_t i = 0; i < l->feature_count; i++) {
		if (l->features[i].policy != policy)
			continue;
		if (count == names->count ||
			strcmp(names->item[count], l->features[i].name) != 0)
			return false;
		count++;
	}
	return count == names->count;
}

/* The <cpu> is what nodes get: it must say what the other lines do. */
static bool is_said_by_xml(const struct lock_level *said, const struct level *read)
{
	return strcmp(said->model, read->model) == 0 &&
	       strcmp(said->vendor, read->vendor) == 0 &&
	       said->maxphysaddr == read->maxphysaddr &&
	       has_features(read, POLICY_REQUIRE, &said->require) &&
	       has_features(read, POLICY_DISABLE, &said->disable);
}

static enum rc level_read(struct run *run, struct agreement *a, struct err *e)
{
	const struct lock_level *l = &a->lock.level;
	const char *lines = texts_join_with(&l->xml, "\n", &run->arena);
	struct bitset open;
	enum rc rc;

	a->virt = virt_of(l->virt);
	a->xml = lines ? arena_format(&run->arena, "%s\n", lines) : NULL;
	if (!a->xml)
		return err_memory(e);
	rc = levelxml_read(run->catalogue, a->xml, a->path, a->virt, &run->arena,
		&a->level, &open, e);
	if (rc == RC_OK && !is_said_by_xml(l, &a->level))
		return err_set(e, RC_INPUT, 0,
			"%s: level: its xml does not say what its other lines do",
			a->path);
	a->level.xsave_bytes = l->xsave_bytes;
	if (rc == RC_OK)
		rc = set_read(run, &l->features, &a->level.baseline, e);
	if (rc == RC_OK)
		rc = set_read(run, &l->unsaid, &a->level.unsaid, e);
	return rc == RC_OK ? ground_read(l, a->path, &a->ground, e) : rc;
}

/* ---- options that the lock keeps */

/* The level's name is not for others to have in this lock; targets are added to. */
static enum rc check_name(const struct run *run, const struct agreement *a, struct err *e)
{
	const struct options *o = run->options;

	if (!options_have(o, "level-name") ||
		strcmp(o->level_name, a->lock.level.name) == 0)
		return RC_OK;
	return err_set(e, RC_USAGE, 0,
		"%s: --level-name %s: %s is about level %s; another level has a lock of "
		"its own: --lock FILE",
		o->verb->name, o->level_name, a->path, a->lock.level.name);
}

static enum rc targets_add(struct options *o, const struct lock_option *kept,
	struct arena *arena, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < kept->words.count && rc == RC_OK; i++)
		if (!texts_have(&o->targets, kept->words.item[i]))
			rc = texts_add(&o->targets, kept->words.item[i], arena, e);
	return rc;
}

static enum rc options_take(struct run *run, const struct agreement *a, struct err *e)
{
	struct options *o = arena_alloc(&run->arena, 1, sizeof(*o));
	enum rc rc = check_name(run, a, e);

	if (!o)
		return err_memory(e);
	*o = *run->options;
	for (size_t i = 0; i < a->lock.option_count && rc == RC_OK; i++) {
		const struct lock_option *kept = &a->lock.options[i];

		if (!options_have(run->options, kept->name))
			rc = options_put(o, kept->name, &kept->words, &run->arena, e);
		else if (strcmp(kept->name, "target") == 0)
			rc = targets_add(o, kept, &run->arena, e);
	}
	run->options = o;
	run->report.level_name = o->level_name;
	return rc;
}

/* ---- reading */

static enum rc one_read(struct run *run, struct agreement *a, struct err *e)
{
	enum rc rc = lock_read(a->path, &run->arena, &a->lock, &a->exists, e);

	if (rc == RC_OK && a->exists)
		rc = level_read(run, a, e);
	if (rc == RC_OK && !a->exists && verb_needs_lock(run))
		return err_set(e, RC_INPUT, 0,
			"%s: there is no such lock; cpuherd negotiate makes one, --lock "
			"FILE names another",
			a->path);
	return rc;
}

static enum rc paths_take(struct run *run, struct err *e)
{
	const struct texts *paths = &run->options->locks;
	bool several = run->options->verb->bit == FOR_ADMIT;
	size_t count = paths->count ? paths->count : 1;

	if (count > 1 && !several)
		return err_set(e, RC_USAGE, 0, "%s: --lock twice: it has one lock",
			run->options->verb->name);
	run->agreements = arena_alloc(&run->arena, count, sizeof(*run->agreements));
	if (!run->agreements)
		return err_memory(e);
	for (size_t i = 0; i < count; i++)
		run->agreements[i].path = paths->count ? paths->item[i] : default_path;
	if (strcmp(run->agreements[0].path, "none") != 0)
		run->agreement_count = count;
	else if (!(run->options->verb->bit & (FOR_NEGOTIATE | FOR_TRIALS)))
		return err_set(e, RC_USAGE, 0, "%s: there is nothing to do --lock none",
			run->options->verb->name);
	return RC_OK;
}

enum rc agreement_read(struct run *run, struct err *e)
{
	const struct options *o = run->options;
	enum rc rc = verb_has_lock(run) ? paths_take(run, e) : RC_OK;

	/* what it would say does not matter, and it may be what cannot be read */
	if (rc == RC_OK && o->upgrade && run->agreement_count == 0)
		return err_set(e, RC_USAGE, 0, "%s: --upgrade of what, with --lock none?",
			o->verb->name);
	for (size_t i = 0; i < run->agreement_count && rc == RC_OK; i++)
		rc = one_read(run, &run->agreements[i], e);
	if (rc != RC_OK || run->agreement_count == 0 || !run->agreements[0].exists)
		return rc;
	if (!o->upgrade)
		run->agreed = &run->agreements[0];
	return o->verb->bit & (FOR_ADMIT | FOR_TRIALS)
		       ? RC_OK
		       : options_take(run, &run->agreements[0], e);
}

/* ---- nodes */

enum rc agreement_add_nodes(struct run *run, struct err *e)
{
	const struct agreement *a = run->agreed;
	enum rc rc = RC_OK;

	if (!a || !(run->options->verb->bit & (FOR_CHECK | FOR_TRIALS)))
		return RC_OK;
	for (size_t i = 0; i < a->lock.node_count && rc == RC_OK; i++)
		rc = inventory_add_argument(
			&run->inventory, a->lock.nodes[i].name, &run->arena, e);
	return rc;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Of the lock's nodes, those that are neither in the sorted names nor dropped. */
static enum rc find_missing(struct run *run, const struct lock *lock, const char **names,
	const struct inventory *dropped, struct texts *out, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < lock->node_count && rc == RC_OK; i++) {
		const char *name = lock->nodes[i].name;
		bool is_dropped = false;

		if (run->inventory.count && bsearch(&name, names, run->inventory.count,
						    sizeof(*names), by_name))
			continue;
		for (size_t d = 0; d < dropped->count && !is_dropped; d++)
			is_dropped = strcmp(dropped->nodes[d].name, name) == 0;
		if (!is_dropped)
			rc = texts_add(out, name, &run->arena, e);
	}
	return rc;
}

static enum rc check_dropped(const struct run *run, const struct agreement *a,
	const char **names, struct inventory *dropped, struct arena *arena, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < run->options->drop.count && rc == RC_OK; i++)
		rc = inventory_add_argument(
			dropped, run->options->drop.item[i], arena, e);
	for (size_t i = 0; i < dropped->count && rc == RC_OK; i++) {
		const char *name = dropped->nodes[i].name;

		if (!lock_find_node(&a->lock, name))
			rc = err_set(e, RC_USAGE, 0, "--drop %s: %s does not have it",
				name, a->path);
		else if (bsearch(&name, names, run->inventory.count, sizeof(*names),
				 by_name))
			rc = err_set(e, RC_USAGE, 0,
				"--drop %s: it is a node of this run as well", name);
	}
	return rc;
}

/* Whoever is not in the lock was never agreed with. */
static enum rc check_known(
	const struct run *run, const struct agreement *a, struct err *e)
{
	for (size_t i = 0; i < run->inventory.count; i++)
		if (!lock_find_node(&a->lock, run->inventory.nodes[i].name))
			return err_set(e, RC_USAGE, 0,
				"%s is not in %s: cpuherd admit judges new nodes",
				run->inventory.nodes[i].name, a->path);
	return RC_OK;
}

/* Trials of other nodes than the lock's are of a level that these would agree on. */
static enum rc trials_choose_level(
	struct run *run, const struct agreement *a, struct err *e)
{
	enum rc rc = check_known(run, a, e);

	if (rc == RC_OK)
		return options_take(run, a, e);
	if (options_have(run->options, "lock"))
		return rc;
	run->agreed = NULL;
	return RC_OK;
}

/* negotiate --upgrade: a node that is not asked would be left on a level that nobody has
 * on record. */
static enum rc check_all_there(struct run *run, const struct agreement *a,
	const struct texts *missing, struct err *e)
{
	const char *names;

	if (!missing->count || !run->options->upgrade)
		return RC_OK;
	names = texts_join(missing, 4, &run->arena);
	return err_set(e, RC_USAGE, 0,
		"--upgrade makes a new level for all nodes of %s: name %s as well, or "
		"take "
		"them out of it by --drop",
		a->path, names ? names : "all");
}

/* What is written is the lock's, and not a node's: the others would be found without it
 * from now on. */
static enum rc check_same_options(struct run *run, const struct agreement *a,
	const struct texts *missing, struct err *e)
{
	const char *names, *option = NULL;
	enum rc rc = RC_OK;

	if (missing->count && run->options->verb->bit == FOR_NEGOTIATE)
		rc = agreement_find_change(run, &a->lock, &option, e);
	if (rc != RC_OK || !option)
		return rc;
	names = texts_join(missing, 4, &run->arena);
	return err_set(e, RC_USAGE, 0,
		"--%s is not that of %s, which is for all its nodes: name %s as well, "
		"take them out of it by --drop, or keep another one by --lock FILE",
		option, a->path, names ? names : "all");
}

enum rc agreement_check_nodes(struct run *run, struct err *e)
{
	const struct agreement *a = run->agreement_count ? &run->agreements[0] : NULL;
	const char **names = arena_alloc(
		&run->arena, run->inventory.count + 1, sizeof(*names));
	struct inventory dropped = { 0 };
	struct texts missing = { 0 };
	enum rc rc;

	if (!names)
		return err_memory(e);
	if (run->options->drop.count && !(a && a->exists))
		return err_set(e, RC_USAGE, 0, "--drop: there is no lock to drop from");
	if (!a || !a->exists || run->options->verb->bit == FOR_ADMIT)
		return RC_OK;
	if (run->options->verb->bit & FOR_TRIALS)
		return trials_choose_level(run, a, e);
	if (run->options->verb->bit == FOR_CHECK && check_known(run, a, e) != RC_OK)
		return e->code;
	if (run->options->verb->bit == FOR_CHECK && !run->options->from)
		return RC_OK;
	for (size_t i = 0; i < run->inventory.count; i++)
		names[i] = run->inventory.nodes[i].name;
	qsort(names, run->inventory.count, sizeof(*names), by_name);
	rc = check_dropped(run, a, names, &dropped, &run->arena, e);
	if (rc == RC_OK)
		rc = find_missing(run, &a->lock, names, &dropped, &missing, e);
	run->missing = missing;
	if (rc == RC_OK)
		rc = check_all_there(run, a, &missing, e);
	return rc == RC_OK ? check_same_options(run, a, &missing, e) : rc;
}
