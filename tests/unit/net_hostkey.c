/* The policy over known_hosts: what is refused with which words, what is recorded. */
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "coordinator/net/base64.h"
#include "coordinator/net/hostkey.h"
#include "tests/support/test.h"

#define KEY "AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"
#define OTHER "AAAAC3NzaC1lZDI1NTE5AAAAIP8BAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f"

static char folder[64], file[128], second_file[128];
static uint8_t key_bytes[64], other_bytes[64];
static struct bytes key = { key_bytes, 0 }, other = { other_bytes, 0 };
static struct arena arena;
static struct hostkey_policy policy;
static const char *files[2];
static struct err e;

/* A policy that has read nothing. */
static void start_over(void)
{
	hostkey_destroy(&policy);
	hostkey_init(&policy);
}

/* A node whose only file holds the text; NULL: it is not there. */
static struct ssh_settings node_with(const char *text, enum ssh_strict strict)
{
	start_over();
	files[0] = file;
	files[1] = second_file;
	unlink(file);
	if (text)
		test_write_file(file, text);
	return (struct ssh_settings){
		.host = "node", .port = 22, .known_hosts = { files, 1 }, .strict = strict
	};
}

static enum rc judge(const struct ssh_settings *node)
{
	return hostkey_judge(&policy, node, key, &e);
}

