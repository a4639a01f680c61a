#include "peer/trial_sight.h"

#include <time.h>

#include "peer/domain.h"
#include "peer/pulse.h"
#include "peer/qmp.h"
#include "peer/stream.h"

/* ---- libvirt's live XML */

static enum rc take_xml(
	const char *text, struct arena *arena, struct trial_sight *out, struct err *e)
{
	struct domain_xml xml;

	if (domain_read(text, arena, &xml, e) != RC_OK)
		return e->code;
	out->machine = arena_text(arena, xml.guest.machine);
	out->cpu = arena_text_n(arena, xml.cpu.size ? xml.cpu.data : "", xml.cpu.size);
	return out->machine && out->cpu ? RC_OK : err_memory(e);
}

/* A guest ends with the run it is for, at once: hundreds of questions and a kernel that is
 * waited for would keep it alive for nobody. */
static enum rc caller_is_here(const struct trial_eye *eye, struct err *e)
{
	return stream_has_ended(eye->caller)
		       ? err_set(e, RC_INTERRUPTED, 0, "the coordinator left")
		       : RC_OK;
}

/* ---- QEMU's view */

static enum rc ask(const struct trial_eye *eye, const char *command, struct arena *arena,
	const char **answer, struct err *e)
{
	enum rc rc = command ? caller_is_here(eye, e) : err_memory(e);

	if (rc != RC_OK)
		return rc;
	return eye->calls->monitor(eye->link, eye->name, command, arena, answer, e);
}

static enum rc ask_path(const struct trial_eye *eye, struct arena *arena,
	const char **path, struct err *e)
{
	const char *command = qmp_command(arena, "query-cpus-fast", NULL, NULL), *answer;

	if (ask(eye, command, arena, &answer, e) != RC_OK)
		return e->code;
	return qmp_first_cpu(answer, arena, path, e);
}

static enum rc ask_names(const struct trial_eye *eye, const char *path,
	struct arena *arena, struct texts *names, struct err *e)
{
	const char *command = qmp_command(arena, "qom-list", path, NULL), *answer;

	if (ask(eye, command, arena, &answer, e) != RC_OK)
		return e->code;
	return qmp_names(answer, arena, names, e);
}

/* The first reason is the one that is told. */
static enum rc note_gap(
	struct arena *arena, const char *name, const char **gap, struct err *e)
{
	const char *why;

	if (**gap)
		return RC_OK;
	why = arena_format(arena, "%s%s%s", name, *name ? ": " : "", e->text);
	if (!why)
		return err_memory(e);
	*gap = why;
	return RC_OK;
}

/* One property that cannot be had is a gap; the others are asked for all the same, until
 * the monitor itself fails. */
static enum rc ask_all(const struct trial_eye *eye, const char *path,
	const struct texts *names, struct arena *arena, struct qmp_view *view,
	const char **gap, struct err *e)
{
	for (size_t i = 0; i < names->count; i++) {
		const char *name = names->item[i], *answer;
		const char *command = qmp_command(arena, "qom-get", path, name);

		if (ask(eye, command, arena, &answer, e) != RC_OK)
			return e->code;
		if (qmp_add(answer, name, arena, view, e) != RC_OK &&
			(e->code != RC_LIBVIRT || note_gap(arena, name, gap, e) != RC_OK))
			return e->code;
	}
	return RC_OK;
}

static enum rc take_view(const struct trial_eye *eye, struct arena *arena,
	struct trial_sight *out, struct err *e)
{
	struct qmp_view view = { 0 };
	struct texts names = { 0 };
	const char *path = NULL;
	enum rc rc = ask_path(eye, arena, &path, e);

	if (rc == RC_OK)
		rc = ask_names(eye, path, arena, &names, e);
	if (rc == RC_OK)
		rc = ask_all(eye, path, &names, arena, &view, &out->gap, e);
	if (rc == RC_LIBVIRT)
		rc = note_gap(arena, "", &out->gap, e);
	out->words = view.words;
	out->properties = view.properties;
	if (rc == RC_OK && !*out->gap && !view.words.count)
		out->gap = "QEMU names no registers of its CPU";
	return rc;
}

enum rc trial_look(const struct trial_eye *eye, struct arena *arena,
	struct trial_sight *out, struct err *e)
{
	*out = (struct trial_sight){ .machine = "", .cpu = "", .gap = "" };
	if (eye->calls->look(eye->link, eye->name, arena, &out->now, e) != RC_OK)
		return e->code;
	if (!out->now.exists)
		return RC_OK;
	if (take_xml(out->now.xml, arena, out, e) != RC_OK)
		return e->code;
	return take_view(eye, arena, out, e);
}

/* ---- the pulse */

/* A count is one walk over CPUID.  The one under way at the first look may have begun on
 * another node, so the next one has to be whole: leaves of before must not pass for those
 * of now. */
enum { LOOK_EVERY_MS = 50, COUNTS = 2 };

static void sleep_ms(unsigned ms)
{
	struct timespec time = { ms / 1000, (long)(ms % 1000) * 1000000 };

	nanosleep(&time, NULL);
}

static enum rc feel(const struct trial_eye *eye, struct arena *arena, struct pulse *out,
	struct err *e)
{
	uint8_t page[PULSE_BYTES];

	*out = (struct pulse){ 0 };
	if (eye->calls->peek(
		    eye->link, eye->name, PULSE_ADDRESS, sizeof(page), page, e) != RC_OK)
		return e->code;
	return pulse_read(page, sizeof(page), arena, out, e);
}

/* Memory cannot be read: because there is no such guest any more?  A call of libvirt that
 * failed for another reason leaves *e as it was. */
static enum rc why_silent(const struct trial_eye *eye, struct arena *arena,
	struct trial_life *out, struct err *e)
{
	struct guest_now now;
	struct err other;

	if (eye->calls->look(eye->link, eye->name, arena, &now, &other) != RC_OK)
		return e->code;
	if (now.exists && now.runs)
		return e->code;
	out->why = now.exists
			   ? arena_format(arena, "libvirt says that it is %s", now.state)
			   : "it has ended by itself";
	return out->why ? RC_OK : err_memory(e);
}

enum rc trial_wait(const struct trial_eye *eye, unsigned limit_ms, struct arena *arena,
	struct trial_life *out, struct err *e)
{
	struct pulse first = { 0 }, now;

	*out = (struct trial_life){ .why = "" };
	for (unsigned waited = 0; waited <= limit_ms; waited += LOOK_EVERY_MS) {
		enum rc rc = caller_is_here(eye, e);

		if (rc == RC_OK)
			rc = feel(eye, arena, &now, e);
		if (rc != RC_OK)
			return rc == RC_LIBVIRT ? why_silent(eye, arena, out, e) : rc;
		if (now.valid)
			*out = (struct trial_life){ false, "", now.boot, now.count,
				now.leaves };
		if (now.valid && (!first.valid || now.boot != first.boot))
			first = now;
		out->alive = now.valid && now.count >= first.count + COUNTS;
		if (out->alive)
			return RC_OK;
		sleep_ms(LOOK_EVERY_MS);
	}
	out->why = first.valid ? arena_format(arena, "its kernel stands still at %llu",
					 (unsigned long long)first.count)
			       : arena_format(arena,
					 "its kernel did not begin to count within %u s",
					 limit_ms / 1000);
	return out->why ? RC_OK : err_memory(e);
}
