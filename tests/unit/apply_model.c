/* The two-phase reducer, a journal and three nodes, in every order of events: requests
 * carried out or not, answers lost, connections that break while a request is still on
 * its way, peers killed in the middle of a step, nodes that go down and come back, a
 * coordinator that is killed anywhere, a journal that cannot be written, and then resume
 * or rollback, which can be killed as well.
 *
 * Breadth first over all states, each once; nodes are alike, so they are sorted.  How
 * many faults one history may have is bounded, not where they happen. */
#include <stdlib.h>

#include "coordinator/apply/twophase.h"
#include "tests/support/test.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { NODES = 3, FAULTS = 2, PROCESSES = 2 };
#else
enum { NODES = 3, FAULTS = 3, PROCESSES = 2 };
#endif

enum content { OLD, NEW, MIXED };
enum session { NO_SESSION, MINE, ORPHAN }; /* ORPHAN: its coordinator is gone */

/* The round, for one node: waiting, or what came of it. */
enum { R_IDLE, R_WAITS, R_EVENT, R_RECOVERED = R_EVENT + EVENT_COUNT };

struct node {
	/* what the coordinator knows */
	unsigned seen : 4; /* enum twophase_state */
	unsigned round : 4;
	unsigned lost : 1; /* not asked again in this process */
	/* what is so */
	unsigned state : 3; /* enum run_state, as the node's journal has it */
	unsigned content : 2;
	unsigned session : 2;
	unsigned flight : 3; /* enum twophase_request that an orphan may still do */
	unsigned down : 1;
	unsigned same : 1; /* old and new content are equal */
};

struct model {
	struct node n[NODES];
	struct twophase t; /* its states are those of the nodes */
	bool alive, linger;
	bool journal;			/* it is there */
	bool committed;			/* as it says */
	enum twophase_phase disk, told; /* what it says; what the coordinator believes */
	unsigned faults, processes;	/* left */
};

/* ---- states, each once */

struct key {
	uint32_t word[NODES + 1];
};

static struct {
	struct key *slot;
	size_t room, count;
	struct model *queue;
	size_t head, tail, queue_room;
	size_t transitions, ends, kept, reverted, partial, healed;
	size_t mixed_away, mixed_refused;
} all;

static int by_value(const void *left, const void *right)
{
	uint32_t a = *(const uint32_t *)left, b = *(const uint32_t *)right;

	return (a > b) - (a < b);
}

static struct key key_of(const struct model *m)
{
	struct key k;

	for (size_t i = 0; i < NODES; i++) {
		const struct node *n = &m->n[i];

		k.word[i] = n->seen | (uint32_t)n->round << 4 | (uint32_t)n->lost << 8 |
			    (uint32_t)n->state << 9 | (uint32_t)n->content << 12 |
			    (uint32_t)n->session << 14 | (uint32_t)n->flight << 16 |
			    (uint32_t)n->down << 19 | (uint32_t)n->same << 20;
	}
	qsort(k.word, NODES, sizeof(k.word[0]), by_value);
	k.word[NODES] = (uint32_t)m->t.request | (uint32_t)m->t.phase << 3 |
			(uint32_t)m->t.back << 6 | (uint32_t)m->t.again << 7 |
			(uint32_t)m->t.resumed << 8 | (uint32_t)m->t.interrupted << 9 |
			(uint32_t)m->t.ended << 10 | (uint32_t)m->alive << 11 |
			(uint32_t)m->linger << 12 | (uint32_t)m->journal << 13 |
			(uint32_t)m->committed << 14 | (uint32_t)m->disk << 15 |
			(uint32_t)m->told << 18 | m->faults << 21 | m->processes << 24 |
			UINT32_C(1) << 31;
	return k;
}

static struct key *slot_of(const struct key *k)
{
	uint64_t hash = 1469598103934665603u;
	size_t at;

	for (size_t i = 0; i <= NODES; i++)
		hash = (hash ^ k->word[i]) * 1099511628211u ^ hash >> 29;
	for (at = hash % all.room; all.slot[at].word[NODES]; at = (at + 1) % all.room)
		if (memcmp(&all.slot[at], k, sizeof(*k)) == 0)
			break;
	return &all.slot[at];
}

static void slots_grow(void)
{
	struct key *old = all.slot;
	size_t room = all.room;

	all.room = room ? room * 4 : 1 << 16;
	all.slot = calloc(all.room, sizeof(*all.slot));
	assert_non_null(all.slot);
	for (size_t i = 0; i < room; i++)
		if (old[i].word[NODES])
			*slot_of(&old[i]) = old[i];
	free(old);
}

