/* SPDX-License-Identifier: Apache-2.0 */
#include "remotelink.h"

#include <string.h>

#include "../runtime/driver.h"
#include "../runtime/misuse.h"
#include "../runtime/wire.h"

/* So many hosts are told at a time. */
#define TOLD_MAX 2000

/* The table of version 1.0 of the interface, which stays when it grows. */
#define TRANSPORT_SIZE SIZE_UP_TO(struct spk_transport_driver, abandon)

static struct {
	struct remote_config *config;
	struct inventory *inventory;
	struct remote_link link;
	const struct spk_hosts *told; /* of the journal; NULL: none */
} here;

const struct remote_config *remote_link_config(struct spk *spk)
{
	struct err err;

	if (!here.config && remote_config_read(spk->order.config_dir, &here.config, &err) < 0)
		spk_raise(spk, "remote.settings", NULL, "%s", err.text);
	return here.config;
}

struct inventory *remote_link_inventory(struct spk *spk)
{
	const struct remote_config *config = remote_link_config(spk);
	struct err err;

	if (!here.inventory && inventory_open(config, &here.inventory, &err) < 0)
		spk_raise(spk, "remote.settings", NULL, "%s", err.text);
	return here.inventory;
}

/* The process is about to end, in peace. */
static void close_all(struct spk *spk)
{
	if (here.link.transport)
		here.link.driver->close(here.link.transport);
	here.link = (struct remote_link){0};
	inventory_close(here.inventory);
	here.inventory = NULL;
	remote_config_free(here.config);
	here.config = NULL;
}

static const struct spk_transport_driver *open_driver(struct spk *spk, const char *name)
{
	struct err err;
	const struct spk_driver *driver = driver_open("transport", name, TRANSPORT_SIZE, &err);

	if (!driver)
		spk_raise(spk, "remote.transport", NULL, "%s", err.text);
	return (const struct spk_transport_driver *)(const void *)driver;
}

/* Those of its group, where the configuration has one for it. */
static const struct driver_settings *settings_of(const struct remote_config *config,
						 const char *transport)
{
	static const struct driver_settings none;
	static const char *const groups[] = {"libssh", "openssh"};

	for (size_t i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		if (strcmp(transport, groups[i]) == 0)
			return remote_config_settings(config, transport);
	return &none;
}

const struct remote_link *remote_link_open(struct spk *spk, const struct spk_transport_calls *calls)
{
	const struct remote_config *config = remote_link_config(spk);
	const char *name = remote_config_text(config, "transport");
	const struct driver_settings *settings;
	struct spk_reason_buffer reason = {""};
	struct err err;

	if (here.link.transport)
		return &here.link;
	here.link.driver = open_driver(spk, name);
	settings = settings_of(config, name);
	here.link.names_users = here.link.driver->driver.size >=
					SIZE_UP_TO(struct spk_transport_driver, names_users) &&
				here.link.driver->names_users;
	here.link.fanout = (size_t)remote_config_int(config, "fanout");
	spk->before_end = close_all;
	here.link.transport = here.link.driver->open(settings->items, settings->count, calls,
						     &reason);
	if (here.link.transport)
		return &here.link;
	driver_settings_refuse(settings, reason.text, &err);
	spk_raise(spk, "remote.transport", NULL, "cannot use the transport %s: %s", name, err.text);
}

void remote_link_tell(struct spk *spk, const struct spk_hosts *hosts)
{
	const struct spk_hosts *news = here.told ? spk_hosts_minus(hosts, here.told) : hosts;
	size_t count = spk_hosts_count(news);

	for (size_t first = 0; first < count; first += TOLD_MAX) {
		const struct spk_hosts *slice = spk_hosts_slice(news, first, TOLD_MAX);
		struct message answer;
		struct buf body = {0};

		wire_put_text(&body, spk_hosts_fold(slice));
		session_request(spk, REQUEST_HOSTS, &body, &answer);
		buf_free(&body);
	}
	if (count)
		here.told = here.told ? spk_hosts_union(here.told, news) : news;
}
