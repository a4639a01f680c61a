/* The CPU of a domain, put into its definition through libvirt.
 *
 * In the folder of the run:
 *	INDEX.old  the definition as it was
 *	INDEX.new  as it is given to libvirt
 *	INDEX.now  empty: libvirt may have been given it; else the digest of what it made
 *		   of it.  It is there before libvirt is asked, so that its absence
 *		   says that nothing was changed.
 */
#include <string.h>

#include "base/text.h"
#include "peer/change.h"
#include "peer/change_files.h"
#include "peer/libvirt_domain.h"

static const char *const kinds[] = { "part", "new", "now",
	"old" }; /* as they are dropped */

static const struct domain_calls *calls_of(const struct change_ground *g)
{
	return g->domains ? g->domains : &libvirt_domains;
}

static struct digest digest_of_text(const char *text)
{
	return digest_of(text, strlen(text));
}

static enum rc read_now(const char *name, const struct change_ground *g,
	struct arena *arena, struct domain_now *now, struct err *e)
{
	if (!text_is_uuid(name))
		return err_set(
			e, RC_PLACE, 0, "\"%.60s\" is not the UUID of a domain", name);
	return calls_of(g)->read(g->uri, name, arena, now, e);
}

static enum rc read_there(const struct change_state *c, const struct change_ground *g,
	struct arena *arena, struct domain_now *now, struct err *e)
{
	if (read_now(c->name, g, arena, now, e) != RC_OK)
		return e->code;
	if (!now->exists)
		return err_set(e, RC_CONFLICT, 0, "domain %s has gone", c->name);
	if (!now->persistent)
		return err_set(e, RC_TARGET, 0,
			"domain %s has no definition: it is gone when it stops", c->name);
	return RC_OK;
}

/* ---- look */

static enum rc fill_found(const struct domain_now *now, struct arena *arena,
	struct found *out, struct err *e)
{
	struct digest *digest = arena_alloc(arena, 1, sizeof(*digest));
	struct domain_xml xml;

	if (!digest)
		return err_memory(e);
	if (domain_read(now->text, arena, &xml, e) != RC_OK)
		return e->code;
	*digest = digest_of_text(now->text);
	out->exists = true;
	out->digest = (struct bytes){ digest->byte, DIGEST_BYTES };
	out->content = (struct bytes){ (const uint8_t *)xml.cpu.data, xml.cpu.size };
	return RC_OK;
}

static enum rc domain_look(const struct change_ground *g, const struct spot *spot,
	struct arena *arena, struct found *out, struct err *e)
{
	struct domain_now now = { .text = "" };

	*out = (struct found){ .path = arena_format(arena, "domain %s", spot->name) };
	if (!out->path)
		return err_memory(e);
	if (read_now(spot->name, g, arena, &now, e) != RC_OK)
		return e->code;
	return now.exists ? fill_found(&now, arena, out, e) : RC_OK;
}

/* ---- whose is what is there? */

/* What the folder of the run knows; NULL for what is not there. */
struct memory {
	char *old, *new, *now;
};

static enum rc recall(const struct change_state *c, const struct change_ground *g,
	struct arena *arena, struct memory *m, struct err *e)
{
	*m = (struct memory){ 0 };
	if (change_file_get(g->folder, c->index, "old", arena, &m->old, e) != RC_OK ||
		change_file_get(g->folder, c->index, "new", arena, &m->new, e) != RC_OK ||
		change_file_get(g->folder, c->index, "now", arena, &m->now, e) != RC_OK)
		return e->code;
	return RC_OK;
}

/* Cut short before libvirt's own words of it were kept: the old definition with our CPU,
 * whatever libvirt did to its blanks. */
static bool looks_like(const char *text, const char *wanted, struct arena *arena)
{
	struct domain_xml there, ours;
	struct err ignored;

	return domain_read(text, arena, &there, &ignored) == RC_OK &&
	       domain_read(wanted, arena, &ours, &ignored) == RC_OK &&
	       domain_same_besides(&there, &ours) && domain_same_cpu(&there, &ours);
}

static bool is_ours(const struct memory *m, const char *text, struct arena *arena)
{
	char hex[DIGEST_HEX_MAX];
	struct digest digest = digest_of_text(text);

	if (!m->old || !m->new || !m->now)
		return false;
	digest_to_hex(&digest, hex);
	return m->now[0] ? strcmp(m->now, hex) == 0 : looks_like(text, m->new, arena);
}

static enum rc drop_all(
	const struct change_state *c, const struct change_ground *g, struct err *e)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (change_file_drop(g->folder, c->index, kinds[i], e) != RC_OK)
			return e->code;
	return RC_OK;
}

/* ---- stage */

static enum rc prepare(struct change_state *c, const struct change_ground *g,
	const struct change *wanted, const char *old, struct arena *scratch,
	struct err *e)
{
	struct domain_xml xml;
	char *text;

