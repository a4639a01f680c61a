#include "peer/pulse.h"

#include <string.h>

/* A copy is held on to: the sum is of what is read. */
static bool is_whole(const struct pulse_page *p)
{
	return p->magic == PULSE_MAGIC && p->version == PULSE_VERSION &&
	       p->changing % 2 == 0 && p->leaves <= PULSE_LEAVES &&
	       p->sum == pulse_sum(p);
}

static bool take_leaves(const struct pulse_page *p, struct arena *arena, struct list *out)
{
	struct leaf *leaf = arena_alloc(arena, p->leaves, sizeof(*leaf));

	if (!leaf)
		return false;
	for (uint32_t i = 0; i < p->leaves; i++) {
		const struct pulse_leaf *l = &p->leaf[i];

		leaf[i] = (struct leaf){ l->function, l->index, l->r[0], l->r[1], l->r[2],
			l->r[3] };
	}
	*out = (struct list){ leaf, p->leaves };
	return true;
}

enum rc pulse_read(const void *page, size_t size, struct arena *arena, struct pulse *out,
	struct err *e)
{
	struct pulse_page p;

	*out = (struct pulse){ 0 };
	if (size < PULSE_BYTES)
		return RC_OK;
	memcpy(&p, page, sizeof(p)); /* a buffer of bytes need not be aligned */
	if (!is_whole(&p))
		return RC_OK;
	if (!take_leaves(&p, arena, &out->leaves))
		return err_memory(e);
	out->boot = (uint64_t)p.boot[1] << 32 | p.boot[0];
	out->count = p.count;
	out->valid = true;
	return RC_OK;
}
