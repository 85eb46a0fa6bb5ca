# SPDX-License-Identifier: Apache-2.0
"""`spicerack run`, `spicerack remote reap` and what is done to hosts most often, on a real sshd."""

import hashlib
import json
import os
import pathlib
import re
import signal
import socket
import stat
import subprocess
import tempfile
import time
import unittest

from harness import BUILD, LONG, PREFIX
from listeners import Closed
from sshd import USER, LightSshd, Sshd
from test_remote import RemoteTest, Server


EXAMPLES = PREFIX / "lib" / "spicerack" / "cookbooks" / "examples"
# A systemctl that only notes who called it.
SYSTEMCTL = """#!/bin/sh
[ "$1" = is-active ] || echo "$NAME $*" >>{calls}
"""


class FleetTest(RemoteTest):
    transport = "libssh"

    @classmethod
    def setUpClass(cls):
        server = Server(cls)
        cls.calls, tools = server.scratch / "calls", server.scratch / "tools"
        tools.mkdir()
        (tools / "systemctl").write_text(SYSTEMCTL.format(calls=cls.calls))
        (tools / "systemctl").chmod(0o755)
        command = f'PATH={tools}:$PATH; export PATH; eval "$SSH_ORIGINAL_COMMAND"'
        cls.sshd = Sshd(server, hosts=12, options=["AcceptEnv NAME", f"ForceCommand {command}"])
        for name in cls.sshd.names:
            cls.sshd.configure(name, SetEnv=f"NAME={name.split('.')[0]}")

    def setUp(self):
        super().setUp()
        self.calls.unlink(missing_ok=True)

    def called(self):
        return self.calls.read_text().splitlines() if self.calls.exists() else []

    def command(self, *words, code=0, **more):
        done = self.run_command("spicerack", *words[:1], "-c", self.config, *words[1:], timeout=120, **more)
        self.assertEqual(done.code, code, done)
        return done

    def run_on(self, *words, code=0, **more):
        return self.command("run", "--force", *words, code=code, **more)

    def fleet(self, *words, code=0, options=()):
        done = self.cookbook(*options, "fixture.fleet", *words, timeout=120)
        self.assertEqual(done.code, code, done)
        return done

    def results(self, *words, code=0, **more):
        document = json.loads(self.run_on("-o", "json", *words, code=code, **more).out)
        self.assertEqual(document["version"], 1)
        return {(result["host"].split(".")[0], result["command_index"]): result for result in document["results"]}


