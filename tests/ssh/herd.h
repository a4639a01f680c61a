/* herd.h - one run of cpuherd's network side against servers of server.h. */
#ifndef TESTS_HERD_H
#define TESTS_HERD_H

#include "coordinator/net/fleet.h"
#include "tests/ssh/server.h"

extern struct site site;

enum { NODES_MAX = 64 };

/* One run of cpuherd's network side. */
struct herd {
	struct inventory_node nodes[NODES_MAX];
	struct inventory inventory;
	struct fleet_options options;
	struct ssh_settings settings; /* of all nodes, but for the port */
	struct ssh_settings each[NODES_MAX];
	const struct ssh_settings *list[NODES_MAX];
	const char *identities[12], *known_hosts[2];
	char record[128];
	struct fleet *fleet;
	char hostnames[NODES_MAX][32]; /* from the facts */
	int answers[NODES_MAX];
	struct err err;
};

/* No nodes, one user key, an empty known_hosts. */
void herd_init(struct herd *h);
void herd_add(struct herd *h, const struct server *s);
/* Puts the public half of a key into the herd's known_hosts for this server. */
void trust(const struct herd *h, const struct server *s, const char *key);

/* A server, trusted, and a herd of this one node, not connected yet. */
struct server herd_one(struct herd *h, const struct server_options *options);
/* The same, where a packaged peer (it comes first) does what the body says. */
struct server herd_with_peer(struct herd *h, const char *body);

/* The head of a packaged peer that speaks our protocol; it may be started with words. */
#define PACKAGED_PEER "#!/bin/sh\n[ \"$1\" != --protocol ] || { echo 4; exit; }\n"
/* A framed [2, [4, "x", 0]]: welcome. */
#define WELCOME "printf '\\0\\0\\0\\007\\222\\002\\223\\004\\241x\\0'\n"

/* Gives every node its settings; herd_new() does it as well. */
void herd_settle(struct herd *h);

/* Makes the fleet. */
enum rc herd_new(struct herd *h);
/* The same, and a first round, whose answers are not counted. */
enum rc herd_connect(struct herd *h);
/* Asks for facts; answers are counted in h->answers. */
enum rc herd_ask(struct herd *h);
void herd_end(struct herd *h, struct server *s);

/* Connects; the first node failed with this code and these words. */
void assert_refused(struct herd *h, enum rc code, const char *words);

/* An ssh-agent of OpenSSH, without keys. */
struct real_agent {
	char socket[128]; /* in the site's folder */
	pid_t pid;
};

/* environment: what stands before its command; "" for nothing. */
void real_agent_start(struct real_agent *a, const char *environment);
void real_agent_end(const struct real_agent *a);

/* Listens where an agent of the tests will accept; takes the place of what is there. */
int agent_listen(const char *path);

/* Direct children of a process; 0: of this one. */
int count_children(pid_t pid);

/* For cmocka_run_group_tests(). */
int herd_make(void **state);
int herd_unmake(void **state);

#endif
