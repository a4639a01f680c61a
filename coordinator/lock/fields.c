#include "coordinator/lock/fields.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "base/text.h"
#include "proto/texts.h"
#include "proto/virt.h"

/* ---- what a text must be */

static bool is_text(const char *text)
{
	for (const char *at = text; *at; at++)
		if (*at < ' ' || *at > '~')
			return false;
	return true;
}

bool field_is_name(const char *text)
{
	return text_is_name(text);
}

static bool is_name_or_empty(const char *text)
{
	return text[0] == '\0' || text_is_name(text);
}

static bool is_hex(const char *text, size_t size)
{
	return strlen(text) == size && strspn(text, "0123456789abcdef") == size;
}

bool field_is_digest(const char *text)
{
	return is_hex(text, 64);
}

static bool is_digest_or_empty(const char *text)
{
	return text[0] == '\0' || field_is_digest(text);
}

bool field_is_key(const char *text)
{
	return is_hex(text, LOCK_KEY_MAX - 1);
}

static bool is_virt(const char *text)
{
	return virt_of(text) != VIRT_COUNT;
}

/* ---- the records */

#define ROW(record, key, kind, member, check) \
	{ \
		key, FIELD_##kind, offsetof(struct record, member), check \
	}

const struct field_row lock_level_fields[] = {
	ROW(lock_level, "name", TEXT, name, field_is_name),
	ROW(lock_level, "virt_type", TEXT, virt, is_virt),
	ROW(lock_level, "model", TEXT, model, field_is_name),
	ROW(lock_level, "vendor", TEXT, vendor, is_name_or_empty),
	ROW(lock_level, "seen_vendor", TEXT, seen_vendor, is_text),
	ROW(lock_level, "nested", TEXT, nested, is_digest_or_empty),
	ROW(lock_level, "maxphysaddr", NUMBER, maxphysaddr, NULL),
	ROW(lock_level, "xsave_bytes", NUMBER, xsave_bytes, NULL),
	ROW(lock_level, "require", TEXTS, require, field_is_name),
	ROW(lock_level, "disable", TEXTS, disable, field_is_name),
	ROW(lock_level, "unsaid", TEXTS, unsaid, field_is_name),
	ROW(lock_level, "features", TEXTS, features, field_is_name),
	ROW(lock_level, "xsave", TEXTS, xsave, is_text),
	ROW(lock_level, "xml", TEXTS, xml, is_text),
	{ 0 },
};

const struct field_row lock_class_fields[] = {
	ROW(lock_class, "arch", TEXT, arch, is_text),
	ROW(lock_class, "cpu", TEXT, cpu, is_text),
	ROW(lock_class, "vendor", TEXT, vendor, is_text),
	ROW(lock_class, "microcode", TEXT, microcode, is_text),
	ROW(lock_class, "kernel", TEXT, kernel, is_text),
	ROW(lock_class, "libvirt", TEXT, libvirt, is_text),
	ROW(lock_class, "qemu", TEXT, qemu, is_text),
	ROW(lock_class, "physical_address_bits", NUMBER, physical_bits, NULL),
	ROW(lock_class, "parameters", TEXTS, parameters, is_text),
	ROW(lock_class, "digest_host", TEXT, host, is_digest_or_empty),
	ROW(lock_class, "digest_kvm", TEXT, kvm, is_digest_or_empty),
	ROW(lock_class, "digest_emulated", TEXT, emulated, is_digest_or_empty),
	ROW(lock_class, "digest_domcaps", TEXT, domcaps, is_digest_or_empty),
	ROW(lock_class, "digest_offer", TEXT, offer, is_digest_or_empty),
	ROW(lock_class, "features", TEXTS, features, field_is_name),
	ROW(lock_class, "gaps", TEXTS, gaps, is_text),
	{ 0 },
};

const struct field_row lock_node_fields[] = {
	ROW(lock_node, "class", TEXT, class, field_is_key),
	ROW(lock_node, "written", TEXT, written, field_is_key),
	ROW(lock_node, "hostname", TEXT, hostname, is_text),
	ROW(lock_node, "host_uuid", TEXT, host_uuid, is_text),
	ROW(lock_node, "cmdline", TEXT, cmdline, is_text),
	ROW(lock_node, "tsc_khz", NUMBER, tsc_khz, NULL),
	{ 0 },
};

