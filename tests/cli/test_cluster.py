# SPDX-License-Identifier: Apache-2.0
"""Commands that go round a cluster, depooling its slices, on a real sshd and the store of one machine."""

import json
import re
import signal
import unittest

from harness import FIXTURES
from sshd import Sshd
from test_remote import RemoteTest, Server

POOLS = "/conftool/v1/pools/dc1/web"


class ClusterTest(RemoteTest):
    transport = "libssh"

    @classmethod
    def setUpClass(cls):
        cls.sshd = Sshd(Server(cls), hosts=6, options=["AcceptEnv NAME"])
        for name in cls.sshd.names:
            cls.sshd.configure(name, SetEnv=f"NAME={name.split('.')[0]}")

    def setUp(self):
        super().setUp()
        self.config.write_text(self.configuration(
            [FIXTURES], f'instance_params = {{ spicerack_config_dir = "{self.scratch}/etc"; }};\nkv = {{}};\n'))
        objects = [{"key": f"{POOLS}/{service}/host00{number}.test", "value": {"pooled": pooled, "weight": 10}}
                   for number in range(1, 6)
                   for service, pooled in (("nginx", "inactive" if number == 5 else "yes"), ("nginx-tls", "yes"))]
        self.kv("import", self.write("objects", "".join(json.dumps(one) + "\n" for one in objects)))

    def kv(self, word, *words):
        done = self.run_command("spicerack", "kv", word, "-c", self.config, *words)
        self.assertEqual(done.code, 0, done)
        return done.out

    def pooled(self, service="nginx"):
        """What is pooled, by the numbers of hosts."""
        lines = map(json.loads, self.kv("export").splitlines())
        return "".join({"yes": line["key"][-6], "no": "-", "inactive": "x"}[line["value"]["pooled"]]
                       for line in lines if f"/{service}/" in line["key"])

    def go(self, *words, code=0, options=()):
        done = self.cookbook(*options, "fixture.cluster", "web", *words, timeout=120)
        self.assertEqual(done.code, code, done)
        return done

    def slices(self, done):
        return re.findall(r"slice \d of \d: (\S+)", done.err)

    def wait_there(self, *words, command="exit 0", **options):
        """Starts it with a command that tells where it is, and waits for a word to go on."""
        process = self.start("fixture.cluster", "web", *words, "--command",
                             f"touch {self.scratch}/$NAME; while ! [ -e {self.scratch}/go-$NAME ]; do sleep 0.05; done; "
                             + command, **options)
        return process

    def comes_to(self, *numbers):
        for number in numbers:
            self.wait_for(lambda: (self.scratch / f"host00{number}").exists(), f"host {number}", 60)

    def let_go(self, *numbers):
        for number in numbers:
            (self.scratch / f"go-host00{number}").touch()


class Rounds(ClusterTest):
    def test_a_slice_is_depooled_while_it_is_its_turn(self):
        process = self.wait_there("--depool", "nginx", "--batch", "2")
        self.comes_to(1, 2)
        self.assertFalse((self.scratch / "host003").exists())
        self.assertEqual((self.pooled(), self.pooled("nginx-tls")), ("--34x", "12345"))
        self.let_go(1, 2)
        self.comes_to(3, 4)
        self.assertEqual(self.pooled(), "12--x")
        self.let_go(3, 4, 5)
        self.assertEqual(process.wait(60), 0)
        self.assertEqual(self.pooled(), "1234x")

    def test_services_are_restarted_one_host_at_a_time(self):
        done = self.go("--restart", "nginx", "--restart", "other", "--depool", "nginx", options=["-d"])
        self.assertEqual(self.slices(done), [f"host00{number}.test" for number in range(1, 6)])
        self.assertEqual(done.out.count("systemctl restart -- nginx: 0"), 5)
        self.assertEqual(done.out.count("systemctl restart -- other: 0"), 5)
        self.assertIn('would change node dc1/web/nginx/host001.test: pooled from "yes" to "no"', done.err)
        self.assertIn("would run 'systemctl restart -- nginx' and more on 1 host: host001.test", done.err)
        self.assertIn("systemctl reload -- nginx: 0", self.go("--reload", "nginx", options=["-d"]).out)
        self.assertEqual(self.pooled(), "1234x")

    def test_results_of_all_hosts(self):
        done = self.go("--command", "echo $NAME", "--batch", "4")
        self.assertEqual(self.slices(done), ["host[001-003].test", "host[004-005].test"])
        self.assertEqual([line for line in done.out.splitlines() if ": echo" in line],
                         [f"host00{number}.test: echo $NAME: 1 host00{number}" for number in range(1, 6)])

    def test_a_slice_is_never_the_whole_cluster(self):
        for batch in (5, 9):
            done = self.go("--command", "true", "--batch", batch, code=99)
            self.assertIn("a slice of 5 hosts is the whole cluster, host[001-005].test", done.err)

    def test_a_service_that_nobody_has(self):
        done = self.go("--command", "true", "--depool", "ngin", code=99)
        self.assertIn("no object of 'node' matches", done.err)
        self.assertNotIn("ok", done.out)


class Failures(ClusterTest):
    FAILS = 'test "$NAME" != host002'

    def test_it_stays_depooled_and_the_rest_is_left_alone(self):
        done = self.go("--command", self.FAILS, "--depool", "nginx", "--batch", 2, code=99)
        self.assertIn("1 of 5 hosts failed: host002.test; 3 were not begun; "
                      "nginx stays depooled on host[001-002].test [remote.execution]", done.err)
        self.assertIn('pooled stays "no" on 2 objects', done.err)
        self.assertEqual(self.pooled(), "--34x")

    def test_pooled_again_when_asked(self):
        done = self.go("--command", self.FAILS, "--depool", "nginx", "--batch", 2, "--repool", code=99)
        self.assertIn("1 of 5 hosts failed: host002.test; 3 were not begun [remote.execution]", done.err)
        self.assertEqual(self.pooled(), "1234x")

    def test_some_may_fail(self):
        done = self.go("--command", self.FAILS, "--depool", "nginx", "--max-failed", 1, "--caught")
        ends = re.findall(r"^host00(\d).test: .*: (\d)", done.out, re.M)
        self.assertEqual(ends, [("1", "1"), ("2", "2"), ("3", "1"), ("4", "1"), ("5", "1")])
        self.assertIn("1 of 5 hosts failed: host002.test; nginx stays depooled on host002.test\n", done.out)
        self.assertEqual(self.pooled(), "1-34x")

    def test_without_services_nothing_is_depooled(self):
        done = self.go("--command", self.FAILS, code=99)
        self.assertIn("1 of 5 hosts failed: host002.test; 3 were not begun [remote.execution]", done.err)
        self.assertEqual(self.pooled(), "1234x")

    def test_a_run_that_is_broken_off_leaves_its_slice_depooled(self):
        process = self.wait_there("--depool", "nginx", "--batch", "2", start_new_session=True)
        self.comes_to(1, 2)
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(60), 97)
        self.assertEqual(self.pooled(), "--34x")


if __name__ == "__main__":
    unittest.main()
