#include "tests/support/fake_fleet.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/digest.h"
#include "coordinator/cpu/levelxml.h"
#include "proto/codec.h"
#include "tests/support/test.h"
#include "tests/support/shown.h"

struct fake_node fake_nodes[FAKE_NODES_MAX];
bool fake_ignores_interrupt, fake_holds_few;
void (*fake_hook)(size_t node, enum message_tag tag);
void *fake_world_room;

enum { FAKE_FEW = 2 };
enum { KEPT_TEXTS = FAKE_NODES_MAX * 8 };
static char kept[KEPT_TEXTS][8192];
static size_t kept_next;

struct fleet {
	size_t count;
	size_t fake[FAKE_NODES_MAX];  /* which of fake_nodes a node of the run is */
	size_t place[FAKE_NODES_MAX]; /* and back */
	struct arena arena;
	bool interrupted, is_held[FAKE_NODES_MAX];
	size_t held;
	const struct fleet_call *call;
	void *context;
};

void fake_fleet_reset(void)
{
	memset(fake_nodes, 0, sizeof(fake_nodes));
	fake_ignores_interrupt = fake_holds_few = false;
	fake_hook = NULL;
}

void fake_fleet_behave(void)
{
	for (size_t i = 0; i < FAKE_NODES_MAX; i++) {
		struct fake_node *n = &fake_nodes[i];

		memset(n->ways, 0, sizeof(n->ways));
		memset(n->asked, 0, sizeof(n->asked));
		n->once = n->rejects = n->changes_after_look = false;
		n->stays_away = false;
		n->unreachable = RC_OK;
		n->interrupt_at = 0;
	}
	fake_ignores_interrupt = false;
	fake_hook = NULL;
}

bool fake_is_free(size_t node)
{
	return fake_nodes[node].state == RUN_STATE_none && !fake_nodes[node].staged;
}

/* ---- answers, through the codec */

static enum rc answer_send(
	struct fleet *f, size_t node, enum message_tag tag, const void *value)
{
	struct buf wire = buf_with_cap(1 << 22);
	struct message m;
	struct err e;

	assert_rc(codec_encode_message(&wire, tag, value, &e), RC_OK, &e);
	assert_rc(codec_decode_message(
			  buf_bytes(&wire), PROTOCOL_VERSION, &f->arena, &m, &e),
		RC_OK, &e);
	buf_destroy(&wire);
	return f->call->answer(f->context, f->place[node], &m, &fake_nodes[node].err);
}

static enum rc do_facts(struct fleet *f, size_t node, const void *request)
{
	const struct node_facts *facts = fake_nodes[node].facts;
	struct facts answer = facts->small;
	struct body_ref refs[BODY_COUNT];
	struct digest digests[BODY_COUNT];
	size_t count = 0;

	(void)request;
	for (int id = 0; id < BODY_COUNT; id++) {
		struct buf bytes = buf_with_cap(1 << 22);
		struct err e;

		if (!facts->present[id])
			continue;
		assert_rc(
			facts_body_bytes(facts, (enum body_id)id, &bytes, &e), RC_OK, &e);
		digests[count] = digest_of(
			buf_bytes(&bytes).data, buf_bytes(&bytes).size);
		refs[count] = (struct body_ref){ .name = body_rows[id].name,
			.digest = { digests[count].byte, DIGEST_BYTES },
			.size = buf_bytes(&bytes).size };
		count++;
		buf_destroy(&bytes);
	}
	answer.bodies = (struct list){ refs, count };
	return answer_send(f, node, MESSAGE_facts, &answer);
}

static enum rc do_bodies(struct fleet *f, size_t node, const void *request)
{
	const struct ask_bodies *asked = request;
	struct fake_node *n = &fake_nodes[node];
	enum rc rc = RC_AGAIN;

	for (size_t i = 0; i < asked->names.count && rc == RC_AGAIN; i++) {
		struct buf bytes = buf_with_cap(1 << 22);
		struct err e;

		assert_rc(facts_body_bytes(
				  n->facts, body_id_of(asked->names.item[i]), &bytes, &e),
			RC_OK, &e);
		if (n->ways[MESSAGE_ask_bodies] == FAKE_LIES)
			buf_append(&bytes, "", 1);
		n->bodies_sent++;
		rc = answer_send(f, node, MESSAGE_body,
			&(struct body){ .name = asked->names.item[i],
				.content = buf_bytes(&bytes),
				.last = i + 1 == asked->names.count });
		buf_destroy(&bytes);
	}
	return rc;
}

