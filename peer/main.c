/* cpuherd-peer: the part of cpuherd that runs on a node.
 *
 *	main.c			options
 *	serve*.c dialogue.h	the dialogue with the coordinator: its requests, answered
 *	stream.[ch]		frames in and out
 *	watchdog.[ch]		an end to calls that never return
 *	gather.[ch]		struct node_facts, from:
 *	  host.[ch]		  kernel, microcode, module parameters
 *	  cores.[ch] cpuid.[ch]	  CPUID of every logical CPU; leaves.[ch]: which it has
 *	  kvm.[ch]		  /dev/kvm
 *	  libvirt*.[ch] xml.[ch]  libvirt, which also judges proposed CPUs
 *	  nova*.[ch] ini.[ch]	  nova: which files it reads, what they say of CPUs
 *	migration.[ch] libvirt_migrate.c a trial guest is sent to another node:
 *	  reach*.[ch] guest_log.[ch] why it did not arrive
 *	  child.[ch]		  calls that may never return
 *	run*.[ch] change*.[ch]	a run: changes that are made, or put back, together; made of
 *	  place*.[ch] folder.[ch] files of the closed list of places
 *	  domain.[ch] libvirt_domain.[ch] the <cpu> of a domain, through libvirt
 *	  cpumap*.[ch] libvirt_map.[ch] a trial of libvirt's cpu_map, before it is written
 *	  unit.[ch] command.[ch]  services that are restarted; programs with an end in time
 *	  store.[ch] journal*.[ch] what outlives the process:
 *	  notes.[ch] written.[ch]   how far a run is, what finished runs wrote
 *	  hold.[ch]		  one run at a time
 *	trial guests:
 *	  trial*.[ch] libvirt_guest.[ch] qmp.[ch] started, seen, ended
 *	  kernel/ pulse.[ch]	  what runs in them, and how it is seen from here
 *	  scratch*.[ch]		  what they have in the file system
 *	  guard.[ch]		  their end, when the peer is killed
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/hex.h"
#include "peer/serve.h"
#include "peer/watchdog.h"
#include "proto/dump.h"
#include "proto/limits.h"

enum value { NO_VALUE, CONNECT, FIRST, VALUE_COUNT };

struct options {
	enum rc (*run)(const struct options *o, struct err *e);
	const char *value[VALUE_COUNT]; /* NULL: not given */
};

static enum rc print_help(const struct options *o, struct err *e);

static enum rc read_first(
	const char *hex, uint8_t frames[LIMIT_FIRST_BYTES], size_t *size, struct err *e)
{
	*size = strlen(hex) / 2;
	if (*size > LIMIT_FIRST_BYTES)
		return err_set(e, RC_USAGE, 0, "--first: %zu bytes, %d are accepted",
			*size, LIMIT_FIRST_BYTES);
	if (!hex_read(hex, frames, *size))
		return err_set(e, RC_USAGE, 0,
			"--first: two digits of 0-9a-f are needed for each byte");
	return RC_OK;
}

static enum rc serve(const struct options *o, struct err *e)
{
	const char *hex = o->value[FIRST] ? o->value[FIRST] : "";
	struct serve how = serve_standard;
	uint8_t frames[LIMIT_FIRST_BYTES];
	enum rc rc = read_first(hex, frames, &how.first.size, e);

	how.first.data = frames;
	return rc == RC_OK ? serve_run(&how, e) : rc;
}

static enum rc print_text(const char *text, size_t size, struct err *e)
{
	if (fwrite(text, 1, size, stdout) != size || fflush(stdout) != 0)
		return err_set(e, RC_OUTPUT, 0, "standard output cannot be written");
	return RC_OK;
}

static void say_late(void *context)
{
	static const char text[] =
		"cpuherd-peer: libvirt does not answer; no facts are printed\n";

	(void)context;
	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
		return;
}

static enum rc print_facts(const struct options *o, struct err *e)
{
	const char *connect = o->value[CONNECT] ? o->value[CONNECT] : "qemu:///system";
	struct watchdog_last_words words = { say_late, NULL };
	struct buf text = buf_with_cap(LIMIT_DUMP_BYTES);
	struct arena arena = { 0 };
	struct node_facts facts;
	enum rc rc;

	if (!libvirt_uri_is_allowed(connect))
		return err_set(e, RC_USAGE, 0,
			"--connect %.64s: qemu:///system or qemu:///session is needed",
			connect);
	watchdog_arm(SERVE_LIMIT_S, rc_exit_status(RC_TIMEOUT), &words);
	rc = gather_facts(&facts, connect, &arena, e);
	watchdog_disarm();
	if (rc == RC_OK)
		rc = dump_write(&text, &facts, e);
	if (rc == RC_OK)
		rc = print_text(
			(const char *)buf_bytes(&text).data, buf_bytes(&text).size, e);
	buf_destroy(&text);
	arena_destroy(&arena);
	return rc;
}

