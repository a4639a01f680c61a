/* A run as a lock: what was agreed, of whom, and what they are. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/digest.h"
#include "coordinator/cpu/names.h"
#include "coordinator/lock/drift.h"
#include "coordinator/verb/agreement.h"
#include "coordinator/verb/replace.h"
#include "proto/limits.h"
#include "proto/place.h"
#include "proto/texts.h"

/* Those that say where a level goes, and are options of this cpuherd. */
static const char *const kept_options[] = { "domains", "level-name", "machine",
	"nova-conf-dir", "nova-release", "target" };

enum { KEPT_OPTIONS = sizeof(kept_options) / sizeof(kept_options[0]) };

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* ---- a class */

static enum rc parameters_describe(
	struct run *run, const struct facts *f, struct texts *out, struct err *e)
{
	const struct parameter *p = f->parameters.item;
	enum rc rc = RC_OK;

	for (size_t i = 0; i < f->parameters.count && rc == RC_OK; i++) {
		const char *text = arena_format(
			&run->arena, "%s.%s=%s", p[i].module, p[i].name, p[i].value);

		rc = texts_add(
			out, text ? lock_text(&run->arena, text) : NULL, &run->arena, e);
	}
	if (out->count)
		qsort(out->item, out->count, sizeof(*out->item), by_text);
	return rc;
}

static enum rc gaps_describe(
	struct run *run, const struct facts *f, struct texts *out, struct err *e)
{
	const struct gap *g = f->gaps.item;
	enum rc rc = RC_OK;

	for (size_t i = 0; i < f->gaps.count && rc == RC_OK; i++)
		rc = texts_add(out, lock_text(&run->arena, g[i].fact), &run->arena, e);
	if (out->count)
		qsort(out->item, out->count, sizeof(*out->item), by_text);
	return rc;
}

/* The digest that came with the body, or that of its bytes; "" where there is none. */
static enum rc body_describe(struct run *run, const struct node_facts *f, enum body_id id,
	const char **out, struct err *e)
{
	struct buf bytes = buf_with_cap(2 * (size_t)LIMIT_BODY_BYTES);
	char hex[DIGEST_HEX_MAX] = "";
	struct digest digest;
	enum rc rc = RC_OK;

	if (f->present[id])
		rc = facts_body_bytes(f, id, &bytes, e);
	if (f->present[id] && rc == RC_OK) {
		digest = digest_of(buf_bytes(&bytes).data, buf_bytes(&bytes).size);
		digest_to_hex(&digest, hex);
	}
	buf_destroy(&bytes);
	*out = arena_text(&run->arena, hex);
	return rc == RC_OK && !*out ? err_memory(e) : rc;
}

static enum rc bodies_describe(struct run *run, const struct node_facts *f,
	struct lock_class *out, struct err *e)
{
	bool kvm = run->virt == VIRT_KVM;
	const struct {
		enum body_id id;
		const char **to;
	} bodies[] = {
		{ BODY_host, &out->host },
		{ BODY_kvm, &out->kvm },
		{ BODY_emulated, &out->emulated },
		{ kvm ? BODY_domcaps_kvm : BODY_domcaps_qemu, &out->domcaps },
		{ kvm ? BODY_offer_kvm : BODY_offer_qemu, &out->offer },
	};
	enum rc rc = RC_OK;

	for (size_t i = 0; i < sizeof(bodies) / sizeof(bodies[0]) && rc == RC_OK; i++)
		rc = body_describe(run, f, bodies[i].id, bodies[i].to, e);
	return rc;
}

enum rc agreement_describe_class(
	struct run *run, size_t class, struct lock_class *out, struct err *e)
{
	const struct node_facts *f = &run->class_facts[class];
	const struct offer *offer = &run->offers[class];
	struct arena *arena = &run->arena;
	enum rc rc;

	*out = (struct lock_class){
		.arch = lock_text(arena, f->small.arch),
		.cpu = lock_text(arena, offer->cpu ? offer->cpu : ""),
		.vendor = lock_text(arena, offer->vendor ? offer->vendor : ""),
		.microcode = lock_text(arena, f->small.microcode),
		.kernel = lock_text(arena, f->small.kernel),
		.libvirt = report_version(arena, f->small.libvirt_version),
		.qemu = report_version(arena, f->small.hypervisor_version),
		.physical_bits = f->small.physical_address_bits,
		.features = names_of(run->catalogue, &offer->features, arena),
	};
	if (!out->arch || !out->cpu || !out->vendor || !out->microcode || !out->kernel ||
		!out->features.item)
		return err_memory(e);
	rc = parameters_describe(run, &f->small, &out->parameters, e);
	if (rc == RC_OK)
		rc = gaps_describe(run, &f->small, &out->gaps, e);
	if (rc == RC_OK)
		rc = bodies_describe(run, f, out, e);
	return rc == RC_OK ? lock_key_class(out, arena, e) : rc;
}

enum rc agreement_describe_node(
	struct run *run, size_t node, struct lock_node *out, struct err *e)
{
	const struct facts *f = &run->facts[node].small;
	struct arena *arena = &run->arena;

