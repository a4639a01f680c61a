/* Key files: what ssh-keygen writes is read, and what we sign OpenSSL verifies. */
#include <pty.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "coordinator/net/base64.h"
#include "coordinator/net/key.h"
#include "coordinator/net/keyring.h"
#include "coordinator/net/wire.h"
#include "coordinator/ssh/ssh_config.h"
#include "tests/support/keys.h"
#include "tests/support/test.h"

static char folder[64];
static struct arena arena;

/* A new key; *path names it. */
static const char *generate(const char *arguments)
{
	static unsigned number;
	const char *path = arena_format(&arena, "%s/key%u", folder, number++);

	test_run("ssh-keygen -q %s -f %s", arguments, path);
	return path;
}

/* ---- signatures */

/* The two mpints as OpenSSL wants them. */
static size_t der_of(struct bytes signature, uint8_t **out)
{
	ECDSA_SIG *both = ECDSA_SIG_new();
	struct bytes r, s;
	int size;

	assert_true(wire_take_string(&signature, &r) && wire_take_string(&signature, &s));
	assert_int_equal(signature.size, 0);
	assert_true(r.size && !(r.data[0] & 0x80) && s.size && !(s.data[0] & 0x80));
	ECDSA_SIG_set0(both, BN_bin2bn(r.data, (int)r.size, NULL),
		BN_bin2bn(s.data, (int)s.size, NULL));
	*out = NULL;
	size = i2d_ECDSA_SIG(both, out);
	ECDSA_SIG_free(both);
	return (size_t)size;
}

/* By the public key that ssh-keygen exports, not by anything of ours. */
static bool verifies(const char *path, const EVP_MD *hash, bool ecdsa, struct bytes data,
	struct bytes signature)
{
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	uint8_t *der = NULL;
	EVP_PKEY *key;
	FILE *file;
	bool good;

	test_run("ssh-keygen -e -m PKCS8 -f %s.pub >%s/pem", path, folder);
	file = fopen(arena_format(&arena, "%s/pem", folder), "r");
	key = PEM_read_PUBKEY(file, NULL, NULL, NULL);
	fclose(file);
	assert_non_null(key);
	if (ecdsa) {
		signature.size = der_of(signature, &der);
		signature.data = der;
	}
	good = EVP_DigestVerifyInit(context, NULL, hash, NULL, key) == 1 &&
	       EVP_DigestVerify(context, signature.data, signature.size, data.data,
		       data.size) == 1;
	EVP_MD_CTX_free(context);
	EVP_PKEY_free(key);
	OPENSSL_free(der);
	return good;
}

static void assert_signs(const char *path, const char *algorithm, const EVP_MD *hash)
{
	struct buf room = buf_with_cap(4096);
	struct bytes data = keys_login_data(&room, algorithm);
	uint8_t *signature = NULL;
	size_t size = 0;
	struct key key;
	struct err e;

	assert_rc(key_read(path, &key, &arena, &e), RC_OK, &e);
	assert_int_equal(key.state, KEY_READY);
	assert_true(wire_same(key.blob, keys_public(&arena, path)));
	/* many, for the leading zeros of some */
	for (int i = 0; i < 20; i++) {
		assert_rc(key_sign(&key, data, &signature, &size, &e), RC_OK, &e);
		if (hash && i == 0)
			assert_true(
				verifies(path, hash, strncmp(algorithm, "ecdsa", 5) == 0,
					data, (struct bytes){ signature, size }));
		free(signature);
	}
	key_free(&key);
	buf_destroy(&room);
}

