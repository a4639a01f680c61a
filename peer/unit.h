/* unit.h - services of the node, asked about and restarted through systemd.
 *
 * The services are those of proto/unit.h; systemctl is run by its fixed path.  Of a
 * service's units the one that runs is meant, else the first that is loaded.
 */
#ifndef PEER_UNIT_H
#define PEER_UNIT_H

#include "peer/place.h"
#include "proto/texts.h"

struct unit {
	const char *name; /* "": there is none, or no systemd */
	bool active;
	const char *state;	 /* systemd's ActiveState */
	const char *start;	 /* ExecStart, as systemctl show prints it */
	const char *environment; /* Environment */
	const char *user;	 /* User */
	const char *restarts;	 /* NRestarts: how often it fell and was started again */
	uint32_t main_pid;	 /* 0: none */
};

/* What systemd says of the service; the texts live in the arena.  RC_TARGET when
 * systemctl is there and gives no answer; RC_MEMORY. */
enum rc unit_look(const struct place_world *world, const char *service,
	struct arena *arena, struct unit *out, struct err *e);

/* Could these services be restarted here?  RC_TARGET with what is missing;
 * RC_PROTOCOL: not on the list. */
enum rc unit_check(
	const struct place_world *world, const struct texts *services, struct err *e);

/* Restarts the services' units, one after the other and whether they run or not, and
 * waits for each until it is active and stays so for a moment.  RC_TARGET with systemd's
 * last words when that does not come, for all of them within UNIT_LIMIT_S. */
enum { UNIT_LIMIT_S = 60 };
enum rc unit_restart(
	const struct place_world *world, const struct texts *services, struct err *e);

#endif
