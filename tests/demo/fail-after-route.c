/* SPDX-License-Identifier: Apache-2.0 */
/* The sample discovery.service-route with a failure where it tells that all went well. */
#include <spicerack/cookbook.h>

#undef spk_info
#define spk_info(spk, ...) spk_fail((spk), "the monitoring of the service is red")

#include "../../cookbooks/discovery/service-route.c"
