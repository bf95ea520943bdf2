"""Finds where the articles and chapters of a plain text begin. Knows no metadata and no file name.

A headline is told from any other short line by what surrounds it: a copy of itself, a date, the top of the
page and prose below. Headings of books, contracts and reports are told by their numbers or capitals, and only
where several of them make up the scheme of a text.
"""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass
from itertools import islice, pairwise
from statistics import median
from typing import TYPE_CHECKING

from index.dates import FoundDate, find_dateline, find_opening_dateline, find_trailing_date
from index.lines import (
    LEAST_PROSE,
    PROSE_REACH,
    Line,
    could_be_headline,
    ends_sentence,
    headline_copies,
    is_key_value,
    word_set,
)
from index.types import Range

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

# In shorter texts capitals are emphasis, and numbered lines are a list unless they are as short as a heading
# and, with its prose, each begins a part.
_LONG_TEXT = 2_000
_MOST_WORDS_IF_SHORT = 6
_ENOUGH_HEADINGS = 3
_LONGEST_HEADING = 100
_DATE_REACH_BEFORE = 2
_DATE_REACH_AFTER = 3

_NUMBER = r"(?:[0-9]{1,3}|[IVXLC]{1,7}|[A-Z]|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)"
_NAMED = re.compile(
    rf"\A(?:chapter|part|book|section|article|appendix|annex|schedule|act|canto|volume|letter)\s{_NUMBER}"
    r"\.?(?:\s*[:.\u2013\u2014-]\s*\S.*|\s+[A-Z\"\u201c].*)?\Z",
    re.IGNORECASE,
)
_NUMBERED = re.compile(
    r"\A(?P<number>[0-9]{1,3})(?P<below>(?:\.[0-9]{1,3}){0,3})[.)]?\s+(?P<words>[^\W\d_].*)\Z"
)
# Words that open many documents and are the title of none.
_NO_TITLE = word_set(
    """
    abstract introduction preface foreword summary contents overview background notes chapter
    acknowledgements acknowledgments hello hi dear table draft confidential memo memorandum note
    untitled
    """
)
# A date after one of these belongs to the headline: "Events of 9 October 2018".
_TIES = word_set(
    """
    of on in from until till to since by for dated before after and the as through at per
    """
)
_TITLE_TAIL = " \t|,;:([\u2013\u2014-\u00b7\u2022\u00a0"


@dataclass(frozen=True, slots=True)
class Heading:
    """A headline at ``title`` that heads all from ``start``, which lies before it where a date opens."""

    start: int
    title: Range
    iso: str | None = None
    date: Range | None = None
    numbered: bool = False


@dataclass(frozen=True, slots=True)
class Outline:
    """The lines of a text that can be read, and of each: whether it is prose, whether it is marked."""

    lines: Sequence[Line]
    prose: Sequence[bool]
    hidden: Sequence[bool]


def find_headings(outline: Outline, length: int) -> list[Heading]:
    """Return the headings of a text of ``length`` characters, in order."""
    headlines = _headlines(outline)
    headings = {index: _dated(outline, index, title) for index, title in headlines.items()}
    for index, title in _chapters(outline, long=length >= _LONG_TEXT):
        headings.setdefault(index, Heading(title.start, title, numbered=True))
    return _in_order(headings[index] for index in sorted(headings))


def _in_order(headings: Iterable[Heading]) -> list[Heading]:
    """Return the headings so that none shares its lines with the next: of a date, the nearer title has it."""
    ordered: list[Heading] = []
    for heading in headings:
        if ordered and heading.title.start < ordered[-1].title.end:
            # The name of a chapter, told once more by its own form: one title has both lines.
            ordered[-1] = ordered[-1] if ordered[-1].iso else _with_date_of(ordered[-1], heading)
        elif ordered and heading.start < _last_shown(ordered[-1]):
            alone = Heading(heading.title.start, heading.title, numbered=heading.numbered)
            if alone.start < _last_shown(ordered[-1]):
                ordered[-1] = Heading(
                    ordered[-1].title.start, ordered[-1].title, numbered=ordered[-1].numbered
                )
            ordered.append(alone)
        else:
            ordered.append(heading)
    return ordered


def _with_date_of(chapter: Heading, name: Heading) -> Heading:
    return dataclasses.replace(chapter, iso=name.iso, date=name.date)


def _last_shown(heading: Heading) -> int:
    return max(heading.title.end, heading.date.end if heading.date else 0)


def dateline_near(lines: Sequence[Line], prose: Sequence[bool], index: int) -> tuple[int, FoundDate] | None:
    """Return the line near the headline ``index`` that shows its date, and the date; below it comes first.

    That is a dateline, or the first line of prose below where it opens with one.
    """
    after = range(index + 1, min(index + 1 + _DATE_REACH_AFTER, len(lines)))
    before = range(index - 1, max(index - 1 - _DATE_REACH_BEFORE, -1), -1)
    for near in (after, before):
        for other in near:
            found = find_dateline(lines[other].text)
            if found is not None:
                return other, found
            if prose[other]:
                opening = opening_dateline(lines, other) if other > index else None
                if opening is not None:
                    return other, opening
                break
    return None


