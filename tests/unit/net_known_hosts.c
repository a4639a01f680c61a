/* The index over known_hosts: it must say what a walk over all lines says. */
#include <ctype.h>
#include <stdlib.h>
#include <unistd.h>

#include "coordinator/net/base64.h"
#include "coordinator/net/known_hosts.h"
#include "coordinator/ssh/pattern.h"
#include "tests/support/known.h"
#include "tests/support/test.h"

#define KEY "AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
#define OTHER "AAAAC3NzaC1lZDI1NTE5AAAAIP8BAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"

static struct arena arena;
static uint8_t key_bytes[64];
static struct bytes key = { key_bytes, 0 };

struct warned {
	unsigned count, last;
};

static void count_warning(
	void *context, const char *name, unsigned number, const char *what)
{
	struct warned *w = context;

	assert_string_equal(name, "f");
	assert_true(*what);
	w->count++;
	w->last = number;
}

static struct known_hosts index_of(const char *text, size_t size, struct warned *w)
{
	struct known_hosts k;
	struct err e;

	known_hosts_init(&k, &arena, w ? count_warning : NULL, w);
	assert_rc(known_hosts_add(
			  &k, "f", (struct bytes){ (const uint8_t *)text, size }, &e),
		RC_OK, &e);
	return k;
}

static enum known_verdict check(struct known_hosts *k, const char *host, uint16_t port)
{
	char name[KNOWN_NAME_MAX], any_port[KNOWN_NAME_MAX];
	struct known_query q = { &k, 1, name, any_port };
	struct known_answer answer;
	struct err e;

	assert_true(known_name(host, port, name));
	assert_true(known_name(host, 22, any_port));
	assert_rc(known_hosts_check(&q, key, &answer, &e), RC_OK, &e);
	return answer.verdict;
}

static size_t types_of(struct known_hosts *k, const char *name, const char **types)
{
	struct known_query q = { &k, 1, name, name };
	struct err e;
	size_t count = 0;

	assert_rc(known_hosts_types(&q, types, &e), RC_OK, &e);
	while (types[count])
		count++;
	return count;
}

/* ---- lines */

static void a_bad_line_is_named_and_drops_nothing_else(void **state)
{
	static const char text[] = "# fine\n\nnode ssh-ed25519 " KEY "\nbad\n"
				   "b ssh-ed25519 AAAA\nc ssh-ed25519 " KEY "\n";
	struct warned w = { 0, 0 };
	struct known_hosts k = index_of(text, sizeof(text) - 1, &w);

	(void)state;
	assert_int_equal(w.count, 2);
	assert_int_equal(w.last, 5);
	assert_int_equal(k.count, 2);
	assert_int_equal(check(&k, "node", 22), KNOWN_YES);
	assert_int_equal(check(&k, "c", 22), KNOWN_YES);
}

/* No prefix of a line says anything but what its whole lines say. */
static void every_prefix_of_a_file_is_harmless(void **state)
{
	static const char text[] = "@revoked {} ssh-ed25519 " OTHER "\n"
				   "|1|AAAAAAAAAAAAAAAAAAAAAAAAAAA=|"
				   "AAAAAAAAAAAAAAAAAAAAAAAAAAA= ssh-ed25519 " KEY "\n";

	(void)state;
	for (size_t n = 0; n < sizeof(text); n++) {
		struct warned w = { 0, 0 };
		struct known_hosts k = index_of(text, n, &w);

		assert_true(k.count <= 2);
		assert_int_equal(check(&k, "node", 22), KNOWN_NOT);
	}
}

static void a_pattern_of_many_stars_takes_no_time(void **state)
{
	char text[1024] = "", host[128];
	struct known_hosts k;

	(void)state;
	for (int i = 0; i < 60; i++)
		strcat(text, "*a");
	strcat(text, "b ssh-ed25519 " KEY "\n");
	memset(host, 'a', sizeof(host));
	host[127] = '\0';
	k = index_of(text, strlen(text), NULL);
	alarm(5);
	assert_int_equal(check(&k, host, 22), KNOWN_NOT);
	alarm(0);
}

