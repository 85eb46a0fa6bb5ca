# SPDX-License-Identifier: Apache-2.0
"""Announcements of runs: to a relay, to a real IRC server, to a web server; and that none of them can harm a run."""

import os
import signal
import socket
import time
import unittest

import listeners
from harness import FIXTURES, LONG, USER, CommandTest
from listeners import CHANNEL, Authority, Closed, Full, Hook, Listener, Reader, Relay, Scripted, Server, well_behaved

NAME = "fixture.announce"
WHO = f"{USER}@{socket.gethostname()}"
START = f"!log {WHO} START - Cookbook {NAME}"
END = f"!log {WHO} END (PASS) - Cookbook {NAME} (exit_code=0)"


class AnnounceTest(CommandTest):
    def configure(self, *lines):
        self.config = self.write("spicerack.cfg", self.configuration([FIXTURES], "\n".join(lines) + "\n"))

    def to_relay(self, relay, *more):
        self.configure('tcpircbot_host = "127.0.0.1";', f"tcpircbot_port = {relay.port};", *more)

    def to_irc(self, port, *more, tls=False, drain=30):
        secure = "true" if tls else "false"
        lines = [f'irc = {{ server = "127.0.0.1"; port = {port}; tls = {secure}; channel = "{CHANNEL}";',
                 *[line for line in more], "};", f"notify = {{ drain = {drain}; }};"]
        self.configure(*lines)

    def announce(self, *words, code=0, options=(), **more):
        result = self.cookbook(*options, NAME, *words, **more)
        self.assertEqual(result.code, code, result)
        return result

    def warnings(self, name=NAME):
        return [message for level, message in self.records(name) if level == "WARNING"]

    def fails_with(self, reason):
        """While the run goes on it is told that nothing can be sent; then it ends, as it would without."""
        go = self.scratch / "go"
        go.unlink(missing_ok=True)
        process = self.start(NAME, "--wait-for", go)
        self.wait_for_log(reason, NAME)
        self.assertIn(reason, "\n".join(self.warnings()))
        go.touch()
        self.assertEqual(self.finish(process).code, 0)

    def texts(self, relay, count):
        """What a relay got, when it has that many; a message may overtake another that is read by another thread."""
        self.assertTrue(listeners.wait_until(lambda: len(relay.messages) >= count), relay.messages)
        return [message.decode() for message in relay.messages]


