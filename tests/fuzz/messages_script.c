/* SPDX-License-Identifier: Apache-2.0 */
/* What the other side says: by the letters of the script, or as an honest one would. */
#include "messages.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "../../core/host/question/question.h"
#include "../../core/runtime/fd.h"
#include "../../core/runtime/protocol.h"
#include "../../core/runtime/wire.h"
#include "shown.h"

#define BODY_MAX (1U << 20)
#define FRAGMENT_SIZE 32768U

/* ---- what the other side says ---- */

struct head {
	uint32_t type, serial, more, length;
};

/* One datagram, without any `u`. A full socket loses it. */
static void datagram(int fd, const struct head *head, const char *bytes, size_t length)
{
	struct buf packet = {0};

	if (head)
		buf_add(&packet, head, sizeof(*head));
	buf_add(&packet, bytes, length);
	for (size_t i = 0; i < packet.length; i++)
		if (packet.text[i] == 'u')
			packet.text[i] = 'v';
	if (fd >= 0)
		(void)!send(fd, packet.text, packet.length, MSG_NOSIGNAL | MSG_DONTWAIT);
	buf_free(&packet);
}

static void message(int fd, uint32_t type, uint32_t serial, bool more, struct buf *body)
{
	size_t done = 0, length;

	do {
		length = body->length - done < FRAGMENT_SIZE ? body->length - done : FRAGMENT_SIZE;
		datagram(fd,
			 &(struct head){type, serial, more || done + length < body->length,
					(uint32_t)length},
			 buf_text(body) + done, length);
		done += length;
	} while (done < body->length);
	buf_clear(body);
}

static void print(int fd, const char *bytes, size_t length)
{
	struct buf copy = {0};

	buf_add(&copy, bytes, length);
	for (size_t i = 0; i < length; i++)
		if (copy.text[i] == 'u')
			copy.text[i] = 'v';
	if (fd >= 0)
		(void)!write(fd, copy.text, length);
	buf_free(&copy);
}

static void put_result(uint64_t stage, uint64_t outcome, uint64_t code, const char *text,
		       uint64_t lines, struct buf *body)
{
	const uint64_t numbers[] = {stage, outcome, code, 0};

	for (size_t i = 0; i < 4; i++)
		wire_put_number(body, numbers[i]);
	wire_put_text(body, text);
	wire_put_number(body, 20);
	wire_put_number(body, 1800000000000);
	wire_put_number(body, 0);
	wire_put_number(body, lines);
	for (uint64_t i = 0; i < lines; i++)
		wire_put_text(body, i ? "caused by: this" : "that went wrong");
	wire_put_number(body, lines);
	for (uint64_t i = 0; i < lines; i++)
		wire_put_number(body, 0x1000 + i);
}

static void send_result(uint64_t stage, uint64_t outcome, uint64_t code, const char *text,
			unsigned int lines)
{
	struct buf body = {0};

	put_result(stage, outcome, code, text, lines, &body);
	message(now()->requests, REQUEST_RESULT, 0, false, &body);
	buf_free(&body);
}

static void send_log(uint64_t level, const char *text)
{
	struct buf body = {0};

	wire_put_number(&body, level);
	wire_put_text(&body, "cookbooks/fuzz.c");
	wire_put_number(&body, 7);
	wire_put_text(&body, "act");
	wire_put_text(&body, text);
	wire_put_number(&body, level % (AUDIENCE_SAL + 1));
	message(now()->requests, REQUEST_LOG, ++other.serial, false, &body);
	buf_free(&body);
}

static void send_control(uint32_t type, const uint64_t *number, const char *text)
{
	struct buf body = {0};

	if (number)
		wire_put_number(&body, *number);
	if (text)
		wire_put_text(&body, text);
	message(now()->control, type, 0, false, &body);
	buf_free(&body);
}

void send_gone(uint64_t status, uint64_t number)
{
	const uint64_t numbers[] = {status, number, 1, 0x8, 0x7000};
	struct buf body = {0};

	for (size_t i = 0; i < 5; i++)
		wire_put_number(&body, numbers[i]);
	wire_put_text(&body, "run");
	wire_put_number(&body, 2);
	for (uint64_t i = 0; i < 2; i++) {
		wire_put_number(&body, 0x1000 + i);
		wire_put_number(&body, i);
	}
	message(now()->control, CONTROL_GONE, 0, false, &body);
	buf_free(&body);
	now()->child = false;
	if (now()->death >= 0)
		eventfd_write(now()->death, 1);
}

