#include "coordinator/net/hostkey.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/log.h"
#include "coordinator/net/known_file.h"

void hostkey_init(struct hostkey_policy *p)
{
	*p = (struct hostkey_policy){ .arena = { NULL } };
	pthread_mutex_init(&p->lock, NULL);
}

void hostkey_destroy(struct hostkey_policy *p)
{
	pthread_mutex_destroy(&p->lock);
	arena_destroy(&p->arena);
	p->files = (struct bytemap){ .count = 0 };
}

/* ---- files */

static void warn_line(void *context, const char *file, unsigned number, const char *what)
{
	(void)context;
	log_line(LOG_WARN, NULL, "%s:%u: %s; the line is ignored", file, number, what);
}

/* An index of the text, under the file's name. */
static struct known_hosts *add_file(
	struct hostkey_policy *p, const char *file, struct bytes text, struct err *e)
{
	struct bytemap_entry *entry = bytemap_at(
		&p->files, bytemap_text(file), &p->arena);
	struct known_hosts *k = arena_alloc(&p->arena, 1, sizeof(*k));

	if (!entry || !k) {
		err_memory(e);
		return NULL;
	}
	known_hosts_init(k, &p->arena, warn_line, NULL);
	if (known_hosts_add(k, file, text, e) != RC_OK)
		return NULL;
	entry->value = k;
	return k;
}

/* NULL with *e filled when the file cannot be read; the next one to ask tries again. */
static struct known_hosts *file_at(
	struct hostkey_policy *p, const char *file, struct err *e)
{
	struct buf text = buf_with_cap(KNOWN_FILE_BYTES_MAX);
	struct known_hosts *k = bytemap_find(&p->files, bytemap_text(file));

	if (k)
		return k;
	if (known_file_read(file, &text, e) == RC_OK)
		k = add_file(p, file, buf_bytes(&text), e);
	buf_destroy(&text);
	return k;
}

/* ---- one node */

/* What is asked for one node, while the policy is locked. */
struct inquiry {
	struct hostkey_policy *policy;
	const struct ssh_settings *settings;
	struct known_hosts **files;
	char name[KNOWN_NAME_MAX], any_port[KNOWN_NAME_MAX];
	struct known_query query;
};

/* An alias stands for host and port. */
static enum rc name_host(struct inquiry *q, struct err *e)
{
	const struct ssh_settings *s = q->settings;
	const char *host = s->host_key_alias ? s->host_key_alias : s->host;

	if (known_name(host, s->host_key_alias ? 22 : s->port, q->name) &&
		known_name(host, 22, q->any_port))
		return RC_OK;
	return err_set(e, RC_HOSTKEY, 0,
		"a name of %zu bytes is too long for known_hosts", strlen(host));
}

/* Locks the policy; inquiry_end() must follow, whatever this returns. */
static enum rc inquiry_begin(struct inquiry *q, struct hostkey_policy *p,
	const struct ssh_settings *settings, struct err *e)
{
	size_t count = settings->known_hosts.count;
	enum rc rc;

	*q = (struct inquiry){ .policy = p, .settings = settings };
	pthread_mutex_lock(&p->lock);
	rc = name_host(q, e);
	if (rc != RC_OK)
		return rc;
	q->files = calloc(count + 1, sizeof(struct known_hosts *));
	if (!q->files)
		return err_memory(e);
	for (size_t i = 0; i < count; i++) {
		q->files[i] = file_at(p, settings->known_hosts.item[i], e);
		if (!q->files[i])
			return e->code;
	}
	q->query = (struct known_query){ q->files, count, q->name, q->any_port };
	return RC_OK;
}

static enum rc inquiry_end(struct inquiry *q, enum rc rc)
{
	free(q->files);
	pthread_mutex_unlock(&q->policy->lock);
	return rc;
}

enum rc hostkey_load(
	struct hostkey_policy *p, const struct ssh_settings *settings, struct err *e)
{
	enum rc rc = RC_OK;

	pthread_mutex_lock(&p->lock);
	for (size_t i = 0; i < settings->known_hosts.count && rc == RC_OK; i++)
		if (!file_at(p, settings->known_hosts.item[i], e))
			rc = e->code;
	pthread_mutex_unlock(&p->lock);
	return rc;
}

enum rc hostkey_load_text(
	struct hostkey_policy *p, const char *file, struct bytes text, struct err *e)
{
	enum rc rc;

	pthread_mutex_lock(&p->lock);
	rc = add_file(p, file, text, e) ? RC_OK : e->code;
	pthread_mutex_unlock(&p->lock);
	return rc;
}

enum rc hostkey_types(struct hostkey_policy *p, const struct ssh_settings *settings,
	const char *types[static KNOWN_TYPES_MAX + 1], struct err *e)
{
	struct inquiry q;
	enum rc rc = inquiry_begin(&q, p, settings, e);

	types[0] = NULL;
	if (rc == RC_OK)
		rc = known_hosts_types(&q.query, types, e);
	return inquiry_end(&q, rc);
}

/* ---- the verdict */

/* What `ssh-keygen -R` and `ssh-keyscan -t` call a type. */
static const char *short_type(const char *type)
{
	if (strncmp(type, "ecdsa", 5) == 0)
		return "ecdsa";
	return strncmp(type, "ssh-", 4) == 0 ? type + 4 : type;
}

