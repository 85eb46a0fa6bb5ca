/* SPDX-License-Identifier: Apache-2.0 */
#include "run_command.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../runtime/mem.h"
#include "../journal/journalfile.h"
#include "../run/outcome.h"
#include "../setting/settings.h"
#include "ownrun.h"

#define PROGRAM "spicerack remote reap"
#define REAP_COOKBOOK "spicerack.reap"

/* The run whose hosts are looked at. */
struct lost {
	char id[RUN_ID_SIZE];
	struct buf query; /* for the hosts that its journal names; empty: it names none */
};

static void put_query(const struct run_summary *summary, struct buf *query)
{
	const char *at = buf_text(&summary->hosts);

	for (size_t i = 0; i < summary->hosts_count; i++, at += strlen(at) + 1)
		buf_printf(query, "%s%s", i ? "," : "D{", at);
	if (summary->hosts_count)
		buf_putc(query, '}');
}

/* What the journal of the run, `id`, says. -1: all was said. */
static int read_journal(const char *directory, bool force, struct lost *lost)
{
	struct run_summary summary;
	struct err err;
	bool goes_on;
	int rc = journal_read(directory, lost->id, &summary, &err);

	if (rc != 0) {
		ownrun_complain(PROGRAM, "%s", rc < 0 ? err.text : "nothing was told of that run");
		return -1;
	}
	goes_on = summary.state == RUN_GOES_ON;
	put_query(&summary, &lost->query);
	run_summary_free(&summary);
	if (!goes_on || force)
		return 0;
	ownrun_complain(PROGRAM,
			"run %s still goes on: end it there, or by `spicerack runs stop`; --force "
			"ends what it does on the hosts and leaves it running",
			lost->id);
	return -1;
}

/* A run of another machine has no journal here; then its whole id and a query tell enough. */
static int find_lost(const struct ownrun *run, const char *directory, struct lost *lost)
{
	const char *word = ownrun_text(run, "run");
	struct err err = {{0}};

	if (directory && journal_find(directory, word, REAP_COOKBOOK, lost->id, &err) == 0)
		return read_journal(directory, ownrun_is_given(run, "force"), lost);
	if (run_id_is_valid(word, strlen(word)) && ownrun_is_given(run, "query")) {
		snprintf(lost->id, sizeof(lost->id), "%s", word);
		return 0;
	}
	ownrun_complain(PROGRAM, "%s",
			directory
				? err.text
				: "'journal.directory' is not set and you have no home directory");
	return -1;
}

static int reap(const struct ownrun *run, const struct lost *lost)
{
	static const char *const options[] = {"dry_run", "verbose", "sudo", "announce", "force"};
	static const char *const words[] = {"--dry-run", "--verbose", "--sudo", "--announce",
					    "--force"};
	const char *query = ownrun_text(run, "query"), *user = ownrun_text(run, "user");
	char *argv[10];
	int argc = 0;

	if (!query && lost->query.length == 0)
		return ownrun_complain(
			PROGRAM, "the journal of run %s names no hosts: give a query", lost->id);
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++)
		if (ownrun_is_given(run, options[i]))
			argv[argc++] = (char *)(uintptr_t)words[i];
	if (user) {
		argv[argc++] = (char *)(uintptr_t) "--user";
		argv[argc++] = (char *)(uintptr_t)user;
	}
	argv[argc++] = (char *)(uintptr_t) "--";
	argv[argc++] = (char *)(uintptr_t)lost->id;
	argv[argc++] = (char *)(uintptr_t)(query ? query : buf_text(&lost->query));
	return ownrun_run(run, argc, argv);
}

static int reap_command(int argc, char **argv)
{
	struct settings *settings = NULL;
	struct lost lost = {.id = ""};
	struct ownrun run;
	struct err err;
	int code;

	if (ownrun_open(&run, PROGRAM, REAP_COOKBOOK, argc, argv, &code)) {
		code = EXIT_INIT_FAILED;
		if (settings_load(ownrun_text(&run, "config_file"), &settings, &err) < 0)
			code = ownrun_complain(PROGRAM, "%s", err.text);
		else if (find_lost(&run, settings_text(settings, "journal.directory"), &lost) == 0)
			code = reap(&run, &lost);
	}
	settings_free(settings);
	buf_free(&lost.query);
	ownrun_close(&run);
	return code;
}

static const struct subcommand items[] = {
	{"reap", "end what a lost run has left on other hosts", .forward = reap_command,
	 .cookbook = REAP_COOKBOOK},
};

const struct subcommands remote_subcommands = {
	.command = "remote",
	.about = "What runs have left on other hosts.",
	.items = items,
	.count = sizeof(items) / sizeof(items[0]),
};
