#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "coordinator/ssh/ask.h"
#include "coordinator/ssh/defaults.h"
#include "coordinator/ssh/resolving.h"
#include "coordinator/ssh/shape.h"

static const char system_file[] = "/etc/ssh/ssh_config";

/* ---- reading */

/* ssh goes by the user database, not by HOME: so does this, where the user is in it. */
static enum rc find_user(struct ssh_config *c, struct err *e)
{
	const struct passwd *user = getpwuid(getuid());
	const char *home = user ? user->pw_dir : getenv("HOME");
	const char *name = user ? user->pw_name : getenv("USER");

	if (c->options->home)
		home = c->options->home;
	if (!name || !*name || !home || !*home)
		return err_set(e, RC_INPUT, 0,
			"the user database has no user %u: set USER and HOME",
			(unsigned)getuid());
	c->home = arena_text(c->arena, home);
	c->local_user = arena_text(c->arena, name);
	snprintf(c->uid, sizeof(c->uid), "%u", (unsigned)getuid());
	if (gethostname(c->host_name, sizeof(c->host_name) - 1) != 0)
		c->host_name[0] = '\0';
	memcpy(c->short_name, c->host_name, sizeof(c->short_name));
	c->short_name[strcspn(c->short_name, ".")] = '\0';
	return c->home && c->local_user ? RC_OK : err_memory(e);
}

static enum rc take_defaults(struct ssh_config *c, struct err *e)
{
	enum rc rc = defaults_add_identities(
		&c->usual_identities, c->home, &c->intern, e);

	if (rc == RC_OK)
		rc = defaults_add_known_hosts(&c->usual_known_user,
			&c->usual_known_system, c->home, &c->intern, e);
	return rc;
}

static enum rc read_options(struct ssh_config *c, struct err *e)
{
	const struct ssh_options *o = c->options;
	char port[8];
	enum rc rc = RC_OK;

	snprintf(port, sizeof(port), "%u", o->port);
	if (o->user)
		rc = config_add_value(&c->command, "User", o->user, e);
	if (rc == RC_OK && o->port)
		rc = config_add_value(&c->command, "Port", arena_text(c->arena, port), e);
	if (rc == RC_OK && o->jump)
		rc = config_add_option(
			&c->command, arena_format(c->arena, "ProxyJump=%s", o->jump), e);
	for (size_t i = 0; i < o->values.count && rc == RC_OK; i++)
		rc = config_add_option(&c->command, o->values.item[i], e);
	for (size_t i = 0; i < o->identities.count && rc == RC_OK; i++)
		rc = config_add_value(
			&c->identities, "IdentityFile", o->identities.item[i], e);
	return rc;
}

static enum rc read_files(struct ssh_config *c, struct err *e)
{
	const char *file = c->options->file;
	char *own;
	enum rc rc;

	if (file && strcmp(file, "none") == 0)
		return RC_OK;
	if (file)
		return config_add_file(&c->files, file, CONFIG_NAMED, e);
	own = arena_format(c->arena, "%s/.ssh/config", c->home);
	if (!own)
		return err_memory(e);
	rc = config_add_file(&c->files, own, CONFIG_USER, e);
	return rc == RC_OK ? config_add_file(&c->files, system_file, CONFIG_SYSTEM, e)
			   : rc;
}

struct ssh_config *ssh_config_load(
	const struct ssh_options *options, struct arena *arena, struct err *e)
{
	struct ssh_config *c = arena_alloc(arena, 1, sizeof(*c));

	if (!c) {
		err_memory(e);
		return NULL;
	}
	c->options = options;
	c->arena = c->intern.arena = arena;
	if (find_user(c, e) != RC_OK || take_defaults(c, e) != RC_OK)
		return NULL;
	c->files = (struct config){ .arena = arena, .home = c->home };
	c->command = (struct config){ .arena = arena, .source = "command line:" };
	c->identities = c->command;
	if (read_options(c, e) != RC_OK || read_files(c, e) != RC_OK)
		return NULL;
	return c;
}

size_t ssh_config_asked(const struct ssh_config *c)
{
	return c->asked;
}

/* ---- which lines are for it */

/* What stands before all options and files: user@host:port, and a jump host's own jumps. */
static enum rc read_own(struct resolving *r, struct err *e)
{
	struct arena *arena = r->c->arena;
	enum rc rc = RC_OK;

