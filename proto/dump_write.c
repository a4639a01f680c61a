#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "proto/dump.h"

/* One line at most, whatever a node said: a newline would begin a line of its own. */
static enum rc write_line(struct buf *out, const char *start, const char *value)
{
	char line[4096];

	snprintf(line, sizeof(line), "%s %s", start, value);
	text_make_printable(line);
	return buf_format(out, "%s\n", line);
}

static enum rc write_scalar(
	struct buf *out, const struct field *field, const void *member)
{
	char start[80];

	snprintf(start, sizeof(start), "fact %s", field->name);
	switch (field->type) {
	case TYPE_u32:
		return buf_format(out, "%s %u\n", start, *(const uint32_t *)member);
	case TYPE_u64:
		return buf_format(out, "%s %llu\n", start,
			(unsigned long long)*(const uint64_t *)member);
	case TYPE_flag:
		return buf_format(
			out, "%s %s\n", start, *(const bool *)member ? "yes" : "no");
	case TYPE_text:
		return write_line(out, start, *(const char *const *)member);
	default:
		return RC_OK; /* lists have lines of their own */
	}
}

enum rc dump_write_small(struct buf *out, const struct facts *small)
{
	const struct parameter *parameters = small->parameters.item;
	const struct gap *gaps = small->gaps.item;
	enum rc rc = RC_OK;
	char start[300];

	for (size_t i = 0; i < record_facts.field_count && rc == RC_OK; i++) {
		const struct field *field = &record_facts.fields[i];

		rc = write_scalar(out, field, (const char *)small + field->offset);
	}
	for (size_t i = 0; i < small->parameters.count && rc == RC_OK; i++) {
		snprintf(start, sizeof(start), "parameter %s %s", parameters[i].module,
			parameters[i].name);
		rc = write_line(out, start, parameters[i].value);
	}
	for (size_t i = 0; i < small->gaps.count && rc == RC_OK; i++) {
		snprintf(start, sizeof(start), "gap %s", gaps[i].fact);
		rc = write_line(out, start, gaps[i].reason);
	}
	return rc;
}

static enum rc write_set(struct buf *out, const struct register_set *set)
{
	const struct leaf *leaves = set->leaves.item;
	const struct msr *msrs = set->msrs.item;
	enum rc rc = set->cpus[0] ? write_line(out, "cpu", set->cpus) : RC_OK;

	for (size_t i = 0; i < set->leaves.count && rc == RC_OK; i++)
		rc = buf_format(out, "cpuid 0x%08x 0x%08x 0x%08x 0x%08x 0x%08x 0x%08x\n",
			leaves[i].function, leaves[i].index, leaves[i].eax, leaves[i].ebx,
			leaves[i].ecx, leaves[i].edx);
	for (size_t i = 0; i < set->msrs.count && rc == RC_OK; i++)
		rc = buf_format(out, "msr 0x%08x 0x%016llx\n", msrs[i].index,
			(unsigned long long)msrs[i].value);
	return rc;
}

static enum rc write_registers(
	struct buf *out, const char *name, const struct registers *r)
{
	const struct register_set *sets = r->sets.item;
	enum rc rc = buf_format(out, "source %s\n", name);

	for (size_t i = 0; i < r->sets.count && rc == RC_OK; i++)
		rc = write_set(out, &sets[i]);
	return rc;
}

/* "| " before each line; "|. " before a last line that no newline ends. */
static enum rc write_text(struct buf *out, const char *name, const char *text)
{
	enum rc rc = buf_format(out, "text %s\n", name);

	while (*text && rc == RC_OK) {
		size_t n = strcspn(text, "\n");
		bool ended = text[n] == '\n';

		rc = buf_append_text(out, ended ? "| " : "|. ");
		if (rc == RC_OK)
			rc = buf_append(out, text, n);
		if (rc == RC_OK)
			rc = buf_append_text(out, "\n");
		text += n + ended;
	}
	return rc;
}

enum rc dump_write_body(struct buf *out, const struct node_facts *f, enum body_id id)
{
	return body_rows[id].kind == BODY_KIND_registers
		       ? write_registers(out, body_rows[id].name, &f->registers[id])
		       : write_text(out, body_rows[id].name, f->text[id]);
}

enum rc dump_write(struct buf *out, const struct node_facts *f, struct err *e)
{
	enum rc rc = buf_append_text(out, DUMP_FIRST_LINE "\n");

	if (rc == RC_OK)
		rc = dump_write_small(out, &f->small);
	for (enum body_id id = 0; id < BODY_COUNT && rc == RC_OK; id++)
		if (f->present[id])
			rc = dump_write_body(out, f, id);
	if (rc == RC_OK)
		rc = buf_append_text(out, "end\n");
	if (rc == RC_LIMIT)
		return err_set(
			e, RC_LIMIT, 0, "the dump is larger than %zu bytes", out->cap);
	return rc == RC_OK ? RC_OK : err_memory(e);
}
