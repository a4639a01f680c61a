#include "coordinator/verb/options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "coordinator/cpu/conditions.h"
#include "coordinator/render/format.h"
#include "coordinator/render/nova.h"
#include "proto/texts.h"

enum option_kind { KIND_FLAG, KIND_TEXT, KIND_TEXTS, KIND_NUMBER };

static const struct option_row {
	char letter; /* 0: none */
	const char *name, *argument;
	enum option_kind kind;
	size_t offset;
	unsigned verbs;
	uint32_t max; /* numbers: 1 to max */
	const char *help;
} rows[] = {
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
	ROW(0, "lock", "FILE", TEXTS, locks, FOR_NEGOTIATE | FOR_CHECK | FOR_ADMIT, 0,
		"what was agreed; none: no such file (cpuherd.lock)")
	FLAG(0, "upgrade", upgrade, FOR_NEGOTIATE,
		"make a new level, whatever the lock has; all its nodes must be named")
	ROW(0, "drop", "NODES", TEXTS, drop, FOR_NEGOTIATE, 0,
		"take these nodes out of the lock; they are not asked")
	FLAG(0, "replace", replace, FOR_NEGOTIATE | FOR_ROLLBACK,
		"overwrite what somebody else has put in its place")
	FLAG(0, "restart", restart, FOR_NEGOTIATE,
		"restart what reads the target when it is written, and put all back if it fails")
	ROW(0, "require", "FEATURE", TEXTS, require, FOR_NEGOTIATE | FOR_PLAN, 0,
		"no level without this feature; several are joined by commas")
	ROW(0, "at-least", "NAME", TEXT, at_least, FOR_NEGOTIATE | FOR_PLAN, 0,
		"no level below x86-64-v1 to x86-64-v4, or below a CPU model")
	ROW(0, "model", "NAME", TEXT, model, FOR_NEGOTIATE | FOR_PLAN, 0,
		"build the level on this CPU model")
	ROW(0, "prefer", "RULE", TEXT, prefer, FOR_NEGOTIATE | FOR_PLAN, 0,
		"fewest: the model with the fewest elements; libvirt: the one it would name (fewest)")
	ROW(0, "virt-type", "TYPE", TEXT, virt_type,
		FOR_NEGOTIATE | FOR_PLAN | FOR_RENDER, 0,
		"kvm, qemu, or auto: kvm where all nodes have it (auto)")
	FLAG(0, "cross-vendor", cross_vendor, FOR_NEGOTIATE | FOR_PLAN,
		"one level of no vendor, for nodes of any (at your own risk with kvm)")
	ROW(0, "mitigations", "WHAT", TEXT, mitigations, FOR_NEGOTIATE | FOR_PLAN, 0,
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
	ROW(0, "simd", "NAME", TEXT, simd, FOR_NEGOTIATE | FOR_PLAN, 0,
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

enum { ROWS = sizeof(rows) / sizeof(rows[0]), FIRST_VALUE = 256 };

_Static_assert(ROWS <= 128, "struct options has a bit for each");

static const struct option_row *row_of_letter(int letter)
{
	for (size_t i = 0; i < ROWS; i++)
		if (rows[i].letter && rows[i].letter == letter)
			return &rows[i];
	return NULL;
}

/* "usage" of one verb in one line of error. */
static enum rc complain(
	const struct verb *verb, const char *what, const char *which, struct err *e)
{
	return err_set(e, RC_USAGE, 0, "%s: %s '%s'; see cpuherd %s --help", verb->name,
		what, which, verb->name);
}

static enum rc value_set(struct options *out, const struct option_row *row,
	const char *value, struct arena *arena, struct err *e)
{
	void *member = (char *)out + row->offset;
	uint32_t number;

	out->given[(row - rows) / 64] |= UINT64_C(1) << (row - rows) % 64;
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

static bool is_set(const struct options *o, const struct option_row *row)
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

/* getopt's tables, from ours: options of other verbs are known, so that the
 * complaint can say whose they are. */
static void getopt_tables(char *letters, struct option *longs)
{
	*letters++ = ':'; /* a missing argument is told apart from an unknown option */
	for (size_t i = 0; i < ROWS; i++) {
		longs[i] = (struct option){ rows[i].name,
			rows[i].argument ? required_argument : no_argument, NULL,
			FIRST_VALUE + (int)i };
		if (!rows[i].letter)
			continue;
		*letters++ = rows[i].letter;
		if (rows[i].argument)
			*letters++ = ':';
	}
	*letters = '\0';
	longs[ROWS] = (struct option){ 0 };
}

/* The word that getopt stumbled over: a letter, or the whole long option. */
static enum rc complain_of_getopt(
	const struct verb *verb, bool missing, char **argv, struct err *e)
{
	char letter[] = { '-', (char)optopt, '\0' };
	bool is_letter = optopt > 0 && optopt < FIRST_VALUE;
	const char *word = is_letter ? letter : argv[optind - 1];

	if (missing)
		return complain(verb, "an argument is missing after", word, e);
	if (optopt >= FIRST_VALUE)
		return complain(verb, "no argument is taken by", word, e);
	return complain(verb, "unknown or unclear option", word, e);
}

/* ---- options by name */

static const struct option_row *row_of_name(const char *name)
{
	for (size_t i = 0; i < ROWS; i++)
		if (strcmp(rows[i].name, name) == 0)
			return &rows[i];
	return NULL;
}

bool options_have(const struct options *o, const char *name)
{
	const struct option_row *row = row_of_name(name);

	return row && o->given[(row - rows) / 64] >> (row - rows) % 64 & 1;
}

enum rc options_words(const struct options *o, const char *name, struct arena *arena,
	struct texts *out, struct err *e)
{
	const struct option_row *row = row_of_name(name);
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
	const struct option_row *row = row_of_name(name);
	enum rc rc = RC_OK;

	if (row && row->kind == KIND_TEXTS)
		*(struct texts *)(void *)((char *)o + row->offset) = (struct texts){ 0 };
	for (size_t i = 0; row && i < words->count && rc == RC_OK; i++)
		rc = value_set(o, row, words->item[i], arena, e);
	return rc;
}

static enum rc check_format(const struct options *o, struct arena *arena, struct err *e)
{
	const char *as = o->as ? o->as : "";

	if (o->as && !format_exists(as))
		return err_set(e, RC_USAGE, 0, "%s: --as %s: it is %s", o->verb->name, as,
			format_list(arena));
	if (o->as && o->json)
		return err_set(e, RC_USAGE, 0,
			"%s: --as prints the level alone, --json a report: one of them",
			o->verb->name);
	if (!o->nova_release)
		return RC_OK;
	if (!format_has_releases(as) && !texts_have(&o->targets, "nova"))
		return err_set(e, RC_USAGE, 0, "%s: --nova-release goes with %s",
			o->verb->name,
			o->verb->bit == FOR_NEGOTIATE ? "--target nova"
						      : "--as nova, devstack or zuul");
	if (!nova_find_release(o->nova_release))
		return err_set(e, RC_USAGE, 0, "%s: --nova-release %s: it is %s",
			o->verb->name, o->nova_release, nova_list_releases(arena));
	return RC_OK;
}

/* Nobody should find all domains changed who did not say so. */
static enum rc check_domains(const struct options *o, struct err *e)
{
	bool is_target = texts_have(&o->targets, "domains");

	if (is_target && !o->domains.count)
		return err_set(e, RC_USAGE, 0,
			"%s: --target domains: which? --domains all, tag, or their names",
			o->verb->name);
	if (!is_target && (o->domains.count || o->machine))
		return err_set(e, RC_USAGE, 0, "%s: --%s goes with --target domains",
			o->verb->name, o->domains.count ? "domains" : "machine");
	if (o->machine && !text_is_name(o->machine))
		return err_set(e, RC_USAGE, 0, "%s: --machine %s: no machine type",
			o->verb->name, o->machine);
	return RC_OK;
}

static enum rc options_check(const struct options *o, struct err *e)
{
	if (strcmp(o->virt_type, "auto") != 0 && virt_of(o->virt_type) == VIRT_COUNT)
		return err_set(e, RC_USAGE, 0,
			"%s: --virt-type %s: it is kvm, qemu or auto", o->verb->name,
			o->virt_type);
	if (mitigation_floor_of(o->mitigations) == FLOOR_COUNT)
		return err_set(e, RC_USAGE, 0,
			"%s: --mitigations %s: it is warn, require or ignore",
			o->verb->name, o->mitigations);
	if (!text_is_name(o->level_name))
		return err_set(e, RC_USAGE, 0,
			"%s: --level-name %s: at most 128 letters, digits, '.', '_' and "
			"'-' make "
			"a name",
			o->verb->name, o->level_name);
	if (o->from && (o->nodes.count || o->hosts_files.count))
		return err_set(e, RC_USAGE, 0,
			"%s: --from takes its nodes from there; name no others",
			o->verb->name);
	if (o->from && o->save)
		return err_set(e, RC_USAGE, 0, "%s: --save what came --from files?",
			o->verb->name);
	return RC_OK;
}

/* /etc/nova/NAME is as good as NAME. */
static enum rc check_nova_folder(struct options *o, struct err *e)
{
	static const char base[] = "/etc/nova/";

	if (!o->nova_folder)
		return RC_OK;
	if (!texts_have(&o->targets, "nova"))
		return err_set(e, RC_USAGE, 0,
			"%s: --nova-conf-dir goes with --target nova", o->verb->name);
	if (text_starts_with(o->nova_folder, base))
		o->nova_folder += strlen(base);
	if (!text_is_name(o->nova_folder))
		return err_set(e, RC_USAGE, 0,
			"%s: --nova-conf-dir %s: it is the name of a folder in %s",
			o->verb->name, o->nova_folder, base);
	return RC_OK;
}

static enum rc options_read(
	struct options *out, int argc, char **argv, struct arena *arena, struct err *e)
{
	struct option longs[ROWS + 1];
	char letters[2 * ROWS + 2];
	enum rc rc = RC_OK;
	int found;

	getopt_tables(letters, longs);
	opterr = 0;
	optind = 1;
	while (rc == RC_OK &&
		(found = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		const struct option_row *row = found >= FIRST_VALUE
						       ? &rows[found - FIRST_VALUE]
						       : row_of_letter(found);

		if (found == '?' || found == ':')
			rc = complain_of_getopt(out->verb, found == ':', argv, e);
		else if (!(row->verbs & out->verb->bit))
			rc = complain(out->verb, "it takes no option",
				arena_format(arena, "--%s", row->name), e);
		else
			rc = value_set(out, row, optarg, arena, e);
	}
	for (int i = optind; i < argc && rc == RC_OK; i++)
		rc = texts_add(&out->nodes, argv[i], arena, e);
	return rc;
}

enum rc options_parse(struct options *out, const struct verb *verb, int argc, char **argv,
	struct arena *arena, struct err *e)
{
	enum rc rc;

	*out = (struct options){ .verb = verb,
		.virt_type = "auto",
		.level_name = "baseline",
		.connect = "",
		.mitigations = mitigation_floor_names[FLOOR_WARN] };
	rc = options_read(out, argc, argv, arena, e);
	out->dry_run |= out->check;
	if (rc == RC_OK && !out->help)
		rc = options_check(out, e);
	if (rc == RC_OK && !out->help)
		rc = check_domains(out, e);
	if (rc == RC_OK && !out->help)
		rc = check_format(out, arena, e);
	if (rc == RC_OK && !out->help)
		rc = check_nova_folder(out, e);
	return rc;
}

/* ---- how nodes are reached, written down and taken over */

enum rc options_absolute(const char **path, struct arena *arena, struct err *e)
{
	char *here;

	if ((*path)[0] == '\0' || (*path)[0] == '/' || (*path)[0] == '~')
		return RC_OK;
	here = getcwd(NULL, 0);
	if (!here)
		return err_set(e, RC_INPUT, errno, "%s: %s", *path, strerror(errno));
	*path = arena_format(arena, "%s/%s", here, *path);
	free(here);
	return *path ? RC_OK : err_memory(e);
}

static enum rc road_add(const struct option_row *row, const char *value,
	struct texts *words, struct arena *arena, struct err *e)
{
	bool is_file = row->argument && strcmp(row->argument, "FILE") == 0 &&
		       strcmp(value, "none") != 0;
	enum rc rc = is_file ? options_absolute(&value, arena, e) : RC_OK;

	if (rc == RC_OK)
		rc = texts_add(words, row->name, arena, e);
	return rc == RC_OK ? texts_add(words, value, arena, e) : rc;
}

static enum rc road_add_row(const struct options *o, const struct option_row *row,
	struct texts *words, struct arena *arena, struct err *e)
{
	const void *member = (const char *)o + row->offset;
	const struct texts *texts = member;
	enum rc rc = RC_OK;

	switch (row->kind) {
	case KIND_FLAG:
		return *(const bool *)member ? road_add(row, "", words, arena, e) : RC_OK;
	case KIND_TEXT:
		return is_set(o, row) ? road_add(row, *(const char *const *)member, words,
						arena, e)
				      : RC_OK;
	case KIND_NUMBER:
		return is_set(o, row) ? road_add(row,
						arena_format(arena, "%u",
							*(const uint32_t *)member),
						words, arena, e)
				      : RC_OK;
	case KIND_TEXTS:
		for (size_t i = 0; i < texts->count && rc == RC_OK; i++)
			rc = road_add(row, texts->item[i], words, arena, e);
		return rc;
	}
	return rc;
}

enum rc options_road(
	const struct options *o, struct texts *words, struct arena *arena, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < ROWS && rc == RC_OK; i++)
		if (rows[i].verbs & OF_ROAD)
			rc = road_add_row(o, &rows[i], words, arena, e);
	return rc;
}

static const struct option_row *row_of_road(const char *name)
{
	for (size_t i = 0; i < ROWS; i++)
		if ((rows[i].verbs & OF_ROAD) && strcmp(rows[i].name, name) == 0)
			return &rows[i];
	return NULL;
}

enum rc options_take_road(
	struct options *o, const struct texts *words, struct arena *arena, struct err *e)
{
	const struct options given = *o;
	enum rc rc = RC_OK;

	for (size_t i = 0; i + 1 < words->count && rc == RC_OK; i += 2) {
		const struct option_row *row = row_of_road(words->item[i]);

		if (!row)
			return err_set(e, RC_INPUT, 0,
				"the journal was written by another version of cpuherd: "
				"it has an option '%s'",
				words->item[i]);
		if (!is_set(&given, row))
			rc = value_set(o, row, words->item[i + 1], arena, e);
	}
	return rc;
}

void options_print_help(const struct verb *verb)
{
	printf("Usage: cpuherd %s%s%s\n\n%s.\n", verb->name,
		verb->arguments[0] ? " " : "", verb->arguments, verb->help);
	if (verb->examples[0])
		printf("\nExamples:\n%s", verb->examples);
	printf("\nOptions:\n");
	for (size_t i = 0; i < ROWS; i++) {
		char left[64];

		if (!(rows[i].verbs & verb->bit))
			continue;
		snprintf(left, sizeof(left), "%c%c%s --%s%s%s",
			rows[i].letter ? '-' : ' ', rows[i].letter ? rows[i].letter : ' ',
			rows[i].letter ? "," : " ", rows[i].name,
			rows[i].argument ? " " : "",
			rows[i].argument ? rows[i].argument : "");
		printf("  %-30s %s\n", left, rows[i].help);
	}
}
