/* SPDX-License-Identifier: Apache-2.0 */
#include "httpdriver.h"

#include <unistd.h>

#include "../runtime/driver.h"

#define DRIVER "curl"

int http_driver_open(const struct spk_http_driver **ret_driver, void **ret_client, struct err *err)
{
	static const struct spk_http_driver *driver;
	static void *client;
	static pid_t process;
	struct spk_reason_buffer reason = {{0}};

	if (!driver)
		driver = (const struct spk_http_driver *)driver_open("http", DRIVER,
								     sizeof(*driver), err);
	if (!driver)
		return -1;
	/* Connections are no other process's: a forked one leaves them alone. */
	if (!client || process != getpid()) {
		client = driver->open(&reason);
		process = getpid();
	}
	if (!client)
		return err_set(err, "cannot make requests: %s", reason.text);
	*ret_driver = driver;
	*ret_client = client;
	return 0;
}