	if (domain_read(old, scratch, &xml, e) != RC_OK ||
		domain_splice(&xml, wanted->content, wanted->machine, scratch, &text,
			e) != RC_OK)
		return e->code;
	c->unchanged = strcmp(text, old) == 0;
	if (c->unchanged)
		return RC_OK;
	if (change_file_put(g->folder, c->index, "old", bytes_of(old), e) != RC_OK)
		return e->code;
	return change_file_put(g->folder, c->index, "new", bytes_of(text), e);
}

static enum rc domain_stage(struct change_state *c, const struct change_ground *g,
	const struct change *wanted, struct arena *scratch, struct err *e)
{
	struct domain_now now = { .text = "" };
	struct memory memory = { 0 };

	if (read_there(c, g, scratch, &now, e) != RC_OK ||
		recall(c, g, scratch, &memory, e) != RC_OK)
		return e->code;
	if (is_ours(&memory, now.text, scratch)) { /* staged, and written, before */
		c->expected = digest_of_text(memory.old);
		return RC_OK;
	}
	c->expected = digest_of_text(now.text);
	if (!digest_equals(&c->expected, wanted->expected))
		return err_set(e, RC_CONFLICT, 0,
			"domain %s is not what it was when it was looked at", c->name);
	return prepare(c, g, wanted, now.text, scratch, e);
}

/* ---- commit */

static enum rc mark(const struct change_state *c, const struct change_ground *g,
	const char *made, struct err *e)
{
	char hex[DIGEST_HEX_MAX] = "";

	if (made) {
		struct digest digest = digest_of_text(made);

		digest_to_hex(&digest, hex);
	}
	return change_file_put(g->folder, c->index, "now", bytes_of(hex), e);
}

static bool same_live_cpu(const char *before, const char *after, struct arena *arena)
{
	struct domain_xml a, b;
	struct err ignored;

	if (!before || !after) /* it was started or stopped meanwhile */
		return true;
	return domain_read(before, arena, &a, &ignored) == RC_OK &&
	       domain_read(after, arena, &b, &ignored) == RC_OK &&
	       domain_same_cpu(&a, &b);
}

static bool same_besides(const char *before, const char *after, struct arena *arena)
{
	struct domain_xml a, b;
	struct err ignored;

	return domain_read(before, arena, &a, &ignored) == RC_OK &&
	       domain_read(after, arena, &b, &ignored) == RC_OK &&
	       domain_same_besides(&a, &b);
}

/* Did libvirt change the CPU and nothing else?  Else the old definition is given back, and
 * revert finds it so, or says that it is not. */
static enum rc inspect(struct change_state *c, const struct change_ground *g,
	const struct domain_now *before, struct arena *scratch, struct err *e)
{
	struct domain_now after = { .text = "" };
	struct err ignored;

	if (read_there(c, g, scratch, &after, e) != RC_OK)
		return e->code;
	if (same_besides(before->text, after.text, scratch) &&
		same_live_cpu(before->live, after.live, scratch))
		return mark(c, g, after.text, e);
	calls_of(g)->define(g->uri, before->text, false, &ignored);
	return err_set(e, RC_LIBVIRT, 0,
		"libvirt changed more of domain %s than its CPU; leave the domain out, "
		"or "
		"define it anew from what `virsh dumpxml --inactive` prints",
		c->name);
}

static enum rc define(struct change_state *c, const struct change_ground *g,
	const struct domain_now *before, const char *text, struct arena *scratch,
	struct err *e)
{
	struct err why;

	if (mark(c, g, NULL, e) != RC_OK)
		return e->code;
	if (calls_of(g)->define(g->uri, text, true, &why) == RC_OK)
		return inspect(c, g, before, scratch, e);
	/* the mark stays: libvirt may have got it, and only the answer was lost */
	return err_set(e, why.code, why.native, "domain %s: %s", c->name, why.text);
}

static enum rc domain_commit(struct change_state *c, const struct change_ground *g,
	struct arena *scratch, struct err *e)
{
	struct domain_now now = { .text = "" };
	struct memory memory = { 0 };
	struct digest digest;

	if (c->unchanged)
		return RC_OK;
	if (read_there(c, g, scratch, &now, e) != RC_OK ||
		recall(c, g, scratch, &memory, e) != RC_OK)
		return e->code;
	digest = digest_of_text(now.text);
	if (!digest_same(&digest, &c->expected) && is_ours(&memory, now.text, scratch))
		return mark(c, g, now.text, e); /* done before, or cut short */
	if (!digest_same(&digest, &c->expected))
		return err_set(e, RC_CONFLICT, 0,
			"domain %s was changed by somebody else since it was staged",
			c->name);
	if (!memory.new)
		return err_set(e, RC_PLACE, 0,
			"the new definition of domain %s has gone from the folder of the "
			"run",
			c->name);
	return define(c, g, &now, memory.new, scratch, e);
}

static enum rc domain_read_back(struct change_state *c, const struct change_ground *g,
	struct arena *arena, struct bytes *content, struct err *e)
{
	struct domain_xml xml;
	struct domain_now now = { .text = "" };

