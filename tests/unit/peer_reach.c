/* Why a target cannot be reached, on loopback. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "peer/reach.h"
#include "tests/support/test.h"

/* A socket on a free port of 127.0.0.1; with backlog < 0 it only holds the port. */
static int open_port(int backlog, uint32_t *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof(address);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	assert_int_equal(bind(fd, (struct sockaddr *)&address, size), 0);
	if (backlog >= 0)
		assert_int_equal(listen(fd, backlog), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
	*port = ntohs(address.sin_port);
	return fd;
}

static const char *look(const char *host, uint32_t port, bool by_ssh, struct arena *arena)
{
	const struct remote_uri target = { host, port, by_ssh };
	const char *words = reach_look(&target, arena);

	assert_non_null(words);
	return words;
}

static void a_port_that_accepts_is_reached(void **state)
{
	struct arena arena = { 0 };
	uint32_t port;
	int fd = open_port(1, &port);

	(void)state;
	assert_string_equal(look("127.0.0.1", port, false, &arena), "");
	close(fd);
	arena_destroy(&arena);
}

static void a_port_that_refuses_is_named_with_its_address(void **state)
{
	struct arena arena = { 0 };
	uint32_t port;
	int fd = open_port(-1, &port);

	(void)state;
	assert_string_equal(look("127.0.0.1", port, false, &arena),
		arena_format(&arena, "127.0.0.1 port %u: Connection refused", port));
	assert_contains(look("localhost", port, false, &arena), "localhost is ");
	assert_contains(look("localhost", port, false, &arena), ": Connection refused");
	close(fd);
	arena_destroy(&arena);
}

/* A listener whose queue is full answers no more. */
static void one_that_is_silent_is_given_up_in_time(void **state)
{
	struct arena arena = { 0 };
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	uint32_t port;
	int fd = open_port(0, &port), filler[8];

	(void)state;
	address.sin_port = htons((uint16_t)port);
	for (int i = 0; i < 8; i++) {
		filler[i] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		(void)connect(filler[i], (struct sockaddr *)&address, sizeof(address));
	}
	assert_string_equal(look("127.0.0.1", port, false, &arena),
		arena_format(&arena, "127.0.0.1 port %u: no answer within 5 s", port));
	for (int i = 0; i < 8; i++)
		close(filler[i]);
	close(fd);
	arena_destroy(&arena);
}

static void a_name_that_nobody_knows_is_said(void **state)
{
	struct arena arena = { 0 };

	(void)state;
	assert_contains(look("no-such-node.invalid", 16509, false, &arena),
		"no-such-node.invalid does not resolve here: ");
	assert_contains(look("no-such-node.invalid", 22, true, &arena),
		"does not resolve here (but by ssh's own configuration, perhaps): ");
	arena_destroy(&arena);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(a_port_that_accepts_is_reached),
		cmocka_unit_test(a_port_that_refuses_is_named_with_its_address),
		cmocka_unit_test(one_that_is_silent_is_given_up_in_time),
		cmocka_unit_test(a_name_that_nobody_knows_is_said),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(cases, NULL, NULL);
}
