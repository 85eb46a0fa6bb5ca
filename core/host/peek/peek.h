/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the descriptors of a cookbook file without executing anything of it:
 * bounded pread, dynamic symbols, relocations followed on paper. Everything in the
 * file is hostile.
 */
#ifndef SPICERACK_HOST_PEEK_H
#define SPICERACK_HOST_PEEK_H

#include "../../runtime/err.h"
#include "spec.h"

/* A file read. All that its specs point to lives as long as it does. */
struct peek {
	struct file_identity identity;
	struct cookbook_spec *cookbooks; /* in byte order of their symbols */
	size_t count;                    /* at least 1 */
	struct pool *pool;               /* owns the memory; NULL: the reader does */
};

enum peek_depth {
	PEEK_TITLES, /* for a list; read and judged as far as PEEK_ALL, but for libraries */
	PEEK_ALL,    /* for running it: where it looks for libraries is judged, too (runpath.h) */
};

/*
 * Opens and reads `path`, judging its owner and mode (trust.h; the directories
 * above are the caller's to judge). -1 and one line that starts with the path for a
 * file that is broken, foreign, too new, untrusted or holds no cookbook; one bad cookbook
 * condemns the file. errno is then ENOENT when, and only when, there is no such file.
 */
MUST_CHECK int peek_file(const char *path, enum peek_depth depth, struct peek *ret,
			 struct err *err);

/* Memory for reading one file after the other. */
struct peek_reader;
struct elf;

/*
 * Looks at a file while it is open, after its descriptors were read. `peek` has those that make
 * sense, in the order of their symbols; there may be none.
 */
typedef void peek_inspect(void *data, struct elf *elf, int fd, const struct peek *peek);

struct peek_reader *peek_reader_new(void) __attribute__((returns_nonnull));
void peek_reader_free(struct peek_reader *reader);

/*
 * From now on all that is wrong with a file becomes a finding, not only the first, and
 * what can be read is read on; where it looks for libraries is judged at every depth. `inspect` is
 * called for every file that is a shared object. What is returned stays the same.
 */
void peek_reader_collect(struct peek_reader *reader, struct findings *findings,
			 peek_inspect *inspect, void *data);

/*
 * The same for `name` in the open directory `directory`, and with more flags of open()
 * (O_NOFOLLOW); `path` is only named in the reason. With a `reader` all that `ret` points to is the
 * reader's and lives until it reads the next file; NULL: as with peek_file().
 */
MUST_CHECK int peek_file_at(struct peek_reader *reader, int directory, const char *name, int flags,
			    const char *path, enum peek_depth depth, struct peek *ret,
			    struct err *err);

/* The same for a file in memory, which need not outlive the call. Only the build-id identifies it.
 */
MUST_CHECK int peek_memory(struct peek_reader *reader, const void *bytes, size_t size,
			   const char *path, enum peek_depth depth, struct peek *ret,
			   struct err *err);

void peek_free(struct peek *peek);

#endif
