#include "proto/message.h"

#define FIELD_ROW(record, type, field, since, meaning) \
	{ #field, TYPE_##type, offsetof(struct record, field), NULL, since, meaning },
#define LIST_ROW(record, of, field, since, meaning) \
	{ #field, TYPE_list, offsetof(struct record, field), &record_##of, since, \
		meaning },
#define RECORD_DEFINE(record_name) \
	static const struct field fields_##record_name[] = { FIELDS_##record_name( \
		FIELD_ROW, LIST_ROW) }; \
	const struct record record_##record_name = { #record_name, \
		sizeof(struct record_name), fields_##record_name, \
		sizeof(fields_##record_name) / sizeof(fields_##record_name[0]) };
#define MESSAGE_DEFINE(tag, message_name, direction, answers, meaning) \
	RECORD_DEFINE(message_name)

PARTS(RECORD_DEFINE)
MESSAGES(MESSAGE_DEFINE)

const struct message_type message_types[] = {
#define MESSAGE_ROW(tag, message_name, direction, answers, meaning) \
	{ MESSAGE_##message_name, #message_name, direction, answers, \
		&record_##message_name, meaning },
	MESSAGES(MESSAGE_ROW)
#undef MESSAGE_ROW
};

const size_t message_type_count = sizeof(message_types) / sizeof(message_types[0]);

const struct message_type *message_type_of(uint32_t tag)
{
	for (size_t i = 0; i < message_type_count; i++)
		if (message_types[i].tag == tag)
			return &message_types[i];
	return NULL;
}
