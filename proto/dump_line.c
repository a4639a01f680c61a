#include "proto/dump_line.h"

#include <string.h>

#include "base/text.h"
#include "proto/limits.h"

enum rc dump_line_bad(struct dump_reader *r, const char *what, const char *word)
{
	return err_set(r->e, RC_INPUT, 0, "%s:%zu: %s%s%s", r->name, r->line, what,
		*word ? ": " : "", word);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

/* Cuts the next word off the rest of a line. */
static char *take_word(char **rest)
{
	char *word;

	while (is_blank(**rest))
		(*rest)++;
	word = *rest;
	while (**rest && !is_blank(**rest))
		(*rest)++;
	if (**rest)
		*(*rest)++ = '\0';
	return word;
}

void *dump_line_append(struct dump_reader *r, struct list *list, const struct record *of)
{
	void *bigger = arena_grow(r->arena, list->item, list->count, of->size);
	void *item;

	if (!bigger) {
		err_memory(r->e);
		return NULL;
	}
	list->item = bigger;
	item = (char *)bigger + list->count++ * of->size;
	return memset(item, 0, of->size);
}

/* ---- the kinds of lines; each gets what follows its first word */

static enum rc set_scalar(struct dump_reader *r, const struct field *field, char *value)
{
	void *member = (char *)&r->out->small + field->offset;

	switch (field->type) {
	case TYPE_u32:
		return text_to_u32(value, member) ? RC_OK
						  : dump_line_bad(r, "not a u32", value);
	case TYPE_u64:
		return text_to_u64(value, member)
			       ? RC_OK
			       : dump_line_bad(r, "not a number", value);
	case TYPE_flag:
		if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
			return dump_line_bad(r, "neither yes nor no", value);
		*(bool *)member = value[0] == 'y';
		return RC_OK;
	case TYPE_text:
		*(const char **)member = value;
		return RC_OK;
	default:
		return dump_line_bad(r, "this fact is a list", field->name);
	}
}

static enum rc read_fact(struct dump_reader *r, char *rest)
{
	const char *name = take_word(&rest);

	for (size_t i = 0; i < record_facts.field_count; i++)
		if (strcmp(record_facts.fields[i].name, name) == 0)
			return set_scalar(r, &record_facts.fields[i], rest);
	return RC_OK; /* of a newer version */
}

static enum rc read_parameter(struct dump_reader *r, char *rest)
{
	struct parameter *p = dump_line_append(
		r, &r->out->small.parameters, &record_parameter);

	if (!p)
		return RC_MEMORY;
	p->module = take_word(&rest);
	p->name = take_word(&rest);
	p->value = rest;
	return *p->name ? RC_OK
			: dump_line_bad(r, "parameter needs MODULE NAME VALUE", "");
}

static enum rc read_gap(struct dump_reader *r, char *rest)
{
	struct gap *g = dump_line_append(r, &r->out->small.gaps, &record_gap);

	if (!g)
		return RC_MEMORY;
	g->fact = take_word(&rest);
	g->reason = rest;
	return *g->fact ? RC_OK : dump_line_bad(r, "gap needs FACT REASON", "");
}

static enum rc read_source(struct dump_reader *r, char *rest)
{
	const char *name = take_word(&rest);
	enum body_id id = body_id_of(name);

	if (id == BODY_COUNT || body_rows[id].kind != BODY_KIND_registers)
		return dump_line_bad(r, "source is host, kvm or emulated, not", name);
	if (r->out->present[id])
		return dump_line_bad(r, "a second section of this source", name);
	r->out->present[id] = true;
	r->source = id;
	return RC_OK;
}

/* Before any source line: what cpuid(1) prints says nothing of where it was read. */
static void open_source(struct dump_reader *r)
{
	if (r->source != BODY_COUNT)
		return;
	r->source = BODY_host;
	r->out->present[BODY_host] = true;
}

static enum rc read_cpu(struct dump_reader *r, char *rest)
{
	struct register_set *set;
	struct list *sets;

	open_source(r);
	sets = &r->out->registers[r->source].sets;
	if (sets->count == LIMIT_CPUS)
		return dump_line_bad(
			r, "too many CPUs; one `cpu` of each kind is enough", "");
	set = dump_line_append(r, sets, &record_register_set);
	if (!set)
		return RC_MEMORY;
	set->cpus = take_word(&rest);
	return *set->cpus ? RC_OK : dump_line_bad(r, "cpu needs a number or list", "");
}

/* The open register set; lines before any `cpu` open one without a list. */
static enum rc open_set(struct dump_reader *r, struct register_set **out)
{
	struct list *sets;

