# SPDX-License-Identifier: Apache-2.0
"""Signals: what the operator's keys, the service manager and the kernel may do to a run at any stage."""

import contextlib
import os
import shutil
import signal
import subprocess
import time
import unittest

from harness import CC, SANITIZED, CommandTest, without_id

NAME = "fixture.misbehave"
WHOLE = ["check", "prepare", "describe", "lock", "run"]
ROLLED_BACK = ["rollback", "rollback ends"]

FIRST = "Ctrl+C: interrupting the cookbook, press again to kill it"
SECOND = "Ctrl+C again: killing the cookbook"
IN_ROLLBACK = "the cookbook is being rolled back, press Ctrl+C again within 5 seconds to abandon that"
ABANDONED = "Ctrl+C again: the rollback is abandoned"
OWED = "the cookbook was stopped, it was not rolled back: a rollback is owed"

# What a blocking call of the SDK waits in, and what does not listen.
BLOCKING = (["--how", "sleep", "--value", "60"], ["--how", "command"])
DEAF = (["--how", "deaf"], ["--how", "spin"])


def end(code, how):
    return f"END ({'ERROR' if code == 97 else 'PASS' if code == 0 else 'FAIL'}) - Cookbook {NAME} (exit_code={code}) by {how}"


class SignalTest(CommandTest):
    def start_at(self, mark, *words, **more):
        """Starts a run and waits until it has come to a mark."""
        self.marks_file.unlink(missing_ok=True)
        process = self.start_misbehave(*words, **more)
        self.wait_for_mark(mark)
        return process

    def interrupt(self, process, shown, number=signal.SIGINT):
        """Sends a signal and waits until the supervisor has said what it does about it."""
        process.send_signal(number)
        self.wait_for_log(shown)

    def go_on(self):
        """Ends what `--how wait` waits for."""
        self.write("marks.go", "")

    def check_end(self, process, code, marks):
        result = self.finish(process)
        self.assertEqual(result.code, code, result)
        self.assertEqual(self.marks(), marks, result)
        self.assertNothingLeft()
        return result

    @contextlib.contextmanager
    def fresh(self, case):
        """One case of several, with marks and a log of its own."""
        with self.subTest(case):
            for path in (self.marks_file, self.scratch / "marks.go"):
                path.unlink(missing_ok=True)
            shutil.rmtree(self.logs, ignore_errors=True)
            yield


class CtrlC(SignalTest):
    def test_first_one_interrupts_a_blocking_call(self):
        for words in BLOCKING:
            with self.fresh(words):
                process = self.start_at("run", "--scoped", "--deferred", *words)
                process.send_signal(signal.SIGINT)
                result = self.check_end(process, 97, [*WHOLE, "scope", "deferred", *ROLLED_BACK])
                self.assertEqual(without_id(result.err).splitlines(), [
                    f"START - Cookbook {NAME} by {words[1]}", FIRST, "Interrupted", f"Rolling back cookbook {NAME}",
                    end(97, words[1])])

    def test_it_ends_the_command_that_runs(self):
        process = self.start_at("run", "--how", "command")
        command = self.process_named("tail")
        process.send_signal(signal.SIGINT)
        self.check_end(process, 97, [*WHOLE, *ROLLED_BACK])
        self.assertFalse(os.path.exists(f"/proc/{command}"))

    def test_second_one_kills(self):
        for words in DEAF:
            with self.fresh(words):
                process = self.start_at("run", "--scoped", "--deferred", *words)
                self.interrupt(process, FIRST)
                process.send_signal(signal.SIGINT)
                result = self.check_end(process, 97, [*WHOLE, "scope", "deferred", *ROLLED_BACK])
                self.assertEqual(without_id(result.err).splitlines(), [
                    f"START - Cookbook {NAME} by {words[1]}", FIRST, SECOND, f"Rolling back cookbook {NAME}",
                    end(97, words[1])])

    def test_what_nobody_took_does_not_interrupt_the_rollback(self):
        # link_clear_interrupt() in roll_back(), and that STAGE_ROLLBACK is not interruptible
        process = self.start_at("run", "--how", "deaf", "--at-rollback", "sleep", "--value", "0")
        self.interrupt(process, FIRST)
        process.send_signal(signal.SIGINT)
        self.check_end(process, 97, [*WHOLE, *ROLLED_BACK])

    def test_in_prepare_there_is_neither_start_nor_end(self):
        for words in BLOCKING:
            with self.fresh(words):
                process = self.start_at("prepare", "--at", "prepare", *words)
                process.send_signal(signal.SIGINT)
                result = self.check_end(process, 97, ["check", "prepare"])
                self.assertEqual(without_id(result.err).splitlines(),
                                 [FIRST, f"Interrupted before the start of cookbook {NAME}"])

    def test_twice_in_each_callback_before_start(self):
        for number, callback in enumerate(WHOLE[:-1]):
            with self.fresh(callback):
                process = self.start_at(callback, "--at", callback, "--how", "deaf")
                self.interrupt(process, FIRST)
                process.send_signal(signal.SIGINT)
                result = self.check_end(process, 97, WHOLE[:number + 1])
                self.assertNotIn("START", result.err)
                self.assertNotIn("END", result.err)

    def test_too_late_is_said(self):
        """The cookbook hears of it only after its run has succeeded."""
        process = self.start_at("run", "--how", "wait")
        self.interrupt(process, FIRST)
        self.go_on()
        result = self.check_end(process, 0, [*WHOLE, "run ends"])
        self.assertIn("The cookbook ended before it could be interrupted\n", result.err)

    def test_try_does_not_catch_it(self):
        process = self.start_at("run", "--how", "try-sleep", "--value", "60")
        process.send_signal(signal.SIGINT)
        self.check_end(process, 97, [*WHOLE, *ROLLED_BACK])


