/* guest_log.h - QEMU's last words about a trial guest, from the log that libvirt keeps. */
#ifndef PEER_GUEST_LOG_H
#define PEER_GUEST_LOG_H

#include "peer/place.h"

enum { GUEST_LOG_LINES = 3 };

/* Where this world's libvirt keeps QEMU's logs: /var/log/libvirt/qemu, or a session's in
 * the user's cache.  NULL: no home, or memory is short. */
const char *guest_log_folder(const struct place_world *world, struct arena *arena);

/* The last lines of the domain's log, printable, as "one; two; three", without those in
 * which libvirt writes QEMU's command line.  "" where there are none, or it may not be
 * read.  The name is a trial guest's: it was checked. */
const char *guest_log_tail(
	const struct place_world *world, const char *domain, struct arena *arena);

#endif
