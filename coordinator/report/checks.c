#include "coordinator/report/checks.h"

#include <string.h>

static int compare_sizes(size_t a, size_t b)
{
	return (a > b) - (a < b);
}

static int compare_changes(const struct report_change *a, const struct report_change *b)
{
	int order = strcmp(a->what, b->what);

	if (!order)
		order = strcmp(a->was, b->was);
	return order ? order : strcmp(a->is, b->is);
}

int checks_compare(const struct report_check *a, const struct report_check *b)
{
	int order = compare_sizes(a != NULL, b != NULL);

	if (order || !a || a == b)
		return order;
	order = compare_sizes(a->change_count, b->change_count);
	for (size_t i = 0; i < a->change_count && order == 0; i++)
		order = compare_changes(&a->changes[i], &b->changes[i]);
	if (!order)
		order = strcmp(a->lock, b->lock);
	if (!order)
		order = strcmp(a->why, b->why);
	return order ? order : strcmp(a->cost, b->cost);
}

static json_t *change_json(struct writer *w, const struct report_change *c)
{
	json_t *object = json_object();

	writer_put(w, object, "what", writer_text(w, c->what));
	writer_put(w, object, "was", writer_text_or_null(w, c->was));
	writer_put(w, object, "is", writer_text_or_null(w, c->is));
	return object;
}

json_t *checks_json(struct writer *w, const struct report_check *check)
{
	json_t *object, *changes;

	if (!check)
		return json_null();
	object = json_object();
	changes = json_array();
	for (size_t i = 0; i < check->change_count; i++)
		writer_add(w, changes, change_json(w, &check->changes[i]));
	writer_put(w, object, "drift", changes);
	writer_put(w, object, "lock", writer_text_or_null(w, check->lock));
	writer_put(w, object, "lost", writer_texts(w, &check->lost));
	writer_put(w, object, "why", writer_text_or_null(w, check->why));
	writer_put(w, object, "cost", writer_text_or_null(w, check->cost));
	return object;
}
