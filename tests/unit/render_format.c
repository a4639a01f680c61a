/* What each format makes of a level, and what it refuses. */
#include "coordinator/render/format.h"

#include <ctype.h>

#include "coordinator/cpu/closing.h"
#include "coordinator/cpu/names.h"
#include "coordinator/render/nova.h"
#include "proto/limits.h"
#include "tests/support/fleet.h"

static const char *const formats[] = { "libvirt", "qemu", "nova", "devstack", "zuul",
	"proxmox", "kubevirt", "json" };

enum { FORMATS = sizeof(formats) / sizeof(formats[0]) };

struct result {
	enum rc rc;
	const char *text;
	struct texts notes;
	struct err e;
};

static struct result write_as(struct arena *arena, const char *format,
	const struct catalogue *c, const struct level *l, const char *release)
{
	struct format_request request = {
		.level = l, .catalogue = c, .name = "gold", .nova_release = release
	};
	struct buf out = buf_with_cap(LIMIT_PLACE_BYTES);
	struct result r = { .text = "" };

	r.rc = format_write(format, &request, arena, &out, &r.notes, &r.e);
	if (r.rc == RC_OK)
		r.text = arena_text_n(arena, buf_bytes(&out).data, buf_bytes(&out).size);
	buf_destroy(&out);
	return r;
}

/* A small level by hand, closed or not: formats only say what it says. */
struct small {
	struct arena arena;
	struct catalogue *catalogue;
	struct level level;
};

static void small_begin(struct small *s, const char *model, struct level_feature *f)
{
	struct err e;

	*s = (struct small){ .level = {
				     .model = model, .vendor = "Intel", .features = f } };
	s->catalogue = catalogue_new(&s->arena, &e);
	while (f && f[s->level.feature_count].name)
		s->level.feature_count++;
}

/* Another one in place of the first. */
static void small_again(struct small *s, const char *model, struct level_feature *f)
{
	arena_destroy(&s->arena);
	small_begin(s, model, f);
}

static struct result small_write(struct small *s, const char *format, const char *release)
{
	return write_as(&s->arena, format, s->catalogue, &s->level, release);
}

static struct level_feature two[] = {
	{ "hle", POLICY_DISABLE },
	{ "sse4.1", POLICY_REQUIRE },
	{ NULL, 0 },
};

#define HEADING \
	"# CPU level gold, written by cpuherd " CPUHERD_VERSION ": Haswell +1 -1\n" \
	"# for kvm guests on hosts of vendor Intel.\n"

