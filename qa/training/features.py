"""A question with a text, and where people found its answer, to what a model is trained on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from tokenizers import Tokenizer

from index.sentences import sentences
from qa.evaluation.squad import Example, Gold
from qa.windows import Window, windows

MAX_TOKENS = 320
STRIDE = 128
NULL = ((0, 1.0),)


@dataclass(frozen=True, slots=True)
class Item:
    """A question, the text to read for it, and its answers there: none where the text does not answer."""

    question: str
    text: str
    answers: tuple[Gold, ...]


@dataclass(frozen=True, slots=True)
class Feature:
    """A window with its targets: pairs of a token's place and its share of the votes, summing to 1.

    Both are ``((0, 1.0),)``, the first token, where the window does not hold the answer.
    """

    window: Window
    start: tuple[tuple[int, float], ...]
    end: tuple[tuple[int, float], ...]


def feature(tokenizer: Tokenizer, item: Item, rng: np.random.Generator) -> Feature | None:
    """Return one window of ``item``: at random one that holds an answer, or any where there is none.

    What several people answered counts by their votes. ``None`` where no window holds an answer whole.
    """
    found = windows(tokenizer, item.question, item.text, MAX_TOKENS, STRIDE)
    if not item.answers:
        return Feature(found[int(rng.integers(len(found)))], NULL, NULL) if found else None
    targets = [(window, _places(window, item.answers)) for window in found]
    holding = [(window, places) for window, places in targets if places]
    if not holding:
        return None
    window, places = holding[int(rng.integers(len(holding)))]
    return Feature(window, _votes([start for start, _ in places]), _votes([end for _, end in places]))


def _places(window: Window, answers: Sequence[Gold]) -> list[tuple[int, int]]:
    places = []
    for answer in answers:
        stop = answer.start + len(answer.text)
        inside = np.flatnonzero((window.starts >= 0) & (window.ends > answer.start) & (window.starts < stop))
        whole = len(inside) and window.starts[inside[0]] <= answer.start and window.ends[inside[-1]] >= stop
        if whole:
            places.append((int(inside[0]), int(inside[-1])))
    return places


def _votes(places: Sequence[int]) -> tuple[tuple[int, float], ...]:
    return tuple((place, count / len(places)) for place, count in Counter(places).items())


def whole(example: Example) -> Item:
    """Return ``example`` with its whole paragraph."""
    return Item(example.question, example.context, example.answers)


def crop(example: Example, characters: int, rng: np.random.Generator) -> Item:
    """Return ``example`` with a run of sentences of about ``characters``, as passages of an index are.

    The run holds one of the answers, drawn at random; answers outside of it are dropped.
    """
    found = _sentences(example.context)
    answer = example.answers[int(rng.integers(len(example.answers)))]
    stop = answer.start + len(answer.text)
    held = [place for place, (start, end) in enumerate(found) if start < stop and answer.start < end]
    if not held:
        return whole(example)
    first, last = held[0], held[-1]
    while True:
        grown = []
        if first > 0 and found[last][1] - found[first - 1][0] <= characters:
            grown.append((first - 1, last))
        if last + 1 < len(found) and found[last + 1][1] - found[first][0] <= characters:
            grown.append((first, last + 1))
        if not grown:
            break
        first, last = grown[int(rng.integers(len(grown)))]
    start, end = min(found[first][0], answer.start), max(found[last][1], stop)
    inside = tuple(
        Gold(one.text, one.start - start)
        for one in example.answers
        if start <= one.start and one.start + len(one.text) <= end
    )
    return Item(example.question, example.context[start:end], inside)


@lru_cache(maxsize=20_000)
def _sentences(text: str) -> tuple[tuple[int, int], ...]:
    return tuple((one.start, one.end) for one in sentences(text))
