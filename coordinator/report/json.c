#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/cpu/psabi.h"
#include "coordinator/report/groups.h"
#include "coordinator/report/writer.h"

/* ---- the level */

static json_t *number_or_null(uint32_t number)
{
	return number ? json_integer(number) : json_null();
}

static json_t *policy_of(struct writer *w, const struct level *l, enum policy policy)
{
	json_t *array = json_array();

	for (size_t i = 0; i < l->feature_count; i++)
		if (l->features[i].policy == policy)
			writer_add(w, array, writer_text(w, l->features[i].name));
	return array;
}

static json_t *level_of(
	struct writer *w, const struct report *r, const struct level *l, const char *xml)
{
	json_t *object;

	if (!l)
		return json_null();
	object = json_object();
	writer_put(w, object, "name", writer_text(w, r->level_name));
	writer_put(w, object, "model", writer_text(w, l->model));
	writer_put(w, object, "vendor", writer_text_or_null(w, l->vendor));
	writer_put(w, object, "require", policy_of(w, l, POLICY_REQUIRE));
	writer_put(w, object, "disable", policy_of(w, l, POLICY_DISABLE));
	writer_put(w, object, "features", writer_set(w, r->catalogue, &l->baseline));
	writer_put(w, object, "maxphysaddr", number_or_null(l->maxphysaddr));
	writer_put(w, object, "xsave_bytes", number_or_null(l->xsave_bytes));
	writer_put(w, object, "psabi",
		writer_text_or_null(w, psabi_name(psabi_reached(&l->baseline))));
	writer_put(w, object, "xml", json_string(xml));
	return object;
}

static json_t *pools_of(struct writer *w, const struct report *r)
{
	json_t *array = r->pool_count ? json_array() : json_null();

	for (size_t i = 0; i < r->pool_count; i++) {
		const struct report_pool *p = &r->pools[i];
		json_t *object = json_object();

		writer_put(w, object, "vendor", writer_text_or_null(w, p->vendor));
		writer_put(w, object, "nodes", writer_names(w, &p->nodes));
		writer_put(w, object, "without", writer_text_or_null(w, p->without));
		writer_put(w, object, "level", level_of(w, r, p->level, p->xml));
		writer_put(w, object, "error", writer_error(w, &p->err));
		writer_add(w, array, object);
	}
	return array;
}

static json_t *wishes_of(struct writer *w, const struct report *r)
{
	const struct wishes *wishes = r->wishes;
	json_t *object;

	if (!wishes)
		return json_null();
	object = json_object();
	writer_put(w, object, "model",
		writer_text_or_null(w, wishes->model ? wishes->model->name : ""));
	writer_put(w, object, "prefer", json_string(preference_names[wishes->prefer]));
	writer_put(w, object, "at_least", writer_text_or_null(w, wishes->at_least));
	writer_put(w, object, "require", writer_set(w, r->catalogue, &wishes->required));
	writer_put(w, object, "cross_vendor", json_boolean(wishes->cross_vendor));
	writer_put(w, object, "without", writer_set(w, r->catalogue, &wishes->excluded));
	return object;
}

static json_t *losses_of(struct writer *w, const struct report *r)
{
	json_t *array = json_array();

	for (size_t i = 0; i < r->loss_count; i++) {
		json_t *object = json_object();

		writer_put(w, object, "feature", writer_text(w, r->losses[i].feature));
		writer_put(
			w, object, "lacked_by", writer_names(w, &r->losses[i].lacked_by));
		writer_put(w, object, "refused_by",
			writer_names(w, &r->losses[i].refused_by));
		writer_add(w, array, object);
	}
	return array;
}

static json_t *machines_of(struct writer *w, const struct report *r)
{
	json_t *object;

	if (!r->conditions)
		return json_null();
	object = json_object();
	for (int family = 0; family < MACHINE_FAMILIES; family++)
		writer_put(w, object, machine_family_names[family],
			writer_text_or_null(w, r->conditions->machines[family]));
	return object;
}

static json_t *remarks_of(struct writer *w, const struct report *r)
{
	json_t *array = json_array();

	for (size_t i = 0; i < r->remark_count; i++) {
		const struct report_remark *m = &r->remarks[i];
		json_t *object = json_object();

		writer_put(w, object, "warning", json_boolean(m->warning));
		writer_put(w, object, "about", writer_text(w, m->about));
		writer_put(w, object, "text", writer_text(w, m->text));
		writer_put(w, object, "nodes", writer_names(w, &m->nodes));
		writer_add(w, array, object);
	}
	return array;
}

/* ---- the whole */

json_t *writer_report(struct writer *w, const struct report *r)
{
	json_t *object = json_object();

	writer_put(w, object, "schema", json_string("cpuherd/2"));
	writer_put(w, object, "version", json_string(CPUHERD_VERSION));
	writer_put(w, object, "verb", writer_text(w, r->verb));
	writer_put(w, object, "ok", json_boolean(r->err.code == RC_OK));
	writer_put(w, object, "exit_status", json_integer(rc_exit_status(r->err.code)));
	writer_put(w, object, "error", writer_error(w, &r->err));
	writer_put(w, object, "dry_run", json_boolean(r->dry_run));
	writer_put(w, object, "virt_type", writer_text_or_null(w, r->virt));
	writer_put(w, object, "virt_note", writer_text_or_null(w, r->virt_note));
	writer_put(w, object, "rounds", json_integer(r->rounds));
	writer_put(w, object, "wishes", wishes_of(w, r));
	writer_put(w, object, "level", level_of(w, r, r->level, r->xml));
	writer_put(w, object, "pools", pools_of(w, r));
	writer_put(w, object, "lost", r->explains ? losses_of(w, r) : json_null());
	writer_put(w, object, "machines", machines_of(w, r));
	writer_put(w, object, "remarks", remarks_of(w, r));
	writer_put_nodes(w, r, object);
	writer_put_trials(w, r, object);
	writer_put(w, object, "summary", writer_text_or_null(w, r->summary));
	return object;
}

/* Takes the object over. */
static enum rc object_print(FILE *out, json_t *object, struct err *e)
{
	char *text = object ? json_dumps(object, JSON_INDENT(2) | JSON_SORT_KEYS) : NULL;
	bool written;

	json_decref(object);
	if (!text)
		return err_memory(e);
	written = fprintf(out, "%s\n", text) >= 0 && fflush(out) == 0 && !ferror(out);
	free(text);
	if (!written)
		return err_set(
			e, RC_OUTPUT, errno, "standard output: %s", strerror(errno));
	return RC_OK;
}

enum rc writer_print(struct writer *w, FILE *out, json_t *object, struct err *e)
{
	if (w->failed) {
		json_decref(object);
		object = NULL;
	}
	return object_print(out, object, e);
}

enum rc json_print(FILE *out, const struct report *r, struct arena *arena, struct err *e)
{
	struct writer w = { .arena = arena, .folds = r->count > GROUPS_JSON_NODES };

	return writer_print(&w, out, writer_report(&w, r), e);
}

enum rc json_print_version(FILE *out, const char *catalogue, uint32_t protocol,
	const char *libssh2, struct err *e)
{
	return object_print(out,
		json_pack("{s:s, s:s, s:s, s:i, s:s, s:s}", "schema", "cpuherd/2", "verb",
			"version", "version", CPUHERD_VERSION, "protocol", (int)protocol,
			"libssh2", libssh2, "catalogue", catalogue),
		e);
}
