# SPDX-License-Identifier: Apache-2.0
"""What every store of locks must do, as tests with the store as a parameter: a module of tests names the store in a
class of its own (see test_locks.py) and inherits the classes of this one.

What protects a lock, and which of these tests fails without it, is in tests/protection."""

import contextlib
import json
import os
import random
import re
import signal
import subprocess
import time

from harness import LONG, CommandTest, without_id

NAME = "fixture.locks"
KEY = f"/spicerack/locks/cookbooks/{NAME}"


class Store:
    """How a store is configured. `frees_within`: seconds until the locks of a dead run are free."""

    frees_within = 3
    lease = None  # seconds: a lock that is not renewed ends after this
    has_fence = True
    has_queue = True
    overlap_allowed_ns = 0  # after a SIGCONT: how long the runner may not look at the time, and the margin it has

    def cut_store(self):
        """The store does not answer any more, to nobody."""

    def mend_store(self):
        """It does again."""

    def store_settings(self):
        return f'store = "sqlite"; directory = "{self.scratch}/locks";'


class LocksTest(CommandTest):
    wait = 60
    stored_ttl = 300  # of those 300 s that the fixture asks for

    def setUp(self):
        super().setUp()
        self.configure()

    def configure(self, **settings):
        more = " ".join(f"{name} = {value};" for name, value in {"wait": self.wait, **settings}.items())
        self.config.write_text(self.configuration(
            [self.config_bases()], f"locks = {{ {self.store_settings()} {more} }};\n{self.other_settings()}"))

    def config_bases(self):
        from harness import FIXTURES
        return FIXTURES

    def other_settings(self):
        return ""

    def take(self, marks, *words, options=(), **more):
        """Starts a run of the fixture with a marks file of its own."""
        return self.start(*options, NAME, "--marks", self.scratch / marks, *words, **more)

    def run_fixture(self, *words, options=(), marks="marks", **more):
        return self.cookbook(*options, NAME, "--marks", self.scratch / marks, *words, **more)

    def go(self, marks):
        (self.scratch / f"{marks}.go").touch()

    def marks_of(self, marks):
        """The (what, fence, process, time) of each mark."""
        path = self.scratch / marks
        lines = path.read_text().splitlines() if path.exists() else []
        return [(line.rsplit(" ", 3)[0], *map(int, line.rsplit(" ", 3)[1:])) for line in lines]

    def wait_marked(self, marks, what):
        self.wait_for(lambda: any(mark[0] == what for mark in self.marks_of(marks)), f"{what!r} in {marks}", 60)

    def locks(self, *words, **more):
        return self.run_command("spicerack", "locks", words[0], "-c", self.config, *words[1:], **more)

    def entries(self, key=NAME):
        result = self.locks("show", key, "--json")
        self.assertEqual(result.code, 0, result)
        found = json.loads(result.out)
        return found[0]["entries"] if found else []

    def wait_entries(self, states, key=NAME, seconds=60):
        self.wait_for(lambda: [entry["state"] for entry in self.entries(key)] == states, f"{states} of {key}", seconds)

    def holder(self, marks="holder", *words):
        """A run that holds its lock until go(marks)."""
        process = self.take(marks, "--how", "wait", *words)
        self.wait_marked(marks, "run")
        return process