static void known_types_are_listed_once(void **state)
{
	static const char text[] = "node ssh-ed25519 " KEY "\nnode ssh-ed25519 " OTHER
				   "\n"
				   "@revoked node ssh-ed25519 " KEY
				   "\nother ssh-ed25519 " KEY "\n";
	const char *types[KNOWN_TYPES_MAX + 1];
	struct known_hosts k = index_of(text, sizeof(text) - 1, NULL);

	(void)state;
	assert_int_equal(types_of(&k, "node", types), 1);
	assert_string_equal(types[0], "ssh-ed25519");
	assert_int_equal(types_of(&k, "[node]:23", types), 0);
	assert_null(types[0]);
}

/* ---- random files */

enum { KEYS = 6, LINES = 12, NAMES = 5, FILES = 2 };

static const char *const names[NAMES] = { "a", "b", "[a]:23", "ab.c", "x" };
/* what becomes of the names when no port is said */
static const char *const bare_names[NAMES] = { "a", "b", "a", "ab.c", "x" };
static const char *const host_words[] = { "a", "b", "A", "[a]:23", "ab.c", "a,b",
	"b,ab.c", "*", "a*", "?", "*,!a", "!b", "*.c", "[*]:23", "x,?b*" };

struct a_key {
	const char *type;
	uint8_t bytes[64];
	struct bytes blob;
	char base64[96];
};

static struct a_key all_keys[KEYS];

/* Two keys of three types. */
static void make_keys(void)
{
	static const char *const types[] = { "ssh-ed25519", "ecdsa-sha2-nistp256",
		"ssh-rsa" };

	for (int i = 0; i < KEYS; i++) {
		struct a_key *k = &all_keys[i];
		uint8_t type_size = (uint8_t)strlen(types[i / 2]);
		size_t size = 0;

		k->type = types[i / 2];
		k->bytes[3] = type_size;
		memcpy(k->bytes + 4, k->type, type_size);
		size = 4U + type_size;
		for (int part = 0; part < (i < 2 ? 1 : 2); part++) {
			uint8_t part_size = i < 2 ? 32 : 3;

			k->bytes[size + 3] = part_size;
			memset(k->bytes + size + 4, i + 1, part_size);
			size += 4U + part_size;
		}
		k->blob = (struct bytes){ k->bytes, size };
		base64_encode(k->bytes, size, k->base64);
	}
}

/* A line as it was meant. */
struct meant {
	enum known_marker marker;
	const char *hosts;  /* lower case */
	const char *hashed; /* the name; NULL: not hashed */
	const struct a_key *key;
	int file;
};

static uint64_t dice;

static uint32_t below(uint32_t n)
{
	return test_random(&dice) % n;
}

/* Appends it as text. */
static struct meant throw_line(
	int file, uint32_t hashed_share, uint32_t key_kinds, char *text)
{
	static const char *const markers[] = { [KNOWN_KEY] = "",
		[KNOWN_REVOKED] = "@revoked ",
		[KNOWN_AUTHORITY] = "@cert-authority " };
	uint32_t marker = below(12);
	struct meant m = { .marker = marker < 3 ? marker : KNOWN_KEY,
		.key = &all_keys[below(key_kinds)],
		.file = file };
	const char *word;
	char *lower;

	if (below(10) < hashed_share) {
		m.hashed = names[below(NAMES)];
		word = known_hashed_word(&arena, &dice, m.hashed);
	} else {
		word = host_words[below(sizeof(host_words) / sizeof(*host_words))];
		m.hosts = lower = arena_text(&arena, word);
		for (; *lower; lower++)
			*lower = (char)tolower((unsigned char)*lower);
	}
	sprintf(text + strlen(text), "%s%s %s %s\n", markers[m.marker], word, m.key->type,
		m.key->base64);
	return m;
}

static bool meant_for(const struct meant *m, const char *name)
{
	return m->hashed ? strcmp(m->hashed, name) == 0
			 : ssh_pattern_list_matches(m->hosts, name, false);
}

