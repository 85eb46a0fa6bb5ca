# SPDX-License-Identifier: Apache-2.0
"""Locks in a real etcd by its API 2, as the Python host has them: the rules of every store, and no queue."""

import unittest

import lock_rules
import test_locks_etcd
from harness import LONG
from test_locks_etcd import setUpModule  # noqa: F401

SLOW = unittest.skipUnless(LONG, "whoever waits looks every 5 s and more")


class Etcd(test_locks_etcd.Api2, test_locks_etcd.Etcd):
    pass


class LockOfARun(Etcd, lock_rules.LockOfARun):
    pass


@SLOW
class LocksOfACookbook(Etcd, lock_rules.LocksOfACookbook):
    pass


@SLOW
class Deaths(Etcd, lock_rules.Deaths):
    pass


@SLOW
class Deadline(Etcd, lock_rules.Deadline):
    pass


class Commands(Etcd, lock_rules.Commands):
    pass


class Unreadable(Etcd, test_locks_etcd.Unreadable):
    test_removed_by_its_whole_id = test_keys_of_no_lock = None

    def breaks(self, value="{no json"):
        self.cluster.ctl("set", "--", self.OTHER, value, api="2")

    def value(self):
        return self.cluster.ctl("get", self.OTHER, api="2")


@SLOW
class Contention(Etcd, lock_rules.Contention):
    PROCESSES = 4


if __name__ == "__main__":
    unittest.main()
