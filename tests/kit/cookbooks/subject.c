/* SPDX-License-Identifier: Apache-2.0 */
/* kit.subject: does one thing of each kind that the test kit plays or watches. */
#include <signal.h>
#include <stdio.h>
#include <spicerack/cookbook.h>

struct subject {
	const char *action, *text;
	bool changed;
};

static const struct spk_arg args[] = {
	SPK_POSITIONAL(struct subject, action),
	SPK_POSITIONAL(struct subject, text, .arity = SPK_ZERO_OR_ONE, SPK_DEFAULT("")),
};

static int do_log(struct spk *spk, struct subject *subject)
{
	spk_warn(spk, "said: %s", subject->text);
	puts("printed");
	return 0;
}

static int do_return(struct spk *spk, struct subject *subject)
{
	return (int)spk_to_int(spk, subject->text);
}

static int do_crash(struct spk *spk, struct subject *subject)
{
	raise(SIGSEGV);
	return 0;
}

static int do_spin(struct spk *spk, struct subject *subject)
{
	while (!subject->changed)
		__asm__ volatile("");
	return 0;
}

static const char *ask(struct spk *spk)
{
	return spk_ask_input(
		spk, SPK_QUESTION("Which?", .name = "disk", .choices = SPK_LIST("sda", "sdb")));
}

static int do_ask(struct spk *spk, struct subject *subject)
{
	spk_info(spk, "disk %s", ask(spk));
	spk_info(spk, "then %s", ask(spk));
	return 0;
}

static int do_sleep(struct spk *spk, struct subject *subject)
{
	spk_time before = spk_now();

	spk_sleep(spk, SPK_HOURS(10));
	spk_info(spk, "slept %s", spk_duration_text(spk, spk_time_between(before, spk_now())));
	return 0;
}

static int do_lock(struct spk *spk, struct subject *subject)
{
	SPK_SCOPED(spk_lock_acquired(spk, "thing", SPK_LOCK(.wait = SPK_MINUTES(20))));
	spk_info(spk, "locked");
	return 0;
}

static int do_http(struct spk *spk, struct subject *subject)
{
	struct spk_api *api = spk_api(spk, "http://ipam.example/api", SPK_HTTP(.name = "subject"));

	spk_info(spk, "status %s", spk_json_get_text(spk_api_get(api, "/hosts/db1"), "status"));
	return 0;
}

static int do_program(struct spk *spk, struct subject *subject)
{
	const struct spk_result *result =
		spk_command_run(spk, SPK_COMMAND(SPK_STRINGS("no-such-program-but-here", "a b")));

	spk_info(spk, "it said %s", result->out);
	return 0;
}

static int do_remote(struct spk *spk, struct subject *subject)
{
	struct spk_remote *hosts = spk_remote_query(spk, "D{db[1-2]}");

	spk_info(spk, "uptime %s",
		 spk_join(spk, ",",
			  spk_remote_outputs(
				  spk_remote_read(hosts, "cat '/proc/up time' | head -1"))));
	return 0;
}

static int do_nested(struct spk *spk, struct subject *subject)
{
	return spk_run_cookbook(spk, "kit.subject", SPK_STRINGS("log", subject->text));
}

static int do_dns(struct spk *spk, struct subject *subject)
{
	spk_info(spk, "address %s",
		 spk_join(spk, ",", spk_dns_resolve_ipv4(spk_dns(spk, NULL), "web.example")));
	return 0;
}

/* Of both kinds: a name may have one alone. */
static int do_ips(struct spk *spk, struct subject *subject)
{
	spk_info(spk, "addresses %s",
		 spk_join(spk, ",", spk_dns_resolve_ips(spk_dns(spk, NULL), subject->text)));
	return 0;
}

