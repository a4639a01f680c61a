#include "peer/migration.h"

#include <string.h>

#include "base/text.h"
#include "peer/trial_name.h"
#include "proto/frame.h"

/* Milliseconds: for an abort, for libvirt's words about it, for a look at the network with
 * a resolver that is slow, for the second attempt. */
enum { ABORT_MS = 5000, WORDS_MS = 3000, REACH_MS = 12000, DIRECT_MS = 20000 };

/* libvirt's and QEMU's words are a line or two. */
enum { ANSWER_BYTES = 64 * 1024 };

/* ---- the request */

enum rc migration_read(const struct migrate *request, const char *connect,
	struct arena *arena, struct migration *out, struct err *e)
{
	enum rc rc;

	*out = (struct migration){ .connect = connect, .how = request };
	rc = trial_name(request->run, request->guest, arena, &out->domain, e);
	if (rc == RC_OK &&
		(request->limit_s < 1 || request->limit_s > MIGRATION_LIMIT_MAX_S))
		return err_set(e, RC_PROTOCOL, 0,
			"a migration is given 1 to %d s, not %u", MIGRATION_LIMIT_MAX_S,
			request->limit_s);
	if (rc == RC_OK)
		rc = remote_uri_read(request->uri, arena, &out->target, e);
	if (rc == RC_OK && *request->data_uri)
		rc = remote_uri_read_data(request->data_uri, &out->data_port, e);
	if (rc == RC_OK && *request->listen)
		rc = remote_uri_check_listen(request->listen, e);
	return rc;
}

/* ---- what words mean: libvirt has no codes for it */

static bool has_one_of(const char *words, const char *const *needles)
{
	for (; *needles; needles++)
		if (strstr(words, *needles))
			return true;
	return false;
}

/* A connection failed. */
static bool was_unreachable(const char *words)
{
	static const char *const needles[] = { "unable to connect", "nable to resolve",
		"ailed to connect to remote libvirt", "annot recv data",
		"End of file while reading", "timed out", "No route to host",
		"Connection refused", "Connection reset", NULL };

	return has_one_of(words, needles);
}

/* It failed, and libvirt does not say why. */
static bool hides_why(const char *words)
{
	static const char *const needles[] = { "End of file while reading",
		"unexpectedly failed", "client socket is closed", "annot recv data",
		"the cause is unknown", "libvirt gave no reason", NULL };

	return has_one_of(words, needles);
}

/* ---- one call in its child */

/* The whole of it, for the functions below. */
struct attempt {
	struct migration m;
	const struct migration_calls *calls;
	const struct child_wait *wait;
	struct arena *arena;
	struct migrated *out;
};

struct asking {
	const struct migration *m;
	migration_call *call;
};

static void answer(const void *context, struct buf *out)
{
	const struct asking *asking = context;
	struct migrated migrated = { .reason = "", .direct = "", .reach = "", .log = "" };
	struct arena arena = { 0 };
	struct err e;

	asking->call(asking->m, &arena, &migrated);
	/* what does not arrive is told by the parent */
	(void)frame_put(out, MESSAGE_migrated, &migrated, &e);
}

static enum rc begin(
	const struct attempt *a, migration_call *call, struct child *c, struct err *e)
{
	const struct asking asking = { &a->m, call };

	return child_start(c, answer, &asking, ANSWER_BYTES, e);
}

static enum rc hear(
	struct child *c, const struct child_wait *wait, unsigned limit_ms, struct err *e)
{
	struct child_wait how = *wait;

	how.limit_ms = limit_ms;
	return child_hear(c, &how, e);
}

/* Decoded texts are the arena's own. */
static void make_printable(struct migrated *m)
{
	text_make_printable((char *)m->reason);
	text_make_printable((char *)m->reach);
}

/* RC_PROTOCOL when it said something else, or ended in the middle. */
static enum rc understand(
	const struct attempt *a, struct child *c, struct migrated *out, struct err *e)
{
	struct message message = { 0 };
	enum rc rc = frame_take(&c->said, PROTOCOL_VERSION, a->arena, &message, e);

	if (rc == RC_MEMORY)
		return rc;
	if (rc != RC_OK || message.type->tag != MESSAGE_migrated)
		return err_set(e, RC_PROTOCOL, 0,
			"the process that asked libvirt ended without an answer");
	*out = *(const struct migrated *)message.value;
	make_printable(out);
	return RC_OK;
}

