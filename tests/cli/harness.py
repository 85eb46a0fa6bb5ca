# SPDX-License-Identifier: Apache-2.0
"""What the tests of the commands share: an installed prefix, a home of their own, a run and its traces."""

import fcntl
import contextlib
import json
import os
import pathlib
import pwd
import pty
import re
import resource
import select
import shutil
import signal
import struct
import subprocess
import tempfile
import termios
import time
import unittest

# A variable of the product's own prefix would be taken for configuration: none of these is handed on.
PREFIX = pathlib.Path(os.environ.pop("SPICERACK_TEST_PREFIX"))
BUILD = pathlib.Path(os.environ.pop("SPICERACK_TEST_BUILD"))
SOURCE = pathlib.Path(os.environ.pop("SPICERACK_TEST_SOURCE"))
CC = os.environ.pop("SPICERACK_TEST_CC")
LONG = os.environ.pop("SPICERACK_TEST_LONG", "OFF") == "ON"
SANITIZED = os.environ.pop("SPICERACK_TEST_SANITIZED") == "1"
FIXTURES = BUILD / "tests" / "fixture" / "cookbooks"

# Who runs the tests, as a run sees it; what the environment says of USER is not believed.
LOGIN_UID = int(pathlib.Path("/proc/self/loginuid").read_text())
USER = pwd.getpwuid(LOGIN_UID if LOGIN_UID < 2**32 - 1 else os.getuid()).pw_name

# A shell starts what is in its background with SIGINT ignored, nohup with SIGHUP; a run would inherit that.
for _number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT, signal.SIGTSTP):
    if signal.getsignal(_number) == signal.SIG_IGN:
        signal.signal(_number, signal.SIG_DFL)

RECORD = re.compile(
    r"(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}) (?P<dry>DRY-RUN )?(?P<user>\S+) (?P<pid>\d+) "
    r"\[(?P<level>[A-Z]+)(?P<place> \S+:\d+ in \S+)?\] (?P<message>.*)"
)


# What stands before START: each run has another id.
INTRODUCTION = re.compile(r"(?:DRY-RUN: )?Run \d{8}-\d{6}-[0-9a-z]{6} of cookbook \S+\n")


def without_id(text, runs=1):
    """What runs have shown, without the lines that tell their ids, one for each."""
    rest, count = INTRODUCTION.subn("", text)
    assert count == runs, text
    return rest


