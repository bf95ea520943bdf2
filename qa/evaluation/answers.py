"""End to end: how good is the answer, does its quote hold it, are the right questions left unanswered?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from qa.evaluation.metrics import exact_match, f1
from qa.evaluation.squad import Example
from qa.types import Answer

_MOSTLY = 0.5


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one question when an answer was forced.

    ``exact_match`` and ``f1`` compare the answer's text with the right ones; ``quoted`` says whether the
    first citation's quote holds one of them. ``confidence`` decides at any threshold whether the question
    would have been answered.
    """

    example: Example
    answer: Answer
    exact_match: float
    f1: float
    quoted: bool

    @property
    def mostly_right(self) -> bool:
        """Whether F1 is over 0.5."""
        return self.f1 > _MOSTLY

    @property
    def confidence(self) -> float:
        """The confidence of the first candidate."""
        return self.answer.confidence


@dataclass(frozen=True, slots=True)
class Shares:
    """Over answerable questions, fractions: exact match, F1, F1 over 0.5, and quotes that hold an answer.

    ``answered`` is the share answered; an abstention scores 0.
    """

    answered: float
    exact_match: float
    f1: float
    mostly_right: float
    quoted: float


def outcome(example: Example, answer: Answer) -> Outcome:
    """Compare an answer with what was expected."""
    golds = [gold.text for gold in example.answers]
    quote = answer.citations[0].quote if answer.citations else ""
    return Outcome(
        example,
        answer,
        exact_match(answer.text or "", golds),
        f1(answer.text or "", golds),
        any(gold in quote for gold in golds),
    )


def shares(outcomes: Sequence[Outcome], threshold: float = 0.0) -> Shares:
    """Return the figures over the answerable questions if those below ``threshold`` are left unanswered."""
    answerable = [one for one in outcomes if not one.example.impossible]
    if not answerable:
        return Shares(0.0, 0.0, 0.0, 0.0, 0.0)
    answered = np.array([one.confidence >= threshold and bool(one.answer.text) for one in answerable])
    return Shares(
        float(answered.mean()),
        *(
            float((answered * np.array([getattr(one, name) for one in answerable])).mean())
            for name in ("exact_match", "f1", "mostly_right", "quoted")
        ),
    )


def answered_shares(outcomes: Sequence[Outcome], threshold: float) -> dict[str, float]:
    """Return for each kind of question the share that would be answered at ``threshold``."""
    kinds = dict.fromkeys(one.example.kind for one in outcomes)
    answered = {}
    for kind in kinds:
        confidences = [one.confidence for one in outcomes if one.example.kind == kind]
        answered[kind] = sum(confidence >= threshold for confidence in confidences) / len(confidences)
    return answered
