"""Are two systems different, asked the same questions? Numbers in, probabilities and intervals out.

A value that is missing (NaN) does not count: the precision of the questions that were answered has none for
those that were not. Shapes are ``(questions,)`` for values; both systems in the same order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

Values = NDArray[np.float64]
# A figure of chosen rows, with repetition, of one system.
Statistic = Callable[[NDArray[np.int64]], float]

_CHUNK = 500


def difference_interval(
    first: Values, second: Values, groups: Sequence[str], seed: int, rounds: int = 1000
) -> tuple[float, float] | None:
    """Return the 95 % interval of mean(second) - mean(first), resampling whole groups for both at once.

    The paired bootstrap (Efron and Tibshirani 1993; for language processing Koehn 2004), by article: see
    :func:`qa.evaluation.metrics.bootstrap_interval`. ``None`` with fewer than two groups.
    """
    members = _members(groups)
    if len(members) < 2:
        return None
    sums, counts = (
        np.array([[part(one[rows]) for rows in members] for one in (first, second)])
        for part in (np.nansum, lambda held: np.isfinite(held).sum())
    )
    drawn = _draws(len(members), seed, rounds)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = (drawn @ sums.T) / (drawn @ counts.T)
    return _percentiles(means[:, 1] - means[:, 0])


def statistic_intervals(
    statistics: Sequence[Statistic], groups: Sequence[str], seed: int, rounds: int = 1000
) -> list[tuple[float, float] | None]:
    """Return the 95 % interval of each statistic, all over the same resamples of whole groups."""
    members = _members(groups)
    if len(members) < 2:
        return [None] * len(statistics)
    found = np.empty((rounds, len(statistics)))
    for row, counts in enumerate(_draws(len(members), seed, rounds)):
        places = np.concatenate([np.tile(members[one], counts[one]) for one in np.flatnonzero(counts)])
        found[row] = [statistic(places) for statistic in statistics]
    return [_percentiles(column) for column in found.T]


def mcnemar(first: Values, second: Values) -> float:
    """Return the two-sided p-value of McNemar's exact test (1947) for values that are all 0 or 1.

    Of the questions that one system alone got right, is each as likely to be either's?
    """
    from scipy.stats import binomtest  # noqa: PLC0415 - slow, and needed here alone

    won, lost = int((second > first).sum()), int((second < first).sum())
    return float(binomtest(won, won + lost).pvalue) if won + lost else 1.0


def permutation(first: Values, second: Values, seed: int, rounds: int = 10_000) -> float:
    """Return the two-sided p-value of the paired randomisation test of a difference of means.

    If the systems were alike, each question's two values could change places (Fisher 1935; Noreen 1989; for
    retrieval Smucker et al. 2007). The observed arrangement counts as one, so p is never 0 (Phipson and
    Smyth 2010).
    """
    held = [np.isfinite(one) for one in (first, second)]
    if not held[0].any() or not held[1].any():
        return 1.0
    values = [np.nan_to_num(one) for one in (first, second)]
    observed = abs(first[held[0]].mean() - second[held[1]].mean())
    sum_gap, count_gap = values[1] - values[0], held[1].astype(float) - held[0].astype(float)
    differing = np.flatnonzero((sum_gap != 0) | (count_gap != 0))
    gaps = np.stack([sum_gap[differing], count_gap[differing]], axis=1)
    generator = np.random.default_rng(seed)
    reached = 0
    for start in range(0, rounds, _CHUNK):
        swapped = generator.random((min(_CHUNK, rounds - start), len(differing))) < 0.5
        moved = swapped @ gaps
        with np.errstate(invalid="ignore", divide="ignore"):
            one = (values[0].sum() + moved[:, 0]) / (held[0].sum() + moved[:, 1])
            other = (values[1].sum() - moved[:, 0]) / (held[1].sum() - moved[:, 1])
        # A mean over nothing is as far from any other as can be. Rounding must not hide a tie.
        reached += int((~(np.abs(one - other) < observed - 1e-12)).sum())
    return (reached + 1) / (rounds + 1)


def permutation_of(
    statistic: Callable[[NDArray[np.bool_]], float], questions: int, seed: int, rounds: int = 1000
) -> float:
    """Return the two-sided p-value of the paired randomisation test of any difference.

    Args:
        statistic: the difference when the systems change places on the questions that are marked.
        questions: how many there are.
        seed: the same seed gives the same p-value.
        rounds: how many arrangements are drawn.
    """
    observed = abs(statistic(np.zeros(questions, dtype=bool)))
    generator = np.random.default_rng(seed)
    found = [abs(statistic(generator.random(questions) < 0.5)) for _ in range(rounds)]
    return (sum(not one < observed - 1e-12 for one in found) + 1) / (rounds + 1)


def holm(values: Sequence[float]) -> list[float]:
    """Return p-values adjusted for there being several (Holm 1979), in the order given."""
    adjusted = [1.0] * len(values)
    highest = 0.0
    for rank, place in enumerate(sorted(range(len(values)), key=lambda one: values[one])):
        highest = max(highest, min(1.0, values[place] * (len(values) - rank)))
        adjusted[place] = highest
    return adjusted


def _members(groups: Sequence[str]) -> list[NDArray[np.int64]]:
    places: dict[str, list[int]] = {}
    for place, group in enumerate(groups):
        places.setdefault(group, []).append(place)
    return [np.array(one) for one in places.values()]


def _draws(groups: int, seed: int, rounds: int) -> NDArray[np.int64]:
    return np.random.default_rng(seed).multinomial(groups, np.full(groups, 1 / groups), size=rounds)


def _percentiles(values: Values) -> tuple[float, float] | None:
    held = values[np.isfinite(values)]
    if not len(held):
        return None
    low, high = np.percentile(held, [2.5, 97.5])
    return float(low), float(high)
