/* SPDX-License-Identifier: Apache-2.0 */
/* The driver of HTTP of this process, with the connections that it keeps. */
#ifndef SPICERACK_MODULES_HTTPDRIVER_H
#define SPICERACK_MODULES_HTTPDRIVER_H

#include <spicerack/plugin.h>

#include "../runtime/err.h"

/*
 * Opens it when first asked for in this process: sessions share it, whichever they are. -1 with the
 * reason.
 */
MUST_CHECK int http_driver_open(const struct spk_http_driver **ret_driver, void **ret_client,
				struct err *err);

#endif
