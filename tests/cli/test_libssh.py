# SPDX-License-Identifier: Apache-2.0
"""The transport on libssh, through its table, with real sshds: what it runs, whom it believes, how it fails."""

import json
import os
import pathlib
import select
import shutil
import signal
import socket
import subprocess
import time
import unittest

from harness import BUILD, LONG, SANITIZED, CommandTest
from hostile import can_lie, start_liars
from sshd import FAULTS, USER, Garbage, Sshd, make_key, require_sshd

CLIENT = BUILD / "tests" / "ssh" / "transport-client"


def setUpModule():
    require_sshd()


class Client:
    """The transport in a process of its own; see tests/ssh/transport_client.c."""

    def __init__(self, test, environment=None, **settings):
        words = [CLIENT, BUILD / "plugins", "libssh", *(f"{name}={value}" for name, value in settings.items())]
        env = {key: value for key, value in os.environ.items() if key != "SSH_AUTH_SOCK"}
        # libssh itself forgets a few bytes for each agent that it has asked.
        env["LSAN_OPTIONS"] = f"suppressions={test.scratch}/suppressions"
        (test.scratch / "suppressions").write_text("leak:libssh.so\n")
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        env={**env, **(environment or {})})
        os.set_blocking(self.process.stdout.fileno(), False)
        test.addCleanup(self.kill)
        self.test, self.pending, self.count, self.ends = test, b"", 0, {}
        self.opened = self.read()

    def kill(self):
        self.process.kill()
        self.process.wait()
        self.process.stdin.close()
        self.process.stdout.close()

    def read(self, seconds=60):
        """The next line that it says."""
        end = time.monotonic() + seconds
        while b"\n" not in self.pending:
            left = end - time.monotonic()
            if left <= 0 or not select.select([self.process.stdout], [], [], left)[0]:
                raise AssertionError(f"nothing was heard in {seconds} s")
            got = self.process.stdout.read(1 << 20)
            if not got:
                raise AssertionError(f"the client has ended: {self.process.wait()}")
            self.pending += got
        line, self.pending = self.pending.split(b"\n", 1)
        return json.loads(line)

    def say(self, *words):
        self.process.stdin.write(("\t".join(str(word) for word in words) + "\n").encode())
        self.process.stdin.flush()

    def start(self, host, command="true", seconds=30, has_input=False):
        self.count += 1
        self.say("start", self.count, host, seconds, int(has_input), command)
        return self.count

    def wait(self, number, seconds=120):
        """How a command ended."""
        while number not in self.ends:
            end = self.read(seconds)
            self.ends[int(end["id"])] = end
        return self.ends[number]

    def run(self, host, command="true", **options):
        return self.wait(self.start(host, command, **options))

    def usage(self):
        self.say("usage")
        while "cpu_ms" not in (said := self.read()):
            self.ends[int(said["id"])] = said
        return said

    def close(self):
        """The transport goes in an orderly way."""
        self.say("close")
        self.test.assertEqual(self.process.wait(60), 0)


class TransportTest(CommandTest):
    def setUp(self):
        super().setUp()
        self.sshd = Sshd(self, **self.server())

    def server(self):
        return {}

    def client(self, **settings):
        client = Client(self, config=self.sshd.config, **settings)
        self.assertEqual(client.opened, {"open": True, "reason": ""})
        return client

    def logins(self):
        return self.sshd.log().count("Accepted publickey")

    def end_all(self):
        """The connections and what runs on them, with nobody left to tell of it."""
        children = self.sshd.children()
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for pid in children:
                os.kill(pid, number)

    def small(self, client, kib):
        """Sanitizers keep what was freed."""
        peak = client.usage()["peak_kib"]
        if not SANITIZED:
            self.assertLess(peak, kib)

    def fails(self, end, kind, *parts):
        self.assertEqual(end["kind"], kind, end)
        for part in parts:
            self.assertIn(str(part), end["reason"])
        self.assertRegex(end["reason"], r"\A[ -~]+\Z")

    def works(self, end, out=None):
        self.assertEqual((end["kind"], end["exit_code"], end["reason"]), ("EXITED", 0, None), end)
        if out is not None:
            self.assertEqual(end["stdout"], out)


