"""Which loader reads which suffix. Imports no loader."""

from __future__ import annotations

LOADERS = {
    ".txt": "plain",
    ".md": "markdown",
    ".html": "html",
    ".htm": "html",
    ".pdf": "pdf",
    ".docx": "word",
}
"""Lower-case suffix -> name of the module in this package whose ``parse(path, data)`` reads it."""

SUFFIXES = tuple(LOADERS)
