/* dialogue.h - one dialogue with a coordinator: serve.c's insides.
 *
 * serve.c reads requests and has the table of their handlers; the other serve_*.c
 * have the handlers.  One fills the answer into the output, or says why not.
 */
#ifndef PEER_DIALOGUE_H
#define PEER_DIALOGUE_H

#include "peer/run.h"
#include "peer/serve.h"
#include "peer/stream.h"
#include "peer/trial.h"
#include "proto/facts.h"

struct dialogue {
	const struct serve *serve;
	struct stream stream;
	uint32_t version; /* 0: no hello yet */
	bool over;
	struct arena arena; /* lives as long as the dialogue */
	const char *connect;
	struct place_world world;

	struct arena facts_arena;
	struct node_facts facts;
	bool has_facts;

	struct run_site site;
	struct run run; /* after hello */
	struct trials trials;

	struct buf last_words; /* the watchdog's: a failure, as a frame */
};

enum rc dialogue_answer(
	struct dialogue *d, enum message_tag tag, const void *value, struct err *e);

/* Until watchdog_disarm(): when libvirt or another program of the node hangs, the run is
 * reverted as far as that can be done, a failure is sent, and the process ends. */
enum rc dialogue_arm(struct dialogue *d, struct err *e);

typedef enum rc handler_fn(
	struct dialogue *d, const void *request, struct arena *scratch, struct err *e);

handler_fn handle_ask_facts, handle_ask_bodies, handle_ask_domains, handle_ask_nova,
	handle_propose;
handler_fn handle_look, handle_stage, handle_commit, handle_verify, handle_revert,
	handle_keep, handle_forget, handle_recover;
handler_fn handle_try, handle_meet, handle_dismiss, handle_migrate;

#endif
