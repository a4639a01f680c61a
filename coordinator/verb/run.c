#include "coordinator/verb/run.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "coordinator/report/groups.h"
#include "coordinator/report/progress.h"
#include "coordinator/verb/agreement.h"
#include "coordinator/verb/archive.h"
#include "coordinator/verb/failed.h"
#include "coordinator/verb/replace.h"
#include "coordinator/verb/verb.h"
#include "coordinator/verb/wants.h"
#include "coordinator/verb/whoami.h"
#include "proto/texts.h"

enum { NAMES_SHOWN = 4 };

/* The nodes of files are known when the files have been read. */
static enum rc sources_read(struct run *run, struct err *e)
{
	struct sources *s = &run->sources;
	enum rc rc;

	s->arena = &run->arena;
	rc = sources_add(s, run->options->from, e);
	sources_finish(s);
	for (size_t i = 0; i < s->count && rc == RC_OK; i++)
		rc = inventory_add_name(
			&run->inventory, s->nodes[i].name, &run->arena, e);
	return rc;
}

static enum rc inventory_read(struct run *run, struct err *e)
{
	const struct options *o = run->options;
	struct inventory *inv = &run->inventory;
	enum rc rc = RC_OK;

	if (o->from)
		rc = sources_read(run, e);
	for (size_t i = 0; i < o->hosts_files.count && rc == RC_OK; i++)
		rc = inventory_add_file(inv, o->hosts_files.item[i], &run->arena, e);
	for (size_t i = 0; i < o->nodes.count && rc == RC_OK; i++)
		rc = inventory_add_argument(inv, o->nodes.item[i], &run->arena, e);
	if (rc == RC_OK && inv->count == 0)
		rc = agreement_add_nodes(run, e);
	if (rc == RC_OK && inv->count == 0)
		return err_set(e, RC_USAGE, 0,
			"%s: no nodes; name them (node[01-16]) or give --hosts FILE",
			o->verb->name);
	return rc == RC_OK ? wants_leave_out(run, e) : rc;
}

static enum rc nodes_make(struct run *run, struct err *e)
{
	run->count = run->inventory.count;
	run->facts = arena_alloc(&run->arena, run->count, sizeof(*run->facts));
	run->nodes = arena_alloc(&run->arena, run->count, sizeof(*run->nodes));
	if (!run->facts || !run->nodes)
		return err_memory(e);
	for (size_t i = 0; i < run->count; i++) {
		facts_init(&run->facts[i]);
		run->nodes[i].name = run->inventory.nodes[i].name;
		run->nodes[i].outcome = run->nodes[i].note = run->nodes[i].proof = "";
	}
	run->report.nodes = run->nodes;
	run->report.count = run->count;
	return RC_OK;
}

static void show_progress(void *context, const struct fleet_progress *p)
{
	struct progress line = { .phase = p->phase,
		.done = p->done,
		.failed = p->failed,
		.total = p->total,
		.seconds = p->seconds };

	(void)context;
	for (int i = 0; i < FLEET_STAGES; i++) {
		line.stages[i].name = fleet_stage_name((enum fleet_stage)i);
		line.stages[i].count = p->in_stage[i];
	}
	for (int i = 0; i < FLEET_SLOWEST && p->slowest[i].name; i++) {
		line.slowest[i].name = p->slowest[i].name;
		line.slowest[i].stage = fleet_stage_name(p->slowest[i].stage);
		line.slowest[i].seconds = p->slowest[i].seconds;
	}
	progress_show(&line);
}

static struct ssh_options ssh_options_of(const struct options *o)
{
	return (struct ssh_options){ .file = o->ssh_config,
		.values = o->ssh_values,
		.identities = o->identities,
		.known_hosts = o->known_hosts,
		.user = o->user,
		.jump = o->jump,
		.port = (uint16_t)o->port,
		.no_agent = o->no_agent,
		.accept_new = o->accept_new,
		.connect_timeout_s = o->connect_timeout_s };
}

/* How each node is reached. */
static enum rc settings_make(struct run *run, struct err *e)
{
	struct ssh_target *targets = arena_alloc(
		&run->arena, run->count, sizeof(*targets));
	struct ssh_config *config;

	run->ssh_options = ssh_options_of(run->options);
	run->settings = arena_alloc(
		&run->arena, run->count, sizeof(const struct ssh_settings *));
	if (!targets || !run->settings)
		return err_memory(e);
	for (size_t i = 0; i < run->count; i++) {
		const struct inventory_node *node = &run->inventory.nodes[i];

		targets[i] = (struct ssh_target){ node->host, node->user, node->port,
			node->identity };
	}
	config = ssh_config_load(&run->ssh_options, &run->arena, e);
	if (!config)
		return e->code;
	return ssh_config_resolve(config, targets, run->count, run->settings, e);
}

