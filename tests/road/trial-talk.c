/* The protocol's words about trial guests as lines of text, for tests in shell:
 *
 *	trial-talk say URI <LINES | cpuherd-peer | trial-talk hear
 *
 * say: a line is "try RUN GUEST VIRT MACHINE runs|paused stays|goes FILE" (of the <cpu>;
 * MACHINE - for libvirt's default), "meet RUN GUEST runs|paused", "dismiss RUN" or "bye".
 * hear: a line for each answer: its name, its fields, how many items its lists have.
 */
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "proto/frame.h"
#include "proto/limits.h"

enum { WORDS = 9 };

static struct arena arena;

static void fail(const char *what)
{
	fprintf(stderr, "trial-talk: %s\n", what);
	_exit(2);
}

/* ---- say */

static void send_message(enum message_tag tag, const void *value)
{
	struct buf out = buf_with_cap(LIMIT_FRAME_BYTES + 4);
	struct err e;

	if (frame_put(&out, tag, value, &e) != RC_OK)
		fail(e.text);
	if (file_write_all(STDOUT_FILENO, buf_bytes(&out)) != 0)
		fail("nobody listens");
	buf_destroy(&out);
}

static const char *read_cpu(const char *path)
{
	char text[65536];
	FILE *in = fopen(path, "re");
	size_t n = in ? fread(text, 1, sizeof(text) - 1, in) : 0;

	if (!in)
		fail(path);
	fclose(in);
	return arena_text_n(&arena, text, n);
}

/* Whoever hangs up before the answers is a coordinator that has gone. */
static void wait_for_the_end(void)
{
	struct pollfd listener = { .fd = STDOUT_FILENO };

	poll(&listener, 1, -1);
}

static void say_line(char *const word[WORDS])
{
	if (strcmp(word[0], "try") == 0) {
		struct try ask = { .run = word[1],
			.guest = word[2],
			.virt_type = word[3],
			.machine = strcmp(word[4], "-") == 0 ? "" : word[4],
			.runs = strcmp(word[5], "runs") == 0,
			.stays = strcmp(word[6], "stays") == 0,
			.cpu = read_cpu(word[7]) };

		send_message(MESSAGE_try, &ask);
	} else if (strcmp(word[0], "meet") == 0) {
		struct meet ask = { word[1], word[2], strcmp(word[3], "runs") == 0 };

		send_message(MESSAGE_meet, &ask);
	} else if (strcmp(word[0], "dismiss") == 0) {
		send_message(MESSAGE_dismiss, &(struct dismiss){ word[1] });
	} else if (strcmp(word[0], "bye") == 0) {
		send_message(MESSAGE_bye, &(struct bye){ 0 });
		wait_for_the_end();
	} else {
		fail(word[0]);
	}
}

static void say(const char *uri)
{
	struct hello hello = { PROTOCOL_VERSION, PROTOCOL_VERSION, uri };
	char line[4096];

	send_message(MESSAGE_hello, &hello);
	while (fgets(line, sizeof(line), stdin)) {
		char *word[WORDS], *rest = line;

		for (int i = 0; i < WORDS; i++) {
			char *found = strtok_r(rest, " \n", &rest);

			word[i] = found ? found : rest;
		}
		if (word[0][0])
			say_line(word);
	}
}

/* ---- hear */

static void print_field(const struct field *f, const char *record)
{
	const void *at = record + f->offset;

	printf(" %s=", f->name);
	if (f->type == TYPE_u32)
		printf("%u", *(const uint32_t *)at);
	else if (f->type == TYPE_u64)
		printf("%llu", *(const unsigned long long *)at);
	else if (f->type == TYPE_flag)
		printf("%d", *(const bool *)at);
	else if (f->type == TYPE_text)
		printf("'%s'", *(const char *const *)at);
	else if (f->type == TYPE_list)
		printf("%zu", ((const struct list *)at)->count);
	else if (f->type == TYPE_texts)
		for (size_t i = 0; i < ((const struct texts *)at)->count; i++)
			printf("%s%s", i ? "," : "", ((const struct texts *)at)->item[i]);
}

static void print_message(const struct message *m)
{
	const struct record *record = m->type->record;

	printf("%s", m->type->name);
	for (size_t i = 0; i < record->field_count; i++)
		print_field(&record->fields[i], m->value);
	printf("\n");
	fflush(stdout);
}

static void hear(void)
{
	struct buf in = buf_with_cap(2 * LIMIT_FRAME_BYTES);
	uint8_t chunk[65536];
	struct message m;
	struct err e;
	ssize_t n;

	while ((n = read(STDIN_FILENO, chunk, sizeof(chunk))) > 0) {
		enum rc rc;

		if (buf_append(&in, chunk, (size_t)n) != RC_OK)
			fail("too much");
		while ((rc = frame_take(&in, PROTOCOL_VERSION, &arena, &m, &e)) == RC_OK)
			print_message(&m);
		if (rc != RC_AGAIN)
			fail(e.text);
	}
	buf_destroy(&in);
}

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "say") == 0)
		say(argv[2]);
	else if (argc == 2 && strcmp(argv[1], "hear") == 0)
		hear();
	else
		fail("usage: trial-talk say URI | trial-talk hear");
	arena_destroy(&arena);
	return 0;
}