class Texts(AnnounceTest):
    """What is told, by way of a relay that shows each byte."""

    def setUp(self):
        super().setUp()
        self.relay = Relay(self)
        self.to_relay(self.relay)

    def test_start_and_end(self):
        self.announce("--describe", "by nothing")
        self.assertEqual(self.texts(self.relay, 2), [f"{START} by nothing", f"{END} by nothing"])
        self.assertEqual(self.warnings(), [])

    def test_both_loggers(self):
        result = self.announce("--irc", "to the channel", "--sal", "to the log")
        self.assertEqual(self.texts(self.relay, 4), [START, f"{WHO} to the channel", f"!log {WHO} to the log", END])
        for text in ("to the channel", "to the log"):
            self.assertIn(("INFO", text), self.records(NAME))
            self.assertIn(f"{text}\n", result.err)

    def test_failures(self):
        self.announce("--fail", code=3)
        self.announce("--crash", code=92)
        ends = [text for text in self.texts(self.relay, 4) if "END" in text]
        self.assertEqual(ends, [f"!log {WHO} END (FAIL) - Cookbook {NAME} (exit_code={code})" for code in (3, 92)])

    def test_interrupted(self):
        process = self.start(NAME, "--sleep", "60")
        self.texts(self.relay, 1)
        process.send_signal(signal.SIGINT)
        self.assertEqual(self.finish(process).code, 97)
        self.assertIn(f"!log {WHO} END (ERROR) - Cookbook {NAME} (exit_code=97)", self.texts(self.relay, 2))

    def test_skipped_start(self):
        result = self.announce("--skip-start")
        self.assertEqual(self.texts(self.relay, 1), [f"!log {WHO} DONE (PASS) - Cookbook {NAME} (exit_code=0)"])
        self.assertIn(f"START - Cookbook {NAME}", result.err)

    def test_within_another(self):
        result = self.cookbook("fixture.nest", "--cookbook", NAME, "--", "--irc", "hello")
        self.assertEqual(result.code, 0, result)
        heads = [text.split(" Cookbook ")[-1] for text in self.texts(self.relay, 5)]
        self.assertEqual(heads, ["fixture.nest", NAME, f"{WHO} hello", f"{NAME} (exit_code=0)",
                                 "fixture.nest (exit_code=0)"])

    def test_nothing_before_start(self):
        for words, code in ((("-h",), 0), (("--nonsense",), 2)):
            self.announce(*words, code=code)
        self.assertEqual(self.relay.messages, [])

    def test_dry_run(self):
        self.announce("--irc", "a", "--sal", "b", options=["-d"])
        self.assertEqual(self.relay.messages, [])
        self.assertIn(("INFO", "a"), self.records(NAME))

    def test_hostile_texts(self):
        self.announce("--irc", "one\r\nQUIT :gone\x01\x1b[31m\x7f\tend\n\n", "--describe", "two\nJOIN #x")
        texts = self.texts(self.relay, 3)
        self.assertEqual(texts[1], WHO + r" one\x0d QUIT :gone\x01\x1b[31m\x7f end")
        self.assertEqual(texts[0], f"{START} two JOIN #x")

    def test_bytes_that_are_no_text(self):
        self.announce("--irc", os.fsdecode(b"caf\xe9 \xe2\x80\xae"))
        self.assertEqual(self.texts(self.relay, 3)[1], WHO + r" caf\xe9 \xe2\x80\xae")

    def test_a_long_one_is_cut(self):
        self.announce("--irc", "ä", "--repeat", "50000")
        text = self.relay.messages and self.texts(self.relay, 3)[1]
        self.assertTrue(text.endswith("ä..."), text[-20:])
        self.assertLessEqual(len(text.encode()), 4096)
        self.assertGreater(len(text.encode()), 4080)

    def test_secrets(self):
        secret = self.write("secret", "s3cret-of-many", mode=0o600)
        self.announce("--secret", secret)
        self.assertEqual(self.texts(self.relay, 3)[1], f"!log {WHO} it is ********")

    def test_several_runs_at_once(self):
        processes = [self.start(NAME, "--irc", str(i)) for i in range(4)]
        for process in processes:
            self.assertEqual(self.finish(process).code, 0)
        self.assertEqual(len(self.texts(self.relay, 12)), 12)

    def test_half_configured(self):
        for lines in (('tcpircbot_host = "127.0.0.1";',), (f"tcpircbot_port = {self.relay.port};",)):
            self.configure(*lines)
            self.announce()
        self.assertEqual(self.relay.messages, [])


