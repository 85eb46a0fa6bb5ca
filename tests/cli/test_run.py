# SPDX-License-Identifier: Apache-2.0
"""Runs: order of the callbacks, exit codes, START and END, crashes, scopes, rollback."""

import contextlib
import fcntl
import os
import pathlib
import re
import signal
import subprocess
import time
import unittest

from harness import CC, SANITIZED, CommandTest, without_id

NAME = "fixture.misbehave"
BEFORE = ["check", "prepare", "describe", "lock"]
WHOLE = [*BEFORE, "run"]
ROLLED_BACK = ["rollback", "rollback ends"]
STATS = re.compile(r"__COOKBOOK_STATS__:name=(\S+),exit_code=(\d+),duration=\d+\.\d{3}")


def start(how, name=NAME):
    return f"START - Cookbook {name} by {how}"


def end(how, code, word=None, head="END", name=NAME):
    word = word or ("PASS" if code == 0 else "FAIL")
    return f"{head} ({word}) - Cookbook {name} (exit_code={code}) by {how}"


class RunTest(CommandTest):
    """Runs of fixture.misbehave, each of which leaves no process behind."""

    def check(self, code, marks, *words, **more):
        result = self.misbehave(*words, **more)
        self.assertEqual(result.code, code, result)
        self.assertEqual(self.marks(), marks, result)
        self.assertNothingLeft()
        return result

    def assertLines(self, result, *lines):
        """The lines stand on stderr, whole and in this order."""
        shown = iter(result.err.splitlines())
        for line in lines:
            self.assertIn(line, shown, result)

    @contextlib.contextmanager
    def fresh(self, case):
        """One case of several, with marks of its own."""
        with self.subTest(case):
            self.marks_file.unlink(missing_ok=True)
            yield


class Order(RunTest):
    def test_success(self):
        result = self.check(0, [*WHOLE, "scope", "run ends", "deferred"], "--scoped", "--deferred")
        self.assertEqual(result.out, "")
        self.assertEqual(without_id(result.err), f"{start('nothing')}\n{end('nothing', 0)}\n")

    def test_raise_is_rolled_back_after_the_scopes(self):
        self.check(99, [*WHOLE, "scope", "deferred", *ROLLED_BACK], "--how", "raise", "--scoped", "--deferred")

    def test_success_is_not_rolled_back_and_a_caught_error_is_no_failure(self):
        result = self.check(0, [*WHOLE, "run ends"], "--how", "caught")
        self.assertLines(result, "caught: an error within")

    def test_dry_run_has_the_same_order(self):
        result = self.check(99, [*WHOLE, "deferred", *ROLLED_BACK], "--how", "raise", "--deferred", options=["-d"])
        self.assertLines(result, "DRY-RUN: " + start("raise"), "DRY-RUN: " + end("raise", 99))

    def test_nothing_is_started_for_a_usage_error_or_help(self):
        self.assertEqual(self.misbehave("--unknown").code, 2)
        self.assertEqual(self.misbehave("--help").code, 0)
        self.assertNoTraces()


