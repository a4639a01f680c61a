/* The steps of a change of a domain, on a libvirt of our own with one domain in it. */
#include <fcntl.h>
#include <ftw.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "peer/change.h"
#include "peer/change_files.h"
#include "peer/libvirt_domain.h"
#include "tests/support/test.h"

#define UUID "c0ffee00-0000-4000-8000-000000000001"
#define DEFINITION(cpu, rest) \
	"<domain type='kvm'>\n  <os>\n    <type arch='x86_64' machine='pc'>hvm</type>\n" \
	"  </os>\n  " cpu "\n  <vnc passwd='secret'/>\n" rest "</domain>\n"

static const char old_text[] = DEFINITION("<cpu mode='host-model'/>", "");
static const char new_cpu[] = "<cpu>\n    <model>EPYC</model>\n  </cpu>\n";
static const char new_text[] = DEFINITION("<cpu>\n    <model>EPYC</model>\n  </cpu>", "");
static const char edited[] = DEFINITION("<cpu mode='host-model'/>", "  <title/>\n");
/* as a libvirt would keep what it was given, that has a form of its own */
static const char normal[] = DEFINITION("<cpu><model>EPYC</model></cpu>", "");

/* What that libvirt does when it is asked to define. */
enum way { OBEYS, HAS_ITS_FORM, REFUSES, FORGETS_MORE, TELLS_NOTHING };

/* Shared with the children that die in the middle of a step. */
static struct there {
	char text[1024];
	char asked[1024]; /* to define, last */
	bool exists, persistent;
	const char *live, *live_after;
	enum way way;
	int defined;
	int lives; /* calls of libvirt before the peer dies; -1: it does not */
} * shared;

#define there (*shared)

static void live_on(void)
{
	if (there.lives >= 0 && there.lives-- == 0)
		_exit(1);
}

static enum rc fake_read(const char *uri, const char *uuid, struct arena *arena,
	struct domain_now *out, struct err *e)
{
	(void)e;
	live_on();
	assert_string_equal(uri, "test");
	assert_string_equal(uuid, UUID);
	*out = (struct domain_now){ there.exists, there.persistent, there.live,
		arena_text(arena, there.text), there.live };
	return RC_OK;
}

static enum rc fake_define(
	const char *uri, const char *text, bool validate, struct err *e)
{
	(void)uri;
	live_on();
	strcpy(there.asked, text);
	if (there.way == REFUSES && validate)
		return err_set(e, RC_LIBVIRT, 27, "no such thing");
	there.defined++;
	strcpy(there.text, text);
	if (there.way == HAS_ITS_FORM && strcmp(text, new_text) == 0)
		strcpy(there.text, normal);
	if (there.way == FORGETS_MORE && validate)
		memcpy(strstr(there.text, "secret"), "public", 6);
	if (there.live_after && validate)
		there.live = there.live_after;
	live_on(); /* libvirt has it, and the peer never hears of it */
	return there.way == TELLS_NOTHING && validate
		       ? err_set(e, RC_LIBVIRT, 38, "connection lost")
		       : RC_OK;
}

static enum rc fake_judge(const char *uri, const struct domain_question *q,
	struct arena *arena, struct libvirt_verdict *out, struct err *e)
{
	(void)uri;
	(void)e;
	*out = (struct libvirt_verdict){ .reason = "" };
	out->accepted = !strstr(q->cpu, "Opteron");
	if (!out->accepted)
		out->reason = arena_format(arena, "%s of %s for %s", q->guest.machine,
			q->guest.arch, q->guest.virt_type);
	return RC_OK;
}

static const struct domain_calls fake = {
	.read = fake_read, .define = fake_define, .judge = fake_judge
};

struct ground {
	char folder[32];
	struct change_ground g;
	struct change wanted;
	struct digest expected;
	struct arena arena;
	struct change_state c;
	struct err e;
};

static struct change_state fresh(void)
{
	struct change_state c = { .place = PLACE_domain };

	strcpy(c.name, UUID);
	return c;
}

