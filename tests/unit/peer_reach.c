/* Why a target cannot be reached, on loopback. */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
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

/* As proc_pid_net(5) has it: listening, established, and two that nobody answers. */
static const char table[] = "  sl  local_address rem_address   st tx_queue rx_queue tr "
			    "tm->when retrnsmt   uid\n"
			    "   0: 00000000:0016 00000000:0000 0A 00000000:00000000 "
			    "00:00000000 00000000     0\n"
			    "   4: 0B00630A:AAB8 0C00630A:C000 01 00000000:00000000 "
			    "00:00000000 00000000     0\n"
			    "   5: 0B00630A:9562 0D00630A:C001 02 00000001:00000000 "
			    "01:00000081 00000006     0\n"
			    "   6: 0B00630A:9563 0E00630A:0050 02 00000001:00000000 "
			    "01:00000081 00000006     0\n";

static const char table_v6[] = "   0: 0000000000000000FFFF00000B00630A:9562 "
			       "000080FE00000000000000000C000000:C000 "
			       "02 00000001:00000000 01:00000081 00000006     0\n";

static const char *waits(const char *text, uint32_t port, struct arena *arena)
{
	char path[] = "/tmp/cpuherd-reach-XXXXXX";
	const char *words;

	close(mkstemp(path));
	test_write_file(path, text);
	words = reach_waits(path, port, arena);
	unlink(path);
	assert_non_null(words);
	return words;
}

static void memory_that_nobody_takes_is_seen_without_a_connection(void **state)
{
	struct arena arena = { 0 };

	(void)state;
	assert_string_equal(waits(table, 0, &arena),
		"10.99.0.13 port 49153, where the guest's memory goes: no answer yet");
	assert_contains(waits(table, 80, &arena), "10.99.0.14 port 80,");
	assert_string_equal(waits(table, 49152, &arena), "");
	assert_contains(waits(table_v6, 0, &arena), "fe80::c port 49152,");
	assert_string_equal(reach_waits("/no/such/file", 0, &arena), "");
	arena_destroy(&arena);
}

/* Every beginning of it, and every byte of it another. */
static void a_table_that_is_damaged_says_nothing_wrong(void **state)
{
	struct arena arena = { 0 };
	size_t size = strlen(table);

	(void)state;
	for (size_t i = 0; i < size; i += 3) {
		char *text = arena_text_n(&arena, table, i);
		const char *words = waits(text, 0, &arena);

		assert_true(!*words || strstr(words, "10.99.0.13 port 49153"));
		text = arena_text(&arena, table);
		text[i] = '\x01';
		(void)waits(text, 0, &arena);
	}
	arena_destroy(&arena);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(a_port_that_accepts_is_reached),
		cmocka_unit_test(a_port_that_refuses_is_named_with_its_address),
		cmocka_unit_test(one_that_is_silent_is_given_up_in_time),
		cmocka_unit_test(a_name_that_nobody_knows_is_said),
		cmocka_unit_test(memory_that_nobody_takes_is_seen_without_a_connection),
		cmocka_unit_test(a_table_that_is_damaged_says_nothing_wrong),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(cases, NULL, NULL);
}