class StartAndEnd(RunTest):
    def test_stats_are_in_the_extended_log_only(self):
        self.check(5, [*WHOLE, "run ends", *ROLLED_BACK], "--how", "return", "--value", "5")
        extended = self.records(NAME, extended=True)
        stats = [(level, message) for level, message in extended if message.startswith("__COOKBOOK")]
        self.assertEqual([level for level, _ in stats], ["DEBUG"])
        self.assertEqual(STATS.fullmatch(stats[0][1]).groups(), (NAME, "5"))
        self.assertEqual(self.records(NAME), [record for record in extended if record[0] != "DEBUG"])
        self.assertNotIn("STATS", "\n".join(self.log(NAME)))

    def test_duration_is_measured(self):
        begin = time.monotonic()
        self.check(0, [*WHOLE, "run ends"], "--how", "sleep", "--value", "1")
        took = time.monotonic() - begin
        text = "\n".join(self.log(NAME, extended=True))
        told = re.search(r"duration=(\d+\.\d{3})$", text, re.M)
        self.assertTrue(told, text)
        self.assertTrue(1 <= float(told[1]) <= took, (told[1], took))

    def test_start_and_end_are_in_both_files(self):
        self.misbehave()
        for extended in (False, True):
            messages = [message for level, message in self.records(NAME, extended) if level == "INFO"]
            self.assertEqual(without_id("\n".join(messages)), "\n".join([start("nothing"), end("nothing", 0)]))

    def test_skip_start_asked_for_by_prepare(self):
        result = self.check(99, [*WHOLE, *ROLLED_BACK], "--how", "raise", "--skip-start")
        self.assertLines(result, end("raise", 99, head="DONE"))
        self.assertNotIn("END (", result.err)

    def test_skip_start_in_the_descriptor(self):
        result = self.cookbook("fixture.several.Beta")
        self.assertEqual(result.code, 0, result)
        self.assertLines(result, "this is fixture.several.Beta",
                         "DONE (PASS) - Cookbook fixture.several.Beta (exit_code=0)")

    def test_a_run_without_rollback_says_nothing_about_one(self):
        result = self.cookbook("fixture.several.Fails")
        self.assertEqual(result.code, 7, result)
        self.assertEqual(without_id(result.err), "START - Cookbook fixture.several.Fails\n"
                                                 "DONE (FAIL) - Cookbook fixture.several.Fails (exit_code=7)\n")

    def test_done_with_a_message(self):
        result = self.check(0, ["check", "prepare"], "--at", "prepare", "--how", "done")
        self.assertEqual(result.err, "nothing to do\n")
        self.assertEqual(self.records(NAME), [("INFO", "nothing to do")])
        self.assertNotIn("STATS", "\n".join(self.log(NAME, extended=True)))

    def test_done_without_a_message(self):
        self.assertEqual(self.check(0, ["check", "prepare"], "--at", "prepare", "--how", "done-silently").err, "")

    def test_done_is_misuse_elsewhere(self):
        result = self.check(99, [*WHOLE, *ROLLED_BACK], "--how", "done")
        self.assertIn("misuse of spk_done(): only prepare may end the run successfully [misuse]\n", result.err)

    def test_lock_of_the_descriptor_and_of_the_callback(self):
        self.assertIn("lock of this run: fixture.several.Locks, concurrency 3, ttl 90 s\n",
                      self.cookbook("-v", "fixture.several.Locks").err)
        self.assertIn("lock of this run: fixture.several.Alpha, concurrency 20, ttl 1800 s\n",
                      self.cookbook("-v", "fixture.several.Alpha").err)
        self.assertIn(f"lock of this run: {NAME}:suffix, concurrency 20, ttl 1800 s\n",
                      self.misbehave(options=["-v"]).err)


class Returned(RunTest):
    def test_codes_of_the_cookbook(self):
        for code in [1, 5, 89, 100, 127]:
            with self.fresh(code):
                result = self.check(code, [*WHOLE, "run ends", *ROLLED_BACK], "--how", "return", "--value", code)
                self.assertEqual(without_id(result.err),
                                 f"{start('return')}\nRolling back cookbook {NAME}\n{end('return', code)}\n")

    def test_codes_that_are_not_the_cookbooks(self):
        for code in [90, 92, 95, 97, 99, 128, 255, 256, 300, -1]:
            with self.fresh(code):
                result = self.check(99, [*WHOLE, "run ends", *ROLLED_BACK], "--how", "return", f"--value={code}")
                self.assertLines(result, f"Cookbook {NAME} returned {code}: a cookbook returns 0, or 1 to 89 or 100 to "
                                 "127 for a failure", f"Rolling back cookbook {NAME}", end("return", 99))


