/* cpuxml_private.h - libxml2 as the readers of coordinator/cpu use it. */
#ifndef COORDINATOR_CPUXML_PRIVATE_H
#define COORDINATOR_CPUXML_PRIVATE_H

#include <libxml/parser.h>

#include "coordinator/cpu/cpuxml.h"

/* One reading: what every step needs. */
struct cpuxml_reading {
	const char *what;
	struct arena *arena;
	struct err *e;
};

typedef enum rc cpuxml_reader(
	struct cpuxml_reading *r, const xmlNode *root, void *result);

/* Hands the root of that name to read().  Without a document type there are no entities.
 * UTF-8 whatever the text says of itself, so that no other encoding can hide one from the
 * search. */
enum rc cpuxml_read(struct cpuxml_reading *r, const char *xml, const char *root_name,
	cpuxml_reader *read, void *result);

bool cpuxml_is(const xmlNode *n, const char *name);

enum rc cpuxml_content(struct cpuxml_reading *r, const xmlNode *n, const char **out);

/* "" where there is none.  A policy that got lost would make a require of a disable, so
 * what is there is told from what could not be had. */
enum rc cpuxml_attribute(
	struct cpuxml_reading *r, const xmlNode *n, const char *name, const char **out);

#endif
