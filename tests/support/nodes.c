#include "tests/support/nodes.h"

#include <stdlib.h>
#include <unistd.h>

#include "tests/support/test.h"

enum { TEXT_MAX = 16 * 1024 * 1024 };

char *nodes_text(struct arena *arena, const struct inventory *inv)
{
	struct buf out = buf_with_cap(TEXT_MAX);
	char *text;

	for (size_t i = 0; i < inv->count; i++) {
		const struct inventory_node *n = &inv->nodes[i];

		buf_format(&out, "%s%s%s%s%s%s", i ? " " : "", n->alias ? n->name : "",
			n->alias ? "=" : "", n->user ? n->user : "", n->user ? "@" : "",
			n->host);
		if (n->port)
			buf_format(&out, ":%u", n->port);
		if (n->identity)
			buf_format(&out, " %s", n->identity);
		if (n->become)
			buf_format(&out, " %cbecome",
				n->become == INVENTORY_BECOME_YES ? '+' : '-');
	}
	text = arena_text_n(arena, buf_bytes(&out).data, buf_bytes(&out).size);
	buf_destroy(&out);
	return text;
}

static char *settled(
	struct arena *arena, struct inventory *inv, enum rc rc, struct err *e)
{
	if (rc == RC_OK)
		rc = inventory_settle(inv, arena, e);
	if (rc == RC_OK)
		return nodes_text(arena, inv);
	assert_int_equal(rc, RC_INPUT);
	assert_int_equal(e->code, RC_INPUT);
	return arena_format(arena, "!%s", e->text);
}

char *nodes_of_argument(struct arena *arena, const char *argument)
{
	struct inventory inv = { 0 };
	struct err e = { 0 };
	enum rc rc = inventory_add_argument(&inv, argument, arena, &e);

	return settled(arena, &inv, rc, &e);
}

static void name_hide(struct err *e, const char *path)
{
	struct err inner = *e;
	char *at = strstr(inner.text, path);

	if (!at)
		return;
	*at = '\0';
	err_set(e, inner.code, inner.native, "%sFILE%s", inner.text, at + strlen(path));
}

enum rc nodes_read(struct inventory *inv, const void *content, size_t size,
	struct arena *arena, struct err *e)
{
	char path[] = "/tmp/cpuherd-hosts-XXXXXX";
	int fd = mkstemp(path);
	enum rc rc;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, content, size), size);
	close(fd);
	rc = inventory_add_file(inv, arena_text(arena, path), arena, e);
	unlink(path);
	if (rc != RC_OK)
		name_hide(e, path);
	/* refusals are told when it is settled */
	for (size_t i = 0; i < inv->count; i++) {
		const char *why = inv->nodes[i].refused;

		if (why && strncmp(why, path, strlen(path)) == 0)
			inv->nodes[i].refused = arena_format(
				arena, "FILE%s", why + strlen(path));
	}
	return rc;
}

char *nodes_of_file(struct arena *arena, const void *content, size_t size)
{
	struct inventory inv = { 0 };
	struct err e = { 0 };
	enum rc rc = nodes_read(&inv, content, size, arena, &e);
	char *text = settled(arena, &inv, rc, &e);
	char *path = strstr(text, "/tmp/cpuherd-hosts-");

	/* an exclusion is told by its place when it is settled */
	if (path)
		text = arena_format(
			arena, "!FILE%s", path + strlen("/tmp/cpuherd-hosts-XXXXXX"));
	return text;
}
