/* What a trial guest shows, in an order of its own, and which trials show the same. */
#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/text.h"
#include "coordinator/cpu/proof_private.h"
#include "proto/limits.h"

static int compare_numbers(uint32_t a, uint32_t b)
{
	return (a > b) - (a < b);
}

int proof_compare_words(const void *left, const void *right)
{
	const struct cpu_word *a = left, *b = right;
	int order = compare_numbers(a->function, b->function);

	if (!order)
		order = compare_numbers(a->index, b->index);
	return order ? order : compare_numbers(a->part, b->part);
}

int proof_compare_properties(const void *left, const void *right)
{
	const struct cpu_property *a = left, *b = right;

	return strcmp(a->name, b->name);
}

const struct cpu_word *proof_find_word(
	const struct proof_view *v, const struct cpu_word *like)
{
	return v->word_count ? bsearch(like, v->words, v->word_count, sizeof(*like),
				       proof_compare_words)
			     : NULL;
}

const char *proof_find_property(const struct proof_view *v, const char *name)
{
	const struct cpu_property like = { name, "" }, *found;

	if (!v->property_count)
		return NULL;
	found = bsearch(&like, v->properties, v->property_count, sizeof(like),
		proof_compare_properties);
	return found ? found->value : NULL;
}

/* ---- reading */

/* The node's own, whatever the <cpu>: QEMU asks KVM for it (target/i386/kvm/kvm.c,
 * kvm_arch_init_vcpu()), and conditions.h judges it. */
static const char *const not_compared[] = { "tsc-frequency" };

/* kvm-* are bits of KVM's own leaf, which is among the words; "kvm" hides that there is a
 * KVM. */
bool proof_compares(const char *name)
{
	for (size_t i = 0; i < sizeof(not_compared) / sizeof(not_compared[0]); i++)
		if (strcmp(not_compared[i], name) == 0)
			return false;
	return !text_starts_with(name, "kvm") || strcmp(name, "kvm") == 0;
}

static void keep_compared(struct proof_view *v)
{
	size_t kept = 0;

	for (size_t i = 0; i < v->property_count; i++)
		if (proof_compares(v->properties[i].name))
			v->properties[kept++] = v->properties[i];
	v->property_count = kept;
}

static void *sorted_copy(const struct list *list, size_t size,
	int (*compare)(const void *, const void *), struct arena *arena)
{
	void *copy = arena_alloc(arena, list->count + 1, size);

	if (copy && list->count) {
		memcpy(copy, list->item, list->count * size);
		qsort(copy, list->count, size, compare);
	}
	return copy;
}

static enum rc check_words(const struct proof_view *v, struct err *e)
{
	for (size_t i = 0; i < v->word_count; i++) {
		const struct cpu_word *w = &v->words[i];

		if (w->part > REGISTER_EDX)
			return err_set(e, RC_PROTOCOL, 0,
				"its guest's CPUID 0x%x/%u has a register %u",
				w->function, w->index, w->part);
		if (i && proof_compare_words(w - 1, w) == 0)
			return err_set(e, RC_PROTOCOL, 0,
				"its guest's CPUID 0x%x/%u comes twice", w->function,
				w->index);
	}
	return RC_OK;
}

static enum rc check_properties(const struct proof_view *v, struct err *e)
{
	for (size_t i = 0; i < v->property_count; i++) {
		const char *name = v->properties[i].name;

		if (!text_is_name(name))
			return err_set(e, RC_PROTOCOL, 0,
				"its guest's CPU has a property '%.64s'", name);
		if (i && strcmp(v->properties[i - 1].name, name) == 0)
			return err_set(e, RC_PROTOCOL, 0,
				"its guest's CPU has the property %s twice", name);
	}
	return RC_OK;
}

/* Nothing to compare would be nothing that differs. */
static enum rc check_whole(const struct tried *t, struct err *e)
{
	if (t->gap[0])
		return err_set(e, RC_TRIAL, 0,
			"not proven: QEMU's view of its guest could not be had: %s",
			t->gap);
	if (!t->words.count || !t->properties.count || !t->cpu[0] || !t->machine[0])
		return err_set(e, RC_TRIAL, 0, "not proven: of its guest there is no %s",
			!t->cpu[0]	  ? "live <cpu>"
			: !t->machine[0]  ? "machine type"
			: !t->words.count ? "word of CPUID"
					  : "property of QEMU's CPU");
	return RC_OK;
}

