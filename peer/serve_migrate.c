/* A trial guest is sent to another node: migration.h. */
#include "peer/dialogue.h"
#include "peer/guest_log.h"
#include "peer/migration.h"

/* Only a guest of the run that has begun here, which its end or the guard ends.
 * No watchdog: libvirt is asked in children that have an end in time. */
enum rc handle_migrate(
	struct dialogue *d, const void *request, struct arena *scratch, struct err *e)
{
	const struct child_wait wait = { .caller = d->stream.in,
		.mask = &d->stream.wait_mask };
	const struct migrate *ask = request;
	struct migrated migrated;
	const char *domain;
	struct migration m;
	enum rc rc = trials_name(&d->trials, ask->run, ask->guest, scratch, &domain, e);

	if (rc == RC_OK)
		rc = migration_read(ask, d->connect, scratch, &m, e);
	if (rc == RC_OK)
		rc = migration_run(
			&m, d->serve->migrations, &wait, scratch, &migrated, e);
	if (rc != RC_OK)
		return rc;
	if (!migrated.ok)
		migrated.log = guest_log_tail(&d->world, m.domain, scratch);
	return dialogue_answer(d, MESSAGE_migrated, &migrated, e);
}
