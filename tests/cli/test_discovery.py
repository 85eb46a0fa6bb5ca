# SPDX-License-Identifier: Apache-2.0
"""Services in datacenters: what is kept of them, what real authoritative servers tell, and the samples that change it."""

import json
import pathlib
import shutil
import tempfile
import unittest

from dnsservers import Bind, Gdnsd, Scripted, missing, record, reply
from harness import FIXTURES, PREFIX, SANITIZED, CommandTest

NAME = "fixture.discovery"
ROUTE = "discovery.service-route"
ADMIN = "dns.admin"
INSTALLED = PREFIX / "lib/spicerack/cookbooks/examples"

SCHEMA = """
discovery:
  path: discovery
  tags: [dnsdisc]
  schema:
    pooled: {type: bool, default: false}
    ttl: {type: int, default: 300}
    references: {type: list, default: []}
geodns:
  path: geodns
  tags: [geodns]
  schema:
    pooled: {type: bool, default: false}
"""

CATALOG = """
common: &ips
  dc1: {default: 203.0.113.1, canary: 203.0.113.7}
  dc2: {default: 203.0.113.2}
search:
  description: Search
  ip: *ips
  sites: [dc1, dc2]
  something_new: {nobody: [knows, 7]}
  lvs: {conftool: {cluster: search, service: https}}
  discovery:
    - {dnsdisc: search, active_active: true}
two:
  ip: {dc1: {default: nonsense}}
  discovery: [{dnsdisc: search}, {dnsdisc: store}]
with.dots: {ip: {dc.1: {default: "2001:DB8::1"}}, description: null}
plain: {}
"""


class DiscoveryTest(CommandTest):
    def setUp(self):
        super().setUp()
        self.write("schema.yaml", SCHEMA)
        self.config = self.write("spicerack.cfg", self.configuration(
            [INSTALLED, FIXTURES],
            f'instance_params: {{ spicerack_config_dir = "{self.scratch}/config"; '
            f'conftool_schema = "{self.scratch}/schema.yaml"; }};\n'
            f'kv: {{ store = "sqlite"; directory = "{self.scratch}/kv"; }};\n'
            'sites: { core = [ "dc1", "dc2" ]; all = [ "dc1", "dc2", "dc3" ]; };\n'))
        for record, datacenters in (("search", ("dc1", "dc2")), ("store", ("dc1",)), ("search-old", ("dc2",))):
            for datacenter in ("dc1", "dc2"):
                self.put(f"discovery/{record}/{datacenter}",
                         {"pooled": datacenter in datacenters, "ttl": 300, "references": []})

    def kv(self, command, *words):
        result = self.run_command("spicerack", "kv", command, "-c", self.config, *words)
        self.assertEqual(result.code, 0, result)
        return result.out

    def put(self, key, value):
        self.kv("set", "--overwrite", f"/conftool/v1/{key}", json.dumps(value))

    def stored(self, key):
        return json.loads(self.kv("get", f"/conftool/v1/{key}"))

    def pooled(self, record, entity="discovery"):
        return [datacenter for datacenter in ("dc1", "dc2", "dc3")
                if self.has(entity, record, datacenter) and self.stored(f"{entity}/{record}/{datacenter}")["pooled"]]

    def has(self, entity, record, datacenter):
        return datacenter != "dc3" or entity == "geodns"

    def tell(self, *words, code=0, options=()):
        result = self.cookbook(*options, NAME, *words)
        self.assertEqual(result.code, code, result)
        return result

    def refused(self, kind, message, *words, **more):
        result = self.tell(*words, code=99, **more)
        self.assertIn(f"{message} [{kind}]\n", result.err)


