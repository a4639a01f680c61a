#include "coordinator/cpu/offer.h"

#include <string.h>

#include "coordinator/cpu/cpuxml.h"
#include "coordinator/cpu/decode.h"

/* Everything that the steps below share. */
struct deriving {
	struct catalogue *catalogue;
	const struct node_facts *facts;
	enum virt_type virt;
	struct arena *arena;
	struct offer *out;
	struct err *e;
};

static const struct virt_bodies {
	enum body_id domcaps, offer;
} bodies_of[VIRT_COUNT] = {
	[VIRT_KVM] = { BODY_domcaps_kvm, BODY_offer_kvm },
	[VIRT_QEMU] = { BODY_domcaps_qemu, BODY_offer_qemu },
};

static bool has_text(const struct node_facts *f, enum body_id id, const char **why)
{
	const char *gap;

	if (f->present[id])
		return true;
	gap = facts_gap(&f->small, body_rows[id].name);
	*why = !gap ? "the facts do not say" : gap;
	return false;
}

bool offer_has_virt(const struct node_facts *f, enum virt_type virt, const char **why)
{
	return has_text(f, bodies_of[virt].domcaps, why);
}

static enum rc missing(struct deriving *d, const char *fact, const char *why)
{
	return err_set(d->e, RC_FACTS, 0, "no offer for %s guests: %s: %s",
		virt_names[d->virt], fact, why);
}

static enum rc need_text(struct deriving *d, enum body_id id, const char **text)
{
	const char *why;

	if (!has_text(d->facts, id, &why))
		return missing(d, body_rows[id].name, why);
	*text = d->facts->text[id];
	return RC_OK;
}

static void decode_registers(struct deriving *d)
{
	const struct node_facts *f = d->facts;

	if (f->present[BODY_host])
		d->out->raw = decode_features(&f->registers[BODY_host]);
	if (f->present[BODY_kvm])
		d->out->kvm = decode_features(&f->registers[BODY_kvm]);
}

static enum rc take_domcaps(struct deriving *d)
{
	const char *xml;
	struct cpuxml_domcaps caps;
	enum body_id id = bodies_of[d->virt].domcaps;
	enum rc rc = need_text(d, id, &xml);

	if (rc == RC_OK)
		rc = cpuxml_read_domcaps(xml, body_rows[id].name, d->arena, &caps, d->e);
	if (rc != RC_OK)
		return rc;
	if (strcmp(caps.virt, virt_names[d->virt]) != 0)
		return missing(d, body_rows[id].name, "they are of another virt type");
	if (strcmp(caps.arch, "x86_64") != 0)
		return missing(d, body_rows[id].name, "the guests would not be x86_64");
	if (!caps.has_host_model)
		return missing(d, body_rows[id].name, "libvirt has no host-model here");
	d->out->emulator = caps.emulator;
	d->out->machine = caps.machine;
	d->out->arch = caps.arch;
	d->out->host_model = caps.host_model.model;
	d->out->models = caps.models;
	return RC_OK;
}

/* A feature that no migration may carry, or that QEMU cannot be told to give, is
 * not on offer whatever libvirt lists (QEMU has no property for osxsave, ospke,
 * cmt, mbm_*, pconfig, cvt16: they follow from others or describe the host). */
static bool is_grantable(const struct feature_row *row)
{
	return !row || (row->migratable && row->qemu);
}

static enum rc learn(struct deriving *d, const struct texts *names, bool on)
{
	for (size_t i = 0; i < names->count; i++) {
		size_t bit;
		enum rc rc = catalogue_learn(d->catalogue, names->item[i], &bit, d->e);

		if (rc != RC_OK)
			return rc;
		bitset_add(&d->out->names, bit);
		if (!on)
			bitset_remove(&d->out->features, bit);
		else if (is_grantable(catalogue_feature(d->catalogue, bit)))
			bitset_add(&d->out->features, bit);
	}
	return RC_OK;
}

static enum rc take_features(struct deriving *d)
{
	const char *xml;
	struct cpuxml_cpu cpu;
	enum body_id id = bodies_of[d->virt].offer;
	enum rc rc = need_text(d, id, &xml);

