#include "tests/unit/peer_node.h"

/* ---- conflicts */

static void other_content_than_expected_is_a_conflict(void **state)
{
	struct node n;
	struct place_request r;
	struct digest wrong = digest_of("x", 1);

	(void)state;
	node_open(&n);
	r = (struct place_request){ &n.way, bytes_of(new_text), { 0 } };
	r.expected = (struct bytes){ wrong.byte, DIGEST_BYTES };
	assert_rc(stage_request(&n, &n.placing, &r), RC_CONFLICT, &n.e);
	assert_contains(n.e.text, "has gone");
	assert_false(is_there(&n, "/etc/libvirt/cpuherd"));
	write_old(&n);
	assert_rc(stage_request(&n, &n.placing, &r), RC_CONFLICT, &n.e);
	assert_contains(n.e.text, "has changed");
	r.expected.size = 0;
	assert_rc(stage_request(&n, &n.placing, &r), RC_CONFLICT, &n.e);
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
	assert_rc(place_commit(&n.placing, &n.e), RC_CONFLICT, &n.e);
	revert(&n);
	assert_text(&n, "<cpu>somebody else</cpu>");
	assert_clean(&n);
	node_close(&n);
}

static void an_unchanged_file_that_changes_before_commit_is_a_conflict(void **state)
{
	struct node n;

	(void)state;
	node_open(&n);
	write_old(&n);
	stage(&n, old_text);
	test_write_file(real_path(&n, n.path), "theirs");
	assert_rc(place_commit(&n.placing, &n.e), RC_CONFLICT, &n.e);
	node_close(&n);
}

static void a_file_that_appears_between_stage_and_commit_is_a_conflict(void **state)
{
	struct node n;

	(void)state;
	node_open(&n);
	stage(&n, new_text);
	test_write_file(real_path(&n, n.path), "theirs");
	assert_rc(place_commit(&n.placing, &n.e), RC_CONFLICT, &n.e);
	revert(&n);
	assert_text(&n, "theirs");
	node_close(&n);
}

/* Without the stranger's file the old one can come back. */
static void remove_theirs_and_revert(struct node *n)
{
	assert_int_equal(unlink(real_path(n, n->path)), 0);
	revert(n);
	assert_text(n, old_text);
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
	assert_rc(place_revert(&n.placing, &n.changed, &n.e), RC_PARTIAL, &n.e);
	assert_contains(n.e.text, "changed after commit");
	assert_contains(n.e.text, "lab.xml.cpuherd-old");
	assert_text(&n, "edited after commit");
	assert_true(is_there(&n, "/etc/libvirt/cpuherd/lab.xml.cpuherd-old"));
	remove_theirs_and_revert(&n);
	node_close(&n);
}

/* Same size, same times, another file: as `cp -p` and `mv` leave it. */
static void a_file_that_was_exchanged_after_commit_is_not_overwritten(void **state)
{
	struct timespec times[2];
	struct stat committed;
	struct node n;

	(void)state;
	node_open(&n);
	write_old(&n);
	stage(&n, new_text);
	commit(&n);
	committed = stat_of(&n, n.path);
	times[0] = committed.st_atim;
	times[1] = committed.st_mtim;
	test_write_file(real_path(&n, "/etc/theirs"), "<cpu>HIS</cpu>\n");
	assert_int_equal(utimensat(AT_FDCWD, real_path(&n, "/etc/theirs"), times, 0), 0);
	assert_int_equal(rename(real_path(&n, "/etc/theirs"), real_path(&n, n.path)), 0);
	assert_rc(place_revert(&n.placing, &n.changed, &n.e), RC_PARTIAL, &n.e);
	assert_text(&n, "<cpu>HIS</cpu>\n");
	remove_theirs_and_revert(&n);
	node_close(&n);
}

static void a_file_that_was_changed_after_commit_is_not_kept(void **state)
{
	struct node n;

	(void)state;
	node_open(&n);
	write_old(&n);
	stage(&n, new_text);
	commit(&n);
	test_write_file(real_path(&n, n.path), "edited after verify");
	assert_rc(place_check(&n.placing, &n.e), RC_CONFLICT, &n.e);
	assert_contains(n.e.text, "was changed after commit");
	assert_text(&n, "edited after verify");
	assert_true(is_there(&n, "/etc/libvirt/cpuherd/lab.xml.cpuherd-old"));
	remove_theirs_and_revert(&n);
	node_close(&n);
}

static void a_file_that_was_removed_after_commit_is_not_kept(void **state)
{
	struct node n;

	(void)state;
	node_open(&n);
	write_old(&n);
	stage(&n, new_text);
	commit(&n);
	assert_int_equal(unlink(real_path(&n, n.path)), 0);
	assert_rc(place_check(&n.placing, &n.e), RC_CONFLICT, &n.e);
	revert(&n);
	assert_text(&n, old_text);
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
	forget(&n);
	assert_text(&n, new_text);
	assert_true(S_ISREG(stat_of(&n, n.path).st_mode));
	node_close(&n);
}

