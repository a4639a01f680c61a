/* transport_memory.h - what a libssh2 session costs in memory.
 *
 * A session of libssh2 1.11.1 is one block of 80 KiB, most of it buffers for packets that
 * never get that large, and all of it written once, with zeros.  Whole pages of zeros are
 * given back to the system, which has zeros for whoever comes to need them.
 */
#ifndef COORDINATOR_TRANSPORT_MEMORY_H
#define COORDINATOR_TRANSPORT_MEMORY_H

#include <stddef.h>

/* Size bytes at the start of a page, for free(); NULL when memory is short. */
void *transport_pages(size_t size);

/* Gives back those pages of the block that are all zeros. */
void transport_give_back(void *block, size_t size);

#endif
