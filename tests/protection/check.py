# SPDX-License-Identifier: Apache-2.0
"""
Takes each protection out of a copy of the tree, and wants its tests to fail then: see protections.py.

usage: check.py SOURCE DIRECTORY COMPILER [TEXT...]
       check.py --table SOURCE

DIRECTORY is made anew. With TEXT only the rows whose purpose, file or test holds one of them. --table
only looks whether the texts and the tests are there.
"""

import os
import pathlib
import re
import shutil
import signal
import subprocess
import sys
import time

from protections import PROTECTIONS

# Longer than any of the tests needs on a busy machine; what hangs without its protection has failed.
PATIENCE = 120
TARGETS = ["spicerack", "runner", "cookbook-command", "spicerack-command", "driver-lock-sqlite",
           "driver-lock-etcd", "driver-notify-irc", "driver-notify-relay", "lock-client"]


MATRIX = "fault/matrix"  # whose cases are named by a part of their names


class Broken(Exception):
    """The check itself cannot go on."""


class Tree:
    """A copy of the sources, built and installed, in which one thing is changed at a time."""

    def __init__(self, source, directory, compiler):
        shutil.rmtree(directory, ignore_errors=True)
        self.source, self.build, self.prefix = (directory / name for name in ("source", "build", "prefix"))
        self.temporary = directory / "tmp"
        self.temporary.mkdir(parents=True)
        shutil.copytree(source, self.source, symlinks=True, ignore=lambda folder, names: [
            name for name in names if pathlib.Path(folder) == source and name.startswith((".git", "build"))])
        self.compiler = compiler
        launcher = ["-DCMAKE_C_COMPILER_LAUNCHER=ccache"] if shutil.which("ccache") else []
        self.run("cmake", "-S", self.source, "-B", self.build, "-G", "Ninja", f"-DCMAKE_C_COMPILER={compiler}",
                 f"-DCMAKE_INSTALL_PREFIX={self.prefix}", "-Wno-dev", *launcher)
        self.run("cmake", "--build", self.build)
        self.run("cmake", "--install", self.build)

    def run(self, *words):
        done = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        if done.returncode != 0:
            raise Broken(f"{' '.join(map(str, words))}:\n{done.stdout.decode(errors='replace')[-4000:]}")

    def update(self, tests):
        """Builds what a change of core can change, and the unit tests that are wanted."""
        units = sorted({test.split()[0].partition("/")[2] for test in tests if test.startswith("unit/")})
        self.run("cmake", "--build", self.build, "--target", *TARGETS, *units)
        self.run("cmake", "--install", self.build)

    def attempt(self, test):
        """`passed`, `failed`, `skipped` or `hung`, and what was said."""
        name, case = test.split()
        if name.startswith("unit/"):
            words = [self.build / "tests" / name]
        elif name == MATRIX:
            words = [sys.executable, "-B", self.source / "tests" / f"{name}.py", "--only", case]
        else:
            words = [sys.executable, "-B", self.source / "tests" / f"{name}.py", case]
        env = {**os.environ, "TMPDIR": str(self.temporary), "SPICERACK_TEST_PREFIX": str(self.prefix),
               "SPICERACK_TEST_BUILD": str(self.build), "SPICERACK_TEST_SOURCE": str(self.source),
               "SPICERACK_TEST_CC": self.compiler, "SPICERACK_TEST_SANITIZED": "0",
               "LOCK_TEST_CLIENT": str(self.build / "tests" / "etcd" / "lock-client"),
               "LOCK_TEST_PLUGINS": str(self.build / "plugins")}
        process = subprocess.Popen([str(word) for word in words], env=env, stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL, start_new_session=True)
        try:
            said = process.communicate(timeout=PATIENCE)[0].decode(errors="replace")
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            self.end_strays()
            process.communicate()
            return "hung", ""
        finally:
            self.end_strays()
        if process.returncode == 0:
            return ("skipped" if re.search(r"skipped=", said) else "passed"), said
        # Of a unit test it must be the one that is named.
        if name.startswith("unit/") and not re.search(rf":{re.escape(case)}:", said):
            return "passed", said
        return "failed", said

    def end_strays(self):
        """What a test has left that lacked a protection: all of it has a home below our directory."""
        needle = str(self.temporary).encode()
        for entry in pathlib.Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                try:
                    if needle in (entry / "environ").read_bytes():
                        os.kill(int(entry.name), signal.SIGKILL)
                except OSError:
                    pass


