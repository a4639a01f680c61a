#include "coordinator/verb/gathered.h"

#include <string.h>

#include "base/lookup.h"
#include "base/text.h"
#include "coordinator/inventory/inventory.h"
#include "proto/limits.h"

/* A node whose text is being put together. */
struct node {
	const char *name, *trouble;
	struct buf text;
	bool begun; /* something of its text was there ... */
	bool says;  /* ... and not only comments */
	bool taken; /* its end was there, and it was handed on */
};

struct reader {
	struct lines *lines;
	gathered_take *take;
	void *context;
	struct arena arena;
	struct node *nodes;
	size_t count;
	struct lookup labels;
	size_t open;   /* the node that lines without a label belong to; SIZE_MAX: none */
	size_t handed; /* texts handed on */
	bool rule, skip; /* inside clush's rules; inside ansible's JSON */
	bool finished;	 /* there are no more lines */
	bool any;	 /* a line began facts */
	struct err *e;
};

enum { LABEL_BYTES = 300 };

/* The first line of a text, but for texts of before 2: they have no end, so nobody could
 * tell where the next begins. */
static bool begins_text(const char *line)
{
	static const char words[] = "# cpuherd facts ";

	return text_starts_with(line, words) &&
	       !text_starts_with(line + sizeof(words) - 1, "1");
}

/* ---- nodes */

static enum rc bad_line(struct reader *r, const char *what)
{
	return err_set(r->e, RC_INPUT, 0, "%s:%zu: %s: %.80s", r->lines->path,
		r->lines->number, what, r->lines->line);
}

static size_t node_find(const struct reader *r, const char *label, uint64_t hash)
{
	size_t cursor = 0, at;

	while ((at = lookup_next(&r->labels, hash, &cursor)) != SIZE_MAX)
		if (at < r->count && strcmp(r->nodes[at].name, label) == 0)
			return at;
	return SIZE_MAX;
}

static enum rc node_add(struct reader *r, const char *name)
{
	struct node *n;

	if (r->count == INVENTORY_NODES_MAX)
		return bad_line(r, "there are too many nodes");
	r->nodes = arena_grow(&r->arena, r->nodes, r->count, sizeof(*r->nodes));
	if (!r->nodes)
		return err_memory(r->e);
	n = &r->nodes[r->count];
	*n = (struct node){ .name = arena_text(&r->arena, name),
		.text = buf_with_cap(LIMIT_DUMP_BYTES + 1) };
	if (!n->name)
		return err_memory(r->e);
	r->open = r->count++;
	return RC_OK;
}

/* Opens the node of that label; one without a text yet where it has had its end. */
static enum rc node_open(struct reader *r, const char *label)
{
	struct bytes key = { (const uint8_t *)label, strlen(label) };
	uint64_t hash = lookup_hash(key);
	size_t at = node_find(r, label, hash);

	if (at != SIZE_MAX) {
		r->open = at;
		return RC_OK;
	}
	if (node_add(r, label) != RC_OK)
		return r->e->code;
	return lookup_add(&r->labels, hash, r->open, &r->arena, r->e);
}

/* Numbers are srun's tasks and brackets kubectl's pods: no names of nodes. */
static bool is_name(const char *label)
{
	return !text_starts_with(label, "[pod/") &&
	       label[strspn(label, "0123456789")] != '\0';
}

static enum rc hand_on(struct reader *r, struct node *n)
{
	bool one = r->finished && r->count == 1, alone = one && n->name[0] == '\0';
	struct gathered_text text = { .name = is_name(n->name) ? n->name : "",
		.where = r->lines->path,
		.alone = alone,
		.stray = one && !alone && !r->any && !n->trouble,
		.text = buf_bytes(&n->text),
		.trouble = n->trouble };
	enum rc rc;

	if (n->name[0])
		text.where = arena_format(&r->arena, "%s (%s)", r->lines->path, n->name);
	else if (!alone)
		text.where = arena_format(
			&r->arena, "%s (text %zu)", r->lines->path, r->handed + 1);
	rc = text.where ? r->take(r->context, &text, r->e) : err_memory(r->e);
	buf_destroy(&n->text);
	n->begun = n->says = false;
	n->taken = true;
	r->handed++;
	return rc;
}

static bool is_blank(const char *line)
{
	return line[strspn(line, " \t\r")] == '\0';
}

/* One line of the open node's text. */
static enum rc node_line(struct reader *r, const char *line)
{
	struct node *n = &r->nodes[r->open];
	enum rc rc;

	if (!n->begun && is_blank(line))
		return RC_OK;
	if (n->taken && !n->begun && !begins_text(line))
		return bad_line(r, "a line behind the end of a node's facts");
	n->begun = true;
	n->says = n->says || line[0] != '#' || begins_text(line);
	r->any = r->any || begins_text(line);
	rc = buf_append_text(&n->text, line);
	if (rc == RC_OK)
		rc = buf_append_text(&n->text, "\n");
	if (rc == RC_LIMIT)
		return bad_line(r, "the facts of one node are too long");
	if (rc != RC_OK)
		return err_memory(r->e);
	/* a whole text need not wait for the end of the file */
	if (n->name[0] && text_starts_with(line, "end") && is_blank(line + 3))
		return hand_on(r, n);
	return RC_OK;
}