static const char *const golden[FORMATS] = {
	"<cpu mode='custom' match='exact' check='partial'>\n"
	"  <model fallback='forbid'>Haswell</model>\n"
	"  <vendor>Intel</vendor>\n"
	"  <maxphysaddr mode='emulate' bits='42'/>\n"
	"  <feature policy='disable' name='hle'/>\n"
	"  <feature policy='require' name='sse4.1'/>\n"
	"</cpu>\n",
	"Haswell,vendor=GenuineIntel,hle=off,sse4.1=on,phys-bits=42,enforce\n",
	HEADING
	"# Note: maxphysaddr 42 is not said here: from nova 2023.2 on flavors can "
	"(hw:maxphysaddr_mode=emulate, hw:maxphysaddr_bits)\n"
	"# nova.conf of the compute nodes, nova 2026.2.\n"
	"[libvirt]\n"
	"cpu_mode = custom\n"
	"cpu_models = Haswell\n"
	"cpu_model_extra_flags = -hle,+sse4.1\n",
	HEADING
	"# Note: maxphysaddr 42 is not said here: from nova 2023.2 on flavors can "
	"(hw:maxphysaddr_mode=emulate, hw:maxphysaddr_bits)\n"
	"# Parts of local.conf, nova 2026.2.\n"
	"[[local|localrc]]\n"
	"LIBVIRT_CPU_MODE=custom\n"
	"LIBVIRT_CPU_MODEL=Haswell\n"
	"\n"
	"[[post-config|$NOVA_CPU_CONF]]\n"
	"[libvirt]\n"
	"cpu_mode = custom\n"
	"cpu_models = Haswell\n"
	"cpu_model_extra_flags = -hle,+sse4.1\n",
	HEADING
	"# Note: maxphysaddr 42 is not said here: from nova 2023.2 on flavors can "
	"(hw:maxphysaddr_mode=emulate, hw:maxphysaddr_bits)\n"
	"# Variables of a Zuul job whose parent is devstack, nova 2026.2.\n"
	"vars:\n"
	"  devstack_localrc:\n"
	"    LIBVIRT_CPU_MODE: \"custom\"\n"
	"    LIBVIRT_CPU_MODEL: \"Haswell\"\n"
	"  devstack_local_conf:\n"
	"    post-config:\n"
	"      \"$NOVA_CPU_CONF\":\n"
	"        libvirt:\n"
	"          cpu_mode: \"custom\"\n"
	"          cpu_models: \"Haswell\"\n"
	"          cpu_model_extra_flags: \"-hle,+sse4.1\"\n"
	"group-vars:\n"
	"  subnode:\n"
	"    devstack_localrc:\n"
	"      LIBVIRT_CPU_MODE: \"custom\"\n"
	"      LIBVIRT_CPU_MODEL: \"Haswell\"\n"
	"    devstack_local_conf:\n"
	"      post-config:\n"
	"        \"$NOVA_CPU_CONF\":\n"
	"          libvirt:\n"
	"            cpu_mode: \"custom\"\n"
	"            cpu_models: \"Haswell\"\n"
	"            cpu_model_extra_flags: \"-hle,+sse4.1\"\n",
	HEADING "# A section of /etc/pve/virtual-guest/cpu-models.conf;\n"
		"# guests take it as cpu: custom-gold\n"
		"cpu-model: gold\n"
		"\treported-model Haswell\n"
		"\tflags -hle;+sse4.1\n"
		"\tphys-bits 42\n",
	HEADING
	"# Note: KubeVirt starts it only on nodes labelled "
	"cpu-model.node.kubevirt.io/Haswell=true, which are those that can give the "
	"whole model, also what is disabled here\n"
	"# Note: maxphysaddr 42 is not said here: KubeVirt has no word for it\n"
	"# For the spec of a VirtualMachineInstance (spec.template.spec of a "
	"VirtualMachine).\n"
	"domain:\n"
	"  cpu:\n"
	"    model: \"Haswell\"\n"
	"    features:\n"
	"      - name: \"hle\"\n"
	"        policy: \"disable\"\n"
	"      - name: \"sse4.1\"\n"
	"        policy: \"require\"\n",
	"{\n"
	"  \"schema\": \"cpuherd-level/1\",\n"
	"  \"name\": \"gold\",\n"
	"  \"virt_type\": \"kvm\",\n"
	"  \"model\": \"Haswell\",\n"
	"  \"vendor\": \"Intel\",\n"
	"  \"maxphysaddr\": 42,\n"
	"  \"require\": [\"sse4.1\"],\n"
	"  \"disable\": [\"hle\"],\n"
	"  \"features\": [\"sse4.1\", \"xsave\"]\n"
	"}\n",
};

static void each_format_has_its_golden_text(void **state)
{
	(void)state;
	for (size_t i = 0; i < FORMATS; i++) {
		struct small s;
		struct result r;

		small_begin(&s, "Haswell", two);
		s.level.maxphysaddr = 42;
		bitset_add(&s.level.baseline, (size_t)catalogue_find_row("xsave"));
		bitset_add(&s.level.baseline, (size_t)catalogue_find_row("sse4.1"));
		r = small_write(&s, formats[i], NULL);
		assert_rc(r.rc, RC_OK, &r.e);
		assert_string_equal(r.text, golden[i]);
		assert_true(format_exists(formats[i]));
		arena_destroy(&s.arena);
	}
}

/* ---- no feature is ever dropped */

static size_t words_said, refused;

/* Does the text say the word, and not only as a part of another? */
static bool says(const char *text, const char *word)
{
	size_t length = strlen(word);

	for (const char *p = strstr(text, word); p; p = strstr(p + 1, word)) {
		char after = p[length];

		if (!isalnum((unsigned char)after) && !strchr("._-", after ? after : ' '))
			return true;
	}
	return false;
}

static const char *word_of(
	struct fleet *f, const char *format, const struct level_feature *x)
{
	bool on = x->policy == POLICY_REQUIRE;
	const struct feature_row *row = catalogue_feature(
		NULL, (size_t)catalogue_find(f->catalogue, x->name));

	if (strcmp(format, "qemu") == 0)
		return row->qemu ? arena_format(&f->arena, ",%s=%s", row->qemu,
					   on ? "on" : "off")
				 : NULL;
	if (strcmp(format, "proxmox") == 0)
		return !row->qemu ? NULL
				  : arena_format(&f->arena, "%s%s", on ? "+" : "-",
					    strcmp(x->name, "lahf_lm") ? row->qemu
								       : x->name);
	if (strcmp(format, "nova") == 0)
		return arena_format(&f->arena, "%s%s", on ? "+" : "-", x->name);
	return arena_format(&f->arena, "name: \"%s\"\n        policy: \"%s\"", x->name,
		on ? "require" : "disable");
}

