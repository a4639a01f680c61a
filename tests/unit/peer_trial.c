/* Trial guests, through the whole loop of serve, on a libvirt of the test's own. */
#include <errno.h>
#include <sys/mman.h>

#include "peer/pulse.h"
#include "peer/stream.h"
#include "peer/trial_name.h"
#include "peer/trial_sight.h"
#include "tests/unit/peer_talk.h"

/* ---- a libvirt that remembers, also when its client is killed */

static const char run_name[] = "0123456789abcdef0123456789abcdef";
static const char other_run[] = "fedcba9876543210fedcba9876543210";
static const char cpu[] = "<cpu mode='custom'><model>Penryn</model></cpu>";

enum { GUESTS = 2 * TRIAL_GUESTS_STAY, LOG_BYTES = 4096 };

struct fake_guest {
	char name[128]; /* "": none */
	bool runs, stays;
	uint32_t count;
};

static struct fake {
	struct fake_guest guest[GUESTS];
	pid_t peer;	   /* whose calls are counted: not the guard's */
	int calls;	   /* so far */
	int die_at;	   /* SIGKILL to the peer before this call; 0: never */
	int fail_at;	   /* this call fails */
	bool refuses;	   /* a guest's CPU */
	bool hangs;	   /* when a guest is started */
	bool mute;	   /* kernels do not count */
	bool ends;	   /* guests end when they run */
	uint32_t stops_at; /* they count no further; 0: they go on */
	bool reboots;	   /* before they count to two */
	const char *tells; /* QEMU's monitor, whatever it is asked; NULL: the truth */
	char log[LOG_BYTES];
} * fake;

struct guest_link {
	int dummy;
};

static struct guest_link the_link;

static enum rc step(const char *what, struct err *e)
{
	size_t used = strlen(fake->log);

	if (getpid() != fake->peer)
		return RC_OK;
	fake->calls++;
	snprintf(fake->log + used, LOG_BYTES - used, " %s", what);
	if (fake->calls == fake->die_at)
		raise(SIGKILL);
	return fake->calls == fake->fail_at
		       ? err_set(e, RC_LIBVIRT, 38, "%s: connection is gone", what)
		       : RC_OK;
}

static struct fake_guest *find(const char *name)
{
	for (int i = 0; i < GUESTS; i++)
		if (strcmp(fake->guest[i].name, name) == 0)
			return &fake->guest[i];
	return NULL;
}

static void add(const char *name, bool runs, bool stays)
{
	struct fake_guest *g = find("");

	assert_non_null(g);
	*g = (struct fake_guest){ .runs = runs, .stays = stays };
	snprintf(g->name, sizeof(g->name), "%s", name);
}

static int guests(void)
{
	int count = 0;

	for (int i = 0; i < GUESTS; i++)
		count += fake->guest[i].name[0] != '\0';
	return count;
}

static enum rc fake_open(const char *uri, struct guest_link **link, struct err *e)
{
	(void)uri;
	*link = NULL;
	if (step("open", e) != RC_OK)
		return e->code;
	*link = &the_link;
	return RC_OK;
}

static void fake_close(struct guest_link *link)
{
	for (int i = 0; link && i < GUESTS; i++)
		if (!fake->guest[i].stays)
			fake->guest[i].name[0] = '\0';
}

static enum rc fake_start(struct guest_link *link, const struct guest_start *how,
	struct arena *arena, struct libvirt_verdict *out, struct err *e)
{
	static const char *avx[] = { "avx" };
	struct xml_element domain, name;

	(void)link;
	while (fake->hangs)
		pause();
	if (step("start", e) != RC_OK)
		return e->code;
	*out = (struct libvirt_verdict){ .reason = "" };
	if (fake->refuses)
		*out = (struct libvirt_verdict){ false, { avx, 1 }, "missing: avx" };
	if (fake->refuses)
		return RC_OK;
	assert_true(xml_child(xml_whole(how->xml), "domain", &domain));
	assert_true(xml_child(domain.inner, "name", &name));
	add(xml_text(arena, &name), false, how->stays);
	out->accepted = true;
	return RC_OK;
}

static enum rc fake_look(struct guest_link *link, const char *name, struct arena *arena,
	struct guest_now *out, struct err *e)
{
	const struct fake_guest *g = find(name);

