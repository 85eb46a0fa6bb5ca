# SPDX-License-Identifier: Apache-2.0
"""Death and stop of each of the three processes at each stage of a run: what holds afterwards.

A row of STAGES brings a run to a stage and keeps it there. The runs of a test are at it side by side.
"""

import dataclasses
import os
import signal
import subprocess
import sys
import time
import unittest

from harness import FIXTURES, RECORD, CommandTest

NAME = "fixture.misbehave"
BEFORE = ["check", "prepare", "describe", "lock"]
WHOLE = [*BEFORE, "run"]

SUPERVISOR, RUNNER, WORKER = "cookbook", "spicerack-run", "spicerack-work"

# What a supervisor that is gone leaves in the log.
OWED = "the cookbook was stopped, it was not rolled back: a rollback is owed"
NOT_BEGUN = "the cookbook was stopped before it ran"


@dataclasses.dataclass(frozen=True)
class Stage:
    name: str
    words: tuple  # for fixture.misbehave
    marks: tuple  # what it has done when it is there; the last one tells that it is
    last_words: str  # the runner's, when the supervisor is dead


STAGES = [
    *(Stage(name, ("--at", callback, "--how", "deaf"), tuple(BEFORE[:number + 1]), f"after {name}: {NOT_BEGUN}")
      for number, (name, callback) in enumerate(zip(["arguments", *BEFORE[1:]], BEFORE))),
    Stage("run", ("--how", "deaf", "--scoped"), tuple(WHOLE), f"during run: {OWED}"),
    Stage("undo", ("--how", "segv", "--scoped", "--at-undo", "deaf"), (*WHOLE, "scope"), f"during undo: {OWED}"),
    Stage("rollback", ("--how", "raise", "--at-rollback", "deaf"), (*WHOLE, "rollback"), f"during rollback: {OWED}"),
    Stage("quit", ("--how", "stay-at-quit",), (*WHOLE, "run ends", "quit"), "after the run"),
]


