/* SPDX-License-Identifier: Apache-2.0 */
#include "lease.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <spicerack/clock.h>

#include "fd.h"

int lease_create(struct lease **ret, int *ret_fd, struct err *err)
{
	int fd = memfd_create("spicerack-lease", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	void *page = MAP_FAILED;

	if (fd < 0)
		return err_errno(err, "cannot make the page of the lease");
	if (ftruncate(fd, sizeof(struct lease)) == 0)
		page = mmap(NULL, sizeof(struct lease), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	/* Of all mappings only this one can be written to. */
	if (page == MAP_FAILED ||
	    fcntl(fd, F_ADD_SEALS,
		  F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE | F_SEAL_SEAL) < 0) {
		err_errno(err, "cannot make the page of the lease");
		if (page != MAP_FAILED)
			munmap(page, sizeof(struct lease));
		fd_close(&fd);
		return -1;
	}
	if (fd_move_up(&fd, err) < 0) {
		munmap(page, sizeof(struct lease));
		return -1;
	}
	*ret = page;
	*ret_fd = fd;
	lease_set(*ret, INT64_MAX);
	return 0;
}

void lease_free(struct lease *lease)
{
	if (lease)
		munmap(lease, sizeof(*lease));
}

const struct lease *lease_open(int fd)
{
	void *page = mmap(NULL, sizeof(struct lease), PROT_READ, MAP_SHARED, fd, 0);

	close(fd);
	return page == MAP_FAILED ? NULL : page;
}

void lease_set(struct lease *lease, int64_t until_ns)
{
	atomic_store(&lease->until_ns, until_ns);
}

int64_t lease_get(const struct lease *lease)
{
	return atomic_load(&lease->until_ns);
}

bool lease_is_over(const struct lease *lease)
{
	return lease && spk_uptime().ns >= lease_get(lease);
}
