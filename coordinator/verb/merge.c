/* merge: the facts of many nodes as one file of classes, from files alone. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "coordinator/verb/merged.h"
#include "coordinator/verb/replace.h"
#include "coordinator/verb/sources.h"
#include "coordinator/verb/verb.h"
#include "proto/limits.h"

/* One that is missing would be missing silently in all that is made of the file. */
static enum rc check_all(const struct sources *s, struct err *e)
{
	const struct source_node *first = NULL;
	size_t failures = 0;

	for (size_t i = 0; i < s->count; i++) {
		if (!s->nodes[i].why)
			continue;
		log_line(LOG_ERROR, s->nodes[i].name, "%s", s->nodes[i].why->text);
		if (failures++ == 0)
			first = &s->nodes[i];
	}
	if (!first)
		return RC_OK;
	return err_set(e, first->why->code, 0,
		"%zu of %zu nodes have no facts that can be read (%s%s): nothing was "
		"written",
		failures, s->count, first->name, failures > 1 ? " and others" : "");
}

static size_t count_endless(const struct sources *s)
{
	size_t count = 0;

	for (size_t i = 0; i < s->count; i++)
		count += !s->nodes[i].facts->ended && s->nodes[i].facts->small.kernel[0];
	return count;
}

static enum rc print(struct bytes text, struct err *e)
{
	if (fwrite(text.data, 1, text.size, stdout) == text.size && fflush(stdout) == 0)
		return RC_OK;
	return err_set(e, RC_OUTPUT, errno, "standard output: %s", strerror(errno));
}

static void say_what_was_done(
	const struct sources *s, const struct merged_counts *c, size_t bytes)
{
	size_t endless = count_endless(s);

	if (endless)
		log_line(LOG_WARN, NULL,
			"the facts of %zu node%s have no `end`: nothing tells whether "
			"they are whole",
			endless, endless == 1 ? "" : "s");
	log_line(LOG_INFO, NULL, "%zu node%s in %zu class%s, %zu bodies, %zu KiB",
		s->count, s->count == 1 ? "" : "s", c->classes,
		c->classes == 1 ? "" : "es", c->bodies, (bytes + 1023) / 1024);
}

static enum rc write_all(const struct options *o, const struct sources *s,
	struct arena *arena, struct err *e)
{
	struct merged_node *nodes = arena_alloc(arena, s->count + 1, sizeof(*nodes));
	struct buf text = buf_with_cap(LIMIT_MERGED_BYTES);
	struct merged_counts counts;
	enum rc rc = nodes ? RC_OK : err_memory(e);

	for (size_t i = 0; i < s->count && nodes; i++)
		nodes[i] = (struct merged_node){ s->nodes[i].name, s->nodes[i].facts,
			s->nodes[i].own.tsc_khz };
	if (rc == RC_OK)
		rc = merged_write(&text, nodes, s->count, &counts, e);
	if (rc == RC_OK)
		rc = o->out ? replace_file(o->out, buf_bytes(&text), e)
			    : print(buf_bytes(&text), e);
	if (rc == RC_OK && !o->quiet)
		say_what_was_done(s, &counts, buf_bytes(&text).size);
	buf_destroy(&text);
	return rc;
}

enum rc merge_main(const struct options *o, struct err *e)
{
	struct arena arena = { 0 };
	struct sources sources = { .arena = &arena };
	enum rc rc = RC_OK;

	log_set_level(o->quiet ? LOG_ERROR : LOG_INFO);
	if (o->nodes.count == 0)
		rc = err_set(e, RC_USAGE, 0,
			"merge: whose facts? name folders or files, or - for standard "
			"input");
	for (size_t i = 0; i < o->nodes.count && rc == RC_OK; i++)
		rc = sources_add(&sources, o->nodes.item[i], e);
	sources_finish(&sources);
	if (rc == RC_OK)
		rc = check_all(&sources, e);
	if (rc == RC_OK)
		rc = write_all(o, &sources, &arena, e);
	arena_destroy(&arena);
	return rc;
}
