#include "coordinator/ssh/defaults.h"

/* Of ssh's list those that libssh2 can sign with: not id_dsa, which servers of today refuse,
 * and not the keys of authenticators (_sk), which need one to be touched for each node.  The
 * best one first: each attempt costs a server time. */
static const char *const identities[] = { "id_ed25519", "id_ecdsa", "id_rsa" };

static const char *const known[] = { "known_hosts", "known_hosts2" };
static const char *const system_known[] = { "ssh_known_hosts", "ssh_known_hosts2" };

#define COUNT(list) (sizeof(list) / sizeof(*(list)))

static enum rc add(struct texts *out, const char *before, const char *folder,
	const char *const *names, size_t count, struct intern *in, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < count && rc == RC_OK; i++) {
		char *path = arena_format(in->arena, "%s%s%s", before, folder, names[i]);

		rc = texts_add(out, path ? intern_text(in, path) : NULL, in->arena, e);
	}
	return rc;
}

enum rc defaults_add_identities(
	struct texts *out, const char *home, struct intern *in, struct err *e)
{
	return add(out, home, "/.ssh/", identities, COUNT(identities), in, e);
}

enum rc defaults_add_known_hosts(struct texts *user, struct texts *system,
	const char *home, struct intern *in, struct err *e)
{
	enum rc rc = add(user, home, "/.ssh/", known, COUNT(known), in, e);

	return rc == RC_OK ? add(system, "", "/etc/ssh/", system_known,
				     COUNT(system_known), in, e)
			   : rc;
}
