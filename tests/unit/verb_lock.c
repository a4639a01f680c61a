/* What was agreed is kept: negotiate with a lock, check and admit, against a fleet that
 * changes by script. */
#include <jansson.h>

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "coordinator/lock/lock.h"
#include "coordinator/verb/verb.h"
#include "tests/support/fake_run.h"

static char folder[] = "/tmp/cpuherd-test-lock-XXXXXX";
static char *lock_path, *second_path;

/* ---- running */

/* `%s` of the words is the lock's path. */
static enum rc run_with_lock(const char *words, char **out, struct err *e)
{
	return run_verb(arena_format(&arena, words, lock_path, second_path), out, e);
}

static enum rc negotiate(char **out, struct err *e)
{
	return run_with_lock("negotiate --quiet --lock %s node[01-03]", out, e);
}

static enum rc check(char **out, struct err *e)
{
	return run_with_lock("check --quiet --lock %s", out, e);
}

static int fresh(void **state)
{
	all_well(state);
	unlink(lock_path);
	unlink(second_path);
	return 0;
}

static int begin(void **state)
{
	read_facts(state);
	assert_non_null(mkdtemp(folder));
	lock_path = arena_format(&arena, "%s/a.lock", folder);
	second_path = arena_format(&arena, "%s/b.lock", folder);
	return 0;
}

static int end(void **state)
{
	test_run("rm -rf %s", folder);
	return forget_facts(state);
}

static struct lock read_lock(void)
{
	struct lock lock;
	struct err e;
	bool found;

	assert_rc(lock_read(lock_path, &arena, &lock, &found, &e), RC_OK, &e);
	assert_true(found);
	return lock;
}

static void agree(void)
{
	struct err e = { 0 };

	assert_rc(negotiate(NULL, &e), RC_OK, &e);
}

/* The node's facts for the rest of the test: a copy to change. */
static struct node_facts *change_node(int node)
{
	struct node_facts *copy = arena_alloc(&arena, 1, sizeof(*copy));

	*copy = *fake_nodes[node].facts;
	fake_nodes[node].facts = copy;
	return copy;
}

static void assert_check(enum rc wanted, const char *says)
{
	struct err e = { 0 };
	char *out;

	assert_rc(check(&out, &e), wanted, &e);
	assert_contains(out, says);
}

/* Without one feature in what libvirt offers. */
static void take_feature(int node, const char *name)
{
	struct node_facts *f = change_node(node);
	char *text = arena_text(&arena, f->text[BODY_offer_kvm]), *at, *close;

	at = strstr(text, arena_format(&arena, "name='%s'", name));
	assert_non_null(at);
	while (*at != '<')
		at--;
	close = strstr(at, "/>") + 2;
	memmove(at, close, strlen(close) + 1);
	f->text[BODY_offer_kvm] = text;
}

/* ---- the lock is written */

static void a_run_that_holds_writes_a_lock_of_level_and_nodes(void **state)
{
	struct lock lock;

	(void)state;
	agree();
	lock = read_lock();
	assert_string_equal(lock.level.model, "Penryn");
	assert_int_equal(lock.node_count, 3);
	assert_int_equal(lock.class_count, 3);
	assert_int_equal(lock.writing_count, 1);
	assert_string_equal(lock.options[0].name, "level-name");
}

static void a_second_run_gives_the_same_bytes(void **state)
{
	char *first;

	(void)state;
	agree();
	first = test_read_file(&arena, lock_path);
	agree();
	assert_string_equal(test_read_file(&arena, lock_path), first);
}

static void a_dry_run_writes_no_lock_and_a_run_that_failed_neither(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_rc(run_with_lock(
			  "negotiate --quiet --dry-run --lock %s node[01-03]", NULL, &e),
		RC_OK, &e);
	assert_int_equal(access(lock_path, F_OK), -1);
	fake_nodes[1].rejects = true;
	assert_int_not_equal(negotiate(NULL, &e), RC_OK);
	assert_int_equal(access(lock_path, F_OK), -1);
}

