/* Where XSAVE puts each component: a guest's kernel reads it once at boot, QEMU takes it
 * from the node (target/i386/kvm/kvm-cpu.c kvm_cpu_xsave_init). */
#include "coordinator/cpu/conditions_rules.h"

#include <string.h>

#include "base/text.h"
#include "coordinator/cpu/decode.h"

/* Components by what switches them on (QEMU target/i386/cpu.c x86_ext_save_areas), and
 * what cannot be without them: names, or beginnings of names that end in '*' (Intel SDM 1,
 * chapters 13 to 18, and its APX specification; AMD APM 3). */
static const struct component {
	uint8_t index[3]; /* sub-leaves of CPUID 0xD; 0: no more */
	const char *feature;
	const char *users[20];
} components[] = {
	{ { 2 }, "avx",
		{ "avx", "avx2", "avx-*", "avx512*", "avx10*", "fma", "fma4", "f16c",
			"xop", "vaes", "vpclmulqdq", "sha512", "sm3", "sm4" } },
	{ { 3, 4 }, "mpx", { "mpx" } },
	{ { 5, 6, 7 }, "avx512f", { "avx512*", "avx10*" } },
	{ { 9 }, "pku", { "pku" } },
	{ { 17, 18 }, "amx-tile", { "amx-*" } },
	{ { 19 }, "apxf", { "apxf", "apx-*" } },
};

enum {
	COMPONENTS = sizeof(components) / sizeof(components[0]),
	/* Legacy area and header (Intel SDM 1, 13.4). */
	BYTES_OF_LEGACY = 576,
};

/* ---- layouts */

enum certainty {
	LISTED,	  /* size and offset were read */
	UNLISTED, /* saved registers without KVM's view that stop short of it */
	UNKNOWN,
};

struct layout {
	enum certainty certainty;
	uint32_t size, offset; /* 0: not listed on any CPU of the node */
};

static bool same_layout(const struct layout *a, const struct layout *b)
{
	return a->size == b->size && a->offset == b->offset;
}

static struct layout layout_on(const struct register_set *set, uint32_t index)
{
	const struct leaf *l = decode_leaf(set, 0xd, index);

	return l && l->eax ? (struct layout){ LISTED, l->eax, l->ebx }
			   : (struct layout){ UNLISTED, 0, 0 };
}

/* UNLISTED where some kind of CPU does not say, UNKNOWN where kinds of CPU differ. */
static struct layout layout_in(const struct registers *r, uint32_t index)
{
	struct layout all = { LISTED, 0, 0 };

	for (size_t i = 0; i < r->sets.count; i++) {
		const struct register_set *sets = r->sets.item;
		struct layout one = layout_on(&sets[i], index);

		if (one.size && all.size && !same_layout(&all, &one))
			return (struct layout){ UNKNOWN, 0, 0 };
		if (one.certainty == UNLISTED)
			all.certainty = UNLISTED;
		else
			all.size = one.size, all.offset = one.offset;
	}
	if (!all.size)
		all.certainty = UNLISTED;
	return all;
}

/* KVM's word before the CPU's own: they only differ in what KVM leaves out (AMX, until a
 * program has asked for it). */
static struct layout layout_of(const struct conditions *c, size_t node, uint32_t index)
{
	const struct node_facts *f = &c->facts[node];
	struct layout l = layout_in(&f->registers[BODY_kvm], index);

	if (l.certainty == UNLISTED)
		l = layout_in(&f->registers[BODY_host], index);
	if (l.certainty == UNLISTED && (f->registers[BODY_host].sets.count == 0 ||
					       f->registers[BODY_kvm].sets.count > 0))
		l.certainty = UNKNOWN;
	return l;
}

enum verdict { SAME, UNSURE, DIFFERENT };

static enum verdict compare_index(const struct conditions *c, uint32_t index)
{
	const struct layout *first = NULL;
	struct layout kept = { 0 };
	enum verdict verdict = SAME;

