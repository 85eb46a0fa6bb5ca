# SPDX-License-Identifier: Apache-2.0
"""Names asked of real servers, and of servers that do all that a server should not."""

import pathlib
import shutil
import signal
import socket
import struct
import tempfile
import unittest

from dnsservers import Bind, Gdnsd, Scripted, encode_name, free_port, missing, record, reply
from harness import CommandTest

NAME = "fixture.dns"
A, CNAME, TXT, AAAA = 1, 5, 16, 28

ZONE = """
both A 192.0.2.1
both A 192.0.2.2
both AAAA 2001:db8::1
four A 192.0.2.4
six AAAA 2001:DB8:0:0:0:0:0:6
alias 30 CNAME alias2
alias2 40 CNAME four
dangling CNAME nowhere
outside CNAME www.example.org.
text TXT "one, " "two" "; three"
text TXT "v=spf1 -all"
caa CAA 0 issue "ca.example"
_web._tcp SRV 10 5 80 four
_web._tcp SRV 5 1 81 six
_web._tcp SRV 5 9 82 both
_none._tcp SRV 0 0 0 .
""" + "".join(f"long TXT \"{number:03} {'x' * 200}\"\n" for number in range(20))
REVERSE = "1 PTR one.example.test.\n1 PTR uno.example.test.\n"
REVERSE6 = "1" + ".0" * 19 + " PTR six.example.test.\n"


class DnsTest(CommandTest):
    def ask(self, *words, code=0, options=(), **more):
        result = self.cookbook(*options, NAME, *words, **more)
        self.assertEqual(result.code, code, result)
        return result

    def check(self, out, *words, **more):
        result = self.ask(*words, **more)
        self.assertEqual(result.out, out, result)
        return result

    def refused(self, kind, message, *words, **more):
        result = self.ask(*words, code=99, **more)
        self.assertIn(f"{message} [{kind}]\n", result.err)
        return result


