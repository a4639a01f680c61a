/* The files: reading, who may write to them, Include. */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "coordinator/ssh/config_line.h"

struct reading {
	struct config *config;
	enum config_kind kind; /* of the file that includes all others */
	const char *path;      /* lives as long as the config */
};

/* Nobody but the user and root may say where the nodes are (ssh_config(5), FILES).  What
 * a group may write to depends on who is in it: ssh is asked. */
static enum rc check_owner(const struct reading *r, const struct stat *s, struct err *e)
{
	struct config *c = r->config;

	if (r->kind != CONFIG_USER)
		return RC_OK;
	if ((s->st_uid != 0 && s->st_uid != getuid()) || (s->st_mode & S_IWOTH))
		return err_set(e, RC_INPUT, 0,
			"%s: bad owner or permissions; it must be yours, and nobody else "
			"may "
			"write to it",
			r->path);
	if ((s->st_mode & S_IWGRP) && !c->odd)
		c->odd = arena_format(c->arena, "%s: its group may write to it", r->path);
	return RC_OK;
}

static enum rc read_all(const struct reading *r, int fd, struct buf *out, struct err *e)
{
	char block[16 * 1024];
	ssize_t n;
	enum rc rc = RC_OK;

	while (rc == RC_OK && (n = read(fd, block, sizeof(block))) != 0)
		rc = n > 0 ? buf_append(out, block, (size_t)n) : RC_INPUT;
	if (rc == RC_INPUT)
		return err_set(e, RC_INPUT, errno, "%s: %s", r->path, strerror(errno));
	if (rc == RC_LIMIT)
		return err_set(e, RC_INPUT, 0, "%s: the files have more than %d bytes",
			r->path, CONFIG_BYTES_MAX);
	return rc == RC_OK ? RC_OK : err_memory(e);
}

/* The text of an open file, NUL-terminated, in the arena. */
static enum rc read_text(const struct reading *r, int fd, char **text, struct err *e)
{
	struct config *c = r->config;
	struct buf all = buf_with_cap(CONFIG_BYTES_MAX - c->bytes);
	enum rc rc = read_all(r, fd, &all, e);
	struct bytes bytes = buf_bytes(&all);

	if (rc == RC_OK && bytes.size && memchr(bytes.data, '\0', bytes.size))
		rc = err_set(
			e, RC_INPUT, 0, "%s: a NUL byte; is this a text file?", r->path);
	if (rc == RC_OK) {
		c->bytes += bytes.size;
		*text = arena_text_n(
			c->arena, bytes.size ? (const char *)bytes.data : "", bytes.size);
		rc = *text ? RC_OK : err_memory(e);
	}
	buf_destroy(&all);
	return rc;
}

/* A pipe is empty for whoever reads it next, and ssh gets none of our standard input. */
static bool can_be_read_once(const struct stat *s)
{
	struct stat input;

	if (S_ISCHR(s->st_mode)) /* /dev/null */
		return false;
	return !S_ISREG(s->st_mode) ||
	       (fstat(STDIN_FILENO, &input) == 0 && input.st_dev == s->st_dev &&
		       input.st_ino == s->st_ino);
}

/* *text stays NULL where the file may be missing, and is. */
static enum rc open_text(
	const struct reading *r, bool may_miss, char **text, struct err *e)
{
	int fd = open(r->path, O_RDONLY | O_CLOEXEC);
	struct stat s;
	enum rc rc;

	*text = NULL;
	if (fd < 0 && errno == ENOENT && may_miss)
		return RC_OK;
	if (fd < 0)
		return err_set(e, RC_INPUT, errno, "%s: %s", r->path, strerror(errno));
	if (fstat(fd, &s) != 0 || S_ISDIR(s.st_mode))
		rc = err_set(e, RC_INPUT, 0, "%s: it is no file", r->path);
	else
		rc = check_owner(r, &s, e);
	if (rc == RC_OK && can_be_read_once(&s))
		r->config->once = r->path;
	if (rc == RC_OK)
		rc = read_text(r, fd, text, e);
	close(fd);
	return rc;
}

static enum rc read_file(const struct reading *r, bool may_miss, struct err *e);

/* ---- Include */

