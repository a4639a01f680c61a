/* trial_xml.h - the domain that a trial guest is.
 *
 * No disk, no network, no screen, 16 MiB; nothing of it outlives it.  Pure.
 *
 * The coordinator is not trusted: what it gives must be words of libvirt and one <cpu>
 * element that leaves memory and topology alone, so that no text of it can become another
 * device, another file or a larger guest.  RC_PROTOCOL where it is not; RC_MEMORY.
 */
#ifndef PEER_TRIAL_XML_H
#define PEER_TRIAL_XML_H

#include "peer/libvirt.h"

enum { TRIAL_MEMORY_MIB = 16 };

struct trial_guest {
	const char *name;	   /* of trial_name() */
	struct libvirt_guest kind; /* the emulator is checked by those who start it */
	const char *cpu;
	const char *kernel; /* path of the multiboot kernel; "": it will not run */
	unsigned life_s;    /* then the kernel ends by itself */
};

enum rc trial_xml(const struct trial_guest *guest, struct arena *arena, const char **xml,
	struct err *e);

#endif
