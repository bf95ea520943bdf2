"""Markdown -> Document. The text stays raw; headings become sections, and markup lines are marked.

Reads block structure only, line by line: front matter, fenced code, comments, ATX and one-line setext
headings, rules and table separators.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from index.load.decode import decode_file
from index.load.parts import MAX_TITLE, Heading, sections_from, stated_date, tidy
from index.types import Document, Range, document_id

_INDENT = 3
"""A line indented deeper is code, or belongs to a list; it opens nothing."""

_LINK = re.compile(r"!?\[([^\[\]]*)\]\([^()\s]*(?:\s[^()]*)?\)")
_CODE = re.compile(r"(`+)(?:(?!\1).)+\1")
_EMPHASIS = re.compile(r"(\*{1,3}|_{2,3}|`+|~~)(?=\S)(.+?)(?<=\S)\1")
_ATX = re.compile(r" {0,3}(#{1,6})(?=[ \t]|$)")
_FRONT_KEY = re.compile(r"(title|date)[ \t]*:[ \t]*(.*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _FrontMatter:
    end: int = 0
    title: str = ""
    date: str | None = None


@dataclass(slots=True)
class _Structure:
    headings: list[Heading] = field(default_factory=list)
    marked: list[Range] = field(default_factory=list)


def parse(path: Path, data: bytes) -> Document:
    """Return the raw text with sections by heading; markup that says nothing is in ``marked``.

    Raises:
        DamagedFile: the bytes are no text.
    """
    decoded = decode_file(path, data)
    text = decoded.text
    front = _front_matter(text)
    structure = _Scan(text).run(front.end)
    if front.end:
        structure.marked.append(Range(0, front.end))
    first = next((h.title for h in structure.headings), "")
    title = front.title or first or path.stem
    source = str(path)
    return Document(
        document_id(source),
        source,
        title,
        text,
        sections_from(structure.headings, text, title, front.date, front.end),
        marked=tidy(structure.marked, text),
        warnings=decoded.warnings,
    )


def plain(heading: str) -> str:
    """Return a heading as people read it: links by their text, without emphasis, on one line."""
    heading = re.sub(r"<!--.*?-->", "", heading)
    heading = _EMPHASIS.sub(r"\2", _LINK.sub(r"\1", heading))
    return " ".join(heading.split())


def _front_matter(text: str) -> _FrontMatter:
    """Read the title and the date of a YAML block at the very top; no block, no end."""
    if not text.startswith("---\n"):
        return _FrontMatter()
    closing = re.search(r"^(?:---|\.\.\.)[ \t]*$", text[4:], re.MULTILINE)
    block = text[4 : 4 + closing.start()] if closing else ""
    if closing is None or not re.search(r"^[\w-]+[ \t]*:", block, re.MULTILINE):
        return _FrontMatter()  # a rule, not front matter
    values = {}
    for line in block.split("\n"):
        if match := _FRONT_KEY.match(line):
            values[match[1].lower()] = _unquoted(match[2])
    title = " ".join(values.get("title", "").split())
    return _FrontMatter(4 + closing.end(), title[:MAX_TITLE], stated_date(values.get("date", "")))


def _unquoted(value: str) -> str:
    value = value.strip()
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    return "" if value[:1] in {"|", ">", "[", "{", "&", "*"} else value.split(" #")[0].rstrip()


class _Scan:
    """One pass over the lines. ``_paragraph`` counts the lines of the paragraph that is open."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._fence = ""
        self._paragraph = 0
        self._previous = Range(0, 0)
        self._comment_end = 0
        self._comments_close = True
        self._found = _Structure()

    def run(self, start: int) -> _Structure:
        """Return what stands from ``start``, the beginning of a line or the end of one, to the end."""
        while start <= len(self._text):
            end = self._text.find("\n", start)
            line = Range(start, len(self._text) if end < 0 else end)
            self._line(line)
            self._previous = line
            start = line.end + 1
        return self._found

    def _line(self, line: Range) -> None:
        text = self._text[line.start : line.end]
        bare = text.strip(" \t")
        indent = len(text) - len(text.lstrip(" \t"))
        if self._fence:
            self._inside_fence(line, bare, indent)
            return
        starts_in_comment = line.start < self._comment_end
        if not starts_in_comment and indent <= _INDENT and self._opens_fence(bare):
            self._mark(line)
            self._paragraph = 0
            return
        self._comments(line, text)
        if starts_in_comment or not bare or (indent > _INDENT and not self._paragraph):
            self._paragraph = 0
        elif indent > _INDENT or not (self._rule(line, bare) or self._atx(line, text)):
            self._paragraph = 0 if bare[0] in ">-*+|" else self._paragraph + 1
        else:
            self._paragraph = 0

    def _inside_fence(self, line: Range, bare: str, indent: int) -> None:
        closes = indent <= _INDENT and len(bare) >= len(self._fence) and not bare.strip(self._fence[0])
        if closes:
            self._mark(line)
            self._fence = ""

    def _opens_fence(self, bare: str) -> bool:
        if not bare.startswith(("```", "~~~")):
            return False
        run = len(bare) - len(bare.lstrip(bare[0]))
        if bare[0] == "`" and "`" in bare[run:]:
            return False  # code within a line
        self._fence = bare[:run]
        return True

    def _comments(self, line: Range, text: str) -> None:
        at = text.find("<!--", max(0, self._comment_end - line.start))
        while at >= 0 and self._comments_close:
            if text.count("`", 0, at) % 2 == 0:
                end = self._text.find("-->", line.start + at + 4)
                if end < 0:  # never closed, so no other one is either: do not search again
                    self._comments_close = False
                    return
                self._comment_end = end + 3
                self._mark(Range(line.start + at, self._comment_end))
            at = text.find("<!--", max(at + 4, self._comment_end - line.start))

    def _rule(self, line: Range, bare: str) -> bool:
        """Take a setext underline, a horizontal rule or a table's separator row."""
        if bare[0] not in "=-*_|:":
            return False
        chars = set(bare)
        if self._paragraph and len(chars) == 1 and bare[0] in "=-":
            if self._paragraph == 1:
                self._heading(self._previous.start, self._previous)
            self._mark(line)
            return True
        dashes = chars - {" ", "\t"}
        rule = len(dashes) == 1 and bare[0] in "-*_" and bare.count(bare[0]) >= 3
        separator = chars <= set("|:- \t") and "|" in chars and "-" in chars
        if rule or separator:
            self._mark(line)
        return rule or separator

    def _atx(self, line: Range, text: str) -> bool:
        opening = _ATX.match(text)
        if opening is None:
            return False
        self._mark(Range(line.start + opening.start(1), line.start + opening.end(1)))
        body = text.rstrip(" \t")
        without = body.rstrip("#")
        if without != body and without[-1:] in {" ", "\t"} and len(without) > opening.end():
            self._mark(Range(line.start + len(without), line.start + len(body)))
            body = without
        self._heading(line.start, Range(line.start + opening.end(), line.start + len(body)))
        return True

    def _heading(self, start: int, at: Range) -> None:
        inside = self._text[at.start : at.end]
        text = inside.strip(" \t")
        if len(text) > MAX_TITLE:
            return
        begin = at.start + len(inside) - len(inside.lstrip(" \t"))
        if title := plain(text):
            self._found.headings.append(Heading(start, title, Range(begin, begin + len(text))))

    def _mark(self, item: Range) -> None:
        self._found.marked.append(item)
