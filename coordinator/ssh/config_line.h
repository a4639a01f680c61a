/* config_line.h - one line of a configuration, added to the list; config_files.c calls it
 * for the lines of files. */
#ifndef COORDINATOR_SSH_CONFIG_LINE_H
#define COORDINATOR_SSH_CONFIG_LINE_H

#include "coordinator/ssh/config.h"
#include "coordinator/ssh/words.h"

/* A line that has been split.  RC_INPUT with a text without the place. */
enum rc config_line_add(struct config *c, const char *file, unsigned number,
	const struct words_line *split, struct err *e);

/* Ends the block that is open at this depth. */
void config_block_close(struct config *c);

#endif
