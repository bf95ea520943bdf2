"""Reading by itself: the reader on the paragraph that people answered from, search left out."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from index.types import Hit, Passage
from qa.evaluation.metrics import exact_match, f1, is_right
from qa.evaluation.rows import Excerpt, Row, around, expected, gold_texts
from qa.evaluation.squad import Example
from qa.types import Reader

_ORDER = ("EM", "F1", "abstaining EM", "abstaining F1", "HasAns EM", "HasAns F1", "NoAns")


@dataclass(frozen=True, slots=True)
class Read:
    """What a reader answered to one question when it had to; ``lead`` is over the null score.

    ``start`` is where the answer stands in the example's context.
    """

    example: Example
    text: str
    lead: float
    start: int = 0
    seconds: float = 0.0

    def exact_match(self, lead: float | None = None) -> float:
        """Return 1.0 or 0.0; with ``lead``, an answer whose own is no higher counts as an abstention."""
        return exact_match(self._given(lead), [gold.text for gold in self.example.answers])

    def f1(self, lead: float | None = None) -> float:
        """Return F1 in [0, 1]; with ``lead``, an answer whose own is no higher counts as an abstention."""
        return f1(self._given(lead), [gold.text for gold in self.example.answers])

    def _given(self, lead: float | None) -> str:
        return self.text if lead is None or self.lead > lead else ""


def read_gold(reader: Reader, examples: Sequence[Example]) -> Iterator[Read]:
    """Answer every question from its own paragraph."""
    for example in examples:
        passage = Passage(0, "", 0, len(example.context), example.context, "")
        began = time.perf_counter()
        [reading] = reader.read(example.question, [Hit(passage, 1.0, 1.0, 1.0)])
        seconds = time.perf_counter() - began
        if reading.spans:
            best = reading.spans[0]
            yield Read(example, best.text, best.score - reading.null_score, best.start, seconds)
        else:
            yield Read(example, "", float("-inf"), 0, seconds)


def reading_rows(found: Iterable[Read]) -> Iterator[Row]:
    """Return a row for each question, scored as its set.

    ``EM`` and ``F1`` are those of answers that were forced, over answerable questions. The other scores
    leave a question unanswered where the null score wins, and go over all questions, as SQuAD 2.0's do;
    where a set has questions without an answer, over those that have one as well, and over those that have
    none.
    """
    read = list(found)
    mixed = {one.example.set for one in read if one.example.impossible}
    for one in read:
        example = one.example
        abstaining = {"EM": one.exact_match(lead=0.0), "F1": one.f1(lead=0.0)}
        scores = {f"abstaining {name}": value for name, value in abstaining.items()}
        if example.impossible:
            right = abstaining["F1"] == 1.0
            scores |= {"NoAns": abstaining["F1"]}
        else:
            right = is_right(one.f1())
            scores |= {"EM": one.exact_match(), "F1": one.f1()}
            if example.set in mixed:
                scores |= {f"HasAns {name}": value for name, value in abstaining.items()}
        yield Row(
            set=example.set,
            id=example.id,
            group=example.group,
            kind=example.kind,
            question=example.question,
            gold=gold_texts(example),
            expected=expected(example),
            expected_in=example.title,
            answer=one.text or None,
            quote=around(example.context, one.start, one.start + len(one.text)) if one.text else Excerpt(),
            quoted_from=example.title,
            confidence=None,
            right=right,
            scores={example.set: {name: scores[name] for name in _ORDER if name in scores}},
            seconds=one.seconds,
        )
