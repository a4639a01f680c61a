#include "peer/libvirt_guest.h"

#include <libvirt/libvirt-qemu.h>
#include <stdlib.h>
#include <string.h>

#include "peer/libvirt_private.h"
#include "peer/trial_name.h"
#include "proto/limits.h"

struct guest_link {
	virConnectPtr connection;
};

/* ---- the link */

static enum rc guest_open(const char *uri, struct guest_link **link, struct err *e)
{
	enum rc rc;

	*link = calloc(1, sizeof(**link));
	if (!*link)
		return err_memory(e);
	rc = libvirt_open(uri, &(*link)->connection, e);
	if (rc != RC_OK) {
		free(*link);
		*link = NULL;
	}
	return rc;
}

static void guest_close(struct guest_link *link)
{
	if (!link)
		return;
	vir.virConnectClose(link->connection);
	free(link);
}

/* ---- one guest by its name */

/* By what was kept of the error: virDomainFree() forgets libvirt's own. */
static bool is_gone(const struct err *e)
{
	return e->code == RC_LIBVIRT && e->native == VIR_ERR_NO_DOMAIN;
}

static enum rc find(
	struct guest_link *link, const char *name, virDomainPtr *domain, struct err *e)
{
	vir.virResetLastError();
	*domain = vir.virDomainLookupByName(link->connection, name);
	return *domain ? RC_OK : libvirt_failed(name, e);
}

static enum rc guest_start(struct guest_link *link, const struct guest_start *how,
	struct arena *arena, struct libvirt_verdict *out, struct err *e)
{
	unsigned flags = VIR_DOMAIN_START_PAUSED |
			 (how->stays ? 0 : VIR_DOMAIN_START_AUTODESTROY);
	virDomainPtr domain;

	*out = (struct libvirt_verdict){ .reason = "" };
	if (libvirt_check_emulator(link->connection, how->emulator, arena, e) != RC_OK)
		return e->code;
	vir.virResetLastError();
	domain = vir.virDomainCreateXML(link->connection, how->xml, flags);
	if (!domain)
		return libvirt_refusal(arena, out, e);
	vir.virDomainFree(domain);
	out->accepted = true;
	return RC_OK;
}

static const char *state_word(int state)
{
	static const char *const words[] = {
		[VIR_DOMAIN_NOSTATE] = "no state",
		[VIR_DOMAIN_RUNNING] = "running",
		[VIR_DOMAIN_BLOCKED] = "idle",
		[VIR_DOMAIN_PAUSED] = "paused",
		[VIR_DOMAIN_SHUTDOWN] = "in shutdown",
		[VIR_DOMAIN_SHUTOFF] = "shut off",
		[VIR_DOMAIN_CRASHED] = "crashed",
		[VIR_DOMAIN_PMSUSPENDED] = "pmsuspended",
	};

	return state >= 0 && (size_t)state < sizeof(words) / sizeof(words[0])
		       ? words[state]
		       : "unknown";
}

static enum rc look_at(
	virDomainPtr domain, struct arena *arena, struct guest_now *out, struct err *e)
{
	bool failed = false;
	int state, reason;

	vir.virResetLastError();
	if (vir.virDomainGetState(domain, &state, &reason, 0) != 0)
		return libvirt_failed("a trial guest's state", e);
	out->exists = true;
	out->runs = state == VIR_DOMAIN_RUNNING || state == VIR_DOMAIN_BLOCKED;
	out->state = state_word(state);
	out->xml = libvirt_keep(arena, vir.virDomainGetXMLDesc(domain, 0), &failed);
	if (failed)
		return err_memory(e);
	if (!out->xml)
		return libvirt_failed("a trial guest's XML", e);
	return strlen(out->xml) <= LIMIT_BODY_BYTES
		       ? RC_OK
		       : err_set(e, RC_LIMIT, 0,
				 "a trial guest's XML is longer than %d bytes "
				 "(LIMIT_BODY_BYTES)",
				 LIMIT_BODY_BYTES);
}

static enum rc guest_look(struct guest_link *link, const char *name, struct arena *arena,
	struct guest_now *out, struct err *e)
{
	virDomainPtr domain;
	enum rc rc = find(link, name, &domain, e);

	*out = (struct guest_now){ .state = "", .xml = "" };
	if (rc == RC_OK) {
		rc = look_at(domain, arena, out, e);
		vir.virDomainFree(domain);
	}
	if (rc != RC_OK && is_gone(e)) {
		*out = (struct guest_now){ .state = "", .xml = "" };
		rc = RC_OK;
	}
	return rc;
}

static enum rc guest_monitor(struct guest_link *link, const char *name,
	const char *command, struct arena *arena, const char **answer, struct err *e)
{
	virDomainPtr domain;
	char *text = NULL;
	bool failed = false;
	enum rc rc = libvirt_load_qemu(e);

	if (rc == RC_OK)
		rc = find(link, name, &domain, e);
	if (rc != RC_OK)
		return rc;
	if (vir.virDomainQemuMonitorCommand(domain, command, &text, 0) != 0)
		rc = libvirt_failed("QEMU's monitor", e);
	vir.virDomainFree(domain);
	*answer = rc == RC_OK ? libvirt_keep(arena, text, &failed) : NULL;
	if (rc == RC_OK && !*answer)
		rc = failed ? err_memory(e)
			    : err_set(e, RC_LIBVIRT, 0, "QEMU's monitor says nothing");
	return rc;
}

