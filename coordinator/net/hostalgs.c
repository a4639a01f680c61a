#include "coordinator/net/hostalgs.h"

#include <stdbool.h>
#include <string.h>

#include "coordinator/net/known_line.h"
#include "coordinator/ssh/pattern.h"

struct names {
	const char *item[HOSTALGS_MAX];
	size_t count;
};

/* Once; more than fit are none that a library has. */
static void add(struct names *to, const char *name)
{
	for (size_t i = 0; i < to->count; i++)
		if (strcmp(to->item[i], name) == 0)
			return;
	if (to->count < HOSTALGS_MAX)
		to->item[to->count++] = name;
}

static void add_all(struct names *to, const struct names *from)
{
	for (size_t i = 0; i < from->count; i++)
		add(to, from->item[i]);
}

/* The type of key behind an algorithm: RSA keys sign in three ways (RFC 8332). */
static const char *type_of(const char *algorithm)
{
	bool rsa = strcmp(algorithm, "rsa-sha2-256") == 0 ||
		   strcmp(algorithm, "rsa-sha2-512") == 0;

	return rsa ? "ssh-rsa" : algorithm;
}

/* Names whose keys known_hosts can judge.  Ed25519 comes first, as in ssh and unlike in
 * libssh2: a key of that type that is revoked must not be passed by. */
static struct names usable_of(const char *const *supported)
{
	static const char first[] = "ssh-ed25519";
	struct names usable = { .count = 0 };

	for (const char *const *name = supported; *name; name++)
		if (strcmp(*name, first) == 0)
			add(&usable, first);
	for (; *supported; supported++)
		if (known_type_bit(type_of(*supported)))
			add(&usable, *supported);
	return usable;
}

static bool has_prefix(const struct names *n, const char *prefix)
{
	for (size_t i = 0; i < n->count; i++)
		if (strncmp(n->item[i], prefix, strlen(prefix)) == 0)
			return true;
	return false;
}

/* What is asked for where nobody wishes anything. */
static struct names default_of(const struct names *usable)
{
	bool sha1 = !has_prefix(usable, "rsa-sha2-");
	struct names out = { .count = 0 };

	for (size_t i = 0; i < usable->count; i++) {
		const char *name = usable->item[i];

		if (strcmp(name, "ssh-dss") != 0 &&
			(sha1 || strcmp(name, "ssh-rsa") != 0))
			add(&out, name);
	}
	return out;
}

/* Adds the names that each pattern matches, pattern by pattern. */
static void add_matching(
	struct names *to, const struct names *usable, const char *patterns)
{
	for (;;) {
		size_t n = strcspn(patterns, ",");

		for (size_t i = 0; i < usable->count; i++)
			if (ssh_pattern_matches(patterns, n, usable->item[i]))
				add(to, usable->item[i]);
		if (!patterns[n])
			return;
		patterns += n + 1;
	}
}

static struct names without_matching(const struct names *from, const char *patterns)
{
	struct names out = { .count = 0 };

	for (size_t i = 0; i < from->count; i++)
		if (!ssh_pattern_list_matches(patterns, from->item[i], false))
			add(&out, from->item[i]);
	return out;
}

static struct names wished_of(const char *wish, const struct names *usable)
{
	struct names standard = default_of(usable), out = { .count = 0 };

	switch (wish ? *wish : '\0') {
	case '\0':
		return standard;
	case '-':
		return without_matching(&standard, wish + 1);
	case '+':
		add_all(&out, &standard);
		add_matching(&out, usable, wish + 1);
		return out;
	case '^':
		add_matching(&out, usable, wish + 1);
		add_all(&out, &standard);
		return out;
	default:
		add_matching(&out, usable, wish);
		return out;
	}
}

static struct names known_first(const struct names *from, const char *const *types)
{
	struct names out = { .count = 0 };

	for (; *types; types++)
		for (size_t i = 0; i < from->count; i++)
			if (strcmp(type_of(from->item[i]), *types) == 0)
				add(&out, from->item[i]);
	add_all(&out, from);
	return out;
}

static enum rc join(
	const struct names *names, char list[static HOSTALGS_BYTES], struct err *e)
{
	size_t used = 0;

	for (size_t i = 0; i < names->count; i++) {
		size_t n = strlen(names->item[i]);

		if (used + n + 2 > HOSTALGS_BYTES)
			return err_set(
				e, RC_INTERNAL, 0, "too many algorithms for host keys");
		if (used)
			list[used++] = ',';
		memcpy(list + used, names->item[i], n);
		used += n;
	}
	list[used] = '\0';
	return RC_OK;
}

enum rc hostalgs_choose(const char *wish, const char *const *types,
	const char *const *supported, char list[static HOSTALGS_BYTES], struct err *e)
{
	struct names usable = usable_of(supported), names;
	bool open = !wish || !*wish || *wish == '+' || *wish == '-';

	if (wish && *wish != '-' && strchr(wish, '!'))
		return err_set(e, RC_INPUT, 0,
			"HostKeyAlgorithms %s: '!' means something only behind '-'",
			wish);
	names = wished_of(wish, &usable);
	if (open)
		names = known_first(&names, types);
	if (!names.count)
		return err_set(e, RC_INPUT, 0,
			"HostKeyAlgorithms %s leaves nothing that libssh2 here can do",
			wish ? wish : "");
	return join(&names, list, e);
}
