"""Markdown -> Document: what a reader sees of it once it is rendered. Knows nothing of the page that results.

`cmark-gfm <https://github.com/github/cmark-gfm>`_ makes HTML of it (CommonMark, tables, strikethrough), and
the page is read like any other: so quotes hold no markup. Front matter stays as it is, in ``marked``.
"""

from __future__ import annotations

import re
from pathlib import Path

import cmarkgfm
from cmarkgfm.cmark import Options

from index.load.decode import check_lines, decode_file
from index.load.front_matter import front_matter
from index.load.html import BOILERPLATE, read_page
from index.load.html_tree import SKIPPED, VOID
from index.types import Document

# Lines stay the lines that they are in the file; HTML within is read, not shown as text.
_OPTIONS = Options.CMARK_OPT_HARDBREAKS | Options.CMARK_OPT_UNSAFE
_EXTENSIONS = ("table", "strikethrough")
_NAMES = "|".join(sorted(SKIPPED - VOID | BOILERPLATE | {"footer", "form", "header"}))
_START_TAG = re.compile(rf"<({_NAMES})\b(?!-)", re.IGNORECASE)
_END_TAG = re.compile(rf"</({_NAMES})\b(?!-)", re.IGNORECASE)


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
    return read_page(path, _with_named_elements(page), decoded.warnings, front)


def _with_named_elements(page: str) -> str:
    """Return a page in which elements that are named and never closed are text.

    Prose that names ``<script>`` or ``<nav>`` would else hide, or make a menu of, all that follows.
    """
    closed = {name.lower() for name in _END_TAG.findall(page)}
    return _START_TAG.sub(lambda tag: tag[0] if tag[1].lower() in closed else f"&lt;{tag[1]}", page)
