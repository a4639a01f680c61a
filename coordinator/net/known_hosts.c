#include "coordinator/net/known_hosts.h"

#include <string.h>

/* What the file has of one name. */
struct known_host {
	const char *name;
	struct known_lines lines; /* plain ones, and hashed ones that were found */
	size_t hashed_seen;	  /* hashed lines there were at the last search */
	unsigned hashed_types;	  /* of those found */
};

/* ---- building */

void known_hosts_init(
	struct known_hosts *k, struct arena *arena, known_hosts_warn *warn, void *context)
{
	*k = (struct known_hosts){ .arena = arena, .warn = warn, .context = context };
}

static enum rc append(
	struct known_hosts *k, struct known_lines *to, struct known_line *line)
{
	struct known_line **room = arena_grow(
		k->arena, to->item, to->count, sizeof(struct known_line *));

	if (!room)
		return RC_MEMORY;
	to->item = room;
	to->item[to->count++] = line;
	return RC_OK;
}

/* NULL: memory is short. */
static struct known_host *host_at(struct known_hosts *k, struct bytes name)
{
	struct bytemap_entry *entry = bytemap_at(&k->names, name, k->arena);
	struct known_host *h = entry ? entry->value : NULL;

	if (h || !entry)
		return h;
	h = arena_alloc(k->arena, 1, sizeof(*h));
	if (h)
		h->name = (const char *)entry->key.data;
	entry->value = h;
	return h;
}

static enum rc index_key(struct known_hosts *k, struct known_line *line)
{
	struct bytemap_entry *entry = bytemap_at(&k->keys, line->blob, k->arena);

	if (entry && !entry->value)
		entry->value = arena_alloc(k->arena, 1, sizeof(struct known_lines));
	return entry && entry->value ? append(k, entry->value, line) : RC_MEMORY;
}

static enum rc index_names(struct known_hosts *k, struct known_line *line)
{
	const char *name = line->hosts;

	for (;;) {
		size_t n = strcspn(name, ",");
		struct known_host *h = host_at(
			k, (struct bytes){ (const uint8_t *)name, n });

		if (!h || append(k, &h->lines, line) != RC_OK)
			return RC_MEMORY;
		if (!name[n])
			return RC_OK;
		name += n + 1;
	}
}

static enum rc index_hashed(struct known_hosts *k, struct known_line *line)
{
	struct known_hashed *room = arena_grow(
		k->arena, k->hashed, k->hashed_count, sizeof(*room));

	if (!room)
		return RC_MEMORY;
	if (line->marker == KNOWN_KEY)
		k->hashed_types |= known_type_bit(line->type);
	k->hashed = room;
	k->hashed[k->hashed_count++] = (struct known_hashed){ .hash = line->hash,
		.line = line };
	return RC_OK;
}

static enum rc index_line(struct known_hosts *k, struct known_line *line)
{
	k->count++;
	if (index_key(k, line) != RC_OK)
		return RC_MEMORY;
	if (line->marker == KNOWN_REVOKED) /* is only ever looked for by its key */
		return RC_OK;
	if (line->hosts && known_line_is_plain(line->hosts))
		return index_names(k, line);
	if (line->hosts)
		return append(k, &k->patterns, line);
	return index_hashed(k, line);
}

static enum rc add_line(
	struct known_hosts *k, const char *file, unsigned number, struct bytes text)
{
	char *copy = arena_text_n(k->arena, text.data, text.size);
	struct known_line *line = arena_alloc(k->arena, 1, sizeof(*line));
	const char *wrong;

	if (!copy || !line)
		return RC_MEMORY;
	line->file = file;
	line->number = number;
	wrong = known_line_parse(k->arena, copy, line);
	if (memchr(text.data, 0, text.size) && (line->type || wrong))
		wrong = "a NUL byte in the line";
	if (wrong && k->warn)
		k->warn(k->context, file, number, wrong);
	return wrong || !line->type ? RC_OK : index_line(k, line);
}

enum rc known_hosts_add(
	struct known_hosts *k, const char *file, struct bytes text, struct err *e)
{
	file = arena_text(k->arena, file);
	if (!file)
		return err_memory(e);
	while (text.size) {
		const uint8_t *end = memchr(text.data, '\n', text.size);
		size_t size = end ? (size_t)(end - text.data) : text.size;

		if (add_line(k, file, k->newlines + 1,
			    (struct bytes){ text.data, size }) != RC_OK)
			return err_memory(e);
		k->newlines += end != NULL;
		size += end != NULL;
		text = (struct bytes){ text.data + size, text.size - size };
	}
	return RC_OK;
}

/* ---- the lines of a key */

/* What the files say of a host, and of a key for it. */
struct findings {
	const struct known_line *revoked, *same, *other, *authority;
};

/* The first line stays. */
static void note(const struct known_line **where, const struct known_line *line)
{
	if (!*where || (line->file == (*where)->file && line->number < (*where)->number))
		*where = line;
}

static void look_up_key(const struct known_query *q, const struct known_hosts *k,
	struct bytes blob, struct findings *f)
{
	const struct known_lines *list = bytemap_find(&k->keys, blob);

	for (size_t i = 0; list && i < list->count; i++) {
		const struct known_line *line = list->item[i];

		if (line->marker == KNOWN_AUTHORITY)
			continue;
		if (line->marker == KNOWN_KEY && f->same)
			continue;
		if (known_line_matches(line, q->name))
			note(line->marker == KNOWN_KEY ? &f->same : &f->revoked, line);
		else if (line->marker == KNOWN_REVOKED &&
			 known_line_matches(line, q->any_port))
			note(&f->revoked, line);
	}
}

