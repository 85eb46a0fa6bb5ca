/* SPDX-License-Identifier: Apache-2.0 */
#include "notify.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/eventfd.h>
#include <time.h>

#include <spicerack/clock.h>

#include "../../runtime/fd.h"
#include "../../runtime/mem.h"
#include "../log/redactor.h"
#include "../run/signals.h"
#include "outbox.h"

#define SECOND_NS 1000000000LL
/* Of a line, as plugin.h promises; what is longer is in the log. */
#define TEXT_MAX 4096
#define CUT "..."

#define NO_LEVEL ((enum spk_level)(SPK_ERROR + 1))
#define LEVELS (sizeof(levels) / sizeof(levels[0]))
static const struct {
	const char *name;
	enum spk_level level;
} levels[] = {
	{"none", NO_LEVEL}, {"error", SPK_ERROR}, {"warning", SPK_WARNING},
	{"info", SPK_INFO}, {"debug", SPK_DEBUG},
};

/* A place, which is told of by the name of its driver. */
struct outlet {
	struct outbox *outbox;
	char *name;
	bool takes_texts, takes_events;
	bool failing;             /* and the operator was told */
	unsigned long lost, told; /* all, and how many of them he has heard of */
	struct err reason;        /* the last */
};

struct notify {
	struct log *log;
	const struct identity *identity;
	struct outlet *outlets;
	size_t count, capacity;
	int news_fd;
	int64_t drain_ns;
	bool tells_waiting;
	spk_strings events;   /* that machines are told of */
	enum spk_level level; /* and of records from this one on */
	bool logging;         /* what comes now is about ourselves */
	struct event_sink sink;
	struct redactor_stream stream; /* of what people are told */
};

/* ---- opening ---- */

/* What stands between a path of the configuration and a text for a driver. */
static const struct {
	const char *path;
	enum setting_type type;
} handed_on[] = {
	{"tcpircbot_host", SETTING_STRING}, {"tcpircbot_port", SETTING_INT},
	{"irc.server", SETTING_STRING},     {"irc.port", SETTING_INT},
	{"irc.tls", SETTING_BOOL},          {"irc.ca_file", SETTING_PATH},
	{"irc.channel", SETTING_STRING},    {"irc.nick", SETTING_STRING},
	{"irc.credentials", SETTING_PATH},  {"webhook.url", SETTING_STRING},
	{"webhook.ca_file", SETTING_PATH},  {"webhook.credentials", SETTING_PATH},
};

#define HANDED_ON (sizeof(handed_on) / sizeof(handed_on[0]))

struct told {
	struct spk_driver_setting settings[HANDED_ON + 2];
	size_t count;
	char numbers[HANDED_ON][24];
};

static void tell(struct told *told, const char *name, const char *value)
{
	if (value && *value)
		told->settings[told->count++] = (struct spk_driver_setting){name, value};
}

static void tell_setting(struct told *told, const struct settings *settings, size_t row)
{
	const char *path = handed_on[row].path;

	switch (handed_on[row].type) {
	case SETTING_INT:
		snprintf(told->numbers[row], sizeof(told->numbers[row]), "%lld",
			 settings_int(settings, path));
		tell(told, path, told->numbers[row]);
		break;
	case SETTING_BOOL:
		tell(told, path, settings_bool(settings, path) ? "true" : "false");
		break;
	default:
		tell(told, path, settings_text(settings, path));
		break;
	}
}

static void open_outlet(struct notify *notify, const struct settings *settings,
			struct outlet *outlet)
{
	const char *directory = settings_text(settings, "instance_params.spicerack_config_dir");
	char *config = directory ? xasprintf("%s/%s/config.cfg", directory, outlet->name) : NULL;
	struct told told = {.count = 0};

	for (size_t i = 0; i < HANDED_ON; i++)
		tell_setting(&told, settings, i);
	tell(&told, "hostname", notify->identity->host);
	tell(&told, "config", config);
	outlet->outbox = outbox_new(outlet->name, told.settings, told.count, notify->news_fd);
	free(config);
}

static void add_outlet(struct notify *notify, const char *name, bool takes_texts, bool takes_events)
{
	notify->outlets = xgrow(notify->outlets, notify->count, &notify->capacity,
				sizeof(*notify->outlets));
	notify->outlets[notify->count++] = (struct outlet){
		.name = xstrdup(name),
		.takes_texts = takes_texts,
		.takes_events = takes_events,
	};
}

static bool is_set(const struct settings *settings, const char *path)
{
	const char *text = settings_text(settings, path);

	return text && *text;
}

