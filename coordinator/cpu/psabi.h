/* psabi.h - the x86-64 levels of the psABI, in libvirt's names.
 *
 * Compilers and distributions build for these; a level includes those below it.
 */
#ifndef COORDINATOR_PSABI_H
#define COORDINATOR_PSABI_H

#include "coordinator/cpu/catalogue.h"

enum { PSABI_LEVELS = 4 };

/* "x86-64-v1" to "x86-64-v4"; "" of 0 */
const char *psabi_name(size_t level);

/* 1 to PSABI_LEVELS; 0 when it is not the name of a level. */
size_t psabi_find(const char *name);

/* All that programs built for the level count on; level > 0. */
struct bitset psabi_features(size_t level);

/* The highest level whose features are all in the set; 0: not even the first. */
size_t psabi_reached(const struct bitset *features);

/* Does every x86-64 program count on it?  A guest without it does not even start. */
bool psabi_is_indispensable(const char *feature);

#endif
