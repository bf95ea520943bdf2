"""Nearest passages by cosine: derived from the store, rebuildable at any time.

Follows the store: what was added or removed there is taken over before a search. The file beside it saves
time at opening and need not be up to date, so it is written only when much has changed: adding one file to a
large index costs what the file costs. A file that fails its check is set aside and built anew.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

import numpy as np

from index.nearest import Ids, Nearest, sample_size
from index.store import Store, vector_matrix
from index.vector_file import is_whole, set_aside, write_whole

if TYPE_CHECKING:
    from collections.abc import Sequence

    from index.types import Vectors

logger = logging.getLogger(__name__)

FILE_NAME = "vectors.faiss"
_ROWS_AT_A_TIME = 10_000
# The file is written anew when this share of the passages, or so many, are not as it says.
_UNSAVED_SHARE = 0.1
_MOST_UNSAVED = 50_000
# Where cosines are approximate, so many times as many passages are looked at as are wanted.
_SURPLUS = 1.5
_SEED = 1


class VectorIndex:
    """All passage vectors of one store. Safe to use from several threads."""

    def __init__(self, store: Store, dimension: int) -> None:
        self._store = store
        self._dimension = dimension
        self._path = store.directory / FILE_NAME
        # Held while the vectors are searched or changed; the other one while they are built anew or written.
        self._lock = threading.RLock()
        self._saving = threading.RLock()
        self._generation = -1
        self._nearest = self._load() or Nearest.flat(dimension)
        self._last = int(max(self._nearest.ids(), default=0))
        self._unsaved = 0
        self.save()

    def __len__(self) -> int:
        """Return the number of vectors."""
        return len(self._nearest)

    def sync(self) -> None:
        """Take over what has changed in the store since the last call."""
        generation = self._store.generation()
        with self._lock:
            if generation == self._generation:
                return
            added = np.asarray(self._store.passage_ids_after(self._last), dtype=np.int64)
            # Ids only grow: where the numbers agree, nothing that is held can have been removed.
            if len(self) + len(added) != self._store.passage_count():
                stored = np.asarray(self._store.passage_ids(), dtype=np.int64)
                held = self._nearest.ids()
                gone = np.setdiff1d(held, stored, assume_unique=True)
                self._nearest.remove(gone)
                self._unsaved += len(gone)
                added = np.setdiff1d(stored, held, assume_unique=True)
            self._unsaved += self._fill(self._nearest, added)
            self._last = max(self._last, int(max(added, default=0)))
            self._generation = generation

    def save(self) -> None:
        """Take over what has changed, build anew what has outgrown its kind, and write what is worth writing.

        Searches go on meanwhile. What cannot be written is built again at the next opening.
        """
        with self._saving:
            if not self._nearest.suits(self._store.passage_count()):
                self._build()
            self.sync()
            worth = min(_UNSAVED_SHARE * len(self), _MOST_UNSAVED)
            if self._unsaved and self._unsaved >= worth and not self._store.read_only:
                self._write()

    def search(self, vector: Vectors, k: int, within: Sequence[int] | None = None) -> list[tuple[int, float]]:
        """Return passage ids and cosines of the ``k`` nearest, nearest first; only ``within`` if given.

        Up to :data:`index.nearest.FLAT_VECTORS` passages these are the very nearest. Beyond, 99 % of the
        nearest ten are found on average, with their true cosines.
        """
        if within is not None and len(within) == 0:
            return []
        chosen = None if within is None else np.asarray(within, dtype=np.int64)
        with self._lock:
            if self._nearest.exact:
                return self._nearest.search(vector, k, chosen)
            near = self._nearest.search(vector, round(_SURPLUS * k), chosen)
        exact = self.cosines(vector, [passage for passage, _ in near])
        return sorted(exact.items(), key=lambda found: -found[1])[:k]

    def cosines(self, vector: Vectors, ids: Sequence[int]) -> dict[int, float]:
        """Return the cosine of each of ``ids`` that is in the store."""
        rows = self._store.vectors(ids)
        products = vector_matrix(rows, self._dimension) @ vector
        return dict(zip((row[0] for row in rows), products.tolist(), strict=True))

    def _build(self) -> None:
        """Make vectors of the kind that suits the store, and search these from now on."""
        ids = np.asarray(self._store.passage_ids(), dtype=np.int64)
        fresh = Nearest.flat(self._dimension)
        if not fresh.suits(len(ids)):
            random = np.random.default_rng(_SEED)
            sample = np.sort(random.choice(ids, sample_size(len(ids)), replace=False))
            fresh = Nearest.lists(
                vector_matrix(self._store.vectors(sample.tolist()), self._dimension), len(ids)
            )
        filled = self._fill(fresh, ids)
        with self._lock:
            self._nearest = fresh
            self._last = int(max(ids, default=0))
            self._unsaved = filled
            self._generation = -1

    def _fill(self, nearest: Nearest, ids: Ids) -> int:
        """Add the vectors of ``ids`` that are stored; return how many."""
        before = len(nearest)
        for start in range(0, len(ids), _ROWS_AT_A_TIME):
            rows = self._store.vectors(ids[start : start + _ROWS_AT_A_TIME].tolist())
            found = np.asarray([row[0] for row in rows], dtype=np.int64)
            nearest.add(found, vector_matrix(rows, self._dimension))
        return len(nearest) - before

    def _write(self) -> None:
        with self._lock:
            try:
                write_whole(self._path, self._key(), self._nearest.write)
            except (OSError, RuntimeError) as error:
                # The documents are stored already: what cannot be written is built anew when it is needed.
                logger.warning("%s: cannot be written (%s). Free some space.", self._path, error)
            else:
                self._unsaved = 0

    def _load(self) -> Nearest | None:
        if not self._path.is_file():
            return None
        if not is_whole(self._path, self._key()):
            logger.warning("%s: does not match its checksum; built anew from the store.", self._path)
            set_aside(self._path)
            return None
        return Nearest.read(self._path)

    def _key(self) -> str:
        return self._store.get("key") or ""
