/* The words behind a verb, read by the table. */
#include <getopt.h>

#include "coordinator/cpu/conditions.h"
#include "coordinator/verb/options_private.h"
#include "proto/texts.h"

enum { FIRST_VALUE = 256 }; /* above any letter */

static const struct option_row *row_of_letter(int letter)
{
	for (size_t i = 0; i < option_count; i++)
		if (option_rows[i].letter && option_rows[i].letter == letter)
			return &option_rows[i];
	return NULL;
}

/* "usage" of one verb in one line of error. */
static enum rc complain(
	const struct verb *verb, const char *what, const char *which, struct err *e)
{
	return err_set(e, RC_USAGE, 0, "%s: %s '%s'; see cpuherd %s --help", verb->name,
		what, which, verb->name);
}

/* getopt's tables, from ours: options of other verbs are known, so that the
 * complaint can say whose they are. */
static void getopt_tables(char *letters, struct option *longs)
{
	*letters++ = ':'; /* a missing argument is told apart from an unknown option */
	for (size_t i = 0; i < option_count; i++) {
		longs[i] = (struct option){ option_rows[i].name,
			option_rows[i].argument ? required_argument : no_argument, NULL,
			FIRST_VALUE + (int)i };
		if (!option_rows[i].letter)
			continue;
		*letters++ = option_rows[i].letter;
		if (option_rows[i].argument)
			*letters++ = ':';
	}
	*letters = '\0';
	longs[option_count] = (struct option){ 0 };
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

static enum rc options_read(
	struct options *out, int argc, char **argv, struct arena *arena, struct err *e)
{
	struct option longs[OPTIONS_MAX + 1];
	char letters[2 * OPTIONS_MAX + 2];
	enum rc rc = RC_OK;
	int found;

	getopt_tables(letters, longs);
	opterr = 0;
	optind = 1;
	while (rc == RC_OK &&
		(found = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
		const struct option_row *row = found >= FIRST_VALUE
						       ? &option_rows[found - FIRST_VALUE]
						       : row_of_letter(found);

		if (found == '?' || found == ':')
			rc = complain_of_getopt(out->verb, found == ':', argv, e);
		else if (!(row->verbs & out->verb->bit))
			rc = complain(out->verb, "it takes no option",
				arena_format(arena, "--%s", row->name), e);
		else
			rc = option_set(out, row, optarg, arena, e);
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
		rc = options_check(out, arena, e);
	return rc;
}
