/* cpuxml.h - what libvirt says about CPUs, out of its XML.
 *
 * The texts come from a node and are not trusted: nothing is fetched, a
 * document type is refused (so no entities), every name is checked with
 * text_is_name(), lists are capped.  All results live in the arena and are
 * never NULL; "" stands for what the text does not say.
 */
#ifndef COORDINATOR_CPUXML_H
#define COORDINATOR_CPUXML_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"
#include "proto/table.h"

/* A <cpu> element. */
struct cpuxml_cpu {
	const char *mode; /* as it stands there; "" of a host-model */
	const char *model, *vendor;
	struct texts on;      /* policy require or force, or none given */
	struct texts off;     /* policy disable or forbid */
	uint32_t maxphysaddr; /* bits of one that is emulated; 0: none is stated */
};

struct cpuxml_domcaps {
	const char *emulator, *virt, *machine, *arch;
	bool has_host_model;
	struct cpuxml_cpu host_model;
	struct texts models; /* of custom mode, usable or not */
};

struct cpuxml_machine {
	const char *name;
	const char *canonical; /* of an alias: the machine that it means; "" */
	bool deprecated;
};

struct cpuxml_host {
	const char *arch, *model, *vendor;
	uint32_t maxphysaddr;		 /* bits; 0: not said */
	struct cpuxml_machine *machines; /* of x86_64 guests */
	size_t machine_count;
};

/* RC_FACTS with what is wrong; `what` names the text in errors. */
enum rc cpuxml_read_cpu(const char *xml, const char *what, struct arena *arena,
	struct cpuxml_cpu *out, struct err *e);
enum rc cpuxml_read_domcaps(const char *xml, const char *what, struct arena *arena,
	struct cpuxml_domcaps *out, struct err *e);
enum rc cpuxml_read_host(const char *xml, const char *what, struct arena *arena,
	struct cpuxml_host *out, struct err *e);

#endif
