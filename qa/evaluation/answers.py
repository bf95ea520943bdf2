"""End to end: does the first quote hold the answer, and are the right questions left unanswered?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from qa.evaluation.squad import Example
from qa.types import Answer


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one question when an answer was forced.

    ``hit`` says whether the first citation's quote holds one of the right answers; ``confidence`` decides
    at any threshold whether the question would have been answered.
    """

    example: Example
    answer: Answer
    hit: bool

    @property
    def confidence(self) -> float:
        """The confidence of the first candidate."""
        return self.answer.confidence


def outcome(example: Example, answer: Answer) -> Outcome:
    """Compare an answer with what was expected."""
    quote = answer.citations[0].quote if answer.citations else ""
    return Outcome(example, answer, any(gold.text in quote for gold in example.answers))


def hit_rate(outcomes: Sequence[Outcome]) -> float:
    """Return the share of answerable questions whose first quote holds the answer, a fraction."""
    answerable = [one for one in outcomes if not one.example.impossible]
    return sum(one.hit for one in answerable) / len(answerable) if answerable else 0.0


def answered_shares(outcomes: Sequence[Outcome], threshold: float) -> dict[str, float]:
    """Return for each kind of question the share that would be answered at ``threshold``."""
    kinds = dict.fromkeys(one.example.kind for one in outcomes)
    shares = {}
    for kind in kinds:
        confidences = [one.confidence for one in outcomes if one.example.kind == kind]
        shares[kind] = sum(confidence >= threshold for confidence in confidences) / len(confidences)
    return shares
