/* One migration, asked of a real peer: for the test `migrate-peer`.
 *
 *	migrate-ask RUN GUEST URI [tunnelled] [tls] [leave] [limit=S] [data=URI]
 *			[listen=ADDRESS] -- PEER...
 *
 * PEER... is a command whose standard input and output are a peer's.  The run begins there
 * by a meet, and ends by a dismiss.  Prints what is answered to migrate, one field a line,
 * and how many guests were still there; "leave" closes its input one second after the
 * question.  Exit status 2 when there is no such answer.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/file.h"
#include "base/text.h"
#include "proto/frame.h"
#include "proto/limits.h"

struct talk {
	int in, out; /* of ours: what the peer says, what it hears */
	struct buf said;
	struct arena arena;
};

static void give_up(const char *words)
{
	fprintf(stderr, "migrate-ask: %s\n", words);
	exit(2);
}

static void start(struct talk *t, char **peer)
{
	int to[2], from[2];

	*t = (struct talk){ .said = buf_with_cap(2 * LIMIT_FRAME_BYTES) };
	if (pipe(to) != 0 || pipe(from) != 0)
		give_up("no pipe");
	if (fork() == 0) {
		dup2(to[0], STDIN_FILENO);
		dup2(from[1], STDOUT_FILENO);
		for (int i = 0; i < 2; i++)
			close(to[i]), close(from[i]);
		execvp(*peer, peer);
		_exit(127);
	}
	close(to[0]);
	close(from[1]);
	t->in = from[0];
	t->out = to[1];
}

static void say(struct talk *t, enum message_tag tag, const void *value)
{
	struct buf frame = buf_with_cap(LIMIT_FRAME_BYTES);
	struct err e;

	if (frame_put(&frame, tag, value, &e) != RC_OK ||
		file_write_all(t->out, buf_bytes(&frame)) != 0)
		give_up("the peer does not listen");
	buf_destroy(&frame);
}

static const void *hear(struct talk *t, enum message_tag tag)
{
	struct message m = { 0 };
	uint8_t piece[4096];
	struct err e;
	ssize_t n;

	while (frame_take(&t->said, PROTOCOL_VERSION, &t->arena, &m, &e) == RC_AGAIN) {
		n = read(t->in, piece, sizeof(piece));
		if (n <= 0 || buf_append(&t->said, piece, (size_t)n) != RC_OK)
			give_up("the peer has ended");
	}
	if (m.type && m.type->tag == MESSAGE_failure)
		give_up(((const struct failure *)m.value)->reason);
	if (!m.type || m.type->tag != tag)
		give_up("the peer says something else");
	return m.value;
}

/* What stands behind "name=", or NULL. */
static const char *value_of(const char *word, const char *name)
{
	return text_starts_with(word, name) ? word + strlen(name) : NULL;
}

/* Gives the words of the peer's command. */
static char **read_words(char **word, struct migrate *m, bool *leave)
{
	const char *value;

	for (; *word && strcmp(*word, "--") != 0; word++) {
		m->tunnelled |= strcmp(*word, "tunnelled") == 0;
		m->tls |= strcmp(*word, "tls") == 0;
		*leave |= strcmp(*word, "leave") == 0;
		if ((value = value_of(*word, "limit=")) &&
			!text_to_u32(value, &m->limit_s))
			give_up("limit= needs seconds");
		if ((value = value_of(*word, "data=")))
			m->data_uri = value;
		if ((value = value_of(*word, "listen=")))
			m->listen = value;
	}
	if (!*word || !word[1])
		give_up("-- PEER... is missing");
	return word + 1;
}

static void print(const struct migrated *m)
{
	printf("ok %s\nnative %u\nreason %s\ndirect %s\nreach %s\nlog %s\nms %u\n",
		m->ok ? "yes" : "no", m->native, m->reason, m->direct, m->reach, m->log,
		m->ms);
}

static void begin(struct talk *t, const struct migrate *m)
{
	struct hello hello = { PROTOCOL_VERSION, PROTOCOL_VERSION, "" };
	struct meet meet = { m->run, "nobody", false };

	say(t, MESSAGE_hello, &hello);
	hear(t, MESSAGE_welcome);
	say(t, MESSAGE_meet, &meet);
	hear(t, MESSAGE_met);
}

static void end(struct talk *t, const struct migrate *m)
{
	struct dismiss dismiss = { m->run };
	struct bye bye = { 0 };

	fflush(stdout); /* a failure ends us */
	say(t, MESSAGE_dismiss, &dismiss);
	printf("dismissed %u\n",
		((const struct dismissed *)hear(t, MESSAGE_dismissed))->guests);
	say(t, MESSAGE_bye, &bye);
	wait(NULL);
}

int main(int argc, char **argv)
{
	struct migrate m = { .data_uri = "", .listen = "", .limit_s = 60 };
	bool leave = false;
	struct talk t;

	if (argc < 6)
		give_up("RUN GUEST URI [WORDS] -- PEER...");
	m.run = argv[1];
	m.guest = argv[2];
	m.uri = argv[3];
	start(&t, read_words(argv + 4, &m, &leave));
	begin(&t, &m);
	say(&t, MESSAGE_migrate, &m);
	if (leave) {
		sleep(1);
		close(t.out);
		wait(NULL);
		return 0;
	}
	print(hear(&t, MESSAGE_migrated));
	end(&t, &m);
	return 0;
}