class Result:
    """How a command ended."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def __repr__(self):
        return f"exit code {self.code}\n--- stdout\n{self.out}\n--- stderr\n{self.err}"


class Terminal:
    """A command on a pseudo-terminal of its own, as an operator's shell would start it; a variable can tell its name.
    What was typed before waits there."""

    def __init__(self, words, env, cwd, stdout=None, size=None, variable=None, typed=b""):
        self.master, slave = pty.openpty()
        if size:
            self.resize(*size)
        self.settings = termios.tcgetattr(slave)
        if variable:
            env = {**env, variable: os.ttyname(slave)}
        self.shown = b""
        self.type(typed)
        self.process = subprocess.Popen(
            [str(word) for word in words], env=env, cwd=cwd, stdin=slave, stdout=stdout or slave, stderr=slave,
            start_new_session=True, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(slave)

    def type(self, keys):
        os.write(self.master, keys)

    def read(self, seconds=0.05):
        """Takes what was shown; False when the other side is gone."""
        if not select.select([self.master], [], [], seconds)[0]:
            return True
        try:
            got = os.read(self.master, 65536)
        except OSError:
            return False
        self.shown += got
        return bool(got)

    def wait_for(self, text, seconds=20):
        end = time.monotonic() + seconds
        while text.encode() not in self.shown:
            if time.monotonic() > end or not self.read():
                raise AssertionError(f"waited for {text!r}, saw {self.shown!r}")

    def resize(self, columns, rows):
        """The kernel tells the processes of the terminal, once they have it."""
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def hang_up(self):
        os.close(self.master)
        self.master = -1

    def finish(self, seconds=30):
        end = time.monotonic() + seconds
        while self.master >= 0 and self.process.poll() is None and time.monotonic() < end:
            self.read()
        code = self.process.wait(seconds)
        while self.master >= 0 and select.select([self.master], [], [], 0)[0] and self.read(0):
            pass
        return Result(code, self.shown.decode(errors="backslashreplace").replace("\r\n", "\n"), "")

    def close(self):
        self.process.kill()
        self.process.wait()
        if self.master >= 0:
            os.close(self.master)


class CommandTest(unittest.TestCase):
    """A test with a scratch directory, an environment and a configuration of its own."""

    maxDiff = None

    def setUp(self):
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="spicerack-test-"))
        self.addCleanup(shutil.rmtree, self.scratch, ignore_errors=True)
        self.logs = self.scratch / "logs"
        self.env = {
            "PATH": f"{PREFIX}/bin:{os.environ['PATH']}",
            "HOME": str(self.scratch / "home"),
            "USER": "somebody-else",
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "COLUMNS": "80",
        }
        for name in ("ASAN_OPTIONS", "UBSAN_OPTIONS", "LD_LIBRARY_PATH"):
            if name in os.environ:
                self.env[name] = os.environ[name]
        (self.scratch / "home").mkdir()
        self.config = self.write("spicerack.cfg", self.configuration([FIXTURES]))

    def configuration(self, bases, more=""):
        listed = ", ".join(f'"{base}"' for base in bases)
        return f'cookbooks_base_dirs = [{listed}];\nlogs_base_dir = "{self.logs}";\n{more}'

    def write(self, name, text, mode=0o644):
        path = self.scratch / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        return path

    @contextlib.contextmanager
    def as_user(self, options):
        """Another user may not see where the commands lie (a checkout in root's home): then there is no test."""
        try:
            yield
        except PermissionError:
            if "user" not in options:
                raise
            self.skipTest("the commands lie where other users may not look")

    def run_command(self, *words, stdin=subprocess.DEVNULL, timeout=60, **options):
        with self.as_user(options):
            done = subprocess.run(
                [str(word) for word in words],
                env=options.pop("env", self.env), cwd=options.pop("cwd", self.scratch), stdin=stdin,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=timeout, check=False, **options,
            )
        return Result(done.returncode, done.stdout.decode(errors="backslashreplace"),
                      done.stderr.decode(errors="backslashreplace"))

    def cookbook(self, *words, config=None, **options):
        """Runs `cookbook` with the configuration of this test."""
        return self.run_command("cookbook", "-c", config or self.config, *words, **options)

    def start(self, *words, **options):
        """Starts `cookbook` in the background, as the words of `prefix` do it; the test ends it."""
        prefix = options.pop("prefix", ())
        options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        with self.as_user(options):
            process = subprocess.Popen(
                [*prefix, "cookbook", "-c", str(self.config), *[str(word) for word in words]],
                env=self.env, cwd=self.scratch, **options,
            )
        for stream in filter(None, (process.stdout, process.stderr)):
            self.addCleanup(stream.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    def start_misbehave(self, *words, options=(), **more):
        return self.start(*options, "fixture.misbehave", "--marks", self.marks_file, *words, **more)

    def on_terminal(self, *words, **options):
        """Starts a command on a terminal of its own."""
        terminal = Terminal(words, self.env, self.scratch, **options)
        self.addCleanup(terminal.close)
        return terminal

    def misbehave_on_terminal(self, *words, options=(), **more):
        return self.on_terminal("cookbook", "-c", self.config, *options, "fixture.misbehave", "--marks",
                                self.marks_file, *words, **more)

    def finish(self, process, timeout=60):
        out, err = process.communicate(timeout=timeout)
        return Result(process.returncode, out.decode(errors="backslashreplace"),
                      err.decode(errors="backslashreplace"))

    def wait_for(self, condition, what, seconds=20):
        """Polls until `condition()` is true and returns what it gave; what takes long to ask is asked less often."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            asked = time.monotonic()
            value = condition()
            if value:
                return value
            time.sleep(max(0.01, min(0.5, 4 * (time.monotonic() - asked))))
        self.fail(f"waited {seconds} s for {what}")

    # What fixture.misbehave leaves behind.

    @property
    def marks_file(self):
        return self.scratch / "marks"

    def marks(self):
        return self.marks_file.read_text().splitlines() if self.marks_file.exists() else []

    def wait_for_mark(self, text):
        self.wait_for(lambda: text in self.marks(), f"the mark {text!r} among {self.marks()}")

    def end_what_is_left(self):
        """A job of a shell, what sudo started, and what a sanitizer is still at, outlive their terminal."""
        for pid, _ in self.processes():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def misbehave(self, *words, options=(), **more):
        return self.cookbook(*options, "fixture.misbehave", "--marks", self.marks_file, *words, **more)

    def log(self, name, extended=False):
        path = self.logs / (name.replace(".", "/") + ("-extended.log" if extended else ".log"))
        return path.read_text(errors="backslashreplace").splitlines()

    def records(self, name, extended=False):
        """The (level, message) pairs of a log file; lines that are no record belong to the one before."""
        found = []
        for line in self.log(name, extended):
            match = RECORD.fullmatch(line)
            if match:
                self.assertEqual(bool(match["place"]), extended, line)
                found.append((match["level"], match["message"]))
            else:
                self.assertTrue(found and line.startswith("    "), f"forged or torn record: {line!r}")
        return found

    @property
    def runs(self):
        """The directory of the journal."""
        return self.scratch / "home/.local/state/spicerack/runs"

    def journals(self):
        """The events of each run, in the order of their ids; all lines must be whole."""
        return [self.events(path) for path in sorted(self.runs.glob("*.jsonl"))]

    def events(self, path, whole=True):
        events = [json.loads(line) for line in path.read_text().splitlines()]
        for event in events:
            self.assertEqual((event["schema"], event["run"]), (1, path.stem))
        numbers = [event["sequence"] for event in events if "sequence" in event]
        self.assertEqual(numbers, list(range(1, len(numbers) + 1)) if whole else sorted(set(numbers)))
        return events

    def wait_for_log(self, text, name="fixture.misbehave"):
        """Polls until the log of a run shows the text."""
        path = self.logs / (name.replace(".", "/") + ".log")
        self.wait_for(lambda: path.exists() and text in path.read_text(errors="replace"), f"{text!r} in the log")

    def processes(self):
        """Processes that carry this test's scratch directory in their environment or their words."""
        needle = str(self.scratch).encode()
        found = []
        for entry in pathlib.Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                try:
                    if needle in (entry / "environ").read_bytes() or needle in (entry / "cmdline").read_bytes():
                        found.append((int(entry.name), (entry / "comm").read_text().strip()))
                except OSError:
                    pass
        return found

    def process_named(self, name):
        """The number of the one process of this test with that name: cookbook, spicerack-run, spicerack-work."""
        return self.wait_for(lambda: next((pid for pid, comm in self.processes() if comm == name), 0), name)

    def assertNothingLeft(self, seconds=5):
        self.wait_for(lambda: not self.processes(), f"the end of {self.processes()}", seconds)

    def assertNoTraces(self):
        """Nothing was started: no log file, no mark."""
        self.assertFalse(self.logs.exists(), "logs were written")
        self.assertEqual(self.marks(), [])


def require_cores(test):
    """Skips where the kernel does not write core dumps to a file of ours."""
    pattern = pathlib.Path("/proc/sys/kernel/core_pattern").read_text().strip()
    if pattern.startswith("|"):
        test.skipTest(f"core dumps go to a program here: {pattern}")
    if "/" in pattern:
        test.skipTest(f"core dumps go to another directory here: {pattern}")
    if resource.getrlimit(resource.RLIMIT_CORE)[1] != resource.RLIM_INFINITY:
        test.skipTest("core dumps are limited here")


def allow_cores():
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))


def only_core(test):
    """The core dump that a process of the test has left."""
    cores = list(test.scratch.glob("core*"))
    test.assertEqual(len(cores), 1, "no core dump was written")
    return cores[0]


def compile_cookbook(test, source, target, *flags):
    """Builds a cookbook as an author does, with the installed SDK's pkg-config file."""
    target.parent.mkdir(parents=True, exist_ok=True)
    pkgconfig = next(PREFIX.rglob("spicerack.pc")).parent
    env = dict(os.environ, PKG_CONFIG_PATH=str(pkgconfig))
    query = lambda *words: subprocess.check_output(["pkg-config", *words, "spicerack"], env=env, text=True).split()
    moduleflags = query("--variable=moduleflags")
    done = subprocess.run(
        [CC, *moduleflags, *flags, "-o", str(target), str(source), *query("--cflags", "--libs")],
        capture_output=True, text=True, check=False,
    )
    test.assertEqual(done.returncode, 0, done.stderr)
    return target
