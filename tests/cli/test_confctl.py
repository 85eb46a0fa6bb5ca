# SPDX-License-Identifier: Apache-2.0
"""Objects of conftool in each store: the same rules for sqlite, etcd's API 3 and its API 2; `spicerack kv`."""

import json
import signal
import sqlite3
import subprocess
import sys
import threading
import unittest

from harness import LONG, PREFIX, SOURCE, CommandTest

sys.path.insert(0, str(SOURCE / "tests" / "etcd"))
try:
    import servers
except ImportError:
    servers = None

BASE = "/conftool/v1"
SCHEMA = """
discovery:
  path: discovery
  tags: &tags [dnsdisc]
  schema:
    pooled: {type: bool, default: false}
    references: {type: list, default: []}
    ttl: &ttl {type: int, default: 300}
everything:
  path: everything
  tags: *tags
  schema:
    number: *ttl
    text: {type: string, default: "a text"}
    choice: {type: "enum:one|two", default: one}
    map: {type: dict, default: {a: [1, yes, ~, 0x10, 1.5]}}
    networks: {type: cidr_list, default: []}
    any: {type: any, default: null}
loose:
  path: loose
  tags: []
  free_form: true
  schema:
    <<: {text: {type: string, default: ""}}
ruled:
  path: ruled
  tags: []
  json_schema: {base_path: /nonexistent, rules: {a: {selector: name=a, schema: b}}}
  schema: {height: {default: 0}}
"""


def python(value):
    """As conftool writes a value."""
    return json.dumps(value)


class Store(CommandTest):
    """What every store has to do; `read` and `write` go around our code, as another client of the store does."""

    name = None

    def setUp(self):
        super().setUp()
        self.schema = self.write("schema.yaml", SCHEMA)
        self.configure()

    def configure(self, more=""):
        self.config = self.write("spicerack.cfg", self.configuration(
            self.bases(), f'instance_params = {{ conftool_schema = "{self.schema}"; {self.params()} }};\n'
                          f'kv = {{ {self.settings()} }};\n{more}'))

    def bases(self):
        from harness import FIXTURES  # pylint: disable=import-outside-toplevel
        return [FIXTURES]

    def params(self):
        return ""

    def node(self, path, **fields):
        self.put(f"{BASE}/pools/{path}", python({"pooled": "yes", "weight": 10, **fields}))

    def nodes(self):
        for path in ("dc1/web/apache2/web1", "dc1/web/apache2/web2", "dc1/web/apache2-ssl/web1", "dc1/web/nginx/web3",
                     "dc2/web/apache2/web9"):
            self.node(path)

    def run_fixture(self, *words, options=()):
        return self.cookbook(*options, "fixture.confctl", *words)

    def found(self, *words):
        result = self.run_fixture(*words)
        self.assertEqual(result.code, 0, result)
        return [json.loads(line) for line in result.out.splitlines()]

    def paths(self, *words):
        return [one["path"] for one in self.found("get", *words)]

    def fails(self, kind, message, *words, code=99, options=()):
        result = self.run_fixture(*words, options=options)
        self.assertEqual(result.code, code, result)
        self.assertIn(message, result.err)
        self.assertIn(kind, "\n".join(self.log("fixture.confctl", extended=True)), result)
        return result

    def value(self, key):
        return json.loads(self.get(key))

    def pooled(self, path):
        return self.value(f"{BASE}/pools/{path}")["pooled"]


