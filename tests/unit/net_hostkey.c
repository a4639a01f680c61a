/* The policy over known_hosts: what is refused with which words, what is recorded. */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "coordinator/net/base64.h"
#include "coordinator/net/hostkey.h"
#include "tests/support/test.h"

#define KEY "AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
#define OTHER "AAAAC3NzaC1lZDI1NTE5AAAAIP8BAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"

static char folder[64], file[128];
static uint8_t key_bytes[64];
static struct bytes key;
static struct arena arena;

static struct hostkey_policy load(const char *text, bool accept_new)
{
	struct hostkey_policy p = { .accept_new = accept_new };
	const char *files[] = { file };
	struct err e;

	unlink(file);
	if (text)
		test_write_file(file, text);
	assert_rc(hostkey_load(&p, files, 1, &arena, &e), RC_OK, &e);
	return p;
}

static void assert_refused(const char *text, const char *words)
{
	for (int accept_new = 0; accept_new < 2; accept_new++) {
		struct hostkey_policy p = load(text, accept_new);
		struct err e;

		assert_int_equal(hostkey_judge(&p, "node", 22, key, &e), RC_HOSTKEY);
		assert_contains(e.text, words);
	}
}

static void a_changed_or_revoked_key_is_refused_whatever_the_options(void **state)
{
	(void)state;
	assert_refused("node ssh-ed25519 " OTHER "\n", "HOST KEY CHANGED");
	assert_refused("\n\nnode ssh-ed25519 " OTHER "\n", "/known:3 ");
	assert_refused("node ssh-ed25519 " OTHER "\n", "ssh-keygen -R 'node' -f ");
	assert_refused("@revoked * ssh-ed25519 " KEY "\n", "is revoked by");
	assert_refused("node ssh-ed25519 " KEY "\n@revoked node ssh-ed25519 " KEY "\n",
		"/known:2");
}

/* What is cut off a command that is to be typed makes it another command. */
static void the_way_out_of_a_changed_key_is_told_to_its_end(void **state)
{
	struct hostkey_policy p = { 0 };
	char path[512], wanted[600], name[240];
	const char *files[] = { path };
	struct err e;

	(void)state;
	memset(name, 'k', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	test_write_file(path, "node ssh-ed25519 " OTHER "\n");
	assert_rc(hostkey_load(&p, files, 1, &arena, &e), RC_OK, &e);
	assert_int_equal(hostkey_judge(&p, "node", 22, key, &e), RC_HOSTKEY);
	snprintf(wanted, sizeof(wanted), "ssh-keygen -R 'node' -f %s", path);
	assert_contains(e.text, wanted);
	unlink(path);
}

static void a_key_revoked_for_a_host_is_revoked_at_every_port(void **state)
{
	struct hostkey_policy p = load("@revoked node ssh-ed25519 " KEY
				       "\n[node]:2222 ssh-ed25519 " KEY "\n",
		true);
	struct err e;

	(void)state;
	assert_int_equal(hostkey_judge(&p, "node", 2222, key, &e), RC_HOSTKEY);
	assert_contains(e.text, "revoked");
}

static void an_unknown_key_is_refused_with_what_to_do(void **state)
{
	struct hostkey_policy p = load(NULL, false);
	struct err e;

	(void)state;
	assert_int_equal(hostkey_judge(&p, "node", 2222, key, &e), RC_HOSTKEY);
	assert_contains(e.text, "ssh-keyscan -t ed25519 -p 2222 node >> ");
	assert_contains(e.text, "--accept-new");
	assert_int_not_equal(access(file, F_OK), 0);
}

static void a_certificate_authority_is_said_to_be_of_no_help(void **state)
{
	struct hostkey_policy p = load(
		"@cert-authority * ssh-ed25519 " OTHER "\n", false);
	struct err e;

	(void)state;
	assert_int_equal(hostkey_judge(&p, "node", 22, key, &e), RC_HOSTKEY);
	assert_contains(e.text, "certificates of hosts are not supported");
}

/* What the file holds after a new key of the host was accepted. */
static void assert_recorded(const char *before, uint16_t port, const char *after)
{
	struct hostkey_policy p = load(before, true);
	struct err e;

	assert_rc(hostkey_judge(&p, "Node", port, key, &e), RC_OK, &e);
	assert_string_equal(test_read_file(&arena, file), after);
	/* once is enough, and the same run knows it */
	assert_rc(hostkey_judge(&p, "node", port, key, &e), RC_OK, &e);
	assert_string_equal(test_read_file(&arena, file), after);
}

static void a_new_key_is_appended_on_a_line_of_its_own(void **state)
{
	(void)state;
	assert_recorded(NULL, 22, "node ssh-ed25519 " KEY "\n");
	assert_recorded("# mine", 22, "# mine\nnode ssh-ed25519 " KEY "\n");
	assert_recorded("# mine\n", 2222, "# mine\n[node]:2222 ssh-ed25519 " KEY "\n");
}

static void the_same_run_refuses_another_key_at_the_same_address(void **state)
{
	struct hostkey_policy p = load(NULL, true);
	uint8_t other_bytes[64];
	struct bytes other = { other_bytes, 0 };
	struct err e;

	(void)state;
	base64_decode(OTHER, strlen(OTHER), other_bytes, &other.size);
	assert_rc(hostkey_judge(&p, "node", 22, key, &e), RC_OK, &e);
	assert_int_equal(hostkey_judge(&p, "node", 22, other, &e), RC_HOSTKEY);
	assert_contains(e.text, "CHANGED");
}

static void the_folder_is_made_and_kept_private(void **state)
{
	struct hostkey_policy p = { .accept_new = true };
	char path[160], dir[128];
	const char *files[] = { path };
	struct stat st;
	struct err e;

	(void)state;
	snprintf(dir, sizeof(dir), "%s/.ssh", folder);
	snprintf(path, sizeof(path), "%s/known_hosts", dir);
	assert_rc(hostkey_load(&p, files, 1, &arena, &e), RC_OK, &e);
	assert_rc(hostkey_judge(&p, "node", 22, key, &e), RC_OK, &e);
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void a_key_that_cannot_be_recorded_is_refused(void **state)
{
	struct hostkey_policy p = { .accept_new = true };
	const char *files[] = { "/nonexistent/folder/known_hosts" };
	struct err e;

	(void)state;
	assert_rc(hostkey_load(&p, files, 1, &arena, &e), RC_OK, &e);
	assert_int_equal(hostkey_judge(&p, "node", 22, key, &e), RC_HOSTKEY);
	assert_contains(e.text, "cannot be recorded in /nonexistent");
	files[0] = "/dev/full";
	assert_rc(hostkey_load(&p, files, 0, &arena, &e), RC_OK, &e);
	p.record = files[0];
	assert_int_equal(hostkey_judge(&p, "node", 22, key, &e), RC_HOSTKEY);
	assert_contains(e.text, "No space left");
	assert_int_equal(hostkey_judge(&p, "node", 22, key, &e), RC_HOSTKEY);
}

static void a_file_that_cannot_be_read_stops_the_run(void **state)
{
	struct hostkey_policy p = { .accept_new = false };
	const char *files[] = { folder };
	struct err e;

	(void)state;
	assert_int_equal(hostkey_load(&p, files, 1, &arena, &e), RC_INPUT);
	assert_contains(e.text, folder);
}

/* ---- the index itself */

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

	known_hosts_init(&k, &arena, count_warning, w);
	assert_rc(known_hosts_add(
			  &k, "f", (struct bytes){ (const uint8_t *)text, size }, &e),
		RC_OK, &e);
	return k;
}

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
	assert_int_equal(known_hosts_check(&k, "node", 22, key).verdict, KNOWN_YES);
	assert_int_equal(known_hosts_check(&k, "c", 22, key).verdict, KNOWN_YES);
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
		assert_int_equal(
			known_hosts_check(&k, "node", 22, key).verdict, KNOWN_NOT);
	}
}

