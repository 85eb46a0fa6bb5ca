#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Compares what queries to PuppetDB and to known_hosts files become with what Cumin makes of them.

Random queries, right ones and broken ones, go to both. For PuppetDB the endpoint and the AST of the
request must be the same, for both versions of its API; for known_hosts files the hosts. What one
refuses the other refuses. Differences we chose:

* `not (...)` is the opposite of what is in the parentheses: Cumin forgets the `not` (opposites()
  shows that it does).
* A fact, a parameter and a field without a comparison are refused: Cumin writes what is no JSON (LACKS).
* Names without a host (`a1!a1`) are refused: Cumin asks for all hosts (OURS), and so are names that
  no host has, and an empty name behind `%` and `@`.
* Quotes, braces and backslashes within values are themselves: Cumin writes them into its JSON (not generated;
  test_hosts.py has them).
* Of version 4 only the names are asked for, each once (narrowed()).
* `?` is a glob in names for PuppetDB, too, and a range may have a step (not generated).
* A name that is negated in a known_hosts file is none (not generated).
* An operator may have an empty set on its left (not compared).

Usage: inventory_differential.py PROGRAM PLUGINS [CASES [SEED]]
"""

import json
import pathlib
import random
import subprocess
import sys
import tempfile

from puppetdb import PuppetDB

try:
    import pyparsing
    from ClusterShell.NodeSet import NodeSetException
    from cumin.backends import InvalidQueryError
    from cumin.backends.knownhosts import KnownHostsQuery
    from cumin.backends.puppetdb import PuppetDBQuery
except ImportError as error:
    print(f"skipped: cumin is not installed: {error}")
    sys.exit(77)

REFUSALS = (pyparsing.ParseException, InvalidQueryError, NodeSetException)
LACKS = "lacks a comparison"
OURS = ("there is no host in", "does not begin with '-'", "lacks a name beside its")
UNEXPECTED = "nexpected boolean operator"

HOSTS = ("a1", "a2", "db1.example", "b[1-3]", "a[01-10].dc", "*", "a*", "db1*.example", "b[1-2]*", "a1,a2", "a[1-5]!a3",
         "a[1-3]&a[2-9]", "a1^a2", "-x", "x-y_z", '"a1"', "'b[1-2]'", "order", "android", "nothing")
KEYS = ("Foo", "foo::bar", "FOO::bAr::x1", "nginx", "Class", "class", "File", "Mod::Type_x", "a.b", "f-1", "1x", "a:::b")
SELECTORS = ("", "", "", "%ensure", "@line", "%a.b", "@tag", "%", "@", "%a@b", "%a%b", "@a@b")
COMPARISONS = ("=", ">=", "<=", "<", ">", "~")
VALUES = ("5", "15", "-5", "+5", "0", "00", "-0", "017", "0189", "0x1f", "0xFF", "0x", "1.5", "1.", ".5", "-1.25", "+.5", "1e5",
          "1.5e3", "2E-3", "12345678901234567890", "15abc", "1.5.2", "0x1g", "true", "false", "True", "trueish", "debian",
          "/etc/x", "foo::bar", "FOO::bar", "a=b", "a:b", "'a b'", '"x y z"', "''", '""', "'and'", "and", '"()"', 
          "'it or not'", "x'y", "^val[0-9]+$", "a.*b", "10:20", "-", "é")
BROKEN = ("", "(", ")", "and", "or", "not", "a b", "a or", "not not a", "F:", "C:", "R:=", "F:a =", "F:a == b", "F:a !",
          "X:a = b", "a[", "a[1", "a]", "a,,b", "a{b", "(a", "a)", "F:a = (b)", "a1 xor a2", "A:db", "D{a1}", "F :a = 1")
KNOWN = """# a comment
a1,a2,a3 ssh-ed25519 AAAA
db1.example,db2.example,10.0.0.1,fe80::1 ssh-ed25519 AAAA comment
[b1]:2222,[b2.dc]:22 ecdsa-sha2-nistp256 AAAA
  b3   ssh-rsa   AAAA
*.wild.example,w?.example,a4 ssh-rsa AAAA
@revoked bad1 ssh-rsa AAAA
@cert-authority ca1,*.ca.example ssh-rsa AAAA
@marker no1 ssh-rsa AAAA
@cert-authority few ssh-rsa
|1|F1E1KeoE/eEWhi10WpGv4OdiO6Y=|3988QV0VE8wmZL7suNrYQLITLCg= ssh-rsa AAAA
short ssh-rsa
a01.dc,a02.dc,a10.dc,b1.b2,x-y_z ssh-rsa AAAA
,,n1, ssh-rsa AAAA

