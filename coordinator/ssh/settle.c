/* From the lines that are for a host to its settings: defaults, tokens, sharing. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/log.h"
#include "coordinator/ssh/address.h"
#include "coordinator/ssh/expand.h"
#include "coordinator/ssh/resolving.h"
#include "coordinator/ssh/shape.h"

enum { SSH_PORT = 22 };

static const char *value_of(const struct resolving *r, enum keyword key)
{
	const struct config_line *line = r->given.first[key];

	return line ? line->words.item[0] : NULL;
}

/* Puts the line in front of the error's text. */
static enum rc located(
	const struct resolving *r, const struct config_line *line, struct err *e)
{
	struct err inner = *e;
	const char *text = config_line_text(line, inner.text, r->c->arena);

	if (inner.code != RC_INPUT || !text)
		return inner.code;
	return err_set(e, RC_INPUT, inner.native, "%s", text);
}

/* A value, expanded and interned. */
static enum rc expanded(const struct resolving *r, const struct config_line *line,
	const char *word, const struct expand *how, const char **out, struct err *e)
{
	struct buf text = buf_with_cap(EXPANDED_MAX);
	enum rc rc = expand_text(&text, word, how, e);

	if (rc == RC_OK) {
		*out = intern_text(&r->c->intern, (const char *)buf_bytes(&text).data);
		rc = *out ? RC_OK : err_memory(e);
	} else {
		located(r, line, e);
	}
	buf_destroy(&text);
	return rc;
}

/* ---- the name */

enum rc settle_host(struct resolving *r, const char **host, struct err *e)
{
	const struct config_line *line = r->given.first[KEY_HOSTNAME];
	const struct expand_token tokens[] = { { 'h', r->target.host }, { 0, NULL } };
	const struct expand how = { .tokens = tokens };
	char address[ADDRESS_MAX], *lower;
	enum rc rc = RC_OK;

	*host = line ? line->words.item[0] : r->target.host;
	if (r->final_host && !r->is_answered)
		*host = r->final_host;
	if (r->final_host || r->is_answered)
		return RC_OK;
	if (line)
		rc = expanded(r, line, *host, &how, host, e);
	if (rc != RC_OK)
		return rc;
	if (address_normalize(*host, address)) {
		*host = intern_text(&r->c->intern, address);
		return *host ? RC_OK : err_memory(e);
	}
	/* an address with a zone stays as it is */
	if (strchr(*host, ':'))
		return RC_OK;
	lower = arena_text(r->c->arena, *host);
	if (!lower)
		return err_memory(e);
	for (char *c = lower; *c; c++)
		*c = (char)tolower((unsigned char)*c);
	*host = lower;
	return RC_OK;
}

/* ---- lists of files */

/* Adds the line's words to a list; "none" adds nothing. */
static enum rc add_files(struct resolving *r, const struct config_line *line,
	const struct expand *how, struct texts *list, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < line->words.count && rc == RC_OK; i++) {
		const char *word = line->words.item[i];

		if (strcasecmp(word, "none") == 0)
			continue;
		if (how)
			rc = expanded(r, line, word, how, &word, e);
		else
			word = intern_text(&r->c->intern, word);
		if (rc == RC_OK)
			rc = texts_add(list, word, r->c->arena, e);
	}
	return rc;
}

static enum rc add_usual(
	struct resolving *r, const struct texts *usual, struct texts *list, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < usual->count && rc == RC_OK; i++)
		rc = texts_add(list, usual->item[i], r->c->arena, e);
	return rc;
}

static enum rc share(struct resolving *r, struct texts *list, struct err *e)
{
	struct texts built = *list;

	return intern_list(&r->c->intern, &built, list) ? RC_OK : err_memory(e);
}

/* New keys go to the first file, which must never be the system's: where the user wants
 * none, they go nowhere. */
static enum rc settle_known_hosts(struct resolving *r, const struct expand *files,
	struct ssh_settings *s, struct err *e)
{
	const struct config_line *user = r->given.first[KEY_USER_KNOWN];
	const struct config_line *system = r->given.first[KEY_GLOBAL_KNOWN];
	struct texts *list = &s->known_hosts;
	enum rc rc;

