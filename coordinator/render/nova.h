/* nova.h - a level in the options of nova's [libvirt], for nova and what configures it.
 *
 * What the options can say has grown with the releases; for an older one the level is
 * fitted (coordinator/cpu/shape.h) and the notes tell what that loses.
 */
#ifndef COORDINATOR_RENDER_NOVA_H
#define COORDINATOR_RENDER_NOVA_H

#include "coordinator/cpu/shape.h"
#include "coordinator/render/writing.h"

/* What nova does with a CPU that the machine itself does not have in full. */
enum nova_compare {
	COMPARE_MOVE,  /* it takes no guest of it that moves in */
	COMPARE_START, /* nova-compute does not start either */
	COMPARE_SKIP,  /* the same, and there are options against it */
};

#define NOVA_FLAGS "cpu_model_extra_flags"
#define NOVA_SKIP_START "skip_cpu_compare_at_startup"
#define NOVA_SKIP_MOVE "skip_cpu_compare_on_dest"

struct nova_release {
	const char *name;
	const char *models_option; /* cpu_model, cpu_models */
	enum shape shape;
	const char *on; /* before a flag that is switched on: "+", "" */
	enum nova_compare compare;
	const char *also; /* the name beside the number; NULL: none */
};

/* The release of the name ("Queens", "2024.1", "caracal"), or the newest for NULL; NULL when there is none such. */
const struct nova_release *nova_find_release(const char *name);

/* The release of the program's version: of "26.2.2" it is zed; of one that is not known
 * yet the newest.  NULL for those before mitaka, and for what is no version. */
const struct nova_release *nova_find_version(const char *version);

/* Both of the list. */
bool nova_is_newer(const struct nova_release *a, const struct nova_release *b);

/* "mitaka, ... 2026.2" in order; "" when memory is short. */
const char *nova_list_releases(struct arena *arena);

/* Fits the level to the request's release (w->level is then that), with its notes. */
enum rc nova_begin(struct writing *w, const struct nova_release **release, struct err *e);

/* The flags of the level that KVM makes, which this release compares with a machine that
 * may not have them, and nothing can be said against it; "": none; NULL: no memory. */
const char *nova_compares(const struct nova_release *r, const struct catalogue *c,
	const struct level *l, struct arena *arena);

/* Does the level need nova's comparison with the machine's CPU to be left out? */
bool nova_skips_compare(const struct writing *w, const struct nova_release *r);

/* "cpu_mode = custom" and so on, and behind them [workarounds] where it needs that. */
void nova_put_options(struct writing *w, const struct nova_release *r);

#endif
