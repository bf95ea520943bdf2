"""What one run of one mode found: a row a question, figures with intervals, and what they depend on.

Figures are means of the rows' scores, so that everything can be computed again from a stored result; those
of confidence (AUROC, ECE, AURC) follow from the rows' confidences. A score that does not apply to a question
is not in its row: an answerable question has no "NoAns".
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from index.errors import SettingsError
from qa.evaluation.abstention import auroc, calibration_error, risk_coverage
from qa.evaluation.metrics import bootstrap_interval
from qa.evaluation.rows import CANDIDATE, Excerpt, Row
from qa.evaluation.significance import statistic_intervals

FORMAT = 1
OF_CONFIDENCE = ("AUROC", "ECE", "AURC")
LOWER_IS_BETTER = frozenset({"ECE", "AURC"})


@dataclass(frozen=True, slots=True)
class Metric:
    """One figure: a fraction, with its 95 % interval, over how many questions of how many articles.

    ``low`` and ``high`` are ``None`` where fewer than two articles leave nothing to resample.
    """

    part: str
    name: str
    value: float
    low: float | None
    high: float | None
    questions: int
    groups: int


@dataclass(frozen=True, slots=True)
class Result:
    """A run. ``facts`` are what it depends on: sets with their hashes, settings, seed, versions, models."""

    mode: str
    facts: Mapping[str, Any]
    metrics: tuple[Metric, ...]
    rows: tuple[Row, ...]

    @classmethod
    def of(cls, mode: str, facts: Mapping[str, Any], rows: Sequence[Row], seed: int) -> Self:
        """Compute the figures of rows.

        Raises:
            SettingsError: there are no rows.
        """
        if not rows:
            raise SettingsError("No question of these sets can be asked in this mode: choose other sets")
        return cls(mode, facts, (*_means(rows, seed), *_of_confidence(rows, seed)), tuple(rows))

    def seconds(self, percentile: float) -> float:
        """Return a percentile, 0 to 100, of the time that a question took."""
        return float(np.percentile([row.seconds for row in self.rows], percentile))

    def thresholds(self) -> Mapping[str, float]:
        """Return the thresholds of the reader that was measured, by name."""
        found: Mapping[str, float] = self.facts.get("thresholds", {})
        return found


def values_of(rows: Sequence[Row], part: str, name: str) -> NDArray[np.float64]:
    """Return one score of every row, shape ``(rows,)``; NaN where a row does not have it."""
    return np.array([row.scores.get(part, {}).get(name, np.nan) for row in rows])


def _means(rows: Sequence[Row], seed: int) -> Iterable[Metric]:
    names = dict.fromkeys(
        (part, name) for row in rows for part, scores in row.scores.items() for name in scores
    )
    for part, name in names:
        held = [row for row in rows if name in row.scores.get(part, {})]
        values = [row.scores[part][name] for row in held]
        groups = [row.group for row in held]
        low, high = bootstrap_interval(values, groups, seed) if len(set(groups)) > 1 else (None, None)
        yield Metric(part, name, float(np.mean(values)), low, high, len(held), len(set(groups)))


def confidence_of(rows: Sequence[Row], name: str) -> float:
    """Return AUROC, ECE or AURC of rows that have a candidate; NaN where it is not defined."""
    if name == "AUROC":
        return auroc(candidates(rows))
    if name == "ECE":
        return calibration_error(candidates(rows))
    # The area under the risk-coverage curve (Geifman and El-Yaniv 2017).
    return float(risk_coverage(candidates(rows))[1].mean())


def _of_confidence(rows: Sequence[Row], seed: int) -> Iterable[Metric]:
    held = with_candidate(rows)
    if not held:
        return
    groups = [row.group for row in held]

    def statistic(name: str) -> Any:
        return lambda places: confidence_of([held[place] for place in places], name)

    intervals = statistic_intervals([statistic(name) for name in OF_CONFIDENCE], groups, seed, rounds=300)
    for name, interval in zip(OF_CONFIDENCE, intervals, strict=True):
        value = confidence_of(held, name)
        if np.isfinite(value):
            low, high = interval or (None, None)
            yield Metric(CANDIDATE, name, value, low, high, len(held), len(set(groups)))


def with_candidate(rows: Iterable[Row]) -> list[Row]:
    """Return the rows whose confidence can be judged."""
    return [row for row in rows if CANDIDATE in row.scores and row.confidence is not None]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A first candidate: its confidence in [0, 1], and whether it is right."""

    confidence: float
    right: bool


def candidates(rows: Sequence[Row]) -> list[Candidate]:
    """Return the first candidates of rows that have one."""
    return [Candidate(row.confidence or 0.0, bool(row.scores[CANDIDATE]["right"])) for row in rows]


def write_json(result: Result, path: Path) -> None:
    """Write a result, for :func:`read_json` and for other programs.

    Raises:
        SettingsError: the file cannot be written.
    """
    root = {
        "format": FORMAT,
        "mode": result.mode,
        **result.facts,
        "metrics": [asdict(metric) for metric in result.metrics],
        "seconds": {"p50": result.seconds(50), "p95": result.seconds(95)},
        "questions": [asdict(row) for row in result.rows],
    }
    write_text(path, json.dumps(root, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a file.

    Raises:
        SettingsError: it cannot be written.
    """
    try:
        # What a text holds of half a surrogate pair is not lost, and does not end the run.
        path.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
    except OSError as error:
        raise SettingsError(f"{path} cannot be written ({error.strerror}): name another file") from error


def read_json(path: Path) -> Result:
    """Read a result.

    Raises:
        SettingsError: the file cannot be read, or is not a result of this version.
    """
    try:
        root = json.loads(path.read_text("utf-8"))
    except OSError as error:
        raise SettingsError(f"{path} cannot be read ({error.strerror})") from error
    except (ValueError, RecursionError) as error:
        raise SettingsError(f"{path} is not JSON ({error}): give what --json wrote") from error
    if not isinstance(root, dict) or "questions" not in root or "metrics" not in root:
        raise SettingsError(f"{path} is not a result: give what --json wrote")
    if root.get("format") != FORMAT:
        raise SettingsError(
            f"{path} is of format {root.get('format')!r}, not {FORMAT}: measure again with this version"
        )
    try:
        metrics = tuple(Metric(**one) for one in root.pop("metrics"))
        rows = tuple(_row(one) for one in root.pop("questions"))
        facts = {key: value for key, value in root.items() if key not in {"format", "mode", "seconds"}}
        return Result(str(root["mode"]), facts, metrics, rows)
    except (TypeError, KeyError, AttributeError, ValueError) as error:
        raise SettingsError(f"{path} is damaged ({error}): measure again") from error


def _row(record: dict[str, Any]) -> Row:
    changed = {
        "gold": tuple(record["gold"]),
        "expected": Excerpt(**record["expected"]),
        "quote": Excerpt(**record["quote"]),
        "scores": {
            part: {name: float(value) for name, value in scores.items()}
            for part, scores in record["scores"].items()
        },
    }
    return Row(**{**record, **changed})
