/* What goes on with the CPU that it has: a definition is for the next start. */
#include "coordinator/target/domains.h"

#include <string.h>

#include "base/text.h"
#include "coordinator/cpu/domaincpu.h"
#include "coordinator/cpu/names.h"
#include "proto/texts.h"

enum { NAMES_SHOWN = 5, FEATURES_SHOWN = 4, EXCEEDING_SHOWN = 10 };

struct running {
	struct texts other; /* those that run with another CPU */
	struct texts saved; /* those whose saved state has the CPU of then */
	size_t exceeding;
};

static enum rc add_name(
	struct texts *list, const struct domain *d, struct arena *arena, struct err *e)
{
	char *name = arena_format(arena, "\"%s\"", d->name);

	if (name)
		text_make_printable(name);
	return texts_add(list, name, arena, e);
}

/* Beyond the level, but for what no level can say. */
static struct bitset excess(const struct level *l, const struct bitset *features)
{
	struct bitset rest = bitset_minus(features, &l->baseline);

	return bitset_minus(&rest, &l->unsaid);
}

static bool is_level(const struct level *l, const struct domaincpu_live *live)
{
	struct bitset more = excess(l, &live->features);

	return live->known && strcmp(live->model, l->model) == 0 &&
	       bitset_is_empty(&more) && bitset_is_subset(&l->baseline, &live->features);
}

static enum rc remark_excess(const struct planning *p, const struct domain *d,
	const struct bitset *more, struct err *e)
{
	struct texts names = names_of(p->request->catalogue, more, p->arena);
	const char *title = domains_title(d, p->arena), *some;

	if (!names.item || !title)
		return err_memory(e);
	some = texts_join(&names, FEATURES_SHOWN, p->arena);
	if (!some)
		return err_memory(e);
	return target_remark(p, true, "domains",
		arena_format(p->arena,
			"%s runs with more than the level has (%s): until it is shut "
			"down "
			"and started again it cannot migrate to every node",
			title, some),
		e);
}

static enum rc look_at_live(const struct planning *p, const struct domain *d,
	struct running *r, struct err *e)
{
	const struct level *l = p->request->level;
	const char *title = domains_title(d, p->arena);
	struct domaincpu_live live;
	struct bitset more;

	if (!title)
		return err_memory(e);
	if (domaincpu_read_live(p->request->catalogue, d->live_cpu, title, l->virt,
		    p->survey->offer, p->arena, &live, e) != RC_OK)
		return e->code;
	if (is_level(l, &live))
		return RC_OK;
	if (add_name(&r->other, d, p->arena, e) != RC_OK)
		return e->code;
	more = excess(l, &live.features);
	if (bitset_is_empty(&more) || r->exceeding++ >= EXCEEDING_SHOWN)
		return RC_OK;
	return remark_excess(p, d, &more, e);
}

/* "domain "a"" or "domains "a", "b" and 3 more". */
static enum rc remark_all(const struct planning *p, const struct texts *names,
	const char *one, const char *many, struct err *e)
{
	const char *list = texts_join(names, NAMES_SHOWN, p->arena);
	bool is_one = names->count == 1;

	if (!names->count)
		return RC_OK;
	if (!list)
		return err_memory(e);
	return target_remark(p, false, "domains",
		arena_format(p->arena, "domain%s %s %s", is_one ? "" : "s", list,
			is_one ? one : many),
		e);
}

static enum rc remark_hidden(
	const struct planning *p, const struct running *r, struct err *e)
{
	if (r->exceeding <= EXCEEDING_SHOWN)
		return RC_OK;
	return target_remark(p, true, "domains",
		arena_format(p->arena, "and %zu more run with more than the level has",
			r->exceeding - EXCEEDING_SHOWN),
		e);
}

enum rc domains_remark_on_running(const struct planning *p,
	const struct domain *const *chosen, size_t count, struct err *e)
{
	struct running r = { 0 };
	enum rc rc = RC_OK;

	for (size_t i = 0; i < count && rc == RC_OK; i++)
		if (chosen[i]->live_cpu[0])
			rc = look_at_live(p, chosen[i], &r, e);
		else if (chosen[i]->saved)
			rc = add_name(&r.saved, chosen[i], p->arena, e);
	if (rc == RC_OK)
		rc = remark_hidden(p, &r, e);
	if (rc == RC_OK)
		rc = remark_all(p, &r.other,
			"runs with another CPU until it is shut down and started again",
			"run with another CPU until they are shut down and started again",
			e);
	return rc != RC_OK
		       ? rc
		       : remark_all(p, &r.saved,
				 "goes on from its saved state with the CPU of then",
				 "go on from their saved states with the CPUs of then",
				 e);
}
