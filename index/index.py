"""The object that callers hold: documents in, ranked passages out.

Puts store, vectors and encoder together; every step of its own lives in a module of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Self

from index.encode import load_encoder
from index.errors import QuestionError, SettingsError
from index.home import index_directory
from index.ingest import Ingest, IngestReport, OnProgress
from index.load.files import absolute, is_unicode
from index.search import DENSE_WEIGHT, search
from index.store import Store
from index.types import Document, DocumentInfo, Encoder, Hit, Passage
from index.vectors import VectorIndex
from index.words import WordIndex

MAX_QUESTION_CHARACTERS = 2_000


class Index:
    """Documents, searchable. Safe to use from several threads; close it, or use it in ``with``."""

    def __init__(self, store: Store, encoder: Encoder | str | None, *, lazy: bool) -> None:
        """Use :meth:`open` instead."""
        self._store = store
        self._words = WordIndex(store)
        self._chosen = encoder
        # What was listed last, and the store's generation then.
        self._listed: tuple[int, list[DocumentInfo]] | None = None
        if not lazy:
            self._vectors = VectorIndex(store, self.encoder.dimension)

    @classmethod
    def open(
        cls,
        directory: str | Path | None = None,
        *,
        encoder: Encoder | str | None = None,
        create: bool = True,
        lazy: bool = False,
    ) -> Self:
        """Open the index in a folder, by default the user's own; make it where there is none.

        Args:
            directory: the index's folder.
            encoder: an encoder, or the name or folder of one; by default all-MiniLM-L6-v2.
            create: whether to make an index where there is none.
            lazy: whether to load the encoder only when it is needed. Listing and removing never need it;
                what is wrong with it is raised by whatever does.

        Raises:
            StoreError: the folder is none of an index, cannot be read, or was made with another encoder
                or a newer version.
            ModelError: the encoder cannot be loaded.
        """
        store = Store(Path(directory).expanduser() if directory else index_directory(), create=create)
        try:
            return cls(store, encoder, lazy=lazy)
        except BaseException:
            store.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the database."""
        self._store.close()

    @cached_property
    def encoder(self) -> Encoder:
        """The encoder of this index, loaded when it is first asked for. Raises as :meth:`open`."""
        chosen = self._chosen
        encoder = load_encoder(chosen) if chosen is None or isinstance(chosen, str) else chosen
        self._store.bind_encoder(encoder.identity)
        return encoder

    @cached_property
    def _vectors(self) -> VectorIndex:
        return VectorIndex(self._store, self.encoder.dimension)

    @property
    def directory(self) -> Path:
        """The index's folder."""
        return self._store.directory

    # Documents in

    def add(
        self,
        paths: Iterable[str | Path] | str | Path,
        *,
        sync: bool = False,
        on_progress: OnProgress | None = None,
    ) -> IngestReport:
        """Take in files and folders. Unchanged files cost nothing, changed ones are replaced.

        Args:
            paths: files and folders; folders with all that is in them.
            sync: also drop what is stored from below these paths and is gone from the disk.
            on_progress: called now and then with how far it is.

        Returns:
            What became of each file. A file that cannot be read is in it as failed; the others go on.

        Raises:
            IngestInterrupted: Ctrl-C. What was finished is stored; its ``report`` says what.
            StoreError: the index cannot be written.
        """
        given = [paths] if isinstance(paths, str | Path) else list(paths)
        roots = [Path(path).expanduser() for path in given]
        return self._ingest(lambda ingest: ingest.paths(roots, sync=sync), on_progress)

    def add_texts(
        self, texts: Iterable[tuple[str, str]], *, on_progress: OnProgress | None = None
    ) -> IngestReport:
        """Take in ``(name, text)`` pairs; a name that is stored already is replaced. As :meth:`add`."""
        return self._ingest(lambda ingest: ingest.texts(texts), on_progress)

    def rebuild(self, *, on_progress: OnProgress | None = None) -> IngestReport:
        """Process again, from stored texts, the documents that an older version processed."""
        return self._ingest(lambda ingest: ingest.rebuild(), on_progress)

    def remove(self, *names: str | Path) -> list[str]:
        """Remove documents by id, or single sources by path or name. Return the names that were there.

        A document that several sources hold stays until the last of them is removed.
        """
        # The vectors follow at the next search: so a removal needs no encoder.
        return [
            name
            for name in filter(is_unicode, map(str, names))
            if self._store.remove_documents([name]) or self._remove_source(name)
        ]

    def _remove_source(self, name: str) -> list[str]:
        """Remove the one source that a name means: as given, as an absolute path, or a link's target."""
        stored = (one for one in _sources(name) if self._store.source_state(one) is not None)
        return self._store.remove_sources([source] if (source := next(stored, None)) else [])

    # Out

    def search(
        self,
        question: str,
        k: int = 10,
        *,
        documents: Collection[str] | None = None,
        dense_weight: float = DENSE_WEIGHT,
    ) -> list[Hit]:
        """Return the best ``k`` passages for a question, best first.

        Args:
            question: 1 to 2,000 characters.
            k: at least 1.
            documents: ids of the only documents to search.
            dense_weight: the share of the dense score in the fused one: 0 ranks by words alone, 1 by vectors
                alone.

        Raises:
            QuestionError: the question is empty or too long.
            SettingsError: ``k`` is below 1, or ``dense_weight`` is not in [0, 1].
        """
        check_question(question)
        if k < 1:
            raise SettingsError(f"k is {k}: it must be at least 1")
        self._vectors.sync()
        return search(
            self._store,
            self._vectors,
            self._words,
            self.encoder,
            question,
            k,
            documents=documents,
            dense_weight=dense_weight,
        )

    @property
    def is_empty(self) -> bool:
        """Whether there are no documents."""
        return self._store.is_empty

    def document_ids(self) -> list[str]:
        """Return the ids of all documents, in the order they were added."""
        return self._store.document_ids()

    def documents(self) -> list[DocumentInfo]:
        """Return all documents, in the order they were added."""
        generation = self._store.generation()
        # Pages list them again and again: of 8,000 documents that took a quarter of a second each time.
        if self._listed is None or self._listed[0] != generation:
            self._listed = generation, self._store.documents()
        return list(self._listed[1])

    def document(self, document_id: str) -> Document | None:
        """Return a document with its canonical text, or ``None`` where there is no such id."""
        return self._store.document(document_id)

    def passages(self, document_id: str) -> list[Passage]:
        """Return the passages of a document in order."""
        return self._store.passages_of(document_id)

    def __len__(self) -> int:
        """Return the number of passages."""
        return self._store.passage_count()

    def _ingest(self, run: Callable[[Ingest], IngestReport], on_progress: OnProgress | None) -> IngestReport:
        before = self._store.generation()
        try:
            return run(Ingest(self._store, self.encoder, on_progress))
        finally:
            # Also after Ctrl-C or an error: what is stored is to be found.
            if self._store.generation() != before:
                self._vectors.save()


def _sources(name: str) -> list[str]:
    """Return the sources that a person may mean by ``name``: a text's name, or a path."""
    try:
        path = Path(name).expanduser()
        return list(dict.fromkeys([name, str(absolute(path)), str(path.resolve())]))
    except (OSError, RuntimeError, ValueError):  # a name that cannot be a path
        return [name]


def check_question(question: str) -> None:
    """Raise what is wrong with a question, if anything.

    Raises:
        QuestionError: it is empty or too long.
    """
    if not question.strip():
        raise QuestionError("the question is empty: ask something")
    if not is_unicode(question):
        raise QuestionError("the question holds bytes that are no characters: type it again")
    if len(question) > MAX_QUESTION_CHARACTERS:
        raise QuestionError(
            f"the question has {len(question):,} characters: ask in at most {MAX_QUESTION_CHARACTERS:,}"
        )
