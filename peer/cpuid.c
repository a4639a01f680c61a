#include "peer/cpuid.h"

#include <dlfcn.h>
#include <string.h>
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

/* ---- fields that name the individual CPU: these bits are cleared */

static const struct mask_row {
	uint32_t function;
	uint32_t r[4];
} mask_rows[] = {
	/* SDM 01H: EBX[31:24] initial APIC id */
	{ 0x01, { 0, 0xff000000, 0, 0 } },
	/* SDM 03H: processor serial number (Pentium III) */
	{ 0x03, { ~0U, ~0U, ~0U, ~0U } },
	/* SDM 06H: EDX[31:16] row of this CPU in the hardware feedback table */
	{ 0x06, { 0, 0, 0, 0xffff0000 } },
	/* SDM 0BH, 1FH, APM 8000_0026h: EDX x2APIC id */
	{ 0x0b, { 0, 0, 0, ~0U } },
	{ 0x1f, { 0, 0, 0, ~0U } },
	{ 0x80000026, { 0, 0, 0, ~0U } },
	/* APM 8000_001Eh: EAX APIC id, EBX[7:0] core id, ECX[7:0] node id */
	{ 0x8000001e, { ~0U, 0xff, 0xff, 0 } },
};

void cpuid_mask(struct leaf *leaf)
{
	uint32_t *r[4] = { &leaf->eax, &leaf->ebx, &leaf->ecx, &leaf->edx };

	for (size_t i = 0; i < sizeof(mask_rows) / sizeof(mask_rows[0]); i++)
		for (int k = 0; mask_rows[i].function == leaf->function && k < 4; k++)
			*r[k] &= ~mask_rows[i].r[k];
}

/* ---- the walk, kept */

struct keeping {
	struct arena *arena;
	struct leaf *leaf;
	size_t count;
	bool failed;
};

static bool keep(void *context, uint32_t function, uint32_t index, const uint32_t r[4])
{
	struct keeping *k = context;
	struct leaf *grown = arena_grow(k->arena, k->leaf, k->count, sizeof(*k->leaf));

	k->failed = !grown;
	if (!grown)
		return false;
	k->leaf = grown;
	grown += k->count++;
	*grown = (struct leaf){ function, index, r[0], r[1], r[2], r[3] };
	cpuid_mask(grown);
	return true;
}

enum rc cpuid_walk(const struct cpuid_reader *reader, struct arena *arena,
	struct list *leaves, struct err *e)
{
	struct keeping k = { .arena = arena };

	if (!leaves_walk(reader, &(struct leaves_taker){ keep, &k }))
		return k.failed ? err_memory(e)
				: err_set(e, RC_FACTS, 0,
					  "CPUID leaf 0 names no highest leaf");
	*leaves = (struct list){ k.leaf, k.count };
	return RC_OK;
}

bool cpuid_equals(const struct list *a, const struct list *b)
{
	/* struct leaf is six uint32_t: no padding to compare */
	_Static_assert(sizeof(struct leaf) == 6 * sizeof(uint32_t), "padding");
	return a->count == b->count &&
	       memcmp(a->item, b->item, a->count * sizeof(struct leaf)) == 0;
}

/* ---- the one reader that touches hardware */

typedef void lab_cpuid(uint32_t function, uint32_t index, uint32_t r[4]);

static void read_lab(void *context, uint32_t function, uint32_t index, uint32_t r[4])
{
	lab_cpuid **lab = context;

	(*lab)(function, index, r);
}

#if defined(__x86_64__) || defined(__i386__)
static void read_instruction(
	void *context, uint32_t function, uint32_t index, uint32_t r[4])
{
	(void)context;
	__cpuid_count(function, index, r[0], r[1], r[2], r[3]);
}
#endif

enum rc cpuid_hardware(struct cpuid_reader *out, struct err *e)
{
	static lab_cpuid *lab;
	void *symbol = dlsym(RTLD_DEFAULT, "cpuherd_lab_cpuid");

	(void)e;
	memcpy(&lab, &symbol, sizeof(lab));
	if (lab) {
		*out = (struct cpuid_reader){ read_lab, &lab };
		return RC_OK;
	}
#if defined(__x86_64__) || defined(__i386__)
	*out = (struct cpuid_reader){ read_instruction, NULL };
	return RC_OK;
#else
	return err_set(e, RC_FACTS, 0, "this machine has no CPUID instruction");
#endif
}