/* ---- hostile surroundings and names */

static void symbolic_links_at_the_place_are_refused(void **state)
{
	struct place_request r;
	struct node n;

	(void)state;
	node_open(&n);
	r = (struct place_request){ &n.way, bytes_of(new_text), { 0 } };
	make_folder(&n, "/elsewhere");
	assert_int_equal(symlink("/elsewhere", real_path(&n, "/etc/libvirt/cpuherd")), 0);
	assert_rc(stage_request(&n, &n.placing, &r), RC_PLACE, &n.e);
	assert_contains(n.e.text, "symbolic link");
	assert_int_equal(unlink(real_path(&n, "/etc/libvirt/cpuherd")), 0);
	make_folder(&n, "/etc/libvirt/cpuherd");
	test_write_file(real_path(&n, "/elsewhere/target"), "target");
	assert_int_equal(symlink("../../../elsewhere/target", real_path(&n, n.path)), 0);
	assert_rc(stage_request(&n, &n.placing, &r), RC_PLACE, &n.e);
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
	assert_rc(place_look(&n.world, &n.way, &now, &n.e), RC_PLACE, &n.e);
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
	assert_rc(place_look(&n.world, &n.way, &now, &n.e), RC_OK, &n.e);
	assert_int_equal(truncate(real_path(&n, n.path), LIMIT_PLACE_BYTES + 1), 0);
	assert_rc(place_look(&n.world, &n.way, &now, &n.e), RC_LIMIT, &n.e);
	node_close(&n);
}

static void nothing_outside_the_closed_list_can_be_named(void **state)
{
	static const char *const bad[] = { "", ".", "..", "../x", "a/b", "/etc/passwd",
		".hidden", "-x", "a b", "a\nb", "\x1b[2J", "a%sb" };
	struct folder_way path;
	struct node n;

	(void)state;
	node_open(&n);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_rc(
			place_way(&n.world, PLACE_stanza, bad[i], &n.arena, &path, &n.e),
			RC_PLACE, &n.e);
	assert_rc(place_way(&n.world, 0, "lab", &n.arena, &path, &n.e), RC_PLACE, &n.e);
	assert_rc(place_way(&n.world, 99, "lab", &n.arena, &path, &n.e), RC_PLACE, &n.e);
	n.world.session = true;
	n.world.config = NULL;
	assert_rc(place_way(&n.world, PLACE_stanza, "lab", &n.arena, &path, &n.e),
		RC_PLACE, &n.e);
	n.world.session = false;
	node_close(&n);
}

static void a_domain_is_named_by_its_uuid_and_is_no_path(void **state)
{
	static const char *const bad[] = { "web1", "../x",
		"0F3C0D1E-0000-0000-0000-000000000000",
		"0f3c0d1e-0000-0000-0000-00000000000",
		"0f3c0d1e-0000-0000-0000-0000000000000",
		"0f3c0d1e00000-0000-0000-000000000000" };
	static const char good[] = "0f3c0d1e-0000-4abc-8def-000000000000";
	struct folder_way way;
	struct node n;

	(void)state;
	node_open(&n);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_rc(place_way(&n.world, PLACE_domain, bad[i], &n.arena, &way, &n.e),
			RC_PLACE, &n.e);
		assert_contains(n.e.text, "no UUID");
	}
	assert_rc(place_way(&n.world, PLACE_domain, good, &n.arena, &way, &n.e), RC_PLACE,
		&n.e);
	assert_contains(n.e.text, "no file");
	node_close(&n);
}

static void places_of_the_system_are_not_to_be_had_in_a_session(void **state)
{
	static const enum place places[] = { PLACE_cpu_map, PLACE_cpu_map_index,
		PLACE_nova };
	struct folder_way way;
	struct node n;

	(void)state;
	node_open(&n);
	n.world.session = true;
	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		assert_rc(place_way(&n.world, places[i], "lab", &n.arena, &way, &n.e),
			RC_TARGET, &n.e);
		assert_contains(n.e.text, "qemu:///session");
	}
	node_close(&n);
}

static enum rc stage_place(struct node *n, enum place place, const char *name)
{
	struct place_request r = { &n->way, bytes_of(new_text), { 0 } };

	assert_rc(place_way(&n->world, place, name, &n->arena, &n->way, &n->e), RC_OK,
		&n->e);
	n->path = n->way.path;
	return stage_request(n, &n->placing, &r);
}

