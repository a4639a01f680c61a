#include "coordinator/ssh/defaults.h"

#include <pwd.h>
#include <stdlib.h>
#include <unistd.h>

enum { SSH_PORT = 22 };

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

static const char *login_name(struct arena *arena, struct err *e)
{
	const struct passwd *user = getpwuid(getuid());
	const char *name = user ? user->pw_name : getenv("USER");
	const char *copy = name && *name ? arena_text(arena, name) : NULL;

	if (!name || !*name)
		err_set(e, RC_INPUT, 0, "user %u has no name; say USER@HOST",
			(unsigned)getuid());
	else if (!copy)
		err_memory(e);
	return copy;
}

const char *ssh_expand_home(const char *path, struct arena *arena)
{
	if (path[0] != '~' || path[1] != '/')
		return arena_text(arena, path);
	return arena_format(arena, "%s%s", home_folder(), path + 1);
}

enum rc ssh_settings_default(
	struct ssh_settings *out, const char *host, struct arena *arena, struct err *e)
{
	const char *agent = getenv("SSH_AUTH_SOCK"), *home = home_folder();
	enum rc rc = RC_OK;

	*out = (struct ssh_settings){ .host = host, .port = SSH_PORT };
	out->user = login_name(arena, e);
	if (!out->user)
		return e->code;
	if (agent && *agent)
		out->agent = agent;
	for (size_t i = 0; i < sizeof(key_names) / sizeof(*key_names) && rc == RC_OK; i++)
		rc = texts_add(&out->identity_files,
			arena_format(arena, "%s/.ssh/%s", home, key_names[i]), arena, e);
	for (size_t i = 0; i < sizeof(known_names) / sizeof(*known_names) && rc == RC_OK;
		i++) {
		const char *name = ssh_expand_home(known_names[i], arena);

		rc = texts_add(&out->known_hosts, name, arena, e);
	}
	return rc;
}
