#include "coordinator/net/transport_memory.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

enum { PAGE_BYTES = 4096 };

void *transport_pages(size_t size)
{
	void *block;

	return posix_memalign(&block, PAGE_BYTES, size) == 0 ? block : NULL;
}

static bool is_zero(const char *page)
{
	return page[0] == 0 && memcmp(page, page + 1, PAGE_BYTES - 1) == 0;
}

void transport_give_back(void *block, size_t size)
{
	char *page = block, *end = page + size / PAGE_BYTES * PAGE_BYTES, *first = NULL;

	for (; page <= end; page += PAGE_BYTES) {
		bool zero = page < end && is_zero(page);

		if (zero && !first)
			first = page;
		if (zero || !first)
			continue;
		/* where it fails the memory stays, that is all */
		madvise(first, (size_t)(page - first), MADV_DONTNEED);
		first = NULL;
	}
}