	r->own = (struct config){ .arena = arena, .source = r->target.host };
	if (r->target.user)
		rc = config_add_value(&r->own, "User", r->target.user, e);
	if (rc == RC_OK && r->target.port)
		rc = config_add_value(
			&r->own, "Port", arena_format(arena, "%u", r->target.port), e);
	if (rc == RC_OK && r->jumps)
		rc = config_add_value(&r->own, "ProxyJump", r->jumps, e);
	if (rc == RC_OK && r->target.identity)
		rc = config_add_value(&r->own, "IdentityFile", r->target.identity, e);
	return rc;
}

static void check_rewriting(struct given *g)
{
	for (enum keyword key = 0; key < KEY_COUNT && !g->asks; key++) {
		const struct keyword_row *row = keyword_row_of(key);
		const struct config_line *line = g->first[key];

		if (row->class == CLASS_ASKED && line &&
			!keyword_is_neutral(row, line->words.item[0]))
			g->asks = line;
	}
}

static enum rc walk_all(struct resolving *r, struct err *e)
{
	struct ssh_config *c = r->c;
	struct walk w = { .original = r->target.host,
		.host = r->target.host,
		.local_user = c->local_user,
		.given = &r->given };

	walk_lines(&w, &r->own);
	if (!r->is_jump && !r->target.identity)
		walk_lines(&w, &c->identities);
	if (!r->is_jump)
		walk_lines(&w, &c->command);
	walk_lines(&w, &c->files);
	if (w.wants_final && !r->given.asks) {
		if (settle_host(r, &w.host, e) != RC_OK)
			return e->code;
		r->final_host = w.host;
		w.final = true;
		walk_lines(&w, &c->files);
	}
	check_rewriting(&r->given);
	return RC_OK;
}

/* ---- asking ssh */

static enum rc explain(struct resolving *r, const char *why, struct err *e)
{
	const struct config_line *line = r->given.asks;
	const char *place = r->c->files.odd ? r->c->files.odd : r->c->command.odd;

	if (line)
		place = config_line_text(line,
			line->oddity ? line->oddity : "only ssh can tell", r->c->arena);
	return err_set(e, RC_INPUT, 0, "%s: %s (%s)", r->target.host, why,
		place ? place : "ssh was asked");
}

static uint32_t ask_limit(const struct ssh_config *c)
{
	return c->options->ask_limit_ms ? c->options->ask_limit_ms : ASK_LIMIT_MS;
}

static enum rc refuse_once(struct resolving *r, struct err *e)
{
	const char *why = arena_format(r->c->arena,
		"ssh has to be asked, and could not read %s after us: it must be a "
		"regular file",
		r->c->files.once);

	return why ? explain(r, why, e) : err_memory(e);
}

/* Asks about all; the answers are where each question is. */
static enum rc ask_all(struct ssh_config *c, struct resolving *const *list, size_t count,
	struct ssh_question *questions, struct err *e)
{
	enum rc rc = RC_OK;

	if (c->files.once)
		return refuse_once(list[0], e);
	for (size_t i = 0; i < count && rc == RC_OK; i++)
		rc = answer_command(list[i], &questions[i].argv, e);
	if (rc != RC_OK)
		return rc;
	c->asked += count;
	log_line(LOG_INFO, NULL, "ssh -G is asked about %zu nodes", count);
	rc = ssh_ask(questions, count, ask_limit(c), c->arena, e);
	if (rc == RC_INPUT) {
		struct err inner = *e;

		return explain(list[0], inner.text, e);
	}
	return rc;
}

/* What ssh says where nothing is configured: its defaults. */
static enum rc ask_untouched(struct ssh_config *c, struct resolving *why, struct err *e)
{
	static const char *const argv[] = { "ssh", "-G", "-F", "none", "--", "host",
		NULL };
	struct resolving r = { .c = c, .target = { .host = "host" } };
	struct ssh_question q = { .argv = argv };
	enum rc rc;

	if (c->untouched)
		return RC_OK;
	c->asked++;
	rc = ssh_ask(&q, 1, ask_limit(c), c->arena, e);
	if (rc == RC_OK && q.err.code != RC_OK)
		return explain(why, q.err.text, e);
	return rc == RC_OK ? answer_read(&r, q.answer, e) : rc;
}

