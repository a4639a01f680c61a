#include "peer/serve.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "peer/place.h"
#include "peer/stream.h"
#include "peer/watchdog.h"
#include "proto/limits.h"
#include "proto/virt.h"

const struct serve serve_standard = {
	.in = STDIN_FILENO,
	.out = STDOUT_FILENO,
	.limit_s = SERVE_LIMIT_S,
	.patience_ms = SERVE_PATIENCE_S * 1000,
	.root = "",
	.judge = libvirt_judge,
	.gather = gather_facts,
};

struct dialogue {
	const struct serve *serve;
	struct stream stream;
	uint32_t version; /* 0: no hello yet */
	bool over;
	struct arena arena; /* lives as long as the dialogue */
	const char *connect;
	struct place_world world;

	struct arena facts_arena;
	struct node_facts facts;
	bool has_facts;

	struct arena run_arena; /* of guest */
	struct placing place;
	struct libvirt_guest guest; /* that the staged content is for */

	struct buf last_words; /* the watchdog's: a failure, as a frame */
};

static enum rc answer(
	struct dialogue *d, enum message_tag tag, const void *value, struct err *e)
{
	return frame_put(&d->stream.output, tag, value, e);
}

static enum rc answer_failure(struct dialogue *d, const struct err *why, struct err *e)
{
	struct failure failure = { rc_name(why->code), (uint32_t)why->native, why->text };

	return answer(d, MESSAGE_failure, &failure, e);
}

/* ---- libvirt under the watchdog */

/* From the handler of SIGALRM, in the middle of a call of libvirt: system calls
 * only.  The output is empty then, so the frame comes at a boundary. */
static void say_last_words(void *context)
{
	static const char text[] = "cpuherd-peer: libvirt does not answer; giving up\n";
	struct dialogue *d = context;
	struct bytes frame = buf_bytes(&d->last_words);
	struct err e;
	bool changed;

	(void)place_close(&d->place, &changed, &e);
	if (write(d->serve->out, frame.data, frame.size) < 0 ||
		write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		return;
}

static enum rc arm(struct dialogue *d, struct err *e)
{
	struct watchdog_last_words words = { say_last_words, d };
	struct err late;
	struct failure failure;

	err_set(&late, RC_TIMEOUT, 0, "libvirt did not answer within %u s",
		d->serve->limit_s);
	failure = (struct failure){ rc_name(late.code), 0, late.text };
	buf_consume(&d->last_words, buf_bytes(&d->last_words).size);
	if (frame_put(&d->last_words, MESSAGE_failure, &failure, e) != RC_OK)
		return e->code;
	watchdog_arm(d->serve->limit_s, rc_exit_status(RC_TIMEOUT), &words);
	return RC_OK;
}

static enum rc judge(struct dialogue *d, const struct libvirt_guest *guest,
	const char *cpu, struct arena *scratch, struct libvirt_verdict *out,
	struct err *e)
{
	enum rc rc;

	if (*guest->virt_type && virt_of(guest->virt_type) == VIRT_COUNT)
		return err_set(e, RC_PROTOCOL, 0, "there is no virt type \"%.32s\"",
			guest->virt_type);
	rc = arm(d, e);
	if (rc != RC_OK)
		return rc;
	rc = d->serve->judge(d->connect, guest, cpu, scratch, out, e);
	watchdog_disarm();
	return rc;
}

/* ---- hello, facts */

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
	d->version = version;
	return answer(d, MESSAGE_welcome, &welcome, e);
}

static enum rc gather(struct dialogue *d, struct err *e)
{
	enum rc rc = arm(d, e);

	if (rc != RC_OK)
		return rc;
	d->has_facts = false;
	arena_destroy(&d->facts_arena);
	rc = d->serve->gather(&d->facts, d->connect, &d->facts_arena, e);
	watchdog_disarm();
	d->has_facts = rc == RC_OK;
	return rc;
}

static enum rc handle_ask_facts(
	struct dialogue *d, const void *request, struct arena *scratch, struct err *e)
{
	enum rc rc = gather(d, e);

	(void)request;
	(void)scratch;
	return rc == RC_OK ? answer(d, MESSAGE_facts, &d->facts.small, e) : rc;
}

/* All names are good before the first body goes out: a failure in the middle
 * would leave the coordinator waiting for the rest. */
static enum rc check_names(
	const struct dialogue *d, const struct texts *names, struct err *e)
{
	if (names->count == 0 || names->count > BODY_COUNT)
		return err_set(e, RC_PROTOCOL, 0, "%zu bodies asked for, 1 to %d can be",
			names->count, BODY_COUNT);
	for (size_t i = 0; i < names->count; i++) {
		enum body_id id = body_id_of(names->item[i]);

		if (id == BODY_COUNT || !d->facts.present[id])
			return err_set(e, RC_PROTOCOL, 0,
				"this node has no body \"%.64s\"", names->item[i]);
	}
	return RC_OK;
}

