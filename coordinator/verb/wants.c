#include "coordinator/verb/wants.h"

#include <string.h>

#include "base/text.h"
#include "coordinator/cpu/wishes.h"
#include "proto/texts.h"

static bool verb_has_level(const struct run *run)
{
	return (run->options->verb->bit & FOR_LEVEL) && !run->options->cpu;
}

/* ---- words joined by commas */

typedef enum rc word_user(struct run *run, const char *word, struct err *e);

/* Each word by itself, so that none passes unnoticed beside another that is known. */
static enum rc each_word(struct run *run, const char *option, const char *text,
	word_user *use, struct err *e)
{
	enum rc rc = RC_OK;

	for (const char *at = text; rc == RC_OK; at++) {
		size_t length = inventory_word_length(at);
		const char *word = arena_text_n(&run->arena, at, length);

		if (length == 0)
			return err_set(e, RC_USAGE, 0, "%s %.64s: an empty word in it",
				option, text);
		rc = word ? use(run, word, e) : err_memory(e);
		at += length;
		if (*at == '\0')
			break;
	}
	return rc;
}

/* ---- of the level */

static enum rc require_feature(struct run *run, const char *word, struct err *e)
{
	return wishes_add_feature(
		&run->wishes.required, "--require", word, &run->arena, e);
}

static enum rc read_preference(struct run *run, struct err *e)
{
	const struct options *o = run->options;

	if (!o->prefer)
		return RC_OK;
	if (o->model)
		return err_set(e, RC_USAGE, 0,
			"%s: --model leaves nothing to --prefer; give one of them",
			o->verb->name);
	for (int i = 0; i < PREFERENCES; i++)
		if (strcmp(o->prefer, preference_names[i]) == 0) {
			run->wishes.prefer = (enum preference)i;
			return RC_OK;
		}
	return err_set(e, RC_USAGE, 0, "%s: --prefer %.64s: it is fewest or libvirt",
		o->verb->name, o->prefer);
}

enum rc wants_read(struct run *run, struct err *e)
{
	const struct options *o = run->options;
	struct wishes *w = &run->wishes;
	enum rc rc = read_preference(run, e);

	w->cross_vendor = o->cross_vendor;
	if (verb_has_level(run))
		run->report.wishes = w;
	if (rc == RC_OK && o->model)
		rc = wishes_set_model(w, o->model, &run->arena, e);
	if (rc == RC_OK && o->at_least)
		rc = wishes_set_at_least(w, o->at_least, &run->arena, e);
	for (size_t i = 0; i < o->require.count && rc == RC_OK; i++)
		rc = each_word(run, "--require", o->require.item[i], require_feature, e);
	return rc;
}

/* ---- what is left out */

/* The word where a node of the run has the name of a feature. */
#define FEATURE_PREFIX "feature:"

static enum rc leave_out_feature(struct run *run, const char *word, struct err *e)
{
	struct wishes *w = &run->wishes;
	struct bitset out = { { 0 } }, both;

	if (wishes_add_feature(&out, "--without", word, &run->arena, e) != RC_OK)
		return e->code;
	both = bitset_and(&out, &w->required);
	if (!bitset_is_empty(&both))
		return err_set(e, RC_USAGE, 0,
			"--without %s and --require the same: which is it to be?", word);
	w->excluded = bitset_or(&w->excluded, &out);
	return RC_OK;
}

static enum rc leave_out(struct run *run, const char *word, struct err *e)
{
	bool is_feature = verb_has_level(run) && wishes_find_feature(word) >= 0, is_node;

	if (verb_has_level(run) && text_starts_with(word, FEATURE_PREFIX))
		return leave_out_feature(run, word + strlen(FEATURE_PREFIX), e);
	if (inventory_match(&run->inventory, word, &is_node, &run->arena, e) != RC_OK)
		return e->code;
	if (is_node && is_feature)
		return err_set(e, RC_USAGE, 0,
			"--without %s: a node and a feature have that name; say "
			"--exclude %s for the node or "
			"--without " FEATURE_PREFIX "%s for the feature",
			word, word, word);
	if (is_feature)
		return leave_out_feature(run, word, e);
	if (is_node || !verb_has_level(run))
		return inventory_leave_out(&run->inventory, word, &run->arena, e);
	return err_set(e, RC_USAGE, 0,
		"--without %.64s: it is neither a node of this run nor a feature", word);
}

