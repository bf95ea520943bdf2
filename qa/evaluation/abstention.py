"""Is the first candidate right, and does its confidence say so?

Every question is asked twice: over its corpus, and over its corpus without its own article. Only in the
first case can the first candidate be right. A question that was written to have no answer is asked once.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from index.types import Hit
from qa.cite import cite
from qa.confidence import Calibration, Evidence, Ranked, rank
from qa.evaluation.corpus import Corpus
from qa.evaluation.metrics import exact_match, f1, is_right
from qa.evaluation.rows import CANDIDATE, Excerpt, Row, expected, gold_texts, quoted
from qa.evaluation.squad import Example
from qa.settings import Settings
from qa.types import Citation, Kind, Reader, Reading

_BINS = 10


@dataclass(frozen=True, slots=True)
class Observation:
    """What was found for one question; ``answerable`` says whether what answers it was in the index."""

    example: Example
    answerable: bool
    hits: Sequence[Hit]
    readings: Sequence[Reading]
    seconds: float = 0.0


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
            articles.setdefault(example.group, set()).add(document)
    everything = set(corpus.index.document_ids())
    for example in examples:
        without = False, everything - articles.get(example.group, set())
        cases = [(True, everything), without] if example.answers else [(False, everything)]
        for answerable, documents in cases:
            began = time.perf_counter()
            hits = corpus.index.search(example.question, Settings().passages, documents=documents)
            readings = reader.read(example.question, hits)
            yield Observation(example, answerable, hits, readings, time.perf_counter() - began)


def first_candidate(
    corpus: Corpus, observation: Observation, calibration: Calibration
) -> tuple[Ranked, Citation | None] | None:
    """Return the first candidate and the citation of its best span; ``None`` where nothing was found."""
    ranked = rank(observation.readings, observation.hits, calibration)
    if not ranked:
        return None
    span, passage = ranked[0].spans[0]
    document = corpus.index.document(passage.document_id)
    return ranked[0], cite(1, span, passage, document) if document else None


def judge(corpus: Corpus, observation: Observation, kind: Kind, calibration: Calibration) -> Judged | None:
    """Return the first candidate of ``observation`` and whether it is right; ``None`` where there is none.

    A span is right from an F1 of 0.5 on; of sentences, the quote has to hold an answer.
    """
    found = first_candidate(corpus, observation, calibration)
    if found is None:
        return None
    ranked, citation = found
    golds = [gold.text for gold in observation.example.answers]
    text = ranked.spans[0][0].text
    shown = citation is not None and any(gold in citation.quote for gold in golds)
    right = shown if kind == "sentences" else is_right(f1(text, golds))
    return Judged(
        ranked.evidence,
        ranked.confidence,
        exact_match(text, golds),
        f1(text, golds),
        shown,
        right and observation.answerable,
        observation.answerable,
    )


def abstention_rows(
    corpus: Corpus, observations: Iterable[Observation], kind: Kind, calibration: Calibration
) -> Iterator[Row]:
    """Return a row for each observation; where nothing was found, the confidence is 0."""
    thresholds = {"default": calibration.threshold, "strict": calibration.strict}
    for one in observations:
        judged = judge(corpus, one, kind, calibration)
        found = first_candidate(corpus, one, calibration)
        ranked, citation = found or (None, None)
        right = judged is not None and judged.right
        confidence = judged.confidence if judged else 0.0
        scores = {CANDIDATE: {"right": float(right)}}
        for name, threshold in thresholds.items():
            given = judged is not None and confidence >= threshold
            scores[name] = _at_threshold(one, judged if given else None)
        left_out = bool(one.example.answers) and not one.answerable
        yield Row(
            set=one.example.set,
            id=f"{one.example.id} (left out)" if left_out else one.example.id,
            group=one.example.group,
            kind="left out" if left_out else one.example.kind,
            question=one.example.question,
            gold=gold_texts(one.example) if one.answerable else (),
            expected=expected(one.example) if one.answerable else Excerpt(),
            expected_in=one.example.title if one.answerable else "",
            answer=ranked.spans[0][0].text if ranked else None,
            quote=quoted(citation),
            quoted_from=corpus.title(citation.document_id) if citation else "",
            confidence=confidence,
            right=right if confidence >= calibration.threshold and judged else not one.answerable,
            scores=scores,
            seconds=one.seconds,
        )


def _at_threshold(one: Observation, given: Judged | None) -> dict[str, float]:
    """Return what counts at a threshold: ``given`` is ``None`` where the answer was withheld."""
    score = (given.f1 if given else 0.0) if one.answerable else float(given is None)
    scores = {
        "answered": float(given is not None),
        "F1": score,
        "HasAns F1" if one.answerable else "NoAns": score,
    }
    # Precision: of what was answered alone.
    return scores | {"right of these": float(given.right)} if given else scores


def judge_all(
    corpus: Corpus, observations: Sequence[Observation], kind: Kind, calibration: Calibration
) -> list[Judged]:
    """Judge every observation that has a candidate."""
    judged = (judge(corpus, one, kind, calibration) for one in observations)
    return [one for one in judged if one]


class Confident(Protocol):
    """An answer with its confidence in [0, 1], and whether it is right."""

    @property
    def confidence(self) -> float:
        """The chance that it is right, as it was told."""

    @property
    def right(self) -> bool:
        """Whether it is."""


def auroc(judged: Sequence[Confident]) -> float:
    """Return the area under the ROC curve of confidence for right against wrong, in [0, 1].

    The share of pairs of a right and a wrong answer in which the right one has the higher confidence, ties
    counting half (Hanley and McNeil 1982). NaN where all are right, or all wrong.
    """
    from scipy.stats import rankdata  # noqa: PLC0415 - slow, and needed here alone

    right = np.array([one.right for one in judged], dtype=bool)
    pairs = int(right.sum()) * int((~right).sum())
    if not pairs:
        return float("nan")
    ranks = rankdata([one.confidence for one in judged])
    return float((ranks[right].sum() - right.sum() * (right.sum() + 1) / 2) / pairs)


def calibration_error(judged: Sequence[Confident]) -> float:
    """Return the expected calibration error over 10 bins of equal width, in [0, 1] (Guo et al. 2017)."""
    confidence = np.array([one.confidence for one in judged])
    right = np.array([one.right for one in judged], dtype=float)
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    gaps = np.bincount(bins, weights=confidence - right, minlength=_BINS)
    return float(np.abs(gaps).sum() / len(judged))


def risk_coverage(judged: Sequence[Confident]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return coverage and risk: for the most confident k answers, k of all, and the share that is wrong.

    El-Yaniv and Wiener 2010.
    """
    order = np.argsort([-one.confidence for one in judged], kind="stable")
    wrong = np.array([not judged[place].right for place in order], dtype=float)
    counts = np.arange(1, len(judged) + 1)
    return counts / len(judged), np.cumsum(wrong) / counts
