/* referee.h - this machine's libvirt, asked in process about sets of features.
 *
 * The test driver of libvirt needs no daemon and no QEMU.  It reads the installed
 * cpu_map and works out the CPU that several hosts have in common.  Nothing here
 * comes from our catalogue but the numbers that stand for names.
 */
#ifndef TESTS_ORACLE_REFEREE_H
#define TESTS_ORACLE_REFEREE_H

#include "coordinator/cpu/level.h"
#include "tests/support/test.h"

struct referee {
	void *libvirt;	       /* virConnectPtr */
	unsigned long version; /* major * 1000000 + minor * 1000 + release */
	struct arena arena;
	struct catalogue *catalogue;
	struct referee_model *models;
	size_t model_count;
	struct bitset names; /* features that this libvirt knows */
};

enum { REFEREE_VENDORS = 3 };
extern const char *const referee_vendors[REFEREE_VENDORS]; /* "Intel", ... */

struct referee_model {
	const char *name;
	bool may_be_of[REFEREE_VENDORS];
	struct bitset features; /* what libvirt means by it */
};

/* False when there is no libvirt to ask, and says why. */
bool referee_begin(struct referee *r);
void referee_end(struct referee *r);

const struct referee_model *referee_find_model(const struct referee *r, const char *name);

/* A host's <cpu> that has exactly these features, as a model and what it lacks. */
const char *referee_write_host(struct referee *r, const struct referee_model *model,
	const char *vendor, const struct bitset *features, struct arena *arena);

/* What libvirt says that the hosts have in common, with every feature named; NULL
 * when it refuses. */
const char *referee_baseline(
	struct referee *r, const char **hosts, size_t n, struct arena *arena);

/* The features that an expanded <cpu> switches on. */
struct bitset referee_read_expanded(struct referee *r, const char *xml);

/* What a libvirt <cpu> with a model makes of a guest, as this libvirt understands the
 * model. */
struct bitset referee_read_guest(struct referee *r, const char *xml);

#endif
