#include "coordinator/verb/pairs.h"

#include <stdbool.h>

#include "base/lookup.h"

uint64_t pairs_possible(size_t nodes)
{
	return nodes ? (uint64_t)nodes * (nodes - 1) : 0;
}

static enum rc pairs_room(
	struct pairs *p, size_t count, size_t steps, struct arena *arena, struct err *e)
{
	*p = (struct pairs){ .count = count, .step_count = steps };
	p->pair = arena_alloc(arena, count, sizeof(*p->pair));
	p->steps = arena_alloc(arena, steps + 1, sizeof(*p->steps));
	return p->pair && p->steps ? RC_OK : err_memory(e);
}

/* Step k: everybody to the k-th behind.  The first of them is the ring. */
static void pairs_rotate(struct pairs *p, size_t nodes)
{
	for (size_t step = 0; step < p->step_count; step++) {
		for (size_t i = 0; i < nodes; i++)
			p->pair[step * nodes + i] = (struct pair){ i,
				(i + step + 1) % nodes };
		p->steps[step + 1] = (step + 1) * nodes;
	}
}

/* ---- a sample */

/* splitmix64, by Sebastiano Vigna (public domain): small, and the same everywhere. */
static uint64_t random_next(uint64_t *state)
{
	uint64_t z = *state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
	return z ^ z >> 31;
}

static bool has(const struct lookup *taken, uint64_t number)
{
	uint64_t hash = lookup_hash(
		(struct bytes){ (const uint8_t *)&number, sizeof(number) });
	size_t cursor = 0, found;

	while ((found = lookup_next(taken, hash, &cursor)) != SIZE_MAX)
		if (found == number)
			return true;
	return false;
}

static enum rc take(
	struct lookup *taken, uint64_t number, struct arena *arena, struct err *e)
{
	uint64_t hash = lookup_hash(
		(struct bytes){ (const uint8_t *)&number, sizeof(number) });

	return lookup_add(taken, hash, number, arena, e);
}

/* Floyd's way: so many different numbers below `possible` with as many random ones.
 * That the remainder is not quite even does not matter here: 2^64 is far. */
static enum rc sample_draw(struct pair *out, size_t count, size_t nodes, uint32_t seed,
	struct arena *arena, struct err *e)
{
	uint64_t possible = pairs_possible(nodes), state = seed;
	struct lookup taken = { 0 };

	for (size_t i = 0; i < count; i++) {
		uint64_t last = possible - count + i;
		uint64_t number = random_next(&state) % (last + 1);

		if (has(&taken, number))
			number = last;
		if (take(&taken, number, arena, e) != RC_OK)
			return e->code;
		out[i].source = number / (nodes - 1);
		out[i].target = number % (nodes - 1);
		out[i].target += out[i].target >= out[i].source;
	}
	return RC_OK;
}

/* Each step takes the first of what is left that do not meet; `step` is the last step
 * (from 1) in which a node was source or target. */
static size_t step_fill(struct pairs *p, struct pair *left, size_t *left_count,
	size_t *sources, size_t *targets, size_t at)
{
	size_t step = ++p->step_count, kept = 0;

	for (size_t i = 0; i < *left_count; i++) {
		struct pair pair = left[i];

		if (sources[pair.source] == step || targets[pair.target] == step) {
			left[kept++] = pair;
			continue;
		}
		sources[pair.source] = targets[pair.target] = step;
		p->pair[at++] = pair;
	}
	*left_count = kept;
	p->steps[step] = at;
	return at;
}

static enum rc sample_make(struct pairs *p, const struct pairs_wish *wish, size_t nodes,
	struct arena *arena, struct err *e)
{
	size_t left_count = wish->sample, at = 0;
	struct pair *left = arena_alloc(arena, left_count, sizeof(*left));
	size_t *sources = arena_alloc(arena, nodes, sizeof(*sources));
	size_t *targets = arena_alloc(arena, nodes, sizeof(*targets));
	enum rc rc = pairs_room(p, left_count, left_count, arena, e);

	if (rc != RC_OK)
		return rc;
	if (!left || !sources || !targets)
		return err_memory(e);
	rc = sample_draw(left, left_count, nodes, wish->seed, arena, e);
	if (rc != RC_OK)
		return rc;
	p->step_count = 0;
	while (left_count)
		at = step_fill(p, left, &left_count, sources, targets, at);
	return RC_OK;
}

enum rc pairs_make(const struct pairs_wish *wish, size_t nodes, struct arena *arena,
	struct pairs *out, struct err *e)
{
	uint64_t possible = pairs_possible(nodes), count = nodes;
	enum rc rc;

	if (nodes < 2)
		return err_set(e, RC_USAGE, 0,
			"a guest needs two nodes to move between: name another one");
	if (wish->kind == PAIRS_ALL)
		count = possible;
	else if (wish->kind == PAIRS_SAMPLE)
		count = wish->sample < possible ? wish->sample : possible;
	if (count > PAIRS_MAX)
		return err_set(e, RC_USAGE, 0,
			"%zu nodes make %llu pairs, and at most %d are migrated between: "
			"--sample N takes some",
			nodes, (unsigned long long)count, PAIRS_MAX);
	if (wish->kind == PAIRS_SAMPLE && count < possible)
		return sample_make(out, wish, nodes, arena, e);
	rc = pairs_room(out, (size_t)count, (size_t)count / nodes, arena, e);
	if (rc == RC_OK)
		pairs_rotate(out, nodes);
	return rc;
}
