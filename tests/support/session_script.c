#include "tests/support/session_script.h"

#include "base/hex.h"
#include "coordinator/net/base64.h"
#include "proto/frame.h"

struct script script;

const struct manner usual = {
	.file_fits = true, .files = 1, .piece = 1 << 20, .addresses = 1
};

static const char image_text[] = "the bytes of an executable";
static struct image image = { .raw = { (const uint8_t *)image_text, 26 },
	.gzip = { (const uint8_t *)image_text, 13 },
	.sha256 = "abc",
	.machine = "x86_64" };

/* ---- faults */

/* Counts a call; not RC_OK: the call ends like this. *gone: it is the stream's end. */
static enum rc inject(struct err *e, bool *gone)
{
	script.calls++;
	*gone = false;
	script.directions = TRANSPORT_READ;
	if (script.hanging)
		return RC_AGAIN;
	script.stuttered = script.manner.stutters && !script.stuttered;
	if (script.stuttered)
		return RC_AGAIN;
	if (script.calls != script.fault_at)
		return RC_OK;
	switch (script.fault) {
	case FAULT_AGAIN_BOTH:
		script.directions = 0;
		return RC_AGAIN;
	case FAULT_AGAIN:
		return RC_AGAIN;
	case FAULT_HANG:
		script.hanging = true;
		return RC_AGAIN;
	case FAULT_MEMORY:
		return err_memory(e);
	case FAULT_GONE:
		*gone = true;
		return err_set(e, RC_SSH, -13, "gone");
	default:
		return err_set(e, RC_SSH, -1, "injected");
	}
}

static enum rc inject_call(struct err *e)
{
	bool gone;

	return inject(e, &gone);
}

/* For calls that never say "again". */
static enum rc inject_sync(struct err *e)
{
	enum rc rc;

	script.stuttered = script.manner.stutters; /* these never wait */
	rc = inject_call(e);

	return rc == RC_AGAIN ? RC_OK : rc;
}

/* ---- the world */

static enum rc fake_resolve(struct session *s, struct err *e)
{
	enum rc rc = inject_call(e);

	if (rc == RC_OK)
		s->address_count = script.manner.addresses;
	return rc;
}

static enum rc fake_dial(
	struct session *s, const struct session_address *to, struct err *e)
{
	enum rc rc = inject_call(e);

	if (rc != RC_OK)
		return rc;
	if (to < s->addresses + script.manner.dead_addresses)
		return err_set(e, RC_UNREACHABLE, 111, "refused");
	s->fd = 1000;
	return RC_OK;
}

static void fake_hang_up(struct session *s)
{
	s->fd = -1;
	script.hung_up++;
}

static void fake_watch(struct session *s, int directions, bool hot)
{
	(void)s;
	script.hot = hot;
	/* the session turns "nobody knows" into "both" */
	if (script.directions == 0 && directions)
		assert_int_equal(directions, TRANSPORT_READ | TRANSPORT_WRITE);
}

static void fake_alarm(struct session *s, uint64_t ms)
{
	(void)s;
	script.wants_expiry = ms != 0;
}

static uint64_t fake_now(struct session *s)
{
	(void)s;
	return script.now;
}

/* What is in the way of a connection, if anything, is known to the world alone. */
static void fake_explain(struct session *s)
{
	(void)s;
	script.explained++;
}

static enum rc fake_bind(struct world *w, struct session *s, struct err *e)
{
	(void)w;
	(void)s;
	(void)e;
	return RC_OK;
}

static void fake_unbind(struct session *s)
{
	(void)s;
}

/* Whom the sessions' own agent stands for; its keys are already listed. */
static struct agent fake_agent_of_script;

static enum rc fake_agent(struct session *s, const char *path, struct agent_wait *who,
	struct agent **out, struct err *e)
{
	enum rc rc;

