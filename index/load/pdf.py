"""PDF -> Document: the text layer, page by page. Knows no images: scanned pages are reported, not read.

The canonical text mends what typesetting did to words (hyphens at line ends, ligatures) and nothing else;
running headers, footers and page numbers stay in it, marked.
"""

from __future__ import annotations

import io
import logging
import re
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import cast

import pypdf
from pypdf.errors import DependencyError, DeprecationError, PyPdfError
from pypdf.generic import Destination

from index.errors import DamagedFile, EmptyDocument
from index.load.files import shown
from index.load.parts import MAX_TITLE, PARSER_FAULTS, Heading, sections_from, stated_title, tidy
from index.types import Document, Range, document_id

SECONDS_A_PAGE = 30.0
"""A page that takes longer is given up: real ones take well under a second."""

MAX_SLOW_PAGES = 3
MAX_BOOKMARKS = 10_000
PAGE_BREAK = "\n\n"

_FAULTS = (PyPdfError, DeprecationError, *PARSER_FAULTS)
_LIGATURES = str.maketrans(
    dict(
        zip(
            "\ufb00\ufb01\ufb02\ufb03\ufb04\ufb05\ufb06",
            ("ff", "fi", "fl", "ffi", "ffl", "st", "st"),
            strict=True,
        )
    )
)
_CONTROLS = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")
_COMPOUND = re.compile(r"\w++(?:[-\u2010]\w++)+")
_BROKEN_WORD = re.compile(r"(\w+(?:[-\u2010]\w+)*)[-\u2010]$")
_PAGE_NUMBER = re.compile(r"\W*(?:page\s+)?(\d{1,5})(?:\s*(?:of|/)\s*\d{1,5})?\W*", re.IGNORECASE)


class _TooSlow(PyPdfError):
    """A page took longer than it may."""


def parse(path: Path, data: bytes) -> Document:
    """Return the text of all pages, joined by blank lines, with ``pages`` and, from bookmarks, sections.

    Raises:
        EmptyDocument: no page has text.
        DamagedFile: the file is no PDF, is broken beyond reading, or is locked with a password.
    """
    _be_quiet()
    try:
        return _read(path, _open(path, data))
    except DependencyError as error:
        raise DamagedFile(
            f"{shown(path)} is encrypted in a way that needs one more package (pip install cryptography): "
            "install it, or remove the encryption and try again"
        ) from error


def _be_quiet() -> None:
    """Keep pypdf's remarks on each broken object out of the terminal; applications can still log them."""
    logger = logging.getLogger("pypdf")
    if not logger.handlers:
        logger.addHandler(logging.NullHandler())


def _read(path: Path, reader: pypdf.PdfReader) -> Document:
    extracted, broken = _extract(path, reader)
    pages = mend_words([_clean(page) for page in extracted])
    if not any(page.strip() for page in pages):
        raise EmptyDocument(
            f"{shown(path)}: no page has text (scanned?); run OCR first, for example with ocrmypdf"
        )
    text = PAGE_BREAK.join(pages)
    ranges = _page_ranges(pages)
    title = _metadata_title(reader) or path.stem
    source = str(path)
    return Document(
        document_id(source),
        source,
        title,
        text,
        sections_from(_headings(reader, text, ranges), text, title),
        pages=ranges,
        marked=tidy(_running_lines(text, ranges), text),
        warnings=_warnings(pages, broken),
    )


def _open(path: Path, data: bytes) -> pypdf.PdfReader:
    name = shown(path)
    if b"%PDF-" not in data[:4096]:
        raise DamagedFile(
            f"{name} is not a PDF, whatever its name says: rename it to what it is, or export it again"
        )
    try:
        reader = pypdf.PdfReader(io.BytesIO(data))
        locked = reader.is_encrypted and not reader.decrypt("")
    except _FAULTS as error:
        raise _damaged(path, error) from error
    if locked:
        raise DamagedFile(f"{name} is locked with a password: remove the password and try again")
    return reader


def _damaged(path: Path, error: Exception) -> DamagedFile:
    reason = shown(" ".join(str(error).split())[:200]) or type(error).__name__
    return DamagedFile(f"{shown(path)} is a broken PDF ({reason}): export or download it again")