enum rc wants_leave_out(struct run *run, struct err *e)
{
	const struct options *o = run->options;
	enum rc rc = RC_OK;

	for (size_t i = 0; i < o->exclude.count && rc == RC_OK; i++)
		rc = inventory_leave_out(
			&run->inventory, o->exclude.item[i], &run->arena, e);
	for (size_t i = 0; i < o->without.count && rc == RC_OK; i++)
		rc = each_word(run, "--without", o->without.item[i], leave_out, e);
	for (size_t i = 0; i < o->limit.count && rc == RC_OK; i++)
		rc = inventory_limit(&run->inventory, o->limit.item[i], &run->arena, e);
	if (rc == RC_OK)
		rc = inventory_settle(&run->inventory, &run->arena, e);
	if (rc == RC_OK && run->inventory.count == 0)
		return err_set(e, RC_USAGE, 0, "%s: every node is left out: none remains",
			o->verb->name);
	return rc;
}

/* ---- why not */

/* Features that the same nodes lack for the same reason: one line says it. */
struct refusal {
	const char *why;
	struct texts features, nodes;
};

struct refusals {
	struct refusal *item;
	size_t count;
};

static bool is_like(const struct refusal *a, const struct refusal *b)
{
	if (strcmp(a->why, b->why) != 0 || a->nodes.count != b->nodes.count)
		return false;
	for (size_t i = 0; i < a->nodes.count; i++)
		if (a->nodes.item[i] != b->nodes.item[i])
			return false;
	return true;
}

static struct refusal *refusal_find(struct refusals *all, const struct refusal *one)
{
	for (size_t i = 0; i < all->count; i++)
		if (is_like(&all->item[i], one))
			return &all->item[i];
	return NULL;
}

static enum rc refusals_add(struct run *run, struct refusals *all,
	const struct refusal *one, const char *feature, struct err *e)
{
	struct refusal *to = refusal_find(all, one);

	if (!to) {
		all->item = arena_grow(
			&run->arena, all->item, all->count, sizeof(*all->item));
		if (!all->item)
			return err_memory(e);
		to = &all->item[all->count++];
		*to = *one;
	}
	return texts_add(&to->features, feature, &run->arena, e);
}

static enum rc refuse_one(
	struct run *run, size_t feature, struct refusals *all, struct err *e)
{
	const char *name = catalogue_name(run->catalogue, feature);
	bool *lacking = arena_alloc(&run->arena, run->class_count, sizeof(*lacking));
	struct refusal one = { 0 };
	enum rc rc = RC_OK;

	if (!lacking)
		return err_memory(e);
	one.why = wishes_why_not(
		run->offers, run->class_count, &run->wishes, feature, lacking);
	for (size_t i = 0; i < run->count && rc == RC_OK; i++)
		if (lacking[run->nodes[i].class] ||
			texts_have(&run->nodes[i].refused, name))
			rc = texts_add(&one.nodes, run->nodes[i].name, &run->arena, e);
	return rc == RC_OK ? refusals_add(run, all, &one, name, e) : rc;
}

static enum rc explain_all(struct run *run, const struct refusals *all, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < all->count && rc == RC_OK; i++) {
		const struct refusal *one = &all->item[i];
		const char *names = texts_join(
			&one->features, one->features.count, &run->arena);

		if (!names)
			return err_memory(e);
		rc = run_remark_of(run, true, "require", one->nodes,
			arena_format(&run->arena, "%s %s required: %s", names,
				one->features.count > 1 ? "are" : "is", one->why),
			e);
	}
	return rc;
}

enum rc wants_explain(struct run *run, struct err *e)
{
	struct bitset out = wishes_taken_out(&run->wishes);
	struct bitset base = baseline_of(run->offers, run->class_count, &out, run->ops);
	struct bitset missing = wishes_required(&run->wishes, run->virt);
	struct refusals all = { 0 };
	enum rc rc = RC_OK;

	missing = bitset_minus(&missing, &base);
	for (size_t bit = bitset_next(&missing, 0); bit < BITSET_BITS && rc == RC_OK;
		bit = bitset_next(&missing, bit + 1))
		rc = refuse_one(run, bit, &all, e);
	return rc == RC_OK ? explain_all(run, &all, e) : rc;
}
