"""HTML -> Document: what a reader of the page would see, as text. Knows no JavaScript and no style sheets."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from selectolax.lexbor import LexborHTMLParser, LexborNode, SelectolaxError

from index.errors import DamagedFile
from index.load.decode import decode_file
from index.load.files import shown
from index.load.front_matter import NONE, FrontMatter
from index.load.html_meta import Metadata
from index.load.html_table import data_tables, read_table
from index.load.html_text import Layout
from index.load.html_tree import BLOCKS, HEADINGS, SKIPPED, hidden, shallow, walk
from index.load.parts import MAX_TITLE, PARSER_FAULTS, Heading, sections_from, stated_date, tidy, trimmed
from index.types import Document, Range, document_id

_NEXT_LINE = frozenset(["li", "dt", "dd", "tr", "option", "optgroup", "summary", "legend"])
"""Blocks that begin on the next line; the others leave a blank line."""

BOILERPLATE = frozenset(["nav", "aside", "button", "select"])
_ROLES = frozenset(["navigation", "banner", "contentinfo", "search"])
_SECTIONING = frozenset(["article", "aside", "main", "nav", "section"])
_BULLET = "- "
# As many digits as CommonMark allows.
_LONGEST_NUMBER = 9
_CHARSET = re.compile(rb"<meta[^<>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.IGNORECASE)


def parse(path: Path, data: bytes) -> Document:
    """Return the page's visible text; menus and other structural boilerplate are in ``marked``.

    Raises:
        DamagedFile: the bytes are no text, or the parser gave up.
    """
    declared = _CHARSET.search(data[:4096])
    decoded = decode_file(path, data, declared[1].decode("ascii", "replace") if declared else None)
    return read_page(path, decoded.text, decoded.warnings)


def read_page(path: Path, source: str, warnings: tuple[str, ...] = (), front: FrontMatter = NONE) -> Document:
    """Return what the HTML ``source`` shows, below ``front``, which stands marked at the top.

    Raises:
        DamagedFile: the parser gave up.
    """
    page = _Page(front)
    try:
        root = LexborHTMLParser(shallow(source)).root
        if root is not None:
            page.read(root)
    except (SelectolaxError, *PARSER_FAULTS) as error:
        raise DamagedFile(f"{shown(path)} cannot be read as HTML ({error}): save the page again") from error
    return page.document(path, warnings)


@dataclass(slots=True, eq=False)
class _Article:
    """An <article> element, told from others by identity."""

    start: int


@dataclass(frozen=True, slots=True)
class _Found:
    """A heading or a <time>: where its text is, in which article, and the date a <time> states."""

    at: Range
    article: _Article | None
    date: str | None = None


@dataclass(slots=True)
class _Parts:
    titles: list[_Found] = field(default_factory=list)
    times: list[_Found] = field(default_factory=list)
    marked: list[Range] = field(default_factory=list)
    forms: list[Range] = field(default_factory=list)


class _Page:
    """One walk over a page. Every element entered says what is to be done when it is left."""

    def __init__(self, front: FrontMatter) -> None:
        self._front = front
        self._out = Layout()
        self._out.add_verbatim(front.text)
        self._out.separate(2)
        # Of each open list the number of its next item; None where it has bullets.
        self._lists: list[int | None] = []
        self._parts = _Parts()
        self._meta = Metadata()
        self._leaving: list[list[Callable[[], object]]] = []
        self._inside: Counter[str] = Counter()
        self._articles: list[_Article] = []
        self._data_tables: frozenset[int] = frozenset()

    def read(self, root: LexborNode) -> None:
        """Take a whole tree."""
        self._data_tables = data_tables(root)
        walk(root, self._enter, self._leave)

    def document(self, path: Path, warnings: tuple[str, ...]) -> Document:
        """Return what was read."""
        text = self._out.value()
        short_forms = [r for r in self._parts.forms if (r.end - r.start) * 2 < len(text)]
        front = Range(0, len(self._front.text))
        # A page may be one form: that is no boilerplate.
        marked = tidy([front, *self._parts.marked, *short_forms], text)
        titles = _shown_in_text(self._parts.titles, marked, self._out.prefixes, text)
        times = _with_dates(_shown_in_text(self._parts.times, marked, self._out.prefixes, text), text)
        headings = _headings(titles, times, text)
        first = next((h.title for h in headings), "")
        title = self._front.title or self._meta.title or self._meta.og_title or first or path.stem
        if not headings and times:
            headings = [Heading(front.end, title, None, times[0].date, times[0].at)]
        source = str(path)
        return Document(
            document_id(source),
            source,
            title,
            text,
            sections_from(headings, text, title, self._front.date or self._meta.date, front.end),
            marked=marked,
            warnings=warnings,
        )

    def _enter(self, node: LexborNode) -> bool:
        tag = node.tag or ""
        if tag == "-text":
            add = self._out.add_verbatim if self._inside["pre"] else self._out.add
            add(node.text_content or "")
            return False
        if tag.startswith("-") and tag != "-document":
            return False
        attributes = node.attributes
        if tag in SKIPPED:
            self._metadata(tag, node, attributes)
            return False
        if hidden(tag, attributes):
            return False
        if tag == "table" and node.mem_id in self._data_tables:
            self._table(node)
            return False
        self._leaving.append([])
        self._open(tag, attributes)
        return True

    def _leave(self, _: LexborNode) -> None:
        for action in reversed(self._leaving.pop()):
            action()

    def _metadata(self, tag: str, node: LexborNode, attributes: dict[str, str | None]) -> None:
        if tag == "meta":
            self._meta.read_meta(attributes)
        elif tag == "title":
            self._meta.title = self._meta.title or " ".join(node.text().split())[:MAX_TITLE]
        elif tag == "script" and (attributes.get("type") or "").lower() == "application/ld+json":
            self._meta.read_json(node.text())

    def _open(self, tag: str, attributes: dict[str, str | None]) -> None:
        if tag == "br":
            self._out.line_break()
        elif tag in BLOCKS:
            breaks = 1 if tag in _NEXT_LINE else 2
            self._out.separate(breaks)
            self._on_leaving(lambda: self._out.separate(breaks))
        if tag in {"ul", "menu", "ol"}:
            self._lists.append(_first_number(attributes) if tag == "ol" else None)
            self._on_leaving(self._lists.pop)
        elif tag == "li":
            self._out.prefix(self._next_mark(attributes))
            self._on_leaving(lambda: self._out.prefix(""))
        elif tag == "article":
            self._articles.append(_Article(self._out.length))
            self._on_leaving(self._articles.pop)
        self._open_boilerplate(tag, attributes)
        for group, tags in (("pre", {"pre"}), ("sectioning", _SECTIONING)):
            if tag in tags:
                self._count(group)
        if tag in HEADINGS:
            self._on_text(lambda at, article: self._parts.titles.append(_Found(at, article)))
        elif tag == "time":
            stated = stated_date(attributes.get("datetime") or "")
            self._on_text(lambda at, article: self._parts.times.append(_Found(at, article, stated)))

    def _next_mark(self, attributes: dict[str, str | None]) -> str:
        """Return what stands before the next item of the innermost list."""
        due = self._lists[-1] if self._lists else None
        if due is None:
            return _BULLET
        number = due if (stated := _number(attributes.get("value"))) is None else stated
        self._lists[-1] = number + 1
        return f"{number}. "

    def _open_boilerplate(self, tag: str, attributes: dict[str, str | None]) -> None:
        role = (attributes.get("role") or "").lower()
        of_page = tag in {"header", "footer"} and not self._inside["sectioning"]
        if tag == "form":
            self._on_text(lambda at, _: self._parts.forms.append(at))
        elif tag in BOILERPLATE or role in _ROLES or of_page:
            self._on_text(lambda at, _: self._parts.marked.append(at))

    def _on_text(self, take: Callable[[Range, _Article | None], None]) -> None:
        """Hand over the range of the element's text, and the article it is in, when it is left."""
        start = self._out.length
        article = self._articles[-1] if self._articles else None
        self._on_leaving(lambda: take(Range(start, self._out.length), article))

    def _count(self, group: str) -> None:
        self._inside[group] += 1
        self._on_leaving(lambda: self._inside.subtract([group]))

    def _on_leaving(self, action: Callable[[], object]) -> None:
        self._leaving[-1].append(action)

    def _table(self, table: LexborNode) -> None:
        self._out.separate(2)
        for line in read_table(table):
            self._out.add(line)
            self._out.separate(1)
        self._out.separate(2)


