#include "coordinator/cpu/decode.h"

#include <string.h>

#include "base/text.h"

static const struct leaf *find_leaf(
	const struct register_set *set, uint32_t function, uint32_t index)
{
	const struct leaf *leaves = set->leaves.item;

	for (size_t i = 0; i < set->leaves.count; i++)
		if (leaves[i].function == function && leaves[i].index == index)
			return &leaves[i];
	return NULL;
}

static uint64_t msr_value(const struct register_set *set, uint32_t index)
{
	const struct msr *msrs = set->msrs.item;

	for (size_t i = 0; i < set->msrs.count; i++)
		if (msrs[i].index == index)
			return msrs[i].value;
	return 0;
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

static uint64_t row_value(const struct register_set *set, const struct feature_row *row)
{
	const struct leaf *l;

	if (row->is_msr)
		return msr_value(set, row->leaf);
	l = find_leaf(set, row->leaf, row->subleaf);
	return !l ? 0 : leaf_register(l, row->reg);
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
	const struct leaf *l = find_leaf(set, 0, 0);

	if (!l)
		return false;
	memcpy(out, &l->ebx, 4);
	memcpy(out + 4, &l->edx, 4);
	memcpy(out + 8, &l->ecx, 4);
	out[12] = '\0';
	text_make_printable(out);
	return true;
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
		const struct leaf *l = find_leaf(set, 0x80000002 + i, 0);

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

/* Intel SDM 2A, CPUID leaf 1 EAX: extended family and model are added for all
 * families that matter; AMD's manual says the same for family 0xf. */
static const char *signature_text(
	const struct register_set *set, const struct leaf *one, struct arena *arena)
{
	uint32_t family = one->eax >> 8 & 0xf, model = one->eax >> 4 & 0xf;
	char vendor[VENDOR_STRING_MAX] = "";

	if (family == 6 || family == 15)
		model |= one->eax >> 12 & 0xf0;
	if (family == 15)
		family += one->eax >> 20 & 0xff;
	set_vendor(set, vendor);
	return arena_format(arena, "%s family %u model %u stepping %u", vendor, family,
		model, one->eax & 0xf);
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
	one = find_leaf(set, 1, 0);
	if (brand_of(set, brand))
		*out = arena_text(arena, brand);
	else if (one)
		*out = signature_text(set, one, arena);
	return !*out ? err_memory(e) : RC_OK;
}
