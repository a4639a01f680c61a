#include "coordinator/render/cpu_map.h"

#include <string.h>

#include "base/text.h"
#include "coordinator/cpu/names.h"

enum rc cpu_map_check_name(const char *name, struct err *e)
{
	/* QEMU's own words, which libvirt's maps do not have */
	static const char *const reserved[] = { "base", "host", "max" };
	bool taken = catalogue_find_model(name) != NULL;

	if (!text_is_name(name))
		return err_set(e, RC_TARGET, 0,
			"'%.60s' is no name for a model in libvirt's cpu_map: letters, "
			"digits, '.', '_' and '-'",
			name);
	for (size_t i = 0; i < sizeof(reserved) / sizeof(reserved[0]); i++)
		taken = taken || strcmp(name, reserved[i]) == 0;
	if (taken)
		return err_set(e, RC_TARGET, 0,
			"%s is a model of libvirt's or QEMU's own: choose another "
			"--level-name for the model in cpu_map",
			name);
	return RC_OK;
}

static enum rc finish(const struct buf *out, enum rc rc, struct err *e)
{
	if (rc == RC_LIMIT)
		return err_set(e, rc, 0,
			"a text for libvirt's cpu_map is longer than %zu bytes",
			out->cap);
	return rc == RC_OK ? RC_OK : err_memory(e);
}

static enum rc put_vendor(struct buf *out, const char *vendor, struct err *e)
{
	if (!vendor[0])
		return RC_OK;
	if (!catalogue_is_vendor(vendor, 0))
		return err_set(e, RC_INTERNAL, 0,
			"not a vendor of libvirt's cpu_map: '%.60s'", vendor);
	return finish(out, buf_format(out, "    <vendor name='%s'/>\n", vendor), e);
}

enum rc cpu_map_render_model(struct buf *out, const struct catalogue *c,
	const struct level *l, const struct bitset *said, const char *name,
	struct arena *scratch, struct err *e)
{
	struct texts names = names_of(c, said, scratch);
	enum rc rc = cpu_map_check_name(name, e);

	if (rc != RC_OK)
		return rc;
	if (!names.item)
		return err_memory(e);
	rc = buf_format(out,
		"<cpus>\n"
		"  <model name='%s'>\n"
		"    <decode host='off' guest='off'/>\n",
		name);
	if (rc != RC_OK)
		return finish(out, rc, e);
	rc = put_vendor(out, l->vendor, e);
	if (rc != RC_OK)
		return rc;
	for (size_t i = 0; i < names.count && rc == RC_OK; i++)
		rc = buf_format(out, "    <feature name='%s'/>\n", names.item[i]);
	if (rc == RC_OK)
		rc = buf_append_text(out, "  </model>\n</cpus>\n");
	return finish(out, rc, e);
}
