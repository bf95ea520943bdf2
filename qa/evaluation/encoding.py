"""Encoding speed and quality, measured against plain sentence-transformers in the same run."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from index.encode import default_checkpoint, load_encoder
from index.types import Vectors
from qa.evaluation.metrics import ranking

# Short enough to take turns, so that a busy machine slows both alike.
_TURN = 128


@dataclass(frozen=True, slots=True)
class EncodingReport:
    """Passages a second of both, the lowest cosine between their vectors, and dense retrieval with each."""

    verbatim: float
    baseline: float
    worst_cosine: float
    verbatim_ranking: dict[str, float]
    baseline_ranking: dict[str, float]


def evaluate_encoding(passages: Sequence[str], questions: Sequence[tuple[str, int]]) -> EncodingReport:
    """Encode passages with Verbatim and with ``SentenceTransformer.encode`` in fp32, turn by turn.

    Args:
        passages: texts.
        questions: each with the position of the passage that answers it.
    """
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415 - the baseline alone needs it

    encoder = load_encoder()
    baseline = SentenceTransformer(str(default_checkpoint()), device="cpu", local_files_only=True)

    def encode_baseline(texts: Sequence[str]) -> Vectors:
        vectors: Any = baseline.encode(list(texts), normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(vectors, dtype=np.float32)

    # Both compile or allocate on first use.
    encoder.encode(passages[:_TURN])
    encode_baseline(passages[:8])
    ours: list[Vectors] = []
    theirs: list[Vectors] = []
    seconds = [0.0, 0.0]
    for start in range(0, len(passages), _TURN):
        turn = passages[start : start + _TURN]
        seconds[0] += _timed(encoder.encode, turn, ours)
        seconds[1] += _timed(encode_baseline, turn, theirs)
    asked = [question for question, _ in questions]
    return EncodingReport(
        verbatim=len(passages) / seconds[0],
        baseline=len(passages) / seconds[1],
        worst_cosine=float((np.vstack(ours) * np.vstack(theirs)).sum(axis=1).min()),
        verbatim_ranking=_dense(
            np.vstack(ours), np.vstack([encoder.encode_question(question) for question in asked]), questions
        ),
        baseline_ranking=_dense(np.vstack(theirs), encode_baseline(asked), questions),
    )


def _timed(encode: Callable[[Sequence[str]], Vectors], texts: Sequence[str], into: list[Vectors]) -> float:
    start = time.perf_counter()
    into.append(encode(texts))
    return time.perf_counter() - start


def _dense(passages: Vectors, vectors: Vectors, questions: Sequence[tuple[str, int]]) -> dict[str, float]:
    best = np.argsort(-(vectors @ passages.T), axis=1)[:, :10]
    run = {str(row): [str(passage) for passage in found] for row, found in enumerate(best)}
    relevant = {str(row): {str(passage)} for row, (_, passage) in enumerate(questions)}
    return ranking(run, relevant)
