#include "tests/sim/crowd.h"

#include <openssl/pem.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "coordinator/net/base64.h"

static const char host_key_text[] =
	"AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f";

static struct site {
	char folder[64], key[96], known[96];
	const char *keys[1], *knowns[1];
} site;

const struct sim_manner good = { .name = "good", .dials = 1 };
const struct sim_manner black_hole = { .name = "black hole",
	.fault = SIM_SILENT,
	.at = SIM_DIAL,
	.code = RC_TIMEOUT,
	.words = "no answer in time",
	.dials = 1 };
const struct sim_manner silent_peer = {
	.name = "never answers", .fault = SIM_SILENT, .at = SIM_ANSWER, .code = RC_TIMEOUT
};
const struct sim_manner refused_twice = { .name = "refused twice",
	.fault = SIM_REFUSED,
	.at = SIM_DIAL,
	.times = 2,
	.dials = 3 };
const struct sim_manner well = { .name = "good" };

/* ---- a folder with the user's key and known_hosts */

static void write_key(const char *path)
{
	EVP_PKEY *key = EVP_PKEY_Q_keygen(NULL, NULL, "ED25519");
	FILE *file = fopen(path, "w");

	assert_true(key && file);
	assert_int_equal(PEM_write_PrivateKey(file, key, NULL, NULL, 0, NULL, NULL), 1);
	fclose(file);
	EVP_PKEY_free(key);
	assert_int_equal(chmod(path, 0600), 0);
}

int crowd_site_make(void **state)
{
	char line[256];
	const char *tmp = getenv("TMPDIR");

	(void)state;
	snprintf(site.folder, sizeof(site.folder), "%.40s/cpuherd-sim-XXXXXX",
		tmp ? tmp : "/tmp");
	if (!mkdtemp(site.folder))
		return 1;
	snprintf(site.key, sizeof(site.key), "%s/key", site.folder);
	snprintf(site.known, sizeof(site.known), "%s/known_hosts", site.folder);
	write_key(site.key);
	snprintf(line, sizeof(line), "* ssh-ed25519 %s\n", host_key_text);
	test_write_file(site.known, line);
	site.keys[0] = site.key;
	site.knowns[0] = site.known;
	return 0;
}

int crowd_site_unmake(void **state)
{
	(void)state;
	unlink(site.key);
	unlink(site.known);
	return rmdir(site.folder);
}

/* ---- the nodes */

static void *zeroed(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	assert_non_null(memory);
	return memory;
}

void crowd_change(struct crowd *c, size_t node, const struct sim_manner *manner)
{
	struct sim_node *n = &c->nodes[node];

	n->manner = manner;
	n->step_ms = manner->step_ms ? manner->step_ms : 3 + (uint32_t)(node * 7 % 17);
}

static void node_make(struct crowd *c, size_t i)
{
	struct sim_node *n = &c->nodes[i];

	snprintf(n->name, sizeof(n->name), "n%06zu", i);
	n->fd = SIM_FD + (int)i;
	n->settings = (struct ssh_settings){ .host = n->name,
		.port = 22,
		.user = "user",
		.identity_files = { site.keys, 1 },
		.identities_named = true,
		.known_hosts = { site.knowns, 1 } };
	c->settings[i] = &n->settings;
	c->names[i] = (struct inventory_node){ .name = n->name, .host = n->name };
}

void crowd_make(struct crowd *c, size_t count, const struct sim_manner *manner)
{
	uint8_t host_key[128];
	size_t size;

	*c = (struct crowd){ .count = count };
	sim_weather = (struct sim_weather){ 0 };
	c->nodes = zeroed(count, sizeof(*c->nodes));
	c->names = zeroed(count, sizeof(*c->names));
	c->settings = zeroed(count, sizeof(struct ssh_settings *));
	for (size_t i = 0; i < count; i++) {
		node_make(c, i);
		crowd_change(c, i, manner);
	}
	assert_true(base64_decode(host_key_text, strlen(host_key_text), host_key, &size));
	transport_sim_set(c->nodes, host_key, size);
	c->inventory = (struct inventory){ .nodes = c->names, .count = count };
	c->ground = (struct fleet_ground){ &world_sim, &transport_sim, 1000 * 1000 };
	c->options = (struct fleet_options){ .settings = c->settings,
		.connect = "",
		.connect_timeout_s = 30,
		.timeout_s = 120,
		.tries = 3 };
}

