# SPDX-License-Identifier: Apache-2.0
"""A real nginx on loopback, with all that a client of HTTP may meet, and a few raw servers behind it."""

import contextlib
import os
import pathlib
import signal
import socket
import subprocess
import sys
import threading
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "etcd"))
from servers import Certificates, end_with_parent, free_port, wait_until  # pylint: disable=wrong-import-position

CONFIGURATION = r"""
daemon off;
worker_processes 1;
error_log {directory}/error.log;
pid {directory}/pid;
{user}
events {{ worker_connections 256; }}
http {{
	log_format plain escape=json '{{"method": "$request_method", "uri": "$request_uri", "status": $status, '
		'"connection": $connection, "agent": "$http_user_agent", "type": "$content_type", "accept": "$http_accept", '
		'"length": "$http_content_length", "user": "$remote_user", "key": "$http_x_key", "body": "$request_body", '
		'"expect": "$http_expect", "server": "$server_port", "encoding": "$http_accept_encoding"}}';
	access_log {directory}/access.log plain;
	client_body_temp_path {directory}/body;
	proxy_temp_path {directory}/proxy;
	fastcgi_temp_path {directory}/fastcgi;
	uwsgi_temp_path {directory}/uwsgi;
	scgi_temp_path {directory}/scgi;
	default_type application/json;
	keepalive_requests 100000;
	absolute_redirect off;
	ssl_protocols TLSv1.2 TLSv1.3;
	limit_req_zone $binary_remote_addr zone=once:1m rate=1r/s;
	server {{
		listen 127.0.0.1:{port};
		listen 127.0.0.1:{other};
		root {directory}/files;
		gzip on;
		gzip_min_length 1;
		gzip_types application/json;
		location = /json {{ return 200 '{{"a": [1, {{"b": null}}], "big": 9007199254740993}}'; }}
		location = /seen {{ return 200 '$http_authorization|$http_x_key|$http_x_token|$http_user_agent|$http_accept'; }}
		location = /none {{ return 204; }}
		location = /text {{ return 200 'not JSON'; }}
		location = /headers {{ add_header X-Twice one; add_header X-Twice two; add_header X-Empty ""; return 200 ok; }}
		location = /404 {{ return 404 '{{"error": "there is no such thing"}}'; }}
		location = /500 {{ return 500; }}
		location = /502 {{ return 502; }}
		location = /418 {{ return 418; }}
		location = /later {{ add_header Retry-After 1000 always; return 503; }}
		location = /soon {{
			limit_req zone=once;
			limit_req_status 503;
			add_header Retry-After 1 always;
			try_files /soon.json =404;
		}}
		location = /echo {{ proxy_pass http://127.0.0.1:{port}/none; }}
		location = /cut {{ return 444; }}
		location = /away {{ return 302 http://localhost:{other}/seen; }}
		location = /near {{ return 302 /seen; }}
		location = /back {{ return 302 http://localhost:{other}/home; }}
		location = /home {{ return 302 http://127.0.0.1:{port}/seen; }}
		location = /loop {{ return 302 /loop; }}
		location = /moved {{ return 307 /none; }}
		location = /userinfo {{ return 302 http://user:password@127.0.0.1:{port}/seen; }}
		location = /file {{ return 302 file:///etc/passwd; }}
		location = /private {{ auth_basic private; auth_basic_user_file {directory}/users; try_files /soon.json =404; }}
		location / {{ }}
	}}
	server {{
		listen 127.0.0.1:{tls} ssl;
		ssl_certificate {certificates}/server.pem;
		ssl_certificate_key {certificates}/server.key;
		location = /down {{ return 302 http://127.0.0.1:{port}/seen; }}
		location / {{ return 200 '{{"tls": "$ssl_protocol"}}'; }}
	}}
	server {{
		listen 127.0.0.1:{wrong} ssl;
		ssl_certificate {certificates}/elsewhere.pem;
		ssl_certificate_key {certificates}/elsewhere.key;
		location / {{ return 200 '{{}}'; }}
	}}
	server {{
		listen 127.0.0.1:{mutual} ssl;
		ssl_certificate {certificates}/server.pem;
		ssl_certificate_key {certificates}/server.key;
		ssl_client_certificate {certificates}/ca.pem;
		ssl_verify_client on;
		location / {{ return 200 '{{"client": "$ssl_client_s_dn"}}'; }}
	}}
}}
"""


class Nginx:
    """Started by the constructor. `port` and `other` are two origins of the same server; the rest speak TLS."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)
        for name in ("files", "certificates"):
            (self.directory / name).mkdir()
        self.certificates = Certificates(self.directory / "certificates")
        self.certificates.signed("elsewhere", "subjectAltName=DNS:elsewhere.example")
        self.port, self.other, self.tls, self.wrong, self.mutual = (free_port() for _ in range(5))
        (self.directory / "users").write_text("robot:{PLAIN}s3cret-password\n")
        (self.directory / "files/soon.json").write_text('{"soon": true}')
        (self.directory / "files/large.json").write_text('"' + "x" * 100000 + '"')
        (self.directory / "nginx.conf").write_text(CONFIGURATION.format(
            directory=self.directory, certificates=self.directory / "certificates", port=self.port, other=self.other,
            tls=self.tls, wrong=self.wrong, mutual=self.mutual, user="user root;" if os.getuid() == 0 else ""))
        with open(self.directory / "out", "wb") as out:
            self.process = subprocess.Popen(
                [find_nginx(), "-p", str(self.directory), "-c", str(self.directory / "nginx.conf"), "-e",
                 str(self.directory / "error.log")],
                stdout=out, stderr=out, stdin=subprocess.DEVNULL, preexec_fn=end_with_parent)
        wait_until(self.answers, what="nginx")

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"nginx has ended: {(self.directory / 'out').read_text()}"
                                 f"{(self.directory / 'error.log').read_text()}")
        with contextlib.suppress(OSError):
            socket.create_connection(("127.0.0.1", self.port)).close()
            return True
        return False

    def url(self, path, port=None):
        return f"http://127.0.0.1:{port or self.port}{path}"

    def clear(self):
        os.truncate(self.directory / "access.log", 0)

    def requests(self):
        """What it has logged since clear(): a request is logged behind its answer."""
        return (self.directory / "access.log").read_text(errors="replace").splitlines()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()


def find_nginx():
    """Debian has it where only root's PATH leads."""
    return next((path for path in ("/usr/sbin/nginx", "/usr/local/sbin/nginx") if os.access(path, os.X_OK)), None)


class Raw:
    """A listener that does to each connection what nginx never would: `answer(connection, request)`."""

    def __init__(self, answer):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.answer, self.seen, self.open = answer, [], []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self.listener.accept()
                self.open.append(connection)
                threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        with contextlib.suppress(OSError):
            while True:
                request = b""
                while b"\r\n\r\n" not in request:
                    got = connection.recv(65536)
                    if not got:
                        return
                    request += got
                self.seen.append(request)
                if not self.answer(connection, request):
                    connection.shutdown(socket.SHUT_RDWR)
                    return

    def url(self, path="/"):
        return f"http://127.0.0.1:{self.port}{path}"

    def stop(self):
        for one in (self.listener, *self.open):
            one.close()


def silent(connection, request):
    """Says nothing for longer than anybody waits."""
    time.sleep(60)
    return False


def sends(*parts, pause=0.0, keep=False):
    """What to answer: these bytes, with pauses between them; then it hangs up, or not."""

    def answer(connection, request):
        for part in parts:
            connection.sendall(part)
            time.sleep(pause)
        return keep

    return answer
