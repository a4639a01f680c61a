/* shown.h - what a trial guest would show that has just these features. */
#ifndef TESTS_SUPPORT_SHOWN_H
#define TESTS_SUPPORT_SHOWN_H

#include "coordinator/cpu/catalogue.h"
#include "proto/message.h"

/* Words of all leaves that the catalogue has features in, properties of all features that
 * QEMU has a name for, and some more; KVM's own leaf and the TSC as well. */
void shown_fill(struct tried *out, const struct bitset *features, const char *xml,
	struct arena *arena);

/* Of that guest: the word of a feature, or its place (leaf, sub-leaf, register); its
 * property, which is added where it is not there.  Lists may be written to. */
struct cpu_word *shown_word_of(struct tried *t, const char *feature);
struct cpu_word *shown_word_at(
	struct tried *t, uint32_t function, uint32_t index, uint32_t part);
struct cpu_property *shown_property(struct tried *t, const char *name);

/* Word and property of a feature become so. */
void shown_turn(struct tried *t, const char *feature, bool on);

/* Its word: asked for, and not given. */
void shown_filter(struct tried *t, const char *feature);

#endif