	(void)link, (void)arena;
	*out = (struct guest_now){ .state = "", .xml = "" };
	if (step("look", e) != RC_OK)
		return e->code;
	if (!g)
		return RC_OK;
	*out = (struct guest_now){ true, g->runs, g->runs ? "running" : "paused",
		"<domain type='kvm'><os><type arch='x86_64' "
		"machine='pc-i440fx-7.2'>hvm</type></os>"
		"<cpu check='full'><model>Penryn</model></cpu></domain>" };
	return RC_OK;
}

static enum rc fake_monitor(struct guest_link *link, const char *name,
	const char *command, struct arena *arena, const char **answer, struct err *e)
{
	static const char *const answers[][2] = {
		{ "query-cpus-fast", "[{\"cpu-index\":0,\"qom-path\":\"/cpu\"}]" },
		{ "qom-list", "[{\"name\":\"avx\",\"type\":\"bool\"},"
			      "{\"name\":\"feature-words\",\"type\":\"x\"}]" },
		{ "\"avx\"", "false" },
		{ "\"feature-words\"", "[{\"cpuid-register\":\"ECX\","
				       "\"cpuid-input-eax\":1,\"features\":7}]" },
	};

	(void)link, (void)name;
	if (step("ask", e) != RC_OK)
		return e->code;
	*answer = fake->tells;
	for (size_t i = 0; !*answer && i < sizeof(answers) / sizeof(answers[0]); i++)
		if (strstr(command, answers[i][0]))
			*answer = arena_format(arena, "{\"return\":%s}", answers[i][1]);
	assert_non_null(*answer);
	return RC_OK;
}

static enum rc fake_peek(struct guest_link *link, const char *name, uint64_t address,
	size_t size, void *to, struct err *e)
{
	struct fake_guest *g = find(name);
	struct pulse_page page = { .magic = PULSE_MAGIC,
		.version = PULSE_VERSION,
		.boot = { 5, 6 },
		.leaves = 1,
		.leaf = { { 1, 0, { 1, 2, 3, 4 } } } };

	(void)link;
	assert_int_equal(address, PULSE_ADDRESS);
	assert_true(size >= sizeof(page));
	if (step("peek", e) != RC_OK)
		return e->code;
	if (fake->ends && g)
		g->name[0] = '\0';
	if (!g || fake->ends)
		return err_set(e, RC_LIBVIRT, 42, "no such domain");
	if (g->runs && !fake->mute && !(fake->stops_at && g->count == fake->stops_at))
		g->count++;
	page.count = g->count;
	page.boot[0] += fake->reboots ? g->count : 0;
	page.sum = pulse_sum(&page);
	memset(to, 0, size);
	if (page.count)
		memcpy(to, &page, sizeof(page));
	return RC_OK;
}

static enum rc fake_resume(struct guest_link *link, const char *name, struct err *e)
{
	(void)link;
	if (step("resume", e) != RC_OK)
		return e->code;
	find(name)->runs = true;
	return RC_OK;
}

static enum rc fake_suspend(struct guest_link *link, const char *name, struct err *e)
{
	(void)link;
	if (step("suspend", e) != RC_OK)
		return e->code;
	if (find(name))
		find(name)->runs = false;
	return RC_OK;
}

static enum rc fake_end(struct guest_link *link, const char *name, struct err *e)
{
	(void)link;
	if (step("end", e) != RC_OK)
		return e->code;
	if (find(name))
		find(name)->name[0] = '\0';
	return RC_OK;
}

static enum rc fake_runs(
	struct guest_link *link, struct arena *arena, struct texts *runs, struct err *e)
{
	char run[SCRATCH_RUN_MAX + 1];

	(void)link;
	*runs = (struct texts){ 0 };
	if (step("runs", e) != RC_OK)
		return e->code;
	for (int i = 0; i < GUESTS; i++)
		if (trial_name_is(fake->guest[i].name, run))
			texts_add(runs, arena_text(arena, run), arena, e);
	return RC_OK;
}

static enum rc fake_end_all(
	const char *uri, const char *run, unsigned *count, struct err *e)
{
	char its[SCRATCH_RUN_MAX + 1];

	(void)uri;
	*count = 0;
	if (step("end_all", e) != RC_OK)
		return e->code;
	for (int i = 0; i < GUESTS; i++)
		if (trial_name_is(fake->guest[i].name, its) && strcmp(its, run) == 0) {
			fake->guest[i].name[0] = '\0';
			++*count;
		}
	return RC_OK;
}

