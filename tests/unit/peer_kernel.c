/* The trial guest's kernel, run in QEMU: what it prints, what it keeps, how it ends.
 * Skipped where there is no qemu-system-x86_64. */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "peer/pulse.h"
#include "tests/support/test.h"

/* One QEMU, in a folder of its own; nothing of it is left after guest_close(). */
struct guest {
	char folder[64];
	struct arena arena;
	pid_t pid;
	int monitor; /* its standard input */
	int status;  /* of its end */
};

static const char *file_of(struct guest *g, const char *name)
{
	return arena_format(&g->arena, "%s/%s", g->folder, name);
}

static void guest_open(struct guest *g)
{
	int fd;

	*g = (struct guest){ .folder = "/tmp/cpuherd-kernel-XXXXXX", .pid = -1 };
	assert_non_null(mkdtemp(g->folder));
	fd = open(file_of(g, "kernel"), O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_true(fd >= 0);
	assert_int_equal(
		file_write_all(fd, (struct bytes){ trial_kernel,
					   (size_t)(trial_kernel_end - trial_kernel) }),
		0);
	close(fd);
}

static void guest_child(struct guest *g, int monitor, const char *machine,
	const char *cpu, const char *words, const char *incoming)
{
	const char *serial = arena_format(&g->arena, "file:%s", file_of(g, "serial"));
	const char *argv[] = { "qemu-system-x86_64", "-accel", "tcg", "-m", "16",
		"-nodefaults", "-no-reboot", "-display", "none", "-monitor", "stdio",
		"-serial", serial, "-machine", machine, "-cpu", cpu, "-kernel",
		file_of(g, "kernel"), "-append", words, incoming ? "-incoming" : NULL,
		incoming, NULL };
	int quiet = open("/dev/null", O_WRONLY);

	prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails leaves no process behind */
	dup2(monitor, 0);
	dup2(quiet, 1);
	dup2(quiet, 2);
	execvp(argv[0], (char *const *)argv);
	_exit(127);
}

static void guest_start(struct guest *g, const char *machine, const char *cpu,
	const char *words, const char *incoming)
{
	int end[2];

	assert_int_equal(pipe2(end, O_CLOEXEC), 0);
	g->pid = fork();
	assert_true(g->pid >= 0);
	if (g->pid == 0)
		guest_child(g, end[0], machine, cpu, words, incoming);
	close(end[0]);
	g->monitor = end[1];
}

static void guest_say(struct guest *g, const char *command)
{
	assert_int_equal(file_write_all(g->monitor, bytes_of(command)), 0);
}

static void guest_wait(struct guest *g)
{
	assert_int_equal(waitpid(g->pid, &g->status, 0), g->pid);
	close(g->monitor);
	g->pid = -1;
}

static void guest_close(struct guest *g)
{
	if (g->pid > 0) {
		kill(g->pid, SIGKILL);
		guest_wait(g);
	}
	test_run("rm -r %s", g->folder);
	arena_destroy(&g->arena);
}

/* What it has printed; "" before the file is there. */
static char *serial_of(struct guest *g)
{
	const char *path = file_of(g, "serial");

	return access(path, R_OK) == 0 ? test_read_file(&g->arena, path)
				       : arena_text(&g->arena, "");
}

static const char *nth_line(const char *text, size_t n)
{
	while (n-- && text) {
		text = strchr(text, '\n');
		text = text ? text + 1 : NULL;
	}
	return text;
}

/* Waits for a number of lines, half a minute at most. */
static char *wait_for_lines(struct guest *g, size_t count)
{
	const struct timespec pause = { 0, 20 * 1000000L };

	for (int i = 0; i < 1500; i++) {
		char *text = serial_of(g);

		if (nth_line(text, count))
			return text;
		nanosleep(&pause, NULL);
	}
	fail_msg("fewer than %zu lines were printed", count);
	return NULL;
}

/* Stops it, reads its page, and ends it. */
static struct pulse take_pulse(struct guest *g)
{
	const char *path = file_of(g, "page");
	uint8_t page[PULSE_BYTES];
	struct pulse pulse;
	struct err e;
	int fd;

	guest_say(g, arena_format(&g->arena, "stop\npmemsave %#x %d \"%s\"\nquit\n",
			     PULSE_ADDRESS, PULSE_BYTES, path));
	guest_wait(g);
	fd = open(path, O_RDONLY);
	assert_int_equal(read(fd, page, sizeof(page)), sizeof(page));
	close(fd);
	assert_rc(pulse_read(page, sizeof(page), &g->arena, &pulse, &e), RC_OK, &e);
	assert_true(pulse.valid);
	return pulse;
}

static const struct leaf *leaf_of(
	const struct pulse *pulse, uint32_t function, uint32_t index)
{
	const struct leaf *leaf = pulse->leaves.item;

	for (size_t i = 0; i < pulse->leaves.count; i++)
		if (leaf[i].function == function && leaf[i].index == index)
			return &leaf[i];
	return NULL;
}

static bool has_popcnt(const struct pulse *pulse)
{
	return leaf_of(pulse, 1, 0)->ecx >> 23 & 1;
}

/* How a guest of that kind sees its CPU. */
static struct pulse pulse_of(struct guest *g, const char *machine, const char *cpu)
{
	guest_start(g, machine, cpu, "life=60", NULL);
	wait_for_lines(g, 5);
	return take_pulse(g);
}

/* ---- the promises */

static void assert_line_says(const char *line, uint32_t count, const struct leaf *leaf)
{
	uint32_t n;
	struct leaf l;

	assert_int_equal(
		sscanf(line, "cpuherd %x %x.%x eax=%x ebx=%x ecx=%x edx=%x\r\n", &n,
			&l.function, &l.index, &l.eax, &l.ebx, &l.ecx, &l.edx),
		7);
	assert_int_equal(n, count);
	assert_memory_equal(&l, leaf, sizeof(l));
}

static void lines_say_what_the_page_says(void **state)
{
	const struct leaf *leaf;
	struct pulse pulse;
	struct guest g;
	char *text;

	(void)state;
	guest_open(&g);
	guest_start(&g, "pc", "Nehalem", "life=60", NULL);
	wait_for_lines(&g, 100);
	pulse = take_pulse(&g);
	text = serial_of(&g);
	assert_contains(nth_line(text, 0), "cpuherd trial guest, boot ");
	assert_true(pulse.leaves.count > 15 && pulse.leaves.count < 90);
	assert_true(pulse.count >= 99);
	leaf = pulse.leaves.item;
	for (uint32_t i = 0; i < 99; i++)
		assert_line_says(
			nth_line(text, i + 1), i + 1, &leaf[i % pulse.leaves.count]);
	guest_close(&g);
}

static void the_page_has_the_cpu_that_qemu_was_asked_for(void **state)
{
	struct pulse old, new;
	struct guest a, b;

	(void)state;
	guest_open(&a);
	guest_open(&b);
	old = pulse_of(&a, "pc", "Penryn");
	new = pulse_of(&b, "q35", "Nehalem");
	/* 6/23/3 and 6/26/3, as QEMU's models say */
	assert_int_equal(leaf_of(&old, 1, 0)->eax, 0x10673);
	assert_int_equal(leaf_of(&new, 1, 0)->eax, 0x106a3);
	assert_false(has_popcnt(&old));
	assert_true(has_popcnt(&new));
	assert_int_equal(leaf_of(&new, 0, 0)->ebx, 0x756e6547); /* "Genu" */
	assert_non_null(leaf_of(&new, 4, 3));
	assert_true(old.boot != new.boot);
	guest_close(&a);
	guest_close(&b);
}

static void sub_leaves_of_a_rich_cpu_are_all_there(void **state)
{
	struct pulse pulse;
	struct guest g;

	(void)state;
	guest_open(&g);
	pulse = pulse_of(&g, "q35", "max");
	assert_non_null(leaf_of(&pulse, 7, 0));
	assert_non_null(leaf_of(&pulse, 0xd, 1));
	assert_non_null(leaf_of(&pulse, 0xd, 2)); /* AVX */
	assert_non_null(leaf_of(&pulse, 0x40000000, 0));
	assert_non_null(leaf_of(&pulse, 0x80000008, 0));
	guest_close(&g);
}

static void it_boots_on_the_poorest_cpu(void **state)
{
	struct pulse pulse;
	struct guest g;

	(void)state;
	guest_open(&g);
	pulse = pulse_of(&g, "pc", "486");
	assert_int_equal(leaf_of(&pulse, 0, 0)->eax, 1);
	guest_close(&g);
}

static void it_counts_on_a_machine_without_a_timer(void **state)
{
	struct pulse pulse;
	struct guest g;

	(void)state;
	guest_open(&g);
	pulse = pulse_of(&g, "pc,pit=off", "qemu64");
	assert_true(pulse.count >= 4);
	guest_close(&g);
}

static void assert_ends(const char *machine)
{
	struct guest g;

	guest_open(&g);
	guest_start(&g, machine, "qemu64", "life=2", NULL);
	guest_wait(&g); /* the test's time limit is its own */
	assert_true(WIFEXITED(g.status) && WEXITSTATUS(g.status) == 0);
	assert_contains(serial_of(&g), "cpuherd: its time is over\r\n");
	guest_close(&g);
}

static void it_ends_when_its_time_is_over(void **state)
{
	(void)state;
	assert_ends("pc");
	assert_ends("q35");
	assert_ends("pc,pit=off");
}

/* Through a file, as a live migration would: the words are those of QEMU's monitor. */
static void it_goes_on_after_a_migration_and_sees_the_cpu_that_it_has_there(void **state)
{
	struct pulse before, after;
	struct guest a, b;
	const char *saved;

	(void)state;
	guest_open(&a);
	guest_open(&b);
	saved = file_of(&a, "saved");
	guest_start(&a, "pc", "Nehalem", "life=60", NULL);
	wait_for_lines(&a, 50);
	guest_say(&a, arena_format(&a.arena, "migrate \"exec:cat >%s\"\n", saved));
	before = take_pulse(&a);

	guest_start(&b, "pc", "Nehalem,-popcnt", "life=60",
		arena_format(&b.arena, "exec:cat %s", saved));
	wait_for_lines(&b, 50);
	after = take_pulse(&b);
	assert_true(after.boot == before.boot);
	assert_true(after.count > before.count && after.count < before.count + 10000);
	assert_true(has_popcnt(&before));
	assert_false(has_popcnt(&after));
	guest_close(&a);
	guest_close(&b);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_say_what_the_page_says),
		cmocka_unit_test(the_page_has_the_cpu_that_qemu_was_asked_for),
		cmocka_unit_test(sub_leaves_of_a_rich_cpu_are_all_there),
		cmocka_unit_test(it_boots_on_the_poorest_cpu),
		cmocka_unit_test(it_counts_on_a_machine_without_a_timer),
		cmocka_unit_test(it_ends_when_its_time_is_over),
		cmocka_unit_test(
			it_goes_on_after_a_migration_and_sees_the_cpu_that_it_has_there),
	};

	test_filter(argc, argv);
	if (system("qemu-system-x86_64 --version >/dev/null 2>&1") != 0) {
		print_message("there is no qemu-system-x86_64\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
