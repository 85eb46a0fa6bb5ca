#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench-locks.py BUILD_DIR [STORE [NAME=VALUE...]]: what locks cost, beside floors measured in the same breath.

Needs a build with tests that was installed into its prefix. Without more it measures the store sqlite in a directory of
its own; another STORE is given what its driver needs (`config=FILE api=3`). Prints of the store: acquire and
release of a free lock, the same while 1,000 others are held, and the time from giving a lock back to the next one's
having it, with 1 and with 20 in line. The floors: the same two transactions of SQLite with nothing around
them, and the waking of one process by another. Then what locks add to an empty run.
"""

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
STORE = sys.argv[2] if len(sys.argv) > 2 else "sqlite"
SETTINGS = sys.argv[3:]
PREFIX = pathlib.Path(re.search(r"^CMAKE_INSTALL_PREFIX:PATH=(.*)$", (BUILD / "CMakeCache.txt").read_text(), re.M)[1])
TIMES = 1000
KEYS = {"config": "SPICERACK_INSTANCE_PARAMS_ETCD_CONFIG", "api": "SPICERACK_LOCKS_ETCD_API",
        "user_config": "SPICERACK_LOCKS_ETCDRC"}


def bare_transactions(scratch):
    """Insert and delete, each in a transaction of its own, as the store has its database."""
    database = sqlite3.connect(f"{scratch}/floor.db", isolation_level=None)
    database.execute("PRAGMA journal_mode=WAL")
    database.execute("PRAGMA synchronous=NORMAL")
    database.execute("CREATE TABLE entry(key TEXT, number INTEGER, id TEXT, PRIMARY KEY(key, number)) WITHOUT ROWID")
    spans = []
    for i in range(TIMES):
        begin = time.perf_counter()
        for statement, values in (("INSERT INTO entry VALUES('key', ?, 'id')", [i]), ("DELETE FROM entry", [])):
            database.execute("BEGIN IMMEDIATE")
            database.execute(statement, values)
            database.execute("COMMIT")
        spans.append(time.perf_counter() - begin)
    return statistics.median(spans) * 1e6


def store(scratch):
    words = [BUILD / "tests" / "bench" / "bench-locks-store", STORE, str(TIMES), f"directory={scratch}/locks", *SETTINGS]
    found = {}
    for line in subprocess.check_output(words, text=True).splitlines():
        *what, median, worst = line.split()
        found[" ".join(what)] = (float(median), float(worst))
    floor = bare_transactions(scratch)
    for what, text in (("acquire+release", "acquire + release"), ("acquire+release-1000", "with 1,000 others held")):
        median, worst = found[what]
        print(f"{text:26s} {median:8.0f} us (99 %: {worst:.0f})   two bare transactions {floor:6.0f} us   "
              f"ratio {median / floor:.1f}")
    for waiters in (1, 20):
        median, worst = found[f"hand-over {waiters}"]
        print(f"hand-over, {waiters:2d} in line      {median:8.0f} us (99 %: {worst:.0f})   a wake-up "
              f"{found['wake-up'][0]:17.0f} us   ratio {median / found['wake-up'][0]:.1f}")


def empty_run(scratch):
    empty = next(PREFIX.rglob("top-level-cookbook.so"))
    env = dict(os.environ, SPICERACK_COOKBOOKS_BASE_DIRS=str(empty.parent), SPICERACK_LOGS_BASE_DIR=f"{scratch}/logs",
               SPICERACK_LOCKS_STORE=STORE, SPICERACK_LOCKS_DIRECTORY=f"{scratch}/locks")
    for setting in SETTINGS:
        name, value = setting.split("=", 1)
        env[KEYS[name]] = value
    cookbook = PREFIX / "bin" / "cookbook"
    words = [BUILD / "tests" / "bench" / "bench-measure", "201", cookbook, "top-level-cookbook", "--",
             cookbook, "--no-locks", "top-level-cookbook"]
    locked, free = (int(line.split()[0]) for line in subprocess.check_output(words, env=env, text=True).splitlines())
    print(f"empty run                  {locked / 1000:8.2f} ms   without locks {free / 1000:6.2f} ms   "
          f"they add {(locked - free) / 1000:.2f} ms")


with tempfile.TemporaryDirectory() as directory:
    store(directory)
    empty_run(directory)
