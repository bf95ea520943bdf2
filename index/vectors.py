"""Nearest passages by cosine: a FAISS index derived from the store, rebuildable at any time.

The file is written to a temporary name, synced, read back and renamed. It ends with a sha256 over itself and
its store's key, because FAISS has no checksum and every store counts its passages from 1. A file that fails
the check is set aside and built anew.
"""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import faiss
import numpy as np
from numpy.typing import NDArray

from index.store import Store, vector_matrix

if TYPE_CHECKING:
    from collections.abc import Sequence

    from index.types import Vectors

logger = logging.getLogger(__name__)

FILE_NAME = "vectors.faiss"
_DIGEST_BYTES = hashlib.sha256().digest_size
_ROWS_AT_A_TIME = 10_000


class VectorIndex:
    """All passage vectors of one store. Safe to use from several threads."""

    def __init__(self, store: Store, dimension: int) -> None:
        self._store = store
        self._dimension = dimension
        self._path = store.directory / FILE_NAME
        self._lock = threading.RLock()
        self._index = self._load() or _empty(dimension)
        self._generation = -1
        loaded = len(self)
        self.sync()
        if loaded == 0 < len(self) and not store.read_only:
            self.save()

    def __len__(self) -> int:
        """Return the number of vectors."""
        return int(self._index.ntotal)

    def sync(self) -> None:
        """Take over what has changed in the store since the last call."""
        generation = self._store.generation()
        with self._lock:
            if generation == self._generation:
                return
            stored = np.asarray(self._store.passage_ids(), dtype=np.int64)
            held = self._ids()
            gone = np.setdiff1d(held, stored, assume_unique=True)
            if len(gone):
                self._index.remove_ids(gone)
            self._add(np.setdiff1d(stored, held, assume_unique=True))
            self._generation = generation

    def search(self, vector: Vectors, k: int, within: Sequence[int] | None = None) -> list[tuple[int, float]]:
        """Return passage ids and cosines of the ``k`` nearest, nearest first; only ``within`` if given."""
        if within is not None and len(within) == 0:
            return []
        with self._lock:
            k = min(k, len(self))
            if k == 0:
                return []
            parameters = None
            if within is not None:
                selector = faiss.IDSelectorBatch(np.asarray(within, dtype=np.int64))
                parameters = faiss.SearchParameters()
                parameters.sel = selector
            cosines, ids = self._index.search(vector[None, :], k, params=parameters)
        found = zip(ids[0].tolist(), cosines[0].tolist(), strict=True)
        return [(passage, cosine) for passage, cosine in found if passage != -1]

    def cosines(self, vector: Vectors, ids: Sequence[int]) -> dict[int, float]:
        """Return the cosine of each of ``ids`` that is in the store."""
        rows = self._store.vectors(ids)
        products = vector_matrix(rows, self._dimension) @ vector
        return dict(zip((row[0] for row in rows), products.tolist(), strict=True))

    def save(self) -> None:
        """Write the index beside the store, whole or not at all; without it, opening takes longer."""
        temporary = self._path.with_name(f"{FILE_NAME}.{os.getpid()}-{threading.get_ident()}.tmp")
        with self._lock:
            data = faiss.serialize_index(self._index).tobytes()
            try:
                _write(temporary, data + self._digest(data))
                temporary.replace(self._path)
            except OSError as error:
                # The documents are stored already: what cannot be written is built anew when it is needed.
                logger.warning("%s: cannot be written (%s). Free some space.", self._path, error)
            finally:
                temporary.unlink(missing_ok=True)

    def _load(self) -> Any:
        if not self._path.is_file():
            return None
        content = self._path.read_bytes()
        data, digest = content[:-_DIGEST_BYTES], content[-_DIGEST_BYTES:]
        if self._digest(data) != digest:
            logger.warning("%s: does not match its checksum; built anew from the store.", self._path)
            self._quarantine()
            return None
        return faiss.deserialize_index(np.frombuffer(data, dtype=np.uint8))

    def _digest(self, data: bytes) -> bytes:
        return hashlib.sha256(data + (self._store.get("key") or "").encode()).digest()

    def _quarantine(self) -> None:
        try:
            self._path.replace(self._path.with_suffix(".damaged"))
        except OSError as error:
            logger.warning("%s: cannot be set aside (%s)", self._path, error)

    def _ids(self) -> NDArray[np.int64]:
        return np.sort(faiss.vector_to_array(self._index.id_map).astype(np.int64))

    def _add(self, ids: NDArray[np.int64]) -> None:
        for start in range(0, len(ids), _ROWS_AT_A_TIME):
            rows = self._store.vectors(ids[start : start + _ROWS_AT_A_TIME].tolist())
            matrix = vector_matrix(rows, self._dimension)
            self._index.add_with_ids(matrix, np.asarray([row[0] for row in rows], dtype=np.int64))


def _write(path: Path, data: bytes) -> None:
    with path.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    if path.read_bytes() != data:
        raise OSError(f"{path}: read back other bytes than were written")


def _empty(dimension: int) -> Any:
    return faiss.IndexIDMap2(faiss.IndexFlatIP(dimension))
