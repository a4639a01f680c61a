#include "coordinator/report/report.h"

#include <jansson.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "coordinator/cpu/psabi.h"
#include "coordinator/cpu/names.h"
#include "coordinator/report/diff.h"
#include "coordinator/report/groups.h"
#include "coordinator/report/utf8.h"

enum { DIFF_BYTES_MAX = 1024 * 1024 };

/* Every json_*() that is short of memory returns NULL, and NULL put anywhere is
 * refused: so one flag catches them all. */
struct writer {
	struct arena *arena;
	bool folds; /* a run of many: names are folded to patterns */
	bool failed;
};

static void put(struct writer *w, json_t *object, const char *key, json_t *value)
{
	if (json_object_set_new(object, key, value) != 0)
		w->failed = true;
}

static void add(struct writer *w, json_t *array, json_t *value)
{
	if (json_array_append_new(array, value) != 0)
		w->failed = true;
}

static json_t *text_of(struct writer *w, const char *text)
{
	return json_string(utf8_clean(w->arena, text));
}

/* null where there is nothing to say. */
static json_t *text_or_null(struct writer *w, const char *text)
{
	return text && text[0] ? text_of(w, text) : json_null();
}

static json_t *number_or_null(uint32_t number)
{
	return number ? json_integer(number) : json_null();
}

static json_t *texts_of(struct writer *w, const struct texts *list)
{
	json_t *array = json_array();

	for (size_t i = 0; i < list->count; i++)
		add(w, array, text_of(w, list->item[i]));
	return array;
}

/* Names of nodes. */
static json_t *names_of_nodes(struct writer *w, const struct texts *names)
{
	struct texts folded;
	struct err e;

	if (!w->folds)
		return texts_of(w, names);
	if (groups_fold(names, w->arena, &folded, &e) == RC_OK)
		return texts_of(w, &folded);
	w->failed = true;
	return json_array();
}

static json_t *error_of(struct writer *w, const struct err *err)
{
	json_t *object;

	if (err->code == RC_OK)
		return json_null();
	object = json_object();
	put(w, object, "code", json_string(rc_name(err->code)));
	put(w, object, "exit_status", json_integer(rc_exit_status(err->code)));
	put(w, object, "text", text_of(w, err->text));
	put(w, object, "hint", json_string(rc_hint(err->code)));
	return object;
}

/* ---- the level */

static json_t *policy_of(struct writer *w, const struct level *l, enum policy policy)
{
	json_t *array = json_array();

	for (size_t i = 0; i < l->feature_count; i++)
		if (l->features[i].policy == policy)
			add(w, array, text_of(w, l->features[i].name));
	return array;
}

/* Bits have no meaning outside one run. */
static json_t *set_of(
	struct writer *w, const struct catalogue *c, const struct bitset *set)
{
	struct texts names = names_of(c, set, w->arena);

	return names.item ? texts_of(w, &names) : NULL;
}

static json_t *level_of(
	struct writer *w, const struct report *r, const struct level *l, const char *xml)
{
	json_t *object;

	if (!l)
		return json_null();
	object = json_object();
	put(w, object, "name", text_of(w, r->level_name));
	put(w, object, "model", text_of(w, l->model));
	put(w, object, "vendor", text_or_null(w, l->vendor));
	put(w, object, "require", policy_of(w, l, POLICY_REQUIRE));
	put(w, object, "disable", policy_of(w, l, POLICY_DISABLE));
	put(w, object, "features", set_of(w, r->catalogue, &l->baseline));
	put(w, object, "maxphysaddr", number_or_null(l->maxphysaddr));
	put(w, object, "xsave_bytes", number_or_null(l->xsave_bytes));
	put(w, object, "psabi", text_or_null(w, psabi_name(psabi_reached(&l->baseline))));
	put(w, object, "xml", json_string(xml));
	return object;
}

