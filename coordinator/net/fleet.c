#include "coordinator/net/fleet.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/log.h"
#include "coordinator/net/agent.h"
#include "coordinator/net/world.h"

enum {
	CONNECT_S = 30,
	REQUEST_S = 120,
	PARALLEL = 128,
	AGENT_S = 15,	     /* some agents ask their user before they answer */
	GRACE_MS = 5000,     /* for answers under way when the user interrupts */
	LOOKUP_THREADS = 32, /* a dead name server holds one thread for seconds */
	SIGNALS = 3,
	OTHER_FILES = 64 /* the loop, agent, key files, name lookups, our own */
};

struct fleet {
	const struct inventory *inv;
	struct session_common common;
	struct hostkey_policy hostkeys;
	struct image image;
	struct arena arena;
	struct link *links; /* one a node, in the order of the inventory */
	struct world *world;
	uv_prepare_t opener; /* opens sessions while there is room in the window */
	uv_signal_t interrupts[SIGNALS];
	uv_timer_t grace;
	uint32_t parallel;

	fleet_progress_fn *progress;
	void *progress_context;
	const struct fleet_call *call; /* of the round under way */
	void *call_context;
	const char *phase; /* NULL: nothing is under way */
	size_t next;	   /* node to open */
	size_t busy, done, failed, total;
	bool connecting, signals_on, interrupted, deaf;
};

/* ---- progress */

static void report_progress(struct fleet *f)
{
	struct fleet_progress p = { f->phase, f->done, f->failed, f->total };

	if (f->progress && f->phase)
		f->progress(f->progress_context, &p);
}

static void fleet_settled(struct session *s)
{
	struct link *l = s->owner;
	struct fleet *f = l->world->loop.data;

	f->busy--;
	f->done++;
	f->failed += s->err.code != RC_OK;
	report_progress(f);
	if (f->done == f->total)
		uv_stop(&f->world->loop);
}

static enum rc fleet_answer(struct session *s, const struct message *m, struct err *e)
{
	struct link *l = s->owner;
	struct fleet *f = l->world->loop.data;

	return f->call->answer(f->call_context, (size_t)(l - f->links), m, e);
}

/* ---- interruption */

static void cut_short(uv_timer_t *timer)
{
	uv_stop(timer->loop);
}

static void interrupt(uv_signal_t *handle, int number)
{
	struct fleet *f = handle->loop->data;

	(void)number;
	if (f->deaf) {
		f->interrupted = true;
		return;
	}
	/* what is being opened is dropped; answers under way get a moment, unless
	 * the user insists */
	if (f->connecting || f->interrupted)
		uv_stop(handle->loop);
	else
		uv_timer_start(&f->grace, cut_short, GRACE_MS, 0);
	f->interrupted = true;
}

