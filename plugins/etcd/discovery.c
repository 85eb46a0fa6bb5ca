/* SPDX-License-Identifier: Apache-2.0 */
#include "discovery.h"

#include <ares.h>
#include <arpa/nameser.h>
#include <string.h>

#include "../base/text.h"
#include "../net/attend.h"
#include "http.h"

#define SERVICE "_etcd._tcp."
#define NAME_MAX_SHOWN 100
/* How long a server of names is waited for, how often each is asked, and how long in all. */
#define SERVER_MS 2000
#define TRIES 2
#define LOOKUP_NS (5 * NS_PER_SECOND)

struct lookup {
	bool over;
	int code;
	struct ares_srv_reply *records;
};

static void take_answer(void *data, int code, int timeouts, unsigned char *answer, int length)
{
	struct lookup *lookup = data;

	if (code == ARES_SUCCESS)
		code = ares_parse_srv_reply(answer, length, &lookup->records);
	lookup->over = true;
	lookup->code = code;
}

/* Asks, and waits for the answer; OK: there is one, whatever it is. */
static enum spk_lock_status look_up(const char *name, struct lookup *lookup,
				    struct spk_lock_call *call)
{
	struct ares_options options = {.timeout = SERVER_MS, .tries = TRIES};
	enum spk_lock_status status;
	int64_t until = http_now() + LOOKUP_NS;
	ares_channel channel;
	int code = ares_init_options(&channel, &options, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES);

	if (code != ARES_SUCCESS) {
		reason_set(&call->reason, "etcd: cannot look up names: %s", ares_strerror(code));
		return SPK_LOCK_REFUSED;
	}
	if (until > call->deadline_ns)
		until = call->deadline_ns;
	ares_query(channel, name, ns_c_in, ns_t_srv, take_answer, lookup);
	switch (attend(channel, &lookup->over, until, call->cancel_fd)) {
	case ATTEND_DONE:
		status = SPK_LOCK_OK;
		break;
	case ATTEND_CANCELLED:
		status = SPK_LOCK_CANCELLED;
		break;
	default:
		status = http_now() < call->deadline_ns ? SPK_LOCK_UNREACHABLE : SPK_LOCK_TIMEOUT;
		break;
	}
	ares_destroy(channel);
	if (status != SPK_LOCK_OK)
		reason_set(&call->reason, "etcd: cannot look up '%.*s': %s", NAME_MAX_SHOWN, name,
			   status == SPK_LOCK_CANCELLED
				   ? "cancelled"
				   : "no server of names answers (/etc/resolv.conf)");
	return status;
}

/* ---- judging ---- */

static bool is_below(const char *name, const char *domain)
{
	size_t length = strlen(name), inner = strlen(domain);

	return length > inner && name[length - inner - 1] == '.' &&
	       strcasecmp(name + length - inner, domain) == 0;
}

static bool is_within(const char *name, const char *domain)
{
	const char *above = strchr(domain, '.');

	if (strcasecmp(name, domain) == 0 || is_below(name, domain))
		return true;
	return above && strchr(above + 1, '.') && is_below(name, above + 1);
}

/* What is wrong with a record; NULL: nothing. */
static const char *judge(const struct ares_srv_reply *record, const char *domain)
{
	if (!*record->host)
		return "means that there is no etcd";
	if (!host_name_ok(record->host) || strchr(record->host, ':'))
		return "is no name of a host";
	if (!is_within(record->host, domain))
		return "lies outside of its domain";
	return record->port ? NULL : "has port 0";
}

/* Whether `a` is to be asked before `b`. */
static bool comes_before(const struct ares_srv_reply *a, const struct ares_srv_reply *b)
{
	return a->priority != b->priority ? a->priority < b->priority : a->weight > b->weight;
}

/* An answer is believed as a whole or not at all. */
static enum spk_lock_status take_records(const struct ares_srv_reply *records, const char *name,
					 struct hosts *hosts, struct spk_reason_buffer *reason)
{
	const struct ares_srv_reply *sorted[HOSTS_MAX];
	size_t count = 0;

	for (const struct ares_srv_reply *record = records; record; record = record->next) {
		const char *wrong = judge(record, name + strlen(SERVICE));
		size_t at = count;

		if (!wrong && count == HOSTS_MAX)
			wrong = "is one too many";
		if (wrong) {
			reason_set(reason, "etcd: the target '%.*s' of '%.*s' %s", NAME_MAX_SHOWN,
				   *record->host ? record->host : ".", NAME_MAX_SHOWN, name, wrong);
			return SPK_LOCK_REFUSED;
		}
		for (; at > 0 && comes_before(record, sorted[at - 1]); at--)
			sorted[at] = sorted[at - 1];
		sorted[at] = record;
		count++;
	}
	for (size_t i = 0; i < count; i++)
		hosts_add(hosts, sorted[i]->host, sorted[i]->port);
	return SPK_LOCK_OK;
}

enum spk_lock_status discover(const char *domain, struct hosts *hosts, struct spk_lock_call *call)
{
	struct lookup lookup = {0};
	enum spk_lock_status status;
	struct text name = {0};
	int code;

	text_printf(&name, SERVICE "%s", domain);
	status = look_up(name.bytes, &lookup, call);
	code = lookup.code;
	if (status != SPK_LOCK_OK)
		goto out;
	if (code == ARES_SUCCESS && lookup.records) {
		status = take_records(lookup.records, name.bytes, hosts, &call->reason);
	} else if (code == ARES_SUCCESS || code == ARES_ENODATA || code == ARES_ENOTFOUND) {
		reason_set(&call->reason, "etcd: there are no SRV records of '%.*s'",
			   NAME_MAX_SHOWN, name.bytes);
		status = SPK_LOCK_REFUSED;
	} else {
		reason_set(&call->reason, "etcd: cannot look up '%.*s': %s", NAME_MAX_SHOWN,
			   name.bytes, ares_strerror(code));
		status = SPK_LOCK_UNREACHABLE;
	}
out:
	if (lookup.records)
		ares_free_data(lookup.records);
	text_free(&name);
	return status;
}
