/* clock.h - how long something takes, whatever the time of day does meanwhile. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

/* Milliseconds of a clock that only goes on (CLOCK_MONOTONIC): for differences. */
long clock_ms(void);

#endif
