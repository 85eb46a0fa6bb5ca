# SPDX-License-Identifier: Apache-2.0
"""Public headers as a reference needs them: what is declared, and the comment that is its contract.

A comment right above a declaration is the declaration's. What stands below without one of its own
belongs to the same entry, as in "the same for ..." or with macros that go with a structure. Names
that end in `_` are nobody's but the headers'. Lines indented by four and more are kept as they are;
others are text, in paragraphs, with names of functions and kinds of errors in it.
"""

import re
import textwrap

COMMENT = re.compile(r"/\*.*?\*/", re.S)
ATTRIBUTE = re.compile(r"__attribute__\(\((?:[^()]|\([^()]*\))*\)\)|SPK_PRINTF\([^()]*\)|\bSPK_API\b")
SINCE = re.compile(r"\s*\bSince (\d+\.\d+)\.(?:\s+Source:\s+(.*?)\.?)?$")
KIND_ROW = re.compile(r"^\s{4,}([a-z]+(?:\.[a-z*]+)?)\s{2,}")
WIDTH = 84


class HeaderError(Exception):
    """A header that no reference can be made of; the text names file and line."""


class Declaration:
    """
    Something with a name: `kind` is function, macro, type or handle; `code` is how it is shown. `tag`
    is struct, enum or union where C calls it so: a function may have the same name.
    """

    def __init__(self, kind, name, code, tag=None):
        self.kind, self.name, self.code, self.tag = kind, name, code, tag

    @property
    def key(self):
        return f"{self.tag}-{self.name}" if self.tag else self.name

    @property
    def title(self):
        if self.kind == "function" or f"define {self.name}(" in self.code:
            return f"{self.name}()"
        return f"{self.tag} {self.name}" if self.tag else self.name


class Entry:
    """Declarations that share a comment. `blocks` are (verbatim?, text); no declarations: only prose."""

    def __init__(self, line, blocks):
        self.line, self.declarations = line, []
        self.since = self.source = None
        self.blocks = []
        for verbatim, text in blocks:
            found = None if verbatim else SINCE.search(text)
            if found:
                self.since, self.source = found[1], found[2]
                text = text[:found.start()]
            if text:
                self.blocks.append((verbatim, text))

    def settle(self):
        """A contract that is an example only: `SPK_LOCK(.concurrency = 5)`."""
        example = rf"\.?(?:\w+ = )?{self.declarations[0].name}\(.*\)"
        if len(self.blocks) == 1 and re.fullmatch(example, self.blocks[0][1]):
            self.blocks = [(True, self.blocks[0][1])]

    @property
    def text(self):
        return "\n".join(text for verbatim, text in self.blocks if not verbatim)

    @property
    def code(self):
        parts = [declaration.code for declaration in self.declarations]
        separator = "\n\n" if any("\n" in part for part in parts) else "\n"
        return separator.join(parts)


class Section:
    """A title between entries: `/* ---- the world ---- */`."""

    def __init__(self, title):
        self.title = title


class Header:
    def __init__(self, path):
        self.path, self.name, self.stem = path, path.name, path.stem
        self.intro, self.entries, self.sections = Entry(1, []), [], []
        Reader(self, path.read_text()).read()

    @property
    def summary(self):
        """The first sentence, for lists; the part before a colon is enough."""
        first = self.intro.blocks[0][1] if self.intro.blocks else ""
        return re.split(r"(?<=[\w)])[.:;](?:\s|$)", first, maxsplit=1)[0]

    @property
    def declarations(self):
        return [declaration for entry in self.entries if isinstance(entry, Entry)
                for declaration in entry.declarations]


def blocks_of(comment):
    """A comment as (verbatim?, text): paragraphs in one line each, indented lines as they are."""
    body = re.sub(r"^/\*|\*/$", "", comment.strip())
    lines = [re.sub(r"^\s*\* ?", "", line).rstrip() if number else line.strip()
             for number, line in enumerate(body.split("\n"))]
    blocks, current, verbatim = [], [], False

    def close():
        while current and not current[-1]:
            current.pop()
        if current:
            text = textwrap.dedent("\n".join(current).expandtabs(8)) if verbatim else " ".join(current)
            blocks.append((verbatim, text))
        current.clear()

    for line in lines:
        indented = line.startswith(("    ", "\t"))
        if line and indented != verbatim:
            close()
            verbatim = indented
        if line or verbatim:
            current.append(line)
        else:
            close()
    close()
    return blocks