class Trouble(AnnounceTest):
    """None of them delays or fails a run; each is told."""

    def ends_well(self, *words, **more):
        result = self.announce(*words, **more)
        self.assertIn(f"END (PASS) - Cookbook {NAME}", result.err)
        return self.warnings()

    def test_a_relay_that_is_not_there(self):
        self.to_relay(Closed())
        warnings = self.ends_well()
        self.assertIn("Connection refused", warnings[0])
        self.assertIn("not sent", "\n".join(warnings))

    def test_a_relay_that_comes_back(self):
        closed = Closed()
        self.to_relay(closed)
        process = self.start(NAME, "--wait-for", self.scratch / "go")
        self.wait_for_log("cannot send by relay yet", NAME)
        relay = Relay(self, closed.port)
        self.texts(relay, 1)
        self.write("go", "")
        self.assertEqual(self.finish(process).code, 0)
        self.assertEqual(self.texts(relay, 2), [START, END])
        self.assertIn(("INFO", "messages by relay are sent again"), self.records(NAME))

    def test_a_relay_that_does_not_answer(self):
        self.to_relay(Full(self), "notify = { drain = 2; };")
        self.assertIn("Connection timed out", "\n".join(self.ends_well("--many", "5")))

    def test_a_relay_that_hangs(self):
        self.to_relay(Listener(self))
        self.assertEqual(self.ends_well(), [])

    def test_a_name_that_is_none(self):
        self.configure('tcpircbot_host = "relay.invalid";', "tcpircbot_port = 9200;", "notify = { drain = 2; };")
        self.assertIn("cannot find 'relay.invalid'", "\n".join(self.ends_well()))

    def test_the_end_waits_as_long_as_configured(self):
        hung = Listener(self)
        self.to_irc(hung.port, drain=0)
        self.assertIn("not sent", "\n".join(self.ends_well()))

    def test_ctrl_c_ends_that(self):
        hung = Listener(self)
        self.to_irc(hung.port, drain=600)
        process = self.start(NAME)
        self.wait_for_log("END (PASS)", NAME)
        # The first may still be taken for one of the run.
        self.wait_for(lambda: process.send_signal(signal.SIGINT) or time.sleep(0.1) or process.poll() is not None,
                      "the end")
        self.assertEqual(self.finish(process).code, 0)
        self.assertIn("not sent", "\n".join(self.warnings()))

    def test_the_lock_is_free_meanwhile(self):
        hung = Listener(self)
        self.to_irc(hung.port, drain=600)
        process = self.start(NAME)
        self.wait_for_log("END (PASS)", NAME)
        listed = lambda: self.run_command("spicerack", "locks", "-c", self.config, "list", "--json").out
        self.wait_for(lambda: NAME not in listed(), "the end of the lock")
        process.send_signal(signal.SIGTERM)
        self.assertEqual(self.finish(process).code, 0)

    def test_more_than_the_queue_takes(self):
        self.to_relay(Full(self), "notify = { drain = 0; };")
        warnings = self.ends_well("--many", "600")
        self.assertRegex("\n".join(warnings), r"60[0-2] messages by relay in all not sent")

    def test_a_driver_that_is_none(self):
        self.configure('notify = { drivers = ["nosuch", "../../etc/passwd"]; };')
        told = "\n".join(self.ends_well())
        self.assertIn("the driver notify-nosuch is not installed", told)
        self.assertIn("there is no driver 'notify-../../etc/passwd'", told)

    def test_settings_that_are_none(self):
        for lines, told in (
            (('irc = { server = "irc.invalid"; channel = "no-channel"; };',), "'irc.channel' is not one"),
            (('irc = { server = "irc.invalid"; channel = "#x"; nick = "0day"; };',), "'irc.nick' is not one"),
            (('irc = { server = "irc.invalid"; };',), "'irc.channel' is not set"),
            (('webhook = { url = "gopher://x"; };',), "'webhook.url' is no URL"),
        ):
            self.configure(*lines)
            self.announce()
            self.assertIn(told, "\n".join(self.warnings()))

    def test_a_level_that_is_none(self):
        self.configure(f'webhook = {{ url = "http://127.0.0.1:{Closed().port}/"; }};',
                       'notify = { log_level = "loud"; drain = 0; };')
        self.assertIn("'notify.log_level' must be none, error, warning, info or debug", "\n".join(self.ends_well()))


class Credentials(AnnounceTest):
    """Files with passwords are refused with the reason, and what is in them is told nobody."""

    def refused(self, path):
        self.to_irc(Closed().port, f'credentials = "{path}";', drain=5)
        self.announce()
        told = "\n".join(self.warnings())
        for line in self.log(NAME, True):
            self.assertNotIn("s3cret", line)
        return told

    def test_refusals(self):
        good = "server_password = s3cret\n"
        for text, mode, told in (
            (good, 0o644, "others may read it: chmod o-r"),
            (good, 0o620, "not trusted, others may write to it"),
            ("nonsense s3cret\n", 0o600, "secrets:1: the line is not 'name = value'"),
            ("# a comment\n\npasword = s3cret\n", 0o600, "secrets:3: the line has a name that is not known here"),
            ("server_password =\n", 0o600, "secrets:1: the line holds no value"),
            ("server_password = s3cret\x01\n", 0o600, "secrets:1: the line holds a control character"),
            ("#" * 9000, 0o600, "longer than 8192 bytes"),
        ):
            self.assertIn(told, self.refused(self.write("secrets", text, mode)))

    def test_files_that_are_none(self):
        self.assertIn("No such file", self.refused(self.scratch / "missing"))
        self.assertIn("not a regular file", self.refused(self.scratch))
        os.mkfifo(self.scratch / "fifo", 0o600)
        self.assertIn("not a regular file", self.refused(self.scratch / "fifo"))

    def test_never_in_the_open(self):
        path = self.write("secrets", "server_password = s3cret\n", 0o600)
        self.configure(f'irc = {{ server = "irc.invalid"; tls = false; channel = "#x"; credentials = "{path}"; }};')
        self.announce()
        self.assertIn("passwords would be sent in the open", "\n".join(self.warnings()))
        self.configure(f'webhook = {{ url = "http://example.invalid/"; credentials = "{path}"; }};')
        self.announce()
        self.assertIn("it would be sent in the open", "\n".join(self.warnings()))


