/* SPDX-License-Identifier: Apache-2.0 */
#include "findingplace.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../runtime/driver.h"
#include "../../runtime/printable.h"
#include "../tree/pool.h"

static bool is_call(const struct finding *finding)
{
	return finding->kind >= FINDING_DIRECT_COMMAND && finding->kind <= FINDING_DIRECT_THREAD;
}

static bool has_place(const struct finding *finding)
{
	return finding->address || (is_call(finding) && *finding->symbol);
}

static const char *keep(struct findings *findings, const char *text)
{
	struct buf clean = {0};
	const char *copy;

	printable_add(&clean, text, strlen(text));
	copy = pool_text(findings->pool, buf_text(&clean), clean.length);
	buf_free(&clean);
	return copy;
}

static void find_place(struct findings *findings, struct finding *finding,
		       const struct spk_source_driver *driver, void *opened)
{
	struct spk_source_line line;
	int found;

	found = is_call(finding) ? driver->called(opened, finding->symbol, &line)
				 : driver->declared(opened, finding->address, &line);
	if (!found)
		return;
	finding->source = keep(findings, line.file);
	finding->line = line.line > 0 ? (unsigned)line.line : 0;
	if (!*finding->symbol)
		finding->symbol = keep(findings, line.name);
}

/* The findings from `first` on that are about one file. */
static void find_in_file(struct findings *findings, size_t first,
			 const struct spk_source_driver *driver)
{
	const char *file = findings->items[first].file;
	struct spk_reason_buffer reason;
	struct stat st;
	void *opened;
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
		opened = driver->open(fd, &reason);
		for (size_t i = first; opened && i < findings->count; i++)
			if (has_place(&findings->items[i]) &&
			    strcmp(findings->items[i].file, file) == 0)
				find_place(findings, &findings->items[i], driver, opened);
		if (opened)
			driver->close(opened);
	}
	close(fd);
}

void findings_find_places(struct findings *findings)
{
	const struct spk_source_driver *driver = NULL;
	const char *before = "";

	for (size_t i = 0; i < findings->count; i++) {
		const struct finding *finding = &findings->items[i];

		if (!has_place(finding) || strcmp(finding->file, before) == 0)
			continue;
		if (!driver)
			driver = (const void *)driver_open("source", "dw", sizeof(*driver), NULL);
		if (!driver)
			return;
		before = finding->file;
		find_in_file(findings, i, driver);
	}
}
