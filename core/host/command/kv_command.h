/* SPDX-License-Identifier: Apache-2.0 */
/* `spicerack kv`: the objects of conftool as they are in their store. */
#ifndef SPICERACK_HOST_KV_COMMAND_H
#define SPICERACK_HOST_KV_COMMAND_H

/* `argv` are the words behind `kv`. Returns the exit code. */
int kv_command(int argc, char **argv);

#endif
