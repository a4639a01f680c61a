/* peer: the program that runs on nodes, as a file for those who copy it there themselves. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "coordinator/net/image.h"
#include "coordinator/verb/replace.h"
#include "coordinator/verb/verb.h"

/* Whoever may read it may run it. */
static enum rc program_write(const char *path, struct bytes program, struct err *e)
{
	enum rc rc = replace_file(path, program, e);
	struct stat st;

	if (rc != RC_OK)
		return rc;
	if (stat(path, &st) != 0 ||
		(S_ISREG(st.st_mode) &&
			chmod(path, st.st_mode | (st.st_mode & 0444) >> 2) != 0))
		return err_set(e, RC_OUTPUT, errno, "%s: %s", path, strerror(errno));
	return RC_OK;
}

enum rc peer_main(const struct options *o, struct err *e)
{
	struct bytes program = image_of_peer().raw;

	if (o->nodes.count)
		return err_set(e, RC_USAGE, 0, "peer: it takes no arguments, not '%s'",
			o->nodes.item[0]);
	if (o->out)
		return program_write(o->out, program, e);
	if (isatty(STDOUT_FILENO))
		return err_set(e, RC_USAGE, 0,
			"peer: that is a program and no text: cpuherd peer --out FILE");
	if (fwrite(program.data, 1, program.size, stdout) != program.size ||
		fflush(stdout) != 0)
		return err_set(
			e, RC_OUTPUT, errno, "standard output: %s", strerror(errno));
	return RC_OK;
}
