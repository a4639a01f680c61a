#include "coordinator/verb/gather.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/log.h"
#include "coordinator/verb/saved.h"
#include "proto/limits.h"

/* A node's word that it has a body. */
struct ref {
	enum body_id id;
	struct digest digest;
	size_t node;
};

/* A body and the nodes that have it: refs [first, end) of the sorted array. */
struct body_class {
	size_t first, end;
	size_t next;	/* the ref whose node is asked, or will be */
	size_t donor;	/* the node whose facts hold it, once we have it */
	bool have, bad; /* bad: right digest, but nothing can be made of it */
	struct err why_bad;
};

struct gather {
	struct run *run;
	struct ref *refs;
	size_t ref_count;
	struct body_class *classes;
	size_t class_count;
	/* of the round that runs: what each node is asked for */
	struct body_class *(*asked)[BODY_COUNT];
	struct ask_bodies *asks;
};

/* ---- the small facts */

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

static enum rc ref_add(
	struct gather *g, size_t node, const struct body_ref *ref, struct err *e)
{
	enum body_id id = body_id_of(ref->name);
	struct ref *added;

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
	g->refs = arena_grow(&g->run->arena, g->refs, g->ref_count, sizeof(*g->refs));
	if (!g->refs)
		return err_memory(e);
	added = &g->refs[g->ref_count++];
	added->id = id;
	added->node = node;
	memcpy(added->digest.byte, ref->digest.data, DIGEST_BYTES);
	return RC_OK;
}

static enum rc answer_facts(
	void *context, size_t node, const struct message *m, struct err *e)
{
	struct gather *g = context;
	const struct facts *facts = m->value;
	const struct body_ref *ref = facts->bodies.item;
	bool seen[BODY_COUNT + 1] = { false };
	enum rc rc = RC_OK;

	g->run->facts[node].small = *facts;
	for (size_t i = 0; i < facts->bodies.count && rc == RC_OK; i++) {
		enum body_id id = body_id_of(ref[i].name);

		if (id != BODY_COUNT && seen[id])
			return err_set(e, RC_PROTOCOL, 0, "names its %s facts twice",
				ref[i].name);
		seen[id] = true;
		rc = ref_add(g, node, &ref[i], e);
	}
	return rc;
}

/* ---- classes: equal bodies of many nodes */

static int compare_refs(const void *left, const void *right)
{
	const struct ref *a = left, *b = right;
	int order = (a->id > b->id) - (a->id < b->id);

	if (!order)
		order = memcmp(a->digest.byte, b->digest.byte, DIGEST_BYTES);
	if (!order)
		order = (a->node > b->node) - (a->node < b->node);
	return order;
}

static bool same_body(const struct ref *a, const struct ref *b)
{
	return a->id == b->id && digest_same(&a->digest, &b->digest);
}

static enum rc classes_make(struct gather *g, struct err *e)
{
	struct arena *arena = &g->run->arena;

	if (g->ref_count)
		qsort(g->refs, g->ref_count, sizeof(*g->refs), compare_refs);
	for (size_t i = 0, end; i < g->ref_count; i = end) {
		for (end = i + 1; end < g->ref_count; end++)
			if (!same_body(&g->refs[i], &g->refs[end]))
				break;
		g->classes = arena_grow(
			arena, g->classes, g->class_count, sizeof(*g->classes));
		if (!g->classes)
			return err_memory(e);
		g->classes[g->class_count++] = (struct body_class){
			.first = i, .end = end, .next = i
		};
	}
	g->asked = arena_alloc(arena, g->run->count, sizeof(*g->asked));
	g->asks = arena_alloc(arena, g->run->count, sizeof(*g->asks));
	return g->asked && g->asks ? RC_OK : err_memory(e);
}

/* ---- the bodies */

static bool ask_bodies(
	void *context, size_t node, enum message_tag *tag, const void **value)
{
	struct gather *g = context;

	*tag = MESSAGE_ask_bodies;
	*value = &g->asks[node];
	return g->asks[node].names.count > 0;
}

static enum rc body_take(struct gather *g, size_t node, struct body_class *class,
	const struct body *body, struct err *e)
{
	const struct ref *ref = &g->refs[class->first];
	struct digest digest = digest_of(body->content.data, body->content.size);
	struct node_facts *facts = &g->run->facts[node];

	if (!digest_same(&digest, &ref->digest))
		return err_set(e, RC_PROTOCOL, 0,
			"what it sent as its %s facts does not match their digest",
			body_rows[ref->id].name);
	class->have = true;
	class->donor = node;
	if (facts_put_body(facts, ref->id, body->content, &g->run->arena, e) == RC_OK)
		return RC_OK;
	class->bad = true; /* and so for every node that has the same bytes */
	class->why_bad = *e;
	return e->code;
}