static void the_cpu_map_must_be_there_and_its_folder_may_be_reached_by_links(void **state)
{
	struct node n;

	(void)state;
	node_open(&n);
	make_folder(&n, "/usr");
	make_folder(&n, "/usr/share");
	assert_rc(stage_place(&n, PLACE_cpu_map, "gate64"), RC_TARGET, &n.e);
	assert_contains(n.e.text, "there is no /usr/share/libvirt: what it belongs to");
	make_folder(&n, "/elsewhere");
	assert_int_equal(
		symlink("../../elsewhere", real_path(&n, "/usr/share/libvirt")), 0);
	assert_rc(stage_place(&n, PLACE_cpu_map_index, "gate64"), RC_TARGET, &n.e);
	assert_string_equal(n.path, "/usr/share/libvirt/cpu_map/index.xml");
	make_folder(&n, "/elsewhere/cpu_map");
	assert_rc(stage_place(&n, PLACE_cpu_map, "gate64"), RC_OK, &n.e);
	assert_string_equal(n.path, "/usr/share/libvirt/cpu_map/cpuherd_gate64.xml");
	commit(&n);
	assert_true(is_there(&n, "/elsewhere/cpu_map/cpuherd_gate64.xml"));
	revert(&n);
	assert_true(is_there(&n, "/elsewhere/cpu_map"));
	assert_int_equal(rename(real_path(&n, "/elsewhere/cpu_map"),
				 real_path(&n, "/elsewhere/real")),
		0);
	assert_int_equal(symlink("real", real_path(&n, "/elsewhere/cpu_map")), 0);
	assert_rc(stage_place(&n, PLACE_cpu_map, "gate64"), RC_PLACE, &n.e);
	assert_contains(n.e.text, "symbolic link");
	node_close(&n);
}

static void a_folder_of_novas_is_made_only_where_nova_is(void **state)
{
	struct node n;

	(void)state;
	node_open(&n);
	assert_rc(stage_place(&n, PLACE_nova, "nova.conf.d"), RC_TARGET, &n.e);
	assert_contains(n.e.text, "there is no /etc/nova");
	make_folder(&n, "/etc/nova");
	assert_rc(stage_place(&n, PLACE_nova, "nova.conf.d"), RC_OK, &n.e);
	assert_string_equal(n.path, "/etc/nova/nova.conf.d/99-cpuherd.conf");
	commit(&n);
	assert_text(&n, new_text);
	revert(&n);
	assert_false(is_there(&n, "/etc/nova/nova.conf.d"));
	assert_true(is_there(&n, "/etc/nova"));
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

/* In a child with mounts of its own, so that a failing test leaves none behind. */
static void a_full_disk_leaves_the_old_file_and_no_trace(void **state)
{
	static char big[64 * 1024 + 1];
	enum { PASSED, FAILED, NO_MOUNTS };
	struct node n;
	int status;
	pid_t child;

	(void)state;
	node_open(&n);
	write_old(&n);
	memset(big, 'x', sizeof(big) - 1);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		if (unshare(CLONE_NEWNS) != 0 ||
			mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
			mount("tmpfs", real_path(&n, "/etc/libvirt/cpuherd"), "tmpfs", 0,
				"size=16k") != 0)
			_exit(NO_MOUNTS);
		write_old(&n);
		if (stage_with(&n, &n.placing, big) != RC_PLACE ||
			!strstr(n.e.text, strerror(ENOSPC)))
			_exit(FAILED);
		assert_clean(&n);
		assert_text(&n, old_text);
		_exit(PASSED);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	node_close(&n);
	if (WIFEXITED(status) && WEXITSTATUS(status) == NO_MOUNTS)
		skip();
	assert_int_equal(status, 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(other_content_than_expected_is_a_conflict),
		cmocka_unit_test(a_change_between_stage_and_commit_is_a_conflict),
		cmocka_unit_test(
			an_unchanged_file_that_changes_before_commit_is_a_conflict),
		cmocka_unit_test(
			a_file_that_appears_between_stage_and_commit_is_a_conflict),
		cmocka_unit_test(a_change_after_commit_is_not_overwritten_by_revert),
		cmocka_unit_test(
			a_file_that_was_exchanged_after_commit_is_not_overwritten),
		cmocka_unit_test(a_file_that_was_changed_after_commit_is_not_kept),
		cmocka_unit_test(a_file_that_was_removed_after_commit_is_not_kept),
		cmocka_unit_test(an_unfinished_run_is_in_the_way_until_somebody_decides),
		cmocka_unit_test(the_new_file_of_a_dead_run_is_replaced),
		cmocka_unit_test(symbolic_links_at_the_place_are_refused),
		cmocka_unit_test(what_is_no_regular_file_is_refused_without_hanging),
		cmocka_unit_test(a_file_larger_than_the_cap_is_refused),
		cmocka_unit_test(nothing_outside_the_closed_list_can_be_named),
		cmocka_unit_test(a_domain_is_named_by_its_uuid_and_is_no_path),
		cmocka_unit_test(places_of_the_system_are_not_to_be_had_in_a_session),
		cmocka_unit_test(
			the_cpu_map_must_be_there_and_its_folder_may_be_reached_by_links),
		cmocka_unit_test(a_folder_of_novas_is_made_only_where_nova_is),
		cmocka_unit_test(a_file_that_cannot_be_written_in_full_leaves_no_trace),
		cmocka_unit_test(a_full_disk_leaves_the_old_file_and_no_trace),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(cases, NULL, NULL);
}
