/* kvm.c - /dev/kvm of the table's CPU, for QEMU, libvirt and cpuherd-peer.
 *
 * All of them ask through ioctl(2) of libc, which is replaced here.
 * KVM_GET_SUPPORTED_CPUID answers the table's `source kvm`, or else what Linux
 * would make of the host's registers (kvm_caps.c).  A real KVM stays beneath it;
 * it need not know the MSRs of the other CPU, so setting and reading those never
 * fails.  A guest that really runs sees the machine's CPU all the same.
 */
#include "kvm_caps.h"
#include "table.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/kvm.h>

/* Both spellings: libc's prototype takes unsigned long, QEMU passes an int, so a
 * request with the top bit set arrives sign-extended. */
LAB_EXPORT int ioctl(int fd, unsigned long request, ...);

static int real_ioctl(int fd, uint32_t request, void *arg)
{
	return (int)syscall(SYS_ioctl, fd, (unsigned long)request, arg);
}

static void put_row(struct kvm_cpuid_entry2 *entry, const struct table_row *row)
{
	*entry = (struct kvm_cpuid_entry2){
		.function = row->leaf,
		.index = row->index,
		.flags = table_leaf_is_indexed(row->leaf)
				 ? KVM_CPUID_FLAG_SIGNIFCANT_INDEX
				 : 0,
		.eax = row->r[0],
		.ebx = row->r[1],
		.ecx = row->r[2],
		.edx = row->r[3],
	};
}

/* 0x4...: KVM's own leaves, which say what this machine's KVM can do. */
static bool is_own_leaf(uint32_t leaf)
{
	return leaf >> 28 == 4;
}

/* The entries of the source in front of KVM's own, which are moved up. */
static int merge(struct kvm_cpuid2 *list, uint32_t room, const struct table_source *from)
{
	struct kvm_cpuid_entry2 own[16];
	uint32_t own_count = 0, n = 0;
	bool derive = from == &table_get()->host;
	/* QEMU asks once and for the boot CPU's kind. */
	const struct table_row *row = from->rows + from->kinds[0].first;

	for (uint32_t i = 0; i < list->nent && own_count < 16; i++)
		if (is_own_leaf(list->entries[i].function))
			own[own_count++] = list->entries[i];
	if (from->kinds[0].count + own_count > room) {
		errno = E2BIG;
		return -1;
	}
	for (size_t i = 0; i < from->kinds[0].count; i++, row++) {
		if (is_own_leaf(row->leaf) || (row->leaf >= 0x80860000 && derive))
			continue;
		put_row(&list->entries[n], row);
		if (!derive || kvm_caps_apply(&list->entries[n]))
			n++;
	}
	memcpy(&list->entries[n], own, own_count * sizeof(own[0]));
	list->nent = n + own_count;
	return 0;
}

static int get_cpuid(int fd, uint32_t request, void *arg)
{
	struct kvm_cpuid2 *list = arg;
	const struct table *t = table_get();
	const struct table_source *from;
	uint32_t room = list->nent;
	int rc = real_ioctl(fd, request, arg);

	if (request == KVM_GET_EMULATED_CPUID)
		from = t->emulated.row_count ? &t->emulated : NULL;
	else
		from = t->kvm.row_count ? &t->kvm : &t->host;
	if (rc < 0 || !from)
		return rc;
	return merge(list, room, from);
}

/* On /dev/kvm itself KVM_GET_MSRS asks for feature MSRs, on a vCPU for its state. */
static bool is_kvm_device(int fd)
{
	struct stat st;

	return fstat(fd, &st) == 0 && S_ISCHR(st.st_mode);
}

static bool is_xcomp_attribute(const struct kvm_device_attr *a)
{
	return a->group == 0 && a->attr == KVM_X86_XCOMP_GUEST_SUPP;
}

/* IA32_UCODE_REV: the revision is in the upper half (Intel SDM volume 4). */
static uint64_t microcode_msr(uint32_t number)
{
	return number == 0x8b ? (uint64_t)strtoul(table_get()->microcode, NULL, 0) << 32
			      : 0;
}

/* Those of the CPU: 0 says "no such feature" where the table is silent. */
static int get_feature_msrs(struct kvm_msrs *msrs)
{
	const struct table *t = table_get();

	for (uint32_t i = 0; i < msrs->nmsrs; i++) {
		uint64_t value;

		if (!table_msr(&t->kvm, msrs->entries[i].index, &value) &&
			!table_msr(&t->host, msrs->entries[i].index, &value))
			value = microcode_msr(msrs->entries[i].index);
		msrs->entries[i].data = value;
	}
	return (int)msrs->nmsrs;
}

/* KVM stops at the first MSR that it refuses, and QEMU asserts that it did not.
 * So the refused one is skipped and the rest is tried one by one. */
static int go_on_after_refusal(int fd, uint32_t request, struct kvm_msrs *msrs, int done)
{
	if (done < 0)
		return done;
	for (uint32_t i = (uint32_t)done; i < msrs->nmsrs; i++) {
		union {
			struct kvm_msrs head;
			char room[sizeof(struct kvm_msrs) + sizeof(struct kvm_msr_entry)];
		} one = { .head = { .nmsrs = 1 } };

		one.head.entries[0] = msrs->entries[i];
		if (real_ioctl(fd, request, &one) != 1)
			one.head.entries[0].data = request == KVM_GET_MSRS
							   ? 0
							   : msrs->entries[i].data;
		msrs->entries[i] = one.head.entries[0];
	}
	return (int)msrs->nmsrs;
}

int ioctl(int fd, unsigned long request, ...)
{
	uint32_t code = (uint32_t)request;
	va_list ap;
	void *arg;

	va_start(ap, request);
	arg = va_arg(ap, void *);
	va_end(ap);

	switch (code) {
	case KVM_GET_SUPPORTED_CPUID:
	case KVM_GET_EMULATED_CPUID:
		return get_cpuid(fd, code, arg);
	case KVM_GET_MSRS:
		if (is_kvm_device(fd))
			return get_feature_msrs(arg);
		return go_on_after_refusal(fd, code, arg, real_ioctl(fd, code, arg));
	case KVM_GET_DEVICE_ATTR:
		/* QEMU prefers this machine's XCR0 to the table's leaf 0xd; a kernel
		 * that does not know the attribute makes it take the leaf. */
		if (is_kvm_device(fd) && is_xcomp_attribute(arg)) {
			errno = ENXIO;
			return -1;
		}
		return real_ioctl(fd, code, arg);
	case KVM_SET_MSRS:
		return go_on_after_refusal(fd, code, arg, real_ioctl(fd, code, arg));
	default:
		return real_ioctl(fd, code, arg);
	}
}