static enum rc answer_body(
	void *context, size_t node, const struct message *m, struct err *e)
{
	struct gather *g = context;
	const struct body *body = m->value;
	enum body_id id = body_id_of(body->name);
	struct body_class *class = id < BODY_COUNT ? g->asked[node][id] : NULL;
	enum rc rc;

	if (!class || class->have)
		return err_set(e, RC_PROTOCOL, 0, "sent facts '%s' that were not asked",
			body->name);
	rc = body_take(g, node, class, body, e);
	if (rc != RC_OK || !body->last)
		return rc == RC_OK ? RC_AGAIN : rc;
	for (int i = 0; i < BODY_COUNT; i++)
		if (g->asked[node][i] && !g->asked[node][i]->have)
			return err_set(e, RC_PROTOCOL, 0, "did not send its %s facts",
				body_rows[i].name);
	return RC_OK;
}

/* Puts the class on the list of the first node that has it and is still well. */
static enum rc class_assign(
	struct gather *g, struct body_class *class, bool *any, struct err *e)
{
	struct run *run = g->run;
	struct texts *names;
	size_t node;

	while (class->next < class->end && !run_has(run, g->refs[class->next].node))
		class->next++;
	if (class->next == class->end)
		return RC_OK; /* every node that has it failed for a reason of its own */
	node = g->refs[class->next].node;
	names = &g->asks[node].names;
	names->item = arena_grow(
		&run->arena, names->item, names->count, sizeof(*names->item));
	if (!names->item)
		return err_memory(e);
	names->item[names->count++] = body_rows[g->refs[class->next].id].name;
	g->asked[node][g->refs[class->next].id] = class;
	*any = true;
	return RC_OK;
}

static enum rc assign(struct gather *g, bool *any, struct err *e)
{
	enum rc rc = RC_OK;

	*any = false;
	memset(g->asked, 0, g->run->count * sizeof(*g->asked));
	memset(g->asks, 0, g->run->count * sizeof(*g->asks));
	for (size_t i = 0; i < g->class_count && rc == RC_OK; i++)
		if (!g->classes[i].have)
			rc = class_assign(g, &g->classes[i], any, e);
	return rc;
}

/* Gives each body to all nodes that have it; they share the memory. */
static void distribute(struct gather *g)
{
	for (size_t c = 0; c < g->class_count; c++) {
		const struct body_class *class = &g->classes[c];

		for (size_t i = class->first; i < class->end && class->have; i++) {
			struct node_facts *to = &g->run->facts[g->refs[i].node];
			const struct node_facts *from = &g->run->facts[class->donor];
			enum body_id id = g->refs[i].id;
			struct err *err = &g->run->nodes[g->refs[i].node].err;

			if (class->bad && err->code == RC_OK)
				*err = class->why_bad;
			to->present[id] = from->present[id];
			to->registers[id] = from->registers[id];
			to->text[id] = from->text[id];
		}
	}
}

static enum rc gather_from_fleet(struct run *run, struct err *e)
{
	static const struct fleet_call small = { "facts", ask_facts, answer_facts };
	static const struct fleet_call bodies = { "bodies", ask_bodies, answer_body };
	struct gather g = { .run = run };
	bool any = true;
	enum rc rc = run_round(run, &small, &g, e);

	for (size_t i = 0; i < run->count; i++)
		if (run_has(run, i))
			run->nodes[i].facts = &run->facts[i];
	if (rc == RC_OK)
		rc = classes_make(&g, e);
	/* each turn takes a body off the list, or a node */
	while (rc == RC_OK && (rc = assign(&g, &any, e)) == RC_OK && any)
		rc = run_round(run, &bodies, &g, e);
	if (rc == RC_OK)
		distribute(&g);
	return rc;
}

static enum rc gather_from_files(struct run *run, struct err *e)
{
	const char *from = run->options->from;

	(void)e;
	for (size_t i = 0; i < run->count; i++) {
		struct report_node *n = &run->nodes[i];

		if (saved_read(from, n->name, &run->arena, &run->facts[i], &n->err) ==
			RC_OK)
			n->facts = &run->facts[i];
	}
	return RC_OK;
}

enum rc gather_facts(struct run *run, struct err *e)
{
	enum rc rc;

	if (!run->fleet)
		return gather_from_files(run, e);
	log_line(LOG_INFO, NULL, "connect");
	rc = fleet_connect(run->fleet, e);
	run_take_errors(run);
	return rc == RC_OK ? gather_from_fleet(run, e) : rc;
}
