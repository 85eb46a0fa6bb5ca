# SPDX-License-Identifier: Apache-2.0
"""The journal: what it tells of each run, whatever became of it."""

import os
import re
import socket
import unittest

from harness import LOGIN_UID, USER, CommandTest

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
        path, = self.runs.iterdir()
        self.assertEqual((self.runs.stat().st_mode & 0o777, path.stat().st_mode & 0o777), (0o700, 0o640))


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
