#include "tests/ssh/referee.h"

#include <pwd.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#include "base/text.h"
#include "coordinator/ssh/shape.h"
#include "tests/support/shell.h"

static char folder[] = "/tmp/cpuherd-config-XXXXXX";
static char usual_algorithms[2048];
char file[128], included[128];
struct arena arena;

/* ---- what ssh says */

static const char *quoted(const char *option, const char *value)
{
	return value ? arena_format(&arena, " %s '%s'", option, value) : "";
}

struct told ask_ssh(const struct question *q)
{
	struct told told = { 0 };
	const char *port = q->port ? arena_format(&arena, "%u", q->port) : NULL;
	struct shell_result r = shell_run(&arena,
		arena_format(&arena, "ssh -G -F %s%s%s%s %s -- '%s'", file,
			quoted("-l", q->user), quoted("-p", port), quoted("-J", q->jump),
			q->options ? q->options : "", q->host));

	told.refused = r.status != 0;
	told.words = r.err;
	for (char *line; (line = strsep(&r.out, "\n")) && *line;) {
		assert_true(told.count < 256);
		told.lines[told.count++] = line;
	}
	return told;
}

/* The n-th value of a keyword; NULL: there is none. */
static const char *told_value(const struct told *t, const char *key, size_t n)
{
	size_t size = strlen(key);

	for (size_t i = 0; i < t->count; i++)
		if (strncmp(t->lines[i], key, size) == 0 && t->lines[i][size] == ' ' &&
			n-- == 0)
			return t->lines[i] + size + 1;
	return NULL;
}

/* ---- what ssh leaves unexpanded, expanded in the plainest way */

static const char *replaced(const char *text, const char *token, const char *value)
{
	const char *at = strstr(text, token);

	return at ? arena_format(&arena, "%.*s%s%s", (int)(at - text), text, value,
			    replaced(at + 2, token, value))
		  : text;
}

static const char *plain(const struct told *t, const struct question *q, const char *text)
{
	const char *alias = told_value(t, "hostkeyalias", 0);
	const struct passwd *user = getpwuid(getuid());

	if (text[0] == '~')
		text = arena_format(&arena, "%s%s", "%d", text + 1);
	text = replaced(text, "%h", told_value(t, "hostname", 0));
	text = replaced(text, "%n", q->host);
	text = replaced(text, "%p", told_value(t, "port", 0));
	text = replaced(text, "%r", told_value(t, "user", 0));
	text = replaced(text, "%k", alias ? alias : q->host);
	text = replaced(text, "%u", user->pw_name);
	text = replaced(text, "%i", arena_format(&arena, "%u", (unsigned)getuid()));
	text = replaced(text, "%d", user->pw_dir);
	return replaced(text, "%%", "%");
}

/* ---- comparing */

static const char *text_or_none(const char *text)
{
	return text ? text : "(none)";
}

static void same(const char *what, const char *ours, const char *theirs)
{
	char *content = test_read_file(&arena, file);

	if (strcmp(text_or_none(ours), text_or_none(theirs)) != 0)
		fail_msg("%s: ours '%s', ssh's '%s', for\n%s", what, text_or_none(ours),
			text_or_none(theirs), content);
}

static const char *join(const struct texts *list)
{
	return texts_join(list, list->count, &arena);
}

static void same_identities(
	const struct ssh_settings *s, const struct told *t, const struct question *q)
{
	struct texts theirs = { 0 };
	struct err e;
	const char *value;

	for (size_t i = 0; (value = told_value(t, "identityfile", i)); i++)
		if (strcasecmp(value, "none") != 0)
			assert_rc(texts_add(&theirs, plain(t, q, value), &arena, &e),
				RC_OK, &e);
	if (told_value(t, "identityfile", 0) &&
		strcmp(told_value(t, "identityfile", 0), "~/.ssh/id_rsa") == 0 &&
		theirs.count > 3) {
		assert_int_equal(s->identity_files.count, 3);
		assert_true(
			text_ends_with(s->identity_files.item[0], "/.ssh/id_ed25519"));
		return;
	}
	same("identityfile", join(&s->identity_files), join(&theirs));
}

static void same_known_hosts(const struct ssh_settings *s, const struct told *t)
{
	static const char *const keys[] = { "userknownhostsfile",
		"globalknownhostsfile" };
	struct texts theirs = { 0 };
	struct err e;

	for (size_t i = 0; i < 2; i++) {
		const char *value = told_value(t, keys[i], 0);
		char *words;

		if (strcasecmp(value, "none") == 0)
			value = i == 0 ? "/dev/null" : NULL;
		words = value ? arena_text(&arena, value) : NULL;
		while (words)
			assert_rc(texts_add(&theirs, strsep(&words, " "), &arena, &e),
				RC_OK, &e);
	}
	same("known_hosts", join(&s->known_hosts), join(&theirs));
}

static void same_agent(
	const struct ssh_settings *s, const struct told *t, const struct question *q)
{
	const char *theirs = told_value(t, "identityagent", 0);

	(void)q;
	if (!theirs || strcmp(theirs, "SSH_AUTH_SOCK") == 0)
		theirs = getenv("SSH_AUTH_SOCK");
	else if (theirs[0] == '$')
		theirs = getenv(theirs + 1);
	else if (strcasecmp(theirs, "none") == 0)
		theirs = NULL;
	same("identityagent", s->agent, theirs);
}

