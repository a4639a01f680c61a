/* libvirt_private.h - libvirt as loaded at run time, for peer/libvirt*.c alone. */
#ifndef PEER_LIBVIRT_PRIVATE_H
#define PEER_LIBVIRT_PRIVATE_H

#include <libvirt/libvirt-qemu.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#include "peer/libvirt.h"

/* All are older than libvirt 4.4.0 (2018); a library without them is refused. */
#define LIBVIRT_SYMBOLS(S) \
	S(virInitialize) \
	S(virSetErrorFunc) \
	S(virGetLastError) \
	S(virResetLastError) \
	S(virConnectOpen) \
	S(virConnectClose) \
	S(virConnectGetURI) \
	S(virConnectGetLibVersion) \
	S(virConnectGetVersion) \
	S(virConnectGetCapabilities) \
	S(virConnectGetDomainCapabilities) \
	S(virConnectBaselineHypervisorCPU) \
	S(virConnectCompareHypervisorCPU) \
	S(virConnectGetCPUModelNames) \
	S(virConnectBaselineCPU) \
	S(virConnectListAllDomains) \
	S(virConnectDomainXMLToNative) \
	S(virDomainLookupByUUIDString) \
	S(virDomainLookupByName) \
	S(virDomainFree) \
	S(virDomainGetName) \
	S(virDomainGetUUIDString) \
	S(virDomainIsPersistent) \
	S(virDomainIsActive) \
	S(virDomainHasManagedSaveImage) \
	S(virDomainGetXMLDesc) \
	S(virDomainGetMetadata) \
	S(virDomainDefineXMLFlags) \
	S(virDomainMigrateToURI3) \
	S(virDomainMigrate3) \
	S(virDomainAbortJob) \
	S(virDomainCreateXML) \
	S(virDomainGetState) \
	S(virDomainMemoryPeek) \
	S(virDomainResume) \
	S(virDomainSuspend) \
	S(virDomainDestroy)

struct libvirt_symbols {
	void *handle;
	/* of libvirt-qemu.so.0; NULL until libvirt_load_qemu() */
	__typeof__(virDomainQemuMonitorCommand) *virDomainQemuMonitorCommand;
#define LIBVIRT_MEMBER(name) __typeof__(name) *name;
	LIBVIRT_SYMBOLS(LIBVIRT_MEMBER)
#undef LIBVIRT_MEMBER
};

/* Valid once libvirt_open() or libvirt_load() has succeeded. */
extern struct libvirt_symbols vir;

/* RC_LIBVIRT: there is no libvirt, or too old a one. */
enum rc libvirt_load(struct err *e);

/* Besides libvirt, which must have been loaded.  RC_LIBVIRT: it is not there. */
enum rc libvirt_load_qemu(struct err *e);

/* RC_LIBVIRT: not the node's own QEMU driver, no libvirt, no daemon. */
enum rc libvirt_open(const char *uri, virConnectPtr *connection, struct err *e);

/* libvirt's words for the call that just failed, and its code. */
const char *libvirt_last(int *code);

/* The same as RC_LIBVIRT, behind "what: ". */
enum rc libvirt_failed(const char *what, struct err *e);

/* NULL for what is empty. */
const char *libvirt_text_or_null(const char *text);

/* Keeps a string of libvirt in the arena and frees it; NULL stays NULL. */
char *libvirt_keep(struct arena *arena, char *from_libvirt, bool *short_of_memory);

/* Can a guest have the CPU?  Whatever emulator it names is started by libvirt. */
enum rc libvirt_compare(virConnectPtr connection, const struct libvirt_guest *guest,
	const char *cpu, struct arena *arena, struct libvirt_verdict *out, struct err *e);

/* libvirtd runs an emulator to learn what it can do: a coordinator may only name one that
 * libvirt found by itself.  RC_LIBVIRT. */
enum rc libvirt_check_emulator(virConnectPtr connection, const char *emulator,
	struct arena *arena, struct err *e);

/* libvirt's last error as a refusal with its words; RC_LIBVIRT where it says that the
 * question was not understood or not delivered. */
enum rc libvirt_refusal(struct arena *arena, struct libvirt_verdict *out, struct err *e);

#endif
