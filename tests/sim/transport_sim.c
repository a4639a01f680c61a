#include "tests/sim/transport_sim.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hex.h"
#include "proto/frame.h"
#include "proto/limits.h"

enum { STREAM_BYTES = 16 * 1024 * 1024, NOISE_BYTES = 4096 };

atomic_size_t transport_sim_open;

static struct sim_node *all_nodes;
static uint8_t right_key[128], wrong_key[128];
static size_t key_size;

/* One connection, with the peer at its other end. */
struct transport {
	struct sim_node *node;
	char nonce[BOOTSTRAP_NONCE_MAX];
	struct buf to_peer, from_peer;
	struct arena arena;
	uint64_t heard_at; /* when what the peer said arrives */
	bool says_nothing; /* any more */
	bool eof, cut;
	const void *noise; /* what it says for ever; NULL: it does not */
	size_t noise_size;
};

void transport_sim_set(struct sim_node *nodes, const uint8_t *host_key, size_t size)
{
	atomic_store(&transport_sim_open, 0);
	all_nodes = nodes;
	key_size = size;
	memcpy(right_key, host_key, size);
	memcpy(wrong_key, host_key, size);
	wrong_key[size - 1] ^= 1;
}

/* ---- the peer */

/* Says these bytes, or what the manner wants at this step instead. */
static void peer_says(struct transport *t, enum sim_step step, struct bytes words)
{
	static const char garbage[] = "\0\0\0\10no words of ours";
	static const uint8_t big[] = { 0x7f, 0xff, 0xff, 0xff, 0 };
	static const char noise[NOISE_BYTES] = "a line of a motd that never ends";
	enum sim_fault fault = sim_fault_at(t->node, step);

	if (t->says_nothing)
		return;
	t->heard_at = sim_now(t->node) + t->node->step_ms;
	t->says_nothing = fault != SIM_GOOD && fault != SIM_TWICE && fault != SIM_DENIAL;
	t->cut = fault == SIM_RESET;
	t->eof = fault == SIM_CLOSED;
	if (fault == SIM_GARBAGE)
		buf_append(&t->from_peer, garbage, sizeof(garbage));
	else if (fault == SIM_BIG)
		buf_append(&t->from_peer, big, sizeof(big));
	else if (fault == SIM_ENDLESS)
		t->noise = noise, t->noise_size = sizeof(noise);
	else if (fault == SIM_GOOD || fault == SIM_TWICE || fault == SIM_WRONG ||
		 fault == SIM_DENIAL || fault == SIM_HYDRA)
		buf_append(&t->from_peer, words.data, words.size);
	if (fault == SIM_TWICE)
		buf_append(&t->from_peer, words.data, words.size);
	if (fault == SIM_HYDRA) {
		t->noise = arena_text_n(&t->arena, words.data, words.size);
		t->noise_size = words.size;
	}
}

static void peer_answers(
	struct transport *t, enum sim_step step, enum message_tag tag, const void *value)
{
	static const struct staged staged = { { NULL, 0 } };
	static const struct failure failure = { "LIBVIRT", 5, "no libvirt" };
	struct buf words = buf_with_cap(STREAM_BYTES);
	struct err e;

	switch (sim_fault_at(t->node, step)) {
	case SIM_WRONG:
		frame_put(&words, MESSAGE_staged, &staged, &e);
		break;
	case SIM_DENIAL:
		frame_put(&words, MESSAGE_failure, &failure, &e);
		break;
	default:
		frame_put(&words, tag, value, &e);
	}
	peer_says(t, step, buf_bytes(&words));
	buf_destroy(&words);
}

