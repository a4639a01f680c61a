#include "coordinator/cpu/catalogue.h"

#include <string.h>

#include "base/text.h"
#include "coordinator/cpu/catalogue_data.h"

enum { SLOTS = 2 * BITSET_BITS }; /* never more than half full */

struct catalogue {
	struct arena *arena;
	const char *name[BITSET_BITS];
	size_t count;
	uint16_t slot[SLOTS]; /* bit + 1; 0: free */
};

/* FNV-1a; short names spread well enough for a table twice the size. */
static uint32_t hash_of(const char *name)
{
	uint32_t h = 2166136261;

	for (; *name; name++)
		h = (h ^ (uint8_t)*name) * 16777619;
	return h;
}

/* The slot that holds the name, or the free one where it would go. */
static size_t slot_of(const struct catalogue *c, const char *name)
{
	size_t i = hash_of(name) % SLOTS;

	while (c->slot[i] != 0 && strcmp(c->name[c->slot[i] - 1], name) != 0)
		i = (i + 1) % SLOTS;
	return i;
}

static size_t append_name(struct catalogue *c, const char *name)
{
	size_t bit = c->count++;

	c->name[bit] = name;
	c->slot[slot_of(c, name)] = (uint16_t)(bit + 1);
	return bit;
}

struct catalogue *catalogue_new(struct arena *arena, struct err *e)
{
	struct catalogue *c = arena_alloc(arena, 1, sizeof(*c));

	if (!c) {
		err_memory(e);
		return NULL;
	}
	c->arena = arena;
	for (size_t i = 0; i < catalogue_data_feature_count; i++)
		append_name(c, catalogue_data_features[i].name);
	return c;
}

const char *catalogue_source(void)
{
	return catalogue_data_provenance;
}

int catalogue_find(const struct catalogue *c, const char *name)
{
	return c->slot[slot_of(c, name)] - 1;
}

enum rc catalogue_learn(struct catalogue *c, const char *name, size_t *bit, struct err *e)
{
	int known = catalogue_find(c, name);
	char *copy;

	if (known >= 0) {
		*bit = (size_t)known;
		return RC_OK;
	}
	if (!text_is_name(name))
		return err_set(e, RC_PROTOCOL, 0, "not a feature name: '%.40s'", name);
	if (c->count == BITSET_BITS)
		return err_set(e, RC_LIMIT, 0,
			"feature '%s': the nodes name more than %d different features",
			name, BITSET_BITS);
	copy = arena_text(c->arena, name);
	if (!copy)
		return err_memory(e);
	*bit = append_name(c, copy);
	return RC_OK;
}

const char *catalogue_name(const struct catalogue *c, size_t bit)
{
	if (!c)
		return bit < catalogue_data_feature_count
			       ? catalogue_data_features[bit].name
			       : "";
	return bit < c->count ? c->name[bit] : "";
}

const struct feature_row *catalogue_feature(const struct catalogue *c, size_t bit)
{
	(void)c;
	return bit < catalogue_data_feature_count ? &catalogue_data_features[bit] : NULL;
}

size_t catalogue_feature_rows(void)
{
	return catalogue_data_feature_count;
}

int catalogue_find_row(const char *name)
{
	for (size_t i = 0; i < catalogue_data_feature_count; i++)
		if (strcmp(catalogue_data_features[i].name, name) == 0)
			return (int)i;
	return -1;
}

size_t catalogue_model_count(void)
{
	return catalogue_data_model_count;
}

const struct model_row *catalogue_model(size_t i)
{
	return &catalogue_data_models[i];
}

const struct model_row *catalogue_find_model(const char *name)
{
	for (size_t i = 0; i < catalogue_data_model_count; i++)
		if (strcmp(catalogue_data_models[i].name, name) == 0)
			return &catalogue_data_models[i];
	return NULL;
}

struct bitset catalogue_non_migratable(void)
{
	struct bitset s = { { 0 } };

	for (size_t i = 0; i < catalogue_data_feature_count; i++)
		if (!catalogue_data_features[i].migratable)
			bitset_add(&s, i);
	return s;
}

struct bitset feature_list_set(struct feature_list list)
{
	struct bitset s = { { 0 } };

	for (size_t i = 0; i < list.count; i++)
		bitset_add(&s, list.row[i]);
	return s;
}

static const struct definition_row *definition_of(
	const struct model_row *m, size_t source)
{
	for (size_t i = 0; i < m->definition_count; i++)
		if (m->definitions[i].sources >> source & 1)
			return &m->definitions[i];
	return NULL;
}

bool catalogue_define_model(const struct model_row *m, size_t source, enum virt_type virt,
	struct bitset *features)
{
	const struct source_row *s = &catalogue_data_sources[source];
	const struct definition_row *d = definition_of(m, source);
	struct bitset adds, lacks, controls;

