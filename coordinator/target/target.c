#include "coordinator/target/target.h"

#include <string.h>

#include "coordinator/target/domains.h"

static const struct target *const targets[] = { &target_stanza, &target_cpu_map,
	&target_domains, &target_nova };

enum { TARGETS = sizeof(targets) / sizeof(targets[0]) };

const struct target *target_at(size_t i)
{
	return i < TARGETS ? targets[i] : NULL;
}

const struct target *target_find(const char *name)
{
	for (size_t i = 0; i < TARGETS; i++)
		if (strcmp(targets[i]->name, name) == 0)
			return targets[i];
	return NULL;
}

enum rc target_add_spot(struct list *spots, enum place place, const char *name,
	struct arena *arena, struct err *e)
{
	struct spot *item = arena_grow(arena, spots->item, spots->count, sizeof(*item));

	if (!item)
		return err_memory(e);
	item[spots->count] = (struct spot){ place, name };
	*spots = (struct list){ item, spots->count + 1 };
	return RC_OK;
}

const struct found *target_found(
	const struct survey *s, enum place place, const char *name)
{
	for (size_t i = 0; i < s->count; i++)
		if (s->spots[i].place == place && strcmp(s->spots[i].name, name) == 0)
			return &s->found[i];
	return NULL;
}

enum rc target_add_edit(const struct planning *p, const struct edit *edit, struct err *e)
{
	struct edits *edits = p->edits;

	edits->item = arena_grow(
		p->arena, edits->item, edits->count, sizeof(*edits->item));
	if (!edits->item)
		return err_memory(e);
	edits->item[edits->count++] = *edit;
	return RC_OK;
}

enum rc target_remark(const struct planning *p, bool warning, const char *about,
	const char *text, struct err *e)
{
	struct target_remarks *r = p->remarks;

	r->item = arena_grow(p->arena, r->item, r->count, sizeof(*r->item));
	if (!text || !r->item)
		return err_memory(e);
	r->item[r->count++] = (struct target_remark){ warning, about, text };
	return RC_OK;
}

static bool same_bytes(struct bytes a, struct bytes b)
{
	return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

bool target_reads_as(const struct edit *edit, struct bytes content)
{
	return edit->place == PLACE_domain ? domains_read_as(edit, content)
					   : same_bytes(content, edit->after);
}

enum rc target_edit_file(const struct planning *p, enum place place, const char *name,
	struct bytes after, struct err *e)
{
	const struct found *found = target_found(p->survey, place, name);
	struct edit edit = { .place = place, .name = name, .after = after };

	if (!found)
		return err_set(e, RC_INTERNAL, 0, "%s was not looked at", name);
	edit.title = found->path;
	edit.machine = "";
	edit.exists = found->exists;
	edit.ours = found->ours;
	if (found->exists) {
		edit.before = found->content;
		edit.expected = found->digest;
	}
	edit.unchanged = found->exists && same_bytes(edit.before, after);
	if (target_add_edit(p, &edit, e) != RC_OK)
		return e->code;
	if (edit.exists && !edit.ours && !edit.unchanged && place_of(place)->owned &&
		!p->request->replace)
		return err_set(e, RC_CONFLICT, 0,
			"%s is not as cpuherd left it: see the difference, keep what is "
			"needed of it elsewhere, and give --replace",
			edit.title);
	return RC_OK;
}
