"""Finds calendar dates in a text. Knows nothing of documents or sections.

A date counts only where day, month and year all stand there and the calendar has such a day: "9 October"
is no date. Between 03/04/2020 and 04/03/2020 only a convention decides; here the day comes first unless
that is impossible.
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

# A line longer than this is no dateline, and one that opens a paragraph ends long before.
_LONGEST = 300

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTH = (
    r"(?P<{}>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b\.?"
)
_SPACE = r"[^\S\n]{1,3}"
_YEAR = re.compile(r"[12][0-9]{3}")
_DATE = re.compile(
    r"(?<![\w.,/-])(?:"
    r"(?P<y1>[12][0-9]{3})(?P<s1>[-/.])(?P<m1>[0-9]{1,2})(?P=s1)(?P<d1>[0-9]{1,2})"
    r"|(?P<a>[0-9]{1,2})(?P<s2>[-/.])(?P<b>[0-9]{1,2})(?P=s2)(?P<y2>[12][0-9]{3})"
    rf"|(?P<d3>[0-9]{{1,2}})(?:st|nd|rd|th)?(?:{_SPACE}of)?(?:{_SPACE}|-)"
    + _MONTH.format("m3")
    + rf"(?:,?{_SPACE}|-)(?P<y3>[12][0-9]{{3}})"
    r"|"
    + _MONTH.format("m4")
    + rf"{_SPACE}(?P<d4>[0-9]{{1,2}})(?:st|nd|rd|th)?(?:,{_SPACE}|,|{_SPACE})(?P<y4>[12][0-9]{{3}})"
    r")(?=T[0-9]|(?![\w/-])(?![.,][0-9]))",
    re.IGNORECASE,
)

_WEEKDAY = r"\b(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?\b\.?"
_TIME = (
    r"T?\b[0-9]{1,2}[:.h][0-9]{2}(?:[:.][0-9]{2}(?:\.[0-9]{1,6})?)?(?:\s{0,2}[ap]\.?m\b\.?)?"
    r"(?:\s{0,2}(?:Z|UTC|GMT|EST|EDT|CET|CEST|MSK|PST|PDT|BST|[+-][0-9]{2}:?[0-9]{2}))?"
)
_LABEL = (
    r"\b(?:first\s)?(?:published|posted|created|added|written|released|issued|date|dated"
    r"|(?:last\s)?(?:updated|modified|edited|revised)|publication\sdate|release\sdate|date\sof\spublication)\b"
    r"(?:\s(?:on|at))?"
)
_FILLER = re.compile(
    rf"{_LABEL}|{_WEEKDAY}|{_TIME}|\b(?:on|at)\b|[\s,.:;|/()\[\]•·*_#—\u2013-]", re.IGNORECASE
)
_BYLINE = re.compile(
    r"\A(?:by\s)?[^\W\d_][\w.'\u2019-]{0,30}(?:\s(?:[^\W\d_][\w.'\u2019-]{0,30}|and|&)){0,5}\Z", re.IGNORECASE
)
_BY = re.compile(r"\A\W{0,3}by\s", re.IGNORECASE)
_LABELLED = re.compile(rf"\A\W{{0,3}}{_LABEL}", re.IGNORECASE)
_ADDED = re.compile(r"\w\W{0,3}[,(|\u2013\u2014-]\s?\Z")
_BETWEEN = re.compile(r"\s*[|,•·—\u2013-]\s*\Z")

_NAME = r"[^\W\d_a-z][\w.'\u2019-]{0,30}"
_NAMES = rf"{_NAME}(?:\s{_NAME}){{0,3}}"
_AGENCY = r"(?:\([^()\n]{1,40}\)|/[^/\n]{1,40}/)"
# "LARNSBY, Ill. (Agency), Tuesday, Nov. 12, 2023 (Agency) - The ...". A month after the dash: a span of time.
_OPENING = re.compile(
    rf"(?P<place>{_NAMES}(?:,\s{_NAMES}){{0,2}}?)(?:\s{_AGENCY})?,\s(?i:{_WEEKDAY},?\s)?"
    rf"(?P<date>(?i:{_DATE.pattern}))"
    rf"\s?(?:{_AGENCY}\s?)?[-\u2013\u2014]{{1,2}}\s?"
    rf"(?!(?i:{_MONTH.format('month')}))[\"'\u201c\u2018\u00ab(]{{0,2}}[^\W\d_a-z]"
)
# Capitals that open a line before a date and are no place: "On Monday, 9 October 2018 - ..."
_NO_PLACE = re.compile(rf"\A(?:in|at|on|by|since|until|after|before)\b|{_WEEKDAY}", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FoundDate:
    """A date and where the text shows it: ``text[start:end]`` reads as ``iso`` (``YYYY-MM-DD``)."""

    start: int
    end: int
    iso: str


def find_date(text: str) -> FoundDate | None:
    """Return the first date in the first characters of ``text``, wherever it stands in a sentence."""
    return next(find_dates(text[:_LONGEST]), None)


def find_dates(text: str) -> Iterator[FoundDate]:
    """Yield all dates of ``text`` in order, wherever they stand in a sentence."""
    # Most texts hold no year: one cheap look saves trying every form of a date at every character.
    if not _YEAR.search(text):
        return
    for match in _DATE.finditer(text):
        day = _day(match)
        if day is not None:
            yield FoundDate(match.start(), match.end(), day.isoformat())


def find_dateline(line: str) -> FoundDate | None:
    """Return the date of a line that is essentially a date.

    Around the date may stand weekdays, times, "Published:" and the like, a further date ("Updated: ..."),
    or an author's name: before or after the date where "by" opens it, before it where a separator divides
    the two. A headline may as well stand after a date and a separator.
    """
    if len(line) > _LONGEST:
        return None
    found = list(find_dates(line))
    if not found:
        return None
    rest = _without(line, found)
    return found[0] if not rest or _is_byline(rest, line, found[0]) else None


def find_trailing_date(line: str) -> FoundDate | None:
    """Return the date that closes ``line``: at most a time or a bracket follows it."""
    if len(line) > _LONGEST:
        return None
    found = list(find_dates(line))
    return found[-1] if found and not _FILLER.sub("", line[found[-1].end :]) else None


def find_added_date(title: str) -> FoundDate | None:
    """Return the date that a comma, a dash or a bracket adds to a title: "Minutes, 13 May 2025".

    One of two dates is the end of a time, not the date of a text.
    """
    found = list(find_dates(title[: _LONGEST + 1]))
    if len(found) != 1 or not _ADDED.search(title[: found[0].start]):
        return None
    return find_trailing_date(title)


def find_opening_dateline(text: str) -> FoundDate | None:
    """Return the date of the dateline that a paragraph of news opens with.

    As in "LARNSBY, 9 October 2018 - The council ...": a place, the date and a dash before a sentence make
    one; between them may stand a weekday and an agency.
    """
    match = _OPENING.match(text, 0, _LONGEST)
    if match is None or _NO_PLACE.search(match["place"]) or (day := _day(match)) is None:
        return None
    return FoundDate(match.start("date"), match.end("date"), day.isoformat())


def _day(match: re.Match[str]) -> dt.date | None:
    groups = match.groupdict()
    if groups["y1"]:
        return _valid(groups["y1"], groups["m1"], groups["d1"])
    if groups["y2"]:
        day_first = _valid(groups["y2"], groups["b"], groups["a"])
        return day_first or _valid(groups["y2"], groups["a"], groups["b"])
    if groups["y3"]:
        return _valid(groups["y3"], groups["m3"], groups["d3"])
    return _valid(groups["y4"], groups["m4"], groups["d4"])


def _valid(year: str, month: str, day: str) -> dt.date | None:
    number = int(month) if month.isdigit() else _MONTHS.index(month[:3].lower()) + 1
    try:
        return dt.date(int(year), number, int(day))
    except ValueError:
        return None


def _without(line: str, dates: list[FoundDate]) -> str:
    """Return what is left of ``line`` besides its dates and the words that go with a date."""
    kept, position = [], 0
    for date in dates:
        kept.append(line[position : date.start])
        position = date.end
    kept.append(line[position:])
    return " ".join(_FILLER.sub(" ", " ".join(kept)).split())


def _is_byline(rest: str, line: str, date: FoundDate) -> bool:
    if not _BYLINE.match(rest):
        return False
    if _BY.match(line):
        return True
    words = rest.split()
    if words[0].lower() == "by":
        # "9 October 2018 by train" is no byline, "Posted 9 October 2018 by admin" is one.
        return _LABELLED.match(line) is not None or _are_names(words[1:])
    return 2 <= len(words) <= 4 and _are_names(words) and bool(_BETWEEN.search(line[: date.start]))


def _are_names(words: Sequence[str]) -> bool:
    return all(word[0].isupper() or word in {"and", "&"} for word in words)
