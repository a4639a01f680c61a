/* Which files nova-compute reads, in which order: nova.h has the rules. */
#include <glob.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "peer/nova_setup.h"

struct finding {
	const struct nova_setup *setup;
	const char *drop_in, *folder; /* and the folder it is in */
	struct arena *arena;
	struct texts *files;
	struct err *e;
};

static bool exists(const struct finding *f, const char *path)
{
	const char *real = arena_format(f->arena, "%s%s", f->setup->world->root, path);

	return strcmp(path, f->folder) == 0 || (real && access(real, F_OK) == 0);
}

/* ~ is the service's home.  Its working folder is nobody's business. */
static enum rc absolute(struct finding *f, const char *path, const char **out)
{
	const char *home = f->setup->home;

	*out = path;
	if (text_starts_with(path, "~/") && *home)
		*out = arena_format(f->arena, "%s%s", home, path + 1);
	if (!*out)
		return err_memory(f->e);
	if (**out != '/')
		return err_set(f->e, RC_TARGET, 0,
			"nova-compute is started with the file %s, which is no absolute "
			"path: cpuherd cannot tell what it reads",
			path);
	return RC_OK;
}

static enum rc add_file(struct finding *f, const char *path)
{
	const char *full;

	if (absolute(f, path, &full) != RC_OK)
		return f->e->code;
	return texts_add(f->files, full, f->arena, f->e);
}

/* sorted(glob("*.conf")), and the drop-in among them. */
static enum rc add_found(struct finding *f, const glob_t *found, const char *folder)
{
	size_t root = strlen(f->setup->world->root);
	const char *ours = strcmp(folder, f->folder) == 0 ? f->drop_in : NULL;
	enum rc rc = RC_OK;

	for (size_t i = 0; i < found->gl_pathc && rc == RC_OK; i++) {
		const char *path = arena_text(f->arena, found->gl_pathv[i] + root);
		int order = ours && path ? strcmp(ours, path) : 1;

		if (ours && order < 0)
			rc = texts_add(f->files, ours, f->arena, f->e);
		if (order <= 0)
			ours = NULL;
		if (rc == RC_OK)
			rc = texts_add(f->files, path, f->arena, f->e);
	}
	return ours && rc == RC_OK ? texts_add(f->files, ours, f->arena, f->e) : rc;
}

static enum rc add_folder(struct finding *f, const char *path)
{
	const char *folder, *pattern;
	glob_t found = { 0 };
	enum rc rc;

	if (absolute(f, path, &folder) != RC_OK)
		return f->e->code;
	while (strlen(folder) > 1 && text_ends_with(folder, "/")) {
		folder = arena_text_n(f->arena, folder, strlen(folder) - 1);
		if (!folder)
			return err_memory(f->e);
	}
	pattern = arena_format(f->arena, "%s%s/*.conf", f->setup->world->root, folder);
	if (!pattern)
		return err_memory(f->e);
	if (glob(pattern, 0, NULL, &found) == GLOB_NOSPACE)
		return err_memory(f->e);
	rc = add_found(f, &found, folder);
	globfree(&found);
	return rc;
}

/* The first of the folders that has it. */
static enum rc add_default(struct finding *f, const char *name,
	enum rc (*add)(struct finding *f, const char *path))
{
	const char *home = f->setup->home;
	const char *folders[] = { arena_format(f->arena, "%s/.nova", home), home,
		"/etc/nova", "/etc" };

	for (size_t i = *home ? 0 : 2; i < sizeof(folders) / sizeof(folders[0]); i++) {
		const char *path = arena_format(f->arena, "%s/%s", folders[i], name);

		if (!path || !folders[0])
			return err_memory(f->e);
		if (exists(f, path))
			return add(f, path);
	}
	return RC_OK;
}

static const struct default_row {
	const char *option;
	enum rc (*add)(struct finding *f, const char *path);
	const char *names[2];
} rows[] = {
	{ "--config-file=", add_file, { "nova.conf", "nova-compute.conf" } },
	{ "--config-dir=", add_folder, { "nova.conf.d", "nova-compute.conf.d" } },
};

static bool is_given(const struct nova_setup *s, const char *option)
{
	for (size_t i = 0; i < s->arguments.count; i++)
		if (text_starts_with(s->arguments.item[i], option))
			return true;
	return false;
}

static enum rc add_argument(struct finding *f, const char *word)
{
	for (size_t i = 0; i < 2; i++)
		if (text_starts_with(word, rows[i].option))
			return rows[i].add(f, word + strlen(rows[i].option));
	return RC_OK;
}

enum rc nova_setup_files(const struct nova_setup *s, const char *drop_in,
	struct arena *arena, struct texts *out, struct err *e)
{
	const char *folder = arena_text_n(
		arena, drop_in, (size_t)(strrchr(drop_in, '/') - drop_in));
	struct finding f = { s, drop_in, folder, arena, out, e };
	enum rc rc = RC_OK;

	*out = (struct texts){ 0 };
	if (!folder)
		return err_memory(e);
	for (size_t i = 0; i < 2; i++)
		for (size_t n = 0; n < 2 && rc == RC_OK && !is_given(s, rows[i].option);
			n++)
			rc = add_default(&f, rows[i].names[n], rows[i].add);
	for (size_t i = 0; i < s->arguments.count && rc == RC_OK; i++)
		rc = add_argument(&f, s->arguments.item[i]);
	return rc;
}
