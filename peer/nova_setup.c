#include "peer/nova_setup.h"

#include <fcntl.h>
#include <glob.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"

enum { HEAD_MAX = 16 * 1024 };

static const char *real_path(
	const struct nova_setup *s, const char *path, struct arena *arena)
{
	const char *real = arena_format(arena, "%s%s", s->world->root, path);

	return real ? real : "";
}

/* ---- its command line */

static const char init_script[] = "/etc/init.d/nova-compute";

/* Debian's unit starts a script of the same name, which starts the program. */
static bool is_program(const char *word)
{
	const char *name = strrchr(word, '/');

	return strcmp(word, init_script) != 0 &&
	       strcmp(name ? name + 1 : word, "nova-compute") == 0;
}

/* Takes the program and its options from the words of a command line; false when
 * nova-compute is not among them. */
static bool take_words(struct nova_setup *s, const struct texts *words,
	struct arena *arena, struct err *e)
{
	static const char *const options[] = { "--config-file", "--config-dir" };
	size_t i = 0;

	while (i < words->count && !is_program(words->item[i]))
		i++;
	if (i == words->count || words->item[i][0] != '/')
		return false;
	s->program = words->item[i];
	for (i++; i < words->count; i++)
		for (size_t o = 0; o < sizeof(options) / sizeof(options[0]); o++) {
			const char *word = words->item[i], *next = "";
			size_t n = strlen(options[o]);

			if (i + 1 < words->count)
				next = words->item[i + 1];
			if (strncmp(word, options[o], n) != 0)
				continue;
			if (word[n] == '\0')
				word = arena_format(arena, "%s=%s", word, next);
			if (word && word[n] == '=' &&
				texts_add(&s->arguments, word, arena, e) != RC_OK)
				return false;
		}
	return true;
}

/* Texts that end in NUL, as /proc/PID/cmdline has them, or a blank. */
static enum rc cut_words(const char *text, size_t size, char separator,
	struct arena *arena, struct texts *out, struct err *e)
{
	*out = (struct texts){ 0 };
	for (size_t at = 0; at < size;) {
		const char *end = memchr(text + at, separator, size - at);
		size_t n = end ? (size_t)(end - (text + at)) : size - at;

		if (n && texts_add(out, arena_text_n(arena, text + at, n), arena, e) !=
				 RC_OK)
			return e->code;
		at += n + 1;
	}
	return RC_OK;
}

/* The first bytes of a file; their number, 0 when it cannot be read. */
static size_t read_head(const char *path, char head[static HEAD_MAX])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n = fd < 0 ? 0 : read(fd, head, HEAD_MAX);

	if (fd >= 0)
		close(fd);
	return n > 0 ? (size_t)n : 0;
}

/* Of the process that runs. */
static bool from_process(struct nova_setup *s, struct arena *arena, struct err *e)
{
	char *path = arena_format(
		arena, "%s/proc/%u/cmdline", s->world->root, s->unit.main_pid);
	char *head = arena_alloc(arena, HEAD_MAX, 1);
	struct texts words;

	return s->unit.main_pid && path && head &&
	       cut_words(head, read_head(path, head), '\0', arena, &words, e) == RC_OK &&
	       take_words(s, &words, arena, e);
}

/* Of the unit: "{ path=/usr/bin/nova-compute ; argv[]=/usr/bin/nova-compute
 * --config-file ... ; ignore_errors=no ; ... }". */
static bool from_unit(struct nova_setup *s, struct arena *arena, struct err *e)
{
	const char *begin = strstr(s->unit.start, "argv[]="), *end;
	struct texts words;

	if (!begin)
		return false;
	begin += strlen("argv[]=");
	end = strstr(begin, " ; ");
	return cut_words(begin, end ? (size_t)(end - begin) : strlen(begin), ' ', arena,
		       &words, e) == RC_OK &&
	       take_words(s, &words, arena, e);
}

/* As that script does it; without systemd it is what starts the program. */
static bool from_init(struct nova_setup *s, struct arena *arena, struct err *e)
{
	static const char *const files[] = { "/etc/nova/nova.conf",
		"/etc/nova/nova-compute.conf" };
	bool is_called = strstr(s->unit.start, init_script);

	if (!is_called &&
		(*s->unit.start || access(real_path(s, init_script, arena), F_OK) != 0))
		return false;
	s->program = "/usr/bin/nova-compute";
	for (size_t i = 0; i < 2; i++) {
		const char *word = arena_format(arena, "--config-file=%s", files[i]);

		if (i && access(real_path(s, files[i], arena), F_OK) != 0)
			continue;
		if (texts_add(&s->arguments, word, arena, e) != RC_OK)
			return false;
	}
	return true;
}

