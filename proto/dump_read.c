#include <string.h>

#include "base/text.h"
#include "proto/dump.h"
#include "proto/limits.h"

struct reader {
	const char *name; /* of the file, for error texts */
	size_t line;
	struct arena *arena;
	struct node_facts *out;
	enum body_id source; /* the open source section; BODY_COUNT: none */
	bool in_text;	     /* a text section is open ... */
	enum body_id text;   /* ... this one; BODY_COUNT: one to be skipped */
	struct buf content;  /* of the open text section */
	struct err *e;
};

static enum rc bad_line(struct reader *r, const char *what, const char *word)
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

/* Appends a zeroed object to a list of the record's structs; NULL: no memory. */
static void *list_append(struct reader *r, struct list *list, const struct record *of)
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

static enum rc set_scalar(struct reader *r, const struct field *field, char *value)
{
	void *member = (char *)&r->out->small + field->offset;

	switch (field->type) {
	case TYPE_u32:
		return text_to_u32(value, member) ? RC_OK
						  : bad_line(r, "not a u32", value);
	case TYPE_u64:
		return text_to_u64(value, member) ? RC_OK
						  : bad_line(r, "not a number", value);
	case TYPE_flag:
		if (strcmp(value, "yes") != 0 && strcmp(value, "no") != 0)
			return bad_line(r, "neither yes nor no", value);
		*(bool *)member = value[0] == 'y';
		return RC_OK;
	case TYPE_text:
		*(const char **)member = value;
		return RC_OK;
	default:
		return bad_line(r, "this fact is a list", field->name);
	}
}

static enum rc read_fact(struct reader *r, char *rest)
{
	const char *name = take_word(&rest);

	for (size_t i = 0; i < record_facts.field_count; i++)
		if (strcmp(record_facts.fields[i].name, name) == 0)
			return set_scalar(r, &record_facts.fields[i], rest);
	return RC_OK; /* of a newer version */
}

static enum rc read_parameter(struct reader *r, char *rest)
{
	struct parameter *p = list_append(
		r, &r->out->small.parameters, &record_parameter);

	if (!p)
		return RC_MEMORY;
	p->module = take_word(&rest);
	p->name = take_word(&rest);
	p->value = rest;
	return *p->name ? RC_OK : bad_line(r, "parameter needs MODULE NAME VALUE", "");
}

static enum rc read_gap(struct reader *r, char *rest)
{
	struct gap *g = list_append(r, &r->out->small.gaps, &record_gap);

	if (!g)
		return RC_MEMORY;
	g->fact = take_word(&rest);
	g->reason = rest;
	return *g->fact ? RC_OK : bad_line(r, "gap needs FACT REASON", "");
}

static enum rc read_source(struct reader *r, char *rest)
{
	const char *name = take_word(&rest);
	enum body_id id = body_id_of(name);

	if (id == BODY_COUNT || body_rows[id].kind != BODY_KIND_registers)
		return bad_line(r, "source is host, kvm or emulated, not", name);
	if (r->out->present[id])
		return bad_line(r, "a second section of this source", name);
	r->out->present[id] = true;
	r->source = id;
	return RC_OK;
}

/* Before any source line: what cpuid(1) prints says nothing of where it was read. */
static void open_source(struct reader *r)
{
	if (r->source != BODY_COUNT)
		return;
	r->source = BODY_host;
	r->out->present[BODY_host] = true;
}

static enum rc read_cpu(struct reader *r, char *rest)
{
	struct register_set *set;
	struct list *sets;

	open_source(r);
	sets = &r->out->registers[r->source].sets;
	if (sets->count == LIMIT_CPUS)
		return bad_line(r, "too many CPUs; one `cpu` of each kind is enough", "");
	set = list_append(r, sets, &record_register_set);
	if (!set)
		return RC_MEMORY;
	set->cpus = take_word(&rest);
	return *set->cpus ? RC_OK : bad_line(r, "cpu needs a number or list", "");
}

/* The open register set; lines before any `cpu` open one without a list. */
static enum rc open_set(struct reader *r, struct register_set **out)
{
	struct list *sets;