class Commands(TransportTest):
    def test_what_they_write_and_how_they_end(self):
        client = self.client()
        end = client.run("host001.test", "echo out; echo err >&2; exit 3")
        self.assertEqual((end["kind"], end["exit_code"], end["stdout"], end["stderr"]),
                         ("EXITED", 3, "out\n", "err\n"))
        self.assertIsNotNone(end["started_ms"])
        end = client.run("host001.test", "kill -KILL $$")
        self.assertEqual(end["signal"], "KILL")
        self.fails(end, "SIGNALLED", "host001.test", "SIGKILL")
        client.close()

    def test_one_connection_for_all_commands(self):
        client = self.client()
        for number in range(3):
            self.works(client.run("host001.test", f"echo {number}"), f"{number}\n")
        for number in [client.start("host001.test", "echo together") for _ in range(8)]:
            self.works(client.wait(number), "together\n")
        self.assertEqual(self.logins(), 1)
        self.works(client.run("host002.test"))
        self.assertEqual(self.logins(), 2)

    def test_as_ssh_has_it(self):
        client = self.client()
        for command in ("printf 'a\\0b\\377\\n'", "exit 255", "echo \"$0 $-\"; pwd", "sh -c 'kill -TERM $$'; echo $?",
                        "cat; echo end", "seq 20000", "sleep 0.1 & exit 0", "nonexistent-command", "kill -USR1 $$",
                        "echo '   $HOME   ' *", "exec 1>&-; echo gone", "yes | head -c 300000"):
            with self.subTest(command):
                end, other = client.run("host001.test", command), self.sshd.ssh("host001.test", command)
                self.assertEqual(end["stdout"].encode("latin-1"), other.stdout[:4096])
                self.assertEqual(end["stdout_bytes"], len(other.stdout))
                self.assertEqual(end["stderr"].encode("latin-1"), other.stderr[:4096])
                self.assertEqual(end["exit_code"] if end["kind"] == "EXITED" else 255, other.returncode)

    def test_input(self):
        client = self.client()
        self.works(client.run("host001.test", "wc -c"), "0\n")
        number = client.start("host001.test", "cat", has_input=True)
        client.say("send", number, "one\\n")
        client.say("send", number, "two\\n")
        client.say("finish", number)
        self.works(client.wait(number), "one\ntwo\n")

    def test_much_input(self):
        client = self.client()
        size = 30_000_000
        counted = client.start("host001.test", "sleep 1; wc -c", has_input=True)
        deaf = client.start("host001.test", "exec 0<&-; sleep 1; echo deaf", has_input=True)
        for number in (counted, deaf):
            client.say("pour", number, size)
        self.works(client.wait(deaf), "deaf\n")
        # It is not all there before it was all taken.
        client.say("finish", counted)
        end = client.wait(counted)
        self.works(end)
        self.assertEqual(int(end["stdout"]), end["poured"])
        self.small(client, 30_000)

    def test_much_output(self):
        client = self.client()
        size = 1_000_000_000 if LONG else 50_000_000
        number = client.start("host001.test", f"yes 0123456789 | head -c {size}")
        other = client.start("host002.test", "echo not held up")
        self.works(client.wait(other), "not held up\n")
        end = client.wait(number, 600)
        self.works(end)
        self.assertEqual(end["stdout_bytes"], size)
        self.small(client, 30_000)

    def test_output_held_back(self):
        client = self.client()
        size = 30_000_000
        number = client.start("host001.test", f"yes 0123456789 | head -c {size}; echo >&2; echo end >{self.scratch}/end")
        client.say("hold", number)
        self.works(client.run("host001.test", "echo beside"), "beside\n")
        time.sleep(1.5)
        self.small(client, 30_000)
        self.assertFalse((self.scratch / "end").exists())
        client.say("release", number)
        end = client.wait(number)
        self.works(end)
        self.assertEqual((end["stdout_bytes"], end["stderr"], end["held_output"]), (size, "\n", 0))
        short = client.start("host001.test", "echo short")
        client.say("hold", short)
        time.sleep(1)
        client.usage()
        self.assertNotIn(short, client.ends)
        client.say("release", short)
        self.works(client.wait(short), "short\n")

    def test_output_taken_in_sips(self):
        """Whoever takes a little of what was held back is not sent ever more."""
        client = self.client()
        size = 50_000_000
        number = client.start("host001.test", f"yes 0123456789 | head -c {size}")
        client.say("hold", number)
        for _ in range(12):
            time.sleep(0.2)
            client.say("sip", number)
        time.sleep(0.2)
        self.small(client, 30_000)
        client.say("release", number)
        end = client.wait(number)
        self.works(end)
        self.assertEqual((end["stdout_bytes"], end["held_output"]), (size, 0))

    def test_let_go_of(self):
        client = self.client()
        for delay in (0, 0.02, 0.5):
            for command in ("yes", "sleep 100"):
                number = client.start("host001.test", command)
                time.sleep(delay)
                client.say("abandon", number)
        self.works(client.run("host001.test", "echo after"), "after\n")
        self.assertEqual(list(client.ends), [client.count])
        client.close()

    def test_closed_in_the_middle(self):
        for delay in (0, 0.05, 1):
            client = self.client()
            for name in self.sshd.names[:10]:
                client.start(name, "yes")
            time.sleep(delay)
            client.close()

    def test_environment(self):
        self.sshd.configure("host001.test", SetEnv="LC_FIRST=1 LC_OTHER=two REFUSED=3", SendEnv="LC_SENT*")
        client = Client(self, {"LC_SENT_ONE": "sent", "LC_UNSENT": "x"}, config=self.sshd.config)
        self.works(client.run("host001.test", "echo $LC_FIRST$LC_OTHER$REFUSED$LC_SENT_ONE$LC_UNSENT"), "1twosent\n")

    def server(self):
        return {"options": ["AcceptEnv LC_*"]}


