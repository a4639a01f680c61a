/* clock.h - how the kernel rests, and how old it is. */
#ifndef PEER_KERNEL_CLOCK_H
#define PEER_KERNEL_CLOCK_H

#include <stdint.h>

/* Starts the timer: twenty ticks a second. */
void clock_open(void);

/* Until the next tick; at once where the machine has no timer. */
void clock_rest(void);

/* Seconds for which the guest has run; to be asked at least once a second.  Two clocks
 * count, and the one that is ahead is believed: seconds of the real-time clock that were
 * seen to pass, and ticks.  Neither looks at what time it is: after a migration that may
 * be another, where nodes do not agree on it. */
uint32_t clock_age_s(void);

/* Other numbers at each boot. */
void clock_nonce(uint32_t nonce[2]);

#endif
