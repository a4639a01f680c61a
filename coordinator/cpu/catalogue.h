/* catalogue.h - what the names mean: features and models, as several versions of
 * libvirt and QEMU define them.
 *
 * The rows are generated from libvirt's cpu_map and from QEMU itself by
 * scripts/gen-catalogue, and are never edited by hand.  A feature that a node's
 * libvirt offers and the rows do not know gets a bit as well, for this run: it can
 * be intersected by name.
 *
 * One model has several definitions: a source is one version of a program (and, for
 * QEMU, one accelerator) that gives the name a meaning.  What a guest gets is decided
 * by all of those that apply to it.  A mask of sources has bit n for source n.
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
	uint32_t sources; /* libvirt: in its map; QEMU: has the property */
};

/* Numbers of feature rows. */
struct feature_list {
	const uint16_t *row;
	size_t count;
};

/* Against the model's own list, which is the oldest libvirt's.  A QEMU's definition has
 * what comes on with svm and vmx as well, though both are off in most models. */
struct definition_row {
	uint32_t sources; /* mean the same by the name */
	struct feature_list adds, lacks;
	struct feature_list controls; /* vmx-*, added as well */
};

struct model_row {
	const char *name;
	const char *vendor; /* libvirt's: "Intel", "AMD", "Hygon", ...; NULL: any */
	uint32_t sources;   /* have the model */
	/* Libvirts that hold a host against their own list of the model before they
	 * start a guest; the others ask what blocks QEMU's (<check partial=>). */
	uint32_t compared;
	bool decode_guest;	      /* libvirt may name it in answers */
	struct feature_list features; /* the oldest libvirt's definition */
	/* removed='yes' in some libvirt: it always disables them. */
	struct feature_list removed;
	const struct definition_row *definitions; /* of sources that differ */
	size_t definition_count;
};

struct source_row {
	const char *name; /* "libvirt 9.0.0", "QEMU 7.2 with KVM" */
	bool is_qemu;
	enum virt_type virt; /* VIRT_COUNT: applies to all */
	uint64_t version;    /* major * 1000000 + minor * 1000 + release */
};

struct catalogue;

/* The catalogue of this build, empty of run-time names; lives in the arena. */
struct catalogue *catalogue_new(struct arena *arena, struct err *e);

/* Provenance: "libvirt 9.0.0, libvirt 11.3.0, QEMU 7.2". */
const char *catalogue_source(void);

/* The bit of a name in libvirt's spelling; -1 when unknown. */
int catalogue_find(const struct catalogue *c, const char *name);

/* The same, but an unknown (valid) name gets a bit.  RC_LIMIT when all 1024
 * are taken, RC_PROTOCOL when it is not text_is_name(). */
enum rc catalogue_learn(
	struct catalogue *c, const char *name, size_t *bit, struct err *e);

/* "" of a bit that has no name; without a catalogue only the rows have one. */
const char *catalogue_name(const struct catalogue *c, size_t bit);

/* The generated row of a bit; NULL for a learnt name.  Rows are the same in every
 * catalogue: c may be NULL. */
const struct feature_row *catalogue_feature(const struct catalogue *c, size_t bit);

/* How many rows there are: bits from here on are learnt names. */
size_t catalogue_feature_rows(void);

/* The bit of a row's name in any catalogue; -1 when no row has it. */
int catalogue_find_row(const char *name);

size_t catalogue_model_count(void);
/* In the order of the newest libvirt's map, where ancestors come first; what only an
 * older map has stands after its predecessor there. */
const struct model_row *catalogue_model(size_t i);
const struct model_row *catalogue_find_model(const char *name);

/* Bits of the features that no migration may carry (migratable='no'). */
struct bitset catalogue_non_migratable(void);

struct bitset feature_list_set(struct feature_list list);

/* What a source (by number) makes of a model for guests of the virt type, into
 * *features.  False when the source does not know the model or has no say in the virt
 * type. */
bool catalogue_define_model(const struct model_row *m, size_t source, enum virt_type virt,
	struct bitset *features);

/* The features that QEMU switches off, even if they are asked for, where a guest has no
 * more than `ground` of what others stand on: by the word of any of the sources. */
struct bitset catalogue_groundless(const struct bitset *ground, uint32_t sources);

size_t catalogue_source_count(void);
const struct source_row *catalogue_source_row(size_t source);
uint32_t catalogue_all_sources(void);

/* Versions as struct source_row has them, 0 for unknown.
 *
 * Which sources may apply on a node: of each program the one of its version (major and
 * minor), or all where the catalogue has no such version. */
uint32_t catalogue_sources_of(uint64_t libvirt_version, uint64_t qemu_version);

/* Feature names that libvirt and QEMU of these versions certainly know: those of the
 * newest sources that are not newer; none where a version is unknown or older than all
 * sources.  (Neither program has ever dropped a name.) */
struct bitset catalogue_names_of(uint64_t libvirt_version, uint64_t qemu_version);

/* Feature names, and models (by number), that every source knows. */
struct bitset catalogue_names_known_to_all(void);
struct bitset catalogue_models_known_to_all(void);

/* libvirt's name of a vendor by its CPUID string ("GenuineIntel"); NULL when it
 * has none. */
const char *catalogue_vendor_name(const char *string);
/* And back: NULL for what is no vendor's name. */
const char *catalogue_vendor_string(const char *name);

/* Do all libvirts among the sources know the vendor by this name?  Of no sources: does
 * any libvirt? */
bool catalogue_is_vendor(const char *name, uint32_t sources);

#endif
