#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench-journal.py BUILD_DIR: what the journal costs, beside floors measured in the same breath.

Needs a build with tests that was installed (cmake --install) into its prefix. Prints what the journal takes
of an empty run, on the disk and in memory; the whole run with its journal in either place; events per
second; and how long `spicerack runs list` takes of 10,000 runs, beside a program that only reads
their edges.
"""

import os
import pathlib
import re
import subprocess
import sys
import tempfile
import time

BUILD = pathlib.Path(sys.argv[1]).resolve()
CACHE = (BUILD / "CMakeCache.txt").read_text()
PREFIX = pathlib.Path(re.search(r"^CMAKE_INSTALL_PREFIX:PATH=(.*)$", CACHE, re.M)[1])
COOKBOOK = PREFIX / "bin" / "cookbook"
SPICERACK = PREFIX / "bin" / "spicerack"
EMPTY = next(PREFIX.rglob("top-level-cookbook.so"))
BENCH = BUILD / "tests" / "bench"
RUNS = 10000


def inside(place, scratch):
    out = subprocess.check_output([BENCH / "bench-journal", scratch], text=True)
    found = {name: (int(ours), int(floor)) for name, ours, floor in map(str.split, out.splitlines())}
    for name, words in (("durable-run", "journal of an empty run, synced"), ("run", "journal of an empty run")):
        ours, floor = found[name]
        print(f"{words:32s} {ours / 1000:8.0f} us {place:9s} its writes alone {floor / 1000:8.0f} us   "
              f"ratio {ours / floor:.2f}")
    for name, words in (("record", "records"), ("event", "events"), ("event-with-secrets", "events, with secrets")):
        ours, floor = found[name]
        print(f"{words:32s} {1e9 / ours:8.0f} /s {place:9s} writes alone {1e9 / floor:12.0f} /s   "
              f"ratio {ours / floor:.2f}")


def empty_run(place, scratch, env):
    words = [BENCH / "bench-measure", "101", COOKBOOK, "top-level-cookbook"]
    words += ["--", BENCH / "bench-run-floor", EMPTY]
    ours, floor = subprocess.check_output(words, env=env | {"SPICERACK_JOURNAL_DIRECTORY": f"{scratch}/runs"},
                                          text=True).splitlines()
    ours, floor = int(ours.split()[0]), int(floor.split()[0])
    print(f"empty run {ours / 1000:29.2f} ms {place:9s} its processes alone {floor / 1000:5.2f} ms   "
          f"ratio {ours / floor:.2f}")


def listing(env, scratch):
    runs = pathlib.Path(scratch) / "many"
    env = env | {"SPICERACK_JOURNAL_DIRECTORY": str(runs)}
    subprocess.run([COOKBOOK, "top-level-cookbook"], env=env, check=True, stderr=subprocess.DEVNULL)
    path, = runs.glob("*.jsonl")
    text = path.read_text()
    for i in range(RUNS - 1):
        name = f"2026{i % 12 + 1:02d}{i % 28 + 1:02d}-{i % 24:02d}{i % 60:02d}00-{i:06d}"
        (runs / f"{name}.jsonl").write_text(text.replace(path.stem, name))
    for words in (["list"], ["list", "--owed"], ["list", "--limit", "0"]):
        spans = []
        for _ in range(5):
            begin = time.perf_counter()
            subprocess.run([SPICERACK, "runs", *words], env=env, check=True, stdout=subprocess.DEVNULL,
                           stderr=subprocess.DEVNULL)
            spans.append(time.perf_counter() - begin)
        print(f"runs {' '.join(words):27s} {min(spans) * 1000:8.1f} ms of {RUNS} runs")
    begin = time.perf_counter()
    for each in os.scandir(runs):
        fd = os.open(each.path, os.O_RDONLY)
        os.fstat(fd)
        os.pread(fd, 8192, 0)
        os.close(fd)
    print(f"reading them, in Python          {(time.perf_counter() - begin) * 1000:8.1f} ms")


def main():
    with tempfile.TemporaryDirectory(dir=BUILD) as disk, tempfile.TemporaryDirectory(dir="/dev/shm") as memory:
        library = next(PREFIX.rglob("libspicerack.so.1")).parent  # for the floor, which has no RUNPATH
        env = dict(os.environ, SPICERACK_COOKBOOKS_BASE_DIRS=str(EMPTY.parent), SPICERACK_LOGS_BASE_DIR=f"{disk}/logs",
                   SPICERACK_LOCKS_DIRECTORY=f"{disk}/locks", LD_LIBRARY_PATH=str(library))
        for place, scratch in (("on disk", disk), ("in memory", memory)):
            inside(place, scratch)
            empty_run(place, scratch, env)
        listing(env, disk)


if __name__ == "__main__":
    main()