/* A call on whose answer nothing depends; false: it gave none. */
static bool ask(const struct attempt *a, migration_call *call,
	const struct child_wait *wait, unsigned limit_ms, struct migrated *out)
{
	struct child child;
	struct err e;
	enum rc rc = begin(a, call, &child, &e);

	if (rc != RC_OK)
		return false;
	rc = hear(&child, wait, limit_ms, &e);
	if (rc == RC_OK)
		rc = understand(a, &child, out, &e);
	child_end(&child);
	return rc == RC_OK;
}

/* ---- the migration */

/* The job is told to end, and the sender has a moment to say with which words it did. */
static enum rc give_up(struct attempt *a, struct child *sender, struct err *e)
{
	const struct child_wait alone = { .caller = -1 };
	struct migrated end = { .reason = "" };
	const char *words;

	a->m.given_up = true;
	if (!ask(a, a->calls->abort, &alone, ABORT_MS, &end))
		end.reason = "libvirt did not answer when it was told to abort";
	if (hear(sender, &alone, WORDS_MS, e) == RC_OK)
		(void)understand(a, sender, a->out, e);
	if (a->out->ok)
		return RC_OK;
	words = *a->out->reason ? a->out->reason : end.reason;
	a->out->reason = arena_format(a->arena, "given up after %u s%s%s",
		a->m.how->limit_s, *words ? ": " : "", words);
	a->out->ms = a->m.how->limit_s * 1000;
	return a->out->reason ? RC_OK : err_memory(e);
}

static enum rc send_it(struct attempt *a, struct err *e)
{
	struct child child;
	struct err left;
	enum rc rc = begin(a, a->calls->send, &child, e);

	if (rc != RC_OK)
		return rc;
	rc = hear(&child, a->wait, a->m.how->limit_s * 1000, e);
	left = *e;
	if (rc == RC_OK)
		rc = understand(a, &child, a->out, e);
	else if (rc == RC_TIMEOUT || rc == RC_INTERRUPTED)
		rc = give_up(a, &child, e);
	child_end(&child);
	if (a->m.given_up && left.code == RC_INTERRUPTED) {
		*e = left;
		return left.code;
	}
	if (rc != RC_PROTOCOL && rc != RC_LIMIT)
		return rc;
	a->out->reason = arena_text(a->arena, e->text);
	return a->out->reason ? RC_OK : err_memory(e);
}

/* ---- why not */

static enum rc look_at_the_way(struct attempt *a, struct err *e)
{
	struct migrated seen = { .reach = "" };

	if (ask(a, a->calls->reach, a->wait, REACH_MS, &seen))
		a->out->reach = seen.reach;
	else
		a->out->reach = arena_format(a->arena,
			"%s: its name was not resolved here within %d s",
			a->m.target.host, REACH_MS / 1000);
	return a->out->reach ? RC_OK : err_memory(e);
}

/* Not where the user's way is a tunnel: the words of a second attempt, which has none,
 * could be about ports that nobody meant to open. */
static enum rc ask_the_target(struct attempt *a, struct err *e)
{
	struct migrated second = { .reason = "" };

	if (a->m.how->tunnelled || !ask(a, a->calls->direct, a->wait, DIRECT_MS, &second))
		return RC_OK;
	/* the same words once more say nothing */
	if (strcmp(second.reason, a->out->reason) != 0)
		a->out->direct = second.reason;
	if (second.ok)
		a->out->direct = arena_text(a->arena,
			"without peer-to-peer it went well: the guest is at the target "
			"now");
	return a->out->direct ? RC_OK : err_memory(e);
}

enum rc migration_run(const struct migration *m, const struct migration_calls *calls,
	const struct child_wait *wait, struct arena *arena, struct migrated *out,
	struct err *e)
{
	struct attempt a = { *m, calls, wait, arena, out };
	enum rc rc;

	*out = (struct migrated){ .reason = "", .direct = "", .reach = "", .log = "" };
	rc = send_it(&a, e);
	if (rc != RC_OK || out->ok)
		return rc;
	if (a.m.given_up || was_unreachable(out->reason))
		rc = look_at_the_way(&a, e);
	if (rc == RC_OK && !a.m.given_up && !*out->reach && hides_why(out->reason))
		rc = ask_the_target(&a, e);
	return rc;
}
