/* A custom model for Proxmox VE: a section of /etc/pve/virtual-guest/cpu-models.conf. */
#include <string.h>

#include "base/text.h"
#include "coordinator/render/qemu.h"

#define INTEL "GenuineIntel"
#define AMD "AuthenticAMD"
#define HOST NULL /* the host's */

/* What reported-model may be, and the vendor that Proxmox VE then says to QEMU
 * (qemu-server src/PVE/QemuServer/CPUConfig.pm, $cpu_vendor_list; without those that
 * $depreacated_cpu_map makes another model of, and "host" and "max", which are no
 * models). */
static const struct reported {
	const char *model, *vendor;
} reported[] = {
	{ "486", INTEL },
	{ "pentium", INTEL },
	{ "pentium2", INTEL },
	{ "pentium3", INTEL },
	{ "coreduo", INTEL },
	{ "core2duo", INTEL },
	{ "Conroe", INTEL },
	{ "Penryn", INTEL },
	{ "Nehalem", INTEL },
	{ "Nehalem-IBRS", INTEL },
	{ "Westmere", INTEL },
	{ "Westmere-IBRS", INTEL },
	{ "SandyBridge", INTEL },
	{ "SandyBridge-IBRS", INTEL },
	{ "IvyBridge", INTEL },
	{ "IvyBridge-IBRS", INTEL },
	{ "Haswell", INTEL },
	{ "Haswell-IBRS", INTEL },
	{ "Haswell-noTSX", INTEL },
	{ "Haswell-noTSX-IBRS", INTEL },
	{ "Broadwell", INTEL },
	{ "Broadwell-IBRS", INTEL },
	{ "Broadwell-noTSX", INTEL },
	{ "Broadwell-noTSX-IBRS", INTEL },
	{ "Skylake-Client", INTEL },
	{ "Skylake-Client-IBRS", INTEL },
	{ "Skylake-Client-noTSX-IBRS", INTEL },
	{ "Skylake-Client-v4", INTEL },
	{ "Skylake-Server", INTEL },
	{ "Skylake-Server-IBRS", INTEL },
	{ "Skylake-Server-noTSX-IBRS", INTEL },
	{ "Skylake-Server-v4", INTEL },
	{ "Skylake-Server-v5", INTEL },
	{ "Cascadelake-Server", INTEL },
	{ "Cascadelake-Server-v2", INTEL },
	{ "Cascadelake-Server-noTSX", INTEL },
	{ "Cascadelake-Server-v4", INTEL },
	{ "Cascadelake-Server-v5", INTEL },
	{ "Cooperlake", INTEL },
	{ "Cooperlake-v2", INTEL },
	{ "KnightsMill", INTEL },
	{ "Icelake-Server", INTEL },
	{ "Icelake-Server-noTSX", INTEL },
	{ "Icelake-Server-v3", INTEL },
	{ "Icelake-Server-v4", INTEL },
	{ "Icelake-Server-v5", INTEL },
	{ "Icelake-Server-v6", INTEL },
	{ "Icelake-Server-v7", INTEL },
	{ "SapphireRapids", INTEL },
	{ "SapphireRapids-v2", INTEL },
	{ "SapphireRapids-v3", INTEL },
	{ "SapphireRapids-v4", INTEL },
	{ "GraniteRapids", INTEL },
	{ "GraniteRapids-v2", INTEL },
	{ "GraniteRapids-v3", INTEL },
	{ "SierraForest", INTEL },
	{ "SierraForest-v2", INTEL },
	{ "SierraForest-v3", INTEL },
	{ "ClearwaterForest", INTEL },
	{ "athlon", AMD },
	{ "phenom", AMD },
	{ "Opteron_G1", AMD },
	{ "Opteron_G2", AMD },
	{ "Opteron_G3", AMD },
	{ "Opteron_G4", AMD },
	{ "Opteron_G5", AMD },
	{ "EPYC", AMD },
	{ "EPYC-IBPB", AMD },
	{ "EPYC-v3", AMD },
	{ "EPYC-v4", AMD },
	{ "EPYC-v5", AMD },
	{ "EPYC-Rome", AMD },
	{ "EPYC-Rome-v2", AMD },
	{ "EPYC-Rome-v3", AMD },
	{ "EPYC-Rome-v4", AMD },
	{ "EPYC-Rome-v5", AMD },
	{ "EPYC-Milan", AMD },
	{ "EPYC-Milan-v2", AMD },
	{ "EPYC-Milan-v3", AMD },
	{ "EPYC-Genoa", AMD },
	{ "EPYC-Genoa-v2", AMD },
	{ "EPYC-Turin", AMD },
	{ "kvm32", HOST },
	{ "kvm64", HOST },
	{ "qemu32", HOST },
	{ "qemu64", HOST },
};