class InRollback(SignalTest):
    def test_first_one_only_warns(self):
        process = self.start_at("rollback", "--how", "raise", "--at-rollback", "wait")
        self.interrupt(process, IN_ROLLBACK)
        self.go_on()
        result = self.check_end(process, 99, [*WHOLE, *ROLLED_BACK])
        self.assertIn(end(99, "raise"), result.err)

    def test_second_one_within_five_seconds_abandons(self):
        for how in ["deaf", "spin", "command"]:
            with self.fresh(how):
                process = self.start_at("rollback", "--how", "raise", "--at-rollback", how)
                self.interrupt(process, IN_ROLLBACK)
                process.send_signal(signal.SIGINT)
                result = self.check_end(process, 93, [*WHOLE, "rollback"])
                self.assertIn(ABANDONED, result.err)
                self.assertIn(f"The rollback of cookbook {NAME} did not end: what it had not done yet is owed\n"
                              + end(93, "raise"), result.err)

    def test_second_one_after_five_seconds_warns_again(self):
        process = self.start_at("rollback", "--how", "raise", "--at-rollback", "wait")
        self.interrupt(process, IN_ROLLBACK)
        time.sleep(5.1)  # the span itself is what is tested
        process.send_signal(signal.SIGINT)
        self.wait_for(lambda: sum(IN_ROLLBACK in line for line in self.log(NAME)) == 2, "the second warning")
        self.go_on()
        result = self.check_end(process, 99, [*WHOLE, *ROLLED_BACK])
        self.assertNotIn(ABANDONED, result.err)

    def test_what_interrupted_the_run_does_not_interrupt_the_rollback(self):
        process = self.start_at("run", "--how", "command", "--at-rollback", "sleep", "--value", "1")
        process.send_signal(signal.SIGINT)
        self.check_end(process, 97, [*WHOLE, *ROLLED_BACK])

    def test_sigterm_does_not_stop_it(self):
        process = self.start_at("rollback", "--how", "raise", "--at-rollback", "wait")
        for number, name in ((signal.SIGTERM, "SIGTERM"), (signal.SIGHUP, "SIGHUP")):
            self.interrupt(process, f"{name}: the cookbook is being rolled back, that goes on", number)
        self.go_on()
        self.check_end(process, 99, [*WHOLE, *ROLLED_BACK])


