/* catalogue.h - what the names mean: features and models, as libvirt and QEMU
 * define them.
 *
 * The rows are generated from an installed libvirt's cpu_map and from QEMU
 * itself by scripts/gen-catalogue, and are never edited by hand.  A feature
 * that a node's libvirt offers and the rows do not know gets a bit as well, for
 * this run: it can be intersected by name.
 *
 * One model has several definitions: a source is one program (and, for QEMU,
 * one accelerator) that gives the name a meaning.  What a guest gets is decided
 * by all of those that apply to it.
 */
#ifndef COORDINATOR_CATALOGUE_H
#define COORDINATOR_CATALOGUE_H

#include "base/arena.h"
#include "base/err.h"
#include "coordinator/cpu/bitset.h"
#include "proto/virt.h"

enum cpu_register { REGISTER_EAX, REGISTER_EBX, REGISTER_ECX, REGISTER_EDX };

struct feature_row {
	const char *name;	/* libvirt's spelling */
	const char *qemu;	/* QEMU's property; NULL: it has none */
	const char *linux_name; /* in /proc/cpuinfo; NULL: not shown by itself */
	bool is_msr;
	uint32_t leaf, subleaf; /* MSR: index in leaf */
	enum cpu_register reg;
	uint64_t mask; /* all these bits of the register or MSR */
	bool migratable;
};

/* Numbers of feature rows. */
struct feature_list {
	const uint16_t *row;
	size_t count;
};

struct signature_row {
	uint8_t family, model;
	uint16_t steppings; /* bit n: stepping n */
};

/* Against the model's own list, which is libvirt's. */
struct definition_row {
	uint8_t source;
	struct feature_list adds, lacks;
	struct feature_list latent; /* added as well once svm is on */
};

struct model_row {
	const char *name;
	const char *vendor; /* libvirt's: "Intel", "AMD", "Hygon", ...; NULL: any */
	bool decode_host, decode_guest;
	const struct signature_row *signatures;
	size_t signature_count;
	struct feature_list features; /* libvirt's definition */
	struct feature_list removed;  /* removed='yes': libvirt always disables them */
	const struct definition_row *definitions; /* the other sources' */
	size_t definition_count;		  /* 0: no QEMU knows it */
};

struct source_row {
	const char *name; /* "libvirt 9.0.0", "QEMU 7.2 with KVM" */
	bool is_qemu;
	enum virt_type virt; /* VIRT_COUNT: applies to all */
};

struct catalogue;

/* The catalogue of this build, empty of run-time names; lives in the arena. */
struct catalogue *catalogue_new(struct arena *arena, struct err *e);

/* Provenance: "libvirt 9.0.0, QEMU 7.2". */
const char *catalogue_source(void);

/* Of the libvirt that the rows are from: major * 1000000 + minor * 1000 + release. */
uint64_t catalogue_libvirt_version(void);

/* The bit of a name in libvirt's spelling; -1 when unknown. */
int catalogue_find(const struct catalogue *c, const char *name);

/* The same, but an unknown (valid) name gets a bit.  RC_LIMIT when all 1024
 * are taken, RC_PROTOCOL when it is not text_is_name(). */
enum rc catalogue_learn(
	struct catalogue *c, const char *name, size_t *bit, struct err *e);

const char *catalogue_name(const struct catalogue *c, size_t bit);

/* The generated row of a bit; NULL for a learnt name.  Rows are the same in every
 * catalogue: c may be NULL. */
const struct feature_row *catalogue_feature(const struct catalogue *c, size_t bit);

/* How many rows there are: bits from here on are learnt names. */
size_t catalogue_feature_rows(void);

/* The bit of a row's name in any catalogue; -1 when no row has it. */
int catalogue_find_row(const char *name);

size_t catalogue_model_count(void);
const struct model_row *catalogue_model(size_t i); /* in libvirt's order */
const struct model_row *catalogue_find_model(const char *name);

/* Bits of the features that no migration may carry (migratable='no'). */
struct bitset catalogue_non_migratable(void);

struct bitset feature_list_set(struct feature_list list);

/* What a source (by number) makes of a model for guests of the virt type, into
 * *features; *latent is what comes on besides once svm is on.  False when the
 * source does not know the model or has no say in the virt type. */
bool catalogue_define_model(const struct model_row *m, size_t source, enum virt_type virt,
	struct bitset *features, struct bitset *latent);

size_t catalogue_source_count(void);
const struct source_row *catalogue_source_row(size_t source);

/* libvirt's name of a vendor by its CPUID string ("GenuineIntel"); NULL when it
 * has none. */
const char *catalogue_vendor_name(const char *string);
bool catalogue_is_vendor(const char *name);

#endif
