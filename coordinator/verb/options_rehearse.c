/* rehearse: options that do not go together, and templates that name no target. */
#include "coordinator/verb/aim.h"
#include "coordinator/verb/options_private.h"

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

enum rc options_check_rehearse(const struct options *o, struct err *e)
{
	const struct {
		const char *option, *text;
		bool needed;
	} aims[] = {
		{ "--migrate-uri", o->migrate_uri, true },
		{ "--migrate-data", o->migrate_data, true },
		{ "--migrate-listen", o->migrate_listen, false },
	};
	enum rc rc = check_pairs(o, e);

	if (rc == RC_OK)
		rc = check_ways(o, e);
	for (size_t i = 0; i < sizeof(aims) / sizeof(aims[0]) && rc == RC_OK; i++)
		if (aims[i].text)
			rc = aim_check(aims[i].option, aims[i].text, aims[i].needed, e);
	return rc;
}
