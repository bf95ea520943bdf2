"""Question and hits to readings: the sentence reader, which needs no training.

It ranks the sentences of the passages found, and neighbours that only make sense together, by the cosine
of their vectors to the question, by the share of the question's words they hold, by whether they hold what
the question word asks for, and by the score of their passage. Knows nothing of confidence or citations.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import snowballstemmer

from index.search import content_words
from index.sentences import sentences
from index.types import Encoder, Hit, Range, Vectors
from qa.types import Reading, Span

# Chosen by: python -m qa.evaluation tune-sentences (docs/experiments.md has the figures).
WEIGHTS = {"cosine": 1.0, "overlap": 1.0, "kind": 0.45, "passage": 1.5}
_MAX_SENTENCES = 3
_MAX_CHARACTERS = 400
# Sentences that open like this mean something only after the one before.
_LEANS_ON_PREVIOUS = re.compile(
    r"(?:[“\"'‘(]\s*)?(?:he|she|it|they|his|her|its|their|this|that|these|those|such|there|both|"
    r"the (?:latter|former|same))\b",
    re.IGNORECASE,
)
_YEAR_OR_DATE = re.compile(
    r"\b(?:1\d{3}|20\d{2}|\d{1,2}[./]\d{1,2}[./]\d{2,4}|\d{1,2}(?:st|nd|rd|th)?\s+century|"
    r"(?:january|february|march|april|may|june|july|august|september|october|november|december|"
    r"monday|tuesday|wednesday|thursday|friday|saturday|sunday)\b)",
    re.IGNORECASE,
)
_NUMBER = re.compile(
    r"\d|\b(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|dozens?|hundreds?|thousands?|"
    r"millions?|billions?|half|once|twice|several|annually|daily|weekly|monthly|every)\b",
    re.IGNORECASE,
)
_NAME = re.compile(r"(?<=[\w,;:(“\"] )[A-Z][\w'’-]+|\b[A-Z][\w'’-]+ (?:[A-Z]\.? )*[A-Z][\w'’-]+")
_REASON = re.compile(
    r"\b(?:because|since|due to|so that|in order to|as a result|therefore|owing to|for the)\b", re.IGNORECASE
)
# What the question asks for, and what a sentence that answers it holds.
_KINDS = (
    (
        re.compile(r"\bwhen\b|\b(?:what|which) (?:year|date|day|month|century|decade)\b", re.IGNORECASE),
        _YEAR_OR_DATE,
    ),
    (re.compile(r"\bhow (?:many|much|often|long|old|far|tall|large|big|high)\b", re.IGNORECASE), _NUMBER),
    (
        re.compile(
            r"\bwho(?:m|se)?\b|\bwhere\b|\b(?:what|which) (?:city|country|place|person|company)\b",
            re.IGNORECASE,
        ),
        _NAME,
    ),
    (re.compile(r"\bwhy\b", re.IGNORECASE), _REASON),
)


@dataclass(frozen=True, slots=True)
class Features:
    """What speaks for a span, each about 0 to 1: see :data:`WEIGHTS`."""

    cosine: float
    overlap: float
    kind: float
    passage: float

    def score(self) -> float:
        """Return the weighted sum."""
        return float(sum(weight * getattr(self, name) for name, weight in WEIGHTS.items()))


class SentenceReader:
    """Ranks sentences. Implements :class:`qa.types.Reader`."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder

    def read(self, question: str, hits: Sequence[Hit]) -> list[Reading]:
        """Return one reading a hit, in the order of ``hits``; its spans are runs of 1 to 3 sentences."""
        windows = [_windows(hit) for hit in hits]
        scored = iter(self.features(question, hits, windows))
        readings = []
        for hit, ranges in zip(hits, windows, strict=True):
            spans = [_span(hit, window, next(scored).score()) for window in ranges]
            spans.sort(key=lambda span: -span.score)
            readings.append(Reading(hit.passage.id, tuple(spans), null_score=0.0))
        return readings

    def features(
        self, question: str, hits: Sequence[Hit], windows: Sequence[Sequence[Range]]
    ) -> list[Features]:
        """Return the features of all windows (offsets within each hit's passage), passage after passage."""
        texts = [
            hit.passage.text[window.start : window.end]
            for hit, ranges in zip(hits, windows, strict=True)
            for window in ranges
        ]
        passages = [hit for hit, ranges in zip(hits, windows, strict=True) for _ in ranges]
        cosines = self._cosines(question, texts)
        overlaps = _overlaps(question, texts)
        kind = _kind(question)
        return [
            Features(
                cosine=cosine,
                overlap=overlap,
                kind=float(kind is not None and kind.search(text) is not None),
                passage=hit.score,
            )
            for text, hit, cosine, overlap in zip(texts, passages, cosines, overlaps, strict=True)
        ]

    def _cosines(self, question: str, texts: Sequence[str]) -> list[float]:
        distinct = list(dict.fromkeys(texts))
        vectors: Vectors = self._encoder.encode(distinct)
        products = np.asarray(vectors @ self._encoder.encode_question(question))
        by_text = dict(zip(distinct, products.tolist(), strict=True))
        return [by_text[text] for text in texts]


def _windows(hit: Hit) -> list[Range]:
    """Return the runs of sentences worth quoting: each sentence, with those before that it leans on."""
    text = hit.passage.text
    found = sentences(text)
    windows = []
    for position, sentence in enumerate(found):
        first = position
        while (
            first > 0
            and position - first < _MAX_SENTENCES - 1
            and _LEANS_ON_PREVIOUS.match(text, found[first].start)
            and sentence.end - found[first - 1].start <= _MAX_CHARACTERS
        ):
            first -= 1
        windows.append(Range(found[first].start, sentence.end))
    return windows


def _span(hit: Hit, window: Range, score: float) -> Span:
    start, end = hit.passage.start + window.start, hit.passage.start + window.end
    return Span(start, end, hit.passage.text[window.start : window.end], score)


def _kind(question: str) -> re.Pattern[str] | None:
    return next((answer for asked, answer in _KINDS if asked.search(question)), None)


def stems(text: str) -> list[str]:
    """Return the stems of the content words of ``text``."""
    return list(_STEMMER.stemWords(content_words(text)))


_STEMMER = snowballstemmer.stemmer("porter")


def _overlaps(question: str, texts: Sequence[str]) -> list[float]:
    """Return for each text the share of the question's words it holds, rare words counting more."""
    asked = set(stems(question))
    held = [asked & set(stems(text)) for text in texts]
    frequency = Counter(word for words in held for word in words)
    weights = {word: math.log(1.0 + len(texts) / (1.0 + frequency[word])) for word in asked}
    total = sum(weights.values())
    return [sum(weights[word] for word in words) / total if total else 0.0 for words in held]