static enum rc send_body(struct dialogue *d, enum body_id id, bool last, struct err *e)
{
	struct buf content = buf_with_cap(LIMIT_BODY_BYTES);
	struct body body = { .name = body_rows[id].name, .last = last };
	enum rc rc = facts_body_bytes(&d->facts, id, &content, e);

	body.content = buf_bytes(&content);
	if (rc == RC_OK)
		rc = answer(d, MESSAGE_body, &body, e);
	buf_destroy(&content);
	/* each on its own: all of them together may exceed the output buffer */
	return rc == RC_OK ? stream_flush(&d->stream, e) : rc;
}

static enum rc handle_ask_bodies(
	struct dialogue *d, const void *request, struct arena *scratch, struct err *e)
{
	const struct texts *names = &((const struct ask_bodies *)request)->names;
	enum rc rc = d->has_facts ? RC_OK : gather(d, e);

	(void)scratch;
	if (rc == RC_OK)
		rc = check_names(d, names, e);
	for (size_t i = 0; i < names->count && rc == RC_OK; i++)
		rc = send_body(d, body_id_of(names->item[i]), i + 1 == names->count, e);
	return rc;
}

/* ---- negotiation */

static enum rc handle_propose(
	struct dialogue *d, const void *request, struct arena *scratch, struct err *e)
{
	const struct propose *p = request;
	struct libvirt_guest guest = { p->virt_type, p->emulator, p->arch, p->machine };
	struct libvirt_verdict verdict;
	struct vote vote = { .round = p->round };
	enum rc rc = judge(d, &guest, p->cpu, scratch, &verdict, e);

	if (rc != RC_OK)
		return rc;
	vote.yes = verdict.accepted;
	vote.features = verdict.features;
	vote.reason = verdict.reason;
	return answer(d, MESSAGE_vote, &vote, e);
}

/* ---- places */

static enum rc look_at(struct dialogue *d, const struct spot *spot, struct arena *scratch,
	struct found *out, struct err *e)
{
	struct place_content now = { .arena = scratch };
	struct digest *digest = arena_alloc(scratch, 1, sizeof(*digest));
	char *path;
	enum rc rc = place_path(&d->world, spot->place, spot->name, scratch, &path, e);

	if (!digest)
		return err_memory(e);
	if (rc == RC_OK)
		rc = place_look(&d->world, path, &now, e);
	if (rc != RC_OK)
		return rc;
	*digest = now.digest;
	*out = (struct found){
		.path = path, .exists = now.exists, .ours = true, .content = now.content
	};
	if (now.exists)
		out->digest = (struct bytes){ digest->byte, DIGEST_BYTES };
	return RC_OK;
}

static enum rc handle_look(
	struct dialogue *d, const void *request, struct arena *scratch, struct err *e)
{
	const struct look *look = request;
	size_t count = look->spots.count;
	struct found *found = arena_alloc(scratch, count, sizeof(*found));
	struct seen seen = { { found, count } };
	enum rc rc = RC_OK;

	if (!found)
		return err_memory(e);
	for (size_t i = 0; i < count && rc == RC_OK; i++)
		rc = look_at(d, (const struct spot *)look->spots.item + i, scratch,
			&found[i], e);
	return rc == RC_OK ? answer(d, MESSAGE_seen, &seen, e) : rc;
}

/* Before libvirt is bothered; place_stage() checks again, under its lock. */
static enum rc check_expected(const struct dialogue *d, const char *path,
	struct bytes expected, struct arena *scratch, struct err *e)
{
	struct place_content now = { .arena = scratch };
	enum rc rc = place_look(&d->world, path, &now, e);

	if (rc != RC_OK)
		return rc;
	if (now.exists ? digest_equals(&now.digest, expected) : expected.size == 0)
		return RC_OK;
	return err_set(
		e, RC_CONFLICT, 0, "%s is not what it was when it was looked at", path);
}

static enum rc judge_content(struct dialogue *d, const struct libvirt_guest *guest,
	struct bytes content, struct arena *scratch, struct libvirt_verdict *out,
	struct err *e)
{
	char *cpu = arena_text_n(scratch, content.data, content.size);

	if (!cpu)
		return err_memory(e);
	if (strlen(cpu) != content.size) {
		*out = (struct libvirt_verdict){ .reason = "it holds a NUL byte" };
		return RC_OK;
	}
	return judge(d, guest, cpu, scratch, out, e);
}

/* Keeps the guest for verify. */
static enum rc keep_guest(struct dialogue *d, const struct stage *s, struct err *e)
{
	struct arena *a = &d->run_arena;

	arena_destroy(a);
	d->guest = (struct libvirt_guest){ arena_text(a, s->virt_type),
		arena_text(a, s->emulator), arena_text(a, s->arch),
		arena_text(a, s->machine) };
	return d->guest.virt_type && d->guest.emulator && d->guest.arch &&
			       d->guest.machine
		       ? RC_OK
		       : err_memory(e);
}

static enum rc handle_stage(
	struct dialogue *d, const void *request, struct arena *scratch, struct err *e)
{
	const struct stage *s = request;
	struct libvirt_guest guest = { s->virt_type, s->emulator, s->arch, s->machine };
	const struct change *c = s->changes.item;
	struct place_request wanted = { .run = s->run };
	struct libvirt_verdict verdict;
	struct staging staging;
	struct staged staged = { { &staging, 1 } };
	char *path;
	enum rc rc;

