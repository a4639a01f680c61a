/* wishes.h - what the user wants of a level: names into rows, and why a wish cannot be
 * had.
 */
#ifndef COORDINATOR_WISHES_H
#define COORDINATOR_WISHES_H

#include "coordinator/cpu/level.h"

/* The row of a feature in libvirt's, QEMU's or Linux' spelling, where '-', '_' and '.'
 * count as one; libvirt's goes first.  -1 when it is none. */
int wishes_find_feature(const char *word);

/* Adds the feature, or fails with RC_USAGE and the names that come near; `option` is
 * named in the text. */
enum rc wishes_add_feature(struct bitset *set, const char *option, const char *word,
	struct arena *arena, struct err *e);

/* Checked now, so that a typing error costs no network.  RC_USAGE as above. */
enum rc wishes_set_model(
	struct wishes *w, const char *name, struct arena *arena, struct err *e);
enum rc wishes_set_at_least(
	struct wishes *w, const char *name, struct arena *arena, struct err *e);

/* What a level of at least this name holds.  A psABI level: its features.  A model: what
 * libvirt means by it, as far as a guest of the virt type can have it: migratable, with a
 * property in QEMU, and not left out by each QEMU that has the model. */
struct bitset wishes_floor(const char *at_least, enum virt_type virt);

/* All that is kept out of the level. */
struct bitset wishes_taken_out(const struct wishes *w);

/* All that must be in the level. */
struct bitset wishes_required(const struct wishes *w, enum virt_type virt);

/* Why a feature is not in the baseline, in one phrase without names of nodes ("not every
 * node offers it"); lacking[i] becomes true for each offer that stands in the way. */
const char *wishes_why_not(const struct offer *offers, size_t n, const struct wishes *w,
	size_t feature, bool *lacking);

/* RC_LEVEL with one line when the baseline lacks something that is required. */
enum rc wishes_check(const struct catalogue *c, const struct offer *offers, size_t n,
	enum virt_type virt, const struct wishes *w, const struct bitset *baseline,
	struct arena *arena, struct err *e);

#endif