	*out = (struct lock_node){ .name = run->nodes[node].name,
		.hostname = lock_text(arena, f->hostname),
		.host_uuid = lock_text(arena, f->host_uuid),
		.cmdline = lock_text(arena, f->cmdline),
		.tsc_khz = f->tsc_khz };
	return out->hostname && out->host_uuid && out->cmdline ? RC_OK : err_memory(e);
}

/* ---- what was written */

/* Files that others write as well have no content of ours to remember; domains are found
 * anew by how they were chosen. */
static enum rc writing_describe(struct run *run, const struct edits *edits,
	struct lock_writing *out, struct err *e)
{
	enum rc rc = RC_OK;

	*out = (struct lock_writing){ 0 };
	for (size_t i = 0; i < edits->count && rc == RC_OK; i++) {
		const struct edit *edit = &edits->item[i];
		const struct place_row *place = place_of(edit->place);
		struct digest digest = digest_of(edit->after.data, edit->after.size);
		char hex[DIGEST_HEX_MAX];

		digest_to_hex(&digest, hex);
		if (place->owned)
			rc = texts_add(&out->files,
				arena_format(&run->arena, "%s %s %s", place->name,
					lock_text(&run->arena, edit->name), hex),
				&run->arena, e);
	}
	return rc == RC_OK ? lock_key_writing(out, &run->arena, e) : rc;
}

/* ---- the level */

static enum rc lines_split(
	struct run *run, const char *text, struct texts *out, struct err *e)
{
	enum rc rc = RC_OK;

	while (*text && rc == RC_OK) {
		size_t size = strcspn(text, "\n");

		rc = texts_add(
			out, arena_text_n(&run->arena, text, size), &run->arena, e);
		text += size + (text[size] == '\n');
	}
	return rc;
}

static enum rc policies_describe(
	struct run *run, const struct level *l, struct lock_level *out, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < l->feature_count && rc == RC_OK; i++)
		rc = texts_add(l->features[i].policy == POLICY_REQUIRE ? &out->require
								       : &out->disable,
			l->features[i].name, &run->arena, e);
	return rc;
}

static enum rc ground_describe(
	struct run *run, const struct level *l, struct lock_level *out, struct err *e)
{
	struct ground ground;
	enum rc rc = holds_find_ground(
		&run->conditions, l, run->options->cross_vendor, &ground, e);

	if (rc != RC_OK)
		return rc;
	out->seen_vendor = lock_text(&run->arena, ground.vendor);
	out->nested = ground.nested;
	for (size_t i = 0; i < ground.xsave_count && rc == RC_OK; i++)
		rc = texts_add(&out->xsave,
			arena_format(&run->arena, "%u %u %u", ground.xsave[i].index,
				ground.xsave[i].size, ground.xsave[i].offset),
			&run->arena, e);
	return rc == RC_OK && !out->seen_vendor ? err_memory(e) : rc;
}

static enum rc level_describe(struct run *run, struct lock_level *out, struct err *e)
{
	const struct level *l = &run->level;
	enum rc rc;

	*out = (struct lock_level){ .name = run->options->level_name,
		.virt = virt_names[l->virt],
		.model = l->model,
		.vendor = l->vendor,
		.maxphysaddr = l->maxphysaddr,
		.xsave_bytes = l->xsave_bytes,
		.features = names_of(run->catalogue, &l->baseline, &run->arena),
		.unsaid = names_of(run->catalogue, &l->unsaid, &run->arena) };
	if (!out->features.item || !out->unsaid.item)
		return err_memory(e);
	rc = policies_describe(run, l, out, e);
	if (rc == RC_OK)
		rc = ground_describe(run, l, out, e);
	return rc == RC_OK ? lines_split(run, run->report.xml, &out->xml, e) : rc;
}

/* ---- the whole */

static enum rc option_describe(
	struct run *run, const char *name, struct texts *out, struct err *e)
{
	enum rc rc = RC_OK;

	if (strcmp(name, "target") != 0)
		return options_words(run->options, name, &run->arena, out, e);
	for (size_t i = 0; i < run->target_count && rc == RC_OK; i++)
		rc = texts_add(out, run->targets[i]->name, &run->arena, e);
	return rc;
}

static enum rc options_describe(struct run *run, struct lock *l, struct err *e)
{
	enum rc rc = RC_OK;

	l->options = arena_alloc(&run->arena, KEPT_OPTIONS, sizeof(*l->options));
	if (!l->options)
		return err_memory(e);
	for (size_t i = 0; i < KEPT_OPTIONS && rc == RC_OK; i++) {
		struct lock_option *option = &l->options[l->option_count];

		*option = (struct lock_option){ .name = kept_options[i] };
		rc = option_describe(run, option->name, &option->words, e);
		l->option_count += option->words.count > 0;
	}
	return rc;
}

static bool same_words(const struct texts *a, const struct texts *b)
{
	bool same = a->count == b->count;

	for (size_t i = 0; i < a->count && same; i++)
		same = texts_have(b, a->item[i]);
	return same;
}

