/* A node's file system with /var/tmp and libvirt's logs, for the tests of trials' scratch. */
#ifndef TESTS_UNIT_PEER_SCRATCH_NODE_H
#define TESTS_UNIT_PEER_SCRATCH_NODE_H

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "peer/scratch.h"
#include "proto/texts.h"
#include "tests/support/test.h"

static const char run[] = "0123456789abcdef", other_run[] = "fedcba9876543210";

struct node {
	char root[64];
	struct place_world world;
	struct arena arena;
	struct texts left, stale;
	struct err e;
};

static inline char *real_path(struct node *n, const char *path)
{
	return arena_format(&n->arena, "%s%s", n->root, path);
}

static inline char *kernel_path(struct node *n, const char *of_run)
{
	return arena_format(&n->arena, "%s/var/tmp/cpuherd-%s.elf", n->root, of_run);
}

static inline void node_open(struct node *n)
{
	*n = (struct node){ .root = "/tmp/cpuherd-scratch-XXXXXX" };
	assert_non_null(mkdtemp(n->root));
	n->world = (struct place_world){ .root = n->root,
		.logs = "/var/log/libvirt/qemu" };
	test_run("mkdir -p %s/var/tmp %s/var/log/libvirt/qemu", n->root, n->root);
}

static inline void node_close(struct node *n)
{
	test_run("rm -r %s", n->root);
	arena_destroy(&n->arena);
}

static inline bool is_there(const char *path)
{
	struct stat s;

	return lstat(path, &s) == 0;
}

static inline void make(struct node *n, struct scratch *s)
{
	assert_rc(scratch_make(s, &n->world, run, &n->e), RC_OK, &n->e);
}

static inline size_t stale_runs(struct node *n)
{
	n->stale = (struct texts){ 0 };
	assert_rc(scratch_stale(&n->world, &n->arena, &n->stale, &n->e), RC_OK, &n->e);
	return n->stale.count;
}

/* In a child: a test that fails leaves no process behind. */
_Noreturn static inline void wait_for_the_test_to_end(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
}

#endif
