"""Files in, documents out: one module per format, and the search for files in folders.

Knows which suffix goes to which loader, and nothing about any format. Loaders and what they need (pypdf,
python-docx, selectolax) are imported when the first file of their kind is read, so that asking a question
never pays for them.
"""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, cast

from index.errors import EmptyDocument, LoadError
from index.load.decode import canonical, check_lines
from index.load.files import Skipped, absolute, find_files, is_unicode, read_bytes, shown, unsupported
from index.load.formats import LOADERS, SUFFIXES
from index.types import Document, document_id

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["RECIPE", "SUFFIXES", "Skipped", "find_files", "from_text", "load"]

RECIPE = 2
"""The version of what the loaders make of a file: raise it when the same file would give another document."""


def load(path: Path) -> Document:
    """Read one file; the suffix says how.

    Returns:
        A document whose ``source`` is the absolute path and whose text is not blank.

    Raises:
        UnsupportedFormat: no loader reads files with this suffix.
        EmptyDocument: the file has no bytes, or no text.
        DamagedFile: the file is not what its suffix says, is broken, locked, or one huge line.
        LoadError: the file is missing, may not be read, or is too large.
    """
    path = absolute(Path(path))
    name = LOADERS.get(path.suffix.lower())
    if name is None:
        raise unsupported(path)
    parse = cast("Callable[[Path, bytes], Document]", import_module(f"index.load.{name}").parse)
    document = parse(path, read_bytes(path))
    if not document.text.strip():
        raise EmptyDocument(f"{shown(path)} holds no text: leave it out, or save it again with its text")
    check_lines(path, document.text)
    return document


def from_text(name: str, text: str) -> Document:
    """Make a document of a text in memory; ``name`` becomes its source and its title.

    Raises:
        EmptyDocument: the text is blank.
        LoadError: the name is not valid Unicode.
    """
    if not is_unicode(name):
        raise LoadError(f"The text named {shown(name)}: the name is not valid Unicode; give it another")
    text = canonical(text)
    if not text.strip():
        raise EmptyDocument(f"The text named {shown(name)} is empty: leave it out, or give it some text")
    return Document(document_id(name), name, " ".join(name.split()) or "Untitled", text)
