/* What ssh would use without a word of the user (ssh_config(5): IdentityFile,
 * UserKnownHostsFile, GlobalKnownHostsFile). */
#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/log.h"
#include "coordinator/net/fleet.h"
#include "coordinator/net/identity.h"

static const char *const key_names[] = { "id_ed25519", "id_ecdsa", "id_rsa" };

/* The first is where new keys go, there or not. */
static const char *const known_names[] = { "~/.ssh/known_hosts", "~/.ssh/known_hosts2",
	"/etc/ssh/ssh_known_hosts", "/etc/ssh/ssh_known_hosts2" };

static const char *home_folder(void)
{
	const char *home = getenv("HOME");
	const struct passwd *user = home && *home ? NULL : getpwuid(getuid());

	if (home && *home)
		return home;
	return user ? user->pw_dir : "/";
}

/* Nobody named these files: one that is no use to us (PuTTY's format, an empty file)
 * is passed over, as ssh does it. */
static bool is_usable(const char *path)
{
	struct identity key;
	struct err why;

	if (access(path, R_OK) != 0)
		return false;
	if (identity_read(path, &key, &why) == RC_OK)
		return true;
	log_line(LOG_WARN, NULL, "%s; it is not used", why.text);
	return false;
}

static enum rc find_identities(
	struct fleet_options *out, const char *home, struct arena *arena, struct err *e)
{
	size_t count = sizeof(key_names) / sizeof(*key_names);
	const char **found = arena_alloc(arena, count, sizeof(*found));

	if (!found)
		return err_memory(e);
	for (size_t i = 0; i < count; i++) {
		char *path = arena_format(arena, "%s/.ssh/%s", home, key_names[i]);

		if (!path)
			return err_memory(e);
		if (is_usable(path))
			found[out->identity_count++] = path;
	}
	out->identities = found;
	return RC_OK;
}

static enum rc find_known_hosts(
	struct fleet_options *out, const char *home, struct arena *arena, struct err *e)
{
	size_t count = sizeof(known_names) / sizeof(*known_names);
	const char **found = arena_alloc(arena, count, sizeof(*found));

	if (!found)
		return err_memory(e);
	for (size_t i = 0; i < count; i++) {
		const char *name = known_names[i], *path = name;

		if (*name == '~')
			path = arena_format(arena, "%s%s", home, name + 1);
		if (!path)
			return err_memory(e);
		if (i == 0 || access(path, F_OK) == 0)
			found[out->known_hosts_count++] = path;
	}
	out->known_hosts = found;
	return RC_OK;
}

enum rc fleet_default_options(
	struct fleet_options *out, struct arena *arena, struct err *e)
{
	const char *agent = getenv("SSH_AUTH_SOCK"), *home = home_folder();

	*out = (struct fleet_options){ .connect = "", .use_agent = agent && *agent };
	if (find_identities(out, home, arena, e) != RC_OK)
		return e->code;
	return find_known_hosts(out, home, arena, e);
}
