/* main.c - cpuherd: agree on one guest CPU for a set of libvirt nodes.
 *
 * A map of the program, in the order of the data:
 *
 * - main(): finds the verb, reads its options, runs it, says how it ended
 *     - verb/verb.[ch]       (the table of verbs)
 *     - verb/options.[ch]    (one table of options for all verbs, and their help)
 *         - verb/options_parse.c, options_check.c (the words of a command line; which fit)
 *         - verb/options_road.c  (how nodes are reached, for who ends a run later)
 *         - verb/options_rehearse.c  (which options of migrations go together)
 *     - verb/negotiate.c     (the whole road: all the steps below)
 *     - verb/plan.c          (up to the level, without asking for votes)
 *     - verb/probe.c         (up to the offers)
 *     - verb/check.c         (the nodes against what was agreed)
 *     - verb/admit.c         (new nodes against what was agreed)
 *     - verb/prove.c         (do guests really get what was agreed?)
 *     - verb/rehearse.c      (do guests really go from node to node?)
 *     - verb/resume.c, rollback.c (no level: a run that was interrupted)
 *     - verb/merge.c         (no nodes: facts from files, folded into classes)
 *     - verb/peer.c          (the program for the nodes, as a file)
 *     - verb/render.c        (no nodes: a level from a file, in other words)
 *     - verb/version.c, verb/help.c
 *     - verb/run.[ch]        (what the steps share: nodes, fleet, report)
 * - who: the nodes of the run
 *     - inventory/           (patterns, hosts files, Ansible's JSON, exclusions, limits;
 *                             names folded back)
 *     - verb/failed.[ch]     (--failed: those to ask again)
 * - how: all nodes at once, over SSH
 *     - ssh/ssh_config.h     (what ssh would do: the settings of each node)
 *     - ssh/                 (files, patterns, tokens; ssh -G for what only ssh knows)
 *     - net/fleet.[ch]       (rounds: one request to every node)
 *     - net/lane.[ch]        (a thread's nodes: window, retries, what is held)
 *     - net/session.[ch]     (one connection, as a table of states)
 *     - net/                 (event loop, transport, jump hosts, the peer's image and how
 *                             it gets onto a node)
 *     - ../proto/            (messages, frames, facts as text)
 *     - ../peer/             (the other end: cpuherd-peer on the node)
 * - what: from facts to a level
 *     - verb/gather.[ch]     (facts, each bulky one from one node of its class)
 *     - verb/sources.[ch]    (facts out of files: --from, merge)
 *         - verb/gathered.[ch] (what clush, pdsh, ansible and others print)
 *         - verb/merged.h, merged_read.c, merged_write.c (very many nodes in one text)
 *         - verb/intern.[ch]   (what many nodes share is kept once)
 *         - verb/lines.[ch]    (a file line by line)
 *     - verb/saved.[ch]      (facts into files: --save)
 *     - verb/stream.[ch], replace.[ch]  (all of a file that the user named: read, anew)
 *     - verb/classes.[ch]    (nodes with equal facts are judged once)
 *     - cpu/                 (PURE: catalogue, decoding, offers, baseline, level, what
 *                             else must be alike)
 *     - render/              (PURE: the level as libvirt XML, and in the words of others)
 *     - verb/guests.[ch]     (one virt type for all nodes)
 *     - verb/offering.[ch]   (what every node offers)
 *     - verb/wants.[ch]      (what the user wishes of the level)
 *     - verb/judge.[ch]      (the level, and what is to be said of it)
 *     - verb/split.[ch]      (a level for each CPU vendor, where one for all cannot be)
 *     - verb/loss.[ch]       (what the level costs, and who is why)
 * - agreed: every node's own libvirt says yes
 *     - verb/vote.[ch]       (rounds of proposals and votes; each only removes)
 *     - lock/                (the lock: the file of what was agreed; how nodes drift)
 *     - verb/agreement.[ch], agreement_write.c (a lock as a run uses it; a run as a lock)
 *     - verb/locked.[ch], keeping.[ch] (the locked level stays, if all nodes hold it)
 *     - verb/cost.[ch]       (what new nodes would cost it)
 *     - verb/said.[ch]       (equal changes are said once)
 * - proven: trial guests have the CPU that was agreed
 *     - verb/trial.[ch], trial_level.c, trial_compare.c
 *                            (a guest on every node: its CPU, its answers, what differs)
 *     - cpu/proof*.[ch]      (PURE: guests against each other and against their level)
 *     - verb/objection.[ch]  (what a node says no to leaves the level)
 *     - verb/pairs.[ch]      (PURE: which guests migrate where, and which at once)
 *     - verb/migrations.[ch], migration_rounds.c, aim.[ch]
 *                            (step by step: what the nodes are asked; the target's URI)
 *     - verb/migration_judge.[ch], migration_cpu.[ch]
 *                            (PURE: did the guest live on, with the CPU it had?)
 *     - verb/cause.[ch], cause_words.c (PURE: why not, probably)
 * - done: on all nodes or on none
 *     - target/              (PURE: what is to be looked at and written for each target)
 *     - verb/survey.[ch]     (what is there now, and what would be written)
 *     - apply/twophase.[ch]  (PURE: who is asked what next)
 *     - verb/push.[ch], push_carry.c, push_message.c
 *                            (carry the messages: stage, commit, verify, keep, forget)
 *     - apply/journal.[ch]   (the run on disk, for resume and rollback)
 *     - verb/left.[ch], carry_on.[ch] (runs that were interrupted)
 *     - verb/conflict.[ch]   (what somebody else changed under the run)
 *     - verb/whoami.[ch]     (who holds a node while that lasts)
 * - said
 *     - report/report.h      (one struct with all there is to say)
 *     - report/table.c, trials.c, migrations.c, json.c, json_nodes.c, json_trials.c,
 *       edits.[ch], diff.[ch], errors.c
 *     - verb/summary.[ch]    (the last line: what was agreed, and where it is now)
 *     - report/evidence.[ch], verb/archive.[ch]
 *                            (--evidence: the JSON with all that trial guests showed)
 *     - verb/document.[ch]   (--as: the level alone, in a format of render/)
 *     - report/progress.[ch] (one line while it runs, on a terminal)
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "coordinator/verb/verb.h"

/* The word behind cpuherd, as a verb; flags that stand alone are verbs as well. */
static const struct verb *verb_of(const char *word)
{
	if (strcmp(word, "--version") == 0)
		return verb_find("version");
	if (strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0)
		return verb_find("help");
	return verb_find(word);
}

