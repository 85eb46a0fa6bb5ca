# SPDX-License-Identifier: Apache-2.0
"""Where a run may be started from: sudo, su, a job of a shell, a pipeline, without a terminal, without descriptors."""

import os
import shlex
import shutil
import signal
import unittest

from harness import CommandTest, Terminal

NAME = "fixture.misbehave"
WHOLE = ["check", "prepare", "describe", "lock", "run"]
ROLLED_BACK = ["rollback", "rollback ends"]


class StartedTest(CommandTest):
    def setUp(self):
        super().setUp()
        self.addCleanup(self.end_what_is_left)

    def words(self, *arguments):
        """A run that is found among the processes also where its environment was reset."""
        return ["cookbook", "-c", self.config, NAME, "--marks", self.marks_file, *arguments]

    def line(self, *arguments):
        return shlex.join(str(word) for word in self.words(*arguments))

    def ends(self):
        return [message for _, message in self.records(NAME) if message.startswith("END")]

    def check_log(self, word, code, marks):
        """How the run ended, whoever may have seen its exit code."""
        self.wait_for_log(f"END ({word}) - Cookbook {NAME} (exit_code={code})")
        self.assertEqual(self.marks(), marks)
        self.assertEqual(len(self.ends()), 1)
        self.assertNothingLeft()


class Descriptors(StartedTest):
    def test_closed_ones(self):
        for closed in ("<&-", ">&-", "2>&-", "<&- >&- 2>&-"):
            with self.subTest(closed):
                self.marks_file.unlink(missing_ok=True)
                result = self.run_command("sh", "-c", f"exec {self.line('--how', 'print')} {closed}")
                # Data that nobody can get is an error of a write where that is noticed, not of the run.
                self.assertIn(result.code, (0, 1) if ">&-" in closed else (0,), result)
                self.assertEqual(self.marks(), [*WHOLE, "run ends"], result)
                self.assertIn("END (PASS)", self.ends()[-1])
                self.assertNothingLeft()

    def test_a_reader_that_leaves(self):
        """`| head -1`: more than a pipe holds is printed after that."""
        line = self.line("--how", "lines", "--value", "100000")
        result = self.run_command("bash", "-c", f"{line} | head -1; echo ${{PIPESTATUS[0]}}")
        self.assertEqual(result.out, "line 0\n0\n", result)
        self.check_log("PASS", 0, [*WHOLE, "run ends"])

    def test_a_reader_of_messages_that_leaves(self):
        line = self.line("--how", "many", "--value", "1000")
        result = self.run_command("bash", "-c", f"{line} 2>&1 >/dev/null | true; echo ${{PIPESTATUS[0]}}")
        self.assertEqual(result.out, "0\n", result)
        self.check_log("PASS", 0, [*WHOLE, "run ends"])


class WithoutTerminal(StartedTest):
    def test_setsid(self):
        result = self.run_command("setsid", "--wait", *self.words())
        self.assertEqual(result.code, 0, result)
        self.check_log("PASS", 0, [*WHOLE, "run ends"])

    def test_nohup(self):
        result = self.run_command("nohup", *self.words("--how", "print"))
        self.assertEqual((result.code, result.out), (0, "data on stdout\n"), result)
        self.check_log("PASS", 0, [*WHOLE, "run ends"])

    def test_timeout(self):
        """timeout(1) sends SIGTERM to the run and, as the leader of a group, to itself."""
        result = self.run_command("timeout", "--preserve-status", "2", *self.words("--how", "sleep", "--value", "600"))
        self.assertEqual(result.code, 97, result)
        self.check_log("ERROR", 97, [*WHOLE, *ROLLED_BACK])

    @unittest.skipIf(os.getuid() != 0, "su asks for a password")
    def test_su(self):
        result = self.run_command("su", "-p", "-c", self.line("--how", "segv"))
        self.assertEqual(result.code, 92, result)
        self.check_log("FAIL", 92, [*WHOLE, *ROLLED_BACK])


class Job(StartedTest):
    """A job of an interactive shell."""

    def start_shell(self, *lines):
        self.env["PS1"] = "ready> "
        terminal = self.on_terminal("bash", "--norc", "--noprofile", "--noediting", "-i")
        for line in lines:
            self.type_at_prompt(terminal, line)
        return terminal

    @staticmethod
    def type_at_prompt(terminal, line):
        terminal.wait_for("ready> ")
        terminal.shown = b""
        terminal.type(line.encode() + b"\n")

    def leave(self, terminal):
        self.type_at_prompt(terminal, "exit")
        terminal.finish()

    def test_background_then_foreground(self):
        terminal = self.start_shell(f"{self.line('--how', 'sleep', '--value', '600')} &")
        self.wait_for_mark("run")
        terminal.wait_for("ready> ")
        terminal.shown = b""
        # It is not for the job: that is in the background.
        terminal.type(b"\x03")
        self.type_at_prompt(terminal, "fg")
        # The shell says the line first and gives the terminal to the job then.
        self.wait_for(lambda: os.tcgetpgrp(terminal.master) != terminal.process.pid, "the terminal given to the job")
        self.assertEqual(self.marks(), WHOLE)
        terminal.type(b"\x03")
        self.leave(terminal)
        self.check_log("ERROR", 97, [*WHOLE, *ROLLED_BACK])

    def test_background_of_a_terminal_that_stops_who_writes(self):
        """SIGTTOU: it would stop the supervisor, and with it the run."""
        terminal = self.start_shell("stty tostop", f"{self.line('--logged')} &")
        self.wait_for_log("END (PASS)")
        self.leave(terminal)
        self.check_log("PASS", 0, [*WHOLE, "run ends"])


