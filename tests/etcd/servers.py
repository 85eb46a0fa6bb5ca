# SPDX-License-Identifier: Apache-2.0
"""Real etcd servers on loopback, and clients of the driver for the tests."""

import base64
import contextlib
import ctypes
import itertools
import json
import os
import pathlib
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request
import uuid

CLIENT = os.environ.get("LOCK_TEST_CLIENT")  # neither for the tests of the commands
PLUGINS = os.environ.get("LOCK_TEST_PLUGINS")
LONG = os.environ.get("LOCK_TEST_LONG") == "1"
BASE = "/spicerack/locks/"
NUMBERS = itertools.count()


def end_with_parent():
    """A server does not outlive a test that is killed."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def roomy_memory():
    """Where the data of servers lie: a disk that is slow to write through tests nothing of ours. None: the usual place."""
    try:
        stat = os.statvfs("/dev/shm")
    except OSError:
        return None
    return "/dev/shm" if stat.f_bavail * stat.f_frsize > 2 << 30 else None


def wait_until(true, seconds=30, what="a condition"):
    end = time.monotonic() + seconds
    while True:
        found = true()
        if found:
            return found
        if time.monotonic() > end:
            raise AssertionError(f"waited {seconds} s for {what}")
        time.sleep(0.02)


class Certificates:
    """An authority and what it signed, made by openssl."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        self.ca = self.make("ca", "-x509", subject="/CN=test authority")
        self.server = self.signed("server", "subjectAltName=IP:127.0.0.1,DNS:localhost")
        self.client = self.signed("client", "subjectAltName=DNS:client")

    def path(self, name, kind):
        return self.directory / f"{name}.{kind}"

    def make(self, name, *more, subject=None):
        out = self.path(name, "pem" if "-x509" in more else "csr")
        subprocess.run(["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                        "-keyout", self.path(name, "key"), "-out", out, "-subj", subject or f"/CN={name}", *more],
                       check=True, capture_output=True)
        self.path(name, "key").chmod(0o600)
        return out

    def signed(self, name, names, days="2", subject=None):
        request = self.make(name, subject=subject)
        extensions = self.path(name, "ext")
        extensions.write_text(names + "\nextendedKeyUsage=serverAuth,clientAuth\n")
        out = self.path(name, "pem")
        subprocess.run(["openssl", "x509", "-req", "-in", request, "-CA", self.path("ca", "pem"), "-CAkey",
                        self.path("ca", "key"), "-CAcreateserial", "-days", days, "-extfile", extensions, "-out", out],
                       check=True, capture_output=True)
        return out


class Member:
    """One etcd."""

    def __init__(self, cluster, name, address="127.0.0.1", prefix=()):
        self.cluster, self.name, self.address, self.prefix = cluster, name, address, list(prefix)
        self.port, self.peer = free_port(), free_port()
        self.process = None
        self.certificate = "server"

    @property
    def url(self):
        return f"{self.cluster.scheme}://{self.address}:{self.port}"

    def start(self, new=True):
        cluster = self.cluster
        words = [
            *self.prefix, "etcd", "--name", self.name, "--data-dir", str(cluster.directory / self.name),
            "--listen-client-urls", self.url, "--advertise-client-urls", self.url,
            "--listen-peer-urls", f"http://{self.address}:{self.peer}",
            "--initial-advertise-peer-urls", f"http://{self.address}:{self.peer}",
            "--initial-cluster", ",".join(f"{one.name}=http://{one.address}:{one.peer}" for one in cluster.members),
            "--initial-cluster-state", "new", "--initial-cluster-token", cluster.token, "--enable-v2=true",
            "--heartbeat-interval", "100", "--election-timeout", "1000", *cluster.options,
        ]
        if cluster.certificates:
            made = cluster.certificates
            words += ["--cert-file", made.path(self.certificate, "pem"), "--key-file",
                      made.path(self.certificate, "key"), "--trusted-ca-file", made.ca, "--client-cert-auth"]
        with open(cluster.directory / f"{self.name}.log", "ab") as log:
            self.process = subprocess.Popen([str(word) for word in words], stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL, preexec_fn=end_with_parent)

    def stop(self, number=signal.SIGKILL):
        if self.process:
            self.process.send_signal(signal.SIGCONT)
            self.process.send_signal(number)
            self.process.wait()
            self.process = None

    def send_signal(self, number):
        self.process.send_signal(number)

    def healthy(self):
        """Whether it takes part in a cluster with a leader."""
        if self.process.poll() is not None:
            log = (self.cluster.directory / f"{self.name}.log").read_text(errors="replace")
            raise AssertionError(f"etcd {self.name} has ended:\n{log[-3000:]}")
        words = [*self.prefix, "etcdctl", "--endpoints", self.url, *self.cluster.ctl_options, "--command-timeout=2s",
                 "endpoint", "status", "-w", "json"]
        done = subprocess.run(words, env=dict(os.environ, ETCDCTL_API="3"), capture_output=True, check=False)
        return done.returncode == 0 and b'"leader":' in done.stdout


class Cluster:
    """Members that start together; its configuration files for the driver."""

    def __init__(self, size=1, tls=False, options=(), addresses=None, prefixes=None):
        self.directory = pathlib.Path(tempfile.mkdtemp(prefix="spicerack-etcd-", dir=roomy_memory()))
        self.token, self.options = uuid.uuid4().hex, list(options)
        self.certificates = Certificates(self.directory) if tls else None
        self.scheme = "https" if tls else "http"
        self.ctl_options = []
        if tls:
            made = self.certificates
            self.ctl_options = ["--cacert", str(made.ca), "--cert", str(made.path("client", "pem")),
                                "--key", str(made.path("client", "key"))]
        addresses, prefixes = addresses or ["127.0.0.1"] * size, prefixes or [()] * size
        self.members = [Member(self, f"m{i}", addresses[i], prefixes[i]) for i in range(size)]
        self.proxy = None

    def start(self):
        try:
            for member in self.members:
                member.start()
            for member in self.members:
                wait_until(member.healthy, 60, f"etcd {member.name}")
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self):
        for member in self.members:
            member.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def ctl(self, *words, user=None, check=True, api="3", member=0):
        options = list(self.ctl_options) + (["--user", user] if user else [])
        done = subprocess.run([*self.members[member].prefix, "etcdctl", "--endpoints", self.members[member].url,
                               *options, *words], env=dict(os.environ, ETCDCTL_API=api), capture_output=True,
                              text=True, check=False, timeout=60)
        if check and done.returncode:
            raise AssertionError(f"etcdctl {words}: {done.stdout}{done.stderr}")
        return done.stdout

    def empty(self):
        """As if nobody had ever locked anything."""
        self.ctl("del", "--prefix", "/spicerack/")
        self.ctl("rm", "--recursive", "/spicerack", check=False, api="2")

    def config(self, extra="", hosts=None, mode=0o600):
        """A file for the setting `config`."""
        path = self.directory / f"config-{next(NUMBERS)}.yaml"
        hosts = hosts or [(member.address, member.port) for member in self.members]
        lines = ["host:"] + [f"  - [{host}, {port}]" for host, port in hosts] + [f"protocol: {self.scheme}"]
        if len(hosts) > 1:
            lines.append("allow_reconnect: true")
        if self.certificates:
            made = self.certificates
            lines += [f"ca_cert: {made.ca}", f"cert: [{made.path('client', 'pem')}, {made.path('client', 'key')}]"]
        path.write_text("\n".join(lines) + "\n" + extra)
        path.chmod(mode)
        return path

    def request(self, method, path, body=None, member=0):
        """A plain request, for what the driver must find; the answer as it is."""
        request = urllib.request.Request(self.members[member].url + path, method=method,
                                         data=body.encode() if body is not None else None)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return answer.status, json.loads(answer.read() or "null")
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or "null")


