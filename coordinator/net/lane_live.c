/* The sessions of a lane, and the outcomes of its nodes. */
#include <stdlib.h>

#include "coordinator/net/lane_private.h"

/* ---- sessions come and go */

void live_count(struct live *v, bool busy)
{
	if (v->counted != busy)
		v->lane->busy += busy ? 1 : -(size_t)1;
	v->counted = busy;
}

void live_hold(struct live *v, bool hold)
{
	if (v->held != hold)
		v->lane->held += hold ? 1 : -(size_t)1;
	v->held = hold;
}

void live_free(struct live *v)
{
	struct lane *l = v->lane;

	live_count(v, false);
	live_hold(v, false);
	l->open--;
	session_destroy(&v->session);
	l->crew->world->session.unbind(&v->session);
	if (v->previous)
		v->previous->next = v->next;
	else
		l->all = v->next;
	if (v->next)
		v->next->previous = v->previous;
	l->crew->members[v->node].live = NULL;
	free(v);
}

/* What the inventory says of the node, else the run's. */
static bool becomes(const struct crew *c, size_t node)
{
	enum inventory_become own = c->inv->nodes[node].become;

	return own == INVENTORY_BECOME_AS_RUN ? c->options->become
					      : own == INVENTORY_BECOME_YES;
}

struct live *live_new(struct lane *l, size_t node, struct err *e)
{
	struct crew *c = l->crew;
	struct member *m = &c->members[node];
	struct live *v = calloc(1, sizeof(*v));

	if (!v) {
		err_memory(e);
		return NULL;
	}
	v->lane = l;
	v->node = node;
	session_init(&v->session, &c->common, c->inv->nodes[node].name,
		c->options->settings[node], &m->arena);
	v->session.owner = v;
	v->session.become = becomes(c, node);
	v->session.trace = c->options->traces &&
			   c->options->traces(c->options->context, node);
	if (c->world->session.bind(l->world, &v->session, e) != RC_OK) {
		free(v);
		return NULL;
	}
	l->open++;
	v->next = l->all;
	if (l->all)
		l->all->previous = v;
	l->all = v;
	m->live = v;
	return v;
}

/* ---- the outcome of a node */

static const struct err no_memory = { RC_MEMORY, 0, "out of memory" };

static void member_forgive(struct member *m)
{
	if (m->err != &no_memory)
		free((struct err *)m->err);
	m->err = NULL;
}

/* Without memory for the reason the node has failed all the same. */
void member_blame(struct member *m, const struct err *why)
{
	struct err *copy = malloc(sizeof(*copy));

	member_forgive(m);
	if (copy)
		*copy = *why;
	m->err = copy ? copy : &no_memory;
}

void member_destroy(struct member *m)
{
	member_forgive(m);
	arena_destroy(&m->arena);
}

void node_finish(struct lane *l, size_t node, const struct err *why)
{
	struct crew *c = l->crew;
	struct member *m = &c->members[node];

	l->unfinished--;
	member_forgive(m);
	if (why->code != RC_OK) {
		member_blame(m, why);
		atomic_fetch_add(&c->failed, 1);
	}
	atomic_fetch_add(&c->done, 1);
}

void live_finish(struct live *v)
{
	if (!v->finished)
		node_finish(v->lane, v->node, &v->session.err);
	v->finished = true;
}
