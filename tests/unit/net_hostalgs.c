/* Which algorithms for host keys are asked for, in which order. */
#include "coordinator/net/hostalgs.h"
#include "tests/support/test.h"

/* E, C, R, S, D, X: short for the names, in wishes and in what is wanted. */
static const struct short_name {
	char letter;
	const char *name;
} short_names[] = {
	{ 'E', "ssh-ed25519" },
	{ 'C', "ecdsa-sha2-nistp256" },
	{ 'P', "ecdsa-sha2-nistp521" },
	{ 'S', "rsa-sha2-512" },
	{ 'T', "rsa-sha2-256" },
	{ 'R', "ssh-rsa" },
	{ 'D', "ssh-dss" },
	{ 'X', "ecdsa-sha2-nistp256-cert-v01@openssh.com" },
	{ 'Y', "rsa-sha2-512-cert-v01@openssh.com" },
};

static const char *name_of(char letter)
{
	for (size_t i = 0; i < sizeof(short_names) / sizeof(*short_names); i++)
		if (short_names[i].letter == letter)
			return short_names[i].name;
	return NULL;
}

/* "+E,*dss" to "+ssh-ed25519,*dss" */
static void expand(const char *from, char to[static 512])
{
	*to = '\0';
	for (; *from; from++)
		if (name_of(*from))
			strcat(to, name_of(*from));
		else
			strncat(to, from, 1);
}

static void list_names(const char *letters, const char **names)
{
	for (; *letters; letters++)
		*names++ = name_of(*letters);
	*names = NULL;
}

#define OLD "CPXERD"   /* what libssh2 1.10 has, in its order */
#define NEW "CPXESTRY" /* and a newer one */

static const struct row {
	const char *wish, *types, *supported, *wanted;
} rows[] = {
	{ NULL, "", OLD, "E,C,P,R" },
	{ NULL, "", NEW, "E,C,P,S,T" },
	{ "", "", NEW, "E,C,P,S,T" },
	/* Ed25519 first, as in ssh; before it the types that are known, in the order they
	 * are liked */
	{ NULL, "E", OLD, "E,C,P,R" },
	{ NULL, "R", OLD, "R,E,C,P" },
	{ NULL, "R", NEW, "S,T,E,C,P" },
	{ NULL, "RE", NEW, "S,T,E,C,P" },
	{ NULL, "D", OLD, "E,C,P,R" },
	{ NULL, "D", NEW, "E,C,P,S,T" },
	/* taken away, the known first */
	{ "-E", "E", OLD, "C,P,R" },
	{ "-ecdsa*", "R", NEW, "S,T,E" },
	{ "-*", "", OLD, NULL },
	{ "-*,!E", "", OLD, "E" },
	/* added */
	{ "+D", "", OLD, "E,C,P,R,D" },
	{ "+R", "", NEW, "E,C,P,S,T,R" },
	{ "+R", "R", NEW, "S,T,R,E,C,P" },
	{ "+E", "", OLD, "E,C,P,R" },
	{ "+X", "", OLD, "E,C,P,R" },
	/* first, whatever is known */
	{ "^E", "C", OLD, "E,C,P,R" },
	{ "^rsa*,E", "C", NEW, "S,T,E,C,P" },
	{ "^D", "", OLD, "D,E,C,P,R" },
	/* only these, in this order, whatever is known */
	{ "E", "C", OLD, "E" },
	{ "E,C", "C", OLD, "E,C" },
	{ "R,E", "", NEW, "R,E" },
	{ "ecdsa*", "", OLD, "C,P" },
	{ "*", "", OLD, "E,C,P,R,D" },
	{ "*-nistp?2?", "", OLD, "P" },
	{ "E,E,E", "", OLD, "E" },
	{ "S,E", "", OLD, "E" },
	{ "never-heard,E", "", OLD, "E" },
	{ "S", "", OLD, NULL },
	{ "X", "", OLD, NULL },
	{ "E,!C", "", OLD, NULL },
	{ "+!C", "", OLD, NULL },
};

static void wishes_become_the_names_that_ssh_would_ask_for(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		const struct row *row = &rows[i];
		const char *types[16], *supported[16];
		char wish[512], wanted[512], list[HOSTALGS_BYTES] = "";
		struct err e;
		enum rc rc;

		list_names(row->types, types);
		list_names(row->supported, supported);
		expand(row->wish ? row->wish : "", wish);
		expand(row->wanted ? row->wanted : "", wanted);
		rc = hostalgs_choose(row->wish ? wish : NULL, types, supported, list, &e);
		assert_rc(rc, row->wanted ? RC_OK : RC_INPUT, &e);
		if (row->wanted && strcmp(list, wanted) != 0)
			fail_msg(
				"row %zu: \"%s\" gave %s, not %s", i, wish, list, wanted);
		if (!row->wanted)
			assert_contains(e.text, wish);
	}
}

/* Whatever is wished: names that the library has, each once, none a certificate. */
static void no_wish_leads_to_a_name_that_cannot_be_used(void **state)
{
	static const char alphabet[] = "ECPSTRDXY*?!,+-^,,";
	uint64_t random = 7;

	(void)state;
	for (int round = 0; round < 20000; round++) {
		char text[12] = "", wish[512], list[HOSTALGS_BYTES] = "";
		const char *types[16], *supported[16];
		bool seen[128] = { false };
		struct err e;

		for (uint32_t n = test_random(&random) % 10, i = 0; i < n; i++)
			text[i] = alphabet[test_random(&random) % (sizeof(alphabet) - 1)];
		list_names(round % 3 ? "RE" : "", types);
		list_names(round % 2 ? OLD : NEW, supported);
		expand(text, wish);
		if (hostalgs_choose(wish, types, supported, list, &e) != RC_OK)
			continue;
		for (char *name = strtok(list, ","); name; name = strtok(NULL, ",")) {
			size_t i = 0;

			while (supported[i] && strcmp(supported[i], name) != 0)
				i++;
			assert_non_null(supported[i]);
			assert_false(seen[i]);
			assert_null(strstr(name, "cert"));
			seen[i] = true;
		}
	}
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wishes_become_the_names_that_ssh_would_ask_for),
		cmocka_unit_test(no_wish_leads_to_a_name_that_cannot_be_used),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
