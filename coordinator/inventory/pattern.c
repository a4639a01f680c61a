#include "coordinator/inventory/pattern.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"

enum { DIGITS_MAX = 9, PARTS_MAX = 16, HOST_MAX = 255 };

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_host_byte(char c)
{
	return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       c == '.' || c == '_' || c == '-';
}

static bool is_user_byte(char c)
{
	return is_host_byte(c) || (c && strchr("\\+$", c));
}

/* What the reader sees in an error: the byte itself, or its number. */
static enum rc unexpected(char c, const char *wanted, struct err *e)
{
	if (c == '\0')
		return err_set(e, RC_INPUT, 0, "it ends where %s should be", wanted);
	if (c < 0x20 || c == 0x7f)
		return err_set(e, RC_INPUT, 0, "byte 0x%02x where %s should be",
			(unsigned char)c, wanted);
	return err_set(e, RC_INPUT, 0, "'%c' where %s should be", c, wanted);
}

static size_t size_max(size_t a, size_t b)
{
	return a > b ? a : b;
}

/* ---- ranges */

static enum rc number_parse(
	const char *text, size_t *at, uint32_t *value, uint32_t *digits, struct err *e)
{
	*value = *digits = 0;
	if (!is_digit(text[*at]))
		return unexpected(text[*at], "a number", e);
	while (is_digit(text[*at])) {
		if (++*digits > DIGITS_MAX)
			return err_set(e, RC_INPUT, 0, "a number of more than %d digits",
				DIGITS_MAX);
		*value = *value * 10 + (uint32_t)(text[(*at)++] - '0');
	}
	return RC_OK;
}

/* "/2" behind a range: every second number, from the first on. */
static enum rc step_parse(
	const char *text, size_t *at, struct pattern_range *out, struct err *e)
{
	uint32_t digits;
	size_t start;
	enum rc rc;

	out->step = 1;
	if (text[*at] != '/')
		return RC_OK;
	start = ++*at;
	rc = number_parse(text, at, &out->step, &digits, e);
	if (rc != RC_OK || out->step > 0)
		return rc;
	*at = start;
	return err_set(e, RC_INPUT, 0, "a step is at least 1");
}

/* "08-10" counts with two digits, "8-10" with as many as it takes.  What else
 * leading zeros could mean is unclear, so it is refused (as nodeset does). */
static enum rc range_parse(
	const char *text, size_t *at, struct pattern_range *out, struct err *e)
{
	size_t start = *at;
	uint32_t digits, last_digits;
	enum rc rc = number_parse(text, at, &out->first, &digits, e);
	bool padded = digits > 1 && text[start] == '0';

	if (rc != RC_OK)
		return rc;
	out->last = out->first;
	out->step = 1;
	out->width = padded ? digits : 0;
	if (text[*at] != '-')
		return RC_OK;
	start = ++*at;
	rc = number_parse(text, at, &out->last, &last_digits, e);
	if (rc != RC_OK)
		return rc;
	padded = padded || (last_digits > 1 && text[start] == '0');
	if (out->last < out->first) {
		*at = start;
		return err_set(e, RC_INPUT, 0, "the range runs backwards");
	}
	if (padded && digits != last_digits) {
		*at = start;
		return err_set(e, RC_INPUT, 0,
			"with leading zeros both ends need the same number of digits");
	}
	return step_parse(text, at, out, e);
}

static size_t range_length(const struct pattern_range *r)
{
	size_t digits = 1;

	for (uint32_t rest = r->last; rest >= 10; rest /= 10)
		digits++;
	return size_max(digits, r->width);
}

static uint64_t range_count(const struct pattern_range *r)
{
	return ((uint64_t)r->last - r->first) / r->step + 1;
}

/* text[*at] is the opening bracket. */
static enum rc bracket_parse(const char *text, size_t *at, struct arena *arena,
	struct pattern_part *part, struct err *e)
{
	size_t open = (*at)++;
	enum rc rc;

