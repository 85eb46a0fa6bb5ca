# SPDX-License-Identifier: Apache-2.0
"""Runs within runs: the three forms of spk_run_cookbook, their ends, and what signals do to all levels."""

import contextlib
import os
import pathlib
import shutil
import signal
import termios
import unittest

from harness import CommandTest, without_id

OUTER = "fixture.nest"
INNER = "fixture.misbehave"
BEFORE = ["check", "prepare", "describe", "lock"]
WHOLE = [*BEFORE, "run"]
ROLLED_BACK = ["rollback", "rollback ends"]

FIRST = "Ctrl+C: interrupting the cookbook, press again to kill it"
SECOND = "Ctrl+C again: killing the cookbook"
OWED = "the cookbook was stopped, it was not rolled back: a rollback is owed"
QUESTION = "What do you want to do?"


def start(name, description=""):
    return f"START - Cookbook {name}{description}"


def end(name, code, description=""):
    word = "ERROR" if code == 97 else "PASS" if code == 0 else "FAIL"
    return f"END ({word}) - Cookbook {name} (exit_code={code}){description}"


def started(pid):
    """When a process was started, in ticks of the kernel."""
    return int(pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19])


class NestedTest(CommandTest):
    """Runs of fixture.nest around another cookbook, which is fixture.misbehave unless said otherwise."""

    def words(self, inner, outer):
        if inner is not None:
            inner = ["--", "--marks", self.marks_file, *inner]
        return [OUTER, "--marks", self.marks_file, *outer, *(inner or [])]

    def nest(self, inner, outer=(), options=(), **more):
        return self.cookbook(*options, *self.words(inner, outer), **more)

    def start_nest(self, inner, outer=(), mark="run", options=()):
        """Starts a nest and waits until it has come to a mark."""
        process = self.start(*options, *self.words(inner, outer))
        self.wait_for_mark(mark)
        return process

    def check(self, code, marks, inner, outer=(), **more):
        result = self.nest(inner, outer, **more)
        self.assertEqual(result.code, code, result)
        self.assertEqual(self.marks(), marks, result)
        self.assertNothingLeft()
        return result

    def check_end(self, process, code, marks):
        result = self.finish(process)
        self.assertEqual(result.code, code, result)
        self.assertEqual(self.marks(), marks, result)
        self.assertNothingLeft()
        return result

    def messages(self, extended=False):
        return [message for _, message in self.records(OUTER, extended)]

    def ends(self):
        """START, END and the rollbacks between, in the order in which they were logged."""
        return [message for message in self.messages()
                if message.startswith(("START", "END", "Rolling back", "Interrupted"))]

    def level(self, name, depth, levels):
        """The process with that name at a depth, of as many as there are levels; 0 is the operator's own run."""
        def found():
            pids = [pid for pid, comm in self.processes() if comm == name]
            return pids if len(pids) == levels else None

        return sorted(self.wait_for(found, f"{levels} processes {name}"), key=lambda pid: (started(pid), pid))[depth]

    @contextlib.contextmanager
    def fresh(self, case):
        """One case of several, with marks and a log of its own."""
        with self.subTest(case):
            for path in (self.marks_file, self.scratch / "marks.seen"):
                path.unlink(missing_ok=True)
            shutil.rmtree(self.logs, ignore_errors=True)
            yield


