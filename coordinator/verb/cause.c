#include "coordinator/verb/cause_private.h"

#include <string.h>

#include "base/text.h"

const char *cause_say(
	const char *cause, const char *detail, const char *remedy, struct arena *arena)
{
	const char *text = !detail ? NULL
				   : arena_format(arena, "%s%s%s; %s", cause,
					     detail[0] ? ": " : "", detail, remedy);

	return text ? text : "";
}

/* ---- connections: the port says whose they are */

static const struct {
	uint32_t first, last;
	const char *what, *remedy;
} ports[] = {
	{ 22, 22, "sshd of the target", "its sshd, firewalls, ssh_config of the source" },
	{ 16509, 16509, "libvirt of the target by TCP",
		"libvirtd-tcp.socket (or virtproxyd-tcp.socket) there, firewalls" },
	{ 16514, 16514, "libvirt of the target by TLS",
		"libvirtd-tls.socket (or virtproxyd-tls.socket) there, firewalls" },
	{ 49152, 49215, "the target's QEMU, where the memory goes",
		"firewalls: ports 49152-49215, or one of --migrate-data tcp://%s:PORT; "
		"or --tunnelled" },
};

static const char *const unreachable[] = { "Connection refused", "No route to host",
	"Connection timed out", "Network is unreachable", "no answer within",
	"Operation timed out" };

/* Behind "port " or ":" of a host's name; 0: there is none. */
static uint32_t port_in(const char *word)
{
	static const char *const marks[] = { " port ", ":" };

	for (size_t m = 0; m < 2; m++)
		for (const char *at = strstr(word, marks[m]); at;
			at = strstr(at + 1, marks[m])) {
			const char *digits = at + strlen(marks[m]);
			char number[6] = "";
			uint32_t port;

			memcpy(number, digits, strnlen(digits, 5));
			number[strspn(number, "0123456789")] = '\0';
			if (text_to_u32(number, &port) && port)
				return port;
		}
	return 0;
}

static const char *by_port(const struct cause_evidence *ev, struct arena *arena)
{
	for (size_t i = 0; i < CAUSE_WORDS_MAX && ev->words[i]; i++)
		for (size_t u = 0; u < sizeof(unreachable) / sizeof(unreachable[0]);
			u++) {
			uint32_t port = strstr(ev->words[i], unreachable[u])
						? port_in(ev->words[i])
						: 0;

			for (size_t p = 0; port && p < sizeof(ports) / sizeof(ports[0]);
				p++)
				if (port >= ports[p].first && port <= ports[p].last)
					return cause_say("the source cannot reach",
						ports[p].what, ports[p].remedy, arena);
			if (port)
				return cause_say("the source cannot reach the target",
					arena_format(arena, "port %u", port),
					"what listens there, firewalls", arena);
		}
	return "";
}

/* ---- what the nodes are */

static const char *version(uint64_t v, struct arena *arena)
{
	const char *text = arena_format(arena, "%u.%u.%u", (unsigned)(v / 1000000),
		(unsigned)(v / 1000 % 1000), (unsigned)(v % 1000));

	return text ? text : "";
}

static const char *by_host_uuid(const struct cause_evidence *ev, struct arena *arena)
{
	const struct facts *s = ev->source, *t = ev->target;

	(void)arena;
	if (ev->fate != CAUSE_REFUSED || !s->host_uuid[0] ||
		strcmp(s->host_uuid, t->host_uuid) != 0)
		return "";
	return "both nodes have the same host UUID, as cloned machines do; host_uuid in "
	       "/etc/libvirt/libvirtd.conf (or virtqemud.conf) of one of them";
}

/* A guest that believes in more address bits than the CPU has does not survive. */
static const char *by_addresses(const struct cause_evidence *ev, struct arena *arena)
{
	uint32_t from = ev->source->physical_address_bits,
		 to = ev->target->physical_address_bits;

	if (ev->fate == CAUSE_REFUSED || !ev->bare_maxphysaddr || !from || !to ||
		from == to)
		return "";
	return cause_say("the nodes' physical addresses differ in width",
		arena_format(arena, "%u and %u bits", from, to),
		"<maxphysaddr> in the guest's <cpu>: cpuherd negotiate writes it", arena);
}

static const char *by_qemu(const struct cause_evidence *ev, struct arena *arena)
{
	uint64_t from = ev->source->hypervisor_version,
		 to = ev->target->hypervisor_version;

	if (!from || !to || from == to)
		return "";
	return cause_say(from > to ? "the guest goes from a newer QEMU to an older one"
				   : "the nodes' QEMUs differ",
		arena_format(
			arena, "%s and %s", version(from, arena), version(to, arena)),
		"the same QEMU on both; guests move to newer ones only", arena);
}

static const char *by_kernel(const struct cause_evidence *ev, struct arena *arena)
{
	const struct facts *s = ev->source, *t = ev->target;

	if (ev->fate == CAUSE_REFUSED || (strcmp(s->kernel, t->kernel) == 0 &&
						 strcmp(s->microcode, t->microcode) == 0))
		return "";
	return cause_say("the nodes' kernels or microcodes differ",
		arena_format(arena, "%s (%s) and %s (%s)", s->kernel, s->microcode,
			t->kernel, t->microcode),
		"KVM of either may show a CPU in another way: cpuherd prove compares "
		"them",
		arena);
}

static const char *by_facts(const struct cause_evidence *ev, struct arena *arena)
{
	static const char *(*const ways[])(const struct cause_evidence *ev,
		struct arena *arena) = { by_host_uuid, by_addresses, by_qemu, by_kernel };
	const char *text = "";

	if (!ev->source || !ev->target)
		return "";
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]) && !text[0]; i++)
		text = ways[i](ev, arena);
	return text;
}

/* ---- all of it */

static const char *by_time(const struct cause_evidence *ev, struct arena *arena)
{
	if (ev->fate != CAUSE_REFUSED || !ev->limit_s || ev->ms / 1000 + 1 < ev->limit_s)
		return "";
	return cause_say("it took too long",
		arena_format(arena, "%u seconds", ev->limit_s),
		"what the source waits for (a firewall that drops packets?), or "
		"--migrate-timeout",
		arena);
}

/* Words that name nothing but that the other end is gone. */
static const char *by_silence(const struct cause_evidence *ev, struct arena *arena)
{
	static const char *const vague[] = { "Lost connection to destination host",
		"End of file while reading", "Connection reset by peer",
		"unexpectedly failed" };

	(void)arena;
	for (size_t i = 0; i < CAUSE_WORDS_MAX && ev->words[i]; i++)
		for (size_t v = 0; v < sizeof(vague) / sizeof(vague[0]); v++)
			if (strstr(ev->words[i], vague[v]))
				return "libvirt or QEMU of the target ended the "
				       "connection without a reason; their logs on the "
				       "target (/var/log/libvirt/qemu, journalctl)";
	return "";
}

const char *cause_find(const struct cause_evidence *evidence, struct arena *arena)
{
	static const char *(*const ways[])(
		const struct cause_evidence *ev, struct arena *arena) = { cause_by_words,
		by_port, by_time, by_facts, by_silence };
	const char *text = "";

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]) && !text[0]; i++)
		text = ways[i](evidence, arena);
	return text;
}
