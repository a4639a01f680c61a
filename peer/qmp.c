#include "peer/qmp.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "proto/limits.h"

static enum rc odd(const char *what, struct err *e)
{
	return err_set(e, RC_LIBVIRT, 0,
		"QEMU's monitor does not answer as it should: %s", what);
}

/* ---- asking */

static const char *keep_dump(struct arena *arena, const json_t *json)
{
	char *text = json_dumps(json, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY);
	const char *kept = text ? arena_text(arena, text) : NULL;

	free(text);
	return kept;
}

/* A NULL text adds nothing; jansson takes nothing that is no UTF-8. */
static bool add_text(json_t *object, const char *key, const char *text)
{
	return !text || json_object_set_new(object, key, json_string(text)) == 0;
}

const char *qmp_command(
	struct arena *arena, const char *execute, const char *path, const char *property)
{
	json_t *command = json_object(), *arguments = json_object();
	const char *text = NULL;

	if (add_text(command, "execute", execute) && add_text(arguments, "path", path) &&
		add_text(arguments, "property", property) &&
		json_object_set(command, "arguments", arguments) == 0)
		text = keep_dump(arena, command);
	json_decref(arguments);
	json_decref(command);
	return text;
}

/* ---- answers */

/* What stands behind "return"; to be given back with json_decref(), NULL on failure. */
static json_t *returned(const char *answer, struct err *e)
{
	json_error_t why = { .text = "nothing is returned" };
	size_t size = strnlen(answer, LIMIT_BODY_BYTES + 1);
	json_t *whole = size <= LIMIT_BODY_BYTES
				? json_loadb(answer, size, JSON_REJECT_DUPLICATES, &why)
				: NULL;
	json_t *value = json_object_get(whole, "return");
	const char *words = json_string_value(
		json_object_get(json_object_get(whole, "error"), "desc"));

	if (!value)
		odd(words			  ? words
			: size > LIMIT_BODY_BYTES ? "it is too long"
						  : why.text,
			e);
	json_incref(value);
	json_decref(whole);
	return value;
}

static bool is_plain(const char *text)
{
	size_t size = text ? strnlen(text, QMP_NAME_MAX + 1) : 0;

	if (size == 0 || size > QMP_NAME_MAX)
		return false;
	for (const char *p = text; *p; p++)
		if (*p <= ' ' || *p > '~')
			return false;
	return true;
}

static enum rc find_first_cpu(
	const json_t *cpus, struct arena *arena, const char **path, struct err *e)
{
	const json_t *cpu;
	size_t i;

	json_array_foreach(cpus, i, cpu)
	{
		const json_t *index = json_object_get(cpu, "cpu-index");
		const char *found = json_string_value(json_object_get(cpu, "qom-path"));

		if (!json_is_integer(index) || json_integer_value(index) != 0)
			continue;
		if (!is_plain(found))
			return odd("vCPU 0 has no path", e);
		*path = arena_text(arena, found);
		return *path ? RC_OK : err_memory(e);
	}
	return odd("there is no vCPU 0", e);
}

enum rc qmp_first_cpu(
	const char *answer, struct arena *arena, const char **path, struct err *e)
{
	json_t *cpus = returned(answer, e);
	enum rc rc;

	if (!cpus)
		return e->code;
	rc = find_first_cpu(cpus, arena, path, e);
	json_decref(cpus);
	return rc;
}

/* ---- names */

/* QEMU lists these and cannot be asked for them: one is written only (QEMU to 10), the other
 * is there after a crash. */
static bool has_no_value(const char *name)
{
	return strcmp(name, "legacy-memory") == 0 ||
	       strcmp(name, "crash-information") == 0;
}

static enum rc add_name(
	const json_t *item, struct arena *arena, struct texts *names, struct err *e)
{
	const char *name = json_string_value(json_object_get(item, "name"));
	const char *type = json_string_value(json_object_get(item, "type"));

	if (!type || !is_plain(name))
		return odd("a property without name or type", e);
	if (text_starts_with(type, "link<") || text_starts_with(type, "child<") ||
		has_no_value(name))
		return RC_OK;
	if (names->count == QMP_PROPERTIES_MAX)
		return odd("a CPU with too many properties", e);
	return texts_add(names, arena_text(arena, name), arena, e);
}

enum rc qmp_names(
	const char *answer, struct arena *arena, struct texts *names, struct err *e)
{
	json_t *listed = returned(answer, e), *item;
	enum rc rc = RC_OK;
	size_t i;

	*names = (struct texts){ 0 };
	if (!listed)
		return e->code;
	if (json_array_size(listed) == 0)
		rc = odd("a CPU without properties", e);
	json_array_foreach(listed, i, item)
	{
		if (rc == RC_OK)
			rc = add_name(item, arena, names, e);
	}
	json_decref(listed);
	return rc;
}

