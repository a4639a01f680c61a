/* session.h - the life of one connection to one node, as a table of states.
 *
 * A step does one thing and says how it went; only the table in session.c knows
 * what comes next, and only session_enter() changes the state.  The machine
 * itself never blocks and knows no event loop: names, sockets, readiness and time
 * come from a `world` (the fleet's is libuv, a test's is a script), the SSH
 * connection from a table of transport operations.
 *
 * The session fills its own err; it ends in S_DONE or S_FAILED, and everything
 * it holds goes in session_destroy(), which is safe twice.
 */
#ifndef COORDINATOR_SESSION_H
#define COORDINATOR_SESSION_H

#include <sys/socket.h>

#include "coordinator/net/bootstrap.h"
#include "coordinator/net/hostkey.h"
#include "coordinator/net/image.h"
#include "coordinator/net/keyring.h"
#include "coordinator/net/login.h"
#include "coordinator/net/tail.h"
#include "coordinator/net/transport.h"
#include "coordinator/ssh/settings.h"
#include "proto/codec.h"

enum session_state {
	S_IDLE,
	S_RESOLVE,
	S_DIAL,
	S_NEXT_ADDRESS,
	S_HANDSHAKE,
	S_HOST_KEY,
	S_AGENT,
	S_KEY,
	S_LOGIN,
	S_CHANNEL,
	S_RELAY,
	S_EXEC,
	S_START,
	S_PUSH,
	S_PUSHED,
	S_HELLO,
	S_WELCOME,
	S_READY,
	S_REQUEST,
	S_ANSWER,
	S_BYE,
	S_CLOSE,
	S_DONE,
	S_FAILED,
	S_COUNT
};

enum {
	SESSION_ADDRESSES_MAX = 8,
	SESSION_STREAM_BYTES = 4 * 1024 * 1024,	 /* unread bytes of one node */
	SESSION_ANSWER_BYTES = 16 * 1024 * 1024, /* all answers to one request */
};

struct session;
struct world;

struct session_address {
	struct sockaddr_storage address;
	socklen_t size;
	char text[64]; /* numeric */
};

/* What a session needs from around it. */
struct session_world {
	/* Gives the session what it needs of the world (s->handles), and takes it back
	 * when the session is gone. */
	enum rc (*bind)(struct world *w, struct session *s, struct err *e);
	void (*unbind)(struct session *s);
	/* Looks host and port up into s->addresses.  RC_AGAIN: in progress,
	 * session_advance() will be called, which asks again. */
	enum rc (*resolve)(struct session *s, struct err *e);
	/* Connects s->fd to the address, as resolve. */
	enum rc (*dial)(
		struct session *s, const struct session_address *to, struct err *e);
	/* Closes s->fd, if there is one, and sets it to -1; nothing of an earlier
	 * resolve() or watch() calls back any more. */
	void (*hang_up)(struct session *s);
	/* Calls session_advance() when the socket is ready in one of the directions
	 * (transport_direction; 0: not at all); at once with `hot` set, after the
	 * others had their turn. */
	void (*watch)(struct session *s, int directions, bool hot);
	/* Calls session_expire() in so many milliseconds; 0: never.  There is one
	 * alarm, the last one set. */
	void (*alarm)(struct session *s, uint64_t ms);
	uint64_t (*now_ms)(struct session *s);
	/* The ssh-agent at this socket, with its keys listed.  RC_AGAIN: not yet, and who
	 * waits will be woken (NULL: nobody waits); else as agent_list(). */
	enum rc (*agent)(struct session *s, const char *path, struct agent_wait *who,
		struct agent **out, struct err *e);
	/* Before the session fails, or tries another address: adds to s->err what is
	 * known of the way to the node (a jump host, a ProxyCommand).  May be NULL. */
	void (*explain)(struct session *s);
};

/* What all sessions of a fleet share; outlives them. */
struct session_common {
	const struct transport_ops *transport;
	const struct session_world *world;
	struct hostkey_policy *hostkeys;
	struct keyring *keyring;
	const char *connect; /* libvirt URI; "" for the default */
	const struct image *image;
	uint32_t connect_ms, request_ms;
	uint32_t agent_ms; /* an ssh-agent's time for one answer */
	/* Takes one answer to a request: RC_OK: it was the last, RC_AGAIN: more
	 * follow, or an error that ends the exchange but not the session. */
	enum rc (*answer)(struct session *s, const struct message *m, struct err *e);
	/* The session rests in S_READY, S_DONE or S_FAILED. */
	void (*settled)(struct session *s);
	/* Not NULL: the sessions are those of a jump host.  No command is run: after the
	 * login this is called whenever the connection is ready, and never returns RC_OK.
	 * It sets s->idle where nothing is to be waited for. */
	enum rc (*relay)(struct session *s);
};

