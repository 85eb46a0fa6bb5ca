/* SPDX-License-Identifier: Apache-2.0 */
#include "pattern.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <spicerack/plugin.h>

#include "driver.h"
#include "mem.h"

#define DRIVER "pcre2"

struct pattern {
	struct pattern *next; /* in its bucket */
	const struct spk_regex_driver *driver;
	void *compiled;
	char text[];
};

static struct pattern *buckets[256];

static struct pattern **bucket_of(const char *text)
{
	uint32_t hash = 2166136261U;

	for (const char *c = text; *c; c++)
		hash = (hash ^ (unsigned char)*c) * 16777619U;
	return &buckets[(hash ^ hash >> 16) % (sizeof(buckets) / sizeof(buckets[0]))];
}

struct pattern *pattern_compile(const char *text, struct err *err)
{
	struct pattern **bucket = bucket_of(text), *pattern;
	const struct spk_regex_driver *driver;
	struct spk_reason_buffer reason = {{0}};
	void *compiled;

	for (pattern = *bucket; pattern; pattern = pattern->next) {
		if (strcmp(pattern->text, text) == 0)
			return pattern;
	}
	driver = (const struct spk_regex_driver *)driver_open("regex", DRIVER, sizeof(*driver),
							      err);
	if (!driver)
		return NULL;
	compiled = driver->compile(text, strlen(text), &reason);
	if (!compiled) {
		err_set(err, "cannot read the pattern '%s': %s", text, reason.text);
		return NULL;
	}
	pattern = xcalloc(1, sizeof(*pattern) + strlen(text) + 1);
	memcpy(pattern->text, text, strlen(text));
	pattern->driver = driver;
	pattern->compiled = compiled;
	pattern->next = *bucket;
	*bucket = pattern;
	return pattern;
}

static int match(struct pattern *pattern, const char *text, size_t length, size_t start, bool whole,
		 size_t *offsets, size_t pairs, struct err *err)
{
	struct spk_reason_buffer reason = {{0}};
	int rc = pattern->driver->match(pattern->compiled, text, length, start, whole, offsets,
					pairs, &reason);

	if (rc < 0)
		return err_set(err, "cannot match the pattern '%s': %s", pattern->text,
			       reason.text);
	return rc;
}

int pattern_search(struct pattern *pattern, const char *text, size_t length, size_t start,
		   struct pattern_span *spans, size_t room, struct err *err)
{
	_Static_assert(sizeof(*spans) == 2 * sizeof(size_t), "a span is a pair of offsets");

	for (size_t i = 0; i < room; i++)
		spans[i] = (struct pattern_span){SIZE_MAX, SIZE_MAX};
	return match(pattern, text, length, start, false, room ? &spans->start : NULL, room, err);
}

int pattern_group(struct pattern *pattern, const char *name)
{
	return pattern->driver->group(pattern->compiled, name);
}

int pattern_substitute(struct pattern *pattern, const char *text, const char *replacement,
		       char *out, size_t *length, struct err *err)
{
	struct spk_reason_buffer reason = {{0}};
	int rc = pattern->driver->substitute(pattern->compiled, text, strlen(text), replacement,
					     out, length, &reason);

	if (rc < 0)
		return err_set(err, "cannot replace the pattern '%s' by '%s': %s", pattern->text,
			       replacement, reason.text);
	return rc;
}

int pattern_matches(const char *text_of_pattern, const char *text, struct err *err)
{
	struct pattern *pattern = pattern_compile(text_of_pattern, err);
	int rc;

	if (!pattern)
		return -1;
	rc = match(pattern, text, strlen(text), 0, true, NULL, 0, err);
	return rc < 0 ? -1 : rc > 0;
}
