/* From a place and a name to a path: the only file that does so. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "peer/place.h"

/* The text is below the variable, if that is an absolute path (XDG Base Directory
 * Specification: relative ones are to be ignored), else below a folder of HOME; NULL with
 * RC_OK: neither is known. */
static enum rc home_folder(const char *variable, const char *in_home, const char *below,
	struct arena *arena, const char **out, struct err *e)
{
	const char *set = getenv(variable), *home = getenv("HOME");

	*out = NULL;
	if (set && set[0] == '/')
		*out = arena_format(arena, "%s%s", set, below);
	else if (home && home[0] == '/')
		*out = arena_format(arena, "%s/%s%s", home, in_home, below);
	else
		return RC_OK;
	return *out ? RC_OK : err_memory(e);
}

enum rc place_world_of_uri(
	struct place_world *out, const char *uri, struct arena *arena, struct err *e)
{
	enum rc rc;

	*out = (struct place_world){ .root = "",
		.session = text_ends_with(uri, "/session") };
	rc = home_folder("XDG_CONFIG_HOME", ".config", "", arena, &out->config, e);
	out->state = "/var/lib/cpuherd";
	if (rc == RC_OK && (out->session || geteuid() != 0))
		rc = home_folder("XDG_STATE_HOME", ".local/state", "/cpuherd", arena,
			&out->state, e);
	out->logs = "/var/log/libvirt/qemu";
	if (rc == RC_OK && out->session)
		rc = home_folder("XDG_CACHE_HOME", ".cache", "/libvirt/qemu/log", arena,
			&out->logs, e);
	return rc;
}

/* What surrounds the files of a place: links may be followed up to base, and needed is
 * made by the package that the file is for. */
static const struct surroundings {
	enum place place;
	const char *base, *needed;
} surroundings[] = {
	{ PLACE_stanza, "/etc", "" },
	{ PLACE_cpu_map, "/usr/share/libvirt", "/usr/share/libvirt/cpu_map" },
	{ PLACE_cpu_map_index, "/usr/share/libvirt", "/usr/share/libvirt/cpu_map" },
	{ PLACE_nova, "/etc", "/etc/nova" },
};

static const struct surroundings *surroundings_of(enum place place)
{
	for (size_t i = 0; i < sizeof(surroundings) / sizeof(surroundings[0]); i++)
		if (surroundings[i].place == place)
			return &surroundings[i];
	return NULL;
}

static enum rc check_name(const struct place_row *row, const char *name, struct err *e)
{
	if (row->number == PLACE_domain && !text_is_uuid(name))
		return err_set(e, RC_PLACE, 0, "\"%.64s\" is no UUID of a domain", name);
	if (!text_is_name(name))
		return err_set(e, RC_PLACE, 0, "\"%.64s\" is no name for a file", name);
	return RC_OK;
}

/* The pattern with its hole filled, if it has one. */
static char *fill_in(
	const char *base, const char *pattern, const char *name, struct arena *arena)
{
	const char *hole = strstr(pattern, "%s");

	if (!hole)
		return arena_format(arena, "%s%s", base, pattern);
	return arena_format(arena, "%s%.*s%s%s", base, (int)(hole - pattern), pattern,
		name, hole + strlen("%s"));
}

static enum rc check_length(const struct folder_way *way, struct err *e)
{
	const char *file = strrchr(way->path, '/') + 1;

	if (strlen(way->path) >= PATH_MAX || strlen(file) > NAME_MAX)
		return err_set(e, RC_PLACE, 0, "the path of %.64s is too long", file);
	return RC_OK;
}

enum rc place_way(const struct place_world *world, uint32_t place, const char *name,
	struct arena *arena, struct folder_way *out, struct err *e)
{
	const struct place_row *row = place_of(place);
	const struct surroundings *around = surroundings_of(place);
	const char *pattern, *base = "";
	enum rc rc;

	if (!row)
		return err_set(e, RC_PLACE, 0, "there is no place number %u", place);
	rc = check_name(row, name, e);
	if (rc != RC_OK)
		return rc;
	if (!around)
		return err_set(e, RC_PLACE, 0, "a %s is no file", row->name);
	pattern = world->session ? row->session_path : row->system_path;
	if (!*pattern)
		return err_set(e, RC_TARGET, 0,
			"%s is not to be had with qemu:///session: it belongs to the "
			"system",
			row->name);
	*out = (struct folder_way){ NULL, strlen(around->base), strlen(around->needed) };
	if (text_starts_with(pattern, "~config")) {
		if (!world->config)
			return err_set(e, RC_PLACE, 0,
				"neither XDG_CONFIG_HOME nor HOME is set");
		base = world->config;
		pattern += strlen("~config");
		out->base = strlen(base);
		out->needed = 0;
	}
	out->path = fill_in(base, pattern, name, arena);
	return out->path ? check_length(out, e) : err_memory(e);
}