class Code(NestedTest):
    """spk_run_cookbook() returns what the operator would get."""

    def test_every_kind_of_end(self):
        for code, inner, marks in (
                (0, [], [*WHOLE, "run ends"]),
                (5, ["--how", "return", "--value", "5"], [*WHOLE, "run ends", *ROLLED_BACK]),
                (127, ["--how", "return", "--value", "127"], [*WHOLE, "run ends", *ROLLED_BACK]),
                (92, ["--how", "segv"], [*WHOLE, *ROLLED_BACK]),
                (92, ["--how", "kill"], [*WHOLE, *ROLLED_BACK]),
                (92, ["--how", "exit"], [*WHOLE, *ROLLED_BACK]),
                (93, ["--how", "raise", "--at-rollback", "raise"], [*WHOLE, "rollback"]),
                (94, ["--how", "raise", "--at", "prepare"], ["check", "prepare"]),
                (96, ["--how", "misuse", "--at", "check"], ["check"]),
                (99, ["--how", "raise"], [*WHOLE, *ROLLED_BACK]),
                (99, ["--how", "return", "--value", "90"], [*WHOLE, "run ends", *ROLLED_BACK])):
            with self.fresh((code, inner)):
                self.check(0, ["0 waits 0", *marks, f"0 code {code}", "0 run ends 0"], inner)

    def test_usage_error_is_shown_and_nothing_runs(self):
        for inner, message in ((["--bogus"], "unrecognized arguments: --bogus"),
                               (["--how", "raise", "--at", "check"], "it was to raise")):
            with self.fresh(inner):
                result = self.nest(inner)
                self.assertEqual(result.code, 0, result)
                self.assertIn("0 code 2", self.marks())
                self.assertIn(f"\nusage: cookbook [GLOBAL_ARGS] {INNER} [-h]", result.err)
                self.assertIn(f"\ncookbook [GLOBAL_ARGS] {INNER}: error: {message}\n", result.err)
                self.assertEqual(self.ends(), [start(OUTER), end(OUTER, 0)])

    def test_help_goes_to_standard_output(self):
        result = self.nest(["--help"])
        self.assertIn("0 code 0", self.marks())
        self.assertTrue(result.out.startswith(f"usage: cookbook [GLOBAL_ARGS] {INNER} [-h]"), result)

    def test_data_is_passed_on(self):
        self.assertEqual(self.nest(["--how", "print"]).out, "data on stdout\n")

    def test_a_cookbook_that_does_not_exist(self):
        for name in ("fixture.nope", "fixture", "nope.nope", "../misbehave", "fixture/nope.so"):
            with self.fresh(name):
                result = self.check(99, ["0 waits 0", "0 rollback 0"], None, ["--cookbook", name])
                self.assertIn(f"there is no cookbook '{name}' [nested.missing]\n", result.err)

    def test_a_path_is_as_good_as_a_name(self):
        self.nest([], ["--cookbook", "fixture/misbehave.so"])
        self.assertIn("0 code 0", self.marks())

    def test_depth(self):
        """Seven within the first are eight; the ninth is refused."""
        self.nest([], ["--depth", "6"])
        self.assertEqual(self.marks()[-14:], [f"{depth} {what} 0" for depth in range(7) for what in ("code", "run ends")])
        self.marks_file.unlink()
        result = self.nest([], ["--depth", "7"])
        self.assertEqual(result.code, 0, result)
        self.assertEqual(self.marks()[:3], ["0 waits 0", "0 rollback 0", "1 code 99"])
        self.assertIn(f"cannot run cookbook '{INNER}': 8 runs are within each other already [nested.depth]\n", result.err)
        self.assertEqual(result.err.count("[nested.depth]"), 1)

    def test_a_cookbook_that_calls_itself(self):
        result = self.nest(None, ["--depth", "1000", "--form", "must"])
        self.assertEqual(result.code, 99, result)
        self.assertEqual(self.marks(), [f"{depth} rollback 0" for depth in range(993, 1001)])
        self.assertEqual(result.err.count("[nested.depth]"), 1)
        self.assertNothingLeft()


