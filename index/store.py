"""The one truth: documents, passages, vectors and full text in one SQLite file.

Everything else (the FAISS file) is derived from it. Knows SQL; knows nothing of models or of fusion.
A transaction is a batch of documents: after a crash the store holds the batches that were committed.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import threading
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw
import numpy as np
from numpy.typing import NDArray

from index.errors import IndexMismatch, IndexReadOnly, IndexTooNew, NotAnIndex, StoreError
from index.types import Document, DocumentInfo, Passage, Range, Section, Vectors, document_id

FORMAT = 2
FILE_NAME = "index.db"
# "VBTM": marks the file as ours in SQLite's header.
_APPLICATION_ID = 0x5642544D
_BUSY_MILLISECONDS = 30_000
_TOKENIZER = ("porter", "unicode61", "remove_diacritics", "2")
# Words as they are written, not as stems: which passage has how many is not asked of these.
_SPELLINGS = f"""
CREATE VIRTUAL TABLE spellings USING fts5 (
    text, content='', contentless_delete=1, detail=none, tokenize='{" ".join(_TOKENIZER[1:])}'
);
CREATE TRIGGER passages_deleted_spellings AFTER DELETE ON passages BEGIN
    DELETE FROM spellings WHERE rowid = old.id;
END;
"""
_SCHEMA = f"""
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;
CREATE TABLE documents (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    content_hash TEXT NOT NULL UNIQUE,
    title TEXT NOT NULL,
    text TEXT NOT NULL,
    loaded TEXT NOT NULL,
    parts TEXT NOT NULL,
    recipe TEXT NOT NULL
);
CREATE TABLE sources (
    source TEXT PRIMARY KEY,
    document INTEGER NOT NULL REFERENCES documents ON DELETE CASCADE,
    size INTEGER NOT NULL,
    modified INTEGER NOT NULL,
    file_hash TEXT NOT NULL
);
CREATE INDEX sources_document ON sources (document);
CREATE TABLE passages (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    document INTEGER NOT NULL REFERENCES documents ON DELETE CASCADE,
    start INTEGER NOT NULL,
    end INTEGER NOT NULL,
    text TEXT NOT NULL,
    heading TEXT NOT NULL
);
CREATE INDEX passages_document ON passages (document);
CREATE TABLE vectors (
    passage INTEGER PRIMARY KEY REFERENCES passages ON DELETE CASCADE,
    vector BLOB NOT NULL
);
CREATE VIRTUAL TABLE words USING fts5 (
    text, content='', contentless_delete=1, tokenize='{" ".join(_TOKENIZER)}'
);
CREATE TRIGGER passages_deleted AFTER DELETE ON passages BEGIN
    DELETE FROM words WHERE rowid = old.id;
END;
{_SPELLINGS}
"""
_PASSAGE = (
    "SELECT p.id, d.id, p.start, p.end, p.text, p.heading "
    "FROM passages p JOIN documents d ON d.number = p.document"
)


@dataclass(frozen=True, slots=True)
class SourceState:
    """What a source looked like when it was read: bytes, nanoseconds, hex digests, recipe of its document."""

    size: int
    modified: int
    file_hash: str
    document_id: str = ""
    recipe: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A document ready to be stored; ``vectors`` has one row a passage.

    ``loaded`` is the document before cleaning: with it the later steps can be run again from the store.
    """

    loaded: Document
    document: Document
    state: SourceState
    passages: Sequence[Passage]
    vectors: Vectors


@dataclass(frozen=True, slots=True)
class Postings:
    """The passages that hold one token, ids rising, and how often each holds it; both of shape ``(n,)``."""

    passages: NDArray[np.int32]
    counts: NDArray[np.uint16]


