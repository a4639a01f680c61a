/* domaincpu.h - the <cpu> of a domain, and what a level means for it.
 *
 * A domain's <cpu> holds more than a CPU: topology, cache and NUMA cells are the guest's
 * own and stay as they are.  The texts come from nodes and are not trusted (cpuxml.h).
 * Results live in the arena.  RC_FACTS with what is wrong; `what` names the domain.
 */
#ifndef COORDINATOR_DOMAINCPU_H
#define COORDINATOR_DOMAINCPU_H

#include "coordinator/cpu/level.h"

/* The level's <cpu> with what is the domain's own of `old` ("": it has no <cpu>), in the
 * order and form in which libvirt prints it within a definition, so that nothing but the
 * CPU differs.  A cache that is the host's goes with the host's CPU. */
enum rc domaincpu_make(const char *level, const char *old, const char *what,
	struct arena *arena, const char **out, struct err *e);

/* Do both mean the same to libvirt, whatever their order, blanks and defaults? */
enum rc domaincpu_same(const char *a, const char *b, const char *what,
	struct arena *arena, bool *same, struct err *e);

/* What the guest that runs with this <cpu> on a node with that offer sees.  `host` may be
 * NULL: then a model is all that any libvirt means by it, and the host's CPU nothing. */
struct domaincpu_live {
	const char *model; /* "" where it is the host's */
	bool known; /* the catalogue has the model; else only what is listed counts */
	struct bitset features;
};

enum rc domaincpu_read_live(const struct catalogue *c, const char *xml, const char *what,
	enum virt_type virt, const struct offer *host, struct arena *arena,
	struct domaincpu_live *out, struct err *e);

/* The level that a domain is tagged with: the text of its <level> of the namespace
 * urn:cpuherd, as libvirt hands the element out.  "" for anything else. */
enum rc domaincpu_read_tag(
	const char *xml, struct arena *arena, const char **level, struct err *e);

#endif
