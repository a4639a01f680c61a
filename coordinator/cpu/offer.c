#include "coordinator/cpu/offer.h"

#include <string.h>

#include "coordinator/cpu/cpuxml.h"
#include "coordinator/cpu/decode.h"
#include "coordinator/cpu/grants.h"
#include "proto/texts.h"

const char *const offer_source_names[] = { "libvirt", "kvm", "raw", "none" };

/* As libvirt counts versions: major, minor and release with three digits each. */
enum { LIBVIRT_11_4 = 11004000 };

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

static const char raw_only[] = "nobody asked KVM, there is only raw CPUID "
			       "(--allow-unproven goes by that)";

static bool has_text(const struct node_facts *f, enum body_id id, const char **why)
{
	const char *gap;

	if (f->present[id])
		return true;
	gap = facts_gap(&f->small, body_rows[id].name);
	*why = !gap ? "the facts do not say" : gap;
	return false;
}

/* Nobody has asked libvirt, or it did not answer.  (Where it did, its word on a virt
 * type counts, and a missing answer is a no.) */
static bool libvirt_is_silent(const struct node_facts *f)
{
	return !f->present[BODY_capabilities] && !f->present[BODY_domcaps_kvm] &&
	       !f->present[BODY_domcaps_qemu];
}

/* A peer made these facts, so it has asked KVM and a missing answer is a no.  A file
 * with nothing but registers is somebody's copy: nobody asked. */
static bool are_of_a_peer(const struct node_facts *f)
{
	return f->small.libvirt_version || f->small.hypervisor_version ||
	       f->small.kernel[0];
}

enum offer_source offer_best_source(
	const struct node_facts *f, enum virt_type virt, const char **why)
{
	const struct virt_bodies *bodies = &bodies_of[virt];
	const char *reason = "";
	bool domcaps = has_text(f, bodies->domcaps, &reason);
	bool proven = domcaps && has_text(f, bodies->offer, &reason);

	if (why)
		*why = reason;
	if (proven)
		return OFFER_LIBVIRT;
	if (virt != VIRT_KVM || !(domcaps || libvirt_is_silent(f)))
		return OFFER_NONE;
	if (f->present[BODY_kvm])
		return OFFER_KVM;
	if (f->present[BODY_host] && (domcaps || !are_of_a_peer(f)))
		return OFFER_RAW;
	return OFFER_NONE;
}

bool offer_has_virt(const struct node_facts *f, enum virt_type virt,
	enum offer_source weakest, const char **why)
{
	const char *reason;
	enum offer_source best;

	if (has_text(f, bodies_of[virt].domcaps, why))
		return true;
	best = offer_best_source(f, virt, &reason);
	if (best == OFFER_RAW && weakest == OFFER_KVM)
		*why = raw_only;
	return best <= weakest;
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

static enum rc read_domcaps(struct deriving *d, bool *has_host_model)
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
	*has_host_model = caps.has_host_model;
	d->out->emulator = caps.emulator;
	d->out->machine = caps.machine;
	d->out->arch = caps.arch;
	d->out->host_model = caps.host_model.model;
	d->out->models = caps.models;
	return RC_OK;
}

static enum rc take_domcaps(struct deriving *d)
{
	bool has_host_model;
	enum rc rc = read_domcaps(d, &has_host_model);

	if (rc == RC_OK && !has_host_model)
		return missing(d, body_rows[bodies_of[d->virt].domcaps].name,
			"libvirt has no host-model here");
	return rc;
}

/* What the programs of a node know for sure; where nobody says which they are, all
 * that the catalogue has know it. */
static struct bitset certain_names(const struct node_facts *f)
{
	uint64_t libvirt = f->small.libvirt_version, qemu = f->small.hypervisor_version;

	return libvirt && qemu ? catalogue_names_of(libvirt, qemu)
			       : catalogue_names_known_to_all();
}

/* Without libvirt's word the programs may be any that the catalogue knows. */
static enum rc take_domcaps_if_any(struct deriving *d)
{
	bool unused;

	if (d->facts->present[bodies_of[d->virt].domcaps])
		return read_domcaps(d, &unused);
	d->out->names = certain_names(d->facts);
	d->out->model_rows = catalogue_models_known_to_all();
	return RC_OK;
}