	if (r->c->options->known_hosts.count) {
		*list = r->c->options->known_hosts;
		return RC_OK;
	}
	rc = user ? add_files(r, user, r->is_answered ? NULL : files, list, e)
		  : add_usual(r, &r->c->usual_known_user, list, e);
	if (rc == RC_OK && list->count == 0)
		rc = texts_add(
			list, intern_text(&r->c->intern, "/dev/null"), r->c->arena, e);
	if (rc == RC_OK)
		rc = system ? add_files(r, system, NULL, list, e)
			    : add_usual(r, &r->c->usual_known_system, list, e);
	return rc == RC_OK ? share(r, list, e) : rc;
}

/* With -i a missing file is an error, so those of the configuration, which may be missing,
 * are looked for here. */
static enum rc settle_identities(struct resolving *r, const struct expand *files,
	struct ssh_settings *s, struct err *e)
{
	const struct given *g = &r->given;
	struct texts *list = &s->identity_files;
	size_t named = r->target.identity ? 1 : r->is_jump ? 0 : r->c->identities.count;
	enum rc rc = RC_OK;

	if (g->identities == 0)
		rc = add_usual(r, &r->c->usual_identities, list, e);
	for (size_t i = 0; i < g->identities && rc == RC_OK; i++) {
		const struct config_line *line = g->identity[i];
		bool is_named = i < named;

		rc = add_files(r, line, files, list, e);
		s->identities_named |= is_named;
		if (rc == RC_OK && s->identities_named && !is_named && list->count &&
			access(list->item[list->count - 1], F_OK) != 0)
			list->count--;
	}
	return rc == RC_OK ? share(r, list, e) : rc;
}

/* ---- the agent */

static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

static enum rc settle_agent(struct resolving *r, const struct expand *files,
	struct ssh_settings *s, struct err *e)
{
	const struct config_line *line = r->given.first[KEY_IDENTITY_AGENT];
	const char *word = line ? line->words.item[0] : "SSH_AUTH_SOCK";

	if (r->c->options->no_agent || strcasecmp(word, "none") == 0)
		return RC_OK;
	if (strcmp(word, "SSH_AUTH_SOCK") == 0)
		s->agent = variable(word);
	else if (word[0] == '$' && word[1] != '{')
		s->agent = variable(word + 1);
	else if (r->is_answered)
		s->agent = word;
	else
		return expanded(r, line, word, files, &s->agent, e);
	return RC_OK;
}

/* ---- the way */

static enum rc check_loop(struct resolving *r, const struct config_line *line,
	const struct ssh_settings *s, const char *last, struct err *e)
{
	char text[HOST_NAME_ROOM];
	struct shape_jump jump;

	snprintf(text, sizeof(text), "%s", last);
	if (strlen(last) >= sizeof(text) || !shape_read_jump(text, &jump)) {
		err_set(e, RC_INPUT, 0, "'%s' is no [user@]host[:port]", last);
		return located(r, line, e);
	}
	if (strcmp(jump.host, s->host) != 0 ||
		s->port != (jump.port ? jump.port : SSH_PORT))
		return RC_OK;
	if (jump.user && strcmp(jump.user, s->user) != 0)
		return RC_OK;
	err_set(e, RC_INPUT, 0, "%s would be reached through itself%s", s->host,
		line->number ? "; a ! before its name keeps it out of a Host block" : "");
	return located(r, line, e);
}

static enum rc settle_jump(struct resolving *r, const struct expand *way,
	struct ssh_settings *s, struct err *e)
{
	const struct config_line *line = r->given.first[KEY_PROXY_JUMP];
	const char *text, *last;
	enum rc rc = expanded(r, line, line->words.item[0], way, &text, e);

	if (rc != RC_OK)
		return rc;
	last = strrchr(text, ',');
	rc = check_loop(r, line, s, last ? last + 1 : text, e);
	if (rc != RC_OK)
		return rc;
	if (r->depth >= JUMPS_MAX) {
		err_set(e, RC_INPUT, 0, "more than %d jump hosts, one behind the other",
			JUMPS_MAX);
		return located(r, line, e);
	}
	return resolve_jump(r->c, text, r->depth + 1, &s->jump, e);
}

/* Names go into a command line of /bin/sh: what came from outside of the configuration
 * must be a name. */
static bool is_tame(const char *text)
{
	return text[0] != '-' && !strpbrk(text, "'`\"$\\;&<>|(){} \t\n");
}

static enum rc settle_way(struct resolving *r, const struct expand *way,
	struct ssh_settings *s, struct err *e)
{
	const char *jump = value_of(r, KEY_PROXY_JUMP);
	const struct config_line *line = r->given.first[KEY_PROXY_COMMAND];

