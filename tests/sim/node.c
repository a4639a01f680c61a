#include "tests/sim/node.h"

#include <errno.h>

enum rc sim_later(struct sim_node *n, uint64_t ms)
{
	n->ready_at = sim_now(n) + ms;
	return RC_AGAIN;
}

static enum rc never(struct sim_node *n)
{
	n->mute = true;
	return RC_AGAIN;
}

enum sim_fault sim_fault_at(const struct sim_node *n, enum sim_step step)
{
	const struct sim_manner *m = n->manner;

	if (m->at_call || m->at != step || (m->times && n->dials > m->times))
		return SIM_GOOD;
	return m->fault;
}

/* An error as the real world and transport give it at this step. */
static enum rc break_off(enum sim_step step, int native, const char *words, struct err *e)
{
	return err_set(
		e, step <= SIM_DIAL ? RC_UNREACHABLE : RC_SSH, native, "%s", words);
}

static enum rc strike(
	struct sim_node *n, enum sim_fault fault, enum sim_step step, struct err *e)
{
	switch (fault) {
	case SIM_SILENT:
		return never(n);
	case SIM_REFUSED:
		return break_off(step, ECONNREFUSED, "refused by the script", e);
	case SIM_RESET:
	case SIM_CLOSED:
		return break_off(step, ECONNRESET, "reset by the script", e);
	case SIM_GARBAGE:
		return break_off(step, -8, "garbage of the script", e);
	case SIM_MEMORY:
		return err_memory(e);
	case SIM_ENDLESS:
		return sim_later(n, 100);
	case SIM_NO_LOGIN:
		return err_set(e, RC_AUTH, -18, "refused by the script");
	default:
		return RC_OK;
	}
}

void sim_node_begins(struct sim_node *n, struct world *w)
{
	n->world = w;
	n->sessions++;
	n->step = SIM_STEPS;
	n->mute = n->stuttered = false;
}

enum rc sim_count(struct sim_node *n, enum sim_fault *fault, struct err *e)
{
	const struct sim_manner *m = n->manner;

	n->calls++;
	n->directions = TRANSPORT_READ;
	n->ready_at = SIM_NEVER;
	*fault = m->at_call == n->calls ? m->fault : SIM_GOOD;
	if (n->mute)
		return RC_AGAIN;
	switch (*fault) {
	case SIM_AGAIN_BOTH:
		n->directions = 0;
		return sim_later(n, 1);
	case SIM_AGAIN:
		return sim_later(n, 1);
	case SIM_SILENT:
	case SIM_RESET:
	case SIM_REFUSED:
	case SIM_MEMORY:
		return strike(n, *fault, n->step, e);
	default:
		return RC_OK;
	}
}

enum rc sim_pass(struct sim_node *n, enum sim_step step, struct err *e)
{
	enum sim_fault fault;
	enum rc rc;

	if (n->step != step) {
		n->step = step;
		n->due = sim_now(n) + n->step_ms;
	}
	rc = sim_count(n, &fault, e);
	if (rc != RC_OK)
		return rc;
	if (fault != SIM_GOOD) /* SHORT is of no meaning here, CLOSED and GARBAGE are */
		return strike(n, fault, step, e);
	if (sim_now(n) < n->due)
		return sim_later(n, n->due - sim_now(n));
	return strike(n, sim_fault_at(n, step), step, e);
}
