/* SPDX-License-Identifier: Apache-2.0 */
#include "auth.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../base/memory.h"

/* Of draft-miller-ssh-agent. */
enum { IDENTITIES_ANSWER = 12, SIGN_REQUEST = 13, SIGN_RESPONSE = 14 };

/* What is lent to libssh must fit into a socket at once. */
#define LENT_MAX ((size_t)64 * 1024)

/* A key that may let us in. */
struct candidate {
	ssh_key private; /* of a file; NULL: the agent signs */
	ssh_key public;  /* of a file: what is shown to the host */
	bool owned;      /* `private` is ours to free */
	/* Of an agent: what is shown to the host, and the key that signs. */
	const unsigned char *blob;
	size_t length;
	const struct agent_key *signer;
	unsigned char *own_blob; /* `blob`, when it is ours to free */
};

enum auth_state {
	AUTH_WAITING, /* for the keys of the agent */
	AUTH_NEXT,    /* of the candidates */
	AUTH_OFFER,   /* by a file: would the host take it? */
	AUTH_PROVE,   /* by a file */
	AUTH_AGENT_OFFER,
	AUTH_AGENT_SIGN,  /* the agent is asked to sign */
	AUTH_AGENT_PROVE, /* it has signed */
};

struct auth {
	ssh_session session;
	const struct target *target;
	struct keys *keys;
	struct agent *agent;
	struct loop *loop;
	struct task *wake;
	enum auth_state state;
	struct candidate *candidates;
	size_t count, capacity, next;
	bool partial; /* a key was right, and the host wants more */
	int lent[2];  /* ours, and the one that libssh takes for its agent; -1: none */
	struct agent_request *request;
	unsigned char *signature; /* an answer of the agent */
	size_t signature_length;
	bool answered, agent_refused;
};

/* ---- candidates ---- */

static struct candidate *add(struct auth *auth)
{
	auth->candidates = memory_grow(auth->candidates, auth->count, &auth->capacity,
				       sizeof(*auth->candidates));
	auth->candidates[auth->count] = (struct candidate){0};
	return &auth->candidates[auth->count++];
}

static void add_file(struct auth *auth, ssh_key private, ssh_key public, bool owned)
{
	if (private)
		*add(auth) =
			(struct candidate){.private = private, .public = public, .owned = owned};
}

static void add_agent(struct auth *auth, const struct agent_key *key)
{
	*add(auth) = (struct candidate){.blob = key->blob, .length = key->length, .signer = key};
}

static bool is_same(const struct agent_key *key, const unsigned char *blob, size_t length)
{
	return blob && key->length == length && memcmp(key->blob, blob, length) == 0;
}

/* The key of the agent that a file is about; NULL: it has none. */
static const struct agent_key *find_in_agent(const struct auth *auth, const unsigned char *blob,
					     size_t length)
{
	const char *ignored;
	size_t count = 0;
	const struct agent_key *keys = auth->agent ? agent_keys(auth->agent, &count, &ignored)
						   : NULL;

	for (size_t i = 0; i < count; i++)
		if (is_same(&keys[i], blob, length))
			return &keys[i];
	return NULL;
}

/* A certificate that the agent has the key of: it is shown, and the plain key signs. */
static void add_certificate_of_agent(struct auth *auth, ssh_key certificate,
				     const struct agent_key *signer)
{
	size_t length = 0;
	unsigned char *blob = keys_blob(certificate, &length);

	if (blob)
		*add(auth) = (struct candidate){
			.blob = blob, .own_blob = blob, .length = length, .signer = signer};
}

static const struct identity *identity_at(const struct auth *auth, size_t i)
{
	return keys_identity(auth->keys, auth->target->identities.items[i]);
}

/* A certificate needs a private key, of a file or of the agent. */
static void add_certificate(struct auth *auth, ssh_key certificate)
{
	for (size_t i = 0; certificate && i < auth->target->identities.count; i++) {
		const struct identity *identity = identity_at(auth, i);
		const struct agent_key *signer = find_in_agent(auth, identity->blob,
							       identity->blob_length);

		if (!identity->public || !keys_is_certified_by(identity->public, certificate))
			continue;
		if (signer)
			add_certificate_of_agent(auth, certificate, signer);
		else
			add_file(auth, keys_certify(identity->private, certificate), certificate,
				 true);
		return;
	}
}