static enum known_verdict verdict_by_walking(
	const struct meant *m, size_t count, int host, const struct a_key *k)
{
	enum known_verdict verdict = KNOWN_NOT;

	for (size_t i = 0; i < count; i++)
		if (m[i].marker == KNOWN_REVOKED && m[i].key == k &&
			(meant_for(&m[i], names[host]) ||
				meant_for(&m[i], bare_names[host])))
			return KNOWN_IS_REVOKED;
	for (size_t i = 0; i < count; i++) {
		if (m[i].marker != KNOWN_KEY || !meant_for(&m[i], names[host]))
			continue;
		if (m[i].key == k)
			return KNOWN_YES;
		verdict = KNOWN_CHANGED;
	}
	return verdict;
}

/* Does the line that decided say what the verdict says? */
static void assert_line_fits(
	const struct known_answer *a, const struct meant *m, int host)
{
	const struct known_line *line = a->line;

	if (!line) {
		assert_int_equal(a->verdict, KNOWN_NOT);
		return;
	}
	m += (line->file[0] - 'f') * LINES + (int)line->number - 1;
	assert_int_equal(m->marker, line->marker);
	assert_int_equal(m->marker, a->verdict == KNOWN_NOT	     ? KNOWN_AUTHORITY
				    : a->verdict == KNOWN_IS_REVOKED ? KNOWN_REVOKED
								     : KNOWN_KEY);
	assert_true(meant_for(m, names[host]) || meant_for(m, bare_names[host]));
}

static bool revoked_by_walking(
	const struct meant *m, size_t count, int host, const struct a_key *k)
{
	return verdict_by_walking(m, count, host, k) == KNOWN_IS_REVOKED;
}

/* Types that the host is known by, all of them, and no other; but where it is known by
 * none and the hashed lines have one type only, that may be guessed. */
static void assert_types_fit(
	const char *const *types, const struct meant *m, size_t count, int host)
{
	unsigned known = 0, hashed = 0, listed = 0;

	for (size_t i = 0; i < count; i++) {
		unsigned bit = known_type_bit(m[i].key->type);

		if (m[i].marker != KNOWN_KEY)
			continue;
		hashed |= m[i].hashed ? bit : 0;
		if (meant_for(&m[i], names[host]) &&
			!revoked_by_walking(m, count, host, m[i].key))
			known |= bit;
	}
	for (; *types; types++) {
		assert_true(listed < known_type_bit(*types));
		listed |= known_type_bit(*types);
	}
	if (listed == known)
		return;
	assert_int_equal(known, 0);
	assert_int_equal(listed, hashed);
	assert_int_equal(hashed & (hashed - 1), 0);
}

/* Asks in any order and again and again: what is remembered changes nothing. */
static void ask_often(
	struct known_hosts *const *files, const struct meant *m, size_t count)
{
	for (int i = 0; i < 40; i++) {
		int host = (int)below(NAMES);
		const struct a_key *k = &all_keys[below(KEYS)];
		struct known_query q = { files, FILES, names[host], bare_names[host] };
		const char *types[KNOWN_TYPES_MAX + 1];
		struct known_answer answer;
		struct err e;

		if (below(2)) {
			assert_rc(known_hosts_types(&q, types, &e), RC_OK, &e);
			assert_types_fit(types, m, count, host);
			continue;
		}
		assert_rc(known_hosts_check(&q, k->blob, &answer, &e), RC_OK, &e);
		assert_int_equal(answer.verdict, verdict_by_walking(m, count, host, k));
		assert_line_fits(&answer, m, host);
	}
}

