# SPDX-License-Identifier: Apache-2.0
"""Packages: a bundle built into .debs with the installed SDK, what dh_spicerack refuses, and the host's own packages."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from harness import BUILD, LONG, PREFIX, SANITIZED, SOURCE, CommandTest, compile_cookbook, without_id

BUNDLE = SOURCE / "tests/bundle"
MULTIARCH = subprocess.run(["dpkg-architecture", "-qDEB_HOST_MULTIARCH"], stdout=subprocess.PIPE, text=True,
                           check=False).stdout.strip() if shutil.which("dpkg-architecture") else ""
PLACES = f"usr/lib/{MULTIARCH}/spicerack"

PLAIN = """#include <spicerack/cookbook.h>
static int run(struct spk *spk, void *self) { %s return 0; }
SPK_COOKBOOK(.title = "x", .owner = "y", .run = run);
"""


def fields(deb):
    """The control file of a package, without its description."""
    text = subprocess.check_output(["dpkg-deb", "-f", deb], text=True)
    return dict(re.findall(r"^([\w-]+): (.*)$", text, re.M))


def relations(deb, field):
    """The relations of a package, without those to the C library."""
    return [one for one in fields(deb).get(field, "").split(", ") if one and not one.startswith("libc6 ")]


def below(directory):
    """The files below a directory, relative to it."""
    return sorted(str(path.relative_to(directory)) for path in directory.rglob("*") if not path.is_dir())


@unittest.skipUnless(shutil.which("dh_install") and MULTIARCH, "debhelper is not installed")
@unittest.skipIf(SANITIZED, "the installed library asks for a sanitizer that a bundle is built without")
class PackageTest(CommandTest):
    """What a packager's machine has, from the prefix."""

    def setUp(self):
        super().setUp()
        self.env.update(PERL5LIB=f"{PREFIX}/share/perl5", CMAKE_PREFIX_PATH=str(PREFIX),
                        LD_LIBRARY_PATH=str(PREFIX / "lib"))

    def succeed(self, *words, **options):
        result = self.run_command(*words, **options)
        self.assertEqual(result.code, 0, result)
        return result

    def package(self, source):
        """Builds a bundle; returns its packages by name."""
        # The library has no package here: what that would say of it is beside the bundle's own.
        control = source / "debian/libspicerack1/DEBIAN"
        control.mkdir(parents=True)
        shutil.copyfile(SOURCE / "debian/libspicerack1.symbols", control / "symbols")
        self.env["DEB_BUILD_OPTIONS"] = "noautodbgsym"
        result = self.succeed("dpkg-buildpackage", "-us", "-uc", "-b", "-d", "-nc", cwd=source, timeout=500)
        self.assertNotIn("substitution variable", result.err)
        return {fields(path)["Package"]: path for path in source.parent.glob("*.deb")}


class Bundle(PackageTest):
    def test_is_built_unpacked_listed_and_run(self):
        source = self.scratch / "source"
        shutil.copytree(BUNDLE, source)
        debs = self.package(source)
        tree = self.scratch / "root"
        for name, path in debs.items():
            self.succeed("dpkg-deb", "-x", path, tree)
            members = self.succeed("sh", "-c", f"dpkg-deb --ctrl-tarfile '{path}' | tar -t").out.split()
            self.assertEqual(sorted(members), ["./", "./control", "./md5sums"], f"no maintainer scripts nor triggers in {name}")
        self.assertEqual([path for path in below(tree) if "/doc/" not in path], [
            f"{PLACES}/cookbooks/example-hosts/hosts/example-uptime.so",
            f"{PLACES}/cookbooks/example-hosts/hosts/group.cfg",
            f"{PLACES}/cookbooks/example-maintenance/libwords.so.0",
            f"{PLACES}/cookbooks/example-maintenance/maintenance/group.cfg",
            f"{PLACES}/cookbooks/example-maintenance/maintenance/tell.so",
            f"{PLACES}/cookbooks/example-maintenance/maintenance/wait.so",
            f"{PLACES}/plugins/notify-spool.so",
        ])
        own = ["libspicerack1 (>= 1.0)", "spicerack (>= 1.0)"]
        self.assertEqual(relations(debs["example-maintenance"], "Depends"), own)
        self.assertEqual(relations(debs["example-hosts"], "Depends"),
                         own + ["spicerack-driver-libssh | spicerack-transport-driver"])
        self.assertEqual(relations(debs["example-notifier"], "Depends"), own[1:])
        self.assertEqual(relations(debs["example-notifier"], "Provides"), ["spicerack-notify-driver"])

        self.config = self.write("bundle.cfg", self.configuration(sorted((tree / PLACES / "cookbooks").iterdir())))
        listed = self.cookbook("-lv")
        self.assertEqual(listed.out, "cookbooks\n"
                         "|-- hosts: Hosts\n"
                         "|   `-- hosts.example-uptime: Ask hosts for their uptime [Service Operations]\n"
                         "`-- maintenance: Maintenance\n"
                         "    |-- maintenance.tell: Tell something [Example Operations]\n"
                         "    `-- maintenance.wait: Wait for a file [Example Operations]\n")
        self.assertEqual((listed.code, listed.err), (0, ""))
        result = self.cookbook("maintenance.wait", self.config)
        self.assertEqual(result.code, 0, result)
        self.assertIn("the bundle tells it is there\n", result.err)


