/* libvirt_choice.h - which model libvirt itself would name.
 *
 * virConnectBaselineCPU, `virsh hypervisor-cpu-baseline` and host-model pick a model by
 * one algorithm (libvirt src/cpu/cpu_x86.c, x86Decode).  This is that algorithm, oddities
 * included, over the catalogue: for those who want the name that libvirt would have
 * given.  It promises nothing about the features; the level says those.
 */
#ifndef COORDINATOR_LIBVIRT_CHOICE_H
#define COORDINATOR_LIBVIRT_CHOICE_H

#include "coordinator/cpu/catalogue.h"
#include "proto/table.h"

struct libvirt_question {
	struct bitset features; /* that the guest shall have */
	const char *vendor;	/* libvirt's name of it; "": not known */
	struct bitset models;	/* rows that may be named */
	struct texts asked;	/* models of the CPUs that libvirt is asked about */
	/* Of the catalogue, that apply: the newest libvirt among them is asked, with the
	 * QEMUs among them, or by its map alone where there is none. */
	uint32_t sources;
	enum virt_type virt;
};

/* NULL when no model may be named. */
const struct model_row *libvirt_choice_of(const struct libvirt_question *q);

#endif
