"""Finds the items that follow a first one in running text: "Ann Lee (day), Ben Ode (night) and Cy Orr".

Without a grammar, only what can be told by commas, capitals and a closing "and" or full stop counts; where an
enumeration begins cannot be told, so it is followed from its first item on.
"""

from __future__ import annotations

import re

# Words that end an item, or show that none has begun.
_NO_ITEM = (
    r"(?:who|which|that|was|were|is|are|be|been|has|had|have|but|because|while|when|where|by|from|for|to|in|on|at|as|"
    r"it|he|she|they|this|these|also|then|such|after|before|during|would|could|can|will|may|not|into|than|and|or|"
    r"include|includes|including|contains?|i|we|you)\b"
)
_JOINED = r"\s(?:and|or|&)\s"
_NOTE = r"(?:\s\([^()\n]{1,40}\))?"
_ARTICLE = r"(?:(?:an?|the)\s)?"
# "A." of a name is a word, the full stop of a sentence no part of one.
_CAPITALISED = r"(?:[A-Z][a-z]?\.(?=\s[A-Z])|[A-Z0-9][^\s,;:()]*[^\s,;:().!?]|[A-Z0-9])"
_NAME = rf"{_CAPITALISED}(?:\s(?:(?:of|the|de|van|von|for)\s){{0,2}}{_CAPITALISED}){{0,4}}"
_WORD = rf"(?!{_NO_ITEM})[^\s,;:().!?]+"
_THING = rf"(?!of\b){_WORD}(?:\s{_WORD}){{0,3}}"


def _following(item: str, least: int) -> re.Pattern[str]:
    one = rf",\s{_ARTICLE}{item}{_NOTE}"
    joined = rf"(?:{one}){{{least - 1},}},?{_JOINED}{_ARTICLE}{item}{_NOTE}"
    return re.compile(rf"{_NOTE}(?:{joined}|(?:{one}){{2,}}(?=[.;]?(?:\s|\Z)))")


# Two words may be joined for many reasons: other things than names make an enumeration from three on.
_NAMES = _following(_NAME, 1)
_THINGS = _following(_THING, 2)
_SEPARATED = re.compile(rf",\s|{_JOINED}")
_GOES_ON = re.compile(rf"\s(?!{_NO_ITEM})\w", re.IGNORECASE)
_IN_THE_MIDDLE = re.compile(rf"(?:,\s|{_JOINED}){_ARTICLE}\Z")


def enumeration_end(text: str, start: int, end: int) -> int:
    """Return where the enumeration ends that begins with ``text[start:end]``; ``end`` where there is none."""
    item = text[start:end]
    if _SEPARATED.search(item) or _IN_THE_MIDDLE.search(text, max(0, start - 10), start):
        return end
    if (item[:1].isupper() or item[:1].isdigit()) and (names := _NAMES.match(text, end)):
        return names.end()
    things = _THINGS.match(text, end)
    # What is longer than an item may be is the next clause.
    return end if things is None or _GOES_ON.match(text, things.end()) else things.end()
