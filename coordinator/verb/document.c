#include "coordinator/verb/document.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "coordinator/render/format.h"
#include "proto/limits.h"

enum rc document_make(const struct options *o, const struct level *l,
	const struct catalogue *c, struct texts doubts, struct arena *arena,
	struct document *out, struct err *e)
{
	const struct format_request request = { .level = l,
		.catalogue = c,
		.name = o->level_name,
		.nova_release = o->nova_release,
		.doubts = doubts };
	struct buf text = buf_with_cap(LIMIT_PLACE_BYTES);
	enum rc rc = format_write(o->as, &request, arena, &text, &out->notes, e);

	if (rc == RC_OK) {
		struct bytes bytes = buf_bytes(&text);

		out->text = arena_text_n(arena, bytes.data, bytes.size);
		rc = out->text ? RC_OK : err_memory(e);
	}
	buf_destroy(&text);
	return rc;
}

enum rc document_print(const struct document *d, struct err *e)
{
	for (size_t i = 0; i < d->notes.count; i++)
		log_line(LOG_WARN, NULL, "%s", d->notes.item[i]);
	if (fputs(d->text, stdout) == EOF || fflush(stdout) != 0)
		return err_set(
			e, RC_OUTPUT, errno, "standard output: %s", strerror(errno));
	return RC_OK;
}
