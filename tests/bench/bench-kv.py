#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench-kv.py BUILD_DIR: what objects of conftool cost in each store, beside the same requests made by hand.

Needs a build with tests that was installed into its prefix, and etcd. Of sqlite and of etcd's API 3 and API 2 it prints: a run
that pools one service and looks again, a run that reads nothing, how many requests went to the store, and how
long the same requests take a plain client. Then a run that selects one of 50,000 objects, by a pattern of their
names and by a tag that is a word, beside reading as many with a plain client.
"""

import base64
import http.client
import json
import os
import pathlib
import re
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

BUILD = pathlib.Path(sys.argv[1]).resolve()
SOURCE = pathlib.Path(__file__).resolve().parents[2]
PREFIX = pathlib.Path(re.search(r"^CMAKE_INSTALL_PREFIX:PATH=(.*)$", (BUILD / "CMakeCache.txt").read_text(), re.M)[1])
TIMES, OBJECTS = 21, 50000
BASE = "/conftool/v1/pools"
ONE = f"{BASE}/dc2/web/apache2/web1"

sys.path.insert(0, str(SOURCE / "tests" / "etcd"))
import servers  # pylint: disable=wrong-import-position


def median(call, times=TIMES):
    spans = []
    for _ in range(times):
        begin = time.perf_counter()
        call()
        spans.append(time.perf_counter() - begin)
    return statistics.median(spans) * 1000


class Cleanup:
    """What servers.Proxy needs of a test."""

    def __init__(self):
        self.calls = []

    def addCleanup(self, call):  # pylint: disable=invalid-name
        self.calls.append(call)


class Runs:
    def __init__(self, scratch, **settings):
        self.env = dict(os.environ, HOME=str(scratch), SPICERACK_LOGS_BASE_DIR=f"{scratch}/logs",
                        SPICERACK_COOKBOOKS_BASE_DIRS=str(BUILD / "tests/fixture/cookbooks"),
                        SPICERACK_LOCKS_ENABLED="false",
                        **{f"SPICERACK_KV_{name.upper()}": str(value) for name, value in settings.items()})

    def __call__(self, command, *words):
        subprocess.run([PREFIX / "bin" / command, *words], env=self.env, check=True, stdout=subprocess.DEVNULL,
                       stderr=subprocess.DEVNULL)

    def confctl(self, *words):
        self("cookbook", "fixture.confctl", *words)


def pool_and_verify(runs):
    """Alternates, so that there is always something to write."""
    values = iter(["yes", "no"] * TIMES)
    return lambda: runs.confctl("verify", "--tag", "dc=dc2", "--set", f"pooled=text:{next(values)}")


class Plain:
    """The requests of one pool and verify, on one connection."""

    def __init__(self, member, api):
        self.connection = http.client.HTTPConnection(member.address, member.port)
        self.api = api

    def ask(self, method, path, body=None):
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if self.api == 2 else {}
        self.connection.request(method, path, body, headers)
        return json.loads(self.connection.getresponse().read())

    def read(self, below=f"{BASE}/dc2"):
        if self.api == 2:
            return self.ask("GET", f"/v2/keys{below}?recursive=true&quorum=true")
        encode = lambda text: base64.b64encode(text.encode()).decode()
        return self.ask("POST", "/v3/kv/range", json.dumps({"key": encode(below + "/"), "range_end": encode(below + "0")}))

    def write(self):
        if self.api == 2:
            return self.ask("PUT", f"/v2/keys{ONE}?prevExist=true", "value=%7B%22pooled%22%3A%20%22yes%22%7D")
        key = base64.b64encode(ONE.encode()).decode()
        return self.ask("POST", "/v3/kv/txn", json.dumps({"success": [{"request_put": {"key": key, "value": "e30="}}]}))

    def pool_and_verify(self):
        self.read()
        self.write()
        self.read()


def plain_sqlite(path):
    database = sqlite3.connect(path, isolation_level=None)
    database.execute("PRAGMA synchronous=FULL")
    read = "SELECT * FROM item WHERE key > ? AND key < ?"

    def call():
        database.execute(read, (f"{BASE}/dc2/", f"{BASE}/dc20")).fetchall()
        database.execute("BEGIN IMMEDIATE")
        database.execute("UPDATE counter SET number = number + 1")
        database.execute("INSERT OR REPLACE INTO item SELECT ?, ?, number FROM counter", (ONE, b"{}"))
        database.execute("COMMIT")
        database.execute(read, (f"{BASE}/dc2/", f"{BASE}/dc20")).fetchall()

    return call, lambda: database.execute(read, (BASE + "/", BASE + "0")).fetchall()


def measure(name, runs, plain, plain_all, proxy=None):
    runs("spicerack", "kv", "set", ONE, '{"pooled": "no", "weight": 10}')
    empty = median(lambda: runs.confctl("find", "--tag", "dc=none"))
    before = len(proxy.requests) if proxy else 0
    verify = pool_and_verify(runs)
    verify()
    trips = f"{len(proxy.requests) - before} requests" if proxy else "no requests"
    span, floor = median(verify, TIMES - 1), median(plain)
    print(f"{name:8s} pool and verify   {span:8.1f} ms   a run that only reads {empty:6.1f} ms   {trips}; "
          f"by a plain client {floor:.2f} ms")
    for what, tag in (("a pattern", "name=web777"), ("a word", "dc=dc2")):
        span = median(lambda tag=tag: runs.confctl("get", "--tag", tag), 5)
        print(f"{name:8s} of {OBJECTS}, {what:9s} {span:8.1f} ms", end="")
        print(f"   a plain client reads all in {median(plain_all, 5):.1f} ms" if what == "a pattern" else "")


def fill(scratch, runs):
    path = pathlib.Path(scratch) / "objects"
    with open(path, "w", encoding="ascii") as out:
        for i in range(OBJECTS):
            key = f"{BASE}/dc1/c{i % 50}/s{i % 7}/web{i}"
            out.write(json.dumps({"key": key, "value": {"pooled": "yes", "weight": 10}}) + "\n")
    begin = time.perf_counter()
    runs("spicerack", "kv", "import", str(path))
    return time.perf_counter() - begin


def main():
    with tempfile.TemporaryDirectory() as scratch:
        runs = Runs(scratch, store="sqlite", directory=f"{scratch}/kv")
        print(f"sqlite   import of {OBJECTS}   {fill(scratch, runs):8.1f} s")
        measure("sqlite", runs, *plain_sqlite(f"{scratch}/kv/kv.db"))
        for api in (3, 2):
            cluster = servers.Cluster().start()
            cleanup = Cleanup()
            try:
                proxy = servers.Proxy(cleanup, cluster.members[0])
                direct = Runs(scratch, store="etcd", etcd_api=api, etcdrc=cluster.config())
                runs = Runs(scratch, store="etcd", etcd_api=api,
                            etcdrc=cluster.config(hosts=[("127.0.0.1", proxy.port)]))
                print(f"etcd v{api}  import of {OBJECTS}   {fill(scratch, direct):8.1f} s")
                plain = Plain(cluster.members[0], api)
                measure(f"etcd v{api}", runs, plain.pool_and_verify, lambda plain=plain: plain.read(BASE), proxy)
            finally:
                for call in cleanup.calls:
                    call()
                cluster.stop()


if __name__ == "__main__":
    main()
