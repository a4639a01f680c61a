/* The first step of a run: everything is checked, noted, prepared and judged; or nothing
 * is left. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "peer/notes.h"
#include "peer/run.h"
#include "peer/unit.h"
#include "proto/limits.h"
#include "proto/virt.h"

enum { HOLDER_MAX = 256, GUEST_TEXT_MAX = 4096 };

/* ---- what was asked for */

static enum rc check_change(const struct change *all, size_t i, struct err *e)
{
	const struct change *c = &all[i];
	const struct change_row *row = change_of(c->place);

	if (!row)
		return err_set(e, RC_PLACE, 0, "there is no place number %u", c->place);
	if (!row->hands)
		return err_set(e, RC_TARGET, 0, "this cpuherd-peer cannot write a %s",
			place_of(c->place)->name);
	if (!text_is_name(c->name))
		return err_set(
			e, RC_PLACE, 0, "\"%.64s\" is no name for a file", c->name);
	for (size_t k = 0; k < i; k++)
		if (all[k].place == c->place && strcmp(all[k].name, c->name) == 0)
			return err_set(e, RC_PROTOCOL, 0,
				"two changes of one run for %s %s",
				place_of(c->place)->name, c->name);
	return RC_OK;
}

/* What the journal could not hold: all of it is one line there. */
static enum rc check_guest_and_units(const struct stage *s, struct err *e)
{
	const char *const texts[] = { s->emulator, s->arch, s->machine };

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (texts[i] && strlen(texts[i]) > GUEST_TEXT_MAX)
			return err_set(e, RC_LIMIT, 0,
				"the name of an emulator, an architecture or a machine "
				"has more than %d bytes",
				GUEST_TEXT_MAX);
	for (size_t i = 0; i < s->units.count; i++)
		for (size_t k = 0; k < i; k++)
			if (strcmp(s->units.item[i], s->units.item[k]) == 0)
				return err_set(e, RC_PROTOCOL, 0,
					"service \"%.32s\" twice in one run",
					s->units.item[i]);
	return RC_OK;
}

static enum rc check_request(const struct stage *s, struct err *e)
{
	size_t count = s->changes.count;
	enum rc rc = RC_OK;

	if (!text_is_name(s->run) || strlen(s->run) > PLACE_RUN_MAX)
		return err_set(e, RC_PLACE, 0, "\"%.64s\" is no name for a run", s->run);
	if (count < 1 || count > LIMIT_CHANGES)
		return err_set(e, RC_LIMIT, 0, "%zu changes in one run, 1 to %d can be",
			count, LIMIT_CHANGES);
	if (*s->virt_type && virt_of(s->virt_type) == VIRT_COUNT)
		return err_set(e, RC_PROTOCOL, 0, "there is no virt type \"%.32s\"",
			s->virt_type);
	for (size_t i = 0; i < count && rc == RC_OK; i++)
		rc = check_change(s->changes.item, i, e);
	return rc == RC_OK ? check_guest_and_units(s, e) : rc;
}

/* Is it what the run that is known here was staged with? */
static bool asks_the_same(const struct run *r, const struct stage *s)
{
	const struct change *wanted = s->changes.item;

	if (s->changes.count != r->count)
		return false;
	for (size_t i = 0; i < r->count; i++) {
		const struct change_state *c = &r->change[i];
		struct digest d = digest_of(
			wanted[i].content.data, wanted[i].content.size);

		if (wanted[i].place != c->place || strcmp(wanted[i].name, c->name) != 0 ||
			!digest_same(&d, &c->content))
			return false;
	}
	return true;
}

/* ---- a new run */

static enum rc copy_units(struct run *r, const struct texts *units, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < units->count && rc == RC_OK; i++)
		rc = texts_add(
			&r->units, arena_text(&r->arena, units->item[i]), &r->arena, e);
	return rc;
}

