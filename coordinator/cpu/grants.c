#include "coordinator/cpu/grants.h"

#include <string.h>

#include "coordinator/cpu/decode.h"

static const char
	/* Linux arch/x86/kvm/cpuid.c, kvm_set_cpu_caps(): the masks of each leaf; and
	 * none of 51 hosts passed them on */
	not_in_kvm[] = "KVM's tables do not name it",
	host_only[] = "it describes or steers the host (thermal, debug store, "
		      "power, trusted boot)",
	follows[] = "it follows another bit or the topology, QEMU has no switch for it",
	/* QEMU target/i386/cpu.c, x86_cpu_realizefn() and x86_cpu_expand_features():
	 * cleared unless enable_pmu */
	wants_pmu[] = "QEMU hides it unless the CPU is given pmu=on",
	/* QEMU target/i386/kvm/kvm.c, target/i386/kvm/kvm-cpu.c: enable_cpu_pm */
	wants_cpu_pm[] = "QEMU gives it with -overcommit cpu-pm=on",
	/* QEMU hw/i386/sgx.c, target/i386/cpu.c: leaf 0x12 is empty without a section */
	wants_epc[] = "QEMU gives it to guests with SGX memory",
	/* Linux arch/x86/kvm/vmx/vmx.c, pt_mode; not migratable in QEMU cpu.c */
	wants_pt_mode[] = "KVM gives it with pt_mode=1, and it cannot migrate",
	nested[] = "kvm_intel.nested or kvm_amd.nested decides",
	/* Linux arch/x86/kvm/x86.c, kvm_get_arch_capabilities() and kernel/cpu/bugs.c */
	microcode[] = "microcode, kernel and mitigations decide",
	vpmu[] = "kvm.enable_pmu and QEMU's pmu decide",
	kernel[] = "the kernel's age and settings decide";

static const struct grant_row {
	const char *name;
	enum grant grant;
	const char *reason;
} named[] = {
	{ "ds", GRANT_NEVER, host_only },
	{ "acpi", GRANT_NEVER, host_only },
	{ "ht", GRANT_NEVER, follows },
	{ "tm", GRANT_NEVER, host_only },
	{ "pbe", GRANT_NEVER, host_only },
	{ "pn", GRANT_NEVER, not_in_kvm },
	{ "ia64", GRANT_NEVER, not_in_kvm },
	{ "dtes64", GRANT_NEVER, host_only },
	{ "monitor", GRANT_WITH_MORE, wants_cpu_pm },
	{ "ds_cpl", GRANT_NEVER, host_only },
	{ "vmx", GRANT_DEPENDS, nested },
	{ "smx", GRANT_NEVER, host_only },
	{ "est", GRANT_NEVER, host_only },
	{ "tm2", GRANT_NEVER, host_only },
	{ "cid", GRANT_NEVER, not_in_kvm },
	{ "xtpr", GRANT_NEVER, host_only },
	{ "pdcm", GRANT_WITH_MORE, wants_pmu },
	{ "dca", GRANT_NEVER, host_only },
	{ "osxsave", GRANT_NEVER, follows },
	{ "sgx", GRANT_WITH_MORE, wants_epc },
	{ "sgxlc", GRANT_WITH_MORE, wants_epc },
	{ "cmt", GRANT_NEVER, host_only },
	{ "pcommit", GRANT_NEVER, not_in_kvm },
	{ "intel-pt", GRANT_WITH_MORE, wants_pt_mode },
	{ "ospke", GRANT_NEVER, follows },
	{ "waitpkg", GRANT_WITH_MORE, wants_cpu_pm },
	{ "bus-lock-detect", GRANT_DEPENDS, kernel },
	{ "pks", GRANT_NEVER, not_in_kvm },
	{ "pconfig", GRANT_NEVER, not_in_kvm },
	{ "arch-lbr", GRANT_WITH_MORE, wants_pmu },
	{ "arch-capabilities", GRANT_DEPENDS, microcode },
	{ "core-capability", GRANT_NEVER, not_in_kvm },
	{ "xfd", GRANT_DEPENDS, kernel },
	{ "svm", GRANT_DEPENDS, nested },
	{ "extapic", GRANT_NEVER, not_in_kvm },
	{ "ibs", GRANT_NEVER, not_in_kvm },
	{ "skinit", GRANT_NEVER, host_only },
	{ "wdt", GRANT_NEVER, host_only },
	{ "lwp", GRANT_NEVER, not_in_kvm },
	{ "tce", GRANT_NEVER, not_in_kvm },
	{ "cvt16", GRANT_NEVER, not_in_kvm },
	{ "nodeid_msr", GRANT_NEVER, host_only },
	{ "perfctr_core", GRANT_DEPENDS, vpmu },
	{ "perfctr_nb", GRANT_NEVER, not_in_kvm },
	{ "perfmon-v2", GRANT_WITH_MORE, wants_pmu },
	{ "virt-ssbd", GRANT_DEPENDS, microcode },
	/* Linux arch/x86/kvm/lapic.c: all of the local APIC is KVM's own;
	 * kvm_set_cpu_caps() sets TSC_ADJUST; arch/x86/kvm/vmx/vmx.c
	 * vmx_umip_emulated(), which SVM has no like of (grants_of_raw) */
	{ "x2apic", GRANT_EMULATED, "KVM's local APIC has it" },
	{ "tsc-deadline", GRANT_EMULATED, "KVM's local APIC has it" },
	{ "arat", GRANT_EMULATED, "KVM's local APIC has it" },
	{ "tsc_adjust", GRANT_EMULATED, "KVM keeps the offset" },
	{ "umip", GRANT_EMULATED, "KVM traps the instructions on Intel's CPUs" },
	{ "hypervisor", GRANT_EMULATED, "it says that this is a guest" },
	/* QEMU target/i386/kvm/kvm.c, kvm_arch_get_supported_cpuid(); its host model
	 * hides it, so libvirt never offers it */
	{ "topoext", GRANT_HARMLESS, "QEMU answers its leaves itself" },
};

