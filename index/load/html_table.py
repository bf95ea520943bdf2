"""Tables of a page: which hold data and which only lay the page out; data -> lines that still read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from selectolax.lexbor import LexborNode

from index.load.html_text import Layout
from index.load.html_tree import BLOCKS, HEADINGS, SKIPPED, hidden, walk
from index.load.tables import table_lines

MAX_SPAN = 100
LONG_CELL = 1_000
"""A cell with more characters than this holds a page's column, not a datum."""


@dataclass(slots=True)
class _Shape:
    columns: int = 0
    in_row: int = 0
    in_cell: int = 0
    layout: bool = False


def data_tables(root: LexborNode) -> frozenset[int]:
    """Return the ``mem_id`` of every table that holds data.

    Tables that hold other tables, headings or long texts, and tables of one column, are layout.
    """
    found: set[int] = set()
    open_tables: list[_Shape] = []

    def enter(node: LexborNode) -> bool:
        tag = node.tag or ""
        if tag == "table":
            for outer in open_tables[-1:]:
                outer.layout = True
            open_tables.append(_Shape(layout=node.attributes.get("role") in {"presentation", "none"}))
        elif open_tables:
            _count(open_tables[-1], tag, node)
        return tag not in SKIPPED

    def leave(node: LexborNode) -> None:
        if node.tag == "table":
            shape = open_tables.pop()
            if not shape.layout and shape.columns > 1:
                found.add(node.mem_id)

    walk(root, enter, leave)
    return frozenset(found)


def _count(shape: _Shape, tag: str, node: LexborNode) -> None:
    if tag == "tr":
        shape.in_row = 0
    elif tag in {"td", "th"}:
        shape.in_cell = 0
        shape.in_row += 1
        shape.columns = max(shape.columns, shape.in_row)
    elif tag == "-text":
        shape.in_cell += len(node.text_content or "")
        shape.layout |= shape.in_cell > LONG_CELL
    elif tag in HEADINGS or tag in {"article", "form"}:
        shape.layout = True


@dataclass(slots=True)
class _Cell:
    header: bool
    columns: int
    rows: int
    layout: Layout = field(default_factory=Layout)

    @property
    def text(self) -> str:
        return " ".join(self.layout.value().split())


@dataclass(slots=True)
class _Row:
    in_head: bool
    cells: list[_Cell] = field(default_factory=list)

    @property
    def names_columns(self) -> bool:
        return bool(self.cells) and (self.in_head or all(cell.header for cell in self.cells))


def read_table(table: LexborNode) -> list[str]:
    """Return a data table as lines: its caption, then each row."""
    reader = _Reader()
    walk(table, reader.enter, reader.leave)
    rows = [row for row in reader.rows if row.cells]
    lines = [" ".join(reader.caption.value().split())]
    while rows and len(rows[0].cells) == 1 and len(rows) > 1 and rows[0].names_columns:
        lines.append(rows.pop(0).cells[0].text)  # one cell across the top is a caption too
    heads = next((n for n, row in enumerate(rows) if not row.names_columns), len(rows))
    grid = _grid(rows, heads)
    if not 0 < heads < len(rows):
        lines += [_named_by_first(row, slots) for row, slots in zip(rows, grid, strict=True)]
    else:
        lines += table_lines(grid[heads:], _column_names(grid[:heads]))
    return [line for line in lines if line]


def _column_names(heads: Sequence[Sequence[str]]) -> list[str]:
    width = max(len(row) for row in heads)
    columns = ([row[n] for row in heads if n < len(row) and row[n]] for n in range(width))
    return [" ".join(dict.fromkeys(column)) for column in columns]


def _named_by_first(row: _Row, slots: list[str]) -> str:
    """Write a row of a table without column names; a header cell in front names the row."""
    if row.cells[0].header and len(row.cells) > 1 and not row.cells[1].header and slots[0]:
        return f"{slots[0].rstrip(': ')}: {'; '.join(filter(None, slots[1:]))}"
    return "".join(table_lines([slots], None))


def _grid(rows: Sequence[_Row], heads: int) -> list[list[str]]:
    """Put cells into columns; a merged cell's text stands once, but names all columns it covers."""
    covered: dict[int, int] = {}
    grid = []
    for number, row in enumerate(rows):
        slots: list[str] = []
        if len(row.cells) == 1 and row.cells[0].columns > 1 and number >= heads:
            grid.append([row.cells[0].text])
            continue
        for cell in row.cells:
            while covered.get(len(slots), 0):
                covered[len(slots)] -= 1
                slots.append("")
            text = cell.text
            for n in range(cell.columns):
                covered[len(slots)] = cell.rows - 1
                slots.append(text if n == 0 or number < heads else "")
        grid.append(slots)
    return grid


class _Reader:
    def __init__(self) -> None:
        self.rows: list[_Row] = []
        self.caption = Layout()
        self._target: Layout | None = None
        self._in_head = False

    def enter(self, node: LexborNode) -> bool:
        tag = node.tag or ""
        if tag == "-text":
            if self._target is not None:
                self._target.add(node.text_content or "")
            return False
        attributes = node.attributes
        if tag in SKIPPED or tag.startswith("-") or hidden(tag, attributes):
            return False
        self._open(tag, attributes)
        return True

    def leave(self, node: LexborNode) -> None:
        tag = node.tag or ""
        if tag in {"td", "th", "caption"}:
            self._target = None
        elif tag == "thead":
            self._in_head = False
        elif tag in BLOCKS and self._target is not None:
            self._target.separate(1)

    def _open(self, tag: str, attributes: dict[str, str | None]) -> None:
        if tag == "thead":
            self._in_head = True
        elif tag == "tr":
            self.rows.append(_Row(self._in_head))
        elif tag == "caption":
            self._target = self.caption
        elif tag in {"td", "th"} and self.rows:
            cell = _Cell(tag == "th", _span(attributes.get("colspan")), _span(attributes.get("rowspan")))
            self.rows[-1].cells.append(cell)
            self._target = cell.layout
        elif (tag in BLOCKS or tag == "br") and self._target is not None:
            self._target.separate(1)


def _span(value: str | None) -> int:
    digits = (value or "").strip()[:4]
    return min(max(int(digits), 1), MAX_SPAN) if digits.isdecimal() else 1
