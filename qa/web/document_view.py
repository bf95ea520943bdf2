"""A document to HTML, a stretch at a time: its canonical text, with pages, boilerplate and a quote set off.

Pure functions. Every run of text carries where it begins, so that what a person marks in the page can be
told as code points of the document.
"""

from __future__ import annotations

import bisect
import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

from index.types import Document, Range
from qa.web import strings
from qa.web.prose import BIDIRECTIONAL, attribute, escape

STRETCH = 20_000
"""About how many code points are shown at first, and with each "Show more"."""

_SLACK = 400
_CONTROL = re.compile(f"[{BIDIRECTIONAL}]")


@dataclass(frozen=True, slots=True)
class Focus:
    """The quote to set off in a document, and the answer within it."""

    quote: Range
    answer: Range


def around(document: Document, focus: Focus | None) -> Range:
    """Return the stretch to show first: around the quote, else from the beginning."""
    middle = 0 if focus is None else focus.quote.start
    start = _border(document.text, middle - STRETCH // 2)
    end = max(start + STRETCH, 0 if focus is None else focus.quote.end)
    border = _border(document.text, end)
    return Range(start, border if focus is None else max(border, min(focus.quote.end, len(document.text))))


def before(document: Document, start: int) -> Range:
    """Return the stretch that ends at ``start``."""
    start = min(max(start, 0), len(document.text))
    return Range(_border(document.text, start - STRETCH), start)


def after(document: Document, end: int) -> Range:
    """Return the stretch that begins at ``end``."""
    end = min(max(end, 0), len(document.text))
    return Range(end, _border(document.text, end + STRETCH))


def _border(text: str, at: int) -> int:
    """Return a place near ``at`` where a line begins, or a word, so that stretches are cut there."""
    if at <= 0 or at >= len(text):
        return min(max(at, 0), len(text))
    for sign in "\n ":
        found = text.rfind(sign, max(0, at - _SLACK), at)
        if found != -1:
            return found + 1
    return at


def stretch(document: Document, part: Range, focus: Focus | None = None) -> str:
    """Return the HTML of ``document.text[part]``."""
    runs = "".join(_runs(document, part, focus))
    return f'<div class="stretch" data-start="{part.start}" data-end="{part.end}" dir="auto">{runs}</div>'


def _runs(document: Document, part: Range, focus: Focus | None) -> Iterator[str]:
    pages = {page.start: number for number, page in enumerate(document.pages, 1)}
    marks = [mark for mark in document.marked if mark.overlaps(part)]
    ranges = [*marks, *([] if focus is None else [focus.quote, focus.answer])]
    cuts = {part.start, part.end, *(page for page in pages if part.start <= page < part.end)}
    cuts |= {cut for one in ranges for cut in (one.start, one.end) if part.start < cut < part.end}
    places = sorted(cuts)
    for start, end in itertools.pairwise(places):
        if start in pages:
            yield f'<span class="page-mark">{strings.PAGE_MARK.format(pages[start])}</span>'
        yield from _run(document.text, Range(start, end), _kind(Range(start, end), marks, focus))


def _kind(run: Range, marks: list[Range], focus: Focus | None) -> str:
    if focus is not None and run.overlaps(focus.quote):
        return "quoted answer" if run.overlaps(focus.answer) else "quoted"
    at = bisect.bisect_right(marks, run.start, key=lambda mark: mark.start) - 1
    return "marked" if at >= 0 and run.overlaps(marks[at]) else ""


def _run(text: str, run: Range, kind: str) -> Iterator[str]:
    """Yield elements of one text node each, so that places within them can be counted."""
    tag = "mark" if kind.startswith("quoted") else "span"
    position = run.start
    for match in _CONTROL.finditer(text, run.start, run.end):
        yield _element(tag, kind, position, text[position : match.start()])
        # Its name is longer than it is: it counts as a whole.
        yield f'<span data-start="{match.start()}" data-whole>{escape(match.group())}</span>'
        position = match.end()
    yield _element(tag, kind, position, text[position : run.end])


def _element(tag: str, kind: str, start: int, text: str) -> str:
    if not text:
        return ""
    of_kind = f' class="{attribute(kind)}"' if kind else ""
    return f'<{tag}{of_kind} data-start="{start}">{escape(text)}</{tag}>'