class SharedWithTheOuter(NestedTest):
    def test_log_files(self):
        self.nest(["--how", "levels"])
        self.assertEqual(sorted(str(path.relative_to(self.logs)) for path in self.logs.rglob("*.log*")),
                         ["fixture/nest-extended.log", "fixture/nest.log"])
        by = " by levels"
        plain = [start(OUTER), start(INNER, by), "an info message", "a warning", "an error", end(INNER, 0, by),
                 end(OUTER, 0)]
        self.assertEqual(without_id("\n".join(self.messages()), runs=2), "\n".join(plain))
        extended = self.messages(extended=True)
        self.assertEqual([message for message in extended if message in plain], plain)
        self.assertIn("a debug message", extended)
        stats = [message.partition(",duration")[0] for message in extended if message.startswith("__COOKBOOK_STATS__")]
        self.assertEqual(stats, [f"__COOKBOOK_STATS__:name={name},exit_code=0" for name in (INNER, OUTER)])

    def test_records_carry_the_number_of_the_one_supervisor(self):
        process = self.start(*self.words(["--how", "levels"], ()))
        self.finish(process)
        for line in self.log(OUTER):
            self.assertIn(f" {process.pid} [", line)

    def test_dry_run(self):
        result = self.nest(["--how", "sleep", "--value", "3600"], options=["-d"])
        self.assertEqual(result.code, 0, result)
        self.assertIn("DRY-RUN: would sleep for 1h\n", result.err)
        for line in result.err.splitlines():
            self.assertTrue(line.startswith("DRY-RUN: "), line)
        for line in self.log(OUTER, extended=True):
            self.assertIn(" DRY-RUN ", line)

    def test_verbose(self):
        shown = f"lock of this run: {INNER}:suffix, concurrency 20, ttl 1800 s\n"
        self.assertIn(shown, self.nest([], options=["-v"]).err)
        self.assertNotIn(shown, self.nest([]).err)


class Must(NestedTest):
    def test_success(self):
        self.check(0, ["0 waits 0", *WHOLE, "run ends", "0 must returned 0", "0 run ends 0"], [], ["--form", "must"])

    def test_failure_through_three_levels(self):
        result = self.check(99, ["0 waits 0", *WHOLE, *ROLLED_BACK, "0 rollback 0", "1 rollback 0"], ["--how", "raise"],
                            ["--form", "must", "--depth", "1"])
        by = " by raise"
        self.assertEqual(self.ends(), [
            start(OUTER), start(OUTER), start(INNER, by),
            f"Rolling back cookbook {INNER}", end(INNER, 99, by),
            f"Rolling back cookbook {OUTER}", end(OUTER, 99), f"Rolling back cookbook {OUTER}", end(OUTER, 99)])
        self.assertIn(f"Exception raised while executing cookbook {OUTER}: cookbook '{INNER} --marks {self.marks_file} "
                      "--how raise' failed with exit code 99 [nested.failed]\n", result.err)

    def test_caught(self):
        for code, inner in ((99, ["--how", "raise"]), (92, ["--how", "segv"]), (2, ["--bogus"])):
            with self.fresh(inner):
                result = self.nest(inner, ["--form", "must", "--catch"])
                self.assertEqual(result.code, 0, result)
                self.assertRegex(result.err, rf"\ncaught nested\.failed: .* failed with exit code {code}\nEND \(PASS\)")
                self.assertNotIn("0 rollback 0", self.marks())

    def test_missing_and_too_deep_are_caught_too(self):
        for outer, message in ((["--cookbook", "fixture.nope"], "nested.missing: there is no cookbook 'fixture.nope'"),
                               (["--depth", "7"], f"nested.depth: cannot run cookbook '{INNER}': 8 runs are within each "
                                "other already")):
            with self.fresh(outer):
                result = self.nest(None, ["--form", "must", "--catch", *outer])
                self.assertEqual(result.code, 0, result)
                self.assertIn(f"\ncaught {message}\n", result.err)


