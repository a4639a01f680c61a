#include "peer/trial_name.h"

#include <string.h>

#include "base/text.h"

static bool guest_is_valid(const char *guest)
{
	size_t size = strspn(guest, "abcdefghijklmnopqrstuvwxyz0123456789");

	return size >= 1 && size <= TRIAL_GUEST_MAX && guest[size] == '\0';
}

enum rc trial_name(const char *run, const char *guest, struct arena *arena,
	const char **name, struct err *e)
{
	if (!scratch_run_is_allowed(run))
		return err_set(
			e, RC_PROTOCOL, 0, "'%.64s' is no run of trial guests", run);
	if (!guest_is_valid(guest))
		return err_set(e, RC_PROTOCOL, 0,
			"'%.64s' is no name of a trial guest: 1 to %d of a-z and 0-9",
			guest, TRIAL_GUEST_MAX);
	*name = arena_format(arena, SCRATCH_PREFIX "%s-%s", run, guest);
	return *name ? RC_OK : err_memory(e);
}

bool trial_name_is(const char *name, char run[SCRATCH_RUN_MAX + 1])
{
	const char *digits = name + sizeof(SCRATCH_PREFIX) - 1;
	size_t size;

	if (!text_starts_with(name, SCRATCH_PREFIX))
		return false;
	size = strcspn(digits, "-");
	if (size > SCRATCH_RUN_MAX || digits[size] != '-')
		return false;
	memcpy(run, digits, size);
	run[size] = '\0';
	return scratch_run_is_allowed(run) && guest_is_valid(digits + size + 1);
}