static const struct guest_calls fake_calls = { fake_open, fake_close, fake_start,
	fake_look, fake_monitor, fake_peek, fake_resume, fake_suspend, fake_end,
	fake_runs, fake_end_all };

static const struct trial_ways ways = {
	.calls = &fake_calls, .pulse_ms = 150, .guard_pause_ms = 10
};

/* ---- a dialogue about them */

static void open_trials(struct talk *t)
{
	*fake = (struct fake){ .peer = getpid() };
	open_talk(t);
	assert_int_equal(mkdir(arena_format(&t->arena, "%s/var", t->root), 0755), 0);
	assert_int_equal(mkdir(arena_format(&t->arena, "%s/var/tmp", t->root), 01777), 0);
	assert_int_equal(chmod(arena_format(&t->arena, "%s/var/tmp", t->root), 01777), 0);
	t->serve.trials = &ways;
	say_hello(t);
}

static void say_try(struct talk *t, const char *guest, bool runs, bool stays)
{
	struct try ask = { .run = run_name,
		.guest = guest,
		.virt_type = "kvm",
		.cpu = cpu,
		.runs = runs,
		.stays = stays };

	say(t, MESSAGE_try, &ask);
}

static void say_meet(struct talk *t, const char *guest, bool runs)
{
	struct meet ask = { run_name, guest, runs };

	say(t, MESSAGE_meet, &ask);
}

static void say_dismiss(struct talk *t)
{
	struct dismiss ask = { run_name };

	say(t, MESSAGE_dismiss, &ask);
}

/* Also the guard is gone. */
static void nothing_is_left(struct talk *t)
{
	assert_int_equal(guests(), 0);
	assert_int_equal(rmdir(arena_format(&t->arena, "%s/var/tmp", t->root)), 0);
	assert_int_equal(mkdir(arena_format(&t->arena, "%s/var/tmp", t->root), 01777), 0);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
	assert_int_equal(errno, ECHILD);
}

/* ---- as it should be */

static void a_paused_guest_is_looked_at_and_gone_before_the_answer(void **state)
{
	const struct tried *tried;
	struct talk t;

	(void)state;
	open_trials(&t);
	say_try(&t, "trial", false, false);
	run(&t);
	assert_rc(t.end, RC_OK, &t.e);
	hear(&t, MESSAGE_welcome);
	tried = hear(&t, MESSAGE_tried);
	assert_true(tried->started);
	assert_string_equal(
		tried->name, "cpuherd-0123456789abcdef0123456789abcdef-trial");
	assert_string_equal(tried->machine, "pc-i440fx-7.2");
	assert_string_equal(tried->cpu, "<cpu check='full'><model>Penryn</model></cpu>");
	assert_int_equal(tried->words.count, 1);
	assert_int_equal(((const struct cpu_word *)tried->words.item)->value, 7);
	assert_int_equal(tried->properties.count, 1);
	assert_string_equal(tried->gap, "");
	assert_string_equal(tried->why, "");
	assert_false(tried->alive);
	assert_int_equal(tried->left.count, 0);
	assert_string_equal(
		fake->log, " open runs start look ask ask ask ask end end_all");
	nothing_is_left(&t);
	close_talk(&t);
}

static void a_guest_that_runs_is_alive_and_stays_until_it_is_dismissed(void **state)
{
	const struct tried *tried;
	const struct met *met;
	uint64_t boot;
	const struct dismissed *dismissed;
	struct talk t;

	(void)state;
	open_trials(&t);
	say_try(&t, "g1", true, true);
	say_meet(&t, "g1", true);
	say_dismiss(&t);
	say_meet(&t, "g1", true);
	run(&t);
	assert_rc(t.end, RC_OK, &t.e);
	hear(&t, MESSAGE_welcome);
	tried = hear(&t, MESSAGE_tried);
	assert_true(tried->alive);
	assert_string_equal(tried->why, "");
	assert_int_equal(tried->count, 3);
	assert_int_equal(tried->leaves.count, 1);
	assert_int_equal(((const struct leaf *)tried->leaves.item)->edx, 4);
	boot = tried->boot;
	assert_int_not_equal(boot, 0);
	met = hear(&t, MESSAGE_met);
	assert_int_equal(met->count, 6);
	assert_int_equal(met->boot, boot);
	dismissed = hear(&t, MESSAGE_dismissed);
	assert_int_equal(dismissed->guests, 1);
	assert_int_equal(dismissed->left.count, 0);
	assert_false(((const struct met *)hear(&t, MESSAGE_met))->present);
	nothing_is_left(&t);
	close_talk(&t);
}

