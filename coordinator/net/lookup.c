#include "coordinator/net/lookup.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum { STACK_BYTES = 1024 * 1024 }; /* modules of nsswitch.conf run on it */

struct lookups {
	pthread_mutex_t lock; /* around all that follows */
	pthread_cond_t more;
	void (*ready)(void *context);
	void *context;
	struct lookup *waiting, **last; /* the oldest first */
	struct lookup *done;
	size_t waiting_count, idle, threads;
	bool left; /* its owner is gone; the last thread frees it */
};

struct lookups *lookups_new(void (*ready)(void *context), void *context)
{
	struct lookups *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	pthread_mutex_init(&l->lock, NULL);
	pthread_cond_init(&l->more, NULL);
	l->ready = ready;
	l->context = context;
	l->last = &l->waiting;
	return l;
}

void lookup_free(struct lookup *one)
{
	if (one->list)
		freeaddrinfo(one->list);
	free(one);
}

static void free_all(struct lookup *list)
{
	while (list) {
		struct lookup *one = list;

		list = one->next;
		lookup_free(one);
	}
}

static void lookups_free(struct lookups *l)
{
	free_all(l->waiting);
	free_all(l->done);
	pthread_cond_destroy(&l->more);
	pthread_mutex_destroy(&l->lock);
	free(l);
}

/* ---- the threads; all with the lock */

/* NULL: there is nothing more to do. */
static struct lookup *next_name(struct lookups *l)
{
	struct lookup *one;

	l->idle++;
	while (!l->waiting && !l->left)
		pthread_cond_wait(&l->more, &l->lock);
	l->idle--;
	if (l->left)
		return NULL;
	one = l->waiting;
	l->waiting = one->next;
	l->waiting_count--;
	if (!l->waiting)
		l->last = &l->waiting;
	return one;
}

static void resolve(struct lookups *l, struct lookup *one)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };

	pthread_mutex_unlock(&l->lock);
	one->status = getaddrinfo(one->host, one->port, &hints, &one->list);
	if (one->status != 0)
		one->list = NULL;
	pthread_mutex_lock(&l->lock);
	one->next = l->done;
	l->done = one;
	if (!l->left)
		l->ready(l->context);
}

static void *lookup_main(void *lookups)
{
	struct lookups *l = lookups;
	struct lookup *one;
	bool last;

	pthread_mutex_lock(&l->lock);
	while ((one = next_name(l)))
		resolve(l, one);
	last = --l->threads == 0;
	pthread_mutex_unlock(&l->lock);
	if (last)
		lookups_free(l);
	return NULL;
}

/* One thread more; that there is none to be had matters if there is no other. */
static bool thread_add(struct lookups *l)
{
	pthread_attr_t attributes;
	pthread_t thread;
	bool made;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	made = pthread_create(&thread, &attributes, lookup_main, l) == 0;
	pthread_attr_destroy(&attributes);
	l->threads += made;
	return l->threads > 0;
}

/* ---- what the loop calls */

/* False when nobody would ever look it up. */
static bool enqueue(struct lookups *l, struct lookup *one)
{
	bool served = true;

	pthread_mutex_lock(&l->lock);
	if (l->waiting_count >= l->idle && l->threads < LOOKUP_THREADS)
		served = thread_add(l);
	if (served) {
		*l->last = one;
		l->last = &one->next;
		l->waiting_count++;
		pthread_cond_signal(&l->more);
	}
	pthread_mutex_unlock(&l->lock);
	return served;
}

struct lookup *lookup_start(
	struct lookups *l, const char *host, uint16_t port, void *owner, struct err *e)
{
	size_t size = strlen(host) + 1;
	struct lookup *one = calloc(1, sizeof(*one) + size);

	if (!one) {
		err_memory(e);
		return NULL;
	}
	one->owner = owner;
	memcpy(one->host, host, size);
	snprintf(one->port, sizeof(one->port), "%u", port);
	if (enqueue(l, one))
		return one;
	free(one);
	err_set(e, RC_MEMORY, 0, "name lookup of %s: there is no thread to be had", host);
	return NULL;
}

struct lookup *lookup_take(struct lookups *l)
{
	struct lookup *one;

	pthread_mutex_lock(&l->lock);
	one = l->done;
	if (one)
		l->done = one->next;
	pthread_mutex_unlock(&l->lock);
	return one;
}

void lookups_leave(struct lookups *l)
{
	bool alone;

	if (!l)
		return;
	pthread_mutex_lock(&l->lock);
	l->left = true;
	alone = l->threads == 0;
	pthread_cond_broadcast(&l->more);
	pthread_mutex_unlock(&l->lock);
	if (alone)
		lookups_free(l);
}
