/* Tunnels over a jump host whose connection blocks wherever it can: what is sent comes
 * back whole, half-sent packets are finished first, and every end is cleaned up. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "coordinator/net/bastion.h"
#include "coordinator/net/keyring.h"
#include "coordinator/net/world.h"
#include "tests/support/test.h"

enum { NODES_MAX = 48, WINDOW = 5000, BIG = 700 * 1000 };

enum op { OP_NONE, OP_OPEN, OP_READ, OP_WRITE, OP_CLOSE };

/* The server sends back what it gets; what it says has not arrived before the connection
 * was read. */
struct channel {
	struct buf said, arrived;
	bool confirmed, is_open, closing, closed, refused;
	struct channel *next;
};

struct transport {
	int fd;
	bool is_jump;
	/* a jump host's */
	struct channel *channels, *opening;
	const void *half; /* which channel's packet is half sent, */
	enum op half_op;  /* by what */
	uint64_t total, since;
	bool is_up;
	/* a node's */
	size_t number, sent, got;
	unsigned patience; /* turns before it begins to read */
};

static struct play {
	uint64_t random;
	size_t nodes, ended, whole, gave_up, refused, lost;
	size_t open_channels, transports, jumps, ops;
	size_t refuse_each; /* the node whose number is divisible by it; 0: none */
	size_t give_up_each;
	size_t dies_after; /* operations; 0: never */
	uint64_t slow_ms;
	bool blocks;
	int listener, wire[64];
	size_t wires;
	struct world *world;
} play;

static unsigned roll(unsigned sides)
{
	play.random ^= play.random << 13;
	play.random ^= play.random >> 7;
	play.random ^= play.random << 17;
	return (unsigned)(play.random % sides);
}

/* ---- the server's side of the wire */