def _first_number(attributes: dict[str, str | None]) -> int | None:
    """Return the number of a list's first item; ``None`` where items are not numbered from there up."""
    if "reversed" in attributes or (attributes.get("type") or "1") != "1":
        return None
    start = attributes.get("start")
    return 1 if start is None else _number(start)


def _number(written: str | None) -> int | None:
    """Return a number that CommonMark could write before an item, else ``None``."""
    if written is None or len(written) > _LONGEST_NUMBER or not (written.isascii() and written.isdigit()):
        return None
    return int(written)


def _shown_in_text(
    found: Sequence[_Found], marked: Sequence[Range], list_marks: Mapping[int, int], text: str
) -> list[_Found]:
    """Return, in order, those with text of their own outside boilerplate, their ranges without list marks."""
    ends = [r.end for r in marked]
    kept = []
    for item in found:
        at = trimmed(item.at, text)
        mark_end = list_marks.get(at.start, at.start)
        at = trimmed(Range(mark_end, max(at.end, mark_end)), text)
        behind = bisect_right(ends, at.start)
        covered = behind < len(marked) and marked[behind].start <= at.start
        if at.start < at.end and not covered:
            kept.append(replace(item, at=at))
    return sorted(kept, key=lambda item: item.at.start)


def _with_dates(times: Sequence[_Found], text: str) -> list[_Found]:
    dated = (replace(t, date=t.date or stated_date(text[t.at.start : t.at.end])) for t in times)
    return [t for t in dated if t.date]