class Run(FleetTest):
    def test_outputs_and_codes(self):
        done = self.run_on("host[001-003].test", "echo same")
        self.assertIn("(3) host[001-003].test", done.out)
        self.assertIn("same", done.out)
        self.assertRegex(done.err, r"END \(PASS\) - Cookbook spicerack.run \(exit_code=0\) 'echo same' on 3 hosts")
        one = 'test "$NAME" = host001'
        self.assertIn("< 100.0%", self.run_on("host[001-002].test", one, code=2).err)
        self.run_on("-p", "50", "host[001-002].test", one, code=1)
        self.run_on("-p", "51", "host[001-002].test", one, code=2)
        self.run_on("-x", "host[001-002].test", one)
        self.run_on("-t", "1", "host001.test", "sleep 60", code=2)

    def test_groups_are_in_an_order(self):
        """Large ones first, then as their hosts are."""
        done = self.run_on("host[001-012].test", 'case $NAME in *[2-6]) echo same;; *) echo $NAME;; esac')
        self.assertEqual(re.findall(r"(?m)^\(\d+\) (.*)", done.out),
                         ["host[002-006,012].test", *(f"host{number:03d}.test" for number in (1, *range(7, 12)))])

    def test_the_same_failure_is_told_once(self):
        """Although the reason of each has its name; and all that failed are named, however many there are."""
        for transport in ("openssh", "libssh"):
            with self.subTest(transport):
                self.go_by(transport)
                done = self.run_on("-u", f"nobody-by-{transport}", "host[001-012].test", "true", code=2)
                self.assertRegex(done.err, r"100.0% \(12/12\) of hosts failed to run 'true': .*: host\[001-012\].test")
        port = Closed().port
        names = [f"x{hashlib.md5(bytes([number])).hexdigest()}.uneven" for number in range(80)]
        for number, name in enumerate(names[:30]):
            self.sshd.configure(name, HostName=f"127.0.1.{number}", Port=port)
        self.sshd.configure("*.uneven", HostName="127.0.0.1", Port=port)
        done = self.run_on("-p", "0", ",".join(names), "true", code=1)
        self.assertIn("62.5% (50/80) of hosts failed to run 'true': cannot connect to 127.0.0.1", done.err)
        self.assertIn("11 more hosts failed in other ways: ", done.err)
        told = ",".join(line.rsplit(" ", 1)[1] for line in done.err.splitlines() if " failed " in line and "." in line)
        found = self.run_command("spicerack", "hosts", "-c", self.config, "-e", told).out.split()
        self.assertEqual(set(found), set(names))

    def test_several_commands(self):
        self.assertIn("--mode: is needed", self.run_on("host001.test", "systemctl", "status", code=2).err)
        results = self.results("-m", "async", "-p", "50", "host[001-002].test", 'test "$NAME" = host001', "echo $NAME",
                               code=1)
        self.assertEqual([(key, result["end"], result["out"]) for key, result in sorted(results.items())],
                         [(("host001", 0), "ok", ""), (("host001", 1), "ok", "host001\n"),
                          (("host002", 0), "failed", ""), (("host002", 1), "not-run", "")])
        self.assertEqual(results["host002", 0]["exit_code"], 1)

    def test_what_hosts_write_is_data(self):
        """Whatever the bytes are, a document stays one, and a line one line."""
        command = r"printf 'a\"\\\0\033[2J\302\233\377\303\244\n'; echo err >&2"
        result = self.results("host001.test", command)["host001", 0]
        self.assertEqual((result["out"], result["err"]), ('a"\\\0\x1b[2J\x9b\ufffdä\n', "err\n"))
        done = self.run_on("-o", "txt", "host[001-002].test", command)
        line = 'a"\\\\x00\\x1b[2J\\xc2\\x9b\\xffä'
        self.assertEqual(done.out, "".join(f"{host}: {line}\n{host}: err\n" for host in ("host001.test", "host002.test")))

    def test_dry_run(self):
        done = self.command("run", "--dry-run", "host[001-002].test", f"touch {self.scratch}/touched")
        self.assertEqual(done.out, "host[001-002].test\n")
        self.assertFalse((self.scratch / "touched").exists())
        self.assertNotIn("START", done.err)

    def test_confirmation(self):
        done = self.command("run", "host001.test", f"touch {self.scratch}/touched", code=94, start_new_session=True)
        self.assertIn("see --force", done.err)
        for typed, code in ((b"2\r", 0), (b"3\r", 94)):
            terminal = self.on_terminal("spicerack", "run", "-c", self.config, "host[001-002].test",
                                        f"echo $NAME >>{self.scratch}/touched")
            terminal.wait_for("type the number of hosts (2)")
            terminal.type(typed)
            if code:
                terminal.wait_for("that is not the number of hosts")
                terminal.type(b"\x03")
            self.assertEqual(terminal.finish().code, code)
            self.assertEqual((self.scratch / "touched").exists(), code == 0)
            (self.scratch / "touched").unlink(missing_ok=True)

    def test_bad_words(self):
        for words, complaint in ((["-b", "0", "host001.test", "true"], "batch-size"),
                                 (["-b", "101%", "host001.test", "true"], "batch-size"),
                                 (["-p", "101", "host001.test", "true"], "success-percentage"),
                                 (["host001.test", " "], "is empty"), (["host001.test"], "COMMAND")):
            self.assertIn(complaint, self.run_on(*words, code=2).err)
        self.assertRegex(self.run_on("x[", "true", code=94).err, r"\Acannot query 'x\[': .*a bracket is not closed \[remote.query\]\n"
                         r"Run \S+ of cookbook spicerack.run\n\Z")
        self.assertIn("#0 spk_raise", self.run_on("-v", "x[", "true", code=94).err)
        self.assertIn("#0 spk_raise", "\n".join(self.log("spicerack.run", extended=True)))
        self.config.write_text("nonsense = 1;\n")
        self.assertIn("unknown key 'nonsense'", self.run_on("host001.test", "true", code=94).err)
        self.assertIn("usage: spicerack run", self.run_command("spicerack", "run", "-h").out)

    def test_user(self):
        """Who logs in is who was named, not who is configured, and each user has connections of his own."""
        self.sshd.configure("host012.test", User="nobody-at-all")
        for transport in ("openssh", "libssh"):
            with self.subTest(transport):
                self.go_by(transport)
                done = self.results("host[011-012].test", "true", code=2)
                self.assertEqual([done[host, 0]["end"] for host in ("host011", "host012")], ["ok", "denied"])
                self.results("-u", USER, "host[011-012].test", "true")
                done = self.results("--user", f"no-{transport}", "host[011-012].test", "true", code=2)
                self.assertEqual({result["end"] for result in done.values()}, {"denied"})
                self.assertEqual(self.sshd.log().count(f"Invalid user no-{transport} from"), 2)
        for user in ("", "-x", "a b", "a;b"):
            self.assertIn("--user", self.run_on(f"--user={user}", "host001.test", "true", code=2).err)

    def test_it_is_a_run(self):
        self.run_on("--output-dir", self.scratch / "kept", "host001.test", "echo kept")
        self.assertEqual((self.scratch / "kept" / "host001.test.out").read_text(), "kept\n")
        journal, = self.journals()
        self.assertEqual([event["hosts"] for event in journal if event["event"] == "hosts"], ["host001.test"])
        done, = [event for event in journal if event["event"] == "executed"]
        self.assertEqual([done[name] for name in ("commands", "hosts", "ok", "failed")], [["echo kept"], 1, 1, 0])
        self.assertGreater(done["duration"], 0)
        self.assertEqual((journal[0]["cookbook"], journal[-1]["result"]), ("spicerack.run", "PASS"))
        self.assertNotIn("spicerack.run", self.cookbook("-l").out)
        self.assertTrue((self.logs / "spicerack" / "run.log").exists())

    def test_ctrl_c(self):
        terminal = self.on_terminal("spicerack", "run", "-c", self.config, "--force", "host[001-003].test", "sleep 300")
        self.wait_for(lambda: len([1 for _, line in self.what_runs_there() if line.startswith(b"sleep\x00300")]) == 3,
                      "three commands")
        terminal.type(b"\x03")
        self.assertEqual(terminal.finish().code, 97)
        self.assertNothingRunsThere()