class Rules:
    """Tests of a Store."""

    def test_selectors_match_whole_tags(self):
        self.nodes()
        self.put(f"{BASE}/pools/dc1/stray", "no object at all")
        self.assertEqual(self.paths("--tag", "service=apache2|nginx", "--tag", "dc=dc1"),
                         ["dc1/web/apache2/web1", "dc1/web/apache2/web2", "dc1/web/nginx/web3"])
        self.assertEqual(self.paths("--tag", "name=web[19]", "--tag", "service=apache2"),
                         ["dc1/web/apache2/web1", "dc2/web/apache2/web9"])
        self.assertEqual(len(self.paths()), 5)
        self.assertEqual(self.paths("--tag", "dc=dc2"), ["dc2/web/apache2/web9"])
        # An alternative that leaves its group would match all the rest.
        self.fails("confctl.selector", "pattern 'a)|(b'", "get", "--tag", "service=a)|(b")
        self.fails("confctl.selector", "has no tag 'color': it has dc, cluster, service, name", "get", "--tag",
                   "color=red")
        self.fails("confctl.missing", "no object of 'node' matches service=apache", "get", "--tag", "service=apache")
        self.assertEqual(self.found("find", "--tag", "dc=dc3"), [])
        self.node("dc1/web/apache2/" + "a" * 60)
        self.fails("confctl.selector", "cannot match the pattern", "get", "--tag", "name=(a+)+[bc]")

    def test_names_are_no_patterns(self):
        for name in ("web1.example", "web1xexample", "web.*"):
            self.node(f"dc1/web/apache2/{name}")
        names = [one["name"] for one in self.found("names", "--set", "web1.example", "--set", "web.*")]
        self.assertEqual(names, ["web.*", "web1.example"])
        self.assertEqual(self.found("names"), [])

    def test_update_changes_what_it_names_and_nothing_else(self):
        key = f"{BASE}/pools/dc1/web/apache2/web1"
        foreign = '{ "weight" : 10 ,\t"pooled": "yes", "big": 12345678901234567890.10, "own": {"b":1,"a":[ ]}, "\\u0061": 1 }'
        self.put(key, foreign)
        result = self.run_fixture("update", "--tag", "name=web1", "--set", "pooled=text:no")
        self.assertEqual(result.code, 0, result)
        self.assertEqual(self.get(key), foreign.replace('"yes"', '"no"'))
        self.assertIn('node dc1/web/apache2/web1: pooled from "yes" to "no"', result.err)
        # What has the value is not written.
        before = self.revision(key)
        self.assertEqual(self.run_fixture("update", "--tag", "name=web1", "--set", "pooled=text:no").code, 0)
        self.assertEqual(self.revision(key), before)

    def test_missing_fields_get_their_defaults_as_with_conftool(self):
        for value, expected in (('{}', '{"pooled": "no", "weight": 0}'), ('{"weight": null}', '{"weight": 0, "pooled": "no"}')):
            self.put(f"{BASE}/pools/dc1/web/apache2/web1", value)
            self.assertEqual(self.run_fixture("update", "--set", "pooled=text:no").code, 0)
            self.assertEqual(self.get(f"{BASE}/pools/dc1/web/apache2/web1"), expected)

    def test_values_are_of_their_types(self):
        self.nodes()
        self.put(f"{BASE}/everything/a/b", "{}")
        self.put(f"{BASE}/discovery/svc/dc1", "{}")
        self.put(f"{BASE}/loose/a", "{}")
        refused = (
            ("node", "pooled=text:maybe", "takes one of yes, no, inactive, not \"maybe\""),
            ("node", "pooled=bool:true", "takes one of"),
            ("node", "weight=text:5", "takes a whole number, not \"5\""),
            ("node", "weight=json:1.5", "takes a whole number"),
            ("node", "weight=json:1 2", "takes a whole number"),
            ("node", "color=text:red", "has no field 'color'"),
            ("discovery", "pooled=text:true", "takes true or false"),
            ("discovery", "pooled=int:2", "takes true or false"),
            ("discovery", "references=text:a", "takes a list"),
            ("everything", "map=json:[]", "takes an object"),
            ("everything", "networks=json:[\"10.0.0.0/33\"]", "takes a list of networks"),
            ("everything", "text=int:5", "takes a text"),
            ("loose", "more=json:{", "takes JSON"),
        )
        for entity, given, message in refused:
            with self.subTest(given):
                self.fails("confctl.value", message, "update", "--entity", entity, "--set", given)
        self.assertEqual(self.get(f"{BASE}/everything/a/b"), "{}")
        for entity, given in (("discovery", "pooled=int:1"), ("everything", "networks=json:[\"10.0.0.1/8\",\"::1\"]"),
                              ("everything", "any=text:x"), ("loose", "more=json:{\"a\": 1}")):
            self.assertEqual(self.run_fixture("update", "--entity", entity, "--set", given).code, 0, given)
        self.assertIs(self.value(f"{BASE}/discovery/svc/dc1")["pooled"], True)
        self.assertEqual(self.value(f"{BASE}/loose/a"), {"more": {"a": 1}, "text": ""})

    def test_fields_are_read_as_conftool_reads_them(self):
        self.put(f"{BASE}/everything/a/b", python({"number": "12", "text": 5, "any": 12345678901234567890}))
        field = lambda how, name: self.run_fixture("field", "--entity", "everything", "--how", how, "--field", name)
        self.assertEqual(field("int", "number").out, "12\n")
        self.assertEqual(field("text", "text").out, "5\n")
        self.assertEqual(field("text", "choice").out, "one\n")
        self.assertEqual(field("json", "map").out, '{"a": [1, true, null, 16, 1.5]}\n')
        self.assertEqual(field("json", "any").out, "12345678901234567890\n")
        self.assertEqual(field("tag", "dnsdisc").out, "a\n")
        self.assertIn("its 'any' is not a whole number in the range of 64 bits: 12345678901234567890", field("int", "any").err)
        self.assertIn("is not true or false", field("bool", "number").err)
        self.assertIn("has no field 'nothing'", field("text", "nothing").err)
        self.put(f"{BASE}/everything/a/b", python({"choice": "three"}))
        self.assertIn("its 'choice' is not one of those that it can have: \"three\"", field("text", "choice").err)

    def test_damaged_values_are_named(self):
        for value in ('{"pooled": "yes"', "[]", "5", '{"a": 1} {}', '{"a": 01}', '{"a": "\x01"}', "[" * 1000):
            self.put(f"{BASE}/pools/dc1/web/apache2/web1", value)
            self.fails("confctl.data", f"{BASE}/pools/dc1/web/apache2/web1: its value is no JSON object", "get")

    def test_filter(self):
        self.nodes()
        self.node("dc1/web/apache2/web4", pooled="no")
        self.put(f"{BASE}/pools/dc1/web/apache2/web5", "{}")
        names = lambda *words: [one["name"] for one in self.found("filter", *words)]
        self.assertEqual(names("--set", "pooled=text:no"), ["web4"])
        self.assertEqual(names("--set", "pooled=text:inactive", "--set", "weight=int:0"), ["web5"])
        self.assertEqual(names("--set", "pooled=text:yes", "--set", "weight=int:7"), [])
        self.fails("confctl.value", "has no field 'x'", "filter", "--set", "x=text:y")

    def test_set_and_verify(self):
        self.nodes()
        self.assertEqual(self.run_fixture("verify", "--tag", "dc=dc2", "--set", "pooled=text:inactive").code, 0)
        self.assertEqual(self.pooled("dc2/web/apache2/web9"), "inactive")

    def test_dry_run_reads_and_tells(self):
        self.nodes()
        for action in ("verify", "update"):
            result = self.run_fixture(action, "--tag", "dc=dc2", "--set", "pooled=text:no", options=["-d"])
            self.assertEqual(result.code, 0, result)
            self.assertIn('would change node dc2/web/apache2/web9: pooled from "yes" to "no"', result.err)
            self.assertEqual(self.pooled("dc2/web/apache2/web9"), "yes")
        self.write("go", "")
        result = self.run_fixture("change", "--tag", "dc=dc2", "--set", "pooled=text:yes", "--set", "pooled=text:no",
                                  options=["-d"])
        self.assertIn('would change node dc2/web/apache2/web9 back: pooled from "no" to "yes"', result.err)
        self.fails("confctl.missing", "no object", "update", "--tag", "dc=dc3", "--set", "pooled=text:no", options=["-d"])

    def change(self, *words):
        return self.start("fixture.confctl", "change", "--tag", "dc=dc1", "--set", "pooled=text:yes", "--set",
                          "pooled=text:no", "--go", self.scratch / "go", *words)

    def test_change_is_restored(self):
        self.nodes()
        self.node("dc1/web/apache2/web2", pooled="inactive")
        process = self.change()
        self.wait_for_log("within the scope", "fixture.confctl")
        self.assertEqual([self.pooled(f"dc1/web/apache2/web{i}") for i in (1, 2)], ["no", "inactive"])
        self.assertEqual(self.pooled("dc2/web/apache2/web9"), "yes")
        # What somebody else changes meanwhile stays.
        self.node("dc1/web/nginx/web3", pooled="inactive", weight=3)
        self.node("dc1/web/apache2-ssl/web1", pooled="no", weight=77)
        self.write("go", "")
        result = self.finish(process)
        self.assertEqual(result.code, 0, result)
        self.assertEqual([self.pooled(f"dc1/web/apache2/web{i}") for i in (1, 2)], ["yes", "inactive"])
        self.assertEqual(self.value(f"{BASE}/pools/dc1/web/apache2-ssl/web1"), {"pooled": "yes", "weight": 77})
        self.assertEqual(self.pooled("dc1/web/nginx/web3"), "inactive")
        self.assertIn('dc1/web/nginx/web3: somebody else has changed it since: pooled is "inactive", and stays so', result.err)

    def test_change_is_restored_after_each_failure(self):
        self.nodes()
        for how, code in (("fail", 99), ("crash", 92), ("kill", 92)):
            result = self.run_fixture("change", "--tag", "dc=dc1", "--set", "pooled=text:yes", "--set", "pooled=text:no",
                                      "--how", how)
            self.assertEqual(result.code, code, result)
            self.assertEqual([self.pooled("dc1/web/apache2/web1"), self.pooled("dc1/web/nginx/web3")], ["yes", "yes"], result)
            self.assertLess(result.err.index('from "no" to "yes"'), result.err.index("rolled back"))
        process = self.change()
        self.wait_for(lambda: self.pooled("dc1/web/nginx/web3") == "no", "the change")
        process.send_signal(signal.SIGINT)
        result = self.finish(process)
        self.assertEqual((result.code, self.pooled("dc1/web/nginx/web3")), (97, "yes"), result)

    def test_change_stays_when_told_so(self):
        for how, code, left in (("fail", 99, "no"), ("crash", 92, "no"), ("nothing", 0, "yes")):
            self.nodes()
            self.write("go", "")
            result = self.run_fixture("change", "--keep", "--tag", "dc=dc1", "--set", "pooled=text:yes", "--set",
                                      "pooled=text:no", "--how", how, "--go", self.scratch / "go")
            self.assertEqual((result.code, self.pooled("dc1/web/nginx/web3")), (code, left), result)

    def test_many_writers_lose_nothing(self):
        """Each adds a field of its own, many times, while others do the same to the same objects."""
        for name in "ab":
            self.put(f"{BASE}/loose/{name}", "{}")
        processes = [self.start("fixture.confctl", "update", "--entity", "loose", "--set", f"f{i}=int:{i}")
                     for i in range(4)]
        for process in processes:
            result = self.finish(process)
            self.assertEqual(result.code, 0, result)
        for name in "ab":
            self.assertEqual(self.value(f"{BASE}/loose/{name}"), {"text": "", **{f"f{i}": i for i in range(4)}})

    # spicerack kv

    def kv(self, command, *words, code=0, **options):
        result = self.run_command("spicerack", "kv", command, "-c", self.config, *words, **options)
        self.assertEqual(result.code, code, result)
        return result

    def test_export_and_import(self):
        self.nodes()
        self.put(f"{BASE}/loose/odd", '{\n "text": "a\\nb ä"\n}')
        exported = self.kv("export").out
        lines = [json.loads(line) for line in exported.splitlines()]
        self.assertEqual(len(lines), 6)
        self.assertEqual(lines[-1], {"key": f"{BASE}/pools/dc2/web/apache2/web9",
                                     "value": {"pooled": "yes", "weight": 10}})
        self.assertEqual(len(self.kv("export", f"{BASE}/pools/dc2").out.splitlines()), 1)
        self.clear()
        self.assertEqual(self.kv("export").out, "")
        path = self.write("exported", exported)
        self.assertIn("6 made, 0 replaced, 0 as they were", self.kv("import", path).err)
        self.assertEqual(self.kv("export").out, exported)
        self.assertIn("0 made, 0 replaced, 6 as they were", self.kv("import", path).err)
        self.node("dc1/web/nginx/web3", pooled="no")
        self.remove(f"{BASE}/loose/odd")
        refused = self.kv("import", path, code=1)
        self.assertIn(f'exported:5: {BASE}/pools/dc1/web/nginx/web3 is there already, as {{"pooled": "no"', refused.err)
        self.assertIsNone(self.get(f"{BASE}/loose/odd"))
        self.assertIn("1 made, 1 replaced, 4 as they were", self.kv("import", "--overwrite", path).err)
        self.assertEqual(self.kv("export").out, exported)

    def test_import_of_what_is_no_export(self):
        good = python({"key": "/a/b", "value": {}}) + "\n"
        for text, message in ((good + "no\n", ":2: not a line of an export"), (good * 2, ":2: this key is there twice"),
                              ('{"key": "/a//b", "value": {}}', ":1: /a//b: not a key"),
                              ('{"key": "/a/../b", "value": {}}', "not a key"), ('{"key": "a", "value": {}}', "not a key"),
                              ('{"key": "/a", "value": []}', "'value' must be a JSON object"),
                              ('{"key": "/a\\u0000", "value": {}}', "'key' must be a text"), ("\x00", "not a line")):
            self.assertIn(message, self.kv("import", self.write("bad", text), code=1).err)
        self.assertEqual(self.kv("list").out, "")
        self.kv("import", "/nonexistent", code=1)

    def test_get_set_delete(self):
        key = f"{BASE}/loose/a"
        self.assertIn("there is no such key", self.kv("get", key, code=1).err)
        self.assertIn("must be a JSON object", self.kv("set", key, "nonsense", code=2).err)
        self.assertIn(f'made {key}: {{"text": "x"}}', self.kv("set", key, '{"text": "x"}').err)
        self.assertIn("--overwrite", self.kv("set", key, "{}", code=1).err)
        self.assertEqual(self.kv("get", key).out, '{"text": "x"}\n')
        self.kv("set", "--overwrite", key, '{"text": "y"}')
        self.assertEqual(json.loads(self.kv("list", "--json").out)[0]["value"], '{"text": "y"}')
        self.assertEqual(self.kv("list", f"{BASE}/loose").out, f'{key} {{"text": "y"}}\n')
        self.assertEqual(self.kv("list", f"{BASE}/loos").out, "")
        self.assertIn("deleted", self.kv("delete", key).err)
        self.assertIn("there is no such key", self.kv("delete", key, code=1).err)
        self.assertIsNone(self.get(key))
        self.assertIn("not a key", self.kv("get", "loose", code=2).err)


