/* SPDX-License-Identifier: Apache-2.0 */
/* Tells a channel on IRC, as a client of its server. */
#include "chat.h"

#include <string.h>

SPK_API extern const struct spk_notify_driver spk_driver;

static void *open_irc(const struct spk_driver_setting *given, size_t count,
		      struct spk_reason_buffer *reason)
{
	struct irc_settings settings;
	struct chat *chat = NULL;

	if (irc_settings_read(given, count, &settings, reason) == 0)
		chat = chat_new(&settings, reason);
	explicit_bzero(&settings, sizeof(settings));
	return chat;
}

static void close_irc(void *data, struct spk_notify_call *call)
{
	chat_free(data, call);
}

static enum spk_notify_status send_notice(void *data, const struct spk_notice *notice,
					  struct spk_notify_call *call)
{
	return notice->text ? chat_say(data, notice->text, call) : SPK_NOTIFY_SENT;
}

static int server_fd(void *data)
{
	return chat_fd(data);
}

static void attend(void *data, struct spk_notify_call *call)
{
	chat_attend(data, call);
}

const struct spk_notify_driver spk_driver = {
	.driver = {.size = sizeof(struct spk_notify_driver),
		   .abi = SPK_DRIVER_ABI,
		   .kind = "notify",
		   .name = "irc"},
	.open = open_irc,
	.close = close_irc,
	.send = send_notice,
	.fd = server_fd,
	.attend = attend,
};
