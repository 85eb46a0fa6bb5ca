# SPDX-License-Identifier: Apache-2.0
"""`spicerack hosts`: queries, and the drivers that answer them."""

import base64
import hashlib
import hmac
import json
import os
import signal
import ssl
import subprocess
import textwrap
import threading
import unittest

from harness import LONG, PREFIX, CommandTest
from listeners import Authority, Closed
from puppetdb import PuppetDB
from realpuppetdb import RealPuppetDB, require_puppetdb

HOSTS = """\
hosts:
  db[1001-1003].dc1.example: {os: {name: debian, major: 12}, cores: 32, disks: [sda, sdb]}
  db1002.dc1.example: {role: primary}
  web[01-02].dc2.example:
    os: {name: debian, major: 11}
    cores: 8
  spare.dc2.example:
groups:
  db: db[1001-1003].dc1.example
  front: [web01.dc2.example, "cache[1-2].dc2.example"]
  empty:
"""


class HostsTest(CommandTest):
    def setUp(self):
        super().setUp()
        self.remote = self.scratch / "etc" / "remote"
        self.remote.mkdir(parents=True)
        self.config = self.write("spicerack.cfg", f'instance_params = {{ spicerack_config_dir = "{self.remote.parent}"; }};')

    def configure(self, text):
        self.write("etc/remote/config.cfg", text)

    def backend(self, letter, driver, **settings):
        """Configures one backend."""
        def shown(value):
            if isinstance(value, list):
                return "( " + ", ".join(shown(item) for item in value) + " )"
            return json.dumps(value)
        listed = " ".join(f"{name} = {shown(value)};" for name, value in settings.items())
        self.configure(f'backends = (\n{{ letter = "{letter}"; driver = "{driver}"; {listed} }} );')

    def hosts(self, *words, **options):
        return self.run_command("spicerack", "hosts", "-c", self.config, *words, **options)

    def assertFinds(self, query, folded):
        result = self.hosts(query)
        self.assertEqual((result.code, result.out, result.err), (0, folded + "\n", ""), result)

    def assertRefused(self, query, text, code=1):
        result = self.hosts(query)
        self.assertEqual((result.code, result.out), (code, ""), result)
        self.assertTrue(result.err.startswith("spicerack hosts: error: "), result)
        self.assertEqual(result.err.count("\n"), 1, result)
        self.assertIn(text, result.err)
        return result