	for (size_t i = 0; i < c->count; i++) {
		struct layout l = layout_of(c, i, index);

		if (l.certainty == UNKNOWN)
			return DIFFERENT;
		if (l.certainty == UNLISTED)
			verdict = UNSURE;
		if (!l.size)
			continue;
		if (first && !same_layout(first, &l))
			return DIFFERENT;
		kept = l;
		first = &kept;
	}
	return verdict;
}

static enum verdict compare_component(
	const struct conditions *c, const struct component *component)
{
	enum verdict worst = SAME;

	for (size_t i = 0; i < 3 && component->index[i]; i++) {
		enum verdict v = compare_index(c, component->index[i]);

		worst = v > worst ? v : worst;
	}
	return worst;
}

/* ---- features */

static bool name_fits(const char *name, const char *pattern)
{
	size_t size = strlen(pattern);

	if (pattern[size - 1] != '*')
		return strcmp(name, pattern) == 0;
	return strncmp(name, pattern, size - 1) == 0;
}

static bool uses(const struct component *component, const char *name)
{
	for (size_t i = 0; component->users[i]; i++)
		if (name_fits(name, component->users[i]))
			return true;
	return false;
}

/* What of the set hangs on the component. */
static struct bitset users_in(const struct conditions *c,
	const struct component *component, const struct bitset *set)
{
	struct bitset users = { { 0 } };

	for (size_t bit = bitset_next(set, 0); bit < BITSET_BITS;
		bit = bitset_next(set, bit + 1))
		if (uses(component, catalogue_name(c->catalogue, bit)))
			bitset_add(&users, bit);
	return users;
}

static bool matters(const struct conditions *c, const struct component *component,
	const struct bitset *set)
{
	struct bitset users = users_in(c, component, set);

	return c->virt == VIRT_KVM && conditions_several(c) && !bitset_is_empty(&users);
}

struct bitset xsave_forbids(const struct conditions *c, const struct bitset *baseline)
{
	struct bitset forbidden = { { 0 } };

	for (size_t i = 0; i < COMPONENTS; i++) {
		struct bitset users;

		if (!matters(c, &components[i], baseline) ||
			compare_component(c, &components[i]) != DIFFERENT)
			continue;
		users = users_in(c, &components[i], baseline);
		forbidden = bitset_or(&forbidden, &users);
	}
	return forbidden;
}

/* ---- how large */

/* Where it matters they are equal. */
static struct layout first_listed(const struct conditions *c, uint32_t index)
{
	for (size_t i = 0; i < c->count; i++) {
		struct layout l = layout_of(c, i, index);

		if (l.certainty == LISTED)
			return l;
	}
	return (struct layout){ UNKNOWN, 0, 0 };
}

static uint32_t end_of(const struct conditions *c, uint32_t index)
{
	struct layout l = first_listed(c, index);

	return l.offset + l.size;
}

uint32_t xsave_bytes_of(const struct conditions *c, const struct bitset *features)
{
	uint32_t bytes = BYTES_OF_LEGACY;

	if (c->virt != VIRT_KVM || !conditions_has(features, "xsave"))
		return 0;
	for (size_t i = 0; i < COMPONENTS; i++)
		for (size_t k = 0; k < 3 && components[i].index[k]; k++) {
			uint32_t end = conditions_has(features, components[i].feature)
					       ? end_of(c, components[i].index[k])
					       : 0;

			bytes = end > bytes ? end : bytes;
		}
	return bytes;
}

/* ---- where guests of a level have it */

size_t xsave_places_of(const struct conditions *c, const struct bitset *features,
	struct xsave_place out[static XSAVE_PLACES])
{
	size_t count = 0;

	for (size_t i = 0; i < COMPONENTS && c->virt == VIRT_KVM; i++) {
		struct bitset users = users_in(c, &components[i], features);

		for (size_t k = 0; k < 3 && components[i].index[k]; k++) {
			uint32_t index = components[i].index[k];
			struct layout l = first_listed(c, index);

			if (!bitset_is_empty(&users) && l.certainty == LISTED)
				out[count++] = (struct xsave_place){ index, l.size,
					l.offset };
		}
	}
	return count;
}

