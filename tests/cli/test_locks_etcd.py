# SPDX-License-Identifier: Apache-2.0
"""Locks in a real etcd by its API 3: the rules of every store, and the end of a lease. Its API 2: test_locks_etcd2.py"""

import signal
import sys
import unittest

import lock_rules
from harness import LONG, PREFIX, SOURCE

sys.path.insert(0, str(SOURCE / "tests" / "etcd"))
try:
    import servers
except ImportError:
    servers = None


SLOW = unittest.skipUnless(LONG, "each waits for the end of a lease")


def setUpModule():
    if servers is None or not list(PREFIX.rglob("lock-etcd.so")):
        raise unittest.SkipTest("the driver of etcd is not here")


class Etcd(lock_rules.Store):
    """One server for each class of tests."""

    api = 3
    lease = 30
    frees_within = 35
    overlap_allowed_ns = 600_000_000

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cluster = cls.make_cluster().start()
        cls.addClassCleanup(cls.cluster.stop)

    @classmethod
    def make_cluster(cls):
        return servers.Cluster()

    def setUp(self):
        super().setUp()
        self.cluster.empty()

    def store_settings(self):
        return f'store = "etcd"; etcd_api = "{self.api}"; etcdrc = "/nonexistent";'

    def other_settings(self):
        return f'instance_params = {{ etcd_config = "{self.cluster.config()}"; }};\n'

    def cut_store(self):
        self.cluster.members[0].send_signal(signal.SIGSTOP)

    def mend_store(self):
        self.cluster.members[0].send_signal(signal.SIGCONT)


class LockOfARun(Etcd, lock_rules.LockOfARun):
    pass


class LocksOfACookbook(Etcd, lock_rules.LocksOfACookbook):
    pass


class Deaths(Etcd, lock_rules.Deaths):
    test_killed_runner_or_worker = SLOW(lock_rules.Deaths.test_killed_runner_or_worker)
    test_killed_waiter = SLOW(lock_rules.Deaths.test_killed_waiter)


class Deadline(Etcd, lock_rules.Deadline):
    test_store_that_comes_back = SLOW(lock_rules.Deadline.test_store_that_comes_back)
    test_stopped_supervisor = SLOW(lock_rules.Deadline.test_stopped_supervisor)


class Commands(Etcd, lock_rules.Commands):
    pass


class Contention(Etcd, lock_rules.Contention):
    pass


if __name__ == "__main__":
    unittest.main()