	open_source(r);
	sets = &r->out->registers[r->source].sets;
	if (sets->count == 0) {
		struct register_set *set = list_append(r, sets, &record_register_set);

		if (!set)
			return RC_MEMORY;
		set->cpus = "";
	}
	*out = (struct register_set *)sets->item + sets->count - 1;
	return RC_OK;
}

/* What one CPU says, it says once: else a `cpu` line is missing, and what all CPUs have
 * would be taken from the first.  (Leaf 2 of old CPUs is asked several times.) */
static enum rc second_answer(struct reader *r)
{
	return bad_line(
		r, "a second answer for one CPU; begin each with a `cpu` line", "");
}

static bool contradicts(const struct leaf *a, const struct leaf *b)
{
	return a->function == b->function && a->index == b->index && a->function != 2 &&
	       (a->eax != b->eax || a->ebx != b->ebx || a->ecx != b->ecx ||
		       a->edx != b->edx);
}

static enum rc check_leaf(struct reader *r, const struct list *leaves)
{
	const struct leaf *all = leaves->item, *last = all + leaves->count - 1;

	for (const struct leaf *l = all; l < last; l++)
		if (contradicts(l, last))
			return second_answer(r);
	return RC_OK;
}

static enum rc check_msr(struct reader *r, const struct list *msrs)
{
	const struct msr *all = msrs->item, *last = all + msrs->count - 1;

	for (const struct msr *m = all; m < last; m++)
		if (m->index == last->index && m->value != last->value)
			return second_answer(r);
	return RC_OK;
}

static enum rc read_cpuid(struct reader *r, char *rest)
{
	uint32_t number[6];
	struct register_set *set;
	struct leaf *leaf;
	enum rc rc = open_set(r, &set);

	if (rc != RC_OK)
		return rc;
	for (int i = 0; i < 6; i++)
		if (!text_to_u32(take_word(&rest), &number[i]))
			return bad_line(
				r, "cpuid needs LEAF SUBLEAF EAX EBX ECX EDX", "");
	if (set->leaves.count == LIMIT_LIST_ITEMS)
		return bad_line(r, "too many leaves", "");
	leaf = list_append(r, &set->leaves, &record_leaf);
	if (!leaf)
		return RC_MEMORY;
	*leaf = (struct leaf){ number[0], number[1], number[2], number[3], number[4],
		number[5] };
	return *take_word(&rest) ? bad_line(r, "cpuid has too many words", "")
				 : check_leaf(r, &set->leaves);
}

static enum rc read_msr(struct reader *r, char *rest)
{
	struct register_set *set;
	struct msr *msr;
	enum rc rc = open_set(r, &set);

	if (rc != RC_OK)
		return rc;
	if (set->msrs.count == LIMIT_LIST_ITEMS)
		return bad_line(r, "too many MSRs", "");
	msr = list_append(r, &set->msrs, &record_msr);
	if (!msr)
		return RC_MEMORY;
	if (!text_to_u32(take_word(&rest), &msr->index) ||
		!text_to_u64(take_word(&rest), &msr->value) || *take_word(&rest))
		return bad_line(r, "msr needs INDEX VALUE", "");
	return check_msr(r, &set->msrs);
}

static enum rc read_text(struct reader *r, char *rest)
{
	const char *name = take_word(&rest);

	r->text = body_id_of(name);
	r->in_text = true;
	if (r->text < BODY_COUNT && body_rows[r->text].kind != BODY_KIND_text)
		return bad_line(r, "this body is registers", name);
	if (r->text < BODY_COUNT && r->out->present[r->text])
		return bad_line(r, "a second text of this name", name);
	return RC_OK;
}

static enum rc read_end(struct reader *r, char *rest)
{
	r->out->ended = true;
	return *take_word(&rest) ? bad_line(r, "end stands alone", "") : RC_OK;
}