static void keys_of_every_kind_and_format_sign(void **state)
{
	static const char *const formats[] = { "", "-m PEM", "-m PKCS8" };

	(void)state;
	for (int i = 0; i < 3; i++) {
		const char *path = generate(
			arena_format(&arena, "-t rsa -b 2048 -N '' %s", formats[i]));

		assert_signs(path, "rsa-sha2-512", EVP_sha512());
		assert_signs(path, "rsa-sha2-256", EVP_sha256());
		assert_signs(generate(arena_format(
				     &arena, "-t ecdsa -b 256 -N '' %s", formats[i])),
			"ecdsa-sha2-nistp256", EVP_sha256());
		assert_signs(generate(arena_format(
				     &arena, "-t ecdsa -b 384 -N '' %s", formats[i])),
			"ecdsa-sha2-nistp384", EVP_sha384());
		assert_signs(generate(arena_format(
				     &arena, "-t ecdsa -b 521 -N '' %s", formats[i])),
			"ecdsa-sha2-nistp521", EVP_sha512());
	}
}

/* ssh-keygen exports no Ed25519 key: the raw 32 bytes of its blob are the key. */
static void an_ed25519_key_signs(void **state)
{
	const char *path = generate("-t ed25519 -N ''");
	struct bytes blob = keys_public(&arena, path), type, raw;
	struct buf room = buf_with_cap(4096);
	struct bytes data = keys_login_data(&room, "ssh-ed25519");
	EVP_MD_CTX *context = EVP_MD_CTX_new();
	uint8_t *signature;
	size_t size;
	EVP_PKEY *public;
	struct key key;
	struct err e;

	(void)state;
	assert_rc(key_read(path, &key, &arena, &e), RC_OK, &e);
	assert_true(wire_same(key.blob, blob));
	assert_rc(key_sign(&key, data, &signature, &size, &e), RC_OK, &e);
	assert_true(wire_take_string(&blob, &type) && wire_take_string(&blob, &raw));
	public = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, raw.data, raw.size);
	assert_int_equal(EVP_DigestVerifyInit(context, NULL, NULL, NULL, public), 1);
	assert_int_equal(
		EVP_DigestVerify(context, signature, size, data.data, data.size), 1);
	EVP_PKEY_free(public);
	EVP_MD_CTX_free(context);
	free(signature);
	key_free(&key);
	buf_destroy(&room);
}

static void a_key_signs_only_logins_and_only_as_what_it_is(void **state)
{
	struct buf room = buf_with_cap(4096), cut = buf_with_cap(4096);
	struct bytes data = keys_login_data(&room, "rsa-sha2-512"), other, algorithm;
	uint8_t *signature;
	size_t size;
	struct key key;
	struct err e;

	(void)state;
	assert_rc(key_read(generate("-t ed25519 -N ''"), &key, &arena, &e), RC_OK, &e);
	assert_rc(key_sign(&key, data, &signature, &size, &e), RC_AUTH, &e);
	assert_contains(e.text, "cannot sign as rsa-sha2-512");
	assert_true(key_algorithm_of(data, &algorithm));
	for (size_t n = 0; n < data.size - 10 - 12 - 4 - 1; n++)
		assert_false(
			key_algorithm_of((struct bytes){ data.data, n }, &algorithm));
	buf_append(&cut, data.data, data.size);
	other = buf_bytes(&cut);
	((uint8_t *)other.data)[13] = 51; /* another message */
	assert_false(key_algorithm_of(other, &algorithm));
	assert_rc(key_sign(&key, other, &signature, &size, &e), RC_INTERNAL, &e);
	key_free(&key);
	buf_destroy(&room);
	buf_destroy(&cut);
}

/* ---- what cannot sign */

static void a_locked_key_gives_its_public_half(void **state)
{
	static const char *const arguments[] = { "-t ed25519 -N secret -a 1",
		"-t rsa -b 2048 -N secret -m PEM", "-t ecdsa -N secret -m PKCS8" };
	struct key key;
	struct err e;

	(void)state;
	for (int i = 0; i < 3; i++) {
		const char *path = generate(arguments[i]);

		assert_rc(key_read(path, &key, &arena, &e), RC_OK, &e);
		assert_int_equal(key.state, KEY_LOCKED);
		assert_true(wire_same(key.blob, keys_public(&arena, path)));
		assert_int_equal(key_is_rsa(key.blob), i == 1);
		/* where the file does not say it, and nothing lies beside it */
		test_run("rm %s.pub", path);
		assert_rc(key_read(path, &key, &arena, &e), RC_OK, &e);
		assert_int_equal(key.blob.size > 0, i == 0);
	}
}

