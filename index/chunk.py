"""Cuts a document into passages: whole sentences, about 128 tokens, exact offsets.

Knows sentences and a way to count tokens; knows no model and no store.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from index.sentences import sentences
from index.types import Document, Passage, Range

# Raise when the same document would be cut differently.
RECIPE = 1
# all-MiniLM-L6-v2 was trained on texts of up to 128 tokens. docs/experiments.md has the comparison.
PASSAGE_TOKENS = 128
# A sentence up to this share of a passage is repeated at the start of the next one.
_OVERLAP_SHARE = 0.25
_HEADING_CHARACTERS = 160
# A single "word" longer than this (encoded data, mostly) is cut; tokenizers see it as one unknown token.
_LONGEST_WORD = 400
_WORD = re.compile(rf"\S{{1,{_LONGEST_WORD}}}\s*")

TokenCounter = Callable[[Sequence[str]], list[int]]


@dataclass(frozen=True, slots=True)
class _Piece:
    """A sentence, or a part of one that is too long, with its length in tokens."""

    start: int
    end: int
    tokens: int


def chunk(document: Document, count_tokens: TokenCounter, max_tokens: int) -> list[Passage]:
    """Return the passages of ``document`` in order; together they cover all text that is not marked.

    Passages never cross marked text or the border of a section. Neighbours overlap by one sentence where
    it is short. With its heading a passage has at most ``max_tokens`` tokens, so no encoder cuts it.
    ``id`` is 0 in each: the store gives them theirs.
    """
    passages: list[Passage] = []
    for heading, regions in _sections(document):
        shown, room = _fit_heading(heading, count_tokens, max_tokens)
        size = min(PASSAGE_TOKENS, room)
        for region in regions:
            for packed in _pack(_pieces(document.text, region, count_tokens, size), size):
                for start, end in _fit(document.text, *packed, count_tokens, size):
                    text = document.text[start:end]
                    passages.append(Passage(0, document.id, start, end, text, shown))
    return passages


def encoder_text(passage: Passage) -> str:
    """Return what the encoder sees of a passage: its text after the title of its section."""
    return f"{passage.heading}\n{passage.text}" if passage.heading else passage.text


def _fit_heading(heading: str, count_tokens: TokenCounter, max_tokens: int) -> tuple[str, int]:
    """Return what of ``heading`` takes at most half of the tokens, and how many tokens are left."""
    while heading:
        tokens = count_tokens([heading + "\n"])[0]
        if tokens <= max_tokens // 2:
            return heading, max_tokens - tokens
        heading = heading[: len(heading) * (max_tokens // 2) // tokens].rstrip()
    return "", max_tokens


def _sections(document: Document) -> list[tuple[str, list[Range]]]:
    """Return each section's heading and the stretches of it that are not marked."""
    if not document.sections:
        return [("", _unmarked(document, Range(0, len(document.text))))]
    parts: list[tuple[str, list[Range]]] = []
    position = 0
    for section in document.sections:
        if position < section.start:
            parts.append(("", _unmarked(document, Range(position, section.start))))
        # A title that the text does not show (a file name, mostly) says nothing about the content.
        heading = section.title[:_HEADING_CHARACTERS] if section.title_at else ""
        parts.append((heading, _unmarked(document, Range(section.start, section.end))))
        position = section.end
    if position < len(document.text):
        parts.append(("", _unmarked(document, Range(position, len(document.text)))))
    return parts


def _unmarked(document: Document, part: Range) -> list[Range]:
    regions: list[Range] = []
    position = part.start
    for mark in document.marked:
        if mark.overlaps(part):
            if position < mark.start:
                regions.append(Range(position, mark.start))
            position = max(position, mark.end)
    if position < part.end:
        regions.append(Range(position, part.end))
    return regions


def _pieces(text: str, region: Range, count_tokens: TokenCounter, size: int) -> list[_Piece]:
    found = sentences(text, region.start, region.end)
    counts = count_tokens([text[sentence.start : sentence.end] for sentence in found])
    pieces: list[_Piece] = []
    for sentence, tokens in zip(found, counts, strict=True):
        if tokens <= size and sentence.end - sentence.start <= _LONGEST_WORD * size:
            pieces.append(_Piece(sentence.start, sentence.end, tokens))
        else:
            pieces += _split_long(text, sentence, count_tokens, size)
    return pieces


def _split_long(text: str, sentence: Range, count_tokens: TokenCounter, size: int) -> list[_Piece]:
    """Cut one sentence between words into pieces of at most ``size`` tokens."""
    words = [Range(*match.span()) for match in _WORD.finditer(text, sentence.start, sentence.end)]
    counts = count_tokens([text[word.start : word.end] for word in words])
    pieces: list[_Piece] = []
    start, tokens, end = words[0].start, 0, words[0].start
    for word, count in zip(words, counts, strict=True):
        if tokens and tokens + count > size:
            pieces.append(_Piece(start, end, tokens))
            start, tokens = word.start, 0
        tokens += count
        end = word.start + len(text[word.start : word.end].rstrip())
    pieces.append(_Piece(start, end, tokens))
    return pieces


def _fit(text: str, start: int, end: int, count_tokens: TokenCounter, size: int) -> Iterator[tuple[int, int]]:
    """Yield a stretch in parts of at most ``size`` tokens: a word alone, or Chinese text, may have more."""
    if end - start == 1 or count_tokens([text[start:end]])[0] <= size:
        yield start, end
        return
    middle = (start + end) // 2
    cut = text.rfind(" ", start, middle) + 1 or middle
    yield from _fit(text, start, start + len(text[start:cut].rstrip()), count_tokens, size)
    yield from _fit(text, end - len(text[cut:end].lstrip()), end, count_tokens, size)


def _pack(pieces: list[_Piece], size: int) -> list[tuple[int, int]]:
    """Fill passages with pieces, each passage starting with the last piece of the one before if short."""
    packed: list[tuple[int, int]] = []
    current: list[_Piece] = []
    for piece in pieces:
        if current and sum(p.tokens for p in current) + piece.tokens > size:
            packed.append((current[0].start, current[-1].end))
            last = current[-1]
            overlap = last.tokens <= _OVERLAP_SHARE * size and last.tokens + piece.tokens <= size
            current = [last] if overlap and len(current) > 1 else []
        current.append(piece)
    if current:
        packed.append((current[0].start, current[-1].end))
    return packed