/* Whole registers, where a row for each bit would say the same. */
static const struct grant_leaf {
	bool is_msr;
	uint32_t first, last;
	enum grant grant;
	const char *reason;
} leaves[] = {
	{ false, 0x0000000f, 0x00000010, GRANT_NEVER, host_only },
	{ false, 0x00000012, 0x00000012, GRANT_WITH_MORE, wants_epc },
	{ false, 0x00000014, 0x00000014, GRANT_WITH_MORE, wants_pt_mode },
	{ false, 0x8000000a, 0x8000000a, GRANT_DEPENDS, nested },
	{ true, 0x000000cf, 0x000000cf, GRANT_NEVER, not_in_kvm },
	{ true, 0x0000010a, 0x0000010a, GRANT_DEPENDS, microcode },
	{ true, 0x00000480, 0x00000493, GRANT_DEPENDS, nested },
};

#define LENGTH(a) (sizeof(a) / sizeof((a)[0]))

static enum grant grant_of_row(const struct feature_row *row, const char **reason)
{
	for (size_t i = 0; i < LENGTH(named); i++)
		if (strcmp(named[i].name, row->name) == 0) {
			*reason = named[i].reason;
			return named[i].grant;
		}
	for (size_t i = 0; i < LENGTH(leaves); i++)
		if (leaves[i].is_msr == row->is_msr && leaves[i].first <= row->leaf &&
			row->leaf <= leaves[i].last) {
			*reason = leaves[i].reason;
			return leaves[i].grant;
		}
	*reason = "";
	return GRANT_AS_READ;
}

enum grant grant_of(size_t bit, const char **reason)
{
	const struct feature_row *row = catalogue_feature(NULL, bit);
	const char *unused;

	if (row)
		return grant_of_row(row, reason ? reason : &unused);
	if (reason)
		*reason = "";
	return GRANT_AS_READ;
}

#define BIT(grant) (1u << (grant))

/* The features of any of the grants in the mask. */
static struct bitset granted(unsigned grants)
{
	struct bitset s = { { 0 } };

	for (size_t i = 0; i < catalogue_feature_rows(); i++)
		if (grants & BIT(grant_of(i, NULL)))
			bitset_add(&s, i);
	return s;
}

