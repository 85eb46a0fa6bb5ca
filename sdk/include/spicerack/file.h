/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Local files. Failures raise `file`, naming the file and the system's reason.
 * What changes something does nothing in dry-run and logs what it would do.
 */
#ifndef SPICERACK_FILE_H
#define SPICERACK_FILE_H

#include <spicerack/value.h>

#ifdef __cplusplus
extern "C" {
#endif

struct spk;

/* Whether something is there, following links; a dangling link is not. Since 1.0. */
SPK_API bool spk_file_exists(struct spk *spk, const char *path);
/* Whether a directory is there, following links. Since 1.0. */
SPK_API bool spk_is_directory(struct spk *spk, const char *path);
/* The contents of a regular file of at most 16 MiB without a NUL byte. Since 1.0. */
SPK_API const char *spk_file_read(struct spk *spk, const char *path);
/* What a symbolic link holds, or NULL when nothing is there; raises when it is no link. Since 1.0.
 */
SPK_API const char *spk_link_read(struct spk *spk, const char *path);
/*
 * Makes `path` a symbolic link to `target`, replacing a link that is there in
 * one step (a new link renamed over it): a reader sees the old or the new one.
 * Refuses to replace anything that is not a link. Since 1.0.
 */
SPK_API void spk_link_replace(struct spk *spk, const char *path, const char *target);
/* Removes a symbolic link; one that is not there is fine, anything else is refused. Since 1.0. */
SPK_API void spk_link_remove(struct spk *spk, const char *path);
/* `directory/name`, with one slash between them. Since 1.0. */
SPK_API const char *spk_path_join(struct spk *spk, const char *directory, const char *name);

#ifdef __cplusplus
}
#endif

#endif
