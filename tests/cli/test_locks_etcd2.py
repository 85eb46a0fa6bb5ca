# SPDX-License-Identifier: Apache-2.0
"""Locks in a real etcd by its API 2, as the Python host has them: the rules of every store, and no queue."""

import unittest

import lock_rules
import test_locks_etcd
from harness import LONG
from test_locks_etcd import setUpModule  # noqa: F401

SLOW = unittest.skipUnless(LONG, "whoever waits looks every 5 s and more")


class Etcd(test_locks_etcd.Etcd):
    api = 2
    has_queue = False
    lease = 60
    frees_within = 65
    stored_ttl = 60


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


@SLOW
class Contention(Etcd, lock_rules.Contention):
    PROCESSES = 4


if __name__ == "__main__":
    unittest.main()