class OtherSignals(SignalTest):
    def test_each_acts_like_the_first_ctrl_c(self):
        for number, name in ((signal.SIGTERM, "SIGTERM"), (signal.SIGHUP, "SIGHUP"), (signal.SIGQUIT, "SIGQUIT")):
            with self.fresh(name):
                process = self.start_at("run", "--how", "sleep", "--value", "60", "--scoped")
                process.send_signal(number)
                result = self.check_end(process, 97, [*WHOLE, "scope", *ROLLED_BACK])
                self.assertIn(f"{name}: interrupting the cookbook\n", result.err)

    def test_in_prepare(self):
        process = self.start_at("prepare", "--at", "prepare", "--how", "sleep", "--value", "60")
        process.send_signal(signal.SIGTERM)
        self.check_end(process, 97, ["check", "prepare"])

    def test_a_deaf_cookbook_is_killed_some_time_after_sigterm(self):
        begin = time.monotonic()
        process = self.start_at("run", "--how", "deaf", "--scoped")
        process.send_signal(signal.SIGTERM)
        result = self.check_end(process, 97, [*WHOLE, "scope", *ROLLED_BACK])
        self.assertIn("the cookbook did not react: killing it\n", result.err)
        self.assertGreater(time.monotonic() - begin, 9)

    def test_ctrl_c_after_sigterm_does_not_wait_for_that(self):
        process = self.start_at("run", "--how", "deaf")
        self.interrupt(process, "SIGTERM: interrupting the cookbook", signal.SIGTERM)
        self.interrupt(process, "Ctrl+C: the cookbook is being interrupted already, press again to kill it")
        process.send_signal(signal.SIGINT)
        self.wait_for_log(SECOND)
        self.check_end(process, 97, [*WHOLE, *ROLLED_BACK])

    def test_the_time_of_the_outer_run_holds_before_the_run_of_an_inner_one(self):
        result = self.cookbook("--timeout", "0.5s", "fixture.nest", "--", "--marks", self.marks_file, "--at", "prepare",
                               "--how", "sleep", "--value", "60")
        self.assertEqual(result.code, 97, result)
        self.assertEqual(self.marks(), ["check", "prepare"])
        self.assertIn(f"Interrupted before the start of cookbook {NAME}\n", result.err)

    def test_ctrl_z_is_ignored(self):
        process = self.start_at("run", "--how", "wait")
        self.interrupt(process, "Ctrl+Z is ignored: a cookbook cannot be suspended", signal.SIGTSTP)
        self.go_on()
        self.check_end(process, 0, [*WHOLE, "run ends"])

    def test_an_ignored_sighup_stays_ignored(self):
        process = self.start_at("run", "--how", "wait",
                                preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN))
        process.send_signal(signal.SIGHUP)
        self.go_on()
        result = self.check_end(process, 0, [*WHOLE, "run ends"])
        self.assertNotIn("interrupt", result.err)


