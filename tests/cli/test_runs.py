# SPDX-License-Identifier: Apache-2.0
"""`spicerack runs`: what was run, how it ended, what is owed; also from journals that are not as we left them."""

import json
import os
import shutil
import subprocess
import time
import unittest

from harness import FIXTURES, USER, CommandTest

NAME = "fixture.misbehave"


class RunsTest(CommandTest):
    def command(self, *words, code=0, **more):
        result = self.run_command("spicerack", "runs", words[0], "-c", self.config, *words[1:], **more)
        self.assertEqual(result.code, code, result)
        return result

    def listed(self, *words, code=0):
        return json.loads(self.command("list", "--json", *words, code=code).out)

    def ids(self, *words, code=0):
        return [run["run"] for run in self.listed(*words, code=code)]

    def ran(self, *words, options=(), name=NAME):
        """Runs something and returns its id."""
        before = set(self.runs.glob("*.jsonl"))
        more = ["--marks", self.marks_file] if name == NAME else []
        self.cookbook(*options, name, *more, *words)
        new, = set(self.runs.glob("*.jsonl")) - before
        return new.stem

    def cut_off(self):
        """Leaves a run that owes a rollback and returns its id."""
        self.marks_file.unlink(missing_ok=True)
        process = self.start_misbehave("--how", "deaf")
        self.wait_for_mark("run")
        process.kill()
        process.communicate(timeout=60)
        self.assertNothingLeft(20)
        return max(path.stem for path in self.runs.glob("*.jsonl"))

    def path(self, run):
        return self.runs / f"{run}.jsonl"


class List(RunsTest):
    def test_nothing_yet(self):
        self.assertEqual(self.listed(), [])
        self.assertEqual(self.command("list").err, f"there are no such runs in {self.runs}\n")
        self.assertFalse(self.runs.exists())

    def test_filters(self):
        passed = self.ran()
        failed = self.ran("--how", "raise")
        other = self.ran(name="fixture.several.Beta")
        dry = self.ran(options=["-d"])
        self.assertEqual(self.ids(), [dry, other, failed, passed])
        self.assertEqual(self.ids("--cookbook", NAME), [dry, failed, passed])
        self.assertEqual(self.ids("--cookbook", "fixture.several*"), [other])
        self.assertEqual(self.ids("--result", "fail"), [failed])
        self.assertEqual(self.ids("--result", "pass", "--cookbook", NAME), [dry, passed])
        self.assertEqual(self.ids("--user", USER), [dry, other, failed, passed])
        self.assertEqual(self.ids("--user", "nobody-else"), [])
        self.assertEqual(self.ids("--since", "1h"), [dry, other, failed, passed])
        self.assertEqual(self.ids("--until", "1h"), [])
        self.assertEqual(self.ids("--since", "2000-01-01", "--until", "2000-01-02T03:04"), [])
        self.assertEqual(self.ids("--limit", "2"), [dry, other])
        self.assertEqual(self.ids("--owed"), [])
        result = self.command("list", "--limit", "3")
        self.assertEqual([line.split()[0] for line in result.out.splitlines()], ["RUN", dry, other, failed])
        self.assertEqual(result.err, "there are more: see --limit\n")
        self.assertEqual(self.command("list", "--limit", "4").err, "")

    def test_the_table(self):
        run = self.ran("--how", "return", "--value", "5")
        head, line = self.command("list").out.splitlines()
        self.assertEqual(head.split(), ["RUN", "COOKBOOK", "USER", "RESULT", "CODE", "TIME", "ROLLBACK"])
        self.assertRegex(line, rf"^{run}  {NAME}  {USER} +FAIL    5     \S+ +done$")

    def test_one_that_runs(self):
        process = self.start_misbehave("--how", "wait")
        self.wait_for_mark("run")
        run, = self.listed("--result", "running")
        self.assertEqual((run["state"], run["result"], run["exit_code"], run["rollback"], run["owed"], run["started"]),
                         ("running", None, None, None, False, True))
        self.assertEqual(self.command("settle", "last", "--reason", "x", code=1).err,
                         f"spicerack runs settle: error: {run['run']}: it is still running\n")
        self.write("marks.go", "")
        self.assertEqual(self.finish(process).code, 0)
        self.assertEqual(self.ids("--result", "running"), [])

    def test_runs_within(self):
        self.cookbook("fixture.nest", "--marks", self.marks_file, "--", "--marks", self.marks_file)
        outer, = self.ids()
        inner, = set(self.ids("--nested")) - {outer}
        self.assertIn(f"{NAME} (inner)", self.command("list", "--nested").out)
        shown = json.loads(self.command("show", "--json", "last").out)
        self.assertEqual((shown["run"], shown["inner"]), (outer, [inner]))
        self.assertEqual(json.loads(self.command("show", "--json", inner).out)["outer"], outer)

    def test_bad_words(self):
        for words in (["--since", "yesterday"], ["--limit", "-1"], ["--limit", "x"], ["--result", "good"]):
            self.assertEqual(self.command("list", *words, code=2).out, "")
        self.command("show", code=2)
        self.assertIn("usage: spicerack runs [-h] {list,show,log,settle", self.run_command("spicerack", "runs", "-h").out)


