/* A dialogue with the peer: requests in, answers out, for the tests of serve. */
#ifndef TESTS_UNIT_PEER_TALK_H
#define TESTS_UNIT_PEER_TALK_H

#include <ftw.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "peer/serve.h"
#include "proto/frame.h"
#include "proto/place.h"
#include "tests/support/test.h"

/* One dialogue: requests are written to a file, served, and the answers read
 * from another. */
struct talk {
	struct serve serve;
	struct buf requests, answers;
	struct arena arena;
	char root[64];
	struct err e;
	enum rc end;
};

static const char path[] = "/etc/libvirt/cpuherd/lab.xml";
static const char new_text[] = "<cpu>new</cpu>";

/* A libvirt that wants "avx" left out and cannot be asked about "trouble". */
static inline enum rc fake_judge(const char *uri, const struct libvirt_guest *guest,
	const char *cpu, struct arena *arena, struct libvirt_verdict *out, struct err *e)
{
	static const char *avx[] = { "avx" };

	(void)uri;
	(void)arena;
	*out = (struct libvirt_verdict){ .accepted = true, .reason = "" };
	if (strstr(cpu, "trouble") || strcmp(guest->virt_type, "kvm") != 0)
		return err_set(e, RC_LIBVIRT, 38, "no daemon");
	if (strstr(cpu, "avx"))
		*out = (struct libvirt_verdict){ false, { avx, 1 }, "missing: avx" };
	return RC_OK;
}

static inline enum rc hang(const char *uri, const struct libvirt_guest *guest,
	const char *cpu, struct arena *arena, struct libvirt_verdict *out, struct err *e)
{
	if (!strstr(cpu, "hang"))
		return fake_judge(uri, guest, cpu, arena, out, e);
	for (;;)
		pause();
}

static inline enum rc fake_gather(
	struct node_facts *out, const char *connect, struct arena *arena, struct err *e)
{
	(void)e;
	*out = (struct node_facts){ 0 };
	out->small.hostname = "fake";
	out->small.uri = arena_text(arena, connect);
	for (int id = 0; id < BODY_COUNT; id++)
		out->text[id] = "";
	out->text[BODY_capabilities] = "<capabilities/>";
	out->present[BODY_capabilities] = true;
	out->text[BODY_offer_kvm] = "<cpu/>";
	out->present[BODY_offer_kvm] = true;
	return RC_OK;
}

static inline void open_talk(struct talk *t)
{
	*t = (struct talk){ .requests = buf_with_cap(8 << 20),
		.answers = buf_with_cap(8 << 20),
		.root = "/tmp/cpuherd-serve-XXXXXX" };
	assert_non_null(mkdtemp(t->root));
	assert_int_equal(mkdir(arena_format(&t->arena, "%s/etc", t->root), 0755), 0);
	t->serve = (struct serve){
		.limit_s = 60, .root = t->root, .judge = fake_judge, .gather = fake_gather
	};
}

static inline int remove_entry(
	const char *name, const struct stat *s, int type, struct FTW *ftw)
{
	(void)s;
	(void)type;
	(void)ftw;
	return remove(name);
}

static inline void close_talk(struct talk *t)
{
	nftw(t->root, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
	buf_destroy(&t->requests);
	buf_destroy(&t->answers);
	arena_destroy(&t->arena);
}

/* ---- requests */

static inline void say(struct talk *t, enum message_tag tag, const void *value)
{
	assert_rc(frame_put(&t->requests, tag, value, &t->e), RC_OK, &t->e);
}

static inline void say_hello(struct talk *t)
{
	struct hello hello = { PROTOCOL_VERSION, PROTOCOL_VERSION, "qemu:///system" };

	say(t, MESSAGE_hello, &hello);
}

static inline void say_stage(struct talk *t, const char *content)
{
	struct change change = { .place = PLACE_stanza,
		.name = "lab",
		.content = { (const uint8_t *)content, strlen(content) } };
	struct stage stage = {
		.run = "run1", .changes = { &change, 1 }, .virt_type = "kvm"
	};

	say(t, MESSAGE_stage, &stage);
}

/* commit, verify, revert and keep are a run's name, all four */
static inline void say_run(struct talk *t, enum message_tag tag)
{
	struct commit run = { "run1" };

	say(t, tag, &run);
}

static inline void say_bye(struct talk *t)
{
	struct bye bye = { 0 };

	say(t, MESSAGE_bye, &bye);
}

static inline void say_bytes(struct talk *t, const void *bytes, size_t size)
{
	assert_int_equal(buf_append(&t->requests, bytes, size), RC_OK);
}

/* ---- running */

static inline void read_file(int fd, struct buf *into)
{
	uint8_t chunk[4096];
	ssize_t n;

	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		assert_int_equal(buf_append(into, chunk, (size_t)n), RC_OK);
	assert_int_equal(n, 0);
}

static inline void run(struct talk *t)
{
	FILE *in = tmpfile(), *out = tmpfile();
	struct bytes requests = buf_bytes(&t->requests);

	assert_non_null(in);
	assert_non_null(out);
	if (requests.size)
		assert_int_equal(fwrite(requests.data, requests.size, 1, in), 1);
	rewind(in);
	t->serve.in = fileno(in);
	t->serve.out = fileno(out);
	lseek(t->serve.in, 0, SEEK_SET);
	t->end = serve_run(&t->serve, &t->e);
	read_file(t->serve.out, &t->answers);
	fclose(in);
	fclose(out);
}

/* The next answer, which must be of that kind. */
static inline const void *hear(struct talk *t, enum message_tag tag)
{
	struct message m;
	struct err e;

	assert_rc(
		frame_take(&t->answers, PROTOCOL_VERSION, &t->arena, &m, &e), RC_OK, &e);
	if (m.type->tag != tag && m.type->tag == MESSAGE_failure)
		fail_msg("failure: %s", ((const struct failure *)m.value)->reason);
	assert_string_equal(m.type->name, message_type_of(tag)->name);
	return m.value;
}

static inline const struct found *hear_found(struct talk *t)
{
	const struct list *list = &((const struct seen *)hear(t, MESSAGE_seen))->found;

	assert_int_equal(list->count, 1);
	return list->item;
}

static inline const struct staging *hear_staging(struct talk *t)
{
	const struct list *list = &((const struct staged *)hear(t, MESSAGE_staged))
					   ->changes;

	assert_int_equal(list->count, 1);
	return list->item;
}

static inline const struct reading *hear_reading(struct talk *t)
{
	const struct verified *verified = hear(t, MESSAGE_verified);

	assert_int_equal(verified->changes.count, 1);
	return verified->changes.item;
}

static const struct failure *hear_failure(struct talk *t, const char *code)
{
	const struct failure *failure = hear(t, MESSAGE_failure);

	assert_string_equal(failure->code, code);
	return failure;
}

static inline void hear_nothing_more(struct talk *t)
{
	assert_int_equal(buf_bytes(&t->answers).size, 0);
}

static inline bool is_written(struct talk *t)
{
	return access(arena_format(&t->arena, "%s%s", t->root, path), F_OK) == 0;
}

static inline bool folder_is_there(struct talk *t)
{
	return access(arena_format(&t->arena, "%s/etc/libvirt", t->root), F_OK) == 0;
}

#endif
