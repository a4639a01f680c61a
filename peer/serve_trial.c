/* Trial guests: the messages of trial.h, under the watchdog. */
#include "peer/dialogue.h"
#include "peer/watchdog.h"

enum rc handle_try(
	struct dialogue *d, const void *request, struct arena *scratch, struct err *e)
{
	struct tried tried;
	enum rc rc = dialogue_arm(d, e);

	if (rc == RC_OK)
		rc = trial_try(&d->trials, request, scratch, &tried, e);
	watchdog_disarm();
	return rc == RC_OK ? dialogue_answer(d, MESSAGE_tried, &tried, e) : rc;
}

enum rc handle_meet(
	struct dialogue *d, const void *request, struct arena *scratch, struct err *e)
{
	struct met met;
	enum rc rc = dialogue_arm(d, e);

	if (rc == RC_OK)
		rc = trial_meet(&d->trials, request, scratch, &met, e);
	watchdog_disarm();
	return rc == RC_OK ? dialogue_answer(d, MESSAGE_met, &met, e) : rc;
}

enum rc handle_dismiss(
	struct dialogue *d, const void *request, struct arena *scratch, struct err *e)
{
	const struct dismiss *dismiss = request;
	struct dismissed dismissed;
	enum rc rc = dialogue_arm(d, e);

	if (rc == RC_OK)
		rc = trial_dismiss(&d->trials, dismiss->run, scratch, &dismissed, e);
	watchdog_disarm();
	return rc == RC_OK ? dialogue_answer(d, MESSAGE_dismissed, &dismissed, e) : rc;
}
