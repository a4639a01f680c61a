#include "coordinator/net/bootstrap.h"

#include <stdio.h>
#include <string.h>

#include "base/hex.h"
#include "base/text.h"
#include "proto/limits.h"

/* POSIX shell, on one line, without single quotes, '!', backslashes and newlines:
 * that is what survives single quotes in sh, csh and fish alike.  Arguments:
 * nonce, hash, raw size, gzip size, protocol, machine, become, first words.
 *
 * Everything happens inside a folder that was entered first and then found to be
 * ours (-O) and made private: nobody else can swap what was checked.
 */
static const char script[] =
	/* set -f: words of tools are printed unquoted, to fold their newlines */
	"set -f; n=$1; s=$2; r=$3; g=$4; v=$5; a=$6; b=$7; i=$8; w=; k=; "
	"f=cpuherd-peer-$s; "
	"x=cpuherd-new.$n; u=$(umask); umask 077; export LC_ALL=C; "
	"say() { echo cpuherd-start $n $*; }; "
	"fail() { say fail \"$*\"; exit 1; }; "
	/* become the peer, with the umask that the user had */
	"be() { umask $u; set -- \"$1\" ${i:+--first $i}; "
	"if [ $b = 1 ]; then exec sudo -n -- \"$@\"; else exec \"$@\"; fi; }; "

	/* 1. a packaged peer */
	"p=$(command -v cpuherd-peer) && [ -x \"$p\" ] && "
	"[ \"$(\"$p\" --protocol </dev/null 2>/dev/null)\" = $v ] && "
	"say have \"packaged $p\" && be \"$p\"; "

	"[ \"$(uname -m)\" = $a ] || fail \"this node is $(uname -m), the peer that "
	"cpuherd carries is $a, and no packaged cpuherd-peer of protocol $v is in "
	"PATH\"; "
	"for t in sha256sum dd mktemp; do command -v $t >/dev/null || "
	"fail \"there is no $t on this node\"; done; "
	"good() { [ -f $1 ] && [ -O $1 ] && h=$(sha256sum <$1 2>/dev/null) && "
	"[ \"${h%% *}\" = $s ]; }; "
	/* leave a place: temporary folders go away with what is in them */
	"leave() { rm -f $x $x.z; [ -z \"$k\" ] || { cd /; rm -rf \"$k\"; k=; }; }; "
	"no() { w=\"$w; $d: $*\"; leave; return 1; }; "

	/* 2. places: enter one, or say why not */
	"enter() { if [ \"$t\" = \"$c\" ]; then d=$c/cpuherd; "
	"e=$(mkdir -p \"$d\" 2>&1) || no $e || return 1; "
	"else d=$t; e=$(mktemp -d \"$t/cpuherd.XXXXXXXX\" 2>&1) || no $e || return 1; "
	"k=$e; d=$e; fi; "
	"cd \"$d\" 2>/dev/null && [ -O . ] && chmod 700 . 2>/dev/null || "
	"no \"not a folder of this user\"; }; "
	/* room for the image and its packed form, and may programs run here?  (an
	 * empty file is a program to a shell) */
	"fits() { e=$(dd if=/dev/zero of=$x bs=$((r + g)) count=1 2>&1) || "
	"{ e=$(echo $e); e=${e%% [0-9]*+[0-9]* records*}; no \"$e\"; return 1; }; "
	"cp /dev/null $x && chmod 700 $x && (./$x) </dev/null >/dev/null 2>&1 || "
	"no \"programs cannot be run there (noexec)\" || return 1; rm -f $x; }; "

	"c=${XDG_CACHE_HOME:-${HOME:+$HOME/.cache}}; o=; "
	"for t in \"$c\" \"$XDG_RUNTIME_DIR\" /dev/shm /var/tmp /tmp; do "
	"[ -n \"$t\" ] || continue; enter || continue; "
	"if [ -e $f ]; then if good $f && [ -x $f ]; then "
	"say have \"cached $d$w\"; be ./$f; fi; good $f || rm -f $f; fi; "
	"fits || continue; o=1; break; done; "
	"[ -n \"$o\" ] || fail \"no place for the peer$w\"; "
	"trap leave EXIT; trap \"exit 1\" HUP INT TERM; "

	/* 3. the image from standard input: exactly its bytes, the protocol follows */
	"z=raw; q=$r; command -v gzip >/dev/null && z=gzip && q=$g; "
	"say need \"$z $d$w\"; "
	"e=$(dd bs=$q count=1 iflag=fullblock of=$x.z 2>&1) || fail \"$d: $e\"; "
	"if [ $z = gzip ]; then e=$(gzip -dc <$x.z 2>&1 >$x) || fail \"$d: $e\"; "
	"else mv -f $x.z $x; fi; "
	"good $x || fail \"$d: what arrived is not the peer that was sent\"; "
	"e=$( { chmod 700 $x && mv -f $x $f && rm -f $x.z; } 2>&1) || fail \"$d: $e\"; "
	"say have \"pushed $d$w\"; "
	/* from a temporary folder it runs as a child, so that the folder can go */
	"if [ -z \"$k\" ]; then trap - EXIT; be ./$f; fi; "
	"(trap - EXIT; be ./$f); exit $?";

