/* SPDX-License-Identifier: Apache-2.0 */
#include "recording.h"

#include "test.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <spicerack/remote.h>

#include "../host/journal/jsonline.h"
#include "../runtime/jsontext.h"
#include "../runtime/mem.h"
#include "../runtime/printable.h"

#define VARIABLE "SPICERACK_TEST_RECORD"

/* ---- writing ---- */

bool recording_is_on(void)
{
	return world_here() && world_here()->record_file;
}

static bool is_text(const char *bytes, size_t length)
{
	uint32_t point;

	for (size_t i = 0, used; i < length; i += used) {
		used = printable_decode(bytes + i, length - i, &point);
		if (used == 0 || point == 0)
			return false;
	}
	return true;
}

void recording_add(const struct recorded_reply *reply)
{
	const char *file = world_here()->record_file;
	struct buf line = {0};
	int fd;

	if (!is_text(reply->out, reply->out_length))
		test_give_up("the reply to '%s' is no text in UTF-8: it cannot be recorded",
			     reply->what);
	buf_puts(&line, "{");
	if (reply->whom) {
		json_put_member(&line, "host", reply->whom);
		buf_puts(&line, ", ");
	}
	json_put_member(&line, reply->kind, reply->what);
	buf_printf(&line, ", \"end\": %u, \"code\": %d, \"milliseconds\": %lld, ", reply->end,
		   reply->code, (long long)(reply->took_ns / 1000000));
	json_put_member(&line, "out", reply->out);
	buf_puts(&line, ", ");
	json_put_member(&line, "err", reply->err);
	buf_puts(&line, "}\n");
	fd = open(file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
	if (fd < 0 || write(fd, line.text, line.length) != (ssize_t)line.length)
		test_give_up("cannot write '%s': %s", file, strerrordesc_np(errno));
	close(fd);
	buf_free(&line);
}

/* ---- reading ---- */

/* What one line says. */
struct told {
	char *host, *command, *request, *question, *out, *err;
	long end, code, milliseconds;
};

static void take_member(void *data, const char *name, bool in_list, enum json_scalar type,
			const char *value)
{
	struct told *told = data;
	const struct {
		const char *name;
		char **text;
		long *number;
	} members[] = {
		{"host", &told->host, NULL},
		{"command", &told->command, NULL},
		{"request", &told->request, NULL},
		{"question", &told->question, NULL},
		{"out", &told->out, NULL},
		{"err", &told->err, NULL},
		{"end", NULL, &told->end},
		{"code", NULL, &told->code},
		{"milliseconds", NULL, &told->milliseconds},
	};

	for (size_t i = 0; i < sizeof(members) / sizeof(members[0]); i++) {
		if (strcmp(name, members[i].name) != 0)
			continue;
		if (members[i].text && type == JSON_TEXT && !*members[i].text)
			*members[i].text = xstrdup(value);
		else if (members[i].number && type == JSON_NUMBER)
			*members[i].number = strtol(value, NULL, 10);
	}
}

/* How a result tells what the transport has told. */
static uint32_t end_of(long kind)
{
	switch (kind) {
	case SPK_TRANSPORT_EXITED:
		return 0;
	case SPK_TRANSPORT_HOST_KEY:
		return SPK_REMOTE_HOST_KEY;
	case SPK_TRANSPORT_DENIED:
		return SPK_REMOTE_DENIED;
	case SPK_TRANSPORT_SIGNALLED:
	case SPK_TRANSPORT_LOST:
		return SPK_REMOTE_LOST;
	default:
		return SPK_REMOTE_UNREACHABLE;
	}
}

static void take_line(struct spk_test *test, const char *file, unsigned int number,
		      const char *line, size_t length)
{
	struct told told = {0};
	struct spk_test_reply reply;

	if (!json_line_read(line, length, take_member, &told) ||
	    !!told.command + !!told.request + !!told.question != 1 || (told.command && !told.host))
		test_give_up("%s:%u: not a line that was recorded", file, number);
	reply = *SPK_TEST_REPLY(.code = (int32_t)told.code, .out = told.out, .err = told.err,
				.took = SPK_MILLISECONDS(told.milliseconds), .times = 1);
	if (told.command)
		reply.end = end_of(told.end);
	else
		reply.end = RECORDED_END | (uint32_t)told.end;
	if (told.command)
		world_add_exactly(test->world, RULE_HOST, told.host, told.command, &reply);
	else if (told.request)
		world_add_exactly(test->world, RULE_HTTP, "*", told.request, &reply);
	else
		world_add_exactly(test->world, RULE_DNS, "*", told.question, &reply);
	free(told.host);
	free(told.command);
	free(told.request);
	free(told.question);
	free(told.out);
	free(told.err);
}

static void play(struct spk_test *test, const char *name)
{
	FILE *file = fopen(name, "re");
	unsigned int number = 0;
	char *line = NULL;
	size_t size = 0;
	ssize_t got;

	if (!file)
		test_give_up("cannot read '%s': %s (record it with " VARIABLE "=1)", name,
			     strerrordesc_np(errno));
	while ((got = getline(&line, &size, file)) > 0)
		take_line(test, name, ++number, line,
			  (size_t)got - (line[got - 1] == '\n' ? 1 : 0));
	free(line);
	fclose(file);
}

void spk_test_recorded(struct spk_test *test, const char *file)
{
	CHECK_TEST(test);
	CHECK_POINTERS(file);
	/* NOLINTNEXTLINE(concurrency-mt-unsafe): the threads of a test are its author's */
	const char *records = getenv(VARIABLE);

	if (!records || strcmp(records, "1") != 0) {
		play(test, file);
		return;
	}
	test_write(file, "", 0666);
	test->record_file = realpath(file, NULL);
	test->world->record_file = world_text(test->world, test->record_file);
}