static enum rc run_verb(int argc, char **argv, struct arena *arena, struct err *e)
{
	const struct verb *verb;
	struct options options;
	enum rc rc;

	/* 1. find the verb */
	if (argc < 2)
		return err_set(e, RC_USAGE, 0, "what is to be done? see cpuherd --help");
	verb = verb_of(argv[1]);
	if (!verb)
		return err_set(e, RC_USAGE, 0,
			"there is no verb '%s'; see cpuherd --help", argv[1]);

	/* 2. read its options */
	rc = options_parse(&options, verb, argc - 1, argv + 1, arena, e);
	if (rc != RC_OK)
		return rc;

	/* 3. explain it, or do it */
	if (options.help) {
		options_print_help(verb);
		return RC_OK;
	}
	return verb->main(&options, e);
}

/* A standard stream that the caller closed would become a socket, or known_hosts, and
 * get the report.  It is opened the wrong way round, so that using it is still an error. */
static void streams_open(void)
{
	static const int modes[] = { O_WRONLY, O_RDONLY, O_RDONLY };

	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", modes[fd]) < 0)
			return;
}

int main(int argc, char **argv)
{
	struct arena arena = { 0 };
	struct err err = { 0 };
	enum rc rc;

	/* 0. whoever reads our output may go away: that must not end a run between two
	 * nodes */
	streams_open();
	signal(SIGPIPE, SIG_IGN);
	rc = run_verb(argc, argv, &arena, &err);

	/* 4. an output that got lost is an error too */
	if (rc == RC_OK && (fflush(stdout) != 0 || ferror(stdout)))
		rc = err_set(&err, RC_OUTPUT, 0, "standard output cannot be written to");

	/* 5. say in one line what went wrong; the status comes from the list of codes */
	if (rc != RC_OK)
		log_line(LOG_ERROR, NULL, "%s", err.text);
	arena_destroy(&arena);
	return rc_exit_status(rc);
}
