/* Each bit of CPUID that QEMU will show. */
#include <stdlib.h>

#include "coordinator/cpu/proof_private.h"

enum { KVM_LEAF = 0x40000001, WORD_BITS = 32 };

static const char *const register_names[] = {
	[REGISTER_EAX] = "EAX",
	[REGISTER_EBX] = "EBX",
	[REGISTER_ECX] = "ECX",
	[REGISTER_EDX] = "EDX",
};

/* ---- which words there are */

static bool is_word_of(const struct feature_row *row, const struct cpu_word *w)
{
	return !row->is_msr && row->leaf == w->function && row->subleaf == w->index &&
	       (uint32_t)row->reg == w->part;
}

static size_t keep_first_of_each(struct cpu_word *keys, size_t count)
{
	size_t kept = 0;

	if (count)
		qsort(keys, count, sizeof(*keys), proof_compare_words);
	for (size_t i = 0; i < count; i++)
		if (!kept || proof_compare_words(&keys[kept - 1], &keys[i]) != 0)
			keys[kept++] = keys[i];
	return kept;
}

static size_t words_promised(const struct level *level, struct cpu_word *out)
{
	size_t count = 0;

	for (size_t i = 0; level && i < catalogue_feature_rows(); i++) {
		const struct feature_row *row = catalogue_feature(NULL, i);

		if (!row->is_msr && bitset_has(&level->baseline, i))
			out[count++] = (struct cpu_word){ .function = row->leaf,
				.index = row->subleaf,
				.part = (uint32_t)row->reg };
	}
	return count;
}

/* Those that some view has, and those that have what the level promises: a word that is
 * nowhere is 0 everywhere. */
static enum rc keys_make(struct proof_making *m, struct cpu_word **out, size_t *count)
{
	size_t all = 0, room = catalogue_feature_rows();

	for (size_t v = 0; v < m->view_count; v++)
		room += m->views[v].word_count;
	*out = arena_alloc(m->arena, room + 1, sizeof(**out));
	if (!*out)
		return err_memory(m->e);
	for (size_t v = 0; v < m->view_count; v++)
		for (size_t i = 0; i < m->views[v].word_count; i++)
			(*out)[all++] = m->views[v].words[i];
	m->out->words = keep_first_of_each(*out, all);
	all = m->out->words + words_promised(m->level, *out + m->out->words);
	*count = keep_first_of_each(*out, all);
	return RC_OK;
}

/* ---- one of them */

/* What is known of a word before any view is asked. */
struct word {
	struct cpu_word key;
	int feature[WORD_BITS]; /* -1: the bit has no name */
	uint32_t judged;	/* bits of which the level says what they are */
	uint32_t promised;	/* and that they are 1 */
};

static void word_learn(
	const struct proof_making *m, const struct cpu_word *key, struct word *out)
{
	*out = (struct word){ .key = *key };
	for (int bit = 0; bit < WORD_BITS; bit++)
		out->feature[bit] = -1;
	for (size_t i = 0; i < catalogue_feature_rows(); i++) {
		const struct feature_row *row = catalogue_feature(NULL, i);

		if (!is_word_of(row, key))
			continue;
		for (int bit = 0; bit < WORD_BITS; bit++)
			if (row->mask >> bit & 1)
				out->feature[bit] = (int)i;
		if (!m->level)
			continue;
		out->judged |= (uint32_t)row->mask;
		if (bitset_has(&m->level->baseline, i))
			out->promised |= (uint32_t)row->mask;
	}
}

/* Bits about which there is something to say. */
static uint32_t bits_of_interest(const struct proof_making *m, const struct word *w)
{
	uint32_t bits = 0, first = 0;

	for (size_t v = 0; v < m->view_count; v++) {
		const struct cpu_word *found = proof_find_word(&m->views[v], &w->key);
		uint32_t value = found ? found->value : 0;

		if (v == 0)
			first = value;
		bits |= (value ^ first) | ((value ^ w->promised) & w->judged);
		bits |= found ? found->filtered : 0;
	}
	return bits;
}

/* Fills in the answers; was it taken away anywhere? */
static bool bit_ask(struct proof_making *m, const struct word *w, int bit)
{
	bool filtered = false;

	for (size_t v = 0; v < m->view_count; v++) {
		const struct cpu_word *found = proof_find_word(&m->views[v], &w->key);
		bool taken = found && found->filtered >> bit & 1;

		m->answers[v] = taken				   ? "taken away by QEMU"
				: found && found->value >> bit & 1 ? "1"
								   : "0";
		filtered |= taken;
	}
	return filtered;
}

static enum rc bit_judge(struct proof_making *m, const struct word *w, int bit)
{
	struct proof_question q = { .feature = w->feature[bit],
		.of_level = w->judged >> bit & 1,
		.promised = w->promised >> bit & 1,
		.what = arena_format(m->arena, "CPUID 0x%x/%u %s bit %d", w->key.function,
			w->key.index, register_names[w->key.part], bit) };
	bool filtered = bit_ask(m, w, bit);

	if (!q.what)
		return err_memory(m->e);
	if (q.of_level)
		q.wanted = q.promised ? "1" : "0";
	else if (filtered)
		q.wanted = "1"; /* its <cpu> asked for it */
	if (w->key.function == KVM_LEAF)
		q.remark = "KVM's own leaf follows kernel and QEMU, and no <cpu> states "
			   "it";
	return proof_judge(m, &q);
}

enum rc proof_judge_words(struct proof_making *m)
{
	struct cpu_word *keys;
	size_t count = 0;
	enum rc rc = keys_make(m, &keys, &count);

	for (size_t i = 0; i < count && rc == RC_OK; i++) {
		struct word w;
		uint32_t bits;

		word_learn(m, &keys[i], &w);
		bits = bits_of_interest(m, &w);
		for (int bit = 0; bit < WORD_BITS && rc == RC_OK; bit++)
			if (bits >> bit & 1)
				rc = bit_judge(m, &w, bit);
	}
	return rc;
}
