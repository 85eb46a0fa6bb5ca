# SPDX-License-Identifier: Apache-2.0
"""Runs: order of the callbacks, exit codes, START and END, rollback."""

import unittest

from harness import CommandTest

WHOLE = ["check", "prepare", "describe", "lock", "run"]


class Order(CommandTest):
    def test_success(self):
        result = self.misbehave("--scoped", "--deferred")
        self.assertEqual(result.code, 0, result)
        self.assertEqual(self.marks(), [*WHOLE, "scope", "run ends", "deferred"])
        self.assertEqual(result.out, "")
        self.assertEqual(result.err,
                         "START - Cookbook fixture.misbehave by nothing\n"
                         "END (PASS) - Cookbook fixture.misbehave (exit_code=0) by nothing\n")
        self.assertNothingLeft()

    def test_raise_is_rolled_back_after_the_scopes(self):
        result = self.misbehave("--how", "raise", "--scoped", "--deferred")
        self.assertEqual(result.code, 99, result)
        self.assertEqual(self.marks(), [*WHOLE, "scope", "deferred", "rollback", "rollback ends"])


if __name__ == "__main__":
    unittest.main()