static enum rc view_read(
	const struct tried *t, struct arena *arena, struct proof_view *v, struct err *e)
{
	enum rc rc = check_whole(t, e);

	*v = (struct proof_view){ .word_count = t->words.count,
		.property_count = t->properties.count,
		.xml = t->cpu,
		.machine = t->machine };
	if (rc != RC_OK)
		return rc;
	v->words = sorted_copy(&t->words, sizeof(*v->words), proof_compare_words, arena);
	v->properties = sorted_copy(
		&t->properties, sizeof(*v->properties), proof_compare_properties, arena);
	if (!v->words || !v->properties)
		return err_memory(e);
	rc = check_words(v, e);
	if (rc == RC_OK)
		rc = check_properties(v, e);
	keep_compared(v);
	return rc;
}

enum rc proof_check(const struct tried *t, struct err *e)
{
	struct arena scratch = { 0 };
	struct proof_view v;
	struct cpuxml_cpu live;
	enum rc rc = view_read(t, &scratch, &v, e);

	if (rc == RC_OK)
		rc = cpuxml_read_cpu(
			t->cpu, "the live <cpu> of its guest", &scratch, &live, e);
	arena_destroy(&scratch);
	return rc;
}

/* ---- which are alike */

struct mark {
	struct digest digest;
	size_t trial;
};

static enum rc view_digest(const struct proof_view *v, struct digest *out, struct err *e)
{
	struct buf all = buf_with_cap(2 * LIMIT_FRAME_BYTES);
	enum rc rc = buf_format(&all, "%llu %llu %zu %zu %s %zu %s\n",
		(unsigned long long)v->libvirt, (unsigned long long)v->qemu,
		v->word_count, strlen(v->machine), v->machine, strlen(v->xml), v->xml);

	for (size_t i = 0; i < v->word_count && rc == RC_OK; i++)
		rc = buf_append(&all, &v->words[i], sizeof(v->words[i]));
	for (size_t i = 0; i < v->property_count && rc == RC_OK; i++)
		rc = buf_format(&all, "%s %zu %s\n", v->properties[i].name,
			strlen(v->properties[i].value), v->properties[i].value);
	*out = digest_of(buf_bytes(&all).data, buf_bytes(&all).size);
	buf_destroy(&all);
	return rc == RC_OK ? RC_OK
			   : err_set(e, rc, 0, "what trial guests show is too much");
}

static int compare_marks(const void *left, const void *right)
{
	const struct mark *a = left, *b = right;
	int order = memcmp(a->digest.byte, b->digest.byte, DIGEST_BYTES);

	return order ? order : (a->trial > b->trial) - (a->trial < b->trial);
}

static enum rc marks_make(
	const struct proof_trial *trials, size_t n, struct mark *marks, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < n && rc == RC_OK; i++) {
		struct arena scratch = { 0 };
		struct proof_view v;

		rc = view_read(trials[i].tried, &scratch, &v, e);
		v.libvirt = trials[i].libvirt;
		v.qemu = trials[i].qemu;
		marks[i].trial = i;
		if (rc == RC_OK)
			rc = view_digest(&v, &marks[i].digest, e);
		arena_destroy(&scratch);
	}
	if (n && rc == RC_OK)
		qsort(marks, n, sizeof(*marks), compare_marks);
	return rc;
}

/* Of trials with the same mark, the first `count`. */
static enum rc view_add(struct proof_making *m, const struct proof_trial *trials,
	const struct mark *marks, size_t count)
{
	struct proof_view *v = &m->views[m->view_count++];
	const struct proof_trial *first = &trials[marks[0].trial];
	enum rc rc = view_read(first->tried, m->arena, v, m->e);

	if (rc == RC_OK)
		rc = cpuxml_read_cpu(v->xml, "the live <cpu> of a trial guest", m->arena,
			&v->live, m->e);
	if (rc != RC_OK)
		return rc;
	v->libvirt = first->libvirt;
	v->qemu = first->qemu;
	for (size_t i = 0; i < v->word_count; i++)
		v->filtered |= v->words[i].filtered != 0;
	v->trials = arena_alloc(m->arena, count, sizeof(*v->trials));
	if (!v->trials)
		return err_memory(m->e);
	v->trial_count = count;
	for (size_t i = 0; i < count; i++)
		v->trials[i] = marks[i].trial;
	return RC_OK;
}

enum rc proof_views_make(
	struct proof_making *m, const struct proof_trial *trials, size_t n)
{
	struct mark *marks = arena_alloc(m->arena, n + 1, sizeof(*marks));
	size_t end;
	enum rc rc;

	m->views = arena_alloc(m->arena, n + 1, sizeof(*m->views));
	m->answers = arena_alloc(m->arena, n + 1, sizeof(*m->answers));
	if (!marks || !m->views || !m->answers)
		return err_memory(m->e);
	rc = marks_make(trials, n, marks, m->e);
	for (size_t i = 0; i < n && rc == RC_OK; i = end) {
		for (end = i + 1; end < n; end++)
			if (!digest_same(&marks[i].digest, &marks[end].digest))
				break;
		rc = view_add(m, trials, &marks[i], end - i);
	}
	return rc;
}
