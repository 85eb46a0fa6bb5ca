# SPDX-License-Identifier: Apache-2.0
"""Locks in etcd by API 3: the rules of every store. A dead run's locks are free when its lease of 30 s ends."""

import unittest

import lock_rules
from harness import LONG
from locks_in_etcd import Etcd, EtcdStore

setUpModule, tearDownModule = Etcd.start, Etcd.stop


class LockOfARun(EtcdStore, lock_rules.LockOfARun):
    pass


class LocksOfACookbook(EtcdStore, lock_rules.LocksOfACookbook):
    pass


@unittest.skipUnless(LONG, "each waits for the end of a lease")
class Deaths(EtcdStore, lock_rules.Deaths):
    pass


class Commands(EtcdStore, lock_rules.Commands):
    pass


class Contention(EtcdStore, lock_rules.Contention):
    PROCESSES = 50 if LONG else 8
    overlap_allowed_ns = 10**9

    @unittest.skipUnless(LONG, "each death waits for the end of a lease")
    def test_random_deaths_and_stops(self):
        super().test_random_deaths_and_stops()


if __name__ == "__main__":
    unittest.main()
