/* A line of a journal: SUM WORD FIELD FIELD...  A field has no blanks: what is not
 * printable ASCII, and the per cent sign, is %XX; nothing at all is "-". */
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/hex.h"
#include "coordinator/apply/journal.h"

void journal_sum_line(char *sum, struct bytes line)
{
	struct buf all = buf_with_cap(line.size + JOURNAL_SUM_MAX);
	char hex[DIGEST_HEX_MAX];
	struct digest d;

	/* without memory the sum is wrong, and the line will not be accepted */
	if (buf_append_text(&all, sum) == RC_OK)
		buf_append(&all, line.data, line.size);
	d = digest_of(buf_bytes(&all).data, buf_bytes(&all).size);
	digest_to_hex(&d, hex);
	snprintf(sum, JOURNAL_SUM_MAX, "%.16s", hex);
	buf_destroy(&all);
}

static bool is_plain(uint8_t byte)
{
	return byte > ' ' && byte < 0x7f && byte != '%';
}

enum rc journal_escape(struct buf *out, struct bytes field)
{
	enum rc rc = buf_append_text(out, field.size ? " " : " -");

	if (field.size == 1 && field.data[0] == '-')
		return buf_append_text(out, "%2d");
	for (size_t i = 0; i < field.size && rc == RC_OK; i++)
		rc = is_plain(field.data[i]) ? buf_append(out, &field.data[i], 1)
					     : buf_format(out, "%%%02x", field.data[i]);
	return rc;
}

const char *journal_unescape(
	const char *text, size_t length, size_t *size, struct arena *arena)
{
	uint8_t *out = arena_alloc(arena, length + 1, 1);
	size_t n = 0;

	*size = 0;
	if (!out || (length == 1 && text[0] == '-'))
		return (const char *)out;
	for (size_t i = 0; i < length; i++) {
		char pair[3] = "";

		if (text[i] != '%') {
			out[n++] = (uint8_t)text[i];
			continue;
		}
		if (length - i < 3)
			return NULL;
		memcpy(pair, text + i + 1, 2);
		if (!hex_read(pair, &out[n++], 1))
			return NULL;
		i += 2;
	}
	*size = n;
	return (const char *)out;
}