def opening_dateline(lines: Sequence[Line], index: int) -> FoundDate | None:
    """Return the date of the dateline a paragraph opens with; a list has one on its next line as well."""
    if any(find_opening_dateline(line.text) for line in lines[index + 1 : index + 2]):
        return None
    return find_opening_dateline(lines[index].text)


def _headlines(outline: Outline) -> dict[int, Range]:
    """Return the headlines of articles: the number of the line, and where the title stands in the text."""
    lines = outline.lines
    found: dict[int, Range] = {}
    copies: set[int] = set()
    for copy in headline_copies(lines, outline.prose):
        copies.add(copy.copy)
        if not outline.hidden[copy.first] and copy.first not in copies:
            found.setdefault(copy.first, _all_of(lines[copy.first]))
    for index in range(len(lines)):
        if index not in found and index not in copies and not outline.hidden[index]:
            title = _dated_title(outline, index)
            if title is not None and not _heads_already(outline, found, index):
                found[index] = title
    first = next((index for index, hidden in enumerate(outline.hidden) if not hidden), None)
    if first is not None and not found.keys() & set(range(first, first + 4)) and _opens(outline, first):
        found[first] = _all_of(lines[first])
    return found


def _all_of(line: Line) -> Range:
    return Range(line.start, line.end)


def _heads_already(outline: Outline, found: Iterable[int], index: int) -> bool:
    """Whether a headline stands near ``index`` with no prose between: an article has but one."""
    return any(
        near in found and not any(outline.prose[min(near, index) : max(near, index)])
        for near in range(index - _DATE_REACH_AFTER - 1, index + _DATE_REACH_AFTER + 2)
    )


def _dated_title(outline: Outline, index: int) -> Range | None:
    """Return where the title of a headline stands that a date goes with, on its line or beside it."""
    line = outline.lines[index]
    # Most lines are prose or no headline: the costly look at the dates around is for the few others.
    if outline.prose[index] or not _could_head(outline, index) or line.text.count(" ") < 2:
        return None
    if find_dateline(line.text) is not None:
        return None
    title = _before_date(line)
    if title is not None:
        return title if line.after_blank or index == 0 else None
    return _all_of(line) if _has_own_dateline(outline, index) else None


def _has_own_dateline(outline: Outline, index: int) -> bool:
    lines = outline.lines
    below = index + 1 < len(lines) and _shows_date(lines, index + 1)
    above = index > 0 and find_dateline(lines[index - 1].text) is not None
    standing = lines[index].after_blank or index == 0 or above
    return standing and (below or above)


def _shows_date(lines: Sequence[Line], index: int) -> bool:
    return find_dateline(lines[index].text) is not None or opening_dateline(lines, index) is not None


def _before_date(line: Line) -> Range | None:
    """Return where the title stands in a line of a headline and a date, unless the date belongs to it."""
    date = find_trailing_date(line.text)
    if date is None:
        return None
    title = line.text[: date.start].rstrip(_TITLE_TAIL)
    words = title.split()
    if len(words) < 3 or words[-1].lower() in _TIES or len(words[-1]) < 2:
        return None
    return Range(line.start, line.start + len(title))


def _could_head(outline: Outline, index: int) -> bool:
    line = outline.lines[index]
    following = outline.lines[index + 1] if index + 1 < len(outline.lines) else None
    both_keyed = following is not None and is_key_value(line.text) and is_key_value(following.text)
    return (
        could_be_headline(line.text)
        and not ends_sentence(line.text)
        and not both_keyed
        and _leads_to_prose(outline, index)
    )


def _leads_to_prose(outline: Outline, index: int) -> bool:
    """Whether prose comes within a few lines; what is marked between does not count."""
    visible = (later for later in range(index + 1, len(outline.lines)) if not outline.hidden[later])
    return any(
        outline.prose[later] and len(outline.lines[later].text) >= LEAST_PROSE
        for later in islice(visible, PROSE_REACH)
    )


def _opens(outline: Outline, index: int) -> bool:
    """Whether the first line of a text heads it: alone above prose, and more than a word of form."""
    line = outline.lines[index]
    if outline.prose[index] or not _could_head(outline, index) or find_dateline(line.text) is not None:
        return False
    if (
        line.text.split()[0].strip(".:").lower() in _NO_TITLE
        or _NAMED.match(line.text)
        or line.text[0].isdigit()
    ):
        return False
    below = outline.lines[index + 1]
    if below.after_blank or outline.hidden[index + 1]:
        return True
    return outline.prose[index + 1] and len(below.text) > 1.3 * len(line.text)


