/* SPDX-License-Identifier: Apache-2.0 */
#include "copy.h"

#include <spicerack/error.h>

/* A text on its way into memory of the run, which may have an end. */
struct copying {
	const struct buf *buf;
	const char *copy;
};

static void copy_whole(struct spk *spk, void *argument)
{
	struct copying *copying = argument;

	copying->copy = copy_bytes(spk, buf_text(copying->buf), copying->buf->length);
}

const char *copy_buf(struct spk *spk, struct buf *buf)
{
	struct copying copying = {.buf = buf};
	const struct spk_error *error = NULL;
	bool done = spk_try(spk, copy_whole, &copying, &error);

	buf_free(buf);
	if (!done)
		spk_raise_again(spk, error);
	return copying.copy;
}
