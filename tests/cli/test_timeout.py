# SPDX-License-Identifier: Apache-2.0
"""How long a run may take: --timeout, the cookbook's own limit, and what is left of it for inner runs."""

import time
import unittest

from harness import CommandTest, without_id

SECOND, HOUR, ENDLESS = (f"fixture.timed.{name}" for name in ("Second", "Hour", "Endless"))


def start(name):
    return f"START - Cookbook {name}"


def over(name):
    """What a run that took too long shows."""
    return [f"The time that cookbook {name} may take is over: interrupting it", "Interrupted"]


def back(name, code):
    return [f"Rolling back cookbook {name}", "rollback ends", end(name, code)]


def end(name, code):
    return f"END ({'ERROR' if code == 97 else 'PASS' if code == 0 else 'FAIL'}) - Cookbook {name} (exit_code={code})"


class TimeoutTest(CommandTest):
    def check(self, code, shown, *words):
        """Runs it; returns how long that took."""
        begin = time.monotonic()
        result = self.cookbook(*words)
        self.assertEqual(result.code, code, result)
        runs = sum(line.startswith("START") for line in shown)
        self.assertEqual(without_id(result.err, runs).splitlines(), shown)
        self.assertNothingLeft()
        return time.monotonic() - begin


class Limits(TimeoutTest):
    def test_option(self):
        for timeout in ("1", "1s", "1000ms", "0m1s"):
            with self.subTest(timeout):
                took = self.check(97, [start(ENDLESS), *over(ENDLESS), *back(ENDLESS, 97)],
                                  "--timeout", timeout, ENDLESS, "--run", "1h")
                self.assertGreaterEqual(took, 1)

    def test_last_option_counts(self):
        self.check(97, [start(ENDLESS), *over(ENDLESS), *back(ENDLESS, 97)],
                   "--timeout=1h", "--timeout=50ms", ENDLESS, "--run", "1h")

    def test_in_time(self):
        self.check(0, [start(ENDLESS), "run ends", end(ENDLESS, 0)], "--timeout", "1h", ENDLESS, "--run", "10ms")

    def test_descriptor(self):
        took = self.check(97, [start(SECOND), *over(SECOND), *back(SECOND, 97)], SECOND, "--run", "1h")
        self.assertGreaterEqual(took, 1)

    def test_option_wins_over_the_descriptor(self):
        self.check(97, [start(HOUR), *over(HOUR), *back(HOUR, 97)], "--timeout", "50ms", HOUR, "--run", "2h")
        self.check(0, [start(SECOND), "run ends", end(SECOND, 0)], "--timeout", "1h", SECOND, "--run", "1200ms")

    def test_prepare_has_none(self):
        self.check(0, [start(ENDLESS), "run ends", end(ENDLESS, 0)], "--timeout", "100ms", ENDLESS, "--prepare", "300ms")

    def test_rollback_has_none(self):
        for name, options, shown, words, code in (
                (ENDLESS, ["--timeout", "100ms"], ["run ends"], ["--fail"], 3),
                (ENDLESS, ["--timeout", "100ms"], over(ENDLESS), ["--run", "1h"], 97)):
            with self.subTest(words):
                took = self.check(code, [start(name), *shown, *back(name, code)], *options, name, *words,
                                  "--rollback", "500ms")
                self.assertGreaterEqual(took, 0.5)

    def test_a_deaf_cookbook_is_killed_ten_seconds_later(self):
        begin = time.monotonic()
        result = self.misbehave("--how", "deaf", "--scoped", options=["--timeout", "100ms"])
        self.assertEqual(result.code, 97, result)
        self.assertGreaterEqual(time.monotonic() - begin, 10)
        self.assertEqual(without_id(result.err).splitlines()[1:4], [
            "The time that cookbook fixture.misbehave may take is over: interrupting it",
            "the cookbook did not react: killing it", "Rolling back cookbook fixture.misbehave"])
        self.assertEqual(self.marks(), ["check", "prepare", "describe", "lock", "run", "scope", "rollback", "rollback ends"])
        self.assertNothingLeft()

    def test_bad_values(self):
        for value in ("", "x", "-1", "1x", "1.5.", "nan", "1e3", " 5", "99999999999999999h"):
            with self.subTest(value):
                result = self.cookbook(f"--timeout={value}", ENDLESS)
                self.assertEqual(result.code, 2, result)
                self.assertTrue(result.err.endswith(
                    f"cookbook: error: argument --timeout: invalid duration value: '{value}'\n"), result)
        for value in ("0", "0s", "0h0m"):
            with self.subTest(value):
                result = self.cookbook(f"--timeout={value}", ENDLESS)
                self.assertEqual(result.code, 2, result)
                self.assertIn(f"cookbook: error: argument --timeout: must be more than 0\n", result.err)
        self.assertEqual(self.cookbook("--timeout").code, 2)
        self.assertNoTraces()


class Inner(TimeoutTest):
    """An inner run has its own limit, and at most what is left of the outer one's."""

    @staticmethod
    def nested(outer, inner, *words):
        return [outer, "--inner", inner, "--", *words]

    def test_outer_limits_the_inner(self):
        for options, outer, inner in ((["--timeout", "1s"], ENDLESS, ENDLESS), ([], SECOND, ENDLESS),
                                      ([], SECOND, HOUR)):
            with self.subTest((options, outer, inner)):
                self.check(97, [start(outer), start(inner), *over(inner), *back(inner, 97), *over(outer), *back(outer, 97)],
                           *options, *self.nested(outer, inner, "--run", "1h"))

    def test_three_levels(self):
        self.check(97, [start(SECOND), start(HOUR), start(ENDLESS), *over(ENDLESS), *back(ENDLESS, 97), *over(HOUR),
                        *back(HOUR, 97), *over(SECOND), *back(SECOND, 97)],
                   *self.nested(SECOND, HOUR, "--inner", ENDLESS, "--", "--run", "1h"))

    def test_the_inner_ones_own_limit_does_not_end_the_outer(self):
        for options, outer in (([], ENDLESS), ([], HOUR)):
            with self.subTest(outer):
                self.check(0, [start(outer), start(SECOND), *over(SECOND), *back(SECOND, 97), "the inner run came to 97",
                               "run ends", end(outer, 0)], *options, *self.nested(outer, SECOND, "--run", "1h"))

    def test_of_three_levels_only_those_end_whose_time_is_over(self):
        self.check(0, [start(ENDLESS), start(SECOND), start(HOUR), *over(HOUR), *back(HOUR, 97), *over(SECOND),
                       *back(SECOND, 97), "the inner run came to 97", "run ends", end(ENDLESS, 0)],
                   *self.nested(ENDLESS, SECOND, "--inner", HOUR, "--", "--run", "1h"))

    def test_an_inner_run_does_not_stop_the_outer_ones_clock(self):
        self.check(97, [start(SECOND), start(ENDLESS), "run ends", end(ENDLESS, 0), "the inner run came to 0",
                        *over(SECOND), *back(SECOND, 97)],
                   SECOND, "--run", "1h", "--inner", ENDLESS, "--", "--run", "500ms")


if __name__ == "__main__":
    unittest.main()
