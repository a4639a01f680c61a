/* floor: what one connection costs when nothing is done but what cannot be left out.
 *
 *	floor [CONNECTIONS]	prints "crypto MICROSECONDS" and "tcp MICROSECONDS"
 *
 * crypto: an X25519 key made and agreed on, the server's Ed25519 signature verified, one
 * of our own made (RFC 8731, RFC 8709), by OpenSSL.  tcp: connect, seven questions and
 * answers, close, by epoll: version and key exchange lists, key exchange, service, login,
 * channel, command, facts.  CPU time (user and system) of this process, the median of
 * nine measurements; the other end of the TCP connections is a child and does not count.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <openssl/evp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum {
	REPEATS = 9,
	CONNECTIONS = 1000,
	WINDOW = 64,
	QUESTIONS = 7,
	QUESTION_BYTES = 200,
	ANSWER_BYTES = 200,
	FACTS_BYTES = 8192,
	SEED = 32
};

static void die(const char *what)
{
	fprintf(stderr, "floor: %s: errno %d\n", what, errno);
	exit(1);
}

static double cpu_us(void)
{
	struct rusage r;

	getrusage(RUSAGE_SELF, &r);
	return 1e6 * (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
	       (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec);
}

static int compare(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;

	return (a > b) - (a < b);
}

/* Microseconds a connection, of a function that makes so many. */
static double measure(void (*run)(unsigned connections), unsigned connections)
{
	double us[REPEATS];

	for (int i = 0; i < REPEATS; i++) {
		double before = cpu_us();

		run(connections);
		us[i] = (cpu_us() - before) / connections;
	}
	qsort(us, REPEATS, sizeof(*us), compare);
	return us[REPEATS / 2];
}

/* ---- crypto */

static struct {
	EVP_PKEY *user, *host;
	uint8_t host_public[SEED], exchange_public[SEED];
	uint8_t text[64], signature[64];
} keys;

static EVP_PKEY *make_key(int type)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_id(type, NULL);
	EVP_PKEY *key = NULL;

	if (!context || EVP_PKEY_keygen_init(context) != 1 ||
		EVP_PKEY_keygen(context, &key) != 1)
		die("a key cannot be made");
	EVP_PKEY_CTX_free(context);
	return key;
}

static void sign(EVP_PKEY *key)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	size_t size = sizeof(keys.signature);

	if (EVP_DigestSignInit(context, NULL, NULL, NULL, key) != 1 ||
		EVP_DigestSign(context, keys.signature, &size, keys.text,
			sizeof(keys.text)) != 1)
		die("sign");
	EVP_MD_CTX_free(context);
}

static void verify(void)
{
	EVP_PKEY *key = EVP_PKEY_new_raw_public_key(
		EVP_PKEY_ED25519, NULL, keys.host_public, SEED);
	EVP_MD_CTX *context = EVP_MD_CTX_new();

	if (EVP_DigestVerifyInit(context, NULL, NULL, NULL, key) != 1 ||
		EVP_DigestVerify(context, keys.signature, sizeof(keys.signature),
			keys.text, sizeof(keys.text)) != 1)
		die("verify");
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
}

static void exchange(void)
{
	EVP_PKEY *ours = make_key(EVP_PKEY_X25519);
	EVP_PKEY *theirs = EVP_PKEY_new_raw_public_key(
		EVP_PKEY_X25519, NULL, keys.exchange_public, SEED);
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(ours, NULL);
	uint8_t secret[SEED];
	size_t size = sizeof(secret);

	if (EVP_PKEY_derive_init(context) != 1 ||
		EVP_PKEY_derive_set_peer(context, theirs) != 1 ||
		EVP_PKEY_derive(context, secret, &size) != 1)
		die("derive");
	EVP_PKEY_CTX_free(context);
	EVP_PKEY_free(theirs);
	EVP_PKEY_free(ours);
}

static void make_keys(void)
{
	EVP_PKEY *theirs = make_key(EVP_PKEY_X25519);
	size_t size = SEED;

	keys.user = make_key(EVP_PKEY_ED25519);
	keys.host = make_key(EVP_PKEY_ED25519);
	EVP_PKEY_get_raw_public_key(theirs, keys.exchange_public, &size);
	EVP_PKEY_get_raw_public_key(keys.host, keys.host_public, &size);
	EVP_PKEY_free(theirs);
}

/* The host's signature is made once; each connection verifies it and makes its own. */
static void run_crypto(unsigned connections)
{
	uint8_t of_host[sizeof(keys.signature)];

	sign(keys.host);
	memcpy(of_host, keys.signature, sizeof(of_host));
	for (unsigned i = 0; i < connections; i++) {
		exchange();
		memcpy(keys.signature, of_host, sizeof(of_host));
		verify();
		sign(keys.user);
	}
}

