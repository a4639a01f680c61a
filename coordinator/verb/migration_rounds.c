/* The rounds of a step: try, migrate, meet, dismiss. */
#include <string.h>

#include "base/log.h"
#include "coordinator/verb/aim.h"
#include "coordinator/verb/migrations_private.h"
#include "coordinator/verb/trial.h"
#include "proto/texts.h"

static struct report_migration *migration_of(struct migrations *m, int pair)
{
	return &m->run->report.migrations[pair];
}

/* ---- what is asked */

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

static enum rc try_prepare(struct migrations *m, size_t node, struct err *e)
{
	struct try *try = &m->tries[node];

	if (m->from[node] == NO_PAIR)
		return RC_OK;
	trial_fill(m->run, node, try);
	try->guest = arena_format(&m->run->arena, "g%zu", node);
	try->runs = !m->run->options->paused;
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

enum rc step_prepare(struct migrations *m, size_t step, struct err *e)
{
	size_t begin = m->pairs->steps[step], end = m->pairs->steps[step + 1];
	enum rc rc = RC_OK;

	for (size_t i = 0; i < m->run->count; i++)
		m->from[i] = m->to[i] = NO_PAIR;
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

static void meet_fill(struct migrations *m, size_t node, bool runs)
{
	size_t source = m->pairs->pair[m->to[node]].source;

	m->meets[node] = (struct meet){
		.run = m->run->trial_run, .guest = m->tries[source].guest, .runs = runs
	};
}

/* A mere target is asked for a guest that cannot be there yet: so its peer knows the run,
 * and has the guest's kernel, before anything arrives. */
static bool ask_try(void *context, size_t node, enum message_tag *tag, const void **value)
{
	struct migrations *m = context;

	*tag = MESSAGE_try;
	*value = &m->tries[node];
	if (m->from[node] != NO_PAIR || m->to[node] == NO_PAIR)
		return m->from[node] != NO_PAIR;
	meet_fill(m, node, false);
	*tag = MESSAGE_meet;
	*value = &m->meets[node];
	return true;
}

static enum rc answer_try(
	void *context, size_t node, const struct message *message, struct err *e)
{
	struct migrations *m = context;

	(void)e;
	if (m->from[node] != NO_PAIR)
		migration_of(m, m->from[node])->before = message->value;
	return RC_OK;
}

static bool has_guest(struct migrations *m, int pair)
{
	const struct tried *tried = pair == NO_PAIR ? NULL
						    : migration_of(m, pair)->before;

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

	if (!has_guest(m, m->to[node]))
		return false;
	meet_fill(m, node, migration_of(m, m->to[node])->before->alive);
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
	return m->from[node] != NO_PAIR || m->to[node] != NO_PAIR;
}

static enum rc answer_dismiss(
	void *context, size_t node, const struct message *message, struct err *e)
{
	struct migrations *m = context;
	const struct texts *left = &((const struct dismissed *)message->value)->left;
	enum rc rc = RC_OK;

	/* of all steps: a later one has nothing left of an earlier one */
	for (size_t i = 0; i < left->count && rc == RC_OK; i++)
		if (!texts_have(&m->left[node], left->item[i]))
			rc = texts_add(&m->left[node], left->item[i], &m->run->arena, e);
	return rc;
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

enum rc step_run(struct migrations *m, struct err *e)
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