	do {
		struct pattern_range *range;

		part->ranges = arena_grow(
			arena, part->ranges, part->range_count, sizeof(*part->ranges));
		if (!part->ranges)
			return err_memory(e);
		range = &part->ranges[part->range_count++];
		rc = range_parse(text, at, range, e);
		if (rc != RC_OK)
			return rc;
		range->before = part->values;
		part->values += range_count(range);
		part->length = size_max(part->length, range_length(range));
	} while (text[*at] == ',' && ++*at);
	if (text[*at] == '\0') {
		*at = open;
		return err_set(e, RC_INPUT, 0, "this bracket is never closed");
	}
	if (text[*at] != ']')
		return unexpected(text[*at], "',', '-', '/' or ']'", e);
	++*at;
	return RC_OK;
}

/* ---- hosts */

static enum rc literal_parse(const char *text, size_t *at, struct arena *arena,
	struct pattern_part *part, struct err *e)
{
	size_t start = *at;

	while (is_host_byte(text[*at]))
		++*at;
	if (*at == start)
		return unexpected(text[*at], "a host name", e);
	part->values = 1;
	part->length = *at - start;
	part->literal = arena_text_n(arena, text + start, *at - start);
	return part->literal ? RC_OK : err_memory(e);
}

/* What stands behind an item: the end, or what joins it to the next one. */
static bool ends_item(char c)
{
	return c == '\0' || strchr(",!&^", c);
}

static bool ends_host(char c)
{
	return c == ':' || ends_item(c);
}

/* "fe80::1" outside brackets could mean a port or not. */
static bool has_two_colons(const char *text)
{
	const char *colon = text + strcspn(text, ":,!&^");

	return *colon == ':' && colon[1 + strcspn(colon + 1, ":,!&^")] == ':';
}

static enum rc parts_parse(const char *text, size_t *at, struct arena *arena,
	struct pattern *out, struct err *e)
{
	size_t start = *at, length = 0;
	enum rc rc = RC_OK;

	if (has_two_colons(text + *at))
		return err_set(e, RC_INPUT, 0,
			"more than one colon; an IPv6 address goes in brackets: "
			"[::1]:22");
	if (text[*at] == '-' || text[*at] == '.')
		return err_set(
			e, RC_INPUT, 0, "a host name cannot start with '%c'", text[*at]);
	out->count = 1;
	do {
		struct pattern_part *part = &out->parts[out->part_count];

		if (out->part_count == PARTS_MAX)
			return err_set(e, RC_INPUT, 0, "more than %d parts", PARTS_MAX);
		if (text[*at] == '[')
			rc = bracket_parse(text, at, arena, part, e);
		else
			rc = literal_parse(text, at, arena, part, e);
		if (rc != RC_OK)
			return rc;
		out->part_count++;
		length += part->length;
		if (__builtin_mul_overflow(out->count, part->values, &out->count))
			out->count = UINT64_MAX;
	} while (!ends_host(text[*at]));
	if (length > HOST_MAX) {
		*at = start;
		return err_set(
			e, RC_INPUT, 0, "a host name of more than %d bytes", HOST_MAX);
	}
	return RC_OK;
}

bool pattern_is_address(const char *text)
{
	size_t length = strspn(text, "0123456789abcdefABCDEF:.");

	if (!memchr(text, ':', length))
		return false;
	return text[length] == '\0' ||
	       (text[length] == '%' && text_is_name(text + length + 1));
}

bool pattern_is_host(const char *text)
{
	size_t length = 0;

	while (is_host_byte(text[length]))
		length++;
	return length > 0 && length <= HOST_MAX && text[length] == '\0' &&
	       text[0] != '-' && text[0] != '.';
}

bool pattern_is_user(const char *text)
{
	size_t length = 0;

	while (is_user_byte(text[length]))
		length++;
	return length > 0 && text[length] == '\0' && text[0] != '-';
}

/* [::1] or [fe80::1%eth0]; text[*at] is the opening bracket. */
static enum rc address_parse(const char *text, size_t *at, struct arena *arena,
	struct pattern *out, struct err *e)
{
	size_t length = strcspn(text + *at + 1, "]");
	char *address = arena_text_n(arena, text + *at + 1, length);