static void a_guest_that_stays_ends_with_the_dialogue(void **state)
{
	struct talk t;

	(void)state;
	open_trials(&t);
	say_try(&t, "g1", false, true);
	run(&t);
	assert_rc(t.end, RC_OK, &t.e);
	hear(&t, MESSAGE_welcome);
	assert_true(((const struct tried *)hear(&t, MESSAGE_tried))->started);
	nothing_is_left(&t);
	close_talk(&t);
}

static void a_violation_ends_the_guests_as_well(void **state)
{
	struct talk t;

	(void)state;
	open_trials(&t);
	say_try(&t, "g1", false, true);
	say_hello(&t);
	run(&t);
	assert_rc(t.end, RC_PROTOCOL, &t.e);
	nothing_is_left(&t);
	close_talk(&t);
}

static void libvirts_no_is_an_answer(void **state)
{
	const struct tried *tried;
	struct talk t;

	(void)state;
	open_trials(&t);
	fake->refuses = true;
	say_try(&t, "trial", true, false);
	run(&t);
	hear(&t, MESSAGE_welcome);
	tried = hear(&t, MESSAGE_tried);
	assert_false(tried->started);
	assert_int_equal(tried->features.count, 1);
	assert_string_equal(tried->features.item[0], "avx");
	assert_string_equal(tried->reason, "missing: avx");
	nothing_is_left(&t);
	close_talk(&t);
}

static void two_guests_of_a_run_are_two(void **state)
{
	struct talk t;

	(void)state;
	open_trials(&t);
	say_try(&t, "g1", false, true);
	say_try(&t, "g2", false, false);
	say_dismiss(&t);
	run(&t);
	hear(&t, MESSAGE_welcome);
	hear(&t, MESSAGE_tried);
	hear(&t, MESSAGE_tried);
	assert_int_equal(
		((const struct dismissed *)hear(&t, MESSAGE_dismissed))->guests, 1);
	nothing_is_left(&t);
	close_talk(&t);
}

/* ---- guests that do not live */

/* A try that runs; the why of its answer. */
static const char *why_not(struct talk *t)
{
	const struct tried *tried;

	say_try(t, "trial", true, true);
	run(t);
	hear(t, MESSAGE_welcome);
	tried = hear(t, MESSAGE_tried);
	assert_true(tried->started);
	assert_false(tried->alive);
	nothing_is_left(t);
	return tried->why;
}

static void a_kernel_that_does_not_begin_is_paused_and_told(void **state)
{
	struct talk t;

	(void)state;
	open_trials(&t);
	fake->mute = true;
	assert_contains(why_not(&t), "did not begin to count");
	assert_non_null(strstr(fake->log, "suspend"));
	close_talk(&t);
}

static void a_reboot_is_no_life(void **state)
{
	struct talk t;

	(void)state;
	open_trials(&t);
	fake->reboots = true;
	assert_contains(why_not(&t), "stands still");
	close_talk(&t);
}

/* One count more says that a walk over CPUID ended, not that it began here. */
static void leaves_of_a_walk_that_may_have_begun_elsewhere_are_not_believed(void **state)
{
	struct talk t;

	(void)state;
	open_trials(&t);
	fake->stops_at = 2;
	assert_contains(why_not(&t), "stands still");
	close_talk(&t);
}

/* Or it would stay for as long as it takes to answer nobody. */
static void nobody_looks_at_a_guest_for_a_coordinator_that_has_gone(void **state)
{
	struct arena arena = { 0 };
	struct trial_life life;
	struct trial_sight sight;
	struct talk t;
	struct err e;
	int ends[2];

	(void)state;
	open_trials(&t);
	assert_int_equal(pipe(ends), 0);
	assert_false(stream_has_ended(ends[0]));
	close(ends[1]);
	assert_true(stream_has_ended(ends[0]));
	{
		const struct trial_eye eye = { &fake_calls, &the_link, "x", ends[0] };

		assert_rc(trial_wait(&eye, 1000, &arena, &life, &e), RC_INTERRUPTED, &e);
		strcpy(fake->guest[0].name, "x");
		assert_rc(trial_look(&eye, &arena, &sight, &e), RC_INTERRUPTED, &e);
		fake->guest[0].name[0] = '\0';
	}
	close(ends[0]);
	arena_destroy(&arena);
	close_talk(&t);
}

