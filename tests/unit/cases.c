/* Machine cases: each folder of tests/cases holds the facts of a fleet and the
 * level that must come out (level.xml) or the reason why none can (level.error).
 * A file `virt` names another virt type than kvm, a file `weakest` a source of offers
 * that is believed besides libvirt: kvm or raw; a file `options` holds "cross-vendor".
 * Where vendors differ, level.error has each vendor's own outcome as well.
 *
 *	unit_cases 'naples*'	runs some
 *	UPDATE=1 unit_cases	writes what comes out; review the diff
 */
#include <dirent.h>
#include <stdlib.h>
#include <unistd.h>

#include "coordinator/cpu/pools.h"
#include "coordinator/cpu/vendor.h"
#include "coordinator/render/libvirt.h"
#include "proto/dump.h"
#include "proto/limits.h"
#include "tests/support/test.h"

enum { NODES_MAX = 16, CASES_MAX = 200 };

struct fleet_case {
	const char *folder;
	struct arena arena;
	struct catalogue *catalogue;
	enum virt_type virt;
	enum offer_source weakest;
	struct node_facts facts[NODES_MAX];
	struct offer offers[NODES_MAX];
	size_t count;
	struct wishes wishes;
};

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Names in a folder that end so, sorted. */
static size_t list_folder(
	struct arena *arena, const char *folder, const char *suffix, const char **names)
{
	DIR *d = opendir(folder);
	struct dirent *entry;
	size_t n = 0;

	assert_non_null(d);
	while ((entry = readdir(d))) {
		size_t size = strlen(entry->d_name), end = strlen(suffix);

		if (entry->d_name[0] == '.' || size < end ||
			strcmp(entry->d_name + size - end, suffix) != 0)
			continue;
		assert_true(n < CASES_MAX);
		names[n++] = arena_text(arena, entry->d_name);
	}
	closedir(d);
	qsort(names, n, sizeof(names[0]), by_text);
	return n;
}

static const char *path_in(struct fleet_case *c, const char *name)
{
	return arena_format(&c->arena, "%s/cases/%s/%s", TESTS_DIR, c->folder, name);
}

/* An offer of a level can only be wrong about what KVM passes on if it claims more;
 * what QEMU and KVM give without the registers saying so is listed. */
static void assert_offer_is_within_kvm(struct fleet_case *c, const struct offer *o)
{
	struct bitset extra = bitset_minus(&o->features, &o->kvm);

	if (c->virt != VIRT_KVM || bitset_is_empty(&o->kvm))
		return;
	bitset_remove(&extra, (size_t)catalogue_find(c->catalogue, "hypervisor"));
	for (size_t bit = bitset_next(&extra, 0); bit < BITSET_BITS;
		bit = bitset_next(&extra, bit + 1))
		fail_msg("%s: %s is offered, KVM does not pass it on", o->node,
			catalogue_name(c->catalogue, bit));
}

static const char *level_text(struct fleet_case *c, const struct level *level)
{
	struct buf out = buf_with_cap(LIMIT_PLACE_BYTES);
	const char *text;
	struct err e;

	assert_rc(render_libvirt_cpu(&out, level, &e), RC_OK, &e);
	text = arena_text_n(&c->arena, buf_bytes(&out).data, buf_bytes(&out).size);
	buf_destroy(&out);
	return text;
}

/* Behind the refusal: what each vendor's nodes could have. */
static const char *with_pools(
	struct fleet_case *c, const struct conditions *within, const char *refusal)
{
	struct pool *pools;
	const char *text = refusal;
	size_t count;
	struct err e;

	assert_rc(
		pools_choose(within, &c->wishes, bitset_choose(NULL), &pools, &count, &e),
		RC_OK, &e);
	for (size_t i = 0; i < count; i++) {
		const struct pool *p = &pools[i];

		text = arena_format(
			&c->arena, "%s\n%s:", text, vendor_title(p->vendor, &c->arena));
		for (size_t n = 0; n < p->count; n++)
			text = arena_format(
				&c->arena, "%s %s", text, c->offers[p->node[n]].node);
		text = arena_format(&c->arena, "%s\n%s", text,
			p->why.code == RC_OK ? level_text(c, &p->level) : p->why.text);
	}
	return text;
}

/* The text that comes out: a level, or the error of the node or the fleet. */
static const char *outcome(struct fleet_case *c, bool *is_level)
{
	struct conditions within = { c->catalogue, c->facts, c->offers, c->count, c->virt,
		.arena = &c->arena };
	struct level level;
	struct err e;

	*is_level = false;
	assert_rc(conditions_begin(&within, &e), RC_OK, &e);
	if (conditions_choose(&within, &c->wishes, bitset_choose(NULL), &level, &e) !=
		RC_OK) {
		const char *text = arena_format(
			&c->arena, "%s: %s\n", rc_name(e.code), e.text);

		return vendor_is_one(c->offers, c->count, c->virt)
			       ? text
			       : with_pools(c, &within, text);
	}
	for (size_t i = 0; i < c->count; i++)
		assert_true(bitset_is_subset(&level.baseline, &c->offers[i].features));
	*is_level = true;
	return level_text(c, &level);
}

