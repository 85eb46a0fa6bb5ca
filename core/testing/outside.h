/* SPDX-License-Identifier: Apache-2.0 */
/* The drivers of a test: those outside, played by the rules of its world. */
#ifndef SPICERACK_TESTING_OUTSIDE_H
#define SPICERACK_TESTING_OUTSIDE_H

#include <spicerack/plugin.h>

/* The name of those whose name is configured; the others have that of what they stand for. */
#define OUTSIDE_NAME "testing"
/* A transport that asks real hosts and writes down what they reply. */
#define OUTSIDE_RECORDER "testing_recorder"

extern const struct spk_transport_driver outside_hosts;
extern const struct spk_transport_driver outside_recorder;
extern const struct spk_inventory_driver outside_inventory;
extern const struct spk_lock_driver outside_locks;
extern const struct spk_notify_driver outside_notify;
extern const struct spk_http_driver outside_http;
extern const struct spk_dns_driver outside_dns;

#endif
