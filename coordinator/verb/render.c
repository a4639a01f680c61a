#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "coordinator/cpu/levelxml.h"
#include "coordinator/cpu/names.h"
#include "coordinator/render/libvirt.h"
#include "coordinator/verb/document.h"
#include "coordinator/verb/stream.h"
#include "coordinator/verb/verb.h"
#include "proto/limits.h"

/* What we would write of it again; what else the text says is left out. */
static enum rc warn_of_other_words(
	const char *path, const char *xml, const struct level *l, struct err *e)
{
	struct buf again = buf_with_cap(2 * LIMIT_PLACE_BYTES);
	enum rc rc = render_libvirt_cpu(&again, l, e);
	struct bytes bytes = buf_bytes(&again);

	if (rc == RC_OK &&
		(bytes.size != strlen(xml) || memcmp(bytes.data, xml, bytes.size) != 0))
		log_line(LOG_WARN, NULL,
			"%s: not as cpuherd writes it; only model, vendor, maxphysaddr "
			"and the features that it requires or disables are taken from it",
			path);
	buf_destroy(&again);
	return rc;
}

static void warn_of_open(const char *path, const struct catalogue *c,
	const struct level *l, const struct bitset *open, struct arena *arena)
{
	const char *names = names_join(c, open, arena);

	if (!bitset_is_empty(open))
		log_line(LOG_WARN, NULL,
			"%s: not closed for %s guests: to some libvirt or QEMU %s also "
			"means %s, which the text does not disable; a level of cpuherd "
			"plan does",
			path, virt_names[l->virt], l->model, names ? names : "");
}

static enum rc render_run(const struct options *o, struct arena *arena, struct err *e)
{
	const char *path = o->nodes.item[0], *xml;
	enum virt_type virt = virt_of(o->virt_type);
	struct catalogue *c = catalogue_new(arena, e);
	struct document document;
	struct bitset open;
	struct level level;

	if (virt == VIRT_COUNT)
		virt = VIRT_KVM;
	if (!c ||
		stream_read_text(path, "a level", LIMIT_PLACE_BYTES, arena, &xml, e) !=
			RC_OK ||
		levelxml_read(c, xml, path, virt, arena, &level, &open, e) != RC_OK ||
		warn_of_other_words(path, xml, &level, e) != RC_OK)
		return e->code;
	warn_of_open(path, c, &level, &open, arena);
	if (document_make(o, &level, c, (struct texts){ 0 }, arena, &document, e) !=
		RC_OK)
		return e->code;
	return document_print(&document, e);
}

enum rc render_main(const struct options *o, struct err *e)
{
	struct options options = *o;
	struct arena arena = { 0 };
	enum rc rc;

	if (o->nodes.count != 1)
		return err_set(e, RC_USAGE, 0,
			"render: one FILE with a level, or - for standard input");
	if (!options.as)
		options.as = "libvirt";
	if (o->quiet)
		log_set_level(LOG_ERROR);
	rc = render_run(&options, &arena, e);
	arena_destroy(&arena);
	return rc;
}