/* A copy whose texts live as long as the run. */
static enum rc copy_texts(struct run *r, const struct stage *s, struct err *e)
{
	struct arena *a = &r->arena;
	struct libvirt_guest *guest = &r->ground.guest;
	char *holder = arena_text_n(
		a, s->holder, strnlen(s->holder ? s->holder : "", HOLDER_MAX));
	char since[32];
	time_t now = time(NULL);
	struct tm utc;

	gmtime_r(&now, &utc);
	strftime(since, sizeof(since), "%Y-%m-%dT%H:%M:%SZ", &utc);
	snprintf(r->name, sizeof(r->name), "%s", s->run);
	r->since = arena_text(a, since);
	r->holder = holder;
	*guest = (struct libvirt_guest){ arena_text(a, s->virt_type),
		arena_text(a, s->emulator), arena_text(a, s->arch),
		arena_text(a, s->machine) };
	if (!r->since || !r->holder || !guest->virt_type || !guest->emulator ||
		!guest->arch || !guest->machine)
		return err_memory(e);
	text_make_printable(holder);
	return copy_units(r, &s->units, e);
}

static bool copy_bytes(struct arena *a, struct bytes *b)
{
	b->data = (const uint8_t *)arena_text_n(
		a, b->size ? b->data : (const uint8_t *)"", b->size);
	return b->data != NULL;
}

static enum rc copy_changes(struct run *r, const struct stage *s, struct err *e)
{
	const struct change *from = s->changes.item;
	struct arena *a = &r->arena;
	size_t count = s->changes.count;
	struct change *to = arena_alloc(a, count, sizeof(*to));

	r->change = arena_alloc(a, count, sizeof(*r->change));
	if (!to || !r->change)
		return err_memory(e);
	for (size_t i = 0; i < count; i++) {
		struct change_state *c = &r->change[i];

		to[i] = from[i];
		to[i].name = arena_text(a, from[i].name);
		to[i].machine = arena_text(a, from[i].machine ? from[i].machine : "");
		if (!to[i].name || !to[i].machine || !copy_bytes(a, &to[i].content) ||
			!copy_bytes(a, &to[i].expected))
			return err_memory(e);
		c->index = i;
		c->place = to[i].place;
		c->row = change_of(c->place);
		snprintf(c->name, sizeof(c->name), "%s", to[i].name);
		c->file.folder = -1;
	}
	r->ground.wanted = to;
	r->ground.count = r->count = count;
	return RC_OK;
}

static enum rc plan_one(struct run *r, size_t i, struct err *e)
{
	const struct change *wanted = &r->ground.wanted[i];
	struct change_state *c = &r->change[i];

	if (wanted->expected.size != 0 && wanted->expected.size != DIGEST_BYTES)
		return err_set(e, RC_PROTOCOL, 0, "a digest of %zu bytes",
			wanted->expected.size);
	memcpy(c->expected.byte, wanted->expected.data, wanted->expected.size);
	c->content = digest_of(wanted->content.data, wanted->content.size);
	return c->row->hands->plan ? c->row->hands->plan(c, &r->ground, wanted, e)
				   : RC_OK;
}

static enum rc check_paths_differ(const struct run *r, struct err *e)
{
	for (size_t i = 0; i < r->count; i++)
		for (size_t k = 0; k < i; k++)
			if (*r->change[i].file.path &&
				strcmp(r->change[i].file.path, r->change[k].file.path) ==
					0)
				return err_set(e, RC_PROTOCOL, 0,
					"two changes of one run for %s",
					r->change[i].file.path);
	return RC_OK;
}

/* Nothing is written but the journal. */
static enum rc begin(struct run *r, const struct stage *s, struct err *e)
{
	enum rc rc = copy_changes(r, s, e);

