#include "coordinator/ssh/keyword.h"

#include <strings.h>

static const struct keyword_row valued[KEY_COUNT] = {
#define ROW(id, name, class, shape, neutral, why) \
	[KEY_##id] = { name, KEY_##id, CLASS_##class, SHAPE_##shape, neutral, why },
	KEYWORDS(ROW)
#undef ROW
};

#define STRUCTURE(name, key) \
	{ \
		name, key, CLASS_STRUCTURE, SHAPE_ANY, NULL, "" \
	}
#define SAME(name, id) \
	{ \
		name, KEY_##id, CLASS_MODELLED, SHAPE_WORD, NULL, "" \
	}
#define IGNORED(name, shape, why) \
	{ \
		name, KEY_IGNORED, CLASS_IGNORED, SHAPE_##shape, NULL, why \
	}

static const char forwards[] = "cpuherd opens no forwardings";
static const char terminal[] = "cpuherd has no terminal on the node";
static const char prompts[] = "cpuherd logs in by keys, and asks for nothing else";
static const char weaker[] = "cpuherd insists on a known host key in any case";
static const char sharing[] = "cpuherd has its own connections";
static const char wire[] = "it does not change which node is reached, or as whom";
static const char canonical[] = "it only matters with CanonicalizeHostname";
static const char talk[] = "it is about what ssh prints";
static const char gone[] = "ssh itself does nothing with it any more";

/* clang-format off */
static const struct keyword_row others[] = {
	STRUCTURE("host", KEY_HOST),
	STRUCTURE("match", KEY_MATCH),
	STRUCTURE("include", KEY_INCLUDE),
	SAME("identityfile2", IDENTITY_FILE),
	SAME("dsaauthentication", PUBKEY),
	SAME("smartcarddevice", PKCS11),

	IGNORED("clearallforwardings", FLAG, forwards),
	IGNORED("dynamicforward", ANY, forwards),
	IGNORED("exitonforwardfailure", FLAG, forwards),
	IGNORED("forwardagent", WORD, forwards),
	IGNORED("forwardx11", FLAG, forwards),
	IGNORED("forwardx11timeout", WORD, forwards),
	IGNORED("forwardx11trusted", FLAG, forwards),
	IGNORED("gatewayports", FLAG, forwards),
	IGNORED("localforward", ANY, forwards),
	IGNORED("permitremoteopen", ANY, forwards),
	IGNORED("remoteforward", ANY, forwards),
	IGNORED("streamlocalbindmask", WORD, forwards),
	IGNORED("streamlocalbindunlink", FLAG, forwards),
	IGNORED("tunnel", WORD, forwards),
	IGNORED("tunneldevice", WORD, forwards),
	IGNORED("xauthlocation", WORD, forwards),

	IGNORED("enableescapecommandline", FLAG, terminal),
	IGNORED("escapechar", WORD, terminal),
	IGNORED("forkafterauthentication", FLAG, terminal),
	IGNORED("localcommand", REST, terminal),
	IGNORED("permitlocalcommand", FLAG, terminal),
	IGNORED("remotecommand", REST, terminal),
	IGNORED("requesttty", WORD, terminal),
	IGNORED("sendenv", WORDS, terminal),
	IGNORED("sessiontype", WORD, terminal),
	IGNORED("setenv", WORDS, terminal),
	IGNORED("stdinnull", FLAG, terminal),

	IGNORED("addkeystoagent", WORDS, prompts),
	IGNORED("batchmode", FLAG, prompts),
	IGNORED("challengeresponseauthentication", FLAG, prompts),
	IGNORED("enablesshkeysign", FLAG, prompts),
	IGNORED("gssapiauthentication", FLAG, prompts),
	IGNORED("gssapiclientidentity", WORD, prompts),
	IGNORED("gssapidelegatecredentials", FLAG, prompts),
	IGNORED("gssapikeyexchange", FLAG, prompts),
	IGNORED("gssapikexalgorithms", WORD, prompts),
	IGNORED("gssapirenewalforcesrekey", FLAG, prompts),
	IGNORED("gssapiserveridentity", WORD, prompts),
	IGNORED("gssapitrustdns", FLAG, prompts),
	IGNORED("hostbasedacceptedalgorithms", WORD, prompts),
	IGNORED("hostbasedauthentication", FLAG, prompts),
	IGNORED("hostbasedkeytypes", WORD, prompts),
	IGNORED("kbdinteractiveauthentication", FLAG, prompts),
	IGNORED("kbdinteractivedevices", WORD, prompts),
	IGNORED("numberofpasswordprompts", NUMBER, prompts),
	IGNORED("passwordauthentication", FLAG, prompts),
	IGNORED("preferredauthentications", WORD, prompts),
	IGNORED("pubkeyacceptedalgorithms", WORD, prompts),
	IGNORED("pubkeyacceptedkeytypes", WORD, prompts),
	IGNORED("securitykeyprovider", WORD, prompts),
	IGNORED("skeyauthentication", FLAG, prompts),
	IGNORED("tisauthentication", FLAG, prompts),

	IGNORED("casignaturealgorithms", WORD, weaker),
	IGNORED("checkhostip", FLAG, weaker),
	IGNORED("hashknownhosts", FLAG, weaker),
	IGNORED("nohostauthenticationforlocalhost", FLAG, weaker),
	IGNORED("updatehostkeys", WORD, weaker),
	IGNORED("verifyhostkeydns", WORD, weaker),

	IGNORED("controlmaster", WORD, sharing),
	IGNORED("controlpath", WORD, sharing),
	IGNORED("controlpersist", WORD, sharing),

	IGNORED("compression", FLAG, wire),
	IGNORED("connectionattempts", NUMBER, wire),
	IGNORED("ipqos", WORDS, wire),
	IGNORED("keepalive", FLAG, wire),
	IGNORED("protocolkeepalives", WORD, wire),
	IGNORED("rekeylimit", WORDS, wire),
	IGNORED("serveralivecountmax", NUMBER, wire),
	IGNORED("serveraliveinterval", WORD, wire),
	IGNORED("setuptimeout", WORD, wire),
	IGNORED("tcpkeepalive", FLAG, wire),

	IGNORED("canonicaldomains", WORDS, canonical),
	IGNORED("canonicalizefallbacklocal", FLAG, canonical),
	IGNORED("canonicalizemaxdots", NUMBER, canonical),

	IGNORED("fingerprinthash", WORD, talk),
	IGNORED("loglevel", WORD, talk),
	IGNORED("logverbose", WORDS, talk),
	IGNORED("syslogfacility", WORD, talk),
	IGNORED("visualhostkey", FLAG, talk),

	IGNORED("afstokenpassing", ANY, gone),
	IGNORED("cipher", ANY, gone),
	IGNORED("compressionlevel", ANY, gone),
	IGNORED("fallbacktorsh", ANY, gone),
	IGNORED("globalknownhostsfile2", ANY, gone),
	IGNORED("kerberosauthentication", ANY, gone),
	IGNORED("kerberostgtpassing", ANY, gone),
	IGNORED("protocol", ANY, gone),
	IGNORED("rhostsauthentication", ANY, gone),
	IGNORED("rhostsrsaauthentication", ANY, gone),
	IGNORED("rsaauthentication", ANY, gone),
	IGNORED("useblacklistedkeys", ANY, gone),
	IGNORED("useprivilegedport", ANY, gone),
	IGNORED("userknownhostsfile2", ANY, gone),
	IGNORED("useroaming", ANY, gone),
	IGNORED("usersh", ANY, gone),
};
/* clang-format on */

static const struct keyword_row unknown = { "", KEY_UNKNOWN, CLASS_UNKNOWN, SHAPE_ANY,
	NULL, "cpuherd does not know this keyword" };

const struct keyword_row *keyword_find(const char *name)
{
	for (size_t i = 0; i < KEY_COUNT; i++)
		if (strcasecmp(valued[i].name, name) == 0)
			return &valued[i];
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (strcasecmp(others[i].name, name) == 0)
			return &others[i];
	return &unknown;
}

const struct keyword_row *keyword_row_of(enum keyword key)
{
	return &valued[key];
}

const struct keyword_row *keyword_of_index(size_t i)
{
	if (i < KEY_COUNT)
		return &valued[i];
	i -= KEY_COUNT;
	return i < sizeof(others) / sizeof(*others) ? &others[i] : NULL;
}

bool keyword_read_flag(const char *word, bool *value)
{
	*value = strcasecmp(word, "yes") == 0 || strcasecmp(word, "true") == 0;
	return *value || strcasecmp(word, "no") == 0 || strcasecmp(word, "false") == 0;
}

bool keyword_is_neutral(const struct keyword_row *row, const char *value)
{
	bool wanted, given;

	if (!row->neutral)
		return false;
	if (keyword_read_flag(row->neutral, &wanted) && keyword_read_flag(value, &given))
		return wanted == given;
	return strcasecmp(row->neutral, value) == 0;
}
