#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/text.h"

static const struct rc_row {
	const char *name;
	int status;
	const char *meaning;
	const char *hint;
} rows[RC_COUNT] = {
#define RC_ROW(code, status, meaning, hint) \
	[RC_##code] = { #code, status, meaning, hint },
	RC_LIST(RC_ROW)
#undef RC_ROW
};

void err_fill(struct err *e, enum rc code, int native, const char *fmt, ...)
{
	va_list args;

	e->code = code;
	e->native = native;
	va_start(args, fmt);
	vsnprintf(e->text, sizeof(e->text), fmt, args);
	va_end(args);
	text_make_printable(e->text);
}

const char *rc_name(enum rc code)
{
	return rows[code].name;
}

int rc_exit_status(enum rc code)
{
	return rows[code].status;
}

const char *rc_meaning(enum rc code)
{
	return rows[code].meaning;
}

const char *rc_hint(enum rc code)
{
	return rows[code].hint;
}