class Queries(HostsTest):
    def test_names_need_no_configuration(self):
        result = self.run_command("spicerack", "hosts", "db[1-3,7]")
        self.assertEqual((result.code, result.out, result.err), (0, "db[1-3,7]\n", ""), result)
        self.assertFinds("db7,db[1-9] and not (db[4-6] or db8)", "db[1-3,7,9]")
        self.assertFinds("D{a[1-3]} xor D{a3,b}", "a[1-2],b")

    def test_ways_to_show_them(self):
        self.assertEqual(self.hosts("-e", "b,a[09-10]").out, "a09\na10\nb\n")
        self.assertEqual(self.hosts("--expand", "a").out, "a\n")
        self.assertEqual(self.hosts("--count", "a[1-1000000]").out, "1000000\n")
        document = json.loads(self.hosts("--json", "a[1-2] or b").out)
        self.assertEqual(document, {"version": 1, "query": "a[1-2] or b", "count": 3, "hosts": "a[1-2],b",
                                    "names": ["a1", "a2", "b"]})

    def test_what_is_wrong_is_said(self):
        self.assertRefused("a and b", "no host matches 'a and b'")
        self.assertRefused("a[1", "a bracket is not closed")
        self.assertRefused("Z{a}", "there is no backend 'Z'")
        self.assertRefused("A:none", "there is no alias 'none'")
        self.assertRefused("a \x1b[2J", "\\x1b[2J")
        for words in ([], ["a", "b"], ["-e", "--count", "a"], ["--expnd", "a"]):
            result = self.hosts(*words)
            self.assertEqual((result.code, result.out), (2, ""), result)
            self.assertIn("usage: spicerack hosts [-h] [-c FILE] [-e | --count | --json] QUERY", result.err)

    def test_output_that_cannot_be_written(self):
        with open("/dev/full", "w", encoding="ascii") as full:
            done = subprocess.run(["spicerack", "hosts", "-c", self.config, "a"], env=self.env, stdout=full,
                                  stderr=subprocess.PIPE, check=False)
        self.assertEqual((done.returncode, done.stderr),
                         (1, b"spicerack hosts: error: cannot write: No space left on device\n"))

    def test_aliases(self):
        self.write("etc/remote/aliases.cfg", textwrap.dedent("""\
            aliases = (
              { name = "db-core"; query = "D{db[1-4]}"; },
              { name = "primary"; query = "A:db-core and D{db1}"; },
              { name = "loop"; query = "D{a} or A:loop"; }
            );
            """))
        self.assertFinds("A:db-core and not A:primary", "db[2-4]")
        self.assertRefused("A:loop", "A:loop: the alias 'loop' stands for itself")
        self.write("etc/remote/aliases.cfg", 'aliases = (\n{ nam = "x"; query = "a"; } );')
        self.assertRefused("a", "etc/remote/aliases.cfg:2: 'name' is missing here")

    def test_configuration_is_judged(self):
        for text, why in (("x = 1;", "config.cfg:1: unknown key 'x'"),
                          ('backends = ( { letter = "X"; driver = "../x"; } );', "there is no driver 'inventory-../x'"),
                          ('backends = ( { letter = "X"; driver = "none"; } );',
                           "config.cfg:1: the driver inventory-none is not installed"),
                          ('backends = (\n{ letter = "X"; driver = "static"; fil = "/x"; } );',
                           "config.cfg:2: 'fil' is not a setting of this driver"),
                          ('backends = (\n{ letter = "X"; driver = "static";\nfile = ["/x", "/y"]; } );',
                           "config.cfg:3: 'file' must be one value, not a list"),
                          ('backends = (\n{ letter = "X"; driver = "static"; } );',
                           "config.cfg:2: 'file' is missing: the path of the file of hosts"),
                          ('backends = ( { letter = "X"; driver = "puppetdb";\nport = 0; } );',
                           "config.cfg:2: 'port' must be a whole number from 1 to 65535, not '0'"),
                          ('backends = ( { letter = "X"; driver = "puppetdb";\nssl_verify = "no"; } );',
                           "config.cfg:2: 'ssl_verify' must be true, false or an absolute path, not 'no'"),
                          ('backends = ( { letter = "X"; driver = "exec";\ncommand = "x"; } );',
                           "config.cfg:2: 'command' must begin with an absolute path, not 'x'")):
            with self.subTest(text):
                self.configure(text)
                self.assertRefused("X{*}", why)
        (self.remote / "config.cfg").chmod(0o666)
        self.assertRefused("a", "config.cfg: not trusted, others may write to it")