static void check_all_said(struct fleet *f)
{
	static const char *const checked[] = { "qemu", "proxmox", "nova", "kubevirt" };
	struct level l;
	struct err e;

	if (level_choose(f->catalogue, f->offers, f->count, f->virt, NULL, f->ops,
		    &f->arena, &l, &e) != RC_OK)
		return;
	for (size_t i = 0; i < 4; i++) {
		struct result r = write_as(&f->arena, checked[i], f->catalogue, &l, NULL);

		if (r.rc != RC_OK) {
			assert_rc(r.rc, RC_FORMAT, &r.e);
			refused++;
			continue;
		}
		for (size_t n = 0; n < l.feature_count; n++) {
			const char *word = word_of(f, checked[i], &l.features[n]);

			if (word && !says(r.text, word))
				fail_msg("'%s' is not in:\n%s", word, r.text);
			words_said += word != NULL;
			if (!word)
				assert_int_equal(l.features[n].policy, POLICY_DISABLE);
		}
	}
}

static void every_feature_of_a_level_is_said_or_the_level_refused(void **state)
{
	(void)state;
	words_said = refused = 0;
	for_many_fleets(check_all_said);
	print_message("%zu features said, %zu levels refused\n", words_said, refused);
	assert_true(words_said > 1000);
}

static void check_same_bytes(struct fleet *f)
{
	struct level l;
	struct err e;

	if (f->seed % 4 || level_choose(f->catalogue, f->offers, f->count, f->virt, NULL,
				   f->ops, &f->arena, &l, &e) != RC_OK)
		return;
	for (size_t i = 0; i < FORMATS; i++) {
		struct result a = write_as(&f->arena, formats[i], f->catalogue, &l, NULL);
		struct result b = write_as(&f->arena, formats[i], f->catalogue, &l, NULL);

		assert_int_equal(a.rc, b.rc);
		assert_string_equal(a.text, b.text);
		if (a.rc == RC_OK)
			assert_int_equal(a.text[strlen(a.text) - 1], '\n');
	}
}

static void equal_levels_give_equal_bytes(void **state)
{
	(void)state;
	for_many_fleets(check_same_bytes);
}

/* ---- what is refused */

static void nothing_but_names_gets_into_a_text(void **state)
{
	static struct level_feature evil[] = { { "a\n[DEFAULT]", POLICY_REQUIRE },
		{ NULL, 0 } };

	(void)state;
	for (size_t i = 0; i < FORMATS; i++) {
		struct small s;
		struct format_request request;
		struct buf out = buf_with_cap(4096);
		struct texts notes;
		struct err e;

		small_begin(&s, "Haswell", evil);
		assert_int_equal(small_write(&s, formats[i], NULL).rc, RC_INTERNAL);
		small_again(&s, "Has\"well", two);
		assert_int_equal(small_write(&s, formats[i], NULL).rc, RC_INTERNAL);
		small_again(&s, "Haswell", two);
		s.level.vendor = "Intel\n";
		assert_int_equal(small_write(&s, formats[i], NULL).rc, RC_INTERNAL);
		s.level.vendor = "";
		request = (struct format_request){
			.level = &s.level, .catalogue = s.catalogue, .name = "a b"
		};
		assert_rc(format_write(formats[i], &request, &s.arena, &out, &notes, &e),
			RC_INTERNAL, &e);
		assert_int_equal(buf_bytes(&out).size, 0);
		arena_destroy(&s.arena);
	}
}

static void a_text_too_long_is_refused(void **state)
{
	(void)state;
	for (size_t i = 0; i < FORMATS; i++) {
		struct small s;
		struct buf out = buf_with_cap(50);
		struct texts notes;
		struct err e;
		struct format_request request;

		small_begin(&s, "Haswell", two);
		request = (struct format_request){
			.level = &s.level, .catalogue = s.catalogue, .name = "gold"
		};
		assert_rc(format_write(formats[i], &request, &s.arena, &out, &notes, &e),
			RC_LIMIT, &e);
		buf_destroy(&out);
		arena_destroy(&s.arena);
	}
}

