#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Compares sets of hosts with ClusterShell's node sets, and queries for hosts with Cumin's.

Random expressions, right ones and broken ones, go to both: the folded text, the names, their
number, slices and subsets must be the same, and what one refuses the other refuses. Differences
we chose:

* Names are in the order of their numbers from left to right. ClusterShell walks over names with
  several numbers in the order of its folded text (natural() here).
* A digit before a range whose ends have different lengths is refused: for ClusterShell a1[8-12] is
  a18 to a112. So are a1[8,9,10] and its like (OURS, and neighbours() for those).
* Blanks, and other characters that no host has in its name, are refused, and numbers below 0 (OURS).
* Digits may follow brackets with a step, or with a range that begins with 0, in them (THEIRS).
* a[0-00] is refused (OURS).
* In a query an operator may have an empty set on its left, where Cumin fails (not compared); a
  range may have a step (not generated); more than one blank may stand in `and not` (BLANKS).
* More than 10,000,000 hosts, or a number of more than 18 digits, are refused (not generated).

Usage: hosts_differential.py PROGRAM [CASES [SEED]]
"""

import random
import re
import subprocess
import sys

try:
    from ClusterShell.NodeSet import RESOLVER_NOGROUP, NodeSet, NodeSetException
except ImportError as error:
    print(f"skipped: python3-clustershell is not installed: {error}")
    sys.exit(77)

try:
    from cumin.backends import InvalidQueryError
    from cumin.query import Query
except ImportError:
    Query = None

OURS = (
    "a blank stands in it",
    "a digit stands before",
    "does not begin with",
    "may not be in the name",
    "no number begins with '-'",
    "a range is FIRST-LAST",
    "have not the same length",
)
THEIRS = r"illegal trailing digits after range with steps|padding length mismatch : \"0[^\"]*/10"

BLANKS = "(?i)and  +not"

LITERALS = ("a", "a", "db", "n-", "r", ".dc", "-x", ".example")
OPERATORS = (",", ",", ",", "!", "&", "^")


def parse(expression):
    return NodeSet(expression, resolver=RESOLVER_NOGROUP)


def natural(name):
    """The order that we promise: the text around the numbers, then the numbers."""
    numbers = re.findall("[0-9]+", name)
    return re.sub("[0-9]+", "%", name), [(len(number), number) for number in numbers]


class Generator:
    """Random expressions from few names, so that they meet."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def number(self, width=0):
        value = self.random.choice((0, 1, 5, 8, 9, 10, 11, 12, 97, 99, 100, 101, 105))
        value = self.random.choice((value, self.random.randrange(14)))
        return value, f"{value:0{width}d}"

    def one_range(self):
        width = self.random.choice((0, 0, 0, 2, 2, 3))
        (first, one), (last, other) = sorted((self.number(width), self.number(width)))
        kind = self.random.random()
        if kind < 0.4:
            return one
        if width and len(one) != len(other):
            return one
        step = f"/{self.random.choice((1, 2, 3, 7))}" if kind > 0.85 and first != last else ""
        return f"{one}-{other}{step}"

    def brackets(self):
        blank = self.random.choice(("", "", "", " "))
        count = self.random.choice((1, 1, 2, 3))
        return "[" + ("," + blank).join(self.one_range() for _ in range(count)) + "]"

    def name(self):
        parts, ranges = [], 0
        for _ in range(self.random.choice((1, 1, 1, 2, 2, 3))):
            parts.append(self.random.choice(LITERALS))
            kind = self.random.random()
            if kind < 0.55 and ranges < 2:
                parts.append(self.brackets())
                ranges += 1
                if self.random.random() < 0.05:
                    parts.append(self.random.choice(("0", "5", "07")))
            elif kind < 0.9:
                parts.append(self.number(self.random.choice((0, 0, 2)))[1])
        return "".join(parts).lstrip("-.")

    def expression(self, most=6):
        blank = lambda: self.random.choice(("", "", "", " "))
        parts = [self.name()]
        for _ in range(self.random.randrange(most)):
            parts += [blank(), self.random.choice(OPERATORS), blank(), self.name()]
        return "".join(parts)

    def several(self):
        """Single hosts with two or three numbers: what is hard to fold."""
        dimensions = self.random.choice((2, 2, 3))
        names = []
        for _ in range(self.random.randrange(1, 40)):
            numbers = (self.random.randrange(self.random.choice((3, 5, 12))) for _ in range(dimensions))
            names.append("n" + "x".join(str(number) for number in numbers))
        return ",".join(names)

    def rows(self):
        """Single hosts with one number of mixed lengths and padding."""
        return ",".join("a" + self.number(self.random.choice((0, 2, 3)))[1] for _ in range(self.random.randrange(1, 30)))

    def query(self, depth=0, glob=None):
        """A query of the backend D, or of the global grammar."""
        glob = self.random.random() < 0.6 if glob is None else glob
        parts = []
        for number in range(self.random.choice((1, 2, 2, 3))):
            if number:
                parts.append(self.random.choice((" and ", " or ", " xor ", " and not ", " AND ", " Or ")))
            kind = self.random.random()
            hosts = self.random.choice("aab") + self.random.choice(("", "1", "[1-3]", "[2-6],b2", "[1-9]!a4"))
            if kind < 0.25 and depth < 3:
                parts.append(f"({self.query(depth + 1, glob)})")
            elif not glob:
                parts.append(hosts)
            elif kind < 0.55:
                parts.append("A:" + self.random.choice(("one", "two", "three")))
            elif kind < 0.65:
                parts.append(f"D{{{self.query(depth + 1, False)}}}")
            else:
                parts.append(f"D{{{hosts}}}")
        return "".join(parts)

    def broken_query(self):
        text = list(self.query())
        place = self.random.randrange(len(text))
        if self.random.random() < 0.5:
            del text[place]
        else:
            text.insert(place, self.random.choice("(){} oDA:"))
        return "".join(text)

    def broken(self):
        text = list(self.expression(3))
        for _ in range(self.random.choice((1, 1, 2))):
            place = self.random.randrange(len(text) + 1)
            if self.random.random() < 0.5 and place < len(text):
                del text[place]
            else:
                text.insert(place, self.random.choice("[]],-/!&^ 0a"))
        return "".join(text)

    def case(self):
        kind = self.random.random()
        if kind < 0.45:
            return self.expression()
        if kind < 0.65:
            return self.several()
        if kind < 0.8:
            return self.rows()
        return self.broken()


