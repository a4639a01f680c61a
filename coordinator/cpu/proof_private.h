/* proof_private.h - what the files of proof.h share: views, and questions to them. */
#ifndef COORDINATOR_PROOF_PRIVATE_H
#define COORDINATOR_PROOF_PRIVATE_H

#include "coordinator/cpu/cpuxml.h"
#include "coordinator/cpu/proof.h"

/* Trials that show the same, on nodes of the same versions. */
struct proof_view {
	uint64_t libvirt, qemu;
	struct cpu_word *words; /* sorted by leaf, sub-leaf, register */
	size_t word_count;
	struct cpu_property *properties; /* sorted by name */
	size_t property_count;
	const char *xml, *machine;
	struct cpuxml_cpu live; /* the same */
	bool filtered;		/* QEMU took something away */
	size_t *trials;
	size_t trial_count;
};

struct proof_making {
	const struct catalogue *catalogue;
	const struct level *level; /* NULL: none */
	struct proof_view *views;
	size_t view_count;
	const char **answers; /* room for one of each view */
	struct bitset told;   /* features of which a difference is known */
	struct arena *arena;
	struct proof *out;
	struct err *e;
};

/* Something that each view answers with a text. */
struct proof_question {
	const char *what;
	int feature;	    /* its bit; -1: it is none */
	const char *wanted; /* the right answer; NULL: what most of them say */
	bool of_level;	    /* it is the level's */
	bool promised;	    /* a wrong answer: the level's feature is lacking */
	const char *remark; /* then differences are notes, and this is why; NULL */
};

/* ---- proof_view.c */

int proof_compare_words(const void *a, const void *b);
int proof_compare_properties(const void *a, const void *b);

/* NULL when it has none such. */
const struct cpu_word *proof_find_word(
	const struct proof_view *v, const struct cpu_word *like);
const char *proof_find_property(const struct proof_view *v, const char *name);

/* The views of the trials, with room for answers.  As proof_make(). */
enum rc proof_views_make(
	struct proof_making *m, const struct proof_trial *trials, size_t n);

/* ---- proof.c, and its three kinds of questions */

/* Judges m->answers, of which NULL says nothing.  RC_MEMORY. */
enum rc proof_judge(struct proof_making *m, const struct proof_question *q);

enum rc proof_judge_words(struct proof_making *m);
enum rc proof_judge_properties(struct proof_making *m);
enum rc proof_judge_live(struct proof_making *m);

enum rc proof_add_note(
	struct proof_making *m, const char *text, const size_t *trials, size_t count);

#endif
