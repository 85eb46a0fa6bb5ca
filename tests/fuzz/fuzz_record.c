/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Records of anybody: nobody forges a second one, moves the cursor, or makes what is no UTF-8.
 * The first byte chooses level, dry-run and verbosity; then module, function and message, each up
 * to a NUL, the last to the end.
 */
#include <sys/mman.h>
#include <unistd.h>

#include "../../core/host/log/record.h"
#include "../../core/host/log/terminal.h"
#include "shown.h"

#define HEAD "jdoe 4860 "

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *take(const char **at)
{
	const char *text = *at;

	*at += strlen(text) + 1;
	return text;
}

/* What the terminal got is what was rendered, a newline and perhaps colours. */
static void show(const struct log_record *record, bool dry_run, bool verbose)
{
	struct terminal terminal;
	struct buf expected = {0};
	char *shown;
	off_t length;
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	EXPECT(fd >= 0);
	terminal_init(&terminal, fd, dry_run, verbose);
	terminal_write(&terminal, record);
	terminal_close(&terminal);
	if (record->level >= (verbose || dry_run ? SPK_DEBUG : SPK_INFO)) {
		record_render_terminal(record, dry_run, &expected);
		buf_putc(&expected, '\n');
		expect_shown(expected.text, expected.length);
	}
	length = lseek(fd, 0, SEEK_END);
	EXPECT((size_t)length == expected.length);
	shown = calloc(1, (size_t)length + 1);
	EXPECT(shown && pread(fd, shown, (size_t)length, 0) == length);
	EXPECT(memcmp(shown, buf_text(&expected), (size_t)length) == 0);
	free(shown);
	buf_free(&expected);
	close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct record_style style = {.user = "jdoe", .pid = 4860};
	struct log_record record = {.time = {.tv_sec = 1795361953}};
	struct buf plain = {0}, extended = {0};
	const char *at, *end;
	char *text;

	if (size < 1)
		return 0;
	text = calloc(1, size + 3);
	EXPECT(text);
	memcpy(text, data + 1, size - 1);
	at = text;
	end = text + size + 1;
	record.level = (enum spk_level)(data[0] & 0x3f);
	record.line = data[0];
	record.module = take(&at);
	record.function = at < end ? take(&at) : NULL;
	record.message = at < end ? at : NULL;
	style.dry_run = data[0] & 0x40;
	record_render_files(&record, &style, &plain, &extended);
	expect_record(plain.text, plain.length, style.dry_run ? "DRY-RUN " HEAD : HEAD);
	expect_record(extended.text, extended.length, style.dry_run ? "DRY-RUN " HEAD : HEAD);
	show(&record, style.dry_run, data[0] & 0x80);
	buf_free(&plain);
	buf_free(&extended);
	free(text);
	return 0;
}
