/* The domain that a trial guest is, and what a coordinator may not make of it. */
#include "peer/trial_name.h"
#include "peer/trial_xml.h"
#include "tests/support/test.h"

static const char run[] = "0123456789abcdef0123456789abcdef";
static const char cpu[] = "<cpu mode='custom' match='exact'><model>Penryn</model></cpu>";

static struct arena arena;
static struct err e;

static int empty_arena(void **state)
{
	(void)state;
	arena_destroy(&arena);
	return 0;
}

static struct trial_guest a_guest(void)
{
	return (struct trial_guest){ .name = "cpuherd-r-g",
		.kind = { "kvm", "", "", "" },
		.cpu = cpu,
		.kernel = "",
		.life_s = 60 };
}

/* ---- names */

static void a_name_is_made_of_run_and_guest_and_back(void **state)
{
	char back[SCRATCH_RUN_MAX + 1];
	const char *name;

	(void)state;
	assert_rc(trial_name(run, "g17", &arena, &name, &e), RC_OK, &e);
	assert_string_equal(name, "cpuherd-0123456789abcdef0123456789abcdef-g17");
	assert_true(trial_name_is(name, back));
	assert_string_equal(back, run);
}

static void what_is_no_name_is_refused(void **state)
{
	static const char *const runs[] = { "", "1234567", "0123456789ABCDEF",
		"../../0123456789", "0123456789abcdef ", "0123456-9abcdef",
		"0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0" };
	static const char *const guests[] = { "", "G", "g-1", "g.1", "a/b",
		"aaaaaaaaaaaaaaaaa", "g\n", "\xc3\xa4" };
	const char *name;

	(void)state;
	for (size_t i = 0; i < sizeof(runs) / sizeof(runs[0]); i++)
		assert_rc(
			trial_name(runs[i], "trial", &arena, &name, &e), RC_PROTOCOL, &e);
	for (size_t i = 0; i < sizeof(guests) / sizeof(guests[0]); i++)
		assert_rc(trial_name(run, guests[i], &arena, &name, &e), RC_PROTOCOL, &e);
}

/* Such domains are never ended by the sweep. */
static void a_domain_of_the_users_is_no_trial_guest(void **state)
{
	static const char *const names[] = { "", "cpuherd", "cpuherd-", "cpuherd-db",
		"cpuherd-web-1", "cpuherd-0123456789abcdef", "cpuherd-0123456789abcdef-",
		"cpuherd-0123456789abcdef-G", "cpuherd-0123456789abcdef-g-1",
		"my-cpuherd-0123456789abcdef-g", "cpuherd-0123456789abcdeX-g",
		"cpuherd-0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
		"0-g" };
	char back[SCRATCH_RUN_MAX + 1];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		assert_false(trial_name_is(names[i], back));
}

/* ---- the domain */

static const char *made(const struct trial_guest *guest)
{
	const char *xml = NULL;

	assert_rc(trial_xml(guest, &arena, &xml, &e), RC_OK, &e);
	return xml;
}

static void defaults_of_libvirt_are_not_named(void **state)
{
	struct trial_guest guest = a_guest();

	(void)state;
	assert_string_equal(made(&guest),
		"<domain type='kvm'><name>cpuherd-r-g</name><memory "
		"unit='MiB'>16</memory><vcpu>1</vcpu>\n"
		"<os><type>hvm</type></os>\n"
		"<features><acpi/><apic/></features>\n"
		"<cpu mode='custom' match='exact'><model>Penryn</model></cpu>\n"
		"<on_poweroff>destroy</on_poweroff><on_reboot>destroy</on_reboot>"
		"<on_crash>destroy</on_crash>\n"
		"<devices><controller type='usb' model='none'/><serial type='pty'/>"
		"<memballoon model='none'/></devices></domain>\n");
}

static void what_is_asked_for_is_named(void **state)
{
	struct trial_guest guest = a_guest();
	const char *xml;

	(void)state;
	guest.kind = (struct libvirt_guest){ "qemu", "/usr/bin/qemu-system-x86_64",
		"x86_64", "pc-q35-7.2" };
	guest.kernel = "/var/tmp/cpuherd-r.elf";
	guest.cpu = " <cpu><model>Penryn</model></cpu>\n ";
	xml = made(&guest);
	assert_non_null(strstr(xml, "<domain type='qemu'>"));
	assert_non_null(
		strstr(xml, "<devices><emulator>/usr/bin/qemu-system-x86_64</emulator>"));
	assert_non_null(
		strstr(xml, "<os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type>"
			    "<kernel>/var/tmp/cpuherd-r.elf</kernel>"
			    "<cmdline>life=60</cmdline></os>\n"));
	assert_non_null(strstr(xml, "\n<cpu><model>Penryn</model></cpu>\n"));
}

static void refused(const struct trial_guest *guest)
{
	const char *xml = NULL;

	assert_rc(trial_xml(guest, &arena, &xml, &e), RC_PROTOCOL, &e);
	assert_null(xml);
}

static void what_is_more_than_a_cpu_is_refused(void **state)
{
	static const char *const cpus[] = { "", "Penryn", "<cpu>", "<domain/>",
		"<cpu/><devices/>", "<cpu/></domain>", "x<cpu/>",
		"<cpu><numa><cell memory='9'/></numa></cpu>",
		"<cpu><topology sockets='1' cores='8' threads='1'/></cpu>",
		"<cpu/><!-- --><cpu/>", "<!-- --><cpu/>" };

	(void)state;
	for (size_t i = 0; i < sizeof(cpus) / sizeof(cpus[0]); i++) {
		struct trial_guest guest = a_guest();

		guest.cpu = cpus[i];
		refused(&guest);
	}
}

static void what_could_become_another_element_is_refused(void **state)
{
	static const struct libvirt_guest kinds[] = { { "", "", "", "" },
		{ "xen", "", "", "" }, { "kvm'", "", "", "" },
		{ "kvm", "/bin/sh</emulator>", "", "" }, { "kvm", "/a&b", "", "" },
		{ "kvm", "", "x86_64'", "" }, { "kvm", "", "", "pc'><kernel/>" },
		{ "kvm", "", "", "pc q35" } };

	(void)state;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		struct trial_guest guest = a_guest();

		guest.kind = kinds[i];
		refused(&guest);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(
			a_name_is_made_of_run_and_guest_and_back, empty_arena),
		cmocka_unit_test_teardown(what_is_no_name_is_refused, empty_arena),
		cmocka_unit_test_teardown(
			a_domain_of_the_users_is_no_trial_guest, empty_arena),
		cmocka_unit_test_teardown(defaults_of_libvirt_are_not_named, empty_arena),
		cmocka_unit_test_teardown(what_is_asked_for_is_named, empty_arena),
		cmocka_unit_test_teardown(
			what_is_more_than_a_cpu_is_refused, empty_arena),
		cmocka_unit_test_teardown(
			what_could_become_another_element_is_refused, empty_arena),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
