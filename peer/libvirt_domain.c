#include "peer/libvirt_domain.h"

#include <stdlib.h>
#include <string.h>

#include "base/digest.h"
#include "peer/libvirt_private.h"
#include "proto/limits.h"

static const char *const tag_namespace = "urn:cpuherd";

enum { TAG_MAX = 1024, FRAME_REST = 64 * 1024 };

/* ---- one domain */

/* The definition, or with flags 0 what runs. */
static enum rc read_xml(virDomainPtr domain, unsigned flags, struct arena *arena,
	const char **out, struct err *e)
{
	bool failed = false;

	vir.virResetLastError();
	*out = libvirt_keep(arena, vir.virDomainGetXMLDesc(domain, flags), &failed);
	if (failed)
		return err_memory(e);
	if (!*out)
		return libvirt_failed("a domain", e);
	if (strlen(*out) > LIMIT_BODY_BYTES)
		return err_set(e, RC_LIMIT, 0,
			"a domain's definition is longer than %d bytes "
			"(LIMIT_BODY_BYTES)",
			LIMIT_BODY_BYTES);
	return RC_OK;
}

static enum rc read_now(
	virDomainPtr domain, struct arena *arena, struct domain_now *out, struct err *e)
{
	const unsigned definition = VIR_DOMAIN_XML_INACTIVE | VIR_DOMAIN_XML_SECURE;
	int persistent, running;

	vir.virResetLastError();
	persistent = vir.virDomainIsPersistent(domain);
	running = vir.virDomainIsActive(domain);
	if (persistent < 0 || running < 0)
		return libvirt_failed("a domain", e);
	*out = (struct domain_now){ true, persistent == 1, running == 1, NULL, NULL };
	if (read_xml(domain, definition, arena, &out->text, e) != RC_OK)
		return e->code;
	return out->running ? read_xml(domain, 0, arena, &out->live, e) : RC_OK;
}

/* By what was kept of the error: virDomainFree() forgets libvirt's own. */
static bool is_gone(const struct err *e)
{
	return e->code == RC_LIBVIRT && e->native == VIR_ERR_NO_DOMAIN;
}

static enum rc domain_read_now(const char *uri, const char *uuid, struct arena *arena,
	struct domain_now *out, struct err *e)
{
	virConnectPtr connection;
	virDomainPtr domain;
	enum rc rc = libvirt_open(uri, &connection, e);

	*out = (struct domain_now){ 0 };
	if (rc != RC_OK)
		return rc;
	vir.virResetLastError();
	domain = vir.virDomainLookupByUUIDString(connection, uuid);
	rc = domain ? read_now(domain, arena, out, e) : libvirt_failed(uuid, e);
	if (domain)
		vir.virDomainFree(domain);
	if (rc != RC_OK && is_gone(e))
		*out = (struct domain_now){ 0 }, rc = RC_OK;
	vir.virConnectClose(connection);
	return rc;
}

static enum rc domain_define(
	const char *uri, const char *text, bool validate, struct err *e)
{
	virConnectPtr connection;
	virDomainPtr domain;
	enum rc rc = libvirt_open(uri, &connection, e);

	if (rc != RC_OK)
		return rc;
	vir.virResetLastError();
	domain = vir.virDomainDefineXMLFlags(
		connection, text, validate ? VIR_DOMAIN_DEFINE_VALIDATE : 0);
	if (domain)
		vir.virDomainFree(domain);
	else
		rc = libvirt_failed("libvirt does not take the definition", e);
	vir.virConnectClose(connection);
	return rc;
}

/* ---- judging */

/* Makes libvirt go all the way to QEMU's command line, which holds the CPU against the
 * node as a start would, and defines and starts nothing. */
static bool could_start(virConnectPtr connection, const char *text)
{
	char *command;

	vir.virResetLastError();
	command = vir.virConnectDomainXMLToNative(connection, "qemu-argv", text, 0);
	free(command);
	return command;
}

/* A domain that could not be started before (its disk is elsewhere today) is not the
 * CPU's fault: there the comparison has the only word. */
static enum rc judge_whole(virConnectPtr connection, const struct domain_question *q,
	struct arena *arena, struct libvirt_verdict *out, struct err *e)
{
	struct libvirt_verdict verdict = { .reason = "" };

	if (strcmp(q->before, q->text) == 0 || could_start(connection, q->text))
		return RC_OK;
	if (libvirt_refusal(arena, &verdict, e) != RC_OK)
		return e->code;
	if (could_start(connection, q->before))
		*out = verdict;
	return RC_OK;
}

static enum rc domain_judge(const char *uri, const struct domain_question *q,
	struct arena *arena, struct libvirt_verdict *out, struct err *e)
{
	virConnectPtr connection;
	enum rc rc = libvirt_open(uri, &connection, e);

	*out = (struct libvirt_verdict){ .reason = "" };
	if (rc != RC_OK)
		return rc;
	rc = libvirt_compare(connection, &q->guest, q->cpu, arena, out, e);
	if (rc == RC_OK && out->accepted)
		rc = judge_whole(connection, q, arena, out, e);
	vir.virConnectClose(connection);
	return rc;
}

/* ---- all domains */

static enum rc keep_span(
	struct arena *arena, struct xml_span s, const char **out, struct err *e)
{
	*out = arena_text_n(arena, s.size ? s.data : "", s.size);
	return *out ? RC_OK : err_memory(e);
}