static enum rc do_vote(struct fleet *f, size_t node, const void *request)
{
	const struct propose *p = request;
	const struct fake_vote *script = &fake_nodes[node].votes[p->round - 1];
	struct vote vote = { .round = p->round, .yes = true, .reason = "" };

	if (p->round <= FAKE_VOTES_MAX && script->feature) {
		vote.yes = false;
		vote.reason = "guest CPU doesn't match";
		vote.features.item = (const char **)&script->feature;
		vote.features.count = script->feature[0] != '\0';
	}
	vote.round += fake_nodes[node].ways[MESSAGE_propose] == FAKE_LIES;
	return answer_send(f, node, MESSAGE_vote, &vote);
}

/* ---- trial guests */

static void trial_spoil(struct tried *t, const struct fake_trial *script)
{
	static const char *const left[] = { "/var/log/libvirt/qemu/cpuherd-trial.log" };

	switch (script->way) {
	case TRIAL_REFUSED:
		t->started = false;
		t->reason = "guest CPU doesn't match specification";
		t->features.item = (const char **)(uintptr_t)&script->feature;
		t->features.count = script->feature[0] != '\0';
		break;
	case TRIAL_LACKS:
	case TRIAL_ADDS:
		shown_turn(t, script->feature, script->way == TRIAL_ADDS);
		break;
	case TRIAL_FILTERED:
		shown_filter(t, script->feature);
		break;
	case TRIAL_OTHER:
		shown_property(t, "l3-cache")->value = "false";
		break;
	case TRIAL_GAP:
		t->gap = "the monitor is silent";
		break;
	case TRIAL_LEFT:
		t->left = (struct texts){ (const char **)(uintptr_t)left, 1 };
		break;
	case TRIAL_WELL:
		break;
	}
}

static enum rc guest_start(struct fleet *f, size_t node, const void *request);

/* As the level says; a <cpu> that is no level has no features here. */
static enum rc do_try(struct fleet *f, size_t node, const void *request)
{
	const struct try *t = request;
	struct fake_node *n = &fake_nodes[node];
	unsigned round = n->asked[MESSAGE_try] - 1;
	struct arena scratch = { 0 };
	struct level level = { .maxphysaddr = 0 };
	struct bitset open;
	struct tried tried;
	struct err e;
	enum rc rc;

	if (t->stays)
		return guest_start(f, node, request);
	assert_true(t->run[0] && t->guest[0] && t->cpu[0] && !t->runs);
	if (levelxml_read(catalogue_new(&scratch, &e), t->cpu, "try", VIRT_KVM, &scratch,
		    &level, &open, &e) != RC_OK)
		level = (struct level){ .maxphysaddr = 0 };
	shown_fill(&tried, &level.baseline, t->cpu, &scratch);
	if (t->machine[0])
		tried.machine = t->machine;
	shown_property(&tried, "phys-bits")->value = arena_format(
		&scratch, "%u", level.maxphysaddr ? level.maxphysaddr : 40);
	if (round < FAKE_VOTES_MAX)
		trial_spoil(&tried, &n->trials[round]);
	snprintf(n->tried_machine, sizeof(n->tried_machine), "%s", t->machine);
	snprintf(n->tried_run, sizeof(n->tried_run), "%s", t->run);
	rc = answer_send(f, node, MESSAGE_tried, &tried);
	arena_destroy(&scratch);
	return rc;
}

/* What the last run left: the file of the fake lives on without its fleet. */
static char *keep_text(const char *text)
{
	char *to = kept[kept_next++ % KEPT_TEXTS];

	assert_true(strlen(text) < sizeof(kept[0]));
	strcpy(to, text);
	return to;
}

/* Both processes come from one fork, so that addresses are the same. */
size_t fake_world_size(void)
{
	return sizeof(fake_nodes) + sizeof(kept) + sizeof(kept_next);
}

void fake_world_save(void *room)
{
	memcpy(room, fake_nodes, sizeof(fake_nodes));
	memcpy((char *)room + sizeof(fake_nodes), kept, sizeof(kept));
	memcpy((char *)room + sizeof(fake_nodes) + sizeof(kept), &kept_next,
		sizeof(kept_next));
}