class Ours:
    """The program, asked line by line."""

    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def ask(self, *words):
        self.process.stdin.write("\t".join(words) + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        if not answer:
            sys.exit(f"the program ended at {words}")
        return answer.removesuffix("\n")

    def close(self):
        self.process.stdin.close()
        if self.process.wait(60) != 0:
            sys.exit(f"the program ended with {self.process.returncode}")


def neighbours(expression):
    """Whether a digit stands before brackets, where ClusterShell first makes ranges of what is in them."""
    return re.search(r"[0-9]\[", expression) is not None


def compare(ours, expression, generator):
    """What is wrong, or None; and whether both took it."""
    folded = ours.ask("fold", expression)
    refused = folded.startswith("error: ")
    try:
        theirs = parse(expression)
    except NodeSetException as error:
        if refused or re.search(THEIRS, str(error)):
            return None, False
        return f"they refuse it: {error}\nours: {folded}", False
    except ValueError as error:
        return None if refused else f"they fail: {error}\nours: {folded}", False
    if refused:
        if any(text in folded for text in OURS):
            return None, False
        return f"ours: {folded}\ntheirs: {theirs}", False
    if neighbours(expression) and folded != str(theirs):
        return None, False
    names = sorted(theirs, key=natural)
    other = generator.case()
    parts = generator.random.randrange(1, 9)
    expected = {
        ("fold",): str(theirs),
        ("count",): str(len(theirs)),
        ("names",): " ".join(names),
        ("split", str(parts)): " ".join(
            str(NodeSet.fromlist(names[start:end], resolver=RESOLVER_NOGROUP))
            for start, end in slices(len(names), parts)
        ),
    }
    if not ours.ask("within", expression, other).startswith("error: "):
        try:
            more = parse(other)
            if not neighbours(other):
                expected[("within", other)] = "%d %d %d %d" % (
                    more <= theirs,
                    theirs <= more,
                    more == theirs,
                    other in names,
                )
        except (NodeSetException, ValueError):
            pass
    for (what, *rest), wanted in expected.items():
        got = ours.ask(what, expression, *rest)
        if got != wanted:
            return f"{what} {' '.join(rest)}\nours:   {got}\ntheirs: {wanted}", True
    if ours.ask("fold", folded) != folded:
        return f"the folded text is another set: {folded}", True
    return None, True


ALIASES = {"one": "D{a[1-5]}", "two": "A:one or D{b[1-3]} and not D{a2}", "three": "(A:two xor D{a[4-9]})"}


def compare_query(ours, query):
    """What is wrong, or None; and whether both took it."""
    got = ours.ask("query", query)
    try:
        theirs = str(Query({"default_backend": "direct", "aliases": ALIASES}).execute(query))
    except (InvalidQueryError, NodeSetException) as error:
        if got.startswith("error: ") or "nexpected boolean operator" in str(error) or re.search(BLANKS, query):
            return None, False
        return f"they refuse it: {error}\nours: {got}", False
    if any(text in got for text in OURS):
        return None, False
    return (None if got == theirs else f"ours:   {got}\ntheirs: {theirs}"), True


def slices(count, parts):
    start = 0
    for number in range(min(parts, count)):
        size = count // parts + (number < count % parts) if parts <= count else 1
        yield start, start + size
        start += size


def main():
    cases = int(sys.argv[2]) if len(sys.argv) > 2 else 1200
    seed = int(sys.argv[3]) if len(sys.argv) > 3 else 20261126
    generator = Generator(seed)
    ours = Ours(sys.argv[1])
    taken = failures = 0
    for number in range(cases):
        expression = generator.case()
        wrong, both = compare(ours, expression, generator)
        taken += both
        if wrong:
            print(f"case {number} of seed {seed}: {expression!r}\n{wrong[:1000]}\n")
            failures += 1
    taken_queries = 0
    for number in range(cases if Query else 0):
        query = generator.query() if generator.random.random() < 0.8 else generator.broken_query()
        wrong, both = compare_query(ours, query)
        taken_queries += both
        if wrong:
            print(f"query {number} of seed {seed}: {query!r}\n{wrong[:1000]}\n")
            failures += 1
    ours.close()
    print(f"{taken_queries} queries taken by both" if Query else "skipped: cumin is not installed")
    print(f"{cases} expressions, {taken} taken by both, {failures} differences")
    if taken < cases // 2 or (Query and taken_queries < cases // 3):
        sys.exit("too few expressions were taken: nothing was compared")
    sys.exit(failures > 0)


if __name__ == "__main__":
    main()
