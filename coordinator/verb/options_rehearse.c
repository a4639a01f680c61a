/* rehearse: options that do not go together, and templates that name no target. */
#include "coordinator/verb/aim.h"
#include "coordinator/verb/options_private.h"
#include "proto/remote_uri.h"

static enum rc check_pairs(const struct options *o, struct err *e)
{
	if (o->all_pairs && o->sample)
		return err_set(e, RC_USAGE, 0,
			"%s: --all-pairs and --sample: one of them", o->verb->name);
	if (o->seed && !o->sample)
		return err_set(
			e, RC_USAGE, 0, "%s: --seed goes with --sample", o->verb->name);
	return RC_OK;
}

/* libvirt's own rules: what goes through its connection needs no other way. */
static enum rc check_ways(const struct options *o, struct err *e)
{
	const char *other = o->migrate_data	? "migrate-data"
			    : o->migrate_listen ? "migrate-listen"
			    : o->migrate_tls	? "migrate-tls"
						: NULL;

	if (!o->tunnelled || !other)
		return RC_OK;
	return err_set(e, RC_USAGE, 0,
		"%s: --tunnelled sends memory through libvirt's connection, --%s is "
		"about "
		"another one",
		o->verb->name, other);
}

/* The rules of the nodes (proto/remote_uri.h), asked before any node is. */

static enum rc check_uri(const char *filled, struct arena *arena, struct err *e)
{
	struct remote_uri uri;

	return remote_uri_read(filled, arena, &uri, e);
}

static enum rc check_data(const char *filled, struct arena *arena, struct err *e)
{
	uint32_t port;

	(void)arena;
	return remote_uri_read_data(filled, &port, e);
}

static enum rc check_listen(const char *filled, struct arena *arena, struct err *e)
{
	(void)arena;
	return remote_uri_check_listen(filled, e);
}

struct aim_option {
	const char *option, *text;
	bool is_uri; /* then every target must be another one */
	enum rc (*check)(const char *filled, struct arena *arena, struct err *e);
};

/* With a name that any node could have. */
static enum rc check_aim(const struct aim_option *o, struct err *e)
{
	const struct aim any = { "node", "node", o->is_uri };
	struct arena scratch = { 0 };
	const char *filled;
	struct err why = { 0 };
	enum rc rc = aim_check(o->option, o->text, o->is_uri, e);

	if (rc != RC_OK)
		return rc;
	rc = aim_fill(o->text, &any, &scratch, &filled, &why);
	if (rc == RC_OK)
		rc = o->check(filled, &scratch, &why);
	arena_destroy(&scratch);
	if (rc == RC_OK)
		return RC_OK;
	return err_set(e, rc == RC_MEMORY ? rc : RC_USAGE, 0,
		"%s %.200s: of a target called node: %.400s", o->option, o->text,
		why.text);
}

enum rc options_check_rehearse(const struct options *o, struct err *e)
{
	const struct aim_option aims[] = {
		{ "--migrate-uri", o->migrate_uri, true, check_uri },
		{ "--migrate-data", o->migrate_data, true, check_data },
		{ "--migrate-listen", o->migrate_listen, false, check_listen },
	};
	enum rc rc = check_pairs(o, e);

	if (rc == RC_OK)
		rc = check_ways(o, e);
	for (size_t i = 0; i < sizeof(aims) / sizeof(aims[0]) && rc == RC_OK; i++)
		if (aims[i].text)
			rc = check_aim(&aims[i], e);
	return rc;
}
