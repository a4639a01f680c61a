/* message.h - everything the two ends can say, written once.
 *
 * Each record is one list of fields; the structs below, the codec's tables
 * (message.c) and the tables of docs/protocol.md come from these lists.
 * Records are plain data: all pointers belong to the arena of the decoder, or
 * to whoever filled the record for sending.  A text or list that was not set
 * is sent as empty; a decoded text is never NULL.
 *
 * To add a field: append it to its list with since = the new PROTOCOL_VERSION.
 * To add a message: append it to MESSAGES with a new tag.  Tags are never used
 * again.  Then run `scripts/update-docs`.
 */
#ifndef PROTO_MESSAGE_H
#define PROTO_MESSAGE_H

#include "base/arena.h"
#include "base/err.h"
#include "proto/table.h"

enum { PROTOCOL_VERSION_MIN = 4, PROTOCOL_VERSION = 4 };

/* ---- parts of messages: F(record, type, field, since, meaning), L(record, of, ...) */

#define FIELDS_leaf(F, L) \
	F(leaf, u32, function, 1, "EAX at the call: the leaf") \
	F(leaf, u32, index, 1, "ECX at the call: the sub-leaf") \
	F(leaf, u32, eax, 1, "EAX as answered") \
	F(leaf, u32, ebx, 1, "EBX as answered") \
	F(leaf, u32, ecx, 1, "ECX as answered") \
	F(leaf, u32, edx, 1, "EDX as answered")

#define FIELDS_msr(F, L) \
	F(msr, u32, index, 1, "number of the model-specific register") \
	F(msr, u64, value, 1, "its value")

#define FIELDS_register_set(F, L) \
	F(register_set, text, cpus, 1, \
		"logical CPUs that gave these registers (\"0-3,8\"); empty when asked " \
		"of KVM") \
	L(register_set, leaf, leaves, 1, "CPUID answers, in the order of asking") \
	L(register_set, msr, msrs, 1, "feature MSRs, where they could be read")

#define FIELDS_registers(F, L) \
	L(registers, register_set, sets, 1, "one per kind of logical CPU; KVM gives one")

#define FIELDS_parameter(F, L) \
	F(parameter, text, module, 1, "kernel module: kvm, kvm_intel, kvm_amd") \
	F(parameter, text, name, 1, "parameter of the module") \
	F(parameter, text, value, 1, "its value, as /sys shows it")

#define FIELDS_gap(F, L) \
	F(gap, text, fact, 1, "the fact that could not be had") \
	F(gap, text, reason, 1, "why, in one line")

#define FIELDS_body_ref(F, L) \
	F(body_ref, text, name, 1, "which bulky fact (proto/facts.h)") \
	F(body_ref, bytes, digest, 1, "SHA-256 of its bytes") \
	F(body_ref, u64, size, 1, "number of its bytes")

#define FIELDS_spot(F, L) \
	F(spot, u32, place, 3, "number of the place (proto/place.h)") \
	F(spot, text, name, 3, "name within the place, as its row says")

#define FIELDS_found(F, L) \
	F(found, text, path, 3, "what the place and name mean on this node") \
	F(found, flag, exists, 3, "it is there") \
	F(found, flag, ours, 3, \
		"cpuherd wrote what is there, and nobody has changed it since") \
	F(found, bytes, content, 3, "what is there; of a domain, its <cpu> element") \
	F(found, bytes, digest, 3, \
		"SHA-256 for change.expected; of a domain, of its whole definition")

#define FIELDS_change(F, L) \
	F(change, u32, place, 3, "number of the place") \
	F(change, text, name, 3, "name within the place") \
	F(change, bytes, content, 3, "what shall be there") \
	F(change, bytes, expected, 3, \
		"the digest that was found; empty: nothing is there") \
	F(change, text, machine, 3, \
		"of a domain: the machine type that it shall have; empty: its own")

#define FIELDS_staging(F, L) \
	F(staging, text, path, 3, "what commit will replace") \
	F(staging, flag, unchanged, 3, \
		"the content is there already; commit will not touch it")

