"""Results for the terminal. Text of question sets is data: it goes through ``safe`` alone."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from qa.evaluation.answers import answered_shares
from qa.evaluation.compare import Comparison, Difference, Flip
from qa.evaluation.results import Metric, Result
from qa.evaluation.rows import Row
from qa.terminal import prose, safe

_CURVE = (0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9)


def show_result(result: Result, out: Console) -> None:
    """Print the figures in percent, each with its 95 % interval, and the time that a question took."""
    out.print(_figures(result.metrics))
    groups = {row.group for row in result.rows}
    out.print(
        f"{len(result.rows):,} questions on {len(groups):,} articles or texts; "
        f"a question took {1e3 * result.seconds(50):.0f} ms (p50), {1e3 * result.seconds(95):.0f} ms (p95)"
    )
    if result.mode == "answers":
        out.print(_share_answered(result))


def _figures(metrics: Sequence[Metric]) -> Table:
    held = {(metric.part, metric.name): metric for metric in metrics}
    table = Table("%")
    parts = list(dict.fromkeys(part for part, _ in held))
    for part in parts:
        table.add_column(Text(safe(part)))
    for name in dict.fromkeys(name for _, name in held):
        table.add_row(Text(safe(name)), *(_cell(held.get((part, name))) for part in parts))
    return table


def _cell(metric: Metric | None) -> Text:
    if metric is None:
        return Text("")
    cell = Text(f"{100 * metric.value:.1f}")
    if metric.low is not None and metric.high is not None:
        cell.append(f" {100 * metric.low:.1f}-{100 * metric.high:.1f}", style="dim")
    return cell


def _share_answered(result: Result) -> Table:
    default = result.thresholds().get("default", 0.0)
    thresholds = sorted({*_CURVE, default})
    kinds = list(answered_shares(result.rows, default))
    table = Table("threshold", title="Share answered, %")
    for kind in kinds:
        table.add_column(Text(safe(kind)))
    for threshold in thresholds:
        shares = answered_shares(result.rows, threshold)
        name = f"{threshold:g} (default)" if threshold == default else f"{threshold:g}"
        table.add_row(name, *(f"{100 * shares[kind]:.0f}" for kind in kinds))
    return table


def show_failures(rows: Sequence[Row], out: Console) -> None:
    """Print the questions that went wrong."""
    for row in rows:
        if row.right:
            continue
        confidence = "" if row.confidence is None else f" ({row.confidence:.2f})"
        out.print(Text(prose(row.question), style="bold"))
        out.print(Text(f"  expected: {prose(' / '.join(row.gold)) or 'no answer'}"))
        out.print(Text(f"  answered: {prose(row.answer or 'nothing')}{confidence}"))
        out.print(Text(f"  quoted:   {prose(row.quote.text)}"))


def show_comparison(found: Comparison, out: Console, flips: int) -> None:
    """Print every difference, the questions that changed sides, and what it amounts to."""
    for line in found.changed:
        out.print(Text(safe(line)), style="dim")
    for part in dict.fromkeys(one.part for one in found.differences):
        table = Table("%", "A", "B", "B - A", "95 %", "p", "adjusted", "", title=Text(safe(part)))
        for one in found.differences:
            if one.part == part:
                table.add_row(*_difference(one))
        out.print(table)
    out.print(
        "Intervals: paired bootstrap over articles. p: McNemar's exact test, or for graded scores the paired "
        "randomisation test; adjusted after Holm.",
        style="dim",
    )
    for name, held in (("Right in A alone", found.lost), ("Right in B alone", found.won)):
        out.print(Text(f"{name}: {len(held)}", style="bold"))
        for flip in held[:flips]:
            _show_flip(flip, out)
        if len(held) > flips:
            out.print(Text(f"  and {len(held) - flips} more", style="dim"))
    out.print(Text(found.summary(), style="bold"))


def _difference(one: Difference) -> list[Text]:
    known = one.low is not None and one.high is not None
    return [
        Text(safe(one.name)),
        Text(f"{100 * one.first:.1f}"),
        Text(f"{100 * one.second:.1f}"),
        Text(f"{100 * one.difference:+.1f}"),
        Text(f"{100 * (one.low or 0):+.1f} to {100 * (one.high or 0):+.1f}" if known else "-"),
        Text(_probability(one.p)),
        Text(_probability(one.adjusted)),
        Text(one.verdict, style={"better": "green", "worse": "bold red"}.get(one.verdict, "dim")),
    ]


def _probability(value: float) -> str:
    return f"{value:.4f}" if value >= 0.0001 else "<0.0001"


def _show_flip(flip: Flip, out: Console) -> None:
    out.print(Text(f"  {prose(flip.question)} [{prose(flip.id)}]"))
    out.print(Text(f"    expected: {prose(' / '.join(flip.gold)) or 'no answer'}"))
    for name, answer in (("A", flip.first), ("B", flip.second)):
        out.print(Text(f"    {name}: {prose(answer)}"))
