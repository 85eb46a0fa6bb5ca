# SPDX-License-Identifier: Apache-2.0
"""A real sshd on loopback behind many names of hosts, what a client needs to reach it, and hosts that fail."""

import contextlib
import functools
import os
import pathlib
import pwd
import random
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import threading
import time
import unittest

from listeners import Closed, Full, Listener, end_with_parent, free_port

SSHD = shutil.which("sshd") or "/usr/sbin/sshd"  # which is in the path of root only
USER = pwd.getpwuid(os.getuid()).pw_name
KEY_KINDS = {"ed25519": (), "ecdsa": ("-b", "256"), "rsa": ("-b", "2048")}


def require_sshd():
    if not os.access(SSHD, os.X_OK):
        raise unittest.SkipTest("openssh-server is not installed")


def make_key(path, kind="ed25519", passphrase=""):
    """A private key at the path and its public one beside it."""
    subprocess.run(["ssh-keygen", "-q", "-t", kind, *KEY_KINDS[kind], "-N", passphrase, "-C", path.name, "-f", path],
                   check=True, stdin=subprocess.DEVNULL)
    return path


@functools.cache
def key_pair(kind, number):
    """The texts of a key that all servers of a process share: an RSA key takes its time."""
    with tempfile.TemporaryDirectory(prefix="spicerack-key-") as directory:
        key = make_key(pathlib.Path(directory) / f"key{number}", kind)
        return key.read_text(), public(key).read_text()


def shared_key(path, kind, number):
    for place, text in zip((path, public(path)), key_pair(kind, number)):
        place.write_text(text)
        place.chmod(0o600)
    return path


def public(path):
    return path.with_name(path.name + ".pub")


class Reset(Listener):
    """Takes the connection and breaks it."""

    def serve(self, one):
        one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        one.close()


class Garbage(Listener):
    """Speaks another language."""

    def __init__(self, test, said=b"HTTP/1.1 400 Bad Request\r\n\r\n\x00\xff\x1b[2J" * 2000):
        self.said = said
        super().__init__(test)

    def serve(self, one):
        one.sendall(self.said)
        one.recv(4096)
        one.close()


class Between(Listener):
    """Carries bytes between clients and a server; subclasses change, lose and delay them."""

    def __init__(self, test, port):
        self.target = port
        super().__init__(test)

    def serve(self, one):
        far = socket.create_connection(("127.0.0.1", self.target))
        self.sockets.append(far)
        for each in (one, far):
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=self.pump, args=(one, far, self.from_client()), daemon=True).start()
        self.pump(far, one, self.from_server())

    def pump(self, source, sink, change):
        """Hands each piece to the generator `change` and on the pieces it makes of it, until either has an end."""
        next(change)
        with contextlib.suppress(OSError, StopIteration):
            while got := source.recv(65536):
                for piece in change.send(got):
                    sink.sendall(piece)
        for each in (source, sink):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def from_client(self):
        got = b""
        while True:
            got = yield [got]

    from_server = from_client


class CutOff(Between):
    """Closes when the server has said so many bytes: 1,000 are in the middle of the key exchange."""

    def __init__(self, test, port, after=1000):
        self.after = after
        super().__init__(test, port)

    def from_server(self):
        left, got = self.after, b""
        while True:
            got = yield [got]
            if len(got) >= left:
                return
            left -= len(got)


class Forged(Between):
    """Shows the key of the server without having it: what was signed with it is not what is said."""

    SIGNATURE = b"\0\0\0\x0bssh-ed25519\0\0\0\x40"  # how it begins, in one piece with what is before it

    def from_server(self):
        got = b""
        while True:
            before, sign, after = (yield [got]).partition(self.SIGNATURE)
            got = before + sign + (bytes([after[0] ^ 1]) + after[1:] if sign else after)


class Slow(Between):
    """Lets what the server says wait."""

    def __init__(self, test, port, seconds=0.5):
        self.seconds = seconds
        super().__init__(test, port)

    def from_server(self):
        got = b""
        while True:
            got = yield [got]
            time.sleep(self.seconds)