static void push(const struct model *m)
{
	struct key k = key_of(m), *slot;

	all.transitions++;
	if (all.count * 2 >= all.room)
		slots_grow();
	slot = slot_of(&k);
	if (slot->word[NODES])
		return;
	*slot = k;
	all.count++;
	if (all.tail == all.queue_room) {
		size_t left = all.tail - all.head;

		if (all.head <= all.queue_room / 2) {
			all.queue_room = all.queue_room ? all.queue_room * 2 : 1 << 12;
			all.queue = realloc(
				all.queue, all.queue_room * sizeof(*all.queue));
			assert_non_null(all.queue);
		}
		memmove(all.queue, all.queue + all.head, left * sizeof(*all.queue));
		all.head = 0;
		all.tail = left;
	}
	all.queue[all.tail++] = *m;
}

/* ---- what a peer does */

static void write_content(struct node *n, enum content content)
{
	n->content = n->same ? NEW : content;
}

static bool stages(struct node *n)
{
	if (n->state != RUN_STATE_none)
		return true;
	if (n->content != OLD && !n->same)
		return false; /* the precondition */
	n->state = RUN_STATE_staged;
	return true;
}

static bool commits(struct node *n)
{
	if (n->state == RUN_STATE_none)
		return false;
	if (n->state < RUN_STATE_committed) {
		write_content(n, NEW);
		n->state = RUN_STATE_committed;
	}
	return true;
}

static bool keeps(struct node *n)
{
	if (n->state == RUN_STATE_committed)
		n->state = RUN_STATE_kept;
	return n->state == RUN_STATE_none || n->state == RUN_STATE_kept;
}

static bool forgets(struct node *n)
{
	if (n->state != RUN_STATE_none && n->state != RUN_STATE_kept)
		return false;
	n->state = RUN_STATE_none;
	return true;
}

static void reverts(struct node *n)
{
	if (n->state > RUN_STATE_staged)
		write_content(n, OLD);
	n->state = RUN_STATE_none;
}

/* False: it says no. */
static bool carry_out(struct node *n, enum twophase_request request)
{
	switch (request) {
	case REQUEST_STAGE:
		return stages(n);
	case REQUEST_COMMIT:
		return commits(n);
	case REQUEST_VERIFY:
		return n->state >= RUN_STATE_committed && n->content == NEW;
	case REQUEST_KEEP:
		return keeps(n);
	case REQUEST_FORGET:
		return forgets(n);
	case REQUEST_REVERT:
		reverts(n);
		return true;
	default:
		return true;
	}
}

/* It fails, or is killed, in the middle; false: there is no middle. */
static bool carry_out_half(struct node *n, enum twophase_request request)
{
	if (request == REQUEST_COMMIT &&
		(n->state == RUN_STATE_staged || n->state == RUN_STATE_committing)) {
		n->state = RUN_STATE_committing;
		write_content(n, MIXED);
		return true;
	}
	if (request == REQUEST_REVERT && n->state > RUN_STATE_staged) {
		write_content(n, MIXED);
		return true;
	}
	return false;
}

static void session_end(struct model *m, struct node *n)
{
	if (n->state < RUN_STATE_kept && !m->linger)
		reverts(n);
	n->session = NO_SESSION;
	n->flight = REQUEST_NONE;
}

/* ---- what the coordinator does */

static void with_states(struct model *m, enum twophase_state *states)
{
	for (size_t i = 0; i < NODES; i++)
		states[i] = (enum twophase_state)m->n[i].seen;
	m->t.state = states;
	m->t.count = NODES;
}

static void states_back(struct model *m)
{
	for (size_t i = 0; i < NODES; i++)
		m->n[i].seen = m->t.state[i] & 15u;
	m->t.state = NULL;
}

static bool is_old_kind(const struct model *m, size_t i)
{
	unsigned s = m->n[i].seen;

	return s == TWOPHASE_IDLE || s == TWOPHASE_REFUSED || s == TWOPHASE_LOST ||
	       s == TWOPHASE_REVERTED;
}

/* What is said of each node is true; and who is not where the others are is named. */
static void check_states(const struct model *m)
{
	size_t holds = 0, back = 0, named = 0;

	for (size_t i = 0; i < NODES; i++) {
		const struct node *n = &m->n[i];
		bool kept = n->seen == TWOPHASE_KEPT || n->seen == TWOPHASE_FORGOTTEN;

		if (kept)
			assert_int_equal(n->content, NEW);
		if (is_old_kind(m, i) && m->t.back)
			assert_true(n->content == OLD || n->same);
		holds += kept && !n->same;
		back += is_old_kind(m, i) && twophase_is_over(&m->t, i) && !n->same;
		named += !twophase_is_over(&m->t, i);
	}
	assert_false(holds && back);
	if (twophase_result(&m->t) == RESULT_PARTIAL)
		assert_true(named > 0);
}

