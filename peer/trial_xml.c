#include "peer/trial_xml.h"

#include <string.h>

#include "base/text.h"
#include "peer/domain.h"
#include "proto/virt.h"

static enum rc check_word(const char *what, const char *word, struct err *e)
{
	if (!*word || text_is_name(word))
		return RC_OK;
	return err_set(e, RC_PROTOCOL, 0, "'%.64s' is no %s", word, what);
}

static bool has_no_markup(const char *path)
{
	return path[strcspn(path, "<>&'\"")] == '\0';
}

static enum rc check(const struct trial_guest *g, struct xml_span *cpu, struct err *e)
{
	if (virt_of(g->kind.virt_type) == VIRT_COUNT)
		return err_set(e, RC_PROTOCOL, 0,
			"'%.64s' is no virt type of trial guests", g->kind.virt_type);
	if (check_word("architecture", g->kind.arch, e) != RC_OK ||
		check_word("machine type", g->kind.machine, e) != RC_OK)
		return e->code;
	if (!has_no_markup(g->kind.emulator) || !has_no_markup(g->kernel))
		return err_set(e, RC_PROTOCOL, 0, "'%.200s' is no path of an emulator",
			g->kind.emulator);
	return domain_take_cpu(bytes_of(g->cpu), cpu, e);
}

/* An element or an attribute with that text in it; nothing where there is none. */
static const char *part(
	struct arena *arena, const char *before, const char *text, const char *behind)
{
	return *text ? arena_format(arena, "%s%s%s", before, text, behind) : "";
}

/* on_crash and on_reboot: a guest that panics or resets is gone, which is seen. */
static const char pattern[] =
	"<domain type='%s'><name>%s</name><memory unit='MiB'>%d</memory><vcpu>1</vcpu>\n"
	"<os><type%s%s>hvm</type>%s</os>\n"
	"<features><acpi/><apic/></features>\n"
	"%.*s\n"
	"<on_poweroff>destroy</on_poweroff><on_reboot>destroy</on_reboot>"
	"<on_crash>destroy</on_crash>\n"
	"<devices>%s<controller type='usb' model='none'/><serial type='pty'/>"
	"<memballoon model='none'/></devices></domain>\n";

static const char boot[] = "<kernel>%s</kernel><cmdline>life=%u</cmdline>";

enum rc trial_xml(
	const struct trial_guest *g, struct arena *arena, const char **xml, struct err *e)
{
	const char *arch = part(arena, " arch='", g->kind.arch, "'");
	const char *machine = part(arena, " machine='", g->kind.machine, "'");
	const char *emulator = part(arena, "<emulator>", g->kind.emulator, "</emulator>");
	const char *kernel = *g->kernel ? arena_format(arena, boot, g->kernel, g->life_s)
					: "";
	struct xml_span cpu = { "", 0 };

	if (!arch || !machine || !emulator || !kernel)
		return err_memory(e);
	if (check(g, &cpu, e) != RC_OK)
		return e->code;
	*xml = arena_format(arena, pattern, g->kind.virt_type, g->name, TRIAL_MEMORY_MIB,
		arch, machine, kernel, (int)cpu.size, cpu.data, emulator);
	return *xml ? RC_OK : err_memory(e);
}
