# SPDX-License-Identifier: Apache-2.0
"""Configuration end to end: -c, the places that are looked in, the environment, `spicerack config show`."""

import os
import unittest

from harness import FIXTURES, CommandTest


class ConfigTest(CommandTest):
    def show(self, *words, code=0):
        result = self.run_command("spicerack", "config", "show", *words)
        self.assertEqual(result.code, code, result)
        return result


class Wrong(ConfigTest):
    """A mistake is one line with file and line number, exit 1, and nothing is done."""

    def check_wrong(self, text, line, message):
        path = self.write("wrong.cfg", text)
        where = f"{path}:{line}: " if line else f"{path}: "
        for words in (["-l"], ["fixture.misbehave", "--marks", self.marks_file], ["fixture.misbehave", "--help"]):
            result = self.cookbook(*words, config=path)
            self.assertEqual((result.code, result.out), (1, ""), result)
            self.assertEqual(result.err, f"cookbook: {where}{message}\n")
        self.assertEqual(self.show("-c", path, code=1).err, f"{where}{message}\n")
        self.assertNoTraces()

    def test_key(self):
        self.check_wrong('logs_base_dir = "/tmp";\ncookbook_base_dirs = [];\n', 2, "unknown key 'cookbook_base_dirs'")
        self.check_wrong('instance_params = {\n  http_prox = "x";\n};\n', 2, "unknown key 'instance_params.http_prox'")

    def test_type(self):
        self.check_wrong("\n\nlogs_base_dir = 5;\n", 3, "'logs_base_dir' must be an absolute path, not an integer")

    def test_path(self):
        self.check_wrong('logs_base_dir = "relative";\n', 1, "'logs_base_dir' must be an absolute path, not 'relative'")

    def test_syntax(self):
        self.check_wrong('logs_base_dir = "/tmp"\nnonsense\n', 3, "syntax error")

    def test_include(self):
        path = self.write("wrong.cfg", '@include "/dev/zero"\n')
        result = self.cookbook("-l", config=path)
        self.assertEqual(result.code, 1)
        self.assertTrue(result.err.startswith(f"cookbook: {path}:1: "), result)

    def test_missing_file(self):
        path = self.scratch / "nowhere.cfg"
        result = self.cookbook("-l", config=path)
        self.assertEqual(result.code, 1)
        self.assertRegex(result.err, rf"^cookbook: {path}: [^\n]*No such file or directory\n$")

    def test_not_a_file(self):
        result = self.cookbook("-l", config=self.scratch)
        self.assertEqual(result.code, 1)
        self.assertRegex(result.err, rf"^cookbook: {self.scratch}: [^\n]+\n$")

    def test_not_trusted(self):
        self.config.chmod(0o666)
        result = self.cookbook("-l")
        self.assertEqual((result.code, result.err),
                         (1, f"cookbook: {self.config}: not trusted, others may write to it\n"))


