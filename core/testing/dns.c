/* SPDX-License-Identifier: Apache-2.0 */
/* The DNS (kind "dns"). */
#include "outside.h"

#include <stdlib.h>
#include <string.h>

#include <spicerack/clock.h>

#include "../runtime/mem.h"
#include "../runtime/testing.h"
#include "recording.h"
#include "world.h"

#define TTL 300

static const struct {
	uint32_t type;
	const char *name;
} types[] = {
	{1, "A"},           {2, "NS"},   {5, "CNAME"}, {6, "SOA"},           {12, "PTR"},
	{OUTSIDE_MX, "MX"}, {16, "TXT"}, {28, "AAAA"}, {OUTSIDE_SRV, "SRV"}, {257, "CAA"},
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

/* Takes a number and a blank off the beginning; 0 where there is none. */
static uint16_t take_number(const char **at)
{
	char *end;
	unsigned long number = strtoul(*at, &end, 10);

	if (end == *at || *end != ' ' || number > UINT16_MAX)
		return 0;
	*at = end + 1;
	return (uint16_t)number;
}

/* Those of MX and SRV begin with their numbers, as in a zone. */
static void tell_one(uint32_t type, const char *line, const char *name, uint32_t ttl,
		     spk_dns_visitor *visitor, void *data)
{
	struct spk_dns_reply_record record = {.size = sizeof(record), .ttl = ttl, .name = name};

	if (type == OUTSIDE_MX || type == OUTSIDE_SRV)
		record.priority = take_number(&line);
	if (type == OUTSIDE_SRV) {
		record.weight = take_number(&line);
		record.port = take_number(&line);
	}
	record.text = line;
	record.length = strlen(line);
	visitor(data, &record);
}

static void tell(uint32_t type, const struct spk_test_reply *rule, const char *name, uint32_t ttl,
		 spk_dns_visitor *visitor, void *data)
{
	for (const char *at = rule->out; *at;) {
		size_t length = strcspn(at, "\n");
		char *line = xstrndup(at, length);

		tell_one(type, line, name, ttl, visitor, data);
		free(line);
		at += length + (at[length] == '\n');
	}
}

/* What a rule says. */
static enum spk_dns_status answer(const struct spk_test_reply *rule, const char *name,
				  const struct spk_dns_question *question,
				  struct spk_dns_reply *reply, spk_dns_visitor *visitor, void *data,
				  struct spk_dns_call *call)
{
	bool recorded = rule->end & RECORDED_END;
	enum spk_dns_status status = recorded     ? (rule->end & ~RECORDED_END)
				     : *rule->out ? SPK_DNS_ANSWERED
						  : SPK_DNS_NO_RECORDS;

	reply->ttl = recorded ? (uint32_t)rule->code : TTL;
	reply->authoritative = !*rule->err;
	reply->client_scope = -1;
	testing_sleep_until(spk_uptime().ns + rule->took.ns);
	if (status == SPK_DNS_ANSWERED)
		tell(question->type, rule, name, reply->ttl, visitor, data);
	else
		snprintf(call->reason.text, sizeof(call->reason.text), "so it was recorded");
	return status;
}

/* Whether the test tells of a name at all: then there is one, without records of other types. */
static bool is_told(const char *name)
{
	for (const struct rule *rule = world_here()->rules; rule; rule = rule->next) {
		const char *told = rule->kind == RULE_DNS ? strchr(rule->pattern, ' ') : NULL;

		if (!told || rule->reply.end == (RECORDED_END | SPK_DNS_NO_NAME))
			continue;
		told++;
		if (rule->exactly ? strcmp(told, name) == 0 : world_matches(told, name))
			return true;
	}
	return false;
}

/* For the story. */
static const char *words_of(enum spk_dns_status status)
{
	switch (status) {
	case SPK_DNS_ANSWERED:
		return "answered";
	case SPK_DNS_NO_NAME:
	case SPK_DNS_NO_RECORDS:
		return "none";
	default:
		return "failed";
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
		status = answer(rule, strchr(text, ' ') + 1, question, reply, visitor, data, call);
	} else if (recording_is_on()) {
		status = record_dns(text, question, reply, visitor, data, call);
	} else if (is_told(strchr(text, ' ') + 1)) {
		status = SPK_DNS_NO_RECORDS;
	}
	world_happened(world_here(), "%s -> %s", step,
		       status == SPK_DNS_ANSWERED && rule ? rule->out : words_of(status));
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
