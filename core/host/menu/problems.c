/* SPDX-License-Identifier: Apache-2.0 */
#include "problems.h"

#include <stdlib.h>
#include <string.h>

#include "../../runtime/mem.h"

FILE *problems_collect(struct problems *problems)
{
	problems->file = open_memstream(&problems->text, &problems->size);
	if (!problems->file)
		abort(); /* no memory */
	return problems->file;
}

/* Whether a line, which has its end, is new; from then on it is not. */
static bool is_new(struct problems *problems, const char *line)
{
	char *whole = xasprintf("\n%s", line);
	bool found;

	if (!problems->told.length)
		buf_putc(&problems->told, '\n');
	found = strstr(buf_text(&problems->told), whole) != NULL;
	if (!found)
		buf_puts(&problems->told, line);
	free(whole);
	return !found;
}

bool problems_tell(struct problems *problems, bool again, FILE *out)
{
	const char *next, *end;
	bool any;

	fclose(problems->file);
	any = problems->size > 0;
	for (next = problems->text; (end = strchr(next, '\n')); next = end + 1) {
		char *line = xstrndup(next, (size_t)(end + 1 - next));

		if (is_new(problems, line) || again)
			fputs(line, out);
		free(line);
	}
	free(problems->text);
	problems->text = NULL;
	return any;
}

void problems_free(struct problems *problems)
{
	buf_free(&problems->told);
}