static void a_pattern_of_many_stars_takes_no_time(void **state)
{
	char text[1024] = "", host[128];
	struct warned w = { 0, 0 };
	struct known_hosts k;

	(void)state;
	for (int i = 0; i < 60; i++)
		strcat(text, "*a");
	strcat(text, "b ssh-ed25519 " KEY "\n");
	memset(host, 'a', sizeof(host));
	host[127] = '\0';
	k = index_of(text, strlen(text), &w);
	alarm(5);
	assert_int_equal(known_hosts_check(&k, host, 22, key).verdict, KNOWN_NOT);
	alarm(0);
}

static void known_types_are_listed_once_in_order(void **state)
{
	static const char text[] = "node ssh-ed25519 " KEY "\nnode ssh-ed25519 " OTHER
				   "\n"
				   "@revoked node ssh-ed25519 " KEY
				   "\nother ssh-ed25519 " KEY "\n";
	const char *types[KNOWN_TYPES_MAX + 1];
	struct warned w = { 0, 0 };
	struct known_hosts k = index_of(text, sizeof(text) - 1, &w);

	(void)state;
	assert_int_equal(known_hosts_types(&k, "node", 22, types), 1);
	assert_string_equal(types[0], "ssh-ed25519");
	assert_int_equal(known_hosts_types(&k, "node", 23, types), 0);
	assert_null(types[0]);
}

static int make(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	snprintf(folder, sizeof(folder), "%.40s/cpuherd-key.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(folder))
		return 1;
	snprintf(file, sizeof(file), "%s/known", folder);
	key.data = key_bytes;
	return !base64_decode(KEY, strlen(KEY), key_bytes, &key.size);
}

static int unmake(void **state)
{
	char command[128];

	(void)state;
	arena_destroy(&arena);
	snprintf(command, sizeof(command), "rm -rf %s", folder);
	return system(command);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			a_changed_or_revoked_key_is_refused_whatever_the_options),
		cmocka_unit_test(the_way_out_of_a_changed_key_is_told_to_its_end),
		cmocka_unit_test(a_key_revoked_for_a_host_is_revoked_at_every_port),
		cmocka_unit_test(an_unknown_key_is_refused_with_what_to_do),
		cmocka_unit_test(a_certificate_authority_is_said_to_be_of_no_help),
		cmocka_unit_test(a_new_key_is_appended_on_a_line_of_its_own),
		cmocka_unit_test(the_same_run_refuses_another_key_at_the_same_address),
		cmocka_unit_test(the_folder_is_made_and_kept_private),
		cmocka_unit_test(a_key_that_cannot_be_recorded_is_refused),
		cmocka_unit_test(a_file_that_cannot_be_read_stops_the_run),
		cmocka_unit_test(a_bad_line_is_named_and_drops_nothing_else),
		cmocka_unit_test(every_prefix_of_a_file_is_harmless),
		cmocka_unit_test(a_pattern_of_many_stars_takes_no_time),
		cmocka_unit_test(known_types_are_listed_once_in_order),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, make, unmake);
}