class Interrupted(NestedTest):
    OUTER_TWICE = ["Interrupted", f"Rolling back cookbook {OUTER}", end(OUTER, 97)] * 2

    def test_through_three_levels(self):
        for form in ("code", "must", "confirm"):
            for catch in ([], ["--catch"]):
                with self.fresh((form, catch)):
                    process = self.start_nest(["--how", "sleep", "--value", "60"],
                                              ["--form", form, "--depth", "1", *catch])
                    process.send_signal(signal.SIGINT)
                    result = self.check_end(process, 97, ["0 waits 0", *WHOLE, *ROLLED_BACK, "0 rollback 0",
                                                          "1 rollback 0"])
                    by = " by sleep"
                    self.assertEqual(self.ends(), [
                        start(OUTER), start(OUTER), start(INNER, by), "Interrupted",
                        f"Rolling back cookbook {INNER}", end(INNER, 97, by), *self.OUTER_TWICE])
                    self.assertEqual(result.err.count(FIRST), 1)

    def test_a_second_one_kills_only_the_inner(self):
        process = self.start_nest(["--how", "deaf"], ["--depth", "1"])
        process.send_signal(signal.SIGINT)
        self.wait_for_log(FIRST, OUTER)
        process.send_signal(signal.SIGINT)
        result = self.check_end(process, 97, ["0 waits 0", *WHOLE, *ROLLED_BACK, "0 rollback 0", "1 rollback 0"])
        self.assertEqual(result.err.count(SECOND), 1)
        by = " by deaf"
        self.assertEqual(self.ends()[3:], [f"Rolling back cookbook {INNER}", end(INNER, 97, by), *self.OUTER_TWICE])
        self.assertNotIn("was ended by signal", result.err)

    def test_during_the_rollback_of_the_inner_is_only_a_warning(self):
        process = self.start_nest(["--how", "raise", "--at-rollback", "wait"], mark="rollback")
        process.send_signal(signal.SIGINT)
        self.wait_for_log("the cookbook is being rolled back", OUTER)
        self.write("marks.go", "")
        self.check_end(process, 0, ["0 waits 0", *WHOLE, *ROLLED_BACK, "0 code 99", "0 run ends 0"])

    def test_nothing_is_begun_after_it(self):
        """The outer cookbook does not hear of it in time; its inner run is not begun all the same."""
        after = self.scratch / "after"
        for number in (signal.SIGINT, signal.SIGTERM):
            with self.fresh(number):
                after.unlink(missing_ok=True)
                process = self.start_nest([], ["--after", after], mark="0 waits 0")
                process.send_signal(number)
                self.wait_for_log(": interrupting the cookbook", OUTER)
                after.touch()
                self.check_end(process, 97, ["0 waits 0", "0 rollback 0"])


class InARollback(NestedTest):
    """A run within the rollback of another one is a part of that."""

    RAN = ["0 waits 0", "0 rollback 0", *WHOLE]

    def start_in_rollback(self, *inner, outer=(), options=()):
        return self.start_nest(list(inner), ["--in-rollback", *outer], options=options)

    def test_the_first_ctrl_c_only_warns(self):
        """Fails when on_signal() looks at the stage alone: the inner one is then interrupted."""
        for number, words in ((signal.SIGINT, "press Ctrl+C again within 5 seconds to abandon that"),
                              (signal.SIGTERM, "SIGTERM: the cookbook is being rolled back, that goes on")):
            with self.fresh(number):
                process = self.start_in_rollback("--how", "wait")
                process.send_signal(number)
                self.wait_for_log(words, OUTER)
                self.write("marks.go", "")
                self.check_end(process, 99, [*self.RAN, "run ends", "0 code 0", "0 rollback ends 0"])
                (self.scratch / "marks.go").unlink()

    def test_a_second_one_abandons_both(self):
        """The inner run is killed and rolled back, as nobody undoes it otherwise; what began it ends, too."""
        process = self.start_in_rollback("--how", "deaf")
        process.send_signal(signal.SIGINT)
        self.wait_for_log("press Ctrl+C again within 5 seconds", OUTER)
        process.send_signal(signal.SIGINT)
        result = self.check_end(process, 93, [*self.RAN, *ROLLED_BACK])
        self.assertEqual(result.err.count("Ctrl+C again: the rollback is abandoned\n"), 1)
        self.assertEqual(self.ends()[-2:], [end(INNER, 97, " by deaf"), end(OUTER, 93)])
        self.assertIn(f"The rollback of cookbook {OUTER} did not end: what it had not done yet is owed\n", result.err)

    def test_the_time_of_a_run_is_not_for_its_rollback(self):
        """Fails when outer_deadline() does not look at within_undo (interrupted at once), or deadline_of() (later)."""
        after = self.scratch / "after"
        process = self.start_nest(["--how", "sleep", "--value", "2"], ["--in-rollback", "--after", after],
                                  mark="0 waits 0", options=["--timeout", "1s"])
        self.wait_for_log(f"The time that cookbook {OUTER} may take is over", OUTER)
        after.touch()
        self.check_end(process, 99, [*self.RAN, "run ends", "0 code 0", "0 rollback ends 0"])


