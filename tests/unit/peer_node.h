/* A node's file system under a folder of its own, for the tests of places. */
#ifndef TESTS_UNIT_PEER_NODE_H
#define TESTS_UNIT_PEER_NODE_H

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "peer/place.h"
#include "proto/limits.h"
#include "tests/support/test.h"

struct node {
	char root[64];
	struct place_world world;
	struct placing placing;
	struct arena arena;
	struct folder_way way; /* to the place */
	const char *path;      /* the same, without root */
	struct err e;
	bool changed;
};

static const char old_text[] = "<cpu>old</cpu>\n", new_text[] = "<cpu>new</cpu>\n";

static inline char *real_path(struct node *n, const char *path)
{
	return arena_format(&n->arena, "%s%s", n->root, path);
}

static inline void make_folder(struct node *n, const char *path)
{
	assert_int_equal(mkdir(real_path(n, path), 0755), 0);
}

static inline void find_way(struct node *n)
{
	assert_rc(place_way(&n->world, PLACE_stanza, "lab", &n->arena, &n->way, &n->e),
		RC_OK, &n->e);
	n->path = n->way.path;
}

static inline void node_open(struct node *n)
{
	*n = (struct node){ .root = "/tmp/cpuherd-place-XXXXXX" };
	assert_non_null(mkdtemp(n->root));
	n->world = (struct place_world){ .root = n->root, .config = "/home/u/.config" };
	make_folder(n, "/etc");
	make_folder(n, "/etc/libvirt");
	find_way(n);
	assert_string_equal(n->path, "/etc/libvirt/cpuherd/lab.xml");
}

static inline int remove_entry(
	const char *path, const struct stat *s, int type, struct FTW *ftw)
{
	(void)s;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void node_close(struct node *n)
{
	assert_rc(place_revert(&n->placing, &n->changed, &n->e), RC_OK, &n->e);
	nftw(n->root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	arena_destroy(&n->arena);
}

static inline void write_old(struct node *n)
{
	if (mkdir(real_path(n, "/etc/libvirt/cpuherd"), 0755) != 0)
		assert_int_equal(errno, EEXIST);
	test_write_file(real_path(n, n->path), old_text);
}

static inline struct place_content look(struct node *n)
{
	struct place_content now = { .arena = &n->arena };

	assert_rc(place_look(&n->world, &n->way, &now, &n->e), RC_OK, &n->e);
	return now;
}

static inline struct stat stat_of(struct node *n, const char *path)
{
	struct stat s;

	assert_int_equal(lstat(real_path(n, path), &s), 0);
	return s;
}

static inline bool is_there(struct node *n, const char *path)
{
	struct stat s;

	return lstat(real_path(n, path), &s) == 0;
}

static inline void assert_text(struct node *n, const char *text)
{
	struct place_content now = look(n);

	assert_true(now.exists);
	assert_int_equal(now.content.size, strlen(text));
	assert_memory_equal(now.content.data, text, strlen(text));
}

/* Nothing of ours beside the place. */
static inline void assert_clean(struct node *n)
{
	assert_false(is_there(n, "/etc/libvirt/cpuherd/lab.xml.cpuherd-new"));
	assert_false(is_there(n, "/etc/libvirt/cpuherd/lab.xml.cpuherd-old"));
}

/* As a run does it. */
static inline enum rc stage_request(
	struct node *n, struct placing *p, const struct place_request *r)
{
	enum rc rc = place_plan(p, &n->world, r, &n->e);
	struct err e;

	if (rc == RC_OK)
		rc = place_stage(p, &n->world, r, &n->e);
	if (rc != RC_OK)
		assert_rc(place_revert(p, &n->changed, &e), RC_OK, &e);
	return rc;
}

/* Stages the text over what is there now. */
static inline enum rc stage_with(struct node *n, struct placing *p, const char *text)
{
	struct place_content now = look(n);
	struct place_request r = { &n->way, bytes_of(text), { 0 } };

	if (now.exists)
		r.expected = (struct bytes){ now.digest.byte, DIGEST_BYTES };
	return stage_request(n, p, &r);
}

static inline void stage(struct node *n, const char *text)
{
	assert_rc(stage_with(n, &n->placing, text), RC_OK, &n->e);
}

static inline void commit(struct node *n)
{
	assert_rc(place_commit(&n->placing, &n->e), RC_OK, &n->e);
}

static inline void revert(struct node *n)
{
	assert_rc(place_revert(&n->placing, &n->changed, &n->e), RC_OK, &n->e);
}

/* As a run does it, when it is kept and then forgotten. */
static inline void forget(struct node *n)
{
	assert_rc(place_check(&n->placing, &n->e), RC_OK, &n->e);
	assert_rc(place_forget(&n->placing, &n->e), RC_OK, &n->e);
}

#endif