static bool is_traced(void *context, size_t node)
{
	const struct run *run = context;

	return run->traced[node];
}

static enum rc traces_find(struct run *run, struct err *e)
{
	const struct texts *wanted = &run->options->trace;
	enum rc rc = RC_OK;

	run->traced = arena_alloc(&run->arena, run->count, sizeof(*run->traced));
	if (!run->traced)
		return err_memory(e);
	for (size_t i = 0; i < wanted->count && rc == RC_OK; i++)
		rc = inventory_mark(
			&run->inventory, wanted->item[i], run->traced, &run->arena, e);
	return rc;
}

static enum rc fleet_make(struct run *run, struct err *e)
{
	const struct options *o = run->options;
	struct fleet_options *f = &run->fleet_options;

	if (settings_make(run, e) != RC_OK)
		return e->code;
	f->settings = run->settings;
	f->become = o->become;
	f->connect = o->connect;
	f->connect_timeout_s = o->connect_timeout_s;
	f->timeout_s = o->timeout_s;
	f->deadline_s = o->deadline_s;
	f->parallel = o->parallel;
	f->threads = o->threads;
	f->tries = o->tries;
	f->context = run;
	if (traces_find(run, e) != RC_OK)
		return e->code;
	f->traces = o->trace.count ? is_traced : NULL;
	f->progress = show_progress;
	run->fleet = fleet_new(&run->inventory, f, e);
	if (!run->fleet)
		return e->code;
	version_warn();
	return RC_OK;
}

static void run_init(struct run *run, const struct options *options)
{
	*run = (struct run){ .options = options };
	run->began = whoami_now(&run->arena);
	run->report.verb = options->verb->name;
	run->report.level_name = options->level_name;
	run->report.dry_run = options->dry_run;
	run->report.virt = run->report.virt_note = "";
	run->report.xml = run->report.summary = run->report.pairs = "";
	if (options->verbose)
		log_set_level(LOG_DEBUG);
	else if (options->quiet)
		log_set_level(LOG_ERROR);
	progress_begin(options->quiet);
}

/* It would be a pity to find out when guests have migrated for an hour. */
static enum rc evidence_check(const struct options *o, struct err *e)
{
	if (!o->evidence || replace_can(o->evidence))
		return RC_OK;
	return err_set(e, RC_OUTPUT, errno,
		"--evidence %s: it could not be written there: %s; no node was asked",
		o->evidence, strerror(errno));
}

enum rc run_begin(struct run *run, const struct options *options, struct err *e)
{
	enum rc rc;

	run_init(run, options);
	run->ops = bitset_choose(options->simd);
	if (!run->ops)
		return err_set(e, RC_USAGE, 0,
			"%s: --simd %s: no such kernel, or not on this CPU",
			options->verb->name, options->simd ? options->simd : "");
	run->catalogue = catalogue_new(&run->arena, e);
	run->report.catalogue = run->catalogue;
	rc = run->catalogue ? wants_read(run, e) : e->code;
	if (rc == RC_OK)
		rc = evidence_check(options, e);
	if (rc == RC_OK)
		rc = agreement_read(run, e);
	if (rc == RC_OK)
		rc = inventory_read(run, e);
	if (rc == RC_OK)
		rc = agreement_check_nodes(run, e);
	if (rc == RC_OK)
		rc = nodes_make(run, e);
	if (rc == RC_OK && !options->from)
		rc = fleet_make(run, e);
	return rc;
}

enum rc run_begin_on(struct run *run, const struct options *options,
	const struct inventory_node *nodes, size_t count, struct err *e)
{
	enum rc rc = RC_OK;

	run_init(run, options);
	for (size_t i = 0; i < count && rc == RC_OK; i++)
		rc = inventory_add_node(&run->inventory, &nodes[i], &run->arena, e);
	if (rc == RC_OK)
		rc = nodes_make(run, e);
	return rc == RC_OK && count ? fleet_make(run, e) : rc;
}

bool run_has(const struct run *run, size_t node)
{
	return run->nodes[node].err.code == RC_OK;
}

void run_take_errors(struct run *run)
{
	for (size_t i = 0; i < run->count; i++) {
		const struct err *err = fleet_error(run->fleet, i);

		if (run_has(run, i) && err->code != RC_OK)
			run->nodes[i].err = *err;
	}
}

/* What fleet_round() calls: the step's own ask(), but not for failed nodes. */
struct guarded {
	const struct run *run;
	const struct fleet_call *call;
	void *context;
};

static bool guarded_ask(
	void *context, size_t node, enum message_tag *tag, const void **value)
{
	struct guarded *g = context;

	return run_has(g->run, node) && g->call->ask(g->context, node, tag, value);
}

static enum rc guarded_answer(
	void *context, size_t node, const struct message *m, struct err *e)
{
	struct guarded *g = context;

	return g->call->answer(g->context, node, m, e);
}

