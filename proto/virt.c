#include "proto/virt.h"

#include <string.h>

const char *const virt_names[VIRT_COUNT] = { [VIRT_KVM] = "kvm", [VIRT_QEMU] = "qemu" };

enum virt_type virt_of(const char *name)
{
	enum virt_type virt = VIRT_KVM;

	while (virt < VIRT_COUNT && strcmp(virt_names[virt], name) != 0)
		virt++;
	return virt;
}
