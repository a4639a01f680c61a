/* session_steps.h - what a session does in each state; only session.c calls these.
 *
 * A step makes one call (or repeats one until it blocks) and says how it went.
 * STEP_FAIL: s->err says why.  A step never changes the state.
 */
#ifndef COORDINATOR_SESSION_STEPS_H
#define COORDINATOR_SESSION_STEPS_H

#include "coordinator/net/session.h"

enum step { STEP_AGAIN, STEP_DONE, STEP_ALT, STEP_FAIL };

/* session_login.c: from a name to an open channel */
enum step step_resolve(struct session *s);
enum step step_dial(struct session *s);
enum step step_next_address(struct session *s);
enum step step_handshake(struct session *s);
enum step step_host_key(struct session *s);
enum step step_channel(struct session *s);
enum step step_relay(struct session *s);
enum step step_exec(struct session *s);

/* session_key.c: whose key lets us in */
enum step step_agent(struct session *s);
enum step step_key(struct session *s);
enum step step_login(struct session *s);

/* session_talk.c: from the shell's start line to the bye */
enum step step_start(struct session *s);
enum step step_push(struct session *s);
enum step step_pushed(struct session *s);
enum step step_hello(struct session *s);
enum step step_welcome(struct session *s);
enum step step_request(struct session *s);
enum step step_answer(struct session *s);
enum step step_bye(struct session *s);
enum step step_close(struct session *s);

/* One line for --trace: "node07: sends ask_facts, 12 bytes". */
void session_trace(const struct session *s, const char *does,
	const struct message_type *type, size_t size);

#endif
