#include "coordinator/ssh/shape.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

/* What OpenSSH 9.2 takes as HostKeyAlgorithms; a name that it does not is an error there. */
static const char *const algorithms[] = {
	"ssh-ed25519",
	"ssh-ed25519-cert-v01@openssh.com",
	"sk-ssh-ed25519@openssh.com",
	"sk-ssh-ed25519-cert-v01@openssh.com",
	"ecdsa-sha2-nistp256",
	"ecdsa-sha2-nistp256-cert-v01@openssh.com",
	"ecdsa-sha2-nistp384",
	"ecdsa-sha2-nistp384-cert-v01@openssh.com",
	"ecdsa-sha2-nistp521",
	"ecdsa-sha2-nistp521-cert-v01@openssh.com",
	"sk-ecdsa-sha2-nistp256@openssh.com",
	"sk-ecdsa-sha2-nistp256-cert-v01@openssh.com",
	"ssh-rsa",
	"ssh-rsa-cert-v01@openssh.com",
	"rsa-sha2-256",
	"rsa-sha2-256-cert-v01@openssh.com",
	"rsa-sha2-512",
	"rsa-sha2-512-cert-v01@openssh.com",
};

bool shape_read_port(const char *word, uint16_t *port)
{
	unsigned value = 0;

	for (const char *c = word; *c; c++) {
		if (!isdigit((unsigned char)*c) || value > 6553)
			return false;
		value = value * 10 + (unsigned)(*c - '0');
	}
	*port = (uint16_t)value;
	return value >= 1 && value <= 65535;
}

static uint32_t seconds_of(char unit)
{
	switch (tolower((unsigned char)unit)) {
	case 'w':
		return 7 * 24 * 3600;
	case 'd':
		return 24 * 3600;
	case 'h':
		return 3600;
	case 'm':
		return 60;
	case 's':
	case '\0':
		return 1;
	default:
		return 0;
	}
}

/* TIME FORMATS of sshd_config(5): "90", "1m30s". */
bool shape_read_time(const char *word, uint32_t *seconds)
{
	uint64_t total = 0;

	*seconds = 0;
	if (strcmp(word, "none") == 0)
		return true;
	if (!*word)
		return false;
	while (*word) {
		uint64_t value = 0;
		size_t digits = strspn(word, "0123456789");

		if (digits == 0 || digits > 9)
			return false;
		for (size_t i = 0; i < digits; i++)
			value = value * 10 + (uint64_t)(word[i] - '0');
		word += digits;
		if (!seconds_of(*word))
			return false;
		total += value * seconds_of(*word);
		word += *word != '\0';
	}
	*seconds = (uint32_t)total;
	return total <= INT32_MAX;
}

bool shape_read_strict(const char *word, enum ssh_strict *strict)
{
	bool flag;

	*strict = SSH_STRICT_YES;
	if (strcasecmp(word, "ask") == 0)
		return true;
	if (keyword_read_flag(word, &flag)) {
		*strict = flag ? SSH_STRICT_YES : SSH_STRICT_NEW;
		return true;
	}
	*strict = SSH_STRICT_NEW;
	return strcasecmp(word, "off") == 0 || strcasecmp(word, "accept-new") == 0;
}

static bool is_algorithm(const char *name, size_t size)
{
	for (size_t i = 0; i < sizeof(algorithms) / sizeof(*algorithms); i++)
		if (strlen(algorithms[i]) == size &&
			memcmp(algorithms[i], name, size) == 0)
			return true;
	return false;
}

static bool are_algorithms(const char *list)
{
	list += strchr("+-^", *list) != NULL;
	for (;; list++) {
		size_t size = strcspn(list, ",");

		if (!is_algorithm(list, size))
			return false;
		list += size;
		if (!*list)
			return true;
	}
}

/* ---- ProxyJump */

