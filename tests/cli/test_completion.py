# SPDX-License-Identifier: Apache-2.0
"""Completion in bash, zsh and fish: keys on a terminal, and which words the command then gets."""

import contextlib
import os
import pathlib
import re
import shutil
import socket
import subprocess
import time
import unittest

from harness import FIXTURES, PREFIX, CommandTest

# In place of the command: the words that it was given.
STUB = """#!/bin/sh
for word in "${0##*/}" "$@"; do printf '%s\\0' "$word"; done >"$STUB_FILE.new" && mv "$STUB_FILE.new" "$STUB_FILE"
"""
PROMPT = "@ready@ "
# As it is typed, not to be taken for it when it is echoed.
SPLIT = "@rea''dy@ "
SHARE = PREFIX / "share"
SHELLS = {
    "bash": (["bash", "--norc", "--noprofile", "-i"],
             ["bind 'set enable-bracketed-paste off' 'set bell-style none' 'set page-completions off'",
              "source /usr/share/bash-completion/bash_completion", f"PS1='{SPLIT}'"]),
    "zsh": (["zsh", "-f", "-i"],
            [f"fpath=({SHARE}/zsh/site-functions $fpath)", "autoload -U compinit", "compinit -D -u",
             "unsetopt beep prompt_cr prompt_sp", f"PS1='{SPLIT}'"]),
    "fish": (["fish", "--private"], ["set -g fish_greeting", f"function fish_prompt; printf '{SPLIT}'; end"]),
}
BREAKS = " \t\n\"'@><=;|&(:"
# Choices of fixture.complete, and what is typed of each.
ODD = {"a b c": "a", "it's": "it", 'say "hi"': "sa", "x$(touch evaluated)": "x", "y`touch evaluated`": "y",
       "z;touch evaluated": "z", "back\\slash": "bac", "bang!": "ban", "colon:s": "colon:", "~root": "\\~",
       "glob*": "gl"}


class CompletionTest(CommandTest):
    def setUp(self):
        super().setUp()
        self.config = self.write("spicerack.cfg", self.configuration(
            [FIXTURES], 'sites: { core = ["codfw", "eqiad"]; };\n'))
        self.env["SPICERACK_COOKBOOKS_BASE_DIRS"] = str(FIXTURES)
        self.env["TERM"] = "xterm"

    def ask(self, shell, *words, **options):
        result = self.run_command("spicerack", "complete", shell, *words, **options)
        self.assertEqual((result.code, result.err), (0, ""))
        return result.out.splitlines()

    def offered(self, *words):
        """What is offered for the last word, as it is."""
        kind, *lines = self.ask("fish", *words)
        self.assertEqual(kind, "words")
        return [line.partition("\t")[0] for line in lines]


