"""Draws what a run logged: its loss, and its scores on the dev sets."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from index.errors import SettingsError

_SMOOTHED = 5  # points of the log, each a mean over 20 steps


def plot_runs(directories: Sequence[Path], path: Path) -> None:
    """Draw loss and dev F1 of runs that follow one another, side by side.

    Raises:
        SettingsError: a folder has no log, or too short a one, or matplotlib is missing.
    """
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415 - needed here alone
    except ImportError as error:
        raise SettingsError('Plots need matplotlib: pip install "verbatim-qa[test]"') from error
    losses, scores = _series(directories)
    if not losses:
        raise SettingsError(
            f"{', '.join(map(str, directories))}: no loss was logged yet; let it train a while"
        )
    figure = Figure(figsize=(9, 4), layout="constrained")
    left, right = figure.subplots(1, 2)
    steps, values = np.array(losses).T
    left.plot(steps, values, alpha=0.3)
    smoothed = min(_SMOOTHED, len(values))
    left.plot(steps[smoothed - 1 :], np.convolve(values, np.full(smoothed, 1 / smoothed), mode="valid"))
    left.set(xlabel="step", ylabel="loss")
    for name, points in scores.items():
        right.plot(*np.array(points).T, marker="o", label=name.removesuffix(".json.gz"))
    right.set(xlabel="step", ylabel="F1 on dev, %")
    if scores:
        right.legend()
    for axes in (left, right):
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=120)


def _series(
    directories: Sequence[Path],
) -> tuple[list[tuple[int, float]], dict[str, list[tuple[int, float]]]]:
    losses: list[tuple[int, float]] = []
    scores: dict[str, list[tuple[int, float]]] = {}
    done = 0
    for directory in directories:
        # What a resumed run logs again takes the place of what it logged before.
        records = {(record["step"], "dev" in record): record for record in _log(directory)}
        for (step, scored), record in sorted(records.items()):
            if scored:
                for name, score in record["dev"].items():
                    scores.setdefault(name, []).append((done + step, 100 * score["f1"]))
            else:
                losses.append((done + step, record["loss"]))
        done += max(step for step, _ in records)
    return losses, scores


def _log(directory: Path) -> list[dict[str, Any]]:
    try:
        lines = (directory / "log.jsonl").read_text("utf-8").splitlines()
    except OSError as error:
        raise SettingsError(f"{directory}: no log.jsonl there; name the folder of a run") from error
    if not lines:
        raise SettingsError(f"{directory}: its log.jsonl is empty; let it train a while")
    return [json.loads(line) for line in lines]
