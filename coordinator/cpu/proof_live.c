/* What libvirt says of the CPU of its running guest. */
#include <stdlib.h>
#include <string.h>

#include "coordinator/cpu/proof_private.h"
#include "proto/texts.h"

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* ---- by what it states */

static enum rc names_add(
	struct proof_making *m, const struct texts *from, struct texts *to)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < from->count && rc == RC_OK; i++)
		rc = texts_add(to, from->item[i], m->arena, m->e);
	return rc;
}

/* Sorted; a name may come several times. */
static enum rc names_make(struct proof_making *m, struct texts *out)
{
	enum rc rc = RC_OK;

	*out = (struct texts){ 0 };
	for (size_t v = 0; v < m->view_count && rc == RC_OK; v++) {
		rc = names_add(m, &m->views[v].live.on, out);
		if (rc == RC_OK)
			rc = names_add(m, &m->views[v].live.off, out);
	}
	if (out->count)
		qsort(out->item, out->count, sizeof(*out->item), compare_names);
	return rc;
}

/* Of the level, and disabled on some node: libvirts are known that start such a guest. */
static bool is_turned_off(const struct proof_making *m, const char *name, int feature)
{
	bool off = false;

	if (!m->level || feature < 0 || !bitset_has(&m->level->baseline, (size_t)feature))
		return false;
	for (size_t v = 0; v < m->view_count; v++)
		off |= texts_have(&m->views[v].live.off, name);
	return off;
}

static enum rc feature_judge(struct proof_making *m, const char *name)
{
	struct proof_question q = { .what = "<cpu>",
		.feature = catalogue_find(m->catalogue, name) };
	const char *unsaid = "not stated";

	if (q.feature >= 0 && bitset_has(&m->told, (size_t)q.feature))
		return RC_OK;
	if (q.feature < 0)
		q.what = arena_format(m->arena, "<cpu>, feature %s", name);
	if (!q.what)
		return err_memory(m->e);
	if (is_turned_off(m, name, q.feature)) {
		q.of_level = q.promised = true;
		q.wanted = unsaid = "required";
	}
	for (size_t v = 0; v < m->view_count; v++)
		m->answers[v] = texts_have(&m->views[v].live.on, name)	  ? "required"
				: texts_have(&m->views[v].live.off, name) ? "disabled"
									  : unsaid;
	return proof_judge(m, &q);
}

static enum rc features_judge(struct proof_making *m)
{
	struct texts names;
	enum rc rc = names_make(m, &names);

	for (size_t i = 0; i < names.count && rc == RC_OK; i++)
		if (!i || strcmp(names.item[i], names.item[i - 1]) != 0)
			rc = feature_judge(m, names.item[i]);
	return rc;
}

static const char *live_model(const struct proof_view *v, struct arena *arena)
{
	(void)arena;
	return v->live.model;
}

static const char *live_vendor(const struct proof_view *v, struct arena *arena)
{
	(void)arena;
	return v->live.vendor;
}

/* Not of <cpu>, and much of a CPU follows it. */
static const char *live_machine(const struct proof_view *v, struct arena *arena)
{
	(void)arena;
	return v->machine;
}

static const char *live_width(const struct proof_view *v, struct arena *arena)
{
	return arena_format(arena, "%u", v->live.maxphysaddr);
}

static const struct {
	const char *what;
	const char *(*say)(const struct proof_view *v, struct arena *arena);
} elements[] = {
	{ "<cpu>, <model>", live_model },
	{ "<cpu>, <vendor>", live_vendor },
	{ "<cpu>, <maxphysaddr>", live_width },
	{ "machine type", live_machine },
};

static enum rc elements_judge(struct proof_making *m)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < sizeof(elements) / sizeof(elements[0]) && rc == RC_OK;
		i++) {
		const struct proof_question q = { .what = elements[i].what,
			.feature = -1 };

		for (size_t v = 0; v < m->view_count; v++) {
			m->answers[v] = elements[i].say(&m->views[v], m->arena);
			if (!m->answers[v])
				return err_memory(m->e);
		}
		rc = proof_judge(m, &q);
	}
	return rc;
}

/* ---- as a text */

/* The line in which a text differs from another. */
static const char *line_apart(const char *text, const char *other, struct arena *arena)
{
	const char *line = text;

	for (; *text && *text == *other; text++, other++)
		if (*text == '\n')
			line = text + 1;
	line += strspn(line, " \t");
	return arena_text_n(arena, line, strcspn(line, "\n"));
}

/* Of the views of one libvirt, each with the line that sets it apart from the first. */
static enum rc texts_of_libvirt_judge(struct proof_making *m, size_t first)
{
	const struct proof_question q = { .what = "<cpu>", .feature = -1 };
	const char *xml = m->views[first].xml;

	for (size_t v = 0; v < m->view_count; v++) {
		m->answers[v] = NULL;
		if (m->views[v].libvirt != m->views[first].libvirt ||
			strcmp(m->views[v].xml, xml) == 0)
			continue;
		m->answers[v] = line_apart(m->views[v].xml, xml, m->arena);
		m->answers[first] = line_apart(xml, m->views[v].xml, m->arena);
		if (!m->answers[v] || !m->answers[first])
			return err_memory(m->e);
	}
	for (size_t v = 0; v < m->view_count && m->answers[first]; v++)
		if (strcmp(m->views[v].xml, xml) == 0 &&
			m->views[v].libvirt == m->views[first].libvirt)
			m->answers[v] = m->answers[first];
	return proof_judge(m, &q);
}

static bool is_first_of_its_libvirt(const struct proof_making *m, size_t view)
{
	for (size_t v = 0; v < view; v++)
		if (m->views[v].libvirt == m->views[view].libvirt)
			return false;
	return true;
}

/* Where all else is equal, one libvirt must say it in the same words. */
static enum rc texts_judge(struct proof_making *m)
{
	enum rc rc = RC_OK;

	for (size_t v = 0; v < m->view_count && rc == RC_OK; v++)
		if (is_first_of_its_libvirt(m, v))
			rc = texts_of_libvirt_judge(m, v);
	return rc;
}

enum rc proof_judge_live(struct proof_making *m)
{
	enum rc rc = features_judge(m);

	if (rc == RC_OK)
		rc = elements_judge(m);
	return rc == RC_OK && !m->out->count ? texts_judge(m) : rc;
}
