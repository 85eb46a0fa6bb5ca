#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench-menu.py BUILD_DIR: how long the menu of 1,000 cookbooks takes to show itself.

Needs a build that was installed (cmake --install) into its prefix. From the start of the command to
its prompt, on a pseudo-terminal, with the line editor and without; and from an empty line to the
next prompt. Beside it, in turns, a program that only opens and reads the same files. Medians.
"""

import os
import pathlib
import pty
import re
import shutil
import statistics
import sys
import tempfile
import time

BUILD = pathlib.Path(sys.argv[1]).resolve()
CACHE = (BUILD / "CMakeCache.txt").read_text()
PREFIX = pathlib.Path(re.search(r"^CMAKE_INSTALL_PREFIX:PATH=(.*)$", CACHE, re.M)[1])
COOKBOOK = PREFIX / "bin" / "cookbook"
FLOOR = BUILD / "tests" / "bench" / "bench-floor"
PLAIN = next(BUILD.rglob("plain.so"))
RUNS = 41


def make_tree(base, groups):
    """Groups of groups of 20 cookbooks each, as bench-list.sh makes them: ten for each of the outer ones."""
    for number in range(groups):
        group = base / f"group{number // 10}" / f"sub{number}"
        group.mkdir(parents=True)
        (group / "group.cfg").write_text(f'title = "Group {number}";\nowner = "team{number % 7}";\n')
        for cookbook in range(20):
            shutil.copyfile(PLAIN, group / f"cookbook-{cookbook}.so")


def spent(words, env, end, keys=b""):
    """Starts a command on a terminal; the times until `end` was shown, at first and after the keys."""
    master, slave = pty.openpty()
    shown, times, begin = b"", [], time.perf_counter()
    pid = os.posix_spawn(str(words[0]), [str(word) for word in words], env, setsid=True,
                         file_actions=[(os.POSIX_SPAWN_DUP2, slave, fd) for fd in (0, 1, 2)])
    os.close(slave)
    while True:
        try:
            shown += os.read(master, 65536)
        except OSError:
            break
        if shown.count(end) > len(times):
            times.append(time.perf_counter() - begin)
            begin = time.perf_counter()
            os.write(master, keys if len(times) == 1 else b"q\n")
    os.close(master)
    os.waitpid(pid, 0)
    return times


def main():
    os.umask(0o022)
    with tempfile.TemporaryDirectory() as scratch:
        base = pathlib.Path(scratch) / "tree"
        make_tree(base, 50)
        env = {"PATH": os.environ["PATH"], "HOME": scratch, "LANG": "C.UTF-8",
               "SPICERACK_COOKBOOKS_BASE_DIRS": str(base)}
        floor, edited, plain, again = [], [], [], []
        for _ in range(RUNS):
            floor += spent([FLOOR, base], env, b" bytes")
            first, second = spent([COOKBOOK], {**env, "TERM": "xterm"}, b">>> ", b"\n")
            edited.append(first)
            again.append(second)
            plain += spent([COOKBOOK], {**env, "TERM": "dumb"}, b">>> ", b"q\n")
        unit = statistics.median(floor)
        print(f"reading the files alone   {unit * 1000:6.1f} ms")
        for name, times in (("menu with line editor", edited), ("menu with plain lines", plain),
                            ("shown again", again)):
            print(f"{name:25s} {statistics.median(times) * 1000:6.1f} ms   ratio {statistics.median(times) / unit:.2f}")


main()
