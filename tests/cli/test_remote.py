# SPDX-License-Identifier: Apache-2.0
"""Commands on other hosts, on a real sshd, through the transport openssh."""

import hashlib
import os
import pathlib
import re
import shutil
import signal
import tempfile
import time
import unittest

from harness import LONG, CommandTest
from sshd import Sshd

RESULT = re.compile(r"RESULT (?P<host>\S+) (?P<command>\d+) (?P<end>\S+) code=(?P<code>-?\d+) signal=(?P<signal>\S*) "
                    r"out=(?P<kept>\d+)/(?P<total>\d+) err=\d+/\d+ (?P<reason>.*)")


class Server:
    """One sshd for all tests of a class; what it asks of a test."""

    def __init__(self, cls):
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="spicerack-test-"))
        cls.addClassCleanup(shutil.rmtree, self.scratch, ignore_errors=True)
        self.addCleanup = cls.addClassCleanup

    def wait_for(self, condition, what, seconds=20):
        end = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > end:
                raise AssertionError(f"waited for {what}")
            time.sleep(0.01)


class RemoteTest(CommandTest):
    transport = "openssh"

    @classmethod
    def setUpClass(cls):
        cls.sshd = Sshd(Server(cls), hosts=12, options=["AcceptEnv NAME"])
        for name in cls.sshd.names:
            cls.sshd.configure(name, SetEnv=f"NAME={name.split('.')[0]}")

    def setUp(self):
        super().setUp()
        self.settings = self.scratch / "etc/remote/config.cfg"
        self.settings.parent.mkdir(parents=True)
        self.go_by(self.transport)
        self.config = self.write("spicerack.cfg", self.config.read_text() +
                                 f'instance_params = {{ spicerack_config_dir = "{self.scratch}/etc"; }};\n')

    def go_by(self, transport):
        self.settings.write_text(f'transport = "{transport}";\n{transport} = {{ config = "{self.sshd.config}"; }};\n')

    def remote(self, hosts, *commands, options=(), code=0, words=()):
        """Runs the commands; what was printed, and the results."""
        # Neighbours that take both processors for ten seconds are no fault of a host.
        if "--connect" not in options:
            options = ("--connect", "60s", *options)
        done = self.cookbook(*words, "fixture.remote", *options, "--", hosts, *commands, timeout=120)
        self.assertEqual(done.code, code, done)
        return done, [match.groupdict() for match in RESULT.finditer(done.out)]

    def ends(self, *args, **more):
        return [(result["host"].split(".")[0], result["command"], result["end"])
                for result in self.remote(*args, **more)[1]]

    def what_runs_there(self):
        """The processes of commands, by the number of the run in their environment."""
        found = []
        for pid in self.sshd.children():
            try:
                if b"SPICERACK_RUN_ID=" in pathlib.Path(f"/proc/{pid}/environ").read_bytes():
                    found.append((pid, pathlib.Path(f"/proc/{pid}/cmdline").read_bytes()))
            except OSError:
                pass
        return found

    def assertNothingRunsThere(self, seconds=20):
        self.wait_for(lambda: not self.what_runs_there(), f"the end of {self.what_runs_there()}", seconds)


