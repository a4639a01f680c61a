#include "coordinator/cpu/translation.h"

#include "coordinator/cpu/libvirt_choice.h"

/* One libvirt with one QEMU, by their numbers as sources. */
struct stack {
	size_t libvirt, qemu;
};

/* Those that both have, whether or not all nodes do. */
static struct bitset models_of(const struct stack *s, enum virt_type virt)
{
	struct bitset models = { { 0 } }, any;

	for (size_t row = 0; row < catalogue_model_count(); row++) {
		const struct model_row *m = catalogue_model(row);

		if (catalogue_define_model(m, s->libvirt, virt, &any) &&
			catalogue_define_model(m, s->qemu, virt, &any))
			bitset_add(&models, row);
	}
	return models;
}

/* Without what blocks a model on some host: see the header. */
static const struct model_row *choice_of(
	const struct stack *s, const struct level *l, const struct bitset *said)
{
	const struct libvirt_question question = { .features = *said,
		.vendor = l->vendor,
		.models = models_of(s, l->virt),
		.sources = 1u << s->libvirt,
		.virt = l->virt };

	return libvirt_choice_of(&question);
}

/* What a guest has by the name, with what libvirt says beside it. */
static struct bitset given_by(const struct stack *s, const struct model_row *m,
	const struct level *l, const struct bitset *said)
{
	struct bitset libvirts = { { 0 } }, given = { { 0 } };
	struct bitset removed = feature_list_set(m->removed), off, on;

	(void)catalogue_define_model(m, s->libvirt, l->virt, &libvirts);
	(void)catalogue_define_model(m, s->qemu, l->virt, &given);
	off = bitset_or(&libvirts, &removed);
	off = bitset_minus(&off, said);
	on = bitset_minus(said, &libvirts);
	given = bitset_minus(&given, &off);
	given = bitset_or(&given, &on);
	/* what has nothing to stand on, QEMU switches off */
	off = catalogue_groundless(&l->baseline, 1u << s->qemu);
	off = bitset_minus(&off, &l->baseline);
	return bitset_minus(&given, &off);
}

static void add_stack(struct translation *t, const struct stack *s, const struct level *l)
{
	const struct model_row *m = choice_of(s, l, &t->said);
	struct bitset given, differs;

	if (!m)
		return;
	if (!t->model)
		t->model = m;
	else if (m != t->model)
		t->other = m;
	given = given_by(s, m, l, &t->said);
	differs = bitset_minus(&given, &l->baseline);
	t->adds = bitset_or(&t->adds, &differs);
	differs = bitset_minus(&l->baseline, &given);
	t->lacks = bitset_or(&t->lacks, &differs);
}

static bool applies(const struct level *l, size_t source, bool is_qemu)
{
	const struct source_row *row = catalogue_source_row(source);

	return l->sources >> source & 1 && row->is_qemu == is_qemu &&
	       (row->virt == VIRT_COUNT || row->virt == l->virt);
}

struct translation translation_of(const struct level *l)
{
	struct translation t = { .said = bitset_and(&l->baseline, &l->names) };
	struct stack s;

	for (s.libvirt = 0; s.libvirt < catalogue_source_count(); s.libvirt++)
		for (s.qemu = 0; s.qemu < catalogue_source_count(); s.qemu++)
			if (applies(l, s.libvirt, false) && applies(l, s.qemu, true))
				add_stack(&t, &s, l);
	/* of vmx controls nobody promised anything */
	t.adds = bitset_minus(&t.adds, &l->unsaid);
	return t;
}

bool translation_is_true(const struct translation *t)
{
	return t->model && !t->other && bitset_is_empty(&t->adds) &&
	       bitset_is_empty(&t->lacks);
}
