#include "peer/gather.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/text.h"
#include "peer/host.h"
#include "peer/kvm.h"
#include "peer/libvirt.h"
#include "proto/limits.h"

enum { REASON_BYTES = 512 };

enum rc gather_text(struct gather *g, const char **field, const char *text)
{
	char *copy = arena_text(g->arena, text);

	if (!copy)
		return err_memory(g->e);
	text_make_printable(copy);
	*field = copy;
	return RC_OK;
}

enum rc gather_gap(struct gather *g, const char *fact, const char *fmt, ...)
{
	struct list *gaps = &g->facts->small.gaps;
	char reason[REASON_BYTES];
	struct gap *gap;
	va_list args;

	va_start(args, fmt);
	vsnprintf(reason, sizeof(reason), fmt, args);
	va_end(args);
	gap = arena_grow(g->arena, gaps->item, gaps->count, sizeof(*gap));
	if (!gap)
		return err_memory(g->e);
	gaps->item = gap;
	gap += gaps->count++;
	*gap = (struct gap){ fact, "" };
	return gather_text(g, &gap->reason, reason);
}

enum rc gather_gaps(struct gather *g, const char *const *facts, const char *reason)
{
	enum rc rc = RC_OK;

	for (; *facts && rc == RC_OK; facts++)
		rc = gather_gap(g, *facts, "%s", reason);
	return rc;
}

/* ---- digests of the bodies */

static enum rc add_ref(struct gather *g, enum body_id id)
{
	struct list *bodies = &g->facts->small.bodies;
	struct body_ref *ref = arena_grow(
		g->arena, bodies->item, bodies->count, sizeof(*ref));
	struct digest *digest = arena_alloc(g->arena, 1, sizeof(*digest));
	struct buf content = buf_with_cap(LIMIT_BODY_BYTES);
	enum rc rc;

	if (!ref || !digest)
		return err_memory(g->e);
	rc = facts_body_bytes(g->facts, id, &content, g->e);
	if (rc == RC_OK) {
		struct bytes b = buf_bytes(&content);

		*digest = digest_of(b.data, b.size);
		bodies->item = ref;
		ref[bodies->count++] = (struct body_ref){ body_rows[id].name,
			{ digest->byte, DIGEST_BYTES }, b.size };
	}
	buf_destroy(&content);
	return rc;
}

static enum rc gather_refs(struct gather *g)
{
	enum rc rc = RC_OK;

	for (int id = 0; id < BODY_COUNT && rc == RC_OK; id++)
		if (g->facts->present[id])
			rc = add_ref(g, (enum body_id)id);
	return rc;
}

/* ---- all sources; libvirt last: it is the one that can take long */

static enum rc (*const sources[])(struct gather *g) = {
	host_gather_system,
	host_gather_parameters,
	host_gather_cpuid,
	kvm_gather,
	libvirt_gather,
	gather_refs,
};

enum rc gather_facts(
	struct node_facts *out, const char *connect, struct arena *arena, struct err *e)
{
	struct gather g = { .facts = out, .arena = arena, .connect = connect, .e = e };
	enum rc rc = RC_OK;

	facts_init(out);
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]) && rc == RC_OK; i++)
		rc = sources[i](&g);
	return rc;
}