void fake_world_load(const void *room)
{
	memcpy(fake_nodes, room, sizeof(fake_nodes));
	memcpy(kept, (const char *)room + sizeof(fake_nodes), sizeof(kept));
	memcpy(&kept_next, (const char *)room + sizeof(fake_nodes) + sizeof(kept),
		sizeof(kept_next));
}

static enum rc do_look(struct fleet *f, size_t node, const void *request)
{
	struct fake_node *n = &fake_nodes[node];
	struct bytes now = bytes_of(n->file);
	struct digest digest = digest_of(n->file ? n->file : "", now.size);
	struct found found = { .path = "/etc/libvirt/cpuherd/baseline.xml",
		.exists = n->file,
		.ours = !n->foreign,
		.content = now };
	struct seen seen = { { &found, 1 } };
	enum rc rc;

	assert_int_equal(((const struct look *)request)->spots.count, 1);
	if (n->file)
		found.digest = (struct bytes){ digest.byte, DIGEST_BYTES };
	rc = answer_send(f, node, MESSAGE_seen, &seen);
	if (n->changes_after_look)
		n->file = keep_text("somebody else's\n");
	return rc;
}

/* ---- the place and the run, as a peer keeps them */

static enum rc fails(size_t node, enum rc code, const char *text)
{
	return err_set(&fake_nodes[node].err, code, 0, "%s", text);
}

static bool has_run(const struct fake_node *n, const char *run)
{
	return n->state != RUN_STATE_none && strcmp(n->run, run) == 0;
}

static enum rc do_stage(struct fleet *f, size_t node, const void *request)
{
	const struct stage *s = request;
	const struct change *c = s->changes.item;
	struct fake_node *n = &fake_nodes[node];
	struct bytes now = bytes_of(n->file);
	struct digest digest = digest_of(n->file ? n->file : "", now.size);
	struct staging staging = { .path = "/etc/libvirt/cpuherd/baseline.xml" };

	assert_true(s->run[0] && s->holder[0] && s->changes.count == 1);
	if (n->state != RUN_STATE_none && !has_run(n, s->run))
		return fails(node, RC_CONFLICT, "another run is unfinished here");
	if (n->state <= RUN_STATE_staged) {
		if (n->file ? !digest_equals(&digest, c->expected)
			    : c->expected.size != 0)
			return fails(node, RC_CONFLICT, "baseline.xml changed");
		n->staged = keep_text(
			arena_text_n(&f->arena, c->content.data, c->content.size));
		n->unchanged = n->file && strcmp(n->file, n->staged) == 0;
		n->state = RUN_STATE_staged;
		n->linger = s->linger;
		snprintf(n->run, sizeof(n->run), "%s", s->run);
		snprintf(n->holder, sizeof(n->holder), "%s", s->holder);
	}
	staging.unchanged = n->unchanged;
	return answer_send(f, node, MESSAGE_staged, &(struct staged){ { &staging, 1 } });
}

static enum rc do_commit(struct fleet *f, size_t node, const void *request)
{
	struct fake_node *n = &fake_nodes[node];
	struct committed done = { 0 };

	if (!has_run(n, ((const struct commit *)request)->run))
		return fails(node, RC_PLACE, "no such run was staged here");
	if (n->state < RUN_STATE_committed) {
		n->state = RUN_STATE_committed;
		if (!n->unchanged) {
			n->before = n->file;
			n->file = n->staged;
			n->writes++;
			done.changed = true;
		}
		n->staged = NULL;
	}
	return answer_send(f, node, MESSAGE_committed, &done);
}

static enum rc do_verify(struct fleet *f, size_t node, const void *request)
{
	struct fake_node *n = &fake_nodes[node];
	bool lies = n->ways[MESSAGE_verify] == FAKE_LIES;

	if (!has_run(n, ((const struct verify *)request)->run))
		return fails(node, RC_PLACE, "no such run was staged here");
	return answer_send(f, node, MESSAGE_verified,
		&(struct verified){
			{ &(struct reading){
				  .content = bytes_of(lies ? "<cpu/>" : n->file),
				  .accepted = !n->rejects,
				  .reason = n->rejects ? "unknown CPU feature" : "" },
				1 } });
}

static void put_back(struct fake_node *n)
{
	if (n->state >= RUN_STATE_committed && !n->unchanged)
		n->file = n->before;
	n->state = RUN_STATE_none;
	n->staged = NULL;
}

static enum rc do_revert(struct fleet *f, size_t node, const void *request)
{
	struct fake_node *n = &fake_nodes[node];
	struct reverted done = { has_run(n, ((const struct revert *)request)->run) };

