# SPDX-License-Identifier: Apache-2.0
"""What others add, built outside of the tree with the installed SDK: an accessor with its driver, the bundle that uses
it, and a store of locks. docs/extending.md is about these three."""

import json
import os
import pathlib
import re
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import unittest

import lock_rules
from harness import CC, LONG, PREFIX, SANITIZED, SOURCE, CommandTest
from test_packages import PLACES, PackageTest, fields, relations

SAMPLES = SOURCE / "tests/extension"
PLUGINS = PREFIX / "lib/spicerack/plugins"
DRIVERS = ("racks-sqlite.so", "lock-files.so")


class Samples:
    """Where the three are built and installed."""

    place = None

    @classmethod
    def build(cls, name, *words):
        directory = cls.place / name
        cls.run("cmake", "-S", SAMPLES / name, "-B", directory, f"-DCMAKE_PREFIX_PATH={PREFIX};{cls.place}/usr",
                f"-DCMAKE_C_COMPILER={CC}", f"-DCMAKE_INSTALL_PREFIX={cls.place}/usr", "-DCMAKE_C_FLAGS=-Werror", *words)
        cls.run("cmake", "--build", directory)
        cls.run("cmake", "--install", directory)

    @staticmethod
    def run(*words, **more):
        done = subprocess.run([str(word) for word in words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              check=False, **more)
        if done.returncode:
            raise AssertionError(f"{words} ended with {done.returncode}:\n{done.stdout}")
        return done.stdout


def setUpModule():
    if SANITIZED:
        raise unittest.SkipTest("the installed library asks for a sanitizer that these are built without")
    Samples.place = pathlib.Path(tempfile.mkdtemp(prefix="spicerack-extending-"))
    unittest.addModuleCleanup(shutil.rmtree, Samples.place, ignore_errors=True)
    Samples.build("racks")
    # Where no package puts libraries: a run finds them by what the bundle says.
    Samples.build("bundle", f"-DCMAKE_INSTALL_RPATH={Samples.place}/usr/lib")
    Samples.build("locks")
    for name in DRIVERS:
        unittest.addModuleCleanup((PLUGINS / name).unlink, missing_ok=True)
        shutil.copy(Samples.place / "usr/lib/spicerack/plugins" / name, PLUGINS)


class Accessor(CommandTest):
    NAME = "racks.repair"

    def setUp(self):
        super().setUp()
        self.tree = Samples.place / "usr/lib/spicerack/cookbooks/example-racks-cookbooks"
        self.register = self.scratch / "racks.db"
        with sqlite3.connect(self.register) as database:
            database.execute("CREATE TABLE machines (name TEXT PRIMARY KEY, state TEXT)")
            database.executemany("INSERT INTO machines VALUES (?, ?)", [("web1", "active"), ("old1", "retired")])
        database.close()
        self.config = self.write("racks.cfg", self.configuration(
            [self.tree], f'instance_params = {{ spicerack_config_dir = "{self.scratch}/modules"; }};\n'))
        self.configure(f'settings = {{ file = "{self.register}"; }};\n')

    def configure(self, text):
        self.write("modules/racks/config.cfg", text)

    def state(self, host="web1"):
        database = sqlite3.connect(self.register)
        [[state]] = database.execute("SELECT state FROM machines WHERE name = ?", [host])
        database.close()
        return state

    def without(self, path):
        """Takes a file away until the test ends."""
        away = path.with_name("away")
        path.rename(away)
        self.addCleanup(away.rename, path)

    def check(self, code=0, *words):
        result = self.run_command("spicerack", "check", *words, "--allow", "untrusted-place", self.tree)
        self.assertEqual(result.code, code, result)
        return result

    def test_a_run(self):
        result = self.cookbook(self.NAME, "web1", "--takes", "0s")
        self.assertEqual(result.code, 0, result)
        self.assertIn("the state of 'web1' is 'repair'\ntesting 'web1'\nthe state of 'web1' is 'active'\n", result.err)
        self.assertIn("'old1' is retired", self.cookbook(self.NAME, "old1").err)
        result = self.cookbook(self.NAME, "web2")
        self.assertEqual(result.code, 94)
        self.assertIn("there is no machine 'web2' [racks.unknown]", result.err)

    def test_a_dry_run(self):
        result = self.cookbook("--dry-run", self.NAME, "web1", "--takes", "0s")
        self.assertEqual(result.code, 0, result)
        self.assertIn("DRY-RUN: would set the state of 'web1' to 'repair'\n", result.err)
        self.assertNotIn("the state of 'web1' is", result.err)
        self.assertRegex(result.err, r"(?s)[Rr]ead.*the state of 'web1'.*set the state of 'web1' to 'repair'")
        self.assertEqual(self.state(), "active")

    def test_it_is_undone_after_a_crash(self):
        run = self.start(self.NAME, "web1", "--takes", "10m")
        self.wait_for_log("testing 'web1'", self.NAME)
        self.assertEqual(self.state(), "repair")
        os.kill(self.process_named("spicerack-work"), signal.SIGKILL)
        result = self.finish(run)
        self.assertEqual(result.code, 92, result)
        self.assertEqual(self.state(), "active")

    def test_it_is_interrupted_while_it_waits(self):
        other = sqlite3.connect(self.register, isolation_level=None)
        self.addCleanup(other.close)
        other.execute("BEGIN EXCLUSIVE")
        run = self.start(self.NAME, "web1")
        self.process_named("spicerack-work")
        run.send_signal(signal.SIGINT)
        result = self.finish(run)
        self.assertEqual(result.code, 97, result)

    def test_its_configuration(self):
        for text, why in (("drivr = 1;", "modules/racks/config.cfg:1: unknown key 'drivr' [config.type]"),
                          ('settings = { fil = "x"; };', "cannot open the register: unknown setting 'fil' [racks.register]"),
                          ("settings = { file = 1; };", "the setting 'settings.file' is a whole number, not a text [config.type]"),
                          ('driver = "../x";', "there is no driver 'racks-../x': not such a name [driver]"),
                          ('driver = "none";', "the driver racks-none is not installed")):
            with self.subTest(text):
                self.configure(text)
                result = self.cookbook(self.NAME, "web1")
                self.assertEqual(result.code, 94, result)
                self.assertIn(why, result.err)
        (self.scratch / "modules/racks/config.cfg").unlink()
        self.assertIn("[config.file]", self.cookbook(self.NAME, "web1").err)

    def test_misuse(self):
        result = self.cookbook(self.NAME, "")
        self.assertEqual(result.code, 94, result)
        self.assertIn("misuse of racks_state(): 'host' is empty [misuse]", result.err)

    def test_check_knows_the_driver(self):
        self.assertEqual(json.loads(self.check(0, "--json").out)["drivers"], ["racks"])
        self.assertNotIn("missing-driver", self.check().out)
        self.without(PLUGINS / "racks-sqlite.so")
        self.assertRegex(self.check().out, r"repair\.so: note: missing-driver: libexample-racks\.so\.1 opens a driver of the kind "
                         r"'racks', and none is installed \(install a package that provides spicerack-KIND-driver")
        result = self.cookbook(self.NAME, "web1")
        self.assertEqual(result.code, 94, result)
        self.assertIn(f"the driver racks-sqlite is not installed: '{PLUGINS}/racks-sqlite.so': No such file or directory [driver]",
                      result.err)

    def test_check_knows_the_library(self):
        self.without(Samples.place / "usr/lib/libexample-racks.so.1")
        self.assertRegex(self.check(1).out, r"repair\.so: error: missing-library: 'libexample-racks\.so\.1': not found")
        result = self.cookbook(self.NAME, "web1")
        self.assertEqual(result.code, 98, result)
        self.assertIn("libexample-racks.so.1: cannot open shared object file", result.err)

    def test_the_kit_knows_it(self):
        shown = Samples.run("ctest", "--test-dir", Samples.place / "bundle", "--output-on-failure",
                            env={**os.environ, "EXAMPLE_RACKS_REGISTER": str(self.register)})
        self.assertIn("100% tests passed", shown)
        self.assertEqual(self.state(), "active")

    def test_the_kit_fails_where_it_should(self):
        """The same tests, of a cookbook that does not give back."""
        source = self.scratch / "broken"
        shutil.copytree(SAMPLES / "bundle", source)
        repair = source / "cookbooks/racks/repair.c"
        repair.write_text(repair.read_text().replace("SPK_SCOPED(racks_state_scope(repair->racks, repair->host, \"repair\"))",
                                                     "racks_set_state(repair->racks, repair->host, \"repair\")"))
        Samples.run("cmake", "-S", source, "-B", source / "build", f"-DCMAKE_PREFIX_PATH={PREFIX};{Samples.place}/usr",
                    f"-DCMAKE_C_COMPILER={CC}", f"-DCMAKE_INSTALL_RPATH={Samples.place}/usr/lib")
        Samples.run("cmake", "--build", source / "build")
        result = self.run_command(source / "build/test-racks.repair")
        self.assertEqual(result.code, 1, result)
        self.assertIn("no line 'racks set web1 active -> ' behind", result.err)


class Package(PackageTest):
    def test_it_depends_on_what_the_cookbooks_need(self):
        source = self.scratch / "source"
        shutil.copytree(SAMPLES / "bundle", source)
        self.env["CMAKE_PREFIX_PATH"] += f":{Samples.place}/usr"
        self.env["LD_LIBRARY_PATH"] += f":{Samples.place}/usr/lib"
        # The library's package is not here, either.
        control = source / "debian/libexample-racks1/DEBIAN"
        control.mkdir(parents=True)
        shutil.copyfile(SAMPLES / "racks/debian/libexample-racks1.symbols", control / "symbols")
        debs = self.package(source)
        self.assertEqual(relations(debs["example-racks-cookbooks"], "Depends"),
                         ["libexample-racks1 (>= 1.0)", "libspicerack1 (>= 1.0)", "spicerack (>= 1.0)", "spicerack-racks-driver"])

    def test_what_the_driver_provides(self):
        self.write("debian/control", (SAMPLES / "racks/debian/control").read_text())
        self.write("debian/changelog", (SAMPLES / "racks/debian/changelog").read_text())
        target = self.scratch / f"debian/example-racks-sqlite/{PLACES}/plugins"
        target.mkdir(parents=True)
        shutil.copy(Samples.place / "usr/lib/spicerack/plugins/racks-sqlite.so", target)
        self.succeed("dh_spicerack")
        self.assertIn("spicerack:Provides=spicerack-racks-driver",
                      (self.scratch / "debian/example-racks-sqlite.substvars").read_text())


class FileStore(lock_rules.Store):
    """The sample's store, by the rules of every store."""

    def store_settings(self):
        return f'store = "files"; directory = "{self.scratch}/locks";'


class LockOfARun(FileStore, lock_rules.LockOfARun):
    pass


@unittest.skipUnless(LONG, "the rules are held in every run for the stores that are ours")
class LocksOfACookbook(FileStore, lock_rules.LocksOfACookbook):
    pass


@unittest.skipUnless(LONG, "the rules are held in every run for the stores that are ours")
class Deaths(FileStore, lock_rules.Deaths):
    pass


@unittest.skipUnless(LONG, "the rules are held in every run for the stores that are ours")
class Commands(FileStore, lock_rules.Commands):
    pass


@unittest.skipUnless(LONG, "the rules are held in every run for the stores that are ours")
class Contention(FileStore, lock_rules.Contention):
    pass


class Files(FileStore, lock_rules.LocksTest):
    """What the host does for a store that keeps files, and this one with them."""

    def test_the_host_makes_its_directory(self):
        self.assertEqual(self.run_fixture().code, 0)
        self.assertEqual(sorted(path.name for path in (self.scratch / "locks").iterdir()), ["files", "runs"])
        self.assertEqual((self.scratch / "locks/files/entries").read_text(), "1\n")

    def test_a_dry_run_makes_nothing(self):
        self.assertEqual(self.run_fixture(options=["--dry-run"]).code, 0)
        self.assertFalse((self.scratch / "locks").exists())

    def test_a_damaged_file(self):
        self.assertEqual(self.run_fixture().code, 0)
        (self.scratch / "locks/files/entries").write_text("1\nnonsense\n")
        result = self.run_fixture()
        self.assertEqual(result.code, 90, result)
        self.assertIn("/locks/files/entries:2: this is no entry", result.err)

    def test_a_store_that_is_not_there(self):
        self.config.write_text(self.config.read_text().replace('"files"', '"paper"'))
        result = self.run_fixture()
        self.assertEqual(result.code, 90, result)
        self.assertIn("the driver lock-paper is not installed", result.err)


if __name__ == "__main__":
    unittest.main()