class Raised(RunTest):
    """An error raised in each callback."""

    def check_raised(self, code, marks, what, *words):
        result = self.check(code, marks, *words)
        self.assertLines(result, f"Exception raised while {what} cookbook {NAME}: it was to raise")
        return result

    def test_check(self):
        result = self.check(2, ["check"], "--at", "check", "--how", "raise")
        self.assertTrue(result.err.startswith(f"usage: cookbook [GLOBAL_ARGS] {NAME} [-h]"), result)
        self.assertLines(result, f"cookbook [GLOBAL_ARGS] {NAME}: error: it was to raise")

    def test_check_with_another_error(self):
        result = self.check(96, ["check"], "--at", "check", "--how", "misuse")
        self.assertIn(f"Exception raised while parsing the arguments of cookbook {NAME}: misuse of spk_given(): "
                      "'field' holds no argument [misuse]\n", result.err)

    def test_prepare(self):
        result = self.check_raised(94, ["check", "prepare"], "preparing", "--at", "prepare", "--how", "raise")
        self.assertNotIn("START", result.err)
        self.assertNotIn("END", result.err)

    def test_describe(self):
        result = self.check_raised(0, [*WHOLE, "run ends"], "describing", "--at", "describe", "--how", "raise")
        self.assertLines(result, f"START - Cookbook {NAME}", f"END (PASS) - Cookbook {NAME} (exit_code=0)")

    def test_lock(self):
        result = self.check_raised(94, BEFORE, "computing the lock of", "--at", "lock", "--how", "raise")
        self.assertNotIn("START", result.err)

    def test_lock_that_cannot_be(self):
        for how, message in (
                ("bad-suffix", "a lock with the suffix 'a/b': it must not be empty nor hold a slash [lock.invalid]"),
                ("bad-ttl", "a lock with a ttl of -1s: it must be positive [lock.invalid]")):
            with self.fresh(how):
                self.assertIn(message, self.check(94, BEFORE, "--at", "lock", "--how", how).err)

    def test_run(self):
        result = self.check_raised(99, [*WHOLE, *ROLLED_BACK], "executing", "--how", "raise")
        self.assertLines(result, start("raise"), f"Rolling back cookbook {NAME}", end("raise", 99))

    def test_scope(self):
        result = self.check(93, [*WHOLE, "scope", "deferred", *ROLLED_BACK], "--at", "scope", "--how", "raise",
                            "--scoped", "--deferred")
        self.assertLines(result, f"Exception raised while executing cookbook {NAME}: not undone: the scoped thing",
                         "caused by: it was to raise", end("raise", 93))

    def test_deferred(self):
        result = self.check_raised(93, [*WHOLE, "run ends", "deferred", *ROLLED_BACK], "executing", "--at", "deferred",
                                   "--how", "raise", "--deferred")
        self.assertLines(result, "not undone: the deferred thing: it was to raise", end("raise", 93))

    def test_rollback(self):
        result = self.check_raised(93, [*WHOLE, "rollback"], "rolling back", "--how", "raise", "--at-rollback",
                                   "raise")
        self.assertLines(result, end("raise", 93))

    def test_report_shows_causes_kinds_and_places(self):
        result = self.check(99, [*WHOLE, *ROLLED_BACK], "--how", "raise-chain")
        self.assertLines(result, f"Exception raised while executing cookbook {NAME}: it was to raise a chain "
                         "[fixture.chain]", "caused by: an error within")
        # The frames are those of where it began.
        self.assertRegex(result.err, r"\n    #\d+ raise_plainly \(misbehave\.c:\d+\) in misbehave\.so\n")
        self.assertRegex(result.err, r"\n    #\d+ run \(misbehave\.c:\d+\) in misbehave\.so\n")

    def test_the_memory_of_a_run_ends_in_an_error(self):
        result = self.check(99, [*WHOLE, *ROLLED_BACK], "--how", "allocate")
        self.assertIn("the run has no memory left for 1048576 bytes [memory]\n", result.err)

    def test_undo_actions_may_not_look_at_the_stack(self):
        result = self.check(99, [*WHOLE, *ROLLED_BACK], "--how", "undo-on-stack")
        self.assertIn("misuse of spk_defer(): the argument of an undo action must be memory of the run", result.err)


SIGNALS = {
    "segv": "was ended by signal 11 (SIGSEGV, Segmentation fault) at address 0",
    "abort": "was ended by signal 6 (SIGABRT, Aborted)",
    "kill": "was ended by signal 9 (SIGKILL, Killed)",
}
ENDINGS = {
    **{how: ([how], text) for how, text in SIGNALS.items()},
    "exit(0)": (["exit"], "exited with code 0 without a result"),
    "exit(3)": (["exit", "--value", "3"], "exited with code 3 without a result"),
    "close": (["close"], "exited with code 1 without a result"),
}


