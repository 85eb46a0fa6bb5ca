# SPDX-License-Identifier: Apache-2.0
"""Durable runs: closed terminals, --detach, and what `spicerack runs attach` and `stop` do to them."""

import array
import contextlib
import os
import shutil
import signal
import socket
import struct
import termios
import time
import unittest

from harness import FIXTURES, CommandTest

NAME = "fixture.steps"
TAKE, LEAVE, INTERRUPT, STOP = 1, 2, 3, 5
TAKEN, REFUSED = 100, 102


class DurableTest(CommandTest):
    durable = "durable = true;"

    def setUp(self):
        super().setUp()
        self.steps_file = self.write("steps", "")
        self.config = self.write("spicerack.cfg", self.configuration([FIXTURES], self.durable))
        self.addCleanup(self.end_what_is_left)

    def end_what_is_left(self):
        for pid, _ in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def do(self, *steps):
        with open(self.steps_file, "a", encoding="utf-8") as file:
            file.write("".join(f"{step}\n" for step in steps))

    def words(self, *options):
        return ["cookbook", "-c", self.config, *options, NAME, "--file", self.steps_file]

    def at_terminal(self, *options, **more):
        """A run at a terminal of its own, and its id."""
        terminal = self.on_terminal(*self.words(*options), **more)
        terminal.wait_for("START")
        return terminal, self.id()

    def id(self):
        return self.wait_for(lambda: [path.stem for path in self.runs.glob("*.jsonl")], "a journal")[0]

    def detach(self, *steps):
        self.do(*steps)
        result = self.run_command(*self.words("--detach"))
        self.assertEqual(result.code, 0, result)
        self.assertIn(f"spicerack runs attach {result.out.strip()}", result.err)
        return result.out.strip()

    def runs_words(self, what, *words):
        return ["spicerack", "runs", what, "-c", self.config, *words]

    def runs_command(self, what, *words, **options):
        return self.run_command(*self.runs_words(what, *words), **options)

    def attach(self, run, wait="A terminal was attached", **more):
        terminal = self.on_terminal(*self.runs_words("attach", run), **more)
        terminal.wait_for(wait)
        return terminal

    def let_go(self, terminal):
        terminal.type(b"\x1c")
        result = terminal.finish()
        self.assertEqual(result.code, 0, result)
        self.assertIn("Let go: ", result.out)

    def wait_for_log(self, text, name=NAME):
        super().wait_for_log(text, name)

    def beside(self, run):
        return sorted(path.suffix for path in self.runs.glob(f"{run}.*"))

    def finish_run(self, run, code=0):
        """Ends it, and sees that nothing but its journal is left."""
        self.do(f"end {code}")
        self.wait_for_log(f"(exit_code={code})")
        self.assertNothingLeft()
        self.assertNotIn(".sock", self.beside(run))


