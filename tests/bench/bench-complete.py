#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""bench-complete.py BUILD_DIR: how long a press of Tab takes with 1,000 cookbooks.

Needs a build that was installed (cmake --install) into its prefix. Times what a shell starts for an answer: names at the
root, in a group, and options of a cookbook. Beside it, in turns, /bin/true, which only starts and ends, and a
program that only opens and reads the same files. Medians.
"""

import os
import pathlib
import re
import shutil
import statistics
import sys
import tempfile
import time

BUILD = pathlib.Path(sys.argv[1]).resolve()
CACHE = (BUILD / "CMakeCache.txt").read_text()
PREFIX = pathlib.Path(re.search(r"^CMAKE_INSTALL_PREFIX:PATH=(.*)$", CACHE, re.M)[1])
SPICERACK = PREFIX / "bin" / "spicerack"
FLOOR = BUILD / "tests" / "bench" / "bench-floor"
PLAIN = next(BUILD.rglob("plain.so"))
RUNS = 101


def make_tree(base):
    """1,000 cookbooks in 50 groups of 5 outer ones, as bench-menu.py makes them."""
    for number in range(50):
        group = base / f"group{number // 10}" / f"sub{number}"
        group.mkdir(parents=True)
        (group / "group.cfg").write_text(f'title = "Group {number}";\nowner = "team{number % 7}";\n')
        for cookbook in range(20):
            shutil.copyfile(PLAIN, group / f"cookbook-{cookbook}.so")


def spent(words, env, null):
    begin = time.perf_counter()
    pid = os.posix_spawn(str(words[0]), [str(word) for word in words], env,
                         file_actions=[(os.POSIX_SPAWN_DUP2, null, fd) for fd in (0, 1, 2)])
    os.waitpid(pid, 0)
    return (time.perf_counter() - begin) * 1000


def main():
    os.umask(0o022)
    with tempfile.TemporaryDirectory() as scratch, open("/dev/null", "r+b") as null:
        base = pathlib.Path(scratch) / "tree"
        make_tree(base)
        env = {"PATH": os.environ["PATH"], "HOME": scratch, "LANG": "C.UTF-8",
               "SPICERACK_COOKBOOKS_BASE_DIRS": str(base)}
        complete = [SPICERACK, "complete", "zsh", "cookbook"]
        measured = {
            "/bin/true": ["/bin/true"],
            "reading the files alone": [FLOOR, base],
            "names at the root": [*complete, ""],
            "names of a group": [*complete, "group2.sub25."],
            "options of a cookbook": [*complete, "group2.sub25.cookbook-7", "--"],
            "subcommands": [SPICERACK, "complete", "zsh", "spicerack", "runs", ""],
        }
        times = {name: [] for name in measured}
        for _ in range(RUNS):
            for name, words in measured.items():
                times[name].append(spent(words, env, null.fileno()))
        for name, each in times.items():
            print(f"{name:25s} {statistics.median(each):6.2f} ms")


main()
