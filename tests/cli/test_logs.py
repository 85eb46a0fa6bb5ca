# SPDX-License-Identifier: Apache-2.0
"""What a run writes: the two log files, the terminal, and data on standard output."""

import fcntl
import hashlib
import os
import pathlib
import re
import resource
import shutil
import signal
import stat
import subprocess
import sys
import termios
import time
import unittest

from harness import RECORD, USER, CommandTest, without_id

NAME = "fixture.misbehave"
STAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3}")
LEVELS = [("DEBUG", "a debug message"), ("INFO", "an info message"), ("WARNING", "a warning"), ("ERROR", "an error")]


class Files(CommandTest):
    def test_records(self):
        process = self.start_misbehave("--how", "levels")
        self.assertEqual(self.finish(process).code, 0)
        head = rf"{USER} {process.pid} "
        for extended, wanted in ((False, LEVELS[1:]), (True, LEVELS)):
            lines = self.log(NAME, extended)
            for level, message in wanted:
                place = r" misbehave:\d+ in do_it" if extended else ""
                pattern = STAMP.pattern + " " + head + rf"\[{level}{place}\] {message}"
                self.assertEqual(len([line for line in lines if re.fullmatch(pattern, line)]), 1, (pattern, lines))
            self.assertEqual("a debug message" in "\n".join(lines), extended)
            for line in lines:
                self.assertRegex(line, rf"^{STAMP.pattern} {head}\[")

    def test_time_is_that_of_the_local_zone(self):
        self.env["TZ"] = "<+05>-05"
        before = time.time()
        self.misbehave()
        stamp = self.log(NAME)[0][:19]
        written = time.mktime(time.strptime(stamp + " UTC", "%Y-%m-%d %H:%M:%S %Z")) - time.timezone
        self.assertAlmostEqual(written, before + 5 * 3600, delta=60)

    def test_dry_run_prefix(self):
        self.misbehave("--how", "levels", options=["-d"])
        for extended in (False, True):
            lines = self.log(NAME, extended)
            for line in lines:
                self.assertRegex(line, rf"^{STAMP.pattern} DRY-RUN {USER} \d+ \[")

    def test_a_message_cannot_forge_a_record(self):
        self.misbehave("--how", "bytes")
        for extended in (False, True):
            lines = self.log(NAME, extended)
            forged = [line for line in lines if "forged" in line]
            self.assertEqual(forged, [r"    2026-01-01 00:00:00,000 root 1 [INFO] forged\x1b[31m \x01\xff end"])
            self.records(NAME, extended)

    def test_neither_can_standard_error(self):
        self.misbehave("--how", "stderr-bytes")
        self.assertIn(("INFO", r"2026-01-01 00:00:00,000 root 1 [INFO] forged\x1b[31m \x01\xff end"),
                      self.records(NAME))
        for line in self.log(NAME):
            self.assertFalse(line.startswith("2026-01-01"), line)

    def test_standard_error_becomes_records(self):
        result = self.misbehave("--how", "print")
        self.assertEqual(result.out, "data on stdout\n")
        self.assertIn("words on stderr\nand more\n", result.err)
        for extended in (False, True):
            messages = self.records(NAME, extended)
            at = messages.index(("INFO", "words on stderr"))
            self.assertEqual(messages[at + 1], ("INFO", "and more"))
        place = [RECORD.fullmatch(line)["place"] for line in self.log(NAME, True) if line.endswith("] and more")]
        self.assertEqual(place, [f" stderr:0 in {NAME}"])
        self.assertNotIn("data on stdout", "\n".join(self.log(NAME, True)))

    def test_order_of_records_and_standard_error(self):
        self.misbehave("--how", "interleave")
        said = [message for _, message in self.records(NAME) if message.startswith("step")]
        self.assertEqual(said, [f"step {number}" for number in range(6)])

    def test_a_long_line_is_cut_and_kept(self):
        result = self.misbehave("--how", "long-line", "--value", "100000")
        self.assertEqual(result.code, 0, result)
        self.assertEqual(sum(len(message) for _, message in self.records(NAME)
                             if set(message) == {"x"}), 100000)

    def test_a_long_message_is_kept(self):
        result = self.misbehave("--how", "long-message", "--value", "100000")
        self.assertEqual(result.code, 0, result)
        self.assertEqual(sum(len(message) for _, message in self.records(NAME)
                             if set(message) == {"y"}), 100000)

    def test_what_was_logged_before_a_crash_is_there(self):
        self.misbehave("--how", "log-and-kill", "--value", "1000")
        found = [message for _, message in self.records(NAME, True) if message.startswith("record ")]
        self.assertEqual(found, [f"record {number}" for number in range(1000)])

    def test_runs_append(self):
        for _ in range(3):
            self.misbehave()
        self.assertEqual(sum("START" in line for line in self.log(NAME)), 3)

    def test_runs_at_the_same_time_do_not_tear_records(self):
        processes = [self.start_misbehave("--how", "many", "--value", "300") for _ in range(4)]
        for process in processes:
            self.assertEqual(self.finish(process).code, 0)
        found = [message for _, message in self.records(NAME, True) if message.startswith("record ")]
        self.assertEqual(sorted(found), sorted([f"record {number}" for number in range(300)] * 4))

    def test_rotation_by_several_runs_at_10_mib(self):
        # flock() in sink_rotate(), the look at the name in sink_write()
        limit, count, runs = 10 << 20, 300, 4
        self.misbehave()
        old = {}
        for extended in (False, True):
            path = self.logs / "fixture" / ("misbehave-extended.log" if extended else "misbehave.log")
            first = path.read_text().splitlines()[0] + "\n"
            with path.open("a") as file:
                # So that the second half of what follows is behind the limit.
                file.write(first * ((limit - path.stat().st_size - 40_000) // len(first)))
            old[extended] = path.read_text().count("START")
        processes = [self.start_misbehave("--how", "log-and-raise", "--value", count) for _ in range(runs)]
        for process in processes:
            self.assertEqual(self.finish(process).code, 99)
        for extended in (False, True):
            stem = "misbehave-extended.log" if extended else "misbehave.log"
            files = sorted((self.logs / "fixture").glob(stem + "*"))
            self.assertIn(stem + ".1", [path.name for path in files])
            lines = []
            for path in files:
                lines += path.read_text().splitlines()
                # A record is not split; who lost the race for the lock may have written behind the limit.
                self.assertLess(path.stat().st_size, limit + 100_000)
            matches = [RECORD.fullmatch(line) for line in lines if not line.startswith("    ")]
            self.assertNotIn(None, matches)
            found = [match["message"] for match in matches]
            self.assertEqual(sorted(message for message in found if message.startswith("record ")),
                             sorted([f"record {number}" for number in range(count)] * runs))
            self.assertEqual(sum(message.startswith("START") for message in found), old[extended] + runs)

    def test_modes_under_any_umask(self):
        for umask in (0o000, 0o077, 0o777):
            with self.subTest(oct(umask)):
                self.logs = self.scratch / f"state-{umask}" / "logs"
                self.config = self.write("spicerack.cfg", self.config.read_text().replace(
                    re.search(r'logs_base_dir = "(.*)"', self.config.read_text())[1], str(self.logs)))
                result = self.misbehave(preexec_fn=lambda: os.umask(umask))
                self.assertEqual(result.code, 0, result)
                for path, mode in ((self.logs.parent, 0o750), (self.logs, 0o750), (self.logs / "fixture", 0o750),
                                   (self.logs / "fixture/misbehave.log", 0o640),
                                   (self.logs / "fixture/misbehave-extended.log", 0o640)):
                    self.assertEqual(stat.S_IMODE(path.stat().st_mode), mode, path)

    def test_named_cookbooks_have_files_of_their_own(self):
        self.cookbook("fixture.several.Alpha")
        self.assertEqual(sorted(path.name for path in (self.logs / "fixture" / "several").iterdir()),
                         ["Alpha-extended.log", "Alpha.log"])


class NoPlaceForLogs(CommandTest):
    """Without log files nothing is done, and one line says why."""

    def check_refused(self, reason, **more):
        result = self.misbehave(**more)
        self.assertEqual(result.code, 1, result)
        self.assertRegex(result.err, rf"^cookbook: {re.escape(reason)}[^\n]*\n$")
        self.assertEqual(self.marks(), [])

    def test_not_a_directory(self):
        self.logs.write_text("")
        self.check_refused(f"{self.logs}: cannot open or make the directory: Not a directory")

    def test_a_dangling_link(self):
        self.logs.symlink_to("/nonexistent")
        self.check_refused(f"{self.logs}: cannot open or make the directory: No such file or directory")

    def test_a_file_that_is_a_link(self):
        victim = self.write("victim", "untouched")
        (self.logs / "fixture").mkdir(parents=True)
        for name in ("misbehave.log", "misbehave-extended.log"):
            link = self.logs / "fixture" / name
            link.symlink_to(victim)
            self.check_refused(f"{link}: a symbolic link, not a log file")
            link.unlink()
        self.assertEqual(victim.read_text(), "untouched")

    def test_a_group_that_is_a_link(self):
        self.logs.mkdir()
        (self.logs / "fixture").symlink_to(self.scratch)
        self.check_refused(f"{self.logs}/fixture/misbehave.log: cannot open or make its directory")

    def test_a_pipe(self):
        (self.logs / "fixture").mkdir(parents=True)
        os.mkfifo(self.logs / "fixture" / "misbehave.log")
        self.check_refused(f"{self.logs}/fixture/misbehave.log: not a regular file")

    @unittest.skipIf(os.geteuid() != 0, "needs root to become another user")
    def test_not_writable(self):
        self.scratch.chmod(0o755)
        self.logs.mkdir(mode=0o755)
        self.check_refused(f"{self.logs}/fixture/misbehave.log: cannot open or make its directory: Permission denied",
                           user=65534, group=65534, extra_groups=[])


class LostPlace(CommandTest):
    """What happens to the files during a run is said once for each, and the run goes on."""

    def setUp(self):
        super().setUp()
        self.shown_file = self.scratch / "shown"

    def mount(self, size):
        """A small disk of its own for the logs."""
        self.logs.mkdir()
        mounted = self.run_command("mount", "-t", "tmpfs", "-o", f"size={size}", "spicerack-test", self.logs)
        if mounted.code != 0:
            self.skipTest(f"cannot mount a small disk: {mounted.err}")
        self.addCleanup(self.run_command, "umount", "-l", self.logs)

    def start_waiting(self, **more):
        """A run that logs something at each Ctrl+Z, until go_on()."""
        with self.shown_file.open("wb") as shown:
            process = self.start_misbehave("--how", "wait", stderr=shown, stdout=subprocess.DEVNULL, **more)
        self.wait_for(lambda: "run" in self.marks() or process.poll() is not None, "the run")
        self.assertIsNone(process.poll(), self.shown())
        return process

    def shown(self):
        return self.shown_file.read_text()

    def failures(self, reason, shown=None):
        """The names of the files that were said to fail for that reason."""
        pattern = rf"^cannot log to a file: {re.escape(str(self.logs))}/fixture/(\S+): {reason}, ignoring$"
        found = [line for line in (shown or self.shown()).splitlines() if line.startswith("cannot log")]
        return sorted(re.fullmatch(pattern, line)[1] for line in found)

    def log_more(self, process, condition, what):
        """Has the run log until a condition holds."""
        self.wait_for(lambda: process.send_signal(signal.SIGTSTP) or condition(), what)

    def check_end(self, process, reason):
        self.write("marks.go", "")
        self.assertEqual(process.wait(20), 0, self.shown())
        self.assertEqual(self.failures(reason), ["misbehave-extended.log", "misbehave.log"])
        self.assertIn(f"END (PASS) - Cookbook {NAME} (exit_code=0) by wait", self.shown().splitlines())
        self.assertNothingLeft()

    @unittest.skipIf(os.geteuid() != 0, "needs root to mount a small disk")
    def test_a_full_disk_that_has_room_again(self):
        self.mount("1m")
        process = self.start_waiting()
        filler = self.logs / "filler"
        with filler.open("wb", buffering=0) as file:
            with self.assertRaises(OSError):
                while True:
                    file.write(bytes(4096))
        self.log_more(process, lambda: self.shown().count("cannot log") == 2, "the failure of both files")
        filler.unlink()
        lengths = {extended: len(self.log(NAME, extended)) for extended in (False, True)}
        self.log_more(process, lambda: all(len(self.log(NAME, extended)) > length + 3 for extended, length in lengths.items()),
                      "records after that")
        self.check_end(process, "cannot write: No space left on device")
        for extended in (False, True):
            lines = self.log(NAME, extended)
            self.assertTrue(lines[-1].endswith(f"END (PASS) - Cookbook {NAME} (exit_code=0) by wait"), lines[-1])
            # At most the record in which the disk was full is cut, and it ends there.
            self.assertLessEqual(len([line for line in lines if not RECORD.fullmatch(line)]), 1)

    @unittest.skipIf(os.geteuid() != 0, "needs root to mount a disk")
    def test_a_disk_that_becomes_read_only(self):
        """As the kernel makes it when it finds the file system damaged."""
        image = self.write("image", "")
        os.truncate(image, 8 << 20)
        self.logs.mkdir()
        for words in (["mkfs.ext4", "-q", image], ["mount", "-o", "loop,errors=remount-ro", image, self.logs]):
            try:
                done = self.run_command(*words)
            except FileNotFoundError as reason:
                self.skipTest(f"cannot make a file system: {reason}")
            if done.code != 0:
                self.skipTest(f"cannot mount a file system of its own: {done.err}")
        self.addCleanup(self.run_command, "umount", "-l", self.logs)
        device = os.stat(self.logs).st_dev
        name = os.path.basename(os.readlink(f"/sys/dev/block/{os.major(device)}:{os.minor(device)}"))
        trigger = pathlib.Path(f"/sys/fs/ext4/{name}/trigger_fs_error")
        if not os.access(trigger, os.W_OK):
            self.skipTest("the kernel does not let a file system fail")
        process = self.start_waiting()
        trigger.write_text("a test")
        self.log_more(process, lambda: self.shown().count("cannot log") == 2, "the failure of both files")
        self.check_end(process, "cannot write: Read-only file system")

    @unittest.skipIf(os.geteuid() != 0, "needs root to mount a disk")
    def test_a_read_only_disk_is_an_error_before_anything_is_done(self):
        self.mount("1m,ro")
        result = self.misbehave()
        self.assertEqual(result.code, 1, result)
        self.assertRegex(result.err, rf"^cookbook: {re.escape(str(self.logs))}/fixture/misbehave\.log: cannot open or make "
                                     r"its directory: Read-only file system\n$")
        self.assertEqual(self.marks(), [])

    def test_files_that_may_not_grow(self):
        limit = 50_000
        result = self.misbehave("--how", "log-and-raise", "--value", "2000",
                                preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
        self.assertEqual(result.code, 99, result)
        self.assertEqual(self.marks()[-2:], ["rollback", "rollback ends"])
        self.assertEqual(self.failures("cannot write: File too large", result.err),
                         ["misbehave-extended.log", "misbehave.log"])
        self.assertEqual([line for line in result.err.splitlines() if line.startswith("record ")],
                         [f"record {number}" for number in range(2000)])
        self.assertIn(f"END (FAIL) - Cookbook {NAME} (exit_code=99) by log-and-raise", result.err.splitlines())

    def test_directories_that_are_removed(self):
        process = self.start_waiting()
        shutil.rmtree(self.logs)
        self.check_end(process, "cannot open: No such file or directory")
        self.assertFalse(self.logs.exists())

    @unittest.skipIf(os.geteuid() != 0, "needs root to become another user")
    def test_a_directory_that_may_not_be_written_any_more(self):
        """The files that are open are written on; moved aside they cannot be made anew, which is said."""
        self.scratch.chmod(0o755)
        self.logs.mkdir()
        self.marks_file.touch()
        for path in (self.logs, self.marks_file, self.scratch / "home"):
            os.chown(path, 65534, 65534)
        process = self.start_waiting(user=65534, group=65534, extra_groups=[])
        directory = self.logs / "fixture"
        directory.chmod(0o500)
        self.log_more(process, lambda: any("Ctrl+Z" in line for line in self.log(NAME)), "a record")
        self.assertNotIn("cannot log", self.shown())
        for name in ("misbehave.log", "misbehave-extended.log"):
            (directory / name).rename(directory / f"{name}.aside")
        self.log_more(process, lambda: self.shown().count("cannot log") == 2, "the failure of both files")
        self.check_end(process, "cannot open: Permission denied")
        for name in ("misbehave.log", "misbehave-extended.log"):
            self.assertIn(f"END (PASS) - Cookbook {NAME}", (directory / f"{name}.aside").read_text())


class OnStderr(CommandTest):
    def test_bare_messages_from_info_on(self):
        result = self.misbehave("--how", "levels")
        self.assertEqual(without_id(result.err).splitlines()[1:-1], [message for _, message in LEVELS[1:]])

    def test_verbose_shows_debug(self):
        result = self.misbehave("--how", "levels", options=["-v"])
        self.assertIn("a debug message\nan info message\n", result.err)
        self.assertIn("\n__COOKBOOK_STATS__:", result.err)

    def test_dry_run_shows_everything_with_a_prefix(self):
        result = self.misbehave("--how", "levels", options=["--dry-run"])
        self.assertIn("DRY-RUN: a debug message\n", result.err)
        for line in result.err.splitlines():
            self.assertTrue(line.startswith("DRY-RUN: "), line)

    def test_control_characters_are_shown_as_text(self):
        self.assertIn(r"forged\x1b[31m \x01\xff end" + "\n", self.misbehave("--how", "bytes").err)

    def test_a_closed_or_full_stderr_does_not_fail_a_run(self):
        for words in ("2>&-", "2>/dev/full"):
            result = self.run_command("sh", "-c", f'exec cookbook -c "$1" {NAME} --how levels {words}', "-", self.config)
            self.assertEqual(result.code, 0, result)
        self.assertEqual(sum("END (PASS)" in line for line in self.log(NAME)), 2)


class Colours(CommandTest):
    def setUp(self):
        super().setUp()
        self.env["TERM"] = "xterm"

    def shown(self):
        result = self.misbehave_on_terminal("--how", "levels").finish()
        self.assertEqual(result.code, 0, result)
        return result.out

    def test_on_a_terminal(self):
        text = self.shown()
        self.assertIn("\nan info message\n\033[33ma warning\033[0m\n\033[31man error\033[0m\n", text)
        self.assertNotIn("\033", "\n".join(self.log(NAME, True)))

    def test_not_when_asked_not_to(self):
        for variables in ({"NO_COLOR": "1"}, {"TERM": "dumb"}, {"CLICOLOR": "0"}):
            with self.subTest(variables):
                before = dict(self.env)
                self.env.update(variables)
                self.assertNotIn("\033", self.shown())
                self.env = before

    def test_an_empty_no_color_does_not_count(self):
        self.env["NO_COLOR"] = ""
        self.assertIn("\033[31m", self.shown())

    def test_not_in_a_pipe(self):
        self.assertNotIn("\033", self.misbehave("--how", "levels").err)


class Data(CommandTest):
    """Standard output is the cookbook's."""

    def test_bytes_come_through_as_they_are(self):
        count = 10_000_000
        process = self.start_misbehave("--how", "data", "--value", count)
        out, _ = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0)
        wanted = (bytes(number * 7 % 256 for number in range(256)) * (count // 256 + 1))[:count]
        self.assertEqual(hashlib.sha256(out).digest(), hashlib.sha256(wanted).digest())

    def test_a_reader_that_stops_does_not_stop_the_run(self):
        process = self.start_misbehave("--how", "lines", "--value", "300000")
        self.assertEqual(process.stdout.readline(), b"line 0\n")
        process.stdout.close()
        self.assertEqual(process.wait(30), 0)
        self.assertEqual(self.marks()[-1], "run ends")

    def test_a_slow_reader_is_waited_for(self):
        process = self.start_misbehave("--how", "lines", "--value", "100000")
        waiting = lambda: int.from_bytes(fcntl.ioctl(process.stdout, termios.FIONREAD, bytes(4)), sys.byteorder)
        self.wait_for(lambda: waiting() > 60000, "a full pipe")
        # It has more to say than the pipes hold.
        self.assertNotIn("run ends", self.marks())
        result = self.finish(process)
        self.assertEqual(result.code, 0)
        self.assertEqual(result.out, "".join(f"line {number}\n" for number in range(100000)))

    def test_a_reader_that_never_reads_can_be_interrupted(self):
        process = self.start_misbehave("--how", "lines", "--value", "1000000", stderr=subprocess.DEVNULL)
        self.wait_for_mark("run")
        for text in ("press again", "killing the cookbook"):
            process.send_signal(signal.SIGINT)
            self.wait_for_log(text)
        self.wait_for_log("END (ERROR)")
        # One more ends the waiting for the reader; the first may still find the cookbook's end.
        self.wait_for(lambda: process.poll() is not None or process.send_signal(signal.SIGINT), "the end")
        self.assertEqual(process.returncode, 97)
        self.assertEqual(self.marks()[-2:], ["rollback", "rollback ends"])
        self.assertNothingLeft()

    def test_a_full_disk_is_said(self):
        result = self.run_command("sh", "-c", f'exec cookbook -c "$1" {NAME} --how lines --value 1000 >/dev/full', "-",
                                  self.config)
        self.assertIn("cannot write to standard output: No space left on device, what the cookbook prints is lost "
                      "from here on\n", result.err)
        self.assertEqual(result.code, 0)

    def test_a_list_to_a_full_disk_fails(self):
        result = self.run_command("sh", "-c", 'exec cookbook -c "$1" -l >/dev/full', "-", self.config)
        self.assertEqual(result.code, 1)
        self.assertIn("cannot write to standard output: No space left on device\n", result.err)

    def test_standard_input_is_not_the_cookbooks(self):
        done = self.run_command("sh", "-c", f'echo secret | cookbook -c "$1" {NAME} --how read-stdin', "-", self.config)
        self.assertEqual(done.code, 0)
        self.assertEqual(done.out, "read 0 bytes\n")


if __name__ == "__main__":
    unittest.main()
