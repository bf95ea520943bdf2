"""Question and hits to readings: spans found by a model that was trained to find them.

Knows windows, logits and passages; knows nothing of confidence or citations.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from index.sentences import sentences
from index.types import Encoder, Hit, Passage, Range
from qa.sentence_reader import SentenceReader
from qa.span_models import SpanModel, SpanScores, load_span_model
from qa.types import Reader, Reading, Span
from qa.windows import Decoded, Window, decode, null_score, windows

SENTENCES = "sentences"
# The reader was trained on windows of this length; a passage of an index needs only one.
_WINDOW_TOKENS = 320
_STRIDE = 128
# Spans decoded a window: most of them overlap the best.
_DECODED = 20
_SPANS = 3
# Of the sentences that a span runs through: what a quote may have.
_MOST_SENTENCES = 3
_MOST_CHARACTERS = 400
_BLANK_LINE = re.compile(r"\n[^\S\n]*\n")


def load_reader(name: str | Path | None, encoder: Encoder | None) -> Reader:
    """Return a reader.

    Args:
        name: ``"sentences"`` for the reader that ranks sentences and needs no training, else a folder with
            a Hugging Face question answering model, or its name on the hub; ``None`` for the one that
            comes with Verbatim.
        encoder: what the sentence reader compares with; no other reader needs one.

    Raises:
        ModelError: the model is not there, or cannot be run.
    """
    if name != SENTENCES:
        return SpanReader(load_span_model(name))
    if encoder is None:
        raise TypeError("the sentence reader needs an encoder")
    return SentenceReader(encoder)


class SpanReader:
    """Finds spans with a question answering model. Implements :class:`qa.types.Reader`."""

    kind: Literal["spans"] = "spans"

    def __init__(self, model: SpanModel) -> None:
        self._model = model
        self.tokenizer = model.tokenizer

    def read(self, question: str, hits: Sequence[Hit]) -> list[Reading]:
        """Return one reading a hit, in the order of ``hits``, each with at most 3 spans that do not overlap.

        A span's score is the sum of its start and end logits, which passages of one question share: they
        can be compared. A passage's ``null_score`` is the lowest of its windows', as in SQuAD 2.0; one
        without tokens has no spans, and 0. Titles are passed over where anything else was found: they say
        what an article is about, and seldom answer.
        """
        pieces = [
            (place, window)
            for place, hit in enumerate(hits)
            for window in windows(
                self._model.tokenizer,
                question,
                hit.passage.text,
                min(_WINDOW_TOKENS, self._model.max_tokens),
                _STRIDE,
            )
        ]
        scored = list(zip(pieces, self._model.logits([window for _, window in pieces]), strict=True))
        parts = [
            [(window, logits) for (at, window), logits in scored if at == place] for place in range(len(hits))
        ]
        bodies = [_body(hit.passage) for hit in hits]
        readings = [_reading(*one) for one in zip(hits, parts, bodies, strict=True)]
        if any(reading.spans for reading in readings):
            return readings
        return [_reading(hit, part, 0) for hit, part in zip(hits, parts, strict=True)]


def _body(passage: Passage) -> int:
    """Return where a passage goes on after the title that it begins with; 0 where it begins otherwise."""
    title = r"\s+".join(map(re.escape, passage.heading.split()))
    match = re.match(rf"\s*{title}(?!\w)", passage.text) if title else None
    return match.end() if match else 0


def _reading(hit: Hit, scored: Sequence[tuple[Window, SpanScores]], body: int) -> Reading:
    """Return the spans from ``body`` on that say something and can be quoted."""
    text = hit.passage.text
    decoded = [
        _whole(text, span) for window, (start, end) in scored for span in decode(window, start, end, _DECODED)
    ]
    found = sentences(text)
    answers = [
        one
        for one in decoded
        if one.start >= body and _could_answer(text[one.start : one.end]) and _is_quotable(one, found)
    ]
    spans = [_span(hit, one) for one in _apart(sorted(answers, key=lambda one: -one.score))]
    nulls = [null_score(start, end) for _, (start, end) in scored]
    return Reading(hit.passage.id, tuple(spans), min(nulls, default=0.0))


def _is_quotable(span: Decoded, found: Sequence[Range]) -> bool:
    """Whether a quote can hold ``span``: it lies in one sentence, or in a few that are not too long."""
    touched = [one for one in found if one.start < span.end and span.start < one.end]
    characters = touched[-1].end - touched[0].start if touched else 0
    return len(touched) == 1 or (len(touched) <= _MOST_SENTENCES and characters <= _MOST_CHARACTERS)


def _could_answer(text: str) -> bool:
    """Whether ``text`` says something, and stays within its paragraph."""
    return any(map(str.isalnum, text)) and not _BLANK_LINE.search(text)


def _apart(decoded: Iterable[Decoded]) -> list[Decoded]:
    """Keep the best spans that do not overlap a better one."""
    kept: list[Decoded] = []
    for one in decoded:
        if len(kept) == _SPANS:
            break
        if all(one.end <= other.start or other.end <= one.start for other in kept):
            kept.append(one)
    return kept


def _whole(text: str, found: Decoded) -> Decoded:
    """Leave out outer white space, which some tokenizers count as part of a word; keep accents on letters.

    Tokenizers that strip accents leave a combining mark out of the token of its letter; those that work on
    bytes give it tokens of its own.
    """
    start, end = found.start, found.end
    while end < len(text) and _is_mark(text[end]):
        end += 1
    while start > 0 and _is_mark(text[start]):
        start -= 1
    cut = text[start:end]
    start += len(cut) - len(cut.lstrip())
    return Decoded(start, start + len(cut.strip()), found.score)


def _is_mark(character: str) -> bool:
    return unicodedata.category(character).startswith("M")


def _span(hit: Hit, found: Decoded) -> Span:
    at = hit.passage.start
    return Span(at + found.start, at + found.end, hit.passage.text[found.start : found.end], found.score)