class LockOfARun(LocksTest):
    def test_held_from_start_to_end(self):
        process = self.holder()
        [entry] = self.entries()
        self.assertEqual(entry["state"], "held")
        self.assertEqual(entry["pid"], process.pid)
        self.assertRegex(entry["owner"], rf"\S+@\S+ \[{process.pid}\]")
        self.assertEqual((entry["concurrency"], entry["ttl"]), (1, self.stored_ttl))
        self.go("holder")
        self.assertEqual(self.finish(process).code, 0)
        self.assertEqual(self.entries(), [])

    def test_suffix(self):
        process = self.holder("holder", "--suffix", "eqiad")
        self.assertEqual(self.entries(), [])
        self.assertEqual(len(self.entries(f"{NAME}:eqiad")), 1)
        self.assertEqual(self.run_fixture("--suffix", "codfw").code, 0)
        self.go("holder")
        self.finish(process)

    def test_another_waits_and_then_runs(self):
        holder = self.holder()
        waiter = self.take("waiter")
        if self.has_queue:
            self.wait_entries(["held", "waiting"])
        time.sleep(0.3)
        self.assertEqual(self.marks_of("waiter"), [])
        self.go("holder")
        self.assertEqual(self.finish(holder).code, 0)
        result = self.finish(waiter)
        self.assertEqual(result.code, 0, result)
        if self.has_queue:
            self.assertRegex(without_id(result.err), (
                r"^Waiting for lock \(up to 1 min\): \{'concurrency': 1, 'created': '[-0-9]+ [:.0-9]+\+00:00', "
                rf"'owner': '\S+ \[{waiter.pid}\]', 'ttl': 300\}} for key {KEY}\.\n"
                r"There are already 1 concurrent locks and the concurrency allowed is 1:\n"
                rf"    [-0-9]+ [:.0-9]+: \S+ \[{holder.pid}\]\n"
                rf"Got the lock {KEY} after \d+\.\d s\nSTART"))
        if self.has_fence:
            self.assertGreater(self.marks_of("waiter")[0][1], self.marks_of("holder")[0][1])

    def test_not_acquired_is_90_without_start_and_end(self):
        holder = self.holder()
        self.configure(wait=1)
        result = self.run_fixture(marks="waiter")
        self.assertEqual(result.code, 90, result)
        self.assertNotIn("START", result.err)
        self.assertNotIn("END", result.err)
        self.assertIn(f"Unable to acquire the lock of cookbook {NAME} within 1 s: others hold it "
                      f"(`spicerack locks show {KEY}` tells more)\n", result.err)
        self.assertIn(f"[{holder.pid}]\n", result.err)
        self.assertEqual(self.marks_of("waiter"), [])
        self.assertEqual([entry["pid"] for entry in self.entries()], [holder.pid])
        self.go("holder")
        self.finish(holder)

    def test_stop_while_waiting(self):
        holder = self.holder()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            waiter = self.take("waiter")
            text = "Waiting for lock" if self.has_queue else "Unable to acquire lock"
            self.wait_for(lambda: any(f" {waiter.pid} " in line and text in line for line in self.log(NAME)), text, 60)
            if self.has_queue:
                self.wait_entries(["held", "waiting"])
            waiter.send_signal(number)
            result = self.finish(waiter)
            self.assertEqual(result.code, 97, result)
            for said in ("START", "END", "did not react"):
                self.assertNotIn(said, result.err)
            self.wait_entries(["held"])
        self.assertEqual(self.marks_of("waiter"), [])
        self.go("holder")
        self.finish(holder)

    def test_concurrency(self):
        holders = [self.holder(f"holder{i}", "--own-concurrency", "2") for i in range(2)]
        self.configure(wait=1)
        self.assertEqual(self.run_fixture("--own-concurrency", "2").code, 90)
        # Also who would let in more is bound by the limit of those who are in.
        for words in (["--own-concurrency", "5"], ["--own-concurrency", "0"]):
            self.assertEqual(self.run_fixture(*words).code, 90)
        for i, holder in enumerate(holders):
            self.go(f"holder{i}")
            self.assertEqual(self.finish(holder).code, 0)

    def test_unlimited_is_recorded(self):
        holders = [self.holder(f"holder{i}", "--own-concurrency", "0") for i in range(3)]
        self.assertEqual([entry["concurrency"] for entry in self.entries()], [0, 0, 0])
        self.configure(wait=1)
        self.assertEqual(self.run_fixture("--own-concurrency", "3").code, 90)
        self.assertEqual(self.run_fixture("--own-concurrency", "4").code, 0)
        for i, holder in enumerate(holders):
            self.go(f"holder{i}")
            self.assertEqual(self.finish(holder).code, 0)

    def test_given_back_on_every_way_out(self):
        for how, code in (("raise", 99), ("crash", 92), ("nothing", 0)):
            with self.subTest(how):
                self.assertEqual(self.run_fixture("--how", how).code, code)
                self.assertEqual(self.entries(), [])
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(number):
                process = self.take("stopped", "--how", "sleep")
                self.wait_marked("stopped", "run")
                process.send_signal(number)
                self.assertEqual(self.finish(process).code, 97)
                self.assertEqual(self.entries(), [])
                (self.scratch / "stopped").unlink()

    def test_rollback_has_the_lock(self):
        self.run_fixture("--how", "crash")
        marks = [mark[:2] for mark in self.marks_of("marks")]
        self.assertEqual([mark[0] for mark in marks], ["run", "rollback"])
        self.assertEqual(marks[0][1], marks[1][1])

    def test_ttl_that_passes_is_told_once_and_frees_nothing(self):
        holder = self.holder("holder", "--own-ttl", "1s")
        self.wait_for_log("is held for longer than its ttl, 1 s; it is held all the same", NAME)
        self.configure(wait=1)
        self.assertEqual(self.run_fixture(marks="waiter").code, 90)
        self.go("holder")
        result = self.finish(holder)
        self.assertEqual(result.code, 0)
        self.assertEqual(result.err.count("longer than its ttl"), 1)

    def test_nothing_is_taken_without_locks(self):
        holder = self.holder()
        for options in (["--no-locks"], []):
            if not options:
                self.configure(enabled="false")
            result = self.run_fixture("--name", "x", options=options, marks="free")
            self.assertEqual(result.code, 0, result)
            self.assertEqual({mark[1] for mark in self.marks_of("free")}, {0})
        self.configure()
        self.assertEqual(len(self.entries()), 1)
        self.go("holder")
        self.finish(holder)

    def test_dry_run_says_what_it_would_wait_for(self):
        holder = self.holder()
        result = self.run_fixture(options=["--dry-run"], marks="dry")
        self.assertEqual(result.code, 0, result)
        self.assertIn("DRY-RUN: would wait for lock: {'concurrency': 1,", result.err)
        self.assertIn(f"[{holder.pid}]\n", result.err)
        self.assertEqual([entry["pid"] for entry in self.entries()], [holder.pid])
        self.go("holder")
        self.finish(holder)

    def test_nested_runs(self):
        result = self.run_fixture("--how", "nest", "--suffix", "outer")
        self.assertEqual([mark[:2] for mark in self.marks_of("marks") if mark[0] == "inner"], [("inner", 0)], result)
        # Its own lock again, which nobody else could give back.
        result = self.run_fixture("--how", "nest", marks="again")
        self.assertEqual([mark[1] for mark in self.marks_of("again") if mark[0] == "inner"], [90], result)
        self.assertIn(f"Unable to acquire the lock of cookbook {NAME}: this run itself holds {KEY}, for cookbook {NAME}",
                      result.err)
        self.assertEqual(self.entries(), [])


