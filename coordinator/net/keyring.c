#include "coordinator/net/keyring.h"

#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "coordinator/net/unlock.h"
#include "coordinator/net/wire.h"

/* ---- files */

/* Where the path is, or belongs. */
static size_t place_of(const struct keyring *k, const char *path, bool *there)
{
	size_t low = 0, high = k->count;

	*there = false;
	while (low < high && !*there) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(path, k->entries[middle].key.path);

		*there = order == 0;
		if (order > 0)
			low = middle + 1;
		else
			high = middle;
	}
	return *there ? high : low;
}

const struct key *keyring_find(const struct keyring *k, const char *path)
{
	bool there;
	size_t at = place_of(k, path, &there);

	return there && k->entries[at].usable ? &k->entries[at].key : NULL;
}

static enum rc read_entry(struct keyring *k, const char *path, struct keyring_entry *out,
	bool named, struct err *e)
{
	*out = (struct keyring_entry){ .key = { .path = path, .state = KEY_PUBLIC } };
	if (!named && access(path, F_OK) != 0) {
		/* as with ssh, FILE.pub alone says which of the agent's keys is meant */
		key_read_public_beside(path, &out->key, &k->arena);
		out->usable = out->key.blob.size > 0;
		return RC_OK;
	}
	if (key_read(path, &out->key, &k->arena, e) == RC_OK)
		out->usable = true;
	else if (named || e->code == RC_MEMORY)
		return e->code;
	else
		log_line(LOG_WARN, NULL, "%s; it is not used", e->text);
	return RC_OK;
}

static enum rc add_file(struct keyring *k, const char *path, bool named, struct err *e)
{
	struct keyring_entry entry, *bigger;
	bool there;
	size_t at = place_of(k, path, &there);

	if (there && (k->entries[at].usable || !named))
		return RC_OK;
	if (read_entry(k, path, &entry, named, e) != RC_OK)
		return e->code;
	bigger = arena_grow(&k->arena, k->entries, k->count, sizeof(*k->entries));
	if (!bigger) {
		key_free(&entry.key);
		return err_memory(e);
	}
	k->entries = bigger;
	if (!there)
		memmove(&bigger[at + 1], &bigger[at],
			(k->count++ - at) * sizeof(*bigger));
	bigger[at] = entry;
	return RC_OK;
}

static enum rc add_files(struct keyring *k, const struct ssh_settings *s, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t f = 0; f < s->identity_files.count && rc == RC_OK; f++)
		rc = add_file(k, s->identity_files.item[f], s->identities_named, e);
	return rc;
}

/* Does this node ask for the same as the one before it, for itself and for what is on the
 * way?  Most nodes share one list. */
static bool is_like_the_last(const struct ssh_settings *const *settings, size_t i)
{
	const struct ssh_settings *a = settings[i], *b = i ? settings[i - 1] : NULL;

	return a && b && a->identity_files.item == b->identity_files.item &&
	       a->identity_files.count == b->identity_files.count &&
	       a->identities_named == b->identities_named &&
	       a->identities_only == b->identities_only && a->agent == b->agent &&
	       a->jump == b->jump;
}

enum rc keyring_load(struct keyring *k, const struct ssh_settings *const *settings,
	size_t count, struct err *e)
{
	enum rc rc = RC_OK;

	*k = (struct keyring){ .count = 0 };
	pthread_mutex_init(&k->hint_lock, NULL);
	for (size_t i = 0; i < count && rc == RC_OK; i++) {
		const struct ssh_settings *s = settings[i];

		if (is_like_the_last(settings, i))
			continue;
		for (; s && rc == RC_OK; s = s->jump)
			rc = add_files(k, s, e);
	}
	return rc;
}

/* ---- keys that are locked */

/* What an agent holds. */
struct holder {
	const char *agent;
	struct agent_keys held;
};

struct locked {
	struct texts paths;
	struct holder *holders;
	size_t holder_count;
};

static bool are_same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

/* Asked once, whatever the order of the nodes: one that hangs takes all of the patience.
 * NULL: memory is short. */
static const struct agent_keys *held_by(
	struct keyring *k, struct locked *out, const char *agent, uint32_t patience_ms)
{
	struct holder *bigger;

	for (size_t i = 0; i < out->holder_count; i++)
		if (are_same(out->holders[i].agent, agent))
			return &out->holders[i].held;
	bigger = arena_grow(
		&k->arena, out->holders, out->holder_count, sizeof(*out->holders));
	if (!bigger)
		return NULL;
	out->holders = bigger;
	bigger += out->holder_count++;
	bigger->agent = agent;
	agent_keys_now(agent, patience_ms, &k->arena, &bigger->held);
	return &bigger->held;
}

