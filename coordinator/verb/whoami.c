#include "coordinator/verb/whoami.h"

#include <pwd.h>
#include <time.h>
#include <unistd.h>

#include "base/text.h"

const char *whoami_holder(struct arena *arena)
{
	const struct passwd *user = getpwuid(geteuid());
	char host[256] = "";
	char *text;

	if (gethostname(host, sizeof(host) - 1) != 0 || !host[0])
		host[0] = '?';
	if (user)
		text = arena_format(
			arena, "%s@%s, process %ld", user->pw_name, host, (long)getpid());
	else
		text = arena_format(arena, "user %ld@%s, process %ld", (long)geteuid(),
			host, (long)getpid());
	if (text)
		text_make_printable(text);
	return text;
}

const char *whoami_now(struct arena *arena)
{
	time_t now = time(NULL);
	char text[32] = "";
	struct tm tm;

	if (!gmtime_r(&now, &tm) ||
		strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		return arena_text(arena, "");
	return arena_text(arena, text);
}