static void check_uniform(const struct model *m, bool is_free)
{
	size_t old = 0, new = 0;

	for (size_t i = 0; i < NODES; i++) {
		const struct node *n = &m->n[i];

		assert_int_not_equal(n->content, MIXED);
		old += !n->same && n->content == OLD;
		new += !n->same && n->content == NEW;
		if (is_free)
			assert_int_equal(n->state, RUN_STATE_none);
	}
	assert_false(old && new);
}

/* Some hold the new content and some the old one. */
static bool is_mixed(const struct model *m)
{
	bool old = false, new = false;

	for (size_t i = 0; i < NODES; i++) {
		old = old || (!m->n[i].same && m->n[i].content != NEW);
		new = new || (!m->n[i].same && m->n[i].content != OLD);
	}
	return old && new;
}

/* A run ends mixed where a node is out of reach, or says no to putting back or to going
 * on (its disk is broken): it is named either way, and there is no third reason. */
static void check_mixed(const struct model *m)
{
	size_t away = 0, named = 0;

	for (size_t i = 0; i < NODES; i++) {
		const struct node *n = &m->n[i];

		away += n->lost || n->down || n->session == ORPHAN;
		named += !twophase_is_over(&m->t, i) && n->seen != TWOPHASE_KEPT;
	}
	all.mixed_away += away > 0;
	all.mixed_refused += away == 0;
	assert_true(away > 0 || named > 0);
}

static void run_ends(struct model *m)
{
	enum twophase_result result = twophase_result(&m->t);
	bool over = true;

	all.ends++;
	check_states(m);
	if (result != RESULT_PARTIAL)
		check_uniform(m, false);
	else if (is_mixed(m))
		check_mixed(m);
	all.kept += result == RESULT_KEPT || result == RESULT_LINGERS;
	all.reverted += result == RESULT_REVERTED;
	all.partial += result == RESULT_PARTIAL;
	for (size_t i = 0; i < NODES; i++)
		over = over && twophase_is_over(&m->t, i);
	if (over) {
		check_uniform(m, true);
		m->journal = false;
	}
	m->alive = false;
	for (size_t i = 0; i < NODES; i++) {
		struct node *n = &m->n[i];

		n->session = n->session == MINE ? ORPHAN : n->session;
		n->seen = n->round = n->lost = 0;
	}
	m->t = (struct twophase){ 0 };
}

/* The request is on its way to all that it goes to. */
static void round_begin(struct model *m)
{
	for (size_t i = 0; i < NODES; i++) {
		struct node *n = &m->n[i];

		n->round = R_IDLE;
		if (!twophase_asks(&m->t, i))
			continue;
		if (m->t.again && !m->t.resumed &&
			(m->t.request == REQUEST_RECOVER ||
				m->t.request == REQUEST_REVERT))
			n->lost = 0;
		n->round = n->lost ? R_EVENT + EVENT_GONE : R_WAITS;
	}
}

static void round_go_on(struct model m);

static void begin_and_push(struct model m)
{
	round_begin(&m);
	round_go_on(m);
}

static void write_phase(struct model *m)
{
	m->disk = m->t.phase;
	m->committed |= m->t.phase == PHASE_COMMITTING;
}

/* The next request: its phase is written, or cannot be, or is and nobody knows. */
static void advance(struct model m)
{
	enum twophase_phase was = m.t.phase;
	enum twophase_state states[NODES];

	with_states(&m, states);
	if (twophase_next(&m.t) == REQUEST_NONE) {
		run_ends(&m);
		push(&m);
		return;
	}
	for (int fails = 0; fails <= (m.told != m.t.phase && m.faults ? 2 : 0); fails++) {
		enum twophase_state own[NODES];
		struct model next = m;

		with_states(&next, own);
		if (m.told != m.t.phase && fails != 1)
			write_phase(&next);
		if (m.told != m.t.phase && fails == 0)
			next.told = m.t.phase;
		next.faults -= fails != 0;
		if (!fails || twophase_unwritten(&next.t, was))
			begin_and_push(next);
		else
			advance(next);
	}
}

