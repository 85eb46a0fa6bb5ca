#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Compares argparse() of the host with the argparse of Python 3.11, byte for byte.

Random tables and random command lines go to both: usage, help, errors and the
values stored must be the same. Differences we chose, and how Python is brought
to them here:

* What a terminal would act upon is escaped in error messages (Parser.error).
* A default is never judged on the command line: argparse passes one that is a
  string through the type, and refuses a `*` positional without words when it has
  choices (Parser._check_value, class Text).
* An argument counts as given when it stood on the command line, even with the
  very object that is its default, and an option `?` without its value
  (defaults and constants are objects of their own).
* A second `--` and `--name=--` are values; argparse drops them (not generated).
* The values of a repeated option replace its default (compared without it).
* A range of choices of more than 10,000 numbers is refused (not generated).
* Of a comma list the element that is wrong is named.
* Only %(name)s and %% are expanded in helps (other conversions not generated).
* Where argparse fails an assertion of its own over a usage that is too long (a hidden
  member of an exclusive group can leave two blanks in it), ours is wrapped at its
  blanks (cases skipped).
* Numbers are ASCII digits within the C type, floats are finite, dates and times
  keep to the extended form of ISO 8601 (the type functions here).

Usage: argparse_differential.py PROGRAM [CASES [SEED]]
"""

import argparse
import datetime
import difflib
import os
import random
import re
import subprocess
import sys

STRING, FLAG, INT, LONG, LLONG, DOUBLE, PATH, DATE, TIME, DURATION, STRINGS, INTS, DOUBLES = range(1, 14)
LISTS = (STRINGS, INTS, DOUBLES)
ONE, OPTIONAL, ANY, SOME = range(4)
COMMA, UPPER, LOWER, TASK, REASON = range(1, 6)
OUTCOMES = ("ok", "help", "usage", "broken")
NS = 1000000000


# How a value of each type is read, as the C side promises.

class Text(str):
    """A default that is no literal: identical to nothing else."""


class Number(int):
    """The same for a number."""


class Real(float):
    """The same for a float."""


class Shown:
    """A value that prints as a text and compares by what it means."""

    def __init__(self, text, value):
        self.text, self.value = text, value

    def __str__(self):
        return self.text

    def __repr__(self):
        return repr(self.text)

    def __eq__(self, other):
        return isinstance(other, Shown) and self.value == other.value

    __hash__ = None


class Computed(list):
    """A default of a repeated option that the help cannot show."""

    def __str__(self):
        return "computed"


def named(name):
    def wrap(function):
        function.__name__ = name
        return function
    return wrap


def whole(bits):
    @named("int")
    def read(text):
        if not text.isascii():
            raise ValueError
        value = int(text)
        if not -(1 << bits - 1) <= value < 1 << bits - 1:
            raise ValueError
        return value
    return read


@named("float")
def real(text):
    value = float(text)
    if not text.isascii() or value in (float("inf"), float("-inf")) or value != value:
        raise ValueError
    return value


@named("Path")
def path(text):
    return Shown(text, os.path.expanduser(text))


@named("date")
def date(text):
    if not re.fullmatch(r"\d{4}-\d\d-\d\d", text, re.ASCII):
        raise ValueError
    return Shown(text, (datetime.date.fromisoformat(text) - datetime.date(1970, 1, 1)).days)


@named("datetime")
def time(text):
    if not re.fullmatch(r"\d{4}-\d\d-\d\d([Tt ]\d\d(:\d\d(:\d\d([.,]\d+)?)?)?(Z|[+-]\d\d(:?\d\d(:?\d\d)?)?)?)?",
                        text, re.ASCII):
        raise ValueError
    value = datetime.datetime.fromisoformat(text)
    if value.tzinfo is None:
        value = value.replace(tzinfo=datetime.timezone.utc)
    past = value - datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
    ns = (past.days * 86400 + past.seconds) * NS + past.microseconds * 1000
    if not -(1 << 63) <= ns < 1 << 63:
        raise ValueError
    return Shown(text, ns)


UNITS = {"w": 604800 * NS, "d": 86400 * NS, "h": 3600 * NS, "m": 60 * NS, "s": NS, "ms": 1000000,
         "us": 1000, "ns": 1}


@named("duration")
def duration(text):
    if re.fullmatch(r"\d+(\.\d+)?", text, re.ASCII):
        parts = [(text, "s")]
    elif re.fullmatch(r"(\d+(\.\d+)?[a-z]+)+", text, re.ASCII):
        parts = [(n, unit) for n, _, unit in re.findall(r"(\d+(\.\d+)?)([a-z]+)", text)]
    else:
        raise ValueError
    order = [list(UNITS).index(unit) if unit in UNITS else -1 for _, unit in parts]
    if -1 in order or order != sorted(set(order)):
        raise ValueError
    total = 0
    for number, unit in parts:
        integer, _, fraction = number.partition(".")
        total += int(integer) * UNITS[unit] + int(fraction or "0") * UNITS[unit] // 10 ** len(fraction)
    if total >= 1 << 63:
        raise ValueError
    return Shown(text, total)


@named("upper")
def upper(text):
    return text if isinstance(text, Text) else re.sub("[a-z]", lambda m: m[0].upper(), text)


@named("lower")
def lower(text):
    return text if isinstance(text, Text) else re.sub("[A-Z]", lambda m: m[0].lower(), text)


def task_id(required):
    @named("task ID")
    def read(text):
        if isinstance(text, Text):
            return text
        if not re.fullmatch("T[0-9]{1,6}", text) and (required or text):
            raise argparse.ArgumentTypeError(
                f"invalid task ID: {text!r} (must be T followed by 1 to 6 digits)")
        return text
    return read


@named("reason")
def reason(text):
    if isinstance(text, Text):
        return text
    if not text or '"' in text:
        why = "must not hold a double quote" if text else "must not be empty"
        raise argparse.ArgumentTypeError(f"invalid reason: {text!r} ({why})")
    return text


def bounded(read, low, high, show):
    @named(read.__name__)
    def check(text):
        value = read(text)
        number = value.value / NS if isinstance(value, Shown) else value
        for bound, breaks, word in ((low, low is not None and number < low, "least"),
                                    (high, high is not None and number > high, "most")):
            if breaks:
                raise argparse.ArgumentTypeError(f"invalid value: {value!r} (must be at {word} {show(bound)})")
        return value
    return check


def patterned(pattern):
    @named("None")
    def check(text):
        if not isinstance(text, Text) and not re.fullmatch(pattern, text):
            raise argparse.ArgumentTypeError(f"invalid value: {text!r} (must match {pattern})")
        return text
    return check


READERS = {STRING: None, INT: whole(32), LONG: whole(64), LLONG: whole(64), DOUBLE: real, PATH: path,
           DATE: date, TIME: time, DURATION: duration, STRINGS: None, INTS: whole(64), DOUBLES: real}


# A table as Python's parser.

class Stop(Exception):
    """Parsing ended: outcome and text."""


def escape(text):
    def one(char):
        if char.isprintable():
            return char
        return re.sub(r"\\udc([89a-f][0-9a-f])", r"\\x\1", repr(char)[1:-1])
    return re.sub(r"\\udc([89a-f][0-9a-f])", r"\\x\1", "".join(map(one, text)))


class Formatter(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    pass


class Parser(argparse.ArgumentParser):
    def error(self, message):
        raise Stop("usage", self.format_usage() + f"{self.prog}: error: {escape(message)}\n")

    def print_help(self, file=None):
        raise Stop("help", self.format_help())

    def _check_value(self, action, value):
        if action.nargs == "*" and (value is action.default or value == []) or isinstance(value, Text):
            return
        for element in value if getattr(action.type, "commas", False) else [value]:
            super()._check_value(action, element)


def commas(read):
    def one(part):
        try:
            return read(part) if read else part
        except ValueError:
            raise argparse.ArgumentTypeError(f"invalid {read.__name__} value: {part!r}") from None

    @named(read.__name__ if read else "None")
    def split(text):
        return [one(part) for part in text.split(",")]
    split.commas = True
    return split


def reader(arg):
    read = READERS[arg["type"]]
    show = (lambda bound: duration_text(int(bound * NS))) if arg["type"] == DURATION else repr
    if arg.get("as") == UPPER:
        read = upper
    elif arg.get("as") == LOWER:
        read = lower
    elif arg.get("as") == TASK:
        read = task_id(arg.get("required") or arg["form"] == 1 and arg["arity"] == ONE)
    elif arg.get("as") == REASON:
        read = reason
    if arg.get("pattern"):
        read = patterned(arg["pattern"])
    if arg.get("min") is not None or arg.get("max") is not None:
        read = bounded(read, arg.get("min"), arg.get("max"), show)
    return commas(read) if arg.get("as") == COMMA else read


def duration_text(ns):
    text = ""
    for unit in "dhm":
        count, ns = divmod(ns, UNITS[unit])
        text += f"{count}{unit}" if count else ""
    if ns % NS:
        return text + f"{ns // NS}.{ns % NS:09d}".rstrip("0") + "s"
    return text + f"{ns // NS}s" if ns or not text else text


def default_of(arg):
    kind = arg["type"]
    if arg.get("computed"):
        return Computed() if arg.get("repeat") else Shown("computed", None)
    if not arg.get("has_default"):
        return None
    if kind == STRING:
        return Text(arg["default_text"])
    if kind in (INT, LONG, LLONG):
        return Number(arg["default_int"])
    if kind == DOUBLE:
        return Real(arg["default_double"])
    if kind == DURATION:
        return Shown(duration_text(arg["default_ns"]), arg["default_ns"])
    if kind in (PATH, DATE, TIME):
        return READERS[kind](arg["default_text"])
    read = READERS[kind] or str
    return [read(text) for text in arg["default_list"]]


def add(container, arg):
    keys = {"help": argparse.SUPPRESS if arg.get("hidden") else arg.get("help")}
    names = [arg["name"]]
    if arg["form"] == 2:
        keys["dest"] = arg["name"]
        names = ["-" + chr(arg["letter"])] if arg.get("letter") else []
        names += arg.get("names") or ["--" + arg["name"].replace("_", "-")]
    if arg.get("required"):
        keys["required"] = True
    if arg["type"] == FLAG:
        return container.add_argument(*names, action="store_false" if arg.get("off") else "store_true", **keys)
    arity = arg["arity"]
    if arity == ONE and arg["type"] in LISTS and not arg.get("repeat") and arg.get("as") != COMMA:
        arity = SOME
    if arity != ONE:
        keys["nargs"] = "?*+"[arity - 1]
    if arity == OPTIONAL and arg["form"] == 2:
        keys["const"] = Shown("const", None)
    if arg.get("repeat"):
        keys["action"] = "append" if arity in (ONE, OPTIONAL) else "extend"
    if arg.get("metavar") is not None:
        keys["metavar"] = arg["metavar"]
    keys["type"] = reader(arg)
    if arg.get("first") is not None:
        keys["choices"] = range(arg["first"], arg["last"] + 1)
    elif arg.get("choices") or arg.get("choices_from"):
        read = READERS[arg["type"]] or str
        keys["choices"] = [read(text) for text in arg.get("choices") or ("codfw", "eqiad")]
    default = default_of(arg)
    if default is not None:
        keys["default"] = default
    return container.add_argument(*names, **keys)


def fill(parser, args, groups):
    containers = {}
    for index, group in enumerate(groups):
        if not any(arg.get("group") == index for arg in args):
            continue
        container = parser
        if group.get("title") is not None or not group.get("exclusive"):
            container = parser.add_argument_group(group.get("title"), group.get("description"))
        if group.get("exclusive"):
            container = container.add_mutually_exclusive_group(required=bool(group.get("required")))
        containers[index] = container
    for arg in args:
        add(containers.get(arg.get("group"), parser), arg)


TASK_HELP = "the task that this run belongs to, such as T12345"
REASON_HELP = "why this is done, for the logs; without double quotes"


def build(table, columns):
    keys = {"allow_abbrev": False, "formatter_class": lambda prog: Formatter(prog, width=columns),
            "epilog": f"Cookbook owner team: {table['owner']}"}
    parts = [part for part in (table.get("title"), table.get("description")) if part is not None]
    parser = Parser(prog=table["program"], description="\n\n".join(parts) if parts else None, **keys)
    for letter, name, state, read, text in (
            ("-t", "--task-id", table["task"], task_id(table["task"] == 2), TASK_HELP),
            ("-r", "--reason", table["reason"], reason, REASON_HELP)):
        if state == 2:
            parser.add_argument(letter, name, required=True, type=read, help=text, dest="__" + name)
        elif state == 1:
            parser.add_argument(letter, name, default=Text(""), type=read, help=text, dest="__" + name)
    for action in parser._actions:
        if action.dest.startswith("__"):
            action.metavar = None
            action.real_dest, action.dest = action.dest, action.dest[4:].replace("-", "_")
    fill(parser, table["args"], table["groups"])
    if table["subs"]:
        subparsers = parser.add_subparsers(required=True)
        for sub in table["subs"]:
            extra = {"help": sub["help"]} if sub.get("help") is not None else {}
            child = subparsers.add_parser(sub["name"], description=sub.get("help"), **keys, **extra)
            fill(child, sub["args"], table["groups"])
            child.set_defaults(__sub=sub["name"])
    return parser


def python_side(table, columns, words):
    try:
        parser = build(table, columns)
    except (ValueError, TypeError, argparse.ArgumentError):
        return "broken", None, None
    except AssertionError:  # the usage of the whole, which it begins those of subcommands with
        return "skip", None, None
    try:
        return "ok", "", vars(parser.parse_args(words))
    except Stop as stop:
        return stop.args[0], stop.args[1], None
    except (ValueError, TypeError, KeyError):
        return "broken", None, None
    except (AssertionError, IndexError):
        return "skip", None, None


# The same table for the C side.

def hexed(text):
    return "x" + os.fsencode(text).hex()


def line_of(word, items):
    out = [word]
    for key, value in items.items():
        if value is None or key in ("args", "groups", "subs"):
            continue
        if isinstance(value, str):
            value = hexed(value)
        elif isinstance(value, (list, tuple)):
            value = ",".join(map(hexed, value))
        elif isinstance(value, bool):
            value = int(value)
        out.append(f"{key}={value!r}" if isinstance(value, float) else f"{key}={value}")
    return " ".join(out) + "\n"


def table_lines(table):
    yield line_of("table", table)
    for group in table["groups"]:
        yield line_of("group", group)
    for arg in table["args"]:
        yield line_of("arg", arg)
    for sub in table["subs"]:
        yield line_of("sub", sub)
        for arg in sub["args"]:
            yield line_of("subarg", arg)


class Program:
    def __init__(self, path):
        self.process = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def load(self, table):
        self.process.stdin.writelines(table_lines(table))

    def run(self, columns, words):
        self.process.stdin.write(line_of("run", {"columns": columns, "words": words}))
        self.process.stdin.flush()
        lines = []
        while True:
            line = self.process.stdout.readline()
            if not line:
                raise SystemExit("the program died")
            if line == "end\n":
                break
            lines.append(line.rstrip("\n"))
        _, outcome, text = lines[0].split(" ")
        chosen = dict(pair.split("=", 1) for pair in lines[1].split(" ")[1:])
        values = [dict(pair.split("=", 1) for pair in line.split(" ")[1:]) for line in lines[2:]]
        return OUTCOMES[int(outcome)], unhex(text), chosen, values


def unhex(text):
    return os.fsdecode(bytes.fromhex(text[1:]))


def flat(value):
    return [item for part in value for item in (flat(part) if isinstance(part, list) else [part])]


def stored(arg, value, given):
    """What the C side should have stored for a value of Python's."""
    kind = arg["type"]
    if kind == FLAG:
        return str(int(value))
    if isinstance(value, Computed) and not given:
        return None
    if isinstance(value, Shown) and value.value is None:
        value = default_of(arg)
        if arg.get("computed"):
            return None
    if kind in LISTS:
        default = default_of(arg) or []
        value = [] if value is None else value
        if isinstance(value, Shown):
            return None
        value = flat(value if isinstance(value, list) else [value])
        if arg.get("repeat") and given:
            value = value[len(default):]
        if any(isinstance(item, Shown) for item in value):
            return None
        return ",".join(hexed(item) if kind == STRINGS else repr(item) for item in value)
    if kind in (STRING, PATH):
        value = value.value if isinstance(value, Shown) else value
        if value is not None and arg.get("as") in (UPPER, LOWER):
            value = (upper if arg["as"] == UPPER else lower)(str(value) + "")
        return "none" if value is None else hexed(value)
    if value is None:
        return {DOUBLE: "0.0"}.get(kind, "0")
    return repr(float(value)) if kind == DOUBLE else str(int(value.value if isinstance(value, Shown) else value))


