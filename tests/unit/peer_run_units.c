/* Runs that restart a service: when, when again, and what is left when that fails. */
#include "tests/unit/peer_run.h"

#include "peer/unit.h"

/* nova-compute falls while a stanza has the new text in it, and writes down each restart. */
static const char systemctl[] =
	"#!/bin/sh\n"
	"root=${0%/usr/bin/systemctl}\n"
	"bad() { [ -e $root/picky ] && grep -q new $root/etc/libvirt/cpuherd/one.xml; }\n"
	"case $1 in\n"
	"restart) echo restart >>$root/calls; [ ! -e $root/broken ];;\n"
	"status) echo no such CPU;;\n"
	"show) if bad; then state=failed; else state=active; fi\n"
	"echo LoadState=loaded; echo ActiveState=$state\n"
	"echo MainPID=7; echo NRestarts=0;;\n"
	"esac\n";

static void rig_open_with_systemd(struct rig *t)
{
	rig_open(t);
	test_run("mkdir -p %s/usr/bin %s/run/systemd/system", t->root, t->root);
	test_write_file(real_path(t, "/usr/bin/systemctl"), systemctl);
	test_run("chmod 755 %s/usr/bin/systemctl", t->root);
	test_write_file(real_path(t, "/calls"), "");
	write_old(t, 0);
}

static size_t restarts(struct rig *t)
{
	return strlen(test_read_file(&t->arena, real_path(t, "/calls"))) /
	       strlen("restart\n");
}

static enum rc stage_with_all(struct rig *t, struct texts services, const char *machine)
{
	struct change c[FILES_MAX];
	struct stage s = { .run = "r1",
		.holder = "me",
		.changes = { c, 1 },
		.virt_type = "kvm",
		.emulator = "",
		.arch = "",
		.machine = machine,
		.units = services,
		.linger = t->lingers };

	fill_changes(t, c, 1);
	return run_stage(&t->run, &s, &t->arena, &t->staged, &t->e);
}

static enum rc stage_with(struct rig *t, const char *service)
{
	return stage_with_all(t, (struct texts){ &service, 1 }, "");
}

static void commit_restarts_once_when_it_has_written(void **state)
{
	struct rig t;

	(void)state;
	rig_open_with_systemd(&t);
	assert_ok(&t, stage_with(&t, "nova"));
	assert_int_equal(restarts(&t), 0);
	assert_ok(&t, commit_run(&t, "r1"));
	assert_ok(&t, commit_run(&t, "r1"));
	assert_ok(&t, keep_run(&t, "r1"));
	assert_ok(&t, forget_run(&t, "r1"));
	assert_int_equal(restarts(&t), 1);
	/* what is there already is no reason */
	assert_ok(&t, stage_with(&t, "nova"));
	assert_ok(&t, commit_run(&t, "r1"));
	assert_int_equal(restarts(&t), 1);
	assert_ok(&t, revert_run(&t, "r1"));
	assert_int_equal(restarts(&t), 1);
	rig_close(&t);
}

static void a_unit_that_falls_fails_the_commit_and_revert_restarts_it(void **state)
{
	(void)state;
	for (int forgets = 0; forgets < 2; forgets++) {
		struct rig t;

		rig_open_with_systemd(&t);
		test_write_file(real_path(&t, "/picky"), "");
		assert_ok(&t, stage_with(&t, "nova"));
		assert_rc(commit_run(&t, "r1"), RC_TARGET, &t.e);
		assert_contains(t.e.text, "nova-compute.service is failed");
		assert_contains(t.e.text, "no such CPU");
		assert_text(&t, 0, new_text);
		if (forgets)
			lose_memory(&t);
		assert_ok(&t, revert_run(&t, "r1"));
		assert_true(t.changed);
		assert_text(&t, 0, old_text);
		assert_int_equal(restarts(&t), 2);
		assert_no_trace(&t);
		rig_close(&t);
	}
}

