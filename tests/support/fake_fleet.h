/* fake_fleet.h - a fleet without network: fleet.h, answered by scripts.
 *
 * Each node has facts and a file in its place, and does what a peer does, except where
 * its script makes it misbehave.  What reaches the callers has been encoded and decoded,
 * as on the wire.  The world can be looked at when the run is over: what the
 * nodes really hold is what counts.
 */
#ifndef TESTS_SUPPORT_FAKE_FLEET_H
#define TESTS_SUPPORT_FAKE_FLEET_H

#include "coordinator/net/fleet.h"
#include "proto/facts.h"
#include "proto/message.h"
#include "proto/place.h"

enum { FAKE_NODES_MAX = 8, FAKE_VOTES_MAX = 4, FAKE_DIED = 77 };

/* How a node answers one kind of request. */
enum fake_way {
	FAKE_WELL,
	FAKE_FAILS,	 /* a failure message */
	FAKE_DIES,	 /* the session ends before the request is carried out */
	FAKE_DIES_AFTER, /* ... after; what was not kept is put back */
	FAKE_IS_KILLED,	 /* as FAKE_DIES, but its peer has no time to put back */
	FAKE_IS_KILLED_AFTER,
	FAKE_LIES, /* wrong bytes in the answer */
};

/* What becomes of a trial guest that another node sends here. */
enum fake_arrival {
	FAKE_ARRIVES_WELL,
	FAKE_ARRIVES_NOT,
	FAKE_ARRIVES_DEAD,
	FAKE_ARRIVES_ANEW,	     /* rebooted: it counts from the beginning */
	FAKE_ARRIVES_CHANGED,	     /* with another CPU */
	FAKE_ARRIVES_CHANGED_INSIDE, /* ... which QEMU does not know of */
};

struct fake_guest {
	char name[24];
	bool alive;
	uint64_t count;
	const char *cpu;
};

enum { FAKE_GUESTS_MAX = 4 };

struct fake_vote {
	const char *feature; /* NULL: yes; "": a no that names nothing */
};

/* What becomes of a trial guest; the feature is the one in question. */
enum fake_trial_way {
	TRIAL_WELL,    /* it is what its <cpu> says */
	TRIAL_REFUSED, /* libvirt does not start it, and names the feature ("": none) */
	TRIAL_LACKS,   /* it has not got the feature */
	TRIAL_FILTERED,
	TRIAL_ADDS,
	TRIAL_OTHER, /* a property differs, and no feature does */
	TRIAL_GAP,   /* QEMU could not be asked */
	TRIAL_LEFT,  /* it is well, and a file of it was left behind */
};

struct fake_trial {
	enum fake_trial_way way;
	const char *feature;
};

struct fake_node {
	const struct node_facts *facts;
	enum rc unreachable;			  /* RC_OK: it connects */
	struct fake_vote votes[FAKE_VOTES_MAX];	  /* by round; then yes */
	struct fake_trial trials[FAKE_VOTES_MAX]; /* one after the other; then well */
	enum fake_way ways[64];			  /* by the tag of the request */
	bool once;				  /* it is well after that */
	bool rejects;				  /* verify: libvirt does not accept it */
	bool changes_after_look;		  /* somebody else writes */
	bool foreign;				  /* ... what was there before the run */
	int interrupt_at; /* tag: the user interrupts this request */
	enum fake_arrival arrival;
	const char *sends_badly;  /* migrate: libvirt's words; NULL: it goes well */
	const char *starts_badly; /* try: the same */
	bool cannot_run;	  /* guests do not count here */
	const char *leaves;	  /* dismiss: what cannot be removed; NULL: all is */
	bool stays_away; /* when it dies: later connections are in vain as well */

	/* the world */
	char *file; /* what is in the place; NULL: nothing */
	char *staged, *before;
	enum run_state state; /* of the run here, as its journal has it */
	char run[64], holder[128];
	bool unchanged, linger;
	struct fake_guest guests[FAKE_GUESTS_MAX];
	size_t guest_count;
	char trial_run[40]; /* a run of which this node has the kernel; "": none */
	char sent_to[128];  /* URI of the last migrate */
	unsigned writes;    /* how often the file was replaced */
	unsigned asked[64];
	char tried_machine[64], tried_run[64]; /* of the last trial */
	unsigned bodies_sent;
	bool dead;
	struct err err;
};

extern struct fake_node fake_nodes[FAKE_NODES_MAX];

/* All nodes well, nothing in their places. */
void fake_fleet_reset(void);

/* Called before each request to a node; NULL: nothing is. */
extern void (*fake_hook)(size_t node, enum message_tag tag);

/* The coordinator dies as if killed: all its sessions end.  Their peers put back what
 * was not kept, unless the power goes as well. */
void fake_coordinator_dies(bool power_goes) __attribute__((noreturn));

/* What the nodes are like, brought from a process that ends to the one that waits for
 * it: room is fake_world_size() bytes that both share. */
size_t fake_world_size(void);
void fake_world_save(void *room);
void fake_world_load(const void *room);
extern void *fake_world_room; /* fake_coordinator_dies() saves there */

/* Forgets how nodes misbehave and what they were asked: what they hold stays. */
void fake_fleet_behave(void);

/* Does this node have nothing of a run any more? */
bool fake_is_free(size_t node);

/* The sessions of all nodes cannot be held at once. */
extern bool fake_holds_few;

/* Was fleet_ignore_interrupt() called? */
extern bool fake_ignores_interrupt;

#endif