class LocksOfACookbook(LocksTest):
    KEY = "/spicerack/locks/custom/deploy"

    def test_scope(self):
        process = self.take("holder", "--name", "deploy", "--how", "wait", "--concurrency", "3")
        self.wait_marked("holder", "lock")
        [entry] = self.entries(self.KEY)
        self.assertEqual((entry["concurrency"], entry["cookbook"] or NAME), (3, NAME))
        self.go("holder")
        self.assertEqual(self.finish(process).code, 0)
        self.assertEqual(self.entries(self.KEY), [])

    def test_module(self):
        result = self.run_fixture("--name", "deploy", "--module")
        self.assertEqual(result.code, 99)
        self.assertIn("the name of a module's lock must start with 'spicerack.': 'deploy' [lock.invalid]", result.err)
        self.assertEqual(self.run_fixture("--name", "spicerack.dhcp.DHCP:eqiad", "--module").code, 0)

    def test_names(self):
        for name, reason in (("a/b", "must not hold a slash: 'a/b'"), ("x" * 513, "must not be longer than 512 bytes"),
                             ("a\nb", r"must be text that can be shown: 'a\x0ab'")):
            with self.subTest(name):
                result = self.run_fixture("--name", name)
                self.assertEqual(result.code, 99, result)
                self.assertIn(reason, result.err)

    def test_given_back_by_raise_and_crash(self):
        for how, code in (("raise", 99), ("crash", 92)):
            with self.subTest(how):
                self.assertEqual(self.run_fixture("--name", "deploy", "--how", how).code, code)
                self.assertEqual(self.entries(self.KEY), [])

    def test_what_is_left_is_given_back_at_the_end(self):
        result = self.run_fixture("--name", "other", "--how", "nothing", options=["-v"])
        self.assertEqual(result.code, 0)
        result = self.run_fixture("--name", "deploy", "--how", "twice", "--concurrency", "2", options=["-v"])
        self.assertEqual(result.code, 99, result)  # the second asks for 1, and the first is in
        self.assertIn("[lock.deadlock]", result.err)
        self.assertEqual(self.entries(self.KEY), [])

    def test_one_waits_for_the_other(self):
        holder = self.take("holder", "--name", "deploy", "--how", "wait", "--suffix", "a")
        self.wait_marked("holder", "lock")
        waiter = self.take("waiter", "--name", "deploy", "--suffix", "b")
        self.wait_marked("waiter", "run")
        if self.has_queue:
            self.wait_entries(["held", "waiting"], self.KEY)
        self.assertEqual([mark[0] for mark in self.marks_of("waiter")], ["run"])
        self.go("holder")
        self.assertEqual(self.finish(holder).code, 0)
        self.assertEqual(self.finish(waiter).code, 0)

    def test_no_wait_and_some(self):
        holder = self.take("holder", "--name", "deploy", "--how", "wait", "--suffix", "a")
        self.wait_marked("holder", "lock")
        for words in (["--how", "no-wait"], ["--wait", "1s"]):
            result = self.run_fixture("--name", "deploy", "--suffix", "b", *words, marks="waiter")
            self.assertEqual(result.code, 99)
            self.assertIn(f"cannot acquire the lock {self.KEY}\n", result.err)
            self.assertIn("There are already 1 concurrent locks and the concurrency allowed is 1:", result.err)
            self.assertIn("[lock.unavailable]", result.err)
        self.assertEqual(len(self.entries(self.KEY)), 1)
        self.go("holder")
        self.finish(holder)

    def test_interrupted_while_waiting(self):
        holder = self.take("holder", "--name", "deploy", "--how", "wait", "--suffix", "a")
        self.wait_marked("holder", "lock")
        waiter = self.take("waiter", "--name", "deploy", "--suffix", "b")
        self.wait_marked("waiter", "run")
        self.wait_for_log("for key /spicerack/locks/custom/deploy", NAME)
        waiter.send_signal(signal.SIGINT)
        self.assertEqual(self.finish(waiter).code, 97)
        self.assertEqual([mark[0] for mark in self.marks_of("waiter")], ["run", "rollback"])
        self.wait_entries(["held"], self.KEY)
        self.go("holder")
        self.finish(holder)

    def test_killed_while_waiting(self):
        holder = self.take("holder", "--name", "deploy", "--how", "wait", "--suffix", "a")
        self.wait_marked("holder", "lock")
        waiter = self.take("waiter", "--name", "deploy", "--suffix", "b")
        self.wait_marked("waiter", "run")
        os.kill(self.marks_of("waiter")[0][2], signal.SIGKILL)
        self.assertEqual(self.finish(waiter).code, 92)
        # What the next one asks is answered, and not with what the dead one wanted.
        marks = [mark[:2] for mark in self.marks_of("waiter")]
        self.assertEqual(marks, [("run", marks[0][1]), ("rollback", marks[0][1])])
        self.wait_entries(["held"], self.KEY)
        self.go("holder")
        self.finish(holder)


