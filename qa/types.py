"""The data that flows from a question to an answer. Every text an answer shows is cut from a document.

Offsets are code points into ``Document.text``, half open, as in :mod:`index.types`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from index.types import Hit

Kind = Literal["sentences", "spans"]
Status = Literal["answered", "no_index", "off_topic", "not_found", "filtered", "language", "removed"]
Role = Literal["user", "assistant"]

REASONS: dict[Status, str] = {
    "answered": "",
    "no_index": "Nothing is indexed yet. Add documents with: qa index PATH",
    "off_topic": "Not in these documents: they do not seem to be about this.",
    "not_found": "Not in these documents: they come near, but no passage answers this clearly enough.",
    "filtered": "None of the chosen documents is in the index. Choose others, or ask all of them.",
    "language": "The question is in a script that the encoder cannot read. Ask in English, "
    "or use a multilingual encoder.",
    "removed": "This was answered from a document that has been removed since.",
}


@dataclass(frozen=True, slots=True)
class Span:
    """A possible answer: ``text == document.text[start:end]``; ``score`` compares spans of one question."""

    start: int
    end: int
    text: str
    score: float


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader found in one passage, best span first; ``null_score`` is its score for "no answer"."""

    passage_id: int
    spans: tuple[Span, ...]
    null_score: float


class Reader(Protocol):
    """Finds answer spans in passages. ``kind`` says how its scores are to be understood."""

    @property
    def kind(self) -> Kind:
        """What its spans are, and so how its scores become probabilities."""

    def read(self, question: str, hits: Sequence[Hit]) -> list[Reading]:
        """Return one reading a hit, in the order of ``hits``."""


@dataclass(frozen=True, slots=True)
class Citation:
    """Where an answer stands: ``quote == document.text[start:end]``.

    The answer is ``document.text[answer_start:answer_end]`` and lies within the quote. ``number`` counts
    the citations of one answer from 1. ``page`` counts from 1 and is ``None`` for formats without pages;
    ``date`` is ISO 8601, or ``None`` where the document shows none.
    """

    number: int
    document_id: str
    title: str
    date: str | None
    source: str
    page: int | None
    start: int
    end: int
    quote: str
    answer_start: int
    answer_end: int


@dataclass(frozen=True, slots=True)
class Candidate:
    """One distinct answer with all that supports it; ``confidence`` in [0, 1] is the chance it is right."""

    text: str
    confidence: float
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class Trace:
    """The scores of one passage that was read: those of search, and those of the reader.

    ``text == document.text[start:end]``. ``score`` fuses ``dense`` (a cosine) and ``lexical`` (BM25);
    ``spans`` and ``null_score`` are as in :class:`Reading`.
    """

    document_id: str
    start: int
    end: int
    text: str
    score: float
    dense: float
    lexical: float
    null_score: float
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Answer:
    """The outcome of one question. An abstention is an answer too: its ``status`` says why.

    ``question`` is what a person wrote, ``asked`` the question that was searched for: the two differ where a
    follow-up was resolved. ``candidates`` come best first and are empty unless ``status`` is ``"answered"``;
    ``"removed"`` is a status of stored answers only. ``near_misses`` are the nearest passages where
    nothing was answered. ``trace``, on request, holds the passages that were read, as search ranked them.
    ``chosen`` is how many documents were asked where only some were to be; ``None`` where all were.
    """

    question: str
    asked: str
    status: Status
    candidates: tuple[Candidate, ...] = ()
    near_misses: tuple[Citation, ...] = ()
    trace: tuple[Trace, ...] = ()
    chosen: int | None = None

    @property
    def text(self) -> str | None:
        """The first candidate's text, or ``None``."""
        return self.candidates[0].text if self.candidates else None

    @property
    def confidence(self) -> float:
        """The first candidate's confidence, or 0.0."""
        return self.candidates[0].confidence if self.candidates else 0.0

    @property
    def citations(self) -> tuple[Citation, ...]:
        """The first candidate's citations, or none."""
        return self.candidates[0].citations if self.candidates else ()

    @property
    def reason(self) -> str:
        """Why there is no answer, as a sentence; empty where there is one."""
        return REASONS[self.status]


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a conversation; ``answer`` is what an assistant's turn shows, a person's has none."""

    role: Role
    text: str
    answer: Answer | None = None

    @classmethod
    def of(cls, answer: Answer) -> Turn:
        """Return the assistant's turn that gives an answer: its text is the answer's, or the reason."""
        return cls("assistant", answer.text or answer.reason, answer)
