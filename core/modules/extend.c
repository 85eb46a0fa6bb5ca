/* SPDX-License-Identifier: Apache-2.0 */
/* What the library's own calls are made of, for those of others. */
#include <spicerack/extend.h>

#include <stdarg.h>
#include <stdio.h>

#include <spicerack/error.h>
#include <spicerack/text.h>

#include "../runtime/driver.h"
#include "../runtime/misuse.h"

/* The message of a caller, in memory of the run. */
#define FORMATTED(spk, format, text)                                                               \
	do {                                                                                       \
		va_list args_;                                                                     \
		va_start(args_, format);                                                           \
		(text) = spk_vformat((spk), (format), args_);                                      \
		va_end(args_);                                                                     \
	} while (0)

bool spk_may_write(struct spk *spk, const char *format, ...)
{
	const char *what;

	CHECK_SPK(spk);
	CHECK_GIVEN(format);
	FORMATTED(spk, format, what);
	return session_may_write(spk, "%s", what);
}

void spk_did_read(struct spk *spk, const char *format, ...)
{
	const char *what;

	CHECK_SPK(spk);
	CHECK_GIVEN(format);
	FORMATTED(spk, format, what);
	session_did_read(spk, "%s", what);
}

void spk_cannot_know(struct spk *spk, const char *format, ...)
{
	const char *what;

	CHECK_SPK(spk);
	CHECK_GIVEN(format);
	FORMATTED(spk, format, what);
	session_cannot_know(spk, "%s", what);
}

int spk_cancel_fd(struct spk *spk)
{
	CHECK_SPK(spk);
	return session_cancel_fd(spk);
}

void spk_check_interrupt(struct spk *spk)
{
	CHECK_SPK(spk);
	session_check_interrupt(spk);
}

void spk_misuse(const char *function, const char *format, ...)
{
	struct err what;
	va_list args;

	CHECK_GIVEN(function);
	CHECK_GIVEN(format);
	va_start(args, format);
	vsnprintf(what.text, sizeof(what.text), format, args);
	va_end(args);
	session_misuse(function, "%s", what.text);
}

const struct spk_driver *spk_driver_open(struct spk *spk, const char *kind, const char *name,
					 size_t size)
{
	const struct spk_driver *driver;
	struct err err;

	CHECK_SPK(spk);
	CHECK_NOT_EMPTY(kind);
	CHECK_NOT_EMPTY(name);
	if (size < sizeof(struct spk_driver))
		session_misuse(__func__, "a table of %zu bytes has no head", size);
	driver = driver_open(kind, name, size, &err);
	if (!driver)
		spk_raise(spk, "driver", NULL, "%s", err.text);
	return driver;
}
