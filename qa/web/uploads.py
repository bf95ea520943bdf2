"""Files that people send: received safely, taken in one after the other by a thread, their progress told.

Knows files and the library; knows no HTTP.
"""

from __future__ import annotations

import logging
import os
import secrets
import shutil
import threading
import unicodedata
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import BinaryIO, Literal

from filelock import FileLock, Timeout

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
_STAGING = ".incoming-"
# Beside what was sent: the earlier file of each name, while the new one is read.
_EARLIER = "earlier"
# Beside it: an empty file of the name of each one that is being taken in.
_TAKING = "taking"


@dataclass(frozen=True, slots=True)
class Taken:
    """How far one file is. ``passages`` grows while it is read; ``message`` says why, where it failed."""

    name: str
    state: State
    passages: int = 0
    message: str = ""
    warnings: tuple[str, ...] = ()
    document: str | None = None


class Staging:
    """A folder for what is on its way, locked as long as its process lives. Close it to delete it."""

    def __init__(self, folder: Path) -> None:
        """Make one below ``folder``. Raises ``OSError``."""
        self.path = folder / f"{_STAGING}{secrets.token_hex(8)}"
        # Locked before it is there: a server that starts meanwhile must not take it for a leftover.
        self._lock = _lock_of(self.path)
        self._lock.acquire()
        try:
            for part in (_EARLIER, _TAKING):
                (self.path / part).mkdir(parents=True)
        except OSError:
            self._unlock()
            raise

    def close(self) -> None:
        """Delete the folder."""
        shutil.rmtree(self.path, ignore_errors=True)
        self._unlock()

    def _unlock(self) -> None:
        self._lock.release()
        Path(self._lock.lock_file).unlink(missing_ok=True)


def _lock_of(staging: Path) -> FileLock:
    # Beside the folder, not in it: there it would be deleted while it is held. Any thread may let go of it.
    return FileLock(f"{staging}.lock", blocking=False, thread_local=False)


def clear_leftovers(library: Library) -> None:
    """Delete what servers that were killed left among the uploads; what was being replaced comes back.

    What another server is at work on stays.
    """
    folder = library.corpus.uploads
    for staging in {path.with_suffix("") for path in folder.glob(f"{_STAGING}*")}:
        lock = _lock_of(staging)
        try:
            with lock:
                for taking in (staging / _TAKING).glob("*"):
                    library.undo_taking(folder / taking.name, staging / _EARLIER / taking.name)
                if staging.exists():
                    shutil.rmtree(staging)
            Path(lock.lock_file).unlink(missing_ok=True)
        except Timeout:
            logger.info("%s belongs to a server that is running", staging)
        except (OSError, StoreError) as error:
            logger.warning("%s is left of an earlier run and cannot be deleted: %s", staging, error)


@dataclass(slots=True)
class Upload:
    """Some files that were sent together, in their order."""

    id: str
    files: list[Taken]
    staging: Staging
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
        raise LoadError(strings.OTHER_KIND.format(shown(base) or strings.NAMELESS, ", ".join(SUFFIXES)))
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
        clear_leftovers(library)

    def close(self) -> None:
        """Drop the file that is being read, at its next step, and those that wait."""
        self._closing.set()
        self._worker.shutdown(wait=True, cancel_futures=True)
        for upload in self._uploads.values():
            upload.staging.close()

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
            staging = Staging(folder)
        except OSError as error:
            raise _unwritable(folder, error) from error
        taken: list[Taken] = []
        for number, (name, stream) in enumerate(files):
            try:
                safe = safe_name(name)
                _write(stream, staging.path / str(number), safe)
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
                    self._take(upload, number)
        finally:
            upload.staging.close()
            upload.finished.set_result(None)

    def _take(self, upload: Upload, number: int) -> None:
        file = upload.files[number]

        def tell(progress: Progress) -> None:
            if self._closing.is_set():
                raise _Stopped(strings.STOPPING)
            upload.files[number] = replace(file, state="reading", passages=progress.passages)

        upload.files[number] = replace(file, state="reading")
        folder = upload.staging.path
        target = self._library.corpus.uploads / file.name
        taking = folder / _TAKING / file.name
        try:
            taking.touch()
            report = self._library.take(folder / str(number), target, folder / _EARLIER / file.name, tell)
            upload.files[number] = self._outcome(file, target, report)
        except (VerbatimError, OSError) as error:
            upload.files[number] = replace(file, state="failed", message=_told(error))
        except Exception:
            # One file must not stop those after it.
            logger.exception("%s could not be taken in", file.name)
            upload.files[number] = replace(file, state="failed", message=strings.BROKEN)
        finally:
            taking.unlink(missing_ok=True)

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
    return StoreError(strings.UNWRITABLE.format(folder, error.strerror))


def _told(error: Exception) -> str:
    return (error.strerror or str(error)) if isinstance(error, OSError) else str(error)


def _write(stream: BinaryIO, path: Path, name: str) -> None:
    with path.open("xb") as file:
        shutil.copyfileobj(stream, file, _CHUNK)
        size = file.tell()
    if size > MAX_BYTES:
        path.unlink()
        raise LoadError(strings.FILE_TOO_LARGE.format(name, size / 1e6, MAX_BYTES / 1e6))
