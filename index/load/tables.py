"""Rows of cells -> lines that still read when they stand alone. Shared by the loaders that meet tables."""

from __future__ import annotations

from collections.abc import Sequence

Row = Sequence[str]
"""The cells' texts, each on one line; a slot that a merged cell covers is empty."""


def table_lines(rows: Sequence[Row], header: Row | None) -> list[str]:
    """Write each row as one line: "Header: value; Header: value", or "cell | cell" without a header.

    Args:
        rows: the body; rows may differ in length.
        header: the columns' names, not among ``rows``.
    """
    if header is not None and not rows:
        rows, header = [header], None
    lines = (_named(row, header) if header else " | ".join(filter(None, row)) for row in rows)
    return [line for line in lines if line]


def _named(row: Row, header: Row) -> str:
    if len(row) == 1 and len(header) > 1:  # one cell across the whole table is a subheading in it
        return row[0]
    pairs = []
    for n, cell in enumerate(row):
        if not cell:
            continue
        name = header[n].rstrip(": ") if n < len(header) else ""
        pairs.append(f"{name}: {cell}" if name else cell)
    return "; ".join(pairs)
