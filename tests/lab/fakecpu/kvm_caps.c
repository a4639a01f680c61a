#include "kvm_caps.h"
#include "table.h"

#define BIT(n) (UINT32_C(1) << (n))
#define BITS(first, last) ((UINT32_MAX >> (31 - (last))) & (UINT32_MAX << (first)))

#define XCR0_OF_KVM (BITS(0, 7) | BIT(9))

enum { ANY_INDEX = 0xffff, XSAVE_HEADER_END = 0x240 };

/* A leaf that has no row passes as it is (vendor, caches, brand, topology). */
static const struct caps_row {
	uint32_t leaf, index;
	uint32_t pass[4], always[4]; /* eax ebx ecx edx */
} caps[] = {
	/* ECX: monitor, vmx, smx, est, tm2, pdcm, xtpr, dca stay behind; x2apic,
	 * tsc-deadline and the hypervisor bit come from KVM.
	 * EDX: ds, acpi, ht, tm, pbe stay behind. */
	{ 1, ANY_INDEX,
		{ UINT32_MAX, UINT32_MAX,
			BITS(0, 1) | BIT(9) | BITS(12, 13) | BIT(17) | BITS(19, 23) |
				BITS(25, 26) | BITS(28, 30),
			BITS(0, 9) | BITS(11, 17) | BIT(19) | BITS(23, 27) },
		{ 0, 0, BIT(21) | BIT(24) | BIT(31), 0 } },
	{ 5, ANY_INDEX, { 0 }, { 0 } },		      /* MONITOR/MWAIT */
	{ 6, ANY_INDEX, { 0 }, { BIT(2), 0, 0, 0 } }, /* power: arat only */
	/* EBX: all but sgx, cmt, mba, intel-pt; tsc_adjust is emulated.
	 * ECX: avx512* and their kin, pku, la57, rdpid, cldemote, movdir*; not
	 * waitpkg (needs VMX); umip is emulated.
	 * EDX: arch-capabilities is emulated. */
	{ 7, 0,
		{ UINT32_MAX,
			BIT(0) | BITS(3, 11) | BITS(13, 14) | BITS(16, 21) |
				BITS(23, 24) | BITS(26, 31),
			BIT(1) | BIT(3) | BIT(6) | BITS(8, 12) | BIT(14) | BIT(16) |
				BIT(22) | BIT(25) | BITS(27, 28),
			BITS(2, 4) | BIT(8) | BIT(10) | BIT(14) | BIT(16) | BITS(22, 27) |
				BIT(31) },
		{ 0, BIT(1), BIT(2), BIT(29) } },
	{ 7, 1, { BITS(4, 5), 0, 0, 0 }, { 0 } }, /* avx-vnni, avx512-bf16 */
	{ 9, ANY_INDEX, { 0 }, { 0 } },
	{ 0xa, ANY_INDEX, { 0 }, { 0 } }, /* no vPMU */
	/* XCR0: x87 SSE AVX MPX AVX-512 PKRU; no supervisor states */
	{ 0xd, 0, { XCR0_OF_KVM, UINT32_MAX, UINT32_MAX, 0 }, { 0 } },
	{ 0xd, 1, { BITS(0, 3), UINT32_MAX, 0, 0 }, { 0 } },
	{ 0xf, ANY_INDEX, { 0 }, { 0 } },
	{ 0x10, ANY_INDEX, { 0 }, { 0 } },
	{ 0x12, ANY_INDEX, { 0 }, { 0 } },
	{ 0x14, ANY_INDEX, { 0 }, { 0 } },
	{ 0x15, ANY_INDEX, { 0 }, { 0 } },
	{ 0x16, ANY_INDEX, { 0 }, { 0 } },
	/* ECX: svm, extapic, ibs, skinit, wdt, lwp, tce, perfctr_nb, bpext, monitorx
	 * stay behind */
	{ 0x80000001, ANY_INDEX,
		{ UINT32_MAX, UINT32_MAX,
			BITS(0, 1) | BITS(4, 9) | BIT(11) | BIT(16) | BITS(21, 23),
			BITS(0, 9) | BITS(11, 17) | BIT(20) | BITS(22, 27) |
				BITS(29, 31) },
		{ 0 } },
	{ 0x80000007, ANY_INDEX, { 0, 0, 0, BIT(8) }, { 0 } }, /* invtsc */
	{ 0x80000008, ANY_INDEX,
		{ UINT32_MAX,
			BIT(0) | BIT(2) | BIT(9) | BIT(12) | BITS(14, 15) | BIT(17) |
				BITS(24, 26) | BIT(28),
			0, 0 },
		{ 0 } },
	{ 0x8000000a, ANY_INDEX, { 0 }, { 0 } }, /* no nested SVM */
	{ 0x8000001b, ANY_INDEX, { 0 }, { 0 } }, /* IBS */
	{ 0x8000001c, ANY_INDEX, { 0 }, { 0 } }, /* LWP */
	{ 0x8000001e, ANY_INDEX, { 0 }, { 0 } },
	{ 0x8000001f, ANY_INDEX, { 0 }, { 0 } }, /* SEV is KVM's to offer */
	{ 0x80000020, ANY_INDEX, { 0 }, { 0 } },
};

