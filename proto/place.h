/* place.h - the closed list of things on a node that cpuherd may change.
 *
 * A coordinator names a place by number and gives a name that text_is_name()
 * accepts; nothing else on a node can be reached.  Only the peer turns both
 * into a path.  The second list is how far a run of such changes can get.
 */
#ifndef PROTO_PLACE_H
#define PROTO_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* P(number, place, owned, path for a system daemon, path for a session daemon, meaning)
 * owned: the whole file is cpuherd's, so that what somebody else put there is not
 * overwritten.  %s is the name; ~config is $XDG_CONFIG_HOME or ~/.config of the peer's
 * user; "" is not to be had there.  A domain is no file: libvirt keeps it. */
#define PLACES(P) \
	P(1, stanza, true, "/etc/libvirt/cpuherd/%s.xml", \
		"~config/libvirt/cpuherd/%s.xml", \
		"the level as a libvirt <cpu> element, for virt-install, templates, " \
		"Ansible") \
	P(2, domain, false, "%s", "%s", \
		"the <cpu> element of a domain's definition; the name is its UUID") \
	P(3, cpu_map, true, "/usr/share/libvirt/cpu_map/cpuherd_%s.xml", "", \
		"a CPU model of that name, for XML that says <model>NAME</model>") \
	P(4, cpu_map_index, false, "/usr/share/libvirt/cpu_map/index.xml", "", \
		"the list of files of libvirt's cpu_map; the name is that of the model") \
	P(5, nova, true, "/etc/nova/%s/99-cpuherd.conf", "", \
		"options of nova-compute; the name is that of the folder: nova.conf.d")

enum place {
	PLACE_none = 0,
#define PLACE_ENUM(number, place_name, owned, system_path, session_path, meaning) \
	PLACE_##place_name = number,
	PLACES(PLACE_ENUM)
#undef PLACE_ENUM
};

struct place_row {
	enum place number;
	const char *name;
	bool owned;
	const char *system_path, *session_path;
	const char *meaning;
};

/* NULL when the number is not on the list. */
const struct place_row *place_of(uint32_t number);

/* How far a run is on one node.  S(number, state, what is on the node) */
#define RUN_STATES(S) \
	S(0, none, "no such run: it never came, was reverted, or is over") \
	S(1, staged, "everything is as before; the new content lies beside it") \
	S(2, committing, "some of it may be written; the way back is there") \
	S(3, committed, "it is written; the way back is there") \
	S(4, kept, "the same, and it is decided: the node does not revert by itself")

enum run_state {
#define RUN_STATE_ENUM(number, state, meaning) RUN_STATE_##state = number,
	RUN_STATES(RUN_STATE_ENUM)
#undef RUN_STATE_ENUM
		RUN_STATE_COUNT
};

/* "staged"; NULL when the number is not on the list. */
const char *run_state_name(uint32_t number);

#endif