	if (rc == RC_OK)
		rc = cpuxml_read_cpu(xml, body_rows[id].name, d->arena, &cpu, d->e);
	if (rc == RC_OK)
		rc = learn(d, &cpu.on, true);
	if (rc == RC_OK)
		rc = learn(d, &cpu.off, false);
	if (rc != RC_OK)
		return rc;
	d->out->vendor = cpu.vendor;
	if (bitset_is_empty(&d->out->features))
		return missing(d, body_rows[id].name, "it names no feature");
	return RC_OK;
}

/* libvirt's offer is what the CPU that was asked can do; a guest's thread wanders to
 * the others.  (TCG needs nothing of the host.) */
static enum rc drop_uneven(struct deriving *d)
{
	struct bitset uneven;

	if (d->virt != VIRT_KVM || !d->facts->present[BODY_host])
		return RC_OK;
	uneven = decode_uneven_features(&d->facts->registers[BODY_host]);
	d->out->features = bitset_minus(&d->out->features, &uneven);
	return RC_OK;
}

/* Later libvirts may have names that the catalogue does not; a name that it has is
 * that of one string. */
static bool contradicts(const char *said, const char *string, const char *name)
{
	return strcmp(said, name) != 0 &&
	       (catalogue_is_vendor(said, 0) || catalogue_vendor_name(string));
}

/* KVM shows a guest the host's vendor, whatever model it is given; so the
 * registers decide, and libvirt must not contradict them.  Letters that cannot be
 * printed tell nobody apart: such a vendor is unknown. */
static enum rc take_vendor(struct deriving *d)
{
	char string[VENDOR_STRING_MAX];
	const char *name, *said = d->out->vendor;

	if (d->virt != VIRT_KVM || !d->facts->present[BODY_host] ||
		!decode_vendor_string(&d->facts->registers[BODY_host], string) ||
		strchr(string, '?'))
		return RC_OK;
	name = catalogue_vendor_name(string);
	if (!name)
		name = arena_text(d->arena, string);
	if (!name)
		return err_memory(d->e);
	if (said[0] && contradicts(said, string, name))
		return err_set(d->e, RC_FACTS, 0,
			"the CPU says it is of %s, libvirt's offer that it is of %s",
			name, said);
	d->out->vendor = name;
	return RC_OK;
}

static enum rc take_brand(struct deriving *d)
{
	struct cpuxml_host host = { "", "", "" };
	enum rc rc = RC_OK;

	d->out->cpu = "";
	if (d->facts->present[BODY_host])
		rc = decode_brand(
			&d->facts->registers[BODY_host], d->arena, &d->out->cpu, d->e);
	if (rc != RC_OK || d->out->cpu[0] || !d->facts->present[BODY_capabilities])
		return rc;
	rc = cpuxml_read_host(
		d->facts->text[BODY_capabilities], "capabilities", d->arena, &host, d->e);
	d->out->cpu = host.model;
	return rc;
}

/* Neither program drops a name, so versions between two of the catalogue's know all that
 * the earlier knows.  Of what is older than all of them only what the node was seen to
 * use is certain: its offer's names and those of the models that it knows. */
void offer_derive_names(struct offer *o, uint64_t libvirt_version, uint64_t qemu_version)
{
	struct bitset certain = catalogue_names_of(libvirt_version, qemu_version);

	o->sources = catalogue_sources_of(libvirt_version, qemu_version);
	o->names = bitset_or(&o->names, &o->features);
	o->names = bitset_or(&o->names, &certain);
	for (size_t i = 0; i < o->models.count; i++) {
		const struct model_row *m = catalogue_find_model(o->models.item[i]);
		struct bitset its;

		if (!m)
			continue;
		its = feature_list_set(m->features);
		o->names = bitset_or(&o->names, &its);
		bitset_add(&o->model_rows, (size_t)(m - catalogue_model(0)));
	}
}

enum rc offer_from_facts(struct catalogue *c, const struct node_facts *f,
	enum virt_type virt, struct arena *arena, struct offer *out, struct err *e)
{
	static enum rc (*const steps[])(struct deriving *) = { take_domcaps,
		take_features, drop_uneven, take_vendor, take_brand };
	struct deriving d = { c, f, virt, arena, out, e };

	memset(out, 0, sizeof(*out));
	out->node = f->small.hostname;
	decode_registers(&d);
	for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
		enum rc rc = steps[i](&d);

		if (rc != RC_OK)
			return rc;
	}
	offer_derive_names(out, f->small.libvirt_version, f->small.hypervisor_version);
	return RC_OK;
}
