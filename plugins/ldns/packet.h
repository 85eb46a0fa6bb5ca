/* SPDX-License-Identifier: Apache-2.0 */
/* Questions and answers as the bytes that go over the network: RFC 1035, 6891 and 7871. */
#ifndef SPICERACK_LDNS_PACKET_H
#define SPICERACK_LDNS_PACKET_H

#include <spicerack/plugin.h>

#include "../base/text.h"

/* Appends the packet that asks. INVALID or FAILED with the reason; ANSWERED: it is there. */
enum spk_dns_status packet_write(const struct spk_dns_question *question, struct text *out,
				 struct spk_reason_buffer *reason);

/*
 * Reads a packet that claims to answer the question, from anybody. The visitor is told nothing
 * unless all of it can be understood, which is ANSWERED.
 */
enum spk_dns_status packet_read(const struct spk_dns_question *question, const void *bytes,
				size_t length, struct spk_dns_reply *reply,
				spk_dns_visitor *visitor, void *data,
				struct spk_reason_buffer *reason);

#endif
