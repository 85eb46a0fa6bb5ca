# SPDX-License-Identifier: Apache-2.0
"""The journal: what it tells of each run, whatever became of it."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import unittest

from harness import FIXTURES, LOGIN_UID, LONG, USER, CommandTest

NAME = "fixture.misbehave"
ID = r"\d{8}-\d{6}-[0-9a-hjkmnp-tv-z]{6}"


class JournalTest(CommandTest):
    def only_journal(self):
        journals = self.journals()
        self.assertEqual(len(journals), 1, journals)
        return journals[0]

    def named(self, events, *names):
        """The events of those names, which are there once each."""
        found = [[event for event in events if event["event"] == name] for name in names]
        self.assertEqual([len(each) for each in found], [1] * len(names), events)
        return [each[0] for each in found]

    def messages(self, events):
        return [event["message"] for event in events if event["event"] == "log"]


class Contents(JournalTest):
    def test_a_run(self):
        process = self.start_misbehave("--how", "levels")
        result = self.finish(process)
        self.assertEqual(result.code, 0, result)
        events = self.only_journal()
        begin, arguments, start, end = self.named(events, "begin", "arguments", "start", "end")
        self.assertEqual(events[0], begin)
        self.assertEqual(events[-1], end)
        self.assertEqual(
            {key: begin[key] for key in ("cookbook", "user", "uid", "host", "pid", "dry_run", "outer", "team", "log")},
            {"cookbook": NAME, "user": USER, "uid": os.getuid(), "host": socket.gethostname(), "pid": process.pid,
             "dry_run": False, "outer": None, "team": "Fixtures", "log": str(self.logs / "fixture/misbehave.log")})
        self.assertEqual(begin["login_uid"], LOGIN_UID if LOGIN_UID < 2**32 - 1 else -1)
        self.assertTrue(begin["file"].endswith("/fixture/misbehave.so"))
        self.assertRegex(begin["build_id"], "^[0-9a-f]{16,}$")
        self.assertEqual(begin["spicerack"], self.run_command("spicerack", "--version").out.split()[1])
        self.assertEqual(arguments["arguments"], ["--marks", str(self.marks_file), "--how", "levels"])
        self.assertEqual(start["description"], "by levels")
        self.assertEqual((end["result"], end["exit_code"], end["started"], end["rollback"]), ("PASS", 0, True, "none"))
        self.assertGreaterEqual(end["total"], end["duration"])
        for event in events:
            self.assertRegex(event["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")

    def test_the_id_is_told_before_the_start(self):
        result = self.misbehave()
        line = f"Run {self.only_journal()[0]['run']} of cookbook {NAME}"
        self.assertRegex(line, rf"^Run {ID} of cookbook {NAME}$")
        self.assertEqual(result.err.splitlines()[:2], [line, f"START - Cookbook {NAME} by nothing"])
        for extended in (False, True):
            records = self.records(NAME, extended)
            self.assertLess(records.index(("INFO", line)),
                            records.index(("INFO", f"START - Cookbook {NAME} by nothing")))

    def test_the_records_are_those_of_the_extended_log(self):
        self.misbehave("--how", "levels")
        logs = [event for event in self.only_journal() if event["event"] == "log"]
        self.assertEqual([(event["level"], event["message"]) for event in logs], self.records(NAME, True))
        self.assertEqual({event["source"] for event in logs}, {"host", "cookbook"})

    def test_of_several_lines_and_odd_bytes(self):
        self.misbehave("--how", "bytes")
        self.misbehave("--how", "print")
        first, second = self.journals()
        self.assertTrue([text for text in self.messages(first) if "\n2026-01-01 00:00:00,000 root 1" in text])
        raw = (self.runs / f"{first[0]['run']}.jsonl").read_bytes()
        self.assertNotIn(b"\x1b", raw)
        self.assertEqual([event["message"] for event in second if event.get("source") == "stderr"],
                         ["words on stderr", "and more"])

    def test_how_it_ended(self):
        for words, code, result, rollback in ((["--how", "return", "--value", "5"], 5, "FAIL", "done"),
                                              (["--how", "raise"], 99, "FAIL", "done"),
                                              (["--how", "segv"], 92, "FAIL", "done"),
                                              (["--how", "raise", "--at-rollback", "raise"], 93, "FAIL", "failed"),
                                              (["--how", "raise", "--at-rollback", "segv"], 93, "FAIL", "owed")):
            self.misbehave(*words)
            events = self.journals()[-1]
            end, = self.named(events, "end")
            self.assertEqual((end["exit_code"], end["result"], end["rollback"], end["started"]),
                             (code, result, rollback, True), words)
            self.named(events, "rollback")

    def test_before_the_start(self):
        for words, code, told in ((["--at", "prepare", "--how", "raise"], 94, True),
                                  (["--at", "prepare", "--how", "done-silently"], 0, False),
                                  (["--at", "prepare", "--how", "segv"], 92, True)):
            result = self.misbehave(*words)
            events = self.journals()[-1]
            end, = self.named(events, "end")
            self.assertEqual((end["exit_code"], end["started"], end["rollback"]), (code, False, "none"), words)
            self.assertFalse([event for event in events if event["event"] == "start"])
            self.assertEqual(f"Run {events[0]['run']} of cookbook" in result.err, told, result)

    def test_a_dry_run_is_marked(self):
        self.misbehave(options=["-d"])
        self.assertTrue(self.only_journal()[0]["dry_run"])

    def test_what_is_no_run(self):
        self.assertEqual(self.misbehave("--help").code, 0)
        self.assertEqual(self.misbehave("--unknown").code, 2)
        self.assertEqual(self.misbehave("--at", "check", "--how", "raise").code, 2)
        self.assertEqual(self.journals(), [])

    def test_runs_within(self):
        self.cookbook("fixture.nest", "--marks", self.marks_file, "--", "--marks", self.marks_file)
        outer, inner = sorted(self.journals(), key=lambda events: events[0]["outer"] is not None)
        self.assertEqual(inner[0]["outer"], outer[0]["run"])
        note, = self.named(outer, "inner")
        self.assertEqual((note["inner"], note["cookbook"]), (inner[0]["run"], NAME))
        self.assertIn(f"START - Cookbook {NAME} by nothing", self.messages(inner))
        self.assertNotIn(f"START - Cookbook {NAME} by nothing", self.messages(outer))

    def test_modes(self):
        self.misbehave()
        path, = self.runs.glob("*.jsonl")
        self.assertEqual((self.runs.stat().st_mode & 0o777, path.stat().st_mode & 0o777), (0o700, 0o640))


class Killed(JournalTest):
    """SIGKILL to each process at each stage: the journal is readable and true."""

    # The mark at which it waits, the words, whether something was changed by then.
    STAGES = [("check", ["--at", "check", "--how", "deaf"], False),
              ("prepare", ["--at", "prepare", "--how", "deaf"], False),
              ("describe", ["--at", "describe", "--how", "deaf"], False),
              ("lock", ["--at", "lock", "--how", "deaf"], False),
              ("run", ["--how", "deaf"], True),
              ("rollback", ["--how", "raise", "--at-rollback", "deaf"], True)]

    def kill_at(self, mark, words, *names, options=()):
        """Kills those processes at once and returns what is told of the run."""
        shutil.rmtree(self.runs, ignore_errors=True)
        self.marks_file.unlink(missing_ok=True)
        process = self.start_misbehave(*words, options=options)
        self.wait_for_mark(mark)
        numbers = [self.process_named(name) for name in names]
        for number in numbers[1:]:
            os.kill(number, signal.SIGSTOP)
        for number in numbers:
            os.kill(number, signal.SIGKILL)
        process.communicate(timeout=60)
        self.assertNothingLeft(20)
        listed = json.loads(self.run_command("spicerack", "runs", "list", "--json").out)
        self.assertEqual(len(listed), 1, listed)
        owed = json.loads(self.run_command("spicerack", "runs", "list", "--json", "--owed").out)
        self.assertEqual(owed, listed if listed[0]["owed"] else [])
        return listed[0], self.only_journal()

    def test_supervisor(self):
        for mark, words, changed in self.STAGES:
            with self.subTest(mark):
                run, events = self.kill_at(mark, words, "cookbook")
                stage = "arguments" if mark == "check" else mark
                self.assertEqual((run["state"], run["stage"], run["rollback"], run["owed"], run["started"]),
                                 ("cut-off", stage, "owed" if changed else "none", changed, changed))
                cut, = self.named(events, "cut-off")
                self.assertEqual(events[-1], cut)

    def test_supervisor_and_runner(self):
        for mark, words, changed in self.STAGES:
            with self.subTest(mark):
                run, events = self.kill_at(mark, words, "cookbook", "spicerack-run")
                self.assertEqual((run["state"], run["stage"], run["rollback"], run["owed"]),
                                 ("cut-off", None, "owed" if changed else "none", changed))
                self.assertNotIn("cut-off", [event["event"] for event in events])

    def test_runner(self):
        for mark, words, changed in self.STAGES:
            with self.subTest(mark):
                run, _ = self.kill_at(mark, words, "spicerack-run")
                self.assertEqual((run["state"], run["exit_code"], run["rollback"], run["owed"], run["started"]),
                                 ("ended", 93 if changed else 92, "owed" if changed else "none", changed, changed))

    def test_worker(self):
        for mark, words, changed in self.STAGES:
            with self.subTest(mark):
                run, _ = self.kill_at(mark, words, "spicerack-work")
                rollback = "none" if not changed else "done" if mark == "run" else "owed"
                self.assertEqual((run["state"], run["exit_code"], run["rollback"], run["owed"], run["started"]),
                                 ("ended", 93 if rollback == "owed" else 92, rollback, rollback == "owed", changed))

    def test_a_dry_run_owes_nothing(self):
        run, _ = self.kill_at("run", ["--how", "deaf"], "cookbook", "spicerack-run", options=["-d"])
        self.assertEqual((run["state"], run["rollback"], run["owed"]), ("cut-off", "none", False))

    def test_both_of_a_run_within_another(self):
        process = self.start("fixture.nest", "--marks", self.marks_file, "--", "--marks", self.marks_file,
                             "--how", "deaf")
        self.wait_for_mark("run")
        process.kill()
        process.communicate(timeout=60)
        self.assertNothingLeft(20)
        owed = json.loads(self.run_command("spicerack", "runs", "list", "--json", "--owed").out)
        self.assertEqual(sorted(run["cookbook"] for run in owed), [NAME, "fixture.nest"])
        self.assertEqual([run["outer"] for run in owed if run["outer"]],
                         [run["run"] for run in owed if not run["outer"]])


class Questions(JournalTest):
    def test_answers_are_told(self):
        answers = self.write("answers.cfg", 'answers = ({ cookbook = "fixture.ask"; prompt = "is-ready-now"; '
                                            'answer = "go"; });')
        result = self.cookbook("--answers", answers, "fixture.ask", "--marks", self.marks_file)
        self.assertEqual(result.code, 0, result)
        question, answer = self.named(self.only_journal(), "question", "answer")
        self.assertEqual((question["name"], question["kind"], question["choices"]),
                         ("is-ready-now", "confirm", ["go", "abort"]))
        self.assertEqual((answer["name"], answer["outcome"], answer["answer"]), ("is-ready-now", "answered", "go"))
        self.assertIn("answers.cfg", answer["by"])

    def test_nobody_there(self):
        self.cookbook("fixture.ask", "--marks", self.marks_file)
        answer, = self.named(self.only_journal(), "answer")
        self.assertEqual((answer["outcome"], answer["answer"], answer["by"]), ("no-terminal", None, None))


class Locks(JournalTest):
    def test_the_lock_of_the_run(self):
        self.misbehave()
        lock, = self.named(self.only_journal(), "lock")
        self.assertEqual((lock["key"], lock["own"]), (f"/spicerack/locks/cookbooks/{NAME}:suffix", True))
        self.assertGreater(lock["fence"], 0)

    def test_a_wait_is_measured(self):
        lock = f"/spicerack/locks/cookbooks/{NAME}:suffix"
        self.assertEqual(self.run_command("spicerack", "locks", "hold", "--for", "2s", "--reason", "test", lock).code, 0)
        self.assertEqual(self.misbehave().code, 0)
        lock, end = self.named(self.only_journal(), "lock", "end")
        self.assertGreater(lock["waited"], 0.5)
        self.assertEqual(end["lock_wait"], lock["waited"])


class FullDisk(JournalTest):
    def setUp(self):
        super().setUp()
        self.runs.mkdir(parents=True, mode=0o700)
        mounted = self.run_command("mount", "-t", "tmpfs", "-o", "size=128k,mode=0700", "spicerack-test", self.runs)
        if mounted.code != 0:
            self.skipTest(f"cannot mount a small disk: {mounted.err}")
        self.addCleanup(self.run_command, "umount", "-l", self.runs)

    def fill(self):
        with contextlib.suppress(OSError), (self.runs / "filler").open("wb", buffering=0) as filler:
            while True:
                filler.write(b"x" * 4096)

    def test_before_the_run(self):
        self.fill()
        result = self.misbehave()
        self.assertEqual(result.code, 1, result)
        self.assertRegex(result.err, r"^cannot keep a journal: \S+\.jsonl: cannot take room: No space left on device\n$")
        self.assertEqual(self.marks(), [])
        self.assertEqual(self.journals(), [])

    def test_during_the_run(self):
        """It goes on, says so once, and its end is told all the same."""
        process = self.start_misbehave("--how", "wait")
        self.wait_for_mark("run")
        self.fill()
        for count in range(1, 100):
            process.send_signal(signal.SIGTSTP)
            self.wait_for(lambda: "\n".join(self.log(NAME)).count("Ctrl+Z") == count, f"record {count}")
        self.write("marks.go", "")
        result = self.finish(process)
        self.assertEqual(result.code, 0, result)
        path, = self.runs.glob("*.jsonl")
        self.assertEqual(re.findall("^the journal of this run is not complete: .*$", result.err, re.M),
                         [f"the journal of this run is not complete: {path}: cannot write: No space left on device, "
                          "ignoring"])
        events = self.events(path, whole=False)
        end, = self.named(events, "end")
        self.assertEqual((end["result"], end["exit_code"]), ("PASS", 0))
        # How many events are missing can be told.
        self.assertGreater(end["sequence"], len(events))


class Many(JournalTest):
    def test_at_once(self):
        """Each has an id and a journal of its own, and all are told of."""
        count = 200 if LONG else 60
        self.config = self.write("spicerack.cfg", self.configuration([FIXTURES], "locks = { enabled = false; };"))
        processes = [self.start_misbehave(stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range(count)]
        for process in processes:
            self.assertEqual(process.wait(300), 0)
        journals = self.journals()
        self.assertEqual(len(journals), count)
        self.assertEqual(len({events[0]["pid"] for events in journals}), count)
        for events in journals:
            self.assertEqual(self.named(events, "end")[0]["exit_code"], 0)
        listed = json.loads(self.run_command("spicerack", "runs", "list", "--json").out)
        self.assertEqual([run["run"] for run in listed], [events[0]["run"] for events in reversed(journals)])


class Refused(JournalTest):
    """Where no journal can be kept nothing is run."""

    def check_refused(self, reason, **more):
        result = self.misbehave(**more)
        self.assertEqual(result.code, 1, result)
        self.assertEqual(result.err, f"cannot keep a journal: {reason}\n")
        self.assertEqual(self.marks(), [])

    def test_a_file_in_its_place(self):
        self.runs.parent.mkdir(parents=True)
        self.runs.write_text("")
        self.check_refused(f"'{self.runs}': not a directory")

    def test_a_directory_of_everybody(self):
        self.runs.mkdir(parents=True)
        self.runs.chmod(0o777)
        self.check_refused(f"'{self.runs}': not trusted, others may write to it")

    @unittest.skipIf(os.geteuid() != 0, "needs root to become another user")
    def test_not_writable(self):
        self.scratch.chmod(0o755)
        self.logs.mkdir()
        self.logs.chmod(0o777)
        self.runs.mkdir(parents=True)
        (self.scratch / "home").chmod(0o755)
        for path in (self.runs, *list(self.runs.parents)[:4]):
            path.chmod(0o755)
            os.chown(path, 65534, 65534)
        self.runs.chmod(0o500)
        path = self.runs / "ID.jsonl"
        result = self.misbehave(user=65534, group=65534, extra_groups=[])
        self.assertEqual(result.code, 1, result)
        self.assertRegex(result.err, rf"^cannot keep a journal: {re.escape(str(path)).replace('ID', ID)}: "
                                     r"cannot make: Permission denied\n$")
        self.assertEqual(self.marks(), [])


if __name__ == "__main__":
    unittest.main()