	if (s->changes.count != 1)
		return err_set(e, RC_PROTOCOL, 0, "%zu changes", s->changes.count);
	rc = place_path(&d->world, c->place, c->name, scratch, &path, e);
	/* staged before: what is there now may be the new content already */
	if (rc == RC_OK && d->place.state == PLACE_FREE)
		rc = check_expected(d, path, c->expected, scratch, e);
	if (rc == RC_OK)
		rc = judge_content(d, &guest, c->content, scratch, &verdict, e);
	if (rc != RC_OK)
		return rc;
	if (!verdict.accepted)
		return err_set(e, RC_VOTE, 0, "libvirt refuses what shall be written: %s",
			verdict.reason);
	wanted.path = path;
	wanted.content = c->content;
	wanted.expected = c->expected;
	rc = place_stage(&d->place, &d->world, &wanted, e);
	if (rc == RC_OK)
		rc = keep_guest(d, s, e);
	staging = (struct staging){ path, d->place.state == PLACE_UNCHANGED };
	return rc == RC_OK ? answer(d, MESSAGE_staged, &staged, e) : rc;
}

static enum rc handle_commit(
	struct dialogue *d, const void *request, struct arena *scratch, struct err *e)
{
	struct committed committed;
	enum rc rc = place_commit(
		&d->place, ((const struct commit *)request)->run, &committed.changed, e);

	(void)scratch;
	return rc == RC_OK ? answer(d, MESSAGE_committed, &committed, e) : rc;
}

static enum rc handle_verify(
	struct dialogue *d, const void *request, struct arena *scratch, struct err *e)
{
	const char *run = ((const struct verify *)request)->run;
	struct place_content now = { .arena = scratch };
	struct libvirt_verdict verdict;
	struct reading reading;
	struct verified verified = { { &reading, 1 } };
	enum rc rc = place_read_back(&d->place, &d->world, run, &now, e);

	if (rc == RC_OK && !now.exists)
		rc = err_set(e, RC_CONFLICT, 0, "%s has gone", d->place.path);
	if (rc == RC_OK)
		rc = judge_content(d, &d->guest, now.content, scratch, &verdict, e);
	if (rc != RC_OK)
		return rc;
	reading = (struct reading){ d->place.path, now.content, verdict.accepted,
		verdict.reason };
	return answer(d, MESSAGE_verified, &verified, e);
}

static enum rc handle_revert(
	struct dialogue *d, const void *request, struct arena *scratch, struct err *e)
{
	struct reverted reverted;
	enum rc rc = place_revert(
		&d->place, ((const struct revert *)request)->run, &reverted.changed, e);

	(void)scratch;
	return rc == RC_OK ? answer(d, MESSAGE_reverted, &reverted, e) : rc;
}

static enum rc handle_keep(
	struct dialogue *d, const void *request, struct arena *scratch, struct err *e)
{
	struct kept kept;
	enum rc rc = place_keep(
		&d->place, ((const struct keep *)request)->run, &kept.changed, e);

	(void)scratch;
	return rc == RC_OK ? answer(d, MESSAGE_kept, &kept, e) : rc;
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
	enum rc (*handle)(struct dialogue *d, const void *request, struct arena *scratch,
		struct err *e);
} handlers[] = {
	{ MESSAGE_hello, handle_hello },
	{ MESSAGE_ask_facts, handle_ask_facts },
	{ MESSAGE_ask_bodies, handle_ask_bodies },
	{ MESSAGE_propose, handle_propose },
	{ MESSAGE_look, handle_look },
	{ MESSAGE_stage, handle_stage },
	{ MESSAGE_commit, handle_commit },
	{ MESSAGE_verify, handle_verify },
	{ MESSAGE_revert, handle_revert },
	{ MESSAGE_keep, handle_keep },
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

/* Is there something to put back or to remove? */
static bool in_run(const struct dialogue *d)
{
	return d->place.state == PLACE_STAGED || d->place.state == PLACE_COMMITTED;
}

/* Reads and answers one request.  A failure ends the dialogue. */
static enum rc serve_one(struct dialogue *d, struct arena *scratch, struct err *e)
{
	uint32_t version = d->version ? d->version : PROTOCOL_VERSION_MIN;
	struct message message = { 0 };
	struct err why;
	enum rc rc;
	bool is_over;

	/* between runs there is nothing that a lost coordinator could leave undone */
	d->stream.patience_ms = in_run(d) ? d->serve->patience_ms : 0;
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

/* Puts back what was not kept. */
static enum rc finish(struct dialogue *d, enum rc rc, struct err *e)
{
	bool busy = in_run(d);
	struct err why;
	bool changed;

	if (place_close(&d->place, &changed, &why) != RC_OK) {
		*e = why;
		return why.code;
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
	arena_destroy(&d.run_arena);
	arena_destroy(&d.facts_arena);
	arena_destroy(&d.arena);
	return rc;
}
