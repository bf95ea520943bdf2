"""Finds the calendars that web pages show beside an article: a row of weekdays, a grid of days.

A timetable has a row of weekdays too; what follows tells them apart.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from index.lines import Line

_WEEK = ("mo", "tu", "we", "th", "fr", "sa", "su")
_WEEKDAY = re.compile(
    r"\A(?:mo|tu|we|th|fr|sa|su|mon|tue|tues|wed|thu|thur|thurs|fri|sat|sun"
    r"|monday|tuesday|wednesday|thursday|friday|saturday|sunday)\.?\Z"
)
_INITIALS = ("m t w t f s s", "s m t w t f s")
_MONTH_NAME = (
    r"(?:jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)"
)
_MONTH_YEAR = re.compile(rf"\A\W{{0,6}}{_MONTH_NAME}\W{{1,3}}[12][0-9]{{3}}\W{{0,6}}\Z", re.IGNORECASE)
_OTHER_MONTHS = re.compile(
    rf"\A(?=.{{0,30}}[«»<>←→\u2039\u203a])(?:\W{{0,4}}{_MONTH_NAME}\W{{0,4}}){{1,2}}\Z", re.IGNORECASE
)
_RULE = re.compile(r"\A[|:\s+=-]+\Z")
_LONGEST_ROW = 120
_LONGEST_MONTH_HEADER = 40


def calendar_lines(lines: Sequence[Line]) -> Iterator[int]:
    """Yield the indices of the lines that belong to a calendar, in order."""
    index = 0
    while index < len(lines):
        body = _weekdays_end(lines, index)
        if body == index:
            index += 1
            continue
        end = _grid_end(lines, body)
        if end == body and not _ends_like_a_calendar(lines, index, body):
            index = body
            continue
        first = index - 1 if index and _is_month_header(lines[index - 1].text) else index
        if end > body and end < len(lines) and _is_other_months(lines[end].text):
            end += 1
        yield from range(first, end)
        index = end


def _weekdays_end(lines: Sequence[Line], index: int) -> int:
    """Return the index after a row of weekdays, on one line or one a line; ``index`` where there is none."""
    if _is_week(_cells(lines[index].text)):
        return index + 1
    if not _WEEKDAY.match(lines[index].text.lower()):
        return index
    column = [line.text.lower() for line in lines[index : index + 7]]
    return index + 7 if _is_week(column) and _is_first_day(lines, index + 7) else index


def _is_first_day(lines: Sequence[Line], index: int) -> bool:
    return index < len(lines) and lines[index].text in ("1", "01", "28", "29", "30", "31", "26", "27", "25")


def _cells(text: str) -> list[str]:
    return text.replace("|", " ").lower().split() if len(text) <= _LONGEST_ROW else []


def _is_week(cells: list[str]) -> bool:
    if len(cells) != 7:
        return False
    if " ".join(cells) in _INITIALS:
        return True
    if not all(map(_WEEKDAY.match, cells)):
        return False
    first = _WEEK.index(cells[0][:2])
    return [cell[:2] for cell in cells] == [_WEEK[(first + day) % 7] for day in range(7)]


def _grid_end(lines: Sequence[Line], index: int) -> int:
    """Return the index after the rows of day numbers that start at ``index``, the index where none do."""
    body = index
    while index < len(lines) and _RULE.match(lines[index].text[:_LONGEST_ROW]):
        index += 1
    last: int | None = None
    while index < len(lines):
        days = _days(lines[index].text)
        if not days or not _follows(last, days):
            break
        last = days[-1]
        index += 1
    return body if last is None else index


def _days(text: str) -> list[int]:
    cells = _cells(text)
    if not 1 <= len(cells) <= 7 or not all(cell.isdecimal() and len(cell) <= 2 for cell in cells):
        return []
    return [int(cell) for cell in cells]


def _follows(last: int | None, days: list[int]) -> bool:
    """Whether ``days`` go on from ``last`` day by day, through the end of a month if need be."""
    for day in days:
        next_day = last is None or day == last + 1 or (day == 1 and last >= 28)
        if not (next_day and 1 <= day <= 31):
            return False
        last = day
    return True


def _ends_like_a_calendar(lines: Sequence[Line], index: int, body: int) -> bool:
    """Whether a row of weekdays without days stands where no table can follow it."""
    if _RULE.match(lines[body].text[:_LONGEST_ROW]) if body < len(lines) else False:
        return False
    if "|" in lines[index].text or len(lines[index].text) > 40:
        return False
    if body == len(lines) or lines[body].after_blank:
        return True
    following = lines[body].text
    row = len(_cells(following)) in (7, 8) or any(map(str.isdecimal, following[:_LONGEST_ROW]))
    return not row


def _is_month_header(text: str) -> bool:
    return len(text) <= _LONGEST_MONTH_HEADER and bool(_MONTH_YEAR.match(text))


def _is_other_months(text: str) -> bool:
    return len(text) <= _LONGEST_MONTH_HEADER and bool(_OTHER_MONTHS.match(text))
