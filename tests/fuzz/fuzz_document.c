/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A schema in YAML as the driver of documents tells it: events are well nested, texts have no NUL,
 * numbers are JSON, and there are no more events than were allowed.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <spicerack/plugin.h>

#define MOST 2000
#define DEPTH_MAX 64

#define EXPECT(true_)                                                                              \
	do {                                                                                       \
		if (!(true_))                                                                      \
			abort();                                                                   \
	} while (0)

extern const struct spk_document_driver spk_driver;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was told: at each depth whether that is a map, and whether a key waits for its value. */
struct told {
	size_t events, depth;
	bool map[DEPTH_MAX + 2], key[DEPTH_MAX + 2];
};

static void expect_number(const char *text, size_t length)
{
	size_t digits;

	text += *text == '-';
	digits = strspn(text, "0123456789");
	EXPECT(length > 0 && digits > 0 && (digits == 1 || *text != '0'));
	EXPECT(!text[digits] || text[digits] == '.');
	EXPECT(text[digits] != '.' || strspn(text + digits + 1, "0123456789") > 0);
}

static bool take(void *data, const struct spk_document_event *event)
{
	struct told *told = data;

	EXPECT(++told->events <= MOST && event->line > 0);
	if (event->kind == SPK_DOCUMENT_END) {
		EXPECT(told->depth > 0 && !told->key[told->depth]);
		told->depth--;
		return true;
	}
	if (event->kind == SPK_DOCUMENT_KEY) {
		EXPECT(told->map[told->depth] && !told->key[told->depth]);
		told->key[told->depth] = true;
	} else {
		EXPECT(!told->map[told->depth] || told->key[told->depth]);
		told->key[told->depth] = false;
	}
	if (event->kind == SPK_DOCUMENT_KEY || event->kind == SPK_DOCUMENT_TEXT)
		EXPECT(strlen(event->text) == event->length);
	if (event->kind == SPK_DOCUMENT_NUMBER)
		expect_number(event->text, event->length);
	if (event->kind == SPK_DOCUMENT_LIST || event->kind == SPK_DOCUMENT_MAP) {
		EXPECT(told->depth < DEPTH_MAX + 1);
		told->depth++;
		told->map[told->depth] = event->kind == SPK_DOCUMENT_MAP;
		told->key[told->depth] = false;
	}
	return true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct spk_reason_buffer reason = {{0}};
	struct told told = {0};
	int rc = spk_driver.read((const char *)data, size, MOST, take, &told, &reason);

	EXPECT(rc == 0 || rc == -1);
	EXPECT(rc < 0 || told.depth == 0);
	if (rc < 0)
		EXPECT(strtoul(reason.text, NULL, 10) || reason.text[0] == '0');
	for (const char *c = reason.text; *c; c++)
		EXPECT(*c >= ' ' && *c <= '~');
	return 0;
}
