#include "coordinator/verb/gather.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/log.h"
#include "coordinator/verb/classes.h"
#include "coordinator/verb/sources.h"
#include "proto/limits.h"
#include "proto/texts.h"

enum { SLOTS_AT_FIRST = 64 };

/* Equal bodies of many nodes: one of them is asked for all. */
struct body_class {
	enum body_id id;
	struct digest digest;
	bool claimed;	/* a node is being asked for it */
	size_t donor;	/* that node; once we have it, the one whose facts hold it */
	bool have, bad; /* bad: right digest, but nothing can be made of it */
	struct err why_bad;
};

/* A node's word that it has a body. */
struct ref {
	size_t node, class;
};

struct gather {
	struct run *run;
	struct ref *refs; /* those of one node stand together */
	size_t ref_count;
	struct body_class *classes;
	size_t class_count;
	uint32_t *slots; /* hash table: index + 1 of a class; at most half full */
	size_t slot_count;
	struct node_refs {
		size_t first, count;
		bool told; /* its small facts are here */
		struct ask_bodies ask;
	} * nodes;
};

/* ---- classes */

/* The slot of the body's class, or the free one where it belongs.  A digest is as good as
 * a hash; one that a node made up only makes it slower. */
static uint32_t *slot_find(
	const struct gather *g, enum body_id id, const struct digest *digest)
{
	size_t mask = g->slot_count - 1, at;

	memcpy(&at, digest->byte, sizeof(at));
	for (at &= mask; g->slots[at]; at = (at + 1) & mask) {
		const struct body_class *c = &g->classes[g->slots[at] - 1];

		if (c->id == id && digest_same(&c->digest, digest))
			break;
	}
	return &g->slots[at];
}

static enum rc slots_reserve(struct gather *g, struct err *e)
{
	size_t bigger = g->slot_count ? g->slot_count * 2 : SLOTS_AT_FIRST;

	if ((g->class_count + 1) * 2 <= g->slot_count)
		return RC_OK;
	g->slots = arena_alloc(&g->run->arena, bigger, sizeof(*g->slots));
	if (!g->slots)
		return err_memory(e);
	g->slot_count = bigger;
	for (size_t i = 0; i < g->class_count; i++)
		*slot_find(g, g->classes[i].id, &g->classes[i].digest) = (uint32_t)i + 1;
	return RC_OK;
}

static enum rc class_find(struct gather *g, enum body_id id, const struct digest *digest,
	size_t *out, struct err *e)
{
	uint32_t *slot;

	if (slots_reserve(g, e) != RC_OK)
		return e->code;
	slot = slot_find(g, id, digest);
	if (!*slot) {
		g->classes = arena_grow(
			&g->run->arena, g->classes, g->class_count, sizeof(*g->classes));
		if (!g->classes)
			return err_memory(e);
		g->classes[g->class_count++] = (struct body_class){ .id = id,
			.digest = *digest };
		*slot = (uint32_t)g->class_count;
	}
	*out = *slot - 1;
	return RC_OK;
}

/* ---- the small facts */

static enum rc ref_add(
	struct gather *g, size_t node, const struct body_ref *ref, struct err *e)
{
	enum body_id id = body_id_of(ref->name);
	struct digest digest;
	size_t class = 0;

	if (id == BODY_COUNT) /* a newer peer knows more */
		return RC_OK;
	if (ref->digest.size != DIGEST_BYTES)
		return err_set(e, RC_PROTOCOL, 0,
			"a digest of %zu bytes for its %s facts", ref->digest.size,
			ref->name);
	if (ref->size > LIMIT_BODY_BYTES)
		return err_set(e, RC_LIMIT, 0,
			"its %s facts have %llu bytes; at most %d are taken", ref->name,
			(unsigned long long)ref->size, LIMIT_BODY_BYTES);
	memcpy(digest.byte, ref->digest.data, DIGEST_BYTES);
	g->refs = arena_grow(&g->run->arena, g->refs, g->ref_count, sizeof(*g->refs));
	if (!g->refs)
		return err_memory(e);
	if (class_find(g, id, &digest, &class, e) != RC_OK)
		return e->code;
	g->refs[g->ref_count++] = (struct ref){ node, class };
	g->nodes[node].count++;
	return RC_OK;
}