static void the_lock_goes(size_t node, enum message_tag tag)
{
	if (node == 0 && tag == MESSAGE_forget)
		test_run("rm -rf %s/no", folder);
}

static void where_no_lock_can_be_written_no_node_is_asked(void **state)
{
	struct err e = { 0 };

	(void)state;
	assert_rc(run_verb(arena_format(&arena,
				   "negotiate --quiet --lock %s/no/a.lock node[01-03]",
				   folder),
			  NULL, &e),
		RC_OUTPUT, &e);
	assert_contains(e.text, "No such file or directory; --lock FILE names another");
	assert_int_equal(fake_nodes[0].asked[MESSAGE_ask_facts], 0);
	assert_null(fake_nodes[0].file);
}

static void a_lock_that_cannot_be_written_does_not_undo_the_run(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	test_run("mkdir %s/no", folder);
	fake_hook = the_lock_goes;
	assert_rc(run_verb(arena_format(&arena,
				   "negotiate --quiet --lock %s/no/a.lock node[01-03]",
				   folder),
			  &out, &e),
		RC_OUTPUT, &e);
	assert_contains(e.text, "the lock could not be written: ");
	assert_contains(e.text, "the run itself: 3 nodes agree on Penryn");
	assert_non_null(fake_nodes[0].file);
}

/* ---- the level stays */

static void nodes_that_could_do_better_keep_their_level(void **state)
{
	struct err e = { 0 };
	char *out, *file;

	(void)state;
	agree();
	file = arena_text(&arena, fake_nodes[0].file);
	fake_nodes[0].facts = &facts[2]; /* the Penryn became a Haswell */
	fake_nodes[1].facts = &facts[2];
	assert_rc(negotiate(&out, &e), RC_OK, &e);
	assert_string_equal(fake_nodes[0].file, file);
	assert_contains(out, "note (upgrade): all nodes offer more than the locked "
			     "level; --upgrade would add ");
	assert_contains(out, ": unchanged in ");
	assert_string_equal(read_lock().level.model, "Penryn");
}

static void upgrade_makes_a_new_level(void **state)
{
	struct err e = { 0 };

	(void)state;
	agree();
	fake_nodes[0].facts = fake_nodes[1].facts = &facts[2];
	assert_rc(run_with_lock(
			  "negotiate --quiet --upgrade --lock %s node[01-03]", NULL, &e),
		RC_OK, &e);
	assert_string_not_equal(read_lock().level.model, "Penryn");
	assert_contains(fake_nodes[0].file, "Haswell");
}

static void a_level_that_does_not_hold_any_more_is_refused_and_nothing_written(
	void **state)
{
	struct err e = { 0 };
	char *out, *before;

	(void)state;
	agree();
	before = test_read_file(&arena, lock_path);
	take_feature(1, "cx16");
	assert_rc(negotiate(&out, &e), RC_BROKEN, &e);
	assert_contains(e.text, "--upgrade makes a new level");
	assert_contains(out, "node02: the level of ");
	assert_contains(out, "does not hold: not offered: cx16");
	assert_int_equal(fake_nodes[0].writes, 1);
	assert_string_equal(test_read_file(&arena, lock_path), before);
}

static void a_vote_against_the_locked_level_is_refused(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	agree();
	fake_nodes[2].votes[0].feature = "cx16";
	assert_rc(negotiate(&out, &e), RC_BROKEN, &e);
	assert_contains(out, "its libvirt says no: guest CPU doesn't match");
	assert_int_equal(fake_nodes[0].writes, 1);
}