def _extract(path: Path, reader: pypdf.PdfReader) -> tuple[list[str], list[int]]:
    """Return each page's raw text, and the numbers of the pages that could not be read."""
    pages: list[str] = []
    broken: list[int] = []
    slow = 0
    try:
        for number, page in enumerate(reader.pages, 1):
            try:
                pages.append(_page_text(page))
            except _FAULTS as error:
                pages.append("")
                broken.append(number)
                slow += isinstance(error, _TooSlow)
                if slow == MAX_SLOW_PAGES:
                    raise _damaged(path, error) from error
    except _FAULTS as error:
        if not any(pages):
            raise _damaged(path, error) from error
        broken.append(len(pages) + 1)
    if broken and not any(pages):
        raise DamagedFile(f"{shown(path)} is a broken PDF (no page can be read): export or download it again")
    return pages, broken


def _page_text(page: pypdf.PageObject) -> str:
    deadline = time.monotonic() + SECONDS_A_PAGE

    def check(*_: object) -> None:
        if time.monotonic() > deadline:
            raise _TooSlow(f"a page took more than {SECONDS_A_PAGE:.0f} seconds")

    return page.extract_text(visitor_operand_before=check)


def _clean(page: str) -> str:
    """Return a page without what nobody can see or type, and without blank lines around it."""
    page = page.replace("\r\n", "\n").replace("\r", "\n").translate(_LIGATURES)
    page = _CONTROLS.sub("", page)
    page = page.encode("utf-16", "surrogatepass").decode(
        "utf-16", "replace"
    )  # joins pairs, replaces the rest
    lines = [line.rstrip() for line in page.split("\n")]
    return "\n".join(lines).strip("\n")


def mend_words(pages: Sequence[str]) -> list[str]:
    """Join words that were hyphenated at line ends; the line break moves behind the word.

    The hyphen stays where it belongs to the word: if the hyphenated form occurs elsewhere in the document,
    if the word has another hyphen, and before capitals and digits.
    """
    compounds = {
        match[0].replace("\u2010", "-").lower() for page in pages for match in _COMPOUND.finditer(page)
    }
    return ["\n".join(_mended(page.split("\n"), compounds)).replace("\u00ad", "") for page in pages]


def _mended(lines: Iterable[str], compounds: set[str]) -> Iterator[str]:
    pending: str | None = None
    for line in lines:
        joined = None if pending is None else _join(pending, line, compounds)
        if joined is None:
            if pending is not None:
                yield pending
            pending = line
        else:
            head, rest = joined
            if rest:
                yield head
            pending = rest or head
    if pending is not None:
        yield pending


def _join(line: str, following: str, compounds: set[str]) -> tuple[str, str] | None:
    """Return ``line`` with its word completed and the rest of ``following``; ``None`` if no word is cut."""
    words = following.split(None, 1)
    if not words or following[0].isspace() or not words[0][0].isalnum():
        return None
    rest = words[1] if len(words) == 2 else ""
    if line.endswith("\u00ad"):
        return line[:-1] + words[0], rest
    cut = _BROKEN_WORD.search(line[-80:])
    if cut is None:
        return None
    first, second = cut[1], cast("re.Match[str]", re.match(r"\w+", words[0]))[0]
    keeps = (
        "-" in first
        or not first[-1].isalpha()
        or not second[0].islower()
        or f"{first}-{second}".lower() in compounds
    )
    return (line if keeps else line[:-1]) + words[0], rest


def _page_ranges(pages: Sequence[str]) -> tuple[Range, ...]:
    ranges = []
    start = 0
    for page in pages:
        ranges.append(Range(start, start + len(page)))
        start += len(page) + len(PAGE_BREAK)
    return tuple(ranges)