static void assert_refused(const char *text, const char *words)
{
	for (enum ssh_strict strict = SSH_STRICT_YES; strict <= SSH_STRICT_NEW;
		strict++) {
		struct ssh_settings node = node_with(text, strict);

		assert_int_equal(judge(&node), RC_HOSTKEY);
		assert_contains(e.text, words);
		assert_string_equal(test_read_file(&arena, file), text);
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
	struct ssh_settings node = node_with(NULL, SSH_STRICT_YES);
	char path[512], wanted[600], name[240];

	(void)state;
	memset(name, 'k', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	snprintf(path, sizeof(path), "%s/%s", folder, name);
	test_write_file(path, "node ssh-ed25519 " OTHER "\n");
	files[0] = path;
	assert_int_equal(judge(&node), RC_HOSTKEY);
	snprintf(wanted, sizeof(wanted), "ssh-keygen -R 'node' -f %s", path);
	assert_contains(e.text, wanted);
	unlink(path);
}

static void a_key_revoked_for_a_host_is_revoked_at_every_port(void **state)
{
	struct ssh_settings node = node_with("@revoked node ssh-ed25519 " KEY
					     "\n[node]:2222 ssh-ed25519 " KEY "\n",
		SSH_STRICT_NEW);

	(void)state;
	node.port = 2222;
	assert_int_equal(judge(&node), RC_HOSTKEY);
	assert_contains(e.text, "revoked");
}

static void an_unknown_key_is_refused_with_what_to_do(void **state)
{
	struct ssh_settings node = node_with(NULL, SSH_STRICT_YES);

	(void)state;
	node.port = 2222;
	assert_int_equal(judge(&node), RC_HOSTKEY);
	assert_contains(e.text, "ssh-keyscan -t ed25519 -p 2222 node >> ");
	assert_contains(e.text, "--accept-new");
	assert_int_not_equal(access(file, F_OK), 0);
}

/* ssh takes such a line; who has relied on it must see why it is not enough. */
static void a_line_without_a_port_is_named_where_another_port_is_asked(void **state)
{
	static const char *const keys[] = { KEY, OTHER };

	(void)state;
	for (int i = 0; i < 2; i++) {
		struct ssh_settings node = node_with(
			arena_format(&arena, "\nnode ssh-ed25519 %s\n", keys[i]),
			SSH_STRICT_YES);

		node.port = 2222;
		assert_int_equal(judge(&node), RC_HOSTKEY);
		assert_contains(e.text, "/known:2, without a port, speaks for port 22");
		assert_contains(e.text, "as a key of [node]:2222");
	}
}

static void no_keyscan_is_advised_where_it_would_not_help(void **state)
{
	struct ssh_settings node = node_with(NULL, SSH_STRICT_YES);

	(void)state;
	node.host_key_alias = "rack7";
	assert_int_equal(judge(&node), RC_HOSTKEY);
	assert_null(strstr(e.text, "keyscan"));
	assert_contains(e.text, "as a key of rack7");
	node.host_key_alias = NULL;
	node.proxy_command = "nc";
	assert_int_equal(judge(&node), RC_HOSTKEY);
	assert_null(strstr(e.text, "keyscan"));
}

/* Who trusts an authority for a host does not want its first key that comes along. */
static void a_certificate_authority_is_said_to_be_of_no_help(void **state)
{
	struct ssh_settings node;

	(void)state;
	assert_refused("@cert-authority * ssh-ed25519 " OTHER "\n",
		"certificates of hosts are not supported");
	assert_refused("\n@cert-authority node ssh-ed25519 " OTHER "\n", "/known:2 ");
	node = node_with("@cert-authority * ssh-ed25519 " OTHER "\nnode ssh-ed25519 " KEY
			 "\n",
		SSH_STRICT_YES);
	assert_rc(judge(&node), RC_OK, &e);
}

/* What the file holds after a new key of the host was accepted. */
static void assert_recorded(const char *before, uint16_t port, const char *after)
{
	struct ssh_settings node = node_with(before, SSH_STRICT_NEW);

	node.host = "Node";
	node.port = port;
	assert_rc(judge(&node), RC_OK, &e);
	assert_string_equal(test_read_file(&arena, file), after);
	/* once is enough, and the same run knows it */
	node.host = "node";
	assert_rc(judge(&node), RC_OK, &e);
	assert_string_equal(test_read_file(&arena, file), after);
}

static void a_new_key_is_appended_on_a_line_of_its_own(void **state)
{
	(void)state;
	assert_recorded(NULL, 22, "node ssh-ed25519 " KEY "\n");
	assert_recorded("# mine", 22, "# mine\nnode ssh-ed25519 " KEY "\n");
	assert_recorded("# mine\n", 2222, "# mine\n[node]:2222 ssh-ed25519 " KEY "\n");
}

static void assert_same_run_refuses_another(const char *before, const char *where)
{
	struct ssh_settings node = node_with(before, SSH_STRICT_NEW);

	assert_rc(judge(&node), RC_OK, &e);
	assert_int_equal(hostkey_judge(&policy, &node, other, &e), RC_HOSTKEY);
	assert_contains(e.text, "CHANGED");
	assert_contains(e.text, where);
}

static void the_same_run_refuses_another_key_at_the_same_address(void **state)
{
	(void)state;
	assert_same_run_refuses_another(NULL, "/known:1 ");
	assert_same_run_refuses_another("# mine\n\n", "/known:3 ");
	assert_same_run_refuses_another("# mine\n# no end", "/known:3 ");
}

static void the_folder_is_made_and_kept_private(void **state)
{
	struct ssh_settings node = node_with(NULL, SSH_STRICT_NEW);
	char path[160], dir[128];
	struct stat st;

	(void)state;
	snprintf(dir, sizeof(dir), "%s/.ssh", folder);
	snprintf(path, sizeof(path), "%s/known_hosts", dir);
	files[0] = path;
	assert_rc(judge(&node), RC_OK, &e);
	assert_int_equal(stat(dir, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
}

static void a_key_that_cannot_be_recorded_is_refused(void **state)
{
	struct ssh_settings node = node_with(NULL, SSH_STRICT_NEW);

	(void)state;
	files[0] = "/nonexistent/folder/known_hosts";
	assert_int_equal(judge(&node), RC_HOSTKEY);
	assert_contains(e.text, "cannot be recorded in /nonexistent");
	files[0] = "/dev/full";
	assert_rc(hostkey_load_text(&policy, "/dev/full", (struct bytes){ NULL, 0 }, &e),
		RC_OK, &e);
	assert_int_equal(judge(&node), RC_HOSTKEY);
	assert_contains(e.text, "No space left");
	assert_int_equal(judge(&node), RC_HOSTKEY);
	node.known_hosts.count = 0;
	assert_int_equal(judge(&node), RC_HOSTKEY);
	assert_contains(e.text, "no known_hosts file");
}

/* "*" would trust the key for every host, "a,b" for two. */
static void a_name_that_would_read_as_another_is_not_recorded(void **state)
{
	static const char *const names[] = { "*", "a,b", "a b", "#a", "@revoked", "|1|",
		"!a", "a?", "a\nb", "" };

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct ssh_settings node = node_with(NULL, SSH_STRICT_NEW);

		node.host_key_alias = names[i];
		assert_int_equal(judge(&node), RC_HOSTKEY);
		assert_contains(e.text, "cannot be recorded");
		assert_int_not_equal(access(file, F_OK), 0);
	}
}

/* A name that was cut would be that of another host. */
static void a_name_that_is_too_long_is_refused(void **state)
{
	struct ssh_settings node = node_with("* ssh-ed25519 " KEY "\n", SSH_STRICT_NEW);
	char name[KNOWN_NAME_MAX + 1];

	(void)state;
	memset(name, 'n', sizeof(name));
	name[KNOWN_NAME_MAX] = '\0';
	node.host = name;
	assert_int_equal(judge(&node), RC_HOSTKEY);
	assert_contains(e.text, "too long");
	node.host = "node";
	node.host_key_alias = name;
	assert_int_equal(judge(&node), RC_HOSTKEY);
	name[KNOWN_NAME_MAX - 1] = '\0';
	assert_rc(judge(&node), RC_OK, &e);
	node.host_key_alias = NULL;
	node.host = name;
	assert_rc(judge(&node), RC_OK, &e);
	node.port = 2222;
	assert_int_equal(judge(&node), RC_HOSTKEY);
}

static void a_file_that_cannot_be_read_stops_the_run(void **state)
{
	struct ssh_settings node = node_with(NULL, SSH_STRICT_YES);
	const char *types[KNOWN_TYPES_MAX + 1];

	(void)state;
	files[0] = folder;
	assert_int_equal(hostkey_load(&policy, &node, &e), RC_INPUT);
	assert_contains(e.text, folder);
	assert_int_equal(judge(&node), RC_INPUT);
	assert_int_equal(hostkey_types(&policy, &node, types, &e), RC_INPUT);
	assert_null(types[0]);
}

/* ---- many nodes */

static void an_alias_stands_for_host_and_port(void **state)
{
	struct ssh_settings node = node_with(
		"rack7 ssh-ed25519 " KEY "\n", SSH_STRICT_YES);

	(void)state;
	node.port = 2222;
	assert_int_equal(judge(&node), RC_HOSTKEY);
	node.host_key_alias = "rack7";
	assert_rc(judge(&node), RC_OK, &e);
	node = node_with(NULL, SSH_STRICT_NEW);
	node.port = 2222;
	node.host_key_alias = "rack7";
	assert_rc(judge(&node), RC_OK, &e);
	assert_string_equal(test_read_file(&arena, file), "rack7 ssh-ed25519 " KEY "\n");
}

/* Two lists of files in one run: a line speaks only where its file is listed. */
static void each_node_has_files_of_its_own(void **state)
{
	struct ssh_settings a = node_with("node ssh-ed25519 " KEY "\n", SSH_STRICT_YES);
	struct ssh_settings b = a, both = a;
	const char *types[KNOWN_TYPES_MAX + 1];

	(void)state;
	test_write_file(second_file, "@revoked * ssh-ed25519 " KEY "\n");
	b.known_hosts = (struct texts){ &files[1], 1 };
	both.known_hosts.count = 2;
	assert_rc(judge(&a), RC_OK, &e);
	assert_int_equal(judge(&b), RC_HOSTKEY);
	assert_int_equal(judge(&both), RC_HOSTKEY);
	assert_contains(e.text, "/second:1");
	assert_rc(hostkey_types(&policy, &a, types, &e), RC_OK, &e);
	assert_string_equal(types[0], "ssh-ed25519");
	assert_rc(hostkey_types(&policy, &b, types, &e), RC_OK, &e);
	assert_null(types[0]);
}

static void a_new_key_goes_to_the_first_file_of_its_node(void **state)
{
	struct ssh_settings a = node_with(NULL, SSH_STRICT_NEW), b = a;

	(void)state;
	test_write_file(second_file, "");
	b.known_hosts = (struct texts){ &files[1], 1 };
	assert_rc(judge(&b), RC_OK, &e);
	assert_string_equal(
		test_read_file(&arena, second_file), "node ssh-ed25519 " KEY "\n");
	assert_int_not_equal(access(file, F_OK), 0);
	a.strict = SSH_STRICT_YES;
	assert_int_equal(judge(&a), RC_HOSTKEY);
}

static void what_was_recorded_is_known_where_that_file_is_listed(void **state)
{
	struct ssh_settings both = node_with(NULL, SSH_STRICT_NEW), first = both,
			    second = both;

	(void)state;
	test_write_file(second_file, "");
	both.known_hosts.count = 2;
	assert_rc(judge(&both), RC_OK, &e);
	first.strict = second.strict = SSH_STRICT_YES;
	second.known_hosts = (struct texts){ &files[1], 1 };
	assert_rc(judge(&first), RC_OK, &e);
	assert_int_equal(judge(&second), RC_HOSTKEY);
}

static void a_file_is_read_once_a_run(void **state)
{
	struct ssh_settings node = node_with(
		"node ssh-ed25519 " KEY "\n", SSH_STRICT_YES);

	(void)state;
	assert_rc(hostkey_load(&policy, &node, &e), RC_OK, &e);
	unlink(file);
	assert_rc(hostkey_load(&policy, &node, &e), RC_OK, &e);
	assert_rc(judge(&node), RC_OK, &e);
}

enum { THREADS = 8, HOSTS = 1000 };

static pthread_barrier_t together;

static void *accept_all(void *failures)
{
	char host[16];
	struct ssh_settings node = { .host = host,
		.port = 22,
		.known_hosts = { files, 1 },
		.strict = SSH_STRICT_NEW };
	struct err mine;

	for (int i = 0; i < HOSTS; i++) {
		pthread_barrier_wait(&together);
		snprintf(host, sizeof(host), "node%d", i);
		*(unsigned *)failures += hostkey_judge(&policy, &node, key, &mine) !=
					 RC_OK;
	}
	return NULL;
}

static void threads_record_a_new_key_once(void **state)
{
	pthread_t threads[THREADS];
	unsigned failures[THREADS] = { 0 }, lines = 0;

	(void)state;
	node_with(NULL, SSH_STRICT_NEW);
	pthread_barrier_init(&together, NULL, THREADS);
	for (int i = 0; i < THREADS; i++)
		assert_int_equal(
			pthread_create(&threads[i], NULL, accept_all, &failures[i]), 0);
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		assert_int_equal(failures[i], 0);
	}
	pthread_barrier_destroy(&together);
	for (const char *c = test_read_file(&arena, file); *c; c++)
		lines += *c == '\n';
	assert_int_equal(lines, HOSTS);
}

static int make(void **state)
{
	const char *tmp = getenv("TMPDIR");

	(void)state;
	hostkey_init(&policy);
	snprintf(folder, sizeof(folder), "%.40s/cpuherd-key.XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(folder))
		return 1;
	snprintf(file, sizeof(file), "%s/known", folder);
	snprintf(second_file, sizeof(second_file), "%s/second", folder);
	return !base64_decode(KEY, strlen(KEY), key_bytes, &key.size) ||
	       !base64_decode(OTHER, strlen(OTHER), other_bytes, &other.size);
}

static int unmake(void **state)
{
	char command[128];

	(void)state;
	hostkey_destroy(&policy);
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
		cmocka_unit_test(
			a_line_without_a_port_is_named_where_another_port_is_asked),
		cmocka_unit_test(no_keyscan_is_advised_where_it_would_not_help),
		cmocka_unit_test(a_certificate_authority_is_said_to_be_of_no_help),
		cmocka_unit_test(a_new_key_is_appended_on_a_line_of_its_own),
		cmocka_unit_test(the_same_run_refuses_another_key_at_the_same_address),
		cmocka_unit_test(the_folder_is_made_and_kept_private),
		cmocka_unit_test(a_key_that_cannot_be_recorded_is_refused),
		cmocka_unit_test(a_name_that_would_read_as_another_is_not_recorded),
		cmocka_unit_test(a_name_that_is_too_long_is_refused),
		cmocka_unit_test(a_file_that_cannot_be_read_stops_the_run),
		cmocka_unit_test(an_alias_stands_for_host_and_port),
		cmocka_unit_test(each_node_has_files_of_its_own),
		cmocka_unit_test(a_new_key_goes_to_the_first_file_of_its_node),
		cmocka_unit_test(what_was_recorded_is_known_where_that_file_is_listed),
		cmocka_unit_test(a_file_is_read_once_a_run),
		cmocka_unit_test(threads_record_a_new_key_once),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, make, unmake);
}