class Staged(PackageTest):
    """dh_spicerack alone, on what `make install` could have left."""

    def setUp(self):
        super().setUp()
        self.write("debian/control", "Source: mine\nMaintainer: A <a@example.org>\n"
                   "Build-Depends: debhelper-compat (= 13)\n\n"
                   "Package: mine\nArchitecture: any\nDescription: x\n\n"
                   "Package: mine-doc\nArchitecture: all\nDescription: x\n")
        self.write("debian/changelog", "mine (1) stable; urgency=low\n\n  * x\n\n -- A <a@example.org>  "
                   "Thu, 26 Nov 2026 09:00:00 +0000\n")
        self.root = self.scratch / "debian/mine"

    made = []  # the plain cookbook, compiled once

    def cookbook_at(self, path, body=""):
        target = self.scratch / path
        if self.made and not body:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(self.made[0])
            return target
        compile_cookbook(self, self.write("plain.c", PLAIN % body), target, "-O0")
        if not body:
            self.made.append(target.read_bytes())
        return target

    def place(self, *words):
        return self.run_command("dh_spicerack", *words)

    def substvars(self):
        return (self.scratch / "debian/mine.substvars").read_text().splitlines()

    def refused(self, message, *words):
        result = self.place(*words)
        self.assertNotEqual(result.code, 0, result)
        self.assertRegex(result.out + result.err, message)

    def test_any_name_of_a_base_becomes_the_packages(self):
        self.cookbook_at("debian/mine/usr/lib/spicerack/cookbooks/upstream/group/one.so")
        self.write("debian/mine/usr/lib/spicerack/cookbooks/upstream/group/group.cfg", 'title = "T";\n')
        result = self.place()
        self.assertEqual((result.code, result.out, result.err), (0, "", ""))
        base = f"{PLACES}/cookbooks/mine/group"
        self.assertEqual(below(self.root), [f"{base}/group.cfg", f"{base}/one.so"])
        self.assertFalse((self.root / "usr/lib/spicerack").exists())
        self.assertEqual(self.substvars(), ["spicerack:Depends=spicerack (>= 1.0)"])

    def test_what_is_named_is_looked_through_by_descriptor(self):
        self.cookbook_at("out/group/sub/one.so")
        self.write("out/group/sub/group.cfg", 'title = "S";\n')
        self.write("out/group.cfg", 'title = "All";\n')
        self.write("out/group/other.so", "no shared object\n")
        self.write("out/unused/group.cfg", 'title = "Unused";\n')
        shutil.copyfile(PREFIX / "lib/libspicerack.so.1", self.scratch / "out/library.so")
        self.write("debian/mine.spicerack", "out/\n")
        self.assertEqual(self.place().code, 0)
        base = f"{PLACES}/cookbooks/mine"
        self.assertEqual(below(self.root), [f"{base}/group.cfg", f"{base}/group/sub/group.cfg", f"{base}/group/sub/one.so"])

    def test_a_cookbook_outside_of_a_base_is_refused(self):
        self.cookbook_at("debian/mine/usr/lib/mine/one.so")
        self.refused("debian/mine/usr/lib/mine/one.so is a cookbook, but in no base directory")

    def test_what_the_check_refuses_is_refused(self):
        place = f"debian/mine/{PLACES}/cookbooks/mine"
        self.cookbook_at(f"{place}/one.so")
        self.write(f"{place}/broken.so", "no shared object\n")
        self.refused(f"{place}/broken.so: error: not-shared-object: ")

    def test_warnings_are_shown_and_refused_when_asked_to(self):
        place = f"debian/mine/{PLACES}/cookbooks/mine"
        self.cookbook_at(f"{place}/one.so", "static int n; n++; spk_info(spk, \"%d\", n);")
        result = self.place()
        self.assertEqual(result.code, 0, result)
        self.assertIn(f"{place}/one.so: warning: writable-global: ", result.out)
        self.refused("writable-global", "--", "--strict")
        self.assertEqual(self.place("--", "--strict", "--allow", "writable-global").code, 0)

    def test_another_title_than_an_installed_group_is_refused(self):
        place = f"debian/mine/{PLACES}/cookbooks/mine"
        self.cookbook_at(f"{place}/group/sub/one.so")
        self.write(f"{place}/group/group.cfg", 'title = "Ours";\n')
        self.write(f"{place}/group/sub/group.cfg", 'title = "Sub"; owner = "Team";\n')
        self.write("installed/other/group/group.cfg", 'title = "Theirs";\n')
        self.write("installed/other/group/sub/group.cfg", 'title = "Sub"; owner = "Other Team";\n')
        self.write("installed/mine/group/group.cfg", 'title = "What it was";\n')
        self.env["SPICERACK_COOKBOOKS_BASE_DIRS"] = ":".join(
            str(self.scratch / "installed" / name) for name in ("mine", "other"))
        result = self.place()
        self.assertNotEqual(result.code, 0, result)
        found = [line for line in result.out.splitlines() if "bad-group" in line]
        self.assertEqual(len(found), 2, result)
        self.assertIn(f"{place}/group/group.cfg: error: bad-group: its title is not that of the same group in "
                      f"'{self.scratch}/installed/other/group/group.cfg'", found[0])
        self.assertIn("its owner is not that of the same group in", found[1])

    def test_two_files_for_one_place_are_refused(self):
        for name in ("a", "b"):
            self.cookbook_at(f"debian/mine/usr/lib/spicerack/cookbooks/{name}/one.so")
        self.refused("and another file are both to be debian/mine/.*/one.so")

    def test_nothing_to_do_is_refused(self):
        self.refused("there is no cookbook in any package")
        self.write("debian/mine.spicerack", "missing\n")
        self.refused("'missing' is no directory")
        (self.scratch / "missing").mkdir()
        self.refused("there is no cookbook in missing")
        self.assertEqual(self.place("-i").code, 0)

    def test_drivers_that_calls_need(self):
        for body, needs in (("spk_info(spk, \"%s\", spk_http_proxy(spk)); (void)spk_confctl(spk, \"node\");", []),
                            ("(void)spk_remote_query(spk, \"x\");", ["transport"]),
                            ("(void)spk_http(spk, NULL);", ["http"])):
            with self.subTest(body):
                path = self.cookbook_at("one.so", body)
                result = self.run_command("spicerack", "check", "--json", path)
                self.assertEqual(json.loads(result.out)["drivers"], needs, result)


