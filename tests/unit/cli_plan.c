/* The built cpuherd on the saved facts of tests/cases: which runs are refused, and why. */
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/support/test.h"

/* CTest runs every unit test in the build folder. */
#define CPUHERD "coordinator/cpuherd"

#define THREE "sandybridge+haswell+skylake"

static const struct plan {
	const char *fleet, *options;
	int status;
	const char *says; /* on standard output and error together */
} plans[] = {
	{ "sandybridge+haswell+skylake", "", 0, "nodes could agree on" },
	{ "haswell+naples-under-tcg", "--virt-type qemu", 0, "(qemu)" },
	/* falling back to emulation by itself would promise kvm guests a strange CPU */
	{ "skylake+a-node-without-kvm", "", 20,
		"kvm is missing on node02 and not on the others: no plan (--virt-type" },
	{ "skylake+a-node-without-kvm", "--virt-type qemu", 0, "(qemu)" },
	{ "skylake+a-node-without-kvm", "--virt-type kvm", 20,
		"node02: no guests of virt type kvm" },
	{ "haswell+naples-mixed-vendors", "", 21, "CPU vendors differ" },
	/* what is missing on the one stands in the other's own level */
	{ "haswell+naples-mixed-vendors", "", 21,
		"\nIntel, 1 of 2 nodes: node01\nHaswell-noTSX" },
	{ "haswell+naples-mixed-vendors", "--without node01", 0, "1 node could agree" },
	{ "haswell+naples-mixed-vendors", "--cross-vendor", 0, "warning (vendor): " },
	{ "haswell+naples-mixed-vendors", "--cross-vendor --virt-type qemu", 0,
		"note (vendor): an emulated CPU" },
	{ "naples+zen2", "--cross-vendor", 0, "note (vendor): all these nodes" },
	/* what a pool's level costs, as if its nodes were alone */
	{ "haswell+naples+zen2-mixed-vendors", "", 21,
		"warning (mitigations): lost, not offered here: ibpb (barrier against "
		"Spectre v2), amd-stibp (Spectre v2 between threads), amd-ssbd "
		"(Speculative Store Bypass); newer microcode or kernel may bring it: "
		"node02\n" },
	{ "haswell+naples-mixed-vendors", "--cross-vendor --as nova", 0,
		"\n# Warning: with KVM a guest sees its host's CPU vendor" },
	{ "coffeelake+cascadelake-registers", "--allow-unproven --as kubevirt", 0,
		"\n# Warning: unproven: raw CPUID less what KVM never gives" },
	{ "naples+dhyana", "", 21, "AMD (node01), Hygon (node02)" },
	{ "haswell+facts-with-registers-only", "", 20, "--allow-unproven goes by that" },
	{ "haswell+facts-with-registers-only", "--allow-unproven", 0,
		"warning (offer): unproven: raw CPUID less what KVM never gives, as "
		"libvirt was not asked: not in this dump: node02" },
	/* not "lost on node02": a proven node has it, so the other gives it as well */
	{ "haswell+facts-with-registers-only", "--allow-unproven", 0,
		"<feature policy='require' name='hypervisor'/>" },
	{ "sandybridge+westmere-registers-of-kvm", "", 0,
		"note (offer): from KVM's answer less what QEMU is known to hold back, "
		"as libvirt was not asked: not in this dump: node01, node02" },
	{ "sandybridge+westmere-registers-of-kvm", "--virt-type qemu", 20,
		"no guests of virt type qemu" },
	{ "coffeelake+cascadelake-registers", "--allow-unproven", 0, "unproven" },
	/* beside features */
	{ "penryn+sandybridge+haswell", "", 0,
		"note (maxphysaddr): 36 bits of physical addresses are all that is here "
		"(elsewhere up to 46): a guest of the level gets less than 64 GiB of "
		"memory, and q35 needs 32 GiB of that for PCI: node02" },
	{ "penryn+sandybridge+haswell", "", 0,
		"note (facts): not known here, and so not judged: TSC frequency, machine "
		"types, microcode revision: node01, node02, node03" },
	{ "naples+zen2", "", 0,
		"warning (mitigations): lost, not offered here: ibpb (barrier against "
		"Spectre v2), amd-stibp" },
	{ "naples+zen2", "--mitigations require", 21, "ibpb (not on node01), amd-stibp" },
	{ "naples+zen2", "--mitigations perhaps", 2, "it is warn, require or ignore" },
	{ "naples+zen2", "--json", 0, "\"maxphysaddr\": 48" },
	{ "naples+zen2", "--json", 0, "\"xsave_bytes\": 832" },
	{ THREE, "--without node01", 0, "2 nodes could agree on" },
	{ THREE, "-x node01 --without avx", 0, "left out: avx" },
	{ THREE, "--without avx", 0, "<feature policy='disable' name='avx'/>" },
	/* a feature behind a node's name was left in, without a word */
	{ THREE, "--without node01,avx", 0, "left out: avx" },
	{ THREE, "--without avx,node[01,02]", 0, "1 node could agree on" },
	/* it was eleven lines, in front of the one that says it all */
	{ THREE, "--at-least Haswell", 21,
		"warning (require): fma, movbe, fsgsbase, bmi1, avx2, smep, bmi2, erms, "
		"invpcid are required: not offered by every node: node01\n"
		"warning (require): hle, rtm are required: not offered by every node: "
		"node01, node02\n" },
	{ THREE, "--require avx,aes", 0, "3 nodes could agree on" },
	{ THREE, "--require aes,avx2", 21, "avx2 (not offered by node01)" },
	{ THREE, "--without node0[1-3]", 2, "every node is left out: none remains" },
	{ THREE, "--require pclmulqdq --require sse4_2", 0, "3 nodes could agree on" },
	{ THREE, "--require avx2", 21, "avx2 (not offered by node01)" },
	{ THREE, "--require rtm", 21,
		"warning (require): rtm is required: not offered by every node: node01, "
		"node02\n" },
	{ THREE, "--require avx2 --without node01", 0, "x86-64-v3, " },
	{ THREE, "--at-least x86-64-v2", 0, "x86-64-v2, " },
	{ THREE, "--at-least x86-64-v3", 21, "at least x86-64-v3: " },
	{ THREE, "--at-least haswell", 2, "did you mean Haswell?" },
	{ THREE, "--model Nehalem", 0, "3 nodes could agree on Nehalem +" },
	{ THREE, "--model Skylake-Server-noTSX-IBRS", 0,
		"3 nodes could agree on Skylake-Server-noTSX-IBRS +" },
	{ THREE, "--model EPYC", 21,
		"--model EPYC is of AMD and the nodes are of Intel" },
	{ THREE, "--model Icelake-Client", 21,
		"Icelake-Client: libvirt and QEMU do not" },
	{ "broadwell-two-microcodes", "--prefer libvirt", 0,
		"2 nodes could agree on Broadwell +" },
	{ "broadwell-two-microcodes", "--prefer fewest", 0,
		"2 nodes could agree on Skylake-Client +" },
	{ THREE, "--json --model Nehalem --without avx --at-least x86-64-v2", 0,
		"\"wishes\": {\n    \"at_least\": \"x86-64-v2\",\n    \"cross_vendor\": "
		"false,\n    \"model\": "
		"\"Nehalem\",\n    \"prefer\": \"fewest\",\n    \"require\": [],\n    "
		"\"without\": [\n      \"avx\"\n    ]\n  }" },
	{ THREE, "--json", 0, "\"psabi\": \"x86-64-v2\"" },
	{ "haswell+facts-with-registers-only", "", 20, "no guests can run here" },
};