class Deaths(LocksTest):
    def tree(self, process):
        """Supervisor, runner and worker of a run."""
        found = [process.pid]
        while len(found) < 3:
            found += [int(pid) for pid in open(f"/proc/{found[-1]}/task/{found[-1]}/children").read().split()[:1]]
        return found

    def after_the_death(self, stop, waits=True):
        holder = self.take("holder", "--how", "sleep")
        self.wait_marked("holder", "run")
        waiter = self.take("waiter")
        if self.has_queue and waits:
            self.wait_entries(["held", "waiting"])
        stop(self.tree(holder))
        result = self.finish(waiter, timeout=self.frees_within + 120)
        self.assertEqual(result.code, 0, result)
        return self.marks_of("holder"), self.marks_of("waiter")

    def test_killed_supervisor(self):
        """The worker is gone before the lock is free."""
        worker = []

        def stop(tree):
            worker.append(tree[2])
            os.kill(tree[0], signal.SIGKILL)

        self.after_the_death(stop)
        self.assertFalse(os.path.exists(f"/proc/{worker[0]}/exe") and os.readlink(f"/proc/{worker[0]}/exe"))

    def test_killed_supervisor_with_a_stopped_worker_and_runner(self):
        """As long as the worker could go on, the lock is held."""
        if self.frees_within > 3:
            self.skipTest("a lease ends whatever stands still: see the deadline")
        holder = self.take("holder", "--how", "sleep")
        self.wait_marked("holder", "run")
        supervisor, runner, worker = self.tree(holder)
        for pid in (runner, worker):
            os.kill(pid, signal.SIGSTOP)
        os.kill(supervisor, signal.SIGKILL)
        holder.wait()
        self.assertEqual([entry["state"] for entry in self.entries()], ["held"])
        os.kill(runner, signal.SIGCONT)
        self.wait_entries([])

    def test_killed_runner_or_worker(self):
        for index in (1, 2):
            with self.subTest(index):
                before, after = self.after_the_death(lambda tree, i=index: os.kill(tree[i], signal.SIGKILL))
                if index == 2:
                    self.assertIn("rollback", [mark[0] for mark in before])
                    self.assertLess(max(mark[3] for mark in before), min(mark[3] for mark in after))
                for marks in ("holder", "waiter"):
                    (self.scratch / marks).unlink()

    def test_killed_waiter(self):
        """The next but one is let in."""
        holder = self.holder()
        waiters = []
        for i in range(2):
            waiters.append(self.take(f"waiter{i}"))
            if self.has_queue:
                self.wait_entries(["held"] + ["waiting"] * (i + 1))
        waiters[0].kill()
        self.go("holder")
        self.finish(holder)
        self.assertEqual(self.finish(waiters[1], timeout=self.frees_within + 120).code, 0)

    def test_stopped_supervisor_keeps_what_it_holds(self):
        if self.frees_within > 3:
            self.skipTest("a lease ends whatever stands still: see the deadline")
        holder = self.holder()
        os.kill(holder.pid, signal.SIGSTOP)
        self.configure(wait=2)
        self.assertEqual(self.run_fixture(marks="waiter").code, 90)
        os.kill(holder.pid, signal.SIGCONT)
        self.go("holder")
        self.assertEqual(self.finish(holder).code, 0)


