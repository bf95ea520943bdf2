"""End to end: how good is the answer, do its citations hold it, are the right questions left unanswered?

Answers are forced, with the confidence that decides at any threshold whether they would have been given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from qa.evaluation.metrics import exact_match, f1, is_right
from qa.evaluation.reading import Read
from qa.evaluation.rows import CANDIDATE, Row, expected, gold_texts, quoted
from qa.evaluation.squad import Example
from qa.types import Answer, Kind

OWN_TEXT = "own text, forced"
FORCED = "whole corpus, forced"
DEFAULT = "whole corpus, default threshold"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one question when an answer was forced.

    ``exact_match`` and ``f1`` compare the answer's text with the right ones; ``quoted`` says whether the
    first citation's quote holds one of them, ``precision`` which share of all its citations' quotes does,
    and ``documented`` whether the first citation is of the question's own document. ``right`` is an answer
    with an F1 of 0.5 at least. ``confidence`` decides at any threshold whether the question would have been
    answered.
    """

    example: Example
    answer: Answer
    exact_match: float
    f1: float
    quoted: bool
    precision: float
    documented: bool
    right: bool
    seconds: float = 0.0

    @property
    def confidence(self) -> float:
        """The confidence of the first candidate."""
        return self.answer.confidence

    def answered(self, threshold: float) -> bool:
        """Whether there would have been an answer at this threshold."""
        return bool(self.answer.text) and self.confidence >= threshold


def outcome(
    example: Example,
    answer: Answer,
    kind: Kind = "spans",
    document_id: str | None = None,
    seconds: float = 0.0,
) -> Outcome:
    """Compare an answer with what was expected.

    Args:
        example: the question.
        answer: what was answered, whatever the confidence.
        kind: that of the reader. A sentence is right where its quote holds a right answer.
        document_id: the question's own document.
        seconds: what it took.
    """
    golds = gold_texts(example)
    holding = [any(gold in citation.quote for gold in golds) for citation in answer.citations]
    score = f1(answer.text or "", golds)
    shown = bool(holding) and holding[0]
    return Outcome(
        example,
        answer,
        exact_match(answer.text or "", golds),
        score,
        quoted=shown,
        precision=sum(holding) / len(holding) if holding else 0.0,
        documented=bool(answer.citations) and answer.citations[0].document_id == document_id,
        right=not example.impossible and (shown if kind == "sentences" else is_right(score)),
        seconds=seconds,
    )


def answers_rows(
    outcomes: Sequence[Outcome], gold: Sequence[Read], threshold: float, titles: Callable[[str], str]
) -> Iterator[Row]:
    """Return a row for each question.

    Args:
        outcomes: what became of the questions.
        gold: what the reader answered to those that have an answer, from their own text.
        threshold: the least confidence of an answer, by default.
        titles: gives what a document of an id is called.
    """
    read = {(one.example.set, one.example.id): one for one in gold}
    mixed = any(one.example.impossible for one in outcomes)
    for one in outcomes:
        example, citations = one.example, one.answer.citations
        given = one.answered(threshold)
        scores: dict[str, dict[str, float]] = {}
        if own := read.get((example.set, example.id)):
            scores[OWN_TEXT] = {"EM": own.exact_match(), "F1": own.f1(), "right": float(is_right(own.f1()))}
        if not example.impossible:
            scores[FORCED] = _forced(one)
        scores[DEFAULT] = _at_threshold(one, given=given, mixed=mixed)
        scores[CANDIDATE] = {"right": float(one.right)}
        yield Row(
            set=example.set,
            id=example.id,
            group=example.group,
            kind=example.kind,
            question=example.question,
            gold=gold_texts(example),
            expected=expected(example),
            expected_in=example.title,
            answer=one.answer.text,
            quote=quoted(citations[0] if citations else None),
            quoted_from=titles(citations[0].document_id) if citations else "",
            confidence=one.confidence,
            right=(given and one.right) if not example.impossible else not given,
            scores=scores,
            seconds=one.seconds,
        )


def _forced(one: Outcome) -> dict[str, float]:
    return {
        "EM": one.exact_match,
        "F1": one.f1,
        "right": float(one.right),
        "first quote": float(one.quoted),
        "first document": float(one.documented),
        "citation precision": one.precision,
    }


def _at_threshold(one: Outcome, *, given: bool, mixed: bool) -> dict[str, float]:
    """Return what counts where answers below the threshold are withheld.

    EM and F1 go over all questions, as those of SQuAD 2.0; where these are ``mixed`` with such as have no
    answer, those that have one are also scored by themselves.
    """
    if one.example.impossible:
        score = float(not given)
        scores = {"EM": score, "F1": score, "NoAns": score, f"answered: {one.example.kind}": float(given)}
    else:
        exact, overlap = given * one.exact_match, given * one.f1
        scores = {
            "EM": exact,
            "F1": overlap,
            **({"HasAns EM": exact, "HasAns F1": overlap} if mixed else {}),
            "right": float(given and one.right),
            "first quote": float(given and one.quoted),
            "first document": float(given and one.documented),
            "answered": float(given),
        }
    if given:
        # Of what was answered alone.
        scores |= {"right of these": float(one.right), "citation precision": one.precision}
    return scores


def answered_shares(rows: Sequence[Row], threshold: float) -> dict[str, float]:
    """Return for each kind of question the share that would be answered at ``threshold``."""
    shares: dict[str, float] = {}
    for kind in dict.fromkeys(row.kind for row in rows):
        held = [row for row in rows if row.kind == kind]
        given = [row.answer is not None and (row.confidence or 0.0) >= threshold for row in held]
        shares[kind] = sum(given) / len(given)
    return shares