class Killed(NestedTest):
    """SIGKILL to one process of a run within another."""

    def setUp(self):
        super().setUp()
        self.after = self.scratch / "after"

    def go_on(self):
        self.after.touch()

    def start_waiting(self, *outer):
        """A nest in a nest, in which the inner one waits for go_on()."""
        return self.start_nest([], ["--depth", "1", "--after", self.after, *outer], mark="0 waits 0")

    def test_worker_of_the_outer(self):
        """The inner run, which does not hear of it in time, begins nothing more."""
        process = self.start_waiting()
        os.kill(self.level("spicerack-work", 0, 2), signal.SIGKILL)
        self.wait_for_log(f"The cookbook that runs cookbook {OUTER} died", OUTER)
        self.go_on()
        result = self.check_end(process, 92, ["0 waits 0", "0 rollback 0", "1 rollback 0"])
        self.assertEqual(self.ends()[-3:], [end(OUTER, 97), f"Rolling back cookbook {OUTER}", end(OUTER, 92)])
        self.assertIn(f"Cookbook {OUTER} was ended by signal 9 (SIGKILL, Killed) during run\n", result.err)

    def test_worker_of_the_inner(self):
        process = self.start_waiting()
        os.kill(self.level("spicerack-work", 1, 2), signal.SIGKILL)
        self.check_end(process, 0, ["0 waits 0", "0 rollback 0", "1 code 92", "1 run ends 0"])

    def test_runner_of_the_inner(self):
        process = self.start_waiting("--form", "must")
        os.kill(self.level("spicerack-run", 1, 2), signal.SIGKILL)
        result = self.check_end(process, 99, ["0 waits 0", "1 rollback 0"])
        self.assertIn(f"The runner of cookbook {OUTER} died\nCookbook {OUTER} could not be rolled back: a rollback is "
                      f"owed\n{end(OUTER, 93)}\n", result.err)
        self.assertIn("failed with exit code 93 [nested.failed]\n", result.err)

    def test_runner_of_the_outer(self):
        """The outer one cannot be rolled back, which is said."""
        process = self.start_waiting()
        os.kill(self.level("spicerack-run", 0, 2), signal.SIGKILL)
        self.wait_for_log(f"The cookbook that runs cookbook {OUTER} died", OUTER)
        self.go_on()
        result = self.check_end(process, 93, ["0 waits 0", "0 rollback 0"])
        self.assertTrue(result.err.endswith(
            f"{end(OUTER, 97)}\nThe runner of cookbook {OUTER} died\nCookbook {OUTER} could not be rolled back: a rollback "
            f"is owed\n{end(OUTER, 93)}\n"), result)

    def check_interrupted(self, process, code, marks, died):
        """The inner run, which would take long, is over soon, and rolled back."""
        result = self.check_end(process, code, ["0 waits 0", *WHOLE, *ROLLED_BACK, *marks])
        told = f"The cookbook that runs cookbook {INNER} died: interrupting it"
        self.assertEqual(self.messages().count(told), 1, result)
        self.assertIn(end(INNER, 97, " by sleep"), self.messages())
        self.assertIn(died, result.err)

    def test_an_inner_run_does_not_go_on_for_a_dead_outer_one(self):
        """Each fails when link_wait() does not watch the outer links: the hour is then slept."""
        hour = ["--how", "sleep", "--value", "3600"]
        killed = f"Cookbook {OUTER} was ended by signal 9 (SIGKILL, Killed) during run\n"
        owed = f"The runner of cookbook {OUTER} died\nCookbook {OUTER} could not be rolled back: a rollback is owed\n"
        for name, depth, code, marks, died in (
                ("spicerack-work", 1, 0, ["0 rollback 0", "1 code 92", "1 run ends 0"], killed),
                ("spicerack-run", 1, 0, ["1 code 93", "1 run ends 0"], owed),
                ("spicerack-work", 0, 92, ["0 rollback 0", "1 rollback 0"], killed),
                ("spicerack-run", 0, 93, ["0 rollback 0"], owed)):
            with self.fresh((name, depth)):
                process = self.start_nest(hour, ["--depth", "1"])
                os.kill(self.level(name, depth, 3), signal.SIGKILL)
                self.check_interrupted(process, code, marks, died)

    def test_supervisor_of_three_levels(self):
        process = self.start_nest(["--how", "deaf"], ["--depth", "1"])
        marks = self.marks()
        process.kill()
        process.wait()
        self.assertNothingLeft(1)
        self.assertEqual(self.marks(), marks)
        wanted = sorted(f"The supervisor of cookbook {name} died during run: {OWED}" for name in (OUTER, OUTER, INNER))
        for extended in (False, True):
            self.assertEqual(sorted(message for message in self.messages(extended) if "supervisor" in message), wanted)