class KnownHosts(HostsTest):
    def setUp(self):
        super().setUp()
        self.file = self.write("known_hosts", textwrap.dedent("""\
            # of the site
            db1.example,db2.example,10.0.0.1 ssh-ed25519 AAAA
            [web1.example]:2222,fe80::1,*.pattern ssh-ed25519 AAAA
            @revoked bad.example ssh-ed25519 AAAA
            @cert-authority ca.example,!not.example ssh-ed25519 AAAA
            no.example key
            """) + "".join(self.hashed(name) for name in ("hidden1.example", "hidden3.example")))
        self.backend("K", "knownhosts", files=[str(self.file)])

    @staticmethod
    def hashed(name):
        salt = os.urandom(20)
        shown = [base64.b64encode(part).decode() for part in (salt, hmac.digest(salt, name.encode(), hashlib.sha1))]
        return f"|1|{shown[0]}|{shown[1]} ssh-ed25519 AAAA\n"

    def test_names_and_globs(self):
        self.assertFinds("K{*}", "ca.example,db[1-2].example,web1.example")
        self.assertFinds("K{db[1-9].example}", "db[1-2].example")
        self.assertFinds("K{*.example and not (ca* or web?.*)}", "db[1-2].example")
        for query in ("K{10.0.0.1}", "K{bad.example}", "K{no.example,not.example,x.pattern}", "K{zz*}"):
            self.assertRefused(query, "no host matches")

    def test_hashed_names_are_known_when_asked_for(self):
        self.assertFinds("K{hidden[1-3].example}", "hidden[1,3].example")
        self.assertFinds("K{HIDDEN1.Example,db1.example}", "HIDDEN1.Example,db1.example")
        self.assertRefused("K{hidden*}", "no host matches")

    @unittest.skipUnless(os.path.exists("/usr/bin/ssh-keygen"), "openssh-client is not installed")
    def test_what_ssh_hashed(self):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.scratch / "key"], check=True)
        key = (self.scratch / "key.pub").read_text().split()[:2]
        self.file.write_text("one.example,two.example " + " ".join(key) + "\n")
        subprocess.run(["ssh-keygen", "-H", "-f", self.file], check=True, capture_output=True)
        self.assertNotIn("example", self.file.read_text())
        self.assertFinds("K{one.example,two.example,three.example}", "one.example,two.example")

    def test_files_that_are_not_there(self):
        self.file.unlink()
        self.assertRefused("K{*}", "known_hosts: cannot examine: No such file or directory")
        self.configure("")
        self.assertRefused("K{*}", "no host matches")

    def test_files_that_are_not_ours(self):
        self.file.chmod(0o666)
        self.assertRefused("K{*}", "known_hosts: not trusted, others may write to it: chmod o-w")
        self.file.unlink()
        os.mkfifo(self.file, 0o600)
        self.assertRefused("K{*}", "known_hosts: not a regular file")
        self.file.unlink()
        self.file.write_bytes(b"a\0b ssh-rsa AAAA\n")
        self.assertRefused("K{*}", "known_hosts: holds a NUL byte")

    def test_other_languages_are_not_its(self):
        self.assertRefused("K{F:os = debian}", "there are names in known_hosts files, and nothing else")
        self.configure(f'default_backend = "K"; backends = ( {{ letter = "K"; driver = "knownhosts"; '
                       f'files = "{self.file}"; }} );')
        self.assertFinds("db*", "db[1-2].example")
        self.assertFinds("D{x} or K{db*}", "db[1-2].example,x")
        self.assertRefused("F:os = debian", "as a query of the default backend K: F:os = debian: there are names in")


