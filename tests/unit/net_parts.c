/* The small readers of outside bytes in coordinator/net: base64, last words, a
 * server's lists of algorithms. */
#include <stdlib.h>
#include <sys/mman.h>

#include "coordinator/net/base64.h"
#include "coordinator/net/kexlist.h"
#include "coordinator/net/tail.h"
#include "coordinator/net/transport_memory.h"
#include "tests/support/test.h"

static void base64_reads_back_what_it_wrote(void **state)
{
	uint64_t seed = 1;
	uint8_t data[64], back[BASE64_DECODED_MAX(BASE64_ENCODED_MAX(64))];
	char text[BASE64_ENCODED_MAX(64)];
	size_t size;

	(void)state;
	for (size_t n = 0; n <= sizeof(data); n++) {
		for (size_t i = 0; i < n; i++)
			data[i] = (uint8_t)test_random(&seed);
		base64_encode(data, n, text);
		assert_true(base64_decode(text, strlen(text), back, &size));
		assert_int_equal(size, n);
		assert_memory_equal(data, back, n);
	}
}

static void what_is_not_base64_is_refused(void **state)
{
	static const char *const wrong[] = { "A", "AA", "AAA", "AA=A",
		"A===", "AB==", "AAB=", "AA A", "AA\nA", "====", "\377\377\377\377" };
	uint8_t out[16];
	size_t size;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
		if (base64_decode(wrong[i], strlen(wrong[i]), out, &size))
			fail_msg("\"%s\" was taken", wrong[i]);
}

static void words_after(const char *text, size_t piece, char *words)
{
	struct tail t = { .size = 0 };
	size_t n = strlen(text);

	for (size_t i = 0; i < n; i += piece)
		tail_append(&t, text + i, n - i < piece ? n - i : piece);
	tail_words(&t, words);
}

static void the_last_two_lines_are_kept(void **state)
{
	static const struct {
		const char *text, *words;
	} cases[] = { { "", "" }, { "\n\n", "" }, { "one", "one" }, { "one\n", "one" },
		{ "one\ntwo\n", "one / two" }, { "zero\none\n\n\ntwo\n\n", "one / two" },
		{ "\033[1mred\n", "?[1mred" } };
	char words[TAIL_LINE_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		for (size_t piece = 1; piece < 8; piece++) {
			words_after(cases[i].text, piece, words);
			assert_string_equal(words, cases[i].words);
		}
}

/* However the pieces fall, the tail is the end of all that came. */
static void a_flood_of_words_keeps_its_end(void **state)
{
	static struct tail t;
	char text[5000];
	uint64_t seed = 7;
	size_t n = 0, rounds = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)('a' + test_random(&seed) % 26);
	while (n < sizeof(text)) {
		size_t piece = test_random(&seed) % (rounds++ % 8 == 7 ? 2000 : 300);
		size_t kept;

		if (piece > sizeof(text) - n)
			piece = sizeof(text) - n;
		tail_append(&t, text + n, piece);
		n += piece;
		kept = n < TAIL_BYTES ? n : TAIL_BYTES;
		assert_int_equal(t.size, kept);
		assert_memory_equal(t.data, text + n - kept, kept);
	}
}

/* ---- a server's lists */

static void put_string(struct buf *b, const char *text)
{
	size_t n = strlen(text);
	const uint8_t size[4] = { 0, 0, (uint8_t)(n >> 8), (uint8_t)n };

	buf_append(b, size, 4);
	buf_append_text(b, text);
}

static void make_kexinit(struct buf *out)
{
	static const uint8_t head[2 + 16] = { 4, 20 };
	struct buf packet = buf_with_cap(4096);
	struct bytes body;

	buf_append(&packet, head, sizeof(head));
	put_string(&packet, "curve25519-sha256,x");
	put_string(&packet, "ssh-ed25519");
	put_string(&packet, "aes256-gcm@openssh.com");
	put_string(&packet, "chacha20");
	put_string(&packet, "hmac-sha2-256-etm@openssh.com");
	put_string(&packet, "");
	body = buf_bytes(&packet);
	buf_append_text(out, "Go away\r\nSSH-2.0-Test\r\n");
	buf_append(out, (const uint8_t[]){ 0, 0, 0, (uint8_t)body.size }, 4);
	buf_append(out, body.data, body.size);
	buf_destroy(&packet);
}

static void the_lists_of_a_server_are_found_behind_its_greeting(void **state)
{
	static const char *const ours[] = { "aes128-ctr", "x", NULL };
	struct buf first = buf_with_cap(4096);
	struct kex_lists lists;
	struct bytes all;

	(void)state;
	make_kexinit(&first);
	all = buf_bytes(&first);
	for (size_t n = 0; n < all.size; n++)
		assert_false(kex_lists_find((struct bytes){ all.data, n }, &lists));
	assert_true(kex_lists_find(all, &lists));
	assert_true(kex_list_has_common(lists.of_server[KEX_METHODS], ours));
	assert_false(kex_list_has_common(lists.of_server[KEX_HOST_KEYS], ours));
	assert_false(kex_list_has_common(lists.of_server[KEX_MACS_TO_CLIENT], ours));
	assert_memory_equal(lists.of_server[KEX_CIPHERS_TO_CLIENT].data, "chacha20", 8);
	buf_destroy(&first);
}