static void wishes_against_the_locked_level_need_upgrade(void **state)
{
	static const struct {
		const char *option, *says;
		enum rc rc;
	} wishes[] = {
		{ "--require avx2", "required: avx2: it has not", RC_LEVEL },
		{ "--without cx16", "--without cx16: it has", RC_LEVEL },
		{ "--model Haswell", "--model Haswell: it is Penryn", RC_LEVEL },
		{ "--at-least x86-64-v3", "avx2", RC_LEVEL },
		{ "--cross-vendor", "it is of one vendor", RC_LEVEL },
		{ "--virt-type qemu", "is for kvm guests", RC_USAGE },
		{ "--level-name other", "is about level baseline", RC_USAGE },
		{ "--drop node09", "does not have it", RC_USAGE },
		{ "--drop node01", "a node of this run as well", RC_USAGE },
	};

	(void)state;
	agree();
	for (size_t i = 0; i < sizeof(wishes) / sizeof(wishes[0]); i++) {
		struct err e = { 0 };
		const char *words = arena_format(&arena,
			"negotiate --quiet %s --lock %s node[01-03]", wishes[i].option,
			lock_path);

		assert_rc(run_verb(words, NULL, &e), wishes[i].rc, &e);
		assert_contains(e.text, wishes[i].says);
	}
	assert_int_equal(fake_nodes[0].asked[MESSAGE_ask_facts], 1);
}

static void wishes_that_the_locked_level_grants_are_granted(void **state)
{
	struct err e = { 0 };

	(void)state;
	agree();
	assert_rc(run_with_lock("negotiate --quiet --require cx16 --model Penryn "
				"--without avx2 --lock %s node[01-03]",
			  NULL, &e),
		RC_OK, &e);
}

/* ---- other nodes than the lock's */

static void a_run_on_one_node_does_not_forget_the_others(void **state)
{
	struct err e = { 0 };
	char *out, *before;

	(void)state;
	agree();
	before = test_read_file(&arena, lock_path);
	assert_rc(
		run_with_lock("negotiate --quiet --lock %s node01", &out, &e), RC_OK, &e);
	assert_string_equal(test_read_file(&arena, lock_path), before);
	assert_contains(out, "as they were: node02, node03");
	assert_rc(run_with_lock("negotiate --quiet --upgrade --lock %s node01", &out, &e),
		RC_USAGE, &e);
	assert_contains(e.text, "name node02, node03 as well");
}

static void what_the_lock_keeps_for_all_is_not_changed_on_some(void **state)
{
	struct err e = { 0 };
	char *before;

	(void)state;
	agree();
	before = test_read_file(&arena, lock_path);
	assert_rc(run_with_lock(
			  "negotiate --quiet --target nova --lock %s node01", NULL, &e),
		RC_USAGE, &e);
	assert_contains(e.text, "--target is not that of ");
	assert_contains(e.text, "name node02, node03 as well");
	assert_string_equal(test_read_file(&arena, lock_path), before);
	assert_int_equal(fake_nodes[0].asked[MESSAGE_look], 1); /* by agree() */
	assert_rc(run_with_lock(
			  "negotiate --quiet --target stanza --lock %s node01", NULL, &e),
		RC_OK, &e);
}

static void a_lock_that_is_empty_or_torn_says_what_to_do(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	test_run(": >%s", lock_path);
	assert_rc(check(&out, &e), RC_INPUT, &e);
	assert_contains(e.text, "a.lock: it is empty; take it from where it was kept");
	test_run("echo '<<<<<<< HEAD' >%s", lock_path);
	assert_rc(check(&out, &e), RC_INPUT, &e);
	assert_contains(e.text, "; take it from where it was kept");
}

static void nodes_come_into_the_lock_and_leave_it_by_word(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	assert_rc(run_with_lock("negotiate --quiet --lock %s node[01-02]", &out, &e),
		RC_OK, &e);
	assert_int_equal(read_lock().node_count, 2);
	assert_rc(run_with_lock("negotiate --quiet --lock %s node[01-03]", &out, &e),
		RC_OK, &e);
	assert_contains(out, "note (lock): new in ");
	assert_int_equal(read_lock().node_count, 3);
	assert_rc(run_with_lock("negotiate --quiet --drop node0[2-3] --lock %s node01",
			  &out, &e),
		RC_OK, &e);
	assert_int_equal(read_lock().node_count, 1);
	assert_int_equal(read_lock().class_count, 1);
}

/* ---- check */

static void nothing_changed_is_said_and_written_nothing(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	agree();
	assert_rc(check(&out, &e), RC_OK, &e);
	assert_contains(out, "3 nodes: 3 unchanged, 0 drifted, 0 broken, 0 unknown");
	for (int i = 0; i < NODES; i++) {
		assert_int_equal(fake_nodes[i].writes, 1);
		assert_int_equal(fake_nodes[i].asked[MESSAGE_stage], 1);
	}
}

