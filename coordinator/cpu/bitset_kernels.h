/* bitset_kernels.h - the kernels by name, for the chooser's table alone. */
#ifndef COORDINATOR_BITSET_KERNELS_H
#define COORDINATOR_BITSET_KERNELS_H

#include "coordinator/cpu/bitset.h"

extern const struct bitset_ops bitset_scalar;
#ifdef __x86_64__
extern const struct bitset_ops bitset_avx2;
#endif

#endif