static void a_public_key_is_one_whatever_its_mode(void **state)
{
	const char *path = generate("-t ed25519 -N ''");
	struct key key;
	struct err e;

	(void)state;
	assert_rc(key_read(arena_format(&arena, "%s.pub", path), &key, &arena, &e), RC_OK,
		&e);
	assert_int_equal(key.state, KEY_PUBLIC);
	assert_true(wire_same(key.blob, keys_public(&arena, path)));
}

/* As ssh-keygen writes it, of a type that cannot sign here. */
static const char *write_foreign_key(const char *type, struct buf *public)
{
	static const char magic[] = "openssh-key-v1";
	const char *path = arena_format(&arena, "%s/foreign", folder);
	struct buf all = buf_with_cap(4096), private = buf_with_cap(1024);
	char base64[BASE64_ENCODED_MAX(1024)];

	wire_put_text(public, type);
	wire_put_text(public, "0123456789abcdef0123456789abcdef");
	wire_put_text(public, "ssh:");
	wire_put_text(&private, "12341234 what only others understand");
	buf_append(&all, magic, sizeof(magic));
	wire_put_text(&all, "none");
	wire_put_text(&all, "none");
	wire_put_text(&all, "");
	wire_put_number(&all, 1);
	wire_put_string(&all, buf_bytes(public).data, buf_bytes(public).size);
	wire_put_string(&all, buf_bytes(&private).data, buf_bytes(&private).size);
	base64_encode(buf_bytes(&all).data, buf_bytes(&all).size, base64);
	test_write_file(
		path, arena_format(&arena,
			      "-----BEGIN OPENSSH PRIVATE KEY-----\n%s\n-----END OPENSSH "
			      "PRIVATE KEY-----\n",
			      base64));
	chmod(path, 0600);
	buf_destroy(&all);
	buf_destroy(&private);
	return path;
}

static void the_file_of_an_authenticator_s_key_is_not_called_broken(void **state)
{
	struct buf public = buf_with_cap(1024);
	const char *path = write_foreign_key("sk-ssh-ed25519@openssh.com", &public);
	struct key key;
	struct err e;

	(void)state;
	assert_rc(key_read(path, &key, &arena, &e), RC_OK, &e);
	assert_int_equal(key.state, KEY_PUBLIC);
	assert_true(wire_same(key.blob, buf_bytes(&public)));
	buf_destroy(&public);
}

static void a_key_of_another_type_is_called_that(void **state)
{
	struct buf public = buf_with_cap(1024);
	const char *path = write_foreign_key("ssh-dss", &public);
	struct key key;
	struct err e;

	(void)state;
	assert_rc(key_read(path, &key, &arena, &e), RC_INPUT, &e);
	assert_contains(e.text, "neither Ed25519, ECDSA nor RSA");
	buf_destroy(&public);
}

/* The user's own key, which is in the agent alone: IdentityFile names it all the same. */
static void a_public_key_stands_for_a_private_file_that_is_not_there(void **state)
{
	const char *path = generate("-t ed25519 -N ''");
	struct ssh_settings settings = { .identity_files = { &path, 1 } };
	const struct ssh_settings *all[] = { &settings };
	const struct key *key;
	struct keyring k;
	struct err e;

	(void)state;
	test_run("rm %s", path);
	assert_rc(keyring_load(&k, all, 1, &e), RC_OK, &e);
	key = keyring_find(&k, path);
	assert_non_null(key);
	assert_int_equal(key->state, KEY_PUBLIC);
	assert_true(wire_same(key->blob, keys_public(&arena, path)));
	keyring_destroy(&k);
	/* but -i is about the file, as with ssh */
	settings.identities_named = true;
	assert_rc(keyring_load(&k, all, 1, &e), RC_INPUT, &e);
	keyring_destroy(&k);
}