class Run:
    """A run that has been brought to its stage, with files of its own."""

    def __init__(self, test, stage):
        self.test, self.stage = test, stage
        self.place = test.scratch / stage.name
        self.marks_file = self.place / "marks"
        self.config = test.write(f"{stage.name}/spicerack.cfg",
                                 f'cookbooks_base_dirs = ["{FIXTURES}"];\nlogs_base_dir = "{self.place}/logs";\n')
        self.process = subprocess.Popen(
            ["cookbook", "-c", str(self.config), NAME, "--marks", str(self.marks_file), *stage.words], env=test.env,
            cwd=self.place, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        test.addCleanup(self.process.stdout.close)
        test.addCleanup(self.process.wait)
        test.addCleanup(self.process.kill)

    def marks(self):
        return self.marks_file.read_text().splitlines() if self.marks_file.exists() else []

    def arrive(self):
        self.test.wait_for(lambda: self.stage.marks[-1] in self.marks(), f"{self.stage.name}: {self.marks()}", 60)
        self.test.assertEqual(self.marks(), list(self.stage.marks))
        self.pids = {SUPERVISOR: self.process.pid}
        self.pids[RUNNER] = self.child_of(self.process.pid, RUNNER)
        self.pids[WORKER] = self.child_of(self.pids[RUNNER], WORKER)

    def child_of(self, pid, name):
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as children:
            for child in children.read().split():
                with open(f"/proc/{child}/comm", encoding="ascii") as comm:
                    if comm.read().strip() == name:
                        return int(child)
        raise AssertionError(f"no {name} below {pid}")

    def send(self, who, *numbers):
        for number in numbers:
            os.kill(self.pids[who], number)

    def messages(self):
        path = self.place / "logs" / (NAME.replace(".", "/") + ".log")
        text = path.read_text(errors="backslashreplace") if path.exists() else ""
        return [match["message"] for match in map(RECORD.fullmatch, text.splitlines()) if match]

    def wait_for_message(self, text):
        self.test.wait_for(lambda: any(text in message for message in self.messages()), f"{self.stage.name}: {text}")

    def left(self):
        """The processes of this run: they all work where it was started."""
        return [name for pid, name in self.test.processes() if self.directory_of(pid) == str(self.place)]

    @staticmethod
    def directory_of(pid):
        try:
            return os.readlink(f"/proc/{pid}/cwd")
        except OSError:
            return ""

    def end(self, timeout=60):
        """Waits for the end; (exit code, the END lines of the log, the marks behind the stage)."""
        self.process.communicate(timeout=timeout)
        ends = [message.split(" - ")[0] for message in self.messages() if message.startswith("END ")]
        return self.process.returncode, ends, self.marks()[len(self.stage.marks):]


class StagesTest(CommandTest):
    def arrive(self):
        runs = [Run(self, stage) for stage in STAGES]
        for run in runs:
            run.arrive()
        return runs

    def check(self, runs, expected, said=None):
        """Each run ends as its row says, and leaves nothing."""
        for run in runs:
            with self.subTest(run.stage.name):
                code, end, marks = expected[run.stage.name]
                self.assertEqual(run.end(), (code, [end] if end else [], marks))
                for text in (said or {}).get(run.stage.name, []):
                    self.assertIn(text, "\n".join(run.messages()))
        self.assertNothingLeft()


BEFORE_START = [stage.name for stage in STAGES[:4]]
FAIL, ERROR, PASS = "END (FAIL)", "END (ERROR)", "END (PASS)"
ROLLED_BACK = ["rollback", "rollback ends"]


class Killed(StagesTest):
    """SIGKILL."""

    def check_supervisor(self, *numbers):
        for run in self.arrive():
            with self.subTest(run.stage.name):
                begin = time.monotonic()
                run.send(SUPERVISOR, *numbers)
                run.process.wait()
                self.wait_for(lambda: not run.left(), f"the end of {run.left()}", 20)
                # A second is what is promised. Said, not asserted: the machine may be busy.
                print(f"{run.stage.name}: all gone after {1000 * (time.monotonic() - begin):.0f} ms", file=sys.stderr)
                self.assertEqual(run.marks(), list(run.stage.marks))
                self.assertEqual(run.messages()[-1], f"The supervisor of cookbook {NAME} died {run.stage.last_words}")
        self.assertNothingLeft()

    def test_supervisor(self):
        self.check_supervisor(signal.SIGKILL)

    def test_supervisor_that_is_stopped(self):
        self.check_supervisor(signal.SIGSTOP, signal.SIGKILL)

    def test_runner(self):
        runs = self.arrive()
        for run in runs:
            run.send(RUNNER, signal.SIGKILL)
        self.check(runs, {
            **{name: (92, None, []) for name in BEFORE_START},
            "run": (93, FAIL, []), "undo": (93, FAIL, []), "rollback": (93, FAIL, []), "quit": (0, PASS, []),
        }, {
            **{name: [f"The runner of cookbook {NAME} died during its "] for name in BEFORE_START},
            "run": ["a rollback is owed"], "undo": ["a rollback is owed"],
            "rollback": [f"The rollback of cookbook {NAME} did not end: it is owed"],
        })

    def test_worker(self):
        runs = self.arrive()
        for run in runs:
            run.send(WORKER, signal.SIGKILL)
        death = f"Cookbook {NAME} was ended by signal 9 (SIGKILL, Killed) during "
        self.check(runs, {
            **{name: (92, None, []) for name in BEFORE_START},
            "run": (92, FAIL, ["scope", *ROLLED_BACK]),
            # The action that died is not tried again.
            "undo": (93, FAIL, ROLLED_BACK),
            "rollback": (93, FAIL, []), "quit": (0, PASS, []),
        }, {name: [death + name] for name in [*BEFORE_START, "run", "undo", "rollback"]})


class Stopped(StagesTest):
    """SIGSTOP."""

    def test_runner_for_longer_than_its_limit(self):
        """It cannot tell that the worker has died; after ten seconds it is given up."""
        runs = self.arrive()
        for run in runs:
            run.send(RUNNER, signal.SIGSTOP)
            run.send(WORKER, signal.SIGKILL)
        self.check(runs, {
            **{name: (92, None, []) for name in BEFORE_START},
            "run": (93, FAIL, []), "undo": (93, FAIL, []), "rollback": (93, FAIL, []), "quit": (0, PASS, []),
        }, {name: ["a rollback is owed"] for name in ("run", "undo")})

    def test_runner_that_goes_on_in_time(self):
        runs = self.arrive()
        for run in runs:
            run.send(RUNNER, signal.SIGSTOP)
            run.send(WORKER, signal.SIGKILL)
        for run in runs:
            run.send(RUNNER, signal.SIGCONT)
        self.check(runs, {
            **{name: (92, None, []) for name in BEFORE_START},
            "run": (92, FAIL, ["scope", *ROLLED_BACK]), "undo": (93, FAIL, ROLLED_BACK),
            "rollback": (93, FAIL, []), "quit": (0, PASS, []),
        })

    def test_worker_is_killed_by_the_second_ctrl_c(self):
        runs = self.arrive()
        first = {"undo": "press Ctrl+C again within 5 seconds", "rollback": "press Ctrl+C again within 5 seconds"}
        for run in runs:
            run.send(WORKER, signal.SIGSTOP)
            run.send(SUPERVISOR, signal.SIGINT)
            # Behind the END line the first one is enough.
            if run.stage.name != "quit":
                run.wait_for_message(first.get(run.stage.name, "press again to kill it"))
                run.send(SUPERVISOR, signal.SIGINT)
        self.check(runs, {
            **{name: (97, None, []) for name in BEFORE_START},
            "run": (97, ERROR, ["scope", *ROLLED_BACK]),
            "undo": (93, FAIL, []), "rollback": (93, FAIL, []), "quit": (0, PASS, []),
        }, {"undo": ["the rollback is abandoned", "a rollback is owed"],
            "rollback": ["the rollback is abandoned", "what it had not done yet is owed"]})

    def test_worker_does_not_react_to_sigterm(self):
        """Killed ten seconds later. A rollback goes on: it would end when the worker does."""
        runs = [run for run in self.arrive() if run.stage.name not in ("undo", "rollback")]
        for run in runs:
            run.send(WORKER, signal.SIGSTOP)
            run.send(SUPERVISOR, signal.SIGTERM)
        for run in runs:
            with self.subTest(run.stage.name):
                code, end, marks = run.end()
                expected = {"run": (97, [ERROR], ["scope", *ROLLED_BACK]), "quit": (0, [PASS], [])}
                self.assertEqual((code, end, marks), expected.get(run.stage.name, (97, [], [])))


if __name__ == "__main__":
    unittest.main()