/* All events of a round are told at once, in the order of the nodes. */
static void round_go_on(struct model m)
{
	enum twophase_state states[NODES];

	for (size_t i = 0; i < NODES; i++)
		if (m.n[i].round == R_WAITS) {
			push(&m);
			return;
		}
	with_states(&m, states);
	for (size_t i = 0; i < NODES; i++) {
		unsigned round = m.n[i].round;

		m.n[i].round = R_IDLE;
		if (round >= R_RECOVERED)
			twophase_recovered(
				&m.t, i, (enum run_state)(round - R_RECOVERED));
		else if (round >= R_EVENT)
			twophase_event(&m.t, i, (enum twophase_event)(round - R_EVENT));
	}
	states_back(&m);
	advance(m);
}

static void process_begin(struct model m, bool resumes, bool back)
{
	enum twophase_state states[NODES];

	m.alive = true;
	m.journal = true;
	m.t = resumes ? twophase_resume(states, NODES, m.disk, m.committed, back)
		      : twophase_begin(states, NODES);
	m.told = m.disk;
	states_back(&m);
	advance(m);
}

static void coordinator_dies(struct model m)
{
	for (size_t i = 0; i < NODES; i++) {
		struct node *n = &m.n[i];
		bool sent = n->round == R_WAITS && n->session != ORPHAN && !n->down;

		if (sent)
			n->flight = m.t.request & 7u;
		if (sent || n->session == MINE)
			n->session = ORPHAN;
		n->seen = n->round = n->lost = 0;
	}
	m.alive = false;
	m.t = (struct twophase){ 0 };
	push(&m);
}

/* ---- what may happen */

static void answer(struct model m, size_t i, enum twophase_event event)
{
	struct node *n = &m.n[i];

	n->session = MINE;
	n->round = (R_EVENT + event) & 15u;
	if (event == EVENT_DONE && m.t.request == REQUEST_RECOVER)
		n->round = (R_RECOVERED + n->state) & 15u;
	if (event == EVENT_DONE && m.t.request == REQUEST_STAGE && n->same)
		n->round = (R_EVENT + EVENT_UNCHANGED) & 15u;
	round_go_on(m);
}

static void breaks(struct model m, size_t i, enum session then)
{
	struct node *n = &m.n[i];

	n->flight = then == ORPHAN ? m.t.request & 7u : REQUEST_NONE;
	n->session = then & 3u;
	n->lost = 1;
	n->round = R_EVENT + EVENT_LOST;
	m.faults--;
	round_go_on(m);
}

/* A request that is on its way to a node that is up. */
static void request_arrives(struct model m, size_t i)
{
	enum twophase_request request = m.t.request;
	struct model next = m, half = m;
	bool has_half = carry_out_half(&half.n[i], request);
	bool done = carry_out(&next.n[i], request);

	answer(next, i, done ? EVENT_DONE : EVENT_FAILED);
	if (!m.faults)
		return;
	next.faults--; /* it comes twice */
	done = carry_out(&next.n[i], request);
	answer(next, i, done ? EVENT_DONE : EVENT_FAILED);
	next = m;
	next.faults--;
	answer(next, i, EVENT_FAILED); /* it says no, and has done nothing */
	breaks(m, i, ORPHAN);	       /* and may be carried out later */
	if (has_half) {
		breaks(half, i, NO_SESSION); /* killed */
		half.faults--;
		answer(half, i, EVENT_FAILED);
	}
}

static void request_waits(struct model m, size_t i)
{
	struct node *n = &m.n[i];

	if (n->down) {
		n->round = R_EVENT + EVENT_LOST;
		n->lost = 1;
		round_go_on(m);
	} else if (n->session == ORPHAN) {
		n->round = R_EVENT + EVENT_FAILED; /* the node is held */
		round_go_on(m);
	} else {
		request_arrives(m, i);
	}
}

/* A peer without its coordinator does what it still has heard of, and ends. */
static void orphan_goes_on(struct model m, size_t i)
{
	struct model next = m;

	if (m.n[i].flight != REQUEST_NONE) {
		carry_out(&next.n[i], (enum twophase_request)m.n[i].flight);
		next.n[i].flight = REQUEST_NONE;
		push(&next);
		next = m;
	}
	session_end(&next, &next.n[i]);
	push(&next);
	if (!m.faults)
		return;
	next = m; /* it is killed, in the middle of something or not */
	next.n[i].session = NO_SESSION;
	next.n[i].flight = REQUEST_NONE;
	next.faults--;
	push(&next);
	if (carry_out_half(&next.n[i], (enum twophase_request)m.n[i].flight))
		push(&next);
	else if (!m.linger && m.n[i].state < RUN_STATE_kept &&
		 carry_out_half(&next.n[i], REQUEST_REVERT))
		push(&next);
}

