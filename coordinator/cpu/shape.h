/* shape.h - a level for those who cannot say all of it.
 *
 * Some formats have no word for a disable, or for any feature at all.  The rest of the
 * level is then what each program makes of the model's name, so such a level may only
 * use a model of which every definition is part of the baseline: a guest can be given
 * all that it might hold on each node.  (But for the controls of vmx that no level can
 * say: closing.h.)  What no definition is sure of and no require says is lost.
 */
#ifndef COORDINATOR_SHAPE_H
#define COORDINATOR_SHAPE_H

#include "coordinator/cpu/level.h"

/* What can be said beside the model; each can say what those before it can. */
enum shape {
	SHAPE_MODEL,
	SHAPE_PCID, /* a require of pcid */
	SHAPE_REQUIRES,
	SHAPE_ANY,
};

/* The level in that shape, into *out: l itself where it fits.  Otherwise the model that
 * keeps most features; then with the fewest requires; then the newest.  *lost is what l
 * holds and *out does not promise; out->baseline is what it does.  RC_FORMAT, with the
 * features that stand in the way, when no model that every node knows will do. */
enum rc shape_fit(const struct catalogue *c, const struct level *l, enum shape shape,
	struct arena *arena, struct level *out, struct bitset *lost, struct err *e);

#endif
