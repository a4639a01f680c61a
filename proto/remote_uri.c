#include "proto/remote_uri.h"

#include <string.h>

#include "base/text.h"
#include "proto/texts.h"

enum { SSH_PORT = 22, TLS_PORT = 16514, TCP_PORT = 16509, PORT_MAX = 65535 };

static const char letters[] =
	"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

static const struct scheme {
	const char *begin;
	uint32_t port;
} schemes[] = {
	{ "qemu+ssh://", SSH_PORT },
	{ "qemu+tls://", TLS_PORT },
	{ "qemu+tcp://", TCP_PORT },
	{ "qemu://", TLS_PORT },
};

/* ---- the host and its port */

struct address {
	const char *host;
	size_t size;   /* of the host's text */
	uint32_t port; /* 0: none is named */
};

static bool read_port(const char *text, size_t size, uint32_t *port)
{
	*port = 0;
	for (size_t i = 0; i < size; i++) {
		if (text[i] < '0' || text[i] > '9' || *port > PORT_MAX)
			return false;
		*port = *port * 10 + (uint32_t)(text[i] - '0');
	}
	return size && *port >= 1 && *port <= PORT_MAX;
}

/* As base/text.h has names: none begins with '-', so that no program takes one for an
 * option. */
static bool is_name(const char *text, size_t size)
{
	char name[130] = "";

	if (size >= sizeof(name))
		return false;
	memcpy(name, text, size);
	return text_is_name(name);
}

/* Two colons at least: one is in front of a port. */
static bool is_ipv6(const char *text, size_t size)
{
	const char *colon = memchr(text, ':', size);
	size_t behind = colon ? (size_t)(text + size - colon - 1) : 0;

	return colon && size <= 45 && memchr(colon + 1, ':', behind) &&
	       strspn(text, "0123456789abcdefABCDEF:.") >= size;
}

/* "host", "host:port", "[IPv6]", "[IPv6]:port", the whole of it. */
static bool read_address(const char *text, size_t size, struct address *out)
{
	const char *end = text + size, *colon;
	bool in_brackets = size && *text == '[';
	const char *close = in_brackets ? memchr(text, ']', size) : NULL;

	if (in_brackets && !close)
		return false;
	*out = (struct address){ .host = text + in_brackets };
	colon = in_brackets ? close + 1 : memchr(text, ':', size);
	if (!colon)
		colon = end;
	out->size = (size_t)((in_brackets ? close : colon) - out->host);
	if (!(in_brackets ? is_ipv6 : is_name)(out->host, out->size))
		return false;
	return colon == end ||
	       (*colon == ':' &&
		       read_port(colon + 1, (size_t)(end - colon - 1), &out->port));
}

/* ---- the parameters */

static bool is_of(const char *text, size_t size, const char *more)
{
	for (size_t i = 0; i < size; i++)
		if (!text[i] || (!strchr(letters, text[i]) && !strchr(more, text[i])))
			return false;
	return size;
}

static bool is_path(const char *text, size_t size)
{
	return size && *text == '/' && is_of(text, size, "/._-+@");
}

static bool is_words(const char *text, size_t size)
{
	return *text != '-' && is_of(text, size, ",-");
}

static bool is_priority(const char *text, size_t size)
{
	return *text != '-' && is_of(text, size, ":+-.!@_");
}

static bool is_flag(const char *text, size_t size)
{
	return size == 1 && (*text == '0' || *text == '1');
}

static bool is_one_of(const char *text, size_t size, const char *const *words)
{
	for (; *words; words++)
		if (strlen(*words) == size && strncmp(*words, text, size) == 0)
			return true;
	return false;
}

static bool is_mode(const char *text, size_t size)
{
	static const char *const words[] = { "auto", "direct", "legacy", NULL };

	return is_one_of(text, size, words);
}

static bool is_verification(const char *text, size_t size)
{
	static const char *const words[] = { "normal", "auto", "ignore", NULL };

	return is_one_of(text, size, words);
}

/* None of them names a program, a socket or another driver. */
static const struct parameter {
	const char *name;
	bool (*is_right)(const char *text, size_t size);
	const char *wanted;
} parameters[] = {
	{ "keyfile", is_path, "an absolute path" },
	{ "known_hosts", is_path, "an absolute path" },
	{ "known_hosts_verify", is_verification, "normal, auto or ignore" },
	{ "sshauth", is_words, "words separated by commas" },
	{ "no_verify", is_flag, "0 or 1" },
	{ "no_tty", is_flag, "0 or 1" },
	{ "pkipath", is_path, "an absolute path" },
	{ "tls_priority", is_priority, "a priority string of GnuTLS" },
	{ "mode", is_mode, "auto, direct or legacy" },
};

enum { PARAMETER_COUNT = sizeof(parameters) / sizeof(parameters[0]) };