/* ---- the script ---- */

/* A length and as many bytes as there are. */
static const char *next_bytes(size_t *ret_length)
{
	const char *bytes;

	*ret_length = next();
	if (*ret_length > (size_t)(other.end - other.at))
		*ret_length = (size_t)(other.end - other.at);
	bytes = (const char *)other.at;
	other.at += *ret_length;
	return bytes;
}

/* The same as text, cut at a NUL; for free(). */
static char *next_text(void)
{
	size_t length;
	const char *bytes = next_bytes(&length);
	char *text = strndup(bytes, length);

	EXPECT(text);
	return text;
}

static void close_one(unsigned int which)
{
	int *ends[] = {&now()->out, &now()->err, &now()->requests, &now()->control};

	fd_close(ends[which % 4]);
}

/* Additions to the body of the next message. False: it was none of these. */
static bool compose(uint8_t letter)
{
	struct buf *body = &other.body;
	uint64_t number = 0, numbers[4];
	const char *bytes;
	size_t length;
	char *text;

	if (body->length > BODY_MAX)
		buf_clear(body);
	switch (letter) {
	case 'n': /* a small number */
		wire_put_number(body, next());
		return true;
	case 'N': /* any number */
		for (int i = 0; i < 8; i++)
			number = number << 8 | next();
		wire_put_number(body, number);
		return true;
	case 's': /* a text */
		text = next_text();
		wire_put_text(body, text);
		free(text);
		return true;
	case '0': /* no text */
		wire_put_text(body, NULL);
		return true;
	case 'x': /* bytes */
		bytes = next_bytes(&length);
		buf_add(body, bytes, length);
		return true;
	case 'X': /* the same byte very often */
		number = next();
		buf_fill(body, (char)number, (size_t)next() * 64);
		return true;
	case 'R': /* the items of a result with an error: stage, outcome, code, lines */
		for (size_t i = 0; i < 4; i++)
			numbers[i] = next();
		put_result(numbers[0], numbers[1], numbers[2], "text", numbers[3] % 80, body);
		return true;
	default:
		return false;
	}
}

/* All fragments but the last are full. */
static void fill_fragment(bool wanted, struct buf *body)
{
	size_t rest = body->length % FRAGMENT_SIZE;

	if (wanted && (rest || body->length == 0))
		buf_fill(body, ' ', FRAGMENT_SIZE - rest);
}

