#include "coordinator/verb/migrations.h"

#include <string.h>

#include "base/log.h"
#include "coordinator/verb/aim.h"
#include "coordinator/verb/migration_judge.h"
#include "coordinator/verb/trial.h"
#include "proto/texts.h"

enum { NONE = -1 };

struct migrations {
	struct run *run;
	const struct pairs *pairs;

	/* one per node, for the step that runs: numbers of pairs, or NONE */
	int *from, *to;
	struct try *tries;
	struct migrate *sends;
	struct meet *meets;
	struct dismiss dismiss;
	struct texts *left; /* one per node: what could not be removed there */
};

static struct report_migration *migration_of(struct migrations *m, int pair)
{
	return &m->run->report.migrations[pair];
}

/* ---- what is asked */

static const char *guest_name(struct migrations *m, char kind, size_t node)
{
	return arena_format(&m->run->arena, "%c%zu", kind, node);
}

static bool is_session(const struct run *run)
{
	const char *connect = run->options->connect;

	return connect && strcmp(connect, "qemu:///session") == 0;
}

/* Only the options that were given: "" lets libvirt choose. */
static enum rc aim_option(struct migrations *m, const char *option, size_t target,
	bool is_uri, const char **out, struct err *e)
{
	struct run *run = m->run;
	struct aim aim = { run->inventory.nodes[target].host,
		run->facts[target].small.hostname, is_uri };

	*out = "";
	return option ? aim_fill(option, &aim, &run->arena, out, e) : RC_OK;
}

static enum rc send_prepare(
	struct migrations *m, size_t source, size_t target, struct err *e)
{
	const struct options *o = m->run->options;
	const char *uri = o->migrate_uri       ? o->migrate_uri
			  : is_session(m->run) ? "qemu+ssh://%s/session"
					       : "qemu+ssh://%s/system";
	struct migrate *send = &m->sends[source];
	enum rc rc;

	*send = (struct migrate){ .run = m->run->trial_run,
		.guest = m->tries[source].guest,
		.tunnelled = o->tunnelled,
		.tls = o->migrate_tls,
		.limit_s = o->migrate_timeout_s ? o->migrate_timeout_s
						: MIGRATION_SECONDS };
	rc = aim_option(m, uri, target, true, &send->uri, e);
	if (rc == RC_OK)
		rc = aim_option(m, o->migrate_data, target, true, &send->data_uri, e);
	if (rc == RC_OK)
		rc = aim_option(m, o->migrate_listen, target, false, &send->listen, e);
	return rc;
}

/* A source has the guest that moves, a node that is only a target one of its own. */
static enum rc try_prepare(struct migrations *m, size_t node, struct err *e)
{
	bool is_source = m->from[node] != NONE;
	struct try *try = &m->tries[node];

	if (!is_source && m->to[node] == NONE)
		return RC_OK;
	trial_fill(m->run, node, try);
	try->guest = guest_name(m, is_source ? 'g' : 't', node);
	try->runs = is_source && !m->run->options->paused;
	try->stays = true;
	return try->guest ? RC_OK : err_memory(e);
}

/* A target that gives no usable name fails as a node. */
static enum rc pair_prepare(struct migrations *m, const struct pair *pair, struct err *e)
{
	struct report_node *target = &m->run->nodes[pair->target];
	struct err why = { 0 };
	enum rc rc = send_prepare(m, pair->source, pair->target, &why);

	if (rc == RC_FACTS || rc == RC_LIMIT) {
		if (target->err.code == RC_OK)
			target->err = why;
		return RC_OK;
	}
	if (rc != RC_OK)
		*e = why;
	return rc;
}

static enum rc step_prepare(struct migrations *m, size_t step, struct err *e)
{
	size_t begin = m->pairs->steps[step], end = m->pairs->steps[step + 1];
	enum rc rc = RC_OK;

