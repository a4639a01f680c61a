/* conditions_rules.h - one set of functions per condition, for conditions.c.
 *
 * NAME_forbids() says what of the baseline must leave the level; NAME_remark() speaks of
 * the level that came out.  They keep nothing.
 */
#ifndef COORDINATOR_CONDITIONS_RULES_H
#define COORDINATOR_CONDITIONS_RULES_H

#include "coordinator/cpu/conditions.h"
#include "coordinator/cpu/holds.h"

typedef struct bitset condition_forbids(
	const struct conditions *c, const struct bitset *baseline);
typedef enum rc condition_remarks(
	struct conditions *c, const struct level *l, struct err *e);

condition_remarks address_remark, machine_remark, tsc_remark, xsave_remark, nested_remark,
	microcode_remark, mitigation_remark;
condition_forbids xsave_forbids, nested_forbids;

/* The maxphysaddr that every node can show a guest, where all can state it; else 0. */
uint32_t address_bits_to_state(const struct conditions *c);

/* Bytes of the state that the features need; every node has the same layout. */
uint32_t xsave_bytes_of(const struct conditions *c, const struct bitset *features);

/* ---- a level that was agreed on before, and one node (holds.c) */

/* The width of physical addresses there, 0 unknown; can its libvirt state one? */
uint32_t address_bits_on(const struct conditions *c, size_t node);
bool address_can_be_stated(const struct conditions *c, size_t node);

/* Where the state of the features lies, as far as it is known; how many are filled in. */
size_t xsave_places_of(const struct conditions *c, const struct bitset *features,
	struct xsave_place out[static XSAVE_PLACES]);
/* Of the features, those whose state is elsewhere on this node. */
struct bitset xsave_misplaced(const struct conditions *c, size_t node,
	const struct bitset *features, const struct xsave_place *places, size_t count);

/* A digest of what vmx hangs on, where the nodes cannot state it; "" where they can, or
 * where it is not known.  NULL: out of memory. */
const char *nested_ground_of(const struct conditions *c, const struct bitset *features);
/* The same of one node, whether it can state it or not. */
const char *nested_ground_on(const struct conditions *c, size_t node);

/* RC_LEVEL, naming nodes, when the floor is required and the level is below it. */
enum rc mitigation_check(
	const struct conditions *c, const struct level *l, struct err *e);

/* ---- what the rules share (conditions.c) */

/* A set of nodes, all false; NULL: out of memory. */
bool *conditions_nodes(const struct conditions *c);
bool conditions_any(const struct conditions *c, const bool *of);

/* Are there two or more?  Equal ones are one place in the lists. */
bool conditions_several(const struct conditions *c);

/* Adds a remark; nothing when of names no node. */
enum rc conditions_say(struct conditions *c, bool warning, const char *about,
	const bool *of, struct err *e, const char *fmt, ...)
	__attribute__((format(printf, 6, 7)));

/* What is not known of those nodes.  What is missing of the same nodes makes one note. */
enum rc conditions_miss(
	struct conditions *c, const char *what, const bool *of, struct err *e);
/* The same of the nodes of which is_known() says no. */
enum rc conditions_miss_unless(struct conditions *c, const char *what,
	bool (*is_known)(const struct conditions *c, size_t node), struct err *e);

/* One note for each different text, of the nodes that have it; NULL: no note.  In the
 * order of the texts, so that it does not depend on that of the nodes. */
enum rc conditions_say_each(
	struct conditions *c, const char *about, const char *const *text, struct err *e);

/* Is the feature (a row's name) in the set? */
bool conditions_has(const struct bitset *set, const char *feature);

#endif
