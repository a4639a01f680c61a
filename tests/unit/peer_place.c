#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "peer/place.h"
#include "proto/limits.h"
#include "tests/support/test.h"

/* A node's file system, under a folder of its own. */
struct node {
	char root[64];
	struct place_world world;
	struct placing placing;
	struct arena arena;
	char *path; /* of the place, without root */
	struct err e;
	bool changed;
};

static const char old_text[] = "<cpu>old</cpu>\n", new_text[] = "<cpu>new</cpu>\n";

static char *real_path(struct node *n, const char *path)
{
	return arena_format(&n->arena, "%s%s", n->root, path);
}

static void make_folder(struct node *n, const char *path)
{
	assert_int_equal(mkdir(real_path(n, path), 0755), 0);
}

static void node_open(struct node *n)
{
	*n = (struct node){ .root = "/tmp/cpuherd-place-XXXXXX" };
	assert_non_null(mkdtemp(n->root));
	n->world = (struct place_world){ .root = n->root, .config = "/home/u/.config" };
	make_folder(n, "/etc");
	make_folder(n, "/etc/libvirt");
	assert_rc(place_path(&n->world, PLACE_stanza, "lab", &n->arena, &n->path, &n->e),
		RC_OK, &n->e);
	assert_string_equal(n->path, "/etc/libvirt/cpuherd/lab.xml");
}