	if (read_there(c, g, arena, &now, e) != RC_OK ||
		domain_read(now.text, arena, &xml, e) != RC_OK)
		return e->code;
	*content = (struct bytes){ (const uint8_t *)xml.cpu.data, xml.cpu.size };
	return RC_OK;
}

/* ---- revert, forget */

static enum rc left(const struct change_state *c, const char *what, struct err *e)
{
	return err_set(e, RC_PARTIAL, 0,
		"domain %s: %.400s; its definition from before the run is %zu.old in the "
		"folder of the run",
		c->name, what, c->index);
}

/* Without validation: libvirt may have taken it in a time when it was less strict. */
static enum rc put_back(const struct change_state *c, const struct change_ground *g,
	const char *old, struct arena *scratch, struct err *e)
{
	struct domain_now now = { .text = "" };
	struct err why;

	if (calls_of(g)->define(g->uri, old, false, &why) != RC_OK ||
		read_now(c->name, g, scratch, &now, &why) != RC_OK)
		return left(c, why.text, e);
	if (!now.exists || strcmp(now.text, old) != 0)
		return left(c, "libvirt did not take all of it back", e);
	return RC_OK;
}

/* *changed: put back.  What is there neither as before nor as we wrote it is somebody's,
 * and is not ours to throw away. */
static enum rc undo(const struct change_state *c, const struct change_ground *g,
	const struct memory *m, bool *changed, struct arena *scratch, struct err *e)
{
	struct domain_now now = { .text = "" };
	struct err why;

	if (read_now(c->name, g, scratch, &now, &why) != RC_OK)
		return left(c, why.text, e);
	if (!now.exists || !now.persistent)
		return left(c, "somebody undefined it since it was written", e);
	if (strcmp(now.text, m->old) == 0)
		return RC_OK;
	if (!is_ours(m, now.text, scratch))
		return left(c, "somebody changed it since it was written", e);
	*changed = true;
	return put_back(c, g, m->old, scratch, e);
}

static enum rc domain_revert(struct change_state *c, const struct change_ground *g,
	bool *changed, struct err *e)
{
	struct arena scratch = { 0 };
	struct memory memory = { 0 };
	enum rc rc;

	*changed = false;
	if (c->unchanged)
		return RC_OK;
	rc = recall(c, g, &scratch, &memory, e);
	if (rc == RC_OK && memory.now && memory.old)
		rc = undo(c, g, &memory, changed, &scratch, e);
	if (rc == RC_OK) {
		*changed |= memory.old != NULL;
		rc = drop_all(c, g, e);
	}
	arena_destroy(&scratch);
	return rc;
}

/* Before the way back may be dropped. */
static enum rc domain_confirm(
	const struct change_state *c, const struct change_ground *g, struct err *e)
{
	struct arena scratch = { 0 };
	struct domain_now now = { .text = "" };
	struct memory memory = { 0 };
	enum rc rc = RC_OK;

	if (!c->unchanged)
		rc = read_there(c, g, &scratch, &now, e);
	if (!c->unchanged && rc == RC_OK)
		rc = recall(c, g, &scratch, &memory, e);
	if (!c->unchanged && rc == RC_OK && !is_ours(&memory, now.text, &scratch))
		rc = err_set(e, RC_CONFLICT, 0,
			"domain %s was changed by somebody else since it was written",
			c->name);
	arena_destroy(&scratch);
	return rc;
}

static enum rc domain_forget(
	struct change_state *c, const struct change_ground *g, struct err *e)
{
	return drop_all(c, g, e);
}

const struct change_hands change_domain = { .look = domain_look,
	.stage = domain_stage,
	.commit = domain_commit,
	.read_back = domain_read_back,
	.revert = domain_revert,
	.confirm = domain_confirm,
	.forget = domain_forget };

/* ---- the node's libvirt */

static const char *machine_wanted(const struct change_judging *j)
{
	const struct change_ground *g = j->ground;

	return g->wanted && !j->written ? g->wanted[j->change->index].machine : "";
}

enum rc change_judge_domain(
	const struct change_judging *j, struct change_verdict *out, struct err *e)
{
	const struct change_ground *g = j->ground;
	struct domain_question q = { 0 };
	struct libvirt_verdict verdict;
	struct domain_xml xml, wanted;
	struct domain_now now = { .text = "" };
	char *text;

	if (read_there(j->change, g, j->scratch, &now, e) != RC_OK ||
		domain_read(now.text, j->scratch, &xml, e) != RC_OK ||
		domain_splice(&xml, j->content, machine_wanted(j), j->scratch, &text,
			e) != RC_OK ||
		domain_read(text, j->scratch, &wanted, e) != RC_OK)
		return e->code;
	q = (struct domain_question){ now.text, text,
		arena_text_n(j->scratch, wanted.cpu.data, wanted.cpu.size),
		wanted.guest };
	if (!q.cpu)
		return err_memory(e);
	if (calls_of(g)->judge(g->uri, &q, j->scratch, &verdict, e) != RC_OK)
		return e->code;
	*out = (struct change_verdict){ verdict.accepted, verdict.reason };
	return RC_OK;
}
