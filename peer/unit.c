#include "peer/unit.h"

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "peer/command.h"
#include "proto/unit.h"

enum { SHOW_LIMIT_S = 20, PAUSE_MS = 250, STEADY_MS = 1500 };

/* ---- systemctl */

/* NULL where systemd does not run: sd_booted(3) looks at the same folder. */
static const char *systemctl_of(const struct place_world *world, struct arena *arena)
{
	static const char *const paths[] = { "/usr/bin/systemctl", "/bin/systemctl" };
	const char *runs = arena_format(arena, "%s/run/systemd/system", world->root);

	if (!runs || access(runs, F_OK) != 0)
		return NULL;
	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		char *path = arena_format(arena, "%s%s", world->root, paths[i]);

		if (path && access(path, X_OK) == 0)
			return path;
	}
	return NULL;
}

/* The value of NAME= in lines of them; "" when it is not there. */
static const char *property(const char *lines, const char *name, struct arena *arena)
{
	size_t n = strlen(name);
	const char *text;

	for (const char *at = lines; *at; at += strcspn(at, "\n"), at += *at == '\n')
		if (strncmp(at, name, n) == 0 && at[n] == '=') {
			text = arena_text_n(arena, at + n + 1, strcspn(at + n + 1, "\n"));
			return text ? text : "";
		}
	return "";
}

/* Fills *out when the unit is loaded; else its name stays "". */
static enum rc show(const char *systemctl, const char *name, struct arena *arena,
	struct unit *out, struct err *e)
{
	const char *argv[] = { systemctl, "show", "--no-pager", "--property",
		"LoadState,ActiveState,ExecStart,Environment,User,NRestarts,MainPID",
		"--", name, NULL };
	struct command c = { .argv = argv, .limit_s = SHOW_LIMIT_S };
	struct command_end end;

	*out = (struct unit){ .name = "" };
	if (command_run(&c, arena, &end, e) != RC_OK)
		return e->code;
	if (end.status != 0)
		return err_set(e, RC_TARGET, 0, "systemctl show %s: %.300s", name,
			command_last_line(arena, end.errors));
	if (strcmp(property(end.out, "LoadState", arena), "loaded") != 0)
		return RC_OK;
	out->name = name;
	out->state = property(end.out, "ActiveState", arena);
	out->active = strcmp(out->state, "active") == 0;
	out->start = property(end.out, "ExecStart", arena);
	out->environment = property(end.out, "Environment", arena);
	out->user = property(end.out, "User", arena);
	out->restarts = property(end.out, "NRestarts", arena);
	(void)text_to_u32(property(end.out, "MainPID", arena), &out->main_pid);
	return RC_OK;
}

static enum rc look_with(const char *systemctl, const struct unit_row *row,
	struct arena *arena, struct unit *out, struct err *e)
{
	struct unit one;
	enum rc rc = RC_OK;

	for (size_t i = 0; row->units[i] && rc == RC_OK && !out->active; i++) {
		rc = show(systemctl, row->units[i], arena, &one, e);
		if (rc == RC_OK && *one.name && (one.active || !*out->name))
			*out = one;
	}
	return rc;
}

enum rc unit_look(const struct place_world *world, const char *service,
	struct arena *arena, struct unit *out, struct err *e)
{
	const struct unit_row *row = unit_of(service);
	const char *systemctl;

	*out = (struct unit){ "", false, "", "", "", "", "", 0 };
	if (!row)
		return err_set(
			e, RC_PROTOCOL, 0, "there is no service \"%.32s\"", service);
	systemctl = systemctl_of(world, arena);
	return systemctl ? look_with(systemctl, row, arena, out, e) : RC_OK;
}

