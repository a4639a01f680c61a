/* A drop-in, judged by the node's own nova. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "peer/command.h"
#include "peer/ini.h"
#include "peer/nova.h"
#include "peer/nova_script.h"
#include "peer/nova_setup.h"

enum { NOVA_LIMIT_S = 60, WORDS_MAX = 64 };

struct judging_nova {
	const struct change_judging *j;
	struct change_verdict *out;
	struct nova_setup setup;
	const char *path;
	struct texts names; /* "libvirt.cpu_mode": what the drop-in sets */
};

static enum rc reject(struct judging_nova *n, const char *reason, struct err *e)
{
	*n->out = (struct change_verdict){ false, reason };
	return reason ? RC_OK : err_memory(e);
}

/* ---- what it holds */

/* RC_FORMAT: not an option of ours; the coordinator may not write that. */
static enum rc take_name(void *context, const struct ini_entry *entry, struct err *e)
{
	struct judging_nova *n = context;
	struct arena *arena = n->j->scratch;

	if (!nova_knows(entry->section, entry->key))
		return err_set(e, RC_FORMAT, 0, "[%.64s] %.64s is not for cpuherd to set",
			entry->section, entry->key);
	/* nova's words on $libvirt.rbd_secret_uuid would tell it */
	if (strchr(entry->value, '$'))
		return err_set(e, RC_FORMAT, 0,
			"[%.64s] %.64s refers to another option with its '$'",
			entry->section, entry->key);
	return texts_add(&n->names,
		arena_format(arena, "%s.%s", entry->section, entry->key), arena, e);
}

/* ---- nova's words */

/* Of the service, where the peer may choose; NULL: the peer's own. */
static const struct passwd *service_user(const struct nova_setup *s, struct arena *arena)
{
	struct passwd *p = geteuid() == 0 ? getpwnam(s->user) : NULL, *copy;

	if (!p)
		return NULL;
	copy = arena_alloc(arena, 1, sizeof(*copy));
	if (!copy)
		return NULL;
	*copy = *p;
	copy->pw_name = arena_text(arena, p->pw_name);
	copy->pw_dir = arena_text(arena, p->pw_dir);
	return copy->pw_name && copy->pw_dir ? copy : NULL;
}

/* PYTHON -c SCRIPT PATH STATE NAMES ARGUMENT... */
static enum rc make_words(struct judging_nova *n, const char *argv[static WORDS_MAX + 1],
	struct arena *arena, struct err *e)
{
	const struct texts *python = &n->setup.python, *more = &n->setup.arguments;
	size_t count = 0;

	if (python->count + more->count + 5 > WORDS_MAX)
		return err_set(e, RC_TARGET, 0, "nova-compute has too many options here");
	for (size_t i = 0; i < python->count; i++)
		argv[count++] = python->item[i];
	argv[0] = arena_format(arena, "%s%s", n->setup.world->root, python->item[0]);
	argv[count++] = "-c";
	argv[count++] = NOVA_SCRIPT;
	argv[count++] = n->path;
	argv[count++] = n->j->written ? "written" : "staged";
	argv[count++] = texts_join_with(&n->names, ",", arena);
	for (size_t i = 0; i < more->count; i++)
		argv[count++] = more->item[i];
	argv[count] = NULL;
	return argv[0] ? RC_OK : err_memory(e);
}

static enum rc ask_nova(struct judging_nova *n, struct err *e)
{
	struct arena *arena = n->j->scratch;
	const char *argv[WORDS_MAX + 1], *words;
	struct command c = { .argv = argv,
		.limit_s = NOVA_LIMIT_S,
		.as = service_user(&n->setup, arena) };
	struct command_end end;

	if (!n->j->written)
		c.input = n->j->content;
	if (make_words(n, argv, arena, e) != RC_OK)
		return e->code;
	/* no wrong word of nova's is worth a compute service that does not start */
	if (command_run(&c, arena, &end, e) != RC_OK)
		return e->code == RC_MEMORY ? RC_MEMORY
					    : reject(n, arena_text(arena, e->text), e);
	words = command_last_line(arena, end.out);
	if (end.status == 0 && strcmp(words, "ok") == 0) {
		*n->out = (struct change_verdict){ true, "" };
		return RC_OK;
	}
	words = command_last_line(arena, end.errors);
	return reject(n,
		*words ? arena_format(
				 arena, "nova's own configuration code: %.600s", words)
		       : "nova's own configuration code gives no answer",
		e);
}

static enum rc judge(struct judging_nova *n, struct err *e)
{
	const struct change_judging *j = n->j;
	struct folder_way way;
	enum rc rc = place_way(
		j->ground->world, j->change->place, j->change->name, j->scratch, &way, e);

	if (rc == RC_OK)
		rc = nova_setup_find(j->ground->world, j->scratch, &n->setup, e);
	if (rc != RC_OK)
		return rc;
	n->path = way.path;
	if (!*n->setup.version || !n->setup.python.count)
		return reject(n,
			"nova-compute is not installed here, or is no program of Python",
			e);
	rc = ini_read(j->content, n->path, j->scratch, take_name, n, e);
	if (rc == RC_FORMAT || rc == RC_TARGET)
		return reject(n, arena_text(j->scratch, e->text), e);
	if (rc != RC_OK)
		return rc;
	if (!n->names.count)
		return reject(n, "it sets nothing", e);
	return ask_nova(n, e);
}

enum rc nova_judge(
	const struct change_judging *j, struct change_verdict *out, struct err *e)
{
	struct judging_nova n = { .j = j, .out = out };

	*out = (struct change_verdict){ false, "" };
	return judge(&n, e);
}