/* Reads the nodes; an error text when one has no offer, else NULL. */
static const char *load_offers(struct fleet_case *c)
{
	const char *names[CASES_MAX];
	size_t n = list_folder(&c->arena, path_in(c, ""), ".facts", names);

	assert_in_range(n, 1, NODES_MAX);
	for (size_t i = 0; i < n; i++) {
		const char *text = test_read_file(&c->arena, path_in(c, names[i]));
		struct bytes in = { (const uint8_t *)text, strlen(text) };
		struct node_facts *f = &c->facts[c->count];
		struct err e;

		assert_rc(dump_read(in, names[i], &c->arena, f, &e), RC_OK, &e);
		if (offer_from_facts(c->catalogue, f, c->virt, c->weakest, &c->arena,
			    &c->offers[c->count], &e) != RC_OK)
			return arena_format(&c->arena, "%s: %s: %s\n", names[i],
				rc_name(e.code), e.text);
		assert_offer_is_within_kvm(c, &c->offers[c->count++]);
	}
	offers_settle_floating(c->offers, c->count);
	return NULL;
}

static void reverse_nodes(struct fleet_case *c)
{
	for (size_t i = 0; i < c->count / 2; i++) {
		size_t k = c->count - 1 - i;
		struct offer offer = c->offers[i];
		struct node_facts facts = c->facts[i];

		c->offers[i] = c->offers[k];
		c->offers[k] = offer;
		c->facts[i] = c->facts[k];
		c->facts[k] = facts;
	}
}

static void show_difference(const char *path, const char *got, const char *folder)
{
	char command[4096];
	FILE *diff;

	snprintf(command, sizeof(command), "diff -u '%s' - >&2", path);
	fflush(NULL);
	diff = popen(command, "w");
	if (diff) {
		fputs(got, diff);
		pclose(diff);
	}
	fail_msg("%s differs; alone: unit_cases '%s', accept: UPDATE=1 unit_cases '%s'",
		path, folder, folder);
}

static void hold_against_file(struct fleet_case *c, const char *got, bool is_level)
{
	const char *path = path_in(c, is_level ? "level.xml" : "level.error");
	const char *other = path_in(c, is_level ? "level.error" : "level.xml");

	if (getenv("UPDATE")) {
		test_write_file(path, got);
		unlink(other);
		return;
	}
	if (access(path, R_OK) != 0)
		fail_msg(
			"%s: %s is missing; what came out is:\n%s", c->folder, path, got);
	if (access(other, F_OK) == 0)
		fail_msg("%s: there is %s as well, what came out is:\n%s", c->folder,
			other, got);
	if (strcmp(test_read_file(&c->arena, path), got) != 0)
		show_difference(path, got, c->folder);
}

/* The word in a file of the case; NULL when there is none. */
static char *word_of(struct fleet_case *c, const char *file)
{
	char *word;

	if (access(path_in(c, file), R_OK) != 0)
		return NULL;
	word = test_read_file(&c->arena, path_in(c, file));
	word[strcspn(word, "\n")] = '\0';
	return word;
}

static enum offer_source source_of(const char *word)
{
	assert_true(strcmp(word, "kvm") == 0 || strcmp(word, "raw") == 0);
	return word[0] == 'k' ? OFFER_KVM : OFFER_RAW;
}

static void run_case(void **state)
{
	struct fleet_case c = { .folder = *state };
	const char *got, *virt = word_of(&c, "virt"), *weakest = word_of(&c, "weakest");
	bool is_level = false;
	struct err e;

	c.catalogue = catalogue_new(&c.arena, &e);
	assert_non_null(c.catalogue);
	c.virt = virt ? virt_of(virt) : VIRT_KVM;
	c.weakest = weakest ? source_of(weakest) : OFFER_LIBVIRT;
	assert_true(c.virt < VIRT_COUNT);
	if (access(path_in(&c, "options"), R_OK) == 0) {
		assert_string_equal(test_read_file(&c.arena, path_in(&c, "options")),
			"cross-vendor\n");
		c.wishes.cross_vendor = true;
	}
	got = load_offers(&c);
	if (!got)
		got = outcome(&c, &is_level);
	hold_against_file(&c, got, is_level);
	if (is_level) {
		reverse_nodes(&c);
		assert_string_equal(outcome(&c, &is_level), got);
	}
	arena_destroy(&c.arena);
}

int main(int argc, char **argv)
{
	static struct CMUnitTest tests[CASES_MAX];
	struct arena arena = { 0 };
	const char *folders[CASES_MAX];
	size_t n, count = 0;
	int failed;

	test_filter(argc, argv);
	n = list_folder(&arena, TESTS_DIR "/cases", "", folders);
	for (size_t i = 0; i < n; i++)
		if (strcmp(folders[i], "machines") != 0)
			tests[count++] = (struct CMUnitTest){ folders[i], run_case, NULL,
				NULL, (void *)folders[i] };
	failed = _cmocka_run_group_tests("cases", tests, count, NULL, NULL);
	arena_destroy(&arena);
	return failed;
}
