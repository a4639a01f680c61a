#include "peer/nova.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "peer/ini.h"
#include "peer/nova_setup.h"

enum { CONFIG_MAX = 4 * 1024 * 1024 };

/* ---- the list */

static const struct option_name {
	const char *section, *name;
} known[] = {
	{ "libvirt", "virt_type" },
	{ "libvirt", "cpu_mode" },
	{ "libvirt", "cpu_model" },
	{ "libvirt", "cpu_models" },
	{ "libvirt", "cpu_model_extra_flags" },
	{ "workarounds", "skip_cpu_compare_at_startup" },
	{ "workarounds", "skip_cpu_compare_on_dest" },
};

enum { KNOWN = sizeof(known) / sizeof(known[0]) };

bool nova_knows(const char *section, const char *option)
{
	for (size_t i = 0; i < KNOWN; i++)
		if (strcmp(known[i].section, section) == 0 &&
			strcmp(known[i].name, option) == 0)
			return true;
	return false;
}

/* ---- what the files say */

struct looking {
	struct arena *arena;
	struct nova *out;
	const char *file;
};

static enum rc add_option(struct looking *l, const char *section, const char *name,
	const char *value, struct err *e)
{
	struct list *options = &l->out->options;
	struct nova_option *item = arena_grow(
		l->arena, options->item, options->count, sizeof(*item));
	const char *copy = value ? arena_text(l->arena, value) : NULL;

	if (!item || !copy)
		return err_memory(e);
	item[options->count] = (struct nova_option){ l->file, section, name, copy };
	*options = (struct list){ item, options->count + 1 };
	return RC_OK;
}

static enum rc take_option(void *context, const struct ini_entry *entry, struct err *e)
{
	for (size_t i = 0; i < KNOWN; i++)
		if (strcmp(known[i].section, entry->section) == 0 &&
			strcmp(known[i].name, entry->key) == 0)
			return add_option(context, known[i].section, known[i].name,
				entry->value, e);
	return RC_OK;
}

/* In memory of its own, which does not outlive the reading: it holds passwords. */
static enum rc read_file(int fd, struct looking *l, struct err *e)
{
	struct buf text = buf_with_cap(CONFIG_MAX);
	struct arena arena = { 0 };
	uint8_t part[16 * 1024];
	enum rc rc = RC_OK;
	ssize_t n;

	while (rc == RC_OK && (n = read(fd, part, sizeof(part))) != 0)
		rc = n < 0 ? err_set(e, RC_TARGET, errno, "%s: %s", l->file,
				     strerror(errno))
			   : buf_append(&text, part, (size_t)n);
	if (rc == RC_LIMIT)
		rc = err_set(e, RC_TARGET, 0, "%s is larger than %d bytes", l->file,
			CONFIG_MAX);
	if (rc == RC_OK)
		rc = ini_read(buf_bytes(&text), l->file, &arena, take_option, l, e);
	arena_destroy(&arena);
	buf_destroy(&text);
	return rc == RC_MEMORY ? err_memory(e) : rc;
}

/* One that is not there is nova's own trouble, or our drop-in. */
static enum rc look_into(const char *root, struct looking *l, struct err *e)
{
	const char *path = arena_format(l->arena, "%s%s", root, l->file);
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK) : -1;
	enum rc rc;

	if (!path)
		return err_memory(e);
	if (fd < 0 && errno == ENOENT)
		return RC_OK;
	if (fd < 0)
		return err_set(e, RC_TARGET, errno,
			"%s, which nova reads: %s (--become reads it as root)", l->file,
			strerror(errno));
	rc = read_file(fd, l, e);
	close(fd);
	return rc;
}

/* oslo.config takes OS_LIBVIRT__CPU_MODE=... before any file. */
static enum rc look_at_environment(
	const struct nova_setup *s, struct looking *l, struct err *e)
{
	l->file = arena_format(l->arena, "Environment of %s", s->unit.name);
	if (!l->file)
		return err_memory(e);
	for (size_t i = 0; i < KNOWN; i++) {
		char *name = arena_format(
			l->arena, "OS_%s__%s=", known[i].section, known[i].name);
		const char *at;

		if (!name)
			return err_memory(e);
		for (char *c = name; *c; c++)
			if (*c >= 'a' && *c <= 'z')
				*c = (char)(*c - 'a' + 'A');
		at = strstr(s->unit.environment, name);
		if (!at)
			continue;
		at += strlen(name);
		if (add_option(l, known[i].section, known[i].name,
			    arena_text_n(l->arena, at, strcspn(at, " \"'")), e) != RC_OK)
			return e->code;
	}
	return RC_OK;
}

static enum rc look_at_files(const struct nova_setup *s, struct looking *l, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < l->out->files.count && rc == RC_OK; i++) {
		l->file = l->out->files.item[i];
		rc = look_into(s->world->root, l, e);
	}
	return rc == RC_OK ? look_at_environment(s, l, e) : rc;
}

enum rc nova_look(const struct place_world *world, const char *folder,
	struct arena *arena, struct nova *out, struct err *e)
{
	struct looking l = { arena, out, "" };
	struct nova_setup setup;
	struct folder_way way;

	*out = (struct nova){ .version = "", .unit = "" };
	if (place_way(world, PLACE_nova, *folder ? folder : "nova.conf.d", arena, &way,
		    e) != RC_OK ||
		nova_setup_find(world, arena, &setup, e) != RC_OK)
		return e->code;
	out->version = setup.version;
	out->unit = setup.unit.name;
	if (!*setup.version)
		return RC_OK;
	if (nova_setup_files(&setup, way.path, arena, &out->files, e) != RC_OK)
		return e->code;
	return look_at_files(&setup, &l, e);
}
