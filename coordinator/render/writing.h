/* writing.h - what the writers of all formats share; for coordinator/render alone. */
#ifndef COORDINATOR_RENDER_WRITING_H
#define COORDINATOR_RENDER_WRITING_H

#include "coordinator/render/format.h"

struct writing {
	const struct format_request *request;
	const struct level *level; /* as this format says it */
	struct arena *arena;
	struct buf *out;
	struct texts *notes;
	enum rc rc; /* of the appends so far: looked at once, at the end */
};

/* Appends; after a failure it does nothing any more. */
#define PUT(w, ...) \
	((void)((w)->rc == RC_OK && ((w)->rc = buf_format((w)->out, __VA_ARGS__))))

/* A note; text may be NULL, from a formatter that was short of memory. */
enum rc writing_note(struct writing *w, const char *text, struct err *e);

/* Lines behind '#': what this is, and the notes so far. */
void writing_heading(struct writing *w);

/* "+avx2,-hle": the features of the level between separators; the signs may be "". */
void writing_flags(struct writing *w, const char *on, const char *off, char separator);

/* Most have no word for the bits of a physical address. */
enum rc writing_note_maxphysaddr(struct writing *w, const char *instead, struct err *e);

/* One line for each format of the table in format.c. */
enum rc write_libvirt(struct writing *w, struct err *e);
enum rc write_qemu(struct writing *w, struct err *e);
enum rc write_nova(struct writing *w, struct err *e);
enum rc write_devstack(struct writing *w, struct err *e);
enum rc write_zuul(struct writing *w, struct err *e);
enum rc write_proxmox(struct writing *w, struct err *e);
enum rc write_kubevirt(struct writing *w, struct err *e);
enum rc write_json(struct writing *w, struct err *e);

#endif
