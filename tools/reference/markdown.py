# SPDX-License-Identifier: Apache-2.0
"""The reference as Markdown: a page for each header, one for the kinds of errors, a table of contents."""

import re

from headers import Header, Section

TOKEN = re.compile(r"(`[^`]*`)|\b(?:(struct|enum|union) )?((?:spk|SPK)_\w+)(?:\(\))?|\b([a-z]+\.h)\b|([*<\[\]|\\])")


class Markdown:
    def __init__(self, reference):
        self.reference = reference

    def pages(self):
        """Yields (file name, text)."""
        yield "README.md", self.contents()
        yield "errors.md", self.errors()
        for header in self.reference.headers:
            yield f"{header.stem}.md", self.page(header)

    def link(self, declaration, header, shown=None):
        """To a declaration, from the page of `header` (None: of none)."""
        home = self.reference.names[declaration.key][1]
        return f"[`{shown or declaration.title}`]({'' if home is header else f'{home.stem}.md'}#{declaration.key})"

    def inline(self, text, header):
        def replace(found):
            code, tag, name, file, special = found.groups()
            if code:
                return code
            if name:
                known = self.reference.find(name, tag)
                return self.link(known[0], header, found[0]) if known else found[0]
            if file:
                known = self.reference.files.get(file)
                return f"[{file}]({known.stem}.md)" if known and known is not header else file
            return f"\\{special}"

        return TOKEN.sub(replace, text)

    def blocks(self, entry, header):
        for verbatim, text in entry.blocks:
            # Most are C; a table of words is none.
            language = "c" if re.search(r"[;{(#]", text.split("\n", 1)[0]) else "text"
            yield f"```{language}\n{text}\n```" if verbatim else self.inline(text, header)

    def entry(self, entry, header):
        if not entry.declarations:
            return "\n\n".join(self.blocks(entry, header))
        anchors = "".join(f'<a id="{declaration.key}"></a>' for declaration in entry.declarations)
        titles = [declaration.title for declaration in entry.declarations]
        shown = ", ".join(titles[:3]) + (" ..." if len(titles) > 3 else "")
        parts = [anchors, f"### {shown}", f"```c\n{entry.code}\n```", *self.blocks(entry, header)]
        facts = []
        if entry.since:
            facts.append(f"Since {entry.since}.")
        if entry.source:
            facts.append(f"Python: `{entry.source}`.")
        if kinds := self.reference.kinds(entry):
            facts.append("Errors: " + ", ".join(f"[`{kind}`](errors.md#{anchor(kind)})" for kind in kinds) + ".")
        if facts:
            parts.append(" ".join(facts))
        return "\n\n".join(parts)

    def page(self, header):
        parts = [f"# {header.name}", f"```c\n#include <spicerack/{header.name}>\n```",
                 *self.blocks(header.intro, header)]
        names = [self.link(declaration, header) for declaration in header.declarations]
        if names:
            parts.append("Here: " + ", ".join(names) + ".")
        for entry in header.entries:
            parts.append(f"## {entry.title.capitalize()}" if isinstance(entry, Section)
                         else self.entry(entry, header))
        parts.append("[All headers](README.md) · [kinds of errors](errors.md)")
        return "\n\n".join(parts) + "\n"

    def contents(self):
        parts = ["# Reference", "Made of the comments in the headers, which are the contract.",
                 "| header | what for |\n| --- | --- |\n" + "\n".join(
                     f"| [{header.name}]({header.stem}.md) | {self.inline(header.summary, None)} |"
                     for header in self.reference.headers),
                 "What fails raises an error, of one of [these kinds](errors.md).", "## All names"]
        for header in self.reference.headers:
            if header.declarations:
                ordered = sorted(header.declarations, key=lambda declaration: (declaration.name, declaration.key))
                parts.append(f"**{header.name}**: " + ", ".join(self.link(known, None) for known in ordered))
        return "\n\n".join(parts) + "\n"

    def errors(self):
        parts = ["# Kinds of errors", "What an error is, and what is done about one: [error.h](error.md). Each kind "
                 "with the calls whose contracts speak of it, and the headers that say what it means."]
        raised = self.reference.raised()
        for kind in sorted(raised):
            places = ", ".join(f"[{place.name}]({place.stem}.md)" if isinstance(place, Header)
                               else self.link(place, None) for place in raised[kind])
            parts.append(f'<a id="{anchor(kind)}"></a>**`{kind}`**: {places}')
        return "\n\n".join(parts) + "\n"


def anchor(kind):
    return "kind-" + kind.replace(".", "-").replace("*", "any")
