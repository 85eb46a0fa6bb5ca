# SPDX-License-Identifier: Apache-2.0
"""Arguments of a cookbook from the command line to its structure: values, defaults, usage errors, help."""

import json
import unittest

from harness import CommandTest

NAME = "fixture.arguments"
PROGRAM = f"cookbook [GLOBAL_ARGS] {NAME}"

DEFAULTS = {
    "place": "p", "maybe": "m", "rest": [], "text": "some text", "upper": None, "colour": None, "code": None,
    "either": None, "or_else": None, "many_names": None, "secret": None, "from": "here", "to": None, "mode": None,
    "detail": None, "number": 3, "ranged": 2, "longer": 0, "longest": 1 << 40, "real": 0.5, "on": False, "off": True,
    "date": "1970-01-01", "time": "2026-01-02T03:04:05Z", "duration": "1m30s", "list": ["a", "b"], "commas": [],
    "repeated": [], "ints": [], "doubles": [0.25], "endpoint.host": "nowhere", "endpoint.port": 1, "computed": 42,
    "optional": "without", "window.open": "5m", "window.shut": "0s", "task_id": "", "reason": "",
}

GIVEN = {
    "--text=": {"text": ""},
    "--text=a b=c": {"text": "a b=c"},
    "-x|-5": {"text": "-5"},
    "-xyz": {"text": "yz"},
    "--text|äöü": {"text": "äöü"},
    "--upper|abc-ß": {"upper": "ABC-ß"},
    "--colour|green": {"colour": "green"},
    "--code|ab12": {"code": "ab12"},
    "--first-name|one": {"many_names": "one"},
    "--second-name|two": {"many_names": "two"},
    "--secret|s": {"secret": "s"},
    "--to|there|--detail|d": {"to": "there", "detail": "d"},
    "--mode|half": {"mode": "half"},
    "--mode|full|--detail|d": {"mode": "full", "detail": "d"},
    "-n|-5": {"number": -5},
    "--number|10": {"number": 10},
    "-n|1|-n|2": {"number": 2},
    "--ranged|4": {"ranged": 4},
    "--longer|-9223372036854775808": {"longer": -(1 << 63)},
    "--longest|9223372036854775807": {"longest": (1 << 63) - 1},
    "--real|1e-3": {"real": 0.001},
    "-o": {"on": True},
    "--no-off": {"off": False},
    "--path|/a/b": {"path": "/a/b"},
    "--date|2024-02-29": {"date": "2024-02-29"},
    "--time|2026-01-02T03:04:05+02:00": {"time": "2026-01-02T01:04:05Z"},
    "--time|2026-01-02T03:04:05.25": {"time": "2026-01-02T03:04:05.250000Z"},
    "--duration|1h30m": {"duration": "1h30m"},
    "--duration|90": {"duration": "1m30s"},
    "--duration|1.5h": {"duration": "1h30m"},
    "--duration|7d": {"duration": "7d"},
    "--list|u|v w": {"list": ["u", "v w"]},
    "--commas|1,2,,3": {"commas": ["1", "2", "", "3"]},
    "-e|one|-e|two|--repeated=three": {"repeated": ["one", "two", "three"]},
    "--ints": {"ints": []},
    "--ints|1|-2|3": {"ints": [1, -2, 3]},
    "--doubles|1|2.5": {"doubles": [1, 2.5]},
    "--endpoint|host:80": {"endpoint.host": "host", "endpoint.port": 80},
    "--computed|7": {"computed": 7},
    "--optional": {"optional": "without"},
    "--optional|with": {"optional": "with"},
    "--open|1m|--shut|2m": {"window.open": "1m", "window.shut": "2m"},
    "-t|T123|-r|a good reason": {"task_id": "T123", "reason": "a good reason"},
    "--task-id=": {"task_id": ""},
    "--|r1|-r2": {"rest": ["r1", "-r2"]},
}

