# SPDX-License-Identifier: Apache-2.0
"""A real PuppetDB with a PostgreSQL of its own, both of Debian, on free ports of loopback."""

import json
import os
import pathlib
import pwd
import shutil
import signal
import ssl
import subprocess
import tempfile
import unittest
import urllib.error
import urllib.request

from listeners import end_with_parent, free_port

JAR = pathlib.Path("/usr/share/puppetdb/puppetdb.jar")
BOOTSTRAP = pathlib.Path("/etc/puppetdb/bootstrap.cfg")
START_SECONDS = 900  # it is compiled at every start, perhaps beside other tests


def postgres_programs():
    return next(iter(sorted(pathlib.Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)), None)


def require_puppetdb():
    if not JAR.exists() or not shutil.which("java") or not postgres_programs():
        raise unittest.SkipTest("puppetdb and postgresql are not installed")


class Postgres:
    """A cluster of its own with one database. It does not run as root, so its directory is apart from the test's."""

    def __init__(self, test):
        self.port, self.directory = free_port(), pathlib.Path(tempfile.mkdtemp(prefix="spicerack-postgres-"))
        test.addCleanup(shutil.rmtree, self.directory, ignore_errors=True)
        self.user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.getuid()).pw_name
        programs = postgres_programs().parent
        password = self.directory / "password"
        password.write_text("password\n")
        for path in (self.directory, password):
            shutil.chown(path, self.user)
        subprocess.run(self.words(programs / "initdb", "-D", self.directory / "data", "-A", "md5", "-U", "puppetdb",
                                  f"--pwfile={password}", "-E", "UTF8", "--locale=C.UTF-8", "-N"),
                       check=True, capture_output=True, cwd="/")
        with (self.directory / "log").open("w") as log:
            self.process = subprocess.Popen(
                self.words(programs / "postgres", "-D", self.directory / "data", "-h", "127.0.0.1", "-p", self.port,
                           "-k", self.directory, "-c", "fsync=off"),
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=log, preexec_fn=end_with_parent)
        test.addCleanup(self.stop)
        test.wait_for(lambda: self.psql("SELECT 1", "postgres").returncode == 0, "PostgreSQL", 60)
        for statement, database in (("CREATE DATABASE puppetdb", "postgres"), ("CREATE EXTENSION pg_trgm", "puppetdb"),
                                    ("CREATE EXTENSION pgcrypto", "puppetdb")):
            done = self.psql(statement, database)
            if done.returncode:
                raise AssertionError(done.stderr)

    def words(self, *words):
        with_user = ["setpriv", f"--reuid={self.user}", f"--regid={self.user}", "--clear-groups", "--pdeathsig=KILL"]
        return [*(with_user if os.geteuid() == 0 else []), *map(str, words)]

    def psql(self, statement, database):
        return subprocess.run(["psql", "-h", "127.0.0.1", "-p", str(self.port), "-U", "puppetdb", "-c", statement, database],
                              env={**os.environ, "PGPASSWORD": "password"}, capture_output=True, text=True, check=False)

    def stop(self):
        self.process.send_signal(signal.SIGINT)  # breaks off what is at work, in order
        self.process.wait()


class RealPuppetDB:
    """Speaks HTTPS alone, to clients with a certificate of the authority. `test` has a scratch directory and wait_for()."""

    def __init__(self, test, authority):
        require_puppetdb()
        self.port, self.authority = free_port(), authority
        self.directory = test.scratch / "puppetdb"
        self.directory.mkdir()
        self.certificate, self.key = authority.signed("client", "DNS:client")
        self.context = ssl.create_default_context(cafile=authority.file)
        self.context.load_cert_chain(self.certificate, self.key)
        self.postgres = Postgres(test)
        with (self.directory / "log").open("w") as log:
            self.process = subprocess.Popen(
                ["java", "-Xmx512m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Djava.security.egd=/dev/urandom",
                 "-cp", JAR, "clojure.main", "-m", "puppetlabs.puppetdb.core", "services", "--config",
                 self.write_config(), "--bootstrap-config", BOOTSTRAP],
                stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT, preexec_fn=end_with_parent)
        test.addCleanup(self.stop)
        test.wait_for(self.answers, "PuppetDB", START_SECONDS)

    def write_config(self):
        certificate, key = self.authority.signed("server", "IP:127.0.0.1")
        plain = self.directory / "server.key"  # PKCS 8, as Java reads it
        subprocess.run(["openssl", "pkcs8", "-topk8", "-nocrypt", "-in", key, "-out", plain], check=True)
        config = self.directory / "conf.d"
        config.mkdir()
        (self.directory / "logback.xml").write_text(
            '<configuration><appender name="out" class="ch.qos.logback.core.ConsoleAppender"><encoder><pattern>%d %-5p '
            '%m%n</pattern></encoder></appender><root level="info"><appender-ref ref="out"/></root></configuration>\n')
        sections = {
            "global": {"vardir": self.directory, "logging-config": self.directory / "logback.xml"},
            "puppetdb": {"disable-update-checking": "true"},
            "database": {"subname": f"//127.0.0.1:{self.postgres.port}/puppetdb", "username": "puppetdb",
                         "password": "password"},
            "jetty": {"ssl-host": "127.0.0.1", "ssl-port": self.port, "ssl-key": plain, "ssl-cert": certificate,
                      "ssl-ca-cert": self.authority.file, "client-auth": "need"},
        }
        (config / "config.ini").write_text("".join(
            f"[{name}]\n" + "".join(f"{key} = {value}\n" for key, value in section.items())
            for name, section in sections.items()))
        shutil.copy("/etc/puppetdb/conf.d/auth.conf", config)
        return config

    def ask(self, path, body=None):
        request = urllib.request.Request(f"https://127.0.0.1:{self.port}{path}", body and json.dumps(body).encode(),
                                         {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, context=self.context, timeout=60) as answer:
            return json.load(answer)

    def answers(self):
        if self.process.poll() is not None:
            raise AssertionError(f"PuppetDB has ended: {(self.directory / 'log').read_text()[-5000:]}")
        try:
            return self.ask("/status/v1/services/puppetdb-status")["state"] == "running"
        except (OSError, ValueError):
            return False

    def stop(self):
        self.process.terminate()
        self.process.wait()

    # ---- what it knows ----

    def submit(self, command, version, payload):
        """The payload as it would come of a node."""
        name = payload["certname"]
        self.ask(f"/pdb/cmd/v1?command={command}&version={version}&certname={name}&secondsToWaitForCompletion=60", payload)

    def add(self, certname, facts, resources):
        """A node with facts, and resources that are (type, title, parameters, tags)."""
        stamp = "2026-01-01T00:00:00.000Z"
        self.submit("replace_facts", 5, {"certname": certname, "environment": "production", "values": facts,
                                         "producer_timestamp": stamp, "producer": "puppet.example"})
        self.submit("replace_catalog", 9, {
            "certname": certname, "version": "1", "environment": "production", "transaction_uuid": None,
            "catalog_uuid": None, "code_id": None, "job_id": None, "producer_timestamp": stamp,
            "producer": "puppet.example", "edges": [],
            "resources": [{"type": kind, "title": title, "parameters": parameters, "tags": tags, "exported": False,
                           "file": None, "line": None} for kind, title, parameters, tags in resources]})