/* Of the definition where there is one, so that it is the tag that will last. */
static enum rc read_tag(virDomainPtr domain, bool persistent, struct arena *arena,
	const char **out, struct err *e)
{
	bool failed = false;
	char *tag = libvirt_keep(arena,
		vir.virDomainGetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT,
			tag_namespace,
			persistent ? VIR_DOMAIN_AFFECT_CONFIG : VIR_DOMAIN_AFFECT_LIVE),
		&failed);

	*out = tag && strlen(tag) <= TAG_MAX ? tag : "";
	return failed ? err_memory(e) : RC_OK;
}

static enum rc take_texts(const struct domain_now *now, struct arena *scratch,
	struct arena *arena, struct domain *out, struct err *e)
{
	struct domain_xml xml, live = { .cpu = { "", 0 } };
	struct digest *digest = arena_alloc(arena, 1, sizeof(*digest));

	if (!digest)
		return err_memory(e);
	if (domain_read(now->text, scratch, &xml, e) != RC_OK ||
		(now->live && domain_read(now->live, scratch, &live, e) != RC_OK) ||
		keep_span(arena, xml.cpu, &out->cpu, e) != RC_OK ||
		keep_span(arena, live.cpu, &out->live_cpu, e) != RC_OK)
		return e->code;
	*digest = digest_of(now->text, strlen(now->text));
	out->digest = (struct bytes){ digest->byte, DIGEST_BYTES };
	out->virt_type = arena_text(arena, xml.guest.virt_type);
	out->arch = arena_text(arena, xml.guest.arch);
	out->machine = arena_text(arena, xml.guest.machine);
	return out->virt_type && out->arch && out->machine ? RC_OK : err_memory(e);
}

static enum rc take_names(
	virDomainPtr domain, struct arena *arena, struct domain *out, struct err *e)
{
	char uuid[VIR_UUID_STRING_BUFLEN] = "";
	const char *name = vir.virDomainGetName(domain);

	if (!name || vir.virDomainGetUUIDString(domain, uuid) != 0)
		return libvirt_failed("a domain", e);
	out->name = arena_text(arena, name);
	out->uuid = arena_text(arena, uuid);
	return out->name && out->uuid ? RC_OK : err_memory(e);
}

static enum rc take_domain(virDomainPtr domain, struct arena *scratch,
	struct arena *arena, struct domain *out, struct err *e)
{
	struct domain_now now = { .text = "" };

	*out = (struct domain){ .name = "", .cpu = "", .live_cpu = "", .tag = "" };
	if (read_now(domain, scratch, &now, e) != RC_OK ||
		take_names(domain, arena, out, e) != RC_OK ||
		take_texts(&now, scratch, arena, out, e) != RC_OK)
		return e->code;
	out->persistent = now.persistent;
	out->running = now.running;
	out->saved = !now.running && vir.virDomainHasManagedSaveImage(domain, 0) == 1;
	return read_tag(domain, now.persistent, arena, &out->tag, e);
}

static size_t sent_bytes(const struct domain *d)
{
	return strlen(d->name) + strlen(d->cpu) + strlen(d->live_cpu) + strlen(d->tag);
}

/* One that went while it was looked at was transient, or is none of ours any more. */
static enum rc add_domain(virDomainPtr domain, struct arena *arena, struct domains *out,
	size_t *bytes, struct err *e)
{
	struct domain *item = (struct domain *)out->domains.item + out->domains.count;
	struct arena scratch = { 0 };
	enum rc rc = take_domain(domain, &scratch, arena, item, e);

	arena_destroy(&scratch);
	if (rc != RC_OK && is_gone(e)) {
		*item = (struct domain){ 0 };
		return RC_OK;
	}
	if (rc != RC_OK)
		return rc;
	*bytes += sent_bytes(item);
	out->domains.count++;
	return *bytes <= LIMIT_FRAME_BYTES - FRAME_REST
		       ? RC_OK
		       : err_set(e, RC_LIMIT, 0,
				 "the CPUs of this node's domains are longer than %d "
				 "bytes (LIMIT_FRAME_BYTES)",
				 LIMIT_FRAME_BYTES);
}

static enum rc add_all(virDomainPtr *found, size_t count, struct arena *arena,
	struct domains *out, struct err *e)
{
	struct domain *items = arena_alloc(arena, count, sizeof(*items));
	size_t bytes = 0;
	enum rc rc = RC_OK;

	if (count > LIMIT_LIST_ITEMS)
		return err_set(e, RC_LIMIT, 0,
			"this node has %zu domains, more than %d (LIMIT_LIST_ITEMS)",
			count, LIMIT_LIST_ITEMS);
	if (!items)
		return err_memory(e);
	out->domains.item = items;
	for (size_t i = 0; i < count && rc == RC_OK; i++)
		rc = add_domain(found[i], arena, out, &bytes, e);
	return rc;
}

static enum rc domain_list(
	const char *uri, struct arena *arena, struct domains *out, struct err *e)
{
	virConnectPtr connection;
	virDomainPtr *found = NULL;
	enum rc rc = libvirt_open(uri, &connection, e);
	int count;

	*out = (struct domains){ 0 };
	if (rc != RC_OK)
		return rc;
	vir.virResetLastError();
	count = vir.virConnectListAllDomains(connection, &found, 0);
	rc = count < 0 ? libvirt_failed("the list of domains", e)
		       : add_all(found, (size_t)count, arena, out, e);
	for (int i = 0; i < count; i++)
		vir.virDomainFree(found[i]);
	free(found);
	vir.virConnectClose(connection);
	return rc;
}

const struct domain_calls libvirt_domains = { domain_list, domain_read_now, domain_define,
	domain_judge };
