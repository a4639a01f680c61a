/* guest_log.h - QEMU's last words about a trial guest, from the log that libvirt keeps. */
#ifndef PEER_GUEST_LOG_H
#define PEER_GUEST_LOG_H

#include "peer/place.h"

enum { GUEST_LOG_LINES = 3 };

/* The last lines of the domain's log, printable, as "one; two; three", without those in
 * which libvirt writes QEMU's command line.  "" where there are none, or it may not be
 * read.  The name is a trial guest's: it was checked. */
const char *guest_log_tail(
	const struct place_world *world, const char *domain, struct arena *arena);

#endif