static void accept_all(void)
{
	int fd;

	while ((fd = accept4(play.listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
		assert_true(play.wires < sizeof(play.wire) / sizeof(*play.wire));
		play.wire[play.wires++] = fd;
	}
}

static int port_of(int fd, int (*name)(int fd, struct sockaddr *address, socklen_t *size))
{
	struct sockaddr_in address = { 0 };
	socklen_t size = sizeof(address);

	return name(fd, (struct sockaddr *)&address, &size) == 0 ? address.sin_port : -1;
}

/* Nothing else wakes the connection. */
static void server_speaks(struct transport *t)
{
	int port = port_of(t->fd, getsockname);

	accept_all();
	for (size_t i = 0; i < play.wires; i++)
		if (port_of(play.wire[i], getpeername) == port)
			send(play.wire[i], "x", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
}

/* Any operation takes in what the server said to all channels. */
static void take_in(struct transport *t)
{
	char data[256];
	ssize_t n;

	while ((n = recv(t->fd, data, sizeof(data), MSG_DONTWAIT)) > 0)
		t->total += (size_t)n;
	for (struct channel *c = t->channels; c; c = c->next) {
		struct bytes said = buf_bytes(&c->said);

		assert_int_equal(buf_append(&c->arrived, said.data, said.size), RC_OK);
		buf_consume(&c->said, said.size);
		c->is_open = c->confirmed;
		c->closed = c->closing;
	}
}

/* May this go on now?  Holds the caller to the same call after half a packet. */
static bool blocks(struct transport *t, const void *who, enum op op)
{
	if (t->half_op != OP_NONE) {
		assert_ptr_equal(t->half, who);
		assert_int_equal(t->half_op, op);
		if (roll(2))
			return true;
		t->half_op = OP_NONE;
		return false;
	}
	if (!play.blocks || roll(3))
		return false;
	t->half = who;
	t->half_op = op;
	return true;
}

static enum rc begin_op(struct transport *t, const void *who, enum op op, struct err *e)
{
	if (play.dies_after && ++play.ops % play.dies_after == 0)
		return err_set(e, RC_SSH, 0, "it died");
	if (blocks(t, who, op))
		return RC_AGAIN;
	take_in(t);
	return RC_OK;
}

/* ---- tunnels */

static void jump_reserve(struct transport *t)
{
	t->is_jump = true;
	play.jumps++;
}

static struct channel *ask_for_channel(struct transport *t, uint16_t port)
{
	struct channel *c = calloc(1, sizeof(*c));

	assert_non_null(c);
	c->said = buf_with_cap(WINDOW);
	c->arrived = buf_with_cap(WINDOW);
	c->refused = play.refuse_each && port % play.refuse_each == 0;
	c->confirmed = true;
	c->next = t->channels;
	t->channels = c;
	play.open_channels++;
	server_speaks(t);
	return c;
}

static void forget_channel(struct transport *t, struct channel *c)
{
	struct channel **at = &t->channels;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	buf_destroy(&c->said);
	buf_destroy(&c->arrived);
	free(c);
	play.open_channels--;
}

static enum rc jump_open(struct transport *t, const char *host, uint16_t port,
	struct channel **out, struct err *e)
{
	enum rc rc = begin_op(t, t, OP_OPEN, e);
	struct channel *c;

	assert_string_equal(host, "node");
	*out = NULL;
	if (rc != RC_OK)
		return rc;
	if (!t->opening)
		t->opening = ask_for_channel(t, port);
	c = t->opening;
	if (!c->is_open)
		return RC_AGAIN;
	t->opening = NULL;
	if (c->refused) {
		forget_channel(t, c);
		return err_set(e, RC_UNREACHABLE, 0, "refuses");
	}
	*out = c;
	return RC_OK;
}

static enum rc jump_read(struct transport *t, struct channel *c, void *data, size_t room,
	size_t *n, struct err *e)
{
	enum rc rc = begin_op(t, c, OP_READ, e);
	struct bytes arrived;

	*n = 0;
	if (rc != RC_OK)
		return rc;
	arrived = buf_bytes(&c->arrived);
	if (arrived.size == 0)
		return RC_AGAIN;
	*n = arrived.size < room ? arrived.size : room;
	if (*n > 1)
		*n = 1 + roll((unsigned)*n);
	memcpy(data, arrived.data, *n);
	buf_consume(&c->arrived, *n);
	server_speaks(t); /* that there is room again */
	return RC_OK;
}

static enum rc jump_write(struct transport *t, struct channel *c, const void *data,
	size_t size, size_t *n, struct err *e)
{
	enum rc rc = begin_op(t, c, OP_WRITE, e);
	size_t room;

	*n = 0;
	if (rc != RC_OK)
		return rc;
	room = WINDOW - buf_bytes(&c->said).size - buf_bytes(&c->arrived).size;
	if (room == 0)
		return RC_AGAIN;
	*n = 1 + roll((unsigned)(size < room ? size : room));
	assert_int_equal(buf_append(&c->said, data, *n), RC_OK);
	server_speaks(t);
	return RC_OK;
}

static enum rc jump_close(struct transport *t, struct channel *c, struct err *e)
{
	enum rc rc = begin_op(t, c, OP_CLOSE, e);

	if (rc != RC_OK)
		return rc;
	if (!c->closing)
		server_speaks(t);
	c->closing = true;
	if (!c->closed)
		return RC_AGAIN;
	forget_channel(t, c);
	return RC_OK;
}

static bool jump_has_more(struct channel *c)
{
	return buf_bytes(&c->arrived).size > 0;
}

static uint64_t jump_received(const struct transport *t)
{
	return t->total;
}

static const struct tunnel_ops tunnels = { jump_reserve, jump_open, jump_read, jump_write,
	jump_close, jump_has_more, jump_received };

/* ---- connections, of the jump host and of the nodes behind it */

static enum rc play_open(struct transport **out, int fd, const char *algorithms,
	const char *const *types, struct err *e)
{
	(void)algorithms;
	(void)types;
	*out = calloc(1, sizeof(**out));
	if (!*out)
		return err_memory(e);
	(*out)->fd = fd;
	(*out)->number = play.transports++;
	return RC_OK;
}

static int play_wait(struct transport *t)
{
	if (t->is_jump && t->is_up)
		return t->half_op == OP_NONE ? TRANSPORT_READ : TRANSPORT_WRITE;
	return TRANSPORT_READ | (t->sent < BIG ? TRANSPORT_WRITE : 0);
}

static uint8_t byte_at(const struct transport *t, size_t at)
{
	return (uint8_t)((at * 2654435761u >> 7) + t->number);
}

static bool send_some(struct transport *t, size_t all)
{
	uint8_t data[3000];
	size_t size = all - t->sent < sizeof(data) ? all - t->sent : sizeof(data);
	ssize_t n;

	for (size_t i = 0; i < size; i++)
		data[i] = byte_at(t, t->sent + i);
	n = size ? send(t->fd, data, size, MSG_NOSIGNAL | MSG_DONTWAIT) : 0;
	t->sent += n > 0 ? (size_t)n : 0;
	return n > 0;
}

/* 1: something, 0: nothing yet, -1: the end. */
static int take_some(struct transport *t)
{
	uint8_t data[5000];
	ssize_t n = recv(t->fd, data, sizeof(data), MSG_DONTWAIT);

	if (n < 0)
		return errno == EAGAIN ? 0 : -1;
	for (ssize_t i = 0; i < n; i++)
		assert_int_equal(data[i], byte_at(t, t->got + (size_t)i));
	t->got += (size_t)n;
	return n > 0 ? 1 : -1;
}

/* While it takes its time, no other connection is tried. */
static enum rc jump_handshake(struct transport *t)
{
	uint64_t now = world_libuv.now_ms(play.world);

	if (t->since == 0)
		t->since = now;
	if (now - t->since < play.slow_ms)
		return RC_AGAIN;
	if (play.slow_ms)
		assert_int_equal(play.jumps, 1);
	play.slow_ms = 0;
	t->is_up = true;
	return RC_OK;
}

/* A node's handshake is the whole conversation.  Nothing is read before nothing more can be
 * sent, for a while, so that every buffer on the way is full once. */
static enum rc play_handshake(struct transport *t, struct err *e)
{
	size_t all = t->number % 5 == 0 || play.nodes == 1 ? BIG : 1 + t->number * 997;
	int took = 1;

	if (t->is_jump)
		return jump_handshake(t);
	while (send_some(t, all))
		t->patience = 50;
	if (play.give_up_each && t->number % play.give_up_each == 0 && t->sent > all / 2)
		return err_set(e, RC_SSH, 0, "gave up");
	if (t->sent < all && t->patience && t->patience--)
		return RC_AGAIN;
	while (t->got < all && took > 0)
		took = take_some(t);
	if (took < 0)
		return err_set(e, RC_SSH, 0, "the end");
	if (t->got == all)
		return err_set(e, RC_SSH, 0, "whole");
	return RC_AGAIN;
}

/* The bytes 0 to 31. */
static const uint8_t key_of_jump[] = "\0\0\0\13ssh-ed25519\0\0\0\40"
				     "\0\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17"
				     "\20\21\22\23\24\25\26\27\30\31\32\33\34\35\36\37";

static enum rc play_host_key(struct transport *t, struct bytes *blob, struct err *e)
{
	(void)t;
	(void)e;
	*blob = (struct bytes){ key_of_jump, sizeof(key_of_jump) - 1 };
	return RC_OK;
}

static enum rc play_login(struct transport *t, const char *user,
	const struct login_key *key, struct agent_wait *who, struct err *e)
{
	(void)t;
	(void)user;
	(void)key;
	(void)who;
	(void)e;
	return RC_OK;
}

static bool play_no(const struct transport *t)
{
	(void)t;
	return false;
}

static bool play_yes(void)
{
	return true;
}

static void play_destroy(struct transport *t)
{
	if (!t)
		return;
	while (t->channels)
		forget_channel(t, t->channels);
	free(t);
}

static const struct transport_ops transport = { .open = play_open,
	.wait = play_wait,
	.handshake = play_handshake,
	.host_key = play_host_key,
	.login = play_login,
	.is_stuck = play_no,
	.has_modern_rsa = play_yes,
	.destroy = play_destroy,
	.tunnels = &tunnels };

/* ---- a run */

static struct session sessions[NODES_MAX];
static struct arena arenas[NODES_MAX];
static struct ssh_settings to_jump, to_node[NODES_MAX];
static struct hostkey_policy hostkeys;
static struct keyring keyring;
static struct session_common common;

/* The world lets the owner see to things before each wait. */
static void look(void *owner)
{
	(void)owner;
	accept_all();
	if (play.ended == play.nodes && play.open_channels == 0)
		world_libuv.stop(play.world);
}

static void settled(struct session *s)
{
	assert_int_equal(s->state, S_FAILED);
	play.ended++;
	play.whole += strcmp(s->err.text, "whole") == 0;
	play.gave_up += strcmp(s->err.text, "gave up") == 0;
	play.refused += s->err.code == RC_UNREACHABLE &&
			strstr(s->err.text, "jump host 127.0.0.1") != NULL;
	play.lost += strstr(s->err.text, "the connection to jump host") != NULL;
}

static void make_jump(void)
{
	static const char *const file = "f", *const path = "/key";
	static struct keyring_entry entry = { { .path = "/key", .state = KEY_READY },
		true };
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);

	play.listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(play.listener, (struct sockaddr *)&address, size), 0);
	assert_int_equal(listen(play.listener, 64), 0);
	getsockname(play.listener, (struct sockaddr *)&address, &size);
	entry.key.blob = (struct bytes){ key_of_jump, sizeof(key_of_jump) - 1 };
	keyring = (struct keyring){ .entries = &entry, .count = 1 };
	pthread_mutex_init(&keyring.hint_lock, NULL);
	to_jump = (struct ssh_settings){ .host = "127.0.0.1",
		.port = ntohs(address.sin_port),
		.user = "user",
		.identity_files = { (const char **)&path, 1 },
		.known_hosts = { (const char **)&file, 1 },
		.host_key_alias = "jump" };
}

static void trust_jump(void)
{
	static const char line[] = "jump ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYH"
				   "CAkKCwwNDg8QERITFBUWFxgZGhscHR4f\n";
	struct err e;

	hostkey_init(&hostkeys);
	assert_rc(hostkey_load_text(&hostkeys, "f",
			  (struct bytes){ (const uint8_t *)line, sizeof(line) - 1 }, &e),
		RC_OK, &e);
}

static void begin_node(size_t i)
{
	static const struct ask_facts request = { 0 };
	struct err e;

	to_node[i] = (struct ssh_settings){ .host = "node",
		.port = (uint16_t)(i + 1),
		.user = "user",
		.known_hosts = to_jump.known_hosts,
		.jump = &to_jump };
	session_init(&sessions[i], &common, "node", &to_node[i], &arenas[i]);
	assert_rc(common.world->bind(play.world, &sessions[i], &e), RC_OK, &e);
	assert_rc(session_open(&sessions[i], MESSAGE_ask_facts, &request, &e), RC_OK, &e);
}

static void run(uint64_t seed, struct play how)
{
	struct err e;

	play = how;
	play.random = seed * 0x9e3779b97f4a7c15u + 1;
	make_jump();
	trust_jump();
	common = (struct session_common){ .transport = &transport,
		.world = &world_libuv.session,
		.hostkeys = &hostkeys,
		.keyring = &keyring,
		.connect = "",
		.connect_ms = 30000,
		.request_ms = 80000,
		.settled = settled };
	play.world = world_libuv.create(look, NULL, &e);
	assert_non_null(play.world);
	for (size_t i = 0; i < play.nodes; i++)
		begin_node(i);
	world_libuv.run(play.world);
	for (size_t i = 0; i < play.nodes; i++) {
		session_destroy(&sessions[i]);
		common.world->unbind(&sessions[i]);
		arena_destroy(&arenas[i]);
	}
	world_libuv.destroy(play.world);
	for (size_t i = 0; i < play.wires; i++)
		close(play.wire[i]);
	close(play.listener);
	hostkey_destroy(&hostkeys);
	assert_int_equal(play.open_channels, 0);
	assert_int_equal(play.ended, play.nodes);
}

/* ---- tests */

static void what_is_sent_comes_back_whole(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 2; seed++) {
		run(seed, (struct play){ .nodes = 40, .blocks = seed % 2 });
		assert_int_equal(play.whole, 40);
		assert_in_range(play.jumps, 1, BASTION_RELAYS);
	}
	/* nobody else wakes the connection */
	run(5, (struct play){ .nodes = 1 });
	assert_int_equal(play.whole, 1);
}