class Sqlite(Rules, Store):
    """The store of one machine; the other client is Python's sqlite3."""

    @property
    def file(self):
        return self.scratch / "home/.local/state/spicerack/kv/kv.db"

    def settings(self):
        return ""

    def database(self):
        if not self.file.exists():
            self.kv("set", "/first", "{}")
            self.kv("delete", "/first")
        return sqlite3.connect(self.file, isolation_level=None)

    def put(self, key, value):
        database = self.database()
        database.execute("BEGIN IMMEDIATE")
        database.execute("UPDATE counter SET number = number + 1")
        database.execute("INSERT OR REPLACE INTO item SELECT ?, CAST(? AS BLOB), number FROM counter", (key, value))
        database.execute("COMMIT")
        database.close()

    def row(self, key):
        database = self.database()
        try:
            return database.execute("SELECT CAST(value AS TEXT), revision FROM item WHERE key = ?", (key,)).fetchone()
        finally:
            database.close()

    def get(self, key):
        row = self.row(key)
        return row and row[0]

    def revision(self, key):
        return self.row(key)[1]

    def remove(self, key):
        database = self.database()
        database.execute("DELETE FROM item WHERE key = ?", (key,))
        database.close()

    def clear(self):
        self.file.unlink()

    def test_reading_makes_nothing(self):
        self.assertEqual(self.kv("list").out, "")
        self.fails("confctl.missing", "no object", "get", options=["-d"])
        self.assertFalse(self.file.exists())

    def test_a_path_with_links(self):
        (self.scratch / "real").mkdir(mode=0o700)
        (self.scratch / "linked").symlink_to(self.scratch / "real")
        self.settings = lambda: f'directory = "{self.scratch}/linked/kv";'
        self.configure()
        self.kv("set", "/first", '{"text": "x"}')
        self.assertEqual(self.kv("get", "/first").out, '{"text": "x"}\n')
        self.assertTrue((self.scratch / "real/kv/kv.db").exists())

    def test_files_that_are_no_store(self):
        self.node("dc1/web/apache2/web1")
        self.file.write_bytes(b"SQLite format 3\0" + b"x" * 5000)
        self.fails("confctl.store", "it is damaged, or no store of keys", "get")
        self.file.unlink()
        other = sqlite3.connect(self.file)
        other.execute("CREATE TABLE item(key)")
        other.close()
        self.fails("confctl.store", "is no store of keys", "get")
        self.file.unlink()
        self.file.symlink_to("/etc/passwd")
        self.fails("confctl.store", "it is not a regular file", "get")
        self.file.unlink()
        self.file.parent.chmod(0o777)
        self.fails("confctl.config", "not trusted, others may write to it", "get")

    def test_waits_for_other_writers(self):
        self.node("dc1/web/apache2/web1")
        database = self.database()
        database.execute("BEGIN IMMEDIATE")
        process = self.start("fixture.confctl", "update", "--set", "pooled=text:no")
        self.wait_for_log("START", "fixture.confctl")
        # Ctrl+C gets through while it waits.
        self.wait_for(lambda: process.poll() is None and self.processes(), "the worker")
        process.send_signal(signal.SIGINT)
        self.assertEqual(self.finish(process).code, 97)
        timer = threading.Timer(0.5, lambda: None)
        timer.start()
        process = self.start("fixture.confctl", "update", "--set", "pooled=text:no")
        timer.join()
        database.execute("COMMIT")
        database.close()
        self.assertEqual(self.finish(process).code, 0)
        self.assertEqual(self.pooled("dc1/web/apache2/web1"), "no")

    def test_configuration(self):
        bad = (
            ("nothing: 5\n", "unknown", "there is no entity 'unknown'"),
            ("a: {path: x, tags: [], schema: {f: {type: integer, default: 0}}}", "a",
             "schema.yaml:1: 'integer' is no type of a field"),
            ("a:\n  path: x\n  tags: []\n", "a", "schema.yaml:2: 'schema' is missing here"),
            ("a:\n  path: x\n  tags: {}\n  schema: {}\n", "a", "schema.yaml:3: 'tags' must be a list"),
            ("a:\n  path: x\n  tags: [name]\n  schema: {}\n", "a", "schema.yaml:3: 'name' cannot be a tag"),
            ("a:\n  path: ../x\n  tags: []\n  schema: {}\n", "a", "schema.yaml:2: the path '../x' is none of keys"),
            ("a:\n  path: x\n  tags: []\n  schema:\n    f: {type: int}\n", "a", "schema.yaml:5: the field 'f' has no default"),
            ("a: [\n", "a", "schema.yaml:2: did not find"), ("a: 1\na: 2\n", "a", "schema.yaml:2: this key is there twice"),
            ("a: &a [*a]\n", "a", "nested too deep"), ("a: b\n--- \nc: d\n", "a", "there is more than one document"),
            ("a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(f"a{i}: &a{i} [{','.join([f'*a{i - 1}' if i else '*a'] * 10)}]\n"
                                                       for i in range(7)), "a", "too much, perhaps by aliases"),
        )
        for text, entity, message in bad:
            with self.subTest(message):
                self.write("schema.yaml", text)
                self.fails("confctl.config", message, "get", "--entity", entity)
        self.schema.chmod(0o666)
        self.fails("confctl.config", "others may write", "get")
        self.schema.unlink()
        self.fails("confctl.config", "schema.yaml", "get")

    def test_conftool_configuration(self):
        config = self.write("conftool.yaml", "driver: etcd\nnamespace: /other\napi_version: v2\npools_path: ponds\n"
                                             "hosts: [x]\ndriver_options: {suppress_san_warnings: false}\n")
        params = f'instance_params = {{ conftool_config = "{config}"; }};\n'
        self.config = self.write("spicerack.cfg", self.configuration(self.bases(), params + 'kv = { store = "sqlite"; };'))
        self.put("/other/v2/ponds/dc1/web/apache2/web1", "{}")
        self.assertEqual(self.paths(), ["dc1/web/apache2/web1"])
        # Without a store of ours that of conftool's file counts, and nothing listens there.
        self.config = self.write("spicerack.cfg", self.configuration(self.bases(), params + 'kv = { etcdrc = "/nonexistent"; };'))
        self.fails("confctl.store", "127.0.0.1:2379", "get")
        for text, message in (("namespace: 5\n", ":1: 'namespace' must be a text"),
                              ("pools_path: /x\n", ":1: 'pools_path' must be a relative path"), ("[]\n", "must be keys and values")):
            self.write("conftool.yaml", text)
            self.fails("confctl.config", message, "get")
        self.config = self.write("spicerack.cfg", self.configuration(self.bases(), 'kv = { store = "nothing"; };'))
        self.fails("confctl.config", "the driver kv-nothing is not installed", "get")


