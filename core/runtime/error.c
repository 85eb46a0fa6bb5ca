/* SPDX-License-Identifier: Apache-2.0 */
/* Errors of cookbooks: made in the arena, raised to the innermost guard. */
#include "guard.h"

#include <ctype.h>
#include <execinfo.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mem.h"

#define MESSAGE_MAX 65536

static const struct spk_error out_of_memory = {
	.magic = ERROR_MAGIC,
	.kind = "memory",
	.message = "the run has used up the memory it may have",
};

static const char *arena_vformat(struct spk *spk, const char *format, va_list args)
	__attribute__((__format__(__printf__, 2, 0)));

static const char *arena_vformat(struct spk *spk, const char *format, va_list args)
{
	va_list again;
	char *text;
	int length;

	va_copy(again, args);
	length = vsnprintf(NULL, 0, format, again);
	va_end(again);
	if (length < 0)
		return "(a message that cannot be formatted)";
	if (length > MESSAGE_MAX)
		length = MESSAGE_MAX;
	text = arena_alloc(spk->shared, (size_t)length + 1, true);
	if (!text)
		return "(a message for which there was no memory)";
	vsnprintf(text, (size_t)length + 1, format, args);
	mem_wipe_stack();
	return text;
}

static bool is_kind(const char *kind)
{
	if (!kind || !*kind)
		return false;
	for (; *kind; kind++)
		if (!isalnum((unsigned char)*kind) && *kind != '.' && *kind != '-' && *kind != '_')
			return false;
	return true;
}

static void vraise(struct spk *spk, const char *kind, const struct spk_error *cause,
		   const void *payload, const char *format, va_list args)
	__attribute__((noreturn, __format__(__printf__, 5, 0)));

static void vraise(struct spk *spk, const char *kind, const struct spk_error *cause,
		   const void *payload, const char *format, va_list args)
{
	struct spk_error *error = arena_alloc(spk->shared, sizeof(*error), true);
	void *addresses[ERROR_FRAMES];
	char *copy;
	int count;

	if (!error)
		guard_raise(spk, &out_of_memory);
	copy = arena_alloc(spk->shared, strlen(kind) + 1, true);
	if (!copy)
		guard_raise(spk, &out_of_memory);
	memcpy(copy, kind, strlen(kind) + 1);
	*error = (struct spk_error){
		.magic = ERROR_MAGIC,
		.kind = copy,
		.message = arena_vformat(spk, format, args),
		.cause = cause,
		.payload = payload,
	};
	count = backtrace(addresses, ERROR_FRAMES);
	for (int i = 0; i < count; i++)
		error->addresses[i] = (uintptr_t)addresses[i];
	error->address_count = (uint32_t)(count > 0 ? count : 0);
	guard_raise(spk, error);
}

static void check_raise(const char *function, struct spk *spk, const char *kind,
			const struct spk_error *cause)
{
	if (!spk || spk->magic != SESSION_MAGIC)
		session_misuse(function, "'spk' is no live handle");
	if (!is_kind(kind))
		session_misuse(function, "'%s' is no kind of error", kind ? kind : "NULL");
	if (cause && cause->magic != ERROR_MAGIC)
		session_misuse(function, "'cause' is no live handle");
}

void spk_fail(struct spk *spk, const char *format, ...)
{
	va_list args;

	check_raise(__func__, spk, "cookbook", NULL);
	va_start(args, format);
	vraise(spk, "cookbook", NULL, NULL, format, args);
}

void spk_raise(struct spk *spk, const char *kind, const struct spk_error *cause, const char *format,
	       ...)
{
	va_list args;

	check_raise(__func__, spk, kind, cause);
	va_start(args, format);
	vraise(spk, kind, cause, NULL, format, args);
}

void spk_raise_with(struct spk *spk, const char *kind, const struct spk_error *cause,
		    const void *payload, const char *format, ...)
{
	va_list args;

	check_raise(__func__, spk, kind, cause);
	va_start(args, format);
	vraise(spk, kind, cause, payload, format, args);
}

void spk_raise_again(struct spk *spk, const struct spk_error *error)
{
	check_raise(__func__, spk, "cookbook", error);
	CHECK_GIVEN(error);
	guard_raise(spk, error);
}

void session_misuse(const char *function, const char *format, ...)
{
	struct spk *spk = session_current();
	struct err reason;
	va_list args;

	va_start(args, format);
	vsnprintf(reason.text, sizeof(reason.text), format, args);
	va_end(args);
	if (!spk) {
		fprintf(stderr, "spicerack: misuse of %s(): %s\n", function, reason.text);
		abort();
	}
	spk_raise(spk, "misuse", NULL, "misuse of %s(): %s", function, reason.text);
}

const char *spk_error_message(const struct spk_error *error)
{
	CHECK_HANDLE(error, ERROR_MAGIC);
	return error->message;
}

const char *spk_error_kind(const struct spk_error *error)
{
	CHECK_HANDLE(error, ERROR_MAGIC);
	return error->kind;
}

bool spk_error_is(const struct spk_error *error, const char *kind)
{
	size_t length;

	CHECK_HANDLE(error, ERROR_MAGIC);
	CHECK_GIVEN(kind);
	length = strlen(kind);
	if (strcmp(kind, "spicerack") == 0)
		return true;
	return strncmp(error->kind, kind, length) == 0 &&
	       (error->kind[length] == '\0' || error->kind[length] == '.');
}

const struct spk_error *spk_error_cause(const struct spk_error *error)
{
	CHECK_HANDLE(error, ERROR_MAGIC);
	return error->cause;
}

const void *spk_error_payload(const struct spk_error *error, const char *kind)
{
	return spk_error_is(error, kind) ? error->payload : NULL;
}
