#include "tests/unit/peer_run.h"

/* ---- the road */

static void several_files_are_staged_committed_kept_and_forgotten_together(void **state)
{
	struct rig t;

	(void)state;
	rig_open(&t);
	write_old(&t, 1);
	assert_ok(&t, stage_files(&t, "r1", 3));
	assert_int_equal(t.staged.changes.count, 3);
	assert_false(is_there(stanza(&t, 0)));
	assert_text(&t, 1, old_text);
	assert_ok(&t, commit_run(&t, "r1"));
	assert_true(t.changed);
	assert_ok(&t, run_verify(&t.run, "r1", &t.arena, &t.verified, &t.e));
	assert_int_equal(t.verified.changes.count, 3);
	assert_string_equal(((const struct reading *)t.verified.changes.item)[2].path,
		"/etc/libvirt/cpuherd/three.xml");
	assert_true(((const struct reading *)t.verified.changes.item)[2].accepted);
	assert_ok(&t, keep_run(&t, "r1"));
	assert_true(t.changed);
	assert_true(is_there(arena_format(&t.arena, "%s.cpuherd-old", stanza(&t, 1))));
	assert_ok(&t, forget_run(&t, "r1"));
	assert_true(t.changed);
	for (size_t i = 0; i < 3; i++)
		assert_text(&t, i, new_text);
	assert_no_trace(&t);
	rig_close(&t);
}

static void revert_puts_several_files_back_even_when_it_is_kept(void **state)
{
	struct rig t;

	(void)state;
	rig_open(&t);
	write_old(&t, 1);
	assert_ok(&t, stage_files(&t, "r1", 3));
	assert_ok(&t, commit_run(&t, "r1"));
	assert_ok(&t, keep_run(&t, "r1"));
	assert_ok(&t, revert_run(&t, "r1"));
	assert_true(t.changed);
	assert_false(is_there(stanza(&t, 0)));
	assert_text(&t, 1, old_text);
	assert_false(is_there(stanza(&t, 2)));
	assert_no_trace(&t);
	rig_close(&t);
}

static void every_step_may_be_repeated_with_and_without_memory(void **state)
{
	(void)state;
	for (int forgets = 0; forgets < 2; forgets++) {
		struct change c[FILES_MAX];
		struct rig t;

		rig_open(&t);
		write_old(&t, 0);
		fill_changes(&t, c, 2);
		for (int i = 0; i < 2; i++) {
			assert_ok(&t, stage_changes(&t, "r1", c, 2));
			if (forgets)
				lose_memory(&t);
		}
		for (int i = 0; i < 2; i++) {
			assert_ok(&t, commit_run(&t, "r1"));
			assert_true(t.changed);
			if (forgets)
				lose_memory(&t);
		}
		assert_ok(&t, stage_changes(&t, "r1", c, 2));
		for (int i = 0; i < 2; i++) {
			assert_ok(&t, keep_run(&t, "r1"));
			assert_int_equal(t.changed, i == 0);
			if (forgets)
				lose_memory(&t);
		}
		for (int i = 0; i < 2; i++) {
			assert_ok(&t, forget_run(&t, "r1"));
			assert_int_equal(t.changed, i == 0);
		}
		assert_ok(&t, revert_run(&t, "r1"));
		assert_false(t.changed);
		assert_text(&t, 0, new_text);
		assert_no_trace(&t);
		rig_close(&t);
	}
}

static void recover_tells_how_far_a_run_is(void **state)
{
	struct rig t;

	(void)state;
	rig_open(&t);
	assert_ok(&t, recover_run(&t, ""));
	assert_int_equal(t.recovered.state, RUN_STATE_none);
	assert_ok(&t, stage_files(&t, "r1", 2));
	lose_memory(&t);
	assert_ok(&t, recover_run(&t, ""));
	assert_int_equal(t.recovered.state, RUN_STATE_staged);
	assert_string_equal(t.recovered.run, "r1");
	assert_string_equal(t.recovered.holder, "me@here, process 1");
	assert_int_equal(strlen(t.recovered.since), strlen("2026-01-01T00:00:00Z"));
	assert_int_equal(t.recovered.paths.count, 2);
	assert_string_equal(t.recovered.paths.item[1], "/etc/libvirt/cpuherd/two.xml");
	assert_ok(&t, commit_run(&t, "r1"));
	assert_ok(&t, recover_run(&t, "r1"));
	assert_int_equal(t.recovered.state, RUN_STATE_committed);
	assert_ok(&t, keep_run(&t, "r1"));
	lose_memory(&t);
	assert_ok(&t, recover_run(&t, "r1"));
	assert_int_equal(t.recovered.state, RUN_STATE_kept);
	assert_ok(&t, forget_run(&t, "r1"));
	assert_ok(&t, recover_run(&t, "r1"));
	assert_int_equal(t.recovered.state, RUN_STATE_none);
	rig_close(&t);
}