static bool is_held(const struct agent_keys *held, struct bytes blob)
{
	for (size_t i = 0; i < held->count; i++)
		if (blob.size && wire_same(held->key[i].blob, blob))
			return true;
	return false;
}

/* Has the node a key that needs nobody's help? */
static bool has_other_key(const struct keyring *k, const struct ssh_settings *s,
	const struct agent_keys *held)
{
	bool other = !s->identities_only && held->count > 0;

	for (size_t i = 0; i < s->identity_files.count && !other; i++) {
		const struct key *key = keyring_find(k, s->identity_files.item[i]);

		other = key && (key->state == KEY_READY || is_held(held, key->blob));
	}
	return other;
}

static enum rc add_locked(struct keyring *k, const struct ssh_settings *s,
	uint32_t patience_ms, struct locked *out, struct err *e)
{
	const struct agent_keys *held = held_by(k, out, s->agent, patience_ms);
	bool only_named = held && has_other_key(k, s, held);
	enum rc rc = held ? RC_OK : err_memory(e);

	for (size_t i = 0; i < s->identity_files.count && rc == RC_OK; i++) {
		const char *path = s->identity_files.item[i];
		const struct key *key = keyring_find(k, path);

		if (!key || key->state != KEY_LOCKED || texts_have(&out->paths, path) ||
			is_held(held, key->blob) || (only_named && !s->identities_named))
			continue;
		rc = texts_add(&out->paths, path, &k->arena, e);
	}
	return rc;
}

static bool has_locked(const struct keyring *k)
{
	for (size_t i = 0; i < k->count; i++)
		if (k->entries[i].usable && k->entries[i].key.state == KEY_LOCKED)
			return true;
	return false;
}

enum rc keyring_unlock(struct keyring *k, const struct ssh_settings *const *settings,
	size_t count, uint32_t patience_ms, struct err *e)
{
	struct locked need = { .holders = NULL };
	enum rc rc = RC_OK;

	if (!has_locked(k) || !unlock_has_terminal())
		return RC_OK;
	for (size_t i = 0; i < count && rc == RC_OK; i++) {
		const struct ssh_settings *s = settings[i];

		if (is_like_the_last(settings, i))
			continue;
		for (; s && rc == RC_OK; s = s->jump)
			rc = add_locked(k, s, patience_ms, &need, e);
	}
	if (rc == RC_OK && need.paths.count)
		rc = unlock_files(&need.paths, &k->arena, &k->unlock, e);
	if (rc == RC_OK && k->unlock)
		k->unlocked = unlock_socket(k->unlock);
	return rc;
}

/* ---- hints */

/* FNV-1a: a wrong hit costs an attempt in a worse order, nothing else. */
static uint64_t hash_of(struct bytes blob)
{
	uint64_t hash = 14695981039346656037u;

	for (size_t i = 0; i < blob.size; i++)
		hash = (hash ^ blob.data[i]) * 1099511628211u;
	return hash;
}

static struct keyring_hint *find_hint(struct keyring *k, const char *user)
{
	for (size_t i = 0; i < k->hint_count; i++)
		if (strcmp(k->hints[i].user, user) == 0)
			return &k->hints[i];
	return NULL;
}

void keyring_remember(struct keyring *k, const char *user, struct bytes blob)
{
	struct keyring_hint *hint;

	pthread_mutex_lock(&k->hint_lock);
	hint = find_hint(k, user);
	if (!hint && k->hint_count < KEYRING_HINTS)
		hint = &k->hints[k->hint_count++];
	if (hint)
		*hint = (struct keyring_hint){ user, hash_of(blob) };
	pthread_mutex_unlock(&k->hint_lock);
}

bool keyring_is_hint(struct keyring *k, const char *user, struct bytes blob)
{
	const struct keyring_hint *hint;
	bool is;

	pthread_mutex_lock(&k->hint_lock);
	hint = find_hint(k, user);
	is = hint && hint->key == hash_of(blob);
	pthread_mutex_unlock(&k->hint_lock);
	return is;
}

void keyring_destroy(struct keyring *k)
{
	unlock_end(k->unlock);
	k->unlock = NULL;
	for (size_t i = 0; i < k->count; i++)
		key_free(&k->entries[i].key);
	k->count = 0;
	arena_destroy(&k->arena);
}