class Drivers(CommandTest):
    """The table of calls that open drivers which not every host has, against the headers."""

    HEADERS = {"http.h": "HTTP", "prometheus.h": "HTTP", "cluster.h": "TRANSPORT", "fleet.h": "TRANSPORT",
               "remote.h": "TRANSPORT"}

    def test_no_call_is_forgotten(self):
        stems = dict(re.findall(r'\{"(\w+)", NEED_(\w+)\}', (SOURCE / "core/host/check/driverneed.c").read_text()))
        for header, need in self.HEADERS.items():
            text = re.sub(r"/\*.*?\*/", "", (SOURCE / "sdk/include/spicerack" / header).read_text(), flags=re.S)
            functions = re.findall(r"^SPK_API [^;(]*?\b(spk_\w+)\(", text, re.M)
            self.assertTrue(functions)
            for function in functions:
                self.assertIn(need, {stems[stem] for stem in stems if re.fullmatch(rf"{stem}(_\w+)?", function)}, function)


class Lists(CommandTest):
    """What debian/ says of files, against what is installed."""

    def patterns(self):
        for path in sorted((SOURCE / "debian").glob("*.install")):
            for line in path.read_text().splitlines():
                yield path.name, line.split()[0]
        for line in (SOURCE / "debian/not-installed").read_text().splitlines():
            yield "not-installed", line

    @unittest.skipIf(SANITIZED, "once is enough")
    def test_each_file_is_in_one_package(self):
        patterns = [(name, pattern) for name, pattern in self.patterns() if pattern.startswith("usr/")]
        used = set()
        manifest = (BUILD / "install_manifest.txt").read_text().splitlines()
        self.assertGreater(len(manifest), 50)
        for line in manifest:
            path = pathlib.Path("usr") / pathlib.Path(line).relative_to(PREFIX)
            if path.parts[1] == "lib" and path.parts[2] not in ("systemd", "sysusers.d", "tmpfiles.d"):
                path = pathlib.Path("usr/lib/MULTIARCH", *path.parts[2:])
            takers = {(name, pattern) for name, pattern in patterns
                      if any(one.match(pattern) for one in (path, *path.parents) if len(one.parts) == pattern.count("/") + 1)}
            if path.parts[2] not in ("bash-completion", "zsh", "fish"):  # debian/rules has these
                self.assertEqual(len(takers), 1, f"{path}: {takers}")
            used |= takers
        self.assertEqual(set(patterns) - used, set(), "nothing is there for them")

    def test_the_sample_configuration_is_one(self):
        text = (SOURCE / "docs/spicerack.cfg").read_text()
        result = self.run_command("spicerack", "config", "show", "--origin", "-c", self.write("empty.cfg", text))
        self.assertEqual((result.code, result.err), (0, ""))
        self.assertNotIn("empty.cfg", result.out)
        sample = self.write("sample.cfg", re.sub(r"^#(?=[a-z }])(?! )", "", re.sub(r"^#  ", "  ", text, flags=re.M), flags=re.M))
        result = self.run_command("spicerack", "config", "show", "--origin", "-c", sample)
        self.assertEqual((result.code, result.err), (0, ""))
        self.assertGreaterEqual(result.out.count("sample.cfg:"), 8, result)


