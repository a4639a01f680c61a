/* The time stamp counter: it ticks on at the node's rate unless KVM can scale it. */
#include "coordinator/cpu/conditions_rules.h"

#include <stdlib.h>

/* Parts per million that count as equal, because NTP corrects them (QEMU
 * target/i386/kvm/kvm.c freq_within_bounds; libvirt src/qemu/qemu_validate.c). */
enum { TOLERANCE_PPM = 250 };

static uint32_t rate_of(const struct conditions *c, size_t node)
{
	return c->facts[node].small.tsc_khz;
}

static bool is_close(uint32_t slow, uint32_t fast)
{
	return (uint64_t)(fast - slow) * 1000000 <= (uint64_t)slow * TOLERANCE_PPM;
}

static int compare_rates(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return (x > y) - (x < y);
}

/* The known rates, sorted; of those within tolerance of a slower one only that. */
static size_t rates_apart(const struct conditions *c, uint32_t *out)
{
	size_t count = 0, kept = 0;

	for (size_t i = 0; i < c->count; i++)
		if (rate_of(c, i))
			out[count++] = rate_of(c, i);
	if (count)
		qsort(out, count, sizeof(*out), compare_rates);
	for (size_t i = 0; i < count; i++)
		if (kept == 0 || !is_close(out[kept - 1], out[i]))
			out[kept++] = out[i];
	return kept;
}

/* "2600.0 MHz (can scale)": its group's rate, so that jitter makes no groups. */
static const char *rate_text(
	const struct conditions *c, size_t node, const uint32_t *rates, size_t count)
{
	size_t group = 0;

	while (group + 1 < count && rates[group + 1] <= rate_of(c, node))
		group++;
	return arena_format(c->arena, "%u.%u MHz%s", rates[group] / 1000,
		rates[group] % 1000 / 100,
		c->facts[node].small.tsc_scaling ? ", KVM can scale it" : "");
}

static enum rc remark_rates(
	struct conditions *c, const uint32_t *rates, size_t count, struct err *e)
{
	const char **text = arena_alloc(c->arena, c->count + 1, sizeof(*text));

	if (!text)
		return err_memory(e);
	for (size_t i = 0; i < c->count; i++) {
		if (!rate_of(c, i))
			continue;
		text[i] = rate_text(c, i, rates, count);
		if (!text[i])
			return err_memory(e);
	}
	return conditions_say_each(c, "tsc", text, e);
}

/* A single node need not be known: there is nothing to compare. */
static bool is_known(const struct conditions *c, size_t node)
{
	return !conditions_several(c) || rate_of(c, node);
}

static enum rc remark_unscaled(struct conditions *c, struct err *e)
{
	bool *of = conditions_nodes(c);

	if (!of)
		return err_memory(e);
	for (size_t i = 0; i < c->count; i++)
		of[i] = rate_of(c, i) && !c->facts[i].small.tsc_scaling;
	return conditions_say(c, true, "tsc", of, e,
		"frequencies differ by more than %d ppm and KVM cannot scale here: the "
		"rate changes under a guest that moves in",
		TOLERANCE_PPM);
}

static bool all_known_scale(const struct conditions *c)
{
	for (size_t i = 0; i < c->count; i++)
		if (rate_of(c, i) && !c->facts[i].small.tsc_scaling)
			return false;
	return true;
}

enum rc tsc_remark(struct conditions *c, const struct level *l, struct err *e)
{
	uint32_t *rates = arena_alloc(c->arena, c->count + 1, sizeof(*rates));
	size_t count;
	enum rc rc;

	(void)l;
	if (c->virt != VIRT_KVM)
		return RC_OK;
	if (!rates)
		return err_memory(e);
	rc = conditions_miss_unless(c, "TSC frequency", is_known, e);
	count = rates_apart(c, rates);
	if (rc != RC_OK || count < 2 || all_known_scale(c))
		return rc;
	rc = remark_unscaled(c, e);
	return rc == RC_OK ? remark_rates(c, rates, count, e) : rc;
}
