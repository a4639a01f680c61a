/* virt.h - libvirt's virt types that cpuherd knows, spelled as <domain type=>. */
#ifndef PROTO_VIRT_H
#define PROTO_VIRT_H

enum virt_type { VIRT_KVM, VIRT_QEMU, VIRT_COUNT };

/* "kvm", "qemu" */
extern const char *const virt_names[VIRT_COUNT];

/* VIRT_COUNT when there is no such type. */
enum virt_type virt_of(const char *name);

#endif
