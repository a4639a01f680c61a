/* libvirt_domain.h - the domains of this node, as its libvirt keeps them.
 *
 * A table of calls, so that tests can keep domains of their own.  Each opens a connection
 * for itself.  Texts live in the arena.  RC_LIBVIRT with libvirt's words where one fails.
 *
 * Definitions are read with their secrets, because libvirt would forget a password that is
 * not in the text it is given; no secret leaves the node but within a digest.
 */
#ifndef PEER_LIBVIRT_DOMAIN_H
#define PEER_LIBVIRT_DOMAIN_H

#include "peer/domain.h"
#include "proto/message.h"

/* One domain as it is now. */
struct domain_now {
	bool exists;
	bool persistent;
	bool running;
	const char
		*text; /* the definition, with secrets; of a transient domain what runs */
	const char *live; /* what runs, without; NULL: nothing */
};

/* Could the domain be defined and started as `text`? */
struct domain_question {
	const char *before; /* its definition now */
	const char *text;   /* what it would be; the same once it is written */
	const char *cpu;    /* the <cpu> of text */
	struct libvirt_guest guest;
};

struct domain_calls {
	/* All persistent domains, and those that run.  RC_LIMIT when they are too many. */
	enum rc (*list)(
		const char *uri, struct arena *arena, struct domains *out, struct err *e);
	enum rc (*read)(const char *uri, const char *uuid, struct arena *arena,
		struct domain_now *out, struct err *e);
	enum rc (*define)(
		const char *uri, const char *text, bool validate, struct err *e);
	enum rc (*judge)(const char *uri, const struct domain_question *q,
		struct arena *arena, struct libvirt_verdict *out, struct err *e);
};

extern const struct domain_calls libvirt_domains;

#endif
