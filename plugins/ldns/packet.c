/* SPDX-License-Identifier: Apache-2.0 */
#include "packet.h"

#include <arpa/inet.h>
#include <ldns/ldns.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* c-ares takes no longer answer over UDP. */
#define UDP_SIZE 512
/* Family, two lengths of prefixes, then the address. */
#define SUBNET_HEAD 4
#define TTL_MAX INT32_MAX

/* A network as the option for clients has it: its bits, and as many bytes as they need. */
struct subnet {
	uint16_t family; /* 1 or 2, as the option numbers them */
	uint8_t bits;
	size_t length; /* of `address` */
	uint8_t address[16];
};

/* ---- questions ---- */

static bool subnet_of(const struct spk_dns_question *question, struct subnet *subnet)
{
	bool v6 = strchr(question->client, ':') != NULL;
	unsigned int bits = question->client_bits;

	*subnet = (struct subnet){.family = v6 ? 2 : 1, .bits = (uint8_t)bits};
	if (bits > (v6 ? 128 : 32) ||
	    inet_pton(v6 ? AF_INET6 : AF_INET, question->client, subnet->address) != 1)
		return false;
	subnet->length = (bits + 7) / 8;
	if (bits % 8)
		subnet->address[subnet->length - 1] &= (uint8_t)(0xff << (8 - bits % 8));
	return true;
}

static bool add_client(ldns_pkt *packet, const struct subnet *subnet)
{
	uint8_t wire[SUBNET_HEAD + sizeof(subnet->address)] = {0, (uint8_t)subnet->family,
							       subnet->bits, 0};
	ldns_edns_option_list *list = ldns_edns_option_list_new();
	ldns_edns_option *option;

	if (!list)
		return false;
	/* From here on it is the packet's. */
	ldns_pkt_set_edns_option_list(packet, list);
	ldns_pkt_set_edns_udp_size(packet, UDP_SIZE);
	memcpy(wire + SUBNET_HEAD, subnet->address, subnet->length);
	option = ldns_edns_new_from_data(LDNS_EDNS_CLIENT_SUBNET, SUBNET_HEAD + subnet->length,
					 wire);
	return option && ldns_edns_option_list_push(list, option);
}

static enum spk_dns_status refuse(struct spk_reason_buffer *reason, enum spk_dns_status status,
				  const char *what)
{
	reason_set(reason, "%s", what);
	return status;
}

/* An absolute name, for ldns_rdf_deep_free(), whether or not it ends in a dot; NULL: it is none. */
static ldns_rdf *name_of(const char *text)
{
	return *text ? ldns_dname_new_frm_str(text) : NULL;
}

enum spk_dns_status packet_write(const struct spk_dns_question *question, struct text *out,
				 struct spk_reason_buffer *reason)
{
	ldns_rdf *name = name_of(question->name);
	struct subnet subnet = {0};
	ldns_pkt *packet;
	uint8_t *wire = NULL;
	uint16_t id = 0;
	size_t size;
	bool written;

	if (!name)
		return refuse(reason, SPK_DNS_INVALID, "it is no name of the DNS");
	if (question->client && !subnet_of(question, &subnet)) {
		ldns_rdf_deep_free(name);
		return refuse(reason, SPK_DNS_INVALID, "the client is no address");
	}
	packet = ldns_pkt_query_new(name, (ldns_rr_type)question->type, LDNS_RR_CLASS_IN, LDNS_RD);
	if (!packet) {
		ldns_rdf_deep_free(name);
		return refuse(reason, SPK_DNS_FAILED, "out of memory");
	}
	/* What a stranger must guess to be believed, beside the port. */
	written = getrandom(&id, sizeof(id), 0) == (ssize_t)sizeof(id);
	ldns_pkt_set_id(packet, id);
	written = written && (!question->client || add_client(packet, &subnet)) &&
		  ldns_pkt2wire(&wire, packet, &size) == LDNS_STATUS_OK;
	if (written)
		text_add(out, wire, size);
	free(wire);
	ldns_pkt_free(packet);
	return written ? SPK_DNS_ANSWERED
		       : refuse(reason, SPK_DNS_FAILED, "the question cannot be written");
}

