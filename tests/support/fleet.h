/* fleet.h - random fleets made from the catalogue's models, the same in every run. */
#ifndef TESTS_SUPPORT_FLEET_H
#define TESTS_SUPPORT_FLEET_H

#include "coordinator/cpu/level.h"
#include "tests/support/test.h"

enum { FLEET_NODES_MAX = 6, FLEETS = 600 };

struct fleet {
	struct arena arena;
	struct catalogue *catalogue;
	const struct bitset_ops *ops;
	enum virt_type virt;
	struct offer offers[FLEET_NODES_MAX];
	size_t count;
	uint64_t seed;
};

/* An empty fleet with its catalogue; arena_destroy(&f->arena) ends it. */
void fleet_begin(struct fleet *f, uint64_t seed);

/* One to FLEET_NODES_MAX nodes of one vendor; one offer. */
void fleet_fill(struct fleet *f);
void fleet_random_offer(struct fleet *f, struct offer *o, const char *vendor);

void fleet_shuffle(struct fleet *f);

/* A number below n. */
size_t fleet_below(struct fleet *f, size_t n);

/* Adds or removes n random features of the catalogue. */
void fleet_toggle(struct fleet *f, struct bitset *s, size_t n);

/* What a guest gets when a source's idea of the model is put right by the level. */
struct bitset fleet_apply(
	struct fleet *f, const struct level *l, const struct bitset *meant);

/* All that any definition of Westmere holds in libvirt 9.0 and QEMU 7.2: then nothing is
 * between libvirt's idea of it and QEMU's. */
struct level fleet_level_of_westmere(void);

/* The sources that may apply on some node. */
uint32_t fleet_sources(const struct fleet *f);

/* Fails unless every source's definition of the model, put right by the level, is the
 * baseline, as far as the source may apply on the fleet's nodes. */
void fleet_assert_closed(struct fleet *f, const struct level *l);

/* The check over many fleets. */
void for_many_fleets(void (*check)(struct fleet *f));

#endif
