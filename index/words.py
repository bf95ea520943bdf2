"""Passages by their words: BM25 over the full text that the store keeps.

The formula and its constants are those of SQLite's FTS5 (Robertson et al. 1994, "Okapi at TREC-3"; k1 = 1.2,
b = 0.75), computed here because FTS5 looks up every passage that holds a word: here the postings of a word
are read once and kept, and only the best passages are looked up. Knows postings; knows no vectors, no fusion.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from index.spelling import Spelling
from index.store import Postings, Store

_K1 = 1.2
_B = 0.75
# As in FTS5: a word in more than half of all passages still counts a little.
_LEAST_IDF = 1e-6
# What a word counts that may be meant by a misspelt one: docs/experiments.md.
_NEAR_WEIGHT = 0.7
# So many passages, the best as if all were equally long, have their lengths looked up.
_LOOKED_UP = 1_000
# Postings kept in memory, 6 bytes each: 48 MB, and in large indexes 240 bytes a passage.
_MOST_KEPT = 8_000_000
_KEPT_A_PASSAGE = 40

Ids = NDArray[np.int32]


class WordIndex:
    """The words of all passages of one store. Safe to use from several threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._spelling = Spelling(store)
        self._lock = threading.Lock()
        self._generation = -1
        # By id; 0 where it is not known.
        self._lengths = np.zeros(1, dtype=np.int32)
        self._kept: OrderedDict[str, Postings] = OrderedDict()

    def search(
        self,
        words: Sequence[str],
        limit: int,
        also: Collection[int] = (),
        within: Collection[int] | None = None,
    ) -> dict[int, float]:
        """Return the BM25 scores (at least 0) of the best ``limit`` passages that hold any of ``words``.

        Args:
            words: as a question has them; stems and accents are the tokenizer's business.
            limit: how many of the best.
            also: passages whose scores are wanted whether or not they are among the best; those that hold no
                word are left out.
            within: only these passages count; ``None`` for all.
        """
        weighted = self._known(words)
        if not weighted:
            return {}
        found = [postings for postings, _ in weighted]
        count, tokens = self._store.totals()
        idfs = [weight * _idf(count, len(one.passages)) for one, weight in weighted]
        ids = _union([one.passages for one in found])
        # As if every passage had the average length. By id: only the pages of memory that are used are taken.
        sums = np.zeros(ids[-1] + 1, dtype=np.float32)
        for idf, one in zip(idfs, found, strict=True):
            sums[one.passages] += np.float32(idf) * _saturated(one.counts, np.ones(1, dtype=np.float32))
        rough = sums[ids]
        if within is not None:
            chosen = np.isin(ids, np.fromiter(within, dtype=np.int32))
            ids, rough = ids[chosen], rough[chosen]
        wanted = np.isin(ids, np.fromiter(also, dtype=np.int32))
        looked_up = np.union1d(ids[_best(rough, max(_LOOKED_UP, 2 * limit))], ids[wanted])
        scores = self._scores(looked_up, found, idfs, tokens / max(count, 1))
        best = {*looked_up[_best(scores, limit)].tolist(), *ids[wanted].tolist()}
        return {
            passage: score
            for passage, score in zip(looked_up.tolist(), scores.tolist(), strict=True)
            if passage in best
        }

    def _known(self, words: Sequence[str]) -> list[tuple[Postings, float]]:
        """Return the postings of words, and of those nearest to words that no passage holds, with weights."""
        exact = self._read(" ".join(words))
        found = {token: (one, 1.0) for token, one in exact.items() if len(one.passages)}
        if len(found) < len(exact):
            near = [other for word in words for other in self._near(word)]
            for token, one in self._read(" ".join(near)).items():
                if len(one.passages):
                    found.setdefault(token, (one, _NEAR_WEIGHT))
        return list(found.values())

    def _near(self, word: str) -> list[str]:
        """Return known words that are near to ``word``; none where passages hold it, or a part of it."""
        held = any(len(one.passages) for one in self._read(word).values())
        return [] if held else self._spelling.near(word)

    def _scores(
        self, ids: Ids, found: Sequence[Postings], idfs: Sequence[float], average: float
    ) -> NDArray[np.float64]:
        """Return the BM25 scores of passages, rising ``ids``, whose lengths are looked up."""
        lengths = self._lengths_of(ids) / average
        scores = np.zeros(len(ids))
        for idf, one in zip(idfs, found, strict=True):
            at = np.minimum(np.searchsorted(one.passages, ids), len(one.passages) - 1)
            counts = np.where(one.passages[at] == ids, one.counts[at], 0)
            scores += idf * _saturated(counts, lengths)
        return scores

    def _lengths_of(self, ids: Ids) -> NDArray[np.int32]:
        """Return how many tokens passages have; what was looked up once is known, for no passage changes."""
        with self._lock:
            if len(ids) and ids[-1] >= len(self._lengths):
                grown = np.zeros(2 * int(ids[-1]) + 1, dtype=np.int32)
                grown[: len(self._lengths)] = self._lengths
                self._lengths = grown
            unknown = ids[self._lengths[ids] == 0]
            self._lengths[unknown] = self._store.lengths(unknown.tolist())
            return self._lengths[ids]

    def _read(self, text: str) -> dict[str, Postings]:
        """Return the postings of the distinct tokens of ``text``, from memory where they are current."""
        generation = self._store.generation()
        found: dict[str, Postings] = {}
        for token in dict.fromkeys(self._store.tokens(text)):
            with self._lock:
                if generation != self._generation:
                    self._kept.clear()
                    self._generation = generation
                kept = self._kept.get(token)
                if kept is not None:
                    self._kept.move_to_end(token)
            found[token] = kept or self._keep(token, self._store.postings(token), generation)
        return found

    def _keep(self, token: str, postings: Postings, generation: int) -> Postings:
        most = max(_MOST_KEPT, _KEPT_A_PASSAGE * self._store.totals()[0])
        with self._lock:
            if generation == self._generation:
                self._kept[token] = postings
            while sum(len(one.passages) for one in self._kept.values()) > most:
                self._kept.popitem(last=False)
        return postings


def _union(runs: Sequence[Ids]) -> Ids:
    """Return the distinct numbers of all runs, rising. Several times as fast as ``np.unique``."""
    joined = np.sort(np.concatenate(runs))
    distinct: Ids = joined[np.append(True, joined[1:] != joined[:-1])]
    return distinct


def _idf(count: int, holding: int) -> float:
    # More may hold it than there are, where another process has just removed some.
    return max(_LEAST_IDF, math.log((max(count - holding, 0) + 0.5) / (holding + 0.5)))


def _saturated(counts: NDArray[np.uint16], lengths: NDArray[np.floating]) -> NDArray[np.floating]:
    """Return what a word that occurs ``counts`` times adds, per unit of its idf; lengths in averages."""
    frequencies = counts.astype(lengths.dtype)
    added: NDArray[np.floating] = frequencies * (_K1 + 1.0) / (frequencies + _K1 * (1.0 - _B + _B * lengths))
    return added


def _best(scores: NDArray[np.floating], most: int) -> NDArray[np.int64]:
    """Return the places of the ``most`` highest scores; of equal ones the first."""
    if len(scores) <= most:
        return np.arange(len(scores), dtype=np.int64)
    lowest = np.partition(scores, len(scores) - most)[len(scores) - most]
    above = np.flatnonzero(scores > lowest)
    equal = np.flatnonzero(scores == lowest)[: most - len(above)]
    return np.concatenate([above, equal])
