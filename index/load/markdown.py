"""Markdown -> Document: what a reader sees of it once it is rendered. Knows nothing of the page that results.

`cmark-gfm <https://github.com/github/cmark-gfm>`_ makes HTML of it (CommonMark, tables, strikethrough), and
the page is read like any other: so quotes hold no markup. Front matter stays as it is, in ``marked``.
"""

from __future__ import annotations

from pathlib import Path

import cmarkgfm
from cmarkgfm.cmark import Options

from index.load.decode import check_lines, decode_file
from index.load.front_matter import front_matter
from index.load.html import read_page
from index.types import Document

# Lines stay the lines that they are in the file; HTML within is read, not shown as text.
_OPTIONS = Options.CMARK_OPT_HARDBREAKS | Options.CMARK_OPT_UNSAFE
_EXTENSIONS = ("table", "strikethrough")


def parse(path: Path, data: bytes) -> Document:
    """Return the text as it is rendered, with sections by heading.

    Raises:
        DamagedFile: the bytes are no text, a line is too long, or the parser gave up.
    """
    decoded = decode_file(path, data)
    check_lines(path, decoded.text)
    front = front_matter(decoded.text)
    body = decoded.text[len(front.text) :]
    page = cmarkgfm.markdown_to_html_with_extensions(body, options=_OPTIONS, extensions=_EXTENSIONS)
    return read_page(path, page, decoded.warnings, front)