# The words behind `p m`, and the message.
REFUSED = {
    "--either|x": "argument --either: not allowed with argument maybe",
    "--number|11": "argument -n/--number: invalid value: 11 (must be at most 10)",
    "--number|-6": "argument -n/--number: invalid value: -6 (must be at least -5)",
    "--number|x": "argument -n/--number: invalid int value: 'x'",
    "--number|2147483648": "argument -n/--number: invalid int value: '2147483648'",
    "--longer|9223372036854775808": "argument --longer: invalid int value: '9223372036854775808'",
    "--ranged|5": "argument --ranged: invalid choice: 5 (choose from 1, 2, 3, 4)",
    "--code|abc": "argument --code: invalid value: 'abc' (must match [a-z]{2}[0-9]+)",
    "--code|xab12": "argument --code: invalid value: 'xab12' (must match [a-z]{2}[0-9]+)",
    "--colour|blue": "argument --colour: invalid choice: 'blue' (choose from 'red', 'green')",
    "--real|2": "argument --real: invalid value: 2.0 (must be at most 1.0)",
    "--real|nan": "argument --real: invalid float value: 'nan'",
    "--duration|0": "argument --duration: invalid value: '0' (must be at least 1s)",
    "--duration|x": "argument --duration: invalid duration value: 'x'",
    "--date|2026-02-29": "argument --date: invalid date value: '2026-02-29'",
    "--time|noon": "argument --time: invalid datetime value: 'noon'",
    "--doubles": "argument --doubles: expected at least one argument",
    "--text": "argument -x/--text: expected one argument",
    "--to|x": "argument --detail: required with argument --to",
    "--to|here|--detail|d": "argument --to: must differ from argument --from",
    "--on|--secret|x": "argument --secret: not allowed with argument -o/--on",
    "--mode|full": "argument --detail: required when argument --mode is 'full'",
    "--on=1": "argument -o/--on: ignored explicit argument '1'",
    "-t|X1": "argument -t/--task-id: invalid task ID: 'X1' (must be T followed by 1 to 6 digits)",
    "-t|T1234567": "argument -t/--task-id: invalid task ID: 'T1234567' (must be T followed by 1 to 6 digits)",
    '-r|a"b': "argument -r/--reason: invalid reason: 'a\"b' (must not hold a double quote)",
    "-r|": "argument -r/--reason: invalid reason: '' (must not be empty)",
    "--tex|y": "unrecognized arguments: --tex y",
    "--nope": "unrecognized arguments: --nope",
    "--endpoint|noport": "argument --endpoint: invalid value: 'noport': no port in it",
    "--text|refuse": "the text 'refuse' is refused",
}


class Values(CommandTest):
    def fields(self, *words):
        """What the cookbook got, by name."""
        result = self.cookbook(NAME, *words)
        self.assertEqual(result.code, 0, result)
        pairs = (line.split("=", 1) for line in result.out.splitlines())
        fields = {name: value if name == "given" else json.loads(value) for name, value in pairs}
        self.given = fields.pop("given")
        return fields

    def test_defaults(self):
        self.assertEqual(self.fields("p", "m"), {**DEFAULTS, "path": str(self.scratch / "home" / "file")})
        self.assertEqual(self.given, "[]")

    def test_given(self):
        wanted = {**DEFAULTS, "path": str(self.scratch / "home" / "file")}
        for words, fields in GIVEN.items():
            with self.subTest(words):
                self.assertEqual(self.fields("p", "m", *words.split("|")), {**wanted, **fields})

    def test_an_option_instead_of_the_positional_of_its_group(self):
        fields = self.fields("p", "--either", "x")
        self.assertEqual((fields["maybe"], fields["either"]), (None, "x"))

    def test_given_is_told_from_the_default(self):
        self.fields("p", "m", "--text", "some text", "-n", "3", "--open", "5m")
        self.assertEqual(self.given, "[text number window.open ]")
        self.fields("p", "m", "-o")
        self.assertEqual(self.given, "[on ]")


