/* kvm.h - what the kernel's KVM says it can give to guests.
 *
 * Bodies kvm and emulated, tsc_khz and tsc_scaling.  The VM that is made to
 * learn the TSC frequency is gone before the call returns.
 */
#ifndef PEER_KVM_H
#define PEER_KVM_H

#include "peer/gather.h"

enum rc kvm_gather(struct gather *g);

#endif