static void an_old_libssh2_is_blamed_where_it_is_the_cause(void **state)
{
	static const struct {
		enum kex_list list;
		const char *of_server, *version, *words;
	} rows[] = {
		{ KEX_HOST_KEYS, "rsa-sha2-512,rsa-sha2-256", "1.10.0",
			"no common host key type: the server offers only "
			"rsa-sha2-512,rsa-sha2-256, and the libssh2 here, 1.10.0, is too "
			"old: rsa-sha2-512 came with 1.11.0" },
		{ KEX_MACS_TO_CLIENT, "umac-64-etm@openssh.com,hmac-sha1-etm@openssh.com",
			"1.9.0", "too old: hmac-sha1-etm@openssh.com came with 1.11.0" },
		{ KEX_CIPHERS_TO_SERVER, "chacha20-poly1305@openssh.com", "1.11.0",
			"no common cipher: the server offers only "
			"chacha20-poly1305@openssh.com, and the libssh2 here, 1.11.0, is "
			"too old: chacha20-poly1305@openssh.com came with 1.11.1" },
		/* a library that should have it: its age is no reason */
		{ KEX_CIPHERS_TO_SERVER, "aes256-gcm@openssh.com", "1.11.0",
			"has none of these: let its sshd take one of a, b, c as well "
			"(Ciphers in sshd_config)" },
		{ KEX_METHODS, "sntrup761x25519-sha512@openssh.com", "1.10.0",
			"no common key exchange method: the server offers only "
			"sntrup761x25519-sha512@openssh.com, and the libssh2 here, "
			"1.10.0, has none of these: let its sshd take one of a, b, c as "
			"well "
			"(KexAlgorithms in sshd_config)" },
		{ KEX_MACS_TO_SERVER, "", "1.11.1", "offers only , and" },
	};
	static const char *const ours[] = { "a", "b", "c", "d", NULL };
	struct err e;

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		assert_rc(kex_list_explain(rows[i].list, bytes_of(rows[i].of_server),
				  ours, rows[i].version, &e),
			RC_SSH, &e);
		assert_contains(e.text, rows[i].words);
	}
}

static void a_list_without_end_does_not_push_the_cure_out_of_the_line(void **state)
{
	static const char *const ours[] = { "only-this", NULL };
	char names[4000];
	struct err e;

	(void)state;
	memset(names, 'n', sizeof(names) - 1);
	names[sizeof(names) - 1] = '\0';
	kex_list_explain(KEX_METHODS, bytes_of(names), ours, "1.11.1", &e);
	assert_contains(e.text, "nnn..., and");
	assert_contains(e.text, "take one of only-this as well");
}

/* ---- memory */

/* A bit for each of the pages of a block: does it stand in memory? */
static size_t pages_in_memory(void *block, size_t pages)
{
	unsigned char there[32];
	size_t count = 0;

	assert_true(pages <= sizeof(there));
	assert_int_equal(mincore(block, pages * 4096, there), 0);
	for (size_t i = 0; i < pages; i++)
		count += there[i] & 1;
	return count;
}

static void what_is_given_back_reads_as_before(void **state)
{
	enum { PAGES = 20, BYTES = PAGES * 4096 + 100 };
	static uint8_t before[BYTES];

	(void)state;
	for (unsigned round = 0; round < 200; round++) {
		uint8_t *block = transport_pages(BYTES);
		bool used[PAGES] = { false };
		size_t in_use = 0;

		assert_non_null(block);
		assert_int_equal((uintptr_t)block % 4096, 0);
		memset(block, 0, BYTES);
		for (unsigned i = 0; i < round % 8; i++) {
			size_t at = (size_t)rand() % BYTES;

			block[at] = 7;
			if (at / 4096 < PAGES)
				used[at / 4096] = true;
		}
		for (size_t i = 0; i < PAGES; i++)
			in_use += used[i];
		memcpy(before, block, BYTES);
		transport_give_back(block, BYTES);
		assert_int_equal(pages_in_memory(block, PAGES), in_use);
		assert_memory_equal(block, before, BYTES);
		free(block);
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(base64_reads_back_what_it_wrote),
		cmocka_unit_test(what_is_not_base64_is_refused),
		cmocka_unit_test(the_last_two_lines_are_kept),
		cmocka_unit_test(a_flood_of_words_keeps_its_end),
		cmocka_unit_test(the_lists_of_a_server_are_found_behind_its_greeting),
		cmocka_unit_test(an_old_libssh2_is_blamed_where_it_is_the_cause),
		cmocka_unit_test(
			a_list_without_end_does_not_push_the_cure_out_of_the_line),
		cmocka_unit_test(what_is_given_back_reads_as_before),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
