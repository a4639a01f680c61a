#include "base/file.h"

#include <errno.h>
#include <unistd.h>

int file_write_all(int fd, struct bytes content)
{
	while (content.size) {
		ssize_t n = write(fd, content.data, content.size);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? errno : EIO;
		content.data += n;
		content.size -= (size_t)n;
	}
	return 0;
}