/* Asks about all of the list: each gets the lines of its answer. */
static enum rc ask_and_read(
	struct ssh_config *c, struct resolving *const *list, size_t count, struct err *e)
{
	struct ssh_question *questions = arena_alloc(c->arena, count, sizeof(*questions));
	enum rc rc = questions ? ask_all(c, list, count, questions, e) : err_memory(e);

	for (size_t i = 0; i < count && rc == RC_OK; i++)
		if (questions[i].err.code == RC_MEMORY)
			rc = err_memory(e);
		else if (questions[i].err.code != RC_OK)
			rc = explain(list[i], questions[i].err.text, e);
	if (rc == RC_OK)
		rc = ask_untouched(c, list[0], e);
	for (size_t i = 0; i < count && rc == RC_OK; i++)
		rc = answer_read(list[i], questions[i].answer, e);
	c->is_proven |= rc == RC_OK && count > 0;
	return rc;
}

/* ---- all targets */

struct pending {
	struct resolving **item;
	size_t *target; /* index of each */
	size_t count;
};

static enum rc pending_add(struct ssh_config *c, struct pending *p,
	const struct resolving *r, size_t target, struct err *e)
{
	struct resolving *copy = arena_alloc(c->arena, 1, sizeof(*copy));

	p->item = arena_grow(c->arena, p->item, p->count, sizeof(struct resolving *));
	p->target = arena_grow(c->arena, p->target, p->count, sizeof(*p->target));
	if (!copy || !p->item || !p->target)
		return err_memory(e);
	*copy = *r;
	p->item[p->count] = copy;
	p->target[p->count++] = target;
	return RC_OK;
}

static bool has_odd_lines(const struct ssh_config *c)
{
	return (c->files.odd || c->command.odd) && !c->is_proven;
}

enum rc ssh_config_resolve(struct ssh_config *c, const struct ssh_target *targets,
	size_t count, const struct ssh_settings **out, struct err *e)
{
	struct pending pending = { 0 };
	enum rc rc = RC_OK;

	for (size_t i = 0; i < count && rc == RC_OK; i++) {
		struct resolving r = { .c = c, .target = targets[i] };

		rc = read_own(&r, e);
		if (rc == RC_OK)
			rc = walk_all(&r, e);
		/* one answer is needed in any case where a line looks odd */
		if (rc == RC_OK && (r.given.asks || (i == 0 && has_odd_lines(c))))
			rc = pending_add(c, &pending, &r, i, e);
		else if (rc == RC_OK)
			rc = settle(&r, &out[i], e);
	}
	if (rc == RC_OK && pending.count)
		rc = ask_and_read(c, pending.item, pending.count, e);
	for (size_t i = 0; i < pending.count && rc == RC_OK; i++)
		rc = settle(pending.item[i], &out[pending.target[i]], e);
	return rc;
}

/* ---- jump hosts */

static enum rc resolve_one(
	struct resolving *r, const struct ssh_settings **out, struct err *e)
{
	enum rc rc = read_own(r, e);

	if (rc == RC_OK)
		rc = walk_all(r, e);
	if (rc == RC_OK && r->given.asks)
		rc = ask_and_read(r->c, &r, 1, e);
	return rc == RC_OK ? settle(r, out, e) : rc;
}

enum rc resolve_jump(struct ssh_config *c, const char *text, unsigned depth,
	const struct ssh_settings **out, struct err *e)
{
	struct intern_slot *slot = intern_find(
		&c->intern, arena_format(c->arena, "jump %s", text));
	struct resolving r = { .c = c, .is_jump = true, .depth = depth };
	char *copy = arena_text(c->arena, text), *comma;
	struct shape_jump last;
	enum rc rc;

	if (!slot || !copy)
		return err_memory(e);
	*out = slot->attached;
	if (*out)
		return RC_OK;
	comma = strrchr(copy, ',');
	if (comma) {
		*comma = '\0';
		r.jumps = copy;
	}
	if (!shape_read_jump(comma ? comma + 1 : copy, &last))
		return err_set(e, RC_INPUT, 0, "'%s' is no jump host", text);
	r.target = (struct ssh_target){
		.host = last.host, .user = last.user, .port = last.port
	};
	rc = resolve_one(&r, out, e);
	slot->attached = rc == RC_OK ? *out : NULL;
	return rc;
}