static bool is_identity(const struct auth *auth, const struct agent_key *key)
{
	for (size_t i = 0; i < auth->target->identities.count; i++) {
		const struct identity *identity = identity_at(auth, i);

		if (is_same(key, identity->blob, identity->blob_length))
			return true;
	}
	return false;
}

/* Certificates first, then what the agent has of the files, the rest of it, and the files. */
static void find_candidates(struct auth *auth)
{
	const struct target *target = auth->target;
	const struct agent_key *keys = NULL, *key;
	const char *ignored;
	size_t count = 0;

	if (auth->agent)
		keys = agent_keys(auth->agent, &count, &ignored);
	for (size_t i = 0; i < target->certificates.count; i++)
		add_certificate(auth,
				keys_certificate(auth->keys, target->certificates.items[i])->key);
	for (size_t i = 0; i < target->identities.count; i++)
		add_certificate(auth, identity_at(auth, i)->certificate);
	for (size_t i = 0; i < target->identities.count; i++) {
		key = find_in_agent(auth, identity_at(auth, i)->blob,
				    identity_at(auth, i)->blob_length);
		if (key)
			add_agent(auth, key);
	}
	for (size_t i = 0; i < count && !target->identities_only; i++)
		if (!is_identity(auth, &keys[i]))
			add_agent(auth, &keys[i]);
	for (size_t i = 0; i < target->identities.count; i++) {
		const struct identity *identity = identity_at(auth, i);

		if (!find_in_agent(auth, identity->blob, identity->blob_length))
			add_file(auth, identity->private, identity->public, false);
	}
}

/* ---- the end ---- */

/* What was wrong with keys that could not be tried, for the operator; "" when nothing was. */
static void add_problems(const struct auth *auth, char *text, size_t size)
{
	const struct target *target = auth->target;
	const char *problem = NULL;
	size_t count;

	*text = '\0';
	if (auth->agent)
		agent_keys(auth->agent, &count, &problem);
	if (problem)
		snprintf(text, size, "; %s", problem);
	else if (auth->agent_refused)
		snprintf(text, size, "; the agent at '%.100s' did not sign",
			 agent_path(auth->agent));
	for (size_t i = 0; i < target->identities.count; i++) {
		const struct identity *identity = identity_at(auth, i);
		size_t length = strlen(text);

		if (identity->private || (identity->missing && !target->identities_given) ||
		    find_in_agent(auth, identity->blob, identity->blob_length))
			continue;
		snprintf(text + length, size - length, "; %s", identity->problem);
	}
	for (size_t i = 0; i < target->certificates.count; i++) {
		size_t length = strlen(text);

		snprintf(text + length, size - length, "%s%s",
			 *keys_certificate(auth->keys, target->certificates.items[i])->problem
				 ? "; "
				 : "",
			 keys_certificate(auth->keys, target->certificates.items[i])->problem);
	}
}

static const char *other_methods(int methods)
{
	if (methods == 0 || (methods & SSH_AUTH_METHOD_PUBLICKEY))
		return "";
	return " (nor of anybody)";
}

static int deny(struct auth *auth, struct end *end)
{
	const struct target *target = auth->target;
	int methods = ssh_userauth_list(auth->session, NULL);
	char problems[END_REASON_SIZE];

	if (target->gssapi && (methods & SSH_AUTH_METHOD_GSSAPI_MIC))
		return end_refuse(end, target->gssapi->file, target->gssapi->number,
				  "%s does not let '%s' in by a key, and GSSAPI, which it would "
				  "take, is not done here",
				  target->name, target->user);
	add_problems(auth, problems, sizeof(problems));
	if (auth->partial)
		return end_set(end, SPK_TRANSPORT_DENIED,
			       "%s takes the key of '%s' and wants something more, which is not "
			       "done here%s",
			       target->name, target->user, problems);
	if (auth->count == 0)
		return end_set(end, SPK_TRANSPORT_DENIED, "%s: there is no key to show for '%s'%s",
			       target->name, target->user, problems);
	return end_set(end, SPK_TRANSPORT_DENIED,
		       "%s does not let '%s' in: it takes no key of %zu%s%s", target->name,
		       target->user, auth->count, other_methods(methods), problems);
}

/* The session says why. */
static int break_off(struct auth *auth, struct end *end)
{
	char why[256];

	return end_set(end, SPK_TRANSPORT_DENIED, "%s: the authentication was broken off: %s",
		       auth->target->name,
		       end_printable(ssh_get_error(auth->session), why, sizeof(why)));
}

