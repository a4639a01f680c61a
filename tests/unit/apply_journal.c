/* The journal of a run: what is written is read back; what was cut off is ignored; what
 * is damaged is refused. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

#include "coordinator/apply/journal.h"
#include "proto/texts.h"
#include "tests/support/test.h"

static struct arena arena;
static uint8_t digest[32] = { 1, 2, 0xff };

/* Two nodes, three changes, two contents, and everything that must be escaped. */
static struct journal_plan plan_make(void)
{
	static struct change changes[3];
	static struct stage stages[2];
	static struct journal_node nodes[2];
	static const char *options[] = { "ssh-option", "ProxyCommand=a b%c\n", "become",
		"", "user", "-" };
	static const char *titles[] = { "/etc/x.xml", "domain \"web 1\"" };
	static const char *units[] = { "nova-compute" };

	changes[0] = (struct change){ PLACE_stanza, "baseline",
		bytes_of("<cpu>\n  100%\n</cpu>\n"), { digest, 32 }, "" };
	changes[1] = (struct change){ PLACE_domain, "uuid", bytes_of(""), { 0 }, "q35" };
	changes[2] = changes[0];
	for (size_t i = 0; i < 2; i++) {
		stages[i] = (struct stage){ .run = "run-1",
			.holder = "me@here, process 7",
			.changes = { i ? &changes[2] : &changes[0], i ? 1 : 2 },
			.virt_type = "kvm",
			.emulator = "/usr/bin/qemu",
			.arch = "x86_64",
			.machine = "",
			.units = { units, 1 } };
		nodes[i] = (struct journal_node){ .name = i ? "[::1]:22" : "node01",
			.host = i ? "::1" : "node01",
			.user = i ? "root" : "",
			.identity = "",
			.port = i ? 22 : 0,
			.alias = !i,
			.become = (uint32_t)i,
			.stage = &stages[i],
			.titles = { titles, i ? 1 : 2 } };
	}
	return (struct journal_plan){ .run = "run-1",
		.begun = "2026-05-01T12:00:00Z",
		.holder = "me@here, process 7",
		.level_name = "baseline",
		.linger = true,
		.options = { options, 6 },
		.nodes = nodes,
		.count = 2 };
}

static void assert_change(const struct change *a, const struct change *b)
{
	assert_int_equal(a->place, b->place);
	assert_string_equal(a->name, b->name);
	assert_string_equal(a->machine, b->machine);
	assert_int_equal(a->content.size, b->content.size);
	assert_memory_equal(a->content.data, b->content.data, a->content.size);
	assert_int_equal(a->expected.size, b->expected.size);
	if (a->expected.size)
		assert_memory_equal(a->expected.data, b->expected.data, 32);
}

static void assert_node(const struct journal_node *a, const struct journal_node *b)
{
	const struct change *left = a->stage->changes.item,
			    *right = b->stage->changes.item;

	assert_string_equal(a->name, b->name);
	assert_string_equal(a->host, b->host);
	assert_string_equal(a->user, b->user);
	assert_int_equal(a->port, b->port);
	assert_int_equal(a->alias, b->alias);
	assert_int_equal(a->become, b->become);
	assert_string_equal(a->stage->run, "run-1");
	assert_string_equal(a->stage->holder, "me@here, process 7");
	assert_string_equal(a->stage->emulator, b->stage->emulator);
	assert_string_equal(a->stage->machine, b->stage->machine);
	assert_true(a->stage->linger);
	assert_int_equal(a->stage->units.count, 1);
	assert_int_equal(a->stage->changes.count, b->stage->changes.count);
	for (size_t i = 0; i < b->stage->changes.count; i++) {
		assert_change(&left[i], &right[i]);
		assert_string_equal(a->titles.item[i], b->titles.item[i]);
	}
}

static char folder[] = "/tmp/cpuherd-journal-XXXXXX";

static int folder_new(void **state)
{
	(void)state;
	strcpy(folder + strlen(folder) - 6, "XXXXXX");
	assert_non_null(mkdtemp(folder));
	return 0;
}

