#include "coordinator/report/writer.h"

#include "coordinator/cpu/names.h"
#include "coordinator/report/groups.h"
#include "coordinator/report/utf8.h"

void writer_put(struct writer *w, json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value) != 0)
		w->failed = true;
}

void writer_add(struct writer *w, json_t *array, json_t *value)
{
	if (json_array_append_new(array, value) != 0)
		w->failed = true;
}

json_t *writer_text(struct writer *w, const char *text)
{
	return json_string(utf8_clean(w->arena, text));
}

json_t *writer_text_or_null(struct writer *w, const char *text)
{
	return text && text[0] ? writer_text(w, text) : json_null();
}

json_t *writer_xml(struct writer *w, const char *text)
{
	return text && text[0] ? json_string(utf8_clean_lines(w->arena, text))
			       : json_null();
}

json_t *writer_texts(struct writer *w, const struct texts *list)
{
	json_t *array = json_array();

	for (size_t i = 0; i < list->count; i++)
		writer_add(w, array, writer_text(w, list->item[i]));
	return array;
}

json_t *writer_names(struct writer *w, const struct texts *names)
{
	struct texts folded;
	struct err e;

	if (!w->folds)
		return writer_texts(w, names);
	if (groups_fold(names, w->arena, &folded, &e) == RC_OK)
		return writer_texts(w, &folded);
	w->failed = true;
	return json_array();
}

json_t *writer_error(struct writer *w, const struct err *err)
{
	json_t *object;

	if (err->code == RC_OK)
		return json_null();
	object = json_object();
	writer_put(w, object, "code", json_string(rc_name(err->code)));
	writer_put(w, object, "exit_status", json_integer(rc_exit_status(err->code)));
	writer_put(w, object, "text", writer_text(w, err->text));
	writer_put(w, object, "hint", json_string(rc_hint(err->code)));
	return object;
}

json_t *writer_set(struct writer *w, const struct catalogue *c, const struct bitset *set)
{
	struct texts names = names_of(c, set, w->arena);

	return names.item ? writer_texts(w, &names) : NULL;
}
