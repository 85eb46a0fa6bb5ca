# SPDX-License-Identifier: Apache-2.0
"""Queries to a real Prometheus, which stands for Thanos, too: that has the same API."""

import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
import urllib.request

from harness import SOURCE, CommandTest

sys.path.insert(0, str(SOURCE / "tests" / "etcd"))
from servers import end_with_parent, free_port, wait_until  # pylint: disable=wrong-import-position

NAME = "fixture.prometheus"
RULES = """
groups:
  - name: constants
    interval: 1s
    rules:
      - record: answer
        expr: vector(42)
        labels: {kind: whole, "role": "a \\"b\\""}
"""


def ready(url):
    try:
        with urllib.request.urlopen(f"{url}/api/v1/query?query=answer", timeout=5) as answer:
            return b'"kind"' in answer.read()
    except OSError:
        return False


@unittest.skipUnless(shutil.which("prometheus"), "prometheus is not installed")
class Prometheus(CommandTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.directory = pathlib.Path(tempfile.mkdtemp(prefix="spicerack-prometheus-"))
        cls.addClassCleanup(shutil.rmtree, cls.directory, ignore_errors=True)
        cls.port = free_port()
        (cls.directory / "rules.yml").write_text(RULES)
        (cls.directory / "prometheus.yml").write_text(
            "global: {evaluation_interval: 1s}\nrule_files: [rules.yml]\n")
        with open(cls.directory / "log", "wb") as log:
            cls.process = subprocess.Popen(
                ["prometheus", f"--config.file={cls.directory}/prometheus.yml",
                 f"--storage.tsdb.path={cls.directory}/data", f"--web.listen-address=127.0.0.1:{cls.port}",
                 f"--web.external-url=http://127.0.0.1:{cls.port}/ops"],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, preexec_fn=end_with_parent)
        cls.addClassCleanup(cls.process.wait)
        cls.addClassCleanup(cls.process.kill)
        wait_until(lambda: ready(f"http://127.0.0.1:{cls.port}/ops"), what="prometheus", seconds=60)

    def setUp(self):
        super().setUp()
        self.configure(f'url = "http://127.0.0.1:{self.port}/{{instance}}";\ninstance = "ops";\n'
                       f'thanos = "http://127.0.0.1:{self.port}/ops";\n')

    def configure(self, text):
        self.write("modules/prometheus/config.cfg", text)
        bases = re.search(r'\["(.*?)"\]', self.config.read_text())[1]
        self.config = self.write("spicerack.cfg", self.configuration(
            [bases], f'instance_params = {{ spicerack_config_dir = "{self.scratch}/modules"; }};'))

    def ask(self, *words, options=()):
        result = self.cookbook(*options, NAME, *words)
        self.assertEqual(result.code, 0, result)
        return result.out

    def test_vector(self):
        self.assertEqual(self.ask("answer"), '__name__=answer kind=whole role=a "b" 42 now\n1 samples\n')
        self.assertEqual(self.ask('answer{kind="none"}'), "0 samples\n")

    def test_scalar_and_odd_values(self):
        self.assertEqual(self.ask("scalar(answer) / 4"), "10.5 now\n1 samples\n")
        for query, value in (("vector(0) / 0", "nan"), ("vector(1) / 0", "inf"), ("vector(-1) / 0", "-inf")):
            self.assertRegex(self.ask(query), rf"^-?{value} now\n1 samples\n$")

    def test_dry_run_asks_as_well(self):
        self.assertIn(" 42 now\n", self.ask("answer", options=["-d"]))

    def test_thanos(self):
        self.assertIn(" 42 now\n", self.ask("answer", "--thanos"))
        log = (self.logs / "fixture/prometheus-extended.log").read_text()
        self.assertIn("/ops/api/v1/query?dedup=true&partial_response=false&query=answer: 200", log)

    def test_bad_query(self):
        said = self.ask("answer{")
        self.assertTrue(said.startswith("prometheus.query: the query failed (bad_data): "), said)
        self.assertIn("parse error", said)

    def test_range(self):
        self.assertEqual(self.ask("answer[1m]"),
                         "prometheus.result: the query yields a matrix, not a vector or a scalar\n")

    def test_not_prometheus(self):
        said = self.ask("answer", "--instance", "other")
        self.assertTrue(said.startswith("http.status: cannot GET http://127.0.0.1:"), said)
        self.assertIn("the server answered 404", said)

    def test_site(self):
        self.assertIn("prometheus.site: a site was given, 'dc1', and the setting 'url'", self.ask("x", "--site", "dc1"))
        self.configure(f'url = "http://{{site}}:{self.port}/ops";\n')
        self.assertIn(" 42 now\n", self.ask("answer", "--site", "127.0.0.1"))
        self.assertIn("prometheus.site: a site is needed", self.ask("answer"))
        for site in ("a/b", "", "a@b", "-a", "a b", "../x"):
            self.assertIn(" is no name of a site\n", self.ask("answer", f"--site={site}"))
        self.assertIn("config.missing: ", self.ask("answer", "--thanos"))


if __name__ == "__main__":
    unittest.main()
