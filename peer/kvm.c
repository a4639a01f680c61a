#include "peer/kvm.h"

#include "peer/cpuid.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/kvm.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Linux, Documentation/virt/kvm/api.rst is the manual of every request here.
 * The kernel gives 80 to 150 entries; its own cap is 256. */
enum { ENTRIES_FIRST = 128, ENTRIES_MAX = 4096 };

/* ---- CPUID tables */

/* Asks with room for n entries; 0 or an errno. */
static int ask_cpuid(int kvm, unsigned long request, struct kvm_cpuid2 *table, uint32_t n)
{
	table->nent = n;
	return ioctl(kvm, request, table) == 0 ? 0 : errno;
}

/* E2BIG means "more room"; NULL with *problem 0 means no memory. */
static struct kvm_cpuid2 *read_cpuid(
	int kvm, unsigned long request, struct arena *scratch, int *problem)
{
	for (uint32_t n = ENTRIES_FIRST; n <= ENTRIES_MAX; n *= 2) {
		struct kvm_cpuid2 *table = arena_alloc(
			scratch, 1, sizeof(*table) + n * sizeof(struct kvm_cpuid_entry2));

		*problem = 0;
		if (!table)
			return NULL;
		*problem = ask_cpuid(kvm, request, table, n);
		if (*problem == 0 && table->nent <= n)
			return table;
		if (*problem != 0 && *problem != E2BIG)
			return NULL;
	}
	*problem = E2BIG;
	return NULL;
}

/* Linux copies fields that name the CPU which asks (leaf 1, 0xB): no property
 * of the offer. */
static struct leaf leaf_of(const struct kvm_cpuid_entry2 *k)
{
	struct leaf leaf = { k->function, k->index, k->eax, k->ebx, k->ecx, k->edx };

	cpuid_mask(&leaf);
	return leaf;
}

static enum rc put_leaves(struct gather *g, enum body_id body,
	const struct kvm_cpuid2 *table, struct register_set **set)
{
	struct leaf *leaf = arena_alloc(g->arena, table->nent, sizeof(*leaf));

	*set = arena_alloc(g->arena, 1, sizeof(**set));
	if (!leaf || !*set)
		return err_memory(g->e);
	for (uint32_t i = 0; i < table->nent; i++)
		leaf[i] = leaf_of(&table->entries[i]);
	(*set)->cpus = "";
	(*set)->leaves = (struct list){ leaf, table->nent };
	g->facts->registers[body].sets = (struct list){ *set, 1 };
	g->facts->present[body] = true;
	return RC_OK;
}

/* *set is NULL when there is a gap instead. */
static enum rc gather_cpuid(
	struct gather *g, int kvm, enum body_id body, struct register_set **set)
{
	bool supported = body == BODY_kvm;
	const char *name = supported ? "KVM_GET_SUPPORTED_CPUID"
				     : "KVM_GET_EMULATED_CPUID";
	struct arena scratch = { 0 };
	struct kvm_cpuid2 *table;
	int problem;
	enum rc rc;

	*set = NULL;
	table = read_cpuid(kvm,
		supported ? KVM_GET_SUPPORTED_CPUID : KVM_GET_EMULATED_CPUID, &scratch,
		&problem);
	if (table)
		rc = put_leaves(g, body, table, set);
	else if (problem)
		rc = gather_gap(
			g, body_rows[body].name, "%s: %s", name, strerror(problem));
	else
		rc = err_memory(g->e);
	arena_destroy(&scratch);
	return rc;
}

/* ---- feature MSRs */

/* One by one: a single MSR that the kernel refuses must not hide the others. */
static bool read_msr(int kvm, uint32_t index, uint64_t *value)
{
	union {
		struct kvm_msrs request;
		char room[sizeof(struct kvm_msrs) + sizeof(struct kvm_msr_entry)];
	} one = { .request.nmsrs = 1 };

	one.request.entries[0] = (struct kvm_msr_entry){ .index = index };
	if (ioctl(kvm, KVM_GET_MSRS, &one.request) != 1)
		return false;
	*value = one.request.entries[0].data;
	return true;
}

static enum rc read_msrs(struct gather *g, int kvm, const struct kvm_msr_list *list,
	struct register_set *set)
{
	struct msr *msr = arena_alloc(g->arena, list->nmsrs, sizeof(*msr));
	size_t count = 0;

