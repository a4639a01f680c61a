#include "peer/leaves.h"

enum { EAX, EBX, ECX, EDX };

/* Leaves of one range and sub-leaves of one leaf that are asked for at most.
 * Largest in the manuals: 0x28 leaves, 64 sub-leaves (0xD: one per XCR0 bit). */
enum { LEAVES_MAX = 0x100, INDICES_MAX = 64 };

/* What a leaf said at sub-leaf 0 and 1, and at the sub-leaf in question. */
struct subleaf {
	uint32_t index;
	const uint32_t *zero, *one, *r;
};

/* ---- which sub-leaves a leaf has.  SDM: Intel 64 manual, volume 2A, CPUID;
 * APM: AMD64 manual, volume 3, appendix E. */

static bool has_bit(uint32_t bits, uint32_t n)
{
	return n < 32 && (bits >> n & 1);
}

/* SDM 07H, 14H, 17H, 18H, 1DH, 20H, 24H: the highest one is in EAX of the first */
static bool has_up_to_eax(const struct subleaf *s)
{
	return s->index <= s->zero[EAX];
}

/* SDM 04H, APM 8000_001Dh: cache type 0 in EAX[4:0] ends the list */
static bool has_cache(const struct subleaf *s)
{
	return (s->r[EAX] & 0x1f) != 0;
}

/* SDM 0BH, 1FH, APM 8000_0026h: level type 0 in ECX[15:8] ends the list */
static bool has_level(const struct subleaf *s)
{
	return (s->r[ECX] & 0xff00) != 0;
}

/* SDM 0DH: sub-leaf n belongs to bit n of XCR0 (sub-leaf 0, EDX:EAX) or of
 * IA32_XSS (sub-leaf 1, EDX:ECX) */
static bool has_state_component(const struct subleaf *s)
{
	uint32_t low = s->zero[EAX] | s->one[ECX], high = s->zero[EDX] | s->one[EDX];

	return s->index == 1 || has_bit(low, s->index) ||
	       (s->index >= 32 && has_bit(high, s->index - 32));
}

/* SDM 0FH: resource type n is monitored when bit n of EDX is set */
static bool has_edx_bit(const struct subleaf *s)
{
	return has_bit(s->zero[EDX], s->index);
}

/* SDM 10H, APM 8000_0020h: resource n can be allocated when bit n of EBX is set */
static bool has_ebx_bit(const struct subleaf *s)
{
	return has_bit(s->zero[EBX], s->index);
}

/* SDM 12H: sub-leaves 0 and 1 describe SGX, from 2 on EPC sections until type 0
 * in EAX[3:0] */
static bool has_epc_section(const struct subleaf *s)
{
	return s->index == 1 || (s->r[EAX] & 0xf) != 0;
}

/* SDM 1BH: PCONFIG targets until type 0 in EAX[11:0] */
static bool has_pconfig_target(const struct subleaf *s)
{
	return (s->r[EAX] & 0xfff) != 0;
}

/* SDM 23H: valid sub-leaves are the bits of EAX */
static bool has_eax_bit(const struct subleaf *s)
{
	return has_bit(s->zero[EAX], s->index);
}

static const struct subleaf_row {
	uint32_t function;
	bool (*has)(const struct subleaf *s);
	bool sparse; /* go on after a sub-leaf that is not there */
} subleaf_rows[] = {
	{ 0x04, has_cache, false },
	{ 0x07, has_up_to_eax, false },
	{ 0x0b, has_level, false },
	{ 0x0d, has_state_component, true },
	{ 0x0f, has_edx_bit, true },
	{ 0x10, has_ebx_bit, true },
	{ 0x12, has_epc_section, false },
	{ 0x14, has_up_to_eax, false },
	{ 0x17, has_up_to_eax, false },
	{ 0x18, has_up_to_eax, false },
	{ 0x1b, has_pconfig_target, false },
	{ 0x1d, has_up_to_eax, false },
	{ 0x1e, has_up_to_eax, false },
	{ 0x1f, has_level, false },
	{ 0x20, has_up_to_eax, false },
	{ 0x23, has_eax_bit, true },
	{ 0x24, has_up_to_eax, false },
	{ 0x8000001d, has_cache, false },
	{ 0x80000020, has_ebx_bit, true },
	{ 0x80000026, has_level, false },
};

/* ---- the walk */

struct walk {
	const struct cpuid_reader *reader;
	const struct leaves_taker *taker;
};

static void walk_read(
	const struct walk *w, uint32_t function, uint32_t index, uint32_t r[4])
{
	r[EAX] = r[EBX] = r[ECX] = r[EDX] = 0;
	w->reader->read(w->reader->context, function, index, r);
}

static bool walk_take(
	const struct walk *w, uint32_t function, uint32_t index, const uint32_t r[4])
{
	return w->taker->take(w->taker->context, function, index, r);
}

static const struct subleaf_row *subleaf_row_of(uint32_t function)
{
	for (size_t i = 0; i < sizeof(subleaf_rows) / sizeof(subleaf_rows[0]); i++)
		if (subleaf_rows[i].function == function)
			return &subleaf_rows[i];
	return NULL;
}

static bool walk_leaf(const struct walk *w, uint32_t function)
{
	const struct subleaf_row *row = subleaf_row_of(function);
	uint32_t zero[4], one[4], r[4];

	walk_read(w, function, 0, zero);
	if (!walk_take(w, function, 0, zero))
		return false;
	if (!row)
		return true;
	walk_read(w, function, 1, one);
	for (uint32_t index = 1; index < INDICES_MAX; index++) {
		walk_read(w, function, index, r);
		if (!row->has(&(struct subleaf){ index, zero, one, r })) {
			if (row->sparse)
				continue;
			break;
		}
		if (!walk_take(w, function, index, r))
			return false;
	}
	return true;
}

/* The highest leaf of a range; base - 1 when there is no such range.  A leaf
 * past the end answers like the highest basic one (SDM) or with zeros (APM), so
 * the answer counts only when it lies in the range. */
static uint32_t range_last(const struct walk *w, uint32_t base)
{
	uint32_t r[4];

	walk_read(w, base, 0, r);
	/* KVM before 2012 said 0 for "0x40000001" (Linux, virt/kvm/x86/cpuid) */
	if (base == 0x40000000 && r[EAX] == 0 && r[EBX] != 0)
		return base + 1;
	if (r[EAX] < base || r[EAX] - base >= LEAVES_MAX)
		return base - 1;
	return r[EAX];
}

static bool walk_range(const struct walk *w, uint32_t base)
{
	uint32_t count = range_last(w, base) - base + 1;

	for (uint32_t i = 0; i < count; i++)
		if (!walk_leaf(w, base + i))
			return false;
	return true;
}

static bool is_under_hypervisor(const struct walk *w)
{
	uint32_t r[4];

	walk_read(w, 1, 0, r);
	return r[ECX] >> 31; /* APM 0000_0001h ECX[31]; always 0 on hardware */
}

bool leaves_walk(const struct cpuid_reader *reader, const struct leaves_taker *taker)
{
	/* 0x40000100: KVM behind its Hyper-V leaves */
	static const uint32_t bases[] = { 0, 0x40000000, 0x40000100, 0x80000000,
		0xc0000000 };
	const struct walk w = { reader, taker };
	bool guest = is_under_hypervisor(&w);

	if (range_last(&w, 0) + 1 == 0)
		return false;
	for (size_t i = 0; i < sizeof(bases) / sizeof(bases[0]); i++) {
		if ((bases[i] >> 28) == 4 && !guest)
			continue;
		if (!walk_range(&w, bases[i]))
			return false;
	}
	return true;
}
