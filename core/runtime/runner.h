/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The runner: opens the cookbook, makes the memory of the run, and starts the children
 * that work in it. It calls nothing of the cookbook itself, so that it is there when a
 * child has died. When the supervisor is gone, it ends everything.
 */
#ifndef SPICERACK_CORE_RUNNER_H
#define SPICERACK_CORE_RUNNER_H

/* The body of the `runner` command: exported for it alone, no part of the SDK. */
__attribute__((visibility("default"))) int spk_private_runner_main(void);

#endif
