#include "coordinator/render/format.h"

#include <string.h>

#include "base/text.h"
#include "coordinator/render/writing.h"

static const struct format_row {
	const char *name;
	enum rc (*write)(struct writing *w, struct err *e);
	bool has_releases;
} formats[] = {
	{ "libvirt", write_libvirt, false },
	{ "qemu", write_qemu, false },
	{ "nova", write_nova, true },
	{ "devstack", write_devstack, true },
	{ "zuul", write_zuul, true },
	{ "proxmox", write_proxmox, false },
	{ "kubevirt", write_kubevirt, false },
	{ "json", write_json, false },
};

enum { FORMATS = sizeof(formats) / sizeof(formats[0]) };

static const struct format_row *find_format(const char *name)
{
	for (size_t i = 0; i < FORMATS; i++)
		if (strcmp(formats[i].name, name) == 0)
			return &formats[i];
	return NULL;
}

bool format_exists(const char *format)
{
	return find_format(format) != NULL;
}

bool format_has_releases(const char *format)
{
	const struct format_row *row = find_format(format);

	return row && row->has_releases;
}

const char *format_list(struct arena *arena)
{
	const char *text = "";

	for (size_t i = 0; text && i < FORMATS; i++)
		text = arena_format(
			arena, "%s%s%s", text, i ? ", " : "", formats[i].name);
	return text ? text : "";
}

/* Vendors of the catalogue may have a blank: letters and blanks are safe in a comment
 * and between quotes, which is where they go. */
static enum rc check_names(const struct format_request *r, struct err *e)
{
	const struct level *l = r->level;
	const char *bad = NULL;

	if (!text_is_name(r->name))
		bad = r->name;
	if (!text_is_name(l->model))
		bad = l->model;
	if (l->vendor[0] && !text_is_name(l->vendor) &&
		!catalogue_vendor_string(l->vendor))
		bad = l->vendor;
	for (size_t i = 0; i < l->feature_count; i++)
		if (!text_is_name(l->features[i].name))
			bad = l->features[i].name;
	if (bad)
		return err_set(e, RC_INTERNAL, 0, "not a name: '%.60s'", bad);
	return RC_OK;
}

enum rc format_write(const char *format, const struct format_request *request,
	struct arena *arena, struct buf *out, struct texts *notes, struct err *e)
{
	const struct format_row *row = find_format(format);
	struct writing w = { .request = request,
		.level = request->level,
		.arena = arena,
		.out = out,
		.notes = notes };

	*notes = (struct texts){ 0 };
	if (!row)
		return err_set(e, RC_USAGE, 0, "there is no format '%.40s'; it is %s",
			format, format_list(arena));
	if (check_names(request, e) != RC_OK || row->write(&w, e) != RC_OK)
		return e->code;
	if (w.rc == RC_LIMIT)
		return err_set(e, RC_LIMIT, 0, "the level as %s is longer than %zu bytes",
			row->name, out->cap);
	return w.rc == RC_OK ? RC_OK : err_memory(e);
}
