#include "tests/bench/cheap_peer.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/digest.h"
#include "base/hex.h"
#include "proto/dump.h"
#include "proto/limits.h"

/* ---- what all connections share */

static enum rc read_all(const char *path, struct buf *out, struct err *e)
{
	FILE *file = fopen(path, "rb");
	char part[4096];
	enum rc rc = RC_OK;
	size_t n;

	if (!file)
		return err_set(e, RC_INPUT, errno, "%s: %s", path, strerror(errno));
	while (rc == RC_OK && (n = fread(part, 1, sizeof(part), file)) > 0)
		rc = buf_append(out, part, n);
	fclose(file);
	return rc == RC_OK ? RC_OK : err_set(e, rc, 0, "%s: it is too large", path);
}

static enum rc name_body(struct cheap_peer *peer, enum body_id id, struct err *e)
{
	struct list *list = &peer->facts.small.bodies;
	struct body_ref *refs = arena_grow(
		&peer->arena, list->item, list->count, sizeof(*refs));
	struct digest *digest = arena_alloc(&peer->arena, 1, sizeof(*digest));
	struct bytes content;
	enum rc rc;

	if (!refs || !digest)
		return err_memory(e);
	rc = facts_body_bytes(&peer->facts, id, &peer->bodies[id], e);
	if (rc != RC_OK)
		return rc;
	content = buf_bytes(&peer->bodies[id]);
	*digest = digest_of(content.data, content.size);
	refs[list->count++] = (struct body_ref){ body_rows[id].name,
		{ digest->byte, DIGEST_BYTES }, content.size };
	list->item = refs;
	return RC_OK;
}

enum rc cheap_peer_load(struct cheap_peer *peer, const char *path, struct err *e)
{
	struct buf text = buf_with_cap(LIMIT_DUMP_BYTES);
	enum rc rc;

	memset(peer, 0, sizeof(*peer));
	for (enum body_id id = 0; id < BODY_COUNT; id++)
		peer->bodies[id] = buf_with_cap(LIMIT_BODY_BYTES);
	rc = read_all(path, &text, e);
	if (rc == RC_OK)
		rc = dump_read(buf_bytes(&text), path, &peer->arena, &peer->facts, e);
	buf_destroy(&text);
	for (enum body_id id = 0; id < BODY_COUNT && rc == RC_OK; id++)
		if (peer->facts.present[id])
			rc = name_body(peer, id, e);
	return rc;
}

void cheap_peer_unload(struct cheap_peer *peer)
{
	for (enum body_id id = 0; id < BODY_COUNT; id++)
		buf_destroy(&peer->bodies[id]);
	arena_destroy(&peer->arena);
}

/* ---- one connection */

void cheap_dialogue_open(struct cheap_dialogue *d, const struct cheap_peer *peer)
{
	*d = (struct cheap_dialogue){ .peer = peer,
		.in = buf_with_cap(LIMIT_FRAME_BYTES + 4),
		.out = buf_with_cap((size_t)BODY_COUNT * LIMIT_BODY_BYTES) };
}

void cheap_dialogue_close(struct cheap_dialogue *d)
{
	buf_destroy(&d->in);
	buf_destroy(&d->out);
}

static enum rc answer_bodies(
	struct cheap_dialogue *d, const struct ask_bodies *ask, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < ask->names.count && rc == RC_OK; i++) {
		enum body_id id = body_id_of(ask->names.item[i]);
		struct body body = { .name = ask->names.item[i],
			.last = i + 1 == ask->names.count };

		if (id == BODY_COUNT)
			return err_set(e, RC_PROTOCOL, 0, "there is no body %s",
				ask->names.item[i]);
		body.content = buf_bytes(&d->peer->bodies[id]);
		rc = frame_put(&d->out, MESSAGE_body, &body, e);
	}
	return rc;
}

static enum rc answer_one(
	struct cheap_dialogue *d, const struct message *m, struct err *e)
{
	static const struct welcome welcome = { PROTOCOL_VERSION, CPUHERD_VERSION, 0 };
	static const struct failure failure = { "protocol", 0,
		"this server is for probing" };

	switch (m->type->tag) {
	case MESSAGE_hello:
		return frame_put(&d->out, MESSAGE_welcome, &welcome, e);
	case MESSAGE_ask_facts:
		return frame_put(&d->out, MESSAGE_facts, &d->peer->facts.small, e);
	case MESSAGE_ask_bodies:
		return answer_bodies(d, m->value, e);
	case MESSAGE_bye:
		d->over = true;
		return RC_OK;
	default:
		return frame_put(&d->out, MESSAGE_failure, &failure, e);
	}
}

enum rc cheap_dialogue_answer(struct cheap_dialogue *d, struct err *e)
{
	enum rc rc = RC_OK;

	while (rc == RC_OK && !d->over) {
		struct arena scratch = { 0 };
		struct message m;

		rc = frame_take(&d->in, PROTOCOL_VERSION, &scratch, &m, e);
		if (rc == RC_OK)
			rc = answer_one(d, &m, e);
		arena_destroy(&scratch);
	}
	return rc == RC_AGAIN ? RC_OK : rc;
}

/* ---- the command */

/* The words behind the script, as bootstrap_command() writes them. */
enum word { NONCE, SHA256, RAW_SIZE, GZIP_SIZE, PROTOCOL, MACHINE, BECOME, FIRST, WORDS };

enum { FIRST_MAX = 32 * 1024 };

static bool take_first_words(struct buf *out, const char *hex)
{
	uint8_t frames[FIRST_MAX / 2];
	size_t size = strlen(hex) / 2;

	return hex_read(hex, frames, size) && buf_append(out, frames, size) == RC_OK;
}

enum rc cheap_dialogue_start(struct cheap_dialogue *d, const char *command, struct err *e)
{
	static const char mark[] = "' cpuherd ";
	const char *words = strstr(command, mark);
	char text[FIRST_MAX + 1], *word[WORDS] = { NULL }, *rest;
	int count = 0;
	enum rc rc;

	if (!words || strlen(words) >= sizeof(text))
		return err_set(e, RC_INPUT, 0, "not the start of a peer");
	strcpy(text, words + strlen(mark));
	for (char *w = strtok_r(text, " ", &rest); w && count < WORDS;
		w = strtok_r(NULL, " ", &rest))
		word[count++] = w;
	if (count <= BECOME)
		return err_set(
			e, RC_PROTOCOL, 0, "only %d words follow the script", count);
	rc = buf_format(&d->out, "cpuherd-start %s have cached nowhere\n", word[NONCE]);
	if (rc == RC_OK && word[FIRST] && !take_first_words(&d->in, word[FIRST]))
		return err_set(e, RC_PROTOCOL, 0, "the first words are not hexadecimal");
	return rc == RC_OK ? cheap_dialogue_answer(d, e) : rc;
}