class Answers(CompletionTest):
    """What the host offers, whichever shell asks."""

    def test_commands(self):
        self.assertEqual(self.offered("spicerack", "ru"), ["run", "runs"])
        self.assertEqual(self.offered("/usr/bin/spicerack", "ru"), ["run", "runs"])
        self.assertEqual(self.offered("spicerack", "com"), [])
        self.assertEqual(self.offered("spicerack", "--"), ["--help", "--version"])
        self.assertIn("-show\tshow all that is known of one run", self.ask("zsh", "spicerack", "runs", ""))
        self.assertEqual(self.offered("spicerack", "remote", ""), ["reap"])
        self.assertEqual(self.offered("spicerack", "nonsense", ""), [])
        self.assertEqual(self.offered("rm", "-"), [])

    def test_every_subcommand_has_options(self):
        for command in self.offered("spicerack", ""):
            for subcommand in self.ask("fish", "spicerack", command, "")[1:] or [""]:
                words = [command, *subcommand.partition("\t")[:1]] if subcommand else [command]
                with self.subTest(words=words):
                    self.assertIn("--help", self.offered("spicerack", *words, "--h"))

    def test_names_level_by_level(self):
        self.assertIn("fixture.misbehave", self.offered("cookbook", ""))
        tree = self.scratch / "tree"
        for name in ("one/a", "one/deep/er/b", "one/deep/er/c", "oneself"):
            path = tree / f"{name}.so"
            path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(FIXTURES / "fixture" / "misbehave.so", path)
        self.write("tree/one/deep/group.cfg", 'title = "Deep down";\n')
        self.env["SPICERACK_COOKBOOKS_BASE_DIRS"] = str(tree)
        self.assertEqual(self.offered("cookbook", ""), ["one.", "oneself"])
        self.assertEqual(self.offered("cookbook", "one."), ["one.a", "one.deep."])
        self.assertEqual(self.offered("cookbook", "one.d"), ["one.deep.er.b", "one.deep.er.c"])
        self.assertEqual(self.offered("cookbook", "-d", "--", "one.deep.er.b"), ["one.deep.er.b"])
        self.assertIn("+one.deep.\tDeep down", self.ask("zsh", "cookbook", "one."))
        self.assertEqual(self.offered("cookbook", "nothing.here"), [])

    def test_a_group_is_offered_for_any_cookbook_in_it(self):
        """As many files of it are opened as it takes to know; the list of all of them opens each."""
        good = (FIXTURES / "fixture" / "misbehave.so").read_bytes()
        files = {"first": {"broken/a": b"", "broken/b": b"", "shadow/a": b"", "late/a": b"", "late/z/z": good,
                           "one/two/a": good},
                 "second": {"broken/a": good, "shadow/a": good, "shadow/b": good, "late/a": good, "taken/b": good,
                            "one/two/b": good}}
        for base, contents in files.items():
            for name, content in contents.items():
                path = self.scratch / base / f"{name}.so"
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
        self.write("second/taken/group.cfg", 'title = "Taken";\n')
        for bases in (("first", "second"), ("second", "first"), ("first",)):
            self.env["SPICERACK_COOKBOOKS_BASE_DIRS"] = ":".join(str(self.scratch / base) for base in bases)
            listed = re.findall(r"-- (\S+)", self.run_command("cookbook", "-l").out)
            offered = self.offered("cookbook", "")
            self.assertEqual(offered, sorted({name.partition(".")[0] + "." for name in listed if "." in name}))
            for group in offered:
                below = [name for name in listed if name.startswith(group)]
                self.assertTrue(below)
                for name in self.offered("cookbook", group):
                    self.assertTrue(any(one.startswith(name) for one in below), name)
        self.assertIn("late.", offered)
        self.assertNotIn("broken.", offered)
        self.assertEqual(self.offered("cookbook", "one"), ["one.two.a"])

    def test_options(self):
        complete = ("cookbook", "-d", "fixture.complete")
        self.assertEqual(self.offered(*complete, "--"),
                         ["--help", "--colour", "--odd", "--site", "--parts", "--file", "--fast", "--slow"])
        self.assertEqual(self.offered(*complete, "--fast", "--s"), ["--site"])
        self.assertEqual(self.offered(*complete, "--colour", "red", "--c"), [])
        self.assertEqual(self.offered(*complete, "--colour", "gr"), ["green", "grey"])
        self.assertEqual(self.offered(*complete, "--colour=gr"), ["--colour=green", "--colour=grey"])
        self.assertEqual(self.offered(*complete, "--fast=x"), [])
        self.assertEqual(self.offered(*complete, "--parts", "db,d"), ["db,dns"])
        self.assertEqual(self.offered(*complete, ""), ["pool", "depool"])
        self.assertEqual(self.offered(*complete, "--", "-"), [])
        self.assertNotIn("pool", self.offered(*complete, "pool", ""))
        self.assertIn("--colour\tone of red, green, grey", self.ask("fish", *complete, "--c"))
        self.assertEqual(self.ask("fish", *complete, "--file", "x"), ["files"])
        self.assertEqual(self.offered("cookbook", "--dr"), ["--dry-run"])
        self.assertEqual(self.offered("cookbook", "-d", "--dr"), [])
        self.assertEqual(self.offered("cookbook", "-d", "-"),
                         [option for option in self.offered("cookbook", "-") if option != "--dry-run"])

    def test_subcommands_of_a_cookbook(self):
        names = self.offered("cookbook", "fixture.subcommands", "")
        self.assertTrue(names)
        self.assertIn("--help", self.offered("cookbook", "fixture.subcommands", names[0], "--"))

    def test_lists_of_the_configuration(self):
        self.assertEqual(self.offered("cookbook", "-c", self.config, "fixture.complete", "--site", ""),
                         ["codfw", "eqiad"])
        self.assertEqual(self.offered("cookbook", "fixture.complete", "--site", ""), [])
        other = self.write("other.cfg", self.configuration([FIXTURES], 'sites: { core = ["esams"]; };\n'))
        for words in (["-c", other], ["-dc", other], [f"--config-file={other}"]):
            self.assertEqual(self.offered("cookbook", *words, "fixture.complete", "--site", ""), ["esams"])
        shutil.copyfile(other, self.scratch / "home" / "other.cfg")
        self.assertEqual(self.offered("cookbook", "-c", "~/other.cfg", "fixture.complete", "--site", ""), ["esams"])

    def test_odd_choices_are_offered_as_they_are(self):
        self.assertEqual(self.offered("cookbook", "fixture.complete", "--odd", ""), list(ODD))

    def test_runs(self):
        self.assertEqual(self.offered("spicerack", "runs", "show", ""), [])
        for value in ("0", "3"):
            self.cookbook("fixture.misbehave", "--value", value)
        newest, oldest, last = self.offered("spicerack", "runs", "show", "")
        self.assertGreater(newest, oldest)
        self.assertEqual(last, "last")
        self.assertEqual(self.offered("spicerack", "runs", "log", "-f", newest[:-1]), [newest])
        self.assertEqual(self.offered("spicerack", "remote", "reap", newest[:-1]), [newest])
        self.assertIn("fixture.misbehave, PASS, ", self.ask("fish", "spicerack", "runs", "show", oldest)[1])
        self.assertEqual(self.offered("spicerack", "runs", "attach", ""), [])
        self.assertEqual(self.offered("spicerack", "runs", "settle", ""), [])

    def test_locks(self):
        for key in ("fixture.one", "/spicerack/locks/custom/two"):
            result = self.run_command("spicerack", "locks", "hold", key, "--for", "1h", "--reason", "test")
            self.assertEqual(result.code, 0, result)
        self.assertEqual(self.offered("spicerack", "locks", "unhold", ""),
                         ["fixture.one", "/spicerack/locks/custom/two"])
        self.assertEqual(self.offered("spicerack", "locks", "show", "/spicerack/locks/co"),
                         ["/spicerack/locks/cookbooks/fixture.one"])
        [entry] = self.offered("spicerack", "locks", "release", "fixture.one", "")
        self.assertIn(entry, self.run_command("spicerack", "locks", "show", "--json", "fixture.one").out)

    def test_a_store_that_does_not_answer(self):
        with socket.create_server(("127.0.0.1", 0)) as server:
            etcd = self.write("etcd.yaml", 
                              f"host:\n  - [127.0.0.1, {server.getsockname()[1]}]\nprotocol: http\n", 0o600)
            config = self.write("slow.cfg", self.configuration(
                [FIXTURES], f'locks: {{ store = "etcd"; etcdrc = "/nonexistent"; }};\ninstance_params: {{ etcd_config = "{etcd}"; }};\n'))
            # On a busy machine the time may be over before it was asked.
            server.settimeout(0.5)
            for _ in range(40):
                self.assertEqual(self.ask("fish", "spicerack", "locks", "show", "-c", config, ""), [])
                with contextlib.suppress(TimeoutError):
                    return server.accept()[0].close()
            self.fail("the store was never asked")

    def test_keys(self):
        for key in ("dc1/web/nginx/web1", "dc1/web/nginx/web2", "dc2/db/mysql/db1"):
            done = self.run_command("spicerack", "kv", "set", f"/conftool/v1/pools/{key}", '{"pooled": "yes"}')
            self.assertEqual(done.code, 0, done)
        pools = "/conftool/v1/pools/"
        self.assertEqual(self.offered("spicerack", "kv", "get", ""), ["/conftool/"])
        self.assertEqual(self.offered("spicerack", "kv", "list", pools), [f"{pools}dc1/", f"{pools}dc2/"])
        self.assertEqual(self.offered("spicerack", "kv", "set", f"{pools}dc1/web/nginx/w"),
                         [f"{pools}dc1/web/nginx/web1", f"{pools}dc1/web/nginx/web2"])
        self.assertIn(f"+{pools}dc2/", self.ask("zsh", "spicerack", "kv", "delete", f"{pools}dc2"))
        for odd in ("conftool", "//", "/conftool/v1/pools/\xff/", "/nothing/"):
            self.assertEqual(self.offered("spicerack", "kv", "get", odd), [])

    def test_queries(self):
        remote = self.scratch / "remote"
        config = self.write("hosts.cfg", f'instance_params = {{ spicerack_config_dir = "{self.scratch}"; }};\n')
        self.write(remote / "hosts.yaml", "hosts:\n  web1.example: {}\n  web2.example: {}\n  db1.example: {}\n")
        self.write(remote / "aliases.cfg", 'aliases = ( { name = "web"; query = "web[1-2].example"; },\n'
                   '  { name = "web-all"; query = "A:web"; } );\n')
        self.write(remote / "config.cfg", 'default_backend = "S";\nbackends = ( { letter = "S"; driver = "static"; '
                   f'file = "{remote}/hosts.yaml"; }} );\n')
        for command in (["hosts", "-c", config], ["run", "-c", config], ["remote", "reap", "-c", config, "last"]):
            self.assertEqual(self.offered("spicerack", *command, "we"), ["web1.example", "web2.example"])
            self.assertEqual(self.offered("spicerack", *command, "A:"), ["A:web", "A:web-all"])
            self.assertEqual(self.offered("spicerack", *command, "db1.example or (A:web-"), ["db1.example or (A:web-all"])
            self.assertEqual(self.offered("spicerack", *command, "web[1-"), [])
        self.assertIn("A:web-all\tA:web", self.ask("fish", "spicerack", "hosts", "-c", config, "A"))
        self.write(remote / "config.cfg", 'default_backend = "P";\n')
        self.assertEqual(self.offered("spicerack", "hosts", "-c", config, ""), ["A:web", "A:web-all"])
        self.write(remote / "aliases.cfg", "nonsense")
        self.assertEqual(self.ask("fish", "spicerack", "hosts", "-c", config, "A"), ["words"])

    def test_files_of_the_commands_that_are_cookbooks(self):
        for words, kind in ((["run", "-c"], "files"), (["run", "--output-dir"], "directories"),
                            (["remote", "reap", "--config-file"], "files")):
            self.assertEqual(self.ask("fish", "spicerack", *words, "x"), [kind])

    def test_findings(self):
        self.assertEqual(self.offered("spicerack", "check", "--allow", "bad-t"), ["bad-table"])
        self.assertEqual(self.ask("fish", "spicerack", "check", "--tree", ""), ["directories"])

    def test_nothing_of_a_cookbook_runs(self):
        mark = self.scratch / "mark"
        self.env["FIXTURE_CONSTRUCTOR_MARK"] = str(mark)
        self.assertEqual(self.offered("cookbook", "fixture.constructor", "-"), ["--help"])
        self.assertFalse(mark.exists())
        self.cookbook("fixture.constructor")
        self.assertTrue(mark.exists())

    def test_nothing_is_said_nor_left_behind(self):
        before = sorted(self.scratch.rglob("*"))
        broken = self.write("broken.cfg", "nonsense = ;\n")
        before = sorted(self.scratch.rglob("*"))
        for words in (["cookbook", "-c", broken, ""], ["cookbook", "fixture.nonsense", "--"],
                      ["cookbook", "fixture.broken_arguments.One", "-"], ["cookbook", "fixture.several.", ""],
                      ["cookbook", "\xff\n", "-"], ["spicerack", "locks", "show", ""], ["spicerack", "runs", "show", ""],
                      ["spicerack", "locks", "release", "../x", ""], ["cookbook"], []):
            for shell in ("fish", "zsh"):
                self.assertLessEqual(len(self.ask(shell, *words)), 1, words)
        for words in ([], ["nonsense", "cookbook", ""], ["bash"], ["bash", BREAKS], ["bash", "", "cookbook '"]):
            self.ask(*(words or ["bash"]))
        self.assertEqual(sorted(self.scratch.rglob("*")), before)

    def test_what_bash_keeps_and_what_it_expands(self):
        def answer(line):
            return self.ask("bash", BREAKS, f"cookbook {line}")[1:]

        self.assertEqual(answer("fixture.complete --colour=re"), ["red"])
        self.assertEqual(answer("fixture.complete --colour='re"), ["red"])
        self.assertEqual(answer("'fixture.complete' --co"), ["--colour"])
        self.assertEqual(answer("fixture.com$x"), [])
        self.assertEqual(answer("fixture.complete >out --co"), ["--colour"])
        self.assertEqual(self.ask("bash", BREAKS, "cookbook fixture.complete 2> o"), ["files"])
        self.assertEqual(answer("fixture.complete --odd \"ban"), [])
        self.assertEqual(answer("fixture.complete --odd col"), [r"colon:s"])
        self.assertEqual(answer("fixture.complete --odd colon:"), ["s"])