static enum rc check_one(const struct place_world *world, const char *service,
	struct arena *arena, struct unit *out, struct err *e)
{
	if (unit_look(world, service, arena, out, e) != RC_OK)
		return e->code;
	if (!*out->name)
		return err_set(e, RC_TARGET, 0,
			"%s cannot be restarted here: systemd does not run or has no "
			"unit of "
			"it (%s, ...); restart it yourself, without --restart",
			service, unit_of(service)->units[0]);
	return RC_OK;
}

enum rc unit_check(
	const struct place_world *world, const struct texts *services, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < services->count && rc == RC_OK; i++) {
		struct arena arena = { 0 };
		struct unit unit;

		rc = check_one(world, services->item[i], &arena, &unit, e);
		arena_destroy(&arena);
	}
	return rc;
}

/* ---- restarting */

/* What systemctl status says last, beside the state. */
static enum rc fail(const char *systemctl, const char *name, const char *what,
	struct arena *arena, struct err *e)
{
	const char *argv[] = { systemctl, "status", "--no-pager", "--full", "--lines=3",
		"--", name, NULL };
	struct command c = { .argv = argv, .limit_s = SHOW_LIMIT_S };
	struct command_end end;
	struct err ignored;
	const char *words = "";

	if (command_run(&c, arena, &end, &ignored) == RC_OK)
		words = command_last_line(arena, end.out);
	return err_set(e, RC_TARGET, 0, "%s is %s after its restart%s%.400s", name, what,
		*words ? ": " : "", words);
}

static bool is_on_its_way(const struct unit *u)
{
	static const char *const states[] = { "activating", "reloading", "deactivating" };

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++)
		if (strcmp(u->state, states[i]) == 0)
			return true;
	return false;
}

/* Is it the same process of the unit, so that it has neither fallen nor been started
 * again in between? */
static bool is_same(const struct unit *a, const struct unit *b)
{
	return a->active && b->active && a->main_pid == b->main_pid &&
	       strcmp(a->restarts, b->restarts) == 0;
}

/* Waits until the unit has been active, as one process, for STEADY_MS. */
static enum rc wait_until_active(const char *systemctl, const char *name, long end,
	struct arena *arena, struct err *e)
{
	const struct timespec pause = { 0, PAUSE_MS * 1000000L };
	struct unit before = { 0 }, now;
	long since = clock_ms();

	for (;;) {
		if (show(systemctl, name, arena, &now, e) != RC_OK)
			return e->code;
		if (!*now.name || (!now.active && !is_on_its_way(&now)))
			return fail(systemctl, name, *now.name ? now.state : "not loaded",
				arena, e);
		if (!is_same(&before, &now))
			since = clock_ms();
		if (now.active && clock_ms() - since >= STEADY_MS)
			return RC_OK;
		if (clock_ms() > end)
			return fail(systemctl, name, "not steadily active", arena, e);
		before = now;
		nanosleep(&pause, NULL);
	}
}

static enum rc restart(const char *systemctl, const char *name, long end,
	struct arena *arena, struct err *e)
{
	const char *argv[] = { systemctl, "restart", "--", name, NULL };
	long left_s = (end - clock_ms()) / 1000;
	struct command c = { .argv = argv, .limit_s = left_s > 1 ? (unsigned)left_s : 1 };
	struct command_end done;

	if (command_run(&c, arena, &done, e) != RC_OK)
		return e->code;
	if (done.status != 0)
		return fail(systemctl, name, "not active", arena, e);
	return wait_until_active(systemctl, name, end, arena, e);
}

enum rc unit_restart(
	const struct place_world *world, const struct texts *services, struct err *e)
{
	long end = clock_ms() + UNIT_LIMIT_S * 1000L;
	enum rc rc = RC_OK;

	for (size_t i = 0; i < services->count && rc == RC_OK; i++) {
		struct arena arena = { 0 };
		struct unit unit;

		rc = check_one(world, services->item[i], &arena, &unit, e);
		if (rc == RC_OK)
			rc = restart(
				systemctl_of(world, &arena), unit.name, end, &arena, e);
		arena_destroy(&arena);
	}
	return rc;
}