class Store:
    """One index's database. Safe to use from several threads; one writes at a time."""

    def __init__(self, directory: Path, *, create: bool = True) -> None:
        """Open the store in ``directory``.

        Raises:
            NotAnIndex: there is a file in the way, or no index and ``create`` is off.
            IndexReadOnly: it would have to be created, and cannot be.
            IndexTooNew: a newer version wrote it.
        """
        self.directory = directory
        self._path = directory / FILE_NAME
        self._local = threading.local()
        self._connections: list[tuple[threading.Thread, apsw.Connection]] = []
        self._connections_lock = threading.Lock()
        self._write_lock = threading.RLock()
        self._read_only = False
        _check_directory(directory, self._path, create=create)
        self._open()

    def close(self) -> None:
        """Close the connections of all threads."""
        with self._connections_lock:
            for _, connection in self._connections:
                connection.close()
            self._connections.clear()
        self._local = threading.local()

    @property
    def read_only(self) -> bool:
        """Whether the index cannot be written from here."""
        return self._read_only

    # Facts about the whole index

    def get(self, key: str) -> str | None:
        """Return a fact stored by :meth:`set`, or ``None``."""
        row = self._row("SELECT value FROM meta WHERE key = ?", (key,))
        return None if row is None else str(row[0])

    def set(self, key: str, value: str) -> None:
        """Store a fact about the index."""
        with self.transaction() as connection:
            connection.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, value))

    def bind_encoder(self, identity: str) -> None:
        """Record whose vectors these are, or check that they are this encoder's.

        Raises:
            IndexMismatch: the stored vectors come from another encoder.
        """
        stored = self.get("encoder")
        if stored is None:
            if not self._read_only:
                self.set("encoder", identity)
        elif stored != identity:
            raise IndexMismatch(
                f"{self.directory}: its vectors come from another encoder ({stored[:12]}, this one is "
                f"{identity[:12]}). Open it with the encoder it was made with, or index into another folder."
            )

    def generation(self) -> int:
        """Return a number that grows with every change to documents."""
        return int(self.get("generation") or 0)

    # Reading

    def source_state(self, source: str) -> SourceState | None:
        """Return what ``source`` looked like when it was last read, or ``None`` if it is not stored."""
        row = self._row(
            "SELECT size, modified, file_hash, d.id, d.recipe FROM sources JOIN documents d "
            "ON d.number = document WHERE source = ?",
            (source,),
        )
        return None if row is None else SourceState(*row)

    def sources(self) -> list[str]:
        """Return all sources in order."""
        return [row[0] for row in self._rows("SELECT source FROM sources ORDER BY source")]

    def document(self, document_id: str) -> Document | None:
        """Return a document with its text, or ``None``."""
        return self._document(document_id, "parts")

    def loaded(self, document_id: str) -> Document | None:
        """Return a document as its loader gave it, before cleaning, or ``None``."""
        return self._document(document_id, "loaded")

    def stale(self, recipe: str) -> list[str]:
        """Return the ids of documents that were processed by another recipe."""
        rows = self._rows("SELECT id FROM documents WHERE recipe <> ?", (recipe,))
        return [row[0] for row in rows]

    def _document(self, document_id: str, parts: str) -> Document | None:
        row = self._row(
            f"SELECT d.id, (SELECT min(source) FROM sources WHERE document = d.number), text, {parts} "
            "FROM documents d WHERE d.id = ?",
            (document_id,),
        )
        return None if row is None else _document(*row)

    def holder(self, text: str, recipe: str) -> str | None:
        """Return the id of the document with this text, processed by this recipe, or ``None``."""
        row = self._row(
            "SELECT id FROM documents WHERE content_hash = ? AND recipe = ?", (_content_hash(text), recipe)
        )
        return None if row is None else str(row[0])

    @property
    def is_empty(self) -> bool:
        """Whether there are no documents."""
        return self._row("SELECT 1 FROM documents LIMIT 1", ()) is None

    def document_ids(self) -> list[str]:
        """Return the ids of all documents, in the order they were stored."""
        return [row[0] for row in self._rows("SELECT id FROM documents ORDER BY number")]

    def documents(self) -> list[DocumentInfo]:
        """Return all documents without their texts, in the order they were stored."""
        rows = self._rows(
            "SELECT d.id, title, parts, length(text), "
            "(SELECT json_group_array(source ORDER BY source) FROM sources WHERE document = d.number), "
            "(SELECT count(*) FROM passages WHERE document = d.number) FROM documents d ORDER BY d.number"
        )
        return [_info(*row) for row in rows]

    def passage_ids(self, document_ids: Collection[str] | None = None) -> list[int]:
        """Return the ids of all passages, or of those of some documents, rising."""
        if document_ids is None:
            rows = self._rows("SELECT id FROM passages ORDER BY id")
        else:
            rows = self._rows(
                "SELECT p.id FROM passages p JOIN documents d ON d.number = p.document "
                "WHERE d.id IN (SELECT value FROM json_each(?)) ORDER BY p.id",
                (json.dumps(list(document_ids)),),
            )
        return [row[0] for row in rows]

    def passage_ids_after(self, last: int) -> list[int]:
        """Return the ids of the passages stored after the one with the id ``last``, rising."""
        return [row[0] for row in self._rows("SELECT id FROM passages WHERE id > ? ORDER BY id", (last,))]

    def passage_count(self) -> int:
        """Return how many passages there are."""
        return int(self._row("SELECT count(*) FROM passages", ())[0])

    def passages(self, ids: Iterable[int]) -> dict[int, Passage]:
        """Return the passages that are still stored among ``ids``."""
        rows = self._rows(
            f"{_PASSAGE} WHERE p.id IN (SELECT value FROM json_each(?))", (json.dumps(list(ids)),)
        )
        return {row[0]: Passage(*row) for row in rows}

    def passages_of(self, document_id: str) -> list[Passage]:
        """Return the passages of one document in order."""
        rows = self._rows(f"{_PASSAGE} WHERE d.id = ? ORDER BY p.id", (document_id,))
        return [Passage(*row) for row in rows]

    def vectors(self, ids: Iterable[int]) -> list[tuple[int, bytes]]:
        """Return id and vector (float32, little endian) of the passages that are stored among ``ids``."""
        return self._rows(
            "SELECT passage, vector FROM vectors WHERE passage IN (SELECT value FROM json_each(?)) "
            "ORDER BY passage",
            (json.dumps(list(ids)),),
        )

    def tokens(self, text: str, *, stemmed: bool = True) -> list[str]:
        """Return the tokens of a text as the full text has them: stems without accents, in order.

        Those that are not ``stemmed`` are as :meth:`spellings` has them.
        """
        name, *options = _TOKENIZER if stemmed else _TOKENIZER[1:]
        tokenizer = self._connection().fts5_tokenizer(name, options)
        found = tokenizer(
            text.encode(), apsw.FTS5_TOKENIZE_QUERY, None, include_offsets=False, include_colocated=False
        )
        return [str(token) for token in found]

    def spellings(self, most: int) -> list[str]:
        """Return the words of all passages that letters alone make up, in lower case, the commonest first.

        None of fewer than 3 letters is among them, and at most ``most`` are.
        """
        rows = self._rows(
            "SELECT term FROM temp.spelled WHERE length(term) > 2 AND NOT term GLOB '*[0-9]*' "
            "ORDER BY doc DESC, term LIMIT ?",
            (most,),
        )
        return [row[0] for row in rows]

    def postings(self, token: str) -> Postings:
        """Return which passages hold a token, and how often."""
        [(joined,)] = self._rows("SELECT group_concat(doc) FROM temp.postings WHERE term = ?", (token,))
        # Once for every time that the token occurs, rising.
        listed = np.fromstring(joined, dtype=np.int64, sep=",") if joined else np.empty(0, dtype=np.int64)
        firsts = np.flatnonzero(np.diff(listed, prepend=-1))
        counts = np.minimum(np.diff(firsts, append=len(listed)), np.iinfo(np.uint16).max)
        return Postings(listed[firsts].astype(np.int32), counts.astype(np.uint16))

    def lengths(self, ids: Sequence[int]) -> NDArray[np.int32]:
        """Return how many tokens each of ``ids`` has; 0 where it is not stored."""
        rows = self._rows(
            "SELECT id, sz FROM words_docsize WHERE id IN (SELECT value FROM json_each(?))",
            (json.dumps(list(ids)),),
        )
        known = {row[0]: _varint(row[1])[0] for row in rows}
        return np.array([known.get(one, 0) for one in ids], dtype=np.int32)

    def totals(self) -> tuple[int, int]:
        """Return how many passages are in the full text, and how many tokens they have together."""
        row = self._row("SELECT block FROM words_data WHERE id = 1", ())
        if row is None or not row[0]:
            return 0, 0
        count, at = _varint(row[0])
        return count, _varint(row[0], at)[0]

    # Writing

    @contextlib.contextmanager
    def transaction(self) -> Iterator[apsw.Connection]:
        """Run statements as one unit; all of them are undone if an exception passes through.

        Raises:
            IndexReadOnly: the index cannot be written.
            StoreError: the disk is full or fails.
        """
        if self._read_only:
            raise _read_only(self.directory)
        connection = self._connection()
        with self._write_lock:
            try:
                connection.execute("BEGIN IMMEDIATE")
                try:
                    yield connection
                    connection.execute("COMMIT")
                finally:
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
            except apsw.ReadOnlyError as error:
                raise _read_only(self.directory) from error
            except (apsw.FullError, apsw.IOError) as error:
                raise StoreError(
                    f"{self.directory}: cannot be written ({error}). Free some space; what is stored stays."
                ) from error
            except apsw.BusyError as error:
                raise StoreError(
                    f"{self.directory}: another process has been writing for 30 seconds. Try again later."
                ) from error
            except apsw.CorruptError as error:
                raise _damaged(self._path, error) from error

    def put(self, entries: Iterable[Entry], recipe: str) -> dict[str, str]:
        """Store documents in one transaction; return source -> document id.

        A source that is stored already is replaced. A document whose text is stored already under another
        source is not stored again: the source is added to it.
        """
        with self.transaction() as connection:
            stored = {entry.document.source: _put(connection, entry, recipe) for entry in entries}
            _touch(connection)
        return stored

    def refresh(self, source: str, state: SourceState) -> None:
        """Record a new size and time for a source whose content is unchanged."""
        with self.transaction() as connection:
            connection.execute(
                "UPDATE sources SET size = ?, modified = ?, file_hash = ? WHERE source = ?",
                (state.size, state.modified, state.file_hash, source),
            )

    def describe(self, loaded: Document, document: Document) -> None:
        """Record what a stored text now says of itself: titles, dates, warnings. Nothing is encoded.

        Only the source that gave the document its id speaks for it. Where the text is divided otherwise than
        before, what was found first stays, for the passages follow from it.
        """
        stored = self.document(document.id)
        if stored is None or stored.text != document.text or _divided(stored) != _divided(document):
            return
        if (parts := _parts(document)) == _parts(stored):
            return
        with self.transaction() as connection:
            connection.execute(
                "UPDATE documents SET title = ?, loaded = ?, parts = ? WHERE id = ?",
                (document.title, _parts(loaded), parts, document.id),
            )
            _touch(connection)

    def remove_sources(self, sources: Iterable[str]) -> list[str]:
        """Forget sources; a document goes with its last one. Return the sources that were stored."""
        with self.transaction() as connection:
            removed = [source for source in sources if _detach(connection, source)]
            _touch(connection)
        return removed

    def remove_documents(self, document_ids: Iterable[str]) -> list[str]:
        """Remove documents with all their sources. Return the ids that were stored."""
        with self.transaction() as connection:
            removed = [
                document_id
                for document_id in document_ids
                if connection.execute(
                    "DELETE FROM documents WHERE id = ? RETURNING 1", (document_id,)
                ).fetchall()
            ]
            _touch(connection)
        return removed

    # Connections

    def _rows(self, query: str, values: Sequence[Any] | dict[str, Any] = ()) -> list[Any]:
        """Return all rows of a query.

        Raises:
            NotAnIndex: the database is damaged.
            StoreError: it cannot be read.
        """
        try:
            return self._connection().execute(query, values).fetchall()
        except (apsw.NotADBError, apsw.CorruptError) as error:
            raise _damaged(self._path, error) from error
        except apsw.Error as error:
            raise StoreError(
                f"{self._path}: cannot be read ({error}). Try again, or check the disk."
            ) from error

    def _row(self, query: str, values: Sequence[Any]) -> Any:
        """Return the first row of a query, or ``None``."""
        return next(iter(self._rows(query, values)), None)

    def _open(self) -> None:
        connection = self._connection()
        try:
            version = connection.pragma("user_version")
            if version and connection.pragma("application_id") != _APPLICATION_ID:
                raise NotAnIndex(f"{self._path}: a database of something else. Choose another folder.")
            if version > FORMAT:
                raise IndexTooNew(
                    f"{self.directory}: written by a newer version of Verbatim (format {version}, this one "
                    f"knows {FORMAT}). Upgrade with: pip install --upgrade verbatim-qa"
                )
            if version == 0:
                self._create()
            elif version < FORMAT:
                raise IndexMismatch(
                    f"{self.directory}: written by an older version of Verbatim (format {version}, this one "
                    f"reads {FORMAT}). Delete that folder and build the index again with: qa index PATH"
                )
        except (apsw.NotADBError, apsw.CorruptError) as error:
            raise _damaged(self._path, error) from error
        except (apsw.BusyError, apsw.IOError, apsw.FullError) as error:
            raise StoreError(f"{self._path}: cannot be opened ({error}). Try again later.") from error
        except StoreError:
            self.close()
            raise

    def _create(self) -> None:
        with self.transaction() as connection:
            # Another process may have created it between the check and the lock.
            if connection.pragma("user_version") == 0:
                if connection.execute("SELECT 1 FROM sqlite_schema").fetchone():
                    raise NotAnIndex(f"{self._path}: a database of something else. Choose another folder.")
                connection.execute(_SCHEMA)
                # Tells what belongs to this store from what was derived from another.
                connection.execute("INSERT INTO meta VALUES ('key', lower(hex(randomblob(16))))")
                connection.pragma("application_id", _APPLICATION_ID)
                connection.pragma("user_version", FORMAT)

    def _connection(self) -> apsw.Connection:
        connection: apsw.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._connect()
            self._local.connection = connection
            self._keep(connection)
        return connection

    def _keep(self, connection: apsw.Connection) -> None:
        """Remember a thread's connection, and close those of threads that have ended."""
        with self._connections_lock:
            ended = [one for one in self._connections if not one[0].is_alive()]
            self._connections = [one for one in self._connections if one[0].is_alive()]
            self._connections.append((threading.current_thread(), connection))
        for _, old in ended:
            old.close()

    def _connect(self) -> apsw.Connection:
        try:
            connection = apsw.Connection(str(self._path))
            connection.set_busy_timeout(_BUSY_MILLISECONDS)
            _use_wal(connection)
            connection.pragma("synchronous", "full")
            connection.pragma("foreign_keys", 1)
            self._read_only = connection.readonly("main")
            _show_postings(connection)
        except (apsw.ReadOnlyError, apsw.CantOpenError) as error:
            if os.access(self.directory, os.W_OK) and os.access(self._path, os.W_OK):
                raise StoreError(
                    f"{self._path}: cannot be opened ({error}). Close what holds many files open."
                ) from error
            connection = self._connect_immutable(error)
        except (apsw.NotADBError, apsw.CorruptError) as error:
            raise _damaged(self._path, error) from error
        return connection

    def _connect_immutable(self, cause: apsw.Error) -> apsw.Connection:
        """Read from a medium on which SQLite can keep no lock files."""
        if not self._path.is_file():
            raise _read_only(self.directory) from cause
        try:
            connection = apsw.Connection(
                f"{self._path.resolve().as_uri()}?immutable=1",
                flags=apsw.SQLITE_OPEN_READONLY | apsw.SQLITE_OPEN_URI,
            )
            connection.pragma("user_version")
            _show_postings(connection)
        except apsw.Error as error:
            raise IndexReadOnly(f"{self._path}: cannot be read ({error}). Check its permissions.") from error
        self._read_only = True
        return connection