/* ---- words */

static bool take_u32(const json_t *object, const char *key, uint32_t *out)
{
	const json_t *value = json_object_get(object, key);
	json_int_t number = json_integer_value(value);

	*out = (uint32_t)number;
	return json_is_integer(value) && number >= 0 && number <= UINT32_MAX;
}

static bool take_part(const json_t *object, uint32_t *part)
{
	static const char *const registers[] = { "EAX", "EBX", "ECX", "EDX" };
	const char *name = json_string_value(json_object_get(object, "cpuid-register"));

	for (*part = 0; name && *part < 4; ++*part)
		if (strcmp(name, registers[*part]) == 0)
			return true;
	return false;
}

/* The register's word in the view, appended where it is new. */
static enum rc word_at(struct qmp_view *view, const struct cpu_word *where,
	struct arena *arena, struct cpu_word **out, struct err *e)
{
	struct cpu_word *words = view->words.item;

	for (size_t i = 0; i < view->words.count; i++) {
		*out = &words[i];
		if (words[i].function == where->function &&
			words[i].index == where->index && words[i].part == where->part)
			return RC_OK;
	}
	if (view->words.count == QMP_WORDS_MAX)
		return odd("too many registers", e);
	words = arena_grow(arena, words, view->words.count, sizeof(*words));
	if (!words)
		return err_memory(e);
	view->words.item = words;
	*out = &words[view->words.count++];
	**out = *where;
	return RC_OK;
}

enum word_side { SHOWN, FILTERED };

static enum rc add_word(const json_t *item, enum word_side side, struct arena *arena,
	struct qmp_view *view, struct err *e)
{
	struct cpu_word where = { 0 }, *word;
	uint32_t bits;

	if (!take_u32(item, "cpuid-input-eax", &where.function) ||
		!take_part(item, &where.part) || !take_u32(item, "features", &bits))
		return odd("a register without leaf, name or bits", e);
	if (json_object_get(item, "cpuid-input-ecx") &&
		!take_u32(item, "cpuid-input-ecx", &where.index))
		return odd("a register with an odd sub-leaf", e);
	if (word_at(view, &where, arena, &word, e) != RC_OK)
		return e->code;
	*(side == SHOWN ? &word->value : &word->filtered) |= bits;
	return RC_OK;
}

static enum rc add_words(const json_t *listed, enum word_side side, struct arena *arena,
	struct qmp_view *view, struct err *e)
{
	const json_t *item;
	enum rc rc = RC_OK;
	size_t i;

	if (!json_is_array(listed))
		return odd("registers that are no list", e);
	json_array_foreach(listed, i, item)
	{
		if (rc == RC_OK)
			rc = add_word(item, side, arena, view, e);
	}
	return rc;
}

/* ---- properties */

static enum rc add_property(const char *text, const char *name, struct arena *arena,
	struct qmp_view *view, struct err *e)
{
	struct cpu_property *grown = arena_grow(
		arena, view->properties.item, view->properties.count, sizeof(*grown));

	if (!grown || !text)
		return err_memory(e);
	if (strlen(text) > QMP_VALUE_MAX)
		return odd("a value that is too long", e);
	view->properties.item = grown;
	grown[view->properties.count++] = (struct cpu_property){ name, text };
	return RC_OK;
}

/* A mask of 64 bits (lbr-fmt) may be above jansson's integers: its digits, or 0 of them. */
static struct bytes large_number(const char *answer)
{
	static const char head[] = "{\"return\":";
	const char *digits = answer + sizeof(head) - 1;
	size_t size = text_starts_with(answer, head) ? strspn(digits, "0123456789") : 0;

	if (size < sizeof("9223372036854775807") - 1 ||
		size > sizeof("18446744073709551615") - 1 ||
		(digits[size] != ',' && digits[size] != '}'))
		size = 0;
	return (struct bytes){ (const uint8_t *)digits, size };
}

enum rc qmp_add(const char *answer, const char *name, struct arena *arena,
	struct qmp_view *view, struct err *e)
{
	struct bytes large = large_number(answer);
	json_t *value = large.size ? NULL : returned(answer, e);
	enum rc rc;

	if (large.size)
		return add_property(arena_text_n(arena, large.data, large.size), name,
			arena, view, e);
	if (!value)
		return e->code;
	if (strcmp(name, "feature-words") == 0)
		rc = add_words(value, SHOWN, arena, view, e);
	else if (strcmp(name, "filtered-features") == 0)
		rc = add_words(value, FILTERED, arena, view, e);
	else
		rc = add_property(keep_dump(arena, value), name, arena, view, e);
	json_decref(value);
	return rc;
}
