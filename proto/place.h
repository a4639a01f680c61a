/* place.h - the closed list of things on a node that cpuherd may change.
 *
 * A coordinator names a place by number and gives a name that text_is_name()
 * accepts; nothing else on a node can be reached.  Only the peer turns both
 * into a path.
 */
#ifndef PROTO_PLACE_H
#define PROTO_PLACE_H

#include <stddef.h>
#include <stdint.h>

/* P(number, place, path for a system daemon, path for a session daemon, meaning)
 * %s is the name; ~config is $XDG_CONFIG_HOME or ~/.config of the peer's user. */
#define PLACES(P) \
	P(1, stanza, "/etc/libvirt/cpuherd/%s.xml", "~config/libvirt/cpuherd/%s.xml", \
		"the level as a libvirt <cpu> element, for virt-install, templates, " \
		"Ansible")

enum place {
	PLACE_none = 0,
#define PLACE_ENUM(number, place_name, system_path, session_path, meaning) \
	PLACE_##place_name = number,
	PLACES(PLACE_ENUM)
#undef PLACE_ENUM
};

struct place_row {
	enum place number;
	const char *name;
	const char *system_path, *session_path;
	const char *meaning;
};

/* NULL when the number is not on the list. */
const struct place_row *place_of(uint32_t number);

#endif
