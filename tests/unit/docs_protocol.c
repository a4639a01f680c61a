/* docs/protocol.md holds the tables that the codec walks. */
#include "proto/message.h"
#include "tests/support/document.h"
#include "tests/support/test.h"

static const char *type_name(struct arena *arena, const struct field *field)
{
	static const char *const names[] = {
#define TYPE_NAME(type, c, wire) [TYPE_##type] = #type,
		FIELD_TYPES(TYPE_NAME)
#undef TYPE_NAME
	};

	if (field->type == TYPE_list)
		return arena_format(
			arena, "list of [%s](#%s)", field->of->name, field->of->name);
	return names[field->type];
}

static void print_fields(struct buf *out, const struct record *record)
{
	struct arena arena = { 0 };

	buf_append_text(
		out, "| field | type | since | meaning |\n| --- | --- | --- | --- |\n");
	for (size_t i = 0; i < record->field_count; i++) {
		const struct field *f = &record->fields[i];

		buf_format(out, "| %s | %s | %u | %s |\n", f->name, type_name(&arena, f),
			f->since, f->meaning);
	}
	buf_append_text(out, "\n");
	arena_destroy(&arena);
}

static void print_types(struct buf *out)
{
	buf_append_text(
		out, "Types of fields:\n\n| type | on the wire |\n| --- | --- |\n");
#define TYPE_PRINT(type, c, wire) buf_format(out, "| %s | %s |\n", #type, wire);
	FIELD_TYPES(TYPE_PRINT)
#undef TYPE_PRINT
	buf_append_text(out, "| list | array of records |\n\n");
}

static void protocol_page_is_printed_from_the_tables(void **state)
{
	struct buf text = buf_with_cap(1 << 20);

	(void)state;
	buf_format(&text,
		"\nProtocol version %d; versions from %d on are understood.\n\n",
		PROTOCOL_VERSION, PROTOCOL_VERSION_MIN);
	print_types(&text);
	for (size_t i = 0; i < message_type_count; i++) {
		const struct message_type *m = &message_types[i];

		buf_format(&text, "### %s\n\nTag %d, to the %s%s%s. %s\n\n", m->name,
			m->tag, m->direction == TO_PEER ? "peer" : "coordinator",
			*m->answers ? ", answers " : "", m->answers, m->meaning);
		print_fields(&text, m->record);
	}
	buf_append_text(&text, "## Parts of messages\n\n");
#define PART_PRINT(name) \
	buf_append_text(&text, "### " #name "\n\n"); \
	print_fields(&text, &record_##name);
	PARTS(PART_PRINT)
#undef PART_PRINT
	assert_document_part("protocol.md", "proto/message.h", &text);
	buf_destroy(&text);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(protocol_page_is_printed_from_the_tables),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(cases, NULL, NULL);
}
