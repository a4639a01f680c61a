/* What is this node, and what does its libvirt say of a CPU? */
#include "peer/dialogue.h"
#include "peer/libvirt_domain.h"
#include "peer/nova.h"
#include "peer/watchdog.h"
#include "proto/limits.h"
#include "proto/virt.h"

static enum rc gather(struct dialogue *d, struct err *e)
{
	enum rc rc = dialogue_arm(d, e);

	if (rc != RC_OK)
		return rc;
	d->has_facts = false;
	arena_destroy(&d->facts_arena);
	rc = d->serve->gather(&d->facts, d->connect, &d->facts_arena, e);
	watchdog_disarm();
	d->has_facts = rc == RC_OK;
	return rc;
}

enum rc handle_ask_facts(
	struct dialogue *d, const void *request, struct arena *scratch, struct err *e)
{
	enum rc rc = gather(d, e);

	(void)request;
	(void)scratch;
	return rc == RC_OK ? dialogue_answer(d, MESSAGE_facts, &d->facts.small, e) : rc;
}

/* All names are good before the first body goes out: a failure in the middle
 * would leave the coordinator waiting for the rest. */
static enum rc check_names(
	const struct dialogue *d, const struct texts *names, struct err *e)
{
	if (names->count == 0 || names->count > BODY_COUNT)
		return err_set(e, RC_PROTOCOL, 0, "%zu bodies asked for, 1 to %d can be",
			names->count, BODY_COUNT);
	for (size_t i = 0; i < names->count; i++) {
		enum body_id id = body_id_of(names->item[i]);

		if (id == BODY_COUNT || !d->facts.present[id])
			return err_set(e, RC_PROTOCOL, 0,
				"this node has no body \"%.64s\"", names->item[i]);
	}
	return RC_OK;
}

static enum rc send_body(struct dialogue *d, enum body_id id, bool last, struct err *e)
{
	struct buf content = buf_with_cap(LIMIT_BODY_BYTES);
	struct body body = { .name = body_rows[id].name, .last = last };
	enum rc rc = facts_body_bytes(&d->facts, id, &content, e);

	body.content = buf_bytes(&content);
	if (rc == RC_OK)
		rc = dialogue_answer(d, MESSAGE_body, &body, e);
	buf_destroy(&content);
	/* each on its own: all of them together may exceed the output buffer */
	return rc == RC_OK ? stream_flush(&d->stream, e) : rc;
}

enum rc handle_ask_bodies(
	struct dialogue *d, const void *request, struct arena *scratch, struct err *e)
{
	const struct texts *names = &((const struct ask_bodies *)request)->names;
	enum rc rc = d->has_facts ? RC_OK : gather(d, e);

	(void)scratch;
	if (rc == RC_OK)
		rc = check_names(d, names, e);
	for (size_t i = 0; i < names->count && rc == RC_OK; i++)
		rc = send_body(d, body_id_of(names->item[i]), i + 1 == names->count, e);
	return rc;
}

enum rc handle_ask_domains(
	struct dialogue *d, const void *request, struct arena *scratch, struct err *e)
{
	struct domains domains;
	enum rc rc = dialogue_arm(d, e);

	(void)request;
	if (rc != RC_OK)
		return rc;
	rc = d->serve->domains->list(d->connect, scratch, &domains, e);
	watchdog_disarm();
	return rc == RC_OK ? dialogue_answer(d, MESSAGE_domains, &domains, e) : rc;
}

/* ---- negotiation */

static enum rc judge(struct dialogue *d, const struct libvirt_guest *guest,
	const char *cpu, struct arena *scratch, struct libvirt_verdict *out,
	struct err *e)
{
	enum rc rc;

	if (*guest->virt_type && virt_of(guest->virt_type) == VIRT_COUNT)
		return err_set(e, RC_PROTOCOL, 0, "there is no virt type \"%.32s\"",
			guest->virt_type);
	rc = dialogue_arm(d, e);
	if (rc != RC_OK)
		return rc;
	rc = d->serve->judge(d->connect, guest, cpu, scratch, out, e);
	watchdog_disarm();
	return rc;
}

enum rc handle_propose(
	struct dialogue *d, const void *request, struct arena *scratch, struct err *e)
{
	const struct propose *p = request;
	struct libvirt_guest guest = { p->virt_type, p->emulator, p->arch, p->machine };
	struct libvirt_verdict verdict;
	struct vote vote = { .round = p->round };
	enum rc rc = judge(d, &guest, p->cpu, scratch, &verdict, e);

	if (rc != RC_OK)
		return rc;
	vote.yes = verdict.accepted;
	vote.features = verdict.features;
	vote.reason = verdict.reason;
	return dialogue_answer(d, MESSAGE_vote, &vote, e);
}

/* Not under the watchdog: systemctl, all that may hang here, has its own end. */
enum rc handle_ask_nova(
	struct dialogue *d, const void *request, struct arena *scratch, struct err *e)
{
	const struct ask_nova *ask = request;
	struct nova nova;
	enum rc rc = nova_look(&d->world, ask->folder, scratch, &nova, e);

	return rc == RC_OK ? dialogue_answer(d, MESSAGE_nova, &nova, e) : rc;
}