def missing(source, protection):
    """What a row names that is not there."""
    for file, text, _ in protection.changes:
        count = (source / file).read_text().count(text)
        if count != 1:
            yield f"{file} has this {count} times: {text!r}"
    for test in protection.tests:
        name, case = test.split()
        if name == MATRIX:
            path, wanted = source / "tests" / f"{name}.py", ['"--only"']
        elif name.startswith("unit/"):
            path, wanted = source / "tests" / f"{name}.c", [f"START_TEST({case})"]
        elif "/" in case:
            at, how = case.rpartition(":")[2].split("/")
            path, wanted = source / "tests" / f"{name}.py", [f'    "{at}": ', f'    "{how}": ']
        else:
            group, function = case.split(".")
            path, wanted = source / "tests" / f"{name}.py", [f"class {group}(", f"    def {function}(self"]
        there = path.read_text()
        # What the stores of locks have in common.
        if "import lock_rules" in there:
            there += (path.parent / "lock_rules.py").read_text()
        for text in wanted:
            if text not in there:
                yield f"{path.name} has no {text.strip()}"


def check_table(source):
    wrong = 0
    for row in PROTECTIONS:
        for problem in missing(pathlib.Path(source), row):
            wrong += 1
            print(f"{row.purpose}: {problem}")
    print(f"{len(PROTECTIONS)} protections, {wrong} wrong")
    return 1 if wrong else 0


def check(tree, protection):
    """What is wrong with a row; empty: nothing."""
    problems = list(missing(tree.source, protection))
    if problems:
        return problems
    before = {}
    try:
        for file, text, instead in protection.changes:
            path = tree.source / file
            before.setdefault(path, path.read_text())
            path.write_text(path.read_text().replace(text, instead))
        try:
            tree.update(protection.tests)
        except Broken as reason:
            return [f"does not build without it: {reason}"]
        outcomes = {test: tree.attempt(test)[0] for test in protection.tests}
        return [f"{test} {outcome} without it" for test, outcome in outcomes.items() if outcome in ("passed", "skipped")]
    finally:
        for path, text in before.items():
            path.write_text(text)


def main(source, directory, compiler, *texts):
    wanted = [row for row in PROTECTIONS if not texts or
              any(text in " ".join([row.purpose, *row.tests, *(change[0] for change in row.changes)]) for text in texts)]
    tree = Tree(pathlib.Path(source), pathlib.Path(directory), compiler)
    tests = sorted({test for row in wanted for test in row.tests})
    tree.update(tests)
    wrong, skipped = 0, set()
    for test in tests:
        outcome, said = tree.attempt(test)
        if outcome == "skipped":
            skipped.add(test)
        elif outcome != "passed":
            wrong += 1
            print(f"{test} {outcome} with everything in place:\n{said[-2000:]}", flush=True)
    for row in wanted:
        begin = time.monotonic()
        if skipped.intersection(row.tests):
            print(f"SKIP  {row.purpose}: its test is skipped here", flush=True)
            continue
        problems = check(tree, row)
        wrong += bool(problems)
        print(f"{'WRONG' if problems else 'ok   '} {row.purpose} ({time.monotonic() - begin:.0f} s)",
              *(f"\n      {problem}" for problem in problems), flush=True)
    print(f"{len(wanted)} protections, {wrong} wrong")
    return 1 if wrong else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--table"] and len(sys.argv) == 3:
        sys.exit(check_table(sys.argv[2]))
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:]))
