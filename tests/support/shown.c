#include "tests/support/shown.h"

#include <stdlib.h>

#include "tests/support/test.h"

enum { WORDS_MAX = 128, PROPERTIES_MAX = 1024 };

static uint32_t mask_of(const struct feature_row *row)
{
	return (uint32_t)row->mask;
}

static const struct feature_row *row_of(const char *feature)
{
	int bit = catalogue_find_row(feature);

	assert_true(bit >= 0);
	return catalogue_feature(NULL, (size_t)bit);
}

struct cpu_word *shown_word_at(
	struct tried *t, uint32_t function, uint32_t index, uint32_t part)
{
	struct cpu_word *words = (struct cpu_word *)(uintptr_t)t->words.item;

	for (size_t i = 0; i < t->words.count; i++)
		if (words[i].function == function && words[i].index == index &&
			words[i].part == part)
			return &words[i];
	assert_true(t->words.count < WORDS_MAX);
	words[t->words.count] = (struct cpu_word){ function, index, part, 0, 0 };
	return &words[t->words.count++];
}

struct cpu_word *shown_word_of(struct tried *t, const char *feature)
{
	const struct feature_row *row = row_of(feature);

	assert_false(row->is_msr);
	return shown_word_at(t, row->leaf, row->subleaf, (uint32_t)row->reg);
}

struct cpu_property *shown_property(struct tried *t, const char *name)
{
	struct cpu_property *all = (struct cpu_property *)(uintptr_t)t->properties.item;

	for (size_t i = 0; i < t->properties.count; i++)
		if (strcmp(all[i].name, name) == 0)
			return &all[i];
	assert_true(t->properties.count < PROPERTIES_MAX);
	all[t->properties.count] = (struct cpu_property){ name, "" };
	return &all[t->properties.count++];
}

void shown_turn(struct tried *t, const char *feature, bool on)
{
	const struct feature_row *row = row_of(feature);
	struct cpu_word *w = row->is_msr ? NULL : shown_word_of(t, feature);

	if (row->qemu)
		shown_property(t, row->qemu)->value = on ? "true" : "false";
	if (w)
		w->value = on ? w->value | mask_of(row) : w->value & ~mask_of(row);
}

void shown_filter(struct tried *t, const char *feature)
{
	shown_turn(t, feature, false);
	shown_word_of(t, feature)->filtered |= mask_of(row_of(feature));
	shown_property(t, "unavailable-features")->value = "[\"...\"]";
}

void shown_fill(struct tried *out, const struct bitset *features, const char *xml,
	struct arena *arena)
{
	static const struct cpu_property others[] = { { "phys-bits", "46" },
		{ "l3-cache", "true" }, { "tsc-frequency", "2596120000" },
		{ "kvm-steal-time", "true" }, { "unavailable-features", "[]" },
		{ "vendor", "\"GenuineIntel\"" } };

	*out = (struct tried){ .started = true,
		.reason = "",
		.name = "",
		.machine = "pc-i440fx-6.2",
		.cpu = xml,
		.gap = "",
		.why = "",
		.words = { arena_alloc(arena, WORDS_MAX, sizeof(struct cpu_word)), 0 },
		.properties = {
			arena_alloc(arena, PROPERTIES_MAX, sizeof(struct cpu_property)),
			0 } };
	for (size_t i = 0; i < catalogue_feature_rows(); i++)
		shown_turn(
			out, catalogue_feature(NULL, i)->name, bitset_has(features, i));
	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
		shown_property(out, others[i].name)->value = others[i].value;
	shown_word_at(out, 0x40000001, 0, 0)->value = 0x10000fb;
}
