#include "coordinator/report/evidence.h"

#include <stdlib.h>
#include <string.h>

#include "base/lookup.h"
#include "coordinator/report/groups.h"
#include "coordinator/report/writer.h"
#include "proto/texts.h"

/* Samples that are there already, by their text. */
struct samples {
	struct writer *w;
	json_t *array; /* of the evidence, which owns it */
	struct lookup lookup;
	char **texts;
	struct texts *nodes; /* whose trial guests showed it */
	size_t count;
};

/* ---- one sample */

static json_t *number_of(struct writer *w, uint32_t value)
{
	return writer_text(w, arena_format(w->arena, "0x%08x", value));
}

static json_t *words_of(struct writer *w, const struct list *list)
{
	static const char *const parts[] = { "eax", "ebx", "ecx", "edx" };
	const struct cpu_word *word = list->item;
	json_t *array = json_array();

	for (size_t i = 0; i < list->count; i++) {
		json_t *object = json_object();

		writer_put(w, object, "function", number_of(w, word[i].function));
		writer_put(w, object, "index", json_integer(word[i].index));
		writer_put(w, object, "register",
			word[i].part < 4 ? json_string(parts[word[i].part])
					 : json_null());
		writer_put(w, object, "value", number_of(w, word[i].value));
		writer_put(w, object, "filtered", number_of(w, word[i].filtered));
		writer_add(w, array, object);
	}
	return array;
}

static json_t *leaves_of(struct writer *w, const struct list *list)
{
	const struct leaf *leaf = list->item;
	json_t *array = json_array();

	for (size_t i = 0; i < list->count; i++) {
		json_t *object = json_object();

		writer_put(w, object, "function", number_of(w, leaf[i].function));
		writer_put(w, object, "index", json_integer(leaf[i].index));
		writer_put(w, object, "eax", number_of(w, leaf[i].eax));
		writer_put(w, object, "ebx", number_of(w, leaf[i].ebx));
		writer_put(w, object, "ecx", number_of(w, leaf[i].ecx));
		writer_put(w, object, "edx", number_of(w, leaf[i].edx));
		writer_add(w, array, object);
	}
	return array;
}

/* A node's text that is no JSON is told as the text that it is. */
static json_t *value_of(struct writer *w, const char *text)
{
	json_error_t error;
	json_t *value = json_loads(
		text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &error);

	return value ? value : writer_text(w, text);
}

static json_t *properties_of(struct writer *w, const struct list *list)
{
	const struct cpu_property *property = list->item;
	json_t *array = json_array();

	for (size_t i = 0; i < list->count; i++) {
		json_t *object = json_object();

		writer_put(w, object, "name", writer_text(w, property[i].name));
		writer_put(w, object, "value", value_of(w, property[i].value));
		writer_add(w, array, object);
	}
	return array;
}

static json_t *sample_of(struct writer *w, const char *cpu, const struct list *words,
	const struct list *properties, const struct list *leaves)
{
	json_t *object = json_object();

	writer_put(w, object, "cpu", writer_xml(w, cpu));
	writer_put(w, object, "words", words_of(w, words));
	writer_put(w, object, "properties", properties_of(w, properties));
	writer_put(w, object, "leaves", leaves_of(w, leaves));
	return object;
}

/* ---- all of them, each once */

static size_t sample_find(const struct samples *s, uint64_t hash, const char *text)
{
	size_t cursor = 0, at;

	while ((at = lookup_next(&s->lookup, hash, &cursor)) != SIZE_MAX)
		if (s->texts && strcmp(s->texts[at], text) == 0)
			return at;
	return SIZE_MAX;
}

static bool sample_keep(
	struct samples *s, uint64_t hash, const char *text, json_t *object)
{
	struct arena *arena = s->w->arena;
	struct err e;

	s->texts = arena_grow(arena, s->texts, s->count, sizeof(*s->texts));
	s->nodes = arena_grow(arena, s->nodes, s->count, sizeof(*s->nodes));
	if (!s->texts || !s->nodes)
		return false;
	s->texts[s->count] = arena_text(arena, text);
	if (!s->texts[s->count] ||
		lookup_add(&s->lookup, hash, s->count, arena, &e) != RC_OK)
		return false;
	s->count++;
	return json_array_append(s->array, object) == 0;
}