	if (!msr)
		return err_memory(g->e);
	for (uint32_t i = 0; i < list->nmsrs; i++) {
		uint64_t value;

		if (read_msr(kvm, list->indices[i], &value))
			msr[count++] = (struct msr){ list->indices[i], value };
	}
	set->msrs = (struct list){ msr, count };
	return RC_OK;
}

static enum rc gather_msrs(struct gather *g, int kvm, struct register_set *set)
{
	struct kvm_msr_list head = { 0 }, *list;
	struct arena scratch = { 0 };
	enum rc rc;

	if (ioctl(kvm, KVM_GET_MSR_FEATURE_INDEX_LIST, &head) == 0)
		return RC_OK; /* the list is empty */
	if (errno != E2BIG)
		return gather_gap(g, "kvm_msrs", "KVM_GET_MSR_FEATURE_INDEX_LIST: %s",
			strerror(errno));
	if (head.nmsrs > ENTRIES_MAX)
		return gather_gap(g, "kvm_msrs", "KVM lists %u feature MSRs", head.nmsrs);
	list = arena_alloc(
		&scratch, 1, sizeof(*list) + head.nmsrs * sizeof(list->indices[0]));
	if (!list)
		return err_memory(g->e);
	list->nmsrs = head.nmsrs;
	if (ioctl(kvm, KVM_GET_MSR_FEATURE_INDEX_LIST, list) != 0)
		rc = gather_gap(g, "kvm_msrs", "KVM_GET_MSR_FEATURE_INDEX_LIST: %s",
			strerror(errno));
	else
		rc = read_msrs(g, kvm, list, set);
	arena_destroy(&scratch);
	return rc;
}

/* ---- time stamp counter */

/* KVM_GET_TSC_KHZ is a vCPU's everywhere (a VM's only from Linux 5.16 on).
 * The frequency, or minus an errno. */
static int vcpu_tsc_khz(int vm)
{
	int vcpu = ioctl(vm, KVM_CREATE_VCPU, 0), khz;

	if (vcpu < 0)
		return -errno;
	khz = ioctl(vcpu, KVM_GET_TSC_KHZ, 0);
	if (khz < 0)
		khz = -errno;
	close(vcpu);
	return khz;
}

static enum rc gather_tsc(struct gather *g, int kvm)
{
	int vm, khz;

	g->facts->small.tsc_scaling = ioctl(kvm, KVM_CHECK_EXTENSION,
					      KVM_CAP_TSC_CONTROL) > 0;
	vm = ioctl(kvm, KVM_CREATE_VM, 0);
	if (vm < 0)
		return gather_gap(g, "tsc_khz", "KVM_CREATE_VM: %s", strerror(errno));
	khz = vcpu_tsc_khz(vm);
	close(vm);
	if (khz <= 0)
		return gather_gap(g, "tsc_khz", "KVM_GET_TSC_KHZ: %s",
			khz ? strerror(-khz) : "0 kHz");
	g->facts->small.tsc_khz = (uint32_t)khz;
	return RC_OK;
}

/* ---- all */

static enum rc gather_open(struct gather *g, int kvm)
{
	struct register_set *set, *emulated;
	enum rc rc = gather_cpuid(g, kvm, BODY_kvm, &set);

	if (rc == RC_OK && set)
		rc = gather_msrs(g, kvm, set);
	if (rc == RC_OK)
		rc = gather_cpuid(g, kvm, BODY_emulated, &emulated);
	return rc == RC_OK ? gather_tsc(g, kvm) : rc;
}

/* No reason means that KVM is there and speaks the stable interface. */
static const char *kvm_refusal(struct gather *g, int kvm)
{
	int version;

	if (kvm < 0)
		return arena_format(g->arena, "/dev/kvm: %s", strerror(errno));
	version = ioctl(kvm, KVM_GET_API_VERSION, 0);
	if (version < 0)
		return arena_format(
			g->arena, "/dev/kvm: KVM_GET_API_VERSION: %s", strerror(errno));
	if (version != KVM_API_VERSION)
		return arena_format(g->arena, "KVM_GET_API_VERSION says %d, not %d",
			version, KVM_API_VERSION);
	return NULL;
}

enum rc kvm_gather(struct gather *g)
{
	static const char *const names[] = { "kvm", "emulated", "tsc_khz", "tsc_scaling",
		NULL };
	int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	const char *refusal = kvm_refusal(g, kvm);
	enum rc rc = refusal ? gather_gaps(g, names, refusal) : gather_open(g, kvm);

	if (kvm >= 0)
		close(kvm);
	return rc;
}