struct session {
	const struct session_common *common;
	void *owner;   /* the fleet's */
	void *handles; /* the world's */
	const char *name;
	const struct ssh_settings *settings;
	bool trace;  /* log its frames by name and size, whatever the level */
	bool become; /* run the peer through sudo -n */

	enum session_state state;
	enum session_state fell; /* where it was when it failed */
	struct err err;		 /* RC_OK, or why the exchange or the session failed */
	uint64_t opened_ms, exec_ms; /* when it began, when the command was sent */
	uint64_t moved_ms;	     /* when it came into its state */
	uint64_t dial_until_ms, connect_until_ms;
	size_t budget; /* bytes that may be read before others have their turn */
	bool hot;      /* it is used up: there may be more to read */
	bool idle;     /* a relay that has nothing to carry */

	struct session_address addresses[SESSION_ADDRESSES_MAX];
	size_t address_count, address; /* the one in use */
	int fd;
	struct transport *transport;

	struct login login;	  /* the keys to be offered */
	struct agent_wait waits;  /* for the agent's list, or its signature */
	unsigned refused;	  /* keys that the server did not want */
	unsigned refused_rsa;	  /* of these, RSA keys */
	const char *why_no_agent; /* it was of no use; NULL */
	const char *why_no_login; /* a key that the server knew was of no use; NULL */

	struct arena scratch; /* until the connection is gone */
	const char *command;  /* the one on the channel */
	char nonce[BOOTSTRAP_NONCE_MAX];
	struct bootstrap_start start;
	struct bytes push; /* what is still to send of the image */
	struct buf in, out;
	struct tail words; /* the last that the node said on standard error */
	bool eof, eof_sent;

	size_t heard;			    /* bytes of answers to the request */
	uint32_t version;		    /* of the protocol, as agreed */
	const struct message_type *first;   /* the request behind the hello */
	const struct message_type *request; /* the one to be answered */
	const struct message_type *stale;   /* one whose last answers were not awaited */
	struct arena *arena;		    /* messages; the caller's */
};

/* An idle session; everything that is given must outlive it.  Its messages live in the
 * arena, which may see more sessions of the node. */
void session_init(struct session *s, const struct session_common *common,
	const char *name, const struct ssh_settings *settings, struct arena *arena);

/* Begins, with the request that follows the hello at once; S_READY (see s->err for the
 * request) or S_FAILED will follow.  An error means that nothing began. */
enum rc session_open(
	struct session *s, enum message_tag tag, const void *value, struct err *e);

/* Begins with a jump host: it stays in S_RELAY until it fails or is closed. */
void session_open_relay(struct session *s);

/* Runs until the connection blocks, or rests. */
void session_advance(struct session *s);

/* The state's time is up. */
void session_expire(struct session *s);

/* Sends one request from S_READY; S_READY (see s->err) or S_FAILED will follow.
 * An error means nothing was sent and the session is as it was. */
enum rc session_ask(
	struct session *s, enum message_tag tag, const void *value, struct err *e);

/* Ends: from S_READY with a bye, from any other state at once. */
void session_close(struct session *s);

/* Fails the session with a reason that lies outside of it. */
void session_abort(struct session *s, enum rc code, const char *why);

bool session_is_final(const struct session *s);
const char *session_state_name(enum session_state state);

/* Where a session is, as a person wants to know it. */
enum session_stage {
	STAGE_CONNECT, /* name, address, handshake */
	STAGE_LOGIN,
	STAGE_START, /* shell and peer */
	STAGE_ASK,
	STAGE_REST, /* nothing is under way, or only the end */
	STAGE_COUNT
};
enum session_stage session_stage(const struct session *s);
const char *session_stage_name(enum session_stage stage);

/* The session failed before the server knew who was there, for a reason that may have
 * passed in a moment: refused, reset, turned away by MaxStartups, a busy name server. */
bool session_may_retry(const struct session *s);

/* The session failed because the server or the network ended the connection; in a login
 * that is taken for a refusal, which is never to be repeated. */
bool session_was_cut(const struct session *s);

/* Frees and closes everything; safe twice. */
void session_destroy(struct session *s);

/* The table as a drawing, in the language of Graphviz. */
enum rc session_draw(struct buf *out);

#endif