static bool is_revoked(const struct known_query *q, struct bytes blob)
{
	struct findings f = { NULL, NULL, NULL, NULL };

	for (size_t i = 0; i < q->file_count; i++)
		look_up_key(q, q->files[i], blob, &f);
	return f.revoked;
}

/* ---- the lines of a host */

/* Finds the hashed lines of the name.  The search begins behind the last hit, because
 * files are often in the order in which hosts are asked, and ends when the host has a
 * key of every type that hashed lines have. */
static enum rc search_hashed(
	const struct known_query *q, struct known_hosts *k, struct known_host *h)
{
	size_t count = k->hashed_count, first = k->next_hashed;
	struct known_hash_name name;

	if (h->hashed_seen == count)
		return RC_OK;
	known_hash_name(h->name, &name);
	for (size_t i = 0; i < count; i++) {
		size_t at = (first + i) % count;
		struct known_hashed *row = &k->hashed[at];
		struct known_line *line = row->line;

		if (row->owned || !known_hash_matches(&row->hash, &name))
			continue;
		if (append(k, &h->lines, line) != RC_OK)
			return RC_MEMORY;
		line->owner = h->name;
		row->owned = true;
		k->next_hashed = at + 1;
		if (line->marker == KNOWN_KEY && !is_revoked(q, line->blob))
			h->hashed_types |= known_type_bit(line->type);
		if (h->hashed_types == k->hashed_types)
			break;
	}
	h->hashed_seen = count;
	return RC_OK;
}

static void note_lines(
	const struct known_lines *list, const char *name, struct findings *f)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct known_line *line = list->item[i];

		if (known_line_matches(line, name))
			note(line->marker == KNOWN_KEY ? &f->other : &f->authority, line);
	}
}

static enum rc look_up_host(
	const struct known_query *q, struct known_hosts *k, struct findings *f)
{
	struct known_host *h = host_at(k, bytemap_text(q->name));

	if (!h || search_hashed(q, k, h) != RC_OK)
		return RC_MEMORY;
	note_lines(&h->lines, q->name, f);
	note_lines(&k->patterns, q->name, f);
	return RC_OK;
}

enum rc known_hosts_check(const struct known_query *q, struct bytes blob,
	struct known_answer *answer, struct err *e)
{
	struct findings f = { NULL, NULL, NULL, NULL };

	for (size_t i = 0; i < q->file_count; i++)
		look_up_key(q, q->files[i], blob, &f);
	for (size_t i = 0; i < q->file_count && !f.revoked && !f.same; i++)
		if (look_up_host(q, q->files[i], &f) != RC_OK)
			return err_memory(e);
	if (f.revoked)
		*answer = (struct known_answer){ KNOWN_IS_REVOKED, f.revoked };
	else if (f.same)
		*answer = (struct known_answer){ KNOWN_YES, f.same };
	else if (f.other)
		*answer = (struct known_answer){ KNOWN_CHANGED, f.other };
	else
		*answer = (struct known_answer){ KNOWN_NOT, f.authority };
	return RC_OK;
}

/* ---- types */

static unsigned types_of_lines(
	const struct known_query *q, const struct known_lines *list)
{
	unsigned types = 0;

	for (size_t i = 0; i < list->count; i++) {
		const struct known_line *line = list->item[i];

		if (line->marker == KNOWN_KEY && known_line_matches(line, q->name) &&
			!is_revoked(q, line->blob))
			types |= known_type_bit(line->type);
	}
	return types;
}

/* Types that the host is known by as far as its lines are found. */
static unsigned types_found(const struct known_query *q)
{
	unsigned types = 0;

	for (size_t i = 0; i < q->file_count; i++) {
		const struct known_hosts *k = q->files[i];
		const struct known_host *h = bytemap_find(
			&k->names, bytemap_text(q->name));

		types |= types_of_lines(q, &k->patterns);
		if (h)
			types |= types_of_lines(q, &h->lines);
	}
	return types;
}

static enum rc search_all(const struct known_query *q, struct err *e)
{
	for (size_t i = 0; i < q->file_count; i++) {
		struct known_host *h = host_at(q->files[i], bytemap_text(q->name));

		if (!h || search_hashed(q, q->files[i], h) != RC_OK)
			return err_memory(e);
	}
	return RC_OK;
}

enum rc known_hosts_types(const struct known_query *q,
	const char *types[static KNOWN_TYPES_MAX + 1], struct err *e)
{
	unsigned found = types_found(q), possible = 0;
	size_t count = 0;

	types[0] = NULL;
	for (size_t i = 0; i < q->file_count; i++)
		possible |= q->files[i]->hashed_types & ~found;
	/* One guess alone does no harm: the host is known by that type, or not at all.
	 * Any other could lead to a key that is not known, past one that is. */
	if (possible && (found || possible & (possible - 1))) {
		if (search_all(q, e) != RC_OK)
			return e->code;
		possible = 0;
		found = types_found(q);
	}
	for (unsigned i = 0; i < KNOWN_TYPES_MAX; i++)
		if ((found | possible) & 1U << i)
			types[count++] = known_type_name(i);
	types[count] = NULL;
	return RC_OK;
}
