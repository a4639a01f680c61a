/* domain.h - a domain's definition as a text, of which cpuherd changes the CPU alone.
 *
 * A definition is what libvirt prints of it, so every byte of it that is not asked to
 * change comes back as it was.  Pure: no libvirt here (libvirt_domain.h has that).
 *
 * The coordinator is not trusted: what it gives as a <cpu> must be that one element and
 * no more, and must not touch the topology and the NUMA cells, which would change the
 * memory of the guest.
 */
#ifndef PEER_DOMAIN_H
#define PEER_DOMAIN_H

#include "base/buf.h"
#include "base/err.h"
#include "peer/libvirt.h"
#include "peer/xml.h"

struct domain_xml {
	const char *text;
	struct xml_span cpu;	    /* <cpu> to </cpu>; of size 0 where it has none */
	struct xml_span machine;    /* the value of the attribute; the same */
	struct xml_span end;	    /* </domain> */
	struct libvirt_guest guest; /* that it defines */
};

/* Spans point into text.  RC_LIBVIRT: it is no definition; RC_MEMORY. */
enum rc domain_read(
	const char *text, struct arena *arena, struct domain_xml *out, struct err *e);

/* The definition with another <cpu> and, unless it is empty, another machine type.
 * RC_PLACE: what is given is not one <cpu> element, or has other topology or NUMA cells,
 * or the machine is no name. */
enum rc domain_splice(const struct domain_xml *d, struct bytes cpu, const char *machine,
	struct arena *arena, char **out, struct err *e);

/* The one <cpu> element that the text is, for a domain of our own.  RC_PROTOCOL: it is none,
 * or says something of topology or NUMA cells. */
enum rc domain_take_cpu(struct bytes text, struct xml_span *cpu, struct err *e);

/* Equal byte for byte but for the <cpu> with its lines, and the machine's name? */
bool domain_same_besides(const struct domain_xml *a, const struct domain_xml *b);

/* ... and is the CPU the same, however it is indented, and the machine? */
bool domain_same_cpu(const struct domain_xml *a, const struct domain_xml *b);

#endif
