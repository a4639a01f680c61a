#include "peer/hold.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

static const char file[] = "hold";

enum { WORDS_MAX = 600 };

static enum rc fail(const char *what, struct err *e)
{
	return err_set(e, RC_PLACE, errno, "lock of cpuherd on the node: %s: %s", what,
		strerror(errno));
}

static enum rc refuse(int fd, struct err *e)
{
	char words[WORDS_MAX];
	ssize_t n = pread(fd, words, sizeof(words) - 1, 0);

	/* between its lock and its words the other one has said nothing */
	if (n <= 0)
		return err_set(e, RC_CONFLICT, 0, "the node is held by another run");
	words[n] = '\0';
	words[strcspn(words, "\n")] = '\0';
	return err_set(e, RC_CONFLICT, 0, "the node is held by %s", words);
}

static enum rc write_words(int fd, const struct hold_words *w, struct err *e)
{
	char words[WORDS_MAX];
	int n = snprintf(words, sizeof(words), "run %.128s of %.300s since %.64s\n",
		w->run, w->holder, w->since);

	if (ftruncate(fd, 0) != 0 || pwrite(fd, words, (size_t)n, 0) != n)
		return fail("write", e);
	return RC_OK;
}

enum rc hold_take(
	struct hold *h, int state, const struct hold_words *words, struct err *e)
{
	enum rc rc = RC_OK;
	int fd = h->fd;

	if (fd < 0)
		fd = openat(state, file, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return fail("open", e);
	if (h->fd < 0 && flock(fd, LOCK_EX | LOCK_NB) != 0)
		rc = errno == EWOULDBLOCK ? refuse(fd, e) : fail("lock", e);
	if (rc == RC_OK)
		rc = write_words(fd, words, e);
	if (rc != RC_OK)
		close(fd);
	h->fd = rc == RC_OK ? fd : -1;
	return rc;
}

void hold_release(struct hold *h)
{
	int cut;

	if (h->fd < 0)
		return;
	/* words that stay do no harm: the lock is what counts */
	cut = ftruncate(h->fd, 0);
	(void)cut;
	close(h->fd);
	h->fd = -1;
}