static void each_change_is_told_by_name_with_both_values(void **state)
{
	static struct parameter nested_on = { "kvm_intel", "nested", "Y" };
	struct node_facts *f;

	(void)state;
	agree();
	f = change_node(0);
	f->small.microcode = "0x2f";
	assert_check(RC_DRIFTED, "note (microcode): now 0x2f: harmless: node01");
	f->small.kernel = "6.1.0-99";
	assert_check(RC_DRIFTED, "note (kernel): now 6.1.0-99: harmless: node01");
	f->small.cmdline = "quiet nosmt";
	assert_check(RC_DRIFTED, "(command line): now quiet nosmt: harmless: node01");
	f->small.parameters = (struct list){ &nested_on, 1 };
	assert_check(
		RC_DRIFTED, "(kvm parameter): now kvm_intel.nested=Y: harmless: node01");
	f->small.host_uuid = "4c4c4544-0000-1000-8000-000000000000";
	assert_check(RC_DRIFTED, "(machine): now 4c4c4544");
	f->small.libvirt_version = 9001000;
	assert_check(RC_DRIFTED, "(libvirt): 9.0.0 -> 9.1.0: harmless: node01");
	f->small.hypervisor_version = 7003000;
	assert_check(RC_DRIFTED, "(qemu): 7.2.22 -> 7.3.0: harmless: node01");
}

static void features_that_are_gone_break_the_level_with_their_likely_cause(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	agree();
	take_feature(2, "cx16");
	change_node(2)->small.microcode = "0x30";
	assert_rc(check(&out, &e), RC_BROKEN, &e);
	assert_contains(e.text, "1 of 3 nodes cannot keep the level (node03)");
	assert_contains(out, "node03: not offered: cx16; likely cause: microcode now "
			     "0x30");
	assert_contains(out, "2 unchanged, 0 drifted, 1 broken");
}

static void features_beyond_the_level_may_come_and_go(void **state)
{
	(void)state;
	agree();
	take_feature(2, "avx2");
	assert_check(RC_DRIFTED, "(features): no longer avx2: harmless: node03");
}

/* The same laptop twice: libvirt's test data from before and after a microcode. */
static void a_real_change_of_microcode_is_harmless_forward_and_breaks_it_backward(
	void **state)
{
	static struct node_facts old, new;
	struct err e = { 0 };
	char *out;

	(void)state;
	read_node("broadwell-two-microcodes/node01", &old);
	read_node("broadwell-two-microcodes/node02", &new);
	old.small.microcode = "0x1f";
	new.small.microcode = "0x2d";
	for (int i = 0; i < NODES; i++)
		fake_nodes[i].facts = &old;
	agree();
	fake_nodes[1].facts = &new;
	assert_rc(check(&out, &e), RC_DRIFTED, &e);
	assert_contains(out, "note (microcode): 0x1f -> 0x2d: harmless: node02");
	assert_contains(out, "(features): now ");
	assert_null(strstr(out, "(silicon)")); /* the microcode explains the registers */
	fake_nodes[0].facts = fake_nodes[1].facts = fake_nodes[2].facts = &new;
	assert_rc(run_with_lock(
			  "negotiate --quiet --upgrade --lock %s node[01-03]", NULL, &e),
		RC_OK, &e);
	fake_nodes[2].facts = &old;
	assert_rc(check(&out, &e), RC_BROKEN, &e);
	assert_contains(out, "likely cause: microcode 0x2d -> 0x1f");
	assert_contains(out, "spec-ctrl");
}

static void a_place_that_was_edited_or_emptied_is_drift(void **state)
{
	(void)state;
	agree();
	fake_nodes[0].file = NULL;
	assert_check(RC_DRIFTED,
		"warning (config): /etc/libvirt/cpuherd/baseline.xml is missing: running "
		"guests still migrate; new ones may get another CPU: node01");
	fake_nodes[1].file = arena_text(&arena, "<cpu/>\n");
	assert_check(RC_DRIFTED, "baseline.xml is edited: running guests");
}

