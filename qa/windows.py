"""A question and a text to windows of tokens that fit a reader, and logits over windows back to spans.

Shared by reading and training, so that a model is asked as it was taught. Knows tokens and offsets; knows
nothing of passages, documents or models.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from tokenizers import Encoding, Tokenizer

MAX_ANSWER_TOKENS = 30
# A question beyond this is cut, so that the text always has most of a window.
_MAX_QUESTION_TOKENS = 96
_TEXT = 1  # the second sequence of a pair, to a tokenizer

Logits = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Window:
    """Token ids and types of ``question + text``, both of length n.

    ``starts`` and ``ends``, of length n too, are each token's offsets in the text, in code points;
    -1 for tokens of the question and special ones.
    """

    ids: tuple[int, ...]
    types: tuple[int, ...]
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Decoded:
    """A span ``text[start:end]`` in code points, and the sum of its start and end logits."""

    start: int
    end: int
    score: float


def windows(tokenizer: Tokenizer, question: str, text: str, max_tokens: int, stride: int) -> list[Window]:
    """Return the windows of at most ``max_tokens`` tokens that cover ``text``, overlapping by ``stride``.

    Each begins with the question as the tokenizer pairs texts. A text without tokens gives no window.
    ``tokenizer`` must neither pad nor truncate; it is not changed.
    """
    asked = tokenizer.encode(question, add_special_tokens=False)
    asked.truncate(min(_MAX_QUESTION_TOKENS, max_tokens // 2))
    read = tokenizer.encode(text, add_special_tokens=False)
    room = max_tokens - len(asked.ids) - tokenizer.num_special_tokens_to_add(is_pair=True)
    if not read.ids:
        return []
    if len(read.ids) > room:
        read.truncate(room, stride=min(stride, room // 2))
    return [_window(tokenizer.post_process(asked, part), part) for part in (read, *read.overflowing)]


def _window(pair: Encoding, part: Encoding) -> Window:
    offsets = np.full((len(pair.ids), 2), -1, dtype=np.int64)
    # Not the pair's own: byte-level tokenizers take the space before a word off again, and with it a letter.
    offsets[[sequence == _TEXT for sequence in pair.sequence_ids]] = part.offsets
    # Some tokenizers count the space before a word as part of it, and give it a token of no width.
    offsets[offsets[:, 0] == offsets[:, 1]] = -1
    return Window(tuple(pair.ids), tuple(pair.type_ids), offsets[:, 0], offsets[:, 1])


def decode(
    window: Window, start: Logits, end: Logits, most: int, max_tokens: int = MAX_ANSWER_TOKENS
) -> list[Decoded]:
    """Return the best ``most`` spans by the sum of start and end logits, best first.

    Spans begin and end within the text, start no later than they end, and have at most ``max_tokens``
    tokens.

    Args:
        window: of n tokens.
        start: start logits, shape (at least n,).
        end: end logits, shape (at least n,).
        most: how many spans.
        max_tokens: the longest span.
    """
    places = np.flatnonzero(window.starts >= 0)
    if not len(places):
        return []
    first, last = places[0], places[-1] + 1
    scores = start[first:last, None] + end[None, first:last]
    allowed = np.triu(np.ones_like(scores, dtype=bool)) & ~np.triu(
        np.ones_like(scores, dtype=bool), max_tokens
    )
    inside = window.starts[first:last] >= 0
    allowed &= inside[:, None] & inside[None, :]
    scores = np.where(allowed, scores, -np.inf).ravel()
    most = min(most, int(allowed.sum()))
    best = np.argpartition(-scores, most - 1)[:most]
    best = best[np.argsort(-scores[best], kind="stable")]
    width = last - first
    return [
        Decoded(
            int(window.starts[first + place // width]),
            int(window.ends[first + place % width]),
            float(scores[place]),
        )
        for place in best
    ]


def null_score(start: Sequence[float] | Logits, end: Sequence[float] | Logits) -> float:
    """Return the score of "no answer here": the logits of the first token, as in SQuAD 2.0 (Devlin 2019)."""
    return float(start[0]) + float(end[0])
