# SPDX-License-Identifier: Apache-2.0
"""The configuration of the client: the reference's keys in YAML, read with suspicion."""

import pathlib
import shutil
import tempfile
import unittest

import servers
from servers import Client, LockTest


class Settings(LockTest):
    def setUp(self):
        self.scratch = pathlib.Path(tempfile.mkdtemp(prefix="spicerack-test-"))
        self.addCleanup(shutil.rmtree, self.scratch)
        self.port = servers.free_port()

    def write(self, text, name="config.yaml", mode=0o600):
        path = self.scratch / name
        path.write_text(text)
        path.chmod(mode)
        return path

    def opened(self, text, mode=0o600, **settings):
        return Client(self, self.write(text, mode=mode), **settings).opened

    def refused(self, text, reason, **settings):
        with self.subTest(text=text):
            opened = self.opened(text, **settings)
            self.assertEqual(opened.status, "REFUSED", opened)
            self.assertIn(reason, opened.reason)

    def asked(self, text, user="", **settings):
        """Which host it asks, where nobody listens."""
        config = self.write(text)
        if user:
            settings["user_config"] = self.write(user, ".etcdrc")
        return Client(self, config, **settings).do("list", within=0.3).reason

    def test_every_key_of_the_reference_is_known(self):
        opened = self.opened("""
host: etcd.example.org
port: 2379
version_prefix: /v2
read_timeout: 60
allow_redirect: true
protocol: https
username: ~
password: null
allow_reconnect: yes
use_proxies: no
expected_cluster_id: cdf818194e3a8c32
per_host_pool_size: 10
lock_prefix: /_locks
srv_domain:
""")
        self.assertEqual(opened.status, "OK", opened)
        self.assertEqual(self.opened("").status, "OK")
        self.assertEqual(self.opened("# nothing\n---\n").status, "OK")

    def test_where_it_is_wrong(self):
        for text, reason in (
                ("host: a\nhosst: b\n", "config.yaml:2: 'hosst' is no key of etcd's client"),
                ("port: 1\nport: 2\n", ":2: 'port' is given twice"),
                ("port: 0\n", ":1: 'port' must be"), ("port: 70000\n", ":1: 'port' must be"),
                ("port: [1]\n", ":1: 'port' must be"), ("port: many\n", ":1: 'port' must be"),
                ("host: [a, [b]]\n", ":1: 'host' must be"), ("host: {a: b}\n", ":1: 'host' must be"),
                ("host: []\n", ":1: 'host' must be"), ("host: 'user@evil/'\n", ":1: 'host' must be the name"),
                ("host: [[a, 1, 2]]\n", ":1: 'host' must be"), ("host: [[a, x]]\n", ":1: 'host' must be"),
                ("protocol: gopher\n", "'protocol' must be http or https"),
                ("allow_redirect: maybe\n", "must be true or false"),
                ("expected_cluster_id: xyz\n", "in hexadecimal"), ("expected_cluster_id: 0\n", "in hexadecimal"),
                ("read_timeout: -1\n", "'read_timeout' must be"), ("version_prefix: v2\n", "must be a path"),
                ("srv_domain: 'a:b'\n", ":1: 'srv_domain' must be the name of a domain"),
                ("srv_domain: [a]\n", "must be the name of a domain"),
                ("srv_domain: .\n", "must be the name of a domain"),
                (f"srv_domain: {'a' * 201}\n", "must be the name of a domain"),
                ("- a\n- b\n", "must be keys and values"), ("just text\n", "must be keys and values"),
                ("host: a\n---\nhost: b\n", "more than one document"), ("host: 'a\n", "config.yaml:"),
                ("a: *b\n", "config.yaml:"), ("? [a]\n: b\n", "is no key"), ("\"ho\\0st\": a\n", "is no key"),
                ("username: a\n", "'username' and 'password'"),
                ("host: [a, b]\nallow_reconnect: false\n", "'allow_reconnect' is false"),
                ("ca_cert: /tmp/x\n", "'protocol' is not https"),
                ("protocol: https\ncert: [/tmp/x, /nowhere/key]\n", "/nowhere/key"),
                ("a" * 70000, "longer than")):
            self.refused(text, reason)
        self.refused("", "there is no API '4'", api=4)
        self.refused("", "'lease' must be", lease=1)

    def test_nothing_of_a_secret_is_shown(self):
        for text in ("password: s3cret-word\n", "password: [s3cret-word]\nusername: a\n",
                     "username: a\npassword: 's3cret-word\n"):
            with self.subTest(text=text):
                opened = self.opened(text)
                self.assertEqual(opened.status, "REFUSED")
                self.assertNotIn("s3cret", opened.reason)

    def test_who_may_read_and_write_it(self):
        secret = "username: a\npassword: b\n"
        self.assertEqual(self.opened(secret, 0o600).status, "OK")
        self.assertEqual(self.opened(secret, 0o640).status, "OK")
        self.refused(secret, "others may read it: chmod o-r", mode=0o644)
        self.assertEqual(self.opened("host: a\n", 0o644).status, "OK")
        self.refused("host: a\n", "others may write to it", mode=0o666)
        key = self.write("key", "a.key", 0o644)
        self.refused(f"protocol: https\ncert: {key}\n", "a private key that others may read")

    def test_no_file(self):
        opened = Client(self, self.scratch / "absent").opened
        self.assertEqual(opened.status, "REFUSED")
        self.assertIn("absent: cannot open: No such file", opened.reason)
        self.assertIn("not a regular file", Client(self, self.scratch).opened.reason)
        self.assertEqual(Client(self, self.write("host: a\n"), user_config=self.scratch / "absent").opened.status, "OK")

    def test_the_users_file_is_laid_over_it(self):
        first, second = self.port, servers.free_port()
        self.assertIn(f"http://127.0.0.1:{first}:", self.asked(f"host: 127.0.0.1\nport: {first}\n"))
        self.assertIn(f"http://127.0.0.1:{second}:", self.asked(f"port: {first}\n", f"port: {second}\n"))
        self.assertIn(f"http://127.0.0.1:{second}:",
                      self.asked(f"host: [[127.0.0.1, {first}]]\n", f"host: [[127.0.0.1, {second}]]\n"))
        self.assertIn(f"https://[::1]:{first}:", self.asked(f"host: '::1'\nport: {first}\n", "protocol: https\n"))

    def test_ports_when_none_is_given(self):
        self.assertIn("http://nowhere.invalid:2379: ", self.asked("host: nowhere.invalid\n"))
        self.assertIn("http://nowhere.invalid:4001: ", self.asked("host: nowhere.invalid\n", api=2))

    def test_proxies_are_asked_only_when_allowed(self):
        prefix = ["env", f"http_proxy=http://127.0.0.1:{self.port}", f"https_proxy=http://127.0.0.1:{self.port}"]
        other = servers.free_port()
        for line, port in (("use_proxies: false", other), ("use_proxies: true", self.port)):
            client = Client(self, self.write(f"host: 127.0.0.1\nport: {other}\n{line}\n"), prefix=prefix)
            self.assertIn(f"port {port}", client.do("list", within=0.3).reason)


if __name__ == "__main__":
    unittest.main()
