"""Draws figures with matplotlib, which only those who measure need."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from index.errors import SettingsError
from qa.evaluation.abstention import Judged, calibration_error, risk_coverage

_BINS = 10


def plot_abstention(judged: Sequence[Judged], path: Path) -> None:
    """Draw the risk-coverage curve, and how often answers of a confidence are right, side by side.

    Raises:
        SettingsError: matplotlib is missing.
    """
    try:
        from matplotlib.figure import Figure  # noqa: PLC0415 - needed here alone
    except ImportError as error:
        raise SettingsError('Plots need matplotlib: pip install "verbatim-qa[test]"') from error
    figure = Figure(figsize=(9, 4), layout="constrained")
    risk, calibration = figure.subplots(1, 2)
    coverage, risks = risk_coverage(judged)
    risk.plot(100 * coverage, 100 * risks)
    risk.set(xlabel="answered, %", ylabel="wrong of these, %", title="Risk and coverage", ylim=(0, None))
    confidence = np.array([one.confidence for one in judged])
    right = np.array([one.right for one in judged], dtype=float)
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    held = [place for place in range(_BINS) if (bins == place).any()]
    calibration.plot([0, 100], [0, 100], linestyle=":", color="grey")
    calibration.plot(
        [100 * confidence[bins == place].mean() for place in held],
        [100 * right[bins == place].mean() for place in held],
        marker="o",
    )
    gap = 100 * calibration_error(judged)
    calibration.set(xlabel="confidence, %", ylabel="right, %", title=f"Calibration: error {gap:.1f} points")
    for axes in (risk, calibration):
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=120)
