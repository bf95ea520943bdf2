"""The data that flows from a file to a search hit. Knows no file format, no model and no database.

All offsets everywhere are code points into ``Document.text``, half open: ``text[start:end]``.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from collections.abc import Sequence

Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Range:
    """Code points ``start`` to ``end`` (exclusive) of a document's canonical text."""

    start: int
    end: int

    def overlaps(self, other: Range) -> bool:
        """Whether the two share at least one code point."""
        return self.start < other.end and other.start < self.end

    def mostly_overlaps(self, other: Range) -> bool:
        """Whether the two share more than half of the shorter one."""
        shared = min(self.end, other.end) - max(self.start, other.start)
        return 2 * shared > min(self.end - self.start, other.end - other.start)


@dataclass(frozen=True, slots=True)
class Section:
    """A part of a document with a title of its own: an article, a chapter, a page of a site.

    ``title`` and ``date`` are what people read; ``title_at`` and ``date_at`` say where the text shows
    them, in the section or elsewhere in the document, and are ``None`` where the text does not.
    ``date`` is ISO 8601 (``YYYY-MM-DD``), or ``None`` for an undated section.
    """

    start: int
    end: int
    title: str
    date: str | None = None
    title_at: Range | None = None
    date_at: Range | None = None


def document_id(source: str) -> str:
    """Return the id of the document that a source (a path, or a name) holds: 12 hex digits, stable."""
    return hashlib.sha256(source.encode("utf-8", "surrogatepass")).hexdigest()[:12]


@dataclass(frozen=True, slots=True)
class Document:
    r"""One text with its parts.

    ``text`` is canonical: decoded, newlines as ``\n``, nothing else changed (formats that are not plain
    text are canonical as their loader extracted them). ``sections`` are in order and do not overlap.
    ``pages`` holds one range a page, in order, for formats that have pages. ``marked`` holds boilerplate,
    in order, not overlapping: neither encoded nor quoted, never deleted.
    """

    id: str
    source: str
    title: str
    text: str
    sections: tuple[Section, ...] = ()
    pages: tuple[Range, ...] = ()
    marked: tuple[Range, ...] = ()
    warnings: tuple[str, ...] = ()

    def page_at(self, offset: int) -> int | None:
        """Return the page, counted from 1, that holds ``offset``; ``None`` where there are no pages."""
        started = [number for number, page in enumerate(self.pages, 1) if page.start <= offset]
        return started[-1] if started else None

    def section_at(self, offset: int) -> Section | None:
        """Return the section that holds ``offset``; ``None`` where there is none."""
        return next((s for s in self.sections if s.start <= offset < s.end), None)


@dataclass(frozen=True, slots=True)
class DocumentInfo:
    """What a list of documents shows of one: never its text."""

    id: str
    sources: tuple[str, ...]
    title: str
    date: str | None
    characters: int
    passages: int
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of whole sentences that is encoded and found as one.

    ``text == document.text[start:end]``. ``heading`` is the section's title, given to the encoder as
    context and never quoted. ``id`` is positive once stored, 0 before.
    """

    id: int
    document_id: str
    start: int
    end: int
    text: str
    heading: str


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage found for a question.

    ``score`` is the fused score in [0, 1], comparable within one search only; ``dense`` is the cosine in
    [-1, 1]; ``lexical`` is BM25, at least 0, 0 where no word is shared. Both are computed for every hit.
    """

    passage: Passage
    score: float
    dense: float
    lexical: float


@dataclass(frozen=True, slots=True)
class TokenVectors:
    """The tokens of one text, each with its vector in context.

    ``vectors`` has shape ``(tokens, dimension)``, rows of unit length; ``starts`` and ``ends`` have shape
    ``(tokens,)`` and are code points into the text. Special tokens are left out.
    """

    vectors: Vectors
    starts: NDArray[np.int64]
    ends: NDArray[np.int64]


class Encoder(Protocol):
    """Turns texts into unit vectors. Safe to use from several threads: ingest counts while it encodes."""

    @property
    def identity(self) -> str:
        """What makes vectors comparable: a hash over weights, pooling, tokenizer and normalisation."""

    @property
    def dimension(self) -> int:
        """The length of a vector."""

    @property
    def max_tokens(self) -> int:
        """The most tokens a text may have before it would be cut, special tokens not counted."""

    def encode(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors of passages, shape ``(len(texts), dimension)``, in the order of ``texts``."""

    def encode_question(self, question: str) -> Vectors:
        """Return the unit vector of a question, shape ``(dimension,)``."""

    def encode_tokens(self, texts: Sequence[str]) -> list[TokenVectors]:
        """Return the vectors of the tokens of each text, as the text gives them their context."""

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Return how many tokens each text has, special tokens not counted, without any cut."""
