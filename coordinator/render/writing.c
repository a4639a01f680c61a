#include "coordinator/render/writing.h"

#include "proto/texts.h"

enum rc writing_note(struct writing *w, const char *text, struct err *e)
{
	return texts_add(w->notes, text, w->arena, e);
}

static size_t count_policy(const struct level *l, enum policy policy)
{
	size_t count = 0;

	for (size_t i = 0; i < l->feature_count; i++)
		count += l->features[i].policy == policy;
	return count;
}

void writing_heading(struct writing *w)
{
	const struct level *l = w->level;

	PUT(w, "# CPU level %s, written by cpuherd %s: %s +%zu -%zu\n", w->request->name,
		CPUHERD_VERSION, l->model, count_policy(l, POLICY_REQUIRE),
		count_policy(l, POLICY_DISABLE));
	PUT(w, "# for %s guests%s%s.\n", virt_names[l->virt],
		l->vendor[0] ? " on hosts of vendor " : "; it states no vendor",
		l->vendor);
	for (size_t i = 0; i < w->request->doubts.count; i++)
		PUT(w, "# Warning: %s\n", w->request->doubts.item[i]);
	for (size_t i = 0; i < w->notes->count; i++)
		PUT(w, "# Note: %s\n", w->notes->item[i]);
}

void writing_flags(struct writing *w, const char *on, const char *off, char separator)
{
	const struct level *l = w->level;

	for (size_t i = 0; i < l->feature_count; i++) {
		bool is_on = l->features[i].policy == POLICY_REQUIRE;

		if (i)
			PUT(w, "%c", separator);
		PUT(w, "%s%s", is_on ? on : off, l->features[i].name);
	}
}

enum rc writing_note_maxphysaddr(struct writing *w, const char *instead, struct err *e)
{
	if (!w->level->maxphysaddr)
		return RC_OK;
	return writing_note(w,
		arena_format(w->arena, "maxphysaddr %u is not said here: %s",
			w->level->maxphysaddr, instead),
		e);
}
