/* libvirt_guest.h - trial guests, as this node's libvirt has them.
 *
 * A table of calls, so that tests can have a libvirt of their own.  The link stays open as
 * long as guests that shall not outlive it: libvirtd ends those when their connection ends,
 * however that happens.  That is forgotten when the daemon restarts, and it forbids
 * migration; for both there is peer/guard.h.
 *
 * Guests are named by trial_name(), and no other domain is touched: names come from
 * requests that were checked.  RC_LIBVIRT with libvirt's words where a call fails; a
 * refusal to start a guest is an answer.  Callers arm the watchdog.
 */
#ifndef PEER_LIBVIRT_GUEST_H
#define PEER_LIBVIRT_GUEST_H

#include "peer/libvirt.h"
#include "proto/texts.h"

struct guest_link;

struct guest_start {
	const char *xml;
	const char *
		emulator; /* that the XML names; only one that libvirt found is started */
	bool stays;	  /* it is not ended with the link */
};

struct guest_now {
	bool exists;
	bool runs;
	const char *state; /* libvirt's word: running, paused, ...; "" where it is not */
	const char *xml;   /* what runs */
};

struct guest_calls {
	enum rc (*open)(const char *uri, struct guest_link **link, struct err *e);
	void (*close)(struct guest_link *link); /* NULL: nothing */
	/* Paused. */
	enum rc (*start)(struct guest_link *link, const struct guest_start *how,
		struct arena *arena, struct libvirt_verdict *out, struct err *e);
	enum rc (*look)(struct guest_link *link, const char *name, struct arena *arena,
		struct guest_now *out, struct err *e);
	/* A command of QEMU's monitor, in JSON as is its answer. */
	enum rc (*monitor)(struct guest_link *link, const char *name, const char *command,
		struct arena *arena, const char **answer, struct err *e);
	/* Of its physical memory. */
	enum rc (*peek)(struct guest_link *link, const char *name, uint64_t address,
		size_t size, void *to, struct err *e);
	enum rc (*resume)(struct guest_link *link, const char *name, struct err *e);
	enum rc (*suspend)(struct guest_link *link, const char *name, struct err *e);
	/* RC_OK as well where it has gone by itself. */
	enum rc (*end)(struct guest_link *link, const char *name, struct err *e);
	/* The runs that have guests here, each once. */
	enum rc (*runs)(struct guest_link *link, struct arena *arena, struct texts *runs,
		struct err *e);
	/* Ends all guests of a run, by a connection of its own, also in a child process. */
	enum rc (*end_all)(
		const char *uri, const char *run, unsigned *count, struct err *e);
};

extern const struct guest_calls libvirt_guests;

#endif