static void a_node_that_is_gone_leaves_it_open_and_a_broken_one_goes_first(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	agree();
	fake_nodes[1].unreachable = RC_UNREACHABLE;
	assert_rc(check(&out, &e), RC_UNKNOWN, &e);
	assert_contains(out, "node02: no way there");
	assert_contains(out, "2 unchanged, 0 drifted, 0 broken, 1 unknown");
	take_feature(2, "cx16");
	assert_rc(check(&out, &e), RC_BROKEN, &e);
}

static void a_libvirt_that_says_no_breaks_it_and_one_that_is_silent_does_not(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	agree();
	fake_nodes[0].votes[0].feature = "cx16";
	assert_rc(check(&out, &e), RC_BROKEN, &e);
	assert_contains(out, "node01: its libvirt says no: ");
	fake_nodes[0].votes[0].feature = NULL;
	fake_nodes[0].ways[MESSAGE_propose] = FAKE_DIES;
	assert_rc(check(&out, &e), RC_UNKNOWN, &e);
}

/* KVM is there: only libvirt could not say what it offers. */
static void a_node_without_an_offer_is_unknown_and_one_without_kvm_is_broken(void **state)
{
	static struct gap gap = { "offer_kvm", "libvirt went away" };
	struct node_facts *f;
	struct err e = { 0 };
	char *out;

	(void)state;
	agree();
	f = change_node(0);
	f->present[BODY_offer_kvm] = false;
	f->small.gaps = (struct list){ &gap, 1 };
	assert_rc(check(&out, &e), RC_UNKNOWN, &e);
	f->present[BODY_domcaps_kvm] = f->present[BODY_kvm] = false;
	gap = (struct gap){ "kvm", "/dev/kvm: No such file" };
	assert_rc(check(&out, &e), RC_BROKEN, &e);
}

static void json_has_the_changes_of_each_node(void **state)
{
	struct err e = { 0 };
	json_t *root, *change;
	char *out;

	(void)state;
	agree();
	change_node(1)->small.kernel = "6.1.0-99";
	assert_rc(run_with_lock("check --quiet --json --lock %s", &out, &e), RC_DRIFTED,
		&e);
	root = json_loads(out, 0, NULL);
	assert_non_null(root);
	change = json_array_get(
		json_object_get(
			json_object_get(json_array_get(json_object_get(root, "nodes"), 1),
				"check"),
			"drift"),
		0);
	assert_string_equal(json_string_value(json_object_get(change, "what")), "kernel");
	assert_string_equal(json_string_value(json_object_get(change, "is")), "6.1.0-99");
	json_decref(root);
}

static void check_knows_its_nodes_and_no_others(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	assert_rc(check(&out, &e), RC_INPUT, &e);
	assert_contains(e.text, "there is no such lock");
	agree();
	assert_rc(run_with_lock("check --quiet --lock %s node01", &out, &e), RC_OK, &e);
	assert_contains(out, "1 node: 1 unchanged");
	assert_rc(
		run_with_lock("check --quiet --lock %s node09", &out, &e), RC_USAGE, &e);
	assert_contains(e.text, "node09 is not in ");
}

/* ---- admit */

static void a_node_that_offers_the_level_fits(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	assert_rc(run_with_lock("negotiate --quiet --lock %s node[01-02]", &out, &e),
		RC_OK, &e);
	assert_rc(run_with_lock("admit --quiet --lock %s node03", &out, &e), RC_OK, &e);
	assert_contains(out, "1 node: 1 fit, 0 do not, 0 unknown");
	assert_int_equal(read_lock().node_count, 2);
	assert_int_equal(fake_nodes[0].asked[MESSAGE_look], 1);
}

static void a_node_that_does_not_fit_is_told_what_the_level_would_lose(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	fake_nodes[0].facts = fake_nodes[1].facts = &facts[2];
	assert_rc(run_with_lock("negotiate --quiet --lock %s node[01-02]", &out, &e),
		RC_OK, &e);
	fake_nodes[0].facts = &facts[0];
	assert_rc(
		run_with_lock("admit --quiet --lock %s node01", &out, &e), RC_BROKEN, &e);
	assert_contains(out, "not offered: ");
	assert_contains(out, "with it the level would lose ");
	assert_contains(out, " and stand on Penryn");
}

