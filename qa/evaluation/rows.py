"""One question of a run: what was expected, what came of it, and its scores. Knows nothing of how it came."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from qa.evaluation.squad import Example
from qa.types import Citation

# The part of which the confidence is judged: its score "right" says whether it was justified.
CANDIDATE = "first candidate"
# Characters shown around an answer.
_AROUND = 160


@dataclass(frozen=True, slots=True)
class Excerpt:
    """A text, of which ``text[start:end]`` is what matters; the two are equal where nothing does."""

    text: str = ""
    start: int = 0
    end: int = 0


@dataclass(frozen=True, slots=True)
class Row:
    """One question.

    ``group`` is its article. ``right`` says whether what a user gets at the default settings is right, an
    abstention where there is no answer included. ``gold`` are the texts that count as right, and
    ``expected`` shows the first of them in its document. ``answer`` is the best candidate, given or not;
    ``quote`` shows it. ``scores`` holds fractions by part of the result and name. ``ranks`` holds the rank
    of the first relevant passage by kind of search, from 1; ``None`` where there was none.
    """

    set: str
    id: str
    group: str
    kind: str
    question: str
    gold: tuple[str, ...]
    expected: Excerpt
    expected_in: str
    answer: str | None
    quote: Excerpt
    quoted_from: str
    confidence: float | None
    right: bool
    scores: Mapping[str, Mapping[str, float]]
    seconds: float
    ranks: Mapping[str, int | None] = field(default_factory=dict)

    @property
    def key(self) -> tuple[str, str]:
        """What tells a row from others of its result."""
        return self.set, self.id


def gold_texts(example: Example) -> tuple[str, ...]:
    """Return the distinct texts that count as right."""
    return tuple(dict.fromkeys(gold.text for gold in example.answers))


def expected(example: Example) -> Excerpt:
    """Return the first right answer with what stands around it."""
    if not example.answers:
        return Excerpt()
    gold = example.answers[0]
    return around(example.context, gold.start, gold.start + len(gold.text))


def around(text: str, start: int, end: int) -> Excerpt:
    """Return ``text[start:end]`` with some of what stands before and after it, cut at white space."""
    first, last = max(0, start - _AROUND), min(len(text), end + _AROUND)
    while first > 0 and first < start and not text[first - 1].isspace():
        first += 1
    while last < len(text) and last > end and not text[last].isspace():
        last -= 1
    return Excerpt(text[first:last], start - first, end - first)


def quoted(citation: Citation | None) -> Excerpt:
    """Return a citation's quote with the answer in it."""
    if citation is None:
        return Excerpt()
    at = citation.start
    return Excerpt(citation.quote, citation.answer_start - at, citation.answer_end - at)