def compare(table, columns, words, program, counts):
    """None, or how the two sides differ."""
    want, want_text, namespace = python_side(table, columns, words)
    counts[want] = counts.get(want, 0) + 1
    got, got_text, chosen, values = program.run(columns, words)
    if want == "skip":
        return None
    if got != want:
        return f"outcome {got}, not {want}\n--- python\n{want_text}\n--- ours\n{got_text}"
    if want in ("help", "usage") and got_text != want_text:
        return "\n".join(difflib.unified_diff(want_text.split("\n"), got_text.split("\n"), "python", "ours", lineterm=""))
    if want != "ok":
        return None
    sub = namespace.get("__sub", "")
    if unhex(chosen["sub"]) != sub:
        return f"subcommand {chosen['sub']}, not {sub}"
    rows = table["args"] + [arg for item in table["subs"] if item["name"] == sub for arg in item["args"]]
    for arg, value in zip(rows, values):
        expected = stored(arg, namespace[arg["name"]], value["given"] == "1")
        if expected is not None and value["stored"] != expected:
            return f"{arg['name']}: {value}, not {expected}"
    return None


# Random tables and command lines.

WORDS = ("the service to act on|a datacenter|how long to wait, in seconds - at most|name-of-the-host or alias|"
         "well-known -- or not|see https://wikitech.example.org/wiki/Some_long-page_name#anchor for more|"
         "don't ask|a  b\tc|x|e-mail's (optional)|co-op-er-ate|--force implies this|1-2-3|été à la carte").split("|")
