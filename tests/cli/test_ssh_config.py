# SPDX-License-Identifier: Apache-2.0
"""How the transport on libssh reads ssh_config: as the system's ssh does, shown by `ssh -G` for made-up files."""

import os
import pwd
import random
import re
import shutil
import subprocess
import unittest

from harness import BUILD, LONG, SOURCE, CommandTest

HOME = pwd.getpwuid(os.getuid()).pw_dir
CLIENT = BUILD / "tests" / "ssh" / "config-client"
HOSTS = ["web1.example", "web12.example", "db1", "DB1", "10.0.0.1", "a.b.c.example"]
# What both print in the same way. The rest of ssh's is about keywords that are not honoured.
COMPARED = {"hostname", "user", "port", "addressfamily", "bindaddress", "tcpkeepalive", "compression", "connecttimeout",
            "serveraliveinterval", "serveralivecountmax", "identitiesonly", "identityfile", "certificatefile",
            "proxycommand", "proxyjump"}


def setUpModule():
    if not shutil.which("ssh"):
        raise unittest.SkipTest("openssh-client is not installed")


class ConfigTest(CommandTest):
    def setUp(self):
        super().setUp()
        self.path = self.scratch / "config"

    def fill(self, text):
        self.path.write_text(text)
        self.path.chmod(0o600)

    def ours(self, *hosts):
        """For each host its options as a list of texts."""
        done = subprocess.run([CLIENT, self.path, *hosts], capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        return {part.split("\n", 1)[0]: part.splitlines()[1:] for part in re.split(r"^host ", done.stdout, flags=re.M)[1:]}

    def theirs(self, host):
        done = subprocess.run(["ssh", "-G", "-F", self.path, host], capture_output=True, text=True, check=False,
                              stdin=subprocess.DEVNULL)
        self.assertEqual(done.returncode, 0, f"{done.stderr}\n{self.path.read_text()}")
        return done.stdout.splitlines()

    def option(self, host, name):
        found = [line.split(" ", 1)[1] for line in self.ours(host)[host] if line.split(" ", 1)[0] == name]
        return found[0] if found else None

    def refusal(self, host="host"):
        line = self.ours(host)[host][0]
        self.assertTrue(line.startswith("end "), line)
        return line


def normal(lines):
    """The options that both have, by name: ssh leaves paths as they were written."""
    found = {}
    for line in lines:
        name, value = line.split(" ", 1) if " " in line else (line, "")
        if name in COMPARED:
            found.setdefault(name, []).append(value.replace("~", HOME) if name.endswith("file") else value)
    for name in ("proxycommand", "connecttimeout"):
        if found.get(name) == ["none"]:
            del found[name]
    return found


class Generator:
    """Files of lines that are right, with conditions, quotes, comments and files in files."""

    def __init__(self, seed, directory):
        self.random, self.directory, self.files = random.Random(seed), directory, 0

    def pick(self, *choices):
        return self.random.choice(choices)

    def pattern(self):
        return self.pick("*", "web*", "web?.example", "db1", "!db1", "*.example", "!web1*", "10.*", "a.b.c.example", "D?1",
                         "nobody", "*.*.*")

    def patterns(self, separator):
        return separator.join(self.pattern() for _ in range(self.random.randrange(1, 4)))

    def value(self, text):
        return self.pick(text, text, f'"{text}"', f"{text} # comment" if self.random.random() < 0.3 else text)

    def line(self):
        keyword, values = self.pick(
            ("HostName", ("%h.example", "10.1.2.3", "x.example", "%%h", "real")), ("User", ("alice", "bob", "root")),
            ("Port", ("22", "2222", "65535")), ("AddressFamily", ("inet", "inet6", "any")),
            ("BindAddress", ("127.0.0.1",)), ("TCPKeepAlive", ("yes", "no")), ("Compression", ("yes", "no")),
            ("ConnectTimeout", ("5", "1m", "1h30m", "none")), ("ServerAliveInterval", ("10", "1m", "0")),
            ("ServerAliveCountMax", ("3", "7")), ("IdentitiesOnly", ("yes", "no")),
            ("IdentityFile", ("~/.ssh/one", "/two", "/three", "~/.ssh/id_rsa")), ("CertificateFile", ("/c1", "~/c2")),
            ("ProxyCommand", ("none", "nc -X %h %p", "\"quoted\" x # y")), ("ProxyJump", ("jump", "u@j:22", "a,b", "none")),
            ("LogLevel", ("INFO",)), ("ControlMaster", ("no",)))
        value = self.pick(*values)
        if not keyword.startswith("Proxy"):
            value = self.value(value)
        keyword = self.pick(keyword, keyword.lower(), keyword.upper())
        return self.pick("", "", "\t", "    ") + keyword + self.pick(" ", " ", "=", " = ", "\t") + value

    def condition(self):
        kind = self.random.randrange(4)
        if kind < 2:
            return f"Host {self.patterns(' ')}"
        if kind == 2:
            return f"Match {self.pick('all', 'final', 'canonical', '!final')}"
        return "Match " + " ".join(
            self.pick("", "!") + self.pick("host", "originalhost", "user", "localuser") + " " + self.patterns(",")
            for _ in range(self.random.randrange(1, 3)))

    def file(self, depth=0):
        lines = []
        for _ in range(self.random.randrange(2, 12)):
            choice = self.random.random()
            if choice < 0.25:
                lines.append(self.condition())
            elif choice < 0.32 and depth < 3:
                self.files += 1
                path = self.directory / f"included{self.files}"
                path.write_text(self.file(depth + 1))
                path.chmod(0o600)
                lines.append(f"Include {path} {self.directory}/missing*")
            elif choice < 0.4:
                lines.append(self.pick("", "# a comment", "   # another", "\t"))
            else:
                lines.append(self.line())
        return self.pick("\n", "\n", "\r\n").join(lines) + "\n"


class Differential(ConfigTest):
    def test_as_ssh_reads_it(self):
        for seed in range(3000 if LONG else 60):
            self.fill(Generator(seed, self.scratch).file())
            mine = self.ours(*HOSTS)
            for host in HOSTS[seed % 3::3]:
                expected, found = normal(self.theirs(host)), normal(mine[host])
                expected["identityfile"] = [path for path in expected["identityfile"]
                                            if not re.search(r"/id_(xmss|dsa|ecdsa_sk|ed25519_sk)$", path)]
                with self.subTest(seed=seed, host=host):
                    self.assertEqual(self.expanded(expected, found), found, self.all_text())

    def all_text(self):
        return "\n".join(f"--- {path}\n{path.read_text()}" for path in
                         [self.path, *sorted(self.scratch.glob("included*"))])

    def expanded(self, expected, found):
        """ssh -G shows a proxy command before it puts the host into it, and its default, 0, as if it was asked for."""
        if "proxycommand" in expected:
            for token, name in (("%h", "hostname"), ("%p", "port")):
                expected["proxycommand"] = [text.replace(token, found[name][0]) for text in expected["proxycommand"]]
        if expected.get("serveraliveinterval") == ["0"] and found["serveraliveinterval"] == ["15"]:
            expected["serveraliveinterval"] = ["15"]
        return expected


def joined(source):
    """The text of string literals that stand behind each other."""
    return "".join(re.findall(r'"([^"]*)"', source))


def keyword_tables(source):
    """The three tables of docs/ssh.md, from the one of keyword.c."""
    names = dict(re.findall(r'#define ([A-Z_]+) "([^"]*)"', source))
    source = source[source.index("keywords[] ="):]
    honoured = {name: joined(note) for name, note in
                re.findall(r'\.name = "(\w+)",\s*\.treatment = \w+((?:,\s*\.note =\s*(?:"[^"]*"\s*)+)?)', source)}
    ignored, refused = {}, []
    for kind, name, rest in re.findall(r'(HONOURED|HONOURED_AS|IGNORED|REFUSED)\("(\w+)",\s*(.*?)\),\n', source, re.S):
        if kind.startswith("HONOURED"):
            honoured[name] = joined(rest)
        elif kind == "IGNORED":
            ignored.setdefault(names.get(rest) or joined(rest), []).append(f"`{name}`")
        else:
            harmless, note = rest.split(",", 1)
            refused.append(f"| `{name}` | {joined(harmless)} | {joined(note)} |")
    return "\n".join([
        "### Honoured\n", "| keyword | how, where not just so |", "| --- | --- |",
        *(f"| `{name}` | {honoured[name]} |" for name in sorted(honoured)),
        "", "### Ignored, for it harms nobody\n", "| keywords | why |", "| --- | --- |",
        *(f"| {' '.join(group)} | {why} |" for why, group in ignored.items()),
        "", "### Refused\n", "| keyword | but not with | it asks for |", "| --- | --- | --- |", *refused, ""])


class Reading(ConfigTest):
    def test_tokens(self):
        self.fill("Host a\n\tHostName %h.example\n\tPort 2222\n\tUser u\n\tIdentityFile ~/%r@%h:%p-%n-%k-%%-%L\n"
                   "\tUserKnownHostsFile /k/%u ${HOME}/x\n\tHostKeyAlias Al\n\tProxyCommand nc %h %p %r # not a comment\n")
        lines = self.ours("a")["a"]
        self.assertIn(f"identityfile {HOME}/u@a.example:2222-a-Al-%-machine", lines)
        self.assertIn(f"knownhostsfile {os.environ['HOME']}/x", lines)
        self.assertIn("knownas al", lines)
        self.assertIn("proxycommand nc a.example 2222 u # not a comment", lines)

    def test_environment(self):
        self.fill("SendEnv PATH HOM*\nSendEnv -HOM*\nSetEnv A=1 \"B=2 3\"\nSetEnv C=4\n")
        found = [line for line in self.ours("a")["a"] if line.startswith("environment")]
        self.assertEqual(found, [f"environment PATH={os.environ['PATH']}", "environment A=1", "environment B=2 3"])

    def test_unknown_keywords(self):
        self.fill("Host a\n\tIgnoreUnknown New*,other\n\tNewThing yes\nHost b\n\tNewThing yes\nHost c\n\tPort 23\n")
        self.assertEqual(self.option("a", "port"), "22")
        self.assertIn(f"{self.path}:5: 'NewThing' is not known", self.refusal("b"))
        self.assertEqual(self.option("c", "port"), "23")

    def test_lines_that_are_wrong(self):
        for text, word in (("Host a\nUser \"x\n", "quotes"), ("Port\n", "'Port' has no value"), ("Match\n", "no value"),
                           ("Match host\n", "no argument"), ("Match tagged x\n", "not known"), ("\"\n", "no value"),
                           ("Match all host x\n", "'all'"), ("HostName %z\n", "not a host name"),
                           ("IdentityFile ~nobody-here/x\n", "not known"), ("ProxyJump a,,b@\n", "not a jump host"),
                           ("Match host a exec x\n", "Match exec")):
            with self.subTest(text):
                self.fill(text)
                self.assertIn(word, self.refusal("a"))

    def test_files_in_circles(self):
        self.fill(f"Include {self.path}\n")
        done = subprocess.run([CLIENT, self.path, "a"], capture_output=True, text=True, check=False)
        self.assertIn("too many files", done.stdout)

    def test_keywords_of_the_page(self):
        """The page lists each keyword with what becomes of it, as the table has it."""
        page = (SOURCE / "docs" / "ssh.md").read_text()
        table = keyword_tables((SOURCE / "plugins" / "libssh" / "keyword.c").read_text())
        self.assertGreater(len(table.splitlines()), 80)
        self.assertEqual(page[page.index("### Honoured"):], table)

    def test_keywords_of_ssh(self):
        """None that the installed ssh knows is unknown."""
        for name in sorted({line.split()[0] for line in self.shown_by_ssh()}):
            with self.subTest(name):
                self.fill(f"Host *\n\t{name} x\n")
                found = self.ours("a")["a"][0]
                self.assertNotIn("is not known here", found)

    def shown_by_ssh(self):
        self.fill("")
        return [line for line in self.theirs("host") if not line.startswith("host ")]


if __name__ == "__main__":
    unittest.main()