static void peer_hears(struct transport *t, const struct message *m)
{
	struct welcome welcome = { PROTOCOL_VERSION, "0", 0 };
	char *cmdline = arena_alloc(&t->arena, t->node->manner->cmdline + 1, 1);
	struct facts facts = { .hostname = t->node->name, .cmdline = cmdline };
	struct vote vote = { .yes = true };
	static const uint8_t registers[1000];
	struct body body = { .name = "registers", .content = { registers, 1000 } };

	memset(cmdline, 'x', t->node->manner->cmdline);
	switch (m->type->tag) {
	case MESSAGE_hello:
		peer_answers(t, SIM_WELCOME, MESSAGE_welcome, &welcome);
		break;
	case MESSAGE_propose:
		vote.round = ((const struct propose *)m->value)->round;
		peer_answers(t, SIM_ANSWER, MESSAGE_vote, &vote);
		break;
	case MESSAGE_ask_bodies:
		peer_answers(t, SIM_ANSWER, MESSAGE_body, &body);
		break;
	case MESSAGE_bye:
		t->eof = true;
		t->heard_at = sim_now(t->node) + t->node->step_ms;
		break;
	default:
		peer_answers(t, SIM_ANSWER, MESSAGE_facts, &facts);
	}
}

static void peer_takes(struct transport *t, const void *data, size_t size)
{
	struct message m;
	struct err e;

	buf_append(&t->to_peer, data, size);
	while (frame_take(&t->to_peer, PROTOCOL_VERSION, &t->arena, &m, &e) == RC_OK)
		peer_hears(t, &m);
}

/* The shell runs the command: its nonce, and the peer's first words as its last word. */
static void shell_runs(struct transport *t, const char *command)
{
	uint8_t first[LIMIT_FIRST_BYTES];
	const char *at = strstr(command, "' cpuherd ") + strlen("' cpuherd ");
	size_t size;
	char line[128];
	int n;

	snprintf(t->nonce, sizeof(t->nonce), "%s", at);
	n = snprintf(line, sizeof(line), "cpuherd-start %s have cached /tmp\n", t->nonce);
	peer_says(t, SIM_START, (struct bytes){ (const uint8_t *)line, (size_t)n });
	at = strrchr(command, ' ') + 1;
	size = strlen(at) / 2;
	if (hex_read(at, first, size))
		peer_takes(t, first, size);
}

/* ---- the transport */

static enum rc sim_start(struct err *e)
{
	(void)e;
	return RC_OK;
}

static void sim_stop(void)
{
}

/* Counts a call that never says "not yet". */
static enum rc count_sync(struct sim_node *n, struct err *e)
{
	enum sim_fault fault;
	bool was_mute = n->mute;
	enum rc rc;

	n->mute = false;
	rc = sim_count(n, &fault, e);
	n->mute = n->mute || was_mute;
	return rc == RC_AGAIN ? RC_OK : rc;
}

static enum rc sim_open(struct transport **out, int fd, const char *wish,
	const char *const *types, struct err *e)
{
	struct sim_node *n = &all_nodes[fd - SIM_FD];
	struct transport *t;

	(void)wish;
	(void)types;
	if (count_sync(n, e) != RC_OK)
		return e->code;
	t = calloc(1, sizeof(*t));
	if (!t)
		return err_memory(e);
	t->node = n;
	t->to_peer = buf_with_cap(STREAM_BYTES);
	t->from_peer = buf_with_cap(STREAM_BYTES);
	n->transport = t;
	atomic_fetch_add(&transport_sim_open, 1);
	*out = t;
	return RC_OK;
}

static void sim_destroy(struct transport *t)
{
	if (!t)
		return;
	t->node->transport = NULL;
	atomic_fetch_sub(&transport_sim_open, 1);
	buf_destroy(&t->to_peer);
	buf_destroy(&t->from_peer);
	arena_destroy(&t->arena);
	free(t);
}

static int sim_wait(struct transport *t)
{
	return t->node->directions;
}

static enum rc sim_handshake(struct transport *t, struct err *e)
{
	return sim_pass(t->node, SIM_HANDSHAKE, e);
}

static enum rc sim_host_key(struct transport *t, struct bytes *blob, struct err *e)
{
	bool wrong = sim_fault_at(t->node, SIM_HANDSHAKE) == SIM_WRONG_KEY;

	*blob = (struct bytes){ wrong ? wrong_key : right_key, key_size };
	return count_sync(t->node, e);
}

static enum rc sim_login(struct transport *t, const char *user,
	const struct login_key *key, struct agent_wait *who, struct err *e)
{
	(void)user;
	(void)key;
	(void)who;
	return sim_pass(t->node, SIM_LOGIN, e);
}

static bool sim_is_stuck(const struct transport *t)
{
	(void)t;
	return false;
}