class Readings(RemoteTest):
    COMMANDS = ["echo out; echo err >&2; exit 7", "printf 'a\\0b\\377\\n\\n'", "echo \"$HOME\" '$HOME' `id -un`",
                "echo a\necho 'b\nc'", "cat; echo end", "exit 255", "sh -c no-such-command-at-all",
                "head -c 100000 /dev/zero | tr '\\0' x; echo >&2; exit 3", "env | grep -c ^_[a-z]=; umask; pwd"]

    def test_everything_is_as_ssh_has_it(self):
        for command in self.COMMANDS:
            by_ssh = self.sshd.ssh("host001.test", command)
            files = self.scratch / "files"
            done, results = self.remote("host001.test", command,
                                        options=("--quiet", "--any-code", "--directory", files))
            self.assertEqual(int(results[0]["code"]), by_ssh.returncode, command)
            self.assertEqual((files / "host001.test.out").read_bytes(), by_ssh.stdout, command)
            self.assertEqual((files / "host001.test.err").read_bytes(), by_ssh.stderr, command)

    def test_exit_codes_and_signals_come_through(self):
        codes = range(256) if LONG else (*range(5), *range(124, 131), 137, 143, 192, 254, 255)
        _, results = self.remote("host001.test", *(f"exit {code}" for code in codes),
                                 options=("--quiet", "--any-code"))
        self.assertEqual([int(result["code"]) for result in results], list(codes))
        for name in ("KILL", "TERM", "HUP", "SEGV"):
            _, results = self.remote("host001.test", f"ulimit -c 0; kill -{name} $$", options=("--quiet", "--caught"))
            self.assertEqual((results[0]["end"], results[0]["signal"]), ("signalled", name))

    def test_all_of_the_input_arrives(self):
        size, state, data = 600000, 1, bytearray()
        for _ in range(size):
            state = (state * 1103515245 + 12345) & 0xffffffff
            data.append(state >> 16 & 0xff)
        done, _ = self.remote("host[001-003].test", "md5sum", options=("--input-size", size))
        self.assertIn(f"GROUP host[001-003].test {hashlib.md5(data).hexdigest()}  -", done.out)
        done, results = self.remote("host001.test", "exit 5", options=("--input-size", size, "--caught"))
        self.assertEqual(results[0]["code"], "5")

    def test_the_environment_is_there(self):
        done, _ = self.remote("host001.test", "echo \"$A-$B-$SPICERACK_RUN_ID\"",
                              options=("--environment", "A=it's \"x\" $HOME `id`", "B="))
        run = re.search(r"Run (\S+) of", done.err)[1]
        self.assertIn(f"it's \"x\" $HOME `id`--{run}\n", done.out)

    def test_a_connection_stays_open(self):
        before = self.sshd.log().count("Accepted publickey")
        self.remote("host[001-002].test", "true", "true", options=("--again", 3, "--quiet"))
        self.assertEqual(self.sshd.log().count("Accepted publickey") - before, 2)

    @unittest.skipUnless(os.geteuid() == 0 and shutil.which("sudo"), "needs root and sudo")
    def test_sudo_runs_it_as_root_in_a_login(self):
        done, _ = self.remote("host001.test", "id -un; pwd; echo '$HOME' \"a b\" \\\\; test -n \"$SUDO_USER\"; echo $X",
                              options=("--sudo", "--environment", "X=1 2"))
        self.assertTrue(done.out.startswith("root\n/root\n$HOME a b \\\n1 2\n"), done.out)


class LoginShells(RemoteTest):
    """Other shells than sh, each as if it was the user's."""

    SHELLS = [path for path in map(shutil.which, ("bash", "dash", "zsh", "fish", "tcsh", "mksh")) if path]

    @classmethod
    def setUpClass(cls):
        cls.sshd = Sshd(Server(cls), hosts=len(cls.SHELLS), options=[
            "AcceptEnv SHELL", "ForceCommand exec $SHELL -c \"$SSH_ORIGINAL_COMMAND\""])
        for name, path in zip(cls.sshd.names, cls.SHELLS):
            cls.sshd.configure(name, SetEnv=f"SHELL={path}")

    def test_any_will_do(self):
        done, results = self.remote(",".join(self.sshd.names), "md5sum && printf '%s\\n' 'a b' '$c!' && exit 3",
                                    options=("--any-code", "--quiet", "--input-size", 100000))
        self.assertEqual([(result["end"], result["code"]) for result in results], [("ok", "3")] * len(self.SHELLS))
        self.assertRegex(done.out, r"\nGROUP \S+ [0-9a-f]{32}  -/a b/\$c!/\|\n")
        self.assertEqual(done.out.count("GROUP"), 1, done.out)