class Places(ConfigTest):
    """The files of a user, which root does not read: the tests then become another user."""

    def setUp(self):
        super().setUp()
        self.user = self.scratch / "home/.config/spicerack"
        self.write("home/.config/spicerack/spicerack.cfg", self.config.read_text())

    def run_command(self, *words, **options):
        if os.geteuid() != 0:
            return super().run_command(*words, **options)
        for path in (self.scratch, *self.scratch.rglob("*")):
            os.chown(path, 65534, 65534)
        return super().run_command(*words, user=65534, group=65534, extra_groups=[], **options)

    @unittest.skipIf(os.geteuid() != 0, "needs root")
    def test_root_does_not_read_them(self):
        result = super().run_command("spicerack", "config", "show")
        self.assertEqual(result.code, 0)
        self.assertNotIn(str(FIXTURES), result.out)

    def test_of_the_user(self):
        result = self.run_command("cookbook", "-l")
        self.assertIn("fixture.misbehave", result.out)
        self.assertEqual(self.run_command("cookbook", "fixture.several.Alpha").code, 0)
        self.assertTrue((self.logs / "fixture/several/Alpha.log").exists())

    def test_fragments_come_later_in_byte_order(self):
        self.write("home/.config/spicerack/conf.d/20.cfg", 'instance_params = { http_proxy = "twenty"; };\n')
        self.write("home/.config/spicerack/conf.d/10.cfg", 'instance_params = { http_proxy = "ten"; };\n')
        self.write("home/.config/spicerack/conf.d/30.txt", "nonsense")
        out = self.show("--origin").out
        self.assertRegex(out, rf'http_proxy = "twenty"; +# {self.user}/conf\.d/20\.cfg:1\n')

    def test_xdg(self):
        self.env["XDG_CONFIG_HOME"] = str(self.scratch / "xdg")
        self.write("xdg/spicerack/spicerack.cfg", 'instance_params = { http_proxy = "xdg"; };\n')
        self.assertIn('http_proxy = "xdg";', self.show().out)
        self.assertNotIn(str(FIXTURES), self.show().out)

    def test_c_instead_of_all_others(self):
        config = self.write("alone.cfg", 'instance_params = { http_proxy = "alone"; };\n')
        out = self.show("-c", config).out
        self.assertIn('"alone"', out)
        self.assertNotIn(str(FIXTURES), out)

    def test_the_environment_over_all(self):
        self.env["SPICERACK_LOGS_BASE_DIR"] = str(self.scratch / "elsewhere")
        self.env["SPICERACK_INSTANCE_PARAMS_HTTP_PROXY"] = "environment"
        self.assertRegex(self.show("--origin").out, r'http_proxy = "environment"; +# SPICERACK_INSTANCE_PARAMS_HTTP_PROXY\n')
        self.assertEqual(self.cookbook("fixture.several.Alpha").code, 0)
        self.assertTrue((self.scratch / "elsewhere/fixture/several/Alpha.log").exists())
        self.assertFalse(self.logs.exists())

    def test_bases_in_the_environment(self):
        self.env["SPICERACK_COOKBOOKS_BASE_DIRS"] = f"{self.scratch / 'home'}:{FIXTURES}"
        self.assertIn("fixture.misbehave", self.run_command("cookbook", "-l").out)

    def test_an_unknown_variable(self):
        self.env["SPICERACK_LOG_BASE_DIR"] = "/tmp"
        result = self.cookbook("-l")
        self.assertEqual((result.code, result.err), (1, "cookbook: SPICERACK_LOG_BASE_DIR: no such setting of spicerack "
                                                        "in the environment\n"))


class Show(ConfigTest):
    def test_round_trip(self):
        config = self.write("full.cfg", self.configuration(
            [FIXTURES, "/a \\\"quoted\\\" place"], 'sites = { core = ["codfw", "eqiad"]; edge = ["esams"]; };\n'
            'instance_params = { http_proxy = "p:1"; spicerack_config_dir = "/etc/x"; };\n'))
        first = self.show("-c", config).out
        second = self.show("-c", self.write("again.cfg", first)).out
        self.assertEqual(first, second)
        for text in ('"/a \\"quoted\\" place"', 'core = ["codfw", "eqiad"];', 'http_proxy = "p:1";'):
            self.assertIn(text, first)

    def test_origin(self):
        out = self.show("-c", self.config, "--origin").out
        self.assertRegex(out, rf'logs_base_dir = "{self.logs}"; +# {self.config}:2\n')
        self.assertRegex(out, r"http_proxy = \"\"; +# default\n")
        # Origins are comments: it reads back as it is.
        self.assertEqual(self.show("-c", self.write("again.cfg", out)).out, self.show("-c", self.config).out)

    def test_usage(self):
        for words in ([], ["nonsense"], ["show", "--nonsense"], ["show", "-c"]):
            result = self.run_command("spicerack", "config", *words)
            self.assertEqual((result.code, result.out), (2, ""), result)
            self.assertTrue(result.err.startswith("usage: spicerack config"), result)


if __name__ == "__main__":
    unittest.main()
