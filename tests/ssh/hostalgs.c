/* HostKeyAlgorithms as we read it against what `ssh -G` makes of it. */
#include <stdlib.h>
#include <unistd.h>

#include "coordinator/net/hostalgs.h"
#include "tests/support/test.h"

static char default_list[HOSTALGS_BYTES];

/* ssh's list for the wish without certificates, and without what no host has;
 * false when ssh refuses the wish. */
static bool ask_ssh(const char *wish, char list[static HOSTALGS_BYTES])
{
	static const char head[] = "hostkeyalgorithms ";
	char line[4096], command[1024];
	bool found = false;
	FILE *out;

	*list = '\0';
	snprintf(command, sizeof(command),
		"ssh -F none -G %s%s%s x 2>/dev/null </dev/null",
		*wish ? "-o HostKeyAlgorithms='" : "", wish, *wish ? "'" : "");
	out = popen(command, "r");
	assert_non_null(out);
	while (fgets(line, sizeof(line), out)) {
		if (strncmp(line, head, sizeof(head) - 1) != 0)
			continue;
		found = true;
		for (char *name = strtok(line + sizeof(head) - 1, ",\n"); name;
			name = strtok(NULL, ",\n")) {
			if (strstr(name, "-cert-v") || strstr(name, "webauthn"))
				continue;
			strcat(list, *list ? "," : "");
			strcat(list, name);
		}
	}
	pclose(out);
	return found && *list;
}

/* In which order a pattern finds names is a matter of the program's own lists. */
static void sort_names(char list[static HOSTALGS_BYTES])
{
	char copy[HOSTALGS_BYTES], command[HOSTALGS_BYTES + 64];
	FILE *out;

	snprintf(command, sizeof(command), "echo %s | tr , '\\n' | sort | paste -sd,",
		list);
	out = popen(command, "r");
	assert_non_null(out);
	assert_non_null(fgets(copy, sizeof(copy), out));
	pclose(out);
	copy[strcspn(copy, "\n")] = '\0';
	strcpy(list, copy);
}

static void assert_as_ssh(const char *wish)
{
	static const char *const nothing_known[] = { NULL };
	const char *supported[HOSTALGS_MAX] = { NULL };
	char names[HOSTALGS_BYTES], ours[HOSTALGS_BYTES], theirs[HOSTALGS_BYTES];
	size_t count = 0;
	struct err e;
	enum rc rc;

	strcpy(names, default_list);
	for (char *name = strtok(names, ","); name; name = strtok(NULL, ","))
		supported[count++] = name;
	supported[count++] = "ssh-rsa";
	supported[count++] = "ssh-dss";
	rc = hostalgs_choose(wish, nothing_known, supported, ours, &e);
	assert_rc(rc, ask_ssh(wish, theirs) ? RC_OK : RC_INPUT, &e);
	if (rc != RC_OK)
		return;
	if (strpbrk(wish, "*?")) {
		sort_names(ours);
		sort_names(theirs);
	}
	if (strcmp(ours, theirs) != 0)
		fail_msg("\"%s\": ours %s, ssh %s", wish, ours, theirs);
}

static void written_wishes_are_read_as_ssh_reads_them(void **state)
{
	static const char *const wishes[] = { "", "+ssh-rsa", "+ssh-rsa,ssh-dss",
		"-ssh-ed25519", "-*", "-*,!ssh-ed25519", "^rsa-sha2-256", "^ssh-rsa",
		"ssh-rsa", "*", "ecdsa*", "*-nistp?2?", "ssh-ed25519,!ssh-dss",
		"ssh-ed25519,ssh-ed25519", "SSH-ED25519" };

	(void)state;
	for (size_t i = 0; i < sizeof(wishes) / sizeof(*wishes); i++)
		assert_as_ssh(wishes[i]);
}

static void random_wishes_are_read_as_ssh_reads_them(void **state)
{
	static const char *const signs[] = { "", "", "+", "-", "^" };
	static const char *const names[] = { "ssh-ed25519", "ecdsa-sha2-nistp256",
		"ecdsa-sha2-nistp521", "rsa-sha2-512", "rsa-sha2-256", "ssh-rsa",
		"ssh-dss", "ecdsa*", "rsa-*", "*", "ssh-???", "ssh-*",
		"ssh-ed25519-cert-v01@openssh.com" };
	uint64_t random = 3;

	(void)state;
	for (int round = 0; round < 80; round++) {
		char wish[512];

		strcpy(wish, signs[test_random(&random) % 5]);
		for (uint32_t n = 1 + test_random(&random) % 4; n > 0; n--) {
			strcat(wish, wish[0] == '-' && test_random(&random) % 4 == 0
					     ? "!"
					     : "");
			strcat(wish, names[test_random(&random) % 13]);
			strcat(wish, n > 1 ? "," : "");
		}
		assert_as_ssh(wish);
	}
}

static int make(void **state)
{
	(void)state;
	if (access("/usr/bin/ssh", X_OK) != 0) {
		printf("skipped: ssh is missing\n");
		exit(77);
	}
	return !ask_ssh("", default_list);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(written_wishes_are_read_as_ssh_reads_them),
		cmocka_unit_test(random_wishes_are_read_as_ssh_reads_them),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, make, NULL);
}