class Keys:
    """Keys that are typed, in one shell."""

    shell = None

    def setUp(self):
        super().setUp()
        if not shutil.which(self.shell):
            self.skipTest(f"{self.shell} is not installed")
        self.stubs = self.scratch / "bin"
        for name in ("cookbook", "spicerack"):
            self.write(f"bin/{name}", STUB, 0o755)
        self.got = self.scratch / "got"
        self.work = self.scratch / "work"
        self.work.mkdir()
        self.env |= {"PATH": f"{self.stubs}:{os.environ['PATH']}", "STUB_FILE": str(self.got),
                     "XDG_DATA_DIRS": f"{SHARE}:/usr/local/share:/usr/share"}
        words, setup = SHELLS[self.shell]
        self.terminal = self.on_terminal(*words, size=(200, 50))
        for line in [f"cd {self.work}", *setup]:
            self.terminal.type(line.encode() + b"\r")
        self.terminal.wait_for(PROMPT)

    def typed(self, keys):
        """The words of the command when all of the keys and Enter were pressed."""
        self.got.unlink(missing_ok=True)
        self.terminal.read()
        self.terminal.shown = b""
        self.terminal.type(keys.encode() + b"\r")
        end = time.monotonic() + 20
        while not self.got.exists():
            if time.monotonic() > end or not self.terminal.read(0.01):
                self.fail(f"{keys!r} started no command, saw {self.terminal.shown!r}")
        self.terminal.wait_for(PROMPT)
        self.assertEqual(list(self.work.rglob("evaluated")), [])
        return self.got.read_bytes().decode().split("\0")[:-1]

    def test_keys(self):
        """In one shell: it takes as long to start as all of them."""
        for check in (self.names_options_and_choices, self.what_is_common, self.a_group_is_half_a_name,
                      self.odd_choices, self.odd_choices_in_quotes, self.files, self.a_run, self.descriptions):
            with self.subTest(check=check.__name__):
                check()

    def descriptions(self):
        """At the end, as there is no command; bash shows none."""

    def names_options_and_choices(self):
        self.assertEqual(self.typed("cookbook fixture.mis\t--ma\tx"),
                         ["cookbook", "fixture.misbehave", "--marks", "x"])
        self.assertEqual(self.typed(f"cookbook -c {self.config} fixture.compl\t--col\tr\t--site c\tdep\t"),
                         ["cookbook", "-c", str(self.config), "fixture.complete", "--colour", "red", "--site", "codfw", "depool"])
        self.assertEqual(self.typed("cookbook fixture.complete --colour=r\tpo\t"),
                         ["cookbook", "fixture.complete", "--colour=red", "pool"])
        self.assertEqual(self.typed("spicerack con\tsh\t--or\t"), ["spicerack", "config", "show", "--origin"])

    def what_is_common(self):
        self.assertEqual(self.typed("cookbook fixture.complete --colour g\te\t"),
                         ["cookbook", "fixture.complete", "--colour", "green"])

    def a_group_is_half_a_name(self):
        self.assertEqual(self.typed("cookbook fixture.tim\t"), ["cookbook", "fixture.timed."])

    def odd_choices(self):
        for word, keys in ODD.items():
            self.assertEqual(self.typed(f"cookbook fixture.complete --odd {keys}\t"),
                             ["cookbook", "fixture.complete", "--odd", word])

    def odd_choices_in_quotes(self):
        for quote in "'\"":
            for word in ("a b c", "it's", "x$(touch evaluated)", "y`touch evaluated`", "back\\slash", "glob*"):
                self.assertEqual(self.typed(f"cookbook fixture.complete --odd {quote}{ODD[word]}\t"),
                                 ["cookbook", "fixture.complete", "--odd", word])

    def files(self):
        for name in ("plain.cfg", "it's $(touch evaluated).so", "new\nline;touch evaluated"):
            (self.work / name).write_text("")
        self.assertEqual(self.typed("cookbook fixture.complete --file pl\t"),
                         ["cookbook", "fixture.complete", "--file", "plain.cfg"])
        self.assertEqual(self.typed("cookbook --config-file=pl\t"), ["cookbook", "--config-file=plain.cfg"])
        self.assertEqual(self.typed("spicerack check it\t"), ["spicerack", "check", "it's $(touch evaluated).so"])
        self.typed("spicerack check new\t")

    def a_run(self):
        run = subprocess.run([PREFIX / "bin" / "cookbook", "fixture.misbehave"], env=self.env, check=True,
                             capture_output=True)
        self.assertEqual(run.returncode, 0)
        [journal] = (self.scratch / "home").rglob("20*-*-*")
        name = pathlib.Path(journal.name).stem
        self.assertEqual(self.typed(f"spicerack runs show {name[:-1]}\t"), ["spicerack", "runs", "show", name])


class Bash(Keys, CompletionTest):
    shell = "bash"


class Zsh(Keys, CompletionTest):
    shell = "zsh"

    def descriptions(self):
        self.terminal.type(b"cookbook fixture.complete --\t")
        self.terminal.wait_for("-- one of red, green, grey")


class Fish(Keys, CompletionTest):
    shell = "fish"

    def descriptions(self):
        self.terminal.type(b"cookbook fixture.complete --\t")
        self.terminal.wait_for("one of red, green, grey")


if __name__ == "__main__":
    unittest.main()