class Deadline(LocksTest):
    """A lock that ends when it is not renewed: the worker is gone before that, whatever the supervisor is at."""

    def test_unreachable_store(self):
        holder = self.take("holder", "--how", "sleep")
        self.wait_marked("holder", "run")
        self.cut_store()
        cut = time.monotonic()
        try:
            result = self.finish(holder, timeout=self.lease + 60)
        finally:
            self.mend_store()
        self.assertLess(time.monotonic() - cut, self.lease + 10)
        self.assertEqual(result.code, 91, result)
        self.assertIn("The store of locks does not answer: ", result.err)
        self.assertIn("; without an answer the cookbook is stopped in ", result.err)
        self.assertIn("The lock of this run is lost: ", result.err)
        self.assertIn(f"Cookbook {NAME} was stopped without its lock: a rollback is owed\n", result.err)
        self.assertEqual([mark[0] for mark in self.marks_of("holder")], ["run"])
        self.assertNothingLeft()

    def test_store_that_comes_back(self):
        holder = self.take("holder", "--how", "wait")
        self.wait_marked("holder", "run")
        self.cut_store()
        try:
            # The next renewal is a third of the lease away, and its call is given up after as much.
            self.wait_for(lambda: "The store of locks does not answer" in "\n".join(self.log(NAME)), "a renewal to fail",
                          self.lease + 10)
        finally:
            self.mend_store()
        self.wait_for(lambda: "answers again" in "\n".join(self.log(NAME)), "the store", self.lease + 30)
        self.go("holder")
        self.assertEqual(self.finish(holder).code, 0)

    def test_stopped_supervisor(self):
        holder = self.take("holder", "--how", "sleep")
        self.wait_marked("holder", "run")
        worker = self.marks_of("holder")[0][2]
        os.kill(holder.pid, signal.SIGSTOP)
        waiter = self.take("waiter")
        try:
            self.wait_for(lambda: not os.path.exists(f"/proc/{worker}/exe"), "the worker's end", self.lease + 30)
            self.assertEqual(self.marks_of("waiter"), [])
        finally:
            os.kill(holder.pid, signal.SIGCONT)
        result = self.finish(holder)
        self.assertEqual(result.code, 91, result)
        self.assertEqual(self.finish(waiter, timeout=self.lease + 120).code, 0)

    def test_stopped_supervisor_and_runner(self):
        """Who has slept is a little late: the runner looks at the time at least twice a second."""
        holder = self.take("holder", "--how", "beat")
        self.wait_marked("holder", "beat")
        processes = [pid for pid, comm in self.processes() if comm.startswith(("cookbook", "spicerack"))]
        for pid in processes:
            os.kill(pid, signal.SIGSTOP)
        waiter = self.take("waiter", "--how", "beat", "--times", "1")
        try:
            self.wait_marked_long("waiter", "beat")
        finally:
            for pid in processes:
                with contextlib.suppress(ProcessLookupError):  # the first one may have ended the others already
                    os.kill(pid, signal.SIGCONT)
        self.assertEqual(self.finish(holder).code, 91)
        waiter.send_signal(signal.SIGINT)
        self.finish(waiter)
        first = min(mark[3] for mark in self.marks_of("waiter"))
        late = [mark[3] for mark in self.marks_of("holder") if mark[3] > first]
        woken = min(late, default=0)
        overlap = max(late, default=0) - woken
        print(f"after SIGCONT: {len(late)} writes with an old token, for {overlap / 1e6:.1f} ms")
        self.assertLess(overlap, 600e6)

    def wait_marked_long(self, marks, what):
        self.wait_for(lambda: any(mark[0] == what for mark in self.marks_of(marks)), f"{what!r} in {marks}",
                      self.lease + 120)