static void random_files_are_judged_as_by_walking_their_lines(void **state)
{
	(void)state;
	make_keys();
	for (dice = 1; dice < 4000;) {
		uint64_t seed = dice;
		uint32_t hashed_share = below(11), key_kinds = 1 + below(KEYS);
		struct meant m[FILES * LINES];
		struct known_hosts k[FILES], *files[FILES] = { &k[0], &k[1] };
		struct arena mine = { NULL };
		struct err e;

		for (int f = 0; f < FILES; f++) {
			const char name[] = { (char)('f' + f), '\0' };
			char text[8192] = "";

			for (int i = 0; i < LINES; i++)
				m[f * LINES + i] = throw_line(
					f, hashed_share, key_kinds, text);
			known_hosts_init(&k[f], &mine, NULL, NULL);
			assert_rc(known_hosts_add(&k[f], name,
					  (struct bytes){
						  (const uint8_t *)text, strlen(text) },
					  &e),
				RC_OK, &e);
			assert_int_equal(k[f].count, LINES);
		}
		ask_often(files, m, FILES * LINES);
		arena_destroy(&mine);
		dice = seed + 1;
	}
	arena_destroy(&arena);
}

/* ---- how little is done */

/* So many hosts, node0 up, with keys of these types, hashed. */
static struct known_hosts hashed_file(int hosts, const int *kinds, int kinds_count)
{
	struct buf text = buf_with_cap(1 << 20);
	struct known_hosts k;
	struct bytes all;

	make_keys();
	for (int i = 0; i < hosts; i++)
		for (int j = 0; j < kinds_count; j++)
			assert_int_equal(
				buf_format(&text, "%s %s %s\n",
					known_hashed_word(&arena, &dice,
						arena_format(&arena, "node%d", i)),
					all_keys[kinds[j]].type,
					all_keys[kinds[j]].base64),
				RC_OK);
	all = buf_bytes(&text);
	k = index_of((const char *)all.data, all.size, NULL);
	buf_destroy(&text);
	return k;
}

/* A search leaves its mark where it found something. */
static void hashed_lines_of_one_type_are_never_searched_for_a_known_key(void **state)
{
	struct known_hosts k = hashed_file(20, (const int[]){ 0 }, 1);
	const char *types[KNOWN_TYPES_MAX + 1];

	(void)state;
	key = all_keys[0].blob;
	assert_int_equal(types_of(&k, "node7", types), 1);
	assert_int_equal(check(&k, "node7", 22), KNOWN_YES);
	assert_int_equal(k.next_hashed, 0);
	key = all_keys[1].blob;
	assert_int_equal(check(&k, "node7", 22), KNOWN_CHANGED);
	assert_int_equal(k.next_hashed, 8);
}

/* ssh-keyscan -H: each host's keys of all types stand together, in the order of the
 * hosts; then each search ends where the next begins. */
static void a_search_goes_on_where_the_last_one_found_all(void **state)
{
	struct known_hosts k = hashed_file(20, (const int[]){ 0, 2, 4 }, 3);
	const char *types[KNOWN_TYPES_MAX + 1];

	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		char name[16];

		snprintf(name, sizeof(name), "node%u", i);
		assert_int_equal(types_of(&k, name, types), 3);
		assert_int_equal(k.next_hashed, 3 * (i + 1));
	}
	assert_int_equal(types_of(&k, "other", types), 0);
}

/* Behind the last hit, not from the start, where lines are that would do as well. */
static void a_search_begins_behind_the_last_hit(void **state)
{
	static const char *const order[] = { "a", "b", "a" };
	struct known_hosts k;
	const char *types[KNOWN_TYPES_MAX + 1];
	char text[4096] = "";

	(void)state;
	make_keys();
	for (size_t i = 0; i < 3; i++)
		for (int j = 0; j < 4; j += 2)
			sprintf(text + strlen(text), "%s %s %s\n",
				known_hashed_word(&arena, &dice, order[i]),
				all_keys[j].type, all_keys[j].base64);
	k = index_of(text, strlen(text), NULL);
	assert_int_equal(types_of(&k, "b", types), 2);
	assert_int_equal(k.next_hashed, 4);
	assert_int_equal(types_of(&k, "a", types), 2);
	assert_int_equal(k.next_hashed, 6);
}