static int folder_drop(void **state)
{
	(void)state;
	test_run("rm -rf %s", folder);
	arena_destroy(&arena);
	return 0;
}

static char *path_of(void)
{
	return arena_format(&arena, "%s/run-1.journal", folder);
}

/* A journal in this phase, on its way there through all that precede it. */
static char *written_up_to(enum twophase_phase phase)
{
	struct journal_plan plan = plan_make();
	struct journal j;
	struct err e;

	unlink(path_of());
	assert_rc(journal_create(&j, folder, &plan, &arena, &e), RC_OK, &e);
	for (int p = PHASE_NONE + 1; p <= (int)phase; p++)
		assert_rc(journal_enter(&j, (enum twophase_phase)p, &e), RC_OK, &e);
	journal_close(&j);
	return test_read_file(&arena, path_of());
}

static void a_plan_is_read_back_as_it_was_written(void **state)
{
	struct journal_plan plan = plan_make(), read;
	struct journal j;
	struct err e;

	(void)state;
	written_up_to(PHASE_DECIDED);
	assert_rc(journal_open(&j, folder, "run-1", &read, &arena, &e), RC_OK, &e);
	assert_string_equal(read.begun, plan.begun);
	assert_string_equal(read.level_name, plan.level_name);
	assert_int_equal(read.options.count, 6);
	for (size_t i = 0; i < 6; i++)
		assert_string_equal(read.options.item[i], plan.options.item[i]);
	assert_int_equal(read.count, 2);
	assert_node(&read.nodes[0], &plan.nodes[0]);
	assert_node(&read.nodes[1], &plan.nodes[1]);
	assert_int_equal(read.phase, PHASE_DECIDED);
	assert_true(read.committed);
	assert_rc(journal_leave(&j, (const size_t[]){ 1 }, 1, &e), RC_OK, &e);
	journal_close(&j);
	assert_rc(journal_open(&j, folder, "run-1", &read, &arena, &e), RC_OK, &e);
	assert_true(!read.nodes[0].over && read.nodes[1].over);
	journal_close(&j);
}

static void equal_contents_are_written_once_and_nobody_else_may_read_them(void **state)
{
	char *text = written_up_to(PHASE_STAGING), *at = text;
	size_t contents = 0;

	(void)state;
	while ((at = strstr(at, " content "))) {
		contents++;
		at++;
	}
	assert_int_equal(contents, 2);
	test_run("test $(stat -c %%a %s) = 600", path_of());
}

static enum rc read_text(const char *text, size_t size, struct journal_plan *plan,
	size_t *whole, struct err *e)
{
	char sum[JOURNAL_SUM_MAX];

	return journal_read("J", (struct bytes){ (const uint8_t *)text, size }, plan, sum,
		whole, &arena, e);
}

/* The last line that is whole decides how far the run is. */
static void every_truncation_is_an_earlier_state_of_the_same_run(void **state)
{
	char *text = written_up_to(PHASE_REVERTING);
	size_t size = strlen(text);

	(void)state;
	for (size_t cut = 0; cut < size; cut++) {
		struct journal_plan plan;
		size_t whole;
		struct err e;

		assert_rc(read_text(text, cut, &plan, &whole, &e), RC_OK, &e);
		assert_true(whole <= cut);
		assert_true(whole == 0 || text[whole - 1] == '\n');
		assert_int_equal(plan.phase != PHASE_NONE,
			memmem(text, whole, " phase ", 7) != NULL);
		if (!memmem(text, whole, " planned ", 9))
			assert_null(plan.run);
	}
}

