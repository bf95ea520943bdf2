"""Divides a document into its articles or chapters and reads their titles and dates.

Runs after marking, so that a menu is not taken for a headline. Sections that a loader found stand as they
are; they only gain the date that their text shows, and the place where it shows the date they have.
"""

from __future__ import annotations

import dataclasses
import re
from typing import TYPE_CHECKING

from index.dates import FoundDate, find_added_date, find_dateline, find_dates
from index.headings import Heading, Outline, dateline_near, find_headings, opening_dateline
from index.lines import Line, is_prose, normalised, split_lines
from index.types import Document, Range, Section

if TYPE_CHECKING:
    from collections.abc import Sequence

_LONGEST_SNIPPET = 80
_MACHINE_MADE = 0.7
# A text without a headline says in these what it is.
_TOP_LINES = 3

_TOKEN = re.compile(r"[^\W_]+")
_HEX = re.compile(r"\A(?:[0-9]+|(?=[a-f]*[0-9])[0-9a-f]{6,}|[0-9a-f]{4})\Z", re.IGNORECASE)
_FIRST_SENTENCE = re.compile(r".{20,}?[.!?](?=[\"\u201d\u2019)]?\s+[^\W\d_a-z])", re.DOTALL)


def find_sections(document: Document) -> Document:
    """Return ``document`` with its sections, and with the title that its text opens with, if any.

    The sections cover the whole text in order; a section without a headline bears the document's title,
    or the first words of its text where that title is only a machine's name for the file. Such a name gives
    way to the title of the first section that has a better one.
    """
    if not document.text:
        return document
    lines = split_lines(document.text)
    prose = [is_prose(lines, index) for index in range(len(lines))]
    outline = Outline(lines, prose, _hidden(lines, document.marked))
    if document.sections:
        dated = _with_dates(document, outline)
        return dataclasses.replace(document, sections=dated, title=_readable(document.title, dated))
    headings = _opening_from_the_top(find_headings(outline, len(document.text)), outline)
    sections = _sections(document, headings, outline)
    title = _readable(_title(document, headings, sections[0]), sections)
    return dataclasses.replace(document, sections=sections, title=title)


def _readable(title: str, sections: Sequence[Section]) -> str:
    """Return a document's title, or that of a section where it is only a machine's name for the file."""
    if not is_machine_made(title):
        return title
    titles = (section.title for section in sections)
    return next((one for one in titles if one and not is_machine_made(one)), title)


def _hidden(lines: Sequence[Line], marked: Sequence[Range]) -> list[bool]:
    """Return of each line whether a part of it is marked; both sequences are in order."""
    hidden, position = [], 0
    for line in lines:
        while position < len(marked) and marked[position].end <= line.start:
            position += 1
        hidden.append(position < len(marked) and marked[position].start < line.end)
    return hidden


def _opening_from_the_top(headings: list[Heading], outline: Outline) -> list[Heading]:
    """Let the first heading head all above it, where nothing above it is prose."""
    if not headings:
        return []
    above = (
        outline.prose[index] and not outline.hidden[index]
        for index, line in enumerate(outline.lines)
        if line.start < headings[0].start
    )
    if any(above):
        return headings
    return [dataclasses.replace(headings[0], start=0), *headings[1:]]


def _sections(document: Document, headings: Sequence[Heading], outline: Outline) -> tuple[Section, ...]:
    text = document.text
    starts = [heading.start for heading in headings]
    sections = [
        Section(heading.start, end, _said(text, heading.title), heading.iso, heading.title, heading.date)
        for heading, end in zip(headings, [*starts, len(text)][1:], strict=True)
    ]
    if starts[:1] == [0]:
        return tuple(sections)
    end = starts[0] if starts else len(text)
    return (_untitled(document, end, outline), *sections)


def _said(text: str, at: Range) -> str:
    return normalised(text[at.start : at.end])


def _untitled(document: Document, end: int, outline: Outline) -> Section:
    title = document.title
    if is_machine_made(title):
        title = _snippet(document, end, outline) or title
    untitled = Section(0, end, title)
    return _dated(untitled, _opening_date(outline), outline)


def _opening_date(outline: Outline) -> tuple[int, FoundDate] | None:
    """Return the date that a text without a headline opens with: its line, and the date there.

    That is a dateline at the very top, one added to a line above the first paragraph, or the one that opens
    that paragraph.
    """
    visible = [index for index, hidden in enumerate(outline.hidden) if not hidden]
    top = find_dateline(outline.lines[visible[0]].text) if visible else None
    if top is not None:
        return visible[0], top
    first = next((index for index in visible if outline.prose[index]), None)
    for index in visible[:_TOP_LINES]:
        if first is not None and index >= first:
            break
        if (added := find_added_date(outline.lines[index].text)) is not None:
            return index, added
    opening = None if first is None else opening_dateline(outline.lines, first)
    return None if first is None or opening is None else (first, opening)


