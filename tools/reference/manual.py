# SPDX-License-Identifier: Apache-2.0
"""The reference as man pages: one for each header, by which each of its functions and macros is found, too."""

import re

from headers import Section

# Each in a line of its own, as mdoc(7) has it.
SENTENCE = re.compile(r"(?<=[.!?]) (?=\S)|(?<=[.!?][)\]\"']) (?=\S)")


class Manual:
    def __init__(self, reference, date):
        self.reference, self.date = reference, date

    def pages(self):
        """Yields (file name, text). `man spk_format` shows the page of text.h."""
        for header in self.reference.headers:
            yield f"{title(header)}.3", self.page(header)
            for declaration in header.declarations:
                if declaration.kind in ("function", "macro"):
                    yield f"{declaration.name}.3", f".so man3/{title(header)}.3\n"

    def page(self, header):
        names = [declaration.name for declaration in header.declarations
                 if declaration.kind in ("function", "macro")]
        lines = [f".Dd {self.date}", f".Dt {title(header).upper()} 3", ".Os spicerack", ".Sh NAME"]
        lines += [f".Nm {name} ," for name in [title(header), *names][:-1]]
        lines += [f".Nm {[title(header), *names][-1]}", f".Nd {text_of(first_lower(header.summary))}",
                  ".Sh SYNOPSIS", f".In spicerack/{header.name}",
                  ".Sh DESCRIPTION", *self.blocks(header.intro, first=True)]
        for entry in header.entries:
            if isinstance(entry, Section):
                lines.append(f".Sh {entry.title.upper()}")
            elif entry.declarations:
                lines += self.entry(entry)
            else:
                lines += self.blocks(entry, first=False)
        lines += self.errors(header) + self.see_also(header)
        # A paragraph at the start or the end of a section is one too many.
        text = "\n".join(lines) + "\n"
        return re.sub(r"^(\.S[hs] .*\n)\.Pp\n", r"\1", text, flags=re.M)

    def entry(self, entry):
        titles = [declaration.title for declaration in entry.declarations]
        facts = []
        if entry.since:
            facts.append(f"Since {entry.since}.")
        if entry.source:
            facts.append(f"Python: {entry.source}.")
        return [f".Ss {text_of(', '.join(titles[:3]) + (' ...' if len(titles) > 3 else ''))}",
                ".Bd -literal", *literal(entry.code), ".Ed", *self.blocks(entry, first=False),
                *([".Pp", *[text_of(fact) for fact in facts]] if facts else [])]

    def blocks(self, entry, first):
        lines = []
        for number, (verbatim, text) in enumerate(entry.blocks):
            if verbatim:
                lines += [".Bd -literal -offset indent", *literal(text), ".Ed"]
            else:
                lines += ([] if first and number == 0 else [".Pp"]) + [
                    text_of(sentence) for sentence in SENTENCE.split(text)]
        return lines

    def errors(self, header):
        table = {}
        for entry in header.entries:
            if not isinstance(entry, Section) and entry.declarations:
                for kind in self.reference.kinds(entry):
                    table.setdefault(kind, []).append(entry.declarations[0].title)
        if not table:
            return []
        lines = [".Sh ERRORS", ".Bl -tag -width Ds"]
        for kind in sorted(table):
            lines += [f".It Er {kind}", text_of(", ".join(table[kind]))]
        return lines + [".El"]

    def see_also(self, header):
        named = set(re.findall(r"\b([a-z]+\.h)\b", header.path.read_text()))
        others = sorted(title(other) for other in self.reference.headers if other.name in named | {"cookbook.h"}
                        and other is not header)
        pages = [("cookbook", 1), *((other, 3) for other in others)]
        return [".Sh SEE ALSO", *[f".Xr {name} {section}{' ,' if (name, section) != pages[-1] else ''}"
                                  for name, section in pages]]


def title(header):
    return f"spicerack-{header.stem}"


def first_lower(text):
    return text[:1].lower() + text[1:] if text[1:2].islower() else text


def text_of(text):
    """A line of running text: names of code in bold."""
    text = re.sub(r"`([^`]*)`", lambda found: f"\\(oq{escaped(found[1])}\\(cq", escaped(text, ticks=False))
    text = re.sub(r"\b((?:spk|SPK)_\w+)\(\)", r"\\fB\1\\fR()", text)
    return re.sub(r"^([.'])", r"\\&\1", text)


def escaped(text, ticks=True):
    return text if ticks else text.replace("\\", "\\e").replace("-", "\\-")


def literal(text):
    return [re.sub(r"^([.'])", r"\\&\1", line.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq"))
            for line in text.expandtabs(8).split("\n")]
