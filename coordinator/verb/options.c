/* The table of options, what it says of each, and its help. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "coordinator/verb/options_private.h"
#include "proto/texts.h"

const struct option_row option_rows[] = {
#define ROW(letter, name, argument, kind, member, verbs, max, help) \
	{ letter, name, argument, KIND_##kind, offsetof(struct options, member), verbs, \
		max, help },
#define FLAG(letter, name, member, verbs, help) \
	ROW(letter, name, NULL, FLAG, member, verbs, 0, help)
	/* clang-format off */
	ROW(0, "hosts", "FILE", TEXTS, hosts_files, FOR_NODES, 0,
		"nodes from a file: patterns, or ansible-inventory --list; - is stdin")
	ROW('x', "exclude", "NODES", TEXTS, exclude, FOR_NODES, 0,
		"leave these nodes out (patterns); the same as an argument ^NODES")
	ROW(0, "without", "WORD", TEXTS, without, FOR_NODES, 0,
		"the same; where there is a level, also features: --without node07,pcid")
	ROW(0, "limit", "WORDS", TEXTS, limit, FOR_NODES, 0,
		"of the nodes only these: patterns, groups, @FILE, !WORD, &WORD")
	ROW(0, "failed", "FILE", TEXT, failed, FOR_FLEET, 0,
		"write the nodes that failed, as --hosts reads them")
	ROW(0, "from", "PATH", TEXT, from,
		FOR_PLAN | FOR_PROBE | FOR_CHECK | FOR_ADMIT, 0,
		"judge facts gathered before (a folder, a file, - standard input), no network")
	ROW(0, "out", "FILE", TEXT, out, FOR_MERGE | FOR_PEER, 0,
		"write there and not to standard output")
	FLAG(0, "allow-unproven", allow_unproven, FOR_PLAN | FOR_PROBE,
		"take raw CPUID, less what KVM never gives, where nothing else is known")
	ROW(0, "save", "DIR", TEXT, save, FOR_PROBE, 0,
		"write each node's facts to DIR/NODE.facts")
	FLAG(0, "dry-run", dry_run, FOR_NEGOTIATE,
		"agree, show what would be written, write nothing")
	FLAG(0, "check", check, FOR_NEGOTIATE,
		"the same, with exit status 29 where something would be written")
	ROW(0, "level-name", "NAME", TEXT, level_name,
		FOR_NEGOTIATE | FOR_PLAN | FOR_RENDER, 0,
		"name of the level and of its file (baseline)")
	ROW(0, "target", "NAME", TEXTS, targets, FOR_NEGOTIATE, 0,
		"where the level goes; may be given several times: "
		"stanza, cpu-map, domains, nova (stanza)")
	ROW(0, "domains", "NAMES", TEXTS, domains, FOR_NEGOTIATE, 0,
		"for --target domains: all, tag (docs/targets.md), or names and UUIDs by commas")
	ROW(0, "machine", "TYPE", TEXT, machine, FOR_NEGOTIATE, 0,
		"for --target domains: their machine type as well (their own)")
	ROW(0, "journal-dir", "DIR", TEXT, journal_dir, FOR_NEGOTIATE | FOR_LEFT, 0,
		"where runs are written down (~/.local/state/cpuherd/runs)")
	ROW(0, "on", "NODES", TEXT, on, FOR_ROLLBACK, 0,
		"without a journal here: ask these nodes (a pattern) for theirs")
	ROW(0, "lock", "FILE", TEXTS, locks,
		FOR_NEGOTIATE | FOR_TRIALS | FOR_CHECK | FOR_ADMIT, 0,
		"what was agreed; none: no such file (cpuherd.lock)")
	FLAG(0, "upgrade", upgrade, FOR_NEGOTIATE,
		"make a new level, whatever the lock has; all its nodes must be named")
	ROW(0, "drop", "NODES", TEXTS, drop, FOR_NEGOTIATE, 0,
		"take these nodes out of the lock; they are not asked")
	FLAG(0, "replace", replace, FOR_NEGOTIATE | FOR_ROLLBACK,
		"overwrite what somebody else has put in its place")
	FLAG(0, "restart", restart, FOR_NEGOTIATE,
		"restart what reads the target when it is written, and put all back if it fails")
	ROW(0, "vote", "HOW", TEXT, vote, FOR_NEGOTIATE, 0,
		"compare: each node's libvirt judges the level; trial: each node also starts a "
		"guest with it (compare)")
	FLAG(0, "prove", prove, FOR_NEGOTIATE, "the same as --vote trial")
	ROW(0, "cpu", "FILE", TEXT, cpu, FOR_TRIALS, 0,
		"a <cpu> as libvirt reads it, in place of the level that was agreed")
	ROW(0, "evidence", "FILE", TEXT, evidence, FOR_NEGOTIATE | FOR_TRIALS, 0,
		"write what was tried, seen and compared there, as JSON (docs/evidence.md)")
	FLAG(0, "all-pairs", all_pairs, FOR_REHEARSE,
		"migrate from every node to every other (without: a ring)")
	ROW(0, "sample", "N", NUMBER, sample, FOR_REHEARSE, 1000000,
		"migrate between N pairs taken at random (without: a ring)")
	ROW(0, "seed", "N", NUMBER, seed, FOR_REHEARSE, 0xffffffff,
		"of --sample: the same pairs again, as the report names it")
	FLAG(0, "paused", paused, FOR_REHEARSE, "guests that do not run")
	ROW(0, "migrate-uri", "URI", TEXT, migrate_uri, FOR_REHEARSE, 0,
		"libvirt of a target as the source reaches it; %s is the target's name "
		"(qemu+ssh://%s/system)")
	ROW(0, "migrate-data", "URI", TEXT, migrate_data, FOR_REHEARSE, 0,
		"where memory goes: tcp://%s or tcp://%s:PORT (libvirt chooses)")
	ROW(0, "migrate-listen", "ADDRESS", TEXT, migrate_listen, FOR_REHEARSE, 0,
		"address that a target's QEMU listens on; %s is its name (libvirt chooses)")
	FLAG(0, "tunnelled", tunnelled, FOR_REHEARSE,
		"memory goes through libvirt's own connection")
	FLAG(0, "migrate-tls", migrate_tls, FOR_REHEARSE, "memory goes through QEMU's own TLS")
	ROW(0, "migrate-timeout", "SECONDS", NUMBER, migrate_timeout_s, FOR_REHEARSE, 3600,
		"for one migration (60)")
	ROW(0, "require", "FEATURE", TEXTS, require, FOR_LEVEL, 0,
		"no level without this feature; several are joined by commas")
	ROW(0, "at-least", "NAME", TEXT, at_least, FOR_LEVEL, 0,
		"no level below x86-64-v1 to x86-64-v4, or below a CPU model")
	ROW(0, "model", "NAME", TEXT, model, FOR_LEVEL, 0,
		"build the level on this CPU model")
	ROW(0, "prefer", "RULE", TEXT, prefer, FOR_LEVEL, 0,
		"fewest: the model with the fewest elements; libvirt: the one it would name (fewest)")
	ROW(0, "virt-type", "TYPE", TEXT, virt_type,
		FOR_LEVEL | FOR_RENDER, 0,
		"kvm, qemu, or auto: kvm where all nodes have it (auto)")
	FLAG(0, "cross-vendor", cross_vendor, FOR_LEVEL,
		"one level of no vendor, for nodes of any (at your own risk with kvm)")
	ROW(0, "mitigations", "WHAT", TEXT, mitigations, FOR_LEVEL, 0,
		"if a node offers one that the level lacks: warn, require (refuse "
		"such a level) or ignore (warn)")
	ROW(0, "as", "FORMAT", TEXT, as, FOR_PLAN | FOR_RENDER, 0,
		"print the level alone: libvirt, qemu, nova, devstack, zuul, proxmox, "
		"kubevirt or json")
	ROW(0, "nova-release", "NAME", TEXT, nova_release,
		FOR_NEGOTIATE | FOR_PLAN | FOR_RENDER, 0,
		"of nova, for --as nova, devstack or zuul (the newest known), or "
		"--target nova (the node's own)")
	ROW(0, "nova-conf-dir", "NAME", TEXT, nova_folder, FOR_NEGOTIATE, 0,
		"folder of /etc/nova for --target nova (nova.conf.d)")
	ROW('F', "ssh-config", "FILE", TEXT, ssh_config, FOR_FLEET | OF_ROAD, 0,
		"in place of ~/.ssh/config and /etc/ssh/ssh_config; none: no such file")
	ROW('l', "user", "NAME", TEXT, user, FOR_FLEET | OF_ROAD, 0, "log in as this user")
	ROW('p', "port", "PORT", NUMBER, port, FOR_FLEET | OF_ROAD, 65535, "port of sshd (22)")
	ROW('J', "jump", "HOSTS", TEXT, jump, FOR_FLEET | OF_ROAD, 0,
		"reach the nodes through these hosts: [user@]host[:port], by commas")
	ROW('o', "ssh-option", "KEY=VALUE", TEXTS, ssh_values, FOR_FLEET | OF_ROAD, 0,
		"as in ssh_config(5); before what the files say")
	ROW('i', "identity", "FILE", TEXTS, identities, FOR_FLEET | OF_ROAD, 0,
		"private key file, in place of the usual ones of ~/.ssh")
	FLAG(0, "no-agent", no_agent, FOR_FLEET | OF_ROAD, "do not ask ssh-agent")
	ROW(0, "known-hosts", "FILE", TEXTS, known_hosts, FOR_FLEET | OF_ROAD, 0,
		"known host keys, in place of those of ~/.ssh and /etc/ssh")
	FLAG(0, "accept-new", accept_new, FOR_FLEET,
		"accept and record the keys of hosts that are not known yet")
	FLAG(0, "become", become, FOR_FLEET | OF_ROAD, "run the peer through sudo -n")
	ROW(0, "connect", "URI", TEXT, connect, FOR_FLEET | OF_ROAD, 0,
		"libvirt on the nodes (qemu:///system)")
	ROW(0, "connect-timeout", "SECONDS", NUMBER, connect_timeout_s, FOR_FLEET, 86400,
		"for connection, login and start of the peer (30)")
	ROW(0, "timeout", "SECONDS", NUMBER, timeout_s, FOR_FLEET, 86400,
		"for one request to a node (120)")
	ROW(0, "deadline", "SECONDS", NUMBER, deadline_s, FOR_FLEET, 86400,
		"for the whole run; nodes that are being written to are put back (none)")
	ROW(0, "tries", "N", NUMBER, tries, FOR_FLEET, 20,
		"connections to a node that refuses, resets or is full (3)")
	ROW(0, "parallel", "N", NUMBER, parallel, FOR_FLEET, 100000,
		"connections being opened at once (256, or what ulimit -n and memory allow)")
	ROW(0, "threads", "N", NUMBER, threads, FOR_FLEET, FLEET_THREADS_MAX,
		"loops that share the nodes, where there are cores (1)")
	ROW(0, "trace", "NODES", TEXTS, trace, FOR_FLEET, 0,
		"tell what is sent to and by these nodes (a pattern), by name and size")
	ROW(0, "simd", "NAME", TEXT, simd, FOR_LEVEL, 0,
		"kernel for set operations (the best one)")
	FLAG(0, "json", json, FOR_FLEET | FOR_VERSION,
		"one JSON object on standard output (docs/json.md)")
	FLAG('v', "verbose", verbose, FOR_FLEET, "tell each step on standard error")
	FLAG('q', "quiet", quiet, FOR_FLEET | FOR_RENDER | FOR_MERGE, "no progress, only the result and errors")
	FLAG('h', "help", help, ~0u, "this text")
