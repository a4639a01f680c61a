/* qmp.h - QEMU's view of a vCPU, out of what its monitor answers.
 *
 * Pure: commands as JSON texts, answers read into records.  What answers may be no QEMU at
 * all (a wrapper), so answers are hostile: they are capped, and read by jansson alone.
 *
 * Texts live in the arena.  RC_LIBVIRT where an answer is an error of the monitor or not what
 * was asked for, with QEMU's words; RC_MEMORY.
 */
#ifndef PEER_QMP_H
#define PEER_QMP_H

#include "proto/message.h"
#include "proto/texts.h"

/* More than any QEMU has (11.1: 470 properties in 30 KB; a value of 300 bytes). */
enum {
	QMP_PROPERTIES_MAX = 2048,
	QMP_NAME_MAX = 128,
	QMP_VALUE_MAX = 8192,
	QMP_WORDS_MAX = 512,
};

struct qmp_view {
	struct list words;	/* of struct cpu_word, each register once */
	struct list properties; /* of struct cpu_property */
};

/* A command; without path and property where these are NULL.  NULL: memory is short, or what
 * QEMU named before is no UTF-8. */
const char *qmp_command(
	struct arena *arena, const char *execute, const char *path, const char *property);

/* The path of vCPU 0's object, of the answer to query-cpus-fast. */
enum rc qmp_first_cpu(
	const char *answer, struct arena *arena, const char **path, struct err *e);

/* The properties that have a value to ask for, of the answer to qom-list: no other objects,
 * and none that are known to be written only. */
enum rc qmp_names(
	const char *answer, struct arena *arena, struct texts *names, struct err *e);

/* Adds one property to the view, of the answer to qom-get: to its words where it is one of
 * the two that list registers, else to its properties. */
enum rc qmp_add(const char *answer, const char *name, struct arena *arena,
	struct qmp_view *view, struct err *e);

#endif