class Irc(AnnounceTest):
    """A real ngircd, and a client that reads."""

    def start_server(self, **options):
        server = Server(self, **options)
        return server, Reader(server)

    def hears(self, reader, *texts):
        """Those texts, in that order, and nothing else."""
        reader.wait_for(rb"END \(", count=sum("END" in text for text in texts))
        self.assertEqual(reader.heard(), list(texts))

    def test_a_run(self):
        server, reader = self.start_server()
        self.to_irc(server.port)
        self.announce("--irc", "hello", "--sal", "done %s%n")
        self.hears(reader, START, f"{WHO} hello", f"!log {WHO} done %s%n", END)
        self.assertIn(b":spicerac", reader.wait_for(rb" PRIVMSG ")[0][:10])
        reader.wait_for(rb" QUIT ")
        self.assertEqual(self.warnings(), [])

    def test_tls(self):
        authority = Authority(self.scratch)
        pair = authority.signed("irc", "IP:127.0.0.1,DNS:localhost")
        server, reader = self.start_server(tls=pair)
        self.to_irc(server.tls_port, f'ca_file = "{authority.file}";', tls=True)
        self.announce()
        self.hears(reader, START, END)
        self.configure(f'irc = {{ server = "localhost"; port = {server.tls_port}; channel = "{CHANNEL}"; '
                       f'ca_file = "{authority.file}"; }}; notify = {{ drain = 30; }};')
        self.announce()
        self.hears(reader, START, END, START, END)

    def test_certificates_that_prove_nothing(self):
        authority = Authority(self.scratch)
        pair = authority.signed("irc", "DNS:irc.example.org")
        server, reader = self.start_server(tls=pair)
        for ca_file, told in ((f'ca_file = "{authority.file}";', "IP address mismatch"), ("", "certificate")):
            self.to_irc(server.tls_port, ca_file, tls=True)
            self.announce()
            self.assertIn(told, "\n".join(self.warnings()))
        self.to_irc(server.port, tls=True)
        self.fails_with("no TLS with 127.0.0.1")
        self.assertEqual(reader.heard(), [])

    def test_server_password(self):
        server, reader = self.start_server(password="pa%ss%n:word")
        self.to_irc(server.port, f'credentials = "{self.write("good", "server_password = pa%ss%n:word", 0o600)}";')
        self.announce()
        self.hears(reader, START, END)
        self.to_irc(server.port, f'credentials = "{self.write("bad", "server_password = wrong", 0o600)}";')
        self.fails_with("Bad password")
        self.hears(reader, START, END)

    def test_a_key_of_the_channel(self):
        server = Server(self)
        reader = Reader(server)
        reader.say(f"MODE {CHANNEL} +k opensesame")
        reader.wait_for(rb" MODE ")
        self.to_irc(server.port)
        self.fails_with("Cannot join channel")
        self.to_irc(server.port, f'credentials = "{self.write("key", "channel_key = opensesame", 0o600)}";')
        self.announce()
        self.hears(reader, START, END)

    def test_the_nick_is_in_use(self):
        server, reader = self.start_server()
        Reader(server, nick="spicerack")
        self.to_irc(server.port)
        self.announce()
        self.hears(reader, START, END)
        self.assertRegex(reader.wait_for(rb" PRIVMSG ")[0], rb"^:spice-[0-9a-z]{3}!")

    def test_long_lines(self):
        """Cut between characters, so that nothing is lost when the server puts our name before them."""
        server, reader = self.start_server()
        self.to_irc(server.port)
        self.announce("--irc", "€uro-blank ", "--repeat", "200")
        reader.wait_for(rb"END \(")
        lines = [line for line in reader.lines if b" PRIVMSG " in line]
        self.assertTrue(all(len(line) <= 510 for line in lines))
        self.assertGreater(max(len(line) for line in lines), 480)
        self.assertEqual(" ".join(reader.heard()[1:-1]), f"{WHO} " + ("€uro-blank " * 200).strip())
        self.announce("--irc", "€", "--repeat", "1000")
        reader.wait_for(rb"END \(", count=2)
        self.assertIn("€" * 1000, "".join(reader.heard()))

    def test_many_lines(self):
        """As fast as the server takes them, and none is lost."""
        server, reader = self.start_server(throttles=True)
        self.to_irc(server.port, drain=60)
        self.announce("--many", "12")
        self.hears(reader, START, *[f"{WHO} line {i}" for i in range(12)], END)

    def test_kicked(self):
        server, reader = self.start_server()
        self.to_irc(server.port)
        process = self.start(NAME, "--wait-for", self.scratch / "go")
        nick = reader.wait_for(rb"START")[0].split(b"!")[0][1:].decode()
        reader.say(f"KICK {CHANNEL} {nick} :out")
        reader.wait_for(rb" KICK ")
        self.write("go", "")
        self.assertEqual(self.finish(process).code, 0)
        self.hears(reader, START, END)

    def test_banned(self):
        server, reader = self.start_server()
        self.to_irc(server.port, drain=3)
        process = self.start(NAME, "--wait-for", self.scratch / "go")
        nick = reader.wait_for(rb"START")[0].split(b"!")[0][1:].decode()
        reader.say(f"MODE {CHANNEL} +b *!*@*")
        reader.say(f"KICK {CHANNEL} {nick} :out")
        reader.wait_for(rb" KICK ")
        self.write("go", "")
        self.assertEqual(self.finish(process).code, 0)
        self.assertIn("not sent", "\n".join(self.warnings()))
        self.hears(reader, START)

    def test_killed_by_an_operator(self):
        server, reader = self.start_server()
        self.to_irc(server.port)
        process = self.start(NAME, "--wait-for", self.scratch / "go")
        nick = reader.wait_for(rb"START")[0].split(b"!")[0][1:].decode()
        reader.say("OPER boss bosspass")
        reader.wait_for(rb" 381 ")
        reader.say(f"KILL {nick} :gone")
        reader.wait_for(rb" QUIT ")
        self.write("go", "")
        self.assertEqual(self.finish(process).code, 0)
        self.hears(reader, START, END)

    def test_a_server_that_restarts(self):
        server, reader = self.start_server()
        self.to_irc(server.port)
        process = self.start(NAME, "--wait-for", self.scratch / "go")
        reader.wait_for(rb"START")
        server.stop()
        server.start()
        reader = Reader(server)
        self.write("go", "")
        self.assertEqual(self.finish(process).code, 0)
        self.hears(reader, END)

    @unittest.skipUnless(LONG, "waits for the server to ask whether we live")
    def test_a_long_silence(self):
        server, reader = self.start_server()
        self.to_irc(server.port)
        self.announce("--sleep", "15")
        self.hears(reader, START, END)
        self.assertEqual(len(reader.wait_for(rb"^:spicerack!\S+ JOIN ")), 1)

    def test_several_runs_at_once(self):
        server, reader = self.start_server()
        self.to_irc(server.port)
        processes = [self.start(NAME) for _ in range(3)]
        for process in processes:
            self.assertEqual(self.finish(process).code, 0)
        reader.wait_for(rb"END \(", count=3)
        self.assertEqual(sorted(reader.heard()), sorted([START, END] * 3))


