#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""bench-hosts.py BUILD_DIR [HOSTS [PEER_HOSTS]]: what sets of hosts cost, beside ClusterShell's in the same run.

Sets of 1,000,000 hosts of several shapes are read, folded, walked over, and put together with half of themselves.
ClusterShell does the same with PEER_HOSTS, fewer by default since it needs minutes and all memory for some; both are
given per host. Memory of the set is what the process had more at its peak than with an empty set.
Last, nearly 100,000 names in any order are read and folded by a whole process, beside ClusterShell's command
`nodeset`; ours also walks over the set and unites it with its half.
"""

import hashlib
import os
import pathlib
import random
import resource
import subprocess
import sys
import tempfile
import time

BUILD = pathlib.Path(sys.argv[1]).resolve()
HOSTS = int(sys.argv[2]) if len(sys.argv) > 2 else 1000000
PEER_HOSTS = int(sys.argv[3]) if len(sys.argv) > 3 else 20000
LIMIT = 300  # seconds that a command may take of a processor
OURS = BUILD / "tests" / "bench" / "bench-hosts-set"

PEER = r"""
import resource, sys, time
from ClusterShell.NodeSet import NodeSet, RESOLVER_NOGROUP
text = sys.stdin.read()
def timed(function):
    begin = time.perf_counter()
    result = function()
    return result, round((time.perf_counter() - begin) * 1e6)
nodes, parse = timed(lambda: NodeSet(text, resolver=RESOLVER_NOGROUP))
_, fold = timed(lambda: str(nodes))
_, walk = timed(lambda: sum(len(name) for name in nodes))
half = nodes[len(nodes) // 4:len(nodes) * 3 // 4]
_, union = timed(lambda: nodes | half)
print(len(nodes), 0, parse, fold, walk, union, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def side(count):
    return int(count ** 0.5)


SHAPES = {
    "one range": lambda count: f"n[1-{count}]",
    "every second": lambda count: ",".join(f"n{2 * i}" for i in range(count)),
    "two numbers, a product": lambda count: f"n[1-{side(count)}]x[1-{side(count)}]",
    "two numbers, two ranges": lambda count: f"n[1-{count // 2}].dc1,n[{count // 2 + 1}-{count}].dc2",
    "all different": lambda count: ",".join("i-" + hashlib.md5(str(i).encode()).hexdigest()[:17] for i in range(count)),
}


def run(words, text):
    try:
        done = subprocess.run(words, input=text, capture_output=True, text=True, timeout=60, check=False)
    except subprocess.TimeoutExpired:
        return None
    return [int(word) for word in done.stdout.split()] if done.returncode == 0 else None


def report(name, words, count):
    empty = run(words, "n1,n2,n3")[-1]
    for shape, make in SHAPES.items():
        measured = run(words, make(count))
        if measured is None:
            print(f"{name:14s} {shape:24s} {count:9d} hosts: not within 60 s")
            continue
        hosts, size, parse, fold, walk, union, peak = measured
        per_host = " ".join(f"{what} {1000 * took / hosts:9.1f}" for what, took in
                            (("read", parse), ("fold", fold), ("walk", walk), ("union", union)))
        of_set = f"set {size / hosts:6.1f} B, " if size else ""
        print(f"{name:14s} {shape:24s} {hosts:9d} hosts, ns each: {per_host}; "
              f"{of_set}peak {(peak - empty) * 1024 / hosts:7.1f} B each")


def command(words, text):
    """Seconds of wall and processor time, and MiB at the peak; it is ended when its processor time is LIMIT."""
    with tempfile.TemporaryFile() as given:
        given.write(text.encode())
        given.seek(0)
        begin = time.perf_counter()
        process = subprocess.Popen(words, stdin=given, stdout=subprocess.DEVNULL,
                                   preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (LIMIT, LIMIT)))
        _, process.returncode, usage = os.wait4(process.pid, 0)
    if process.returncode and usage.ru_utime + usage.ru_stime < LIMIT * 3 / 4:
        sys.exit(f"{words} failed")
    return time.perf_counter() - begin, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def commands(count=100000):
    names = [f"web{number:06d}.dc{1 + number // (count // 2)}.example" for number in range(count) if number % 97]
    random.Random(1).shuffle(names)
    costs = {"ours": min(command([OURS], ",".join(names)) for _ in range(3)),
             "nodeset": command(["nodeset", "-f"], "\n".join(names))}
    for name, cost in costs.items():
        wall, processor, peak = cost
        over = ", and was not done" if processor >= LIMIT * 3 / 4 else ""
        ratios = [theirs / ours for theirs, ours in zip(cost, costs["ours"])]
        print(f"{name:14s} {len(names)} names folded: {wall:7.3f} s ({ratios[0]:.0f}), processor {processor:7.3f} s "
              f"({ratios[1]:.0f}), peak {peak:6.1f} MiB ({ratios[2]:.0f}){over}")


def main():
    report("ours", [OURS], HOSTS)
    report("ClusterShell", ["/usr/bin/python3", "-c", PEER], PEER_HOSTS)
    commands()


if __name__ == "__main__":
    main()