def _dated(section: Section, shown: tuple[int, FoundDate] | None, outline: Outline) -> Section:
    """Return the section with the date that a line of it shows, if any."""
    if shown is None:
        return section
    line, found = outline.lines[shown[0]], shown[1]
    at = Range(line.start + found.start, line.start + found.end)
    if not section.start <= at.start < at.end <= section.end:
        return section
    return dataclasses.replace(section, date=found.iso, date_at=at)


def _title(document: Document, headings: Sequence[Heading], first: Section) -> str:
    """Return the headline that opens the text; that of a chapter names a part of it only."""
    opened = bool(headings) and first.title_at is not None and not headings[0].numbered
    return first.title if opened else document.title


def is_machine_made(name: str) -> bool:
    """Whether most of ``name`` is digits and hexadecimal codes that tell a reader nothing."""
    tokens = _TOKEN.findall(name)
    codes = sum(len(token) for token in tokens if _HEX.match(token) and any(map(str.isdigit, token)))
    return bool(tokens) and codes >= _MACHINE_MADE * sum(map(len, tokens))


def _snippet(document: Document, end: int, outline: Outline) -> str:
    """Return the first words of the first text that is not marked, up to its first sentence's end."""
    for line in outline.lines:
        if line.start >= end:
            break
        start = _first_unmarked(line, document.marked)
        words = document.text[start : min(line.end, end, start + 4 * _LONGEST_SNIPPET)].strip()
        if any(map(str.isalnum, words)):
            return _cut(words)
    return ""


def _first_unmarked(line: Line, marked: Sequence[Range]) -> int:
    start = line.start
    for mark in marked:
        if mark.start <= start < mark.end:
            start = mark.end
        elif mark.start > start:
            break
    return min(start, line.end)


def _cut(words: str) -> str:
    sentence = _FIRST_SENTENCE.match(words)
    said = normalised(sentence.group() if sentence else words)
    if len(said) <= _LONGEST_SNIPPET:
        return said
    whole, _, _ = said[:_LONGEST_SNIPPET].rpartition(" ")
    return (whole or said[: _LONGEST_SNIPPET - 1]).rstrip(" ,;:\u2013\u2014-") + "…"


def _with_dates(document: Document, outline: Outline) -> tuple[Section, ...]:
    """Return the sections with the dates beside their titles, and where the text shows those they had."""
    at_start = {line.start: index for index, line in enumerate(outline.lines)}
    places = _places_of_dates(document, outline.lines)
    return tuple(
        _with_date(section, outline, at_start)
        if section.date is None
        else _with_place(section, places.get(section.date, []), document.sections[0].start)
        for section in document.sections
    )


def _with_date(section: Section, outline: Outline, at_start: dict[int, int]) -> Section:
    index = None if section.title_at is None else _line_of(section.title_at, outline.lines, at_start)
    if index is None:
        return section
    if (added := find_added_date(outline.lines[index].text)) is not None:
        return _dated(section, (index, added), outline)
    shown = dateline_near(outline.lines, outline.prose, index)
    if shown is None:
        return section
    # A line with nothing but a date may belong to anything; that of a paragraph belongs to it.
    beside = abs(shown[0] - index) <= 1 or outline.prose[shown[0]]
    return _dated(section, shown, outline) if beside else section


def _places_of_dates(document: Document, lines: Sequence[Line]) -> dict[str, list[Range]]:
    """Return where the text shows, in any form, the dates of sections that only metadata gave them.

    Marked text does not count, but front matter does: before the first section stands nothing else.
    """
    wanted = {section.date for section in document.sections if section.date and not section.date_at}
    years = {iso[:4] for iso in wanted}
    places: dict[str, list[Range]] = {}
    for line in lines:
        if any(year in line.text for year in years):
            for found in find_dates(line.text):
                at = Range(line.start + found.start, line.start + found.end)
                front = at.end <= document.sections[0].start
                if found.iso in wanted and (front or not any(map(at.overlaps, document.marked))):
                    places.setdefault(found.iso, []).append(at)
    return places


def _with_place(section: Section, places: Sequence[Range], body: int) -> Section:
    """Return the section with the place that says its date best: front matter, else the section itself."""
    if section.date_at is not None or not places:
        return section

    def worth(at: Range) -> tuple[bool, bool]:
        return at.end <= body, section.start <= at.start < section.end

    return dataclasses.replace(section, date_at=max(places, key=worth))


def _line_of(title: Range, lines: Sequence[Line], at_start: dict[int, int]) -> int | None:
    """Return the line that a title closes; a title may follow a mark such as ``#`` on its line."""
    low, high = 0, len(lines)
    while low < high:
        middle = (low + high) // 2
        low, high = (middle + 1, high) if lines[middle].end < title.end else (low, middle)
    return low if low < len(lines) and lines[low].start < title.end else at_start.get(title.start)
