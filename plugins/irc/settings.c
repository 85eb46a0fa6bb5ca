/* SPDX-License-Identifier: Apache-2.0 */
#include "settings.h"

#include <stdio.h>
#include <string.h>

#include "../net/dial.h"

#define LETTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define SPECIAL "[]\\`_^{|}"
#define DIGITS "0123456789"

static bool is_of(const char *text, const char *allowed)
{
	return *text && strspn(text, allowed) == strlen(text);
}

static bool is_nick(const char *text)
{
	return is_of(text, LETTERS SPECIAL DIGITS "-") && strchr(LETTERS SPECIAL, text[0]);
}

static bool is_channel(const char *text)
{
	if (!text[0] || !strchr("#&+!", text[0]) || !text[1])
		return false;
	for (; *text; text++)
		if ((unsigned char)*text <= ' ' || *text == ',' || *text == 0x7f)
			return false;
	return true;
}

static bool is_host(const char *text)
{
	return is_of(text, LETTERS DIGITS ".-_:");
}

static bool is_port(const char *text)
{
	return is_of(text, DIGITS);
}

static bool is_any(const char *text)
{
	return true;
}

/* Copies a setting that fits and is what it must be. */
static int take(const struct spk_driver_setting *given, size_t count, const char *name,
		bool (*is)(const char *), char *out, size_t size, struct spk_reason_buffer *reason)
{
	const char *value = net_setting(given, count, name);

	if (!value || !is(value) || strlen(value) >= size)
		return net_refuse(reason, "'%s' %s", name,
				  value ? "is not one, or too long" : "is not set");
	memcpy(out, value, strlen(value) + 1);
	return 0;
}

static int read_passwords(const char *file, struct irc_settings *settings,
			  struct spk_reason_buffer *reason)
{
	static const char *const names[] = {
		[PASSWORD_SERVER] = "server_password",
		[PASSWORD_NICKSERV] = "nickserv_password",
		[PASSWORD_CHANNEL] = "channel_key",
	};

	for (size_t i = 0; i < PASSWORD_COUNT; i++)
		settings->passwords[i].name = names[i];
	if (!file)
		return 0;
	if (!settings->tls && strcmp(settings->host, "127.0.0.1") != 0 &&
	    strcmp(settings->host, "::1") != 0 && strcmp(settings->host, "localhost") != 0)
		return net_refuse(reason, "'irc.credentials' is set and 'irc.tls' is false: "
					  "passwords would be sent in the open");
	return credentials_read(file, settings->passwords, PASSWORD_COUNT, reason);
}

int irc_settings_read(const struct spk_driver_setting *given, size_t count,
		      struct irc_settings *settings, struct spk_reason_buffer *reason)
{
	const char *tls = net_setting(given, count, "irc.tls");
	const char *hostname = net_setting(given, count, "hostname");

	*settings = (struct irc_settings){.tls = !tls || strcmp(tls, "false") != 0};
	snprintf(settings->real_name, sizeof(settings->real_name), "spicerack on %s",
		 hostname && is_host(hostname) ? hostname : "a host");
	if (take(given, count, "irc.server", is_host, settings->host, sizeof(settings->host),
		 reason) < 0 ||
	    take(given, count, "irc.port", is_port, settings->port, sizeof(settings->port),
		 reason) < 0 ||
	    take(given, count, "irc.nick", is_nick, settings->nick, sizeof(settings->nick),
		 reason) < 0 ||
	    take(given, count, "irc.channel", is_channel, settings->channel,
		 sizeof(settings->channel), reason) < 0)
		return -1;
	if (net_setting(given, count, "irc.ca_file") &&
	    take(given, count, "irc.ca_file", is_any, settings->ca_file, sizeof(settings->ca_file),
		 reason) < 0)
		return -1;
	return read_passwords(net_setting(given, count, "irc.credentials"), settings, reason);
}
