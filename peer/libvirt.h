/* libvirt.h - what the node's own libvirt says: the only user of libvirt.
 *
 * The library is loaded when it is first needed (dlopen of libvirt.so.0), so
 * that the peer runs on nodes without it.  A connection lives for one request;
 * that survives a daemon that was restarted in between.  libvirt's calls cannot
 * be given a time limit from inside: callers arm the watchdog around them.
 */
#ifndef PEER_LIBVIRT_H
#define PEER_LIBVIRT_H

#include "peer/gather.h"

/* Everything of libvirt that goes into struct node_facts; without libvirt,
 * without its daemon or without an emulator for a virt type: gaps. */
enum rc libvirt_gather(struct gather *g);

/* The guest that a CPU is for; an empty text means libvirt's default. */
struct libvirt_guest {
	const char *virt_type, *emulator, *arch, *machine;
};

struct libvirt_verdict {
	bool accepted;
	struct texts features; /* that libvirt named as standing in the way */
	const char *reason;    /* libvirt's words; "" when accepted */
};

/* Can this node give such a guest the CPU of a libvirt <cpu> element?  A CPU
 * that libvirt rejects outright (unknown feature or model, bad XML) is not
 * accepted, with the reason; so RC_OK is the answer to every CPU.
 * RC_LIBVIRT when libvirt could not be asked, RC_MEMORY. */
enum rc libvirt_judge(const char *uri, const struct libvirt_guest *guest, const char *cpu,
	struct arena *arena, struct libvirt_verdict *out, struct err *e);

/* ---- pieces, for tests */

/* Only the node's own QEMU driver may be named: other URIs make libvirt connect
 * elsewhere or run commands ("qemu+ext:///?command=..."). */
bool libvirt_uri_is_allowed(const char *uri);

/* The features that a message of libvirt names as missing, forbidden or unknown.
 * RC_MEMORY. */
enum rc libvirt_find_features(
	const char *message, struct arena *arena, struct texts *out, struct err *e);

/* The <cpu> for libvirt to expand: the host-model of domain capabilities.
 * NULL with RC_OK and *why set when they have none. */
enum rc libvirt_host_model(const char *domcaps, struct arena *arena, char **cpu,
	const char **why, struct err *e);

/* Capabilities without what is each host's own: the host UUID (to *uuid, "" when
 * there is none) and the NUMA topology. */
enum rc libvirt_strip_capabilities(const char *xml, struct arena *arena, char **stripped,
	char **uuid, struct err *e);

#endif