def _headings(titles: Sequence[_Found], times: Sequence[_Found], text: str) -> list[Heading]:
    """Give each heading its section's start and date.

    An article's first heading starts its section where the article starts, so that a date or a kicker
    above the heading belongs to it. A date in an article is the date of all its sections.
    """
    headings: list[Heading] = []
    articles: list[_Article | None] = []
    headed: set[_Article] = set()
    last_end = 0
    for title in titles:
        start, article = title.at.start, title.article
        if article is not None and article not in headed and article.start >= last_end:
            start = _next_text(text, article.start)
        name = " ".join(text[title.at.start : title.at.end].split())
        if len(name) <= MAX_TITLE and start >= last_end:  # of nested headings the outer one counts
            headings.append(Heading(start, name, title.at))
            articles.append(article)
            headed.update({article} if article is not None else ())
            last_end = title.at.end
    _date_sections(headings, articles, times)
    return headings


def _next_text(text: str, start: int) -> int:
    found = re.compile(r"\S").search(text, start)
    return found.start() if found else start


def _date_sections(
    headings: list[Heading], articles: Sequence[_Article | None], times: Sequence[_Found]
) -> None:
    starts = [h.start for h in headings]
    of_article: dict[_Article, _Found] = {}
    for time in reversed(times):
        if time.article is not None:
            of_article[time.article] = time
    headed = set(articles) - {None}
    of_section = {bisect_right(starts, t.at.start) - 1: t for t in reversed(times) if t.article not in headed}
    for n, (heading, article) in enumerate(zip(headings, articles, strict=True)):
        found = (of_article.get(article) if article is not None else None) or of_section.get(n)
        if found is not None:
            first, last = (bisect_right(starts, at) - 1 for at in (found.at.start, found.at.end - 1))
            inside = first == n == last
            headings[n] = replace(heading, date=found.date, date_at=found.at if inside else None)
