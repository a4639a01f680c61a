#include "peer/change.h"

#include <string.h>

#include "peer/cpumap.h"
#include "peer/nova.h"

/* What libvirt says of a <cpu> element. */
static enum rc judge_cpu(
	const struct change_judging *j, struct change_verdict *out, struct err *e)
{
	const struct change_ground *g = j->ground;
	const char *cpu = arena_text_n(j->scratch, j->content.data, j->content.size);
	struct libvirt_verdict verdict;
	enum rc rc;

	if (!cpu)
		return err_memory(e);
	*out = (struct change_verdict){ .reason = "it holds a NUL byte" };
	if (strlen(cpu) != j->content.size)
		return RC_OK;
	rc = g->judge_cpu(g->uri, &g->guest, cpu, j->scratch, &verdict, e);
	if (rc == RC_OK)
		*out = (struct change_verdict){ verdict.accepted, verdict.reason };
	return rc;
}

static const struct change_row rows[] = {
	{ PLACE_stanza, &change_file, judge_cpu },
	{ PLACE_domain, &change_domain, change_judge_domain },
	{ PLACE_cpu_map, &change_file, cpumap_judge_model },
	{ PLACE_cpu_map_index, &change_file, cpumap_judge_index },
	{ PLACE_nova, &change_file, nova_judge },
};

const struct change_row *change_of(uint32_t place)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if ((uint32_t)rows[i].place == place)
			return &rows[i];
	return NULL;
}

enum rc change_title(const struct change_state *c, struct arena *arena,
	const char **title, struct err *e)
{
	*title = *c->file.path ? arena_text(arena, c->file.path)
			       : arena_format(arena, "%s %s", place_of(c->place)->name,
					 c->name);
	return *title ? RC_OK : err_memory(e);
}