#define FIELDS_reading(F, L) \
	F(reading, text, path, 3, "what was read") \
	F(reading, bytes, content, 3, "as read back") \
	F(reading, flag, accepted, 3, "the node's own software takes it") \
	F(reading, text, reason, 3, "its words when not")

#define FIELDS_domain(F, L) \
	F(domain, text, uuid, 3, "its name as a place") \
	F(domain, text, name, 3, "libvirt's name of it; any characters") \
	F(domain, flag, persistent, 3, "it has a definition that outlives it") \
	F(domain, flag, running, 3, "it is not shut off") \
	F(domain, text, virt_type, 3, "kvm or qemu, or another of libvirt's words") \
	F(domain, text, machine, 3, \
		"machine type of the definition (else of what runs)") \
	F(domain, text, cpu, 3, "<cpu> of the definition; empty: it has none") \
	F(domain, text, live_cpu, 3, "<cpu> of what runs; empty: it does not run") \
	F(domain, text, tag, 3, \
		"its metadata of the namespace urn:cpuherd; empty: none") \
	F(domain, bytes, digest, 3, "of the definition, for change.expected") \
	F(domain, text, arch, 3, "x86_64, or another of libvirt's words") \
	F(domain, flag, saved, 3, \
		"it does not run, but will go on from a saved state, with the CPU of " \
		"then")

#define FIELDS_nova_option(F, L) \
	F(nova_option, text, file, 3, "path of the file") \
	F(nova_option, text, section, 3, "libvirt, workarounds") \
	F(nova_option, text, name, 3, "cpu_mode, cpu_models, ...") \
	F(nova_option, text, value, 3, "as the file has it, lines joined")

#define FIELDS_cpu_word(F, L) \
	F(cpu_word, u32, function, 4, "EAX at the call: the leaf") \
	F(cpu_word, u32, index, 4, "ECX at the call: the sub-leaf; 0 where it has none") \
	F(cpu_word, u32, part, 4, "the register: 0 EAX, 1 EBX, 2 ECX, 3 EDX") \
	F(cpu_word, u32, value, 4, \
		"what QEMU will show a guest there, as far as it has names for") \
	F(cpu_word, u32, filtered, 4, "bits that were asked for and taken away")

#define FIELDS_cpu_property(F, L) \
	F(cpu_property, text, name, 4, "of QEMU's CPU object") \
	F(cpu_property, text, value, 4, "as JSON: true, 13, \"GenuineIntel\"")

/* ---- messages */

#define FIELDS_hello(F, L) \
	F(hello, u32, version_min, 1, \
		"oldest protocol version that the coordinator speaks") \
	F(hello, u32, version_max, 1, "newest one") \
	F(hello, text, connect, 1, \
		"libvirt URI to use on the node; empty: qemu:///system")

#define FIELDS_welcome(F, L) \
	F(welcome, u32, version, 1, "protocol version that both will speak") \
	F(welcome, text, peer_version, 1, "release of cpuherd-peer") \
	F(welcome, u32, uid, 1, "user id that the peer runs as")

#define FIELDS_ask_facts(F, L) F(ask_facts, u32, reserved, 1, "0")

#define FIELDS_facts(F, L) \
	F(facts, text, hostname, 1, "the node's own name for itself") \
	F(facts, text, host_uuid, 1, \
		"libvirt's host UUID; kept out of the capabilities body") \
	F(facts, text, arch, 1, "machine of uname(2): x86_64") \
	F(facts, text, kernel, 1, "kernel release") \
	F(facts, text, cmdline, 1, "kernel command line") \
	F(facts, text, microcode, 1, "microcode revision of /proc/cpuinfo, 0x...") \
	F(facts, u32, cpus, 1, "logical CPUs online") \
	F(facts, u32, physical_address_bits, 1, "MAXPHYADDR, CPUID 0x80000008 EAX[7:0]") \
	F(facts, u32, linear_address_bits, 1, "CPUID 0x80000008 EAX[15:8]") \
	F(facts, u32, tsc_khz, 1, "TSC frequency, KVM_GET_TSC_KHZ; 0 unknown") \
	F(facts, flag, tsc_scaling, 1, \
		"KVM_CAP_TSC_CONTROL: a guest's TSC can be scaled") \
	F(facts, text, uri, 1, "libvirt URI that answered") \
	F(facts, u64, libvirt_version, 1, \
		"of the daemon: major * 1000000 + minor * 1000 + release") \
	F(facts, u64, hypervisor_version, 1, "of QEMU, same form") \
	L(facts, parameter, parameters, 1, "parameters of the kvm modules") \
	L(facts, gap, gaps, 1, "facts that could not be had, and why") \
	L(facts, body_ref, bodies, 1, "the bulky facts, by digest")

