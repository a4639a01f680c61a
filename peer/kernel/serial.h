/* serial.h - lines for a person, on COM1.
 *
 * Nobody may be reading: a port that takes no more costs the rest of the line, never the
 * guest's time.
 */
#ifndef PEER_KERNEL_SERIAL_H
#define PEER_KERNEL_SERIAL_H

#include <stdint.h>

void serial_open(void);
void serial_text(const char *s);
/* With so many digits at least. */
void serial_hex(uint32_t value, int digits);
void serial_end_line(void);

#endif
