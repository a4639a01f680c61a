#include "tests/support/fill.h"

#include "tests/support/test.h"

static const char *fill_text(struct arena *arena, uint64_t *seed)
{
	return arena_format(arena, "text-%u", test_random(seed) % 100000);
}

static void fill_texts(struct arena *arena, struct texts *t, uint64_t *seed)
{
	t->count = 1 + test_random(seed) % 3;
	t->item = arena_alloc(arena, t->count, sizeof(t->item[0]));
	for (size_t i = 0; i < t->count; i++)
		t->item[i] = fill_text(arena, seed);
}

static void fill_list(
	struct arena *arena, struct list *list, const struct record *of, uint64_t *seed)
{
	list->count = 1 + test_random(seed) % 3;
	list->item = arena_alloc(arena, list->count, of->size);
	for (size_t i = 0; i < list->count; i++)
		memcpy((char *)list->item + i * of->size, fill_record(arena, of, seed),
			of->size);
}

static void fill_field(
	struct arena *arena, const struct field *field, void *member, uint64_t *seed)
{
	struct bytes *bytes = member;

	switch (field->type) {
	case TYPE_u32:
		*(uint32_t *)member = test_random(seed);
		break;
	case TYPE_u64:
		*(uint64_t *)member = (uint64_t)test_random(seed) << 32 |
				      test_random(seed);
		break;
	case TYPE_flag:
		*(bool *)member = test_random(seed) & 1;
		break;
	case TYPE_text:
		*(const char **)member = fill_text(arena, seed);
		break;
	case TYPE_bytes:
		bytes->data = (const uint8_t *)fill_text(arena, seed);
		bytes->size = strlen((const char *)bytes->data) + 1; /* with its NUL */
		break;
	case TYPE_texts:
		fill_texts(arena, member, seed);
		break;
	case TYPE_list:
		fill_list(arena, member, field->of, seed);
		break;
	}
}

void *fill_record(struct arena *arena, const struct record *record, uint64_t *seed)
{
	void *value = arena_alloc(arena, 1, record->size);

	for (size_t i = 0; i < record->field_count; i++)
		fill_field(arena, &record->fields[i],
			(char *)value + record->fields[i].offset, seed);
	return value;
}