static bool is_ignored(int number)
{
	struct sigaction now;

	return sigaction(number, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
}

/* A terminal that is closed interrupts as well, but not under nohup. */
static void catch_signals(struct fleet *f)
{
	static const int numbers[SIGNALS] = { SIGINT, SIGTERM, SIGHUP };

	for (int i = 0; i < SIGNALS; i++) {
		uv_signal_init(&f->world->loop, &f->interrupts[i]);
		if (numbers[i] != SIGHUP || !is_ignored(SIGHUP))
			uv_signal_start(&f->interrupts[i], interrupt, numbers[i]);
	}
	f->signals_on = true;
}

void fleet_ignore_interrupt(struct fleet *f)
{
	f->deaf = true;
}

static bool is_interrupted(const struct fleet *f)
{
	return f->interrupted && !f->deaf;
}

static enum rc describe_interrupt(const struct fleet *f, struct err *e)
{
	return err_set(e, RC_INTERRUPTED, 0, "interrupted during %s", f->phase);
}

/* ---- running */

/* Runs the loop until every session of this phase has settled; those that an
 * interruption caught in the middle are given up. */
static enum rc fleet_run(struct fleet *f, struct err *e)
{
	while (f->done < f->total) {
		uv_run(&f->world->loop, UV_RUN_DEFAULT);
		if (is_interrupted(f))
			break;
	}
	uv_timer_stop(&f->grace);
	uv_prepare_stop(&f->opener);
	for (size_t i = 0; i < f->inv->count && f->done < f->total; i++)
		if (f->links[i].session.state != S_READY &&
			!session_is_final(&f->links[i].session)) {
			/* those not opened yet count as well */
			f->busy += f->links[i].session.state == S_IDLE;
			session_abort(
				&f->links[i].session, RC_INTERRUPTED, "interrupted");
		}
	return is_interrupted(f) ? describe_interrupt(f, e) : RC_OK;
}

static void open_more(uv_prepare_t *opener)
{
	struct fleet *f = opener->loop->data;

	while (f->next < f->inv->count && f->busy < f->parallel && !is_interrupted(f)) {
		f->busy++;
		session_open(&f->links[f->next++].session);
	}
}

static void begin_phase(struct fleet *f, const char *phase, size_t total)
{
	f->phase = phase;
	f->busy = f->done = f->failed = 0;
	f->total = total;
	/* signals since the last phase */
	uv_run(&f->world->loop, UV_RUN_NOWAIT);
}

enum rc fleet_connect(struct fleet *f, struct err *e)
{
	enum rc rc;

	begin_phase(f, "connect", f->inv->count);
	f->connecting = true;
	report_progress(f);
	uv_prepare_start(&f->opener, open_more);
	rc = fleet_run(f, e);
	f->connecting = false;
	return rc;
}

/* Asks one node; what cannot be asked has settled at once. */
static void ask_node(struct fleet *f, size_t node)
{
	struct session *s = &f->links[node].session;
	enum message_tag tag = MESSAGE_none;
	const void *value = NULL;

	if (!f->call->ask(f->call_context, node, &tag, &value)) {
		f->total--;
		return;
	}
	f->busy++;
	if (session_ask(s, tag, value, &s->err) != RC_OK)
		fleet_settled(s);
}

enum rc fleet_round(
	struct fleet *f, const struct fleet_call *call, void *context, struct err *e)
{
	size_t living = 0;

	f->call = call;
	f->call_context = context;
	for (size_t i = 0; i < f->inv->count; i++)
		living += fleet_is_alive(f, i);
	begin_phase(f, call->phase, living);
	if (is_interrupted(f))
		return describe_interrupt(f, e);
	report_progress(f);
	for (size_t i = 0; i < f->inv->count; i++)
		if (fleet_is_alive(f, i))
			ask_node(f, i);
	return fleet_run(f, e);
}

bool fleet_is_alive(const struct fleet *f, size_t node)
{
	return f->links[node].session.state == S_READY;
}

const struct err *fleet_error(const struct fleet *f, size_t node)
{
	return &f->links[node].session.err;
}

/* ---- life */

static enum rc load_identities(
	struct fleet *f, const struct fleet_options *options, struct err *e)
{
	struct identity *identities;
	enum rc rc = identity_read_all(options->settings[0], &f->arena, &identities,
		&f->common.identity_count, e);

	f->common.identities = identities;
	return rc;
}

/* Less than a node has to connect, so that a node is not blamed for the agent. */
static uint32_t agent_patience_s(const struct fleet_options *options)
{
	uint32_t half = (options->connect_timeout_s ? options->connect_timeout_s
						    : CONNECT_S) /
			2;

	return half < 1 ? 1 : half < AGENT_S ? half : AGENT_S;
}

/* An agent that is of no use is a reason only if nobody gets in without it. */
static enum rc check_agent(
	struct fleet *f, const struct fleet_options *options, struct err *e)
{
	struct err why;

	if (!f->common.use_agent ||
		agent_check(agent_patience_s(options) * 1000, &why) == RC_OK)
		return RC_OK;
	if (why.code == RC_TIMEOUT)
		log_line(LOG_WARN, NULL, "%s", why.text);
	f->common.use_agent = false;
	f->common.why_no_agent = arena_text(&f->arena, why.text);
	return f->common.why_no_agent ? RC_OK : err_memory(e);
}

static enum rc add_nodes(
	struct fleet *f, const struct fleet_options *options, struct err *e)
{
	f->links = arena_alloc(&f->arena, f->inv->count, sizeof(*f->links));
	if (!f->links)
		return err_memory(e);
	for (size_t i = 0; i < f->inv->count; i++) {
		struct session *s = &f->links[i].session;

		session_init(s, &f->common);
		s->name = f->inv->nodes[i].name;
		s->settings = options->settings[i];
		world_add(f->world, &f->links[i]);
	}
	return RC_OK;
}

static void describe_common(struct fleet *f, const struct fleet_options *options)
{
	uint32_t connect_s = options->connect_timeout_s, request_s = options->timeout_s;

	f->image = image_of_peer();
	f->hostkeys.accept_new = options->settings[0]->strict == SSH_STRICT_NEW;
	f->parallel = options->parallel ? options->parallel : PARALLEL;
	f->common.transport = &transport_libssh2;
	f->common.world = &world_libuv;
	f->common.hostkeys = &f->hostkeys;
	f->common.use_agent = options->settings[0]->agent != NULL;
	f->common.become = options->become;
	f->common.connect = options->connect ? options->connect : "";
	f->common.image = &f->image;
	f->common.connect_ms = (connect_s ? connect_s : CONNECT_S) * 1000;
	f->common.request_ms = (request_s ? request_s : REQUEST_S) * 1000;
	f->common.answer = fleet_answer;
	f->common.settled = fleet_settled;
}

/* Every node's connection stays open for the whole run.  What the hard limit allows is
 * taken; where that is not enough it is said before any node is asked. */
static enum rc reserve_files(const struct fleet *f, struct err *e)
{
	rlim_t needed = f->inv->count + OTHER_FILES;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur >= needed)
		return RC_OK;
	if (limit.rlim_max < needed)
		return err_set(e, RC_MEMORY, 0,
			"%zu nodes at once need %llu open files, and ulimit -n allows "
			"%llu here",
			f->inv->count, (unsigned long long)needed,
			(unsigned long long)limit.rlim_max);
	limit.rlim_cur = needed;
	if (setrlimit(RLIMIT_NOFILE, &limit) != 0)
		return err_set(e, RC_MEMORY, errno, "ulimit -n %llu: %s",
			(unsigned long long)needed, strerror(errno));
	return RC_OK;
}