static void each_fleet_is_judged_or_refused_with_its_reason(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(plans) / sizeof(plans[0]); i++) {
		const struct plan *p = &plans[i];
		struct arena arena = { 0 };
		char out[] = "/tmp/cpuherd-out-XXXXXX";
		int status;

		close(mkstemp(out));
		status = system(arena_format(&arena,
			CPUHERD " plan --from %s/cases/%s %s >%s 2>&1 </dev/null",
			TESTS_DIR, p->fleet, p->options, out));
		print_message("  %s %s\n", p->fleet, p->options);
		assert_contains(test_read_file(&arena, out), p->says);
		assert_int_equal(WEXITSTATUS(status), p->status);
		unlink(out);
		arena_destroy(&arena);
	}
}

/* A container's cpuset hides CPUs; what they are like is unknown, and is said. */
static void cpus_that_could_not_be_looked_at_are_warned_of(void **state)
{
	struct arena arena = { 0 };
	char folder[] = "/tmp/cpuherd-plan-XXXXXX";

	(void)state;
	assert_non_null(mkdtemp(folder));
	assert_int_equal(
		system(arena_format(&arena,
			"{ echo 'gap host_cpus CPUs 4-7 are out of reach' && "
			"cat %s/cases/one-haswell/node01.facts; } >%s/node01.facts "
			"&& " CPUHERD " plan --from %s >%s/out 2>&1",
			TESTS_DIR, folder, folder, folder)),
		0);
	assert_contains(test_read_file(&arena, arena_format(&arena, "%s/out", folder)),
		"cpuherd: node01: not every CPU could be looked at: CPUs 4-7 are out of "
		"reach");
	assert_int_equal(system(arena_format(&arena, "rm -r %s", folder)), 0);
	arena_destroy(&arena);
}

/* Where XSAVE keeps AVX differs, so it is taken out; whoever required it is told that. */
static void a_wish_that_a_condition_forbids_is_refused_with_the_condition(void **state)
{
	struct arena arena = { 0 };
	char folder[] = "/tmp/cpuherd-plan-XXXXXX";
	const char *facts, *out;
	int status;

	(void)state;
	assert_non_null(mkdtemp(folder));
	facts = arena_format(
		&arena, "%s/cases/sandybridge+haswell+skylake/node03.facts", TESTS_DIR);
	status = system(arena_format(&arena,
		"cp %s %s/node01.facts && sed '/^cpuid 0x0000000d 0x00000002 /"
		"s/ 0x00000240 / 0x00000340 /' %s >%s/node02.facts && " CPUHERD
		" plan --require avx2 --from %s >%s/out 2>&1",
		facts, folder, facts, folder, folder, folder));
	out = test_read_file(&arena, arena_format(&arena, "%s/out", folder));
	assert_int_equal(WEXITSTATUS(status), 21);
	assert_contains(out, "warning (require): avx2 is required: beside its flag");
	assert_contains(out, "note (xsave): the state of avx is at byte 832 of XSAVE's "
			     "area: node02");
	assert_int_equal(system(arena_format(&arena, "rm -r %s", folder)), 0);
	arena_destroy(&arena);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest cases[] = {
		cmocka_unit_test(each_fleet_is_judged_or_refused_with_its_reason),
		cmocka_unit_test(cpus_that_could_not_be_looked_at_are_warned_of),
		cmocka_unit_test(
			a_wish_that_a_condition_forbids_is_refused_with_the_condition),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(cases, NULL, NULL);
}