static void a_private_key_that_others_can_read_is_refused(void **state)
{
	const char *path = generate("-t ed25519 -N ''");
	struct key key;
	struct err e;

	(void)state;
	chmod(path, 0640);
	assert_rc(key_read(path, &key, &arena, &e), RC_INPUT, &e);
	assert_contains(e.text, path);
	assert_contains(e.text, "UNPROTECTED PRIVATE KEY FILE");
	assert_contains(e.text, "mode 0640");
	assert_null(key.pkey);
	chmod(path, 0400);
	assert_rc(key_read(path, &key, &arena, &e), RC_OK, &e);
	key_free(&key);
}

static void what_is_no_key_is_named(void **state)
{
	const char *path = arena_format(&arena, "%s/none", folder);
	struct key key;
	struct err e;

	(void)state;
	assert_rc(key_read("/nonexistent/id", &key, &arena, &e), RC_INPUT, &e);
	assert_contains(e.text, "/nonexistent/id: No such file");
	test_write_file(path, "PuTTY-User-Key-File-3: ssh-ed25519\n");
	assert_rc(key_read(path, &key, &arena, &e), RC_INPUT, &e);
	assert_contains(e.text, "none: not a private key");
	assert_rc(key_read(folder, &key, &arena, &e), RC_INPUT, &e);
	assert_contains(e.text, "Is a directory");
}

/* ---- broken files */

static enum rc parse_text(const char *text, size_t n, struct key *key)
{
	struct err e;
	enum rc rc = key_parse(
		(struct bytes){ (const uint8_t *)text, n }, key, &arena, &e);

	if (rc != RC_OK)
		assert_null(key->pkey);
	return rc;
}

static void a_key_file_is_refused_at_every_cut(void **state)
{
	static const char *const kinds[] = { "-t ed25519 -N ''",
		"-t ecdsa -N '' -m PKCS8" };
	struct key key;

	(void)state;
	for (int k = 0; k < 2; k++) {
		const char *text = test_read_file(&arena, generate(kinds[k]));
		size_t end = (size_t)(strstr(text, "-----END") - text) - 1;

		assert_int_equal(parse_text(text, strlen(text), &key), RC_OK);
		key_free(&key);
		for (size_t n = 0; n < end; n++)
			assert_int_equal(parse_text(text, n, &key), RC_INPUT);
	}
}

/* Whatever byte is changed: it is no key, or the same key with another comment. */
static void a_changed_byte_never_makes_another_key(void **state)
{
	static const char begin[] = "-----BEGIN OPENSSH PRIVATE KEY-----\n";
	const char *path = generate("-t ed25519 -N '' -C c");
	char *text = test_read_file(&arena, path), *changed;
	char characters[1024];
	uint8_t bytes[1024];
	size_t size, n = 0;
	unsigned refused = 0;
	struct key key;

	(void)state;
	for (char *at = text + strlen(begin); *at != '-'; at++)
		if (*at != '\n')
			characters[n++] = *at;
	assert_true(base64_decode(characters, n, bytes, &size));
	for (size_t i = 0; i < size; i++) {
		char base64[BASE64_ENCODED_MAX(1024)];

		bytes[i] ^= 1;
		base64_encode(bytes, size, base64);
		bytes[i] ^= 1;
		changed = arena_format(&arena,
			"%s%s\n-----END OPENSSH PRIVATE KEY-----\n", begin, base64);
		if (parse_text(changed, strlen(changed), &key) != RC_OK) {
			refused++;
			continue;
		}
		assert_true(wire_same(key.blob, keys_public(&arena, path)) ||
			    key.state == KEY_LOCKED);
		key_free(&key);
	}
	/* the comment, the kdf's "none" and the cipher's are all that may change */
	assert_int_equal(refused, size - 1 - 4 - 4);
}

/* ---- the keyring */

