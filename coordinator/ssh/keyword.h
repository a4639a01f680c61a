/* keyword.h - the keywords of ssh_config(5), and what cpuherd does with each.
 *
 * MODELLED ones become part of struct ssh_settings.  IGNORED ones say nothing about how a
 * node is reached, or only ask for less than cpuherd insists on.  NOTED and WARNED ones
 * cpuherd does not do: the line is named, at -v or always.  REFUSED ones would make a run
 * less safe, or impossible, if they were passed over.  ASKED ones only ssh can answer.
 */
#ifndef COORDINATOR_SSH_KEYWORD_H
#define COORDINATOR_SSH_KEYWORD_H

#include <stdbool.h>
#include <stddef.h>

enum keyword_class {
	CLASS_MODELLED,
	CLASS_STRUCTURE, /* Host, Match, Include */
	CLASS_IGNORED,
	CLASS_NOTED,
	CLASS_WARNED,
	CLASS_REFUSED,
	CLASS_ASKED,
	CLASS_UNKNOWN,
};

/* What must stand behind it.  Where it does not, ssh is asked what it makes of it. */
enum keyword_shape {
	SHAPE_ANY,
	SHAPE_WORD,
	SHAPE_WORDS,
	SHAPE_FLAG,
	SHAPE_NUMBER,
	SHAPE_PORT,
	SHAPE_TIME,
	SHAPE_STRICT,
	SHAPE_FILES,
	SHAPE_ALGORITHMS,
	SHAPE_JUMP,
	SHAPE_REST, /* to the end of the line, as written */
};

/* X(id, name, class, shape, the value that asks for nothing, why): those whose first
 * value counts. */
#define KEYWORDS(X) \
	X(HOSTNAME, "hostname", MODELLED, WORD, NULL, "") \
	X(USER, "user", MODELLED, WORD, NULL, "") \
	X(PORT, "port", MODELLED, PORT, NULL, "") \
	X(IDENTITY_FILE, "identityfile", MODELLED, WORD, NULL, "") \
	X(IDENTITIES_ONLY, "identitiesonly", MODELLED, FLAG, NULL, "") \
	X(IDENTITY_AGENT, "identityagent", MODELLED, WORD, NULL, "") \
	X(USER_KNOWN, "userknownhostsfile", MODELLED, FILES, NULL, "") \
	X(GLOBAL_KNOWN, "globalknownhostsfile", MODELLED, FILES, NULL, "") \
	X(STRICT, "stricthostkeychecking", MODELLED, STRICT, NULL, "") \
	X(ALIAS, "hostkeyalias", MODELLED, WORD, NULL, "") \
	X(ALGORITHMS, "hostkeyalgorithms", MODELLED, ALGORITHMS, NULL, "") \
	X(PROXY_JUMP, "proxyjump", MODELLED, JUMP, NULL, "") \
	X(PROXY_COMMAND, "proxycommand", MODELLED, REST, NULL, "") \
	X(CONNECT_TIMEOUT, "connecttimeout", MODELLED, TIME, NULL, "") \
	X(IGNORE_UNKNOWN, "ignoreunknown", MODELLED, WORD, NULL, "") \
	X(CANONICALIZE, "canonicalizehostname", ASKED, WORD, "no", \
		"it rewrites names by DNS") \
	X(CNAMES, "canonicalizepermittedcnames", ASKED, WORDS, "none", \
		"it rewrites names by DNS") \
	X(REVOKED, "revokedhostkeys", REFUSED, WORD, "none", \
		"a key revoked there would be accepted; mark it @revoked in " \
		"known_hosts") \
	X(KNOWN_COMMAND, "knownhostscommand", REFUSED, REST, "none", \
		"cpuherd runs no command to learn host keys") \
	X(FDPASS, "proxyusefdpass", REFUSED, FLAG, "no", \
		"cpuherd takes no connection from a ProxyCommand, only its output") \
	X(BIND_ADDRESS, "bindaddress", WARNED, WORD, NULL, \
		"cpuherd connects from the address that the system chooses") \
	X(BIND_INTERFACE, "bindinterface", WARNED, WORD, NULL, \
		"cpuherd connects from the address that the system chooses") \
	X(FAMILY, "addressfamily", WARNED, WORD, "any", \
		"cpuherd tries IPv6 and IPv4 addresses") \
	X(CERTIFICATE, "certificatefile", WARNED, WORD, "none", \
		"cpuherd logs in with plain keys, not with certificates") \
	X(PKCS11, "pkcs11provider", WARNED, WORD, "none", \
		"cpuherd reads no tokens; ssh-add -s gives them to the ssh-agent") \
	X(PUBKEY, "pubkeyauthentication", WARNED, WORD, "yes", \
		"cpuherd knows no other way to log in") \
	X(CIPHERS, "ciphers", NOTED, WORD, NULL, "cpuherd has its own order") \
	X(MACS, "macs", NOTED, WORD, NULL, "cpuherd has its own order") \
	X(KEX, "kexalgorithms", NOTED, WORD, NULL, "cpuherd has its own order") \
	X(RSA_SIZE, "requiredrsasize", NOTED, NUMBER, NULL, \
		"cpuherd takes what the ssh libraries take")

enum keyword {
#define KEYWORD_ENUM(id, name, class, shape, neutral, why) KEY_##id,
	KEYWORDS(KEYWORD_ENUM)
#undef KEYWORD_ENUM
		KEY_COUNT, /* what follows has no first value */
	KEY_HOST = KEY_COUNT,
	KEY_MATCH,
	KEY_INCLUDE,
	KEY_IGNORED,
	KEY_UNKNOWN,
};

struct keyword_row {
	const char *name; /* lower case */
	enum keyword key;
	enum keyword_class class;
	enum keyword_shape shape;
	const char *neutral; /* the value that asks for nothing; NULL: there is none */
	const char *why;
};

/* Any case; never NULL: the row of what ssh 9.2 does not know says CLASS_UNKNOWN. */
const struct keyword_row *keyword_find(const char *name);
/* The row of one whose first value counts. */
const struct keyword_row *keyword_row_of(enum keyword key);

/* All rows, one after the other; NULL behind the last. */
const struct keyword_row *keyword_of_index(size_t i);

/* Is the value the one that asks for nothing ("no" is also "false")? */
bool keyword_is_neutral(const struct keyword_row *row, const char *value);

/* yes, no, true or false, in any case. */
bool keyword_read_flag(const char *word, bool *value);

#endif
