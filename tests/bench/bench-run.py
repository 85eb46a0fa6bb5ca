#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench-run.py BUILD_DIR: what a run costs, beside a floor measured in the same breath.

Needs a build with tests that was installed (cmake --install) into its prefix. Prints the time of
an empty run and of the same processes doing nothing; log records per second from the cookbook into
both files and of a program that only writes them; memory of each process of a run, shared
pages divided among their users; and how long anything of a run outlives a killed supervisor.
"""

import os
import pathlib
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time

BUILD = pathlib.Path(sys.argv[1]).resolve()
CACHE = (BUILD / "CMakeCache.txt").read_text()
PREFIX = pathlib.Path(re.search(r"^CMAKE_INSTALL_PREFIX:PATH=(.*)$", CACHE, re.M)[1])
COOKBOOK = PREFIX / "bin" / "cookbook"
EMPTY = next(PREFIX.rglob("top-level-cookbook.so"))
FIXTURES = BUILD / "tests" / "fixture" / "cookbooks"
FLOOR = BUILD / "tests" / "bench" / "bench-run-floor"
RECORDS = 50000


def environment(scratch):
    bases = f"{EMPTY.parent}:{FIXTURES}"
    library = next(PREFIX.rglob("libspicerack.so.1")).parent  # for the floor, which has no RUNPATH
    return dict(os.environ, SPICERACK_COOKBOOKS_BASE_DIRS=bases, SPICERACK_LOGS_BASE_DIR=f"{scratch}/logs",
                SPICERACK_JOURNAL_DIRECTORY=f"{scratch}/runs",
                LD_LIBRARY_PATH=str(library))


def empty_run(env):
    words = [BUILD / "tests" / "bench" / "bench-measure", "101", COOKBOOK, "top-level-cookbook", "--",
             FLOOR, EMPTY]
    ours, floor = subprocess.check_output(words, env=env, text=True).splitlines()
    ours, floor = int(ours.split()[0]), int(floor.split()[0])
    print(f"empty run            {ours / 1000:7.2f} ms   its processes alone {floor / 1000:6.2f} ms   "
          f"ratio {ours / floor:.2f}")


def timed(words, env, cores):
    begin = time.perf_counter()
    subprocess.run(words, env=env, check=True, stderr=subprocess.DEVNULL,
                   preexec_fn=lambda: os.sched_setaffinity(0, cores))
    return time.perf_counter() - begin


def records(env, scratch):
    """On one core beside all: where cores sleep, it is their waking up that each acknowledgement waits for."""
    every = os.sched_getaffinity(0)
    run = [COOKBOOK, "fixture.misbehave", "--how", "many", "--value"]
    floor = RECORDS / min(timed([FLOOR, "--records", str(RECORDS), f"{scratch}/a", f"{scratch}/b"], env, every)
                          for _ in range(3))
    for name, cores in (("one core", {min(every)}), ("all cores", every)):
        base = min(timed([*run, "0"], env, cores) for _ in range(3))
        ours = RECORDS / (min(timed([*run, str(RECORDS)], env, cores) for _ in range(3)) - base)
        print(f"acknowledged records {ours:7.0f} /s on {name:9s}   writes alone {floor:8.0f} /s   "
              f"ratio {floor / ours:.0f}")


def tree_of(pid):
    found = [pid]
    for child in pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
        found += tree_of(int(child))
    return found


def sleeping(env):
    process = subprocess.Popen([COOKBOOK, "fixture.misbehave", "--how", "sleep", "--value", "60"], env=env,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    while not process.stderr.readline().startswith("START"):
        pass
    while len(tree_of(process.pid)) < 3:
        time.sleep(0.001)
    return process


def memory(env):
    process = sleeping(env)
    total = 0
    for pid, name in zip(tree_of(process.pid), ("supervisor", "runner", "worker")):
        rollup = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text()
        size = {key: int(re.search(rf"^{key}:\s+(\d+)", rollup, re.M)[1]) for key in ("Rss", "Pss")}
        total += size["Pss"]
        print(f"memory of {name:10s} {size['Pss'] / 1024:7.2f} MiB of its own share ({size['Rss'] / 1024:.2f} mapped in)")
    print(f"memory of a run      {total / 1024:7.2f} MiB")
    process.send_signal(signal.SIGINT)
    process.communicate()


def outlive(env):
    spans = []
    for _ in range(20):
        process = sleeping(env)
        others = tree_of(process.pid)[1:]
        begin = time.perf_counter()
        process.kill()
        while any(os.path.exists(f"/proc/{pid}") and alive(pid) for pid in others):
            time.sleep(0.0001)
        spans.append(time.perf_counter() - begin)
        process.communicate()
    print(f"after kill -9 of the supervisor all is gone in {statistics.median(spans) * 1000:.1f} ms "
          f"(at most {max(spans) * 1000:.1f} ms of {len(spans)})")


def alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def main():
    with tempfile.TemporaryDirectory() as scratch:
        env = environment(scratch)
        empty_run(env)
        records(env, scratch)
        memory(env)
        outlive(env)


main()
