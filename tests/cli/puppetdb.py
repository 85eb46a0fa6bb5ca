# SPDX-License-Identifier: Apache-2.0
"""A stand-in for PuppetDB: keeps what it is asked, and answers what it is told to."""

import http.server
import json
import threading
import urllib.parse


def certificate(peer):
    """The common name of a client."""
    return dict(pair[0] for pair in peer["subject"])["commonName"] if peer else None


class PuppetDB:
    """`answer` is a list of names, or the bytes of a body; `asked` the endpoint and the AST of each request."""

    def __init__(self, context=None):
        stand_in = self
        self.asked, self.clients = [], []
        self.answer, self.status, self.wait = [], 200, None

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                self.reply(self.path, json.loads(body["query"]), "certname")

            def do_GET(self):
                path, _, form = self.path.partition("?")
                ast = json.loads(urllib.parse.parse_qs(form)["query"][0])
                self.reply(path, ast, "name" if path.endswith("/nodes") else "certname")

            def reply(self, path, ast, key):
                stand_in.asked.append((path, ast))
                if context:
                    stand_in.clients.append(certificate(self.connection.getpeercert()))
                if stand_in.wait:
                    stand_in.wait.wait()
                body = stand_in.answer
                if not isinstance(body, bytes):
                    body = json.dumps([{key: name} for name in body]).encode()
                try:
                    self.send_response(stand_in.status)
                    self.send_header("Content-Length", str(len(body)))
                    self.end_headers()
                    self.wfile.write(body)
                except OSError:
                    self.close_connection = True

            def log_message(self, *words):
                pass

            # Headers and body together: a second small packet would wait for the first one's answer.
            wbufsize = -1

        class Server(http.server.ThreadingHTTPServer):
            daemon_threads = True

            def handle_error(self, request, client_address):
                """A client that hangs up, or shakes hands badly, is what a test is about."""

        self.server = Server(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        if context:
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def end(self):
        if self.wait:
            self.wait.set()
        self.server.shutdown()
        self.server.server_close()
