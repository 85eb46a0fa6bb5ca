/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What answers the questions of a run where nobody sits at the terminal: --yes, and the file of
 * --answers. Nothing but what was said before the run begins: no default, no guess.
 *
 *     answers = (
 *       { cookbook = "deploy.switch-release"; prompt = "ready"; answer = "go"; },
 *       { cookbook = "hosts.reimage"; prompt = "which-disk"; answer = ["sda", "sdb"]; }
 *     );
 *
 * A list is used up in its order. A plain answer holds for each time that it is asked for, but
 * "retry" for once, as a failure may be for ever.
 */
#ifndef SPICERACK_HOST_ANSWERS_H
#define SPICERACK_HOST_ANSWERS_H

#include "question.h"

struct answers;

/*
 * `file` NULL: none. The file is trusted as configuration is (configtext.h). -1 with the reason,
 * `FILE:LINE: MESSAGE`.
 */
MUST_CHECK int answers_read(const char *file, bool yes, struct answers **ret_answers,
			    struct err *err);
void answers_free(struct answers *answers);

/*
 * Answers the question or refuses it because what was said does not fit. False: nothing was said
 * of it. `answers` may be NULL.
 */
bool answers_apply(struct answers *answers, const struct question *question, struct reply *reply);

/* How a question could have been answered without a terminal, for the message that says so. */
void answers_put_hint(const struct question *question, struct buf *out);

#endif
