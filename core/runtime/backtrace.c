/* SPDX-License-Identifier: Apache-2.0 */
#include "backtrace.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "driver.h"
#include "mem.h"

#define DRIVER "dwfl"
#define LIBRARY "libspicerack.so"

/* Objects of the host and below it, by the start of their names. */
static const char *const host_objects[] = {LIBRARY, "libc.so", "ld-linux", "ld64.so", "linux-vdso"};
static const char *const host_programs[] = {"runner", "cookbook", "spicerack"};

static bool starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static bool is_host(const struct spk_frame *frame)
{
	for (size_t i = 0; i < sizeof(host_objects) / sizeof(host_objects[0]); i++) {
		if (starts_with(frame->object, host_objects[i]))
			return true;
	}
	for (size_t i = 0; i < sizeof(host_programs) / sizeof(host_programs[0]); i++) {
		if (strcmp(frame->object, host_programs[i]) == 0)
			return true;
	}
	return false;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void write_frame(size_t number, const struct spk_frame *frame, uintptr_t address,
			struct buf *out)
{
	buf_printf(out, "    #%zu ", number);
	if (frame->function[0])
		buf_puts(out, frame->function);
	else
		buf_printf(out, "0x%llx", (unsigned long long)address);
	if (frame->file[0] && frame->line > 0)
		buf_printf(out, " (%s:%d)", base_name(frame->file), frame->line);
	if (frame->object[0])
		buf_printf(out, " in %s", frame->object);
	buf_putc(out, '\n');
}

/* How many frames, this one included, are calls at one place: a recursion. */
static size_t count_repeats(const struct spk_frame *frames, size_t count)
{
	size_t same = 1;

	/* The innermost call of a recursion is at another line than those that led to it. */
	while (same < count && frames[0].function[0] &&
	       strcmp(frames[same].function, frames[0].function) == 0 &&
	       strcmp(frames[same].object, frames[0].object) == 0 &&
	       frames[same].line == frames[0].line)
		same++;
	return same;
}

void backtrace_write(const struct spk_frame *frames, const uintptr_t *addresses,
		     const bool *is_return, size_t count, struct buf *out)
{
	size_t first = 0, end = count, repeats;

	/* In a test the runner is a copy of it, and was called by that. */
	for (size_t i = 0; i < end; i++)
		if (strcmp(frames[i].function, "spk_private_runner_main") == 0)
			end = i;
	while (end > 0 && is_host(&frames[end - 1]))
		end--;
	if (end == 0 && !is_return[0])
		end = count;
	else if (is_return[0])
		while (first < end && starts_with(frames[first].object, LIBRARY) &&
		       !starts_with(frames[first].function, "spk_"))
			first++;
	for (size_t i = first; i < end; i += repeats) {
		repeats = count_repeats(&frames[i], end - i);
		write_frame(i - first, &frames[i], addresses[i], out);
		if (repeats > 3)
			buf_printf(out, "    ... and %zu more of the same\n", repeats - 1);
		else
			repeats = 1;
	}
}

/* What the dynamic linker knows. */
static void ask_linker(uintptr_t address, struct spk_frame *frame)
{
	Dl_info info;

	*frame = (struct spk_frame){0};
	if (!dladdr((void *)address, &info))
		return;
	if (info.dli_sname)
		snprintf(frame->function, sizeof(frame->function), "%s", info.dli_sname);
	if (info.dli_fname)
		snprintf(frame->object, sizeof(frame->object), "%s", base_name(info.dli_fname));
}

void backtrace_describe(const uintptr_t *addresses, const bool *is_return, size_t count,
			struct buf *out)
{
	const struct spk_backtrace_driver *driver;
	struct spk_reason_buffer reason = {{0}};
	struct spk_frame *frames;

	if (!count)
		return;
	frames = xcalloc(count, sizeof(*frames));
	driver = (const struct spk_backtrace_driver *)driver_open("backtrace", DRIVER,
								  sizeof(*driver), NULL);
	if (!driver || driver->resolve(addresses, is_return, count, frames, &reason) < 0) {
		for (size_t i = 0; i < count; i++)
			ask_linker(addresses[i] - is_return[i], &frames[i]);
	}
	backtrace_write(frames, addresses, is_return, count, out);
	free(frames);
}
