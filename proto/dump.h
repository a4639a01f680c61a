/* dump.h - facts as text for people, files and other engines; reads back in.
 *
 *	# cpuherd facts 2
 *	fact hostname node01
 *	fact kernel 6.1.0-18-amd64
 *	parameter kvm_intel nested Y
 *	gap offer_qemu no emulator for virt type qemu
 *	source host
 *	cpu 0-3
 *	cpuid 0x00000001 0x00000000 0x000306c3 0x00100800 0x7ffafbff 0xbfebfbff
 *	msr 0x0000010a 0x0000000000000000
 *	source kvm
 *	cpuid ...
 *	text domcaps_kvm
 *	| <domainCapabilities>
 *	| ...
 *	end
 *
 * One file a node.  A text that begins with "# cpuherd facts 2" is whole only with its
 * `end`: what a killed ssh left of one is refused, not taken for a node that knows less.
 * Texts of before (1) had no end, and registers copied by hand need none.  '#' starts a comment line, blank lines are ignored, blanks
 * separate words; leading blanks are allowed.  Sources: host, kvm, emulated.
 * `cpu LIST` opens a further kind of logical CPU (cpuid lines before any `cpu`
 * belong to one kind without a list).  A "fact" line names a scalar field of
 * struct facts and gives its value to the end of the line.  A file with
 * nothing but source, cpu, cpuid and msr lines is a valid one; registers before any
 * source line are the host's, so that what cpuid(1) prints can be made into one:
 *
 *	cpuid -r | awk '/^CPU/ { print "cpu", n++ }
 *		/eax=/ { gsub(/:|e[abcd]x=/, ""); print "cpuid", $0 }'
 */
#ifndef PROTO_DUMP_H
#define PROTO_DUMP_H

#include "proto/facts.h"

/* The first line of a text that must have its end. */
#define DUMP_FIRST_LINE "# cpuherd facts 2"

/* Appends the whole text to out.  What is read back gives the same text. */
enum rc dump_write(struct buf *out, const struct node_facts *f, struct err *e);

/* Its parts: the small facts without first line and end; a body that is present.
 * RC_LIMIT, RC_MEMORY. */
enum rc dump_write_small(struct buf *out, const struct facts *small);
enum rc dump_write_body(struct buf *out, const struct node_facts *f, enum body_id id);

/* Reads a dump; name (a file's) starts the text of an error: "name:12: ...".
 * A fact or text that this version does not know is skipped, so that a newer
 * dump can be read.  Registers are kept in the order of the file.  What is
 * absent and has no gap line gets one ("not in this dump").  RC_INPUT, also when its
 * end is missing; out->ended says whether it was there. */
enum rc dump_read(struct bytes in, const char *name, struct arena *arena,
	struct node_facts *out, struct err *e);

/* Adds to *out (of facts_init()) what a part of a dump says that begins at this line of
 * the file.  Needs no end and makes no gaps. */
enum rc dump_read_part(struct bytes in, const char *name, size_t first_line,
	struct arena *arena, struct node_facts *out, struct err *e);

/* The gap lines of what is absent and unexplained. */
enum rc dump_explain_gaps(struct arena *arena, struct node_facts *out, struct err *e);

#endif
