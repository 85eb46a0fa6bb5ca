# SPDX-License-Identifier: Apache-2.0
"""Many processes want the same lock; a witness that trusts nobody counts."""

import os
import random
import signal
import subprocess
import sys
import time
import unittest

from servers import LONG, Client, Cluster, LockTest, wait_until
from witness import Witness

HERE = os.path.dirname(os.path.abspath(__file__))


def setUpModule():
    global cluster
    cluster = Cluster(3 if LONG else 1).start()


def tearDownModule():
    cluster.stop()


class Contenders(LockTest):
    def start(self, witness, key, count, concurrency, times, ms=1, **settings):
        clients = [Client(self, cluster.config(), **settings) for _ in range(count)]
        for client in clients:
            client.send("contend", witness.path, key, concurrency, times, ms)
        return clients


class Contend(Contenders):
    def counted(self, count, concurrency, times, **settings):
        witness = Witness(self, cluster.directory, concurrency)
        clients = self.start(witness, self.key(), count, concurrency, times, **settings)
        for client in clients:
            self.assertEqual(client.answer().status, "OK")
        self.assertEqual(len(witness.entered), count * times)
        self.assertEqual(len({lock_id for lock_id, _, _ in witness.entered}), count * times)
        self.assertEqual((witness.overlaps, witness.problems, witness.lost, witness.rejected), ([], [], 0, 0))
        return witness

    def test_one_at_a_time(self):
        witness = self.counted(50 if LONG else 10, 1, 100 if LONG else 8)
        self.assertEqual(witness.most, 1)
        # First come first served: the token is the place in the queue.
        fences = [fence for _, fence, _ in witness.entered]
        self.assertEqual(fences, sorted(fences))

    def test_five_at_a_time(self):
        witness = self.counted(50 if LONG else 12, 5, 100 if LONG else 8, ms=20)
        self.assertGreater(witness.most, 1)

    def test_with_api_2(self):
        self.counted(3, 1, 20 if LONG else 2, api=2)

    def test_with_the_other_host(self):
        key = self.key()
        witness = Witness(self, cluster.directory, 1, fenced=False)
        times = 20 if LONG else 2
        ours = self.start(witness, key, 2, 1, times, 20, api=2)
        words = [sys.executable, "-B", os.path.join(HERE, "reference.py"), cluster.members[0].url, key, str(times),
                 witness.path]
        theirs = [subprocess.Popen(words) for _ in range(2)]
        for process in theirs:
            self.addCleanup(process.kill)
        for client in ours:
            self.assertEqual(client.answer().status, "OK")
        for process in theirs:
            self.assertEqual(process.wait(), 0)
        self.assertEqual((witness.overlaps, witness.problems, witness.most), ([], [], 1))
        self.assertEqual(len(witness.entered), 4 * times)

    def test_killed_and_stopped_holders(self):
        """
        Random kill -9 and SIGSTOP. A holder that wakes up after its lease is over looks before its
        next step: until then it may overlap with its successor, and its token is refused.
        """
        witness = Witness(self, cluster.directory, 1)
        key, rounds, count = self.key(), 100 if LONG else 3, 6
        clients = self.start(witness, key, count, 1, 100000, 100, lease=3)
        killed, overlaps = 0, []
        for number in range(rounds):
            seen = len(witness.entered)
            wait_until(lambda seen=seen: len(witness.entered) > seen + 1)
            victim = next(client for client in clients if client.process.pid == witness.holder)
            if number % 3 == 1:
                victim.end()
                killed += 1
                clients.remove(victim)
                clients += self.start(witness, key, 1, 1, 100000, 100, lease=3)
                continue
            victim.process.send_signal(signal.SIGSTOP)
            # Until somebody else is in, if it was the holder indeed.
            time.sleep(5)
            woken = time.monotonic()
            victim.process.send_signal(signal.SIGCONT)
            said = wait_until(lambda: witness.last_word.get(victim.process.pid, 0) > woken and
                              witness.last_word[victim.process.pid])
            if witness.lost + witness.rejected > len(overlaps):
                overlaps.append(said - woken)
        for client in clients:
            client.end()
        print(f"{len(witness.entered)} times in, {killed} killed, {witness.lost} found out by themselves that their "
              f"time was over, {witness.rejected} writes with an old token refused; after SIGCONT a holder knew within "
              f"{max(overlaps, default=0) * 1000:.1f} ms", flush=True)
        self.assertGreater(len(witness.entered), 3 * rounds)
        self.assertGreater(witness.lost + witness.rejected, 0)
        self.assertEqual(witness.problems, [])
        # In the order of their tokens, whatever happened to those before.
        fences = [fence for _, fence, _ in witness.entered]
        self.assertEqual(fences, sorted(fences))


@unittest.skipUnless(LONG, "takes minutes")
class Members(Contenders):
    def test_members_are_killed_meanwhile(self):
        witness = Witness(self, cluster.directory, 1)
        clients = self.start(witness, self.key(), 10, 1, 200, 2, lease=10)
        chance = random.Random(7)
        for _ in range(6):
            time.sleep(5)
            member = chance.choice(cluster.members)
            member.stop()
            time.sleep(3)
            member.start()
        for client in clients:
            self.assertEqual(client.answer().status, "OK")
        self.assertEqual((witness.overlaps, witness.problems, witness.rejected), ([], [], 0))
        fences = [fence for _, fence, _ in witness.entered]
        self.assertEqual(fences, sorted(fences))


if __name__ == "__main__":
    unittest.main()