static struct ssh_settings of_files(const char **paths, size_t count, bool named)
{
	return (struct ssh_settings){ .user = "user",
		.identity_files = { paths, count },
		.identities_named = named };
}

static void a_file_is_read_once_for_all_nodes(void **state)
{
	const char *ours[] = { generate("-t ed25519 -N ''"), "/nonexistent/key" };
	const char *others[] = { ours[0], generate("-t ed25519 -N ''") };
	struct ssh_settings a = of_files(ours, 2, false), b = of_files(others, 2, true);
	const struct ssh_settings *all[] = { &a, &a, &b, &a };
	struct keyring k;
	struct err e;

	(void)state;
	assert_rc(keyring_load(&k, all, 4, &e), RC_OK, &e);
	assert_int_equal(k.count, 3); /* with the one that is not there */
	for (size_t i = 1; i < k.count; i++)
		assert_true(strcmp(k.entries[i - 1].key.path, k.entries[i].key.path) < 0);
	assert_ptr_equal(keyring_find(&k, ours[0]), keyring_find(&k, others[0]));
	assert_non_null(keyring_find(&k, others[1]));
	assert_null(keyring_find(&k, ours[1]));
	assert_null(keyring_find(&k, "/another"));
	keyring_destroy(&k);
	keyring_destroy(&k);
}

static void a_named_file_that_is_missing_is_an_error_in_any_order(void **state)
{
	const char *missing[] = { "/nonexistent/key" };
	struct ssh_settings a = of_files(missing, 1, false),
			    b = of_files(missing, 1, true);
	const struct ssh_settings *all[] = { &a, &b };
	struct keyring k;
	struct err e;

	(void)state;
	assert_rc(keyring_load(&k, all, 2, &e), RC_INPUT, &e);
	assert_contains(e.text, "/nonexistent/key: No such file");
	keyring_destroy(&k);
}

/* Nobody asked for ~/.ssh/id_rsa: what is no key there must not end a run. */
static void a_default_key_that_is_none_is_passed_over(void **state)
{
	const char *home = arena_format(&arena, "%s/home", folder);
	const struct ssh_options options = { .file = "none", .home = home };
	const struct ssh_target target = { .host = "node" };
	const struct ssh_settings *all[1];
	struct ssh_config *config;
	struct keyring k;
	struct err e;

	(void)state;
	test_run("mkdir -p %s/.ssh && cd %s/.ssh && echo PuTTY-User-Key-File-3: >id_rsa "
		 "&& "
		 "ssh-keygen -q -t ed25519 -N '' -f id_ed25519 && "
		 "ssh-keygen -q -t ecdsa -N '' -f id_ecdsa && chmod 644 id_ecdsa",
		home, home);
	config = ssh_config_load(&options, &arena, &e);
	assert_non_null(config);
	assert_rc(ssh_config_resolve(config, &target, 1, all, &e), RC_OK, &e);
	assert_rc(keyring_load(&k, all, 1, &e), RC_OK, &e);
	assert_non_null(
		keyring_find(&k, arena_format(&arena, "%s/.ssh/id_ed25519", home)));
	assert_null(keyring_find(&k, arena_format(&arena, "%s/.ssh/id_rsa", home)));
	assert_null(keyring_find(&k, arena_format(&arena, "%s/.ssh/id_ecdsa", home)));
	keyring_destroy(&k);
}

/* ---- agents that hang */

/* A socket that takes connections, and never a word. */
static int listen_at(const char *path)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	snprintf(at.sun_path, sizeof(at.sun_path), "%s", path);
	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 16), 0);
	return fd;
}

/* In the child: nodes of two agents in turn. */
static void unlock_in_turn(const char *key, const char *const agents[2])
{
	struct ssh_settings settings[6];
	const struct ssh_settings *all[6];
	struct keyring k;
	struct err e;

	for (int i = 0; i < 6; i++) {
		settings[i] = (struct ssh_settings){ .identity_files = { &key, 1 },
			.agent = agents[i % 2] };
		all[i] = &settings[i];
	}
	alarm(60);
	if (keyring_load(&k, all, 6, &e) != RC_OK)
		_exit(1);
	_exit(keyring_unlock(&k, all, 6, 10, &e) == RC_INPUT ? 0 : 1);
}

