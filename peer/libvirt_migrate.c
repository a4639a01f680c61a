/* libvirt's calls of a migration, and the look at the network; each runs in a child. */
#include <stdlib.h>

#include "base/clock.h"
#include "peer/libvirt_private.h"
#include "peer/migration.h"
#include "peer/reach.h"

/* ---- libvirt's words */

static void say(struct arena *arena, const char *words, int code, struct migrated *out)
{
	const char *kept = arena_text(arena, words);

	out->reason = kept ? kept : "out of memory";
	out->native = (uint32_t)code;
}

static void say_last(struct arena *arena, struct migrated *out)
{
	int code;
	const char *words = libvirt_last(&code);

	say(arena, words, code, out);
}

/* ---- the guest */

struct sender {
	virConnectPtr connection;
	virDomainPtr domain;
};

/* Trial guests are transient: a persistent domain of such a name is somebody else's. */
static bool is_ours(struct sender *s, struct arena *arena, struct migrated *out)
{
	int persistent = vir.virDomainIsPersistent(s->domain);

	if (persistent < 0)
		say_last(arena, out);
	if (persistent > 0)
		say(arena, "this guest is no trial guest: it has a definition", 0, out);
	return persistent == 0;
}

static bool find(const struct migration *m, struct sender *s, struct arena *arena,
	struct migrated *out)
{
	struct err e;

	if (libvirt_open(m->connect, &s->connection, &e) != RC_OK) {
		say(arena, e.text, e.native, out);
		return false;
	}
	vir.virResetLastError();
	s->domain = vir.virDomainLookupByName(s->connection, m->domain);
	if (!s->domain)
		say_last(arena, out);
	return s->domain && is_ours(s, arena, out);
}

/* ---- migrating */

static unsigned flags_of(const struct migrate *how)
{
	return VIR_MIGRATE_LIVE | (how->tunnelled ? VIR_MIGRATE_TUNNELLED : 0) |
	       (how->tls ? VIR_MIGRATE_TLS : 0);
}

enum { PARAMETERS_MAX = 2 };

static void add(virTypedParameter *all, int *count, const char *name, const char *value)
{
	virTypedParameter *p = &all[*count];

	if (!*value)
		return;
	p->type = VIR_TYPED_PARAM_STRING;
	p->value.s = (char *)value;
	for (size_t i = 0; name[i] && i + 1 < sizeof(p->field); i++)
		p->field[i] = name[i];
	++*count;
}

static int parameters_of(const struct migrate *how, virTypedParameter *all)
{
	int count = 0;

	add(all, &count, VIR_MIGRATE_PARAM_URI, how->data_uri);
	add(all, &count, VIR_MIGRATE_PARAM_LISTEN_ADDRESS, how->listen);
	return count;
}

static void send_by_libvirt(
	const struct migration *m, struct arena *arena, struct migrated *out)
{
	virTypedParameter parameters[PARAMETERS_MAX] = { 0 };
	int count = parameters_of(m->how, parameters);
	struct sender s = { 0 };
	long begin;

	if (!find(m, &s, arena, out))
		return;
	begin = clock_ms();
	out->ok = vir.virDomainMigrateToURI3(s.domain, m->how->uri, parameters,
			  (unsigned)count, flags_of(m->how) | VIR_MIGRATE_PEER2PEER) == 0;
	out->ms = (uint32_t)(clock_ms() - begin);
	if (!out->ok)
		say_last(arena, out);
}

static void send_directly(
	const struct migration *m, struct arena *arena, struct migrated *out)
{
	virTypedParameter parameters[PARAMETERS_MAX] = { 0 };
	int count = parameters_of(m->how, parameters);
	struct sender s = { 0 };
	virConnectPtr target;

	if (!find(m, &s, arena, out))
		return;
	target = vir.virConnectOpen(m->how->uri);
	out->ok = target && vir.virDomainMigrate3(s.domain, target, parameters,
				    (unsigned)count, flags_of(m->how));
	if (!out->ok)
		say_last(arena, out);
}

static void abort_by_libvirt(
	const struct migration *m, struct arena *arena, struct migrated *out)
{
	struct sender s = { 0 };

	if (!find(m, &s, arena, out))
		return;
	out->ok = vir.virDomainAbortJob(s.domain) == 0;
	if (!out->ok)
		say_last(arena, out);
}

static void look_from_here(
	const struct migration *m, struct arena *arena, struct migrated *out)
{
	static const char *const tables[] = { "/proc/net/tcp", "/proc/net/tcp6" };
	const char *words = reach_look(&m->target, arena);

	for (int i = 0; i < 2 && words && !*words && m->given_up; i++)
		words = reach_waits(tables[i], m->data_port, arena);
	out->reach = words ? words : "out of memory";
}

const struct migration_calls migration_calls = { send_by_libvirt, abort_by_libvirt,
	send_directly, look_from_here };
