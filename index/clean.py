"""Finds the boilerplate of scraped pages: menus, trails, calendars, image names, copies of headlines.

Marks are ranges; nothing is ever deleted. Marked text can neither be found nor quoted, so a line is marked
only on evidence: by words that no article uses, or by its place among such lines above, below or between
the articles. A page without prose has no boilerplate around it and stays as it is.

Every rule reads the text alone, never the marks that are there already, so marking twice changes nothing.
"""

from __future__ import annotations

import dataclasses
import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING

from index.calendars import calendar_lines
from index.dates import find_dateline
from index.images import glued_images, image_line
from index.lines import (
    HeadlineCopy,
    Line,
    could_be_headline,
    headline_copies,
    is_key_value,
    is_prose,
    split_lines,
    word_set,
)
from index.navigation import (
    Kind,
    asks_consent,
    is_consent,
    is_section_label,
    is_telling,
    kind_of,
    label_of,
    parts_of,
)
from index.types import Document, Range

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

RECIPE = 2
"""The version of the rules: documents marked under another one are due for marking again."""

# What a run of menu lines must show before it is taken for a menu, and how much of it must show it.
_ENOUGH_EVIDENCE = 3
_DENSE = 0.3
# An entry that is not in the vocabulary is at most this long, and at most so many follow one another.
_LONGEST_ENTRY = 60
_MOST_WORDS = 8
_WIDEST_GAP = 8
_LEAST_PROSE = 100
_ROLES = word_set(
    """
    by author editor secretary spokesman spokeswoman spokesperson director chairman president
    minister reporter correspondent journalist photographer translator contributor text story dr mr
    mrs ms prof professor sincerely regards signed manager officer head
    """
)


@dataclass(frozen=True, slots=True)
class _Gap:
    """Lines ``start`` to ``end`` (exclusive) without prose: above, below or between the articles."""

    start: int
    end: int
    head: bool
    tail: bool


@dataclass(frozen=True, slots=True)
class _Page:
    """What is known of each line before it is decided what to mark; all sequences run in parallel."""

    lines: Sequence[Line]
    kinds: Sequence[Kind | None]
    calendar: frozenset[int]
    fenced: frozenset[int]
    prose: Sequence[bool]

    def furnished(self, index: int) -> bool:
        """Whether the line is furniture of a page by its own words."""
        return self.kinds[index] is not None or index in self.calendar


def mark(document: Document) -> Document:
    """Return ``document`` with its boilerplate marked, besides what is marked already."""
    found = _boilerplate(document.text, document.marked)
    return dataclasses.replace(document, marked=_merged([*document.marked, *found], document.text))


def _boilerplate(text: str, marked: Sequence[Range]) -> Iterator[Range]:
    lines = split_lines(text)
    prose = [is_prose(lines, index) for index in range(len(lines))]
    if not _has_prose(lines, prose):
        return
    page = _read_page(lines, prose)
    copies = [copy for copy in headline_copies(lines, page.prose) if not page.furnished(copy.first)]
    copied = {copy.copy for copy in copies} | {copy.first for copy in copies}
    chosen = set(_image_lines(page))
    for gap in _gaps(page):
        chosen.update(_in_gap(page, gap, copied, chosen))
    chosen -= copied
    yield from (Range(lines[index].start, lines[index].end) for index in sorted(chosen))
    yield from _copies(lines, copies, chosen, marked)
    yield from glued_images(text)


def _has_prose(lines: Sequence[Line], prose: Sequence[bool]) -> bool:
    """Whether somewhere on the page sentences stand, in one line or in several of a paragraph."""
    length = 0
    for line, is_sentence in zip(lines, prose, strict=True):
        if not is_sentence or line.after_blank:
            length = 0
        if is_sentence and (len(line.text) >= 40 or length):
            length += len(line.text)
        if length >= _LEAST_PROSE:
            return True
    return False


def _read_page(lines: Sequence[Line], prose: Sequence[bool]) -> _Page:
    fenced = _fenced(lines)
    kinds = [
        None if index in fenced or _in_table(lines, index) else kind_of(line.text)
        for index, line in enumerate(lines)
    ]
    for index in _cookie_banners(lines):
        kinds[index] = Kind.BANNER
    content = [is_sentence and kinds[index] is None for index, is_sentence in enumerate(prose)]
    return _Page(lines, kinds, frozenset(calendar_lines(lines)) - fenced, fenced, content)


def _fenced(lines: Sequence[Line]) -> frozenset[int]:
    """Return the lines of Markdown code blocks, fences included."""
    inside, fenced = False, []
    for index, line in enumerate(lines):
        fence = line.text.startswith(("```", "~~~"))
        if fence or inside:
            fenced.append(index)
        inside ^= fence
    return frozenset(fenced)


def _in_table(lines: Sequence[Line], index: int) -> bool:
    """Whether the line is a row of a table: as many bars stand in the line above or below it."""
    bars = lines[index].text.count("|", 0, 400)
    if not bars:
        return False
    above = index > 0 and not lines[index].after_blank and _same_row(lines[index - 1].text, bars)
    below = index + 1 < len(lines) and not lines[index + 1].after_blank
    return above or (below and _same_row(lines[index + 1].text, bars))