/* ---- what engines put around the lines */

/* "node01: LINE" or "[pod/NAME/PEER] LINE": length of the label; no line of facts has a
 * first word like that. */
static size_t label_length(const char *line, size_t *skip)
{
	size_t start = strspn(line, " "), size = strcspn(line + start, " ");

	*skip = start;
	if (size > 1 && line[start + size - 1] == ':' && !strchr("|#", line[start]))
		return size - 1;
	if (text_starts_with(line + start, "[pod/") && line[start + size - 1] == ']')
		return size;
	return 0;
}

static enum rc labelled_line(struct reader *r, size_t skip, size_t length)
{
	const char *line = r->lines->line + skip;
	char label[LABEL_BYTES];
	enum rc rc;

	if (length >= sizeof(label))
		return bad_line(r, "a name that is too long");
	memcpy(label, line, length);
	label[length] = '\0';
	rc = node_open(r, label);
	line += strcspn(line, " ");
	if (rc == RC_OK)
		rc = node_line(r, *line == ' ' ? line + 1 : line);
	r->open = SIZE_MAX;
	return rc;
}

static bool is_rule(const char *line)
{
	size_t size = strlen(line);

	return size >= 3 && strspn(line, "-") == size;
}

/* Between two rules: "node[01-03] (3)". */
static enum rc ruled_name(struct reader *r)
{
	size_t size = strcspn(r->lines->line, " ");
	const char *name = arena_text_n(&r->arena, r->lines->line, size);

	return name ? node_open(r, name) : err_memory(r->e);
}

/* "node01 | CHANGED | rc=0 >>", "node02 | UNREACHABLE! => {". */
static bool is_ansible(const char *line)
{
	const char *bar = strstr(line, " | ");

	return bar && bar > line && line[0] != '|' && line[0] != '#' &&
	       strcspn(line, " ") == (size_t)(bar - line) &&
	       (text_ends_with(line, ">>") || text_ends_with(line, "=> {"));
}

static const char *ansible_trouble(struct reader *r, char *word)
{
	size_t size = strcspn(word, " !|");

	word[size] = '\0';
	if (strcmp(word, "FAILED") == 0 || strcmp(word, "UNREACHABLE") == 0)
		return arena_format(&r->arena, "ansible says %s", word);
	return "ansible printed JSON: its modules command, shell and raw print text";
}

static enum rc ansible_name(struct reader *r)
{
	char *line = r->lines->line, *word = strstr(line, " | ") + 3;
	bool well = strstr(word, "| rc=0 >>") != NULL;
	enum rc rc;

	word[-3] = '\0';
	rc = node_open(r, line);
	if (rc != RC_OK || well)
		return rc;
	r->skip = true; /* what it says of a failure is no facts */
	r->nodes[r->open].trouble = ansible_trouble(r, word);
	return r->nodes[r->open].trouble ? RC_OK : err_memory(r->e);
}

/* ---- lines */

/* A line that stands by itself: of the open node, or the begin of one without a name.
 * Such a one is handed on when the next begins: the last may be the only one. */
static enum rc plain_line(struct reader *r)
{
	const char *line = r->lines->line;
	struct node *n = r->open == SIZE_MAX ? NULL : &r->nodes[r->open];

	if (r->skip || (!n && is_blank(line)))
		return RC_OK;
	if (n && !n->name[0] && n->says && begins_text(line)) {
		if (hand_on(r, n) != RC_OK)
			return r->e->code;
		n = NULL;
	}
	if (!n && node_add(r, "") != RC_OK)
		return r->e->code;
	return node_line(r, line);
}

static enum rc line_read(struct reader *r)
{
	const char *line = r->lines->line;
	size_t skip, label;

	if (line[0] == '|')
		return plain_line(r);
	if (is_rule(line)) {
		r->rule = !r->rule;
		r->skip = false;
		return RC_OK;
	}
	if (r->rule)
		return ruled_name(r);
	if (is_ansible(line)) {
		r->skip = false;
		return ansible_name(r);
	}
	label = label_length(line, &skip);
	return label && !r->skip ? labelled_line(r, skip, label) : plain_line(r);
}

static enum rc rest_hand_on(struct reader *r)
{
	enum rc rc = RC_OK;

	r->finished = true;
	for (size_t i = 0; i < r->count && rc == RC_OK; i++)
		if (r->nodes[i].begun || !r->nodes[i].taken)
			rc = hand_on(r, &r->nodes[i]);
	return rc;
}

enum rc gathered_read(struct lines *l, gathered_take *take, void *context, struct err *e)
{
	struct reader r = {
		.lines = l, .take = take, .context = context, .open = SIZE_MAX, .e = e
	};
	enum rc rc = RC_OK;

	while (rc == RC_OK) {
		rc = line_read(&r);
		if (rc == RC_OK)
			rc = lines_next(l, e);
	}
	if (rc == RC_AGAIN)
		rc = rest_hand_on(&r);
	for (size_t i = 0; i < r.count; i++)
		buf_destroy(&r.nodes[i].text);
	arena_destroy(&r.arena);
	return rc;
}
