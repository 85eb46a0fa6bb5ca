/* SPDX-License-Identifier: Apache-2.0 */
#include "runview.h"

#include <inttypes.h>
#include <string.h>

#include <spicerack/clock.h>

#include "../../runtime/argvalue.h"
#include "../../runtime/jsontext.h"
#include "../../runtime/printable.h"
#include "../../runtime/textwidth.h"

#define COLUMNS 7
#define GAP "  "

const char *run_view_result(const struct run_summary *summary)
{
	switch (summary->state) {
	case RUN_GOES_ON:
		return "running";
	case RUN_CUT_OFF:
		return "cut off";
	case RUN_ENDED:
	default:
		return summary->result ? summary->result : "?";
	}
}

static const char *rollback_of(const struct run_summary *summary)
{
	if (summary->settled_by)
		return "settled";
	if (!summary->rollback || strcmp(summary->rollback, "none") == 0)
		return "-";
	return summary->rollback;
}

static void put_foreign(const char *text, struct buf *out)
{
	printable_add(out, text ? text : "?", strlen(text ? text : "?"));
}

/* `1h2m3s`, `12s`, `0.24s`: as exact as one wants to know it. */
static void put_span(double seconds, struct buf *out)
{
	char text[DURATION_TEXT_SIZE];
	spk_duration span;

	if (!(seconds >= 0 && seconds < 1e9)) {
		buf_puts(out, "?");
		return;
	}
	span.ns = (int64_t)(seconds * 1e9);
	span.ns -= span.ns % (seconds < 10 ? 10000000 : 1000000000);
	duration_text(span, text);
	buf_puts(out, text);
}

/* How long it took, or has been going on. */
static void put_time(const struct run_summary *summary, struct buf *out)
{
	spk_time begin;

	if (summary->has_end)
		put_span(summary->total, out);
	else if (summary->state == RUN_GOES_ON && summary->begin_time &&
		 time_read(summary->begin_time, &begin, NULL) == 0)
		put_span((double)(spk_now().ns - begin.ns) / 1e9, out);
	else
		buf_putc(out, '-');
}

/* ---- the list ---- */

static const char *const headings[COLUMNS] = {
	"RUN", "COOKBOOK", "USER", "RESULT", "CODE", "TIME", "ROLLBACK",
};

/* The words of a line, each with its NUL behind the other. */
static void put_cells(const struct run_summary *summary, struct buf *cells)
{
	buf_puts(cells, summary->id);
	buf_putc(cells, '\0');
	put_foreign(summary->cookbook, cells);
	buf_puts(cells, summary->dry_run ? " (dry run)" : "");
	buf_puts(cells, summary->outer ? " (inner)" : "");
	buf_putc(cells, '\0');
	put_foreign(summary->user, cells);
	buf_putc(cells, '\0');
	put_foreign(run_view_result(summary), cells);
	buf_putc(cells, '\0');
	if (summary->has_end)
		buf_printf(cells, "%" PRId64, summary->exit_code);
	else
		buf_putc(cells, '-');
	buf_putc(cells, '\0');
	put_time(summary, cells);
	buf_putc(cells, '\0');
	put_foreign(rollback_of(summary), cells);
	buf_putc(cells, '\0');
}

static void measure(const struct buf *cells, size_t widths[COLUMNS])
{
	const char *cell = cells->text;

	for (size_t i = 0; i < COLUMNS; i++, cell += strlen(cell) + 1) {
		size_t width = textwidth_of(cell, strlen(cell));

		if (width > widths[i])
			widths[i] = width;
	}
}

static void put_line(const struct buf *cells, const size_t widths[COLUMNS], struct buf *out)
{
	const char *cell = cells->text;

	for (size_t i = 0; i < COLUMNS; i++, cell += strlen(cell) + 1) {
		buf_puts(out, cell);
		if (i + 1 == COLUMNS)
			break;
		buf_fill(out, ' ', widths[i] - textwidth_of(cell, strlen(cell)));
		buf_puts(out, GAP);
	}
	buf_putc(out, '\n');
}