class Limits(TransportTest):
    def server(self):
        return {"options": ["MaxSessions 2"]}

    def test_sessions_of_a_connection(self):
        client = self.client()
        numbers = [client.start("host001.test", "sleep 0.5; echo done") for _ in range(7)]
        for number in numbers:
            self.works(client.wait(number), "done\n")
        self.assertLessEqual(self.logins(), 5)


class Keys(TransportTest):
    def server(self):
        return {"options": ["GSSAPIAuthentication yes"]}

    def test_files(self):
        client = self.client()
        for name, (kind, key) in zip(self.sshd.names, self.sshd.keys.items()):
            self.sshd.configure(name, IdentityFile=key)
        client = self.client()
        for name in list(self.sshd.names)[:3]:
            self.works(client.run(name))
        for kind in self.sshd.keys:
            self.assertIn(f"ssh2: {kind.upper()} SHA256", self.sshd.log())

    def test_the_right_one_of_many(self):
        strangers = [make_key(self.scratch / f"stranger{number}") for number in range(3)]
        lines = "\n\tIdentityFile ".join(str(key) for key in (*strangers, self.sshd.keys["rsa"]))
        self.sshd.configure("host001.test", IdentityFile=lines)
        self.works(self.client().run("host001.test"))

    def test_who_is_not_let_in(self):
        self.sshd.fail("host001.test", "denied key")
        self.sshd.configure("host002.test", IdentityFile=self.scratch / "missing")
        secret = make_key(self.scratch / "secret", passphrase="unknown")
        self.sshd.configure("host003.test", IdentityFile=secret)
        shown = make_key(self.scratch / "shown")
        shown.chmod(0o644)
        self.sshd.configure("host004.test", IdentityFile=shown)
        client = self.client()
        self.fails(client.run("host001.test"), "DENIED", "host001.test does not let", USER, "no key of 1")
        self.fails(client.run("host002.test"), "DENIED", "no key to show", "missing")
        self.fails(client.run("host003.test"), "DENIED", secret, "encrypted")
        self.fails(client.run("host004.test"), "DENIED", shown, "others may read it")

    def test_agent(self):
        agent = self.sshd.start_agent(*self.sshd.keys.values())
        self.sshd.configure_all(IdentityAgent=agent)
        client = self.client()
        for name in self.sshd.names[:5]:
            self.works(client.run(name))
        # The public key is enough to say which one of the agent it is.
        self.sshd.configure("host006.test", IdentityFile=self.sshd.keys["rsa"])
        self.works(self.client().run("host006.test"))
        self.assertIn("ssh2: RSA SHA256", self.sshd.log())
        self.sshd.configure("host007.test", IdentityAgent="none")
        self.fails(self.client().run("host007.test"), "DENIED", "no key to show")

    def test_agent_of_the_environment(self):
        agent = self.sshd.start_agent(self.sshd.keys["ecdsa"])
        self.sshd.configure_all(IdentitiesOnly="no")
        client = Client(self, {"SSH_AUTH_SOCK": str(agent)}, config=self.sshd.config)
        self.works(client.run("host001.test"))
        self.sshd.configure_all(IdentitiesOnly="yes", IdentityFile=self.scratch / "none")
        client = Client(self, {"SSH_AUTH_SOCK": str(agent)}, config=self.sshd.config)
        self.fails(client.run("host001.test"), "DENIED", "no key to show")

    def test_agent_that_does_not_answer(self):
        """It holds up nobody who has no need of it, and itself only until the time is over."""
        path = self.scratch / "deaf"
        with socket.socket(socket.AF_UNIX) as deaf:
            deaf.bind(str(path))
            deaf.listen(8)
            self.sshd.configure("host001.test", IdentityAgent=path)
            client = self.client()
            waiting = client.start("host001.test", seconds=3)
            self.works(client.run("host002.test"))
            self.fails(client.wait(waiting), "UNREACHABLE", "no answer in time", "authentication")

    def test_certificates(self):
        for name, key in {"host001.test": self.sshd.certified("good"), "host003.test": self.sshd.certified("old", valid="-2h:-1h"),
                          "host004.test": self.sshd.certified("ours", "ecdsa")}.items():
            self.sshd.configure(name, IdentityFile=key)
        elsewhere = shutil.move(str(self.sshd.client / "ours-cert.pub"), str(self.scratch / "elsewhere.pub"))
        self.sshd.configure("host004.test", CertificateFile=elsewhere)
        client = self.client()
        self.works(client.run("host001.test"))
        self.fails(client.run("host003.test"), "DENIED")
        self.works(client.run("host004.test"))
        self.assertIn("ssh2: ECDSA-CERT", self.sshd.log())

    def test_certificate_of_a_key_in_the_agent(self):
        key = self.sshd.certified("kept")
        certificate = shutil.copy(str(key) + "-cert.pub", self.scratch / "cert.pub")
        agent = self.sshd.start_agent(key)
        pathlib.Path(str(key) + "-cert.pub").unlink()
        self.sshd.configure("host001.test", IdentityFile=key, CertificateFile=certificate, IdentityAgent=agent)
        self.works(self.client().run("host001.test"))
        self.assertIn("ssh2: ED25519-CERT", self.sshd.log())

    def test_kerberos(self):
        """It may be configured where keys are enough."""
        self.sshd.configure_all(GSSAPIAuthentication="yes")
        self.sshd.fail("host002.test", "denied key")
        client = self.client()
        self.works(client.run("host001.test"))
        self.fails(client.run("host002.test"), "UNSUPPORTED", f"{self.sshd.config}:", "GSSAPI", "'openssh'")