def mirror():
    """Where this machine gets its Debian from: suite and URI of apt's first source of the release's own packages."""
    release = re.search(r"^VERSION_CODENAME=(\w+)$", pathlib.Path("/etc/os-release").read_text(), re.M)[1]
    text = subprocess.check_output(["apt-get", "indextargets", "--format", "$(RELEASE) $(SITE) $(ORIGIN)",
                                    "Created-By: Packages"], text=True)
    return next(line.split()[:2] for line in text.splitlines() if line.startswith(f"{release} ") and "Debian" in line)


def dependencies(debs):
    """The names of Debian's packages that these packages ask for: of alternatives the last, which is the smallest."""
    names = {alternatives.split("|")[-1].split()[0].partition(":")[0] for deb in debs
             for field in ("Depends", "Pre-Depends") for alternatives in fields(deb).get(field, "").split(", ")
             if alternatives.strip()}
    names -= {fields(deb)["Package"] for deb in debs}
    # Others of ours, and names that several packages have.
    return sorted(name for name in names if "spicerack" not in name and not name.startswith("systemd-"))


@unittest.skipUnless(LONG, "builds packages and a system to install them in: half an hour")
@unittest.skipUnless(os.geteuid() == 0 and shutil.which("debootstrap") and shutil.which("dh"),
                     "not as root, or without debootstrap")
