#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "peer/libvirt_private.h"
#include "peer/xml.h"
#include "proto/limits.h"
#include "proto/virt.h"

/* ---- facts */

struct asking {
	struct gather *g;
	virConnectPtr connection;
};

static enum rc last_gap(struct asking *a, const char *fact)
{
	int code;

	return gather_gap(a->g, fact, "%s", libvirt_last(&code));
}

/* Puts an XML body in place, or its gap; takes the string over. */
static enum rc put_text(struct asking *a, enum body_id id, char *xml)
{
	struct gather *g = a->g;
	bool failed = false;
	char *copy;

	if (!xml)
		return last_gap(a, body_rows[id].name);
	if (strlen(xml) > LIMIT_BODY_BYTES) {
		free(xml);
		return gather_gap(g, body_rows[id].name,
			"libvirt's text is larger than %d bytes", LIMIT_BODY_BYTES);
	}
	copy = libvirt_keep(g->arena, xml, &failed);
	if (failed)
		return err_memory(g->e);
	g->facts->text[id] = copy;
	g->facts->present[id] = true;
	return RC_OK;
}

static enum rc gather_versions(struct asking *a)
{
	struct facts *f = &a->g->facts->small;
	bool failed = false;
	unsigned long version;
	enum rc rc = RC_OK;

	f->uri = libvirt_keep(a->g->arena, vir.virConnectGetURI(a->connection), &failed);
	if (failed)
		return err_memory(a->g->e);
	if (!f->uri) {
		f->uri = "";
		rc = last_gap(a, "uri");
	}
	if (vir.virConnectGetLibVersion(a->connection, &version) == 0)
		f->libvirt_version = version;
	else if (rc == RC_OK)
		rc = last_gap(a, "libvirt_version");
	vir.virResetLastError();
	if (vir.virConnectGetVersion(a->connection, &version) == 0 && version)
		f->hypervisor_version = version;
	else if (rc == RC_OK)
		rc = gather_gap(a->g, "hypervisor_version", "libvirt found no QEMU");
	return rc;
}

static enum rc gather_capabilities(struct asking *a)
{
	struct gather *g = a->g;
	enum rc rc = put_text(
		a, BODY_capabilities, vir.virConnectGetCapabilities(a->connection));
	char *stripped, *uuid;

	if (rc != RC_OK)
		return rc;
	if (!g->facts->present[BODY_capabilities])
		return gather_gap(g, "host_uuid", "libvirt gave no capabilities");
	rc = libvirt_strip_capabilities(
		g->facts->text[BODY_capabilities], g->arena, &stripped, &uuid, g->e);
	if (rc != RC_OK)
		return rc;
	g->facts->text[BODY_capabilities] = stripped;
	if (!*uuid)
		return gather_gap(g, "host_uuid", "libvirt's capabilities have none");
	return gather_text(g, &g->facts->small.host_uuid, uuid);
}

/* The guest that domain capabilities describe. */
static void read_guest(
	const char *domcaps, struct arena *arena, struct libvirt_guest *out)
{
	const struct {
		const char *path;
		const char **text;
	} parts[] = { { "domainCapabilities/path", &out->emulator },
		{ "domainCapabilities/arch", &out->arch },
		{ "domainCapabilities/machine", &out->machine },
		{ "domainCapabilities/domain", &out->virt_type } };
	struct xml_element found;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		*parts[i].text = xml_path(xml_whole(domcaps), parts[i].path, &found)
					 ? xml_text(arena, &found)
					 : NULL;
}

/* libvirt on this very node expands its own host-model: model and features in
 * its own vocabulary, without what cannot migrate.  (On another node the answer
 * would be mixed with that node's limits.) */
static enum rc gather_offer(struct asking *a, enum body_id id, const char *domcaps)
{
	struct gather *g = a->g;
	struct libvirt_guest guest;
	const char *cpus[1], *why;
	char *cpu;
	enum rc rc = libvirt_host_model(domcaps, g->arena, &cpu, &why, g->e);

	if (rc != RC_OK)
		return rc;
	if (!cpu)
		return gather_gap(g, body_rows[id].name, "%s", why);
	read_guest(domcaps, g->arena, &guest);
	cpus[0] = cpu;
	vir.virResetLastError();
	return put_text(a, id,
		vir.virConnectBaselineHypervisorCPU(a->connection, guest.emulator,
			guest.arch, guest.machine, guest.virt_type, cpus, 1,
			VIR_CONNECT_BASELINE_CPU_EXPAND_FEATURES |
				VIR_CONNECT_BASELINE_CPU_MIGRATABLE));
}

static enum rc gather_virt_type(struct asking *a, enum virt_type virt)
{
	static const enum body_id bodies[VIRT_COUNT][2] = {
		[VIRT_KVM] = { BODY_domcaps_kvm, BODY_offer_kvm },
		[VIRT_QEMU] = { BODY_domcaps_qemu, BODY_offer_qemu },
	};
	enum body_id domcaps = bodies[virt][0], offer = bodies[virt][1];
	struct gather *g = a->g;
	enum rc rc;