#define FIELDS_ask_bodies(F, L) \
	F(ask_bodies, texts, names, 1, "names of the bodies wanted")

#define FIELDS_body(F, L) \
	F(body, text, name, 1, "which bulky fact") \
	F(body, bytes, content, 1, \
		"its bytes: an encoded registers record, or libvirt's XML") \
	F(body, flag, last, 1, "the last of those asked for")

#define FIELDS_propose(F, L) \
	F(propose, u32, round, 1, "number of the proposal, from 1") \
	F(propose, text, virt_type, 1, "kvm or qemu") \
	F(propose, text, emulator, 1, "path of the emulator; empty: libvirt's default") \
	F(propose, text, arch, 1, "guest architecture; empty: libvirt's default") \
	F(propose, text, machine, 1, "machine type; empty: libvirt's default") \
	F(propose, text, cpu, 1, "the level for this node as libvirt <cpu> XML")

#define FIELDS_vote(F, L) \
	F(vote, u32, round, 1, "number of the proposal") \
	F(vote, flag, yes, 1, "the node's libvirt can give a guest this CPU") \
	F(vote, texts, features, 1, \
		"features that libvirt named as standing in the way") \
	F(vote, text, reason, 1, "libvirt's words; empty with a yes")

#define FIELDS_look(F, L) L(look, spot, spots, 3, "what is in these places?")

#define FIELDS_seen(F, L) L(seen, found, found, 3, "one for each spot, in their order")

#define FIELDS_stage(F, L) \
	F(stage, text, run, 3, "name of the run") \
	F(stage, text, holder, 3, \
		"who runs it, for those who find the node held: \"user@host, process " \
		"123\"") \
	L(stage, change, changes, 3, \
		"what shall be written, in this order; put back in the reverse order") \
	F(stage, text, virt_type, 3, \
		"as in propose: for the node's own libvirt to judge the content") \
	F(stage, text, emulator, 3, "as in propose") \
	F(stage, text, arch, 3, "as in propose") \
	F(stage, text, machine, 3, "as in propose") \
	F(stage, texts, units, 3, \
		"what commit restarts when it has written (proto/unit.h)") \
	F(stage, flag, linger, 3, \
		"when the connection ends before keep, leave the run to a later " \
		"session; else it is reverted then")

#define FIELDS_staged(F, L) \
	L(staged, staging, changes, 3, "one for each change, in their order")

#define FIELDS_commit(F, L) F(commit, text, run, 1, "name of the run that was staged")

#define FIELDS_committed(F, L) \
	F(committed, flag, changed, 1, "something was replaced or made")

#define FIELDS_verify(F, L) F(verify, text, run, 1, "name of the run")

#define FIELDS_verified(F, L) \
	L(verified, reading, changes, 3, "one for each change, in their order")

#define FIELDS_revert(F, L) F(revert, text, run, 1, "name of the run")

#define FIELDS_reverted(F, L) \
	F(reverted, flag, changed, 1, "something had to be put back or removed")

#define FIELDS_keep(F, L) \
	F(keep, text, run, 1, \
		"name of the run: it is decided; from now on the node does not revert " \
		"by itself")

#define FIELDS_kept(F, L) F(kept, flag, changed, 1, "it was not decided before")

#define FIELDS_forget(F, L) \
	F(forget, text, run, 3, \
		"name of the run: it is kept everywhere, drop the way back")