NAMES = "service site query hosts wipe_cache n grace dc_from a_rather_long_argument_name x1 batch_size".split()
LETTERS = "fvxnqa1"
CHOICES = (["codfw", "eqiad"], ["a"], ["pool", "depool", "show this"], ["it's", "é"],
           ["one-very-long-choice", "another-very-long-choice", "third-very-long-choice"])
TITLES = (None, "tuning", "what to act on")


def sentence(rng, most=6):
    return " ".join(rng.choice(WORDS) for _ in range(rng.randint(1, most)))


def help_text(rng):
    pick = rng.random()
    if pick < 0.08:
        return None
    if pick < 0.1:
        return rng.choice(("", " "))
    text = sentence(rng)
    if pick < 0.3:
        text += rng.choice((" (%(default)s)", " one of %(choices)s", " 100%%", " of %(prog)s", " %(type)s",
                            " %(metavar)s", " %(dest)s"))
    if pick > 0.985:
        text += rng.choice((" 100%", " 5% of", " %(nope)s"))
    return text


def random_default(rng, kind):
    if kind == STRING:
        return {"default_text": rng.choice(("", "a", "codfw", "some text", "é", "%"))}
    if kind in (INT, LONG, LLONG):
        return {"default_int": rng.choice((0, 1, 5, -3, 300, 1 << 30))}
    if kind == DOUBLE:
        return {"default_double": rng.choice((0.0, 0.1, 2.5, 1e-7, 1e22, 3.0, -1.5, 123456.789))}
    if kind == DURATION:
        return {"default_ns": rng.choice((0, 90, 120, 7200, 604800, 1)) * NS + rng.choice((0, 0, 500000000))}
    if kind == PATH:
        return {"default_text": rng.choice(("/srv", "~", "~/x", "~root/y", "~nobody-here/z"))}
    if kind == DATE:
        return {"default_text": "2026-11-22"}
    if kind == TIME:
        return {"default_text": "2026-11-22T15:39:13Z"}
    return {"default_list": {STRINGS: ["a", "it's", "b c"], INTS: ["1", "-2"], DOUBLES: ["1", "2.5"]}[kind]}