class Static(HostsTest):
    def setUp(self):
        super().setUp()
        self.file = self.write("hosts.yaml", HOSTS)
        self.backend("S", "static", file=str(self.file))

    def test_groups_facts_and_names(self):
        for query, folded in (
                ("*", "cache[1-2].dc2.example,db[1001-1003].dc1.example,spare.dc2.example,web[01-02].dc2.example"),
                ("G:db", "db[1001-1003].dc1.example"),
                ("g:front and not web*", "cache[1-2].dc2.example"),
                ("F:os.name = debian", "db[1001-1003].dc1.example,web[01-02].dc2.example"),
                ("F:os.major < 12", "web[01-02].dc2.example"),
                ("F:os.major>=12 or F:cores = 8.0", "db[1001-1003].dc1.example,web[01-02].dc2.example"),
                ("F:disks = sdb", "db[1001-1003].dc1.example"),
                ("F:role", "db1002.dc1.example"),
                ("not F:cores", "cache[1-2].dc2.example,spare.dc2.example"),
                ("F:os.name ~ '^deb' and not (G:db and not F:role = \"primary\")",
                 "db1002.dc1.example,web[01-02].dc2.example"),
                ("db[1001-1002].dc1.example,web09.dc2.example", "db[1001-1002].dc1.example"),
        ):
            with self.subTest(query):
                self.assertFinds(f"S{{{query}}}", folded)
        self.assertRefused("S{G:empty}", "no host matches")

    def test_what_is_wrong_with_a_query(self):
        for query, why in (("G:dbs", "there is no group 'dbs'"), ("F:core = 1", "no host has a fact 'core'"),
                           ("F:cores > many", "'many' is not a number"), ("G:db = 1", "a group is not compared"),
                           ("F:cores != 8", "'!=' is not one of = < <= > >= ~"),
                           ("F:os.name ~ '('", "'(' is not a regular expression"),
                           ("X:a", "terms are G:group and F:fact"), ("F:cores >", "expected a value at its end")):
            with self.subTest(query):
                self.assertRefused(f"S{{{query}}}", why)

    def test_what_is_wrong_with_a_file(self):
        for text, why in (("", "no host matches"), ("# none yet\n", "no host matches"),
                          ("[1, 2]", "hosts.yaml:1: the keys here are 'hosts' and 'groups'"),
                          ("host:\n  a:", "hosts.yaml:1: the keys here are 'hosts' and 'groups'"),
                          ("hosts:\n  a: b", "hosts.yaml:2: what is behind a host are its facts"),
                          ("hosts: [a]", "hosts.yaml:1: hosts and groups are written as `name: ...`"),
                          ("groups:\n  g: {a: b}", "hosts.yaml:2: what is behind a group are hosts, or a list of them"),
                          ("groups:\n  g: a\n  g: b", "hosts.yaml:3: this group is there already"),
                          ("hosts:\n  a: [", "hosts.yaml:3: did not find expected node content"),
                          ("hosts:\n  'a b':", "hosts.yaml:2: 'a b' is not a set of hosts: a blank stands in it"),
                          ("groups:\n  g:\n  - a\n  - a[", "hosts.yaml:4: 'a[' is not a set of hosts"),
                          ("hosts: {}\n---\nhosts: {}", "hosts.yaml:3: there is more than one document"),
                          ("hosts:\n  a: {b: {c: {d: {e: {f: {g: {h: {i: {j: 1}}}}}}}}}",
                           "hosts.yaml:2: facts are within facts too often"),
                          ("hosts:\n  a: &x\n    b: *x", "facts are within facts too often")):
            with self.subTest(text):
                self.file.write_text(text)
                self.assertRefused("S{*}", why)
        # Parts that refer to parts make ten million facts of a few lines.
        levels = ["    l0: &l0 [" + ", ".join("x" * 10) + "]"]
        levels += [f"    l{n}: &l{n} {{{', '.join(f'k{i}: *l{n - 1}' for i in range(10))}}}" for n in range(1, 7)]
        self.file.write_text("hosts:\n  a:\n" + "\n".join(levels))
        self.assertRefused("S{*}", "with this there are too many facts")