static void an_agent_that_hangs_is_waited_for_once_whatever_the_order_of_nodes(
	void **state)
{
	const char *agents[2], *key = generate("-t ed25519 -N secret");
	int listening[2], terminal, status;
	char text[256];
	pid_t child;

	(void)state;
	for (int i = 0; i < 2; i++) {
		agents[i] = arena_format(&arena, "%s/agent%d", folder, i);
		listening[i] = listen_at(agents[i]);
	}
	child = forkpty(&terminal, NULL, NULL, NULL);
	if (child == 0)
		unlock_in_turn(key, agents);
	/* it asks for the passphrase, and gets none */
	while (read(terminal, text, sizeof(text)) > 0)
		if (write(terminal, "\n", 1) < 0)
			break;
	waitpid(child, &status, 0);
	close(terminal);
	assert_int_equal(status, 0);
	for (int i = 0; i < 2; i++) {
		assert_true(accept(listening[i], NULL, NULL) >= 0);
		assert_int_equal(accept(listening[i], NULL, NULL), -1);
		close(listening[i]);
	}
}

static void a_hint_is_for_one_user_and_the_last_one_counts(void **state)
{
	const struct bytes one = { (const uint8_t *)"one", 3 },
			   two = { (const uint8_t *)"two", 3 };
	struct keyring k;
	struct err e;

	(void)state;
	assert_rc(keyring_load(&k, NULL, 0, &e), RC_OK, &e);
	assert_false(keyring_is_hint(&k, "a", one));
	keyring_remember(&k, "a", one);
	assert_true(keyring_is_hint(&k, "a", one));
	assert_false(keyring_is_hint(&k, "b", one));
	keyring_remember(&k, "a", two);
	assert_true(keyring_is_hint(&k, "a", two));
	assert_false(keyring_is_hint(&k, "a", one));
	/* more users than there is room for: no hint, no harm */
	for (int i = 0; i < 2 * KEYRING_HINTS; i++)
		keyring_remember(&k, arena_format(&arena, "user%d", i), one);
	assert_true(keyring_is_hint(&k, "a", two));
	keyring_destroy(&k);
}

static int make_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/cpuherd-key.XXXXXX");
	return mkdtemp(folder) ? 0 : 1;
}

static int remove_folder(void **state)
{
	(void)state;
	test_run("rm -rf %s", folder);
	arena_destroy(&arena);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys_of_every_kind_and_format_sign),
		cmocka_unit_test(an_ed25519_key_signs),
		cmocka_unit_test(a_key_signs_only_logins_and_only_as_what_it_is),
		cmocka_unit_test(a_locked_key_gives_its_public_half),
		cmocka_unit_test(a_public_key_is_one_whatever_its_mode),
		cmocka_unit_test(the_file_of_an_authenticator_s_key_is_not_called_broken),
		cmocka_unit_test(a_key_of_another_type_is_called_that),
		cmocka_unit_test(
			a_public_key_stands_for_a_private_file_that_is_not_there),
		cmocka_unit_test(a_private_key_that_others_can_read_is_refused),
		cmocka_unit_test(what_is_no_key_is_named),
		cmocka_unit_test(a_key_file_is_refused_at_every_cut),
		cmocka_unit_test(a_changed_byte_never_makes_another_key),
		cmocka_unit_test(a_file_is_read_once_for_all_nodes),
		cmocka_unit_test(a_named_file_that_is_missing_is_an_error_in_any_order),
		cmocka_unit_test(a_default_key_that_is_none_is_passed_over),
		cmocka_unit_test(
			an_agent_that_hangs_is_waited_for_once_whatever_the_order_of_nodes),
		cmocka_unit_test(a_hint_is_for_one_user_and_the_last_one_counts),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