static json_t *pools_of(struct writer *w, const struct report *r)
{
	json_t *array = r->pool_count ? json_array() : json_null();

	for (size_t i = 0; i < r->pool_count; i++) {
		const struct report_pool *p = &r->pools[i];
		json_t *object = json_object();

		put(w, object, "vendor", text_or_null(w, p->vendor));
		put(w, object, "nodes", names_of_nodes(w, &p->nodes));
		put(w, object, "without", text_or_null(w, p->without));
		put(w, object, "level", level_of(w, r, p->level, p->xml));
		put(w, object, "error", error_of(w, &p->err));
		add(w, array, object);
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
	put(w, object, "model",
		text_or_null(w, wishes->model ? wishes->model->name : ""));
	put(w, object, "prefer", json_string(preference_names[wishes->prefer]));
	put(w, object, "at_least", text_or_null(w, wishes->at_least));
	put(w, object, "require", set_of(w, r->catalogue, &wishes->required));
	put(w, object, "cross_vendor", json_boolean(wishes->cross_vendor));
	put(w, object, "without", set_of(w, r->catalogue, &wishes->excluded));
	return object;
}

static json_t *losses_of(struct writer *w, const struct report *r)
{
	json_t *array = json_array();

	for (size_t i = 0; i < r->loss_count; i++) {
		json_t *object = json_object();

		put(w, object, "feature", text_of(w, r->losses[i].feature));
		put(w, object, "lacked_by", names_of_nodes(w, &r->losses[i].lacked_by));
		put(w, object, "refused_by", names_of_nodes(w, &r->losses[i].refused_by));
		add(w, array, object);
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
		put(w, object, machine_family_names[family],
			text_or_null(w, r->conditions->machines[family]));
	return object;
}

static json_t *remarks_of(struct writer *w, const struct report *r)
{
	json_t *array = json_array();

	for (size_t i = 0; i < r->remark_count; i++) {
		const struct report_remark *m = &r->remarks[i];
		json_t *object = json_object();

		put(w, object, "warning", json_boolean(m->warning));
		put(w, object, "about", text_of(w, m->about));
		put(w, object, "text", text_of(w, m->text));
		put(w, object, "nodes", names_of_nodes(w, &m->nodes));
		add(w, array, object);
	}
	return array;
}

/* ---- nodes */

static json_t *facts_of(struct writer *w, const struct facts *f)
{
	const struct gap *gaps = f->gaps.item;
	json_t *object = json_object(), *array = json_array();

	put(w, object, "hostname", text_or_null(w, f->hostname));
	put(w, object, "host_uuid", text_or_null(w, f->host_uuid));
	put(w, object, "arch", text_or_null(w, f->arch));
	put(w, object, "kernel", text_or_null(w, f->kernel));
	put(w, object, "microcode", text_or_null(w, f->microcode));
	put(w, object, "cpus", json_integer(f->cpus));
	put(w, object, "physical_address_bits", json_integer(f->physical_address_bits));
	put(w, object, "libvirt",
		text_or_null(w, report_version(w->arena, f->libvirt_version)));
	put(w, object, "qemu",
		text_or_null(w, report_version(w->arena, f->hypervisor_version)));
	for (size_t i = 0; i < f->gaps.count; i++) {
		json_t *gap = json_object();

		put(w, gap, "fact", text_of(w, gaps[i].fact));
		put(w, gap, "reason", text_of(w, gaps[i].reason));
		add(w, array, gap);
	}
	put(w, object, "gaps", array);
	return object;
}

static json_t *offer_of(struct writer *w, const struct report *r, const struct offer *o)
{
	json_t *object;

	if (!o)
		return json_null();
	object = json_object();
	put(w, object, "source", text_of(w, offer_source_names[o->source]));
	put(w, object, "cpu", text_of(w, o->cpu));
	put(w, object, "vendor", text_or_null(w, o->vendor));
	put(w, object, "host_model", text_or_null(w, o->host_model));
	put(w, object, "raw", json_integer((json_int_t)bitset_count(&o->raw)));
	put(w, object, "kvm", json_integer((json_int_t)bitset_count(&o->kvm)));
	put(w, object, "features", set_of(w, r->catalogue, &o->features));
	return object;
}

static json_t *virt_types_of(struct writer *w, const struct report_node *n)
{
	json_t *array = json_array();

	for (int virt = 0; virt < VIRT_COUNT; virt++)
		if (n->virt[virt])
			add(w, array, json_string(virt_names[virt]));
	return array;
}

/* What a dry run would change; null where nothing was looked at. */
static json_t *diff_of(
	struct writer *w, const struct report *r, const struct report_node *n)
{
	struct bytes after = { (const uint8_t *)r->xml, strlen(r->xml) };
	struct buf diff = buf_with_cap(DIFF_BYTES_MAX);
	struct err e;
	json_t *value = NULL;

	if (!r->dry_run || !n->looked)
		return json_null();
	if (diff_unified(&diff,
		    (const char *const[]){ n->exists ? n->path : "/dev/null", n->path },
		    (const struct bytes[]){ n->content, after }, w->arena, &e) == RC_OK)
		value = json_stringn(
			buf_bytes(&diff).size ? (const char *)buf_bytes(&diff).data : "",
			buf_bytes(&diff).size);
	buf_destroy(&diff);
	return value;
}

/* What is said of a node, or of all of a group. */
static void node_put(struct writer *w, const struct report *r,
	const struct report_node *n, json_t *object)
{
	put(w, object, "facts", n->facts ? facts_of(w, &n->facts->small) : json_null());
	put(w, object, "virt_types", virt_types_of(w, n));
	put(w, object, "offer", offer_of(w, r, n->offer));
	put(w, object, "vote", text_or_null(w, report_vote_name(n->vote)));
	put(w, object, "refused", texts_of(w, &n->refused));
	put(w, object, "outcome", text_or_null(w, n->outcome));
	put(w, object, "path", text_or_null(w, n->path));
	put(w, object, "diff", diff_of(w, r, n));
	put(w, object, "note", text_or_null(w, n->note));
	put(w, object, "error", error_of(w, &n->err));
}

static json_t *node_of(
	struct writer *w, const struct report *r, const struct report_node *n)
{
	json_t *object = json_object();

	put(w, object, "name", text_of(w, n->name));
	node_put(w, r, n, object);
	return object;
}

/* What each says of itself alone is nobody's here. */
static json_t *group_of(
	struct writer *w, const struct report *r, const struct report_group *g)
{
	json_t *object = json_object(), *facts;

	put(w, object, "count", json_integer((json_int_t)g->names.count));
	put(w, object, "names", names_of_nodes(w, &g->names));
	node_put(w, r, g->like, object);
	facts = json_object_get(object, "facts");
	if (json_is_object(facts)) {
		put(w, facts, "hostname", json_null());
		put(w, facts, "host_uuid", json_null());
	}
	return object;
}

/* Nodes that stand alone, and in a run of many the groups of those that do not. */
static void nodes_put(struct writer *w, const struct report *r, json_t *object)
{
	json_t *nodes = json_array(), *groups = w->folds ? json_array() : json_null();
	struct report_group *all;
	size_t count = 0;
	struct err e;

	if (groups_make(r, GROUPS_JSON_NODES, w->arena, &all, &count, &e) != RC_OK)
		w->failed = true;
	for (size_t i = 0; i < count && !w->failed; i++) {
		if (all[i].names.count == 1)
			add(w, nodes, node_of(w, r, all[i].like));
		else
			add(w, groups, group_of(w, r, &all[i]));
	}
	put(w, object, "nodes", nodes);
	put(w, object, "groups", groups);
}

/* ---- the whole */

static json_t *report_of(struct writer *w, const struct report *r)
{
	json_t *object = json_object();

	put(w, object, "schema", json_string("cpuherd/1"));
	put(w, object, "version", json_string(CPUHERD_VERSION));
	put(w, object, "verb", text_of(w, r->verb));
	put(w, object, "ok", json_boolean(r->err.code == RC_OK));
	put(w, object, "exit_status", json_integer(rc_exit_status(r->err.code)));
	put(w, object, "error", error_of(w, &r->err));
	put(w, object, "dry_run", json_boolean(r->dry_run));
	put(w, object, "virt_type", text_or_null(w, r->virt));
	put(w, object, "virt_note", text_or_null(w, r->virt_note));
	put(w, object, "rounds", json_integer(r->rounds));
	put(w, object, "wishes", wishes_of(w, r));
	put(w, object, "level", level_of(w, r, r->level, r->xml));
	put(w, object, "pools", pools_of(w, r));
	put(w, object, "lost", r->explains ? losses_of(w, r) : json_null());
	put(w, object, "machines", machines_of(w, r));
	put(w, object, "remarks", remarks_of(w, r));
	nodes_put(w, r, object);
	put(w, object, "summary", text_or_null(w, r->summary));
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

enum rc json_print(FILE *out, const struct report *r, struct arena *arena, struct err *e)
{
	struct writer w = { .arena = arena, .folds = r->count > GROUPS_JSON_NODES };
	json_t *object = report_of(&w, r);

	if (w.failed) {
		json_decref(object);
		object = NULL;
	}
	return object_print(out, object, e);
}

enum rc json_print_version(FILE *out, const char *catalogue, uint32_t protocol,
	const char *libssh2, struct err *e)
{
	return object_print(out,
		json_pack("{s:s, s:s, s:s, s:i, s:s, s:s}", "schema", "cpuherd/1", "verb",
			"version", "version", CPUHERD_VERSION, "protocol", (int)protocol,
			"libssh2", libssh2, "catalogue", catalogue),
		e);
}