#define FIELDS_forgotten(F, L) \
	F(forgotten, flag, changed, 1, "there was a way back to drop")

#define FIELDS_recover(F, L) \
	F(recover, text, run, 3, "name of a run; empty: whichever is unfinished here")

#define FIELDS_recovered(F, L) \
	F(recovered, u32, state, 3, "number of the run's state here (proto/place.h)") \
	F(recovered, text, run, 3, "its name; empty: there is none") \
	F(recovered, text, holder, 3, "who runs it, as in stage") \
	F(recovered, text, since, 3, "when it was staged, UTC, RFC 3339") \
	F(recovered, texts, paths, 3, "what it changes")

#define FIELDS_ask_domains(F, L) F(ask_domains, u32, reserved, 3, "0")

#define FIELDS_domains(F, L) \
	L(domains, domain, domains, 3, \
		"the node's persistent domains, and those that run")

#define FIELDS_ask_nova(F, L) \
	F(ask_nova, text, folder, 3, \
		"folder of the drop-in below /etc/nova; empty: nova.conf.d")

#define FIELDS_nova(F, L) \
	F(nova, text, version, 3, "of the nova that is installed; empty: none is") \
	F(nova, text, unit, 3, "systemd's name of nova-compute here; empty: none") \
	F(nova, texts, files, 3, \
		"configuration files in the order in which nova reads them, with " \
		"the drop-in where it is or would be read") \
	L(nova, nova_option, options, 3, \
		"what they say of CPUs, in the same order; nothing else of them is " \
		"sent")

#define FIELDS_try(F, L) \
	F(try, text, run, 4, \
		"name of the run (base/token.h): part of its guests' names") \
	F(try, text, guest, 4, \
		"name of the guest within the run; libvirt's is cpuherd-RUN-GUEST") \
	F(try, text, virt_type, 4, "as in propose") \
	F(try, text, emulator, 4, "as in propose") \
	F(try, text, arch, 4, "as in propose") \
	F(try, text, machine, 4, "as in propose") \
	F(try, text, cpu, 4, "its <cpu>") \
	F(try, flag, runs, 4, \
		"it shall run the project's own kernel; else it stays paused") \
	F(try, flag, stays, 4, \
		"it stays until dismiss, or until the connection ends; else it is gone " \
		"before the answer comes")

#define FIELDS_tried(F, L) \
	F(tried, flag, started, 4, "libvirt started it") \
	F(tried, texts, features, 4, \
		"features that libvirt named as standing in the way") \
	F(tried, text, reason, 4, "libvirt's words when it did not start") \
	F(tried, text, name, 4, "libvirt's name of it") \
	F(tried, text, machine, 4, "its machine type, as libvirt wrote it") \
	F(tried, text, cpu, 4, "<cpu> of its live XML") \
	L(tried, cpu_word, words, 4, "QEMU's own view of the first vCPU, by registers") \
	L(tried, cpu_property, properties, 4, "the same by properties") \
	F(tried, text, gap, 4, "why QEMU's view could not be had whole; empty: it was") \
	F(tried, flag, alive, 4, "its kernel counts") \
	F(tried, text, why, 4, "why it does not, where it should; it is paused then") \
	F(tried, u64, count, 4, "how far it has counted") \
	L(tried, leaf, leaves, 4, "CPUID as the guest itself reads it") \
	F(tried, u32, start_ms, 4, "from the question to the guest, in milliseconds") \
	F(tried, texts, left, 4, "what of it could not be removed from the node") \
	F(tried, u64, boot, 4, "drawn by its kernel when it booted; it never counts anew")

#define FIELDS_migrate(F, L) \
	F(migrate, text, run, 4, "as in try") \
	F(migrate, text, guest, 4, "as in try: a guest that stays here") \
	F(migrate, text, uri, 4, "the target's libvirt, as this node reaches it") \
	F(migrate, text, data_uri, 4, \
		"where the guest's memory goes: tcp://host[:port]; empty: libvirt " \
		"chooses") \
	F(migrate, text, listen, 4, \
		"address that the target's QEMU listens on; empty: libvirt chooses") \
	F(migrate, flag, tunnelled, 4, "through libvirt's own connection") \
	F(migrate, flag, tls, 4, "QEMU's own TLS for the memory") \
	F(migrate, u32, limit_s, 4, "then it is given up")

