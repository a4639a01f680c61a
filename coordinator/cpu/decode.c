#include "coordinator/cpu/decode.h"

#include <string.h>

#include "base/text.h"

const struct leaf *decode_leaf(
	const struct register_set *set, uint32_t function, uint32_t index)
{
	const struct leaf *leaves = set->leaves.item;

	for (size_t i = 0; i < set->leaves.count; i++)
		if (leaves[i].function == function && leaves[i].index == index)
			return &leaves[i];
	return NULL;
}

const struct msr *decode_msr(const struct register_set *set, uint32_t index)
{
	const struct msr *msrs = set->msrs.item;

	for (size_t i = 0; i < set->msrs.count; i++)
		if (msrs[i].index == index)
			return &msrs[i];
	return NULL;
}

static uint32_t leaf_register(const struct leaf *l, enum cpu_register reg)
{
	switch (reg) {
	case REGISTER_EAX:
		return l->eax;
	case REGISTER_EBX:
		return l->ebx;
	case REGISTER_ECX:
		return l->ecx;
	case REGISTER_EDX:
		return l->edx;
	}
	return 0;
}

/* Intel's CPUs show SYSCALL (bit 11) in 64-bit mode only, so a 32-bit program reads
 * zero (Intel SDM 2A, CPUID leaf 80000001H); none has long mode (bit 29) without it. */
static uint32_t with_syscall(uint32_t edx)
{
	return edx & UINT32_C(1) << 29 ? edx | UINT32_C(1) << 11 : edx;
}

static uint64_t row_value(const struct register_set *set, const struct feature_row *row)
{
	const struct msr *m = row->is_msr ? decode_msr(set, row->leaf) : NULL;
	const struct leaf *l;

	if (row->is_msr)
		return m ? m->value : 0;
	l = decode_leaf(set, row->leaf, row->subleaf);
	if (!l)
		return 0;
	if (row->leaf == 0x80000001 && row->reg == REGISTER_EDX)
		return with_syscall(l->edx);
	return leaf_register(l, row->reg);
}

static struct bitset decode_set(const struct register_set *set)
{
	struct bitset s = { { 0 } };

	for (size_t i = 0; i < catalogue_feature_rows(); i++) {
		const struct feature_row *row = catalogue_feature(NULL, i);

		if ((row_value(set, row) & row->mask) == row->mask)
			bitset_add(&s, i);
	}
	return s;
}

struct bitset decode_features(const struct registers *r)
{
	const struct register_set *sets = r->sets.item;
	struct bitset all = { { 0 } };

	for (size_t i = 0; i < r->sets.count; i++) {
		struct bitset s = decode_set(&sets[i]);

		all = i == 0 ? s : bitset_and(&all, &s);
	}
	return all;
}

struct bitset decode_uneven_features(const struct registers *r)
{
	const struct register_set *sets = r->sets.item;
	struct bitset any = { { 0 } }, all = decode_features(r);

	for (size_t i = 0; i < r->sets.count; i++) {
		struct bitset s = decode_set(&sets[i]);

		any = bitset_or(&any, &s);
	}
	return bitset_minus(&any, &all);
}

/* Intel SDM 2A, CPUID leaf 0: EBX, EDX, ECX in this order. */
static bool set_vendor(const struct register_set *set, char out[VENDOR_STRING_MAX])
{
	const struct leaf *l = decode_leaf(set, 0, 0);

	if (!l)
		return false;
	memcpy(out, &l->ebx, 4);
	memcpy(out + 4, &l->edx, 4);
	memcpy(out + 8, &l->ecx, 4);
	out[12] = '\0';
	text_make_printable(out);
	return true;
}

struct signature {
	uint32_t family, model, stepping;
};

/* Intel SDM 2A, CPUID leaf 1 EAX: extended family and model are added for all
 * families that matter; AMD's manual says the same for family 0xf. */
static struct signature signature_of(uint32_t eax)
{
	struct signature s = { eax >> 8 & 0xf, eax >> 4 & 0xf, eax & 0xf };

	if (s.family == 6 || s.family == 15)
		s.model |= eax >> 12 & 0xf0;
	if (s.family == 15)
		s.family += eax >> 20 & 0xff;
	return s;
}

/* The same in QEMU target/i386/kvm/kvm.c, host_tsx_broken(), and in libvirt
 * src/cpu/cpu_x86.c: Haswell, but for the later steppings of its EX. */
static bool is_broken_haswell(const struct register_set *set)
{
	const struct leaf *one = decode_leaf(set, 1, 0);
	char vendor[VENDOR_STRING_MAX];
	struct signature s;

	if (!one || !set_vendor(set, vendor) || strcmp(vendor, "GenuineIntel") != 0)
		return false;
	s = signature_of(one->eax);
	return s.family == 6 && (s.model == 60 || s.model == 69 || s.model == 70 ||
					(s.model == 63 && s.stepping < 4));
}

bool decode_has_broken_tsx(const struct registers *r)
{
	const struct register_set *sets = r->sets.item;
	bool broken = false;

	for (size_t i = 0; i < r->sets.count; i++)
		broken = broken || is_broken_haswell(&sets[i]);
	return broken;
}

bool decode_has_msr(const struct registers *r, uint32_t index)
{
	const struct register_set *sets = r->sets.item;
	bool all = r->sets.count > 0;

	for (size_t i = 0; i < r->sets.count; i++)
		all = all && decode_msr(&sets[i], index);
	return all;
}

bool decode_vendor_string(const struct registers *r, char out[static VENDOR_STRING_MAX])
{
	const struct register_set *sets = r->sets.item;
	char other[VENDOR_STRING_MAX];

	if (r->sets.count == 0 || !set_vendor(&sets[0], out))
		return false;
	for (size_t i = 1; i < r->sets.count; i++)
		if (!set_vendor(&sets[i], other) || strcmp(other, out) != 0)
			return false;
	return true;
}

static void squeeze_blanks(char *s)
{
	char *to = s;

	for (const char *from = s; *from; from++)
		if (*from != ' ' || (to != s && to[-1] != ' '))
			*to++ = *from;
	if (to != s && to[-1] == ' ')
		to--;
	*to = '\0';
}

static bool brand_of(const struct register_set *set, char out[static 49])
{
	for (uint32_t i = 0; i < 3; i++) {
		const struct leaf *l = decode_leaf(set, 0x80000002 + i, 0);

		if (!l)
			return false;
		memcpy(out + 16 * i, &l->eax, 4);
		memcpy(out + 16 * i + 4, &l->ebx, 4);
		memcpy(out + 16 * i + 8, &l->ecx, 4);
		memcpy(out + 16 * i + 12, &l->edx, 4);
	}
	out[48] = '\0';
	text_make_printable(out);
	squeeze_blanks(out);
	return out[0];
}

static const char *signature_text(
	const struct register_set *set, const struct leaf *one, struct arena *arena)
{
	struct signature s = signature_of(one->eax);
	char vendor[VENDOR_STRING_MAX] = "";

	set_vendor(set, vendor);
	return arena_format(arena, "%s family %u model %u stepping %u", vendor, s.family,
		s.model, s.stepping);
}

enum rc decode_brand(
	const struct registers *r, struct arena *arena, const char **out, struct err *e)
{
	const struct register_set *set = r->sets.item;
	const struct leaf *one;
	char brand[49];

	*out = "";
	if (r->sets.count == 0)
		return RC_OK;
	one = decode_leaf(set, 1, 0);
	if (brand_of(set, brand))
		*out = arena_text(arena, brand);
	else if (one)
		*out = signature_text(set, one, arena);
	return !*out ? err_memory(e) : RC_OK;
}