class One(RunsTest):
    def test_show(self):
        run = self.ran("--how", "raise")
        text = self.command("show", run).out
        rows = dict(line.split(None, 1) for line in text.splitlines() if not line.startswith(" "))
        self.assertEqual((rows["run"], rows["cookbook"], rows["rollback"]), (run, NAME, "done"))
        self.assertEqual(rows["description"], "by raise")
        self.assertTrue(rows["result"].startswith("FAIL, exit code 99"))
        self.assertIn("             raise\n", text)
        shown = json.loads(self.command("show", "--json", run).out)
        self.assertEqual(shown["arguments"], ["--marks", str(self.marks_file), "--how", "raise"])
        begin = self.events(self.path(run))[0]
        for key in ("cookbook", "user", "host", "pid", "uid", "login_uid", "file", "build_id", "spicerack", "log"):
            self.assertEqual(shown[key], begin[key])

    def test_which_is_meant(self):
        first, second = self.ran(), self.ran()
        for word, run in ((first, first), (first[-4:], first), ("last", second), (second[:-1], second)):
            self.assertEqual(json.loads(self.command("show", "--json", word).out)["run"], run)
        self.assertEqual(self.command("show", "2", code=1).err,
                         "spicerack runs show: error: '2' may be any of 2 runs: give more of the id\n")
        for word in ("nothing", "../x", "", "\033[31m"):
            self.assertIn("there is no run '", self.command("show", word, code=1).err)

    def test_log(self):
        run = self.ran("--how", "levels")
        stamp = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"
        lines = self.command("log", run).out.splitlines()
        for line in lines:
            self.assertRegex(line, rf"^{stamp} \[(INFO|WARNING|ERROR)\] ")
        self.assertEqual([line.split(" ", 1)[1] for line in lines],
                         [f"[{level}] {message}" for level, message in self.records(NAME)])
        self.assertIn("[DEBUG] a debug message", self.command("log", "-v", run).out)
        self.assertEqual(self.command("log", "--json", run).out, self.path(run).read_text())

    def test_a_message_cannot_move_the_cursor(self):
        run = self.ran("--how", "bytes")
        out = self.command("log", run).out
        self.assertNotIn("\033", out)
        self.assertIn("\n    2026-01-01 00:00:00,000 root 1 [INFO] forged", out)

    def test_follow(self):
        process = self.start_misbehave("--how", "wait")
        self.wait_for_mark("run")
        follower = subprocess.Popen(["spicerack", "runs", "log", "-f", "-c", str(self.config), "last"], env=self.env,
                                    stdout=subprocess.PIPE, text=True)
        self.addCleanup(follower.stdout.close)
        self.addCleanup(follower.wait)
        self.addCleanup(follower.kill)
        for _ in range(2):
            self.assertRegex(follower.stdout.readline(), "Run |START")
        self.write("marks.go", "")
        self.assertEqual(self.finish(process).code, 0)
        self.assertIn("END (PASS)", follower.communicate(timeout=30)[0])
        self.assertEqual(follower.returncode, 0)


