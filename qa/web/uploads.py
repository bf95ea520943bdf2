"""Files that people send: received safely, taken in one after the other by a thread, their progress told.

Knows files and the library; knows no HTTP.
"""

from __future__ import annotations

import contextlib
import logging
import os
import secrets
import shutil
import tempfile
import threading
import unicodedata
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, Literal

from index.errors import LoadError, StoreError, VerbatimError
from index.ingest import IngestReport, Progress
from index.load import SUFFIXES
from index.load.files import MAX_BYTES, shown
from qa.web import strings
from qa.web.library import Library, stored_id

logger = logging.getLogger(__name__)

State = Literal[
    "waiting", "reading", "added", "replaced", "unchanged", "duplicate", "failed", "skipped", "removed"
]
_KEPT = 200
_LONGEST_NAME = 180
_FORBIDDEN = '<>:"/\\|?*'
_RESERVED = {
    "CON",
    "PRN",
    "AUX",
    "NUL",
    *(f"{kind}{number}" for kind in ("COM", "LPT") for number in "123456789"),
}
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Taken:
    """How far one file is. ``passages`` grows while it is read; ``message`` says why, where it failed."""

    name: str
    state: State
    passages: int = 0
    message: str = ""
    warnings: tuple[str, ...] = ()
    document: str | None = None


@dataclass(slots=True)
class Upload:
    """Some files that were sent together, in their order."""

    id: str
    files: list[Taken]
    staging: Path
    finished: Future[None] = field(default_factory=Future, repr=False)

    @property
    def done(self) -> bool:
        """Whether the last file is through."""
        return self.finished.done()


def safe_name(name: str) -> str:
    """Return a file name that is nothing but one, in one folder, on any system; its suffix stays.

    Raises:
        LoadError: nothing is left of it, or no loader reads such files.
    """
    base = unicodedata.normalize("NFC", name).replace("\\", "/").rsplit("/", 1)[-1]
    kept = "".join(c if c.isprintable() and c not in _FORBIDDEN else "_" for c in base).strip(". ")
    suffix = Path(kept).suffix
    stem = kept.removesuffix(suffix)
    if suffix.lower() not in SUFFIXES:
        raise LoadError(f"{shown(base) or 'a file'}: cannot be read. Send one of {', '.join(SUFFIXES)}.")
    if stem.upper() in _RESERVED:
        stem = f"_{stem}"
    while len(f"{stem}{suffix}".encode()) > _LONGEST_NAME:
        stem = stem[:-1]
    return f"{stem}{suffix}"


class _Stopped(VerbatimError):
    """The server is being stopped while a file is read."""


class Uploads:
    """Takes files into the library, one at a time: questions are answered meanwhile."""

    def __init__(self, library: Library) -> None:
        self._library = library
        self._worker = ThreadPoolExecutor(1, thread_name_prefix="uploads")
        self._uploads: OrderedDict[str, Upload] = OrderedDict()
        self._lock = threading.Lock()
        self._closing = threading.Event()

    def close(self) -> None:
        """Drop the file that is being read, at its next step, and those that wait."""
        self._closing.set()
        self._worker.shutdown(wait=True, cancel_futures=True)
        for upload in self._uploads.values():
            shutil.rmtree(upload.staging, ignore_errors=True)

    def get(self, upload: str) -> Upload | None:
        """Return an upload by its id; the last few hundred are remembered."""
        return self._uploads.get(upload)

    def submit(self, files: Sequence[tuple[str, BinaryIO]]) -> Upload:
        """Keep the files, and take them in as soon as those before are through.

        A file whose name or size will not do is reported as failed; the others go on.

        Raises:
            StoreError: nothing can be kept where uploads are kept.
        """
        folder = self._folder()
        try:
            staging = Path(tempfile.mkdtemp(prefix=".incoming-", dir=folder))
        except OSError as error:
            raise _unwritable(folder, error) from error
        taken: list[Taken] = []
        for number, (name, stream) in enumerate(files):
            try:
                safe = safe_name(name)
                _write(stream, staging / str(number), safe)
                taken.append(Taken(safe, "waiting"))
            except (LoadError, OSError) as error:
                taken.append(Taken(shown(name), "failed", message=_told(error)))
        upload = Upload(secrets.token_urlsafe(12), taken, staging)
        with self._lock:
            self._uploads[upload.id] = upload
            while len(self._uploads) > _KEPT:
                self._uploads.popitem(last=False)
        self._worker.submit(self._take_all, upload)
        return upload

    def _folder(self) -> Path:
        folder = self._library.corpus.uploads
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unwritable(folder, error) from error
        return folder

    def _take_all(self, upload: Upload) -> None:
        try:
            for number, file in enumerate(upload.files):
                if file.state == "waiting":
                    self._take(upload, number, upload.staging / str(number))
        finally:
            shutil.rmtree(upload.staging, ignore_errors=True)
            upload.finished.set_result(None)

    def _take(self, upload: Upload, number: int, staged: Path) -> None:
        file = upload.files[number]

        def tell(progress: Progress) -> None:
            if self._closing.is_set():
                raise _Stopped(strings.STOPPING)
            upload.files[number] = replace(file, state="reading", passages=progress.passages)

        upload.files[number] = replace(file, state="reading")
        target = self._library.corpus.uploads / file.name
        before = staged.with_suffix(".before")
        try:
            if target.exists():
                target.replace(before)
            staged.replace(target)
            report = self._library.add([target], tell)
            upload.files[number] = self._outcome(file, target, report)
        except (VerbatimError, OSError) as error:
            upload.files[number] = replace(file, state="failed", message=_told(error))
        except Exception:
            # One file must not stop those after it.
            logger.exception("%s could not be taken in", file.name)
            upload.files[number] = replace(file, state="failed", message=strings.BROKEN)
        finally:
            # No file may lie there that the index does not know, or miss that it knows.
            if upload.files[number].state in ("failed", "skipped"):
                with contextlib.suppress(FileNotFoundError):
                    target.unlink()
                if before.exists():
                    before.replace(target)

    def _outcome(self, file: Taken, target: Path, report: IngestReport) -> Taken:
        told = next(one for one in report.files if one.source == str(target) or one.status == "failed")
        return replace(
            file,
            state=told.status,
            passages=told.passages,
            message=told.message.replace(f"{target.parent}{os.sep}", ""),
            warnings=told.warnings,
            document=None if told.status == "failed" else stored_id(self._library.index, target),
        )


def _unwritable(folder: Path, error: OSError) -> StoreError:
    return StoreError(f"{folder}: cannot be written ({error.strerror}). Free some space, or get permission.")


def _told(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)


def _write(stream: BinaryIO, path: Path, name: str) -> None:
    with path.open("xb") as file:
        shutil.copyfileobj(stream, file, _CHUNK)
        size = file.tell()
    if size > MAX_BYTES:
        path.unlink()
        raise LoadError(
            f"{name}: {size / 1e6:,.0f} MB is too large: split it into files of at most "
            f"{MAX_BYTES / 1e6:,.0f} MB"
        )