	(void)s;
	assert_string_equal(path, "/agent");
	*out = &fake_agent_of_script;
	if (!who)
		return RC_AGAIN;
	rc = inject_call(e);
	if (rc != RC_OK)
		return rc;
	if (script.manner.agent_fails)
		return err_set(e, RC_TIMEOUT, 0, "the ssh-agent hangs");
	return RC_OK;
}

static const struct session_world world = { fake_bind, fake_unbind, fake_resolve,
	fake_dial, fake_hang_up, fake_watch, fake_alarm, fake_now, fake_agent,
	fake_explain };

/* ---- the transport */

static enum rc fake_open(struct transport **out, int fd, const char *wish,
	const char *const *types, struct err *e)
{
	(void)wish;
	(void)types;
	assert_int_equal(fd, 1000);
	if (inject_sync(e) != RC_OK)
		return e->code;
	script.opened++;
	*out = (struct transport *)&script;
	return RC_OK;
}

static int fake_wait(struct transport *t)
{
	(void)t;
	return script.directions;
}

static enum rc fake_handshake(struct transport *t, struct err *e)
{
	(void)t;
	return inject_call(e);
}

static const char host_key_text[] =
	"AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";
static uint8_t host_key[64];
static size_t host_key_size;

static enum rc fake_host_key(struct transport *t, struct bytes *blob, struct err *e)
{
	(void)t;
	*blob = (struct bytes){ host_key, host_key_size };
	return inject_sync(e);
}

static enum rc fake_login(struct transport *t, const char *user,
	const struct login_key *key, struct agent_wait *who, struct err *e)
{
	enum rc rc = inject_call(e);

	(void)t;
	assert_string_equal(user, "user");
	assert_non_null(who);
	if (rc != RC_OK)
		return rc;
	script.offered[script.logins++] = key->name;
	if (script.logins == script.manner.sign_fails_at)
		return err_set(e, RC_AUTH, 0, "the ssh-agent refuses to sign");
	if (key->agent ? script.manner.agent_fits : script.manner.file_fits)
		return RC_OK;
	return err_set(e, RC_AUTH, -18, "refused");
}

static bool fake_is_stuck(const struct transport *t)
{
	(void)t;
	return script.logins && script.logins == script.manner.stuck_at;
}

static bool fake_has_modern_rsa(void)
{
	return false;
}

static enum rc fake_channel(struct transport *t, struct err *e)
{
	(void)t;
	return inject_call(e);
}

static void say(const char *word)
{
	if (script.manner.start)
		buf_append_text(&script.from_peer, script.manner.start);
	else
		buf_format(&script.from_peer, "motd\ncpuherd-start %s %s\n", script.nonce,
			word);
}

static enum rc fake_read(struct transport *t, enum transport_stream stream, void *data,
	size_t room, size_t *n, struct err *e)
{
	struct bytes ready = buf_bytes(&script.from_peer);
	bool gone, stuttered = script.stuttered;
	enum rc rc;

	(void)t;
	if (stream == TRANSPORT_ERR) /* only the other stream stutters */
		script.stuttered = true;
	rc = inject(e, &gone);
	if (stream == TRANSPORT_ERR)
		script.stuttered = stuttered;
	*n = 0;
	if (gone)
		script.eof = true;
	if (rc != RC_OK && !gone)
		return rc;
	if (stream == TRANSPORT_ERR && script.manner.words) {
		*n = strlen(script.manner.words);
		memcpy(data, script.manner.words, *n);
		script.manner.words = NULL;
		return RC_OK;
	}
	if (stream == TRANSPORT_ERR || !ready.size)
		return script.eof ? RC_OK : RC_AGAIN;
	*n = ready.size < room ? ready.size : room;
	*n = *n < script.manner.piece ? *n : script.manner.piece;
	memcpy(data, ready.data, *n);
	buf_consume(&script.from_peer, *n);
	return RC_OK;
}