/* ---- an agent for libssh ---- */

static void take_back(struct auth *auth)
{
	if (auth->lent[0] < 0)
		return;
	ssh_set_agent_socket(auth->session, -1);
	close(auth->lent[0]);
	close(auth->lent[1]);
	auth->lent[0] = auth->lent[1] = -1;
}

static void put_length(unsigned char *at, size_t length)
{
	at[0] = (unsigned char)(length >> 24);
	at[1] = (unsigned char)(length >> 16);
	at[2] = (unsigned char)(length >> 8);
	at[3] = (unsigned char)length;
}

static bool send_all(int fd, const unsigned char *bytes, size_t length)
{
	return send(fd, bytes, length, MSG_NOSIGNAL | MSG_DONTWAIT) == (ssize_t)length;
}

/* The answer to REQUEST_IDENTITIES that shows the one key of a candidate. */
static bool send_identity(int fd, const struct candidate *candidate)
{
	size_t length = 1 + 4 + 4 + candidate->length + 4;
	unsigned char *message = memory_new(1, 4 + length);
	bool sent;

	put_length(message, length);
	message[4] = IDENTITIES_ANSWER;
	put_length(message + 5, 1);
	put_length(message + 9, candidate->length);
	memcpy(message + 13, candidate->blob, candidate->length);
	sent = send_all(fd, message, 4 + length);
	memory_free(message);
	return sent;
}

static bool send_signature(int fd, const struct auth *auth)
{
	unsigned char length[4];

	put_length(length, auth->signature_length);
	return send_all(fd, length, 4) && send_all(fd, auth->signature, auth->signature_length);
}

/*
 * libssh waits for its agent. So that it need not, it gets a socket that has all answers in it
 * already: the key, and once the real agent has given it, the signature. Without that the socket
 * is at its end when libssh wants one, and what it asked for is there to be read.
 */
static bool lend(struct auth *auth, const struct candidate *candidate)
{
	take_back(auth);
	if (candidate->length + auth->signature_length > LENT_MAX ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, auth->lent) < 0) {
		auth->lent[0] = auth->lent[1] = -1;
		return false;
	}
	if (send_identity(auth->lent[0], candidate) &&
	    (!auth->signature || send_signature(auth->lent[0], auth)) &&
	    shutdown(auth->lent[0], SHUT_WR) == 0 &&
	    ssh_set_agent_socket(auth->session, auth->lent[1]) == SSH_OK)
		return true;
	take_back(auth);
	return false;
}

static void answered(void *data, const unsigned char *message, size_t length)
{
	struct auth *auth = data;

	auth->request = NULL;
	auth->answered = true;
	if (message && length > 0 && message[0] == SIGN_RESPONSE) {
		auth->signature = memcpy(memory_raw(length), message, length);
		auth->signature_length = length;
	}
	loop_add_task(auth->loop, auth->wake);
}

static size_t get_length(const unsigned char *at)
{
	return (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];
}

/* Asks the agent for what libssh wanted of it, by the key that signs. */
static bool forward(struct auth *auth, const struct candidate *candidate,
		    const unsigned char *request, size_t length)
{
	size_t shown = length > 5 ? get_length(request + 1) : length, rest;
	unsigned char *message;

	if (length < 5 || shown > length - 5)
		return false;
	rest = length - 5 - shown;
	message = memory_raw(5 + candidate->signer->length + rest);
	message[0] = SIGN_REQUEST;
	put_length(message + 1, candidate->signer->length);
	memcpy(message + 5, candidate->signer->blob, candidate->signer->length);
	memcpy(message + 5 + candidate->signer->length, request + 5 + shown, rest);
	auth->answered = false;
	auth->request = agent_ask(auth->agent, message, 5 + candidate->signer->length + rest,
				  answered, auth);
	memory_free(message);
	return true;
}

/* Reads what libssh wrote to its agent: false when it wanted no signature. */
static bool forward_request(struct auth *auth, const struct candidate *candidate)
{
	unsigned char bytes[LENT_MAX];
	ssize_t got = recv(auth->lent[0], bytes, sizeof(bytes), MSG_DONTWAIT);
	size_t length = got > 0 ? (size_t)got : 0, at = 0;
	bool forwarded = false;

	while (!forwarded && length - at > 4) {
		size_t size = get_length(bytes + at);

		at += 4;
		if (size > length - at)
			break;
		if (bytes[at] == SIGN_REQUEST)
			forwarded = forward(auth, candidate, bytes + at, size);
		at += size;
	}
	return forwarded;
}