/* Started by hand, without a word on its files. */
static void from_path(struct nova_setup *s, struct arena *arena)
{
	static const char *const paths[] = { "/usr/bin/nova-compute",
		"/usr/local/bin/nova-compute", "/opt/stack/data/venv/bin/nova-compute" };

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]) && !*s->program; i++)
		if (access(real_path(s, paths[i], arena), F_OK) == 0)
			s->program = paths[i];
}

/* ---- its interpreter, its version */

/* "#! /usr/bin/python3": the words behind the mark. */
static enum rc find_python(struct nova_setup *s, struct arena *arena, struct err *e)
{
	char *head = arena_alloc(arena, HEAD_MAX, 1);
	size_t n;

	if (!head)
		return err_memory(e);
	n = read_head(real_path(s, s->program, arena), head);
	if (n < 3 || memcmp(head, "#!", 2) != 0)
		return RC_OK;
	n = strcspn(head, "\n");
	for (size_t i = 0; i < n; i++)
		if (head[i] == '\t' || head[i] == '\r')
			head[i] = ' ';
	return cut_words(head + 2, n - 2, ' ', arena, &s->python, e);
}

/* "nova-26.2.2.dist-info", "nova-26.2.2-py3.egg-info": Python's own record of what is
 * installed.  The folder's name says it. */
static const char *version_in(const char *pattern, struct arena *arena)
{
	const char *name, *text = NULL;
	glob_t found;

	if (glob(pattern, 0, NULL, &found) != 0)
		return NULL;
	name = strrchr(found.gl_pathv[0], '/') + strlen("/nova-");
	text = arena_text_n(arena, name, strspn(name, "0123456789."));
	if (text && text_ends_with(text, ".")) /* of ".dist-info" */
		text = arena_text_n(arena, text, strlen(text) - 1);
	globfree(&found);
	return text;
}

static enum rc find_version(struct nova_setup *s, struct arena *arena, struct err *e)
{
	static const char *const folders[] = { "lib/python3/dist-packages",
		"lib/python3*/site-packages", "lib/python3*/dist-packages",
		"lib64/python3*/site-packages", "lib/python2*/dist-packages",
		"lib/python2*/site-packages" };
	static const char *const kinds[] = { "dist", "egg" };
	const char *python = s->python.count ? s->python.item[0] : "";
	const char *prefixes[] = { arena_format(arena, "%s/../..", python), "/usr/local",
		"/usr" };

	for (size_t i = 0; i < 3 * 6 * 2 && !*s->version; i++) {
		const char *text,
			*pattern = arena_format(arena, "%s%s/%s/nova-[0-9]*.%s-info",
				s->world->root, prefixes[i / 12], folders[i / 2 % 6],
				kinds[i % 2]);

		if (!pattern || !prefixes[0])
			return err_memory(e);
		text = version_in(pattern, arena);
		s->version = text ? text : "";
	}
	return RC_OK;
}

/* ---- whose it is */

static void find_home(struct nova_setup *s, struct arena *arena)
{
	FILE *in = fopen(real_path(s, "/etc/passwd", arena), "re");
	struct passwd *p;

	s->user = *s->unit.user ? s->unit.user : "nova";
	while (in && (p = fgetpwent(in)))
		if (strcmp(p->pw_name, s->user) == 0) {
			const char *home = arena_text(arena, p->pw_dir);

			s->home = home ? home : "";
		}
	if (in)
		fclose(in);
}

enum rc nova_setup_find(const struct place_world *world, struct arena *arena,
	struct nova_setup *out, struct err *e)
{
	struct err why = { 0 };

	*out = (struct nova_setup){
		.world = world, .program = "", .version = "", .user = "", .home = ""
	};
	if (unit_look(world, "nova", arena, &out->unit, e) != RC_OK)
		return e->code;
	if (!from_process(out, arena, &why) && !from_unit(out, arena, &why) &&
		!from_init(out, arena, &why))
		from_path(out, arena);
	if (why.code != RC_OK) {
		*e = why;
		return e->code;
	}
	find_home(out, arena);
	if (*out->program && (find_python(out, arena, e) != RC_OK ||
				     find_version(out, arena, e) != RC_OK))
		return e->code;
	return RC_OK;
}