static void of_several_locks_the_one_that_takes_the_node_is_named(void **state)
{
	static struct node_facts naples;
	struct err e = { 0 };
	char *out;

	(void)state;
	read_node("machines/naples-epyc-7601", &naples);
	assert_rc(run_with_lock("negotiate --quiet --lock %s node[01-02]", &out, &e),
		RC_OK, &e);
	fake_nodes[0].facts = &naples;
	assert_rc(run_verb(arena_format(&arena, "negotiate --quiet --lock %s node01",
				   second_path),
			  &out, &e),
		RC_OK, &e);
	fake_nodes[0].facts = &facts[2];
	fake_nodes[1].facts = &naples;
	assert_rc(
		run_with_lock("admit --quiet --lock %s --lock %s node[01-02]", &out, &e),
		RC_OK, &e);
	assert_contains(out, "a.lock: node01");
	assert_contains(out, "b.lock: node02");
	assert_rc(run_with_lock("admit --quiet --lock %s node[01-02]", &out, &e),
		RC_BROKEN, &e);
	assert_contains(out, "its CPU is of AMD, and guests of the level saw Intel");
	assert_contains(out, "with it there would be no level: CPU vendors differ");
}

static void a_node_that_cannot_be_asked_is_unknown(void **state)
{
	struct err e = { 0 };
	char *out;

	(void)state;
	agree();
	fake_nodes[0].unreachable = RC_TIMEOUT;
	assert_rc(run_with_lock("admit --quiet --lock %s node01", &out, &e), RC_UNKNOWN,
		&e);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup(name, fresh)
		TEST(a_run_that_holds_writes_a_lock_of_level_and_nodes),
		TEST(a_second_run_gives_the_same_bytes),
		TEST(a_dry_run_writes_no_lock_and_a_run_that_failed_neither),
		TEST(where_no_lock_can_be_written_no_node_is_asked),
		TEST(a_lock_that_cannot_be_written_does_not_undo_the_run),
		TEST(nodes_that_could_do_better_keep_their_level),
		TEST(upgrade_makes_a_new_level),
		TEST(a_level_that_does_not_hold_any_more_is_refused_and_nothing_written),
		TEST(a_vote_against_the_locked_level_is_refused),
		TEST(wishes_against_the_locked_level_need_upgrade),
		TEST(wishes_that_the_locked_level_grants_are_granted),
		TEST(a_run_on_one_node_does_not_forget_the_others),
		TEST(what_the_lock_keeps_for_all_is_not_changed_on_some),
		TEST(a_lock_that_is_empty_or_torn_says_what_to_do),
		TEST(nodes_come_into_the_lock_and_leave_it_by_word),
		TEST(nothing_changed_is_said_and_written_nothing),
		TEST(each_change_is_told_by_name_with_both_values),
		TEST(features_that_are_gone_break_the_level_with_their_likely_cause),
		TEST(features_beyond_the_level_may_come_and_go),
		TEST(a_real_change_of_microcode_is_harmless_forward_and_breaks_it_backward),
		TEST(a_place_that_was_edited_or_emptied_is_drift),
		TEST(a_node_that_is_gone_leaves_it_open_and_a_broken_one_goes_first),
		TEST(a_libvirt_that_says_no_breaks_it_and_one_that_is_silent_does_not),
		TEST(a_node_without_an_offer_is_unknown_and_one_without_kvm_is_broken),
		TEST(json_has_the_changes_of_each_node),
		TEST(check_knows_its_nodes_and_no_others),
		TEST(a_node_that_offers_the_level_fits),
		TEST(a_node_that_does_not_fit_is_told_what_the_level_would_lose),
		TEST(of_several_locks_the_one_that_takes_the_node_is_named),
		TEST(a_node_that_cannot_be_asked_is_unknown),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, begin, end);
}
