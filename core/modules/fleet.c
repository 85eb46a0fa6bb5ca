/* SPDX-License-Identifier: Apache-2.0 */
#include <spicerack/fleet.h>

#include <math.h>
#include <string.h>

#include <spicerack/clock.h>
#include <spicerack/command.h>
#include <spicerack/text.h>

#include "../runtime/misuse.h"
#include "remotehow.h"
#include "remotelink.h"

/* Those of the Python host. */
#define REBOOT_TIMEOUT SPK_SECONDS(30)
#define REBOOT_SLEEP SPK_SECONDS(180)
#define UPTIME_TIMEOUT SPK_SECONDS(10)
#define REBOOT_TRIES 240
#define REBOOT_DELAY SPK_SECONDS(10)
#define APT_GET                                                                                    \
	"DEBIAN_FRONTEND=noninteractive /usr/bin/apt-get --quiet --yes --option "                  \
	"Dpkg::Options::=--force-confdef --option Dpkg::Options::=--force-confold "

static const struct spk_remote_options *one_at_a_time(struct spk_remote_options *how)
{
	if (!how->batch.kind)
		how->batch = SPK_HOSTS(1);
	return how;
}

/* ---- reboots ---- */

const struct spk_remote_results *spk_remote_reboot(const struct spk_remote *remote,
						   const struct spk_remote_options *given)
{
	struct spk *spk = remote_spk(remote);
	struct spk_remote_options how = remote_how(__func__, given);

	how.command = remote_config_text(remote_link_config(spk), "reboot_command");
	if (!how.timeout.ns)
		how.timeout = REBOOT_TIMEOUT;
	if (!how.batch.kind && !how.batch_sleep.ns)
		how.batch_sleep = REBOOT_SLEEP;
	return spk_remote_run_all(remote, one_at_a_time(&how));
}

static spk_duration read_uptime(struct spk *spk, const struct spk_remote_result *result)
{
	const char *text = spk_before(spk, spk_trim(spk, result->out), " ");
	size_t digits = strspn(text, "0123456789.");
	double seconds;

	if (digits == 0 || text[digits] || digits > 16 || strchr(text, '.') != strrchr(text, '.'))
		spk_raise(spk, "remote.result", NULL,
			  "cannot read the uptime of %s: it says '%.80s'", result->host,
			  result->out);
	seconds = spk_to_double(spk, text);
	return SPK_NANOSECONDS((int64_t)(fmin(seconds, 9e9) * 1e9));
}

static const struct spk_remote_results *ask_uptime(const struct spk_remote *remote)
{
	return spk_remote_read_all(remote, SPK_REMOTE("cat /proc/uptime", .timeout = UPTIME_TIMEOUT,
						      .no_output = true, .no_progress = true));
}

spk_remote_uptimes spk_remote_uptime(const struct spk_remote *remote)
{
	struct spk *spk = remote_spk(remote);
	const struct spk_remote_results *results = ask_uptime(remote);
	size_t all = spk_remote_results_count(results), count = 0;
	struct spk_remote_uptime *items = spk_alloc(spk, all * sizeof(*items));

	for (size_t i = 0; i < all; i++) {
		const struct spk_remote_result *result = spk_remote_results_at(results, i);

		if (result->end == SPK_REMOTE_OK)
			items[count++] = (struct spk_remote_uptime){result->host,
								    read_uptime(spk, result)};
	}
	return (spk_remote_uptimes){items, count};
}

struct reboot_wait {
	const struct spk_remote *remote;
	spk_time since;
};

static void check_reboot(struct spk *spk, void *argument)
{
	const struct reboot_wait *wait = argument;
	spk_remote_uptimes uptimes = spk_remote_uptime(wait->remote);
	double limit = spk_duration_seconds(spk_time_between(wait->since, spk_now()));

	if (uptimes.count < spk_remote_count(wait->remote))
		spk_raise(spk, "remote.check", NULL, "%zu of %zu hosts could not be reached",
			  spk_remote_count(wait->remote) - uptimes.count,
			  spk_remote_count(wait->remote));
	for (size_t i = 0; i < uptimes.count; i++) {
		double uptime = spk_duration_seconds(uptimes.items[i].uptime);

		if (uptime < limit)
			continue;
		if (!spk_dry_run(spk))
			spk_raise(spk, "remote.check", NULL,
				  "%s has not booted yet, keep polling: its uptime is %.2f s, and "
				  "less than %.2f s is wanted",
				  uptimes.items[i].host, uptime, limit);
		spk_info(spk, "%s has not booted since then: its uptime is %.2f s",
			 uptimes.items[i].host, uptime);
	}
}