class Exec(HostsTest):
    def script(self, body, **settings):
        path = self.write("inventory", f"#!/bin/sh\n{body}\n", 0o755)
        self.backend("X", "exec", command=[str(path), "--site", "dc 1"], **settings)
        return path

    def test_lists_and_groups(self):
        self.script("""[ "$#" = 3 ] && [ "$2" = "dc 1" ] && echo "[\\"host-$3\\", \\"db[1-3]\\"]" """)
        self.assertFinds("X{ a1 }", "db[1-3],host-a1")
        answer = {"web": {"hosts": ["w1", "w2"], "vars": {"a": 1}, "children": ["api", "web"]}, "api": ["x1"],
                  "all": {"children": ["web"]}, "_meta": {"hostvars": {"h1": {}, "w1": {}}}}
        self.script(f"cat <<'END'\n{json.dumps(answer)}\nEND")
        self.assertFinds("X{anything}", "h1,w[1-2],x1")
        self.script(f"""[ "$#" = 2 ] || exit 1; cat <<'END'\n{json.dumps(answer)}\nEND""", query="group")
        self.assertFinds("X{api}", "x1")
        self.assertFinds("X{all}", "w[1-2],x1")
        self.assertFinds("X{*}", "h1,w[1-2],x1")
        self.assertRefused("X{_meta}", "inventory: the group '_meta' is not there")

    def test_no_shell_no_environment_no_input(self):
        self.env["SECRET"] = "hunter2"
        seen = self.scratch / "seen"
        self.script(f"env > {seen}; cat >> {seen}; printf '%s\\n' \"$3\" >> {seen}; echo '[\"a\"]'")
        self.assertFinds("X{$(id) `id` ; \"quoted }\"}", "a")
        text = seen.read_text()
        self.assertNotIn("hunter2", text)
        self.assertIn('$(id) `id` ; "quoted }"', text)
        self.assertRefused("X{--help}", "a query must not begin with '-'")
        self.assertRefused("X{ }", "the query is empty")

    def test_what_it_may_do_wrong(self):
        for body, why in (("exit 3", "inventory: it exited with 3"),
                          ("echo 'no such\x1b[2J site' >&2; echo more >&2; exit 1",
                           "inventory: it exited with 1: no such?[2J site\n"),
                          ("kill -SEGV $$", "inventory: signal SEGV ended it"),
                          ("", "inventory: it is no JSON"), ("echo '[\"a\"] x'", "inventory: it is no JSON"),
                          ("echo 5", "it is neither a list of names nor an object of groups"),
                          ("echo '[1]'", "has a host that is no text"), ("echo '[\"a b\"]'", "inventory: 'a b' is not"),
                          ("echo '{\"g\": 1}'", "the group 'g' is neither an object nor a list"),
                          ("head -c 70000000 /dev/zero", "inventory: it wrote more than 67108864 bytes")):
            with self.subTest(body):
                self.script(body, timeout=600)
                self.assertRefused("X{a}", why)
        self.script("echo '[\"a\"]'; exit 3")
        # As a shell's `trap '' CHLD` hands on.
        result = self.run_command("spicerack", "hosts", "-c", self.config, "X{a}",
                                  preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
        self.assertIn("inventory: it exited with 3", result.err)
        self.assertEqual(result.out, "")
        path = self.script("echo '[\"a\"]'")
        path.chmod(0o777)
        self.assertRefused("X{a}", "inventory: not trusted, others may write to it")
        path.chmod(0o644)
        self.assertRefused("X{a}", "inventory: cannot run it: Permission denied")
        path.unlink()
        self.assertRefused("X{a}", "inventory: cannot examine: No such file or directory")

    def lives(self, file):
        try:
            os.kill(int(file.read_text()), 0)
        except (ProcessLookupError, FileNotFoundError, ValueError):
            return False
        return True

    def test_nothing_of_it_is_left(self):
        pid = self.scratch / "pid"
        waits = f"sleep 1000 & echo $! > {pid}"
        self.script(f"{waits}; echo '[\"a\"]'")
        self.assertFinds("X{a}", "a")
        self.wait_for(lambda: not self.lives(pid), "the end of what it left")
        pid.unlink()
        self.script(f"{waits}; wait", timeout=1)
        self.assertRefused("X{a}", "inventory: no answer in time")
        self.wait_for(lambda: not self.lives(pid), "its end after its time")

    def test_interrupted(self):
        pid = self.scratch / "pid"
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGKILL):
            self.script(f"echo $$ > {pid}; exec sleep 1000")
            process = subprocess.Popen([f"{PREFIX}/bin/spicerack", "hosts", "-c", self.config, "X{a}"], env=self.env,
                                       stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            self.wait_for(lambda: self.lives(pid), "the executable")
            process.send_signal(number)
            out, err = process.communicate(timeout=60)
            if number != signal.SIGKILL:
                self.assertEqual((process.returncode, out), (97, b""))
                self.assertIn(b"interrupted", err)
            self.wait_for(lambda: not self.lives(pid), "its end")
            pid.unlink()


class PuppetDb(HostsTest):
    def setUp(self):
        super().setUp()
        self.server = PuppetDB()
        self.addCleanup(lambda: self.server.end())
        self.use()

    def use(self, **settings):
        self.backend("P", "puppetdb", **{"scheme": "http", "host": "127.0.0.1", "port": self.server.port, **settings})

    def test_hosts_by_facts_and_resources(self):
        self.server.answer = ["b1.example", "b2.example", "b1.example"]
        self.assertFinds("P{R:Package = nginx}", "b[1-2].example")
        self.assertEqual(self.server.asked.pop(), ("/pdb/query/v4/resources", ["extract", "certname", [
            "and", ["=", "type", "Package"], ["=", "title", "nginx"]], ["group_by", "certname"]]))
        self.assertFinds("P{F:os = 'a\"b\\c}'} and D{b1.example}", "b1.example")
        self.assertEqual(self.server.asked.pop()[1][2], ["=", ["fact", "os"], 'a"b\\c}'])
        self.use(api_version=3)
        self.assertFinds("P{F:cores > 8 or b*}", "b[1-2].example")
        self.assertEqual(self.server.asked.pop(), ("/v3/nodes", ["or", [">", ["fact", "cores"], 8],
                                                                 ["or", ["~", "name", "^b.*$"]]]))
        self.server.answer = []
        self.assertRefused("P{*}", "no host matches 'P{*}'")

    def test_the_default_backend(self):
        text = (self.remote / "config.cfg").read_text()
        self.configure('default_backend = "P";\n' + text)
        self.server.answer = ["a1"]
        self.assertFinds("C:nginx and not O:db", "a1")
        self.assertFinds("D{a1} and P{a*}", "a1")
        self.assertRefused("C:nginx or or", "as a query of the default backend P: expected hosts, C:, F:, O:, P:, R: or")
        self.assertRefused("F:a = 1 and C:b", "facts and resources are not mixed in one query")

    def test_what_is_wrong_with_a_query(self):
        for query, why in (("F:os", "F:os lacks a comparison"), ("a1!a1", "there is no host in 'a1!a1'"),
                           ("a or b and c", "'and' and 'or' are mixed: use parentheses"),
                           ("C:a = b", "C:a is compared only with %parameter or @field behind it"),
                           ("R:a%b@c = 1", "has more than one %parameter or @field"),
                           ("F:a = 0xfffffffffffffffff", "this number is too large"),
                           ("a[1-60000]", "more than 50000 hosts in a query to PuppetDB"),
                           ("(" * 70 + "a" + ")" * 70, "too many parentheses within each other"),
                           ("a[1", "a bracket is not closed")):
            with self.subTest(query):
                self.assertRefused(f"P{{{query}}}", why)
        self.assertEqual(self.server.asked, [])

    def test_what_a_server_may_answer(self):
        url = f"http://127.0.0.1:{self.server.port}/pdb/query/v4/nodes"
        for status, body, why in ((400, b"PQL parse error\x1b[2J\nmore", f"{url}: the server answered 400: PQL parse error?[2J"),
                                  (500, b"", f"{url}: the server answered 500"), (302, b"", "the server answered 302"),
                                  (200, b"<html>", "the answer is no JSON"), (200, b"{}", "the answer is no list"),
                                  (200, b"[{}]", "the answer has an item without the text 'certname'"),
                                  (200, b'[{"certname": 5}]', "the answer has an item without the text 'certname'"),
                                  (200, b"[" * 100000, "the answer is no JSON"),
                                  (200, b'[{"certname": "a\\u001b[2J"}]', "'a\\x1b[2J' is not a set of hosts"),
                                  (200, b" " * (65 << 20), "the answer is longer than 67108864 bytes")):
            with self.subTest(body[:40]):
                self.server.status, self.server.answer = status, body
                self.assertRefused("P{*}", why)

    def test_a_server_that_is_not_there(self):
        closed = Closed()
        self.use(port=closed.port)
        self.assertRefused("P{*}", f"http://127.0.0.1:{closed.port}/pdb/query/v4/nodes: Failed to connect")
        self.use(host="no-such-host.invalid")
        self.assertRefused("P{*}", "Could not resolve host")

    def test_a_server_that_is_slow(self):
        self.server.wait = threading.Event()
        self.use(timeout=1)
        self.assertRefused("P{*}", "no answer in time")
        self.use()
        process = subprocess.Popen([f"{PREFIX}/bin/spicerack", "hosts", "-c", self.config, "P{*}"], env=self.env,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.wait_for(lambda: len(self.server.asked) == 2, "the request")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
        self.assertEqual((process.returncode, out), (97, b""))
        self.assertIn(b"interrupted", err)


class PuppetDbTls(HostsTest):
    def setUp(self):
        super().setUp()
        self.authority = Authority(self.scratch)
        context = self.authority.context(*self.authority.signed("server", "IP:127.0.0.1"))
        context.verify_mode = ssl.CERT_REQUIRED
        context.load_verify_locations(self.authority.file)
        self.certificate, self.key = self.authority.signed("client", "DNS:client")
        self.server = PuppetDB(context)
        self.addCleanup(self.server.end)
        self.server.answer = ["a1", "a2"]

    def use(self, **settings):
        self.backend("P", "puppetdb", host="127.0.0.1", port=self.server.port, **settings)

    def test_certificates(self):
        client = {"ssl_client_cert": str(self.certificate), "ssl_client_key": str(self.key)}
        ca = str(self.authority.file)
        self.use(ssl_verify=ca, **client)
        self.assertFinds("P{*}", "a[1-2]")
        self.assertEqual(self.server.clients, ["client"])
        together = self.write("client-both.pem", self.certificate.read_text() + self.key.read_text(), 0o600)
        self.use(ssl_verify=ca, ssl_client_cert=str(together))
        self.assertFinds("P{*}", "a[1-2]")
        self.use(ssl_verify=False, **client)
        self.assertFinds("P{*}", "a[1-2]")
        asked = len(self.server.asked)
        self.use(**client)
        self.assertRefused("P{*}", f"https://127.0.0.1:{self.server.port}/pdb/query/v4/nodes: SSL certificate problem")
        self.use(ssl_verify=ca)
        self.assertRefused("P{*}", f"https://127.0.0.1:{self.server.port}/pdb/query/v4/nodes: ")
        self.use(ssl_verify=ca, ssl_client_cert="/nowhere")
        self.assertRefused("P{*}", "could not load PEM client certificate")
        self.assertEqual(len(self.server.asked), asked)

    def test_a_certificate_for_somebody_else(self):
        self.use(ssl_verify=str(self.authority.file))
        text = (self.remote / "config.cfg").read_text().replace("127.0.0.1", "localhost")
        self.configure(text)
        self.assertRefused("P{*}", "/pdb/query/v4/nodes: SSL: no alternative certificate subject name matches")


@unittest.skipUnless(LONG, "a PuppetDB needs minutes to start")
class RealPuppetDb(HostsTest):
    """What a real one makes of our queries, over HTTPS with the certificate of a client."""

    def setUp(self):
        require_puppetdb()
        super().setUp()
        self.authority = Authority(self.scratch)
        self.server = RealPuppetDB(self, self.authority)
        role = {"web": "Role::Web", "db": "Role::Db"}
        for name, cores, kernel, mode in (("web1.example", 4, "Linux", "0644"), ("web2.example", 8, "Linux", "0600"),
                                          ("db1.example", 31, "FreeBSD", "0644"), ("gone1.example", 8, "Linux", "0644")):
            self.server.add(name, {"cores": cores, "kernel": kernel, "physical": cores > 8, "os": {"name": "debian"},
                                   "note": "a\"b\\c}", "version": "8"},
                            [("Class", role.get(name[:-9], "Role::None"), {"port": cores}, ["class"]),
                             ("Class", "Profile::Base", {}, ["class", "profile"]),
                             ("Package", "nginx", {"ensure": "installed"}, ["package", name[:-9]]),
                             ("File", "/etc/motd", {"mode": mode}, ["file"])])
        self.server.submit("deactivate_node", 3, {"certname": "gone1.example", "producer_timestamp":
                                                  "2026-11-01T00:00:00.000Z"})

    def use(self, certificate=True, **settings):
        if certificate:
            settings = {"ssl_client_cert": str(self.server.certificate), "ssl_client_key": str(self.server.key), **settings}
        self.backend("P", "puppetdb", **{"host": "127.0.0.1", "port": self.server.port,
                                         "ssl_verify": str(self.authority.file), **settings})

    def test_the_whole_language(self):
        self.use()
        all_of_them = "db1.example,web[1-2].example"
        for query, folded in {
                "*": all_of_them, "web*": "web[1-2].example", "web[1-9].example": "web[1-2].example",
                "db1.example": "db1.example", "d?1.example or web2.example": "db1.example,web2.example",
                "not web*": "db1.example",
                "F:cores = 8": "web2.example", "F:cores > 7": "db1.example,web2.example", "F:cores <= 8": "web[1-2].example",
                "F:cores = 0x1f": "db1.example", "F:cores = 037": "db1.example", "F:cores < 4.5": "web1.example",
                "F:version = '8'": all_of_them, "F:physical = true": "db1.example", "F:physical = false": "web[1-2].example",
                "F:note = 'a\"b\\c}'": all_of_them, "F:kernel ~ '^Lin'": "web[1-2].example",
                "F:kernel = Linux and not F:cores = 8": "web1.example",
                "(F:cores = 4 or F:cores = 31) and not F:kernel = Linux": "db1.example",
                "F:kernel = Linux and not web1.example": "web2.example",
                "R:Package": all_of_them, "R:Package = nginx": all_of_them, "R:File = '/etc/motd'": all_of_them,
                "R:File%mode = '0644'": "db1.example,web1.example", "R:file%mode ~ '06.0'": "web2.example",
                "R:Package@tag = web": "web[1-2].example", "C:Role::Web": "web[1-2].example",
                "O:web": "web[1-2].example", "O:db": "db1.example", "P:base": all_of_them,
                "O:web%port = 8": "web2.example", "C:role::web or C:role::db": all_of_them,
                "C:role::web and not web1.example": "web2.example"}.items():
            with self.subTest(query):
                self.assertFinds(f"P{{{query}}}", folded)
        self.assertFinds("P{O:web} and P{F:cores > 4}", "web2.example")
        for query in ("gone1.example", "F:kernel = Plan9", "C:role::web and C:role::db"):
            with self.subTest(query):
                self.assertRefused(f"P{{{query}}}", "no host matches")
        self.assertRefused("P{F:kernel ~ '('}", f"https://127.0.0.1:{self.server.port}/pdb/query/v4/nodes: the server answered")
        self.assertRefused("P{O:web%port > 4}", "/pdb/query/v4/resources: the server answered")
        for settings, why in (({"api_version": 3}, "/v3/nodes: the server answered 404"),
                              ({"certificate": False}, "/pdb/query/v4/nodes: "),
                              ({"ssl_verify": True}, "SSL certificate problem")):
            with self.subTest(settings):
                self.use(**settings)
                self.assertRefused("P{*}", why)


if __name__ == "__main__":
    unittest.main()