	if (done.changed)
		put_back(n);
	return answer_send(f, node, MESSAGE_reverted, &done);
}

static enum rc do_keep(struct fleet *f, size_t node, const void *request)
{
	struct fake_node *n = &fake_nodes[node];
	struct kept done = { has_run(n, ((const struct keep *)request)->run) &&
			     n->state == RUN_STATE_committed };

	if (done.changed)
		n->state = RUN_STATE_kept;
	return answer_send(f, node, MESSAGE_kept, &done);
}

static enum rc do_forget(struct fleet *f, size_t node, const void *request)
{
	struct fake_node *n = &fake_nodes[node];
	struct forgotten done = { has_run(n, ((const struct forget *)request)->run) };

	if (done.changed && n->state != RUN_STATE_kept)
		return fails(node, RC_PLACE, "the run is not kept here");
	n->state = RUN_STATE_none;
	return answer_send(f, node, MESSAGE_forgotten, &done);
}

static enum rc do_recover(struct fleet *f, size_t node, const void *request)
{
	const char *run = ((const struct recover *)request)->run;
	struct fake_node *n = &fake_nodes[node];
	struct recovered answer = { .run = run, .holder = "", .since = "" };

	if (run[0] ? has_run(n, run) : n->state != RUN_STATE_none) {
		answer.state = n->state;
		answer.run = n->run;
		answer.holder = n->holder;
		answer.since = "2024-05-01T12:00:00Z";
	}
	return answer_send(f, node, MESSAGE_recovered, &answer);
}

/* ---- trial guests that stay, and migrate */

static struct cpu_word guest_word = { .function = 7, .part = 1, .value = 0x200 };
static struct leaf guest_leaf = { .function = 7, .ebx = 0x200 };

static void guests_end(struct fake_node *n)
{
	n->guest_count = 0;
	n->trial_run[0] = '\0';
}

static struct fake_guest *guest_find(struct fake_node *n, const char *name)
{
	for (size_t i = 0; i < n->guest_count; i++)
		if (strcmp(n->guests[i].name, name) == 0)
			return &n->guests[i];
	return NULL;
}

static enum rc guest_start(struct fleet *f, size_t node, const void *request)
{
	const struct try *t = request;
	struct fake_node *n = &fake_nodes[node];
	struct fake_guest *g = &n->guests[n->guest_count];
	struct tried answer = { .reason = n->starts_badly,
		.name = t->guest,
		.machine = "pc",
		.cpu = t->cpu };

	assert_true(t->run[0] && t->stays && !guest_find(n, t->guest));
	snprintf(n->trial_run, sizeof(n->trial_run), "%s", t->run);
	if (n->starts_badly)
		return answer_send(f, node, MESSAGE_tried, &answer);
	assert_true(n->guest_count++ < FAKE_GUESTS_MAX);
	*g = (struct fake_guest){
		.alive = t->runs && !n->cannot_run, .count = 100, .cpu = keep_text(t->cpu)
	};
	snprintf(g->name, sizeof(g->name), "%s", t->guest);
	answer.started = true;
	answer.alive = g->alive;
	answer.why = t->runs && !g->alive ? "it says nothing" : "";
	answer.count = g->alive ? g->count : 0;
	answer.words = (struct list){ &guest_word, 1 };
	answer.leaves = (struct list){ &guest_leaf, g->alive };
	return answer_send(f, node, MESSAGE_tried, &answer);
}

/* "qemu+ssh://node02/system": the second. */
static struct fake_node *target_of(const char *uri)
{
	const char *name = strstr(uri, "node");

	assert_non_null(name);
	return &fake_nodes[atoi(name + 4) - 1];
}

static void guest_move(struct fake_node *from, struct fake_guest *g, struct fake_node *to)
{
	if (to->arrival != FAKE_ARRIVES_NOT) {
		struct fake_guest *there = &to->guests[to->guest_count++];

		*there = *g;
		there->alive &= to->arrival != FAKE_ARRIVES_DEAD;
		there->count = to->arrival == FAKE_ARRIVES_ANEW ? 7 : g->count + 50;
	}
	*g = from->guests[--from->guest_count];
}

static enum rc do_migrate(struct fleet *f, size_t node, const void *request)
{
	const struct migrate *m = request;
	struct fake_node *n = &fake_nodes[node], *to = target_of(m->uri);
	struct fake_guest *g = guest_find(n, m->guest);
	struct migrated answer = { .ok = !n->sends_badly,
		.reason = n->sends_badly,
		.ms = 400 + 100 * (uint32_t)node };

