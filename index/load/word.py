"""DOCX -> Document: paragraphs, lists and tables in the order of the body. Knows no .doc.

The archive is checked before anything is parsed: how large it unpacks, and that no part declares entities.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import docx
from docx.opc.exceptions import OpcError

from index.errors import DamagedFile
from index.load.files import shown
from index.load.parts import MAX_TITLE, PARSER_FAULTS, Heading, sections_from, stated_title, tidy
from index.load.tables import table_lines
from index.types import Document, Range, document_id

if TYPE_CHECKING:
    from docx.document import Document as WordDocument

MAX_UNPACKED = 200_000_000
MAX_XML = 64_000_000
"""A parsed part takes ten times its size in memory."""

MAX_MEMBERS = 20_000
MAX_SPAN = 100

_FAULTS = (OpcError, *PARSER_FAULTS)
_W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
_MATH_TEXT = "{http://schemas.openxmlformats.org/officeDocument/2006/math}t"
_FALLBACK = "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback"
_OLD_OFFICE = b"\xd0\xcf\x11\xe0"
_DOCTYPE = re.compile(rb"<\x00?!\x00?D\x00?O\x00?C\x00?T\x00?Y\x00?P\x00?E", re.IGNORECASE)
_NUMBER = re.compile(r"[\d\s.,:%()+/$€£-]+")

_WITHOUT_TEXT = {
    _FALLBACK,
    *(_W + tag for tag in ("del", "moveFrom", "pPr", "rPr", "instrText", "delText", "txbxContent", "sectPr")),
}
_AS_TEXT = {_W + "tab": "\t", _W + "br": "\n", _W + "cr": "\n", _W + "noBreakHyphen": "-"}


@dataclass(frozen=True, slots=True)
class _Style:
    heading: bool = False
    contents: bool = False
    listed: bool = False


@dataclass(frozen=True, slots=True)
class _Block:
    """One paragraph or table row of the canonical text."""

    text: str
    style: _Style = _Style()
    row: bool = False


@dataclass(slots=True)
class _Canonical:
    parts: list[str] = field(default_factory=list)
    length: int = 0
    headings: list[Heading] = field(default_factory=list)
    marked: list[Range] = field(default_factory=list)

    def add(self, block: _Block, separator: str) -> None:
        """Put a block behind the others."""
        separator = separator if self.length else ""
        start = self.length + len(separator)
        self.parts += [separator, block.text]
        self.length = start + len(block.text)
        at = Range(start, self.length)
        if block.style.contents:
            self.marked.append(at)
        elif block.style.heading and len(block.text) <= MAX_TITLE:
            self.headings.append(Heading(start, " ".join(block.text.split()), at))


def parse(path: Path, data: bytes) -> Document:
    """Return the body's text with sections by heading; a table of contents is in ``marked``.

    Raises:
        DamagedFile: the file is no DOCX, is broken, locked with a password, or unpacks to too much.
    """
    _check_archive(path, data)
    try:
        word = docx.Document(io.BytesIO(data))
        canonical = _canonical(word)
        stated = _core_title(word)
    except _FAULTS as error:
        raise _damaged(path, error) from error
    text = "".join(canonical.parts)
    first = next((h.title for h in canonical.headings), "")
    title = stated or first or path.stem
    source = str(path)
    return Document(
        document_id(source),
        source,
        title,
        text,
        sections_from(canonical.headings, text, title),
        marked=tidy(canonical.marked, text),
    )


def _damaged(path: Path, error: Exception) -> DamagedFile:
    reason = shown(" ".join(str(error).split())[:200]) or type(error).__name__
    return DamagedFile(
        f"{shown(path)} is a broken DOCX ({reason}): open it in a word processor and save it again"
    )


def _check_archive(path: Path, data: bytes) -> None:
    """Refuse what is unsafe to parse.

    Raises:
        DamagedFile: see :func:`parse`.
    """
    name = shown(path)
    if data.startswith(_OLD_OFFICE):
        raise DamagedFile(
            f"{name} is locked with a password, or is an old .doc: remove the password, or save it as .docx"
        )
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            if len(members) > MAX_MEMBERS or sum(m.file_size for m in members) > MAX_UNPACKED:
                limit = MAX_UNPACKED // 1_000_000
                raise DamagedFile(
                    f"{name} unpacks to more than {limit} MB: split it, or save it without its images"
                )
            _check_parts(name, archive)
    except _FAULTS as error:
        raise _damaged(path, error) from error


def _check_parts(name: str, archive: zipfile.ZipFile) -> None:
    names = archive.namelist()
    if "[Content_Types].xml" not in names or not any(n.endswith("document.xml") for n in names):
        raise DamagedFile(
            f"{name} is a zip archive but not a DOCX: rename it to what it is, or save it again as .docx"
        )
    for member in archive.infolist():
        if not member.filename.lower().endswith((".xml", ".rels")):
            continue
        if member.file_size > MAX_XML:
            raise DamagedFile(f"{name} holds more than {MAX_XML // 1_000_000} MB of markup: split it")
        if _DOCTYPE.search(archive.read(member)):  # Word writes none; entity bombs need one
            raise DamagedFile(
                f"{name} declares XML entities, which no DOCX needs: do not trust it, or save it again"
            )


def _core_title(word: WordDocument) -> str:
    try:
        return stated_title(word.core_properties.title)
    except _FAULTS:  # broken properties are no reason to refuse the text
        return ""


def _canonical(word: WordDocument) -> _Canonical:
    styles = _styles(word)
    header_styles = _header_row_styles(word)
    result = _Canonical()
    previous: _Block | None = None
    for block in _blocks(word.element.body, styles, header_styles):
        together = previous is not None and (
            (block.row and previous.row) or (block.style.listed and previous.style.listed)
        )
        result.add(block, "\n" if together else "\n\n")
        previous = block
    return result


def _styles(word: WordDocument) -> dict[str, _Style]:
    """Return what each paragraph style means, by id; a style means what the one it is based on means."""
    elements = {s.get(_W + "styleId"): s for s in word.styles.element.iter(_W + "style")}
    return {style: _style(style, elements) for style in elements}


def _style(style: str | None, elements: Mapping[str | None, Any]) -> _Style:
    for _ in range(10):
        element = elements.get(style)
        if element is None:
            break
        name = _value(element, "name").lower()
        identity = (style or "").lower()
        if name.startswith("toc ") or identity.startswith("toc"):
            return _Style(contents=True)
        if (
            name == "title"
            or identity == "title"
            or name.startswith("heading")
            or identity.startswith("heading")
        ):
            return _Style(heading=True)
        numbered = element.find(f"{_W}pPr/{_W}numPr")
        if numbered is not None or re.match(r"list (bullet|number)", name):
            return _Style(listed=True)
        style = _value(element, "basedOn")
    return _Style()


def _value(element: Any, child: str) -> str:
    found = element.find(_W + child)
    return "" if found is None else found.get(_W + "val") or ""


def _header_row_styles(word: WordDocument) -> frozenset[str]:
    """Return the ids of the table styles that set the first row off."""
    return frozenset(
        style.get(_W + "styleId")
        for style in word.styles.element.iter(_W + "style")
        if any(part.get(_W + "type") == "firstRow" for part in style.iter(_W + "tblStylePr"))
    )


def _blocks(parent: Any, styles: Mapping[str, _Style], header_styles: frozenset[str]) -> Iterator[_Block]:
    """Yield the blocks under an element; the parser bounds how deep elements nest, so recursion is safe."""
    for child in parent:
        if child.tag == _W + "p":
            yield from _paragraph(child, styles)
            for box in _text_boxes(child):
                yield from _blocks(box, styles, header_styles)
        elif child.tag == _W + "tbl":
            yield from _table(child, styles, header_styles)
        elif child.tag not in _WITHOUT_TEXT and isinstance(child.tag, str):
            yield from _blocks(child, styles, header_styles)


def _paragraph(element: Any, styles: Mapping[str, _Style]) -> Iterator[_Block]:
    text = "".join(_texts(element)).strip()
    if not text:
        return
    properties = element.find(_W + "pPr")
    style = _Style()
    if properties is not None:
        style = styles.get(_value(properties, "pStyle"), style)
        numbering = properties.find(_W + "numPr")
        if numbering is not None and not (style.heading or style.contents):
            style = _Style(listed=_value(numbering, "numId") != "0")
    yield _Block(f"- {text}" if style.listed else text, style)


def _texts(element: Any) -> Iterator[str]:
    """Yield the visible text under an element: insertions and links included, deletions not."""
    for child in element:
        tag = child.tag
        if tag in {_W + "t", _MATH_TEXT}:
            yield child.text or ""
        elif tag in _AS_TEXT:
            yield _AS_TEXT[tag]
        elif tag in _WITHOUT_TEXT or not isinstance(tag, str) or (tag == _W + "r" and _is_hidden(child)):
            continue
        else:
            yield from _texts(child)


def _is_hidden(run: Any) -> bool:
    return _is_on(run.find(f"{_W}rPr/{_W}vanish"))


def _is_on(switch: Any) -> bool:
    return switch is not None and switch.get(_W + "val") not in {"0", "false", "off"}


def _text_boxes(element: Any) -> Iterator[Any]:
    for child in element:
        if child.tag == _W + "txbxContent":
            yield child
        elif child.tag not in _WITHOUT_TEXT:
            yield from _text_boxes(child)


def _table(element: Any, styles: Mapping[str, _Style], header_styles: frozenset[str]) -> Iterator[_Block]:
    rows = [list(_inside(row, "tc")) for row in _inside(element, "tr")]
    blocks = [[[*_blocks(cell, styles, header_styles)] for cell in row] for row in rows]
    cells = [block for row in blocks for cell in row for block in cell]
    if max((len(row) for row in rows), default=0) < 2 or any(b.style.heading or b.row for b in cells):
        yield from cells  # one column, or headings, or tables inside: it lays out the page
        return
    grid = [_slots(row, texts) for row, texts in zip(rows, blocks, strict=True)]
    header = _header(element, rows[0], grid, header_styles)
    for line in table_lines(grid[1:] if header else grid, header):
        yield _Block(line, row=True)


def _inside(element: Any, tag: str) -> Iterator[Any]:
    """Yield the nearest elements with a tag, through content controls and tracked insertions."""
    for child in element:
        if child.tag == _W + tag:
            properties = child.find(_W + "trPr")
            if properties is None or properties.find(_W + "del") is None:
                yield child
        elif child.tag in {_W + "sdt", _W + "sdtContent", _W + "ins", _W + "customXml", _W + "moveTo"}:
            yield from _inside(child, tag)


def _slots(row: list[Any], blocks: list[list[_Block]]) -> list[str]:
    """Put a row's cells into columns; what a merged cell covers is empty."""
    slots: list[str] = []
    for cell, inside in zip(row, blocks, strict=True):
        merge = cell.find(f"{_W}tcPr/{_W}vMerge")
        continues = merge is not None and merge.get(_W + "val") != "restart"
        span = cell.find(f"{_W}tcPr/{_W}gridSpan")
        digits = "" if span is None else span.get(_W + "val") or ""
        width = min(max(int(digits), 1), MAX_SPAN) if digits.isdecimal() else 1
        slots.append("" if continues else " ".join(" ".join(b.text for b in inside).split()))
        slots += [""] * (width - 1)
    return [slots[0]] if len(row) == 1 and len(slots) > 1 else slots


