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
RIGHT = 0.5
_ROUNDING = 1e-9


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
    if not shared:
        return 0.0
    # In the official script's steps, so that even the last bit is the same.
    precision = shared / len(predicted)
    recall = shared / len(gold)
    return 2 * precision * recall / (precision + recall)


def is_right(score: float) -> bool:
    """Return whether an answer with this F1 counts as right: from 0.5 on, rounding aside."""
    return score >= RIGHT - _ROUNDING


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
        ``Success@k`` for each k, the share of questions with a relevant passage among the first k, and
        ``MRR@k`` for the largest k.

    Raises:
        SettingsError: there is nothing to score, a ranking names a passage twice, or ir-measures is missing.
    """
    if not relevant or not cutoffs or min(cutoffs) < 1:
        raise SettingsError("Ranking needs at least one question and cutoffs of at least 1")
    names = [*(f"Success@{k}" for k in cutoffs), f"MRR@{max(cutoffs)}"]
    judgements = {question: dict.fromkeys(passages, 1) for question, passages in relevant.items()}
    scores = rank_scores(run, judgements, names).values()
    return {name: float(np.mean([one[name] for one in scores])) for name in names}


def rank_scores(
    run: Mapping[str, Sequence[str]],
    judgements: Mapping[str, Mapping[str, int]],
    names: Sequence[str],
) -> dict[str, dict[str, float]]:
    """Score the ranking for each question that was judged, by ir-measures.

    Args:
        run: question id -> ids of passages or documents, best first. A question that is missing scores 0.
        judgements: question id -> grades, of which those from 1 on are relevant. Grades matter to nDCG.
        names: ``Success@k`` (is a relevant one among the first k?), ``R@k`` (the share of the relevant ones
            that is), ``MRR@k`` (1 by the rank of the first), ``nDCG@k`` (Järvelin and Kekäläinen 2002, with
            the grade itself as gain) and ``MAP@k`` (mean average precision).

    Raises:
        SettingsError: a ranking names a passage twice, or ir-measures is missing.
    """
    measures = _ir_measures()
    own = {"MRR": measures.RR, "MAP": measures.AP}
    wanted = {
        (own[kind] if kind in own else getattr(measures, kind)) @ int(k): name
        for name in names
        for kind, k in [name.split("@")]
    }
    scores = {question: _scores(question, run.get(question, ())) for question in judgements}
    # What finds nothing, or has nothing to find, is left out by the tools below, and scores 0.
    found = {question: dict.fromkeys(names, 0.0) for question in judgements}
    if any(scores.values()):
        for metric in measures.iter_calc(wanted, judgements, scores):
            if judgements[metric.query_id]:
                found[metric.query_id][wanted[metric.measure]] = float(metric.value)
    return found


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
        raise SettingsError('Ranking metrics need ir-measures: pip install "verbatim-qa[eval]"') from error


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
