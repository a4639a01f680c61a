/* Why migrations fail: true words of libvirt, QEMU and ssh, and what is made of them. */
#include "coordinator/verb/cause.h"
#include "tests/support/test.h"

static struct arena arena;

static struct facts facts(const char *host_uuid)
{
	return (struct facts){ .hostname = "",
		.host_uuid = host_uuid,
		.arch = "x86_64",
		.kernel = "6.1.0",
		.microcode = "0xf0",
		.physical_address_bits = 46,
		.hypervisor_version = 7002000 };
}

static const char *cause_of(const char *words)
{
	struct cause_evidence ev = { .words = { words } };

	return cause_find(&ev, &arena);
}

/* What a word must lead to: part of the cause, and part of what to do. */
static const struct {
	const char *words, *cause, *remedy;
} cases[] = {
	{ "operation failed: guest CPU doesn't match specification: missing features: "
	  "avx2,bmi2",
		"cannot give a guest all of its CPU: avx2,bmi2", "cpuherd negotiate" },
	{ "unsupported configuration: guest CPU doesn't match specification: extra "
	  "features: vme, missing features: pcid",
		"all of its CPU: pcid", "cpuherd negotiate" },
	{ "operation failed: guest CPU doesn't match specification: extra features: "
	  "arch-capabilities",
		"more than its CPU: arch-capabilities", "cpuherd prove" },
	{ "the CPU is incompatible with host CPU: Host CPU does not provide required "
	  "features: hle, rtm",
		"lacks features of the guest's: hle, rtm", "cpuherd negotiate" },
	{ "unsupported configuration: guest and host CPU are not compatible: host CPU "
	  "vendor does not match required CPU vendor Intel",
		"different vendors", "--without" },
	{ "internal error: Attempt to migrate guest to the same host "
	  "03000200-0400-0500-0006-000700080009",
		"same host UUID, as cloned machines do: "
		"03000200-0400-0500-0006-000700080009",
		"host_uuid in" },
	{ "Requested operation is not valid: domain is marked for auto destroy",
		"may not migrate", "report it" },
	{ "internal error: hostname on destination resolved to localhost, but migration "
	  "requires an FQDN",
		"means localhost there", "migration_host" },
	{ "internal error: Unable to find an unused port in range 'migration' "
	  "(49152-49215)",
		"all ports for migrations are taken", "migration_port_max" },
	{ "operation failed: Failed to connect to remote libvirt URI "
	  "qemu+ssh://node02/system: Cannot recv data: @    WARNING: REMOTE HOST "
	  "IDENTIFICATION HAS CHANGED!     @ Host key verification failed.: Connection "
	  "reset by peer",
		"another host key of the target", "make sure" },
	{ "operation failed: Failed to connect to remote libvirt URI "
	  "qemu+ssh://node02/system: Cannot recv data: Host key verification failed.: "
	  "Connection reset by peer",
		"does not know the target's host key", "known_hosts of root" },
	{ "Cannot recv data: root@node02: Permission denied (publickey,password).: "
	  "Connection reset by peer",
		"refused the login", "authorized_keys" },
	{ "Cannot recv data: kex_exchange_identification: Connection closed by remote "
	  "host: Connection reset by peer",
		"before the login", "MaxStartups" },
	{ "End of file while reading data: sh: 1: nc: not found: Input/output error",
		"netcat is missing", "install it" },
	{ "End of file while reading data: bash: line 1: nc: command not found: "
	  "Input/output error",
		"netcat is missing", "install it" },
	{ "authentication unavailable: no polkit agent available to authenticate action "
	  "'org.libvirt.unix.manage'",
		"may not use libvirt", "group libvirt" },
	{ "Unable to resolve address 'newyork' service '49155': Name or service not "
	  "known",
		"name that the target gives itself: 'newyork'", "--migrate-data" },
	{ "unable to connect: Unable to resolve address 'node09' service '16509': Name "
	  "or service not known",
		"resolve the target's name: 'node09'", "--migrate-uri" },
	{ "Cannot recv data: ssh: Could not resolve hostname node09: Name or service not "
	  "known: Connection reset by peer",
		"resolve the target's name: node09", "--migrate-uri" },
	{ "node02 does not resolve here", "resolve the target's name", "/etc/hosts" },
	{ "internal error: unable to execute QEMU command 'object-add': Unable to access "
	  "credentials /etc/pki/qemu/ca-cert.pem: No such file or directory",
		"QEMU's own certificates are missing: /etc/pki/qemu/ca-cert.pem",
		"--migrate-tls" },
	{ "authentication failed: Failed to verify peer's certificate: The certificate "
	  "is not trusted.",
		"same authority", "cacert.pem" },
	{ "The server certificate /etc/pki/libvirt/servercert.pem has expired",
		"has expired", "renew" },
	{ "Certificate [session] owner does not match the hostname node02",
		"another name", "subjectAltName" },
	{ "Cannot read CA certificate '/etc/pki/CA/cacert.pem': No such file or "
	  "directory",
		"no certificates for qemu+tls: '/etc/pki/CA/cacert.pem'", "qemu+ssh" },
	{ "Our own certificate /etc/pki/libvirt/servercert.pem failed validation against "
	  "/etc/pki/CA/cacert.pem: The certificate hasn't got a known issuer.",
		"was not accepted", "/etc/pki" },
	{ "Failed to connect socket to '/run/libvirt/libvirt-sock': No such file or "
	  "directory",
		"libvirt does not run on the target, or its socket is elsewhere: "
		"'/run/libvirt/libvirt-sock'",
		"libvirtd or virtqemud" },
	{ "internal error: connection closed due to keepalive timeout",
		"did not answer any more", "load" },
	{ "no connection driver available for qemu:///systm: not found", "no QEMU driver",
		"--migrate-uri" },
	{ "Too many active clients, dropping connection from 10.0.0.1",
		"no more connections", "max_clients" },
	{ "unsupported configuration: Emulator '/usr/bin/qemu-system-x86_64' does not "
	  "support machine type 'pc-q35-9.2'",
		"too old for the guest's machine type: 'pc-q35-9.2'", "cpuherd plan" },
	{ "qemu-system-x86_64: unsupported machine type 'pc-i440fx-10.0'",
		"machine type: 'pc-i440fx-10.0'", "cpuherd plan" },
	{ "qemu-system-x86_64: Unknown savevm section or instance 'acpi_erst' 0. Make "
	  "sure that your current VM setup matches your saved VM setup, including any "
	  "hotplugged devices",
		"sends what the target's does not know", "newer ones only" },
	{ "qemu-system-x86_64: Unknown ramblock \"/rom@etc/acpi/tables\", cannot accept "
	  "migration",
		"another machine", "firmware" },
	{ "qemu-system-x86_64: Missing section footer for cpu_common", "another way",
		"newer ones only" },
	{ "qemu-system-x86_64: phys-bits should be between 32 and 39  (but is 46)",
		"wider than the target allows", "<maxphysaddr>" },
	{ "qemu-system-x86_64: Address space limit 0xffffffff < 0x27fffffff phys-bits "
	  "too low (32)",
		"too narrow", "<maxphysaddr>" },
	{ "qemu-system-x86_64: warning: Host physical bits (39) does not match phys-bits "
	  "property (40)",
		"not as wide as the target's", "<maxphysaddr>" },
	{ "unsupported configuration: Target CPU maxphysaddr does not match source",
		"other physical addresses", "same libvirt" },
	{ "internal error: unable to execute QEMU command 'migrate': State blocked by "
	  "non-migratable CPU device (invtsc flag)",
		"invtsc does not migrate", "leave invtsc out" },
	{ "qemu-system-x86_64: error while loading state for instance 0x0 of device "
	  "'cpu'",
		"cannot take the state", "cpuherd prove" },
	{ "qemu-system-x86_64: load of migration failed: Invalid argument",
		"did not take the guest", "its log" },
	{ "qemu: could not load kernel '/var/tmp/cpuherd-00.elf': No such file or "
	  "directory",
		"kernel", "/var/tmp" },
	{ "qemu: could not open kernel file '/var/tmp/cpuherd-00.elf': Permission denied",
		"cannot read the trial guest's kernel: '/var/tmp/cpuherd-00.elf'",
		"/var/tmp" },
	{ "internal error: cannot load AppArmor profile "
	  "'libvirt-4dea22b3-1d52-d8f3-2516-782e98ab3fa0'",
		"AppArmor", "security_driver" },
	{ "unable to set security context 'system_u:object_r:svirt_image_t:s0' on "
	  "'/var/tmp/x': Permission denied",
		"SELinux", "ausearch" },
	{ "Unsafe migration: Migration without shared storage is unsafe",
		"though it has none", "own words" },
	{ "Timed out during operation: cannot acquire state change lock (held by "
	  "monitor=remoteDispatchDomainMigratePrepare3Params)",
		"another job", "who else" },
	{ "operation failed: domain 'cpuherd-00-g0' already exists with uuid "
	  "4dea22b3-1d52-d8f3-2516-782e98ab3fa0",
		"of that name already", "run again" },

	/* ports */
	{ "unable to connect to server at 'node02:49152': Connection refused",
		"cannot reach: the target's QEMU", "--migrate-data" },
	{ "unable to connect to server at 'node02:49215': No route to host",
		"cannot reach: the target's QEMU", "firewalls" },
	{ "unable to connect to server at 'node02:16509': Connection refused",
		"cannot reach: libvirt of the target by TCP", "libvirtd-tcp.socket" },
	{ "unable to connect to server at '10.99.0.12:16514': Connection timed out",
		"cannot reach: libvirt of the target by TLS", "libvirtd-tls.socket" },
	{ "Cannot recv data: ssh: connect to host node02 port 22: Connection refused: "
	  "Connection reset by peer",
		"cannot reach: sshd of the target", "firewalls" },
	{ "10.99.0.12 port 16509: no answer within 5 s", "by TCP", "firewalls" },
	{ "ssh: connect to host node02 port 2222: No route to host",
		"cannot reach the target: port 2222", "firewalls" },

	/* words that name nothing */
	{ "operation failed: Lost connection to destination host",
		"ended the connection without a reason", "logs" },
	{ "internal error: End of file while reading data: Input/output error",
		"ended the connection without a reason", "logs" },
	{ "operation failed: job 'migration out' unexpectedly failed",
		"ended the connection without a reason", "logs" },
};

