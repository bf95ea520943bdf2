"""Question and hits to readings: the sentence reader, which needs no training.

Passages are encoded once, token by token; each sentence is then compared with the question

- by its tokens: the mean over the question's tokens of the best cosine to a token of the sentence (late
  interaction, Khattab and Zaharia 2020, "ColBERT");
- as a whole: the cosine of the mean of its tokens, which carry the context of their passage (late chunking,
  Günther et al. 2024), with what all sentences have in common taken away;
- by the share of the question's words that it holds and that its passage holds, and by whether it holds what
  the question word asks for.

Knows nothing of confidence or citations.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

from index.search import STOP_WORDS, content_words
from index.sentences import sentences
from index.types import Encoder, Hit, Range, TokenVectors, Vectors
from qa.types import Reading, Span

# Fitted on which sentence holds the answer in three training sets, and rounded: docs/experiments.md.
WEIGHTS = {"match": 1.1, "context": 0.9, "overlap": 1.1, "around": 0.6, "kind": 0.35, "passage": 0.65}
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
_EXPANDED = re.compile(r"\b[A-Z][\w'’-]*(?: [\w'’-]+){1,9} \([A-Z][A-Za-z]*[A-Z]\)")
# What the question asks for, and what a sentence that answers it holds.
_KINDS = (
    (re.compile(r"\bstands? for\b|\babbreviat|\bacronym|\bmeans? [A-Z]{2,}|\b[A-Z]{2,} means?\b"), _EXPANDED),
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
    """What speaks for a span, each about 0 to 1: see the module's docstring and :data:`WEIGHTS`."""

    match: float
    context: float
    overlap: float
    around: float
    kind: float
    passage: float

    def score(self) -> float:
        """Return the weighted sum."""
        return float(sum(weight * getattr(self, name) for name, weight in WEIGHTS.items()))


class SentenceReader:
    """Ranks sentences. Implements :class:`qa.types.Reader`."""

    kind: Literal["sentences"] = "sentences"

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder

    def read(self, question: str, hits: Sequence[Hit]) -> list[Reading]:
        """Return one reading a hit, in the order of ``hits``; its spans are runs of 1 to 3 sentences."""
        windows = [_windows(hit.passage.text, title=hit.passage.heading) for hit in hits]
        if not any(windows):
            windows = [_windows(hit.passage.text) for hit in hits]
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
        [asked, *read] = self._encoder.encode_tokens([question, *(hit.passage.text for hit in hits)])
        places = [
            (hit, tokens, window)
            for hit, tokens, ranges in zip(hits, read, windows, strict=True)
            for window in ranges
        ]
        texts = [hit.passage.text[window.start : window.end] for hit, _, window in places]
        inside = [_inside(tokens, window) for _, tokens, window in places]
        contexts = _contexts(inside, self._encoder.encode_question(question))
        overlaps, around = _overlaps(question, texts, [hit.passage.text for hit, _, _ in places])
        weights = _token_weights(question, asked)
        kind = _kind(question)
        return [
            Features(
                match=_match(asked.vectors @ inside[row].T, weights),
                context=contexts[row],
                overlap=overlaps[row],
                around=around[row],
                kind=float(kind is not None and kind.search(texts[row]) is not None),
                passage=hit.score,
            )
            for row, (hit, _, _) in enumerate(places)
        ]


def _inside(tokens: TokenVectors, window: Range) -> Vectors:
    vectors: Vectors = tokens.vectors[(tokens.starts >= window.start) & (tokens.ends <= window.end)]
    return vectors


def _token_weights(question: str, asked: TokenVectors) -> Vectors:
    """Return what each token of the question counts, summing to 1: content words about twice the others."""
    content = set(content_words(question))
    words = [question[start:end].lower() for start, end in zip(asked.starts, asked.ends, strict=True)]
    # A token that is part of a word, as rare words are cut, is content as well.
    carries = np.array([word in content or word not in STOP_WORDS for word in words], dtype=np.float32)
    weights: Vectors = 1.0 / max(len(words), 1) + carries / max(carries.sum(), 1.0)
    return weights / weights.sum() if words else weights


def _match(cosines: Vectors, weights: Vectors) -> float:
    return float(cosines.max(axis=1) @ weights) if cosines.size else 0.0


def _contexts(windows: Sequence[Vectors], question: Vectors) -> list[float]:
    """Return the cosine of each window's mean vector to the question's, both less the mean of all windows."""
    means = np.array([window.mean(axis=0) if len(window) else np.zeros_like(question) for window in windows])
    if not len(means):
        return []
    common = means.mean(axis=0)
    products = _unit(means - common) @ _unit(question - common)
    return [float(product) for product in products]


def _unit(vectors: Vectors) -> Vectors:
    unit: Vectors = vectors / np.maximum(np.linalg.norm(vectors, axis=-1, keepdims=True), 1e-9)
    return unit


def _windows(text: str, title: str = "") -> list[Range]:
    """Return the runs of sentences worth quoting: each sentence, with those before that it leans on.

    ``title`` is left out: it names what its article is about, and seldom answers.
    """
    words = title.split()
    found = [one for one in sentences(text) if text[one.start : one.end].split() != words]
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
    return [_stem(word) for word in content_words(text)]


@lru_cache(maxsize=50_000)
def _stem(word: str) -> str:
    import snowballstemmer  # noqa: PLC0415 - imports a module a language, and most questions need none

    # A stemmer of its own for every call: one is not safe to share between threads, and making one is cheap.
    return str(snowballstemmer.stemmer("porter").stemWord(word))


def _overlaps(
    question: str, texts: Sequence[str], passages: Sequence[str]
) -> tuple[list[float], list[float]]:
    """Return the share of the question's words in each text, and in its passage; rare words count more."""
    asked = frozenset(stems(question))
    held = [asked.intersection(stems(text)) for text in texts]
    held_around = {passage: asked.intersection(stems(passage)) for passage in set(passages)}
    frequency = Counter(word for words in held for word in words)
    weights = {word: math.log(1.0 + len(texts) / (1.0 + frequency[word])) for word in asked}
    total = sum(weights.values()) or 1.0
    return (
        [sum(weights[word] for word in words) / total for words in held],
        [sum(weights[word] for word in held_around[passage]) / total for passage in passages],
    )
