/* SPDX-License-Identifier: Apache-2.0 */
/* A command line of bash: up to a zero byte what is typed, behind it a word that is put there. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../core/host/complete/shellline.h"
#include "../../core/runtime/mem.h"
#include "../../core/runtime/printable.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = xstrndup((const char *)data, size);
	size_t length = strlen(text);
	char *more = length < size ? xstrndup((const char *)data + length + 1, size - length - 1)
				   : xstrdup("");
	struct shell_line line, again;
	struct buf out = {0};
	char *word;

	shell_line_read(text, " \t\n\"'@><=;|&(:", &line);
	word = xasprintf("%s%s", line.words[line.count - 1], more);
	/* What is put into an empty line is that word again, and nothing but it. */
	if (printable_is(word, strlen(word)) && *word) {
		shell_line_free(&line);
		shell_line_read("", "", &line);
		if (!shell_line_put(&line, word, &out))
			abort();
		shell_line_read(buf_text(&out), "", &again);
		if (again.count != 1 || again.opaque || again.quote || again.file ||
		    strcmp(again.words[0], word) != 0)
			abort();
		shell_line_free(&again);
	}
	shell_line_free(&line);
	buf_free(&out);
	free(word);
	free(text);
	free(more);
	return 0;
}
