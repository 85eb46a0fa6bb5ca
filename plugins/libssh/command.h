/* SPDX-License-Identifier: Apache-2.0 */
/* A command on a host: a channel, its input and output, and its end. */
#ifndef SPICERACK_LIBSSH_COMMAND_H
#define SPICERACK_LIBSSH_COMMAND_H

#include "transport.h"

struct command;

/* As the calls of the driver's table. */
struct command *command_start(struct transport *transport,
			      const struct spk_transport_command *wanted);
size_t command_feed(struct command *command, const char *bytes, size_t length);
void command_finish(struct command *command);
void command_hold(struct command *command, bool on);
void command_abandon(struct command *command);

/* All that there are, at the end of the transport. */
void command_free_all(struct transport *transport);

#endif
