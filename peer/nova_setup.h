/* nova_setup.h - how nova-compute is installed and started here; for peer/nova*.c. */
#ifndef PEER_NOVA_SETUP_H
#define PEER_NOVA_SETUP_H

#include "peer/unit.h"

struct nova_setup {
	const struct place_world *world;
	struct unit unit;
	const char *program; /* path of nova-compute, without the root; "": none */
	struct texts python; /* its interpreter with arguments, from its first line */
	const char *version; /* "": nova is not installed */
	const char *user;    /* that it runs as */
	const char *home;    /* of that user; "": unknown */
	/* --config-file FILE and --config-dir FOLDER of its command line, one text each:
	 * "--config-file=FILE" */
	struct texts arguments;
};

/* The texts live in the arena. */
enum rc nova_setup_find(const struct place_world *world, struct arena *arena,
	struct nova_setup *out, struct err *e);

/* The files that nova-compute reads, in their order; the one at the path drop_in
 * stands where it would be read, whether it is there or not. */
enum rc nova_setup_files(const struct nova_setup *s, const char *drop_in,
	struct arena *arena, struct texts *out, struct err *e);

#endif