def _use_wal(connection: apsw.Connection) -> None:
    """Switch to a write-ahead log; SQLite does not wait by itself where another process is doing the same."""
    for _ in range(100):
        with contextlib.suppress(apsw.BusyError):
            connection.pragma("journal_mode", "wal")
            return
        time.sleep(0.05)
    raise StoreError(f"{connection.db_filename('main')}: another process is using it. Try again later.")


def _show_postings(connection: apsw.Connection) -> None:
    """Let postings of the full text, and the words as they are spelled, be selected from this connection."""
    connection.pragma("temp_store", "memory")
    connection.execute("CREATE VIRTUAL TABLE temp.postings USING fts5vocab(main, words, instance)")
    connection.execute("CREATE VIRTUAL TABLE temp.spelled USING fts5vocab(main, spellings, row)")


def _check_directory(directory: Path, path: Path, *, create: bool) -> None:
    try:
        if directory.exists() and not directory.is_dir():
            raise NotAnIndex(f"{directory}: is a file. An index is a folder: name another path with --index.")
        if path.is_file():
            return
        if path.is_dir():
            raise NotAnIndex(f"{path}: is a folder. Choose another folder for the index.")
    except (OSError, ValueError) as error:
        raise StoreError(
            f"{directory}: cannot be read ({error}). Check its name and permissions, or name another folder."
        ) from error
    if not create:
        raise NotAnIndex(f"{directory}: no index there. Make one with: qa index PATH --index {directory}")
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _read_only(directory) from error