enum rc agreement_find_change(
	struct run *run, const struct lock *lock, const char **name, struct err *e)
{
	enum rc rc = RC_OK;

	*name = NULL;
	for (size_t i = 0; i < KEPT_OPTIONS && !*name && rc == RC_OK; i++) {
		struct texts now, was = { 0 };

		for (size_t k = 0; k < lock->option_count; k++)
			if (strcmp(lock->options[k].name, kept_options[i]) == 0)
				was = lock->options[k].words;
		rc = options_words(run->options, kept_options[i], &run->arena, &now, e);
		if (rc == RC_OK && options_have(run->options, kept_options[i]) &&
			!same_words(&was, &now))
			*name = kept_options[i];
	}
	return rc;
}

/* Of each kind of class, once: keys[kind]. */
static enum rc classes_describe(
	struct run *run, struct lock *l, const char **keys, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < run->class_count && rc == RC_OK; i++) {
		if (run->classes[i].kind != i)
			continue;
		rc = agreement_describe_class(run, i, &l->classes[l->class_count], e);
		keys[i] = l->classes[l->class_count++].key;
	}
	return rc;
}

/* A frequency that was measured again is not news. */
static void settle_tsc(const struct agreement *old, struct lock_node *n)
{
	const struct lock_node *was = lock_find_node(&old->lock, n->name);

	if (was && drift_is_same_tsc(was->tsc_khz, n->tsc_khz))
		n->tsc_khz = was->tsc_khz;
}

static enum rc nodes_describe(struct run *run, const struct agreement *old,
	const char **keys, struct lock *l, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < run->count && rc == RC_OK; i++) {
		struct lock_node *n = &l->nodes[l->node_count++];
		struct lock_writing *w = &l->writings[l->writing_count++];

		rc = agreement_describe_node(run, i, n, e);
		if (rc == RC_OK)
			rc = writing_describe(run, &run->nodes[i].edits, w, e);
		n->class = keys[run->nodes[i].kind];
		n->written = w->key;
		settle_tsc(old, n);
	}
	return rc;
}

/* Nodes that this run was not about keep what the lock has of them. */
static void missing_copy(
	const struct run *run, const struct agreement *old, struct lock *l)
{
	for (size_t i = 0; i < run->missing.count; i++) {
		const struct lock_node *n = lock_find_node(
			&old->lock, run->missing.item[i]);

		l->nodes[l->node_count++] = *n;
		l->classes[l->class_count++] = *lock_find_class(&old->lock, n->class);
		l->writings[l->writing_count++] = *lock_find_writing(
			&old->lock, n->written);
	}
}

static enum rc lock_make(
	struct run *run, const struct agreement *old, struct lock *l, struct err *e)
{
	size_t room = run->count + run->missing.count + run->class_count + 1;
	const char **keys = arena_alloc(&run->arena, run->class_count + 1, sizeof(*keys));
	enum rc rc;

	*l = (struct lock){ .version = CPUHERD_VERSION,
		.catalogue = lock_text(&run->arena, catalogue_source()),
		.nodes = arena_alloc(&run->arena, room, sizeof(*l->nodes)),
		.classes = arena_alloc(&run->arena, room, sizeof(*l->classes)),
		.writings = arena_alloc(&run->arena, room, sizeof(*l->writings)) };
	if (!keys || !l->catalogue || !l->nodes || !l->classes || !l->writings)
		return err_memory(e);
	rc = options_describe(run, l, e);
	if (rc == RC_OK && run->agreed)
		l->level = old->lock.level;
	else if (rc == RC_OK)
		rc = level_describe(run, &l->level, e);
	if (rc == RC_OK)
		rc = classes_describe(run, l, keys, e);
	if (rc == RC_OK)
		rc = nodes_describe(run, old, keys, l, e);
	if (rc != RC_OK)
		return rc;
	missing_copy(run, old, l);
	lock_settle(l);
	return RC_OK;
}

enum rc agreement_check_writable(struct run *run, struct err *e)
{
	const char *path = run->agreement_count ? run->agreements[0].path : NULL;

	if (!path || replace_can(path))
		return RC_OK;
	return err_set(e, RC_OUTPUT, errno,
		"%s: the lock could not be written there: %s; --lock FILE names another "
		"place, --lock none does without: nothing was written",
		path, strerror(errno));
}

enum rc agreement_write(struct run *run, struct err *e)
{
	const struct agreement *a = run->agreement_count ? &run->agreements[0] : NULL;
	struct buf text = buf_with_cap(LIMIT_LOCK_BYTES);
	struct lock lock;
	struct err why;
	enum rc rc;

	if (!a)
		return RC_OK;
	rc = lock_make(run, a, &lock, &why);
	if (rc == RC_OK)
		rc = lock_print(&lock, &text, &why);
	if (rc == RC_OK)
		rc = replace_file(a->path, buf_bytes(&text), &why);
	buf_destroy(&text);
	if (rc == RC_OK)
		return RC_OK;
	return err_set(e, RC_OUTPUT, why.native,
		"the lock could not be written: %.400s; the run itself: %.300s", why.text,
		run->report.summary);
}
