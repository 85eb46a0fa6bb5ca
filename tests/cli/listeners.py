# SPDX-License-Identifier: Apache-2.0
"""Who is told of runs in the tests: relays, a real ngircd with a client in its channel, web servers; and such as fail."""

import contextlib
import ctypes
import http.server
import json
import os
import pwd
import re
import shutil
import signal
import socket
import ssl
import subprocess
import threading
import time

CHANNEL = "#operations"
NGIRCD = shutil.which("ngircd") or "/usr/sbin/ngircd"  # which is in the path of root only


def end_with_parent():
    """A server does not outlive a test that is killed."""
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Listener:
    """Takes connections, on loopback; how it treats them is its `serve`."""

    one_by_one = False
    address = "127.0.0.1"

    def __init__(self, test, port=0):
        self.listener = socket.create_server((self.address, port))
        self.port = self.listener.getsockname()[1]
        self.sockets = []
        self.ended = False
        threading.Thread(target=self.accept, daemon=True).start()
        test.addCleanup(self.end)

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                one, _ = self.listener.accept()
                self.sockets.append(one)
                if self.one_by_one:
                    self.run(one)
                else:
                    threading.Thread(target=self.run, args=(one,), daemon=True).start()

    def run(self, one):
        with contextlib.suppress(OSError):
            self.serve(one)

    def serve(self, one):
        """Hangs: takes the connection and says nothing."""

    def end(self):
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        for one in self.sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()


class Relay(Listener):
    """As tcpircbot: the bytes of each connection are a message."""

    one_by_one = True

    def __init__(self, test, port=0):
        self.messages = []
        super().__init__(test, port)

    def serve(self, one):
        got = b""
        while chunk := one.recv(65536):
            got += chunk
        self.messages.append(got)
        one.close()


class Closed:
    """A port that refuses connections."""

    def __init__(self):
        self.port = free_port()


class Full(Listener):
    """A port whose queue is full, so that nobody's connection is answered."""

    def __init__(self, test):
        self.listener = socket.socket()
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen(0)
        self.port = self.listener.getsockname()[1]
        self.sockets = []
        for _ in range(8):
            one = socket.socket()
            one.setblocking(False)
            one.connect_ex(("127.0.0.1", self.port))
            self.sockets.append(one)
        test.addCleanup(self.end)


class Hook:
    """A web server that keeps what is posted to it; `status` is what it answers."""

    def __init__(self, test, context=None):
        hook = self
        self.posts, self.events, self.status = [], [], 204

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                hook.posts.append((self.path, dict(self.headers), body))
                if hook.status < 300:
                    hook.events.append(json.loads(body))
                self.send_response(hook.status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *words):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        test.addCleanup(self.end)

    def end(self):
        self.server.shutdown()
        self.server.server_close()

    def names(self):
        return [event["event"] for event in self.events]


class Authority:
    """Signs certificates, by openssl."""

    def __init__(self, directory):
        self.directory = directory
        self.file = self.openssl("ca", "req", "-x509", "-new", "-newkey", "ec", "-pkeyopt",
                                 "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=test authority")

    def openssl(self, name, *words):
        out = self.directory / f"{name}.pem"
        subprocess.run(["openssl", *words, "-keyout", str(self.directory / f"{name}.key"), "-out", str(out)],
                       check=True, capture_output=True)
        return out

    def signed(self, name, names):
        """A certificate for these names, with its key."""
        request = self.openssl(f"{name}-request", "req", "-new", "-newkey", "ec", "-pkeyopt",
                               "ec_paramgen_curve:P-256", "-nodes", "-subj", f"/CN={name}")
        extensions = self.directory / f"{name}.ext"
        extensions.write_text(f"subjectAltName={names}\n")
        out = self.directory / f"{name}.pem"
        subprocess.run(["openssl", "x509", "-req", "-in", request, "-CA", self.file, "-CAkey",
                        self.directory / "ca.key", "-CAcreateserial", "-days", "2", "-extfile", extensions, "-out",
                        out], check=True, capture_output=True)
        return out, self.directory / f"{name}-request.key"

    def context(self, certificate, key):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        return context


