"""One SQLite file of our own: a connection a thread, transactions, errors that name the fix.

Knows nothing of what is stored. What is deleted is overwritten, not only unlinked.
"""

from __future__ import annotations

import contextlib
import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw

from index.errors import StoreError

_BUSY_MILLISECONDS = 30_000


@dataclass(frozen=True, slots=True)
class Schema:
    """What a file holds: the statements that make it, its format's version, and the mark in its header."""

    statements: str
    version: int
    application_id: int


class Database:
    """A SQLite file. Safe to use from several threads and processes; one writes at a time."""

    def __init__(self, path: Path, schema: Schema) -> None:
        """Open the file at ``path``, made with its folder where it is missing.

        Raises:
            StoreError: it cannot be opened or made, holds something else, or is of a newer version.
        """
        self.path = path
        self._schema = schema
        self._local = threading.local()
        self._connections: weakref.WeakSet[apsw.Connection] = weakref.WeakSet()
        self._lock = threading.RLock()
        with self._errors():
            path.parent.mkdir(parents=True, exist_ok=True)
            self._check()

    def close(self) -> None:
        """Close the connections of all threads."""
        with self._lock:
            for connection in list(self._connections):
                connection.close()
            self._local = threading.local()

    def rows(self, query: str, values: Sequence[Any] | dict[str, Any] = ()) -> list[tuple[Any, ...]]:
        """Return all rows of a query."""
        with self._errors():
            return list(self._connection().execute(query, values))

    @contextlib.contextmanager
    def transaction(self) -> Iterator[apsw.Connection]:
        """Run statements as one unit; all of them are undone if an exception passes through.

        Raises:
            StoreError: the file cannot be written.
        """
        with self._lock, self._errors():
            connection = self._connection()
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    def empty_log(self) -> None:
        """Take the write-ahead log into the file and cut it off, so that nothing deleted is left in it.

        While another connection is reading, the log stays; the next call empties it.
        """
        with self._errors(), contextlib.suppress(apsw.BusyError):
            self._connection().wal_checkpoint(mode=apsw.SQLITE_CHECKPOINT_TRUNCATE)

    def _check(self) -> None:
        connection = self._connection()
        version = connection.pragma("user_version")
        if version and connection.pragma("application_id") != self._schema.application_id:
            raise self._something_else()
        if version > self._schema.version:
            raise StoreError(
                f"{self.path}: written by a newer version of Verbatim (format {version}, this one knows "
                f"{self._schema.version}). Upgrade with: pip install --upgrade verbatim-qa"
            )
        if version == 0:
            self._create()

    def _create(self) -> None:
        with self.transaction() as connection:
            # Another process may have created it between the check and the lock.
            if connection.pragma("user_version") == 0:
                if connection.execute("SELECT 1 FROM sqlite_schema").fetchone():
                    raise self._something_else()
                connection.execute(self._schema.statements)
                connection.pragma("application_id", self._schema.application_id)
                connection.pragma("user_version", self._schema.version)

    def _connection(self) -> apsw.Connection:
        connection: apsw.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = apsw.Connection(str(self.path))
            connection.set_busy_timeout(_BUSY_MILLISECONDS)
            _use_wal(connection)
            connection.pragma("synchronous", "full")
            connection.pragma("foreign_keys", 1)
            connection.pragma("secure_delete", 1)
            connection.create_scalar_function("casefold", _casefold, 1, deterministic=True)
            # A thread's connection goes with the thread.
            self._local.connection = connection
            with self._lock:
                self._connections.add(connection)
        return connection

    @contextlib.contextmanager
    def _errors(self) -> Iterator[None]:
        """Raise SQLite's errors, and those of the file system, as ours."""
        try:
            yield
        except (apsw.NotADBError, apsw.CorruptError) as error:
            raise StoreError(
                f"{self.path}: damaged, or not Verbatim's ({error}). Move it away and start again."
            ) from error
        except apsw.BusyError as error:
            raise StoreError(
                f"{self.path}: another process has been writing for 30 seconds. Try again later."
            ) from error
        except (apsw.ReadOnlyError, apsw.CantOpenError, apsw.IOError, apsw.FullError, OSError) as error:
            raise StoreError(
                f"{self.path}: cannot be written ({error}). Get write permission and free some space, or set "
                "VERBATIM_HOME to another folder."
            ) from error

    def _something_else(self) -> StoreError:
        return StoreError(f"{self.path}: a database of something else. Move it away and start again.")


def _use_wal(connection: apsw.Connection) -> None:
    """Switch to a write-ahead log; SQLite does not wait by itself where another process is doing the same."""
    for _ in range(100):
        with contextlib.suppress(apsw.BusyError):
            connection.pragma("journal_mode", "wal")
            return
        time.sleep(0.05)
    raise apsw.BusyError("the journal cannot be switched")


def _casefold(*text: apsw.SQLiteValue) -> str:
    return str(text[0] or "").casefold()