/* ---- steps ---- */

static void forget_signature(struct auth *auth)
{
	memory_free(auth->signature);
	auth->signature = NULL;
	auth->signature_length = 0;
}

/* What is to be done with the next candidate. */
static void begin_next(struct auth *auth)
{
	const struct candidate *candidate;

	forget_signature(auth);
	for (; auth->next < auth->count; auth->next++) {
		candidate = &auth->candidates[auth->next];
		if (candidate->private) {
			/* A single one is shown with its proof at once. */
			auth->state = auth->count == 1 ? AUTH_PROVE : AUTH_OFFER;
			return;
		}
		auth->state = AUTH_AGENT_OFFER;
		if (lend(auth, candidate))
			return;
	}
}

/* What an answer of the host means: 1 and 0 as auth_step(), 2: go on with the state. */
static int conclude(struct auth *auth, int rc, struct end *end)
{
	switch (rc) {
	case SSH_AUTH_SUCCESS:
		return 1;
	case SSH_AUTH_AGAIN:
		return 0;
	case SSH_AUTH_ERROR:
		if (!ssh_is_connected(auth->session))
			return break_off(auth, end);
		break;
	case SSH_AUTH_PARTIAL:
		auth->partial = true;
		break;
	default:
		break;
	}
	auth->next++;
	auth->state = AUTH_NEXT;
	return 2;
}

static int step_file(struct auth *auth, const struct candidate *candidate, struct end *end)
{
	int rc;

	if (auth->state == AUTH_PROVE)
		return conclude(
			auth, ssh_userauth_publickey(auth->session, NULL, candidate->private), end);
	rc = ssh_userauth_try_publickey(auth->session, NULL, candidate->public);
	if (rc != SSH_AUTH_SUCCESS)
		return conclude(auth, rc, end);
	auth->state = AUTH_PROVE;
	return 2;
}

static int step_agent(struct auth *auth, const struct candidate *candidate, struct end *end)
{
	int rc;

	if (auth->state == AUTH_AGENT_SIGN) {
		if (!auth->answered)
			return 0;
		auth->state = AUTH_AGENT_PROVE;
		if (!auth->signature || !lend(auth, candidate)) {
			auth->agent_refused = true;
			return conclude(auth, SSH_AUTH_DENIED, end);
		}
	}
	rc = ssh_userauth_agent(auth->session, NULL);
	if (rc == SSH_AUTH_ERROR && auth->state == AUTH_AGENT_OFFER &&
	    forward_request(auth, candidate)) {
		auth->state = AUTH_AGENT_SIGN;
		return 2;
	}
	return conclude(auth, rc, end);
}

int auth_step(struct auth *auth, struct end *end)
{
	int rc = 2;

	while (rc == 2) {
		switch (auth->state) {
		case AUTH_WAITING:
			if (auth->agent && !agent_is_ready(auth->agent, auth->wake))
				return 0;
			find_candidates(auth);
			auth->state = AUTH_NEXT;
			break;
		case AUTH_NEXT:
			begin_next(auth);
			if (auth->next >= auth->count)
				return deny(auth, end);
			break;
		case AUTH_OFFER:
		case AUTH_PROVE:
			rc = step_file(auth, &auth->candidates[auth->next], end);
			break;
		default:
			rc = step_agent(auth, &auth->candidates[auth->next], end);
			break;
		}
	}
	return rc;
}

struct auth *auth_new(ssh_session session, const struct target *target, struct keys *keys,
		      struct agent *agent, struct loop *loop, struct task *wake)
{
	struct auth *auth = memory_new(1, sizeof(*auth));

	*auth = (struct auth){.session = session,
			      .target = target,
			      .keys = keys,
			      .agent = agent,
			      .loop = loop,
			      .wake = wake,
			      .lent = {-1, -1}};
	return auth;
}

void auth_free(struct auth *auth)
{
	if (!auth)
		return;
	if (auth->request)
		agent_cancel(auth->request);
	if (auth->agent)
		agent_forget(auth->agent, auth->wake);
	take_back(auth);
	forget_signature(auth);
	for (size_t i = 0; i < auth->count; i++) {
		if (auth->candidates[i].owned)
			ssh_key_free(auth->candidates[i].private);
		memory_free(auth->candidates[i].own_blob);
	}
	memory_free(auth->candidates);
	memory_free(auth);
}
