/* SPDX-License-Identifier: Apache-2.0 */
#include "chance.h"

#include <stdint.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

static void fill_uniquely(unsigned char *bytes, size_t size)
{
	static uint32_t calls;
	uint32_t own[2] = {(uint32_t)getpid(), ++calls};
	unsigned char all[16];
	struct timespec now;
	uint64_t ns;

	clock_gettime(CLOCK_REALTIME, &now);
	ns = (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
	memcpy(all, &ns, sizeof(ns));
	memcpy(all + sizeof(ns), own, sizeof(own));
	memset(bytes, 0, size);
	for (size_t i = 0; i < sizeof(all); i++)
		bytes[i % size] ^= all[i];
}

void chance_fill(void *bytes, size_t size)
{
	if (getrandom(bytes, size, 0) != (ssize_t)size)
		fill_uniquely(bytes, size);
}