/* ---- answers ---- */

struct answer {
	const struct spk_dns_question *question;
	ldns_pkt *packet;
	ldns_rr_list *records;
	const ldns_rdf *name; /* whose records are meant, behind all aliases */
	bool alias;           /* there is one */
	uint32_t ttl;         /* the smallest so far */
	struct spk_reason_buffer *reason;
};

static bool is_type(const ldns_rr *record, uint32_t type)
{
	return ldns_rr_get_class(record) == LDNS_RR_CLASS_IN &&
	       (uint32_t)ldns_rr_get_type(record) == type;
}

/* RFC 2181: one beyond its range is none. */
static uint32_t ttl_of(const ldns_rr *record)
{
	return ldns_rr_ttl(record) > TTL_MAX ? 0 : ldns_rr_ttl(record);
}

static bool belongs(const struct answer *answer, const ldns_rr *record, uint32_t type)
{
	return is_type(record, type) &&
	       ldns_dname_compare(ldns_rr_owner(record), answer->name) == 0;
}

static const ldns_rr *find(const struct answer *answer, uint32_t type)
{
	for (size_t i = 0; i < ldns_rr_list_rr_count(answer->records); i++) {
		const ldns_rr *record = ldns_rr_list_rr(answer->records, i);

		if (belongs(answer, record, type) && ldns_rr_rd_count(record) > 0)
			return record;
	}
	return NULL;
}

/* Goes to the name behind all aliases. False: they lead in a circle. */
static bool follow(struct answer *answer)
{
	size_t left = ldns_rr_list_rr_count(answer->records);
	const ldns_rr *alias;

	if (answer->question->type == LDNS_RR_TYPE_CNAME)
		return true;
	for (; (alias = find(answer, LDNS_RR_TYPE_CNAME)); left--) {
		if (left == 0)
			return false;
		answer->name = ldns_rr_rdf(alias, 0);
		answer->alias = true;
		if (ttl_of(alias) < answer->ttl)
			answer->ttl = ttl_of(alias);
	}
	return true;
}

/* Appends a name without its final dot. */
static bool add_name(const ldns_rdf *name, struct text *out)
{
	char *text = name && ldns_rdf_get_type(name) == LDNS_RDF_TYPE_DNAME ? ldns_rdf2str(name)
									    : NULL;
	size_t length = text ? strlen(text) : 0;

	if (length > 1 && text[length - 1] == '.')
		length--;
	text_add(out, text ? text : "", length);
	free(text);
	return text != NULL;
}

/* Appends the strings of a TXT record, one behind the other. */
static bool add_strings(const ldns_rr *record, struct text *out)
{
	text_add(out, "", 0);
	for (size_t i = 0; i < ldns_rr_rd_count(record); i++) {
		const ldns_rdf *string = ldns_rr_rdf(record, i);
		const uint8_t *bytes = ldns_rdf_data(string);
		size_t size = ldns_rdf_size(string);

		if (ldns_rdf_get_type(string) != LDNS_RDF_TYPE_STR || size == 0 ||
		    bytes[0] != size - 1)
			return false;
		text_add(out, bytes + 1, size - 1);
	}
	return true;
}

/* Appends what is in a record as a zone file has it. */
static bool add_data(const ldns_rr *record, struct text *out)
{
	text_add(out, "", 0);
	for (size_t i = 0; i < ldns_rr_rd_count(record); i++) {
		char *text = ldns_rdf2str(ldns_rr_rdf(record, i));

		if (!text)
			return false;
		text_printf(out, "%s%s", i ? " " : "", text);
		free(text);
	}
	return ldns_rr_rd_count(record) > 0;
}

