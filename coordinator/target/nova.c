/* The level in the options of nova-compute: a drop-in of its configuration.
 *
 * What counts is what nova takes in the end, so the rules go by the order in which the
 * node's nova reads its files: what is read before the drop-in may be overruled (with
 * --replace), what is read after it overrules. */
#include <string.h>
#include <strings.h>

#include "coordinator/render/format.h"
#include "coordinator/render/nova.h"
#include "coordinator/target/nova_options.h"
#include "coordinator/target/target.h"
#include "proto/limits.h"
#include "proto/virt.h"

static const char *folder_of(const struct target_request *r)
{
	return r->nova_folder ? r->nova_folder : "nova.conf.d";
}

static enum rc nova_spots(const struct target_request *r, struct arena *arena,
	struct list *spots, struct err *e)
{
	return target_add_spot(spots, PLACE_nova, folder_of(r), arena, e);
}

/* ---- can this nova be told? */

static enum rc check_nova(const struct planning *p, struct err *e)
{
	const struct nova *nova = p->survey->nova;

	if (!nova)
		return err_set(e, RC_INTERNAL, 0, "nova was not asked about");
	if (!*nova->version)
		return err_set(e, RC_TARGET, 0,
			"nova-compute is not installed here: --without leaves the node "
			"out");
	if (p->request->restart && !*nova->unit)
		return err_set(e, RC_TARGET, 0,
			"--restart: systemd has no unit of nova-compute here: restart it "
			"yourself, without --restart");
	return RC_OK;
}

/* That of the request, which may be older than the node's (options keep their old
 * names), never newer. */
static enum rc choose_release(
	const struct planning *p, const struct nova_release **out, struct err *e)
{
	const char *version = p->survey->nova->version,
		   *wanted = p->request->nova_release;
	const struct nova_release *of_node = nova_find_version(version);

	*out = wanted ? nova_find_release(wanted) : of_node;
	if (!of_node || !*out)
		return err_set(e, RC_TARGET, 0,
			"nova %.40s is older than what cpuherd knows (%s)", version,
			nova_list_releases(p->arena));
	if (nova_is_newer(*out, of_node))
		return err_set(e, RC_TARGET, 0,
			"nova %.40s is of release %s: it does not know all that "
			"--nova-release %s would write; leave --nova-release out, or say "
			"%s",
			version, of_node->name, (*out)->name, of_node->name);
	return RC_OK;
}

/* Formats say an older release's guests another CPU than the level, with a note; here
 * all nodes must have the level itself. */
static enum rc check_sayable(
	const struct planning *p, const struct nova_release *release, struct err *e)
{
	const struct target_request *r = p->request;
	struct level fitted;
	struct bitset lost;
	struct err why = { 0 };
	enum rc rc = shape_fit(
		r->catalogue, r->level, release->shape, p->arena, &fitted, &lost, &why);

	if (rc == RC_OK && bitset_is_empty(&lost) &&
		strcmp(fitted.model, r->level->model) == 0 &&
		fitted.feature_count == r->level->feature_count)
		return RC_OK;
	if (rc != RC_OK && rc != RC_FORMAT)
		*e = why;
	if (rc != RC_OK && rc != RC_FORMAT)
		return rc;
	return err_set(e, RC_TARGET, 0,
		"nova %s cannot say this level (%s +%zu features): from wallaby on it "
		"can; "
		"for less than the level see cpuherd plan --as nova --nova-release %s",
		release->name, r->level->model, r->level->feature_count, release->name);
}

/* It would not start any more, or take no guest that moves in. */
static enum rc check_compare(
	const struct planning *p, const struct nova_release *release, struct err *e)
{
	const char *flags = nova_compares(
		release, p->request->catalogue, p->request->level, p->arena);

	if (!flags)
		return err_memory(e);
	if (!*flags)
		return RC_OK;
	return err_set(e, RC_TARGET, 0,
		"nova %s compares flags with the machine's own CPU, which may lack those "
		"that KVM makes: negotiate --without %.300s, or take nova zed or newer",
		release->name, flags);
}

static enum rc write_text(const struct planning *p, const struct nova_release *release,
	struct bytes *out, struct texts *notes, struct err *e)
{
	const struct format_request request = { .level = p->request->level,
		.catalogue = p->request->catalogue,
		.name = p->request->level_name,
		.nova_release = release->name };
	struct buf text = buf_with_cap(LIMIT_PLACE_BYTES);
	enum rc rc = format_write("nova", &request, p->arena, &text, notes, e);
	struct bytes bytes = buf_bytes(&text);
	const char *copy = rc == RC_OK ? arena_text_n(p->arena, bytes.data, bytes.size)
				       : NULL;

	*out = (struct bytes){ (const uint8_t *)copy, copy ? bytes.size : 0 };
	buf_destroy(&text);
	return rc != RC_OK || copy ? rc : err_memory(e);
}

/* ---- what stands against it */

static enum rc check_order(const struct nova_options *o, struct err *e)
{
	if (o->place == NOVA_NOT_READ)
		return err_set(e, RC_TARGET, 0,
			"nova-compute does not read %s: start it with --config-dir for "
			"that "
			"folder, or name with --nova-conf-dir the one that it reads (it "
			"reads "
			"%.300s)",
			o->path, o->files);
	return RC_OK;
}