static const struct refusal {
	const char *format, *model, *vendor;
	struct level_feature feature;
	enum virt_type virt;
	const char *says; /* NULL: it is taken */
} refusals[] = {
	/* QEMU has no property for it: it could never be on */
	{ "qemu", "Haswell", "Intel", { "osxsave", POLICY_REQUIRE }, VIRT_KVM,
		"no property of QEMU is known for osxsave" },
	{ "proxmox", "Haswell", "Intel", { "osxsave", POLICY_REQUIRE }, VIRT_KVM,
		"no property of QEMU is known for osxsave" },
	{ "qemu", "Haswell", "Intel", { "osxsave", POLICY_DISABLE }, VIRT_KVM, NULL },
	/* nobody knows how QEMU spells a feature that came later */
	{ "qemu", "Haswell", "Intel", { "brand-new", POLICY_DISABLE }, VIRT_KVM,
		"no property of QEMU is known for brand-new" },
	/* QEMU 7.2 and 11.1 did not start with it: "depends on other features" */
	{ "qemu", "Opteron_G3", "AMD", { "npt", POLICY_REQUIRE }, VIRT_KVM,
		"QEMU starts no guest with npt, as the level lacks what that stands on" },
	{ "proxmox", "Opteron_G3", "AMD", { "npt", POLICY_REQUIRE }, VIRT_KVM,
		"QEMU starts no guest with npt" },
	{ "qemu", "Opteron_G3", "AMD", { "svm", POLICY_REQUIRE }, VIRT_KVM, NULL },
	{ "nova", "Haswell", "Intel", { "brand-new", POLICY_REQUIRE }, VIRT_KVM, NULL },
	{ "kubevirt", "Haswell", "Intel", { "brand-new", POLICY_REQUIRE }, VIRT_KVM,
		NULL },
	{ "proxmox", "Dhyana", "Hygon", { "hle", POLICY_DISABLE }, VIRT_KVM,
		"Proxmox VE takes no reported-model Dhyana" },
	/* Proxmox VE would make another model of it */
	{ "proxmox", "Icelake-Client", "Intel", { "hle", POLICY_DISABLE }, VIRT_KVM,
		"Proxmox VE takes no reported-model Icelake-Client" },
	{ "proxmox", "pentium3", "AMD", { "hle", POLICY_DISABLE }, VIRT_KVM,
		"the vendor GenuineIntel, and the level has AuthenticAMD" },
	{ "proxmox", "pentium3", "", { "hle", POLICY_DISABLE }, VIRT_KVM,
		"the vendor GenuineIntel, and the level has none" },
	{ "proxmox", "pentium3", "", { "hle", POLICY_DISABLE }, VIRT_QEMU, NULL },
	{ "proxmox", "qemu64", "AMD", { "hle", POLICY_DISABLE }, VIRT_KVM, NULL },
};

static void what_a_format_cannot_say_is_refused_by_name(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		const struct refusal *x = &refusals[i];
		struct level_feature features[] = { x->feature, { NULL, 0 } };
		struct small s;
		struct result r;

		small_begin(&s, x->model, features);
		s.level.vendor = x->vendor;
		s.level.virt = x->virt;
		r = small_write(&s, x->format, NULL);
		assert_rc(r.rc, x->says ? RC_FORMAT : RC_OK, &r.e);
		if (x->says)
			assert_contains(r.e.text, x->says);
		arena_destroy(&s.arena);
	}
}

/* ---- what others would do on their own */

static const struct own {
	const char *model, *baseline, *says;
} owns[] = {
	{ "Opteron_G4", "rdtscp", "\tflags -hle;+sse4.1;+rdtscp\n" },
	{ "Opteron_G4", "sep", "\tflags -hle;+sse4.1;-rdtscp\n" },
	{ "kvm64", "sep", "\tflags -hle;+sse4.1;-lahf_lm;+sep\n" },
	{ "kvm32", "lahf_lm", "\tflags -hle;+sse4.1;-sep\n" },
	{ "qemu64", "sep", "\tflags -hle;+sse4.1\n" },
};

static void proxmox_gets_no_chance_to_add_flags_of_its_own(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(owns) / sizeof(owns[0]); i++) {
		struct small s;

		small_begin(&s, owns[i].model, two);
		s.level.vendor = "AMD";
		bitset_add(
			&s.level.baseline, (size_t)catalogue_find_row(owns[i].baseline));
		assert_contains(small_write(&s, "proxmox", NULL).text, owns[i].says);
		arena_destroy(&s.arena);
	}
}