static void what_is_not_known_is_harmless_or_refused(void **state)
{
	struct rig t;

	(void)state;
	rig_open(&t);
	assert_rc(commit_run(&t, "r1"), RC_PLACE, &t.e);
	assert_rc(run_verify(&t.run, "r1", &t.arena, &t.verified, &t.e), RC_PLACE, &t.e);
	assert_ok(&t, revert_run(&t, "r1"));
	assert_false(t.changed);
	assert_ok(&t, stage_files(&t, "r1", 1));
	assert_rc(commit_run(&t, "r2"), RC_PLACE, &t.e);
	assert_ok(&t, revert_run(&t, "../r1"));
	assert_ok(&t, keep_run(&t, "r2"));
	assert_ok(&t, forget_run(&t, "r2"));
	assert_false(t.changed);
	assert_rc(keep_run(&t, "r1"), RC_PLACE, &t.e);
	assert_rc(forget_run(&t, "r1"), RC_PLACE, &t.e);
	assert_rc(run_verify(&t.run, "r1", &t.arena, &t.verified, &t.e), RC_PLACE, &t.e);
	assert_ok(&t, revert_run(&t, "r1"));
	rig_close(&t);
}

/* ---- all or none */

static void one_change_that_cannot_be_staged_undoes_the_others(void **state)
{
	struct change c[FILES_MAX];
	struct rig t;

	(void)state;
	rig_open(&t);
	fill_changes(&t, c, 3);
	c[2].content = bytes_of("avx");
	assert_rc(stage_changes(&t, "r1", c, 3), RC_VOTE, &t.e);
	assert_contains(t.e.text, "three.xml");
	assert_contains(t.e.text, "missing: avx");
	assert_no_trace(&t);
	assert_false(is_there(real_path(&t, "/etc/libvirt/cpuherd")));
	fill_changes(&t, c, 3);
	write_old(&t, 2);
	assert_rc(stage_changes(&t, "r1", c, 3), RC_CONFLICT, &t.e);
	assert_contains(t.e.text, "has appeared");
	assert_no_trace(&t);
	assert_false(t.run.open);
	rig_close(&t);
}

static void a_commit_that_fails_in_the_middle_is_put_right_by_revert(void **state)
{
	struct rig t;

	(void)state;
	rig_open(&t);
	write_old(&t, 0);
	write_old(&t, 1);
	assert_ok(&t, stage_files(&t, "r1", 3));
	test_write_file(stanza(&t, 1), "edited under our feet");
	assert_rc(commit_run(&t, "r1"), RC_CONFLICT, &t.e);
	assert_text(&t, 0, new_text);
	lose_memory(&t);
	assert_ok(&t, recover_run(&t, "r1"));
	assert_int_equal(t.recovered.state, RUN_STATE_committing);
	assert_ok(&t, revert_run(&t, "r1"));
	assert_text(&t, 0, old_text);
	assert_text(&t, 1, "edited under our feet");
	assert_no_trace(&t);
	rig_close(&t);
}