@unittest.skipIf(missing(), f"not installed: {missing()}")
class RealServers(DnsTest):
    @classmethod
    def setUpClass(cls):
        cls.servers = pathlib.Path(tempfile.mkdtemp(prefix="spicerack-dns-"))
        cls.addClassCleanup(shutil.rmtree, cls.servers)
        cls.bind = Bind(cls.servers / "bind", {"example.test": ZONE, "2.0.192.in-addr.arpa": REVERSE,
                                               "0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa": REVERSE6, "broken.test": None})
        cls.addClassCleanup(cls.bind.stop)
        cls.gdnsd = Gdnsd(cls.servers / "gdnsd", {"search": {"dc1": "203.0.113.1", "dc2": "203.0.113.2"}})
        cls.addClassCleanup(cls.gdnsd.stop)

    def ask(self, what, name, *words, server=None, **more):
        return super().ask(what, name, "--servers", (server or self.bind).address, *words, **more)

    def test_addresses(self):
        self.assertEqual(sorted(self.ask("ipv4", "both.example.test").out.split()), ["192.0.2.1", "192.0.2.2"])
        self.check("2001:db8::6\n", "ipv6", "six.example.test.")
        both = self.ask("ips", "both.example.test").out.split()
        self.assertEqual((sorted(both[:2]), both[2:]), (["192.0.2.1", "192.0.2.2"], ["2001:db8::1"]))
        self.check("192.0.2.4\n", "ips", "four.example.test")
        self.check("2001:db8::6\n", "ips", "six.example.test")

    def test_names_of_addresses(self):
        self.assertEqual(sorted(self.ask("ptr", "192.0.2.1").out.split()), ["one.example.test", "uno.example.test"])
        self.check("six.example.test\n", "ptr", "2001:db8::1")
        self.refused("dns.invalid", "cannot ask for the names of the address '192.0.2': it is no address", "ptr",
                     "192.0.2")

    def test_aliases(self):
        self.check("alias2.example.test\n", "cname", "alias.example.test")
        self.check("192.0.2.4\n", "ipv4", "ALIAS.example.test")
        self.check("ttl=30 authoritative=1 scope=-1\nfour.example.test 300 1 0 0 0 192.0.2.4\n", "answer",
                   "alias.example.test")

    def test_services(self):
        self.check("ttl=300 authoritative=1 scope=-1\n"
                   "_web._tcp.example.test 300 33 5 9 82 both.example.test\n"
                   "_web._tcp.example.test 300 33 5 1 81 six.example.test\n"
                   "_web._tcp.example.test 300 33 10 5 80 four.example.test\n", "srv", "_web._tcp.example.test")
        self.refused("dns.missing.records", "it says that there is no such service", "srv", "_none._tcp.example.test")

    def test_texts(self):
        self.assertEqual(sorted(self.ask("txt", "text.example.test").out.splitlines()),
                         ["one, two; three", "v=spf1 -all"])

    def test_another_type(self):
        self.assertIn('caa.example.test 300 257 0 0 0 0 issue "ca.example"\n', self.ask("type", "caa.example.test").out)

    def test_long_answers_come_over_tcp(self):
        expected = [f"{number:03} {'x' * 200}" for number in range(20)]
        self.assertEqual(sorted(self.ask("txt", "long.example.test").out.splitlines()), expected)
        self.assertEqual(sorted(self.ask("txt", "long.example.test", "--tcp").out.splitlines()), expected)
        self.check("192.0.2.4\n", "ipv4", "four.example.test", "--tcp")

    def test_what_is_not_there(self):
        at = f" of 127.0.0.1:{self.bind.port}: "
        self.refused("dns.missing.name", f"cannot resolve 'x.example.test' (A){at}there is no such name", "ipv4",
                     "x.example.test")
        self.refused("dns.missing.records", f"cannot resolve 'six.example.test' (A){at}the name has no records of that "
                     "type", "ipv4", "six.example.test")
        self.refused("dns.missing.name", "there is no such name: it is an alias of 'nowhere.example.test'", "ipv4",
                     "dangling.example.test")
        self.refused("dns.missing.records", "it is an alias of 'www.example.org'", "ipv4", "outside.example.test")
        self.refused("dns.missing.name", "there is no such name", "ips", "x.example.test")
        self.refused("dns.missing.records", "the name has no records of that type", "ips", "text.example.test")

    def test_servers_that_fail_and_refuse(self):
        self.refused("dns.server", "the server answers with SERVFAIL", "ipv4", "www.broken.test")
        self.refused("dns.server", "the server answers with REFUSED", "ipv4", "www.example.org")

    def test_next_server(self):
        self.check("192.0.2.4\n", "ipv4", "four.example.test", server=Pair(free_port(), self.bind.port))

    def test_clients(self):
        for client, address in (("192.0.2.77", "203.0.113.1"), ("198.51.100.0/24", "203.0.113.2"),
                                ("2001:db8:2::1", "203.0.113.2"), ("2001:db8:1::/48", "203.0.113.1")):
            with self.subTest(client):
                out = self.ask("answer", "search.discovery.test", "--client", client, server=self.gdnsd).out
                self.assertRegex(out, rf"^ttl=300 authoritative=1 scope=\d+\nsearch.discovery.test 300 1 0 0 0 {address}\n$")
        self.assertIn(" scope=0\n", self.ask("answer", "four.example.test", "--client", "192.0.2.0/24").out)
        self.assertIn(" scope=-1\n", self.ask("answer", "four.example.test").out)
        self.refused("dns.invalid", "cannot ask for the client '192.0.2.0/33': a network of it has 0 to 32 bits",
                     "answer", "four.example.test", "--client", "192.0.2.0/33")

    def test_configured_servers(self):
        self.write("config/dns/config.cfg", f'servers = [ "{self.bind.address}" ];')
        self.config.write_text(self.config.read_text() +
                               f'instance_params: {{ spicerack_config_dir = "{self.scratch}/config"; }};\n')
        result = self.cookbook(NAME, "ipv4", "four.example.test", "--defaults")
        self.assertEqual((result.code, result.out), (0, "192.0.2.4\n"), result)
        self.write("config/dns/config.cfg", 'server = [ "127.0.0.1" ];')
        result = self.cookbook(NAME, "ipv4", "four.example.test", "--defaults")
        self.assertIn("config/dns/config.cfg:1: unknown key 'server' [config.type]", result.err)

    def test_log_and_summary(self):
        result = self.ask("ipv4", "four.example.test", options=["-v"])
        self.assertIn(f"asked the DNS for 'four.example.test' (A) of 127.0.0.1:{self.bind.port}: 192.0.2.4, ttl 5m\n",
                      result.err)
        result = self.ask("ipv4", "four.example.test", options=["-d"])
        self.assertEqual(result.out, "192.0.2.4\n")
        self.assertIn("DRY-RUN: What this dry run has found out:\n"
                      f"  read the DNS: 'four.example.test' (A) of 127.0.0.1:{self.bind.port}\n", result.err)


class Pair:
    """Two servers, of which the first is not there."""

    def __init__(self, *ports):
        self.address = ",".join(f"127.0.0.1:{port}" for port in ports)


def address(text="192.0.2.9"):
    return socket.inet_aton(text)