void spk_remote_wait_reboot_since(const struct spk_remote *remote, spk_time since)
{
	struct reboot_wait wait = {remote, since};

	spk_retry(remote_spk(remote),
		  SPK_RETRY(.tries = REBOOT_TRIES, .delay = REBOOT_DELAY,
			    .backoff = SPK_BACKOFF_CONSTANT, .kinds = SPK_STRINGS("remote"),
			    .message = "Unable to see that all hosts have booted"),
		  check_reboot, &wait);
}

/* ---- services ---- */

void remote_set_unit_commands(const char *function, struct spk *spk, const char *verb,
			      spk_strings units, struct spk_remote_options *how)
{
	struct spk_remote_command *commands = spk_alloc(spk, units.count * sizeof(*commands));

	if (units.count == 0)
		session_misuse(function, "there are no units");
	for (size_t i = 0; i < units.count; i++) {
		const char *line = spk_shell_format(spk, "systemctl %s -- %s", verb,
						    units.items[i]);

		commands[i] = SPK_REMOTE_COMMAND(line, .timeout = how->timeout,
						 .accepted = how->accepted,
						 .any_code = how->any_code);
	}
	how->timeout = SPK_SECONDS(0);
	how->accepted = (spk_ints){0};
	how->any_code = false;
	how->commands = (spk_remote_commands){commands, units.count};
}

static const struct spk_remote_results *act_on_units(const char *function,
						     const struct spk_remote *remote,
						     const char *verb, spk_strings units,
						     const struct spk_remote_options *given)
{
	struct spk_remote_options how = remote_how(function, given);

	remote_set_unit_commands(function, remote_spk(remote), verb, units, &how);
	how.mode = SPK_REMOTE_ASYNC;
	return spk_remote_run_all(remote, one_at_a_time(&how));
}

const struct spk_remote_results *spk_remote_restart_services(const struct spk_remote *remote,
							     spk_strings units,
							     const struct spk_remote_options *how)
{
	CHECK_LIST(units);
	return act_on_units(__func__, remote, "restart", units, how);
}

const struct spk_remote_results *spk_remote_reload_services(const struct spk_remote *remote,
							    spk_strings units,
							    const struct spk_remote_options *how)
{
	CHECK_LIST(units);
	return act_on_units(__func__, remote, "reload", units, how);
}

/* ---- packages ---- */

static const struct spk_remote_results *apt_get(const char *function,
						const struct spk_remote *remote, spk_strings words,
						const struct spk_remote_options *given)
{
	struct spk *spk = remote_spk(remote);
	struct spk_remote_options how = remote_how(function, given);

	how.command = spk_format(spk, APT_GET "%s", spk_shell_join(spk, words));
	return spk_remote_run_all(remote, &how);
}

const struct spk_remote_results *spk_apt_get_update(const struct spk_remote *remote,
						    const struct spk_remote_options *how)
{
	return apt_get(__func__, remote, SPK_STRINGS("update"), how);
}

const struct spk_remote_results *spk_apt_get_install(const struct spk_remote *remote,
						     spk_strings packages,
						     const struct spk_remote_options *how)
{
	spk_strings words = {0};

	CHECK_LIST(packages);
	CHECK_GIVEN(packages.count);
	spk_append(remote_spk(remote), &words, "install");
	for (size_t i = 0; i < packages.count; i++)
		spk_append(remote_spk(remote), &words, packages.items[i]);
	return apt_get(__func__, remote, words, how);
}

const struct spk_remote_results *spk_apt_get_run(const struct spk_remote *remote, spk_strings words,
						 const struct spk_remote_options *how)
{
	CHECK_LIST(words);
	CHECK_GIVEN(words.count);
	return apt_get(__func__, remote, words, how);
}
