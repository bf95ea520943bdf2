"""The YAML block that many tools write at the very top of a text: its title and its date. No other YAML."""

from __future__ import annotations

import re
from dataclasses import dataclass

from index.load.parts import MAX_TITLE, stated_date

_CLOSING = re.compile(r"^(?:---|\.\.\.)[ \t]*$", re.MULTILINE)
_ANY_KEY = re.compile(r"^[\w-]+[ \t]*:", re.MULTILINE)
_KEY = re.compile(r"(title|date)[ \t]*:[ \t]*(.*)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FrontMatter:
    """The block with its fences, and what it states; ``date`` is ISO 8601. All empty where there is none."""

    text: str = ""
    title: str = ""
    date: str | None = None


NONE = FrontMatter()


def front_matter(text: str) -> FrontMatter:
    """Read the block at the very top of ``text``."""
    if not text.startswith("---\n"):
        return NONE
    closing = _CLOSING.search(text, 4)
    block = text[4 : closing.start()] if closing else ""
    if closing is None or not _ANY_KEY.search(block):
        return NONE  # a rule, not front matter
    values = {}
    for line in block.split("\n"):
        if match := _KEY.match(line):
            values[match[1].lower()] = _unquoted(match[2])
    title = " ".join(values.get("title", "").split())
    return FrontMatter(text[: closing.end()], title[:MAX_TITLE], stated_date(values.get("date", "")))


def _unquoted(value: str) -> str:
    value = value.strip()
    if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'":
        return value[1:-1]
    return "" if value[:1] in {"|", ">", "[", "{", "&", "*"} else value.split(" #")[0].rstrip()