/* Names that the catalogue may not have yet do nothing. */
static void add(struct bitset *s, const char *name)
{
	int bit = catalogue_find_row(name);

	if (bit >= 0)
		bitset_add(s, (size_t)bit);
}

static void drop(struct bitset *s, const char *name)
{
	int bit = catalogue_find_row(name);

	if (bit >= 0)
		bitset_remove(s, (size_t)bit);
}

/* Whether microcode has hidden the bits or not: QEMU and libvirt go by the model. */
static void drop_broken_tsx(struct bitset *s, const struct registers *r)
{
	if (!decode_has_broken_tsx(r))
		return;
	drop(s, "hle");
	drop(s, "rtm");
}

static bool is_of_intel(const struct registers *r)
{
	char vendor[VENDOR_STRING_MAX];

	return decode_vendor_string(r, vendor) && strcmp(vendor, "GenuineIntel") == 0;
}

static bool is_of_amd(const struct registers *r)
{
	char vendor[VENDOR_STRING_MAX];

	return decode_vendor_string(r, vendor) &&
	       (strcmp(vendor, "AuthenticAMD") == 0 ||
		       strcmp(vendor, "HygonGenuine") == 0);
}

/* These QEMUs give the bit only where the CPU has it, of whatever vendor it is: 10.1.0
 * began so, 10.0.3 took it over, 10.0.6 took it back (target/i386/kvm/kvm.c,
 * kvm_arch_get_supported_cpuid()). */
static bool asks_the_cpu(uint64_t qemu_version)
{
	return (qemu_version >= 10000003 && qemu_version <= 10000005) ||
	       qemu_version / 1000 == 10001;
}

static bool cpus_have(const struct registers *host, const char *name)
{
	struct bitset raw = { { 0 } };
	int bit = catalogue_find_row(name);

	if (host)
		raw = decode_features(host);
	return bit >= 0 && bitset_has(&raw, (size_t)bit);
}

/* The bit is KVM's only if KVM has the MSR (Linux 4.17 to 4.20 said it without, on
 * AMD); since 10.1 QEMU gives it to no AMD guest (target/i386/cpu.c,
 * x86_cpu_get_supported_feature_word()). */
static bool has_arch_capabilities(const struct kvm_view *view)
{
	enum { QEMU_10_1 = 10001000 };

	if (!decode_has_msr(view->kvm, 0x10a))
		return false;
	if (asks_the_cpu(view->qemu_version) &&
		!cpus_have(view->host, "arch-capabilities"))
		return false;
	return view->qemu_version < QEMU_10_1 || !is_of_amd(view->kvm);
}

struct bitset grants_of_kvm(const struct kvm_view *view)
{
	struct bitset s = decode_features(view->kvm);
	struct bitset held_back = granted(
		BIT(GRANT_NEVER) | BIT(GRANT_WITH_MORE) | BIT(GRANT_HARMLESS));

	s = bitset_minus(&s, &held_back);
	drop_broken_tsx(&s, view->kvm);
	if (!has_arch_capabilities(view))
		drop(&s, "arch-capabilities");
	/* QEMU gives these beyond KVM's answer: kvm_arch_get_supported_cpuid() */
	add(&s, "hypervisor");
	if (view->certainly_ioctl) {
		add(&s, "tsc-deadline");
		add(&s, "arat");
	}
	return s;
}

struct grants grants_of_raw(const struct registers *host)
{
	struct bitset raw = decode_features(host), as_read = granted(BIT(GRANT_AS_READ));
	struct bitset harmless = granted(BIT(GRANT_HARMLESS));
	struct grants g = { .floating = granted(BIT(GRANT_EMULATED)) };
	int umip = catalogue_find_row("umip");

	g.features = bitset_and(&raw, &as_read);
	drop_broken_tsx(&g.features, host);
	harmless = bitset_and(&harmless, &raw);
	g.floating = bitset_or(&g.floating, &harmless);
	if (umip >= 0 && !bitset_has(&raw, (size_t)umip) && !is_of_intel(host))
		bitset_remove(&g.floating, (size_t)umip);
	return g;
}