class Killed(SignalTest):
    """SIGKILL to one of the three processes: nothing outlives it, and what is owed is written."""

    STAGES = [("prepare", ["--at", "prepare", "--how", "deaf"], False),
              ("run", ["--how", "deaf"], True),
              ("run", ["--how", "spin"], True),
              ("run", ["--how", "command"], True),
              ("stray left", ["--how", "stray-and-deaf"], True),
              ("rollback", ["--how", "raise", "--at-rollback", "deaf"], True)]

    def test_supervisor(self):
        for mark, words, owed in self.STAGES:
            with self.fresh(f"{mark} {words}"):
                stage = "run" if mark == "stray left" else mark
                process = self.start_at(mark, *words)
                marks = self.marks()
                process.kill()
                self.assertEqual(self.finish(process).code, -signal.SIGKILL)
                self.assertNothingLeft(1)
                self.assertEqual(self.marks(), marks)
                message = f"The supervisor of cookbook {NAME} died during {stage}: {OWED}"
                for extended in (False, True):
                    self.assertEqual(("ERROR", message) in self.records(NAME, extended), owed)

    def test_supervisor_whose_descriptors_are_held_by_others(self):
        """A pipe that is still open elsewhere does not keep the runner alive."""
        reading, writing = os.pipe()
        self.addCleanup(os.close, reading)
        self.addCleanup(os.close, writing)
        process = self.start_at("run", "--how", "deaf", stdout=writing, pass_fds=[reading])
        process.kill()
        process.wait()
        self.assertNothingLeft(1)

    def test_supervisor_and_runner_at_once(self):
        # PR_SET_PDEATHSIG in settle_in() of worker.c: nobody else is left to end the worker
        process = self.start_at("run", "--how", "spin")
        runner = self.process_named("spicerack-run")
        os.kill(runner, signal.SIGSTOP)
        process.kill()
        process.wait()
        os.kill(runner, signal.SIGKILL)
        self.assertNothingLeft()

    def test_an_order_that_the_dead_worker_had_not_taken_is_not_for_its_successor(self):
        # channel_discard() in on_child() of runner.c
        process = self.start_at("lock", "--at", "lock", "--how", "wait")
        worker = self.process_named("spicerack-work")
        process.send_signal(signal.SIGSTOP)
        self.go_on()
        self.wait_for(lambda: self.waits_in(worker, "poll"), "the end of the stage")
        os.kill(worker, signal.SIGSTOP)
        process.send_signal(signal.SIGCONT)
        self.wait_for_log("START - Cookbook")
        os.kill(worker, signal.SIGKILL)
        # It would do the run that was ordered.
        self.check_end(process, 92, ["check", "prepare", "describe", "lock", "rollback without memory of the run",
                                     "rollback ends"])

    @staticmethod
    def waits_in(pid, call):
        with open(f"/proc/{pid}/wchan", encoding="ascii") as file:
            return call in file.read()

    def test_what_was_acknowledged_is_in_the_file(self):
        # session_request() in log_text() of session.c: without the answer the cookbook would go on
        for killed in ("cookbook", "spicerack-run", "spicerack-work"):
            with self.fresh(killed):
                process = self.start_at("run", "--how", "wait", "--scoped", "--deferred", "--logged")
                process.send_signal(signal.SIGSTOP)
                self.go_on()
                # With the supervisor stopped nothing is acknowledged, so there is no mark, however long one waits.
                with contextlib.suppress(AssertionError):
                    self.wait_for(lambda: "scope" in self.marks(), "a mark without a record", seconds=1)
                os.kill(self.process_named(killed), signal.SIGKILL)
                process.send_signal(signal.SIGCONT)
                process.wait()
                self.assertNothingLeft()
                logged = [message.removeprefix("at ") for _, message in self.records(NAME) if message.startswith("at ")]
                for mark in self.marks():
                    self.assertIn(mark, [*logged, "run ends", "rollback ends"])

    def test_worker(self):
        for words in [["--how", "deaf"], ["--how", "command"], ["--how", "sleep", "--value", "60"]]:
            with self.fresh(words):
                process = self.start_at("run", "--scoped", *words)
                os.kill(self.process_named("spicerack-work"), signal.SIGKILL)
                result = self.check_end(process, 92, [*WHOLE, "scope", *ROLLED_BACK])
                self.assertIn(f"Cookbook {NAME} was ended by signal 9 (SIGKILL, Killed) during run\n", result.err)

    def test_worker_in_rollback(self):
        process = self.start_at("rollback", "--how", "raise", "--at-rollback", "deaf")
        os.kill(self.process_named("spicerack-work"), signal.SIGKILL)
        self.check_end(process, 93, [*WHOLE, "rollback"])

    def test_runner(self):
        for mark, words, _ in self.STAGES:
            with self.fresh(f"{mark} {words}"):
                process = self.start_at(mark, *words)
                marks = self.marks()
                os.kill(self.process_named("spicerack-run"), signal.SIGKILL)
                result = self.check_end(process, 92 if mark == "prepare" else 93, marks)
                if mark == "prepare":
                    self.assertIn(f"The runner of cookbook {NAME} died during its ", result.err)
                    self.assertNotIn("END", result.err)
                else:
                    self.assertIn("owed\n", result.err)
                    self.assertIn(f"END (FAIL) - Cookbook {NAME} (exit_code=93)", result.err)

    def test_signals_to_runner_and_worker_are_ignored(self):
        process = self.start_at("run", "--how", "wait")
        for name in ("spicerack-run", "spicerack-work"):
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGTSTP):
                os.kill(self.process_named(name), number)
        self.go_on()
        self.check_end(process, 0, [*WHOLE, "run ends"])


class WhileOpening(SignalTest):
    """A constructor that hangs: nothing has begun, so who does not want to wait need not."""

    def test_ends_at_once(self):
        mark = self.scratch / "opened"
        self.env.update(FIXTURE_CONSTRUCTOR_MARK=str(mark), FIXTURE_CONSTRUCTOR_STAYS="1")
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            with self.subTest(number):
                mark.unlink(missing_ok=True)
                process = self.start("fixture.constructor")
                self.wait_for(mark.exists, "the constructor")
                process.send_signal(number)
                result = self.finish(process, timeout=10)
                self.assertEqual(result.code, 97, result)
                self.assertRegex(without_id(result.err), r"^cannot run cookbook fixture\.constructor: .*/constructor\.so: "
                                             r"interrupted while opening it\n$")
                self.assertNothingLeft()