/* Messages and what else happens to the supervisor. */
static void act(uint8_t letter)
{
	static const spk_strings no_texts = {0};
	struct buf *body = &other.body;
	uint64_t number;
	uint32_t type;
	size_t length;
	const char *bytes;
	char *text;

	switch (letter) {
	case 'q': /* the body as a request of the worker */
	case 'f': /* the same as a fragment that others follow */
		type = next();
		fill_fragment(letter == 'f', body);
		message(now()->requests, type, next(), letter == 'f', body);
		break;
	case 'c': /* the body as an answer of the runner */
	case 'F':
		fill_fragment(letter == 'F', body);
		message(now()->control, next(), 0, letter == 'F', body);
		break;
	case 'Q': /* the body as it is */
		datagram(now()->requests, NULL, buf_text(body), body->length);
		buf_clear(body);
		break;
	case 'C':
		datagram(now()->control, NULL, buf_text(body), body->length);
		buf_clear(body);
		break;
	case 'l': /* a good record */
		number = next();
		text = next_text();
		send_log(number, text);
		free(text);
		break;
	case 'r': /* a good result */
		number = next();
		type = next();
		send_result(number, type, 0, NULL, type == OUTCOME_RAISED ? 2 : 0);
		break;
	case 't': /* a result with a text */
		number = next();
		type = next();
		text = next_text();
		send_result(number, type, next(), text, 0);
		free(text);
		break;
	case 'g': /* the worker died */
		number = next();
		send_gone(number, next());
		break;
	case 'S': /* a child is there */
		number = next();
		send_control(CONTROL_STARTED, &number, NULL);
		break;
	case 'Y': /* the cookbook is open */
		number = PROTOCOL_VERSION;
		send_control(CONTROL_READY, &number, NULL);
		break;
	case 'D': /* names of addresses */
		text = next_text();
		send_control(CONTROL_DESCRIBED, NULL, text);
		free(text);
		break;
	case 'o': /* standard output */
		bytes = next_bytes(&length);
		print(now()->out, bytes, length);
		break;
	case 'e': /* standard error */
		bytes = next_bytes(&length);
		print(now()->err, bytes, length);
		break;
	case 'O': /* the body there */
		print(now()->out, buf_text(body), body->length);
		buf_clear(body);
		break;
	case 'E':
		print(now()->err, buf_text(body), body->length);
		buf_clear(body);
		break;
	case 'k': /* an end is closed */
		close_one(next());
		break;
	case 'K': /* the runner dies */
		close_ends(now());
		break;
	case 'm': /* an inner run is wanted */
		wire_put_number(body, next() % 2);
		wire_put_text(body, "fuzz");
		wire_put_texts(body, (spk_strings){0});
		message(now()->requests, REQUEST_NESTED, ++other.serial, false, body);
		break;
	case 'a': /* a question */
		number = next() % 8;
		wire_put_number(body, number);
		wire_put_text(body, "name");
		text = next_text();
		wire_put_text(body, text);
		wire_put_texts(body, number == ASK_CHOICE ? SPK_STRINGS(text, "b") : no_texts);
		wire_put_number(body, next() % 5);
		wire_put_text(body, number == ASK_TEXT ? text : NULL);
		wire_put_number(body, next() % 4);
		free(text);
		message(now()->requests, REQUEST_ASK, ++other.serial, false, body);
		break;
	case 'y': /* something is typed at the terminal */
		if (other.typed >= 0)
			eventfd_write(other.typed, 1);
		break;
	case 'p': /* progress */
		for (int i = 0; i < 4; i++)
			wire_put_number(body, next());
		text = next_text();
		wire_put_text(body, text);
		free(text);
		message(now()->requests, REQUEST_PROGRESS, 0, false, body);
		break;
	case 'd': /* the worker dies, its runner does not tell */
		if (now()->death >= 0)
			eventfd_write(now()->death, 1);
		break;
	case 'i': /* Ctrl+C, or what else there is */
		raise_signal((const int[]){SIGINT, SIGTERM, SIGHUP, SIGTSTP}[next() % 4]);
		break;
	case 'w': /* time goes by */
		other.now_ns += next() * 1000000000LL;
		break;
	default:
		break;
	}
}

void play(void)
{
	while (other.begun && other.at < other.end) {
		uint8_t letter = next();

		if (letter == '.')
			return;
		if (!compose(letter))
			act(letter);
	}
}

/* ---- honest answers ---- */

static bool receive(int fd, struct head *ret_head, uint64_t *ret_number)
{
	char packet[sizeof(*ret_head) + FRAGMENT_SIZE];
	ssize_t got = fd < 0 ? -1 : recv(fd, packet, sizeof(packet), MSG_DONTWAIT);

	if (got < (ssize_t)sizeof(*ret_head))
		return false;
	memcpy(ret_head, packet, sizeof(*ret_head));
	*ret_number = 0;
	if (got >= (ssize_t)(sizeof(*ret_head) + sizeof(*ret_number)))
		memcpy(ret_number, packet + sizeof(*ret_head), sizeof(*ret_number));
	return true;
}

static void obey(uint32_t type)
{
	uint64_t pid = 4711, version = PROTOCOL_VERSION;

	if (type == CONTROL_INIT) {
		send_control(CONTROL_READY, &version, NULL);
	} else if (type == CONTROL_CHILD) {
		now()->child = true;
		send_control(CONTROL_STARTED, &pid, NULL);
	} else if (type == CONTROL_DESCRIBE) {
		send_control(CONTROL_DESCRIBED, NULL, "    at act (fuzz.c:7)\n");
	} else if (type == CONTROL_KILL && now()->child) {
		send_gone(SIGKILL, 0);
	}
}

void serve(void)
{
	struct head head;
	uint64_t stage;

	while (receive(now()->control, &head, &stage))
		if ((other.flags & HONEST_RUNNER) && !head.more)
			obey(head.type);
	while (receive(now()->requests, &head, &stage)) {
		if (head.type != REQUEST_STAGE || !now()->child)
			continue;
		if (stage == STAGE_QUIT)
			send_gone(0, 0);
		else if (stage < other.flags >> HONEST_STAGES)
			send_result(stage, OUTCOME_RETURNED, 0, NULL, 0);
		else
			other.begun = true;
	}
}