#define FIELDS_migrated(F, L) \
	F(migrated, flag, ok, 4, "libvirt says that it went well") \
	F(migrated, u32, native, 4, "libvirt's code of the error; 0: none") \
	F(migrated, text, reason, 4, "libvirt's words, here at the source") \
	F(migrated, text, direct, 4, \
		"its words when the target was asked without peer-to-peer, which may " \
		"hide " \
		"them; empty: that was not tried or says no more") \
	F(migrated, text, reach, 4, \
		"why the target cannot be reached from here; empty: it can, or that " \
		"was not tried") \
	F(migrated, text, log, 4, "QEMU's last words here; empty: none") \
	F(migrated, u32, ms, 4, "how long it took, in milliseconds")

#define FIELDS_meet(F, L) \
	F(meet, text, run, 4, "as in try") \
	F(meet, text, guest, 4, "as in try: a guest that should have come here") \
	F(meet, flag, runs, 4, "it should run; else it is paused")

#define FIELDS_met(F, L) \
	F(met, flag, present, 4, "libvirt has it") \
	F(met, text, state, 4, "libvirt's word for its state; empty: absent") \
	F(met, text, cpu, 4, "<cpu> of its live XML") \
	L(met, cpu_word, words, 4, "as in tried") \
	L(met, cpu_property, properties, 4, "as in tried") \
	F(met, text, gap, 4, "as in tried") \
	F(met, flag, alive, 4, "its kernel counts") \
	F(met, text, why, 4, "why it does not, where it should") \
	F(met, u64, count, 4, "how far it has counted") \
	L(met, leaf, leaves, 4, "CPUID as the guest itself reads it here") \
	F(met, text, log, 4, "QEMU's last words about it here; empty: none") \
	F(met, u64, boot, 4, "as in tried: another one is a guest that rebooted")

#define FIELDS_dismiss(F, L) \
	F(dismiss, text, run, 4, "as in try: all its guests on this node end")

#define FIELDS_dismissed(F, L) \
	F(dismissed, u32, guests, 4, "that were ended") \
	F(dismissed, texts, left, 4, "what could not be removed from the node")

#define FIELDS_bye(F, L) F(bye, u32, reserved, 1, "0")

#define FIELDS_failure(F, L) \
	F(failure, text, code, 1, "name of the error code (docs/errors.md)") \
	F(failure, u32, native, 1, "errno or libvirt's code; 0 if none") \
	F(failure, text, reason, 1, "one line: what, where")

/* clang-format off */
#define PARTS(P) \
	P(leaf) P(msr) P(register_set) P(registers) P(parameter) P(gap) P(body_ref) \
	P(spot) P(found) P(change) P(staging) P(reading) P(domain) P(nova_option) \
	P(cpu_word) P(cpu_property)
/* clang-format on */

enum message_direction { TO_PEER, TO_COORDINATOR };

