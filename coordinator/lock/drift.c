#include "coordinator/lock/drift.h"

#include <stddef.h>
#include <string.h>

#include "proto/texts.h"

enum { TSC_PPM = 250 };

/* ---- what is compared, how, and what explains it */

enum {
	SILICON = 1,
	MICROCODE = 2,
	KERNEL = 4,
	CMDLINE = 8,
	PARAMETER = 16,
	QEMU = 32,
	LIBVIRT = 64,
	MACHINE = 128,
	REGISTERS = 256,
	OF_CPU = SILICON | MICROCODE | KERNEL | CMDLINE | MACHINE,
	OF_KVM = OF_CPU | PARAMETER | REGISTERS,
	OF_LIBVIRT = OF_KVM | QEMU | LIBVIRT,
};

enum way { BY_TEXT, BY_WORDS, BY_LIST, BY_NUMBER, BY_DIGEST, BY_TSC };

static const struct row {
	const char *what;
	enum way way;
	bool of_node; /* else of the class */
	size_t offset;
	unsigned is;	       /* what this is as an explanation; 0: of nothing */
	unsigned explained_by; /* it is told only where none of these was seen */
} rows[] = {
#define OF_CLASS(member) false, offsetof(struct lock_class, member)
#define OF_NODE(member) true, offsetof(struct lock_node, member)
	{ "machine", BY_TEXT, OF_NODE(host_uuid), MACHINE, 0 },
	{ "hostname", BY_TEXT, OF_NODE(hostname), 0, 0 },
	{ "silicon", BY_TEXT, OF_CLASS(arch), SILICON, 0 },
	{ "silicon", BY_TEXT, OF_CLASS(cpu), SILICON, 0 },
	{ "silicon", BY_TEXT, OF_CLASS(vendor), SILICON, SILICON },
	{ "physical address bits", BY_NUMBER, OF_CLASS(physical_bits), SILICON, SILICON },
	{ "tsc", BY_TSC, OF_NODE(tsc_khz), 0, 0 },
	{ "microcode", BY_TEXT, OF_CLASS(microcode), MICROCODE, SILICON },
	{ "kernel", BY_TEXT, OF_CLASS(kernel), KERNEL, 0 },
	{ "command line", BY_WORDS, OF_NODE(cmdline), CMDLINE, 0 },
	{ "kvm parameter", BY_LIST, OF_CLASS(parameters), PARAMETER, 0 },
	{ "libvirt", BY_TEXT, OF_CLASS(libvirt), LIBVIRT, 0 },
	{ "qemu", BY_TEXT, OF_CLASS(qemu), QEMU, 0 },
	/* firmware settings, or another CPU of the same name */
	{ "silicon", BY_DIGEST, OF_CLASS(host), REGISTERS, OF_CPU },
	{ "kvm", BY_DIGEST, OF_CLASS(kvm), REGISTERS, OF_KVM },
	{ "kvm", BY_DIGEST, OF_CLASS(emulated), 0, OF_KVM },
	{ "libvirt's answers", BY_DIGEST, OF_CLASS(domcaps), 0, OF_LIBVIRT },
	{ "libvirt's answers", BY_DIGEST, OF_CLASS(offer), 0, OF_LIBVIRT },
	{ "features", BY_LIST, OF_CLASS(features), 0, 0 },
	{ "facts not to be had", BY_LIST, OF_CLASS(gaps), 0, 0 },
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

/* ---- comparing */

struct comparing {
	const struct row *row;
	const void *was, *is; /* the members */
	struct arena *arena;
	struct drift *drift;
	struct err *e;
};

static enum rc compare_texts(const struct comparing *c, bool *differ)
{
	c->drift->was = *(const char *const *)c->was;
	c->drift->is = *(const char *const *)c->is;
	*differ = strcmp(c->drift->was, c->drift->is) != 0;
	return RC_OK;
}

/* What stands in one list alone, joined. */
static enum rc only_in(const struct comparing *c, const struct texts *list,
	const struct texts *other, const char *between, const char **out)
{
	struct texts only = { 0 };
	enum rc rc = RC_OK;

	for (size_t i = 0; i < list->count && rc == RC_OK; i++)
		if (!texts_have(other, list->item[i]))
			rc = texts_add(&only, list->item[i], c->arena, c->e);
	*out = only.count ? texts_join_with(&only, between, c->arena) : "";
	return rc == RC_OK && !*out ? err_memory(c->e) : rc;
}

static enum rc compare_lists(const struct comparing *c, const struct texts *was,
	const struct texts *is, const char *between)
{
	enum rc rc = only_in(c, was, is, between, &c->drift->was);

	return rc == RC_OK ? only_in(c, is, was, between, &c->drift->is) : rc;
}

static enum rc words_of(const struct comparing *c, const char *text, struct texts *out)
{
	enum rc rc = RC_OK;

	for (const char *at = text; *at && rc == RC_OK;) {
		size_t size = strcspn(at, " ");

		if (size)
			rc = texts_add(
				out, arena_text_n(c->arena, at, size), c->arena, c->e);
		at += size + (at[size] == ' ');
	}
	return rc;
}

/* The same words in another order may mean something else: then both are told whole. */
static enum rc compare_words(const struct comparing *c, bool *differ)
{
	struct texts was = { 0 }, is = { 0 };
	enum rc rc;

	rc = compare_texts(c, differ);
	if (rc != RC_OK || !*differ)
		return rc;
	rc = words_of(c, c->drift->was, &was);
	if (rc == RC_OK)
		rc = words_of(c, c->drift->is, &is);
	if (rc == RC_OK)
		rc = compare_lists(c, &was, &is, " ");
	if (rc == RC_OK && !c->drift->was[0] && !c->drift->is[0])
		rc = compare_texts(c, differ);
	return rc;
}

static enum rc compare_numbers(const struct comparing *c, bool *differ)
{
	uint32_t was = *(const uint32_t *)c->was, is = *(const uint32_t *)c->is;

	c->drift->was = arena_format(c->arena, "%u", was);
	c->drift->is = arena_format(c->arena, "%u", is);
	*differ = c->row->way == BY_TSC ? !drift_is_same_tsc(was, is) : was != is;
	return c->drift->was && c->drift->is ? RC_OK : err_memory(c->e);
}

static enum rc compare(const struct comparing *c, bool *differ)
{
	enum rc rc = RC_OK;

	switch (c->row->way) {
	case BY_TEXT:
		return compare_texts(c, differ);
	case BY_WORDS:
		return compare_words(c, differ);
	case BY_LIST:
		rc = compare_lists(c, c->was, c->is, ", ");
		*differ = rc == RC_OK && (c->drift->was[0] || c->drift->is[0]);
		return rc;
	case BY_DIGEST:
		rc = compare_texts(c, differ);
		c->drift->was = "what it showed";
		c->drift->is = "something else, and nothing seen explains it";
		return rc;
	case BY_NUMBER:
	case BY_TSC:
		return compare_numbers(c, differ);
	}
	return rc;
}

bool drift_is_same_tsc(uint32_t a, uint32_t b)
{
	uint64_t difference = a > b ? a - b : b - a;

	return difference * 1000000 <= (uint64_t)a * TSC_PPM;
}

static const void *member_of(const struct drift_side *side, const struct row *row)
{
	const void *record = row->of_node ? (const void *)side->node : side->class;

	return (const char *)record + row->offset;
}

enum rc drift_find(const struct drift_side *was, const struct drift_side *is,
	struct arena *arena, struct drifts *out, struct err *e)
{
	unsigned seen = 0;

	*out = (struct drifts){ 0 };
	for (size_t i = 0; i < ROWS; i++) {
		const struct row *row = &rows[i];
		struct drift drift = { .what = row->what, .cause = row->is != 0 };
		struct comparing c = { row, member_of(was, row), member_of(is, row),
			arena, &drift, e };
		bool differ = false;

		if (compare(&c, &differ) != RC_OK)
			return e->code;
		if (!differ || seen & row->explained_by)
			continue;
		seen |= row->is;
		out->item = arena_grow(arena, out->item, out->count, sizeof(drift));
		if (!out->item)
			return err_memory(e);
		out->item[out->count++] = drift;
	}
	return RC_OK;
}

const char *drift_values(const struct drift *d, struct arena *arena)
{
	if (!d->was[0])
		return arena_format(arena, "now %s", d->is);
	if (!d->is[0])
		return arena_format(arena, "no longer %s", d->was);
	return arena_format(arena, "%s -> %s", d->was, d->is);
}