@unittest.skipUnless(shutil.which("sudo"), "sudo is not installed")
@unittest.skipIf(os.getuid() != 0, "sudo would ask for a password")
class Sudo(StartedTest):
    """With sudoers of the test's own, seen by its processes only."""

    SUDOERS = "Defaults env_reset, {}use_pty, !lecture, !mail_badpass\nroot ALL=(ALL:ALL) NOPASSWD: ALL\n"

    def sudo(self, pty, *arguments, options=()):
        sudoers = self.write("sudoers", self.SUDOERS.format("" if pty else "!"), 0o440)
        kept = [f"{name}={self.env[name]}" for name in ("PATH", "ASAN_OPTIONS", "UBSAN_OPTIONS") if name in self.env]
        return ["unshare", "--mount", "--propagation", "private", "sh", "-c",
                'mount --bind "$1" /etc/sudoers && shift && exec sudo "$@"', "sh", sudoers, "--non-interactive",
                *options, f"SCRATCH={self.scratch}", *kept, *self.words(*arguments)]

    def setUp(self):
        super().setUp()
        tried = self.run_command(*self.sudo(True)[:-len(self.words()) - 1], "true")
        if tried.code != 0:
            self.skipTest(f"no sudo with sudoers of one's own here: {tried.err.strip()}")

    def at_run(self, pty, **options):
        self.marks_file.unlink(missing_ok=True)
        shutil.rmtree(self.logs, ignore_errors=True)
        terminal = Terminal(self.sudo(pty, "--how", "sleep", "--value", "600", **options), self.env, self.scratch)
        self.addCleanup(terminal.close)
        self.wait_for_mark("run")
        return terminal

    def each(self):
        for pty in (True, False):
            with self.subTest(use_pty=pty):
                yield pty

    def test_ctrl_c(self):
        for pty in self.each():
            terminal = self.at_run(pty)
            terminal.type(b"\x03")
            self.assertEqual(terminal.finish().code, 97)
            self.check_log("ERROR", 97, [*WHOLE, *ROLLED_BACK])

    def test_sudo_is_told_to_end(self):
        for pty in self.each():
            terminal = self.at_run(pty)
            terminal.process.send_signal(signal.SIGTERM)
            self.assertEqual(terminal.finish().code, 97)
            self.check_log("ERROR", 97, [*WHOLE, *ROLLED_BACK])

    def test_sudo_is_killed(self):
        """With a terminal of its own sudo's other process then sends SIGHUP, SIGTERM and soon SIGKILL to the run's group."""
        for pty in self.each():
            terminal = self.at_run(pty)
            os.kill(terminal.process.pid, signal.SIGKILL)
            terminal.hang_up()
            self.assertNothingLeft(20)
            text = "\n".join(self.log(NAME))
            if "died during" in text:
                self.assertIn("a rollback is owed", text)
            else:
                self.assertEqual([mark for mark in self.marks() if mark in ROLLED_BACK], ROLLED_BACK)
            self.assertRegex(text, r"END \(ERROR\)|The supervisor of cookbook \S+ died ")

    def test_another_user(self):
        self.scratch.chmod(0o755)
        for pty in self.each():
            shutil.rmtree(self.logs, ignore_errors=True)
            for path in (self.logs, self.scratch / "open"):
                path.mkdir(exist_ok=True)
                shutil.chown(path, "nobody")
            marks = self.scratch / "open" / "marks"
            marks.unlink(missing_ok=True)
            words = [marks if word == self.marks_file else word
                     for word in self.sudo(pty, "--how", "raise", options=[
                         "-u", "nobody", f"XDG_STATE_HOME={self.scratch}/open"])]
            result = self.run_command(*words)
            if "cannot read" in result.err or "command not found" in result.err or "Permission denied" in result.err:
                self.skipTest("the commands lie where other users may not look")
            self.assertEqual(result.code, 99, result)
            self.assertEqual(marks.read_text().splitlines(), [*WHOLE, *ROLLED_BACK])
            self.assertNothingLeft()


if __name__ == "__main__":
    unittest.main()
