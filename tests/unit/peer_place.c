#include <sys/xattr.h>

#include "tests/unit/peer_node.h"

/* ---- the road */

static void a_first_file_is_made_with_its_folder(void **state)
{
	struct node n;

	(void)state;
	node_open(&n);
	stage(&n, new_text);
	assert_int_equal(n.placing.state, PLACE_STAGED);
	assert_false(look(&n).exists);
	commit(&n);
	assert_text(&n, new_text);
	forget(&n);
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
	forget(&n);
	assert_clean(&n);
	assert_text(&n, new_text);
	node_close(&n);
}

static const char label[] = "system_u:object_r:virt_etc_t:s0";

static void assert_label(struct node *n)
{
	char now[sizeof(label)] = "";

	assert_int_equal(
		getxattr(real_path(n, n->path), "security.selinux", now, sizeof(now)),
		sizeof(label));
	assert_string_equal(now, label);
}

/* The label is only bytes to a kernel without SELinux; root may set it. */
static void a_replaced_file_keeps_its_selinux_label(void **state)
{
	struct node n;
	bool can;

	(void)state;
	node_open(&n);
	write_old(&n);
	can = setxattr(real_path(&n, n.path), "security.selinux", label, sizeof(label),
		      0) == 0;
	if (can) {
		stage(&n, new_text);
		commit(&n);
		assert_text(&n, new_text);
		assert_label(&n);
		revert(&n);
		assert_text(&n, old_text);
		assert_label(&n);
	}
	node_close(&n);
	if (!can)
		skip();
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
	forget(&n);
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
	commit(&n);
	commit(&n);
	assert_text(&n, new_text);
	forget(&n);
	assert_rc(place_forget(&n.placing, &n.e), RC_OK, &n.e);
	revert(&n);
	assert_false(n.changed);
	assert_text(&n, new_text);
	stage(&n, old_text);
	commit(&n);
	revert(&n);
	assert_true(n.changed);
	revert(&n);
	assert_false(n.changed);
	assert_text(&n, new_text);
	node_close(&n);
}

static void a_session_daemon_has_its_place_in_the_users_config(void **state)
{
	struct node n;

	(void)state;
	node_open(&n);
	n.world.session = true;
	find_way(&n);
	assert_string_equal(n.path, "/home/u/.config/libvirt/cpuherd/lab.xml");
	stage(&n, new_text);
	commit(&n);
	assert_text(&n, new_text);
	revert(&n);
	assert_false(is_there(&n, "/home"));
	node_close(&n);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(a_first_file_is_made_with_its_folder),
		cmocka_unit_test(staging_changes_nothing_that_others_read),
		cmocka_unit_test(a_replaced_file_keeps_mode_and_owner),
		cmocka_unit_test(a_replaced_file_keeps_its_selinux_label),
		cmocka_unit_test(revert_after_commit_brings_back_the_very_same_file),
		cmocka_unit_test(
			revert_of_a_first_file_removes_it_and_the_folders_it_needed),
		cmocka_unit_test(a_folder_that_somebody_else_uses_meanwhile_stays),
		cmocka_unit_test(revert_before_commit_leaves_no_trace),
		cmocka_unit_test(equal_content_is_unchanged_down_to_the_mtime),
		cmocka_unit_test(every_step_may_be_repeated),
		cmocka_unit_test(a_session_daemon_has_its_place_in_the_users_config),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(cases, NULL, NULL);
}