def random_arg(rng, name, groups):
    arg = {"name": name, "form": rng.choice((1, 2, 2)), "help": help_text(rng), "arity": ONE}
    positional = arg["form"] == 1
    kind = arg["type"] = rng.choice((STRING, STRING, STRING, INT, LONG, LLONG, DOUBLE, PATH, DATE, TIME,
                                     DURATION, STRINGS, STRINGS, INTS, DOUBLES) + (() if positional else (FLAG, FLAG)))
    if not positional:
        if rng.random() < 0.5:
            arg["letter"] = ord(rng.choice(LETTERS))
        if rng.random() < 0.1:
            arg["names"] = rng.choice((["--yes", "--force"], ["--other-name"], ["-single"], ["-sing"]))
        arg["required"] = rng.random() < 0.15
        arg["off"] = kind == FLAG and rng.random() < 0.3
    if groups and rng.random() < 0.5:
        arg["group"] = rng.randrange(len(groups))
        if groups[arg["group"]].get("exclusive") and rng.random() < 0.95:
            arg["required"] = False
            if positional:
                arg["arity"] = OPTIONAL
    arg["hidden"] = rng.random() < 0.07
    if kind == FLAG:
        return arg
    if rng.random() < 0.25:
        arg["arity"] = OPTIONAL
    if kind in LISTS and arg["arity"] == ONE:
        arg["arity"] = rng.choice((ONE, ANY, SOME, OPTIONAL, ANY))
        arg["repeat"] = not positional and rng.random() < 0.4
        if rng.random() < 0.2:
            arg["as"] = COMMA
    if kind == STRING and rng.random() < 0.2:
        arg["as"] = rng.choice((UPPER, LOWER, TASK, REASON))
    if rng.random() < 0.35 and arg["arity"] != OPTIONAL or rng.random() < 0.5 and arg["arity"] in (OPTIONAL, ANY):
        arg.update(has_default=True, **random_default(rng, kind))
    elif rng.random() < 0.05:
        arg["computed"] = True
    if rng.random() < 0.2:
        arg["metavar"] = rng.choice(("FILE", "N", "HOST", "a-long-metavar-for-this", "NÄME"))
    pick = rng.random()
    if pick < 0.25 and kind in (STRING, STRINGS) and not arg.get("as"):
        arg["choices"] = rng.choice(CHOICES)
    elif pick < 0.3 and kind in (STRING, STRINGS) and not arg.get("as"):
        arg["choices_from"] = "sites"
    elif pick < 0.35 and kind in (STRING, STRINGS) and not arg.get("as"):
        arg["pattern"] = "[a-c]+"
    elif pick < 0.3 and kind in (INT, LLONG, INTS):
        arg["first"], arg["last"] = rng.choice(((1, 5), (1, 40), (-2, 2)))
    elif pick < 0.35 and kind in (INT, DOUBLE):
        arg["choices"] = ["1.0", "5.0", "300.0"] if kind == DOUBLE else ["1", "5", "300"]
    elif pick < 0.3 and kind == DURATION:
        arg["choices"] = ["90", "2h"]
    elif pick < 0.5 and kind in (INT, DOUBLE, DURATION):
        arg["min" if rng.random() < 0.5 else "max"] = 2 if kind != DOUBLE else 2.5
    return arg