/* Everything on the loop that is not a node's. */
static enum rc start_world(struct fleet *f, struct err *e)
{
	char threads[8];

	/* libuv's documented way to size its pool; the user's own wish wins */
	snprintf(threads, sizeof(threads), "%d", LOOKUP_THREADS);
	setenv("UV_THREADPOOL_SIZE", threads, 0);
	f->world = calloc(1, sizeof(*f->world));
	if (!f->world)
		return err_memory(e);
	if (world_init(f->world, e) != RC_OK) {
		free(f->world);
		f->world = NULL;
		return e->code;
	}
	f->world->loop.data = f;
	uv_prepare_init(&f->world->loop, &f->opener);
	uv_timer_init(&f->world->loop, &f->grace);
	catch_signals(f);
	return RC_OK;
}

struct fleet *fleet_new(const struct inventory *inv, const struct fleet_options *options,
	fleet_progress_fn *progress, void *context, struct err *e)
{
	struct fleet *f;

	if (transport_start(agent_patience_s(options), e) != RC_OK)
		return NULL;
	f = calloc(1, sizeof(*f));
	if (!f) {
		transport_stop();
		err_memory(e);
		return NULL;
	}
	f->inv = inv;
	f->progress = progress;
	f->progress_context = context;
	describe_common(f, options);
	if (reserve_files(f, e) != RC_OK || load_identities(f, options, e) != RC_OK ||
		check_agent(f, options, e) != RC_OK ||
		hostkey_load(&f->hostkeys, options->settings[0]->known_hosts.item,
			options->settings[0]->known_hosts.count, &f->arena, e) != RC_OK ||
		start_world(f, e) != RC_OK || add_nodes(f, options, e) != RC_OK) {
		fleet_destroy(f);
		return NULL;
	}
	return f;
}

/* Says bye to the living and waits for the last words, for a moment. */
static void close_sessions(struct fleet *f)
{
	size_t count = f->links ? f->inv->count : 0;

	f->deaf = true;
	begin_phase(f, NULL, count);
	for (size_t i = 0; i < count; i++) {
		if (session_is_final(&f->links[i].session))
			f->total--;
		else
			session_close(&f->links[i].session);
	}
	while (f->done < f->total)
		uv_run(&f->world->loop, UV_RUN_DEFAULT);
	for (size_t i = 0; i < count; i++) {
		session_destroy(&f->links[i].session);
		world_remove(&f->links[i]);
	}
}

static bool close_world(struct fleet *f)
{
	bool closed;

	close_sessions(f);
	uv_close((uv_handle_t *)&f->opener, NULL);
	uv_close((uv_handle_t *)&f->grace, NULL);
	for (int i = 0; i < SIGNALS && f->signals_on; i++)
		uv_close((uv_handle_t *)&f->interrupts[i], NULL);
	closed = world_close(f->world);
	if (closed)
		free(f->world);
	f->world = NULL;
	return closed;
}

void fleet_destroy(struct fleet *f)
{
	if (!f)
		return;
	/* a name lookup that the system does not come back from keeps its loop; the
	 * program is about to end */
	if (f->world)
		close_world(f);
	arena_destroy(&f->arena);
	free(f);
	transport_stop();
}