class Stored(DiscoveryTest):
    def test_what_is_pooled(self):
        self.assertEqual(self.tell("active", "search,store", "store").out, "dc1 of dc1 dc2\n")
        self.assertEqual(self.tell("pooled", "search", "dc2").out, "1\n")
        self.assertEqual(self.tell("pooled", "search,store", "dc2").out, "0\n")
        self.refused("discovery.missing", "there is no discovery record 'sear.*'", "pooled", "sear.*", "dc1")
        self.refused("discovery.missing", "the discovery record 'search' has no datacenter 'dc9'", "pooled", "search",
                     "dc9")
        self.refused("discovery.missing", "there is no record 'other' among search", "active", "search", "other")

    def test_pool_and_depool(self):
        self.tell("depool", "search", "dc2")
        self.assertEqual((self.pooled("search"), self.pooled("search-old")), (["dc1"], ["dc2"]))
        self.assertEqual(self.stored("discovery/search/dc2"), {"pooled": False, "ttl": 300, "references": []})
        self.tell("pool", "search,store", "dc2")
        self.assertEqual((self.pooled("search"), self.pooled("store")), (["dc1", "dc2"], ["dc1", "dc2"]))

    def test_the_last_datacenter_stays(self):
        self.refused("discovery.last", "cannot depool dc1: no other datacenter is pooled for 'store'", "depool",
                     "search,store", "dc1")
        self.assertEqual((self.pooled("search"), self.pooled("store")), (["dc1", "dc2"], ["dc1"]))
        self.tell("depool", "store", "dc2")  # where it is not pooled

    def test_scope(self):
        self.assertEqual(self.tell("scope", "search", "dc2").out, "0 within\n")
        self.assertEqual(self.pooled("search"), ["dc1", "dc2"])
        self.tell("scope", "search", "dc2", "fail", code=99)
        self.assertEqual(self.pooled("search"), ["dc1", "dc2"])
        self.put("discovery/search/dc2", {"pooled": False, "ttl": 300})
        self.tell("scope", "search", "dc2")
        self.assertEqual(self.pooled("search"), ["dc1"])

    @unittest.skipIf(SANITIZED, "AddressSanitizer has its own way to end a process")
    def test_scope_after_a_crash(self):
        self.tell("scope", "search", "dc2", "crash", code=92)
        self.assertEqual(self.pooled("search"), ["dc1", "dc2"])

    def test_dry_run(self):
        result = self.tell("move", "store", "dc2", "dc1", options=["-d"])
        self.assertEqual(self.pooled("store"), ["dc1"])
        summary = result.err.partition("has found out:\n")[2]
        self.assertRegex(summary, r"  would .*discovery.*store/dc2.*pooled from false to true")
        self.assertRegex(summary, r"  would .*discovery.*store/dc1.*pooled from true to false")
        self.refused("discovery.last", "cannot depool dc1: no other datacenter is pooled for 'store'", "depool",
                     "store", "dc1", options=["-d"])


class Samples(DiscoveryTest):
    def route(self, *words, code=0, options=()):
        result = self.cookbook(*options, ROUTE, *words)
        self.assertEqual(result.code, code, result)
        return result

    def test_route(self):
        result = self.route("search", "dc2", "depool")
        self.assertIn("START - Cookbook discovery.service-route depool search in dc2\n", result.err)
        self.assertEqual(self.pooled("search"), ["dc1"])
        self.assertIn("cannot depool dc1: no other datacenter is pooled for 'search' [discovery.last]\n",
                      self.route("search", "dc1", "depool", code=99).err)
        self.assertEqual(self.pooled("search"), ["dc1"])
        self.route("search", "dc2", "pool")
        self.assertEqual(self.pooled("search"), ["dc1", "dc2"])

    def test_route_refuses_what_is_not_there(self):
        self.assertIn("invalid choice: 'dc3'", self.route("search", "dc3", "pool", code=2).err)
        self.assertIn("there is no discovery record 'nothing' [discovery.missing]\n",
                      self.route("nothing", "dc1", "pool", code=94).err)

    def test_route_dry(self):
        result = self.route("search", "dc2", "depool", options=["-d"])
        self.assertRegex(result.err, r"\n  would .*pooled from true to false")
        self.assertEqual(self.pooled("search"), ["dc1", "dc2"])

    def admin(self, *words, code=0, options=()):
        for service, sites in (("text", ("dc1", "dc2", "dc3")), ("upload", ("dc1", "dc3"))):
            for site in ("dc1", "dc2", "dc3"):
                if not self.made:
                    self.put(f"geodns/{service}/{site}", {"pooled": site in sites})
        self.made = True
        result = self.cookbook(*options, ADMIN, *words)
        self.assertEqual(result.code, code, result)
        return result

    made = False

    def test_admin(self):
        self.assertRegex(self.admin("show", "dc2").out, r"SERVICE +SITE +POOLED\n.*\ntext +dc2 +yes\nupload +dc2 +no\n$")
        self.assertNotIn("text", self.admin("show", "dc2", "upload").out)
        self.assertIn("2 services are depooled in dc3 now\n", self.admin("-r", "why", "depool", "dc3").err)
        self.assertEqual((self.pooled("text", "geodns"), self.pooled("upload", "geodns")), (["dc1", "dc2"], ["dc1"]))
        self.assertIn("cannot depool dc1: no other site is pooled for upload\n",
                      self.admin("depool", "dc1", code=99).err)
        self.assertEqual((self.pooled("text", "geodns"), self.pooled("upload", "geodns")), (["dc1", "dc2"], ["dc1"]))
        self.admin("depool", "dc1", "text")
        self.admin("pool", "dc3", "upload", "text")
        self.assertEqual((self.pooled("text", "geodns"), self.pooled("upload", "geodns")), (["dc2", "dc3"], ["dc1", "dc3"]))
        self.assertIn("[confctl.missing]\n", self.admin("pool", "dc3", "uploads", code=94).err)