def _header(
    element: Any, first: list[Any], grid: list[list[str]], header_styles: frozenset[str]
) -> list[str] | None:
    names = grid[0]
    if len(grid) < 2 or not any(names):
        return None
    if any(_is_on(properties.find(_W + "tblHeader")) for properties in _first_row_properties(first)):
        return names
    if all(_is_bold(cell) for cell in first) and not all(_is_bold(c) for c in _second_row(element)):
        return names
    if _styled_header(element, header_styles):
        return names
    looks = all(names) and len(set(names)) == len(names) > 1
    plain = not any(_NUMBER.fullmatch(name) or name.endswith(":") for name in names)
    return names if looks and plain else None


def _first_row_properties(first: list[Any]) -> Iterator[Any]:
    for cell in first[:1]:
        yield from cell.getparent().iterchildren(_W + "trPr")


def _second_row(element: Any) -> list[Any]:
    rows = list(_inside(element, "tr"))
    return list(_inside(rows[1], "tc")) if len(rows) > 1 else []


def _is_bold(cell: Any) -> bool:
    runs = [run for run in cell.iter(_W + "r") if "".join(_texts(run)).strip()]
    return bool(runs) and all(_is_on(run.find(f"{_W}rPr/{_W}b")) for run in runs)


def _styled_header(element: Any, header_styles: frozenset[str]) -> bool:
    properties = element.find(_W + "tblPr")
    if properties is None or _value(properties, "tblStyle") not in header_styles:
        return False
    look = properties.find(_W + "tblLook")
    if look is None:
        return False
    stated = look.get(_W + "firstRow")
    bits = look.get(_W + "val") or "0"
    return stated in {"1", "true", "on"} if stated is not None else bool(int(bits, 16) & 0x20)