/* M(tag, message, direction, answer to, meaning) */
#define MESSAGES(M) \
	M(1, hello, TO_PEER, "", "opens the dialogue; must come first") \
	M(2, welcome, TO_COORDINATOR, "hello", "the version to speak") \
	M(3, ask_facts, TO_PEER, "", "what is this node?") \
	M(4, facts, TO_COORDINATOR, "ask_facts", \
		"small facts, and digests of the bulky ones") \
	M(5, ask_bodies, TO_PEER, "", "the bulky facts that no other node has sent") \
	M(6, body, TO_COORDINATOR, "ask_bodies", \
		"one bulky fact; one message for each asked for") \
	M(7, propose, TO_PEER, "", "could a guest have this CPU here?") \
	M(8, vote, TO_COORDINATOR, "propose", "the answer of the node's own libvirt") \
	M(9, look, TO_PEER, "", "what is in these places?") \
	M(10, seen, TO_COORDINATOR, "look", "their content") \
	M(11, stage, TO_PEER, "", "prepare to write; nothing that others see changes") \
	M(12, staged, TO_COORDINATOR, "stage", \
		"prepared, and judged by the node's own software") \
	M(13, commit, TO_PEER, "", "make what was staged real") \
	M(14, committed, TO_COORDINATOR, "commit", "it is real, on disk") \
	M(15, verify, TO_PEER, "", "read it back") \
	M(16, verified, TO_COORDINATOR, "verify", \
		"what is there, and what the node's own software says of it") \
	M(17, revert, TO_PEER, "", "put back what was there before the run") \
	M(18, reverted, TO_COORDINATOR, "revert", "it is as it was") \
	M(19, keep, TO_PEER, "", "every node is verified: the run is decided") \
	M(20, kept, TO_COORDINATOR, "keep", "written down; only revert undoes it now") \
	M(21, bye, TO_PEER, "", "no more requests; the peer ends") \
	M(22, failure, TO_COORDINATOR, "any request", "the request was not carried out") \
	M(23, forget, TO_PEER, "", "every node has kept: the way back is not needed") \
	M(24, forgotten, TO_COORDINATOR, "forget", "it is gone") \
	M(25, recover, TO_PEER, "", "how far did a run get here?") \
	M(26, recovered, TO_COORDINATOR, "recover", "what the node's journal says") \
	M(27, ask_domains, TO_PEER, "", "which guests are defined or run here?") \
	M(28, domains, TO_COORDINATOR, "ask_domains", "their CPUs; no secrets of them") \
	M(29, ask_nova, TO_PEER, "", "what does nova's configuration say of CPUs?") \
	M(30, nova, TO_COORDINATOR, "ask_nova", "that, and which nova it is") \
	M(31, try, TO_PEER, "", "start a trial guest: what does its CPU become?") \
	M(32, tried, TO_COORDINATOR, "try", \
		"what libvirt, QEMU and the guest say of it") \
	M(33, migrate, TO_PEER, "", "send a trial guest to another node") \
	M(34, migrated, TO_COORDINATOR, "migrate", \
		"how that went, as the source sees it") \
	M(35, meet, TO_PEER, "", "did a trial guest arrive, and does it live?") \
	M(36, met, TO_COORDINATOR, "meet", "what has become of it; it still stays") \
	M(37, dismiss, TO_PEER, "", "end the trial guests of a run") \
	M(38, dismissed, TO_COORDINATOR, "dismiss", "they are gone")

#define RECORD_MEMBER_u32 uint32_t
#define RECORD_MEMBER_u64 uint64_t
#define RECORD_MEMBER_flag bool
#define RECORD_MEMBER_text const char *
#define RECORD_MEMBER_bytes struct bytes
#define RECORD_MEMBER_texts struct texts
#define RECORD_MEMBER(record, type, field, since, meaning) RECORD_MEMBER_##type field;
#define RECORD_LIST_MEMBER(record, of, field, since, meaning) struct list field;
#define RECORD_DECLARE(record_name) \
	struct record_name { \
		FIELDS_##record_name(RECORD_MEMBER, RECORD_LIST_MEMBER) \
	}; \
	extern const struct record record_##record_name;
#define MESSAGE_DECLARE(tag, message_name, direction, answers, meaning) \
	RECORD_DECLARE(message_name)

PARTS(RECORD_DECLARE)
MESSAGES(MESSAGE_DECLARE)

enum message_tag {
	MESSAGE_none = 0,
#define MESSAGE_ENUM(tag, message_name, direction, answers, meaning) \
	MESSAGE_##message_name = tag,
	MESSAGES(MESSAGE_ENUM)
#undef MESSAGE_ENUM
};

struct message_type {
	enum message_tag tag;
	const char *name;
	enum message_direction direction;
	const char *answers; /* the request it answers; "" for requests */
	const struct record *record;
	const char *meaning;
};

extern const struct message_type message_types[];
extern const size_t message_type_count;

/* NULL when there is no such tag. */
const struct message_type *message_type_of(uint32_t tag);

#endif