class Hosts:
    """
    The names host001.test, host002.test ... that all mean a port of loopback, and what a client needs to reach it, in
    the directory `client`: `ssh_config`, `known_hosts`, and the keys id_ed25519, id_ecdsa and id_rsa. `test` has
    `scratch`, `addCleanup` and `wait_for`.
    """

    def __init__(self, test, port, host_keys, hosts=200):
        self.test, self.port = test, port
        self.directory = test.scratch / f"hosts-{port}"
        self.client = self.directory / "client"
        self.client.mkdir(parents=True)
        self.names = [f"host{number:03d}.test" for number in range(1, hosts + 1)]
        self.host_keys = [shared_key(self.directory / f"host_{kind}", kind, 1) for kind in host_keys]
        self.keys = {kind: shared_key(self.client / f"id_{kind}", kind, 2) for kind in KEY_KINDS}
        self.known_hosts, self.hashed = self.client / "known_hosts", False
        self.blocks, self.defaults = {}, {"IdentityFile": self.keys["ed25519"]}
        self.places = [f"[127.0.0.1]:{port}"]  # by which clients know hosts
        self.write_known_hosts()
        self.config = self.client / "ssh_config"
        self.write_config()

    def known_lines(self, names, keys=None):
        return "".join(f"{name} {' '.join(public(key).read_text().split()[:2])}\n"
                       for key in keys or self.host_keys for name in names)

    def write_known_hosts(self):
        """By the address, where a client looks it up, and by the names, for who wants to know them."""
        self.known_hosts.write_text(self.known_lines([*self.places, *self.names]))
        if self.hashed:
            subprocess.run(["ssh-keygen", "-q", "-H", "-f", self.known_hosts], check=True, capture_output=True)
            self.known_hosts.with_suffix(".old").unlink()

    def write_config(self):
        """What `blocks` says of single hosts comes first, and counts."""
        everywhere = {
            "HostName": "127.0.0.1", "Port": self.port, "User": USER, "UserKnownHostsFile": self.known_hosts,
            "GlobalKnownHostsFile": "none", "IdentitiesOnly": "yes", **self.defaults,
        }
        others = [f"!{name}" for name, options in self.blocks.items() if "IdentityFile" in options]
        keys = {"IdentityFile": everywhere.pop("IdentityFile")}  # one more does not replace it
        self.config.write_text("".join(
            f"Host {name}\n" + "".join(f"\t{key} {value}\n" for key, value in options.items())
            for name, options in [*self.blocks.items(), (" ".join(["host*.test", *others]), keys),
                                  ("host*.test", everywhere)]))

    def configure(self, name, **options):
        """Options of one host, or of a pattern, that go before those of all hosts."""
        self.blocks.setdefault(name, {}).update(options)
        self.write_config()

    def configure_all(self, **options):
        self.defaults.update(options)
        self.write_config()

    def known_hosts_of(self, name, text):
        path = self.client / f"known_hosts-{name}"
        path.write_text(text)
        self.configure(name, UserKnownHostsFile=path)

    def fail(self, name, how):
        """Makes one host fail in one of the ways of FAULTS."""
        FAULTS[how](self, name)

    def elsewhere(self, name, listener):
        """Another listener for one host; its key is known as that of all others."""
        self.configure(name, Port=listener.port)
        self.places.append(self.place(name))
        self.write_known_hosts()
        return listener

    def place(self, name):
        options = {"HostName": "127.0.0.1", "Port": self.port, **self.blocks.get(name, {})}
        return f"[{options['HostName']}]:{options['Port']}"

    def words(self, name, *words):
        return ["ssh", "-F", self.config, "-o", "BatchMode=yes", name, *words]

    def ssh(self, name, *words, stdin=b"", timeout=60, **options):
        """What the system's ssh makes of it."""
        env = {key: value for key, value in os.environ.items() if key != "SSH_AUTH_SOCK"}
        return subprocess.run(self.words(name, *words), input=stdin, capture_output=True, timeout=timeout,
                              check=False, env={**env, **options})

    def start_agent(self, *keys):
        """An agent that alone has these keys, which are taken from their files; the path of its socket."""
        path = self.directory / "agent"
        agent = subprocess.Popen(["ssh-agent", "-D", "-a", path], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                 preexec_fn=end_with_parent)
        self.test.addCleanup(agent.wait)
        self.test.addCleanup(agent.kill)
        self.test.wait_for(path.exists, "ssh-agent")
        for key in keys:
            subprocess.run(["ssh-add", "-q", key], check=True, env=dict(os.environ, SSH_AUTH_SOCK=str(path)))
            key.unlink()
        return path