def _read_only(directory: Path) -> IndexReadOnly:
    return IndexReadOnly(
        f"{directory}: cannot be written. Get write permission, or name another folder with --index."
    )


def _damaged(path: Path, error: apsw.Error) -> NotAnIndex:
    return NotAnIndex(
        f"{path}: damaged, or not a Verbatim index ({error}). Move it away and index the documents again."
    )


def _put(connection: apsw.Connection, entry: Entry, recipe: str) -> str:
    document, state = entry.document, entry.state
    content_hash = _content_hash(document.text)
    unchanged = connection.execute(
        "SELECT 1 FROM sources JOIN documents d ON d.number = document WHERE source = ? AND content_hash = ?",
        (document.source, content_hash),
    ).fetchone()
    if not unchanged:
        _detach(connection, document.source)
    row = connection.execute(
        "SELECT number, id, recipe FROM documents WHERE content_hash = ?", (content_hash,)
    ).fetchone()
    if row is None:
        [row] = connection.execute(
            "INSERT INTO documents (id, content_hash, title, text, loaded, parts, recipe) "
            "VALUES (?, ?, '', ?, '', '', '') RETURNING number, id, recipe",
            (document.id, content_hash, document.text),
        )
    number, document_id, stored_recipe = row
    if stored_recipe != recipe:
        _process(connection, number, entry, recipe)
    connection.execute(
        "INSERT OR REPLACE INTO sources VALUES (?, ?, ?, ?, ?)",
        (document.source, number, state.size, state.modified, state.file_hash),
    )
    return str(document_id)


