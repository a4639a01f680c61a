/* options.h - the command line of every verb, from one table.
 *
 * The table says which verbs take an option, so the help text, the parser and
 * the complaint about an option in the wrong place cannot disagree.
 */
#ifndef COORDINATOR_OPTIONS_H
#define COORDINATOR_OPTIONS_H

#include "coordinator/net/fleet.h"
#include "proto/virt.h"

/* Which verbs take an option: a bit each. */
enum {
	FOR_NEGOTIATE = 1,
	FOR_PLAN = 2,
	FOR_PROBE = 4,
	FOR_VERSION = 8,
	FOR_HELP = 16,
	FOR_RENDER = 32,
	FOR_MERGE = 64,
	FOR_PEER = 128,
	FOR_RESUME = 1 << 8,
	FOR_ROLLBACK = 1 << 9,
	FOR_CHECK = 1 << 10,
	FOR_ADMIT = 1 << 11,
	FOR_PROVE = 1 << 12,
	FOR_REHEARSE = 1 << 13,
	FOR_LEFT = FOR_RESUME | FOR_ROLLBACK,
	FOR_TRIALS = FOR_PROVE | FOR_REHEARSE,
	FOR_LEVEL = FOR_NEGOTIATE | FOR_PLAN | FOR_TRIALS, /* one is made, or taken */
	FOR_NODES = FOR_LEVEL | FOR_PROBE | FOR_CHECK | FOR_ADMIT,
	FOR_FLEET = FOR_NODES | FOR_LEFT,
	OF_ROAD = 1 << 30, /* no verb: it says how nodes are reached, for the journal */
};

struct options;

struct verb {
	const char *name;
	enum rc (*main)(const struct options *o, struct err *e);
	unsigned bit;
	const char *arguments; /* of the usage line */
	const char *help;      /* one line */
	const char *examples;  /* lines of the verb's own help */
};

enum { OPTIONS_MAX = 128 }; /* a bit for each */

struct options {
	const struct verb *verb;
	struct texts nodes; /* what is not an option */
	struct texts hosts_files, exclude, limit, without, require, identities,
		known_hosts, trace, ssh_values, targets, locks, drop, domains;
	const char *user, *connect, *virt_type, *level_name, *model, *prefer, *at_least,
		*simd, *from, *save, *out, *failed, *mitigations, *journal_dir, *on;
	const char *vote, *cpu, *evidence, *migrate_uri, *migrate_data, *migrate_listen;
	const char *as, *nova_release, *nova_folder, *machine;
	const char *ssh_config, *jump;
	uint32_t sample, seed, migrate_timeout_s;
	uint32_t port, connect_timeout_s, timeout_s, deadline_s, parallel, threads, tries;
	bool no_agent, accept_new, become, dry_run, check, json, verbose, quiet, help;
	bool prove, all_pairs, paused, tunnelled, migrate_tls;
	bool cross_vendor, allow_unproven, replace, restart, upgrade;
	uint64_t
		given[OPTIONS_MAX / 64]; /* rows of the table that the command line has */
};

/* Fills *out from the words behind the verb; texts point into argv.  RC_USAGE
 * with one line.  With --help nothing else is checked. */
enum rc options_parse(struct options *out, const struct verb *verb, int argc, char **argv,
	struct arena *arena, struct err *e);

/* The same path from whatever folder it is used; "" and ~/... stay. */
enum rc options_absolute(const char **path, struct arena *arena, struct err *e);

/* How nodes are reached, as name, value, name, value, ... ("" for flags); the paths of
 * files are made absolute. */
enum rc options_road(
	const struct options *o, struct texts *words, struct arena *arena, struct err *e);

/* Takes over such words where *o says nothing of its own.  RC_INPUT: an unknown one. */
enum rc options_take_road(
	struct options *o, const struct texts *words, struct arena *arena, struct err *e);

/* Does each node start a guest with the level before it agrees? */
bool options_vote_by_trial(const struct options *o);

/* Was it given?  By its long name, as below. */
bool options_have(const struct options *o, const char *name);

/* The words of an option that takes some, given or by default; none where there is no such
 * option.  RC_MEMORY. */
enum rc options_words(const struct options *o, const char *name, struct arena *arena,
	struct texts *out, struct err *e);

/* Puts these words in place of an option's own, as if they had been given; what this
 * cpuherd does not know is passed over.  RC_USAGE. */
enum rc options_put(struct options *o, const char *name, const struct texts *words,
	struct arena *arena, struct err *e);

/* Usage, examples and options of a verb. */
void options_print_help(const struct verb *verb);

#endif
