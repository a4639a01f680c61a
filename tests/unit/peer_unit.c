/* Programs with an end, and services that are restarted by systemd: by a systemctl of the
 * test's own, in the root of the test's own. */
#include "peer/unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "peer/command.h"
#include "tests/support/test.h"

/* ---- command */

static enum rc shell(const char *line, unsigned limit_s, const char *input,
	struct arena *arena, struct command_end *end, struct err *e)
{
	const char *argv[] = { "/bin/sh", "-c", line, NULL };
	const struct command c = { .argv = argv,
		.limit_s = limit_s,
		.input = { (const uint8_t *)input, strlen(input) } };

	return command_run(&c, arena, end, e);
}

static void a_program_is_fed_and_heard(void **state)
{
	struct arena arena = { 0 };
	struct command_end end;
	struct err e;

	(void)state;
	assert_rc(shell("cat; echo oops >&2; exit 3", 10, "in", &arena, &end, &e), RC_OK,
		&e);
	assert_int_equal(end.status, 3);
	assert_string_equal(end.out, "in");
	assert_string_equal(end.errors, "oops\n");
	assert_rc(shell("kill -9 $$", 10, "", &arena, &end, &e), RC_OK, &e);
	assert_int_equal(end.status, 128 + 9);
	arena_destroy(&arena);
}

static void a_program_has_nothing_of_the_peer_s(void **state)
{
	struct arena arena = { 0 };
	struct command_end end;
	struct err e;
	int open_here = dup(STDOUT_FILENO);

	(void)state;
	assert_int_equal(setenv("LD_PRELOAD_TEST", "x", 1), 0);
	fcntl(open_here, F_SETFD, FD_CLOEXEC);
	assert_rc(shell("env; pwd; ls /proc/self/fd | wc -l", 10, "", &arena, &end, &e),
		RC_OK, &e);
	assert_null(strstr(end.out, "LD_PRELOAD_TEST"));
	assert_contains(end.out, "PWD=/\n");
	assert_contains(end.out, "\n4\n"); /* the three, and ls's own */
	close(open_here);
	arena_destroy(&arena);
}

static void one_that_does_not_end_is_ended_with_what_it_started(void **state)
{
	struct arena arena = { 0 };
	struct command_end end;
	time_t begin = time(NULL);
	struct err e;

	(void)state;
	assert_rc(shell("sleep 60 & sleep 60", 1, "", &arena, &end, &e), RC_TARGET, &e);
	assert_contains(e.text, "did not end within 1 s");
	assert_true(time(NULL) - begin < 20);
	/* one that leaves a child behind does not keep us */
	assert_rc(shell("sleep 5 & echo done", 10, "", &arena, &end, &e), RC_OK, &e);
	assert_string_equal(end.out, "done\n");
	arena_destroy(&arena);
}

static void what_cannot_start_or_says_too_much_is_refused(void **state)
{
	const char *argv[] = { "/nowhere/program", NULL };
	const struct command c = { .argv = argv, .limit_s = 5 };
	struct arena arena = { 0 };
	struct command_end end;
	struct err e;

	(void)state;
	assert_rc(command_run(&c, &arena, &end, &e), RC_TARGET, &e);
	assert_contains(e.text, "/nowhere/program cannot be started");
	assert_rc(shell("exec cat /dev/zero", 10, "", &arena, &end, &e), RC_TARGET, &e);
	assert_contains(e.text, "prints more than");
	arena_destroy(&arena);
}

static void the_last_line_is_the_last_that_is_not_empty(void **state)
{
	struct arena arena = { 0 };

	(void)state;
	assert_string_equal(command_last_line(&arena, "a\n  b\x1b c \n\n \n"), "b? c");
	assert_string_equal(command_last_line(&arena, "a"), "a");
	assert_string_equal(command_last_line(&arena, "\n \n"), "");
	arena_destroy(&arena);
}

/* ---- units */

static const char *nova_words[] = { "nova" };
static const struct texts nova = { nova_words, 1 };

struct host {
	char root[64];
	struct place_world world;
	struct arena arena;
	struct err e;
};

/* A systemd whose units are files: NAME.state has the words that "show" gives one after
 * the other after a restart, the last for ever; NAME.before has those of before. */
static const char systemctl[] =
	"#!/bin/sh\n"
	"root=${0%/usr/bin/systemctl}\n"
	"cd \"$root/units\" || exit 1\n"
	"for unit; do :; done\n"
	"echo \"$*\" >>calls\n"
	"[ -e \"$unit.before\" ] || { echo LoadState=not-found; exit 0; }\n"
	"case $1 in\n"
	"show) if [ -e \"$unit.restarted\" ]; then\n"
	"	head -n 1 \"$unit.state\" | tr ' ' '\\n'\n"
	"	[ \"$(wc -l <\"$unit.state\")\" = 1 ] || sed -i 1d \"$unit.state\"\n"
	"	else tr ' ' '\\n' <\"$unit.before\"; fi;;\n"
	"restart) [ ! -e \"$unit.refuses\" ] || { echo \"Job for $unit failed.\" >&2; "
	"exit 1; }\n"
	"	touch \"$unit.restarted\";;\n"
	"status) echo \"Nov 23 10:00:00 node nova[7]: no such CPU model\"; exit 3;;\n"
	"esac\n";

static void host_write(struct host *h, const char *name, const char *text)
{
	test_write_file(arena_format(&h->arena, "%s/%s", h->root, name), text);
}

static char *host_read(struct host *h, const char *name)
{
	return test_read_file(&h->arena, arena_format(&h->arena, "%s/%s", h->root, name));
}

