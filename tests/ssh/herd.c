#include "tests/ssh/herd.h"

#include <fcntl.h>
#include <pwd.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/support/test.h"

struct site site;

void herd_init(struct herd *h)
{
	memset(h, 0, sizeof(*h));
	snprintf(h->record, sizeof(h->record), "%s/known_hosts", site.folder);
	unlink(h->record);
	h->inventory.nodes = h->nodes;
	h->identities[0] = site.user_key;
	h->known_hosts[0] = h->record;
	h->settings = (struct ssh_settings){ .host = "127.0.0.1",
		.user = getpwuid(getuid())->pw_name,
		.identities_named = true,
		.identity_files = { h->identities, 1 },
		.known_hosts = { h->known_hosts, 1 } };
	h->options.connect = "";
	h->options.connect_timeout_s = 60;
	h->options.timeout_s = 60;
}

void herd_add(struct herd *h, const struct server *s)
{
	struct inventory_node *node = &h->nodes[h->inventory.count++];

	node->name = "node";
	node->host = "127.0.0.1";
	node->port = s->port;
}

void trust(const struct herd *h, const struct server *s, const char *key)
{
	test_run("(printf '[127.0.0.1]:%u '; cat %s.pub) >>%s", s->port, key, h->record);
}

void herd_settle(struct herd *h)
{
	for (size_t i = 0; i < h->inventory.count; i++) {
		h->each[i] = h->settings;
		h->each[i].host = h->nodes[i].host;
		h->each[i].port = h->nodes[i].port;
		h->list[i] = &h->each[i];
	}
	h->options.settings = h->list;
}

/* A server, trusted, one node; connected. */
struct server herd_one(struct herd *h, const struct server_options *options)
{
	struct server s = server_start(&site, options);

	herd_init(h);
	herd_add(h, &s);
	trust(h, &s, site.host_key);
	return s;
}

static bool ask_facts(
	void *context, size_t node, enum message_tag *tag, const void **value)
{
	static const struct ask_facts request = { 0 };

	(void)context;
	(void)node;
	*tag = MESSAGE_ask_facts;
	*value = &request;
	return true;
}

static enum rc take_facts(
	void *context, size_t node, const struct message *m, struct err *e)
{
	struct herd *h = context;
	const struct facts *facts = m->value;

	(void)e;
	assert_int_equal(m->type->tag, MESSAGE_facts);
	snprintf(h->hostnames[node], sizeof(h->hostnames[node]), "%s", facts->hostname);
	h->answers[node]++;
	return RC_OK;
}

static const struct fleet_call facts_call = { "facts", ask_facts, take_facts,
	.hold = true };

static enum rc greet(void *context, size_t node, const struct message *m, struct err *e)
{
	(void)context;
	(void)node;
	(void)m;
	(void)e;
	return RC_OK;
}

/* The first round opens the sessions. */
static const struct fleet_call first_call = { "connect", ask_facts, greet, .hold = true };

enum rc herd_new(struct herd *h)
{
	herd_settle(h);
	h->fleet = fleet_new(&h->inventory, &h->options, &h->err);
	return h->fleet ? RC_OK : h->err.code;
}

enum rc herd_connect(struct herd *h)
{
	if (herd_new(h) != RC_OK)
		return h->err.code;
	return fleet_round(h->fleet, &first_call, h, &h->err);
}

enum rc herd_ask(struct herd *h)
{
	return fleet_round(h->fleet, &facts_call, h, &h->err);
}

void herd_end(struct herd *h, struct server *s)
{
	fleet_destroy(h->fleet);
	server_stop(s);
}

/* The first node failed with this code and these words. */
void assert_refused(struct herd *h, enum rc code, const char *words)
{
	const struct err *e;

	assert_rc(herd_connect(h), RC_OK, &h->err);
	assert_false(fleet_is_alive(h->fleet, 0));
	e = fleet_error(h->fleet, 0);
	assert_rc(e->code, code, e);
	assert_contains(e->text, words);
}

/* A packaged peer (it comes first) that does what the body says. */
struct server herd_with_peer(struct herd *h, const char *body)
{
	char config[512], path[160];
	struct server_options options = { SERVER_SSHD, 0, config };
	struct server s;

	snprintf(path, sizeof(path), "%s/cpuherd-peer", site.folder);
	unlink(path);
	test_write_file(path, body);
	chmod(path, 0755);
	snprintf(config, sizeof(config),
		"SetEnv PATH=%s:/usr/bin:/bin HOME=%s XDG_RUNTIME_DIR=%s/empty\n",
		site.folder, site.home, site.folder);
	s = server_start(&site, &options);
	herd_init(h);
	herd_add(h, &s);
	trust(h, &s, site.host_key);
	return s;
}

/* ---- agents */

void real_agent_start(struct real_agent *a, const char *environment)
{
	/* one that ends removes its socket, so the next must have another */
	static unsigned number;
	char path[160], *pid;

	snprintf(a->socket, sizeof(a->socket), "%s/agent%u", site.folder, number++);
	snprintf(path, sizeof(path), "%s.pid", a->socket);
	test_run("%s ssh-agent -a %s | sed -n 's/.*SSH_AGENT_PID=\\([0-9]*\\);.*/\\1/p' "
		 ">%s",
		environment, a->socket, path);
	pid = read_text(path);
	a->pid = (pid_t)atoi(pid);
	free(pid);
	assert_true(a->pid > 0);
}

void real_agent_end(const struct real_agent *a)
{
	kill(a->pid, SIGTERM);
}

int agent_listen(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_STREAM, 0);

	unlink(path);
	snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	assert_int_equal(bind(listener, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(listener, 8), 0);
	return listener;
}

/* ---- the site */

/* Nobody who runs the tests is to be asked for a passphrase. */
static void leave_terminal(void)
{
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return;
	ioctl(fd, TIOCNOTTY);
	close(fd);
}

/* Direct children of a process, ours if pid is 0. */
int count_children(pid_t pid)
{
	char path[64], text[4096] = "";
	int count = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid ? pid : getpid(),
		pid ? pid : getpid());
	file = fopen(path, "r");
	assert_non_null(file);
	if (!fgets(text, sizeof(text), file))
		*text = '\0';
	fclose(file);
	for (const char *at = text; *at; at++)
		count += *at == ' ';
	return count;
}

int herd_make(void **state)
{
	(void)state;
	unsetenv("SSH_AUTH_SOCK");
	leave_terminal();
	site_make(&site, false);
	return 0;
}

int herd_unmake(void **state)
{
	(void)state;
	if (getenv("KEEP"))
		printf("kept: %s\n", site.folder);
	else
		site_remove(&site);
	return 0;
}
