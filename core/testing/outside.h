/* SPDX-License-Identifier: Apache-2.0 */
/* The drivers of a test: those outside, played by the rules of its world. */
#ifndef SPICERACK_TESTING_OUTSIDE_H
#define SPICERACK_TESTING_OUTSIDE_H

#include <spicerack/plugin.h>

/* The name of those whose name is configured; the others have that of what they stand for. */
#define OUTSIDE_NAME "testing"
/* The transport that asks real hosts while it is recorded what they reply. */
#define OUTSIDE_RECORDER "libssh"
/* Types of the DNS whose records have numbers in front. */
#define OUTSIDE_MX 15
#define OUTSIDE_SRV 33

extern const struct spk_transport_driver outside_hosts;
extern const struct spk_transport_driver outside_recorder;
extern const struct spk_inventory_driver outside_inventory;
extern const struct spk_lock_driver outside_locks;
extern const struct spk_notify_driver outside_notify;
extern const struct spk_http_driver outside_http;
extern const struct spk_dns_driver outside_dns;

/*
 * The exchanges of the drivers above with the real servers, which are recorded; `request` and
 * `what` are what the rules know them by.
 */
enum spk_http_end record_http(const char *request, const struct spk_http_order *order,
			      const struct spk_http_calls *calls, void *data,
			      struct spk_http_reply *ret);
enum spk_dns_status record_dns(const char *what, const struct spk_dns_question *question,
			       struct spk_dns_reply *reply, spk_dns_visitor *visitor, void *data,
			       struct spk_dns_call *call);

#endif
