/* table.h - the CPU that this node pretends to have.
 *
 * The table is a file in the facts format (proto/dump.h) called cpu.facts in
 * the folder of the library itself: no environment variable would reach every
 * program (libvirtd gives its QEMUs a clean environment), the library does.
 * It is read at the first question, once; a program that never asks about CPUs
 * never opens it.
 *
 * A missing or broken table ends the program with one line on stderr.  Going on
 * with the machine's own CPU would make a test pass for the wrong reason.
 */
#ifndef LAB_FAKECPU_TABLE_H
#define LAB_FAKECPU_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Only what is meant to replace a function of a program is visible to it. */
#define LAB_EXPORT __attribute__((visibility("default")))

struct table_row {
	uint32_t leaf, index;
	uint32_t r[4]; /* eax ebx ecx edx */
};

struct table_msr {
	uint32_t number;
	uint64_t value;
};

/* A kind of logical CPU; CPUs of no kind are of the first. */
struct table_kind {
	uint64_t cpus; /* bit n: logical CPU n, up to 63 */
	size_t first, count;
};

/* One `source` of the file. */
struct table_source {
	struct table_row *rows;
	size_t row_count;
	struct table_msr *msrs;
	size_t msr_count;
	struct table_kind *kinds;
	size_t kind_count;
};

struct table {
	struct table_source host, kvm, emulated; /* row_count 0: not in the file */
	char microcode[32];			 /* "" when not in the file */
};

/* Never NULL. */
const struct table *table_get(void);

/* Whether the leaf answers differently for different values of ECX (Intel SDM
 * volume 2, CPUID; AMD APM volume 3, appendix E). */
bool table_leaf_is_indexed(uint32_t leaf);

/* What the CPUID instruction answers on the logical CPU of the calling thread. */
void table_cpuid(uint32_t leaf, uint32_t index, uint32_t r[4]);

/* A feature MSR of the host; false when the table does not hold it. */
bool table_msr(const struct table_source *s, uint32_t number, uint64_t *value);

/* A path in the library's own folder; false when it does not fit. */
bool table_path(const char *name, char *path, size_t size);

/* Prints "fakecpu: ..." and ends the program. */
void table_die(const char *fmt, ...) __attribute__((noreturn, format(printf, 1, 2)));

#endif
