/* SPDX-License-Identifier: Apache-2.0 */
/* bench-floor DIRECTORY: walks a tree, opens each file and reads as much of it at once as a list
 * does. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "../../core/host/peek/elf.h"

static unsigned long total;

static void walk(int fd)
{
	static char bytes[ELF_FIRST_WINDOW];
	DIR *directory = fdopendir(fd);
	struct dirent *line;
	ssize_t got;
	int child;

	while (directory && (line = readdir(directory))) {
		if (line->d_name[0] == '.')
			continue;
		child = openat(fd, line->d_name, O_RDONLY | O_CLOEXEC);
		if (line->d_type == DT_DIR) {
			walk(child);
			continue;
		}
		got = pread(child, bytes, sizeof(bytes), 0);
		total += got > 0 ? (unsigned long)got : 0;
		close(child);
	}
	if (directory)
		closedir(directory);
}

int main(int argc, char **argv)
{
	walk(open(argc > 1 ? argv[1] : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	printf("%lu bytes\n", total);
	return 0;
}