/* A key as messages name it. */
struct shown {
	struct bytes blob;
	const char *type;
	char fingerprint[KNOWN_FINGERPRINT_MAX];
};

static const char *first_file(const struct ssh_settings *s)
{
	return s->known_hosts.count ? s->known_hosts.item[0] : NULL;
}

/* Who lists an authority wants no key that it did not sign, so not even a new one. */
static enum rc refuse_authority(
	const struct shown *key, const struct known_line *line, struct err *e)
{
	return err_set(e, RC_HOSTKEY, 0,
		"host key %s %s is not known, and the @cert-authority line %s:%u "
		"does not help: certificates of hosts are not supported; compare "
		"the key with the node's, then add it to known_hosts",
		key->type, key->fingerprint, line->file, line->number);
}

static enum rc refuse_unknown(const struct ssh_settings *s, const char *name,
	const struct shown *key, struct err *e)
{
	const char *file = first_file(s) ? first_file(s) : "~/.ssh/known_hosts";

	/* what ssh-keyscan would reach and write is another name, if anything */
	if (s->host_key_alias || s->jump || s->proxy_command)
		return err_set(e, RC_HOSTKEY, 0,
			"host key %s %s is not known; compare it with the node's "
			"(ssh-keygen -lf there), then use --accept-new or add it to %s "
			"as a key of %s",
			key->type, key->fingerprint, file, name);
	return err_set(e, RC_HOSTKEY, 0,
		"host key %s %s is not known; compare it with the node's (ssh-keygen -lf "
		"there), then use --accept-new or: ssh-keyscan -t %s -p %u %s >> %s",
		key->type, key->fingerprint, short_type(key->type), s->port, s->host,
		file);
}

/* ssh would let a line without a port speak for every port; who comes from there is told
 * why it does not here. */
static const struct known_line *line_of_port_22(
	const struct inquiry *q, const struct shown *key)
{
	struct known_query plain = q->query;
	struct known_answer answer;
	struct err e;

	plain.name = q->any_port;
	if (strcmp(q->name, q->any_port) == 0 ||
		known_hosts_check(&plain, key->blob, &answer, &e) != RC_OK ||
		answer.verdict == KNOWN_NOT)
		return NULL;
	return answer.line;
}

static enum rc refuse_port(const struct inquiry *q, const struct shown *key,
	const struct known_line *line, struct err *e)
{
	return err_set(e, RC_HOSTKEY, 0,
		"host key %s %s is not known: %s:%u, without a port, speaks for port 22 "
		"only; compare the key with the node's (ssh-keygen -lf there), then use "
		"--accept-new or add it to %s as a key of %s",
		key->type, key->fingerprint, line->file, line->number,
		first_file(q->settings), q->name);
}

static enum rc refuse_changed(const struct inquiry *q, const struct shown *key,
	const struct known_line *line, struct err *e)
{
	return err_set(e, RC_HOSTKEY, 0,
		"HOST KEY CHANGED: the server shows %s %s, but %s:%u has a %s "
		"key; somebody may be listening; if the node was reinstalled: "
		"ssh-keygen -R '%s' -f %s",
		key->type, key->fingerprint, line->file, line->number,
		short_type(line->type), q->name, line->file);
}

static enum rc record_key(const struct inquiry *q, const struct shown *key, struct err *e)
{
	struct buf line = buf_with_cap(128 * 1024);
	const char *file = first_file(q->settings);
	enum rc rc;

	if (!file)
		return err_set(e, RC_HOSTKEY, 0,
			"there is no known_hosts file to record the new host key in");
	rc = known_file_append(file, q->name, key->type, key->blob, &line, e);
	if (rc == RC_OK)
		rc = known_hosts_add(q->files[0], file, buf_bytes(&line), e);
	buf_destroy(&line);
	return rc;
}

static enum rc judge(const struct inquiry *q, const struct shown *key, struct err *e)
{
	struct known_answer answer;
	const struct known_line *plain;

	if (known_hosts_check(&q->query, key->blob, &answer, e) != RC_OK)
		return e->code;
	switch (answer.verdict) {
	case KNOWN_YES:
		return RC_OK;
	case KNOWN_IS_REVOKED:
		return err_set(e, RC_HOSTKEY, 0, "host key %s %s is revoked by %s:%u",
			key->type, key->fingerprint, answer.line->file,
			answer.line->number);
	case KNOWN_CHANGED:
		return refuse_changed(q, key, answer.line, e);
	case KNOWN_NOT:
		break;
	}
	if (answer.line)
		return refuse_authority(key, answer.line, e);
	if (q->settings->strict == SSH_STRICT_NEW)
		return record_key(q, key, e);
	plain = line_of_port_22(q, key);
	return plain ? refuse_port(q, key, plain, e)
		     : refuse_unknown(q->settings, q->name, key, e);
}

enum rc hostkey_judge(struct hostkey_policy *p, const struct ssh_settings *settings,
	struct bytes blob, struct err *e)
{
	struct shown key = { .blob = blob };
	struct inquiry q;
	enum rc rc;

	if (!known_blob_type(blob, &key.type))
		return err_set(e, RC_HOSTKEY, 0,
			"the server's host key is of no kind that can be checked");
	known_fingerprint(blob, key.fingerprint);
	rc = inquiry_begin(&q, p, settings, e);
	if (rc == RC_OK)
		rc = judge(&q, &key, e);
	return inquiry_end(&q, rc);
}
