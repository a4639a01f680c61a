/* Names that hang delay no other name, and not the end. */
#include <pthread.h>
#include <semaphore.h>
#include <string.h>
#include <time.h>

#include "coordinator/net/lookup.h"
#include "tests/support/test.h"

enum { DEAD = 40, PATIENCE_S = 60 };

static sem_t ready, came_back;
static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER; /* dead names wait for it */

/* The linker puts it in place of getaddrinfo(). */
int __real_getaddrinfo(
	const char *, const char *, const struct addrinfo *, struct addrinfo **);
int __wrap_getaddrinfo(
	const char *, const char *, const struct addrinfo *, struct addrinfo **);

int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints,
	struct addrinfo **list)
{
	if (strcmp(host, "dead") != 0)
		return __real_getaddrinfo("127.0.0.1", port, hints, list);
	pthread_mutex_lock(&gate);
	pthread_mutex_unlock(&gate);
	sem_post(&came_back);
	return EAI_AGAIN;
}

static void hear(void *context)
{
	(void)context;
	sem_post(&ready);
}

static void wait_for(sem_t *semaphore)
{
	struct timespec until;

	clock_gettime(CLOCK_REALTIME, &until);
	until.tv_sec += PATIENCE_S;
	if (sem_timedwait(semaphore, &until) != 0)
		fail_msg("nothing came in %d s", PATIENCE_S);
}

static void start(struct lookups *l, const char *host, void *owner)
{
	struct err e;

	if (!lookup_start(l, host, 22, owner, &e))
		fail_msg("%s", e.text);
}

static void names_that_hang_delay_neither_others_nor_the_end(void **state)
{
	struct lookups *l = lookups_new(hear, NULL);
	struct lookup *one;
	int owner;

	(void)state;
	assert_non_null(l);
	pthread_mutex_lock(&gate);
	for (int i = 0; i < DEAD; i++)
		start(l, "dead", NULL);
	start(l, "good", &owner);
	wait_for(&ready);
	one = lookup_take(l);
	assert_non_null(one);
	assert_ptr_equal(one->owner, &owner);
	assert_int_equal(one->status, 0);
	assert_non_null(one->list);
	lookup_free(one);
	assert_null(lookup_take(l));
	lookups_leave(l);
	pthread_mutex_unlock(&gate);
	for (int i = 0; i < DEAD; i++)
		wait_for(&came_back);
}

static void every_name_gets_its_answer(void **state)
{
	enum { NAMES = 2 * LOOKUP_THREADS };
	static bool heard[NAMES];
	struct lookups *l = lookups_new(hear, NULL);

	(void)state;
	assert_non_null(l);
	for (int i = 0; i < NAMES; i++)
		start(l, i % 3 ? "good" : "dead", &heard[i]);
	for (int count = 0; count < NAMES; count++) {
		struct lookup *one;

		wait_for(&ready);
		one = lookup_take(l);
		assert_non_null(one);
		assert_false(*(bool *)one->owner);
		*(bool *)one->owner = true;
		assert_int_equal(one->status, strcmp(one->host, "dead") ? 0 : EAI_AGAIN);
		lookup_free(one);
	}
	lookups_leave(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_that_hang_delay_neither_others_nor_the_end),
		cmocka_unit_test(every_name_gets_its_answer),
	};

	sem_init(&ready, 0, 0);
	sem_init(&came_back, 0, 0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
