/* err.h - what went wrong, as a value.
 *
 * A fallible function returns enum rc and, when it can say more, fills the
 * caller's struct err (never NULL).  Nothing here prints: with ten thousand
 * nodes a failure is a line of the report, kept in the node that suffered it.
 *
 * RC_LIST is the only list of codes: the exit status of the program, the hint
 * of the report and docs/errors.md all come from it.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

#include <stddef.h>

/* X(code, exit status, what it means, what the operator should look at) */
#define RC_LIST(X) \
	X(OK, 0, "done", "") \
	X(AGAIN, 0, "not yet: more input or readiness is needed (never an outcome)", "") \
	X(USAGE, 2, "the command line is wrong", "cpuherd --help") \
	X(INPUT, 3, "a file or pattern given to cpuherd is wrong", \
		"the named file and line") \
	X(MEMORY, 4, "out of memory or open files on the machine that runs cpuherd", \
		"free memory, ulimit -v, ulimit -n") \
	X(INTERNAL, 5, "a bug in cpuherd", \
		"please report it with the text of the error") \
	X(OUTPUT, 6, "cpuherd could not write its own output", \
		"space and permissions where the output goes") \
	X(UNREACHABLE, 10, "a node could not be reached", \
		"name, address and port of the node, its sshd, firewalls") \
	X(HOSTKEY, 11, "a node's host key is unknown, changed or revoked", \
		"known_hosts of this node; --accept-new for nodes never seen before") \
	X(AUTH, 12, "a node refused the login", \
		"user name, ssh-agent or key file, authorized_keys on the node") \
	X(TIMEOUT, 13, "a node was too slow", \
		"the node's load and the way to it, --connect-timeout, --timeout") \
	X(SSH, 14, "the SSH protocol with a node failed", \
		"the server's algorithms and its log") \
	X(PEER, 15, "cpuherd-peer could not be placed or started on a node", \
		"free space, noexec mounts and sudo on the node") \
	X(PROTOCOL, 16, "a node's peer said something that cpuherd does not understand", \
		"version of cpuherd-peer on the node") \
	X(LIMIT, 17, "a node or file sent more than cpuherd accepts", \
		"the named limit, listed in proto/limits.h") \
	X(FACTS, 20, "a node's facts are incomplete", \
		"libvirt and QEMU on the node; --without NODE leaves it out") \
	X(LEVEL, 21, "no guest CPU, or none as wished, is common to these nodes", \
		"the nodes named; --without NODE leaves one out") \
	X(VOTE, 22, "a node voted no and nothing could be removed to please it", \
		"the node's libvirt, with the text of its vote") \
	X(LIBVIRT, 23, "a node's libvirt could not be asked", \
		"libvirtd on the node; --connect URI for a session daemon") \
	X(CONFLICT, 24, \
		"somebody else changed what was to be written, or another run holds a " \
		"node", \
		"the difference shown, or the run named: cpuherd resume or rollback") \
	X(PLACE, 25, "a node could not write the file; every node is as it was before", \
		"free space and permissions on the node") \
	X(PARTIAL, 26, \
		"a run is not over on some nodes: they may hold the old or the new", \
		"the nodes named; when they answer, cpuherd resume or rollback") \
	X(FORMAT, 27, "the level cannot be said in the format asked for", \
		"the features or model named; another --as or --nova-release") \
	X(TARGET, 28, "a node lacks what the target needs, or is set up against it", \
		"the program or the setting named; --replace, where it is offered") \
	X(DIFFERS, 29, "--check: something would be changed", \
		"the differences shown; without --check they are written") \
	X(DRIFTED, 30, "nodes have changed; guests on the level still migrate", \
		"the changes named; cpuherd negotiate renews the lock") \
	X(BROKEN, 31, "a node cannot keep the level: guests on it would not migrate", \
		"the changes named; cpuherd negotiate --upgrade, or --without NODE") \
	X(UNKNOWN, 32, "it could not be told of every node whether it keeps the level", \
		"the nodes named; run again when they answer") \
	X(TRIAL, 33, \
		"a trial guest did not get the CPU that was agreed, or not everywhere", \
		"QEMU of the nodes named: its version, a wrapper, its configuration") \
	X(REHEARSAL, 34, "a trial guest did not survive a migration", \
		"the pairs named, with both nodes' words") \
	X(INTERRUPTED, 130, "interrupted by a signal", "")

#define RC_ENUM(code, status, meaning, hint) RC_##code,
enum rc { RC_LIST(RC_ENUM) RC_COUNT };
#undef RC_ENUM

/* Room for what is to be typed against it, with two long paths. */
enum { ERR_TEXT_MAX = 900 };

struct err {
	enum rc code;
	int native;		 /* errno, libssh2's or libvirt's code; 0 if none */
	char text[ERR_TEXT_MAX]; /* one line, no newline, no secret */
};

/* Fills *e and returns code, so that a caller can write
 *	return err_set(e, RC_INPUT, errno, "%s: %s", path, strerror(errno));
 * Newlines and other control bytes of the text become '?' (texts often quote
 * what a node said).  A macro, so that the compiler and clang's analyzer see
 * which code comes back. */
#define err_set(e, code, native, ...) \
	(err_fill(e, code, native, __VA_ARGS__), err_code(code))
void err_fill(struct err *e, enum rc code, int native, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
static inline enum rc err_code(enum rc code)
{
	return code;
}

/* RC_MEMORY with its one text; the size asked for is not worth reporting. */
static inline enum rc err_memory(struct err *e)
{
	return err_set(e, RC_MEMORY, 0, "out of memory");
}

/* Name ("HOSTKEY"), exit status, meaning and hint of a code. */
const char *rc_name(enum rc code);
int rc_exit_status(enum rc code);
const char *rc_meaning(enum rc code);
const char *rc_hint(enum rc code);

#endif