static enum rc check_virt_type(
	const struct planning *p, const struct nova_options *o, struct err *e)
{
	const struct nova_option *set = nova_options_last(
		o, "libvirt", "virt_type", NOVA_BEFORE | NOVA_AFTER);
	const char *is = set ? set->value : "kvm",
		   *wanted = virt_names[p->request->level->virt];

	if (strcmp(is, wanted) == 0)
		return RC_OK;
	return err_set(e, RC_TARGET, 0,
		"%s%s [libvirt] virt_type %s%.40s, and the level is for %s guests: set "
		"it "
		"to %s there, or negotiate with --virt-type %s",
		set ? set->file : "nova's default", set ? " sets" : " for",
		set ? "= " : "is ", is, wanted, wanted,
		strcmp(is, "qemu") == 0 ? "qemu" : "kvm");
}

static enum rc check_wish(const struct planning *p, const struct nova_options *o,
	const struct nova_wish *w, struct err *e)
{
	const struct nova_option *after = nova_options_last(
		o, w->section, w->name, NOVA_AFTER);
	const struct nova_option *before = nova_options_last(
		o, w->section, w->name, NOVA_BEFORE);

	if (after && !nova_options_same(w, after->value))
		return err_set(e, RC_TARGET, 0,
			"%s, which nova reads after %s, sets [%s] %s = %.100s, and the "
			"level "
			"needs %.100s: take it out there, or name the folder behind it "
			"when "
			"nova-compute is started (--config-dir); --replace cannot help",
			after->file, o->path, w->section, after->name, after->value,
			w->value);
	if (after || !before || p->request->replace ||
		nova_options_same(w, before->value))
		return RC_OK;
	return err_set(e, RC_TARGET, 0,
		"%s sets [%s] %s = %.100s, and the level needs %.100s: take it out "
		"there, or "
		"give --replace: then %s wins, which nova reads later",
		before->file, w->section, before->name, before->value, w->value, o->path);
}

/* A level without features writes no flags, so that those of the node would stay. */
static enum rc check_flags(
	const struct planning *p, const struct nova_options *o, struct err *e)
{
	const struct nova_option *set = nova_options_last(
		o, "libvirt", NOVA_FLAGS, NOVA_BEFORE | NOVA_AFTER);

	if (p->request->level->feature_count || !set || !*set->value)
		return RC_OK;
	return err_set(e, RC_TARGET, 0,
		"%s sets [libvirt] " NOVA_FLAGS
		" = %.100s, and the level has no flags: take "
		"it out there",
		set->file, set->value);
}

static enum rc check_settings(
	const struct planning *p, struct bytes text, const char *path, struct err *e)
{
	struct nova_options o;
	enum rc rc = nova_options_make(
		&o, p->survey->nova, path, (const char *)text.data, p->arena, e);

	if (rc == RC_OK)
		rc = check_order(&o, e);
	if (rc == RC_OK)
		rc = check_virt_type(p, &o, e);
	for (size_t i = 0; i < o.wish_count && rc == RC_OK; i++)
		rc = check_wish(p, &o, &o.wishes[i], e);
	return rc == RC_OK ? check_flags(p, &o, e) : rc;
}

/* ---- the plan */

static enum rc remark(const struct planning *p, const struct texts *notes, struct err *e)
{
	const struct edit *edit = &p->edits->item[p->edits->count - 1];
	enum rc rc = RC_OK;

	for (size_t i = 0; i < notes->count && rc == RC_OK; i++)
		rc = target_remark(p, false, "nova", notes->item[i], e);
	if (rc != RC_OK || edit->unchanged)
		return rc;
	if (!p->request->restart)
		rc = target_remark(p, true, "restart",
			"nova-compute goes on with its old CPU until it is restarted "
			"(--restart does that)",
			e);
	if (rc == RC_OK)
		rc = target_remark(p, true, "guests",
			"guests of nova that are there keep their CPU until they are "
			"powered "
			"off and on again (openstack server reboot --hard)",
			e);
	return rc;
}

static enum rc nova_plan(const struct planning *p, struct err *e)
{
	const struct nova_release *release;
	struct texts notes = { 0 };
	struct bytes text;
	enum rc rc;

	if (check_nova(p, e) != RC_OK || choose_release(p, &release, e) != RC_OK ||
		check_sayable(p, release, e) != RC_OK ||
		check_compare(p, release, e) != RC_OK ||
		write_text(p, release, &text, &notes, e) != RC_OK)
		return e->code;
	rc = target_edit_file(p, PLACE_nova, folder_of(p->request), text, e);
	if (rc == RC_OK)
		rc = check_settings(
			p, text, p->edits->item[p->edits->count - 1].title, e);
	return rc == RC_OK ? remark(p, &notes, e) : rc;
}

const struct target target_nova = { .name = "nova",
	.help = "/etc/nova/nova.conf.d/99-cpuherd.conf, for nova-compute",
	.asks_nova = true,
	.unit = "nova",
	.spots = nova_spots,
	.plan = nova_plan };