class Owed(RunsTest):
    def test_settled(self):
        run = self.cut_off()
        self.assertEqual(self.ids("--owed"), [run])
        self.assertIn(f"spicerack runs settle {run} --reason", self.command("show", run).err)
        self.command("settle", run, code=2)
        self.command("settle", run, "--reason", "", code=2)
        self.command("settle", run, "--reason", "x" * 513, code=2)
        self.assertEqual(self.ids("--owed"), [run])
        result = self.command("settle", run, "--reason", 'put back "by hand"\n')
        self.assertEqual((result.out, result.err), ("", ""))
        self.assertEqual(self.ids("--owed"), [])
        shown = json.loads(self.command("show", "--json", run).out)
        self.assertEqual((shown["settled_by"], shown["settled_reason"], shown["rollback"], shown["owed"]),
                         (USER, 'put back "by hand"\n', "owed", False))
        event = self.events(self.path(run))[-1]
        self.assertEqual((event["event"], event["by"], event["uid"]), ("settled", USER, os.getuid()))
        self.assertIn("has settled it already", self.command("settle", run, "--reason", "x", code=1).err)
        self.assertIn(f"by {USER}, ", self.command("show", run).out)

    def test_a_failed_rollback_is_owed_too(self):
        run = self.ran("--how", "raise", "--at-rollback", "raise")
        self.assertEqual(self.ids("--owed"), [run])

    def test_nothing_to_settle(self):
        run = self.ran()
        self.assertEqual(self.command("settle", run, "--reason", "x", code=1).err,
                         f"spicerack runs settle: error: {run}: it owes no rollback\n")

    def test_behind_a_torn_line(self):
        run = self.cut_off()
        with self.path(run).open("a") as file:
            file.write('{"schema": 1, "ti')
        self.command("settle", run, "--reason", "x")
        self.assertEqual(self.ids("--owed"), [])
        self.assertIn("broken lines 1", self.command("show", run).out)


class Pruned(RunsTest):
    def configure(self, more):
        self.config = self.write("spicerack.cfg", self.configuration([FIXTURES], f"journal = {{ {more} }};"))

    def age(self, run, days):
        stamp = time.time() - days * 86400
        os.utime(self.path(run), (stamp, stamp))

    def test_by_age(self):
        self.configure("keep_days = 10;")
        old, owed, new = self.ran(), self.cut_off(), self.ran()
        for run, days in ((old, 11), (owed, 11), (new, 9)):
            self.age(run, days)
        self.assertEqual(self.command("prune").err, f"removed 2 journals from {self.runs}\n")
        self.assertEqual(self.ids(), [new])

    def test_one_that_runs_stays(self):
        self.configure("keep_days = 10;")
        process = self.start_misbehave("--how", "wait")
        self.wait_for_mark("run")
        run, = self.ids()
        self.age(run, 11)
        self.command("prune")
        self.assertEqual(self.ids(), [run])
        self.write("marks.go", "")
        self.assertEqual(self.finish(process).code, 0)

    def test_by_size(self):
        """The oldest go first; what is owed stays."""
        self.configure("keep_megabytes = 1;")
        owed, old, new = self.cut_off(), self.ran(), self.ran()
        for run in (owed, old, new):
            with self.path(run).open("a") as file:
                file.write("\n" * 400 * 1024)
        self.assertEqual(self.command("prune").err, f"removed 1 journals from {self.runs}\n")
        self.assertEqual(self.ids(), [new, owed])

    def test_for_ever(self):
        self.configure("keep_days = 0; keep_megabytes = 0;")
        run = self.ran()
        self.age(run, 10000)
        self.command("prune")
        self.assertEqual(self.ids(), [run])

    def test_now_and_then(self):
        """Runs do it themselves, but not each of them, and no dry one."""
        self.configure("keep_days = 10;")
        first = self.ran()
        self.age(first, 11)
        second = self.ran()
        self.assertEqual(self.ids(), [second, first])
        stamp = time.time() - 86400
        os.utime(self.runs / ".pruned", (stamp, stamp))
        dry = self.ran(options=["-d"])
        self.assertEqual(self.ids(), [dry, second, first])
        self.misbehave()
        self.assertNotIn(first, self.ids())
        self.assertIn("removed 1 old journals from", "\n".join(self.log(NAME, True)))


