/* Words of libvirt, QEMU and ssh that are known. */
#include <stdbool.h>
#include <string.h>

#include "coordinator/verb/cause_private.h"

enum { DETAIL_MAX = 200 };

/* The first row of which some word has `needle`, and `also` where there is one, counts: so
 * the special stands before the general.  What stands behind `detail` in the word, up to
 * the end of the list or quotation, is told with the cause. */
static const struct row {
	const char *needle, *also, *detail;
	const char *cause, *remedy;
} rows[] = {
	/* clang-format off */
	{ "missing features: ", NULL, "missing features: ",
		"QEMU of the target cannot give a guest all of its CPU",
		"cpuherd negotiate finds a CPU that all nodes can give" },
	{ "required features: ", NULL, "required features: ",
		"the target's CPU lacks features of the guest's",
		"cpuherd negotiate finds a CPU that all nodes can give" },
	{ "extra features: ", NULL, "extra features: ",
		"QEMU of the target shows the guest more than its CPU",
		"cpuherd prove says on which nodes" },
	{ "CPU vendor does not match required CPU vendor", NULL, NULL,
		"the nodes' CPUs are of different vendors",
		"leave one vendor's nodes out: --without" },
	{ "Attempt to migrate guest to the same host", NULL, "same host ",
		"both nodes have the same host UUID, as cloned machines do",
		"host_uuid in /etc/libvirt/libvirtd.conf (or virtqemud.conf) of one of them" },
	{ "marked for auto destroy", NULL, NULL,
		"the trial guest was started as one that may not migrate",
		"this is cpuherd's mistake: please report it" },
	{ "requires an FQDN", NULL, NULL,
		"the target's own name means localhost there, so the source would send to itself",
		"/etc/hosts of the target, migration_host in its qemu.conf, or --migrate-data tcp://%s" },
	{ "Unable to find an unused port in range", NULL, "in range ",
		"all ports for migrations are taken on the target",
		"migration_port_min and migration_port_max in its qemu.conf" },

	/* ssh, on the way to the target's libvirt */
	{ "REMOTE HOST IDENTIFICATION HAS CHANGED", NULL, NULL,
		"the source knows another host key of the target",
		"make sure that it is the target, then correct known_hosts of root on the source" },
	{ "Host key verification failed", NULL, NULL,
		"root on the source does not know the target's host key",
		"known_hosts of root on the source; libvirt asks nobody" },
	{ "Permission denied (", NULL, NULL,
		"the target's sshd refused the login of the source's root",
		"a key of root on the source in authorized_keys on the target, or user@ in --migrate-uri" },
	{ "kex_exchange_identification", NULL, NULL,
		"the target's sshd closed the connection before the login",
		"MaxStartups in its sshd_config, or its log" },
	{ "nc: not found", NULL, NULL, "netcat is missing on the target",
		"install it (netcat-openbsd), or libvirt 8 or newer with virt-ssh-helper" },
	{ "nc: command not found", NULL, NULL, "netcat is missing on the target",
		"install it (netcat-openbsd), or libvirt 8 or newer with virt-ssh-helper" },
	{ "no polkit agent available", NULL, NULL,
		"the user of the URI may not use libvirt on the target",
		"put that user into the group libvirt there" },

	/* names: the memory's own connection goes where the target says that it is */
	{ "Unable to resolve address", "service '49", "address ",
		"the source cannot resolve the name that the target gives itself",
		"DNS or /etc/hosts of the source, migration_host in the target's qemu.conf, or --migrate-data tcp://%s" },
	{ "Unable to resolve address", NULL, "address ",
		"the source cannot resolve the target's name",
		"DNS or /etc/hosts of the source, or another name in --migrate-uri" },
	{ "Could not resolve hostname", NULL, "hostname ",
		"the source cannot resolve the target's name",
		"DNS or /etc/hosts of the source, or another name in --migrate-uri" },
	{ "does not resolve", NULL, NULL,
		"the source cannot resolve the target's name",
		"DNS or /etc/hosts of the source, or another name in --migrate-uri" },
	{ "Name or service not known", NULL, NULL,
		"the source cannot resolve the target's name",
		"DNS or /etc/hosts of the source, or another name in --migrate-uri" },

	/* TLS */
	{ "Unable to access credentials", NULL, "credentials ",
		"QEMU's own certificates are missing",
		"/etc/pki/qemu on both nodes, or go without --migrate-tls" },
	{ "certificate is not trusted", NULL, NULL,
		"the nodes' certificates are not signed by the same authority",
		"cacert.pem and the certificates below /etc/pki on both nodes" },
	{ "has expired", "ertificate", NULL, "a certificate has expired",
		"renew it on the node named" },
	{ "owner does not match the hostname", NULL, NULL,
		"the target's certificate is for another name than the source uses",
		"the name in --migrate-uri, or subjectAltName of its certificate" },
	{ "CA certificate '", NULL, "CA certificate ",
		"the source has no certificates for qemu+tls",
		"set up TLS of libvirt on the nodes, or --migrate-uri qemu+ssh://%s/system" },
	{ "failed validation", "ertificate", NULL,
		"a certificate was not accepted",
		"cacert.pem and the certificates below /etc/pki on both nodes" },

	/* libvirt over there */
	{ "Failed to connect socket to '", NULL, "socket to ",
		"libvirt does not run on the target, or its socket is elsewhere",
		"libvirtd or virtqemud there" },
	{ "keepalive timeout", NULL, NULL,
		"the target's libvirt did not answer any more",
		"its load, its log, and the network between the nodes" },
	{ "no connection driver available", NULL, "available for ",
		"the target's libvirt has no QEMU driver, or does not know the URI",
		"the path of --migrate-uri: /system or /session" },
	{ "Too many active clients", NULL, NULL,
		"the target's libvirt takes no more connections",
		"max_clients and max_anonymous_clients in its libvirtd.conf" },

	/* two stacks that are not alike */
	{ "does not support machine type '", NULL, "machine type ",
		"the target's QEMU is too old for the guest's machine type",
		"use one that all nodes have: cpuherd plan names the newest" },
	{ "unsupported machine type", NULL, "machine type ",
		"the target's QEMU is too old for the guest's machine type",
		"use one that all nodes have: cpuherd plan names the newest" },
	{ "Unknown savevm section", NULL, NULL,
		"the source's QEMU sends what the target's does not know",
		"the same QEMU on both; guests move to newer ones only" },
	{ "Unknown ramblock", NULL, NULL,
		"the target's QEMU made another machine of the same definition",
		"the same QEMU and firmware packages on both" },
	{ "issing section footer", NULL, NULL,
		"the target's QEMU reads the source's stream in another way",
		"the same QEMU on both; guests move to newer ones only" },
	{ "phys-bits should be between", NULL, NULL,
		"the guest's physical addresses are wider than the target allows",
		"<maxphysaddr> of the level, from cpuherd negotiate" },
	{ "phys-bits too low", NULL, NULL,
		"the guest's physical addresses are too narrow for its machine",
		"<maxphysaddr> of the level, from cpuherd negotiate" },
	{ "maxphysaddr does not match", NULL, NULL,
		"the target's libvirt would give the guest other physical addresses",
		"the same libvirt on both, or <maxphysaddr> of the level" },
	{ "invtsc flag", NULL, NULL,
		"a guest with invtsc does not migrate",
		"leave invtsc out of its CPU" },
	{ "while loading state", NULL, NULL,
		"the target's QEMU cannot take the state of a device or of the CPU",
		"QEMU and kernel of both nodes; cpuherd prove compares the CPU" },
	{ "load of migration failed", NULL, NULL,
		"the target's QEMU did not take the guest",
		"QEMU and kernel of both nodes; its log on the target" },

	/* what stands in the way on the target itself */
	{ "kernel '", "could not", NULL,
		"QEMU of the target cannot read the trial guest's kernel",
		"/var/tmp there: a cleaner, AppArmor or SELinux" },
	{ "could not open kernel file", NULL, "kernel file ",
		"QEMU of the target cannot read the trial guest's kernel",
		"/var/tmp there: a cleaner, AppArmor or SELinux" },
	{ "AppArmor profile", NULL, NULL, "AppArmor stands in the way",
		"the kernel's log and security_driver in qemu.conf of the node" },
	{ "security context", NULL, NULL, "SELinux stands in the way",
		"the audit log (ausearch -m avc) of the node" },
	{ "Unsafe migration", NULL, NULL,
		"libvirt holds the guest's storage for unsafe, though it has none",
		"libvirt's own words" },
	{ "cannot acquire state change lock", NULL, NULL,
		"another job keeps the guest busy", "who else uses libvirt there" },
	{ "already exists with uuid", NULL, NULL,
		"the target has a guest of that name already",
		"run again: names are new in each run" },

	/* a warning that QEMU prints for guests that do well, too: only where nothing else is said */
	{ "does not match phys-bits", NULL, NULL,
		"the guest's physical addresses are not as wide as the target's",
		"<maxphysaddr> of the level, from cpuherd negotiate" },
	/* clang-format on */
};

static bool has(const char *word, const struct row *row)
{
	return strstr(word, row->needle) && (!row->also || strstr(word, row->also));
}

/* What stands behind the mark: in quotes the quotation, else up to where words that
 * enclose it go on. */
static const char *detail_of(const char *word, const char *mark, struct arena *arena)
{
	const char *start = mark ? strstr(word, mark) : NULL;
	const char *text;
	size_t length;

	if (!start)
		return "";
	start += strlen(mark);
	length = *start == '\'' ? 1 + strcspn(start + 1, "'") + 1 : strcspn(start, ";:");
	if (length > strlen(start))
		length = strlen(start);
	if (length > DETAIL_MAX)
		length = DETAIL_MAX;
	text = arena_text_n(arena, start, length);
	return text ? text : "";
}

const char *cause_by_words(const struct cause_evidence *ev, struct arena *arena)
{
	for (size_t r = 0; r < sizeof(rows) / sizeof(rows[0]); r++)
		for (size_t i = 0; i < CAUSE_WORDS_MAX && ev->words[i]; i++)
			if (has(ev->words[i], &rows[r]))
				return cause_say(rows[r].cause,
					detail_of(ev->words[i], rows[r].detail, arena),
					rows[r].remedy, arena);
	return "";
}