/* What the peer of the script answers. */
static void peer_answers(const struct message *m)
{
	static const struct welcome welcome = { PROTOCOL_VERSION, "0", 0 };
	static const struct staged staged = { { NULL, 0 } };
	struct facts facts = { .hostname = "scripted", .cmdline = script.manner.cmdline };
	struct failure failure = { script.manner.failure, 5, "no libvirt" };
	struct err e;

	if (m->type->tag == MESSAGE_hello)
		frame_put(&script.from_peer, MESSAGE_welcome, &welcome, &e);
	else if (m->type->tag == MESSAGE_bye)
		script.eof = true;
	else if (script.manner.failure)
		frame_put(&script.from_peer, MESSAGE_failure, &failure, &e);
	else if (script.manner.wrong_answer)
		frame_put(&script.from_peer, MESSAGE_staged, &staged, &e);
	else
		frame_put(&script.from_peer, MESSAGE_facts, &facts, &e);
}

static void peer_takes(const void *data, size_t size)
{
	struct message m;
	struct err e;

	buf_append(&script.to_peer, data, size);
	while (frame_take(&script.to_peer, 1, &script.arena, &m, &e) == RC_OK)
		peer_answers(&m);
}

/* Its first words are on its command line. */
static void peer_starts(const char *word)
{
	say(word);
	if (!script.manner.start)
		peer_takes(script.first, script.first_size);
}

static void peer_hears(const void *data, size_t size)
{
	if (script.manner.must_push && script.pushed < image.gzip.size) {
		assert_true(size <= image.gzip.size - script.pushed);
		assert_memory_equal(data, image.gzip.data + script.pushed, size);
		script.pushed += size;
		if (script.pushed == image.gzip.size)
			peer_starts("have pushed /tmp");
		return;
	}
	peer_takes(data, size);
}

static enum rc fake_exec(struct transport *t, const char *command, struct err *e)
{
	enum rc rc = inject_call(e);
	const char *at = strstr(command, "' cpuherd ");

	(void)t;
	if (rc != RC_OK)
		return rc;
	snprintf(script.nonce, sizeof(script.nonce), "%.32s", at + 10);
	at = strrchr(command, ' ') + 1;
	script.first_size = strlen(at) / 2;
	assert_true(script.first_size <= sizeof(script.first) &&
		    hex_read(at, script.first, script.first_size));
	if (script.manner.must_push)
		say("need gzip /tmp");
	else
		peer_starts("have cached /tmp");
	return RC_OK;
}

static enum rc fake_write(
	struct transport *t, const void *data, size_t size, size_t *n, struct err *e)
{
	enum rc rc = inject_call(e);

	(void)t;
	*n = 0;
	if (rc != RC_OK)
		return rc;
	*n = size < script.manner.piece ? size : script.manner.piece;
	peer_hears(data, *n);
	return RC_OK;
}

static enum rc fake_send_eof(struct transport *t, struct err *e)
{
	(void)t;
	script.eof = true;
	return inject_call(e);
}

static void fake_destroy(struct transport *t)
{
	assert_non_null(t);
	script.destroyed++;
}

static const struct transport_ops transport = { NULL, NULL, fake_open, fake_wait,
	fake_handshake, fake_host_key, fake_login, fake_is_stuck, fake_has_modern_rsa,
	fake_channel, fake_exec, fake_read, fake_write, fake_send_eof, fake_destroy,
	NULL };

/* ---- one run */

static enum rc count_answer(struct session *s, const struct message *m, struct err *e)
{
	(void)s;
	(void)e;
	assert_int_equal(m->type->tag, MESSAGE_facts);
	script.answered++;
	return RC_OK;
}

static void count_settled(struct session *s)
{
	(void)s;
	script.settled++;
}

static const char *known_file = "f";
struct keyring keyring;
static struct keyring_entry entries[SCRIPT_FILES];
static struct agent_key agent_keys[SCRIPT_AGENT_KEYS];
static const char *paths[SCRIPT_FILES] = { "/key0", "/key1", "/key2", "/key3", "/key4",
	"/key5", "/key6", "/key7" };
struct ssh_settings settings;
static struct hostkey_policy hostkeys;
struct session_common common;