	if (!address)
		return err_memory(e);
	if (text[*at + 1 + length] != ']')
		return err_set(e, RC_INPUT, 0, "this bracket is never closed");
	if (!pattern_is_address(address))
		return err_set(e, RC_INPUT, 0, "[%s] is no IPv6 address", address);
	out->address = address;
	out->count = 1;
	*at += length + 2;
	return RC_OK;
}

/* Brackets with a colon in them hold an address, others hold ranges. */
static bool is_address(const char *text)
{
	size_t length = strcspn(text, "]");

	return text[0] == '[' && memchr(text, ':', length) != NULL;
}

static enum rc port_parse(
	const char *text, size_t *at, struct pattern *out, struct err *e)
{
	uint32_t value, digits;
	size_t start = ++*at;
	enum rc rc;

	rc = number_parse(text, at, &value, &digits, e);
	if (rc != RC_OK)
		return rc;
	if (value == 0 || value > UINT16_MAX) {
		*at = start;
		return err_set(e, RC_INPUT, 0, "a port is a number from 1 to 65535");
	}
	out->port = (uint16_t)value;
	return RC_OK;
}

/* A user name ends at the '@' that comes before the host's brackets and colon. */
static enum rc user_parse(const char *text, size_t *at, struct arena *arena,
	struct pattern *out, struct err *e)
{
	size_t length = strcspn(text + *at, "@[,!&^");

	if (text[*at + length] != '@')
		return RC_OK;
	if (length == 0 || text[*at] == '-')
		return err_set(e, RC_INPUT, 0, "no user name before '@'");
	for (size_t i = 0; i < length; i++)
		if (!is_user_byte(text[*at + i])) {
			*at += i;
			return unexpected(text[*at], "a user name", e);
		}
	out->user = arena_text_n(arena, text + *at, length);
	*at += length + 1;
	return out->user ? RC_OK : err_memory(e);
}

enum rc pattern_parse(const char *text, size_t *at, struct arena *arena,
	struct pattern *out, struct err *e)
{
	enum rc rc;

	*out = (struct pattern){ 0 };
	out->parts = arena_alloc(arena, PARTS_MAX, sizeof(*out->parts));
	if (!out->parts)
		return err_memory(e);
	rc = user_parse(text, at, arena, out, e);
	if (rc == RC_OK && is_address(text + *at))
		rc = address_parse(text, at, arena, out, e);
	else if (rc == RC_OK)
		rc = parts_parse(text, at, arena, out, e);
	if (rc == RC_OK && text[*at] == ':')
		rc = port_parse(text, at, out, e);
	if (rc == RC_OK && !ends_item(text[*at]))
		rc = unexpected(text[*at], "',' or the end", e);
	return rc;
}

/* ---- expansion */

/* The last range that has not more than i values before it. */
static const struct pattern_range *range_of(const struct pattern_part *part, uint64_t i)
{
	size_t low = 0, high = part->range_count;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (part->ranges[middle].before <= i)
			low = middle;
		else
			high = middle;
	}
	return &part->ranges[low];
}

static size_t part_format(
	const struct pattern_part *part, uint64_t i, char *to, size_t room)
{
	const struct pattern_range *r;
	int n;

	if (part->literal)
		return (size_t)snprintf(to, room, "%s", part->literal);
	r = range_of(part, i);
	i -= r->before;
	n = snprintf(to, room, "%0*u", (int)r->width, r->first + (uint32_t)i * r->step);
	return (size_t)n;
}

char *pattern_host(const struct pattern *p, uint64_t i, struct arena *arena)
{
	char host[HOST_MAX + 1];
	uint64_t below = p->count; /* how often the parts from here on repeat */
	size_t used = 0;

	if (p->address)
		return arena_text(arena, p->address);
	for (size_t n = 0; n < p->part_count; n++) {
		const struct pattern_part *part = &p->parts[n];

		below /= part->values;
		used += part_format(
			part, i / below % part->values, host + used, sizeof(host) - used);
	}
	return arena_text_n(arena, host, used);
}