order,android ssh-rsa AAAA
"""
KNOWN_HOSTS = ("a1", "a2", "a9", "b[1-3]", "a[1-3]", "*", "a*", "a?", "*.example", "db?.example", "a[0-9]*", "a[01-10].dc",
               "b[1-2]*", "a1,a2,zz", "a*!a1", "*!a*", "a*&*2", "a1^a*", "[a-z]", "*.dc,ca1", "bad1", "short", "10.0.0.1", "n1",
               "order", "w*", "b3", "*1*", "??")
KNOWN_BROKEN = ("", "(", "a1 or", "and a1", "a1)", "(a1", "a1 a2", "a[", "a[1", "F:a = b", "a1 or or a2", "a1 not a2")


class Generator:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def pick(self, what):
        return self.random.choice(what)

    def blank(self):
        return self.pick(("", " ", " ", "  "))

    def term(self, kind):
        if self.random.random() < 0.35:
            return self.pick(HOSTS)
        category = "F" if kind == "F" else self.pick("COPR")
        if self.random.random() < 0.1:
            category = category.lower()
        text = f"{category}:{self.pick(KEYS)}"
        if category.upper() != "F":
            text += self.pick(SELECTORS)
        if self.random.random() < 0.75:
            text += self.blank() + self.pick(COMPARISONS) + self.blank() + self.pick(VALUES)
        return text

    def level(self, kind, depth):
        sign = self.pick((" and ", " or ", " AND ", " Or "))
        items = []
        for _ in range(self.pick((1, 1, 2, 3))):
            if depth < 3 and self.random.random() < 0.3:
                items.append("(" + self.blank() + self.level(kind, depth + 1) + self.blank() + ")")
            else:
                items.append(("not " if self.random.random() < 0.15 else "") + self.term(kind))
        if self.random.random() < 0.03:
            return " or ".join(items[:2]) + " and " + self.term(kind)
        return sign.join(items)

    def puppetdb(self):
        if self.random.random() < 0.1:
            return self.pick(BROKEN) + (self.pick((" ", " and ", "")) + self.term("F") if self.random.random() < 0.4 else "")
        return self.level(self.pick("FRRFM") if self.random.random() < 0.97 else self.pick("FR"), 0)

    def known(self, depth=0):
        if depth == 0 and self.random.random() < 0.1:
            return self.pick(KNOWN_BROKEN)
        items = []
        for _ in range(self.pick((1, 1, 2, 3))):
            if depth < 3 and self.random.random() < 0.25:
                items.append(f"({self.known(depth + 1)})")
            else:
                items.append(self.pick(KNOWN_HOSTS))
        query = items[0]
        for item in items[1:]:
            query += self.pick((" and ", " or ", " xor ", " and not ", " AND NOT ")) + item
        return query


class Ours:
    def __init__(self, program, plugins, directory):
        self.process = subprocess.Popen([program, plugins, directory], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)

    def ask(self, query):
        self.process.stdin.write(query + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().rstrip("\n")

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def ordered(ast):
    """The hosts of a list in one order."""
    if isinstance(ast, list):
        ast = [ordered(item) for item in ast]
        if ast and ast[0] == "or":
            return ["or", *sorted(ast[1:], key=json.dumps)]
    return ast


def narrowed(ast):
    """What is asked for of those whose names we want."""
    if ast[0] != "extract" or ast[1] != "certname" or ast[3] != ["group_by", "certname"]:
        return f"not narrowed: {ast}"
    return ast[2]


class Theirs(PuppetDBQuery):
    """Cumin's translation, without a request."""

    def __init__(self, version):
        super().__init__({"puppetdb": {"api_version": version}})

    def translate(self, query):
        self._endpoint = None
        self.made = None
        self.execute(query)
        return self.made

    def _api_call(self, query):
        self.made = (self.url[self.url.index("/", 8):] + self.endpoint, query)
        return []