static void a_jump_host_is_tried_by_one_connection(void **state)
{
	(void)state;
	run(1, (struct play){ .nodes = 20, .slow_ms = 1000 });
	assert_int_equal(play.whole, 20);
}

static void a_node_that_hangs_up_or_is_refused_harms_no_other_one(void **state)
{
	(void)state;
	for (uint64_t seed = 1; seed <= 2; seed++) {
		run(seed, (struct play){ .nodes = 40,
				  .refuse_each = 7,
				  .give_up_each = 3,
				  .blocks = true });
		assert_int_equal(play.refused, 5);
		assert_true(play.gave_up > 8);
		assert_int_equal(play.whole + play.gave_up + play.refused, 40);
	}
}

static void a_jump_host_that_dies_at_any_operation_leaves_nothing_behind(void **state)
{
	(void)state;
	for (size_t at = 1; at < 400; at += 1 + at / 4) {
		run(at, (struct play){ .nodes = 12, .dies_after = at, .blocks = true });
		assert_int_equal(play.whole + play.lost + play.refused, 12);
		assert_true(play.lost > 0);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_sent_comes_back_whole),
		cmocka_unit_test(a_jump_host_is_tried_by_one_connection),
		cmocka_unit_test(a_node_that_hangs_up_or_is_refused_harms_no_other_one),
		cmocka_unit_test(
			a_jump_host_that_dies_at_any_operation_leaves_nothing_behind),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
