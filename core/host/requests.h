/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the child of a link says: records, secrets, results, requests for inner runs and locks. It
 * is hostile once a cookbook has been called in it; whoever breaks the protocol loses the runner.
 */
#ifndef SPICERACK_HOST_REQUESTS_H
#define SPICERACK_HOST_REQUESTS_H

#include "link.h"

/*
 * Takes one message that has arrived and does what it asks for. The type of the event that
 * link->event then holds; LINK_ANSWER: nothing to tell; LINK_RUNNER_GONE: the protocol is broken.
 */
enum link_event_type requests_take(struct link *link);

/* Answers the request of that serial. False: the child does not take it. */
bool requests_answer(struct link *link, uint32_t serial, const struct buf *body);

/* Frees what the last request for an inner run holds. */
void requests_forget_nested(struct link *link);

#endif
