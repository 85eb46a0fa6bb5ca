# SPDX-License-Identifier: Apache-2.0
"""An upgrade under a run: the supervisor is from before it, what it starts from behind it. The library is exchanged for
one that speaks another protocol, as a package manager does it: by another file of the same name."""

import hashlib
import os
import re
import unittest

from harness import BUILD, PREFIX, SOURCE, CommandTest

OTHER = BUILD / "tests/fixture/other/libspicerack.so.1"
WHY = ("spicerack was upgraded since this run began: that was version 1.0.0 (protocol 1), and what opens cookbooks is "
       "version 9.9.9 (protocol 4711); begin a new run")


class UpgradeTest(CommandTest):
    def setUp(self):
        super().setUp()
        self.install(PREFIX / "lib/libspicerack.so.1")
        # Before the place that the runner itself names.
        self.env["LD_LIBRARY_PATH"] = str(self.scratch / "lib")

    def install(self, library):
        (self.scratch / "lib").mkdir(exist_ok=True)
        new = self.scratch / "lib/new"
        new.symlink_to(library)
        os.replace(new, self.scratch / "lib/libspicerack.so.1")

    def test_before_a_run(self):
        """Nothing is done: the cookbook is not even opened."""
        self.assertEqual(self.misbehave().code, 0)
        self.marks_file.unlink()
        self.install(OTHER)
        result = self.misbehave()
        self.assertEqual(result.code, 98, result)
        self.assertIn(f"cannot run cookbook fixture.misbehave: {WHY}\n", result.err)
        self.assertNotIn("START", result.err)
        self.assertEqual(self.marks(), [])

    def nest(self, *words):
        go = self.scratch / "go"
        run = self.start("fixture.nest", "--marks", self.marks_file, "--after", go, *words)
        self.wait_for_mark("0 waits 0")
        self.install(OTHER)
        go.touch()
        return self.finish(run)

    def test_before_an_inner_run(self):
        """What the outer run is goes on, with the files that it has open."""
        result = self.nest("--form", "code", "--", "--marks", self.marks_file)
        self.assertEqual(result.code, 0, result)
        self.assertIn(f"cannot run cookbook fixture.misbehave: {WHY}\n", result.err)
        self.assertEqual(self.marks(), ["0 waits 0", "0 code 98", "0 run ends 0"])
        self.assertEqual(result.err.count("START"), 1)

    def test_an_inner_run_that_must_succeed(self):
        """The outer run fails, and its rollback is done by the runner that it has."""
        result = self.nest("--form", "must", "--", "--marks", self.marks_file)
        self.assertEqual(result.code, 99, result)
        self.assertIn(f"cannot run cookbook fixture.misbehave: {WHY}\n", result.err)
        self.assertIn("0 rollback 0", self.marks())

    def test_the_same_protocol_is_no_matter(self):
        """Another version of the library that speaks as this one does."""
        self.env["LD_LIBRARY_PATH"] = str(self.scratch / "lib")
        go = self.scratch / "go"
        run = self.start("fixture.nest", "--marks", self.marks_file, "--after", go, "--", "--marks", self.marks_file)
        self.wait_for_mark("0 waits 0")
        copy = self.scratch / "copy.so"
        copy.write_bytes((PREFIX / "lib/libspicerack.so.1").read_bytes())
        self.install(copy)
        go.touch()
        result = self.finish(run)
        self.assertEqual(result.code, 0, result)
        self.assertIn("0 code 0", self.marks())


class Number(unittest.TestCase):
    def test_another_protocol_has_another_number(self):
        """What processes say to each other, against what it was when the number was last looked at."""
        protocol = (SOURCE / "core/runtime/protocol.h").read_text()
        order = (SOURCE / "core/runtime/order.c").read_text()
        number = re.search(r"#define PROTOCOL_VERSION (\d+)", protocol)[1]
        said = "".join(re.findall(r"^enum .*?^};", protocol, re.M | re.S)) + re.search(r"items\[\] = \{.*?\};", order, re.S)[0]
        digest = hashlib.sha256("".join(said.split()).encode()).hexdigest()[:16]
        self.assertEqual((SOURCE / "tests/abi/protocol").read_text().split(), [number, digest],
                         "a message has changed: if this number was released, raise PROTOCOL_VERSION; then write both into "
                         "tests/abi/protocol")


if __name__ == "__main__":
    unittest.main()