def random_args(rng, groups, most):
    args = []
    for name in rng.sample(NAMES, rng.randint(0, most)):
        args.append(random_arg(rng, name, groups))
    if rng.random() < 0.8:
        # members of an exclusive group side by side, as authors write them
        args.sort(key=lambda arg: arg.get("group", -1))
    used = {"-h"}
    for arg in args:
        if arg.get("letter"):
            if "-" + chr(arg["letter"]) in used and rng.random() < 0.98:
                arg["letter"] = None
            else:
                used.add("-" + chr(arg["letter"]))
        if arg.get("names") and used & set(arg["names"]) and rng.random() < 0.98:
            arg["names"] = None
        used |= set(arg.get("names") or ())
    return args


def random_table(rng):
    groups = []
    for _ in range(rng.choice((0, 0, 1, 1, 2, 3))):
        group = {"exclusive": rng.random() < 0.7, "required": rng.random() < 0.5, "title": rng.choice(TITLES)}
        if group["title"] is not None or not group["exclusive"]:
            group["description"] = rng.choice((None, "Some more.\nIn two lines."))
        groups.append(group)
    table = {
        "program": rng.choice(("cookbook [GLOBAL_ARGS] sre.hosts.downtime", "x", "cookbook é",
                               "cookbook [GLOBAL_ARGS] a.very.long.group.name.for.a-cookbook-with-a-long-name")),
        "title": rng.choice((None, "Do something to hosts", "Use %(prog)s well")),
        "description": rng.choice((None, None, "More text.\n\n\n\n    example 100%\n", "  indented\nline")),
        "owner": rng.choice(("infra", "data & more")), "task": rng.choice((0, 0, 1, 2)),
        "reason": rng.choice((0, 0, 1, 2)), "groups": groups, "args": random_args(rng, groups, 7), "subs": []}
    if rng.random() < 0.25:
        for name in rng.sample(("list", "set-weight", "upgrade", "x"), rng.randint(1, 4)):
            table["subs"].append({"name": name, "help": help_text(rng), "args": random_args(rng, groups, 4)})
        for sub in table["subs"]:
            for arg in sub["args"]:
                arg["name"] = "s_" + arg["name"]
    return table


