/* SPDX-License-Identifier: Apache-2.0 */
#include "requests.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "../../runtime/mem.h"
#include "../log/redactor.h"

/* Whether a variable is there and not empty. */
static const char *variable(const char *name)
{
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): one thread */
	const char *value = getenv(name);

	return value && *value ? value : NULL;
}

/* Whether this process outlives a connection that drops; where nobody looks on, there is none. */
static bool shell_is_durable(void)
{
	const char *terminal = variable("TERM");

	return !isatty(STDOUT_FILENO) || variable("STY") || variable("TMUX") ||
	       (terminal && (strstr(terminal, "screen") || strstr(terminal, "tmux")));
}

static int clamp_level(uint64_t level)
{
	static const int levels[] = {SPK_DEBUG, SPK_INFO, SPK_WARNING, SPK_ERROR};

	for (size_t i = 0; i < sizeof(levels) / sizeof(levels[0]); i++)
		if (level <= (uint64_t)levels[i])
			return levels[i];
	return SPK_ERROR;
}

bool requests_answer(struct link *link, uint32_t serial, const struct buf *body)
{
	link->answered = serial;
	return channel_send(&link->requests, REQUEST_ANSWER, serial, body, LINK_SEND_TIMEOUT_MS) ==
	       0;
}

/* The child has heard nothing for long: tells it what has come and gone here. */
static bool on_check(struct link *link, struct message *message)
{
	struct buf body = {0};
	bool sent;

	for (int i = 0; i < 3; i++)
		wire_put_number(&body, wire_get_number(&message->body));
	wire_put_number(&body, link->orders);
	wire_put_number(&body, link->stage_ordered);
	wire_put_number(&body, link->received);
	wire_put_number(&body, link->answered);
	sent = wire_complete(&message->body) &&
	       channel_send(&link->requests, REQUEST_CHECKED, 0, &body, LINK_SEND_TIMEOUT_MS) == 0;
	buf_free(&body);
	return sent;
}

static bool on_log(struct link *link, struct message *message)
{
	struct log_record record = {0};
	uint64_t audience;

	clock_gettime(CLOCK_REALTIME, &record.time);
	record.source = RECORD_COOKBOOK;
	record.level = clamp_level(wire_get_number(&message->body));
	record.module = wire_get_text(&message->body);
	record.line = (int)wire_get_number(&message->body);
	record.function = wire_get_text(&message->body);
	record.message = wire_get_text(&message->body);
	audience = wire_get_number(&message->body);
	if (!wire_complete(&message->body) || !record.module || !record.function ||
	    !record.message || audience > AUDIENCE_SAL)
		return false;
	/* What it printed before this record stands before it. */
	output_drain_out(&link->output);
	output_drain_err(&link->output);
	log_write(link->output.log, &record);
	if (audience == AUDIENCE_IRC)
		notify_irc(link->notify, record.message);
	else if (audience == AUDIENCE_SAL)
		notify_sal(link->notify, record.message);
	channel_wipe(&link->requests);
	return requests_answer(link, message->serial, NULL);
}

static bool on_hosts(struct link *link, struct message *message)
{
	const char *hosts = wire_get_text(&message->body);

	if (!wire_complete(&message->body) || !hosts)
		return false;
	log_hosts(link->output.log, hosts);
	channel_wipe(&link->requests);
	return requests_answer(link, message->serial, NULL);
}

static bool on_secret(struct link *link, struct message *message)
{
	const char *text = wire_get_text(&message->body);
	struct buf body = {0};
	struct err err;
	bool sent;

	if (!wire_complete(&message->body) || !text)
		return false;
	wire_put_number(&body, redactor_add(redactor_shared(), text, &err) == 0);
	channel_wipe(&link->requests);
	sent = requests_answer(link, message->serial, &body);
	buf_free(&body);
	return sent;
}