class Crashed(RunTest):
    """What is left of a bad end of the process; test_misbehaviour.py has every end in every callback."""

    @staticmethod
    def each_ending():
        for name, (words, text) in ENDINGS.items():
            yield name, ["--how", *words], f"Cookbook {NAME} {text} during "

    def test_run_is_rolled_back_with_what_it_remembered(self):
        for name, how, text in self.each_ending():
            with self.fresh(name):
                undone = ["scope", "run ends", "deferred"] if name == "close" else ["scope", "deferred"]
                result = self.check(92, [*WHOLE, *undone, *ROLLED_BACK], "--scoped", "--deferred", *how)
                self.assertLines(result, start(how[1]), text + "run", f"Rolling back cookbook {NAME}", end(how[1], 92))

    def test_what_rollback_deferred_is_undone(self):
        self.check(93, [*WHOLE, "rollback", "deferred"], "--how", "segv", "--at-rollback", "defer-and-segv")

    def test_what_prepare_deferred_is_undone(self):
        self.check(92, ["check", "prepare", "deferred"], "--at", "prepare", "--how", "defer-and-segv")

    @unittest.skipIf(SANITIZED, "AddressSanitizer moves the stack and its guard page")
    def test_overflow_of_the_stack(self):
        result = self.check(92, [*WHOLE, "scope", "deferred", *ROLLED_BACK], "--how", "overflow", "--scoped",
                            "--deferred")
        self.assertRegex(result.err, r"\(SIGSEGV, Segmentation fault\) at address 0x[0-9a-f]+, its stack overflowed "
                                     r"during run\n    build-id [0-9a-f]{40}\n    #0 overflow \(misbehave\.c:\d+\) in misbehave\.so\n")

    def test_backtrace_names_function_file_and_line(self):
        result = self.check(92, [*WHOLE, *ROLLED_BACK], "--how", "segv")
        self.assertRegex(result.err, r"during run\n    build-id [0-9a-f]{40}\n    #0 store_nowhere \(misbehave\.c:\d+\) in misbehave\.so\n"
                                     r"    #1 do_it \(misbehave\.c:\d+\) in misbehave\.so\n"
                                     r"    #2 here \(misbehave\.c:\d+\) in misbehave\.so\n"
                                     r"    #3 run \(misbehave\.c:\d+\) in misbehave\.so\n")
        # It is in the files as well, as one record.
        crash = [line for line in self.log(NAME) if "#2 here (misbehave.c:" in line]
        self.assertEqual(len(crash), 1)
        self.assertTrue(crash[0].startswith("        #2 "), crash)

    def test_trap(self):
        result = self.cookbook("fixture.several.Traps")
        self.assertEqual(result.code, 92, result)
        self.assertRegex(result.err, r"was ended by signal (4 \(SIGILL|5 \(SIGTRAP), .*\) during prepare\n")


class Strays(RunTest):
    def test_a_process_that_left_the_session_is_ended_with_the_run(self):
        self.check(0, [*WHOLE, "stray left", "run ends"], "--how", "stray")

    def test_also_one_that_rollback_left(self):
        self.check(99, [*WHOLE, "rollback", "stray left", "rollback ends"], "--how", "raise", "--at-rollback", "stray")


    def test_not_those_that_the_command_had_before(self):
        # descendants_disown() in run_outermost(); so bash -c 'cookbook ... > >(tee FILE)' is run
        script = 'sleep 1000 >/dev/null 2>&1 & echo $! >child; exec cookbook "$@"'
        result = self.run_command("sh", "-c", script, "sh", "-c", self.config, NAME)
        self.assertEqual(result.code, 0, result)
        child = int((self.scratch / "child").read_text())
        os.kill(child, signal.SIGKILL)

    def test_one_of_root_is_told_and_not_waited_for(self):
        # tell_left() in link.c
        if os.getuid() != 0 or os.statvfs(self.scratch).f_flag & os.ST_NOSUID:
            self.skipTest("only root makes a program that anybody runs as root, where the file system lets him")
        program = self.scratch / "rooted"
        source = self.write("rooted.c", "#include <unistd.h>\n"
                            "int main(void) { return setgid(0) || setuid(0) || close(9) || sleep(1000); }\n")
        subprocess.run([CC, "-o", program, source], check=True)
        program.chmod(0o4755)
        self.scratch.chmod(0o755)
        for path in (self.scratch / "home", self.logs):
            path.mkdir(exist_ok=True)
            os.chown(path, 65534, 65534)
        self.marks_file.touch()
        os.chown(self.marks_file, 65534, 65534)
        self.env["FIXTURE_ROOTED"] = str(program)
        result = self.misbehave("--how", "rooted-and-segv", user=65534, group=65534, extra_groups=[])
        (pid, _), = self.processes()
        os.kill(pid, signal.SIGKILL)
        self.assertEqual(result.code, 92, result)
        self.assertIn("rollback", self.marks())
        self.assertIn(f"cookbook {NAME} has left processes behind that cannot be ended: rooted ({pid})\n", result.err)