static void a_guest_that_ends_by_itself_is_told(void **state)
{
	struct talk t;

	(void)state;
	open_trials(&t);
	fake->ends = true;
	assert_contains(why_not(&t), "ended by itself");
	close_talk(&t);
}

/* ---- guests that come */

static void who_is_met_is_told_as_it_is(void **state)
{
	const struct met *met;
	struct talk t;

	(void)state;
	open_trials(&t);
	add(arena_format(&t.arena, "cpuherd-%s-g7", other_run), true, true);
	say_meet(&t, "g7", true);
	say_try(&t, "g8", false, true);
	say_meet(&t, "g8", true);
	say_meet(&t, "g8", false);
	run(&t);
	hear(&t, MESSAGE_welcome);
	met = hear(&t, MESSAGE_met);
	assert_false(met->present);
	assert_string_equal(met->state, "");
	hear(&t, MESSAGE_tried);
	met = hear(&t, MESSAGE_met);
	assert_true(met->present);
	assert_string_equal(met->state, "paused");
	assert_contains(met->why, "paused");
	met = hear(&t, MESSAGE_met);
	assert_string_equal(met->why, "");
	assert_int_equal(met->words.count, 1);
	nothing_is_left(&t);
	close_talk(&t);
}

/* ---- hostile coordinators, hostile QEMUs */

static void odd_requests_are_refused_and_start_nothing(void **state)
{
	struct try asks[] = { { .run = "../../etc", .guest = "g", .virt_type = "kvm" },
		{ .run = run_name, .guest = "a/b", .virt_type = "kvm" },
		{ .run = run_name, .guest = "g", .virt_type = "xen" },
		{ .run = run_name, .guest = "g", .virt_type = "kvm" } };
	struct dismiss dismiss = { "*" };
	struct talk t;

	(void)state;
	open_trials(&t);
	asks[3].cpu = "<cpu/><devices/>";
	for (size_t i = 0; i < sizeof(asks) / sizeof(asks[0]); i++)
		say(&t, MESSAGE_try, &asks[i]);
	say(&t, MESSAGE_dismiss, &dismiss);
	run(&t);
	assert_rc(t.end, RC_OK, &t.e);
	hear(&t, MESSAGE_welcome);
	for (size_t i = 0; i <= sizeof(asks) / sizeof(asks[0]); i++)
		hear_failure(&t, "PROTOCOL");
	assert_null(strstr(fake->log, "start"));
	nothing_is_left(&t);
	close_talk(&t);
}

/* As a user has it whom libvirt lets start guests, but not look into its logs. */
static void logs_that_cannot_be_seen_are_named_where_a_guest_ran(void **state)
{
	struct talk t;
	const char *logs;

	(void)state;
	open_trials(&t);
	logs = arena_format(&t.arena, "%s/var/log", t.root);
	test_write_file(logs, "no folder");
	t.serve.trials = &ways;
	fake->fail_at = 2; /* before the guest */
	say_try(&t, "trial", false, false);
	say_meet(&t, "g1", false);
	say_dismiss(&t);
	say_try(&t, "trial", false, false);
	run(&t);
	hear(&t, MESSAGE_welcome);
	hear_failure(&t, "LIBVIRT");
	hear(&t, MESSAGE_met);
	assert_int_equal(
		((const struct dismissed *)hear(&t, MESSAGE_dismissed))->left.count, 1);
	assert_int_equal(((const struct tried *)hear(&t, MESSAGE_tried))->left.count, 1);
	nothing_is_left(&t);
	close_talk(&t);
}

static void a_guest_is_sent_only_where_its_run_has_begun(void **state)
{
	struct migrate ask = { .run = run_name,
		.guest = "g1",
		.uri = "qemu+tcp://node02/system",
		.data_uri = "",
		.listen = "",
		.limit_s = 5 };
	struct talk t;

	(void)state;
	open_trials(&t);
	say(&t, MESSAGE_migrate, &ask);
	say_try(&t, "g1", false, true);
	ask.run = other_run;
	say(&t, MESSAGE_migrate, &ask);
	run(&t);
	hear(&t, MESSAGE_welcome);
	hear_failure(&t, "PROTOCOL");
	hear(&t, MESSAGE_tried);
	hear_failure(&t, "PROTOCOL");
	nothing_is_left(&t);
	close_talk(&t);
}

