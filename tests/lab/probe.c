/* probe.c - asks this node for its CPU the way cpuherd-peer does.
 *
 *	lab-probe host|kvm < FACTS
 *
 * For each cpuid line of the standard input prints the same line with the
 * registers that this node answers ("-" for a leaf that KVM does not list), then
 * the microcode of /proc/cpuinfo.  `lab check` compares this with the table.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/kvm.h>

enum { ENTRIES_MAX = 512 };

typedef void reader(uint32_t leaf, uint32_t index, uint32_t r[4]);

static struct kvm_cpuid2 *kvm_list;

static void print_line(uint32_t leaf, uint32_t index, const uint32_t r[4])
{
	printf("cpuid 0x%08x 0x%08x 0x%08x 0x%08x 0x%08x 0x%08x\n", leaf, index, r[0],
		r[1], r[2], r[3]);
}

static int print_host(uint32_t leaf, uint32_t index)
{
	static reader *read_cpuid;
	uint32_t r[4];

	if (!read_cpuid)
		*(void **)&read_cpuid = dlsym(RTLD_DEFAULT, "cpuherd_lab_cpuid");
	if (!read_cpuid) {
		fputs("lab-probe: the lab's library is not loaded\n", stderr);
		return 1;
	}
	read_cpuid(leaf, index, r);
	print_line(leaf, index, r);
	return 0;
}

static int read_kvm_list(void)
{
	int fd = open("/dev/kvm", O_RDWR | O_CLOEXEC), rc;

	kvm_list = calloc(
		1, sizeof(*kvm_list) + ENTRIES_MAX * sizeof(kvm_list->entries[0]));
	kvm_list->nent = ENTRIES_MAX;
	rc = fd < 0 ? -1 : ioctl(fd, KVM_GET_SUPPORTED_CPUID, kvm_list);
	if (rc < 0)
		perror("lab-probe: /dev/kvm");
	if (fd >= 0)
		close(fd);
	return rc < 0;
}

static int print_kvm(uint32_t leaf, uint32_t index)
{
	if (!kvm_list && read_kvm_list())
		return 1;
	for (uint32_t i = 0; i < kvm_list->nent; i++) {
		const struct kvm_cpuid_entry2 *e = &kvm_list->entries[i];
		const uint32_t r[4] = { e->eax, e->ebx, e->ecx, e->edx };

		if (e->function == leaf && e->index == index) {
			print_line(leaf, index, r);
			return 0;
		}
	}
	printf("cpuid 0x%08x 0x%08x -\n", leaf, index);
	return 0;
}

static void print_microcode(void)
{
	FILE *f = fopen("/proc/cpuinfo", "r");
	char line[256], value[32];

	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "microcode : %31s", value) == 1) {
			printf("fact microcode %s\n", value);
			break;
		}
	if (f)
		fclose(f);
}

int main(int argc, char **argv)
{
	char line[4096];
	uint32_t leaf, index;

	if (argc != 2 || (strcmp(argv[1], "host") && strcmp(argv[1], "kvm"))) {
		fputs("usage: lab-probe host|kvm < FACTS\n", stderr);
		return 2;
	}
	while (fgets(line, sizeof(line), stdin)) {
		if (sscanf(line, " cpuid %x %x", &leaf, &index) != 2)
			continue;
		if (argv[1][0] == 'h' ? print_host(leaf, index) : print_kvm(leaf, index))
			return 1;
	}
	print_microcode();
	return 0;
}
