/* cpumap.h - may libvirt's cpu_map become what a run wants it to be?
 *
 * One bad file makes every CPU call of libvirt fail on this node, so nothing is
 * written before libvirt itself has read a copy of the whole map with the new files in
 * it.  That is a child process in a mount namespace of its own, where the copy covers
 * the real folder: the running daemon and the real files are never touched, and nothing
 * is left when the child ends.  A node that does not let the peer mount refuses.
 *
 * A coordinator is not trusted with what the files may say: a model is features, one a
 * line, and the index may gain one line.  (An include of any other file would make
 * libvirt read it, and quote it in an error.)
 */
#ifndef PEER_CPUMAP_H
#define PEER_CPUMAP_H

#include "peer/change.h"

/* Judges of the places cpu_map and cpu_map_index. */
change_judge_fn cpumap_judge_model, cpumap_judge_index;

/* ---- a piece, for tests */

/* Is this a file as cpuherd writes it for a model of that name?  *why is the reason why
 * not, a static text. */
bool cpumap_is_model(struct bytes content, const char *name, struct texts *features,
	const char **why, struct arena *arena);

/* Is it the old index, or that with the include of the model's file as one line more? */
bool cpumap_is_index(struct bytes content, struct bytes old, const char *name);

#endif
