/* Which keys are offered, and in which order. */
#include "coordinator/net/login.h"
#include "coordinator/net/wire.h"
#include "tests/support/test.h"

enum { FILES = 8, AGENT_KEYS = 24 };

/* Keys by letters: files a to h (A to H: RSA), the agent's others p to z, tokens 1 to 3. */
static struct stage {
	struct keyring keyring;
	struct keyring_entry entries[FILES];
	const char *paths[FILES];
	struct agent_key agent_keys[AGENT_KEYS];
	struct agent agent, unlocked;
	struct agent_key unlocked_keys[FILES];
	struct ssh_settings settings;
	struct login login;
} w;

static char blobs[128][32];

static struct bytes blob_of(char letter)
{
	struct buf out = buf_with_cap(32);
	bool rsa = letter >= 'A' && letter <= 'Z', token = letter >= '1' && letter <= '9';
	struct bytes made;

	wire_put_text(&out, token ? "sk-ssh" : rsa ? "ssh-rsa" : "ssh-ed25519");
	buf_append(&out, &letter, 1);
	made = buf_bytes(&out);
	memcpy(blobs[(int)letter], made.data, made.size);
	made.data = (const uint8_t *)blobs[(int)letter];
	buf_destroy(&out);
	return made;
}

static char letter_of(const struct login_key *key)
{
	return (char)key->blob.data[key->blob.size - 1];
}

static void fill_agent(struct agent *a, struct agent_key *keys, const char *letters)
{
	*a = (struct agent){ .path = "/agent", .listed = true, .keys = keys };
	for (; *letters; letters++)
		keys[a->key_count++] = (struct agent_key){ blob_of(*letters), "agent" };
}

/* Files by letters; one with '-' behind it is locked. */
static void set_up(const char *files, const char *agent)
{
	static const char *const names[] = { "/0", "/1", "/2", "/3", "/4", "/5", "/6",
		"/7" };
	size_t n = 0;

	memset(&w, 0, sizeof(w));
	pthread_mutex_init(&w.keyring.hint_lock, NULL);
	for (; *files; files++) {
		if (*files == '-') {
			w.entries[n - 1].key.state = KEY_LOCKED;
			continue;
		}
		w.paths[n] = names[n];
		w.entries[n].usable = true;
		w.entries[n].key = (struct key){
			.path = names[n], .state = KEY_READY, .blob = blob_of(*files)
		};
		n++;
	}
	w.keyring.entries = w.entries;
	w.keyring.count = n;
	w.settings = (struct ssh_settings){ .user = "user",
		.identity_files = { w.paths, n } };
	fill_agent(&w.agent, w.agent_keys, agent);
}

static void assert_plan(struct agent *unlocked, bool with_tokens, const char *wanted)
{
	char got[LOGIN_KEYS_MAX + 1] = "";

	login_plan(&w.login, &w.settings, &w.keyring, &w.agent, unlocked, with_tokens);
	for (unsigned i = 0; i < w.login.count; i++) {
		const struct login_key *key = &w.login.keys[i];

		got[i] = letter_of(key);
		assert_true((key->key != NULL) != (key->agent != NULL));
	}
	assert_string_equal(got, wanted);
	assert_int_equal(w.login.next, 0);
}

static void the_order_is_that_of_ssh(void **state)
{
	static const struct {
		const char *files, *agent, *wanted, *only;
	} rows[] = {
		{ "", "", "", "" },
		{ "ab", "", "ab", "ab" },
		{ "", "pq", "pq", "" },
		/* those that match a file first, and each key once */
		{ "ab", "pbq", "bpqa", "ba" },
		{ "ab", "ba", "ba", "ba" },
		/* a locked file is the agent's, or nobody's */
		{ "a-b", "p", "pb", "b" },
		{ "a-b", "pa", "apb", "ab" },
		/* RSA last */
		{ "Ab", "", "bA", "bA" },
		{ "AbC", "Pq", "qbPAC", "bAC" },
		/* no more than six, of which the files have three */
		{ "abcd", "pqrstuv", "pqrabc", "abcd" },
		{ "a", "pqrstuv", "pqrsta", "a" },
		{ "", "pqrstuvw", "pqrstu", "" },
		{ "abcdefgh", "", "abcdef", "abcdef" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		set_up(rows[i].files, rows[i].agent);
		assert_plan(NULL, true, rows[i].wanted);
		w.settings.identities_only = true;
		assert_plan(NULL, true, rows[i].only);
	}
}

static void what_was_left_out_is_counted_and_the_first_named(void **state)
{
	(void)state;
	set_up("abcd", "pqrstu");
	assert_plan(NULL, true, "pqrabc");
	assert_int_equal(w.login.left_out, 4);
	assert_string_equal(w.login.first_left_out, "agent");
	set_up("abcdefgh", "");
	assert_plan(NULL, true, "abcdef");
	assert_string_equal(w.login.first_left_out, "/6");
}

static void the_hint_comes_first_even_if_it_had_been_cut(void **state)
{
	(void)state;
	set_up("abcd", "pqrstu");
	keyring_remember(&w.keyring, "user", blob_of('b'));
	assert_plan(NULL, true, "bpqrac");
	keyring_remember(&w.keyring, "user", blob_of('u'));
	assert_plan(NULL, true, "upqrab");
	keyring_remember(&w.keyring, "user", blob_of('x')); /* not this node's */
	assert_plan(NULL, true, "pqrabc");
	keyring_remember(&w.keyring, "another", blob_of('b'));
	assert_plan(NULL, true, "pqrabc");
	set_up("aB", "");
	keyring_remember(&w.keyring, "user", blob_of('B'));
	assert_plan(NULL, true, "Ba");
}

static void keys_of_tokens_are_left_out_where_they_cannot_be_used(void **state)
{
	(void)state;
	set_up("a", "1p2");
	assert_plan(NULL, true, "1p2a");
	assert_plan(NULL, false, "pa");
}

static void an_unlocked_file_signs_through_the_agent_that_holds_it(void **state)
{
	(void)state;
	set_up("a-b", "p");
	fill_agent(&w.unlocked, w.unlocked_keys, "a");
	assert_plan(&w.unlocked, true, "pba");
	assert_ptr_equal(w.login.keys[2].agent, &w.unlocked);
	assert_ptr_equal(w.login.keys[0].agent, &w.agent);
	assert_ptr_equal(w.login.keys[1].key, &w.entries[1].key);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_order_is_that_of_ssh),
		cmocka_unit_test(what_was_left_out_is_counted_and_the_first_named),
		cmocka_unit_test(the_hint_comes_first_even_if_it_had_been_cut),
		cmocka_unit_test(keys_of_tokens_are_left_out_where_they_cannot_be_used),
		cmocka_unit_test(an_unlocked_file_signs_through_the_agent_that_holds_it),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
