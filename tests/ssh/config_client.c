/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the transport on libssh makes of an ssh_config: config-client FILE HOST... prints for each
 * host its options as `ssh -G` does, those that the driver honours, or one line "end KIND: REASON".
 */
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../plugins/libssh/target.h"

static const char *yes(bool flag)
{
	return flag ? "yes" : "no";
}

static void put_words(const char *name, const struct words *words)
{
	for (size_t i = 0; i < words->count; i++)
		printf("%s %s\n", name, words->items[i]);
}

static void put_list(const char *name, const struct target_list *list)
{
	if (list->text)
		printf("%s %s\n", name, list->text);
}

static void put_target(const struct target *target)
{
	printf("hostname %s\nuser %s\nport %d\n", target->host, target->user, target->port);
	printf("addressfamily %s\n", target->family == AF_INET    ? "inet"
				     : target->family == AF_INET6 ? "inet6"
								  : "any");
	if (target->source)
		printf("bindaddress %s\n", target->source);
	printf("tcpkeepalive %s\ncompression %s\n", yes(target->keep_alive),
	       yes(target->compression));
	if (target->connect_timeout_ns != INT64_MAX)
		printf("connecttimeout %lld\n",
		       (long long)(target->connect_timeout_ns / 1000000000));
	printf("serveraliveinterval %lld\nserveralivecountmax %d\n",
	       (long long)(target->alive_interval_ns / 1000000000), target->alive_count);
	printf("identitiesonly %s\n", yes(target->identities_only));
	put_words("identityfile", &target->identities);
	put_words("certificatefile", &target->certificates);
	put_words("knownhostsfile", &target->known_hosts);
	put_words("environment", &target->environment);
	put_list("ciphers", &target->ciphers);
	put_list("kexalgorithms", &target->kex);
	put_list("macs", &target->macs);
	put_list("hostkeyalgorithms", &target->host_keys);
	printf("knownas %s\n", target->known_as);
	if (target->proxy_command)
		printf("proxycommand %s\n", target->proxy_command);
	if (target->jump_host) {
		printf("proxyjump %s%s", target->jump_before ? target->jump_before : "",
		       target->jump_before ? "," : "");
		printf("%s%s%s", target->jump_user ? target->jump_user : "",
		       target->jump_user ? "@" : "", target->jump_host);
		if (target->jump_port)
			printf(":%d", target->jump_port);
		putchar('\n');
	}
}

int main(int argc, char **argv)
{
	const struct passwd *entry = getpwuid(getuid());
	struct spk_reason_buffer reason = {{0}};
	struct config_self self = {.machine = "machine.test", .machine_short = "machine"};
	struct sshconfig *config;

	if (argc < 3 || !entry)
		return 2;
	self.user = entry->pw_name;
	self.home = entry->pw_dir;
	self.uid = entry->pw_uid;
	config = sshconfig_read(argv[1], &self, &reason);
	if (!config) {
		printf("unreadable %s\n", reason.text);
		return 1;
	}
	for (int i = 2; i < argc; i++) {
		const struct target_name name = {.host = argv[i]};
		struct target *target;
		struct end end = {0};

		printf("host %s\n", argv[i]);
		if (target_find(config, &self, &name, &target, &end) == 0) {
			put_target(target);
			target_free(target);
		} else {
			printf("end %u: %s\n", (unsigned)end.kind, end.reason);
		}
	}
	sshconfig_free(config);
	return 0;
}