/* clang-format on */
#undef ROW
#undef FLAG
};

const size_t option_count = sizeof(option_rows) / sizeof(option_rows[0]);

_Static_assert(sizeof(option_rows) / sizeof(option_rows[0]) <= (size_t)OPTIONS_MAX,
	"struct options has a bit for each");

enum rc option_set(struct options *out, const struct option_row *row, const char *value,
	struct arena *arena, struct err *e)
{
	void *member = (char *)out + row->offset;
	uint32_t number;

	out->given[(row - option_rows) / 64] |= UINT64_C(1) << (row - option_rows) % 64;
	if (row->argument && value[0] == '\0')
		return err_set(e, RC_USAGE, 0, "%s: --%s needs a %s, not an empty word",
			out->verb->name, row->name, row->argument);
	switch (row->kind) {
	case KIND_FLAG:
		*(bool *)member = true;
		return RC_OK;
	case KIND_TEXT:
		*(const char **)member = value;
		return RC_OK;
	case KIND_TEXTS:
		return texts_add(member, value, arena, e);
	case KIND_NUMBER:
		if (!text_to_u32(value, &number) || number < 1 || number > row->max)
			return err_set(e, RC_USAGE, 0,
				"%s: --%s %s: a number from 1 to %u is needed",
				out->verb->name, row->name, value, row->max);
		*(uint32_t *)member = number;
		return RC_OK;
	}
	return RC_OK;
}