class Names(FleetTest):
    def use_silent_nameserver(self):
        """The words before a command that asks one which takes its questions and says nothing for three seconds."""
        server = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.addCleanup(server.close)
        address = f"127.77.{os.getpid() >> 8 & 255}.{os.getpid() & 255}"
        resolv = self.write("resolv.conf", f"nameserver {address}\noptions timeout:3 attempts:1\n")
        words = ["unshare", "--mount", "sh", "-c", f'mount --bind {resolv} /etc/resolv.conf && exec "$@"', "sh"]
        try:
            server.bind((address, 53))
        except PermissionError:
            self.skipTest("nobody but root may be a nameserver")
        if subprocess.run([*words, "true"], capture_output=True, check=False).returncode:
            self.skipTest("nothing may be mounted here")
        return words

    def test_those_that_are_not_answered_hold_up_no_others(self):
        """Even though as many of them are asked for at a time as there may be hosts at work."""
        words = self.use_silent_nameserver()
        self.sshd.configure("host012.test", HostName="localhost", HostKeyAlias="host012.test")
        done = self.run_command(*words, "spicerack", "run", "-c", self.config, "--force", "-p", "0",
                                "a-silent-[01-60].test,host012.test", "echo there", timeout=120)
        self.assertEqual(done.code, 1, done)
        self.assertIn("(1) host012.test\n----- OUTPUT of 'echo there' -----\nthere\n", done.out)
        self.assertIn("98.4% (60/61) of hosts failed to run 'echo there': cannot find 'HOST': ", done.err)


