/* SPDX-License-Identifier: Apache-2.0 */
#include "completion.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "../../runtime/mem.h"
#include "../../runtime/printable.h"
#include "../tree/pool.h"

/* What a shell shows beside a candidate in bytes; longer ones are cut. */
#define ABOUT_MAX 120

/* The first words of a text in one printable line. */
static const char *short_line(struct pool *pool, const char *text)
{
	struct buf line = {0}, shown = {0};
	const char *kept;
	size_t length;

	for (; *text; text++)
		if (*text != ' ' && *text != '\t' && *text != '\n')
			buf_putc(&line, *text);
		else if (line.length && line.text[line.length - 1] != ' ')
			buf_putc(&line, ' ');
	printable_add(&shown, buf_text(&line), line.length);
	length = shown.length < ABOUT_MAX ? shown.length : ABOUT_MAX;
	while (length < shown.length && length &&
	       ((unsigned char)shown.text[length] & 0xc0) == 0x80)
		length--;
	kept = pool_text(pool, buf_text(&shown), length);
	buf_free(&line);
	buf_free(&shown);
	return kept;
}

static void add(struct completion *completion, const char *text, const char *about, bool open)
{
	if (strncmp(text, completion->word, strlen(completion->word)) != 0 || !*text ||
	    !printable_is(text, strlen(text)))
		return;
	if (!completion->pool)
		completion->pool = pool_new(0);
	completion->items = xgrow(completion->items, completion->count, &completion->capacity,
				  sizeof(*completion->items));
	completion->items[completion->count++] = (struct candidate){
		.text = pool_text(completion->pool, text, strlen(text)),
		.about = short_line(completion->pool, about ? about : ""),
		.open = open,
	};
}

void completion_offer(void *data, const char *text, const char *about)
{
	add(data, text, about, false);
}

void completion_offer_value(struct completion *completion, const char *value, const char *about,
			    bool open)
{
	struct buf text = {0};

	buf_add(&text, completion->word, completion->prefix);
	buf_puts(&text, value);
	add(completion, buf_text(&text), about, open);
	buf_free(&text);
}

const char *completion_value(const struct completion *completion)
{
	return completion->word + completion->prefix;
}

/* The shell has not expanded it yet. */
static char *with_home(const char *path)
{
	const char *home = getenv("HOME");

	return home && strncmp(path, "~/", 2) == 0 ? xasprintf("%s%s", home, path + 1)
						   : xstrdup(path);
}

const struct settings *completion_settings(struct completion *completion)
{
	struct err err;
	char *file;

	if (completion->settings)
		return completion->settings;
	file = completion->config_file ? with_home(completion->config_file) : NULL;
	if (settings_load(file, &completion->settings, &err) < 0)
		completion->settings = NULL;
	free(file);
	return completion->settings;
}

void completion_free(struct completion *completion)
{
	settings_free(completion->settings);
	pool_free(completion->pool);
	free(completion->items);
	*completion = (struct completion){0};
}

static void give_up(int signal)
{
	_exit(0);
}

void completion_bound(long milliseconds)
{
	const struct sigaction action = {.sa_handler = give_up};
	const struct itimerval timer = {
		.it_value = {milliseconds / 1000, milliseconds % 1000 * 1000}};

	sigaction(SIGALRM, &action, NULL);
	setitimer(ITIMER_REAL, &timer, NULL);
}