class Namespaces:
    """Two networks with a wire between them that can be cut: what to put before a command that is `here` or `there`."""

    ADDRESS = "10.97.0.2"  # of what is there

    def __init__(self, add_cleanup):
        if os.geteuid() != 0:
            raise unittest.SkipTest("network namespaces are root's")
        number = os.getpid() % 10000
        names, link = (f"spk-c{number}", f"spk-s{number}"), f"spkv{number}"
        for name in names:
            done = subprocess.run(["ip", "netns", "add", name], capture_output=True, text=True, check=False)
            if done.returncode:
                raise unittest.SkipTest(f"no network namespaces here: {done.stderr.strip()}")
            add_cleanup(subprocess.run, ["ip", "netns", "del", name], check=False)
        self.ip("link", "add", link, "netns", names[0], "type", "veth", "peer", "name", link, "netns", names[1])
        for name, address in zip(names, ("10.97.0.1", self.ADDRESS)):
            for words in (("addr", "add", f"{address}/24", "dev", link), ("link", "set", link, "up"),
                          ("link", "set", "lo", "up")):
                self.ip("-n", name, *words)
        self.here, self.there = (["ip", "netns", "exec", name] for name in names)

    def ip(self, *words):
        subprocess.run(["ip", *words], check=True, capture_output=True)

    def cut(self):
        """Packets vanish without a word."""
        for words in (["add", "table", "inet", "cut"],
                      ["add", "chain", "inet", "cut", "in", "{ type filter hook input priority 0; policy drop; }"]):
            subprocess.run([*self.here, "nft", *words], check=True)

    def mend(self):
        subprocess.run([*self.here, "nft", "delete", "table", "inet", "cut"], check=True)