def _content_hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _process(connection: apsw.Connection, number: int, entry: Entry, recipe: str) -> None:
    """Write all that is computed from a document's text, in place of what an older recipe computed."""
    document = entry.document
    connection.execute(
        "UPDATE documents SET title = ?, loaded = ?, parts = ?, recipe = ? WHERE number = ?",
        (document.title, _parts(entry.loaded), _parts(document), recipe, number),
    )
    connection.execute("DELETE FROM passages WHERE document = ?", (number,))
    for passage, vector in zip(entry.passages, entry.vectors, strict=True):
        [(key,)] = connection.execute(
            "INSERT INTO passages (document, start, end, text, heading) VALUES (?, ?, ?, ?, ?) RETURNING id",
            (number, passage.start, passage.end, passage.text, passage.heading),
        )
        connection.execute("INSERT INTO vectors VALUES (?, ?)", (key, vector.astype("<f4").tobytes()))
        for table in ("words", "spellings"):
            connection.execute(f"INSERT INTO {table} (rowid, text) VALUES (?, ?)", (key, passage.text))


def _detach(connection: apsw.Connection, source: str) -> bool:
    """Forget one source; where it gave a document its id, the first that is left gives it another."""
    row = connection.execute("DELETE FROM sources WHERE source = ? RETURNING document", (source,)).fetchone()
    if row is None:
        return False
    others = connection.execute("SELECT source FROM sources WHERE document = ? ORDER BY source", row)
    left = [other for (other,) in others]
    if left:
        changed = connection.execute(
            "UPDATE documents SET id = ? WHERE number = ? AND id = ? RETURNING title, loaded, parts",
            (document_id(left[0]), row[0], document_id(source)),
        ).fetchall()
        for title, loaded, parts in changed:
            if title == Path(source).stem:  # a title that the text does not show goes with its file
                new = Path(left[0]).stem
                connection.execute(
                    "UPDATE documents SET title = ?, loaded = ?, parts = ? WHERE number = ?",
                    (new, *(_retitled(str(one), title, new) for one in (loaded, parts)), row[0]),
                )
            else:  # so does one that its format has beside the text: the next ingest reads the other file
                connection.execute(
                    "UPDATE sources SET size = -1, file_hash = '' WHERE source = ?", (left[0],)
                )
    else:
        connection.execute("DELETE FROM documents WHERE number = ?", row)
    return True