/* Or else, at the end, the line that it is in was never written. */
static void every_damaged_byte_is_found(void **state)
{
	char *text = written_up_to(PHASE_REVERTING);
	size_t size = strlen(text), refused = 0;

	(void)state;
	for (size_t i = 0; i < size; i++) {
		char *damaged = arena_text(&arena, text);
		struct journal_plan plan;
		size_t whole;
		struct err e;
		enum rc rc;

		damaged[i] ^= 1 << (i % 7);
		rc = read_text(damaged, size, &plan, &whole, &e);
		if (rc == RC_OK) {
			assert_int_equal(i, size - 1); /* its newline */
			assert_int_equal(plan.phase, PHASE_FORGETTING);
			continue;
		}
		assert_int_equal(rc, RC_INPUT);
		assert_contains(e.text, ": this line is damaged");
		refused++;
	}
	assert_int_equal(refused, size - 1);
}

static void a_line_that_is_missing_or_doubled_is_found(void **state)
{
	char *text = written_up_to(PHASE_REVERTING);
	struct journal_plan plan;
	size_t whole;
	struct err e;

	(void)state;
	for (char *line = text, *next; (next = strchr(line, '\n') + 1)[0]; line = next) {
		char *without = arena_format(
			&arena, "%.*s%s", (int)(line - text), text, next);
		char *twice = arena_format(
			&arena, "%.*s%s", (int)(next - text), text, line);

		assert_rc(read_text(without, strlen(without), &plan, &whole, &e),
			RC_INPUT, &e);
		assert_rc(
			read_text(twice, strlen(twice), &plan, &whole, &e), RC_INPUT, &e);
	}
}

static void after_a_torn_line_the_journal_goes_on(void **state)
{
	char *text = written_up_to(PHASE_DECIDED);
	struct journal_plan plan;
	struct journal j;
	struct err e;

	(void)state;
	text[strlen(text) - 3] = '\0';
	test_write_file(path_of(), text);
	assert_rc(journal_open(&j, folder, "run-1", &plan, &arena, &e), RC_OK, &e);
	assert_int_equal(plan.phase, PHASE_COMMITTING);
	assert_rc(journal_enter(&j, PHASE_REVERTING, &e), RC_OK, &e);
	journal_close(&j);
	assert_rc(journal_open(&j, folder, "run-1", &plan, &arena, &e), RC_OK, &e);
	assert_int_equal(plan.phase, PHASE_REVERTING);
	journal_close(&j);
}

static void of_two_coordinators_one_has_the_journal(void **state)
{
	struct journal_plan plan;
	struct journal first, second;
	struct err e;

	(void)state;
	written_up_to(PHASE_STAGING);
	assert_rc(journal_open(&first, folder, "run-1", &plan, &arena, &e), RC_OK, &e);
	assert_rc(journal_open(&second, folder, "run-1", &plan, &arena, &e), RC_CONFLICT,
		&e);
	assert_contains(e.text, "run-1 is under way: me@here, process 7, since 2026-");
	assert_rc(journal_remove(&first, &e), RC_OK, &e);
	journal_close(&first);
	assert_rc(
		journal_open(&second, folder, "run-1", &plan, &arena, &e), RC_INPUT, &e);
}

static void a_name_that_leads_out_of_the_folder_is_no_run(void **state)
{
	struct journal_plan plan;
	struct journal j;
	struct err e;

	(void)state;
	assert_rc(journal_open(&j, folder, "../run-1", &plan, &arena, &e), RC_USAGE, &e);
	test_run("ln -s /etc/passwd %s/run-2.journal", folder);
	assert_rc(journal_open(&j, folder, "run-2", &plan, &arena, &e), RC_INPUT, &e);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, folder_new, folder_drop)

int main(int argc, char **argv)
{
	const struct CMUnitTest cases[] = {
		CASE(a_plan_is_read_back_as_it_was_written),
		CASE(equal_contents_are_written_once_and_nobody_else_may_read_them),
		CASE(every_truncation_is_an_earlier_state_of_the_same_run),
		CASE(every_damaged_byte_is_found),
		CASE(a_line_that_is_missing_or_doubled_is_found),
		CASE(after_a_torn_line_the_journal_goes_on),
		CASE(of_two_coordinators_one_has_the_journal),
		CASE(a_name_that_leads_out_of_the_folder_is_no_run),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(cases, NULL, NULL);
}