class HostKeys(TransportTest):
    def setUp(self):
        super().setUp()
        self.place = f"[127.0.0.1]:{self.sshd.port}"

    def lines(self, *marked, kind="ed25519", names=None):
        key = {key.name.removeprefix("host_"): key for key in self.sshd.host_keys}[kind]
        return self.sshd.known_lines([" ".join((*marked, names or self.place))], [key])

    def test_who_is_not_believed(self):
        self.sshd.fail("host001.test", "wrong host key")
        self.sshd.fail("host002.test", "unknown host key")
        self.sshd.fail("host003.test", "revoked host key")
        self.sshd.known_hosts_of("host004.test", self.lines() + self.lines("@revoked"))
        self.sshd.known_hosts_of("host005.test", self.lines("@cert-authority"))
        self.sshd.configure("host006.test", HostKeyAlgorithms="rsa-sha2-512")
        self.sshd.known_hosts_of("host006.test", self.lines())
        self.sshd.configure("host007.test", StrictHostKeyChecking="accept-new")
        self.sshd.known_hosts_of("host007.test", "")
        client = self.client()
        shown = subprocess.run(["ssh-keygen", "-lf", self.sshd.host_keys[0]], capture_output=True, text=True,
                               check=True).stdout.split()[1]
        self.fails(client.run("host001.test"), "HOST_KEY", self.place, shown, "ssh-ed25519",
                   "known_hosts-host001.test:1", "not the one in")
        self.fails(client.run("host002.test"), "HOST_KEY", self.place, "is not known", "known_hosts-host002.test")
        self.fails(client.run("host003.test"), "HOST_KEY", "revoked by", "known_hosts-host003.test:1")
        self.fails(client.run("host004.test"), "HOST_KEY", "revoked by", "known_hosts-host004.test:2")
        self.fails(client.run("host005.test"), "UNSUPPORTED", "known_hosts-host005.test:1", "'openssh'")
        self.fails(client.run("host006.test"), "HOST_KEY", "ssh-rsa", "known_hosts-host006.test:1 has its ssh-ed25519")
        self.fails(client.run("host007.test"), "HOST_KEY", "'StrictHostKeyChecking accept-new'", self.sshd.config)
        self.assertEqual(self.logins(), 0)

    def test_who_is_believed(self):
        for number, text in enumerate((
            self.lines(kind="rsa"),
            self.lines(kind="ecdsa"),
            self.lines(names="[127.*.1]:*,!other"),
            self.lines(names=f"a,b,{self.place},c"),
            self.lines(names="127.0.0.1"),
            "# comment\n\nunreadable\n|1|bad|bad ssh-rsa AAAA\n" + self.lines(),
            self.lines("@cert-authority") + self.lines(),
            self.lines("@revoked", kind="rsa") + self.lines(),
        )):
            self.sshd.known_hosts_of(self.sshd.names[number], text)
        self.sshd.configure("host150.test", HostKeyAlias="Another")
        self.sshd.known_hosts_of("host150.test", self.lines(names="another"))
        client = self.client()
        for name in [*self.sshd.names[:8], "host150.test"]:
            self.works(client.run(name))
        self.sshd.hashed = True
        self.sshd.write_known_hosts()
        self.works(self.client().run("host160.test"))

    def test_nobody_is_called(self):
        self.sshd.known_hosts_of("host001.test", self.lines(names=f"{self.place},!{self.place}"))
        self.sshd.known_hosts_of("host002.test", self.lines(names="[127.0.0.2]:*"))
        client = self.client()
        for name in ("host001.test", "host002.test"):
            self.fails(client.run(name), "HOST_KEY", "is not known")

    def test_exceptions_of_the_settings(self):
        self.sshd.fail("host001.test", "wrong host key")
        self.sshd.fail("host002.test", "unknown host key")
        self.sshd.fail("host003.test", "revoked host key")
        self.sshd.fail("host014.test", "unknown host key")
        client = self.client(unchecked_hosts="host00*.test,!host004.test")
        self.works(client.run("host001.test"))
        self.works(client.run("host002.test"))
        self.fails(client.run("host003.test"), "HOST_KEY", "revoked")
        self.fails(client.run("host014.test"), "HOST_KEY", "is not known")

    def test_file_of_somebody_else(self):
        self.sshd.known_hosts_of("host001.test", self.lines())
        (self.sshd.client / "known_hosts-host001.test").chmod(0o666)
        self.fails(self.client().run("host001.test"), "FAILED", "known_hosts-host001.test", "others may write")


