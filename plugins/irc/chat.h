/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A client in one channel: connects, registers, identifies itself, joins, and does so again when it
 * was thrown out. What it says counts as said when the server has answered a PING behind it.
 */
#ifndef SPICERACK_IRC_CHAT_H
#define SPICERACK_IRC_CHAT_H

#include "settings.h"

struct chat;

/* Takes a copy of the settings. NULL and a reason. */
struct chat *chat_new(const struct irc_settings *settings, struct spk_reason_buffer *reason);

/* Says it in the channel, in as many lines as it takes. */
enum spk_notify_status chat_say(struct chat *chat, const char *text, struct spk_notify_call *call);

/* Of the server; -1: not connected. */
int chat_fd(const struct chat *chat);

/* Attends to what the server has said. */
void chat_attend(struct chat *chat, struct spk_notify_call *call);

/* Takes leave of the server until the deadline, and frees it. */
void chat_free(struct chat *chat, struct spk_notify_call *call);

#endif
