"""A question to ranked hits: dense and lexical search, fused.

Each side gives its best passages; both scores are then computed for the union, scaled to [0, 1] within it
(min-max fusion, after Fox and Shaw 1994, "Combination of multiple searches") and added with a weight
each. Knows vectors and words; knows nothing of answers.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping

from index.errors import SettingsError
from index.store import Store
from index.types import Encoder, Hit
from index.vectors import VectorIndex
from index.words import WordIndex

# The share of the dense score in the fused one, chosen on several question sets: docs/experiments.md.
DENSE_WEIGHT = 0.6
_CANDIDATES = 100
_WORD = re.compile(r"\w+")
# Words that carry no content of a question. Leaving them out makes full-text search a good deal faster.
_STOP = (
    "a about after all also am an and any are as at be because been before being but by can could "
    "did do does doing during each for from had has have having he her here hers him his how i if in "
    "into is it its itself me more most my no nor not of off on once only or other our out over own "
    "s same she should so some such t than that the their them then there these they this those "
    "through to too under until up us very was we were what when where which while who whom whose "
    "why will with would you your "
)
STOP_WORDS = frozenset(_STOP.split())


def content_words(text: str) -> list[str]:
    """Return the words of ``text`` in lower case without stop words; all words where nothing else is left."""
    words = [word.lower() for word in _WORD.findall(text)]
    return [word for word in words if word not in STOP_WORDS] or words


def search(  # noqa: PLR0913 - what and where, and two ways to narrow it
    store: Store,
    vectors: VectorIndex,
    words: WordIndex,
    encoder: Encoder,
    question: str,
    k: int,
    *,
    documents: Collection[str] | None = None,
    dense_weight: float = DENSE_WEIGHT,
) -> list[Hit]:
    """Return the best ``k`` passages for ``question``, best first.

    Args:
        store: where passages are.
        vectors: the same passages by vector.
        words: the same passages by word.
        encoder: the one the vectors come from.
        question: any text.
        k: how many, at least 1.
        documents: ids of the only documents to search; ``None`` for all.
        dense_weight: the share of the dense score in the fused one, in [0, 1]: 0 ranks by words alone, 1 by
            vectors alone.

    Raises:
        SettingsError: ``dense_weight`` is out of its range.
    """
    check_dense_weight(dense_weight)
    within = None if documents is None else store.passage_ids(documents)
    vector = encoder.encode_question(question)
    dense = dict(vectors.search(vector, max(k, _CANDIDATES), within))
    lexical = words.search(content_words(question), max(k, _CANDIDATES), dense, within)
    dense |= vectors.cosines(vector, [passage for passage in lexical if passage not in dense])
    ranked = sorted(_fuse(dense, lexical, dense_weight).items(), key=lambda item: (-item[1], item[0]))[:k]
    # A passage removed by another process meanwhile is not returned, whatever the vectors still hold.
    passages = store.passages([passage for passage, _ in ranked])
    return [
        Hit(passages[passage], score, dense.get(passage, 0.0), lexical.get(passage, 0.0))
        for passage, score in ranked
        if passage in passages
    ]


def check_dense_weight(weight: float) -> None:
    """Raise where a weight of the dense score cannot be used.

    Raises:
        SettingsError: it is not in [0, 1].
    """
    if not 0.0 <= weight <= 1.0:
        raise SettingsError(f"dense_weight is {weight}: it must be from 0 (words alone) to 1 (vectors alone)")


def _fuse(dense: Mapping[int, float], lexical: Mapping[int, float], dense_weight: float) -> dict[int, float]:
    scaled_dense = _scale(dense, low=min(dense.values(), default=0.0))
    scaled_lexical = _scale(lexical, low=0.0)
    return {
        passage: dense_weight * scaled_dense[passage]
        + (1.0 - dense_weight) * scaled_lexical.get(passage, 0.0)
        for passage in scaled_dense
    }


def _scale(scores: Mapping[int, float], low: float) -> dict[int, float]:
    high = max(scores.values(), default=low)
    spread = high - low
    return {key: (score - low) / spread if spread > 0 else 1.0 for key, score in scores.items()}