class ClosedTerminal(DurableTest):
    def test_goes_on(self):
        terminal, run = self.at_terminal()
        self.do("log one", "print two")
        terminal.wait_for("printed two")
        terminal.hang_up()
        self.wait_for_log("the run goes on without a terminal")
        self.do("log three", "print four")
        self.wait_for_log("logged three")
        again = self.attach(run)
        self.do("log five", "print six", "end 3")
        result = again.finish()
        self.assertEqual(result.code, 3, result)
        # In its order, nothing twice, nothing lost: what the closed one may not have shown, too.
        lines = [line for line in result.out.splitlines() if line.startswith(("logged", "printed"))]
        self.assertEqual(lines, ["logged one", "printed two", "logged three", "printed four", "logged five",
                                 "printed six"])
        self.assertNothingLeft()
        self.assertEqual(self.beside(run), [".jsonl"])

    def test_only_the_terminal_matters_not_the_signal(self):
        process = self.start(NAME, "--file", self.steps_file, start_new_session=True)
        self.wait_for_log("START")
        process.send_signal(signal.SIGHUP)
        self.do("log one")
        self.wait_for_log("logged one")
        self.do("end 5")
        result = self.finish(process)
        self.assertEqual(result.code, 5, result)
        self.assertIn("logged one", result.err)

    def test_question(self):
        terminal, run = self.at_terminal()
        self.do("ask the host")
        terminal.wait_for("> ")
        terminal.hang_up()
        self.wait_for_log("a question waits for an operator")
        again = self.attach(run, "> ")
        self.assertEqual(again.shown.count(b"Is the host ready?"), 1, again.shown)
        again.type(b"go\n")
        self.do("end")
        self.assertEqual(again.finish().code, 0)

    def test_shell_that_is_durable(self):
        terminal, _ = self.at_terminal()
        self.do("durable", "end")
        self.assertEqual(terminal.finish().code, 0)

    def test_ctrl_c_is_what_it_was(self):
        terminal, run = self.at_terminal()
        terminal.type(b"\x03")
        result = terminal.finish()
        self.assertEqual(result.code, 97, result)
        self.assertIn("rolled back", result.out)
        self.assertEqual(self.beside(run), [".jsonl"])

    def test_without_a_terminal_nobody_waits(self):
        self.do("ask nobody")
        result = self.run_command("setsid", "--wait", *self.words())
        self.assertEqual(result.code, 99, result)
        self.assertIn("there is no terminal to ask at", result.err)

    def test_data_goes_where_it_is_sent(self):
        out = self.scratch / "out"
        with open(out, "wb") as file:
            terminal, run = self.at_terminal(stdout=file)
        self.do("print one")
        self.wait_for(lambda: out.read_text() == "printed one\n", "the data")
        terminal.hang_up()
        self.wait_for_log("the run goes on without a terminal")
        self.do("print two", "log three")
        self.wait_for_log("logged three")
        again = self.attach(run)
        self.do("end")
        self.assertNotIn("printed", again.finish().out)
        self.assertEqual(out.read_text(), "printed one\nprinted two\n")

    def test_progress_of_a_menu(self):
        terminal = self.on_terminal("cookbook", "-c", self.config, "fixture")
        terminal.wait_for(">>> ")
        terminal.type(f"steps --file {self.steps_file}\n".encode())
        terminal.wait_for("START")
        terminal.hang_up()
        self.wait_for_log("the run goes on without a terminal", "fixture")
        self.do("end")
        self.wait_for_log("END (PASS)", "fixture")
        self.assertNothingLeft()


class NotDurable(DurableTest):
    durable = ""

    def test_closed_terminal(self):
        terminal, run = self.at_terminal()
        terminal.hang_up()
        self.wait_for_log("exit_code=97")
        self.assertIn(("INFO", "rolled back"), self.records(NAME))
        self.assertEqual(self.beside(run), [".jsonl"])

    def test_nobody_attaches(self):
        terminal, run = self.at_terminal()
        for what in ("attach", "stop"):
            result = self.runs_command(what, run)
            self.assertEqual(result.code, 1, result)
            self.assertIn(f"runs {what}: error: {run}: it is not durable", result.err)
        self.do("end")
        self.assertEqual(terminal.finish().code, 0)


