#include "peer/domain.h"

#include <string.h>

#include "base/text.h"
#include "proto/limits.h"

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* ---- reading */

/* "" where there is no such attribute. */
static char *attribute_text(
	struct arena *arena, const struct xml_element *element, const char *name)
{
	struct xml_span value = { "", 0 };

	xml_attribute(element, name, &value);
	return arena_text_n(arena, value.data, value.size);
}

static char *emulator_text(struct arena *arena, const struct xml_element *domain)
{
	struct xml_element found;

	if (!xml_path(domain->inner, "devices/emulator", &found))
		return arena_text(arena, "");
	return xml_text(arena, &found);
}

enum rc domain_read(
	const char *text, struct arena *arena, struct domain_xml *out, struct err *e)
{
	struct xml_element domain, type, cpu;
	struct libvirt_guest *g = &out->guest;

	*out = (struct domain_xml){ .text = text };
	if (!xml_child(xml_whole(text), "domain", &domain) ||
		!xml_path(domain.inner, "os/type", &type))
		return err_set(e, RC_LIBVIRT, 0,
			"libvirt's definition of a domain cannot be read");
	if (xml_child(domain.inner, "cpu", &cpu))
		out->cpu = cpu.outer;
	xml_attribute(&type, "machine", &out->machine);
	out->end = (struct xml_span){ domain.inner.data + domain.inner.size, 0 };
	*g = (struct libvirt_guest){ attribute_text(arena, &domain, "type"),
		emulator_text(arena, &domain), attribute_text(arena, &type, "arch"),
		attribute_text(arena, &type, "machine") };
	return g->virt_type && g->emulator && g->arch && g->machine ? RC_OK
								    : err_memory(e);
}

/* ---- another CPU */

/* The one element that the bytes are, blanks around it aside. */
static bool only_cpu(struct xml_span in, struct xml_element *out)
{
	const char *end = in.data + in.size;

	while (in.size && is_blank(in.data[0]))
		in = (struct xml_span){ in.data + 1, in.size - 1 };
	if (in.size && memchr(in.data, '\0', in.size))
		return false;
	if (!xml_child(in, "cpu", out) || out->outer.data != in.data)
		return false;
	for (const char *p = out->outer.data + out->outer.size; p < end; p++)
		if (!is_blank(*p))
			return false;
	return true;
}

static struct xml_span part_of(const struct xml_element *cpu, const char *name)
{
	struct xml_element found;

	return xml_child(cpu->inner, name, &found) ? found.outer
						   : (struct xml_span){ "", 0 };
}

