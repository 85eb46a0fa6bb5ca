/* SPDX-License-Identifier: Apache-2.0 */
#include "linefeed.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#define CHUNK 65536

/* Tells the lines that are complete and keeps the rest. */
static void tell(struct line_feed *feed, line_take *take, void *data)
{
	char *begin = feed->pending.text;
	char *end = begin ? begin + feed->pending.length : begin;
	char *newline;

	while (begin < end && (newline = memchr(begin, '\n', (size_t)(end - begin)))) {
		*newline = '\0';
		take(data, begin, (size_t)(newline - begin), ++feed->number);
		begin = newline + 1;
	}
	if (begin == feed->pending.text)
		return;
	memmove(feed->pending.text, begin, (size_t)(end - begin) + 1);
	feed->pending.length = (size_t)(end - begin);
}

int line_feed_read(struct line_feed *feed, int fd, line_take *take, void *data, struct err *err)
{
	char chunk[CHUNK];
	ssize_t got;

	for (;;) {
		got = pread(fd, chunk, sizeof(chunk), feed->offset);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return err_errno(err, "cannot read");
		if (got == 0)
			return 0;
		feed->offset += got;
		buf_add(&feed->pending, chunk, (size_t)got);
		if (memchr(chunk, '\n', (size_t)got))
			tell(feed, take, data);
	}
}

void line_feed_end(struct line_feed *feed, line_take *take, void *data)
{
	if (feed->pending.length > 0)
		take(data, feed->pending.text, feed->pending.length, ++feed->number);
	buf_free(&feed->pending);
}