class Sshd(Hosts):
    """
    A real sshd of the current user, who is the one that may log in. All keys of `keys` let in. Commands find `home`,
    which is empty, as their HOME.
    """

    address, prefix = "127.0.0.1", ()  # where it listens, and what is put before its command

    def __init__(self, test, hosts=200, options=(), log_level="VERBOSE"):
        require_sshd()
        super().__init__(test, free_port(), KEY_KINDS, hosts)
        self.options, self.log_level = list(options), log_level
        self.home = self.directory / "home"
        self.home.mkdir()
        self.authority = make_key(self.directory / "authority")
        (self.directory / "authorized_keys").write_text("".join(public(key).read_text() for key in self.keys.values()))
        self.process = None
        test.addCleanup(self.stop)
        self.start()

    def write_server_config(self):
        lines = [
            f"ListenAddress {self.address}", f"Port {self.port}", *(f"HostKey {key}" for key in self.host_keys),
            f"AuthorizedKeysFile {self.directory}/authorized_keys", f"TrustedUserCAKeys {public(self.authority)}",
            "PidFile none", "UsePAM no", "StrictModes no", "PermitRootLogin yes", "PasswordAuthentication no",
            "KbdInteractiveAuthentication no", "UseDNS no", "PrintMotd no", "PrintLastLog no", "PermitUserRC no",
            "MaxStartups 10000", "PerSourceMaxStartups none", "MaxSessions 1000", "MaxAuthTries 20",
            "Subsystem sftp internal-sftp",
            # Without what the user's shell reads at home; and what was started is found by it, its parents gone.
            f"SetEnv HOME={self.home}", f"LogLevel {self.log_level}", *self.options,
        ]
        path = self.directory / "sshd_config"
        path.write_text("\n".join(lines) + "\n")
        return path

    def start(self):
        if os.geteuid() == 0:
            pathlib.Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # as its unit does
        # -r: it does not start itself anew for each connection, which is a fifth of what one costs.
        self.process = subprocess.Popen([*self.prefix, SSHD, "-D", "-r", "-f", self.write_server_config(), "-E",
                                         self.directory / "log"], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                                        preexec_fn=end_with_parent)
        self.test.wait_for(self.answers, "sshd", 30)

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"sshd has ended: {self.log()}")
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), 5) as one:
            return one.recv(4) == b"SSH-"
        return False

    def log(self):
        return (self.directory / "log").read_text(errors="backslashreplace")

    def children(self):
        """The processes of its connections, and what was started by them and has stayed."""
        parents, found = {}, set()
        needle = f"HOME={self.home}\0".encode()
        for entry in pathlib.Path("/proc").iterdir():
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    state, parent = (entry / "stat").read_text().rsplit(")", 1)[1].split()[:2]
                    if state not in "ZX":
                        parents[int(entry.name)] = int(parent)
                        if needle in (entry / "environ").read_bytes() + b"\0":
                            found.add(int(entry.name))
        below = {self.process.pid} if self.process else set()
        while below:
            below = {pid for pid, parent in parents.items() if parent in below}
            found |= below
        return found

    def stop(self):
        """Ends it and all that was started by it."""
        if not self.process:
            return
        self.process.send_signal(signal.SIGSTOP)  # takes no more, and knows its own until the last has gone
        while left := self.children():
            for pid in left:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.01)
        self.process.kill()
        self.process.wait()
        self.process = None

    def certified(self, name, kind="ed25519", principals=(USER,), valid="-1m:+1h"):
        """A key that lets in only by its certificate, name-cert.pub."""
        key = make_key(self.client / name, kind)
        subprocess.run(["ssh-keygen", "-q", "-s", self.authority, "-I", name, "-n", ",".join(principals), "-V", valid,
                        public(key)], check=True)
        return key


class LightSshd(Hosts):
    """A server that runs nothing and costs little: see tests/bench/light_sshd.c. Any key lets in."""

    def __init__(self, test, program, hosts=200, output_bytes=0):
        key = shared_key(test.scratch / f"light-{output_bytes}", "ed25519", 1)
        self.process = subprocess.Popen([program, key, str(output_bytes)], stdin=subprocess.DEVNULL,
                                        stdout=subprocess.PIPE, text=True, preexec_fn=end_with_parent)
        test.addCleanup(self.stop)
        super().__init__(test, int(self.process.stdout.readline()), ["ed25519"], hosts)

    def stop(self):
        self.process.kill()
        self.process.communicate()


def wrong_key(sshd, name):
    other = sshd.directory / "other_host_key"
    if not other.exists():
        make_key(other)
    sshd.known_hosts_of(name, sshd.known_lines([sshd.place(name)], [other]))


def denied_key(sshd, name):
    stranger = sshd.client / "id_stranger"
    if not stranger.exists():
        make_key(stranger)
    sshd.configure(name, IdentityFile=stranger)


def noise(seed=1):
    return random.Random(seed).randbytes(100000)


FAULTS = {
    "wrong host key": wrong_key,
    "unknown host key": lambda sshd, name: sshd.known_hosts_of(name, ""),
    "revoked host key": lambda sshd, name: sshd.known_hosts_of(
        name, sshd.known_lines([f"@revoked {sshd.place(name)}"])),
    "forged host key": lambda sshd, name: sshd.elsewhere(name, Forged(sshd.test, sshd.port)),
    "denied key": denied_key,
    "no address": lambda sshd, name: sshd.configure(name, HostName=f"{name}.invalid"),
    "refused": lambda sshd, name: sshd.elsewhere(name, Closed()),
    "no answer": lambda sshd, name: sshd.elsewhere(name, Full(sshd.test)),
    "silent": lambda sshd, name: sshd.elsewhere(name, Listener(sshd.test)),
    "reset": lambda sshd, name: sshd.elsewhere(name, Reset(sshd.test)),
    "garbage": lambda sshd, name: sshd.elsewhere(name, Garbage(sshd.test)),
    "noise": lambda sshd, name: sshd.elsewhere(name, Garbage(sshd.test, noise())),
    "cut off": lambda sshd, name: sshd.elsewhere(name, CutOff(sshd.test, sshd.port)),
    "slow": lambda sshd, name: sshd.elsewhere(name, Slow(sshd.test, sshd.port)),
}
