/* The memory of a libssh2 session, which has a bound: a server may send packets that
 * nobody asked for, and libssh2 keeps them all. */
#include <malloc.h>
#include <stdlib.h>

#include "coordinator/net/transport_libssh2.h"
#include "coordinator/net/transport_memory.h"

/* The session itself, and what it may hold unread of standard output and error (2 MiB each
 * at most), with room to spare. */
enum { HEAP_BYTES = 8 * 1024 * 1024 };

static bool fits(struct transport *t, size_t size)
{
	/* a jump host carries as many windows as there are nodes behind it */
	if (t->only_tunnels || (size <= HEAP_BYTES && t->heap <= HEAP_BYTES - size))
		return true;
	t->too_much = true;
	return false;
}

/* libssh2's first request is the session itself. */
void *transport_allocate(size_t size, void **abstract)
{
	struct transport *t = *abstract;
	void *block;

	if (!fits(t, size))
		return NULL;
	block = t->session_bytes ? malloc(size) : transport_pages(size);
	if (!t->session_bytes)
		t->session_bytes = size;
	t->heap += malloc_usable_size(block);
	return block;
}

/* Some blocks are ours (signatures): they were not counted. */
static void forget(struct transport *t, size_t size)
{
	t->heap -= size < t->heap ? size : t->heap;
}

void *transport_resize(void *block, size_t size, void **abstract)
{
	struct transport *t = *abstract;
	size_t before = malloc_usable_size(block);
	void *bigger;

	if (!fits(t, size))
		return NULL;
	bigger = realloc(block, size);
	if (!bigger)
		return NULL;
	forget(t, before);
	t->heap += malloc_usable_size(bigger);
	return bigger;
}

void transport_release(void *block, void **abstract)
{
	struct transport *t = *abstract;

	forget(t, malloc_usable_size(block));
	free(block);
}

enum rc transport_explain_flood(
	const struct transport *t, const char *doing, struct err *e)
{
	if (!t->shaken)
		return err_set(e, RC_LIMIT, 0,
			"the server sent %d KiB and had not exchanged keys yet",
			HANDSHAKE_BYTES / 1024);
	return err_set(e, RC_LIMIT, 0,
		"%s: the server sent more than %d MiB that nobody asked for", doing,
		HEAP_BYTES / 1024 / 1024);
}
