#include "coordinator/verb/cost.h"

#include <stdio.h>
#include <string.h>

#include "coordinator/cpu/names.h"
#include "proto/texts.h"

static uint64_t version_number(const char *text)
{
	unsigned long long major = 0, minor = 0, release = 0;

	/* NOLINTNEXTLINE(cert-err34-c): a version that is too large is of no row */
	if (sscanf(text, "%llu.%llu.%llu", &major, &minor, &release) != 3)
		return 0;
	return major * 1000000 + minor * 1000 + release;
}

/* The lock does not list the models that its nodes know: those that their versions have. */
static enum rc models_find(
	uint32_t sources, struct arena *arena, struct texts *out, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < catalogue_model_count() && rc == RC_OK; i++)
		if (catalogue_model(i)->sources & sources)
			rc = texts_add(out, catalogue_model(i)->name, arena, e);
	return rc;
}

/* A class of the lock as the offer that it was. */
static enum rc offer_remake(struct run *run, const struct lock_class *c, const char *name,
	struct offer *out, struct err *e)
{
	uint64_t libvirt = version_number(c->libvirt), qemu = version_number(c->qemu);
	enum rc rc;

	*out = (struct offer){ .source = OFFER_LIBVIRT,
		.why = "",
		.node = name,
		.vendor = c->vendor,
		.host_model = "",
		.cpu = c->cpu,
		.emulator = "",
		.machine = "",
		.arch = c->arch };
	for (size_t i = 0; i < c->features.count; i++) {
		size_t bit = 0;

		if (catalogue_learn(run->catalogue, c->features.item[i], &bit, e) !=
			RC_OK)
			return e->code;
		bitset_add(&out->features, bit);
	}
	rc = models_find(
		catalogue_sources_of(libvirt, qemu), &run->arena, &out->models, e);
	if (rc == RC_OK)
		offer_derive_names(out, libvirt, qemu);
	return rc;
}

static enum rc offers_remake(struct run *run, const struct keeping *k, size_t node,
	struct offer **out, struct err *e)
{
	const struct lock *lock = &k->agreement->lock;
	const char *name = arena_format(&run->arena, "those of %s", k->agreement->path);
	enum rc rc = RC_OK;

	*out = arena_alloc(&run->arena, lock->class_count + 1, sizeof(**out));
	if (!*out || !name)
		return err_memory(e);
	for (size_t i = 0; i < lock->class_count && rc == RC_OK; i++)
		rc = offer_remake(run, &lock->classes[i], name, &(*out)[i], e);
	if (rc == RC_OK) {
		struct offer *last = &(*out)[lock->class_count];

		*last = *run->nodes[node].offer;
		last->node = run->nodes[node].name;
		last->node_count = 0;
	}
	return rc;
}

/* Nothing comes into the level that its nodes offered and it did not take. */
static struct bitset kept_out(const struct run *run, const struct keeping *k,
	const struct offer *offers, size_t node)
{
	size_t count = k->agreement->lock.class_count;
	struct bitset lost = keeping_lost(run, k, node);
	struct bitset shared = baseline_of(offers, count, NULL, run->ops);

	shared = bitset_minus(&shared, &k->agreement->level.baseline);
	return bitset_or(&shared, &lost);
}

static const char *say(struct run *run, const struct keeping *k, const struct level *l)
{
	const struct level *old = &k->agreement->level;
	struct bitset lost = bitset_minus(&old->baseline, &l->baseline);
	const char *names = names_join(run->catalogue, &lost, &run->arena);

	if (!names)
		return NULL;
	if (!names[0])
		return arena_format(&run->arena,
			"a new level with it would lose no feature and stand on %s",
			l->model);
	return arena_format(&run->arena,
		"with it the level would lose %zu features (%s) and stand on %s",
		bitset_count(&lost), names, l->model);
}

const char *cost_of_node(struct run *run, const struct keeping *k, size_t node)
{
	struct wishes wishes = { .cross_vendor = !k->agreement->ground.vendor[0] };
	struct offer *offers;
	struct level level;
	struct err e;
	enum rc rc;

	if (!run->nodes[node].offer)
		return "";
	rc = offers_remake(run, k, node, &offers, &e);
	if (rc == RC_OK) {
		wishes.excluded = kept_out(run, k, offers, node);
		rc = level_choose(run->catalogue, offers,
			k->agreement->lock.class_count + 1, k->agreement->virt, &wishes,
			run->ops, &run->arena, &level, &e);
	}
	if (rc == RC_MEMORY)
		return NULL;
	return rc == RC_OK ? say(run, k, &level)
			   : arena_format(&run->arena,
				     "with it there would be no level: %s", e.text);
}
