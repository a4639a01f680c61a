/* The trial guest: it counts, looks at its CPU, says what it sees, and ends in time.
 *
 *	entry.S		the first instructions, interrupts, the end
 *	page.h		what the node sees of it
 *	clock.[ch]	rest, and age
 *	serial.[ch]	what a person sees of it
 *	peer/leaves.[ch] the walk over CPUID that peers use as well
 *
 * It has no libc, and no instruction of it is newer than a 486's unless CPUID says so: it
 * boots on any level.
 */
#include "peer/kernel/clock.h"
#include "peer/kernel/cpu.h"
#include "peer/kernel/page.h"
#include "peer/kernel/serial.h"
#include "peer/leaves.h"

enum { LIFE_DEFAULT_S = 600, COMMAND_LINE_MAX = 512 };

/* Multiboot information (section 3.3): as far as it is read */
struct loader_info {
	uint32_t flags, memory[2], device;
	const char *command_line;
};

_Noreturn void kernel(const struct loader_info *info);
_Noreturn void machine_reset(void); /* entry.S */

extern struct pulse_page page; /* trial.lds puts it at PULSE_ADDRESS */

/* What was written so far stands in memory before what follows: a node looks at any time.
 * The CPU keeps the order of stores; this holds the compiler to it. */
static void settle(void)
{
	__asm__ volatile("" ::: "memory");
}

/* ---- the page */

struct look {
	uint32_t count; /* of leaves, so far */
	bool changed;
};

static void change(struct look *l)
{
	if (!l->changed)
		page.changing++;
	l->changed = true;
	settle();
}

static bool take(void *context, uint32_t function, uint32_t index, const uint32_t r[4])
{
	struct look *l = context;
	const uint32_t word[] = { function, index, r[0], r[1], r[2], r[3] };
	uint32_t *there;

	if (l->count == PULSE_LEAVES)
		return false;
	there = (uint32_t *)&page.leaf[l->count++];
	for (size_t i = 0; i < sizeof(word) / sizeof(word[0]); i++) {
		if (there[i] == word[i])
			continue;
		change(l);
		there[i] = word[i];
	}
	return true;
}

/* True when CPUID is not what it was. */
static bool look_at_cpu(void)
{
	struct look l = { 0, false };

	if (cpu_has_cpuid())
		(void)leaves_walk(&(struct cpuid_reader){ cpu_id, 0 },
			&(struct leaves_taker){ take, &l });
	if (l.count != page.leaves)
		change(&l);
	if (!l.changed)
		return false;
	page.leaves = l.count;
	page.sum = pulse_sum(&page);
	settle();
	page.changing++;
	return true;
}

static void page_open(void)
{
	uint32_t *word = (uint32_t *)&page;

	for (uint32_t i = 0; i < PULSE_BYTES / sizeof(*word); i++)
		word[i] = 0;
	clock_nonce(page.boot);
	page.version = PULSE_VERSION;
	(void)look_at_cpu();
	page.sum = pulse_sum(&page);
	settle();
	page.magic = PULSE_MAGIC;
}

/* ---- words for a person */

static void say(const char *name, uint32_t value, int digits)
{
	serial_text(name);
	serial_hex(value, digits);
}

static void say_leaf(const struct pulse_leaf *leaf)
{
	say("cpuherd ", page.count, 8);
	say(" ", leaf->function, 8);
	say(".", leaf->index, 1);
	say(" eax=", leaf->r[0], 8);
	say(" ebx=", leaf->r[1], 8);
	say(" ecx=", leaf->r[2], 8);
	say(" edx=", leaf->r[3], 8);
	serial_end_line();
}

/* ---- how long it may live */

/* The number behind "life=" in the loader's command line. */
static uint32_t life_of(const struct loader_info *info)
{
	static const char name[] = " life=";
	const char *s = info->command_line;
	uint32_t n = 0, life = 0;

	if (!(info->flags & 4))
		return LIFE_DEFAULT_S;
	for (int i = 0; i < COMMAND_LINE_MAX && *s && name[n]; i++, s++)
		n = *s == name[n] ? n + 1 : *s == name[0];
	while (!name[n] && *s >= '0' && *s <= '9' && life < LIFE_DEFAULT_S * 144)
		life = life * 10 + (uint32_t)(*s++ - '0');
	return life ? life : LIFE_DEFAULT_S;
}

_Noreturn void kernel(const struct loader_info *info)
{
	uint32_t life_s = life_of(info), next = 0;

	serial_open();
	clock_open();
	page_open();
	say("cpuherd trial guest, boot ", page.boot[1], 8);
	say("", page.boot[0], 8);
	serial_end_line();
	while (clock_age_s() < life_s) {
		page.count++;
		if (look_at_cpu())
			next = 0;
		if (next < page.leaves)
			say_leaf(&page.leaf[next++]);
		if (next >= page.leaves)
			next = 0;
		clock_rest();
	}
	serial_text("cpuherd: its time is over");
	serial_end_line();
	machine_reset();
}