class BadServers(DnsTest):
    def serve(self, answer, over_tcp=None):
        server = Scripted(answer, over_tcp)
        self.addCleanup(server.stop)
        return server

    def against(self, kind, message, answer, over_tcp=None, what="ipv4", name="x.test", words=()):
        server = self.serve(answer, over_tcp)
        return self.refused(kind, message, what, name, "--servers", server.address, "--timeout", "3s", *words)

    def test_names_and_servers_that_are_none(self):
        for name in ("a..b", "a" * 64 + ".test", ".".join(["a" * 60] * 5)):
            self.refused("dns.invalid", "it is no name of the DNS", "ipv4", name, "--servers", "127.0.0.1")
        for server, why in (("localhost", "it is no address"), ("[::1", "a bracket is not closed"),
                            ("127.0.0.1:0", "the port must be from 1 to 65535")):
            result = self.ask("ipv4", "x.test", "--servers", server, code=99)
            self.assertIn(f"cannot ask the server of names '{server}': {why}", result.err)

    def test_silence(self):
        self.against("dns.timeout", "no answer in time", lambda packet: None)

    def test_nobody_there(self):
        self.refused("dns.server", "no server is reached", "ipv4", "x.test", "--servers", f"127.0.0.1:{free_port()}",
                     "--timeout", "3s")

    def test_forgeries_are_passed_over(self):
        def answer(packet):
            good = reply(packet, record("x.test", A, address()), 1)
            bad = reply(packet, record("x.test", A, address("192.0.2.66")), 1)
            number = struct.unpack(">H", packet[:2])[0]
            other = reply(b"\0" * 12 + encode_name("y.test") + packet[-4:], record("y.test", A, address()), 1,
                          number=number)
            return [struct.pack(">H", number ^ 1) + bad[2:], other, b"", packet[:5], good]

        server = self.serve(answer)
        self.check("192.0.2.9\n", "ipv4", "x.test", "--servers", server.address)

    def test_malformed_answers(self):
        def cut(packet):
            return reply(packet, record("x.test", A, address())[:-2], 1)

        def pointer_loop(packet):
            return reply(packet, b"\xc0\x18" + struct.pack(">HHIH", A, 1, 1, 4) + address(), 1)

        def short_address(packet):
            return reply(packet, record("x.test", A, b"\1\2\3"), 1)

        for answer in (cut, pointer_loop, short_address):
            with self.subTest(answer.__name__):
                self.against("dns.server", "", answer)

    def test_aliases_in_a_circle(self):
        def answer(packet):
            return reply(packet, record("x.test", CNAME, encode_name("y.test")) +
                         record("y.test", CNAME, encode_name("x.test")), 2)

        self.against("dns.server", "its aliases lead in a circle", answer)

    def test_records_of_others_are_passed_over(self):
        self.against("dns.missing.records", "the name has no records of that type",
                     lambda packet: reply(packet, record("y.test", A, address()), 1))

    def test_several_aliases(self):
        self.against("dns.ambiguous", "'x.test' is an alias of 2 names: a.test, b.test",
                     lambda packet: reply(packet, record("x.test", CNAME, encode_name("a.test")) +
                                          record("x.test", CNAME, encode_name("b.test")), 2), what="cname")

    def test_nul_in_a_text(self):
        self.against("dns.server", "a text of the answer holds a NUL byte",
                     lambda packet: reply(packet, record("x.test", TXT, b"\3a\0b"), 1), what="txt")

    def test_control_characters_do_not_reach_the_terminal(self):
        server = self.serve(lambda packet: reply(packet, record("x.test", TXT, b"\4\x1b[2J"), 1))
        result = self.ask("txt", "x.test", "--servers", server.address, options=["-v"])
        self.assertNotIn("\x1b", result.err)

    def test_ttl_beyond_its_range_is_none(self):
        server = self.serve(lambda packet: reply(packet, record("x.test", A, address(), 0xffffffff), 1))
        self.assertIn("ttl=0 ", self.ask("answer", "x.test", "--servers", server.address).out)

    def test_answer_for_another_client(self):
        def answer(packet):
            subnet = struct.pack(">HBB", 1, 24, 24) + address("198.51.100.0")[:3]
            option = struct.pack(">HH", 8, len(subnet)) + subnet
            return reply(packet, record("x.test", A, address()), 1,
                         more=b"\0" + struct.pack(">HHIH", 41, 512, 0, len(option)) + option, more_count=1)

        self.against("dns.server", "the answer is for another client than the one that was told", answer,
                     what="answer", words=("--client", "192.0.2.1"))

    def test_what_a_client_is_told_as(self):
        server = self.serve(lambda packet: reply(packet, record("x.test", A, address()), 1))
        self.ask("answer", "x.test", "--servers", server.address, "--client", "192.0.2.129/25")
        self.assertTrue(server.seen[0].endswith(b"\0\x08\0\x08\0\1\x19\0\xc0\0\2\x80"), server.seen)

    def test_cut_over_tcp(self):
        def truncated(packet):
            return reply(packet, flags=0x8600)

        self.against("dns.server", "", truncated, lambda packet: b"\x01\x00short")
        self.against("dns.server", "the answer is cut short, over TCP", truncated,
                     lambda packet: struct.pack(">H", len(truncated(packet))) + truncated(packet))

    def test_interruption(self):
        server = self.serve(lambda packet: None)
        process = self.start(NAME, "ipv4", "x.test", "--servers", server.address, "--timeout", "1h")
        self.wait_for(lambda: server.seen, "the question")
        process.send_signal(signal.SIGINT)
        self.assertEqual(self.finish(process).code, 97)


if __name__ == "__main__":
    unittest.main()