static const struct line_kind {
	const char *word;
	enum rc (*read)(struct reader *r, char *rest);
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

/* ---- the lines of a text section */

static enum rc append_content(struct reader *r, const char *line)
{
	bool unfinished = text_starts_with(line, "|. ");
	enum rc rc;

	if (!r->in_text)
		return bad_line(r, "a line of text outside a text section", "");
	line += unfinished ? 3 : text_starts_with(line, "| ") ? 2 : 1;
	rc = buf_append_text(&r->content, line);
	if (rc == RC_OK && !unfinished)
		rc = buf_append_text(&r->content, "\n");
	if (rc == RC_LIMIT)
		return bad_line(r, "the text is too long", "");
	return rc == RC_OK ? RC_OK : err_memory(r->e);
}

static enum rc close_text(struct reader *r)
{
	enum rc rc = RC_OK;

	if (r->in_text && r->text < BODY_COUNT)
		rc = facts_put_body(
			r->out, r->text, buf_bytes(&r->content), r->arena, r->e);
	buf_consume(&r->content, buf_bytes(&r->content).size);
	r->in_text = false;
	return rc;
}

static enum rc read_line(struct reader *r, char *line)
{
	const char *word;
	enum rc rc;

	if (line[0] == '|')
		return append_content(r, line);
	if (r->out->ended && line[strspn(line, " \t")] && line[0] != '#')
		return bad_line(r, "a line behind the end of the facts", line);
	rc = close_text(r);
	if (rc != RC_OK)
		return rc;
	word = take_word(&line);
	if (word[0] == '\0' || word[0] == '#')
		return RC_OK;
	for (size_t i = 0; i < sizeof(line_kinds) / sizeof(line_kinds[0]); i++)
		if (strcmp(line_kinds[i].word, word) == 0)
			return line_kinds[i].read(r, line);
	return bad_line(r, "no line of a dump begins with", word);
}

static enum rc read_lines(struct reader *r, char *text)
{
	enum rc rc = RC_OK;

	while (*text && rc == RC_OK) {
		size_t n = strcspn(text, "\n");
		char *next = text + n + (text[n] == '\n');

		text[n] = '\0';
		if (n && text[n - 1] == '\r' && text[0] != '|')
			text[n - 1] = '\0';
		r->line++;
		rc = read_line(r, text);
		text = next;
	}
	return rc == RC_OK ? close_text(r) : rc;
}

/* A body that is neither there nor explained would be missing silently. */
enum rc dump_explain_gaps(struct arena *arena, struct node_facts *out, struct err *e)
{
	struct reader r = { .arena = arena, .out = out, .e = e };

	for (enum body_id id = 0; id < BODY_COUNT; id++) {
		struct gap *gap;

		if (out->present[id] || facts_gap(&out->small, body_rows[id].name))
			continue;
		gap = list_append(&r, &out->small.gaps, &record_gap);
		if (!gap)
			return RC_MEMORY;
		*gap = (struct gap){ body_rows[id].name, "not in this dump" };
	}
	return RC_OK;
}

enum rc dump_read_part(struct bytes in, const char *name, size_t first_line,
	struct arena *arena, struct node_facts *out, struct err *e)
{
	struct reader r = { .name = name,
		.line = first_line - 1,
		.arena = arena,
		.out = out,
		.source = BODY_COUNT,
		.e = e };
	char *copy;
	enum rc rc;

	if (in.size > LIMIT_DUMP_BYTES)
		return err_set(e, RC_LIMIT, 0, "%s: %zu bytes, a dump has at most %d",
			name, in.size, LIMIT_DUMP_BYTES);
	if (in.size && memchr(in.data, '\0', in.size))
		return err_set(
			e, RC_INPUT, 0, "%s: not a text: it holds a NUL byte", name);
	copy = arena_text_n(arena, in.data, in.size);
	if (!copy)
		return err_memory(e);
	r.content = buf_with_cap(LIMIT_BODY_BYTES);
	rc = read_lines(&r, copy);
	buf_destroy(&r.content);
	return rc;
}

static bool needs_end(struct bytes in)
{
	const size_t size = strlen(DUMP_FIRST_LINE);

	return in.size >= size && memcmp(in.data, DUMP_FIRST_LINE, size) == 0;
}

enum rc dump_read(struct bytes in, const char *name, struct arena *arena,
	struct node_facts *out, struct err *e)
{
	enum rc rc;

	facts_init(out);
	rc = dump_read_part(in, name, 1, arena, out, e);
	if (rc == RC_OK && needs_end(in) && !out->ended)
		rc = err_set(e, RC_INPUT, 0,
			"%s: the facts are cut short: their last line, `end`, is missing",
			name);
	return rc == RC_OK ? dump_explain_gaps(arena, out, e) : rc;
}