class Input(FleetTest):
    def test_a_pipe(self):
        data = os.urandom(300000)
        done = subprocess.run(["spicerack", "run", "-c", self.config, "--force", "-o", "json", "host[001-002].test",
                               "sha256sum"], input=data, env=self.env, cwd=self.scratch, capture_output=True,
                              timeout=120, check=True)
        self.assertEqual({result["out"].split()[0] for result in json.loads(done.stdout)["results"]},
                         {hashlib.sha256(data).hexdigest()})

    def test_none(self):
        """Neither what is not there, nor what shall not be read."""
        for words, options in ((["host001.test"], {}),
                               (["--no-input", "host001.test"], {"stdin": subprocess.PIPE})):
            self.assertEqual(self.results(*words, "wc -c", **options)["host001", 0]["out"], "0\n")

    def test_one_that_does_not_end(self):
        """Who waits says what for."""
        process = subprocess.Popen(["spicerack", "run", "-c", self.config, "--force", "host001.test", "cat"], env=self.env,
                                   cwd=self.scratch, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        self.addCleanup(process.kill)
        self.assertIn(b"waiting for the end of standard input", process.stderr.readline())
        self.assertEqual(process.communicate(b"late\n", timeout=60)[0], b"late\n")
        self.assertEqual(process.returncode, 0)

    def test_too_much(self):
        path = self.write("much", "")
        os.truncate(path, (64 << 20) + 1)
        with path.open() as stdin:
            done = self.run_on("host001.test", f"touch {self.scratch}/touched", stdin=stdin, code=94)
        self.assertIn("more than 64 MiB: nothing was run", done.err)
        self.assertFalse((self.scratch / "touched").exists())


class Reader(FleetTest):
    def test_one_that_takes_its_time(self):
        """All of it arrives; what waits for the reader waits on the host, which is asked for no more."""
        lines, each = 600000, b"it is not in a hurry, and there is more\n"
        process = subprocess.Popen(["spicerack", "run", "-c", self.config, "--force", "--no-input", "host001.test",
                                    f"yes '{each.decode().strip()}' | head -n {lines}"], env=self.env, cwd=self.scratch,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.addCleanup(process.kill)
        size = 0
        while got := os.read(process.stdout.fileno(), 65536):
            size += len(got)
            if size < 8 << 20:
                time.sleep(0.02)
        _, err = process.communicate()
        self.assertEqual((process.returncode, size), (0, lines * len(each)), err)

    def test_a_full_disk_is_no_success(self):
        for command, code in (("echo all", 3), ("false", 2)):
            done = self.run_command("sh", "-c", 'exec spicerack run -c "$1" --force --no-input host001.test "$2" '
                                    ">/dev/full", "-", self.config, f"echo all; {command}")
            self.assertEqual(done.code, code, done)
            self.assertIn("cannot write to standard output: No space left on device", done.err)

    @unittest.skipUnless(LONG, "a minute")
    def test_huge_outputs(self):
        """A gigabyte of one host, and ten megabytes of each of many, in memory that has a bound."""
        for size, hosts in ((1 << 30, 1), (10 << 20, 100)):
            light = LightSshd(self, BUILD / "tests" / "bench" / "bench-light-sshd", hosts, size)
            self.settings.write_text(f'libssh = {{ config = "{light.config}"; }};\n')
            with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
                process = subprocess.Popen(["spicerack", "run", "-c", self.config, "--force", "--no-input",
                                            ",".join(light.names), "true"], env=self.env, cwd=self.scratch, stdout=out,
                                           stderr=err)
                _, status, usage = os.wait4(process.pid, 0)
                process.returncode = os.waitstatus_to_exitcode(status)
                err.seek(0)
                self.assertEqual(process.returncode, 0, err.read()[-1000:])
                shown = out.seek(0, os.SEEK_END)
            self.assertTrue(shown == size if hosts == 1 else shown < 2 << 20, shown)
            self.assertLess(usage.ru_maxrss, 160 << 10, "KiB")


class Reap(FleetTest):
    def reap(self, *words, code=0):
        done = self.run_command("spicerack", "remote", "reap", "-c", self.config, *words, timeout=120)
        self.assertEqual(done.code, code, done)
        return done

    def lose(self, *hosts):
        """A run whose command outlives it, as if the watchers had been killed; its id."""
        before, running = set(self.runs.glob("*.jsonl")), len(self.what_runs_there())
        self.remote(",".join(hosts), "exec sleep 300", options=["--detached"])
        run, = set(self.runs.glob("*.jsonl")) - before
        self.wait_for(lambda: len(self.what_runs_there()) == running + len(hosts), "the commands")
        return run.stem

    def test_what_a_run_has_left(self):
        other = self.lose("host003.test")
        run = self.lose("host001.test", "host002.test")
        done = self.reap("--dry-run", run)
        # One sshd is all hosts, so each of them has all.
        self.assertRegex(done.out, r"(?m)^host001.test: \d+ \S+ sleep 300")
        self.assertEqual(len(self.what_runs_there()), 3)
        done = self.reap(run)
        self.assertIn("2 of 2 hosts have something of run", done.err)
        self.assertEqual(len(self.what_runs_there()), 1)
        self.assertIn("0 of 2 hosts have something", self.reap(run).err)
        self.assertIn("1 of 1 host has something", self.reap(other, "host009.test").err)
        self.assertNothingRunsThere()

    def test_last_is_no_reap(self):
        """Who has looked what is left ends that, not what looking has left."""
        run = self.lose("host001.test")
        for words, there in ((["--dry-run"], "1 of 1 host has"), ([], "1 of 1 host has"), ([], "0 of 1 host have")):
            self.assertIn(f"{there} something of run {run}", self.reap(*words, "last").err)
        self.assertNothingRunsThere()

    def test_which_run(self):
        self.runs.mkdir(parents=True)
        self.assertIn("there is no run", self.reap("nothing", code=94).err)
        self.assertIn("there is no run", self.reap("20261126-021157-k3f9qz", code=94).err)
        self.assertIn("0 of 1 host", self.reap("20261126-021157-k3f9qz", "host001.test").err)
        self.run_command("spicerack", "run", "-c", self.config, "--dry-run", "host001.test", "true")
        self.assertIn("names no hosts: give a query", self.reap("last", code=94).err)
        process = self.start("fixture.remote", "--", "host001.test", "sleep 300")
        self.wait_for(self.what_runs_there, "the command")
        self.assertIn("still goes on", self.reap("last", code=94).err)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
        self.assertNothingRunsThere()

    def test_a_host_that_cannot_be_asked(self):
        self.sshd.fail("host004.test", "refused")
        self.assertIn("it is not known: host004.test",
                      self.reap("20261126-021157-k3f9qz", "host[003-004].test", code=2).err)

    def test_user(self):
        self.assertRegex(self.reap("--user", "nobody-at-all", "20261126-021157-k3f9qz", "host001.test", code=2).err,
                         "does not let 'nobody-at-all' in|nobody-at-all@.*Permission denied")
        self.assertIn("0 of 1 host", self.reap("-u", USER, "20261126-021157-k3f9qz", "host001.test").err)

    def test_no_such_command(self):
        self.assertIn("there is no command 'rape'", self.run_command("spicerack", "remote", "rape").err)


@unittest.skipUnless(LONG, "the other transport shows the same")
class ReapByOpenssh(Reap):
    transport = "openssh"


class Operations(FleetTest):
    def test_push_and_fetch(self):
        data = os.urandom(200000)
        local, far = self.scratch / "local", self.scratch / "there" / "a 'file'"
        local.write_bytes(data)
        local.chmod(0o640)
        far.parent.mkdir()
        far.symlink_to("nowhere")
        self.fleet("host001.test", "push", local, far)
        self.assertEqual(far.read_bytes(), data)
        self.assertEqual((stat.S_IMODE(far.lstat().st_mode), far.is_symlink()), (0o640, False))
        self.fleet("host001.test", "push", local, far, "--mode", "0600")
        self.assertEqual(stat.S_IMODE(far.stat().st_mode), 0o600)
        self.fleet("host[001-002].test", "fetch", far, self.scratch / "got")
        self.assertEqual({path.name: path.read_bytes() for path in (self.scratch / "got").iterdir()},
                         {"host001.test": data, "host002.test": data})
        self.assertEqual([path.name for path in far.parent.iterdir()], [far.name])

    def test_files_that_cannot_be(self):
        local = self.write("local", "new")
        place = self.scratch / "there"
        self.assertIn("No such file", self.fleet("host001.test", "push", local, place / "x", code=99).out)
        place.mkdir()
        (place / "kept").write_text("old")
        for words in ((self.scratch / "none", place / "kept"), (self.scratch, place / "kept"), (local, place)):
            self.fleet("host001.test", "push", *words, code=99)
        self.fleet("host001.test", "push", local, place / "kept", "--owner", "no-such-user", code=99)
        self.fleet("host001.test", "push", local, place / "kept", options=["--dry-run"])
        self.assertEqual([(path.name, path.read_text()) for path in place.iterdir()], [("kept", "old")])
        self.assertIn("could not be fetched from 1 of 1",
                      self.fleet("host001.test", "fetch", place / "none", self.scratch / "got", code=99).err)
        self.assertEqual(list((self.scratch / "got").iterdir()), [])
        self.write("empty", "")
        self.fleet("host001.test", "push", self.scratch / "empty", place / "empty")
        self.assertEqual((place / "empty").read_bytes(), b"")

    def test_reboot(self):
        """By the command of the configuration; ours here only says that it was called."""
        with self.settings.open("a") as config:
            config.write(f'reboot_command = "echo rebooted >>{self.scratch}/called";\n')
        self.fleet("host001.test", "reboot")
        self.assertEqual((self.scratch / "called").read_text(), "rebooted\n")
        self.fleet("host001.test", "reboot", options=["--dry-run"])
        self.assertEqual((self.scratch / "called").read_text(), "rebooted\n")

    def test_uptime(self):
        wanted = float(pathlib.Path("/proc/uptime").read_text().split()[0])
        said = dict(line.split() for line in self.fleet("host[001-002].test", "uptime").out.splitlines())
        self.assertEqual(list(said), ["host001.test", "host002.test"])
        self.assertGreaterEqual(float(said["host001.test"]), wanted - 1)
        self.fleet("host001.test", "wait", "2000-01-01")
        self.assertIn("has not booted since then", self.fleet("host001.test", "wait", "2100-01-01",
                                                              options=["--dry-run"]).err)

    def test_services(self):
        self.fleet("host[001-002].test", "restart", "a b.service", "c")
        self.assertEqual(self.called(), [f"{host} restart -- {unit}" for host in ("host001", "host002")
                                         for unit in ("a b.service", "c")])
        self.fleet("host001.test", "reload", "x")
        self.assertEqual(self.called()[4:], ["host001 reload -- x"])

    def test_packages(self):
        done = self.fleet("host001.test", "apt-get", "--", "--simulate", "install", "coreutils")
        self.assertIn("coreutils", done.out)
        for words, line in ((["install", "nginx"], "install nginx"), (["update"], "update")):
            self.fleet("host001.test", *words, options=["--dry-run"])
            self.assertIn(line, "\n".join(self.log("fixture.fleet", extended=True)))


class ByOpenssh(FleetTest):
    """What costs a program for each host is not done for all of the above."""

    transport = "openssh"
    test_outputs_and_codes = Run.test_outputs_and_codes
    test_what_hosts_write_is_data = Run.test_what_hosts_write_is_data
    test_a_pipe = Input.test_a_pipe
    test_push_and_fetch = Operations.test_push_and_fetch


class There(Sshd):
    """A host with an uptime of its own, and perhaps with systemd, on which some commands are others."""

    def __init__(self, test, tools, uptime, systemd):
        script = f'mount -t tmpfs none /run && mkdir -p /run/sshd {"/run/systemd/system" if systemd else ""} && ' \
                 f'mount --bind {uptime} /proc/uptime && exec "$@"'
        self.prefix = ("unshare", "--mount", "sh", "-c", script, "sh")
        command = f'PATH={tools}:$PATH; export PATH; eval "$SSH_ORIGINAL_COMMAND"'
        super().__init__(test, hosts=1, options=[f"ForceCommand {command}"])


class Reboot(RemoteTest):
    """By the command that is the default; what would reboot only notes that it was called."""

    transport = "libssh"
    STAND_INS = ("shutdown", "systemctl", "systemd-run")

    @classmethod
    def setUpClass(cls):
        script = "mount -t tmpfs none /run && mount --bind /dev/null /proc/uptime"
        if subprocess.run(["unshare", "--mount", "sh", "-c", script], capture_output=True, check=False).returncode:
            raise unittest.SkipTest("nothing may be mounted here")

    def setUp(self):
        self.systemd = self.id().endswith("systemd")
        super().setUp()

    def go_by(self, transport):
        tools = self.scratch / "tools"
        tools.mkdir()
        self.calls, self.uptime = self.scratch / "calls", self.write("uptime", "100000.00 1.00\n")
        for name in self.STAND_INS:
            (tools / name).write_text(f'#!/bin/sh\necho "{name} $*" >>{self.calls}\n')
            (tools / name).chmod(0o755)
        self.sshd = There(self, tools, self.uptime, self.systemd)
        super().go_by(transport)
        found = self.sshd.ssh("host001.test", "command -v " + " ".join(self.STAND_INS)).stdout.decode().split()
        self.assertEqual(found, [f"{tools}/{name}" for name in self.STAND_INS], "this machine would be rebooted")

    def reboot(self):
        done = self.cookbook("fixture.fleet", "host001.test", "reboot", timeout=60)
        self.assertEqual(done.code, 0, done)
        self.assertNothingRunsThere()
        self.wait_for(self.calls.exists, "the call")
        return self.calls.read_text()

    def test_with_systemd(self):
        self.assertEqual(self.reboot(), "systemd-run --quiet --collect --on-active=2 "
                                        "--timer-property=AccuracySec=100ms systemctl reboot\n")

    def test_without(self):
        """The command is over before it happens."""
        self.assertEqual(self.reboot(), "shutdown -r now\n")

    def has_logged(self, words):
        path = self.logs / "fixture" / "fleet.log"
        return path.exists() and words in path.read_text()

    @unittest.skipUnless(LONG, "waits until it is looked at again")
    def test_wait(self):
        """It is up first, then gone, then up again with another uptime."""
        since = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(time.time() - 60))
        process = self.start("-v", "fixture.fleet", "host001.test", "wait", since)
        self.wait_for(lambda: self.has_logged("keep polling"), "an attempt")
        self.sshd.stop()
        self.wait_for(lambda: self.has_logged("'cat /proc/uptime' on host001.test: "), "one more", 60)
        self.uptime.write_text("1.00 1.00\n")
        self.sshd.start()
        self.assertEqual(self.finish(process, 60).code, 0)


class Sample(FleetTest):
    def setUp(self):
        super().setUp()
        self.config.write_text(self.config.read_text().replace(
            "cookbooks_base_dirs = [", f'cookbooks_base_dirs = ["{EXAMPLES}", '))

    def restart(self, *words, code=0, options=()):
        done = self.cookbook(*options, "hosts.rolling-restart", "-s", "0", "--health-timeout", "2",
                             "host[001-004].test", "web.service", *words, timeout=120)
        self.assertEqual(done.code, code, done)
        return done

    def restarted(self):
        return [line.split()[0] for line in self.called() if " restart " in line]

    def test_all_of_them(self):
        self.restart()
        self.assertEqual(self.restarted(), ["host001", "host002", "host003", "host004"])

    def test_it_stops_at_the_first(self):
        """Its health is asked before, and must be good."""
        unhealthy = '! grep -qs "$NAME restart" ' + str(self.calls) + ' || test "$NAME" != host002'
        self.restart("--health-command", unhealthy, code=99)
        self.assertEqual(self.restarted(), ["host001", "host002"])
        self.calls.unlink()
        self.assertIn("not healthy, see to them: host002.test",
                      self.restart("--health-command", unhealthy, "--max-failed", "1", code=1).err)
        self.assertEqual(self.restarted(), ["host001", "host002", "host003", "host004"])
        self.calls.unlink()
        self.restart("--health-command", "false", code=94)
        self.restart(options=["--dry-run"])
        self.assertEqual(self.restarted(), [])


if __name__ == "__main__":
    unittest.main()
