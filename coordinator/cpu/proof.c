#include "coordinator/cpu/proof.h"

#include <stdlib.h>
#include <string.h>

#include "coordinator/cpu/proof_private.h"

/* ---- who answers what */

struct answer {
	const char *text;
	const struct proof_view *view;
};

/* Views that answer the same. */
struct camp {
	const char *text;
	const struct answer *answers;
	size_t answer_count, trial_count;
};

static int compare_answers(const void *left, const void *right)
{
	const struct answer *a = left, *b = right;

	return strcmp(a->text, b->text);
}

/* The largest first; of equally large ones by what they say, whatever order they came in. */
static int compare_camps(const void *left, const void *right)
{
	const struct camp *a = left, *b = right;
	int order = (a->trial_count < b->trial_count) - (a->trial_count > b->trial_count);

	return order ? order : strcmp(a->text, b->text);
}

static size_t camps_fill(struct answer *answers, size_t n, struct camp *camps)
{
	size_t count = 0;

	qsort(answers, n, sizeof(*answers), compare_answers);
	for (size_t i = 0; i < n; i++) {
		if (!i || strcmp(answers[i].text, answers[i - 1].text) != 0)
			camps[count++] = (struct camp){ answers[i].text, &answers[i], 0,
				0 };
		camps[count - 1].answer_count++;
		camps[count - 1].trial_count += answers[i].view->trial_count;
	}
	qsort(camps, count, sizeof(*camps), compare_camps);
	return count;
}

static enum rc camps_make(struct proof_making *m, struct camp **out, size_t *count)
{
	struct answer *answers = arena_alloc(
		m->arena, m->view_count + 1, sizeof(*answers));
	struct camp *camps = arena_alloc(m->arena, m->view_count + 1, sizeof(*camps));
	size_t n = 0;

	if (!answers || !camps)
		return err_memory(m->e);
	for (size_t i = 0; i < m->view_count; i++)
		if (m->answers[i])
			answers[n++] = (struct answer){ m->answers[i], &m->views[i] };
	*out = camps;
	*count = n ? camps_fill(answers, n, camps) : 0;
	return RC_OK;
}

static bool all_agree(const struct proof_making *m, const char *with)
{
	for (size_t i = 0; i < m->view_count; i++) {
		if (!m->answers[i])
			continue;
		if (with && strcmp(with, m->answers[i]) != 0)
			return false;
		with = m->answers[i];
	}
	return true;
}

/* ---- what follows from it */

static int compare_places(const void *left, const void *right)
{
	const size_t *a = left, *b = right;

	return (*a > *b) - (*a < *b);
}

static size_t *camp_trials(const struct camp *camp, struct arena *arena)
{
	size_t *all = arena_alloc(arena, camp->trial_count, sizeof(*all)), count = 0;

	for (size_t i = 0; i < camp->answer_count && all; i++) {
		const struct proof_view *v = camp->answers[i].view;

		memcpy(all + count, v->trials, v->trial_count * sizeof(*all));
		count += v->trial_count;
	}
	if (all)
		qsort(all, count, sizeof(*all), compare_places);
	return all;
}

enum rc proof_add_note(
	struct proof_making *m, const char *text, const size_t *trials, size_t count)
{
	struct proof *p = m->out;

	p->notes = arena_grow(m->arena, p->notes, p->note_count, sizeof(*p->notes));
	if (!p->notes || !text)
		return err_memory(m->e);
	p->notes[p->note_count++] = (struct proof_note){ text, trials, count };
	return RC_OK;
}

/* A text of a node, to be read by people. */
static const char *shown(const char *text, struct arena *arena)
{
	enum { SHOWN_BYTES = 80 };

	if (strlen(text) <= SHOWN_BYTES)
		return text;
	return arena_format(arena, "%.*s...", SHOWN_BYTES, text);
}

static enum rc difference_add(struct proof_making *m, const struct proof_question *q,
	const struct camp *camp, const char *wanted)
{
	const size_t *trials = camp_trials(camp, m->arena);
	const char *is = shown(camp->text, m->arena);
	struct proof *p = m->out;

	wanted = shown(wanted, m->arena);
	if (!trials || !is || !wanted)
		return err_memory(m->e);
	if (q->remark)
		return proof_add_note(m,
			arena_format(m->arena, "%s is %s, not %s: %s", q->what, is,
				wanted, q->remark),
			trials, camp->trial_count);
	p->differences = arena_grow(
		m->arena, p->differences, p->count, sizeof(*p->differences));
	if (!p->differences)
		return err_memory(m->e);
	p->differences[p->count++] = (struct proof_difference){ .what = q->what,
		.feature = q->feature < 0
				   ? ""
				   : catalogue_name(m->catalogue, (size_t)q->feature),
		.trials = trials,
		.trial_count = camp->trial_count,
		.is = is,
		.wanted = wanted,
		.of_level = q->of_level,
		.of_asked = q->wanted && !q->of_level };
	for (size_t i = 0; i < camp->trial_count && q->promised; i++)
		bitset_add(&p->lacks[trials[i]], (size_t)q->feature);
	return RC_OK;
}

/* Is it one of several that are equally large, and none is larger? */
static bool has_equal(const struct camp *camps, size_t count)
{
	return count > 1 && camps[0].trial_count == camps[1].trial_count;
}

enum rc proof_judge(struct proof_making *m, const struct proof_question *q)
{
	struct camp *camps;
	size_t count = 0;
	enum rc rc;

	if (all_agree(m, q->wanted))
		return RC_OK;
	if (q->feature >= 0)
		bitset_add(&m->told, (size_t)q->feature);
	rc = camps_make(m, &camps, &count);
	for (size_t i = 0; i < count && rc == RC_OK; i++) {
		const char *wanted = q->wanted ? q->wanted : camps[i ? 0 : 1].text;

		if (q->wanted ? strcmp(camps[i].text, q->wanted) == 0
			      : i == 0 && !has_equal(camps, count))
			continue;
		rc = difference_add(m, q, &camps[i], wanted);
	}
	return rc;
}

enum rc proof_make(const struct catalogue *c, const struct proof_trial *trials, size_t n,
	const struct level *level, struct arena *arena, struct proof *out, struct err *e)
{
	struct proof_making m = {
		.catalogue = c, .level = level, .arena = arena, .out = out, .e = e
	};
	enum rc rc;

	*out = (struct proof){ .lacks = arena_alloc(arena, n + 1, sizeof(*out->lacks)) };
	if (!out->lacks)
		return err_memory(e);
	rc = proof_views_make(&m, trials, n);
	if (rc == RC_OK)
		rc = proof_judge_words(&m);
	if (rc == RC_OK)
		rc = proof_judge_properties(&m);
	return rc == RC_OK ? proof_judge_live(&m) : rc;
}
