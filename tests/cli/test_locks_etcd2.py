# SPDX-License-Identifier: Apache-2.0
"""Locks in etcd by API 2, as the Python host has them: the rules of every store, and no queue."""

import unittest

import lock_rules
from harness import LONG
from locks_in_etcd import Etcd, EtcdStore

setUpModule, tearDownModule = Etcd.start, Etcd.stop


class Api2(EtcdStore):
    api = 2
    has_queue = False
    frees_within = 65
    stored_ttl = 60


class LockOfARun(Api2, lock_rules.LockOfARun):
    pass


@unittest.skipUnless(LONG, "whoever waits looks every 5 s and more")
class LocksOfACookbook(Api2, lock_rules.LocksOfACookbook):
    pass


@unittest.skipUnless(LONG, "each waits for the end of its ttl")
class Deaths(Api2, lock_rules.Deaths):
    pass


class Commands(Api2, lock_rules.Commands):
    pass


@unittest.skipUnless(LONG, "whoever waits looks every 5 s and more")
class Contention(Api2, lock_rules.Contention):
    PROCESSES = 4
    overlap_allowed_ns = 10**9

    @unittest.skipUnless(LONG, "each death waits for the end of its ttl")
    def test_random_deaths_and_stops(self):
        super().test_random_deaths_and_stops()


if __name__ == "__main__":
    unittest.main()
