/* cheap-server: an SSH server that costs about a millisecond of CPU a connection, for
 * measurements of the client (a real sshd costs twenty times as much and would be what
 * is measured).
 *
 *	cheap-server PORT HOST_KEY AUTHORIZED_KEYS FACTS PAYLOAD [DELAY_MS]
 *
 * It listens on all of 127.0.0.0/8, so that 127.1.2.3 and 127.1.2.4 are two nodes; port
 * 0 is one of the kernel's choice.  The port that it listens on is the one line it
 * prints.  A command that starts a peer is answered as a peer would (cheap_peer.h), any
 * other one by the bytes of PAYLOAD; both after DELAY_MS, which is what a node would
 * need to find its facts.  It ends with the process that started it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <libssh/callbacks.h>
#include <libssh/libssh.h>
#include <libssh/server.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/bench/cheap_peer.h"

enum {
	KEYS_MAX = 16,
	STACK_BYTES = 256 * 1024,
	BACKLOG = 4096,
	IDLE_MS = 120000,
	PAYLOAD_MAX = 1024 * 1024
};

static struct {
	ssh_bind bind;
	ssh_key keys[KEYS_MAX];
	size_t key_count;
	struct cheap_peer peer;
	char *payload;
	size_t payload_size;
	unsigned delay_ms;
} server;

/* One connection: a thread. */
struct connection {
	ssh_session session;
	ssh_channel channel;
	struct ssh_server_callbacks_struct of_session;
	struct ssh_channel_callbacks_struct of_channel;
	struct cheap_dialogue dialogue;
	bool logged_in, started, is_peer, waited, ended, closed;
};

/* ---- what libssh calls */

static int on_key(ssh_session session, const char *user, struct ssh_key_struct *key,
	char state, void *context)
{
	struct connection *c = context;

	(void)session, (void)user;
	for (size_t i = 0; i < server.key_count; i++)
		if (ssh_key_cmp(key, server.keys[i], SSH_KEY_CMP_PUBLIC) == 0) {
			c->logged_in |= state == SSH_PUBLICKEY_STATE_VALID;
			return SSH_AUTH_SUCCESS;
		}
	return SSH_AUTH_DENIED;
}

static int on_exec(
	ssh_session session, ssh_channel channel, const char *command, void *context)
{
	struct connection *c = context;
	struct err e;
	enum rc rc = c->started ? RC_PROTOCOL
				: cheap_dialogue_start(&c->dialogue, command, &e);

	(void)session, (void)channel;
	c->started = true;
	c->is_peer = rc == RC_OK;
	return rc == RC_OK || rc == RC_INPUT ? 0 : 1;
}

static int on_env(ssh_session session, ssh_channel channel, const char *name,
	const char *value, void *context)
{
	(void)session, (void)channel, (void)name, (void)value, (void)context;
	return 0;
}

/* Ansible asks for one. */
static int on_terminal(ssh_session session, ssh_channel channel, const char *name,
	int width, int height, int pixels_x, int pixels_y, void *context)
{
	(void)session, (void)channel, (void)name, (void)context;
	(void)width, (void)height, (void)pixels_x, (void)pixels_y;
	return 0;
}

static int on_data(ssh_session session, ssh_channel channel, void *data, uint32_t size,
	int is_stderr, void *context)
{
	struct connection *c = context;

	(void)session, (void)channel, (void)is_stderr;
	if (buf_append(&c->dialogue.in, data, size) != RC_OK)
		c->closed = true;
	return (int)size;
}

static void on_close(ssh_session session, ssh_channel channel, void *context)
{
	struct connection *c = context;

	(void)session, (void)channel;
	c->closed = true;
}

static void on_eof(ssh_session session, ssh_channel channel, void *context)
{
	struct connection *c = context;

	(void)session, (void)channel;
	c->dialogue.over = true;
}

static ssh_channel on_channel(ssh_session session, void *context)
{
	struct connection *c = context;

	if (c->channel || !c->logged_in)
		return NULL;
	c->channel = ssh_channel_new(session);
	c->of_channel = (struct ssh_channel_callbacks_struct){
		.userdata = c,
		.channel_exec_request_function = on_exec,
		.channel_env_request_function = on_env,
		.channel_pty_request_function = on_terminal,
		.channel_data_function = on_data,
		.channel_eof_function = on_eof,
		.channel_close_function = on_close,
	};
	ssh_callbacks_init(&c->of_channel);
	ssh_set_channel_callbacks(c->channel, &c->of_channel);
	return c->channel;
}

/* ---- one connection */

/* What is to say goes out in one write. */
static bool say(struct connection *c, const void *data, size_t size)
{
	return size == 0 ||
	       ssh_channel_write(c->channel, data, (uint32_t)size) == (int)size;
}

static bool answer(struct connection *c)
{
	struct cheap_dialogue *d = &c->dialogue;
	struct bytes out;
	struct err e;

	if (cheap_dialogue_answer(d, &e) != RC_OK)
		return false;
	out = buf_bytes(&d->out);
	if (!say(c, out.data, out.size))
		return false;
	buf_consume(&d->out, out.size);
	return true;
}