/* libvirt 12.8 drops these names from every <cpu> without a word, even from a require:
 * QEMU makes them of the guest's topology (libvirt src/qemu/qemu_capabilities.c,
 * virQEMUCapsCPUFilterFeatures; QEMU target/i386/cpu.c, x86_cpu_expand_features).
 * 11.3 passes them on; when that changed between the two was not measured. */
static bool is_dropped(const struct deriving *d, const struct feature_row *row)
{
	return d->facts->small.libvirt_version >= LIBVIRT_11_4 &&
	       (!strcmp(row->name, "ht") || !strcmp(row->name, "cmp_legacy"));
}

/* A feature that no migration may carry, or that QEMU cannot be told to give, is
 * not on offer whatever libvirt lists (QEMU has no property for osxsave, ospke,
 * cmt, mbm_*, pconfig, cvt16: they follow from others or describe the host). */
static bool is_grantable(const struct deriving *d, const struct feature_row *row)
{
	return !row || (row->migratable && row->qemu && !is_dropped(d, row));
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
		else if (is_grantable(d, catalogue_feature(d->catalogue, bit)))
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

/* What the node's QEMU has no name for it cannot be told to give. */
static enum rc keep_grantable(struct deriving *d)
{
	struct bitset *features = &d->out->features;
	struct bitset names = certain_names(d->facts);

	if (bitset_is_empty(&names))
		return missing(d, "registers",
			"libvirt or QEMU is older than all that cpuherd knows, so "
			"nothing tells which features it can name");
	*features = bitset_and(features, &names);
	d->out->floating = bitset_and(&d->out->floating, &names);
	for (size_t bit = bitset_next(features, 0); bit < BITSET_BITS;
		bit = bitset_next(features, bit + 1))
		if (!is_grantable(d, catalogue_feature(d->catalogue, bit)))
			bitset_remove(features, bit);
	return RC_OK;
}

static enum rc make_from_kvm(struct deriving *d)
{
	const struct node_facts *f = d->facts;
	struct kvm_view view = { &f->registers[BODY_kvm], f->small.hypervisor_version,
		are_of_a_peer(f),
		f->present[BODY_host] ? &f->registers[BODY_host] : NULL };

	d->out->features = grants_of_kvm(&view);
	return keep_grantable(d);
}

static enum rc make_from_raw(struct deriving *d)
{
	struct grants g = grants_of_raw(&d->facts->registers[BODY_host]);
	struct bitset old = catalogue_names_known_to_all();

	/* what is new to some libvirt or QEMU is new to some kernel */
	d->out->features = bitset_and(&g.features, &old);
	d->out->floating = g.floating;
	return keep_grantable(d);
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

/* Of the CPUs; KVM's answer repeats it. */
static bool vendor_string(const struct node_facts *f, char out[static VENDOR_STRING_MAX])
{
	enum body_id id = f->present[BODY_host] ? BODY_host : BODY_kvm;

	return f->present[id] && decode_vendor_string(&f->registers[id], out);
}

/* KVM shows a guest the host's vendor, whatever model it is given; so the
 * registers decide, and libvirt must not contradict them.  Letters that cannot be
 * printed tell nobody apart: such a vendor is unknown. */
static enum rc take_vendor(struct deriving *d)
{
	char string[VENDOR_STRING_MAX];
	const char *name, *said = d->out->vendor;

	if (d->virt != VIRT_KVM || !vendor_string(d->facts, string) ||
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

/* No libvirt names the vendor in place of the registers. */
static enum rc need_vendor(struct deriving *d)
{
	enum rc rc = take_vendor(d);

	if (rc == RC_OK && !d->out->vendor[0])
		return missing(d, "registers",
			"leaf 0 of CPUID is not there, or not the same on all CPUs");
	return rc;
}

static enum rc take_brand(struct deriving *d)
{
	struct cpuxml_host host = { .model = "" };
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

typedef enum rc step(struct deriving *d);

static step *const steps_of[][6] = {
	[OFFER_LIBVIRT] = { take_domcaps, take_features, drop_uneven, take_vendor,
		take_brand },
	[OFFER_KVM] = { take_domcaps_if_any, make_from_kvm, drop_uneven, need_vendor,
		take_brand },
	[OFFER_RAW] = { take_domcaps_if_any, make_from_raw, need_vendor, take_brand },
};

/* Why there is none from a source that would be believed. */
static enum rc no_source(struct deriving *d, enum offer_source weakest)
{
	const struct virt_bodies *bodies = &bodies_of[d->virt];
	const char *why = d->out->why;
	bool domcaps = d->facts->present[bodies->domcaps];

	if (d->out->source == OFFER_RAW && weakest == OFFER_KVM)
		why = raw_only;
	return missing(d, body_rows[domcaps ? bodies->offer : bodies->domcaps].name, why);
}

enum rc offer_from_facts(struct catalogue *c, const struct node_facts *f,
	enum virt_type virt, enum offer_source weakest, struct arena *arena,
	struct offer *out, struct err *e)
{
	struct deriving d = { c, f, virt, arena, out, e };
	enum rc rc = RC_OK;

	memset(out, 0, sizeof(*out));
	out->node = f->small.hostname;
	out->vendor = out->host_model = out->cpu = "";
	out->emulator = out->machine = out->arch = "";
	out->source = offer_best_source(f, virt, &out->why);
	out->bare = !are_of_a_peer(f);
	decode_registers(&d);
	if (out->source > weakest || out->source == OFFER_NONE)
		return no_source(&d, weakest);
	for (step *const *s = steps_of[out->source]; *s && rc == RC_OK; s++)
		rc = (*s)(&d);
	if (rc == RC_OK)
		offer_derive_names(
			out, f->small.libvirt_version, f->small.hypervisor_version);
	return rc;
}

void offers_settle_floating(struct offer *offers, size_t n)
{
	bool proven = false;

	for (size_t i = 0; i < n; i++)
		proven = proven || offers[i].source != OFFER_RAW;
	for (size_t i = 0; i < n && proven; i++) {
		offers[i].features = bitset_or(&offers[i].features, &offers[i].floating);
		offers[i].floating = (struct bitset){ { 0 } };
	}
}

static size_t nodes_of(const struct offer *o)
{
	return o->node_count ? o->node_count : 1;
}

size_t offers_node_count(const struct offer *offers, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += nodes_of(&offers[i]);
	return count;
}

/* The k-th node of an offer: its place and its name. */
static size_t place_of(const struct offer *offers, size_t i, size_t k)
{
	return offers[i].node_count ? offers[i].places[k] : i;
}

static const char *name_of(
	const struct offer *offers, size_t i, size_t k, struct arena *arena)
{
	const char *name = offers[i].node_count ? offers[i].nodes[k] : offers[i].node;

	return name[0] ? name
		       : arena_format(arena, "node %zu", place_of(offers, i, k) + 1);
}

/* The offer whose next node comes first among all nodes; n: there are no more. */
static size_t next_of(
	const struct offer *offers, size_t n, const bool *picked, const size_t *next)
{
	size_t best = n;

	for (size_t i = 0; i < n; i++)
		if (picked[i] && next[i] < nodes_of(&offers[i]) &&
			(best == n || place_of(offers, i, next[i]) <
					      place_of(offers, best, next[best])))
			best = i;
	return best;
}

const char *offers_name(
	const struct offer *offers, size_t n, const bool *picked, struct arena *arena)
{
	enum { SHOWN = 4 };
	size_t *next = arena_alloc(arena, n + 1, sizeof(*next)), all = 0, i;
	struct texts names = { 0 };
	const char *text;
	struct err e;

	for (i = 0; i < n; i++)
		all += picked[i] ? nodes_of(&offers[i]) : 0;
	while (next && names.count < SHOWN && (i = next_of(offers, n, picked, next)) < n)
		if (texts_add(&names, name_of(offers, i, next[i]++, arena), arena, &e) !=
			RC_OK)
			return "";
	text = next ? texts_join(&names, SHOWN, arena) : NULL;
	if (text && all > names.count)
		text = arena_format(arena, "%s and %zu more", text, all - names.count);
	return text ? text : "";
}