void run_view_list(const struct run_summary *summaries, size_t count, struct buf *out)
{
	struct buf heading = {0}, cells = {0};
	size_t widths[COLUMNS] = {0};

	if (count == 0)
		return;
	for (size_t i = 0; i < COLUMNS; i++)
		buf_add(&heading, headings[i], strlen(headings[i]) + 1);
	measure(&heading, widths);
	for (size_t i = 0; i < count; i++) {
		buf_clear(&cells);
		put_cells(&summaries[i], &cells);
		measure(&cells, widths);
	}
	put_line(&heading, widths, out);
	for (size_t i = 0; i < count; i++) {
		buf_clear(&cells);
		put_cells(&summaries[i], &cells);
		put_line(&cells, widths, out);
	}
	buf_free(&heading);
	buf_free(&cells);
}

/* ---- one run ---- */

static void put_title(const char *title, struct buf *out)
{
	buf_printf(out, "%-12s ", title);
}

static void put_row(const char *title, const char *text, struct buf *out)
{
	if (!text)
		return;
	put_title(title, out);
	put_foreign(text, out);
	buf_putc(out, '\n');
}

static void put_texts(const char *title, const struct buf *texts, struct buf *out)
{
	for (size_t at = 0; at < texts->length; at += strlen(texts->text + at) + 1)
		put_row(at ? "" : title, texts->text + at, out);
}

static void put_user(const struct run_summary *summary, struct buf *out)
{
	put_title("user", out);
	put_foreign(summary->user, out);
	buf_printf(out, " (uid %" PRId64, summary->uid);
	if (summary->login_uid >= 0)
		buf_printf(out, ", login uid %" PRId64, summary->login_uid);
	if (summary->sudo_user) {
		buf_puts(out, ", by sudo from ");
		put_foreign(summary->sudo_user, out);
	}
	buf_puts(out, ") on ");
	put_foreign(summary->host, out);
	buf_printf(out, ", pid %" PRId64 "\n", summary->pid);
}

static void put_result(const struct run_summary *summary, struct buf *out)
{
	put_title("result", out);
	put_foreign(run_view_result(summary), out);
	if (summary->has_end)
		buf_printf(out, ", exit code %" PRId64, summary->exit_code);
	if (summary->state == RUN_CUT_OFF) {
		buf_puts(out, ": its supervisor died");
		if (summary->stage) {
			buf_puts(out, " in stage ");
			put_foreign(summary->stage, out);
		}
	}
	if (!summary->started)
		buf_puts(out, summary->state == RUN_GOES_ON ? ", has not started yet"
							    : ", before its start");
	buf_putc(out, '\n');
	if (!summary->has_end)
		return;
	put_title("took", out);
	put_span(summary->total, out);
	buf_puts(out, ", its run stage ");
	put_span(summary->duration, out);
	buf_puts(out, ", waiting for the lock ");
	put_span(summary->lock_wait, out);
	buf_putc(out, '\n');
}

static void put_settled(const struct run_summary *summary, struct buf *out)
{
	if (!summary->settled_by)
		return;
	put_title("settled", out);
	buf_puts(out, "by ");
	put_foreign(summary->settled_by, out);
	buf_puts(out, ", ");
	put_foreign(summary->settled_time, out);
	buf_puts(out, ": ");
	put_foreign(summary->settled_reason, out);
	buf_putc(out, '\n');
}

