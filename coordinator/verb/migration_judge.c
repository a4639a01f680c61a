#include "coordinator/verb/migration_judge.h"

#include <string.h>

#include "coordinator/verb/cause.h"
#include "coordinator/verb/migration_cpu.h"

struct judging {
	struct report_migration *m;
	const struct migration_case *c;
	const char *why; /* ""; NULL: memory is short */
	enum cause_fate fate;
	struct arena *arena;
	struct err *e;
};

static bool ran_before(const struct judging *j)
{
	return j->m->before && j->m->before->alive;
}

static const char *or_else(const char *text, const char *otherwise)
{
	return text && text[0] ? text : otherwise;
}

/* ---- one question each: what is in the way, or nothing */

static enum rc judge_start(struct judging *j)
{
	const struct tried *t = j->m->before;

	if (!t)
		j->why = or_else(j->c->source_trouble, "no trial guest was started");
	else if (!t->started)
		j->why = arena_format(j->arena,
			"libvirt of %s did not start the trial guest: %s", j->m->source,
			or_else(t->reason, "it gave no reason"));
	return RC_OK;
}

static enum rc judge_libvirt(struct judging *j)
{
	const struct migrated *g = j->m->migrated;
	bool there = j->m->met && j->m->met->present;

	if (!g)
		j->why = or_else(j->c->source_trouble,
			or_else(j->c->target_trouble, "it was not asked to migrate"));
	else if (!g->ok)
		j->why = arena_format(j->arena, "libvirt did not migrate it: %s%s%s",
			or_else(g->reason, "it gave no reason"),
			there ? "; and yet it is on " : "", there ? j->m->target : "");
	return RC_OK;
}

static enum rc judge_presence(struct judging *j)
{
	const struct met *met = j->m->met;

	j->fate = CAUSE_DIED;
	if (!met)
		j->why = arena_format(j->arena,
			"libvirt says that it went well, but %s could not be asked: %s",
			j->m->target, or_else(j->c->target_trouble, "it was not"));
	else if (!met->present)
		j->why = arena_format(j->arena,
			"libvirt says that it went well, and %s has no such guest: it "
			"rebooted or ended there",
			j->m->target);
	return RC_OK;
}

static enum rc judge_life(struct judging *j)
{
	const struct met *met = j->m->met;

	if (!ran_before(j)) {
		/* one that crashed, or that began to run, is not what was sent */
		if (strcmp(met->state, "paused") != 0)
			j->why = arena_format(j->arena,
				"libvirt says that it went well, and the guest, which "
				"was "
				"paused, is now: %s",
				or_else(met->state, "no state"));
		return RC_OK;
	}
	if (!met->alive)
		j->why = arena_format(j->arena,
			"libvirt says that it went well, and the guest does not live on: "
			"%s (%s)",
			or_else(met->why, "it does not count"),
			or_else(met->state, "no state"));
	else if (met->boot != j->m->before->boot || met->count <= j->m->before->count)
		j->why = arena_format(j->arena,
			"libvirt says that it went well, and the guest began anew: it "
			"had counted to %llu, and then%s to %llu",
			(unsigned long long)j->m->before->count,
			met->boot != j->m->before->boot ? ", after another boot," : "",
			(unsigned long long)met->count);
	return RC_OK;
}

/* What the guest itself reads. */
static enum rc judge_leaves(struct judging *j)
{
	const struct tried *before = j->m->before;
	const struct met *met = j->m->met;

	if (!ran_before(j))
		return RC_OK;
	j->fate = CAUSE_CHANGED;
	if (!before->leaves.count || !met->leaves.count) {
		j->why = "the guest did not tell its CPUID";
		return RC_OK;
	}
	return migration_leaves_differ(
		&before->leaves, &met->leaves, j->arena, &j->why, j->e);
}

/* What QEMU shows it: all there is to know of a paused guest. */
static enum rc judge_words(struct judging *j)
{
	const struct tried *before = j->m->before;
	const struct met *met = j->m->met;
	const char *gap = or_else(before->gap, met->gap);

	j->fate = CAUSE_CHANGED;
	if (gap[0] || !before->words.count || !met->words.count) {
		if (!ran_before(j))
			j->why = arena_format(j->arena,
				"QEMU's view of the CPU could not be compared: %s",
				or_else(gap, "it gave none"));
		return RC_OK;
	}
	return migration_words_differ(
		&before->words, &met->words, j->arena, &j->why, j->e);
}

/* What follows from no register, or from none that QEMU has a name for. */
static enum rc judge_properties(struct judging *j)
{
	return migration_properties_differ(&j->m->before->properties,
		&j->m->met->properties, j->arena, &j->why, j->e);
}

static enum rc judge_xml(struct judging *j)
{
	return migration_xml_differs(j->c->catalogue, j->c->virt, j->m->before->cpu,
		j->m->met->cpu, j->arena, &j->why, j->e);
}

/* The CPU that it had must be the one that was asked for: no real guest is to be moved that
 * its <cpu> does not describe.  Before properties: a guest that arrives is given what it
 * had, and then nothing was taken away from it. */
static enum rc judge_asked(struct judging *j)
{
	const char *what;

	if (migration_taken_away(&j->m->before->words, j->arena, &what, j->e) != RC_OK)
		return j->e->code;
	if (!what[0])
		return RC_OK;
	j->fate = CAUSE_NONE;
	j->why = arena_format(j->arena,
		"the guest lives on, without all of its <cpu>: QEMU of %s took "
		"away %s",
		j->m->source, what);
	return RC_OK;
}

/* ---- the cause */

static const char *judge_cause(const struct judging *j)
{
	const struct report_migration *m = j->m;
	const char *const words[] = { m->migrated ? m->migrated->direct : "",
		m->migrated ? m->migrated->reason : "",
		m->migrated ? m->migrated->reach : "", m->met ? m->met->log : "",
		m->migrated ? m->migrated->log : "", m->met ? m->met->why : "",
		m->before ? m->before->reason : "" };
	struct cause_evidence ev = { .fate = j->fate,
		.source = j->c->source,
		.target = j->c->target,
		.bare_maxphysaddr = j->c->bare_maxphysaddr,
		.limit_s = j->c->limit_s,
		.ms = m->migrated ? m->migrated->ms : 0 };
	size_t count = 0;

	/* a node was lost: its own error says why */
	if (j->fate == CAUSE_NONE || !m->before || (m->before->started && !m->migrated))
		return "";
	_Static_assert(sizeof(words) / sizeof(words[0]) <= CAUSE_WORDS_MAX, "room");
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (words[i] && words[i][0])
			ev.words[count++] = words[i];
	return cause_find(&ev, j->arena);
}

enum rc migration_judge(struct report_migration *m, const struct migration_case *c,
	struct arena *arena, struct err *e)
{
	static enum rc (*const questions[])(struct judging * j) = { judge_start,
		judge_libvirt, judge_presence, judge_life, judge_leaves, judge_words,
		judge_asked, judge_properties, judge_xml };
	struct judging j = { m, c, "", CAUSE_REFUSED, arena, e };
	enum rc rc = RC_OK;

	for (size_t i = 0; i < sizeof(questions) / sizeof(questions[0]); i++) {
		rc = questions[i](&j);
		if (rc != RC_OK)
			return rc;
		if (!j.why)
			return err_memory(e);
		if (j.why[0])
			break;
	}
	m->ok = j.why[0] == '\0';
	m->ran = ran_before(&j) && m->met && m->met->alive;
	m->why = j.why;
	m->cause = m->ok ? "" : judge_cause(&j);
	return RC_OK;
}