	if (jump && strcasecmp(jump, "none") != 0)
		return settle_jump(r, way, s, e);
	if (!line || strcasecmp(line->words.item[0], "none") == 0)
		return RC_OK;
	if (!is_tame(r->target.host) || (r->target.user && !is_tame(r->target.user))) {
		err_set(e, RC_INPUT, 0, "'%s@%s' is nothing to give to a shell", s->user,
			r->target.host);
		return located(r, line, e);
	}
	return expanded(r, line, line->words.item[0], way, &s->proxy_command, e);
}

/* ---- what cpuherd does not do */

static enum rc tell_once(struct resolving *r, const struct config_line *line,
	enum log_level level, const char *why, struct err *e)
{
	const char *text = config_line_text(line, why, r->c->arena);
	struct intern_slot *slot = text ? intern_find(&r->c->intern, text) : NULL;

	if (!slot)
		return err_memory(e);
	if (!slot->attached)
		log_line(level, NULL, "%s", text);
	slot->attached = slot;
	return RC_OK;
}

static enum rc check_rest(
	struct resolving *r, const struct ssh_settings *s, struct err *e)
{
	for (enum keyword key = 0; key < KEY_COUNT; key++) {
		const struct keyword_row *row = keyword_row_of(key);
		const struct config_line *line = r->given.first[key];
		enum rc rc = RC_OK;

		if (!line || keyword_is_neutral(row, line->words.item[0]))
			continue;
		if (row->class == CLASS_REFUSED &&
			(key != KEY_FDPASS || s->proxy_command)) {
			err_set(e, RC_INPUT, 0, "%s", row->why);
			return located(r, line, e);
		}
		if (row->class == CLASS_WARNED || row->class == CLASS_NOTED)
			rc = tell_once(r, line,
				row->class == CLASS_WARNED ? LOG_WARN : LOG_INFO,
				row->why, e);
		if (rc != RC_OK)
			return rc;
	}
	return RC_OK;
}

/* ---- all of it */

static void settle_words(struct resolving *r, struct ssh_settings *s)
{
	const struct ssh_options *o = r->c->options;
	const char *word;

	s->user = value_of(r, KEY_USER) ? value_of(r, KEY_USER) : r->c->local_user;
	s->port = SSH_PORT;
	if ((word = value_of(r, KEY_PORT)))
		shape_read_port(word, &s->port);
	if ((word = value_of(r, KEY_IDENTITIES_ONLY)))
		keyword_read_flag(word, &s->identities_only);
	s->strict = SSH_STRICT_YES;
	if ((word = value_of(r, KEY_STRICT)))
		shape_read_strict(word, &s->strict);
	if (o->accept_new)
		s->strict = SSH_STRICT_NEW;
	if ((word = value_of(r, KEY_CONNECT_TIMEOUT)))
		shape_read_time(word, &s->connect_timeout_s);
	if (o->connect_timeout_s)
		s->connect_timeout_s = o->connect_timeout_s;
	s->host_key_alias = value_of(r, KEY_ALIAS);
	s->host_key_algorithms = value_of(r, KEY_ALGORITHMS);
}

enum rc settle(struct resolving *r, const struct ssh_settings **out, struct err *e)
{
	const struct ssh_config *c = r->c;
	struct ssh_settings *s = arena_alloc(c->arena, 1, sizeof(*s));
	char port[8];
	enum rc rc = s ? settle_host(r, &s->host, e) : err_memory(e);

	if (rc != RC_OK)
		return rc;
	settle_words(r, s);
	snprintf(port, sizeof(port), "%u", s->port);
	/* those of the way first: they are fewer */
	const struct expand_token tokens[] = { { 'L', c->short_name },
		{ 'l', c->host_name }, { 'd', c->home }, { 'i', c->uid },
		{ 'u', c->local_user },
		{ 'k', s->host_key_alias ? s->host_key_alias : r->target.host },
		{ 'h', s->host }, { 'n', r->target.host }, { 'p', port },
		{ 'r', s->user }, { 0, NULL } };
	const struct expand files = { c->home, tokens, true };
	const struct expand way = { c->home, tokens + 6, false };

	rc = settle_identities(r, &files, s, e);
	if (rc == RC_OK)
		rc = settle_known_hosts(r, &files, s, e);
	if (rc == RC_OK)
		rc = settle_agent(r, &files, s, e);
	if (rc == RC_OK)
		rc = settle_way(r, &way, s, e);
	if (rc == RC_OK)
		rc = check_rest(r, s, e);
	*out = s;
	return rc;
}