static enum rc answer_facts(
	struct gather *g, size_t node, const struct facts *facts, struct err *e)
{
	const struct body_ref *ref = facts->bodies.item;
	bool seen[BODY_COUNT + 1] = { false };
	enum rc rc = RC_OK;

	g->run->facts[node].small = *facts;
	g->nodes[node].first = g->ref_count;
	for (size_t i = 0; i < facts->bodies.count && rc == RC_OK; i++) {
		enum body_id id = body_id_of(ref[i].name);

		if (id != BODY_COUNT && seen[id])
			return err_set(e, RC_PROTOCOL, 0, "names its %s facts twice",
				ref[i].name);
		seen[id] = true;
		rc = ref_add(g, node, &ref[i], e);
	}
	g->nodes[node].told = rc == RC_OK;
	return rc;
}

/* ---- the bodies */

/* Puts the class on the node's list. */
static bool class_claim(struct gather *g, struct body_class *class, size_t node)
{
	struct texts *names = &g->nodes[node].ask.names;
	struct err e;

	class->claimed = texts_add(names, body_rows[class->id].name, &g->run->arena,
				 &e) == RC_OK;
	class->donor = node;
	return class->claimed;
}

/* The bodies of the node that nobody else was asked for. */
static bool claim_new(struct gather *g, size_t node)
{
	const struct node_refs *n = &g->nodes[node];
	bool any = false;

	for (size_t i = n->first; i < n->first + n->count; i++) {
		struct body_class *class = &g->classes[g->refs[i].class];

		if (!class->claimed)
			any = class_claim(g, class, node) || any;
	}
	return any;
}

/* The facts of every node, and behind them the bodies that are new. */
static bool ask_all(void *context, size_t node, enum message_tag *tag, const void **value)
{
	static const struct ask_facts request = { 0 };
	struct gather *g = context;
	struct node_refs *n = &g->nodes[node];

	*tag = n->told ? MESSAGE_ask_bodies : MESSAGE_ask_facts;
	*value = n->told ? (const void *)&n->ask : &request;
	if (!n->told)
		return true;
	return n->ask.names.count == 0 && claim_new(g, node);
}

/* Bodies that another node failed to give. */
static bool ask_bodies(
	void *context, size_t node, enum message_tag *tag, const void **value)
{
	struct gather *g = context;

	*tag = MESSAGE_ask_bodies;
	*value = &g->nodes[node].ask;
	return g->nodes[node].ask.names.count > 0;
}

static enum rc body_take(struct gather *g, struct body_class *class,
	const struct body *body, struct err *e)
{
	struct digest digest = digest_of(body->content.data, body->content.size);
	struct node_facts *facts = &g->run->facts[class->donor];

	if (!digest_same(&digest, &class->digest))
		return err_set(e, RC_PROTOCOL, 0,
			"what it sent as its %s facts does not match their digest",
			body_rows[class->id].name);
	class->have = true;
	if (facts_put_body(facts, class->id, body->content, &g->run->arena, e) == RC_OK)
		return RC_OK;
	class->bad = true; /* and so for every node that has the same bytes */
	class->why_bad = *e;
	return e->code;
}

/* The class that the node was asked for and has not sent yet; NULL. */
static struct body_class *awaited(struct gather *g, size_t node, enum body_id id)
{
	const struct node_refs *n = &g->nodes[node];

	for (size_t i = n->first; i < n->first + n->count; i++) {
		struct body_class *class = &g->classes[g->refs[i].class];

		if (class->claimed && class->donor == node && !class->have &&
			(id == BODY_COUNT || class->id == id))
			return class;
	}
	return NULL;
}

static enum rc answer_body(
	struct gather *g, size_t node, const struct body *body, struct err *e)
{
	enum body_id id = body_id_of(body->name);
	struct body_class *class = id < BODY_COUNT ? awaited(g, node, id) : NULL;
	enum rc rc;

	if (!class)
		return err_set(e, RC_PROTOCOL, 0, "sent facts '%s' that were not asked",
			body->name);
	rc = body_take(g, class, body, e);
	if (rc != RC_OK || !body->last)
		return rc == RC_OK ? RC_AGAIN : rc;
	class = awaited(g, node, BODY_COUNT);
	if (class)
		return err_set(e, RC_PROTOCOL, 0, "did not send its %s facts",
			body_rows[class->id].name);
	return RC_OK;
}