void run_view_text(const struct run_summary *summary, struct buf *out)
{
	put_row("run", summary->id, out);
	put_row("cookbook", summary->cookbook, out);
	put_row("description", summary->description, out);
	put_texts("arguments", &summary->arguments, out);
	put_row("dry run", summary->dry_run ? "yes, nothing was changed" : NULL, out);
	put_user(summary, out);
	put_row("began", summary->begin_time, out);
	put_row("ended", summary->end_time, out);
	put_result(summary, out);
	put_row("rollback", summary->rollback, out);
	put_settled(summary, out);
	put_row("within", summary->outer, out);
	put_texts("inner runs", &summary->inner, out);
	put_row("file", summary->file, out);
	put_row("build-id", summary->build_id, out);
	put_row("spicerack", summary->version, out);
	put_row("log", summary->log, out);
	if (summary->broken)
		buf_printf(out, "%-12s %zu, the first is line %zu\n", "broken lines",
			   summary->broken, summary->broken_line);
}

/* ---- JSON ---- */

static void json_member_text(const char *name, const char *text, struct buf *out)
{
	buf_puts(out, ", ");
	json_put_member(out, name, text);
}

static void json_texts(const char *name, const struct buf *texts, struct buf *out)
{
	buf_printf(out, ", \"%s\": [", name);
	for (size_t at = 0; at < texts->length; at += strlen(texts->text + at) + 1) {
		buf_puts(out, at ? ", " : "");
		json_put_text(out, texts->text + at);
	}
	buf_putc(out, ']');
}

static const char *flag(bool value)
{
	return value ? "true" : "false";
}

/* A number that is not known yet is null; what is no number of JSON is, too. */
static void json_seconds(const char *name, bool known, double seconds, struct buf *out)
{
	if (known && seconds > -1e15 && seconds < 1e15)
		buf_printf(out, ", \"%s\": %.6f", name, seconds);
	else
		buf_printf(out, ", \"%s\": null", name);
}

void run_view_json(const struct run_summary *summary, bool whole, struct buf *out)
{
	static const char *const states[] = {
		[RUN_GOES_ON] = "running", [RUN_ENDED] = "ended", [RUN_CUT_OFF] = "cut-off"};

	buf_putc(out, '{');
	json_put_member(out, "run", summary->id);
	json_member_text("state", states[summary->state], out);
	json_member_text("cookbook", summary->cookbook, out);
	json_member_text("user", summary->user, out);
	json_member_text("host", summary->host, out);
	buf_printf(out, ", \"pid\": %" PRId64 ", \"dry_run\": %s", summary->pid,
		   flag(summary->dry_run));
	json_member_text("outer", summary->outer, out);
	json_member_text("begin", summary->begin_time, out);
	json_member_text("end", summary->end_time, out);
	buf_printf(out, ", \"started\": %s", flag(summary->started));
	json_member_text("result", summary->result, out);
	if (summary->has_end)
		buf_printf(out, ", \"exit_code\": %" PRId64, summary->exit_code);
	else
		buf_puts(out, ", \"exit_code\": null");
	json_seconds("duration", summary->has_end, summary->duration, out);
	json_seconds("total", summary->has_end, summary->total, out);
	json_seconds("lock_wait", summary->has_end, summary->lock_wait, out);
	json_member_text("stage", summary->stage, out);
	json_member_text("rollback", summary->rollback, out);
	buf_printf(out, ", \"owed\": %s", flag(summary->owed));
	json_member_text("settled", summary->settled_time, out);
	json_member_text("settled_by", summary->settled_by, out);
	json_member_text("settled_reason", summary->settled_reason, out);
	if (whole) {
		json_member_text("description", summary->description, out);
		json_texts("arguments", &summary->arguments, out);
		json_texts("inner", &summary->inner, out);
		buf_printf(out, ", \"uid\": %" PRId64 ", \"login_uid\": %" PRId64, summary->uid,
			   summary->login_uid);
		json_member_text("sudo_user", summary->sudo_user, out);
		json_member_text("file", summary->file, out);
		json_member_text("build_id", summary->build_id, out);
		json_member_text("spicerack", summary->version, out);
		json_member_text("log", summary->log, out);
		buf_printf(out, ", \"broken_lines\": %zu", summary->broken);
	}
	buf_putc(out, '}');
}
