#include "coordinator/verb/migration_cpu.h"

#include <stdlib.h>
#include <string.h>

#include "coordinator/cpu/domaincpu.h"
#include "coordinator/cpu/proof.h"
#include "proto/texts.h"

/* ---- registers */

struct reg {
	uint32_t function, index, part, value;
};

struct regs {
	struct reg *item;
	size_t count;
};

static int compare_places(const struct reg *a, const struct reg *b)
{
	if (a->function != b->function)
		return a->function < b->function ? -1 : 1;
	if (a->index != b->index)
		return a->index < b->index ? -1 : 1;
	return (a->part > b->part) - (a->part < b->part);
}

static int by_place(const void *a, const void *b)
{
	return compare_places(a, b);
}

static enum rc regs_of_leaves(
	const struct list *leaves, struct arena *arena, struct regs *out, struct err *e)
{
	const struct leaf *leaf = leaves->item;

	*out = (struct regs){ arena_alloc(arena, leaves->count, 4 * sizeof(*out->item)),
		0 };
	if (!out->item)
		return err_memory(e);
	for (size_t i = 0; i < leaves->count; i++) {
		const uint32_t value[] = { leaf[i].eax, leaf[i].ebx, leaf[i].ecx,
			leaf[i].edx };

		for (uint32_t part = 0; part < 4; part++)
			out->item[out->count++] = (struct reg){ leaf[i].function,
				leaf[i].index, part, value[part] };
	}
	if (out->count)
		qsort(out->item, out->count, sizeof(*out->item), by_place);
	return RC_OK;
}

static enum rc regs_of_words(
	const struct list *words, struct arena *arena, struct regs *out, struct err *e)
{
	const struct cpu_word *word = words->item;

	*out = (struct regs){ arena_alloc(arena, words->count, sizeof(*out->item)),
		words->count };
	if (!out->item)
		return err_memory(e);
	for (size_t i = 0; i < words->count; i++)
		out->item[i] = (struct reg){ word[i].function, word[i].index,
			word[i].part, word[i].value };
	if (out->count)
		qsort(out->item, out->count, sizeof(*out->item), by_place);
	return RC_OK;
}

/* libvirt's names of the bits; "" where none has one. */
static const char *names_of(const struct reg *r, uint32_t bits, struct arena *arena)
{
	struct texts names = { 0 };
	const char *text;
	struct err e;

	for (size_t i = 0; i < catalogue_feature_rows(); i++) {
		const struct feature_row *f = catalogue_feature(NULL, i);

		if (!f->is_msr && f->leaf == r->function && f->subleaf == r->index &&
			(uint32_t)f->reg == r->part && (f->mask & bits) &&
			texts_add(&names, f->name, arena, &e) != RC_OK)
			return "";
	}
	text = names.count ? texts_join_with(&names, ", ", arena) : NULL;
	text = text ? arena_format(arena, " (%s)", text) : NULL;
	return text ? text : "";
}

static const char *part_name(const struct reg *at)
{
	static const char *const parts[] = { "EAX", "EBX", "ECX", "EDX" };

	return at->part < 4 ? parts[at->part] : "?";
}

static enum rc differ_say(const struct reg *at, uint32_t before, uint32_t after,
	struct arena *arena, const char **what, struct err *e)
{
	*what = arena_format(arena, "CPUID 0x%x/%u %s: 0x%x before, 0x%x after%s",
		at->function, at->index, part_name(at), before, after,
		names_of(at, before ^ after, arena));
	return *what ? RC_OK : err_memory(e);
}

static enum rc regs_differ(const struct regs *a, const struct regs *b,
	struct arena *arena, const char **what, struct err *e)
{
	size_t i = 0, k = 0;

	*what = "";
	while (i < a->count || k < b->count) {
		int order = i == a->count   ? 1
			    : k == b->count ? -1
					    : compare_places(&a->item[i], &b->item[k]);
		const struct reg *at = order <= 0 ? &a->item[i] : &b->item[k];
		uint32_t before = order <= 0 ? a->item[i++].value : 0;
		uint32_t after = order >= 0 ? b->item[k++].value : 0;

		if (before != after)
			return differ_say(at, before, after, arena, what, e);
	}
	return RC_OK;
}