static bool is_name(const char *text)
{
	/* % is a token's, and an address's zone */
	for (const char *c = text; *c; c++)
		if (!isalnum((unsigned char)*c) && !strchr("._-%:", *c))
			return false;
	return *text && *text != '-';
}

static bool is_user(const char *text)
{
	return *text && *text != '-' && !strpbrk(text, "'`\"\\/;&<>|(){}$ \t");
}

/* The host's end, where ":port" or nothing follows; NULL: something else does. */
static char *host_end(char *host)
{
	char *end = host[0] == '[' ? strchr(host, ']') : host + strcspn(host, ":");

	if (!end || (host[0] == '[' && !strchr(":", end[1])))
		return NULL;
	return end;
}

bool shape_read_jump(char *text, struct shape_jump *out)
{
	char *at = strrchr(text, '@'), *host = at ? at + 1 : text, *end = host_end(host),
	     *port;

	*out = (struct shape_jump){ .user = at ? text : NULL };
	if (!end)
		return false;
	port = *end == ']' ? end + 1 : end;
	if (*port && !shape_read_port(port + 1, &out->port))
		return false;
	if (at)
		*at = '\0';
	*end = '\0';
	out->host = host + (*host == '[');
	return is_name(out->host) && (!at || is_user(text));
}

static bool are_jumps(const char *list)
{
	char text[512];
	struct shape_jump jump;

	if (strcasecmp(list, "none") == 0)
		return true;
	for (;; list++) {
		size_t size = strcspn(list, ",");

		if (size >= sizeof(text))
			return false;
		memcpy(text, list, size);
		text[size] = '\0';
		if (strcasecmp(text, "none") == 0 || !shape_read_jump(text, &jump))
			return false;
		list += size;
		if (!*list)
			return true;
	}
}

/* ---- shapes */

static bool are_full(const struct texts *words)
{
	for (size_t i = 0; i < words->count; i++)
		if (!*words->item[i])
			return false;
	return words->count > 0;
}

/* "none" must stand alone. */
static bool are_files(const struct texts *words)
{
	if (!are_full(words) || words->count > 32)
		return false;
	for (size_t i = 0; i < words->count && words->count > 1; i++)
		if (strcasecmp(words->item[i], "none") == 0)
			return false;
	return true;
}

static const char *oddity_of_word(enum keyword_shape shape, const char *word)
{
	uint16_t port;
	uint32_t number;
	enum ssh_strict strict;
	bool flag;

	switch (shape) {
	case SHAPE_FLAG:
		return keyword_read_flag(word, &flag) ? NULL : "it is neither yes nor no";
	case SHAPE_NUMBER:
		return text_to_u32(word, &number) ? NULL : "it is no number";
	case SHAPE_PORT:
		return shape_read_port(word, &port) ? NULL
						    : "it is no port from 1 to 65535";
	case SHAPE_TIME:
		return shape_read_time(word, &number) ? NULL : "it is no time";
	case SHAPE_STRICT:
		return shape_read_strict(word, &strict)
			       ? NULL
			       : "it is none of yes, no, off, ask, accept-new";
	case SHAPE_ALGORITHMS:
		return are_algorithms(word) ? NULL
					    : "it has names that cpuherd does not know";
	default:
		return NULL;
	}
}

const char *shape_oddity(enum keyword_shape shape, const struct texts *words)
{
	switch (shape) {
	case SHAPE_ANY:
	case SHAPE_REST:
		return NULL;
	case SHAPE_WORDS:
		return are_full(words) ? NULL : "a value is empty";
	case SHAPE_FILES:
		return are_files(words) ? NULL : "it is no list of files";
	case SHAPE_JUMP:
		return are_jumps(words->item[0]) ? NULL
						 : "it is no list of [user@]host[:port]";
	default:
		break;
	}
	if (words->count != 1 || !*words->item[0])
		return "it needs exactly one value";
	return oddity_of_word(shape, words->item[0]);
}
