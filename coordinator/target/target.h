/* target.h - where a level goes: the closed list of ways to write it on a node.
 *
 * A target knows which of a node's places it looks at (spots) and, when the node has
 * answered, what is to be written there (edits).  PURE: it knows of no message that
 * travels and no run; what it decides from is the request, which is the same for all
 * nodes, and the survey of one node.  Everything made lives in the arena.
 *
 * A node that lacks what the target needs, or whose own settings stand against it, is
 * RC_TARGET with one line: what, where, what to do.  That is said before anything is
 * staged anywhere.
 */
#ifndef COORDINATOR_TARGET_H
#define COORDINATOR_TARGET_H

#include "coordinator/cpu/level.h"
#include "proto/message.h"
#include "proto/place.h"

/* What one node said when it was looked at. */
struct survey {
	const struct spot *spots;  /* what was looked at */
	const struct found *found; /* one for each */
	size_t count;
	const struct domains *domains; /* NULL: not asked */
	const struct nova *nova;       /* NULL: not asked */
	const struct offer *offer;     /* NULL: not known */
	const char *capabilities;      /* libvirt's; NULL: not known */
};

/* What is to be written on one node, in this order. */
struct edit {
	uint32_t place;
	const char *name;  /* within the place */
	const char *title; /* for people: the path, or `domain "web1"` */
	bool exists;	   /* something is there now */
	bool ours;	   /* ... and cpuherd wrote it, and nobody changed it since */
	struct bytes before, after;
	struct bytes expected; /* digest of what is there now; empty: nothing */
	const char *machine;   /* domains: the type to set; "": its own */
	bool unchanged;	       /* nothing will have to be written */
	/* where machine is set: the one of now; NULL: not known */
	const char *machine_before;
};

struct edits {
	struct edit *item;
	size_t count;
};

/* What all nodes have in common. */
struct target_request {
	const struct level *level;
	const struct catalogue *catalogue;
	const char *level_name;
	const char *xml;			/* the level as a <cpu> element */
	const char *nova_release, *nova_folder; /* NULL: the newest known, nova.conf.d */
	struct texts domains;			/* --domains: names, "all", "tag" */
	const char *machine; /* machine type for domains; NULL: their own */
	bool replace;	     /* --replace */
	bool restart;	     /* --restart */
};

/* A remark for the report about one node's target: a domain that needs a power cycle,
 * a map that the next package upgrade drops. */
struct target_remark {
	bool warning;
	const char *about; /* one word */
	const char *text;  /* one line, without the node's name */
};

struct target_remarks {
	struct target_remark *item;
	size_t count;
};

struct planning {
	const struct target_request *request;
	const struct survey *survey;
	struct arena *arena;
	struct edits *edits;		/* appended to */
	struct target_remarks *remarks; /* appended to */
};

struct target {
	const char *name, *help;
	bool asks_domains, asks_nova; /* what the survey must bring besides spots */
	const char *unit; /* of proto/unit.h, that a restart is for; NULL: none */
	/* What can only be said of all nodes together; NULL: nothing.  A node that failed
	 * has nothing in its survey. */
	enum rc (*check)(const struct target_request *r, const struct survey *surveys,
		size_t n, struct arena *arena, struct err *e);
	/* Appends what it wants to look at. */
	enum rc (*spots)(const struct target_request *r, struct arena *arena,
		struct list *spots, struct err *e);
	/* Appends what is to be written, also where that is there already. */
	enum rc (*plan)(const struct planning *p, struct err *e);
};

/* NULL when there is none of that name.  target_at(): the whole list, NULL at its end. */
const struct target *target_find(const char *name);
const struct target *target_at(size_t i);

/* ---- what targets share */

enum rc target_add_spot(struct list *spots, enum place place, const char *name,
	struct arena *arena, struct err *e);

/* What the node found there; NULL when it was not looked at. */
const struct found *target_found(
	const struct survey *s, enum place place, const char *name);

/* Appends an edit of a file that was looked at: its content shall be `after`.
 * RC_CONFLICT when the file is one of ours that somebody else wrote or changed, and
 * --replace was not given: the edit is appended all the same, for its difference. */
enum rc target_edit_file(const struct planning *p, enum place place, const char *name,
	struct bytes after, struct err *e);

/* Is what was read back what the edit was to write?  Of a domain by what it means:
 * libvirt keeps it in words of its own. */
bool target_reads_as(const struct edit *edit, struct bytes content);

enum rc target_add_edit(const struct planning *p, const struct edit *edit, struct err *e);
enum rc target_remark(const struct planning *p, bool warning, const char *about,
	const char *text, struct err *e);

/* ---- the list, in the order in which targets are written */

extern const struct target target_stanza, target_cpu_map, target_domains, target_nova;

#endif