@unittest.skipIf(SANITIZED, "nothing can be loaded before a sanitizer")
class WhileStarting(SignalTest):
    """The runner is in our session and cgroup before it can say that signals are not for it."""

    def test_signals_wait_until_the_runner_ignores_them(self):
        # The mask in spawn_runner().
        source = self.write("early.c", """
            #include <errno.h>
            #include <signal.h>
            #include <string.h>
            __attribute__((constructor)) static void early(void)
            {
            	if (strcmp(program_invocation_short_name, "runner") == 0) {
            		raise(SIGINT);
            		raise(SIGTERM);
            	}
            }
            """)
        early = self.scratch / "early.so"
        subprocess.check_call([CC, "-D_GNU_SOURCE", "-shared", "-fPIC", "-o", early, source])
        self.env["LD_PRELOAD"] = str(early)
        result = self.misbehave()
        self.assertEqual(result.code, 0, result)
        self.assertEqual(self.marks(), [*WHOLE, "run ends"])


class Stopped(SignalTest):
    """SIGSTOP to one of the three processes: what is stopped can still be ended, and nobody waits for it for ever."""

    @staticmethod
    def stop(pid):
        os.kill(pid, signal.SIGSTOP)

    def state(self, pid):
        """The state of a process: T when it is stopped."""
        with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
            return stat.read().rpartition(")")[2].split()[0]

    def test_worker_is_killed_by_the_second_ctrl_c(self):
        for words in (["--how", "deaf"], ["--how", "sleep", "--value", "60"]):
            with self.fresh(words):
                process = self.start_at("run", "--scoped", "--deferred", *words)
                self.stop(self.process_named("spicerack-work"))
                self.interrupt(process, FIRST)
                process.send_signal(signal.SIGINT)
                result = self.check_end(process, 97, [*WHOLE, "scope", "deferred", *ROLLED_BACK])
                self.assertIn(SECOND, result.err)

    def test_worker_that_goes_on_is_interrupted(self):
        process = self.start_at("run", "--how", "sleep", "--value", "60")
        worker = self.process_named("spicerack-work")
        self.stop(worker)
        self.interrupt(process, FIRST)
        os.kill(worker, signal.SIGCONT)
        self.check_end(process, 97, [*WHOLE, *ROLLED_BACK])

    def test_runner_that_cannot_tell_of_a_death(self):
        """It has ten seconds for that; without it nothing can be rolled back."""
        process = self.start_at("run", "--how", "deaf", "--scoped")
        self.stop(self.process_named("spicerack-run"))
        begin = time.monotonic()
        os.kill(self.process_named("spicerack-work"), signal.SIGKILL)
        result = self.check_end(process, 93, WHOLE)
        self.assertGreater(time.monotonic() - begin, 9)
        self.assertEqual(without_id(result.err).splitlines()[1:], [
            f"The runner of cookbook {NAME} died", f"Cookbook {NAME} could not be rolled back: a rollback is owed",
            end(93, "deaf")])

    def test_runner_that_goes_on_in_time(self):
        process = self.start_at("run", "--how", "deaf", "--scoped")
        runner, worker = self.process_named("spicerack-run"), self.process_named("spicerack-work")
        self.stop(runner)
        os.kill(worker, signal.SIGKILL)
        self.wait_for(lambda: self.state(worker) == "Z", "the death of the worker")
        os.kill(runner, signal.SIGCONT)
        self.check_end(process, 92, [*WHOLE, "scope", *ROLLED_BACK])

    def test_runner_at_the_end_of_a_good_run(self):
        process = self.start_at("run", "--how", "wait")
        self.stop(self.process_named("spicerack-run"))
        self.go_on()
        result = self.check_end(process, 0, [*WHOLE, "run ends"])
        self.assertIn(end(0, "wait"), result.err)

    def test_supervisor_goes_on_where_it_was(self):
        process = self.start_at("run", "--how", "wait", "--logged", "--at", "run")
        self.stop(process.pid)
        self.wait_for(lambda: self.state(process.pid) == "T", "the stop")
        self.go_on()
        self.wait_for_mark("run ends")
        # The result waits for it.
        process.send_signal(signal.SIGCONT)
        result = self.check_end(process, 0, [*WHOLE, "run ends"])
        self.assertIn(end(0, "wait"), result.err)

    def test_supervisor_that_is_killed_while_it_is_stopped(self):
        process = self.start_at("run", "--how", "deaf")
        self.stop(process.pid)
        self.wait_for(lambda: self.state(process.pid) == "T", "the stop")
        process.kill()
        process.wait()
        self.assertNothingLeft(1)
        self.assertIn(("ERROR", f"The supervisor of cookbook {NAME} died during run: {OWED}"), self.records(NAME))


