/* decode.h - registers to names.
 *
 * Facts carry CPUID and MSRs as they were read; what they mean is decided here,
 * by a loop over the catalogue's rows.  A leaf or MSR that is absent reads as
 * zero; only SYSCALL is known better than it may have been read.
 */
#ifndef COORDINATOR_DECODE_H
#define COORDINATOR_DECODE_H

#include "coordinator/cpu/catalogue.h"
#include "proto/message.h"

enum { VENDOR_STRING_MAX = 13 };

/* The features that every kind of logical CPU has: a guest's thread may run on
 * any of them.  None when there are no registers. */
struct bitset decode_features(const struct registers *r);

/* Those that some kind of logical CPU has and another lacks. */
struct bitset decode_uneven_features(const struct registers *r);

/* The twelve letters of leaf 0 ("GenuineIntel"); false when there is no leaf 0
 * or kinds of CPUs differ in it. */
bool decode_vendor_string(const struct registers *r, char out[static VENDOR_STRING_MAX]);

/* Is some kind of CPU a Haswell whose TSX Intel's errata switch off? */
bool decode_has_broken_tsx(const struct registers *r);

/* NULL where it was not read. */
const struct msr *decode_msr(const struct register_set *set, uint32_t index);

/* Was the MSR read on every kind of CPU, whatever its value? */
bool decode_has_msr(const struct registers *r, uint32_t index);

/* The brand string of leaves 0x80000002-4, blanks squeezed, printable; where the
 * CPU has none, "VENDOR family F model M stepping S"; "" without leaf 1. */
enum rc decode_brand(
	const struct registers *r, struct arena *arena, const char **out, struct err *e);

/* A CPUID answer; NULL when the set has none of that number. */
const struct leaf *decode_leaf(
	const struct register_set *set, uint32_t function, uint32_t index);

#endif
