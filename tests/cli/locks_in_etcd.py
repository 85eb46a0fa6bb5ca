# SPDX-License-Identifier: Apache-2.0
"""A store of locks in a real etcd, for lock_rules.py: a server for each module of tests, empty for each test."""

import os
import pathlib
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "etcd"))
from servers import Cluster  # noqa: E402


class Etcd:
    """`start` and `stop` are setUpModule and tearDownModule."""

    cluster = None

    @classmethod
    def start(cls):
        cls.cluster = Cluster().start()

    @classmethod
    def stop(cls):
        cls.cluster.stop()

    @classmethod
    def empty(cls):
        cls.cluster.ctl("del", "--prefix", "/spicerack/")
        subprocess.run(["etcdctl", "--endpoints", cls.cluster.members[0].url, "rm", "--recursive", "/spicerack"],
                       env=dict(os.environ, ETCDCTL_API="2"), capture_output=True, check=False)


class EtcdStore:
    """Before the class with the rules."""

    api = 3
    has_fence = True
    has_queue = True
    frees_within = 35

    def setUp(self):
        Etcd.empty()
        self.etcd_config = Etcd.cluster.config()
        super().setUp()

    def store_settings(self):
        return f'store = "etcd"; etcd_api = "{self.api}";'

    def other_settings(self):
        return f'instance_params = {{ etcd_config = "{self.etcd_config}"; }};\n'
