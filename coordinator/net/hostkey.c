#include "coordinator/net/hostkey.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"
#include "coordinator/net/base64.h"

enum { KNOWN_HOSTS_BYTES_MAX = 64 * 1024 * 1024 };

static void warn_line(void *context, const char *file, unsigned number, const char *what)
{
	(void)context;
	log_line(LOG_WARN, NULL, "%s:%u: %s; the line is ignored", file, number, what);
}

static enum rc read_all(int fd, const char *path, struct buf *out, struct err *e)
{
	char chunk[16 * 1024];

	for (;;) {
		ssize_t n = read(fd, chunk, sizeof(chunk));
		enum rc rc;

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(
				e, RC_INPUT, errno, "%s: %s", path, strerror(errno));
		if (n == 0)
			return RC_OK;
		rc = buf_append(out, chunk, (size_t)n);
		if (rc == RC_LIMIT)
			return err_set(e, RC_INPUT, 0, "%s: larger than %d MiB", path,
				KNOWN_HOSTS_BYTES_MAX / 1024 / 1024);
		if (rc != RC_OK)
			return err_memory(e);
	}
}

static enum rc load_file(struct known_hosts *k, const char *path, struct err *e)
{
	struct buf text = buf_with_cap(KNOWN_HOSTS_BYTES_MAX);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	enum rc rc;

	if (fd < 0 && (errno == ENOENT || errno == ENOTDIR))
		return RC_OK;
	if (fd < 0)
		return err_set(e, RC_INPUT, errno, "%s: %s", path, strerror(errno));
	rc = read_all(fd, path, &text, e);
	if (rc == RC_OK)
		rc = known_hosts_add(k, path, buf_bytes(&text), e);
	buf_destroy(&text);
	close(fd);
	return rc;
}

enum rc hostkey_load(struct hostkey_policy *p, const char *const *files, size_t count,
	struct arena *arena, struct err *e)
{
	enum rc rc = RC_OK;

	known_hosts_init(&p->known, arena, warn_line, NULL);
	p->record = count ? files[0] : NULL;
	for (size_t i = 0; i < count && rc == RC_OK; i++)
		rc = load_file(&p->known, files[i], e);
	return rc;
}

/* ---- recording a new key */

/* Makes the folder that the file lies in (ssh makes ~/.ssh; not more). */
static void make_folder(const char *path)
{
	const char *slash = strrchr(path, '/');
	char folder[4096];

	if (!slash || slash == path || (size_t)(slash - path) >= sizeof(folder))
		return;
	memcpy(folder, path, (size_t)(slash - path));
	folder[slash - path] = '\0';
	mkdir(folder, 0700); /* open() says what is wrong, if anything */
}

/* Does the file end in the middle of a line? */
static bool lacks_newline(int fd)
{
	off_t end = lseek(fd, 0, SEEK_END);
	char last;

	return end > 0 && pread(fd, &last, 1, end - 1) == 1 && last != '\n';
}

/* One write, so that runs side by side do not mix their lines. */
static enum rc append_line(const char *path, struct buf *line, struct err *e)
{
	int fd, error = 0;
	struct bytes text;

	make_folder(path);
	fd = open(path, O_RDWR | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_set(e, RC_HOSTKEY, errno,
			"the new host key cannot be recorded in %s: %s", path,
			strerror(errno));
	text = buf_bytes(line);
	if (!lacks_newline(fd)) /* the text starts with one */
		text = (struct bytes){ text.data + 1, text.size - 1 };
	errno = EIO;
	if (write(fd, text.data, text.size) != (ssize_t)text.size)
		error = errno;
	if (close(fd) != 0 && !error)
		error = errno;
	if (error)
		return err_set(e, RC_HOSTKEY, error,
			"the new host key cannot be recorded in %s: %s", path,
			strerror(error));
	return RC_OK;
}

static enum rc record_key(struct hostkey_policy *p, const char *name, const char *type,
	struct bytes blob, struct err *e)
{
	struct buf line = buf_with_cap(128 * 1024);
	char *text = arena_alloc(p->known.arena, BASE64_ENCODED_MAX(blob.size), 1);
	enum rc rc;

	if (!p->record)
		return err_set(e, RC_HOSTKEY, 0,
			"there is no known_hosts file to record the new host key in");
	if (!text)
		return err_memory(e);
	base64_encode(blob.data, blob.size, text);
	rc = buf_format(&line, "\n%s %s %s\n", name, type, text);
	if (rc != RC_OK)
		rc = err_memory(e);
	else
		rc = append_line(p->record, &line, e);
	if (rc == RC_OK)
		rc = known_hosts_add(&p->known, p->record, buf_bytes(&line), e);
	buf_destroy(&line);
	return rc;
}

/* ---- the verdict */

/* What `ssh-keygen -R` and `ssh-keyscan -t` call a type. */
static const char *short_type(const char *type)
{
	if (strncmp(type, "ecdsa", 5) == 0)
		return "ecdsa";
	return strncmp(type, "ssh-", 4) == 0 ? type + 4 : type;
}

static enum rc refuse_unknown(const struct hostkey_policy *p, const char *host,
	uint16_t port, const char *type, const char *fingerprint,
	const struct known_line *authority, struct err *e)
{
	if (authority)
		return err_set(e, RC_HOSTKEY, 0,
			"host key %s %s is not known, and the @cert-authority line %s:%u "
			"does not help: certificates of hosts are not supported; compare "
			"the key with the node's, then add it to known_hosts",
			type, fingerprint, authority->file, authority->number);
	return err_set(e, RC_HOSTKEY, 0,
		"host key %s %s is not known; compare it with the node's (ssh-keygen -lf "
		"there), then use --accept-new or: ssh-keyscan -t %s -p %u %s >> %s",
		type, fingerprint, short_type(type), port, host,
		p->record ? p->record : "~/.ssh/known_hosts");
}

enum rc hostkey_judge(struct hostkey_policy *p, const char *host, uint16_t port,
	struct bytes blob, struct err *e)
{
	struct known_answer answer;
	char fingerprint[KNOWN_FINGERPRINT_MAX], name[KNOWN_NAME_MAX];
	const char *type;

	if (!known_hosts_blob_type(blob, &type))
		return err_set(e, RC_HOSTKEY, 0,
			"the server's host key is of no kind that can be checked");
	known_hosts_fingerprint(blob, fingerprint);
	known_hosts_name(host, port, name);
	answer = known_hosts_check(&p->known, host, port, blob);
	switch (answer.verdict) {
	case KNOWN_YES:
		return RC_OK;
	case KNOWN_IS_REVOKED:
		return err_set(e, RC_HOSTKEY, 0, "host key %s %s is revoked by %s:%u",
			type, fingerprint, answer.line->file, answer.line->number);
	case KNOWN_CHANGED:
		return err_set(e, RC_HOSTKEY, 0,
			"HOST KEY CHANGED: the server shows %s %s, but %s:%u has a %s "
			"key; somebody may be listening; if the node was reinstalled: "
			"ssh-keygen -R '%s' -f %s",
			type, fingerprint, answer.line->file, answer.line->number,
			short_type(answer.line->type), name, answer.line->file);
	case KNOWN_NOT:
		break;
	}
	if (!p->accept_new)
		return refuse_unknown(p, host, port, type, fingerprint, answer.line, e);
	return record_key(p, name, type, blob, e);
}