class Refused(CommandTest):
    def check(self, words, message):
        result = self.cookbook(NAME, *words)
        self.assertEqual(result.code, 2, result)
        self.assertEqual(result.out, "")
        self.assertTrue(result.err.startswith(f"usage: {PROGRAM} [-h] [-t TASK_ID] [-r REASON]\n"), result)
        self.assertEqual(result.err.splitlines()[-1], f"{PROGRAM}: error: {message}")

    def test_each(self):
        for words, message in REFUSED.items():
            with self.subTest(words):
                self.check(["p", "m", *words.split("|")], message)

    def test_missing_ones(self):
        self.check([], "the following arguments are required: place, rest")
        self.check(["p"], "one of the arguments maybe --either --or-else is required")

    def test_of_the_host(self):
        for words, message in ((["--dry"], "unrecognized arguments: --dry"), (["--lis"], "unrecognized arguments: --lis"),
                               (["-c"], "argument -c/--config-file: expected one argument")):
            with self.subTest(words):
                result = self.run_command("cookbook", *words)
                self.assertEqual(result.code, 2, result)
                self.assertEqual(result.err.splitlines()[-1], f"cookbook: error: {message}")

    def test_what_looks_like_a_number_is_a_name(self):
        for words in (["-5"], ["-5", "--list"], ["-.5"]):
            with self.subTest(words):
                result = self.cookbook(*words)
                self.assertEqual(result.code, 98, result)
                self.assertEqual(result.err, f"cookbook: Unable to find cookbook {words[0]} (see cookbook -l)\n")

    def test_an_option_of_the_host_behind_the_name_is_the_cookbooks(self):
        self.check(["p", "m", "--dry-run"], "unrecognized arguments: --dry-run")


class Failing(CommandTest):
    """What fails otherwise than by a usage error."""

    def check(self, code, name, *words, **more):
        result = self.cookbook(name, *words, **more)
        self.assertEqual(result.code, code, result)
        self.assertNotIn("START", result.err)
        return result

    def test_parser_that_raises_something_else(self):
        result = self.check(96, NAME, "p", "m", "--endpoint", "raise")
        self.assertTrue(result.err.startswith(f"Exception raised while parsing the arguments of cookbook {NAME}: "
                                              "the parser itself is broken [fixture.parser]\n"), result)

    def test_parser_that_crashes(self):
        self.assertIn("during arguments\n", self.check(92, NAME, "p", "m", "--endpoint", "crash").err)

    def test_default_that_cannot_be_computed(self):
        result = self.check(96, "fixture.broken_arguments.Computed")
        self.assertIn("cannot compute the default of argument --number [argument.default]\n"
                      "caused by: nothing to compute it from\n", result.err)
        self.assertEqual(self.cookbook("fixture.broken_arguments.Computed", "--number", "1").code, 0)

    def test_pattern_that_does_not_compile(self):
        result = self.check(95, "fixture.broken_arguments.Pattern", "--value", "x")
        self.assertIn("cannot read the pattern '(unclosed': missing closing parenthesis", result.err)

    def test_choices_that_are_not_configured(self):
        for words in ([], ["--help"], ["--value", "a"]):
            result = self.check(95, "fixture.broken_arguments.Chosen", *words)
            self.assertEqual(result.err, "cookbook: fixture.broken_arguments.Chosen: argument --value: no list "
                                         "'sites.core' in the configuration\n")

    def test_choices_of_the_configuration(self):
        config = self.write("sites.cfg", self.config.read_text() + 'sites = { core = ["codfw", "eqiad"]; };\n')
        result = self.cookbook("fixture.broken_arguments.Chosen", "--value", "eqiad", config=config)
        self.assertEqual((result.code, result.out), (0, "eqiad\n"))
        result = self.check(2, "fixture.broken_arguments.Chosen", "--value", "esams", config=config)
        self.assertIn("argument --value: invalid choice: 'esams' (choose from 'codfw', 'eqiad')\n", result.err)
        self.assertIn("--value {codfw,eqiad}", self.cookbook("fixture.broken_arguments.Chosen", "-h", config=config).out)


