/* facts.h - all facts of one node, with the bulky ones in place.
 *
 * What struct facts (proto/message.h) names by digest is resolved here.  The
 * peer gathers one, the dump (proto/dump.h) prints and reads one, and the
 * coordinator decides from nothing else.
 *
 * A bulky fact that is missing has an entry in small.gaps with the same name.
 */
#ifndef PROTO_FACTS_H
#define PROTO_FACTS_H

#include "proto/message.h"

/* B(body, kind, meaning).  Kinds: registers (struct registers), text (XML) */
#define BODIES(B) \
	B(host, registers, \
		"CPUID and MSRs as a program on the node reads them, per kind of CPU") \
	B(kvm, registers, \
		"KVM_GET_SUPPORTED_CPUID and KVM_GET_MSRS of the feature MSRs") \
	B(emulated, registers, "KVM_GET_EMULATED_CPUID") \
	B(capabilities, text, \
		"virConnectGetCapabilities, without host UUID and topology") \
	B(domcaps_kvm, text, "virConnectGetDomainCapabilities for virt type kvm") \
	B(domcaps_qemu, text, "virConnectGetDomainCapabilities for virt type qemu") \
	B(offer_kvm, text, \
		"the node's host-model for kvm, expanded to all its migratable " \
		"features") \
	B(offer_qemu, text, \
		"the node's host-model for qemu, expanded to all its migratable " \
		"features")

enum body_id {
#define BODY_ENUM(body_name, kind, meaning) BODY_##body_name,
	BODIES(BODY_ENUM)
#undef BODY_ENUM
		BODY_COUNT
};

enum body_kind { BODY_KIND_registers, BODY_KIND_text };

struct body_row {
	const char *name;
	enum body_kind kind;
	const char *meaning;
};

extern const struct body_row body_rows[BODY_COUNT];

/* BODY_COUNT when there is no body of that name. */
enum body_id body_id_of(const char *name);

struct node_facts {
	struct facts small;
	bool present[BODY_COUNT];
	struct registers registers[BODY_COUNT]; /* of kind registers */
	const char *text[BODY_COUNT];		/* of kind text; "" when missing */
	bool ended;				/* of a dump: its end was there */
};

/* Facts of nothing: no body is present, every text is empty (never NULL). */
void facts_init(struct node_facts *f);

/* The reason why a fact is missing; NULL when no gap names it. */
const char *facts_gap(const struct facts *f, const char *fact);

/* Puts a body's bytes in place (decoded into, or copied to, the arena). */
enum rc facts_put_body(struct node_facts *f, enum body_id id, struct bytes content,
	struct arena *arena, struct err *e);

/* The reverse: the bytes that travel for a body.  Equal facts give equal bytes. */
enum rc facts_body_bytes(
	const struct node_facts *f, enum body_id id, struct buf *out, struct err *e);

#endif