static bool same_span(struct xml_span a, struct xml_span b)
{
	return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

/* Parts of a <cpu> that change more than the CPU. */
static const char *const kept[] = { "topology", "numa" };

enum rc domain_take_cpu(struct bytes text, struct xml_span *cpu, struct err *e)
{
	struct xml_element found;

	if (text.size > LIMIT_PLACE_BYTES ||
		!only_cpu(
			(struct xml_span){ (const char *)text.data, text.size }, &found))
		return err_set(e, RC_PROTOCOL, 0,
			"what a guest shall have is not one <cpu> element");
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		if (part_of(&found, kept[i]).size)
			return err_set(e, RC_PROTOCOL, 0,
				"a guest's <cpu> may not say <%s> here", kept[i]);
	*cpu = found.outer;
	return RC_OK;
}

static enum rc check_parts(
	const struct domain_xml *d, const struct xml_element *cpu, struct err *e)
{
	struct xml_element old = { .inner = { "", 0 } };

	if (d->cpu.size && !xml_child(d->cpu, "cpu", &old))
		return err_set(e, RC_INTERNAL, 0, "a <cpu> that was there has gone");
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		if (!same_span(part_of(&old, kept[i]), part_of(cpu, kept[i])))
			return err_set(e, RC_PLACE, 0,
				"the <%s> of a domain is not cpuherd's to change",
				kept[i]);
	return RC_OK;
}

/* Two changes in the order in which they stand. */
struct splice {
	struct xml_span out; /* what goes, in the text */
	struct xml_span in;
};

static char *splice_all(const char *text, const struct splice *s, struct arena *arena)
{
	size_t rest = (size_t)(s[1].out.data - s[0].out.data) - s[0].out.size;

	return arena_format(arena, "%.*s%.*s%.*s%.*s%s", (int)(s[0].out.data - text),
		text, (int)s[0].in.size, s[0].in.data, (int)rest,
		s[0].out.data + s[0].out.size, (int)s[1].in.size, s[1].in.data,
		s[1].out.data + s[1].out.size);
}

/* The machine stands in <os>, before or behind <cpu>. */
static char *splice_text(const struct domain_xml *d, struct splice cpu,
	const char *machine, struct arena *a)
{
	struct splice type = { d->machine, d->machine };
	struct splice none = { { cpu.out.data, 0 }, { "", 0 } };

	if (machine[0])
		type.in = xml_whole(machine);
	else
		type = none;
	return type.out.data <= cpu.out.data
		       ? splice_all(d->text, (struct splice[]){ type, cpu }, a)
		       : splice_all(d->text, (struct splice[]){ cpu, type }, a);
}

enum rc domain_splice(const struct domain_xml *d, struct bytes cpu, const char *machine,
	struct arena *arena, char **out, struct err *e)
{
	struct splice splice = { .out = d->cpu };
	struct xml_element wanted;

	if (cpu.size > LIMIT_PLACE_BYTES ||
		!only_cpu((struct xml_span){ (const char *)cpu.data, cpu.size }, &wanted))
		return err_set(e, RC_PLACE, 0,
			"what a domain shall have is not one <cpu> element");
	if (machine[0] && (!text_is_name(machine) || !d->machine.size))
		return err_set(
			e, RC_PLACE, 0, "no machine type to set: '%.60s'", machine);
	if (check_parts(d, &wanted, e) != RC_OK)
		return e->code;
	splice.in = wanted.outer;
	if (!d->cpu.size) {
		char *line = arena_format(
			arena, "  %.*s\n", (int)wanted.outer.size, wanted.outer.data);

		if (!line)
			return err_memory(e);
		splice = (struct splice){ d->end, xml_whole(line) };
	}
	*out = splice_text(d, splice, machine, arena);
	return *out ? RC_OK : err_memory(e);
}

/* ---- comparing */

/* The element and what stands on its lines besides: libvirt puts each on its own. */
static struct xml_span whole_lines(const char *text, struct xml_span s)
{
	const char *begin = s.data, *end = s.data + s.size;

	if (!s.size)
		return s;
	while (begin > text && (begin[-1] == ' ' || begin[-1] == '\t'))
		begin--;
	if (*end == '\n')
		end++;
	return (struct xml_span){ begin, (size_t)(end - begin) };
}

/* Walks over a text, leaving out up to two spans. */
struct walk {
	const char *at;
	struct xml_span skip[2];
};

static struct walk walk_of(const struct domain_xml *d)
{
	return (struct walk){ d->text, { d->machine, whole_lines(d->text, d->cpu) } };
}

static char walk_next(struct walk *w)
{
	for (size_t i = 0; i < 4; i++) /* one may end where the other begins */
		if (w->skip[i % 2].size && w->at == w->skip[i % 2].data)
			w->at += w->skip[i % 2].size;
	return *w->at ? *w->at++ : '\0';
}

bool domain_same_besides(const struct domain_xml *a, const struct domain_xml *b)
{
	struct walk wa = walk_of(a), wb = walk_of(b);
	char c;

	if (!a->machine.size != !b->machine.size)
		return false;
	do {
		c = walk_next(&wa);
		if (c != walk_next(&wb))
			return false;
	} while (c);
	return true;
}

/* The next byte that is not a blank between two tags; '\0' at the end. */
static char next_solid(struct xml_span s, size_t *i)
{
	size_t n = *i;

	if (n && s.data[n - 1] == '>')
		while (n < s.size && is_blank(s.data[n]))
			n++;
	*i = n + 1;
	return n < s.size ? s.data[n] : '\0';
}

bool domain_same_cpu(const struct domain_xml *a, const struct domain_xml *b)
{
	size_t ia = 0, ib = 0;
	char c;

	if (!same_span(a->machine, b->machine))
		return false;
	do {
		c = next_solid(a->cpu, &ia);
		if (c != next_solid(b->cpu, &ib))
			return false;
	} while (c);
	return true;
}
