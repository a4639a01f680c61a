#include "peer/kernel/serial.h"

#include <stdbool.h>

#include "peer/kernel/ports.h"

/* 16550A: registers from the base on (National Semiconductor PC16550D, section 8) */
enum { COM1 = 0x3f8, INTERRUPTS = 1, FIFO = 2, LINE = 3, STATUS = 5 };
enum { DIVISOR_LATCH = 0x80, EIGHT_BITS = 3, ROOM = 0x20 };

enum { POLLS_MAX = 2000 };

static bool is_stuck;

void serial_open(void)
{
	port_write(COM1 + INTERRUPTS, 0);
	port_write(COM1 + LINE, DIVISOR_LATCH);
	port_write(COM1, 1); /* 115200 baud */
	port_write(COM1 + 1, 0);
	port_write(COM1 + LINE, EIGHT_BITS);
	port_write(COM1 + FIFO, 7);
}

static void put(char c)
{
	int polls = 0;

	while (!is_stuck && !(port_read(COM1 + STATUS) & ROOM))
		is_stuck = ++polls == POLLS_MAX;
	if (!is_stuck)
		port_write(COM1, (uint8_t)c);
}

void serial_text(const char *s)
{
	while (*s)
		put(*s++);
}

void serial_hex(uint32_t value, int digits)
{
	for (int i = 7; i >= 0; i--)
		if (i < digits || value >> (4 * i))
			put("0123456789abcdef"[value >> (4 * i) & 0xf]);
}

void serial_end_line(void)
{
	serial_text("\r\n");
	is_stuck = false;
}
