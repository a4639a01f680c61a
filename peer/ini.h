/* ini.h - a configuration file as oslo.config's parser reads it (oslo_config/iniparser.py
 * and cfg.ConfigParser of release 9.0), and nothing else of OpenStack.
 *
 * Lines end as Python's universal newlines; blanks at their ends are Python's, those of
 * Unicode as well; a line that begins with a blank continues the value before it; the
 * first of ':' and '=' ends a key; one pair of quotes around a value goes; names of
 * sections are in lower case, but for DEFAULT.
 */
#ifndef PEER_INI_H
#define PEER_INI_H

#include "base/arena.h"
#include "base/buf.h"

struct ini_entry {
	const char *section, *key;
	const char *value; /* its lines joined by newlines */
};

typedef enum rc ini_take_fn(void *context, const struct ini_entry *entry, struct err *e);

/* Calls take() for each assignment, in the order of the text; the texts live in the
 * arena.  RC_TARGET, with path and line, for what that parser refuses, or for a NUL
 * byte; what take() returns; RC_MEMORY. */
enum rc ini_read(struct bytes text, const char *path, struct arena *arena,
	ini_take_fn *take, void *context, struct err *e);

#endif
