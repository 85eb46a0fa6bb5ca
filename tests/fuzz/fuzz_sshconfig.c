/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of OpenSSH's, by the first byte: known_hosts with `k`, else ssh_config. Reasons are one
 * line of ASCII; what is found can be used: names can stand in a command line, ports are ports,
 * lines are shown in their order and have a type and a key.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../plugins/libssh/algorithms.h"
#include "../../plugins/libssh/knownhosts.h"
#include "../../plugins/libssh/target.h"
#include "../../plugins/base/memory.h"

#define EXPECT(true_)                                                                              \
	do {                                                                                       \
		if (!(true_))                                                                      \
			abort();                                                                   \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct config_self self = {.user = "user",
					.home = "/home/user",
					.machine = "machine.example",
					.machine_short = "machine",
					.uid = 1000};

static void expect_reason(const char *reason)
{
	EXPECT(*reason);
	for (; *reason; reason++)
		EXPECT(*reason >= ' ' && *reason <= '~');
}

static void make_list(enum algorithms kind, const struct target_list *list)
{
	char *made = algorithms_list(kind, list->text);

	EXPECT(list->text ? list->line->number > 0 : *made);
	memory_free(made);
}

static void use(const struct target *target)
{
	EXPECT(target_is_host_name(target->host) && target->user && *target->known_as);
	EXPECT(target->port > 0 && target->port < 65536);
	EXPECT(target->connect_timeout_ns > 0 && target->alive_interval_ns >= 0);
	EXPECT(target->alive_count >= 0 && target->rsa_size >= 0);
	EXPECT(!target->jump_host || target_is_host_name(target->jump_host));
	EXPECT(!target->jump_host || !target->proxy_command);
	EXPECT(target->jump_port >= 0 && target->jump_port < 65536);
	for (size_t i = 0; i < target->environment.count; i++)
		EXPECT(strchr(target->environment.items[i], '='));
	make_list(ALGORITHMS_CIPHERS, &target->ciphers);
	make_list(ALGORITHMS_KEX, &target->kex);
	make_list(ALGORITHMS_HOST_KEYS, &target->host_keys);
}

static void read_config(const char *text, size_t length)
{
	static const struct target_name names[] = {
		{.host = "db1001.example"},
		{.host = "WEB"},
		{.host = "10.0.0.1", .user = "named", .port = 2222, .jump = "a,b@c:1"}};
	struct spk_reason_buffer reason = {{0}};
	struct sshconfig *config = sshconfig_read_text("FILE", text, length, &self, &reason);

	EXPECT(config);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct end end = {0};
		struct target *target;

		if (target_find(config, &self, &names[i], &target, &end) == 0) {
			use(target);
			target_free(target);
		} else {
			EXPECT(end.kind == SPK_TRANSPORT_UNSUPPORTED ||
			       end.kind == SPK_TRANSPORT_FAILED);
			expect_reason(end.reason);
			EXPECT(strncmp(end.reason, "FILE:", 5) == 0);
		}
	}
	sshconfig_free(config);
}

static bool see(void *data, const struct known_line *line)
{
	unsigned *last = data;

	EXPECT(*line->type && *line->key && line->number > *last);
	*last = line->number;
	return true;
}

static void read_known(const char *text, size_t length)
{
	struct knownhosts *known = knownhosts_new();
	const struct knownhosts_file *file = knownhosts_text(known, "FILE", text, length);
	static const char *const names[] = {"db1001.example", "[web]:2222", "10.0.0.1", "a"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		unsigned last = 0;

		knownhosts_look_up(file, names[i], see, &last);
	}
	knownhosts_free(known);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text;

	if (!size)
		return 0;
	text = malloc(size);
	EXPECT(text);
	memcpy(text, data + 1, size - 1);
	if (data[0] == 'k')
		read_known(text, size - 1);
	else
		read_config(text, size - 1);
	free(text);
	return 0;
}
