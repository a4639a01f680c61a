/* guard.h - a process that ends a run's guests when the peer cannot.
 *
 * It waits for the end of a pipe from the peer, however that comes about: SIGKILL, the
 * watchdog, the end of the ssh session.  Then it ends all guests of the run, until twice
 * in a row there were none (one may still be on its way here), removes the scratch and
 * exits.  While nothing happens it sleeps in read().
 *
 * It is patient: while libvirtd connects to a target that drops packets, all calls about
 * that guest wait, for two minutes as TCP has it, and several may be in a row.  A daemon
 * that answers nothing for much longer is left to a person: the guard gives up and says to
 * the system's log which guests may be there.
 *
 * It is a session of its own, deaf to signals that end sessions, and holds nothing of the
 * peer's but the scratch and its end of the pipe: sshd, which waits for standard output to
 * close, does not wait for it.
 *
 * Where systemd ends a login's scope with all its processes (KillUserProcesses=yes), or a
 * person kills it, the guests' own kernel ends them in time, and the next run sweeps what
 * is left (scratch_stale()).
 */
#ifndef PEER_GUARD_H
#define PEER_GUARD_H

#include <sys/types.h>

#include "peer/scratch.h"

struct guard_job {
	const char *uri, *run;
	struct scratch *scratch; /* made */

	/* Ends all guests of the run; *count of them.  Called after fork(), in a process of
	 * one thread, without any descriptor of the parent: it opens a libvirt connection
	 * of its own, and must not touch one of the parent's. */
	enum rc (*end_all)(
		const char *uri, const char *run, unsigned *count, struct err *e);

	/* Between two calls, and after which it gives up, also in a call that does not
	 * come back; 0: 2000 ms, 15 minutes.  Then the scratch stays, for the sweep. */
	unsigned pause_ms, limit_s;

	const char *log; /* the system log's socket; NULL, "": /dev/log */
};

/* {0}: none. */
struct guard {
	pid_t pid;
	int pipe; /* the end that is written to */
};

/* To be called before the first guest is started, and best before the peer opens the
 * connection that it keeps.  RC_INTERNAL: no process, no pipe. */
enum rc guard_start(struct guard *g, const struct guard_job *job, struct err *e);

/* All is clean: the guard ends without doing anything, and is waited for.  Safe to call
 * twice.  The process ignores SIGPIPE (stream.h): the guard may be dead. */
void guard_release(struct guard *g);

#endif