static void no_dialogue_has_more_guests_than_its_share(void **state)
{
	struct talk t;

	(void)state;
	open_trials(&t);
	for (int i = 0; i < TRIAL_GUESTS_STAY; i++)
		say_try(&t, arena_format(&t.arena, "g%d", i), false, true);
	say_try(&t, "more", false, true);
	say_dismiss(&t);
	say_try(&t, "g0", false, true);
	run(&t);
	hear(&t, MESSAGE_welcome);
	for (int i = 0; i < TRIAL_GUESTS_STAY; i++)
		hear(&t, MESSAGE_tried);
	hear_failure(&t, "LIMIT");
	assert_int_equal(((const struct dismissed *)hear(&t, MESSAGE_dismissed))->guests,
		TRIAL_GUESTS_STAY);
	hear(&t, MESSAGE_tried);
	nothing_is_left(&t);
	close_talk(&t);
}

static void one_run_at_a_time(void **state)
{
	struct meet other = { other_run, "g", false };
	struct talk t;

	(void)state;
	open_trials(&t);
	say_try(&t, "g1", false, true);
	say(&t, MESSAGE_meet, &other);
	run(&t);
	hear(&t, MESSAGE_welcome);
	hear(&t, MESSAGE_tried);
	hear_failure(&t, "PROTOCOL");
	nothing_is_left(&t);
	close_talk(&t);
}

static void what_qemu_does_not_tell_is_a_gap(void **state)
{
	static const char *const answers[] = { "", "{", "{\"return\":[]}",
		"{\"error\":{\"desc\":\"The command is not known\"}}",
		"{\"return\":[{\"cpu-index\":0,\"qom-path\":\"/x\"}]}" };
	struct talk t;

	(void)state;
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++) {
		const struct tried *tried;

		open_trials(&t);
		fake->tells = answers[i];
		say_try(&t, "trial", false, false);
		run(&t);
		hear(&t, MESSAGE_welcome);
		tried = hear(&t, MESSAGE_tried);
		assert_true(tried->started);
		assert_string_not_equal(tried->gap, "");
		nothing_is_left(&t);
		close_talk(&t);
	}
}

/* ---- trouble at each call */

static void say_whole_life(struct talk *t)
{
	say_try(t, "trial", false, false);
	say_try(t, "g1", true, true);
	say_meet(t, "g1", true);
	say_dismiss(t);
}

/* The calls of a whole life without trouble. */
static int count_calls(void)
{
	struct talk t;
	int calls;

	open_trials(&t);
	say_whole_life(&t);
	run(&t);
	assert_rc(t.end, RC_OK, &t.e);
	nothing_is_left(&t);
	close_talk(&t);
	calls = fake->calls;
	assert_true(calls > 20);
	return calls;
}

static void whichever_call_fails_no_guest_stays(void **state)
{
	int calls = count_calls();

	(void)state;
	for (int at = 1; at <= calls; at++) {
		struct talk t;

		print_message("call %d fails\n", at);
		open_trials(&t);
		fake->fail_at = at;
		say_whole_life(&t);
		run(&t);
		assert_rc(t.end, RC_OK, &t.e);
		assert_true(fake->calls >= at);
		nothing_is_left(&t);
		close_talk(&t);
	}
}

/* The guard has no parent but init, or whoever reaps here: it is known by what it does. */
static bool is_clean(struct talk *t)
{
	const char *folder = arena_format(&t->arena, "%s/var/tmp", t->root);

	return guests() == 0 && rmdir(folder) == 0 && mkdir(folder, 01777) == 0;
}

static void wait_until_clean(struct talk *t)
{
	for (int i = 0; i < 500 && !is_clean(t); i++)
		usleep(10000);
	nothing_is_left(t);
}

static int run_in_child(struct talk *t)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		fake->peer = getpid();
		run(t);
		_exit(t->end == RC_OK ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	return status;
}

static void whenever_the_peer_is_killed_no_guest_stays(void **state)
{
	int calls = count_calls();

	(void)state;
	for (int at = 1; at <= calls; at++) {
		struct talk t;
		int status;

		print_message("killed before call %d\n", at);
		open_trials(&t);
		fake->die_at = at;
		say_whole_life(&t);
		status = run_in_child(&t);
		assert_true(WIFSIGNALED(status));
		wait_until_clean(&t);
		close_talk(&t);
	}
}