static void add_outlets(struct notify *notify, const struct settings *settings)
{
	spk_strings more = settings_strings(settings, "notify.drivers");

	if (is_set(settings, "tcpircbot_host") && settings_int(settings, "tcpircbot_port") > 0)
		add_outlet(notify, "relay", true, false);
	if (is_set(settings, "irc.server"))
		add_outlet(notify, "irc", true, false);
	if (is_set(settings, "webhook.url"))
		add_outlet(notify, "webhook", false, true);
	for (size_t i = 0; i < more.count; i++)
		add_outlet(notify, more.items[i], true, true);
}

static void notify_free(struct notify *notify)
{
	for (size_t i = 0; i < notify->count; i++)
		free(notify->outlets[i].name);
	free(notify->outlets);
	fd_close(&notify->news_fd);
	free(notify);
}

/* ---- events ---- */

/* Of records from which level on; the names are those of the log, in small letters. */
static void read_level(struct notify *notify, const struct settings *settings)
{
	const char *wanted = settings_text(settings, "notify.log_level");

	for (size_t i = 0; i < LEVELS; i++)
		if (wanted && strcmp(wanted, levels[i].name) == 0) {
			notify->level = levels[i].level;
			return;
		}
	notify->level = NO_LEVEL;
	log_warning(notify->log,
		    "%s: 'notify.log_level' must be none, error, warning, info or debug; no "
		    "records are sent",
		    settings_origin(settings, "notify.log_level"));
}

static enum spk_level level_of(const struct event *event)
{
	const struct event_field *level = event_find(event, "level");

	for (size_t i = 0; level && level->value.text && i < LEVELS; i++)
		if (strcasecmp(level->value.text, levels[i].name) == 0)
			return levels[i].level;
	return SPK_ERROR;
}

static bool is_wanted(const struct notify *notify, const struct event *event)
{
	if (strcmp(event->name, "log") == 0)
		return level_of(event) >= notify->level;
	for (size_t i = 0; i < notify->events.count; i++)
		if (strcmp(notify->events.items[i], event->name) == 0)
			return true;
	return false;
}

static void take_event(void *data, const struct event *event)
{
	struct notify *notify = data;
	struct buf json = {0};

	/* That something could not be sent is not sent there. */
	if (notify->logging || !is_wanted(notify, event))
		return;
	event_put_json(event, &json);
	for (size_t i = 0; i < notify->count; i++)
		if (notify->outlets[i].takes_events)
			outbox_post(notify->outlets[i].outbox, SPK_NOTICE_EVENT, NULL,
				    buf_text(&json));
	buf_free(&json);
}

struct event_sink *notify_sink(struct notify *notify)
{
	return &notify->sink;
}

/* ---- opening, the whole ---- */

struct notify *notify_open(const struct settings *settings, const struct identity *identity,
			   bool dry_run, struct log *log)
{
	struct notify *notify;
	struct err err;

	if (dry_run)
		return NULL;
	notify = xcalloc(1, sizeof(*notify));
	notify->log = log;
	notify->identity = identity;
	notify->news_fd = -1;
	notify->drain_ns = settings_int(settings, "notify.drain") * SECOND_NS;
	notify->tells_waiting = settings_bool(settings, "user_input_notifications_enabled");
	notify->events = settings_strings(settings, "notify.events");
	notify->sink = (struct event_sink){.take = take_event, .data = notify};
	add_outlets(notify, settings);
	if (notify->count > 0 && fd_event(&notify->news_fd, &err) < 0) {
		log_warning(log, "cannot tell anybody of this run: %s, ignoring", err.text);
		notify->count = 0;
	}
	for (size_t i = 0; i < notify->count; i++)
		open_outlet(notify, settings, &notify->outlets[i]);
	if (notify->count > 0) {
		read_level(notify, settings);
		return notify;
	}
	notify_free(notify);
	return NULL;
}

/* ---- telling ---- */

static void post(struct notify *notify, enum spk_notice_kind kind, const char *text)
{
	for (size_t i = 0; i < notify->count; i++)
		if (notify->outlets[i].takes_texts)
			outbox_post(notify->outlets[i].outbox, kind, text, NULL);
}

/* As one line, whatever is in it. */
static void put_line(const struct buf *text, struct buf *line)
{
	size_t begin = line->length, length = text->length;

	while (length > 0 && text->text[length - 1] == '\n')
		length--;
	record_sanitize(buf_text(text), length, " ", line);
	for (size_t i = begin; i < line->length; i++)
		if (line->text[i] == '\t')
			line->text[i] = ' ';
}

/* Cuts it between two characters. */
static void cut(struct buf *line)
{
	size_t length = TEXT_MAX - strlen(CUT);

	if (line->length <= TEXT_MAX)
		return;
	while ((line->text[length] & 0xc0) == 0x80)
		length--;
	line->length = length;
	buf_puts(line, CUT);
}