static bool on_result(struct link *link, struct message *message)
{
	struct stage_result *result = &link->event.result;
	struct wire_reader *body = &message->body;
	const char *text;
	bool complete;
	size_t lines;

	buf_clear(&result->error);
	buf_clear(&result->text_copy);
	result->stage = (enum stage)wire_get_number(body);
	result->outcome = (enum stage_outcome)wire_get_number(body);
	result->code = (int)(int64_t)wire_get_number(body);
	result->undo_failed = (uint32_t)wire_get_number(body);
	text = wire_get_text(body);
	/* Some of it goes to the terminal by other ways than the log. A lock is no message. */
	if (text && result->stage == STAGE_LOCK)
		buf_puts(&result->text_copy, text);
	else if (text)
		redactor_apply(redactor_shared(), NULL, text, &result->text_copy);
	result->text = text ? buf_text(&result->text_copy) : NULL;
	result->lock_concurrency = (int32_t)wire_get_number(body);
	result->lock_ttl_ns = (int64_t)wire_get_number(body);
	result->skip_start = wire_get_number(body) != 0;
	lines = wire_get_count(body);
	for (size_t i = 0; i < lines; i++) {
		const char *line = wire_get_text(body);

		buf_puts(&result->error, i ? "\n" : "");
		redactor_apply(redactor_shared(), NULL, line ? line : "", &result->error);
	}
	link_trace_read(body, &result->trace, false);
	complete = wire_complete(body);
	channel_wipe(&link->requests);
	return complete;
}

void requests_forget(struct link *link)
{
	free((void *)(uintptr_t)link->event.nested.args.items);
	free((void *)(uintptr_t)link->event.question.choices.items);
	link->event.nested = (struct nested_request){0};
	link->event.question = (struct question){0};
	buf_free(&link->held);
}

/* Keeps a request until it is answered; no other may come before that. */
static bool hold(struct link *link, const struct message *message)
{
	if (link->held.length > 0)
		return false;
	channel_take(&link->requests, &link->held);
	link->serial = message->serial;
	return true;
}

/* Texts of the message, for free(); none may be missing. */
static spk_strings get_texts(struct wire_reader *body)
{
	size_t count = wire_get_count(body);
	const char **texts = xcalloc(count, sizeof(*texts));

	for (size_t i = 0; i < count; i++) {
		texts[i] = wire_get_text(body);
		if (!texts[i])
			body->bad = true;
	}
	return (spk_strings){texts, count};
}

static bool on_nested(struct link *link, struct message *message)
{
	struct nested_request *nested = &link->event.nested;
	struct wire_reader *body = &message->body;

	if (!hold(link, message))
		return false;
	nested->confirm = wire_get_number(body) != 0;
	nested->name = wire_get_text(body);
	nested->args = get_texts(body);
	return wire_complete(body) && nested->name;
}

static bool on_lock(struct link *link, struct message *message)
{
	struct lock_request *lock = &link->event.lock;
	struct wire_reader *body = &message->body;

	if (!hold(link, message))
		return false;
	*lock = (struct lock_request){.operation = (enum lock_operation)wire_get_number(body)};
	switch (lock->operation) {
	case LOCK_TAKE:
		lock->family = (enum lock_family)wire_get_number(body);
		lock->name = wire_get_text(body);
		lock->concurrency = (int32_t)wire_get_number(body);
		lock->ttl_ns = (int64_t)wire_get_number(body);
		lock->patience_ns = (int64_t)wire_get_number(body);
		return wire_complete(body) && lock->name && lock->concurrency >= 0 &&
		       lock->ttl_ns > 0 &&
		       (lock->family == LOCK_CUSTOM || lock->family == LOCK_MODULE);
	case LOCK_GIVE_BACK:
		lock->id = wire_get_text(body);
		return wire_complete(body) && lock->id;
	case LOCK_ASK:
		return wire_complete(body);
	default:
		return false;
	}
}

static bool on_question(struct link *link, struct message *message)
{
	struct question *question = &link->event.question;
	struct wire_reader *body = &message->body;
	uint64_t kind, tries, flags;

	if (!hold(link, message))
		return false;
	kind = wire_get_number(body);
	question->name = wire_get_text(body);
	question->message = wire_get_text(body);
	question->choices = get_texts(body);
	tries = wire_get_number(body);
	question->complaint = wire_get_text(body);
	flags = wire_get_number(body);
	question->kind = (enum ask_kind)kind;
	question->tries = tries < ASK_TRIES ? (unsigned int)tries : ASK_TRIES;
	question->twice = flags & ASK_TWICE;
	question->keep = flags & ASK_KEEP;
	/* What it printed before the question stands before it. */
	output_drain_out(&link->output);
	output_drain_err(&link->output);
	return wire_complete(body) && kind >= ASK_CONFIRM && kind <= ASK_SECRET && question->name &&
	       question->message && (kind == ASK_CHOICE) == (question->choices.count > 0);
}

