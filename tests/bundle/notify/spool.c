/* The notifier "spool": appends announcements to the file that EXAMPLE_SPOOL names. */
#include <spicerack/plugin.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

SPK_API extern const struct spk_notify_driver spk_driver;

static void *open_spool(const struct spk_driver_setting *settings, size_t count,
			struct spk_reason_buffer *reason)
{
	const char *path = getenv("EXAMPLE_SPOOL");
	int *fd = malloc(sizeof(*fd));

	if (fd && path &&
	    (*fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0640)) >= 0)
		return fd;
	snprintf(reason->text, sizeof(reason->text),
		 "cannot open the file named by EXAMPLE_SPOOL: %s", path ? path : "it is not set");
	free(fd);
	return NULL;
}

static void close_spool(void *notifier, struct spk_notify_call *call)
{
	close(*(int *)notifier);
	free(notifier);
}

static enum spk_notify_status send_notice(void *notifier, const struct spk_notice *notice,
					  struct spk_notify_call *call)
{
	const int *fd = notifier;

	if (notice->text && dprintf(*fd, "%s\n", notice->text) < 0)
		return SPK_NOTIFY_FAILED;
	return SPK_NOTIFY_SENT;
}

const struct spk_notify_driver spk_driver = {
	.driver = {.size = sizeof(spk_driver),
		   .abi = SPK_DRIVER_ABI,
		   .kind = "notify",
		   .name = "spool"},
	.open = open_spool,
	.close = close_spool,
	.send = send_notice,
};
