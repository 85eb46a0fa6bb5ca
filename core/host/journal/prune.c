/* SPDX-License-Identifier: Apache-2.0 */
#include "prune.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "../../runtime/fd.h"
#include "../../runtime/mem.h"
#include "../../runtime/printable.h"
#include "../console/attachment.h"
#include "journal.h"
#include "journalfile.h"

/* Its time is that of the last pruning. */
#define STAMP ".pruned"
#define INTERVAL_S (6 * 3600)

struct pruning {
	const char *directory;
	int64_t oldest_s; /* what is older goes */
	size_t removed;
	bool failed;
	struct err *err;
};

struct prune_limits prune_limits_of(const struct settings *settings)
{
	return (struct prune_limits){
		.age_s = settings_int(settings, "journal.keep_days") * 86400,
		.bytes = settings_int(settings, "journal.keep_megabytes") << 20,
	};
}

bool journal_prune_is_due(const char *directory)
{
	char *path = xasprintf("%s/" STAMP, directory);
	time_t now = time(NULL);
	bool due = true;
	struct stat st;
	int fd;

	if (lstat(path, &st) == 0 && st.st_mtime <= now && now - st.st_mtime < INTERVAL_S)
		due = false;
	if (due) {
		fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0660);
		/* Who may not say that he does it leaves it to others. */
		due = fd >= 0 && futimens(fd, NULL) == 0;
		fd_close(&fd);
	}
	free(path);
	return due;
}

static bool is_alive(const char *directory, const char *id)
{
	int fd = journal_open_file(directory, id, false, NULL);
	bool alive = fd >= 0 && journal_is_alive(fd);

	fd_close(&fd);
	return alive;
}

static bool owes(const char *directory, const char *id)
{
	struct run_summary summary;
	bool owed;

	if (journal_glance(directory, id, &summary, NULL) != 0)
		return false;
	owed = summary.owed;
	run_summary_free(&summary);
	return owed;
}

/* What a durable run has left beside its journal. */
static void remove_beside(const char *path)
{
	static const char *const suffixes[] = {ATTACHMENT_SCREEN_SUFFIX, ATTACHMENT_SOCKET_SUFFIX};
	size_t stem = strlen(path) - strlen(JOURNAL_SUFFIX);

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
		char *beside = xasprintf("%.*s%s", (int)stem, path, suffixes[i]);

		unlink(beside);
		free(beside);
	}
}

static bool remove_file(struct pruning *pruning, const char *path)
{
	char shown[PRINTABLE_PATH_SIZE];

	if (unlink(path) == 0) {
		pruning->removed++;
		remove_beside(path);
		return true;
	}
	if (errno != ENOENT && !pruning->failed) {
		pruning->failed = true;
		err_errno(pruning->err, "%s: cannot remove", printable_path(path, shown));
	}
	return errno == ENOENT;
}

/* Its size, 0 where there is none (any more). */
static int64_t prune_old(struct pruning *pruning, const char *id)
{
	char *path = xasprintf("%s/%s" JOURNAL_SUFFIX, pruning->directory, id);
	int64_t size = 0;
	struct stat st;

	if (lstat(path, &st) == 0 && S_ISREG(st.st_mode)) {
		size = st.st_size;
		if (st.st_mtime < pruning->oldest_s && !is_alive(pruning->directory, id) &&
		    remove_file(pruning, path))
			size = 0;
	}
	free(path);
	return size;
}

static void prune_large(struct pruning *pruning, const char (*ids)[RUN_ID_SIZE],
			const int64_t *sizes, size_t count, int64_t excess)
{
	for (size_t i = count; i-- > 0 && excess > 0;) {
		char *path;

		if (sizes[i] == 0 || is_alive(pruning->directory, ids[i]) ||
		    owes(pruning->directory, ids[i]))
			continue;
		path = xasprintf("%s/%s" JOURNAL_SUFFIX, pruning->directory, ids[i]);
		if (remove_file(pruning, path))
			excess -= sizes[i];
		free(path);
	}
}

int journal_prune(const char *directory, const struct prune_limits *limits, size_t *ret_removed,
		  struct err *err)
{
	struct pruning pruning = {
		.directory = directory,
		.oldest_s = limits->age_s ? time(NULL) - limits->age_s : INT64_MIN,
		.err = err,
	};
	char(*ids)[RUN_ID_SIZE];
	int64_t *sizes, total = 0;
	size_t count;

	*ret_removed = 0;
	if (journal_list(directory, &ids, &count, err) < 0)
		return -1;
	sizes = xcalloc(count, sizeof(*sizes));
	for (size_t i = 0; i < count; i++) {
		sizes[i] = prune_old(&pruning, ids[i]);
		total += sizes[i];
	}
	if (limits->bytes && total > limits->bytes)
		prune_large(&pruning, ids, sizes, count, total - limits->bytes);
	free(sizes);
	free(ids);
	*ret_removed = pruning.removed;
	return pruning.failed ? -1 : 0;
}
