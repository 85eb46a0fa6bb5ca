/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the runs of an invocation of `cookbook` tell the world: lines for the operations channel and
 * the SAL, and events for a machine (journal.h). Each place has an outbox of its own; nothing here
 * waits, but for the end of the invocation, or fails. A dry run tells nobody.
 */
#ifndef SPICERACK_HOST_NOTIFY_H
#define SPICERACK_HOST_NOTIFY_H

#include "../journal/journal.h"
#include "../log/log.h"

struct notify;

/*
 * Gets ready what the configuration names; nothing is started yet. NULL: there is nothing, and
 * every call below does nothing then. `log`, `settings` and `identity` are kept.
 */
struct notify *notify_open(const struct settings *settings, const struct identity *identity,
			   bool dry_run, struct log *log);

/*
 * Tells the channel, `USER@HOST MESSAGE`, and the SAL, with `!log ` in front. Secrets are taken
 * out, it becomes one line, and a long one is cut.
 */
void notify_irc(struct notify *notify, const char *message);
void notify_sal(struct notify *notify, const char *message);

/* Tells the channel that a question waits, where that is wanted. */
void notify_awaiting(struct notify *notify, const char *cookbook);

/* Takes the events of a run, for machines: those that are wanted. It belongs to `notify`. */
struct event_sink *notify_sink(struct notify *notify);

/* Readable when notify_attend() has something to log; -1 without. */
int notify_fd(const struct notify *notify);
void notify_attend(struct notify *notify);

/*
 * Waits for what was not sent yet, for some seconds at most; a signal ends that. Logs what is
 * lost. Returns that signal, or 0.
 */
int notify_close(struct notify *notify, int signal_fd);

#endif
