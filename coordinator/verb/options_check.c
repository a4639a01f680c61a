/* Options that do not go together, and words that mean nothing. */
#include <string.h>

#include "base/text.h"
#include "coordinator/cpu/conditions.h"
#include "coordinator/render/format.h"
#include "coordinator/render/nova.h"
#include "coordinator/verb/options_private.h"
#include "proto/texts.h"

static enum rc check_format(const struct options *o, struct arena *arena, struct err *e)
{
	const char *as = o->as ? o->as : "";

	if (o->as && !format_exists(as))
		return err_set(e, RC_USAGE, 0, "%s: --as %s: it is %s", o->verb->name, as,
			format_list(arena));
	if (o->as && o->json)
		return err_set(e, RC_USAGE, 0,
			"%s: --as prints the level alone, --json a report: one of them",
			o->verb->name);
	if (!o->nova_release)
		return RC_OK;
	if (!format_has_releases(as) && !texts_have(&o->targets, "nova"))
		return err_set(e, RC_USAGE, 0, "%s: --nova-release goes with %s",
			o->verb->name,
			o->verb->bit == FOR_NEGOTIATE ? "--target nova"
						      : "--as nova, devstack or zuul");
	if (!nova_find_release(o->nova_release))
		return err_set(e, RC_USAGE, 0, "%s: --nova-release %s: it is %s",
			o->verb->name, o->nova_release, nova_list_releases(arena));
	return RC_OK;
}

/* Nobody should find all domains changed who did not say so. */
static enum rc check_domains(const struct options *o, struct err *e)
{
	bool is_target = texts_have(&o->targets, "domains");

	if (is_target && !o->domains.count)
		return err_set(e, RC_USAGE, 0,
			"%s: --target domains: which? --domains all, tag, or their names",
			o->verb->name);
	if (!is_target && (o->domains.count || o->machine))
		return err_set(e, RC_USAGE, 0, "%s: --%s goes with --target domains",
			o->verb->name, o->domains.count ? "domains" : "machine");
	if (o->machine && !text_is_name(o->machine))
		return err_set(e, RC_USAGE, 0, "%s: --machine %s: no machine type",
			o->verb->name, o->machine);
	return RC_OK;
}

static enum rc check_words(const struct options *o, struct err *e)
{
	if (strcmp(o->virt_type, "auto") != 0 && virt_of(o->virt_type) == VIRT_COUNT)
		return err_set(e, RC_USAGE, 0,
			"%s: --virt-type %s: it is kvm, qemu or auto", o->verb->name,
			o->virt_type);
	if (mitigation_floor_of(o->mitigations) == FLOOR_COUNT)
		return err_set(e, RC_USAGE, 0,
			"%s: --mitigations %s: it is warn, require or ignore",
			o->verb->name, o->mitigations);
	if (!text_is_name(o->level_name))
		return err_set(e, RC_USAGE, 0,
			"%s: --level-name %s: at most 128 letters, digits, '.', '_' and "
			"'-' make "
			"a name",
			o->verb->name, o->level_name);
	if (o->from && (o->nodes.count || o->hosts_files.count))
		return err_set(e, RC_USAGE, 0,
			"%s: --from takes its nodes from there; name no others",
			o->verb->name);
	if (o->from && o->save)
		return err_set(e, RC_USAGE, 0, "%s: --save what came --from files?",
			o->verb->name);
	return RC_OK;
}

/* /etc/nova/NAME is as good as NAME. */
static enum rc check_nova_folder(struct options *o, struct err *e)
{
	static const char base[] = "/etc/nova/";

	if (!o->nova_folder)
		return RC_OK;
	if (!texts_have(&o->targets, "nova"))
		return err_set(e, RC_USAGE, 0,
			"%s: --nova-conf-dir goes with --target nova", o->verb->name);
	if (text_starts_with(o->nova_folder, base))
		o->nova_folder += strlen(base);
	if (!text_is_name(o->nova_folder))
		return err_set(e, RC_USAGE, 0,
			"%s: --nova-conf-dir %s: it is the name of a folder in %s",
			o->verb->name, o->nova_folder, base);
	return RC_OK;
}

bool options_vote_by_trial(const struct options *o)
{
	return o->prove || (o->vote && strcmp(o->vote, "trial") == 0);
}

static enum rc check_vote(const struct options *o, struct err *e)
{
	bool compare = o->vote && strcmp(o->vote, "compare") == 0;

	if (o->vote && !compare && !options_vote_by_trial(o))
		return err_set(e, RC_USAGE, 0, "%s: --vote %s: it is compare or trial",
			o->verb->name, o->vote);
	if (compare && o->prove)
		return err_set(e, RC_USAGE, 0,
			"%s: --prove is --vote trial: which is it to be?", o->verb->name);
	return RC_OK;
}

/* It is what guests get, as it stands: there is nothing left to wish for. */
static enum rc check_cpu(const struct options *o, struct err *e)
{
	static const char *const others[] = { "lock", "require", "at-least", "model",
		"prefer", "cross-vendor", "mitigations" };

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]) && o->cpu; i++)
		if (options_have(o, others[i]))
			return err_set(e, RC_USAGE, 0,
				"%s: --cpu is all that its guests get, and --%s is about "
				"a level: one of them",
				o->verb->name, others[i]);
	return RC_OK;
}

enum rc options_check(struct options *o, struct arena *arena, struct err *e)
{
	enum rc rc = check_words(o, e);

	if (rc == RC_OK)
		rc = check_domains(o, e);
	if (rc == RC_OK)
		rc = check_format(o, arena, e);
	if (rc == RC_OK)
		rc = check_nova_folder(o, e);
	if (rc == RC_OK)
		rc = check_vote(o, e);
	if (rc == RC_OK)
		rc = check_cpu(o, e);
	if (rc == RC_OK)
		rc = options_check_rehearse(o, e);
	return rc;
}