static void kubevirt_says_where_a_guest_will_not_start(void **state)
{
	struct small s;
	struct result r;

	(void)state;
	small_begin(&s, "qemu64", two);
	r = small_write(&s, "kubevirt", NULL);
	assert_int_equal(r.notes.count, 1);
	assert_contains(r.notes.item[0], "KubeVirt counts qemu64 as obsolete");
	assert_contains(r.text, r.notes.item[0]);
	small_again(&s, "Haswell", NULL);
	r = small_write(&s, "kubevirt", NULL);
	assert_int_equal(r.notes.count, 0);
	assert_null(strstr(r.text, "features"));
	arena_destroy(&s.arena);
}

/* ---- the releases of nova */

/* Nehalem with what each release can say of it. */
static const struct {
	const char *release, *says;
	bool loses_aes, loses_pcid;
} novas[] = {
	{ "mitaka", "\ncpu_mode = custom\ncpu_model = Nehalem\n", true, true },
	{ "pike", "\ncpu_mode = custom\ncpu_model = Nehalem\n", true, true },
	{ "queens", "\ncpu_model = Nehalem\ncpu_model_extra_flags = pcid\n", true,
		false },
	{ "rocky", "\ncpu_model = Nehalem\ncpu_model_extra_flags = aes,", false, false },
	{ "stein", "\ncpu_model = Nehalem\ncpu_model_extra_flags = aes,", false, false },
	{ "train", "\ncpu_models = Nehalem\ncpu_model_extra_flags = aes,", false, false },
	{ "victoria", "\ncpu_models = Nehalem\ncpu_model_extra_flags = aes,", false,
		false },
	{ "wallaby", "\ncpu_models = Nehalem\ncpu_model_extra_flags = +aes,", false,
		false },
};

/* Nehalem closed for all that any program makes of it, aes and pcid; the only model
 * that the nodes know. */
static void nehalem_begin(struct small *s)
{
	const struct model_row *m = catalogue_find_model("Nehalem");
	struct common common = { .virt = VIRT_KVM, .vendor = "Intel" };
	struct bitset meant;
	struct closing c;
	struct texts names;

	small_begin(s, "Nehalem", NULL);
	memset(&common.names, 0xff, sizeof(common.names));
	for (size_t i = 0; i < catalogue_source_count(); i++)
		if (catalogue_define_model(m, i, VIRT_KVM, &meant))
			common.baseline = bitset_or(&common.baseline, &meant);
	bitset_add(&common.baseline, (size_t)catalogue_find_row("aes"));
	bitset_add(&common.baseline, (size_t)catalogue_find_row("pcid"));
	assert_true(closing_of(m, &common, &c));
	names = names_of(s->catalogue, &c.require, &s->arena);
	s->level.features = arena_alloc(&s->arena, names.count, sizeof(two[0]));
	for (size_t i = 0; i < names.count; i++)
		s->level.features[i] = (struct level_feature){ names.item[i],
			POLICY_REQUIRE };
	s->level.feature_count = names.count;
	s->level.baseline = common.baseline;
	s->level.names = common.names;
	s->level.sources = catalogue_all_sources();
	bitset_add(&s->level.model_rows, (size_t)(m - catalogue_model(0)));
}

static void each_nova_gets_what_it_can_read_and_says_what_it_loses(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(novas) / sizeof(novas[0]); i++) {
		struct small s;
		struct result r;
		const char *note;

		nehalem_begin(&s);
		r = small_write(&s, "nova", novas[i].release);
		assert_rc(r.rc, RC_OK, &r.e);
		assert_contains(r.text, novas[i].says);
		note = r.notes.count ? r.notes.item[0] : "";
		assert_int_equal(r.notes.count, 1);
		assert_int_equal(strstr(note, "lost, as ") != NULL, novas[i].loses_aes);
		if (novas[i].loses_aes)
			assert_contains(note, "lost, as no guest can rely on them: aes,");
		assert_int_equal(strstr(note, ", pcid") != NULL, novas[i].loses_pcid);
		assert_contains(r.text, note);
		arena_destroy(&s.arena);
	}
}

