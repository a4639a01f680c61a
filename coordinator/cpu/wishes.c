#include "coordinator/cpu/wishes.h"

#include <string.h>

#include "coordinator/cpu/near.h"
#include "coordinator/cpu/psabi.h"

enum { FEATURES_SHOWN = 4 };

/* ---- names */

static char plain(char c)
{
	return c == '_' || c == '.' ? '-' : c;
}

static bool same_name(const char *a, const char *b)
{
	if (!a)
		return false;
	while (*a && plain(*a) == plain(*b))
		a++, b++;
	return *a == *b;
}

int wishes_find_feature(const char *word)
{
	int row = catalogue_find_row(word);

	for (size_t i = 0; i < catalogue_feature_rows() && row < 0; i++)
		if (same_name(catalogue_feature(NULL, i)->name, word))
			row = (int)i;
	for (size_t i = 0; i < catalogue_feature_rows() && row < 0; i++)
		if (same_name(catalogue_feature(NULL, i)->qemu, word) ||
			same_name(catalogue_feature(NULL, i)->linux_name, word))
			row = (int)i;
	return row;
}

static const char *feature_name_at(size_t i)
{
	return i < catalogue_feature_rows() ? catalogue_feature(NULL, i)->name : NULL;
}

static const char *model_name_at(size_t i)
{
	return i < catalogue_model_count() ? catalogue_model(i)->name : NULL;
}

enum rc wishes_add_feature(struct bitset *set, const char *option, const char *word,
	struct arena *arena, struct err *e)
{
	int row = wishes_find_feature(word);

	if (row < 0)
		return err_set(e, RC_USAGE, 0,
			"%s %.64s: no feature of that name is known%s", option, word,
			near_names(feature_name_at, word, arena));
	bitset_add(set, (size_t)row);
	return RC_OK;
}

enum rc wishes_set_model(
	struct wishes *w, const char *name, struct arena *arena, struct err *e)
{
	w->model = catalogue_find_model(name);
	if (!w->model)
		return err_set(e, RC_USAGE, 0, "--model %.64s: %s knows no such model%s",
			name, catalogue_source(), near_names(model_name_at, name, arena));
	return RC_OK;
}

enum rc wishes_set_at_least(
	struct wishes *w, const char *name, struct arena *arena, struct err *e)
{
	if (!psabi_find(name) && !catalogue_find_model(name))
		return err_set(e, RC_USAGE, 0,
			"--at-least %.64s: it is neither x86-64-v1 to x86-64-v4 nor a "
			"model of %s%s",
			name, catalogue_source(), near_names(model_name_at, name, arena));
	w->at_least = name;
	return RC_OK;
}

/* ---- what they come to */

static bool can_be_given(const struct feature_row *row)
{
	return row->migratable && row->qemu;
}

/* What some QEMU of the virt type that has the model means by it; all where none has. */
static struct bitset qemus_of(const struct model_row *m, enum virt_type virt)
{
	struct bitset any = { { 0 } };
	bool found = false;

	for (size_t s = 0; s < catalogue_source_count(); s++) {
		struct bitset features, off;

		if (!catalogue_source_row(s)->is_qemu ||
			!catalogue_define_model(m, s, virt, &features))
			continue;
		off = catalogue_groundless(&features, 1u << s);
		features = bitset_minus(&features, &off);
		any = bitset_or(&any, &features);
		found = true;
	}
	return found ? any : feature_list_set(m->features);
}

struct bitset wishes_floor(const char *at_least, enum virt_type virt)
{
	const struct model_row *m = catalogue_find_model(at_least);
	size_t level = psabi_find(at_least);
	struct bitset floor = { { 0 } }, given;

	if (level)
		return psabi_features(level);
	if (!m)
		return floor;
	floor = feature_list_set(m->features);
	given = qemus_of(m, virt);
	floor = bitset_and(&floor, &given);
	for (size_t bit = bitset_next(&floor, 0); bit < catalogue_feature_rows();
		bit = bitset_next(&floor, bit + 1))
		if (!can_be_given(catalogue_feature(NULL, bit)))
			bitset_remove(&floor, bit);
	return floor;
}

struct bitset wishes_required(const struct wishes *w, enum virt_type virt)
{
	struct bitset floor = { { 0 } };

	if (w->at_least)
		floor = wishes_floor(w->at_least, virt);
	return bitset_or(&floor, &w->required);
}

struct bitset wishes_taken_out(const struct wishes *w)
{
	struct bitset out = bitset_or(&w->excluded, &w->voted);

	return bitset_or(&out, &w->unsafe);
}

/* ---- why not */

static bool find_lacking(
	const struct offer *offers, size_t n, size_t feature, bool *lacking)
{
	bool found = false;

	for (size_t i = 0; i < n; i++) {
		lacking[i] = !bitset_has(&offers[i].features, feature) &&
			     !bitset_has(&offers[i].floating, feature);
		found = found || lacking[i];
	}
	return found;
}

const char *wishes_why_not(const struct offer *offers, size_t n, const struct wishes *w,
	size_t feature, bool *lacking)
{
	const struct feature_row *row = catalogue_feature(NULL, feature);

	memset(lacking, 0, n * sizeof(*lacking));
	if (row && !row->migratable)
		return "a guest that has it cannot migrate";
	if (row && !row->qemu)
		return "QEMU can give it to no guest";
	if (find_lacking(offers, n, feature, lacking))
		return "not offered by every node";
	if (bitset_has(&w->excluded, feature))
		return "--without takes it out";
	if (bitset_has(&w->voted, feature))
		return "it was voted out";
	if (bitset_has(&w->unsafe, feature))
		return "beside its flag it differs between the nodes";
	return "it means nothing without another feature that was taken out";
}

/* "avx2 (not offered by n02, n03)" */
static const char *describe(const struct catalogue *c, const struct offer *offers,
	size_t n, const struct wishes *w, size_t feature, struct arena *arena)
{
	bool *lacking = arena_alloc(arena, n, sizeof(*lacking));
	const char *why, *nodes;

	if (!lacking)
		return NULL;
	why = wishes_why_not(offers, n, w, feature, lacking);
	nodes = offers_name(offers, n, lacking, arena);
	if (!nodes[0])
		return arena_format(arena, "%s (%s)", catalogue_name(c, feature), why);
	return arena_format(
		arena, "%s (not offered by %s)", catalogue_name(c, feature), nodes);
}

enum rc wishes_check(const struct catalogue *c, const struct offer *offers, size_t n,
	enum virt_type virt, const struct wishes *w, const struct bitset *baseline,
	struct arena *arena, struct err *e)
{
	struct bitset missing = wishes_required(w, virt);
	const char *text = "";
	size_t shown = 0, count;

	missing = bitset_minus(&missing, baseline);
	count = bitset_count(&missing);
	if (count == 0)
		return RC_OK;
	for (size_t bit = bitset_next(&missing, 0);
		bit < BITSET_BITS && shown < FEATURES_SHOWN;
		bit = bitset_next(&missing, bit + 1)) {
		const char *one = describe(c, offers, n, w, bit, arena);

		text = one ? arena_format(arena, "%s%s%s", text, shown++ ? "; " : "", one)
			   : NULL;
		if (!text)
			return err_memory(e);
	}
	if (count > shown)
		text = arena_format(arena, "%s; and %zu more", text, count - shown);
	return err_set(e, RC_LEVEL, 0,
		"the level cannot hold what is asked of it%s%s: %s",
		w->at_least ? ", at least " : "", w->at_least ? w->at_least : "",
		text ? text : "");
}
