/* Trial guests in the JSON: what each showed, what differs, and where they went.  The words
 * themselves are in the evidence (evidence.h); here is how many there were. */
#include "coordinator/report/writer.h"

static json_t *count_of(size_t count)
{
	return json_integer((json_int_t)count);
}

/* A number to compare with another, of more bits than JSON's readers agree on. */
static json_t *boot_of(struct writer *w, uint64_t boot)
{
	const char *text = arena_format(w->arena, "0x%016llx", (unsigned long long)boot);

	return boot ? json_string(text ? text : "") : json_null();
}

/* At the source and at the target alike. */
struct seen_of_guest {
	size_t words, properties, leaves;
	const char *gap, *why;
	bool alive;
	uint64_t boot, count;
};

static void seen_put(struct writer *w, json_t *object, const struct seen_of_guest *s)
{
	writer_put(w, object, "words", count_of(s->words));
	writer_put(w, object, "properties", count_of(s->properties));
	writer_put(w, object, "leaves", count_of(s->leaves));
	writer_put(w, object, "gap", writer_text_or_null(w, s->gap));
	writer_put(w, object, "alive", json_boolean(s->alive));
	writer_put(w, object, "why", writer_text_or_null(w, s->why));
	writer_put(w, object, "boot", boot_of(w, s->boot));
	writer_put(w, object, "count", json_integer((json_int_t)s->count));
}

json_t *writer_trial(struct writer *w, const struct tried *t)
{
	json_t *object;

	if (!t)
		return json_null();
	object = json_object();
	writer_put(w, object, "name", writer_text_or_null(w, t->name));
	writer_put(w, object, "started", json_boolean(t->started));
	writer_put(w, object, "reason", writer_text_or_null(w, t->reason));
	writer_put(w, object, "features", writer_texts(w, &t->features));
	writer_put(w, object, "machine", writer_text_or_null(w, t->machine));
	writer_put(w, object, "cpu", writer_xml(w, t->cpu));
	seen_put(w, object,
		&(struct seen_of_guest){ t->words.count, t->properties.count,
			t->leaves.count, t->gap, t->why, t->alive, t->boot, t->count });
	writer_put(w, object, "start_ms", json_integer(t->start_ms));
	writer_put(w, object, "left", writer_texts(w, &t->left));
	return object;
}

/* ---- what differs */

static json_t *differences_of(struct writer *w, const struct report *r)
{
	json_t *array = json_array();

	for (size_t i = 0; i < r->difference_count; i++) {
		const struct report_difference *d = &r->differences[i];
		json_t *object = json_object();

		writer_put(w, object, "what", writer_text(w, d->what));
		writer_put(w, object, "feature", writer_text_or_null(w, d->feature));
		writer_put(w, object, "nodes", writer_names(w, &d->nodes));
		writer_put(w, object, "is", writer_text(w, d->is));
		writer_put(w, object, "wanted", writer_text_or_null(w, d->wanted));
		writer_put(w, object, "of_level", json_boolean(d->of_level));
		writer_add(w, array, object);
	}
	return array;
}

/* ---- migrations */

static json_t *sent_of(struct writer *w, const struct migrated *m)
{
	json_t *object;

	if (!m)
		return json_null();
	object = json_object();
	writer_put(w, object, "ok", json_boolean(m->ok));
	writer_put(w, object, "ms", json_integer(m->ms));
	writer_put(w, object, "native", json_integer(m->native));
	writer_put(w, object, "reason", writer_text_or_null(w, m->reason));
	writer_put(w, object, "direct", writer_text_or_null(w, m->direct));
	writer_put(w, object, "reach", writer_text_or_null(w, m->reach));
	writer_put(w, object, "log", writer_text_or_null(w, m->log));
	return object;
}

static json_t *met_of(struct writer *w, const struct met *m)
{
	json_t *object;

	if (!m)
		return json_null();
	object = json_object();
	writer_put(w, object, "present", json_boolean(m->present));
	writer_put(w, object, "state", writer_text_or_null(w, m->state));
	writer_put(w, object, "cpu", writer_xml(w, m->cpu));
	seen_put(w, object,
		&(struct seen_of_guest){ m->words.count, m->properties.count,
			m->leaves.count, m->gap, m->why, m->alive, m->boot, m->count });
	writer_put(w, object, "log", writer_text_or_null(w, m->log));
	return object;
}

static json_t *migrations_of(struct writer *w, const struct report *r)
{
	json_t *array;

	if (!r->migrations)
		return json_null();
	array = json_array();
	for (size_t i = 0; i < r->migration_count; i++) {
		const struct report_migration *m = &r->migrations[i];
		json_t *object = json_object();

		writer_put(w, object, "source", writer_text(w, m->source));
		writer_put(w, object, "target", writer_text(w, m->target));
		writer_put(w, object, "ok", json_boolean(m->ok));
		writer_put(w, object, "ran", json_boolean(m->ran));
		writer_put(w, object, "why", writer_text_or_null(w, m->why));
		writer_put(w, object, "cause", writer_text_or_null(w, m->cause));
		writer_put(w, object, "before", writer_trial(w, m->before));
		writer_put(w, object, "migrated", sent_of(w, m->migrated));
		writer_put(w, object, "met", met_of(w, m->met));
		writer_add(w, array, object);
	}
	return array;
}

static json_t *compared_of(struct writer *w, const struct report *r)
{
	json_t *object;

	if (!r->words && !r->properties)
		return json_null();
	object = json_object();
	writer_put(w, object, "words", count_of(r->words));
	writer_put(w, object, "properties", count_of(r->properties));
	return object;
}

void writer_put_trials(struct writer *w, const struct report *r, json_t *object)
{
	writer_put(w, object, "compared", compared_of(w, r));
	writer_put(w, object, "differences", differences_of(w, r));
	writer_put(w, object, "pairs", writer_text_or_null(w, r->pairs));
	writer_put(w, object, "migrations", migrations_of(w, r));
}