class EtcdStore(Store):
    """One server for each class of tests."""

    options = ()

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        if servers is None or not list(PREFIX.rglob("kv-etcd.so")):
            raise unittest.SkipTest("etcd is not here")
        cls.cluster = cls.make_cluster().start()
        cls.addClassCleanup(cls.cluster.stop)

    @classmethod
    def make_cluster(cls):
        return servers.Cluster(options=cls.options)

    def setUp(self):
        self.etcdrc = self.cluster.config(self.credentials())
        super().setUp()
        self.clear()

    def credentials(self):
        return ""

    def settings(self):
        return f'store = "etcd"; etcd_api = "{self.api}"; etcdrc = "{self.etcdrc}";'

    def through_proxy(self):
        """The configuration with a proxy in front of the server."""
        proxy = servers.Proxy(self, self.cluster.members[0])
        self.etcdrc = self.cluster.config(self.credentials(), hosts=[("127.0.0.1", proxy.port)])
        self.configure()
        return proxy


class Etcd3(Rules, EtcdStore):
    api = 3

    def put(self, key, value):
        self.cluster.ctl("put", "--", key, value)

    def read(self, key):
        return json.loads(self.cluster.ctl("get", "-w", "json", "--", key)).get("kvs", [{}])[0]

    def get(self, key):
        found = self.cluster.ctl("get", "--print-value-only", "--", key)
        return found[:-1] if found else None

    def revision(self, key):
        return self.read(key)["mod_revision"]

    def remove(self, key):
        self.cluster.ctl("del", key)

    def clear(self):
        self.cluster.ctl("del", "--prefix", "/")

    def test_round_trips(self):
        self.nodes()
        proxy = self.through_proxy()
        self.assertEqual(self.run_fixture("verify", "--tag", "dc=dc1", "--set", "pooled=text:no").code, 0)
        # All objects at once: read, write, read.
        self.assertEqual(proxy.requests, ["/v3/kv/range", "/v3/kv/txn", "/v3/kv/range"])

    def test_a_conflict_changes_what_is_there_then(self):
        self.nodes()
        proxy, key = self.through_proxy(), f"{BASE}/pools/dc1/web/apache2/web1"
        pump, wrote = proxy.change, []

        def interfere(got):
            """After the first read, and once more: somebody else writes."""
            if len(wrote) < 2:
                wrote.append(self.put(key, python({"pooled": "yes", "weight": 40 + len(wrote)})))
            return got

        proxy.change = interfere
        result = self.run_fixture("update", "--tag", "dc=dc1", "--set", "pooled=text:no")
        proxy.change = pump
        self.assertEqual(result.code, 0, result)
        self.assertEqual(self.value(key), {"pooled": "no", "weight": 41})
        self.assertEqual(self.pooled("dc1/web/nginx/web3"), "no")

    def test_a_lost_answer(self):
        """The write is done, and its answer is cut: it is read again, not done again."""
        self.node("dc1/web/apache2/web1")
        proxy = self.through_proxy()
        proxy.change = lambda got: b"" if b"succeeded" in got and not self.cut.append(proxy.cut()) else got
        self.cut = []
        result = self.run_fixture("update", "--set", "pooled=text:no")
        self.assertEqual(result.code, 0, result)
        self.assertTrue(self.cut)
        self.assertEqual(self.read(f"{BASE}/pools/dc1/web/apache2/web1")["version"], 2, result)

    def test_hostile_answers(self):
        self.node("dc1/web/apache2/web1")
        proxy = self.through_proxy()
        good = b"L2NvbmZ0b29sL3YxL3Bvb2xzL2RjMS93ZWIvYXBhY2hlMi93ZWIx"  # the key
        for body in (b'{"kvs":5}', b'{"kvs":[5]}', b'{"kvs":[{"key":"!","value":"e30=","mod_revision":"1"}]}',
                     b'{"kvs":[{"key":"L2V0Yw==","value":"e30=","mod_revision":"1"}]}',
                     b'{"kvs":[{"key":"%s","value":"AA==","mod_revision":"1"}]}' % good,
                     b'{"kvs":[{"key":"%s","value":"e30=","mod_revision":"-1"}]}' % good,
                     b'{"kvs":[{"key":"%s","value":"e30=","mod_revision":"1"}],"more":true}' % good,
                     b'{"kvs":[', b"<html>", b"[]"):
            with self.subTest(body):
                head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
                proxy.answer_with = head % len(body) + body
                result = self.run_fixture("get")
                self.assertEqual(result.code, 99, result)
                self.assertIn("cannot read the store: ", result.err)
        proxy.answer_with = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{"
        self.assertEqual(self.run_fixture("get").code, 99)

    def test_pages_and_compaction(self):
        """More than one answer holds, compacted between two of them."""
        lines = "".join(python({"key": f"{BASE}/pools/dc1/web/apache2/web{i}", "value": {"pooled": "yes"}}) + "\n"
                        for i in range(10500))
        self.kv("import", self.write("many", lines))
        proxy, compacted = self.through_proxy(), []

        def interfere(got):
            if not compacted:  # the first page is on its way
                self.put("/other", "1")
                revision = json.loads(self.cluster.ctl("put", "-w", "json", "/other", "2"))["header"]["revision"]
                compacted.append(self.cluster.ctl("compact", str(revision)))
            return got

        proxy.change = interfere
        result = self.run_fixture("get", "--tag", "name=web(1|9999|10499)")
        self.assertEqual(len(result.out.splitlines()), 3, result)
        self.assertTrue(compacted)
        self.assertEqual(len(proxy.requests), 5)  # a page, one that is gone, and all three
        self.assertEqual(len(self.kv("list").out.splitlines()), 10501)

    def test_interrupted_while_the_store_does_not_answer(self):
        self.nodes()
        self.cluster.members[0].send_signal(signal.SIGSTOP)
        try:
            process = self.start("fixture.confctl", "get")
            self.wait_for_log("START", "fixture.confctl")
            self.wait_for(lambda: any(name.startswith("spicerack-work") for _, name in self.processes()), "the worker")
            process.send_signal(signal.SIGINT)
            self.assertEqual(self.finish(process).code, 97)
        finally:
            self.cluster.members[0].send_signal(signal.SIGCONT)


@unittest.skipUnless(LONG, "the same rules take as long again")
class Etcd2(Rules, EtcdStore):
    """With requests as conftool's client sends them on the other side."""

    api = 2

    def request(self, method, key, body=None):
        return self.cluster.request(method, "/v2/keys" + key, body)

    def put(self, key, value):
        form = subprocess.run([sys.executable, "-c", "import sys, urllib.parse as p; print(p.urlencode({'value': sys.stdin.read()}), end='')"],
                              input=value, capture_output=True, text=True, check=True).stdout
        import urllib.request  # pylint: disable=import-outside-toplevel
        request = urllib.request.Request(self.cluster.members[0].url + "/v2/keys" + urllib.request.quote(key), data=form.encode(),
                                         method="PUT", headers={"Content-Type": "application/x-www-form-urlencoded"})
        urllib.request.urlopen(request, timeout=10).close()

    def node_of(self, key):
        import urllib.request  # pylint: disable=import-outside-toplevel
        status, answer = self.request("GET", urllib.request.quote(key))
        return answer["node"] if status == 200 else None

    def get(self, key):
        node = self.node_of(key)
        return node and node.get("value")

    def revision(self, key):
        return self.node_of(key)["modifiedIndex"]

    def remove(self, key):
        self.request("DELETE", key)

    def clear(self):
        self.request("DELETE", "/conftool?recursive=true")
        self.request("DELETE", "/a?recursive=true")

    def test_wire_is_that_of_conftool(self):
        """A read of all below the entity, a write by compare-and-swap, and what is left is what json.dumps() writes."""
        self.nodes()
        proxy = self.through_proxy()
        self.assertEqual(self.run_fixture("update", "--tag", "name=web9", "--set", "pooled=text:no").code, 0)
        self.assertEqual(proxy.requests[0], "/v2/keys/conftool/v1/pools?recursive=true&quorum=true")
        self.assertRegex(proxy.requests[-1], r"^/v2/keys/conftool/v1/pools/dc2/web/apache2/web9\?prevExist=true&prevIndex=\d+$")
        self.assertEqual(self.get(f"{BASE}/pools/dc2/web/apache2/web9"), python({"pooled": "no", "weight": 10}))

    def test_a_conflict_changes_what_is_there_then(self):
        self.node("dc1/web/apache2/web1")
        proxy, key = self.through_proxy(), f"{BASE}/pools/dc1/web/apache2/web1"
        proxy.before_put = lambda: self.put(key, python({"pooled": "yes", "weight": 40}))
        self.assertEqual(self.run_fixture("update", "--set", "pooled=text:no").code, 0)
        self.assertEqual(self.value(key), {"pooled": "no", "weight": 40})


class Secured(EtcdStore):
    """TLS with certificates of both sides, and users."""

    api = 3

    @classmethod
    def make_cluster(cls):
        cluster = servers.Cluster(tls=True)
        # With users the gateway of etcd takes no certificate that has a common name.
        cluster.certificates.signed("client", "subjectAltName=DNS:client", subject="/O=client")
        return cluster

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        ctl = cls.cluster.ctl
        ctl("user", "add", "root:rootpw")
        ctl("user", "grant-role", "root", "root")
        ctl("user", "add", "confctl:secret-of-the-test")
        ctl("role", "add", "pools")
        ctl("role", "grant-permission", "pools", "--prefix=true", "readwrite", "/conftool/v1/pools")
        ctl("user", "grant-role", "confctl", "pools")
        ctl("auth", "enable")

    def credentials(self):
        return "username: confctl\npassword: secret-of-the-test\n"

    def clear(self):
        self.cluster.ctl("del", "--prefix", "/", user="root:rootpw")

    def get(self, key):
        return self.cluster.ctl("get", "--print-value-only", key, user="root:rootpw")[:-1]

    def test_it_is_let_in_as_far_as_it_may(self):
        key = f"{BASE}/pools/dc1/web/apache2/web1"
        self.cluster.ctl("put", key, "{}", user="root:rootpw")
        result = self.run_fixture("update", "--set", "pooled=text:yes")
        self.assertEqual(result.code, 0, result)
        self.assertEqual(json.loads(self.get(key))["pooled"], "yes")
        result = self.fails("confctl.store", "permission denied", "get", "--entity", "discovery")
        self.assertNotIn("secret-of-the-test", result.err)
        self.cluster.certificates.signed("named", "subjectAltName=DNS:named")
        self.etcdrc.write_text(self.etcdrc.read_text().replace("client.", "named."))
        self.fails("confctl.store", "refuses: CommonName of client", "get")
        self.etcdrc = self.cluster.config("username: confctl\npassword: another-secret\n")
        self.configure()
        result = self.fails("confctl.store", "authentication failed", "get")
        self.assertNotIn("another-secret", result.err + "\n".join(self.log("fixture.confctl", extended=True)))


if __name__ == "__main__":
    unittest.main()
