/* Each property of QEMU's CPU. */
#include <stdlib.h>
#include <string.h>

#include "coordinator/cpu/proof_private.h"
#include "coordinator/cpu/wishes.h"
#include "proto/texts.h"

/* ---- which there are */

struct names {
	struct cpu_property *key; /* sorted; without values */
	size_t count;
};

static bool is_seen_in_no_word(const struct feature_row *row)
{
	return row->is_msr && row->qemu;
}

/* Also what no view's QEMU knows: the level promises it all the same. */
static size_t names_promised(const struct level *level, struct cpu_property *out)
{
	size_t count = 0;

	for (size_t i = 0; level && i < catalogue_feature_rows(); i++) {
		const struct feature_row *row = catalogue_feature(NULL, i);

		if (is_seen_in_no_word(row) && bitset_has(&level->baseline, i))
			out[count++] = (struct cpu_property){ row->qemu, "" };
	}
	return count;
}

static size_t keep_first_of_each(struct cpu_property *keys, size_t count)
{
	size_t kept = 0;

	if (count)
		qsort(keys, count, sizeof(*keys), proof_compare_properties);
	for (size_t i = 0; i < count; i++)
		if (!kept || strcmp(keys[kept - 1].name, keys[i].name) != 0)
			keys[kept++] = keys[i];
	return kept;
}

static enum rc names_make(struct proof_making *m, struct names *out)
{
	size_t room = catalogue_feature_rows();

	for (size_t v = 0; v < m->view_count; v++)
		room += m->views[v].property_count;
	*out = (struct names){ arena_alloc(m->arena, room + 1, sizeof(*out->key)), 0 };
	if (!out->key)
		return err_memory(m->e);
	for (size_t v = 0; v < m->view_count; v++)
		for (size_t i = 0; i < m->views[v].property_count; i++)
			out->key[out->count++] = m->views[v].properties[i];
	out->count = keep_first_of_each(out->key, out->count);
	out->count += names_promised(m->level, out->key + out->count);
	out->count = keep_first_of_each(out->key, out->count);
	return RC_OK;
}

/* ---- one of them */

/* Has another view with this one's QEMU the property?  Then it is missing here. */
static bool is_known_to_its_qemu(const struct proof_making *m, size_t view)
{
	for (size_t v = 0; v < m->view_count; v++)
		if (m->views[v].qemu == m->views[view].qemu && m->answers[v])
			return true;
	return false;
}

/* QEMUs of several versions have not the same properties: only those that both have are
 * compared. */
static void property_ask(struct proof_making *m, const char *name, bool needed)
{
	bool missing = false;

	for (size_t v = 0; v < m->view_count; v++) {
		m->answers[v] = proof_find_property(&m->views[v], name);
		missing |= !m->answers[v];
	}
	for (size_t v = 0; v < m->view_count && missing; v++)
		if (!m->answers[v] && (needed || is_known_to_its_qemu(m, v)))
			m->answers[v] = "no property";
}

/* With another view, or by the level alone. */
static bool was_compared(const struct proof_making *m)
{
	size_t count = 0;

	for (size_t v = 0; v < m->view_count; v++)
		count += m->answers[v] != NULL;
	return count > 1 || m->view_count == 1;
}

static void level_ask(
	const struct proof_making *m, const char *name, struct proof_question *q)
{
	const struct level *l = m->level;
	size_t feature = (size_t)q->feature;

	if (q->feature >= 0 && !bitset_has(&l->unsaid, feature) &&
		is_seen_in_no_word(catalogue_feature(NULL, feature))) {
		q->of_level = true;
		q->promised = bitset_has(&l->baseline, feature);
		q->wanted = q->promised ? "true" : "false";
	} else if (l->maxphysaddr && strcmp(name, "phys-bits") == 0) {
		q->of_level = true;
		q->wanted = arena_format(m->arena, "%u", l->maxphysaddr);
	}
}

/* What was taken away is named by its bit, where there is one. */
static void denials_ask(struct proof_making *m, struct proof_question *q)
{
	q->wanted = "[]";
	for (size_t v = 0; v < m->view_count; v++)
		if (m->views[v].filtered)
			m->answers[v] = NULL;
}

static enum rc property_judge(struct proof_making *m, const char *name)
{
	struct proof_question q = { .what = name, .feature = wishes_find_feature(name) };

	if (m->level)
		level_ask(m, name, &q);
	property_ask(m, name, q.promised);
	m->out->properties += was_compared(m);
	if (strcmp(name, "unavailable-features") == 0)
		denials_ask(m, &q);
	/* another spelling of it, or its bit */
	if (q.feature >= 0 && bitset_has(&m->told, (size_t)q.feature))
		return RC_OK;
	return proof_judge(m, &q);
}

/* ---- features of the level that the catalogue has not */

static const char *with_dashes(const char *name, struct arena *arena)
{
	char *text = arena_text(arena, name);

	for (char *c = text; c && *c; c++)
		if (*c == '_' || *c == '.')
			*c = '-';
	return text;
}

static enum rc learnt_judge(struct proof_making *m, size_t feature)
{
	const char *name = catalogue_name(m->catalogue, feature);
	const char *dashed = with_dashes(name, m->arena);
	struct proof_question q = { .what = name,
		.feature = (int)feature,
		.wanted = "true",
		.of_level = true,
		.promised = true };
	bool known = false;

	if (!dashed)
		return err_memory(m->e);
	for (size_t v = 0; v < m->view_count; v++) {
		m->answers[v] = proof_find_property(&m->views[v], name);
		if (!m->answers[v])
			m->answers[v] = proof_find_property(&m->views[v], dashed);
		known |= m->answers[v] != NULL;
	}
	if (known)
		return proof_judge(m, &q);
	return proof_add_note(m,
		arena_format(m->arena,
			"whether guests have %s was not seen: no property of their "
			"QEMUs has that name",
			name),
		NULL, 0);
}

enum rc proof_judge_properties(struct proof_making *m)
{
	struct names names;
	enum rc rc = names_make(m, &names);
	size_t learnt = catalogue_feature_rows();

	for (size_t i = 0; i < names.count && rc == RC_OK; i++)
		rc = property_judge(m, names.key[i].name);
	if (!m->level)
		return rc;
	for (size_t bit = bitset_next(&m->level->baseline, learnt);
		bit < BITSET_BITS && rc == RC_OK;
		bit = bitset_next(&m->level->baseline, bit + 1))
		rc = learnt_judge(m, bit);
	return rc;
}
