#include "tests/support/keys.h"

#include "coordinator/net/key.h"
#include "coordinator/net/wire.h"
#include "tests/support/test.h"

struct bytes keys_public(struct arena *arena, const char *path)
{
	const char *text = test_read_file(arena, arena_format(arena, "%s.pub", path));
	struct bytes blob;

	assert_true(key_parse_public(
		(struct bytes){ (const uint8_t *)text, strlen(text) }, &blob, arena));
	return blob;
}

struct bytes keys_login_data(struct buf *out, const char *algorithm)
{
	wire_put_text(out, "a session");
	buf_append(out, "\62", 1);
	wire_put_text(out, "user");
	wire_put_text(out, "ssh-connection");
	wire_put_text(out, "publickey");
	buf_append(out, "\1", 1);
	wire_put_text(out, algorithm);
	wire_put_text(out, "a blob");
	return buf_bytes(out);
}
