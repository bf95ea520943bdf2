"""Words that no passage holds -> the words of the passages that they may be misspelt for.

Distances are of optimal string alignment (Damerau 1964, "A technique for computer detection and correction of
spelling errors"): letters added, left out, replaced, or two neighbours swapped, by
`rapidfuzz <https://github.com/rapidfuzz/RapidFuzz>`_. Knows the store's words; knows no passages, no scores.
"""

from __future__ import annotations

import math
import threading
import time
from collections import defaultdict

from index.store import Store

# Shorter words have too many neighbours, and are names and abbreviations as a rule.
_FEWEST_LETTERS = 4
# From so many letters on two slips may be meant; one in a shorter word.
_LONG = 8
# The commonest words of large indexes: their rarest are codes and misspellings themselves.
_MOST_WORDS = 300_000
_MOST_FOUND = 3
# For how long the words are taken as they are, in times of what listing them took: 1.5 seconds for 200,000,
# while an ingest that runs changes the store every few seconds.
_KEPT = 10


class Spelling:
    """The words of one store. Safe to use from several threads."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._generation = -1
        self._kept_until = -math.inf
        # By length and by the first or the last letter; of each word how many are commoner.
        self._words: dict[tuple[int, str, str], list[str]] = {}
        self._ranks: dict[str, int] = {}

    def near(self, word: str) -> list[str]:
        """Return the nearest known words, at most 3, those in most passages first.

        They are one slip away, or two from a word of 8 letters or more, the first or the last letter being
        right. A word of fewer than 4 letters, or with anything but letters in it, has none. What changed in
        the store a moment ago may not show yet.

        Args:
            word: one that no passage holds.
        """
        folded = "".join(self._store.tokens(word, stemmed=False))
        if len(folded) < _FEWEST_LETTERS or not folded.isalpha():
            return []
        from rapidfuzz.distance import OSA  # noqa: PLC0415 - few questions need it
        from rapidfuzz.process import extract  # noqa: PLC0415 - the same

        slips = 2 if len(folded) >= _LONG else 1
        words, ranks = self._current()
        lengths = range(len(folded) - slips, len(folded) + slips + 1)
        # One slip leaves the first or the last letter as it was.
        ends = (folded[0], ""), ("", folded[-1])
        similar = {one for length in lengths for end in ends for one in words.get((length, *end), ())}
        found = extract(folded, similar, scorer=OSA.distance, processor=None, score_cutoff=slips, limit=None)
        nearest = min((distance for _, distance, _ in found), default=0)
        best = (one for one, distance, _ in found if distance == nearest)
        return sorted(best, key=ranks.__getitem__)[:_MOST_FOUND]

    def _current(self) -> tuple[dict[tuple[int, str, str], list[str]], dict[str, int]]:
        generation = self._store.generation()
        with self._lock:
            began = time.monotonic()
            if generation != self._generation and began >= self._kept_until:
                words: dict[tuple[int, str, str], list[str]] = defaultdict(list)
                listed = self._store.spellings(_MOST_WORDS)
                for word in listed:
                    words[len(word), word[0], ""].append(word)
                    words[len(word), "", word[-1]].append(word)
                self._ranks = {word: rank for rank, word in enumerate(listed)}
                self._words, self._generation = words, generation
                now = time.monotonic()
                self._kept_until = now + _KEPT * (now - began)
            return self._words, self._ranks
