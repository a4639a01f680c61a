/* ports.h - input and output, as the kernel's drivers do it. */
#ifndef PEER_KERNEL_PORTS_H
#define PEER_KERNEL_PORTS_H

#include <stdint.h>

static inline void port_write(uint16_t port, uint8_t value)
{
	__asm__ volatile("outb %0, %1" : : "a"(value), "Nd"(port));
}

static inline uint8_t port_read(uint16_t port)
{
	uint8_t value;

	__asm__ volatile("inb %1, %0" : "=a"(value) : "Nd"(port));
	return value;
}

#endif
