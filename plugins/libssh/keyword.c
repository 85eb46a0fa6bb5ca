/* SPDX-License-Identifier: Apache-2.0 */
#include "keyword.h"

#include <string.h>
#include <strings.h>

#define HONOURED(name_, option_)                                                                   \
	{                                                                                          \
		.name = name_, .treatment = KEYWORD_HONOURED, .option = option_                    \
	}
#define HONOURED_AS(name_, option_, note_)                                                         \
	{                                                                                          \
		.name = name_, .treatment = KEYWORD_HONOURED, .option = option_, .note = note_     \
	}
#define IGNORED(name_, note_)                                                                      \
	{                                                                                          \
		.name = name_, .treatment = KEYWORD_IGNORED, .note = note_                         \
	}
#define REFUSED(name_, harmless_, note_)                                                           \
	{                                                                                          \
		.name = name_, .treatment = KEYWORD_REFUSED, .harmless = harmless_, .note = note_  \
	}

/* Why several are ignored. */
#define MASTERS "no connection is shared with other programs"
#define DISPLAY "nothing is shown or asked at a terminal"
#define FORWARD "of forwards, which are refused themselves"
#define GSSAPI "of GSSAPI, which is refused where it would be needed"
#define CANONICAL "of CanonicalizeHostname, which is refused itself"
#define HOST_BASED "of HostbasedAuthentication, which is refused itself"
#define OLD "OpenSSH does not heed it any more, either"