static void same_algorithms(const struct ssh_settings *s, const struct told *t)
{
	const char *ours = s->host_key_algorithms;
	const char *theirs = told_value(t, "hostkeyalgorithms", 0);

	if (ours && strchr("+-^", ours[0])) {
		assert_int_equal(strstr(theirs, ours + 1) != NULL, ours[0] != '-');
		return;
	}
	same("hostkeyalgorithms", ours ? ours : usual_algorithms, theirs);
}

static void same_strict(const struct ssh_settings *s, const struct told *t)
{
	const char *theirs = told_value(t, "stricthostkeychecking", 0);
	bool is_new = strcmp(theirs, "false") == 0 || strcmp(theirs, "accept-new") == 0;

	same("stricthostkeychecking", s->strict == SSH_STRICT_NEW ? "new" : "yes",
		is_new ? "new" : "yes");
}

static void same_settings(const struct ssh_settings *s, const struct question *q);

/* The question that the ssh of a ProxyJump would answer; host NULL: there is none. */
static struct question jump_of(const struct told *t, const struct question *q)
{
	const char *value = told_value(t, "proxyjump", 0);
	struct question jump = { .depth = q->depth + 1 };
	struct shape_jump last;
	char *text, *comma;

	if (!value)
		return jump;
	text = arena_text(&arena, plain(t, q, value));
	comma = strrchr(text, ',');
	if (comma) {
		*comma = '\0';
		jump.jump = text;
	}
	jump.host = "?";
	if (!shape_read_jump(comma ? comma + 1 : text, &last))
		return jump;
	jump.host = last.host;
	jump.user = last.user;
	jump.port = last.port;
	return jump;
}

static void same_way(
	const struct ssh_settings *s, const struct told *t, const struct question *q)
{
	const char *command = told_value(t, "proxycommand", 0);
	struct question jump = jump_of(t, q);

	same("proxycommand", s->proxy_command, command ? plain(t, q, command) : NULL);
	if (!jump.host)
		assert_null(s->jump);
	else if (!s->jump)
		fail_msg("no jump host for\n%s", test_read_file(&arena, file));
	else
		same_settings(s->jump, &jump);
}

static void same_settings(const struct ssh_settings *s, const struct question *q)
{
	struct told t = ask_ssh(q);
	const char *timeout = told_value(&t, "connecttimeout", 0);

	if (t.refused)
		fail_msg("ssh: %s", t.words);
	same("hostname", s->host, told_value(&t, "hostname", 0));
	same("port", arena_format(&arena, "%u", s->port), told_value(&t, "port", 0));
	same("user", s->user, told_value(&t, "user", 0));
	same("identitiesonly", s->identities_only ? "yes" : "no",
		told_value(&t, "identitiesonly", 0));
	same("hostkeyalias", s->host_key_alias, told_value(&t, "hostkeyalias", 0));
	same("connecttimeout", arena_format(&arena, "%u", s->connect_timeout_s),
		strcmp(timeout, "none") == 0 ? "0" : timeout);
	same_identities(s, &t, q);
	same_known_hosts(s, &t);
	same_agent(s, &t, q);
	same_algorithms(s, &t);
	same_strict(s, &t);
	same_way(s, &t, q);
}

/* Does ssh refuse the node, or a jump host on the way? */
static bool is_refused_by_ssh(const struct question *q)
{
	struct told t = ask_ssh(q);
	struct question jump;

	if (t.refused || q->depth > 8)
		return true;
	jump = jump_of(&t, q);
	return jump.host && (jump.host[0] == '?' || is_refused_by_ssh(&jump));
}

/* ---- one file, one host */

struct asked check(const struct question *q, const struct texts *values)
{
	struct ssh_options options = { .file = file, .jump = q->jump };
	const struct ssh_target target = { q->host, q->user, (uint16_t)q->port, NULL };
	const struct ssh_settings *settings = NULL;
	struct asked asked = { 0 };
	struct ssh_config *config;

	if (values)
		options.values = *values;
	config = ssh_config_load(&options, &arena, &asked.err);
	asked.refused = !config || ssh_config_resolve(config, &target, 1, &settings,
					   &asked.err) != RC_OK;
	asked.of_ssh = config && ssh_config_asked(config);
	if (asked.refused != is_refused_by_ssh(q))
		fail_msg("%s: ours: %s; ssh's: %s; for\n%s", q->host,
			asked.refused ? asked.err.text : "well", ask_ssh(q).words,
			test_read_file(&arena, file));
	if (asked.refused)
		assert_int_equal(asked.err.code, values ? asked.err.code : RC_INPUT);
	else
		same_settings(settings, q);
	return asked;
}

int referee_make(void **state)
{
	struct question nothing = { .host = "x" };
	struct told usual;

	(void)state;
	setenv("CPUHERD_TEST", "/tmp/agent-of-test", 1);
	unsetenv("CPUHERD_UNSET");
	setenv("SSH_AUTH_SOCK", "/nonexistent/agent", 1);
	if (!mkdtemp(folder))
		return -1;
	strcpy(file, "none");
	usual = ask_ssh(&nothing);
	snprintf(usual_algorithms, sizeof(usual_algorithms), "%s",
		told_value(&usual, "hostkeyalgorithms", 0));
	arena_destroy(&arena);
	snprintf(file, sizeof(file), "%s/config", folder);
	snprintf(included, sizeof(included), "%s/more", folder);
	return 0;
}

int referee_unmake(void **state)
{
	(void)state;
	unlink(file);
	unlink(included);
	return rmdir(folder);
}
