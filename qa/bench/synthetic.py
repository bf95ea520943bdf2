"""More passages than there are texts: made of real ones, so that words and vectors behave like real ones.

A passage is a few real sentences drawn at random: every word is as frequent as in the real texts, and its
postings grow with the number of passages, which is the worst case for full text (real collections also gain
new words). Its vector is a real one, moved by the scaled difference of two others: clusters around real
vectors, spread as real ones are. Text and vector of a synthetic passage say different things: speed and
recall of nearest neighbours can be measured on them, the quality of answers cannot.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice

import numpy as np

from index.sentences import sentences
from index.store import Entry, SourceState
from index.types import Document, Passage, Vectors, document_id

# With it the cosines to the nearest neighbours go on as those of growing samples of real vectors.
SPREAD = 0.7
_SENTENCES_A_PASSAGE = 5
_PASSAGES_A_DOCUMENT = 20
_VECTORS_AT_A_TIME = 10_000


def synthetic_vectors(real: Vectors, seed: int) -> Iterator[Vectors]:
    """Yield blocks of unit vectors without end, each of shape ``(10_000, dimension)``.

    Args:
        real: unit vectors of real passages, shape ``(n, dimension)``.
        seed: the same seed gives the same vectors.
    """
    random = np.random.default_rng(seed)
    while True:
        at, plus, minus = random.integers(0, len(real), (3, _VECTORS_AT_A_TIME))
        # A difference of two has twice the variance of one.
        moved = real[at] + SPREAD / np.sqrt(2.0) * (real[plus] - real[minus])
        yield (moved / np.linalg.norm(moved, axis=1, keepdims=True)).astype(np.float32)


def synthetic_texts(real: Sequence[str], seed: int) -> Iterator[str]:
    """Yield passages without end, each of five sentences of the real ones."""
    pool = [text[one.start : one.end] for text in real for one in sentences(text)]
    random = np.random.default_rng(seed)
    while True:
        for row in random.integers(0, len(pool), (_VECTORS_AT_A_TIME, _SENTENCES_A_PASSAGE)):
            yield " ".join(pool[place] for place in row)


def synthetic_entries(texts: Sequence[str], vectors: Vectors, seed: int, first: int) -> Iterator[Entry]:
    """Yield documents of 20 synthetic passages each, ready to be stored, without end.

    Args:
        texts: real passages.
        vectors: theirs, shape ``(len(texts), dimension)``.
        seed: the same seed gives the same documents.
        first: the number of the first document: names are of numbers.
    """
    made = synthetic_texts(texts, seed)
    moved = (
        block[start : start + _PASSAGES_A_DOCUMENT]
        for block in synthetic_vectors(vectors, seed)
        for start in range(0, len(block), _PASSAGES_A_DOCUMENT)
    )
    for number, rows in enumerate(moved, first):
        yield _entry(f"synthetic-{number}", list(islice(made, len(rows))), rows)


def _entry(name: str, texts: Sequence[str], vectors: Vectors) -> Entry:
    ends = np.cumsum([len(text) + 2 for text in texts]).tolist()
    document = Document(document_id(name), name, name, "\n\n".join(texts))
    passages = [
        Passage(0, document.id, end - len(text) - 2, end - 2, text, "")
        for text, end in zip(texts, ends, strict=True)
    ]
    return Entry(document, document, SourceState(len(document.text), 0, name), passages, vectors)


def take(entries: Iterator[Entry], passages: int) -> list[Entry]:
    """Return the next documents that hold so many passages, a multiple of 20."""
    return list(islice(entries, passages // _PASSAGES_A_DOCUMENT))
