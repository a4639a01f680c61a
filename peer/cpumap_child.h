/* cpumap_child.h - what libvirt reads out of a cpu_map that is not there yet.
 *
 * A child process with a mount namespace of its own puts a copy of the map, with some
 * files changed, over the real folder, loads libvirt and asks it.  All of it goes with
 * the child.
 */
#ifndef PEER_CPUMAP_CHILD_H
#define PEER_CPUMAP_CHILD_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/err.h"
#include "proto/texts.h"

#define CPUMAP_FOLDER "/usr/share/libvirt/cpu_map"
enum { CPUMAP_FILES_MAX = 2, CPUMAP_LIMIT_MS = 20000 };

struct cpumap_trial {
	const char *root; /* of the map that is copied; "" in life */
	const char *name; /* of the model that is asked about */
	bool as_it_is;	  /* no copy: libvirt reads what is there (root is "") */
	struct {
		const char *file; /* in the folder */
		struct bytes content;
	} change[CPUMAP_FILES_MAX];
	size_t changes;
};

struct cpumap_answer {
	const char *refusal;   /* libvirt's words; NULL: it reads the map */
	struct texts models;   /* all of them */
	struct texts features; /* of the model; none: there is no such model */
};

/* RC_TARGET: this process may not mount, or the map cannot be copied; RC_TIMEOUT;
 * RC_MEMORY. */
enum rc cpumap_try(const struct cpumap_trial *t, struct arena *arena,
	struct cpumap_answer *out, struct err *e);

#endif
