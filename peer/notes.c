#include "peer/notes.h"

#include <stdio.h>
#include <string.h>

#include "proto/limits.h"

static const char word_forgetting[] = "forgetting", word_restarting[] = "restarting";

/* ---- writing */

static void put_mark(struct journal_draft *d, const struct place_mark *m)
{
	journal_number(d, "inode", m->inode);
	journal_number(d, "size", m->size);
	journal_number(d, "seconds", m->seconds);
	journal_number(d, "nanoseconds", m->nanoseconds);
}

static void put_run(struct journal_draft *d, const struct run *r)
{
	journal_word(d, "run");
	journal_text(d, "name", r->name);
	journal_text(d, "holder", r->holder);
	journal_text(d, "since", r->since);
	journal_text(d, "uri", r->ground.uri);
	journal_text(d, "virt_type", r->ground.guest.virt_type);
	journal_text(d, "emulator", r->ground.guest.emulator);
	journal_text(d, "arch", r->ground.guest.arch);
	journal_text(d, "machine", r->ground.guest.machine);
	for (size_t i = 0; i < r->units.count; i++)
		journal_text(d, "unit", r->units.item[i]);
	journal_number(d, "linger", r->linger);
	journal_number(d, "changes", r->count);
}

static void put_change(struct journal_draft *d, const struct change_state *c)
{
	journal_word(d, "change");
	journal_number(d, "place", c->place);
	journal_text(d, "name", c->name);
	journal_text(d, "path", c->file.path);
	journal_number(d, "base", c->file.base);
	journal_number(d, "had_old", c->file.had_old);
	journal_digest(d, "expected", &c->expected);
	journal_digest(d, "content", &c->content);
	journal_number(d, "makes", c->file.makes);
	put_mark(d, &c->file.old);
}

static void put_staged(struct journal_draft *d, const struct change_state *c)
{
	journal_word(d, "staged");
	journal_number(d, "index", c->index);
	journal_number(d, "unchanged", c->unchanged);
	journal_number(d, "makes", c->file.makes);
	put_mark(d, &c->file.installed);
}

static enum rc append(struct run *r, struct journal_draft *d, struct err *e)
{
	enum rc rc = journal_append(&r->journal, d, e);

	buf_destroy(&d->text);
	return rc;
}

enum rc notes_begin(struct run *r, struct err *e)
{
	struct journal_draft d = journal_draft();
	enum rc rc;

	put_run(&d, r);
	for (size_t i = 0; i < r->count; i++)
		put_change(&d, &r->change[i]);
	rc = journal_create(&r->journal, r->ground.folder, &d, e);
	buf_destroy(&d.text);
	return rc;
}

static void put_state(struct journal_draft *d, const char *name)
{
	journal_word(d, "state");
	journal_text(d, "is", name);
}

enum rc notes_staged(struct run *r, struct err *e)
{
	struct journal_draft d = journal_draft();

	for (size_t i = 0; i < r->count; i++)
		put_staged(&d, &r->change[i]);
	put_state(&d, run_state_name(RUN_STATE_staged));
	return append(r, &d, e);
}

static enum rc note_word(struct run *r, const char *word, struct err *e)
{
	struct journal_draft d = journal_draft();

	put_state(&d, word);
	return append(r, &d, e);
}

enum rc notes_state(struct run *r, enum run_state state, struct err *e)
{
	return note_word(r, run_state_name(state), e);
}

enum rc notes_restarting(struct run *r, struct err *e)
{
	return note_word(r, word_restarting, e);
}

enum rc notes_forgetting(struct run *r, struct err *e)
{
	return note_word(r, word_forgetting, e);
}

/* ---- reading */

static bool get_flag(const struct journal_line *l, const char *key, bool *out)
{
	uint64_t number;

	if (!journal_get_number(l, key, &number) || number > 1)
		return false;
	*out = number;
	return true;
}

static bool get_size(const struct journal_line *l, const char *key, size_t *out)
{
	uint64_t number;

	if (!journal_get_number(l, key, &number) || number > SIZE_MAX)
		return false;
	*out = number;
	return true;
}

static bool get_mark(const struct journal_line *l, struct place_mark *m)
{
	return journal_get_number(l, "inode", &m->inode) &&
	       journal_get_number(l, "size", &m->size) &&
	       journal_get_number(l, "seconds", &m->seconds) &&
	       journal_get_number(l, "nanoseconds", &m->nanoseconds);
}

/* "" for what is not there; *good becomes false. */
static const char *get_text(const struct journal_line *l, const char *key, bool *good)
{
	const char *text = journal_get(l, key);

	*good = *good && text;
	return text ? text : "";
}

/* Every field of that key. */
static bool get_texts(const struct journal_line *l, const char *key, struct arena *arena,
	struct texts *out)
{
	*out = (struct texts){ 0 };
	for (const char **f = l->fields; *f; f += 2) {
		const char **grown;

		if (strcmp(f[0], key) != 0)
			continue;
		grown = arena_grow(arena, out->item, out->count, sizeof(*grown));
		if (!grown)
			return false;
		grown[out->count++] = f[1];
		out->item = grown;
	}
	return true;
}