static int setup(void **state)
{
	struct ground *t = calloc(1, sizeof(*t));

	strcpy(t->folder, "/tmp/cpuherd-domain-XXXXXX");
	assert_non_null(mkdtemp(t->folder));
	t->g = (struct change_ground){ .uri = "test", .domains = &fake, .count = 1 };
	t->g.folder = open(t->folder, O_RDONLY | O_DIRECTORY);
	t->g.wanted = &t->wanted;
	t->expected = digest_of(old_text, strlen(old_text));
	t->wanted = (struct change){ PLACE_domain, UUID,
		{ (const uint8_t *)new_cpu, strlen(new_cpu) },
		{ t->expected.byte, DIGEST_BYTES }, "" };
	t->c = fresh();
	if (!shared)
		shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(shared, MAP_FAILED);
	memset(shared, 0, sizeof(*shared));
	strcpy(there.text, old_text);
	there.exists = there.persistent = true;
	there.lives = -1;
	*state = t;
	return 0;
}

static int remove_entry(const char *path, const struct stat *s, int type, struct FTW *ftw)
{
	(void)s;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int teardown(void **state)
{
	struct ground *t = *state;

	close(t->g.folder);
	nftw(t->folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
	arena_destroy(&t->arena);
	free(t);
	return 0;
}

static enum rc stage(struct ground *t)
{
	return change_domain.stage(&t->c, &t->g, &t->wanted, &t->arena, &t->e);
}

static enum rc commit(struct ground *t)
{
	return change_domain.commit(&t->c, &t->g, &t->arena, &t->e);
}

static bool revert(struct ground *t, enum rc wanted)
{
	bool changed;

	assert_rc(change_domain.revert(&t->c, &t->g, &changed, &t->e), wanted, &t->e);
	return changed;
}

/* As a peer has it that finds the run in the journal. */
static void be_reborn(struct ground *t)
{
	struct digest expected = t->c.expected;

	t->c = fresh();
	t->c.expected = expected;
	there.lives = -1;
}

static void assert_no_files(struct ground *t)
{
	test_run("test -z \"$(ls -A %s)\"", t->folder);
}

static void commit_writes_the_cpu_and_revert_every_byte(void **state)
{
	struct ground *t = *state;
	struct bytes content;

	assert_rc(stage(t), RC_OK, &t->e);
	assert_string_equal(there.text, old_text);
	assert_int_equal(there.defined, 0);
	assert_rc(commit(t), RC_OK, &t->e);
	assert_string_equal(there.text, new_text);
	assert_rc(change_domain.read_back(&t->c, &t->g, &t->arena, &content, &t->e),
		RC_OK, &t->e);
	assert_int_equal(content.size, strlen(new_cpu) - 1);
	assert_memory_equal(content.data, new_cpu, content.size);
	assert_true(revert(t, RC_OK));
	assert_string_equal(there.text, old_text);
	assert_no_files(t);
}

static void secrets_in_the_folder_of_the_run_are_for_its_owner(void **state)
{
	struct ground *t = *state;

	umask(0);
	assert_rc(stage(t), RC_OK, &t->e);
	assert_rc(commit(t), RC_OK, &t->e);
	test_run("test \"$(stat -c %%a %s/0.* | sort -u)\" = 600", t->folder);
	test_run("grep -q secret %s/0.old", t->folder);
}

static void each_step_may_come_twice(void **state)
{
	struct ground *t = *state;

	assert_rc(stage(t), RC_OK, &t->e);
	assert_rc(stage(t), RC_OK, &t->e);
	assert_rc(commit(t), RC_OK, &t->e);
	assert_rc(commit(t), RC_OK, &t->e);
	assert_int_equal(there.defined, 1);
	assert_rc(stage(t), RC_OK, &t->e); /* of a resumed run */
	assert_true(revert(t, RC_OK));
	assert_false(revert(t, RC_OK));
	assert_int_equal(there.defined, 2);
	assert_rc(change_domain.forget(&t->c, &t->g, &t->e), RC_OK, &t->e);
}

static void what_is_there_already_is_not_written(void **state)
{
	struct ground *t = *state;

	strcpy(there.text, new_text);
	t->expected = digest_of(new_text, strlen(new_text));
	assert_rc(stage(t), RC_OK, &t->e);
	assert_true(t->c.unchanged);
	assert_rc(commit(t), RC_OK, &t->e);
	assert_false(revert(t, RC_OK));
	assert_int_equal(there.defined, 0);
	assert_no_files(t);
}

static void an_edit_before_stage_or_commit_is_a_conflict_and_stays(void **state)
{
	struct ground *t = *state;

	assert_rc(stage(t), RC_OK, &t->e);
	strcpy(there.text, edited);
	assert_rc(commit(t), RC_CONFLICT, &t->e);
	revert(t, RC_OK);
	assert_string_equal(there.text, edited);
	assert_no_files(t);
	t->c = fresh();
	assert_rc(stage(t), RC_CONFLICT, &t->e);
	assert_int_equal(there.defined, 0);
}

static void an_edit_after_commit_is_not_thrown_away(void **state)
{
	struct ground *t = *state;

	assert_rc(stage(t), RC_OK, &t->e);
	assert_rc(commit(t), RC_OK, &t->e);
	strcpy(there.text, edited);
	revert(t, RC_PARTIAL);
	assert_contains(t->e.text, "somebody changed it");
	assert_string_equal(there.text, edited);
	test_run("test -e %s/0.old", t->folder);
	there.exists = false;
	revert(t, RC_PARTIAL);
	assert_contains(t->e.text, "undefined");
}

static void an_edit_before_keep_is_found(void **state)
{
	struct ground *t = *state;

	assert_rc(stage(t), RC_OK, &t->e);
	assert_rc(commit(t), RC_OK, &t->e);
	assert_rc(change_domain.confirm(&t->c, &t->g, &t->e), RC_OK, &t->e);
	strcpy(there.text, edited);
	assert_rc(change_domain.confirm(&t->c, &t->g, &t->e), RC_CONFLICT, &t->e);
}

static void what_is_looked_at_is_the_cpu_and_the_digest_of_all(void **state)
{
	struct ground *t = *state;
	struct spot spot = { PLACE_domain, UUID };
	struct found found;

	assert_rc(
		change_domain.look(&t->g, &spot, &t->arena, &found, &t->e), RC_OK, &t->e);
	assert_true(found.exists);
	assert_int_equal(found.content.size, strlen("<cpu mode='host-model'/>"));
	assert_true(digest_equals(&t->expected, found.digest));
	there.exists = false;
	assert_rc(
		change_domain.look(&t->g, &spot, &t->arena, &found, &t->e), RC_OK, &t->e);
	assert_false(found.exists);
	spot.name = "web1";
	assert_rc(change_domain.look(&t->g, &spot, &t->arena, &found, &t->e), RC_PLACE,
		&t->e);
}

static void a_definition_that_is_as_before_needs_nothing(void **state)
{
	struct ground *t = *state;

	assert_rc(stage(t), RC_OK, &t->e);
	assert_rc(commit(t), RC_OK, &t->e);
	strcpy(there.text, old_text); /* somebody put it back by hand */
	revert(t, RC_OK);
	assert_int_equal(there.defined, 1);
	assert_no_files(t);
}

static void a_libvirt_with_a_form_of_its_own_is_reverted_all_the_same(void **state)
{
	struct ground *t = *state;

	there.way = HAS_ITS_FORM;
	assert_rc(stage(t), RC_OK, &t->e);
	assert_rc(commit(t), RC_OK, &t->e);
	assert_string_equal(there.text, normal);
	be_reborn(t);
	assert_true(revert(t, RC_OK));
	assert_string_equal(there.text, old_text);
}

static void a_libvirt_that_changes_more_than_the_cpu_is_stopped(void **state)
{
	struct ground *t = *state;

	there.way = FORGETS_MORE;
	assert_rc(stage(t), RC_OK, &t->e);
	assert_rc(commit(t), RC_LIBVIRT, &t->e);
	assert_contains(t->e.text, "more of domain " UUID " than its CPU");
	assert_string_equal(there.text, old_text);
	revert(t, RC_OK);
	assert_string_equal(there.text, old_text);
}

static void a_definition_that_libvirt_refuses_changes_nothing(void **state)
{
	struct ground *t = *state;

	there.way = REFUSES;
	assert_rc(stage(t), RC_OK, &t->e);
	assert_rc(commit(t), RC_LIBVIRT, &t->e);
	assert_contains(t->e.text, "no such thing");
	revert(t, RC_OK);
	assert_int_equal(there.defined, 0);
	assert_no_files(t);
}

/* The old one is given back although libvirt would not take it today. */
static void what_libvirt_once_took_is_put_back_without_validation(void **state)
{
	struct ground *t = *state;

	assert_rc(stage(t), RC_OK, &t->e);
	assert_rc(commit(t), RC_OK, &t->e);
	there.way = REFUSES;
	assert_true(revert(t, RC_OK));
	assert_string_equal(there.text, old_text);
}

static void an_answer_that_was_lost_does_not_lose_the_way_back(void **state)
{
	struct ground *t = *state;

	there.way = TELLS_NOTHING;
	assert_rc(stage(t), RC_OK, &t->e);
	assert_rc(commit(t), RC_LIBVIRT, &t->e);
	assert_string_equal(there.text, new_text);
	assert_true(revert(t, RC_OK));
	assert_string_equal(there.text, old_text);
}

static void a_running_guest_must_not_notice(void **state)
{
	struct ground *t = *state;

	there.live = old_text;
	assert_rc(stage(t), RC_OK, &t->e);
	assert_rc(commit(t), RC_OK, &t->e);
	revert(t, RC_OK);
	there.live_after = new_text;
	t->c = fresh();
	assert_rc(stage(t), RC_OK, &t->e);
	assert_rc(commit(t), RC_LIBVIRT, &t->e);
	assert_string_equal(there.text, old_text);
}

static void a_domain_that_is_transient_or_gone_is_refused(void **state)
{
	struct ground *t = *state;

	there.persistent = false;
	assert_rc(stage(t), RC_TARGET, &t->e);
	there.exists = false;
	assert_rc(stage(t), RC_CONFLICT, &t->e);
	strcpy(t->c.name, "../passwd");
	assert_rc(stage(t), RC_PLACE, &t->e);
}

/* Runs the step in a peer that is killed at its call of libvirt number `lives`; another
 * one finds what is in the folder.  Did it die? */
static bool die_in(struct ground *t, enum rc (*step)(struct ground *t), int lives)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		there.lives = lives;
		_exit(step(t) == RC_OK ? 0 : 2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) <= 1);
	be_reborn(t);
	return WEXITSTATUS(status) == 1;
}

