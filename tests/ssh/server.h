/* server.h - SSH servers for tests, on ports of the kernel's choice.
 *
 * A child process listens on 127.0.0.1 and gives each connection to a real
 * `sshd -i`, or plays a server that misbehaves.  Keys, configuration and the
 * login's home are in one folder under $TMPDIR, made by site_make() and removed
 * by site_remove().  Works as root and as any user.
 */
#ifndef TESTS_SERVER_H
#define TESTS_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct site {
	char folder[64];
	char home[96], host_key[96], other_host_key[96], user_key[96], other_user_key[96];
	char rsa_key[96], locked_key[96];
};

/* Where sshd is missing, or the ssh that is wanted, says so and skips all tests (77). */
void site_make(struct site *site, bool with_ssh);
void site_remove(const struct site *site);

/* The content of a file, to be freed. */
char *read_text(const char *path);

enum manners {
	SERVER_SSHD,   /* a real one */
	SERVER_SILENT, /* its banner, then nothing */
	SERVER_TALKER, /* greeting lines for ever */
	SERVER_CUT,    /* a real one, but the line is cut after so many bytes */
	SERVER_FULL,   /* a real one, but so many connections are turned away first */
};

struct server_options {
	enum manners manners;
	size_t cut;
	const char *config; /* further lines of sshd_config; may be NULL */
};

struct server {
	uint16_t port;
	pid_t pid;
};

struct server server_start(const struct site *site, const struct server_options *options);
void server_stop(struct server *s);

#endif
