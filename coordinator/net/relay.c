#include "coordinator/net/relay.h"

#include "coordinator/net/bastion.h"
#include "coordinator/net/world_private.h"

void relay_rouse(struct relay *r)
{
	if (!r->over && r->session.state == S_RELAY)
		world_rouse(&r->session);
}

/* RC_AGAIN only where a packet is half sent: then nothing else may be done. */
static enum rc carry(struct relay *r, struct tunnel *t, enum tunnel_op op)
{
	struct session *s = &r->session;
	enum rc rc = tunnel_do(t, op, s);

	r->half = NULL;
	if (rc != RC_AGAIN)
		return rc;
	if (!(s->common->transport->wait(s->transport) & TRANSPORT_WRITE))
		return RC_OK;
	r->half = t;
	r->half_op = op;
	return RC_AGAIN;
}

/* Takes the next one that waits; false: there is none, or no room. */
static bool begin_next(struct relay *r)
{
	struct tunnel *t = r->count < RELAY_TUNNELS_MAX ? bastion_take(r->bastion) : NULL;

	if (!t)
		return false;
	t->state = TUNNEL_OPENING;
	t->relay = r;
	t->next = r->tunnels;
	r->tunnels = t;
	r->count++;
	r->opening = t;
	r->opening_since_ms = r->session.common->world->now_ms(&r->session);
	return true;
}

/* *heard: something was read from the connection, so that what is there for the others is
 * known without a further system call. */
static enum rc give_turn(struct relay *r, struct tunnel *t, bool *heard)
{
	const struct tunnel_ops *ops = r->session.common->transport->tunnels;
	enum rc rc = RC_OK;

	if (t->state == TUNNEL_FAILED || t->state == TUNNEL_CLOSED)
		return RC_OK;
	if (t->state == TUNNEL_OPENING || !t->session) {
		*heard = true;
		return carry(r, t,
			t->state == TUNNEL_OPENING ? TUNNEL_DO_OPEN : TUNNEL_DO_CLOSE);
	}
	if (!t->ended && tunnel_flush(t) && (!*heard || ops->has_more(t->channel))) {
		*heard = true;
		rc = carry(r, t, TUNNEL_DO_FETCH);
	}
	if (rc == RC_OK && t->readable) {
		*heard = true;
		rc = carry(r, t, TUNNEL_DO_SEND);
	}
	if (rc == RC_OK)
		rc = tunnel_watch(
			t, &handles_of(&r->session)->world->loop, &r->session.err);
	return rc;
}

/* It goes its own way; its session may end with that. */
static void let_go(struct relay *r, struct tunnel **at)
{
	struct tunnel *t = *at;

	*at = t->next;
	t->next = NULL;
	r->count--;
	if (t->session)
		session_advance(t->session);
	else
		tunnel_free(t);
}

/* After its turn: what came of it.  Returns where the next one is. */
static struct tunnel **settle(struct relay *r, struct tunnel **at)
{
	struct tunnel *t = *at;
	bool was_opening = r->opening == t && t->state != TUNNEL_OPENING;

	if (was_opening)
		r->opening = NULL;
	if (t->state == TUNNEL_FAILED || t->state == TUNNEL_CLOSED) {
		let_go(r, at);
		return at;
	}
	if (was_opening && t->session)
		session_advance(t->session);
	return &t->next;
}

static enum rc finish_half(struct relay *r)
{
	return r->half ? carry(r, r->half, r->half_op) : RC_OK;
}

/* Each one that wants something gets a turn. */
static enum rc go_round(struct relay *r, bool *heard)
{
	enum rc rc = finish_half(r);

	for (struct tunnel **at = &r->tunnels; rc == RC_OK && *at;) {
		rc = give_turn(r, *at, heard);
		if (rc == RC_OK)
			at = settle(r, at);
	}
	return rc;
}

enum rc relay_run(struct session *s)
{
	const struct tunnel_ops *ops = s->common->transport->tunnels;
	struct relay *r = s->owner;
	uint64_t received = ops->received(s->transport);
	bool heard = false;
	enum rc rc;

	if (!r->up)
		bastion_attend_soon(r->bastion);
	r->up = true;
	rc = go_round(r, &heard);
	if (rc != RC_OK)
		return rc;
	if (!r->opening && begin_next(r))
		s->hot = true;
	/* what one tunnel read may be for another, which had its turn before */
	if (ops->received(s->transport) != received)
		s->hot = true;
	/* with nothing to read for, its socket would wake us for ever */
	s->idle = !heard && !s->hot;
	return RC_AGAIN;
}
