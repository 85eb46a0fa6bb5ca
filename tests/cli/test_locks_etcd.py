# SPDX-License-Identifier: Apache-2.0
"""Locks in a real etcd by its API 3: the rules of every store, and the end of a lease. Its API 2: test_locks_etcd2.py"""

import re
import signal
import sys
import time
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


class Api2:
    """What is different by that API, for classes of tests that are made for API 3."""

    api = 2
    wait = 600  # it tries again later and later
    has_queue = False
    lease = 60
    frees_within = 65
    stored_ttl = 60


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


class Unreadable(Etcd, lock_rules.LocksTest):
    """What somebody else has written where locks are: named, left as it is, and in nobody else's way."""

    ID = "00000000-0000-4000-8000-000000000000"
    OTHER = "/spicerack/locks/custom/broken"

    def breaks(self, value="{no json"):
        self.cluster.ctl("put", "--", f"/spicerack/v3/locks/custom/broken/{self.ID}", value)

    def value(self):
        return self.cluster.ctl("get", "--print-value-only", f"/spicerack/v3/locks/custom/broken/{self.ID}")

    def test_others_are_listed(self):
        holder = self.holder()
        self.breaks()
        for words in (["list"], ["list", "--json"]):
            result = self.locks(*words)
            self.assertEqual(result.code, 1, result)
            self.assertIn(lock_rules.KEY, result.out)
            self.assertIn(f"[{holder.pid}]", result.out)
            self.assertRegex(result.err, rf"^spicerack locks list: error: {self.OTHER}: [^/\n]+\n$")
        self.go("holder")
        self.assertEqual(self.finish(holder).code, 0)

    def test_refused_by_its_key(self):
        self.breaks()
        before = self.value()
        for words in (["show", self.OTHER], ["hold", self.OTHER, "--for", "1h", "--reason", "x"],
                      ["unhold", self.OTHER], ["release", self.OTHER, "0000", "--reason", "x"]):
            result = self.locks(*words)
            self.assertEqual(result.code, 1, result)
            self.assertRegex(result.err, rf"^spicerack locks {words[0]}: error: {self.OTHER}: [^/\n]+\n$")
        result = self.run_fixture("--name", "broken")
        self.assertEqual(result.code, 99, result)
        self.assertIn(f"{self.OTHER}: ", result.err)
        self.assertEqual(self.value(), before)

    def test_removed_by_its_whole_id(self):
        self.breaks()
        result = self.locks("release", self.OTHER, self.ID, "--reason", "it is broken")
        self.assertEqual(result.code, 0, result)
        self.assertEqual(self.value(), "")
        self.assertEqual(self.run_fixture("--name", "broken").code, 0)

    def test_keys_of_no_lock(self):
        holder = self.holder()
        self.cluster.ctl("put", "/spicerack/v3/locks/stray", "x")
        result = self.locks("list")
        self.assertEqual(result.code, 1, result)
        self.assertIn(f"[{holder.pid}]", result.out)
        self.assertIn("/spicerack/locks/: cannot read the entry stray: it stands where no lock is", result.err)
        self.go("holder")
        self.assertEqual(self.finish(holder).code, 0)


class LostAtOnce(Etcd, lock_rules.LocksTest):
    """The lease ends while the answer that the lock is taken is on its way: the lock is not held."""

    def other_settings(self):
        self.proxy = self.proxy or servers.Proxy(self, self.cluster.members[0])
        config = self.cluster.config(hosts=[("127.0.0.1", self.proxy.port)])
        return f'instance_params = {{ etcd_config = "{config}"; }};\n'

    proxy = lease_id = None

    def change(self, answer):
        """A short lease is granted, which is over when the first entry has been put under it."""
        granted = re.search(rb'"ID":"(\d+)","TTL":"30"', answer)
        if granted:
            self.lease_id = granted[1].decode()
            return answer.replace(b'"TTL":"30"', b'"TTL":"6" ')
        if self.lease_id and b'"response_put"' in answer:
            time.sleep(2.5)  # so that it is to be renewed, which tells
            self.cluster.request("POST", "/v3/lease/revoke", f'{{"ID": "{self.lease_id}"}}')
            self.proxy.change = None
        return answer

    def test_no_run_without_its_lock(self):
        self.proxy.change = self.change
        result = self.run_fixture()
        self.assertEqual(result.code, 90, result)
        self.assertIn(f"Unable to acquire the lock of cookbook {lock_rules.NAME}: {lock_rules.KEY}: the lease of this "
                      "lock has ended in the store\n", result.err)
        self.assertEqual(self.marks_of("marks"), [])
        self.assertEqual(self.entries(), [])


class Contention(Etcd, lock_rules.Contention):
    test_five_at_a_time = unittest.skipUnless(LONG, "50 processes once more")(lock_rules.Contention.test_five_at_a_time)


if __name__ == "__main__":
    unittest.main()
