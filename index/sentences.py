"""Sentence boundaries. Shared by chunking, the sentence reader and citing; knows nothing of documents.

Sentences come from `sentencex <https://github.com/wikimedia/sentencex>`_, which knows abbreviations,
initials, dates and quotations; this module decides where one stretch of running text ends and the next
begins (blank lines, list items, headings, table rows), and joins lines that were only wrapped.
"""

from __future__ import annotations

import math
import re
from itertools import pairwise
from typing import TYPE_CHECKING

import sentencex

from index.types import Range

if TYPE_CHECKING:
    from collections.abc import Iterator

# Beyond this many characters without a line break the segmenter is given pieces, so that a huge line
# costs time in proportion to its length.
_LONGEST_BLOCK = 20_000
_LINE = re.compile(r"[^\n]*\n?")
_LIST_ITEM = re.compile(r"\s{0,8}(?:[-*+•‣◦\u2013—]|\(?\d{1,3}[.)]|\(?[a-zA-Z][.)])\s")
# Rows of tables, as Markdown writes them and as the loaders do ("Line: Gull Rock; Minutes: 45").
_OWN_LINE = re.compile(r"\s*(?:[|#>]|```|[^:;\n]{1,40}: [^:;\n]{1,200}; [^:;\n]{1,40}: )")
# A column at which people and programs wrap text; longer lines are paragraphs, shorter ones verse or lists.
_WRAP_COLUMNS = range(40, 161)


def sentences(text: str, start: int = 0, end: int | None = None) -> list[Range]:
    """Return the sentences of ``text[start:end]`` in order, without surrounding white space.

    Every character that is not white space lies in exactly one of them. Offsets count from the start of
    ``text``.
    """
    end = len(text) if end is None else end
    return [sentence for block in paragraphs(text, start, end) for sentence in _split(text, block)]


def paragraphs(text: str, start: int = 0, end: int | None = None) -> Iterator[Range]:
    """Yield stretches of running text: paragraphs, headings, list items, table rows, lines of verse."""
    end = len(text) if end is None else end
    group: list[Range] = []
    for match in _LINE.finditer(text, start, end):
        if match.group().strip():
            group.append(Range(*match.span()))
        elif group:
            yield from _join_wrapped(text, group)
            group = []
    if group:
        yield from _join_wrapped(text, group)


def _join_wrapped(text: str, lines: list[Range]) -> Iterator[Range]:
    """Yield the lines of one block, those that continue one another as one range."""
    full = _full_line(lines)
    start = lines[0].start
    for line, following in pairwise(lines):
        if not _continues(text[line.start : line.end], text[following.start : following.end], full):
            yield Range(start, line.end)
            start = following.start
    yield Range(start, lines[-1].end)


def _full_line(lines: list[Range]) -> float:
    """Return the length from which a line counts as wrapped rather than ended.

    It is infinite in a block of lines that were never wrapped.
    """
    lengths = [line.end - line.start for line in lines]
    full = 0.6 * max(lengths)
    reaching = sum(length >= full for length in lengths[:-1])
    wrapped = max(lengths) in _WRAP_COLUMNS and reaching >= 0.75 * (len(lengths) - 1)
    return full if wrapped else math.inf


def _continues(line: str, following: str, full: float) -> bool:
    """Whether ``following`` goes on with the paragraph of ``line``."""
    if _LIST_ITEM.match(following) or _OWN_LINE.match(following) or _OWN_LINE.match(line):
        return False
    return following.lstrip()[:1].islower() or len(line) >= full


def _split(text: str, block: Range) -> Iterator[Range]:
    for piece in _pieces(text, block):
        # Newlines inside a wrapped paragraph would count as paragraph ends; one space has the same length.
        flat = text[piece.start : piece.end].replace("\n", " ")
        if item := _LIST_ITEM.match(flat):  # the full stop of "1." ends no sentence
            flat = flat[: item.end()].replace(".", ",") + flat[item.end() :]
        for boundary in sentencex.get_sentence_boundaries("en", flat):
            sentence = _trim(text, piece.start + boundary["start_index"], piece.start + boundary["end_index"])
            if sentence.start < sentence.end:
                yield sentence


def _pieces(text: str, block: Range) -> Iterator[Range]:
    start = block.start
    while block.end - start > _LONGEST_BLOCK:
        space = text.rfind(" ", start + _LONGEST_BLOCK // 2, start + _LONGEST_BLOCK)
        cut = space + 1 if space != -1 else start + _LONGEST_BLOCK
        yield Range(start, cut)
        start = cut
    yield Range(start, block.end)


def _trim(text: str, start: int, end: int) -> Range:
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return Range(start, end)
