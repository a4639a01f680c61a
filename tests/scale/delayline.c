/* delayline: a wire between two network namespaces that takes its time and counts.
 *
 *	delayline DELAY_MS CLIENT_NETNS SERVER_NETNS
 *
 * Each namespace gets a TUN device `line0`; what enters one comes out of the other
 * DELAY_MS later.  "ready" is printed when both are there.  At SIGTERM it prints how many
 * round trips lie between the first SYN of the first TCP connection and the last payload
 * that its server sent.
 *
 * That number is counted, not timed.  A packet is as deep as the deepest packet that had
 * come out at its sender before it was sent, and one more: a logical clock on each side.
 * What is sent together is equally deep; what waits for an answer is two deeper.  The
 * delay only has to be longer than either side thinks between two writes.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum { CLIENT, SERVER, SIDES, PACKET_MAX = 2048 };

struct packet {
	struct packet *next;
	int64_t due_us;
	unsigned depth;
	size_t size;
	uint8_t data[];
};

/* What one side sends: a queue on its way to the other. */
static struct side {
	int tun;
	unsigned clock; /* depth of the deepest packet that came out here */
	struct packet *first, **last;
} sides[SIDES];

static struct {
	uint16_t port; /* of the client of the first connection; 0: none yet */
	unsigned deepest;
	size_t bytes[SIDES];
} connection;

static volatile sig_atomic_t ended;

static void die(const char *what)
{
	fprintf(stderr, "delayline: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int64_t now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000) + t.tv_nsec / 1000;
}

static int open_tun(const char *netns)
{
	struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	int ns = open(netns, O_RDONLY | O_CLOEXEC), tun;

	if (ns < 0 || setns(ns, CLONE_NEWNET) != 0)
		die(netns);
	close(ns);
	tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	strcpy(request.ifr_name, "line0");
	if (tun < 0 || ioctl(tun, TUNSETIFF, &request) != 0)
		die("/dev/net/tun");
	return tun;
}

/* ---- counting */

/* Is the packet one of the first connection?  How much payload does it carry? */
static bool is_counted(int from, const uint8_t *data, size_t size, size_t *payload)
{
	const struct iphdr *ip = (const void *)data;
	const struct tcphdr *tcp;
	size_t heads;
	uint16_t port;

	if (size < sizeof(*ip) || ip->version != 4 || ip->protocol != IPPROTO_TCP)
		return false;
	tcp = (const void *)(data + ip->ihl * 4u);
	if (size < ip->ihl * 4u + sizeof(*tcp))
		return false;
	port = from == CLIENT ? tcp->source : tcp->dest;
	if (!connection.port && from == CLIENT && tcp->syn)
		connection.port = port;
	heads = ip->ihl * 4u + tcp->doff * 4u;
	*payload = size > heads ? size - heads : 0;
	return connection.port && port == connection.port;
}

static unsigned count_packet(int from, const uint8_t *data, size_t size)
{
	size_t payload;

	if (!is_counted(from, data, size, &payload))
		return 0;
	connection.bytes[from] += payload;
	if (from == SERVER && payload)
		connection.deepest = sides[from].clock + 1;
	return sides[from].clock + 1;
}

/* ---- the wire */

static void take(int from, int64_t delay_us)
{
	uint8_t data[PACKET_MAX];
	ssize_t n;

	while ((n = read(sides[from].tun, data, sizeof(data))) > 0) {
		struct packet *p = malloc(sizeof(*p) + (size_t)n);

		if (!p)
			die("memory");
		*p = (struct packet){ .due_us = now_us() + delay_us,
			.size = (size_t)n,
			.depth = count_packet(from, data, (size_t)n) };
		memcpy(p->data, data, (size_t)n);
		*sides[from].last = p;
		sides[from].last = &p->next;
	}
}

/* Lets out what is due; returns when the next one is. */
static int64_t let_out(int from, int64_t now)
{
	struct side *a = &sides[from], *b = &sides[!from];

	while (a->first && a->first->due_us <= now) {
		struct packet *p = a->first;

		if (p->depth > b->clock)
			b->clock = p->depth;
		if (write(b->tun, p->data, p->size) < 0 && errno != EIO)
			die("write to the tun device");
		a->first = p->next;
		if (!a->first)
			a->last = &a->first;
		free(p);
	}
	return a->first ? a->first->due_us : INT64_MAX;
}

static void wait_until(int64_t due_us, const sigset_t *mask)
{
	struct pollfd fds[SIDES] = { { .fd = sides[CLIENT].tun, .events = POLLIN },
		{ .fd = sides[SERVER].tun, .events = POLLIN } };
	int64_t left = due_us - now_us();
	struct timespec t = { 0 };

	if (left > 0 && due_us != INT64_MAX)
		t = (struct timespec){ left / 1000000, left % 1000000 * 1000 };
	ppoll(fds, SIDES, due_us == INT64_MAX ? NULL : &t, mask);
}

static void on_end(int number)
{
	(void)number;
	ended = 1;
}

int main(int argc, char **argv)
{
	struct sigaction end = { .sa_handler = on_end };
	int64_t delay_us = argc == 4 ? atoi(argv[1]) * INT64_C(1000) : 0;
	sigset_t held, usual;

	if (argc != 4) {
		fprintf(stderr, "delayline DELAY_MS CLIENT_NETNS SERVER_NETNS\n");
		return 2;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigaction(SIGTERM, &end, NULL);
	sigemptyset(&held);
	sigaddset(&held, SIGTERM);
	sigprocmask(SIG_BLOCK, &held, &usual);
	for (int i = 0; i < SIDES; i++) {
		sides[i].tun = open_tun(argv[2 + i]);
		sides[i].last = &sides[i].first;
	}
	printf("ready\n");
	fflush(stdout);
	while (!ended) {
		int64_t now = now_us();
		int64_t client = let_out(CLIENT, now), server = let_out(SERVER, now);

		wait_until(client < server ? client : server, &usual);
		take(CLIENT, delay_us);
		take(SERVER, delay_us);
	}
	printf("%g round trips, %zu bytes to the server, %zu bytes from it\n",
		connection.deepest / 2.0, connection.bytes[CLIENT],
		connection.bytes[SERVER]);
	return 0;
}
