#include "peer/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hex.h"
#include "base/text.h"
#include "peer/store.h"
#include "proto/limits.h"

const char journal_file[] = "journal";

void journal_sum(size_t number, const char *text, size_t size,
	char sum[static JOURNAL_SUM_DIGITS + 1])
{
	struct {
		struct digest text;
		uint64_t number;
	} both = { digest_of(text, size), number };
	struct digest digest = digest_of(&both, sizeof(both));

	hex_write((struct bytes){ digest.byte, JOURNAL_SUM_DIGITS / 2 }, sum);
}

/* ---- putting lines together */

struct journal_draft journal_draft(void)
{
	return (struct journal_draft){ .text = buf_with_cap(LIMIT_JOURNAL_BYTES) };
}

static void add(struct journal_draft *d, const char *text)
{
	if (d->rc == RC_OK)
		d->rc = buf_append_text(&d->text, text);
}

void journal_word(struct journal_draft *d, const char *word)
{
	add(d, buf_bytes(&d->text).size ? "\n" : "");
	add(d, word);
}

static void add_escaped(struct journal_draft *d, const char *value)
{
	for (; *value && d->rc == RC_OK; value++) {
		unsigned char c = (unsigned char)*value;
		bool plain = c > 0x20 && c < 0x7f && c != '%';

		d->rc = buf_format(&d->text, plain ? "%c" : "%%%02x", c);
	}
}

void journal_text(struct journal_draft *d, const char *key, const char *value)
{
	add(d, " ");
	add(d, key);
	add(d, "=");
	add_escaped(d, value);
}

void journal_number(struct journal_draft *d, const char *key, uint64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "%llu", (unsigned long long)value);
	journal_text(d, key, text);
}

void journal_digest(struct journal_draft *d, const char *key, const struct digest *value)
{
	char hex[DIGEST_HEX_MAX];

	digest_to_hex(value, hex);
	journal_text(d, key, hex);
}

/* The lines with their checksums; *lines counts on. */
static enum rc seal(const struct journal_draft *d, struct buf *out, size_t *lines)
{
	struct bytes text = buf_bytes(&d->text);
	const char *at = (const char *)text.data, *end = at + text.size;
	enum rc rc = d->rc;

	while (rc == RC_OK && at < end) {
		const char *stop = memchr(at, '\n', (size_t)(end - at));
		size_t size = (size_t)((stop ? stop : end) - at);
		char sum[JOURNAL_SUM_DIGITS + 1];

		journal_sum((*lines)++, at, size, sum);
		rc = buf_format(out, "%s %.*s\n", sum, (int)size, at);
		at += size + 1;
	}
	return rc;
}

/* ---- writing */

static enum rc fail(struct err *e)
{
	return err_set(e, RC_PLACE, errno, "the journal of the run on the node: %s",
		strerror(errno));
}

static enum rc open_end(struct journal *j, int folder, struct err *e)
{
	j->fd = openat(folder, journal_file, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
	return j->fd >= 0 ? RC_OK : fail(e);
}

enum rc journal_create(
	struct journal *j, int folder, struct journal_draft *first, struct err *e)
{
	struct buf text = buf_with_cap(LIMIT_JOURNAL_BYTES);
	enum rc rc;

	*j = (struct journal){ .fd = -1 };
	rc = seal(first, &text, &j->lines);
	j->size = buf_bytes(&text).size;
	if (rc != RC_OK)
		rc = err_memory(e);
	else
		rc = store_replace(folder, journal_file, buf_bytes(&text), e);
	buf_destroy(&text);
	return rc == RC_OK ? open_end(j, folder, e) : rc;
}

/* 0 or an errno, and then the file is as before, as far as that can be had. */
static int write_end(struct journal *j, struct bytes text)
{
	int problem;

	if (ftruncate(j->fd, (off_t)j->size) != 0 ||
		lseek(j->fd, (off_t)j->size, SEEK_SET) < 0)
		return errno;
	problem = file_write_all(j->fd, text);
	if (!problem && fsync(j->fd) != 0)
		problem = errno;
	if (problem && ftruncate(j->fd, (off_t)j->size) != 0)
		return problem;
	if (!problem)
		j->size += text.size;
	return problem;
}

enum rc journal_append(struct journal *j, struct journal_draft *lines, struct err *e)
{
	struct buf text = buf_with_cap(LIMIT_JOURNAL_BYTES);
	size_t count = j->lines;
	int problem = ENOMEM;

	if (seal(lines, &text, &count) == RC_OK)
		problem = write_end(j, buf_bytes(&text));
	buf_destroy(&text);
	if (problem == 0)
		j->lines = count;
	errno = problem;
	return problem ? fail(e) : RC_OK;
}

int journal_append_now(
	struct journal *j, const char *word, const char *key, const char *value)
{
	char text[64], line[JOURNAL_SUM_DIGITS + sizeof(text) + 2],
		sum[JOURNAL_SUM_DIGITS + 1];
	int n = snprintf(text, sizeof(text), "%s %s=%s", word, key, value), problem;

	journal_sum(j->lines, text, (size_t)n, sum);
	n = snprintf(line, sizeof(line), "%s %s\n", sum, text);
	problem = write_end(j, (struct bytes){ (const uint8_t *)line, (size_t)n });
	if (problem == 0)
		j->lines++;
	return problem;
}

void journal_close(struct journal *j)
{
	if (j->fd >= 0)
		close(j->fd);
	j->fd = -1;
}

enum rc journal_open(
	struct journal *j, int folder, const struct journal_text *read, struct err *e)
{
	*j = (struct journal){ -1, read->size, read->count };
	return open_end(j, folder, e);
}
