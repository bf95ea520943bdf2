"""Plain text -> Document. The text as it is; finding articles and menus in it is not the loader's work."""

from __future__ import annotations

from pathlib import Path

from index.load.decode import decode_file
from index.types import Document, document_id


def parse(path: Path, data: bytes) -> Document:
    """Return the decoded text, without sections.

    Raises:
        DamagedFile: the bytes are no text.
    """
    decoded = decode_file(path, data)
    source = str(path)
    return Document(document_id(source), source, path.stem, decoded.text, warnings=decoded.warnings)
