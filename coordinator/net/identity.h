/* identity.h - what a private key file is, found out once and before any node is
 * asked: a key that needs a passphrase costs no attempt at a server, and an
 * error can name it.
 */
#ifndef COORDINATOR_IDENTITY_H
#define COORDINATOR_IDENTITY_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/err.h"
#include "coordinator/ssh/settings.h"

struct identity {
	const char *path;
	bool rsa;
	bool locked; /* needs a passphrase; it is not tried */
};

/* What is the key in these bytes?  RC_INPUT when they are no private key. */
enum rc identity_inspect(struct bytes text, struct identity *out, struct err *e);

/* The same for a file; RC_INPUT names it when it cannot be read. */
enum rc identity_read(const char *path, struct identity *out, struct err *e);

/* The key files of the settings.  Where nobody named them, one that is missing or of no
 * use (PuTTY's format, an empty file) is passed over, as ssh does it. */
enum rc identity_read_all(const struct ssh_settings *settings, struct arena *arena,
	struct identity **out, size_t *count, struct err *e);

#endif