static void post_message(struct notify *notify, enum spk_notice_kind kind, const char *message)
{
	struct buf redacted = {0}, line = {0};

	if (!notify)
		return;
	redactor_apply(redactor_shared(), &notify->stream, message, &redacted);
	buf_printf(&line, "%s%s@%s ", kind == SPK_NOTICE_SAL ? "!log " : "", notify->identity->user,
		   notify->identity->host);
	put_line(&redacted, &line);
	cut(&line);
	post(notify, kind, buf_text(&line));
	buf_free(&redacted);
	buf_free(&line);
}

void notify_irc(struct notify *notify, const char *message)
{
	post_message(notify, SPK_NOTICE_IRC, message);
}

void notify_sal(struct notify *notify, const char *message)
{
	post_message(notify, SPK_NOTICE_SAL, message);
}

void notify_awaiting(struct notify *notify, const char *cookbook)
{
	char *message;

	if (!notify || !notify->tells_waiting)
		return;
	message = xasprintf("%s (PID %ld) is awaiting input", cookbook,
			    (long)notify->identity->pid);
	notify_irc(notify, message);
	free(message);
}

/* ---- what becomes of it ---- */

static const char *plural(unsigned long count)
{
	return count == 1 ? "" : "s";
}

static void log_news(struct notify *notify, struct outlet *outlet, const struct outbox_news *news)
{
	outlet->lost += news->lost;
	if (*news->reason.text)
		outlet->reason = news->reason;
	if (news->works) {
		if (outlet->failing)
			log_info(notify->log, "messages by %s are sent again", outlet->name);
		outlet->failing = false;
		return;
	}
	/* All of them together are told at the end. */
	if (outlet->failing) {
		log_debug(notify->log, "cannot send by %s: %s", outlet->name, outlet->reason.text);
		return;
	}
	if (news->full)
		log_warning(notify->log, "more messages than %s takes: the oldest are not sent",
			    outlet->name);
	else if (news->lost)
		log_warning(notify->log, "%lu message%s by %s not sent: %s, ignoring", news->lost,
			    plural(news->lost), outlet->name, outlet->reason.text);
	else
		log_warning(notify->log, "cannot send by %s yet: %s", outlet->name,
			    outlet->reason.text);
	outlet->failing = true;
	outlet->told = outlet->lost;
}

void notify_attend(struct notify *notify)
{
	struct outbox_news news;
	eventfd_t count;

	eventfd_read(notify->news_fd, &count);
	notify->logging = true;
	for (size_t i = 0; i < notify->count; i++)
		if (outbox_take_news(notify->outlets[i].outbox, &news))
			log_news(notify, &notify->outlets[i], &news);
	notify->logging = false;
}

int notify_fd(const struct notify *notify)
{
	return notify ? notify->news_fd : -1;
}

/* ---- the end ---- */

static bool all_done(const struct notify *notify)
{
	for (size_t i = 0; i < notify->count; i++)
		if (!outbox_is_done(notify->outlets[i].outbox))
			return false;
	return true;
}

/* Until all is sent, or the time over. The signal that ended it, or 0. */
static int drain(struct notify *notify, int signal_fd)
{
	int64_t deadline = spk_uptime().ns + notify->drain_ns;
	int number;

	for (size_t i = 0; i < notify->count; i++)
		outbox_finish(notify->outlets[i].outbox, deadline);
	while (!all_done(notify)) {
		struct pollfd fds[] = {
			{.fd = notify->news_fd, .events = POLLIN},
			{.fd = signal_fd, .events = POLLIN},
		};
		int64_t left = deadline - spk_uptime().ns;
		struct timespec timeout = {.tv_sec = left / SECOND_NS, .tv_nsec = left % SECOND_NS};

		if (left <= 0)
			break;
		ppoll(fds, 2, &timeout, NULL);
		number = fds[1].revents ? signals_next(signal_fd) : 0;
		if (number && number != SIGTSTP)
			return number;
		if (fds[0].revents)
			notify_attend(notify);
	}
	return 0;
}

static void end_outlet(struct notify *notify, struct outlet *outlet)
{
	struct outbox_news news;

	outbox_free(outlet->outbox, &news);
	if (news.lost || *news.reason.text)
		log_news(notify, outlet, &news);
	if (news.alone)
		log_warning(notify->log, "the driver notify-%s does not return, it is left behind",
			    outlet->name);
	if (outlet->lost > outlet->told)
		log_warning(notify->log, "%lu message%s by %s in all not sent: %s, ignoring",
			    outlet->lost, plural(outlet->lost), outlet->name,
			    *outlet->reason.text ? outlet->reason.text : "the time was over");
}

int notify_close(struct notify *notify, int signal_fd)
{
	int number;

	if (!notify)
		return 0;
	number = drain(notify, signal_fd);
	notify_attend(notify);
	for (size_t i = 0; i < notify->count; i++)
		end_outlet(notify, &notify->outlets[i]);
	notify_free(notify);
	return number;
}