/* What Proxmox VE adds by itself, unless the model says otherwise in the same spelling
 * (CPUConfig.pm, get_pve_cpu_flags and resolve_cpu_flags). */
static const struct added {
	const char *models; /* beginning of their names */
	const char *feature;
} added[] = {
	{ "Opteron", "rdtscp" },
	{ "kvm64", "lahf_lm" },
	{ "kvm64", "sep" },
	{ "kvm32", "sep" },
};

static const struct reported *find_reported(const char *model)
{
	for (size_t i = 0; i < sizeof(reported) / sizeof(reported[0]); i++)
		if (strcmp(reported[i].model, model) == 0)
			return &reported[i];
	return NULL;
}

/* A KVM guest of the level sees its host's vendor; an emulated one the model's, which
 * is what Proxmox VE says as well. */
static enum rc check_model(const struct level *l, struct err *e)
{
	const struct reported *r = find_reported(l->model);
	const char *vendor = catalogue_vendor_string(l->vendor);

	if (!r)
		return err_set(e, RC_FORMAT, 0, "Proxmox VE takes no reported-model %s",
			l->model);
	if (l->virt == VIRT_KVM && r->vendor &&
		(!vendor || strcmp(vendor, r->vendor) != 0))
		return err_set(e, RC_FORMAT, 0,
			"Proxmox VE shows guests of reported-model %s the vendor %s, and "
			"the level has %s",
			l->model, r->vendor, vendor ? vendor : "none");
	return RC_OK;
}

static bool is_said(const struct level *l, const char *feature)
{
	for (size_t i = 0; i < l->feature_count; i++)
		if (strcmp(l->features[i].name, feature) == 0)
			return true;
	return false;
}

static bool is_in_baseline(const struct writing *w, const char *feature)
{
	int bit = catalogue_find(w->request->catalogue, feature);

	return bit >= 0 && bitset_has(&w->level->baseline, (size_t)bit);
}

/* QEMU takes lahf_lm for lahf-lm; Proxmox VE knows its own flag only as lahf_lm. */
static const char *spelling(const struct writing *w, const char *feature)
{
	if (strcmp(feature, "lahf_lm") == 0)
		return feature;
	return qemu_property(w->request->catalogue, feature);
}

static void put_flag(
	struct writing *w, const char **separator, bool on, const char *feature)
{
	const char *flag = spelling(w, feature);

	if (!flag)
		return;
	PUT(w, "%s%c%s", *separator, on ? '+' : '-', flag);
	*separator = ";";
}

static void put_flags(struct writing *w)
{
	const struct level *l = w->level;
	const char *separator = "\tflags ";
	const char *before = separator;

	for (size_t i = 0; i < l->feature_count; i++)
		put_flag(w, &separator, l->features[i].policy == POLICY_REQUIRE,
			l->features[i].name);
	for (size_t i = 0; i < sizeof(added) / sizeof(added[0]); i++)
		if (text_starts_with(l->model, added[i].models) &&
			!is_said(l, added[i].feature))
			put_flag(w, &separator, is_in_baseline(w, added[i].feature),
				added[i].feature);
	if (separator != before)
		PUT(w, "\n");
}

enum rc write_proxmox(struct writing *w, struct err *e)
{
	const struct level *l = w->level;

	if (check_model(l, e) != RC_OK || qemu_check(w, e) != RC_OK)
		return e->code;
	writing_heading(w);
	PUT(w, "# A section of /etc/pve/virtual-guest/cpu-models.conf;\n");
	PUT(w, "# guests take it as cpu: custom-%s\n", w->request->name);
	PUT(w, "cpu-model: %s\n\treported-model %s\n", w->request->name, l->model);
	put_flags(w);
	if (l->maxphysaddr)
		PUT(w, "\tphys-bits %u\n", l->maxphysaddr);
	return RC_OK;
}