static void what_was_edited_after_commit_stays_and_the_others_are_put_back(void **state)
{
	struct rig t;

	(void)state;
	rig_open(&t);
	for (size_t i = 0; i < 3; i++)
		write_old(&t, i);
	assert_ok(&t, stage_files(&t, "r1", 3));
	assert_ok(&t, commit_run(&t, "r1"));
	test_write_file(stanza(&t, 1), "edited after commit");
	assert_rc(keep_run(&t, "r1"), RC_CONFLICT, &t.e);
	assert_rc(revert_run(&t, "r1"), RC_PARTIAL, &t.e);
	assert_contains(t.e.text, "two.xml.cpuherd-old");
	assert_text(&t, 0, old_text);
	assert_text(&t, 1, "edited after commit");
	assert_text(&t, 2, old_text);
	lose_memory(&t);
	assert_rc(revert_run(&t, "r1"), RC_PARTIAL, &t.e);
	assert_int_equal(unlink(stanza(&t, 1)), 0);
	assert_ok(&t, revert_run(&t, "r1"));
	assert_text(&t, 1, old_text);
	assert_no_trace(&t);
	rig_close(&t);
}

static void a_run_that_changes_nothing_touches_nothing(void **state)
{
	struct stat before, after;
	struct change c[1];
	struct rig t;

	(void)state;
	rig_open(&t);
	write_old(&t, 0);
	assert_int_equal(stat(stanza(&t, 0), &before), 0);
	fill_changes(&t, c, 1);
	c[0].content = bytes_of(old_text);
	assert_ok(&t, stage_changes(&t, "r1", c, 1));
	assert_true(((const struct staging *)t.staged.changes.item)->unchanged);
	lose_memory(&t);
	assert_ok(&t, commit_run(&t, "r1"));
	assert_false(t.changed);
	assert_ok(&t, keep_run(&t, "r1"));
	assert_false(t.changed);
	assert_ok(&t, forget_run(&t, "r1"));
	assert_int_equal(stat(stanza(&t, 0), &after), 0);
	assert_int_equal(before.st_ino, after.st_ino);
	assert_memory_equal(&before.st_ctim, &after.st_ctim, sizeof(after.st_ctim));
	assert_no_trace(&t);
	rig_close(&t);
}

/* ---- the end of a connection */

static void the_end_of_a_connection_reverts_what_is_not_kept(void **state)
{
	struct rig t;

	(void)state;
	rig_open(&t);
	assert_ok(&t, stage_files(&t, "r1", 2));
	assert_ok(&t, commit_run(&t, "r1"));
	assert_true(run_is_at_risk(&t.run));
	assert_ok(&t, run_leave(&t.run, &t.e));
	assert_false(is_there(stanza(&t, 0)));
	assert_no_trace(&t);
	assert_ok(&t, stage_files(&t, "r1", 2));
	assert_ok(&t, commit_run(&t, "r1"));
	assert_ok(&t, keep_run(&t, "r1"));
	assert_false(run_is_at_risk(&t.run));
	assert_ok(&t, run_leave(&t.run, &t.e));
	assert_text(&t, 0, new_text);
	assert_ok(&t, forget_run(&t, "r1"));
	rig_close(&t);
}

static void what_lingers_or_came_from_the_journal_is_left_to_it(void **state)
{
	struct rig t;

	(void)state;
	rig_open(&t);
	t.lingers = true;
	assert_ok(&t, stage_files(&t, "r1", 2));
	assert_ok(&t, run_leave(&t.run, &t.e));
	assert_ok(&t, commit_run(&t, "r1"));
	assert_ok(&t, run_leave(&t.run, &t.e));
	assert_text(&t, 1, new_text);
	assert_ok(&t, keep_run(&t, "r1"));
	assert_ok(&t, forget_run(&t, "r1"));
	assert_no_trace(&t);
	rig_close(&t);
}

static void by_system_calls_alone_a_run_is_put_back_without_a_trace(void **state)
{
	struct rig t;

	(void)state;
	rig_open(&t);
	write_old(&t, 1);
	assert_ok(&t, stage_files(&t, "r1", 3));
	assert_ok(&t, commit_run(&t, "r1"));
	run_abandon(&t.run);
	assert_false(is_there(stanza(&t, 0)));
	assert_text(&t, 1, old_text);
	assert_no_trace(&t);
	rig_close(&t);
}

/* ---- one at a time */