def _dated(outline: Outline, index: int, title: Range) -> Heading:
    """Return the heading with its date: on its line, on a copy of it, or on a dateline beside it."""
    lines = outline.lines
    for near in range(index, min(index + _DATE_REACH_AFTER + 1, len(lines))):
        on_line = find_trailing_date(lines[near].text)
        same = _starts_alike(lines[near], lines[index], title)
        if on_line is not None and same and on_line.start >= title.end - title.start:
            return _heading(title.start, title, lines[near], on_line)
        if outline.prose[near] and near > index:
            break
    beside = dateline_near(lines, outline.prose, index)
    if beside is None:
        return Heading(title.start, title)
    other, found = beside
    return _heading(min(title.start, lines[other].start), title, lines[other], found)


def _heading(start: int, title: Range, line: Line, found: FoundDate) -> Heading:
    return Heading(start, title, found.iso, Range(line.start + found.start, line.start + found.end))


def _starts_alike(line: Line, headline: Line, title: Range) -> bool:
    said = headline.text[: title.end - title.start].casefold()
    return line.text[: len(said)].casefold() == said


def _chapters(outline: Outline, *, long: bool) -> Iterator[tuple[int, Range]]:
    """Yield the headings of a book, a contract or a report, by number or by capitals: the line, the title."""
    alone = [index for index in range(len(outline.lines)) if _is_alone(outline, index)]
    schemes = [
        [index for index in alone if _NAMED.match(outline.lines[index].text)],
        _counted(outline, alone),
    ]
    if long:
        schemes.append([index for index in alone if _in_capitals(outline.lines[index].text)])
    for scheme in schemes:
        heads = [index for index in scheme if _has_text_below(outline, index)]
        if len(heads) >= _ENOUGH_HEADINGS and (long or _begin_parts(outline, heads)):
            yield from ((index, _whole_title(outline, index)) for index in heads)


def _begin_parts(outline: Outline, heads: Sequence[int]) -> bool:
    """Whether lines of a short text are headings rather than a list whose items are explained in a few words.

    Headings are short, and have numbers such as 2.1 among them or real prose below, as a rule.
    """
    lines = outline.lines
    if any(len(lines[index].text.split()) > _MOST_WORDS_IF_SHORT for index in heads):
        return False
    if any((match := _NUMBERED.match(lines[index].text)) and match["below"] for index in heads):
        return True
    below = [
        sum(len(lines[index].text) for index in range(head + 1, following) if outline.prose[index])
        for head, following in pairwise([*heads, len(lines)])
    ]
    return median(below) >= LEAST_PROSE


def _is_alone(outline: Outline, index: int) -> bool:
    """Whether the line is a paragraph of its own, and short enough for a heading."""
    lines, text = outline.lines, outline.lines[index].text
    if outline.hidden[index] or len(text) > _LONGEST_HEADING or text[-1] in ",;":
        return False
    last = index + 1 == len(lines)
    return (lines[index].after_blank or index == 0) and not last and lines[index + 1].after_blank


def _counted(outline: Outline, alone: Sequence[int]) -> list[int]:
    """Return the lines "1. Introduction", "2. ...", that count up from one, with those numbered below."""
    counted, last = [], 0
    for index in alone:
        text = outline.lines[index].text
        match = _NUMBERED.match(text)
        if match is None or text[-1] in ".:!?" or text.count(" ") > 10 or not match["words"][0].isupper():
            continue
        number = int(match["number"])
        if number == last + 1 or (match["below"] and number == last):
            counted.append(index)
            last = number
    return counted


def _in_capitals(text: str) -> bool:
    letters = [char for char in text if char.isalpha()]
    return len(letters) >= 4 and all(map(str.isupper, letters)) and text[-1] not in "!?:" and '"' not in text


def _has_text_below(outline: Outline, index: int) -> bool:
    """Whether prose comes at once, or after one line that names the chapter."""
    return any(outline.prose[index + 1 : index + 2]) or (
        index + 2 < len(outline.lines) and _is_name_below(outline, index) and outline.prose[index + 2]
    )


def _is_name_below(outline: Outline, index: int) -> bool:
    text = outline.lines[index + 1].text
    return _is_alone(outline, index + 1) and not outline.prose[index + 1] and could_be_headline(text)


def _whole_title(outline: Outline, index: int) -> Range:
    """Return where the title stands: the heading, and the name below it where "CHAPTER II" has one."""
    line = outline.lines[index]
    if len(line.text.split()) <= 2 and index + 2 < len(outline.lines) and _is_name_below(outline, index):
        below = outline.lines[index + 1]
        # "2.1 Scope" below "2. Methods" is no name of it, but the next heading.
        return _all_of(line) if _NUMBERED.match(below.text) else Range(line.start, below.end)
    return _all_of(line)