	assert_non_null(g);
	assert_string_equal(to->trial_run, m->run); /* its kernel and guard are there */
	snprintf(n->sent_to, sizeof(n->sent_to), "%s", m->uri);
	if (answer.ok)
		guest_move(n, g, to);
	return answer_send(f, node, MESSAGE_migrated, &answer);
}

static enum rc do_meet(struct fleet *f, size_t node, const void *request)
{
	const struct meet *m = request;
	struct fake_node *n = &fake_nodes[node];
	const struct fake_guest *g = guest_find(n, m->guest);
	uint32_t changed = 1U << 19;
	struct cpu_word word = guest_word;
	struct leaf leaf = guest_leaf;
	struct met answer = { .state = "", .present = g };

	snprintf(n->trial_run, sizeof(n->trial_run), "%s", m->run);
	if (g) {
		word.value ^= n->arrival == FAKE_ARRIVES_CHANGED ? changed : 0;
		leaf.ebx ^= n->arrival >= FAKE_ARRIVES_CHANGED ? changed : 0;
		answer.cpu = g->cpu;
		answer.words = (struct list){ &word, 1 };
		answer.leaves = (struct list){ &leaf, g->alive };
		answer.alive = m->runs && g->alive;
		answer.count = g->count;
		answer.state = g->alive ? "running" : "paused";
		answer.why = m->runs && !g->alive ? "it does not count" : "";
	}
	return answer_send(f, node, MESSAGE_met, &answer);
}

static enum rc do_dismiss(struct fleet *f, size_t node, const void *request)
{
	struct fake_node *n = &fake_nodes[node];
	struct dismissed answer = { .guests = (uint32_t)n->guest_count };

	assert_true(((const struct dismiss *)request)->run[0]);
	guests_end(n);
	if (n->leaves)
		answer.left = (struct texts){ &n->leaves, 1 };
	return answer_send(f, node, MESSAGE_dismissed, &answer);
}

static enum rc (*const duties[64])(struct fleet *, size_t, const void *) = {
	[MESSAGE_ask_facts] = do_facts,
	[MESSAGE_ask_bodies] = do_bodies,
	[MESSAGE_propose] = do_vote,
	[MESSAGE_try] = do_try,
	[MESSAGE_look] = do_look,
	[MESSAGE_stage] = do_stage,
	[MESSAGE_commit] = do_commit,
	[MESSAGE_verify] = do_verify,
	[MESSAGE_revert] = do_revert,
	[MESSAGE_keep] = do_keep,
	[MESSAGE_forget] = do_forget,
	[MESSAGE_recover] = do_recover,
	[MESSAGE_migrate] = do_migrate,
	[MESSAGE_meet] = do_meet,
	[MESSAGE_dismiss] = do_dismiss,
};

/* ---- fleet.h */

/* A peer whose connection ends reverts by itself what was not kept. */
static void session_end(struct fake_node *n)
{
	guests_end(n);
	if (n->state < RUN_STATE_kept && !n->linger)
		put_back(n);
}

void fake_coordinator_dies(bool power_goes)
{
	for (size_t i = 0; i < FAKE_NODES_MAX && !power_goes; i++)
		if (!fake_nodes[i].dead)
			session_end(&fake_nodes[i]);
	fake_world_save(fake_world_room);
	_exit(FAKE_DIED);
}

static void node_dies(struct fake_node *n, bool killed)
{
	if (!killed)
		session_end(n);
	n->dead = true;
	if (n->stays_away)
		n->unreachable = RC_UNREACHABLE;
	err_set(&n->err, RC_UNREACHABLE, 0, "the connection was closed");
}

static void node_ask(
	struct fleet *f, size_t node, enum message_tag tag, const void *value)
{
	struct fake_node *n = &fake_nodes[node];
	enum fake_way way = n->ways[tag];
	enum rc rc;

