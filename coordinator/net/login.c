#include "coordinator/net/login.h"

#include <string.h>

#include "coordinator/net/wire.h"

enum { CANDIDATES_MAX = 64, FILES_SHARE = 3 };

struct candidates {
	struct login_key keys[CANDIDATES_MAX];
	size_t count;
};

static bool is_listed(const struct candidates *c, struct bytes blob)
{
	for (size_t i = 0; i < c->count; i++)
		if (wire_same(c->keys[i].blob, blob))
			return true;
	return false;
}

static void add(struct candidates *c, const struct login_key *key)
{
	if (c->count < CANDIDATES_MAX && !is_listed(c, key->blob))
		c->keys[c->count++] = *key;
}

/* Is it the key of an identity file? */
static bool is_identity(
	const struct ssh_settings *s, const struct keyring *keyring, struct bytes blob)
{
	for (size_t i = 0; i < s->identity_files.count; i++) {
		const struct key *key = keyring_find(keyring, s->identity_files.item[i]);

		if (key && key->blob.size && wire_same(key->blob, blob))
			return true;
	}
	return false;
}

static void add_of_agent(struct candidates *out, const struct ssh_settings *s,
	const struct keyring *keyring, struct agent *agent, bool matching,
	bool with_tokens)
{
	for (size_t i = 0; agent && i < agent->key_count; i++) {
		const struct agent_key *key = &agent->keys[i];

		if (is_identity(s, keyring, key->blob) == matching &&
			(with_tokens || !key_is_token(key->blob)))
			add(out, &(struct login_key){ .blob = key->blob,
					 .name = key->name,
					 .agent = agent });
	}
}

/* Key files in order; one that was unlocked signs through the agent that holds it. */
static void add_files(struct candidates *out, const struct ssh_settings *s,
	const struct keyring *keyring, struct agent *unlocked)
{
	for (size_t i = 0; i < s->identity_files.count; i++) {
		const struct key *key = keyring_find(keyring, s->identity_files.item[i]);

		if (key && key->state == KEY_READY)
			add(out, &(struct login_key){ .blob = key->blob,
					 .name = key->path,
					 .key = key });
	}
	for (size_t i = 0; unlocked && i < unlocked->key_count; i++) {
		const struct agent_key *key = &unlocked->keys[i];

		add(out, &(struct login_key){ .blob = key->blob,
				 .name = key->name,
				 .agent = unlocked });
	}
}

static void move_to(struct login_key *keys, size_t from, size_t to)
{
	struct login_key moved = keys[from];

	memmove(&keys[to + 1], &keys[to], (from - to) * sizeof(*keys));
	keys[to] = moved;
}

/* Keeps as many as may be offered: where the agent has too many, its last ones go. */
static void cut(struct login *out, struct candidates *all, size_t of_agent)
{
	size_t files = all->count - of_agent, share, kept;

	share = LOGIN_KEYS_MAX - (files < FILES_SHARE ? files : FILES_SHARE);
	kept = of_agent < share ? of_agent : share;
	for (size_t i = 0; i < all->count; i++) {
		bool keep = i < kept || i >= of_agent;

		if (keep && out->count < LOGIN_KEYS_MAX)
			out->keys[out->count++] = all->keys[i];
		else if (out->left_out++ == 0)
			out->first_left_out = all->keys[i].name;
	}
}

static void put_rsa_last(struct login *l)
{
	size_t others = 0;

	for (size_t i = 0; i < l->count; i++)
		if (!key_is_rsa(l->keys[i].blob))
			move_to(l->keys, i, others++);
}

/* Also one that would have been cut. */
static void put_hint_first(struct login *l, const struct candidates *all,
	struct keyring *keyring, const char *user)
{
	size_t at = 0, hint = 0;

	while (hint < all->count && !keyring_is_hint(keyring, user, all->keys[hint].blob))
		hint++;
	if (hint == all->count)
		return;
	while (at < l->count && !wire_same(l->keys[at].blob, all->keys[hint].blob))
		at++;
	if (at == l->count)
		l->keys[--at] = all->keys[hint];
	move_to(l->keys, at, 0);
}

void login_plan(struct login *out, const struct ssh_settings *settings,
	struct keyring *keyring, struct agent *agent, struct agent *unlocked,
	bool with_tokens)
{
	struct candidates all = { .count = 0 };
	size_t of_agent;

	*out = (struct login){ .count = 0 };
	add_of_agent(&all, settings, keyring, agent, true, with_tokens);
	if (!settings->identities_only)
		add_of_agent(&all, settings, keyring, agent, false, with_tokens);
	of_agent = all.count;
	add_files(&all, settings, keyring, unlocked);
	cut(out, &all, of_agent);
	put_rsa_last(out);
	put_hint_first(out, &all, keyring, settings->user);
}