bool option_is_set(const struct options *o, const struct option_row *row)
{
	const void *member = (const char *)o + row->offset;
	const char *text;

	switch (row->kind) {
	case KIND_FLAG:
		return *(const bool *)member;
	case KIND_TEXT:
		text = *(const char *const *)member;
		return text && text[0];
	case KIND_TEXTS:
		return ((const struct texts *)member)->count != 0;
	case KIND_NUMBER:
		return *(const uint32_t *)member != 0;
	}
	return false;
}

/* ---- by name */

const struct option_row *option_of_name(const char *name)
{
	for (size_t i = 0; i < option_count; i++)
		if (strcmp(option_rows[i].name, name) == 0)
			return &option_rows[i];
	return NULL;
}

bool options_have(const struct options *o, const char *name)
{
	const struct option_row *row = option_of_name(name);

	return row && o->given[(row - option_rows) / 64] >> (row - option_rows) % 64 & 1;
}

enum rc options_words(const struct options *o, const char *name, struct arena *arena,
	struct texts *out, struct err *e)
{
	const struct option_row *row = option_of_name(name);
	const void *member = (const char *)o + (row ? row->offset : 0);
	enum rc rc = RC_OK;

	*out = (struct texts){ 0 };
	if (row && row->kind == KIND_TEXT && *(const char *const *)member)
		return texts_add(out, *(const char *const *)member, arena, e);
	if (!row || row->kind != KIND_TEXTS)
		return RC_OK;
	for (size_t i = 0; i < ((const struct texts *)member)->count && rc == RC_OK; i++)
		rc = texts_add(out, ((const struct texts *)member)->item[i], arena, e);
	return rc;
}