class OddServers(AnnounceTest):
    """Servers that are played: hostile, or dying in the wrong moment."""

    def said(self, server):
        return [line.split(b" :", 1)[1].decode() for line in server.got if line.startswith(b"PRIVMSG #")]

    def run_with(self, play, *words, more=(), **options):
        server = Scripted(self, play)
        self.to_irc(server.port, *more, **options)
        self.announce(*words)
        return server

    def test_lines_that_kill_libircclient(self):
        hostile = [b"NOTICE", b"NICK x", b"JOIN #operations", b":", b": ", b":x", b":x ", b"001", b"001 ", b"PING",
                   b"PING ", b":a KICK #operations", b"KICK", b":a NOTICE #operations", b":a PRIVMSG b :\x01\x01",
                   b":a PRIVMSG spicerack :\x01DCC SEND x 1 2 3\x01", b"\0\0\0", b"x" * 5000, b":" + b"y" * 600 + b" 001 a",
                   b"", b" ", b"  PING :a", b"\xff\xfe\xfd \xff", b":a!b@c MODE", b"ERRO", b":a 433", b":a!b@c TOPIC",
                   b":a!b@c QUIT", b":a!b@c INVITE"]

        def play(server, one, number, nick, word, rest):
            if word in (b"NICK", b"JOIN", b"PRIVMSG", b"PING"):
                one.sendall(b"\r\n".join(hostile) + b"\r\n")
            return well_behaved(server, one, number, nick, word, rest)

        server = self.run_with(play)
        self.assertEqual(self.said(server), [START, END])
        self.assertEqual((server.count, self.warnings()), (1, []))

    def test_it_answers_a_ping(self):
        def play(server, one, number, nick, word, rest):
            if word == b"JOIN":
                one.sendall(b"PING :are you there\r\nPING :token-2\r\n")
            return well_behaved(server, one, number, nick, word, rest)

        server = self.run_with(play)
        self.assertIn(b"PONG token-2", server.got)

    def test_a_ping_while_nothing_is_said(self):
        asked = []

        def play(server, one, number, nick, word, rest):
            if word == b"PING" and not asked:
                asked.append(one)
            return well_behaved(server, one, number, nick, word, rest)

        server = Scripted(self, play)
        self.to_irc(server.port)
        process = self.start(NAME, "--wait-for", self.scratch / "go")
        self.wait_for(lambda: asked, "START", 30)
        time.sleep(0.2)
        asked[0].sendall(b"PING :later\r\n")
        self.wait_for(lambda: b"PONG later" in server.got, "an answer", 30)
        self.write("go", "")
        self.assertEqual(self.finish(process).code, 0)
        self.assertEqual(self.said(server), [START, END])

    def test_it_drops_the_line_in_the_middle_of_one(self):
        def play(server, one, number, nick, word, rest):
            if number == 1 and word == b"PRIVMSG":
                one.sendall(b":irc.test PON")
                return False
            return well_behaved(server, one, number, nick, word, rest)

        server = self.run_with(play)
        # Whether the first was heard cannot be known, so it is said again.
        self.assertEqual(self.said(server), [START, START, END])
        self.assertEqual(server.count, 2)

    def test_it_says_why_it_closes(self):
        def play(server, one, number, nick, word, rest):
            if word == b"JOIN":
                one.sendall(b"ERROR :Closing link: too many runs\r\n")
                return False
            return True

        self.to_irc(Scripted(self, play).port)
        self.fails_with("too many runs")

    def test_it_never_answers(self):
        server = Scripted(self, lambda *words: True, welcome=False)
        self.to_irc(server.port, drain=1)
        self.announce()
        self.assertIn("not sent", "\n".join(self.warnings()))
        self.assertNothingLeft()

    def test_it_floods(self):
        """A server that says a lot without an end of a line is no reason to keep all that."""
        def play(server, one, number, nick, word, rest):
            if word == b"USER":
                for _ in range(100):
                    one.sendall(b"z" * 65536)
                one.sendall(b"\r\n")
            return well_behaved(server, one, number, nick, word, rest)

        server = self.run_with(play)
        self.assertEqual(self.said(server), [START, END])

    def test_services(self):
        """NickServ is told who we are; the channel lets us in when it believes that."""
        joins = []

        def play(server, one, number, nick, word, rest):
            if word == b"JOIN":
                joins.append(rest)
                if len(joins) < 3:
                    one.sendall(b":irc.test 477 %s %s :You need a registered nick\r\n" % (nick, rest.split()[0]))
                    return True
            return well_behaved(server, one, number, nick, word, rest)

        path = self.write("secrets", 'nickserv_password = "s3 cret";\n', 0o600)
        server = self.run_with(play, more=[f'credentials = "{path}";', 'nick = "bot";'])
        said = [line for line in server.got if line.startswith(b"PRIVMSG")]
        self.assertEqual(said[0], b"PRIVMSG NickServ :IDENTIFY bot s3 cret")
        self.assertEqual(self.said(server), [START, END])
        self.assertNotIn("s3 cret", "\n".join(self.log(NAME, True)))

    def test_another_nick_is_forced_on_us(self):
        def play(server, one, number, nick, word, rest):
            if word == b"PRIVMSG" and b"START" in rest:
                one.sendall(b":%s!u@h NICK guest\r\n:boss!u@h KICK #operations guest :bye\r\n" % nick)
                server.kicked = True
            if word == b"JOIN" and getattr(server, "kicked", False):
                nick = b"guest"
            return well_behaved(server, one, number, nick, word, rest)

        server = self.run_with(play)
        self.assertEqual(self.said(server), [START, END])
        self.assertEqual(len([line for line in server.got if line.startswith(b"JOIN")]), 2)