	vir.virResetLastError();
	rc = put_text(a, domcaps,
		vir.virConnectGetDomainCapabilities(
			a->connection, NULL, NULL, NULL, virt_names[virt], 0));
	if (rc != RC_OK)
		return rc;
	if (!g->facts->present[domcaps])
		return gather_gap(g, body_rows[offer].name, "no domain capabilities: %s",
			facts_gap(&g->facts->small, body_rows[domcaps].name));
	return gather_offer(a, offer, g->facts->text[domcaps]);
}

static enum rc gather_all(struct asking *a)
{
	enum rc rc = gather_versions(a);

	if (rc == RC_OK)
		rc = gather_capabilities(a);
	for (int virt = 0; virt < VIRT_COUNT && rc == RC_OK; virt++)
		rc = gather_virt_type(a, (enum virt_type)virt);
	return rc;
}

enum rc libvirt_gather(struct gather *g)
{
	static const char *const names[] = { "uri", "libvirt_version",
		"hypervisor_version", "host_uuid", "capabilities", "domcaps_kvm",
		"domcaps_qemu", "offer_kvm", "offer_qemu", NULL };
	struct asking a = { .g = g };
	enum rc rc = libvirt_open(g->connect, &a.connection, g->e);

	if (rc != RC_OK)
		return gather_gaps(g, names, g->e->text);
	rc = gather_all(&a);
	vir.virConnectClose(a.connection);
	return rc;
}

/* ---- judging a CPU */

enum rc libvirt_refusal(struct arena *arena, struct libvirt_verdict *out, struct err *e)
{
	char *reason;
	int code;

	reason = arena_text(arena, libvirt_last(&code));
	if (!reason)
		return err_memory(e);
	/* these mean that the question was not understood or not delivered; all
	 * others are libvirt's opinion of the CPU */
	if (code == VIR_ERR_RPC || code == VIR_ERR_SYSTEM_ERROR ||
		code == VIR_ERR_NO_SUPPORT || code == VIR_ERR_NO_CONNECT ||
		code == VIR_ERR_NO_MEMORY || code == 0)
		return err_set(e, RC_LIBVIRT, code, "%s", reason);
	out->accepted = false;
	text_make_printable(reason);
	out->reason = reason;
	return libvirt_find_features(reason, arena, &out->features, e);
}

enum rc libvirt_check_emulator(virConnectPtr connection, const char *emulator,
	struct arena *arena, struct err *e)
{
	bool failed = false;
	char *capabilities, *element;

	if (!libvirt_text_or_null(emulator))
		return RC_OK;
	capabilities = libvirt_keep(
		arena, vir.virConnectGetCapabilities(connection), &failed);
	element = arena_format(arena, "<emulator>%s</emulator>", emulator);
	if (failed || !element)
		return err_memory(e);
	if (capabilities && !strpbrk(emulator, "<>&") && strstr(capabilities, element))
		return RC_OK;
	return err_set(e, RC_LIBVIRT, 0, "%.200s is no emulator that libvirt knows here",
		emulator);
}

/* FAIL_INCOMPATIBLE: only then does libvirt say which features are missing. */
enum rc libvirt_compare(virConnectPtr connection, const struct libvirt_guest *guest,
	const char *cpu, struct arena *arena, struct libvirt_verdict *out, struct err *e)
{
	int answer;

	vir.virResetLastError();
	answer = vir.virConnectCompareHypervisorCPU(connection,
		libvirt_text_or_null(guest->emulator), libvirt_text_or_null(guest->arch),
		libvirt_text_or_null(guest->machine),
		libvirt_text_or_null(guest->virt_type), cpu,
		VIR_CONNECT_COMPARE_CPU_FAIL_INCOMPATIBLE);
	if (answer == VIR_CPU_COMPARE_INCOMPATIBLE) {
		out->reason = "libvirt says that the CPU is incompatible, not why";
		return RC_OK;
	}
	if (answer < 0)
		return libvirt_refusal(arena, out, e);
	out->accepted = true;
	return RC_OK;
}

enum rc libvirt_judge(const char *uri, const struct libvirt_guest *guest, const char *cpu,
	struct arena *arena, struct libvirt_verdict *out, struct err *e)
{
	virConnectPtr connection;
	enum rc rc = libvirt_open(uri, &connection, e);

	*out = (struct libvirt_verdict){ .reason = "" };
	if (rc != RC_OK)
		return rc;
	rc = libvirt_check_emulator(connection, guest->emulator, arena, e);
	if (rc == RC_OK)
		rc = libvirt_compare(connection, guest, cpu, arena, out, e);
	vir.virConnectClose(connection);
	return rc;
}
