/* xml.h - the few elements that the peer needs from libvirt's XML.
 *
 * Not an XML parser: a scanner that knows tags, attributes, comments and the
 * five predefined entities, so that the pushed peer needs no library.  It
 * allocates nothing (but xml_text()), follows no reference, refuses DTDs, and
 * bounds the depth.  Text that is not well nested is "not found", never a crash.
 *
 * Spans point into the caller's text and live as long as it does.
 */
#ifndef PEER_XML_H
#define PEER_XML_H

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"

struct xml_span {
	const char *data;
	size_t size;
};

struct xml_element {
	struct xml_span outer;	    /* from '<' of the start to '>' of the end tag */
	struct xml_span inner;	    /* between the tags; empty for <a/> */
	struct xml_span attributes; /* between name and '>' of the start tag */
};

struct xml_span xml_whole(const char *text);

/* The first child of that name directly in the span (not deeper).  With an
 * attribute name, the first one that carries exactly this value. */
bool xml_child(struct xml_span in, const char *name, struct xml_element *out);
bool xml_child_with(struct xml_span in, const char *name, const char *attribute,
	const char *value, struct xml_element *out);

/* Follows a path of names, "host/cpu/model", from the span. */
bool xml_path(struct xml_span in, const char *path, struct xml_element *out);

/* The value of an attribute as it stands there, entities and all; false: it has none. */
bool xml_attribute(
	const struct xml_element *element, const char *attribute, struct xml_span *value);
bool xml_attribute_is(
	const struct xml_element *element, const char *attribute, const char *value);

/* The text of an element without child elements, entities replaced; NULL when
 * memory is short, when it has children or an entity that is not predefined. */
char *xml_text(struct arena *arena, const struct xml_element *element);

#endif