static bool is_elsewhere(
	const struct conditions *c, size_t node, const struct xsave_place *place)
{
	struct layout l = layout_of(c, node, place->index);

	if (l.certainty == UNLISTED)
		return false;
	return l.certainty == UNKNOWN || l.size != place->size ||
	       l.offset != place->offset;
}

static bool has_index(const struct component *component, uint32_t index)
{
	for (size_t i = 0; i < 3; i++)
		if (component->index[i] == index)
			return true;
	return false;
}

struct bitset xsave_misplaced(const struct conditions *c, size_t node,
	const struct bitset *features, const struct xsave_place *places, size_t count)
{
	struct bitset misplaced = { { 0 } };

	for (size_t p = 0; p < count; p++)
		for (size_t i = 0; i < COMPONENTS; i++) {
			struct bitset users = users_in(c, &components[i], features);

			if (has_index(&components[i], places[p].index) &&
				is_elsewhere(c, node, &places[p]))
				misplaced = bitset_or(&misplaced, &users);
		}
	return misplaced;
}

/* ---- remarks */

/* The first of its sub-leaves by which the nodes differ. */
static uint32_t telling_index(
	const struct conditions *c, const struct component *component)
{
	for (size_t i = 0; i < 3 && component->index[i]; i++)
		if (compare_index(c, component->index[i]) == DIFFERENT)
			return component->index[i];
	return component->index[0];
}

static bool is_unlisted(
	const struct conditions *c, size_t node, const struct component *component)
{
	for (size_t i = 0; i < 3 && component->index[i]; i++)
		if (layout_of(c, node, component->index[i]).certainty == UNLISTED)
			return true;
	return false;
}

static const char *layout_text(
	const struct conditions *c, size_t node, const struct component *component)
{
	struct layout l = layout_of(c, node, telling_index(c, component));

	if (l.certainty == UNKNOWN || !l.size)
		return arena_format(c->arena,
			"where XSAVE keeps the state of %s is not known here",
			component->feature);
	return arena_format(c->arena, "the state of %s is at byte %u of XSAVE's area",
		component->feature, l.offset);
}

static enum rc remark_layouts(
	struct conditions *c, const struct component *component, struct err *e)
{
	const char **text = arena_alloc(c->arena, c->count + 1, sizeof(*text));

	if (!text)
		return err_memory(e);
	for (size_t i = 0; i < c->count; i++) {
		text[i] = layout_text(c, i, component);
		if (!text[i])
			return err_memory(e);
	}
	return conditions_say_each(c, "xsave", text, e);
}

static enum rc remark_unlisted(
	struct conditions *c, const struct component *component, struct err *e)
{
	bool *of = conditions_nodes(c);

	if (!of)
		return err_memory(e);
	for (size_t i = 0; i < c->count; i++)
		of[i] = is_unlisted(c, i, component);
	return conditions_say(c, true, "xsave", of, e,
		"the saved registers do not say where XSAVE keeps the state of %s; it "
		"stays in the level unproven",
		component->feature);
}

static enum rc remark_component(
	struct conditions *c, const struct component *component, struct err *e)
{
	enum rc rc;

	if (!matters(c, component, &c->before))
		return RC_OK;
	switch (compare_component(c, component)) {
	case SAME:
		return RC_OK;
	case UNSURE:
		return remark_unlisted(c, component, e);
	case DIFFERENT:
		break;
	}
	rc = conditions_say(c, true, "xsave", NULL, e,
		"%s and what needs it left the level: a guest that moves would look for "
		"its state in the wrong place",
		component->feature);
	return rc == RC_OK ? remark_layouts(c, component, e) : rc;
}

enum rc xsave_remark(struct conditions *c, const struct level *l, struct err *e)
{
	enum rc rc = RC_OK;

	(void)l;
	for (size_t i = 0; i < COMPONENTS && rc == RC_OK; i++)
		rc = remark_component(c, &components[i], e);
	return rc;
}