ODD = ["", " ", "-", "a b", "-5", "-.5", "-1.5e3", "--unknown", "-z", "--x=1", "é", "\udc80\udcff", "\x1b[31m",
       "it's", 'say "no"', "\u200b", "-x y", "--wipe", "\n", "\\", "-5\n", "=", "--=", "-é", "-f=", "%s"]
GOOD = {STRING: ["codfw", "eqiad", "a", "abc", "pool", "show this", "T123", "T", "T1234567", "Xy", "it's", "é"],
        INT: ["1", "5", " 7 ", "300", "-3", "2147483648", "1_0", "1__0", "+4", "x", "", "0x1", "９"],
        DOUBLE: ["1", "2.5", "1e3", "nan", "inf", "1_0.5", ".5", "5.", "1e999", "0x1p3", "-2.5", "abc", " 1 "],
        PATH: ["/etc", "~", "~/a", "~root", "~nobody-here/x", "."],
        DATE: ["2026-11-22", "2024-02-29", "2023-02-29", "20261122", "2026-1-1", "0000-01-01", "9999-12-31"],
        TIME: ["2026-11-22T15:39:13Z", "2026-11-22", "2026-11-22 15:39", "2026-11-22T15:39:13.5+02:00",
               "2026-11-22T24:00", "2300-01-01", "1677-01-01", "2026-11-22T15:39:13.123456-0130",
               "2026-11-22T15", "2026-11-22T15:39:60", "x"],
        DURATION: ["90", "1.5h", "20m", "1h30m", "7d", "500ms", "2w", "30m1h", "-5", "", "1h30", "1 h", "9999999w",
                   "0.000000001", "1.h", "h", "2", "7200"]}