class Ways(TransportTest):
    def test_jump_host(self):
        self.sshd.configure("host1*.test", ProxyJump="host001.test")
        client = self.client()
        numbers = [client.start(name, "echo $SSH_CLIENT") for name in self.sshd.names[99:120]]
        for number in numbers:
            self.works(client.wait(number))
        self.assertEqual(self.logins(), 22)
        size = 5_000_000
        number = client.start("host130.test", "cat", has_input=True)
        client.say("pour", number, size)
        time.sleep(3)
        client.say("finish", number)
        end = client.wait(number)
        self.works(end)
        self.assertEqual(end["stdout_bytes"], end["poured"])
        client.close()

    def test_several_jump_hosts(self):
        self.sshd.configure("host003.test", ProxyJump="host002.test")
        self.sshd.configure("host004.test", ProxyJump=f"ssh://{USER}@host001.test,host003.test:{self.sshd.port}")
        client = self.client()
        self.works(client.run("host004.test", "echo there"), "there\n")
        self.assertEqual(self.logins(), 3)

    def test_jump_host_that_fails(self):
        self.sshd.fail("host001.test", "wrong host key")
        self.sshd.fail("host002.test", "refused")
        self.sshd.configure("host011.test", ProxyJump="host001.test")
        self.sshd.configure("host012.test", ProxyJump="host002.test")
        self.sshd.configure("host013.test", ProxyJump="host003.test", Port=1)
        self.sshd.configure("host014.test", ProxyJump="host014.test")
        self.sshd.configure("host015.test", ProxyJump="bad@@host:x")
        client = self.client()
        self.fails(client.run("host011.test"), "HOST_KEY", "jump host host001.test", "not the one")
        self.fails(client.run("host012.test"), "UNREACHABLE", "jump host host002.test", "refused")
        self.fails(client.run("host013.test"), "UNREACHABLE", "jump host host003.test", "port 1")
        self.fails(client.run("host014.test"), "FAILED", "jump host host014.test", "leads back to host014.test")
        self.fails(client.run("host015.test"), "FAILED", "not a jump host")

    def test_jump_host_that_breaks(self):
        self.sshd.configure("host002.test", ProxyJump="host001.test")
        client = self.client()
        number = client.start("host002.test", "echo begun; sleep 100")
        self.wait_for(lambda: self.logins() == 2, "logins")
        time.sleep(1)
        self.end_all()
        end = client.wait(number)
        self.fails(end, "LOST", "host002.test")

    def test_proxy_command(self):
        relay = self.scratch / "relay"
        relay.write_text("import os, socket, sys, threading\n"
                         "one = socket.create_connection((sys.argv[1], int(sys.argv[2])))\n"
                         "def pump(read, write):\n"
                         "    while got := read(65536):\n"
                         "        write(got)\n"
                         "    os._exit(0)\n"
                         "threading.Thread(target=pump, args=(lambda n: os.read(0, n), one.sendall)).start()\n"
                         "pump(one.recv, lambda got: os.write(1, got))\n")
        self.sshd.configure("host001.test", ProxyCommand=f"python3 {relay} %h %p")
        self.sshd.configure("host002.test", ProxyCommand="false")
        self.sshd.configure("host003.test", ProxyCommand="sleep 1000")
        self.sshd.configure("host004.test", ProxyCommand="echo %C %h")
        client = self.client()
        self.works(client.run("host001.test", "echo by the command"), "by the command\n")
        self.fails(client.run("host002.test"), "UNREACHABLE", "port")
        self.fails(client.run("host003.test", seconds=2), "UNREACHABLE", "no answer in time")
        self.fails(client.run("host004.test"), "UNSUPPORTED", f"{self.sshd.config}:", "'openssh'")
        # What breaks first is another thing each time; none of them is a success.
        for _ in range(5):
            end = client.run("host002.test")
            self.fails(end, "UNREACHABLE", "port")
            self.assertNotIn("Success", end["reason"])
        client.close()