class Catalog(DiscoveryTest):
    def setUp(self):
        super().setUp()
        self.write("config/service/service.yaml", CATALOG)

    def service(self, name, *words, out):
        self.assertEqual(self.tell("service", name, *words).out, f"{out}\n")

    def test_what_is_in_it(self):
        self.service("search", "names", out="common search two with.dots plain")
        self.service("search", "ips", out="203.0.113.1 203.0.113.2 203.0.113.7")
        self.service("search", "ip", "dc2", out="203.0.113.2 in search")
        self.service("search", "ip", "dc3", out="none in search")
        self.service("plain", "ips", out="")
        self.service("with.dots", "ip", "dc.1", out="2001:db8::1 in with.dots")
        self.service("search", "something_new.nobody.[0]", out="knows")
        self.service("search", "lvs.conftool.service", out="https")
        self.service("search", "record", out="search")
        self.service("two", "record", "store", out="store")

    def test_what_is_not(self):
        self.refused("service.missing", "there is no service 'none'", "service", "none", "ips")
        self.refused("service.data", "the service 'two' has in dc1 no address but 'nonsense'", "service", "two", "ips")
        self.refused("service.ambiguous", "the service 'two' has several discovery records: search, store", "service",
                     "two", "record")
        self.refused("service.missing", "the service 'plain' has no discovery record", "service", "plain", "record")
        self.refused("config.missing", "there is no setting 'description'", "service", "with.dots", "description")
        self.refused("config.type", "is a list, not a text", "service", "search", "sites")
        self.write("config/service/service.yaml", "- a\n")
        self.assertRegex(self.tell("service", "a", "names", code=99).err, r"service.yaml:1: .* \[config.file\]")


