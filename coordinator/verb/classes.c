#include "coordinator/verb/classes.h"

#include <stdlib.h>
#include <string.h>

#include "proto/texts.h"

struct row {
	const struct node_facts *facts;
	size_t node;
};

static int by_facts(const void *left, const void *right)
{
	const struct row *a = left, *b = right;
	int order = intern_compare(a->facts, b->facts);

	return order ? order : (a->node > b->node) - (a->node < b->node);
}

static size_t rows_make(const struct run *run, struct row *rows)
{
	size_t count = 0;

	for (size_t i = 0; i < run->count; i++) {
		run->nodes[i].class = run->nodes[i].kind = REPORT_NO_CLASS;
		if (run_has(run, i) && run->nodes[i].facts)
			rows[count++] = (struct row){ &run->facts[i], i };
	}
	if (count)
		qsort(rows, count, sizeof(*rows), by_facts);
	return count;
}

/* For each node with facts. */
struct firsts {
	size_t *same; /* the first node with its facts */
	size_t *kind; /* the first node whose facts differ by the TSC at most */
};

/* Rows that differ by the TSC alone stand together: it is compared last. */
static size_t kind_end(const struct row *rows, size_t from, size_t count)
{
	size_t end = from + 1;

	while (end < count && intern_same_but_tsc(rows[from].facts, rows[end].facts))
		end++;
	return end;
}

static void firsts_of_kind(
	const struct row *rows, size_t from, size_t end, const struct firsts *first)
{
	size_t kind = rows[from].node;

	for (size_t i = from; i < end; i++) {
		bool begins = i == from ||
			      intern_compare(rows[i - 1].facts, rows[i].facts) != 0;

		first->same[rows[i].node] = begins ? rows[i].node
						   : first->same[rows[i - 1].node];
		kind = rows[i].node < kind ? rows[i].node : kind;
	}
	for (size_t i = from; i < end; i++)
		first->kind[rows[i].node] = kind;
}

static void firsts_find(const struct row *rows, size_t count, const struct firsts *first)
{
	for (size_t i = 0, end; i < count; i = end) {
		end = kind_end(rows, i, count);
		firsts_of_kind(rows, i, end, first);
	}
}

/* Numbers classes in the order of the nodes: the first of a kind has its number when the
 * others come. */
static void classes_number(struct run *run, const struct firsts *first)
{
	for (size_t i = 0; i < run->count; i++) {
		struct report_node *n = &run->nodes[i];

		if (!run_has(run, i) || !n->facts)
			continue;
		if (first->same[i] == i) {
			n->class = run->class_count++;
			run->class_facts[n->class] = run->facts[i];
			run->classes[n->class] = (struct run_class){ 0 };
		} else {
			n->class = run->nodes[first->same[i]].class;
		}
		n->kind = run->nodes[first->kind[i]].class;
		run->classes[n->class].kind = n->kind;
		run->classes[n->class].count++;
	}
}

static enum rc members_list(struct run *run, struct err *e)
{
	for (size_t c = 0; c < run->class_count; c++) {
		struct run_class *class = &run->classes[c];

		class->names = arena_alloc(
			&run->arena, class->count, sizeof(*class->names));
		class->places = arena_alloc(
			&run->arena, class->count, sizeof(*class->places));
		if (!class->names || !class->places)
			return err_memory(e);
		class->count = 0;
	}
	for (size_t i = 0; i < run->count; i++) {
		struct run_class *class;

		if (run->nodes[i].class == REPORT_NO_CLASS)
			continue;
		class = &run->classes[run->nodes[i].class];
		class->names[class->count] = run->nodes[i].name;
		class->places[class->count++] = i;
	}
	return RC_OK;
}

static size_t classes_count(const struct row *rows, size_t count)
{
	size_t classes = 0;

	for (size_t i = 0; i < count; i++)
		classes += i == 0 ||
			   intern_compare(rows[i - 1].facts, rows[i].facts) != 0;
	return classes;
}

enum rc classes_make(struct run *run, struct err *e)
{
	struct arena scratch = { 0 };
	struct row *rows = arena_alloc(&scratch, run->count + 1, sizeof(*rows));
	struct firsts first = {
		.same = arena_alloc(&scratch, run->count + 1, sizeof(size_t)),
		.kind = arena_alloc(&scratch, run->count + 1, sizeof(size_t)),
	};
	enum rc rc = rows && first.same && first.kind ? RC_OK : err_memory(e);

	if (rc == RC_OK) {
		size_t count = rows_make(run, rows), room = classes_count(rows, count);

		run->class_count = 0;
		run->class_facts = arena_alloc(
			&run->arena, room + 1, sizeof(*run->class_facts));
		run->offers = arena_alloc(&run->arena, room + 1, sizeof(*run->offers));
		run->classes = arena_alloc(&run->arena, room + 1, sizeof(*run->classes));
		firsts_find(rows, count, &first);
	}
	if (rc == RC_OK && (!run->class_facts || !run->offers || !run->classes))
		rc = err_memory(e);
	if (rc == RC_OK) {
		classes_number(run, &first);
		rc = members_list(run, e);
	}
	arena_destroy(&scratch);
	return rc;
}

enum rc classes_add_names(
	struct run *run, const bool *of, struct texts *out, struct err *e)
{
	enum rc rc = RC_OK;

	for (size_t i = 0; i < run->count && rc == RC_OK; i++)
		if (run->nodes[i].class != REPORT_NO_CLASS && of[run->nodes[i].class])
			rc = texts_add(out, run->nodes[i].name, &run->arena, e);
	return rc;
}