class Failures(TransportTest):
    EXPECTED = {
        "wrong host key": ("HOST_KEY", "not the one in"),
        "unknown host key": ("HOST_KEY", "is not known"),
        "revoked host key": ("HOST_KEY", "revoked"),
        "forged host key": ("HOST_KEY", "does not have the key that it shows"),
        "denied key": ("DENIED", "does not let"),
        "no address": ("UNREACHABLE", "cannot find"),
        "refused": ("UNREACHABLE", "refused"),
        "no answer": ("UNREACHABLE", "timed out|no answer in time"),
        "silent": ("UNREACHABLE", "no answer in time: it waited for the key exchange"),
        "reset": ("UNREACHABLE", "reset"),
        "garbage": ("UNREACHABLE", "."),
        "noise": ("UNREACHABLE", "."),
        "cut off": ("UNREACHABLE", "closed the connection"),
        "slow": None,
    }

    def test_every_way(self):
        """All at once, among hosts that are well."""
        self.assertEqual(set(self.EXPECTED), set(FAULTS))
        for name, how in zip(self.sshd.names, FAULTS):
            self.sshd.fail(name, how)
        client = self.client()
        ways = [(how, client.start(name, seconds=20)) for name, how in zip(self.sshd.names, FAULTS)]
        good = [client.start(name, "echo well") for name in self.sshd.names[len(FAULTS):len(FAULTS) + 30]]
        for number in good:
            self.works(client.wait(number), "well\n")
        for how, number in ways:
            with self.subTest(how):
                end = client.wait(number)
                if not self.EXPECTED[how]:
                    self.works(end)
                    continue
                kind, reason = self.EXPECTED[how]
                self.fails(end, kind)
                self.assertRegex(end["reason"], reason)
                self.assertIsNone(end["started_ms"])
        client.close()

    def test_time_to_connect(self):
        self.sshd.fail("host001.test", "silent")
        self.sshd.configure("host001.test", ConnectTimeout="1")
        self.sshd.fail("host002.test", "silent")
        client = self.client()
        self.fails(client.run("host002.test", seconds=0.3), "UNREACHABLE", "no answer in time")
        end = client.run("host001.test", seconds=1000)
        self.fails(end, "UNREACHABLE", "no answer in time")
        # The next attempt is one of its own.
        self.fails(client.run("host001.test", seconds=1000), "UNREACHABLE", "no answer in time")

    def test_connection_that_breaks(self):
        client = self.client()
        number = client.start("host001.test", "echo begun; sleep 100")
        self.wait_for(lambda: self.logins() == 1, "login")
        time.sleep(1)
        self.end_all()
        end = client.wait(number)
        self.fails(end, "LOST", "host001.test", "the connection was lost")
        self.assertEqual(end["stdout"], "begun\n")
        self.works(client.run("host001.test"))

    def test_host_that_vanishes(self):
        self.sshd.configure("host001.test", ServerAliveInterval=1, ServerAliveCountMax=1)
        client = self.client()
        number = client.start("host001.test", "sleep 100")
        self.wait_for(lambda: self.logins() == 1, "login")
        time.sleep(1)
        for pid in self.sshd.children():
            os.kill(pid, signal.SIGSTOP)
        self.fails(client.wait(number), "LOST", "host001.test", "not answered")

    def test_host_that_is_alive(self):
        """Keep-alives are no trouble for one that answers."""
        self.sshd.configure("host001.test", ServerAliveInterval=1, ServerAliveCountMax=1)
        self.works(self.client().run("host001.test", "sleep 5; echo awake"), "awake\n")


