/* serve.h - the dialogue, from the node's end (docs/protocol.md).
 *
 * Reads requests as frames and answers each in turn.  The coordinator is not
 * trusted: what does not follow the protocol (a frame that cannot be decoded, a
 * message that is no request, anything before hello, a second hello) is answered
 * by a failure, and the dialogue ends.  A request that cannot be carried out is
 * answered by a failure and the dialogue goes on.
 *
 * However it ends (bye, end of input, a signal, a broken pipe, a violation, the
 * watchdog), a run that was not kept is reverted, unless it lingers or came from
 * the journal (run.h), and trial guests are ended: a coordinator that vanishes leaves the
 * node as it was.  One whose machine or network died cannot even close the
 * connection, and TCP may not notice for hours: hence the patience.
 *
 * Nothing but frames is written to `out`.  Requests that ask libvirt end the
 * process when libvirt does not answer within limit_s: a failure is sent and the
 * run reverted, from a signal handler.
 */
#ifndef PEER_SERVE_H
#define PEER_SERVE_H

#include "base/buf.h"
#include "peer/libvirt_domain.h"
#include "peer/migration.h"
#include "peer/trial.h"

/* Within the time that a coordinator gives a request (120 s unless told), so that the
 * reason still arrives; and long after the slowest request that other nodes of the run
 * may be busy with. */
enum { SERVE_LIMIT_S = 100, SERVE_PATIENCE_S = 600 };

struct serve {
	int in, out;
	struct bytes first; /* read as if it had come in front of what comes from in */
	unsigned limit_s;
	int patience_ms; /* for a silent coordinator, in the middle of a run or of trials; 0: no limit */
	const char *root; /* "" in life; tests put places elsewhere */
	/* libvirt_judge(), gather_facts(); tests on machines without libvirt have
	 * others */
	enum rc (*judge)(const char *uri, const struct libvirt_guest *guest,
		const char *cpu, struct arena *arena, struct libvirt_verdict *out,
		struct err *e);
	enum rc (*gather)(struct node_facts *out, const char *connect,
		struct arena *arena, struct err *e);
	const struct domain_calls *domains;	  /* the same */
	const struct migration_calls *migrations; /* the same */
	const struct trial_ways *trials;	  /* the same */
};

/* The real ones, on standard input and output. */
extern const struct serve serve_standard;

/* Serves one dialogue to its end.  RC_OK after bye or the end of input between
 * messages with nothing to put back; else the reason, for stderr: RC_PROTOCOL,
 * RC_LIMIT, RC_INTERRUPTED (a signal, or the coordinator vanished in the middle
 * of a run), RC_TIMEOUT
 * (it was silent for too long in the middle of one), RC_OUTPUT, RC_MEMORY, RC_PARTIAL (could not put back).  Blocks
 * SIGHUP, SIGINT and SIGTERM and ignores SIGPIPE and SIGXFSZ while it runs. */
enum rc serve_run(const struct serve *serve, struct err *e);

#endif