static int do_hosts(struct spk *spk, struct subject *subject)
{
	struct spk_remote *hosts = spk_remote_query(spk, "D{host[001-002].test}");
	const struct spk_remote_results *results =
		spk_remote_read_all(hosts, SPK_REMOTE(subject->text, .threshold = SPK_PERCENT(0)));

	for (size_t i = 0; i < spk_remote_results_count(results); i++) {
		const struct spk_remote_result *result = spk_remote_results_at(results, i);

		spk_info(spk, "result of %s: %u %d %s", result->host, result->end,
			 result->exit_code, result->out);
	}
	return 0;
}

static int do_query(struct spk *spk, struct subject *subject)
{
	spk_info(spk, "%zu hosts", spk_remote_count(spk_remote_query(spk, subject->text)));
	return 0;
}

static int do_fetch(struct spk *spk, struct subject *subject)
{
	struct spk_http *http = spk_http(spk, SPK_HTTP(.name = "subject"));
	const struct spk_http_answer *answer = spk_http_get(http, subject->text);

	spk_info(spk, "fetched %d %s of %s", spk_http_status(answer), spk_http_body(answer),
		 spk_http_url(answer));
	return 0;
}

static int do_names(struct spk *spk, struct subject *subject)
{
	const struct spk_dns *dns = spk_dns(spk, NULL);

	const struct spk_dns_answer *services = spk_dns_resolve_srv(dns, subject->text);

	for (size_t i = 0; i < services->count; i++)
		spk_info(spk, "service %u %u %u %s, ttl %u", services->records[i].priority,
			 services->records[i].weight, services->records[i].port,
			 services->records[i].text,
			 (unsigned int)spk_duration_seconds(services->ttl));
	spk_info(spk, "address %s",
		 spk_join(spk, ",", spk_dns_resolve_ipv4(dns, services->records[0].text)));
	return 0;
}

static int do_mail(struct spk *spk, struct subject *subject)
{
	const struct spk_dns_answer *mail = spk_dns_resolve(spk_dns(spk, NULL), subject->text,
							    SPK_DNS_MX);

	for (size_t i = 0; i < mail->count; i++)
		spk_info(spk, "mail %u %s", mail->records[i].priority, mail->records[i].text);
	return 0;
}

static int do_conftool(struct spk *spk, struct subject *subject)
{
	spk_confctl_update(spk_confctl(spk, "node"), SPK_CONF_FIELDS({"pooled", SPK_CONF("no")}),
			   SPK_CONF_TAGS({"dc", "dc1"}, {"name", "web1"}));
	return 0;
}

/* Forgets to undo what it did when it fails, but for "careful". */
static int do_change(struct spk *spk, struct subject *subject)
{
	struct spk_remote *host = spk_remote_query(spk, "D{db1}");

	subject->changed = true;
	spk_remote_run(host, "stop it");
	spk_sleep(spk, SPK_SECONDS(5));
	spk_remote_run(host, "mend it");
	spk_remote_run(host, "start it");
	return 0;
}

static const struct {
	const char *name;
	int (*run)(struct spk *spk, struct subject *subject);
} actions[] = {
	{"log", do_log},           {"return", do_return}, {"crash", do_crash},
	{"spin", do_spin},         {"ask", do_ask},       {"sleep", do_sleep},
	{"lock", do_lock},         {"http", do_http},     {"program", do_program},
	{"remote", do_remote},     {"nested", do_nested}, {"dns", do_dns},
	{"conftool", do_conftool}, {"change", do_change}, {"hosts", do_hosts},
	{"fetch", do_fetch},       {"names", do_names},   {"query", do_query},
	{"mail", do_mail},         {"ips", do_ips},
};

static int run(struct spk *spk, void *self)
{
	struct subject *subject = self;

	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++)
		if (spk_streq(actions[i].name, subject->action))
			return actions[i].run(spk, subject);
	spk_fail(spk, "there is no action '%s'", subject->action);
}

static void rollback(struct spk *spk, void *self)
{
	const struct subject *subject = self;

	if (subject->changed && spk_streq(subject->text, "careful"))
		spk_remote_run(spk_remote_query(spk, "D{db1}"), "start it");
}

SPK_COOKBOOK(.title = "Do one thing", SPK_ARGS(struct subject, args), .run = run,
	     .rollback = rollback);