class OnATerminal(SignalTest):
    """Keys typed at a terminal: the kernel sends their signals to whatever is in its foreground."""

    def at(self, mark, *words):
        terminal = self.misbehave_on_terminal(*words)
        self.wait_for_mark(mark)
        return terminal

    def check_terminal(self, terminal, code, marks):
        result = terminal.finish()
        self.assertEqual(result.code, code, result)
        self.assertEqual(self.marks(), marks, result)
        self.assertNothingLeft()
        return result

    def test_ctrl_c(self):
        for words in BLOCKING:
            with self.fresh(words):
                terminal = self.at("run", "--scoped", *words)
                terminal.type(b"\x03")
                result = self.check_terminal(terminal, 97, [*WHOLE, "scope", *ROLLED_BACK])
                self.assertIn(FIRST, result.out)
                self.assertIn(end(97, words[1]), result.out)

    def test_runner_and_worker_are_not_hit(self):
        """Not even a cookbook that has put back the default action dies of it."""
        terminal = self.at("run", "--how", "default-and-deaf")
        terminal.type(b"\x03")
        terminal.wait_for(FIRST)
        worker = self.process_named("spicerack-work")
        runner = self.process_named("spicerack-run")
        for pid in (worker, runner):
            self.assertNotEqual(os.getsid(pid), os.getsid(terminal.process.pid))
        terminal.type(b"\x03")
        result = self.check_terminal(terminal, 97, [*WHOLE, *ROLLED_BACK])
        self.assertIn(SECOND, result.out)
        self.assertNotIn("was ended by signal", result.out)

    def test_ctrl_c_twice_in_rollback(self):
        terminal = self.at("rollback", "--how", "raise", "--at-rollback", "deaf")
        terminal.type(b"\x03")
        terminal.wait_for(IN_ROLLBACK)
        terminal.type(b"\x03")
        self.check_terminal(terminal, 93, [*WHOLE, "rollback"])

    def test_ctrl_z_and_ctrl_backslash(self):
        terminal = self.at("run", "--how", "sleep", "--value", "60")
        terminal.type(b"\x1a")
        terminal.wait_for("Ctrl+Z is ignored")
        terminal.type(b"\x1c")
        result = self.check_terminal(terminal, 97, [*WHOLE, *ROLLED_BACK])
        self.assertIn("SIGQUIT: interrupting the cookbook", result.out)

    def test_a_closed_terminal_is_a_hangup(self):
        for words in BLOCKING:
            with self.fresh(words):
                terminal = self.at("run", "--scoped", *words)
                terminal.hang_up()
                self.assertEqual(terminal.finish().code, 97)
                self.assertEqual(self.marks(), [*WHOLE, "scope", *ROLLED_BACK])
                self.assertNothingLeft()
                messages = [message for _, message in self.records(NAME)]
                self.assertEqual(messages[-4:], ["SIGHUP: interrupting the cookbook", "Interrupted",
                                                 f"Rolling back cookbook {NAME}", end(97, words[1])])

    def test_a_closed_terminal_does_not_hurt_a_run_that_ignores_it(self):
        terminal = self.on_terminal("nohup", "cookbook", "-c", self.config, NAME, "--marks", self.marks_file,
                                    "--how", "wait")
        self.wait_for_mark("run")
        terminal.hang_up()
        self.go_on()
        self.assertEqual(terminal.finish().code, 0)
        self.assertEqual(self.marks(), [*WHOLE, "run ends"])


if __name__ == "__main__":
    unittest.main()
