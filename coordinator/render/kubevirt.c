/* The domain.cpu of a KubeVirt virtual machine instance. */
#include <string.h>

#include "coordinator/render/writing.h"

/* Models that no node gets a label for, unless the cluster's obsoleteCPUModels says
 * otherwise (kubevirt pkg/virt-handler/node-labeller/util/util.go,
 * DefaultObsoleteCPUModels): a guest of one waits for a node for ever. */
static const char *const obsolete[] = {
	"486",
	"pentium",
	"pentium2",
	"pentium3",
	"pentiumpro",
	"coreduo",
	"n270",
	"core2duo",
	"Conroe",
	"athlon",
	"phenom",
	"qemu64",
	"qemu32",
	"kvm64",
	"kvm32",
};

static const char *const policies[] = {
	[POLICY_REQUIRE] = "require",
	[POLICY_DISABLE] = "disable",
};

static bool is_obsolete(const char *model)
{
	for (size_t i = 0; i < sizeof(obsolete) / sizeof(obsolete[0]); i++)
		if (strcmp(obsolete[i], model) == 0)
			return true;
	return false;
}

static bool has_disables(const struct level *l)
{
	for (size_t i = 0; i < l->feature_count; i++)
		if (l->features[i].policy == POLICY_DISABLE)
			return true;
	return false;
}

/* The scheduler asks for the label cpu-model.node.kubevirt.io/MODEL, which a node has
 * when its libvirt calls the bare model usable (pkg/virt-controller/services,
 * CPUModelLabelFromCPUModel; node-labeller/cpu_plugin.go). */
static enum rc note_labels(struct writing *w, struct err *e)
{
	const char *model = w->level->model;

	if (is_obsolete(model))
		return writing_note(w,
			arena_format(w->arena,
				"KubeVirt counts %s as obsolete and starts it nowhere "
				"until obsoleteCPUModels leaves it out",
				model),
			e);
	if (!has_disables(w->level))
		return RC_OK;
	return writing_note(w,
		arena_format(w->arena,
			"KubeVirt starts it only on nodes labelled "
			"cpu-model.node.kubevirt.io/%s=true, which are those that can "
			"give the whole model, also what is disabled here",
			model),
		e);
}

static void put_features(struct writing *w)
{
	const struct level *l = w->level;

	if (l->feature_count)
		PUT(w, "    features:\n");
	for (size_t i = 0; i < l->feature_count; i++)
		PUT(w, "      - name: \"%s\"\n        policy: \"%s\"\n",
			l->features[i].name, policies[l->features[i].policy]);
}

/* Names are quoted: to YAML a bare 486 is a number. */
enum rc write_kubevirt(struct writing *w, struct err *e)
{
	if (note_labels(w, e) != RC_OK ||
		writing_note_maxphysaddr(w, "KubeVirt has no word for it", e) != RC_OK)
		return e->code;
	writing_heading(w);
	PUT(w, "# For the spec of a VirtualMachineInstance (spec.template.spec of a "
	       "VirtualMachine).\n");
	PUT(w, "domain:\n  cpu:\n    model: \"%s\"\n", w->level->model);
	put_features(w);
	return RC_OK;
}