	for (size_t i = 0; i < m->run->count; i++)
		m->from[i] = m->to[i] = NONE;
	for (size_t i = begin; i < end; i++) {
		m->from[m->pairs->pair[i].source] = (int)i;
		m->to[m->pairs->pair[i].target] = (int)i;
	}
	for (size_t i = 0; i < m->run->count && rc == RC_OK; i++)
		rc = try_prepare(m, i, e);
	for (size_t i = begin; i < end && rc == RC_OK; i++)
		rc = pair_prepare(m, &m->pairs->pair[i], e);
	return rc;
}

/* ---- the rounds */

static bool ask_try(void *context, size_t node, enum message_tag *tag, const void **value)
{
	struct migrations *m = context;

	*tag = MESSAGE_try;
	*value = &m->tries[node];
	return m->from[node] != NONE || m->to[node] != NONE;
}

static enum rc answer_try(
	void *context, size_t node, const struct message *message, struct err *e)
{
	struct migrations *m = context;

	(void)e;
	if (m->from[node] != NONE)
		migration_of(m, m->from[node])->before = message->value;
	return RC_OK;
}

static bool has_guest(struct migrations *m, int pair)
{
	const struct tried *tried = pair == NONE ? NULL : migration_of(m, pair)->before;

	return tried && tried->started;
}

static bool ask_migrate(
	void *context, size_t node, enum message_tag *tag, const void **value)
{
	struct migrations *m = context;

	*tag = MESSAGE_migrate;
	*value = &m->sends[node];
	return has_guest(m, m->from[node]) &&
	       run_has(m->run, m->pairs->pair[m->from[node]].target);
}

static enum rc answer_migrate(
	void *context, size_t node, const struct message *message, struct err *e)
{
	struct migrations *m = context;

	(void)e;
	migration_of(m, m->from[node])->migrated = message->value;
	return RC_OK;
}

/* Also where libvirt says that it failed: what came all the same, and QEMU's last words. */
static bool ask_meet(
	void *context, size_t node, enum message_tag *tag, const void **value)
{
	struct migrations *m = context;
	size_t source;

	if (!has_guest(m, m->to[node]))
		return false;
	source = m->pairs->pair[m->to[node]].source;
	m->meets[node] = (struct meet){ .run = m->run->trial_run,
		.guest = m->tries[source].guest,
		.runs = migration_of(m, m->to[node])->before->alive };
	*tag = MESSAGE_meet;
	*value = &m->meets[node];
	return true;
}

static enum rc answer_meet(
	void *context, size_t node, const struct message *message, struct err *e)
{
	struct migrations *m = context;

	(void)e;
	migration_of(m, m->to[node])->met = message->value;
	return RC_OK;
}

static bool ask_dismiss(
	void *context, size_t node, enum message_tag *tag, const void **value)
{
	struct migrations *m = context;

	*tag = MESSAGE_dismiss;
	*value = &m->dismiss;
	return m->from[node] != NONE || m->to[node] != NONE;
}

static enum rc answer_dismiss(
	void *context, size_t node, const struct message *message, struct err *e)
{
	struct migrations *m = context;

	(void)e;
	m->left[node] = ((const struct dismissed *)message->value)->left;
	return RC_OK;
}

/* Not run_round(): a node that has failed may hold a guest all the same.  A signal does
 * not keep guests alive either. */
static void step_dismiss(struct migrations *m, bool interrupted)
{
	static const struct fleet_call call = { "dismiss", ask_dismiss, answer_dismiss,
		.hold = true };
	struct err why = { 0 };

	if (interrupted)
		fleet_ignore_interrupt(m->run->fleet);
	if (fleet_round(m->run->fleet, &call, m, &why) != RC_OK)
		log_line(LOG_ERROR, NULL, "%s", why.text);
	run_take_errors(m->run);
}

static enum rc step_run(struct migrations *m, struct err *e)
{
	static const struct fleet_call calls[] = {
		{ "try", ask_try, answer_try, .hold = true },
		{ "migrate", ask_migrate, answer_migrate, .hold = true },
		{ "meet", ask_meet, answer_meet, .hold = true },
	};
	enum rc rc = RC_OK;

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]) && rc == RC_OK; i++)
		rc = run_round(m->run, &calls[i], m, e);
	step_dismiss(m, rc != RC_OK);
	return rc;
}

/* ---- what came of them */

