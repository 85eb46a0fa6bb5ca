# SPDX-License-Identifier: Apache-2.0
"""Runs with their locks in a cluster of etcd whose members die, come back, and are cut off from the runs."""

import random
import threading
import time
import unittest

import lock_rules
import test_locks_etcd
from harness import LONG
from test_locks_etcd import servers, setUpModule  # noqa: F401

SLOW = unittest.skipUnless(LONG, "takes minutes")


class Etcd(test_locks_etcd.Etcd):
    """A cluster of three for each class of tests."""

    @classmethod
    def make_cluster(cls):
        return servers.Cluster(3)

    def setUp(self):
        for member in self.cluster.members:
            # What a thread has started ends with the thread.
            if not member.process or member.process.poll() is not None:
                member.start()
        for member in self.cluster.members:
            servers.wait_until(member.healthy, 60, member.name)
        super().setUp()

    def restart(self, member, seconds):
        member.stop()
        time.sleep(seconds)
        member.start()


class Members(Etcd, lock_rules.Contention):
    test_one_at_a_time = test_five_at_a_time = test_first_come_first_served = test_nobody_overtakes = None
    PROCESSES = 50 if LONG else 6

    def test_the_first_member_dies(self):
        """The one that all of them have asked so far."""
        holder, waiter = self.holder(), self.take("waiter")
        if self.has_queue:
            self.wait_entries(["held", "waiting"])
        self.cluster.members[0].stop()
        self.go("holder")
        for process in (holder, waiter):
            result = self.finish(process)
            self.assertEqual(result.code, 0, result)
        self.assertEqual(self.entries(), [])
        if self.has_fence:
            self.assertLess(self.marks_of("holder")[0][1], self.marks_of("waiter")[0][1])

    def test_members_die_and_come_back(self):
        """One after the other, the leader among them, while many contend."""
        restarts, chance = 12 if LONG else 2, random.Random(11)

        def disturb(_):
            self.wait_marked("witness", "unlock")
            for _ in range(restarts):
                member = chance.choice(self.cluster.members)
                self.restart(member, 1)
                servers.wait_until(member.healthy, 60, member.name)

        codes, marks = self.contend(1, 100 if LONG else 30, disturb)
        most, refused = self.judge(marks, 1)
        print(f"{restarts} members restarted: {len(marks) // 2} acquisitions, at most {most} at once, "
              f"{refused} writes refused, exit codes {sorted(set(codes))}")
        self.assertEqual(set(codes), {0})
        self.assertEqual(len(marks), 2 * self.PROCESSES * (100 if LONG else 30))
        self.assertEqual((most, refused), (1, 0))

    @SLOW
    def test_random_deaths_and_stops(self):
        """As with one server, and its members die, too."""
        chance, over = random.Random(13), threading.Event()

        def restart_members():
            while not over.is_set():
                member = chance.choice(self.cluster.members)
                self.restart(member, 2)
                servers.wait_until(member.healthy, 60, member.name)
                over.wait(5)

        restarter = threading.Thread(target=restart_members)
        restarter.start()
        try:
            super().test_random_deaths_and_stops()
        finally:
            over.set()
            restarter.join()


@SLOW
class Members2(test_locks_etcd.Api2, Members):
    """No queue: few, for who finds it taken looks again after 5 s and more."""

    PROCESSES = 3


class Network(Etcd, lock_rules.LocksTest):
    """The holder is cut off from the store; whoever waits is where the store is."""

    @classmethod
    def make_cluster(cls):
        cls.network = servers.Namespaces(cls.addClassCleanup)
        return servers.Cluster(1, addresses=[cls.network.ADDRESS], prefixes=[cls.network.there])

    def take_both(self, how):
        holder = self.take("beats", "--how", how, prefix=self.network.here)
        self.wait_marked("beats", "beat" if how == "beat" else "run")
        waiter = self.take("beats", prefix=self.network.there)
        self.wait_for_log(f" {waiter.pid} [", lock_rules.NAME)
        return holder, waiter

    def entries(self, key=lock_rules.NAME):
        raise AssertionError("the store is not where the test is")

    @SLOW
    def test_cut_for_good(self):
        """The holder is gone before another one comes in: no write with an old token."""
        holder, waiter = self.take_both("beat")
        self.network.cut()
        try:
            result = self.finish(holder, timeout=self.lease + 60)
            self.assertEqual(result.code, 91, result)
            self.assertIn("The store of locks does not answer: ", result.err)
            self.assertIn("The lock of this run is lost: ", result.err)
            self.assertIn(f"Cookbook {lock_rules.NAME} was stopped without its lock: a rollback is owed\n", result.err)
            ended = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
            result = self.finish(waiter, timeout=self.lease + 90)
        finally:
            self.network.mend()
        self.assertEqual(result.code, 0, result)
        marks = self.marks_of("beats")
        processes = list(dict.fromkeys(mark[2] for mark in marks))
        self.assertEqual(len(processes), 2)
        first = next(mark[3] for mark in marks if mark[2] == processes[1])
        late = [mark for mark in marks if mark[2] == processes[0] and mark[3] >= first]
        print(f"API {self.api}: {len(marks)} writes, {len(late)} with an old token; the holder had ended "
              f"{(first - ended) / 1e9:.1f} s before the next one came in")
        self.assertEqual(late, [])

    def test_cut_for_a_while(self):
        """Shorter than a renewal may take: nobody notices, and what is given back is given back."""
        holder, waiter = self.take_both("wait")
        self.network.cut()
        time.sleep(3)
        self.network.mend()
        self.go("beats")
        for process in (holder, waiter):
            result = self.finish(process)
            self.assertEqual(result.code, 0, result)


@SLOW
class Network2(test_locks_etcd.Api2, Network):
    test_cut_for_a_while = None


if __name__ == "__main__":
    unittest.main()
