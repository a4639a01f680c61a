#include "coordinator/render/libvirt.h"

#include "base/text.h"
#include "coordinator/cpu/catalogue.h"
#include "coordinator/render/writing.h"

static const char *const policy_names[] = {
	[POLICY_REQUIRE] = "require",
	[POLICY_DISABLE] = "disable",
};

/* Nothing below is escaped, so nothing but a name may pass; vendors of the catalogue may
 * have blanks as well. */
static enum rc check_names(const struct level *l, struct err *e)
{
	const char *bad = NULL;

	if (!text_is_name(l->model))
		bad = l->model;
	if (l->vendor[0] && !text_is_name(l->vendor) &&
		!catalogue_is_vendor(l->vendor, 0))
		bad = l->vendor;
	for (size_t i = 0; i < l->feature_count; i++)
		if (!text_is_name(l->features[i].name))
			bad = l->features[i].name;
	if (bad)
		return err_set(
			e, RC_INTERNAL, 0, "not a name for libvirt's XML: '%.60s'", bad);
	return RC_OK;
}

static enum rc put_features(struct buf *out, const struct level *l)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; rc == RC_OK && i < l->feature_count; i++)
		rc = buf_format(out, "  <feature policy='%s' name='%s'/>\n",
			policy_names[l->features[i].policy], l->features[i].name);
	return rc;
}

enum rc render_libvirt_cpu(struct buf *out, const struct level *l, struct err *e)
{
	enum rc rc = check_names(l, e);

	if (rc != RC_OK)
		return rc;
	rc = buf_format(out,
		"<cpu mode='custom' match='exact' check='partial'>\n"
		"  <model fallback='forbid'>%s</model>\n",
		l->model);
	if (rc == RC_OK && l->vendor[0])
		rc = buf_format(out, "  <vendor>%s</vendor>\n", l->vendor);
	if (rc == RC_OK && l->maxphysaddr)
		rc = buf_format(out, "  <maxphysaddr mode='emulate' bits='%u'/>\n",
			l->maxphysaddr);
	if (rc == RC_OK)
		rc = put_features(out, l);
	if (rc == RC_OK)
		rc = buf_append_text(out, "</cpu>\n");
	if (rc == RC_LIMIT)
		return err_set(e, rc, 0, "the <cpu> is longer than %zu bytes", out->cap);
	return rc == RC_OK ? RC_OK : err_memory(e);
}

enum rc write_libvirt(struct writing *w, struct err *e)
{
	return render_libvirt_cpu(w->out, w->level, e);
}