/* hypervisor is in no machine's CPU: nova's own comparison would refuse the level. */
static const struct {
	const char *format, *release, *notes, *says;
	enum virt_type virt;
} compares[] = {
	{ "nova", "stein", "(hypervisor): no guest moves to a node", NULL, VIRT_KVM },
	{ "nova", "train", "(hypervisor): nova-compute does not start", NULL, VIRT_KVM },
	{ "nova", NULL, "(hypervisor): [workarounds] switches that off",
		"\n[workarounds]\nskip_cpu_compare_at_startup = True\n"
		"skip_cpu_compare_on_dest = True\n",
		VIRT_KVM },
	{ "devstack", NULL, "[workarounds]",
		"\n[workarounds]\nskip_cpu_compare_at_startup = True\n", VIRT_KVM },
	{ "zuul", NULL, "[workarounds]",
		"\n        workarounds:\n          skip_cpu_compare_at_startup: true\n",
		VIRT_KVM },
	{ "nova", NULL, NULL, NULL, VIRT_QEMU },
};

static void nova_compute_starts_though_the_machine_lacks_what_kvm_adds(void **state)
{
	static struct level_feature made[] = { { "hypervisor", POLICY_REQUIRE },
		{ "sse4.1", POLICY_REQUIRE }, { NULL, 0 } };

	(void)state;
	for (size_t i = 0; i < sizeof(compares) / sizeof(compares[0]); i++) {
		struct small s;
		struct result r;

		nehalem_begin(&s);
		s.level.features = made;
		s.level.feature_count = 2;
		s.level.virt = compares[i].virt;
		r = small_write(&s, compares[i].format, compares[i].release);
		assert_rc(r.rc, RC_OK, &r.e);
		assert_int_equal(r.notes.count, compares[i].notes ? 1 : 0);
		if (compares[i].notes)
			assert_contains(r.notes.item[0], compares[i].notes);
		if (compares[i].says)
			assert_contains(r.text, compares[i].says);
		else
			assert_null(strstr(r.text, "skip_cpu_compare"));
		arena_destroy(&s.arena);
	}
}

static void a_nova_that_cannot_switch_off_gets_another_model_or_none(void **state)
{
	struct small s;
	struct result r;

	(void)state;
	small_begin(&s, "Haswell", two);
	r = small_write(&s, "nova", "victoria");
	assert_rc(r.rc, RC_FORMAT, &r.e);
	assert_contains(r.e.text, "of Haswell: hle");
	arena_destroy(&s.arena);
	nehalem_begin(&s);
	s.level.model = "Westmere";
	s.level.features = two;
	s.level.feature_count = 2;
	r = small_write(&s, "devstack", "victoria");
	assert_rc(r.rc, RC_OK, &r.e);
	assert_contains(r.text, "LIBVIRT_CPU_MODEL=Nehalem\n");
	assert_contains(r.notes.item[0],
		"nova victoria cannot switch features off: model Nehalem in place of "
		"Westmere");
	arena_destroy(&s.arena);
}

static void an_unknown_release_is_answered_with_those_known(void **state)
{
	struct small s;
	struct result r;

	(void)state;
	small_begin(&s, "Haswell", two);
	r = small_write(&s, "nova", "kilo");
	assert_rc(r.rc, RC_USAGE, &r.e);
	assert_contains(r.e.text, "nova has no release 'kilo'; it is mitaka, newton, ");
	assert_null(nova_find_release("Queens "));
	assert_string_equal(nova_find_release(NULL)->name, "2026.2");
	assert_string_equal(nova_find_release("Queens")->name, "queens");
	assert_string_equal(nova_find_release("Caracal")->name, "2024.1");
	r = small_write(&s, "vagrant", NULL);
	assert_rc(r.rc, RC_USAGE, &r.e);
	assert_contains(r.e.text,
		"'vagrant'; it is libvirt, qemu, nova, devstack, zuul, proxmox, "
		"kubevirt, json");
	arena_destroy(&s.arena);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_format_has_its_golden_text),
		cmocka_unit_test(every_feature_of_a_level_is_said_or_the_level_refused),
		cmocka_unit_test(equal_levels_give_equal_bytes),
		cmocka_unit_test(nothing_but_names_gets_into_a_text),
		cmocka_unit_test(a_text_too_long_is_refused),
		cmocka_unit_test(what_a_format_cannot_say_is_refused_by_name),
		cmocka_unit_test(proxmox_gets_no_chance_to_add_flags_of_its_own),
		cmocka_unit_test(kubevirt_says_where_a_guest_will_not_start),
		cmocka_unit_test(each_nova_gets_what_it_can_read_and_says_what_it_loses),
		cmocka_unit_test(
			nova_compute_starts_though_the_machine_lacks_what_kvm_adds),
		cmocka_unit_test(
			a_nova_that_cannot_switch_off_gets_another_model_or_none),
		cmocka_unit_test(an_unknown_release_is_answered_with_those_known),
	};

	test_filter(argc, argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
