/* SPDX-License-Identifier: Apache-2.0 */
#include "identity.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../runtime/printable.h"

#define NOBODY "-"

/* Whether it may stand for a user in a log line: one word that is not too long. */
static bool user_is_valid(const char *name)
{
	size_t length = name ? strlen(name) : 0;

	return length > 0 && length < IDENTITY_NAME_SIZE && printable_is(name, length) &&
	       !strpbrk(name, " @[]");
}

static bool host_is_valid(const char *name)
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";

	return name[0] != '\0' && name[strspn(name, allowed)] == '\0';
}

static const char *user_of(uid_t uid)
{
	const struct passwd *entry = getpwuid(uid); /* NOLINT(concurrency-mt-unsafe): one thread */

	return entry && user_is_valid(entry->pw_name) ? entry->pw_name : NULL;
}

const char *identity_user(int64_t login_uid, uid_t effective, uid_t real, const char *sudo_user)
{
	const char *user = login_uid >= 0 ? user_of((uid_t)login_uid) : NULL;

	/* Only root can have got the variable from sudo; anybody else may have set it himself. */
	if (!user && effective == 0 && user_is_valid(sudo_user) && strcmp(sudo_user, "root") != 0)
		user = sudo_user;
	if (!user)
		user = user_of(real);
	return user ? user : NOBODY;
}

static int64_t login_uid_find(void)
{
	char text[32];
	ssize_t length;
	unsigned long long number;
	char *end;
	int fd = open("/proc/self/loginuid", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	length = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (length <= 0)
		return -1;
	text[length] = '\0';
	errno = 0;
	number = strtoull(text, &end, 10);
	if (end == text || (*end != '\0' && *end != '\n') || errno || number >= UINT32_MAX)
		return -1;
	return (int64_t)number;
}

void identity_fill(struct identity *identity)
{
	const char *sudo_user = getenv("SUDO_USER"); /* NOLINT(concurrency-mt-unsafe): one thread */

	memset(identity, 0, sizeof(*identity));
	identity->uid = geteuid();
	identity->pid = getpid();
	identity->login_uid = login_uid_find();
	snprintf(identity->user, sizeof(identity->user), "%s",
		 identity_user(identity->login_uid, identity->uid, getuid(), sudo_user));
	if (user_is_valid(sudo_user))
		snprintf(identity->sudo_user, sizeof(identity->sudo_user), "%s", sudo_user);
	/* A name that was cut need not end in NUL. */
	if (gethostname(identity->host, sizeof(identity->host) - 1) < 0 ||
	    !host_is_valid(identity->host))
		memcpy(identity->host, NOBODY, sizeof(NOBODY));
	snprintf(identity->owner, sizeof(identity->owner), "%s@%s [%ld]", identity->user,
		 identity->host, (long)identity->pid);
}
