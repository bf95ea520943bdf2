"""Looks at a text line by line: which lines are prose, which could be headlines. Knows no boilerplate.

Every rule here reads one line and its neighbours, and of a long line only its ends, so that a text of one
endless line costs no more than one of many.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from index.dates import FoundDate, find_dateline, find_trailing_date

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LONGEST_HEADLINE = 200
# How far a copy of a headline may stand from the one before: a date, an author or a picture fits between.
_COPY_REACH = 3
# A line of prose below a headline is at least so long, and at most so many lines away.
LEAST_PROSE = 60
PROSE_REACH = 4

_LINE = re.compile(r"[^\n]+")
_SENTENCE_END = re.compile(r"[.!?…。\uff01\uff1f][\"'”\u2019»)\]]{0,3}\Z")
_INNER_END = re.compile(r"[^\W\d_]{2}[.!?…][\"'”\u2019»)]{0,2}\s{1,3}[\"'“\u2018«(]?[^\W\d_a-z]")
_LIST_ITEM = re.compile(r"(?:[-*+•‣▪◦●○■□\u2013—]|\(?[0-9]{1,3}[.)]|\(?[a-zA-Z][.)])\s")
_KEY_VALUE = re.compile(r"[^\s:][^:]{0,40}:(?:\s|\Z)")
_FIRST_LETTER = re.compile(r"[^\W_]")
_TITLE_TAIL = " \t|,;:([—\u2013-·•\u00a0"


@dataclass(frozen=True, slots=True)
class Line:
    """A line that is not blank: ``document.text[start:end] == text``, without outer whitespace."""

    start: int
    end: int
    text: str
    after_blank: bool
    indented: bool


@dataclass(frozen=True, slots=True)
class HeadlineCopy:
    """Line ``copy`` repeats the headline that line ``first`` shows; a date may close it.

    ``length`` is how much of the copy's text is the headline; ``date`` counts from the copy's start.
    """

    first: int
    copy: int
    length: int
    date: FoundDate | None


def split_lines(text: str) -> list[Line]:
    """Return the lines of ``text`` that are not blank, in order."""
    lines: list[Line] = []
    expected = 0
    for match in _LINE.finditer(text):
        raw = match.group()
        stripped = raw.strip()
        if stripped:
            start = match.start() + len(raw) - len(raw.lstrip())
            indented = raw.startswith(("    ", "\t"))
            after_blank = match.start() != expected
            lines.append(Line(start, start + len(stripped), stripped, after_blank, indented))
            expected = match.end() + 1
    return lines


def word_set(block: str) -> frozenset[str]:
    """Return the words of ``block``: for lists of words in the source."""
    return frozenset(block.split())


def ends_sentence(text: str) -> bool:
    """Whether ``text`` closes as a sentence does."""
    return bool(_SENTENCE_END.search(text[-4:]))


def is_list_item(text: str) -> bool:
    """Whether ``text`` opens with a bullet or a number."""
    return bool(_LIST_ITEM.match(text))


def is_key_value(text: str) -> bool:
    """Whether ``text`` reads as ``key: value``."""
    return bool(_KEY_VALUE.match(text))


def is_prose(lines: Sequence[Line], index: int) -> bool:
    """Whether the line is a sentence, holds one, or is a part of one that runs over several lines."""
    text = lines[index].text
    if len(text) > LONGEST_HEADLINE or _is_sentence(text):
        return True
    following = index + 1
    if following < len(lines) and not lines[following].after_blank and len(text) > 30:
        return lines[following].text[0].islower()
    return False


def _is_sentence(text: str) -> bool:
    if text.count(" ") < 3:
        return False
    return (
        ends_sentence(text)
        or text[-1] in ",;:"
        or text[0].islower()
        or (len(text) > 100 and bool(_INNER_END.search(text)))
    )


def could_be_headline(text: str) -> bool:
    """Whether ``text`` is short, opened by a capital or a number, and not closed by a stop."""
    if len(text) > LONGEST_HEADLINE or text[-1] in ".…,;:-" or is_list_item(text) or text.count("|") > 1:
        return False
    letter = _FIRST_LETTER.search(text)
    if letter is None or letter.group().islower():
        return False
    return letter.group().isalpha() or any(map(str.isalpha, text))


def normalised(text: str) -> str:
    """Return ``text`` with single spaces."""
    return " ".join(text.split())


def _leads_to_prose(lines: Sequence[Line], index: int, prose: Sequence[bool]) -> bool:
    """Whether a stretch of real prose comes within a few lines after ``index``."""
    return any(
        prose[later] and len(lines[later].text) >= LEAST_PROSE
        for later in range(index + 1, min(index + 1 + PROSE_REACH, len(lines)))
    )


def headline_copies(lines: Sequence[Line], prose: Sequence[bool]) -> Iterator[HeadlineCopy]:
    """Yield the lines that say once more the headline just before them, above the prose it heads.

    A repeated sentence is a refrain or a clause, never a headline; so is a repeated line in a block of
    verse, where no prose follows.
    """
    roots: dict[int, int] = {}
    # The first letters differ for nearly every pair of lines: nothing else need be looked at.
    openings = [line.text[:6].casefold() for line in lines]
    for index, line in enumerate(lines):
        opening = openings[index]
        if opening not in openings[max(index - _COPY_REACH, 0) : index]:
            continue
        if len(line.text) > LONGEST_HEADLINE + 40:
            continue
        for earlier in range(index - 1, max(index - 1 - _COPY_REACH, -1), -1):
            copy = _copy_of(lines, roots.get(earlier, earlier), index)
            if (
                copy is not None
                and _stand_alone(lines, earlier, index)
                and _leads_to_prose(lines, index, prose)
            ):
                roots[index] = copy.first
                yield copy
                break
            if prose[earlier] and not could_be_headline(lines[earlier].text):
                break


def _copy_of(lines: Sequence[Line], first: int, index: int) -> HeadlineCopy | None:
    title, text = lines[first].text, lines[index].text
    if not could_be_headline(title) or " " not in title or find_dateline(title) is not None:
        return None
    wanted = normalised(title).casefold()
    if normalised(text).casefold() == wanted:
        return HeadlineCopy(first, index, len(text), None)
    date = find_trailing_date(text)
    if date is None:
        return None
    said = text[: date.start].rstrip(_TITLE_TAIL)
    return HeadlineCopy(first, index, len(said), date) if normalised(said).casefold() == wanted else None


def _stand_alone(lines: Sequence[Line], first: int, copy: int) -> bool:
    """Whether both are paragraphs of their own; lines in one block need to be as long as headlines are."""
    apart = lines[copy].after_blank and (copy + 1 == len(lines) or lines[copy + 1].after_blank)
    return apart or (lines[first].text.count(" ") >= 3 and not find_dateline(lines[first].text))
