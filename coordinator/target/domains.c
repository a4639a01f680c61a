/* The level as the <cpu> of persistent domains. */
#include "coordinator/target/domains.h"

#include <string.h>

#include "base/text.h"
#include "coordinator/cpu/cpuxml.h"
#include "coordinator/cpu/domaincpu.h"
#include "proto/virt.h"

static const char *const all_word = "all", *const tag_word = "tag";

const char *domains_title(const struct domain *d, struct arena *arena)
{
	char *title = arena_format(arena, "domain \"%s\"", d->name);

	if (title)
		text_make_printable(title);
	return title;
}

bool domains_read_as(const struct edit *edit, struct bytes content)
{
	struct arena scratch = { 0 };
	const char *now = arena_text_n(&scratch, content.data, content.size);
	const char *wanted = arena_text_n(&scratch, edit->after.data, edit->after.size);
	struct err ignored;
	bool same = false;

	if (now && wanted &&
		domaincpu_same(now, wanted, edit->title, &scratch, &same, &ignored) !=
			RC_OK)
		same = false;
	arena_destroy(&scratch);
	return same;
}

/* ---- which domains */

/* Takes one of those that commas separate from the front of the words. */
static struct bytes next_item(const char **words)
{
	size_t n = strcspn(*words, ",");
	struct bytes item = { (const uint8_t *)*words, n };

	*words += n + ((*words)[n] == ',');
	return item;
}

static bool is_item(struct bytes item, const char *text)
{
	return item.size == strlen(text) && memcmp(item.data, text, item.size) == 0;
}

/* Do the words of --domains hold this one?  A name with a comma stands alone. */
static bool words_have(const struct texts *words, const char *text)
{
	for (size_t i = 0; i < words->count; i++) {
		const char *rest = words->item[i];

		if (strcmp(rest, text) == 0)
			return true;
		while (*rest)
			if (is_item(next_item(&rest), text))
				return true;
	}
	return false;
}

/* By its name or its UUID. */
static bool is_named(const struct target_request *r, const struct domain *d)
{
	return words_have(&r->domains, d->name) || words_have(&r->domains, d->uuid);
}

static enum rc is_tagged(
	const struct planning *p, const struct domain *d, bool *tagged, struct err *e)
{
	const char *level;

	*tagged = false;
	if (!words_have(&p->request->domains, tag_word))
		return RC_OK;
	if (domaincpu_read_tag(d->tag, p->arena, &level, e) != RC_OK)
		return e->code;
	*tagged = strcmp(level, p->request->level_name) == 0;
	return RC_OK;
}

/* ---- a domain that the level is not for */

static const char *unfit_reason(const struct planning *p, const struct domain *d)
{
	const char *virt = virt_names[p->request->level->virt];
	const struct offer *offer = p->survey->offer;
	const char *arch = offer && offer->arch[0] ? offer->arch : "x86_64";

	if (!d->persistent)
		return "is transient: it has no definition that could be changed";
	if (strcmp(d->virt_type, virt) != 0)
		return arena_format(p->arena, "is of type %.20s, the level is for %s",
			d->virt_type, virt);
	if (strcmp(d->arch, arch) != 0)
		return arena_format(p->arena,
			"is of architecture %.20s, the level for %s", d->arch, arch);
	return NULL;
}

/* Whoever names a domain wants the level in it; of all domains one or the other will not
 * do, and must not stop the rest. */
static enum rc leave_out(const struct planning *p, const struct domain *d,
	const char *reason, bool is_wanted, struct err *e)
{
	const char *title = domains_title(d, p->arena);
	char *text;

	if (!title)
		return err_memory(e);
	if (is_wanted)
		return err_set(e, RC_TARGET, 0, "%s %s: leave it out of --domains", title,
			reason);
	text = arena_format(p->arena, "%s %s; it keeps its CPU", title, reason);
	if (text)
		text_make_printable(text);
	return target_remark(p, true, "domains", text, e);
}

/* ---- machine types */

/* "pc-q35" of "pc-q35-9.0": types of one kind have the same devices. */
static size_t kind_size(const char *machine)
{
	const char *dash = strrchr(machine, '-');

	return dash ? (size_t)(dash - machine) : strlen(machine);
}

static bool same_kind(const char *a, const char *b)
{
	return kind_size(a) == kind_size(b) && memcmp(a, b, kind_size(a)) == 0;
}

/* --machine as this node's QEMU names it; "" where it was not given. */
static enum rc find_machine(const struct planning *p, const char **out, struct err *e)
{
	const char *wanted = p->request->machine, *text = p->survey->capabilities;
	struct cpuxml_host host = { 0 };

	*out = "";
	if (!wanted)
		return RC_OK;
	if (text && cpuxml_read_host(text, "capabilities", p->arena, &host, e) != RC_OK)
		return e->code;
	for (size_t i = 0; i < host.machine_count; i++) {
		const struct cpuxml_machine *m = &host.machines[i];

		if (strcmp(m->name, wanted) != 0)
			continue;
		*out = m->canonical[0] ? m->canonical : m->name;
		return RC_OK;
	}
	return err_set(e, RC_TARGET, 0,
		"--machine %s: this node's QEMU has no such machine type", wanted);
}

