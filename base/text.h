/* text.h - text that came from outside, before it goes anywhere.
 *
 * Nodes, files and libraries are not trusted: a name is checked before it
 * comes near XML, a path or a terminal, and free text is made printable.
 */
#ifndef BASE_TEXT_H
#define BASE_TEXT_H

#include <stdbool.h>
#include <stdint.h>

/* Is it a name as libvirt, files and hosts may carry: [A-Za-z0-9._-]+, at
 * most 128 bytes, not starting with '-' or '.'? */
bool text_is_name(const char *s);

/* Is it a UUID as libvirt prints it: 8-4-4-4-12 digits in lower case? */
bool text_is_uuid(const char *s);

/* Replaces every byte that a terminal could act on (controls, DEL) by '?'.
 * Bytes above 0x7f stay: UTF-8 passes, C1 controls do not. */
void text_make_printable(char *s);

bool text_starts_with(const char *s, const char *prefix);
bool text_ends_with(const char *s, const char *suffix);

/* The whole of s as a number, decimal or 0x hexadecimal; false when it is
 * not one, does not fit, has a sign or blanks. */
bool text_to_u64(const char *s, uint64_t *value);
bool text_to_u32(const char *s, uint32_t *value);

#endif