/* Where a pattern of an Include begins: ~, ~/.ssh or /etc/ssh. */
static const char *glob_of(const struct reading *r, const char *word)
{
	struct config *c = r->config;

	if (word[0] == '/')
		return word;
	if (word[0] == '~' && word[1] == '/')
		return arena_format(c->arena, "%s%s", c->home, word + 1);
	if (r->kind == CONFIG_SYSTEM)
		return arena_format(c->arena, "/etc/ssh/%s", word);
	return arena_format(c->arena, "%s/.ssh/%s", c->home, word);
}

static enum rc include_all(const struct reading *r, const glob_t *found, struct err *e)
{
	struct config *c = r->config;
	enum rc rc = RC_OK;

	for (size_t i = 0; i < found->gl_pathc && rc == RC_OK; i++) {
		struct reading inner = *r;

		inner.path = arena_text(c->arena, found->gl_pathv[i]);
		if (!inner.path)
			return err_memory(e);
		c->depth++;
		rc = read_file(&inner, true, e);
		c->depth--;
	}
	return rc;
}

static enum rc include_word(const struct reading *r, const char *word, struct err *e)
{
	const char *pattern = glob_of(r, word);
	glob_t found = { 0 };
	enum rc rc = RC_OK;

	if (!pattern)
		return err_memory(e);
	switch (glob(pattern, 0, NULL, &found)) {
	case 0:
		rc = include_all(r, &found, e);
		break;
	case GLOB_NOMATCH:
		break;
	default:
		rc = err_set(
			e, RC_INPUT, errno, "Include %s: it cannot be searched", word);
	}
	globfree(&found);
	return rc;
}

/* What newer versions of ssh expand (10.0: tokens and variables), and ~user, which is not
 * expanded here either. */
static bool is_odd(const struct reading *r, const char *word)
{
	return strstr(word, "${") || strchr(word, '%') ||
	       (word[0] == '~' && (word[1] != '/' || r->kind == CONFIG_SYSTEM));
}

static enum rc include(
	const struct reading *r, unsigned number, struct words_line *split, struct err *e)
{
	struct config *c = r->config;
	enum rc rc = RC_OK;

	if (c->depth >= CONFIG_DEPTH_MAX)
		return err_set(e, RC_INPUT, 0,
			"files include each other more than %d deep", CONFIG_DEPTH_MAX);
	for (size_t i = 0; i < split->words.count && rc == RC_OK; i++) {
		const char *word = split->words.item[i];

		if (!*word)
			rc = err_set(e, RC_INPUT, 0, "an empty name is included");
		else if (is_odd(r, word))
			rc = config_line_add(c, r->path, number, split, e);
		else
			rc = include_word(r, word, e);
	}
	return rc;
}

/* ---- lines */

static enum rc read_line(
	const struct reading *r, unsigned number, const char *text, struct err *e)
{
	struct config *c = r->config;
	struct words_line split;
	enum rc rc = words_read(&split, text, c->arena, e);

	if (rc != RC_OK || !split.keyword)
		return rc;
	if (keyword_find(split.keyword)->key == KEY_INCLUDE)
		return include(r, number, &split, e);
	return config_line_add(c, r->path, number, &split, e);
}

/* An error of an included file has its place already. */
static enum rc located(const struct reading *r, unsigned number, struct err *e)
{
	struct err inner = *e;

	if (inner.code != RC_INPUT || r->config->is_located)
		return inner.code;
	r->config->is_located = true;
	return err_set(
		e, RC_INPUT, inner.native, "%s:%u: %s", r->path, number, inner.text);
}

static enum rc read_file(const struct reading *r, bool may_miss, struct err *e)
{
	struct config *c = r->config;
	unsigned number = 0;
	char *text;
	enum rc rc = RC_OK;

	if (++c->files > CONFIG_FILES_MAX)
		return err_set(e, RC_INPUT, 0, "more than %d files are included",
			CONFIG_FILES_MAX);
	if (open_text(r, may_miss, &text, e) != RC_OK)
		return e->code;
	while (text && rc == RC_OK) {
		char *line = strsep(&text, "\n");

		rc = read_line(r, ++number, line, e);
		if (rc != RC_OK)
			rc = located(r, number, e);
	}
	config_block_close(c);
	return rc;
}

enum rc config_add_file(
	struct config *c, const char *path, enum config_kind kind, struct err *e)
{
	struct reading r = { .config = c, .kind = kind, .path = path };

	return read_file(&r, kind != CONFIG_NAMED, e);
}
