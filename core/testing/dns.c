/* SPDX-License-Identifier: Apache-2.0 */
/* The DNS (kind "dns"). */
#include "outside.h"

#include <stdlib.h>
#include <string.h>

#include "../runtime/mem.h"
#include "world.h"

#define TTL 300

static const struct {
	uint32_t type;
	const char *name;
} types[] = {
	{1, "A"},   {2, "NS"},   {5, "CNAME"}, {6, "SOA"},  {12, "PTR"},
	{15, "MX"}, {16, "TXT"}, {28, "AAAA"}, {33, "SRV"}, {257, "CAA"},
};

static char *question_text(const struct spk_dns_question *question)
{
	size_t length = strlen(question->name);

	if (length > 1 && question->name[length - 1] == '.')
		length--;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].type == question->type)
			return xasprintf("%s %.*s", types[i].name, (int)length, question->name);
	return xasprintf("TYPE%u %.*s", question->type, (int)length, question->name);
}

static void tell(const char *lines, const char *name, spk_dns_visitor *visitor, void *data)
{
	while (*lines) {
		size_t length = strcspn(lines, "\n");
		char *text = xstrndup(lines, length);
		const struct spk_dns_reply_record record = {
			.size = sizeof(record),
			.ttl = TTL,
			.name = name,
			.text = text,
			.length = length,
		};

		visitor(data, &record);
		free(text);
		lines += length + (lines[length] == '\n');
	}
}

static enum spk_dns_status ask(const struct spk_dns_question *question, struct spk_dns_reply *reply,
			       spk_dns_visitor *visitor, void *data, struct spk_dns_call *call)
{
	char *text = question_text(question), *step = xasprintf("dns %s", text);
	const struct spk_test_reply *rule = world_reply(world_here(), RULE_DNS, "*", text);
	enum spk_dns_status status = SPK_DNS_NO_NAME;

	if (world_step(true, world_is_undoing(), step)) {
		snprintf(call->reason.text, sizeof(call->reason.text), "the test has it fail");
		status = SPK_DNS_FAILED;
	} else if (rule) {
		status = *rule->out ? SPK_DNS_ANSWERED : SPK_DNS_NO_RECORDS;
		reply->ttl = TTL;
		reply->authoritative = true;
		reply->client_scope = -1;
		tell(rule->out, strchr(text, ' ') + 1, visitor, data);
	}
	world_happened(world_here(), "%s -> %s", step,
		       status == SPK_DNS_ANSWERED ? rule->out
		       : status == SPK_DNS_FAILED ? "failed"
						  : "none");
	free(step);
	free(text);
	return status;
}

const struct spk_dns_driver outside_dns = {
	.driver = {.size = sizeof(outside_dns),
		   .abi = SPK_DRIVER_ABI,
		   .kind = "dns",
		   .name = "ldns"},
	.ask = ask,
};