static int remove_entry(const char *path, const struct stat *s, int type, struct FTW *ftw)
{
	(void)s;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void node_close(struct node *n)
{
	assert_rc(place_close(&n->placing, &n->changed, &n->e), RC_OK, &n->e);
	nftw(n->root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	arena_destroy(&n->arena);
}

static void write_old(struct node *n)
{
	if (mkdir(real_path(n, "/etc/libvirt/cpuherd"), 0755) != 0)
		assert_int_equal(errno, EEXIST);
	test_write_file(real_path(n, n->path), old_text);
}

static struct place_content look(struct node *n)
{
	struct place_content now = { .arena = &n->arena };

	assert_rc(place_look(&n->world, n->path, &now, &n->e), RC_OK, &n->e);
	return now;
}

static struct stat stat_of(struct node *n, const char *path)
{
	struct stat s;

	assert_int_equal(lstat(real_path(n, path), &s), 0);
	return s;
}

static bool is_there(struct node *n, const char *path)
{
	struct stat s;

	return lstat(real_path(n, path), &s) == 0;
}

static void assert_text(struct node *n, const char *text)
{
	struct place_content now = look(n);

	assert_true(now.exists);
	assert_int_equal(now.content.size, strlen(text));
	assert_memory_equal(now.content.data, text, strlen(text));
}

/* Nothing of ours beside the place. */
static void assert_clean(struct node *n)
{
	assert_false(is_there(n, "/etc/libvirt/cpuherd/lab.xml.cpuherd-new"));
	assert_false(is_there(n, "/etc/libvirt/cpuherd/lab.xml.cpuherd-old"));
}

static struct bytes bytes_of(const char *text)
{
	return (struct bytes){ (const uint8_t *)text, strlen(text) };
}

/* Stages the text over what is there now. */
static enum rc stage_with(struct node *n, struct placing *p, const char *text)
{
	struct place_content now = look(n);
	struct place_request r = { "run1", n->path, bytes_of(text), { 0 } };

	if (now.exists)
		r.expected = (struct bytes){ now.digest.byte, DIGEST_BYTES };
	return place_stage(p, &n->world, &r, &n->e);
}

static void stage(struct node *n, const char *text)
{
	assert_rc(stage_with(n, &n->placing, text), RC_OK, &n->e);
}

static void commit(struct node *n)
{
	assert_rc(place_commit(&n->placing, "run1", &n->changed, &n->e), RC_OK, &n->e);
}

static void revert(struct node *n)
{
	assert_rc(place_revert(&n->placing, "run1", &n->changed, &n->e), RC_OK, &n->e);
}

static void keep(struct node *n)
{
	assert_rc(place_keep(&n->placing, "run1", &n->changed, &n->e), RC_OK, &n->e);
}

/* ---- the road */

static void a_first_file_is_made_with_its_folder_and_kept(void **state)
{
	struct node n;

	(void)state;
	node_open(&n);
	stage(&n, new_text);
	assert_int_equal(n.placing.state, PLACE_STAGED);
	assert_false(look(&n).exists);
	commit(&n);
	assert_true(n.changed);
	assert_text(&n, new_text);
	keep(&n);
	assert_true(n.changed);
	assert_clean(&n);
	assert_text(&n, new_text);
	assert_int_equal(stat_of(&n, n.path).st_mode & 07777, 0644);
	assert_int_equal(stat_of(&n, "/etc/libvirt/cpuherd").st_mode & 07777, 0755);
	node_close(&n);
}

static void staging_changes_nothing_that_others_read(void **state)
{
	struct node n;
	struct stat before, after;

	(void)state;
	node_open(&n);
	write_old(&n);
	before = stat_of(&n, n.path);
	stage(&n, new_text);
	after = stat_of(&n, n.path);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
	assert_text(&n, old_text);
	node_close(&n);
}

static void a_replaced_file_keeps_mode_and_owner(void **state)
{
	struct node n;
	struct stat before, after;

	(void)state;
	node_open(&n);
	write_old(&n);
	assert_int_equal(chmod(real_path(&n, n.path), 0640), 0);
	if (geteuid() == 0)
		assert_int_equal(chown(real_path(&n, n.path), 4711, 4712), 0);
	before = stat_of(&n, n.path);
	stage(&n, new_text);
	commit(&n);
	after = stat_of(&n, n.path);
	assert_int_equal(after.st_mode, before.st_mode);
	assert_int_equal(after.st_uid, before.st_uid);
	assert_int_equal(after.st_gid, before.st_gid);
	keep(&n);
	assert_clean(&n);
	assert_text(&n, new_text);
	node_close(&n);
}

static void revert_after_commit_brings_back_the_very_same_file(void **state)
{
	struct node n;
	struct stat before, after;

	(void)state;
	node_open(&n);
	write_old(&n);
	before = stat_of(&n, n.path);
	stage(&n, new_text);
	commit(&n);
	assert_text(&n, new_text);
	revert(&n);
	assert_true(n.changed);
	after = stat_of(&n, n.path);
	assert_int_equal(after.st_ino, before.st_ino);
	assert_int_equal(after.st_nlink, 1);
	assert_memory_equal(&after.st_mtim, &before.st_mtim, sizeof(after.st_mtim));
	assert_text(&n, old_text);
	assert_clean(&n);
	node_close(&n);
}

static void revert_of_a_first_file_removes_it_and_the_folders_it_needed(void **state)
{
	struct node n;

	(void)state;
	node_open(&n);
	stage(&n, new_text);
	assert_true(is_there(&n, "/etc/libvirt/cpuherd"));
	commit(&n);
	revert(&n);
	assert_true(n.changed);
	assert_false(is_there(&n, "/etc/libvirt/cpuherd"));
	assert_true(is_there(&n, "/etc/libvirt"));
	node_close(&n);
}

static void a_folder_that_somebody_else_uses_meanwhile_stays(void **state)
{
	struct node n;

	(void)state;
	node_open(&n);
	stage(&n, new_text);
	commit(&n);
	test_write_file(real_path(&n, "/etc/libvirt/cpuherd/other.xml"), "x");
	revert(&n);
	assert_false(is_there(&n, n.path));
	assert_true(is_there(&n, "/etc/libvirt/cpuherd/other.xml"));
	node_close(&n);
}

static void revert_before_commit_leaves_no_trace(void **state)
{
	struct node n;

	(void)state;
	node_open(&n);
	stage(&n, new_text);
	revert(&n);
	assert_false(is_there(&n, "/etc/libvirt/cpuherd"));
	write_old(&n);
	stage(&n, new_text);
	revert(&n);
	assert_clean(&n);
	assert_text(&n, old_text);
	node_close(&n);
}

static void equal_content_is_unchanged_down_to_the_mtime(void **state)
{
	struct node n;
	struct stat before, after;

	(void)state;
	node_open(&n);
	write_old(&n);
	before = stat_of(&n, n.path);
	stage(&n, old_text);
	assert_int_equal(n.placing.state, PLACE_UNCHANGED);
	commit(&n);
	assert_false(n.changed);
	keep(&n);
	assert_false(n.changed);
	after = stat_of(&n, n.path);
	assert_memory_equal(&after.st_mtim, &before.st_mtim, sizeof(after.st_mtim));
	assert_memory_equal(&after.st_ctim, &before.st_ctim, sizeof(after.st_ctim));
	assert_clean(&n);
	node_close(&n);
}

static void every_step_may_be_repeated(void **state)
{
	struct node n;

	(void)state;
	node_open(&n);
	write_old(&n);
	stage(&n, new_text);
	stage(&n, new_text);
	commit(&n);
	commit(&n);
	assert_true(n.changed);
	assert_text(&n, new_text);
	keep(&n);
	keep(&n);
	assert_false(n.changed);
	revert(&n);
	assert_false(n.changed);
	assert_text(&n, new_text);
	stage(&n, old_text);
	commit(&n);
	revert(&n);
	revert(&n);
	assert_false(n.changed);
	assert_text(&n, new_text);
	node_close(&n);
}

static void steps_of_a_run_that_is_not_known_are_refused_or_harmless(void **state)
{
	struct node n;

	(void)state;
	node_open(&n);
	write_old(&n);
	assert_rc(place_commit(&n.placing, "run1", &n.changed, &n.e), RC_PLACE, &n.e);
	stage(&n, new_text);
	assert_rc(place_commit(&n.placing, "run2", &n.changed, &n.e), RC_PLACE, &n.e);
	assert_rc(place_revert(&n.placing, "run2", &n.changed, &n.e), RC_OK, &n.e);
	assert_false(n.changed);
	assert_int_equal(n.placing.state, PLACE_STAGED);
	assert_rc(place_keep(&n.placing, "run1", &n.changed, &n.e), RC_PLACE, &n.e);
	assert_rc(stage_with(&n, &n.placing, "other"), RC_CONFLICT, &n.e);
	node_close(&n);
}

static void a_context_that_is_closed_early_reverts(void **state)
{
	struct node n;

	(void)state;
	node_open(&n);
	write_old(&n);
	stage(&n, new_text);
	commit(&n);
	assert_rc(place_close(&n.placing, &n.changed, &n.e), RC_OK, &n.e);
	assert_true(n.changed);
	assert_text(&n, old_text);
	assert_clean(&n);
	node_close(&n);
}

static void a_session_daemon_has_its_place_in_the_users_config(void **state)
{
	struct node n;

	(void)state;
	node_open(&n);
	n.world.session = true;
	assert_rc(place_path(&n.world, PLACE_stanza, "lab", &n.arena, &n.path, &n.e),
		RC_OK, &n.e);
	assert_string_equal(n.path, "/home/u/.config/libvirt/cpuherd/lab.xml");
	stage(&n, new_text);
	commit(&n);
	assert_text(&n, new_text);
	revert(&n);
	assert_false(is_there(&n, "/home"));
	node_close(&n);
}

/* ---- conflicts */

static void other_content_than_expected_is_a_conflict(void **state)
{
	struct node n;
	struct place_request r;
	struct digest wrong = digest_of("x", 1);

	(void)state;
	node_open(&n);
	r = (struct place_request){ "run1", n.path, bytes_of(new_text), { 0 } };
	r.expected = (struct bytes){ wrong.byte, DIGEST_BYTES };
	assert_rc(place_stage(&n.placing, &n.world, &r, &n.e), RC_CONFLICT, &n.e);
	assert_contains(n.e.text, "has gone");
	assert_false(is_there(&n, "/etc/libvirt/cpuherd"));
	write_old(&n);
	assert_rc(place_stage(&n.placing, &n.world, &r, &n.e), RC_CONFLICT, &n.e);
	assert_contains(n.e.text, "has changed");
	r.expected.size = 0;
	assert_rc(place_stage(&n.placing, &n.world, &r, &n.e), RC_CONFLICT, &n.e);
	assert_contains(n.e.text, "has appeared");
	assert_clean(&n);
	assert_text(&n, old_text);
	node_close(&n);
}

static void a_change_between_stage_and_commit_is_a_conflict(void **state)
{
	struct node n;

	(void)state;
	node_open(&n);
	write_old(&n);
	stage(&n, new_text);
	test_write_file(real_path(&n, n.path), "<cpu>somebody else</cpu>");
	assert_rc(place_commit(&n.placing, "run1", &n.changed, &n.e), RC_CONFLICT, &n.e);
	revert(&n);
	assert_text(&n, "<cpu>somebody else</cpu>");
	assert_clean(&n);
	node_close(&n);
}

static void a_file_that_appears_between_stage_and_commit_is_a_conflict(void **state)
{
	struct node n;

	(void)state;
	node_open(&n);
	stage(&n, new_text);
	test_write_file(real_path(&n, n.path), "theirs");
	assert_rc(place_commit(&n.placing, "run1", &n.changed, &n.e), RC_CONFLICT, &n.e);
	revert(&n);
	assert_text(&n, "theirs");
	node_close(&n);
}

static void a_change_after_commit_is_not_overwritten_by_revert(void **state)
{
	struct node n;

	(void)state;
	node_open(&n);
	write_old(&n);
	stage(&n, new_text);
	commit(&n);
	test_write_file(real_path(&n, n.path), "edited after commit");
	assert_rc(place_revert(&n.placing, "run1", &n.changed, &n.e), RC_PARTIAL, &n.e);
	assert_contains(n.e.text, "changed after commit");
	assert_contains(n.e.text, "lab.xml.cpuherd-old");
	assert_text(&n, "edited after commit");
	assert_true(is_there(&n, "/etc/libvirt/cpuherd/lab.xml.cpuherd-old"));
	keep(&n);
	node_close(&n);
}

static void an_unfinished_run_is_in_the_way_until_somebody_decides(void **state)
{
	struct node n;

	(void)state;
	node_open(&n);
	write_old(&n);
	test_write_file(
		real_path(&n, "/etc/libvirt/cpuherd/lab.xml.cpuherd-old"), "older");
	assert_rc(stage_with(&n, &n.placing, new_text), RC_CONFLICT, &n.e);
	assert_contains(n.e.text, "lab.xml.cpuherd-old");
	assert_true(is_there(&n, "/etc/libvirt/cpuherd/lab.xml.cpuherd-old"));
	node_close(&n);
}

static void the_new_file_of_a_dead_run_is_replaced(void **state)
{
	struct node n;

	(void)state;
	node_open(&n);
	write_old(&n);
	assert_int_equal(
		symlink("/etc/passwd",
			real_path(&n, "/etc/libvirt/cpuherd/lab.xml.cpuherd-new")),
		0);
	stage(&n, new_text);
	commit(&n);
	keep(&n);
	assert_text(&n, new_text);
	assert_true(S_ISREG(stat_of(&n, n.path).st_mode));
	node_close(&n);
}

static void a_second_peer_is_kept_out_until_the_first_is_done(void **state)
{
	struct placing second = { 0 };
	struct node n;

	(void)state;
	node_open(&n);
	write_old(&n);
	stage(&n, new_text);
	assert_rc(stage_with(&n, &second, "<cpu>2</cpu>"), RC_CONFLICT, &n.e);
	assert_contains(n.e.text, "another cpuherd-peer");
	assert_true(is_there(&n, "/etc/libvirt/cpuherd/lab.xml.cpuherd-new"));
	revert(&n);
	assert_rc(stage_with(&n, &second, "<cpu>2</cpu>"), RC_OK, &n.e);
	assert_rc(place_close(&second, &n.changed, &n.e), RC_OK, &n.e);
	assert_text(&n, old_text);
	node_close(&n);
}

/* ---- hostile surroundings and names */

static void symbolic_links_at_the_place_are_refused(void **state)
{
	struct place_request r;
	struct node n;

	(void)state;
	node_open(&n);
	r = (struct place_request){ "run1", n.path, bytes_of(new_text), { 0 } };
	make_folder(&n, "/elsewhere");
	assert_int_equal(symlink("/elsewhere", real_path(&n, "/etc/libvirt/cpuherd")), 0);
	assert_rc(place_stage(&n.placing, &n.world, &r, &n.e), RC_PLACE, &n.e);
	assert_contains(n.e.text, "symbolic link");
	assert_int_equal(unlink(real_path(&n, "/etc/libvirt/cpuherd")), 0);
	make_folder(&n, "/etc/libvirt/cpuherd");
	test_write_file(real_path(&n, "/elsewhere/target"), "target");
	assert_int_equal(symlink("../../../elsewhere/target", real_path(&n, n.path)), 0);
	assert_rc(place_stage(&n.placing, &n.world, &r, &n.e), RC_PLACE, &n.e);
	assert_contains(n.e.text, "symbolic link");
	assert_false(is_there(&n, "/elsewhere/lab.xml"));
	node_close(&n);
}

static void what_is_no_regular_file_is_refused_without_hanging(void **state)
{
	struct place_content now;
	struct node n;

	(void)state;
	node_open(&n);
	now.arena = &n.arena;
	make_folder(&n, "/etc/libvirt/cpuherd");
	assert_int_equal(mkfifo(real_path(&n, n.path), 0600), 0);
	assert_rc(place_look(&n.world, n.path, &now, &n.e), RC_PLACE, &n.e);
	assert_contains(n.e.text, "not a regular file");
	node_close(&n);
}

static void a_file_larger_than_the_cap_is_refused(void **state)
{
	struct place_content now;
	struct node n;

	(void)state;
	node_open(&n);
	now.arena = &n.arena;
	write_old(&n);
	assert_int_equal(truncate(real_path(&n, n.path), LIMIT_PLACE_BYTES), 0);
	assert_rc(place_look(&n.world, n.path, &now, &n.e), RC_OK, &n.e);
	assert_int_equal(truncate(real_path(&n, n.path), LIMIT_PLACE_BYTES + 1), 0);
	assert_rc(place_look(&n.world, n.path, &now, &n.e), RC_LIMIT, &n.e);
	node_close(&n);
}

static void nothing_outside_the_closed_list_can_be_named(void **state)
{
	static const char *const bad[] = { "", ".", "..", "../x", "a/b", "/etc/passwd",
		".hidden", "-x", "a b", "a\nb", "\x1b[2J", "a%sb" };
	struct node n;
	char *path;

	(void)state;
	node_open(&n);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_rc(
			place_path(&n.world, PLACE_stanza, bad[i], &n.arena, &path, &n.e),
			RC_PLACE, &n.e);
	assert_rc(place_path(&n.world, 0, "lab", &n.arena, &path, &n.e), RC_PLACE, &n.e);
	assert_rc(place_path(&n.world, 99, "lab", &n.arena, &path, &n.e), RC_PLACE, &n.e);
	n.world.session = true;
	n.world.config = NULL;
	assert_rc(place_path(&n.world, PLACE_stanza, "lab", &n.arena, &path, &n.e),
		RC_PLACE, &n.e);
	n.world.session = false;
	node_close(&n);
}

/* ---- no space */

/* In a child, because RLIMIT_FSIZE stays: a write past it is EFBIG. */
static void a_file_that_cannot_be_written_in_full_leaves_no_trace(void **state)
{
	struct node n;
	int status;
	pid_t child;

	(void)state;
	node_open(&n);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		struct rlimit limit = { 4, 4 };

		signal(SIGXFSZ, SIG_IGN);
		setrlimit(RLIMIT_FSIZE, &limit);
		_exit(stage_with(&n, &n.placing, new_text) == RC_PLACE &&
					strstr(n.e.text, strerror(EFBIG)) &&
					n.placing.state == PLACE_FREE
				? 0
				: 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_false(is_there(&n, "/etc/libvirt/cpuherd"));
	node_close(&n);
}

static void a_full_disk_leaves_the_old_file_and_no_trace(void **state)
{
	static char big[64 * 1024 + 1];
	struct node n;
	char *folder;

	(void)state;
	node_open(&n);
	make_folder(&n, "/etc/libvirt/cpuherd");
	folder = real_path(&n, "/etc/libvirt/cpuherd");
	if (mount("tmpfs", folder, "tmpfs", 0, "size=16k") != 0) {
		node_close(&n);
		skip();
	}
	write_old(&n);
	memset(big, 'x', sizeof(big) - 1);
	assert_rc(stage_with(&n, &n.placing, big), RC_PLACE, &n.e);
	assert_contains(n.e.text, strerror(ENOSPC));
	assert_clean(&n);
	assert_text(&n, old_text);
	assert_int_equal(umount(folder), 0);
	node_close(&n);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(a_first_file_is_made_with_its_folder_and_kept),
		cmocka_unit_test(staging_changes_nothing_that_others_read),
		cmocka_unit_test(a_replaced_file_keeps_mode_and_owner),
		cmocka_unit_test(revert_after_commit_brings_back_the_very_same_file),
		cmocka_unit_test(
			revert_of_a_first_file_removes_it_and_the_folders_it_needed),
		cmocka_unit_test(a_folder_that_somebody_else_uses_meanwhile_stays),
		cmocka_unit_test(revert_before_commit_leaves_no_trace),
		cmocka_unit_test(equal_content_is_unchanged_down_to_the_mtime),
		cmocka_unit_test(every_step_may_be_repeated),
		cmocka_unit_test(
			steps_of_a_run_that_is_not_known_are_refused_or_harmless),
		cmocka_unit_test(a_context_that_is_closed_early_reverts),
		cmocka_unit_test(a_session_daemon_has_its_place_in_the_users_config),
		cmocka_unit_test(other_content_than_expected_is_a_conflict),
		cmocka_unit_test(a_change_between_stage_and_commit_is_a_conflict),
		cmocka_unit_test(
			a_file_that_appears_between_stage_and_commit_is_a_conflict),
		cmocka_unit_test(a_change_after_commit_is_not_overwritten_by_revert),
		cmocka_unit_test(an_unfinished_run_is_in_the_way_until_somebody_decides),
		cmocka_unit_test(the_new_file_of_a_dead_run_is_replaced),
		cmocka_unit_test(a_second_peer_is_kept_out_until_the_first_is_done),
		cmocka_unit_test(symbolic_links_at_the_place_are_refused),
		cmocka_unit_test(what_is_no_regular_file_is_refused_without_hanging),
		cmocka_unit_test(a_file_larger_than_the_cap_is_refused),
		cmocka_unit_test(nothing_outside_the_closed_list_can_be_named),
		cmocka_unit_test(a_file_that_cannot_be_written_in_full_leaves_no_trace),
		cmocka_unit_test(a_full_disk_leaves_the_old_file_and_no_trace),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(cases, NULL, NULL);
}