class Commands(LocksTest):
    def test_nobody(self):
        result = self.locks("list")
        self.assertEqual((result.code, result.out, result.err), (0, "", "nobody holds or waits for a lock\n"))
        self.assertEqual(json.loads(self.locks("list", "--json").out), [])
        with open("/dev/full", "wb") as full:
            done = subprocess.run(["spicerack", "locks", "list", "--json", "-c", self.config], env=self.env, stdout=full,
                                  stderr=subprocess.PIPE, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr),
                         (1, "spicerack locks list: error: cannot write: No space left on device\n"))

    def test_list_and_show(self):
        holder = self.holder()
        [key] = json.loads(self.locks("list", "--json").out)
        self.assertEqual((key["key"], key["used"], key["allowed"]), (KEY, 1, 1))
        result = self.locks("list")
        self.assertRegex(result.out, rf"^{KEY} \(1 of 1\)\n    \S+@\S+ \[{holder.pid}\]( for {NAME})? since "
                                     rf"[-0-9]+ [:.0-9]+ \(\w+ ago\), concurrency 1, ttl {self.stored_ttl} s, id [-0-9a-f]{{36}}\n$")
        age = re.compile(r" \(\w+ ago\)")
        self.assertEqual(age.sub("", self.locks("show", KEY).out), age.sub("", self.locks("show", NAME).out))
        self.go("holder")
        self.finish(holder)

    def test_hold(self):
        held = self.locks("hold", NAME, "--for", "1h", "--reason", "the rack is being moved")
        self.assertEqual(held.code, 0, held)
        waiter = self.take("waiter")
        self.wait_for_log("the rack is being moved", NAME)
        self.assertEqual(self.marks_of("waiter"), [])
        self.assertIn("hold", [entry["state"] for entry in self.entries()])
        self.assertEqual(self.locks("unhold", NAME).code, 0)
        self.assertEqual(self.finish(waiter).code, 0)
        self.assertEqual(self.locks("unhold", NAME).code, 1)
        logged = (self.logs / "spicerack" / "locks.log").read_text()
        self.assertIn(f"holding {KEY} for 1h: the rack is being moved\n", logged)
        self.assertIn(f"no longer holding {KEY}", logged)

    def test_hold_ends_by_itself(self):
        self.assertEqual(self.locks("hold", NAME, "--for", "2s", "--reason", "short").code, 0)
        result = self.run_fixture()
        self.assertEqual(result.code, 0, result)
        self.assertIn("short", result.err)
        self.assertEqual(self.entries(), [])

    def test_hold_lets_go_on_who_is_in(self):
        holder = self.holder()
        self.assertEqual(self.locks("hold", NAME, "--for", "1h", "--reason", "x").code, 0)
        self.go("holder")
        self.assertEqual(self.finish(holder).code, 0)
        self.assertEqual([entry["state"] for entry in self.entries()], ["hold"])

    def test_release_ends_the_run_with_91(self):
        """Held means held: who has lost his lock does not go on."""
        holder = self.take("holder", "--how", "sleep")
        self.wait_marked("holder", "run")
        [entry] = self.entries()
        released = self.locks("release", KEY, entry["id"], "--reason", "it hangs")
        self.assertEqual(released.code, 0, released)
        result = self.finish(holder)
        self.assertEqual(result.code, 91, result)
        self.assertIn("The lock of this run is lost: ", result.err)
        self.assertIn(f"Cookbook {NAME} was stopped without its lock: a rollback is owed\n", result.err)
        self.assertIn(f"END (FAIL) - Cookbook {NAME} (exit_code=91)", result.err)
        self.assertEqual([mark[0] for mark in self.marks_of("holder")], ["run"])  # no rollback
        self.assertIn(f"released {KEY}, {entry['id']}, of {entry['owner']}",
                      (self.logs / "spicerack" / "locks.log").read_text())
        self.assertNothingLeft()

    def test_release_of_a_waiter(self):
        if not self.has_queue:
            self.skipTest("nobody waits in this store")
        holder = self.holder()
        waiter = self.take("waiter")
        self.wait_entries(["held", "waiting"])
        entry = self.entries()[1]
        self.assertEqual(self.locks("release", NAME, entry["id"][:8], "--reason", "x").code, 0)
        result = self.finish(waiter)
        self.assertEqual(result.code, 90, result)
        self.assertIn("somebody has removed it", result.err)
        self.go("holder")
        self.finish(holder)

    def test_bad_words(self):
        for words, reason in (
                (["show", "a/b"], "the name of a lock must not hold a slash: 'a/b'"),
                (["show", "/elsewhere/x"], "it must start with /spicerack/locks/{cookbooks,custom,modules}/"),
                (["hold", NAME, "--for", "0", "--reason", "x"], "argument --for: must be more than 0 and at most 366d"),
                (["hold", NAME, "--for", "367d", "--reason", "x"], "argument --for: must be more than 0 and at most 366d"),
                (["hold", NAME, "--for", "1h", "--reason", ""], "argument --reason: must not be empty"),
                (["hold", NAME, "--for", "1h"], "the following arguments are required: --reason"),
                (["release", NAME, "ab", "--reason", "x"], "give at least 4 characters"),
                (["release", NAME, "abcdef", "--reason", "x"], "there is no entry 'abcdef'")):
            with self.subTest(words):
                result = self.locks(*words)
                self.assertIn(result.code, (1, 2))
                self.assertIn(reason, result.err)
        self.assertEqual(self.run_command("spicerack", "locks", "nonsense").code, 2)