/* ---- TCP */

static uint8_t bytes[FACTS_BYTES];
static struct sockaddr_in server;

/* One connection of either end, by descriptor. */
static struct line {
	unsigned turns; /* questions that were sent, or answered */
	size_t got;
} * lines;
static size_t line_count;

static void watch(int epoll, int operation, int fd, uint32_t events)
{
	struct epoll_event e = { .events = events, .data.fd = fd };

	if (epoll_ctl(epoll, operation, fd, &e) != 0)
		die("epoll_ctl");
}

static void put(int fd, size_t size)
{
	if (write(fd, bytes, size) != (ssize_t)size)
		die("write");
}

static void make_lines(void)
{
	struct rlimit files;

	getrlimit(RLIMIT_NOFILE, &files);
	line_count = files.rlim_cur;
	lines = calloc(line_count, sizeof(*lines));
	if (!lines)
		die("memory");
}

static void serve_line(int epoll, int listener, int fd)
{
	int one = 1, new;

	if (fd == listener) {
		new = accept4(listener, NULL, NULL, SOCK_NONBLOCK);
		if (new < 0)
			return;
		setsockopt(new, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
		lines[new].turns = 0;
		watch(epoll, EPOLL_CTL_ADD, new, EPOLLIN);
	} else if (read(fd, bytes, sizeof(bytes)) <= 0) {
		close(fd);
	} else {
		put(fd, ++lines[fd].turns == QUESTIONS ? FACTS_BYTES : ANSWER_BYTES);
	}
}

static void serve(int listener)
{
	int epoll = epoll_create1(0);
	struct epoll_event ready[WINDOW];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	watch(epoll, EPOLL_CTL_ADD, listener, EPOLLIN);
	for (;;) {
		int n = epoll_wait(epoll, ready, WINDOW, -1);

		for (int i = 0; i < n; i++)
			serve_line(epoll, listener, ready[i].data.fd);
	}
}

static pid_t start_server(void)
{
	socklen_t size = sizeof(server);
	int listener = socket(AF_INET, SOCK_STREAM, 0);
	pid_t pid;

	server = (struct sockaddr_in){ .sin_family = AF_INET };
	if (bind(listener, (struct sockaddr *)&server, size) != 0 ||
		listen(listener, WINDOW) != 0 ||
		getsockname(listener, (struct sockaddr *)&server, &size) != 0)
		die("listen");
	pid = fork();
	if (pid == 0)
		serve(listener);
	close(listener);
	return pid;
}

static void dial(int epoll, unsigned number)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;

	if (fd < 0)
		die("socket");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	server.sin_addr.s_addr = htonl(0x7f020001 + number % 60000);
	if (connect(fd, (struct sockaddr *)&server, sizeof(server)) != 0 &&
		errno != EINPROGRESS)
		die("connect");
	lines[fd] = (struct line){ 0, 0 };
	watch(epoll, EPOLL_CTL_ADD, fd, EPOLLOUT);
}

/* Is the connection over? */
static bool talk(int epoll, int fd)
{
	struct line *l = &lines[fd];
	ssize_t n;

	if (l->turns == 0) {
		watch(epoll, EPOLL_CTL_MOD, fd, EPOLLIN);
	} else {
		n = read(fd, bytes, sizeof(bytes));
		l->got += n > 0 ? (size_t)n : 0;
	}
	if (l->got < l->turns * ANSWER_BYTES)
		return false;
	if (l->turns < QUESTIONS) {
		l->turns++;
		put(fd, QUESTION_BYTES);
		return false;
	}
	return l->got >= FACTS_BYTES + (QUESTIONS - 1) * ANSWER_BYTES;
}

static void run_tcp(unsigned connections)
{
	int epoll = epoll_create1(0);
	struct epoll_event ready[WINDOW];
	unsigned dialled = 0, done = 0;

	while (done < connections) {
		int n;

		while (dialled < connections && dialled - done < WINDOW)
			dial(epoll, dialled++);
		n = epoll_wait(epoll, ready, WINDOW, -1);
		for (int i = 0; i < n; i++)
			if (talk(epoll, ready[i].data.fd)) {
				close(ready[i].data.fd);
				done++;
			}
	}
	close(epoll);
}

int main(int argc, char **argv)
{
	unsigned connections = argc > 1 ? (unsigned)atoi(argv[1]) : CONNECTIONS;
	pid_t child;

	make_keys();
	make_lines();
	child = start_server();
	printf("crypto %.1f\n", measure(run_crypto, connections));
	printf("tcp %.1f\n", measure(run_tcp, connections));
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
	return 0;
}