enum rc options_put(struct options *o, const char *name, const struct texts *words,
	struct arena *arena, struct err *e)
{
	const struct option_row *row = option_of_name(name);
	enum rc rc = RC_OK;

	if (row && row->kind == KIND_TEXTS)
		*(struct texts *)(void *)((char *)o + row->offset) = (struct texts){ 0 };
	for (size_t i = 0; row && i < words->count && rc == RC_OK; i++)
		rc = option_set(o, row, words->item[i], arena, e);
	return rc;
}

void options_print_help(const struct verb *verb)
{
	printf("Usage: cpuherd %s%s%s\n\n%s.\n", verb->name,
		verb->arguments[0] ? " " : "", verb->arguments, verb->help);
	if (verb->examples[0])
		printf("\nExamples:\n%s", verb->examples);
	printf("\nOptions:\n");
	for (size_t i = 0; i < option_count; i++) {
		char left[64];

		if (!(option_rows[i].verbs & verb->bit))
			continue;
		snprintf(left, sizeof(left), "%c%c%s --%s%s%s",
			option_rows[i].letter ? '-' : ' ',
			option_rows[i].letter ? option_rows[i].letter : ' ',
			option_rows[i].letter ? "," : " ", option_rows[i].name,
			option_rows[i].argument ? " " : "",
			option_rows[i].argument ? option_rows[i].argument : "");
		printf("  %-30s %s\n", left, option_rows[i].help);
	}
}
