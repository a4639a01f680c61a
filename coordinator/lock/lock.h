/* lock.h - what was agreed, as a file: cpuherd.lock (docs/lock.md).
 *
 * JSON for people and for git: keys sorted, one thing a line, nothing in it that changes by
 * itself, so equal agreements give equal bytes.  Texts that came from nodes are kept
 * printable.  A file that is not, byte for byte, what lock_write() means is refused: its
 * digest is in it.  Everything lives in the arena.
 */
#ifndef COORDINATOR_LOCK_H
#define COORDINATOR_LOCK_H

#include <stdbool.h>

#include "base/arena.h"
#include "base/buf.h"
#include "proto/table.h"

enum { LOCK_FORMAT = 1, LOCK_KEY_MAX = 17 };

/* The level, and what its guests stand on besides features (coordinator/cpu/holds.h). */
struct lock_level {
	const char *name, *virt, *model, *vendor; /* vendor "": it states none */
	const char *seen_vendor, *nested;	  /* struct ground */
	uint32_t maxphysaddr, xsave_bytes;	  /* 0: none */
	struct texts require, disable, unsaid, features;
	struct texts xsave; /* "INDEX SIZE OFFSET" */
	struct texts xml;   /* its lines */
};

/* An option that says where the level goes, with its words. */
struct lock_option {
	const char *name;
	struct texts words;
};

/* What was written into files that are cpuherd's alone: "PLACE NAME SHA256". */
struct lock_writing {
	const char *key;
	struct texts files;
};

/* What nodes that are alike said of themselves; a text that was not to be had is "". */
struct lock_class {
	const char *key;
	const char *arch, *cpu, *vendor, *microcode, *kernel, *libvirt, *qemu;
	uint32_t physical_bits;
	struct texts parameters; /* "kvm_intel.nested=Y", sorted */
	/* SHA-256 of the facts' bodies */
	const char *host, *kvm, *emulated, *domcaps, *offer;
	struct texts features; /* of the offer, sorted */
	struct texts gaps;     /* facts that could not be had, sorted */
};

struct lock_node {
	const char *name;
	const char *class, *written; /* keys */
	const char *hostname, *host_uuid, *cmdline;
	uint32_t tsc_khz;
};

struct lock {
	const char *version, *catalogue; /* of the cpuherd that wrote it */
	struct lock_level level;
	struct lock_option *options; /* sorted by name, as are all lists here */
	struct lock_writing *writings;
	struct lock_class *classes;
	struct lock_node *nodes;
	size_t option_count, writing_count, class_count, node_count;
};

/* NULL when there is none. */
const struct lock_node *lock_find_node(const struct lock *l, const char *name);
const struct lock_class *lock_find_class(const struct lock *l, const char *key);
const struct lock_writing *lock_find_writing(const struct lock *l, const char *key);
const struct lock_option *lock_find_option(const struct lock *l, const char *name);

/* Fills in the key: a short digest of the rest.  RC_MEMORY. */
enum rc lock_key_class(struct lock_class *c, struct arena *arena, struct err *e);
enum rc lock_key_writing(struct lock_writing *w, struct arena *arena, struct err *e);

/* Sorts the lists, drops what is there twice, and classes and writings of no node. */
void lock_settle(struct lock *l);

/* A text as the lock can hold it: what is not printable ASCII is '?'.  NULL: out of
 * memory. */
const char *lock_text(struct arena *arena, const char *text);

/* May a node be called so? */
bool lock_is_node_name(const char *text);

/* The lock of these bytes.  RC_INPUT: path and line, or what is wrong with it. */
enum rc lock_parse(struct bytes text, const char *path, struct arena *arena,
	struct lock *out, struct err *e);

/* The file's bytes, into out.  The lock is settled. */
enum rc lock_print(const struct lock *l, struct buf *out, struct err *e);

/* The file of that name; *found is false when there is none (RC_OK).  RC_INPUT,
 * RC_LIMIT. */
enum rc lock_read(const char *path, struct arena *arena, struct lock *out, bool *found,
	struct err *e);

#endif
