/* kvm_caps.h - what Linux' KVM makes of a host's registers.
 *
 * For tables without a `source kvm`.  Follows kvm_set_cpu_caps() and
 * __do_cpuid_func() of Linux 6.1 (arch/x86/kvm/cpuid.c) on a host without nested
 * virtualisation, vPMU and SGX.  What depends on the host's own mitigations
 * (AMD's copies of Intel's bits and the reverse) is left as the hardware has it.
 */
#ifndef LAB_FAKECPU_KVM_CAPS_H
#define LAB_FAKECPU_KVM_CAPS_H

#include <stdbool.h>

#include <linux/kvm.h>

/* Takes out of the entry what KVM does not pass on, puts in what it emulates.
 * False: KVM does not list it at all. */
bool kvm_caps_apply(struct kvm_cpuid_entry2 *entry);

#endif