static void the_end_of_the_connection_restarts_as_well(void **state)
{
	struct rig t;

	(void)state;
	rig_open_with_systemd(&t);
	assert_ok(&t, stage_with(&t, "nova"));
	assert_ok(&t, commit_run(&t, "r1"));
	assert_true(run_needs_more_than_system_calls(&t.run));
	assert_ok(&t, run_leave(&t.run, &t.e));
	assert_text(&t, 0, old_text);
	assert_int_equal(restarts(&t), 2);
	rig_close(&t);
}

/* No program can be run from there; the next session does it. */
static void a_signal_puts_the_files_back_and_leaves_the_restart_to_the_journal(
	void **state)
{
	struct rig t;

	(void)state;
	rig_open_with_systemd(&t);
	assert_ok(&t, stage_with(&t, "nova"));
	assert_ok(&t, commit_run(&t, "r1"));
	run_abandon(&t.run);
	assert_text(&t, 0, old_text);
	assert_int_equal(restarts(&t), 1);
	lose_memory(&t);
	assert_ok(&t, recover_run(&t, ""));
	assert_string_equal(t.recovered.run, "r1");
	assert_ok(&t, revert_run(&t, "r1"));
	assert_int_equal(restarts(&t), 2);
	assert_no_trace(&t);
	rig_close(&t);
}

static void a_unit_that_does_not_come_back_is_told_and_can_be_tried_again(void **state)
{
	struct rig t;

	(void)state;
	rig_open_with_systemd(&t);
	assert_ok(&t, stage_with(&t, "nova"));
	assert_ok(&t, commit_run(&t, "r1"));
	test_write_file(real_path(&t, "/broken"), "");
	assert_rc(revert_run(&t, "r1"), RC_PARTIAL, &t.e);
	assert_contains(t.e.text, "the files are as before, but nova-compute.service");
	assert_text(&t, 0, old_text);
	test_run("rm %s/broken", t.root);
	assert_ok(&t, revert_run(&t, "r1"));
	assert_int_equal(restarts(&t), 3);
	assert_no_trace(&t);
	rig_close(&t);
}

static void where_nothing_can_be_restarted_nothing_is_staged(void **state)
{
	struct rig t;

	(void)state;
	rig_open_with_systemd(&t);
	assert_rc(stage_with(&t, "sshd"), RC_PROTOCOL, &t.e);
	test_run("rm -r %s/run", t.root);
	assert_rc(stage_with(&t, "nova"), RC_TARGET, &t.e);
	assert_contains(t.e.text, "nova cannot be restarted here");
	assert_text(&t, 0, old_text);
	assert_no_trace(&t);
	rig_close(&t);
}

/* A journal that could be written and not be read would stop every later run. */
static void what_the_journal_could_not_hold_is_refused(void **state)
{
	enum { LONG = 1000 * 1000, MANY = 40 };
	const char *many[MANY];
	struct rig t;
	char *text;

	(void)state;
	rig_open_with_systemd(&t);
	for (size_t i = 0; i < MANY; i++)
		many[i] = "nova";
	assert_rc(
		stage_with_all(&t, (struct texts){ many, MANY }, ""), RC_PROTOCOL, &t.e);
	text = arena_alloc(&t.arena, LONG + 1, 1);
	memset(text, '%', LONG);
	assert_rc(stage_with_all(&t, (struct texts){ 0 }, text), RC_LIMIT, &t.e);
	assert_no_trace(&t);
	assert_ok(&t, stage_with(&t, "nova"));
	lose_memory(&t);
	assert_ok(&t, revert_run(&t, "r1"));
	assert_no_trace(&t);
	rig_close(&t);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(commit_restarts_once_when_it_has_written),
		cmocka_unit_test(
			a_unit_that_falls_fails_the_commit_and_revert_restarts_it),
		cmocka_unit_test(the_end_of_the_connection_restarts_as_well),
		cmocka_unit_test(
			a_signal_puts_the_files_back_and_leaves_the_restart_to_the_journal),
		cmocka_unit_test(
			a_unit_that_does_not_come_back_is_told_and_can_be_tried_again),
		cmocka_unit_test(where_nothing_can_be_restarted_nothing_is_staged),
		cmocka_unit_test(what_the_journal_could_not_hold_is_refused),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
