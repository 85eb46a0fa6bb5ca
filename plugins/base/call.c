/* SPDX-License-Identifier: Apache-2.0 */
#include "call.h"

#include <poll.h>
#include <time.h>

#include "text.h"

#define MILLISECOND_NS INT64_C(1000000)
/* poll() does not count the time of a suspended machine. */
#define SLEEP_MAX_MS 1000

int64_t call_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

int call_sleep(int64_t deadline_ns)
{
	int64_t left = deadline_ns - call_now();

	if (left <= 0)
		return 0;
	return left > SLEEP_MAX_MS * MILLISECOND_NS ? SLEEP_MAX_MS
						    : (int)(left / MILLISECOND_NS) + 1;
}

bool call_goes_on(struct spk_inventory_call *call)
{
	struct pollfd cancel = {.fd = call->cancel_fd, .events = POLLIN};

	if (call->cancel_fd >= 0 && poll(&cancel, 1, 0) > 0) {
		reason_set(&call->reason, "interrupted");
		return false;
	}
	if (call_now() < call->deadline_ns)
		return true;
	reason_set(&call->reason, "no answer in time");
	return false;
}
