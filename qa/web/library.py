"""The documents of one server: listed, viewed, added, read again, removed. Safe to use from several threads.

Knows indexes and files; knows no HTTP and no HTML.
"""

from __future__ import annotations

import contextlib
import logging
import shutil
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from index.errors import VerbatimError
from index.home import index_directory, seeds_directory
from index.index import Index
from index.ingest import IngestReport, OnProgress
from index.load import SUFFIXES
from index.store import FILE_NAME
from index.types import Document, DocumentInfo, Passage, document_id
from qa.assistant import Assistant
from qa.web import strings
from qa.web.corpus import Corpus

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
        self._earlier: list[Index] = []
        self._lock = threading.Lock()
        self._pages = lru_cache(maxsize=10_000)(self._count_pages)
        if corpus.kind == "own":
            self._earlier += _seeds()

    def close(self) -> None:
        """Close what was opened since: the first corpus belongs to who made it."""
        with self._lock:
            for index in (self.index, *self._earlier):
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
        return next((info for info in self.index.documents() if info.id == document), None)

    def _index_of(self, document: str) -> Index:
        """Return the index that holds a document, also one that was answered over before."""
        indexes = (self.index, *self._earlier)
        return next((index for index in indexes if document in set(index.document_ids())), self.index)

    def document(self, document: str) -> Document | None:
        """Return a document with its text, also one that was answered over before; else ``None``."""
        return self._index_of(document).document(document)

    def passages(self, document: str) -> list[Passage]:
        """Return the passages of a document in order, also of one that was answered over before."""
        return self._index_of(document).passages(document)

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
        infos = self._index_of(document).documents()
        info = next((info for info in infos if info.id == document), None)
        return next(filter(is_original, map(Path, info.sources)), None) if info else None

    # Writing

    def add(self, paths: Sequence[Path], on_progress: OnProgress | None = None) -> IngestReport:
        """Take in files; as :meth:`index.index.Index.add`. Over the seeds, start the user's own index.

        Raises:
            StoreError: the index cannot be written.
        """
        if self._corpus.kind != "seeds":
            return self.index.add(paths, on_progress=on_progress)
        return self._add_to_own(paths, on_progress)

    def _add_to_own(self, paths: Sequence[Path], on_progress: OnProgress | None) -> IngestReport:
        is_new = not (index_directory() / FILE_NAME).exists()
        own = Index.open(index_directory(), encoder=self.index.encoder)
        try:
            report = own.add(paths, on_progress=on_progress)
            if own.document_ids():
                self._adopt(own)
                return report
        except BaseException:
            own.close()
            raise
        own.close()
        if is_new:
            # An empty index of their own would hide the seeds.
            shutil.rmtree(index_directory())
        return report

    def _adopt(self, own: Index) -> None:
        before = self._corpus
        assistant = Assistant(own, before.assistant.settings, before.assistant.reader)
        with self._lock:
            self._earlier.append(before.assistant.index)
            self._corpus = replace(before, assistant=assistant, name=strings.OWN, kind="own")

    def read_again(self, document: str) -> IngestReport | None:
        """Read the files of a document again, where they have changed; ``None`` where there is no such id."""
        info = self.info(document)
        if info is None:
            return None
        files = [Path(source) for source in info.sources if Path(source).is_absolute()]
        report = self.index.add(files)
        # Texts without a file, and whatever an older version processed.
        rebuilt = self.index.rebuild()
        return replace(report, files=(*report.files, *rebuilt.files))

    def remove(self, document: str) -> bool:
        """Remove a document, and the copies of its files that were uploaded; other files stay.

        Returns:
            Whether it was there.
        """
        info = self.info(document)
        if info is None or not self.index.remove(document):
            return False
        for source in map(Path, info.sources):
            if source.parent == self._corpus.uploads:
                with contextlib.suppress(FileNotFoundError):
                    source.unlink()
        self._on_removed(document)
        return True


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