def wrapped(signature):
    """A prototype within the width, broken between parameters where it is too long."""
    if len(signature) <= WIDTH:
        return signature
    head, rest = signature.split("(", 1)
    indent = " " * (8 if len(head) > WIDTH // 2 else len(head) + 1)
    # What belongs to one parameter stays in one line.
    words = ", ".join(part.replace(" ", "\0") for part in rest.split(", "))
    text = textwrap.fill(words, WIDTH, initial_indent=indent, subsequent_indent=indent,
                         break_on_hyphens=False, break_long_words=False).replace("\0", " ")
    return f"{head}(\n{text}" if len(indent) == 8 else f"{head}({text.lstrip()}"


class Reader:
    """Goes through the text of a header, from the top, item by item."""

    def __init__(self, header, text):
        self.header, self.text, self.position = header, text, 0

    @property
    def line(self):
        return self.text.count("\n", 0, self.position) + 1

    def fail(self, message):
        raise HeaderError(f"{self.header.path}:{self.line}: {message}")

    def take(self, pattern):
        found = re.compile(pattern, re.S).match(self.text, self.position)
        if found:
            self.position = found.end()
        return found

    def read(self):
        comment, seen = None, False
        while self.position < len(self.text):
            if found := self.take(r"\n+"):
                if comment and len(found[0]) > 1:
                    self.prose(comment, seen)
                    comment, seen = None, True
            elif self.take(r"#ifdef __cplusplus\n.*?#endif[^\n]*"):
                pass
            elif found := self.take(r"/\*.*?\*/[^\n]*"):
                if "SPDX-License-Identifier" in found[0]:
                    continue
                # One that another comment follows is about all below.
                if comment:
                    self.prose(comment, seen)
                    seen = True
                comment = (self.line, found[0])
            elif found := self.take(r"#(?:[^\n]*\\\n)*[^\n]*"):
                if not seen and comment:
                    self.prose(comment, seen)
                    comment, seen = None, True
                self.add(comment, self.macro(found[0]))
                comment = None
            else:
                self.add(comment, self.declaration())
                comment = None

    def prose(self, comment, seen):
        """A comment above nothing: the introduction, a title or text in between."""
        line, text = comment
        title = re.fullmatch(r"/\* -+ (.*?) -+ \*/", text)
        if title:
            self.header.entries.append(Section(title[1]))
        elif seen:
            self.header.entries.append(Entry(line, blocks_of(text)))
        else:
            self.header.intro = Entry(line, blocks_of(text))

    def add(self, comment, declaration):
        if not declaration or declaration.name.endswith("_"):
            return
        entries = self.header.entries
        if comment:
            entries.append(Entry(comment[0], blocks_of(comment[1])))
        elif declaration.kind == "handle":
            return
        elif not entries or isinstance(entries[-1], Section) or declaration.tag == "enum":
            if declaration.kind == "function":
                self.fail(f"{declaration.name}() has no contract")
            entries.append(Entry(self.line, []))
        entries[-1].declarations.append(declaration)
        entries[-1].settle()
        if declaration.kind == "function" and not entries[-1].since:
            self.fail(f"the contract of {declaration.name}() does not say since when it is there")

    def macro(self, text):
        found = re.match(r"#\s*define (\w+)(\([^)]*\))?(.*)", text, re.S)
        if not found or found[1].endswith("_H"):
            return None
        name, parameters, value = found[1], found[2], found[3]
        if parameters:
            return Declaration("macro", name, f"#define {name}{re.sub(r'(?<=[a-z])_(?=[,)])', '', parameters)}")
        return Declaration("macro", name, text if "\n" not in text else f"#define {name}")

    def declaration(self):
        """Up to the semicolon that is in no braces and no comment, or to the end of a function."""
        start, depth = self.position, 0
        for found in re.finditer(r"/\*.*?\*/|[{};]", self.text[start:], re.S):
            depth += {"{": 1, "}": -1}.get(found[0], 0)
            # The body of a function is the end of it.
            if depth == 0 and found[0] == ("}" if self.text.startswith("static inline", start) else ";"):
                break
        else:
            self.fail("this declaration has no end")
        text = self.text[start:start + found.end()]
        self.position = start + found.end()
        # What is behind it in the line is about it.
        if trailing := self.take(r"[ \t]*/\*.*?\*/"):
            text += trailing[0]
        return self.judged(text)

    def judged(self, text):
        bare = COMMENT.sub("", text)
        if bare.startswith("static inline"):
            bare = bare[:bare.index("{")].strip() + ";"
        if handle := re.fullmatch(r"struct (\w+);", bare.strip()):
            return Declaration("handle", handle[1], text.strip(), "struct")
        if "{" in bare or bare.startswith("typedef"):
            if found := re.match(r"(struct|enum|union) (\w+)", bare):
                return Declaration("type", found[2], text.strip(), found[1])
            found = re.search(r"\}\s*(\w+);\s*$", bare) or re.search(r"\b(\w+)\(", bare)
            return Declaration("type", found[1], text.strip())
        signature = " ".join(ATTRIBUTE.sub("", bare).split()).replace(" ;", ";").replace("( ", "(")
        found = re.search(r"\b(\w+)\(", signature)
        if not found:
            self.fail(f"'{signature}' is nothing that the reference knows")
        return Declaration("function", found[1], wrapped(signature))


class Reference:
    """All headers, and what is known across them."""

    def __init__(self, paths):
        self.headers = [Header(path) for path in sorted(paths, key=lambda path: path.name)]
        self.names = {}
        for header in self.headers:
            for declaration in header.declarations:
                self.names[declaration.key] = (declaration, header)
        self.files = {header.name: header for header in self.headers}
        self.families = self.read_families()

    def read_families(self):
        """The kinds of errors, from the table that error.h begins with."""
        families = set()
        for verbatim, text in self.files["error.h"].intro.blocks if "error.h" in self.files else ():
            for line in text.split("\n") if verbatim else ():
                if row := KIND_ROW.match(f"    {line}"):
                    families.add(row[1].split(".")[0])
        return families - {"kind"}

    def find(self, name, tag=None):
        """(declaration, header) of a name in a text, which a tag may stand before; None: nobody's."""
        keys = [f"{tag}-{name}"] if tag else [name, *(f"{tag}-{name}" for tag in ("struct", "enum", "union"))]
        return next((self.names[key] for key in keys if key in self.names), None)

    def kinds(self, entry):
        """The kinds of errors that an entry speaks of, in its order."""
        found = []
        rows = [row[1] for verbatim, text in entry.blocks if verbatim for line in text.split("\n")
                if (row := KIND_ROW.match(f"    {line}"))]
        for kind in rows + ["".join(token) for token in re.findall(r"`([^`]+)`|\b(misuse)\b", entry.text)]:
            family = kind.split(".")[0]
            if not re.fullmatch(r"[a-z]+(?:\.[a-z*]+)*", kind) or family not in self.families:
                continue
            # A word without a dot may be the name of a parameter.
            if "." not in kind and kind != "misuse" and not re.search(rf"[Rr]aises[^.]*`{kind}`", entry.text):
                continue
            if kind not in found:
                found.append(kind)
        return found

    def raised(self):
        """kind: the declarations of whose contracts it is a part, and headers that begin with it."""
        table = {}
        for header in self.headers:
            intro = [header.intro] if header.name != "error.h" else []
            for entry in intro + [entry for entry in header.entries if isinstance(entry, Entry)]:
                for kind in self.kinds(entry):
                    place = entry.declarations[0] if entry.declarations else header
                    if place not in table.setdefault(kind, []):
                        table[kind].append(place)
        return table
