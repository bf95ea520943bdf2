"""Readings and hits to ranked candidates with probabilities, and whether to answer at all.

The probability is a logistic regression over a few scores (Platt 1999); its coefficients are fitted by
``python -m qa.evaluation fit`` on questions asked where their answer is, where it was left out, and where
everything is about something else. Knows scores; knows nothing of models.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

from index.types import Hit, Passage
from qa.types import Reading, Span, Status

# Below this cosine to the nearest passage a question is about something else altogether.
OFF_TOPIC_COSINE = 0.3
_OVERLAPPING = 0.5


@dataclass(frozen=True, slots=True)
class Coefficients:
    """Of the logistic regression over :attr:`Ranked.evidence`."""

    intercept: float
    score: float
    cosine: float
    margin: float


COEFFICIENTS = Coefficients(intercept=-7.28, score=1.22, cosine=4.43, margin=2.48)


@dataclass(frozen=True, slots=True)
class Ranked:
    """One distinct answer: its best span first, then the others that say the same.

    ``evidence`` is what :data:`COEFFICIENTS` weigh: the span's score, the cosine of its passage to the
    question, and the lead over the next answer's score.
    """

    confidence: float
    evidence: tuple[float, float, float]
    spans: tuple[tuple[Span, Passage], ...]


def rank(readings: Sequence[Reading], hits: Sequence[Hit]) -> list[Ranked]:
    """Return distinct answers, best first, each with a probability of being right in [0, 1].

    None is more probable than one before it, whatever is known of their passages. The same stretch of a
    document, reached through overlapping passages, counts once; the same words in several places are one
    answer with several spans.
    """
    passages = {hit.passage.id: hit for hit in hits}
    found = [(span, passages[reading.passage_id]) for reading in readings for span in reading.spans]
    found.sort(key=lambda item: -item[0].score)
    groups: list[list[tuple[Span, Hit]]] = []
    for span, hit in found:
        if any(_same_place(span, hit, other, where) for group in groups for other, where in group):
            continue
        same = next((group for group in groups if _same_words(span, group[0][0])), None)
        if same is None:
            groups.append([(span, hit)])
        else:
            same.append((span, hit))
    evidence = [_evidence(groups, position) for position in range(len(groups))]
    confidences = accumulate(map(probability, evidence), min)
    return [
        Ranked(confidence, weighed, tuple((span, hit.passage) for span, hit in group))
        for group, weighed, confidence in zip(groups, evidence, confidences, strict=True)
    ]


def _evidence(groups: Sequence[Sequence[tuple[Span, Hit]]], position: int) -> tuple[float, float, float]:
    span, hit = groups[position][0]
    following = groups[position + 1][0][0].score if position + 1 < len(groups) else 0.0
    return span.score, hit.dense, span.score - following


def decide(ranked: Sequence[Ranked], hits: Sequence[Hit], threshold: float) -> Status:
    """Return whether to answer, and if not, why."""
    if ranked and ranked[0].confidence >= threshold:
        return "answered"
    nearest = max((hit.dense for hit in hits), default=-1.0)
    return "not_found" if nearest >= OFF_TOPIC_COSINE else "off_topic"


def probability(evidence: tuple[float, float, float]) -> float:
    """Return the chance that an answer with this evidence is right, in [0, 1]."""
    score, cosine, margin = evidence
    c = COEFFICIENTS
    logit = c.intercept + c.score * score + c.cosine * cosine + c.margin * margin
    return 0.5 * (1.0 + math.tanh(0.5 * logit))  # the logistic function, without overflow


def _same_place(span: Span, hit: Hit, other: Span, where: Hit) -> bool:
    if hit.passage.document_id != where.passage.document_id:
        return False
    shared = min(span.end, other.end) - max(span.start, other.start)
    return shared > _OVERLAPPING * min(span.end - span.start, other.end - other.start)


def _same_words(span: Span, other: Span) -> bool:
    return span.text.casefold().split() == other.text.casefold().split()