static void true_words_lead_to_a_cause_and_to_what_to_do(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		const char *text = cause_of(cases[i].words), *remedy = strrchr(text, ';');

		if (!strstr(text, cases[i].cause) || !remedy ||
			!strstr(strchr(text, ';'), cases[i].remedy))
			fail_msg("%s\n gave: %s\nwanted: %s; %s", cases[i].words, text,
				cases[i].cause, cases[i].remedy);
	}
}

static void what_nobody_knows_has_no_cause(void **state)
{
	(void)state;
	assert_string_equal(cause_of("the moon is full"), "");
	assert_string_equal(cause_of(""), "");
	assert_string_equal(cause_of("port : 22 port"), "");
	assert_string_equal(
		cause_find(&(struct cause_evidence){ .fate = CAUSE_REFUSED }, &arena),
		"");
}

/* Peer-to-peer hides the error that the target itself would say. */
static void a_telling_word_counts_more_than_a_vague_one_before_it(void **state)
{
	struct cause_evidence ev = {
		.words = { "internal error: End of file while reading data",
			"guest CPU doesn't match specification: missing features: "
			"avx" }
	};

	(void)state;
	assert_contains(cause_find(&ev, &arena), "all of its CPU: avx;");
}

static void hostile_words_are_cut(void **state)
{
	char word[5000] = "missing features: ";

	(void)state;
	memset(word + strlen(word), 'a', sizeof(word) - 1 - strlen(word));
	word[sizeof(word) - 1] = '\0';
	assert_true(strlen(cause_of(word)) < 500);
	assert_contains(cause_of("same host Attempt to migrate guest to the same host"),
		"cloned machines");
	assert_contains(cause_of("does not support machine type 'unended"), "'unended;");
}