/* Linux switches off what XSAVE could save of a feature that the CPU does not have
 * (arch/x86/kernel/fpu/xstate.c, xsave_cpuid_features); Ryzens have the component of
 * PKRU without pku. */
static const struct {
	uint32_t components, leaf, reg, bit;
} needs[] = {
	{ BIT(2), 1, 2, BIT(28) },     /* avx */
	{ BITS(3, 4), 7, 1, BIT(14) }, /* mpx */
	{ BITS(5, 7), 7, 1, BIT(16) }, /* avx512f */
	{ BIT(9), 7, 2, BIT(3) },      /* pku */
};

static uint32_t xcr0_of_linux(void)
{
	uint32_t xcr0[4], r[4];

	table_cpuid(0xd, 0, xcr0);
	for (size_t i = 0; i < sizeof(needs) / sizeof(needs[0]); i++) {
		table_cpuid(needs[i].leaf, 0, r);
		if (!(r[needs[i].reg] & needs[i].bit))
			xcr0[0] &= ~needs[i].components;
	}
	return xcr0[0] & XCR0_OF_KVM;
}

/* arch/x86/kvm/cpuid.c, xstate_required_size(): the end of the last component. */
static uint32_t xsave_size(uint32_t xcr0)
{
	uint32_t size = XSAVE_HEADER_END, r[4];

	for (uint32_t i = 2; i < 32; i++) {
		table_cpuid(0xd, i, r);
		if (xcr0 & BIT(i) && r[0] + r[1] > size)
			size = r[0] + r[1];
	}
	return size;
}

static bool apply_xsave(struct kvm_cpuid_entry2 *entry)
{
	uint32_t xcr0 = xcr0_of_linux();

	if (entry->index == 0) {
		entry->eax = xcr0;
		entry->ebx = entry->ecx = xsave_size(xcr0);
	}
	return entry->index < 2 || (entry->index < 32 && xcr0 & BIT(entry->index));
}

bool kvm_caps_apply(struct kvm_cpuid_entry2 *entry)
{
	uint32_t *r[4] = { &entry->eax, &entry->ebx, &entry->ecx, &entry->edx };

	for (size_t i = 0; i < sizeof(caps) / sizeof(caps[0]); i++) {
		const struct caps_row *row = &caps[i];

		if (row->leaf != entry->function ||
			(row->index != ANY_INDEX && row->index != entry->index))
			continue;
		for (int n = 0; n < 4; n++)
			*r[n] = (*r[n] & row->pass[n]) | row->always[n];
	}
	return entry->function != 0xd || apply_xsave(entry);
}