/* Public halves of nothing, each different. */
static struct bytes blob_number(unsigned i)
{
	static char blobs[SCRIPT_FILES + SCRIPT_AGENT_KEYS][32];

	memcpy(blobs[i], "\0\0\0\13ssh-ed25519", 15);
	blobs[i][15] = (char)i;
	return (struct bytes){ (const uint8_t *)blobs[i], 16 };
}

struct key *script_key(unsigned i)
{
	return &entries[i].key;
}

static void make_keys(const struct manner *manner)
{
	for (unsigned i = 0; i < SCRIPT_FILES; i++)
		entries[i] = (struct keyring_entry){
			{ .path = paths[i], .state = KEY_READY, .blob = blob_number(i) },
			true
		};
	for (unsigned i = 0; i < SCRIPT_AGENT_KEYS; i++)
		agent_keys[i] = (struct agent_key){ blob_number(SCRIPT_FILES + i),
			"of agent" };
	keyring = (struct keyring){ .entries = entries, .count = SCRIPT_FILES };
	pthread_mutex_init(&keyring.hint_lock, NULL);
	fake_agent_of_script = (struct agent){ .path = "/agent",
		.listed = true,
		.keys = agent_keys,
		.key_count = manner->agent_keys };
	settings = (struct ssh_settings){ .host = "node",
		.user = "user",
		.port = 22,
		.agent = "/agent",
		.identity_files = { paths, manner->files },
		.known_hosts = { &known_file, 1 } };
}

void set_up(const struct manner *manner, struct session *s)
{
	script = (struct script){ .manner = *manner };
	script.to_peer = buf_with_cap(1 << 20);
	script.from_peer = buf_with_cap(1 << 20);
	make_keys(manner);
	common = (struct session_common){ .transport = &transport,
		.world = &world,
		.hostkeys = &hostkeys,
		.keyring = &keyring,
		.connect = "",
		.image = &image,
		.connect_ms = 30000,
		.request_ms = 120000,
		.answer = count_answer,
		.settled = count_settled };
	session_init(s, &common, "node", &settings, &script.messages);
}

static bool rests(const struct session *s)
{
	return s->state == S_READY || s->state == S_IDLE || session_is_final(s);
}

/* Plays the event loop until the session rests. */
void drive(struct session *s)
{
	for (unsigned i = 0; !rests(s); i++) {
		assert_true(i < 10000);
		if (!script.hanging) {
			session_advance(s);
			continue;
		}
		assert_true(script.wants_expiry);
		script.now += 120000;
		session_expire(s);
	}
}

/* Connects, asks once, says bye. */
void whole_life(struct session *s)
{
	static const struct ask_facts request = { 0 };
	struct err e;

	assert_rc(session_open(s, MESSAGE_ask_facts, &request, &e), RC_OK, &e);
	drive(s);
	if (s->state != S_READY || s->err.code != RC_OK)
		return;
	assert_rc(session_ask(s, MESSAGE_ask_facts, &request, &e), RC_OK, &e);
	drive(s);
	if (s->state != S_READY)
		return;
	session_close(s);
	drive(s);
}

void tear_down(struct session *s)
{
	session_destroy(s);
	session_destroy(s);
	assert_int_equal(script.opened, script.destroyed);
	assert_int_equal(s->fd, -1);
	buf_destroy(&script.to_peer);
	buf_destroy(&script.from_peer);
	arena_destroy(&script.arena);
	arena_destroy(&script.messages);
}

int script_make(void **state)
{
	char line[256];
	struct err e;

	(void)state;
	if (!base64_decode(
		    host_key_text, strlen(host_key_text), host_key, &host_key_size))
		return 1;
	hostkey_init(&hostkeys);
	snprintf(line, sizeof(line), "node ssh-ed25519 %s\n", host_key_text);
	return hostkey_load_text(&hostkeys, known_file,
		       (struct bytes){ (const uint8_t *)line, strlen(line) },
		       &e) != RC_OK;
}

int script_unmake(void **state)
{
	(void)state;
	hostkey_destroy(&hostkeys);
	return 0;
}
