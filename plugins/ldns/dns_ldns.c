/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asks the DNS. libldns writes the questions and reads the answers; c-ares carries them. Neither
 * does both: what resolves in libldns cannot be interrupted, and c-ares can neither ask for a
 * client's subnet nor tell the time to live of most records.
 */
#include "../base/text.h"
#include "exchange.h"
#include "packet.h"

SPK_API extern const struct spk_dns_driver spk_driver;

static enum spk_dns_status ask(const struct spk_dns_question *question, struct spk_dns_reply *reply,
			       spk_dns_visitor *visitor, void *data, struct spk_dns_call *call)
{
	struct text packet = {0}, answer = {0};
	enum spk_dns_status status = packet_write(question, &packet, &call->reason);

	if (status == SPK_DNS_ANSWERED)
		status = exchange(question, &packet, &answer, call);
	if (status == SPK_DNS_ANSWERED)
		status = packet_read(question, answer.bytes, answer.length, reply, visitor, data,
				     &call->reason);
	text_free(&packet);
	text_free(&answer);
	return status;
}

const struct spk_dns_driver spk_driver = {
	.driver = {.size = sizeof(struct spk_dns_driver),
		   .abi = SPK_DRIVER_ABI,
		   .kind = "dns",
		   .name = "ldns"},
	.ask = ask,
};