class Answer(dict):
    """The last line of a call, and the entries before it."""

    def __init__(self, line, entries):
        super().__init__(line)
        self.entries = entries

    def __getattr__(self, name):
        return self[name]


class Client:
    """One process with one store."""

    def __init__(self, test, config=None, driver="etcd", prefix=(), **settings):
        words = [*prefix, CLIENT, PLUGINS, driver] + ([f"config={config}"] if config else [])
        words += [f"{name}={value}" for name, value in settings.items()]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True)
        test.addCleanup(self.end)
        self.opened = self.answer()

    def end(self):
        with contextlib.suppress(ProcessLookupError):
            self.process.send_signal(signal.SIGCONT)
        self.process.kill()
        self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self.process.stderr):
            with contextlib.suppress(OSError):
                stream.close()

    def finish(self):
        """Lets it end by itself: a sanitizer then looks for what was not given back."""
        self.process.stdin.close()
        return self.process.wait(60), self.process.stderr.read()

    def answer(self):
        entries = []
        for line in self.process.stdout:
            read = json.loads(line)
            if "status" in read:
                return Answer(read, entries)
            entries.append(read)
        raise AssertionError(f"lock-client has ended: {self.process.wait()} {self.process.stderr.read()}")

    def send(self, *words, within=None, cancel=None):
        lines = []
        if within is not None:
            lines.append(f"within\t{within}")
        if cancel is not None:
            lines.append(f"cancel\t{cancel}")
        lines.append("\t".join(str(word) for word in words))
        self.process.stdin.write("\n".join(lines) + "\n")
        self.process.stdin.flush()

    def do(self, *words, **options):
        self.send(*words, **options)
        return self.answer()

    def enter(self, key, concurrency=1, ttl=300, lock_id=None, **options):
        lock_id = lock_id or str(uuid.uuid4())
        answer = self.do("enter", key, lock_id, concurrency, ttl, **options)
        answer["id"] = lock_id
        return answer

    def get(self, key, lock_id, ttl=300, concurrency=1, seconds=30):
        """Waits until it is in."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            answer = self.do("wait", key, lock_id, concurrency, ttl, within=1)
            if answer.status not in ("WAITING", "TIMEOUT"):
                return answer
            self.do("renew")
        raise AssertionError(f"{lock_id} still waits")


class LockTest(unittest.TestCase):
    maxDiff = None

    def key(self, kind="cookbooks"):
        """One that no other test has."""
        return f"{BASE}{kind}/{self._testMethodName}-{next(NUMBERS)}"

    def v3_key(self, key, lock_id=""):
        return key.replace(BASE, "/spicerack/v3/locks/", 1) + "/" + lock_id


def encoded(text):
    return base64.b64encode(text.encode()).decode()


class Proxy:
    """
    Counts requests on their way to a server, by the heads that pass. May give an answer of its own, change those
    that come back, keep what a watch tells, and cut everything.
    """

    def __init__(self, test, member):
        self.target = (member.address, member.port)
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.requests, self.answer_with, self.sockets = [], None, []
        self.change = None  # of an answer's bytes
        self.before_put = None  # called once, when a PUT is on its way
        self.kept = None  # with a list: what watches tell, as pairs of a socket and bytes
        threading.Thread(target=self.accept, daemon=True).start()
        test.addCleanup(self.end)

    def end(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.cut()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                far = socket.create_connection(self.target)
                self.sockets += [near, far]
                for source, sink, counts in ((near, far, True), (far, near, False)):
                    source.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                    threading.Thread(target=self.pump, args=(source, sink, counts), daemon=True).start()

    def pump(self, source, sink, counts):
        with contextlib.suppress(OSError):
            while True:
                got = source.recv(65536)
                if not got:
                    break
                if counts:
                    self.requests += [line.split()[1].decode() for line in got.split(b"\r\n")
                                      if line.endswith(b" HTTP/1.1")]
                    if self.before_put and got.startswith(b"PUT "):
                        call, self.before_put = self.before_put, None
                        call()
                    if self.answer_with is not None:
                        source.sendall(self.answer_with)
                        break
                elif self.kept is not None and b'"events"' in got:
                    self.kept.append((sink, got))
                    continue
                elif self.change:
                    got = self.change(got)
                sink.sendall(got)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)
        if counts and self.answer_with is not None:
            source.close()

    def cut(self):
        sockets, self.sockets = self.sockets, []
        for one in sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
