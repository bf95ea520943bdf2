"""Reads what question sets are stored as: bytes, perhaps gzip, and JSON with its places for messages."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TypeVar

from index.errors import SettingsError

T = TypeVar("T")

_GZIP = b"\x1f\x8b"
_IN_WORDS: dict[type, str] = {
    dict: "an object",
    list: "a list",
    str: "a string",
    int: "a whole number",
    bool: "true or false",
}


def unpacked(path: Path, form: str) -> bytes:
    """Return a file's bytes, unpacked where they are gzip; ``form`` says what is expected, for messages.

    Raises:
        SettingsError: the file cannot be read, or is broken gzip.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise SettingsError(f"{path} cannot be read ({error.strerror}): give {form}") from error
    # By its first bytes, not by its name: browsers unpack what they download and keep the name.
    if not raw.startswith(_GZIP):
        return raw
    try:
        return gzip.decompress(raw)
    except (OSError, EOFError, zlib.error) as error:
        raise SettingsError(f"{path} is broken gzip ({error}): download or pack it again") from error


def decoded(path: Path, raw: bytes, form: str) -> str:
    """Return the text of a file.

    Raises:
        SettingsError: it is not UTF-8.
    """
    try:
        # utf-8-sig: editors on Windows put a mark at the start, which json refuses.
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path} is not {form} in UTF-8 ({error}): save it as UTF-8") from error


def json_lines(path: Path, form: str) -> Iterator[tuple[str, object]]:
    """Return the value of each line that is not blank, with its place for messages.

    Raises:
        SettingsError: the file cannot be read, or a line is not JSON.
    """
    lines = decoded(path, unpacked(path, f"a file in {form} format"), form).split("\n")
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        where = f"{path}: line {number}"
        try:
            value: object = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise SettingsError(f"{where} is not JSON ({error}): write one object a line") from error
        yield where, value


def field(owner: object, key: str, kind: type[T], where: str, form: str, default: T | None = None) -> T:
    """Return ``owner[key]``, which has to be of ``kind``; ``default`` where it is missing or null.

    Raises:
        SettingsError: ``owner`` is no object, or lacks the key, or has something else there.
    """
    if not isinstance(owner, dict):
        raise SettingsError(f"{where} is not {_IN_WORDS[dict]}: give a file in {form} format")
    value = owner.get(key)
    if value is None:
        value = default
    if value is None:
        raise SettingsError(f'{where} has no "{key}": give a file in {form} format')
    # Not isinstance: true is an int in Python, but not a number in JSON.
    if type(value) is not kind:
        raise SettingsError(f'{where}: "{key}" is not {_IN_WORDS[kind]}: give a file in {form} format')
    return value
