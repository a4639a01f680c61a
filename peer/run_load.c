/* Runs that the journal knows: one that is asked for by name, and those in the way. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "peer/notes.h"
#include "peer/run.h"

static enum rc journal_path(const struct run *r, const char *name, struct arena *arena,
	char **path, struct err *e)
{
	*path = arena_format(arena, "%s/runs/%s/%s", r->world.state, name, journal_file);
	return *path ? RC_OK : err_memory(e);
}

/* Fills the run from its folder, opened; *found is false when it has no journal. */
static enum rc read_run(struct run *r, const char *name, bool *found, struct err *e)
{
	struct journal_text text;
	char *path;
	enum rc rc = journal_path(r, name, &r->arena, &path, e);

	*found = false;
	snprintf(r->name, sizeof(r->name), "%s", name);
	if (rc == RC_OK)
		rc = journal_read(r->ground.folder, path, &r->arena, &text, e);
	if (rc != RC_OK || !text.exists)
		return rc;
	rc = notes_read(r, &text, path, e);
	if (rc == RC_OK)
		rc = journal_open(&r->journal, r->ground.folder, &text, e);
	r->world.session = rc == RC_OK && text_ends_with(r->ground.uri, "/session");
	*found = rc == RC_OK;
	return rc;
}

static enum rc restore(struct run *r, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < r->count && rc == RC_OK; i++) {
		const struct change_hands *hands = r->change[i].row->hands;

		if (hands->restore)
			rc = hands->restore(&r->change[i], &r->ground, e);
	}
	return rc;
}

/* A folder without a journal, or a stage that did not come to its end: nothing that
 * others see has changed. */
static enum rc tidy(struct run *r, bool found, bool *changed, struct err *e)
{
	if (!found)
		r->count = 0;
	return run_undo(r, changed, e);
}

/* With the lock: opens the run's folder and brings it back. */
static enum rc open_run(struct run *r, const char *name, bool *tidied, struct err *e)
{
	bool found = false;
	enum rc rc = store_folder(r->store.runs, name, false, &r->ground.folder, e);

	*tidied = false;
	if (rc != RC_OK || r->ground.folder < 0)
		return rc;
	r->open = r->loaded = true;
	rc = read_run(r, name, &found, e);
	if (rc == RC_OK && found)
		rc = restore(r, e);
	if (rc != RC_OK || (found && !r->torn))
		return rc;
	return tidy(r, found, tidied, e);
}

static bool has_folder(int runs, const char *name)
{
	return runs >= 0 && faccessat(runs, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

enum rc run_load(struct run *r, const char *name, bool *tidied, struct err *e)
{
	struct hold_words words = { name, "a later session", "now" };
	enum rc rc;

	*tidied = false;
	if (r->open || !text_is_name(name) || strlen(name) > PLACE_RUN_MAX)
		return RC_OK;
	rc = store_open(&r->store, &r->world, false, e);
	if (rc == RC_OK && has_folder(r->store.runs, name)) {
		rc = hold_take(&r->hold, r->store.state, &words, e);
		if (rc == RC_OK)
			rc = open_run(r, name, tidied, e);
		words = (struct hold_words){ r->name, r->holder, r->since };
		if (rc == RC_OK && r->open)
			rc = hold_take(&r->hold, r->store.state, &words, e);
	}
	if (rc != RC_OK || !r->open)
		run_close(r);
	return rc;
}

/* ---- those in the way */

static enum rc refuse(const struct run *other, struct err *e)
{
	return err_set(e, RC_CONFLICT, 0,
		"run %s of %.200s, begun %.64s, is unfinished here: cpuherd rollback %s "
		"or "
		"cpuherd resume %s",
		other->name, other->holder, other->since, other->name, other->name);
}

/* What could not be put back, as the reason why another run cannot begin. */
static enum rc in_the_way(const char *run, struct err *e)
{
	struct err why = *e;

	return err_set(e, RC_CONFLICT, why.native,
		"what run %s left here is in the way: %.700s", run, why.text);
}

/* Under the lock of r. */
static enum rc clear_one(const struct run *r, const char *name, struct err *e)
{
	struct run other;
	bool tidied;
	enum rc rc;

	run_init(&other, r->site);
	rc = store_open(&other.store, &other.world, false, e);
	if (rc == RC_OK)
		rc = open_run(&other, name, &tidied, e);
	if (rc == RC_OK && other.open && other.forgetting)
		rc = run_finish_forgetting(&other, e);
	else if (rc == RC_OK && other.open)
		rc = refuse(&other, e);
	run_close(&other);
	if (rc == RC_PARTIAL)
		return in_the_way(name, e);
	return rc;
}

enum rc run_clear_others(struct run *r, struct err *e)
{
	struct arena scratch = { 0 };
	struct texts names;
	enum rc rc = store_list(r->store.runs, &scratch, &names, e);

	for (size_t i = 0; i < names.count && rc == RC_OK; i++)
		rc = clear_one(r, names.item[i], e);
	arena_destroy(&scratch);
	return rc;
}

/* ---- what is there? */

enum rc run_describe(
	const struct run *r, struct arena *arena, struct recovered *out, struct err *e)
{
	const char **paths = arena_alloc(arena, r->count, sizeof(*paths));
	enum rc rc = RC_OK;

	if (!paths)
		return err_memory(e);
	for (size_t i = 0; i < r->count && rc == RC_OK; i++)
		rc = change_title(&r->change[i], arena, &paths[i], e);
	*out = (struct recovered){ .state = r->state,
		.run = arena_text(arena, r->name),
		.holder = arena_text(arena, r->holder),
		.since = arena_text(arena, r->since),
		.paths = { paths, r->count } };
	return rc != RC_OK || (out->run && out->holder && out->since) ? rc
								      : err_memory(e);
}

/* Reads without the lock: who holds it may be adding lines. */
static enum rc find_in(struct run *reader, const char *name, struct arena *arena,
	struct recovered *out, struct err *e)
{
	bool found = false;
	enum rc rc = store_folder(
		reader->store.runs, name, false, &reader->ground.folder, e);

	if (rc == RC_OK && reader->ground.folder >= 0)
		rc = read_run(reader, name, &found, e);
	if (rc == RC_OK && found && !reader->torn && !reader->forgetting)
		rc = run_describe(reader, arena, out, e);
	return rc;
}

enum rc run_find(struct run *r, struct arena *arena, struct recovered *out, struct err *e)
{
	struct texts names = { 0 };
	struct store store;
	enum rc rc = store_open(&store, &r->world, false, e);

	*out = (struct recovered){ 0 };
	if (rc == RC_OK && store.runs >= 0)
		rc = store_list(store.runs, arena, &names, e);
	for (size_t i = 0; i < names.count && rc == RC_OK && !out->state; i++) {
		struct run reader;

		run_init(&reader, r->site);
		reader.store.runs = store.runs;
		rc = find_in(&reader, names.item[i], arena, out, e);
		reader.store.runs = -1; /* borrowed */
		run_close(&reader);
	}
	store_close(&store);
	return rc;
}
