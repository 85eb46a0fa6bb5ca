# SPDX-License-Identifier: Apache-2.0
"""HTTP as a cookbook makes it, against a real nginx, and raw servers for what no server does on purpose."""

import json
import pathlib
import re
import shutil
import signal
import socket
import tempfile
import time
import unittest

from harness import CommandTest
from nginx import Nginx, Raw, find_nginx, sends, silent

NAME = "fixture.http"
PASSWORD, TOKEN = "s3cret-password", "t0ken-of-the-tests"
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@unittest.skipUnless(find_nginx(), "nginx is not installed")
class HttpTest(CommandTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.directory = pathlib.Path(tempfile.mkdtemp(prefix="spicerack-nginx-"))
        cls.addClassCleanup(shutil.rmtree, cls.directory, ignore_errors=True)
        cls.nginx = Nginx(cls.directory)
        cls.addClassCleanup(cls.nginx.stop)

    def setUp(self):
        super().setUp()
        self.nginx.clear()
        self.ca = self.nginx.certificates.ca
        self.password = self.write("password", PASSWORD + "\n", mode=0o600)
        self.token = self.write("token", TOKEN + "\n", mode=0o600)

    def raw(self, answer):
        server = Raw(answer)
        self.addCleanup(server.stop)
        return server

    def make(self, *words, options=(), code=0):
        """The lines that the cookbook printed; those that are JSON as what they stand for."""
        result = self.cookbook(*options, NAME, *words)
        self.assertEqual(result.code, code, result)
        self.result = result
        return [json.loads(line) if line.startswith("{") else line for line in result.out.splitlines()]

    def one(self, *words, **more):
        lines = self.make(*words, **more)
        self.assertEqual(len(lines), 1, self.result)
        return lines[0]

    def get(self, path, *words, **more):
        return self.one("GET", self.nginx.url(path), *words, **more)

    def requests(self, count):
        """What nginx has logged, when it has logged so many."""
        self.wait_for(lambda: len(self.nginx.requests()) >= count, f"{count} requests")
        found = [json.loads(line) for line in self.nginx.requests()]
        self.assertEqual(len(found), count, found)
        return found

    def exchanges(self):
        """The records of exchanges: method and URL, what came, and the try."""
        pattern = re.compile(r"([A-Z]+ \S+): (.*) after [\d.a-z]+(?:, \d+ bytes)? \[(\d+/\d+)\]")
        found = [pattern.fullmatch(message) for _, message in self.records(NAME, extended=True)]
        return [match.groups() for match in found if match]


class Answers(HttpTest):
    def test_answer(self):
        url = self.nginx.url("/json")
        answer = self.get("/json", "--path", "a[0]", "--show", "content-TYPE")
        self.assertEqual(answer, {"sent": True, "status": 200, "url": url, "length": 48, "value": 1,
                                  "header": "application/json",
                                  "body": '{"a": [1, {"b": null}], "big": 9007199254740993}'})
        self.assertEqual(self.exchanges(), [(f"GET {url}", "200", "1/3")])
        request = self.requests(1)[0]
        self.assertEqual((request["accept"], request["type"], request["expect"]), ("*/*", "", ""))
        self.assertRegex(request["agent"], r"^spicerack/[\d.]+ fixture\.http$")

    def test_numbers_beyond_doubles(self):
        self.assertIn('"value":9007199254740993}', (self.get("/json", "--path", "big"), self.result.out)[1])

    def test_any_status_is_an_answer_to_a_session(self):
        for path, status in (("/404", 404), ("/418", 418), ("/none", 204)):
            self.assertEqual(self.get(path)["status"], status)

    def test_headers(self):
        self.assertEqual(self.get("/headers", "--show", "x-twice")["header"], "one")
        self.assertIsNone(self.get("/headers", "--show", "X-None")["header"])
        self.nginx.clear()
        self.get("/seen", "--header", "X-Key: of the request", "--session-header", "x-key: of the session",
                 "--session-header", "Accept: text/plain")
        request = self.requests(1)[0]
        self.assertEqual((request["key"], request["accept"]), ("of the request", "text/plain"))

    def test_bodies(self):
        url = self.nginx.url("/echo")
        self.make("POST", url, "--write", "--json", '{"a": "\\u00e9"}')
        self.make("POST", url, "--write", "--form", "a=1 2&3", "--form", "b=")
        self.make("PUT", url, "--write", "--body", "text", "--content-type", "text/plain")
        self.make("POST", url, "--write")
        self.make("POST", url, "--write", "--json", "{}", "--header", "Content-Type: application/merge-patch+json")
        seen = [(one["type"], one["length"], one["body"]) for one in self.requests(10) if one["uri"] == "/echo"]
        self.assertEqual(seen, [("application/json", "10", '{"a":"é"}'),
                                ("application/x-www-form-urlencoded", "14", "a=1%202%263&b="),
                                ("text/plain", "4", "text"), ("", "0", ""),
                                ("application/merge-patch+json", "2", "{}")])

    def test_query(self):
        self.assertEqual(self.get("/json?x=1", "--query", "a=b c", "--query", "ü&=1+1=2")["url"],
                         self.nginx.url("/json?x=1&a=b%20c&%C3%BC%26=1%2B1%3D2"))

    def test_compressed(self):
        answer = self.get("/large.json", "--show", "Content-Encoding")
        self.assertEqual((answer["length"], answer["header"]), (100002, "gzip"))

    def test_size_limit(self):
        """Of what comes out of the compression, too: it is a kilobyte on its way."""
        self.assertEqual(self.get("/large.json", "--limit", "50000"),
                         f"http.size: cannot GET {self.nginx.url('/large.json')}: the answer is longer than 50000 bytes")
        self.requests(1)

    def test_no_json(self):
        self.assertEqual(self.get("/text", "--path", "a"),
                         f"json.syntax: the answer to GET {self.nginx.url('/text')}: not such JSON as can be read: "
                         "line 1, column 1: expected a value")

    def test_connections_are_used_again(self):
        self.make("GET", self.nginx.url("/json"), "--times", "5")
        self.assertEqual(len({one["connection"] for one in self.requests(5)}), 1)

    def test_connections_are_not_inherited(self):
        shown = self.make("GET", self.nginx.url("/json"), "--inherited")[1:]
        self.assertTrue(any(" 0 -> " in line for line in shown), shown)
        self.assertFalse([line for line in shown if "socket:" in line])

    def test_bad_urls(self):
        for url, why in (("ftp://h/", "begins neither with"), ("http://", "names no host"), ("/x", "begins neither"),
                         ("http://user:pass-word@h/", "holds a user or a password"), ("http://h:0/", "its port"),
                         ("http://h:x/", "its port"), ("http://h/a b", "percent-encoded"), ("http://[::1/", "no host"),
                         ("file:///etc/passwd", "begins neither"), ("http://h/\n", "percent-encoded")):
            said = self.one("GET", url)
            self.assertTrue(said.startswith("http.url: ") and why in said, (url, said))
            self.assertNotIn("pass-word", self.result.out + self.result.err)
        self.requests(0)

    def test_misuse(self):
        for words in (["PUT", "http://h/"], ["get", "http://h/"], ["GET", "http://h/", "--header", "no header"],
                      ["GET", "http://h/", "--header", "Content-Length: 5"], ["GET", "http://h/", "--query", "x"],
                      ["GET", "http://h/", "--form", "a=b", "--body", "c"], ["GET", "http://h/", "--user", "a:b"],
                      ["GET", "http://h/", "--key", "k"], ["GET", "x", "--api", "http://h"],
                      ["GET", "http://h/", "--session-header", "A: b\r\nC: d"]):
            self.assertTrue(self.one(*words).startswith("misuse: "), (words, self.result))


class Api(HttpTest):
    def test_answer(self):
        answer = self.one("GET", "/json", "--api", self.nginx.url("/"), "--path", "a[1].b")
        self.assertEqual((answer["status"], answer["value"]), (200, None))
        self.assertEqual(self.requests(1)[0]["accept"], "application/json")

    def test_error_carries_the_answer(self):
        lines = self.make("GET", "/404", "--api", self.nginx.url(""), "--path", "error")
        self.assertEqual(lines[0], f'http.status: cannot GET {self.nginx.url("/404")}: the server answered 404: '
                                   '{"error": "there is no such thing"}')
        self.assertEqual((lines[1]["status"], lines[1]["value"]), (404, "there is no such thing"))

    def test_accepted(self):
        self.assertEqual(self.one("DELETE", "/404", "--write", "--api", self.nginx.url(""), "--accept", "404")["status"],
                         404)

    def test_uncaught(self):
        self.make("GET", "/404", "--api", self.nginx.url(""), "--raise", code=99)
        self.assertIn("the server answered 404", self.result.err)
        self.assertIn("[http.status]", self.result.err)

    def test_write_is_not_redirected(self):
        lines = self.make("POST", "/moved", "--write", "--api", self.nginx.url(""))
        self.assertEqual(lines[0], f"http.status: cannot POST {self.nginx.url('/moved')}: the server answered 307, "
                                   "it is at /none")
        self.requests(1)


class DryRun(HttpTest):
    DRY = ["-d"]

    def test_write_is_not_sent(self):
        answer = self.one("POST", self.nginx.url("/echo"), "--write", "--json", '{"a": 1}', options=self.DRY)
        self.assertEqual(answer, {"sent": False, "status": 0})
        self.assertIn(f'would POST {self.nginx.url("/echo")} with {{"a":1}}\n', self.result.err)
        self.assertIn(f'\n  cannot know what POST {self.nginx.url("/echo")} would have answered\n', self.result.err)
        self.requests(0)

    def test_read_is_sent(self):
        self.assertEqual(self.get("/json", options=self.DRY)["status"], 200)
        self.assertIn(f'\n  read GET {self.nginx.url("/json")}\n', self.result.err)
        self.assertEqual(self.one("POST", "/json", "--api", self.nginx.url(""), options=self.DRY)["status"], 200)
        self.requests(2)

    def test_no_answer_is_none(self):
        said = self.one("DELETE", "/json", "--write", "--api", self.nginx.url(""), "--path", "a", options=self.DRY)
        self.assertTrue(said.startswith(f"http.unsent: there is no answer to DELETE {self.nginx.url('/json')}: "), said)

    def test_what_cannot_be_sent_is_no_better(self):
        self.assertTrue(self.one("POST", "http://h/ ", "--write", options=self.DRY).startswith("http.url: "))


class Credentials(HttpTest):
    def assertNotTold(self):
        told = "".join(path.read_text() for path in (*self.logs.rglob("*.log"), *self.runs.glob("*.jsonl")))
        for secret in (PASSWORD, TOKEN, "czNjcmV0LXBhc3N3b3Jk", "cm9ib3Q6czNjcmV0"):
            self.assertNotIn(secret, told)

    def test_basic(self):
        self.assertEqual(self.get("/private")["status"], 401)
        self.assertEqual(self.get("/private", "--user", "robot", "--password", self.password)["status"], 200)
        self.assertEqual(self.requests(2)[1]["user"], "robot")
        self.assertNotTold()

    def test_bearer(self):
        self.get("/seen", "--token", self.token)
        self.assertIn('"body":"Bearer ********|', self.result.out)
        self.assertNotTold()

    def test_other_header(self):
        self.get("/seen", "--token", self.token, "--token-header", "X-Token: ")
        self.assertIn('"body":"||********|', self.result.out)

    def test_secret_in_a_query_is_not_told(self):
        self.get("/json", "--token", self.token, "--query", f"key={TOKEN}")
        self.assertEqual(self.requests(1)[0]["uri"], f"/json?key={TOKEN}")
        self.assertEqual(self.exchanges(), [(f"GET {self.nginx.url('/json?key=********')}", "200", "1/3")])

    def test_redirect_to_another_origin_takes_none_along(self):
        secrets = ("--token", self.token, "--header", "X-Key: mine")
        self.assertIn('"body":"Bearer ********|mine|', (self.get("/near", *secrets), self.result.out)[1])
        self.assertTrue(self.get("/away", *secrets)["body"].startswith("|||spicerack/"))
        self.assertTrue(self.get("/away", "--user", "robot", "--password", self.password)["body"].startswith("|||"))
        # Nor when that leads back again.
        answer = self.get("/back", *secrets)
        self.assertEqual((answer["url"], answer["body"][:3]), (self.nginx.url("/seen"), "|||"))

    def test_header_of_the_request(self):
        self.get("/seen", "--token", self.token, "--secret-header")
        self.assertIn('"body":"|********|', self.result.out)
        self.assertNotTold()


class Redirects(HttpTest):
    def test_each_is_told(self):
        answer = self.get("/near")
        self.assertEqual(answer["url"], self.nginx.url("/seen"))
        self.assertEqual(self.exchanges(), [(f"GET {self.nginx.url('/near')}", "302", "1/3"),
                                            (f"GET {self.nginx.url('/seen')}", "200", "1/3")])

    def test_no_end(self):
        self.assertEqual(self.get("/loop"), f"http.redirect: cannot GET {self.nginx.url('/loop')}: more than 10 redirects")
        self.requests(11)

    def test_not_followed(self):
        self.assertEqual(self.one("POST", self.nginx.url("/moved"))["status"], 307)
        self.assertIn("holds a user or a password", self.get("/userinfo"))
        self.assertNotIn("password@", self.result.out + self.result.err)
        self.assertIn("begins neither with", self.get("/file"))

    def test_not_from_https(self):
        url = f"https://127.0.0.1:{self.nginx.tls}/down"
        self.assertEqual(self.one("GET", url, "--ca", self.ca),
                         f"http.redirect: cannot GET {url}: it is redirected from https to {self.nginx.url('/seen')}")


class Tries(HttpTest):
    def test_status(self):
        """Of three tries all fail: who has a session gets the last answer, an API client an error."""
        self.assertEqual(self.get("/502")["status"], 502)
        self.assertEqual([one[2] for one in self.exchanges()], ["1/3", "2/3", "3/3"])
        warnings = [message for level, message in self.records(NAME) if level == "WARNING"]
        self.assertEqual(warnings, [f"[{n}/3, retrying in {pause}s] GET {self.nginx.url('/502')}: the server answered 502"
                                    for n, pause in ((1, "0.05"), (2, "0.10"))])
        self.assertTrue(self.make("GET", "/502", "--api", self.nginx.url(""))[0].startswith("http.status: "))
        self.requests(6)

    def test_then_it_works(self):
        """nginx lets one through a second, and asks the next to wait for one."""
        answers = self.make("GET", self.nginx.url("/soon"), "--times", "2", "--tries", "5")
        self.assertEqual([answer["status"] for answer in answers], [200, 200])
        self.assertIn("[1/5, retrying in 1.00s]", self.result.err)

    def test_server_that_wants_more_time_than_anybody_has(self):
        self.assertEqual(self.get("/later")["status"], 503)
        self.requests(1)

    def test_number(self):
        self.get("/500", "--tries", "1")
        self.requests(1)
        self.get("/404", "--retry-status", "404", "--tries", "2")
        self.requests(3)
        self.get("/500", "--retry-status", "0")
        self.requests(4)

    def test_methods(self):
        """What may have been carried out is repeated only where that does no harm."""
        for method, write, count in (("GET", False, 2), ("HEAD", False, 2), ("POST", False, 2), ("PUT", True, 2),
                                     ("DELETE", True, 2), ("POST", True, 1), ("PATCH", True, 1)):
            self.nginx.clear()
            self.make(method, self.nginx.url("/500"), "--tries", "2", *["--write"] * write)
            self.requests(count)

    def test_no_connection(self):
        """Nothing was sent: any may be repeated."""
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            url = f"http://127.0.0.1:{one.getsockname()[1]}/"
            said = self.one("POST", url, "--write")
            self.assertTrue(said.startswith(f"http.connect: cannot POST {url}: Failed to connect to 127.0.0.1"), said)
            self.assertEqual([one[2] for one in self.exchanges()], ["1/3", "2/3", "3/3"])
            self.assertNotIn("carried out", said)

    def test_no_such_host(self):
        said = self.one("GET", "http://no-such-host.invalid/", "--tries", "1")
        self.assertTrue(said.startswith("http.connect: cannot GET http://no-such-host.invalid/: Could not resolve"), said)

    def test_cut(self):
        """nginx hangs up without an answer. On a kept connection libcurl would send even a POST again."""
        said = self.get("/cut", "--tries", "2")
        self.assertTrue(said.startswith("http.lost: "), said)
        self.requests(2)
        server = self.raw(lambda connection, request: request.startswith(b"GET") and not connection.sendall(OK))
        words = ("--times", "2", "--tries", "3")
        self.make("GET", server.url(), *words)
        said = self.one("POST", server.url(), "--write", "--tries", "3")
        self.assertTrue(said.startswith("http.lost: ") and said.endswith(
            "; it may have been carried out all the same, look before repeating it"), said)
        self.assertEqual(sum(request.startswith(b"POST") for request in server.seen), 1)

    def test_post_on_a_kept_connection(self):
        server = self.raw(lambda connection, request: b"X-Key: 1" in request and not connection.sendall(OK))
        self.make("POST", server.url(), "--header", "X-Key: 1", "--times", "3")
        self.assertEqual(len(server.open), 1, "reads are sent on it")
        server.seen.clear()
        answers = self.make("POST", server.url(), "--write", "--header", "X-Key: 1", "--times", "3")
        self.assertEqual([answer["status"] for answer in answers], [200] * 3)
        self.assertEqual(len(server.seen), 3)
        self.assertEqual(len(server.open), 4, "writes are not")

    def test_silence(self):
        server = self.raw(silent)
        begin = time.monotonic()
        self.assertEqual(self.one("GET", server.url(), "--tries", "2", "--read-timeout", "0.3s"),
                         f"http.timeout: cannot GET {server.url()}: no byte for 0.3 s")
        self.assertLess(time.monotonic() - begin, 30)
        self.assertEqual(len(server.seen), 2)
        said = self.one("POST", server.url(), "--write", "--read-timeout", "0.3s")
        self.assertIn("carried out", said)
        self.assertEqual(len(server.seen), 3)

    def test_slow_is_not_silent(self):
        parts = [b"HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n", *[b"x"] * 8]
        server = self.raw(sends(*parts, pause=0.3))
        self.assertEqual(self.one("GET", server.url(), "--read-timeout", "2s")["body"], "x" * 8)
        said = self.one("GET", server.url(), "--read-timeout", "2s", "--total-timeout", "1s")
        self.assertEqual(said, f"http.timeout: cannot GET {server.url()}: no answer in time")

    def test_answer_that_is_cut(self):
        server = self.raw(sends(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"))
        said = self.one("GET", server.url(), "--tries", "2")
        self.assertTrue(said.startswith("http.lost: "), said)
        self.assertEqual(len(server.seen), 2)

    def test_what_is_no_http(self):
        for nonsense in (b"SSH-2.0-OpenSSH_9.2\r\n", b"\0\1\2\3", b"HTTP/9.9 what\r\n\r\n",
                         b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 3\r\n\r\nabc",
                         b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"):
            said = self.one("GET", self.raw(sends(nonsense)).url(), "--tries", "1")
            self.assertRegex(said, r"^http\.(protocol|lost): ", (nonsense, said))
            self.assertTrue(said.isascii() and said.isprintable())

    def test_headers_without_end(self):
        header = b"X-Long: " + b"x" * 60000 + b"\r\n"
        said = self.one("GET", self.raw(sends(b"HTTP/1.1 200 OK\r\n", *[header] * 20, b"Content-Length: 0\r\n\r\n")).url(),
                        "--tries", "1")
        self.assertRegex(said, r"^http\.(size|lost|protocol): ")

    def test_interrupted(self):
        server = self.raw(silent)
        process = self.start(NAME, "GET", server.url(), "--read-timeout", "60s")
        self.wait_for(lambda: server.seen, "the request")
        process.send_signal(signal.SIGINT)
        result = self.finish(process)
        self.assertEqual(result.code, 97, result)

    def test_interrupted_in_a_pause(self):
        process = self.start(NAME, "GET", self.nginx.url("/500"), "--backoff", "60s")
        self.wait_for_log("retrying in 60.00s", NAME)
        process.send_signal(signal.SIGTERM)
        self.assertEqual(self.finish(process).code, 97)

    def test_after_a_crash(self):
        """The session is there, its connection and its secrets are not."""
        url = self.nginx.url("/json")
        lines = self.make("GET", url, "--crash", code=92)
        self.assertEqual([line["status"] for line in lines], [200, 200])
        lines = self.make("GET", url, "--token", self.token, "--crash", code=92)
        self.assertTrue(lines[1].startswith("secret.gone: "), lines)


class Tls(HttpTest):
    def url(self, port):
        return f"https://127.0.0.1:{port}/"

    def test_verified(self):
        self.assertIn('{"tls": "TLSv1.3"}', self.one("GET", self.url(self.nginx.tls), "--ca", self.ca)["body"])

    def test_unknown_authority(self):
        said = self.one("POST", self.url(self.nginx.tls), "--write")
        self.assertTrue(said.startswith("http.certificate: ") and "certificate" in said[20:], said)
        self.assertEqual(len(self.exchanges()), 1, "trying again does not help")

    def test_certificate_of_another(self):
        said = self.one("GET", self.url(self.nginx.wrong), "--ca", self.ca)
        self.assertTrue(said.startswith("http.certificate: ") and "127.0.0.1" in said[60:], said)

    def test_client_certificate(self):
        made = self.nginx.certificates
        url = self.url(self.nginx.mutual)
        answer = self.one("GET", url, "--ca", self.ca, "--cert", made.client, "--key", made.path("client", "key"))
        self.assertEqual(answer["body"], '{"client": "CN=client"}')
        self.assertEqual(self.one("GET", url, "--ca", self.ca)["status"], 400)

    def test_files_that_are_not_there(self):
        for option in ("--ca", "--cert"):
            said = self.one("GET", self.url(self.nginx.tls), option, "/no/such.pem")
            self.assertTrue(said.startswith("http.certificate: ") and "/no/such.pem" in said, said)

    def test_no_tls_there(self):
        said = self.one("GET", f"https://127.0.0.1:{self.nginx.port}/", "--tries", "1")
        self.assertRegex(said, r"^http\.(connect|certificate): ")


class Proxy(HttpTest):
    def setUp(self):
        super().setUp()
        self.config = self.write("proxied.cfg", self.configuration(
            [self.fixtures], f'instance_params = {{ http_proxy = "127.0.0.1:{self.nginx.port}"; }};'))

    @property
    def fixtures(self):
        return re.search(r'\["(.*?)"\]', self.config.read_text())[1]

    def test_where_it_is_wanted(self):
        """nginx is no proxy, but it sees where it was asked to go."""
        self.assertEqual(self.one("GET", "http://elsewhere.invalid/json", "--proxied")["status"], 200)
        self.requests(1)

    def test_nowhere_else(self):
        self.env |= {"http_proxy": self.nginx.url(""), "ALL_PROXY": self.nginx.url("")}
        self.assertTrue(self.one("GET", "http://elsewhere.invalid/json", "--tries", "1").startswith("http.connect: "))
        self.requests(0)


if __name__ == "__main__":
    unittest.main()