class Server:
    """A real ngircd."""

    def __init__(self, test, password="", tls=None, port=None, throttles=False):
        self.test, self.password, self.tls, self.throttles = test, password, tls, throttles
        self.port, self.tls_port = port or free_port(), free_port()
        self.directory = test.scratch / f"ngircd-{self.port}"
        self.directory.mkdir(exist_ok=True)
        self.process = None
        test.addCleanup(self.stop)
        self.start()

    def write_config(self):
        user = pwd.getpwuid(os.getuid()).pw_name
        lines = [
            "[Global]", "Name = irc.test", "Info = a test", "Listen = 127.0.0.1", f"Ports = {self.port}",
            f"ServerUID = {user}", f"ServerGID = {os.getgid()}", "MotdPhrase = hello",
            f"Password = {self.password}" if self.password else "", "AdminEMail = root@irc.test",
            "[Limits]", "MaxConnectionsIP = 0", "MaxJoins = 0", "PingTimeout = 5", "PongTimeout = 5",
            "" if self.throttles else "MaxPenaltyTime = 0",
            "[Options]", "DNS = no", "Ident = no", "PAM = no", "OperServerMode = no", "SyslogFacility = local7",
            "[Operator]", "Name = boss", "Password = bosspass",
        ]
        if self.tls:
            certificate, key = self.tls
            lines += ["[SSL]", f"CertFile = {certificate}", f"KeyFile = {key}", f"Ports = {self.tls_port}"]
        path = self.directory / "ngircd.conf"
        path.write_text("\n".join(lines) + "\n")
        path.chmod(0o600)
        return path

    def start(self):
        with open(self.directory / "log", "ab") as log:
            self.process = subprocess.Popen([NGIRCD, "-n", "-f", str(self.write_config())], stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL, preexec_fn=end_with_parent)
        self.test.wait_for(self.answers, f"ngircd: {(self.directory / 'log').read_text()}", 30)

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"ngircd has ended: {(self.directory / 'log').read_text()}")
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port), 1).close()
            return True
        return False

    def stop(self, number=signal.SIGKILL):
        if self.process:
            self.process.send_signal(number)
            self.process.wait()
            self.process = None


class Reader:
    """A client in the channel that keeps what it hears."""

    def __init__(self, server, nick="reader", channel=CHANNEL, key=""):
        self.socket = socket.create_connection(("127.0.0.1", server.port), 10)
        self.lines = []  # raw, as bytes
        self.condition = threading.Condition()
        server.test.addCleanup(self.close)
        if server.password:
            self.say(f"PASS {server.password}")
        self.say(f"NICK {nick}")
        self.say(f"USER {nick} x x :{nick}")
        threading.Thread(target=self.read, daemon=True).start()
        self.wait_for(rb" 001 ")
        if channel:
            self.say(f"JOIN {channel} {key}")
            self.wait_for(rb" 366 ")

    def say(self, line):
        self.socket.sendall(line.encode() + b"\r\n")

    def read(self):
        pending = b""
        with contextlib.suppress(OSError):
            while chunk := self.socket.recv(4096):
                *lines, pending = (pending + chunk).split(b"\r\n")
                for line in lines:
                    if line.startswith(b"PING"):
                        self.say("PONG" + line[4:].decode())
                with self.condition:
                    self.lines += lines
                    self.condition.notify_all()

    def wait_for(self, pattern, seconds=30, count=1):
        """Waits for so many lines with the pattern and returns them."""
        found = lambda: [line for line in self.lines if re.search(pattern, line)]
        with self.condition:
            if not self.condition.wait_for(lambda: len(found()) >= count, seconds):
                raise AssertionError(f"waited for {count} of {pattern}, heard {self.lines}")
            return found()

    def heard(self, channel=CHANNEL):
        """What was said in the channel, without who did."""
        head = f" PRIVMSG {channel} :".encode()
        return [line.split(head, 1)[1].decode() for line in self.lines if head in line]

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


class Scripted(Listener):
    """A server of IRC that is played here: registers whoever comes, then does as the test says."""

    def __init__(self, test, play, welcome=True):
        self.play, self.welcome, self.got, self.count = play, welcome, [], 0
        super().__init__(test)

    def lines_of(self, one):
        pending = b""
        while chunk := one.recv(4096):
            *lines, pending = (pending + chunk).split(b"\r\n")
            for line in lines:
                self.got.append(line)
                yield line

    def serve(self, one):
        self.count += 1
        number = self.count
        nick = b"?"
        for line in self.lines_of(one):
            word, _, rest = line.partition(b" ")
            if word == b"NICK":
                nick = rest
            elif word == b"USER" and self.welcome:
                one.sendall(b":irc.test 001 %s :hello\r\n" % nick)
            if not self.play(self, one, number, nick, word, rest):
                one.close()
                return


def well_behaved(server, one, number, nick, word, rest):
    """The rest of a server that does what it should."""
    if word == b"JOIN":
        one.sendall(b":%s!u@h JOIN %s\r\n" % (nick, rest.split()[0]))
    elif word == b"PING":
        one.sendall(b":irc.test PONG irc.test %s\r\n" % rest)
    return word != b"QUIT"


def wait_until(true, seconds=30):
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True