	n->err = (struct err){ 0 };
	n->asked[tag]++;
	if (n->once)
		n->ways[tag] = FAKE_WELL;
	switch (way) {
	case FAKE_FAILS:
		if (tag == MESSAGE_revert)
			fails(node, RC_PARTIAL, "it could not be put back");
		else
			fails(node, RC_PLACE, "No space left on device");
		return;
	case FAKE_DIES:
	case FAKE_IS_KILLED:
		node_dies(n, way == FAKE_IS_KILLED);
		return;
	default:
		break;
	}
	rc = duties[tag](f, node, value);
	if (way == FAKE_DIES_AFTER || way == FAKE_IS_KILLED_AFTER)
		node_dies(n, way == FAKE_IS_KILLED_AFTER);
	else if (rc == RC_OK)
		n->err = (struct err){ 0 };
	else
		assert_int_equal(rc, n->err.code);
}

/* node03 is the third, also where it is the only one of a run. */
static size_t fake_of(const char *name, size_t otherwise)
{
	size_t number = strncmp(name, "node", 4) == 0 ? (size_t)atoi(name + 4) : 0;

	return number && number <= FAKE_NODES_MAX ? number - 1 : otherwise;
}

struct fleet *fleet_new(
	const struct inventory *inv, const struct fleet_options *options, struct err *e)
{
	struct fleet *f = calloc(1, sizeof(*f));

	(void)options;
	(void)e;
	assert_true(inv->count <= FAKE_NODES_MAX);
	f->count = inv->count;
	for (size_t i = 0; i < f->count; i++) {
		size_t at = fake_of(inv->nodes[i].name, i);

		f->fake[i] = at;
		f->place[at] = i;
		fake_nodes[at].dead = false;
		fake_nodes[at].err = (struct err){ 0 };
	}
	return f;
}

static bool is_dead(struct fake_node *n)
{
	if (n->unreachable != RC_OK && !n->dead) {
		n->dead = true;
		err_set(&n->err, n->unreachable, 0, "no way there");
	}
	return n->dead;
}

/* The first few are held; a trial guest needs that. */
static void node_hold(struct fleet *f, size_t at, enum message_tag tag)
{
	if (f->call->hold && !f->is_held[at] && f->held < FAKE_FEW) {
		f->is_held[at] = true;
		f->held++;
	}
	assert_true(f->is_held[at] || (tag != MESSAGE_try && tag != MESSAGE_meet));
}

/* One request, or a chain of them. */
static void node_round(struct fleet *f, size_t node)
{
	size_t i = f->fake[node];
	enum message_tag tag = MESSAGE_none;
	const void *value = NULL;

	do {
		if (is_dead(&fake_nodes[i]) ||
			!f->call->ask(f->context, node, &tag, &value))
			return;
		assert_true(tag < 64 && duties[tag]);
		if (fake_hook)
			fake_hook(i, tag);
		if (fake_nodes[i].interrupt_at == (int)tag)
			f->interrupted = true;
		if (fake_holds_few)
			node_hold(f, i, tag);
		node_ask(f, i, tag, value);
	} while (f->call->chain && fake_nodes[i].err.code == RC_OK);
}

enum rc fleet_round(
	struct fleet *f, const struct fleet_call *call, void *context, struct err *e)
{
	f->call = call;
	f->context = context;
	for (size_t i = 0; i < f->count; i++)
		if (!f->interrupted || fake_ignores_interrupt)
			node_round(f, i);
	if (f->interrupted && !fake_ignores_interrupt)
		return err_set(
			e, RC_INTERRUPTED, 0, "interrupted during %s", call->phase);
	return RC_OK;
}

enum rc fleet_holds(const struct fleet *f, size_t count, struct err *e)
{
	return count <= FAKE_FEW ? RC_OK : fleet_holds_all(f, e);
}

enum rc fleet_holds_all(const struct fleet *f, struct err *e)
{
	(void)f;
	return fake_holds_few ? err_set(e, RC_MEMORY, 0, "2 are allowed here") : RC_OK;
}

void fleet_ignore_interrupt(struct fleet *f)
{
	(void)f;
	fake_ignores_interrupt = true;
}

void fleet_release_signals(struct fleet *f)
{
	(void)f;
}

void fleet_try_again(struct fleet *f, size_t node)
{
	fake_nodes[f->fake[node]].dead = false;
}

bool fleet_is_alive(const struct fleet *f, size_t node)
{
	return !fake_nodes[f->fake[node]].dead;
}

const struct err *fleet_error(const struct fleet *f, size_t node)
{
	return &fake_nodes[f->fake[node]].err;
}

void fleet_destroy(struct fleet *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->count; i++)
		if (!fake_nodes[f->fake[i]].dead)
			session_end(&fake_nodes[f->fake[i]]);
	arena_destroy(&f->arena);
	free(f);
}
