/* key_openssh.h - openssh-key-v1, the format of ssh-keygen's private keys.  Pure. */
#ifndef COORDINATOR_KEY_OPENSSH_H
#define COORDINATOR_KEY_OPENSSH_H

#include <stdbool.h>

#include "coordinator/net/pkey.h"

struct key_openssh {
	struct bytes public; /* over the wire; points into the given bytes */
	bool locked,
		foreign; /* has a passphrase; a type that cannot sign here: that is all */
	char type[32];
	struct pkey_numbers numbers; /* point into the given bytes */
};

/* Takes the decoded bytes apart; false when they are no such key, or hold more than one. */
bool key_openssh_parse(struct bytes decoded, struct key_openssh *out);

#endif