static void a_second_run_is_refused_with_who_holds_the_node(void **state)
{
	struct rig t;
	struct run second;

	(void)state;
	rig_open(&t);
	run_init(&second, &t.site);
	assert_ok(&t, stage_files(&t, "r1", 1));
	{
		struct run first = t.run;

		t.run = second;
		assert_rc(stage_files(&t, "r2", 1), RC_CONFLICT, &t.e);
		assert_contains(
			t.e.text, "held by run r1 of me@here, process 1 since 20");
		assert_rc(recover_run(&t, "r1"), RC_CONFLICT, &t.e);
		assert_ok(&t, recover_run(&t, ""));
		assert_string_equal(t.recovered.run, "r1");
		t.run = first;
		t.run.ground.world = &t.run.world;
	}
	assert_ok(&t, revert_run(&t, "r1"));
	assert_ok(&t, stage_files(&t, "r2", 1));
	assert_ok(&t, revert_run(&t, "r2"));
	rig_close(&t);
}

static void an_unfinished_run_is_in_the_way_until_somebody_decides(void **state)
{
	struct rig t;

	(void)state;
	rig_open(&t);
	assert_ok(&t, stage_files(&t, "r1", 1));
	assert_ok(&t, commit_run(&t, "r1"));
	lose_memory(&t);
	assert_rc(stage_files(&t, "r2", 2), RC_CONFLICT, &t.e);
	assert_contains(t.e.text, "run r1 of me@here, process 1, begun 20");
	assert_contains(t.e.text, "cpuherd rollback r1 or cpuherd resume r1");
	assert_text(&t, 0, new_text);
	assert_ok(&t, revert_run(&t, "r1"));
	assert_ok(&t, stage_files(&t, "r2", 2));
	assert_ok(&t, revert_run(&t, "r2"));
	rig_close(&t);
}

static void other_content_under_a_known_name_is_refused(void **state)
{
	struct change c[FILES_MAX];
	struct rig t;

	(void)state;
	rig_open(&t);
	fill_changes(&t, c, 2);
	assert_ok(&t, stage_changes(&t, "r1", c, 2));
	assert_rc(stage_changes(&t, "r1", c, 1), RC_CONFLICT, &t.e);
	c[1].content = bytes_of("other");
	assert_rc(stage_changes(&t, "r1", c, 2), RC_CONFLICT, &t.e);
	assert_ok(&t, revert_run(&t, "r1"));
	assert_no_trace(&t);
	rig_close(&t);
}

/* ---- hostile requests */

static void requests_that_name_too_much_or_twice_or_badly_are_refused(void **state)
{
	static const char *const bad_runs[] = { "", "..", "../x", "a/b", ".x", "-x" };
	static struct change many[LIMIT_CHANGES + 1];
	struct change c[FILES_MAX];
	struct rig t;

	(void)state;
	rig_open(&t);
	fill_changes(&t, c, 3);
	for (size_t i = 0; i < sizeof(bad_runs) / sizeof(bad_runs[0]); i++)
		assert_rc(stage_changes(&t, bad_runs[i], c, 1), RC_PLACE, &t.e);
	assert_rc(stage_changes(&t, "r1", c, 0), RC_LIMIT, &t.e);
	assert_rc(stage_changes(&t, "r1", many, LIMIT_CHANGES + 1), RC_LIMIT, &t.e);
	c[2].name = c[0].name;
	assert_rc(stage_changes(&t, "r1", c, 3), RC_PROTOCOL, &t.e);
	assert_contains(t.e.text, "two changes of one run");
	c[2].name = "../../passwd";
	assert_rc(stage_changes(&t, "r1", c, 3), RC_PLACE, &t.e);
	c[2].place = 77;
	assert_rc(stage_changes(&t, "r1", c, 3), RC_PLACE, &t.e);
	c[2] = (struct change){ PLACE_stanza, "three", bytes_of("x"), bytes_of("short"),
		"" };
	assert_rc(stage_changes(&t, "r1", c, 3), RC_PROTOCOL, &t.e);
	assert_false(is_there(real_path(&t, "/etc/libvirt/cpuherd")));
	assert_no_trace(&t);
	rig_close(&t);
}

/* ---- what is remembered */

static bool knows(struct rig *t, const char *path, const char *text)
{
	struct digest d = digest_of(text, strlen(text));
	bool known;

	assert_ok(t, written_knows(&t->world, path,
			     (struct bytes){ d.byte, DIGEST_BYTES }, &known, &t->e));
	return known;
}

