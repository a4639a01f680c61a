#include "peer/serve.h"

#include <string.h>
#include <unistd.h>

#include "peer/dialogue.h"
#include "peer/watchdog.h"

const struct serve serve_standard = {
	.in = STDIN_FILENO,
	.out = STDOUT_FILENO,
	.limit_s = SERVE_LIMIT_S,
	.patience_ms = SERVE_PATIENCE_S * 1000,
	.root = "",
	.judge = libvirt_judge,
	.gather = gather_facts,
	.domains = &libvirt_domains,
	.trials = &trial_ways,
	.migrations = &migration_calls,
};

enum rc dialogue_answer(
	struct dialogue *d, enum message_tag tag, const void *value, struct err *e)
{
	return frame_put(&d->stream.output, tag, value, e);
}

static enum rc answer_failure(struct dialogue *d, const struct err *why, struct err *e)
{
	struct failure failure = { rc_name(why->code), (uint32_t)why->native, why->text };

	return dialogue_answer(d, MESSAGE_failure, &failure, e);
}

/* ---- the watchdog */

/* From the handler of SIGALRM, in the middle of a call of libvirt: system calls
 * only.  The output is empty then, so the frame comes at a boundary. */
static void say_last_words(void *context)
{
	static const char text[] = "cpuherd-peer: libvirt does not answer; giving up\n";
	struct dialogue *d = context;
	struct bytes frame = buf_bytes(&d->last_words);

	run_abandon(&d->run);
	if (write(d->serve->out, frame.data, frame.size) < 0 ||
		write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		return;
}

enum rc dialogue_arm(struct dialogue *d, struct err *e)
{
	struct watchdog_last_words words = { say_last_words, d };
	struct err late;
	struct failure failure;

	err_set(&late, RC_TIMEOUT, 0, "libvirt did not answer within %u s%s",
		d->serve->limit_s,
		run_is_at_risk(&d->run) && run_needs_more_than_system_calls(&d->run)
			? "; what was written through it stays until cpuherd rollback"
			: "");
	failure = (struct failure){ rc_name(late.code), 0, late.text };
	buf_consume(&d->last_words, buf_bytes(&d->last_words).size);
	if (frame_put(&d->last_words, MESSAGE_failure, &failure, e) != RC_OK)
		return e->code;
	watchdog_arm(d->serve->limit_s, rc_exit_status(RC_TIMEOUT), &words);
	return RC_OK;
}

/* ---- hello, bye */

static enum rc handle_hello(
	struct dialogue *d, const void *request, struct arena *scratch, struct err *e)
{
	const struct hello *hello = request;
	uint32_t version = hello->version_max < PROTOCOL_VERSION ? hello->version_max
								 : PROTOCOL_VERSION;
	struct welcome welcome = { version, CPUHERD_VERSION, (uint32_t)geteuid() };
	enum rc rc;

	(void)scratch;
	if (version < hello->version_min || version < PROTOCOL_VERSION_MIN)
		return err_set(e, RC_PROTOCOL, 0,
			"the coordinator speaks protocol %u to %u, this peer %d to %d",
			hello->version_min, hello->version_max, PROTOCOL_VERSION_MIN,
			PROTOCOL_VERSION);
	d->connect = *hello->connect ? hello->connect : "qemu:///system";
	if (!libvirt_uri_is_allowed(d->connect))
		return err_set(e, RC_LIBVIRT, 0,
			"libvirt URI \"%.64s\": only qemu:///system and qemu:///session "
			"are accepted",
			d->connect);
	d->connect = arena_text(&d->arena, d->connect);
	if (!d->connect)
		return err_memory(e);
	rc = place_world_of_uri(&d->world, d->connect, &d->arena, e);
	if (rc != RC_OK)
		return rc;
	d->world.root = d->serve->root;
	d->site = (struct run_site){ &d->world, d->connect, d->serve->judge,
		d->serve->domains };
	run_init(&d->run, &d->site);
	trials_init(&d->trials, d->serve->trials, d->connect, &d->world, d->stream.in);
	d->version = version;
	return dialogue_answer(d, MESSAGE_welcome, &welcome, e);
}

static enum rc handle_bye(
	struct dialogue *d, const void *request, struct arena *scratch, struct err *e)
{
	(void)request, (void)scratch, (void)e;
	d->over = true;
	return RC_OK;
}

/* ---- the dialogue */

static const struct handler {
	enum message_tag tag;
	handler_fn *handle;
} handlers[] = {
	{ MESSAGE_hello, handle_hello },
	{ MESSAGE_ask_facts, handle_ask_facts },
	{ MESSAGE_ask_bodies, handle_ask_bodies },
	{ MESSAGE_ask_domains, handle_ask_domains },
	{ MESSAGE_propose, handle_propose },
	{ MESSAGE_look, handle_look },
	{ MESSAGE_stage, handle_stage },
	{ MESSAGE_commit, handle_commit },
	{ MESSAGE_verify, handle_verify },
	{ MESSAGE_revert, handle_revert },
	{ MESSAGE_keep, handle_keep },
	{ MESSAGE_forget, handle_forget },
	{ MESSAGE_recover, handle_recover },
	{ MESSAGE_ask_nova, handle_ask_nova },
	{ MESSAGE_try, handle_try },
	{ MESSAGE_meet, handle_meet },
	{ MESSAGE_dismiss, handle_dismiss },
	{ MESSAGE_migrate, handle_migrate },
	{ MESSAGE_bye, handle_bye },
};

static const struct handler *handler_of(enum message_tag tag)
{
	for (size_t i = 0; i < sizeof(handlers) / sizeof(handlers[0]); i++)
		if (handlers[i].tag == tag)
			return &handlers[i];
	return NULL;
}

/* Out of order, or not for a peer? */
static enum rc check_order(
	const struct dialogue *d, const struct message_type *type, struct err *e)
{
	if (!handler_of(type->tag))
		return err_set(e, RC_PROTOCOL, 0, "%s is no request", type->name);
	if (type->tag == MESSAGE_hello && d->version)
		return err_set(e, RC_PROTOCOL, 0, "a second hello");
	if (type->tag != MESSAGE_hello && !d->version)
		return err_set(e, RC_PROTOCOL, 0, "%s before hello", type->name);
	return RC_OK;
}

/* Else there is nothing that a lost coordinator could leave undone. */
static bool is_busy(const struct dialogue *d)
{
	return d->version && (run_is_at_risk(&d->run) || trials_have_begun(&d->trials));
}

/* Reads and answers one request.  A failure ends the dialogue. */
static enum rc serve_one(struct dialogue *d, struct arena *scratch, struct err *e)
{
	uint32_t version = d->version ? d->version : PROTOCOL_VERSION_MIN;
	struct message message = { 0 };
	struct err why;
	enum rc rc;
	bool is_over;

	d->stream.patience_ms = is_busy(d) ? d->serve->patience_ms : 0;
	rc = stream_take(&d->stream, version, scratch, &message, &why);
	is_over = rc != RC_OK;
	if (rc == RC_AGAIN) {
		d->over = true;
		return RC_OK;
	}
	if (rc == RC_OK) {
		rc = check_order(d, message.type, &why);
		is_over = rc != RC_OK || message.type->tag == MESSAGE_hello;
	}
	if (rc == RC_OK)
		rc = handler_of(message.type->tag)
			     ->handle(d, message.value, scratch, &why);
	if (rc != RC_OK)
		rc = answer_failure(d, &why, e);
	else
		is_over = false;
	if (rc == RC_OK)
		rc = stream_flush(&d->stream, e);
	if (!is_over)
		return rc;
	/* the reason for the end matters more than that it could not be sent */
	*e = why;
	return why.code;
}

static enum rc serve_all(struct dialogue *d, struct err *e)
{
	enum rc rc = RC_OK;

	while (rc == RC_OK && !d->over) {
		struct arena scratch = { 0 };

		rc = serve_one(d, &scratch, e);
		arena_destroy(&scratch);
	}
	return rc;
}

/* Puts back what was not kept, and ends what was only tried. */
static enum rc leave(struct dialogue *d, struct err *e)
{
	struct err other;
	enum rc rc = run_leave(&d->run, e);
	enum rc ended = trials_leave(&d->trials, rc == RC_OK ? e : &other);

	return rc == RC_OK ? ended : rc;
}

static enum rc finish(struct dialogue *d, enum rc rc, struct err *e)
{
	bool busy = d->version && run_is_at_risk(&d->run);
	enum rc left = RC_OK;
	struct err why;

	/* who hangs here would hold the node for ever, and nobody listens any more */
	if (is_busy(d))
		(void)dialogue_arm(d, &why);
	if (d->version)
		left = leave(d, &why);
	watchdog_disarm();
	if (left != RC_OK) {
		*e = why;
		return left;
	}
	if (rc == RC_OK && busy)
		return err_set(e, RC_INTERRUPTED, 0,
			"the coordinator left in the middle of a run; it was reverted");
	return rc;
}

static enum rc hear_first(struct dialogue *d, struct err *e)
{
	struct bytes first = d->serve->first;

	return buf_append(&d->stream.input, first.data, first.size) == RC_OK
		       ? RC_OK
		       : err_memory(e);
}

enum rc serve_run(const struct serve *serve, struct err *e)
{
	struct dialogue d = { .serve = serve, .last_words = buf_with_cap(4096) };
	enum rc rc;

	stream_open(&d.stream, serve->in, serve->out);
	rc = hear_first(&d, e);
	if (rc == RC_OK)
		rc = serve_all(&d, e);
	rc = finish(&d, rc, e);
	stream_close(&d.stream);
	buf_destroy(&d.last_words);
	arena_destroy(&d.facts_arena);
	arena_destroy(&d.arena);
	return rc;
}
