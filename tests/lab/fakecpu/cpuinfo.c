/* cpuinfo.c - /proc/cpuinfo of the table's CPU, for who opens it with fopen(3).
 *
 * That is cpuherd-peer, and libvirt's signature and address sizes.  There is no
 * flags line: Linux derives it with rules of its own (synthetic flags, bug
 * work-arounds) and a wrong one would be worse than none.
 */
#include "table.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

LAB_EXPORT FILE *fopen(const char *path, const char *mode);
LAB_EXPORT FILE *fopen64(const char *path, const char *mode);

enum { CPUINFO_MAX = 1 << 18 };

static void copy_brand(char brand[static 49])
{
	for (uint32_t i = 0; i < 3; i++) {
		uint32_t r[4];

		table_cpuid(0x80000002 + i, 0, r);
		memcpy(brand + 16 * i, r, 16);
	}
	brand[48] = '\0';
}

static void copy_vendor(char vendor[static 13])
{
	uint32_t r[4];

	table_cpuid(0, 0, r);
	memcpy(vendor, &r[1], 4);
	memcpy(vendor + 4, &r[3], 4);
	memcpy(vendor + 8, &r[2], 4);
	vendor[12] = '\0';
}

/* Intel SDM volume 2, CPUID leaf 1: the extended fields count for family 15 (and
 * the model's for family 6); AMD's rule gives the same for all that exist. */
static void print_one(FILE *out, long cpu)
{
	char vendor[13], brand[49];
	uint32_t one[4], size[4];
	unsigned family, model;

	copy_vendor(vendor);
	copy_brand(brand);
	table_cpuid(1, 0, one);
	table_cpuid(0x80000008, 0, size);
	family = one[0] >> 8 & 15;
	model = one[0] >> 4 & 15;
	if (family == 6 || family == 15)
		model |= one[0] >> 12 & 0xf0;
	if (family == 15)
		family += one[0] >> 20 & 0xff;
	fprintf(out,
		"processor\t: %ld\nvendor_id\t: %s\ncpu family\t: %u\nmodel\t\t: %u\n",
		cpu, vendor, family, model);
	fprintf(out, "model name\t: %s\nstepping\t: %u\n", brand, one[0] & 15);
	if (table_get()->microcode[0])
		fprintf(out, "microcode\t: %s\n", table_get()->microcode);
	fprintf(out, "cpu MHz\t\t: 2000.000\nphysical id\t: 0\ncore id\t\t: %ld\n", cpu);
	fprintf(out, "address sizes\t: %u bits physical, %u bits virtual\n\n",
		size[0] & 0xff, size[0] >> 8 & 0xff);
}

static FILE *open_cpuinfo(void)
{
	FILE *out = fmemopen(NULL, CPUINFO_MAX, "w+"); /* no file: /tmp may be full */
	long count = sysconf(_SC_NPROCESSORS_ONLN);

	for (long cpu = 0; out && cpu < count; cpu++)
		print_one(out, cpu);
	if (out)
		rewind(out);
	return out;
}

static FILE *open_or_pass(const char *name, const char *path, const char *mode)
{
	FILE *(*next)(const char *, const char *);

	if (!strcmp(path, "/proc/cpuinfo"))
		return open_cpuinfo();
	/* POSIX gives dlsym's void * no other way to a function pointer. */
	*(void **)&next = dlsym(RTLD_NEXT, name);
	return next(path, mode);
}

FILE *fopen(const char *path, const char *mode)
{
	return open_or_pass("fopen", path, mode);
}

FILE *fopen64(const char *path, const char *mode)
{
	return open_or_pass("fopen64", path, mode);
}