const struct field_row lock_option_fields[] = {
	ROW(lock_option, "words", TEXTS, words, is_text),
	{ 0 },
};

const struct field_row lock_writing_fields[] = {
	ROW(lock_writing, "files", TEXTS, files, is_text),
	{ 0 },
};

/* ---- writing */

static json_t *texts_write(const struct texts *list)
{
	json_t *array = json_array();

	for (size_t i = 0; i < list->count; i++)
		if (json_array_append_new(array, json_string(list->item[i])) != 0) {
			json_decref(array);
			return NULL;
		}
	return array;
}

static json_t *member_write(const struct field_row *row, const void *record)
{
	const void *member = (const char *)record + row->offset;

	switch (row->kind) {
	case FIELD_TEXT:
		return json_string(*(const char *const *)member);
	case FIELD_TEXTS:
		return texts_write(member);
	case FIELD_NUMBER:
		return json_integer(*(const uint32_t *)member);
	}
	return NULL;
}

json_t *fields_write(const struct field_row *rows, const void *record)
{
	json_t *object = json_object();

	for (const struct field_row *row = rows; row->key; row++)
		if (json_object_set_new(object, row->key, member_write(row, record)) !=
			0) {
			json_decref(object);
			return NULL;
		}
	return object;
}

bool fields_digest(const json_t *value, char hex[static 65])
{
	char *text = json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS);
	struct digest digest;

	if (!text)
		return false;
	digest = digest_of(text, strlen(text));
	digest_to_hex(&digest, hex);
	free(text);
	return true;
}

/* ---- reading */

static enum rc text_read(const struct field_row *row, const json_t *value,
	const char *what, struct arena *arena, const char **out, struct err *e)
{
	const char *text = json_string_value(value);

	if (!text || !row->check(text))
		return err_set(e, RC_INPUT, 0, "%s: %s is not what it should be", what,
			row->key);
	*out = arena_text(arena, text);
	return *out ? RC_OK : err_memory(e);
}

static enum rc texts_read(const struct field_row *row, const json_t *value,
	const char *what, struct arena *arena, struct texts *out, struct err *e)
{
	enum rc rc = RC_OK;

	*out = (struct texts){ 0 };
	if (!json_is_array(value))
		return err_set(e, RC_INPUT, 0, "%s: %s is not a list", what, row->key);
	for (size_t i = 0; i < json_array_size(value) && rc == RC_OK; i++) {
		const char *text = NULL;

		rc = text_read(row, json_array_get(value, i), what, arena, &text, e);
		if (rc == RC_OK)
			rc = texts_add(out, text, arena, e);
	}
	return rc;
}

static enum rc number_read(const struct field_row *row, const json_t *value,
	const char *what, uint32_t *out, struct err *e)
{
	json_int_t number = json_integer_value(value);

	if (!json_is_integer(value) || number < 0 || number > UINT32_MAX)
		return err_set(e, RC_INPUT, 0, "%s: %s is not a number that it can be",
			what, row->key);
	*out = (uint32_t)number;
	return RC_OK;
}

static enum rc member_read(const struct field_row *row, const json_t *value,
	const char *what, struct arena *arena, void *record, struct err *e)
{
	void *member = (char *)record + row->offset;

	switch (row->kind) {
	case FIELD_TEXT:
		return text_read(row, value, what, arena, member, e);
	case FIELD_TEXTS:
		return texts_read(row, value, what, arena, member, e);
	case FIELD_NUMBER:
		return number_read(row, value, what, member, e);
	}
	return RC_OK;
}

enum rc fields_read(const struct field_row *rows, const json_t *object, const char *what,
	struct arena *arena, void *record, struct err *e)
{
	size_t count = 0;

	for (const struct field_row *row = rows; row->key; row++, count++) {
		const json_t *value = json_object_get(object, row->key);

		if (!value)
			return err_set(
				e, RC_INPUT, 0, "%s: it has no %s", what, row->key);
		if (member_read(row, value, what, arena, record, e) != RC_OK)
			return e->code;
	}
	if (json_object_size(object) != count)
		return err_set(e, RC_INPUT, 0,
			"%s: it has keys that this cpuherd does not know", what);
	return RC_OK;
}
