/* catalogue.h - what the names mean: features and models, as libvirt and QEMU
 * define them.
 *
 * The rows are generated from an installed libvirt's cpu_map and from QEMU
 * itself by scripts/gen-catalogue, and are never edited by hand.  A feature
 * that a node's libvirt offers and the rows do not know gets a bit as well, for
 * this run: it can be intersected by name.
 */
#ifndef COORDINATOR_CATALOGUE_H
#define COORDINATOR_CATALOGUE_H

#include "base/arena.h"
#include "base/err.h"
#include "coordinator/cpu/bitset.h"

enum cpu_register { REGISTER_EAX, REGISTER_EBX, REGISTER_ECX, REGISTER_EDX };

struct feature_row {
	const char *name;	  /* libvirt's spelling */
	const char *qemu, *linux; /* other spellings; NULL when the same or none */
	bool is_msr;
	bool migratable;
	uint32_t leaf, subleaf; /* MSR: index in leaf */
	enum cpu_register reg;
	uint64_t mask; /* all these bits of the register or MSR */
};

struct model_row {
	const char *name;
	const char *vendor; /* libvirt's: "Intel", "AMD", "Hygon", ...; NULL: any */
	bool decode_host, decode_guest;
	const uint16_t *features; /* rows that libvirt's definition holds */
	size_t feature_count;
	const uint16_t
		*qemu; /* rows that QEMU's definition holds; count 0: not in QEMU */
	size_t qemu_count;
	const uint16_t *removed; /* removed='yes': libvirt always disables them */
	size_t removed_count;
};

struct catalogue;

/* The catalogue of this build, empty of run-time names; lives in the arena. */
struct catalogue *catalogue_new(struct arena *arena, struct err *e);

/* Provenance: "libvirt 9.0.0, QEMU 7.2.x". */
const char *catalogue_source(void);

/* The bit of a name in libvirt's spelling; -1 when unknown. */
int catalogue_find(const struct catalogue *c, const char *name);

/* The same, but an unknown (valid) name gets a bit.  RC_LIMIT when all 1024
 * are taken, RC_PROTOCOL when it is not text_is_name(). */
enum rc catalogue_learn(
	struct catalogue *c, const char *name, size_t *bit, struct err *e);

const char *catalogue_name(const struct catalogue *c, size_t bit);

/* The generated row of a bit; NULL for a learnt name. */
const struct feature_row *catalogue_feature(const struct catalogue *c, size_t bit);

size_t catalogue_model_count(void);
const struct model_row *catalogue_model(size_t i); /* in libvirt's order */
const struct model_row *catalogue_find_model(const char *name);

#endif
