/* What a guest that runs sees, and what its domain is tagged with. */
#include <string.h>

#include "coordinator/cpu/cpuxml_private.h"
#include "coordinator/cpu/domaincpu.h"

/* In the live XML of a custom CPU libvirt states all by which the guest differs from its
 * own definition of the model. */
static struct bitset model_features(
	const struct model_row *m, enum virt_type virt, uint32_t sources)
{
	struct bitset all = { { 0 } }, one;

	for (size_t i = 0; i < catalogue_source_count(); i++)
		if ((sources >> i & 1) && !catalogue_source_row(i)->is_qemu &&
			catalogue_define_model(m, i, virt, &one))
			all = bitset_or(&all, &one);
	return all;
}

static struct bitset named(const struct catalogue *c, const struct texts *names)
{
	struct bitset s = { { 0 } };

	for (size_t i = 0; i < names->count; i++) {
		int bit = catalogue_find(c, names->item[i]);

		if (bit >= 0)
			bitset_add(&s, (size_t)bit);
	}
	return s;
}

static void expand_model(const struct cpuxml_cpu *cpu, enum virt_type virt,
	const struct offer *host, struct domaincpu_live *out)
{
	const struct model_row *m = catalogue_find_model(cpu->model);
	uint32_t sources = host ? host->sources : catalogue_all_sources();

	out->known = m;
	if (m)
		out->features = model_features(m, virt, sources);
}

enum rc domaincpu_read_live(const struct catalogue *c, const char *xml, const char *what,
	enum virt_type virt, const struct offer *host, struct arena *arena,
	struct domaincpu_live *out, struct err *e)
{
	struct bitset on, off;
	struct cpuxml_cpu cpu;

	*out = (struct domaincpu_live){ .model = "", .known = true };
	if (cpuxml_read_cpu(xml, what, arena, &cpu, e) != RC_OK)
		return e->code;
	out->model = cpu.model;
	if (cpu.model[0])
		expand_model(&cpu, virt, host, out);
	else if (host)
		out->features = host->features;
	on = named(c, &cpu.on);
	off = named(c, &cpu.off);
	out->features = bitset_or(&out->features, &on);
	out->features = bitset_minus(&out->features, &off);
	return RC_OK;
}

static enum rc read_level(struct cpuxml_reading *r, const xmlNode *root, void *result)
{
	return cpuxml_content(r, root, result);
}

/* Anybody may write anything into a domain's metadata: what is no tag is none. */
enum rc domaincpu_read_tag(
	const char *xml, struct arena *arena, const char **level, struct err *e)
{
	struct cpuxml_reading r = { "a tag", arena, e };
	enum rc rc;

	*level = "";
	rc = *xml ? cpuxml_read(&r, xml, "level", read_level, (void *)level) : RC_OK;
	if (rc == RC_OK || rc == RC_MEMORY)
		return rc;
	*level = "";
	return RC_OK;
}
