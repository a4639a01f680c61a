/* change.h - one thing that a run changes on this node, and who can change it.
 *
 * A run (run.h) is a list of changes.  What each kind of place needs is a row of
 * functions here; the run calls them in order, and in the reverse order to put back.
 * Each may be called again after it was cut short: the second time finds the work
 * done, or does the rest.
 *
 * The state of a change is plain data that the journal can bring back after a crash;
 * what is larger lies in the folder of the run (INDEX.old, INDEX.new).
 */
#ifndef PEER_CHANGE_H
#define PEER_CHANGE_H

#include "peer/libvirt.h"
#include "peer/place.h"
#include "proto/message.h"

struct domain_calls;

/* What the changes of a run have in common. */
struct change_ground {
	const struct place_world *world;
	const char *uri;	     /* libvirt's */
	struct libvirt_guest guest;  /* that the level is for */
	int folder;		     /* of the run, 0700; open */
	const struct change *wanted; /* all changes as they were asked for ... */
	size_t count;		     /* ... NULL, 0 when the journal brought them back */
	enum rc (*judge_cpu)(const char *uri, const struct libvirt_guest *guest,
		const char *cpu, struct arena *arena, struct libvirt_verdict *out,
		struct err *e);		    /* libvirt_judge(), or a test's */
	const struct domain_calls *domains; /* NULL: libvirt's, not a test's */
};

struct change_row;

struct change_state {
	uint32_t place;
	char name[PLACE_RUN_MAX + 1]; /* within the place */
	size_t index;		      /* in the run */
	const struct change_row *row;
	bool unchanged;		/* the content was there before */
	bool committed;		/* may be written */
	struct digest expected; /* of what was there; nothing: all bytes 0 */
	struct digest content;	/* of what shall be there */
	struct placing file;	/* of a file */
};

/* Those marked may be NULL. */
struct change_hands {
	/* What is there now: of a file, its path; the digest is that of change.expected. */
	enum rc (*look)(const struct change_ground *g, const struct spot *spot,
		struct arena *arena, struct found *out, struct err *e);
	/* May be NULL.  Looks, and notes in c what the journal must know to undo stage;
	 * changes nothing.  Sets unchanged, where that is known already.  As stage. */
	enum rc (*plan)(struct change_state *c, const struct change_ground *g,
		const struct change *wanted, struct err *e);
	/* Prepares, under the precondition of wanted->expected; nothing that others see
	 * changes.  Sets unchanged.  RC_CONFLICT, RC_PLACE, RC_LIBVIRT, ... */
	enum rc (*stage)(struct change_state *c, const struct change_ground *g,
		const struct change *wanted, struct arena *scratch, struct err *e);
	/* Looks again, and writes. */
	enum rc (*commit)(struct change_state *c, const struct change_ground *g,
		struct arena *scratch, struct err *e);
	/* What is there now, for the coordinator to compare with what it sent. */
	enum rc (*read_back)(struct change_state *c, const struct change_ground *g,
		struct arena *arena, struct bytes *content, struct err *e);
	/* As it was before stage.  RC_PARTIAL says what is left. */
	enum rc (*revert)(struct change_state *c, const struct change_ground *g,
		bool *changed, struct err *e);
	/* May be NULL.  Before the run is kept: is still there what commit wrote?
	 * RC_CONFLICT. */
	enum rc (*confirm)(const struct change_state *c, const struct change_ground *g,
		struct err *e);
	/* Drops the way back. */
	enum rc (*forget)(
		struct change_state *c, const struct change_ground *g, struct err *e);
	/* May be NULL.  After a crash: opens what the others need. */
	enum rc (*restore)(
		struct change_state *c, const struct change_ground *g, struct err *e);
	/* May be NULL.  Closes it, and leaves things as they are.  Safe to call twice. */
	void (*release)(struct change_state *c);
	bool by_system_calls; /* revert needs nothing else: fit for a signal handler */
};

extern const struct change_hands change_file, change_domain;

/* What the node's own software says of a change: before commit of what shall be there,
 * after it of what is there. */
struct change_judging {
	const struct change_ground *ground;
	const struct change_state *change;
	struct bytes content;
	bool written;
	struct arena *scratch;
};

struct change_verdict {
	bool accepted;
	const char *reason; /* one line; "" when accepted */
};

typedef enum rc change_judge_fn(
	const struct change_judging *j, struct change_verdict *out, struct err *e);

change_judge_fn change_judge_domain;

struct change_row {
	enum place place;
	const struct change_hands *hands;
	change_judge_fn *judge;
};

/* What it changes, for messages: the path of a file, else "domain NAME".  RC_MEMORY. */
enum rc change_title(const struct change_state *c, struct arena *arena,
	const char **title, struct err *e);

/* NULL when the place is not on the list.  hands is NULL for one that this peer cannot
 * change yet. */
const struct change_row *change_of(uint32_t place);

#endif