class Webhook(AnnounceTest):
    def to_hook(self, hook, *more, scheme="http", host="127.0.0.1", notify="drain = 30;"):
        self.configure(f'webhook = {{ url = "{scheme}://{host}:{hook.port}/runs?to=us";', *more, "};",
                       f"notify = {{ {notify} }};")

    def test_events(self):
        hook = Hook(self)
        self.to_hook(hook)
        self.announce("--describe", "it all", "--irc", "not for machines")
        self.assertEqual(hook.names(), ["begin", "start", "end"])
        begin, start, end = hook.events
        self.assertEqual((begin["cookbook"], begin["user"], begin["dry_run"]), (NAME, USER, False))
        self.assertEqual(start["description"], "it all")
        self.assertEqual((end["result"], end["exit_code"]), ("PASS", 0))
        self.assertEqual({event["run"] for event in hook.events}, {begin["run"]})
        path, headers, _ = hook.posts[0]
        self.assertEqual((path, headers["Content-Type"]), ("/runs?to=us", "application/json"))
        self.assertNotIn("Authorization", headers)

    def test_runs_within(self):
        hook = Hook(self)
        self.to_hook(hook)
        self.assertEqual(self.cookbook("fixture.nest", "--cookbook", NAME).code, 0)
        self.assertEqual(hook.names(), ["begin", "start", "begin", "start", "end", "end"])

    def test_records_by_level(self):
        hook = Hook(self)
        secret = self.write("secret", "s3cret-of-many", mode=0o600)
        self.to_hook(hook, notify='drain = 30; log_level = "info"; events = ["end"];')
        self.announce("--secret", secret, "--irc", "hello")
        messages = [event["message"] for event in hook.events if event["event"] == "log"]
        self.assertIn("hello", messages)
        self.assertIn("it is ********", messages)
        self.assertEqual(set(hook.names()), {"log", "end"})
        self.assertFalse([event for event in hook.events if event.get("level") == "DEBUG"])

    def test_dry_run(self):
        hook = Hook(self)
        self.to_hook(hook)
        self.announce(options=["-d"])
        self.assertEqual(hook.posts, [])

    def test_authorization(self):
        hook = Hook(self)
        path = self.write("token", "authorization = Bearer s3cret\n", 0o600)
        self.to_hook(hook, f'credentials = "{path}";')
        self.announce()
        self.assertEqual({headers["Authorization"] for _, headers, _ in hook.posts}, {"Bearer s3cret"})
        self.assertNotIn("s3cret", "\n".join(self.log(NAME, True)))

    def test_https(self):
        authority = Authority(self.scratch)
        hook = Hook(self, authority.context(*authority.signed("hook", "DNS:localhost")))
        self.to_hook(hook, f'ca_file = "{authority.file}";', scheme="https", host="localhost")
        self.announce()
        self.assertEqual(hook.names(), ["begin", "start", "end"])
        self.to_hook(hook, scheme="https", host="localhost")
        self.announce()
        self.assertIn("certificate", "\n".join(self.warnings()))
        self.assertEqual(len(hook.events), 3)

    def test_a_server_in_trouble_is_tried_again(self):
        hook = Hook(self)
        hook.status = 503
        self.to_hook(hook)
        process = self.start(NAME, "--wait-for", self.scratch / "go")
        self.wait_for_log("cannot send by webhook yet: the server answered 503", NAME)
        hook.status = 200
        self.wait_for(lambda: "start" in hook.names(), "the event of before", 30)
        self.write("go", "")
        self.assertEqual(self.finish(process).code, 0)
        self.assertEqual(hook.names(), ["begin", "start", "end"])

    def test_a_server_that_refuses(self):
        hook = Hook(self)
        hook.status = 401
        self.to_hook(hook)
        self.announce()
        told = "\n".join(self.warnings())
        self.assertIn("the server answered 401", told)
        self.assertIn("3 messages by webhook in all not sent", told)

    def test_one_that_hangs(self):
        """Nor do the others wait for it."""
        hung, relay = Listener(self), Relay(self)
        self.configure(f'webhook = {{ url = "http://127.0.0.1:{hung.port}/"; }};', "notify = { drain = 1; };",
                       'tcpircbot_host = "127.0.0.1";', f"tcpircbot_port = {relay.port};")
        self.announce()
        self.assertEqual(self.texts(relay, 2), [START, END])
        self.assertIn("webhook", "\n".join(self.warnings()))
        self.assertNothingLeft()

    def test_what_fails_there_is_not_told_there(self):
        closed = Closed()
        self.to_hook(closed, notify='drain = 1; log_level = "debug";')
        self.announce()
        self.assertLess(len(self.log(NAME)), 20)