@unittest.skipUnless(os.geteuid() == 0, "mounts")
class SystemShells(RemoteTest):
    """Other shells as /bin/sh, which does what the watcher does: each mounted there for a session."""

    SHELLS = [path for path in map(shutil.which, ("dash", "bash", "busybox", "mksh")) if path]

    @classmethod
    def setUpClass(cls):
        cls.sshd = Sshd(Server(cls), hosts=len(cls.SHELLS), options=[
            "AcceptEnv AS_SH", "ForceCommand exec unshare --mount sh -c 'mount --bind \"$AS_SH\" \"$(readlink -f /bin/sh)\" "
            "&& exec /bin/sh -c \"$SSH_ORIGINAL_COMMAND\"'"])
        for name, path in zip(cls.sshd.names, cls.SHELLS):
            cls.sshd.configure(name, SetEnv=f"AS_SH={path}")
        cls.names = ",".join(cls.sshd.names)

    def test_a_command_runs_with_any(self):
        _, results = self.remote(self.names, "cmp \"$AS_SH\" /bin/sh && exit 3", options=("--any-code", "--quiet"))
        self.assertEqual([(result["end"], result["code"]) for result in results], [("ok", "3")] * len(self.SHELLS))

    def test_input_arrives_or_is_refused(self):
        done, results = self.remote(self.names, "md5sum", options=("--threshold", "0%", "--quiet", "--input-size", 600000))
        for path, result in zip(self.SHELLS, results):
            if path.endswith("/mksh"):
                self.assertEqual((result["end"], result["code"]), ("failed", "125"), done)
                self.assertIn("spicerack: /bin/sh is mksh here", done.out)
            else:
                self.assertEqual((result["end"], result["code"]), ("ok", "0"), done)
        self.assertEqual(len(set(re.findall(r"GROUP \S+ ([0-9a-f]{32}) ", done.out))), 1, done)

    def test_what_takes_too_long_is_ended(self):
        ends = self.ends(self.names, "sleep 100", options=("--timeout", "1s", "--threshold", "0%", "--quiet"))
        self.assertEqual({end for _, _, end in ends}, {"timed-out"})
        self.assertNothingRunsThere()


class Order(RemoteTest):
    def test_in_step_each_command_waits_for_all(self):
        log = self.scratch / "order"
        step = f"test $NAME != host002 && echo $NAME >> {log}"
        self.assertEqual(self.ends("host[001-003].test", f"{step}; exit 0", f"{step}", f"echo last >> {log}",
                                   options=("--quiet", "--threshold", "60%")),
                         [("host001", "0", "ok"), ("host002", "0", "ok"), ("host003", "0", "ok"),
                          ("host001", "1", "ok"), ("host002", "1", "failed"), ("host003", "1", "ok"),
                          ("host001", "2", "ok"), ("host002", "2", "not-run"), ("host003", "2", "ok")])
        lines = log.read_text().splitlines()
        self.assertEqual(sorted(lines[:2]), ["host001", "host003"])
        self.assertEqual(lines[-2:], ["last", "last"])

    def test_alone_each_host_does_its_list(self):
        log = self.scratch / "order"
        self.remote("host[001-002].test", f"echo $NAME 1 >> {log}", f"echo $NAME 2 >> {log}",
                    options=("--quiet", "--async", "--batch", 1))
        self.assertEqual(log.read_text().splitlines(), ["host001 1", "host001 2", "host002 1", "host002 2"])

    def test_no_more_than_a_batch_are_at_work(self):
        alone = f"mkdir {self.scratch}/lock && sleep 0.1 && rmdir {self.scratch}/lock"
        self.remote("host[001-004].test", alone, options=("--quiet", "--batch", "10%"))
        self.remote("host[001-004].test", alone, options=("--quiet", "--batch", "1", "--sleep", "10ms"))
        self.remote("host[001-004].test", alone.replace("0.1", "2"),
                    options=("--quiet", "--batch", "51%"), code=99)

    def test_no_more_than_the_fan_out_are_at_work(self):
        alone = f"mkdir {self.scratch}/lock && sleep 0.1 && rmdir {self.scratch}/lock"
        self.settings.write_text(self.settings.read_text() + "fanout = 1;\n")
        self.remote("host[001-004].test", alone, options=("--quiet", "--batch", "100%"))

    def test_a_threshold_that_was_met_does_not_raise(self):
        fail = "test $NAME != host002"
        done, _ = self.remote("host[001-004].test", fail, options=("--threshold", "75%"))
        self.assertIn("75.0% (3/4) success ratio (>= 75.0% (3/4) threshold) of 'test $NAME != host002'", done.err)
        self.assertIn("25.0% (1/4) of hosts failed to run 'test $NAME != host002': exit code 1: host002.test", done.err)
        self.assertIn("SETS ok=host[001,003-004].test failed=host002.test not-run=\n", done.out)
        done, _ = self.remote("host[001-004].test", fail, options=("--threshold", "76%", "--caught"))
        self.assertIn("75.0% (3/4) success ratio (< 100.0% (4/4) threshold)", done.err)
        self.assertIn("CAUGHT remote.execution: 'test $NAME != host002' succeeded on 3 of 4 hosts (75.0%), and 4 "
                      "(100.0%) were needed", done.out)

    def test_nobody_else_is_started_when_too_many_failed(self):
        ends = self.ends("host[001-004].test", "test $NAME != host002",
                         options=("--batch", 1, "--caught", "--quiet"))
        self.assertEqual([end for _, _, end in ends], ["ok", "failed", "not-run", "not-run"])

    def test_accepted_codes(self):
        self.remote("host001.test", "exit 2", options=("--accepted", 2, 0))
        self.remote("host001.test", "exit 0", options=("--accepted", 2), code=99)

    def test_nothing_is_changed_in_a_dry_run(self):
        mark = self.scratch / "mark"
        done, results = self.remote("host001.test", f"touch {mark}", words=["-d"])
        self.assertEqual(results[0]["end"], "not-run")
        self.assertIn("DRY-RUN: would run 'touch ", done.err)
        self.assertRegex(done.err, r"\n  cannot know what 'touch \S+' on 1 host: host001.test would have said\n")
        self.assertFalse(mark.exists())
        done, results = self.remote("host001.test", f"touch {mark}; exit 3", options=("--read",), words=["-d"])
        self.assertRegex(done.err, r"\n  read 'touch \S+; exit 3' on 1 host: host001.test\n")
        self.assertEqual((results[0]["end"], results[0]["code"]), ("failed", "3"))
        self.assertTrue(mark.exists())
        self.remote("host001.test", "exit 3", options=("--read",), code=99)


