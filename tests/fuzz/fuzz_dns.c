/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a server of the DNS answers: the first byte chooses the type that was asked for, the second
 * whether for a client; the rest is the packet. What is told is of the type, ends in NUL, and only
 * of packets that are understood as a whole; other reasons are one line of ASCII.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../plugins/ldns/packet.h"

#define EXPECT(true_)                                                                              \
	do {                                                                                       \
		if (!(true_))                                                                      \
			abort();                                                                   \
	} while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void take(void *data, const struct spk_dns_reply_record *record)
{
	size_t *told = data;

	EXPECT(record->size == sizeof(*record) && record->ttl <= INT32_MAX);
	EXPECT(strlen(record->name) > 0 && strlen(record->text) <= record->length);
	EXPECT(record->text[record->length] == '\0');
	*told += 1;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t types[] = {1, 2, 5, 6, 12, 15, 16, 28, 33, 35, 46, 257};
	struct spk_dns_reply reply = {.size = sizeof(reply), .client_scope = -1};
	struct spk_dns_question question = {.size = sizeof(question), .name = "x.test"};
	struct spk_reason_buffer reason = {{0}};
	enum spk_dns_status status;
	struct text packet = {0};
	size_t told = 0;

	if (size < 2)
		return 0;
	question.type = types[data[0] % (sizeof(types) / sizeof(types[0]))];
	if (data[1] & 1) {
		question.client = data[1] & 2 ? "2001:db8::1" : "192.0.2.1";
		question.client_bits = data[1] >> 2 & 31;
	}
	EXPECT(packet_write(&question, &packet, &reason) == SPK_DNS_ANSWERED);
	EXPECT(packet.length > 12);
	status = packet_read(&question, data + 2, size - 2, &reply, take, &told, &reason);
	EXPECT((status == SPK_DNS_ANSWERED) == (told > 0));
	EXPECT(status != SPK_DNS_FAILED || reason.text[0]);
	EXPECT(strlen(reason.text) < sizeof(reason.text));
	for (const char *c = reason.text; *c; c++)
		EXPECT(*c >= ' ' && *c <= '~');
	EXPECT(reply.ttl <= INT32_MAX && reply.client_scope >= -1 && reply.client_scope <= 128);
	text_free(&packet);
	return 0;
}
