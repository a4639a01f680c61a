/* Runs on a node of its own under a folder, for the tests of run.h. */
#ifndef TESTS_UNIT_PEER_RUN_H
#define TESTS_UNIT_PEER_RUN_H

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "peer/run.h"
#include "peer/written.h"
#include "proto/limits.h"
#include "tests/support/test.h"

enum { FILES_MAX = 3 };

#ifndef RIG_BASE
#define RIG_BASE "/tmp"
#endif

struct rig {
	char root[64];
	struct place_world world;
	struct run_site site;
	struct run run;
	struct arena arena;
	struct err e;
	bool changed;
	struct staged staged;
	struct verified verified;
	struct recovered recovered;
	bool lingers; /* what is staged */
	int judged;
};

static const char *const file_names[] = { "one", "two", "three" };
static const char new_text[] = "<cpu>new</cpu>", old_text[] = "<cpu>old</cpu>\n";

static inline char *real_path(struct rig *t, const char *path)
{
	return arena_format(&t->arena, "%s%s", t->root, path);
}

static inline char *stanza(struct rig *t, size_t i)
{
	return arena_format(
		&t->arena, "%s/etc/libvirt/cpuherd/%s.xml", t->root, file_names[i]);
}

static inline char *journal_of(struct rig *t, const char *run)
{
	return arena_format(&t->arena, "%s/state/cpuherd/runs/%s/journal", t->root, run);
}

static inline bool is_there(const char *path)
{
	struct stat s;

	return lstat(path, &s) == 0;
}

/* Refuses "avx". */
static inline enum rc fake_judge(const char *uri, const struct libvirt_guest *guest,
	const char *cpu, struct arena *arena, struct libvirt_verdict *out, struct err *e)
{
	(void)uri;
	(void)guest;
	(void)arena;
	(void)e;
	*out = (struct libvirt_verdict){ .accepted = !strstr(cpu, "avx"), .reason = "" };
	if (!out->accepted)
		out->reason = "missing: avx";
	return RC_OK;
}

static inline void rig_open(struct rig *t)
{
	*t = (struct rig){ .root = RIG_BASE "/cpuherd-run-XXXXXX" };
	assert_non_null(mkdtemp(t->root));
	t->world = (struct place_world){
		.root = t->root, .config = "/home", .state = "/state/cpuherd"
	};
	t->site = (struct run_site){ &t->world, "qemu:///system", fake_judge, NULL };
	run_init(&t->run, &t->site);
	assert_int_equal(mkdir(real_path(t, "/etc"), 0755), 0);
	assert_int_equal(mkdir(real_path(t, "/etc/libvirt"), 0755), 0);
	assert_int_equal(mkdir(real_path(t, "/state"), 0755), 0);
}

static inline int remove_one(
	const char *path, const struct stat *s, int type, struct FTW *ftw)
{
	(void)s;
	(void)type;
	(void)ftw;
	return remove(path);
}

static inline void rig_close(struct rig *t)
{
	run_close(&t->run);
	nftw(t->root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	arena_destroy(&t->arena);
}

/* As a new process would: only the journal is left. */
static inline void lose_memory(struct rig *t)
{
	run_close(&t->run);
}

static inline void write_old(struct rig *t, size_t i)
{
	if (mkdir(real_path(t, "/etc/libvirt/cpuherd"), 0755) != 0)
		assert_int_equal(errno, EEXIST);
	test_write_file(stanza(t, i), old_text);
}

static inline void assert_text(struct rig *t, size_t i, const char *text)
{
	assert_string_equal(test_read_file(&t->arena, stanza(t, i)), text);
}

/* Fills count changes, each over what is there now. */
static inline void fill_changes(struct rig *t, struct change *c, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct spot spot = { PLACE_stanza, file_names[i] };
		struct found found;

		assert_rc(
			change_file.look(&t->run.ground, &spot, &t->arena, &found, &t->e),
			RC_OK, &t->e);
		c[i] = (struct change){ PLACE_stanza, file_names[i], bytes_of(new_text),
			found.digest, "" };
	}
}

static inline enum rc stage_changes(
	struct rig *t, const char *run, struct change *c, size_t count)
{
	struct stage s = { .run = run,
		.holder = "me@here, process 1",
		.changes = { c, count },
		.virt_type = "kvm",
		.emulator = "",
		.arch = "",
		.machine = "",
		.linger = t->lingers };

	return run_stage(&t->run, &s, &t->arena, &t->staged, &t->e);
}

static inline enum rc stage_files(struct rig *t, const char *run, size_t count)
{
	struct change c[FILES_MAX];

	fill_changes(t, c, count);
	return stage_changes(t, run, c, count);
}

static inline enum rc commit_run(struct rig *t, const char *run)
{
	return run_commit(&t->run, run, &t->arena, &t->changed, &t->e);
}

static inline enum rc revert_run(struct rig *t, const char *run)
{
	return run_revert(&t->run, run, &t->changed, &t->e);
}

static inline enum rc keep_run(struct rig *t, const char *run)
{
	return run_keep(&t->run, run, &t->changed, &t->e);
}

static inline enum rc forget_run(struct rig *t, const char *run)
{
	return run_forget(&t->run, run, &t->changed, &t->e);
}

static inline enum rc recover_run(struct rig *t, const char *run)
{
	return run_recover(&t->run, run, &t->arena, &t->recovered, &t->e);
}

#define assert_ok(rig, call) assert_rc(call, RC_OK, &(rig)->e)

/* No file and no folder of a run is left. */
static inline void assert_no_trace(struct rig *t)
{
	for (size_t i = 0; i < FILES_MAX; i++) {
		assert_false(is_there(
			arena_format(&t->arena, "%s.cpuherd-new", stanza(t, i))));
		assert_false(is_there(
			arena_format(&t->arena, "%s.cpuherd-old", stanza(t, i))));
	}
	assert_false(is_there(real_path(t, "/state/cpuherd/runs/r1")));
}

#endif