static enum rc answer_any(
	void *context, size_t node, const struct message *m, struct err *e)
{
	struct gather *g = context;

	if (m->type->tag == MESSAGE_facts)
		return answer_facts(g, node, m->value, e);
	return answer_body(g, node, m->value, e);
}

/* Gives what a node failed to send to the next one that has it and is still well; false:
 * nobody is to be asked. */
static bool claim_again(struct gather *g)
{
	struct run *run = g->run;
	bool any = false;

	for (size_t i = 0; i < run->count; i++)
		g->nodes[i].ask.names.count = 0;
	for (size_t i = 0; i < g->class_count; i++)
		g->classes[i].claimed = g->classes[i].have;
	for (size_t i = 0; i < g->ref_count; i++) {
		struct body_class *class = &g->classes[g->refs[i].class];

		if (!class->claimed && run_has(run, g->refs[i].node))
			any = class_claim(g, class, g->refs[i].node) || any;
	}
	return any;
}

/* Gives each body to all nodes that have it; they share the memory. */
static void distribute(struct gather *g)
{
	for (size_t i = 0; i < g->ref_count; i++) {
		const struct body_class *class = &g->classes[g->refs[i].class];
		struct node_facts *to = &g->run->facts[g->refs[i].node];
		const struct node_facts *from = &g->run->facts[class->donor];
		struct err *err = &g->run->nodes[g->refs[i].node].err;

		if (!class->have)
			continue;
		if (class->bad && err->code == RC_OK)
			*err = class->why_bad;
		to->present[class->id] = from->present[class->id];
		to->registers[class->id] = from->registers[class->id];
		to->text[class->id] = from->text[class->id];
	}
}

static enum rc gather_from_fleet(struct run *run, bool hold, struct err *e)
{
	const struct fleet_call all = { "facts", ask_all, answer_any, .chain = true,
		.hold = hold, .repeatable = true };
	const struct fleet_call bodies = { "bodies", ask_bodies, answer_any,
		.chain = false, .hold = hold, .repeatable = true };
	struct gather g = { .run = run };
	enum rc rc;

	g.nodes = arena_alloc(&run->arena, run->count, sizeof(*g.nodes));
	if (!g.nodes)
		return err_memory(e);
	rc = run_round(run, &all, &g, e);
	/* each turn takes a body off the list, or a node */
	while (rc == RC_OK && claim_again(&g))
		rc = run_round(run, &bodies, &g, e);
	distribute(&g);
	for (size_t i = 0; i < run->count; i++)
		if (g.nodes[i].told)
			run->nodes[i].facts = &run->facts[i];
	return rc;
}

/* Is the text of a peer from before texts had an end? */
static bool is_endless(const struct source_node *n)
{
	return n->facts && !n->facts->ended && n->facts->small.kernel[0];
}

static void warn_of_endless(const struct run *run, size_t count, const char *first)
{
	if (count == 1)
		log_line(LOG_WARN, first,
			"its facts have no `end`: nothing tells whether they are whole");
	else if (count > 1)
		log_line(LOG_WARN, NULL,
			"%s and %zu more of %zu nodes: their facts have no `end`: "
			"nothing tells whether they are whole",
			first, count - 1, run->count);
}

static enum rc gather_from_files(struct run *run)
{
	size_t endless = 0;
	const char *first = "";

	for (size_t i = 0; i < run->count; i++) {
		struct report_node *n = &run->nodes[i];
		const struct source_node *source = sources_find(&run->sources, n->name);

		if (!source->facts) {
			n->err = *source->why;
			continue;
		}
		run->facts[i] = source_facts(source);
		n->facts = &run->facts[i];
		if (is_endless(source) && endless++ == 0)
			first = n->name;
	}
	warn_of_endless(run, endless, first);
	return RC_OK;
}

static enum rc gather_all(struct run *run, bool hold, struct err *e)
{
	if (!run->fleet)
		return gather_from_files(run);
	return gather_from_fleet(run, hold, e);
}

enum rc gather_facts(struct run *run, bool hold, struct err *e)
{
	enum rc rc = gather_all(run, hold, e);

	return rc == RC_OK ? classes_make(run, e) : rc;
}
