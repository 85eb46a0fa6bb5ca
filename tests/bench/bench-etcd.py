#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench-etcd.py BUILD_DIR: what a lock in etcd costs, beside `etcdctl lock` on the same server.

Needs a build with tests. One etcd on loopback, its data below /tmp. Prints the time of taking and
giving back a lock that nobody else wants, with its requests (counted on the way to the server) and
entries of the raft log (counted by the server); the same as a whole process beside etcdctl's; how long it
takes from giving back until the next in line has it, with 1 and 20 waiting; and what 1,000 locks
held by one run cost at each renewal.
"""

import os
import pathlib
import re
import statistics
import subprocess
import sys
import time
import uuid

BUILD = pathlib.Path(sys.argv[1]).resolve()
os.environ["LOCK_TEST_CLIENT"] = str(BUILD / "tests" / "etcd" / "lock-client")
os.environ["LOCK_TEST_PLUGINS"] = str(BUILD / "plugins")
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "etcd"))
import servers  # noqa: E402

ROUNDS = 101


class Cleanups:
    """What a test would be to the helpers."""

    def __init__(self):
        self.calls = []

    def addCleanup(self, call, *arguments):
        self.calls.append((call, arguments))

    def run(self):
        for call, arguments in reversed(self.calls):
            call(*arguments)


def raft_index(cluster):
    return int(re.search(r'"RaftIndex" : (\d+)', cluster.ctl("endpoint", "status", "-w", "fields"))[1])


def median(spans):
    return statistics.median(spans) * 1000


def commits(cluster, times, work):
    """Entries of the raft log per call, without those that the count itself makes."""
    before = raft_index(cluster)
    for _ in range(times):
        work()
    return (raft_index(cluster) - before) / times


def uncontended(cluster, cleanups):
    for api in (3, 2):
        proxy = servers.Proxy(cleanups, cluster.members[0])
        config = cluster.config("", [("127.0.0.1", proxy.port)])
        client = servers.Client(cleanups, cluster.config(), api=api)
        counted = servers.Client(cleanups, config, api=api)
        key, took = f"/spicerack/locks/custom/bench-{api}", []

        def cycle(one):
            taken = one.enter(key)
            given = one.do("leave", key, taken.id)
            assert taken.status == given.status == "OK", (taken, given)
            took.append((taken.ms + given.ms) / 1000)

        for _ in range(ROUNDS):
            cycle(client)
        time_of = median(took)
        entries = commits(cluster, 10, lambda: cycle(counted))
        print(f"API {api}: take and give back   {time_of:7.2f} ms   {len(proxy.requests) / 10:.1f} requests   "
              f"{entries:.1f} raft entries")


def processes(cluster, cleanups):
    config, key = cluster.config(), "/spicerack/locks/custom/bench-process"

    def ours():
        subprocess.run([servers.CLIENT, servers.PLUGINS, "etcd", f"config={config}"], check=True,
                       input=f"enter\t{key}\t{uuid.uuid4()}\t1\t30\nclose\n".encode(), stdout=subprocess.DEVNULL)

    def theirs():
        subprocess.run(["etcdctl", "--endpoints", cluster.members[0].url, "lock", "bench", "true"], check=True,
                       env=dict(os.environ, ETCDCTL_API="3"), stdout=subprocess.DEVNULL)

    for name, work in (("our client", ours), ("etcdctl lock", theirs)):
        spans = []
        for _ in range(21):
            begin = time.perf_counter()
            work()
            spans.append(time.perf_counter() - begin)
        print(f"a whole process, {name:13s} {median(spans):7.2f} ms   {commits(cluster, 5, work):.1f} raft entries")


def hand_over(cluster, cleanups):
    for waiting in (1, 20):
        clients = [servers.Client(cleanups, cluster.config()) for _ in range(waiting + 1)]
        key, spans = f"/spicerack/locks/custom/bench-queue-{waiting}", []
        ids = [client.enter(key).id for client in clients]
        line = list(zip(clients, ids))
        for client, lock_id in line[1:]:
            client.send("wait", key, lock_id, 1, 300, within=60)
        for _ in range(60 if waiting == 1 else 40):
            time.sleep(0.05)
            (holder, held), line = line[0], line[1:]
            begin = time.perf_counter()
            holder.send("leave", key, held)
            answer = line[0][0].answer()
            while answer.status == "WAITING":  # somebody behind the first has moved up
                line[0][0].send("wait", key, line[0][1], 1, 300, within=60)
                answer = line[0][0].answer()
            spans.append(time.perf_counter() - begin)
            assert answer.status == "OK", answer
            holder.answer()
            for client, lock_id in line[1:]:
                assert client.answer().status == "WAITING"
                client.send("wait", key, lock_id, 1, 300, within=60)
            lock_id = str(uuid.uuid4())
            assert holder.enter(key, lock_id=lock_id).status == "WAITING"
            holder.send("wait", key, lock_id, 1, 300, within=60)
            line.append((holder, lock_id))
        print(f"hand-over, {waiting:2d} waiting      {median(spans):7.2f} ms   (slowest of {len(spans)}: "
              f"{max(spans) * 1000:.1f} ms)")
        for client in clients:
            client.end()


def many(cluster, cleanups):
    proxy = servers.Proxy(cleanups, cluster.members[0])
    client = servers.Client(cleanups, cluster.config("", [("127.0.0.1", proxy.port)]), lease=3)
    spans = []
    for i in range(1000):
        spans.append(client.enter(f"/spicerack/locks/custom/many-{i}").ms)
        if i % 20 == 0:
            client.do("renew")
    time.sleep(1.1)
    proxy.requests.clear()
    renewed = client.do("renew")
    assert renewed.status == "OK", renewed
    rss = re.search(r"VmRSS:\s+(\d+)", pathlib.Path(f"/proc/{client.process.pid}/status").read_text())[1]
    print(f"1,000 locks held: the last {statistics.median(spans[-100:]):.2f} ms to take; a renewal "
          f"{renewed.ms:.1f} ms, {len(proxy.requests)} requests; {int(rss) / 1024:.1f} MiB")


def main():
    cleanups = Cleanups()
    cluster = servers.Cluster().start()
    try:
        for part in (uncontended, processes, hand_over, many):
            part(cluster, cleanups)
    finally:
        cleanups.run()
        cluster.stop()


main()
