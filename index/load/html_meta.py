"""What a page's head says of it: title and date. Never runs a script; JSON-LD is parsed as data."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from index.load.parts import stated_date

MAX_JSON = 1_000_000
_DATE_NAMES = frozenset(
    [
        "article:published_time",
        "date",
        "dc.date",
        "dc.date.issued",
        "dcterms.date",
        "dcterms.issued",
        "dcterms.created",
        "pubdate",
        "publishdate",
        "publish-date",
        "publish_date",
        "citation_publication_date",
        "parsely-pub-date",
        "datepublished",
        "article.published",
    ]
)


@dataclass(slots=True)
class Metadata:
    """Titles and dates as they are met; the first of a kind stays."""

    title: str = ""
    og_title: str = ""
    dates: dict[str, str] = field(default_factory=dict)

    @property
    def date(self) -> str | None:
        """The page's publication date."""
        ranked = ("article:published_time", "json-ld", *sorted(self.dates))
        return next((self.dates[name] for name in ranked if name in self.dates), None)

    def read_meta(self, attributes: dict[str, str | None]) -> None:
        """Take a <meta> element."""
        content = attributes.get("content") or ""
        for key in ("property", "name", "itemprop"):
            name = (attributes.get(key) or "").lower()
            if name == "og:title":
                self.og_title = self.og_title or " ".join(content.split())
            elif name in _DATE_NAMES and (found := stated_date(content)):
                self.dates.setdefault(name, found)

    def read_json(self, source: str) -> None:
        """Take the publication date of a JSON-LD block."""
        if len(source) > MAX_JSON or "json-ld" in self.dates:
            return
        try:
            waiting: list[object] = [json.loads(source)]
        except (ValueError, RecursionError):
            return
        while waiting:
            value = waiting.pop()
            if isinstance(value, list):
                waiting += value
            elif isinstance(value, dict):
                stated = value.get("datePublished")
                if isinstance(stated, str) and (found := stated_date(stated)):
                    self.dates["json-ld"] = found
                    return
                waiting += value.values()
