"""What every loader needs to describe a text: sections from headings, tidy ranges, titles, dates."""

from __future__ import annotations

import re
import struct
import zipfile
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from index.dates import find_date
from index.types import Range, Section

MAX_TITLE = 500
"""A longer heading is a paragraph that somebody set in a heading's style."""

PARSER_FAULTS = (
    ArithmeticError,
    AssertionError,
    AttributeError,
    EOFError,
    LookupError,
    MemoryError,
    OSError,
    RuntimeError,
    StopIteration,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
"""What parsers have been seen to raise on hostile files, apart from errors of their own."""

_NO_TITLE = re.compile(
    r"\W*|untitled.*|microsoft \w+ - .*|word document|document ?\d*|"
    r".*\.(?:docx?|odt|rtf|pdf|txt|md|tex|dvi|e?ps|pptx?|xlsx?|indd|qxd|html?|pages|wpd)",
    re.IGNORECASE,
)
_AMBIGUOUS = re.compile(r"\s*\d{1,2}[-/.]\d{1,2}[-/.]\d{4}")


@dataclass(frozen=True, slots=True)
class Heading:
    """A place where a section starts; ``title_at`` is where the text shows its title."""

    start: int
    title: str
    title_at: Range | None = None
    date: str | None = None
    date_at: Range | None = None


def sections_from(
    headings: Sequence[Heading], text: str, title: str, date: str | None = None, body: int = 0
) -> tuple[Section, ...]:
    """Turn headings into sections that cover the text from ``body`` on.

    Text before the first heading becomes a section of its own, unless blank. Of headings that start at
    one offset the last, most particular, counts. A text with a date but no headings is one section.

    Args:
        headings: in any order.
        text: the whole canonical text.
        title: the document's, for what stands before the first heading.
        date: the document's, for sections without one of their own.
        body: where the text proper starts.
    """
    ordered = list({h.start: h for h in sorted(headings, key=lambda h: h.start)}.values())
    first = ordered[0].start if ordered else len(text)
    if (ordered or date) and text[body:first].strip():
        ordered.insert(0, Heading(body, title))
    if not ordered:
        return ()
    ends = [h.start for h in ordered[1:]] + [len(text)]
    return tuple(
        Section(h.start, end, h.title, h.date or date, h.title_at, h.date_at)
        for h, end in zip(ordered, ends, strict=True)
    )


def tidy(ranges: Iterable[Range], text: str) -> tuple[Range, ...]:
    """Sort and merge ranges, cut surrounding whitespace from each, and drop those left empty.

    Returns no ranges at all if nothing but they would hold a letter or a digit: what is all boilerplate
    is not boilerplate.
    """
    merged: list[Range] = []
    for item in sorted((trimmed(r, text) for r in ranges), key=lambda r: (r.start, r.end)):
        if item.start == item.end:
            continue
        if merged and item.start <= merged[-1].end:
            merged[-1] = Range(merged[-1].start, max(merged[-1].end, item.end))
        else:
            merged.append(item)
    return tuple(merged) if _leaves_text(merged, text) else ()


def _leaves_text(marked: Sequence[Range], text: str) -> bool:
    starts = [0, *(r.end for r in marked)]
    ends = [*(r.start for r in marked), len(text)]
    return any(re.search(r"[^\W_]", text[a:b]) for a, b in zip(starts, ends, strict=True))


def trimmed(item: Range, text: str) -> Range:
    """Return the range without whitespace at either end."""
    inside = text[item.start : item.end]
    start = item.start + len(inside) - len(inside.lstrip())
    return Range(start, max(start, item.end - (len(inside) - len(inside.rstrip()))))


def stated_title(value: object) -> str:
    """Return a title from a file's metadata, or "" for what programs put there on their own."""
    title = " ".join(value.split()) if isinstance(value, str) else ""
    return "" if len(title) > MAX_TITLE or _NO_TITLE.fullmatch(title) else title


def stated_date(value: str) -> str | None:
    """Return a date from a file's metadata as ``YYYY-MM-DD``, or ``None``.

    Metadata comes from everywhere, so a date in which day and month could be swapped is not read.
    """
    found = None if _AMBIGUOUS.match(value) else find_date(value)
    return found.iso if found else None