class Failures(RemoteTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        for name, how in (("host007.test", "refused"), ("host008.test", "wrong host key"),
                          ("host009.test", "denied key"), ("host010.test", "silent"), ("host011.test", "no address")):
            cls.sshd.fail(name, how)

    def test_who_cannot_be_reached_is_told_apart(self):
        done, results = self.remote("host[001,007-011].test", "echo there; exit 4",
                                    options=("--caught", "--connect", "5s"))
        ends = {result["host"][:7]: (result["end"], result["reason"]) for result in results}
        self.assertEqual({name: end for name, (end, _) in ends.items()},
                         {"host001": "failed", "host007": "unreachable", "host008": "host-key", "host009": "denied",
                          "host010": "unreachable", "host011": "unreachable"})
        self.assertIn("Connection refused", ends["host007"][1])
        self.assertIn("Host key verification failed", ends["host008"][1])
        self.assertIn("Permission denied", ends["host009"][1])

    def test_a_host_that_comes_back_is_connected_to_again(self):
        done, results = self.remote("host001.test", "kill -9 $PPID; sleep 1",
                                    options=("--caught",))
        self.assertEqual(results[0]["end"], "lost", done)
        self.remote("host001.test", "true")

    def test_a_command_that_takes_too_long_is_ended_there(self):
        ends = self.ends("host[001-002].test", "test $NAME = host001 || sleep 100",
                         options=("--timeout", "1s", "--caught", "--quiet"))
        self.assertEqual([end for _, _, end in ends], ["ok", "timed-out"])
        self.assertNothingRunsThere()
        ends = self.ends("host001.test", "sleep 100", options=("--total", "1s", "--caught", "--quiet"))
        self.assertEqual(ends[0][2], "timed-out")
        self.assertNothingRunsThere()

    def test_hostile_output_does_not_drive_the_terminal(self):
        command = "printf '\\033[2J\\233x\\377\\tt\\r\\nlast'; head -c 50000 /dev/zero | tr '\\0' y; printf '\\033]0;t\\a' >&2"
        for hosts in ("host001.test", "host[001-002].test"):
            done = self.cookbook("fixture.remote", hosts, command, "--threshold", "0%")
            shown = done.out[:done.out.index("RESULT")]
            self.assertIn("\\x1b[2J\\x9bx\\xff\tt\n", shown)
            self.assertNotIn("\x1b", shown + done.err)
            self.assertIn("\\x1b]0;t\\x07", shown)
        self.assertNotIn("\x1b", "\n".join(self.log("fixture.remote", extended=True)))

    def test_much_output_is_cut_and_said_so(self):
        _, results = self.remote("host001.test", "head -c 20000000 /dev/zero", options=("--quiet",))
        self.assertEqual((results[0]["kept"], results[0]["total"]), (str(1 << 20), "20000000"))
        files = self.scratch / "files"
        self.remote("host001.test", "head -c 5000000 /dev/zero", options=("--quiet", "--directory", files))
        self.assertEqual((files / "host001.test.out").stat().st_size, 5000000)

    def test_wrong_settings_are_told_with_their_place(self):
        self.settings.write_text('transport = "openssh";\nopenssh = {\n\tconfig = "relative";\n};\n')
        done, _ = self.remote("host001.test", "true", code=99)
        self.assertIn(f"{self.settings}:3: 'config' must be an absolute path", done.err)
        self.settings.write_text('transport = "none";\n')
        self.assertIn("the driver transport-none is not installed", self.remote("host001.test", "true", code=99)[0].err)

    def test_the_directory_of_the_sockets_goes_with_the_run(self):
        runtime = pathlib.Path(tempfile.mkdtemp(dir="/tmp"))  # a longer path is too long for sockets
        self.addCleanup(shutil.rmtree, runtime, ignore_errors=True)
        self.env["XDG_RUNTIME_DIR"] = str(runtime)
        self.remote("host001.test", f"test -n \"$(ls {runtime})\"")
        self.assertEqual([path for path in runtime.iterdir() if path.name.startswith("spicerack-ssh")], [])


class NothingLeft(RemoteTest):
    # What does not want to end, each in its own way.
    STUBBORN = "trap '' TERM INT HUP; setsid sleep 300 & nohup sleep 300 >/dev/null 2>&1 & while :; do sleep 1; done"

    def begin(self, command, *options):
        process = self.start("fixture.remote", "--rollback-runs", *options, "--", "host[001-002].test", command)
        self.wait_for(lambda: len(self.what_runs_there()) >= 2, "the command")
        return process

    def test_an_interruption_ends_it_there_before_the_rollback(self):
        for command in ("sleep 300", self.STUBBORN):
            process = self.begin(command)
            process.send_signal(signal.SIGTERM)
            done = self.finish(process)
            self.assertEqual(done.code, 97, done)
            self.assertIn("rolled back", done.out)
            self.assertNothingRunsThere()

    def test_a_killed_run_ends_it_there(self):
        process = self.begin(self.STUBBORN)
        process.kill()
        self.finish(process)
        self.assertNothingRunsThere(15)

    def test_a_stopped_client_ends_it_there(self):
        process = self.begin(self.STUBBORN)
        stopped = [pid for pid, _ in self.processes() if pid not in self.sshd.children()]
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        try:
            self.assertNothingRunsThere(20)
        finally:
            for pid in stopped:
                os.kill(pid, signal.SIGCONT)
            process.kill()

    def test_what_was_begun_in_the_background_stays_when_the_command_has_ended(self):
        self.remote("host001.test", "sleep 30 >/dev/null 2>&1 </dev/null & exit 0", options=("--quiet",))
        self.assertEqual([words for _, words in self.what_runs_there()], [b"sleep\x0030\x00"])
        for pid, _ in self.what_runs_there():
            os.kill(pid, signal.SIGKILL)

    def test_a_detached_command_outlives_the_run(self):
        mark = self.scratch / "mark"
        _, results = self.remote("host001.test", f"sleep 1; touch {mark}", options=("--detached",))
        self.assertEqual(results[0]["end"], "ok")
        self.wait_for(mark.exists, "the detached command")


if __name__ == "__main__":
    unittest.main()