static void begin(struct ground *t)
{
	strcpy(there.text, old_text);
	t->c = fresh();
	assert_rc(stage(t), RC_OK, &t->e);
}

static void after_a_crash_anywhere_revert_gives_the_old_bytes(void **state)
{
	struct ground *t = *state;

	for (int form = OBEYS; form <= HAS_ITS_FORM; form++) {
		int lives = -1;

		there.way = (enum way)form;
		do {
			begin(t);
			lives++;
			if (!die_in(t, commit, lives))
				break;
			revert(t, RC_OK);
			assert_string_equal(there.text, old_text);
			assert_no_files(t);
		} while (true);
		assert_int_equal(lives, 4); /* look, be given it, have it, look again */
		revert(t, RC_OK);
	}
}

static void an_edit_after_a_crash_is_not_thrown_away(void **state)
{
	struct ground *t = *state;

	begin(t);
	assert_true(
		die_in(t, commit, 2)); /* libvirt has it; the peer never heard of it */
	strcpy(there.text, edited);
	revert(t, RC_PARTIAL);
	assert_string_equal(there.text, edited);
	assert_rc(commit(t), RC_CONFLICT, &t->e);
}

static void after_a_crash_anywhere_commit_goes_on(void **state)
{
	struct ground *t = *state;
	bool died = true;

	for (int lives = 0; died; lives++) {
		begin(t);
		died = die_in(t, commit, lives);
		assert_rc(stage(t), RC_OK, &t->e);
		assert_rc(commit(t), RC_OK, &t->e);
		assert_string_equal(there.text, new_text);
		revert(t, RC_OK);
	}
}

