/* Lanes beside each other: the first one in the thread of the caller, each other one in a
 * thread of its own, which waits between rounds.  They are made before any node is asked:
 * no round can fail for want of a thread, least of all one that puts nodes back. */
#include <string.h>

#include "base/log.h"
#include "coordinator/net/lane_private.h"

static void wait_for(sem_t *semaphore)
{
	while (sem_wait(semaphore) != 0)
		; /* a signal */
}

static void lane_run(struct lane *l)
{
	l->running = !l->closing;
	l->crew->world->run(l->world);
	l->running = false;
}

static void *lane_main(void *lane)
{
	struct lane *l = lane;
	struct crew *c = l->crew;

	for (;;) {
		wait_for(&l->go);
		if (l->leaving)
			return NULL;
		lane_run(l);
		atomic_fetch_sub(&c->others, 1);
		c->world->poke(c->lanes->world);
		sem_post(&c->ended);
	}
}

static enum rc lane_start(struct lane *l, struct err *e)
{
	int error;

	sem_init(&l->go, 0, 0);
	error = pthread_create(&l->thread, NULL, lane_main, l);
	if (error == 0)
		return RC_OK;
	sem_destroy(&l->go);
	return err_set(e, RC_MEMORY, error, "no thread: %s", strerror(error));
}

/* One lane more, with its thread. */
static enum rc lane_add(struct crew *c, struct err *e)
{
	struct lane *l = &c->lanes[c->lane_count];

	if (lane_init(l, c, e) != RC_OK)
		return e->code;
	if (c->lane_count > 0 && lane_start(l, e) != RC_OK) {
		lane_destroy(l);
		return e->code;
	}
	c->lane_count++;
	return RC_OK;
}

enum rc lanes_start(struct crew *c, size_t count, struct err *e)
{
	struct err why;

	sem_init(&c->ended, 0, 0);
	if (lane_add(c, e) != RC_OK)
		return e->code;
	while (c->lane_count < count && lane_add(c, &why) == RC_OK)
		;
	if (c->lane_count < count)
		log_line(LOG_WARN, NULL, "--threads %zu: there are %zu: %s", count,
			c->lane_count, why.text);
	return RC_OK;
}

void lanes_run(struct crew *c)
{
	atomic_store(&c->others, c->lane_count - 1);
	for (size_t i = 1; i < c->lane_count; i++)
		sem_post(&c->lanes[i].go);
	lane_run(&c->lanes[0]);
	for (size_t i = 1; i < c->lane_count; i++)
		wait_for(&c->ended);
}

void lanes_end(struct crew *c)
{
	for (size_t i = 1; i < c->lane_count; i++) {
		c->lanes[i].leaving = true;
		sem_post(&c->lanes[i].go);
		pthread_join(c->lanes[i].thread, NULL);
		sem_destroy(&c->lanes[i].go);
	}
	for (size_t i = 0; i < c->lane_count; i++)
		lane_destroy(&c->lanes[i]);
	sem_destroy(&c->ended);
}