class Help(CommandTest):
    def test_of_a_cookbook(self):
        result = self.cookbook(NAME, "--help")
        self.assertEqual((result.code, result.err), (0, ""))
        for text in (f"usage: {PROGRAM} [-h] [-t TASK_ID] [-r REASON]\n",
                     "\n\nTake every kind of argument\n\nMore words\n  kept as they are.\n\npositional arguments:\n",
                     "\n  place                 a place, 100% of it\n", "\n  -x TEXT, --text TEXT  text (default: some text)\n",
                     "\n  --colour {red,green}  one of red, green (default: None)\n",
                     "\n  --computed COMPUTED   a number (default: computed)\n",
                     "\n  --open OPEN           of the block (default: 5m)\n",
                     "\n\ntuning:\n  What seldom matters.\n\n  -n NUMBER, --number NUMBER\n  --ranged {1,2,3,4}\n"):
            self.assertIn(text, result.out)
        self.assertNotIn("secret", result.out)
        self.assertTrue(result.out.endswith("\n\nCookbook owner team: Fixtures\n"), result)

    def test_wins_over_what_is_missing(self):
        self.assertEqual(self.cookbook(NAME, "-h").out, self.cookbook(NAME, "--help").out)

    def test_of_the_host(self):
        result = self.run_command("cookbook", "--help")
        self.assertEqual((result.code, result.err), (0, ""))
        self.assertTrue(result.out.startswith("usage: cookbook [-h] [-l] [-c FILE] [-d] [-v] [--no-locks]"), result)


class Subcommands(CommandTest):
    NAME = "fixture.subcommands"
    WHY = ["-t", "T1", "-r", "why"]

    def test_values(self):
        for words, out in ((["add", "n"], "add quick=0 name=n weight=10 given=0"),
                           (["-q", "add", "--weight", "5", "n"], "add quick=1 name=n weight=5 given=1"),
                           (["drop", "a", "b"], "drop quick=0 names=a+b force=0"),
                           (["drop", "--force", "a"], "drop quick=0 names=a force=1"), (["list"], "list quick=0")):
            with self.subTest(words):
                result = self.cookbook(self.NAME, *self.WHY, *words)
                self.assertEqual((result.code, result.out), (0, f"{out} task=T1 reason=why\n"), result)

    def test_usage_errors(self):
        program = f"cookbook [GLOBAL_ARGS] {self.NAME}"
        for words, error in (
                ([], f"{program}: error: the following arguments are required: -t/--task-id, -r/--reason, "
                     "{add,drop,list}"),
                (["-t", "", "-r", "why", "list"], f"{program}: error: argument -t/--task-id: invalid task ID: '' (must "
                                                  "be T followed by 1 to 6 digits)"),
                ([*self.WHY, "mix"], None),
                ([*self.WHY, "add"], f"{program} add: error: the following arguments are required: name"),
                ([*self.WHY, "add", "n", "--force"], f"{program}: error: unrecognized arguments: --force")):
            with self.subTest(words):
                result = self.cookbook(self.NAME, *words)
                self.assertEqual(result.code, 2, result)
                if error:
                    self.assertEqual(result.err.splitlines()[-1], error)
                else:
                    self.assertIn("invalid choice: 'mix' (choose from 'add', 'drop', 'list')\n", result.err)

    def test_help_of_one(self):
        result = self.cookbook(self.NAME, *self.WHY, "drop", "--help")
        self.assertEqual(result.code, 0)
        self.assertTrue(result.out.startswith(f"usage: cookbook [GLOBAL_ARGS] {self.NAME} drop [-h] [--force]\n"), result)


if __name__ == "__main__":
    unittest.main()
