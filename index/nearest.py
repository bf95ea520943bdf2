"""The nearest of many unit vectors by cosine: exact while they are few, in inverted lists beyond.

Inverted lists (Jégou, Douze and Schmid 2011, "Product quantization for nearest neighbor search") gather the
vectors around centroids; a search looks into the lists of the nearest ones only. Vectors in lists take 8 bits
a dimension, a quarter of what they take as float32. Knows FAISS; knows no store, no passages and no files'
checksums.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import faiss
import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from index.types import Vectors

# Up to here every vector is compared: exact, and some milliseconds at most.
FLAT_VECTORS = 100_000
# Chosen by measuring, like the three below: docs/experiments.md.
_LISTS_A_ROOT = 4.0
_SAMPLE_A_LIST = 40
_PROBES = 256
# Of lists that were trained for n vectors: beyond this many times n they hold too much each.
_OUTGROWN = 2.0
_SEED = 1

Ids = NDArray[np.int64]


class Nearest:
    """Unit vectors by id. Not safe to change in one thread and use in another."""

    def __init__(self, index: Any) -> None:
        """Use one of the class methods instead."""
        self._index = index

    @classmethod
    def flat(cls, dimension: int) -> Self:
        """Return an empty one that compares with every vector."""
        return cls(faiss.IndexIDMap2(faiss.IndexFlatIP(dimension)))

    @classmethod
    def lists(cls, sample: Vectors, total: int) -> Self:
        """Return an empty one with inverted lists, the same each time it is trained on the same.

        Args:
            sample: some of the vectors, shape ``(n, dimension)``; see :func:`sample_size`.
            total: how many vectors it is for.
        """
        dimension = sample.shape[1]
        index = faiss.IndexIVFScalarQuantizer(
            faiss.IndexFlatIP(dimension),
            dimension,
            _lists_for(total),
            faiss.ScalarQuantizer.QT_8bit,
            faiss.METRIC_INNER_PRODUCT,
        )
        index.cp.seed = _SEED
        index.cp.spherical = True
        index.cp.min_points_per_centroid = 1
        _use_cores(os.cpu_count() or 1)
        index.train(sample)
        return cls(index)

    @classmethod
    def read(cls, path: Path) -> Self:
        """Read what :meth:`write` wrote. The file has to be checked before: FAISS does not.

        Raises:
            OSError: the file cannot be read.
            RuntimeError: FAISS does not know what is in it.
        """
        # Through Python's own reading: FAISS opens no file whose name is not in UTF-8.
        with path.open("rb") as file:
            return cls(faiss.read_index(faiss.PyCallbackIOReader(file.read)))  # type: ignore[attr-defined] # not in its stubs

    def write(self, write: Callable[[bytes], int]) -> None:
        """Call ``write`` with one part of the content after another.

        Raises:
            RuntimeError: ``write`` raised an error.
        """
        faiss.write_index(self._index, faiss.PyCallbackIOWriter(write))  # type: ignore[attr-defined] # not in its stubs

    def __len__(self) -> int:
        """Return the number of vectors."""
        return int(self._index.ntotal)

    @property
    def exact(self) -> bool:
        """Whether a search finds the very nearest, with their true cosines."""
        return not isinstance(self._index, faiss.IndexIVF)

    def suits(self, total: int) -> bool:
        """Whether this is right for so many vectors: neither too slow nor too coarse."""
        if self.exact:
            return total <= FLAT_VECTORS
        # Some room below, so that nobody goes back and forth.
        return total > FLAT_VECTORS // 2 and _lists_for(total) < self._index.nlist * math.sqrt(_OUTGROWN)

    def ids(self) -> Ids:
        """Return the ids of all vectors, rising."""
        if self.exact:
            return np.sort(faiss.vector_to_array(self._index.id_map).astype(np.int64))
        lists = self._index.invlists
        held = [
            faiss.rev_swig_ptr(lists.get_ids(number), lists.list_size(number)).copy()
            for number in range(self._index.nlist)
            if lists.list_size(number)
        ]
        return np.sort(np.concatenate(held)) if held else np.empty(0, dtype=np.int64)

    def add(self, ids: Ids, vectors: Vectors) -> None:
        """Take in vectors, shape ``(len(ids), dimension)``, of ids that are not there yet."""
        _use_cores(os.cpu_count() or 1)
        self._index.add_with_ids(vectors, ids)

    def remove(self, ids: Ids) -> None:
        """Drop the vectors of ``ids``."""
        self._index.remove_ids(ids)

    def search(self, vector: Vectors, k: int, within: Ids | None = None) -> list[tuple[int, float]]:
        """Return ids and cosines of the ``k`` nearest, nearest first; of ``within`` only, if given.

        Where this is not :attr:`exact` some of them may be missed, and cosines are within about 0.01; among
        few chosen ones (``within``) none is missed.
        """
        k = min(k, len(self))
        if k == 0:
            return []
        # One question has nothing to share out, and threads that wait for each other take longer than that.
        _use_cores(1)
        cosines, ids = self._index.search(vector[None, :], k, params=self._parameters(within))
        found = zip(ids[0].tolist(), cosines[0].tolist(), strict=True)
        return [(passage, cosine) for passage, cosine in found if passage != -1]

    def _parameters(self, within: Ids | None) -> Any:
        options: dict[str, Any] = {}
        if within is not None:
            options["sel"] = faiss.IDSelectorBatch(within)
        if self.exact:
            return faiss.SearchParameters(**options) if options else None
        # The chosen ones may lie in any list.
        options["nprobe"] = _PROBES if within is None else self._index.nlist
        return faiss.SearchParametersIVF(**options)


def _use_cores(number: int) -> None:
    """Have what FAISS does next in this thread use so many cores."""
    faiss.omp_set_num_threads(number)


def sample_size(total: int) -> int:
    """Return how many of ``total`` vectors :meth:`Nearest.lists` is to be trained on."""
    return min(total, _lists_for(total) * _SAMPLE_A_LIST)


def _lists_for(total: int) -> int:
    return max(1, round(_LISTS_A_ROOT * math.sqrt(total)))