class Configuration(TransportTest):
    def refusal(self, **options):
        self.sshd.blocks.clear()
        self.sshd.configure("host001.test", **options)
        end = self.client().run("host001.test")
        self.works(self.client().run("host002.test"))
        return end

    def test_what_cannot_be_honoured(self):
        for keyword, value in (("ForwardAgent", "yes"), ("PKCS11Provider", "/usr/lib/p11.so"), ("RemoteCommand", "ls"),
                               ("SecurityKeyProvider", "/x"), ("KnownHostsCommand", "/bin/x"), ("ForwardX11", "yes"),
                               ("LocalForward", "8080 localhost:80"), ("RevokedHostKeys", "/x"), ("Newest", "yes"),
                               ("KexAlgorithms", "sntrup761x25519-sha512@openssh.com"), ("RequestTTY", "force"),
                               ("CanonicalizeHostname", "yes"), ("HostbasedAuthentication", "yes"), ("Tunnel", "yes"),
                               ("PubkeyAuthentication", "no"), ("GSSAPIDelegateCredentials", "yes")):
            with self.subTest(keyword):
                self.fails(self.refusal(**{keyword: value}), "UNSUPPORTED", f"{self.sshd.config}:2:", "'openssh'")

    def test_what_asks_for_nothing(self):
        self.works(self.refusal(ForwardAgent="no", PKCS11Provider="none", RequestTTY="no", ForwardX11="no",
                                ControlMaster="auto", ControlPath="/x", VisualHostKey="yes", LogLevel="DEBUG",
                                HashKnownHosts="yes", KexAlgorithms="^sntrup761x25519-sha512@openssh.com,curve25519-sha256",
                                Ciphers="chacha20-poly1305@openssh.com", MACs="-hmac-sha1", Compression="yes",
                                PubkeyAuthentication="yes", AddressFamily="inet", BindAddress="127.0.0.1"))

    def test_commands_in_conditions(self):
        with self.sshd.config.open("a") as config:
            config.write(f"Match host 127.0.0.1 originalhost host00[3] exec true\n\tUser nobody\n"
                         f"Match originalhost host004.test exec \"touch {self.scratch}/done\"\n\tUser nobody\n")
        client = self.client()
        self.works(client.run("host001.test"))
        self.fails(client.run("host004.test"), "UNSUPPORTED", "Match exec", "'openssh'")
        self.assertFalse((self.scratch / "done").exists())

    def test_wrong_lines(self):
        for keyword, value in (("Port", "70000"), ("ServerAliveInterval", "soon"), ("AddressFamily", "inet5"),
                               ("HostName", "a;b"), ("ProxyJump", "a:b:c")):
            with self.subTest(keyword):
                self.fails(self.refusal(**{keyword: value}), "FAILED", f"{self.sshd.config}:2:")
        self.fails(self.client().run("-oProxyCommand=x"), "FAILED", "not a host name")

    def test_files_that_are_not_read(self):
        for mode, word in ((0o666, "others may write"), (None, "No such file")):
            path = self.scratch / "config"
            path.write_text("")
            if mode:
                path.chmod(mode)
            else:
                path.unlink()
            client = Client(self, config=path)
            self.assertFalse(client.opened["open"])
            self.assertIn(word, client.opened["reason"])
        client = Client(self, config="relative")
        self.assertIn("'config'", client.opened["reason"])
        client = Client(self, cnofig="/x")
        self.assertIn("'cnofig'", client.opened["reason"])


