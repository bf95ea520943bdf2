"""The one place that chains load, clean, sections, chunk, encode and store; progress and report.

Files are read one by one; passages are encoded in batches across files and stored a batch at a time, so
that an interruption loses at most what is being encoded and what waits for it, and never half a document.
Encoding has a thread of its own: the next files are read, cleaned and cut meanwhile. Everything else, and
above all whatever asks the store, stays in the caller's thread, in order. At most two batches are in memory,
however many files there are.
"""

from __future__ import annotations

import hashlib
import itertools
import operator
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np

from index import chunk as chunking
from index import clean, load
from index.errors import LoadError
from index.load.files import absolute, is_unicode
from index.sections import find_sections
from index.store import Entry, SourceState, Store
from index.types import Document, Encoder, Passage, Vectors

Status = Literal["added", "replaced", "unchanged", "duplicate", "skipped", "failed", "removed"]
# Passages encoded and committed together: some seconds of work.
_BATCH_PASSAGES = 256


@dataclass(frozen=True, slots=True)
class FileReport:
    """What became of one source. ``message`` says why, for anything that was not simply stored."""

    source: str
    status: Status
    characters: int = 0
    passages: int = 0
    marked: int = 0
    message: str = ""
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Progress:
    """How far an ingest is: files done of all, passages encoded, seconds since the start, current source.

    ``total`` is what is known of: it grows with ``files`` where texts come one by one.
    """

    files: int
    total: int
    passages: int
    seconds: float
    source: str


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What became of every source, in the order they were met."""

    files: tuple[FileReport, ...]
    encoded: int
    seconds: float

    def count(self, status: Status) -> int:
        """Return how many sources have this status."""
        return sum(file.status == status for file in self.files)

    @property
    def failed(self) -> tuple[FileReport, ...]:
        """The sources that could not be read."""
        return tuple(file for file in self.files if file.status == "failed")


class IngestInterrupted(KeyboardInterrupt):
    """Ctrl-C during an ingest. What ``report`` lists is stored; the index is usable."""

    def __init__(self, report: IngestReport) -> None:
        super().__init__("interrupted")
        self.report = report


OnProgress = Callable[[Progress], None]


def recipe() -> str:
    """Return the versions of all that decides what passages a text becomes."""
    return f"load{load.RECIPE}.clean{clean.RECIPE}.chunk{chunking.RECIPE}"


@dataclass(slots=True)
class _Pending:
    """A processed document that waits for its vectors."""

    loaded: Document
    document: Document
    state: SourceState
    passages: Sequence[Passage]
    replaces: bool
    duplicate: bool = False


@dataclass(frozen=True, slots=True)
class _Batch:
    """Documents whose passages are being encoded: each part's first source, and its vectors to come."""

    documents: Sequence[_Pending]
    parts: list[tuple[str, Future[Vectors]]]

    @property
    def ready(self) -> bool:
        return all(vectors.done() for _, vectors in self.parts)


