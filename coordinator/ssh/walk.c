#include "coordinator/ssh/walk.h"

#include <string.h>
#include <strings.h>

#include "coordinator/ssh/pattern.h"

enum answer { ANSWER_NO, ANSWER_YES, ANSWER_ASK };

/* ---- Host */

static enum answer judge_host(
	const struct config_line *line, const char *host, uint32_t hash)
{
	enum answer answer = ANSWER_NO;

	for (size_t i = 0; i < line->words.count; i++) {
		const char *pattern = line->words.item[i];
		bool negated = pattern[0] == '!';

		if (line->hashes && line->hashes[i] != hash)
			continue;
		if (!ssh_pattern_matches(
			    pattern + negated, strlen(pattern + negated), host))
			continue;
		if (negated)
			return ANSWER_NO;
		answer = ANSWER_YES;
	}
	return answer;
}

/* ---- Match */

/* The name that is connected to, as far as it is known here (%h is all that it may have). */
static bool host_matches(const struct walk *w, const char *patterns)
{
	const struct config_line *line = w->given->first[KEY_HOSTNAME];
	char name[1024];
	size_t n = 0;

	if (w->final || !line)
		return ssh_pattern_list_matches(
			patterns, w->final ? w->host : w->original, true);
	for (const char *c = line->words.item[0]; *c && n + 1 < sizeof(name); c++) {
		if (c[0] == '%' && c[1] == 'h' &&
			strlen(w->original) < sizeof(name) - n) {
			n = (size_t)(stpcpy(name + n, w->original) - name);
			c++;
		} else {
			c += c[0] == '%' && c[1] == '%';
			name[n++] = *c;
		}
	}
	name[n] = '\0';
	return ssh_pattern_list_matches(patterns, name, true);
}

static bool user_matches(const struct walk *w, const char *patterns)
{
	const struct config_line *line = w->given->first[KEY_USER];

	return ssh_pattern_list_matches(
		patterns, line ? line->words.item[0] : w->local_user, false);
}

static bool criterion_holds(struct walk *w, const struct criterion *c)
{
	switch (c->kind) {
	case CRITERION_FINAL:
		w->wants_final = true;
		return w->final;
	case CRITERION_CANONICAL:
		return w->final;
	case CRITERION_HOST:
		return host_matches(w, c->patterns);
	case CRITERION_ORIGINAL_HOST:
		return ssh_pattern_list_matches(c->patterns, w->original, true);
	case CRITERION_USER:
		return user_matches(w, c->patterns);
	case CRITERION_LOCAL_USER:
		return ssh_pattern_list_matches(c->patterns, w->local_user, false);
	default:
		return true;
	}
}

static enum answer judge_match(struct walk *w, const struct config_line *line)
{
	bool holds = true;

	for (size_t i = 0; i < line->criterion_count; i++) {
		const struct criterion *c = &line->criteria[i];

		if (c->kind == CRITERION_ASK_ALWAYS)
			return ANSWER_ASK;
		if (c->kind == CRITERION_ASK)
			return holds ? ANSWER_ASK : ANSWER_NO;
		holds &= criterion_holds(w, c) != c->negated;
	}
	return holds ? ANSWER_YES : ANSWER_NO;
}

/* ---- lines */

static bool has_identity(const struct given *g, const char *name)
{
	for (size_t i = 0; i < g->identities; i++)
		if (strcmp(g->identity[i]->words.item[0], name) == 0)
			return true;
	return false;
}

static void take_identity(struct given *g, const struct config_line *line)
{
	if (has_identity(g, line->words.item[0]))
		return;
	if (g->identities == WALK_IDENTITIES_MAX)
		g->asks = line; /* ssh refuses it, in its own words */
	else
		g->identity[g->identities++] = line;
}

/* Of ProxyJump and ProxyCommand the first one counts; but "ProxyJump none" leaves room for
 * a ProxyCommand. */
static bool is_taken(const struct given *g, enum keyword key)
{
	const struct config_line *jump = g->first[KEY_PROXY_JUMP];

	if (g->first[key])
		return true;
	if (key == KEY_PROXY_JUMP)
		return g->first[KEY_PROXY_COMMAND] != NULL;
	return key == KEY_PROXY_COMMAND && jump &&
	       strcasecmp(jump->words.item[0], "none") != 0;
}

static bool is_ignored(const struct given *g, const struct config_line *line)
{
	const struct config_line *ignore = g->first[KEY_IGNORE_UNKNOWN];

	return line->key == KEY_UNKNOWN && ignore &&
	       ssh_pattern_list_matches(ignore->words.item[0], line->name, true);
}

static void take_line(struct given *g, const struct config_line *line)
{
	if (is_ignored(g, line))
		return;
	if (line->oddity)
		g->asks = line;
	else if (line->key == KEY_IDENTITY_FILE)
		take_identity(g, line);
	else if (line->key < KEY_COUNT && !is_taken(g, line->key))
		g->first[line->key] = line;
}

void walk_lines(struct walk *w, const struct config *c)
{
	uint32_t hash = config_hash(w->host);

	for (size_t i = 0; i < c->count && !w->given->asks; i++) {
		const struct config_line *line = &c->lines[i];
		enum answer answer = ANSWER_YES;

		if (line->key == KEY_HOST)
			answer = judge_host(line, w->host, hash);
		else if (line->key == KEY_MATCH)
			answer = judge_match(w, line);
		else
			take_line(w->given, line);
		if (answer == ANSWER_ASK ||
			(answer == ANSWER_NO && line->asks_for_final && !w->final))
			w->given->asks = line;
		if (answer == ANSWER_NO)
			i = line->next - 1;
	}
}