def _touch(connection: apsw.Connection) -> None:
    connection.execute(
        "INSERT INTO meta VALUES ('generation', 1) ON CONFLICT (key) DO UPDATE SET value = value + 1"
    )


def _parts(document: Document) -> str:
    return json.dumps(
        {
            "title": document.title,
            "sections": [
                [s.start, s.end, s.title, s.date, _pair(s.title_at), _pair(s.date_at)]
                for s in document.sections
            ],
            "pages": [_pair(page) for page in document.pages],
            "marked": [_pair(mark) for mark in document.marked],
            "warnings": document.warnings,
        }
    )


def _retitled(parts: str, old: str, new: str) -> str:
    """Return parts in which the document, and its sections that show no title, are called otherwise."""
    read: dict[str, Any] = json.loads(parts)
    read["title"] = new if read["title"] == old else read["title"]
    for section in read["sections"]:
        if section[2] == old and section[4] is None:
            section[2] = new
    return json.dumps(read)


def _divided(document: Document) -> tuple[object, ...]:
    """Return what passages and their headings follow from, besides the text."""
    return document.marked, [(section.start, section.end, section.title_at) for section in document.sections]


def _varint(data: bytes, at: int = 0) -> tuple[int, int]:
    """Return the number that SQLite wrote at ``at``, seven bits a byte, and where it ends."""
    value = 0
    for place in range(at, at + 8):
        value = (value << 7) | (data[place] & 0x7F)
        if data[place] < 0x80:
            return value, place + 1
    return (value << 8) | data[at + 8], at + 9