class Awaiting(AnnounceTest):
    def on_question(self, *lines, words=(), options=()):
        self.relay = Relay(self)
        self.to_relay(self.relay, *lines)
        terminal = self.on_terminal("cookbook", "-c", self.config, *options, NAME, "--ask", *words)
        terminal.wait_for("\n> ")
        return terminal

    def waits(self):
        return [message.decode() for message in self.relay.messages if b"awaiting" in message]

    def wait_for_waits(self, terminal, count):
        self.wait_for(lambda: terminal.read(0.05) and len(self.waits()) >= count, f"{count} in {self.relay.messages}")

    def test_once_for_each_attempt(self):
        terminal = self.on_question("user_input_notifications_enabled = true;", "notify = { awaiting_input = 1; };")
        self.wait_for_waits(terminal, 1)
        text = f"{WHO} {NAME} (PID {terminal.process.pid}) is awaiting input"
        self.assertEqual(self.waits(), [text])
        time.sleep(1.5)
        self.assertEqual(self.waits(), [text])
        terminal.type(b"what\n")
        self.wait_for_waits(terminal, 2)
        terminal.type(b"go\n")
        self.assertEqual(terminal.finish().code, 0)
        self.assertEqual(self.waits(), [text] * 2)

    def test_not_when_it_is_answered(self):
        terminal = self.on_question("user_input_notifications_enabled = true;")
        terminal.type(b"go\n")
        self.assertEqual(terminal.finish().code, 0)
        self.assertEqual(self.waits(), [])

    def test_only_where_it_is_wanted(self):
        hook = Hook(self)
        terminal = self.on_question(f'webhook = {{ url = "http://127.0.0.1:{hook.port}/"; }};',
                                    "notify = { awaiting_input = 1; drain = 30; };")
        self.wait_for(lambda: terminal.read(0.05) and "awaiting" in hook.names(), "the event")
        terminal.type(b"go\n")
        self.assertEqual(terminal.finish().code, 0)
        self.assertEqual(self.waits(), [])
        event = next(event for event in hook.events if event["event"] == "awaiting")
        self.assertEqual((event["name"], event["waited"]), ("ready", 1))


if __name__ == "__main__":
    unittest.main()