static bool get_number(const ldns_rr *record, size_t at, uint16_t *ret)
{
	const ldns_rdf *number = ldns_rr_rdf(record, at);

	if (!number || ldns_rdf_get_type(number) != LDNS_RDF_TYPE_INT16)
		return false;
	*ret = ldns_rdf2native_int16(number);
	return true;
}

/* A record in our form; its text is appended to `text`. False: there is something wrong in it. */
static bool convert(const ldns_rr *record, struct spk_dns_reply_record *told, struct text *text)
{
	switch (ldns_rr_get_type(record)) {
	case LDNS_RR_TYPE_NS:
	case LDNS_RR_TYPE_CNAME:
	case LDNS_RR_TYPE_PTR:
		return add_name(ldns_rr_rdf(record, 0), text);
	case LDNS_RR_TYPE_MX:
		return get_number(record, 0, &told->priority) &&
		       add_name(ldns_rr_rdf(record, 1), text);
	case LDNS_RR_TYPE_SRV:
		return get_number(record, 0, &told->priority) &&
		       get_number(record, 1, &told->weight) && get_number(record, 2, &told->port) &&
		       add_name(ldns_rr_rdf(record, 3), text);
	case LDNS_RR_TYPE_TXT:
		return add_strings(record, text);
	default:
		return add_data(record, text);
	}
}

/* Tells all records of the name and the type, or, without a visitor, looks whether it could. */
static bool tell(struct answer *answer, spk_dns_visitor *visitor, void *data, size_t *ret_count)
{
	struct text name = {0}, text = {0};
	bool good = add_name(answer->name, &name);

	*ret_count = 0;
	for (size_t i = 0; i < ldns_rr_list_rr_count(answer->records) && good; i++) {
		const ldns_rr *record = ldns_rr_list_rr(answer->records, i);
		struct spk_dns_reply_record told = {.size = sizeof(told)};

		if (!belongs(answer, record, answer->question->type))
			continue;
		text_clear(&text);
		good = convert(record, &told, &text);
		told.ttl = ttl_of(record);
		told.name = name.bytes;
		told.text = text.bytes;
		told.length = text.length;
		if (told.ttl < answer->ttl)
			answer->ttl = told.ttl;
		if (good && visitor)
			visitor(data, &told);
		*ret_count += 1;
	}
	text_free(&name);
	text_free(&text);
	return good;
}

/*
 * What the server says of the client: bits of its address, or -1 for nothing. False: it speaks of
 * another one, which RFC 7871 wants taken for a forgery.
 */
static bool read_scope(const struct answer *answer, int32_t *ret)
{
	ldns_edns_option_list *list = ldns_pkt_edns_get_option_list(answer->packet);
	struct subnet asked;

	*ret = -1;
	if (!answer->question->client || !subnet_of(answer->question, &asked))
		return true;
	for (size_t i = 0; i < ldns_edns_option_list_get_count(list); i++) {
		const ldns_edns_option *option = ldns_edns_option_list_get_option(list, i);
		const uint8_t *bytes = ldns_edns_get_data(option);
		size_t size = ldns_edns_get_size(option);

		if (ldns_edns_get_code(option) != LDNS_EDNS_CLIENT_SUBNET)
			continue;
		if (size != SUBNET_HEAD + asked.length || bytes[0] != 0 ||
		    bytes[1] != asked.family || bytes[2] != asked.bits ||
		    bytes[3] > (asked.family == 2 ? 128 : 32) ||
		    memcmp(bytes + SUBNET_HEAD, asked.address, asked.length) != 0)
			return false;
		*ret = bytes[3];
	}
	return true;
}

static enum spk_dns_status judge_code(struct answer *answer)
{
	unsigned int code = (unsigned int)ldns_pkt_get_rcode(answer->packet) |
			    (unsigned int)ldns_pkt_edns_extended_rcode(answer->packet) << 4;
	const ldns_lookup_table *row;