class Confirm(NestedTest):
    """The operator is asked at a terminal."""

    def ask(self, *inner, outer=()):
        terminal = self.on_terminal("cookbook", "-c", self.config, *self.words(inner, ["--form", "confirm", *outer]))
        self.settings = terminal.settings
        self.wait_for_question(terminal, 1)
        return terminal

    def wait_for_question(self, terminal, number):
        """Waits until the operator is asked for the nth time."""
        self.wait_for(lambda: terminal.read(0.05) and terminal.shown.count(b"\n> ") >= number, f"question {number}")

    def check_answered(self, terminal, code, marks):
        # While the master is open, the settings can be seen after the end, too.
        result = terminal.finish()
        self.assertEqual(result.code, code, result)
        self.assertEqual(self.marks(), ["0 waits 0", *WHOLE, *marks], result)
        self.assertEqual(termios.tcgetattr(terminal.master), self.settings)
        self.assertNothingLeft()
        return result

    def assertAnswered(self, answer):
        self.assertIn(f'Question failed-{INNER}: "Cookbook {INNER} failed with exit code 99. {QUESTION}" was answered '
                      f'"{answer}" by the operator', self.messages())

    def test_success_asks_nothing(self):
        result = self.check(0, ["0 waits 0", *WHOLE, "run ends", "0 confirm returned 1", "0 run ends 0"], [],
                            ["--form", "confirm"])
        self.assertNotIn(QUESTION, result.err)

    def test_retry(self):
        terminal = self.ask("--how", "raise-once")
        terminal.type(b"retry\n")
        result = self.check_answered(terminal, 0, [*ROLLED_BACK, *WHOLE, "run ends", "0 confirm returned 1",
                                                   "0 run ends 0"])
        self.assertIn(f"Cookbook {INNER} failed with exit code 99. {QUESTION}\nType \"retry\", \"skip\" or \"abort\"\n> ",
                      result.out)
        self.assertAnswered("retry")
        self.assertEqual(self.messages().count(f"Failed to run cookbook {INNER}: exit code 99"), 1)

    def test_retry_as_often_as_the_operator_wants(self):
        terminal = self.ask("--how", "return", "--value", "4")
        for number in (2, 3):
            terminal.type(b"retry\n")
            self.wait_for_question(terminal, number)
        terminal.type(b"skip\n")
        once = ["run ends", *ROLLED_BACK]
        self.check_answered(terminal, 0, [*once, *WHOLE, *once, *WHOLE, *once, "0 confirm returned 0", "0 run ends 0"])

    def test_skip(self):
        terminal = self.ask("--how", "raise")
        terminal.type(b"skip\n")
        self.check_answered(terminal, 0, [*ROLLED_BACK, "0 confirm returned 0", "0 run ends 0"])
        self.assertAnswered("skip")

    def test_abort(self):
        terminal = self.ask("--how", "raise")
        terminal.type(b"abort\n")
        result = self.check_answered(terminal, 99, [*ROLLED_BACK, "0 rollback 0"])
        self.assertIn("Task manually aborted [aborted]\n", result.out)
        self.assertAnswered("abort")

    def test_abort_can_be_caught(self):
        terminal = self.ask("--how", "raise", outer=["--catch"])
        terminal.type(b"abort\n")
        result = self.check_answered(terminal, 0, [*ROLLED_BACK, "0 run ends 0"])
        self.assertIn("caught aborted: Task manually aborted", result.out)

    def test_a_wrong_answer_is_not_the_last(self):
        terminal = self.ask("--how", "raise")
        for number, answer in ((2, b"Skip\n"), (3, b"\n")):
            terminal.type(answer)
            self.wait_for_question(terminal, number)
        terminal.type(b"skip\n")
        self.check_answered(terminal, 0, [*ROLLED_BACK, "0 confirm returned 0", "0 run ends 0"])

    def test_three_wrong_answers(self):
        terminal = self.ask("--how", "raise")
        for number in (2, 3):
            terminal.type(b"yes\n")
            self.wait_for_question(terminal, number)
        terminal.type(b"yes\n")
        result = self.check_answered(terminal, 99, [*ROLLED_BACK, "0 rollback 0"])
        self.assertEqual(result.out.count("Invalid response, type \"retry\", \"skip\" or \"abort\"."), 3)
        self.assertIn("failed with exit code 99; Too many invalid answers [nested.failed]\n", result.out)

    def test_ctrl_c_is_abort(self):
        terminal = self.ask("--how", "raise")
        terminal.type(b"\x03")
        result = self.check_answered(terminal, 99, [*ROLLED_BACK, "0 rollback 0"])
        self.assertIn("Task manually aborted [aborted]\n", result.out)
        self.assertNotIn("interrupting", result.out)

    def test_ctrl_d(self):
        terminal = self.ask("--how", "raise")
        for number in (2, 3):
            terminal.type(b"\x04")
            self.wait_for_question(terminal, number)
        terminal.type(b"\x04")
        result = self.check_answered(terminal, 99, [*ROLLED_BACK, "0 rollback 0"])
        self.assertIn("failed with exit code 99; Too many invalid answers [nested.failed]\n", result.out)

    def test_ctrl_z_is_no_answer(self):
        terminal = self.ask("--how", "raise")
        terminal.type(b"\x1a")
        self.wait_for_question(terminal, 2)
        terminal.type(b"skip\n")
        result = self.check_answered(terminal, 0, [*ROLLED_BACK, "0 confirm returned 0", "0 run ends 0"])
        self.assertIn("Ctrl+Z is ignored: a cookbook cannot be suspended\n", result.out)

    def test_sigterm_at_the_question_ends_the_run(self):
        terminal = self.ask("--how", "raise")
        terminal.process.send_signal(signal.SIGTERM)
        result = self.check_answered(terminal, 97, [*ROLLED_BACK, "0 rollback 0"])
        self.assertIn("SIGTERM: interrupting the cookbook\n", result.out)

    def test_a_terminal_that_is_closed_at_the_question(self):
        terminal = self.ask("--how", "raise")
        terminal.hang_up()
        self.assertEqual(terminal.finish().code, 97)
        self.assertEqual(self.marks(), ["0 waits 0", *WHOLE, *ROLLED_BACK, "0 rollback 0"])
        self.assertEqual(self.messages()[-4:], ["SIGHUP: interrupting the cookbook", "Interrupted",
                                                f"Rolling back cookbook {OUTER}", end(OUTER, 97)])
        self.assertNothingLeft()

    def test_without_a_terminal(self):
        result = self.check(99, ["0 waits 0", *WHOLE, *ROLLED_BACK, "0 rollback 0"], ["--how", "raise"],
                            ["--form", "confirm"], start_new_session=True)
        self.assertIn(f"failed with exit code 99; there is no terminal to ask at: answer it by {{ cookbook = \"{OUTER}\"; "
                      f"prompt = \"failed-{INNER}\"; answer = \"...\"; }} in the file of --answers [nested.failed]\n", result.err)

    def test_an_interrupted_inner_run_is_not_asked_about(self):
        terminal = self.on_terminal("cookbook", "-c", self.config,
                                    *self.words(["--how", "sleep", "--value", "60"], ["--form", "confirm"]))
        self.wait_for_mark("run")
        terminal.type(b"\x03")
        result = terminal.finish()
        self.assertEqual(result.code, 97, result)
        self.assertNotIn(QUESTION, result.out)


if __name__ == "__main__":
    unittest.main()
