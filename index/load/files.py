"""The file system: which files there are, and their bytes. Knows no format beyond its suffix.

A file's source is its absolute path as it was reached; symbolic links in it are kept, so that people
see the names that they gave.
"""

from __future__ import annotations

import os
import stat
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from index.errors import EmptyDocument, LoadError, UnsupportedFormat
from index.load.formats import SUFFIXES

MAX_BYTES = 200_000_000
"""The largest file that is read: beyond it, parsing would need several gigabytes of memory."""

LISTED_ONE_BY_ONE = 10
"""Up to so many skipped files of a folder are named; more are counted in one line."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A path that gives no document, and why. ``path`` is escaped as in messages, so that it prints.

    ``failed`` tells what a person asked for and does not get (a missing path, a folder that may not be
    read) from what was left out on purpose (hidden files, other types).
    """

    path: str
    reason: str
    failed: bool = False


def shown(name: str | Path) -> str:
    """Return a name fit for a one-line message: line breaks and other unprintable characters escaped."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in str(name))


def absolute(path: Path) -> Path:
    """Return the absolute path, links kept; ``..`` is resolved because links can change what it means."""
    if ".." in path.parts and "\0" not in str(path):
        return Path(os.path.realpath(path))
    return path.absolute()


def unsupported(path: Path) -> UnsupportedFormat:
    """Return the error for a file that no loader reads."""
    kind = f"{path.suffix} files" if path.suffix else "files without a suffix"
    known = ", ".join(SUFFIXES)
    return UnsupportedFormat(
        f"{shown(path)}: {shown(kind)} cannot be read; save it as one of {known}, or leave it out"
    )


def read_bytes(path: Path) -> bytes:
    """Return a file's bytes.

    Raises:
        EmptyDocument: it has none.
        LoadError: it is missing, misnamed, not a regular file, too large, or may not be read.
    """
    if not is_unicode(str(path)):
        raise _misnamed(path)
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # opening a named pipe would wait forever
            raise LoadError(f"{shown(path)} is not a regular file: name a file, or a folder to search")
        _check_size(path, status.st_size)
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        raise _unreadable(path, error) from error
    _check_size(path, len(data))
    return data


def _check_size(path: Path, size: int) -> None:
    if size == 0:
        raise EmptyDocument(f"{shown(path)} is empty (0 bytes): leave it out, or save it again")
    if size > MAX_BYTES:
        limit = MAX_BYTES // 1_000_000
        raise LoadError(f"{shown(path)} is larger than {limit} MB: split it into smaller files")


def _misnamed(path: Path) -> LoadError:
    return LoadError(f"{shown(path)}: the name is not valid Unicode; rename it")


def _unreadable(path: Path, error: OSError | ValueError) -> LoadError:
    name = shown(path)
    if isinstance(error, FileNotFoundError | NotADirectoryError):
        return LoadError(f"{name} does not exist: check the path")
    if isinstance(error, PermissionError):
        what = "folder (its read and execute permissions)" if path.is_dir() else "file (its permissions)"
        return LoadError(f"{name}: permission denied; let your user read the {what}, or leave it out")
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return LoadError(f"{name} cannot be read ({reason}): check the path and the disk")


def find_files(paths: Iterable[str | os.PathLike[str]]) -> tuple[list[Path], list[Skipped]]:
    """Find the files to load among files and folders, folders searched to the bottom.

    Nothing aborts the search: a missing path, a named file of an unsupported type and a folder that may
    not be read become entries with ``failed`` set. A file reached twice is listed once.

    Returns:
        The absolute paths in sorted order, and what was skipped or failed, sorted by path.
    """
    search = _Search()
    for path in sorted({absolute(Path(p)) for p in paths}):
        search.named(path)
    search.follow_links()
    return sorted(search.found), sorted(search.skipped, key=lambda s: (s.path, s.reason))


@dataclass(slots=True)
class _Search:
    found: list[Path] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    files_seen: set[str] = field(default_factory=set)
    folders_seen: set[str] = field(default_factory=set)
    links: list[Path] = field(default_factory=list)

    def named(self, path: Path) -> None:
        """Take a path that a person named."""
        if not is_unicode(str(path)):
            self._fail(path, _misnamed(path))
            return
        try:
            mode = path.stat().st_mode
        except (OSError, ValueError) as error:
            self._fail(path, _unreadable(path, error))
            return
        if stat.S_ISDIR(mode):
            self._folder(path)
        elif not stat.S_ISREG(mode):
            self._fail(path, LoadError(f"{shown(path)} is neither a file nor a folder: leave it out"))
        elif path.suffix.lower() not in SUFFIXES:
            self._fail(path, unsupported(path))
        else:
            self._file(path)

    def follow_links(self) -> None:
        """Take the symbolic links met in folders: last, so that real names win over links to them."""
        while self.links:
            path = self.links.pop(0)
            if path.is_dir():
                if os.path.realpath(path) in self.folders_seen:
                    self._skip(path, "symbolic link to a folder that is read already")
                else:
                    self._folder(path)
            elif not path.is_file():
                self._skip(path, "symbolic link that leads nowhere")
            elif path.suffix.lower() in SUFFIXES:
                self._file(path)
            else:
                self._skip(path, "another type of file")

    def _folder(self, top: Path) -> None:
        hidden: list[Path] = []
        others: list[Path] = []
        waiting = [top]
        while waiting:
            folder = waiting.pop()
            real = os.path.realpath(folder)
            if real in self.folders_seen:
                continue
            self.folders_seen.add(real)
            try:
                with os.scandir(folder) as listing:
                    entries = sorted(listing, key=lambda e: e.name)
            except OSError as error:
                self._fail(folder, _unreadable(folder, error))
                continue
            waiting += self._entries(entries, hidden, others)
        self._skip_many(top, hidden, "hidden")
        self._skip_many(top, others, "another type of file")

    def _entries(self, entries: list[os.DirEntry[str]], hidden: list[Path], others: list[Path]) -> list[Path]:
        folders = []
        for entry in entries:
            path = Path(entry.path)
            if entry.name.startswith((".", "~$")):  # "~$" are Word's lock files
                hidden.append(path)
            elif not is_unicode(entry.name):
                self._fail(path, _misnamed(path))
            elif entry.is_symlink():
                self.links.append(path)
            elif entry.is_dir(follow_symlinks=False):
                folders.append(path)
            elif path.suffix.lower() in SUFFIXES and entry.is_file(follow_symlinks=False):
                self._file(path)
            else:
                others.append(path)
        return folders

    def _file(self, path: Path) -> None:
        real = os.path.realpath(path)
        if real not in self.files_seen:
            self.files_seen.add(real)
            self.found.append(path)

    def _skip(self, path: Path, reason: str) -> None:
        self.skipped.append(Skipped(shown(path), reason))

    def _fail(self, path: Path, error: LoadError) -> None:
        self.skipped.append(Skipped(shown(path), str(error), failed=True))

    def _skip_many(self, top: Path, paths: list[Path], reason: str) -> None:
        if len(paths) <= LISTED_ONE_BY_ONE:
            for path in paths:
                self._skip(path, reason)
            return
        kinds = Counter(path.suffix.lower() or "no suffix" for path in paths).most_common(5)
        listing = ", ".join(f"{shown(kind)} {count}" for kind, count in kinds)
        self._skip(top, f"{reason}: {len(paths)} entries inside ({listing}{', ...' * (len(kinds) == 5)})")


def is_unicode(name: str) -> bool:
    """Whether ``name`` holds no lone surrogate; bytes that are no text become such in names and arguments."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
