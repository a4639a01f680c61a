/* file.h - what every writer of a file needs. */
#ifndef BASE_FILE_H
#define BASE_FILE_H

#include "base/buf.h"

/* All of it, signals or not; 0 or an errno, and then a part may be there. */
int file_write_all(int fd, struct bytes content);

#endif