static void a_libvirt_that_hangs_leaves_no_guest(void **state)
{
	struct talk t;
	int status;

	(void)state;
	open_trials(&t);
	fake->hangs = true;
	t.serve.limit_s = 1;
	say_try(&t, "g1", false, true);
	status = run_in_child(&t);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), rc_exit_status(RC_TIMEOUT));
	wait_until_clean(&t);
	close_talk(&t);
}

/* ---- what dead runs left */

static void guests_of_dead_runs_are_swept_and_no_others(void **state)
{
	struct place_world world;
	struct scratch alive = { 0 };
	struct texts left = { 0 };
	struct talk t;

	(void)state;
	open_trials(&t);
	world = (struct place_world){ .root = t.root };
	add(arena_format(&t.arena, "cpuherd-%s-g1", other_run), true, true);
	add("cpuherd-00112233445566778899aabbccddeeff-g2", true, true);
	add("cpuherd-database", true, true);
	assert_rc(scratch_make(&alive, &world, other_run, &t.e), RC_OK, &t.e);
	say_try(&t, "trial", false, false);
	run(&t);
	assert_rc(t.end, RC_OK, &t.e);
	assert_int_equal(guests(), 2);
	assert_non_null(find("cpuherd-database"));
	assert_non_null(find(arena_format(&t.arena, "cpuherd-%s-g1", other_run)));
	scratch_abandon(&alive);
	assert_rc(scratch_adopt(&alive, &world, other_run, &t.e), RC_OK, &t.e);
	scratch_abandon(&alive);
	say_try(&t, "trial", false, false);
	run(&t);
	assert_int_equal(guests(), 1);
	find("cpuherd-database")->name[0] = '\0';
	nothing_is_left(&t);
	scratch_remove(&alive, &t.arena, &left);
	close_talk(&t);
}

static void a_run_that_is_at_work_elsewhere_is_not_begun_again(void **state)
{
	struct place_world world;
	struct scratch alive = { 0 };
	struct texts left = { 0 };
	struct talk t;

	(void)state;
	open_trials(&t);
	world = (struct place_world){ .root = t.root };
	assert_rc(scratch_make(&alive, &world, run_name, &t.e), RC_OK, &t.e);
	say_try(&t, "trial", false, false);
	run(&t);
	hear(&t, MESSAGE_welcome);
	hear_failure(&t, "CONFLICT");
	scratch_remove(&alive, &t.arena, &left);
	nothing_is_left(&t);
	close_talk(&t);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_paused_guest_is_looked_at_and_gone_before_the_answer),
		cmocka_unit_test(
			a_guest_that_runs_is_alive_and_stays_until_it_is_dismissed),
		cmocka_unit_test(a_guest_that_stays_ends_with_the_dialogue),
		cmocka_unit_test(a_violation_ends_the_guests_as_well),
		cmocka_unit_test(libvirts_no_is_an_answer),
		cmocka_unit_test(two_guests_of_a_run_are_two),
		cmocka_unit_test(a_kernel_that_does_not_begin_is_paused_and_told),
		cmocka_unit_test(a_reboot_is_no_life),
		cmocka_unit_test(nobody_looks_at_a_guest_for_a_coordinator_that_has_gone),
		cmocka_unit_test(
			leaves_of_a_walk_that_may_have_begun_elsewhere_are_not_believed),
		cmocka_unit_test(a_guest_that_ends_by_itself_is_told),
		cmocka_unit_test(who_is_met_is_told_as_it_is),
		cmocka_unit_test(odd_requests_are_refused_and_start_nothing),
		cmocka_unit_test(logs_that_cannot_be_seen_are_named_where_a_guest_ran),
		cmocka_unit_test(a_guest_is_sent_only_where_its_run_has_begun),
		cmocka_unit_test(no_dialogue_has_more_guests_than_its_share),
		cmocka_unit_test(one_run_at_a_time),
		cmocka_unit_test(what_qemu_does_not_tell_is_a_gap),
		cmocka_unit_test(whichever_call_fails_no_guest_stays),
		cmocka_unit_test(whenever_the_peer_is_killed_no_guest_stays),
		cmocka_unit_test(a_libvirt_that_hangs_leaves_no_guest),
		cmocka_unit_test(guests_of_dead_runs_are_swept_and_no_others),
		cmocka_unit_test(a_run_that_is_at_work_elsewhere_is_not_begun_again),
	};

	test_filter(argc, argv);
	fake = mmap(NULL, sizeof(*fake), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (fake == MAP_FAILED)
		return 1;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