@unittest.skipIf(missing(), f"not installed: {missing()}")
class Servers(DiscoveryTest):
    @classmethod
    def setUpClass(cls):
        cls.servers = pathlib.Path(tempfile.mkdtemp(prefix="spicerack-discovery-"))
        cls.addClassCleanup(shutil.rmtree, cls.servers)
        resources = {"search": {"dc1": "203.0.113.1", "dc2": "203.0.113.2"},
                     "store": {"dc1": "203.0.113.11", "dc2": "203.0.113.11"}}
        cls.near = Gdnsd(cls.servers / "near", resources, more="svc A 203.0.113.1\nmany A 192.0.2.1\nmany A 192.0.2.2\n")
        cls.addClassCleanup(cls.near.stop)
        cls.bind = Bind(cls.servers / "bind", {"discovery.test": "search A 203.0.113.1\nstore A 203.0.113.11\n"
                                               "svc A 203.0.113.1\n"})
        cls.addClassCleanup(cls.bind.stop)

    def setUp(self):
        super().setUp()
        self.use(self.near, self.bind)

    def use(self, *servers):
        listed = ", ".join(f'{{ name = "ns{number}"; address = "127.0.0.1"; port = {server.port}; }}'
                           for number, server in enumerate(servers, 1))
        self.write("config/discovery/config.cfg", f'domain = "discovery.test"; servers = ( {listed} );')

    def test_servers(self):
        self.assertEqual(self.tell("servers", "search").out, "ns1 ns2\n")
        self.assertEqual(self.tell("resolve", "search,store").out,
                         "ns1 search 203.0.113.1 300\nns1 store 203.0.113.11 300\n"
                         "ns2 search 203.0.113.1 300\nns2 store 203.0.113.11 300\n")

    def test_for_a_client(self):
        self.use(self.near)
        self.assertEqual(self.tell("for", "search", "198.51.100.9").out, "ns1 search 203.0.113.2 300\n")
        self.assertEqual(self.tell("for", "search", "192.0.2.0/24").out, "ns1 search 203.0.113.1 300\n")
        deaf = Scripted(lambda packet: reply(packet, record("search.discovery.test", 1, bytes([203, 0, 113, 1])), 1))
        self.addCleanup(deaf.stop)
        self.use(self.near, deaf)
        self.refused("discovery.server", "the server ns2 takes no heed of the client's address for "
                     "'search.discovery.test'", "for", "search", "198.51.100.9")

    def test_record(self):
        self.tell("check-record", "search", "search", "svc.discovery.test")
        self.tell("check-record", "search", "search.discovery.test", "svc.discovery.test")
        self.refused("dns.ambiguous", "'many.discovery.test' has 2 addresses where one is needed", "check-record",
                     "search", "search", "many.discovery.test")
        result = self.tell("check-record", "search,store", "store", "svc.discovery.test", options=["-d"])
        self.assertIn("  cannot know whether the servers would have followed: expected 203.0.113.1, but ns1 tells "
                      "203.0.113.11 for 'store', ns2 tells 203.0.113.11 for 'store'\n", result.err)

    def test_ttl(self):
        self.tell("ttl", "search,store", "5m")
        self.tell("check-ttl", "search", "5m")
        result = self.tell("ttl", "search", "10s", options=["-d"])
        self.assertIn("expected 10s, but ns1 tells 5m for 'search', ns2 tells 5m for 'search'", result.err)
        self.assertEqual(self.stored("discovery/search/dc1")["ttl"], 300)

    def test_ttl_is_waited_for(self):
        self.use(self.near)
        process = self.start(NAME, "ttl", "search", "7s")
        self.wait_for(lambda: self.stored("discovery/search/dc1")["ttl"] == 7, "the change")
        self.addCleanup(self.near.set_ttl, 300)
        self.near.set_ttl(7)
        result = self.finish(process)
        self.assertEqual(result.code, 0, result)

    def test_catalog(self):
        self.write("config/service/service.yaml", CATALOG)
        self.use(self.near)
        self.assertEqual(self.tell("service", "search", "dns").out, "as it should be\n")
        self.put("discovery/search/dc2", {"pooled": False, "ttl": 300})
        self.refused("service.dns", "ns1 tells 203.0.113.2 for 'search' to the client 198.51.100.1 of dc2, where it is "
                     "not pooled", "service", "search", "dns")

    def test_configuration(self):
        for text, what in (("", ": 'servers' lists none [config.missing]"),
                           ('servers = ( { name = "a"; } );', ": there is no setting 'servers.[0].address' [config.missing]"),
                           ('servers = ( { address = "127.0.0.1"; adress = "x"; } );',
                            ":1: unknown key 'servers.[0].adress' [config.type]"),
                           ('domian = "x";', ":1: unknown key 'domian' [config.type]")):
            self.write("config/discovery/config.cfg", text)
            self.assertIn(f"config/discovery/config.cfg{what}", self.tell("resolve", "search", code=99).err)


if __name__ == "__main__":
    unittest.main()
