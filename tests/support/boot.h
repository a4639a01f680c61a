/* boot.h - runs the bootstrap command as sshd would, by a shell of choice, in a
 * home of choice, and plays the coordinator's part of the dialogue.
 */
#ifndef TESTS_BOOT_H
#define TESTS_BOOT_H

#include <sys/types.h>

#include "base/digest.h"
#include "coordinator/net/bootstrap.h"
#include "tests/support/test.h"

/* The peer of these tests is a script that names its arguments and its umask and then is
 * cat.  As a packaged one it speaks protocol 1. */
extern const char peer[];
extern const size_t peer_size;
extern const char nonce[];
extern char folder[64], gzipped[512], hash[DIGEST_HEX_MAX];
extern size_t gzipped_size;
extern const char *path_variable; /* PATH of the shells to come */
extern const char *first_words;	  /* of the commands to come; "" at first */
extern const char *const sh[];

char *make_command(struct arena *arena, bool become);

struct result {
	struct bootstrap_start first, second;
	bool second_came;
	char rest[8192]; /* what the peer printed */
	char errors[4096];
};

struct child {
	pid_t pid;
	int in, out;
};

/* SHELL -c COMMAND with a home and the runtime folder. */
struct child start_shell(const char *const *shell, const char *command, const char *home,
	const char *runtime);
/* Reads up to the next start line; false at the end. */
bool next_start(const struct child *c, struct buf *in, struct bootstrap_start *out);
/* The whole dialogue; sends push bytes of the image, then (unless close_early)
 * "frames", and waits for the end. */
struct result talk(
	const struct child *c, const void *image, size_t push, bool close_early);
/* All of this with the right image. */
struct result run_in(const char *const *shell, const char *home, bool become);

/* A fresh home in the tests' folder. */
void make_home(char home[static 96], const char *name);

/* For cmocka_run_group_tests(). */
int boot_make(void **state);
int boot_unmake(void **state);

#define assert_peer_ran(r) \
	do { \
		if (!strstr((r).rest, "peer umask 0027\nframes")) \
			fail_msg("the peer did not run: first \"%s\", second \"%s\", " \
				 "out \"%s\", errors \"%s\"", \
				(r).first.text, (r).second.text, (r).rest, (r).errors); \
	} while (0)

#endif