GOOD.update({LONG: GOOD[INT], LLONG: GOOD[INT], STRINGS: GOOD[STRING] + ["a,b", "codfw,eqiad", ",", "a,"],
             INTS: GOOD[INT] + ["1,2", "1,x"], DOUBLES: GOOD[DOUBLE] + ["1,2.5"]})


def value_for(rng, arg):
    if rng.random() < 0.05:
        return rng.choice(ODD)
    if arg.get("choices") and rng.random() < 0.8:
        return rng.choice(arg["choices"])
    return rng.choice(GOOD[arg["type"]][:4] if rng.random() < 0.7 else GOOD[arg["type"]])


def words_for(rng, args):
    words = []
    for arg in args:
        if arg["form"] == 2 and not arg.get("required") and rng.random() < 0.5:
            continue
        if rng.random() < 0.05:
            continue
        count = 1
        if arg["type"] == FLAG:
            count = 0
        elif arg["arity"] == OPTIONAL:
            count = rng.choice((0, 1, 1))
        elif arg["type"] in LISTS or arg["arity"] in (ANY, SOME):
            count = rng.choice((0, 1, 2, 3))
        values = [value_for(rng, arg) for _ in range(count)]
        if arg["form"] == 1:
            words.append(values)
            continue
        names = (["-" + chr(arg["letter"])] if arg.get("letter") else []) + (
            arg.get("names") or ["--" + arg["name"].replace("_", "-")])
        name = rng.choice(names)
        pick = rng.random()
        if pick < 0.15 and values or pick < 0.02:
            words.append([name + "=" + (values[0] if values else "v")] + values[1:])
        elif len(name) == 2 and pick < 0.4 and values:
            words.append([name + values[0]] + values[1:])
        elif len(name) == 2 and pick < 0.5:
            words.append([name + rng.choice(LETTERS) + rng.choice(("", "", "x", "h"))])
        else:
            words.append([name] + values)
    return words


def random_words(rng, table):
    chunks = words_for(rng, table["args"])
    if table["task"] and rng.random() < 0.8:
        chunks.append([rng.choice(("-t", "--task-id")), rng.choice(("T1", "T123456", "T123456", "x", ""))])
    if table["reason"] and rng.random() < 0.8:
        chunks.append([rng.choice(("-r", "--reason")), rng.choice(("why not", "why", 'a "b"', ""))])
    if rng.random() < 0.6:
        rng.shuffle(chunks)
    if rng.random() < 0.1:
        chunks.insert(rng.randint(0, len(chunks)), [rng.choice(ODD)])
    words = [word for chunk in chunks for word in chunk]
    if table["subs"] and rng.random() < 0.9:
        sub = rng.choice(table["subs"])
        words.append(sub["name"] if rng.random() < 0.95 else "nope")
        inner = words_for(rng, sub["args"])
        rng.shuffle(inner)
        words += [word for chunk in inner for word in chunk]
        if rng.random() < 0.1:
            words.append(rng.choice(ODD))
    if rng.random() < 0.1:
        words.insert(rng.randint(0, len(words)), rng.choice(("-h", "--help")))
    if rng.random() < 0.08:
        words.insert(rng.randint(0, len(words)), "--")
    if words and rng.random() < 0.08:
        del words[rng.randrange(len(words))]
    return [word for word in words if not word.endswith("=--")]


