# SPDX-License-Identifier: Apache-2.0
"""What others than people are told of a run: --json on standard output, numbers for Prometheus."""

import json
import os
import re
import signal
import stat
import subprocess
import unittest

from harness import CommandTest

NAME = "fixture.misbehave"


class Json(CommandTest):
    def run_json(self, *words, name=NAME, code=0, options=()):
        marks = ["--marks", self.marks_file] if name == NAME else []
        result = self.cookbook("--json", *options, name, *marks, *words)
        self.assertEqual(result.code, code, result)
        return [json.loads(line) for line in result.out.splitlines()], result

    def test_the_same_as_the_journal(self):
        events, result = self.run_json("--how", "raise", code=99)
        self.assertEqual(events, self.journals()[0])
        self.assertIn(f"START - Cookbook {NAME} by raise\n", result.err)

    def test_what_the_cookbook_prints_is_among_them(self):
        events, _ = self.run_json("--how", "print")
        kept = [event for event in events if event["event"] != "output"]
        self.assertEqual(kept, self.journals()[0])
        shown = [event for event in events if event["event"] == "output"]
        self.assertEqual([event["text"] for event in shown], ["data on stdout"])
        self.assertNotIn("sequence", shown[0])
        self.assertEqual(shown[0]["run"], events[0]["run"])
        place = [event["event"] for event in events].index("output")
        self.assertLess([event["event"] for event in events].index("start"), place)
        self.assertLess(place, len(events) - 1)

    def test_runs_within(self):
        events, _ = self.run_json("--marks", self.marks_file, "--", "--marks", self.marks_file, "--how", "print",
                                  name="fixture.nest")
        outer, inner = sorted(self.journals(), key=lambda found: found[0]["outer"] is not None)
        for journal in (outer, inner):
            mine = [event for event in events if event["run"] == journal[0]["run"] and event["event"] != "output"]
            self.assertEqual(mine, journal)
        self.assertEqual([event["run"] for event in events if event["event"] == "output"], [inner[0]["run"]])

    def test_usage_is_for_people(self):
        result = self.cookbook("--json", NAME, "--unknown")
        self.assertEqual((result.code, result.out), (2, ""))
        for words in (["--json", "-l"], ["--json", "fixture"]):
            result = self.cookbook(*words)
            self.assertEqual((result.code, result.out), (2, ""))
            self.assertIn("--json", result.err)

    def test_a_reader_that_has_gone(self):
        reading, writing = os.pipe()
        process = self.start("--json", NAME, "--marks", self.marks_file, "--how", "print", stdout=writing)
        os.close(writing)
        os.close(reading)
        self.assertEqual(process.wait(60), 0)
        self.assertEqual(self.journals()[0][-1]["exit_code"], 0)

    def test_a_reader_that_is_slow(self):
        """The run does not wait for it, its end does; nothing is lost."""
        process = self.start("--json", NAME, "--marks", self.marks_file, "--how", "wait", stderr=subprocess.DEVNULL)
        self.wait_for_mark("run")
        count = 0
        while self.journal_size() < 256 * 1024:
            count += 1
            process.send_signal(signal.SIGTSTP)
            self.wait_for(lambda: "\n".join(self.log(NAME)).count("Ctrl+Z") == count, f"record {count}")
            if count > 3000:
                break
        self.write("marks.go", "")
        self.wait_for_log("END (PASS)")
        out, _ = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 0)
        self.assertEqual([json.loads(line) for line in out.splitlines()], self.journals()[0])

    def journal_size(self):
        return sum(path.stat().st_size for path in self.runs.iterdir())

    def test_a_full_disk(self):
        with open("/dev/full", "wb") as full:
            process = self.start("--json", NAME, "--marks", self.marks_file, stdout=full)
        self.assertEqual(process.wait(60), 0)


class Metrics(CommandTest):
    def setUp(self):
        super().setUp()
        self.file = self.scratch / "metrics" / "spicerack.prom"
        self.file.parent.mkdir()
        self.env["SPICERACK_METRICS_FILE"] = str(self.file)

    def metrics(self):
        found = {}
        for line in self.file.read_text().splitlines():
            if not line.startswith("#"):
                name, value = line.rsplit(" ", 1)
                self.assertNotIn(name, found)
                found[name] = float(value)
        return found

    def test_runs(self):
        self.cookbook(NAME)
        self.cookbook(NAME, "--how", "sleep", "--value", "1")
        self.cookbook(NAME, "--how", "raise", "--at-rollback", "raise")
        self.cookbook("fixture.several.Beta")
        self.cookbook("-d", NAME)
        found = self.metrics()
        one = f'cookbook="{NAME}"'
        self.assertEqual(found[f'spicerack_runs_total{{{one},result="pass"}}'], 2)
        self.assertEqual(found[f'spicerack_runs_total{{{one},result="fail"}}'], 1)
        self.assertEqual(found['spicerack_runs_total{cookbook="fixture.several.Beta",result="pass"}'], 1)
        self.assertEqual(found[f"spicerack_run_duration_seconds_count{{{one}}}"], 3)
        self.assertGreater(found[f"spicerack_run_duration_seconds_sum{{{one}}}"], 1)
        self.assertEqual(found[f"spicerack_lock_wait_seconds_count{{{one}}}"], 3)
        self.assertEqual(found[f"spicerack_rollbacks_owed_total{{{one}}}"], 1)
        self.assertGreater(found[f'spicerack_last_end_timestamp_seconds{{{one},result="pass"}}'], 1.7e9)
        self.assertEqual(stat.S_IMODE(self.file.stat().st_mode), 0o644)
        self.assertEqual(os.listdir(self.file.parent), ["spicerack.prom"])
        # Each family once, with its type, its samples together.
        text = self.file.read_text()
        families = re.findall(r"^# TYPE (\S+) (counter|summary|gauge)$", text, re.M)
        self.assertEqual(len(families), len(set(families)))
        self.assertEqual(len(families), len(re.findall("^# HELP ", text, re.M)))

    def test_many_at_once(self):
        processes = [self.start(NAME, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for _ in range(20)]
        for process in processes:
            self.assertEqual(process.wait(120), 0)
        self.assertEqual(self.metrics()[f'spicerack_runs_total{{cookbook="{NAME}",result="pass"}}'], 20)

    def test_what_is_none_of_ours_is_dropped(self):
        self.file.write_text('# odd\nother{a="b"} 1\nspicerack_runs_total{cookbook="x",result="pass"} nan\n'
                             'spicerack_runs_total{cookbook="y",result="pass"} 7\nspicerack_runs_total 3\n\033[31m{} 1\n')
        self.assertEqual(self.cookbook(NAME).code, 0)
        found = self.metrics()
        self.assertEqual(found['spicerack_runs_total{cookbook="y",result="pass"}'], 7)
        self.assertEqual([name for name in found if "other" in name or '"x"' in name or "\033" in name], [])

    def test_no_place_for_them(self):
        """The run is what counts."""
        for prepare, reason in ((lambda: self.file.mkdir(), "not a regular file"),
                                (lambda: (self.file.rmdir(), self.file.parent.rmdir()), "No such file or directory")):
            prepare()
            result = self.cookbook(NAME)
            self.assertEqual(result.code, 0, result)
            self.assertRegex(result.err, rf"cannot add the run to the metrics: \S+: .*{reason}, ignoring\n")


if __name__ == "__main__":
    unittest.main()
