#include "peer/kernel/clock.h"

#include <stdbool.h>

#include "peer/kernel/cpu.h"
#include "peer/kernel/ports.h"

/* The divisor has 16 bits, so 19 at least.  More would cost: below a hypervisor that is itself
 * a guest each instruction that is looked at and each character takes a millisecond. */
enum { TICKS_PER_S = 20, TIMER_HZ = 1193182 };

/* 8254 timer, 8259 interrupt controllers, MC146818 clock: where a PC has them */
enum { TIMER_0 = 0x40, TIMER_COMMAND = 0x43 };
enum { PIC_1 = 0x20, PIC_2 = 0xa0, PIC_DATA = 1 };
enum {
	RTC_INDEX = 0x70,
	RTC_DATA = 0x71,
	RTC_SECONDS = 0,
	RTC_MINUTES = 2,
	RTC_HOURS = 4
};

/* Interrupts 0-15 come as these vectors; a gate for each, for stray ones too. */
enum { VECTOR_FIRST = 0x20, VECTOR_COUNT = 16 };

/* entry.S */
extern const char timer_entry[], ignored_entry[];
void timer_wait(void);
volatile uint32_t timer_ticks;

static struct gate {
	uint16_t low, segment, kind, high;
} gates[VECTOR_FIRST + VECTOR_COUNT];

static void gate_set(struct gate *g, const char *handler)
{
	uint32_t address = (uint32_t)(uintptr_t)handler;

	/* present, interrupt gate of 32 bits, the code segment of entry.S */
	*g = (struct gate){ (uint16_t)address, 8, 0x8e00, (uint16_t)(address >> 16) };
}

static void gates_open(void)
{
	const struct {
		uint16_t limit;
		uint32_t address;
	} __attribute__((packed))
	here = { sizeof(gates) - 1, (uint32_t)(uintptr_t)gates };

	for (int i = 0; i < VECTOR_COUNT; i++)
		gate_set(&gates[VECTOR_FIRST + i], i == 0 ? timer_entry : ignored_entry);
	__asm__ volatile("lidt %0" : : "m"(here));
}

/* Both 8259 anew, with every interrupt masked but the timer's. */
static void interrupts_open(void)
{
	port_write(PIC_1, 0x11);
	port_write(PIC_2, 0x11);
	port_write(PIC_1 + PIC_DATA, VECTOR_FIRST);
	port_write(PIC_2 + PIC_DATA, VECTOR_FIRST + 8);
	port_write(PIC_1 + PIC_DATA, 4);
	port_write(PIC_2 + PIC_DATA, 2);
	port_write(PIC_1 + PIC_DATA, 1);
	port_write(PIC_2 + PIC_DATA, 1);
	port_write(PIC_1 + PIC_DATA, 0xfe);
	port_write(PIC_2 + PIC_DATA, 0xff);
}

void clock_open(void)
{
	gates_open();
	interrupts_open();
	port_write(TIMER_COMMAND, 0x34); /* counter 0, both bytes, mode 2 */
	port_write(TIMER_0, (TIMER_HZ / TICKS_PER_S) & 0xff);
	port_write(TIMER_0, (TIMER_HZ / TICKS_PER_S) >> 8);
}

void clock_rest(void)
{
	timer_wait();
}

static uint8_t rtc(uint8_t index)
{
	port_write(RTC_INDEX, index);
	return port_read(RTC_DATA);
}

uint32_t clock_age_s(void)
{
	static uint8_t last;
	static uint32_t passed;
	static bool asked;
	uint8_t now = rtc(RTC_SECONDS);

	passed += asked && now != last;
	asked = true;
	last = now;
	return passed > timer_ticks / TICKS_PER_S ? passed : timer_ticks / TICKS_PER_S;
}

void clock_nonce(uint32_t nonce[2])
{
	nonce[0] = cpu_tsc();
	port_write(TIMER_COMMAND, 0); /* latch what counter 0 is at */
	nonce[0] ^= (uint32_t)port_read(TIMER_0) << 16;
	nonce[0] ^= (uint32_t)port_read(TIMER_0) << 24;
	nonce[1] = rtc(RTC_SECONDS) | (uint32_t)rtc(RTC_MINUTES) << 8 |
		   (uint32_t)rtc(RTC_HOURS) << 16;
}