	if ((s->virt != VIRT_COUNT && s->virt != virt) || !(m->sources >> source & 1))
		return false;
	*features = feature_list_set(m->features);
	if (!d)
		return true;
	adds = feature_list_set(d->adds);
	lacks = feature_list_set(d->lacks);
	controls = feature_list_set(d->controls);
	*features = bitset_or(features, &adds);
	*features = bitset_or(features, &controls);
	*features = bitset_minus(features, &lacks);
	return true;
}

struct bitset catalogue_groundless(const struct bitset *ground, uint32_t sources)
{
	struct bitset s = { { 0 } };

	for (size_t i = 0; i < catalogue_data_ground_count; i++) {
		const struct ground_row *row = &catalogue_data_grounds[i];
		struct bitset dependents;

		if (!(row->sources & sources) || bitset_has(ground, row->row))
			continue;
		dependents = feature_list_set(row->dependents);
		s = bitset_or(&s, &dependents);
	}
	return s;
}

size_t catalogue_source_count(void)
{
	return catalogue_data_source_count;
}

const struct source_row *catalogue_source_row(size_t source)
{
	return &catalogue_data_sources[source];
}

uint32_t catalogue_all_sources(void)
{
	return (1u << catalogue_data_source_count) - 1;
}

static uint32_t sources_of_kind(bool is_qemu)
{
	uint32_t mask = 0;

	for (size_t i = 0; i < catalogue_data_source_count; i++)
		if (catalogue_data_sources[i].is_qemu == is_qemu)
			mask |= 1u << i;
	return mask;
}

/* Those of the kind that are of this very version; all where none is. */
static uint32_t sources_of_version(bool is_qemu, uint64_t version)
{
	uint32_t kind = sources_of_kind(is_qemu), same = 0;

	for (size_t i = 0; i < catalogue_data_source_count; i++)
		if (catalogue_data_sources[i].version / 1000 == version / 1000)
			same |= 1u << i;
	return same & kind ? same & kind : kind;
}

uint32_t catalogue_sources_of(uint64_t libvirt_version, uint64_t qemu_version)
{
	return sources_of_version(false, libvirt_version) |
	       sources_of_version(true, qemu_version);
}

/* The newest of the kind that are not newer; 0 when all are.  Rows of a kind stand in
 * the order of their versions. */
static uint32_t sources_up_to(bool is_qemu, uint64_t version)
{
	uint32_t found = 0;

	for (size_t i = 0; i < catalogue_data_source_count; i++) {
		const struct source_row *s = &catalogue_data_sources[i];

		if (s->is_qemu == is_qemu && s->version <= version)
			found = 1u << i;
	}
	return found;
}

static struct bitset names_known_to(uint32_t sources)
{
	struct bitset s = { { 0 } };

	for (size_t i = 0; i < catalogue_data_feature_count; i++)
		if ((catalogue_data_features[i].sources & sources) == sources)
			bitset_add(&s, i);
	return s;
}

struct bitset catalogue_names_of(uint64_t libvirt_version, uint64_t qemu_version)
{
	uint32_t libvirt = sources_up_to(false, libvirt_version);
	uint32_t qemu = sources_up_to(true, qemu_version);

	return libvirt && qemu ? names_known_to(libvirt | qemu)
			       : (struct bitset){ { 0 } };
}

struct bitset catalogue_names_known_to_all(void)
{
	return names_known_to(catalogue_all_sources());
}

struct bitset catalogue_models_known_to_all(void)
{
	struct bitset s = { { 0 } };

	for (size_t i = 0; i < catalogue_data_model_count; i++)
		if (catalogue_data_models[i].sources == catalogue_all_sources())
			bitset_add(&s, i);
	return s;
}

const char *catalogue_vendor_name(const char *string)
{
	for (size_t i = 0; i < catalogue_data_vendor_count; i++)
		if (strcmp(catalogue_data_vendors[i].string, string) == 0)
			return catalogue_data_vendors[i].name;
	return NULL;
}

const char *catalogue_vendor_string(const char *name)
{
	for (size_t i = 0; i < catalogue_data_vendor_count; i++)
		if (strcmp(catalogue_data_vendors[i].name, name) == 0)
			return catalogue_data_vendors[i].string;
	return NULL;
}

bool catalogue_is_vendor(const char *name, uint32_t sources)
{
	uint32_t libvirts = sources & sources_of_kind(false);

	for (size_t i = 0; i < catalogue_data_vendor_count; i++)
		if (strcmp(catalogue_data_vendors[i].name, name) == 0)
			return (catalogue_data_vendors[i].sources & libvirts) == libvirts;
	return false;
}
