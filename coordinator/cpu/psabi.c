#include "coordinator/cpu/psabi.h"

#include <string.h>

/* System V ABI, AMD64 supplement, 1.0, table 3.1 "Micro-Architecture Levels".  SCE is
 * libvirt's syscall, SSE3 its pni, LZCNT its abm.  OSFXSR and OSXSAVE are set by the
 * guest's kernel where it finds fxsr and xsave.  The table takes long mode for granted. */
static const struct psabi_level {
	const char *name;
	const char *adds[12];
} levels[PSABI_LEVELS + 1] = {
	{ "", { NULL } },
	{ "x86-64-v1",
		{ "cmov", "cx8", "fpu", "fxsr", "lm", "mmx", "sse", "sse2", "syscall" } },
	{ "x86-64-v2",
		{ "cx16", "lahf_lm", "popcnt", "pni", "sse4.1", "sse4.2", "ssse3" } },
	{ "x86-64-v3", { "abm", "avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe",
			       "xsave" } },
	{ "x86-64-v4", { "avx512bw", "avx512cd", "avx512dq", "avx512f", "avx512vl" } },
};

const char *psabi_name(size_t level)
{
	return levels[level].name;
}

size_t psabi_find(const char *name)
{
	size_t level = PSABI_LEVELS;

	while (level > 0 && strcmp(levels[level].name, name) != 0)
		level--;
	return level;
}

struct bitset psabi_features(size_t level)
{
	struct bitset s = { { 0 } };

	for (; level > 0; level--)
		for (const char *const *name = levels[level].adds; *name; name++)
			bitset_add(&s, (size_t)catalogue_find_row(*name));
	return s;
}

size_t psabi_reached(const struct bitset *features)
{
	size_t level = 0;

	for (; level < PSABI_LEVELS; level++) {
		struct bitset needed = psabi_features(level + 1);

		if (!bitset_is_subset(&needed, features))
			break;
	}
	return level;
}

bool psabi_is_indispensable(const char *feature)
{
	for (const char *const *name = levels[1].adds; *name; name++)
		if (strcmp(*name, feature) == 0)
			return true;
	return false;
}
