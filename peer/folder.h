/* folder.h - reaching a file without being led astray: place.h's hands.
 *
 * Paths are walked one folder at a time, by descriptors.  Up to the base (/etc,
 * ~/.config) symbolic links are the administrator's own; below it none is
 * followed, and a file is a regular file or it is refused.
 */
#ifndef PEER_FOLDER_H
#define PEER_FOLDER_H

#include <limits.h>
#include <stdbool.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/err.h"

enum { FOLDER_DEPTH_MAX = 32 };

/* The way to a file. */
struct folder_way {
	const char *path; /* absolute, without the root */
	size_t base,
		needed; /* bytes of it whose links may be followed; that must be there */
};

/* Folders that were made on the way, and the open folders they are in. */
struct folder_made {
	struct {
		int parent;
		char name[NAME_MAX + 1];
	} item[FOLDER_DEPTH_MAX];
	size_t count;
};

/* Opens the folder that the file of that way lies in, under the root ("": the real
 * one).  With made, missing folders are made (0755) and noted there; without, a missing
 * one gives RC_OK and *fd = -1.  RC_PLACE; RC_TARGET when one that is needed is missing;
 * after a failure made may hold some. */
enum rc folder_open(const char *root, const struct folder_way *way,
	struct folder_made *made, int *fd, struct err *e);

/* How many folders folder_open() would make. */
enum rc folder_count_missing(
	const char *root, const struct folder_way *way, size_t *missing, struct err *e);

/* After a crash: opens the folder as far as it is there, and notes the deepest ones
 * as made. */
enum rc folder_open_again(const char *root, const struct folder_way *way, size_t deepest,
	struct folder_made *made, int *fd, struct err *e);

/* Removes what was made, as far as it is empty, and forgets it; true when a
 * folder was removed.  Only system calls: fit for a signal handler. */
bool folder_unmake(struct folder_made *made);

/* Brings the folder, and those it was made in, to disk; 0 or an errno. */
int folder_sync(int folder, const struct folder_made *made);

/* Forgets what was made. */
void folder_settle(struct folder_made *made);

struct place_content {
	struct arena *arena; /* of content */
	bool exists;
	struct bytes content;
	struct digest digest;
	struct stat info;
};

/* Reads a file of the folder; path is for messages.  RC_PLACE: not a regular
 * file, a symbolic link, not readable; RC_LIMIT above LIMIT_PLACE_BYTES;
 * RC_MEMORY. */
enum rc folder_read(int folder, const char *file, const char *path,
	struct place_content *out, struct err *e);

/* The same for a file of our own, which may be larger. */
enum rc folder_read_up_to(int folder, const char *file, const char *path, size_t cap,
	struct place_content *out, struct err *e);

/* Writes a new file (which must not be there) and brings it to disk.  Owner, mode
 * and labels are those of the open file `like`; -1: 0644 and the process's own.
 * *info is the new file's.  RC_PLACE; then a part of the file may be there. */
enum rc folder_write(int folder, const char *file, struct bytes content, int like,
	struct stat *info, struct err *e);

#endif