@unittest.skipUnless(LONG, "two hundred connections")
class Many(TransportTest):
    def test_all_hosts_at_once(self):
        client = self.client()
        numbers = [client.start(name, f"echo {name}", seconds=100) for name in self.sshd.names]
        for name, number in zip(self.sshd.names, numbers):
            self.works(client.wait(number), f"{name}\n")
        before = self.logins()
        self.assertEqual(before, len(self.sshd.names))
        numbers = [client.start(name, "echo again") for name in self.sshd.names]
        for number in numbers:
            self.works(client.wait(number), "again\n")
        self.assertEqual(self.logins(), before)
        self.small(client, 16_384)
        client.close()


class Hostile(TransportTest):
    @unittest.skipUnless(can_lie(), "python3-paramiko is not installed")
    def test_a_host_that_takes_too_little(self):
        """Where it takes no more than what is around the data, libssh would send that without an end."""
        sizes = 12
        for name, liar in zip(self.sshd.names, start_liars(self, self.sshd.host_keys[0], 0, sizes, 1)):
            self.sshd.elsewhere(name, liar)
        client = self.client()
        numbers = [client.start(name, has_input=True) for name in self.sshd.names[:sizes]]
        for number in numbers:
            client.say("send", number, "input")
        for number in numbers:
            self.fails(client.wait(number), "LOST", "takes too little at a time")
        self.works(client.run("host100.test"))

    def test_what_it_says_is_printable(self):
        said = b"SSH-2.0-\x1b]0;title\x07\x1b[2J\xff" + b"A" * 300 + b"\r\n"
        self.sshd.elsewhere("host001.test", Garbage(self, said))
        self.sshd.elsewhere("host002.test", Garbage(self, b"\x1b[2Jhello\n" * 100000))
        client = self.client()
        for name in ("host001.test", "host002.test"):
            self.fails(client.run(name, seconds=5), "UNREACHABLE")


if __name__ == "__main__":
    unittest.main()
