/* unit.h - the closed list of services that a run may restart on a node.
 *
 * A coordinator names the service; which of systemd's units that is here the
 * peer finds out: the first one of the row that is loaded.
 */
#ifndef PROTO_UNIT_H
#define PROTO_UNIT_H

/* U(service, units in the order in which they are looked for) */
#define UNITS(U) \
	U(libvirt, "virtqemud.service", "libvirtd.service") \
	U(nova, "nova-compute.service", "openstack-nova-compute.service", \
		"devstack@n-cpu.service")

enum { UNIT_NAMES_MAX = 4 };

struct unit_row {
	const char *service;
	const char *units[UNIT_NAMES_MAX]; /* ends with NULL */
};

/* NULL when there is no such service on the list. */
const struct unit_row *unit_of(const char *service);

#endif