static void host_begin(struct host *h)
{
	*h = (struct host){ .root = "/tmp/cpuherd-unit-XXXXXX" };
	assert_non_null(mkdtemp(h->root));
	h->world = (struct place_world){ .root = h->root };
	test_run("mkdir -p %s/usr/bin %s/units %s/run/systemd/system", h->root, h->root,
		h->root);
	host_write(h, "usr/bin/systemctl", systemctl);
	test_run("chmod 755 %s/usr/bin/systemctl", h->root);
	host_write(h, "units/nova-compute.service.before",
		"LoadState=loaded ActiveState=active MainPID=7 NRestarts=0 User=nova\n");
}

static void host_end(struct host *h)
{
	test_run("rm -r %s", h->root);
	arena_destroy(&h->arena);
}

static void host_becomes(struct host *h, const char *states)
{
	host_write(h, "units/nova-compute.service.state", states);
}

#define ACTIVE(pid, restarts) \
	"LoadState=loaded ActiveState=active MainPID=" #pid " NRestarts=" #restarts "\n"
#define STATE(state) "LoadState=loaded ActiveState=" state " MainPID=0 NRestarts=0\n"

static void the_unit_that_runs_is_meant_else_the_first_that_is_loaded(void **state)
{
	struct host h;
	struct unit unit;

	(void)state;
	host_begin(&h);
	assert_rc(unit_look(&h.world, "nova", &h.arena, &unit, &h.e), RC_OK, &h.e);
	assert_string_equal(unit.name, "nova-compute.service");
	assert_string_equal(unit.user, "nova");
	assert_int_equal(unit.main_pid, 7);
	host_write(&h, "units/virtqemud.service.before", STATE("inactive"));
	assert_rc(unit_look(&h.world, "libvirt", &h.arena, &unit, &h.e), RC_OK, &h.e);
	assert_string_equal(unit.name, "virtqemud.service");
	assert_false(unit.active);
	host_write(&h, "units/libvirtd.service.before", ACTIVE(9, 0));
	assert_rc(unit_look(&h.world, "libvirt", &h.arena, &unit, &h.e), RC_OK, &h.e);
	assert_string_equal(unit.name, "libvirtd.service");
	host_end(&h);
}

static void a_restart_waits_until_the_unit_is_steadily_active(void **state)
{
	struct host h;

	(void)state;
	host_begin(&h);
	host_becomes(&h, STATE("activating") STATE("activating") ACTIVE(8, 0));
	assert_rc(unit_restart(&h.world, &nova, &h.e), RC_OK, &h.e);
	assert_contains(
		host_read(&h, "units/calls"), "\nrestart -- nova-compute.service\n");
	/* each word of the list was used up */
	assert_string_equal(
		host_read(&h, "units/nova-compute.service.state"), ACTIVE(8, 0));
	host_end(&h);
}

static void a_unit_that_fails_is_told_with_its_last_words(void **state)
{
	static const char *const ways[] = {
		STATE("failed"),
		ACTIVE(8, 0) STATE("failed"), /* active at first, as Type=simple is */
		ACTIVE(8, 0) STATE("activating") ACTIVE(9, 1) STATE("failed"),
	};
	struct host h;

	(void)state;
	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		host_begin(&h);
		host_becomes(&h, ways[i]);
		assert_rc(unit_restart(&h.world, &nova, &h.e), RC_TARGET, &h.e);
		assert_contains(
			h.e.text, "nova-compute.service is failed after its restart");
		assert_contains(h.e.text, "no such CPU model");
		host_end(&h);
	}
}

static void a_restart_that_systemd_refuses_is_a_failure(void **state)
{
	struct host h;

	(void)state;
	host_begin(&h);
	host_becomes(&h, ACTIVE(7, 0));
	host_write(&h, "units/nova-compute.service.refuses", "");
	assert_rc(unit_restart(&h.world, &nova, &h.e), RC_TARGET, &h.e);
	assert_contains(h.e.text, "is not active after its restart");
	host_end(&h);
}

static void without_systemd_or_a_unit_nothing_can_be_restarted(void **state)
{
	const char *other[] = { "sshd" };
	const struct texts unknown = { other, 1 };
	struct host h;

	(void)state;
	host_begin(&h);
	assert_rc(unit_check(&h.world, &nova, &h.e), RC_OK, &h.e);
	assert_rc(unit_check(&h.world, &unknown, &h.e), RC_PROTOCOL, &h.e);
	test_run("rm %s/units/*.before", h.root);
	assert_rc(unit_check(&h.world, &nova, &h.e), RC_TARGET, &h.e);
	assert_rc(unit_restart(&h.world, &nova, &h.e), RC_TARGET, &h.e);
	assert_contains(h.e.text, "nova cannot be restarted here");
	host_end(&h);
	host_begin(&h);
	test_run("rmdir %s/run/systemd/system", h.root);
	assert_rc(unit_check(&h.world, &nova, &h.e), RC_TARGET, &h.e);
	host_end(&h);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_program_is_fed_and_heard),
		cmocka_unit_test(a_program_has_nothing_of_the_peer_s),
		cmocka_unit_test(one_that_does_not_end_is_ended_with_what_it_started),
		cmocka_unit_test(what_cannot_start_or_says_too_much_is_refused),
		cmocka_unit_test(the_last_line_is_the_last_that_is_not_empty),
		cmocka_unit_test(
			the_unit_that_runs_is_meant_else_the_first_that_is_loaded),
		cmocka_unit_test(a_restart_waits_until_the_unit_is_steadily_active),
		cmocka_unit_test(a_unit_that_fails_is_told_with_its_last_words),
		cmocka_unit_test(a_restart_that_systemd_refuses_is_a_failure),
		cmocka_unit_test(without_systemd_or_a_unit_nothing_can_be_restarted),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
