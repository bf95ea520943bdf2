"""The documents of one server: listed, viewed, added, read again, removed. Safe to use from several threads.

Knows indexes and files; knows no HTTP and no HTML.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from index.errors import SettingsError, VerbatimError
from index.home import index_directory, seeds_directory
from index.index import Index
from index.ingest import IngestReport, OnProgress
from index.load import SUFFIXES
from index.store import FILE_NAME
from index.types import Document, DocumentInfo, Passage, document_id
from qa.assistant import Assistant, seeds_index
from qa.web import strings
from qa.web.corpus import Corpus, Kind

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Listing:
    """A stretch of the documents that match a search, and how many match."""

    infos: tuple[DocumentInfo, ...]
    matching: int
    of: int


class Library:
    """What the page answers over. It begins with one corpus; over the seeds, an upload starts the user's own.

    ``on_removed`` is called with the id of each document that was removed.
    """

    def __init__(self, corpus: Corpus, on_removed: Callable[[str], None] | None = None) -> None:
        self._corpus = corpus
        self._on_removed = on_removed or (lambda _: None)
        self._given = corpus.assistant.index
        # All that was answered over, the first one first: readers need no lock, for none is ever taken out.
        self._opened = [self._given]
        self._lock = threading.Lock()
        self._adding = threading.Lock()
        # Held for moments: while files move, and documents go.
        self._files = threading.Lock()
        self._taking: Path | None = None
        self._reading_again = threading.Lock()
        self._rereading: str | None = None
        self._pages = lru_cache(maxsize=10_000)(self._count_pages)
        self._shown = _seeds() if corpus.kind == "own" else []

    def close(self) -> None:
        """Close what was opened since: the first corpus belongs to who made it."""
        with self._lock:
            for index in (*self._opened, *self._shown):
                if index is not self._given:
                    index.close()

    @property
    def corpus(self) -> Corpus:
        """What is answered over now."""
        return self._corpus

    @property
    def assistant(self) -> Assistant:
        """Who answers now."""
        return self._corpus.assistant

    @property
    def index(self) -> Index:
        """What is searched now."""
        return self._corpus.assistant.index

    # Reading

    def listing(self, query: str = "", offset: int = 0, limit: int = 50) -> Listing:
        """Return documents whose title or file name holds all words of ``query``, the newest first."""
        infos = self.index.documents()[::-1]
        words = query.casefold().split()
        found = [info for info in infos if all(word in _searched(info) for word in words)] if words else infos
        return Listing(tuple(found[offset : offset + limit]), len(found), len(infos))

    def info(self, document: str) -> DocumentInfo | None:
        """Return what a list shows of one document, or ``None`` where there is no such id."""
        return _info(self.index, document)

    def _indexes(self) -> Iterator[Index]:
        """Yield the index that is answered over, and those that were before."""
        yield from dict.fromkeys((self.index, *self._opened, *self._shown))

    def document(self, document: str) -> Document | None:
        """Return a document with its text, also one that was answered over before; else ``None``."""
        found = (index.document(document) for index in self._indexes())
        return next((one for one in found if one is not None), None)

    def passages(self, document: str) -> list[Passage]:
        """Return the passages of a document in order, also of one that was answered over before."""
        return next(filter(None, (index.passages(document) for index in self._indexes())), [])

    def pages(self, info: DocumentInfo) -> int | None:
        """Return the number of pages, ``None`` for formats without."""
        if not any(source.lower().endswith(".pdf") for source in info.sources):
            return None
        return self._pages(info.id, info.characters)

    def _count_pages(self, document: str, _: int) -> int | None:
        found = self.index.document(document)
        return len(found.pages) or None if found else None

    def original(self, document: str) -> Path | None:
        """Return the file that a document was read from, where it is still there; ``None`` for texts."""
        info = next(filter(None, (_info(index, document) for index in self._indexes())), None)
        return next(filter(is_original, map(Path, info.sources)), None) if info else None

    # Writing

    def add(self, paths: Sequence[Path], on_progress: OnProgress | None = None) -> IngestReport:
        """Take in files; as :meth:`index.index.Index.add`. Over the seeds, start the user's own index.

        Raises:
            StoreError: the index cannot be written.
        """
        with self._adding:
            if self._corpus.kind != "seeds":
                return self.index.add(paths, on_progress=on_progress)
            return self._add_to_own(paths, on_progress)

    def take(
        self, sent: Path, target: Path, earlier: Path, on_progress: OnProgress | None = None
    ) -> IngestReport:
        """Take in a file that was sent, in the place of an earlier one of its name; as :meth:`add`.

        Whatever happens, at the end a file lies at ``target`` if the index knows it, and else none.

        Args:
            sent: where it is kept until now.
            target: where it is to lie.
            earlier: where the earlier one waits for what becomes of it.
            on_progress: as for :meth:`add`.

        Raises:
            StoreError: the index cannot be written.
            OSError: the file cannot be moved.
        """
        taken = False
        with self._files:
            # Who removes its document meanwhile leaves the file to us.
            self._taking = target
        try:
            if target.exists():
                target.replace(earlier)
            sent.replace(target)
            report = self.add([target], on_progress)
            taken = not any(one.status in ("failed", "skipped") for one in report.files)
            return report
        finally:
            with self._files:
                self._taking = None
                known = stored_id(self.index, target) is not None
                if not (taken and known):
                    target.unlink(missing_ok=True)
                if known and not taken and earlier.exists():
                    earlier.replace(target)

    def undo_taking(self, target: Path, earlier: Path) -> None:
        """Undo a :meth:`take` that was killed: what it replaced comes back; what no index knows goes.

        Raises:
            StoreError: the index cannot be written.
            OSError: a file cannot be moved.
        """
        if stored_id(self.index, target) is None:
            target.unlink(missing_ok=True)
        elif earlier.exists():
            earlier.replace(target)
            # The text of what replaced it may be stored already. Else this costs nothing.
            self.index.add([target])

    def _add_to_own(self, paths: Sequence[Path], on_progress: OnProgress | None) -> IngestReport:
        own = Index.open(index_directory(), encoder=self.index.encoder)
        try:
            report = own.add(paths, on_progress=on_progress)
        except BaseException:
            own.close()
            raise
        if own.is_empty:
            # The seeds stay. It stays too: another process may be about to store something there.
            own.close()
        else:
            self._adopt(own, strings.OWN, "own")
        return report

    def _adopt(self, index: Index, name: str, kind: Kind) -> None:
        """Answer over an index from now on; over the one of its folder that is open already, where one is."""
        before = self._corpus
        with self._lock:
            known = next((one for one in self._opened if one.directory == index.directory), None)
            if known is None:
                self._opened.append(index)
            else:
                index.close()
                index = known
            assistant = Assistant(index, before.assistant.settings, before.assistant.reader)
            self._corpus = replace(before, assistant=assistant, name=name, kind=kind)

    def return_to_seeds(self) -> None:
        """Answer over the documents that come with Verbatim, in place of an empty index of the user's own.

        Raises:
            SettingsError: it is not empty, or documents are being added to it.
            StoreError: the seeds' index cannot be made.
        """
        if not self._adding.acquire(blocking=False):
            raise SettingsError(strings.BUSY_ADDING)
        try:
            if self._corpus.kind == "own":
                if not self.index.is_empty:
                    raise SettingsError(strings.NOT_EMPTY)
                self._adopt(seeds_index(self.index.encoder), strings.SEEDS, "seeds")
        finally:
            self._adding.release()

    def read_again(self, document: str) -> IngestReport | None:
        """Read the files of a document again, where they have changed; ``None`` where there is no such id."""
        with self._reading_again:
            # An upload may turn to the user's own index meanwhile.
            index = self.index
            with self._files:
                # Who removes it has done so by now, or tells us.
                info = _info(index, document)
                self._rereading = document
            try:
                return None if info is None else _read_sources(index, info)
            finally:
                with self._files:
                    removed, self._rereading = self._rereading is None, None
                if removed:
                    # It was removed while it was read, and came back with that.
                    self._remove(index, document)

    def remove(self, document: str) -> bool:
        """Remove a document, and the copies of its files that were uploaded; other files stay.

        Returns:
            Whether it was there.
        """
        return self._remove(self.index, document)

    def _remove(self, index: Index, document: str) -> bool:
        with self._files:
            info = _info(index, document)
            if info is None or not index.remove(document):
                return False
            if self._rereading == document:
                self._rereading = None
            for source in map(Path, info.sources):
                if source.parent == self._corpus.uploads and source != self._taking:
                    source.unlink(missing_ok=True)
        self._on_removed(document)
        return True


def _info(index: Index, document: str) -> DocumentInfo | None:
    return next((info for info in index.documents() if info.id == document), None)


def _read_sources(index: Index, info: DocumentInfo) -> IngestReport:
    files = [source for source in info.sources if Path(source).is_absolute()]
    stored = index.document(info.id)
    # A text is its own file: where an older version processed it, it is processed again.
    texts = [(name, stored.text) for name in info.sources if name not in files] if stored else []
    report, again = index.add(files), index.add_texts(texts)
    return replace(report, files=(*report.files, *again.files))


def _searched(info: DocumentInfo) -> str:
    return f"{info.title} {' '.join(Path(source).name for source in info.sources)}".casefold()


def is_original(path: Path) -> bool:
    """Whether a source is a file that can be downloaded: texts given by a program have names alone."""
    return path.is_absolute() and path.suffix.lower() in SUFFIXES and path.is_file()


def _seeds() -> list[Index]:
    """Return the seeds' index, of which older conversations may tell, where there is one."""
    if not (seeds_directory() / FILE_NAME).is_file():
        return []
    try:
        return [Index.open(seeds_directory(), create=False, lazy=True)]
    except VerbatimError as error:
        logger.info("The documents that come with Verbatim cannot be shown: %s", error)
        return []


def stored_id(index: Index, source: Path) -> str | None:
    """Return the id of the document that a source holds, or ``None``."""
    own = document_id(str(source))
    if own in set(index.document_ids()):
        return own
    return next((info.id for info in index.documents() if str(source) in info.sources), None)