/* ---- rounds */

uint64_t crowd_time(const struct crowd *c, size_t node)
{
	return sim_now(&c->nodes[node]) - SIM_BEGIN_MS;
}

void crowd_watch(void *crowd, const struct fleet_progress *p)
{
	((struct crowd *)crowd)->last = *p;
}

void crowd_start(struct crowd *c)
{
	c->fleet = fleet_new_on(&c->ground, &c->inventory, &c->options, &c->err);
	if (!c->fleet)
		fail_msg("no fleet: %s", c->err.text);
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

static bool propose(void *context, size_t node, enum message_tag *tag, const void **value)
{
	static const struct propose request = { .round = 1, .virt_type = "kvm" };

	(void)context;
	(void)node;
	*tag = MESSAGE_propose;
	*value = &request;
	return true;
}

/* The answer is this node's and nobody else's. */
static enum rc take_answer(
	void *context, size_t node, const struct message *m, struct err *e)
{
	struct crowd *c = context;
	struct sim_node *n = &c->nodes[node];

	(void)e;
	if (m->type->tag == MESSAGE_facts)
		assert_string_equal(((const struct facts *)m->value)->hostname, n->name);
	n->answers++;
	n->answered_at = crowd_time(c, node);
	return RC_OK;
}

static const struct fleet_call facts_call = { .phase = "facts",
	.ask = ask_facts,
	.answer = take_answer,
	.hold = true,
	.repeatable = true };
static const struct fleet_call vote_call = {
	.phase = "vote", .ask = propose, .answer = take_answer, .hold = true
};

static enum rc crowd_round(struct crowd *c, const struct fleet_call *call)
{
	for (size_t i = 0; i < c->count; i++)
		c->nodes[i].answers = 0;
	return fleet_round(c->fleet, call, c, &c->err);
}

enum rc crowd_ask(struct crowd *c)
{
	return crowd_round(c, &facts_call);
}

enum rc crowd_ask_once(struct crowd *c)
{
	struct fleet_call once = facts_call;

	once.hold = false;
	return crowd_round(c, &once);
}

enum rc crowd_propose(struct crowd *c)
{
	return crowd_round(c, &vote_call);
}

/* ---- outcomes */

static void fail_node(const struct crowd *c, size_t node, const char *what)
{
	const struct err *got = fleet_error(c->fleet, node);
	const struct sim_node *n = &c->nodes[node];

	fail_msg("%s, \"%s\": %s: %s \"%s\", wanted %s \"%s\"; %u answers, %u dials",
		n->name, n->manner->name, what, rc_name(got->code),
		got->code ? got->text : "", rc_name(n->manner->code),
		n->manner->words ? n->manner->words : "", n->answers, n->dials);
}

void crowd_check_node(const struct crowd *c, size_t node)
{
	const struct err *got = fleet_error(c->fleet, node);
	const struct sim_node *n = &c->nodes[node];
	const struct sim_manner *m = n->manner;

	if (got->code != m->code)
		fail_node(c, node, "another outcome");
	if (got->code != RC_OK && !*got->text)
		fail_node(c, node, "no reason");
	if (got->code != RC_OK && m->words && !strstr(got->text, m->words))
		fail_node(c, node, "another reason");
	if (got->code == RC_OK && n->answers != 1)
		fail_node(c, node, "well, without one answer");
	if (m->dials && n->dials != m->dials)
		fail_node(c, node, "not as often dialled as wanted");
}

void crowd_check(const struct crowd *c)
{
	for (size_t i = 0; i < c->count; i++)
		crowd_check_node(c, i);
}

void crowd_end(struct crowd *c)
{
	fleet_destroy(c->fleet);
	assert_false(atomic_load(&sim_weather.stuck));
	assert_int_equal(atomic_load(&sim_weather.sessions), 0);
	assert_int_equal(atomic_load(&sim_weather.sockets), 0);
	assert_int_equal(atomic_load(&transport_sim_open), 0);
	free(c->nodes);
	free(c->names);
	free(c->settings);
}