class Inherited(RunTest):
    """Of what started the run, a cookbook finds nothing."""

    def start_waiting(self, **more):
        process = self.start_misbehave("--how", "wait", **more)
        self.wait_for_mark("run")
        return process

    def end(self, process):
        self.write("marks.go", "")
        self.assertEqual(self.finish(process).code, 0)
        self.assertNothingLeft()

    def test_descriptors(self):
        # addclosefrom_np() in spawn_runner(), close() and FD_CLOEXEC in runner.c
        # Behind those that are put into their places.
        inherited = fcntl.fcntl(1, fcntl.F_DUPFD, 20)
        self.addCleanup(os.close, inherited)
        process = self.start_waiting(pass_fds=[inherited])
        found = {}
        directory = pathlib.Path(f"/proc/{self.process_named('spicerack-work')}/fd")
        for entry in directory.iterdir():
            found[int(entry.name)] = os.readlink(entry).partition(":")[0]
        # The run file, by which others see that there still is a process of the run.
        self.assertEqual(os.path.dirname(found.pop(7)), f"{self.scratch}/home/.local/state/spicerack/locks/runs")
        self.assertEqual(found, {0: "/dev/null", 1: "pipe", 2: "pipe", 4: "socket", 5: "anon_inode"})
        self.end(process)

    def test_signals(self):
        # sigprocmask() and signal() in settle_in() of worker.c
        def disturb():
            signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1, signal.SIGALRM])
            signal.signal(signal.SIGALRM, signal.SIG_IGN)

        process = self.start_waiting(preexec_fn=disturb)
        status = pathlib.Path(f"/proc/{self.process_named('spicerack-work')}/status").read_text()
        blocked, ignored = (int(re.search(rf"^{name}:\s*(\S+)$", status, re.M)[1], 16) for name in ("SigBlk", "SigIgn"))
        self.assertEqual(blocked, 0)
        wanted = [signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP, signal.SIGTSTP, signal.SIGPIPE]
        for number in wanted:
            self.assertTrue(ignored >> (number - 1) & 1, number)
        self.assertFalse(ignored >> (signal.SIGALRM - 1) & 1)
        self.end(process)


class Disorder(RunTest):
    """What a callback may do to its process; each ends as any failure does."""

    def check_disorder(self, how, *more_words, code=99, marks=ROLLED_BACK, **more):
        result = self.check(code, [*WHOLE, "scope", "deferred", *marks], "--how", how, "--scoped", "--deferred",
                            *more_words, **more)
        self.assertLines(result, start(how), f"Rolling back cookbook {NAME}", end(how, code))
        # The log files are the supervisor's: complete, with modes of its own.
        self.assertEqual(self.records(NAME)[-1], ("INFO", end(how, code)))
        self.assertEqual((self.logs / "fixture/misbehave.log").stat().st_mode & 0o777, 0o640)
        return result

    def test_directory_umask_locale_zone_and_signal_mask(self):
        result = self.check_disorder("disorder")
        self.assertLines(result, f"Exception raised while executing cookbook {NAME}: in disorder")
        stamps = [line[:13] for line in self.log(NAME) if not line.startswith(" ")]
        self.assertLessEqual(len(set(stamps)), 2, "its time zone is its own")

    def test_a_child_that_prints_on_after_its_death(self):
        result = self.check(92, [*WHOLE, "printer left", "scope", "deferred", *ROLLED_BACK], "--how", "print-and-kill",
                            "--scoped", "--deferred")
        self.assertLines(result, f"Cookbook {NAME} was ended by signal 9 (SIGKILL, Killed) during run",
                         f"Rolling back cookbook {NAME}", end("print-and-kill", 92))
        self.assertEqual(set(result.out.splitlines()) - {"still here"}, set())
        # It is dead before the way back begins.
        shown = result.err.splitlines()
        self.assertNotIn("still here", shown[shown.index(f"Rolling back cookbook {NAME}"):])

    def test_many_records(self):
        result = self.check_disorder("log-and-raise", "--value", "20000")
        self.assertLines(result, f"Exception raised while executing cookbook {NAME}: after 20000 records")
        for messages in (result.err.splitlines(), [message for _, message in self.records(NAME)],
                         [message for _, message in self.records(NAME, True)]):
            self.assertEqual([message for message in messages if message.startswith("record ")],
                             [f"record {number}" for number in range(20000)])


if __name__ == "__main__":
    unittest.main()
