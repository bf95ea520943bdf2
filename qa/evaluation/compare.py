"""Two results over the same questions: what changed, by how much, and could it be chance?

Chance is judged question by question: values of 0 and 1 by McNemar's exact test, others by the paired
randomisation test; p-values are adjusted for the number of figures that moved (Holm 1979). The interval
resamples articles, so that it says what to expect on others.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from index.errors import SettingsError
from qa.evaluation.results import (
    LOWER_IS_BETTER,
    OF_CONFIDENCE,
    Result,
    candidates,
    confidence_of,
    values_of,
    with_candidate,
)
from qa.evaluation.rows import CANDIDATE, Row
from qa.evaluation.significance import (
    difference_interval,
    holm,
    mcnemar,
    permutation,
    permutation_of,
    statistic_intervals,
)

Verdict = Literal["better", "worse", "differs", ""]

LEVEL = 0.05
# How many are answered is neither good nor bad by itself.
_NEUTRAL = "answered"
# Characters of a passage that tell it from others.
_SHOWN = 120


@dataclass(frozen=True, slots=True)
class Difference:
    """One figure of both results, as fractions; ``difference`` is the second less the first.

    ``low`` and ``high`` are its 95 % interval over articles, ``None`` where there are fewer than two. ``p``
    is two-sided; ``adjusted`` is Holm's, and below 0.05 there is a ``verdict``.
    """

    part: str
    name: str
    first: float
    second: float
    difference: float
    low: float | None
    high: float | None
    p: float
    test: Literal["McNemar", "randomisation"]
    adjusted: float
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class Flip:
    """A question that one of the results has right and the other has not."""

    set: str
    id: str
    question: str
    gold: tuple[str, ...]
    first: str
    second: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """All that two results differ in. ``changed`` says what was: versions, settings, models.

    ``lost`` and ``won`` are the questions that only the first, or only the second, has right.
    """

    mode: str
    questions: int
    changed: tuple[str, ...]
    differences: tuple[Difference, ...]
    lost: tuple[Flip, ...]
    won: tuple[Flip, ...]

    @property
    def worse(self) -> tuple[Difference, ...]:
        """The figures that are significantly worse in the second result."""
        return tuple(one for one in self.differences if one.verdict == "worse")

    def summary(self) -> str:
        """Return in one line what it amounts to."""
        better = sum(one.verdict == "better" for one in self.differences)
        said = f"Of {len(self.differences)} figures over {self.questions:,} questions"
        if not self.worse and not better:
            return f"{said} none is significantly better or worse in B"
        return f"{said} {len(self.worse)} are significantly worse in B, {better} better"

    def as_json(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return asdict(self)


def compare(first: Result, second: Result, seed: int = 0) -> Comparison:
    """Compare two results over the same questions.

    Raises:
        SettingsError: they are of different modes or sets, or not the same questions were asked.
    """
    _refuse_others(first, second)
    by_key = {row.key: row for row in second.rows}
    pairs = [(row, by_key[row.key]) for row in first.rows]
    rows = [one for one, _ in pairs], [other for _, other in pairs]
    found = [*_of_means(first, second, rows, seed), *_of_confidence(rows, seed)]
    # What no question has otherwise is no test, and takes no chance of error from the others (Tarone 1990).
    tested = [one for one in found if one.pop("moved")]
    adjusted = dict(zip(map(id, tested), holm([one["p"] for one in tested]), strict=True))
    return Comparison(
        first.mode,
        len(pairs),
        tuple(_changed(first.facts, second.facts)),
        tuple(
            Difference(**one, adjusted=p, verdict=_verdict(one, p))
            for one in found
            for p in [adjusted.get(id(one), 1.0)]
        ),
        tuple(_flip(one, other) for one, other in pairs if one.right and not other.right),
        tuple(_flip(one, other) for one, other in pairs if other.right and not one.right),
    )


def _refuse_others(first: Result, second: Result) -> None:
    if first.mode != second.mode:
        raise SettingsError(f"A measures {first.mode} and B {second.mode}: compare results of one mode")
    for kind in ("sets", "among"):
        hashes = [
            {one["name"]: one["sha256"] for one in result.facts.get(kind, ())} for result in (first, second)
        ]
        differing = [name for name in hashes[0] | hashes[1] if hashes[0].get(name) != hashes[1].get(name)]
        if differing:
            raise SettingsError(
                f"A and B were not measured with the same {differing[0]}: its sha256 differs, or only one "
                "has it. Measure both on the same files"
            )
    keys = [{row.key for row in result.rows} for result in (first, second)]
    if keys[0] != keys[1]:
        name, question = min(keys[0] ^ keys[1])
        raise SettingsError(
            f"A has {len(keys[0]):,} questions, B {len(keys[1]):,}, and only one of them has {question!r} of "
            f"{name}: measure both with the same --limit and --seed"
        )
    asked = {row.key: (row.question, row.gold) for row in first.rows}
    for row in second.rows:
        if asked[row.key] != (row.question, row.gold):
            raise SettingsError(f"The question {row.id!r} of {row.set} is not the same in A and B")


def _hashes(result: Result, kind: str) -> dict[str, str]:
    return {one["name"]: one["sha256"] for one in result.facts.get(kind, ())}


def _of_means(
    first: Result, second: Result, rows: tuple[Sequence[Row], Sequence[Row]], seed: int
) -> list[dict[str, Any]]:
    groups = [row.group for row in rows[0]]
    known = {(one.part, one.name) for one in second.metrics}
    found = []
    for metric in first.metrics:
        if (metric.part, metric.name) not in known or metric.name in OF_CONFIDENCE:
            continue
        one, other = (values_of(held, metric.part, metric.name) for held in rows)
        exact = _is_binary(one) and _is_binary(other) and bool((np.isfinite(one) == np.isfinite(other)).all())
        held = np.isfinite(one)
        moved = not np.array_equal(one, other, equal_nan=True)
        found.append(
            _difference(
                metric.part,
                metric.name,
                (float(np.nanmean(one)), float(np.nanmean(other))),
                difference_interval(one, other, groups, seed),
                mcnemar(one[held], other[held]) if exact else permutation(one, other, seed),
                "McNemar" if exact else "randomisation",
            )
            | {"moved": moved}
        )
    return found


def _of_confidence(rows: tuple[Sequence[Row], Sequence[Row]], seed: int) -> list[dict[str, Any]]:
    held = [with_candidate(one) for one in rows]
    if not held[0] or len(held[0]) != len(held[1]):
        return []
    groups = [row.group for row in held[0]]
    found = []
    for name in OF_CONFIDENCE:
        values = confidence_of(held[0], name), confidence_of(held[1], name)
        if not np.isfinite(values).all():
            continue

        def resampled(places: NDArray[np.int64], name: str = name) -> float:
            one, other = ([part[place] for place in places] for part in held)
            return confidence_of(other, name) - confidence_of(one, name)

        def swapped(marked: NDArray[np.bool_], name: str = name) -> float:
            both = list(zip(held[0], held[1], marked, strict=True))
            one = [b if swap else a for a, b, swap in both]
            other = [a if swap else b for a, b, swap in both]
            return confidence_of(other, name) - confidence_of(one, name)

        [interval] = statistic_intervals([resampled], groups, seed, rounds=300)
        p = permutation_of(swapped, len(held[0]), seed)
        moved = candidates(held[0]) != candidates(held[1])
        found.append(_difference(CANDIDATE, name, values, interval, p, "randomisation") | {"moved": moved})
    return found


def _difference(
    part: str,
    name: str,
    values: tuple[float, float],
    interval: tuple[float, float] | None,
    p: float,
    test: str,
) -> dict[str, Any]:
    low, high = interval or (None, None)
    return {
        "part": part,
        "name": name,
        "first": values[0],
        "second": values[1],
        "difference": values[1] - values[0],
        "low": low,
        "high": high,
        "p": p,
        "test": test,
    }


def _is_binary(values: NDArray[np.float64]) -> bool:
    return bool(np.isin(values[np.isfinite(values)], (0.0, 1.0)).all())


def _verdict(found: Mapping[str, Any], adjusted: float) -> Verdict:
    if adjusted >= LEVEL or found["difference"] == 0:
        return ""
    if found["name"].startswith(_NEUTRAL):
        return "differs"
    return "better" if (found["difference"] > 0) != (found["name"] in LOWER_IS_BETTER) else "worse"


def _changed(first: Mapping[str, Any], second: Mapping[str, Any]) -> list[str]:
    """Return a line for each fact that is not the same, but for the sets, which are."""
    one, other = (
        _flat({key: value for key, value in facts.items() if key != "sets"}) for facts in (first, second)
    )
    return [
        f"{name}: {one.get(name, '-')} in A, {other.get(name, '-')} in B"
        for name in dict.fromkeys([*one, *other])
        if one.get(name) != other.get(name)
    ]


def _flat(facts: Any, name: str = "") -> dict[str, Any]:
    if not isinstance(facts, dict):
        return {name: facts}
    found: dict[str, Any] = {}
    for key, value in facts.items():
        found |= _flat(value, f"{name} {key}".strip())
    return found


def _flip(one: Row, other: Row) -> Flip:
    return Flip(one.set, one.id, one.question, one.gold, _said(one), _said(other))


def _said(row: Row) -> str:
    """Return what a result has for a question: its answer or, where only search was measured, its passage."""
    if row.ranks:
        first = row.ranks.get("fused")
        shown = row.quote.text if len(row.quote.text) <= _SHOWN else f"{row.quote.text[:_SHOWN]}…"
        return f"first relevant passage at rank {first or 'over 100'}; first of all: {shown or 'none'}"
    if row.answer is None:
        return "nothing"
    return row.answer if row.confidence is None else f"{row.answer} ({row.confidence:.2f})"
