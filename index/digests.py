"""SHA-256 of files, remembered: a file is read again only once it changed. Knows nothing of models.

Whether it changed is told as git does with its index: by size, inode, and the times at which contents and
entry were last written. A model's weights take longer to read than an answer takes to find.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

logger = logging.getLogger(__name__)

# A file can change twice within one tick of its file system's clock: one as young as this is read again.
_YOUNG_NS = 2_000_000_000
# Of one file: its state of four numbers, and its digest.
_ENTRY = 5


def file_digests(files: Sequence[Path], remembered: Path) -> list[str]:
    """Return the SHA-256 of each file, in hexadecimal.

    Args:
        files: the files.
        remembered: a JSON file that keeps digests from one call to the next. It is made where it is missing,
            and nothing is lost with it but time.

    Raises:
        OSError: a file cannot be read.
    """
    before = _read(remembered)
    now: dict[str, list[int | str]] = {}
    found = []
    for path in files:
        state = _state(path)
        *known, digest = before.get(str(path), [""])
        if known != state:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
        found.append(str(digest))
        if time.time_ns() - max(state[-2:]) > _YOUNG_NS:
            now[str(path)] = [*state, digest]
    if now != before:
        _write(remembered, now)
    return found


def _state(path: Path) -> list[int]:
    status = path.stat()
    return [status.st_size, status.st_ino, status.st_mtime_ns, status.st_ctime_ns]


def _read(path: Path) -> dict[str, list[int | str]]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    entries = found.items() if isinstance(found, dict) else ()
    return {name: entry for name, entry in entries if isinstance(entry, list) and len(entry) == _ENTRY}


def _write(path: Path, digests: dict[str, list[int | str]]) -> None:
    """Replace the file as a whole; where it cannot be written, files are read again next time."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix="digests-", dir=path.parent)
        try:
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                json.dump(digests, file)
            Path(name).replace(path)
        finally:
            Path(name).unlink(missing_ok=True)
    except OSError as error:
        logger.info("%s: cannot be written (%s)", path, error)
