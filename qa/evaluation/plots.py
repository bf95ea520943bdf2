"""Draws figures with matplotlib, which only those who measure need."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np

from index.errors import SettingsError
from qa.evaluation.abstention import Confident, risk_coverage
from qa.evaluation.answers import answered_shares
from qa.evaluation.results import Metric, Result, candidates, with_candidate
from qa.evaluation.rows import Row
from qa.terminal import safe

_BINS = 10
# Characters of a name beside a plot.
_LONGEST = 24
_COLOURS = ("#2f6fb3", "#c26a1b", "#3c8f5a", "#a04a86", "#7a6a3a")
_DARK_COLOURS = ("#7fb2e8", "#f0a35e", "#7fcf9b", "#dc92c4", "#c9b97f")
Draw = Callable[[Any], None]


def require_matplotlib() -> None:
    """Raise what there is to say where plots cannot be drawn.

    Raises:
        SettingsError: matplotlib is missing.
    """
    try:
        import_module("matplotlib.figure")
    except ImportError as error:
        raise SettingsError('Plots need matplotlib: pip install "verbatim-qa[eval]"') from error


def plot_abstention(rows: Sequence[Row], path: Path) -> None:
    """Draw the risk-coverage curve, and how often answers of a confidence are right, side by side.

    Raises:
        SettingsError: matplotlib is missing, or the file cannot be written.
    """
    require_matplotlib()
    from matplotlib.figure import Figure  # noqa: PLC0415 - needed here alone

    judged = candidates(with_candidate(rows))
    figure = Figure(figsize=(9, 4), layout="constrained")
    drawn = {"Risk and coverage": _draw_risk, "Calibration": _draw_calibration}
    for axes, (name, draw) in zip(figure.subplots(1, 2), drawn.items(), strict=True):
        draw(axes, judged)
        axes.set_title(name)
        axes.grid(alpha=0.3)
    try:
        figure.savefig(path, dpi=120)
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path} cannot be drawn ({error}): name a .png or .svg file") from error


def plots(result: Result) -> dict[str, tuple[str, str]]:
    """Return the plots that suit a result, as SVG on a light and on a dark ground, by what they show."""
    drawn: dict[str, Draw] = {}
    if result.mode == "retrieval":
        drawn["Questions with a relevant passage among the first k"] = lambda axes: _draw_ranks(
            axes, result.rows
        )
    if result.mode == "reading" and len(result.facts["sets"]) > 1:
        drawn["F1 by set, with 95 % intervals"] = lambda axes: _draw_intervals(axes, result.metrics)
    held = with_candidate(result.rows)
    if held:
        judged = candidates(held)
        drawn["Risk and coverage"] = lambda axes: _draw_risk(axes, judged)
        drawn["Calibration"] = lambda axes: _draw_calibration(axes, judged)
        drawn["Share answered by threshold"] = lambda axes: _draw_answered(axes, held, result.thresholds())
    return {name: (_svg(draw, dark=False), _svg(draw, dark=True)) for name, draw in drawn.items()}


def _svg(draw: Draw, *, dark: bool) -> str:
    from matplotlib import rc_context  # noqa: PLC0415 - needed here alone
    from matplotlib.figure import Figure  # noqa: PLC0415 - the same

    ink = "#d9d6cf" if dark else "#3a3834"
    colours = _DARK_COLOURS if dark else _COLOURS
    style: Any = {
        **dict.fromkeys(
            ("text.color", "axes.labelcolor", "axes.edgecolor", "xtick.color", "ytick.color"), ink
        ),
        "axes.prop_cycle": import_module("cycler").cycler(color=colours),
        "grid.color": ink,
        "font.size": 11,
        # The same result gives the same file.
        "svg.hashsalt": "verbatim",
    }
    with rc_context(style):
        figure = Figure(figsize=(5.2, 3.6), layout="constrained")
        figure.patch.set_alpha(0.0)
        axes = figure.subplots()
        axes.patch.set_alpha(0.0)
        draw(axes)
        axes.grid(alpha=0.25)
        axes.spines[["top", "right"]].set_visible(False)
        written = StringIO()
        figure.savefig(written, format="svg", metadata={"Date": None}, transparent=True)
    return written.getvalue()


def _draw_risk(axes: Any, judged: Sequence[Confident]) -> None:
    coverage, risks = risk_coverage(judged)
    axes.plot(100 * coverage, 100 * risks)
    axes.set(xlabel="answered, %", ylabel="wrong of these, %", ylim=(0, None))


def _draw_calibration(axes: Any, judged: Sequence[Confident]) -> None:
    confidence = np.array([one.confidence for one in judged])
    right = np.array([one.right for one in judged], dtype=float)
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    held = [place for place in range(_BINS) if (bins == place).any()]
    axes.plot([0, 100], [0, 100], linestyle=":", color="grey")
    axes.plot(
        [100 * confidence[bins == place].mean() for place in held],
        [100 * right[bins == place].mean() for place in held],
        marker="o",
    )
    axes.set(xlabel="confidence, %", ylabel="right, %")


def _draw_answered(axes: Any, rows: Sequence[Row], thresholds: Mapping[str, float]) -> None:
    at = np.linspace(0, 1, 101)
    shares = [answered_shares(rows, float(threshold)) for threshold in at]
    for kind in shares[0]:
        axes.plot(at, [100 * one[kind] for one in shares], label=_label(kind))
    for name, threshold in thresholds.items():
        axes.axvline(threshold, linestyle=":", color="grey")
        axes.annotate(name, (threshold, 101), fontsize=9, annotation_clip=False)
    axes.set(xlabel="threshold", ylabel="answered, %", ylim=(0, 100), xlim=(0, 1))
    axes.legend(frameon=False)


def _draw_ranks(axes: Any, rows: Sequence[Row]) -> None:
    depths = np.arange(1, 101)
    for kind in rows[0].ranks:
        ranks = np.array([row.ranks[kind] or np.inf for row in rows])
        axes.plot(depths, [100 * (ranks <= depth).mean() for depth in depths], label=kind)
    axes.set(xlabel="k", ylabel="questions, %", xscale="log", ylim=(None, 100))
    axes.set_xticks([1, 5, 10, 50, 100], ["1", "5", "10", "50", "100"])
    axes.legend(frameon=False)


def _draw_intervals(axes: Any, metrics: Sequence[Metric]) -> None:
    held = [metric for metric in metrics if metric.name == "F1"]
    for place, metric in enumerate(held):
        low, high = metric.low, metric.high
        if low is not None and high is not None:
            axes.plot([100 * low, 100 * high], [place, place], color="grey")
        axes.plot([100 * metric.value], [place], marker="o")
    axes.set_yticks(range(len(held)), [_label(metric.part) for metric in held])
    axes.set(xlabel="F1, %", ylim=(len(held) - 0.5, -0.5))


def _label(name: str) -> str:
    """Return a name from a question set so that matplotlib draws it as it is, and has room for it.

    An underscore in front would hide it from a legend, a dollar sign would begin mathematics.
    """
    shown = safe(name) if len(name) <= _LONGEST else f"{safe(name[:_LONGEST])}…"
    return shown.lstrip("_").replace("$", r"\$")