class Detached(DurableTest):
    durable = ""

    def test_attach_answer_let_go_attach_again(self):
        run = self.detach("log one", "ask two")
        self.wait_for_log("a question waits")
        terminal = self.attach(run, "> ")
        self.let_go(terminal)
        terminal = self.attach(run, "> ")
        self.assertNotIn(b"logged one", terminal.shown)
        terminal.type(b"go\n")
        terminal.wait_for("was answered")
        self.let_go(terminal)
        self.do("log three", "end 4")
        self.wait_for_log("exit_code=4")
        self.assertNothingLeft()
        result = self.runs_command("attach", run)
        self.assertEqual(result.code, 4, result)
        self.assertIn("logged three\n", result.out)
        self.assertNotIn("logged one", result.out)

    def test_early_errors_are_its_own(self):
        for words, code, text in (
            ((NAME,), 2, "--file"),
            (("fixture.nothing",), 98, "Unable to find"),
            (("fixture",), 2, "--detach is for the run of a cookbook"),
            ((NAME, "--file", "x", "--wrong"), 2, "unrecognized"),
        ):
            with self.subTest(words):
                result = self.cookbook("--detach", *words)
                self.assertEqual(result.code, code, result)
                self.assertIn(text, result.err)
        self.assertEqual(self.cookbook("--detach", NAME, "-h").code, 0)
        ignored = self.cookbook("--detach", "fixture.nothing",
                                preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
        self.assertEqual(ignored.code, 98, ignored)
        (self.scratch / "home/.local/state/spicerack").mkdir(parents=True)
        self.write("home/.local/state/spicerack/runs", "no directory")
        result = self.run_command(*self.words("--detach"))
        self.assertEqual(result.code, 1, result)
        self.assertIn("cannot keep a journal", result.err)
        self.assertNothingLeft()

    def test_nobody_waits_for_its_pipes(self):
        result = self.run_command("sh", "-c", 'id=$("$@" 2>/dev/null) && echo "<$id>"', "sh", *self.words("--detach"))
        self.assertEqual(result.out, f"<{self.id()}>\n", result)
        self.finish_run(self.id())

    def test_files_get_what_is_sent_there(self):
        self.do("print one", "log two")
        with open(self.scratch / "out", "wb") as out, open(self.scratch / "err", "wb") as err:
            code = self.start("--detach", NAME, "--file", self.steps_file, stdout=out, stderr=err).wait(60)
        self.assertEqual(code, 0)
        self.finish_run(self.id())
        self.assertEqual((self.scratch / "out").read_text(), "printed one\n")
        self.assertIn("logged two\n", (self.scratch / "err").read_text())

    def test_own_session(self):
        self.detach()
        pid = self.process_named("cookbook")
        self.assertEqual(os.getsid(pid), pid)
        self.assertEqual(self.journals()[0][0]["pid"], pid)
        self.finish_run(self.id())

    def test_inner_run(self):
        inner = self.write("inner", "ask inside\nend\n")
        run = self.detach(f"nest {inner}")
        self.wait_for_log("a question waits")
        within = next(path.stem for path in self.runs.glob("*.jsonl") if path.stem != run)
        terminal = self.attach(within, "> ")
        self.assertIn(f"{within} is within run {run}".encode(), terminal.shown)
        terminal.type(b"go\n")
        self.do("end")
        self.assertEqual(terminal.finish().code, 0)


class Attached(DurableTest):
    durable = ""

    def test_ctrl_c_once(self):
        terminal = self.attach(self.detach())
        self.wait_for_log("START")
        terminal.type(b"\x03")
        result = terminal.finish()
        self.assertEqual(result.code, 97, result)
        self.assertIn("Ctrl+C: interrupting the cookbook", result.out)
        self.assertIn("rolled back", result.out)

    def test_ctrl_c_twice(self):
        terminal = self.attach(self.detach("log spinning", "spin"))
        self.wait_for_log("logged spinning")
        terminal.type(b"\x03")
        terminal.wait_for("press again to kill it")
        terminal.type(b"\x03")
        result = terminal.finish()
        self.assertEqual(result.code, 97, result)
        self.assertIn("Ctrl+C again: killing the cookbook", result.out)

    def test_ctrl_z(self):
        run = self.detach()
        terminal = self.attach(run)
        terminal.type(b"\x1a")
        terminal.wait_for("Ctrl+Z is ignored")
        self.let_go(terminal)
        self.finish_run(run)

    def test_another_takes_over(self):
        run = self.detach("ask one")
        first = self.attach(run, "> ")
        second = self.attach(run, "> ")
        result = first.finish()
        self.assertEqual(result.code, 0, result)
        self.assertIn("Another terminal has taken over", result.out)
        second.type(b"go\n")
        self.do("end")
        self.assertEqual(second.finish().code, 0)

    def test_takes_over_from_the_first(self):
        self.config = self.write("spicerack.cfg", self.configuration([FIXTURES], "durable = true;"))
        first, run = self.at_terminal()
        second = self.attach(run)
        first.wait_for("Another terminal has taken over")
        self.do("log one", "end 6")
        self.assertIn("logged one", second.finish().out)
        result = first.finish()
        self.assertEqual(result.code, 6)
        self.assertNotIn("logged one", result.out)

    def settings(self, terminal):
        return termios.tcgetattr(terminal.master)

    def test_secret_leaves_no_settings_behind(self):
        """However the client goes while the echo is off."""
        for how in (signal.SIGKILL, signal.SIGTERM, signal.SIGQUIT, "supervisor", "answer"):
            with self.subTest(how):
                shutil.rmtree(self.runs, ignore_errors=True)
                self.steps_file.write_text("")
                run = self.detach("secret Token")
                terminal = self.attach(run, "Token: ")
                before = terminal.settings[3]
                self.wait_for(lambda: not self.settings(terminal)[3] & termios.ECHO, "the echo to be off")
                if how == "answer":
                    terminal.type(b"hunter22\n")
                    terminal.wait_for("a secret of 8")
                    self.assertEqual(self.settings(terminal)[3], before)
                elif how == "supervisor":
                    os.kill(self.process_named("cookbook"), signal.SIGKILL)
                    result = terminal.finish()
                    self.assertEqual(result.code, 1, result)
                    self.assertIn("it was cut off", result.out)
                else:
                    terminal.process.send_signal(how)
                    terminal.finish()
                self.wait_for(lambda: self.settings(terminal)[3] == before, "the settings")
                self.end_what_is_left()
                self.assertNothingLeft()
                self.assertNotIn(b"hunter22", terminal.shown)

    def test_client_is_killed(self):
        run = self.detach("log one", "ask two")
        terminal = self.attach(run, "> ")
        terminal.process.kill()
        terminal.process.wait()
        # It may have shown nothing: all of it comes again.
        again = self.attach(run, "> ")
        self.assertIn(b"logged one", again.shown)
        again.type(b"go\n")
        self.do("end")
        self.assertEqual(again.finish().code, 0)

    def test_terminal_is_closed(self):
        run = self.detach()
        terminal = self.attach(run)
        self.do("log one")
        terminal.wait_for("logged one")
        terminal.hang_up()
        terminal.process.wait(20)
        self.do("log two")
        self.wait_for_log("logged two")
        again = self.attach(run, "logged two")
        self.assertRegex(again.shown, rb"(?s)logged one.*logged two")
        self.do("end")
        self.assertEqual(again.finish().code, 0)

    def test_terminal_that_stands_still(self):
        """Ctrl+S: the run goes on, and nothing of it is lost."""
        run = self.detach()
        terminal = self.attach(run)
        terminal.type(b"\x13")
        self.do("much x", "log behind", "end")
        self.wait_for_log("exit_code=0")
        terminal.type(b"\x11")
        self.assertEqual(terminal.finish().code, 0)

    def test_background(self):
        run = self.detach()
        terminal = self.on_terminal("bash", "-c", 'set -m; "$@" & wait $!; echo "<$?>"', "bash",
                                    *self.runs_words("attach", run))
        result = terminal.finish()
        self.assertIn("the terminal cannot be attached from the background", result.out)
        self.assertIn("<1>", result.out)
        self.finish_run(run)

    def test_without_terminal(self):
        run = self.detach()
        result = self.run_command("setsid", "--wait", *self.runs_words("attach", run))
        self.assertEqual(result.code, 1, result)
        self.assertIn("there is no terminal to attach", result.err)
        self.finish_run(run)


class Stop(DurableTest):
    durable = ""

    def stop(self, *words, code=0):
        result = self.runs_command("stop", *words)
        self.assertEqual(result.code, code, result)
        return result.out + result.err

    def test_once(self):
        run = self.detach()
        self.wait_for_log("START")
        self.assertIn(f"Run {run}: interrupted", self.stop(run))
        self.wait_for_log("exit_code=97")
        self.assertIn("rolled back", dict(map(reversed, self.records(NAME))))
        self.assertNothingLeft()
        self.assertIn("it has ended", self.stop(run, code=1))

    def test_twice(self):
        run = self.detach("log spinning", "spin")
        self.wait_for_log("logged spinning")
        self.assertIn("stop it again to kill it", self.stop(run))
        self.assertIn("killed, its rollback follows", self.stop(run))
        self.wait_for_log("exit_code=97")

    def test_kill(self):
        run = self.detach("log spinning", "spin")
        self.wait_for_log("logged spinning")
        self.assertIn("killed, its rollback follows", self.stop("--kill", run))
        self.wait_for_log("exit_code=97")

    def test_rollback(self):
        self.steps_file = self.write("slow", "")
        run = self.detach("end 3")
        self.wait_for_log("rolled back")
        self.assertIn("it is being rolled back, which goes on", self.stop("--kill", run))
        self.assertIn("its rollback is abandoned", self.stop(run))
        self.wait_for_log("exit_code=93")

    def test_question(self):
        run = self.detach("ask anybody")
        self.wait_for_log("a question waits")
        self.assertIn("the question that waited is answered: abort", self.stop(run))
        self.wait_for_log("exit_code=")
        self.assertNothingLeft()

    def test_no_such_run(self):
        self.detach()
        self.assertIn("there is no run", self.stop("20000101-000000-aaaaaa", code=1))
        self.assertIn("there is no run", self.stop("../../etc/passwd", code=1))
        self.finish_run(self.id())


class Hostile(DurableTest):
    durable = ""

    def setUp(self):
        super().setUp()
        self.run_id = self.detach()
        self.fd = os.open(self.runs, os.O_PATH)
        self.addCleanup(os.close, self.fd)
        self.path = f"/proc/self/fd/{self.fd}/{self.run_id}.sock"

    def connect(self):
        client = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.addCleanup(client.close)
        client.connect(self.path)
        client.settimeout(20)
        return client

    @staticmethod
    def message(type_, value=0, version=1):
        return struct.pack("=IIIIQ", version, type_, 0, 0, value)

    def offer(self, *fds, type_=TAKE):
        client = self.connect()
        client.sendmsg([self.message(type_)], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", fds))])
        return client

    def answer(self, client):
        """The type and the value of what comes back; None: the end."""
        got = client.recv(100)
        return (struct.unpack("=IIIIQ", got)[1], struct.unpack("=IIIIQ", got)[4]) if got else None

    def check_alive(self):
        """It still does what it should."""
        terminal = self.attach(self.run_id)
        self.do("end 8")
        self.assertEqual(terminal.finish().code, 8)
        self.assertNothingLeft()

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process_named('cookbook')}/fd"))

    def test_mode(self):
        for suffix in ("sock", "screen"):
            self.assertEqual((self.runs / f"{self.run_id}.{suffix}").stat().st_mode & 0o777, 0o600)
        self.check_alive()

    def test_wrong_descriptors(self):
        before = self.descriptors()
        read_end, write_end = os.pipe()
        master, slave = os.openpty()
        reading = os.open(os.ttyname(slave), os.O_RDONLY | os.O_NOCTTY)
        plain = os.open(self.config, os.O_RDONLY)
        for fd in (read_end, write_end, reading, plain):
            self.assertEqual(self.answer(self.offer(fd)), (REFUSED, 3))
        for fds in ((slave, slave), (plain,) * 100):
            self.assertIsNone(self.answer(self.offer(*fds)))
        none = self.connect()
        none.send(self.message(TAKE))
        self.assertEqual(self.answer(none), (REFUSED, 3))
        stray = self.offer(slave, type_=LEAVE)
        stray.close()
        for fd in (read_end, write_end, master, slave, reading, plain):
            os.close(fd)
        none.close()
        self.check_alive_later(before)

    def check_alive_later(self, before):
        """Nothing that was sent is kept."""
        for each in range(20):
            self.connect().close()
        self.wait_for(lambda: self.descriptors() <= before + 9, "its descriptors to be closed")
        self.check_alive()

    def test_garbage(self):
        before = self.descriptors()
        for bytes_ in (b"x", b"\0" * 24, b"y" * 5000, self.message(77), self.message(TAKE, version=9)):
            client = self.connect()
            client.send(bytes_)
            answer = self.answer(client)
            self.assertTrue(answer is None or answer[0] == REFUSED, answer)
            client.close()
        self.check_alive_later(before)

    def test_who_has_no_terminal_cannot_press_its_keys(self):
        client = self.connect()
        client.send(self.message(INTERRUPT))
        client.send(self.message(LEAVE))
        self.do("log one")
        self.wait_for_log("logged one")
        self.assertNotIn("Ctrl+C", "\n".join(self.log(NAME)))
        self.check_alive()

    def test_silent_ones(self):
        silent = [self.connect() for _ in range(40)]
        self.check_alive()
        self.assertEqual(len(silent), 40)

    def test_terminal_without_reader(self):
        """A master that nobody reads, a client that does not either."""
        master, slave = os.openpty()
        self.addCleanup(os.close, master)
        client = self.offer(slave)
        os.close(slave)
        self.do(*["much x"] * 2, "log behind")
        self.wait_for_log("logged behind")
        self.assertEqual(self.answer(client), (TAKEN, 0))
        client.close()
        again = self.attach(self.run_id, "x line 2999")
        self.do("end")
        self.assertEqual(again.finish().code, 0)

    def test_stale_socket(self):
        os.kill(self.process_named("cookbook"), signal.SIGKILL)
        self.assertNothingLeft()
        for what in ("attach", "stop"):
            result = self.runs_command(what, self.run_id)
            self.assertEqual(result.code, 1, result)
            self.assertIn("cut off" if what == "attach" else "it has ended", result.err)

    def test_socket_of_somebody_else(self):
        """In a directory of a group a member could have put it there."""
        if os.getuid() != 0:
            self.skipTest("needs root to be somebody else")
        path = self.runs / f"{self.run_id}.sock"
        path.unlink()
        pid = os.fork()
        if pid == 0:
            other = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            os.chdir(self.runs)
            other.bind(path.name)
            os.setuid(65534)
            other.listen()
            time.sleep(60)
            os._exit(0)
        self.addCleanup(os.waitpid, pid, 0)
        self.addCleanup(os.kill, pid, signal.SIGKILL)
        self.wait_for(path.exists, "the socket")
        for what in ("attach", "stop"):
            result = self.wait_for(lambda: self.tried(what), "a connection")
            self.assertEqual(result.code, 1, result)
            self.assertIn("not trusted, uid 65534 listens there", result.err)

    def tried(self, what):
        result = self.runs_command(what, self.run_id)
        return None if "refused" in result.err else result


@unittest.skipIf(os.getuid() != 0, "needs root to be two users")
class TwoUsers(DurableTest):
    durable = ""

    def setUp(self):
        super().setUp()
        self.scratch.chmod(0o755)
        open_ = self.scratch / "open"
        open_.mkdir()
        shutil.chown(open_, "nobody")
        self.config = self.write("spicerack.cfg", self.configuration(
            [FIXTURES], f'journal = {{ directory = "{open_}/runs"; }};\nlocks = {{ enabled = false; }};'
        ).replace(str(self.logs), f"{open_}/logs"))
        self.logs = open_ / "logs"
        self.open = open_

    @property
    def runs(self):
        return self.open / "runs"

    def test_others_may_not(self):
        run = self.detach()
        shutil.chown(self.open / "runs", "nobody")
        for path in (self.runs, *self.runs.glob("*.jsonl")):
            path.chmod(0o755)
        for what in ("attach", "stop"):
            result = self.runs_command(what, run, user="nobody", group="nogroup", extra_groups=[])
            self.assertEqual(result.code, 1, result)
            self.assertIn(f"{run}: it is a run of ", result.err)
            self.assertIn("only that user and root may", result.err)
        self.finish_run(run)

    def test_root_may(self):
        result = self.run_command(*self.words("--detach"), user="nobody", group="nogroup", extra_groups=[])
        self.assertEqual(result.code, 0, result)
        run = result.out.strip()
        terminal = self.attach(run)
        self.do("log one")
        terminal.wait_for("logged one")
        self.let_go(terminal)
        self.assertIn("interrupted", self.runs_command("stop", run).out)
        self.wait_for_log("exit_code=97")


if __name__ == "__main__":
    unittest.main()
