"""What was measured, as tables for people, JSON for programs and a plot. Measures nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from index.errors import SettingsError
from qa.bench.goals import Goal

_COLOURS = {"all": "#2f6fb3", "vectors": "#c26a1b", "words": "#3c8f5a", "baseline": "#8a8a8a"}


def show(result: Mapping[str, Any], goals: Sequence[Goal], console: Console) -> None:
    """Print tables of everything."""
    found = result["compared"]
    console.print(_written(found))
    console.print(_queries(found["queries"]))
    if result["growth"]:
        console.print(_growth(result["growth"]))
    console.print(_goals(goals))


def _written(found: Mapping[str, Any]) -> Table:
    table = Table(
        "",
        "Verbatim",
        "sentence-transformers + FAISS",
        "ratio",
        title=f"{found['passages']:,} passages, fp32",
    )
    for name, key in (("encoding, passages/s", "encoding"), ("ingest, passages/s", "ingest")):
        one = found[key]
        table.add_row(name, f"{one['verbatim']:.1f}", f"{one['baseline']:.1f}", f"{one['ratio']:.1f}")
    for name, key in (
        ("cold start, s (theirs: import alone)", "cold_start"),
        ("memory while serving, MB", "memory_megabytes"),
        ("disk, MB", "disk_megabytes"),
    ):
        ours, theirs = found[key]["verbatim"], found[key]["baseline"]
        table.add_row(name, f"{ours:.1f}", f"{theirs:.1f}", f"{theirs / ours:.1f}")
    return table


def _queries(queries: Mapping[str, Any]) -> Table:
    table = Table("", "users", "p50 ms", "p95", "p99", "questions/s", title="Questions")
    for what, by_users in queries.items():
        for users, by_whom in by_users.items():
            for whose, one in by_whom.items():
                figures = (one["p50"], one["p95"], one["p99"], one["a_second"])
                table.add_row(f"{what}, {whose}", users, *(f"{figure:.1f}" for figure in figures))
    return table


def _growth(growth: Sequence[Mapping[str, Any]]) -> Table:
    real = growth[0]["real_passages"]
    sizes = [f"{one['passages']:,}" for one in growth]
    table = Table("", *sizes, title=f"Growth, in passages: synthetic ones, made of {real:,} real ones")
    for name, key in (
        ("stored since the size before, s", "store_seconds"),
        ("vectors indexed, s", "index_seconds"),
        ("opened, s", "open_seconds"),
    ):
        table.add_row(name, *(f"{one[key]:.1f}" for one in growth))
    for name, key in (("vectors", "vectors"), ("words", "words"), ("whole search", "all")):
        for of in ("p50", "p95"):
            table.add_row(f"{name}, {of} ms", *(f"{one['ms'][key][of]:.1f}" for one in growth))
    table.add_row("recall@10 against exact search", *(f"{one['recall_at_10']:.3f}" for one in growth))
    for name, key in (
        ("memory of the vectors, MB", "vectors_megabytes"),
        ("memory of the process, MB", "megabytes"),
        ("disk, MB", "disk_megabytes"),
    ):
        table.add_row(name, *(f"{one[key]:.0f}" for one in growth))
    return table


def _goals(goals: Sequence[Goal]) -> Table:
    table = Table("goal", "bound", "measured", "met", title="Goals")
    words = {True: "yes", False: "no", None: "not measured"}
    for goal in goals:
        bound = f"{'at least' if goal.rising else 'at most'} {goal.bound:g} {goal.unit}".strip()
        value = "-" if goal.value is None else f"{goal.value:.3g} {goal.unit}".strip()
        table.add_row(goal.name, bound, value, words[goal.met])
    return table


def write_json(result: Mapping[str, Any], goals: Sequence[Goal], path: Path) -> None:
    """Write everything that was measured.

    Raises:
        SettingsError: the file cannot be written.
    """
    met = [{**asdict(goal), "met": goal.met} for goal in goals]
    _write(path, json.dumps({**result, "goals": met}, indent=2).encode())


def plot(result: Mapping[str, Any], path: Path) -> None:
    """Draw ratios and growth into a PNG or SVG file.

    Raises:
        SettingsError: matplotlib is missing, or the file cannot be written.
    """
    try:
        figures: Any = import_module("matplotlib.figure")
    except ImportError as error:
        raise SettingsError('Plots need matplotlib: pip install "verbatim-qa[eval]"') from error
    figure = figures.Figure(figsize=(12, 4), layout="constrained")
    ratios, times, memory = figure.subplots(1, 3)
    _plot_ratios(result["compared"], ratios)
    _plot_growth(result["growth"], times, memory)
    try:
        figure.savefig(path, dpi=150)
    except (OSError, ValueError) as error:
        raise SettingsError(f"{path}: cannot be drawn to ({error}). Name a .png or .svg file.") from error


def _plot_ratios(found: Mapping[str, Any], axes: Any) -> None:
    search = found["queries"]["search"]
    bars = {
        "encoding": found["encoding"]["ratio"],
        "ingest": found["ingest"]["ratio"],
        "search, one user": search["1"]["baseline"]["p50"] / search["1"]["verbatim"]["p50"],
        "search, eight": search["8"]["verbatim"]["a_second"] / search["8"]["baseline"]["a_second"],
        "cold start": found["cold_start"]["baseline"] / found["cold_start"]["verbatim"],
        "memory": found["memory_megabytes"]["baseline"] / found["memory_megabytes"]["verbatim"],
    }
    axes.barh(list(bars), list(bars.values()), color=_COLOURS["all"])
    axes.axvline(1.0, color=_COLOURS["baseline"], linestyle="--")
    axes.invert_yaxis()
    axes.set_title("Times better than sentence-transformers\nand a flat FAISS index in fp32")


def _plot_growth(growth: Sequence[Mapping[str, Any]], times: Any, memory: Any) -> None:
    sizes = [one["passages"] for one in growth]
    for name, label in (("all", "whole search"), ("words", "words"), ("vectors", "vectors")):
        values = [one["ms"][name]["p50"] for one in growth]
        times.plot(sizes, values, marker="o", color=_COLOURS[name], label=label)
    times.set_title("Search, p50 in ms, by passages\n(synthetic beyond the real texts)")
    memory.plot(
        sizes, [one["megabytes"] for one in growth], marker="o", color=_COLOURS["all"], label="process"
    )
    memory.plot(
        sizes,
        [one["vectors_megabytes"] for one in growth],
        marker="o",
        color=_COLOURS["vectors"],
        label="vectors",
    )
    memory.set_title("Resident memory in MB, by passages")
    for axes in (times, memory):
        if growth:
            axes.set_xscale("log")
            axes.legend()
        axes.set_ylim(bottom=0)
        axes.grid(alpha=0.3)


def check_writable(path: Path) -> None:
    """Raise where a file could not be written, before anything is measured.

    Raises:
        SettingsError: there is no such folder, or the path is one.
    """
    if path.is_dir() or not path.absolute().parent.is_dir():
        raise SettingsError(f"{path}: not a file that can be written. Name a file in a folder that is there.")


def _write(path: Path, data: bytes) -> None:
    try:
        path.write_bytes(data)
    except OSError as error:
        raise SettingsError(f"{path}: cannot be written ({error.strerror}). Name another file.") from error