	if (code == LDNS_RCODE_NOERROR)
		return SPK_DNS_ANSWERED;
	if (code == LDNS_RCODE_NXDOMAIN)
		return SPK_DNS_NO_NAME;
	row = ldns_lookup_by_id(ldns_rcodes, (int)code);
	if (row)
		reason_set(answer->reason, "the server answers with %s", row->name);
	else
		reason_set(answer->reason, "the server answers with error %u", code);
	return SPK_DNS_FAILED;
}

/* The reason why there is nothing, when it is not that of the name that was asked for. */
static enum spk_dns_status blame_alias(const struct answer *answer, enum spk_dns_status status)
{
	struct text name = {0};

	if (answer->alias && add_name(answer->name, &name))
		reason_set(answer->reason, "it is an alias of '%s'", name.bytes);
	text_free(&name);
	return status;
}

static enum spk_dns_status read_records(struct answer *answer, struct spk_dns_reply *reply,
					spk_dns_visitor *visitor, void *data)
{
	enum spk_dns_status status = judge_code(answer);
	size_t count;

	if (status == SPK_DNS_FAILED)
		return status;
	if (!read_scope(answer, &reply->client_scope))
		return refuse(answer->reason, SPK_DNS_FAILED,
			      "the answer is for another client than the one that was told");
	if (!follow(answer))
		return refuse(answer->reason, SPK_DNS_FAILED, "its aliases lead in a circle");
	if (status == SPK_DNS_NO_NAME)
		return blame_alias(answer, status);
	if (ldns_pkt_tc(answer->packet))
		return refuse(answer->reason, SPK_DNS_FAILED, "the answer is cut short, over TCP");
	if (!tell(answer, NULL, NULL, &count))
		return refuse(answer->reason, SPK_DNS_FAILED,
			      "a record of the answer is malformed");
	if (count == 0)
		return blame_alias(answer, SPK_DNS_NO_RECORDS);
	reply->ttl = answer->ttl;
	reply->authoritative = ldns_pkt_aa(answer->packet);
	(void)tell(answer, visitor, data, &count);
	return SPK_DNS_ANSWERED;
}

/* Whether the packet repeats what was asked. */
static bool answers(const ldns_pkt *packet, const struct spk_dns_question *question,
		    const ldns_rdf *name)
{
	const ldns_rr *asked = ldns_rr_list_rr(ldns_pkt_question(packet), 0);

	return ldns_pkt_qr(packet) && ldns_pkt_get_opcode(packet) == LDNS_PACKET_QUERY && asked &&
	       ldns_rr_list_rr_count(ldns_pkt_question(packet)) == 1 &&
	       is_type(asked, question->type) &&
	       ldns_dname_compare(ldns_rr_owner(asked), name) == 0;
}

enum spk_dns_status packet_read(const struct spk_dns_question *question, const void *bytes,
				size_t length, struct spk_dns_reply *reply,
				spk_dns_visitor *visitor, void *data,
				struct spk_reason_buffer *reason)
{
	ldns_rdf *name = name_of(question->name);
	struct answer answer = {
		.question = question,
		.name = name,
		.ttl = TTL_MAX,
		.reason = reason,
	};
	enum spk_dns_status status;
	ldns_status parsed;

	if (!name)
		return refuse(reason, SPK_DNS_INVALID, "it is no name of the DNS");
	parsed = ldns_wire2pkt(&answer.packet, bytes, length);
	if (parsed != LDNS_STATUS_OK) {
		reason_set(reason, "the answer is malformed: %s", ldns_get_errorstr_by_id(parsed));
		status = SPK_DNS_FAILED;
	} else if (!answers(answer.packet, question, name)) {
		status = refuse(reason, SPK_DNS_FAILED, "the answer is to another question");
	} else {
		answer.records = ldns_pkt_answer(answer.packet);
		status = read_records(&answer, reply, visitor, data);
	}
	if (parsed == LDNS_STATUS_OK)
		ldns_pkt_free(answer.packet);
	ldns_rdf_deep_free(name);
	return status;
}