static bool sim_has_modern_rsa(void)
{
	return true;
}

static enum rc sim_channel(struct transport *t, struct err *e)
{
	return sim_pass(t->node, SIM_CHANNEL, e);
}

static enum rc sim_exec(struct transport *t, const char *command, struct err *e)
{
	enum rc rc = sim_pass(t->node, SIM_EXEC, e);

	if (rc == RC_OK) {
		t->node->step = SIM_START;
		shell_runs(t, command);
	}
	return rc;
}

/* As much as this call moves. */
static size_t piece_of(const struct sim_node *n, enum sim_fault fault, size_t size)
{
	size_t piece = fault == SIM_SHORT ? 1 : n->manner->piece;

	return piece && piece < size ? piece : size;
}

static enum rc stutter(struct sim_node *n)
{
	n->stuttered = n->manner->stutters && !n->stuttered;
	return n->stuttered ? sim_later(n, 1) : RC_OK;
}

static void make_noise(struct transport *t)
{
	buf_append(&t->from_peer, t->noise, t->noise_size);
	t->heard_at = sim_now(t->node) + 1;
}

/* What there is to read of the peer's words: they do not go on before their time. */
static enum rc read_words(struct transport *t, enum sim_fault fault, void *data,
	size_t room, size_t *n, struct err *e)
{
	struct bytes ready = buf_bytes(&t->from_peer);

	if (sim_now(t->node) < t->heard_at)
		return sim_later(t->node, t->heard_at - sim_now(t->node));
	if (ready.size) {
		*n = piece_of(t->node, fault, ready.size < room ? ready.size : room);
		memcpy(data, ready.data, *n);
		buf_consume(&t->from_peer, *n);
		return RC_OK;
	}
	if (t->cut)
		return err_set(e, RC_SSH, ECONNRESET, "reset by the script");
	if (t->eof)
		return RC_OK;
	if (!t->noise)
		return RC_AGAIN;
	make_noise(t);
	return sim_later(t->node, 1);
}

static enum rc sim_read(struct transport *t, enum transport_stream stream, void *data,
	size_t room, size_t *n, struct err *e)
{
	enum sim_fault fault;
	enum rc rc = sim_count(t->node, &fault, e);

	*n = 0;
	if (rc != RC_OK)
		return rc;
	if (fault == SIM_CLOSED)
		t->eof = t->says_nothing = true, buf_destroy(&t->from_peer);
	if (fault == SIM_GARBAGE) {
		*n = room < 100 ? room : 100;
		memset(data, 0xc1, *n);
		return RC_OK;
	}
	if (stream == TRANSPORT_ERR)
		return t->eof ? RC_OK : RC_AGAIN;
	rc = stutter(t->node);
	return rc == RC_OK ? read_words(t, fault, data, room, n, e) : rc;
}

static enum rc sim_write(
	struct transport *t, const void *data, size_t size, size_t *n, struct err *e)
{
	enum sim_fault fault;
	enum rc rc = sim_count(t->node, &fault, e);

	*n = 0;
	t->node->directions = rc == RC_AGAIN && t->node->directions ? TRANSPORT_WRITE
								    : t->node->directions;
	if (rc == RC_OK)
		rc = stutter(t->node);
	if (rc != RC_OK)
		return rc;
	if (fault == SIM_CLOSED || fault == SIM_GARBAGE)
		return err_set(e, RC_SSH, EPIPE, "nobody reads any more");
	*n = piece_of(t->node, fault, size);
	peer_takes(t, data, *n);
	return RC_OK;
}

static enum rc sim_send_eof(struct transport *t, struct err *e)
{
	t->eof = true;
	return count_sync(t->node, e);
}

const struct transport_ops transport_sim = {
	.start = sim_start,
	.stop = sim_stop,
	.open = sim_open,
	.wait = sim_wait,
	.handshake = sim_handshake,
	.host_key = sim_host_key,
	.login = sim_login,
	.is_stuck = sim_is_stuck,
	.has_modern_rsa = sim_has_modern_rsa,
	.channel = sim_channel,
	.exec = sim_exec,
	.read = sim_read,
	.write = sim_write,
	.send_eof = sim_send_eof,
	.destroy = sim_destroy,
};