def _same_row(neighbour: str, bars: int) -> bool:
    return neighbour.count("|", 0, 400) == bars and kind_of(neighbour) is not Kind.TRAIL


def _cookie_banners(lines: Sequence[Line]) -> Iterator[int]:
    """Yield the lines that tell of cookies beside a button that says yes to them."""
    for index, line in enumerate(lines):
        if asks_consent(line.text):
            buttons = range(index + 1, min(index + 3, len(lines)))
            pressed = [later for later in buttons if is_consent(lines[later].text)]
            if pressed:
                yield from range(index, pressed[-1] + 1)


def _gaps(page: _Page) -> Iterator[_Gap]:
    start, count = 0, len(page.lines)
    for index in range(count + 1):
        if index == count or page.prose[index]:
            if index > start:
                yield _Gap(start, index, start == 0, index == count)
            start = index + 1


def _in_gap(page: _Page, gap: _Gap, copied: set[int], images: set[int]) -> Iterator[int]:
    if not any(page.furnished(index) for index in range(gap.start, gap.end)):
        return
    if gap.start and page.lines[gap.start - 1].text.endswith(":"):
        return
    sure = [index for index in range(gap.start, gap.end) if _is_sure(page, gap, index)]
    yield from sure
    yield from _menus(page, gap, copied | images)
    yield from _labels(page, gap, copied)
    if gap.tail:
        yield from _related(page, gap)
        yield from _after_calendar(page, gap)


def _is_sure(page: _Page, gap: _Gap, index: int) -> bool:
    """Whether the line is boilerplate by its own words, standing where it does."""
    kind = page.kinds[index]
    outside = gap.head or gap.tail
    if index in page.calendar or kind in (Kind.BACK, Kind.PAGES, Kind.BANNER):
        return True
    if kind is Kind.TRAIL:
        return outside or index + 1 < gap.end
    if kind is Kind.TOOL:
        return outside or sum(page.furnished(other) for other in range(gap.start, gap.end)) > 1
    return kind is Kind.RIGHTS and gap.tail


def _menus(page: _Page, gap: _Gap, kept: set[int]) -> Iterator[int]:
    """Yield the lines of the menus in a gap: entries known by their words, and those among them."""
    for found in _runs(page, gap, kept):
        run = found[:-1] if _may_be_title(page, gap, found[-1]) else found
        if not run:
            continue
        weight = sum(_weight(page, index) for index in run)
        spread = run[-1] - run[0] + 1
        if weight < _ENOUGH_EVIDENCE or weight < _DENSE * spread:
            continue
        if not (gap.head or gap.tail or any(page.kinds[index] is not Kind.MENU for index in run)):
            continue
        yield from run
        if gap.head and _headline_after(page, gap, run[-1]) is not None:
            yield from _unknown_before(page, gap, run[0], kept)
            yield from _unknown_after(page, gap, run[-1], kept)
            yield from _unknown_within(page, run)
        elif gap.tail:
            yield from _unknown_within(page, run)


def _may_be_title(page: _Page, gap: _Gap, index: int) -> bool:
    """Whether an entry stands where a title does, alone right above the prose: "Privacy policy"."""
    last = index + 1 == gap.end and not gap.tail
    return last and page.kinds[index] is Kind.MENU and page.lines[index].after_blank


def _weight(page: _Page, index: int) -> int:
    if page.kinds[index] is Kind.MENU:
        return int(is_telling(page.lines[index].text))
    return 2


def _runs(page: _Page, gap: _Gap, kept: set[int]) -> Iterator[list[int]]:
    """Yield the known lines of each menu; a date, a list's line or a wide gap ends one."""
    run: list[int] = []
    for index in range(gap.start, gap.end):
        if page.kinds[index] in (Kind.MENU, Kind.TRAIL, Kind.RELATED) or index in page.calendar:
            if run and index - run[-1] > _WIDEST_GAP:
                yield run
                run = []
            run.append(index)
        elif run and not page.furnished(index) and (index in kept or not _could_be_entry(page.lines[index])):
            yield run
            run = []
    if run:
        yield run


def _could_be_entry(line: Line) -> bool:
    """Whether the line could be a menu's entry that the vocabulary does not know."""
    text = line.text
    if len(text) > _LONGEST_ENTRY or text.count(" ") >= _MOST_WORDS or not could_be_headline(text):
        return False
    if text[-1] in "!?" or is_key_value(text) or "@" in text or sum(map(str.isdecimal, text)) > 2:
        return False
    words = {word.strip(".,").lower() for word in text.split()}
    return not words & _ROLES and find_dateline(text) is None


def _headline_after(page: _Page, gap: _Gap, index: int) -> int | None:
    """Return the line after ``index`` that can head the article below: without one, a menu may hold it."""
    for later in range(index + 1, gap.end):
        text = page.lines[later].text
        if not page.furnished(later) and could_be_headline(text) and find_dateline(text) is None:
            return later if text.count(" ") >= 2 or later + 1 < gap.end else None
    return None


