#include "coordinator/net/agent.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

enum {
	/* draft-ietf-sshm-ssh-agent, 5.1 */
	REQUEST_IDENTITIES = 11,
	ANSWER_BYTES_MAX = 256 * 1024, /* as in OpenSSH */
};

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static enum rc refuse(int error, struct err *e)
{
	return err_set(e, RC_AUTH, error, "the ssh-agent does not answer: %s: %s",
		getenv("SSH_AUTH_SOCK"), strerror(error));
}

/* Reads exactly so many bytes, into nowhere when there is no place for them. */
static enum rc read_some(
	int fd, uint8_t *to, uint32_t size, uint64_t until_ms, struct err *e)
{
	uint8_t chunk[4096];

	while (size) {
		struct pollfd ready = { .fd = fd, .events = POLLIN };
		uint64_t now = now_ms();
		uint32_t room = size < sizeof(chunk) ? size : sizeof(chunk);
		ssize_t n;

		if (now >= until_ms || poll(&ready, 1, (int)(until_ms - now)) == 0)
			return err_set(e, RC_TIMEOUT, 0,
				"the ssh-agent at %s hangs and is not used",
				getenv("SSH_AUTH_SOCK"));
		n = read(fd, to ? to : chunk, room);
		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			return refuse(n ? errno : ECONNRESET, e);
		to = to ? to + n : NULL;
		size -= (uint32_t)n;
	}
	return RC_OK;
}

static enum rc list_keys(int fd, uint32_t patience_ms, struct err *e)
{
	static const uint8_t request[] = { 0, 0, 0, 1, REQUEST_IDENTITIES };
	uint64_t until_ms = now_ms() + patience_ms;
	uint8_t length[4];
	uint32_t size;
	enum rc rc;

	if (send(fd, request, sizeof(request), MSG_NOSIGNAL) != sizeof(request))
		return refuse(errno, e);
	rc = read_some(fd, length, sizeof(length), until_ms, e);
	if (rc != RC_OK)
		return rc;
	size = (uint32_t)length[0] << 24 | (uint32_t)length[1] << 16 |
	       (uint32_t)length[2] << 8 | length[3];
	/* libssh2 would wait for all that is announced */
	if (size > ANSWER_BYTES_MAX)
		return refuse(EPROTO, e);
	return read_some(fd, NULL, size, until_ms, e);
}

enum rc agent_check(uint32_t patience_ms, struct err *e)
{
	const char *path = getenv("SSH_AUTH_SOCK");
	struct sockaddr_un to = { .sun_family = AF_UNIX };
	enum rc rc;
	int fd;

	if (!path || !*path)
		return err_set(e, RC_AUTH, 0,
			"there is no ssh-agent (SSH_AUTH_SOCK is not set)");
	if (strlen(path) >= sizeof(to.sun_path))
		return refuse(ENAMETOOLONG, e);
	memcpy(to.sun_path, path, strlen(path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return refuse(errno, e);
	if (connect(fd, (const struct sockaddr *)&to, sizeof(to)) != 0)
		rc = refuse(errno, e);
	else
		rc = list_keys(fd, patience_ms, e);
	close(fd);
	return rc;
}