static void a_line_that_is_added_later_counts(void **state)
{
	struct known_hosts k = hashed_file(3, (const int[]){ 1 }, 1);
	const char *line;
	struct err e;

	(void)state;
	key = all_keys[0].blob;
	assert_int_equal(check(&k, "late", 22), KNOWN_NOT);
	line = arena_format(&arena, "%s %s %s\n",
		known_hashed_word(&arena, &dice, "late"), all_keys[1].type,
		all_keys[1].base64);
	assert_rc(known_hosts_add(&k, "f", bytemap_text(line), &e), RC_OK, &e);
	assert_int_equal(check(&k, "late", 22), KNOWN_CHANGED);
}

static void hashed_names_of_every_length_are_found(void **state)
{
	char name[KNOWN_NAME_MAX] = "";

	(void)state;
	for (size_t n = 1; n < KNOWN_NAME_MAX; n++) {
		struct known_hash_name ours;
		struct known_hash hash;

		name[n - 1] = (char)('a' + n % 26);
		assert_true(
			known_hash_parse(known_hashed_word(&arena, &dice, name), &hash));
		known_hash_name(name, &ours);
		assert_true(known_hash_matches(&hash, &ours));
		name[n - 1] ^= 1;
		known_hash_name(name, &ours);
		assert_false(known_hash_matches(&hash, &ours));
	}
}

static void each_of_a_thousand_plain_names_is_found(void **state)
{
	struct buf text = buf_with_cap(1 << 20);
	struct known_hosts k;
	struct bytes all;
	char name[16];

	(void)state;
	make_keys();
	for (unsigned i = 0; i < 1000; i++)
		assert_int_equal(buf_format(&text, "n%u,m%u %s %s\n", i, i,
					 all_keys[i % 2].type, all_keys[i % 2].base64),
			RC_OK);
	all = buf_bytes(&text);
	k = index_of((const char *)all.data, all.size, NULL);
	buf_destroy(&text);
	key = all_keys[0].blob;
	for (unsigned i = 0; i < 1000; i++) {
		snprintf(name, sizeof(name), "%c%u", i % 3 ? 'n' : 'm', i);
		assert_int_equal(check(&k, name, 22), i % 2 ? KNOWN_CHANGED : KNOWN_YES);
	}
	assert_int_equal(check(&k, "n1000", 22), KNOWN_NOT);
}

/* ssh has no room for such a word, and then takes the whole list for nothing. */
static void a_list_with_a_word_of_a_kilobyte_speaks_for_nobody(void **state)
{
	char word[1100], text[1400];
	struct known_hosts k;

	(void)state;
	make_keys();
	key = all_keys[0].blob;
	for (int size = 1022; size <= 1023; size++) {
		memset(word, 'w', sizeof(word));
		word[size] = '\0';
		snprintf(text, sizeof(text), "node,%s,other %s %s\n", word,
			all_keys[0].type, all_keys[0].base64);
		k = index_of(text, strlen(text), NULL);
		assert_int_equal(
			check(&k, "other", 22), size < 1023 ? KNOWN_YES : KNOWN_NOT);
	}
}

static int make(void **state)
{
	(void)state;
	return !base64_decode(KEY, strlen(KEY), key_bytes, &key.size);
}

static int unmake(void **state)
{
	(void)state;
	arena_destroy(&arena);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_bad_line_is_named_and_drops_nothing_else),
		cmocka_unit_test(every_prefix_of_a_file_is_harmless),
		cmocka_unit_test(a_pattern_of_many_stars_takes_no_time),
		cmocka_unit_test(known_types_are_listed_once),
		cmocka_unit_test(random_files_are_judged_as_by_walking_their_lines),
		cmocka_unit_test(
			hashed_lines_of_one_type_are_never_searched_for_a_known_key),
		cmocka_unit_test(a_search_goes_on_where_the_last_one_found_all),
		cmocka_unit_test(a_search_begins_behind_the_last_hit),
		cmocka_unit_test(a_line_that_is_added_later_counts),
		cmocka_unit_test(hashed_names_of_every_length_are_found),
		cmocka_unit_test(each_of_a_thousand_plain_names_is_found),
		cmocka_unit_test(a_list_with_a_word_of_a_kilobyte_speaks_for_nobody),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, make, unmake);
}
