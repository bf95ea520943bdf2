"""Is the first candidate right, and does its confidence say so?

Every question is asked twice: over its corpus, and over its corpus without its own article. Only in the
first case can the first candidate be right.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from index.types import Hit
from qa.cite import cite
from qa.confidence import Calibration, Evidence, rank
from qa.evaluation.corpus import Corpus
from qa.evaluation.metrics import exact_match, f1
from qa.evaluation.squad import Example
from qa.settings import Settings
from qa.types import Kind, Reader, Reading

# An answer counts as right from this F1 on.
RIGHT = 0.5
_BINS = 10


@dataclass(frozen=True, slots=True)
class Observation:
    """What was found for one question; ``answerable`` says whether its article was in the index."""

    example: Example
    answerable: bool
    hits: Sequence[Hit]
    readings: Sequence[Reading]


@dataclass(frozen=True, slots=True)
class Judged:
    """The first candidate of an observation.

    ``f1`` and ``exact_match`` compare it with the answers, wherever it was found; ``quoted`` says whether
    its quote holds one of them. It is ``right`` only where the question was answerable.
    """

    evidence: Evidence
    confidence: float
    exact_match: float
    f1: float
    quoted: bool
    right: bool
    answerable: bool


def observe(corpus: Corpus, reader: Reader, examples: Sequence[Example]) -> Iterator[Observation]:
    """Ask each of ``examples`` with and without its article in the index."""
    articles: dict[str, set[str]] = {}
    for example in corpus.examples:
        if document := corpus.document_id(example):
            articles.setdefault(example.title or example.context, set()).add(document)
    everything = set().union(*articles.values())
    for example in examples:
        own = articles[example.title or example.context]
        for answerable, documents in ((True, everything), (False, everything - own)):
            hits = corpus.index.search(example.question, Settings().passages, documents=documents)
            yield Observation(example, answerable, hits, reader.read(example.question, hits))


def judge(corpus: Corpus, observation: Observation, kind: Kind, calibration: Calibration) -> Judged | None:
    """Return the first candidate of ``observation`` and whether it is right; ``None`` where there is none.

    A span is right from an F1 of 0.5 on; of sentences, the quote has to hold an answer.
    """
    ranked = rank(observation.readings, observation.hits, calibration)
    if not ranked:
        return None
    golds = [gold.text for gold in observation.example.answers]
    span, passage = ranked[0].spans[0]
    document = corpus.index.document(passage.document_id)
    quote = cite(1, span, passage, document).quote if document else ""
    quoted = any(gold in quote for gold in golds)
    right = quoted if kind == "sentences" else f1(span.text, golds) >= RIGHT
    return Judged(
        ranked[0].evidence,
        ranked[0].confidence,
        exact_match(span.text, golds),
        f1(span.text, golds),
        quoted,
        right and observation.answerable,
        observation.answerable,
    )


def judge_all(
    corpus: Corpus, observations: Sequence[Observation], kind: Kind, calibration: Calibration
) -> list[Judged]:
    """Judge every observation that has a candidate."""
    judged = (judge(corpus, one, kind, calibration) for one in observations)
    return [one for one in judged if one]


def auroc(judged: Sequence[Judged]) -> float:
    """Return the area under the ROC curve of confidence for right against wrong, in [0, 1]."""
    from sklearn.metrics import roc_auc_score  # noqa: PLC0415 - slow, and needed here alone

    return float(roc_auc_score([one.right for one in judged], [one.confidence for one in judged]))


def calibration_error(judged: Sequence[Judged]) -> float:
    """Return the expected calibration error over 10 bins of equal width, in [0, 1] (Guo et al. 2017)."""
    confidence = np.array([one.confidence for one in judged])
    right = np.array([one.right for one in judged], dtype=float)
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    gaps = np.bincount(bins, weights=confidence - right, minlength=_BINS)
    return float(np.abs(gaps).sum() / len(judged))


def risk_coverage(judged: Sequence[Judged]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return coverage and risk: for the most confident k answers, k of all, and the share that is wrong."""
    order = np.argsort([-one.confidence for one in judged], kind="stable")
    wrong = np.array([not judged[place].right for place in order], dtype=float)
    counts = np.arange(1, len(judged) + 1)
    return counts / len(judged), np.cumsum(wrong) / counts