static bool on_progress(struct link *link, struct message *message)
{
	struct wire_reader *body = &message->body;
	uint64_t id = wire_get_number(body);
	struct progress_item item = {
		.id = id,
		.kind = wire_get_number(body),
		.done = wire_get_number(body),
		.total = wire_get_number(body),
	};
	const char *label = wire_get_text(body);

	if (!wire_complete(body) || !label)
		return false;
	progress_take(&link->output.progress, &item, label);
	channel_wipe(&link->requests);
	return true;
}

static bool on_dryrun(struct link *link, struct message *message)
{
	uint64_t kind = wire_get_number(&message->body);
	const char *text = wire_get_text(&message->body);

	if (!wire_complete(&message->body) || !text || kind >= DRYRUN_KINDS)
		return false;
	dryrun_take(link->dryrun, (enum dryrun_kind)kind, text);
	channel_wipe(&link->requests);
	return true;
}

static bool on_executed(struct link *link, struct message *message)
{
	struct wire_reader *body = &message->body;
	struct log_execution execution;
	bool good;

	execution.commands = get_texts(body);
	execution.hosts = wire_get_number(body);
	execution.ok = wire_get_number(body);
	execution.failed = wire_get_number(body);
	execution.duration_ns = wire_get_number(body);
	good = wire_complete(body);
	if (good)
		log_executed(link->output.log, &execution);
	free((void *)(uintptr_t)execution.commands.items);
	channel_wipe(&link->requests);
	return good;
}

static bool on_durable(struct link *link, struct message *message)
{
	struct buf body = {0};
	bool sent;

	wire_put_number(&body, link->console || shell_is_durable());
	sent = wire_complete(&message->body) && requests_answer(link, message->serial, &body);
	buf_free(&body);
	return sent;
}

enum link_event_type requests_take(struct link *link)
{
	struct message message;

	switch (channel_receive(&link->requests, false, &message)) {
	case CHANNEL_NOTHING:
		return LINK_ANSWER;
	case CHANNEL_CLOSED:
		return LINK_RUNNER_GONE;
	case CHANNEL_MESSAGE:
		break;
	}
	if (message.serial)
		link->received = message.serial;
	switch (message.type) {
	case REQUEST_CHECK:
		return on_check(link, &message) ? LINK_ANSWER : LINK_RUNNER_GONE;
	case REQUEST_LOG:
		return on_log(link, &message) ? LINK_ANSWER : LINK_RUNNER_GONE;
	case REQUEST_HOSTS:
		return on_hosts(link, &message) ? LINK_ANSWER : LINK_RUNNER_GONE;
	case REQUEST_SECRET:
		return on_secret(link, &message) ? LINK_ANSWER : LINK_RUNNER_GONE;
	case REQUEST_RESULT:
		/* None but the one that was ordered. */
		return link->stage_ordered && on_result(link, &message) ? LINK_RESULT
									: LINK_RUNNER_GONE;
	case REQUEST_PROGRESS:
		return on_progress(link, &message) ? LINK_ANSWER : LINK_RUNNER_GONE;
	case REQUEST_DRYRUN:
		return on_dryrun(link, &message) ? LINK_ANSWER : LINK_RUNNER_GONE;
	case REQUEST_EXECUTED:
		return on_executed(link, &message) ? LINK_ANSWER : LINK_RUNNER_GONE;
	case REQUEST_DURABLE:
		return on_durable(link, &message) ? LINK_ANSWER : LINK_RUNNER_GONE;
	case REQUEST_ASK:
		return on_question(link, &message) ? LINK_QUESTION : LINK_RUNNER_GONE;
	case REQUEST_NESTED:
		return on_nested(link, &message) ? LINK_NESTED : LINK_RUNNER_GONE;
	case REQUEST_LOCK:
		return on_lock(link, &message) ? LINK_LOCK_REQUEST : LINK_RUNNER_GONE;
	default:
		return LINK_RUNNER_GONE;
	}
}
