# SPDX-License-Identifier: Apache-2.0
"""Replies that the test kit records: of a real sshd, nginx and named, and played when those are gone."""

import json
import unittest

from dnsservers import Bind, missing
from harness import BUILD, CommandTest
from nginx import Nginx, find_nginx
from sshd import Sshd, require_sshd
from test_remote import Server

ZONE = """
_web._tcp SRV 20 0 8080 b
_web._tcp SRV 10 5 80 a
a A 192.0.2.1
a A 192.0.2.2
b A 192.0.2.3
a MX 7 b
a MX 3 a
"""


class RecordingTest(CommandTest):
    def setUp(self):
        super().setUp()
        self.file = self.scratch / "replies.jsonl"

    def run_kit(self, action, text, *files, record=False, code=0):
        """The lines of the story that the cookbook logged, and the whole of it."""
        env = {**self.env, **({"SPICERACK_TEST_RECORD": "1"} if record else {})}
        result = self.run_command(BUILD / "tests/kit/kit-recording", self.file, action, text, *files, env=env)
        self.assertEqual(result.code, code, result)
        return [line for line in result.out.splitlines() if line.startswith(("log INFO: ", "log WARNING: ", "log ERROR: "))
                and not line.startswith(("log INFO: START", "log INFO: END", "log INFO: Run "))], result.out

    def replies(self):
        return [json.loads(line) for line in self.file.read_text().splitlines()]

    def check_played(self, action, text, *files, stop, code=0):
        """Records, has the servers stopped, plays; what the cookbook saw must be the same."""
        real, story = self.run_kit(action, text, *files, record=True, code=code)
        stop()
        played, again = self.run_kit(action, text, *files, code=code)
        self.assertEqual(played, real, f"{story}\n{again}")
        return real


class Hosts(RecordingTest):
    def test_commands_on_hosts(self):
        require_sshd()
        self.addClassCleanup = self.addCleanup  # one server, of this test
        sshd = Sshd(Server(self), hosts=2, options=["AcceptEnv NAME"])
        for name in sshd.names:
            sshd.configure(name, SetEnv=f"NAME={name.split('.')[0]}")
        settings = f'libssh = {{ config = "{sshd.config}"; }};\n'
        # Only one of the two has it, so one of them fails.
        command = f'echo "I am $NAME"; echo aside >&2; test "$NAME" = host001 && touch {self.scratch}/was-there'
        real = self.check_played("hosts", command, "remote/config.cfg", settings, stop=lambda: self.end(sshd))
        self.assertIn("log INFO: result of host001.test: 1 0 I am host001", "\n".join(real))
        self.assertIn("result of host002.test: 2 1 I am host002", "\n".join(real))
        self.assertEqual(sorted((reply["host"], reply["code"], reply["out"], reply["err"]) for reply in self.replies()),
                         [("host001.test", 0, "I am host001\n", "aside\n"), ("host002.test", 1, "I am host002\n", "aside\n")])
        self.assertEqual({reply["command"] for reply in self.replies()}, {command})

    def end(self, sshd):
        """Whoever asked a host now would leave a trace, or find none."""
        (self.scratch / "was-there").unlink()
        sshd.stop()
        self.addCleanup(self.assertFalse, (self.scratch / "was-there").exists())


@unittest.skipUnless(find_nginx(), "nginx is not installed")
class Http(RecordingTest):
    def setUp(self):
        super().setUp()
        (self.scratch / "nginx").mkdir()
        self.nginx = Nginx(self.scratch / "nginx")
        self.stopped = False
        self.addCleanup(self.stop)

    def stop(self):
        if not self.stopped:
            self.nginx.stop()
        self.stopped = True

    def test_an_answer(self):
        real = self.check_played("fetch", self.nginx.url("/soon.json"), stop=self.stop)
        self.assertIn('log INFO: fetched 200 {"soon": true} of http://127.0.0.1:', "\n".join(real))
        [reply] = self.replies()
        self.assertEqual((reply["request"], reply["end"], reply["code"], reply["out"]),
                         (f"GET {self.nginx.url('/soon.json')}", 0, 200, '{"soon": true}'))
        self.assertRegex(reply["err"], r"(?m)^Server: nginx")

    def test_a_redirect(self):
        self.nginx.directory.joinpath("files/seen").write_text("it is here")
        self.check_played("fetch", self.nginx.url("/near"), stop=self.stop, code=0)
        self.assertEqual([(reply["request"].split(":")[-1].partition("/")[2], reply["code"]) for reply in self.replies()],
                         [("near", 302), ("seen", 200)])
        self.assertIn(f"Location: {self.nginx.url('/seen')}\n", self.replies()[0]["err"])

    def test_failures(self):
        for path, status, code in (("/not-there", 404, 0), ("/cut", 0, 99)):
            with self.subTest(path):
                _, story = self.run_kit("fetch", self.nginx.url(path), record=True, code=code)
                self.assertEqual({reply["code"] for reply in self.replies()}, {status}, story)
        self.stop()
        _, again = self.run_kit("fetch", self.nginx.url("/cut"), code=99)
        self.assertEqual(again.count("http GET"), story.count("http GET"), again)

    def test_what_is_no_text_is_not_kept(self):
        (self.nginx.directory / "files/raw").write_bytes(b"a\0b\xff")
        _, story = self.run_kit("fetch", self.nginx.url("/raw"), record=True, code=92)
        self.assertIn("is no text in UTF-8: it cannot be recorded", story)


@unittest.skipIf("named" in missing(), "bind9 is not installed")
class Dns(RecordingTest):
    def setUp(self):
        super().setUp()
        bind = Bind(self.scratch / "bind", {"example.test": ZONE})
        self.servers = f'servers = [ "{bind.address}" ];\n'
        self.stops = [bind.stop]
        self.addCleanup(self.stop)

    def stop(self):
        while self.stops:
            self.stops.pop()()

    def test_names(self):
        real = self.check_played("names", "_web._tcp.example.test", "dns/config.cfg", self.servers, stop=self.stop)
        self.assertIn("log INFO: service 10 5 80 a.example.test, ttl 300\nlog INFO: service 20 0 8080 b.example.test, ttl 300\n"
                      "log INFO: address 192.0.2.", "\n".join(real))
        self.assertEqual([(reply["question"], reply["end"]) for reply in self.replies()],
                         [("SRV _web._tcp.example.test", 0), ("A a.example.test", 0)])
        self.run_kit("names", "_none._tcp.example.test", "dns/config.cfg", self.servers, code=99)

    def test_mail(self):
        real = self.check_played("mail", "a.example.test", "dns/config.cfg", self.servers, stop=self.stop)
        self.assertEqual(sorted(real), ["log INFO: mail 3 a.example.test", "log INFO: mail 7 b.example.test"])


class Files(RecordingTest):
    def test_what_is_no_recording(self):
        for text in ("nonsense\n", "{}\n", '{"host": "a", "out": ""}\n', '{"command": "a", "request": "GET b"}\n'):
            self.file.write_text(text)
            result = self.run_command(BUILD / "tests/kit/kit-recording", self.file, "log", "x")
            self.assertEqual(result.code, 1, result)
            self.assertIn(f"{self.file}:1: not a line that was recorded", result.err)
        self.file.unlink()
        result = self.run_command(BUILD / "tests/kit/kit-recording", self.file, "log", "x")
        self.assertIn("record it with SPICERACK_TEST_RECORD=1", result.err)


if __name__ == "__main__":
    unittest.main()