static enum rc print_protocol(const struct options *o, struct err *e)
{
	char text[32];
	int n = snprintf(text, sizeof(text), "%d\n", PROTOCOL_VERSION);

	(void)o;
	return print_text(text, (size_t)n, e);
}

static enum rc print_version(const struct options *o, struct err *e)
{
	static const char text[] = "cpuherd-peer " CPUHERD_VERSION "\n";

	(void)o;
	return print_text(text, sizeof(text) - 1, e);
}

static const struct option_row {
	const char *name, *meaning;
	enum rc (*run)(const struct options *o, struct err *e); /* this, or with this */
	enum value value;
	const char *needed, *company; /* by an option that takes a value */
} option_rows[] = {
	{ "--facts", "print everything known about this node as text", print_facts,
		NO_VALUE, NULL, NULL },
	{ "--connect",
		"URI of libvirt for --facts: qemu:///system (the default) or\n"
		"\t\tqemu:///session",
		print_facts, CONNECT, "a URI", "--facts only" },
	{ "--first",
		"hexadecimal digits: what stands in front of standard input when\n"
		"\t\tthe protocol is served",
		serve, FIRST, "hexadecimal digits", "no other option" },
	{ "--protocol", "print the version of the protocol", print_protocol, NO_VALUE,
		NULL, NULL },
	{ "--version", "print the version of the program", print_version, NO_VALUE, NULL,
		NULL },
	{ "--help", "print this", print_help, NO_VALUE, NULL, NULL },
};

enum { OPTION_COUNT = sizeof(option_rows) / sizeof(option_rows[0]) };

static enum rc print_help(const struct options *o, struct err *e)
{
	static const char head[] =
		"cpuherd-peer [--first HEX | --facts [--connect URI] | "
		"--protocol | --version |\n"
		"              --help]\n"
		"\n"
		"The part of cpuherd that runs on a node.  Without an "
		"option, or with --first,\n"
		"it serves the protocol of cpuherd on standard input "
		"and output; cpuherd starts\n"
		"it so.\n"
		"\n";
	enum rc rc = print_text(head, sizeof(head) - 1, e);

	(void)o;
	for (int i = 0; i < OPTION_COUNT && rc == RC_OK; i++) {
		char line[256];
		int n = snprintf(line, sizeof(line), "  %s\t%s\n", option_rows[i].name,
			option_rows[i].meaning);

		rc = print_text(line, (size_t)n, e);
	}
	return rc;
}

static const struct option_row *option_of(const char *name)
{
	for (int i = 0; i < OPTION_COUNT; i++)
		if (strcmp(option_rows[i].name, name) == 0)
			return &option_rows[i];
	return NULL;
}

/* Takes what the option at *argv says; *argv moves to its value. */
static enum rc parse_one(char ***argv, struct options *o, struct err *e)
{
	const char *name = **argv;
	const struct option_row *row = option_of(name);

	if (!row)
		return err_set(e, RC_USAGE, 0,
			"%.64s is no option; see cpuherd-peer --help", name);
	if (row->value) {
		o->value[row->value] = *++*argv;
		return **argv ? RC_OK
			      : err_set(e, RC_USAGE, 0, "%s needs %s", name, row->needed);
	}
	if (o->run)
		return err_set(e, RC_USAGE, 0, "%s: one thing at a time", name);
	o->run = row->run;
	return RC_OK;
}

static enum rc parse(char **argv, struct options *o, struct err *e)
{
	enum rc rc = RC_OK;

	for (; rc == RC_OK && *argv; argv++)
		rc = parse_one(&argv, o, e);
	if (rc != RC_OK)
		return rc;
	o->run = o->run ? o->run : serve;
	for (int i = 0; i < OPTION_COUNT; i++) {
		const struct option_row *row = &option_rows[i];

		if (o->value[row->value] && o->run != row->run)
			return err_set(e, RC_USAGE, 0, "%s goes with %s", row->name,
				row->company);
	}
	return RC_OK;
}

int main(int argc, char **argv)
{
	struct options o = { 0 };
	struct err e;
	enum rc rc = parse(argc > 0 ? argv + 1 : argv, &o, &e);

	if (rc == RC_OK)
		rc = o.run(&o, &e);
	if (rc != RC_OK)
		fprintf(stderr, "cpuherd-peer: %s\n", e.text);
	return rc_exit_status(rc);
}
