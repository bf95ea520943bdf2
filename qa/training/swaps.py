"""Questions that look answerable and are not: a name, a number or a word of a real one is exchanged.

After the kinds of unanswerable questions that people wrote for SQuAD 2.0 (Rajpurkar et al. 2018): another
name or number, the opposite, a negation; made by rule as by Gautam et al. (2023, arXiv 2310.19403). A few
still have an answer: as noise goes, that is little.
"""

from __future__ import annotations

import re

import numpy as np

from index.sentences import sentences
from qa.evaluation.squad import Example
from qa.training.features import Item

# Within a sentence: a capital at its beginning says nothing.
_NAME = re.compile(r"(?<=[a-z,] )[A-Z][\w-]+(?: (?:(?:of|the|de|von) )?[A-Z][\w-]+)*")
_NUMBER = re.compile(r"\b\d[\d,.]*\d\b|\b\d\b")
_YEAR_DIGITS = 4
_OPPOSITES = (
    "first last",
    "largest smallest",
    "biggest smallest",
    "highest lowest",
    "most least",
    "more fewer",
    "longest shortest",
    "oldest newest",
    "earliest latest",
    "best worst",
    "before after",
    "north south",
    "northern southern",
    "east west",
    "eastern western",
    "begin end",
    "began ended",
    "start stop",
    "started stopped",
    "opened closed",
    "increase decrease",
    "increased decreased",
    "gain lose",
    "won lost",
    "win lose",
    "joined left",
    "arrive leave",
    "entered left",
    "built destroyed",
    "support oppose",
    "supported opposed",
    "allow forbid",
    "allowed forbidden",
    "love hate",
    "buy sell",
    "bought sold",
    "public private",
    "positive negative",
    "major minor",
    "male female",
    "men women",
    "father mother",
    "son daughter",
    "husband wife",
    "brother sister",
    "old new",
    "early late",
    "inside outside",
    "advantage disadvantage",
    "similar different",
    "possible impossible",
    "rich poor",
    "strong weak",
    "upper lower",
)
_OPPOSITE = {word: other for pair in map(str.split, _OPPOSITES) for word, other in (pair, reversed(pair))}
_OPPOSABLE = re.compile(rf"\b(?:{'|'.join(_OPPOSITE)})\b")
_AUXILIARY = re.compile(r"\b(?:did|does|do|is|are|was|were|could|has|have|would|should)\b(?!n't| not\b)")
_NEGATED = re.compile(r"\b(?:not|never|no)\b|n['’]t\b", re.IGNORECASE)
# A reader shall not take every "not" for a trap.
_DENIED = 0.04


def swap(example: Example, elsewhere: str, rng: np.random.Generator) -> Item | None:
    """Return a question to ``example``'s own text that it does not answer, or ``None`` if none can be made.

    ``elsewhere`` is another text, that names are taken from as well as from the example's own.
    """
    if rng.random() < _DENIED:
        question = _denied(example.question)
    elif rng.random() < 0.5:
        question = _renamed(example, elsewhere, rng) or _opposed(example.question, rng)
    else:
        question = _opposed(example.question, rng) or _renamed(example, elsewhere, rng)
    return None if question is None else Item(question, example.context, ())


def _renamed(example: Example, elsewhere: str, rng: np.random.Generator) -> str | None:
    """Exchange a name or a number that the text has for another of the kind."""
    question, text = example.question, example.context
    named = [one for one in _names(question) if one.group() in text]
    for place in rng.permutation(len(named)):
        found = named[place]
        others = _strangers(example, found.group(), elsewhere if rng.random() < 0.5 else text)
        if others:
            return (
                question[: found.start()] + others[int(rng.integers(len(others)))] + question[found.end() :]
            )
    return None


def _strangers(example: Example, name: str, source: str) -> list[str]:
    """Return names of the kind of ``name`` in ``source``, none from a sentence that answers the question."""
    text = example.context
    answering = [
        text[one.start : one.end]
        for one in sentences(text)
        if any(one.start <= gold.start < one.end for gold in example.answers)
    ]
    known = " ".join([example.question, *answering])
    return sorted(
        {other for one in _names(source) if _kind(other := one.group()) == _kind(name) and other not in known}
    )


def _names(text: str) -> list[re.Match[str]]:
    return [*_NAME.finditer(text), *_NUMBER.finditer(text)]


def _kind(name: str) -> str:
    if name[0].isdigit():
        return "year" if name.isdigit() and len(name) == _YEAR_DIGITS else "number"
    return "names" if " " in name else "name"


def _opposed(question: str, rng: np.random.Generator) -> str | None:
    found = list(_OPPOSABLE.finditer(question))
    if not found:
        return None
    one = found[int(rng.integers(len(found)))]
    return question[: one.start()] + _OPPOSITE[one.group()] + question[one.end() :]


def _denied(question: str) -> str | None:
    if _NEGATED.search(question):
        return None
    if found := _AUXILIARY.search(question):
        return f"{question[: found.end()]}n't{question[found.end() :]}"
    if question[:4] in ("Who ", "who "):
        return f"{question[:3]} never {question[4:]}"
    return None