static void node_goes_down(struct model m, size_t i)
{
	struct node *n = &m.n[i];
	bool waits = n->round == R_WAITS;

	n->down = 1;
	n->session = NO_SESSION;
	n->flight = REQUEST_NONE;
	m.faults--;
	if (m.alive)
		n->lost = 1;
	if (waits)
		n->round = R_EVENT + EVENT_LOST;
	if (waits)
		round_go_on(m);
	else
		push(&m);
}

/* When all nodes are there and nothing else goes wrong, resume and rollback reach one of
 * two states on all of them. */
static void check_healing(struct model m, bool back)
{
	enum twophase_state states[NODES];

	all.healed++;
	for (size_t i = 0; i < NODES; i++) {
		m.n[i].down = 0;
		if (m.n[i].session == ORPHAN)
			session_end(&m, &m.n[i]);
	}
	m.t = twophase_resume(states, NODES, m.disk, m.committed, back);
	while (twophase_next(&m.t) != REQUEST_NONE)
		for (size_t i = 0; i < NODES; i++) {
			struct node *n = &m.n[i];

			if (!twophase_asks(&m.t, i))
				continue;
			if (m.t.request == REQUEST_RECOVER)
				twophase_recovered(&m.t, i, (enum run_state)n->state);
			else
				twophase_event(&m.t, i,
					carry_out(n, m.t.request) ? EVENT_DONE
								  : EVENT_FAILED);
		}
	check_uniform(&m, true);
	for (size_t i = 0; i < NODES; i++) {
		assert_true(twophase_is_over(&m.t, i));
		if (back && !m.n[i].same)
			assert_int_equal(m.n[i].content, OLD);
	}
}

static void next_process(const struct model *m)
{
	bool may_go_back = m->disk != PHASE_FORGETTING;

	check_healing(*m, false);
	if (may_go_back)
		check_healing(*m, true);
	if (!m->processes)
		return;
	for (int back = 0; back <= may_go_back; back++) {
		struct model next = *m;

		next.processes--;
		process_begin(next, true, back);
	}
}

static void explore(const struct model *m)
{
	for (size_t i = 0; i < NODES; i++) {
		struct model next = *m;

		if (m->n[i].round == R_WAITS)
			request_waits(*m, i);
		if (m->n[i].session == ORPHAN)
			orphan_goes_on(*m, i);
		if (m->faults && !m->n[i].down)
			node_goes_down(*m, i);
		next.n[i].down = 0;
		if (m->n[i].down)
			push(&next);
	}
	if (m->alive && m->faults) {
		struct model next = *m;

		next.faults--;
		coordinator_dies(next);
		if (!m->t.interrupted) {
			twophase_interrupt(&next.t);
			push(&next);
		}
	}
	if (!m->alive && m->journal)
		next_process(m);
}

static void walk(bool linger, bool same)
{
	struct model m = { .linger = linger, .faults = FAULTS, .processes = PROCESSES };
	struct model now;

	memset(&all, 0, sizeof(all));
	m.n[0].same = same;
	m.n[0].content = same ? NEW : OLD;
	process_begin(m, false, false);
	while (all.head < all.tail) {
		now = all.queue[all.head++];
		explore(&now);
	}
	print_message("%s%s: %zu states, %zu transitions; %zu ends: %zu kept, %zu "
		      "reverted, %zu partial (mixed: %zu with a node away, %zu where one "
		      "refuses); %zu resumed or rolled back to one state\n",
		linger ? "linger" : "held", same ? ", one node unchanged" : "", all.count,
		all.transitions, all.ends, all.kept, all.reverted, all.partial,
		all.mixed_away, all.mixed_refused, all.healed);
	assert_true(all.kept && all.reverted && all.partial && all.healed);
	free(all.slot);
	free(all.queue);
}

static void no_order_of_events_ends_with_some_new_and_some_old(void **state)
{
	(void)state;
	walk(false, false);
}

static void nor_where_sessions_are_not_held(void **state)
{
	(void)state;
	walk(true, false);
}

static void nor_where_one_node_has_nothing_to_change(void **state)
{
	(void)state;
	walk(false, true);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_order_of_events_ends_with_some_new_and_some_old),
		cmocka_unit_test(nor_where_sessions_are_not_held),
		cmocka_unit_test(nor_where_one_node_has_nothing_to_change),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
