/* The level as a file that others read: virt-install, templates, Ansible. */
#include <string.h>

#include "coordinator/target/target.h"

static enum rc stanza_spots(const struct target_request *r, struct arena *arena,
	struct list *spots, struct err *e)
{
	return target_add_spot(spots, PLACE_stanza, r->level_name, arena, e);
}

static enum rc stanza_plan(const struct planning *p, struct err *e)
{
	const char *xml = p->request->xml;

	return target_edit_file(p, PLACE_stanza, p->request->level_name,
		(struct bytes){ (const uint8_t *)xml, strlen(xml) }, e);
}

const struct target target_stanza = { .name = "stanza",
	.help = "/etc/libvirt/cpuherd/LEVEL.xml, for whoever reads it",
	.spots = stanza_spots,
	.plan = stanza_plan };