static enum rc guest_peek(struct guest_link *link, const char *name, uint64_t address,
	size_t size, void *to, struct err *e)
{
	virDomainPtr domain;
	enum rc rc = find(link, name, &domain, e);

	if (rc != RC_OK)
		return rc;
	if (vir.virDomainMemoryPeek(domain, address, size, to, VIR_MEMORY_PHYSICAL) != 0)
		rc = libvirt_failed("a trial guest's memory", e);
	vir.virDomainFree(domain);
	return rc;
}

/* ---- what is done to it */

static enum rc do_to(struct guest_link *link, const char *name,
	int (*call)(virDomainPtr domain), const char *what, struct err *e)
{
	virDomainPtr domain;
	enum rc rc = find(link, name, &domain, e);

	if (rc != RC_OK)
		return rc;
	if (call(domain) != 0)
		rc = libvirt_failed(what, e);
	vir.virDomainFree(domain);
	return rc;
}

static enum rc guest_resume(struct guest_link *link, const char *name, struct err *e)
{
	return do_to(link, name, vir.virDomainResume, "a trial guest does not run", e);
}

static enum rc guest_suspend(struct guest_link *link, const char *name, struct err *e)
{
	return do_to(link, name, vir.virDomainSuspend, "a trial guest is not paused", e);
}

/* One that ended between the two calls is "not running". */
static enum rc guest_end(struct guest_link *link, const char *name, struct err *e)
{
	enum rc rc = do_to(
		link, name, vir.virDomainDestroy, "a trial guest does not end", e);
	struct err gone;
	virDomainPtr domain;

	if (rc == RC_OK || is_gone(e))
		return RC_OK;
	if (find(link, name, &domain, &gone) == RC_OK)
		vir.virDomainFree(domain);
	else if (is_gone(&gone))
		rc = RC_OK;
	return rc;
}

/* ---- all of them */

typedef enum rc each_fn(struct guest_link *link, const char *name, const char *run,
	void *context, struct err *e);

/* Each trial guest of the node, whosever; a domain with a definition is none.  One that
 * fails does not keep the others: the first failure is told. */
static enum rc for_each(
	struct guest_link *link, each_fn *each, void *context, struct err *e)
{
	virDomainPtr *found = NULL;
	struct err other;
	enum rc rc = RC_OK, failed;
	int count;

	vir.virResetLastError();
	count = vir.virConnectListAllDomains(link->connection, &found,
		VIR_CONNECT_LIST_DOMAINS_ACTIVE | VIR_CONNECT_LIST_DOMAINS_TRANSIENT);
	if (count < 0)
		return libvirt_failed("the list of domains", e);
	for (int i = 0; i < count; i++) {
		const char *name = vir.virDomainGetName(found[i]);
		char run[SCRATCH_RUN_MAX + 1];

		failed = name && trial_name_is(name, run)
				 ? each(link, name, run, context,
					   rc == RC_OK ? e : &other)
				 : RC_OK;
		rc = rc == RC_OK ? failed : rc;
		vir.virDomainFree(found[i]);
	}
	free(found);
	return rc;
}

struct run_list {
	struct arena *arena;
	struct texts *runs;
};

static enum rc note_run(struct guest_link *link, const char *name, const char *run,
	void *context, struct err *e)
{
	struct run_list *list = context;

	(void)link, (void)name;
	if (texts_have(list->runs, run))
		return RC_OK;
	return texts_add(list->runs, arena_text(list->arena, run), list->arena, e);
}

static enum rc guest_runs(
	struct guest_link *link, struct arena *arena, struct texts *runs, struct err *e)
{
	struct run_list list = { arena, runs };

	*runs = (struct texts){ 0 };
	return for_each(link, note_run, &list, e);
}

struct ending {
	const char *run;
	unsigned count;
};

static enum rc end_one(struct guest_link *link, const char *name, const char *run,
	void *context, struct err *e)
{
	struct ending *ending = context;

	if (strcmp(run, ending->run) != 0)
		return RC_OK;
	ending->count++;
	return guest_end(link, name, e);
}

static enum rc guest_end_all(
	const char *uri, const char *run, unsigned *count, struct err *e)
{
	struct ending ending = { run, 0 };
	struct guest_link *link;
	enum rc rc = guest_open(uri, &link, e);

	*count = 0;
	if (rc != RC_OK)
		return rc;
	rc = for_each(link, end_one, &ending, e);
	guest_close(link);
	*count = ending.count;
	return rc;
}

const struct guest_calls libvirt_guests = { guest_open, guest_close, guest_start,
	guest_look, guest_monitor, guest_peek, guest_resume, guest_suspend, guest_end,
	guest_runs, guest_end_all };