char *bootstrap_first(struct bytes frames, struct arena *arena)
{
	char *text;

	if (frames.size > LIMIT_FIRST_BYTES)
		frames.size = 0;
	text = arena_alloc(arena, 2 * frames.size + 1, 1);
	if (text)
		hex_write(frames, text);
	return text;
}

char *bootstrap_command(const struct bootstrap *b, struct arena *arena)
{
	static const char before[] = "exec sh -c '", behind[] = "' cpuherd ";
	const char *arguments = arena_format(arena, "%s %s %zu %zu %u %s %d %s", b->nonce,
		b->sha256, b->raw_size, b->gzip_size, b->protocol, b->machine, b->become,
		b->first ? b->first : "");
	char *command = NULL, *at;

	if (arguments)
		command = arena_alloc(arena,
			sizeof(before) + sizeof(script) + sizeof(behind) +
				strlen(arguments),
			1);
	if (!command)
		return NULL;
	/* copied, not formatted: each of ten thousand nodes gets all of the script */
	at = mempcpy(command, before, sizeof(before) - 1);
	at = mempcpy(at, script, sizeof(script) - 1);
	at = mempcpy(at, behind, sizeof(behind) - 1);
	memcpy(at, arguments, strlen(arguments) + 1);
	return command;
}

static const char *const words[] = {
	[BOOTSTRAP_HAVE] = "have ",
	[BOOTSTRAP_NEED] = "need ",
	[BOOTSTRAP_FAIL] = "fail ",
};

static enum rc parse_start(struct bytes line, struct bootstrap_start *out, struct err *e)
{
	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++) {
		size_t n = strlen(words[i]);

		if (line.size < n || memcmp(line.data, words[i], n) != 0)
			continue;
		out->word = (enum bootstrap_word)i;
		snprintf(out->text, sizeof(out->text), "%.*s", (int)(line.size - n),
			(const char *)line.data + n);
		text_make_printable(out->text);
		return RC_OK;
	}
	return err_set(e, RC_PEER, 0, "the start of the peer answered nonsense: %.*s",
		(int)(line.size < 80 ? line.size : 80), (const char *)line.data);
}

enum rc bootstrap_take_start(
	struct buf *in, const char *nonce, struct bootstrap_start *out, struct err *e)
{
	struct bytes all = buf_bytes(in);
	const uint8_t *at, *end;
	char marker[64];
	size_t n, left;
	enum rc rc;

	snprintf(marker, sizeof(marker), "cpuherd-start %s ", nonce);
	n = strlen(marker);
	at = all.size ? memmem(all.data, all.size, marker, n) : NULL;
	left = at ? (size_t)(all.data + all.size - at) : 0;
	end = at ? memchr(at, '\n', left) : NULL;
	if (!end && all.size > BOOTSTRAP_NOISE_MAX)
		return err_set(e, RC_LIMIT, 0,
			"the login shell printed more than %d KiB before the peer could "
			"start",
			BOOTSTRAP_NOISE_MAX / 1024);
	if (!end)
		return RC_AGAIN;
	rc = parse_start((struct bytes){ at + n, (size_t)(end - at) - n }, out, e);
	buf_consume(in, (size_t)(end - all.data) + 1);
	return rc;
}

bool bootstrap_wants_gzip(const struct bootstrap_start *start)
{
	return text_starts_with(start->text, "gzip ");
}