static enum rc refuse_parameter(const char *item, size_t size, struct err *e)
{
	return err_set(e, RC_USAGE, 0,
		"the parameter \"%.*s\" of a URI to migrate to is not accepted: only "
		"keyfile, "
		"known_hosts, known_hosts_verify, sshauth, no_verify, no_tty, pkipath, "
		"tls_priority and mode are; none that names a program or a socket",
		size > 64 ? 64 : (int)size, item);
}

static enum rc check_parameter(const char *item, size_t size, struct err *e)
{
	size_t name = strcspn(item, "=&"), value = name + 1;

	for (size_t i = 0; i < PARAMETER_COUNT; i++) {
		const struct parameter *p = &parameters[i];

		if (strlen(p->name) != name || strncmp(p->name, item, name) != 0)
			continue;
		if (value < size && p->is_right(item + value, size - value))
			return RC_OK;
		return err_set(e, RC_USAGE, 0,
			"the parameter %s of a URI to migrate to needs %s", p->name,
			p->wanted);
	}
	return refuse_parameter(item, name, e);
}

static enum rc check_parameters(const char *query, struct err *e)
{
	enum rc rc = RC_OK;

	while (rc == RC_OK && *query) {
		size_t size = strcspn(query, "&");

		rc = check_parameter(query, size, e);
		query += size + (query[size] == '&');
	}
	return rc;
}

/* ---- the whole */

static const struct scheme *scheme_of(const char *uri)
{
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++)
		if (text_starts_with(uri, schemes[i].begin))
			return &schemes[i];
	return NULL;
}

/* [user@]host[:port] */
static bool read_authority(const char *text, size_t size, struct address *out)
{
	const char *at = memchr(text, '@', size), *host = at ? at + 1 : text;

	if (at && !is_name(text, (size_t)(at - text)))
		return false;
	return read_address(host, (size_t)(text + size - host), out);
}

/* "/system" or "/session", and the parameters. */
static enum rc check_path(const char *path, struct err *e)
{
	size_t size = strcspn(path, "?");

	if (strncmp(path, "/system", size) != 0 && strncmp(path, "/session", size) != 0)
		size = 0;
	if (size != strlen("/system") && size != strlen("/session"))
		return err_set(e, RC_USAGE, 0,
			"a URI to migrate to ends in /system or /session, not in "
			"\"%.64s\"",
			path);
	return check_parameters(path + size + (path[size] == '?'), e);
}

enum rc remote_uri_read(
	const char *uri, struct arena *arena, struct remote_uri *out, struct err *e)
{
	const struct scheme *scheme = scheme_of(uri);
	struct address address;
	const char *authority;
	size_t size;

	if (strlen(uri) > REMOTE_URI_MAX)
		return err_set(e, RC_USAGE, 0,
			"a URI to migrate to has more than %d bytes", REMOTE_URI_MAX);
	if (!scheme)
		return err_set(e, RC_USAGE, 0,
			"the URI to migrate to \"%.64s\" does not begin with "
			"qemu+ssh://, "
			"qemu+tls://, qemu+tcp:// or qemu://",
			uri);
	authority = uri + strlen(scheme->begin);
	size = strcspn(authority, "/?");
	if (!read_authority(authority, size, &address))
		return err_set(e, RC_USAGE, 0,
			"the URI to migrate to \"%.128s\" has no [user@]host[:port] in "
			"it",
			uri);
	if (check_path(authority + size, e) != RC_OK)
		return e->code;
	*out = (struct remote_uri){ arena_text_n(arena, address.host, address.size),
		address.port ? address.port : scheme->port, scheme->port == SSH_PORT };
	return out->host ? RC_OK : err_memory(e);
}

enum rc remote_uri_read_data(const char *uri, uint32_t *port, struct err *e)
{
	static const char begin[] = "tcp://";
	const char *host = uri + (sizeof(begin) - 1);
	struct address address;

	if (text_starts_with(uri, "rdma:"))
		return err_set(e, RC_USAGE, 0,
			"\"%.128s\": rdma wants the guest's memory locked, so trials do "
			"not go that way; tcp://host[:port] is accepted",
			uri);
	if (!text_starts_with(uri, begin) || strlen(uri) > REMOTE_URI_MAX ||
		!read_address(host, strlen(host), &address))
		return err_set(e, RC_USAGE, 0,
			"\"%.128s\" is nowhere for the guest's memory to go: "
			"tcp://host[:port] is needed",
			uri);
	*port = address.port;
	return RC_OK;
}

enum rc remote_uri_check_listen(const char *address, struct err *e)
{
	size_t size = strlen(address);

	if (is_name(address, size) || is_ipv6(address, size))
		return RC_OK;
	return err_set(e, RC_USAGE, 0,
		"\"%.128s\" is no address to listen on: one of the target's is needed, "
		"without a port",
		address);
}
