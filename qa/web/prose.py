"""Text of documents as people read it: escaped, with the line breaks that mean something, cut to fit.

Pure functions. Text of documents and people is data: between tags it enters HTML through :func:`escape`
alone, into attributes through :func:`attribute` alone.
"""

from __future__ import annotations

import html
import re

from index.sentences import paragraphs
from index.types import Document, Range

# Characters that reorder the text around them: shown by name, so that no quote reads other than it is.
BIDIRECTIONAL = "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
_ESCAPES = (
    {code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\t\n\r"}
    | {ord(mark): f"&#{ord(mark)};" for mark in "&<>\"'"}
    | {0x7F: "\u2421"}
    | {ord(mark): f'<span class="control">U+{ord(mark):04X}</span>' for mark in BIDIRECTIONAL}
)
_WORD = re.compile(r"\S+")
_BREAK = re.compile(r"([ \t]*\n[ \t\n]*)")
# So much of a document on either side tells whether its lines were wrapped; a huge one costs no more.
_AROUND = 4_000


def escape(text: str) -> str:
    """Return text as HTML that shows exactly it, and means nothing else.

    For use between tags only: what names a bidirectional control has tags of its own.
    """
    return text.translate(_ESCAPES)


def plain(text: str) -> str:
    """Return text that reads as it is where no element can stand, as in a label; not escaped."""
    return "".join(f"U+{ord(c):04X}" if c in BIDIRECTIONAL else c for c in text)


def attribute(text: str | int) -> str:
    """Return text as the value of an attribute in double quotes."""
    return html.escape(str(text))


def prose(text: str) -> str:
    """Return text as HTML whose line breaks are seen, those of blank lines with a gap."""
    parts = _BREAK.split(text)
    return "".join(_gap(part) if position % 2 else escape(part) for position, part in enumerate(parts))


def _gap(line_breaks: str) -> str:
    return "<br>" if line_breaks.count("\n") == 1 else '<br><span class="gap"></span>'


def unwrapped(text: str, part: Range, around: Range) -> str:
    """Return ``text[part]`` with spaces for the line breaks within paragraphs; its length stays the same.

    Breaks between paragraphs, list items and rows stay.

    Args:
        text: any text.
        part: what to return.
        around: a wider part, whose lines tell which of them were only wrapped.
    """
    pieces: list[str] = []
    position = part.start
    for paragraph in paragraphs(text, around.start, around.end):
        last = paragraph.end - text.endswith("\n", paragraph.start, paragraph.end)
        start, end = max(paragraph.start, part.start), min(last, part.end)
        if start < end:
            pieces += (text[position:start], text[start:end].replace("\n", " "))
            position = end
    return "".join((*pieces, text[position : part.end]))


def surroundings(document: Document, part: Range) -> Range:
    """Return the stretch around ``part`` that was cut into sentences as one, or most of it where it is long.

    It ends where the section does, and at marked text, as passages do.
    """
    section = document.section_at(part.start) or Range(0, len(document.text))
    before = [mark.end for mark in document.marked if mark.end <= part.start]
    after = [mark.start for mark in document.marked if mark.start >= part.end]
    start = max(section.start, *before[-1:], document.text.rfind("\n", 0, max(part.start - _AROUND, 0)) + 1)
    following = document.text.find("\n", part.end + _AROUND)
    end = min(section.end, *after[:1], len(document.text) if following == -1 else following)
    return Range(start, max(end, part.end))


def excerpt(text: str, answer: Range, most: int) -> Range:
    """Return the part of ``text``, of whole words and at most ``most`` characters, with the answer in it.

    It is longer only where the answer is. Words are added on both sides in turn, as long as they fit.
    """
    words = [Range(*match.span()) for match in _WORD.finditer(text)]
    held = [place for place, word in enumerate(words) if word.overlaps(answer)]
    if not held:
        return answer
    first, last = held[0], held[-1]
    before = None
    while before != (first, last):
        before = (first, last)
        if last + 1 < len(words) and words[last + 1].end - words[first].start <= most:
            last += 1
        if first > 0 and words[last].end - words[first - 1].start <= most:
            first -= 1
    return Range(words[first].start, words[last].end)