def _unknown_before(page: _Page, gap: _Gap, index: int, kept: set[int]) -> Iterator[int]:
    """Yield the unknown entries that stand above ``index`` in the same block."""
    while index > gap.start and not page.lines[index].after_blank:
        index -= 1
        if index in kept or not (page.furnished(index) or _could_be_entry(page.lines[index])):
            return
        yield index


def _unknown_after(page: _Page, gap: _Gap, index: int, kept: set[int]) -> Iterator[int]:
    """Yield the unknown entries that close a menu's block, where they are short and a headline follows.

    The first headline may itself close the block: it is told from an entry by its length.
    """
    end = index + 1
    while end < gap.end and not page.lines[end].after_blank:
        end += 1
    entries = range(index + 1, end)
    short = all(
        i not in kept and _could_be_entry(page.lines[i]) and page.lines[i].text.count(" ") < 3
        for i in entries
    )
    headline = _headline_after(page, gap, end - 1)
    if short and headline is not None and page.lines[headline].text.count(" ") >= 3:
        yield from entries


def _unknown_within(page: _Page, run: Sequence[int]) -> Iterator[int]:
    """Yield the unknown entries between known ones of the same block.

    One that stands between blank lines may be a signature or a headline between two menus: it is kept.
    """
    for before, after in itertools.pairwise(run):
        between = range(before + 1, after + 1)
        if all(not page.lines[index].after_blank for index in between):
            yield from (index for index in between if not page.furnished(index))


def _labels(page: _Page, gap: _Gap, copied: set[int]) -> Iterator[int]:
    """Yield the lines that repeat a part of the trail above them, where a headline is still to come."""
    known: set[str] = set()
    for index in range(gap.start, gap.end):
        if page.kinds[index] is Kind.TRAIL:
            known.update(parts_of(page.lines[index].text))
        elif index not in copied and label_of(page.lines[index].text) in known:
            headline = _headline_after(page, gap, index)
            if headline is not None and (
                headline in copied
                or is_section_label(page.lines[index].text)
                or any(find_dateline(page.lines[near].text) for near in range(index + 1, gap.end))
            ):
                yield index


def _related(page: _Page, gap: _Gap) -> Iterator[int]:
    """Yield a list of links below the last article, with its heading, down to the end of the page."""
    heading = next((i for i in range(gap.start, gap.end) if page.kinds[i] is Kind.RELATED), None)
    if heading is None:
        return
    below = range(heading + 1, gap.end)
    # "Most popular" may head a list of anything: links have headlines for names, or stand in company.
    if not any(page.furnished(i) or page.lines[i].text.count(" ") >= 3 for i in below):
        return
    yield heading
    for index in below:
        text = page.lines[index].text
        if not page.furnished(index) and not find_dateline(text) and not _could_be_link(text):
            return
        yield index


def _could_be_link(text: str) -> bool:
    bare = text.lstrip("-*+•·▪◦ ")
    words = {word.strip(".,").lower() for word in bare.split()}
    return bool(bare) and could_be_headline(bare) and not words & _ROLES and "@" not in bare


def _after_calendar(page: _Page, gap: _Gap) -> Iterator[int]:
    """Yield the unknown entries that close the page in the block of a calendar."""
    last = max((index for index in range(gap.start, gap.end) if index in page.calendar), default=None)
    if last is None:
        return
    below = range(last + 1, gap.end)
    entries = all(
        page.furnished(i) or (not page.lines[i].after_blank and _could_be_entry(page.lines[i])) for i in below
    )
    if entries and len(below) <= _WIDEST_GAP:
        yield from below


def _image_lines(page: _Page) -> Iterator[int]:
    for index, line in enumerate(page.lines):
        named = "." in line.text[-5:] and image_line(line.text)
        if named and not line.indented and index not in page.fenced:
            yield index


def _copies(
    lines: Sequence[Line], copies: Iterable[HeadlineCopy], chosen: set[int], marked: Sequence[Range]
) -> Iterator[Range]:
    """Yield the text of each copy whose first stands unmarked: one of them must stay to be quoted."""
    for copy in copies:
        first, again = lines[copy.first], lines[copy.copy]
        hidden = any(mark.overlaps(Range(first.start, first.end)) for mark in marked)
        if copy.first not in chosen and not hidden:
            yield Range(again.start, again.start + copy.length)


def _merged(ranges: Iterable[Range], text: str) -> tuple[Range, ...]:
    """Return the ranges in order, joined where they touch or only whitespace lies between them."""
    merged: list[Range] = []
    for found in sorted(ranges, key=lambda found: (found.start, found.end)):
        if found.start >= found.end:
            continue
        if merged and not text[merged[-1].end : found.start].strip():
            merged[-1] = Range(merged[-1].start, max(merged[-1].end, found.end))
        else:
            merged.append(found)
    return tuple(merged)
