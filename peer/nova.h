/* nova.h - nova on this node: which it is, what it reads, what it says of CPUs.
 *
 * oslo.config reads, when nova-compute starts (oslo_config/cfg.py, ConfigOpts):
 *	without --config-file	nova.conf, then nova-compute.conf: each from the first
 *				of ~/.nova, ~, /etc/nova, /etc that has it
 *	without --config-dir	*.conf of nova.conf.d, then of nova-compute.conf.d, found
 *				in the same way, by name
 *	then			what --config-file and --config-dir name, in their order
 * and what is read later wins.  So a drop-in in nova.conf.d loses against a nova.conf
 * that --config-file names, which is how Debian starts it.
 *
 * Only a closed list of options leaves the node: the files hold passwords.
 */
#ifndef PEER_NOVA_H
#define PEER_NOVA_H

#include "peer/change.h"

/* Answers ask_nova.  out->files has the drop-in of that folder where nova would read
 * it, also when it is not there (when it is not in the list, nova does not read that folder).
 * RC_TARGET: a file cannot be read, or nova could not read it; RC_PLACE: not a name;
 * RC_MEMORY. */
enum rc nova_look(const struct place_world *world, const char *folder,
	struct arena *arena, struct nova *out, struct err *e);

/* May a drop-in have this option?  (The list is that of what is asked, too.) */
bool nova_knows(const char *section, const char *option);

/* The judge of the place nova: nothing but options of the list in it, and nova's own
 * oslo.config, started as nova-compute's user, reads them back as they are.  Before
 * commit it is given the file from memory; nothing is written for that. */
change_judge_fn nova_judge;

#endif