static void end_command(struct connection *c)
{
	ssh_channel_request_send_exit_status(c->channel, 0);
	ssh_channel_send_eof(c->channel);
	ssh_channel_close(c->channel);
	c->ended = true;
}

/* After each thing that the client sent: what there is to say to it. */
static bool react(struct connection *c)
{
	bool good;

	if (!c->started || c->ended)
		return true;
	if (!c->waited && server.delay_ms)
		usleep(server.delay_ms * 1000);
	c->waited = true;
	good = c->is_peer ? answer(c) : say(c, server.payload, server.payload_size);
	if (good && (!c->is_peer || c->dialogue.over))
		end_command(c);
	return good;
}

/* The login, the channel, the command, the dialogue: until one of the two has enough. */
static void serve(struct connection *c, ssh_event event)
{
	while (!c->closed && ssh_event_dopoll(event, IDLE_MS) == SSH_OK)
		if (!react(c))
			return;
}

static void *connection_run(void *argument)
{
	struct connection c = { .session = ssh_new() };
	int fd = (int)(intptr_t)argument, one = 1;
	ssh_event event = ssh_event_new();

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	cheap_dialogue_open(&c.dialogue, &server.peer);
	c.of_session = (struct ssh_server_callbacks_struct){ .userdata = &c,
		.auth_pubkey_function = on_key,
		.channel_open_request_session_function = on_channel };
	ssh_callbacks_init(&c.of_session);
	ssh_set_server_callbacks(c.session, &c.of_session);
	ssh_set_auth_methods(c.session, SSH_AUTH_METHOD_PUBLICKEY);
	if (ssh_bind_accept_fd(server.bind, c.session, fd) == SSH_OK &&
		ssh_handle_key_exchange(c.session) == SSH_OK &&
		ssh_event_add_session(event, c.session) == SSH_OK) {
		serve(&c, event);
		ssh_event_remove_session(event, c.session);
	}
	ssh_event_free(event);
	ssh_disconnect(c.session);
	ssh_free(c.session);
	cheap_dialogue_close(&c.dialogue);
	return NULL;
}

/* ---- the server */

static void die(const char *what, const char *why)
{
	fprintf(stderr, "cheap-server: %s: %s\n", what, why);
	exit(1);
}

static void load_keys(const char *path)
{
	FILE *file = fopen(path, "r");
	char line[4096], type[64], blob[4000];

	if (!file)
		die(path, strerror(errno));
	while (server.key_count < KEYS_MAX && fgets(line, sizeof(line), file))
		if (sscanf(line, "%63s %3999s", type, blob) == 2 &&
			ssh_pki_import_pubkey_base64(blob, ssh_key_type_from_name(type),
				&server.keys[server.key_count]) == SSH_OK)
			server.key_count++;
	fclose(file);
	if (!server.key_count)
		die(path, "there is no public key in it");
}

static void load_payload(const char *path)
{
	FILE *file = fopen(path, "rb");

	server.payload = malloc(PAYLOAD_MAX);
	if (!file || !server.payload)
		die(path, strerror(errno));
	server.payload_size = fread(server.payload, 1, PAYLOAD_MAX, file);
	fclose(file);
}

static void load_host_key(const char *path)
{
	bool no = false;
	ssh_key key;

	if (ssh_pki_import_privkey_file(path, NULL, NULL, NULL, &key) != SSH_OK)
		die(path, "it is no private key");
	server.bind = ssh_bind_new();
	ssh_bind_options_set(server.bind, SSH_BIND_OPTIONS_PROCESS_CONFIG, &no);
	/* taken over; read from a file it would be by the first connections at once */
	ssh_bind_options_set(server.bind, SSH_BIND_OPTIONS_IMPORT_KEY, key);
}

static int listen_on(const char *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)atoi(port)) };
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), one = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&address, size) != 0 ||
		listen(fd, BACKLOG) != 0 ||
		getsockname(fd, (struct sockaddr *)&address, &size) != 0)
		die(port, strerror(errno));
	printf("%u\n", ntohs(address.sin_port));
	fflush(stdout);
	return fd;
}

static void accept_for_ever(int listener)
{
	pthread_attr_t small;

	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, STACK_BYTES);
	pthread_attr_setdetachstate(&small, PTHREAD_CREATE_DETACHED);
	for (;;) {
		int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
		pthread_t thread;

		if (fd < 0)
			usleep(1000); /* no descriptors: some will come back */
		else if (pthread_create(&thread, &small, connection_run,
				 (void *)(intptr_t)fd) != 0)
			close(fd);
	}
}

int main(int argc, char **argv)
{
	struct rlimit files;
	struct err e;

	if (argc < 6)
		die("usage", "PORT HOST_KEY AUTHORIZED_KEYS FACTS PAYLOAD [DELAY_MS]");
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	signal(SIGPIPE, SIG_IGN);
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	ssh_init();
	load_host_key(argv[2]);
	load_keys(argv[3]);
	if (cheap_peer_load(&server.peer, argv[4], &e) != RC_OK)
		die("facts", e.text);
	load_payload(argv[5]);
	server.delay_ms = argc > 6 ? (unsigned)atoi(argv[6]) : 0;
	accept_for_ever(listen_on(argv[1]));
}
