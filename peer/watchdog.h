/* watchdog.h - an end to calls that may never return.
 *
 * libvirt's client cannot be given a time limit from inside, and a call that
 * hangs cannot be abandoned safely.  So the process ends: from the handler of
 * SIGALRM, after last words.  One watchdog per process.
 */
#ifndef PEER_WATCHDOG_H
#define PEER_WATCHDOG_H

/* What is done before the end: only async-signal-safe calls, no memory. */
struct watchdog_last_words {
	void (*say)(void *context);
	void *context;
};

/* The process ends with the exit status when watchdog_disarm() does not come
 * within so many seconds.  The words are copied. */
void watchdog_arm(
	unsigned seconds, int exit_status, const struct watchdog_last_words *words);
void watchdog_disarm(void);

#endif
