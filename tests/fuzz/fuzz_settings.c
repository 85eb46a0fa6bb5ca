/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Configuration text of anybody: it never opens a file (an `@include` that slipped through), and
 * what is accepted reads back from `config show` as the same.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../core/host/command/config_command.h"
#include "../../core/host/setting/settings.h"
#include "../../core/runtime/configtext.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);

/* libconfig 1.5 loses the last string of a text that it refuses; our caller then exits. */
const char *__lsan_default_suppressions(void)
{
	return "leak:libconfig.so\n";
}

static const struct setting_key keys[] = {
	{.path = "port", .type = SETTING_INT, .min = INT64_MIN, .max = INT64_MAX},
	{.path = "flag", .type = SETTING_BOOL},
	{.path = "name", .type = SETTING_STRING},
	{.path = "dir", .type = SETTING_PATH},
	{.path = "dirs", .type = SETTING_PATHS},
	{.path = "words", .type = SETTING_STRINGS},
	{.path = "group.name", .type = SETTING_STRING},
	{.path = "sites", .type = SETTING_LISTS},
};

static int parsing;

/* Stands before libc's: libconfig opens included files with it. */
FILE *fopen(const char *restrict path, const char *restrict mode)
{
	int fd;

	if (parsing)
		abort();
	fd = open(path,
		  strchr(mode, 'w') ? O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC
				    : O_RDONLY | O_CLOEXEC,
		  0600);
	return fd < 0 ? NULL : fdopen(fd, mode);
}

/* A file in memory, with a path that smallfile_read() opens. */
static int memory_file(const void *text, size_t length, char path[static 64])
{
	int fd = memfd_create("fuzz", MFD_CLOEXEC);

	if (fd < 0 || fchmod(fd, 0600) < 0 || write(fd, text, length) != (ssize_t)length)
		abort();
	snprintf(path, 64, "/proc/self/fd/%d", fd);
	return fd;
}

static struct settings *read_text(const void *text, size_t length, struct err *err)
{
	static char home[] = "HOME=/home/fuzz";
	static char *const environment[] = {home, NULL};
	struct settings *settings = NULL;
	char path[64];
	int fd = memory_file(text, length, path);
	struct settings_source source = {
		.file = path,
		.sysconf_dir = "/nonexistent",
		.cookbooks_dir = "/nonexistent",
		.environment = environment,
		.keys = keys,
		.key_count = sizeof(keys) / sizeof(keys[0]),
	};

	parsing = 1;
	if (settings_read(&source, &settings, err) < 0)
		settings = NULL;
	parsing = 0;
	close(fd);
	return settings;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf first = {0}, second = {0};
	struct settings *settings;
	struct err err = {0};

	settings = read_text(data, size, &err);
	if (!settings) {
		if (err.text[0] == '\0' || strchr(err.text, '\n'))
			abort();
		return 0;
	}
	config_render(settings, false, &first);
	settings_free(settings);
	settings = read_text(buf_text(&first), first.length, &err);
	if (!settings) {
		fprintf(stderr, "%s\n%s", err.text, first.text);
		abort();
	}
	config_render(settings, true, &second);
	buf_clear(&second);
	config_render(settings, false, &second);
	settings_free(settings);
	if (strcmp(first.text, second.text) != 0)
		abort();
	buf_free(&first);
	buf_free(&second);
	return 0;
}
