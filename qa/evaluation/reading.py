"""Reading by itself: the reader on the paragraph that people answered from, search left out."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from index.types import Hit, Passage
from qa.evaluation.metrics import exact_match, f1
from qa.evaluation.squad import Example
from qa.types import Reader


@dataclass(frozen=True, slots=True)
class Read:
    """What a reader answered to one question when it had to; ``lead`` is over the null score."""

    example: Example
    text: str
    lead: float

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
        [reading] = reader.read(example.question, [Hit(passage, 1.0, 1.0, 1.0)])
        if reading.spans:
            best = reading.spans[0]
            yield Read(example, best.text, best.score - reading.null_score)
        else:
            yield Read(example, "", float("-inf"))