/* Sorted by name. */
const struct keyword keywords[] = {
	IGNORED("addkeystoagent", "no key is unlocked here"),
	HONOURED("addressfamily", OPTION_ADDRESS_FAMILY),
	IGNORED("afstokenpassing", OLD),
	IGNORED("batchmode", "it is always so here"),
	HONOURED_AS("bindaddress", OPTION_BIND_ADDRESS, "an address, not a name"),
	REFUSED("bindinterface", NULL, "a connection from one interface"),
	IGNORED("canonicaldomains", CANONICAL),
	IGNORED("canonicalizefallbacklocal", CANONICAL),
	REFUSED("canonicalizehostname", "no false", "names made canonical"),
	IGNORED("canonicalizemaxdots", CANONICAL),
	REFUSED("canonicalizepermittedcnames", "none", "names made canonical"),
	IGNORED("casignaturealgorithms", "of certificates of hosts, which are refused themselves"),
	HONOURED("certificatefile", OPTION_CERTIFICATE_FILE),
	IGNORED("challengeresponseauthentication", DISPLAY),
	REFUSED("checkhostip", "no false", "a check of the host's address"),
	IGNORED("cipher", OLD),
	HONOURED_AS("ciphers", OPTION_CIPHERS, "those that libssh has of them"),
	IGNORED("clearallforwardings", FORWARD),
	HONOURED("compression", OPTION_COMPRESSION),
	IGNORED("compressionlevel", OLD),
	IGNORED("connectionattempts", "one; the caller decides about others"),
	HONOURED_AS("connecttimeout", OPTION_CONNECT_TIMEOUT,
		    "or the caller's, whichever is shorter; until the command may run"),
	IGNORED("controlmaster", MASTERS),
	IGNORED("controlpath", MASTERS),
	IGNORED("controlpersist", MASTERS),
	IGNORED("dsaauthentication", OLD),
	REFUSED("dynamicforward", NULL, "a forward"),
	IGNORED("enableescapecommandline", DISPLAY),
	IGNORED("enablesshkeysign", HOST_BASED),
	IGNORED("escapechar", DISPLAY),
	IGNORED("exitonforwardfailure", FORWARD),
	IGNORED("fallbacktorsh", OLD),
	IGNORED("fingerprinthash", "fingerprints are shown as SHA256"),
	REFUSED("forkafterauthentication", "no false", "a client in the background"),
	REFUSED("forwardagent", "no false", "the agent forwarded"),
	REFUSED("forwardx11", "no false", "X11 forwarded"),
	IGNORED("forwardx11timeout", FORWARD),
	IGNORED("forwardx11trusted", FORWARD),
	IGNORED("gatewayports", FORWARD),
	HONOURED("globalknownhostsfile", OPTION_GLOBAL_KNOWN_HOSTS_FILE),
	IGNORED("globalknownhostsfile2", OLD),
	HONOURED_AS("gssapiauthentication", OPTION_GSSAPI_AUTHENTICATION,
		    "keys are tried; it is refused when they are not enough and the host would "
		    "take it"),
	IGNORED("gssapiclientidentity", GSSAPI),
	REFUSED("gssapidelegatecredentials", "no false", "Kerberos credentials delegated"),
	IGNORED("gssapikexalgorithms", GSSAPI),
	REFUSED("gssapikeyexchange", "no false", "a key exchange by GSSAPI"),
	IGNORED("gssapirenewalforcesrekey", GSSAPI),
	IGNORED("gssapiserveridentity", GSSAPI),
	IGNORED("gssapitrustdns", GSSAPI),
	IGNORED("hashknownhosts", "nothing is written to known_hosts"),
	{.name = "host", .treatment = KEYWORD_HOST},
	IGNORED("hostbasedacceptedalgorithms", HOST_BASED),
	REFUSED("hostbasedauthentication", "no false", "an authentication by host"),
	IGNORED("hostbasedkeytypes", HOST_BASED),
	HONOURED_AS("hostkeyalgorithms", OPTION_HOST_KEY_ALGORITHMS,
		    "those that libssh has of them"),
	HONOURED("hostkeyalias", OPTION_HOST_KEY_ALIAS),
	HONOURED("hostname", OPTION_HOSTNAME),
	HONOURED("identitiesonly", OPTION_IDENTITIES_ONLY),
	HONOURED("identityagent", OPTION_IDENTITY_AGENT),
	HONOURED("identityfile", OPTION_IDENTITY_FILE),
	HONOURED("identityfile2", OPTION_IDENTITY_FILE),
	{.name = "ignoreunknown", .treatment = KEYWORD_IGNORE_UNKNOWN},
	{.name = "include", .treatment = KEYWORD_INCLUDE},
	IGNORED("ipqos", "the network sees the default"),
	IGNORED("kbdinteractiveauthentication", DISPLAY),
	IGNORED("kbdinteractivedevices", DISPLAY),
	HONOURED("keepalive", OPTION_TCP_KEEP_ALIVE),
	IGNORED("kerberosauthentication", OLD),
	IGNORED("kerberostgtpassing", OLD),
	HONOURED_AS("kexalgorithms", OPTION_KEX_ALGORITHMS, "those that libssh has of them"),
	REFUSED("knownhostscommand", "none", "host keys from a command"),
	IGNORED("localcommand", "of PermitLocalCommand, which is refused itself"),
	REFUSED("localforward", NULL, "a forward"),
	IGNORED("loglevel", DISPLAY),
	IGNORED("logverbose", DISPLAY),
	HONOURED_AS("macs", OPTION_MACS, "those that libssh has of them"),
	{.name = "match",
	 .treatment = KEYWORD_MATCH,
	 .note = "all, host, originalhost, user, localuser, final and canonical; exec is refused "
		 "where the rest of the line matches"},
	IGNORED("nohostauthenticationforlocalhost", "keys of hosts are always checked"),
	IGNORED("numberofpasswordprompts", DISPLAY),
	IGNORED("passwordauthentication", DISPLAY),
	REFUSED("permitlocalcommand", "no false", "a command on this machine"),
	IGNORED("permitremoteopen", FORWARD),
	REFUSED("pkcs11provider", "none", "keys of a PKCS#11 token"),
	HONOURED("port", OPTION_PORT),
	IGNORED("preferredauthentications", "there is only one: public keys"),
	IGNORED("protocol", OLD),
	HONOURED("protocolkeepalives", OPTION_SERVER_ALIVE_INTERVAL),
	HONOURED("proxycommand", OPTION_PROXY_COMMAND),
	HONOURED_AS("proxyjump", OPTION_PROXY_JUMP, "one connection to each jump host, for all"),
	REFUSED("proxyusefdpass", "no false", "a proxy command that passes a descriptor"),
	HONOURED_AS("pubkeyacceptedalgorithms", OPTION_PUBKEY_ACCEPTED_ALGORITHMS,
		    "those that libssh has of them"),
	HONOURED_AS("pubkeyacceptedkeytypes", OPTION_PUBKEY_ACCEPTED_ALGORITHMS,
		    "those that libssh has of them"),
	REFUSED("pubkeyauthentication", "yes true unbound host-bound",
		"an authentication without public keys"),
	IGNORED("rekeylimit", "keys are exchanged again when libssh or the host finds it time"),
	REFUSED("remotecommand", "none", "a command of its own"),
	REFUSED("remoteforward", NULL, "a forward"),
	REFUSED("requesttty", "no false auto", "a terminal there"),
	HONOURED("requiredrsasize", OPTION_REQUIRED_RSA_SIZE),
	REFUSED("revokedhostkeys", "none", "a list of revoked host keys"),
	IGNORED("rhostsauthentication", OLD),
	IGNORED("rhostsrsaauthentication", OLD),
	IGNORED("rsaauthentication", OLD),
	REFUSED("securitykeyprovider", "internal none", "keys of a FIDO token"),
	HONOURED_AS("sendenv", OPTION_SEND_ENV, "what the host does not accept is left out"),
	HONOURED("serveralivecountmax", OPTION_SERVER_ALIVE_COUNT_MAX),
	HONOURED_AS("serveraliveinterval", OPTION_SERVER_ALIVE_INTERVAL, "15 s when it is not set"),
	REFUSED("sessiontype", "default", "another kind of session"),
	HONOURED_AS("setenv", OPTION_SET_ENV, "what the host does not accept is left out"),
	HONOURED("setuptimeout", OPTION_SERVER_ALIVE_INTERVAL),
	IGNORED("skeyauthentication", OLD),
	REFUSED("smartcarddevice", "none", "keys of a PKCS#11 token"),
	REFUSED("stdinnull", "no false", "no input"),
	IGNORED("streamlocalbindmask", FORWARD),
	IGNORED("streamlocalbindunlink", FORWARD),
	HONOURED_AS("stricthostkeychecking", OPTION_STRICT_HOST_KEY_CHECKING,
		    "as yes, whatever it says: only `unchecked_hosts` of this transport's "
		    "settings makes exceptions"),
	IGNORED("syslogfacility", DISPLAY),
	HONOURED("tcpkeepalive", OPTION_TCP_KEEP_ALIVE),
	IGNORED("tisauthentication", OLD),
	REFUSED("tunnel", "no false", "a tunnel"),
	IGNORED("tunneldevice", FORWARD),
	IGNORED("updatehostkeys", "nothing is written to known_hosts"),
	IGNORED("useblacklistedkeys", OLD),
	IGNORED("useprivilegedport", OLD),
	HONOURED("user", OPTION_USER),
	HONOURED("userknownhostsfile", OPTION_USER_KNOWN_HOSTS_FILE),
	IGNORED("userknownhostsfile2", OLD),
	IGNORED("useroaming", OLD),
	IGNORED("usersh", OLD),
	IGNORED("verifyhostkeydns", "keys in the DNS are not believed"),
	IGNORED("visualhostkey", DISPLAY),
	IGNORED("xauthlocation", FORWARD),
};

const size_t keyword_count = sizeof(keywords) / sizeof(keywords[0]);

const struct keyword *keyword_find(const char *name)
{
	size_t low = 0, high = keyword_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcasecmp(name, keywords[middle].name);

		if (order == 0)
			return &keywords[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

bool keyword_is_harmless(const struct keyword *keyword, const char *value)
{
	const size_t length = strlen(value);

	for (const char *word = keyword->harmless; word && *word; word += strspn(word, " ")) {
		size_t end = strcspn(word, " ");

		if (end == length && strncasecmp(word, value, length) == 0)
			return true;
		word += end;
	}
	return false;
}