@unittest.skipIf(SANITIZED, "packages are built without sanitizers")
class Host(CommandTest):
    """The host's own packages in a system of their own, as they are built from the tree."""

    # What installing and removing any package changes.
    ANYWAY = re.compile(r"^(var/(lib/dpkg|log|cache)|etc/(group|gshadow|[.]pwd[.]lock|ld[.]so[.]cache)|root|proc|tmp|build|dev)")

    @classmethod
    def setUpClass(cls):
        cls.place = pathlib.Path(tempfile.mkdtemp(prefix="spicerack-packages-"))
        cls.addClassCleanup(shutil.rmtree, cls.place, ignore_errors=True)
        cls.root = cls.place / "root"
        cls.pristine, cls.source = cls.place / "pristine", cls.place / "spicerack"
        shutil.copytree(SOURCE, cls.pristine, symlinks=True, ignore=shutil.ignore_patterns("build*", ".git", ".cache"))
        cls.build(cls.source, "parallel=2")
        cls.debs = sorted(path for path in cls.place.glob("*.deb") if "-dbgsym_" not in path.name)
        suite, uri = mirror()
        cls.run_in(cls.place, "debootstrap", "--variant=minbase", suite, cls.root, uri)
        cls.run_in(cls.place, "mount", "-t", "proc", "proc", cls.root / "proc")
        cls.addClassCleanup(subprocess.run, ["umount", cls.root / "proc"], check=True)
        shutil.copy("/etc/resolv.conf", cls.root / "etc")
        (cls.root / "etc/apt/apt.conf.d/proxy").write_text("".join(
            line for line in cls.run_in("/", "apt-config", "dump").splitlines(True) if re.match("Acquire::https?::Proxy", line)))
        cls.inside("apt-get", "install", "--yes", "--no-install-recommends", "build-essential", "cmake", "debhelper",
                   "pkg-config", "systemd-standalone-sysusers", "systemd-standalone-tmpfiles", *dependencies(cls.debs))

    @staticmethod
    def run_in(directory, *words, env=None):
        done = subprocess.run([str(word) for word in words], cwd=directory, env={**os.environ, "LC_ALL": "C.UTF-8", **(env or {})},
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
        text = done.stdout.decode(errors="backslashreplace")
        if done.returncode:
            raise AssertionError(f"{words} ended with {done.returncode}:\n{text[-8000:]}")
        return text

    @classmethod
    def build(cls, source, options, **env):
        shutil.copytree(cls.pristine, source, symlinks=True)
        cls.run_in(source, "dpkg-buildpackage", "-us", "-uc", "-b", env={"DEB_BUILD_OPTIONS": f"nocheck {options}", **env})

    @classmethod
    def inside(cls, *words):
        return cls.run_in("/", "chroot", cls.root, "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root",
                           "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive", *words)

    def install(self, debs):
        names = []
        for deb in debs:
            shutil.copy(deb, self.root / "tmp")
            names.append(f"/tmp/{deb.name}")
        return self.inside("dpkg", "--install", *names)

    def files(self):
        found = self.run_in("/", "find", self.root, "-xdev", "-not", "-type", "d", "-printf", "%P\\n").splitlines()
        return {path for path in found if not self.ANYWAY.match(path)}

    def newer(self, deb):
        """The same package as a later version of itself."""
        unpacked = self.scratch / deb.stem
        self.run_in("/", "dpkg-deb", "-R", deb, unpacked)
        control = unpacked / "DEBIAN/control"
        control.write_text(re.sub(r"(^Version: |spicerack\d? \(= )1\.0\.0", r"\g<1>1.0.0+later", control.read_text(), flags=re.M))
        target = self.scratch / f"later-{deb.name}"
        self.run_in("/", "dpkg-deb", "--root-owner-group", "-b", unpacked, target)
        return target

    def test_life_of_the_packages(self):
        before = self.files()
        self.install(self.debs)
        self.assertRegex(self.inside("stat", "-c", "%a %U %G", "/var/lib/spicerack", "/var/log/spicerack"),
                         "^(2770 root spicerack\n){2}$")
        self.assertIn("group1.important-cookbook", self.inside("cookbook", "-l"))

        # What others build with them, in a place that has nothing else of ours.
        shutil.copytree(BUNDLE, self.root / "build/bundle")
        self.inside("sh", "-c", "cd /build/bundle && dpkg-buildpackage -us -uc -b")
        bundle = [path for path in (self.root / "build").glob("*.deb") if "-dbgsym_" not in path.name]
        self.assertEqual(len(bundle), 3)
        self.install(bundle)
        self.assertIn("maintenance.tell: Tell something [Example Operations]", self.inside("cookbook", "-lv"))
        (self.root / "etc/spicerack/conf.d/notifier.cfg").write_text('notify: { drivers: ["spool"]; };\n')
        shown = self.inside("env", "EXAMPLE_SPOOL=/tmp/spool", "cookbook", "maintenance.tell", "all is well")
        self.assertIn("the bundle tells all is well", shown)
        self.assertIn("END (PASS) - Cookbook maintenance.tell", (self.root / "tmp/spool").read_text())
        self.assertIn("the bundle tells all is well", (self.root / "var/log/spicerack/maintenance/tell.log").read_text())
        self.assertIn("maintenance.tell", self.inside("spicerack", "runs", "list"))
        (self.root / "etc/spicerack/conf.d/notifier.cfg").unlink()

        self.upgrade_under_a_run()

        self.inside("dpkg", "--purge", *[fields(path)["Package"] for path in bundle])
        self.assertNotIn("maintenance", self.inside("cookbook", "-l"))
        self.inside("dpkg", "--purge", *[fields(path)["Package"] for path in self.debs])
        self.assertEqual(self.files() - before, set())
        self.assertFalse((self.root / "var/lib/spicerack").exists() or (self.root / "var/log/spicerack").exists())
        self.assertFalse((self.root / "etc/spicerack").exists())

    def upgrade_under_a_run(self):
        """A run that began before it ends well behind it, and the run inside of it with the new files."""
        debs = [self.newer(deb) for deb in self.debs]
        run = subprocess.Popen(["chroot", self.root, "cookbook", "maintenance.wait", "/tmp/go"], stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={"PATH": os.environ["PATH"], "HOME": "/root"})
        self.addCleanup(run.kill)
        self.wait_for(lambda: "START" in (self.root / "var/log/spicerack/maintenance/wait.log").read_text()
                      if (self.root / "var/log/spicerack/maintenance/wait.log").exists() else False, "the run")
        self.install(debs)
        self.assertEqual(self.inside("dpkg-query", "-W", "-f", "${Version}", "spicerack"), "1.0.0+later")
        self.assertIsNone(run.poll(), "it goes on")
        (self.root / "tmp/go").touch()
        shown = run.communicate(timeout=120)[0].decode()
        self.assertEqual(run.returncode, 0, shown)
        self.assertIn("the bundle tells it is there", shown)

    @unittest.skipUnless(shutil.which("autopkgtest"), "autopkgtest is not installed")
    def test_autopkgtest_passes(self):
        """In a copy of the system: it leaves there what it needs."""
        testbed = self.place / "testbed"
        self.run_in("/", "cp", "-ax", self.root, testbed)
        self.run_in("/", "mount", "-t", "proc", "proc", testbed / "proc")
        self.addCleanup(subprocess.run, ["umount", testbed / "proc"], check=True)
        shown = self.run_in(self.place, "autopkgtest", "--no-built-binaries", *self.debs, self.pristine, "--",
                            "chroot", testbed, env={"TMPDIR": "/tmp"})
        self.assertEqual(re.findall(r"^(\S+)\s+(PASS|FAIL|SKIP)", shown, re.M)[-2:], [("list-and-run", "PASS"), ("author", "PASS")])

    def test_the_same_tree_makes_the_same_packages(self):
        """Elsewhere, later, and for somebody else."""
        place = self.place / "elsewhere"
        place.mkdir()
        self.build(place / "another-name", "parallel=1", TZ="Pacific/Auckland", LC_ALL="C", USER="another", HOME=str(place))
        for deb in self.place.glob("*.deb"):
            self.assertEqual(deb.read_bytes(), (place / deb.name).read_bytes(), deb.name)

    @unittest.skipUnless(shutil.which("lintian"), "lintian is not installed")
    def test_lintian_has_nothing_to_say(self):
        for changes in self.place.glob("*.changes"):
            lines = self.run_in(self.place, "lintian", "--allow-root", "--fail-on", "error,warning", changes,
                                env={"TMPDIR": str(self.place)}).splitlines()
            self.assertEqual([line for line in lines if not line.startswith("N:")], [])


if __name__ == "__main__":
    unittest.main()
