/* SPDX-License-Identifier: Apache-2.0 */
/* How far a cookbook is: told to the supervisor, which draws it. */
#include <spicerack/output.h>

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <spicerack/clock.h>
#include <spicerack/error.h>

#include "../runtime/mem.h"
#include "../runtime/misuse.h"
#include "../runtime/protocol.h"

#define PROGRESS_MAGIC 0x70726f67U
/* Steps that follow each other more closely are told together, before the next wait. */
#define QUIET_NS 50000000LL
#define LABEL_SIZE 256

/* Plain data in memory of the run. */
struct spk_progress {
	uint32_t magic;
	uint32_t kind; /* 0: closed */
	struct spk *spk;
	uint64_t id, done, total;
	int64_t told_ns;
	char label[LABEL_SIZE];
};

/* Whose last step the supervisor has not been told of. */
static struct spk_progress *untold;

static void tell(struct spk_progress *progress)
{
	struct buf body = {0};

	if (untold == progress) {
		untold = NULL;
		progress->spk->before_waiting = NULL;
	}
	wire_put_number(&body, progress->id);
	wire_put_number(&body, progress->kind);
	wire_put_number(&body, progress->done);
	wire_put_number(&body, progress->total);
	wire_put_text(&body, progress->label);
	session_tell(progress->spk, REQUEST_PROGRESS, &body);
	buf_free(&body);
	progress->told_ns = spk_uptime().ns;
}

static void tell_untold(struct spk *spk)
{
	if (untold)
		tell(untold);
}

static void tell_soon(struct spk_progress *progress)
{
	if (progress->kind == 0)
		return;
	if (untold && untold != progress)
		tell(untold);
	if (spk_uptime().ns - progress->told_ns >= QUIET_NS) {
		tell(progress);
		return;
	}
	untold = progress;
	progress->spk->before_waiting = tell_untold;
}

struct spk_progress *spk_progress_open(struct spk *spk, enum spk_progress_kind kind,
				       const char *label, long long total)
{
	static uint64_t ids;
	struct spk_progress *progress;

	CHECK_SPK(spk);
	CHECK_GIVEN(label);
	if (kind < SPK_BAR || kind > SPK_SPINNER)
		session_misuse(__func__, "%d is no kind of progress", (int)kind);
	if (total < 0 || (kind == SPK_BAR && total == 0))
		session_misuse(__func__, "a total of %lld", total);
	progress = SPK_NEW(spk, struct spk_progress);
	progress->spk = spk;
	progress->id = ++ids;
	progress->kind = (uint32_t)kind;
	progress->total = (uint64_t)total;
	snprintf(progress->label, sizeof(progress->label), "%s", label);
	progress->magic = PROGRESS_MAGIC;
	tell(progress);
	return progress;
}

void spk_progress_step(struct spk_progress *progress, long long steps)
{
	uint64_t back;

	CHECK_HANDLE(progress, PROGRESS_MAGIC);
	if (steps >= 0) {
		progress->done += (uint64_t)steps;
	} else {
		back = -(uint64_t)steps;
		progress->done -= back < progress->done ? back : progress->done;
	}
	tell_soon(progress);
}

void spk_progress_label(struct spk_progress *progress, const char *format, ...)
{
	va_list args;

	CHECK_HANDLE(progress, PROGRESS_MAGIC);
	CHECK_GIVEN(format);
	va_start(args, format);
	vsnprintf(progress->label, sizeof(progress->label), format, args);
	va_end(args);
	mem_wipe_stack();
	tell_soon(progress);
}

void spk_progress_close(struct spk_progress *progress)
{
	if (!progress)
		return;
	CHECK_HANDLE(progress, PROGRESS_MAGIC);
	if (progress->kind == 0)
		return;
	progress->kind = 0;
	tell(progress);
}

static void close_progress(struct spk *spk, void *arg)
{
	spk_progress_close(arg);
}

struct spk_scope *spk_progress_scope(struct spk *spk, struct spk_progress *progress)
{
	CHECK_SPK(spk);
	CHECK_HANDLE(progress, PROGRESS_MAGIC);
	return spk_scope_open(spk, "a progress is shown", close_progress, progress);
}
