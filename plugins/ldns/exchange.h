/* SPDX-License-Identifier: Apache-2.0 */
/* Packets to servers and back, over UDP and TCP. */
#ifndef SPICERACK_LDNS_EXCHANGE_H
#define SPICERACK_LDNS_EXCHANGE_H

#include <spicerack/plugin.h>

#include "../base/text.h"

/*
 * Sends a packet to the servers of the question, one after the other, until one answers; appends
 * its answer, which has the same id and the same question. ANSWERED: there is one, whatever it
 * says.
 */
enum spk_dns_status exchange(const struct spk_dns_question *question, const struct text *packet,
			     struct text *answer, struct spk_dns_call *call);

#endif