/* ---- facts */

static const char *cause_of_facts(
	enum cause_fate fate, const struct facts *source, const struct facts *target)
{
	struct cause_evidence ev = {
		.fate = fate, .source = source, .target = target, .bare_maxphysaddr = true
	};

	return cause_find(&ev, &arena);
}

static void cloned_machines_are_found_by_their_uuid(void **state)
{
	struct facts a = facts("4dea22b3"), b = facts("4dea22b3"), c = facts("99ea22b3");

	(void)state;
	assert_contains(cause_of_facts(CAUSE_REFUSED, &a, &b), "same host UUID");
	assert_string_equal(cause_of_facts(CAUSE_REFUSED, &a, &c), "");
	a.host_uuid = b.host_uuid = "";
	assert_string_equal(cause_of_facts(CAUSE_REFUSED, &a, &b), "");
}

static void a_guest_that_died_may_have_had_too_many_address_bits(void **state)
{
	struct facts a = facts("a"), b = facts("b");
	struct cause_evidence ev = { .fate = CAUSE_DIED, .source = &a, .target = &b };

	(void)state;
	b.physical_address_bits = 39;
	assert_contains(cause_of_facts(CAUSE_DIED, &a, &b), "46 and 39 bits");
	assert_string_equal(cause_find(&ev, &arena), ""); /* the level states them */
}