static const struct facts *facts_of(const struct run *run, size_t node)
{
	return run->nodes[node].facts ? &run->nodes[node].facts->small : NULL;
}

static const char *trouble_of(struct run *run, size_t node)
{
	const struct report_node *n = &run->nodes[node];

	return n->err.code == RC_OK
		       ? ""
		       : arena_format(&run->arena, "%s: %s", n->name, n->err.text);
}

static enum rc pair_judge(struct migrations *m, size_t pair, struct err *e)
{
	const struct pair *p = &m->pairs->pair[pair];
	struct run *run = m->run;
	const struct migration_case c = {
		.source_trouble = trouble_of(run, p->source),
		.target_trouble = trouble_of(run, p->target),
		.source = facts_of(run, p->source),
		.target = facts_of(run, p->target),
		.catalogue = run->catalogue,
		.virt = run->virt,
		.bare_maxphysaddr = !strstr(run->report.xml, "<maxphysaddr"),
		.limit_s = m->sends[p->source].limit_s,
	};

	return migration_judge(&run->report.migrations[pair], &c, &run->arena, e);
}

static enum rc step_judge(struct migrations *m, size_t step, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = m->pairs->steps[step]; i < m->pairs->steps[step + 1]; i++)
		if (rc == RC_OK)
			rc = pair_judge(m, i, e);
	return rc;
}

static enum rc left_tell(struct migrations *m, struct err *e)
{
	struct run *run = m->run;
	enum rc rc = RC_OK;

	for (size_t i = 0; i < run->count && rc == RC_OK; i++) {
		struct texts name = { 0 };
		const char *paths = texts_join(&m->left[i], 8, &run->arena);

		if (!m->left[i].count)
			continue;
		rc = texts_add(&name, run->nodes[i].name, &run->arena, e);
		if (rc == RC_OK)
			rc = run_remark_of(run, false, "left", name,
				arena_format(&run->arena, "not removed: %s",
					paths ? paths : "?"),
				e);
	}
	return rc;
}

/* ---- all of it */

static enum rc migrations_make(struct migrations *m, struct err *e)
{
	struct run *run = m->run;
	struct report *r = &run->report;

	m->from = arena_alloc(&run->arena, run->count, sizeof(*m->from));
	m->to = arena_alloc(&run->arena, run->count, sizeof(*m->to));
	m->tries = arena_alloc(&run->arena, run->count, sizeof(*m->tries));
	m->sends = arena_alloc(&run->arena, run->count, sizeof(*m->sends));
	m->meets = arena_alloc(&run->arena, run->count, sizeof(*m->meets));
	m->left = arena_alloc(&run->arena, run->count, sizeof(*m->left));
	r->migrations = arena_alloc(&run->arena, m->pairs->count, sizeof(*r->migrations));
	if (!m->from || !m->to || !m->tries || !m->sends || !m->meets || !m->left ||
		!r->migrations)
		return err_memory(e);
	m->dismiss.run = run->trial_run;
	for (size_t i = 0; i < m->pairs->count; i++)
		r->migrations[i] = (struct report_migration){
			.source = run->nodes[m->pairs->pair[i].source].name,
			.target = run->nodes[m->pairs->pair[i].target].name,
			.why = "it was not begun",
			.cause = ""
		};
	r->migration_count = m->pairs->count;
	return RC_OK;
}

enum rc migrations_run(struct run *run, const struct pairs *pairs, struct err *e)
{
	struct migrations m = { .run = run, .pairs = pairs };
	struct err ignored;
	enum rc rc = migrations_make(&m, e), judged;

	for (size_t step = 0; step < pairs->step_count && rc == RC_OK; step++) {
		log_line(LOG_INFO, NULL, "step %zu of %zu: %zu migrations", step + 1,
			pairs->step_count, pairs->steps[step + 1] - pairs->steps[step]);
		rc = step_prepare(&m, step, e);
		if (rc == RC_OK)
			rc = step_run(&m, e);
		judged = step_judge(&m, step, rc == RC_OK ? e : &ignored);
		rc = rc == RC_OK ? judged : rc;
	}
	return rc == RC_OK ? left_tell(&m, e) : rc;
}