def _running_lines(text: str, pages: Sequence[Range]) -> Iterator[Range]:
    """Find page numbers, and first and last lines that recur on most pages."""
    edges = [list(_edge_lines(text, page)) for page in pages]
    numbers = _page_numbers(text, edges)
    yield from numbers
    for edge in range(2):
        lines = [next((line for line in page[edge] if line not in numbers), None) for page in edges if page]
        shapes = Counter(_shape(text, line) for line in lines if line is not None)
        for line in lines:
            if line is not None and shapes[_shape(text, line)] > max(2, len(pages) // 2):
                yield line


def _edge_lines(text: str, page: Range) -> Iterator[list[Range]]:
    """Yield the first two lines of a page with text, then its last two from the bottom; nothing if blank."""
    lines = []
    start = page.start
    for line in text[page.start : page.end].split("\n"):
        if line.strip():
            lines.append(Range(start, start + len(line)))
        start += len(line) + 1
    if lines:
        yield lines[:2]
        yield lines[:-3:-1]


def _shape(text: str, line: Range) -> str:
    return re.sub(r"\d+", "#", " ".join(text[line.start : line.end].split()))


def _page_numbers(text: str, edges: Sequence[Sequence[Sequence[Range]]]) -> set[Range]:
    """Return bare numbers in first or last lines that count the pages, wherever the count starts."""
    found: dict[int, dict[int, Range]] = {}
    for index, page in enumerate(edges):
        for lines in page:
            match = _PAGE_NUMBER.fullmatch(text, lines[0].start, lines[0].end)
            if match:
                found.setdefault(int(match[1]) - index, {})[index] = lines[0]
    counts = [lines for lines in found.values() if len(lines) > 1]
    return {line for lines in counts for line in lines.values()}


def _metadata_title(reader: pypdf.PdfReader) -> str:
    try:
        metadata = reader.metadata
        return stated_title(_clean(str(metadata.title or ""))) if metadata else ""
    except _FAULTS:  # a broken title is no reason to refuse the text
        return ""


def _headings(reader: pypdf.PdfReader, text: str, pages: Sequence[Range]) -> list[Heading]:
    """Return the bookmarks as headings, each where its title stands on its page, or at the page's start."""
    headings: list[Heading] = []
    searched = 0
    try:
        for title, number in _bookmarks(reader):
            if number is None or not 0 <= number < len(pages) or not 0 < len(title) <= MAX_TITLE:
                continue
            page = pages[number]
            if page.start == page.end:
                continue
            at = _title_line(text, title, Range(max(page.start, min(searched, page.end)), page.end))
            at = at or _title_line(text, title, page)
            headings.append(Heading(at.start if at else page.start, title, at))
            searched = at.end if at else searched
    except _FAULTS:  # a broken outline is no reason to refuse the text
        return []
    return headings


def _bookmarks(reader: pypdf.PdfReader) -> Iterator[tuple[str, int | None]]:
    waiting = list(reversed(cast("list[object]", reader.outline)))
    for _ in range(MAX_BOOKMARKS):
        if not waiting:
            return
        item = waiting.pop()
        if isinstance(item, list):
            waiting += reversed(item)
        elif isinstance(item, Destination):
            yield " ".join(_clean(str(item.title or "")).split()), reader.get_destination_page_number(item)


def _title_line(text: str, title: str, where: Range) -> Range | None:
    """Find a title that has a line, or several, to itself; a section number may precede it."""
    words = r"\s+".join(re.escape(word) for word in title.split())
    pattern = re.compile(
        rf"^[ \t]*(?:[\dIVXLA-Z]{{1,5}}(?:\.\d{{1,3}}){{0,4}}[.):]?[ \t]+)?({words})[ \t]*$", re.MULTILINE
    )
    match = pattern.search(text, where.start, where.end)
    return Range(match.start(1), match.end(1)) if match else None


def _warnings(pages: Sequence[str], broken: Sequence[int]) -> tuple[str, ...]:
    silent = [n for n, page in enumerate(pages, 1) if not page.strip() and n not in set(broken)]
    warnings = []
    if silent:
        warnings.append(f"no text on {_listed(silent)} (scanned?)")
    if broken:
        warnings.append(f"{_listed(broken)} could not be read (broken PDF?)")
    return tuple(warnings)


def _listed(numbers: Sequence[int]) -> str:
    """Write page numbers as people do: "page 3", "pages 3, 7-9"."""
    breaks = [n for n, (a, b) in enumerate(pairwise(numbers), 1) if b != a + 1]
    runs = [numbers[a:b] for a, b in pairwise([0, *breaks, len(numbers)])]
    listing = ", ".join(str(r[0]) if len(r) == 1 else f"{r[0]}-{r[-1]}" for r in runs)
    return f"page{'s' * (len(numbers) > 1)} {listing}"