class Contention(LocksTest):
    """Many processes and a witness that knows nothing of the store: a file to which each holder appends with its token.
    A line that comes after one with a larger token is what a system with a fence refuses."""

    PROCESSES = 50
    wait = 600

    def contend(self, concurrency, times, disturb=None):
        """Returns the marks in the order in which they were made; `disturb` is given the running processes."""
        processes = []
        for i in range(self.PROCESSES):
            with open(self.scratch / f"err{i}", "w", encoding="ascii") as err:
                processes.append(self.take(
                    "witness", "--own-concurrency", "0", "--name", "contended", "--concurrency", str(concurrency),
                    "--times", str(times), "--pause", "1ms", stdout=None, stderr=err))
        if disturb:
            disturb(processes)
        codes = [process.wait(900) for process in processes]
        for i in (i for i, code in enumerate(codes) if code == 91):
            lines = (self.scratch / f"err{i}").read_text(errors="replace").splitlines()
            print(*(line for line in lines if "store of locks" in line or "is lost" in line), sep="\n")
        return codes, [mark for mark in self.marks_of("witness") if mark[0] in ("lock", "unlock")]

    def judge(self, marks, concurrency):
        """The largest number that held at once, and how many marks came with an older token than one before."""
        inside, most, newest, refused = set(), 0, 0, 0
        for what, fence, _, _ in marks:
            if what == "lock":
                inside.add(fence)
            else:
                inside.discard(fence)
            most = max(most, len(inside))
            refused += concurrency == 1 and fence < newest
            newest = max(newest, fence)
        return most, refused

    def check(self, concurrency):
        times = 100 if LONG else 4
        codes, marks = self.contend(concurrency, times)
        self.assertEqual(set(codes), {0})
        self.assertEqual(len(marks), 2 * self.PROCESSES * times)
        most, refused = self.judge(marks, concurrency)
        print(f"{self.PROCESSES} processes, concurrency {concurrency}: {len(marks) // 2} acquisitions, "
              f"at most {most} at once, {refused} writes refused")
        self.assertLessEqual(most, concurrency)
        self.assertEqual(refused, 0)
        if self.has_fence:
            self.assertEqual(len({mark[1] for mark in marks}), self.PROCESSES * times)
        self.assertEqual(self.entries("/spicerack/locks/custom/contended"), [])

    def test_one_at_a_time(self):
        self.check(1)

    def test_five_at_a_time(self):
        self.check(5)

    def test_first_come_first_served(self):
        if not self.has_queue:
            self.skipTest("this store keeps no queue")
        holder = self.holder()
        waiters = []
        for i in range(8):
            waiters.append(self.take("order"))
            self.wait_entries(["held"] + ["waiting"] * (i + 1))
        self.go("holder")
        for process in [holder, *waiters]:
            self.assertEqual(self.finish(process).code, 0)
        supervisors = [int(line.split()[3]) for line in self.log(NAME) if "START - " in line]
        self.assertEqual(supervisors, [holder.pid, *(waiter.pid for waiter in waiters)])

    def test_nobody_overtakes(self):
        """Also who would fit in waits behind who does not."""
        if not self.has_queue:
            self.skipTest("this store keeps no queue")
        holder = self.holder("holder", "--own-concurrency", "2")
        first = self.take("first")
        self.wait_entries(["held", "waiting"])
        second = self.take("second", "--own-concurrency", "2")
        self.wait_entries(["held", "waiting", "waiting"])
        time.sleep(0.5)
        self.assertEqual(self.marks_of("second"), [])
        self.go("holder")
        for process in (holder, first, second):
            self.assertEqual(self.finish(process).code, 0)
        if self.has_fence:
            self.assertLess(self.marks_of("first")[0][1], self.marks_of("second")[0][1])

    def test_random_deaths_and_stops(self):
        """No write with an old token, whoever is killed or stopped."""
        stops = 60 if LONG else 12
        self.PROCESSES = 50 if LONG else 20
        chance = random.Random(5)

        def disturb(processes):
            self.wait_marked("witness", "unlock")
            for i in range(stops):
                process = chance.choice(processes)
                pids = [pid for pid, _ in self.processes()]
                victim = chance.choice([process.pid, *pids]) if pids else process.pid
                try:
                    if i % 3 == 0:
                        os.kill(victim, signal.SIGKILL)
                    else:
                        os.kill(victim, signal.SIGSTOP)
                        time.sleep(0.05)
                        os.kill(victim, signal.SIGCONT)
                except ProcessLookupError:
                    pass

        codes, marks = self.contend(1, 100 if LONG else 4, disturb)
        overlap, refused, newest = 0, 0, (0, 0)
        for _, fence, _, when in marks:
            if fence < newest[0]:
                refused += 1
                overlap = max(overlap, when - newest[1])
            elif fence > newest[0]:
                newest = (fence, when)
        print(f"{stops} deaths and stops: {len(marks)} writes, {refused} of them refused, overlap {overlap / 1e6:.1f} ms, "
              f"exit codes {sorted(set(codes))}")
        self.assertLessEqual(overlap, self.overlap_allowed_ns)
        if not self.overlap_allowed_ns:
            self.assertEqual(refused, 0)
        self.wait_entries([], "/spicerack/locks/custom/contended", self.frees_within + 60)
