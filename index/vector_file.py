"""The file of what is derived from a store: written whole or not at all, checked before anyone reads it.

It ends with a sha256 over its content and its store's key, because FAISS has no checksum and every store
counts its passages from 1. Knows bytes; knows nothing of vectors.
"""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from collections.abc import Callable
from pathlib import Path

logger = logging.getLogger(__name__)

_DIGEST_BYTES = hashlib.sha256().digest_size
_BLOCK = 1 << 20


def is_whole(path: Path, key: str) -> bool:
    """Return whether a file is as it was written for the store with this key.

    Raises:
        OSError: it cannot be read.
    """
    with path.open("rb") as file:
        digest = hashlib.sha256()
        left = path.stat().st_size - _DIGEST_BYTES
        while left > 0 and (block := file.read(min(left, _BLOCK))):
            digest.update(block)
            left -= len(block)
        digest.update(key.encode())
        return left == 0 and file.read() == digest.digest()


def write_whole(path: Path, key: str, content: Callable[[Callable[[bytes], int]], None]) -> None:
    """Write a file under a temporary name, read it back and give it its name.

    Args:
        path: where to.
        key: of the store that the content is derived from.
        content: calls what it is given with one part after another.

    Raises:
        OSError: it cannot be written; ``path`` is as it was.
    """
    temporary = path.with_name(f"{path.name}.{os.getpid()}-{threading.get_ident()}.tmp")
    try:
        with temporary.open("wb") as file:
            digest = hashlib.sha256()

            def write(part: bytes) -> int:
                digest.update(part)
                return file.write(part)

            content(write)
            digest.update(key.encode())
            file.write(digest.digest())
            file.flush()
            os.fsync(file.fileno())
        if not is_whole(temporary, key):
            raise OSError(f"{temporary}: read back other bytes than were written")
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def set_aside(path: Path) -> None:
    """Rename a damaged file, for whoever wants to know what became of it."""
    try:
        path.replace(path.with_suffix(".damaged"))
    except OSError as error:
        logger.warning("%s: cannot be set aside (%s)", path, error)
