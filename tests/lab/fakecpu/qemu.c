/* qemu.c - QEMU believes that it runs on the table's CPU.
 *
 * Two places, both reached by name because QEMU exports its symbols to its own
 * loadable modules:
 *
 * host_cpuid() is where QEMU reads vendor, family, model and sizes of the host.
 * It is called directly, not through a PLT, so its first bytes are overwritten
 * with a jump to ours.
 *
 * feature_word_info[] says for each register of features what TCG can do.  It
 * lies in writable memory; its TCG masks are reduced to what the table holds, so
 * that an emulated guest gets no feature that this node's CPU does not have.
 * KVM's part is in kvm.c.
 *
 * Both depend on this build of QEMU.  What does not look as expected ends QEMU
 * with one line, which libvirt reports.
 */
#include "table.h"

#include <dlfcn.h>
#include <elf.h>
#include <errno.h>
#include <link.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* QEMU target/i386/cpu.c, struct FeatureWordInfo: the same from 5.1 to 11.1. */
struct feature_word {
	int type; /* 0: CPUID, 1: MSR */
	const char *names[64];
	union {
		struct {
			uint32_t leaf;
			bool needs_index;
			uint32_t index;
			int reg; /* QEMU's order: eax ecx edx ebx */
		} cpuid;
		uint32_t msr;
	};
	uint64_t tcg_features, unmigratable, migratable, no_autoenable;
};

enum { EAX, EBX, ECX, EDX };

static const int register_of_qemu[4] = { EAX, ECX, EDX, EBX };

/* What emulation may show although no silicon does. */
static uint32_t always_emulated(uint32_t leaf, int reg)
{
	/* A guest is told that it is one: CPUID.1:ECX.HYPERVISOR. */
	if (leaf == 1 && reg == ECX)
		return UINT32_C(1) << 31;
	/* TCG's CPU is an AMD one: it repeats 24 bits of CPUID.1:EDX here, and
	 * drops them itself where 1:EDX lacks them (APM volume 3, E.4.2). */
	if (leaf == 0x80000001 && reg == EDX)
		return 0x0183f3ff;
	return 0;
}

/* KVM's own (0x4...) and VIA's (0xc...) leaves are not the table's matter. */
static bool is_of_the_table(const struct feature_word *w)
{
	return w->type == 0 && (w->cpuid.leaf < 0x40000000 || w->cpuid.leaf >> 28 == 8);
}

static void reduce_to_table(struct feature_word *w)
{
	int reg = register_of_qemu[w->cpuid.reg & 3];
	uint32_t r[4];

	table_cpuid(w->cpuid.leaf, w->cpuid.needs_index ? w->cpuid.index : 0, r);
	w->tcg_features &= r[reg] | always_emulated(w->cpuid.leaf, reg);
}

static void reduce_tcg(struct feature_word *words)
{
	const Elf64_Sym *symbol = NULL;
	Dl_info info;

	if (!dladdr1(words, &info, (void **)&symbol, RTLD_DL_SYMENT) || !symbol)
		table_die("QEMU's feature_word_info has no size");
	if (symbol->st_size % sizeof(*words) != 0 || words[0].cpuid.leaf != 1 ||
		!words[0].names[0] || strcmp(words[0].names[0], "fpu") != 0)
		table_die("QEMU's feature_word_info is not as in QEMU 5.1 to 11.1: %zu "
			  "bytes",
			(size_t)symbol->st_size);
	for (size_t i = 0; i < symbol->st_size / sizeof(*words); i++)
		if (is_of_the_table(&words[i]))
			reduce_to_table(&words[i]);
}

/* Same arguments as QEMU's host_cpuid(). */
static void our_host_cpuid(uint32_t leaf, uint32_t index, uint32_t *eax, uint32_t *ebx,
	uint32_t *ecx, uint32_t *edx)
{
	uint32_t *out[4] = { eax, ebx, ecx, edx }, r[4];

	table_cpuid(leaf, index, r);
	for (int i = 0; i < 4; i++)
		if (out[i])
			*out[i] = r[i];
}

/* movabs $target, %rax; jmp *%rax */
static void redirect(unsigned char *function, void (*target)(void))
{
	unsigned char jump[12] = { 0x48, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xe0 };
	uintptr_t page_size = (uintptr_t)sysconf(_SC_PAGESIZE);
	uintptr_t start = (uintptr_t)function & ~(page_size - 1);
	size_t size = (uintptr_t)function + sizeof(jump) - start;

	memcpy(jump + 2, &target, sizeof(target));
	if (mprotect((void *)start, size, PROT_READ | PROT_WRITE | PROT_EXEC))
		table_die("QEMU's code cannot be made writable: %s", strerror(errno));
	memcpy(function, jump, sizeof(jump));
	mprotect((void *)start, size, PROT_READ | PROT_EXEC);
}

/* Runs before main() of every program of the node; only QEMU has these names. */
__attribute__((constructor)) static void qemu_adapt(void)
{
	void *words = dlsym(RTLD_DEFAULT, "feature_word_info");
	void *host_cpuid = dlsym(RTLD_DEFAULT, "host_cpuid");

	if (!words || !host_cpuid)
		return;
	reduce_tcg(words);
	redirect(host_cpuid, (void (*)(void))our_host_cpuid);
}