class Broken(RunsTest):
    """Files that are not as we left them: said, and the others are listed."""

    def setUp(self):
        super().setUp()
        self.good = self.ran()
        self.bad = "20200101-000000-abcdef"

    def check_broken(self, reason):
        result = self.command("list", code=1)
        self.assertEqual(result.err, f"spicerack runs list: error: {self.path(self.bad)}: {reason}\n")
        self.assertIn(self.good, result.out)
        self.assertNotIn(self.bad, result.out)
        self.assertEqual(self.ids(code=1), [self.good])

    def test_of_something_else(self):
        self.path(self.bad).write_text("hello\n")
        self.check_broken("not the journal of a run")

    def test_of_another_run(self):
        shutil.copy(self.path(self.good), self.path(self.bad))
        self.check_broken("not the journal of a run")

    def test_a_link(self):
        self.path(self.bad).symlink_to(self.path(self.good))
        self.check_broken("a symbolic link, not a journal")

    def test_a_pipe_and_a_directory(self):
        os.mkfifo(self.path(self.bad))
        self.check_broken("not a regular file")
        self.path(self.bad).unlink()
        self.path(self.bad).mkdir()
        self.check_broken("not a regular file")

    def test_an_empty_one_is_none(self):
        self.path(self.bad).touch()
        self.assertEqual(self.ids(), [self.good])

    def test_other_names_are_not_ours(self):
        for name in ("x.jsonl", "20200101-000000-abcdef.jsonl.gz", "20200101-000000-ABCDEF.jsonl", "notes"):
            (self.runs / name).write_text("x")
        self.assertEqual(self.ids(), [self.good])

    @unittest.skipIf(os.geteuid() != 0, "needs root to become another user")
    def test_of_another_user(self):
        self.path(self.bad).write_text("")
        self.path(self.bad).chmod(0o600)
        for path in (self.scratch, self.scratch / "home", *list(self.runs.relative_to(self.scratch).parents)):
            (self.scratch / path).chmod(0o755)
        self.runs.chmod(0o755)
        self.path(self.good).chmod(0o644)
        result = self.command("list", code=1, user=65534, group=65534, extra_groups=[])
        self.assertEqual(result.err, f"spicerack runs list: error: {self.path(self.bad)}: cannot open: "
                                     "Permission denied\n")
        self.assertIn(self.good, result.out)

    def test_wherever_it_is_cut(self):
        """As by a power cut: readable, and the truth as far as it goes."""
        whole = self.path(self.ran("--how", "raise")).read_bytes()
        run = max(self.ids())
        starts = whole.index(b'"event": "start"')
        begins = whole.index(b"\n")
        for length in {*range(0, len(whole), 97), len(whole) - 1, begins, begins + 1}:
            self.path(run).write_bytes(whole[:length])
            result = self.run_command("spicerack", "runs", "list", "-c", self.config, "--json")
            found = [each for each in json.loads(result.out) if each["run"] == run]
            if length < begins:
                self.assertEqual(found, [], length)
            elif length < len(whole) - 1:
                self.assertEqual(found[0]["state"], "cut-off", length)
                line = whole.index(b"\n", starts)
                self.assertEqual(found[0]["owed"], length >= line, length)
            self.assertIn(self.good, result.out)

    def test_hostile_texts(self):
        lines = self.path(self.good).read_text().replace(f'"user": "{USER}"', '"user": "\\u001b[31m\\u202e"')
        self.path(self.good).write_text(lines)
        for words in (["list"], ["show", "last"]):
            out = self.command(*words).out
            self.assertNotIn("\033", out)
            self.assertIn(r"\x1b[31m\xe2\x80\xae", out)

    def test_hostile_json(self):
        bodies = [b"[]", b"{", b'{"a"', b'{"a":}', b'{"a":[1,[2]]}', b'{"a":"\\u0000"}', b'{"a":"\\ud800"}', b"{}{}",
                  b"\0" * 100, b"{" * 100000, b'"' * 5000, b'{"event": "begin"}']
        for body in bodies:
            self.path(self.bad).write_bytes(body + b"\n")
            self.check_broken("not the journal of a run")


if __name__ == "__main__":
    unittest.main()