/* Its number; takes the object over. */
static size_t sample_number(struct samples *s, json_t *object)
{
	char *text = json_dumps(object, JSON_COMPACT | JSON_SORT_KEYS);
	uint64_t hash = text ? lookup_hash(bytes_of(text)) : 0;
	size_t at = text ? sample_find(s, hash, text) : SIZE_MAX;

	if (at == SIZE_MAX) {
		at = s->count;
		if (!text || !sample_keep(s, hash, text, object))
			s->w->failed = true;
	}
	free(text);
	json_decref(object);
	return at;
}

static json_t *tried_number(struct samples *s, const struct tried *t, size_t *at)
{
	*at = SIZE_MAX;
	if (!t || !t->started)
		return json_null();
	*at = sample_number(
		s, sample_of(s->w, t->cpu, &t->words, &t->properties, &t->leaves));
	return json_integer((json_int_t)*at);
}

static json_t *met_number(struct samples *s, const struct met *m)
{
	if (!m || !m->present)
		return json_null();
	return json_integer((json_int_t)sample_number(
		s, sample_of(s->w, m->cpu, &m->words, &m->properties, &m->leaves)));
}

/* ---- whose they are */

static void trials_collect(struct samples *s, const struct report *r)
{
	struct err e;

	for (size_t i = 0; i < r->count && !s->w->failed; i++) {
		size_t at;

		json_decref(tried_number(s, r->nodes[i].trial, &at));
		if (at != SIZE_MAX && !s->w->failed &&
			texts_add(&s->nodes[at], r->nodes[i].name, s->w->arena, &e) !=
				RC_OK)
			s->w->failed = true;
	}
}

static json_t *trials_of(struct samples *s, const struct report *r)
{
	json_t *array = json_array();

	trials_collect(s, r);
	for (size_t i = 0; i < s->count && !s->w->failed; i++) {
		json_t *object = json_object();

		writer_put(s->w, object, "sample", json_integer((json_int_t)i));
		writer_put(s->w, object, "nodes", writer_names(s->w, &s->nodes[i]));
		writer_add(s->w, array, object);
	}
	return array;
}

static json_t *ways_of(struct samples *s, const struct report *r)
{
	json_t *array = json_array();

	for (size_t i = 0; i < r->migration_count && !s->w->failed; i++) {
		const struct report_migration *m = &r->migrations[i];
		json_t *object = json_object();
		size_t at;

		writer_put(s->w, object, "source", writer_text(s->w, m->source));
		writer_put(s->w, object, "target", writer_text(s->w, m->target));
		writer_put(s->w, object, "before", tried_number(s, m->before, &at));
		writer_put(s->w, object, "after", met_number(s, m->met));
		writer_add(s->w, array, object);
	}
	return array;
}

/* ---- the whole */

static json_t *evidence_of(
	struct writer *w, const struct report *r, const char *began, const char *ended)
{
	json_t *object = json_object();
	struct samples s = { .w = w, .array = json_array() };

	writer_put(w, object, "began", writer_text_or_null(w, began));
	writer_put(w, object, "ended", writer_text_or_null(w, ended));
	writer_put(w, object, "cpu", writer_xml(w, r->xml));
	writer_put(w, object, "trials", trials_of(&s, r));
	writer_put(w, object, "migrations", ways_of(&s, r));
	writer_put(w, object, "samples", s.array);
	return object;
}

enum rc evidence_print(FILE *out, const struct report *r, const char *began,
	const char *ended, struct arena *arena, struct err *e)
{
	struct writer w = { .arena = arena, .folds = r->count > GROUPS_JSON_NODES };
	json_t *object = writer_report(&w, r);

	writer_put(&w, object, "evidence", evidence_of(&w, r, began, ended));
	return writer_print(&w, out, object, e);
}