	open_source(r);
	sets = &r->out->registers[r->source].sets;
	if (sets->count == 0) {
		struct register_set *set = dump_line_append(
			r, sets, &record_register_set);

		if (!set)
			return RC_MEMORY;
		set->cpus = "";
	}
	*out = (struct register_set *)sets->item + sets->count - 1;
	return RC_OK;
}

/* What one CPU says, it says once: else a `cpu` line is missing, and what all CPUs have
 * would be taken from the first.  (Leaf 2 of old CPUs is asked several times.) */
static enum rc second_answer(struct dump_reader *r)
{
	return dump_line_bad(
		r, "a second answer for one CPU; begin each with a `cpu` line", "");
}

static bool contradicts(const struct leaf *a, const struct leaf *b)
{
	return a->function == b->function && a->index == b->index && a->function != 2 &&
	       (a->eax != b->eax || a->ebx != b->ebx || a->ecx != b->ecx ||
		       a->edx != b->edx);
}

static enum rc check_leaf(struct dump_reader *r, const struct list *leaves)
{
	const struct leaf *all = leaves->item, *last = all + leaves->count - 1;

	for (const struct leaf *l = all; l < last; l++)
		if (contradicts(l, last))
			return second_answer(r);
	return RC_OK;
}

static enum rc check_msr(struct dump_reader *r, const struct list *msrs)
{
	const struct msr *all = msrs->item, *last = all + msrs->count - 1;

	for (const struct msr *m = all; m < last; m++)
		if (m->index == last->index && m->value != last->value)
			return second_answer(r);
	return RC_OK;
}

static enum rc read_cpuid(struct dump_reader *r, char *rest)
{
	uint32_t number[6];
	struct register_set *set;
	struct leaf *leaf;
	enum rc rc = open_set(r, &set);

	if (rc != RC_OK)
		return rc;
	for (int i = 0; i < 6; i++)
		if (!text_to_u32(take_word(&rest), &number[i]))
			return dump_line_bad(
				r, "cpuid needs LEAF SUBLEAF EAX EBX ECX EDX", "");
	if (set->leaves.count == LIMIT_LIST_ITEMS)
		return dump_line_bad(r, "too many leaves", "");
	leaf = dump_line_append(r, &set->leaves, &record_leaf);
	if (!leaf)
		return RC_MEMORY;
	*leaf = (struct leaf){ number[0], number[1], number[2], number[3], number[4],
		number[5] };
	return *take_word(&rest) ? dump_line_bad(r, "cpuid has too many words", "")
				 : check_leaf(r, &set->leaves);
}

static enum rc read_msr(struct dump_reader *r, char *rest)
{
	struct register_set *set;
	struct msr *msr;
	enum rc rc = open_set(r, &set);

	if (rc != RC_OK)
		return rc;
	if (set->msrs.count == LIMIT_LIST_ITEMS)
		return dump_line_bad(r, "too many MSRs", "");
	msr = dump_line_append(r, &set->msrs, &record_msr);
	if (!msr)
		return RC_MEMORY;
	if (!text_to_u32(take_word(&rest), &msr->index) ||
		!text_to_u64(take_word(&rest), &msr->value) || *take_word(&rest))
		return dump_line_bad(r, "msr needs INDEX VALUE", "");
	return check_msr(r, &set->msrs);
}

static enum rc read_text(struct dump_reader *r, char *rest)
{
	const char *name = take_word(&rest);

	r->text = body_id_of(name);
	r->in_text = true;
	if (r->text < BODY_COUNT && body_rows[r->text].kind != BODY_KIND_text)
		return dump_line_bad(r, "this body is registers", name);
	if (r->text < BODY_COUNT && r->out->present[r->text])
		return dump_line_bad(r, "a second text of this name", name);
	return RC_OK;
}

static enum rc read_end(struct dump_reader *r, char *rest)
{
	r->out->ended = true;
	return *take_word(&rest) ? dump_line_bad(r, "end stands alone", "") : RC_OK;
}

static const struct line_kind {
	const char *word;
	enum rc (*read)(struct dump_reader *r, char *rest);
} line_kinds[] = {
	{ "fact", read_fact },
	{ "parameter", read_parameter },
	{ "gap", read_gap },
	{ "source", read_source },
	{ "cpu", read_cpu },
	{ "cpuid", read_cpuid },
	{ "msr", read_msr },
	{ "text", read_text },
	{ "end", read_end },
};

enum rc dump_line_read(struct dump_reader *r, char *line)
{
	const char *word = take_word(&line);

	if (word[0] == '\0' || word[0] == '#')
		return RC_OK;
	for (size_t i = 0; i < sizeof(line_kinds) / sizeof(line_kinds[0]); i++)
		if (strcmp(line_kinds[i].word, word) == 0)
			return line_kinds[i].read(r, line);
	return dump_line_bad(r, "no line of a dump begins with", word);
}
