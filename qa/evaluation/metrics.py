"""Scores answers and rankings. Knows nothing of models or files: strings and ids in, fractions out.

Answers are scored as the official SQuAD 2.0 script scores them, so that figures compare with published
ones; rankings by ir-measures, for the same reason.
"""

from __future__ import annotations

import re
import string
from collections import Counter
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np

from index.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from collections.abc import Set as AbstractSet
    from types import ModuleType

_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLES = re.compile(r"\b(a|an|the)\b")


def normalize(text: str) -> str:
    """Lower-case ``text``, drop ASCII punctuation, then English articles, and join its words by one space.

    Exactly the official script's steps in its order: curly quotes and dashes stay, hyphenated words merge.
    """
    bare = text.lower().translate(_PUNCTUATION)
    return " ".join(_ARTICLES.sub(" ", bare).split())


def exact_match(prediction: str, golds: Sequence[str]) -> float:
    """Return 1.0 if ``prediction`` equals one of ``golds`` once both are normalised, else 0.0.

    An abstention is the empty prediction; it is right where there is no gold answer.
    """
    return float(normalize(prediction) in {normalize(gold) for gold in _accepted(golds)})


def f1(prediction: str, golds: Sequence[str]) -> float:
    """Return the best overlap in words between ``prediction`` and any of ``golds``, from 0.0 to 1.0.

    An abstention is the empty prediction; it scores 1.0 where there is no gold answer and 0.0 elsewhere.
    """
    return max(_overlap(normalize(prediction).split(), normalize(gold).split()) for gold in _accepted(golds))


def _accepted(golds: Sequence[str]) -> Sequence[str]:
    """Drop answers that normalise to nothing ("The"), which an abstention would match; keep one at least."""
    return [gold for gold in golds if normalize(gold)] or [""]


def _overlap(predicted: list[str], gold: list[str]) -> float:
    if not predicted or not gold:
        return float(predicted == gold)
    shared = (Counter(predicted) & Counter(gold)).total()
    # The harmonic mean of precision and recall, with both divisions carried out at once.
    return 2 * shared / (len(predicted) + len(gold))


def ranking(
    run: Mapping[str, Sequence[str]],
    relevant: Mapping[str, AbstractSet[str]],
    cutoffs: Sequence[int] = (1, 5, 10),
) -> dict[str, float]:
    """Score ranked passages by how early the first relevant one comes.

    Args:
        run: question id -> passage ids, best first.
        relevant: question id -> the passages that hold its answer. Every question here counts: one that is
            missing from ``run``, or has no relevant passage (chunking lost it), scores 0.
        cutoffs: the depths k.

    Returns:
        ``R@k`` for each k, the share of questions with a relevant passage among the first k (what
        ir-measures calls Success@k), and ``MRR@k`` for the largest k.

    Raises:
        SettingsError: there is nothing to score, a ranking names a passage twice, or ir-measures is missing.
    """
    if not relevant or not cutoffs or min(cutoffs) < 1:
        raise SettingsError("Ranking needs at least one question and cutoffs of at least 1")
    measures = _ir_measures()
    wanted = {f"R@{k}": measures.Success @ k for k in cutoffs}
    wanted[f"MRR@{max(cutoffs)}"] = measures.RR @ max(cutoffs)
    judgements = {question: dict.fromkeys(passages, 1) for question, passages in relevant.items()}
    scores = {question: _scores(question, run.get(question, ())) for question in relevant}
    found = measures.calc_aggregate(wanted.values(), judgements, scores)
    return {name: float(found[measure]) for name, measure in wanted.items()}


def _scores(question: str, passages: Sequence[str]) -> dict[str, float]:
    """Return scores that fall with the rank, never equal: ties are broken by id, against the ranking."""
    if len(set(passages)) != len(passages):
        raise SettingsError(
            f"The ranking for question {question!r} names a passage twice: keep the first of them"
        )
    return {passage: float(len(passages) - rank) for rank, passage in enumerate(passages)}


def _ir_measures() -> ModuleType:
    try:
        return import_module("ir_measures")
    except ImportError as error:
        raise SettingsError('Ranking metrics need ir-measures: pip install "verbatim-qa[test]"') from error


def bootstrap_interval(
    values: Sequence[float], groups: Sequence[str], seed: int = 0, rounds: int = 1000
) -> tuple[float, float]:
    """Return the 95 % interval of the mean of ``values``, resampling whole groups with replacement.

    Questions on one article stand or fall together, so to resample single questions would promise too
    narrow an interval. With one group there is nothing to resample: both ends are the mean.

    Args:
        values: one score a question.
        groups: the article of each question.
        seed: the same seed gives the same interval.
        rounds: how many resamples.

    Raises:
        SettingsError: there are no values, no rounds, or not one group a value.
    """
    if len(values) == 0 or len(values) != len(groups) or rounds < 1:
        raise SettingsError(
            f"A bootstrap needs values, one group for each, and a round: got {len(values)} values, "
            f"{len(groups)} groups, {rounds} rounds"
        )
    names, member = np.unique(np.asarray(groups), return_inverse=True)
    sums = np.bincount(member, weights=np.asarray(values, dtype=float))
    sizes = np.bincount(member)
    # How often each group is drawn is all that a round's mean depends on.
    drawn = np.random.default_rng(seed).multinomial(
        len(names), np.full(len(names), 1 / len(names)), size=rounds
    )
    low, high = np.percentile(drawn @ sums / (drawn @ sizes), [2.5, 97.5])
    return float(low), float(high)
