/* SPDX-License-Identifier: Apache-2.0 */
#include "sdk_stub.h"

#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../core/runtime/session.h"

struct block {
	struct block *next;
	max_align_t bytes[];
};

static struct spk session = {.magic = SESSION_MAGIC}; /* the rest nobody here needs */
static struct spk *const the_session = &session;
static struct block *blocks;
static jmp_buf jump;
static bool armed, dry;
static char asked[512], raised_kind[64], raised_message[1024];
static const char *config_directory;

struct spk_error {
	char kind[64], message[1024];
};
static struct spk_error last;

struct spk *sdk_session(void)
{
	return the_session;
}

void sdk_set_dry_run(bool dry_run)
{
	dry = dry_run;
}

void sdk_set_config_dir(const char *directory)
{
	config_directory = directory;
}

const char *sdk_message(void)
{
	return raised_message;
}

const char *sdk_asked(void)
{
	return asked;
}

void sdk_end(void)
{
	struct block *next;

	for (; blocks; blocks = next) {
		next = blocks->next;
		free(blocks);
	}
}

void *spk_alloc(struct spk *spk, size_t size)
{
	struct block *block = calloc(1, sizeof(*block) + size + !size);

	ck_assert_ptr_eq(spk, the_session);
	ck_assert_ptr_nonnull(block);
	block->next = blocks;
	blocks = block;
	return block->bytes;
}

jmp_buf *sdk_arm_(void)
{
	ck_assert(!armed);
	armed = true;
	raised_kind[0] = raised_message[0] = '\0';
	return &jump;
}

void sdk_check_(const char *kind, const char *file, int line, bool returned)
{
	size_t length = strlen(kind);

	armed = false;
	if (returned)
		ck_abort_msg("%s:%d: raised nothing, not %s", file, line, kind);
	if (strncmp(raised_kind, kind, length) != 0 ||
	    (raised_kind[length] && raised_kind[length] != '.'))
		ck_abort_msg("%s:%d: raised %s (%s), not %s", file, line, raised_kind,
			     raised_message, kind);
}

static SPK_NORETURN SPK_PRINTF(2, 0) void vraise(const char *kind, const char *format, va_list args)
{
	snprintf(raised_kind, sizeof(raised_kind), "%s", kind);
	vsnprintf(raised_message, sizeof(raised_message), format, args);
	if (!armed)
		ck_abort_msg("raised %s: %s", raised_kind, raised_message);
	longjmp(jump, 1);
}

void spk_raise(struct spk *spk, const char *kind, const struct spk_error *cause, const char *format,
	       ...)
{
	va_list args;

	va_start(args, format);
	vraise(kind, format, args);
	va_end(args);
}

void session_misuse(const char *function, const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	spk_raise(the_session, "misuse", NULL, "%s: %s", function, text);
}

bool spk_try(struct spk *spk, spk_action *action, void *arg, const struct spk_error **ret_error)
{
	jmp_buf saved;
	bool was_armed = armed, returned = false;

	memcpy(&saved, &jump, sizeof(saved));
	armed = true;
	if (setjmp(jump) == 0) {
		action(spk, arg);
		returned = true;
	} else if (ret_error) {
		snprintf(last.kind, sizeof(last.kind), "%s", raised_kind);
		snprintf(last.message, sizeof(last.message), "%s", raised_message);
		*ret_error = &last;
	}
	memcpy(&jump, &saved, sizeof(saved));
	armed = was_armed;
	return returned;
}

void spk_raise_again(struct spk *spk, const struct spk_error *error)
{
	spk_raise(spk, error->kind, NULL, "%s", error->message);
}

void session_check_interrupt(struct spk *spk)
{
}

struct spk *session_current(void)
{
	return the_session;
}

bool session_may_write(struct spk *spk, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(asked, sizeof(asked), format, args);
	va_end(args);
	return !dry;
}

void session_did_read(struct spk *spk, const char *format, ...)
{
}

void session_cannot_know(struct spk *spk, const char *format, ...)
{
}

const char *spk_config_dir(const struct spk *spk)
{
	return config_directory;
}