static void a_newer_qemu_to_an_older_one_is_named_so(void **state)
{
	struct facts a = facts("a"), b = facts("b");

	(void)state;
	a.hypervisor_version = 10000002;
	assert_contains(cause_of_facts(CAUSE_REFUSED, &a, &b),
		"from a newer QEMU to an older one: 10.0.2 and 7.2.0");
	assert_contains(
		cause_of_facts(CAUSE_REFUSED, &b, &a), "QEMUs differ: 7.2.0 and 10.0.2");
}

static void another_cpu_after_all_points_at_kernels(void **state)
{
	struct facts a = facts("a"), b = facts("b");

	(void)state;
	b.microcode = "0xf4";
	assert_contains(
		cause_of_facts(CAUSE_CHANGED, &a, &b), "6.1.0 (0xf0) and 6.1.0 (0xf4)");
	assert_string_equal(cause_of_facts(CAUSE_REFUSED, &a, &b), "");
}

static void what_ran_out_of_time_says_so(void **state)
{
	struct cause_evidence ev = { .limit_s = 60, .ms = 60010 };

	(void)state;
	assert_contains(cause_find(&ev, &arena), "took too long: 60 seconds");
	ev.ms = 400;
	assert_string_equal(cause_find(&ev, &arena), "");
}

static int forget(void **state)
{
	(void)state;
	arena_destroy(&arena);
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(true_words_lead_to_a_cause_and_to_what_to_do),
		cmocka_unit_test(what_nobody_knows_has_no_cause),
		cmocka_unit_test(a_telling_word_counts_more_than_a_vague_one_before_it),
		cmocka_unit_test(hostile_words_are_cut),
		cmocka_unit_test(cloned_machines_are_found_by_their_uuid),
		cmocka_unit_test(a_guest_that_died_may_have_had_too_many_address_bits),
		cmocka_unit_test(a_newer_qemu_to_an_older_one_is_named_so),
		cmocka_unit_test(another_cpu_after_all_points_at_kernels),
		cmocka_unit_test(what_ran_out_of_time_says_so),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, NULL, forget);
}