enum rc migration_leaves_differ(const struct list *before, const struct list *after,
	struct arena *arena, const char **what, struct err *e)
{
	struct regs a, b;

	if (regs_of_leaves(before, arena, &a, e) != RC_OK ||
		regs_of_leaves(after, arena, &b, e) != RC_OK)
		return e->code;
	return regs_differ(&a, &b, arena, what, e);
}

enum rc migration_words_differ(const struct list *before, const struct list *after,
	struct arena *arena, const char **what, struct err *e)
{
	struct regs a, b;

	if (regs_of_words(before, arena, &a, e) != RC_OK ||
		regs_of_words(after, arena, &b, e) != RC_OK)
		return e->code;
	return regs_differ(&a, &b, arena, what, e);
}

enum rc migration_taken_away(
	const struct list *words, struct arena *arena, const char **what, struct err *e)
{
	const struct cpu_word *word = words->item;

	*what = "";
	for (size_t i = 0; i < words->count; i++) {
		const struct reg at = { word[i].function, word[i].index, word[i].part,
			word[i].value };

		if (!word[i].filtered)
			continue;
		*what = arena_format(arena, "CPUID 0x%x/%u %s: 0x%x%s", at.function,
			at.index, part_name(&at), word[i].filtered,
			names_of(&at, word[i].filtered, arena));
		return *what ? RC_OK : err_memory(e);
	}
	return RC_OK;
}

/* ---- QEMU's properties */

static int by_name(const void *a, const void *b)
{
	const struct cpu_property *left = a, *right = b;

	return strcmp(left->name, right->name);
}

static struct cpu_property *properties_sort(const struct list *list, struct arena *arena)
{
	struct cpu_property *all = arena_alloc(arena, list->count + 1, sizeof(*all));

	if (all && list->count) {
		memcpy(all, list->item, list->count * sizeof(*all));
		qsort(all, list->count, sizeof(*all), by_name);
	}
	return all;
}

enum rc migration_properties_differ(const struct list *before, const struct list *after,
	struct arena *arena, const char **what, struct err *e)
{
	const struct cpu_property *had = before->item, *has;
	const struct cpu_property *sorted = properties_sort(after, arena);

	*what = "";
	if (!sorted)
		return err_memory(e);
	for (size_t i = 0; i < before->count; i++) {
		has = bsearch(&had[i], sorted, after->count, sizeof(*has), by_name);
		if (!has || !proof_compares(had[i].name) ||
			strcmp(has->value, had[i].value) == 0)
			continue;
		*what = arena_format(arena,
			"QEMU's property %.64s: %.80s before, %.80s after", had[i].name,
			had[i].value, has->value);
		return *what ? RC_OK : err_memory(e);
	}
	return RC_OK;
}

/* ---- libvirt's words */

static enum rc gives_the_same(const struct catalogue *c, enum virt_type virt,
	const char *before, const char *after, struct arena *arena, bool *same,
	struct err *e)
{
	struct domaincpu_live a, b;

	if (domaincpu_read_live(c, before, "before", virt, NULL, arena, &a, e) != RC_OK ||
		domaincpu_read_live(c, after, "after", virt, NULL, arena, &b, e) != RC_OK)
		return e->code;
	*same = a.known && b.known && a.model[0] && strcmp(a.model, b.model) == 0 &&
		bitset_equals(&a.features, &b.features);
	return RC_OK;
}

enum rc migration_xml_differs(const struct catalogue *c, enum virt_type virt,
	const char *before, const char *after, struct arena *arena, const char **what,
	struct err *e)
{
	bool same = false;
	enum rc rc = domaincpu_same(before, after, "the guest", arena, &same, e);

	*what = "";
	if (rc == RC_OK && !same)
		rc = gives_the_same(c, virt, before, after, arena, &same, e);
	if (rc == RC_FACTS) /* what a node said of it cannot be read */
		*what = arena_format(
			arena, "libvirt's <cpu> cannot be read: %.300s", e->text);
	else if (rc == RC_OK && !same)
		*what = "libvirt's live <cpu> means another CPU than before";
	if (!*what)
		return err_memory(e);
	return rc == RC_FACTS ? RC_OK : rc;
}
