/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the child of a link says: records, secrets, results, requests for inner runs and locks,
 * questions. It
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

/* Frees the request that waits for link_answer(), if there is one. */
void requests_forget(struct link *link);

#endif