static bool take_run(struct run *r, const struct journal_line *l)
{
	struct libvirt_guest *guest = &r->ground.guest;
	bool good = strcmp(l->word, "run") == 0;

	if (!good || strcmp(get_text(l, "name", &good), r->name) != 0)
		return false;
	r->holder = get_text(l, "holder", &good);
	r->since = get_text(l, "since", &good);
	r->ground.uri = get_text(l, "uri", &good);
	guest->virt_type = get_text(l, "virt_type", &good);
	guest->emulator = get_text(l, "emulator", &good);
	guest->arch = get_text(l, "arch", &good);
	guest->machine = get_text(l, "machine", &good);
	return good && get_flag(l, "linger", &r->linger) &&
	       get_size(l, "changes", &r->count) && r->count <= LIMIT_CHANGES &&
	       get_texts(l, "unit", &r->arena, &r->units);
}

static bool take_path(struct placing *p, const struct journal_line *l)
{
	bool good = true;
	const char *path = get_text(l, "path", &good);

	if (!good || strlen(path) >= sizeof(p->path) || !get_size(l, "base", &p->base))
		return false;
	if (*path == '\0')
		return true; /* it is no file */
	if (*path != '/' || strlen(strrchr(path, '/') + 1) > NAME_MAX)
		return false;
	place_name(p, path);
	return true;
}

static bool take_change(struct change_state *c, const struct journal_line *l)
{
	struct placing *p = &c->file;
	bool good = strcmp(l->word, "change") == 0;
	const char *name = get_text(l, "name", &good);
	size_t place;

	p->folder = -1;
	if (!good || strlen(name) >= sizeof(c->name) || !get_size(l, "place", &place))
		return false;
	c->place = (uint32_t)place;
	c->row = change_of(c->place);
	snprintf(c->name, sizeof(c->name), "%s", name);
	good = c->row && c->row->hands && take_path(p, l) &&
	       get_flag(l, "had_old", &p->had_old) &&
	       journal_get_digest(l, "expected", &c->expected) &&
	       journal_get_digest(l, "content", &c->content) &&
	       get_size(l, "makes", &p->makes) && get_mark(l, &p->old);
	p->expected = c->expected;
	p->staged = c->content;
	p->state = PLACE_STAGED;
	return good;
}

static bool take_staged(struct run *r, const struct journal_line *l)
{
	struct change_state *c;
	size_t index;

	if (!get_size(l, "index", &index) || index >= r->count)
		return false;
	c = &r->change[index];
	return get_flag(l, "unchanged", &c->unchanged) &&
	       get_size(l, "makes", &c->file.makes) && get_mark(l, &c->file.installed);
}

static bool take_state(struct run *r, const struct journal_line *l)
{
	const char *name = journal_get(l, "is");

	if (!name)
		return false;
	r->torn = false;
	r->forgetting = strcmp(name, word_forgetting) == 0;
	if (r->forgetting)
		return true;
	if (strcmp(name, word_restarting) == 0)
		return r->restarted = true;
	for (uint32_t i = RUN_STATE_staged; i < RUN_STATE_COUNT; i++)
		if (strcmp(run_state_name(i), name) == 0)
			return r->state = (enum run_state)i, true;
	return false;
}

static bool take_later(struct run *r, const struct journal_line *l)
{
	if (strcmp(l->word, "staged") == 0)
		return take_staged(r, l);
	return strcmp(l->word, "state") == 0 && take_state(r, l);
}

/* What the state means for each change. */
static void settle(struct run *r)
{
	for (size_t i = 0; i < r->count; i++) {
		struct change_state *c = &r->change[i];

		c->committed = r->state >= RUN_STATE_committing;
		if (c->unchanged)
			c->file.state = PLACE_UNCHANGED;
		else if (c->committed)
			c->file.state = PLACE_COMMITTED;
	}
}

static enum rc refuse(struct run *r, const char *path, size_t line, struct err *e)
{
	r->count = 0;
	return err_set(e, RC_CONFLICT, 0,
		"%s is damaged in line %zu: look at the files that it names and "
		"their .cpuherd-old, then remove its folder",
		path, line);
}

enum rc notes_read(
	struct run *r, const struct journal_text *text, const char *path, struct err *e)
{
	size_t line = 0;
	bool good = text->count > 0 && take_run(r, &text->line[line++]) &&
		    r->count < text->count;

	r->torn = true;
	r->change = arena_alloc(&r->arena, good ? r->count : 0, sizeof(*r->change));
	if (!r->change)
		return err_memory(e);
	for (size_t i = 0; good && i < r->count; i++) {
		r->change[i].index = i;
		good = take_change(&r->change[i], &text->line[line++]);
	}
	for (; good && line < text->count; line++)
		good = take_later(r, &text->line[line]);
	if (!good)
		return refuse(r, path, line, e);
	settle(r);
	return RC_OK;
}
