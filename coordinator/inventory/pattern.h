/* pattern.h - one item of an inventory: node[01-16], user@host:port, [::1]:22.
 *
 * Grammar (blanks are not allowed anywhere):
 *
 *	item    = [USER "@"] host [":" PORT]
 *	host    = "[" IPv6 "]"            brackets that hold a colon
 *	        | (TEXT | "[" ranges "]")+
 *	ranges  = range ("," range)*
 *	range   = NUMBER ["-" NUMBER ["/" STEP]]    leading zeros are kept: 01-16
 *
 * A pattern is counted before it is expanded, so that node[1-999999999] costs
 * nothing but an error.
 */
#ifndef COORDINATOR_PATTERN_H
#define COORDINATOR_PATTERN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/err.h"

struct pattern_range {
	uint32_t first, last, step;
	uint32_t width;	 /* digits, zeros in front included; 0: as they come */
	uint64_t before; /* values of the ranges in front of this one */
};

/* Literal text, or (when there are ranges) a bracket. */
struct pattern_part {
	const char *literal;
	struct pattern_range *ranges;
	size_t range_count;
	uint64_t values; /* how many texts this part stands for */
	size_t length;	 /* bytes of the longest of them */
};

struct pattern {
	const char *user; /* NULL: none given */
	struct pattern_part *parts;
	size_t part_count;
	uint64_t count;	     /* how many hosts; saturates */
	uint16_t port;	     /* 0: none given */
	const char *address; /* IPv6 without its brackets; then there are no parts */
};

/* Parses the item at text[*at] up to the end or to a ',', '!', '&' or '^' outside
 * brackets, and moves *at there.  RC_INPUT: *at is where the fault is, the text says what. */
enum rc pattern_parse(const char *text, size_t *at, struct arena *arena,
	struct pattern *out, struct err *e);

/* The i-th host of the pattern, i < count; the last bracket runs fastest.  NULL
 * when memory is short. */
char *pattern_host(const struct pattern *p, uint64_t i, struct arena *arena);

/* The whole text as one host name, IPv6 address (without brackets), user name? */
bool pattern_is_host(const char *text);
bool pattern_is_address(const char *text);
bool pattern_is_user(const char *text);

#endif