static void what_finished_runs_wrote_is_remembered_and_nothing_else(void **state)
{
	static const char one[] = "/etc/libvirt/cpuherd/one.xml";
	struct change c[FILES_MAX];
	struct rig t;

	(void)state;
	rig_open(&t);
	write_old(&t, 1);
	assert_false(knows(&t, one, new_text));
	fill_changes(&t, c, 2);
	c[1].content = bytes_of(old_text);
	assert_ok(&t, stage_changes(&t, "r1", c, 2));
	assert_ok(&t, commit_run(&t, "r1"));
	assert_ok(&t, keep_run(&t, "r1"));
	assert_false(knows(&t, one, new_text));
	assert_ok(&t, forget_run(&t, "r1"));
	assert_true(knows(&t, one, new_text));
	assert_false(knows(&t, one, old_text));
	assert_false(knows(&t, "/etc/libvirt/cpuherd/two.xml", old_text));
	fill_changes(&t, c, 1);
	c[0].content = bytes_of("newer");
	assert_ok(&t, stage_changes(&t, "r2", c, 1));
	assert_ok(&t, commit_run(&t, "r2"));
	assert_ok(&t, revert_run(&t, "r2"));
	assert_true(knows(&t, one, new_text));
	assert_ok(&t, stage_changes(&t, "r3", c, 1));
	assert_ok(&t, commit_run(&t, "r3"));
	assert_ok(&t, keep_run(&t, "r3"));
	assert_ok(&t, forget_run(&t, "r3"));
	assert_true(knows(&t, one, "newer"));
	assert_false(knows(&t, one, new_text));
	rig_close(&t);
}

static void the_store_is_for_its_owner_alone(void **state)
{
	struct stat s;
	struct rig t;

	(void)state;
	rig_open(&t);
	assert_ok(&t, stage_files(&t, "r1", 1));
	assert_int_equal(stat(real_path(&t, "/state/cpuherd"), &s), 0);
	assert_int_equal(s.st_mode & 07777, 0700);
	assert_int_equal(stat(real_path(&t, "/state/cpuherd/runs/r1"), &s), 0);
	assert_int_equal(s.st_mode & 07777, 0700);
	assert_int_equal(stat(journal_of(&t, "r1"), &s), 0);
	assert_int_equal(s.st_mode & 07777, 0600);
	assert_ok(&t, revert_run(&t, "r1"));
	assert_int_equal(
		rename(real_path(&t, "/state/cpuherd"), real_path(&t, "/elsewhere")), 0);
	assert_int_equal(symlink("../elsewhere", real_path(&t, "/state/cpuherd")), 0);
	assert_rc(stage_files(&t, "r1", 1), RC_PLACE, &t.e);
	rig_close(&t);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(
			several_files_are_staged_committed_kept_and_forgotten_together),
		cmocka_unit_test(revert_puts_several_files_back_even_when_it_is_kept),
		cmocka_unit_test(every_step_may_be_repeated_with_and_without_memory),
		cmocka_unit_test(recover_tells_how_far_a_run_is),
		cmocka_unit_test(what_is_not_known_is_harmless_or_refused),
		cmocka_unit_test(one_change_that_cannot_be_staged_undoes_the_others),
		cmocka_unit_test(
			a_commit_that_fails_in_the_middle_is_put_right_by_revert),
		cmocka_unit_test(
			what_was_edited_after_commit_stays_and_the_others_are_put_back),
		cmocka_unit_test(a_run_that_changes_nothing_touches_nothing),
		cmocka_unit_test(the_end_of_a_connection_reverts_what_is_not_kept),
		cmocka_unit_test(what_lingers_or_came_from_the_journal_is_left_to_it),
		cmocka_unit_test(by_system_calls_alone_a_run_is_put_back_without_a_trace),
		cmocka_unit_test(a_second_run_is_refused_with_who_holds_the_node),
		cmocka_unit_test(an_unfinished_run_is_in_the_way_until_somebody_decides),
		cmocka_unit_test(other_content_under_a_known_name_is_refused),
		cmocka_unit_test(
			requests_that_name_too_much_or_twice_or_badly_are_refused),
		cmocka_unit_test(what_finished_runs_wrote_is_remembered_and_nothing_else),
		cmocka_unit_test(the_store_is_for_its_owner_alone),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(cases, NULL, NULL);
}
