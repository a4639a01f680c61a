#include <string.h>

#include "coordinator/report/checks.h"
#include "coordinator/report/edits.h"
#include "coordinator/report/groups.h"
#include "coordinator/report/writer.h"

enum { DIFF_BYTES_MAX = 1024 * 1024 };

static json_t *facts_of(struct writer *w, const struct facts *f)
{
	const struct gap *gaps = f->gaps.item;
	json_t *object = json_object(), *array = json_array();

	writer_put(w, object, "hostname", writer_text_or_null(w, f->hostname));
	writer_put(w, object, "host_uuid", writer_text_or_null(w, f->host_uuid));
	writer_put(w, object, "arch", writer_text_or_null(w, f->arch));
	writer_put(w, object, "kernel", writer_text_or_null(w, f->kernel));
	writer_put(w, object, "microcode", writer_text_or_null(w, f->microcode));
	writer_put(w, object, "cpus", json_integer(f->cpus));
	writer_put(w, object, "physical_address_bits",
		json_integer(f->physical_address_bits));
	writer_put(w, object, "libvirt",
		writer_text_or_null(w, report_version(w->arena, f->libvirt_version)));
	writer_put(w, object, "qemu",
		writer_text_or_null(w, report_version(w->arena, f->hypervisor_version)));
	for (size_t i = 0; i < f->gaps.count; i++) {
		json_t *gap = json_object();

		writer_put(w, gap, "fact", writer_text(w, gaps[i].fact));
		writer_put(w, gap, "reason", writer_text(w, gaps[i].reason));
		writer_add(w, array, gap);
	}
	writer_put(w, object, "gaps", array);
	return object;
}

static json_t *offer_of(struct writer *w, const struct report *r, const struct offer *o)
{
	json_t *object;

	if (!o)
		return json_null();
	object = json_object();
	writer_put(w, object, "source", writer_text(w, offer_source_names[o->source]));
	writer_put(w, object, "cpu", writer_text(w, o->cpu));
	writer_put(w, object, "vendor", writer_text_or_null(w, o->vendor));
	writer_put(w, object, "host_model", writer_text_or_null(w, o->host_model));
	writer_put(w, object, "raw", json_integer((json_int_t)bitset_count(&o->raw)));
	writer_put(w, object, "kvm", json_integer((json_int_t)bitset_count(&o->kvm)));
	writer_put(w, object, "features", writer_set(w, r->catalogue, &o->features));
	return object;
}

static json_t *virt_types_of(struct writer *w, const struct report_node *n)
{
	json_t *array = json_array();

	for (int virt = 0; virt < VIRT_COUNT; virt++)
		if (n->virt[virt])
			writer_add(w, array, json_string(virt_names[virt]));
	return array;
}

static json_t *diff_of(struct writer *w, const struct edit *edit)
{
	struct buf diff = buf_with_cap(DIFF_BYTES_MAX);
	struct err e;
	json_t *value = NULL;

	if (edits_diff_one(&diff, edit, w->arena, &e) == RC_OK)
		value = json_stringn(
			buf_bytes(&diff).size ? (const char *)buf_bytes(&diff).data : "",
			buf_bytes(&diff).size);
	buf_destroy(&diff);
	return value;
}

static json_t *change_of(struct writer *w, const struct edit *edit, bool shows)
{
	const struct place_row *place = place_of(edit->place);
	json_t *object = json_object();

	writer_put(w, object, "place", writer_text_or_null(w, place ? place->name : ""));
	writer_put(w, object, "name", writer_text(w, edit->name));
	writer_put(w, object, "title", writer_text(w, edit->title));
	writer_put(w, object, "exists", json_boolean(edit->exists));
	writer_put(w, object, "ours", json_boolean(edit->ours));
	writer_put(w, object, "unchanged", json_boolean(edit->unchanged));
	writer_put(w, object, "machine", writer_text_or_null(w, edit->machine));
	writer_put(w, object, "machine_before",
		writer_text_or_null(w, edit->machine_before));
	writer_put(w, object, "diff", shows ? diff_of(w, edit) : json_null());
	return object;
}

static json_t *changes_of(
	struct writer *w, const struct report *r, const struct report_node *n)
{
	json_t *array = json_array();

	for (size_t i = 0; i < n->edits.count; i++)
		writer_add(w, array,
			change_of(w, &n->edits.item[i], report_shows_edits(r, n)));
	return array;
}

/* What is said of a node, or of all of a group. */
static void node_put(struct writer *w, const struct report *r,
	const struct report_node *n, json_t *object)
{
	writer_put(w, object, "facts",
		n->facts ? facts_of(w, &n->facts->small) : json_null());
	writer_put(w, object, "virt_types", virt_types_of(w, n));
	writer_put(w, object, "offer", offer_of(w, r, n->offer));
	writer_put(w, object, "vote", writer_text_or_null(w, report_vote_name(n->vote)));
	writer_put(w, object, "refused", writer_texts(w, &n->refused));
	writer_put(w, object, "outcome", writer_text_or_null(w, n->outcome));
	writer_put(w, object, "changes", changes_of(w, r, n));
	writer_put(w, object, "check", checks_json(w, n->check));
	writer_put(w, object, "trial", writer_trial(w, n->trial));
	writer_put(w, object, "proof", writer_text_or_null(w, n->proof));
	writer_put(w, object, "note", writer_text_or_null(w, n->note));
	writer_put(w, object, "error", writer_error(w, &n->err));
}

static json_t *node_of(
	struct writer *w, const struct report *r, const struct report_node *n)
{
	json_t *object = json_object();

	writer_put(w, object, "name", writer_text(w, n->name));
	node_put(w, r, n, object);
	return object;
}

/* What each says of itself alone is nobody's here. */
static json_t *group_of(
	struct writer *w, const struct report *r, const struct report_group *g)
{
	json_t *object = json_object(), *facts, *trial;

	writer_put(w, object, "count", json_integer((json_int_t)g->names.count));
	writer_put(w, object, "names", writer_names(w, &g->names));
	node_put(w, r, g->like, object);
	facts = json_object_get(object, "facts");
	if (json_is_object(facts)) {
		writer_put(w, facts, "hostname", json_null());
		writer_put(w, facts, "host_uuid", json_null());
	}
	trial = json_object_get(object, "trial");
	if (json_is_object(trial)) {
		writer_put(w, trial, "name", json_null());
		writer_put(w, trial, "start_ms", json_null());
	}
	return object;
}

void writer_put_nodes(struct writer *w, const struct report *r, json_t *object)
{
	json_t *nodes = json_array(), *groups = w->folds ? json_array() : json_null();
	struct report_group *all;
	size_t count = 0;
	struct err e;

	if (groups_make(r, GROUPS_JSON_NODES, w->arena, &all, &count, &e) != RC_OK)
		w->failed = true;
	for (size_t i = 0; i < count && !w->failed; i++) {
		if (all[i].names.count == 1)
			writer_add(w, nodes, node_of(w, r, all[i].like));
		else
			writer_add(w, groups, group_of(w, r, &all[i]));
	}
	writer_put(w, object, "nodes", nodes);
	writer_put(w, object, "groups", groups);
}