	for (size_t i = 0; i < r->count && rc == RC_OK; i++)
		rc = plan_one(r, i, e);
	if (rc == RC_OK)
		rc = check_paths_differ(r, e);
	if (rc == RC_OK)
		rc = store_folder(r->store.runs, r->name, true, &r->ground.folder, e);
	return rc == RC_OK ? notes_begin(r, e) : rc;
}

static enum rc judge_one(struct run *r, size_t i, struct arena *scratch, struct err *e)
{
	struct change_state *c = &r->change[i];
	struct change_judging j = { &r->ground, c, r->ground.wanted[i].content, false,
		scratch };
	struct change_verdict verdict = { true, "" };
	const char *title;
	enum rc rc = c->row->judge ? c->row->judge(&j, &verdict, e) : RC_OK;

	if (rc == RC_OK)
		rc = change_title(c, scratch, &title, e);
	if (rc == RC_OK && !verdict.accepted)
		return err_set(e, RC_VOTE, 0,
			"%s: the node refuses what shall be written: %s", title,
			verdict.reason);
	return rc;
}

static enum rc prepare(struct run *r, struct arena *scratch, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < r->count && rc == RC_OK; i++)
		rc = r->change[i].row->hands->stage(
			&r->change[i], &r->ground, &r->ground.wanted[i], scratch, e);
	for (size_t i = 0; i < r->count && rc == RC_OK; i++)
		rc = judge_one(r, i, scratch, e);
	if (rc == RC_OK)
		rc = notes_staged(r, e);
	if (rc == RC_OK)
		r->state = RUN_STATE_staged;
	return rc;
}

static enum rc take_node(struct run *r, const struct stage *s, struct err *e)
{
	struct hold_words words;
	enum rc rc = store_open(&r->store, &r->world, true, e);

	if (rc == RC_OK)
		rc = copy_texts(r, s, e);
	words = (struct hold_words){ r->name, r->holder, r->since };
	if (rc == RC_OK)
		rc = hold_take(&r->hold, r->store.state, &words, e);
	return rc == RC_OK ? run_clear_others(r, e) : rc;
}

static enum rc stage_first(
	struct run *r, const struct stage *s, struct arena *scratch, struct err *e)
{
	enum rc rc = take_node(r, s, e);
	bool changed = false;
	struct err why;

	if (rc != RC_OK) {
		run_close(r);
		return rc;
	}
	r->open = true;
	r->linger = s->linger;
	rc = begin(r, s, e);
	if (rc == RC_OK)
		rc = prepare(r, scratch, e);
	/* what cannot be undone now can be undone from the journal */
	if (rc != RC_OK && run_undo(r, &changed, &why) != RC_OK)
		run_close(r);
	return rc;
}

/* ---- the answer */

static enum rc tell(
	const struct run *r, struct arena *arena, struct staged *out, struct err *e)
{
	struct staging *staging = arena_alloc(arena, r->count, sizeof(*staging));
	enum rc rc = staging ? RC_OK : err_memory(e);

	for (size_t i = 0; i < r->count && rc == RC_OK; i++) {
		staging[i].unchanged = r->change[i].unchanged;
		rc = change_title(&r->change[i], arena, &staging[i].path, e);
	}
	*out = (struct staged){ { staging, r->count } };
	return rc;
}

enum rc run_stage(struct run *r, const struct stage *request, struct arena *arena,
	struct staged *out, struct err *e)
{
	bool tidied;
	enum rc rc = check_request(request, e);

	if (rc == RC_OK)
		rc = unit_check(&r->world, &request->units, e);
	if (rc == RC_OK)
		rc = run_load(r, request->run, &tidied, e);
	if (rc == RC_OK && !r->open)
		rc = stage_first(r, request, arena, e);
	else if (rc == RC_OK &&
		 (strcmp(r->name, request->run) != 0 || !asks_the_same(r, request)))
		rc = err_set(e, RC_CONFLICT, 0,
			"run %s is still under way here, with other content", r->name);
	return rc == RC_OK ? tell(r, arena, out, e) : rc;
}
