"""Readings and hits to ranked candidates with probabilities, and whether to answer at all.

The order of spans is a weighted sum of the reader's scores and search's; the probability is a logistic
regression over a few figures (Platt 1999; for questions and passages: Kamath et al. 2020). Both are fitted
by ``python -m qa.training fit`` on questions asked where their answer is and where it was left out. Knows
scores; knows nothing of models.
"""

from __future__ import annotations

import math
import string
from collections.abc import Sequence
from dataclasses import astuple, dataclass
from itertools import accumulate

from index.types import Hit, Passage, Range
from qa.types import Kind, Reading, Span, Status

# Below this cosine to the nearest passage a question is about something else altogether, unless words of it
# are there.
OFF_TOPIC_COSINE = 0.3
_ARTICLES = frozenset({"a", "an", "the"})


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known of one distinct answer.

    ``score`` is the weighted sum that orders answers, ``margin`` its lead over the next one's. ``cosine`` is
    the best span's passage's to the question. ``support`` is the logarithm of how many places say the same.
    """

    score: float
    margin: float
    cosine: float
    support: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """How the scores of one kind of reader become an order and a probability.

    ``span``, ``lead`` and ``passage`` weigh a span's score, its lead over its passage's null score, and its
    passage's score in search. ``weights``, with ``intercept``, are the logistic regression over
    :class:`Evidence`. From ``threshold`` on there is an answer; ``strict`` is the threshold from which
    answers are right at least 80 % of the time.
    """

    span: float
    lead: float
    passage: float
    intercept: float
    weights: Evidence
    threshold: float
    strict: float

    def order(self, span: Span, reading: Reading, hit: Hit) -> float:
        """Return the value by which spans of one question are ordered."""
        lead = span.score - reading.null_score
        return self.span * span.score + self.lead * lead + self.passage * hit.score

    def probability(self, evidence: Evidence) -> float:
        """Return the chance that an answer with this evidence is right, in [0, 1]."""
        products = zip(astuple(self.weights), astuple(evidence), strict=True)
        logit = self.intercept + sum(weight * value for weight, value in products)
        return 0.5 * (1.0 + math.tanh(0.5 * logit))  # the logistic function, without overflow


# Fitted, and the thresholds chosen, as docs/experiments.md says.
CALIBRATIONS: dict[Kind, Calibration] = {
    "sentences": Calibration(
        span=1.0,
        lead=0.0,
        passage=0.0,
        intercept=-7.28,
        weights=Evidence(score=1.22, margin=2.48, cosine=4.43, support=0.0),
        threshold=0.05,
        strict=0.6,
    ),
    "spans": Calibration(
        span=0.2,
        lead=0.172,
        passage=4.047,
        intercept=-6.594,
        weights=Evidence(score=0.675, margin=0.34, cosine=3.409, support=-0.032),
        threshold=0.08,
        strict=0.7,
    ),
}


@dataclass(frozen=True, slots=True)
class Ranked:
    """One distinct answer: its best span first, then the others that say the same."""

    confidence: float
    evidence: Evidence
    spans: tuple[tuple[Span, Passage], ...]


@dataclass(frozen=True, slots=True)
class _Found:
    value: float
    span: Span
    hit: Hit


def rank(readings: Sequence[Reading], hits: Sequence[Hit], calibration: Calibration) -> list[Ranked]:
    """Return distinct answers, best first, each with a probability of being right in [0, 1].

    None is more probable than one before it, whatever is known of their passages. The same stretch of a
    document, reached through overlapping passages, counts once; the same words in several places are one
    answer with several spans.
    """
    passages = {hit.passage.id: hit for hit in hits}
    found = [
        _Found(calibration.order(span, reading, hit), span, hit)
        for reading in readings
        for hit in [passages[reading.passage_id]]
        for span in reading.spans
    ]
    groups = _group(sorted(found, key=lambda one: -one.value))
    evidence = [_evidence(groups, position) for position in range(len(groups))]
    confidences = accumulate(map(calibration.probability, evidence), min)
    return [
        Ranked(confidence, weighed, tuple((one.span, one.hit.passage) for one in group))
        for group, weighed, confidence in zip(groups, evidence, confidences, strict=True)
    ]


def _group(found: Sequence[_Found]) -> list[list[_Found]]:
    groups: list[list[_Found]] = []
    for one in found:
        if any(_same_place(one, other) for group in groups for other in group):
            continue
        same = next(
            (group for group in groups if answer_words(one.span.text) == answer_words(group[0].span.text)),
            None,
        )
        if same is None:
            groups.append([one])
        else:
            same.append(one)
    return groups


def _evidence(groups: Sequence[Sequence[_Found]], position: int) -> Evidence:
    best = groups[position][0]
    following = groups[position + 1][0].value if position + 1 < len(groups) else 0.0
    return Evidence(
        score=best.value,
        margin=best.value - following,
        cosine=best.hit.dense,
        support=math.log(len(groups[position])),
    )


def decide(ranked: Sequence[Ranked], hits: Sequence[Hit], threshold: float) -> Status:
    """Return whether to answer, and if not, why."""
    if ranked and ranked[0].confidence >= threshold:
        return "answered"
    nearest = max((hit.dense for hit in hits), default=-1.0)
    return "not_found" if nearest >= OFF_TOPIC_COSINE else "off_topic"


def _same_place(one: _Found, other: _Found) -> bool:
    if one.hit.passage.document_id != other.hit.passage.document_id:
        return False
    return Range(one.span.start, one.span.end).mostly_overlaps(Range(other.span.start, other.span.end))


def answer_words(text: str) -> list[str]:
    """Return what tells an answer from another: its words, but for case, articles and punctuation."""
    bare = (word.strip(string.punctuation + "“”‘’«»–—…") for word in text.casefold().split())
    words = [word for word in bare if word and word not in _ARTICLES]
    return words or text.casefold().split()