class Ingest:
    """One run over some sources."""

    def __init__(self, store: Store, encoder: Encoder, on_progress: OnProgress | None = None) -> None:
        self._store = store
        self._encoder = encoder
        self._on_progress = on_progress
        self._recipe = recipe()
        self._files: list[FileReport] = []
        # Each document waits in `_pending`, then in one of `_batches`, of which there are two for a moment.
        self._pending: list[_Pending] = []
        # Their passages; a document without any counts as one, for its text waits too.
        self._pending_passages = 0
        self._batches: deque[_Batch] = deque()
        self._thread = ThreadPoolExecutor(1, "encode")
        self._encoded = 0
        self._taken = 0
        self._total = 0
        self._start = time.monotonic()

    def paths(self, paths: Iterable[Path], *, sync: bool = False) -> IngestReport:
        """Take in files and folders; with ``sync``, drop stored sources below them that are gone.

        A file that cannot be read is reported and the others go on.

        Raises:
            IngestInterrupted: Ctrl-C; what was finished is stored.
        """
        roots = list(paths)
        files, skipped = load.find_files(roots)
        self._files += [
            FileReport(one.path, "failed" if one.failed else "skipped", message=one.reason) for one in skipped
        ]
        report = self._run(((str(path), self._read_file(path)) for path in files), len(files))
        return self._drop_vanished(roots, files, report) if sync else report

    def texts(self, texts: Iterable[tuple[str, str]]) -> IngestReport:
        """Take in ``(name, text)`` pairs; the name is the source and the title."""
        return self._run(
            ((name, self._read_text(name, text)) for name, text in texts), operator.length_hint(texts)
        )

    def rebuild(self) -> IngestReport:
        """Clean, cut and encode again, from their stored texts, the documents of an older recipe."""
        stale = self._store.stale(self._recipe)
        return self._run(((one, self._read_stored(one)) for one in stale), len(stale))

    def _run(
        self, reads: Iterable[tuple[str, Callable[[], _Pending | FileReport]]], known: int
    ) -> IngestReport:
        """Read, encode and store; ``known`` is how many there are, or 0 where that shows later."""
        self._total += known
        try:
            for source, read in reads:
                self._taken += 1
                self._take(source, read)
                self._tell(source)
            self._flush()
        except KeyboardInterrupt as interrupt:
            self._settle()
            raise IngestInterrupted(self._report()) from interrupt
        finally:
            self._thread.shutdown(cancel_futures=True)
        return self._report()

    def _waiting(self) -> Iterator[_Pending]:
        """Yield all documents that are read and not stored yet, in order."""
        return itertools.chain(*(batch.documents for batch in self._batches), self._pending)

    def _settle(self) -> None:
        """Report what was stored by the very batch that was interrupted, after its transaction was done."""
        told = {report.source for report in self._files}
        stored = {
            pending.document.source: state.document_id
            for pending in self._waiting()
            if (state := self._store.source_state(pending.document.source)) is not None
            and (state.file_hash, state.recipe) == (pending.state.file_hash, self._recipe)
        }
        self._files += [
            _stored_report(pending, stored)
            for pending in self._waiting()
            if pending.document.source in stored.keys() - told
        ]

    def _take(self, source: str, read: Callable[[], _Pending | FileReport]) -> None:
        try:
            result = read()
        except LoadError as error:
            known = is_unicode(source) and self._store.source_state(source)
            kept = "; what was read before stays" if known else ""
            result = FileReport(source, "failed", message=f"{error}{kept}")
        if isinstance(result, FileReport):
            self._files.append(result)
            return
        self._pending.append(result)
        self._pending_passages += max(1, len(result.passages))
        if self._batches and self._batches[0].ready:
            self._finish()
        if self._pending_passages >= _BATCH_PASSAGES:
            # The encoder has its next batch before it is through with this one.
            self._hand_over()
            while len(self._batches) > 1:
                self._finish()

    # Reading

    def _read_file(self, path: Path) -> Callable[[], _Pending | FileReport]:
        def read() -> _Pending | FileReport:
            source = str(path)
            known = self._store.source_state(source)
            state = _state(path)
            current = known is not None and known.recipe == self._recipe
            if known and current and (known.size, known.modified) == (state.size, state.modified):
                return FileReport(source, "unchanged")
            state = replace(state, file_hash=_file_hash(path))
            if known and current and known.file_hash == state.file_hash:
                self._store.refresh(source, state)
                return FileReport(source, "unchanged")
            return self._process(load.load(path), state, known)

        return read

    def _read_text(self, name: str, text: str) -> Callable[[], _Pending | FileReport]:
        def read() -> _Pending | FileReport:
            loaded = load.from_text(name, text)
            # What is stored under a name is known once an earlier text of that name is.
            if any(pending.document.source == name for pending in self._waiting()):
                self._flush()
            digest = hashlib.sha256(loaded.text.encode()).hexdigest()
            known = self._store.source_state(name)
            if known and known.recipe == self._recipe and known.file_hash == digest:
                return FileReport(name, "unchanged")
            return self._process(loaded, SourceState(len(text), 0, digest), known)

        return read

    def _read_stored(self, document_id: str) -> Callable[[], _Pending | FileReport]:
        def read() -> _Pending | FileReport:
            loaded = self._store.loaded(document_id)
            state = self._store.source_state(loaded.source) if loaded else None
            if loaded is None or state is None:
                return FileReport(document_id, "skipped", message="removed meanwhile")
            return self._process(loaded, state, state)

        return read

    def _process(
        self, loaded: Document, state: SourceState, known: SourceState | None
    ) -> _Pending | FileReport:
        document = find_sections(clean.mark(loaded))
        # A copy must find stored what waits, and not find what something that waits will replace.
        holder = self._store.holder(document.text, self._recipe)
        if any(p.document.text == document.text or (holder and p.replaces) for p in self._waiting()):
            self._flush()
            holder = self._store.holder(document.text, self._recipe)
        if holder is None:
            return _Pending(loaded, document, state, self._chunk(document), replaces=known is not None)
        if known and known.document_id == holder:
            self._store.describe(loaded, document)
            self._store.refresh(document.source, state)
            return FileReport(document.source, "unchanged")
        return _Pending(loaded, document, state, (), replaces=known is not None, duplicate=True)

    def _chunk(self, document: Document) -> list[Passage]:
        return chunking.chunk(document, self._encoder.count_tokens, self._encoder.max_tokens)

    # Writing

    def _flush(self) -> None:
        """Store all that is read."""
        if self._pending:
            self._hand_over()
        while self._batches:
            self._finish()

    def _hand_over(self) -> None:
        """Have the encoder begin with what is pending."""
        named = [
            (pending.document.source, chunking.encoder_text(passage))
            for pending in self._pending
            for passage in pending.passages
        ]
        batch = _Batch(self._pending, [])
        for start in range(0, len(named), _BATCH_PASSAGES):
            part = named[start : start + _BATCH_PASSAGES]
            vectors = self._thread.submit(self._encoder.encode, [text for _, text in part])
            batch.parts.append((part[0][0], vectors))
        self._batches.append(batch)
        self._pending, self._pending_passages = [], 0

    def _finish(self) -> None:
        """Store the batch that was handed over first, once it is encoded."""
        batch = self._batches[0]
        parts = [np.empty((0, self._encoder.dimension), dtype=np.float32)]
        for source, part in batch.parts:
            parts.append(part.result())
            self._encoded += len(parts[-1])
            self._tell(source)
        vectors = np.concatenate(parts)
        entries: list[Entry] = []
        row = 0
        for pending in batch.documents:
            end = row + len(pending.passages)
            entries.append(self._entry(pending, vectors[row:end]))
            row = end
        stored = self._store.put(entries, self._recipe)
        self._files += [_stored_report(pending, stored) for pending in batch.documents]
        self._batches.popleft()

    def _entry(self, pending: _Pending, vectors: Vectors) -> Entry:
        # What a copy was to share may have been removed while it waited.
        if pending.duplicate and self._store.holder(pending.document.text, self._recipe) is None:
            pending.duplicate = False
            pending.passages = self._chunk(pending.document)
            vectors = self._encoder.encode([chunking.encoder_text(passage) for passage in pending.passages])
            self._encoded += len(vectors)
        return Entry(pending.loaded, pending.document, pending.state, pending.passages, vectors)

    def _drop_vanished(
        self, roots: Sequence[Path], files: Sequence[Path], report: IngestReport
    ) -> IngestReport:
        # Sources keep the links that they were reached by.
        folders = {way for root in roots if root.exists() for way in (absolute(root), root.resolve())}
        kept = {str(path) for path in files}
        gone = [
            source
            for source in self._store.sources()
            if source not in kept
            and any(Path(source).is_relative_to(folder) for folder in folders)
            and not os.path.lexists(source)
        ]
        removed = self._store.remove_sources(gone) if gone else []
        dropped = tuple(FileReport(source, "removed", message="the file is gone") for source in removed)
        return replace(report, files=report.files + dropped)

    def _tell(self, source: str) -> None:
        if self._on_progress:
            seconds = time.monotonic() - self._start
            total = max(self._taken, self._total)
            self._on_progress(Progress(self._taken, total, self._encoded, seconds, source))

    def _report(self) -> IngestReport:
        return IngestReport(tuple(self._files), self._encoded, time.monotonic() - self._start)


def _stored_report(pending: _Pending, stored: dict[str, str]) -> FileReport:
    document = pending.document
    status: Status = "duplicate" if pending.duplicate else "replaced" if pending.replaces else "added"
    return FileReport(
        source=document.source,
        status=status,
        characters=len(document.text),
        passages=len(pending.passages),
        marked=sum(mark.end - mark.start for mark in document.marked),
        message=f"same text as document {stored[document.source]}" if pending.duplicate else "",
        warnings=document.warnings,
    )


def _state(path: Path) -> SourceState:
    try:
        stat = path.stat()
    except OSError as error:
        raise LoadError(
            f"{path}: cannot be read ({error.strerror}). Check that it is there and readable."
        ) from error
    return SourceState(stat.st_size, stat.st_mtime_ns, "")


def _file_hash(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise LoadError(f"{path}: cannot be read ({error.strerror}). Check its permissions.") from error