# The shapes of real cookbooks.

def option(name, kind=STRING, **keys):
    return {"name": name, "form": 2, "type": kind, "arity": ONE, "help": f"about {name}", **keys}


def positional(name, kind=STRING, **keys):
    return {"name": name, "form": 1, "type": kind, "arity": ONE, "help": f"about {name}", **keys}


def table_of(args, groups=(), subs=(), task=0, why=0, **keys):
    return {"program": "cookbook [GLOBAL_ARGS] sre.hosts.some-cookbook", "title": "Do it", "owner": "infra", "task": task,
            "reason": why, "groups": list(groups), "args": list(args), "subs": list(subs), **keys}


def batch(action):
    return [positional("action", choices=[action], hidden=True, help="what to do"),
            option("alias", metavar="ALIAS", group=0), option("query", group=0),
            option("batchsize", INT, has_default=True, default_int=1, first=1, last=40,
                   help="The batch size. Default: %(default)s. Allowed: %(choices)s"),
            option("grace_sleep", INT, has_default=True, default_int=90, min=1),
            option("exclude", STRINGS, arity=SOME, letter=ord("e")),
            option("ignore_restart_errors", FLAG)]


REAL = (
    table_of(batch("reboot"), [{"exclusive": True, "required": True}], task=1, why=2),
    table_of(batch("restart")[:3] + [positional("cluster", arity=OPTIONAL, group=0)],
             [{"exclusive": True, "required": True}], why=2),
    table_of([positional("action", choices=["pool", "depool", "show"]), positional("site", arity=OPTIONAL,
              choices_from="sites"), option("service", STRINGS, letter=ord("s"), arity=ANY, choices=["text", "upload"]),
              option("force", FLAG, letter=ord("f"))], task=1, why=1),
    table_of([option("cluster", required=True), option("group")], subs=[
        {"name": "start", "help": "Start it", "args": [positional("vm"), option("memory", DOUBLE, min=2.0)]},
        {"name": "stop", "help": "Stop it", "args": [positional("vms", STRINGS), option("now", FLAG)]}], task=2),
    table_of([option("days", INT, letter=ord("D")), option("hours", INT, letter=ord("H"), has_default=True, default_int=4),
              option("minutes", INT, letter=ord("M")), positional("query")], task=1, why=2),
    table_of([option("no_wait", FLAG, names=["--yes", "--no-wait"], off=True), option("fw_types", STRINGS, repeat=True),
              option("start", TIME, has_default=True, default_text="2026-11-22T15:39:13Z"),
              option("rack", pattern="[a-c]+"), option("ids", STRINGS)],
             description="Examples:\n\n    cookbook sre.x --rack a\n"),
)


def main():
    program = Program(sys.argv[1])
    cases = int(sys.argv[2]) if len(sys.argv) > 2 else 4000
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 1
    counts = {}
    for number in range(cases):
        rng = random.Random(seed * 1000003 + number)
        table = REAL[number] if number < len(REAL) else random_table(rng)
        program.load(table)
        lines = [["-h"], []] + [[sub["name"], "-h"] for sub in table["subs"]]
        lines += [random_words(rng, table) for _ in range(8 if number >= len(REAL) else 60)]
        for words in lines:
            columns = rng.choice((78, 78, 98, 118, 58, 38, 30, 20, 10, 200))
            difference = compare(table, columns, words, program, counts)
            if difference is not None:
                print(f"case {number}, {columns} columns: {words}\n{difference}\n--- table")
                for arg in table["args"] + [arg for sub in table["subs"] for arg in sub["args"]]:
                    print({key: value for key, value in arg.items() if value is not None and value is not False})
                return 1
    print("no difference:", ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items())))
    program.process.stdin.close()
    return program.process.wait()


if __name__ == "__main__":
    sys.exit(main())