enum rc run_round(
	struct run *run, const struct fleet_call *call, void *context, struct err *e)
{
	struct guarded guarded = { run, call, context };
	struct fleet_call outer = *call;
	enum rc rc;

	outer.ask = guarded_ask;
	outer.answer = guarded_answer;
	log_line(LOG_INFO, NULL, "%s", call->phase);
	rc = fleet_round(run->fleet, &outer, &guarded, e);
	run_take_errors(run);
	return rc;
}

enum rc run_remark_of(struct run *run, bool warning, const char *about,
	struct texts nodes, const char *text, struct err *e)
{
	struct report *r = &run->report;

	r->remarks = arena_grow(
		&run->arena, r->remarks, r->remark_count, sizeof(*r->remarks));
	if (!text || !r->remarks)
		return err_memory(e);
	r->remarks[r->remark_count++] = (struct report_remark){
		.warning = warning, .about = about, .text = text, .nodes = nodes
	};
	return RC_OK;
}

/* ---- who is to blame */

const char *run_names(struct run *run, bool (*pick)(const struct report_node *n))
{
	struct texts names = { 0 };
	const char *text;
	struct err e;

	for (size_t i = 0; i < run->count; i++)
		if (pick(&run->nodes[i]) &&
			texts_add(&names, run->nodes[i].name, &run->arena, &e) != RC_OK)
			return "";
	text = texts_join(&names, NAMES_SHOWN, &run->arena);
	return text ? text : "";
}

static bool has_failed(const struct report_node *n)
{
	return n->err.code != RC_OK;
}

enum rc run_blame(struct run *run, const char *consequence, struct err *e)
{
	enum rc code;
	size_t failures = report_failures(&run->report, &code);

	if (failures == 0)
		return RC_OK;
	return err_set(e, code, 0, "%zu of %zu nodes failed (%s): %s", failures,
		run->count, run_names(run, has_failed), consequence);
}

/* ---- the end */

static bool wants_colours(FILE *out)
{
	const char *no_color = getenv("NO_COLOR"); /* https://no-color.org */
	const char *term = getenv("TERM");

	return isatty(fileno(out)) && !(no_color && no_color[0]) && term &&
	       strcmp(term, "dumb") != 0;
}

/* " (node01, node02)"; nothing where a remark is about all. */
static const char *remark_nodes(struct arena *arena, const struct texts *nodes)
{
	const char *names = nodes->count ? groups_names(nodes, arena) : NULL;
	const char *text = names ? arena_format(arena, " (%s)", names) : NULL;

	return text ? text : "";
}

static void remarks_log(struct run *run)
{
	const struct report *r = &run->report;

	if (r->virt_note[0])
		log_line(LOG_WARN, NULL, "%s", r->virt_note);
	for (size_t i = 0; i < r->remark_count; i++)
		log_line(r->remarks[i].warning ? LOG_WARN : LOG_INFO, NULL, "%s: %s%s",
			r->remarks[i].about, r->remarks[i].text,
			remark_nodes(&run->arena, &r->remarks[i].nodes));
}

static enum rc outcome_print(struct run *run, enum rc rc, struct err *e)
{
	FILE *out = run->options->as ? stderr : stdout;

	if (run->options->json)
		return json_print(stdout, &run->report, &run->arena, e);
	if (!run->options->as || rc != RC_OK)
		return table_print(out, &run->report, wants_colours(out), &run->arena, e);
	remarks_log(run);
	return document_print(&run->document, e);
}

/* What was done is done, and this may be the only line that anybody sees.  A run that
 * went wrong keeps its own reason. */
static enum rc output_failed(
	const struct run *run, enum rc rc, const struct err *why, struct err *e)
{
	if (rc == RC_OK)
		return err_set(e, why->code, why->native, "%s; the run itself: %s",
			why->text, run->report.summary);
	log_line(LOG_ERROR, NULL, "%s", why->text);
	return rc;
}

void run_rounds_over(struct run *run)
{
	if (run->fleet)
		fleet_release_signals(run->fleet);
}

enum rc run_end(struct run *run, enum rc rc, struct err *e)
{
	struct err trouble = { 0 };

	if (rc != RC_OK)
		run->report.err = *e;
	progress_clear();
	run_rounds_over(run);
	if (outcome_print(run, rc, &trouble) != RC_OK && rc == RC_OK)
		rc = output_failed(run, rc, &trouble, e);
	if (run->options->failed &&
		failed_write(run, &run->report.err, &trouble) != RC_OK)
		rc = output_failed(run, rc, &trouble, e);
	if (run->options->evidence && archive_write(run, &trouble) != RC_OK)
		rc = output_failed(run, rc, &trouble, e);
	fleet_destroy(run->fleet);
	run->fleet = NULL;
	arena_destroy(&run->arena);
	return rc;
}