static enum rc check_machine(
	const struct domain *d, const char *title, const char *machine, struct err *e)
{
	if (!machine[0] || same_kind(machine, d->machine))
		return RC_OK;
	return err_set(e, RC_TARGET, 0,
		"%s is a %.60s: --machine %s would give it other devices; only the "
		"version of its own kind can be changed",
		title, d->machine, machine);
}

/* ---- edits */

static enum rc add_edit(const struct planning *p, const struct domain *d,
	const char *machine, struct err *e)
{
	struct edit edit = { .place = PLACE_domain,
		.name = d->uuid,
		.title = domains_title(d, p->arena),
		.exists = true,
		.ours = true, /* whose it is cannot be told; libvirt keeps one CPU */
		.before = bytes_of(d->cpu),
		.expected = d->digest,
		.machine_before = d->machine };
	const char *after;
	bool same;

	if (!edit.title)
		return err_memory(e);
	if (check_machine(d, edit.title, machine, e) != RC_OK ||
		domaincpu_make(p->request->xml, d->cpu, edit.title, p->arena, &after,
			e) != RC_OK ||
		domaincpu_same(d->cpu, after, edit.title, p->arena, &same, e) != RC_OK)
		return e->code;
	edit.machine = strcmp(machine, d->machine) == 0 ? "" : machine;
	edit.after = same ? edit.before : bytes_of(after);
	edit.unchanged = same && !edit.machine[0];
	return target_add_edit(p, &edit, e);
}

struct choice {
	const struct domain **item;
	size_t count;
};

static enum rc choose(const struct planning *p, const struct domain *d,
	struct choice *chosen, struct err *e)
{
	bool tagged, wanted;
	const char *reason;

	if (is_tagged(p, d, &tagged, e) != RC_OK)
		return e->code;
	wanted = tagged || is_named(p->request, d);
	if (!wanted && !words_have(&p->request->domains, all_word))
		return RC_OK;
	reason = unfit_reason(p, d);
	if (reason)
		return leave_out(p, d, reason, wanted, e);
	chosen->item[chosen->count++] = d;
	return RC_OK;
}

static enum rc domains_plan(const struct planning *p, struct err *e)
{
	const struct domains *found = p->survey->domains;
	const struct domain *d = found->domains.item;
	size_t count = found->domains.count;
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): pointers are what is meant */
	struct choice chosen = { arena_alloc(p->arena, count, sizeof(*chosen.item)), 0 };
	const char *machine;
	enum rc rc = find_machine(p, &machine, e);

	if (!chosen.item)
		return err_memory(e);
	for (size_t i = 0; i < count && rc == RC_OK; i++)
		rc = choose(p, &d[i], &chosen, e);
	for (size_t i = 0; i < chosen.count && rc == RC_OK; i++)
		rc = add_edit(p, chosen.item[i], machine, e);
	return rc == RC_OK ? domains_remark_on_running(p, chosen.item, chosen.count, e)
			   : rc;
}

/* ---- of all nodes together */

static bool some_node_has(const struct survey *surveys, size_t n, const char *word)
{
	for (size_t i = 0; i < n; i++) {
		const struct domains *found = surveys[i].domains;
		const struct domain *d = found ? found->domains.item : NULL;

		for (size_t k = 0; d && k < found->domains.count; k++)
			if (strcmp(d[k].name, word) == 0 || strcmp(d[k].uuid, word) == 0)
				return true;
	}
	return false;
}

static enum rc check_word(
	const struct survey *surveys, size_t n, const char *word, struct err *e)
{
	if (strcmp(word, all_word) == 0 || strcmp(word, tag_word) == 0 ||
		some_node_has(surveys, n, word))
		return RC_OK;
	return err_set(e, RC_TARGET, 0,
		"--domains: no node has a domain \"%.200s\"; `virsh list --all` names "
		"them",
		word);
}

/* A node without a domain is no mistake; a name that no node knows is. */
static enum rc domains_check(const struct target_request *r, const struct survey *surveys,
	size_t n, struct arena *arena, struct err *e)
{
	for (size_t i = 0; i < r->domains.count; i++) {
		const char *rest = r->domains.item[i];

		if (some_node_has(surveys, n, rest))
			continue;
		while (*rest) {
			struct bytes item = next_item(&rest);
			char *word = arena_text_n(arena, item.data, item.size);

			if (!word)
				return err_memory(e);
			text_make_printable(word);
			if (check_word(surveys, n, word, e) != RC_OK)
				return e->code;
		}
	}
	return RC_OK;
}

const struct target target_domains = { .name = "domains",
	.help = "the <cpu> of the domains that --domains names",
	.asks_domains = true,
	.check = domains_check,
	.plan = domains_plan };
