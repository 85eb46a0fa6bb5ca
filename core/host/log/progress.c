/* SPDX-License-Identifier: Apache-2.0 */
#include "progress.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include <spicerack/clock.h>
#include <spicerack/output.h>

#include "../../runtime/printable.h"
#include "../../runtime/textwidth.h"
#include "redactor.h"

#define REDRAW_NS 100000000LL
#define BAR_WIDEST 40
/* A narrower bar tells nothing that the figures do not. */
#define BAR_NARROWEST 10

static struct progress_item *find(struct progress *progress, uint64_t id)
{
	for (size_t i = 0; i < progress->count; i++)
		if (progress->items[i].id == id)
			return &progress->items[i];
	return NULL;
}

static void forget(struct progress *progress, struct progress_item *item)
{
	size_t index = (size_t)(item - progress->items);

	progress->count--;
	memmove(item, item + 1, (progress->count - index) * sizeof(*item));
}

static void set_label(struct progress_item *item, const char *label)
{
	struct buf redacted = {0}, clean = {0};
	size_t length;

	redactor_apply(redactor_shared(), NULL, label, &redacted);
	printable_add(&clean, buf_text(&redacted), redacted.length);
	length = textwidth_fit(buf_text(&clean), clean.length, sizeof(item->label) - 1);
	if (length >= sizeof(item->label))
		length = sizeof(item->label) - 1;
	while (length > 0 && length < clean.length && (clean.text[length] & 0xc0) == 0x80)
		length--;
	memcpy(item->label, buf_text(&clean), length);
	item->label[length] = '\0';
	buf_free(&redacted);
	buf_free(&clean);
}

void progress_take(struct progress *progress, const struct progress_item *item, const char *label)
{
	struct progress_item *known = find(progress, item->id);
	int64_t began_ns = known ? known->began_ns : spk_uptime().ns;

	if (item->kind == 0) {
		if (known)
			forget(progress, known);
		return;
	}
	if (!known && progress->count == PROGRESS_MAX)
		return;
	if (!known)
		known = &progress->items[progress->count++];
	*known = *item;
	known->began_ns = began_ns;
	set_label(known, label);
}

/* ---- one line ---- */

/* Behind the label, but for the bar. */
static void put_figures(const struct progress_item *item, int64_t now_ns, struct buf *out)
{
	static const char spinner[] = "|/-\\";
	int64_t took = now_ns > item->began_ns ? now_ns - item->began_ns : 0;
	int64_t seconds = took / 1000000000LL;

	if (item->kind == SPK_SPINNER)
		buf_printf(out, " %c", spinner[took / REDRAW_NS % 4]);
	if (item->kind == SPK_BAR && item->total > 0)
		buf_printf(out, " %3d%%",
			   item->done >= item->total
				   ? 100
				   : (int)((double)item->done / (double)item->total * 100));
	if (item->total > 0)
		buf_printf(out, " %" PRIu64 "/%" PRIu64, item->done, item->total);
	else if (item->kind != SPK_SPINNER || item->done > 0)
		buf_printf(out, " %" PRIu64, item->done);
	if (seconds >= 3600)
		buf_printf(out, " %" PRId64 ":%02d:%02d", seconds / 3600, (int)(seconds / 60 % 60),
			   (int)(seconds % 60));
	else
		buf_printf(out, " %d:%02d", (int)(seconds / 60), (int)(seconds % 60));
}

static void put_bar(const struct progress_item *item, size_t width, struct buf *out)
{
	size_t full = width;

	if (item->done < item->total)
		full = (size_t)((double)item->done / (double)item->total * (double)width);
	buf_puts(out, " [");
	buf_fill(out, '#', full);
	buf_fill(out, '.', width - full);
	buf_putc(out, ']');
}

void progress_render(const struct progress_item *item, size_t columns, int64_t now_ns,
		     struct buf *out)
{
	size_t label = strlen(item->label), width, room;
	struct buf figures = {0};

	put_figures(item, now_ns, &figures);
	if (figures.length > columns)
		figures.length = columns;
	room = columns - figures.length;
	/* The figures tell more than the end of a long label. */
	label = textwidth_fit(item->label, label, room);
	width = textwidth_of(item->label, label);
	buf_add(out, item->label, label);
	room -= width;
	if (item->kind == SPK_BAR && item->total > 0 && room >= BAR_NARROWEST + 3)
		put_bar(item, room - 3 < BAR_WIDEST ? room - 3 : BAR_WIDEST, out);
	buf_add(out, buf_text(&figures), figures.length);
	buf_free(&figures);
}

/* ---- drawing ---- */

int64_t progress_draw(struct progress *progress, struct log *log)
{
	struct buf line = {0};
	int64_t now_ns, due_ns;
	size_t columns;

	if (progress->count == 0) {
		progress_clear(progress, log);
		return INT64_MAX;
	}
	now_ns = spk_uptime().ns;
	due_ns = progress->drawn ? progress->drawn_ns + REDRAW_NS : now_ns;
	if (due_ns > now_ns)
		return due_ns - now_ns;
	columns = log_columns(log);
	if (columns < 2)
		return INT64_MAX;
	progress_render(&progress->items[progress->count - 1], columns - 1, now_ns, &line);
	log_set_status(log, buf_text(&line), textwidth_of(buf_text(&line), line.length));
	buf_free(&line);
	progress->drawn = true;
	progress->drawn_ns = now_ns;
	return REDRAW_NS;
}

void progress_clear(struct progress *progress, struct log *log)
{
	if (progress->drawn)
		log_set_status(log, "", 0);
	progress->drawn = false;
	progress->count = 0;
}
