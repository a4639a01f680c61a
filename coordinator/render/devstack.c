/* DevStack's local.conf, and the same for a job of Zuul that runs DevStack. */
#include "coordinator/render/nova.h"

/* LIBVIRT_CPU_MODE and _MODEL are DevStack's own (lib/nova_plugins/hypervisor-libvirt);
 * it has no word for flags.  nova-compute reads nova-cpu.conf, and post-config has the
 * last word there, also in a DevStack that has no such variables yet. */
enum rc write_devstack(struct writing *w, struct err *e)
{
	const struct nova_release *r;

	if (nova_begin(w, &r, e) != RC_OK)
		return e->code;
	writing_heading(w);
	PUT(w, "# Parts of local.conf, nova %s.\n[[local|localrc]]\n", r->name);
	PUT(w, "LIBVIRT_CPU_MODE=custom\nLIBVIRT_CPU_MODEL=%s\n", w->level->model);
	PUT(w, "\n[[post-config|$NOVA_CPU_CONF]]\n[libvirt]\n");
	nova_put_options(w, r);
	return RC_OK;
}

/* Names are quoted: to YAML a bare 486 is a number. */
static void put_variables(
	struct writing *w, const struct nova_release *r, const char *indent)
{
	PUT(w, "%sdevstack_localrc:\n", indent);
	PUT(w, "%s  LIBVIRT_CPU_MODE: \"custom\"\n", indent);
	PUT(w, "%s  LIBVIRT_CPU_MODEL: \"%s\"\n", indent, w->level->model);
	PUT(w, "%sdevstack_local_conf:\n%s  post-config:\n", indent, indent);
	PUT(w, "%s    \"$NOVA_CPU_CONF\":\n%s      libvirt:\n", indent, indent);
	PUT(w, "%s        cpu_mode: \"custom\"\n", indent);
	PUT(w, "%s        %s: \"%s\"\n", indent, r->models_option, w->level->model);
	if (!w->level->feature_count)
		return;
	PUT(w, "%s        cpu_model_extra_flags: \"", indent);
	writing_flags(w, r->on, "-", ',');
	PUT(w, "\"\n");
	if (!nova_skips_compare(w, r))
		return;
	PUT(w, "%s      workarounds:\n", indent);
	PUT(w, "%s        %s: true\n", indent, NOVA_SKIP_START);
	PUT(w, "%s        %s: true\n", indent, NOVA_SKIP_MOVE);
}

/* Of a job with several nodes the subnodes read their own variables (devstack
 * .zuul.yaml, the description of devstack-base). */
enum rc write_zuul(struct writing *w, struct err *e)
{
	const struct nova_release *r;

	if (nova_begin(w, &r, e) != RC_OK)
		return e->code;
	writing_heading(w);
	PUT(w, "# Variables of a Zuul job whose parent is devstack, nova %s.\n", r->name);
	PUT(w, "vars:\n");
	put_variables(w, r, "  ");
	PUT(w, "group-vars:\n  subnode:\n");
	put_variables(w, r, "    ");
	return RC_OK;
}
