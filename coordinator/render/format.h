/* format.h - a level in the words of those who start guests.
 *
 * One table of formats (docs/formats.md has what each cannot say, and why we think so).
 * What a format cannot express is an error that names it, or a note: a format never
 * drops a feature without a word.  Equal levels give equal bytes: no dates, no names
 * of nodes.  Nothing but names and numbers of ours gets into a text, so that nothing
 * needs escaping.
 */
#ifndef COORDINATOR_RENDER_FORMAT_H
#define COORDINATOR_RENDER_FORMAT_H

#include "base/buf.h"
#include "coordinator/cpu/level.h"

struct format_request {
	const struct level *level;
	const struct catalogue *catalogue;
	const char *name;	  /* of the level */
	const char *nova_release; /* "wallaby", "2025.1"; NULL: the newest known */
	struct texts doubts;	  /* why the level is less than certain: heads the text */
};

/* Is there such a format, and does it depend on the release of nova? */
bool format_exists(const char *format);
bool format_has_releases(const char *format);

/* "libvirt, qemu, nova, ..."; "" when memory is short. */
const char *format_list(struct arena *arena);

/* Appends the document, ending in a newline, to *out.  Notes are lines for whoever
 * uses it: what the format leaves to others.  RC_FORMAT with what cannot be said,
 * RC_LIMIT past the buffer's cap. */
enum rc format_write(const char *format, const struct format_request *request,
	struct arena *arena, struct buf *out, struct texts *notes, struct err *e);

#endif