def _pair(stretch: Range | None) -> list[int] | None:
    return None if stretch is None else [stretch.start, stretch.end]


def _range(pair: list[int] | None) -> Range | None:
    return None if pair is None else Range(*pair)


def _document(document_id: str, source: str, text: str, parts: str) -> Document:
    read: dict[str, Any] = json.loads(parts)
    return Document(
        id=document_id,
        source=source,
        title=read["title"],
        text=text,
        sections=tuple(
            Section(start, end, heading, date, _range(title_at), _range(date_at))
            for start, end, heading, date, title_at, date_at in read["sections"]
        ),
        pages=tuple(Range(*pair) for pair in read["pages"]),
        marked=tuple(Range(*pair) for pair in read["marked"]),
        warnings=tuple(read["warnings"]),
    )


def _info(
    document_id: str, title: str, parts: str, characters: int, sources: str, passages: int
) -> DocumentInfo:
    read: dict[str, Any] = json.loads(parts)
    dates = [section[3] for section in read["sections"] if section[3]]
    return DocumentInfo(
        id=document_id,
        sources=tuple(json.loads(sources)),
        title=title,
        date=dates[0] if dates else None,
        characters=characters,
        passages=passages,
        warnings=tuple(read["warnings"]),
    )


def vector_matrix(rows: Sequence[tuple[int, bytes]], dimension: int) -> Vectors:
    """Return stored vectors as one matrix, shape ``(len(rows), dimension)``."""
    joined = b"".join(vector for _, vector in rows)
    return np.frombuffer(joined, dtype="<f4").astype(np.float32).reshape(len(rows), dimension)