def compare_puppetdb(ours, theirs, stand_in, letter, query):
    """What is wrong, or None; and whether both took it."""
    stand_in.asked.clear()
    got = ours.ask(f"{letter}{{{query}}}")
    asked = stand_in.asked[-1] if stand_in.asked else None
    try:
        path, text = theirs.translate(query)
    except REFUSALS as error:
        return (f"they refuse it: {error}\nours: {asked}" if asked else None), False
    except ValueError as error:
        return (f"they fail: {error}\nours: {asked}" if asked else None), False
    if not asked:
        if LACKS in got and "None" in text or any(ours in got for ours in OURS):
            return None, False
        return f"ours: {got}\ntheirs: {text}", False
    if letter == "P":
        asked = (asked[0], narrowed(asked[1]))
    try:
        wanted = json.loads(text)
    except ValueError:  # Cumin does not escape values, so a quote or a backslash in one breaks its JSON
        return None, False
    if (asked[0], ordered(asked[1])) != (path, ordered(wanted)):
        return f"ours:   {asked}\ntheirs: {(path, text)}", True
    return None, True


def opposites(ours, theirs, stand_in):
    """What became of `not (...)`, or None."""
    ours.ask("P{not (a1 or a2)}")
    inner = ["or", ["or", ["=", "certname", "a1"]], ["or", ["=", "certname", "a2"]]]
    if narrowed(stand_in.asked[-1][1]) != ["not", inner]:
        return f"not (...): {stand_in.asked[-1]}"
    if json.loads(theirs.translate("not (a1 or a2)")[1]) != inner:
        return "Cumin takes 'not (...)' seriously now: compare it"
    return None


def compare_known(ours, theirs, query):
    got = ours.ask(f"K{{{query}}}")
    refused = got.startswith("error: ")
    try:
        wanted = str(theirs.execute(query))
    except REFUSALS as error:
        if refused or UNEXPECTED in str(error):
            return None, False
        return f"they refuse it: {error}\nours: {got}", False
    if "no host matches" in got:
        got = ""
    return (None if got == wanted else f"ours:   {got}\ntheirs: {wanted}"), True


def configure(directory, stand_in):
    known = pathlib.Path(directory, "known_hosts")
    known.write_text(KNOWN)
    backends = ", ".join(
        f'{{ letter = "{letter}"; driver = "puppetdb"; scheme = "http"; host = "127.0.0.1"; port = {stand_in.port};'
        f" api_version = {version}; }}" for letter, version in (("P", 4), ("Q", 3)))
    remote = pathlib.Path(directory, "remote")
    remote.mkdir()
    (remote / "config.cfg").write_text(
        f'backends = ( {backends}, {{ letter = "K"; driver = "knownhosts"; files = ( "{known}" ); }} );')
    return known


def run(program, plugins, cases, seed, directory):
    generator = Generator(seed)
    stand_in = PuppetDB()
    known = configure(directory, stand_in)
    ours = Ours(program, plugins, directory)
    translators = {"P": Theirs(4), "Q": Theirs(3)}
    known_hosts = KnownHostsQuery({"knownhosts": {"files": [str(known)]}})
    taken = {"P": 0, "Q": 0, "K": 0}
    failures = 0

    def tell(number, query, wrong):
        print(f"case {number} of seed {seed}: {query!r}\n{wrong[:1500]}\n")

    wrong = opposites(ours, translators["P"], stand_in)
    if wrong:
        tell(-1, "not (...)", wrong)
        failures += 1
    for number in range(cases):
        for letter in "PQ" if number % 4 == 0 else "P":
            query = generator.puppetdb()
            wrong, both = compare_puppetdb(ours, translators[letter], stand_in, letter, query)
            taken[letter] += both
            if wrong:
                tell(number, query, wrong)
                failures += 1
        query = generator.known()
        wrong, both = compare_known(ours, known_hosts, query)
        taken["K"] += both
        if wrong:
            tell(number, query, wrong)
            failures += 1
    ours.close()
    stand_in.end()
    print(f"{cases} queries, taken by both: {taken}, {failures} differences")
    if taken["P"] < cases // 4 or taken["Q"] < cases // 20 or taken["K"] < cases // 3:
        sys.exit("too few queries were taken: nothing was compared")
    sys.exit(failures > 0)


def main():
    cases = int(sys.argv[3]) if len(sys.argv) > 3 else 1500
    seed = int(sys.argv[4]) if len(sys.argv) > 4 else 20261126
    with tempfile.TemporaryDirectory() as directory:
        run(sys.argv[1], sys.argv[2], cases, seed, directory)


if __name__ == "__main__":
    main()
