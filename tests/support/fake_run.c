#include "tests/support/fake_run.h"

#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "coordinator/apply/journal.h"
#include "coordinator/verb/verb.h"
#include "proto/dump.h"

struct arena arena;
struct node_facts facts[NODES];

void read_node(const char *name, struct node_facts *out)
{
	char *path = arena_format(&arena, "%s/cases/%s.facts", TESTS_DIR, name);
	char *text = test_read_file(&arena, path);
	struct bytes bytes = { (uint8_t *)text, strlen(text) };
	struct err e;

	assert_rc(dump_read(bytes, path, &arena, out, &e), RC_OK, &e);
}

static char folder[64];

int read_facts(void **state)
{
	(void)state;
	snprintf(folder, sizeof(folder), "/tmp/cpuherd-test-state-%ld", (long)getpid());
	setenv("XDG_STATE_HOME", folder, 1);
	read_node("penryn+sandybridge+haswell/node01", &facts[0]);
	read_node("penryn+sandybridge+haswell/node02", &facts[1]);
	read_node("penryn+sandybridge+haswell/node03", &facts[2]);
	return 0;
}

int forget_facts(void **state)
{
	(void)state;
	test_run("rm -rf %s", folder);
	arena_destroy(&arena);
	return 0;
}

/* Without a shell: this is done some hundred times. */
static void runs_forget(void)
{
	struct arena scratch = { 0 };
	struct texts runs = { 0 };
	const char *path = arena_format(&scratch, "%s/cpuherd/runs", folder);
	struct err e;

	assert_rc(journal_list(path, &runs, &scratch, &e), RC_OK, &e);
	for (size_t i = 0; i < runs.count; i++)
		unlink(arena_format(&scratch, "%s/%s.journal", path, runs.item[i]));
	arena_destroy(&scratch);
}

int all_well(void **state)
{
	(void)state;
	fake_fleet_reset();
	runs_forget();
	for (int i = 0; i < NODES; i++)
		fake_nodes[i].facts = &facts[i];
	return 0;
}

enum rc run_verb(const char *words, char **out, struct err *e)
{
	char *argv[24], path[] = "/tmp/cpuherd-test-XXXXXX";
	char *line = arena_text(&arena, words);
	int argc = 0, file = mkstemp(path), saved = dup(STDOUT_FILENO);
	struct options options;
	enum rc rc;

	for (char *w = strtok(line, " "); w && argc < 20; w = strtok(NULL, " "))
		argv[argc++] = w;
	/* what one test agrees on is not what the next finds */
	if (strcmp(argv[0], "negotiate") == 0 && !strstr(words, "--lock")) {
		argv[argc++] = arena_text(&arena, "--lock");
		argv[argc++] = arena_text(&arena, "none");
	}
	argv[argc] = NULL;
	assert_rc(options_parse(&options, verb_find(argv[0]), argc, argv, &arena, e),
		RC_OK, e);
	fflush(stdout);
	dup2(file, STDOUT_FILENO);
	rc = options.verb->main(&options, e);
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	close(file);
	if (out)
		*out = test_read_file(&arena, path);
	unlink(path);
	return rc;
}

const char *state_folder(void)
{
	return folder;
}

int run_verb_apart(const char *words)
{
	void *room = mmap(NULL, fake_world_size(), PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status = 0;
	pid_t pid;

	assert_true(room != MAP_FAILED);
	fake_world_room = room;
	fflush(NULL);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct err e = { 0 };
		enum rc rc = run_verb(words, NULL, &e);

		fake_world_save(room);
		_exit(rc_exit_status(rc));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	fake_world_load(room);
	munmap(room, fake_world_size());
	return WEXITSTATUS(status);
}