static enum rc only_revert(struct ground *t)
{
	bool changed;

	return change_domain.revert(&t->c, &t->g, &changed, &t->e);
}

static void a_revert_that_was_killed_is_done_again(void **state)
{
	struct ground *t = *state;
	bool died = true;

	for (int lives = 0; died; lives++) {
		begin(t);
		assert_rc(commit(t), RC_OK, &t->e);
		died = die_in(t, only_revert, lives);
		revert(t, RC_OK);
		assert_string_equal(there.text, old_text);
		assert_no_files(t);
	}
}

static void forget_leaves_the_new_definition_and_no_secret(void **state)
{
	struct ground *t = *state;

	assert_rc(stage(t), RC_OK, &t->e);
	assert_rc(commit(t), RC_OK, &t->e);
	be_reborn(t);
	assert_rc(change_domain.forget(&t->c, &t->g, &t->e), RC_OK, &t->e);
	assert_string_equal(there.text, new_text);
	assert_no_files(t);
	assert_false(revert(t, RC_OK));
	assert_string_equal(there.text, new_text);
}

static void the_node_judges_for_the_domains_own_guest(void **state)
{
	static const char bad[] = "<cpu><model>Opteron_G1</model></cpu>";
	struct ground *t = *state;
	struct change_judging j = { &t->g, &t->c, { (const uint8_t *)bad, strlen(bad) },
		false, &t->arena };
	struct change_verdict verdict;

	t->wanted.machine = "pc-7.2";
	assert_rc(change_judge_domain(&j, &verdict, &t->e), RC_OK, &t->e);
	assert_false(verdict.accepted);
	assert_string_equal(verdict.reason, "pc-7.2 of x86_64 for kvm");
	j.content = t->wanted.content;
	assert_rc(change_judge_domain(&j, &verdict, &t->e), RC_OK, &t->e);
	assert_true(verdict.accepted);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(int argc, char **argv)
{
	const struct CMUnitTest cases[] = {
		CASE(commit_writes_the_cpu_and_revert_every_byte),
		CASE(secrets_in_the_folder_of_the_run_are_for_its_owner),
		CASE(each_step_may_come_twice),
		CASE(what_is_there_already_is_not_written),
		CASE(an_edit_before_stage_or_commit_is_a_conflict_and_stays),
		CASE(an_edit_after_commit_is_not_thrown_away),
		CASE(an_edit_before_keep_is_found),
		CASE(what_is_looked_at_is_the_cpu_and_the_digest_of_all),
		CASE(a_definition_that_is_as_before_needs_nothing),
		CASE(a_libvirt_with_a_form_of_its_own_is_reverted_all_the_same),
		CASE(a_libvirt_that_changes_more_than_the_cpu_is_stopped),
		CASE(a_definition_that_libvirt_refuses_changes_nothing),
		CASE(what_libvirt_once_took_is_put_back_without_validation),
		CASE(an_answer_that_was_lost_does_not_lose_the_way_back),
		CASE(a_running_guest_must_not_notice),
		CASE(a_domain_that_is_transient_or_gone_is_refused),
		CASE(after_a_crash_anywhere_revert_gives_the_old_bytes),
		CASE(an_edit_after_a_crash_is_not_thrown_away),
		CASE(after_a_crash_anywhere_commit_goes_on),
		CASE(a_revert_that_was_killed_is_done_again),
		CASE(forget_leaves_the_new_definition_and_no_secret),
		CASE(the_node_judges_for_the_domains_own_guest),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(cases, NULL, NULL);
}
